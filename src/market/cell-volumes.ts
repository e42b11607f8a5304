/** What size is usual in one cell of a footprint: one side of one price bin in one bar. */
import { Effect } from './effect.js';
import { type FootprintRules, footprintName, footprintOf } from './footprint.js';
import type { FootprintBar } from './footprint-bar.js';
import type { Market } from './market.js';
import { GRID, type GridStatistic } from './statistic.js';

/** A bar of more cells gives so many samples, at even distances in their order of size: a wild bar does not fill the baseline. */
const MOST_SAMPLES = 64;

/**
 * Sizes of the cells of whole bars, cells without a trade aside. A bar's own cells join the baseline a second after its end, so it is
 * never held against itself.
 */
export function cellVolumes(market: Market, rules: FootprintRules): GridStatistic {
  const name = `cells of ${footprintName(rules)}`;
  return market.share(name, () => {
    const footprint = footprintOf(market, rules);
    let waiting: Float64Array[] = [];
    footprint.onClose((bar) => {
      if (bar.whole) waiting.push(samplesOf(bar));
    });
    market.follow({
      lose(effect) {
        if ((effect & Effect.tradeGap) !== 0) waiting = [];
      },
    });
    return market.statistic(name, 'trades', GRID, (t, sample) => {
      footprint.advance(t);
      for (const sizes of waiting) for (const size of sizes) sample(size);
      waiting = [];
    });
  });
}

/** Sizes of a bar's cells in their order, or so many of them at even distances. */
function samplesOf(bar: FootprintBar): Float64Array {
  const sizes = new Float64Array(2 * bar.bins);
  let count = 0;
  for (let i = 0; i < bar.bins; i++)
    for (const size of [bar.buyAt(i), bar.sellAt(i)]) if (size > 0) sizes[count++] = size;
  const sorted = sizes.subarray(0, count).sort();
  if (count <= MOST_SAMPLES) return sorted;
  return Float64Array.from({ length: MOST_SAMPLES }, (_, n) => sorted[Math.floor(((n + 0.5) * count) / MOST_SAMPLES)]);
}
