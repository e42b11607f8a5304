/** A set of whole numbers, such as the ids of trades, kept as the ranges it is made of. */

/** Both ends belong to it. */
export type IdRange = readonly [first: number, last: number];

export class IdRanges {
  /** in order, with numbers between them that are not of the set */
  #ranges: IdRange[] = [];

  /** In order, as few as can be. */
  get ranges(): readonly IdRange[] {
    return this.#ranges;
  }

  /** How many numbers it holds. */
  get size(): number {
    return this.#ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** Takes in all from `first` to `last`. */
  add(first: number, last: number): void {
    if (last < first) return;
    let [from, to] = [first, last];
    const apart: IdRange[] = [];
    for (const range of this.#ranges) {
      if (range[1] < from - 1 || range[0] > to + 1) apart.push(range);
      else [from, to] = [Math.min(from, range[0]), Math.max(to, range[1])];
    }
    const at = apart.findIndex((range) => range[0] > to);
    apart.splice(at < 0 ? apart.length : at, 0, [from, to]);
    this.#ranges = apart;
  }

  /** Takes out all from `first` to `last`. @returns how many of them were there */
  remove(first: number, last: number): number {
    let removed = 0;
    const left: IdRange[] = [];
    for (const range of this.#ranges) {
      const [from, to] = [Math.max(first, range[0]), Math.min(last, range[1])];
      if (from > to) {
        left.push(range);
        continue;
      }
      removed += to - from + 1;
      if (range[0] < from) left.push([range[0], from - 1]);
      if (range[1] > to) left.push([to + 1, range[1]]);
    }
    if (removed > 0) this.#ranges = left;
    return removed;
  }
}
