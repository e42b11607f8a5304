/** A run of orders on one side in quick succession, and what they traded at which price. */
import type { Micros } from '../model/entry.js';
import type { Group } from './groups.js';
import { Ring } from './ring.js';

/** Values of a print. */
const PRICE = 0;
const SIZE = 1;
const PRINT = 2;

/** Used again for the next run of its side. */
export class Run {
  /** +1 buys */
  readonly side: number;
  /** it may still go on */
  isOpen = false;
  /** its newest group is not complete yet */
  grows = false;
  /** its number, which no other run has */
  id = 0;
  /** receive times of its first and last print, exchange times of its first and last group */
  firstT: Micros = 0;
  lastT: Micros = 0;
  firstMatched: Micros = 0;
  lastMatched: Micros = 0;
  /** lowest of the venue's numbers of its orders; -1 where one has none */
  order = -1;
  /** groups that are complete, and the sum of the distinct prices of each */
  groups = 0;
  levels = 0;
  prints = 0;
  size = 0;
  /** traded the other way since it began */
  opposite = 0;
  readonly #ring = new Ring(PRINT);
  /** number of the newest group's first print */
  #newest = 0;

  constructor(side: number) {
    this.side = side;
  }

  /** Whether a group that begins is one of it: no more than `gap` after the last, `span` after the first, by either clock. */
  takes({ firstT, matched }: Group, gap: Micros, span: Micros): boolean {
    if (!this.isOpen || firstT - this.lastT > gap || firstT - this.firstT > span) return false;
    if (matched === 0 || this.firstMatched === 0) return true;
    return matched - this.lastMatched <= gap && matched - this.firstMatched <= span;
  }

  begin(id: number, { firstT, matched, order }: Group): void {
    this.isOpen = true;
    this.id = id;
    this.firstT = firstT;
    this.firstMatched = matched;
    this.order = order;
    this.groups = 0;
    this.levels = 0;
    this.prints = 0;
    this.size = 0;
    this.opposite = 0;
    this.#ring.clear();
  }

  /** A print of `group`, which is growing. */
  add(group: Group, price: number, size: number): void {
    const ring = this.#ring;
    if (group.prints === 1) this.#newest = ring.next;
    this.grows = true;
    this.lastT = group.lastT;
    this.lastMatched = group.matched;
    if (group.order < this.order) this.order = group.order;
    this.prints++;
    this.size += size;
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    ring.values[at + PRICE] = price;
    ring.values[at + SIZE] = size;
  }

  /** Its newest group is complete. */
  complete({ levels }: Group): void {
    this.grows = false;
    this.groups++;
    this.levels += levels;
  }

  /** Volume by price: of all of it, or of its newest group. */
  traded(newestOnly: boolean): Map<number, number> {
    const { values, mask, first, next } = this.#ring;
    const volumes = new Map<number, number>();
    for (let n = newestOnly ? Math.max(first, this.#newest) : first; n < next; n++) {
      const price = values[(n & mask) * PRINT + PRICE];
      volumes.set(price, (volumes.get(price) ?? 0) + values[(n & mask) * PRINT + SIZE]);
    }
    return volumes;
  }
}
