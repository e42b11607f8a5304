/**
 * Trade–book ledger: for every price near the touch, what was traded against it and what left its displayed size. Where ticks are fine
 * the unit is a cell of several ticks: a market maker who moves his quote by a tick is still the same supply.
 *
 * Over an interval a displayed size goes q0 → q1 while V is traded against it. With R = q0 − q1, at least
 * max(0, R − V) was cancelled and at least max(0, V − R) was added or hidden. Both are bounds: conflation hides pairs of
 * additions and cancels. Trades and book changes reach us on different paths, so each waits `guard` for its
 * counterpart, whichever comes first, before the rest settles.
 */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { LedgerLevel } from './ledger-level.js';
import { LedgerSide } from './ledger-side.js';
import { AFTER, BEFORE, LEVEL_CHANGE, type LevelChanges, PRICE } from './level-changes.js';
import { Ring } from './ring.js';

/** Values of an item: its time, the size traded or else the size removed (> 0) or added (< 0), and, once settled, its part in the bounds. */
const T = 0;
const TRADED = 1;
const REMOVED = 2;
const BOUND = 3;
const WIDTH = 4;

/** Stands for no level. */
const UNUSED = new LedgerLevel();

/** Sum of the displayed sizes of a side at prices in [low, high], a tick apart. */
export type Displayed = (side: BookSide, low: number, high: number) => number;

export class Ledger {
  readonly window: Micros;
  readonly guard: Micros;
  /** scaled price of a tick, and width of a cell: whole ticks */
  readonly tick: number;
  width: number;
  /** levels in use, in no particular order */
  readonly live: readonly [readonly LedgerLevel[], readonly LedgerLevel[]];
  /** items let go before their time because the ledger may not grow */
  evicted = 0;
  /** book changes at prices outside [low, high] (scaled) are of no interest */
  readonly band = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  readonly #sides: readonly [LedgerSide, LedgerSide];
  readonly #ring = new Ring(WIDTH);
  /** the level of each item of the ring */
  #owners: LedgerLevel[] = [];
  /** the first item that has not settled yet */
  #settled = 0;
  /** nothing settles or leaves before this */
  #due = Number.POSITIVE_INFINITY;
  /** what the book shows on a side in [low, high] (scaled), at this moment */
  readonly #displayed: Displayed;

  constructor(tick: number, window: Micros, guard: Micros, displayed: Displayed) {
    this.tick = tick;
    this.width = tick;
    this.#displayed = displayed;
    this.window = window;
    this.guard = guard;
    this.#sides = [new LedgerSide(tick), new LedgerSide(tick)];
    this.live = [this.#sides[BID].live, this.#sides[ASK].live];
  }

  /** Book changes are followed in [low, high], widened to every price traded in the window. Scaled prices. */
  follow(t: Micros, low: number, high: number): void {
    this.advance(t);
    this.band.low = low;
    this.band.high = high;
    for (const levels of this.live) for (const level of levels) this.#widen(level.cell);
  }

  #widen(cell: number): void {
    this.band.low = Math.min(this.band.low, cell * this.width);
    this.band.high = Math.max(this.band.high, (cell + 1) * this.width - this.tick);
  }

  /** Sets the width of cells, in ticks; another width than before forgets everything. */
  resize(ticks: number): void {
    if (this.width === ticks * this.tick) return;
    const { low, high } = this.band;
    this.clear();
    this.width = ticks * this.tick;
    for (const side of this.#sides) side.width = this.width;
    this.band.low = low;
    this.band.high = high;
  }

  /** A trade of `size` at `price` against the passive `side`. */
  trade(t: Micros, side: BookSide, price: number, size: number): void {
    this.advance(t);
    const level = this.#tradedLevel(t, side, Math.floor(price / this.width));
    level.trade(size);
    this.#append(t, level, size, 0);
  }

  /**
   * Displayed sizes have changed. `applied` must follow at the end of the message: only what a cell lost or gained by a whole message
   * counts.
   */
  changes({ values, bids, count }: LevelChanges): void {
    const { low, high } = this.band;
    const [bidSide, askSide] = this.#sides;
    for (let n = 0, at = 0; n < count; n++, at += LEVEL_CHANGE) {
      const price = values[at + PRICE];
      if (!(price >= low && price <= high)) continue;
      const side = n < bids ? bidSide : askSide;
      side.change(price, values[at + BEFORE] - values[at + AFTER]);
    }
  }

  /** A message was applied to the book as a whole. */
  applied(t: Micros): void {
    const [bids, asks] = this.#sides;
    if (!bids.moved && !asks.moved) return;
    this.advance(t);
    const epoch = Math.floor(t / this.window);
    for (const side of this.#sides) {
      if (!side.moved) continue;
      side.gather(t, this.guard);
      const { touched, touchedCount } = side;
      for (let i = 0; i < touchedCount; i++) {
        const level = touched[i];
        const removed = level.removing;
        level.removing = 0;
        level.touched = false;
        if (removed === 0) continue;
        level.remove(removed, epoch);
        this.#append(t, level, 0, removed);
      }
      side.touchedCount = 0;
    }
  }

  /** Settles what waited longer than the guard and lets go of what left (t − window, t]. */
  advance(t: Micros): void {
    if (t >= this.#due) this.#advance(t);
  }

  #advance(t: Micros): void {
    const ring = this.#ring;
    const { values, mask, next } = ring;
    const { guard, window } = this;
    let settled = this.#settled;
    let due = Number.POSITIVE_INFINITY;
    for (; settled < next; settled++) {
      const until = values[(settled & mask) * WIDTH + T] + guard;
      if (until >= t) {
        due = until;
        break;
      }
      this.#settle(settled);
    }
    this.#settled = settled;
    while (ring.first < next) {
      const until = values[(ring.first & mask) * WIDTH + T] + window;
      if (until > t) {
        if (until < due) due = until;
        break;
      }
      this.#drop();
    }
    this.#due = due;
  }

  #settle(n: number): void {
    const { values, mask } = this.#ring;
    const level = this.#owners[n & mask];
    if (n < level.birth) return; // it was let go meanwhile
    const at = (n & mask) * WIDTH;
    const removed = values[at + REMOVED];
    if (removed > 0) values[at + BOUND] = level.settleRemoval(removed);
    else if (removed === 0) values[at + BOUND] = level.settleTrade(values[at + TRADED]);
  }

  #drop(): void {
    const ring = this.#ring;
    const n = ring.first;
    if (this.#settled === n) this.#settle(this.#settled++);
    ring.first++;
    const { values, mask } = ring;
    const level = this.#owners[n & mask];
    if (n < level.birth) return;
    const at = (n & mask) * WIDTH;
    const removed = values[at + REMOVED];
    level.traded -= values[at + TRADED];
    level.removed -= removed;
    if (removed > 0) level.cancel -= values[at + BOUND];
    else level.refill -= values[at + BOUND];
    if (--level.items === 0) this.#sides[level.side].release(level);
  }

  #append(t: Micros, level: LedgerLevel, traded: number, removed: number): void {
    const ring = this.#ring;
    level.items++; // before the drop, which releases levels without items
    if (ring.full) this.#makeRoom();
    this.#owners[ring.next & ring.mask] = level;
    const at = ring.push();
    const { values } = ring;
    values[at + T] = t;
    values[at + TRADED] = traded;
    values[at + REMOVED] = removed;
    values[at + BOUND] = removed < 0 ? -removed : 0;
    if (t + this.guard < this.#due) this.#due = t + this.guard;
  }

  #makeRoom(): void {
    const ring = this.#ring;
    const { mask } = ring;
    if (!ring.grow()) {
      this.evicted++;
      this.#drop();
      return;
    }
    const owners = Array.from({ length: ring.mask + 1 }, () => UNUSED);
    for (let n = ring.first; n < ring.next; n++) owners[n & ring.mask] = this.#owners[n & mask];
    this.#owners = owners;
  }

  /** The cell's level, made where nothing was traded against it within the window. */
  #tradedLevel(t: Micros, side: BookSide, cell: number): LedgerLevel {
    const cells = this.#sides[side];
    const level = cells.place(cell);
    return level.traded > 0 ? level : this.#create(t, side, cell, level);
  }

  #create(t: Micros, side: BookSide, cell: number, level: LedgerLevel): LedgerLevel {
    const cells = this.#sides[side];
    if (level.items > 0) cells.release(level); // changes that outlived the trades they belonged to
    level.cell = cell;
    level.side = side;
    level.birth = this.#ring.next;
    level.epoch = Math.floor(t / this.window);
    cells.live.push(level);
    // a removal that came just before the trade may be its own
    const removed = Math.max(0, cells.recent.sum(t, cell, this.guard));
    level.displayed = this.#shownAt(side, cell);
    level.peak = level.displayed + removed;
    level.peakBefore = level.peak;
    if (removed > 0) {
      level.removed = removed;
      level.openRemoved = removed;
      level.runRemoved = removed;
      this.#append(t, level, 0, removed);
    }
    this.#widen(cell);
    return level;
  }

  /** What the book shows now in a cell. */
  #shownAt(side: BookSide, cell: number): number {
    const low = cell * this.width;
    return this.#displayed(side, low, low + this.width - this.tick);
  }

  /** What the book shows now in the cell that holds a scaled price. */
  shown(side: BookSide, price: number): number {
    return this.#shownAt(side, Math.floor(price / this.width));
  }

  /** The cell that holds a scaled price, or null when nothing was traded against it within the window. Call `advance` before. */
  at(side: BookSide, price: number): LedgerLevel | null {
    return this.#sides[side].find(Math.floor(price / this.width));
  }

  /** The level with the most traded volume in the window; among equals the one nearest to the spread. */
  hottest(t: Micros, side: BookSide): LedgerLevel | null {
    this.advance(t);
    let best: LedgerLevel | null = null;
    for (const level of this.live[side]) {
      if (level.traded === 0) continue;
      const nearer = best !== null && (side === ASK ? level.cell < best.cell : level.cell > best.cell);
      if (best === null || level.traded > best.traded || (level.traded === best.traded && nearer)) best = level;
    }
    return best;
  }

  /** Largest displayed size at a level over the last one to two windows. */
  maxDisplayed(level: LedgerLevel, t: Micros): number {
    const epoch = Math.floor(t / this.window);
    if (epoch !== level.epoch) level.roll(epoch);
    return Math.max(level.peak, level.peakBefore);
  }

  /** Forgets everything: the book or trades were lost. */
  clear(): void {
    for (const side of this.#sides) side.clear();
    this.#ring.clear();
    this.#settled = this.#ring.next;
    this.band.low = Number.POSITIVE_INFINITY;
    this.band.high = Number.NEGATIVE_INFINITY;
  }
}
