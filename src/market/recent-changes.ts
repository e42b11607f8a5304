/** What happened at places of the book within the last guard: trades and book come on different paths, and what one tells the other may still explain. */
import type { Micros } from '../model/entry.js';
import { Ring } from './ring.js';

/** Values of a change: when, where, and what the owner keeps of it. */
const T = 0;
const WHERE = 1;
const WHAT = 2;
const CHANGE = 3;

export class RecentChanges {
  readonly #ring = new Ring(CHANGE);

  /** Keeps a change at `t`, and forgets those of more than `guard` before it. @param where a number of the owner's for the place */
  add(t: Micros, where: number, what: number, guard: Micros): void {
    const ring = this.#ring;
    while (ring.first < ring.next && t - ring.values[(ring.first & ring.mask) * CHANGE + T] > guard) ring.first++;
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    const { values } = ring;
    values[at + T] = t;
    values[at + WHERE] = where;
    values[at + WHAT] = what;
  }

  /** Sum of what is kept of a place within the guard before `t`. */
  sum(t: Micros, where: number, guard: Micros): number {
    const { values, mask, next } = this.#ring;
    let sum = 0;
    for (let n = this.#since(t, guard); n < next; n++) {
      const at = (n & mask) * CHANGE;
      if (values[at + WHERE] === where) sum += values[at + WHAT];
    }
    return sum;
  }

  /** What is kept of the first change at a place within the guard before `t`; `none` where there is none. */
  first(t: Micros, where: number, guard: Micros, none: number): number {
    const { values, mask, next } = this.#ring;
    for (let n = this.#since(t, guard); n < next; n++) {
      const at = (n & mask) * CHANGE;
      if (values[at + WHERE] === where) return values[at + WHAT];
    }
    return none;
  }

  /** The first change that is no older. */
  #since(t: Micros, guard: Micros): number {
    const { values, mask, first, next } = this.#ring;
    let n = next;
    while (n > first && t - values[((n - 1) & mask) * CHANGE + T] <= guard) n--;
    return n;
  }

  clear(): void {
    this.#ring.clear();
  }
}
