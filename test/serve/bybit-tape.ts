/** Small Bybit tapes written by hand, served over real sockets, and clients of them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach } from 'vitest';
import type { Damage } from '../../src/model/batch.js';
import type { Entry, TapeHeader } from '../../src/model/entry.js';
import { type ServedTape, type ServeTapeOptions, serveTape } from '../../src/serve/serve-tape.js';
import { entryLine, messageLine } from '../../src/tape/line.js';
import { openTape } from '../../src/tape/tape.js';
import type { PlainBook, Row } from '../venues/served.js';
import { openClient, type TestClient } from './client.js';

export const T = 1_786_000_000_000_000;
const SECOND = 1_000_000;
export const CONN = 'r1.1';
export const BOOK = 'orderbook.200.BTCUSDT';
export const TRADES = 'publicTrade.BTCUSDT';

/** Seconds behind the tape's start, and a message or an entry's own keys. */
export type Line = [seconds: number, what: string | object];

export interface TapeFile {
  /** below the test's folder */
  name: string;
  venue?: string;
  symbol?: string;
  /** what else its header says */
  header?: Partial<TapeHeader>;
}

export interface Bench {
  /** where tapes are written */
  readonly folder: string;
  /** what serving said, since the test began */
  readonly notes: string[];
  readonly damages: Damage['damage'][];
  /** a tape of these lines; its path */
  tapeOf(...lines: Line[]): Promise<string>;
  tapeIn(file: TapeFile, ...lines: Line[]): Promise<string>;
  /** a file of this text; its path */
  write(name: string, text: string): Promise<string>;
  serve(path: string, options?: Partial<ServeTapeOptions>): Promise<ServedTape>;
}

/** Folders and servers of the tests of one file, cleared away behind each of them. */
export function createBench(): Bench {
  const running: ServedTape[] = [];
  let folder = '';
  let notes: string[] = [];
  let damages: Damage['damage'][] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapedeck-serve-'));
    notes = [];
    damages = [];
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((served) => served.stop()));
    await rm(folder, { recursive: true });
  });

  const write: Bench['write'] = async (name, text) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };

  const tapeIn: Bench['tapeIn'] = async (file, ...lines) => {
    const { name, venue = 'bybit-linear', symbol = 'BTCUSDT' } = file;
    const src = `${venue}:${symbol}`;
    const text = lines.map(([seconds, what]) => {
      const t = T + 1 + Math.round(seconds * SECOND);
      if (typeof what === 'string') return messageLine(t, src, CONN, Buffer.from(what)).toString();
      return entryLine({ t, src, ...what } as Entry);
    });
    return await write(name, headerLine(file) + text.join(''));
  };

  return {
    get folder() {
      return folder;
    },
    get notes() {
      return notes;
    },
    get damages() {
      return damages;
    },
    tapeOf: (...lines) => tapeIn({ name: 'tape.ndjson' }, ...lines),
    tapeIn,
    write,
    async serve(path, options = {}) {
      const tape = await openTape([path], Readable.from([]));
      const served = await serveTape({
        ...{ tape, range: {}, speed: Number.POSITIVE_INFINITY, settleMs: 20 },
        damaged: (damage) => void damages.push(damage),
        note: (text) => void notes.push(text),
        ...options,
      });
      running.push(served);
      return served;
    },
  };
}

export function headerLine({
  venue = 'bybit-linear',
  symbol = 'BTCUSDT',
  header = {},
}: Partial<TapeFile> = {}): string {
  const steps = { tick: '0.10', lot: '0.001', multiplier: '1' };
  return entryLine({
    t: T,
    src: `${venue}:${symbol}`,
    tape: {
      ...{ version: 1, recorder: 'r1', venue, symbol },
      instrument: { symbol, kind: 'linear', ...steps, base: 'BTC', quote: 'USDT' },
      ...{ channels: ['depth', 'trade'], flow: 'trade', tool: 'tapedeck test' },
      ...header,
    },
  });
}

export function snapshot(u: number, bids: Row[], asks: Row[], topic = BOOK): string {
  const symbol = topic.split('.')[2];
  return `{"topic":"${topic}","type":"snapshot","ts":1786000000${String(u % 1000).padStart(3, '0')},"data":{"s":"${symbol}","b":${JSON.stringify(bids)},"a":${JSON.stringify(asks)},"u":${u},"seq":${u * 7}},"cts":1786000000100}`;
}

export function delta(u: number, bids: Row[], asks: Row[] = [], topic = BOOK): string {
  return snapshot(u, bids, asks, topic).replace('"snapshot"', '"delta"');
}

export function trade(id: number): string {
  return `{"topic":"${TRADES}","type":"snapshot","ts":1786000000500,"data":[{"T":1786000000499,"s":"BTCUSDT","S":"Buy","v":"0.003","p":"64010.20","L":"PlusTick","i":"id-${id}","BT":false,"RPI":false,"seq":${id}}]}`;
}

export const WHOLE: [Row[], Row[]] = [
  [
    ['64010.10', '3.204'],
    ['64010.00', '0.410'],
  ],
  [['64010.20', '1.000']],
];

export const MOVING: Line[] = [
  [1, snapshot(100, ...WHOLE)],
  [2, delta(101, [['64010.00', '0']])],
  [2.5, trade(1)],
  [3, delta(102, [['64009.90', '2.000']], [['64010.30', '5.000']])],
  [4, delta(103, [['64010.10', '9.000']])],
];

/** So many bids and asks, each a tick from the one before. */
export function levels(count: number, size: string): [Row[], Row[]] {
  return [
    Array.from({ length: count }, (_, n): Row => [(64_010 - n / 10).toFixed(2), size]),
    Array.from({ length: count }, (_, n): Row => [(64_011 + n / 10).toFixed(2), size]),
  ];
}

/** Updates from the second second on, each of the best so many bids, with the ids behind 100. */
export function updates(count: number, perSecond: number, bids = 1): Line[] {
  return Array.from({ length: count }, (_, n): Line => {
    const rows = Array.from({ length: bids }, (_, k): Row => [`${64_000 - k}.00`, `${n + 1}.000`]);
    return [2 + n / perSecond, delta(101 + n, rows)];
  });
}

/** The messages among lines. */
export function textsOf(lines: readonly Line[]): string[] {
  return lines.flatMap(([, what]) => (typeof what === 'string' ? [what] : []));
}

/** Those of the book. */
export function booksOf(lines: readonly Line[]): string[] {
  return textsOf(lines).filter((text) => text.includes(BOOK));
}

export interface BookMessage {
  topic: string;
  type: string;
  ts: number;
  data: { b: Row[]; a: Row[]; u: number; seq: number };
}

export function parse(text: string): BookMessage {
  return JSON.parse(text) as BookMessage;
}

/** What a message does to a reader's book. */
export function apply(book: PlainBook, { type, data }: BookMessage): void {
  if (type === 'snapshot') book.replace(data.b, data.a);
  else book.apply(data.b, data.a);
}

/** A client of a venue, the first where none is named, and what of what it heard is no answer. */
export async function openBybit(
  served: ServedTape,
  query = '',
  venue = served.venues[0].id,
): Promise<TestClient & { data(): string[] }> {
  const { wsUrl } = served.venues.find(({ id }) => id === venue)!;
  const client = await openClient(`${wsUrl}/v5/public/${venue.replace('bybit-', '')}${query}`);
  return { ...client, data: () => client.heard.filter((text) => text.startsWith('{"topic"')) };
}

/** One that subscribed to these topics. */
export async function joinBybit(
  served: ServedTape,
  topics: string[],
  query = '',
  venue?: string,
): ReturnType<typeof openBybit> {
  const client = await openBybit(served, query, venue);
  client.send(JSON.stringify({ op: 'subscribe', args: topics }));
  return client;
}
