/** One price cell of the ledger: what was traded against it, what left it, and how much of both explains each other. */
import { BID, type BookSide } from './book.js';

/** A cell of one side against which something was traded within the window. Sums are over the ledger's window; all sizes are scaled integers. */
export class LedgerLevel {
  /** number of the cell, counted from price zero; NaN: unused */
  cell = Number.NaN;
  side: BookSide = BID;
  /** items of the window that concern this cell, and the first item it ever had */
  items = 0;
  birth = Number.POSITIVE_INFINITY;
  /** traded against this cell */
  traded = 0;
  /** displayed size lost minus gained */
  removed = 0;
  /** settled bounds, summed over intervals: added or hidden at least, cancelled at least */
  refill = 0;
  cancel = 0;
  /** not settled yet: sums of items, and how much of them has met its counterpart */
  openTraded = 0;
  openRemoved = 0;
  metTraded = 0;
  metRemoved = 0;
  /** displayed now */
  displayed = 0;
  /** largest displayed size in this and the previous epoch of one window's length */
  peak = 0;
  peakBefore = 0;
  epoch = 0;
  /** displayed size lost by the message under way */
  removing = 0;
  touched = false;
  /** removed since the displayed size last grew, and how much of that trades explain */
  runRemoved = 0;
  runMet = 0;
  /** removals from before it grew that still wait for their trades */
  #runBefore = 0;

  /** Traded volume that has had time to show in the book. */
  get settledTraded(): number {
    return this.traded - (this.openTraded - this.metTraded);
  }

  /** At least this much was added or hidden over the whole window: V − R. */
  get refillNet(): number {
    return Math.max(0, this.settledTraded - this.removed);
  }

  /** Something was traded against it. What of it explains a removal that still waits is met. */
  trade(size: number): void {
    const waiting = this.openRemoved - this.metRemoved;
    if (waiting > 0) {
      const met = size < waiting ? size : waiting;
      this.metRemoved += met;
      this.metTraded += met;
      const before = met < this.#runBefore ? met : this.#runBefore;
      this.#runBefore -= before;
      this.runMet += met - before;
    }
    this.openTraded += size;
    this.traded += size;
  }

  /** A message took away (> 0) or added (< 0) displayed size. What of it explains a trade that still waits is met. */
  remove(removed: number, epoch: number): void {
    if (removed > 0) {
      const waiting = this.openTraded - this.metTraded;
      if (waiting > 0) {
        const met = removed < waiting ? removed : waiting;
        this.metTraded += met;
        this.metRemoved += met;
        this.runMet += met;
      }
      this.openRemoved += removed;
      this.runRemoved += removed;
    } else {
      this.refill -= removed;
      this.runRemoved = 0;
      this.runMet = 0;
      this.#runBefore = this.openRemoved - this.metRemoved;
    }
    this.removed += removed;
    if (epoch !== this.epoch) this.roll(epoch);
    this.displayed -= removed;
    if (this.displayed > this.peak) this.peak = this.displayed;
  }

  /** A trade has waited long enough: what the book did not show of it was added or hidden. Returns that. */
  settleTrade(traded: number): number {
    const met = traded < this.metTraded ? traded : this.metTraded;
    this.metTraded -= met;
    this.openTraded -= traded;
    this.refill += traded - met;
    return traded - met;
  }

  /** A removal has waited long enough: what no trade explains of it was cancelled. Returns that. */
  settleRemoval(removed: number): number {
    const met = removed < this.metRemoved ? removed : this.metRemoved;
    this.metRemoved -= met;
    this.openRemoved -= removed;
    const cancelled = removed - met;
    this.cancel += cancelled;
    this.#runBefore = cancelled < this.#runBefore ? this.#runBefore - cancelled : 0;
    return cancelled;
  }

  /** Another epoch: what stood at the end of one stood at the start of the next. */
  roll(epoch: number): void {
    this.peakBefore = epoch === this.epoch + 1 ? this.peak : this.displayed;
    this.peak = this.displayed;
    this.epoch = epoch;
  }

  /** Forgets all; it stands for no cell. */
  clear(): void {
    this.cell = Number.NaN;
    this.birth = Number.POSITIVE_INFINITY;
    this.items = 0;
    this.traded = 0;
    this.removed = 0;
    this.refill = 0;
    this.cancel = 0;
    this.openTraded = 0;
    this.openRemoved = 0;
    this.metTraded = 0;
    this.metRemoved = 0;
    this.runRemoved = 0;
    this.runMet = 0;
    this.#runBefore = 0;
    this.removing = 0;
    this.touched = false;
  }
}
