/** Runs of best quotes in a decoded batch: they are most of all messages, and as a rule only time looks at them. */
import type { Micros } from '../model/entry.js';
import { EVENT_STRIDE, Field, Kind } from '../model/event.js';
import { type Machine, theMachine } from './wasm-machine.js';

/** Takes runs; what the last one gathered can be read until the next. */
export class TouchRun {
  /** time of the last touch, and the newest exchange push time so far, µs */
  t: Micros = 0;
  emitted: Micros = 0;
  /** the polynomial of `scan/checksum.ts` over prices and sizes, 32 bits */
  word = 0;
  readonly #machine: Machine | null = theMachine();

  /**
   * Passes over the touches from record `first` on, all of that record's origin, whose times rise from `after` and stay below `before`.
   * @param emitted newest push time before the run @param word the polynomial before the run
   * @returns the record behind the run; `first` where there is none
   */
  take(
    events: Float64Array,
    first: number,
    count: number,
    after: Micros,
    before: Micros,
    emitted: Micros,
    word: number,
  ): number {
    const machine = this.#machine;
    if (machine === null || events !== machine.events)
      return this.#take(events, first, count, after, before, emitted, word);
    const n = machine.exports.touchRun(first, count, after, before, emitted, word);
    this.t = machine.run[0];
    this.emitted = machine.run[1];
    this.word = machine.runWord[0];
    return n;
  }

  #take(
    e: Float64Array,
    first: number,
    count: number,
    after: Micros,
    before: Micros,
    emitted: Micros,
    word: number,
  ): number {
    const origin = e[first * EVENT_STRIDE + Field.ORIGIN];
    let t = after;
    let newest = emitted;
    let h = word;
    let n = first;
    for (; n < count; n++) {
      const o = n * EVENT_STRIDE;
      const next = e[o + Field.T];
      if (e[o + Field.KIND] !== Kind.touch || e[o + Field.ORIGIN] !== origin || !(next > t && next < before)) break;
      t = next;
      const pushed = e[o + Field.EMITTED];
      if (pushed > newest) newest = pushed;
      h = touchWord(e, o, h);
    }
    this.t = t;
    this.emitted = newest;
    this.word = h;
    return n;
  }
}

/** The polynomial `word` goes on with the prices and sizes of the touch at offset `o`. */
export function touchWord(e: Float64Array, o: number, word: number): number {
  let h = Math.imul(word, 31) + (e[o + Field.PRICE] | 0);
  h = Math.imul(h, 31) + (e[o + Field.SIZE] | 0);
  h = Math.imul(h, 31) + (e[o + Field.PRICE2] | 0);
  return (Math.imul(h, 31) + (e[o + Field.SIZE2] | 0)) | 0;
}
