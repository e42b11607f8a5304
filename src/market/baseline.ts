/** What is usual: samples of the last whole UTC minutes and the running one, with exact quantiles. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';

/** Number of the UTC minute that holds `t`. */
export function minuteOf(t: Micros): number {
  return Math.floor(t / MICROS_PER_MINUTE);
}

/**
 * A ring of `minutes` whole UTC minutes plus the running one. Samples are kept as they are, also in sorted order, so
 * quantiles are exact and do not depend on units; adding costs one binary search and one copy within a small array.
 */
export class Baseline {
  readonly minutes: number;
  #values = new Float64Array(64);
  #stamps = new Float64Array(64);
  #first = 0;
  #next = 0;
  #sorted = new Float64Array(64);

  constructor(minutes: number) {
    this.minutes = minutes;
  }

  get count(): number {
    return this.#next - this.#first;
  }

  /** Adds a sample; minutes must not run backwards. */
  add(t: Micros, value: number): void {
    this.expire(t);
    const room = this.#values.length;
    if (this.count === room) this.#grow();
    const mask = this.#values.length - 1;
    const at = this.#next & mask;
    this.#values[at] = value;
    this.#stamps[at] = minuteOf(t);
    const n = this.count;
    const place = this.#search(value, n);
    this.#sorted.copyWithin(place + 1, place, n);
    this.#sorted[place] = value;
    this.#next++;
  }

  /** Lets go of minutes that are older than the ring at time `t`. */
  expire(t: Micros): void {
    const oldest = minuteOf(t) - this.minutes;
    const mask = this.#values.length - 1;
    while (this.#first < this.#next && this.#stamps[this.#first & mask] < oldest) {
      const n = this.count;
      const place = this.#search(this.#values[this.#first & mask], n);
      this.#sorted.copyWithin(place, place + 1, n);
      this.#first++;
    }
  }

  /** The smallest sample that at least the share `q` of all samples does not exceed; NaN without samples. */
  quantile(q: number): number {
    const n = this.count;
    return n === 0 ? Number.NaN : this.#sorted[Math.min(n - 1, Math.max(0, Math.ceil(q * n) - 1))];
  }

  /** How many samples do not exceed `value`. */
  countTo(value: number): number {
    const sorted = this.#sorted;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    this.#first = 0;
    this.#next = 0;
  }

  /** First place in the sorted samples that is not below `value`. */
  #search(value: number, n: number): number {
    const sorted = this.#sorted;
    let low = 0;
    let high = n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const room = this.#values.length;
    const values = new Float64Array(room * 2);
    const stamps = new Float64Array(room * 2);
    for (let n = this.#first; n < this.#next; n++) {
      values[n & (room * 2 - 1)] = this.#values[n & (room - 1)];
      stamps[n & (room * 2 - 1)] = this.#stamps[n & (room - 1)];
    }
    const sorted = new Float64Array(room * 2);
    sorted.set(this.#sorted);
    this.#values = values;
    this.#stamps = stamps;
    this.#sorted = sorted;
  }
}

/** How many things happened in the last whole UTC minutes and the running one. */
export class MinuteCounter {
  readonly minutes: number;
  readonly #counts: Float64Array;
  #minute = Number.NEGATIVE_INFINITY;
  /** end of that minute: a division less for most of what is counted */
  #end: Micros = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(minutes: number) {
    this.minutes = minutes;
    this.#counts = new Float64Array(minutes + 1);
  }

  add(t: Micros): void {
    this.#advance(t);
    this.#counts[this.#minute % this.#counts.length]++;
    this.#total++;
  }

  count(t: Micros): number {
    this.#advance(t);
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  #advance(t: Micros): void {
    if (t >= this.#end) this.#moveTo(minuteOf(t));
  }

  #moveTo(minute: number): void {
    const size = this.#counts.length;
    if (minute - this.#minute >= size) this.clear();
    else
      for (let m = this.#minute + 1; m <= minute; m++) {
        this.#total -= this.#counts[m % size];
        this.#counts[m % size] = 0;
      }
    this.#minute = minute;
    this.#end = (minute + 1) * MICROS_PER_MINUTE;
  }
}
