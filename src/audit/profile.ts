/** Which way each message of a tape took through the decoder: what a change in a venue's messages costs. */
import { createDecoder, type DecodeCounts } from '../decode/decoder.js';
import type { LineBatch } from '../model/batch.js';
import type { Source } from '../model/entry.js';
import { EventBuffer, Field, Kind } from '../model/event.js';
import { endOfLine } from '../tape/line.js';
import { bindHeader, headerIn } from './bind.js';

/** Messages of one src by the way they took; `unknown` and `invalid` are among the slow ones. */
export type Profile = DecodeCounts;

export interface Profiler {
  take(batch: Pick<LineBatch, 'bytes' | 'from' | 'to'>): void;
  /** Of a src whose header names no known venue or no instrument, no message is decoded or counted. */
  of(src: Source): Profile;
}

const nothing = (): Profile => ({ fast: 0, general: 0, slow: 0, unknown: 0, invalid: 0 });

/** Creates a profiler of any number of srcs, whose lines may come mixed. */
export function createProfiler(): Profiler {
  const decoder = createDecoder();
  const out = new EventBuffer(1);
  const profiles = new Map<Source, Profile>();

  const of = (src: Source): Profile => {
    let profile = profiles.get(src);
    if (profile === undefined) {
      profile = nothing();
      profiles.set(src, profile);
    }
    return profile;
  };

  return {
    of,
    take({ bytes, from, to }) {
      const { counts } = decoder;
      for (let p = from, end = p; p < to; p = end) {
        end = endOfLine(bytes, p, to);
        const { fast, general, slow, unknown, invalid } = counts;
        out.clear();
        // line by line, since the decoder counts for all srcs together
        decoder.decode(bytes, p, end, out);
        if (out.events[Field.KIND] === Kind.entry) {
          const header = headerIn(bytes, p, end);
          if (header !== null) bindHeader(decoder, header);
          continue;
        }
        const profile = of(decoder.origins[out.events[Field.ORIGIN]].src);
        profile.fast += counts.fast - fast;
        profile.general += counts.general - general;
        profile.slow += counts.slow - slow;
        profile.unknown += counts.unknown - unknown;
        profile.invalid += counts.invalid - invalid;
      }
    },
  };
}
