/** The session before the running one: between which prices it traded, where all of it is known. */
import type { Micros } from '../model/entry.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { sessionSpan } from './session.js';

/** Scaled prices of the highest and the lowest print of a session. */
export interface SessionRange {
  start: Micros;
  end: Micros;
  high: number;
  low: number;
}

/**
 * A session is hours long, and a reader that begins with a unit knows nothing older than the look-back before it. So the session
 * before is known where that and the unit hold all of it (units of a day do, from the second session on), and no trades of it are
 * missing. Where reading began is then of no account.
 */
export class PriorSession implements Follower {
  readonly #market: Market;
  /** the session of the newest print; it lasts until `#end` */
  #start: Micros = Number.NEGATIVE_INFINITY;
  #end: Micros = Number.NEGATIVE_INFINITY;
  #high = Number.NEGATIVE_INFINITY;
  #low = Number.POSITIVE_INFINITY;
  /** the last one before it that had prints; null where trades of it may be missing */
  #before: SessionRange | null = null;
  /** every reader of this unit has read from here on */
  #horizon: Micros = Number.NEGATIVE_INFINITY;

  constructor(market: Market) {
    this.#market = market;
    market.follow(this);
  }

  trade(t: Micros, _side: number, price: number): void {
    if (t >= this.#end) this.#begin(t);
    if (price > this.#high) this.#high = price;
    if (price < this.#low) this.#low = price;
  }

  #begin(t: Micros): void {
    this.#before = this.#whole();
    const { start, end } = sessionSpan(t);
    this.#start = start;
    this.#end = end;
    this.#high = Number.NEGATIVE_INFINITY;
    this.#low = Number.POSITIVE_INFINITY;
  }

  /** The session of the newest print. What was lost behind it may have been traded in it still, until another print comes. */
  #whole(): SessionRange | null {
    if (!(this.#start >= this.#market.tradesSince)) return null;
    return { start: this.#start, end: this.#end, high: this.#high, low: this.#low };
  }

  unit(start: Micros): void {
    this.#horizon = start - this.#market.options.lookback;
  }

  /** The session that ended as that of `t` began, which is now; null where it is not known, or nothing was traded in it. */
  at(t: Micros): SessionRange | null {
    const { start } = sessionSpan(t);
    const range = start === this.#start ? this.#before : this.#whole();
    return range !== null && range.end === start && range.start >= this.#horizon ? range : null;
  }
}
