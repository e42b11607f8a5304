/** Merging: every message that any recorder received is there once, in the venue's order; what each missed is told; gaps go where they are filled. */
import fs from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Merged, type MergeOptions, mergeTapes } from '../../src/audit/merge.js';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import merge from '../../src/commands/merge.js';
import type { Entry } from '../../src/model/entry.js';
import { entryLine } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { segmentItems } from '../../src/tape/segment.js';
import { run } from '../commands/run.js';
import { header, market, type Received, SRC, tapeLine, temporaryFolder, writeSegment } from './market-lines.js';

interface Recorder {
  name: string;
  /** its clock, and how much later than the first recorder it hears things, µs */
  clock?: number;
  /** whether it receives the nth message */
  hears?: (n: number) => boolean;
  /** entries of its own: beside message n */
  says?: Map<number, (t: number) => Entry[]>;
}

/** What a recorder writes of a market; the snapshot is always heard. */
function linesOf(received: readonly Received[], { name, clock = 0, hears = () => true, says }: Recorder): string[] {
  const at = (t: number): number => t + clock;
  const head = header(name, at(received[0].t) - 2);
  const open: Entry = { t: at(received[0].t) - 1, src: SRC, conn: `${name}.1`, open: { url: 'u' } };
  let conn = `${name}.1`;
  return [
    ...[entryLine(head), entryLine(open)],
    ...received.flatMap((one, n) => {
      const own = says?.get(n)?.(at(one.t)) ?? [];
      for (const entry of own) if ('open' in entry) conn = entry.conn;
      const heard = one.kind === 'snapshot' || hears(n);
      return [...own.map(entryLine), ...(heard ? [tapeLine({ ...one, t: at(one.t) }, conn)] : [])];
    }),
  ];
}

async function tapeOf(received: readonly Received[], recorder: Recorder): Promise<string> {
  const folder = join(temporaryFolder(), recorder.name);
  fs.mkdirSync(folder);
  await writeSegment(join(folder, 'a.ndjson.zst'), linesOf(received, recorder), 200);
  return folder;
}

const options = (tapes: readonly string[], out = join(temporaryFolder(), 'c')): MergeOptions => ({
  tapes,
  out,
  tool: 'test',
  level: 1,
});

interface Made extends Merged {
  out: string;
  /** bytes of the messages, in order */
  messages: string[];
  lines: string[];
  verified: SourceReport;
}

async function made(...tapes: string[]): Promise<Made> {
  const { out, ...rest } = options(tapes);
  const merged = await mergeTapes({ out, ...rest });
  const lines = linesIn(out);
  const [verified] = await verifyTapes({ paths: [out], stdin: Readable.from([]) });
  return { ...merged, out, lines, messages: messagesIn(lines), verified };
}

function linesIn(out: string): string[] {
  const folder = join(out, 'binance-usdm', 'ABCUSDT');
  return fs
    .readdirSync(folder)
    .sort()
    .flatMap((name) => textOf(join(folder, name)));
}

function textOf(path: string): string[] {
  const lines: string[] = [];
  for (const item of segmentItems(openSegment(path))) {
    if ('damage' in item) throw new Error(item.damage.message);
    lines.push(...item.bytes.toString('utf8', item.from, item.to).split('\n').slice(0, -1));
  }
  return lines;
}

const messagesIn = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => {
    const entry = JSON.parse(line);
    return entry.msg === undefined ? [] : [JSON.stringify(entry.msg)];
  });

const textsOf = (received: readonly Received[]): string[] =>
  received.filter(({ kind }) => kind !== 'snapshot').map(({ text }) => JSON.stringify(JSON.parse(text)));

const sorted = (texts: readonly string[]): string[] => [...texts].sort();

/** The messages of one stream, in order. */
const ofStream = (texts: readonly string[], stream: string): string[] =>
  texts.filter((text) => text.includes(`@${stream}`));

describe('two recorders that lose different messages', () => {
  test('property: all of them are there once, in order, the tape is whole, and the order of names changes nothing', async () => {
    const received = market(120);
    const losses = fc.uniqueArray(fc.integer({ min: 1, max: received.length - 2 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(losses, fc.integer({ min: -3_000_000, max: 3_000_000 }), async (lost, clock) => {
        const [one, two] = [new Set(lost.filter((_, n) => n % 2 === 0)), new Set(lost.filter((_, n) => n % 2 === 1))];
        const a = await tapeOf(received, { name: 'aaaa', hears: (n) => !one.has(n) });
        const b = await tapeOf(received, { name: 'bbbb', clock, hears: (n) => !two.has(n) });
        const { messages, verified, reports, lines } = await made(a, b);
        for (const stream of ['depth', 'trade', 'bookTicker'])
          expect(ofStream(messages, stream)).toEqual(ofStream(textsOf(received), stream));
        expect(verified).toMatchObject({ gaps: 0, problems: [], touch: { checked: 120, agreed: 120 } });
        const [report] = reports;
        const sum = (key: 'onlyBase' | 'onlyOther' | 'common'): number =>
          report.streams.reduce((total, one) => total + one[key], 0);
        const base = report.tapes[0].recorders[0];
        expect([sum('onlyOther'), sum('onlyBase')]).toEqual(
          base === 'aaaa' ? [one.size, two.size] : [two.size, one.size],
        );
        expect(sum('common')).toBe(received.length - 1 - lost.length);
        const other = await made(b, a);
        expect(other.lines).toEqual(lines);
      }),
      { numRuns: 15 },
    );
  });

  test('over many minutes, with an outage of each, memory holding a part of it', async () => {
    // twenty minutes; clocks drift apart by a millisecond in each
    const received = market(1000, 400_000);
    const drifting = (one: Received): Received => ({ ...one, t: one.t + Math.floor((one.t - received[0].t) / 60_000) });
    const isOut = (n: number, of: number): boolean => n > 800 * (of + 1) && n < 800 * (of + 1) + 300;
    const lost = (n: number, of: number): boolean => isOut(n, of) || (n % 97 === of && !isOut(n, 1 - of));
    const a = await tapeOf(received, { name: 'aaaa', hears: (n) => !lost(n, 0) });
    const b = await tapeOf(received.map(drifting), { name: 'bbbb', clock: -90_000, hears: (n) => !lost(n, 1) });
    const { messages, verified, reports } = await made(a, b);
    expect(messages).toEqual(textsOf(received));
    expect(verified).toMatchObject({ gaps: 0, problems: [], messages: 3000 });
    // made of the book of all messages, about every minute
    expect(verified.checkpoints.checked).toBeGreaterThan(15);
    expect(verified.checkpoints.agreed).toBe(verified.checkpoints.checked);
    expect(reports[0].moved).toBe(0);
  });

  test('what both lost stays a gap, and is the only one', async () => {
    const received = market(100);
    const both = received.findIndex(({ kind, id }) => kind === 'trade' && id === 950);
    const a = await tapeOf(received, { name: 'aaaa', hears: (n) => n !== both && n !== 50 });
    const b = await tapeOf(received, { name: 'bbbb', clock: 700, hears: (n) => n !== both && n !== 201 });
    const { verified } = await made(a, b);
    expect(verified.problems).toMatchObject([{ code: 'GAP', message: '1 trade messages are missing before id 951' }]);
  });

  test('what is inserted says whose it is, and takes a time between its neighbours', async () => {
    const received = market(40);
    const at = received.findIndex(({ kind, id }) => kind === 'trade' && id === 920);
    const a = await tapeOf(received, { name: 'aaaa', hears: (n) => n !== at });
    const b = await tapeOf(received, { name: 'bbbb', clock: 5_000_000, hears: (n) => n !== 100 && n !== 101 });
    const { lines, reports } = await made(a, b);
    const inserted = lines.filter((line) => line.includes('"of":')).map((line) => JSON.parse(line));
    expect(inserted).toEqual([
      expect.objectContaining({
        t: received[at].t,
        conn: 'aaaa.1',
        msg: JSON.parse(received[at].text),
        of: { conn: 'bbbb.1', t: received[at].t + 5_000_000 },
      }),
    ]);
    const [head] = lines.map((line) => JSON.parse(line));
    expect(head.tape.merged).toEqual({ base: ['aaaa'], others: [{ recorders: ['bbbb'], clock: 5_000_000 }] });
    expect(reports[0]).toMatchObject({ moved: 0, tapes: [{ clock: 0 }, { clock: 5_000_000 }] });
    // all else of the base is as it was, to the byte
    const own = linesOf(received, { name: 'aaaa', hears: (n) => n !== at })
      .slice(1)
      .map((line) => line.trimEnd());
    expect(lines.filter((line) => own.includes(line))).toEqual(own);
  });
});

describe('gaps', () => {
  /** The base's connection is lost between two messages, and comes back. */
  const outage = (name: string, from: number, to: number, received: readonly Received[]): Recorder => ({
    name,
    hears: (n) => n < from || n >= to,
    says: new Map<number, (t: number) => Entry[]>([
      [from, (t) => [{ t: t - 500, src: SRC, conn: `${name}.1`, close: { code: 1006, reason: 'gone' } }]],
      [
        to,
        (t) => [
          { t: t - 400, src: SRC, conn: `${name}.2`, open: { url: 'u' } },
          {
            t: t - 300,
            src: SRC,
            conn: `${name}.2`,
            gap: { stream: '*', from: received[from - 1].t, reason: 'disconnect' },
          },
        ],
      ],
    ]),
  });

  test('an outage that another recorder covers costs nothing; the entries that told of it are kept', async () => {
    const received = market(100);
    const a = await tapeOf(received, outage('aaaa', 100, 160, received));
    const b = await tapeOf(received, { name: 'bbbb', clock: -250_000, hears: (n) => n < 220 });
    const { verified, reports, lines, messages } = await made(a, b);
    expect(verified).toMatchObject({ gaps: 0, problems: [] });
    expect(messages).toEqual(textsOf(received));
    expect(reports[0].gaps).toEqual({ filled: 1, left: 0 });
    const kept = lines.map((line) => JSON.parse(line)).filter(({ filled }) => filled !== undefined);
    expect(kept).toMatchObject([
      { conn: 'aaaa.1', close: { code: 1000, reason: 'stop' }, filled: { code: 1006, reason: 'gone' } },
      { conn: 'aaaa.2', filled: { gap: { stream: '*', reason: 'disconnect' } } },
    ]);
  });

  test('an outage that the other recorder does not wholly cover stays one', async () => {
    const received = market(100);
    const a = await tapeOf(received, outage('aaaa', 100, 160, received));
    const b = await tapeOf(received, outage('bbbb', 130, 190, received));
    const { verified, reports } = await made(a, b);
    expect(reports[0].gaps).toEqual({ filled: 0, left: 1 });
    expect(verified.gaps).toBeGreaterThan(0);
  });

  test('a drop that another recorder covers is filled', async () => {
    const received = market(60);
    const drop = (t: number): Entry[] => [{ t: t - 100, src: SRC, drop: { count: 3, reason: 'the queue was full' } }];
    const a = await tapeOf(received, { name: 'aaaa', hears: (n) => n < 90 || n >= 93, says: new Map([[93, drop]]) });
    const b = await tapeOf(received, { name: 'bbbb', hears: (n) => n % 10 !== 1 || (n > 80 && n < 100) });
    const { verified, reports } = await made(a, b);
    expect(reports[0].gaps).toEqual({ filled: 1, left: 0 });
    expect(verified).toMatchObject({ gaps: 0, drops: { entries: 0 } });
  });

  test('one goes on where the other has ended, and begins before the other does', async () => {
    const received = market(150);
    const [early, late] = [received.slice(0, 301), received.slice(240)];
    const a = await tapeOf(early, { name: 'aaaa' });
    const b = await tapeOf([{ ...received[0], t: late[0].t - 10 }, ...late], { name: 'bbbb', clock: 30 });
    const { messages, verified } = await made(a, b);
    expect(messages).toEqual(textsOf(received));
    expect(verified).toMatchObject({ gaps: 0, problems: [], touch: { checked: 150, agreed: 150 } });
  });
});

describe('messages without ids', () => {
  /** Rows alike, as venues without ids may send them. */
  const rows = (texts: readonly string[]): Received[] => [
    ...market(1).slice(0, 1),
    ...texts.map((text, n) => ({ ...market(1)[3], t: market(1)[0].t + 1000 * (n + 1), text: kline(text) })),
  ];
  const kline = (row: string): string =>
    `{"stream":"abcusdt@forceOrder","data":{"e":"forceOrder","E":1,"o":{"s":"${row}"}}}`;

  test('rows that are alike are as many as the one that has more of them has', async () => {
    const texts = [...'abaacabbacccaabcabcaab'];
    const received = rows(texts);
    const a = await tapeOf(received, { name: 'aaaa', hears: (n) => ![3, 4, 9].includes(n) });
    const b = await tapeOf(received, { name: 'bbbb', hears: (n) => ![6, 14].includes(n) });
    const { messages } = await made(a, b);
    expect(messages).toEqual(textsOf(received));
  });

  test('copies by another connection of one recorder stay, and are told apart', async () => {
    const received = market(30);
    const twice = linesOf(received, { name: 'aaaa' }).flatMap((line) =>
      line.includes('"msg"')
        ? [line, line.replace(/"t":(\d+)/, (_, t) => `"t":${Number(t) + 300}`).replace('aaaa.1', 'aaaa.2')]
        : [line],
    );
    const folder = join(temporaryFolder(), 'a');
    fs.mkdirSync(folder);
    await writeSegment(join(folder, 'a.ndjson.zst'), twice);
    const b = await tapeOf(received, { name: 'bbbb' });
    const { reports, messages } = await made(folder, b);
    expect(messages).toHaveLength(180);
    for (const { base, other, common, copies, onlyOther } of reports[0].streams)
      expect([base, other, common, copies, onlyOther]).toEqual([30, 30, 30, 30, 0]);
  });

  test('a stream whose messages differ by connection is the base’s, and named', async () => {
    const received = market(40);
    const stamped = received.map((one) =>
      one.kind === 'touch' ? { ...one, text: one.text.replace('"T":', '"T":1') } : one,
    );
    const a = await tapeOf(received, { name: 'aaaa' });
    const b = await tapeOf(stamped, { name: 'bbbb', hears: (n) => n !== 30 });
    const { reports, messages } = await made(a, b);
    expect(messages).toEqual(textsOf(received));
    expect(reports[0].streams.map(({ stream, unresolvable }) => [stream, unresolvable])).toEqual([
      ['bookTicker', true],
      ['depth', false],
      ['trade', false],
    ]);
    const { status, stdout } = await run(merge, { tape: [a, b], out: join(temporaryFolder(), 'c') });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^ {2}bookTicker \* +40 +4?0/m);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('/tmp'))).toEqual([]);
  });
});

describe('what is refused, and what is damaged', () => {
  test('an output that holds something, one tape, tapes of other markets', async () => {
    const received = market(5);
    const a = await tapeOf(received, { name: 'aaaa' });
    const b = await tapeOf(received, { name: 'bbbb' });
    await expect(mergeTapes(options([a, b], a))).rejects.toMatchObject({ code: 'E_EXISTS' });
    await expect(mergeTapes(options([a]))).rejects.toMatchObject({ code: 'E_USAGE' });
    const link = join(temporaryFolder(), 'a.ndjson.zst');
    fs.symlinkSync(join(a, 'a.ndjson.zst'), link);
    for (const twice of [a, link])
      await expect(mergeTapes(options([a, b, twice]))).rejects.toMatchObject({
        code: 'E_USAGE',
        message: expect.stringContaining('two of the tapes have this file'),
      });
    const other = join(temporaryFolder(), 'x.ndjson');
    fs.writeFileSync(other, linesOf(received, { name: 'cccc' }).join('').replaceAll(SRC, 'binance-usdm:XYZUSDT'));
    await expect(mergeTapes(options([a, other]))).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('no market in common'),
    });
    const strange = join(temporaryFolder(), 'x.ndjson');
    for (const [venue, code] of [
      ['x', 'E_VENUE'],
      ['okx-swap', 'E_HEADER'],
    ]) {
      const lines = linesOf(received, { name: 'dddd' }).join('');
      fs.writeFileSync(strange, lines.replace('"venue":"binance-usdm"', `"venue":"${venue}"`));
      await expect(mergeTapes(options([a, strange]))).rejects.toMatchObject({ code, place: { file: strange } });
    }
    const empty = temporaryFolder();
    expect((await mergeTapes(options([a, b], empty))).reports).toHaveLength(1);
  });

  test('lost bytes of one are filled from the other, and told', async () => {
    const received = market(200);
    const a = await tapeOf(received, { name: 'aaaa' });
    const b = await tapeOf(received, { name: 'bbbb', clock: 40, hears: (n) => n !== 500 });
    const path = join(a, 'a.ndjson.zst');
    const bytes = fs.readFileSync(path);
    bytes[openSegment(path).index().frames[2].offset + 60] ^= 1;
    fs.writeFileSync(path, bytes);
    const { messages, verified, reports } = await made(a, b);
    expect(messages).toHaveLength(600);
    expect(sorted(messages)).toEqual(sorted(textsOf(received)));
    expect(verified).toMatchObject({ gaps: 0 });
    expect(reports[0].tapes.find(({ tape }) => tape === a)).toMatchObject({
      damaged: 1,
      damage: [expect.stringMatching(/^E_FRAME_CORRUPT: /)],
    });
    expect((await run(merge, { tape: [a, b], out: join(temporaryFolder(), 'c'), format: 'json' })).status).toBe(1);
  });

  test('three recorders', async () => {
    const received = market(100);
    const tapes = [0, 1, 2].map((part) =>
      tapeOf(received, { name: `rec${part}`, clock: part * 1000, hears: (n) => n % 3 !== part || n % 7 === 0 }),
    );
    const { messages, verified } = await made(...(await Promise.all(tapes)));
    expect(messages).toEqual(textsOf(received));
    expect(verified.problems).toEqual([]);
  });
});
