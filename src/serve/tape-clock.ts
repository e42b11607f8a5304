/** Where the playing of a tape stands: one clock for all who play it from the same start, whoever comes and goes. */
import type { Micros } from '../model/entry.js';

export interface TapeClock {
  /** tape time now: the start, until it was begun */
  position(): Micros;
  readonly begun: boolean;
  /** sets it going; it does not matter who asks first */
  begin(): void;
  /** a line of this time was played */
  reached(t: Micros): void;
  /** nobody plays any more and the tape was played to its end: the next who come begin anew */
  rewind(): void;
}

/**
 * @param speed tape time over real time; with Infinity the clock stands where the furthest player is
 * @param now monotonic µs
 */
export function createTapeClock(start: Micros, speed: number, now: () => number): TapeClock {
  let begun = false;
  let furthest = start;
  let at = 0;
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
    rewind() {
      begun = false;
      furthest = start;
    },
  };
}
