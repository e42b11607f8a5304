/** One rule for all commands that read tapes: what cannot be read is named, the rest is read, and what is odd is noted. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from '../../src/commands/command.js';
import fit from '../../src/commands/fit.js';
import info from '../../src/commands/info.js';
import repair from '../../src/commands/repair.js';
import replay from '../../src/commands/replay.js';
import scan from '../../src/commands/scan.js';
import verify from '../../src/commands/verify.js';
import view from '../../src/commands/view.js';
import { formatTime, parseTimeSpec } from '../../src/model/time.js';
import { randomTape } from '../scan/random-tape.js';
import { writeSession } from '../scan/tape-folder.js';
import { type Result, run } from './run.js';

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-input-'));
afterAll(() => rmSync(folder, { recursive: true }));
const text = `${randomTape({ seed: 5, minutes: 2 }).lines.join('\n')}\n`;

/** A folder of these files. */
function written(name: string, files: Record<string, string>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}
const good = written('good', { 'b.ndjson': text });

const readers: Record<string, (tape: string[], stdin?: string, more?: Record<string, unknown>) => Promise<Result>> = {};
const reader = (name: string, command: Command, given: Record<string, unknown> = {}): void => {
  readers[name] = (tape, stdin, more = {}) => run(command, { tape, ...given, ...more }, stdin);
};
reader('scan', scan, { format: 'json', detect: ['book-imbalance', 'tape-imbalance'] });
reader('scan --jobs 2', scan, { format: 'json', detect: ['book-imbalance', 'tape-imbalance'], jobs: 2 });
reader('view trades', view, { view: 'trades', format: 'json' });
reader('view book', view, { view: 'book', format: 'json' });
reader('view footprint', view, { view: 'footprint', format: 'json' });
reader('replay', replay, { speed: Number.POSITIVE_INFINITY });
reader('fit', fit, { window: 1_000_000 });
reader('info', info, { format: 'json' });
const names = Object.keys(readers);

describe('a file without a byte', () => {
  const zero = written('zero', { 'a.ndjson.zst': '', 'a.ndjson': '' });
  const mixed = written('mixed', { 'a.ndjson.zst': '', 'b.ndjson': text, 'c.ndjson': '' });

  test.each(names)('%s names it, reads the rest, and the status is 1', async (name) => {
    for (const file of ['a.ndjson.zst', 'a.ndjson']) {
      const { status, stdout, stderr } = await readers[name]([join(zero, file)]);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^.*the file is empty.*\n$/);
      expect(stderr).toContain(join(zero, file));
    }
    const whole = await readers[name]([join(mixed, 'b.ndjson')]);
    const { status, stdout, stderr } = await readers[name]([mixed]);
    expect(whole.status).toBe(0);
    expect([status, stdout]).toEqual([1, whole.stdout]);
    expect(stderr.split('\n').filter((line) => line.includes('the file is empty'))).toHaveLength(2);
  });

  test('verify finds it, and asks for no seal of plain lines', async () => {
    const codes = async (tape: string): Promise<string[]> => {
      const { status, stdout } = await run(verify, { tape: [tape], format: 'json' });
      expect(status).toBe(1);
      return stdout
        .trimEnd()
        .split('\n')
        .flatMap((line) => (JSON.parse(line) as { problems: { code: string }[] }).problems.map(({ code }) => code));
    };
    expect(await codes(join(zero, 'a.ndjson'))).toEqual(['E_TRUNCATED']);
    expect(await codes(join(zero, 'a.ndjson.zst'))).toEqual(['E_TRUNCATED', 'NOT_SEALED']);
    expect(await codes(mixed)).toEqual(['E_TRUNCATED', 'NOT_SEALED', 'E_TRUNCATED']);
  });

  test('repair has nothing to seal where lines are plain', async () => {
    expect(await run(repair, { tape: [join(zero, 'a.ndjson')] })).toEqual({
      ...{ status: 0, stdout: '' },
      stderr: '0 segments repaired, 0 left as found, 1 needed nothing\n',
    });
    expect((await run(repair, { tape: [join(zero, 'a.ndjson.zst')] })).stdout).toContain('SEAL: it holds no entry');
  });
});

describe('a file in a folder that cannot be opened', () => {
  const tape = written('closed', { 'b.ndjson': text });
  // root may read all there is, but nobody what leads nowhere or to itself
  const [nowhere, itself] = [join(tape, 'a.ndjson.zst'), join(tape, 'c.ndjson')];
  symlinkSync(join(tape, 'nothing'), nowhere);
  symlinkSync(itself, itself);
  const read = (name: string) =>
    readers[name] ??
    ((tape: string[]) => run(verify, { tape, format: 'json' }).then((all) => ({ ...all, stderr: all.stdout })));

  test.each([...names, 'verify'])('%s names it, reads the others, and the status is 1', async (name) => {
    const whole = await read(name)([join(tape, 'b.ndjson')]);
    const { status, stdout, stderr } = await read(name)([tape]);
    expect(status).toBe(1);
    if (name !== 'verify') expect(stdout).toBe(whole.stdout);
    expect(stderr).toContain(nowhere);
    expect(stderr).toContain(itself);
    if (name !== 'info') expect([stderr.includes('E_NOT_FOUND'), stderr.includes('E_IO')]).toEqual([true, true]);
    expect(stderr).not.toContain('E_FRAME_CORRUPT');
  });

  test('named itself it is a failure', async () => {
    await expect(readers.scan([nowhere])).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(readers.info([tape, itself])).rejects.toMatchObject({ code: 'E_IO' });
  });

  // root may read what others may not
  test.skipIf(process.getuid?.() === 0)('a file and a folder that may not be read', async () => {
    const secret = written('secret', { 'a.ndjson': text, 'b.ndjson': text });
    mkdirSync(join(secret, 'c'));
    chmodSync(join(secret, 'a.ndjson'), 0);
    chmodSync(join(secret, 'c'), 0);
    for (const name of names) {
      const { status, stdout, stderr } = await readers[name]([secret]);
      const whole = await readers[name]([join(secret, 'b.ndjson')]);
      expect([status, stdout]).toEqual([1, whole.stdout]);
      for (const path of ['a.ndjson', 'c']) expect(stderr).toContain(join(secret, path));
      expect(stderr.match(/permission denied/g)).toHaveLength(2);
    }
    chmodSync(join(secret, 'c'), 0o700);
  });
});

describe('a file that is named twice', () => {
  const link = join(folder, 'link.ndjson');
  symlinkSync(join(good, 'b.ndjson'), link);

  test.each([...names, 'verify'])('%s reads it once, and says so', async (name) => {
    const read = readers[name] ?? ((tape: string[]) => run(verify, { tape, format: 'json' }));
    const once = await read([good]);
    const path = join(good, 'b.ndjson');
    for (const [tape, why] of [
      [[good, path], `${path}: named before`],
      [[path, good], `${path}: named before`],
      [[path, link], `${link}: the same file as ${path}`],
    ] as const)
      expect(await read([...tape])).toEqual({ ...once, stderr: `${why}; read once\n${once.stderr}` });
  });

  test('of a folder that is named twice one is named, and the others counted', async () => {
    const pair = written('pair', {
      'a.ndjson': text,
      'b.ndjson': `${randomTape({ seed: 6, minutes: 1, symbol: 'ETHUSDT' }).lines.join('\n')}\n`,
    });
    const once = await readers.info([pair]);
    expect(once.stdout.split('\n')).toHaveLength(3);
    expect(await readers.info([pair, pair])).toEqual({
      ...once,
      stderr: `${join(pair, 'a.ndjson')}: named before, and so 1 more; read once\n`,
    });
  });
});

describe('a range that nothing lies in', () => {
  const path = join(good, 'b.ndjson');
  const sealed = join(folder, 'sealed');
  const lines = text.trimEnd().split('\n');
  const timeOfLine = (line: string): string => formatTime(Number(line.slice(5, 21)));
  beforeAll(() => writeSession(sealed, lines));
  const [late, early] = [{ from: parseTimeSpec('2030-01-01') }, { to: parseTimeSpec('2020-01-01') }];
  const first = timeOfLine(lines[0]);
  const note = (last: string): string => `nothing lies in this range (tape: ${first} to ${last})\n`;
  const said = note(timeOfLine(lines[lines.length - 1]));
  // a header and what is known of the book come all the same
  const printing = names.filter((name) => name !== 'info' && name !== 'replay' && name !== 'fit');

  test.each(printing)('%s: is said, and nothing is printed', async (name) => {
    for (const range of [late, early]) {
      const plain = await readers[name]([path], '', range);
      expect(plain).toEqual({ status: 0, stdout: '', stderr: said });
      const { stdout, stderr } = await readers[name]([sealed], '', range);
      // two more entries seal it
      expect([stdout, stderr]).toEqual([
        '',
        expect.stringMatching(/^nothing lies in this range \(tape: \S+ to \S+\)\n$/),
      ]);
    }
  });

  test.each(printing.filter((name) => !name.includes('--jobs')))('%s: of stdin it is said behind it', async (name) => {
    expect(await readers[name](['-'], text, late)).toEqual({ status: 0, stdout: '', stderr: said });
    const { stdout, stderr } = await readers[name](['-'], text, early);
    // who is done reads no further
    expect([stdout, stderr]).toEqual(['', expect.stringContaining(`nothing lies in this range (tape: ${first} to `)]);
  });

  test('replay and fit say it too, and fit blames no book', async () => {
    for (const range of [late, early]) {
      expect((await readers.replay([path], '', range)).stderr).toBe(said);
      expect(await readers.fit([path], '', range)).toEqual({
        ...{ status: 1, stdout: '' },
        stderr: `${said}binance-usdm:BTCUSDT: nothing is learnt: nothing of it lies in this range\n`,
      });
    }
  });

  test('a range that something lies in is not', async () => {
    for (const range of [{ from: parseTimeSpec('+1s') }, { from: parseTimeSpec('-1s') }, { to: parseTimeSpec('+1s') }])
      for (const name of ['view trades', 'view book', 'scan'])
        for (const tape of [path, sealed]) expect((await readers[name]([tape], '', range)).stderr).toBe('');
  });

  test('what cannot be read is no hindrance', async () => {
    const tape = written('junk', { 'a.ndjson.zst': 'this is no tape', 'b.ndjson': text });
    for (const range of [{ from: parseTimeSpec('+1s') }, { from: parseTimeSpec('-1s') }]) {
      const whole = await readers['view trades']([join(tape, 'b.ndjson')], '', range);
      expect(await readers['view trades']([tape], '', range)).toMatchObject({ status: 1, stdout: whole.stdout });
    }
  });

  test('a market that ended before has no ladder beside one that goes on', async () => {
    const old = `${randomTape({ seed: 6, minutes: 1, symbol: 'ETHUSDT' }).lines.join('\n')}\n`;
    const tape = written('ended', { 'a.ndjson': old, 'b.ndjson': text });
    const { stdout, stderr } = await readers['view book']([tape], '', { from: parseTimeSpec('+90s') });
    expect(stderr).toBe('');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { symbol: string }).symbol),
    ).toEqual(['BTCUSDT']);
  });
});

describe('a pipe', () => {
  test.each([...names.filter((name) => !name.includes('--jobs')), 'verify'])(
    '%s: nothing came by it is noted, and no damage',
    async (name) => {
      const { status, stderr } = await (readers[name]?.(['-']) ?? run(verify, { tape: ['-'] }));
      // nothing was learnt, and fit says so by its status
      expect([status, stderr]).toEqual([name === 'fit' ? 1 : 0, 'stdin: nothing came\n']);
    },
  );

  test('quietly, it is not said', async () => {
    expect(await run(scan, { tape: ['-'] }, '', { quiet: true })).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each(['scan', 'verify', 'info'])('%s: a folder on stdin is no tape', (name) => {
    const program = new URL('../../bin/tapedeck.js', import.meta.url).pathname;
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, name, '-'], {
      encoding: 'utf8',
      stdio: [openSync(good, 'r'), 'pipe', 'pipe'],
    });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe('tapedeck: E_NOT_A_TAPE: while reading: it is a folder (file -)\n');
  });
});
