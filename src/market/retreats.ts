/** Retreats: levels that go ahead of somebody who trades towards them, hardly traded themselves. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { type BookHistory, bookHistory } from './book-history.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Group } from './groups.js';
import type { Market } from './market.js';
import { RecentTrades } from './recent-trades.js';
import { Ring } from './ring.js';
import { GRID, type GridStatistic } from './statistic.js';
import { usualDepth } from './usual-depth.js';

/** Values of an order that is waited for: receive and exchange time of its first print, its price and side. */
const FIRST_T = 0;
const MATCHED = 1;
const PRICE = 2;
const SIDE = 3;
const ORDER = 4;

/** Retreats that wait for late trades, and such as wait to be taken. */
const MOST_WAITING = 64;

export interface RetreatRules {
  /** levels from the touch on that must be gone */
  readonly levels: number;
  /** how far the touch must have gone back behind the order's first price, in bps of the mid */
  readonly near: number;
  /** largest share of what they displayed that was traded */
  readonly executed: number;
  /** least they displayed together: a share of the usual depth within so many bps, and a scaled size */
  readonly depth: number;
  readonly bps: number;
  readonly least: number;
}

/** When an order began: receive and exchange time of its first print; 0 where the venue says none. */
interface Order {
  readonly firstT: Micros;
  readonly matched: Micros;
}

/** What went, as far as it is known before late trades have come. Prices and sizes are scaled. */
interface Gone extends Order {
  /** of the levels */
  readonly side: BookSide;
  /** when they were looked for and found gone */
  readonly t: Micros;
  /** exchange time of the book then */
  readonly bookAt: Micros;
  /** what each of them displayed before the order, the nearest first */
  readonly levels: ReadonlyMap<number, number>;
  readonly displayed: number;
  /** what is usually displayed there, and the size they had to reach together; no integers */
  readonly usual: number;
  readonly gate: number;
  /** twice the mid before the order, and when they were found gone */
  readonly midBefore: number;
  readonly midAfter: number;
}

export interface Retreat extends Gone {
  /** traded of what they displayed */
  readonly executed: number;
}

const NONE: readonly Retreat[] = [];

/**
 * Two intervals of the venue's after an order, as long as the book is waited for, one comparison tells whether the touch it traded at went
 * back: that is all it costs, but for few orders. What went is judged a guard later, when no trade can explain it any more.
 */
export class Retreats implements Follower {
  readonly #market: Market;
  readonly #rules: RetreatRules;
  readonly #patience: Micros;
  readonly #history: BookHistory;
  readonly #trades: RecentTrades;
  /** of bids and of asks */
  readonly #usual: readonly [GridStatistic, GridStatistic];
  /** orders that the book is waited for, oldest first */
  readonly #orders = new Ring(ORDER);
  #waiting: Gone[] = [];
  #found: Retreat[] = [];
  /** the newest that was found, of bids and of asks: what went in it is not told again */
  #newest: [Retreat | null, Retreat | null] = [null, null];
  /** until then there is nothing to look at */
  #due = Number.POSITIVE_INFINITY;

  constructor(market: Market, rules: RetreatRules) {
    this.#market = market;
    this.#rules = rules;
    this.#patience = 2 * market.guard;
    this.#history = bookHistory(market, this.#oldest, 2 * rules.bps);
    this.#trades = new RecentTrades(this.#oldest + 2 * market.guard);
    this.#usual = [usualDepth(market, BID, rules.bps), usualDepth(market, ASK, rules.bps)];
    market.follow(this);
  }

  /** On a quiet feed seconds are told one by one, so an order is no older than this when it is looked at. */
  get #oldest(): Micros {
    return this.#patience + GRID;
  }

  group({ firstT, matched, firstPrice, side }: Group): void {
    const ring = this.#orders;
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    const { values } = ring;
    values[at + FIRST_T] = firstT;
    values[at + MATCHED] = matched;
    values[at + PRICE] = firstPrice;
    values[at + SIDE] = side;
    this.#due = Math.min(this.#due, firstT + this.#patience);
  }

  /** What waits was to be judged before this trade. */
  trade(t: Micros, side: number, price: number, size: number): void {
    this.#settle(t);
    this.#trades.add(t, side, price, size);
  }

  book(t: Micros): void {
    this.#settle(t);
  }

  tick(t: Micros): void {
    this.#settle(t);
  }

  #settle(t: Micros): void {
    if (t > this.#due) this.#pass(t);
  }

  #pass(t: Micros): void {
    const orders = this.#orders;
    const { values, mask } = orders;
    this.#judge(t);
    for (; orders.first < orders.next; orders.first++) {
      const at = (orders.first & mask) * ORDER;
      if (t <= values[at + FIRST_T] + this.#patience) break;
      this.#look(t, values[at + FIRST_T], values[at + MATCHED], values[at + PRICE], values[at + SIDE]);
    }
    const next =
      orders.first < orders.next ? values[(orders.first & mask) * ORDER + FIRST_T] : Number.POSITIVE_INFINITY;
    const waits = this.#waiting.length > 0 ? this.#waiting[0].t : Number.POSITIVE_INFINITY;
    this.#due = Math.min(next + this.#patience, waits + this.#market.guard);
  }

  /** An order has been waited for: have levels before it gone since? */
  #look(t: Micros, firstT: Micros, matched: Micros, price: number, side: number): void {
    const { bid, ask, track } = this.#market;
    const { near, levels: least, depth, least: size } = this.#rules;
    const back = side > 0 ? ask - price : price - bid;
    // also where the book is not known
    if (!(back >= least * track.book.tick && back >= (((bid + ask) / 2) * near) / 1e4)) return;
    const passive = side > 0 ? ASK : BID;
    const newest = this.#newest[passive];
    if (newest !== null && isShownIn(newest, { firstT, matched }, this.#market.guard)) return;
    if (!(bid < ask) || t - firstT > this.#oldest) return;
    const past = this.#history.before(passive, matched, firstT);
    const touch = side > 0 ? ask : bid;
    if (past === null || !(past.spread > 0) || !past.follows(past.touch) || !past.follows(touch)) return;
    const levels = new Map<number, number>();
    let displayed = 0;
    const step = side * track.book.tick;
    for (let at = past.touch; side * (touch - at) > 0; at += step) {
      const size = past.before(at);
      if (size === 0) continue;
      levels.set(at, size);
      displayed += size;
    }
    const usual = this.#market.usual(this.#usual[passive], 0.5);
    // NaN while the baseline is cold, zero where a tick is wider than the bps; a quotient is the same on any scale
    if (levels.size < least || !(usual > 0 && displayed / usual >= depth) || displayed < size) return;
    const gate = Math.max(depth * usual, size);
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
    const mids = { midBefore: past.bid + past.ask, midAfter: bid + ask };
    this.#waiting.push({
      side: passive,
      firstT,
      matched,
      t,
      bookAt: track.bookAt,
      levels,
      displayed,
      usual,
      gate,
      ...mids,
    });
  }

  /** What went longer than a guard ago: how much of it was traded? */
  #judge(t: Micros): void {
    const waiting = this.#waiting;
    while (waiting.length > 0 && t > waiting[0].t + this.#market.guard) {
      const [gone] = waiting.splice(0, 1);
      const { side, levels, displayed } = gone;
      const newest = this.#newest[side];
      if (newest !== null && isShownIn(newest, gone, this.#market.guard)) continue;
      // trades up to an interval before the order count as well: the book may not have shown them
      const traded = this.#trades.byPrice(side, gone.firstT - this.#market.guard);
      let executed = 0;
      for (const [price, size] of levels) executed += Math.min(size, traded.get(price) ?? 0);
      if (executed > this.#rules.executed * displayed) continue;
      const retreat = { ...gone, executed };
      this.#newest[side] = retreat;
      if (this.#found.length >= MOST_WAITING) this.#found.shift();
      this.#found.push(retreat);
    }
  }

  /** Retreats found since this was last asked, in the order in which they were. */
  take(t: Micros): readonly Retreat[] {
    this.#settle(t);
    if (this.#found.length === 0) return NONE;
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** One that was found hangs on those before it, however long they go on. */
  unit(): void {
    this.#newest = [null, null];
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.#orders.clear();
    this.#waiting = [];
    this.#found = [];
    this.#newest = [null, null];
    this.#trades.clear();
    this.#due = Number.POSITIVE_INFINITY;
  }
}

/** Whether the book in which levels were found gone may show them gone before an order that was made then, too: it is part of the same. */
function isShownIn({ bookAt, t }: Retreat, { matched, firstT }: Order, guard: Micros): boolean {
  return matched > 0 && bookAt > 0 ? matched <= bookAt : firstT <= t + guard;
}
