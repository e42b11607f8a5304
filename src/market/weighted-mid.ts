/** The mid weighted by the sizes at the touch: where the next trades are more likely to be, if the touch tells anything. */
import { ASK, BID } from './book.js';
import type { Market } from './market.js';

/**
 * m_w = (ask · bidSize + bid · askSize) / (bidSize + askSize), in the unit of the prices; NaN unless bid < ask and both sizes are above
 * zero. A bid of 8 at 100.0 and an ask of 2 at 100.1 make 100.08.
 */
export function weightedMid(bid: number, bidSize: number, ask: number, askSize: number): number {
  return bid < ask && bidSize > 0 && askSize > 0 ? (ask * bidSize + bid * askSize) / (bidSize + askSize) : Number.NaN;
}

/** How far it lies from the mid, in spreads, from −½ (all the size is offered) to ½ (all of it is bid); NaN where the touch is not known. */
export function weightedMidShift({ bid, ask, track }: Market): number {
  const { book } = track;
  const [bidSize, askSize] = [book.sizeAt(BID, bid), book.sizeAt(ASK, ask)];
  // the same as (m_w − m) / spread, and exactly its own mirror image
  return Number.isNaN(weightedMid(bid, bidSize, ask, askSize))
    ? Number.NaN
    : (bidSize - askSize) / (2 * (bidSize + askSize));
}
