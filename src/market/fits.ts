/** What was learnt of a market beforehand: a fit is in force from its own end on, so nothing is said from what was learnt later. */
import type { Micros } from '../model/entry.js';

/** Fits of one market, or what of them somebody uses, in order of their ends. Times must not run backwards. */
export class FitsInForce<F extends { to: Micros }> {
  readonly #fits: readonly F[];
  #next = 0;
  #now: F | null = null;

  constructor(fits: readonly F[]) {
    this.#fits = fits;
  }

  /** The newest that ended before `t`; null where none did. */
  at(t: Micros): F | null {
    while (this.#next < this.#fits.length && this.#fits[this.#next].to < t) this.#now = this.#fits[this.#next++];
    return this.#now;
  }
}
