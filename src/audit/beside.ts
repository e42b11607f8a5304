/** What tapes hold beside their market: what was said of each contract, how often and last, and what was liquidated. */
import { createDecoder } from '../decode/decoder.js';
import { scannerBuffer } from '../decode/wasm-scanner.js';
import type { LineBatch } from '../model/batch.js';
import { formatScaled } from '../model/decimal.js';
import type { HeaderEntry, Micros, Source, TapeHeader } from '../model/entry.js';
import { Derivative, EVENT_STRIDE, type EventBuffer, Field, Kind, OFF_BOOK, RATE_DECIMALS } from '../model/event.js';
import { fineDecimals, type Scale } from '../model/instrument.js';
import { venues } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';
import { bindHeader, headerIn } from './bind.js';

/** A value that was said: how often, and what the newest is, said at `t`. */
export interface Said<T> {
  count: number;
  last: T;
  t: Micros;
}

/** The shape in `info --format json`; decimals are texts. What was never said is not there. */
export interface Beside {
  mark?: Said<string>;
  index?: Said<string>;
  funding?: Said<string>;
  /** µs */
  nextFunding?: Said<Micros>;
  openInterest?: Said<string>;
  /** by the side of the forced orders, zeros included; where the tape has no channel of them, it is not there */
  liquidations?: { buys: number; buySize: string; sells: number; sellSize: string };
}

export interface BesideReader {
  /** Whether a tape with this header holds any of it. */
  wants(header: TapeHeader | null): boolean;
  /** A header was met, by whoever reads the lines too, and what follows it is about to be taken. */
  meet(header: HeaderEntry): void;
  /** Reads lines; nothing is decoded before a header was met that is wanted. */
  take(batch: Pick<LineBatch, 'bytes' | 'from' | 'to'>): void;
  /** Of a src none of whose tapes is wanted, undefined. */
  of(src: Source): Beside | undefined;
}

type Value = 'mark' | 'index' | 'funding' | 'nextFunding' | 'openInterest';
const VALUES: readonly [Value, number][] = [
  ['mark', Derivative.MARK],
  ['index', Derivative.INDEX],
  ['funding', Derivative.FUNDING],
  ['nextFunding', Derivative.NEXT_FUNDING],
  ['openInterest', Derivative.OPEN_INTEREST],
];

/** The newest value as it was read, and the scale it was read with. */
interface Newest {
  count: number;
  value: number;
  t: Micros;
  scale: Scale;
}

/** One src. */
interface Heard {
  scale: Scale;
  newest: Map<Value, Newest>;
  /** null while no channel of them is known; sizes in units of 10^-decimals */
  liquidated: { decimals: number; buys: number; buy: number; sells: number; sell: number } | null;
}

/** Creates a reader for any number of srcs, whose lines may come mixed. */
export function createBesideReader(): BesideReader {
  const decoder = createDecoder();
  /** made when something is wanted, as is all that bound decoders need */
  let out: EventBuffer | null = null;
  /** headers met before, which nobody wants */
  const unwanted = new Map<Source, HeaderEntry>();
  const heard = new Map<Source, Heard>();
  /** by index of `Decoder.origins`; null for a src that is not wanted */
  let byOrigin: (Heard | null)[] = [];

  const wants = (header: TapeHeader | null): boolean => {
    const venue = venues.find(({ id }) => id === header?.venue);
    return header !== null && venue !== undefined && isWanted(venue, header);
  };

  const meet = (header: HeaderEntry): void => {
    if (out === null && !wants(header.tape)) {
      unwanted.set(header.src, header);
      return;
    }
    if (out === null) {
      out = scannerBuffer();
      // those too, or each of their messages would be parsed
      for (const other of unwanted.values()) bindHeader(decoder, other);
    }
    const bound = bindHeader(decoder, header);
    if (bound === null) return;
    const { venue, scale } = bound;
    byOrigin = [];
    const known = heard.get(header.src);
    if (known !== undefined) known.scale = scale;
    if (!isWanted(venue, header.tape)) return;
    const one: Heard = known ?? { scale, newest: new Map(), liquidated: null };
    if (hasEvent(venue, header.tape, 'liquidation'))
      one.liquidated ??= { decimals: scale.size, buys: 0, buy: 0, sells: 0, sell: 0 };
    heard.set(header.src, one);
  };

  const takeRecord = (e: Float64Array, o: number): void => {
    const origin = e[o + Field.ORIGIN];
    if (byOrigin[origin] === undefined) byOrigin[origin] = heard.get(decoder.origins[origin].src) ?? null;
    const one = byOrigin[origin];
    if (one === null) return;
    if (e[o + Field.KIND] === Kind.derivative) takeValues(one, e, o);
    else takeLiquidation(one, e, o);
  };

  return {
    wants,
    meet,
    take({ bytes, from, to }) {
      if (out === null) return;
      for (let p = from; p < to; ) {
        out.clear();
        p = decoder.decode(bytes, p, to, out);
        const e = out.events;
        for (let o = 0; o < out.count * EVENT_STRIDE; o += EVENT_STRIDE) {
          const kind = e[o + Field.KIND];
          if (kind === Kind.derivative || kind === Kind.liquidation) takeRecord(e, o);
          else if (kind === Kind.entry && mayBeHeader(bytes, e[o + Field.START])) {
            const header = headerIn(bytes, e[o + Field.START], e[o + Field.END]);
            if (header !== null) meet(header);
          }
        }
      }
    },
    of: (src) => {
      const one = heard.get(src);
      return one === undefined ? undefined : besideOf(one);
    },
  };
}

/** Whether a header names a channel of such messages. */
function hasEvent({ layouts }: Venue, { channels }: TapeHeader, event: 'liquidation' | 'derivative'): boolean {
  return layouts.messages.some((layout) => layout.event === event && channels.includes(layout.name));
}

/** Spot has tickers too, and nothing of this in them. */
function isWanted(venue: Venue, header: TapeHeader): boolean {
  return venue.kind !== 'spot' && (hasEvent(venue, header, 'derivative') || hasEvent(venue, header, 'liquidation'));
}

const HEAD_BYTES = 256;

/** Snapshots and checkpoints are long, and no headers. */
function mayBeHeader(bytes: Buffer, from: number): boolean {
  return bytes.subarray(from, from + HEAD_BYTES).includes('"tape"');
}

function takeValues({ scale, newest }: Heard, e: Float64Array, o: number): void {
  for (const [name, field] of VALUES) {
    const value = e[o + field];
    if (Number.isNaN(value)) continue;
    const known = newest.get(name);
    const t = e[o + Field.T];
    if (known === undefined) newest.set(name, { count: 1, value, t, scale });
    else {
      known.count++;
      known.value = value;
      known.t = t;
      known.scale = scale;
    }
  }
}

function takeLiquidation(one: Heard, e: Float64Array, o: number): void {
  const { liquidated, scale } = one;
  if (liquidated === null || (e[o + Field.FLAGS] & OFF_BOOK) !== 0) return;
  if (scale.size > liquidated.decimals) {
    // the lot became finer
    liquidated.buy *= 10 ** (scale.size - liquidated.decimals);
    liquidated.sell *= 10 ** (scale.size - liquidated.decimals);
    liquidated.decimals = scale.size;
  }
  const size = e[o + Field.SIZE] * 10 ** (liquidated.decimals - scale.size);
  if (e[o + Field.SIDE] > 0) {
    liquidated.buys++;
    liquidated.buy += size;
  } else {
    liquidated.sells++;
    liquidated.sell += size;
  }
}

function besideOf({ newest, liquidated }: Heard): Beside {
  const beside: Beside = {};
  for (const [name] of VALUES) {
    const known = newest.get(name);
    if (known === undefined) continue;
    const { count, value, t, scale } = known;
    if (name === 'nextFunding') beside.nextFunding = { count, last: value, t };
    else beside[name] = { count, last: formatScaled(value, decimalsOfValue(name, scale)), t };
  }
  if (liquidated === null) return beside;
  const { decimals, buys, buy, sells, sell } = liquidated;
  beside.liquidations = {
    ...{ buys, buySize: formatScaled(buy, decimals), sells, sellSize: formatScaled(sell, decimals) },
  };
  return beside;
}

function decimalsOfValue(name: Exclude<Value, 'nextFunding'>, scale: Scale): number {
  if (name === 'funding') return RATE_DECIMALS;
  return name === 'openInterest' ? scale.size : fineDecimals(scale);
}
