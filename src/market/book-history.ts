/**
 * The recent past of the book near the touch, as inverse changes: what stood at a price before a trade, though the book may show the
 * trade already. Trades and book updates come on different paths, and either may be first.
 */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID, type BookSide } from './book.js';
import { Effect } from './effect.js';
import type { Band, Follower } from './follower.js';
import { AFTER, BEFORE, LEVEL_CHANGE, type LevelChanges, PRICE } from './level-changes.js';
import type { Market } from './market.js';
import { CHANGE, PastBook, WHAT, WHERE } from './past-book.js';
import { Ring } from './ring.js';

/** No trade comes so much later than the update that shows it: what stood this long before it came stood before it was made. */
const LATEST: Micros = MICROS_PER_SECOND;
/** It is followed at least so many ticks beyond the touch: where they are coarse, few bps hold no level. */
const LEAST_REACH = 50;
/** Prices of trades hold the band open for one to two of these. */
const EPOCH: Micros = MICROS_PER_SECOND;

/**
 * Values of a message: receive and exchange time, touch after it, prices it was followed between, where the changes of each side after it begin, and
 * prices between which changes are told.
 */
const T = 0;
const AT = 1;
const BEST_BID = 2;
const BEST_ASK = 3;
const LOW = 4;
const HIGH = 5;
const ENDS = 6;
const TOLD_LOW = 8;
const TOLD_HIGH = 9;
const MESSAGE = 10;

/**
 * The history that tells what stood before an order whose first print came no more than `age` ago, `bps` beyond the touch. One that keeps more
 * tells the same of such an order, so all of one reach are shared.
 */
export function bookHistory(market: Market, age: Micros, bps: number): BookHistory {
  const history = market.share(`book history ${bps}`, () => new BookHistory(market, bps));
  history.keep(age + LATEST);
  return history;
}

/** The past as a message left it, and the first message whose changes it has not taken in. */
interface Going {
  readonly from: number;
  readonly past: PastBook;
  next: number;
}

export class BookHistory implements Follower {
  /** prices followed: some way beyond the touch, and wherever trades were made in the last second */
  readonly band: Band = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  readonly levels = {
    band: this.band,
    changes: ({ values, bids, count }: LevelChanges): void => {
      this.#keepChanges(BID, values, 0, bids);
      this.#keepChanges(ASK, values, bids, count);
    },
  };
  readonly #market: Market;
  #keep: Micros = 0;
  readonly #bps: number;
  readonly #changes: readonly [Ring, Ring] = [new Ring(CHANGE), new Ring(CHANGE)];
  readonly #messages = new Ring(MESSAGE);
  /** of each side the past that was asked for last: a drive that goes on asks for it with every message */
  #going: [Going | null, Going | null] = [null, null];
  /** lowest and highest price traded in the running epoch, and in the one before */
  #epoch = Number.NaN;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;
  #lowestBefore = Number.POSITIVE_INFINITY;
  #highestBefore = Number.NEGATIVE_INFINITY;

  constructor(market: Market, bps: number) {
    this.#market = market;
    this.#bps = bps;
    market.follow(this);
  }

  /** Somebody goes back so far. */
  keep(span: Micros): void {
    if (span > this.#keep) this.#keep = span;
  }

  /** Keeps the changes [first, end) of a message, which are of one side. */
  #keepChanges(side: BookSide, changes: Float64Array, first: number, end: number): void {
    const ring = this.#changes[side];
    const { low, high } = this.band;
    for (let n = first; n < end; n++) {
      const from = n * LEVEL_CHANGE;
      const price = changes[from + PRICE];
      const before = changes[from + BEFORE];
      if (!(price >= low && price <= high) || before === changes[from + AFTER]) continue;
      if (ring.full && !ring.grow()) ring.first++; // messages before it cannot be gone back to any more
      const at = ring.push();
      ring.values[at + WHERE] = price;
      ring.values[at + WHAT] = before;
    }
  }

  /** An order that goes deep is followed down to where it trades: the update it made may come only now. */
  trade(t: Micros, _side: number, price: number): void {
    this.#turn(t);
    if (price < this.#lowest) this.#lowest = price;
    if (price > this.#highest) this.#highest = price;
    const { band } = this;
    if (band.low > band.high) return; // the book is not known
    if (price < band.low) band.low = price;
    if (price > band.high) band.high = price;
  }

  #turn(t: Micros): void {
    const epoch = Math.floor(t / EPOCH);
    if (epoch === this.#epoch) return;
    const isNext = epoch === this.#epoch + 1;
    this.#lowestBefore = isNext ? this.#lowest : Number.POSITIVE_INFINITY;
    this.#highestBefore = isNext ? this.#highest : Number.NEGATIVE_INFINITY;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = Number.NEGATIVE_INFINITY;
    this.#epoch = epoch;
  }

  book(t: Micros, joined: boolean): void {
    if (joined) this.#forget();
    const { bid, ask, track } = this.#market;
    const ring = this.#messages;
    this.#expire(t);
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    const { values } = ring;
    values[at + T] = t;
    // when a book that was joined stood so is not known
    values[at + AT] = joined ? Number.POSITIVE_INFINITY : track.bookAt;
    values[at + BEST_BID] = bid;
    values[at + BEST_ASK] = ask;
    values[at + LOW] = this.band.low;
    values[at + HIGH] = this.band.high;
    // beyond a book that slides none are
    values[at + TOLD_LOW] = track.slides ? track.low : Number.NEGATIVE_INFINITY;
    values[at + TOLD_HIGH] = track.slides ? track.high : Number.POSITIVE_INFINITY;
    values[at + ENDS + BID] = this.#changes[BID].next;
    values[at + ENDS + ASK] = this.#changes[ASK].next;
    this.#follow(t, bid, ask);
  }

  /** The newest message older than what is kept stays: the book stood as it left it. */
  #expire(t: Micros): void {
    const ring = this.#messages;
    const { values, mask } = ring;
    const limit = t - this.#keep;
    while (ring.next - ring.first > 1 && values[((ring.first + 1) & mask) * MESSAGE + T] <= limit) ring.first++;
    if (ring.next === ring.first) return;
    const ends = (ring.first & mask) * MESSAGE + ENDS;
    for (let side = 0; side < 2; side++) {
      const changes = this.#changes[side];
      if (values[ends + side] > changes.first) changes.first = values[ends + side];
    }
  }

  #follow(t: Micros, bid: number, ask: number): void {
    this.#turn(t);
    // a side may be empty: the other is followed all the same
    const low = Number.isNaN(bid) || bid > ask ? ask : bid;
    const high = Number.isNaN(ask) || ask < bid ? bid : ask;
    if (Number.isNaN(low)) {
      this.#ignore();
      return;
    }
    const { tick } = this.#market.track.book;
    // whole ticks, so that it is the same on any scale
    const reach = Math.max(LEAST_REACH, Math.ceil(((low + high) / (2 * tick)) * (this.#bps / 1e4))) * tick;
    this.band.low = Math.min(low - reach, this.#lowest, this.#lowestBefore);
    this.band.high = Math.max(high + reach, this.#highest, this.#highestBefore);
  }

  #ignore(): void {
    this.band.low = Number.POSITIVE_INFINITY;
    this.band.high = Number.NEGATIVE_INFINITY;
  }

  /** Whether the book has passed an exchange time: what was traded until then is in it. False where either is not known. */
  passed(matched: Micros): boolean {
    const ring = this.#messages;
    if (ring.next === ring.first || matched === 0) return false;
    const at = ring.values[((ring.next - 1) & ring.mask) * MESSAGE + AT];
    return at > matched && at !== Number.POSITIVE_INFINITY;
  }

  /**
   * A side of the book as it stood before an order matched at exchange time `matched` (0: not known) whose first print came at
   * `firstT`; null where that is not known. Where exchange times are not said, it is the book a guard before the print.
   */
  before(side: BookSide, matched: Micros, firstT: Micros): PastBook | null {
    const n = this.#newestBefore(matched, firstT);
    const { values, mask, first, next } = this.#messages;
    const at = (n & mask) * MESSAGE;
    const changes = this.#changes[side];
    if (n < first || values[at + ENDS + side] < changes.first) return null;
    let going = this.#going[side];
    if (going?.from !== n) {
      const touch = { bid: values[at + BEST_BID], ask: values[at + BEST_ASK] };
      going = { from: n, next: n + 1, past: new PastBook(this.#market.track, side, touch, values[at + ENDS + side]) };
      this.#going[side] = going;
      going.past.narrow(values[at + TOLD_LOW], values[at + TOLD_HIGH]);
    }
    const { past } = going;
    for (; going.next < next; going.next++) {
      const then = (going.next & mask) * MESSAGE;
      past.narrow(values[then + LOW], values[then + HIGH]);
      past.narrow(values[then + TOLD_LOW], values[then + TOLD_HIGH]);
    }
    past.add(changes);
    return past;
  }

  /** Number of the newest message that came before such an order; one less than the oldest where none did. */
  #newestBefore(matched: Micros, firstT: Micros): number {
    const { values, mask, first, next } = this.#messages;
    const { guard } = this.#market;
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * MESSAGE;
      const timed = matched > 0 && values[at + AT] > 0;
      const before = timed
        ? values[at + AT] < matched || values[at + T] <= firstT - LATEST
        : values[at + T] <= firstT - guard;
      if (before) return n;
    }
    return first - 1;
  }

  #forget(): void {
    for (const changes of this.#changes) changes.clear();
    this.#messages.clear();
    this.#going = [null, null];
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) === 0) return;
    this.#forget();
    this.#ignore();
  }
}
