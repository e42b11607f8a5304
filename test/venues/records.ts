/** Messages of a venue as records, through every decoder at once, for tests on literal bytes. */
import { expect } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack, type Track } from '../../src/market/track.js';
import { formatScaled } from '../../src/model/decimal.js';
import {
  Derivative,
  EVENT_STRIDE,
  EventBuffer,
  Field,
  Kind,
  MORE,
  NOT_FLOW,
  OFF_BOOK,
  RATE_DECIMALS,
} from '../../src/model/event.js';
import { fineDecimals, type Instrument, type Scale, scaleOf } from '../../src/model/instrument.js';
import type { Venue } from '../../src/venues/venue.js';

const T0 = 1_786_000_001_000_000;

export interface Record {
  kind: string;
  emitted: number;
  matched: number;
  first: number;
  last: number;
  previous: number;
  /** in units, not scaled; of books the levels */
  price: number;
  size: number;
  side: number;
  offBook: boolean;
  more: boolean;
  bids: [number, number][];
  asks: [number, number][];
  /** of a derivative alone */
  said?: Said;
}

/** What a derivative record says, as decimal texts; what it does not say is left out. */
export interface Said {
  mark?: string;
  index?: string;
  funding?: string;
  /** µs */
  nextFunding?: number;
  openInterest?: string;
}

/** What the record at offset `o` says, which is a derivative. */
export function saidBy(e: Float64Array, o: number, scale: Scale): Said {
  expect([e[o + Field.FIRST], e[o + Field.LAST], e[o + Field.SIDE]]).toEqual([-1, -1, 0]);
  const said: Said = {};
  const texts = [
    ['mark', Derivative.MARK, fineDecimals(scale)],
    ['index', Derivative.INDEX, fineDecimals(scale)],
    ['funding', Derivative.FUNDING, RATE_DECIMALS],
    ['openInterest', Derivative.OPEN_INTEREST, scale.size],
  ] as const;
  for (const [name, field, decimals] of texts)
    if (!Number.isNaN(e[o + field])) said[name] = formatScaled(e[o + field], decimals);
  const next = e[o + Derivative.NEXT_FUNDING];
  if (!Number.isNaN(next)) said.nextFunding = next;
  return said;
}

const KINDS = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));
const BOOKS: ReadonlySet<number> = new Set([Kind.depth, Kind.snapshot, Kind.partial]);

/** The lines of a tape that these messages are; each a microsecond after the one before. */
export function linesOf(venue: Venue, symbol: string, messages: readonly string[], conn = 'c.1'): string[] {
  return messages.map(
    (message, n) =>
      `{"t":${T0 + n},"src":${JSON.stringify(`${venue.id}:${symbol}`)},"conn":"${conn}","msg":${message}}`,
  );
}

function decode(venue: Venue, instrument: Instrument, messages: readonly string[], mode: 'wasm' | 'json'): EventBuffer {
  const { symbol } = instrument;
  const decoder = createDecoder(mode);
  const { layouts, channels } = venue;
  decoder.bind(`${venue.id}:${symbol}`, { layouts, symbol, scale: scaleOf(instrument), flow: channels.flow });
  const text = Buffer.from(
    linesOf(venue, symbol, messages)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const buffer = new EventBuffer(4096, 65_536);
  for (let at = 0; at < text.length; ) at = decoder.decode(text, at, text.length, buffer);
  return buffer;
}

/** Every record of the messages; all decoders must say the same. */
export function recordsOf(venue: Venue, instrument: Instrument, messages: readonly string[]): Record[] {
  const buffer = decode(venue, instrument, messages, 'wasm');
  const oracle = decode(venue, instrument, messages, 'json');
  const used = buffer.count * EVENT_STRIDE;
  expect([...buffer.events.subarray(0, used)]).toEqual([...oracle.events.subarray(0, oracle.count * EVENT_STRIDE)]);
  expect([...buffer.levels.subarray(0, buffer.levelCount * 2)]).toEqual([
    ...oracle.levels.subarray(0, oracle.levelCount * 2),
  ]);
  return Array.from({ length: buffer.count }, (_, i) => recordAt(buffer, i, instrument));
}

function recordAt({ events: e, levels }: EventBuffer, i: number, instrument: Instrument): Record {
  const o = i * EVENT_STRIDE;
  const scale = scaleOf(instrument);
  const priceDecimals = e[o + Field.KIND] === Kind.liquidation ? fineDecimals(scale) : scale.price;
  const price = (scaled: number): number => scaled / 10 ** priceDecimals;
  const size = (scaled: number): number => scaled / 10 ** scale.size;
  const isBook = BOOKS.has(e[o + Field.KIND]);
  const side = (from: number, count: number): [number, number][] =>
    Array.from({ length: count }, (_, n) => [price(levels[(from + n) * 2]), size(levels[(from + n) * 2 + 1])]);
  const bids = isBook ? e[o + Field.SIZE] : 0;
  const asks = isBook ? e[o + Field.PRICE2] : 0;
  const kind = e[o + Field.KIND];
  const told = kind !== Kind.derivative;
  const flags = e[o + Field.FLAGS];
  expect(flags & NOT_FLOW).toBe(0);
  return {
    kind: KINDS.get(kind) ?? '',
    emitted: e[o + Field.EMITTED],
    matched: e[o + Field.MATCHED],
    first: e[o + Field.FIRST],
    last: e[o + Field.LAST],
    previous: told ? e[o + Field.PREVIOUS] : -1,
    price: isBook || !told ? 0 : price(e[o + Field.PRICE]),
    size: isBook || !told ? 0 : size(e[o + Field.SIZE]),
    side: e[o + Field.SIDE],
    offBook: (flags & OFF_BOOK) !== 0,
    more: (flags & MORE) !== 0,
    bids: side(e[o + Field.PRICE], bids),
    asks: side(e[o + Field.PRICE] + bids, asks),
    ...(told ? {} : { said: saidBy(e, o, scale) }),
  };
}

/** Follows a src message by message; the effect of each. */
export function createFollower(venue: Venue, instrument: Instrument): { track: Track; take(message: string): number } {
  const track = createTrack({ instrument, rules: venue });
  return {
    track,
    take(message) {
      const buffer = decode(venue, instrument, [message], 'wasm');
      let effect = 0;
      for (let i = 0; i < buffer.count; i++) effect |= track.apply(buffer, i);
      return effect;
    },
  };
}
