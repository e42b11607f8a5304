/** A growable ring of numeric columns addressed by ever-growing sequence numbers: what windows keep their items in. */

/** Rings grow by doubling up to this many items; beyond it the oldest item is let go, so memory stays bounded. */
export const MAX_ITEMS = 1 << 18;

/** Items `[first, next)`; column `c` of item `n` is `columns[c][n & mask]`. */
export class Ring {
  readonly columns: Float64Array[];
  mask: number;
  first = 0;
  next = 0;

  constructor(width: number, capacity = 256) {
    this.columns = Array.from({ length: width }, () => new Float64Array(capacity));
    this.mask = capacity - 1;
  }

  /** Index into the columns for a new item at the end. The caller has to have made room (`full`, `grow`). */
  push(): number {
    return this.next++ & this.mask;
  }

  get full(): boolean {
    return this.next - this.first > this.mask;
  }

  /** Doubles the room; false when the ring may not grow any more. */
  grow(): boolean {
    const before = this.mask + 1;
    if (before >= MAX_ITEMS) return false;
    const mask = before * 2 - 1;
    this.columns.forEach((column, c) => {
      const grown = new Float64Array(before * 2);
      for (let n = this.first; n < this.next; n++) grown[n & mask] = column[n & this.mask];
      this.columns[c] = grown;
    });
    this.mask = mask;
    return true;
  }

  clear(): void {
    this.first = this.next;
  }
}
