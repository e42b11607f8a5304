/** Learning the microprice of a market from how its touch changes: a Markov chain over spread and imbalance (Stoikov 2018). */
import { ASK, BID } from '../market/book.js';
import type { Market } from '../market/market.js';
import {
  mirrorState,
  OUTSIDE,
  TOUCH_BUCKETS,
  TOUCH_SPREADS,
  TOUCH_STATES,
  touchState,
  UNKNOWN,
} from '../market/microprice.js';
import { rounded } from '../model/decimal.js';
import type { MicropriceTable } from '../model/fit.js';
import { solve } from './matrix.js';

const N = TOUCH_STATES;
/** Changes from a state, with their mirror images, that make its figure trustworthy. */
const LEAST = 100;

/**
 * Counts of changes from state to state, and of how far the mid moved meanwhile. Each is counted with its mirror image, so that the table is
 * antisymmetric: a market that happened to rise says nothing of the next.
 */
export class TouchChain {
  /** changes from state × to state */
  readonly #led = new Float64Array(N * N);
  /** by state: all changes from there, to whatever state, and the sum of their moves in half ticks */
  readonly #left = new Float64Array(N);
  readonly #moves = new Float64Array(N);

  /** The touch changed from a state to another, or to OUTSIDE; the mid moved by so many half ticks. */
  add(from: number, to: number, halfTicks: number): void {
    this.#count(from, to, halfTicks);
    this.#count(mirrorState(from), mirrorState(to), -halfTicks);
  }

  #count(from: number, to: number, halfTicks: number): void {
    this.#left[from]++;
    this.#moves[from] += halfTicks;
    if (to !== OUTSIDE) this.#led[from * N + to]++;
  }

  /** States left often enough, less the corners that are never left at all, neither for good nor for the other side: the mid would go on for ever. */
  #known(): number[] {
    const left = this.#left;
    const known = [...left.keys()].filter((state) => left[state] >= LEAST);
    const ways = new Map(known.map((state) => [state, known.filter((to) => this.#led[state * N + to] > 0)]));
    const reached = (from: number): Set<number> => {
      const met = new Set(ways.get(from));
      for (const state of met) for (const to of ways.get(state) ?? []) met.add(to);
      return met;
    };
    const isLeft = (state: number): boolean =>
      known.reduce((sum, to) => sum + this.#led[state * N + to], 0) < left[state] ||
      reached(state).has(mirrorState(state));
    return known.filter((state) => isLeft(state) || [...reached(state)].some(isLeft));
  }

  /**
   * How far the mid is expected to go from each state until that is forgotten: g = r + P g, with r the mean move of the next change and P
   * where it leads. It is the limit g* = Σ Bᵏ g₁ of Stoikov, with B = (I − Q)⁻¹ T, g₁ = (I − Q)⁻¹ r and P = Q + T, where that has one, and its mean
   * where it swings. Solved for one half of the states; the other is its mirror image. A way that leads to a state seen too rarely, or to a
   * spread of no table, ends there. Null where no state has a figure.
   */
  table(): MicropriceTable | null {
    const left = this.#left;
    const known = this.#known().filter((state) => state < mirrorState(state));
    const n = known.length;
    if (n === 0) return null;
    const share = (from: number, to: number): number => this.#led[from * N + to] / left[from];
    const equations = Float64Array.from({ length: n * n }, (_, at) => {
      const [from, to] = [known[Math.floor(at / n)], known[at % n]];
      return Number(from === to) - share(from, to) + share(from, mirrorState(to));
    });
    const figures = solve(
      equations,
      Float64Array.from(known, (state) => this.#moves[state] / left[state] / 2),
    );
    if (figures === null) return null;
    const ticks = new Map(known.map((state, i) => [state, rounded(figures[i])]));
    const rows = <T>(of: (state: number) => T): T[][] =>
      Array.from({ length: TOUCH_SPREADS }, (_, spread) =>
        Array.from({ length: TOUCH_BUCKETS }, (_, bucket) => of(spread * TOUCH_BUCKETS + bucket)),
      );
    return {
      ticks: rows((state) => {
        const mirrored = ticks.get(mirrorState(state));
        return ticks.get(state) ?? (mirrored === undefined ? null : 0 - mirrored);
      }),
      observations: rows((state) => left[state]),
    };
  }
}

/** Tells a chain how the touch of a market changes, from message to message. */
export class MicropriceFit {
  readonly chain = new TouchChain();
  readonly #market: Market;
  #state = UNKNOWN;
  #twiceMid = Number.NaN;
  #bidSize = 0;
  #askSize = 0;

  constructor(market: Market) {
    this.#market = market;
  }

  /** A message was applied to the valid book; with `joined`, nothing before is to be compared with it. */
  book(joined: boolean): void {
    const { bid, ask, track } = this.#market;
    const { book } = track;
    const [bidSize, askSize] = [book.sizeAt(BID, bid), book.sizeAt(ASK, ask)];
    const state = touchState(bid, bidSize, ask, askSize, book.tick);
    const twiceMid = bid + ask;
    const isSame =
      state === this.#state && twiceMid === this.#twiceMid && bidSize === this.#bidSize && askSize === this.#askSize;
    if (isSame && !joined) return;
    // what the book was before a gap has not become what it is behind it
    if (!joined && this.#state >= 0 && state !== UNKNOWN)
      this.chain.add(this.#state, state, (twiceMid - this.#twiceMid) / book.tick);
    this.#state = state;
    this.#twiceMid = twiceMid;
    this.#bidSize = bidSize;
    this.#askSize = askSize;
  }

  /** The book is lost. */
  lose(): void {
    this.#state = UNKNOWN;
  }
}
