/** Big levels that appear near the touch, and those among them that go again untraded: pulls. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { Effect } from './effect.js';
import type { Band, Follower } from './follower.js';
import { AFTER, BEFORE, LEVEL_CHANGE, type LevelChanges, PRICE } from './level-changes.js';
import { levelSizes } from './level-sizes.js';
import type { Market } from './market.js';
import { LIKE_LEAST, type Watched } from './moves.js';
import { type BigLevelOptions, type Pull, Pulls } from './pulls.js';
import type { GridStatistic } from './statistic.js';

/** What appears in one message must be this share of what then stands there: a big order, not one more on a big level. */
const GROWN = 0.8;
/** Big levels watched at a time; the oldest is let go for one more. */
const MOST_WATCHED = 256;
/** Price came near when the other side's best came within so many ticks. */
const NEAR_TICKS = 2;
/** What stands beyond a level is looked for among so many ticks first. */
const NEXT_TICKS = 32;

/** A level change of the message under way that may matter. */
interface Change {
  key: number;
  before: number;
  after: number;
}

/**
 * The watch-list is kept at message ends, and costs two comparisons for every other level. Only what was seen to appear is on it: no
 * level of a snapshot. What went is judged a guard later, when no trade can explain it any more.
 */
export class BigLevels implements Follower {
  /** prices followed, within `far` of the mid before a message */
  readonly band: Band = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY };
  readonly levels = {
    band: this.band,
    changes: (changes: LevelChanges): void => this.#choose(changes),
  };
  readonly #market: Market;
  readonly #options: BigLevelOptions;
  readonly #sizes: GridStatistic;
  readonly #pulls: Pulls;
  /** by price, negative for a bid; in the order in which they appeared */
  readonly #watched = new Map<number, Watched>();
  /** changes of the message under way */
  readonly #changes: Change[] = [];
  #changed = 0;
  /** sizes from which a level is big, and may matter as another one moved; infinite while that is not known */
  #gate = Number.POSITIVE_INFINITY;
  #watchGate = Number.POSITIVE_INFINITY;
  #median = Number.NaN;
  /** no watched level goes unless so much stood there */
  #floor = Number.POSITIVE_INFINITY;
  /** the touch before the message under way; NaN where it is not known */
  #bid = Number.NaN;
  #ask = Number.NaN;

  constructor(market: Market, options: BigLevelOptions) {
    this.#market = market;
    this.#options = options;
    this.#sizes = levelSizes(market, options.far, options.longest);
    this.#pulls = new Pulls(options, market.guard);
    market.follow(this);
  }

  /** Changes that may matter are few. */
  #choose({ values, bids, count }: LevelChanges): void {
    const { low, high } = this.band;
    const gate = this.#watchGate;
    const floor = this.#floor;
    for (let n = 0, at = 0; n < count; n++, at += LEVEL_CHANGE) {
      const before = values[at + BEFORE];
      const after = values[at + AFTER];
      if (after > before ? !(after >= gate && after - before >= GROWN * after) : !(before >= floor)) continue;
      const price = values[at + PRICE];
      if (price >= low && price <= high) this.#change(n < bids ? BID : ASK, price, before, after);
    }
  }

  #change(side: BookSide, price: number, before: number, after: number): void {
    const at = this.#changed++;
    if (at === this.#changes.length) this.#changes.push({ key: 0, before: 0, after: 0 });
    const change = this.#changes[at];
    change.key = side === BID ? -price : price;
    change.before = before;
    change.after = after;
  }

  trade(t: Micros, side: number, price: number, size: number): void {
    // what waits was to be judged before this trade
    this.#settle(t);
    this.#pulls.trade(t, side, price, size);
  }

  book(t: Micros): void {
    this.#settle(t);
    const { bid, ask } = this.#market;
    if (this.#changed > 0) this.#look(t);
    if (bid !== this.#bid || ask !== this.#ask) this.#follow();
  }

  #follow(): void {
    const { bid, ask } = this.#market;
    this.#bid = bid;
    this.#ask = ask;
    if (!(bid < ask)) {
      this.#ignore();
      return;
    }
    const mid = (bid + ask) / 2;
    const reach = (mid * this.#options.far) / 1e4;
    this.band.low = mid - reach;
    this.band.high = mid + reach;
  }

  /** The book is not known, one-sided or crossed: what goes meanwhile is not seen. */
  #ignore(): void {
    this.#watched.clear();
    this.band.low = Number.POSITIVE_INFINITY;
    this.band.high = Number.NEGATIVE_INFINITY;
  }

  /** A second has passed: what is too old, or out of sight, is let go. */
  tick(t: Micros): void {
    this.#measure();
    let smallest = Number.POSITIVE_INFINITY;
    const { low, high } = this.band;
    for (const { shown, size, side, price } of this.#watched.values())
      if (t - shown > this.#options.longest || !(price >= low && price <= high))
        this.#watched.delete(side === BID ? -price : price);
      else if (size < smallest) smallest = size;
    this.#floor = smallest * this.#options.cancelled;
  }

  #measure(): void {
    const { quantile, times, least } = this.#options;
    const market = this.#market;
    this.#median = market.usual(this.#sizes, 0.5);
    const gate = Math.max(market.usual(this.#sizes, quantile), times * this.#median, least);
    this.#gate = gate > 0 ? gate : Number.POSITIVE_INFINITY; // NaN while the baseline is cold
    this.#watchGate = LIKE_LEAST * this.#gate;
  }

  /** The message under way is whole: what it showed and took away. */
  #look(t: Micros): void {
    const { bid, ask } = this.#market;
    const count = this.#changed;
    this.#changed = 0;
    const isKnown = bid < ask;
    for (let n = 0; n < count; n++) {
      const { key, before, after } = this.#changes[n];
      const level = this.#watched.get(key);
      if (level !== undefined) this.#wane(t, level, key, before, after, isKnown);
      if (after > before) this.#show(t, key, after);
    }
  }

  /** A watched level has changed. */
  #wane(t: Micros, level: Watched, key: number, before: number, after: number, isKnown: boolean): void {
    const least = this.#options.cancelled * level.size;
    const removed = before - after;
    if (removed < least && after >= least) return;
    // it went, or what is left is not what appeared any more
    this.#watched.delete(key);
    if (!isKnown) return;
    if (!level.counts || this.#isEdge(level)) return;
    const mid = this.#bid + this.#ask;
    const isNear = this.#isNear(level.side, level.price, this.#bid, this.#ask) || this.#isNearNow(level);
    this.#pulls.wait({ level, gone: t, removed, mid, isNear });
  }

  #show(t: Micros, key: number, size: number): void {
    const { near } = this.#options;
    const { bid, ask } = this.#market;
    const side = key < 0 ? BID : ASK;
    const price = Math.abs(key);
    const mid = (bid + ask) / 2;
    const distance = (Math.abs(price - mid) / mid) * 1e4;
    const level: Watched = {
      ...{ side, price, size, gate: this.#gate, median: this.#median, shown: t, mid: bid + ask },
      isNear: this.#isNear(side, price, bid, ask),
      counts: size >= this.#gate && distance >= near,
    };
    if (this.#isEdge(level)) return;
    this.#watched.delete(key); // it is the newest from here on
    if (this.#watched.size >= MOST_WATCHED)
      for (const [oldest] of this.#watched) if (this.#watched.delete(oldest)) break;
    this.#watched.set(key, level);
    this.#floor = Math.min(this.#floor, size * this.#options.cancelled);
  }

  #isNearNow({ side, price }: Watched): boolean {
    return this.#isNear(side, price, this.#market.bid, this.#market.ask);
  }

  /** The other side's best is within some ticks of a price. */
  #isNear(side: BookSide, price: number, bid: number, ask: number): boolean {
    const reach = NEAR_TICKS * this.#market.track.book.tick;
    return side === BID ? ask - price <= reach : price - bid <= reach;
  }

  /** Nothing is displayed beyond it: where a venue shows the best levels only, that may be the end of what is shown. */
  #isEdge({ side, price }: Watched): boolean {
    const far = (price * this.#options.far) / 1e4;
    // as a rule there is something next to it
    const near = Math.min(far, NEXT_TICKS * this.#market.track.book.tick);
    return this.#isEmptyBeyond(side, price, near) && this.#isEmptyBeyond(side, price, far);
  }

  #isEmptyBeyond(side: BookSide, price: number, reach: number): boolean {
    const { book } = this.#market.track;
    return side === BID
      ? book.volumeBetween(BID, price - reach, price - book.tick) === 0
      : book.volumeBetween(ASK, price + book.tick, price + reach) === 0;
  }

  #settle(t: Micros): void {
    this.#pulls.settle(t, this.#watched);
  }

  /** Pulls judged since this was last asked, in the order in which they went. */
  take(t: Micros): readonly Pull[] {
    this.#settle(t);
    return this.#pulls.take();
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.#forget();
    this.#gate = Number.POSITIVE_INFINITY;
    this.#watchGate = Number.POSITIVE_INFINITY;
    if ((effect & Effect.lost) !== 0) this.#ignore();
  }

  #forget(): void {
    this.#watched.clear();
    this.#pulls.clear();
    this.#changed = 0;
    this.#floor = Number.POSITIVE_INFINITY;
    this.#bid = Number.NaN;
    this.#ask = Number.NaN;
  }
}
