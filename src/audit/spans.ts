/** Spans of time that may overlap: how long they are together, how many there are, and the longest. */
import type { Micros } from '../model/entry.js';

export class Spans {
  /** apart from each other and rising: from, to, from, to … */
  readonly #bounds: Micros[] = [];

  /** One of them. */
  static of(from: Micros, to: Micros): Spans {
    const spans = new Spans();
    spans.add(from, to);
    return spans;
  }

  /** All of several. */
  static union(...several: readonly Spans[]): Spans {
    const all = new Spans();
    for (const spans of several) all.join(spans);
    return all;
  }

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

  /** How much of them the others do not take. */
  without(other: Spans): Micros {
    return Spans.union(this, other).total - other.total;
  }

  /** Takes in others, which may be of the same time. */
  join(other: Spans): void {
    // in order of time, since adding far behind the end is slow
    const all = [...this.#each(), ...other.#each()].sort(([a], [b]) => a - b);
    this.#bounds.length = 0;
    for (const [from, to] of all) this.add(from, to);
  }

  *#each(): Generator<[from: Micros, to: Micros]> {
    for (let i = 0; i < this.#bounds.length; i += 2) yield [this.#bounds[i], this.#bounds[i + 1]];
  }
}
