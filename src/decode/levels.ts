/** Reading the levels of a book message from bytes, exactly as the JSON decoder would, or not at all. */
import type { EventBuffer } from '../model/event.js';
import { behindInteger, cursor, readBareDecimal, readDecimal } from './numbers.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/**
 * `[["price","size"],…]` at `p` appended to `out.levels`; returns the number of levels, -1 when any byte differs from
 * that form. On -1 `out.levelCount` is undefined.
 */
export function readLevels(
  bytes: Uint8Array,
  p: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: EventBuffer,
): number {
  return readEach(bytes, p, priceDecimals, sizeDecimals, out, true, false);
}

/** The same where plain integers in quotes may follow price and size, which nobody reads. */
export function readWideLevels(
  bytes: Uint8Array,
  p: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: EventBuffer,
): number {
  return readEach(bytes, p, priceDecimals, sizeDecimals, out, true, true);
}

/** The same with numbers that are not in quotes, of which one more, a plain integer, stands behind the size. */
export function readBareLevels(
  bytes: Uint8Array,
  p: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: EventBuffer,
): number {
  return readEach(bytes, p, priceDecimals, sizeDecimals, out, false, true);
}

function readEach(
  bytes: Uint8Array,
  p: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: EventBuffer,
  quoted: boolean,
  tailed: boolean,
): number {
  if (bytes[p] !== OPEN) return -1;
  if (bytes[p + 1] === CLOSE) {
    cursor.at = p + 2;
    return 0;
  }
  const from = out.levelCount;
  for (;;) {
    if (bytes[p + 1] !== OPEN) return -1;
    const price = readNumber(bytes, p + 2, priceDecimals, quoted);
    if (price < 0 || bytes[cursor.at] !== COMMA) return -1;
    const size = readNumber(bytes, cursor.at + 1, sizeDecimals, quoted);
    if (size < 0) return -1;
    p = tailed ? behindTail(bytes, cursor.at, quoted) : cursor.at;
    if (p < 0 || bytes[p] !== CLOSE) return -1;
    out.addLevel(price, size);
    if (bytes[p + 1] === CLOSE) break;
    if (bytes[p + 1] !== COMMA) return -1;
    p++;
  }
  cursor.at = p + 2;
  return out.levelCount - from;
}

function readNumber(bytes: Uint8Array, p: number, decimals: number, quoted: boolean): number {
  if (!quoted) return readBareDecimal(bytes, p, decimals);
  return bytes[p] === QUOTE ? readDecimal(bytes, p + 1, decimals) : -1;
}

/** From where a size ends over the integers behind it: any number of them in quotes, or one without. @returns where the last ends, or -1 */
function behindTail(bytes: Uint8Array, p: number, quoted: boolean): number {
  if (!quoted) return bytes[p] === COMMA ? behindInteger(bytes, p + 1) : -1;
  while (bytes[p] === COMMA && bytes[p + 1] === QUOTE) {
    p = behindInteger(bytes, p + 2);
    if (p < 0 || bytes[p] !== QUOTE) return -1;
    p++;
  }
  return p;
}

/** Puts `asks` pairs, which stand from pair `first` on, behind the `bids` that follow them. */
export function swapLevels({ levels }: EventBuffer, first: number, asks: number, bids: number): void {
  const at = first * 2;
  const held = levels.slice(at, at + asks * 2);
  levels.copyWithin(at, at + asks * 2, at + (asks + bids) * 2);
  levels.set(held, at + bids * 2);
}
