/** A seeded exchange behind a venue's server, with clients but no sockets; and a client's book of two plain maps. */
import { expect } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { createExchange, type Exchange } from '../../src/sim/exchange.js';
import { servedVenue } from '../../src/venues/servers.js';
import type { ServedClient, ServedEvent, ServedMarket, Venue, VenueServer } from '../../src/venues/venue.js';

export const START = 1_786_000_000_000_000;

export interface JoinedClient {
  served: ServedClient;
  /** sends a text; what came back, not heard again */
  ask(text: string): string[];
  /** messages since the last call */
  heard(): string[];
}

export interface ServedRun {
  market: Exchange;
  server: VenueServer;
  join(path: string): JoinedClient;
  /** moves on; every event goes to every client that asked for it */
  advance(micros: number): void;
}

/** Joins a server of any market; `render` by hand. */
export function joinServer(server: VenueServer, path: string, clients: Set<Inbox> = new Set()): JoinedClient {
  const served = server.connect(path);
  if (served === null) throw new Error(`no endpoint ${path}`);
  const inbox: Inbox = { served, texts: [] };
  clients.add(inbox);
  return {
    served,
    ask: (text) => server.receive(served, text).map((reply) => reply.text),
    heard: () => inbox.texts.splice(0),
  };
}

interface Inbox {
  served: ServedClient;
  texts: string[];
}

/** The same exchange in every run, with contracts as the venue has them. */
export function seededMarket(
  venue: Venue,
  symbols: string[],
  rate: number,
  { seed = 1, start = START } = {},
): Exchange {
  return createExchange({ symbols, seed, rate, start, kind: venue.kind, form: venue.symbolForm });
}

export function serveRun(id: string, symbols: string[], rate = 1000, seed = 1): ServedRun {
  const venue = servedVenue(id);
  if (venue === null) throw new Error(`${id} has no server`);
  const market = seededMarket(venue, symbols, rate, { seed });
  const server = venue.server(market);
  const clients = new Set<Inbox>();
  return {
    market,
    server,
    join: (path) => joinServer(server, path, clients),
    advance(micros) {
      for (const event of market.advance(market.now() + micros)) deliver(server, event, clients);
    },
  };
}

function deliver(server: VenueServer, event: ServedEvent, clients: Iterable<Inbox>): void {
  for (const { topic, text } of server.render(event))
    for (const { served, texts } of clients) {
      const message = server.wrap(served, topic, text);
      if (message !== null) texts.push(message);
    }
}

/** A market that stands still, its book given best first. */
export function stillMarket(instrument: Instrument, bids: Row[], asks: Row[]) {
  const market: ServedMarket = {
    now: () => START + 1_234_567,
    instruments: () => [instrument],
    snapshot: (symbol, limit) =>
      symbol === instrument.symbol
        ? { id: 500, emitted: START, matched: START - 1000, bids: bids.slice(0, limit), asks: asks.slice(0, limit) }
        : null,
  };
  return market;
}

/** One that begins without a book. */
export function emptyMarket(instrument: Instrument): ServedMarket {
  return {
    ...stillMarket(instrument, [], []),
    snapshot: () => ({ id: 0, emitted: START, matched: START, bids: [], asks: [] }),
  };
}

export type Row = [price: string, size: string];

/** A reader's book: texts as they came, price to size. It throws where a message cannot be about this book. */
export class PlainBook {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();
  deleted = 0;

  constructor(readonly most: number) {}

  replace(bids: readonly string[][], asks: readonly string[][]): void {
    this.bids.clear();
    this.asks.clear();
    this.apply(bids, asks);
  }

  apply(bids: readonly string[][], asks: readonly string[][]): void {
    for (const [side, rows] of [
      [this.bids, bids],
      [this.asks, asks],
    ] as const)
      for (const [price, size] of rows) {
        if (Number(size) !== 0) side.set(price, size);
        else if (side.delete(price)) this.deleted++;
        else throw new Error(`a level nobody has told of is deleted: ${price}`);
      }
    if (Math.max(this.bids.size, this.asks.size) > this.most) throw new Error(`more than ${this.most} levels`);
    const bid = Math.max(...[...this.bids.keys()].map(Number));
    const ask = Math.min(...[...this.asks.keys()].map(Number));
    if (bid >= ask) throw new Error(`crossed: ${bid} and ${ask}`);
  }

  /** Levels as numbers in one text, best first, so that writings of other decimals compare. */
  sides(): string {
    return sidesText([...this.bids], [...this.asks]);
  }

  /** Best bid and ask, as `sides` writes them. */
  touch(): string {
    const best = (side: Map<string, string>, order: 1 | -1): Row[] => {
      const [first, ...others] = side;
      return [others.reduce((a, b) => (order * (Number(b[0]) - Number(a[0])) < 0 ? b : a), first)];
    };
    return sidesText(best(this.bids, -1), best(this.asks, 1));
  }
}

/** A client of one book by the rules of its venue, which throws where a message breaks them. */
export interface BookReader {
  readonly book: PlainBook;
  take(text: string): void;
  /** the venue's ids of what it heard last */
  place(): unknown;
}

export interface TwoReaders<R extends BookReader> {
  run: ServedRun;
  path: string;
  /** asks for the book; `opening` is the place of the whole one among what comes back */
  request: string;
  opening: number;
  symbol: string;
  levels: number;
  createReader(): R;
  steps: number;
  stepMicros: number;
  /** the step behind which the second one joins */
  joinAt: number;
  /** whether the market has not moved on since the reader was told; always, where each change is told at once */
  isNow?(reader: R): boolean;
}

/**
 * The book of who reads from the start is the market at every step, and who joins later stands where it stands.
 * @returns both, the messages of the first, and how often its book was the market
 */
export function expectMarketTwice<R extends BookReader>(options: TwoReaders<R>) {
  const { run, path, request, opening, symbol, levels, createReader, isNow = () => true } = options;
  const [client, late] = [run.join(path), run.join(path)];
  const [reader, joined] = [createReader(), createReader()];
  let messages = 0;
  let compared = 0;
  reader.take(client.ask(request)[opening]);
  let sides = reader.book.sides();
  const compare = (): void => {
    if (!isNow(reader)) return;
    compared++;
    expect(sides).toBe(marketSides(run.market, symbol, levels));
  };
  compare();
  for (let step = 0; step < options.steps; step++) {
    run.advance(options.stepMicros);
    const [heard, heardLate] = [client.heard(), late.heard()];
    for (const text of heard) reader.take(text);
    for (const text of heardLate) joined.take(text);
    messages += heard.length;
    if (heard.length > 0) sides = reader.book.sides();
    compare();
    if (step === options.joinAt) joined.take(late.ask(request)[opening]);
    else if (step < options.joinAt || heard.length + heardLate.length === 0) continue;
    expect([joined.place(), joined.book.sides()]).toEqual([reader.place(), sides]);
  }
  return { reader, joined, messages, compared };
}

/** What a decoder has of a trade of the market: messages tell whole milliseconds. */
export function tradeRecord({ emitted, matched, price, size, aggressor }: Extract<ServedEvent, { kind: 'trade' }>) {
  const [said, done] = [emitted, matched].map(wholeMs);
  const side = aggressor === 'buy' ? 1 : -1;
  return { kind: 'trade', emitted: said, matched: done, price: Number(price), size: Number(size), side };
}

export const wholeMs = (micros: number): number => Math.floor(micros / 1000) * 1000;

function sidesText(bids: readonly (readonly string[])[], asks: readonly (readonly string[])[]): string {
  const text = (rows: readonly (readonly string[])[], order: 1 | -1): string =>
    rows
      .map(([price, size]): [number, number] => [Number(price), Number(size)])
      .sort((a, b) => order * (a[0] - b[0]))
      .map(([price, size]) => `${price}x${size}`)
      .join(' ');
  return `${text(bids, -1)} | ${text(asks, 1)}`;
}

/** Whether rows stand best first, no price twice; `order` is 1 where prices rise. */
export function inOrder(rows: readonly (readonly string[])[], order: 1 | -1): boolean {
  return rows.every(([price], i) => i === 0 || order * (Number(price) - Number(rows[i - 1][0])) > 0);
}

/** The market's own book, in the same form. */
export function marketSides(market: ServedMarket, symbol: string, depth: number): string {
  const snapshot = market.snapshot(symbol, depth);
  if (snapshot === null) throw new Error(`no market of ${symbol}`);
  return sidesText(snapshot.bids, snapshot.asks);
}
