/** Binding a decoder by the headers that stand among the lines, for readers that decode what they can and judge nothing. */
import type { Decoder } from '../decode/decoder.js';
import type { HeaderEntry } from '../model/entry.js';
import { type Scale, scaleOf } from '../model/instrument.js';
import { envelopeOf, parseEntry } from '../tape/line.js';
import { venues } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';

/** The header that a line is; null for every other line. */
export function headerIn(bytes: Buffer, from: number, to: number): HeaderEntry | null {
  if (envelopeOf(bytes, from, to)?.key !== 'tape') return null;
  try {
    const entry = parseEntry(bytes.subarray(from, to));
    return 'tape' in entry ? entry : null;
  } catch {
    return null; // what is wrong with a header is for verify to say
  }
}

/** Lets the decoder know what a header says of its src. @returns null where no venue is known, or no instrument with a scale */
export function bindHeader(decoder: Decoder, { src, tape }: HeaderEntry): { venue: Venue; scale: Scale } | null {
  const { instrument, symbol, flow } = tape;
  const venue = venues.find(({ id }) => id === tape.venue);
  if (venue === undefined || instrument === undefined || instrument === null) return null;
  const scale = scaleOf(instrument);
  if (!Number.isInteger(scale.price) || !Number.isInteger(scale.size)) return null;
  decoder.bind(src, { layouts: venue.layouts, symbol, scale, flow });
  return { venue, scale };
}
