/** tapedeck's own reading of a served exchange: what `record` would ask for, decoded and followed as `scan` does, kept by id and time. */
import { createDecoder } from '../../src/decode/decoder.js';
import { ASK, BID } from '../../src/market/book.js';
import { createTrack, Effect } from '../../src/market/track.js';
import type { Micros } from '../../src/model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { scaleOf } from '../../src/model/instrument.js';
import { entryLine, parseEntry } from '../../src/tape/line.js';
import type { ServedClient, ServedMarket, Venue, VenueServer } from '../../src/venues/venue.js';

export type Level = [price: number, size: number];

/** What else stands in a row, such as a number of orders, is left out. */
export function levelsOf(rows: readonly (readonly (string | number | undefined)[])[]): Level[] {
  return rows.map(([price, size]) => [Number(price), Number(size)]);
}

/** Of each side, in every comparison. */
export const LEVELS = 50;

/** A book between two messages. Times are the exchange's, in ms. */
export interface ReadBook {
  id: number;
  emitted: number;
  matched: number;
  bids: Level[];
  asks: Level[];
}

export interface ReadTrade {
  id: string;
  price: number;
  size: number;
  side: 'buy' | 'sell';
  matched: number;
}

export interface Reader {
  /** in order, the newest last */
  readonly books: readonly ReadBook[];
  readonly trades: readonly ReadTrade[];
  /** takes in what the event becomes, before anybody else hears of it */
  hear(messages: readonly { topic: string; text: string }[], emitted: Micros): void;
}

export interface ReaderOptions {
  venue: Venue;
  symbol: string;
  market: ServedMarket;
  server: VenueServer;
  channels: string[];
  /** told of every line of the tape that a recorder would write */
  write?: ((line: string) => void) | undefined;
  /** ids of the trades in a message, where they are no numbers */
  tradeIds: ((message: string) => string[]) | undefined;
}

/** Subscribes as a recorder does, and asks for the snapshot where the venue's books begin with one. */
export function createReader({ venue, symbol, market, server, channels, write, tradeIds }: ReaderOptions): Reader {
  const instrument = market.instruments().find((one) => one.symbol === symbol);
  if (instrument === undefined) throw new Error(`${symbol} is not listed`);
  const flow = venue.flowOf(channels);
  const scale = scaleOf(instrument);
  const decoder = createDecoder();
  decoder.bind(`${venue.id}:${symbol}`, { layouts: venue.layouts, symbol, scale, flow });
  const track = createTrack({ instrument, rules: venue, flow, connOf: (origin) => decoder.origins[origin].conn });
  const buffer = new EventBuffer();
  const books: ReadBook[] = [];
  const trades: ReadTrade[] = [];
  let t = market.now();

  const real = (scaled: number, digits: number): number => scaled / 10 ** digits;
  const levels = (side: typeof BID | typeof ASK): Level[] =>
    track.book
      .levels(side)
      .slice(0, LEVELS)
      .map(([price, size]) => [real(price, scale.price), real(size, scale.size)]);
  const millis = (micros: number): number => Math.floor(micros / 1000);

  const pairs = (from: Float64Array, start: number, count: number): Level[] =>
    Array.from({ length: count }, (_, n) => [
      real(from[start + n * 2], scale.price),
      real(from[start + n * 2 + 1], scale.size),
    ]);
  const keep = (e: Float64Array, bids: Level[], asks: Level[]): void => {
    books.push({
      id: e[Field.LAST],
      emitted: millis(e[Field.EMITTED]),
      matched: millis(e[Field.MATCHED]),
      bids: bids.slice(0, LEVELS),
      asks: asks.slice(0, LEVELS),
    });
  };

  const src = `${venue.id}:${symbol}`;
  const line = (rest: string): Buffer => {
    const text = `{"t":${++t},"src":"${src}",${rest}}\n`;
    write?.(text);
    return Buffer.from(text);
  };
  write?.(
    entryLine({
      ...{ t, src },
      tape: {
        version: 1,
        recorder: 'ours',
        venue: venue.id,
        symbol,
        instrument,
        channels,
        flow,
        tool: 'tapedeck test',
      },
    }),
  );

  const path = venue.rest.snapshot?.(symbol);
  const fetchSnapshot = (path: string): void => {
    const { status, body } = server.rest(path, market);
    const http = `"http":{"url":"${path}","status":${status},"sent":${t},"body":${body}}`;
    track.entry(parseEntry(line(http).toString().trimEnd()));
  };

  const read = (connection: number, message: string): void => {
    const bytes = line(`"conn":"ours.${connection}","msg":${message}`);
    buffer.clear();
    decoder.decode(bytes, 0, bytes.length, buffer);
    const ids = tradeIds?.(message) ?? [];
    for (let i = 0, trade = 0; i < buffer.count; i++) {
      const e = buffer.events.subarray(i * EVENT_STRIDE, (i + 1) * EVENT_STRIDE);
      const kind = e[Field.KIND];
      if (kind === Kind.entry || kind === Kind.unknown || kind === Kind.invalid)
        throw new Error(`tapedeck does not understand ${message}`);
      if (kind === Kind.partial) {
        // a whole book, in whatever order, which the track leaves alone
        const start = e[Field.PRICE] * 2;
        const [bids, asks] = [e[Field.SIZE], e[Field.PRICE2]];
        keep(
          e,
          pairs(buffer.levels, start, bids).sort(([a], [b]) => b - a),
          pairs(buffer.levels, start + bids * 2, asks).sort(([a], [b]) => a - b),
        );
        continue;
      }
      const effect = track.apply(buffer, i);
      if ((effect & Effect.lost) !== 0) throw new Error(`tapedeck lost the book at ${message}`);
      if ((effect & (Effect.book | Effect.valid)) !== 0) keep(e, levels(BID), levels(ASK));
      if ((effect & Effect.trade) !== 0)
        trades.push({
          id: ids[trade++] ?? String(e[Field.LAST]),
          price: real(e[Field.PRICE], scale.price),
          size: real(e[Field.SIZE], scale.size),
          side: e[Field.SIDE] === 1 ? 'buy' : 'sell',
          matched: millis(e[Field.MATCHED]),
        });
    }
    // as a recorder does: once updates wait for one
    if (path !== undefined && track.needsSnapshot) fetchSnapshot(path);
  };

  const connected = venue.connections([symbol], channels).map((plan): ServedClient => {
    const client = server.connect(plan.path);
    if (client === null) throw new Error(`no endpoint ${plan.path}`);
    return client;
  });
  venue.connections([symbol], channels).forEach(({ subscribe }, i) => {
    for (const text of subscribe)
      for (const reply of server.receive(connected[i], text)) if (reply.topic !== null) read(i, reply.text);
  });
  return {
    books,
    trades,
    hear(messages, emitted) {
      t = Math.max(t, emitted);
      connected.forEach((client, i) => {
        for (const { topic, text } of messages) {
          const message = server.wrap(client, topic, text);
          if (message !== null) read(i, message);
        }
      });
    },
  };
}
