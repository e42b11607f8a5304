/** `tapedeck fit`, as users run it: from a tape to a line, and from the line to a scan, by one thread or two. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fit } from '../../src/model/fit.js';
import type { Signal } from '../../src/model/signal.js';
import { randomTape } from '../scan/random-tape.js';
import { TapeBuilder } from '../scan/tape-builder.js';
import { writeSession } from '../scan/tape-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-fit-'));
afterAll(() => rmSync(folder, { recursive: true }));
const program = new URL('../../bin/tapedeck.js', import.meta.url).pathname;
const run = (...words: string[]) =>
  spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', env: { NO_COLOR: '1' } });
const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

describe('two days of a market', () => {
  const HOUR = 3_600_000_000;
  const day = 1_700_000_000_000_000 - (1_700_000_000_000_000 % HOUR);
  const [first, second] = ['first', 'second'].map((name) => join(folder, name));
  const learnt = join(folder, 'first.fit');

  beforeAll(async () => {
    await writeSession(first, randomTape({ seed: 5, minutes: 12, start: day }).lines);
    await writeSession(second, randomTape({ seed: 6, minutes: 12, start: day + 24 * HOUR }).lines);
    const { stdout, status, stderr } = run('fit', first, '--window', '2s', '--levels', '3');
    expect([status, stderr]).toEqual([0, '']);
    writeFileSync(learnt, stdout);
  });

  const scan = (tape: string, ...words: string[]) => {
    const set = ['--set', 'ofi.window=2s', '--set', 'ofi.on=1', '--set', 'ofi.least=0.2', '--warmup', '20s'];
    return run('scan', tape, '--format', 'json', '--detect', 'ofi,delta', ...set, '--fit', learnt, ...words);
  };

  test('the first teaches, and says from when to when', async () => {
    const { stdout } = run('fit', first, '--window', '2s', '--levels', '3');
    const [fit, ...more] = linesOf<Fit>(stdout);
    expect(more).toEqual([]);
    expect(Object.keys(fit)).toEqual(['src', 'from', 'to', 'tick', 'microprice', 'ofi']);
    expect(fit).toMatchObject({ src: 'binance-usdm:BTCUSDT', tick: '0.1', ofi: { window_ms: 2000 } });
    expect(fit.from).toBeGreaterThan(day);
    expect(fit.to).toBeLessThan(day + HOUR);
    expect(fit.ofi?.weights.reduce((sum, weight) => sum + Math.abs(weight), 0)).toBeCloseTo(1, 5);
  });

  test('the second is scanned with it, the same by two threads', () => {
    const one = scan(second);
    expect([one.status, one.stderr]).toEqual([0, '']);
    const signals = linesOf<Signal>(one.stdout);
    expect(signals.filter(({ context }) => typeof context.microprice === 'number').length).toBeGreaterThan(5);
    const integrated = signals.filter(({ signal }) => signal === 'ofi').map(({ evidence }) => evidence.integrated_ofi);
    expect(integrated.length).toBeGreaterThan(5);
    expect(integrated.every((value) => typeof value === 'number')).toBe(true);
    expect(scan(second, '--unit', '1m', '--baseline', '1m', '--jobs', '2').stdout).toBe(
      scan(second, '--unit', '1m', '--baseline', '1m').stdout,
    );
    // it changes nothing else
    const plain = (text: string): unknown[] =>
      linesOf<Signal>(text).map(({ context, evidence, ...rest }) => {
        const { integrated_ofi: _, ...facts } = evidence;
        const { microprice: __, ...around } = context;
        return { ...rest, evidence: facts, context: around };
      });
    const without = run(
      ...['scan', second, '--format', 'json', '--detect', 'ofi,delta', '--set', 'ofi.window=2s', '--set', 'ofi.on=1'],
      ...['--set', 'ofi.least=0.2', '--warmup', '20s'],
    );
    expect(plain(one.stdout)).toEqual(linesOf<Signal>(without.stdout));
  });

  test('the first is not scanned with what it taught itself', () => {
    const { stdout, stderr } = scan(first);
    const signals = linesOf<Signal>(stdout);
    const [{ to }] = linesOf<Fit>(readFileSync(learnt, 'utf8'));
    const own = signals.filter(({ evidence }) => evidence.last <= to);
    expect(own.length).toBeGreaterThan(5);
    for (const { context, evidence } of own) {
      expect(context).not.toHaveProperty('microprice');
      expect(evidence.integrated_ofi ?? null).toBeNull();
    }
    expect(stderr).toMatch(/^binance-usdm:BTCUSDT: the fit was learnt until .*: it is used from then on\n$/);
  });

  test('an empty file, a missing one and one that is no fit', () => {
    const failed = join(folder, 'failed.fit');
    writeFileSync(failed, '');
    const empty = run('scan', second, '--fit', failed);
    expect([empty.status, empty.stdout]).toEqual([2, '']);
    expect(empty.stderr).toBe(
      `tapedeck: E_CONFIG: while reading the fit: it holds none; did tapedeck fit learn anything? (file ${failed})\n`,
    );
    const none = run('scan', second, '--fit', join(folder, 'nothing.fit'));
    expect(none.status).toBe(2);
    expect(none.stderr).toContain('while reading the fit');
    const { status, stderr } = run('scan', second, '--fit', program);
    expect(status).toBe(2);
    expect(stderr).toContain('not JSON; tapedeck fit prints one object a line');
  });
});

test('what is broken in the tape of one market costs no other anything, and the status is 1', () => {
  const [one, other] = ['BTCUSDT', 'ETHUSDT'].map((symbol, n) => randomTape({ seed: n + 1, minutes: 4, symbol }).lines);
  const write = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };
  const paths = [
    write('BTC.ndjson', one),
    write(
      'ETH.ndjson',
      other.map((line, n) => (n === 500 ? line.slice(9) : line)),
    ),
  ];
  const both = run('fit', ...paths, '--window', '1s');
  expect(both.status).toBe(1);
  expect(both.stderr).toContain('E_LINE');
  expect(linesOf<Fit>(both.stdout).map(({ src }) => src)).toEqual(['binance-usdm:BTCUSDT', 'binance-usdm:ETHUSDT']);
  expect(both.stdout.split('\n')[0]).toBe(run('fit', paths[0], '--window', '1s').stdout.trimEnd());
});

test('nothing is learnt where no market is: that is said, and the status is 1', () => {
  const path = join(folder, 'shared.ndjson');
  writeFileSync(path, `${new TapeBuilder({ symbol: '_venue' }).wait(1_000_000).lines.join('\n')}\n`);
  const { stdout, stderr, status } = run('fit', path);
  expect([stdout, stderr, status]).toEqual(['', 'nothing is learnt: no market is there\n', 1]);
});

test('nothing is learnt from a tape without a book: that is said, and the status is 1', () => {
  const path = join(folder, 'bookless.ndjson');
  writeFileSync(path, `${randomTape({ seed: 1, minutes: 1 }).lines.slice(0, 1).join('\n')}\n`);
  const { status, stdout, stderr } = run('fit', path);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe('binance-usdm:BTCUSDT: nothing is learnt: there is no valid book\n');
  expect(run('fit', path, '-q').stderr).toBe('');
});

test.each([
  [['--window', '1500ms'], 'whole seconds up to 10m'],
  [['--window', '11m'], 'whole seconds up to 10m'],
  [['--levels', '1'], 'a whole number from 2 to 20'],
])('%j is refused', (words, why) => {
  const { status, stderr } = run('fit', folder, ...words);
  expect(status).toBe(2);
  expect(stderr).toContain(why);
});

const data = new URL('../../../shared/data/', import.meta.url).pathname;

describe.skipIf(!existsSync(data))('a real session (skipped: ../shared/data is not here)', () => {
  test('the more is bid, the more is to be expected, and all levels go the same way', () => {
    const files = ['20240808', '20240809'].map((day) => join(data, `binance-coinm_ethusd_perp_${day}.gz`));
    const out = join(folder, 'coinm');
    const market = ['--venue', 'binance-coinm', '--symbol', 'ETHUSD_PERP', '--multiplier', '10'];
    expect(run('import', 'hftbacktest', ...files, ...market, '-o', out, '-q').status).toBe(0);
    const [fit] = linesOf<Fit>(run('fit', out, '--window', '5s').stdout);
    const [first] = fit.microprice?.ticks ?? [];
    expect([...first].sort((a, b) => Number(a) - Number(b))).toEqual(first);
    // in the five seconds behind such a touch the mid went 21 ticks on average, by another count
    expect(first[9]).toBeGreaterThan(10);
    expect(first[9]).toBeLessThan(30);
    expect(fit.ofi?.weights.every((weight) => weight > 0)).toBe(true);
    // of 646 seconds the last is no whole window, nor is the first
    expect(fit.ofi?.windows).toBe(128);
    expect(fit.ofi?.explained).toBeGreaterThan(0.5);
  });
});
