/** When one venue's next request over REST may start: requests keep their distance, and all wait when the venue says so. */
import type { RestFault } from '../venues/venue.js';
import type { RestAnswer } from './rest.js';

export interface Pace {
  /** whether a request may start at monotonic `nowMs`, up to `aheadMs` before its turn */
  free(nowMs: number, aheadMs?: number): boolean;
  /** a request starts; one that weighs more or less than usual puts off the next one by `everyMs` */
  started(nowMs: number, everyMs?: number): void;
  /** an answer came, and perhaps a failure in its body; returns for how many ms it holds back every request, 0 for none */
  answered(answer: RestAnswer, nowMs: number, fault: RestFault | null): number;
  /** a pace for requests of another kind, each of which says its distance; what the venue holds back is held back for both */
  beside(): Pace;
}

const TOO_MANY = 429;
/** What to wait where the venue sends no Retry-After: too many requests, and a ban. */
const HOLD_MS: Readonly<Record<number, number>> = { 403: 30_000, 418: 120_000, [TOO_MANY]: 30_000 };

/** @param usualMs least time between the starts of two requests */
export function createPace(usualMs: number): Pace {
  return paceOf(usualMs, { untilMs: Number.NEGATIVE_INFINITY });
}

function paceOf(usualMs: number, held: { untilMs: number }): Pace {
  let turnMs = Number.NEGATIVE_INFINITY;
  return {
    free: (nowMs, aheadMs = 0) => nowMs >= held.untilMs && nowMs >= turnMs - aheadMs,
    started(nowMs, everyMs = usualMs) {
      turnMs = Math.max(turnMs, nowMs) + everyMs;
    },
    answered({ status, retryAfterMs }, nowMs, fault) {
      const hold = HOLD_MS[fault?.kind === 'tooMany' ? TOO_MANY : status];
      const holdMs = hold === undefined ? 0 : (retryAfterMs ?? hold);
      if (holdMs > 0) held.untilMs = Math.max(held.untilMs, nowMs + holdMs);
      return holdMs;
    },
    beside: () => paceOf(0, held),
  };
}
