/** Releasing lines when they are due: one epoch, absolute deadlines, so that lateness never adds up. */
import { setTimeout as sleepFor, setImmediate as yieldToEvents } from 'node:timers/promises';
import type { LineFlow } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { anyTimeOf, endOfLine, timeOf } from './line.js';

export interface PaceOptions {
  /** tape time over real time: 10 plays ten times faster; Infinity waits for nothing */
  speed: number;
  /** no wait between two lines is longer than this; only waiting is shortened, no line changes */
  maxIdleMicros?: Micros;
  /** lines before this time are due at once; without it, the first line starts the clock */
  startAt?: Micros;
  /** what is replayed stands at this time when the first line is asked for: earlier lines are due at once, later ones so much later */
  standsAt?: Micros;
  /** a monotonic clock in microseconds; the default is the process clock */
  clock?: () => number;
  /** waits about so many microseconds; waking early is allowed, the clock is asked again */
  sleep?: (micros: number, signal?: AbortSignal) => Promise<void>;
  /** ends the flow, also while it waits */
  signal?: AbortSignal;
}

/**
 * The flow in real time: each batch is cut into parts that are given out when their lines are due. The first line is
 * given out at once and alone, and the clock starts when it was taken (a first write is slow); every other line is due so
 * long after it as its `t` says. A consumer that falls behind gets what is overdue
 * without waiting. Lines without a time are due with the line before.
 */
export async function* pace(flow: LineFlow, options: PaceOptions): LineFlow {
  const {
    speed,
    signal,
    clock = processClock,
    sleep = preciseSleep,
    maxIdleMicros = Number.POSITIVE_INFINITY,
    startAt = Number.NEGATIVE_INFINITY,
    standsAt,
  } = options;
  let epoch = standsAt === undefined ? Number.NaN : clock();
  let first = standsAt ?? 0;
  let previous = first;
  let skipped = 0;

  const dueOf = (t: Micros): number => {
    const wait = (t - previous) / speed;
    if (wait > maxIdleMicros) skipped += wait - maxIdleMicros;
    if (t > previous) previous = t;
    return epoch + (t - first) / speed - skipped;
  };

  for await (const item of flow) {
    if (signal?.aborted) return;
    if ('damage' in item || speed === Number.POSITIVE_INFINITY) {
      yield item;
      continue;
    }
    const { bytes, to } = item;
    let { from, line } = item;
    let now = clock();
    let lines = 0;
    for (let p = from; p < to; ) {
      const end = endOfLine(bytes, p, to);
      let t = timeOf(bytes, p);
      if (Number.isNaN(t)) t = anyTimeOf(bytes, p, end);
      if (Number.isNaN(epoch) && t >= startAt) {
        yield { ...item, from, to: end, line };
        line += lines + 1;
        lines = 0;
        from = p = end;
        epoch = now = clock();
        first = previous = t;
        continue;
      }
      const due = Number.isNaN(t) || Number.isNaN(epoch) ? now : dueOf(t);
      if (due > now) now = clock();
      if (due > now) {
        if (p > from) {
          yield { ...item, from, to: p, line };
          line += lines;
          lines = 0;
          from = p;
        }
        for (now = clock(); now < due; now = clock()) {
          await sleep(due - now, signal);
          if (signal?.aborted) return;
        }
      }
      lines++;
      p = end;
    }
    if (from < to) yield { ...item, from, to, line };
  }
}

/** Where timers are too coarse: the last part of a wait is slept in slices of a millisecond, then spun. */
const COARSE_MICROS = 3_000;
const SLICE_MICROS = 1_000;
const SPIN_MICROS = 150;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Wakes within some microseconds of the time, at little CPU; events are served in between. */
export async function preciseSleep(micros: number, signal?: AbortSignal): Promise<void> {
  const deadline = processClock() + micros;
  for (let left = micros; left > SPIN_MICROS; left = deadline - processClock()) {
    if (signal?.aborted) return;
    if (left > COARSE_MICROS) await coarseSleep(Math.min(left - COARSE_MICROS + SLICE_MICROS, 1e9), signal);
    else {
      Atomics.wait(sleeper, 0, 0, Math.min(left - SPIN_MICROS, SLICE_MICROS) / 1000);
      await yieldToEvents();
    }
  }
  while (processClock() < deadline);
}

async function coarseSleep(micros: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepFor(micros / 1000, undefined, signal === undefined ? {} : { signal });
  } catch {
    // aborted: the caller looks at the signal
  }
}

function processClock(): number {
  return performance.now() * 1000;
}
