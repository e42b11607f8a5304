/** Prices of the prints of the last seconds: where price stood when a window began. */
import type { Micros } from '../model/entry.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { Ring } from './ring.js';

/** Values of a print in the ring. */
const T = 0;
const PRICE = 1;
const WIDTH = 2;

/** Prints over the half-open window (t − span, t]. Prices are scaled integers. */
export class PrintWindow implements Follower {
  readonly span: Micros;
  readonly #ring = new Ring(WIDTH);

  constructor(span: Micros) {
    this.span = span;
  }

  trade(t: Micros, _side: number, price: number): void {
    const ring = this.#ring;
    if (ring.full) {
      this.#expire(t);
      // beyond what a ring may hold the window is shorter than its span
      if (ring.full && !ring.grow()) ring.first++;
    }
    const at = ring.push();
    ring.values[at + T] = t;
    ring.values[at + PRICE] = price;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#ring.clear();
  }

  #expire(t: Micros): void {
    const ring = this.#ring;
    const { values, mask, next } = ring;
    while (ring.first < next && values[(ring.first & mask) * WIDTH + T] <= t - this.span) ring.first++;
  }

  /** Price of the oldest print inside, and of the newest; NaN where there is none. Times must not run backwards. */
  firstPrice(t: Micros): number {
    this.#expire(t);
    const { first, next, values, mask } = this.#ring;
    return first < next ? values[(first & mask) * WIDTH + PRICE] : Number.NaN;
  }

  lastPrice(t: Micros): number {
    this.#expire(t);
    const { first, next, values, mask } = this.#ring;
    return first < next ? values[((next - 1) & mask) * WIDTH + PRICE] : Number.NaN;
  }
}

/** The market's prints over (t − span, t]; all who ask for the same span share them. */
export function printsOf(market: Market, span: Micros): PrintWindow {
  return market.share(`prints ${span}`, () => {
    const prints = new PrintWindow(span);
    market.follow(prints);
    return prints;
  });
}
