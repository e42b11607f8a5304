/** Whenever somebody joins a generated tape: the book it opens with and the messages behind it make the recorded book. */
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack } from '../../src/market/track.js';
import type { TapeHeader } from '../../src/model/entry.js';
import { EventBuffer } from '../../src/model/event.js';
import type { ServedTape } from '../../src/serve/serve-tape.js';
import { entryLine, messageLine } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import { PlainBook, type Row, serveRun } from '../venues/served.js';
import { createBench } from './bybit-tape.js';
import { openClient } from './client.js';

const bench = createBench();

const CONN = 'r1.1';
const STEP_MICROS = 100_000;
const STEPS = 40;
/** Steps from one checkpoint to the next. */
const CHECKPOINT_EVERY = 15;

interface Reader {
  symbol: string;
  path: string;
  /** the recorded book's topic and another one of the same book; levels a side of both */
  topics: { book: string; other: string };
  levels: { book: number; other: number };
  subscribe(topic: string): string;
  /** a message of a topic's book; null for what is none. `follows`: whether it may come behind one with the id `last` */
  read(
    message: Said,
  ): { topic: string; whole: boolean; bids: Row[]; asks: Row[]; id: number; follows(last: number): boolean } | null;
}

/** Any of the venues' messages. */
interface Said {
  topic?: string;
  type?: string;
  arg?: { channel: string; instId: string };
  action?: string;
  e?: string;
  s?: string;
  l?: number;
  d?: string;
  U: number;
  u: number;
  b: Row[];
  a: Row[];
  dataType?: string;
  data: { b: Row[]; a: Row[]; u: number; action?: string; lastUpdateId: number; bids: Row[]; asks: Row[] } & {
    bids: string[][];
    asks: string[][];
    seqId: number;
    prevSeqId: number;
  }[];
}

const pairs = (rows: readonly string[][]): Row[] => rows.map(([price, size]) => [price, size]);

const READERS: Record<string, Reader> = {
  'bybit-linear': {
    symbol: 'BTCUSDT',
    path: '/v5/public/linear',
    topics: { book: 'orderbook.200.BTCUSDT', other: 'orderbook.50.BTCUSDT' },
    levels: { book: 200, other: 50 },
    subscribe: (topic) => JSON.stringify({ op: 'subscribe', args: [topic] }),
    read({ topic, type, data }) {
      if (topic?.startsWith('orderbook') !== true) return null;
      const { b: bids, a: asks, u: id } = data;
      return { topic, whole: type === 'snapshot', bids, asks, id, follows: (last) => id === last + 1 };
    },
  },
  'okx-swap': {
    symbol: 'BTC-USDT-SWAP',
    path: '/ws/v5/public',
    topics: { book: 'books', other: 'books5' },
    levels: { book: 400, other: 5 },
    subscribe: (channel) => JSON.stringify({ op: 'subscribe', args: [{ channel, instId: 'BTC-USDT-SWAP' }] }),
    read({ arg, action, data }) {
      if (arg?.channel.startsWith('books') !== true || data === undefined) return null;
      const [{ bids, asks, seqId: id, prevSeqId }] = data;
      const sides = { bids: pairs(bids), asks: pairs(asks) };
      return { topic: arg.channel, whole: action !== 'update', ...sides, id, follows: (last) => prevSeqId === last };
    },
  },
  'weex-futures': {
    symbol: 'BTCUSDT',
    path: '/v3/ws/public',
    topics: { book: 'BTCUSDT@depth200', other: 'BTCUSDT@depth15' },
    levels: { book: 200, other: 15 },
    subscribe: (topic) => JSON.stringify({ method: 'SUBSCRIBE', params: [topic], id: 1 }),
    read({ e, s, l, d, U, u: id, b: bids, a: asks }) {
      if (e?.startsWith('depth') !== true) return null;
      return { topic: `${s}@depth${l}`, whole: d === 'SNAPSHOT', bids, asks, id, follows: (last) => U === last };
    },
  },
  'bingx-swap': {
    symbol: 'BTC-USDT',
    path: '/swap-market',
    topics: { book: 'BTC-USDT@incrDepth', other: 'BTC-USDT@depth20@200ms' },
    levels: { book: 1024, other: 20 },
    subscribe: (dataType) => JSON.stringify({ id: 'x', reqType: 'sub', dataType }),
    read({ dataType, data }) {
      if (dataType?.includes('epth') !== true) return null;
      const { action, lastUpdateId: id, bids, asks } = data;
      return { topic: dataType, whole: action !== 'update', bids, asks, id, follows: (last) => id > last };
    },
  },
};

/** A reader's book behind these messages. @throws where one does not follow */
function bookOf(reader: Reader, topic: string, texts: readonly string[]): PlainBook {
  const book = new PlainBook(topic === reader.topics.book ? reader.levels.book : reader.levels.other);
  let last = Number.NaN;
  for (const text of texts) {
    const said = reader.read(JSON.parse(text) as Said);
    if (said?.topic !== topic) continue;
    if (said.whole) book.replace(said.bids, said.asks);
    else if (said.follows(last)) book.apply(said.bids, said.asks);
    else throw new Error(`behind ${last} comes ${text}`);
    last = said.id;
  }
  return book;
}

/** Some seconds of a seeded exchange as a recorder writes them, with its checkpoints, from the moment of `first` on. */
function tapeText(id: string, reader: Reader, seed: number): { text: string; messages: { t: number; text: string }[] } {
  const venue = venueById(id);
  const { symbol } = reader;
  const run = serveRun(id, [symbol], 400, seed);
  const [instrument] = run.market.instruments();
  const src = `${id}:${symbol}`;
  const tape: TapeHeader = {
    version: 1,
    recorder: 'r1',
    venue: id,
    symbol,
    instrument,
    channels: ['depth', 'trade'],
    flow: 'trade',
    tool: 'test',
  };
  const decoder = createDecoder('typescript');
  const track = createTrack({ instrument, rules: venue, connOf: (origin) => decoder.origins[origin].conn });
  decoder.bind(src, { layouts: venue.layouts, scale: track.scale, symbol, flow: 'trade' });
  const buffer = new EventBuffer();
  const start = run.market.now();
  const lines = [entryLine({ t: start, src, tape })];
  const messages: { t: number; text: string }[] = [];
  let t = start;
  const write = (text: string): void => {
    const line = messageLine(++t, src, CONN, Buffer.from(text));
    lines.push(line.toString());
    buffer.clear();
    decoder.decode(line, 0, line.length, buffer);
    for (let i = 0; i < buffer.count; i++) track.apply(buffer, i);
    if (reader.read(JSON.parse(text) as Said) !== null) messages.push({ t, text });
  };
  run.advance(STEP_MICROS);
  const client = run.join(reader.path);
  for (const subscribe of venue.connections([symbol], ['depth', 'trade'])[0].subscribe)
    for (const text of client.ask(subscribe)) write(text);
  for (let step = 1; step <= STEPS; step++) {
    run.advance(STEP_MICROS);
    t = start + step * STEP_MICROS;
    for (const text of client.heard()) write(text);
    if (step % CHECKPOINT_EVERY === 0) lines.push(entryLine({ t: ++t, src, book: track.checkpoint() }));
  }
  return { text: lines.join(''), messages };
}

/** What comes to a client of these topics that starts at a time. */
async function hear(served: ServedTape, reader: Reader, topics: string[], from: string): Promise<string[]> {
  const client = await openClient(`${served.venues[0].wsUrl}${reader.path}?from=${from}`);
  for (const topic of topics) client.send(reader.subscribe(topic));
  expect((await client.closed).reason).toBe('the tape has ended');
  return client.heard.filter((text) => text.startsWith('{') && reader.read(JSON.parse(text) as Said) !== null);
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

describe.each(Object.entries(READERS))('%s', (id, reader) => {
  test.each([1, 2])('seed %i', async (seed) => {
    const { text, messages } = tapeText(id, reader, seed);
    const path = await bench.write('tape.ndjson', text);
    const served = await bench.serve(path);
    const end = bookOf(
      reader,
      reader.topics.book,
      messages.map(({ text }) => text),
    );
    const [start] = /\d{16}/.exec(text)!;
    const random = randomOf(seed);
    const froms = [
      0,
      STEPS * STEP_MICROS - 1,
      ...Array.from({ length: 4 }, () => Math.floor(random() * STEPS * STEP_MICROS)),
    ].map((at) => Number(start) + at);
    await Promise.all(
      froms.map(async (from) => {
        const heard = await hear(served, reader, [reader.topics.book, reader.topics.other], String(from));
        const own = heard.filter((said) => reader.read(JSON.parse(said) as Said)?.topic === reader.topics.book);
        const later = messages.filter(({ t }) => t > from).map((message) => message.text);
        // all but what it opens with is on the tape, in its place
        expect(own.slice(own.length - later.length)).toEqual(later);
        expect(own.length - later.length).toBeLessThanOrEqual(1);
        expect(bookOf(reader, reader.topics.book, own).sides()).toBe(end.sides());
        const best = bookOf(reader, reader.topics.other, heard).sides();
        expect(best).toBe(topOf(end, reader.levels.other));
      }),
    );
  });
});

/** The best levels of a book, as `sides` writes them. */
function topOf(book: PlainBook, levels: number): string {
  return book
    .sides()
    .split(' | ')
    .map((side) => side.split(' ').slice(0, levels).join(' '))
    .join(' | ');
}
