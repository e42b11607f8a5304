/** A market told second by second: so much bought on balance, and the mid so many ticks higher. For tests of slopes, swings and impact. */
import { type Scanned, SECOND, scanLines, TapeBuilder, type TestSettings } from '../scan/tape-builder.js';

export class SecondTape {
  readonly tape = new TapeBuilder();
  /** price p of a script stands for `mirror − p`, and buys for sells, where it is set */
  readonly #mirror: number | null;
  bid: number;

  constructor({ bid = 10_000, mirrored = false } = {}) {
    this.bid = bid;
    this.#mirror = mirrored ? 2 * bid + 1 : null;
    this.join();
  }

  /** The book as a snapshot. */
  join(): this {
    const [bid, ask] = [this.bid, this.bid + 1].map((price) => (this.#mirror === null ? price : this.#mirror - price));
    this.tape.snapshot([[Math.min(bid, ask), 50]], [[Math.max(bid, ask), 50]]);
    return this;
  }

  #trade(side: 1 | -1, size: number): void {
    const price = side > 0 ? this.bid + 1 : this.bid;
    if (this.#mirror === null) this.tape.trade(side, price, size);
    else this.tape.trade(-side as 1 | -1, this.#mirror - price, size);
  }

  #move(ticks: number): void {
    const { bid } = this;
    this.bid += ticks;
    const sides: [number, number][][] = [bid, bid + 1].map((price) => [
      [price, 0],
      [price + ticks, 50],
    ]);
    if (this.#mirror === null) this.tape.depth(sides[0], sides[1]);
    else {
      const flip = (levels: [number, number][]): [number, number][] =>
        levels.map(([price, size]) => [(this.#mirror as number) - price, size]);
      this.tape.depth(flip(sides[1]), flip(sides[0]));
    }
  }

  /** A second in which `delta` is bought on balance (`both` on either side beside it) and the mid moves by `ticks`. */
  second(delta: number, ticks: number, both = 0): this {
    const end = Math.ceil((this.tape.t + 1) / SECOND) * SECOND;
    this.tape.wait(end - SECOND / 2 - this.tape.t);
    if (both > 0) {
      this.#trade(1, both);
      this.#trade(-1, both);
    }
    if (delta !== 0) this.#trade(delta > 0 ? 1 : -1, Math.abs(delta));
    if (ticks !== 0) this.#move(ticks);
    this.tape.wait(end - this.tape.t).clock();
    return this;
  }

  scan(settings: TestSettings): Promise<Scanned> {
    return scanLines(this.tape.lines, settings);
  }
}
