/** Cumulative delta: what aggressors bought less what they sold, counted from an epoch that changes where trades are missing. */
import type { Micros } from '../model/entry.js';
import type { FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { sessionSpan } from './session.js';
import { Effect } from './track.js';

/**
 * A running count of scaled sizes. Where it stands depends on where reading began, so only differences within an epoch mean anything, and
 * rules look at no others. What is told of a level is counted from the unit's begin, the one moment that every reader has read from: with
 * units of a day that is the UTC day; or from the session's, where the unit holds it.
 */
export class Cvd implements Follower {
  readonly #market: Market;
  #level = 0;
  /** where the unit began, and when */
  #unitLevel = 0;
  #unit: Micros = Number.NEGATIVE_INFINITY;
  /** where the session began, and when; it lasts until `#sessionEnd` */
  #sessionLevel = 0;
  #session: Micros = Number.NEGATIVE_INFINITY;
  #sessionEnd: Micros = Number.NEGATIVE_INFINITY;

  constructor(market: Market) {
    this.#market = market;
    market.follow(this);
  }

  /** scaled size, negative where more was sold */
  get level(): number {
    return this.#level;
  }

  /** the same since `anchor` */
  get sinceAnchor(): number {
    return this.#level - this.#unitLevel;
  }

  /** When the unit began; or later, where reading did or trades are missing. */
  get anchor(): Micros {
    return Math.max(this.#unit, this.#market.tradesSince);
  }

  /** The same since the session of a time began, which is now or later than all trades; NaN where that was before `anchor`. */
  sinceSession(t: Micros): number {
    if (t >= this.#sessionEnd) this.#beginSession(t);
    return this.#session < this.anchor ? Number.NaN : this.#level - this.#sessionLevel;
  }

  #beginSession(t: Micros): void {
    const { start, end } = sessionSpan(t);
    this.#session = start;
    this.#sessionEnd = end;
    this.#sessionLevel = this.#level;
  }

  trade(t: Micros, side: number, _price: number, size: number): void {
    if (t >= this.#sessionEnd) this.#beginSession(t);
    this.#level += side * size;
  }

  unit(start: Micros): void {
    this.#unitLevel = this.#level;
    this.#unit = start;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) === 0) return;
    this.#level = 0;
    this.#unitLevel = 0;
    this.#sessionLevel = 0;
  }

  /** Lowers the level, for who keeps levels and lowers those as well, so that sums stay small enough to be exact. */
  lower(by: number): void {
    this.#level -= by;
    this.#unitLevel -= by;
    this.#sessionLevel -= by;
  }
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
