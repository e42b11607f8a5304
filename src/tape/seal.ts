/** The seal of a segment: its index and end entries and the seek table, found from the end of the file. */
import fs from 'node:fs';
import type { Damage } from '../model/batch.js';
import type { Micros, SeekEntry } from '../model/entry.js';
import { openFile, readExactly } from './files.js';
import { decompressFrame } from './frame.js';
import { ONE_SHOT_BYTES } from './frame-header.js';
import { endOfLine, parseEntry } from './line.js';
import { decodeSeekTable, FOOTER_BYTES, seekTableBytes } from './seek-table.js';

/** What a whole segment holds. */
export interface SegmentIndex {
  /** every frame of entries, the header's first; the frame with `index` and `end` is not among them */
  frames: SeekEntry[];
  /** where the last of them ends; Infinity where no seal follows it */
  end: number;
  /** `t` of the last entry; NaN when there is none */
  last: Micros;
  /** entries before the `end` entry */
  entries: number;
  /** as the `end` entry states it; null where the segment is not sealed */
  sha256: string | null;
  /** found while reading an unsealed segment; a sealed one is not read for its index */
  damage: Damage['damage'][];
}

/** The seal of a segment, read from its end; null when it has none. */
export function readSeal(path: string, bytes: number): SegmentIndex | null {
  const fd = openFile(path);
  try {
    const footer = readExactly(fd, path, bytes - FOOTER_BYTES, FOOTER_BYTES);
    const tableBytes = footer === null ? 0 : seekTableBytes(footer);
    const table = tableBytes > 0 ? readExactly(fd, path, bytes - tableBytes, tableBytes) : null;
    const frames = table === null ? null : decodeSeekTable(table);
    const sealFrame = frames?.at(-1);
    if (frames == null || sealFrame === undefined || sealFrame.textBytes > ONE_SHOT_BYTES) return null;
    if (frames.reduce((sum, frame) => sum + frame.compressedBytes, tableBytes) !== bytes) return null;
    const offset = bytes - tableBytes - sealFrame.compressedBytes;
    const compressed = readExactly(fd, path, offset, sealFrame.compressedBytes);
    return compressed === null ? null : parseSeal(compressed, sealFrame.textBytes, offset);
  } finally {
    fs.closeSync(fd);
  }
}

function parseSeal(compressed: Buffer, textBytes: number, offset: number): SegmentIndex | null {
  try {
    const text = Buffer.allocUnsafeSlow(textBytes);
    decompressFrame(compressed, text);
    const indexTo = endOfLine(text, 0, text.length);
    const index = parseEntry(text.subarray(0, indexTo));
    const end = parseEntry(text.subarray(indexTo));
    if (!('index' in index) || !('end' in end) || !Array.isArray(index.index)) return null;
    const { entries, sha256 } = end.end;
    return { frames: index.index, end: offset, last: end.t, entries, sha256, damage: [] };
  } catch {
    // a seal that cannot be read is no seal; reading the segment itself reports what is wrong
    return null;
  }
}
