/** What a recorder and the thread that writes its tapes say to each other. */
import type { Micros, Source } from '../model/entry.js';
import type { ErrorCode, ErrorPlace } from '../model/errors.js';
import type { Keep } from './retain.js';
import type { OpeningLine } from './writer.js';

/** Whole lines one after the other. */
export interface Lines {
  bytes: Uint8Array;
  /** where each line ends */
  ends: Float64Array;
  times: Float64Array;
  /** one of LineKind for each */
  kinds: Uint8Array;
}

export const LineKind = { entry: 0, message: 1, checkpoint: 2 } as const;
export type LineKind = (typeof LineKind)[keyof typeof LineKind];

export interface OpenTape {
  out: string;
  src: Source;
  level?: number;
  flushMs?: number;
  frameBytes?: number;
  frameMicros?: Micros;
  /** the last `t` of what stands already */
  after?: Micros;
  keep?: Keep;
  lines: OpeningLine[];
}

/** One thing to do with one tape. Orders are carried out in the order they are given. */
export type Order = { tape: number } & (
  | { open: OpenTape }
  | { lines: Lines | null; now: Micros }
  /** a new segment that begins with these lines */
  | { rotate: OpeningLine[] }
  /** the last order of a tape */
  | { seal: true }
);

export interface Fault {
  code: ErrorCode;
  message: string;
  place: ErrorPlace;
}

/** What became of a tape since the last report about it. */
export interface TapeReport {
  tape: number;
  /** compressed bytes of the open segment */
  offset: number;
  /** bytes of lines that are kept in memory until the tape can be written again */
  held: number;
  /** messages that will never be written, and `t` of the newest entry that stands before them */
  lost: number;
  lostFrom: Micros;
  event?:
    | 'opened'
    | 'failed' // it cannot be written for now and is tried again
    | 'resumed'
    | 'refused' // it is not tried again
    | 'sealed';
  fault?: Fault;
}

export interface Report {
  /** bytes of lines taken from orders */
  done: number;
  tapes: TapeReport[];
  /** segments that retention removed */
  removed: { path: string; bytes: number }[];
}
