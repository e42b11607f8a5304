/** What the ids of one trade stream tell of the next trade: what is missing before it, that it was seen before, or that ids begin anew. */

import type { TradeChain } from '../model/continuity.js';
import type { Micros } from '../model/entry.js';
import { Era } from './era.js';

/** What `next` says instead of the number of trades that are missing. */
export const REPEATED = -1;
export const COUNTS_ANEW = -2;

export class TradeIds {
  readonly #chain: TradeChain;
  readonly #era = new Era();
  /** a checkpoint told of the ids and of no time, and no trade followed since: whether an old id is a repeat is a guess */
  unsure = false;

  constructor(chain: TradeChain) {
    this.#chain = chain;
  }

  /**
   * Judges a trade, or several merged into one with ids from `first` to `last`, matched at `at` by the exchange's clock.
   * @returns how many trades are missing before it (0 as a rule), REPEATED, or COUNTS_ANEW: nobody knows what is missing before it
   */
  next(first: number, last: number, at: Micros): number {
    const chain = this.#chain;
    const era = this.#era;
    const isLate = era.isBefore(at) && first > chain.last() + 1;
    const missing = isLate ? REPEATED : chain.next(last, first);
    if (missing >= 0) {
      this.unsure = false;
      era.followed(at);
      return missing;
    }
    if (!era.beginsAnew(isLate, at)) return REPEATED;
    chain.reset();
    chain.next(last, first);
    return COUNTS_ANEW;
  }

  /** Newest id; -1 before any, and where ids prove nothing. */
  get last(): number {
    return this.#chain.last();
  }

  /** No run of repeats or late ones is being counted. */
  get plain(): boolean {
    return this.#era.plain;
  }

  /** Plain JSON, for checkpoints. */
  state(): Record<string, unknown> {
    return { ...this.#chain.state(), era: this.#era.state() };
  }

  restore(state: Record<string, unknown>): void {
    this.#chain.restore(state);
    this.#era.restore(state.era);
    this.unsure = state.era === undefined;
  }
}
