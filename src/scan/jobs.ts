/** A scan by several worker threads whose output is that of one: in order, in bounded memory, ended by the first fault. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Signal } from '../model/signal.js';
import type { Segment } from '../tape/segment.js';
import { joinSums, type SumsPart, sumsOf } from './checksum.js';
import { type FlowCount, flowNotes } from './flow-count.js';
import type { FromWorker } from './messages.js';
import type { Printed } from './pipeline.js';
import type { RunResult, RunTask } from './run.js';
import { mergeOrdered, type ScanOptions } from './scan.js';
import { type GivenSettings, readingStart, scanSettings } from './settings.js';
import { type Employer, Thread } from './thread.js';
import { type Lane, LEAST_BYTES, Plan, type Run } from './units.js';

export interface JobsOptions extends Omit<ScanOptions, 'settings'> {
  /** as typed: functions cannot be sent to a thread */
  given: GivenSettings;
  checksum: boolean;
  from?: number;
  to?: number;
  jobs: number;
  /** see PlanOptions */
  leastBytes?: number;
  /** see RunTask */
  mostWaiting?: number;
  /** another program for the threads, for tests */
  worker?: URL;
  /** compressed bytes read since the last call */
  read?(bytes: number): void;
}

/** How many runs per thread may be done or under way without being printed yet. */
const AHEAD = 2;
/** Text that may wait for its turn to be printed: of one run, and of all together. */
const MOST_WAITING = { run: 32 * 1024 * 1024, all: 256 * 1024 * 1024 };

/** A scan that is divided, ready to start. */
export interface Jobs {
  /** threads it will use; 1: dividing gains nothing, use `scan` */
  readonly threads: number;
  /** compressed bytes that will be read */
  readonly bytes: number;
  /**
   * Scans; what comes is what `scan` of the same gives, notes, damage and sums included. `signal` ends it where it stands, as
   * `scan` with `stopped`; what was summed until then is not told.
   * @throws {TapedeckError} as `scan`, and E_IO when a thread dies
   */
  scan(): AsyncGenerator<Printed[]>;
}

/** Divides the scan of a tape's groups among `jobs` threads. */
export function planJobs(groups: readonly (readonly Segment[])[], options: JobsOptions): Jobs {
  const { given, checksum, jobs, leastBytes = LEAST_BYTES, from, to, worker } = options;
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const settings = scanSettings(given, { checksum, ...range });
  // a thread takes as long to start as the plan to be made, so they start where there is enough to divide
  const bytes = groups.flat().reduce((sum, segment) => sum + segment.bytes, 0);
  const most = Math.min(jobs, Math.floor(bytes / leastBytes));
  const ready = Array.from({ length: most > 1 ? most : 0 }, () => new Thread(worker));
  const plan = new Plan(groups, settings, { jobs, leastBytes });
  const threads = plan.lanes.reduce((sum, { workers }) => sum + workers, 0);
  for (const thread of ready.splice(threads > 1 ? threads : 0)) void thread.close();
  const task: Omit<RunTask, 'run'> = {
    given,
    checksum,
    decoder: options.decoder,
    ...(from === undefined ? {} : { origin: readingStart(settings, from) }),
    mostWaiting: options.mostWaiting ?? Math.min(MOST_WAITING.run, MOST_WAITING.all / (threads * AHEAD)),
  };
  const hire = (): Thread => ready.pop() ?? new Thread(worker);
  return { threads, bytes: plan.bytes, scan: () => scanPlan(plan, task, options, hire) };
}

async function* scanPlan(
  plan: Plan,
  task: Omit<RunTask, 'run'>,
  options: JobsOptions,
  hire: () => Thread,
): AsyncGenerator<Printed[]> {
  const lanes = plan.lanes.map((lane) => new LaneScan(lane, plan, task, options));
  const stop = (): void => {
    for (const lane of lanes) lane.stop();
  };
  options.signal?.addEventListener('abort', stop);
  if (options.signal?.aborted === true) stop();
  try {
    for (const lane of lanes) lane.start(hire);
    const scans = lanes.map((lane) => lane.printed());
    yield* scans.length === 1 ? scans[0] : mergeOrdered(scans);
    const stopped = lanes.flatMap(({ reached }) => reached ?? []);
    for (const t of stopped) options.stopped?.(t);
    if (stopped.length > 0) return;
    for (const lane of lanes) lane.saySums();
    for (const text of flowNotes(lanes.flatMap(({ flows }) => flows))) options.note(text);
  } finally {
    options.signal?.removeEventListener('abort', stop);
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/** What a thread printed: as a rule only the line is asked for. */
class PrintedLine implements Printed {
  readonly line: string;

  constructor(line: string) {
    this.line = line;
  }

  get signal(): Signal {
    return JSON.parse(this.line) as Signal;
  }
}

/** A run given to a thread: its messages wait here until it is their turn. */
class RunScan {
  readonly run: Run;
  /** it is over as far as the thread goes */
  over = false;
  #thread: Thread | null = null;
  readonly #messages: FromWorker[] = [];
  #failure: unknown = null;
  #wake: () => void = () => {};

  constructor(run: Run) {
    this.run = run;
  }

  begin(thread: Thread, task: RunTask): void {
    this.#thread = thread;
    thread.begin(this, task);
  }

  get begun(): boolean {
    return this.#thread !== null;
  }

  push(message: FromWorker): void {
    this.#messages.push(message);
    if (message.kind === 'end' || message.kind === 'error') this.over = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.over = true;
    this.#wake();
  }

  async next(): Promise<FromWorker> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  taken(bytes: number): void {
    if (!this.over) this.#thread?.say({ kind: 'taken', bytes });
  }

  stop(): void {
    if (!this.over) this.#thread?.say({ kind: 'stop' });
  }
}

/** The runs of a lane, done ahead by its threads and printed one after the other. */
class LaneScan {
  readonly #lane: Lane;
  readonly #plan: Plan;
  readonly #task: Omit<RunTask, 'run'>;
  readonly #options: JobsOptions;
  readonly #threads: Thread[] = [];
  #runs: RunScan[];
  /** the run being printed */
  #at = 0;
  #stopped = false;
  /** where it stands, if it was stopped before its end */
  reached: Micros | null = null;
  /** what its runs met of trades */
  readonly flows: FlowCount[] = [];
  readonly #sums = new Map<string, SumsPart>();

  constructor(lane: Lane, plan: Plan, task: Omit<RunTask, 'run'>, options: JobsOptions) {
    this.#lane = lane;
    this.#plan = plan;
    this.#task = task;
    this.#options = options;
    this.#runs = lane.runs.map((run) => new RunScan(run));
  }

  start(hire: () => Thread): void {
    const employer: Employer = {
      idle: () => this.#launch(),
      read: (bytes) => this.#options.read?.(bytes),
      dead: (error) => {
        for (const scan of this.#runs) if (!scan.over) scan.fail(error);
      },
    };
    for (let n = 0; n < this.#lane.workers; n++) {
      const thread = hire();
      this.#threads.push(thread);
      thread.serve(employer);
    }
    this.#launch();
  }

  /** Begins runs in their order, as far ahead as threads are free and what waits to be printed stays bounded. */
  #launch(): void {
    const limit = this.#at + this.#lane.workers * AHEAD;
    for (const scan of this.#runs.slice(0, limit)) {
      if (scan.begun || (this.#stopped && scan !== this.#runs[this.#at])) continue;
      const thread = this.#threads.find(({ free }) => free);
      if (thread === undefined) return;
      scan.begin(thread, { ...this.#task, run: scan.run });
      if (this.#stopped) scan.stop();
    }
  }

  async *printed(): AsyncGenerator<Printed[]> {
    for (; this.#at < this.#runs.length; this.#at++) {
      this.#launch();
      const { unproven, stopped } = yield* this.#print(this.#runs[this.#at]);
      if (this.#stopped) {
        this.reached = stopped ?? this.#runs[this.#at + 1]?.run.from ?? null;
        return;
      }
      if (unproven) this.#readThrough();
    }
  }

  async *#print(scan: RunScan): AsyncGenerator<Printed[], RunResult> {
    const { damage, note } = this.#options;
    for (;;) {
      const message = await scan.next();
      switch (message.kind) {
        case 'printed':
          yield message.lines.split('\n').map((line) => new PrintedLine(line));
          scan.taken(message.bytes);
          break;
        case 'damage':
          damage(message.damage);
          break;
        case 'note':
          note(message.text);
          break;
        case 'error':
          throw errorOf(message);
        case 'end':
          for (const { group, part } of message.result.sums) this.#add(group, part);
          for (const src of message.result.srcs) this.#options.met?.(src);
          this.flows.push(...message.result.flows);
          return message.result;
      }
    }
  }

  /** The runs behind this one may differ from the whole: one that reads what this one read takes their place. */
  #readThrough(): void {
    const rest = this.#runs.splice(this.#at + 1);
    if (rest.length === 0) return;
    for (const scan of rest) scan.stop();
    this.#runs.push(new RunScan(this.#plan.restAfter(this.#lane, this.#runs[this.#at].run)));
  }

  #add(group: number, part: SumsPart): void {
    const key = `${group} ${part.src}`;
    const before = this.#sums.get(key);
    this.#sums.set(key, before === undefined ? part : joinSums(before, part));
  }

  saySums(): void {
    for (const part of this.#sums.values()) this.#options.sums?.(sumsOf(part));
  }

  /** What is being printed ends where it stands; what comes after it does not come. */
  stop(): void {
    this.#stopped = true;
    for (const scan of this.#runs) scan.stop();
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

function errorOf({ code, message, place, stack }: FromWorker & { kind: 'error' }): Error {
  if (code !== null) return new TapedeckError(code, message, place);
  return Object.assign(new Error(message), { stack });
}
