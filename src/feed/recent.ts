/** The newest values of something that is measured again and again, for quantiles; and the sum of all there were. */

export class Recent {
  count = 0;
  sum = 0;
  readonly #values: Float64Array;

  constructor(size: number) {
    this.#values = new Float64Array(size);
  }

  add(value: number): void {
    this.#values[this.count % this.#values.length] = value;
    this.count++;
    this.sum += value;
  }

  /** The value at each rank (0 the smallest, 1 the largest) of those that are kept; NaN before any. */
  quantiles(ranks: readonly number[]): number[] {
    const sorted = this.#values.slice(0, this.count).sort();
    return ranks.map((rank) => (sorted.length === 0 ? Number.NaN : sorted[Math.ceil(rank * (sorted.length - 1))]));
  }
}
