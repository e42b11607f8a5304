/** Levels far from the touch: a hash table from scaled price to size, for prices the ladder of a book does not reach. */
import type { FarRoom } from '../model/book-room.js';

/** A free slot; prices are numbers. */
const FREE = Number.NaN;
const FIRST_SLOTS = 64;
const SIZE = 0;
const MASK = 1;

/**
 * Open addressing with linear steps. A Map of numbers was measured at three times the cost: it hashes boxed numbers, and
 * on a busy market one level in fifteen is far. Whoever shares the room may change levels too, but never the number of slots.
 */
export class FarLevels {
  readonly #state: Int32Array;
  #prices: Float64Array;
  #sizes: Float64Array;
  #mask: number;

  /** @param room of a power of two of slots, `FIRST_SLOTS` or more; what it held is forgotten */
  constructor({ prices, sizes, state }: FarRoom) {
    this.#prices = prices;
    this.#sizes = sizes;
    this.#state = state;
    this.#mask = FIRST_SLOTS - 1;
    prices.fill(FREE, 0, FIRST_SLOTS);
    state[SIZE] = 0;
    state[MASK] = this.#mask;
  }

  /** levels held */
  get size(): number {
    return this.#state[SIZE];
  }

  /** Slot of the price, or of the free slot where it belongs. */
  #slot(price: number): number {
    const prices = this.#prices;
    const mask = this.#mask;
    // the low bits of a price are those of its tick; the product spreads them
    let at = (Math.imul(price, 0x9e3779b1) >>> 9) & mask;
    while (prices[at] !== price && !Number.isNaN(prices[at])) at = (at + 1) & mask;
    return at;
  }

  /** Size at a price, 0 where there is no level. */
  get(price: number): number {
    const at = this.#slot(price);
    return this.#prices[at] === price ? this.#sizes[at] : 0;
  }

  /** Sets the size at a price, 0 deletes it. Returns the size before. */
  set(price: number, size: number): number {
    const at = this.#slot(price);
    const known = this.#prices[at] === price;
    const before = known ? this.#sizes[at] : 0;
    if (size > 0) {
      this.#sizes[at] = size;
      if (known) return before;
      this.#prices[at] = price;
      if (++this.#state[SIZE] * 2 > this.#mask) this.#grow();
    } else if (known) this.#remove(at);
    return before;
  }

  /** Moves back what stands behind a removed level, so that no search stops too early. */
  #remove(at: number): void {
    const prices = this.#prices;
    const mask = this.#mask;
    prices[at] = FREE;
    this.#state[SIZE]--;
    for (let next = (at + 1) & mask; !Number.isNaN(prices[next]); next = (next + 1) & mask) {
      const price = prices[next];
      const size = this.#sizes[next];
      prices[next] = FREE;
      const place = this.#slot(price);
      prices[place] = price;
      this.#sizes[place] = size;
    }
  }

  #grow(): void {
    const slots = this.#mask + 1;
    const prices = this.#prices.slice(0, slots);
    const sizes = this.#sizes.slice(0, slots);
    const twice = slots * 2;
    const fits = twice <= this.#prices.length;
    if (!fits) {
      this.#prices = new Float64Array(twice);
      this.#sizes = new Float64Array(twice);
    }
    this.#prices.fill(FREE, 0, twice);
    this.#mask = twice - 1;
    this.#state[MASK] = fits ? this.#mask : -1;
    for (let i = 0; i < slots; i++) {
      if (Number.isNaN(prices[i])) continue;
      const at = this.#slot(prices[i]);
      this.#prices[at] = prices[i];
      this.#sizes[at] = sizes[i];
    }
  }

  /** The highest price; NaN where there is no level. */
  highest(): number {
    if (this.size === 0) return Number.NaN;
    const prices = this.#prices;
    let highest = Number.NEGATIVE_INFINITY;
    // no free slot compares
    for (let i = 0; i <= this.#mask; i++) if (prices[i] > highest) highest = prices[i];
    return highest;
  }

  /** The lowest price; NaN where there is no level. */
  lowest(): number {
    if (this.size === 0) return Number.NaN;
    const prices = this.#prices;
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i <= this.#mask; i++) if (prices[i] < lowest) lowest = prices[i];
    return lowest;
  }

  /** Sum of the sizes at prices from `low` to `high`, both included. */
  volumeBetween(low: number, high: number): number {
    const prices = this.#prices;
    let sum = 0;
    for (let i = 0; i <= this.#mask; i++) if (prices[i] >= low && prices[i] <= high) sum += this.#sizes[i];
    return sum;
  }

  /** Calls `visit` for every level, in no particular order. */
  each(visit: (price: number, size: number) => void): void {
    for (let i = 0; i <= this.#mask; i++) if (!Number.isNaN(this.#prices[i])) visit(this.#prices[i], this.#sizes[i]);
  }

  clear(): void {
    if (this.size > 0) this.#prices.fill(FREE, 0, this.#mask + 1);
    this.#state[SIZE] = 0;
  }
}
