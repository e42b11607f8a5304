/**
 * The order book of one src: a dense price ladder around the touch with occupancy bitmaps, far levels kept in a map.
 *
 * Prices and sizes are scaled integers (model/instrument.ts). A change costs O(1); best prices are looked up through two
 * bitmap levels only after the touch itself was deleted; nothing is allocated on the hot path.
 */

/** Ticks covered by the ladder: 256 KiB per book, and BTC at a 0.1 tick stays inside for hours. */
const WINDOW = 16384;
const WORDS = WINDOW >> 5;
const SUMMARY = WORDS >> 5;
/** Nearer to the ladder's edge than this, the ladder is moved. */
const MARGIN = WINDOW >> 3;

export type BookSide = 0 | 1;
export const BID: BookSide = 0;
export const ASK: BookSide = 1;

/** One side's ladder: sizes by index, and which indices are occupied. */
interface Ladder {
  sizes: Float64Array;
  words: Uint32Array;
  summary: Uint32Array;
  /** levels outside the ladder or off the tick grid: price -> size */
  far: Map<number, number>;
  /** of `far`, those off the tick grid: they may lie inside the ladder's range */
  odd: number;
  /** best occupied index, -1 none, -2 unknown */
  best: number;
  count: number;
}

function createLadder(): Ladder {
  return {
    sizes: new Float64Array(WINDOW),
    words: new Uint32Array(WORDS),
    summary: new Uint32Array(SUMMARY),
    far: new Map(),
    odd: 0,
    best: -1,
    count: 0,
  };
}

/** Highest set bit of a non-zero word. */
const top = (word: number): number => 31 - Math.clz32(word);
/** Lowest set bit of a non-zero word. */
const bottom = (word: number): number => 31 - Math.clz32(word & -word);

/** Largest occupied index <= from, or -1. */
function below(ladder: Ladder, from: number): number {
  if (from < 0) return -1;
  let w = from >> 5;
  const masked = ladder.words[w] & (0xffffffff >>> (31 - (from & 31)));
  if (masked !== 0) return (w << 5) + top(masked);
  let s = w >> 5;
  const low = w & 31;
  let bits = low === 0 ? 0 : ladder.summary[s] & (0xffffffff >>> (32 - low));
  while (bits === 0) {
    if (--s < 0) return -1;
    bits = ladder.summary[s];
  }
  w = (s << 5) + top(bits);
  return (w << 5) + top(ladder.words[w]);
}

/** Smallest occupied index >= from, or -1. */
function above(ladder: Ladder, from: number): number {
  if (from >= WINDOW) return -1;
  let w = from >> 5;
  const masked = ladder.words[w] & (0xffffffff << (from & 31));
  if (masked !== 0) return (w << 5) + bottom(masked);
  let s = w >> 5;
  const high = w & 31;
  let bits = high === 31 ? 0 : ladder.summary[s] & (0xffffffff << (high + 1));
  while (bits === 0) {
    if (++s >= SUMMARY) return -1;
    bits = ladder.summary[s];
  }
  w = (s << 5) + bottom(bits);
  return (w << 5) + bottom(ladder.words[w]);
}

function put(ladder: Ladder, index: number, size: number): number {
  const before = ladder.sizes[index];
  ladder.sizes[index] = size;
  if (size > 0) {
    if (before === 0) {
      const w = index >> 5;
      ladder.words[w] |= 1 << (index & 31);
      ladder.summary[w >> 5] |= 1 << (w & 31);
      ladder.count++;
    }
  } else if (before > 0) {
    const w = index >> 5;
    ladder.words[w] &= ~(1 << (index & 31));
    if (ladder.words[w] === 0) ladder.summary[w >> 5] &= ~(1 << (w & 31));
    ladder.count--;
  }
  return before;
}

/** Order book with exact integer prices; see the file comment for costs. */
export class Book {
  /** scaled price of one tick */
  readonly tick: number;
  /** tick number of ladder index 0; meaningless while `placed` is false */
  #base = 0;
  #placed = false;
  #edge = false;
  readonly #sides: [Ladder, Ladder] = [createLadder(), createLadder()];

  /** @param tick scaled price of one tick, > 0 */
  constructor(tick: number) {
    this.tick = tick;
  }

  clear(): void {
    for (const ladder of this.#sides) {
      ladder.sizes.fill(0);
      ladder.words.fill(0);
      ladder.summary.fill(0);
      ladder.far.clear();
      ladder.odd = 0;
      ladder.best = -1;
      ladder.count = 0;
    }
    this.#placed = false;
    this.#edge = false;
  }

  /** Sets the size at a price (0 deletes). Returns the size before; deleting an unknown level is normal and returns 0. */
  set(side: BookSide, price: number, size: number): number {
    const ladder = this.#sides[side];
    const ticks = price / this.tick;
    const index = ticks - this.#base;
    if (index >= 0 && index < WINDOW && this.#placed && Number.isInteger(index)) {
      const before = put(ladder, index, size);
      const best = ladder.best;
      if (best !== -2) {
        if (size > 0) {
          if (best === -1 || (side === BID ? index > best : index < best)) {
            ladder.best = index;
            if (index < MARGIN || index >= WINDOW - MARGIN) this.#edge = true;
          }
        } else if (index === best) ladder.best = -2;
      }
      return before;
    }
    return this.#setFar(side, price, size, ticks);
  }

  #setFar(side: BookSide, price: number, size: number, ticks: number): number {
    const ladder = this.#sides[side];
    const onGrid = Number.isInteger(ticks);
    if (!this.#placed && size > 0) {
      this.#base = Math.floor(ticks) - (WINDOW >> 1);
      this.#placed = true;
      if (onGrid) return this.set(side, price, size);
    }
    const before = ladder.far.get(price) ?? 0;
    if (size > 0) {
      ladder.far.set(price, size);
      if (!onGrid && before === 0) ladder.odd++;
      // a better price beyond the ladder: the ladder must follow the touch
      if (onGrid && (side === BID ? ticks >= this.#base + WINDOW : ticks < this.#base)) this.#edge = true;
      if (onGrid && ladder.count === 0) this.#edge = true;
    } else if (before > 0) {
      ladder.far.delete(price);
      if (!onGrid) ladder.odd--;
    }
    return before;
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
    this.#base = Math.floor(centre / this.tick) - (WINDOW >> 1);
    this.#placed = true;
    for (const [side, price, size] of levels) this.set(side, price, size);
    this.#edge = this.#outreached(BID) || this.#outreached(ASK);
  }

  /** Whether a level off the ladder beats the ladder's best: only with a spread or a cross of thousands of ticks. */
  #outreached(side: BookSide): boolean {
    const ladder = this.#sides[side];
    if (ladder.count === 0) return false;
    const best = (this.#base + this.#best(side)) * this.tick;
    for (const price of ladder.far.keys()) if (side === BID ? price > best : price < best) return true;
    return false;
  }

  #best(side: BookSide): number {
    const ladder = this.#sides[side];
    if (ladder.best === -2) {
      ladder.best = side === BID ? below(ladder, WINDOW - 1) : above(ladder, 0);
      if (ladder.best >= 0 && (ladder.best < MARGIN || ladder.best >= WINDOW - MARGIN)) this.#edge = true;
      if (ladder.best === -1 && ladder.far.size > 0) this.#edge = true;
    }
    return ladder.best;
  }

  #bestPrice(side: BookSide): number {
    const index = this.#best(side);
    const ladder = this.#sides[side];
    let price = index >= 0 ? (this.#base + index) * this.tick : Number.NaN;
    if (ladder.odd > 0 || (index < 0 && ladder.far.size > 0) || this.#edge) {
      for (const far of ladder.far.keys()) {
        if (Number.isNaN(price) || (side === BID ? far > price : far < price)) price = far;
      }
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
    if (this.#placed && index >= 0 && index < WINDOW && Number.isInteger(index)) return this.#sides[side].sizes[index];
    return this.#sides[side].far.get(price) ?? 0;
  }

  /** Number of levels on a side. */
  depth(side: BookSide): number {
    return this.#sides[side].count + this.#sides[side].far.size;
  }

  /**
   * Copies up to `limit` best levels into `prices` and `sizes`, best first; returns how many there are.
   * Levels off the tick grid or beyond the ladder are found too, at the price of a sort.
   */
  top(side: BookSide, limit: number, prices: Float64Array, sizes: Float64Array): number {
    const ladder = this.#sides[side];
    if (ladder.odd > 0 || this.#edge) return this.#topSorted(side, limit, prices, sizes);
    let index = this.#best(side);
    let n = 0;
    while (n < limit && index >= 0) {
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
      let index = this.#best(side);
      let n = 0;
      let sum = 0;
      if (index >= 0) {
        const { sizes, words } = ladder;
        let w = index >> 5;
        if (side === BID) {
          let bits = words[w] & (0xffffffff >>> (31 - (index & 31)));
          for (;;) {
            while (bits !== 0) {
              const bit = top(bits);
              bits &= ~(1 << bit);
              sum += sizes[(w << 5) + bit];
              if (++n === limit) return sum;
            }
            index = below(ladder, (w << 5) - 1);
            if (index < 0) break;
            w = index >> 5;
            bits = words[w];
          }
        } else {
          let bits = words[w] & (0xffffffff << (index & 31));
          for (;;) {
            while (bits !== 0) {
              const bit = bottom(bits);
              bits &= bits - 1;
              sum += sizes[(w << 5) + bit];
              if (++n === limit) return sum;
            }
            index = above(ladder, (w + 1) << 5);
            if (index < 0) break;
            w = index >> 5;
            bits = words[w];
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
    for (let index = above(ladder, 0); index >= 0; index = above(ladder, index + 1))
      visit((this.#base + index) * this.tick, ladder.sizes[index]);
    for (const [price, size] of ladder.far) visit(price, size);
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
