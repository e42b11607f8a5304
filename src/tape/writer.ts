/** Writing the tape of one src: folder and file names, frames, rotation, strictly increasing times. */
import fs from 'node:fs';
import type { Micros, Source } from '../model/entry.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { MAX_LINE_BYTES } from './line.js';
import { lockFolder } from './lock.js';
import { segmentPath, tailPath, tapeFolder } from './names.js';
import { createSegmentFile, FRAME_BYTES, type SegmentFile } from './segment-file.js';

export { safeName, segmentPath, tapeFolder } from './names.js';
export { createSegmentFile, type SegmentFile, type SegmentFileOptions } from './segment-file.js';

/** A line a segment begins with, its newline included; the first is its header entry. */
export interface OpeningLine {
  line: string | Uint8Array;
  t: Micros;
  checkpoint?: boolean;
}

export interface TapeWriterOptions {
  /** folder that holds the tapes; `<venue>/<symbol>/` is made below it */
  out: string;
  src: Source;
  /** when the first segment starts */
  now: Micros;
  /**
   * The lines every segment begins with: its header, then a book checkpoint if there is a book. Called at once and at
   * each rotation; `next()` gives the times, one for each line in order. Lines that have their times already leave it alone.
   */
  opening(next: () => Micros): OpeningLine[];
  /** zstd level, 1 to 19; default 6 */
  level?: number;
  /** lines older than this are in the tail after the next `tick`; null keeps no tail (imports). Default 1000 */
  flushMs?: number | null;
  /** a new segment at each UTC multiple of this; null never */
  rotateEvery?: Micros | null;
  /** a new segment when the compressed file has reached this; null never */
  rotateBytes?: number | null;
  /** the last `t` of what stands already: everything written comes after it */
  after?: Micros;
  frameBytes?: number;
  frameMicros?: Micros;
}

export interface Written {
  /** lines, headers and seals included */
  entries: number;
  /** lines written as messages */
  messages: number;
  /** of these, the ones handed to the system: what a failed write cannot take back */
  safeMessages: number;
  textBytes: number;
  /** size of the segment files; the open frame is not in it yet */
  compressedBytes: number;
  segments: number;
  /** times moved by a microsecond or more so that they increase */
  ties: number;
}

export interface TapeWriter {
  readonly folder: string;
  /** path of the segment being written */
  readonly path: string;
  /** `t` of the last entry */
  readonly last: Micros;
  /** `t` of the newest line that was handed to the system, with all lines before it: what a failed write cannot take back */
  readonly safe: Micros;
  readonly written: Readonly<Written>;
  /** compressed bytes of the segment being written, its open frame not counted */
  readonly offset: number;
  /**
   * The time for an entry received at `now`: `now`, or one more than the last. Does what `tick` does first, so that an
   * entry at a rotation lands in the new segment.
   */
  stamp(now: Micros): Micros;
  /** rotates, closes a frame that is old enough and flushes the tail, whichever is due at `now` */
  tick(now: Micros): void;
  /** appends what is new to the tail, due or not */
  flush(): void;
  /** seals the segment and starts a new one now, whatever is due: the clock jumped, the channels changed */
  rotate(now: Micros): void;
  /**
   * Adds one whole line, its newline included. `t` is the line's own, and larger than any before.
   * @throws {TapedeckError} E_LINE for a wrong `t`; E_DISK_FULL, E_IO: what stands stays recoverable, the writer is done
   */
  write(line: string | Uint8Array, t: Micros, options?: { checkpoint?: boolean; message?: boolean }): void;
  /**
   * Adds messages whose lines stand one after the other in `bytes`: line `i` begins where the one before ends (the first
   * at `from`), ends before `ends[i]` and has the time `times[i]`. The same tape as `write` for each of them, with one copy for many.
   * @throws {TapedeckError} as `write`
   */
  writeRun(bytes: Uint8Array, from: number, ends: readonly number[], times: readonly Micros[]): void;
  /** writes out everything, seals the segment, and waits for the disk */
  seal(): Promise<void>;
  /** closes the files as a killed process would leave them, for recovery */
  abandon(): Promise<void>;
}

/** The smallest time after `previous` that is not before `now`. */
export function nextTime(previous: Micros, now: Micros): Micros {
  return now > previous ? now : previous + 1;
}

/** Gives strictly increasing times and counts those it had to move. */
export class StrictClock {
  last: Micros;
  ties = 0;

  constructor(after = 0) {
    this.last = after;
  }

  next(now: Micros): Micros {
    if (now <= this.last) this.ties++;
    this.last = nextTime(this.last, now);
    return this.last;
  }
}

/**
 * Opens a new segment for `src` and writes its header; nothing that stands is touched.
 * @throws {TapedeckError} E_EXISTS, E_PERMISSION, E_DISK_FULL, E_SYMBOL, E_IO
 */
export function createTapeWriter(options: TapeWriterOptions): TapeWriter {
  const { out, src, opening, level, flushMs = 1000, rotateEvery = null, rotateBytes = null } = options;
  const frameBytes = options.frameBytes ?? FRAME_BYTES;
  const frameMicros = options.frameMicros ?? MICROS_PER_MINUTE;
  const clock = new StrictClock(options.after);
  const folder = tapeFolder(out, src);
  /** totals of the segments before this one */
  const before = { entries: 0, textBytes: 0, compressedBytes: 0 };
  let messages = 0;
  let safeMessages = 0;
  /** `t` of the newest line added, and of the newest handed to the system */
  let newest: Micros = options.after ?? 0;
  let safe: Micros = newest;
  /** lines the segment was opened with */
  let opened = 0;
  let segments = 0;
  let flushedAt = options.now;
  let nextRotation = Number.POSITIVE_INFINITY;
  let sealing: Promise<unknown> = Promise.resolve();
  let sealFault: unknown = null;

  let file!: SegmentFile;

  const handedOver = (): void => {
    safeMessages = messages;
    safe = newest;
  };

  const closeFrame = (): void => {
    file.closeFrame();
    handedOver();
  };

  const flush = (now: Micros): void => {
    file.flush();
    handedOver();
    flushedAt = now;
  };

  const checkLine = (bytes: number, last: number | undefined): void => {
    if (bytes <= MAX_LINE_BYTES && last === 0x0a) return;
    const why = `no whole line, or longer than ${MAX_LINE_BYTES} bytes`;
    throw new TapedeckError('E_LINE', `while writing an entry: ${why}`);
  };

  const checkTime = (t: Micros, previous: Micros): void => {
    if (t > previous) return;
    throw new TapedeckError('E_LINE', `while writing an entry: its time ${t} is not after ${previous}`);
  };

  /** Whether a frame that holds so many bytes, the first line at `since`, takes no line of this size and time. */
  const isFull = (held: number, since: Micros, bytes: number, t: Micros): boolean =>
    held > 0 && (held + bytes > frameBytes || t - since >= frameMicros);

  const put = (line: string | Uint8Array, t: Micros, checkpoint: boolean): void => {
    const bytes = typeof line === 'string' ? Buffer.from(line) : line;
    checkLine(bytes.length, bytes.at(-1));
    if (isFull(file.pendingBytes, file.pendingSince, bytes.length, t)) closeFrame();
    file.add(bytes, t, checkpoint);
    newest = t;
  };

  const openSegment = (now: Micros): void => {
    const lines = opening(() => {
      clock.last = nextTime(clock.last, now);
      return clock.last;
    });
    const [header, ...others] = lines;
    clock.last = Math.max(clock.last, lines.at(-1)?.t ?? 0);
    opened = lines.length;
    file = createSegmentFile({
      path: segmentPath(out, src, header.t),
      src,
      ...(level === undefined ? {} : { level }),
      tail: flushMs !== null,
    });
    // in one frame with the header, so that a recorder killed right behind it has told what was missed before
    const told = others.filter(({ checkpoint }) => checkpoint !== true);
    try {
      put(header.line, header.t, false);
      for (const { line, t } of told) put(line, t, false);
      file.closeFrame();
    } catch (error) {
      void discard(file);
      throw error;
    }
    for (const { line, t, checkpoint } of others.slice(told.length)) put(line, t, checkpoint === true);
    segments++;
    if (rotateEvery !== null) nextRotation = (Math.floor(header.t / rotateEvery) + 1) * rotateEvery;
  };

  const rotate = (now: Micros): void => {
    const full = file;
    // what the seal fails to write stands in the tail then
    if (flushMs !== null) flush(now);
    // times of the seal follow the last entry, so that a segment's entries all come before the next one's
    const seal = full.seal({ index: ++clock.last, end: ++clock.last });
    before.entries += full.entries;
    before.textBytes += full.textBytes;
    before.compressedBytes += full.offset;
    // nobody waits for it here: the next tick throws what went wrong
    const settled = seal.catch((error: unknown) => {
      sealFault ??= error;
    });
    sealing = Promise.all([sealing, settled]);
    openSegment(now);
  };

  try {
    fs.mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fromSystemError(error, 'making the folder of a tape', { file: folder });
  }
  const unlock = lockFolder(folder);
  try {
    openSegment(options.now);
  } catch (error) {
    unlock();
    throw error;
  }

  const tick = (now: Micros): void => {
    if (sealFault !== null) throw sealFault;
    if (now >= nextRotation || (rotateBytes !== null && file.offset >= rotateBytes && file.entries > opened))
      rotate(now);
    else if (now - file.pendingSince >= frameMicros) closeFrame();
    if (flushMs !== null && now - flushedAt >= flushMs * 1000) flush(now);
  };

  return {
    folder,
    get path() {
      return file.path;
    },
    get last() {
      return clock.last;
    },
    get safe() {
      return safe;
    },
    get offset() {
      return file.offset;
    },
    get written() {
      return {
        entries: before.entries + file.entries,
        messages,
        safeMessages,
        textBytes: before.textBytes + file.textBytes,
        compressedBytes: before.compressedBytes + file.offset,
        segments,
        ties: clock.ties,
      };
    },
    tick,
    flush: () => flush(flushedAt),
    rotate,
    stamp(now) {
      tick(now);
      // not yet taken: the entry may still not be written
      if (now <= clock.last) clock.ties++;
      return nextTime(clock.last, now);
    },
    write(line, t, { checkpoint = false, message = false } = {}) {
      checkTime(t, clock.last);
      put(line, t, checkpoint);
      clock.last = t;
      if (message) messages++;
    },
    writeRun(bytes, from, ends, times) {
      /** lines that fit into the open frame and are not in it yet: `ends[first]` is the first one's */
      let first = 0;
      let runFrom = from;
      const flushRun = (next: number, to: number): void => {
        if (next === first) return;
        file.addRun(bytes, runFrom, to, next - first, times[first]);
        messages += next - first;
        clock.last = times[next - 1];
        newest = clock.last;
        first = next;
        runFrom = to;
      };
      let held = file.pendingBytes;
      let since = file.pendingSince;
      for (let i = 0, at = from; i < ends.length; at = ends[i++]) {
        const t = times[i];
        const size = ends[i] - at;
        checkLine(size, bytes[ends[i] - 1]);
        checkTime(t, i > first ? times[i - 1] : clock.last);
        if (isFull(held, since, size, t)) {
          flushRun(i, at);
          closeFrame();
          held = 0;
        }
        if (held === 0) since = t;
        held += size;
      }
      flushRun(ends.length, ends.at(-1) ?? from);
    },
    async seal() {
      try {
        await file.seal({ index: ++clock.last, end: ++clock.last });
        handedOver();
        await sealing;
        if (sealFault !== null) throw sealFault;
      } finally {
        unlock();
      }
    },
    async abandon() {
      await file.abandon();
      await sealing;
      unlock();
    },
  };
}

/** Takes a segment away that never got its header: an empty file would stand in the way of the next attempt. */
function discard(file: SegmentFile): Promise<void> {
  for (const path of [tailPath(file.path, 0), file.path]) fs.rmSync(path, { force: true });
  return file.abandon();
}
