/** The state of one src that all its detectors share: flow, groups, ledger, mid, top of the book and what is usual. */
import { scaleDecimal, unscale } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field } from '../model/event.js';
import type { Fit } from '../model/fit.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { MinuteCounter, minuteOf } from './baseline.js';
import { ASK, BID, type BookSide } from './book.js';
import { Derivatives } from './derivatives.js';
import { Flow, type FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import { Followers } from './followers.js';
import { type Group, Groups } from './groups.js';
import { Ledger } from './ledger.js';
import { LevelFeed } from './level-feed.js';
import { priceBeyond } from './price-beyond.js';
import { type Basis, GRID, GridStatistic, type Take } from './statistic.js';
import { StepWindow } from './steps.js';
import { Effect, type Track } from './track.js';

/** Detectors look at time-driven conditions on the first entry of each beat. */
export const BEAT: Micros = 100_000;
/** Aggressor groups that make a baseline trustworthy on a market of few but large seconds. */
const WARM_GROUPS = 100;
const WARM_SAMPLES = 60;
/** Trades and the book changes they made wait at least this long for each other. */
const MIN_GUARD: Micros = 10_000;

/**
 * The ledger looks at least this many ticks, cells and bps beyond the touch. Orders that take more of a book that tells of it first are rare: in
 * recorded sessions of Binance, all prices followed gives the same signals.
 */
const NEAR_TICKS = 5;
const NEAR_CELLS = 8;
const NEAR_BPS = 4;

/** Effects on what is said beside the market, and of prints off its book. */
const BESIDE = Effect.derivative | Effect.liquidation | Effect.besideGap | Effect.offBook;

/** Why detectors are asked to look; bits may be combined. `group`: an aggressor group is complete. */
export const Wake = { trade: 1, book: 2, beat: 4, group: 8 } as const;

/** What the venue's data can prove and how it comes; the venue's `capabilities` have this shape. */
export interface DataFacts {
  bookLossDetected: boolean;
  tradeLossDetected: boolean;
  conflationMs: number;
  groups: 'exact' | 'strong' | 'heuristic';
  /** which liquidations are pushed; missing where none are */
  liquidations?: 'all' | 'sampled';
}

export interface MarketOptions {
  facts: DataFacts;
  /** whole minutes a baseline looks back */
  baselineMinutes: number;
  /** valid data needed before a baseline speaks */
  warmup: Micros;
  /** bar of the higher timeframe */
  htf: Micros;
  /** what was said longer ago is not known any more: as long as reading starts before what is printed */
  lookback: Micros;
  /** best quotes are recorded beside the book, as a stream of their own */
  hasTouches?: boolean;
  /** what was learnt of it before, in order of their ends */
  fits?: readonly Fit[];
}

/** Sums of the best `depth` levels of each side, kept current while the book is valid. */
export interface TopVolume {
  readonly depth: number;
  bid: number;
  ask: number;
}

/** Size displayed within so many bps of the mid. */
interface Depth {
  bps: number;
  size: number;
}

/**
 * Market state of one src. It is a function of a bounded past of its entries, the book aside, which is whole at every
 * checkpoint. Nothing is kept that no detector asked for.
 */
export class Market {
  readonly track: Track;
  readonly options: MarketOptions;
  /** trades and the book changes they made come on different paths: one may be this much later than the other */
  readonly guard: Micros;
  /** receive time of the entry being looked at */
  t: Micros = 0;
  /** since when trades are complete, and the book valid; NaN: not now */
  tradesSince: Micros = Number.NaN;
  bookSince: Micros = Number.NaN;
  readonly groups = new Groups();
  /** what is said of the contract beside its market */
  readonly derivatives: Derivatives;
  /** best prices, scaled; NaN where unknown */
  bid = Number.NaN;
  ask = Number.NaN;
  /** scaled price of the newest print */
  lastPrice = Number.NaN;
  readonly #flow = new Flow();
  readonly #groupCounts: MinuteCounter;
  /** so many samples are enough */
  readonly #enough: number;
  readonly #statistics = new Map<string, GridStatistic>();
  readonly #mids: StepWindow[] = [];
  readonly #tops: TopVolume[] = [];
  /** of each side the depth that was asked for last; `bps` is NaN where the book has changed since */
  readonly #depths: readonly [Depth, Depth] = [
    { bps: Number.NaN, size: Number.NaN },
    { bps: Number.NaN, size: Number.NaN },
  ];
  readonly #levels: LevelFeed;
  readonly #shared = new Map<string, unknown>();
  readonly #followers = new Followers();
  /** a group was completed since detectors were last told so */
  #grouped = false;
  #ledger: Ledger | null = null;
  #cellBps = 0;
  #cellMinute = -1;
  #wantsTrades = false;
  #hearsGroups = false;
  #wantsTouch = false;
  #nextTick: Micros = Number.POSITIVE_INFINITY;
  /** how far back the seconds are on which anything depends */
  readonly #memory: Micros;
  #beatEnd: Micros = 0;
  /** before this time neither a tick nor a beat is due */
  due: Micros = Number.NEGATIVE_INFINITY;

  constructor(track: Track, options: MarketOptions) {
    this.track = track;
    this.options = options;
    this.guard = Math.max(MIN_GUARD, options.facts.conflationMs * 1000);
    this.#groupCounts = new MinuteCounter(options.baselineMinutes);
    this.#enough = Math.min(WARM_SAMPLES, Math.ceil(options.warmup / GRID));
    this.derivatives = new Derivatives(track.scale, options.lookback);
    this.#levels = new LevelFeed(track);
    // the look-back counts from the beginning of a unit; within one the last closed bar began up to a bar earlier, and a minute is under way
    this.#memory = options.lookback + options.htf + 2 * MICROS_PER_MINUTE;
  }

  // What detectors ask for when they are created.

  /** Trades over (t − span, t]. */
  flow(span: Micros): FlowWindow {
    this.#wantsTrades = true;
    return this.#flow.window(span);
  }

  /** Twice the mid (an integer) over (t − span, t]. */
  mid(span: Micros): StepWindow {
    this.#wantsTouch = true;
    const known = this.#mids.find((window) => window.span === span);
    if (known !== undefined) return known;
    const window = new StepWindow(span);
    this.#mids.push(window);
    return window;
  }

  /** Sums of the best `depth` levels. */
  top(depth: number): TopVolume {
    this.#wantsTouch = true;
    const known = this.#tops.find((top) => top.depth === depth);
    if (known !== undefined) return known;
    const top: TopVolume = { depth, bid: Number.NaN, ask: Number.NaN };
    this.#tops.push(top);
    return top;
  }

  /**
   * The trade–book ledger with cells of at least `bps` of the mid. All who ask must ask for the same window and cells.
   */
  ledger(window: Micros, bps: number): Ledger {
    this.#wantsTrades = true;
    this.#wantsTouch = true;
    if (this.#ledger === null) {
      const { book } = this.track;
      const ledger = new Ledger(book.tick, window, this.guard, (side, low, high) => {
        let sum = 0;
        for (let price = low; price <= high; price += book.tick) sum += book.sizeAt(side, price);
        return sum;
      });
      this.#ledger = ledger;
      this.#cellBps = bps;
      this.#levels.tap({ band: ledger.band, changes: (changes) => ledger.changes(changes) });
    }
    return this.#ledger;
  }

  /** State that several detectors share: made by the first who asks for that name, which says all it depends on. */
  share<T>(name: string, create: () => T): T {
    if (!this.#shared.has(name)) this.#shared.set(name, create());
    // whoever asks for a name made what stands under it, or would have made the like
    return this.#shared.get(name) as T;
  }

  /** From now on `follower` is told what happens; see there. Ask while being created. */
  follow(follower: Follower): void {
    const { trade, book, group, levels } = follower;
    if (trade !== undefined) this.#wantsTrades = true;
    if (book !== undefined) this.#wantsTouch = true;
    if (group !== undefined) this.onGroup(group.bind(follower));
    if (levels !== undefined) this.#levels.tap(levels);
    this.#followers.add(follower);
  }

  /** Calls `listener` with every complete aggressor group; detectors are woken with `Wake.group` after it. */
  onGroup(listener: (group: Group) => void): void {
    this.hearGroups();
    this.groups.onComplete(listener);
  }

  /** Detectors are woken with `Wake.group` when a group is complete. */
  hearGroups(): void {
    if (this.#hearsGroups) return;
    this.#hearsGroups = true;
    this.#wantsTrades = true;
    this.groups.onComplete(() => {
      this.#grouped = true;
    });
  }

  /**
   * Whether the print just heard was made after the book stood as at a moment then: a print may be received later than the update that
   * shows it. `bookAt` is the exchange time of that book (`track.bookAt`), `t` when it was looked at; where nothing is timed, a print counts as older for a guard.
   */
  isAfter(bookAt: Micros, t: Micros): boolean {
    const { matched } = this.groups.open;
    return matched > 0 && bookAt > 0 ? matched > bookAt : this.t > t + this.guard;
  }

  /** How surely the prints of a group are those of one order; `order` is the venue's number of it, -1 where it gave none. */
  groupConf(order: number): DataFacts['groups'] {
    const { groups } = this.options.facts;
    return groups === 'heuristic' && order >= 0 ? 'strong' : groups;
  }

  /** Somebody follows best quotes. */
  get hearsTouches(): boolean {
    return this.#followers.hearTouches;
  }

  /**
   * Size displayed on a side within `bps` of the mid, scaled; NaN where the book is not valid, one-sided, crossed or not known that
   * far. Costs a walk over that range, once for all who ask before the book changes: nothing for every message.
   */
  depthWithin(side: BookSide, bps: number): number {
    if (this.track.state !== 'valid') return Number.NaN;
    const depth = this.#depths[side];
    if (depth.bps !== bps) {
      depth.bps = bps;
      depth.size = this.#depthWithin(side, bps);
    }
    return depth.size;
  }

  #depthWithin(side: BookSide, bps: number): number {
    return this.depthTo(side, priceBeyond(side, (this.bid + this.ask) / 2, bps));
  }

  /** Size displayed on a side from its best price to a scaled one, scaled; NaN in the same cases. Costs a walk over that range. */
  depthTo(side: BookSide, limit: number): number {
    const { track, bid, ask } = this;
    if (track.state !== 'valid' || !(bid < ask)) return Number.NaN;
    if (side === BID) return limit < track.low ? Number.NaN : track.book.volumeBetween(BID, limit, bid);
    return limit > track.high ? Number.NaN : track.book.volumeBetween(ASK, ask, limit);
  }

  #forgetDepths(): void {
    this.#depths[BID].bps = Number.NaN;
    this.#depths[ASK].bps = Number.NaN;
  }

  /** A statistic sampled on the grid; equal names share one. */
  statistic(name: string, basis: Basis, delay: Micros, take: Take): GridStatistic {
    const known = this.#statistics.get(name);
    if (known !== undefined) return known;
    const statistic = new GridStatistic(this.options.baselineMinutes, basis, delay, take);
    this.#statistics.set(name, statistic);
    return statistic;
  }

  /** The same of what was traded in a window: sampled once all of it lies behind the beginning, or behind the last loss, as less would look quiet. */
  statisticOver(name: string, basis: Basis, window: Micros, take: Take): GridStatistic {
    return this.statistic(`${name} ${window}`, basis, window, (t, sample) => {
      if (t - this.#since(basis) >= window) take(t, sample);
    });
  }

  /** Since when what a statistic rests on is known without a gap. */
  #since(basis: Basis): Micros {
    return basis === 'book' ? Math.max(this.bookSince, this.tradesSince) : this.tradesSince;
  }

  /** A quantile of a statistic; NaN until it is warm: enough valid time, and enough samples or groups in the ring. */
  usual(statistic: GridStatistic, q: number): number {
    const known = statistic.known(this.t, q);
    return Number.isNaN(known) ? this.#usual(statistic, q) : known;
  }

  #usual(statistic: GridStatistic, q: number): number {
    // what is warm stays so, and no sample joins or leaves, before the next tick
    return this.isWarm(statistic) ? statistic.quantile(q, this.#nextTick) : Number.NaN;
  }

  /** There was enough valid time, and there are enough samples or groups in the ring. */
  isWarm({ basis, baseline }: GridStatistic): boolean {
    if (!(this.t - this.#since(basis) >= this.options.warmup)) return false;
    return baseline.count >= this.#enough || this.#groupCounts.count(this.t) >= WARM_GROUPS;
  }

  /** It is warm by samples of its own: groups of trades say nothing of how well quotes, depth and volatility are known. */
  isSampled(statistic: GridStatistic): boolean {
    return statistic.baseline.count >= this.#enough && this.isWarm(statistic);
  }

  // Numbers for people: exact decimals, the same on any scale.

  /** mid as a decimal; null where unknown */
  midPrice(): number | null {
    const twice = this.bid + this.ask;
    return this.bid < this.ask ? twice / (2 * 10 ** this.track.scale.price) : null;
  }

  /** price of the newest print as a decimal; null before there is one */
  lastTradePrice(): number | null {
    return Number.isNaN(this.lastPrice) ? null : this.price(this.lastPrice);
  }

  price(scaled: number): number {
    return unscale(scaled, this.track.scale.price);
  }

  size(scaled: number): number {
    return unscale(scaled, this.track.scale.size);
  }

  /** A size typed by a person as a scaled integer; what is finer than the scale is rounded up. */
  scaledSize(text: string): number {
    const exact = scaleDecimal(text, this.track.scale.size);
    return Number.isNaN(exact) ? Math.ceil(Number(text) * 10 ** this.track.scale.size) : exact;
  }

  // What the scan tells.

  /** A unit begins, whose time starts at `start`. */
  beginUnit(start: Micros): void {
    this.#followers.unit(start);
  }

  /** Time moves to `t`, before the entry at `t` is applied. Returns Wake.beat on the first entry of a beat. */
  advance(t: Micros): number {
    if (t >= this.due) return this.#advance(t);
    this.t = t;
    return 0;
  }

  #advance(t: Micros): number {
    if (t > this.#nextTick) this.#tick(t);
    this.t = t;
    if (t > this.groups.due) this.groups.complete();
    const isBeat = t >= this.#beatEnd;
    if (isBeat) this.#beatEnd = (Math.floor(t / BEAT) + 1) * BEAT;
    this.due = Math.min(this.#beatEnd, this.#nextTick + 1, this.groups.due + 1);
    return (isBeat ? Wake.beat : 0) | this.#completed();
  }

  /** Wake.group where a group was completed since this was last asked. */
  #completed(): number {
    if (!this.#grouped) return 0;
    this.#grouped = false;
    return Wake.group;
  }

  /** The first entry of data was met: from here on trades count as complete. */
  begin(t: Micros): void {
    this.t = t;
    this.tradesSince = t;
    this.#nextTick = Math.ceil(t / GRID) * GRID;
    this.due = Number.NEGATIVE_INFINITY;
  }

  #tick(t: Micros): void {
    let g = this.#nextTick;
    // after a long silence seconds on which nothing depends any more are left out
    const oldest = t - this.#memory;
    if (g < oldest) g = Math.ceil(oldest / GRID) * GRID;
    for (; g < t; g += GRID) {
      // baselines first: a quantile asked for at `g` must not rest on a minute that has left the ring
      for (const statistic of this.#statistics.values()) statistic.tick(g);
      this.#followers.tick(g);
    }
    this.#nextTick = g;
  }

  /**
   * Takes in what record `i` did, just after the track applied it; `buffer` is null for an entry that is no record. After
   * a loss `lose` comes first. Returns Wake bits.
   */
  apply(effect: number, buffer: EventBuffer | null, i: number): number {
    let wake = 0;
    if ((effect & Effect.trade) !== 0 && buffer !== null) {
      if (this.#wantsTrades) this.#trade(buffer.events, i * EVENT_STRIDE);
      wake = Wake.trade | this.#completed();
    }
    if ((effect & (Effect.book | Effect.valid)) !== 0) {
      this.#levels.tell();
      this.#forgetDepths();
      if (this.#wantsTouch) this.#refresh((effect & Effect.valid) !== 0);
      wake |= Wake.book;
    }
    if ((effect & BESIDE) !== 0) this.#takeBeside(effect, buffer, i * EVENT_STRIDE);
    return wake;
  }

  /** Takes in the touch records `[from, to)` of a buffer; nobody is woken for them. */
  touches(events: Float64Array, from: number, to: number): void {
    this.#followers.touches(events, from, to);
  }

  /** Nobody is woken for what is said beside the market: it is looked at when something else happens. */
  #takeBeside(effect: number, buffer: EventBuffer | null, o: number): void {
    if ((effect & Effect.besideGap) !== 0) {
      this.derivatives.clear();
      this.#followers.lose(Effect.besideGap);
    }
    if (buffer === null) return;
    if ((effect & Effect.offBook) !== 0)
      this.groups.skip(buffer.events[o + Field.FIRST], buffer.events[o + Field.LAST]);
    if ((effect & Effect.derivative) !== 0) this.derivatives.say(this.t, buffer.events, o);
    if ((effect & Effect.liquidation) !== 0) this.derivatives.liquidate(this.t, buffer.events, o);
  }

  #trade(e: Float64Array, o: number): void {
    const { t } = this;
    const side = e[o + Field.SIDE];
    const price = e[o + Field.PRICE];
    const size = e[o + Field.SIZE];
    this.lastPrice = price;
    const last = e[o + Field.LAST];
    const first = e[o + Field.FIRST];
    const opened = this.groups.add(t, e[o + Field.MATCHED], last, side, price, size, first, e[o + Field.PREVIOUS]);
    if (opened) this.#groupCounts.add(t);
    // the group is complete when nothing joined it for a while: that moment must not pass unseen
    const complete = this.groups.due + 1;
    if (complete < this.due) this.due = complete;
    this.#flow.push(t, side * size);
    this.#followers.trade(t, side, price, size);
    if (this.#ledger !== null && this.track.state === 'valid') {
      const passive = side > 0 ? ASK : BID;
      this.#ledger.trade(t, passive, price, size);
    }
    // a trade may have widened a band, and the book change it made is what that was done for
    this.#levels.settle();
  }

  /** The book changed (or, with `joined`, became valid): touch, mid and sums follow. */
  #refresh(joined: boolean): void {
    const { book } = this.track;
    const { t } = this;
    if (joined) this.bookSince = t;
    this.#ledger?.applied(t);
    const bid = book.bestBid();
    const ask = book.bestAsk();
    if (bid !== this.bid || ask !== this.ask || joined) {
      this.bid = bid;
      this.ask = ask;
      const twice = bid < ask ? bid + ask : Number.NaN; // NaN too where a side is empty
      for (let i = 0; i < this.#mids.length; i++) this.#mids[i].set(t, twice);
      this.#follow();
    }
    for (let i = 0; i < this.#tops.length; i++) {
      const top = this.#tops[i];
      top.bid = book.topVolume(BID, top.depth);
      top.ask = book.topVolume(ASK, top.depth);
    }
    this.#followers.book(t, joined);
    this.#levels.settle();
  }

  /** The ledger follows the book some cells beyond the touch: a removal may come before the first trade that explains it. */
  #follow(): void {
    const ledger = this.#ledger;
    if (ledger === null) return;
    const { bid, ask } = this;
    const { tick } = ledger;
    const minute = minuteOf(this.t);
    if (minute !== this.#cellMinute && bid < ask) {
      // powers of two, looked at once a minute: a width that changes forgets, so it must hardly ever change
      this.#cellMinute = minute;
      const wanted = ((bid + ask) / (2 * tick)) * (this.#cellBps / 1e4);
      ledger.resize(2 ** Math.ceil(Math.log2(Math.max(1, wanted))));
    }
    const near = Math.max(NEAR_TICKS * tick, NEAR_CELLS * ledger.width, ((bid + ask) / 2) * (NEAR_BPS / 1e4));
    ledger.follow(this.t, bid - near, ask + near);
  }

  /** Data was lost: what rests on it is forgotten and warms up anew. `effect` holds Effect.lost or Effect.tradeGap. */
  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) {
      this.tradesSince = this.t;
      this.groups.clear();
      this.#flow.clear();
      this.#groupCounts.clear();
    }
    if ((effect & Effect.lost) !== 0) {
      this.#forgetDepths();
      this.bookSince = Number.NaN;
      this.bid = Number.NaN;
      this.ask = Number.NaN;
      for (const window of this.#mids) window.clear();
      for (const top of this.#tops) {
        top.bid = Number.NaN;
        top.ask = Number.NaN;
      }
    }
    this.#followers.lose(effect);
    this.#ledger?.clear();
    this.#follow();
    this.#levels.settle();
    for (const statistic of this.#statistics.values())
      if (statistic.basis === 'book' || (effect & Effect.tradeGap) !== 0) statistic.clear();
  }
}
