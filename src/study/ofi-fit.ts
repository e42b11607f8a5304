/** Learning how the levels of a book go together: the first principal component of their order flow imbalance (Cont, Cucuringu, Zhang 2023). */
import type { Market } from '../market/market.js';
import { type BookFlow, bookFlowOf } from '../market/ofi.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { OfiWeights } from '../model/fit.js';
import { principalOf } from './matrix.js';

/** Windows that make the weights trustworthy. */
const LEAST_WINDOWS = 60;

/** Share of the mean squares. */
const ROUNDING = 1e-12;

/** Sums of what levels do together, window after window. */
export class LevelSamples {
  readonly levels: number;
  count = 0;
  readonly #sums: Float64Array;
  readonly #products: Float64Array;

  constructor(levels: number) {
    this.levels = levels;
    this.#sums = new Float64Array(levels);
    this.#products = new Float64Array(levels * levels);
  }

  add(value: (level: number) => number): void {
    const { levels } = this;
    this.count++;
    for (let i = 0; i < levels; i++) {
      this.#sums[i] += value(i);
      for (let j = 0; j < levels; j++) this.#products[i * levels + j] += value(i) * value(j);
    }
  }

  /** Weights whose amounts add up to 1, bids gaining above zero, and the share of the variance they explain; null where nothing varied. */
  component(): { weights: number[]; explained: number } | null {
    const { levels, count } = this;
    const sums = this.#sums;
    const squares = this.#products.reduce(
      (sum, product, at) => sum + (at % (levels + 1) === 0 ? product / count : 0),
      0,
    );
    const covariance = this.#products.map((product, at) => {
      const [i, j] = [Math.floor(at / levels), at % levels];
      return product / count - (sums[i] / count) * (sums[j] / count);
    });
    const variance = covariance.reduce((sum, value, at) => sum + (at % (levels + 1) === 0 ? value : 0), 0);
    // less is what rounding leaves of samples that are all the same
    const found = variance > ROUNDING * squares ? principalOf(covariance, levels) : null;
    if (found === null) return null;
    const { vector, share } = found;
    const sign = vector.reduce((sum, value) => sum + value, 0) < 0 ? -1 : 1;
    const amount = vector.reduce((sum, value) => sum + Math.abs(value), 0);
    return { weights: Array.from(vector, (value) => rounded((sign * value) / amount)), explained: rounded(share) };
  }
}

/** Takes a sample of a market at the end of every window, none of which share a time. */
export class OfiFit {
  readonly #flow: BookFlow;
  readonly #window: Micros;
  readonly #samples: LevelSamples;

  constructor(market: Market, window: Micros, levels: number) {
    this.#flow = bookFlowOf(market, window, levels);
    this.#window = window;
    this.#samples = new LevelSamples(levels);
  }

  /** A second of data time, where what is of before `from` is not to be learnt from. @returns whether anything was learnt */
  tick(t: Micros, from: Micros): boolean {
    if (t % this.#window !== 0 || t - this.#window < from) return false;
    this.#flow.expire(t);
    const { flow } = this.#flow;
    const isWhole = flow.isWhole(t);
    if (isWhole) this.#samples.add((level) => flow.relative(level));
    return isWhole;
  }

  /** null where there were too few windows, or nothing happened in them */
  weights(): OfiWeights | null {
    const { count } = this.#samples;
    const found = count < LEAST_WINDOWS ? null : this.#samples.component();
    return found === null ? null : { window_ms: this.#window / 1000, windows: count, ...found };
  }
}
