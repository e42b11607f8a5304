/** A worker thread of a divided scan: it does one run at a time, and starts before it is known what it will do. */
import { Worker } from 'node:worker_threads';
import { TapedeckError } from '../model/errors.js';
import type { FromWorker, ToWorker } from './messages.js';
import type { RunTask } from './run.js';

/** The built worker, also where the sources run unbuilt, as in tests: Node starts no thread from TypeScript. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? '../../dist/scan/worker.js' : './worker.js', import.meta.url);

/** Who hears what a thread says of its run; the last message is an `end` or an `error`. */
export interface RunListener {
  push(message: FromWorker): void;
}

/** Whom a thread works for. */
export interface Employer {
  /** it can take another run */
  idle(): void;
  /** compressed bytes read since the last call */
  read(bytes: number): void;
  /** it has ended unasked */
  dead(error: Error): void;
}

export class Thread {
  readonly #worker: Worker;
  #employer: Employer | null = null;
  #failure: Error | null = null;
  #run: RunListener | null = null;
  #closing = false;

  /** @param worker another program for it, for tests */
  constructor(worker: URL = WORKER) {
    this.#worker = new Worker(worker);
    // nobody may want it after all
    this.#worker.unref();
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', (error) => this.#die(error.message));
    this.#worker.on('exit', () => this.#die('it ended'));
  }

  /** From now on it works for somebody, who hears of it, too, if it has died already. */
  serve(employer: Employer): void {
    this.#employer = employer;
    this.#worker.ref();
    if (this.#failure !== null) employer.dead(this.#failure);
  }

  get free(): boolean {
    return this.#run === null && !this.#closing;
  }

  begin(run: RunListener, task: RunTask): void {
    this.#run = run;
    this.say({ kind: 'run', task });
  }

  say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'read') {
      this.#employer?.read(message.bytes);
      return;
    }
    const run = this.#run;
    const last = message.kind === 'end' || message.kind === 'error';
    if (last) this.#run = null;
    run?.push(message);
    if (last) this.#employer?.idle();
  }

  #die(why: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#failure = new TapedeckError('E_IO', `while scanning: a worker thread failed: ${why}`);
    this.#employer?.dead(this.#failure);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }
}
