/** The public API as another program would use it. Needs `npm run build`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import ts from 'typescript';
import { expect, test } from 'vitest';
import * as api from '../src/index.js';
import { temporaryFolder } from './tape/tapes.js';

// compiling takes seconds
const root = new URL('..', import.meta.url).pathname;
const fixtures = join(root, 'fixtures');
const [, README_PROGRAM] = /```js\n(.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8')) as RegExpExecArray;

/** A folder in which the package is installed, and the types of Node. */
function consumer(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/tapedeck'));
  for (const name of ['@types/node', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}

/** What the compiler says of modules that publish declarations of their own, as strictly as it can be asked. */
function compile(folder: string, texts: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(texts).map(([name, text]) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  });
  const program = ts.createProgram(files, {
    ...{
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      types: ['node'],
      typeRoots: [join(folder, 'node_modules/@types')],
    },
    ...{
      strict: true,
      exactOptionalPropertyTypes: true,
      declaration: true,
      noEmit: true,
      preserveSymlinks: true,
      skipLibCheck: true,
    },
  });
  const all = [...ts.getPreEmitDiagnostics(program), ...program.getDeclarationDiagnostics()];
  return all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

test('a tape is opened, read and scanned with what the package exports', async () => {
  const tape = await api.openTape([join(fixtures, 'full')], Readable.from([]));
  expect(tape.groups).toHaveLength(2);
  let lines = 0;
  for (const flow of tape.flows()) for await (const item of flow) if (!('damage' in item)) lines += item.to - item.from;
  expect(lines).toBeGreaterThan(10_000);
  const settings = api.scanSettings({ warmup: 1_000_000 }, { checksum: true });
  const sums: string[] = [];
  const notes: string[] = [];
  const signals = api.scan(tape.flows(), {
    settings,
    damage: ({ message }) => void notes.push(message),
    note: (text) => void notes.push(text),
    sums: ({ src, messages }) => void sums.push(`${src} ${messages > 50}`),
  });
  for await (const batch of signals) for (const { signal } of batch) expect(signal.venue).toBe('binance-usdm');
  expect(sums.sort()).toEqual(['binance-usdm:BTCUSDT true', 'binance-usdm:ETHUSDT true']);
  // recorded without the channel of one detector's liquidations
  expect(notes.filter((note) => !note.includes('liquidation-cascade is unsupported'))).toEqual([]);
});

test('a scripted scenario is told as a tape, and its sweep is seen', async () => {
  const scenario = api.scenarios.find(({ name }) => name === 'S3') as api.Scenario;
  const { lines, seen } = api.tell(scenario, api.venueById('bybit-linear'));
  const tape = await api.openTape(['-'], Readable.from([Buffer.from(`${lines.join('\n')}\n`)]));
  const found: string[] = [];
  const settings = api.scanSettings({ detect: ['sweep'] }, { checksum: false });
  for await (const batch of api.scan(tape.flows(), { settings, damage: () => {}, note: () => {} }))
    for (const { signal } of batch)
      if (signal.phase !== 'update') found.push(`${signal.phase} ${signal.side} ${signal.evidence.swept_levels}`);
  const expected = seen.filter(({ signal }) => signal === 'sweep');
  expect(found).toEqual(expected.map(({ phase, side, facts }) => `${phase} ${side} ${facts?.swept_levels}`));
  expect(found).toEqual(['point buy 3']);
});

test('a wrong path is an error with a code', async () => {
  await expect(api.openTape([join(fixtures, 'nowhere')], Readable.from([]))).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
  });
});

test('what the functions take and give has names, so that a library can publish it, and the program of the README compiles', () => {
  const text = `
import * as td from 'tapedeck';
const nothing: AsyncIterable<Uint8Array> = process.stdin;
const venue = td.venueById('okx-spot');
const header: td.TapeHeader = JSON.parse('{}');
export const tape = await td.openTape([], nothing);
export const time = td.parseTimeSpec('+1s');
export const range = await tape.range(time, undefined);
export const settings = td.scanSettings({ set: [td.parseSetting('sweep.single=2')] }, { ...range, checksum: true });
export const filter = await td.signalFilter({ where: 'score > 1' });
export const signals = td.scan(tape.flows(range), { settings, damage() {}, note() {}, sums: (sums) => void keep(sums) });
export const keep = (sums: td.Sums) => sums.digest;
export const printed = (await signals.next()).value;
export const { evidence, confirm, context, plan } = printed[0].signal;
export const decoder = td.createDecoder();
export const { origins, counts } = decoder;
export const binding = { layouts: venue.layouts, symbol: header.symbol, scale: td.scaleOf(header.instrument), flow: header.flow };
decoder.bind('okx-spot:BTC-USDT', binding);
export const track = td.createTrack({ instrument: header.instrument, rules: venue });
export const checkpoint = track.checkpoint();
export const tally = track.counts;
export const reports = await td.verifyTapes({ paths: [], stdin: nothing });
export const { streams, problems } = reports[0]!;
export const fits = td.readFits('', 'a.fit');
export const { microprice, ofi } = fits[0]!;
export const detector = td.detectors[0]!;
export const told = td.tell(td.scenarios[0]!, venue);
export const { seen } = told;
export const plans = venue.connections(['BTC-USDT'], ['trade']);
export const opening = (t: number) => [{ t, line: td.entryLine({ t, src: 'a:b', tape: header }) }];
export const writer = td.createTapeWriter({ out: 'x', src: 'a:b', now: 0, opening: (next) => opening(next()) });
export const { written } = writer;
writer.write(td.messageLine(1, 'a:b', 'r.1', Buffer.from('{}')), 1, { message: true });
export const off = td.OFF_BOOK | td.NOT_FLOW | td.MORE;
export const mark = td.Derivative.MARK + td.fineDecimals(binding.scale) + td.RATE_DECIMALS;
`;
  // what a plain program may leave to be inferred of a function that stands alone, a strict compiler asks for
  const strict = README_PROGRAM.replace('({ code, file }) =>', "({ code, file }: Damage['damage']) =>");
  const readme = `import type { Damage } from 'tapedeck';\n${strict}`;
  expect(compile(consumer(), { 'library.ts': text, 'readme.ts': readme })).toEqual([]);
});

test('the program of the README prints what its tape holds', () => {
  const folder = consumer();
  mkdirSync(join(folder, 'tapes'));
  const scenario = api.scenarios.find(({ name }) => name === 'S3') as api.Scenario;
  const { lines } = api.tell(scenario, api.venueById('bybit-linear'));
  writeFileSync(join(folder, 'tapes/S3.ndjson'), `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'program.js'), README_PROGRAM);
  const printed = execFileSync(process.execPath, ['program.js'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const messages = lines.filter((line) => 'msg' in api.parseEntry(line)).length;
  expect(printed.split('\n')[0]).toMatch(/^\S+ sweep point buy [\d.]+$/);
  expect(printed).toMatch(new RegExp(`^bybit-linear:\\S+ ${messages} 100$`, 'm'));
});

test('a received message is written as it came', async () => {
  const out = temporaryFolder();
  const src = 'bybit-linear:BTCUSDT';
  const instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' } as const;
  const header = { version: api.TAPE_VERSION, recorder: 'mine', venue: 'bybit-linear', symbol: 'BTCUSDT', instrument };
  const writer = api.createTapeWriter({
    ...{ out, src, now: 1_700_000_000_000_000 },
    opening: (next) => {
      const t = next();
      return [
        { t, line: api.entryLine({ t, src, tape: { ...header, channels: ['trade'], flow: 'trade', tool: 'mine' } }) },
      ];
    },
  });
  const t = writer.stamp(1_700_000_000_000_001);
  writer.write(api.messageLine(t, src, 'mine.1', Buffer.from('{"p": 28145.10}')), t, { message: true });
  await writer.seal();
  const tape = await api.openTape([out], Readable.from([]));
  const texts: string[] = [];
  for (const flow of tape.flows())
    for await (const item of flow) if (!('damage' in item)) texts.push(item.bytes.toString('utf8', item.from, item.to));
  expect(texts.join('')).toContain(`{"t":${t},"src":"${src}","conn":"mine.1","msg":{"p": 28145.10}}\n`);
});
