/** Sweeps that say something of the market they happen in: wide and heavy enough for it, and each told once. */
import { ASK, BID } from './book.js';
import type { Market } from './market.js';
import type { GridStatistic } from './statistic.js';
import { type Sweep, type SweepRules, type Sweeps, sweepsOf } from './sweeps.js';
import { usualDepth } from './usual-depth.js';

/** Where ticks are fine a few levels are nothing, so the swept range has to be this large. */
export interface SweptRange {
  /** its width in ticks, and in spreads as they were before */
  readonly ticks: number;
  readonly spreads: number;
  /** what it displayed, as a share of the usual depth */
  readonly depth: number;
}

/** How large it is unless somebody says otherwise: the defaults of the detector. */
export const USUAL_RANGE: SweptRange = { ticks: 3, spreads: 1.5, depth: 0.02 };

/** What a swept range was held against, and came to. */
export interface Told {
  readonly sweep: Sweep;
  /** ticks from the first level exhausted to the last, both counted */
  readonly width: number;
  /** the usual depth, scaled */
  readonly usual: number;
}

/** Judges sweeps when it is asked to; each who asks has one of his own. */
export class ToldSweeps {
  readonly #market: Market;
  readonly #range: SweptRange;
  readonly #least: number;
  readonly #sweeps: Sweeps;
  /** of asks and of bids */
  readonly #usual: readonly [GridStatistic, GridStatistic];
  /** sweeps seen so far */
  #seen = 0;
  /** run of the last order that was told, of buys and of sells */
  readonly #told: [number, number] = [0, 0];

  /** @param least scaled volume that a sweep must have */
  constructor(market: Market, rules: SweepRules, range: SweptRange, least = 0) {
    this.#market = market;
    this.#range = range;
    this.#least = least;
    this.#sweeps = sweepsOf(market, rules);
    this.#usual = [usualDepth(market, ASK, rules.bps), usualDepth(market, BID, rules.bps)];
  }

  /** Calls `tell` with those that were found since it was last called; of a burst only where none of its orders was told. */
  take(tell: (told: Told) => void): void {
    const { found } = this.#sweeps;
    if (this.#seen === found) return;
    for (let n = this.#seen; n < found; n++) {
      const sweep = this.#sweeps.at(n);
      const told = sweep === null ? null : this.#judge(sweep);
      if (told !== null) tell(told);
    }
    this.#seen = found;
  }

  #judge(sweep: Sweep): Told | null {
    const { ticks, spreads, depth } = this.#range;
    const at = sweep.side > 0 ? 0 : 1;
    if (sweep.kind === 'burst' && this.#told[at] === sweep.run) return null;
    const { tick } = this.#market.track.book;
    const width = Math.abs(sweep.lastPrice - sweep.firstPrice) / tick + 1;
    const spread = (sweep.ask - sweep.bid) / tick;
    const usual = this.#market.usual(this.#usual[at], 0.5);
    // NaN while the baseline is cold, zero where a tick is wider than the bps
    if (!(usual > 0 && sweep.displayed / usual >= depth)) return null;
    if (sweep.size < this.#least || width < Math.max(ticks, spreads * spread)) return null;
    if (sweep.kind === 'single') this.#told[at] = sweep.run;
    return { sweep, width, usual };
  }

  /** What was found up to now is not told any more. */
  forget(): void {
    this.#seen = this.#sweeps.found;
  }
}
