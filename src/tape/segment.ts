/** One file of a tape: what it is, where its frames stand, and its entries from any frame on. */
import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Damage, TextRooms } from '../model/batch.js';
import { type HeaderEntry, type Micros, type Source, TAPE_VERSION } from '../model/entry.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { countLines, findCheckpoint, firstTimeOf, lastTimeOf } from './checkpoints.js';
import { listFolder, openFile, readAt, readExactly, statOf } from './files.js';
import { endOfLine, envelopeOf, parseEntry } from './line.js';
import { parseTailPath, tailPath } from './names.js';
import { readSeal, type SegmentIndex } from './seal.js';
import { createTapeDecoder, type PlacedBatch } from './tape-decoder.js';

export type { SegmentIndex } from './seal.js';

const READ_BYTES = 1024 * 1024;
/** Enough for the header's frame, so that opening a thousand segments stays quick. */
const FIRST_READ_BYTES = 64 * 1024;
/** Of plain lines, so many bytes at the end hold the last one as a rule. */
const END_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface Segment {
  readonly path: string;
  /** size of the file when it was opened */
  readonly bytes: number;
  readonly form: 'zstd' | 'plain' | 'stream';
  /** it ends with an index, an `end` entry and a seek table */
  readonly sealed: boolean;
  /** of the first entry; null when it cannot be known (nothing readable, or a pipe) */
  readonly src: Source | null;
  /** `t` of the first entry; NaN likewise */
  readonly first: Micros;
  /** not one line of it can be read; what is wrong is damage of its flow */
  readonly unreadable: boolean;
  /** why nothing of it can be read, for files found in a folder; null else */
  readonly fault: TapedeckError | null;
  /** the tape header. @throws {TapedeckError} E_HEADER, E_VERSION */
  header(): HeaderEntry;
  /** in milliseconds for a sealed segment; else the whole file is read */
  index(): SegmentIndex;
}

export interface SegmentRange {
  /** first frame to read, in the numbering of `index().frames` */
  fromFrame?: number;
  /** first frame not to read */
  toFrame?: number;
  /** where text is put together */
  rooms?: TextRooms | undefined;
}

/**
 * Opens a segment: reads its first entry and, where it is sealed, its index. Plain NDJSON is a segment too; what is no
 * regular file (a pipe) is only read when its lines are asked for.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_NOT_A_TAPE
 */
export function openSegment(path: string): Segment {
  const stat = statOf(path);
  if (stat.isDirectory())
    throw new TapedeckError('E_NOT_A_TAPE', 'while opening a segment: it is a folder', { file: path });
  if (!stat.isFile()) return streamSegment(path);
  const bytes = stat.size;
  const sealed = readSeal(path, bytes);
  const start = firstLine(path);
  const envelope = start === null ? null : envelopeOf(start.line, 0, start.line.length);
  let index = sealed;
  return {
    path,
    bytes,
    // where nothing can be read its name tells
    form: start?.form ?? (path.endsWith('.ndjson') ? 'plain' : 'zstd'),
    sealed: sealed !== null,
    src: envelope?.src ?? null,
    first: envelope?.t ?? Number.NaN,
    unreadable: start === null,
    fault: null,
    header: () => headerOf(start?.line ?? null, path),
    index() {
      index ??= scanSegment(this);
      return index;
    },
  };
}

/**
 * Opens a file found in a folder: one that is no tape, or cannot be opened, is reported as damage in the flow instead of ending it.
 * So is a folder that cannot be listed.
 */
export function openMember(path: string): Segment {
  let bytes = 0;
  try {
    const stat = statOf(path);
    if (stat.isDirectory()) listFolder(path);
    bytes = stat.size;
    return openSegment(path);
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error;
    return { ...streamSegment(path), bytes, form: 'zstd', unreadable: true, fault: error };
  }
}

function streamSegment(path: string): Segment {
  const unseekable = (): never => {
    throw new TapedeckError('E_HEADER', 'while reading a header: not a regular file', { file: path });
  };
  const unknown = { bytes: 0, sealed: false, src: null, first: Number.NaN, unreadable: false, fault: null };
  return { path, form: 'stream', ...unknown, header: unseekable, index: unseekable };
}

/** Checks that an entry is a header this tool can read. @throws {TapedeckError} E_HEADER, E_VERSION, E_LINE */
export function headerOf(line: Buffer | null, file: string): HeaderEntry {
  const entry = line === null ? null : parseEntry(line, { file, line: 1 });
  if (entry === null || !('tape' in entry) || typeof entry.tape !== 'object' || entry.tape === null)
    throw new TapedeckError('E_HEADER', 'while reading a tape: it does not begin with a tape header', { file });
  const { version } = entry.tape;
  if (!Number.isInteger(version) || version < 1 || version > TAPE_VERSION)
    throw new TapedeckError(
      'E_VERSION',
      `while reading a tape: version ${version} is unknown, this tool reads ${TAPE_VERSION}`,
      { file },
    );
  return entry;
}

/**
 * Reads the entries of a regular file from a frame on, frame by frame; a batch is valid until the next is asked for.
 * The lines of a tail beside an unsealed segment come last, as one more frame; nothing is modified.
 */
export function* segmentItems(
  segment: Segment,
  range: SegmentRange = {},
): Generator<PlacedBatch | Damage, void, undefined> {
  const { path } = segment;
  if (segment.fault !== null) {
    const { code, message: why } = segment.fault;
    const isClosed = code === 'E_PERMISSION' || code === 'E_NOT_FOUND' || code === 'E_IO';
    const message = `nothing could be read: ${why}`;
    yield {
      damage: {
        code: isClosed ? code : 'E_FRAME_CORRUPT',
        file: path,
        frame: 0,
        line: 1,
        bytes: segment.bytes,
        message,
      },
    };
    return;
  }
  const ranged = range.fromFrame !== undefined || range.toFrame !== undefined;
  const frames = (segment.sealed || ranged) && segment.form === 'zstd' ? segment.index().frames : [];
  const fromFrame = range.fromFrame ?? 0;
  if (fromFrame > 0 && fromFrame >= frames.length) return;
  const offset = frames[fromFrame]?.offset ?? 0;
  const { toFrame } = range;
  const limit = toFrame === undefined ? Number.POSITIVE_INFINITY : (frames[toFrame]?.offset ?? segment.index().end);
  const decoder = createTapeDecoder({
    file: path,
    ...(fromFrame > 0 ? { form: 'zstd' as const } : {}),
    offset,
    frame: fromFrame,
    line: frames.slice(0, fromFrame).reduce((line, frame) => line + frame.lines, 1),
    linesOf: (frame) => (segment.sealed ? (frames[frame]?.lines ?? -1) : -1),
    rooms: range.rooms,
  });
  const fd = openFile(path);
  let position = offset;
  try {
    for (;;) {
      const item = decoder.next();
      if (item !== null) {
        yield item;
        continue;
      }
      if (decoder.done) {
        // a tape has a header at least
        if (decoder.position === 0) yield emptyFile(path);
        return;
      }
      const bytes = readAt(fd, path, decoder.room(READ_BYTES), position, Math.min(READ_BYTES, limit - position));
      if (bytes > 0) {
        position += bytes;
        decoder.filled(bytes);
        continue;
      }
      if (!segment.sealed && position < limit) {
        const tail = readTail(path, decoder.position);
        if (tail !== null) {
          yield* tailItems(tail.bytes, {
            path: tail.path,
            offset: decoder.position,
            frame: decoder.frame,
            line: decoder.line,
          });
          return;
        }
      }
      decoder.end();
    }
  } finally {
    decoder.close();
    fs.closeSync(fd);
  }
}

function emptyFile(file: string): Damage {
  return { damage: { code: 'E_TRUNCATED', file, frame: -1, line: 1, bytes: 0, message: 'the file is empty' } };
}

/** The tails beside a segment, in order of their offsets. */
export function tailsOf(segment: string): { path: string; offset: number }[] {
  const tails: { path: string; offset: number }[] = [];
  for (const name of fs.readdirSync(dirname(segment))) {
    if (!name.startsWith(basename(segment))) continue;
    const path = `${segment}${name.slice(basename(segment).length)}`;
    const tail = parseTailPath(path);
    if (tail !== null) tails.push({ path, offset: tail.offset });
  }
  return tails.sort((a, b) => a.offset - b.offset);
}

/** What the tails beside a segment take; the recorder removes them as it goes on. */
export function tailBytes(segment: string): number {
  return tailsOf(segment).reduce((sum, { path }) => sum + (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** `t` of the last entry, NaN where there is none: from the index, or from the end of plain lines; else the segment is read. */
export function lastOfSegment(segment: Segment): Micros {
  if (segment.fault !== null) return Number.NaN;
  if (segment.form === 'plain') {
    const fd = openFile(segment.path);
    try {
      const bytes = readExactly(fd, segment.path, segment.bytes - END_BYTES, END_BYTES);
      // the first of these lines is one that was cut
      const t = bytes === null ? Number.NaN : lastTimeOf(bytes, bytes.indexOf(NEWLINE) + 1, bytes.length);
      if (!Number.isNaN(t)) return t;
    } finally {
      fs.closeSync(fd);
    }
  }
  return segment.index().last;
}

/**
 * Reads a whole segment for its index, its last time and its damage.
 * @param each sees every batch, for callers that need more in the same pass
 */
export function scanSegment(segment: Segment, each?: (batch: PlacedBatch) => void): SegmentIndex {
  const end = Number.POSITIVE_INFINITY;
  const index: SegmentIndex = { frames: [], end, last: Number.NaN, entries: 0, sha256: null, damage: [] };
  for (const item of segmentItems(segment)) {
    if ('damage' in item) {
      index.damage.push(item.damage);
      continue;
    }
    each?.(item);
    const { bytes, from, to, offset } = item;
    const lines = countLines(bytes, from, to);
    const checkpoint = findCheckpoint(bytes, from, to) !== null;
    const known = index.frames.at(-1);
    index.entries += lines;
    index.last = lastTimeOf(bytes, from, to);
    if (known?.offset !== offset)
      index.frames.push({ offset, t: firstTimeOf(bytes, from, to), lines, bytes: to - from, checkpoint });
    else {
      known.lines += lines;
      known.bytes += to - from;
      known.checkpoint ||= checkpoint;
    }
  }
  return index;
}

/** A copy of the first line that can be read, and the form of the file; null when there is none. */
function firstLine(path: string): { line: Buffer; form: 'zstd' | 'plain' } | null {
  const fd = openFile(path);
  const decoder = createTapeDecoder({ file: path });
  try {
    for (let position = 0; !decoder.done; ) {
      const item = decoder.next();
      if (item === null) {
        const bytes = readAt(fd, path, decoder.room(FIRST_READ_BYTES), position, FIRST_READ_BYTES);
        position += bytes;
        if (bytes > 0) decoder.filled(bytes);
        else decoder.end();
      } else if ('bytes' in item) {
        const line = Buffer.from(item.bytes.subarray(item.from, endOfLine(item.bytes, item.from, item.to)));
        return { line, form: item.frame < 0 ? 'plain' : 'zstd' };
      }
    }
    return null;
  } finally {
    decoder.close();
    fs.closeSync(fd);
  }
}

function* tailItems(
  bytes: Buffer,
  place: { path: string; offset: number; frame: number; line: number },
): Generator<PlacedBatch | Damage> {
  const { path: file, offset, frame, line } = place;
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole > 0) yield { bytes, from: 0, to: whole, file, frame, line, offset };
  if (whole === bytes.length) return;
  const message = 'the last line of the tail is torn';
  const torn = { file, frame, line: line + countLines(bytes, 0, whole), bytes: bytes.length - whole, message };
  yield { damage: { code: 'E_TRUNCATED', ...torn } };
}

/** The tail whose frame will stand at `offset`; null when there is none. */
function readTail(segment: string, offset: number): { path: string; bytes: Buffer } | null {
  const path = tailPath(segment, offset);
  try {
    return { path, bytes: fs.readFileSync(path) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fromSystemError(error, 'reading a tail', { file: path });
  }
}
