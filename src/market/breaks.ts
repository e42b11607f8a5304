/** Breaks: a drive of unusual volume has exhausted what stood before it, and price stands beyond. Ignitions are made of them. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID, type BookSide } from './book.js';
import { type BookHistory, bookHistory } from './book-history.js';
import { type Drive, type Drives, drivesOf } from './drive.js';
import { type Eaten, eaten } from './eaten.js';
import { Effect } from './effect.js';
import type { FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import { BEAT, type Market } from './market.js';
import type { PastBook } from './past-book.js';
import { sideVolume } from './side-volume.js';
import type { GridStatistic } from './statistic.js';
import { usualDepth } from './usual-depth.js';

/** Depth is measured within this many bps of the mid, and the past of the book is known twice as far from the touch. */
const DEPTH_BPS = 10;

export interface BreakRules {
  /** a drive is no longer than this */
  readonly window: Micros;
  /** orders of its side, and the largest share of its volume that goes the other way */
  readonly groups: number;
  readonly opposite: number;
  /** quantile of what usually trades on one side in such a window that it must reach, and a scaled size */
  readonly quantile: number;
  readonly least: number;
  /** best levels before it, and the share of them that must be gone */
  readonly levels: number;
  readonly fell: number;
  /** share of that, and of each exhausted level, that must have been traded */
  readonly consumed: number;
  /** least displayed size exhausted, as a share of the usual depth */
  readonly depth: number;
  /** what must stand beyond the sweep point: the touch that follows the drive, or a trade of it */
  readonly trigger: string;
}

/** What counts as a break unless somebody says otherwise: the defaults of the detector ignition. */
export const USUAL_BREAK: BreakRules = {
  ...{ window: 2 * MICROS_PER_SECOND, groups: 3, opposite: 0.1, quantile: 0.95, least: 0 },
  ...{ levels: 3, fell: 0.5, consumed: 0.8, depth: 0.02, trigger: 'bid' },
};

/** How far back the data is on which a break by such rules rests, baselines aside; late updates and trades are younger than the rest. */
export function breakSpan({ window }: Pick<BreakRules, 'window'>): Micros {
  return 2 * window + 5 * MICROS_PER_SECOND;
}

/** What is known of one when it is found. */
export interface Break {
  readonly drive: Drive;
  /** the side it went through, before it */
  readonly past: PastBook;
  readonly what: Eaten;
  /** volume it had to reach */
  readonly gate: number;
}

/** Looks for breaks when it is asked. */
export class Breaks {
  readonly #market: Market;
  readonly #rules: BreakRules;
  readonly #flow: FlowWindow;
  readonly #usual: GridStatistic;
  readonly #drives: Drives;
  readonly #history: BookHistory;
  /** of bids and of asks */
  readonly #depths: readonly [GridStatistic, GridStatistic];
  #gate = Number.NaN;

  constructor(market: Market, rules: BreakRules) {
    const { window } = rules;
    this.#market = market;
    this.#rules = rules;
    this.#flow = market.flow(window);
    this.#usual = sideVolume(market, window);
    this.#drives = drivesOf(market, window);
    this.#history = bookHistory(market, window + 2 * market.guard, 2 * DEPTH_BPS);
    this.#depths = [usualDepth(market, BID, DEPTH_BPS), usualDepth(market, ASK, DEPTH_BPS)];
  }

  /** Time has come to `t`: how much is much? Call it before `find`. */
  measure(t: Micros): void {
    this.#flow.expire(t);
    this.#gate = Math.max(this.#rules.least, this.#market.usual(this.#usual, this.#rules.quantile));
  }

  /** The drive of a side that has broken through now, of prints after `since`; null where there is none. */
  find(t: Micros, side: number, since: Micros): Break | null {
    const gate = this.#gate;
    // NaN while cold; zero where nothing is usual, so nothing can be unusual
    return gate > 0 && (side > 0 ? this.#flow.buy : this.#flow.sell) >= gate ? this.#seek(t, side, since, gate) : null;
  }

  /** Much was traded on the side: was it a drive, and has it broken through? */
  #seek(t: Micros, side: number, since: Micros, gate: number): Break | null {
    const { groups, opposite, consumed, depth: share } = this.#rules;
    const passive = side > 0 ? ASK : BID;
    const usual = this.#market.usual(this.#depths[passive], 0.5);
    // zero where a tick is wider than the bps
    if (!(usual > 0)) return null;
    // of what was exhausted, that share was traded at least
    const least = Math.max(gate, share * usual * consumed);
    const drive = this.#drives.of(t, side, since, { opposite, groups, volume: least });
    if (drive === null || !this.#isBeyond(side, drive)) return null;
    const past = this.#history.before(passive, drive.firstMatched, drive.firstT);
    if (past === null || !(past.spread > 0)) return null;
    const what = this.#broken(side, passive, drive, past);
    return what === null || what.displayed / usual < share ? null : { drive, past, what, gate };
  }

  /** Whether the trigger may be there at all: the sweep point is a price that was traded at. Going back in the book is far more work. */
  #isBeyond(side: number, { traded }: Drive): boolean {
    if (this.#rules.trigger === 'trade') return traded.size > 1;
    const follows = side > 0 ? this.#market.bid : this.#market.ask;
    for (const price of traded.keys()) if (side * (follows - price) > 0) return true;
    return false;
  }

  /** What the drive ate, if that is enough, and the touch or a trade stands beyond it. */
  #broken(side: number, passive: BookSide, drive: Drive, past: PastBook): Eaten | null {
    const { levels, consumed, fell, trigger } = this.#rules;
    const { bid, ask, track } = this.#market;
    const { book } = track;
    const what = eaten(past, drive.traded, side * book.tick, { levels, consumed }, (price) =>
      book.sizeAt(passive, price),
    );
    if (what === null || what.fell < fell || !(what.consumed >= consumed)) return null;
    const point = sweepPoint(what);
    const follows = side > 0 ? bid : ask;
    if (trigger === 'bid') return side * (follows - point) > 0 ? what : null;
    for (const price of drive.traded.keys()) if (side * (price - point) > 0) return what;
    return null;
  }
}

/** The barrier, or the farthest level exhausted. */
export function sweepPoint({ barrier, last }: Eaten): number {
  return Number.isNaN(barrier) ? last : barrier;
}

/** When a drive, of either side, had last broken through by the usual rules. */
export function lastBreakOf(market: Market): LastBreak {
  return market.share('last break', () => new LastBreak(market));
}

/**
 * Looks with the market, not with detectors, so that it knows the same whoever else is there: at the first change of each tenth of a second of the
 * clock, which finds all that stand that long. Whether there is a break hangs on no break before: nothing goes back beyond the drive.
 */
export class LastBreak implements Follower {
  t: Micros = Number.NEGATIVE_INFINITY;
  readonly #market: Market;
  readonly #breaks: Breaks;
  /** until then nothing is looked for */
  #due: Micros = Number.NEGATIVE_INFINITY;

  constructor(market: Market) {
    this.#market = market;
    this.#breaks = new Breaks(market, USUAL_BREAK);
    market.follow(this);
  }

  group(): void {
    this.#look(this.#market.t);
  }

  book(t: Micros): void {
    this.#look(t);
  }

  #look(t: Micros): void {
    if (t < this.#due) return;
    this.#due = (Math.floor(t / BEAT) + 1) * BEAT;
    const breaks = this.#breaks;
    breaks.measure(t);
    const { NEGATIVE_INFINITY: ever } = Number;
    if (breaks.find(t, 1, ever) !== null || breaks.find(t, -1, ever) !== null) this.t = t;
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.t = Number.NEGATIVE_INFINITY;
    this.#due = Number.NEGATIVE_INFINITY;
  }
}
