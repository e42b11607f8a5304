/** Reads the books of one venue over REST while they are recorded, in pairs, so that verify can hold the recorded ones against them. */
import type { RestAudit, RestFault } from '../venues/venue.js';
import { backoffMs } from './backoff.js';
import type { Pace } from './pace.js';
import type { RestAnswer, RestGet } from './rest.js';

export interface BookReadsOptions {
  symbols: Iterable<string>;
  times: Pick<RestAudit, 'firstMs' | 'againMs' | 'everyMs'>;
  get: RestGet;
  /** address of a symbol's book */
  url: (symbol: string) => string;
  /** shared by all requests for books */
  pace: Pace;
  /** monotonic ms */
  now: () => number;
  /** uniform in [0, 1) */
  random: () => number;
  /** whether the stream's book is there: without it nothing is asked for */
  hasBook: (symbol: string) => boolean;
  /**
   * An answer of any status came; `startedMs` is monotonic.
   * @returns null, or why it is no book
   */
  answered: (symbol: string, answer: RestAnswer, startedMs: number) => string | null;
  /** the failure that an answer of status 200 tells of */
  fault: (answer: RestAnswer) => RestFault | null;
  /** failure number `failures` (from 1) in a row; a new pair begins in `retryMs` */
  failed: (symbol: string, why: string, failures: number, retryMs: number) => void;
}

export interface BookReads {
  /** starts what is due at monotonic `nowMs` */
  tick(nowMs: number): void;
  /** nothing is started any more */
  stop(): void;
}

interface Reading {
  symbol: string;
  /** monotonic ms of the next read; null while the stream has no book */
  dueMs: number | null;
  /** the next read is the second of its pair */
  second: boolean;
  busy: boolean;
  /** start of the newest pair */
  pairMs: number;
  /** in a row */
  failures: number;
}

/** Bound of the first wait after a failure; the later ones double up to the time between pairs. */
const FIRST_RETRY_MS = 10_000;

/** Creates the reads of one venue: what fails for a symbol is that symbol's alone, unless the venue asks for a pause. */
export function createBookReads(options: BookReadsOptions): BookReads {
  const { times, get, url, pace, now, random, hasBook, answered, fault, failed } = options;
  const readings = Array.from(options.symbols, (symbol): Reading => {
    return { symbol, dueMs: null, second: false, busy: false, pairMs: 0, failures: 0 };
  });
  let stopped = false;

  const fail = (reading: Reading, why: string, atLeastMs: number): void => {
    const bounds = { firstMs: FIRST_RETRY_MS, mostMs: times.everyMs };
    const retryMs = Math.max(atLeastMs, times.againMs, backoffMs(reading.failures++, bounds, random));
    reading.second = false;
    reading.dueMs = now() + retryMs;
    failed(reading.symbol, why, reading.failures, retryMs);
  };

  const start = async (reading: Reading): Promise<void> => {
    const { symbol } = reading;
    const startedMs = now();
    reading.busy = true;
    if (!reading.second) reading.pairMs = startedMs;
    let answer: RestAnswer;
    try {
      answer = await get(url(symbol));
    } catch (error) {
      reading.busy = false;
      if (!stopped) fail(reading, error instanceof Error ? error.message : String(error), 0);
      return;
    }
    reading.busy = false;
    if (stopped) return;
    const holdMs = pace.answered(answer, now(), fault(answer));
    const why = answered(symbol, answer, startedMs);
    if (why !== null) return fail(reading, why, holdMs);
    reading.failures = 0;
    // from the answer on, so that the times of two answers are as far apart
    reading.dueMs = reading.second ? reading.pairMs + times.everyMs : now() + times.againMs;
    reading.second = !reading.second;
  };

  /** A book that begins, or begins anew, has its first pair soon. */
  const follow = (reading: Reading, nowMs: number): void => {
    if (!hasBook(reading.symbol)) {
      reading.dueMs = null;
      reading.second = false;
    } else reading.dueMs ??= nowMs + times.firstMs;
  };

  /** Second reads come first: a pair far apart proves less. */
  const nextDue = (nowMs: number): Reading | null => {
    let next: Reading | null = null;
    for (const reading of readings) {
      const { dueMs, second, busy } = reading;
      if (busy || dueMs === null || dueMs > nowMs) continue;
      if (next === null || (second === next.second ? dueMs < (next.dueMs ?? 0) : second)) next = reading;
    }
    return next;
  };

  return {
    tick(nowMs) {
      if (stopped) return;
      for (const reading of readings) follow(reading, nowMs);
      while (pace.free(nowMs)) {
        const reading = nextDue(nowMs);
        if (reading === null) return;
        pace.started(nowMs);
        void start(reading);
      }
    },
    stop() {
      stopped = true;
    },
  };
}
