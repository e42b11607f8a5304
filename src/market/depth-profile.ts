/** How much is displayed at which distance from the touch, and how much usually is: each side in buckets of about a basis point. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { Baseline, minuteOf } from './baseline.js';
import { ASK, BID, type BookSide } from './book.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';

/** Buckets of a side: 25 bps where ticks are fine. */
export const BUCKETS = 25;
const WIDTH_BPS = 1;
/** What is usual is a matter of minutes: fewer samples than seconds keep fifty baselines small. */
const SAMPLE_EVERY: Micros = 5 * MICROS_PER_SECOND;
/** Samples of a bucket that make its baseline trustworthy: a minute of them. */
const WARM_SAMPLES = 12;

/** The profile that all who ask share; ask while being created. */
export function depthProfile(market: Market): DepthProfile {
  return market.share('depth profile', () => new DepthProfile(market));
}

/**
 * Bucket `j` of a side, from 0 on, holds the levels from `j` to `j + 1` widths beyond the touch. Sizes are scaled integers, NaN where
 * the book is not known that far, one-sided or crossed. A walk over ticks pays for each bucket that somebody asks for, nothing for
 * every message. What is usual are samples, five seconds apart, of the last whole minutes and the running one.
 */
export class DepthProfile implements Follower {
  /** scaled price: a power of two of ticks, about a basis point; NaN before it is known */
  width = Number.NaN;
  readonly #market: Market;
  readonly #usual: readonly [readonly Baseline[], readonly Baseline[]];
  readonly #enough: number;
  readonly #sizes: readonly [Float64Array, Float64Array] = [new Float64Array(BUCKETS), new Float64Array(BUCKETS)];
  /** medians of the buckets; undefined where samples came or went since they were last asked for */
  readonly #medians: [number[], number[]] = [[], []];
  /** buckets of each side that were summed since the book last changed */
  readonly #summed: [number, number] = [0, 0];
  #minute = Number.NaN;
  /** the width which that minute wanted by itself */
  #wanted = 0;

  constructor(market: Market) {
    this.#market = market;
    const { baselineMinutes, warmup } = market.options;
    const baselines = (): Baseline[] => Array.from({ length: BUCKETS }, () => new Baseline(baselineMinutes));
    this.#usual = [baselines(), baselines()];
    this.#enough = Math.max(1, Math.min(WARM_SAMPLES, Math.ceil(warmup / SAMPLE_EVERY)));
    market.follow(this);
  }

  book(): void {
    this.#summed[BID] = 0;
    this.#summed[ASK] = 0;
  }

  tick(t: Micros): void {
    const minute = minuteOf(t);
    if (minute !== this.#minute) this.#measure(minute);
    if (t % SAMPLE_EVERY === 0) this.#sample(t);
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) === 0) return;
    this.#forget();
    this.book();
    this.#minute = Number.NaN;
    this.width = Number.NaN;
  }

  #forget(): void {
    this.#medians[BID].length = 0;
    this.#medians[ASK].length = 0;
    for (const baselines of this.#usual) for (const baseline of baselines) baseline.clear();
  }

  /** The width of a minute. Another one forgets what is usual, so it grows at once but shrinks only in the second minute that wants it. */
  #measure(minute: number): void {
    const { bid, ask, track } = this.#market;
    if (!(bid < ask)) return;
    const { tick } = track.book;
    const wanted = tick * 2 ** Math.max(0, Math.round(Math.log2(((bid + ask) / (2 * tick)) * (WIDTH_BPS / 1e4))));
    const width = minute === this.#minute + 1 ? Math.max(wanted, this.#wanted) : wanted;
    this.#minute = minute;
    this.#wanted = wanted;
    if (width === this.width) return;
    this.width = width;
    this.book();
    this.#forget();
  }

  #sample(t: Micros): void {
    this.#medians[BID].length = 0;
    this.#medians[ASK].length = 0;
    for (const side of [BID, ASK] as const)
      for (let j = 0; j < BUCKETS; j++) {
        const size = this.size(side, j);
        if (Number.isNaN(size)) this.#usual[side][j].expire(t);
        else this.#usual[side][j].add(t, size);
      }
  }

  /** Size displayed in a bucket now. */
  size(side: BookSide, j: number): number {
    if (j >= this.#summed[side]) this.#sum(side, j);
    return this.#sizes[side][j];
  }

  #sum(side: BookSide, to: number): void {
    for (let j = this.#summed[side]; j <= to; j++)
      this.#sizes[side][j] = this.between(side, j * this.width, (j + 1) * this.width);
    this.#summed[side] = to + 1;
  }

  /** Size displayed now at distances of `from` up to, not including, `to` from a side's touch, scaled prices; NaN where unknown. */
  between(side: BookSide, from: number, to: number): number {
    const { bid, ask, track } = this.#market;
    const { book, low, high, state } = track;
    if (state !== 'valid' || !(bid < ask) || !(to >= from)) return Number.NaN;
    const last = to - book.tick;
    if (side === BID) return bid - last < low ? Number.NaN : book.volumeBetween(BID, bid - last, bid - from);
    return ask + last > high ? Number.NaN : book.volumeBetween(ASK, ask + from, ask + last);
  }

  /** Scaled price at which a bucket begins, counted from the touch as it is now. */
  price(side: BookSide, j: number): number {
    return side === BID ? this.#market.bid - j * this.width : this.#market.ask + j * this.width;
  }

  /** Sizes of the buckets from `first` up to, not including, `end` now; NaN where any is unknown. */
  sum(side: BookSide, first: number, end: number): number {
    let sum = 0;
    for (let j = first; j < end; j++) sum += this.size(side, j);
    return sum;
  }

  /** What a bucket usually holds: the median. NaN until that is known. */
  usual(side: BookSide, j: number): number {
    const baseline = this.#usual[side][j];
    if (!this.#isWarm() || baseline.count < this.#enough) return Number.NaN;
    // samples come and go every five seconds, and buckets are asked for far more often
    const medians = this.#medians[side];
    while (medians.length <= j) medians.push(this.#usual[side][medians.length].quantile(0.5));
    return medians[j];
  }

  /** What usually stands at distances of `from` up to `to`; of a bucket that is covered in part, that part. NaN until known. */
  usualBetween(side: BookSide, from: number, to: number): number {
    const { width } = this;
    const end = Math.ceil(to / width);
    if (!(end <= BUCKETS)) return Number.NaN;
    let sum = 0;
    for (let j = Math.floor(from / width); j < end; j++) {
      const covered = Math.min(to, (j + 1) * width) - Math.max(from, j * width);
      sum += covered === width ? this.usual(side, j) : (this.usual(side, j) * covered) / width;
    }
    return sum;
  }

  #isWarm(): boolean {
    const { t, bookSince, options } = this.#market;
    return t - bookSince >= options.warmup;
  }

  /** The share of all usual sizes of a side's buckets that `size` is not below; NaN until that is known. */
  rank(side: BookSide, size: number): number {
    let count = 0;
    let notAbove = 0;
    for (const baseline of this.#usual[side]) {
      count += baseline.count;
      notAbove += baseline.countTo(size);
    }
    return this.#isWarm() && this.#usual[side][0].count >= this.#enough ? notAbove / count : Number.NaN;
  }
}
