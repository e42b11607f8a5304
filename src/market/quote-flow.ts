/** What came and went at the best levels of a book from one state to the next, summed over a window. */
import type { Micros } from '../model/entry.js';
import { Ring } from './ring.js';

/** A level of a state: best bid and its size, best ask and its size, as a touch record has them side by side. */
const BID = 0;
const BID_SIZE = 1;
const ASK = 2;
const ASK_SIZE = 3;
export const LEVEL_WIDTH = 4;

/** Values of a state in the ring; behind them two for each level. */
const T = 0;
const TWICE_MID = 1;
const HEAD = 2;
const FLOW = 0;
const DEPTH = 1;
const PER_LEVEL = 2;

/**
 * e between two states of one level (Cont, Kukanov and Stoikov): size gained by the bid less size gained by the ask, where a price that gets
 * better brings all its size, and one that gets worse takes all of it along. Scaled sizes, offsets of a level each.
 */
export function flowBetween(before: Float64Array, p: number, after: Float64Array, q: number): number {
  const bid = after[q + BID];
  const oldBid = before[p + BID];
  const ask = after[q + ASK];
  const oldAsk = before[p + ASK];
  let flow = 0;
  if (bid >= oldBid) flow += after[q + BID_SIZE];
  if (bid <= oldBid) flow -= before[p + BID_SIZE];
  if (ask <= oldAsk) flow -= after[q + ASK_SIZE];
  if (ask >= oldAsk) flow += before[p + ASK_SIZE];
  return flow;
}

/**
 * Order flow imbalance over (t − span, t], level by level: level m of one state against level m of the next. Sizes are scaled integers, so sums
 * are exact. A state equal to the one before is none.
 */
export class QuoteFlow {
  readonly span: Micros;
  readonly levels: number;
  readonly #width: number;
  readonly #ring: Ring;
  /** the state in force */
  readonly #state: Float64Array;
  /** sums over the states inside, FLOW and DEPTH (both sides together) of each level */
  readonly #sums: Float64Array;
  /** since when all states are known; NaN: none is */
  #since: Micros = Number.NaN;
  /** twice the mid of the newest state that left the window */
  #startMid = Number.NaN;

  constructor(span: Micros, levels = 1) {
    this.span = span;
    this.levels = levels;
    this.#width = HEAD + PER_LEVEL * levels;
    this.#ring = new Ring(this.#width, 256);
    this.#state = new Float64Array(LEVEL_WIDTH * levels);
    this.#sums = new Float64Array(PER_LEVEL * levels);
  }

  /**
   * The state from `t` on: its levels stand in `given` from `at` on, LEVEL_WIDTH values each, best first. Behind a `restart` it is
   * compared with nothing.
   */
  take(t: Micros, given: Float64Array, at: number): void {
    const state = this.#state;
    const known = !Number.isNaN(this.#since);
    if (known && this.#isSame(given, at)) return;
    const ring = this.#ring;
    if (ring.full) this.#makeRoom(t);
    const { values } = ring;
    const sums = this.#sums;
    const item = ring.push();
    values[item + T] = t;
    values[item + TWICE_MID] = given[at + BID] + given[at + ASK];
    for (let level = 0; level < this.levels; level++) {
      const own = level * LEVEL_WIDTH;
      const flow = known ? flowBetween(state, own, given, at + own) : 0;
      const depth = given[at + own + BID_SIZE] + given[at + own + ASK_SIZE];
      const n = level * PER_LEVEL;
      values[item + HEAD + n + FLOW] = flow;
      values[item + HEAD + n + DEPTH] = depth;
      sums[n + FLOW] += flow;
      sums[n + DEPTH] += depth;
    }
    for (let i = 0; i < state.length; i++) state[i] = given[at + i];
    if (!known) this.#since = t;
  }

  #isSame(given: Float64Array, at: number): boolean {
    const state = this.#state;
    for (let i = 0; i < state.length; i++) if (state[i] !== given[at + i]) return false;
    return true;
  }

  /** The next state is compared with nothing before it. */
  restart(): void {
    if (Number.isNaN(this.#since)) return;
    this.#since = Number.NaN;
    this.#startMid = Number.NaN;
    this.#ring.clear();
    this.#sums.fill(0);
  }

  /** Lets go of what is not in (t − span, t] any more. Times must not run backwards. */
  expire(t: Micros): void {
    const ring = this.#ring;
    const limit = t - this.span;
    while (ring.first < ring.next && ring.values[(ring.first & ring.mask) * this.#width + T] <= limit) this.#drop();
  }

  #drop(): void {
    const ring = this.#ring;
    const { values } = ring;
    const sums = this.#sums;
    const item = (ring.first++ & ring.mask) * this.#width;
    this.#startMid = values[item + TWICE_MID];
    for (let i = 0; i < sums.length; i++) sums[i] -= values[item + HEAD + i];
  }

  #makeRoom(t: Micros): void {
    const ring = this.#ring;
    this.expire(t);
    if (ring.next - ring.first <= ring.mask >> 1 || ring.grow() || !ring.full) return;
    // the window is whole again once this state would have left it
    this.#since = ring.values[(ring.first & ring.mask) * this.#width + T];
    this.#drop();
  }

  /** Every state of (t − span, t], and the one in force before it, is known. */
  isWhole(t: Micros): boolean {
    return t - this.span >= this.#since;
  }

  /** States inside, after `expire`. */
  get count(): number {
    return this.#ring.next - this.#ring.first;
  }

  /** OFI of a level, scaled size, positive where bids gained; after `expire`. */
  flow(level = 0): number {
    return this.#sums[level * PER_LEVEL + FLOW];
  }

  /** Mean size of a level's two sides over the states inside (of the one in force where there are none), scaled; after `expire`. */
  depth(level = 0): number {
    const own = level * LEVEL_WIDTH;
    const { count } = this;
    if (count > 0) return this.#sums[level * PER_LEVEL + DEPTH] / (2 * count);
    return (this.#state[own + BID_SIZE] + this.#state[own + ASK_SIZE]) / 2;
  }

  /** OFI of a level in units of that depth, by one division of integers: the same on any scale. After `expire`. */
  relative(level = 0): number {
    const { count } = this;
    return count > 0 ? (2 * count * this.flow(level)) / this.#sums[level * PER_LEVEL + DEPTH] : 0;
  }

  /** Sum of all levels, each in units of its own depth; after `expire`. */
  relativeOfAll(): number {
    let sum = 0;
    for (let level = 0; level < this.levels; level++) sum += this.relative(level);
    return sum;
  }

  /** Sum of the levels, each in units of its own depth and times its weight; after `expire`. */
  weighted(weights: readonly number[]): number {
    let sum = 0;
    for (let level = 0; level < this.levels; level++) sum += weights[level] * this.relative(level);
    return sum;
  }

  /** Twice the mid of the state in force, an integer. */
  get twiceMid(): number {
    return this.#state[BID] + this.#state[ASK];
  }

  /** Change of twice the mid over a whole window, after `expire`. */
  get move(): number {
    return this.count > 0 ? this.twiceMid - this.#startMid : 0;
  }

  /** `t` of the oldest state inside; NaN when there is none. */
  get firstT(): Micros {
    const { first, mask, values } = this.#ring;
    return this.count > 0 ? values[(first & mask) * this.#width + T] : Number.NaN;
  }
}
