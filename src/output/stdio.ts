/** Data on its way out: buffered, waiting for slow readers, and calm when the reader goes away. */
import type { Writable } from 'node:stream';
import { fromSystemError, type TapedeckError } from '../model/errors.js';

/** The reader of our output went away (`| head`): a normal end, exit status 0, not a failure. */
export class BrokenPipe extends Error {
  constructor() {
    super('the reader of the output went away');
    this.name = 'BrokenPipe';
  }
}

export interface DataWriter {
  /**
   * Takes text or bytes. Where a promise comes back, await it before writing more; bytes may be reused once it has
   * settled, or at once when none came back.
   * @throws {BrokenPipe} the reader went away
   * @throws {TapedeckError} E_DISK_FULL, E_IO …
   */
  write(chunk: string | Uint8Array): Promise<void> | undefined;
  /**
   * Writes nothing, so that the next write is as quick as all later ones: a stream's first takes up to half a millisecond
   * longer, and after the bytes have left. Failing is left to the first real write.
   */
  warmUp(): Promise<void>;
  /** resolves when all that was written is with the system; rejects like `write` throws */
  flush(): Promise<void>;
  /** bytes written but not yet taken by the reader: a live source drops or waits by this number */
  readonly pending: number;
  /** the reader went away or the output failed: nothing written from here on arrives */
  readonly closed: boolean;
}

/** Small writes are joined up to this many bytes: a write to a pipe costs some microseconds whatever its size. */
const JOIN_BYTES = 64 * 1024;
/** A reader may lag by this much before the writer is asked to wait. */
const LAG_BYTES = 1024 * 1024;

const GONE = new Set(['EPIPE', 'ECONNRESET', 'EOF', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/**
 * Wraps a stream for data. `live` hands every write over at once (a line is seen when it is printed);
 * otherwise small writes are joined until 64 KiB or `flush`.
 */
export function createDataWriter(stream: Writable, { live = false }: { live?: boolean } = {}): DataWriter {
  let failure: BrokenPipe | TapedeckError | null = null;
  let joined = Buffer.allocUnsafe(JOIN_BYTES);
  let used = 0;
  /** bytes handed to the stream and not yet called back; `writableLength` is not exact in all stream kinds */
  let inFlight = 0;
  const waiters = new Set<() => void>();

  const wake = (): void => {
    for (const waiter of waiters) waiter();
    waiters.clear();
  };
  const fail = (error: unknown): void => {
    const code = (error as NodeJS.ErrnoException | null)?.code;
    failure ??= code !== undefined && GONE.has(code) ? new BrokenPipe() : fromSystemError(error, 'writing to stdout');
    wake();
  };
  stream.on('error', fail);
  stream.on('close', () => {
    if (inFlight > 0) fail(Object.assign(new Error('closed'), { code: 'EPIPE' }));
  });

  /** resolves once at most `most` bytes are in flight */
  const settled = async (most: number): Promise<void> => {
    while (failure === null && inFlight > most) await new Promise<void>((resolve) => waiters.add(resolve));
    if (failure !== null) throw failure;
  };
  const hand = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    inFlight += bytes.length;
    try {
      stream.write(bytes, (error) => {
        inFlight -= bytes.length;
        if (error) fail(error);
        else wake();
      });
    } catch (error) {
      fail(error);
    }
  };
  const handJoined = (): void => {
    if (used === 0) return;
    const full = joined.subarray(0, used);
    joined = Buffer.allocUnsafe(JOIN_BYTES);
    used = 0;
    hand(full);
  };

  return {
    write(chunk) {
      if (failure !== null) throw failure;
      if (typeof chunk !== 'string' && chunk.length >= JOIN_BYTES) {
        handJoined();
        hand(chunk);
        return settled(0);
      }
      // a UTF-16 unit is at most three bytes of UTF-8
      const most = typeof chunk === 'string' ? chunk.length * 3 : chunk.length;
      if (most > JOIN_BYTES - used) handJoined();
      // a live line is not joined with others, so takes no room to join them in; bytes are copied: the caller may use them again
      if (live || most > JOIN_BYTES) hand(Buffer.from(chunk as string));
      else if (typeof chunk === 'string') used += joined.write(chunk, used);
      else {
        joined.set(chunk, used);
        used += chunk.length;
      }
      return inFlight > LAG_BYTES ? settled(LAG_BYTES / 2) : undefined;
    },
    async warmUp() {
      if (failure === null && !stream.destroyed)
        await new Promise<void>((resolve) => stream.write('', () => resolve()));
    },
    flush() {
      if (failure === null) handJoined();
      return settled(0);
    },
    get pending() {
      return inFlight + used;
    },
    get closed() {
      return failure !== null;
    },
  };
}
