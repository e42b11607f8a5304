/** Threads that are used again: of the scan of a small tape, a new thread spends most on compiling what it runs. */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { Worker } from 'node:worker_threads';
import { afterAll, beforeAll } from 'vitest';
import type { FromWorker, ToWorker } from '../../src/scan/messages.js';

const ColdWorker = Worker;
/** Ready threads by program. */
const idle = new Map<string, Worker[]>();

/** What a divided scan uses of a `Worker`: at its end the thread is kept, unless it is in the midst of a run. */
class WarmWorker {
  readonly #program: string;
  readonly #worker: Worker;
  #reusable = true;

  constructor(program: URL) {
    this.#program = program.href;
    this.#worker = idle.get(this.#program)?.pop() ?? new ColdWorker(program);
    this.#worker.on('message', ({ kind }: FromWorker) => {
      if (kind === 'end' || kind === 'error') this.#reusable = true;
    });
    this.#worker.on('exit', () => {
      this.#reusable = false;
    });
  }

  on(event: string, listener: (...told: unknown[]) => void): void {
    this.#worker.on(event, listener);
  }

  ref(): void {
    this.#worker.ref();
  }

  unref(): void {
    this.#worker.unref();
  }

  postMessage(message: ToWorker): void {
    if (message.kind === 'run') this.#reusable = false;
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    // not of every event: a worker listens to itself, too
    for (const event of ['message', 'error', 'exit']) this.#worker.removeAllListeners(event);
    if (!this.#reusable) await this.#worker.terminate();
    else idle.set(this.#program, [...(idle.get(this.#program) ?? []), this.#worker]);
  }
}

/** Has the scans of a `describe` use warm threads; they are kept for the next one. */
export function useWarmThreads(): void {
  const use = (made: unknown): void => {
    workerThreads.Worker = made as typeof Worker;
    syncBuiltinESMExports();
  };
  beforeAll(() => use(WarmWorker));
  afterAll(() => use(ColdWorker));
}

export async function endWarmThreads(): Promise<void> {
  const ended = [...idle.values()].flat().map((worker) => worker.terminate());
  idle.clear();
  await Promise.all(ended);
}
