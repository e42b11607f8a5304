/** One side of the book as it stood at a moment of the last seconds, and how far down each of its levels went since. */
import { ASK, BID, type BookSide } from './book.js';
import type { Band } from './follower.js';
import { priceBeyond } from './price-beyond.js';
import type { Ring } from './ring.js';
import type { Track } from './track.js';

/** Values of a change of a side in its ring: where it was, and what stood there before. */
export const WHERE = 0;
export const WHAT = 1;
export const CHANGE = 2;

/** What stood at a price before its first change since, and the least before any. */
interface Changed {
  readonly before: number;
  least: number;
}

/** Read at once: what is not in the changes is looked up in the book as it is. Who asks for the same moment again gets it with the changes since. */
export class PastBook {
  readonly side: BookSide;
  /** best prices then, scaled; NaN where a side was empty */
  readonly bid: number;
  readonly ask: number;
  readonly #track: Track;
  /** prices between which all changes since are known */
  readonly #known: Band = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  readonly #changed = new Map<number, Changed>();
  /** number of the first change that is not taken in yet */
  #next: number;

  /** @param from number of the first change of the side since that moment */
  constructor(track: Track, side: BookSide, touch: { bid: number; ask: number }, from: number) {
    this.#track = track;
    this.side = side;
    this.bid = touch.bid;
    this.ask = touch.ask;
    this.#next = from;
  }

  /** Takes in the changes of the side that came since it was last done. */
  add({ values, mask, next }: Ring): void {
    const changed = this.#changed;
    for (let n = this.#next; n < next; n++) {
      const at = (n & mask) * CHANGE;
      const before = values[at + WHAT];
      const known = changed.get(values[at + WHERE]);
      if (known === undefined) changed.set(values[at + WHERE], { before, least: before });
      else if (before < known.least) known.least = before;
    }
    this.#next = next;
  }

  /** A message since was followed between these prices only. */
  narrow(low: number, high: number): void {
    // NaN stays, of an empty side of a book that slides: nothing is known any more
    this.#known.low = Math.max(this.#known.low, low);
    this.#known.high = Math.min(this.#known.high, high);
  }

  /** Best price of the side then. */
  get touch(): number {
    return this.side === BID ? this.bid : this.ask;
  }

  /** Spread then; NaN where a side was empty, not above zero where the book was crossed. */
  get spread(): number {
    return this.ask - this.bid;
  }

  /** Whether all changes at a price since then are known. */
  follows(price: number): boolean {
    return price >= this.#known.low && price <= this.#known.high;
  }

  /** Whether it is known what stood at a price then, were it nothing: the venue's book reaches so far, too. */
  knows(price: number): boolean {
    return this.follows(price) && price >= this.#track.low && price <= this.#track.high;
  }

  /** Size displayed at a price then. */
  before(price: number): number {
    return this.#changed.get(price)?.before ?? this.#track.book.sizeAt(this.side, price);
  }

  /** The least displayed there since then, at the end of any message. */
  least(price: number): number {
    const now = this.#track.book.sizeAt(this.side, price);
    return Math.min(now, this.#changed.get(price)?.least ?? now);
  }

  /** Size displayed within `bps` of the mid then, as `Market.depthWithin` has it now; NaN where it is not known that far. */
  depthWithin(bps: number): number {
    const { bid, ask, side } = this;
    if (!(bid < ask)) return Number.NaN;
    const limit = priceBeyond(side, (bid + ask) / 2, bps);
    if (!this.knows(limit)) return Number.NaN;
    const low = side === ASK ? ask : limit;
    const high = side === ASK ? limit : bid;
    const { book } = this.#track;
    let sum = book.volumeBetween(side, low, high);
    for (const [price, { before }] of this.#changed)
      if (price >= low && price <= high) sum += before - book.sizeAt(side, price);
    return sum;
  }
}
