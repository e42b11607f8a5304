/** Commands that are interrupted: files are left where they stand, and that is said; a pipe has ended. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command, CommandIo } from '../../src/commands/command.js';
import fit from '../../src/commands/fit.js';
import info from '../../src/commands/info.js';
import replay from '../../src/commands/replay.js';
import scan from '../../src/commands/scan.js';
import view from '../../src/commands/view.js';
import type { Fit } from '../../src/model/fit.js';
import { formatTime } from '../../src/model/time.js';
import { randomTape } from '../scan/random-tape.js';
import { writeSession } from '../scan/tape-folder.js';
import { type Result, run as runCommand } from './run.js';

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-interrupt-'));
afterAll(() => rmSync(folder, { recursive: true }));
const one = join(folder, 'one');
const two = join(folder, 'two');
const lines = randomTape({ seed: 5, minutes: 4 }).lines;

beforeAll(async () => {
  await writeSession(one, lines);
  await writeSession(two, randomTape({ seed: 6, minutes: 4, symbol: 'ETHUSDT' }).lines);
});

/** A signal that comes when it was asked for so often: commands that read files ask at every batch. */
const after = (times: number): AbortSignal => {
  let asked = 0;
  return Object.create(AbortSignal.prototype, { aborted: { get: () => ++asked > times } }) as AbortSignal;
};

const run = (
  command: Command,
  given: Record<string, unknown>,
  stdin = '',
  world: Partial<CommandIo> = {},
): Promise<Result> => runCommand(command, given, stdin, world, 'told');
const lively = {
  ...{ format: 'json', detect: ['book-imbalance', 'tape-imbalance'] },
  set: ['tape-imbalance.quantile=0.3', 'book-imbalance.on=0.1', 'book-imbalance.off=0.001'],
};
const interrupted = (command: Command, given: Record<string, unknown>, times = 40): Promise<Result> =>
  run(command, { tape: [one], ...given }, '', { signal: after(times) });
const rowsOf = ({ stdout }: Result): string[] => stdout.split('\n').filter((line) => line !== '');
/** The time that is said to have been reached. */
const timeOf = ({ stderr }: Result): string => /stopped at (\S+), before the end\n$/.exec(stderr)?.[1] ?? stderr;

describe('scan', () => {
  test('prints what the whole scan begins with, no ends that the tape does not hold, and says how far it came', async () => {
    const whole = await run(scan, { tape: [one], ...lively });
    const part = await interrupted(scan, { ...lively, checksum: true });
    expect(part.status).toBe(2);
    expect(part.stderr).toMatch(/^E_IO: while scanning: stopped at 2023-11-14T22:1\S+Z, before the end\n$/);
    const rows = rowsOf(part);
    expect(rows.length).toBeGreaterThan(3);
    expect(rows).toEqual(rowsOf(whole).slice(0, rows.length));
    // all of it up to the time that is said
    expect(rowsOf(whole)[rows.length].slice(9, 36) > timeOf(part)).toBe(true);
    expect(part.stdout).not.toContain('"reason":"eof"');
    expect(whole.stdout).toContain('"reason":"eof"');
  });

  test('of several tapes everything is there up to the time that all of them reached', async () => {
    const tape = [one, two];
    const whole = rowsOf(await run(scan, { ...lively, tape }));
    const part = await interrupted(scan, { ...lively, tape }, 60);
    expect(part.status).toBe(2);
    const rows = rowsOf(part);
    const before = (line: string): boolean => line.slice(9, 36) <= timeOf(part);
    expect(rows.filter(before)).toEqual(whole.filter(before));
    expect(rows.filter(before).length).toBeGreaterThan(3);
    expect(part.stdout).not.toContain('"reason":"eof"');
  });

  test('before anything was read, or with -q, it is said all the same', async () => {
    const first = await run(scan, { ...lively, tape: [one] }, '', { signal: AbortSignal.abort(), quiet: true });
    expect(first).toEqual({
      ...{ status: 2, stdout: '' },
      stderr: 'E_IO: while scanning: stopped before the first entry\n',
    });
  });

  test('a signal that comes when all was read changes nothing', async () => {
    const whole = await run(scan, { ...lively, tape: [one] });
    expect(await interrupted(scan, lively, 100_000)).toEqual(whole);
  });

  test('a pipe has ended: what is open ends, and the status is 0', async () => {
    const text = `${lines.join('\n')}\n`;
    const { status, stdout, stderr } = await run(scan, { ...lively, tape: ['-'] }, text, {
      signal: AbortSignal.abort(),
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"reason":"eof"');
  });
});

describe('view', () => {
  test.each(['trades', 'footprint'])('%s: what was seen until then', async (what) => {
    const given = { view: what, format: 'json', bar: 10_000_000 };
    const { bar: _, ...trades } = given;
    const chosen = what === 'trades' ? trades : given;
    const whole = rowsOf(await run(view, { tape: [one], ...chosen }));
    const part = await interrupted(view, chosen);
    expect(part.status).toBe(2);
    expect(part.stderr).toBe(`E_IO: while viewing: stopped at ${timeOf(part)}, before the end\n`);
    const rows = rowsOf(part);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.length).toBeLessThan(whole.length);
    const sure = rows.filter((row) => !row.includes('"provisional":true'));
    expect(sure).toEqual(whole.slice(0, sure.length));
  });

  test('book: no ladder of a time that was not asked for', async () => {
    const { status, stdout, stderr } = await interrupted(view, { view: 'book', format: 'json' });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^E_IO: while viewing: stopped at 2023-/);
    const piped = await run(view, { view: 'book', format: 'json', tape: ['-'] }, `${lines.join('\n')}\n`, {
      signal: AbortSignal.abort(),
    });
    expect([piped.status, piped.stderr, rowsOf(piped).length]).toEqual([0, '', 1]);
  });
});

test('replay: the first lines, and the time of the last of them', async () => {
  const whole = rowsOf(await run(replay, { tape: [one], speed: Number.POSITIVE_INFINITY }));
  const part = await interrupted(replay, { speed: Number.POSITIVE_INFINITY });
  expect(part.status).toBe(2);
  const rows = rowsOf(part);
  expect(rows).toEqual(whole.slice(0, rows.length));
  const { t } = JSON.parse(rows[rows.length - 1]) as { t: number };
  expect(part.stderr).toBe(`E_IO: while replaying: stopped at ${formatTime(t)}, before the end\n`);
});

test('info: counts of a part would be wrong, so none are printed', async () => {
  const { status, stdout, stderr } = await interrupted(info, { profile: true });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^E_IO: while reading tapes: stopped at 2023-\S+Z, before the end\n$/);
});

test('fit: what was learnt until then, and the status says that it was not all', async () => {
  const part = await interrupted(fit, { tape: [one, two], window: 1_000_000 });
  expect(part.status).toBe(2);
  const [learnt, ...more] = rowsOf(part).map((line) => JSON.parse(line) as Fit);
  expect(more).toEqual([]);
  expect(part.stderr).toContain(`binance-usdm:BTCUSDT: stopped: learnt until ${formatTime(learnt.to)}\n`);
  expect(part.stderr).toMatch(/E_IO: while learning: stopped at 2023-\S+Z, before the end\n$/);
});
