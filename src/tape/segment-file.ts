/** Appending to one segment file: whole frames, the tail of the open frame, fsync off the main thread, and the seal. */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { dirname } from 'node:path';
import type { Micros, SeekEntry, Source } from '../model/entry.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { compressFrame, DEFAULT_LEVEL } from './frame.js';
import { entryLine } from './line.js';
import { tailPath } from './names.js';
import { encodeSeekTable, type SeekTableFrame } from './seek-table.js';
import { createSyncs } from './syncs.js';

/** A frame holds about this much text. */
export const FRAME_BYTES = 1024 * 1024;
/** The hash is brought up in such steps, 0.1 ms each, where a whole frame at its end would take more than one. */
const HASH_STEP = 64 * 1024;

export interface SegmentFileOptions {
  path: string;
  src: Source;
  level?: number;
  /** keep the open frame's lines in a tail, so that a killed process loses none that were flushed */
  tail?: boolean;
}

/** A frame whose text is complete. */
interface ClosedFrame {
  text: Buffer;
  t: Micros;
  lines: number;
  checkpoint: boolean;
  tailFd: number;
}

/** What already stands in a segment that is appended to. */
export interface SegmentContents {
  /** bytes of whole frames: where the next frame will stand */
  offset: number;
  frames: SeekEntry[];
  entries: number;
  /** of all text so far */
  hash: Hash;
  table: SeekTableFrame[];
}

export interface SegmentFile {
  readonly path: string;
  /** compressed bytes of whole frames, and of the seek table once there is one */
  readonly offset: number;
  /** lines written, those of the open frame included */
  readonly entries: number;
  /** their text */
  readonly textBytes: number;
  /** text of the open frame, and `t` of its first line (NaN when it is empty) */
  readonly pendingBytes: number;
  readonly pendingSince: Micros;
  /** adds a line to the open frame, in memory until `flush` */
  add(line: Uint8Array, t: Micros, checkpoint: boolean): void;
  /** adds `lines` whole lines, `bytes[from, to)`, to the open frame; `t` is the first one's */
  addRun(bytes: Uint8Array, from: number, to: number, lines: number, t: Micros): void;
  /** appends the lines since the last flush to the tail */
  flush(): void;
  /** compresses the open frame and appends it; its tail goes once the frame is on disk. All its lines are with the system then */
  closeFrame(): void;
  /**
   * Writes `index` and `end` with these times (null: they stand already), then the seek table, and closes the file.
   * All writing is done when the call returns; the promise waits for the disk.
   */
  seal(times: { index: Micros; end: Micros } | null, extra?: Record<string, unknown>): Promise<void>;
  /** waits until the frames closed so far are on disk */
  settled(): Promise<void>;
  /** closes the file as it is; flushed lines stay in the tail for recovery */
  abandon(): Promise<void>;
}

/**
 * Creates a segment, never over an existing file.
 * @throws {TapedeckError} E_EXISTS, E_NOT_FOUND, E_PERMISSION, E_DISK_FULL, E_IO
 */
export function createSegmentFile(options: SegmentFileOptions): SegmentFile {
  const fd = attempt('creating a segment', options.path, () => fs.openSync(options.path, 'ax'));
  syncFolder(dirname(options.path));
  return appendTo(fd, options, { offset: 0, frames: [], entries: 0, hash: createHash('sha256'), table: [] });
}

/** Goes on with a segment that was left unsealed; `contents` says what stands in it. */
export function continueSegmentFile(options: SegmentFileOptions, contents: SegmentContents): SegmentFile {
  const fd = attempt('opening a segment', options.path, () => fs.openSync(options.path, 'a'));
  return appendTo(fd, options, { ...contents, frames: [...contents.frames], table: [...contents.table] });
}

function appendTo(fd: number, options: SegmentFileOptions, contents: SegmentContents): SegmentFile {
  const { path, src, level = DEFAULT_LEVEL, tail = true } = options;
  const { frames, table, hash } = contents;
  let { offset, entries } = contents;
  let textBytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
  let text: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  let used = 0;
  let open = { t: Number.NaN, lines: 0, checkpoint: false };
  let tailFd = -1;
  /** bytes of `text` that stand in the tail, and that are in the hash */
  let flushed = 0;
  let hashed = 0;
  let failure: unknown = null;
  let closed = false;
  const syncs = createSyncs(fd, path);

  /** Nothing is written after a failure: what stands then is what recovery can rely on. */
  const guarded = <T>(doing: string, act: () => T): T => {
    if (failure !== null) throw failure;
    try {
      syncs.check();
      return act();
    } catch (error) {
      failure = fromSystemError(error, doing, { file: path });
      throw failure;
    }
  };

  const flushTail = (): void => {
    if (flushed === used) return;
    if (tailFd < 0) tailFd = fs.openSync(tailPath(path, offset), 'ax');
    writeAll(tailFd, text.subarray(flushed, used));
    flushed = used;
  };

  const append = (bytes: Buffer): void => {
    try {
      writeAll(fd, bytes);
    } catch (error) {
      // part of a frame would hide what is appended later; if even this fails, recovery does it
      silently(() => fs.ftruncateSync(fd, offset));
      throw error;
    }
    offset += bytes.length;
  };

  const updateHash = (): void => {
    hash.update(text.subarray(hashed, used));
    hashed = used;
  };

  /** Takes the open frame out, its tail complete; null when it is empty. */
  const takeFrame = (tailed: boolean): ClosedFrame | null => {
    if (used === 0) return null;
    // the tail must hold every line before the frame is begun: a torn frame is then recovered from it
    if (tailed) flushTail();
    updateHash();
    const closed = { ...open, text: text.subarray(0, used), tailFd };
    tailFd = -1;
    used = 0;
    flushed = 0;
    hashed = 0;
    open = { t: Number.NaN, lines: 0, checkpoint: false };
    return closed;
  };

  const appendFrame = (closed: ClosedFrame, compressed: Buffer): void => {
    const { t, lines, checkpoint } = closed;
    const bytes = closed.text.length;
    const frame = { offset, t, lines, bytes, checkpoint };
    append(compressed);
    frames.push(frame);
    table.push({
      compressedBytes: compressed.length,
      textBytes: bytes,
      checksum: compressed.readUInt32LE(compressed.length - 4),
    });
    const tailed = closed.tailFd >= 0;
    if (tailed) fs.closeSync(closed.tailFd);
    closed.tailFd = -1;
    syncs.start(tailed ? tailPath(path, frame.offset) : null);
  };

  const writeFrame = (tailed: boolean): void => {
    const closed = takeFrame(tailed);
    if (closed === null) return;
    try {
      appendFrame(closed, compressFrame(closed.text, level));
    } catch (error) {
      // the tail stays for recovery; its descriptor need not
      if (closed.tailFd >= 0) silently(() => fs.closeSync(closed.tailFd));
      throw error;
    }
  };

  const grow = (bytes: number): void => {
    if (used + bytes <= text.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(used + bytes, text.length * 2));
    text.copy(grown, 0, 0, used);
    text = grown;
  };

  const account = (bytes: number, lines: number, t: Micros): void => {
    if (open.lines === 0) open.t = t;
    open.lines += lines;
    entries += lines;
    textBytes += bytes;
    used += bytes;
    if (used - hashed >= HASH_STEP) updateHash();
  };

  const add = (line: Uint8Array, t: Micros, checkpoint: boolean): void => {
    grow(line.length);
    text.set(line, used);
    account(line.length, 1, t);
    open.checkpoint ||= checkpoint;
  };

  const writeSeal = (indexTime: Micros, endTime: Micros, extra: Record<string, unknown>): void => {
    writeFrame(tail);
    const index = Buffer.from(entryLine({ t: indexTime, src, index: frames }));
    const sha256 = hash.copy().update(index).digest('hex');
    add(index, indexTime, false);
    add(Buffer.from(entryLine({ t: endTime, src, end: { entries, sha256, ...extra } })), endTime, false);
    writeFrame(true);
  };

  const close = async (): Promise<void> => {
    await syncs.settled();
    if (closed) return;
    closed = true;
    if (tailFd >= 0) fs.closeSync(tailFd);
    fs.closeSync(fd);
    failure ??= new TapedeckError('E_IO', 'while writing a segment: it is closed', { file: path });
  };

  return {
    path,
    get offset() {
      return offset;
    },
    get entries() {
      return entries;
    },
    get textBytes() {
      return textBytes;
    },
    get pendingBytes() {
      return used;
    },
    get pendingSince() {
      return open.t;
    },
    add(line, t, checkpoint) {
      if (failure !== null) throw failure;
      add(line, t, checkpoint);
    },
    addRun(bytes, from, to, lines, t) {
      if (failure !== null) throw failure;
      grow(to - from);
      text.set(bytes.subarray(from, to), used);
      account(to - from, lines, t);
    },
    flush() {
      if (tail) guarded('writing the tail of a segment', flushTail);
    },
    closeFrame() {
      guarded('writing a frame', () => writeFrame(tail));
    },
    async seal(times, extra = {}) {
      try {
        guarded('sealing a segment', () => {
          if (times !== null) writeSeal(times.index, times.end, extra);
          append(encodeSeekTable(table));
          syncs.start(null);
        });
      } finally {
        await close();
      }
      syncs.check();
    },
    async settled() {
      await syncs.settled();
      syncs.check();
    },
    async abandon() {
      if (failure === null && tail) silently(flushTail);
      await close();
    },
  };
}

/** Writes all bytes; the system may take fewer at a time, the last time before a disk is full. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(fd, bytes, written);
}

/** Makes a new file's name as durable as its content; not every system can. */
function syncFolder(folder: string): void {
  silently(() => {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  });
}

function silently(act: () => void): void {
  try {
    act();
  } catch {
    // the caller has said why failing here is no fault of its own
  }
}

function attempt<T>(doing: string, file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new TapedeckError('E_EXISTS', `while ${doing}: the file exists and is never overwritten`, { file }, error);
    throw fromSystemError(error, doing, { file });
  }
}
