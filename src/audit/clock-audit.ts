/** How well a recorder kept the time: wall against monotonic clock, exchange against local time, its own lateness. */
import type { ClockReading, Micros } from '../model/entry.js';
import { Distribution } from './quantiles.js';

/** The wall clock moved by more than this between two readings: it was set, it did not drift. */
const STEP: Micros = 100_000;

export class ClockAudit {
  /** receive time minus the time at which the exchange says it sent, µs, of every message that says so */
  readonly lag = new Distribution();
  /** worst event-loop lag of each reading, µs */
  readonly loop = new Distribution();
  readings = 0;
  /** the wall clock's way against the monotonic one, steps aside, µs */
  drift = 0;
  /** times it was set, and by how much at most */
  steps = 0;
  largest = 0;
  #wall = Number.NaN;

  reading({ wall, loop }: ClockReading): void {
    this.readings++;
    this.loop.add(loop);
    const moved = wall - this.#wall;
    this.#wall = wall;
    if (Number.isNaN(moved)) return;
    if (Math.abs(moved) <= STEP) this.drift += moved;
    else {
      this.steps++;
      if (Math.abs(moved) > Math.abs(this.largest)) this.largest = moved;
    }
  }

  /** A new segment begins: after a step of the wall clock, the clocks were brought together for it. */
  nextSegment(): void {
    this.#wall = Number.NaN;
  }

  join(other: ClockAudit): void {
    this.lag.join(other.lag);
    this.loop.join(other.loop);
    this.readings += other.readings;
    this.drift += other.drift;
    this.steps += other.steps;
    if (Math.abs(other.largest) > Math.abs(this.largest)) this.largest = other.largest;
  }
}
