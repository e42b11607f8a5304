/** The real sessions: signals of every detector, in readable number; parts, prefixes and pipes equal the whole. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importArchives } from '../../src/audit/import.js';
import type { LineFlow } from '../../src/model/batch.js';
import { formatTime } from '../../src/model/time.js';
import { readingStart } from '../../src/scan/settings.js';
import { readTape } from '../../src/tape/reader.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById } from '../../src/venues/registry.js';
import { flowOf, MINUTE, type Scanned, SECOND, scanFlows, settingsOf, type TestSettings } from './tape-builder.js';

const data = new URL('../../../shared/data/', import.meta.url).pathname;

const sessions = [
  {
    ...{ venue: 'binance-usdm', symbol: 'BTCUSDT', instrument: {}, minutes: 8.6, messages: 73_764 },
    files: ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'],
  },
  {
    ...{
      venue: 'binance-coinm',
      symbol: 'ETHUSD_PERP',
      instrument: { multiplier: '10' },
      minutes: 10.8,
      messages: 78_313,
    },
    files: ['binance-coinm_ethusd_perp_20240808.gz', 'binance-coinm_ethusd_perp_20240809.gz'],
  },
];

const minutely: TestSettings = {
  unit: MINUTE,
  baseline: MINUTE,
  htf: MINUTE,
  set: [
    ...['tape-imbalance.quantile=0.3', 'tape-imbalance.hold=500ms'],
    ...['absorption.quantile=0.8', 'absorption.kind=A', 'absorption.window=5s'],
    ...['void.quantile=0.9', 'void.thin=0.4', 'void.run=2', 'void.near=2', 'void.swept=0.2', 'void.left=0.5'],
    ...['sweep.quantile=0.9', 'sweep.depth=0.001', 'block.quantile=0.95', 'block.share=0.005'],
    ...['footprint.span=7s', 'footprint.kind=both', 'footprint.theta=2', 'footprint.stack=2'],
    ...['ofi.window=5s', 'ofi.on=1.5', 'ofi.levels=5'],
    ...['delta.window=5s', 'delta.quantile=0.8'],
    ...['pull.quantile=0.9', 'pull.depth=0.01', 'pull.near=0.1', 'iceberg.cycles=2', 'iceberg.quantile=0'],
    ...['cvd-divergence.window=5s', 'cvd-divergence.on=1.5', 'cvd-divergence.hold=1s', 'cvd-divergence.retrace=0.3'],
  ],
};

describe.each(sessions)('$venue $symbol', ({ venue, symbol, files, instrument, minutes, messages }) => {
  const paths = files.map((file) => join(data, file));
  if (!paths.every((path) => existsSync(path))) {
    // the recordings are other people's and no part of the project, so a user's machine lacks them
    test.skip('the recordings are not here (../shared/data)', () => {});
    return;
  }
  const out = mkdtempSync(join(tmpdir(), 'tapedeck-scan-'));
  let first = 0;
  let last = 0;
  beforeAll(async () => {
    const options = { venue: venueById(venue), symbol, files: paths, out, instrument, tool: 'test', bad: () => {} };
    ({ first, last } = await importArchives({ format: 'hftbacktest', ...options, level: 1 }));
  });
  afterAll(() => rmSync(out, { recursive: true }));

  const scanTape = async (given: TestSettings): Promise<Scanned> => {
    const tape = await openTape([out], process.stdin);
    const start = given.from === undefined ? {} : { from: readingStart(settingsOf(given), given.from) };
    return scanFlows(tape.flows(start), given);
  };

  test('a default scan is readable, and what it prints is whole', async () => {
    const { signals, sums, lines } = await scanTape({});
    expect(sums[0].messages).toBe(messages);
    for (const name of [
      'book-imbalance',
      'tape-imbalance',
      'void',
      'absorption',
      'footprint',
      'ofi',
      'delta',
      'cvd-divergence',
      'pull',
    ]) {
      const onsets = signals.filter(({ signal, phase }) => signal === name && /onset|point/.test(phase));
      expect(onsets.length / minutes).toBeLessThan(5);
      if (venue === 'binance-usdm') expect(onsets.length).toBeGreaterThan(0);
    }
    for (const { signal, score, quality, evidence, price } of signals) {
      expect(Number.isFinite(score)).toBe(true);
      // a lost best quote leaves no trace
      expect(quality).toBe(signal === 'ofi' ? 'unverifiable' : 'verified');
      expect(price).toBeGreaterThan(0);
      expect(evidence.last).toBeGreaterThanOrEqual(evidence.first);
      for (const value of Object.values(evidence)) expect(value).not.toBeNaN();
    }
    expect(lines).toEqual([...lines].sort());
  });

  test('the lines as a pipe, in any batches, give the same bytes', async () => {
    const whole = await scanTape(minutely);
    const lines: string[] = [];
    for await (const item of readTape([out]))
      if ('bytes' in item) lines.push(...item.bytes.toString('utf8', item.from, item.to - 1).split('\n'));
    const piped = await scanFlows([flowOf(lines, 997)], minutely);
    expect(piped.lines).toEqual(whole.lines);
    expect(piped.sums).toEqual(whole.sums);
    expect(whole.lines.length).toBeGreaterThan(50);
  });

  test('minutes scanned one by one, each after its look-back, equal the whole', async () => {
    const whole = await scanTape(minutely);
    const parts: string[] = [];
    for (let unit = Math.floor(first / MINUTE) * MINUTE; unit <= last; unit += MINUTE)
      parts.push(...(await scanTape({ ...minutely, from: unit, to: unit + MINUTE })).lines);
    expect(parts).toEqual(whole.lines);
  });

  test('prefix property', async () => {
    const whole = await scanTape(minutely);
    const notEof = (line: string): boolean => !line.includes('"reason":"eof"');
    for (const seconds of [47, 123.4, 301]) {
      const cut = first + seconds * SECOND;
      async function* prefix(): LineFlow {
        yield* readTape([out], { to: cut });
      }
      const part = await scanFlows([prefix()], minutely);
      const limit = formatTime(cut);
      expect(part.lines.filter(notEof)).toEqual(
        whole.lines.filter((line) => line.slice(9, 36) < limit && notEof(line)),
      );
    }
  });
});
