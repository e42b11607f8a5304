/**
 * The levels of a REST book, read from the bytes of its line: as JSON, each of their texts would be looked up in the table of all texts
 * and then be read a second time.
 */
import type { Source } from '../model/entry.js';
import type { Scale } from '../model/instrument.js';
import type { ScaledLevels } from '../model/rules.js';
import { theMachine } from './wasm-machine.js';
import { SCRATCH_AT, SCRATCH_BYTES, SLACK } from './wasm-memory.js';

/** A line with empty lists where its levels stood, and the levels. */
export interface RestBook {
  text: string;
  levels: ScaledLevels;
}

/** An answer of REST as the recorder writes it. */
const HTTP = /^\{"t":\d{16},"src":"([!#-[\]-~]+)","http":\{/;
const HEAD_BYTES = 512;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const COLON = 0x3a;
const SRC = Buffer.from('"src"');
const BIDS = Buffer.from('"bids"');
const ASKS = Buffer.from('"asks"');

/** The src of a line that may hold a book; null for any other. */
export function srcOfRest(bytes: Buffer, from: number, to: number): Source | null {
  return HTTP.exec(bytes.toString('latin1', from, Math.min(to, from + HEAD_BYTES)))?.[1] ?? null;
}

/**
 * Reads the book in the line `bytes[from, to)`. Overwrites the levels in the scanner's memory.
 * @returns null where there is no compiled scanner, and for JSON to judge: other than one list of bids and one of asks, a level that is
 * not two plain decimals (and plain texts behind them), a number that the scale cannot hold
 */
export function readRestBook(bytes: Buffer, from: number, to: number, { price, size }: Scale): RestBook | null {
  const machine = theMachine();
  const line = bytes.subarray(from, to);
  // without it every quote is one that opens or closes a text, so what is found below are keys
  if (machine === null || line.indexOf(BACKSLASH) >= 0) return null;
  // the last of several is the one that counts, and its scale may be another
  if (line.lastIndexOf(SRC) !== line.indexOf(SRC)) return null;
  const bidsAt = startOfList(line, BIDS);
  const asksAt = startOfList(line, ASKS);
  if (bidsAt < 0 || asksAt < 0) return null;
  const { bytes: memory, exports, levels, results } = machine;
  let base = bytes.byteOffset + from;
  if (bytes.buffer !== memory.buffer) {
    if (line.length > SCRATCH_BYTES - SLACK) return null;
    line.copy(memory, SCRATCH_AT);
    base = SCRATCH_AT;
  }
  const bidsTo = exports.readPairs(base + bidsAt, base + line.length, 0, price, size) - base;
  const bids = results[1];
  if (bidsTo < bidsAt) return null;
  const asksTo = exports.readPairs(base + asksAt, base + line.length, bids, price, size) - base;
  const pairs = bids + results[1];
  if (asksTo < asksAt) return null;
  const [a, b] = bidsAt < asksAt ? [bidsTo, asksAt] : [asksTo, bidsAt];
  const parts: [number, number][] = [
    [0, Math.min(bidsAt, asksAt)],
    [a, b],
    [Math.max(bidsTo, asksTo), line.length],
  ];
  const text = parts.map(([p, end]) => line.toString('utf8', p, end)).join('[]');
  return { text, levels: { bids, levels: levels.slice(0, pairs * 2) } };
}

/** Where the list of the only key of this name begins; -1 where there is none, or the name stands twice. */
function startOfList(line: Buffer, key: Buffer): number {
  const at = line.indexOf(key);
  if (at < 0 || line.lastIndexOf(key) !== at || line[at + key.length] !== COLON) return -1;
  let p = at + key.length + 1;
  while (line[p] === BLANK) p++;
  return p;
}
