/** Recovery of what a killed recorder left: lines of tails become frames, whole segments are sealed, nothing is rewritten. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import type { Damage } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import { fromSystemError } from '../model/errors.js';
import { countLines, findCheckpoint, firstTimeOf, lastLineOf, lastTimeOf } from './checkpoints.js';
import { decompressFrame, frameExtent, frameHeader } from './frame.js';
import { ONE_SHOT_BYTES, ZSTD_MAGIC } from './frame-header.js';
import { anyTimeOf, envelopeOf, MAX_LINE_BYTES, parseEntry } from './line.js';
import { lockFolder } from './lock.js';
import { isSeekTable } from './seek-table.js';
import { openMember, type Segment, scanSegment, tailsOf } from './segment.js';
import { continueSegmentFile, FRAME_BYTES, type SegmentContents } from './segment-file.js';
import { createTapeDecoder } from './tape-decoder.js';

/** No frame of a tape is larger: one line of the greatest length. */
/** What a recorder writes first is smaller. */
const MOST_HEADER_BYTES = 64 * 1024;
const LARGEST_READ = MAX_LINE_BYTES + ONE_SHOT_BYTES;

/** What recovery found and did to one segment. */
export interface RecoveredSegment {
  path: string;
  /** of its last entry; NaN when the segment holds none */
  last: Micros;
  /** lines that were only in a tail */
  lines: number;
  /** bytes of a line that was being written when the recorder died */
  tornBytes: number;
  /** it now ends with index, end and seek table; not done where damage was met, or where nothing is there */
  sealed: boolean;
  /** what keeps it from being sealed; it stays as it was */
  damage: Damage['damage'][];
}

export interface RecoveredFolder {
  /** the newest `t` of the folder; NaN when it holds no entry. What is recorded next must come after it. */
  last: Micros;
  src: Source | null;
  /** the segments that were not sealed */
  segments: RecoveredSegment[];
}

/**
 * Recovers every unsealed segment of one src's folder, and takes the folder's lock while it does. To be called before
 * recording goes on there. A folder that does not exist yet holds nothing.
 * @throws {TapedeckError} E_EXISTS when another process writes there; E_PERMISSION, E_DISK_FULL, E_IO
 */
export async function recoverFolder(folder: string): Promise<RecoveredFolder> {
  const found: RecoveredFolder = { last: Number.NaN, src: null, segments: [] };
  if (!fs.existsSync(folder)) return found;
  const release = lockFolder(folder);
  try {
    for (const name of fs.readdirSync(folder).sort()) {
      if (!name.endsWith('.ndjson.zst')) continue;
      const segment = openMember(join(folder, name));
      // when it ends nobody knows, and what is recorded next has to come after it
      if (segment.fault !== null && segment.fault.code !== 'E_NOT_A_TAPE') throw segment.fault;
      found.src ??= segment.src;
      const recovered = await recover(segment);
      if (recovered !== null && holdsNothing(recovered)) {
        for (const tail of tailsOf(recovered.path)) fs.unlinkSync(tail.path);
        fs.unlinkSync(recovered.path);
        continue;
      }
      if (recovered !== null) found.segments.push(recovered);
      const last = recovered?.last ?? segment.index().last;
      // a segment without an entry says nothing of when the others end
      if (!Number.isNaN(last) && !(last <= found.last)) found.last = last;
    }
  } catch (error) {
    throw fromSystemError(error, 'recovering a tape', { file: folder });
  } finally {
    release();
  }
  return found;
}

/**
 * Recovers one segment. Lines that only tails hold are appended as frames; bytes are cut off only behind the last whole
 * frame, and only when a tail holds the lines of the torn one (or the bytes are a torn seek table). Without damage the
 * segment is then sealed, its `end` entry marked `"recovered":true`.
 * The caller holds the folder's lock.
 * @returns null for a sealed segment, of which at most leftover tails are removed, and for plain text
 */
export async function recoverSegment(path: string): Promise<RecoveredSegment | null> {
  try {
    return await recover(openMember(path));
  } catch (error) {
    throw fromSystemError(error, 'recovering a segment', { file: path });
  }
}

async function recover(segment: Segment): Promise<RecoveredSegment | null> {
  const { path } = segment;
  if (segment.form !== 'zstd') return null;
  const tails = tailsOf(path);
  if (segment.sealed) {
    for (const tail of tails) fs.unlinkSync(tail.path);
    return null;
  }
  const walked = segment.fault === null ? walkFrames(path) : null;
  const coversTear = tails.some((tail) => tail.offset === walked?.whole);
  const isBeyond = walked === null || walked.rest === 'damage' || walked.end === 'wrong';
  if (isBeyond || (walked.rest === 'torn' && !coversTear)) {
    // what cannot be read stays as it is, for `verify` to report
    const { last, damage } = scanSegment(segment);
    return { path, last, lines: 0, tornBytes: 0, sealed: false, damage };
  }
  const lost = linesToAdd(tails, walked);
  const src = segment.src ?? sourceOf(lost.groups);
  const result = { path, lines: lost.lines, tornBytes: lost.tornBytes, damage: [] };
  const { last } = lost;
  // no time is left for a seal behind the last one that can be written
  if (src === null || !(last <= Number.MAX_SAFE_INTEGER - 2))
    return { ...result, last, lines: 0, tornBytes: 0, sealed: false };
  if (walked.rest !== 'none') fs.truncateSync(path, walked.whole);
  const file = continueSegmentFile({ path, src, tail: false }, walked);
  try {
    for (const group of lost.groups) {
      for (const line of group) {
        if (file.pendingBytes + line.length > FRAME_BYTES) file.closeFrame();
        file.add(line, anyTimeOf(line, 0, line.length), envelopeOf(line, 0, line.length)?.key === 'book');
      }
      file.closeFrame();
    }
    await file.settled();
    for (const tail of tails) fs.unlinkSync(tail.path);
    if (lost.ended) await file.seal(null);
    else await file.seal({ index: last + 1, end: last + 2 }, { recovered: true });
  } finally {
    // closed already unless something failed: it is tried again, perhaps for days
    await file.abandon();
  }
  return { ...result, last: lost.ended ? last : last + 2, sealed: true };
}

/** Killed while it wrote its first frame, which holds the header and the gap before it: nothing was recorded there. */
function holdsNothing({ path, sealed }: RecoveredSegment): boolean {
  if (sealed || fs.statSync(path).size > MOST_HEADER_BYTES) return false;
  // a tail with a whole line would have been taken in
  if (tailsOf(path).some((tail) => fs.readFileSync(tail.path).includes(0x0a))) return false;
  const bytes = fs.readFileSync(path);
  const begun = bytes.subarray(0, ZSTD_MAGIC.length);
  if (!begun.equals(ZSTD_MAGIC.subarray(0, begun.length)) || frameExtent(bytes, 0) !== 0) return false;
  const text = salvage(bytes);
  for (let p = 0, end = text.indexOf(0x0a); end >= 0; p = end + 1, end = text.indexOf(0x0a, p)) {
    const key = envelopeOf(text, p, end + 1)?.key;
    if (key !== 'tape' && key !== 'gap') return false;
  }
  return true;
}

interface Walked extends SegmentContents {
  /** `t` of the last line, and whether that is an `end` entry, which is wrong where it says something else than is there */
  last: Micros;
  end: 'none' | 'right' | 'wrong';
  /** what stands behind the last whole frame: a frame that was being written, a seek table likewise, or damage */
  rest: 'none' | 'torn' | 'table' | 'damage';
  restBytes: Buffer;
}

/** Reads the whole frames from the start of a segment, as far as they follow each other without fault. */
function walkFrames(path: string): Walked & { whole: number } {
  const walked = { offset: 0, frames: [], entries: 0, hash: createHash('sha256'), table: [] } as SegmentContents;
  let last = Number.NaN;
  let end: Walked['end'] = 'none';
  const fd = fs.openSync(path, 'r');
  try {
    for (;;) {
      const { bytes, extent } = readFrame(fd, walked.offset);
      const header = frameHeader(bytes, 0);
      const done = (rest: Walked['rest']) => ({ ...walked, whole: walked.offset, last, end, rest, restBytes: bytes });
      if (bytes.length === 0) return done('none');
      // nothing but the seek table comes after the end entry
      if (extent === 0 && (end !== 'none' || header.kind === 'skippable')) return done('table');
      // one that says something else than the frames do is made anew
      if (end !== 'none' && isSeekTable(header) && extent === bytes.length) return done('table');
      if (extent === 0) return done(hasWholeFrame(bytes) ? 'damage' : 'torn');
      if (extent < 0 || header.kind !== 'zstd' || header.contentBytes === null) return done('damage');
      // no recorder writes an empty frame, nor a larger one
      if (header.contentBytes === 0 || header.contentBytes > LARGEST_READ) return done('damage');
      const text = Buffer.allocUnsafeSlow(header.contentBytes);
      try {
        decompressFrame(bytes.subarray(0, extent), text);
      } catch {
        return done('damage');
      }
      const lines = countLines(text, 0, text.length);
      const checkpoint = findCheckpoint(text, 0, text.length) !== null;
      const checksum = header.checksum ? { checksum: bytes.readUInt32LE(extent - 4) } : {};
      walked.table.push({ compressedBytes: extent, textBytes: text.length, ...checksum });
      const lastLine = lastLineOf(text, 0, text.length);
      walked.hash.update(text.subarray(0, lastLine));
      if (end !== 'wrong' && isEnd(text.subarray(lastLine))) end = isRightSeal(text, walked, lines) ? 'right' : 'wrong';
      else if (end === 'right') end = 'wrong';
      walked.hash.update(text.subarray(lastLine));
      walked.frames.push({
        offset: walked.offset,
        t: firstTimeOf(text, 0, text.length),
        lines,
        bytes: text.length,
        checkpoint,
      });
      walked.entries += lines;
      walked.offset += extent;
      const newest = lastTimeOf(text, 0, text.length);
      if (!Number.isNaN(newest)) last = newest;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Holds the frame of a seal against what stands before it, of whose text and its `index` `walked.hash` is. */
function isRightSeal(text: Buffer, { frames, entries, hash }: SegmentContents, lines: number): boolean {
  const lastLine = lastLineOf(text, 0, text.length);
  try {
    const index = parseEntry(text.subarray(0, lastLine));
    const last = parseEntry(text.subarray(lastLine));
    if (!('index' in index) || !('end' in last)) return false;
    const { entries: stated, sha256 } = last.end;
    const placed = JSON.stringify(index.index) === JSON.stringify(frames);
    return placed && stated === entries + lines - 1 && sha256 === hash.copy().digest('hex');
  } catch {
    return false;
  }
}

/** The bytes at `offset`, as many as its frame has; all that is left when the frame is not whole. */
function readFrame(fd: number, offset: number): { bytes: Buffer; extent: number } {
  for (let size = FRAME_BYTES; ; size *= 4) {
    const room = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    for (;;) {
      const read = fs.readSync(fd, room, filled, size - filled, offset + filled);
      filled += read;
      if (read === 0 || filled === size) break;
    }
    const bytes = room.subarray(0, filled);
    const extent = frameExtent(bytes, 0);
    if (extent !== 0 || filled < size || size > LARGEST_READ) return { bytes, extent };
  }
}

/** Whether a whole frame stands somewhere behind the start: then it is not the end of the file that is torn. */
function hasWholeFrame(bytes: Buffer): boolean {
  for (let p = bytes.indexOf(ZSTD_MAGIC, 1); p >= 0; p = bytes.indexOf(ZSTD_MAGIC, p + 1))
    if (frameExtent(bytes, p) > 0) return true;
  return false;
}

interface LostLines {
  /** each group becomes frames of its own, as it would have */
  groups: Buffer[][];
  lines: number;
  tornBytes: number;
  last: Micros;
  ended: boolean;
}

/** The lines of tails, and of the torn frame where that holds more, that are newer than what stands. */
function linesToAdd(tails: { path: string; offset: number }[], walked: Walked & { whole: number }): LostLines {
  const lost: LostLines = { groups: [], lines: 0, tornBytes: 0, last: walked.last, ended: walked.end === 'right' };
  const take = (text: Buffer): void => {
    const group: Buffer[] = [];
    let p = 0;
    for (let newline = text.indexOf(0x0a); newline >= 0; newline = text.indexOf(0x0a, p)) {
      const line = text.subarray(p, newline + 1);
      const t = anyTimeOf(line, 0, line.length);
      if (!(t <= lost.last)) {
        group.push(line);
        if (!Number.isNaN(t)) lost.last = t;
        lost.ended = isEnd(line);
      }
      p = newline + 1;
    }
    lost.groups.push(group);
    lost.lines += group.length;
    lost.tornBytes = text.length - p;
  };
  for (const tail of tails) {
    take(fs.readFileSync(tail.path));
    // a power cut may have kept more of the frame than of its tail
    if (tail.offset === walked.whole && walked.rest === 'torn') {
      const { tornBytes } = lost;
      take(salvage(walked.restBytes));
      lost.tornBytes = tornBytes;
    }
  }
  return lost;
}

/** The whole lines that a torn frame still gives. */
function salvage(bytes: Buffer): Buffer {
  const decoder = createTapeDecoder({ file: '', form: 'zstd' });
  decoder.room(bytes.length).set(bytes);
  decoder.filled(bytes.length);
  decoder.end();
  const parts: Buffer[] = [];
  for (let item = decoder.next(); item !== null; item = decoder.next())
    if ('bytes' in item) parts.push(Buffer.from(item.bytes.subarray(item.from, item.to)));
  return Buffer.concat(parts);
}

function sourceOf(groups: Buffer[][]): Source | null {
  const line = groups.flat()[0];
  return line === undefined ? null : (envelopeOf(line, 0, line.length)?.src ?? null);
}

function isEnd(line: Buffer): boolean {
  return envelopeOf(line, 0, line.length)?.key === 'end';
}
