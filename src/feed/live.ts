/** Lines on their way to stdout: handed over once per turn of the event loop, bounded, losses written down as `drop` lines. */
import type { Writable } from 'node:stream';
import type { Micros } from '../model/entry.js';
import { fromSystemError, type TapedeckError } from '../model/errors.js';

/** A src as the live output sees it: it can say that lines of it were lost. */
export interface LiveSource {
  /** the line of a `drop` entry; `t` is that of the last line lost, so that times go on increasing */
  dropLine(t: Micros, count: number): Buffer;
}

export interface LiveOutput {
  /** adds the line of time `t`; false when it was lost because the reader is too slow or gone */
  push(source: LiveSource, t: Micros, line: Buffer): boolean;
  /** resolves when all is taken, the reader is gone, or it took nothing for `patienceMs` */
  end(patienceMs: number): Promise<void>;
  /** lines lost */
  readonly dropped: number;
  readonly closed: boolean;
}

/** Bytes that may wait for a slow reader before lines are lost. */
export const LIVE_BOUND = 64 * 1024 * 1024;

/**
 * Wraps stdout.
 * @param onClosed called once: null for a reader that went away (EPIPE), else the failure
 */
export function createLiveOutput(
  stream: Writable,
  onClosed: (failure: TapedeckError | null) => void,
  bound = LIVE_BOUND,
): LiveOutput {
  let queue: Buffer[] = [];
  let queued = 0;
  /** bytes handed over and not called back */
  let inFlight = 0;
  let stalled = false;
  let closed = false;
  let dropped = 0;
  const missing = new Map<LiveSource, { t: Micros; count: number }>();
  let progressed: () => void = () => {};

  const fail = (error: unknown): void => {
    if (closed) return;
    closed = true;
    queue = [];
    queued = 0;
    const code = (error as NodeJS.ErrnoException | null)?.code;
    const gone = code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED' || code === 'EOF';
    progressed();
    onClosed(gone ? null : fromSystemError(error, 'writing to stdout'));
  };
  const onClose = (): void => fail(Object.assign(new Error('closed'), { code: 'EPIPE' }));
  stream.on('error', fail);
  stream.on('close', onClose);

  const flush = (): void => {
    if (queue.length === 0 || closed) return;
    const bytes = queue.length === 1 ? queue[0] : Buffer.concat(queue, queued);
    queue = [];
    queued = 0;
    inFlight += bytes.length;
    stream.write(bytes, (error) => {
      inFlight -= bytes.length;
      if (error) fail(error);
      else progressed();
    });
  };
  const enqueue = (line: Buffer): void => {
    // one write for all that arrives in this turn: a write costs some microseconds whatever its size
    if (queue.length === 0) setImmediate(flush);
    queue.push(line);
    queued += line.length;
  };

  return {
    push(source, t, line) {
      if (closed) return false;
      const waiting = inFlight + queued;
      // hysteresis: one drop line per stall, not one per gap in it
      stalled = stalled ? waiting > bound / 2 : waiting > bound;
      if (stalled) {
        dropped++;
        missing.set(source, { t, count: (missing.get(source)?.count ?? 0) + 1 });
        return false;
      }
      const lost = missing.get(source);
      if (lost !== undefined) {
        missing.delete(source);
        enqueue(source.dropLine(lost.t, lost.count));
      }
      enqueue(line);
      return true;
    },
    async end(patienceMs) {
      for (const [source, { t, count }] of missing) if (!closed) enqueue(source.dropLine(t, count));
      missing.clear();
      flush();
      while (inFlight > 0 && !closed) {
        const moved = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), patienceMs);
          progressed = () => {
            clearTimeout(timer);
            resolve(true);
          };
        });
        if (!moved) break;
      }
      progressed = () => {};
      stream.off('close', onClose);
    },
    get dropped() {
      return dropped;
    },
    get closed() {
      return closed;
    },
  };
}
