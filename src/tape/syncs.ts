/** fsync of a file that is being appended to, beside the work of the main thread. */
import fs from 'node:fs';
import { fromSystemError } from '../model/errors.js';

export interface Syncs {
  /** fsyncs what was written so far; the tail is removed when that is done */
  start(coveredTail: string | null): void;
  /** throws what went wrong in the background */
  check(): void;
  settled(): Promise<void>;
}

/**
 * Node has four threads for files and for looking names up. Where a disk hangs, fsyncs hold these two and no more, and a
 * lost connection can still be opened again.
 */
const MOST_AT_ONCE = 2;
let underWay = 0;
const queue: (() => void)[] = [];

async function fsyncInTurn(fd: number): Promise<void> {
  if (underWay >= MOST_AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
  else underWay++;
  try {
    await new Promise<void>((resolve, reject) => fs.fsync(fd, (error) => (error ? reject(error) : resolve())));
  } finally {
    const next = queue.shift();
    if (next === undefined) underWay--;
    else next();
  }
}

/** One fsync at a time for each file, off the thread that writes: lines must reach the system while the disk is slow. */
export function createSyncs(fd: number, path: string): Syncs {
  let waiting: string[] = [];
  let wanted = false;
  let running: Promise<void> | null = null;
  let fault: unknown = null;

  const run = async (): Promise<void> => {
    while (wanted) {
      wanted = false;
      const covered = waiting;
      waiting = [];
      try {
        await fsyncInTurn(fd);
        for (const tail of covered) fs.unlinkSync(tail);
      } catch (error) {
        fault ??= fromSystemError(error, 'syncing a segment', { file: path });
      }
    }
    running = null;
  };

  return {
    start(coveredTail) {
      if (coveredTail !== null) waiting.push(coveredTail);
      wanted = true;
      running ??= run();
    },
    check() {
      if (fault !== null) throw fault;
    },
    async settled() {
      while (running !== null) await running;
    },
  };
}
