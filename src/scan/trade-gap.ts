/** Where trades are missing between two prints of a src: once, whatever tells of it, and not where ids show that none was lost. */
import type { Micros } from '../model/entry.js';

/** Follows the prints of one src, and what is said of losses between them. */
export class TradeGap {
  /** when a loss was first and last told since the newest print; NaN where none was */
  since: Micros = Number.NaN;
  #last: Micros = Number.NaN;
  /** there was a print, so that the next one's ids tell whether it follows */
  #follows = false;
  #missing = 0;

  /** Ids count anew, as for another instrument: they tell nothing of what went before. */
  restart(): void {
    this.#follows = false;
  }

  /** Something tells at `t` that trades may be missing: an id, the recorder, the end of a connection, damage. */
  lose(t: Micros): void {
    if (Number.isNaN(this.since)) this.since = t;
    this.#last = t;
  }

  /**
   * A print at `t`.
   * @param proves ids of its venue show every lost trade
   * @param missing trades that ids showed to be missing so far
   * @returns whether trades are missing before it
   */
  print(t: Micros, proves: boolean, missing: number): boolean {
    // a loss at its own time is one that its id tells
    const isWhole = proves && this.#follows && missing === this.#missing && this.#last < t;
    const isLost = !Number.isNaN(this.since) && !isWhole;
    this.since = this.#last = Number.NaN;
    this.#follows = true;
    this.#missing = missing;
    return isLost;
  }
}
