/** What is usual of one measure: its values on a grid of data time, as a baseline. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { Baseline } from './baseline.js';
import { Ring } from './ring.js';

/** Statistics are sampled on this grid of data time. */
export const GRID: Micros = MICROS_PER_SECOND;

/** What a statistic rests on: a gap there forgets it. */
export type Basis = 'trades' | 'book';

/** Hands the values of a measure at `t` to `sample`. */
export type Take = (t: Micros, sample: (value: number) => void) => void;

/** Values of a sample that waits. */
const T = 0;
const VALUE = 1;
const WIDTH = 2;

/** A value sampled on the grid into a baseline, `delay` later than it was taken, so that no event meets itself. */
export class GridStatistic {
  readonly baseline: Baseline;
  readonly basis: Basis;
  readonly #delay: Micros;
  readonly #take: Take;
  readonly #waiting = new Ring(WIDTH, 64);
  /** grid time of the samples being taken */
  #t: Micros = 0;
  readonly #sample = (value: number): void => this.#wait(value);
  /** a quantile that was asked for, and the time before which nothing can change it */
  #q = Number.NaN;
  #quantile = Number.NaN;
  #until = Number.NEGATIVE_INFINITY;

  constructor(minutes: number, basis: Basis, delay: Micros, take: Take) {
    this.baseline = new Baseline(minutes);
    this.basis = basis;
    this.#delay = delay;
    this.#take = take;
  }

  tick(t: Micros): void {
    this.#t = t;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#take(t, this.#sample);
    const waiting = this.#waiting;
    const { values, mask, next } = waiting;
    for (; waiting.first < next; waiting.first++) {
      const at = (waiting.first & mask) * WIDTH;
      if (values[at + T] > t - this.#delay) break;
      this.baseline.add(t, values[at + VALUE]);
    }
    this.baseline.expire(t);
  }

  #wait(value: number): void {
    const waiting = this.#waiting;
    if (waiting.full && !waiting.grow()) waiting.first++;
    const at = waiting.push();
    waiting.values[at + T] = this.#t;
    waiting.values[at + VALUE] = value;
  }

  /** Whether `known` still stands for that quantile at `t`. Trades ask for one far more often than samples come. */
  knows(t: Micros, q: number): boolean {
    return t < this.#until && q === this.#q;
  }

  get known(): number {
    return this.#quantile;
  }

  /** The quantile of the baseline, which is `known` until then. */
  quantile(q: number, until: Micros): number {
    this.#q = q;
    this.#quantile = this.baseline.quantile(q);
    this.#until = until;
    return this.#quantile;
  }

  clear(): void {
    this.baseline.clear();
    this.#waiting.clear();
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
