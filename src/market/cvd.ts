/** Cumulative delta: what aggressors bought less what they sold, counted from an epoch that changes where trades are missing. */
import type { Micros } from '../model/entry.js';
import type { FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { Effect } from './track.js';

/**
 * A running count of scaled sizes. Where it stands depends on where reading began, so only differences within an epoch mean anything, and
 * rules look at no others. What is told of a level has its anchor beside it, see `UnitDelta`.
 */
export class Cvd implements Follower {
  #level = 0;

  constructor(market: Market) {
    market.follow(this);
  }

  /** scaled size, negative where more was sold */
  get level(): number {
    return this.#level;
  }

  trade(_t: Micros, side: number, _price: number, size: number): void {
    this.#level += side * size;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#level = 0;
  }

  /** Lowers the level, for who keeps levels and lowers those as well, so that sums stay small enough to be exact. */
  lower(by: number): void {
    this.#level -= by;
  }
}

/**
 * Cumulative delta since the running unit began, the one moment that every reader has read from: with units of a day it is anchored at
 * the UTC day. Where reading began within the unit, or trades are missing in it, it counts from there.
 */
export class UnitDelta implements Follower {
  readonly #market: Market;
  #sum = 0;
  #unit: Micros = Number.NEGATIVE_INFINITY;

  constructor(market: Market) {
    this.#market = market;
    market.follow(this);
  }

  /** scaled size, negative where more was sold */
  get value(): number {
    return this.#sum;
  }

  /** since when it counts */
  get anchor(): Micros {
    return Math.max(this.#unit, this.#market.tradesSince);
  }

  trade(_t: Micros, side: number, _price: number, size: number): void {
    this.#sum += side * size;
  }

  unit(start: Micros): void {
    this.#sum = 0;
    this.#unit = start;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#sum = 0;
  }
}

/** The market's cumulative delta of the running unit. */
export function unitDeltaOf(market: Market): UnitDelta {
  return market.share('unit delta', () => new UnitDelta(market));
}

/** The market's cumulative delta. */
export function cvdOf(market: Market): Cvd {
  return market.share('cvd', () => new Cvd(market));
}

/** Lowest and highest delta on the way through a window, trade by trade from zero; scaled sizes. Call `expire` before. */
export function deltaRange(flow: FlowWindow): { low: number; high: number } {
  let delta = 0;
  let low = 0;
  let high = 0;
  flow.walk((signed) => {
    delta += signed;
    if (delta < low) low = delta;
    if (delta > high) high = delta;
  });
  return { low, high };
}
