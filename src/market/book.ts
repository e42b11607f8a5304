/**
 * The order book of one src: a dense price ladder around the touch with occupancy bitmaps, far levels in a hash table.
 *
 * Prices and sizes are scaled integers (model/instrument.ts). A change costs O(1); best prices are looked up through two
 * bitmap levels only after the touch itself was deleted; nothing is allocated on the hot path.
 */

import {
  type FastLadder,
  LADDER_SUMMARY,
  LADDER_TICKS,
  type LadderRoom,
  type LadderRooms,
  plainLadders,
} from '../model/ladder.js';
import { FarLevels } from './far-levels.js';

const WINDOW = LADDER_TICKS;
const SUMMARY = LADDER_SUMMARY;
/** Nearer to the ladder's edge than this, the ladder is moved. */
const MARGIN = WINDOW >> 3;

export type BookSide = 0 | 1;
export const BID: BookSide = 0;
export const ASK: BookSide = 1;

/** Hears of every level that is set, see `Book.apply`. */
export type LevelListener = (side: BookSide, price: number, before: number, after: number) => void;

/** Called where nobody listens: a comparison that is never true keeps it out of the way. */
const NOBODY: LevelListener = () => {};

/** One side's ladder, and what lies off it. */
interface Ladder extends LadderRoom {
  /** levels outside the ladder or off the tick grid: price -> size */
  far: FarLevels;
  /** of `far`, those off the tick grid: they may lie inside the ladder's range */
  odd: number;
  /** best occupied index; `none` where there is none: worse than any */
  best: number;
  readonly none: number;
}

function createLadder({ sizes, words, summary, fast }: LadderRoom, none: number): Ladder {
  return { sizes, words, summary, fast, far: new FarLevels(), odd: 0, best: none, none };
}

/** Highest set bit of a non-zero word. */
const top = (word: number): number => 31 - Math.clz32(word);
/** Lowest set bit of a non-zero word. */
const bottom = (word: number): number => 31 - Math.clz32(word & -word);

/** Largest occupied index <= from, or -1. */
function below({ words, summary }: Ladder, from: number): number {
  if (from < 0) return -1;
  const w = from >> 5;
  const masked = words[w] & (0xffffffff >>> (31 - (from & 31)));
  if (masked !== 0) return (w << 5) + top(masked);
  let s = w >> 5;
  const low = w & 31;
  let bits = low === 0 ? 0 : summary[s] & (0xffffffff >>> (32 - low));
  for (;;) {
    while (bits !== 0) {
      const bit = top(bits);
      const word = words[(s << 5) + bit];
      if (word !== 0) return (((s << 5) + bit) << 5) + top(word);
      bits &= ~(1 << bit);
      summary[s] &= ~(1 << bit);
    }
    if (--s < 0) return -1;
    bits = summary[s];
  }
}

/** Smallest occupied index >= from, or WINDOW. */
function above({ words, summary }: Ladder, from: number): number {
  if (from >= WINDOW) return WINDOW;
  const w = from >> 5;
  const masked = words[w] & (0xffffffff << (from & 31));
  if (masked !== 0) return (w << 5) + bottom(masked);
  let s = w >> 5;
  const high = w & 31;
  let bits = high === 31 ? 0 : summary[s] & (0xffffffff << (high + 1));
  for (;;) {
    while (bits !== 0) {
      const bit = bottom(bits);
      const word = words[(s << 5) + bit];
      if (word !== 0) return (((s << 5) + bit) << 5) + bottom(word);
      bits &= bits - 1;
      summary[s] &= ~(1 << bit);
    }
    if (++s >= SUMMARY) return WINDOW;
    bits = summary[s];
  }
}

/** Order book with exact integer prices; see the file comment for costs. */
export class Book {
  /** scaled price of one tick */
  readonly tick: number;
  readonly #inverse: number;
  /** tick number of ladder index 0, and its scaled price: NaN while the ladder has no place */
  #base = 0;
  #zero = Number.NaN;
  #edge = false;
  readonly #sides: [Ladder, Ladder];
  /** what `set` hands to `apply` */
  readonly #one = new Float64Array(2);

  /** @param tick scaled price of one tick, > 0 @param rooms where the ladders live */
  constructor(tick: number, rooms: LadderRooms = plainLadders) {
    this.tick = tick;
    this.#inverse = 1 / tick;
    const [bids, asks] = rooms();
    this.#sides = [createLadder(bids, -1), createLadder(asks, WINDOW)];
  }

  clear(): void {
    for (const ladder of this.#sides) {
      // only what is occupied: a thin book never touches most of its ladder
      for (let index = above(ladder, 0); index < WINDOW; index = above(ladder, index + 1)) ladder.sizes[index] = 0;
      ladder.words.fill(0);
      ladder.summary.fill(0);
      ladder.far.clear();
      ladder.odd = 0;
      ladder.best = ladder.none;
    }
    this.#zero = Number.NaN;
    this.#edge = false;
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
    const before = ladder.best;
    if (ladder.fast?.reaches(levels)) this.#applyFast(side, ladder, ladder.fast, levels, from, to, low, high, listener);
    else if (side === BID) this.#applyBids(ladder, levels, from, to, low, high, listener);
    else this.#applyAsks(ladder, levels, from, to, low, high, listener);
    const { best } = ladder;
    if (best !== before && (best < MARGIN || best >= WINDOW - MARGIN))
      this.#edge ||= best !== ladder.none || ladder.far.size > 0;
  }

  #applyFast(
    side: BookSide,
    ladder: Ladder,
    fast: FastLadder,
    levels: Float64Array,
    from: number,
    to: number,
    low: number,
    high: number,
    listener: LevelListener,
  ): void {
    ladder.best = fast.apply(from, to, this.#zero, this.#inverse, this.tick, ladder.best, low, high);
    const count = fast.count();
    const { told } = fast;
    for (let n = 0; n < count; n++) {
      const at = told[n * 2] | 0;
      if (at >= 0) listener(side, levels[at], told[n * 2 + 1], levels[at + 1]);
      else this.#applyFar(side, ladder, levels, -1 - at, low, high, listener);
    }
  }

  /** A level that was not on the ladder when a fast one looked; it may be by now, where the first level gave it its place. */
  #applyFar(
    side: BookSide,
    ladder: Ladder,
    levels: Float64Array,
    at: number,
    low: number,
    high: number,
    listener: LevelListener,
  ): void {
    const price = levels[at];
    const distance = price - this.#zero;
    if (distance < 0 || distance >= WINDOW * this.tick) {
      const before = this.#setFar(side, price, levels[at + 1]);
      if (price >= low && price <= high) listener(side, price, before, levels[at + 1]);
    } else if (side === BID) this.#applyBids(ladder, levels, at, at + 2, low, high, listener);
    else this.#applyAsks(ladder, levels, at, at + 2, low, high, listener);
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
    let best = ladder.best;
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
        ladder.best = best;
        before = this.#setFar(BID, price, size);
        zero = this.#zero;
        best = ladder.best;
      }
      if (price >= low && price <= high) listener(BID, price, before, size);
    }
    ladder.best = best;
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
    let best = ladder.best;
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
        ladder.best = best;
        before = this.#setFar(ASK, price, size);
        zero = this.#zero;
        best = ladder.best;
      }
      if (price >= low && price <= high) listener(ASK, price, before, size);
    }
    ladder.best = best;
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
      (ladder.best === ladder.none || (side === BID ? ticks >= this.#base + WINDOW : ticks < this.#base))
    )
      this.#edge = true;
    return before;
  }

  /** Puts the ladder's middle at a tick. */
  #place(centre: number): void {
    this.#base = centre - (WINDOW >> 1);
    this.#zero = this.#base * this.tick;
  }

  /** Ends a message: moves the ladder when the touch came near its edge. Cheap when nothing is to do. */
  settle(): void {
    if (this.#edge) this.#recentre();
  }

  #recentre(): void {
    this.#edge = false;
    const levels: [BookSide, number, number][] = [];
    for (const side of [BID, ASK] as const) this.each(side, (price, size) => void levels.push([side, price, size]));
    const bid = this.bestBid();
    const ask = this.bestAsk();
    const centre = Number.isNaN(bid) ? ask : Number.isNaN(ask) ? bid : (bid + ask) / 2;
    this.clear();
    if (Number.isNaN(centre)) return;
    this.#place(Math.floor(centre / this.tick));
    for (const [side, price, size] of levels) this.set(side, price, size);
    this.#edge = this.#outreached(BID) || this.#outreached(ASK);
  }

  /** Whether a level off the ladder beats the ladder's best: only with a spread or a cross of thousands of ticks. */
  #outreached(side: BookSide): boolean {
    const ladder = this.#sides[side];
    if (ladder.best === ladder.none) return false;
    const best = (this.#base + ladder.best) * this.tick;
    let outreached = false;
    ladder.far.each((price) => {
      outreached ||= side === BID ? price > best : price < best;
    });
    return outreached;
  }

  #bestPrice(side: BookSide): number {
    const ladder = this.#sides[side];
    const { best, none } = ladder;
    let price = best !== none ? (this.#base + best) * this.tick : Number.NaN;
    if (ladder.odd > 0 || (best === none && ladder.far.size > 0) || this.#edge) {
      ladder.far.each((far) => {
        if (Number.isNaN(price) || (side === BID ? far > price : far < price)) price = far;
      });
    }
    return price;
  }

  /** Scaled price of the best bid; NaN when there is none. */
  bestBid(): number {
    return this.#bestPrice(BID);
  }

  /** Scaled price of the best ask; NaN when there is none. */
  bestAsk(): number {
    return this.#bestPrice(ASK);
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
    if (ladder.odd > 0 || this.#edge) return this.#topSorted(side, limit, prices, sizes);
    let index = ladder.best;
    let n = 0;
    while (n < limit && index !== ladder.none) {
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
    const ladder = this.#sides[side];
    if (ladder.odd === 0 && !this.#edge) {
      const { sizes, words, best, none } = ladder;
      let sum = 0;
      let n = 0;
      if (side === BID) {
        for (let index = best; index !== none; index = below(ladder, ((index >> 5) << 5) - 1)) {
          const first = (index >> 5) << 5;
          let bits = words[index >> 5] & (0xffffffff >>> (31 - (index & 31)));
          while (bits !== 0) {
            const bit = top(bits);
            bits &= ~(1 << bit);
            sum += sizes[first + bit];
            if (++n === limit) return sum;
          }
        }
      } else {
        for (let index = best; index !== none; index = above(ladder, ((index >> 5) + 1) << 5)) {
          const first = (index >> 5) << 5;
          let bits = words[index >> 5] & (0xffffffff << (index & 31));
          while (bits !== 0) {
            const bit = bottom(bits);
            bits &= bits - 1;
            sum += sizes[first + bit];
            if (++n === limit) return sum;
          }
        }
      }
      if (ladder.far.size === 0) return sum;
    }
    let sum = 0;
    for (const [, size] of this.levels(side, limit)) sum += size;
    return sum;
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
    return this.bestBid() >= this.bestAsk();
  }
}
