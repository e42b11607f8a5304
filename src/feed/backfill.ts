/** Asks over REST for the trades of one venue that did not arrive: at its pace, within bounds, and says what came of it. */
import type { Fills, Micros } from '../model/entry.js';
import { IdRanges } from '../model/id-ranges.js';
import type { RestFault, RestTrades } from '../venues/venue.js';
import { type Backoff, backoffMs } from './backoff.js';
import type { Pace } from './pace.js';
import type { RestAnswer, RestGet } from './rest.js';
import { parsed } from './rest-fault.js';

/** Trades of one channel that did not arrive, as the ids around them tell. */
export interface Hole {
  /** the channel they were missed in */
  stream: string;
  /** ids of the first and the last one missing */
  first: number;
  last: number;
  /** `t` of the gap entry that tells of them */
  gap: Micros;
}

/** What came of a hole: trades missed, trades that answers held, and why the others are not among them. */
export interface Outcome {
  missed: number;
  filled: number;
  /** null where none is left */
  why: string | null;
}

export interface BackfillOptions {
  /** by channel; those without one are left as they are */
  ways: Readonly<Record<string, RestTrades>>;
  /** channels of which only the newest trades can be had */
  recent: (channel: string) => boolean;
  get: RestGet;
  /** full address of a path */
  url: (path: string) => string;
  /** of requests for trades alone, so that books never wait for them */
  pace: Pace;
  /** monotonic ms */
  now: () => number;
  /** uniform in [0, 1) */
  random: () => number;
  /** the failure that an answer of status 200 tells of */
  fault: (answer: RestAnswer) => RestFault | null;
  /** an answer of any status came, to a request made for these trades; `startedMs` is monotonic */
  answered: (symbol: string, answer: RestAnswer, startedMs: number, fills: Fills) => void;
  /** nothing more will be asked for this hole */
  ended: (symbol: string, hole: Hole, outcome: Outcome) => void;
  backoff?: Backoff;
}

export interface Backfill {
  /** trades are missing: they will be asked for, where the venue has them */
  missed(symbol: string, hole: Hole): void;
  /** starts what is due at monotonic `nowMs` */
  tick(nowMs: number): void;
  /** nothing is started any more; holes that are left end */
  stop(): void;
}

/** A hole that is being filled. */
interface Job {
  symbol: string;
  hole: Hole;
  way: RestTrades;
  /** ids that no answer has told of yet */
  wanted: IdRanges;
  filled: number;
  /** ids from before the newest trades, where only those can be had */
  tooOld: number;
  /** monotonic ms of the next request */
  dueMs: number;
  busy: boolean;
  /** requests that may still be made */
  left: number;
  failures: number;
}

/** Trades of one hole: what is longer is another source's business, such as the venue's own archives. */
export const MOST_TRADES = 10_000;
/** Requests for one hole beyond those that it takes when each brings a full page. */
const MOST_FAILURES = 5;
/** Holes of one venue waiting at a time, so that a connection that flaps all day costs no memory. */
const MOST_HOLES = 1_000;
const BACKOFF: Backoff = { firstMs: 1_000, mostMs: 30_000 };
/** Of the statuses that blame the request: those that may be gone the next time. */
const PASSING: ReadonlySet<number> = new Set([403, 408, 418, 425, 429]);
/** What a venue answers over REST lags behind its stream. */
const FIRST_ASK_MS = 500;

/** Creates the queue of one venue. */
export function createBackfill(options: BackfillOptions): Backfill {
  const { ways, recent, get, url, pace, now, random, fault, answered, ended, backoff = BACKOFF } = options;
  const jobs = new Set<Job>();
  let stopped = false;

  const end = (job: Job, why: string | null): void => {
    jobs.delete(job);
    const { first, last } = job.hole;
    ended(job.symbol, job.hole, { missed: last - first + 1, filled: job.filled, why });
  };

  const retry = (job: Job, why: string, atLeastMs: number): void => {
    if (job.left === 0) end(job, why);
    else job.dueMs = now() + Math.max(atLeastMs, backoffMs(job.failures++, backoff, random));
  };

  /** Takes in the trades of a page. Between its first and its last one the venue left out what is not there. */
  const take = (job: Job, listed: readonly (readonly [number, number])[]): void => {
    const told = new IdRanges();
    for (const [first, last] of listed) told.add(first, last);
    const { ranges } = told;
    if (ranges.length === 0) {
      retry(job, 'the venue lists none of them', 0);
      return;
    }
    const { hole, wanted } = job;
    const before = wanted.size;
    const isPaged = !recent(hole.stream);
    for (const [first, last] of ranges) job.filled += wanted.remove(first, last);
    const [oldest, newest] = [ranges[0][0], ranges[ranges.length - 1][1]];
    wanted.remove(oldest, newest);
    if (!isPaged) job.tooOld += wanted.remove(hole.first, oldest - 1);
    if (wanted.size === 0) {
      if (job.filled === hole.last - hole.first + 1) end(job, null);
      else end(job, job.tooOld > 0 ? 'only the newest trades can be had' : 'the venue leaves them out');
    } else if (isPaged && wanted.size < before && job.left > 0) {
      job.failures = 0;
      job.dueMs = now();
    } else retry(job, 'the venue does not list the others', 0);
  };

  const start = async (job: Job): Promise<void> => {
    const { symbol, hole, way } = job;
    // one range at a time, so that no page lists what another did; where one brings nothing the next has its turn
    const { ranges } = job.wanted;
    const [first, last] = ranges[job.failures % ranges.length];
    const startedMs = now();
    job.busy = true;
    job.left--;
    let answer: RestAnswer;
    try {
      answer = await get(url(way.page(symbol, first, last)));
    } catch (error) {
      job.busy = false;
      if (!stopped) retry(job, error instanceof Error ? error.message : String(error), 0);
      return;
    }
    job.busy = false;
    if (stopped) return;
    const told = fault(answer);
    const holdMs = pace.answered(answer, now(), told);
    answered(symbol, answer, startedMs, { stream: hole.stream, first, last, gap: hole.gap });
    const { status } = answer;
    const listed = status === 200 && told === null ? way.read(parsed(answer.body)) : null;
    if (listed !== null) take(job, listed);
    else if (status >= 400 && status < 500 && !PASSING.has(status)) end(job, `HTTP status ${status}`);
    else if (told !== null) retry(job, `the venue says ${told.text}`, holdMs);
    else retry(job, status === 200 ? 'the answer is no list of trades' : `HTTP status ${status}`, holdMs);
  };

  return {
    missed(symbol, hole) {
      const way = ways[hole.stream];
      if (way === undefined || stopped) return;
      const { first, last } = hole;
      const missed = last - first + 1;
      const tooMany =
        missed > MOST_TRADES
          ? `more than ${MOST_TRADES} are not asked for`
          : `${MOST_HOLES} gaps before it are still being filled`;
      if (missed > MOST_TRADES || jobs.size >= MOST_HOLES) {
        ended(symbol, hole, { missed, filled: 0, why: tooMany });
        return;
      }
      const wanted = new IdRanges();
      wanted.add(first, last);
      const left = Math.ceil(missed / way.most) + MOST_FAILURES;
      jobs.add({
        ...{ symbol, hole, way, wanted, left },
        ...{ filled: 0, tooOld: 0, dueMs: now() + FIRST_ASK_MS, busy: false, failures: 0 },
      });
    },
    tick(nowMs) {
      while (!stopped) {
        let next: Job | null = null;
        for (const job of jobs) {
          const { everyMs, atOnce } = job.way;
          if (job.busy || job.dueMs > nowMs || !pace.free(nowMs, (atOnce - 1) * everyMs)) continue;
          if (next === null || job.dueMs < next.dueMs) next = job;
        }
        if (next === null) return;
        pace.started(nowMs, next.way.everyMs);
        void start(next);
      }
    },
    stop() {
      if (stopped) return;
      stopped = true;
      for (const job of jobs) end(job, 'the recording ended');
    },
  };
}
