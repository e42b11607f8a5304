/** Quantiles of very many whole numbers in bounded memory, to one percent of their value. */

/** Neighbouring classes differ by one percent. */
const STEP = Math.log(1.01);
/** Classes for numbers up to 2^53. */
const CLASSES = Math.ceil(Math.log(2 ** 53) / STEP) + 2;

/** What is told of a distribution, in its own unit; `p50` and `p99` to one percent, `max` exactly. */
export interface Quantiles {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export class Distribution {
  count = 0;
  #max = Number.NEGATIVE_INFINITY;
  /** made with the first number: negative ones below the middle, zero in it */
  #counts: Float64Array | null = null;

  add(value: number): void {
    this.#counts ??= new Float64Array(2 * CLASSES + 1);
    this.#counts[CLASSES + classOf(value)]++;
    this.count++;
    if (value > this.#max) this.#max = value;
  }

  join(other: Distribution): void {
    if (other.#counts === null) return;
    this.#counts ??= new Float64Array(2 * CLASSES + 1);
    for (let i = 0; i < other.#counts.length; i++) this.#counts[i] += other.#counts[i];
    this.count += other.count;
    this.#max = Math.max(this.#max, other.#max);
  }

  /** Null where nothing was added. */
  quantiles(): Quantiles | null {
    if (this.count === 0) return null;
    return { count: this.count, p50: this.#at(0.5), p99: this.#at(0.99), max: this.#max };
  }

  /** The smallest number that so large a part of all does not exceed. */
  #at(part: number): number {
    const wanted = Math.ceil(this.count * part);
    let seen = 0;
    for (let i = 0; i < 2 * CLASSES + 1; i++) {
      seen += this.#counts![i];
      if (seen >= wanted) return Math.min(middleOf(i - CLASSES), this.#max);
    }
    return this.#max;
  }
}

function classOf(value: number): number {
  const size = Math.min(Math.abs(value), Number.MAX_SAFE_INTEGER);
  if (size < 1) return 0;
  const n = 1 + Math.round(Math.log(size) / STEP);
  return value < 0 ? -n : n;
}

function middleOf(n: number): number {
  if (n === 0) return 0;
  const size = Math.round(Math.exp((Math.abs(n) - 1) * STEP));
  return n < 0 ? -size : size;
}
