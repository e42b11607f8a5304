/** Order flow imbalance of a market: from its best quotes where the tape has them, else from its book, never from both. */
import type { Micros } from '../model/entry.js';
import { EVENT_STRIDE, Field } from '../model/event.js';
import { ASK, BID } from './book.js';
import type { Market } from './market.js';
import { LEVEL_WIDTH, QuoteFlow } from './quote-flow.js';
import { GRID, type GridStatistic } from './statistic.js';
import { Effect } from './track.js';

/** Levels of a side that somebody may ask for: each costs time with every book message. */
export const MOST_LEVELS = 20;
/** A best quote that was not told again for so long is not known any more: reading may have begun behind it. */
export const QUIET: Micros = 30_000_000;

/** The flow of the best quotes pushed beside the book. They have no chain of ids: one that is lost shows only by a gap. */
class TouchFlow {
  readonly flow: QuoteFlow;
  #last: Micros = Number.NEGATIVE_INFINITY;

  constructor(market: Market, span: Micros) {
    this.flow = new QuoteFlow(span);
    market.follow(this);
  }

  touches(events: Float64Array, from: number, to: number): void {
    const { flow } = this;
    for (let o = from * EVENT_STRIDE; o < to * EVENT_STRIDE; o += EVENT_STRIDE) {
      const t = events[o + Field.T];
      if (t - this.#last > QUIET) flow.restart();
      this.#last = t;
      const isWhole = events[o + Field.SIZE] > 0 && events[o + Field.SIZE2] > 0;
      if (isWhole && events[o + Field.PRICE] < events[o + Field.PRICE2]) flow.take(t, events, o + Field.PRICE);
      else flow.restart();
    }
  }

  /** Forgets what is too old to be known. */
  expire(t: Micros): void {
    if (t - this.#last > QUIET) this.flow.restart();
    this.flow.expire(t);
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.besideGap)) !== 0) this.flow.restart();
  }
}

/** The flow of the best `levels` of the book, from message to message: what came and went between two of them is not seen. */
export class BookFlow {
  readonly flow: QuoteFlow;
  readonly #market: Market;
  readonly #prices: Float64Array;
  readonly #sizes: Float64Array;
  readonly #state: Float64Array;

  constructor(market: Market, span: Micros, levels: number) {
    this.#market = market;
    this.flow = new QuoteFlow(span, levels);
    this.#prices = new Float64Array(levels);
    this.#sizes = new Float64Array(levels);
    this.#state = new Float64Array(LEVEL_WIDTH * levels);
    market.follow(this);
  }

  book(t: Micros): void {
    const { flow } = this;
    if (this.#read()) flow.take(t, this.#state, 0);
    else flow.restart();
  }

  /** Copies the levels; false where they are crossed, or not all of them are known. */
  #read(): boolean {
    const { bid, ask, track } = this.#market;
    if (!(bid < ask)) return false;
    const { book } = track;
    const { levels } = this.flow;
    const prices = this.#prices;
    const sizes = this.#sizes;
    const state = this.#state;
    for (const side of [BID, ASK] as const) {
      if (book.top(side, levels, prices, sizes) < levels) return false;
      const last = prices[levels - 1];
      if (side === BID ? last < track.low : last > track.high) return false;
      for (let n = 0, at = 2 * side; n < levels; n++, at += LEVEL_WIDTH) {
        state[at] = prices[n];
        state[at + 1] = sizes[n];
      }
    }
    return true;
  }

  expire(t: Micros): void {
    this.flow.expire(t);
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) !== 0) this.flow.restart();
  }
}

/** OFI over (t − span, t], and what is usual of it. */
export class Ofi {
  readonly source: 'touch' | 'book';
  readonly flow: QuoteFlow;
  readonly #market: Market;
  readonly #feed: TouchFlow | BookFlow;
  readonly #usual: GridStatistic;
  /** what they were made of has changed since */
  #staleMedian = true;
  #staleDeviation = true;
  #median = Number.NaN;
  #deviation = Number.NaN;

  constructor(market: Market, span: Micros) {
    this.#market = market;
    this.source = market.options.hasTouches === true ? 'touch' : 'book';
    this.#feed = this.source === 'touch' ? new TouchFlow(market, span) : bookFlowOf(market, span, 1);
    this.flow = this.#feed.flow;
    // best quotes alone do not make the market look at its book, and what is usual counts from when that became valid
    market.mid(GRID);
    // joins what is usual a window later, so that no window is measured against itself
    this.#usual = market.statistic(`ofi ${span}`, 'book', span, (t, sample) => sample(this.value(t)));
    market.follow(this);
  }

  /** OFI over mean depth; NaN where a part of the window is not known. */
  value(t: Micros): number {
    this.#feed.expire(t);
    return this.flow.isWhole(t) ? this.flow.relative() : Number.NaN;
  }

  /** Median of what is usual, a value each second; NaN before there is enough of it. */
  median(): number {
    if (!this.#market.isSampled(this.#usual)) return Number.NaN;
    if (this.#staleMedian) {
      this.#staleMedian = false;
      this.#median = this.#usual.baseline.median();
    }
    return this.#median;
  }

  /** Median distance from that median, which must be known; searched for once a second at most. */
  deviation(): number {
    if (this.#staleDeviation) {
      this.#staleDeviation = false;
      this.#deviation = this.#usual.baseline.deviation(this.#median);
    }
    return this.#deviation;
  }

  tick(): void {
    this.#staleMedian = true;
    this.#staleDeviation = true;
  }

  lose(effect: number): void {
    this.tick();
    if (this.source === 'touch' && (effect & Effect.besideGap) !== 0) this.#usual.clear();
  }
}

/** The market's order flow imbalance over `span`. */
export function ofiOf(market: Market, span: Micros): Ofi {
  return market.share(`ofi ${span}`, () => new Ofi(market, span));
}

/** The flow of the best `levels` of the book over `span`, whatever best quotes say; one walk over them for each message. */
export function bookFlowOf(market: Market, span: Micros, levels: number): BookFlow {
  return market.share(`book flow ${span} ${levels}`, () => new BookFlow(market, span, levels));
}
