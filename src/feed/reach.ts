/** How far books are known whose base is a snapshot: where the price has used up half of that, a newer snapshot is due. */
import type { Track } from '../market/track.js';

/** A book that was just made known is not asked for sooner: a market that races would take all requests. */
const EVERY_MS = 10_000;
/** The touch may come so much nearer to the end of what is known. */
const LEAST_SHARE = 0.5;

/** What a snapshot made known, and how far from the touch it reached. */
interface Reach {
  low: number;
  high: number;
  below: number;
  above: number;
  /** monotonic ms before which it does not run out */
  dueMs: number;
}

export interface Reaches {
  /** Whether the symbol's book, which is valid, should be known farther. `nowMs` is monotonic. */
  runsOut(symbol: string, track: Track, nowMs: number): boolean;
}

/**
 * A stream of changes tells nothing of the levels beyond a snapshot that never change, so a book kept for hours ends up known on one side of the
 * touch only, or on neither.
 */
export function createReaches(): Reaches {
  const reaches = new Map<string, Reach>();
  return {
    runsOut(symbol, track, nowMs) {
      const { low, high } = track;
      const below = track.book.bestBid() - low;
      const above = high - track.book.bestAsk();
      const reach = reaches.get(symbol);
      if (reach === undefined || reach.low !== low || reach.high !== high) {
        reaches.set(symbol, { low, high, below, above, dueMs: nowMs + EVERY_MS });
        return false;
      }
      if (nowMs < reach.dueMs) return false;
      return below < LEAST_SHARE * reach.below || above < LEAST_SHARE * reach.above;
    },
  };
}
