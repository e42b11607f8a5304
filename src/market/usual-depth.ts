/** How much a side of the book usually displays near the mid: sampled every second, as a baseline. */
import { ASK, type BookSide } from './book.js';
import type { Market } from './market.js';
import { GRID, type GridStatistic } from './statistic.js';

/** Samples of `Market.depthWithin`, where it is known; a second late, so that no event meets itself. */
export function usualDepth(market: Market, side: BookSide, bps: number): GridStatistic {
  return market.statistic(`depth ${side === ASK ? 'ask' : 'bid'} ${bps}`, 'book', GRID, (_, sample) => {
    sample(market.depthWithin(side, bps));
  });
}
