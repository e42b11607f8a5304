/** Lines on their way to tapes: handed to another thread, bounded while the disk is slow or full, losses counted. */
import { Worker } from 'node:worker_threads';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { packageFile } from '../model/package-file.js';
import { LineKind, type Lines, type OpenTape, type Order, type Report, type TapeReport } from './orders.js';
import type { Removed } from './retain.js';
import type { OpeningLine } from './writer.js';

export { LineKind } from './orders.js';
export type { Keep } from './retain.js';

/** Bytes of lines that may wait for the disk before new ones are dropped. */
export const QUEUE_BOUND = 64 * 1024 * 1024;

/** The thread that writes, as its recorder sees it. */
export interface TapeThread {
  post(orders: readonly Order[]): void;
  /** ends it; nothing that it still has is written */
  close(): void;
}

/** Starts a thread. @param failed the thread ended by itself */
export type StartTapeThread = (report: (report: Report) => void, failed: (error: unknown) => void) => TapeThread;

export interface TapeQueueOptions {
  bound?: number;
  start?: StartTapeThread;
  /** monotonic ms, for `waitingMs` */
  now: () => number;
  /** tapes cannot be written: told for the first of an outage, whatever follows it until all are written again */
  failed: (error: TapedeckError) => void;
  /** all tapes are written again */
  resumed: () => void;
  /** lines begin to be dropped, or are taken again */
  full: (dropping: boolean) => void;
  removed: (segment: Removed) => void;
  /** a tape cannot be written and is not tried again, or the thread is gone */
  refused: (error: unknown) => void;
}

export interface QueuedTapeOptions extends Omit<OpenTape, 'lines'> {
  /** called at once and at each rotation: the lines a segment begins with; `next()` gives their times */
  opening(next: () => Micros): OpeningLine[];
  now: Micros;
  /** a new segment at each UTC multiple of this; null never */
  rotateEvery?: Micros | null;
  /** a new segment when the compressed file has reached this; null never */
  rotateBytes?: number | null;
}

/** Messages that were lost, and the newest line that is not. */
export interface Loss {
  count: number;
  from: Micros;
}

export interface QueuedTape {
  /** resolves when the first segment stands. @throws {TapedeckError} what the system says */
  readonly opened: Promise<void>;
  /** newest time given out, those of opening lines included */
  readonly last: Micros;
  /** takes a line, or false: it is lost, with all that follow until `settle` has told of it */
  write(line: Uint8Array, t: Micros, kind: LineKind): boolean;
  /** hands over what was written, and rotates when that is due; true when a new segment was begun */
  tick(now: Micros): boolean;
  rotate(now: Micros): void;
  /** what was lost, once lines are taken again: to be written down before the next line. Null when nothing was */
  settle(): Loss | null;
  /** true once for each segment that was begun after an outage: it has no checkpoint yet */
  wantsCheckpoint(): boolean;
  /** ends the tape; resolves with the messages taken that were never written */
  seal(): Promise<number>;
}

export interface TapeQueue {
  open(options: QueuedTapeOptions): QueuedTape;
  /** bytes that wait for the disk */
  readonly bytes: number;
  /** how long the oldest of them have waited, ms; 0 while nothing waits */
  readonly waitingMs: number;
  /** lines are dropped now */
  readonly dropping: boolean;
  /** tapes that cannot be written for now */
  readonly failing: number;
  close(): void;
}

/** A batch this large is handed over at once. */
const BATCH_BYTES = 256 * 1024;

interface State {
  offset: number;
  held: number;
  failing: boolean;
  loss: Loss | null;
  resumed: boolean;
  event(report: TapeReport): void;
}

export function createTapeQueue(options: TapeQueueOptions): TapeQueue {
  const { bound = QUEUE_BOUND, start = startThread, now: monoMs } = options;
  const tapes = new Map<number, State>();
  let orders: Order[] = [];
  let scheduled = false;
  /** bytes handed over and not reported as done */
  let posted = 0;
  /** bytes in batches that were not handed over yet */
  let batched = 0;
  let held = 0;
  let failing = 0;
  let dropping = false;
  /** monotonic ms of the newest report, or of the first post after all was done */
  let movedMs = 0;
  let count = 0;

  const waiting = (): number => posted + batched + held;
  const post = (): void => {
    scheduled = false;
    if (orders.length === 0) return;
    const sent = orders;
    orders = [];
    thread.post(sent);
  };
  const give = (order: Order): void => {
    if (!scheduled) setImmediate(post);
    scheduled = true;
    orders.push(order);
  };
  const setDropping = (to: boolean): void => {
    if (dropping === to) return;
    dropping = to;
    options.full(to);
  };

  const take = ({ done, tapes: reports, removed }: Report): void => {
    posted -= done;
    movedMs = monoMs();
    for (const segment of removed) options.removed(segment);
    for (const report of reports) {
      const state = tapes.get(report.tape);
      if (state === undefined) continue;
      held += report.held - state.held;
      state.held = report.held;
      if (report.offset > 0) state.offset = report.offset;
      const isFailing = report.event === 'failed' || (state.failing && report.event === undefined);
      if (isFailing !== state.failing) failing += isFailing ? 1 : -1;
      const ended = state.failing && !isFailing && report.event === 'resumed';
      const began = !state.failing && isFailing && failing === 1;
      state.failing = isFailing;
      state.event(report);
      if (began && report.fault !== undefined) options.failed(errorOf(report));
      if (ended && failing === 0) options.resumed();
    }
    // half of the bound is free again: one loss for each outage, not one for each gap in it
    if (dropping && waiting() <= bound / 2) setDropping(false);
  };

  const thread = start(take, (error) => {
    for (const state of tapes.values())
      state.event({ tape: 0, offset: 0, held: 0, lost: 0, lostFrom: 0, event: 'sealed' });
    options.refused(error);
  });

  const open = ({ opening, now, rotateEvery = null, rotateBytes = null, ...tape }: QueuedTapeOptions): QueuedTape => {
    const id = ++count;
    let last: Micros = tape.after ?? 0;
    let nextRotation = Number.POSITIVE_INFINITY;
    let lines: Uint8Array[] = [];
    let ends: number[] = [];
    let times: number[] = [];
    let kinds: LineKind[] = [];
    let size = 0;
    /** a line was taken since the segment began */
    let used = false;
    let accepted: Micros = 0;
    let resolveOpened: () => void = () => {};
    let rejectOpened: (error: unknown) => void = () => {};
    const opened = new Promise<void>((resolve, reject) => {
      resolveOpened = resolve;
      rejectOpened = reject;
    });
    opened.catch(() => {});
    let lost = 0;
    let resolveSealed: (lost: number) => void = () => {};
    const sealed = new Promise<number>((resolve) => {
      resolveSealed = resolve;
    });

    const state: State = {
      ...{ offset: 0, held: 0, failing: false, loss: null, resumed: false },
      event(report) {
        state.resumed ||= report.event === 'resumed';
        if (report.lost > 0 && report.event !== 'sealed') {
          state.loss ??= { count: 0, from: report.lostFrom };
          state.loss.count += report.lost;
          lost += report.lost;
        }
        if (report.event === 'opened') resolveOpened();
        if (report.event === 'refused') {
          const error = errorOf(report);
          rejectOpened(error);
          options.refused(error);
        }
        if (report.event !== 'sealed') return;
        rejectOpened(new TapedeckError('E_IO', 'while opening a tape: it was ended before'));
        if (report.fault !== undefined) options.failed(errorOf(report));
        resolveSealed(lost + report.lost);
        tapes.delete(id);
      },
    };
    tapes.set(id, state);

    const begin = (at: Micros): OpeningLine[] => {
      const begun = opening(() => {
        last = at > last ? at : last + 1;
        return last;
      });
      used = false;
      state.offset = 0;
      if (rotateEvery !== null) nextRotation = (Math.floor(begun[0].t / rotateEvery) + 1) * rotateEvery;
      return begun;
    };
    const hand = (at: Micros): void => {
      const batch = size === 0 ? null : joined(lines, size, ends, times, kinds);
      if (posted === 0) movedMs = monoMs();
      posted += size;
      batched -= size;
      lines = [];
      ends = [];
      times = [];
      kinds = [];
      size = 0;
      give({ tape: id, lines: batch, now: at });
    };
    const rotate = (at: Micros): void => {
      hand(at);
      // the times of the seal come first
      last += 2;
      give({ tape: id, rotate: begin(at) });
    };

    give({ tape: id, open: { ...tape, lines: begin(now) } });
    // the folder is made, or cannot be made, before anything else is begun
    post();

    return {
      opened,
      get last() {
        return last;
      },
      write(line, t, kind) {
        last = t;
        // a tape that fails alone must not take the room of those that can be written
        const alone = state.failing && failing < tapes.size;
        const isFull = waiting() + line.length > (alone ? bound / 2 : bound);
        if (isFull && !alone) setDropping(true);
        if (isFull || dropping || state.loss !== null) {
          state.loss ??= { count: 0, from: accepted };
          if (kind === LineKind.message) state.loss.count++;
          return false;
        }
        lines.push(line);
        size += line.length;
        batched += line.length;
        ends.push(size);
        times.push(t);
        kinds.push(kind);
        used = true;
        accepted = t;
        if (size >= BATCH_BYTES) hand(t);
        return true;
      },
      tick(at) {
        const isDue = at >= nextRotation || (rotateBytes !== null && state.offset >= rotateBytes && used);
        if (isDue && !dropping && !state.failing && state.loss === null) {
          rotate(at);
          return true;
        }
        hand(at);
        return false;
      },
      rotate,
      settle() {
        const { loss } = state;
        if (loss === null || dropping || state.failing) return null;
        state.loss = null;
        return loss;
      },
      wantsCheckpoint() {
        const { resumed } = state;
        state.resumed = false;
        return resumed;
      },
      seal() {
        hand(last);
        give({ tape: id, seal: true });
        return sealed;
      },
    };
  };

  return {
    open,
    get bytes() {
      return waiting();
    },
    get waitingMs() {
      return posted === 0 ? 0 : Math.max(0, monoMs() - movedMs);
    },
    get dropping() {
      return dropping;
    },
    get failing() {
      return failing;
    },
    close: () => thread.close(),
  };
}

function joined(lines: Uint8Array[], size: number, ends: number[], times: number[], kinds: LineKind[]): Lines {
  // of its own memory, so that it can be given away
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
  }
  return { bytes, ends: Float64Array.from(ends), times: Float64Array.from(times), kinds: Uint8Array.from(kinds) };
}

function errorOf({ fault }: TapeReport): TapedeckError {
  return fault === undefined
    ? new TapedeckError('E_IO', 'while writing a tape')
    : new TapedeckError(fault.code, fault.message, fault.place);
}

/** A thread of this process; it does not keep the program alive. */
const startThread: StartTapeThread = (report, failed) => {
  const worker = new Worker(packageFile('dist/tape/worker.js'));
  worker.unref();
  let closed = false;
  worker.on('message', report);
  worker.on('error', failed);
  worker.on('exit', () => {
    if (!closed) failed(new TapedeckError('E_IO', 'while writing tapes: the thread that writes them ended'));
  });
  return {
    post(orders) {
      const transfer = orders.flatMap((order) =>
        'lines' in order && order.lines !== null
          ? [order.lines.bytes, order.lines.ends, order.lines.times, order.lines.kinds].map(({ buffer }) => buffer)
          : [],
      );
      worker.postMessage(orders, transfer as ArrayBuffer[]);
    },
    close() {
      closed = true;
      void worker.terminate();
    },
  };
};
