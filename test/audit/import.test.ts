/** Archives into tapes: bytes kept, times made to increase, bad lines told, nothing left behind by a failure. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Imported, importArchives } from '../../src/audit/import.js';
import { readInstrumentFile } from '../../src/audit/import-input.js';
import { verifyTapes } from '../../src/audit/verify.js';
import type { BadLine } from '../../src/formats/hftbacktest.js';
import { openSegment } from '../../src/tape/reader.js';
import { segmentItems } from '../../src/tape/segment.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import { archiveText, type INSTRUMENT, market, START, temporaryFolder } from './market-lines.js';

const venue = venueById('binance-usdm');

interface Run {
  done: Imported;
  bad: BadLine[];
  lines: string[];
  entries: Record<string, unknown>[];
}

interface Given {
  out?: string;
  symbol?: string;
  venue?: Venue;
  instrument?: Partial<typeof INSTRUMENT>;
  listed?: Partial<typeof INSTRUMENT>;
  signal?: AbortSignal;
}

async function importTexts(texts: readonly string[], given: Given = {}): Promise<Run> {
  const folder = temporaryFolder();
  const files = texts.map((text, n) => {
    const file = join(folder, `part${n}.dat`);
    writeFileSync(file, text);
    return file;
  });
  const bad: BadLine[] = [];
  const done = await importArchives({
    format: 'hftbacktest',
    venue,
    symbol: 'ABCUSDT',
    out: join(folder, 'tapes'),
    instrument: {},
    tool: 'test',
    ...given,
    files,
    bad: (line) => void bad.push(line),
  });
  let text = '';
  for (const item of segmentItems(openSegment(done.path)))
    if (!('damage' in item)) text += item.bytes.toString('utf8', item.from, item.to);
  const lines = text.trimEnd().split('\n');
  return { done, bad, lines, entries: lines.map((line) => JSON.parse(line)) };
}

/** The raw bytes of the messages in a tape's lines. */
const messagesOf = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^\{"t":\d{16},"src":"[^"]+","conn":"[^"]+","msg":(.*)\}$/.exec(line)?.[1] ?? []);

describe('what is written', () => {
  test('header, open entry, checkpoint, messages byte for byte, index and end', async () => {
    const received = market(400);
    const { done, lines, entries, bad } = await importTexts([archiveText(received)]);
    expect(bad).toEqual([]);
    expect(entries.slice(0, 3).map((entry) => Object.keys(entry).at(-1))).toEqual(['tape', 'open', 'book']);
    expect(entries[0]).toMatchObject({
      src: 'binance-usdm:ABCUSDT',
      tape: {
        imported: 'hftbacktest',
        instrument: { tick: '0.1', lot: '0.001', multiplier: '1', inferred: true },
        channels: ['depth', 'trade', 'bookTicker'],
        flow: 'trade',
      },
    });
    expect(entries[1]).toMatchObject({ conn: `${done.recorder}.1`, open: { url: 'file:part0.dat' } });
    const messages = received.filter(({ kind }) => kind !== 'snapshot');
    expect(messagesOf(lines)).toEqual(messages.map(({ text }) => text));
    expect(entries.filter((entry) => 'msg' in entry).map(({ t }) => t)).toEqual(messages.map(({ t }) => t));
    expect(entries.slice(-2).map((entry) => Object.keys(entry).at(-1))).toEqual(['index', 'end']);
    expect(done).toMatchObject({ messages: 1200, snapshots: 1, bad: 0, ties: 0, backwards: 0, entries: lines.length });
  });

  test('a snapshot keeps its blanks and becomes an http entry', async () => {
    const text = archiveText(market(3)).replace('{"lastUpdateId":5000,"E":1', '{"lastUpdateId": 5000, "E":1');
    const { lines } = await importTexts([text]);
    expect(lines.filter((line) => line.includes('"body":{"lastUpdateId": 5000, "E":1'))).toHaveLength(1);
  });

  test('a snapshot is told from messages also where these name their stream and symbol apart', async () => {
    const depth = (U: number, u: number): string =>
      `{"e":"depth","E":1790300000547,"s":"ABCUSDT","U":${U},"u":${u},"l":200,"d":"CHANGED","b":[["100.1","1.000"]],"a":[["100.2","${u}"]]}`;
    const body = '{"bids":[["100.1","2.000"]],"asks":[["100.3","1.000"]],"lastUpdateId":20}';
    const texts = [depth(10, 20), body, depth(20, 30), depth(30, 40)];
    const archive = texts.map((text, n) => `${START + n * 1000} ${text}\n`).join('');
    const { done, lines } = await importTexts([archive], { venue: venueById('weex-futures') });
    expect(done).toMatchObject({ messages: 3, snapshots: 1, unknown: 0, bad: 0 });
    expect(messagesOf(lines)).toEqual([texts[0], texts[2], texts[3]]);
    const [{ gaps, problems }] = await verifyTapes({ paths: [done.path], stdin: process.stdin });
    expect([gaps, problems]).toEqual([0, []]);
  });

  test('a checkpoint stands about every minute, and time of no message moves for it', async () => {
    const received = market(100, 1_000_000);
    const { done, entries } = await importTexts([archiveText(received)]);
    const books = entries.filter((entry) => 'book' in entry);
    expect(done.checkpoints).toBe(books.length);
    expect(books.map(({ t }) => Math.floor((Number(t) - START + 1) / 60_000_000))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(done.ties).toBe(0);
    const [report] = await verifyTapes({ paths: [done.path], stdin: process.stdin });
    expect(report).toMatchObject({
      messages: 300,
      gaps: 0,
      touch: { checked: 100, agreed: 100 },
      checkpoints: { checked: 5, agreed: 5 },
      problems: [],
    });
  });

  test('several files are one segment, with one book over the join', async () => {
    const text = archiveText(market(400));
    const cut = text.indexOf('\n', text.length >> 1) + 1;
    const whole = await importTexts([text]);
    const parts = await importTexts([text.slice(0, cut), text.slice(cut)]);
    expect(messagesOf(parts.lines)).toEqual(messagesOf(whole.lines));
    expect(parts.done.recorder).toBe(whole.done.recorder);
  });

  test('the same input gives the same bytes', async () => {
    const text = archiveText(market(50));
    const [a, b] = [await importTexts([text]), await importTexts([text])];
    expect(readFileSync(a.done.path)).toEqual(readFileSync(b.done.path));
  });

  test('an instrument that is given is not inferred', async () => {
    const { entries } = await importTexts([archiveText(market(5))], { instrument: { tick: '0.05', lot: '0.0005' } });
    const tape = entries[0].tape;
    expect(tape).toMatchObject({ instrument: { tick: '0.05', lot: '0.0005', kind: 'linear' } });
    expect(tape).not.toHaveProperty('instrument.inferred');
  });

  test.each([
    ['nothing', {}, true],
    ['a multiplier', { multiplier: '10' }, true],
    ['a tick', { tick: '0.05' }, ['lot']],
    ['a lot', { lot: '0.0005' }, ['tick']],
  ])('given %s, the header says what was inferred', async (_, instrument, inferred) => {
    const { done } = await importTexts([archiveText(market(5))], { instrument });
    expect(done.instrument).toMatchObject({ tick: '0.1', lot: '0.001', ...instrument, inferred });
  });
});

describe('times', () => {
  test('equal and backward ones are moved to one after the last, and counted', async () => {
    const received = market(2);
    const times = [0, 0, 0, 1, 5, 3, 6].map((offset) => START + offset);
    const { done, entries } = await importTexts([archiveText(received.map((one, n) => ({ ...one, t: times[n] })))]);
    const stored = entries.filter((entry) => 'msg' in entry || 'http' in entry).map(({ t }) => Number(t) - START);
    expect(stored).toEqual([0, 1, 2, 3, 5, 6, 7]);
    expect(done).toMatchObject({ ties: 4, backwards: 1 });
  });
});

describe('bad lines', () => {
  test('are told with file and line, skipped and counted; what stands around them is used', async () => {
    const received = market(500);
    const lines = archiveText(received).trimEnd().split('\n');
    lines.splice(700, 0, `${received[700].t} {"stream":"abcusdt@depth@100ms","data":{"e":"dep`, 'junk');
    lines.splice(1200, 0, `${received[1198].t} 1,"x":2`, `${received[1198].t} {"a":1},"msg":{}`);
    const { done, bad, lines: written } = await importTexts([lines.join('\n')]);
    expect(bad.map(({ line }) => line)).toEqual([702, 701, 1201, 1202]);
    expect(done).toMatchObject({ bad: 4, messages: 1500 });
    expect(messagesOf(written)).toEqual(received.filter(({ kind }) => kind !== 'snapshot').map(({ text }) => text));
  });

  test('JSON that no reader should have to follow is kept as text', async () => {
    const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
    const received = market(3);
    const text = `${archiveText(received)}${START + 90_000} ${deep}\n`;
    const { done, entries, bad } = await importTexts([text]);
    expect(bad).toEqual([]);
    expect(done).toMatchObject({ texts: 1, messages: 9 });
    expect(entries.find((entry) => 'text' in entry)).toMatchObject({ t: START + 90_000, text: deep });
  });

  test('unusual but good messages are messages, with blanks and unknown streams', async () => {
    const extra = [
      '{"stream": "abcusdt@trade", "data":{}}',
      '{"stream":"abcusdt@new","data":{}}',
      '{"result":null,"id":1}',
    ];
    const text = `${archiveText(market(3))}${extra.map((message, n) => `${START + 90_000 + n} ${message}\n`).join('')}`;
    const { lines, done } = await importTexts([text]);
    expect(messagesOf(lines).slice(-3)).toEqual(extra);
    expect(done).toMatchObject({ messages: 12, unknown: 2, bad: 0 });
  });
});

describe('refusals', () => {
  test('a tape that stands is never overwritten', async () => {
    const out = temporaryFolder();
    const text = archiveText(market(5));
    const { done } = await importTexts([text], { out });
    const before = readFileSync(done.path);
    await expect(importTexts([text], { out })).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(readFileSync(done.path)).toEqual(before);
  });

  test('messages of another symbol, of no venue, or none at all; nothing is written', async () => {
    const out = join(temporaryFolder(), 'tapes');
    const text = archiveText(market(5));
    await expect(importTexts([text], { out, symbol: 'XYZUSDT' })).rejects.toMatchObject({ code: 'E_SYMBOL' });
    await expect(importTexts([`${START} {"a":1}\n`], { out })).rejects.toMatchObject({ code: 'E_IMPORT' });
    await expect(importTexts(['hello\n'], { out })).rejects.toMatchObject({ code: 'E_IMPORT' });
    expect(existsSync(out)).toBe(false);
  });

  test('a step that prices or sizes are no multiples of, with the first of them and its line; nothing is written', async () => {
    const out = join(temporaryFolder(), 'tapes');
    const text = `junk\n${archiveText(market(5))}`;
    const given = (instrument: Partial<typeof INSTRUMENT>, listed = {}): Promise<Run> =>
      importTexts([text], { out, instrument, listed });
    // the snapshot stands first
    await expect(given({ tick: '0.3' })).rejects.toMatchObject({
      ...{ code: 'E_USAGE', place: { line: 2 } },
      message: 'while importing: the tick cannot be 0.3: the price 100.0 is no multiple of it',
    });
    await expect(given({ lot: '2' })).rejects.toMatchObject({
      ...{ code: 'E_USAGE', place: { line: 2 } },
      message: 'while importing: the lot cannot be 2: the size 1.000 is no multiple of it',
    });
    expect(existsSync(out)).toBe(false);
    // what the archive itself lists is not held against it
    expect((await given({}, { tick: '0.3' })).done.instrument).toMatchObject({ tick: '0.3' });
  });

  test('files in the wrong order', async () => {
    const [early, late] = [market(5), market(5).map((one) => ({ ...one, t: one.t + 60_000_000 }))];
    await expect(importTexts([archiveText(late), archiveText(early)])).rejects.toThrow(
      /name the files in order of time/,
    );
  });

  test('an interrupted import leaves no segment behind', async () => {
    const out = temporaryFolder();
    // asked at every batch, of some hundred messages: the tape is open when the answer changes
    let asked = 0;
    const signal = Object.create(AbortSignal.prototype, { aborted: { get: () => ++asked > 4 } });
    const text = archiveText(market(3000));
    await expect(importTexts([text], { out, signal })).rejects.toThrow(/interrupted/);
    expect(asked).toBe(5);
    expect(readdirSync(join(out, 'binance-usdm', 'ABCUSDT'))).toEqual([]);
  });
});

describe('readInstrumentFile', () => {
  const fileOf = (value: unknown): string => {
    const path = join(temporaryFolder(), 'instrument.json');
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
  };

  test('the object of a header, and numbers for texts', () => {
    expect(readInstrumentFile(fileOf({ tick: 0.5, multiplier: '10', quote: 'USD' }), venue, 'ABCUSDT')).toEqual({
      tick: '0.5',
      multiplier: '10',
      quote: 'USD',
    });
  });

  test("the venue's listing", () => {
    const filters = [
      { filterType: 'PRICE_FILTER', tickSize: '0.10' },
      { filterType: 'LOT_SIZE', stepSize: '0.001' },
    ];
    const listing = { symbols: [{ symbol: 'ABCUSDT', baseAsset: 'ABC', quoteAsset: 'USDT', filters }] };
    expect(readInstrumentFile(fileOf(listing), venue, 'ABCUSDT')).toMatchObject({
      tick: '0.10',
      lot: '0.001',
      base: 'ABC',
    });
    expect(() => readInstrumentFile(fileOf(listing), venue, 'NO')).toThrow(/no listing of NO/);
  });

  test('what is none of these', () => {
    expect(() => readInstrumentFile(fileOf('{'), venue, 'A')).toThrow(/not JSON/);
    expect(() => readInstrumentFile(fileOf('[]'), venue, 'A')).toThrow(/not a JSON object/);
    expect(() => readInstrumentFile(fileOf({ tick: '-1' }), venue, 'A')).toThrow(
      /its tick is not a decimal above zero/,
    );
    expect(() => readInstrumentFile(fileOf({ tick: '1', symbol: 'B' }), venue, 'A')).toThrow(/of B, not of A/);
  });
});
