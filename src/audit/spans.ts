/** Spans of time that may overlap: how long they are together, how many there are, and the longest. */
import type { Micros } from '../model/entry.js';

export class Spans {
  /** apart from each other and rising: from, to, from, to … */
  readonly #bounds: Micros[] = [];

  /** Spans come roughly in order of their ends, so that only the last ones can be touched. */
  add(from: Micros, to: Micros): void {
    if (!(to > from)) return;
    const bounds = this.#bounds;
    let [start, end] = [from, to];
    const later: Micros[] = [];
    while (bounds.length > 0 && bounds[bounds.length - 1] >= start) {
      const last = bounds.pop()!;
      const first = bounds.pop()!;
      if (first > end) later.push(last, first);
      else {
        start = Math.min(start, first);
        end = Math.max(end, last);
      }
    }
    bounds.push(start, end);
    while (later.length > 0) bounds.push(later.pop()!);
  }

  get count(): number {
    return this.#bounds.length / 2;
  }

  get total(): Micros {
    let sum = 0;
    for (let i = 0; i < this.#bounds.length; i += 2) sum += this.#bounds[i + 1] - this.#bounds[i];
    return sum;
  }

  get longest(): Micros {
    let longest = 0;
    for (let i = 0; i < this.#bounds.length; i += 2) longest = Math.max(longest, this.#bounds[i + 1] - this.#bounds[i]);
    return longest;
  }

  /** Takes in the spans of another recording, which may be of the same time. */
  join(other: Spans): void {
    for (let i = 0; i < other.#bounds.length; i += 2) this.add(other.#bounds[i], other.#bounds[i + 1]);
  }
}
