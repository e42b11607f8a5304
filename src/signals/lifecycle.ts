/** The life of an event: idle, arming, active, cooling; with hysteresis, so that a flicker is no event. */
import type { Micros } from '../model/entry.js';

export const Step = { none: 0, onset: 1, update: 2, end: 3 } as const;

export interface LifecycleRules {
  /** the condition must hold this long before the onset */
  armFor: Micros;
  /** it must be gone this long before the end */
  disarmFor: Micros;
}

/** Two updates are never nearer than this. */
const UPDATE_EVERY: Micros = 1_000_000;
/** An update is worth a line when the score rose by this factor above the highest one printed. */
const UPDATE_RISE = 1.1;
/** During the cool-down only a score this much above the previous peak may start again. */
const COOL_FACTOR = 1.5;
const COOL_LEAST: Micros = 1_000_000;

/**
 * One key's state machine, moved by data time only. Each onset has exactly one end; a constant condition gives one onset;
 * a score that moves between the two thresholds starts at most one event.
 */
export class Lifecycle {
  readonly #armFor: Micros;
  readonly #disarmFor: Micros;
  readonly #coolFor: Micros;
  active = false;
  /** highest score of the running event, or of the last one */
  peak = 0;
  #heldSince: Micros = Number.NaN;
  #goneSince: Micros = Number.NaN;
  #coolUntil: Micros = Number.NEGATIVE_INFINITY;
  #reported = 0;
  #reportedT: Micros = 0;

  constructor(rules: LifecycleRules) {
    this.#armFor = rules.armFor;
    this.#disarmFor = rules.disarmFor;
    this.#coolFor = Math.max(2 * rules.armFor, COOL_LEAST);
  }

  /** True while nothing can happen but by a new condition: no event, no arming. */
  get idle(): boolean {
    return !this.active && Number.isNaN(this.#heldSince);
  }

  /**
   * @param score what peaks and cool-down go by
   * @param on the condition for an onset holds
   * @param off the condition for an end holds; must be false where `on` is true
   * @param near the condition is missed so little that an arming goes on, though no onset may come of it
   */
  step(t: Micros, score: number, on: boolean, off: boolean, near = false): number {
    if (this.active) {
      if (!off) this.#goneSince = Number.NaN;
      else if (Number.isNaN(this.#goneSince)) this.#goneSince = t;
      if (off && t - this.#goneSince >= this.#disarmFor) {
        this.end(t, score);
        return Step.end;
      }
      if (score > this.peak) this.peak = score;
      if (!(score > this.#reported && score >= this.#reported * UPDATE_RISE)) return Step.none;
      if (t - this.#reportedT < UPDATE_EVERY) return Step.none;
      this.#report(t, score);
      return Step.update;
    }
    if (!on) {
      if (!near) this.#heldSince = Number.NaN;
      return Step.none;
    }
    if (Number.isNaN(this.#heldSince)) this.#heldSince = t;
    if (t - this.#heldSince < this.#armFor) return Step.none;
    if (t < this.#coolUntil && score < COOL_FACTOR * this.peak) return Step.none;
    this.active = true;
    this.peak = score;
    this.#goneSince = Number.NaN;
    this.#report(t, score);
    return Step.onset;
  }

  /** Ends the running event for a reason of its own, with the score it has then, if that may be its highest; the cool-down begins. */
  end(t: Micros, score = 0): void {
    if (score > this.peak) this.peak = score;
    this.active = false;
    this.#heldSince = Number.NaN;
    this.#coolUntil = t + this.#coolFor;
  }

  /** Starts afresh: no event, no arming, no cool-down. */
  reset(): void {
    this.active = false;
    this.peak = 0;
    this.#heldSince = Number.NaN;
    this.#goneSince = Number.NaN;
    this.#coolUntil = Number.NEGATIVE_INFINITY;
  }

  #report(t: Micros, score: number): void {
    this.#reported = score;
    this.#reportedT = t;
  }
}
