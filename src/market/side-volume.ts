/** How much aggressors of one side usually trade in a window: the volume of either side, second by second, as a baseline. */
import type { Micros } from '../model/entry.js';
import type { Market } from './market.js';
import type { GridStatistic } from './statistic.js';

/** Two samples a second of (t − window, t], bought and sold; they join a window late, so that no window is measured against itself. */
export function sideVolume(market: Market, window: Micros): GridStatistic {
  const flow = market.flow(window);
  return market.statisticOver('side volume', 'trades', window, (t, sample) => {
    flow.expire(t);
    sample(flow.buy);
    sample(flow.sell);
  });
}
