/** Real sessions whose aggressors are drawn by lot: detectors of direction find as much on one side as on the other. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { importArchives } from '../../src/audit/import.js';
import type { Signal } from '../../src/model/signal.js';
import { readTape } from '../../src/tape/reader.js';
import { venueById } from '../../src/venues/registry.js';
import { seed } from '../seed.js';
import { randomFrom } from './random-tape.js';
import { MINUTE, SECOND, scanLines, type TestSettings } from './tape-builder.js';

const data = new URL('../../../shared/data/', import.meta.url).pathname;

const sessions = [
  {
    ...{ venue: 'binance-usdm', symbol: 'BTCUSDT', instrument: {} },
    files: ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'],
  },
  {
    ...{ venue: 'binance-coinm', symbol: 'ETHUSD_PERP', instrument: { multiplier: '10' } },
    files: ['binance-coinm_ethusd_perp_20240808.gz', 'binance-coinm_ethusd_perp_20240809.gz'],
  },
];

const SURROGATES = 10;
/** Of a normal distribution, so much is met on either side once in a thousand times. */
const SIGMAS = 3.3;
/** Counts below this on a tape would say little. */
const DOZENS = 24;

/** Short windows, low bars and no wait: dozens of onsets of each kind within ten minutes. */
const lively: TestSettings = {
  ...{ unit: MINUTE, baseline: MINUTE, htf: MINUTE, warmup: 20 * SECOND },
  detect: ['tape-imbalance', 'delta', 'cvd-divergence'],
  set: [
    // groups need prices that get worse for the taker, so their number hangs on the side that was drawn
    ...['tape-imbalance.basis=time', 'tape-imbalance.window=1s', 'tape-imbalance.hold=0s'],
    ...['tape-imbalance.quantile=0.5', 'delta.window=2s', 'delta.hold=0s', 'delta.quantile=0.7', 'delta.share=0.1'],
    ...['cvd-divergence.form=slope', 'cvd-divergence.window=4s', 'cvd-divergence.hold=0s', 'cvd-divergence.on=0.7'],
  ],
};
/** What is named for price moves keeps the sides of those moves, and they stay. */
const isDirectional = ({ evidence }: Signal): boolean => evidence.kind !== 'exhaustion';

/**
 * The lines with fair sides for taker orders. Prints of one match time and side, one after the other, are one draw: orders keep their
 * sizes, and windows hold as few independent amounts as before. A draw for each print would make of an order of fifty prints
 * an even mixture, and of every window a balanced one. Times, sizes, prices and the book stay.
 */
function surrogate(lines: readonly string[], random: () => number): string[] {
  let order = '';
  let sells = false;
  return lines.map((line) => {
    const said = /"T":(\d+),.*"m":(true|false)/.exec(line);
    if (said === null || !line.includes('"e":"trade"')) return line;
    const [, matched, side] = said;
    if (order !== `${matched} ${side}`) sells = random() < 0.5;
    order = `${matched} ${side}`;
    return line.replace(`"m":${side}`, `"m":${sells}`);
  });
}

const flipped = (line: string): string => line.replace(/"m":(true|false)/, (_, side) => `"m":${side === 'false'}`);

describe.each(sessions)('$venue $symbol', ({ venue, symbol, files, instrument }) => {
  const paths = files.map((file) => join(data, file));
  if (!paths.every((path) => existsSync(path))) {
    // the recordings are other people's and no part of the project, so a user's machine lacks them
    test.skip('the recordings are not here (../shared/data)', () => {});
    return;
  }
  const lines: string[] = [];
  beforeAll(async () => {
    const out = mkdtempSync(join(tmpdir(), 'tapedeck-surrogate-'));
    const options = { venue: venueById(venue), symbol, files: paths, out, instrument, tool: 'test', bad: () => {} };
    await importArchives({ format: 'hftbacktest', ...options, level: 1 });
    for await (const item of readTape([out]))
      if ('bytes' in item) lines.push(...item.bytes.toString('utf8', item.from, item.to - 1).split('\n'));
    rmSync(out, { recursive: true });
  });

  test('over many draws there are as many events to buy as to sell', async () => {
    const counts = new Map<string, { buy: number; sell: number }>();
    for (let n = 0; n < SURROGATES; n++) {
      const { signals } = await scanLines(surrogate(lines, randomFrom(seed + n)), lively, 5000);
      for (const signal of signals.filter(({ phase }) => phase === 'onset').filter(isDirectional)) {
        const count = counts.get(signal.signal) ?? { buy: 0, sell: 0 };
        count[signal.side]++;
        counts.set(signal.signal, count);
      }
    }
    expect([...counts.keys()].sort()).toEqual([...(lively.detect ?? [])].sort());
    for (const [name, { buy, sell }] of counts) {
      expect(buy + sell, name).toBeGreaterThan(SURROGATES * DOZENS);
      // binomial: a fair coin's heads less its tails have a deviation of the root of the throws
      expect(Math.abs(buy - sell) / Math.sqrt(buy + sell), `${name}: ${buy} buy, ${sell} sell`).toBeLessThan(SIGMAS);
    }
  });

  test('every side turned, the same events happen on the other side', async () => {
    const drawn = surrogate(lines, randomFrom(seed));
    const facts = (signals: Signal[], turned: boolean): unknown[] =>
      signals
        .filter(isDirectional)
        .map(({ time, signal, phase, side, score, reason, price }) =>
          JSON.stringify([time, signal, phase, turned === (side === 'buy'), score, reason, price]),
        )
        .sort();
    const [plain, turned] = [await scanLines(drawn, lively, 5000), await scanLines(drawn.map(flipped), lively, 5000)];
    expect(facts(turned.signals, true)).toEqual(facts(plain.signals, false));
    expect(turned.lines).not.toEqual(plain.lines);
  });
});
