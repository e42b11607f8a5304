/** One venue's part of a tape as a market: it moves with the lines, and tells what each of them did. */
import { createDecoder, type Decoder } from '../decode/decoder.js';
import { ASK, BID, type BookSide } from '../market/book.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import type { LineBatch } from '../model/batch.js';
import { formatScaled, writtenDecimals } from '../model/decimal.js';
import { type Entry, type Micros, SHARED_SYMBOL, type TapeHeader } from '../model/entry.js';
import { EventBuffer, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import { type Instrument, type Scale, scaleOf } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import { envelopeOf, parseEntry } from '../tape/line.js';
import type { BookSides, LevelText } from '../venues/served-book.js';
import { withDecimals } from '../venues/served-text.js';
import type { RecordedBook, ServedMarket, Venue } from '../venues/venue.js';
import { deepestStream, meetTopic, type RecordedTopic, type RecordedTopics } from './recorded-topics.js';

/** A book as one of its streams makes it. */
export interface BookStream {
  readonly symbol: string;
  readonly track: Track;
  /** the connection that brought it; null before any */
  conn: string | null;
  /** of the newest message that was applied */
  first: number;
  last: number;
  emitted: Micros;
  matched: Micros;
}

/** What a line did. Valid until the next one is asked for. */
export interface Step {
  t: Micros;
  symbol: string;
  conn: string | null;
  /** null where the line is no message of a topic */
  topic: string | null;
  /** the message as it stands */
  text(): string;
  /** a book that the line moved by these changes, or made known (again) */
  book: { stream: BookStream; known: boolean; changes(): BookSides } | null;
  close: { code: number; reason: string } | null;
}

export interface RecordedMarket extends ServedMarket {
  recorded: NonNullable<ServedMarket['recorded']>;
  /** takes in whole lines, one step each; lines of other venues are passed over */
  play(batch: LineBatch): Generator<Step>;
  /** the stream that all other forms of a symbol's book are made of: the deepest that has come; null before any has */
  main(symbol: string): BookStream | null;
  /** a book in the venue's decimals, best first */
  sides(stream: BookStream, limit?: number): BookSides;
  /** bytes of the tape are lost here: no book that may miss something is known */
  damaged(): void;
  /** the connection that brought a topic's newest message, or the book it is made of; null before any */
  carrier(topic: string, symbol: string | null): string | null;
  /** the size of a level that is gone */
  nothing(symbol: string): string;
}

interface Listed {
  header: TapeHeader;
  scale: Scale;
  price(scaled: number): string;
  size(scaled: number): string;
  streams: Map<number, BookStream>;
  /** the newest snapshot that came over REST: a stream may begin behind it */
  snapshot: Entry | null;
}

/** So many levels are looked up, which a touch after each message needs; more are a walk over all there are. */
const MOST_TOP = 50;
const topPrices = new Float64Array(MOST_TOP);
const topSizes = new Float64Array(MOST_TOP);

const NO_TEXT = (): string => '';

/** Creates a market that knows nothing but these topics yet; what the headers name is listed from the start, whose time is `start`. */
export function createRecordedMarket(
  venue: Venue,
  topics: RecordedTopics,
  headers: readonly TapeHeader[],
  start: Micros = 0,
): RecordedMarket {
  const decoder = createDecoder('typescript');
  const listed = new Map<string, Listed>();
  const buffer = new EventBuffer();
  const carriers = new Map<string, string | null>();
  /** connections that ended: each tape tells of it, and one end is enough */
  const closed = new Set<string>();
  let now = start;

  const list = (header: TapeHeader): Listed => {
    const known = listed.get(header.symbol);
    if (known !== undefined && sameSteps(known.header.instrument, header.instrument)) return known;
    const made = createListed(header, venue, decoder);
    listed.set(header.symbol, made);
    return made;
  };
  for (const header of headers) list(header);

  const streamOf = (one: Listed, key: number): BookStream => {
    let stream = one.streams.get(key);
    if (stream === undefined) {
      const connOf = (origin: number): string | null => decoder.origins[origin].conn;
      const { instrument, flow } = one.header;
      const track = createTrack({ instrument, rules: venue, flow, connOf });
      stream = { symbol: one.header.symbol, track, conn: null, first: -1, last: -1, emitted: 0, matched: 0 };
      one.streams.set(key, stream);
      if (one.snapshot !== null) track.entry(one.snapshot);
    }
    return stream;
  };

  const entry = (one: Listed, said: Entry): Step['book'] => {
    if ('book' in said) {
      const key = said.book.streams.stream;
      if (typeof key !== 'number' || key < 0) return null;
      const stream = streamOf(one, key);
      if ((stream.track.entry(said) & Effect.valid) === 0) return null;
      const { conn } = said.book.streams;
      if (typeof conn === 'string') stream.conn = conn;
      return madeKnown(stream, stream.track.continuity.last);
    }
    if ('http' in said && said.http.status === 200 && venue.readSnapshot(said.http.body) !== null) one.snapshot = said;
    // each track finds the holes of its own chain; what was found in that of another depth says nothing of it
    if ('gap' in said && said.gap.reason === 'sequence') return null;
    let book: Step['book'] = null;
    for (const stream of one.streams.values())
      if ((stream.track.entry(said) & Effect.valid) !== 0) book = madeKnown(stream, stream.track.continuity.last);
    return book;
  };

  const bookRecord = (one: Listed, topic: string | null, conn: string | null): Step['book'] => {
    const e = buffer.events;
    const key = e[Field.FLAGS] >> STREAM_SHIFT;
    const stream = streamOf(one, key);
    stream.conn = conn;
    const effect = stream.track.apply(buffer, 0);
    if (topic !== null) {
      const known = meetTopic(topics, topic, one.header.symbol);
      // levels are counted where the book is whole: it takes a walk over all of them
      if ((effect & Effect.valid) !== 0 || known.stream === null) learnBook(known, key, stream.track);
    }
    if ((effect & (Effect.book | Effect.valid)) === 0) return null;
    Object.assign(stream, { first: e[Field.FIRST], emitted: e[Field.EMITTED], matched: e[Field.MATCHED] });
    if ((effect & Effect.valid) !== 0) return madeKnown(stream, e[Field.LAST]);
    stream.last = e[Field.LAST];
    return { stream, known: false, changes: () => changesIn(one, buffer) };
  };

  function* play(batch: LineBatch): Generator<Step> {
    const { bytes, to } = batch;
    for (let p = batch.from; p < to; ) {
      // one line at a time: whoever hears of it sees the market as the line left it
      let end = bytes.indexOf(0x0a, p);
      end = end < 0 || end >= to ? to : end + 1;
      const step = line(bytes, p, end);
      p = end;
      if (step !== null) yield step;
    }
  }

  function line(bytes: Buffer, from: number, to: number): Step | null {
    const envelope = envelopeOf(bytes, from, to);
    if (envelope === null || !envelope.src.startsWith(`${venue.id}:`)) return null;
    const { t, src, conn, key, valueFrom, valueTo } = envelope;
    if (t > now) now = t;
    const symbol = src.slice(venue.id.length + 1);
    const step: Step = { t, symbol, conn, topic: null, text: NO_TEXT, book: null, close: null };
    const one = listed.get(symbol);
    if (conn !== null && key !== 'close' && closed.size > 0) closed.delete(conn);
    if (key === 'msg') {
      step.topic = venue.topicOf(bytes, valueFrom, valueTo);
      step.text = () => bytes.toString('utf8', valueFrom, valueTo);
      if (step.topic !== null) {
        carriers.set(step.topic, conn);
        meetTopic(topics, step.topic, symbol);
      }
      if (one === undefined) return step;
      buffer.clear();
      decoder.decode(bytes, from, to, buffer);
      const kind = buffer.count === 0 ? Kind.entry : buffer.events[Field.KIND];
      if (kind === Kind.depth || kind === Kind.snapshot) step.book = bookRecord(one, step.topic, conn);
      return step;
    }
    const said = entryAt(bytes, from, to);
    if (said === null) return step;
    if ('text' in said && typeof said.text === 'string') {
      // a message that was cut short is one of its topic all the same
      const { text } = said;
      const raw = Buffer.from(text);
      step.topic = venue.topicOf(raw, 0, raw.length);
      step.text = () => text;
      return step;
    }
    if ('tape' in said) {
      if (symbol !== SHARED_SYMBOL) list(said.tape);
    } else if (one !== undefined) step.book = entry(one, said);
    if ('close' in said && conn !== null && !closed.has(conn)) {
      closed.add(conn);
      step.close = said.close;
    }
    return step;
  }

  const main = (symbol: string): BookStream | null => {
    const one = listed.get(symbol);
    if (one === undefined) return null;
    const stream = deepestStream(topics, symbol, (key) => one.streams.has(key));
    return stream === null ? null : (one.streams.get(stream) ?? null);
  };

  const sides = ({ symbol, track: { book } }: BookStream, limit?: number): BookSides => {
    const one = listed.get(symbol)!;
    const text = (price: number, size: number): LevelText => [one.price(price), one.size(size)];
    const side = (which: BookSide): LevelText[] => {
      if (limit !== undefined && limit <= MOST_TOP) {
        const count = book.top(which, limit, topPrices, topSizes);
        return Array.from({ length: count }, (_, n) => text(topPrices[n], topSizes[n]));
      }
      return book.levels(which, limit).map(([price, size]) => text(price, size));
    };
    return { bids: side(BID), asks: side(ASK) };
  };

  return {
    now: () => now,
    instruments: (): Instrument[] => [...listed.values()].map(({ header }) => header.instrument),
    snapshot(symbol, limit): Snapshot | null {
      if (!listed.has(symbol)) return null;
      const stream = main(symbol);
      if (stream === null || stream.track.state !== 'valid')
        return { id: 0, emitted: now, matched: now, bids: [], asks: [] };
      const { last: id, emitted, matched } = stream;
      return { id, emitted, matched, ...sides(stream, limit) };
    },
    recorded(name): RecordedBook | null | undefined {
      const topic = topics.get(name);
      if (topic === undefined) return undefined;
      const stream = topic.stream === null ? undefined : listed.get(topic.symbol)?.streams.get(topic.stream);
      if (stream === undefined || stream.track.state !== 'valid') return null;
      const { first, last, emitted, matched } = stream;
      return { first, last, emitted, matched, ...sides(stream) };
    },
    play,
    damaged() {
      for (const { streams } of listed.values())
        for (const { track } of streams.values()) track.lose({ stream: '*', from: track.lastBookT, reason: 'damage' });
    },
    main,
    sides,
    carrier(name, symbol) {
      const conn = carriers.get(name);
      if (conn !== undefined) return conn;
      const topic = topics.get(name);
      // behind a checkpoint, its book tells before its first message does
      if (topic !== undefined) return listed.get(topic.symbol)?.streams.get(topic.stream ?? Number.NaN)?.conn ?? null;
      return symbol === null ? null : (main(symbol)?.conn ?? null);
    },
    nothing: (symbol) => listed.get(symbol)?.size(0) ?? '0',
  };
}

function madeKnown(stream: BookStream, last: number): Step['book'] {
  stream.last = last;
  if (stream.emitted === 0) stream.emitted = stream.matched = stream.track.emitted;
  // a checkpoint keeps the first id where the chain needs it
  const { sequence } = stream.track.continuity.state();
  if (stream.first < 0 && typeof sequence === 'number') stream.first = sequence;
  return { stream, known: true, changes: () => ({ bids: [], asks: [] }) };
}

function learnBook(topic: RecordedTopic, stream: number, { book }: Track): void {
  topic.stream = stream;
  topic.levels = Math.max(topic.levels, book.depth(BID) + book.depth(ASK));
}

function createListed(header: TapeHeader, venue: Venue, decoder: Decoder): Listed {
  const { instrument, symbol, flow } = header;
  const scale = scaleOf(instrument);
  decoder.bind(`${venue.id}:${symbol}`, { layouts: venue.layouts, scale, symbol, flow });
  return {
    header,
    scale,
    price: writer(scale.price, instrument.tick),
    size: writer(scale.size, instrument.lot),
    streams: new Map(),
    snapshot: null,
  };
}

const sameSteps = (a: Instrument, b: Instrument): boolean => a.tick === b.tick && a.lot === b.lot;

/** Writes scaled numbers with the decimals that a step is written with, or with more where the number has more. */
function writer(scale: number, step: string): (scaled: number) => string {
  const decimals = writtenDecimals(step);
  return (scaled) => withDecimals(formatScaled(scaled, scale), decimals);
}

/** Levels of the first record, in the order of the message. */
function changesIn(one: Listed, buffer: EventBuffer): BookSides {
  const { events, levels } = buffer;
  const start = events[Field.PRICE];
  const bids = events[Field.SIZE];
  const read = (from: number, count: number): LevelText[] =>
    Array.from({ length: count }, (_, n) => [one.price(levels[(from + n) * 2]), one.size(levels[(from + n) * 2 + 1])]);
  return { bids: read(start, bids), asks: read(start + bids, events[Field.PRICE2]) };
}

function entryAt(bytes: Buffer, from: number, to: number): Entry | null {
  try {
    return parseEntry(bytes.subarray(from, to));
  } catch {
    return null;
  }
}
