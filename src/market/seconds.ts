/** Mid and cumulative delta at whole seconds of data time, as far back as baselines reach: what slopes, swings and impact are read from. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { minuteOf } from './baseline.js';
import { type Cvd, cvdOf } from './cvd.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { Ring } from './ring.js';
import { GRID } from './statistic.js';
import type { StepWindow } from './steps.js';
import { Effect } from './track.js';

/** Values of a second. */
const MID = 0;
const LEVEL = 1;
const WIDTH = 2;

/** Levels are lowered beyond this, long before sums stop being exact. */
const HIGHEST_LEVEL = 2 ** 50;
/** Seconds that make a measure trustworthy. */
const ENOUGH = 60;

/**
 * Items are numbered; every second from `first` to `next` − 1 has one, `last` is the `t` of the newest. Behind a loss, of the book or of
 * trades, they begin afresh. There may be more of them than a reader may look at: each says itself how far back it goes.
 */
export class Seconds implements Follower {
  readonly #market: Market;
  readonly #cvd: Cvd;
  readonly #mid: StepWindow;
  readonly #ring = new Ring(WIDTH, 512);
  readonly #most: number;
  /** the newest second; NaN where there is none */
  last: Micros = Number.NaN;
  /** the first item since the book was lost */
  #bookFirst = 0;

  constructor(market: Market) {
    this.#market = market;
    this.#cvd = cvdOf(market);
    this.#mid = market.mid(GRID);
    // the ring of whole minutes, the running one, and a second before
    this.#most = ((market.options.baselineMinutes + 2) * MICROS_PER_MINUTE) / GRID;
    market.follow(this);
  }

  get first(): number {
    return Math.max(this.#ring.first, this.#bookFirst);
  }

  get next(): number {
    return this.#ring.next;
  }

  /** Twice the mid of item `n`, an integer; NaN where unknown. */
  mid(n: number): number {
    return this.#ring.values[(n & this.#ring.mask) * WIDTH + MID];
  }

  /** Cumulative delta of item `n`, scaled; to be compared with that of other items only. */
  level(n: number): number {
    return this.#ring.values[(n & this.#ring.mask) * WIDTH + LEVEL];
  }

  /** The item of second `t`; it may lie outside [first, next). NaN where there is none at all. */
  indexOf(t: Micros): number {
    return this.#ring.next - 1 - (this.last - t) / GRID;
  }

  /** `t` of item `n`. */
  timeOf(n: number): Micros {
    return this.last - (this.#ring.next - 1 - n) * GRID;
  }

  /** The first item of the ring of whole minutes that a baseline holds now. */
  baselineStart(): number {
    const from = (minuteOf(this.last) - this.#market.options.baselineMinutes) * MICROS_PER_MINUTE;
    return Math.max(this.first, this.indexOf(from));
  }

  /**
   * Change of cumulative delta from the last whole second that is at least `span` ago until now; NaN where trades are not whole so
   * long. A lost book changes nothing about it.
   */
  change(t: Micros, span: Micros): number {
    const n = this.indexOf(Math.floor((t - span) / GRID) * GRID);
    return n >= this.#ring.first ? this.#cvd.level - this.level(n) : Number.NaN;
  }

  /** Whether a measure of `count` seconds is to be trusted: by the rule that baselines are warm by. */
  isWarm(count: number): boolean {
    const { t, bookSince, tradesSince, options } = this.#market;
    if (!(t - Math.max(bookSince, tradesSince) >= options.warmup)) return false;
    return count >= Math.min(ENOUGH, Math.ceil(options.warmup / GRID));
  }

  tick(t: Micros): void {
    const ring = this.#ring;
    if (t !== this.last + GRID) ring.clear();
    this.last = t;
    if (Math.abs(this.#cvd.level) > HIGHEST_LEVEL) this.#lower();
    if (ring.next - ring.first >= this.#most) ring.first++;
    if (ring.full) ring.grow();
    const at = ring.push();
    ring.values[at + MID] = this.#mid.value;
    ring.values[at + LEVEL] = this.#cvd.level;
  }

  #lower(): void {
    const by = this.#cvd.level;
    this.#cvd.lower(by);
    const { values, mask, first, next } = this.#ring;
    for (let n = first; n < next; n++) values[(n & mask) * WIDTH + LEVEL] -= by;
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) !== 0) this.#bookFirst = this.#ring.next;
    if ((effect & Effect.tradeGap) === 0) return;
    this.#ring.clear();
    this.last = Number.NaN;
  }
}

/** The market's seconds. */
export function secondsOf(market: Market): Seconds {
  return market.share('seconds', () => new Seconds(market));
}
