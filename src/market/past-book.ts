/** One side of the book as it stood at a moment of the last seconds, and how far down each of its levels went since. */
import { ASK, BID, type BookSide } from './book.js';
import type { Band } from './follower.js';
import { priceBeyond } from './price-beyond.js';
import type { Ring } from './ring.js';
import type { Track } from './track.js';

/** Values of a change in the ring: its price, negative for a bid, and the size before. */
export const SIGNED = 0;
export const BEFORE = 1;
export const CHANGE = 2;

interface Changed {
  before: number;
  least: number;
}

/** Made for a moment and read at once: what is not in the changes is looked up in the book as it is. */
export class PastBook {
  readonly side: BookSide;
  /** best prices then, scaled; NaN where a side was empty */
  readonly bid: number;
  readonly ask: number;
  readonly #track: Track;
  /** prices between which all changes since are known */
  readonly #known: Band;
  readonly #changed = new Map<number, Changed>();

  /** @param changes those since that moment begin at number `from` */
  constructor(
    track: Track,
    side: BookSide,
    touch: { bid: number; ask: number },
    known: Band,
    changes: Ring,
    from: number,
  ) {
    this.#track = track;
    this.side = side;
    this.bid = touch.bid;
    this.ask = touch.ask;
    this.#known = known;
    this.#goBack(changes, from);
  }

  /** From the newest change to the oldest: what was there before a change is what the change before it left. */
  #goBack({ values, mask, next }: Ring, from: number): void {
    const { book } = this.#track;
    for (let n = next - 1; n >= from; n--) {
      const signed = values[(n & mask) * CHANGE + SIGNED];
      if (signed < 0 !== (this.side === BID)) continue;
      const price = Math.abs(signed);
      const before = values[(n & mask) * CHANGE + BEFORE];
      const known = this.#changed.get(price);
      const least = Math.min(before, known?.least ?? book.sizeAt(this.side, price));
      this.#changed.set(price, { before, least });
    }
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
    return this.#changed.get(price)?.least ?? this.#track.book.sizeAt(this.side, price);
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
