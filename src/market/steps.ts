/** A value that holds until it changes, over a moving window: its value at the window's start and its mean over time. */
import type { Micros } from '../model/entry.js';
import { Ring } from './ring.js';

/** Values of a step in the ring. */
const T = 0;
const VALUE = 1;
const WIDTH = 2;

/**
 * Steps of an integer value (NaN: unknown) over (t − span, t]. Areas are sums of integer × µs, hence exact below 2^53;
 * the mean is one division.
 */
export class StepWindow {
  readonly span: Micros;
  readonly #ring = new Ring(WIDTH, 64);
  /** where the covered stretch begins: the oldest step, or the window's start once that lies later */
  #from: Micros = 0;
  /** ∫ value dt and time unknown, over [#from, newest step) */
  #area = 0;
  #unknown = 0;

  constructor(span: Micros) {
    this.span = span;
  }

  /** The value from `t` on. A value equal to the one in force is no step. */
  set(t: Micros, value: number): void {
    const ring = this.#ring;
    if (ring.next > ring.first) {
      const newest = ((ring.next - 1) & ring.mask) * WIDTH;
      const before = ring.values[newest + VALUE];
      if (before === value || (Number.isNaN(before) && Number.isNaN(value))) return;
      this.#expire(t);
      const since = ring.values[newest + T];
      const lasted = t - (since > this.#from ? since : this.#from);
      if (Number.isNaN(before)) this.#unknown += lasted;
      else this.#area += before * lasted;
      if (ring.full && !ring.grow()) this.#drop();
    } else this.#from = t;
    const at = ring.push();
    ring.values[at + T] = t;
    ring.values[at + VALUE] = value;
  }

  /** Lets go of the oldest step: what it covered leaves the window. */
  #drop(): void {
    const ring = this.#ring;
    const { values, mask } = ring;
    const until = values[((ring.first + 1) & mask) * WIDTH + T];
    this.#cut(values[(ring.first & mask) * WIDTH + VALUE], until);
    ring.first++;
  }

  #cut(value: number, until: Micros): void {
    if (until <= this.#from) return;
    if (Number.isNaN(value)) this.#unknown -= until - this.#from;
    else this.#area -= value * (until - this.#from);
    this.#from = until;
  }

  #expire(t: Micros): void {
    const ring = this.#ring;
    const { values, mask } = ring;
    const start = t - this.span;
    if (start < this.#from) return;
    while (ring.next - ring.first > 1 && values[((ring.first + 1) & mask) * WIDTH + T] <= start) this.#drop();
    if (ring.next - ring.first > 1) this.#cut(values[(ring.first & mask) * WIDTH + VALUE], start);
    else if (start > this.#from) this.#from = start;
  }

  /** Mean over time of (t − span, t]; NaN where any of it is unknown. */
  mean(t: Micros): number {
    const ring = this.#ring;
    if (ring.next === ring.first) return Number.NaN;
    this.#expire(t);
    const newest = ((ring.next - 1) & ring.mask) * WIDTH;
    const value = ring.values[newest + VALUE];
    if (this.#unknown > 0 || Number.isNaN(value) || this.#from > t - this.span) return Number.NaN;
    const since = ring.values[newest + T];
    return (this.#area + value * (t - (since > this.#from ? since : this.#from))) / this.span;
  }

  /** The value in force at t − span; NaN where unknown. */
  start(t: Micros): number {
    const ring = this.#ring;
    if (ring.next === ring.first) return Number.NaN;
    this.#expire(t);
    return this.#from > t - this.span ? Number.NaN : ring.values[(ring.first & ring.mask) * WIDTH + VALUE];
  }

  /** The value in force now; NaN where unknown. */
  get value(): number {
    const ring = this.#ring;
    return ring.next === ring.first ? Number.NaN : ring.values[((ring.next - 1) & ring.mask) * WIDTH + VALUE];
  }

  /** `t` of the oldest step inside (t − span, t]; NaN when the value did not change in it. */
  firstT(t: Micros): Micros {
    const ring = this.#ring;
    this.#expire(t);
    for (let n = ring.first; n < ring.next; n++) {
      const at = ring.values[(n & ring.mask) * WIDTH + T];
      if (at > t - this.span) return at;
    }
    return Number.NaN;
  }

  clear(): void {
    this.#ring.clear();
    this.#area = 0;
    this.#unknown = 0;
    this.#from = 0;
  }
}
