/** How steeply mid and cumulative delta rise over a window, each measured against what is usual of it. */
import type { Micros } from '../model/entry.js';
import { Baseline, minuteOf } from './baseline.js';
import type { Market } from './market.js';
import { robustZ } from './robust.js';
import { type Seconds, secondsOf } from './seconds.js';
import { GRID } from './statistic.js';
import { Effect } from './track.js';

/** One measure of a window, whose value at each second joins what is usual a window later. */
class Usual {
  readonly baseline: Baseline;
  /** least spread: a market that hardly ever moves makes no small move unusual */
  readonly #floor: number;
  median = Number.NaN;
  /** median distance from the median */
  spread = Number.NaN;

  constructor(minutes: number, floor: number) {
    this.baseline = new Baseline(minutes);
    this.#floor = floor;
  }

  refresh(t: Micros): void {
    this.baseline.expire(t);
    this.median = this.baseline.median();
    this.spread = Math.max(this.#floor, this.baseline.deviation(this.median));
  }

  /** NaN where nothing varies, or nothing is known. */
  z(value: number): number {
    return this.spread > 0 ? robustZ(value, this.median, this.spread) : Number.NaN;
  }
}

/**
 * Least-squares slopes over the last `span`, second by second, as robust z: distance from the median slope of the baseline in units of the
 * median distance from it. A drift that is always there is part of the median. Slopes are usual only if all of their window lies in the minutes of the
 * baseline and ended before the window of now began, so nothing else is read than the baseline's minutes.
 */
export class Slopes {
  readonly #market: Market;
  readonly #seconds: Seconds;
  /** seconds of the window */
  readonly #length: number;
  readonly #price: Usual;
  readonly #flow: Usual;
  readonly #change: Usual;
  /** robust z over the window that ends at the newest second, whether warm or not */
  #priceZ = Number.NaN;
  #flowZ = Number.NaN;

  constructor(market: Market, span: Micros) {
    this.#market = market;
    this.#seconds = secondsOf(market);
    const length = Math.max(2, Math.round(span / GRID));
    this.#length = length;
    const { baselineMinutes } = market.options;
    // of a mid that goes one tick over the window: see `#slope`, the values are twice the mid
    const tick = (2 * market.track.book.tick * (length + 1) * (length + 2)) / 6;
    this.#price = new Usual(baselineMinutes, tick);
    this.#flow = new Usual(baselineMinutes, 0);
    this.#change = new Usual(baselineMinutes, 0);
    market.follow(this);
  }

  /** the window, a whole number of seconds */
  get span(): Micros {
    return this.#length * GRID;
  }

  /** Robust z of the mid's slope over the window that ends at the newest second; NaN where unknown or not warm. */
  get priceZ(): number {
    return this.#warm() ? this.#priceZ : Number.NaN;
  }

  /** The same of cumulative delta. */
  get flowZ(): number {
    return this.#warm() ? this.#flowZ : Number.NaN;
  }

  #warm(): boolean {
    return this.#seconds.isWarm(this.#price.baseline.count);
  }

  /**
   * How far a change of cumulative delta over `time` lies from the usual one, in usual distances. Both come from the changes over the window:
   * the median grows with time, the distance from it with its root, as if seconds were independent. NaN where unknown or not warm.
   */
  deltaDistance(change: number, time: Micros): number {
    const { median, spread } = this.#change;
    const windows = time / this.span;
    if (!this.#warm() || !(spread > 0)) return Number.NaN;
    return (change / spread - (median / spread) * windows) / Math.sqrt(windows);
  }

  /** That usual distance, scaled. */
  usualDistance(time: Micros): number {
    return this.#change.spread * Math.sqrt(time / this.span);
  }

  tick(t: Micros): void {
    const seconds = this.#seconds;
    const length = this.#length;
    const then = seconds.next - 1 - length;
    const began = t - 2 * this.span;
    if (then - length >= seconds.first && minuteOf(began) >= minuteOf(t) - this.#market.options.baselineMinutes) {
      const price = this.#slope(then, true);
      // the book may be one-sided for a moment: both or none
      if (!Number.isNaN(price)) {
        this.#price.baseline.add(began, price);
        this.#flow.baseline.add(began, this.#slope(then, false));
        this.#change.baseline.add(began, seconds.level(then) - seconds.level(then - length));
      }
    }
    for (const usual of [this.#price, this.#flow, this.#change]) usual.refresh(t);
    const known = then >= seconds.first;
    this.#priceZ = known ? this.#price.z(this.#slope(seconds.next - 1, true)) : Number.NaN;
    this.#flowZ = known ? this.#flow.z(this.#slope(seconds.next - 1, false)) : Number.NaN;
  }

  /**
   * The slope over the window that ends with item `end`, times a number that all windows share: Σ(2i − length)·(v_i − v_0), an integer. A
   * straight rise by one gives (length + 1)(length + 2) / 6.
   */
  #slope(end: number, ofPrice: boolean): number {
    const seconds = this.#seconds;
    const length = this.#length;
    const start = end - length;
    const base = ofPrice ? seconds.mid(start) : seconds.level(start);
    let sum = 0;
    for (let i = 1; i <= length; i++) {
      const value = ofPrice ? seconds.mid(start + i) : seconds.level(start + i);
      sum += (2 * i - length) * (value - base);
    }
    return sum;
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    for (const usual of [this.#price, this.#flow, this.#change]) usual.baseline.clear();
    this.#priceZ = Number.NaN;
    this.#flowZ = Number.NaN;
  }
}

/** The market's slopes over `span`, rounded to whole seconds. */
export function slopesOf(market: Market, span: Micros): Slopes {
  return market.share(`slopes ${span}`, () => new Slopes(market, span));
}
