/** One footprint bar: what aggressors bought and sold in every price bin from its low to its high. */
import type { Micros } from '../model/entry.js';

/** A bar that would need more bins than this takes bins of twice the width, as often as needed. */
export const MAX_BINS = 4096;

/** The value area holds at least 7 of 10 parts of the volume. */
const VALUE_PARTS = 7;
const ALL_PARTS = 10;

/** Values of a bin. */
const BUY = 0;
const SELL = 1;
const WIDTH = 2;

/**
 * Sizes and prices are scaled integers, so that all sums are exact. Bins stand side by side from the lowest price printed to the
 * highest, those without a trade too: they hold zeros. Bin 0 is the lowest; a bin's prices are those of
 * [priceAt(i), priceAt(i) + width).
 */
export class FootprintBar {
  /** a time bar: where its stretch of time begins; any other: its first print */
  start: Micros = 0;
  /** a time bar: where its stretch ends; any other: the print that completed it, or the end of the stretch; NaN while it runs */
  end: Micros = Number.NaN;
  /** number of the bar within its stretch, from 0 */
  index = 0;
  /** false where trades may be missing in it, or it was under way when reading began */
  whole = true;
  /** first and last print */
  firstT: Micros = 0;
  lastT: Micros = 0;
  openPrice = 0;
  closePrice = 0;
  lowPrice = 0;
  highPrice = 0;
  trades = 0;
  buy = 0;
  sell = 0;
  /** lowest and highest delta that the bar had so far; it began with 0 */
  minDelta = 0;
  maxDelta = 0;
  /** scaled width of a bin */
  width = 1;
  #cells = new Float64Array(64 * WIDTH);
  /** number of the bin at the head of `#cells`, counted from price zero, and of the lowest and highest bin in use */
  #base = 0;
  #low = 0;
  #high = -1;

  /** The bar is not complete: any later print may change it. */
  get provisional(): boolean {
    return Number.isNaN(this.end);
  }

  get volume(): number {
    return this.buy + this.sell;
  }

  get delta(): number {
    return this.buy - this.sell;
  }

  /** how many bins there are; 0 before the first print */
  get bins(): number {
    return this.#high - this.#low + 1;
  }

  /** lowest price of bin `i` */
  priceAt(i: number): number {
    return (this.#low + i) * this.width;
  }

  /** size that aggressors bought in bin `i` */
  buyAt(i: number): number {
    return this.#cells[(this.#low + i - this.#base) * WIDTH + BUY];
  }

  /** size that aggressors sold in bin `i` */
  sellAt(i: number): number {
    return this.#cells[(this.#low + i - this.#base) * WIDTH + SELL];
  }

  /** size traded in bin `i` */
  volumeAt(i: number): number {
    return this.buyAt(i) + this.sellAt(i);
  }

  /** Point of control: the bin of most volume; among equals the one nearest to the middle of the bar, then the lowest. */
  get poc(): number {
    const { bins } = this;
    const distance = (i: number): number => Math.abs(2 * i - (bins - 1));
    let best = 0;
    for (let i = 1; i < bins; i++) {
      const more = this.volumeAt(i) - this.volumeAt(best);
      if (more > 0 || (more === 0 && distance(i) < distance(best))) best = i;
    }
    return best;
  }

  /**
   * First and last bin of the value area: from the point of control on, the larger of the two bins beside it joins (equal ones
   * both, so that neither side is preferred) until it holds 70 % of the volume.
   */
  valueArea(): { from: number; to: number } {
    let from = this.poc;
    let to = from;
    let inside = this.volumeAt(from);
    while (ALL_PARTS * inside < VALUE_PARTS * this.volume) {
      const under = from > 0 ? this.volumeAt(from - 1) : -1;
      const over = to < this.bins - 1 ? this.volumeAt(to + 1) : -1;
      if (under >= over) {
        from--;
        inside += under;
      }
      if (over >= under) {
        to++;
        inside += over;
      }
    }
    return { from, to };
  }

  /** The auction at the bar's high (side 1) or low (-1) is unfinished: both sides traded in the outermost bin. */
  unfinished(side: number): boolean {
    const i = side > 0 ? this.bins - 1 : 0;
    return this.bins > 0 && this.buyAt(i) > 0 && this.sellAt(i) > 0;
  }

  /** Begins anew, with bins of that width; the room is used again. */
  begin(start: Micros, index: number, whole: boolean, width: number): void {
    this.#cells.fill(0, (this.#low - this.#base) * WIDTH, (this.#high + 1 - this.#base) * WIDTH);
    this.#high = this.#low - 1;
    this.start = start;
    this.end = Number.NaN;
    this.index = index;
    this.whole = whole;
    this.width = width;
    this.trades = 0;
    this.buy = 0;
    this.sell = 0;
    this.minDelta = 0;
    this.maxDelta = 0;
  }

  /** Adds a print; `side` +1: the aggressor bought. */
  add(t: Micros, side: number, price: number, size: number): void {
    if (this.trades === 0) {
      this.firstT = t;
      this.openPrice = price;
      this.lowPrice = price;
      this.highPrice = price;
    } else if (price < this.lowPrice) this.lowPrice = price;
    else if (price > this.highPrice) this.highPrice = price;
    this.trades++;
    this.lastT = t;
    this.closePrice = price;
    const at = this.#reach(price);
    if (side > 0) {
      this.buy += size;
      this.#cells[at + BUY] += size;
    } else {
      this.sell += size;
      this.#cells[at + SELL] += size;
    }
    const { delta } = this;
    if (delta < this.minDelta) this.minDelta = delta;
    else if (delta > this.maxDelta) this.maxDelta = delta;
  }

  /** Offset in `#cells` of the bin that holds a price; the bar reaches it from now on. */
  #reach(price: number): number {
    let bin = Math.floor(price / this.width);
    if (bin < this.#low || bin > this.#high) {
      if (this.bins === 0) this.#open(bin);
      else bin = this.#extend(bin);
    }
    return (bin - this.#base) * WIDTH;
  }

  #open(bin: number): void {
    this.#base = bin - (this.#cells.length >> 2);
    this.#low = bin;
    this.#high = bin;
  }

  /** Another lowest or highest bin. Returns its number, which is a smaller one where bins had to become wider. */
  #extend(bin: number): number {
    while (Math.max(this.#high, bin) - Math.min(this.#low, bin) >= MAX_BINS) {
      this.#widen();
      bin = Math.floor(bin / 2);
    }
    const low = Math.min(this.#low, bin);
    const high = Math.max(this.#high, bin);
    const room = this.#cells.length / WIDTH;
    if (low < this.#base || high >= this.#base + room) {
      const needed = 2 * (high - low + 1);
      const cells = new Float64Array(WIDTH * Math.max(room, 2 ** Math.ceil(Math.log2(needed))));
      const base = low - ((cells.length / WIDTH - (high - low + 1)) >> 1);
      const used = this.#cells.subarray((this.#low - this.#base) * WIDTH, (this.#high + 1 - this.#base) * WIDTH);
      cells.set(used, (this.#low - base) * WIDTH);
      this.#cells = cells;
      this.#base = base;
    }
    this.#low = low;
    this.#high = high;
    return bin;
  }

  /** Joins bins in pairs. */
  #widen(): void {
    const before = this.#cells;
    const [low, high, base] = [this.#low, this.#high, this.#base];
    this.#cells = new Float64Array(before.length);
    this.#low = Math.floor(low / 2);
    this.#high = Math.floor(high / 2);
    this.#base = this.#low;
    this.width *= 2;
    for (let bin = low; bin <= high; bin++) {
      const at = (Math.floor(bin / 2) - this.#base) * WIDTH;
      for (let k = 0; k < WIDTH; k++) this.#cells[at + k] += before[(bin - base) * WIDTH + k];
    }
  }
}
