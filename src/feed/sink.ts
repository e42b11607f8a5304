/** Where the lines of a src go: its tape, stdout, or both; and the count of messages on the way. */
import type { Micros } from '../model/entry.js';
import type { OpeningLine, TapeWriter } from '../tape/writer.js';
import type { LiveOutput, LiveSource } from './live.js';

/** Messages since the start: each received one is written or dropped. */
export interface MessageCounts {
  received: number;
  written: number;
  dropped: number;
  /** bytes of all messages received */
  bytes: number;
}

/** Makes the lines a segment begins with; `next` gives their times. */
export type Opening = (next: () => Micros) => OpeningLine[];

/** One src's outputs. Once started, nothing here throws: a failed tape is reported once, and what it misses is counted. */
export interface SourceSink {
  /** begins the first segment at `now`. @throws {TapedeckError} when the tape cannot be made */
  start(now: Micros, opening: Opening): void;
  message(t: Micros, line: Buffer): void;
  entry(t: Micros, line: Buffer, checkpoint?: boolean): void;
  /** flushes and rotates what is due; true when a new segment was begun */
  tick(now: Micros): boolean;
  /** begins a new segment now */
  rotate(now: Micros): void;
  /** newest time on the tape, its closing and opening entries included; all later lines come after it */
  readonly last: Micros;
  /** completes the tape */
  seal(): Promise<void>;
}

export interface SinkOptions {
  /** opens the tape; null to print only */
  openTape: ((now: Micros, opening: Opening) => TapeWriter) | null;
  live: LiveOutput | null;
  liveSource: LiveSource;
  counts: MessageCounts;
  /** the tape could not be written; called once */
  failed: (error: unknown) => void;
}

const MESSAGE = { message: true };
const CHECKPOINT = { checkpoint: true };
const ENTRY = {};

export function createSourceSink({ openTape, live, liveSource, counts, failed }: SinkOptions): SourceSink {
  let tape: TapeWriter | null = null;
  let broken = false;
  let last: Micros = 0;

  const fail = (error: unknown): void => {
    broken = true;
    // lines that were accepted and never reached the system were not written after all
    const { messages, safeMessages } = tape?.written ?? { messages: 0, safeMessages: 0 };
    counts.written -= messages - safeMessages;
    counts.dropped += messages - safeMessages;
    failed(error);
  };
  const show = (t: Micros, line: Buffer): boolean => live?.push(liveSource, t, line) ?? false;
  const write = (t: Micros, line: Buffer, options: { message?: boolean; checkpoint?: boolean }): boolean => {
    const shown = show(t, line);
    // with a tape, the tape decides what counts as written
    if (tape === null) return shown;
    if (broken) return false;
    try {
      tape.write(line, t, options);
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  };

  return {
    start(now, opening) {
      const shown: Opening = (next) => {
        const lines = opening(next);
        for (const { t, line } of lines) show(t, Buffer.from(line));
        return lines;
      };
      if (openTape !== null) tape = openTape(now, shown);
      else {
        last = now - 1;
        shown(() => ++last);
      }
    },
    message(t, line) {
      if (write(t, line, MESSAGE)) counts.written++;
      else counts.dropped++;
    },
    entry: (t, line, checkpoint = false) => void write(t, line, checkpoint ? CHECKPOINT : ENTRY),
    tick(now) {
      if (tape === null || broken) return false;
      const before = tape.path;
      try {
        tape.tick(now);
      } catch (error) {
        fail(error);
      }
      return !broken && tape.path !== before;
    },
    rotate(now) {
      if (tape === null || broken) return;
      try {
        tape.rotate(now);
      } catch (error) {
        fail(error);
      }
    },
    get last() {
      return tape?.last ?? last;
    },
    async seal() {
      if (tape === null) return;
      try {
        // what a failed writer has on disk stays for recovery
        await (broken ? tape.abandon() : tape.seal());
      } catch (error) {
        if (!broken) fail(error);
      }
    },
  };
}
