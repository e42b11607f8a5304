/** Trades of the last seconds with their prices: what was traded at one price, and which side aggressors were on. */
import type { Micros } from '../model/entry.js';
import { ASK, type BookSide } from './book.js';
import { Ring } from './ring.js';

/** Values of a trade in the ring: its receive time, its price (negative where the aggressor sold), its size. */
const T = 0;
const SIGNED = 1;
const SIZE = 2;
const WIDTH = 3;

/** Trades over (t − span, t]. Prices and sizes are scaled integers. */
export class RecentTrades {
  readonly #span: Micros;
  readonly #ring = new Ring(WIDTH);

  constructor(span: Micros) {
    this.#span = span;
  }

  /** @param side +1: the aggressor bought */
  add(t: Micros, side: number, price: number, size: number): void {
    const ring = this.#ring;
    if (ring.full) {
      this.#expire(t);
      // beyond what a ring may hold the oldest are let go
      if (ring.full && !ring.grow()) ring.first++;
    }
    const at = ring.push();
    const { values } = ring;
    values[at + T] = t;
    values[at + SIGNED] = side * price;
    values[at + SIZE] = size;
  }

  #expire(t: Micros): void {
    const ring = this.#ring;
    const { values, mask, next } = ring;
    while (ring.first < next && values[(ring.first & mask) * WIDTH + T] <= t - this.#span) ring.first++;
  }

  /** Traded against a passive side at a price since `from`; walks back over all since then, as `delta` does. */
  against(passive: BookSide, price: number, from: Micros): number {
    const { values, mask, first, next } = this.#ring;
    const signed = passive === ASK ? price : -price;
    let sum = 0;
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] < from) break;
      if (values[at + SIGNED] === signed) sum += values[at + SIZE];
    }
    return sum;
  }

  /** Traded against a passive side since `from`, by price. */
  byPrice(passive: BookSide, from: Micros): Map<number, number> {
    const { values, mask, first, next } = this.#ring;
    const sign = passive === ASK ? 1 : -1;
    const traded = new Map<number, number>();
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] < from) break;
      const price = sign * values[at + SIGNED];
      if (price > 0) traded.set(price, (traded.get(price) ?? 0) + values[at + SIZE]);
    }
    return traded;
  }

  /** Bought less sold by aggressors in [from, to]. */
  delta(from: Micros, to: Micros): number {
    const { values, mask, first, next } = this.#ring;
    let sum = 0;
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] < from) break;
      if (values[at + T] <= to) sum += values[at + SIGNED] > 0 ? values[at + SIZE] : -values[at + SIZE];
    }
    return sum;
  }

  clear(): void {
    this.#ring.clear();
  }
}
