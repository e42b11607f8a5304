/** What was learnt of a market beforehand: a fit is in force from its own end on, so nothing is said from what was learnt later. */
import type { Micros } from '../model/entry.js';
import type { Fit } from '../model/fit.js';

/** Fits of one market, in order of their ends. Times must not run backwards. */
export class FitsInForce {
  readonly #fits: readonly Fit[];
  #next = 0;
  #now: Fit | null = null;

  constructor(fits: readonly Fit[]) {
    this.#fits = fits;
  }

  /** The newest that ended before `t`; null where none did. */
  at(t: Micros): Fit | null {
    while (this.#next < this.#fits.length && this.#fits[this.#next].to < t) this.#now = this.#fits[this.#next++];
    return this.#now;
  }
}
