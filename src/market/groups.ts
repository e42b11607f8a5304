/** Aggressor groups: the prints of one taker order put together again. */
import type { Micros } from '../model/entry.js';

/** Data time after which a group is closed even if its key goes on. */
export const GROUP_HOLD: Micros = 10_000;
/** Closed groups older than this count for no window, so that windows of groups have a bounded past. */
export const GROUP_MAX_AGE: Micros = 60_000_000;

/** One taker order as far as its prints show it; sizes and prices are scaled integers. */
export interface Group {
  /** receive time of the first and last print */
  firstT: Micros;
  lastT: Micros;
  /** exchange time, the same for all its prints; 0 where the venue says none */
  matched: Micros;
  /** the venue's number of the order; -1 where its prints have none */
  order: number;
  /** +1 buying, -1 selling aggressor */
  side: number;
  volume: number;
  prints: number;
  /** distinct prices, and the first and last of them */
  levels: number;
  firstPrice: number;
  lastPrice: number;
}

/** Signed sums over the last `size` groups, the open one included. */
export class GroupWindow {
  readonly size: number;
  /** the last `size − 1` closed groups */
  readonly #signed: Float64Array;
  readonly #times: Float64Array;
  #next = 0;
  #buy = 0;
  #sell = 0;
  readonly #open: Group;

  constructor(size: number, open: Group) {
    this.size = size;
    this.#signed = new Float64Array(Math.max(1, size - 1));
    this.#times = new Float64Array(Math.max(1, size - 1));
    this.#open = open;
  }

  /** A group was closed. */
  close(group: Group): void {
    const room = this.size - 1;
    if (room === 0) return;
    const at = this.#next % room;
    if (this.#next >= room) {
      const old = this.#signed[at];
      if (old > 0) this.#buy -= old;
      else this.#sell += old;
    }
    this.#signed[at] = group.side * group.volume;
    this.#times[at] = group.firstT;
    if (group.side > 0) this.#buy += group.volume;
    else this.#sell += group.volume;
    this.#next++;
  }

  clear(): void {
    this.#next = 0;
    this.#buy = 0;
    this.#sell = 0;
  }

  /** `t` of the first print of the oldest of the last `size` groups; NaN when there are not so many young enough. */
  firstT(t: Micros): Micros {
    if (this.#open.prints === 0 || this.#next < this.size - 1) return Number.NaN;
    const first = this.size === 1 ? this.#open.firstT : this.#times[this.#next % (this.size - 1)];
    return first > t - GROUP_MAX_AGE ? first : Number.NaN;
  }

  /** scaled size bought by aggressors; meaningful while `firstT` is not NaN */
  get buy(): number {
    return this.#open.side > 0 ? this.#buy + this.#open.volume : this.#buy;
  }

  get sell(): number {
    return this.#open.side < 0 ? this.#sell + this.#open.volume : this.#sell;
  }
}

/**
 * Joins consecutive prints of the same matched time, side, contiguous ids and monotone price (never better for the
 * taker as it goes on), and where the venue numbers orders, of one number; prints off the book among them are left out. On Binance that key is
 * strong, and so is a number; where a venue gives no matched time, the receive time within `hold` stands in and the result is a heuristic.
 */
export class Groups {
  /** the group that is still growing; `prints` 0 before the first */
  readonly open: Group = {
    firstT: 0,
    lastT: 0,
    matched: 0,
    order: -1,
    side: 0,
    volume: 0,
    prints: 0,
    levels: 0,
    firstPrice: 0,
    lastPrice: 0,
  };
  readonly hold: Micros;
  readonly #listeners: ((group: Group) => void)[] = [];
  /** the open group was told of: nothing can join it any more */
  #told = false;
  readonly #windows: GroupWindow[] = [];
  #lastId = -1;

  constructor(hold: Micros = GROUP_HOLD) {
    this.hold = hold;
  }

  /**
   * Calls `listener` with every group once it is complete: when another begins, or when `hold` has passed without a print of it.
   * The object is used again.
   */
  onComplete(listener: (group: Group) => void): void {
    this.#listeners.push(listener);
  }

  /** The time after which the open group is complete; Infinity where nobody waits for that. */
  get due(): Micros {
    const waits = this.#listeners.length > 0 && this.open.prints > 0 && !this.#told;
    return waits ? this.open.lastT + this.hold : Number.POSITIVE_INFINITY;
  }

  /** Time has passed `due`: the open group is told of. It stays the newest of the windows until another begins. */
  complete(): void {
    if (this.#told || this.open.prints === 0) return;
    this.#told = true;
    for (const listener of this.#listeners) listener(this.open);
  }

  /** The window over the last `size` groups; equal sizes share one. */
  last(size: number): GroupWindow {
    const known = this.#windows.find((window) => window.size === size);
    if (known !== undefined) return known;
    const window = new GroupWindow(size, this.open);
    this.#windows.push(window);
    return window;
  }

  /**
   * Adds a print of the ids `first` to `id` (-1: it has none), and of the order that the venue numbers so (-1: it does not). Returns true
   * when it opened a new group.
   */
  add(
    t: Micros,
    matched: number,
    id: number,
    side: number,
    price: number,
    size: number,
    first = id,
    order = -1,
  ): boolean {
    const { open } = this;
    const joins =
      open.prints > 0 &&
      side === open.side &&
      matched === open.matched &&
      order === open.order &&
      t - open.lastT <= this.hold &&
      (id < 0 || first === this.#lastId + 1) &&
      (side > 0 ? price >= open.lastPrice : price <= open.lastPrice);
    this.#lastId = id;
    if (joins) {
      open.lastT = t;
      open.volume += size;
      open.prints++;
      if (price !== open.lastPrice) {
        open.levels++;
        open.lastPrice = price;
      }
      return false;
    }
    this.close();
    this.#told = false;
    open.firstT = t;
    open.lastT = t;
    open.matched = matched;
    open.order = order;
    open.side = side;
    open.volume = size;
    open.prints = 1;
    open.levels = 1;
    open.firstPrice = price;
    open.lastPrice = price;
    return true;
  }

  /** A print off the book has these ids: it joins no group, and the ids of one may go on behind it. */
  skip(first: number, id: number): void {
    if (first === this.#lastId + 1) this.#lastId = id;
  }

  /** Closes the open group, if any. */
  close(): void {
    const { open } = this;
    if (open.prints === 0) return;
    this.complete();
    for (const window of this.#windows) window.close(open);
    open.prints = 0;
  }

  /** Forgets everything: trades are missing. */
  clear(): void {
    this.open.prints = 0;
    this.open.side = 0;
    this.open.volume = 0;
    this.#lastId = -1;
    for (const window of this.#windows) window.clear();
  }
}
