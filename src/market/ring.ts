/** A growable ring of numeric items addressed by ever-growing sequence numbers: what windows keep their items in. */

/** Rings grow by doubling up to this many items; beyond it the oldest item is let go, so memory stays bounded. */
export const MAX_ITEMS = 1 << 18;

/**
 * Items `[first, next)`; value `c` of item `n` is `values[(n & mask) * width + c]`. The values of an item lie side by side: one
 * array to look up and one line of the cache, where a column each took as many as there are columns.
 */
export class Ring {
  readonly width: number;
  values: Float64Array;
  mask: number;
  first = 0;
  next = 0;

  constructor(width: number, capacity = 256) {
    this.width = width;
    this.values = new Float64Array(capacity * width);
    this.mask = capacity - 1;
  }

  /** Offset in `values` of a new item at the end. The caller has to have made room (`full`, `grow`). */
  push(): number {
    return (this.next++ & this.mask) * this.width;
  }

  get full(): boolean {
    return this.next - this.first > this.mask;
  }

  /** Doubles the room; false when the ring may not grow any more. */
  grow(): boolean {
    const { width, values } = this;
    const before = this.mask + 1;
    if (before >= MAX_ITEMS) return false;
    const mask = before * 2 - 1;
    const grown = new Float64Array((mask + 1) * width);
    for (let n = this.first; n < this.next; n++) {
      const from = (n & this.mask) * width;
      grown.set(values.subarray(from, from + width), (n & mask) * width);
    }
    this.values = grown;
    this.mask = mask;
    return true;
  }

  clear(): void {
    this.first = this.next;
  }
}
