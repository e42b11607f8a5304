/** Snapshot requests of one venue: at its pace, and retried with backoff. */
import type { RestFault } from '../venues/venue.js';
import { type Backoff, backoffMs } from './backoff.js';
import type { Pace } from './pace.js';
import type { RestAnswer, RestGet } from './rest.js';

export interface SyncOptions {
  get: RestGet;
  /** address of a symbol's snapshot */
  url: (symbol: string) => string;
  pace: Pace;
  /** monotonic ms */
  now: () => number;
  /** uniform in [0, 1) */
  random: () => number;
  /** the failure that an answer of status 200 tells of */
  fault: (answer: RestAnswer) => RestFault | null;
  /**
   * An answer of any status came, to attempt number `attempts` (from 1) since the last join; `startedMs` is monotonic.
   * @returns null, or why it is no snapshot: then it is asked for again
   */
  answered: (symbol: string, answer: RestAnswer, startedMs: number, attempts: number) => string | null;
  /** attempt number `attempts` (from 1) gave no usable snapshot; the next comes in `retryMs` */
  failed: (symbol: string, why: string, attempts: number, retryMs: number) => void;
  backoff?: Backoff;
}

/** Asked for by symbol; one request per symbol is under way or due at any time. */
export interface Sync {
  /** the symbol needs a snapshot; no effect while one is due or under way */
  want(symbol: string): void;
  /** the book was joined: the next want starts without delay */
  joined(symbol: string): void;
  /** starts what is due at monotonic `nowMs` */
  tick(nowMs: number): void;
  /** nothing is started any more */
  stop(): void;
}

interface Need {
  /** monotonic ms before which it may not start; null when none is wanted */
  dueMs: number | null;
  busy: boolean;
  /** requests since the book was last joined */
  attempts: number;
  /** start of the newest request */
  startedMs: number;
}

const BACKOFF: Backoff = { firstMs: 1_000, mostMs: 30_000 };
/** A snapshot that could not be joined is older than the stream: soon a newer one is there. */
const REFETCH_MS = 250;

/** Creates the queue of one venue. Joining is the caller's: see `answered`. */
export function createSync(options: SyncOptions): Sync {
  const { get, url, pace, now, random, fault, answered, failed, backoff = BACKOFF } = options;
  const needs = new Map<string, Need>();
  let stopped = false;

  const needOf = (symbol: string): Need => {
    let need = needs.get(symbol);
    if (need === undefined) {
      need = { dueMs: null, busy: false, attempts: 0, startedMs: Number.NEGATIVE_INFINITY };
      needs.set(symbol, need);
    }
    return need;
  };

  const retry = (symbol: string, need: Need, why: string, atLeastMs: number): void => {
    const retryMs = Math.max(atLeastMs, backoffMs(need.attempts - 1, backoff, random));
    need.dueMs = now() + retryMs;
    failed(symbol, why, need.attempts, retryMs);
  };

  const start = async (symbol: string, need: Need): Promise<void> => {
    need.busy = true;
    need.dueMs = null;
    need.attempts++;
    need.startedMs = now();
    let answer: RestAnswer;
    try {
      answer = await get(url(symbol));
    } catch (error) {
      need.busy = false;
      if (!stopped) retry(symbol, need, error instanceof Error ? error.message : String(error), 0);
      return;
    }
    need.busy = false;
    if (stopped) return;
    const holdMs = pace.answered(answer, now(), fault(answer));
    const why = answered(symbol, answer, need.startedMs, need.attempts);
    if (why !== null) retry(symbol, need, why, holdMs);
  };

  return {
    want(symbol) {
      const need = needOf(symbol);
      if (need.busy || need.dueMs !== null || stopped) return;
      const again = Math.min(backoff.mostMs, REFETCH_MS * 2 ** Math.min(need.attempts - 1, 20));
      need.dueMs = need.attempts === 0 ? now() : Math.max(now(), need.startedMs + again);
    },
    joined(symbol) {
      needOf(symbol).attempts = 0;
    },
    tick(nowMs) {
      while (!stopped && pace.free(nowMs)) {
        let first: [string, Need] | null = null;
        for (const entry of needs) {
          const dueMs = entry[1].dueMs;
          if (dueMs !== null && dueMs <= nowMs && (first === null || dueMs < (first[1].dueMs ?? 0))) first = entry;
        }
        if (first === null) return;
        pace.started(nowMs);
        void start(...first);
      }
    },
    stop() {
      stopped = true;
    },
  };
}
