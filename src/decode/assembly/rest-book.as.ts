/** Reading the levels of a REST book where they stand in its line: long, seldom, and as the venue wrote them, blanks included. */
import { LEVEL_ROOM, LEVELS, RESULTS } from './memory';
import { readDecimal, tableOf, VALUE } from './numbers';
import { skipText } from './state';

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const OPEN: u8 = 0x5b;
const CLOSE: u8 = 0x5d;

/** @returns the address of the next byte that is no blank; behind `to` nothing is one */
@inline
function skipBlanks(p: u32, to: u32): u32 {
  while (p < to && (load<u8>(p) === 0x20 || load<u8>(p) === 0x09)) p++;
  return p;
}

@inline
function endOf(p: u32, to: u32, pairs: u32): u32 {
  store<u32>(RESULTS, pairs, 4);
  return p < to ? p + 1 : 0;
}

/**
 * Reads `[["price","size",…],…]` at `p`, with plain texts behind the size that nobody reads, to the levels from pair `first` on.
 * How many pairs that are stands in the results, as of a scan.
 * @returns the address behind the list; 0 where it is anything else
 */
export function readPairs(p: u32, to: u32, first: u32, priceDecimals: u32, sizeDecimals: u32): u32 {
  const pt = tableOf(priceDecimals);
  const st = tableOf(sizeDecimals);
  const from = LEVELS + (first << 4);
  const end = LEVELS + (LEVEL_ROOM << 4);
  let at = from;
  if (load<u8>(p) !== OPEN) return 0;
  p = skipBlanks(p + 1, to);
  if (load<u8>(p) === CLOSE) return endOf(p, to, 0);
  while (p < to && at < end) {
    if (load<u8>(p) !== OPEN) return 0;
    p = skipBlanks(p + 1, to);
    if (load<u8>(p) !== QUOTE) return 0;
    const price = readDecimal(p + 1, priceDecimals, pt);
    if (price === 0) return 0;
    p = skipBlanks(p + 1 + <u32>(price >> 56), to);
    if (load<u8>(p) !== COMMA) return 0;
    p = skipBlanks(p + 1, to);
    if (load<u8>(p) !== QUOTE) return 0;
    const size = readDecimal(p + 1, sizeDecimals, st);
    if (size === 0) return 0;
    p = skipBlanks(p + 1 + <u32>(size >> 56), to);
    while (p < to && load<u8>(p) === COMMA) {
      p = skipBlanks(p + 1, to);
      if (load<u8>(p) !== QUOTE) return 0;
      p = skipText(p + 1);
      if (p === 0) return 0;
      p = skipBlanks(p + 1, to);
    }
    if (load<u8>(p) !== CLOSE) return 0;
    store<f64>(at, <f64>(<i64>(price & VALUE)));
    store<f64>(at, <f64>(<i64>(size & VALUE)), 8);
    at += 16;
    p = skipBlanks(p + 1, to);
    if (load<u8>(p) === CLOSE) return endOf(p, to, (at - from) >> 4);
    if (load<u8>(p) !== COMMA) return 0;
    p = skipBlanks(p + 1, to);
  }
  return 0;
}
