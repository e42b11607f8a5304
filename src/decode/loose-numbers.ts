/** Decimals and levels as other venues write them: numbers without quotes, levels with more elements. JSON.parse judges the rest. */
import type { EventBuffer } from '../model/event.js';
import type { Scale } from '../model/instrument.js';
import { endOfValue } from '../model/json.js';
import { readLevels } from './levels.js';
import { cursor, readBareDecimal, readDecimal } from './numbers.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const LIST = 0x5b;
const LIST_END = 0x5d;

/** A decimal as text or, where that may be, as number, scaled; -1 where JSON.parse has to judge. `cursor` says where it ends. */
export function readEitherDecimal(bytes: Buffer, p: number, decimals: number, loose: boolean): number {
  if (bytes[p] === QUOTE) return readDecimal(bytes, p + 1, decimals);
  return loose ? readBareDecimal(bytes, p, decimals) : -1;
}

/** The same of a decimal that may be negative; NaN where JSON.parse has to judge. */
export function readRate(bytes: Buffer, p: number, decimals: number, loose: boolean): number {
  const quoted = bytes[p] === QUOTE ? 1 : 0;
  const negative = bytes[p + quoted] === MINUS;
  const at = p + quoted + (negative ? 1 : 0);
  const value = quoted === 1 ? readDecimal(bytes, at, decimals) : loose ? readBareDecimal(bytes, at, decimals) : -1;
  if (value < 0) return Number.NaN;
  return negative && value > 0 ? -value : value;
}

/** Levels as pairs of texts or numbers, or with more elements behind them that nobody reads. @returns how many, or -1 */
export function readAnyLevels(
  bytes: Buffer,
  at: number,
  end: number,
  { price, size }: Scale,
  out: EventBuffer,
  loose: boolean,
): number {
  const before = out.levelCount;
  const pairs = readLevels(bytes, at, price, size, out);
  if (pairs >= 0 && cursor.at === end) return pairs;
  out.levelCount = before;
  if (bytes[at] !== LIST) return -1;
  let p = at + 1;
  let count = 0;
  for (;;) {
    if (bytes[p] !== LIST) return -1;
    const first = readEitherDecimal(bytes, p + 1, price, loose);
    if (first < 0 || bytes[cursor.at] !== COMMA) return -1;
    const second = readEitherDecimal(bytes, cursor.at + 1, size, loose);
    if (second < 0) return -1;
    p = cursor.at;
    while (bytes[p] === COMMA) {
      p = endOfValue(bytes, p + 1, end);
      if (p < 0) return -1;
    }
    if (bytes[p] !== LIST_END) return -1;
    out.addLevel(first, second);
    count++;
    if (bytes[p + 1] === LIST_END && p + 2 === end) return count;
    if (bytes[p + 1] !== COMMA) return -1;
    p += 2;
  }
}
