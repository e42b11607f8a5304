/** How large taker orders usually are: the sizes of the aggressor groups of the last minutes, as a baseline. */
import { Effect } from './effect.js';
import type { Market } from './market.js';
import { Ring } from './ring.js';
import { GRID, type GridStatistic } from './statistic.js';

/** One sample a group; groups join the baseline one to two seconds after they are complete, so that no event meets itself. */
export function groupSizes(market: Market): GridStatistic {
  return market.share('group sizes', () => {
    // complete since the last tick
    const sizes = new Ring(1);
    market.follow({
      group({ volume }) {
        if (sizes.full && !sizes.grow()) sizes.first++;
        sizes.values[sizes.push()] = volume;
      },
      lose(effect) {
        if ((effect & Effect.tradeGap) !== 0) sizes.clear();
      },
    });
    return market.statistic('group size', 'trades', GRID, (_, sample) => {
      const { values, mask, first, next } = sizes;
      for (let n = first; n < next; n++) sample(values[n & mask]);
      sizes.clear();
    });
  });
}
