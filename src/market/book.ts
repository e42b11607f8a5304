/**
 * The order book of one src: a dense price ladder around the touch with occupancy bitmaps, far levels in a hash table.
 *
 * Prices and sizes are scaled integers (model/instrument.ts). A change costs O(1); best prices are looked up through two
 * bitmap levels only after the touch itself was deleted; nothing is allocated on the hot path.
 */

import {
  type BookRooms,
  BookState,
  type FastBook,
  LADDER_TICKS,
  NO_ASK,
  NO_BID,
  plainRoom,
} from '../model/book-room.js';
import { above, below, clearLadder, createLadder, type Ladder, sumDown, sumUp } from './ladder.js';

const WINDOW = LADDER_TICKS;
/** Nearer to the ladder's edge than this, the ladder is moved. */
const MARGIN = WINDOW >> 3;

export type BookSide = 0 | 1;
export const BID: BookSide = BookState.BID;
export const ASK: BookSide = BookState.ASK;
const { EDGE } = BookState;

/** Hears of every level that is set, see `Book.apply`. */
export type LevelListener = (side: BookSide, price: number, before: number, after: number) => void;

/** Called where nobody listens: a comparison that is never true keeps it out of the way. */
const NOBODY: LevelListener = () => {};

const noneOf = (side: BookSide): number => (side === BID ? NO_BID : NO_ASK);

/** Order book with exact integer prices; see the file comment for costs. */
export class Book {
  /** scaled price of one tick */
  readonly tick: number;
  readonly #inverse: number;
  /** tick number of ladder index 0, and its scaled price: NaN while the ladder has no place */
  #base = 0;
  #zero = Number.NaN;
  readonly #sides: [Ladder, Ladder];
  /** best indices and whether the ladder must be moved, see `BookState` */
  readonly #state: Int32Array;
  readonly #fast: FastBook | null;
  readonly #leave: () => void;
  /** what `set` hands to `apply` */
  readonly #one = new Float64Array(2);

  /** @param tick scaled price of one tick, > 0 @param rooms where the levels live */
  constructor(tick: number, rooms: BookRooms = plainRoom) {
    this.tick = tick;
    this.#inverse = 1 / tick;
    const { sides, state, fast, leave } = rooms();
    this.#sides = [createLadder(sides[BID]), createLadder(sides[ASK])];
    this.#state = state;
    this.#fast = fast;
    this.#leave = leave;
    this.#forget();
  }

  /** Gives up its memory to the next book; nothing may be asked of this one any more. */
  leave(): void {
    this.#leave();
  }

  clear(): void {
    for (const ladder of this.#sides) clearLadder(ladder);
    this.#forget();
  }

  #forget(): void {
    this.#state[BID] = NO_BID;
    this.#state[ASK] = NO_ASK;
    this.#state[EDGE] = 0;
    this.#zero = Number.NaN;
  }

  /** Sets the size at a price (0 deletes). Returns the size before; deleting an unknown level is normal and returns 0. */
  set(side: BookSide, price: number, size: number): number {
    const before = this.sizeAt(side, price);
    this.#one[0] = price;
    this.#one[1] = size;
    this.apply(side, this.#one, 0, 2);
    return before;
  }

  /**
   * Applies a whole message: the [price, size] pairs from `levels[from]` on, so many bids and then so many asks. `listener` hears of
   * those with low <= price <= high.
   */
  message(
    levels: Float64Array,
    from: number,
    bids: number,
    asks: number,
    low = Number.POSITIVE_INFINITY,
    high = Number.NEGATIVE_INFINITY,
    listener: LevelListener = NOBODY,
  ): void {
    const fast = this.#fast;
    const middle = from + bids * 2;
    if (fast?.reaches(levels)) {
      const count = fast.apply(levels, from, bids, asks, this.#zero, this.#inverse, this.tick, low, high);
      if (count > 0) this.#told(fast, count, middle, levels, low, high, listener);
    } else {
      this.apply(BID, levels, from, middle, low, high, listener);
      this.apply(ASK, levels, middle, middle + asks * 2, low, high, listener);
    }
    this.settle();
  }

  /** Holds nothing but these [price, size] pairs from here on: so many bids, then asks. */
  replace(levels: Float64Array, bids: number): void {
    this.clear();
    // as the first of them would: else each would be told to the book, since the ladder has no place
    let first = 0;
    while (first < levels.length && !(levels[first + 1] > 0)) first += 2;
    if (first < levels.length) this.#place(Math.floor(levels[first] / this.tick));
    this.message(this.#fast?.bring(levels) ?? levels, 0, bids, (levels.length >> 1) - bids);
  }

  #told(
    { told }: FastBook,
    count: number,
    middle: number,
    levels: Float64Array,
    low: number,
    high: number,
    listener: LevelListener,
  ): void {
    for (let n = 0; n < count; n++) {
      const at = told[n * 2] | 0;
      if (at >= 0) listener(at < middle ? BID : ASK, levels[at], told[n * 2 + 1], levels[at + 1]);
      else {
        const left = -1 - at;
        this.apply(left < middle ? BID : ASK, levels, left, left + 2, low, high, listener);
      }
    }
  }

  /**
   * Sets the [price, size] pairs `levels[from, to)` of one side. `listener` hears of those with low <= price <= high. Call
   * `settle` at the end of a message.
   */
  apply(
    side: BookSide,
    levels: Float64Array,
    from: number,
    to: number,
    low = Number.POSITIVE_INFINITY,
    high = Number.NEGATIVE_INFINITY,
    listener: LevelListener = NOBODY,
  ): void {
    const ladder = this.#sides[side];
    const before = this.#state[side];
    if (side === BID) this.#applyBids(ladder, levels, from, to, low, high, listener);
    else this.#applyAsks(ladder, levels, from, to, low, high, listener);
    const best = this.#state[side];
    if (best !== before && (best < MARGIN || best >= WINDOW - MARGIN) && (best !== noneOf(side) || ladder.far.size > 0))
      this.#state[EDGE] = 1;
  }

  // One loop a side, with everything it needs in locals: a loop for both sides was measured at twice the time.

  #applyBids(
    ladder: Ladder,
    levels: Float64Array,
    from: number,
    to: number,
    low: number,
    high: number,
    listener: LevelListener,
  ): void {
    const { sizes, words, summary } = ladder;
    const window = sizes.length;
    const tick = this.tick;
    const inverse = this.#inverse;
    let zero = this.#zero;
    let best = this.#state[BID];
    // integers for the compiler: the bounds come out of float64 records
    const end = to | 0;
    for (let at = from | 0; at < end; at += 2) {
      const price = levels[at];
      const size = levels[at + 1];
      const distance = price - zero;
      // a multiplication where a division would do: whatever rounding does, an index that gives the price back is right
      const index = (distance * inverse + 0.5) | 0;
      let before = 0;
      if (index >= 0 && index < window && index * tick === distance) {
        before = sizes[index];
        sizes[index] = size;
        const w = index >> 5;
        if (size > 0) {
          words[w] |= 1 << index;
          summary[w >> 5] |= 1 << w;
          if (index > best) best = index;
        } else {
          words[w] &= ~(1 << index);
          if (index === best) best = below(ladder, index - 1);
        }
      } else {
        this.#state[BID] = best;
        before = this.#setFar(BID, price, size);
        zero = this.#zero;
        best = this.#state[BID];
      }
      if (price >= low && price <= high) listener(BID, price, before, size);
    }
    this.#state[BID] = best;
  }

  #applyAsks(
    ladder: Ladder,
    levels: Float64Array,
    from: number,
    to: number,
    low: number,
    high: number,
    listener: LevelListener,
  ): void {
    const { sizes, words, summary } = ladder;
    const window = sizes.length;
    const tick = this.tick;
    const inverse = this.#inverse;
    let zero = this.#zero;
    let best = this.#state[ASK];
    // integers for the compiler: the bounds come out of float64 records
    const end = to | 0;
    for (let at = from | 0; at < end; at += 2) {
      const price = levels[at];
      const size = levels[at + 1];
      const distance = price - zero;
      const index = (distance * inverse + 0.5) | 0;
      let before = 0;
      if (index >= 0 && index < window && index * tick === distance) {
        before = sizes[index];
        sizes[index] = size;
        const w = index >> 5;
        if (size > 0) {
          words[w] |= 1 << index;
          summary[w >> 5] |= 1 << w;
          if (index < best) best = index;
        } else {
          words[w] &= ~(1 << index);
          if (index === best) best = above(ladder, index + 1);
        }
      } else {
        this.#state[ASK] = best;
        before = this.#setFar(ASK, price, size);
        zero = this.#zero;
        best = this.#state[ASK];
      }
      if (price >= low && price <= high) listener(ASK, price, before, size);
    }
    this.#state[ASK] = best;
  }

  /** A level the ladder does not hold. Returns the size before. */
  #setFar(side: BookSide, price: number, size: number): number {
    const ladder = this.#sides[side];
    const ticks = price / this.tick;
    const onGrid = Number.isInteger(ticks);
    if (Number.isNaN(this.#zero) && size > 0) {
      this.#place(Math.floor(ticks));
      if (onGrid) {
        this.set(side, price, size);
        return 0;
      }
    }
    const before = ladder.far.set(price, size);
    if (!onGrid) ladder.odd += Number(size > 0) - Number(before > 0);
    // a better price beyond the ladder, or the only one: the ladder must follow the touch
    else if (
      size > 0 &&
      (this.#state[side] === noneOf(side) || (side === BID ? ticks >= this.#base + WINDOW : ticks < this.#base))
    )
      this.#state[EDGE] = 1;
    return before;
  }

  /** Puts the ladder's middle at a tick. */
  #place(centre: number): void {
    this.#base = centre - (WINDOW >> 1);
    this.#zero = this.#base * this.tick;
  }

  /** Ends a message: moves the ladder when the touch came near its edge. Cheap when nothing is to do. */
  settle(): void {
    if (this.#state[EDGE] !== 0) this.#recentre();
  }

  #recentre(): void {
    const levels: [BookSide, number, number][] = [];
    for (const side of [BID, ASK] as const) this.each(side, (price, size) => void levels.push([side, price, size]));
    const bid = this.bestBid();
    const ask = this.bestAsk();
    const centre = Number.isNaN(bid) ? ask : Number.isNaN(ask) ? bid : (bid + ask) / 2;
    this.clear();
    if (Number.isNaN(centre)) return;
    this.#place(Math.floor(centre / this.tick));
    for (const [side, price, size] of levels) this.set(side, price, size);
    this.#state[EDGE] = Number(this.#outreached(BID) || this.#outreached(ASK));
  }

  /** Whether a level off the ladder beats the ladder's best: only with a spread or a cross of thousands of ticks. */
  #outreached(side: BookSide): boolean {
    const index = this.#state[side];
    if (index === noneOf(side)) return false;
    const best = (this.#base + index) * this.tick;
    const { far } = this.#sides[side];
    return side === BID ? far.highest() > best : far.lowest() < best;
  }

  /** True where the best of the ladder, if there is any, is the best of all. */
  #isPlain(side: BookSide): boolean {
    return this.#sides[side].odd === 0 && this.#state[EDGE] === 0;
  }

  #bestPrice(side: BookSide): number {
    const best = this.#state[side];
    const isKnown = best !== noneOf(side);
    const price = isKnown ? (this.#base + best) * this.tick : Number.NaN;
    if (isKnown && this.#isPlain(side)) return price;
    const { far } = this.#sides[side];
    const other = side === BID ? far.highest() : far.lowest();
    if (Number.isNaN(price)) return other;
    return (side === BID ? other > price : other < price) ? other : price;
  }

  /** Scaled price of the best bid; NaN when there is none. */
  bestBid(): number {
    return this.#bestPrice(BID);
  }

  /** Scaled price of the best ask; NaN when there is none. */
  bestAsk(): number {
    return this.#bestPrice(ASK);
  }

  /** Scaled price of the level farthest from the other side; NaN where the side is empty. */
  worstPrice(side: BookSide): number {
    const ladder = this.#sides[side];
    const index = side === BID ? above(ladder, 0) : below(ladder, WINDOW - 1);
    const price = (this.#base + index) * this.tick;
    const { far } = ladder;
    if (index < 0 || index >= WINDOW) return side === BID ? far.lowest() : far.highest();
    if (far.size === 0) return price;
    return side === BID ? Math.min(price, far.lowest()) : Math.max(price, far.highest());
  }

  /** Size at a price, 0 when there is no level. */
  sizeAt(side: BookSide, price: number): number {
    const index = price / this.tick - this.#base;
    if (!Number.isNaN(this.#zero) && index >= 0 && index < WINDOW && Number.isInteger(index))
      return this.#sides[side].sizes[index];
    return this.#sides[side].far.get(price);
  }

  /** Number of levels on a side; counted when asked for. */
  depth(side: BookSide): number {
    const ladder = this.#sides[side];
    let count = ladder.far.size;
    for (let index = above(ladder, 0); index < WINDOW; index = above(ladder, index + 1)) count++;
    return count;
  }

  /**
   * Copies up to `limit` best levels into `prices` and `sizes`, best first; returns how many there are.
   * Levels off the tick grid or beyond the ladder are found too, at the price of a sort.
   */
  top(side: BookSide, limit: number, prices: Float64Array, sizes: Float64Array): number {
    const ladder = this.#sides[side];
    if (!this.#isPlain(side)) return this.#topSorted(side, limit, prices, sizes);
    let index = this.#state[side];
    let n = 0;
    while (n < limit && index !== noneOf(side)) {
      prices[n] = (this.#base + index) * this.tick;
      sizes[n] = ladder.sizes[index];
      n++;
      index = side === BID ? below(ladder, index - 1) : above(ladder, index + 1);
    }
    return n < limit && ladder.far.size > 0 ? this.#topSorted(side, limit, prices, sizes) : n;
  }

  /** Sum of the sizes of the best `limit` levels: the hot path of imbalance measures. */
  topVolume(side: BookSide, limit: number): number {
    if (limit <= 0) return 0;
    if (this.#isPlain(side)) {
      const sum = this.#fast === null ? this.#sum(side, limit) : this.#fast.topVolume(side, limit);
      if (sum >= 0) return sum;
    }
    let sum = 0;
    for (const [, size] of this.levels(side, limit)) sum += size;
    return sum;
  }

  /** Sum of the sizes at scaled prices from `low` to `high`, both included: one addition for each tick between. */
  volumeBetween(side: BookSide, low: number, high: number): number {
    const { sizes, far } = this.#sides[side];
    const first = Math.ceil(low / this.tick) - this.#base;
    const last = Math.floor(high / this.tick) - this.#base;
    let sum = 0;
    if (!Number.isNaN(this.#zero)) {
      const end = Math.min(last, WINDOW - 1);
      for (let index = Math.max(0, first); index <= end; index++) sum += sizes[index];
    }
    if (far.size === 0 || (this.#sides[side].odd === 0 && first >= 0 && last < WINDOW)) return sum;
    return sum + far.volumeBetween(low, high);
  }

  #sum(side: BookSide, limit: number): number {
    const ladder = this.#sides[side];
    const best = this.#state[side];
    return side === BID ? sumDown(ladder, best, limit) : sumUp(ladder, best, limit);
  }

  #topSorted(side: BookSide, limit: number, prices: Float64Array, sizes: Float64Array): number {
    const levels = this.levels(side, limit);
    levels.forEach(([price, size], n) => {
      prices[n] = price;
      sizes[n] = size;
    });
    return levels.length;
  }

  /** Calls `visit` for every level of a side, in no particular order. */
  each(side: BookSide, visit: (price: number, size: number) => void): void {
    const ladder = this.#sides[side];
    for (let index = above(ladder, 0); index < WINDOW; index = above(ladder, index + 1))
      visit((this.#base + index) * this.tick, ladder.sizes[index]);
    ladder.far.each(visit);
  }

  /** Up to `limit` levels as [price, size], best first; for checkpoints, views and tests, not for the hot path. */
  levels(side: BookSide, limit = Number.POSITIVE_INFINITY): [number, number][] {
    const all: [number, number][] = [];
    this.each(side, (price, size) => void all.push([price, size]));
    all.sort(side === BID ? (x, y) => y[0] - x[0] : (x, y) => x[0] - y[0]);
    return all.length > limit ? all.slice(0, limit) : all;
  }

  /** True when best bid >= best ask; to be asked only after a whole message was applied. */
  crossed(): boolean {
    const bid = this.#state[BID];
    const ask = this.#state[ASK];
    // as a rule both sides are on the ladder, and their indices tell
    if (bid !== NO_BID && ask !== NO_ASK && this.#isPlain(BID) && this.#isPlain(ASK)) return bid >= ask;
    return this.bestBid() >= this.bestAsk();
  }
}
