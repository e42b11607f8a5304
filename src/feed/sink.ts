/** Where the lines of a src go: its tape, stdout, or both; and the count of messages on the way. */
import type { Micros } from '../model/entry.js';
import { LineKind, type Loss, type QueuedTape } from '../tape/tape-queue.js';
import type { OpeningLine } from '../tape/writer.js';
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

/** One src's outputs. Nothing here waits for a disk or a reader, and what one of them cannot take is counted. */
export interface SourceSink {
  /** begins the first segment at `now` */
  start(now: Micros, opening: Opening): void;
  /** resolves when the first segment stands. @throws {TapedeckError} when the tape cannot be made */
  readonly opened: Promise<void>;
  message(t: Micros, line: Buffer): void;
  entry(t: Micros, line: Buffer, checkpoint?: boolean): void;
  /** what the tape lost, to be written down now that it takes lines again; null when it lost nothing */
  settle(): Loss | null;
  /** true once for each segment that was begun without a checkpoint */
  wantsCheckpoint(): boolean;
  /** hands lines over and rotates when that is due; true when a new segment was begun */
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
  openTape: ((now: Micros, opening: Opening) => QueuedTape) | null;
  live: LiveOutput | null;
  liveSource: LiveSource;
  counts: MessageCounts;
  /** whether messages are counted no more */
  isOver: () => boolean;
}

export function createSourceSink({ openTape, live, liveSource, counts, isOver }: SinkOptions): SourceSink {
  let tape: QueuedTape | null = null;
  let last: Micros = 0;

  const show = (t: Micros, line: Buffer): boolean => live?.push(liveSource, t, line) ?? false;
  const write = (t: Micros, line: Buffer, kind: LineKind): boolean => {
    const shown = show(t, line);
    // with a tape, the tape decides what counts as written
    return tape === null ? shown : tape.write(line, t, kind);
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
    get opened() {
      return tape?.opened ?? Promise.resolve();
    },
    message(t, line) {
      if (write(t, line, LineKind.message)) counts.written++;
      else if (!isOver()) counts.dropped++;
    },
    entry: (t, line, checkpoint = false) => void write(t, line, checkpoint ? LineKind.checkpoint : LineKind.entry),
    settle: () => tape?.settle() ?? null,
    wantsCheckpoint: () => tape?.wantsCheckpoint() ?? false,
    tick: (now) => tape?.tick(now) ?? false,
    rotate: (now) => tape?.rotate(now),
    get last() {
      return tape?.last ?? last;
    },
    async seal() {
      const lost = (await tape?.seal()) ?? 0;
      counts.written -= lost;
      counts.dropped += lost;
    },
  };
}
