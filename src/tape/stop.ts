/** Files whose reading is interrupted: where they end then, and how that is told. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { formatTime } from '../model/time.js';

/** Before anything was read. */
export const NOTHING_READ: Micros = Number.NEGATIVE_INFINITY;

/** How far files were read that somebody interrupted; of several, up to where all were. */
export class Stop {
  /** null: they were read to their ends */
  reached: Micros | null = null;

  /** Something ended here that goes on. */
  readonly at = (t: Micros): void => {
    this.reached = Math.min(t, this.reached ?? t);
  };

  /** For the end of a command: what it had printed stands. @throws {TapedeckError} E_IO where something was stopped */
  check(doing: string): void {
    if (this.reached === null) return;
    const where =
      this.reached === NOTHING_READ ? 'before the first entry' : `at ${formatTime(this.reached)}, before the end`;
    throw new TapedeckError('E_IO', `while ${doing}: stopped ${where}`);
  }
}

/** The later of two times; the second may be none. */
export const laterOf = (a: Micros, b: Micros): Micros => (b > a ? b : a);
