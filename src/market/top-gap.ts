/** How far it is from the touch to the next level of its side, and how far it usually is. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID, type BookSide } from './book.js';
import type { Market } from './market.js';
import type { GridStatistic } from './statistic.js';

/** A gap that is just there is no part of what is usual. */
const DELAY: Micros = 5 * MICROS_PER_SECOND;

/** The gaps that all who ask share; ask while being created. */
export function topGap(market: Market): TopGap {
  return market.share('top gap', () => new TopGap(market));
}

/** Scaled prices; of both sides one statistic is kept. */
export class TopGap {
  readonly #market: Market;
  readonly #statistic: GridStatistic;
  readonly #prices = new Float64Array(2);
  readonly #sizes = new Float64Array(2);

  constructor(market: Market) {
    this.#market = market;
    this.#statistic = market.statistic('top gap', 'book', DELAY, (_, sample) => {
      for (const side of [BID, ASK] as const) {
        const gap = this.now(side);
        if (!Number.isNaN(gap)) sample(gap);
      }
    });
  }

  /** From the best to the second level of a side; NaN where the book is not valid, crossed or not known that far. */
  now(side: BookSide): number {
    const { book, low, high, state } = this.#market.track;
    if (state !== 'valid' || book.crossed()) return Number.NaN;
    if (book.top(side, 2, this.#prices, this.#sizes) < 2) return Number.NaN;
    const best = this.#prices[0];
    const next = this.#prices[1];
    if (side === BID) return next < low ? Number.NaN : best - next;
    return next > high ? Number.NaN : next - best;
  }

  /** The gap of a side where it is at least `ticks` wide and wider than that quantile of usual ones, and that width; null where it is not. */
  unusual(side: BookSide, ticks: number, q: number): { gap: number; least: number } | null {
    const gap = this.now(side);
    const wide = ticks * this.#market.track.book.tick;
    // most gaps are narrow, and what is usual need not be looked up for them
    const usual = gap >= wide ? this.usual(q) : Number.NaN;
    return gap > usual ? { gap, least: Math.max(wide, usual) } : null;
  }

  /** A quantile of what is usual; NaN until that is known. */
  usual(q: number): number {
    return this.#market.usual(this.#statistic, q);
  }
}
