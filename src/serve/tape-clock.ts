/** Where the playing of a tape stands: one clock for all who play it from the same start, whoever comes and goes. */
import type { Micros } from '../model/entry.js';

/** Why somebody plays no more: it heard the whole tape, lost its connection as the recorder did, or went (or was sent) by itself. */
export type Leaving = 'ended' | 'lost' | 'left';

export interface TapeClock {
  /** tape time now: the start, until it was begun */
  position(): Micros;
  readonly begun: boolean;
  /** sets it going; it does not matter who asks first */
  begin(): void;
  /** a line of this time was played */
  reached(t: Micros): void;
  /** somebody is there who may play a venue's part of the tape */
  enter(): void;
  /** somebody plays a venue's part */
  plays(venue: string): void;
  /** somebody is gone; `others` play the same venue still */
  leave(venue: string, why: Leaving, others: boolean): void;
  /** nobody is there */
  readonly empty: boolean;
  /** somebody has yet to hear the end of a venue's part: it plays it, or will come back to do so */
  readonly awaited: boolean;
}

/**
 * @param speed tape time over real time; with Infinity the clock stands where the furthest player is
 * @param now monotonic µs
 */
export function createTapeClock(start: Micros, speed: number, now: () => number): TapeClock {
  let begun = false;
  let furthest = start;
  let at = 0;
  let present = 0;
  /** venues whose end is yet to be heard by those who play them, or were cut while they did */
  const unheard = new Set<string>();
  let heard = false;
  return {
    get begun() {
      return begun;
    },
    position() {
      if (!begun || speed === Number.POSITIVE_INFINITY) return furthest;
      return furthest + Math.floor((now() - at) * speed);
    },
    begin() {
      if (begun) return;
      begun = true;
      at = now();
    },
    reached(t) {
      if (t <= furthest) return;
      furthest = t;
      at = now();
    },
    enter() {
      present++;
    },
    plays(venue) {
      unheard.add(venue);
    },
    leave(venue, why, others) {
      present--;
      if (why === 'lost') unheard.add(venue);
      else if (why === 'ended' || !others) unheard.delete(venue);
      heard ||= why === 'ended';
      if (present > 0 || unheard.size > 0 || !heard) return;
      // the tape was played to its end, and nobody is in the middle of it: the next who come begin anew
      begun = heard = false;
      furthest = start;
    },
    get empty() {
      return present === 0;
    },
    get awaited() {
      return unheard.size > 0;
    },
  };
}
