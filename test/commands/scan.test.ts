/** `scan` as a command: files and stdin, formats, ranges, filters, lists, refusals and exit status. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { argumentKey, type CommandIo, takesValue } from '../../src/commands/command.js';
import scan from '../../src/commands/scan.js';
import type { Signal } from '../../src/model/signal.js';
import { parseTimeSpec } from '../../src/model/time.js';
import { detectors } from '../../src/signals/registry.js';
import { randomTape } from '../scan/random-tape.js';
import { createIo } from './run.js';

interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command with its own defaults, as the program would. */
async function run(
  given: Record<string, unknown>,
  stdin: string[] = [],
  world: Partial<CommandIo> = {},
): Promise<Result> {
  const [stdout, stderr] = [new PassThrough({ highWaterMark: 2 ** 26 }), new PassThrough()];
  const io = createIo({ stdin: Readable.from(stdin.map((text) => Buffer.from(text))), stdout, stderr, ...world });
  if (io.stderrIsTty) Object.assign(stderr, { isTTY: true });
  const args: Record<string, unknown> = { tape: [] };
  for (const [name, option] of Object.entries(scan.options)) {
    if (!takesValue(option)) args[argumentKey(name)] = false;
    else if (option.array) args[argumentKey(name)] = [];
    else if (option.default !== undefined) args[argumentKey(name)] = option.parse?.(option.default) ?? option.default;
  }
  const status = await scan.run({ ...args, ...given }, io);
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, stdout: text(stdout), stderr: text(stderr) };
}

const folder = mkdtempSync(join(tmpdir(), 'tapedeck-scan-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const text = (seed: number, symbol: string): string => `${randomTape({ seed, minutes: 3, symbol }).lines.join('\n')}\n`;
const btc = text(5, 'BTCUSDT');
const eth = text(6, 'ETHUSDT');
const paths = [write('btc.ndjson', btc), write('eth.ndjson', eth)];
const lively = {
  detect: ['book-imbalance', 'tape-imbalance'],
  set: ['tape-imbalance.quantile=0.3', 'book-imbalance.on=0.3', 'book-imbalance.off=0.2'],
};

const refusal = (given: Record<string, unknown>): Promise<string> =>
  run(given).then(
    () => 'nothing refused',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

test('a file and the same bytes on stdin, cut anywhere, give the same lines', async () => {
  const file = await run({ ...lively, tape: [paths[0]], format: 'json', checksum: true });
  expect(file.status).toBe(0);
  const lines = file.stdout.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) JSON.parse(line);
  expect(JSON.parse(lines[lines.length - 1])).toMatchObject({ checksum: { src: 'binance-usdm:BTCUSDT' } });
  const pieces = Array.from({ length: Math.ceil(btc.length / 7777) }, (_, i) => btc.slice(i * 7777, (i + 1) * 7777));
  expect(await run({ ...lively, tape: ['-'], format: 'json', checksum: true }, pieces)).toEqual(file);
});

test('what is noted of many markets alike is said of the first, and at the end of how many more', async () => {
  const sentence = 'liquidation-cascade is unsupported: the tape holds no forceOrder channel';
  const firstLines = (symbol: string): string =>
    randomTape({ seed: 7, minutes: 1, symbol }).lines.slice(0, 20).join('\n');
  const notesOf = async (...symbols: string[]): Promise<string> =>
    (await run({ tape: symbols.map((symbol) => write(`${symbol}.ndjson`, firstLines(symbol))) })).stderr;
  expect(await notesOf('AUSDT')).toBe(`binance-usdm:AUSDT: ${sentence}\n`);
  const three = 'binance-usdm:BUSDT, binance-usdm:CUSDT';
  expect(await notesOf('AUSDT', 'BUSDT', 'CUSDT')).toBe(
    `binance-usdm:AUSDT: ${sentence}\n${three}: ${sentence}, too\n`,
  );
  const seven = await notesOf(...Array.from('ABCDEFG', (letter) => `${letter}USDT`));
  expect(seven.split('\n')[1]).toBe(`6 more markets: ${sentence}, too`);
});

test('several tapes are printed in byte order of their lines', async () => {
  const { stdout } = await run({ ...lively, tape: paths, format: 'json' });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toEqual([...lines].sort());
  expect(new Set(lines.map((line) => (JSON.parse(line) as { symbol: string }).symbol)).size).toBe(2);
});

test('ranges count from the start of the tape', async () => {
  const whole = (await run({ ...lively, tape: [paths[0]], format: 'json' })).stdout.split('\n');
  const range = { from: parseTimeSpec('+60s'), to: parseTimeSpec('2023-11-14T22:16:00Z') };
  const part = (await run({ ...lively, ...range, tape: [paths[0]], format: 'json' })).stdout.split('\n');
  const inside = (line: string): boolean =>
    line.slice(9, 28) >= '2023-11-14T22:15:00' && line.slice(9, 28) < '2023-11-14T22:16:00';
  expect(part.filter((line) => line !== '')).toEqual(whole.filter(inside));
  expect(part.length).toBeGreaterThan(2);
});

test('damage is told on stderr, and the status is 1', async () => {
  const broken = write('broken.ndjson', `${btc}{"t":1\n`);
  const { status, stderr } = await run({ ...lively, tape: [broken] });
  expect(status).toBe(1);
  expect(stderr).toContain('E_LINE');
});

describe('--jobs', () => {
  test('a small tape is not worth a thread; a pipe is said to be none, and read all the same', async () => {
    const given = { ...lively, format: 'json', checksum: true };
    const one = await run({ ...given, tape: [paths[0]] });
    expect(await run({ ...given, tape: [paths[0]], jobs: 4 })).toEqual(one);
    expect(await run({ ...given, tape: [paths[0]], jobs: 0 })).toEqual(one);
    const piped = await run({ ...given, tape: ['-'], jobs: 4 }, [btc]);
    expect(piped).toEqual({
      ...one,
      stderr: 'a pipe cannot be divided: it is scanned by one thread\n',
    });
  });

  test('is a whole number, or auto', () => {
    const option = scan.options.jobs;
    const parse = (text: string): unknown => (takesValue(option) ? option.parse?.(text) : undefined);
    expect([parse('8'), parse('auto'), parse('0')]).toEqual([8, 0, 0]);
    for (const wrong of ['-1', 'many', '2.5', '', '100000'])
      expect(() => parse(wrong)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    expect(() => parse('many')).toThrow(/'many' is not auto or a whole number from 0 to /);
  });
});

describe('progress', () => {
  const terminal = { stderrIsTty: true };

  test('is drawn on stderr where that is a terminal and stdout is none, and taken away', async () => {
    const { stderr } = await run({ ...lively, tape: [paths[0]] }, [], terminal);
    expect(stderr).toContain('scan');
    expect(stderr).toContain('%');
  });

  test('is not drawn into files, with -q, between signals on the same terminal, or for pipes', async () => {
    expect((await run({ ...lively, tape: [paths[0]] })).stderr).toBe('');
    expect((await run({ ...lively, tape: [paths[0]] }, [], { ...terminal, quiet: true })).stderr).toBe('');
    const onTerminal = await run({ ...lively, tape: [paths[0]] }, [], { ...terminal, stdoutIsTty: true });
    expect(onTerminal.stderr).toBe('');
    expect((await run({ ...lively, tape: ['-'] }, [btc], terminal)).stderr).toBe('');
  });
});

test('a terminal shows several markets with the market before what is cut, and one as ever', async () => {
  const world = { stdoutIsTty: true, columns: 80 };
  const [titles, ...lines] = (await run({ ...lively, tape: paths }, [], world)).stdout.trimEnd().split('\n');
  expect(titles).toBe('TIME                      SIGNAL              PHASE  SIDE  SOURCE              …');
  expect(new Set(lines.map((line) => line.slice(59, 79)))).toEqual(
    new Set(['binance-usdm:BTCUSDT', 'binance-usdm:ETHUSDT']),
  );
  expect([titles, ...lines].filter((line) => line.length > 80)).toEqual([]);
  const one = (await run({ ...lively, tape: [paths[0]] }, [], world)).stdout.split('\n')[0];
  expect(one).toBe('TIME                         SIGNAL              PHASE  SIDE      PRICE   SCORE…');
  // who pipes two markets in is not known to do so before the second one speaks
  const piped = (await run({ ...lively, tape: ['-'] }, [btc, eth], world)).stdout.split('\n');
  expect(piped.filter((line) => line.startsWith('TIME'))).toEqual([one, titles]);
});

describe('filters', () => {
  const given = { ...lively, tape: paths, format: 'json', checksum: true };
  const linesOf = ({ stdout }: Result): string[] => stdout.trimEnd().split('\n');
  const signalsOf = (result: Result): Signal[] => linesOf(result).map((line) => JSON.parse(line) as Signal);

  test.each<[Record<string, unknown>, (signal: Signal) => boolean]>([
    [{ side: 'buy' }, ({ side }) => side === 'buy'],
    [{ minScore: 0.5 }, ({ score }) => score >= 0.5],
    [{ where: "phase == 'end' && reason != 'faded'" }, ({ phase, reason }) => phase === 'end' && reason !== 'faded'],
    [
      { side: 'sell', minScore: 0.4, where: 'evidence.levels == 10' },
      ({ side, score, evidence }) => side === 'sell' && score >= 0.4 && evidence.levels === 10,
    ],
  ])('%j prints those lines of the whole, and no other changes', async (filter, passes) => {
    const whole = await run(given);
    const some = linesOf(whole).filter((line) => {
      const one = JSON.parse(line) as Signal & { checksum?: object };
      return one.checksum !== undefined || passes(one);
    });
    expect(some.length).toBeGreaterThan(2);
    expect(some.length).toBeLessThan(linesOf(whole).length);
    expect(linesOf(await run({ ...given, ...filter }))).toEqual(some);
    expect(linesOf(await run({ ...given, ...filter, jobs: 2 }))).toEqual(some);
    const text = await run({ ...given, ...filter, format: 'text' });
    expect(linesOf(text)).toHaveLength(some.length);
    const { minScore, ...same } = filter;
    const config = write('filter.json', JSON.stringify({ ...same, ...(minScore ? { 'min-score': minScore } : {}) }));
    expect(linesOf(await run({ ...given, config }))).toEqual(some);
  });

  test('what is typed goes before the file', async () => {
    const config = write('filter.json', '{"side":"buy","where":"score > 0.5"}');
    const sides = new Set(
      signalsOf(await run({ ...given, checksum: false, config, side: 'sell' })).map(({ side }) => side),
    );
    expect(sides).toEqual(new Set(['sell']));
  });

  test('a wrong expression is said before a tape is opened, an odd one noted', async () => {
    expect(await refusal({ tape: ['nowhere'], where: 'scor > 1' })).toContain("no field 'scor'; did you mean 'score'?");
    const config = write('filter.json', '{"where":"score >"}');
    expect(await refusal({ tape: ['nowhere'], config })).toContain('E_CONFIG: where: a value is missing');
    const odd = { ...lively, tape: [paths[0]], where: 'evidence.volumes > 3' };
    expect(await run(odd)).toMatchObject({
      ...{ status: 0, stdout: '' },
      stderr: "where: no signal has evidence.volumes; did you mean 'volume'?\n",
    });
    expect((await run(odd, [], { quiet: true })).stderr).toBe('');
  });

  test('the score to reach is any number', () => {
    const option = scan.options['min-score'];
    const parse = (text: string): unknown => (takesValue(option) ? option.parse?.(text) : undefined);
    expect(['0.5', '-1', '.5', '1e-3', '+2'].map(parse)).toEqual([0.5, -1, 0.5, 0.001, 2]);
    for (const wrong of ['high', '1,5', '', '0x10', '1e999'])
      expect(() => parse(wrong)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });
});

test('presets set parameters; a config and what is typed go over them', async () => {
  const windows = async (given: Record<string, unknown>): Promise<Set<unknown>> => {
    const { stdout } = await run({ detect: ['book-imbalance'], tape: [paths[0]], format: 'json', ...given });
    const lines = stdout.trimEnd().split('\n');
    return new Set(lines.map((line) => (JSON.parse(line) as Signal).evidence.window_ms));
  };
  const config = write('preset.json', '{"preset":"scalp","set":{"book-imbalance":{"on":0.3}}}');
  const own = write('own.json', '{"preset":"scalp","set":{"book-imbalance":{"window":"4s","on":0.3}}}');
  const { set } = lively;
  expect(await windows({ set })).toEqual(new Set([5000]));
  expect(await windows({ set, preset: 'scalp' })).toEqual(new Set([2000]));
  expect(await windows({ config })).toEqual(new Set([2000]));
  expect(await windows({ config, preset: 'default' })).toEqual(new Set([5000]));
  expect(await windows({ config: own })).toEqual(new Set([4000]));
  expect(await windows({ config: own, set: ['book-imbalance.window=3s'] })).toEqual(new Set([3000]));
});

test('an account gives plans a size, from the command line or a config', async () => {
  const set = ['regime=any', 'on=0.2', 'off=0.1', 'hold=500ms', 'calm=0.6', 'span=2s'].map((one) => `skew-fade.${one}`);
  const sizes = async (given: Record<string, unknown>): Promise<(number | null | undefined)[]> => {
    const { stdout } = await run({ detect: ['skew-fade'], set, tape: [paths[0]], format: 'json', ...given });
    const lines = stdout.trimEnd().split('\n');
    return lines.map((line) => (JSON.parse(line) as Signal).plan?.size);
  };
  expect(new Set(await sizes({}))).toEqual(new Set([null]));
  const typed = await sizes({ equity: 10_000, leverage: 2 });
  expect(Math.min(...typed.map(Number))).toBeGreaterThan(0);
  const config = write('plan.json', '{"equity":10000,"leverage":7}');
  expect(await sizes({ config, leverage: 2 })).toEqual(typed);
  // what stands at the touch is more than such an account needs, a hundredth of it less
  const shares = write('share.json', '{"equity":10000,"touch-share":1}');
  const tenth = await sizes({ equity: 10_000, leverage: 2, touchShare: 1 });
  expect(Math.max(...tenth.map(Number))).toBeLessThan(Math.max(...typed.map(Number)));
  expect(await sizes({ config: shares, leverage: 2 })).toEqual(tenth);
  // fees that are paid, not charged, make the risk of a unit smaller
  expect(Number((await sizes({ equity: 1000, leverage: 1000, fee: -0.5 }))[0])).toBeGreaterThan(
    Number((await sizes({ equity: 1000, leverage: 1000 }))[0]),
  );
});

test('--schema prints a schema that takes every line', async () => {
  const { stdout } = await run({ schema: true });
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(stdout) as object);
  const lines = (await run({ ...lively, tape: paths, format: 'json', checksum: true })).stdout.trimEnd().split('\n');
  for (const line of lines) expect(validate(JSON.parse(line))).toBe(true);
  expect(validate({ ...(JSON.parse(lines[0]) as object), more: 1 })).toBe(false);
});

describe('--list', () => {
  test('those that are named, in the order they are named', async () => {
    const names = ['absorption', 'book-imbalance'];
    const { stdout } = await run({ list: true, detect: names, format: 'json' });
    const listed = stdout.trimEnd().split('\n');
    expect(listed.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(names);
    expect(await refusal({ list: true, detect: ['absorbtion'] })).toContain("did you mean 'absorption'?");
  });

  test('needs no tape; text for people, an object per detector for programs', async () => {
    expect((await run({ list: true })).stdout).toContain('absorption: Heavy one-sided aggression');
    const lines = (await run({ list: true, format: 'json' })).stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(detectors.map(({ name }) => name));
  });
});

describe('what changes nothing is said', () => {
  const symbols = {
    'binance-usdm:BTCUDST': { detect: ['tape-imbalance'] },
    'binance-usdm:ETHUSDT': {},
    'binance-usdm:*': {},
    'okx-swap:*': {},
  };

  test.each([1, 2])('a market of a config that is on no tape, by %i threads, and from a pipe', async (jobs) => {
    const config = write('slip.json', JSON.stringify({ symbols }));
    const notes =
      "config: symbols.binance-usdm:BTCUDST: no such market is on the tape; did you mean 'binance-usdm:BTCUSDT'?\n" +
      'config: symbols.okx-swap:*: no such market is on the tape\n';
    const given = { ...lively, config, jobs };
    expect((await run({ ...given, tape: paths })).stderr).toBe(notes);
    expect((await run({ ...given, tape: paths }, [], { quiet: true })).stderr).toBe('');
    // a file may hold several markets, and only the first is known without reading it
    const both = write('both.ndjson', `${btc}${text(6, 'ETHUSDT')}`);
    expect((await run({ ...given, tape: [both] })).stderr).toBe(notes);
    const piped = await run({ ...given, tape: ['-'] }, [btc, text(6, 'ETHUSDT')]);
    expect(piped.stderr.endsWith(notes)).toBe(true);
    const range = { from: parseTimeSpec('2023-11-14T22:10:00Z'), to: parseTimeSpec('2023-11-14T22:11:00Z') };
    expect((await run({ ...given, ...range, tape: paths })).stderr.endsWith(notes)).toBe(true);
  });

  test('a parameter that was typed for a detector that does not run', async () => {
    const given = { detect: ['tape-imbalance'], set: ['absorption.window=10s', 'tape-imbalance.quantile=0.3'] };
    const said = '--set absorption.window: absorption does not run\n';
    expect((await run({ ...given, tape: [paths[0]] })).stderr).toBe(said);
    expect((await run({ ...given, tape: [paths[0]] }, [], { quiet: true })).stderr).toBe('');
    // on one market it does
    const config = write('one.json', '{"symbols":{"binance-usdm:BTCUSDT":{"detect":["absorption"]}}}');
    const { detect: _, ...rest } = given;
    expect((await run({ ...rest, config, tape: [paths[0]] })).stderr).toBe('');
  });
});

describe('refusals', () => {
  test('tapes that --list and --schema would not read', async () => {
    expect(await refusal({ list: true, tape: ['absorption'] })).toBe(
      "E_USAGE: scan --list reads no tape: 'absorption' is one too many",
    );
    expect(await refusal({ schema: true, tape: paths })).toMatch(/^E_USAGE: scan --schema reads no tape: /);
  });

  test('no tape, wrong names and values, a config that is not there', async () => {
    expect(await refusal({})).toContain('E_USAGE: scan: TAPE is missing');
    expect(await refusal({ tape: paths, detect: ['absorbtion'] })).toContain("did you mean 'absorption'?");
    expect(await refusal({ tape: ['nowhere'], set: ['absorption.windo=1s'] })).toContain("did you mean 'window'?");
    expect(await refusal({ tape: paths, config: join(folder, 'none.json') })).toContain(
      'E_NOT_FOUND: while reading the config',
    );
    expect(await refusal({ tape: ['nowhere'] })).toContain('E_NOT_FOUND');
  });

  test('a config file sets what is not typed', async () => {
    const config = write('config.json', '{"detect":["tape-imbalance"],"set":{"tape-imbalance":{"quantile":0.3}}}');
    const { stdout } = await run({ tape: [paths[0]], config, format: 'json' });
    expect(
      new Set(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as { signal: string }).signal),
      ),
    ).toEqual(new Set(['tape-imbalance']));
  });
});
