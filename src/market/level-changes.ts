/** The level changes of one message, as its listeners are handed them: one loop for each who listens, where a call for each change took three times as long. */
import { BID, type BookSide } from './book.js';

/** Values of a change: scaled price, displayed size before and after. */
export const PRICE = 0;
export const BEFORE = 1;
export const AFTER = 2;
export const LEVEL_CHANGE = 3;

/** Changes in the order of the message, bids before asks; values lie side by side. */
export class LevelChanges {
  values = new Float64Array(LEVEL_CHANGE * 256);
  /** how many there are, and how many of them, the first ones, are of bids */
  count = 0;
  bids = 0;

  add(side: BookSide, price: number, before: number, after: number): void {
    const at = this.count * LEVEL_CHANGE;
    if (at === this.values.length) {
      const grown = new Float64Array(2 * at);
      grown.set(this.values);
      this.values = grown;
    }
    const { values } = this;
    values[at + PRICE] = price;
    values[at + BEFORE] = before;
    values[at + AFTER] = after;
    this.count++;
    if (side === BID) this.bids = this.count;
  }

  clear(): void {
    this.count = 0;
    this.bids = 0;
  }
}
