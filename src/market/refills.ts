/** Prices that aggressors trade against, and the runs of refills there. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { Effect } from './effect.js';
import type { Band, Follower } from './follower.js';
import { AFTER, BEFORE, LEVEL_CHANGE, type LevelChanges, PRICE } from './level-changes.js';
import type { Market } from './market.js';
import { RecentChanges } from './recent-changes.js';
import { type RefillRules, RefillRun } from './refill-run.js';

/** Prices followed at a time; one more lets go of the oldest whose run has not begun. */
const MOST = 64;
/** A fall this deep may be that of a trade which is still on its way. */
const LOW = 0.2;
/** The book is followed so many ticks beyond the touch, and wherever there are runs. */
const REACH = 5;
/** Falls remembered of each side, by price. */
const FALLS = 64;

/** The last deep falls of one side: what stood there before, and when it fell. */
class Falls {
  readonly prices = new Float64Array(FALLS).fill(Number.NaN);
  readonly times = new Float64Array(FALLS);
  readonly before = new Float64Array(FALLS);

  clear(): void {
    this.prices.fill(Number.NaN);
  }
}

/** A run is looked after from the first trade on, or where the book was first, from the fall that the trade made. */
export class Refills implements Follower {
  readonly band: Band = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  readonly levels = {
    band: this.band,
    changes: ({ values, bids, count }: LevelChanges): void => {
      const { low, high } = this.band;
      for (let n = 0, at = 0; n < count; n++, at += LEVEL_CHANGE) {
        const price = values[at + PRICE];
        if (price >= low && price <= high)
          this.#change(n < bids ? BID : ASK, price, values[at + BEFORE], values[at + AFTER]);
      }
    },
  };
  readonly #market: Market;
  readonly #rules: RefillRules;
  /** by price, negative for a bid, the oldest first */
  readonly #runs = new Map<number, RefillRun>();
  /** runs that have begun and may have news */
  #told: RefillRun[] = [];
  readonly #falls: readonly [Falls, Falls] = [new Falls(), new Falls()];
  /** runs whose level the message under way changed, and what it left */
  readonly #changed: RefillRun[] = [];
  readonly #after: number[] = [];
  /** what stood before each change near the touch, by price, negative of a bid: a trade may come after the book that shows it */
  readonly #recent = new RecentChanges();
  /** the newest message whose changes the runs were told */
  readonly #newest = { t: Number.NEGATIVE_INFINITY, at: 0 };
  /** no run has to be looked at before this time */
  #due = Number.POSITIVE_INFINITY;

  constructor(market: Market, rules: Omit<RefillRules, 'guard'>) {
    this.#market = market;
    this.#rules = { ...rules, guard: market.guard };
    market.follow(this);
  }

  #change(side: BookSide, price: number, before: number, after: number): void {
    if (after <= LOW * before) {
      const falls = this.#falls[side];
      const at = this.#placeOf(price);
      falls.prices[at] = price;
      falls.times[at] = this.#market.t;
      falls.before[at] = before;
    }
    this.#recent.add(this.#market.t, side === BID ? -price : price, before, this.#market.guard);
    if (this.#runs.size === 0) return;
    const run = this.#runs.get(side === BID ? -price : price);
    if (run === undefined) return;
    this.#changed.push(run);
    this.#after.push(after);
  }

  #placeOf(price: number): number {
    return Math.floor(price / this.#market.track.book.tick) & (FALLS - 1);
  }

  trade(t: Micros, side: number, price: number, size: number): void {
    this.advance(t);
    const passive = side > 0 ? ASK : BID;
    const key = passive === BID ? -price : price;
    const run = this.#runs.get(key) ?? this.#begin(t, passive, price);
    if (run === null) return;
    run.trade(t, size, this.#market.groups.open.matched);
    this.#look(run);
  }

  #begin(t: Micros, side: BookSide, price: number): RefillRun | null {
    const { track, bid, ask, guard } = this.#market;
    if (track.state !== 'valid' || !(bid < ask)) return null;
    const shown = track.book.sizeAt(side, price);
    const falls = this.#falls[side];
    const at = this.#placeOf(price);
    const isFallen = falls.prices[at] === price && t - falls.times[at] <= guard;
    const peak = isFallen ? falls.before[at] : shown;
    if (!(peak > 0) || !this.#makeRoom()) return null;
    const key = side === BID ? -price : price;
    const stood = Math.max(peak, this.#recent.first(t, key, this.#market.guard, shown));
    const run = new RefillRun(this.#rules, t, side, price, peak, stood);
    if (isFallen) {
      run.show(falls.times[at], 0);
      if (shown > 0) run.show(t, shown);
    }
    this.#runs.set(key, run);
    this.band.low = Math.min(this.band.low, price);
    this.band.high = Math.max(this.band.high, price);
    return run;
  }

  #makeRoom(): boolean {
    if (this.#runs.size < MOST) return true;
    for (const [key, { isRunning }] of this.#runs) if (!isRunning) return this.#runs.delete(key);
    return false;
  }

  book(t: Micros): void {
    this.advance(t);
    if (this.#changed.length > 0) this.#showChanged(t);
    const { bid, ask, track } = this.#market;
    this.#newest.t = t;
    this.#newest.at = track.bookAt;
    if (!(bid < ask)) this.#end();
    else {
      const reach = REACH * track.book.tick;
      if (bid - reach < this.band.low) this.band.low = bid - reach;
      if (ask + reach > this.band.high) this.band.high = ask + reach;
    }
  }

  #showChanged(t: Micros): void {
    const changed = this.#changed;
    for (let n = 0; n < changed.length; n++) {
      if (changed[n].over !== null) continue;
      changed[n].show(t, this.#after[n]);
      this.#look(changed[n]);
    }
    changed.length = 0;
    this.#after.length = 0;
  }

  /** The book is one-sided or crossed: what is displayed means nothing. */
  #end(): void {
    for (const run of this.#runs.values()) {
      run.over = 'faded';
      this.#look(run);
    }
    this.#runs.clear();
  }

  #look(run: RefillRun): void {
    if (run.due < this.#due) this.#due = run.due;
    if (run.isRunning && !this.#told.includes(run)) this.#told.push(run);
  }

  /** Time has come to `t`. */
  advance(t: Micros): void {
    if (t > this.#due) this.#advance(t);
  }

  #advance(t: Micros): void {
    this.#due = Number.POSITIVE_INFINITY;
    for (const [key, run] of this.#runs) {
      run.advance(t, this.#newest);
      if (run.over !== null) this.#runs.delete(key);
      this.#look(run);
    }
  }

  /** Runs that have begun and may have news since this was last asked: cycles, or their end. */
  take(t: Micros): readonly RefillRun[] {
    this.advance(t);
    if (this.#told.length === 0) return NONE;
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** A second has passed: the band is that of the touch and the runs there are. */
  tick(): void {
    const { bid, ask, track } = this.#market;
    if (!(bid < ask)) return;
    const reach = REACH * track.book.tick;
    let low = bid - reach;
    let high = ask + reach;
    for (const { price } of this.#runs.values()) {
      if (price < low) low = price;
      if (price > high) high = price;
    }
    this.band.low = low;
    this.band.high = high;
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.#forget();
  }

  /** Runs may be of any age. */
  unit(): void {
    this.#forget();
  }

  #forget(): void {
    this.#runs.clear();
    this.#told = [];
    this.#changed.length = 0;
    this.#after.length = 0;
    for (const falls of this.#falls) falls.clear();
    this.#recent.clear();
    this.#due = Number.POSITIVE_INFINITY;
    this.band.low = Number.POSITIVE_INFINITY;
    this.band.high = Number.NEGATIVE_INFINITY;
  }
}

const NONE: readonly RefillRun[] = [];
