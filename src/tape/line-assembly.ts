/** Text in pieces to batches of whole lines: one reused buffer, the unfinished line carried from piece to piece. */
import { type Damage, type LineBatch, plainRooms, type TextRooms } from '../model/batch.js';
import { countLines } from './checkpoints.js';
import { MAX_LINE_BYTES } from './line.js';

const NEWLINE = 0x0a;
/**
 * So much text whose lines have fewer bytes than this on average is no text of entries, of which the shortest has twice as many. A few
 * hundred bytes of a file can be millions of such lines, and each would be judged.
 */
const LEAST_LINE_BYTES = 16;
const SHORT_LINES_BYTES = 64 * 1024;
const TOO_LONG = `a line longer than ${MAX_LINE_BYTES} bytes was skipped`;

export interface LineAssembly {
  /** at least `bytes` of free room; fill it, then call `added`. Ends the life of the batches given out before. */
  room(bytes: number): Buffer;
  /** takes `bytes` of new text and adds what it completes to `out`; `frame` names the batch, -1 for none */
  added(bytes: number, frame: number, out: (LineBatch | Damage)[]): void;
  /** the end of the input: an unfinished last line is completed with a newline */
  finish(frame: number, out: (LineBatch | Damage)[]): void;
  /** bytes were lost: an unfinished line is reported as damage up to its end, wherever that is */
  drop(): void;
  /** one-based number of the next line */
  readonly line: number;
  /** whether text of an unfinished line is held */
  readonly unfinished: boolean;
  /** the number of lines in the next piece is known (from an index), so need not be counted */
  expect(lines: number): void;
  /** gives the text's room back; batches given out end their life */
  close(): void;
}

const NO_TEXT = Buffer.alloc(0);

/** @param file name for messages @param firstLine one-based number of the first line @param rooms where text is put together */
export function createLineAssembly(file: string, firstLine = 1, rooms: TextRooms = plainRooms): LineAssembly {
  let text: Buffer = NO_TEXT;
  /** the unfinished line is `text[heldFrom, heldTo)` */
  let heldFrom = 0;
  let heldTo = 0;
  let line = firstLine;
  let expected = -1;
  /** bytes already dropped of a line that cannot be given out; 0 when none is being dropped */
  let dropped = 0;
  let dropWhy = '';

  const settle = (bytes: number): void => {
    const held = heldTo - heldFrom;
    if (held + bytes > text.length) {
      const size = Math.max(held + bytes, Math.min(text.length * 2, MAX_LINE_BYTES));
      const grown = rooms.take(size);
      text.copy(grown, 0, heldFrom, heldTo);
      rooms.give(text);
      text = grown;
    } else if (heldFrom > 0) text.copyWithin(0, heldFrom, heldTo);
    heldFrom = 0;
    heldTo = held;
  };

  const lineDamage = (bytes: number, frame: number): Damage => ({
    damage: { code: 'E_LINE', file, frame, line, bytes, message: dropWhy },
  });

  const dropHeld = (why: string): void => {
    if (dropped === 0) dropWhy = why;
    dropped += heldTo - heldFrom;
    heldFrom = heldTo;
  };

  return {
    room(bytes) {
      settle(bytes);
      return text.subarray(heldTo);
    },
    added(bytes, frame, out) {
      const to = heldTo + bytes;
      const last = bytes > 0 ? text.lastIndexOf(NEWLINE, to - 1) : -1;
      const known = expected;
      expected = -1;
      if (last < heldTo) {
        heldTo = to;
        if (dropped > 0 || heldTo - heldFrom > MAX_LINE_BYTES) dropHeld(TOO_LONG);
        return;
      }
      if (heldTo - heldFrom + bytes > MAX_LINE_BYTES && text.indexOf(NEWLINE, heldTo) >= heldFrom + MAX_LINE_BYTES)
        dropHeld(TOO_LONG);
      let from = heldFrom;
      if (dropped > 0) {
        from = text.indexOf(NEWLINE, heldTo) + 1;
        out.push(lineDamage(dropped + from - heldFrom, frame));
        dropped = 0;
        line++;
      }
      if (from <= last) {
        const count = from === heldFrom && known >= 0 ? known : countLines(text, from, last + 1);
        const size = last + 1 - from;
        if (size >= SHORT_LINES_BYTES && count * LEAST_LINE_BYTES > size) {
          const message = `${count} lines too short to be entries were skipped`;
          out.push({ damage: { code: 'E_LINE', file, frame, line, bytes: size, message } });
        } else out.push({ bytes: text, from, to: last + 1, file, frame, line });
        line += count;
      }
      heldFrom = last + 1;
      heldTo = to;
    },
    finish(frame, out) {
      if (dropped > 0) out.push(lineDamage(dropped, frame));
      else if (heldTo > heldFrom) {
        settle(1);
        text[heldTo] = NEWLINE;
        out.push({ bytes: text, from: 0, to: heldTo + 1, file, frame, line });
        line++;
      }
      heldFrom = heldTo;
      dropped = 0;
    },
    drop() {
      dropHeld('the rest of a line was lost');
    },
    get line() {
      return line;
    },
    get unfinished() {
      return dropped > 0 || heldTo > heldFrom;
    },
    expect(lines) {
      expected = lines;
    },
    close() {
      rooms.give(text);
      text = NO_TEXT;
    },
  };
}
