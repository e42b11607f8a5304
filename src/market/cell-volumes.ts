/** What size is usual in one cell of a footprint: one side of one price bin in one bar. */
import { Effect } from './effect.js';
import { type Footprint, type FootprintRules, footprintName, footprintOf } from './footprint.js';
import type { FootprintBar } from './footprint-bar.js';
import type { Market } from './market.js';
import { GRID, type GridStatistic } from './statistic.js';

/** A bar of more cells gives so many samples, at even distances in their order of size: a wild bar does not fill the baseline. */
const MOST_SAMPLES = 64;

/**
 * Sizes of the cells of whole bars, cells without a trade aside. A bar's own cells join the baseline a second after its end, so it is
 * never held against itself.
 */
export class CellVolumes {
  readonly #market: Market;
  readonly #statistic: GridStatistic;
  /** of bars that were complete since the last tick */
  #waiting: Float64Array[] = [];

  constructor(market: Market, name: string, footprint: Footprint) {
    this.#market = market;
    footprint.onClose((bar) => {
      if (bar.whole) this.#waiting.push(samplesOf(bar));
    });
    market.follow({
      lose: (effect) => {
        if ((effect & Effect.tradeGap) !== 0) this.#waiting = [];
      },
    });
    this.#statistic = market.statistic(name, 'trades', GRID, (t, sample) => {
      footprint.advance(t);
      for (const sizes of this.#waiting) for (const size of sizes) sample(size);
      this.#waiting = [];
    });
  }

  /** A quantile for a bar that is just complete; NaN without samples. Whether it is to be trusted, `isWarm` knows. */
  gate({ end }: FootprintBar, q: number): number {
    // a bar may be complete before the tick that lets go of a minute
    const { baseline } = this.#statistic;
    baseline.expire(end);
    return baseline.quantile(q);
  }

  /** Whether there was valid data for long enough, and enough of it. To be asked at the end of a message. */
  get isWarm(): boolean {
    return !Number.isNaN(this.#market.usual(this.#statistic, 1));
  }
}

/** Sizes of a bar's cells in their order, cells without a trade aside. */
export function sortedCells(bar: FootprintBar): Float64Array {
  const sizes = new Float64Array(2 * bar.bins);
  let count = 0;
  for (let i = 0; i < bar.bins; i++)
    for (const size of [bar.buyAt(i), bar.sellAt(i)]) if (size > 0) sizes[count++] = size;
  return sizes.subarray(0, count).sort();
}

/** The same, or so many of them at even distances. */
function samplesOf(bar: FootprintBar): Float64Array {
  const sorted = sortedCells(bar);
  const count = sorted.length;
  if (count <= MOST_SAMPLES) return sorted;
  return Float64Array.from({ length: MOST_SAMPLES }, (_, n) => sorted[Math.floor(((n + 0.5) * count) / MOST_SAMPLES)]);
}

/** What is usual in the cells of the market's footprint by these rules; all who ask for the same share it. */
export function cellVolumes(market: Market, rules: FootprintRules): CellVolumes {
  const name = `cells of ${footprintName(rules)}`;
  return market.share(name, () => new CellVolumes(market, name, footprintOf(market, rules)));
}
