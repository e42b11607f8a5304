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

const NONE = Number.NaN;

/** A quantile, that of which version of the baseline it is, and the time before which no sample joins or leaves. */
interface Answer {
  readonly q: number;
  value: number;
  version: number;
  until: Micros;
}

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
  /** quantiles that were asked for: one or two, as a rule */
  readonly #answers: Answer[] = [];

  constructor(minutes: number, basis: Basis, delay: Micros, take: Take) {
    this.baseline = new Baseline(minutes);
    this.basis = basis;
    this.#delay = delay;
    this.#take = take;
  }

  tick(t: Micros): void {
    this.#t = t;
    this.#forget();
    this.#take(t, this.#sample);
    this.#join(t);
    this.baseline.expire(t);
  }

  /** Samples that have waited long enough join the baseline. */
  #join(t: Micros): void {
    const waiting = this.#waiting;
    const { values, mask, first, next } = waiting;
    let n = first;
    for (; n < next; n++) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] > t - this.#delay) break;
      this.baseline.add(t, values[at + VALUE]);
    }
    waiting.first = n;
  }

  #wait(value: number): void {
    const waiting = this.#waiting;
    if (waiting.full && !waiting.grow()) waiting.first++;
    const at = waiting.push();
    waiting.values[at + T] = this.#t;
    waiting.values[at + VALUE] = value;
  }

  /**
   * A quantile as it was found last, where that still stands at `t`; NaN where it was not, or does not. Trades ask for one far more often than
   * samples come.
   */
  known(t: Micros, q: number): number {
    const answers = this.#answers;
    for (let n = 0; n < answers.length; n++)
      if (answers[n].q === q) return t < answers[n].until ? answers[n].value : NONE;
    return NONE;
  }

  /** The quantile of the baseline, which is `known` until then. */
  quantile(q: number, until: Micros): number {
    const { version } = this.baseline;
    let answer = this.#answers.find((one) => one.q === q);
    if (answer === undefined) {
      answer = { q, value: NONE, version: NONE, until };
      this.#answers.push(answer);
    }
    answer.until = until;
    if (answer.version === version) return answer.value;
    answer.version = version;
    answer.value = this.baseline.quantile(q, answer.value);
    return answer.value;
  }

  #forget(): void {
    for (const answer of this.#answers) answer.until = Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    this.baseline.clear();
    this.#waiting.clear();
    this.#forget();
  }
}
