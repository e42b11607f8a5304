/** A simulated exchange on loopback in the test's own process, with tapedeck's own reading of it beside, held against the market itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { serveExchange } from '../../src/serve/exchange.js';
import { serveTape } from '../../src/serve/serve-tape.js';
import { eventsOf } from '../../src/sim/exchange.js';
import { openTape } from '../../src/tape/tape.js';
import { servedVenue } from '../../src/venues/servers.js';
import type { ServedEvent, ServedMarket, VenueServer } from '../../src/venues/venue.js';
import { START, seededMarket } from '../venues/served.js';
import { createReader, LEVELS, type Level, levelsOf, type Reader, type ReadTrade } from './reader.js';

/** So many of each are compared, where a venue pushes often. */
export const UPDATES = 100;
export const TRADES = 100;

/** So many together are found once among all. */
const FIRST_TRADES = 10;

/** Of real time: a client needs a quarter of it, on a machine without other work. */
const TAPE_SECONDS = 8;

const WARM_MICROS = 2_000_000;
const SETTLE_MS = 50;

export interface Sides<L = Level> {
  bids: readonly L[];
  asks: readonly L[];
}

/** Both sides as far as they are compared. */
export function best<L>({ bids, asks }: Sides<L>): Sides<L> {
  return { bids: bids.slice(0, LEVELS), asks: asks.slice(0, LEVELS) };
}

export interface Market {
  exchange: { wsUrl: string; httpUrl: string; stop(): Promise<void> };
  ours: Reader;
  instrument: Instrument;
  /** the market's own trades from its start, where ours begin too; each venue names them in its way */
  readonly trades: readonly Omit<ReadTrade, 'id'>[];
  /** messages after which our book was not the market's own */
  readonly wrong: readonly string[];
}

export interface MarketOptions {
  venue: string;
  symbol: string;
  /** messages per second of data time */
  rate?: number;
  /** seconds of data time in one of real time, for venues that push seldom */
  speed?: number;
  /** of `ours`; by default those a recorder takes */
  channels?: string[];
  tradeIds?: (message: string) => string[];
}

/** Starts at the same data every time; how far clients follow it is theirs. */
export async function startMarket(options: MarketOptions): Promise<Market> {
  const { venue, market, ...rest } = createMarket(options);
  const { speed = 1 } = options;
  const server = venue.server();
  // our book is known before anybody asks for theirs
  for (const event of eventsOf(market, START + WARM_MICROS)) server.render(event);
  const exchange = await serveExchange({ venue, market, clock: () => performance.now() * speed });
  return { exchange, ...rest };
}

/** The same market, recorded first, and its tape served as the exchange. */
export async function startTape(options: MarketOptions): Promise<Market> {
  const { speed = 1 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-clients-'));
  const path = join(folder, 'tape.ndjson');
  const lines: string[] = [];
  const { market, venue, ...rest } = createMarket(options, (line) => void lines.push(line));
  const server = venue.server();
  for (const event of eventsOf(market, START + TAPE_SECONDS * speed * 1_000_000)) server.render(event);
  await writeFile(path, lines.join(''));
  const tape = await openTape([path], Readable.from([]));
  const silent = (): void => {};
  const served = await serveTape({ tape, range: {}, speed, settleMs: SETTLE_MS, note: silent, damaged: silent });
  const stop = async (): Promise<void> => {
    await served.stop();
    await rm(folder, { recursive: true });
  };
  return { exchange: { ...served.venues[0], stop }, ...rest };
}

/** Each exchange simulated, and its tape served. */
export function inBothWays<R>(rows: readonly R[]) {
  return rows.flatMap((row) => [
    { ...row, from: 'simulated', start: startMarket },
    { ...row, from: 'from a tape', start: startTape },
  ]);
}

/** A market with its server, whose messages are heard by our reader first. */
function createMarket(options: MarketOptions, write?: (line: string) => void) {
  const { symbol, rate = 2000 } = options;
  const venue = servedVenue(options.venue);
  if (venue === null) throw new Error(`${options.venue} cannot be simulated`);
  const market = seededMarket(venue, [symbol], rate);
  const server = venue.server(market);
  const channels = options.channels ?? venue.channels.default;
  const ours = createReader({ venue, symbol, market, server, channels, write, tradeIds: options.tradeIds });
  const own = createOwnBook(market, symbol);
  const trades: Omit<ReadTrade, 'id'>[] = [];
  const wrong: string[] = [];

  const render = (event: ServedEvent): { topic: string; text: string }[] => {
    own.apply(event);
    if (event.kind === 'trade') {
      const { price, size, aggressor: side, matched } = event;
      trades.push({ price: Number(price), size: Number(size), side, matched: Math.floor(matched / 1000) });
    }
    const messages = server.render(event);
    const { length } = ours.books;
    ours.hear(messages, event.emitted);
    const book = ours.books.at(-1);
    if (book !== undefined && ours.books.length > length && JSON.stringify(best(book)) !== JSON.stringify(own.best()))
      wrong.push(JSON.stringify(messages));
    return messages;
  };
  const heard = { server: (): VenueServer => ({ ...server, render }) };
  return { market, venue: heard, ours, trades, wrong, instrument: market.instruments()[0] };
}

/** What the market told its server, in two plain maps: neither a server's nor a reader's book. */
function createOwnBook(market: ServedMarket, symbol: string): { apply(event: ServedEvent): void; best(): Sides } {
  const start = market.snapshot(symbol, Number.POSITIVE_INFINITY);
  if (start === null) throw new Error(`${symbol} is not listed`);
  const bids = new Map(levelsOf(start.bids));
  const asks = new Map(levelsOf(start.asks));
  const change = (side: Map<number, number>, levels: [string, string][]): void => {
    for (const [price, size] of levelsOf(levels)) size === 0 ? side.delete(price) : side.set(price, size);
  };
  return {
    apply(event) {
      if (event.kind !== 'depth') return;
      change(bids, event.bids);
      change(asks, event.asks);
    },
    best: () =>
      best({
        bids: [...bids].sort(([a], [b]) => b - a),
        asks: [...asks].sort(([a], [b]) => a - b),
      }),
  };
}

/**
 * Theirs are ours, from the first one they got on, and ours are the market's own. Without ids, the first is found by what comes
 * after it.
 */
export function expectTrades({ ours, trades }: Market, theirs: readonly ReadTrade[], named = true): void {
  const text = ({ id, price, size, side, matched }: ReadTrade): string =>
    `${matched} ${side} ${size} at ${price}${named ? ` (${id})` : ''}`;
  const [known, wanted] = [ours.trades.map(text), theirs.slice(0, FIRST_TRADES).map(text)];
  const first = known.findIndex((_, i) => wanted.every((one, n) => known[i + n] === one));
  expect(first, `trades that are not ours: ${wanted}`).not.toBe(-1);
  const same = ours.trades.slice(first, first + theirs.length);
  expect(theirs.map(text)).toEqual(same.map(text));
  expect(same).toMatchObject(trades.slice(first, first + theirs.length));
}

/** Bybit's trades have texts for ids, and other messages have no list of data. */
export function bybitIds(message: string): string[] {
  const { data } = JSON.parse(message) as { data: { i: string }[] };
  return Array.isArray(data) ? data.map(({ i }) => i) : [];
}

/** WEEX's too. */
export function weexIds(message: string): string[] {
  const { d } = JSON.parse(message) as { d: { t: string }[] | string };
  return Array.isArray(d) ? d.map(({ t }) => t) : [];
}
