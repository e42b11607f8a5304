/** What a scan and its worker threads say to each other; all of it is plain data. */
import type { Damage } from '../model/batch.js';
import type { ErrorCode, ErrorPlace } from '../model/errors.js';
import type { RunResult, RunTask } from './run.js';

/** To a worker. It does one run at a time. */
export type ToWorker =
  | { kind: 'run'; task: RunTask }
  /** this many bytes of what it printed are with the reader */
  | { kind: 'taken'; bytes: number }
  /** the run is to end where it stands */
  | { kind: 'stop' };

/** From a worker; a run's messages come in order and end with `end` or `error`. */
export type FromWorker =
  /** lines with a newline between them: copying the signals to the other thread as well was a thirtieth of a scan */
  | { kind: 'printed'; lines: string; bytes: number }
  | { kind: 'damage'; damage: Damage['damage'] }
  | { kind: 'note'; text: string }
  | { kind: 'read'; bytes: number }
  | { kind: 'end'; result: RunResult }
  /** `code` is null for a fault of the program */
  | { kind: 'error'; code: ErrorCode | null; message: string; place: ErrorPlace; stack: string };
