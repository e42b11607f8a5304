/** Receive times: a monotonic clock anchored to wall time, strictly increasing for one src. */
import type { Micros } from '../model/entry.js';

/** The two clocks of the machine; injected so that tests own time. */
export interface TimeSource {
  /** wall clock, ms since the epoch; may jump */
  wallMs(): number;
  /** monotonic clock, ms with fractions, from any origin */
  monoMs(): number;
}

export const systemTime: TimeSource = {
  wallMs: () => Date.now(),
  monoMs: () => performance.now(),
};

/** Wall and monotonic clock further apart than this (since the anchor) call for a new segment. */
export const MAX_DRIFT: Micros = 1_000_000;

/** One src's clock. */
export interface ReceiveClock {
  /**
   * The time of an event that happened at monotonic `monoMs` (default now). No two calls give the same time: a tie, or a
   * clock set back, gives the previous plus one.
   */
  stamp(monoMs?: number): Micros;
  /** what the clock shows at monotonic `monoMs`, without the promise to increase */
  at(monoMs: number): Micros;
  /** all later times will be above `t` too */
  raise(t: Micros): void;
  /** wall clock minus this clock's idea of it, µs; what a `clock` entry shows */
  drift(): Micros;
  /** true when wall and monotonic clock moved apart by more than MAX_DRIFT since the anchor */
  stepped(): boolean;
  /** starts anew from wall time, though never below the last time given out */
  anchor(): void;
}

/** @param after times already on the tape: all new ones are later */
export function createReceiveClock(source: TimeSource, after: Micros = 0): ReceiveClock {
  let last = after;
  /** µs to add to monotonic time */
  let offset = 0;
  /** drift right after anchoring: not zero when wall time was below `last` */
  let accepted = 0;

  const monoMicros = (monoMs: number): Micros => Math.floor(monoMs * 1000 + offset);
  const drift = (): Micros => {
    const mono = source.monoMs();
    return Math.round(source.wallMs() * 1000 - (mono * 1000 + offset));
  };
  const anchor = (): void => {
    offset = Math.max(source.wallMs() * 1000, last + 1) - source.monoMs() * 1000;
    accepted = drift();
  };

  anchor();
  return {
    stamp(monoMs = source.monoMs()) {
      const t = monoMicros(monoMs);
      last = t > last ? t : last + 1;
      return last;
    },
    at: monoMicros,
    raise(t) {
      last = Math.max(last, t);
    },
    drift,
    stepped: () => Math.abs(drift() - accepted) > MAX_DRIFT,
    anchor,
  };
}
