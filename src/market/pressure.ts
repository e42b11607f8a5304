/** The last two seconds of aggression in short bins, and the depth it met: what tests of an aggression's size and duration read. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { priceBeyond } from './price-beyond.js';
import { GRID } from './statistic.js';

/** Bins of a quarter of a second; eight of them, the running one included. */
const BIN: Micros = 250_000;
const BINS = 8;
/** What is looked back on: whole bins, so a little less than two seconds as a rule. */
export const PRESSURE_SPAN: Micros = BINS * BIN;
/** Depth within this many bps of the mid, remembered at so many seconds. */
const DEPTH_BPS = 10;
const DEPTHS = 4;

/** Aggression of one side over the bins. Sizes are scaled integers. */
export interface Push {
  /** bought or sold by aggressors of the side, and by the others */
  volume: number;
  against: number;
  /** aggressor groups of the side */
  groups: number;
  /** share of the bins in which the side traded more than the other */
  share: number;
}

export class Pressure implements Follower {
  readonly #market: Market;
  /** by number of the bin; `at` says which bin a place holds */
  readonly #at = new Float64Array(BINS).fill(Number.NaN);
  readonly #volume = [new Float64Array(BINS), new Float64Array(BINS)] as const;
  readonly #groups = [new Float64Array(BINS), new Float64Array(BINS)] as const;
  readonly #depths = [new Float64Array(DEPTHS).fill(Number.NaN), new Float64Array(DEPTHS).fill(Number.NaN)] as const;
  /** how far they reached, scaled prices */
  readonly #limits = [new Float64Array(DEPTHS), new Float64Array(DEPTHS)] as const;

  constructor(market: Market) {
    this.#market = market;
  }

  trade(t: Micros, side: number, _price: number, size: number): void {
    const bin = Math.floor(t / BIN);
    const place = bin % BINS;
    if (this.#at[place] !== bin) this.#empty(place, bin);
    const bought = side > 0 ? 1 : 0;
    this.#volume[bought][place] += size;
    if (this.#market.groups.open.prints === 1) this.#groups[bought][place]++;
  }

  #empty(place: number, bin: number): void {
    this.#at[place] = bin;
    for (const sums of [...this.#volume, ...this.#groups]) sums[place] = 0;
  }

  /** Aggression of `side` (+1 buys) in the bins up to `t`. */
  push(t: Micros, side: number): Push {
    const newest = Math.floor(t / BIN);
    const own = side > 0 ? 1 : 0;
    const push: Push = { volume: 0, against: 0, groups: 0, share: 0 };
    let ahead = 0;
    for (let place = 0; place < BINS; place++) {
      if (!(this.#at[place] > newest - BINS)) continue;
      const volume = this.#volume[own][place];
      const against = this.#volume[1 - own][place];
      push.volume += volume;
      push.against += against;
      push.groups += this.#groups[own][place];
      if (volume > against) ahead++;
    }
    push.share = ahead / BINS;
    return push;
  }

  tick(t: Micros): void {
    const place = (t / GRID) % DEPTHS;
    const market = this.#market;
    const mid = (market.bid + market.ask) / 2;
    for (const side of [BID, ASK] as const) {
      this.#depths[side][place] = market.depthWithin(side, DEPTH_BPS);
      this.#limits[side][place] = priceBeyond(side, mid, DEPTH_BPS);
    }
  }

  /**
   * Depth of a book side at the last whole second before `t`, at most three seconds before now, and what is displayed now down, or up, to the price
   * it reached: the mid has moved, and another stretch of the book is no answer. NaN where they are not known.
   */
  depths(side: BookSide, t: Micros): { before: number; now: number } {
    const second = Math.ceil(t / GRID) - 1;
    const oldest = Math.ceil(this.#market.t / GRID) - DEPTHS;
    const place = Math.max(second, oldest) % DEPTHS;
    return { before: this.#depths[side][place], now: this.#market.depthTo(side, this.#limits[side][place]) };
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.#at.fill(Number.NaN);
    for (const depths of this.#depths) depths.fill(Number.NaN);
  }
}
