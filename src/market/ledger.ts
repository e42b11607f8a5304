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
import { Ring } from './ring.js';

/** Cells of one side that can be followed at once; more than a window of seconds touches. */
const MAX_SLOTS = 4096;

/** Cells near the touch whose last change is remembered. */
const RECENT_CELLS = 64;

const T = 0;
/** item: traded (> 0) or 0 */
const TRADED = 1;
/** item: displayed size removed (> 0), added (< 0) or 0 */
const REMOVED = 2;
/** item, once settled: what it adds to the bounds */
const REFILL = 3;
const CANCEL = 4;

/** What cells without trades lost of late: one of their trades may still be on its way. */
class RecentRemovals {
  readonly #cells = new Float64Array(RECENT_CELLS).fill(Number.NaN);
  readonly #times = new Float64Array(RECENT_CELLS);
  readonly #removed = new Float64Array(RECENT_CELLS);

  add(t: Micros, cell: number, removed: number, guard: Micros): void {
    const at = cell & (RECENT_CELLS - 1);
    if (this.#cells[at] !== cell || t - this.#times[at] > guard) {
      this.#cells[at] = cell;
      this.#removed[at] = 0;
    }
    this.#times[at] = t;
    this.#removed[at] += removed;
  }

  /** Net size lost within the guard before `t`; it is forgotten. */
  take(t: Micros, cell: number, guard: Micros): number {
    const at = cell & (RECENT_CELLS - 1);
    if (this.#cells[at] !== cell || t - this.#times[at] > guard) return 0;
    this.#cells[at] = Number.NaN;
    return Math.max(0, this.#removed[at]);
  }

  clear(): void {
    this.#cells.fill(Number.NaN);
  }
}

/** One cell of one side against which something was traded within the window. Sums are over the ledger's window; all sizes are scaled integers. */
export class LedgerLevel {
  /** number of the cell, counted from price zero; NaN: unused */
  cell = Number.NaN;
  side: BookSide = BID;
  /** items of the window that concern this cell, and the first item it ever had */
  items = 0;
  birth = 0;
  /** traded against this cell */
  traded = 0;
  /** displayed size lost minus gained */
  removed = 0;
  /** settled bounds, summed over intervals: added or hidden at least, cancelled at least */
  refill = 0;
  cancel = 0;
  /** not settled yet: sums of items, and how much of them has met its counterpart */
  openTraded = 0;
  openRemoved = 0;
  metTraded = 0;
  metRemoved = 0;
  /** displayed now */
  displayed = 0;
  /** largest displayed size in this and the previous epoch of one window's length */
  peak = 0;
  peakBefore = 0;
  epoch = 0;
  /** displayed size lost by the message under way */
  removing = 0;
  touched = false;
  /** traded and removed since the displayed size last grew */
  runTraded = 0;
  runRemoved = 0;

  /** Traded volume that has had time to show in the book. */
  get settledTraded(): number {
    return this.traded - (this.openTraded - this.metTraded);
  }

  /** At least this much was added or hidden over the whole window: V − R. */
  get refillNet(): number {
    return Math.max(0, this.settledTraded - this.removed);
  }
}

/** Sum of the displayed sizes of a side at prices in [low, high], a tick apart. */
export type Displayed = (side: BookSide, low: number, high: number) => number;

export class Ledger {
  readonly window: Micros;
  readonly guard: Micros;
  /** scaled price of a tick, and width of a cell: whole ticks */
  readonly tick: number;
  width: number;
  /** levels in use, in no particular order */
  readonly live: [LedgerLevel[], LedgerLevel[]] = [[], []];
  /** levels or items let go before their time because the ledger may not grow */
  evicted = 0;
  /** book changes at prices outside [low, high] (scaled) are of no interest */
  readonly band = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  readonly #tables: [LedgerLevel[], LedgerLevel[]];
  readonly #ring = new Ring(5, 256);
  /** the level of each item of the ring */
  #owners: LedgerLevel[] = [];
  readonly #touched: LedgerLevel[] = [];
  #touchedCount = 0;
  readonly #recent: [RecentRemovals, RecentRemovals] = [new RecentRemovals(), new RecentRemovals()];
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
    this.#tables = [createTable(64), createTable(64)];
  }

  /** Book changes are followed in [low, high], widened to every price traded in the window. Scaled prices. */
  follow(t: Micros, low: number, high: number): void {
    this.advance(t);
    this.band.low = low;
    this.band.high = high;
    for (const side of this.live)
      for (const level of side) {
        this.band.low = Math.min(this.band.low, level.cell * this.width);
        this.band.high = Math.max(this.band.high, (level.cell + 1) * this.width - this.tick);
      }
  }

  /** Sets the width of cells, in ticks; another width than before forgets everything. */
  resize(ticks: number): void {
    if (this.width === ticks * this.tick) return;
    const [low, high] = [this.band.low, this.band.high];
    this.clear();
    this.width = ticks * this.tick;
    this.band.low = low;
    this.band.high = high;
  }

  /** A trade of `size` at `price` against the passive `side`. */
  trade(t: Micros, side: BookSide, price: number, size: number): void {
    this.advance(t);
    const level = this.#tradedLevel(t, side, Math.floor(price / this.width));
    const met = Math.min(size, level.openRemoved - level.metRemoved);
    level.metRemoved += met;
    level.metTraded += met;
    level.openTraded += size;
    level.traded += size;
    level.runTraded += size;
    this.#append(t, level, size, 0);
  }

  /**
   * The displayed size at a price has changed; prices outside the band are ignored. `applied` must follow at the end of the
   * message: only what a cell lost or gained by a whole message counts.
   */
  change(t: Micros, side: BookSide, price: number, before: number, after: number): void {
    const { low, high } = this.band;
    if (price < low || price > high) return;
    this.advance(t);
    const cell = Math.floor(price / this.width);
    const table = this.#tables[side];
    const level = table[cell & (table.length - 1)];
    if (level.cell !== cell || level.traded === 0) {
      this.#recent[side].add(t, cell, before - after, this.guard);
      return;
    }
    if (!level.touched) {
      level.touched = true;
      this.#touched[this.#touchedCount++] = level;
    }
    level.removing += before - after;
  }

  /** A message was applied to the book as a whole. */
  applied(t: Micros): void {
    if (this.#touchedCount === 0) return;
    for (let i = 0; i < this.#touchedCount; i++) this.#remove(t, this.#touched[i]);
    this.#touchedCount = 0;
  }

  #remove(t: Micros, level: LedgerLevel): void {
    const removed = level.removing;
    level.removing = 0;
    level.touched = false;
    if (removed === 0) return;
    if (removed > 0) {
      const met = Math.min(removed, level.openTraded - level.metTraded);
      level.metTraded += met;
      level.metRemoved += met;
      level.openRemoved += removed;
      level.runRemoved += removed;
    } else if (removed < 0) {
      level.refill -= removed;
      level.runTraded = 0;
      level.runRemoved = 0;
    }
    level.removed += removed;
    const epoch = Math.floor(t / this.window);
    if (epoch !== level.epoch) rollEpoch(level, epoch);
    level.displayed -= removed;
    if (level.displayed > level.peak) level.peak = level.displayed;
    this.#append(t, level, 0, removed);
  }

  /** What the book shows now in a cell. */
  #shownAt(side: BookSide, cell: number): number {
    const low = cell * this.width;
    return this.#displayed(side, low, low + this.width - this.tick);
  }

  /** Settles what waited longer than the guard and lets go of what left (t − window, t]. */
  advance(t: Micros): void {
    if (t < this.#due) return;
    const ring = this.#ring;
    const times = ring.columns[T];
    const { mask } = ring;
    while (this.#settled < ring.next && times[this.#settled & mask] < t - this.guard) this.#settle(this.#settled++);
    while (ring.first < ring.next && times[ring.first & mask] <= t - this.window) this.#drop();
    this.#due = Number.POSITIVE_INFINITY;
    if (this.#settled < ring.next) this.#due = times[this.#settled & mask] + this.guard;
    if (ring.first < ring.next) this.#due = Math.min(this.#due, times[ring.first & mask] + this.window);
  }

  #settle(n: number): void {
    const { columns, mask } = this.#ring;
    const level = this.#owner(n);
    if (level === null) return;
    const at = n & mask;
    const traded = columns[TRADED][at];
    const removed = columns[REMOVED][at];
    if (traded > 0) {
      const met = Math.min(traded, level.metTraded);
      level.metTraded -= met;
      level.openTraded -= traded;
      level.refill += traded - met;
      columns[REFILL][at] = traded - met;
    } else if (removed > 0) {
      const met = Math.min(removed, level.metRemoved);
      level.metRemoved -= met;
      level.openRemoved -= removed;
      level.cancel += removed - met;
      columns[CANCEL][at] = removed - met;
    }
  }

  #drop(): void {
    const ring = this.#ring;
    const n = ring.first;
    if (this.#settled === n) this.#settle(this.#settled++);
    const level = this.#owner(n);
    ring.first++;
    if (level === null) return;
    const { columns } = ring;
    const at = n & ring.mask;
    level.traded -= columns[TRADED][at];
    level.removed -= columns[REMOVED][at];
    level.refill -= columns[REFILL][at];
    level.cancel -= columns[CANCEL][at];
    if (--level.items === 0) this.#release(level);
  }

  /** The level an item belongs to; null when it was evicted meanwhile. */
  #owner(n: number): LedgerLevel | null {
    const level = this.#owners[n & this.#ring.mask];
    return n >= level.birth ? level : null;
  }

  #append(t: Micros, level: LedgerLevel, traded: number, removed: number): void {
    const ring = this.#ring;
    level.items++; // before the drop, which releases levels without items
    if (ring.full) this.#makeRoom();
    const at = ring.push();
    const { columns } = ring;
    columns[T][at] = t;
    this.#owners[at] = level;
    columns[TRADED][at] = traded;
    columns[REMOVED][at] = removed;
    columns[REFILL][at] = removed < 0 ? -removed : 0;
    columns[CANCEL][at] = 0;
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
    const owners: LedgerLevel[] = Array.from({ length: ring.mask + 1 }, () => UNUSED);
    for (let n = ring.first; n < ring.next; n++) owners[n & ring.mask] = this.#owners[n & mask];
    this.#owners = owners;
  }

  /** The cell's level, made where nothing was traded against it within the window. */
  #tradedLevel(t: Micros, side: BookSide, cell: number): LedgerLevel {
    let table = this.#tables[side];
    let level = table[cell & (table.length - 1)];
    while (level.items > 0 && level.cell !== cell) {
      if (table.length >= MAX_SLOTS) {
        this.evicted++;
        this.#release(level);
        break;
      }
      table = this.#growTable(side);
      level = table[cell & (table.length - 1)];
    }
    if (level.traded > 0) return level;
    if (level.items > 0) this.#release(level); // changes that outlived the trades they belonged to
    level.cell = cell;
    level.side = side;
    level.birth = this.#ring.next;
    level.epoch = Math.floor(t / this.window);
    this.live[side].push(level);
    // a removal that came just before the trade may be its own
    const removed = this.#recent[side].take(t, cell, this.guard);
    level.displayed = this.#shownAt(side, cell);
    level.peak = level.displayed + removed;
    level.peakBefore = level.peak;
    if (removed > 0) {
      level.removed = removed;
      level.openRemoved = removed;
      level.runRemoved = removed;
      this.#append(t, level, 0, removed);
    }
    const low = cell * this.width;
    this.band.low = Math.min(this.band.low, low);
    this.band.high = Math.max(this.band.high, low + this.width - this.tick);
    return level;
  }

  #growTable(side: BookSide): LedgerLevel[] {
    const table = createTable(this.#tables[side].length * 2);
    for (const level of this.live[side]) table[level.cell & (table.length - 1)] = level;
    this.#tables[side] = table;
    return table;
  }

  #release(level: LedgerLevel): void {
    const live = this.live[level.side];
    const last = live.pop();
    const at = last === undefined || last === level ? -1 : live.indexOf(level);
    if (at >= 0 && last !== undefined) live[at] = last;
    level.cell = Number.NaN;
    level.birth = Number.POSITIVE_INFINITY;
    level.items = 0;
    level.traded = 0;
    level.removed = 0;
    level.refill = 0;
    level.cancel = 0;
    level.openTraded = 0;
    level.openRemoved = 0;
    level.metTraded = 0;
    level.metRemoved = 0;
    level.runTraded = 0;
    level.runRemoved = 0;
    level.removing = 0;
    level.touched = false;
  }

  /** What the book shows now in the cell that holds a scaled price. */
  shown(side: BookSide, price: number): number {
    return this.#shownAt(side, Math.floor(price / this.width));
  }

  /** The cell that holds a scaled price, or null when nothing was traded against it within the window. Call `advance` before. */
  at(side: BookSide, price: number): LedgerLevel | null {
    const cell = Math.floor(price / this.width);
    const table = this.#tables[side];
    const level = table[cell & (table.length - 1)];
    return level.items > 0 && level.cell === cell ? level : null;
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
    if (epoch !== level.epoch) rollEpoch(level, epoch);
    return Math.max(level.peak, level.peakBefore);
  }

  /** Forgets everything: the book or trades were lost. */
  clear(): void {
    for (const side of this.live) for (const level of [...side]) this.#release(level);
    this.#touchedCount = 0;
    for (const recent of this.#recent) recent.clear();
    this.#ring.clear();
    this.#settled = this.#ring.next;
    this.band.low = Number.POSITIVE_INFINITY;
    this.band.high = Number.NEGATIVE_INFINITY;
  }
}

function rollEpoch(level: LedgerLevel, epoch: number): void {
  // what stood at the end of an epoch stood at the start of the next
  level.peakBefore = epoch === level.epoch + 1 ? level.peak : level.displayed;
  level.peak = level.displayed;
  level.epoch = epoch;
}

/** Stands for no level. */
const UNUSED = new LedgerLevel();

function createTable(size: number): LedgerLevel[] {
  return Array.from({ length: size }, () => new LedgerLevel());
}
