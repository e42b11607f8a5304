/** Finding things in batches of lines without reading every line: checkpoints, the last time, a time's place. */
import type { Micros } from '../model/entry.js';
import { anyTimeOf, endOfLine, envelopeOf } from './line.js';

const NEWLINE = 0x0a;
const BOOK = Buffer.from('"book"');

export interface FoundLine {
  from: number;
  to: number;
  t: Micros;
}

/** The first `book` entry in `bytes[from, to)` (whole lines), or null. */
export function findCheckpoint(bytes: Buffer, from: number, to: number): FoundLine | null {
  let p = from;
  for (;;) {
    const at = bytes.indexOf(BOOK, p);
    if (at < 0 || at >= to) return null;
    const lineFrom = Math.max(from, bytes.lastIndexOf(NEWLINE, at) + 1);
    const lineTo = endOfLine(bytes, at, to);
    // messages may hold the word too; only the entry's own key counts
    const envelope = envelopeOf(bytes, lineFrom, lineTo);
    if (envelope?.key === 'book') return { from: lineFrom, to: lineTo, t: envelope.t };
    p = lineTo;
  }
}

/** Where the last of the whole lines `bytes[from, to)` starts. */
export function lastLineOf(bytes: Buffer, from: number, to: number): number {
  return to - from < 2 ? from : Math.max(from, bytes.lastIndexOf(NEWLINE, to - 2) + 1);
}

/** The `t` of the last line that has one, or NaN. */
export function lastTimeOf(bytes: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from) {
    const start = lastLineOf(bytes, from, end);
    const t = anyTimeOf(bytes, start, end);
    if (!Number.isNaN(t)) return t;
    end = start;
  }
  return Number.NaN;
}

/** The `t` of the first line that has one, or NaN. */
export function firstTimeOf(bytes: Buffer, from: number, to: number): number {
  for (let p = from; p < to; ) {
    const end = endOfLine(bytes, p, to);
    const t = anyTimeOf(bytes, p, end);
    if (!Number.isNaN(t)) return t;
    p = end;
  }
  return Number.NaN;
}

/** How many whole lines stand in `bytes[from, to)`. */
export function countLines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let p = bytes.indexOf(NEWLINE, from); p >= 0 && p < to; p = bytes.indexOf(NEWLINE, p + 1)) count++;
  return count;
}
