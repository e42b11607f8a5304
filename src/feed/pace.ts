/** When one venue's next request for a book, or for trades, may start: requests keep their distance, and all wait when the venue says so. */
import type { RestAnswer } from './rest.js';

export interface Pace {
  /** whether a request may start at monotonic `nowMs` */
  free(nowMs: number): boolean;
  /** a request starts; one that weighs more or less than usual keeps the next one off for `everyMs` */
  started(nowMs: number, everyMs?: number): void;
  /** an answer came; returns for how many ms it holds back every request, 0 for none */
  answered(answer: RestAnswer, nowMs: number): number;
}

/** What to wait where the venue sends no Retry-After: too many requests, and a ban. */
const HOLD_MS: Readonly<Record<number, number>> = { 403: 30_000, 418: 120_000, 429: 30_000 };

/** @param usualMs least time between the starts of two requests */
export function createPace(usualMs: number): Pace {
  let freeMs = Number.NEGATIVE_INFINITY;
  return {
    free: (nowMs) => nowMs >= freeMs,
    started(nowMs, everyMs = usualMs) {
      freeMs = nowMs + everyMs;
    },
    answered({ status, retryAfterMs }, nowMs) {
      const hold = HOLD_MS[status];
      const holdMs = hold === undefined ? 0 : (retryAfterMs ?? hold);
      if (holdMs > 0) freeMs = Math.max(freeMs, nowMs + holdMs);
      return holdMs;
    },
  };
}
