/** The microprice of a fitted table (Stoikov 2018): the mid, and what the touch lets expect of it. */
import type { MicropriceTable } from '../model/fit.js';
import { ASK, BID } from './book.js';
import type { Market } from './market.js';

/** Classes of the imbalance at the touch, and spreads in ticks from one on. */
export const TOUCH_BUCKETS = 10;
export const TOUCH_SPREADS = 3;

/** The touch has a mid, and a spread that no table has. */
export const OUTSIDE = -1;
/** There is no mid. */
export const UNKNOWN = -2;

export const TOUCH_STATES = TOUCH_BUCKETS * TOUCH_SPREADS;

/**
 * Number of the touch's state: by spread, then by the share of the bid in both sizes. Swapping the sides gives the mirror state, equal sizes
 * excepted: they stand between two classes, and count as the upper. Prices and sizes are scaled integers.
 */
export function touchState(bid: number, bidSize: number, ask: number, askSize: number, tick: number): number {
  if (!(bid < ask && bidSize > 0 && askSize > 0)) return UNKNOWN;
  const spread = (ask - bid) / tick;
  if (!(Number.isInteger(spread) && spread <= TOUCH_SPREADS)) return OUTSIDE;
  const sum = bidSize + askSize;
  // counted from the smaller side, so that a class and its mirror image have the same bounds
  const half = TOUCH_BUCKETS / 2;
  const smaller = Math.min(half - 1, Math.floor((TOUCH_BUCKETS * Math.min(bidSize, askSize)) / sum));
  const bucket = bidSize === askSize ? half : bidSize < askSize ? smaller : TOUCH_BUCKETS - 1 - smaller;
  return (spread - 1) * TOUCH_BUCKETS + bucket;
}

/** The state with the sides swapped. */
export function mirrorState(state: number): number {
  if (state < 0) return state;
  const bucket = state % TOUCH_BUCKETS;
  return state - bucket + TOUCH_BUCKETS - 1 - bucket;
}

/** How far the microprice lies from the mid, in spreads, towards the ask above zero; NaN where the table does not know. */
export function micropriceShift({ bid, ask, track }: Market, { ticks }: MicropriceTable): number {
  const { book } = track;
  const [bidSize, askSize] = [book.sizeAt(BID, bid), book.sizeAt(ASK, ask)];
  const state = touchState(bid, bidSize, ask, askSize, book.tick);
  if (state < 0) return Number.NaN;
  const spread = Math.floor(state / TOUCH_BUCKETS);
  const shift = ticks[spread][state % TOUCH_BUCKETS];
  if (shift === null) return Number.NaN;
  return bidSize === askSize ? 0 : shift / (spread + 1);
}
