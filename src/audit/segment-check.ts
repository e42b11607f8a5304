/** Holds a sealed segment's promises (end entry, index, seek table) against what it was seen to hold. */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import type { SeekEntry } from '../model/entry.js';
import { findCheckpoint, firstTimeOf, lastLineOf } from '../tape/checkpoints.js';
import type { Segment } from '../tape/reader.js';
import { decodeSeekTable, FOOTER_BYTES, seekTableBytes } from '../tape/seek-table.js';
import type { PlacedBatch } from '../tape/tape-decoder.js';

export interface SegmentCheck {
  /** sees every batch of the segment, in order */
  take(batch: PlacedBatch): void;
  /** bytes were lost: counts and checksum of the text can no longer agree, which is no finding of its own */
  damaged(): void;
  /** what does not agree, in words, with the frame it concerns (-1: the segment) */
  finish(): { message: string; frame: number }[];
}

/** @param segment a sealed one */
export function createSegmentCheck(segment: Segment): SegmentCheck {
  const { frames: index, entries, sha256 } = segment.index();
  const hash: Hash = createHash('sha256');
  const seen: SeekEntry[] = [];
  let damaged = false;
  let lines = 0;
  const faults: { message: string; frame: number }[] = [];

  const add = (batch: PlacedBatch): void => {
    const { bytes, from, to, offset } = batch;
    const known = seen.at(-1);
    const count = countLines(bytes, from, to);
    const checkpoint = findCheckpoint(bytes, from, to) !== null;
    lines += count;
    if (known?.offset === offset) {
      known.lines += count;
      known.bytes += to - from;
      known.checkpoint ||= checkpoint;
    } else seen.push({ offset, t: firstTimeOf(bytes, from, to), lines: count, bytes: to - from, checkpoint });
  };

  const checkIndex = (): void => {
    // the frame of the seal itself is not in the index
    const frames = seen.slice(0, -1);
    if (frames.length !== index.length)
      faults.push({ message: `its index has ${index.length} frames, the segment ${frames.length}`, frame: -1 });
    frames.slice(0, index.length).forEach((frame, n) => {
      for (const key of ['offset', 't', 'lines', 'bytes', 'checkpoint'] as const)
        if (index[n][key] !== frame[key])
          faults.push({ message: `its index says ${key} ${index[n][key]}, the frame ${frame[key]}`, frame: n });
    });
  };

  const checkSeekTable = (): void => {
    const table = readSeekTable(segment);
    if (table === null) return;
    if (table.length !== seen.length)
      faults.push({ message: `its seek table has ${table.length} frames, the segment ${seen.length}`, frame: -1 });
    let offset = 0;
    table.slice(0, seen.length).forEach(({ compressedBytes, textBytes }, n) => {
      if (seen[n].offset !== offset || seen[n].bytes !== textBytes)
        faults.push({ message: 'its seek table gives another place or size for the frame', frame: n });
      offset += compressedBytes;
    });
  };

  return {
    take(batch) {
      const { bytes, from, to, frame } = batch;
      add(batch);
      // the end entry is the last line, and the checksum is of the text before it
      const last = frame >= index.length ? lastLineOf(bytes, from, to) : to;
      if (last > from) hash.update(bytes.subarray(from, last));
    },
    damaged() {
      damaged = true;
    },
    finish() {
      if (damaged) return [];
      checkIndex();
      checkSeekTable();
      if (lines - 1 !== entries)
        faults.push({ message: `its end says ${entries} entries, the segment has ${lines - 1}`, frame: -1 });
      if (hash.digest('hex') !== sha256)
        faults.push({ message: 'the checksum in its end is not that of its text', frame: -1 });
      return faults;
    },
  };
}

function readSeekTable(segment: Segment): ReturnType<typeof decodeSeekTable> {
  const fd = fs.openSync(segment.path, 'r');
  try {
    const footer = Buffer.alloc(FOOTER_BYTES);
    fs.readSync(fd, footer, 0, FOOTER_BYTES, segment.bytes - FOOTER_BYTES);
    const table = Buffer.alloc(seekTableBytes(footer));
    fs.readSync(fd, table, 0, table.length, segment.bytes - table.length);
    return decodeSeekTable(table);
  } finally {
    fs.closeSync(fd);
  }
}

function countLines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let p = bytes.indexOf(0x0a, from); p >= 0 && p < to; p = bytes.indexOf(0x0a, p + 1)) count++;
  return count;
}
