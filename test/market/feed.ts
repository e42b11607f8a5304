/** Feeds tape lines to a track, for tests: decoded once, applied record by record or entry by entry. */
import { createDecoder } from '../../src/decode/decoder.js';
import type { LevelListener } from '../../src/market/book.js';
import { Effect } from '../../src/market/effect.js';
import { Market } from '../../src/market/market.js';
import { createTrack, type Track } from '../../src/market/track.js';
import type { Entry } from '../../src/model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';

/** Decoded lines of one src: records, and entries in their places. */
export interface Decoded {
  buffer: EventBuffer;
  entries: Map<number, Entry>;
}

export function decodeLines(text: Buffer, venue: Venue, instrument: Instrument): Decoded {
  const decoder = createDecoder();
  const { symbol } = instrument;
  decoder.bind(`${venue.id}:${symbol}`, {
    layouts: venue.layouts,
    symbol,
    scale: scaleOf(instrument),
    flow: venue.channels.flow,
  });
  let lines = 0;
  for (let at = 0; at < text.length; at = text.indexOf(0x0a, at) + 1) lines++;
  const buffer = new EventBuffer(lines + 1, 1 << 16);
  const entries = new Map<number, Entry>();
  for (let at = 0; at < text.length; ) {
    at = decoder.decode(text, at, text.length, buffer);
    const o = (buffer.count - 1) * EVENT_STRIDE;
    const { events } = buffer;
    if (events[o + Field.KIND] === Kind.entry)
      entries.set(
        buffer.count - 1,
        JSON.parse(text.toString('utf8', events[o + Field.START], events[o + Field.END])) as Entry,
      );
  }
  return { buffer, entries };
}

/** Applies one line; returns its effect. */
export function applyLine(track: Track, decoded: Decoded, i: number): number {
  const entry = decoded.entries.get(i);
  return entry === undefined ? track.apply(decoded.buffer, i) : track.entry(entry);
}

export function newTrack(venue: Venue, instrument: Instrument, onLevel?: LevelListener): Track {
  return createTrack({ instrument, rules: venue, ...(onLevel === undefined ? {} : { onLevel }) });
}

/** Feeds lines to a track; returns the effect of each. */
export function feed(track: Track, venue: Venue, lines: string[]): number[] {
  const decoded = decodeLines(Buffer.from(lines.map((line) => `${line}\n`).join('')), venue, track.instrument);
  return lines.map((_, i) => applyLine(track, decoded, i));
}

/** A market of a venue with a tick of 0.1 and a lot of 0.001, that is warm at once. */
export function newMarket(venueId = 'binance-usdm'): Market {
  const venue = venueById(venueId);
  const instrument = { symbol: 'BTCUSDT', kind: 'linear' as const, tick: '0.1', lot: '0.001', multiplier: '1' };
  const track = newTrack(venue, instrument);
  return new Market(track, {
    facts: venue.capabilities,
    baselineMinutes: 1,
    warmup: 0,
    htf: 60_000_000,
    lookback: 1_000_000,
  });
}

/** Plays lines to such a market as a scan does; `look` is called after each, with its effect and the exchange time it names. */
export function play(
  market: Market,
  lines: string[],
  look: (effect: number, matched: number) => void,
  venueId = 'binance-usdm',
): void {
  const { track } = market;
  const decoded = decodeLines(Buffer.from(`${lines.join('\n')}\n`), venueById(venueId), track.instrument);
  const { events, count } = decoded.buffer;
  for (let i = 0; i < count; i++) {
    const entry = decoded.entries.get(i);
    const t = entry?.t ?? events[i * EVENT_STRIDE + Field.T];
    if (i === 0) market.begin(t);
    market.advance(t);
    const effect = applyLine(track, decoded, i);
    if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) market.lose(effect);
    market.apply(effect, entry === undefined ? decoded.buffer : null, i);
    look(effect, entry === undefined ? events[i * EVENT_STRIDE + Field.MATCHED] : 0);
  }
}
