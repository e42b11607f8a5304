/** What the ids of one trade stream tell of the next trade: what is missing before it, that it was seen before, or that ids begin anew. */

import type { TradeChain } from '../model/continuity.js';
import type { Micros } from '../model/entry.js';
import { Era, MAX_OLD_RUN } from './era.js';

/** What `next` says instead of the number of trades that are missing. */
export const REPEATED = -1;
export const COUNTS_ANEW = -2;

export class TradeIds {
  readonly #chain: TradeChain;
  readonly #era = new Era();
  /** old trades in a row */
  #repeats = 0;

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
    // a late one of a numbering that is over
    const isLate = era.isBefore(at) && first > chain.last() + 1;
    const missing = isLate ? REPEATED : chain.next(last, first);
    if (missing >= 0) {
      this.#repeats = 0;
      era.followed(at);
      return missing;
    }
    if (!era.isOver(at) && ++this.#repeats < MAX_OLD_RUN) return REPEATED;
    this.#repeats = 0;
    era.begin(at);
    chain.reset();
    chain.next(last, first);
    return COUNTS_ANEW;
  }

  /** Newest id; -1 before any, and where ids prove nothing. */
  get last(): number {
    return this.#chain.last();
  }

  /** No run of repeats is being counted. */
  get plain(): boolean {
    return this.#repeats === 0;
  }

  /** Plain JSON, for checkpoints. */
  state(): Record<string, unknown> {
    return { ...this.#chain.state(), era: this.#era.state() };
  }

  restore(state: Record<string, unknown>): void {
    this.#chain.restore(state);
    this.#era.restore(state.era);
  }
}
