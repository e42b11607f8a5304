/**
 * Reading numbers from bytes, sixteen at a time, exactly as the JSON decoder would, or not at all.
 *
 * A read returns its value (below 2^53) with the number of bytes it took in the upper byte, and 0 where the bytes are anything
 * but a plain number: one result instead of a value and a place spares two memory accesses per number.
 *
 * One comparison tells which of sixteen bytes are no digits; where dot and end are then picks a row of shuffle indices, which
 * drops the dot and moves every digit to the place of its power of ten; four more steps add up all digits at once. Finding
 * the dot in 64-bit words and multiplying them out was measured at two to three times the instructions.
 */
import { CONSTANTS, LOW_TABLES, TABLES } from './memory';

export const VALUE: u64 = (1 << 56) - 1;
const TOOK: u32 = 56;
const MAX: u64 = 0x1fffffffffffff;
/** shuffle index that gives a zero byte */
const NOTHING: u8 = 0x80;
/** Scales that have a table; numbers of a finer one are read byte by byte. */
const TABLED: u32 = 16;
const TABLE_BYTES: u32 = 4096;
const QUOTE: u8 = 0x22;
const DOT: u8 = 0x2e;

/** which tables were made, a bit per scale */
let made: u32 = 0;

// Vectors that every number needs. They are kept in memory because the compiler makes a constant anew at every use.
export const TO_SMALLEST = CONSTANTS;
export const LARGEST_DIGIT = CONSTANTS + 16;
export const NIBBLE = CONSTANTS + 32;
export const TEN = CONSTANTS + 48;
export const HUNDREDS = CONSTANTS + 64;
export const MYRIADS = CONSTANTS + 80;

v128.store(TO_SMALLEST, i8x16.splat(0x50));
v128.store(LARGEST_DIGIT, i8x16.splat(-119));
v128.store(NIBBLE, i16x8.splat(0x0f));
v128.store(TEN, i16x8.splat(10));
v128.store(HUNDREDS, i32x4.splat(0x10064));
v128.store(MYRIADS, i32x4.splat(0x12710));

/** The table of a scale: at `dot << 8 | end << 4` the shuffle indices of a number with its dot and end there. */
export function tableOf(decimals: u32): u32 {
  if (decimals >= TABLED) return 0;
  const table = TABLES + decimals * TABLE_BYTES;
  if ((made >> decimals) & 1) return table;
  made |= 1 << decimals;
  fillTable(table, decimals, 16);
  fillTable(LOW_TABLES + decimals * TABLE_BYTES, decimals, 8);
  return table;
}

/** The same with the digits in the first eight bytes, for numbers of up to eight digits. */
export function lowTableOf(decimals: u32): u32 {
  return decimals >= TABLED ? 0 : LOW_TABLES + decimals * TABLE_BYTES;
}

function fillTable(table: u32, decimals: u32, places: u32): void {
  memory.fill(table, NOTHING, TABLE_BYTES);
  const unit = places - decimals;
  let dot: u32 = 1;
  while (dot + decimals <= places && dot < 16) {
    let end = dot;
    while (end < 16) {
      const row = table + (dot << 8) + (end << 4);
      let k: u32 = 0;
      while (k < dot) {
        store<u8>(row + unit - dot + k, <u8>k);
        k++;
      }
      k = dot + 1;
      while (k < end && k - dot - 1 < decimals) {
        store<u8>(row + unit + k - dot - 1, <u8>k);
        k++;
      }
      end++;
    }
    dot++;
  }
}

/** Sixteen digits as two numbers of eight, in the first two lanes. */
@inline
export function sums(digits: v128, nibble: v128, ten: v128, hundreds: v128, myriads: v128): v128 {
  const high = v128.and(digits, nibble);
  const low = v128.and(i16x8.shr_u(digits, 8), nibble);
  const pairs = i16x8.add(i16x8.mul(high, ten), low);
  const fours = i32x4.dot_i16x8_s(pairs, hundreds);
  return i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), myriads);
}

/** Sixteen digits as one number. */
@inline
export function parse16(digits: v128): u64 {
  const both = sums(digits, v128.load(NIBBLE), v128.load(TEN), v128.load(HUNDREDS), v128.load(MYRIADS));
  const x = <u64>i64x2.extract_lane(both, 0);
  return (x & 0xffffffff) * 100000000 + (x >> 32);
}

/** Bit per byte that is no digit. */
@inline
export function others(x: v128): u32 {
  // the ten digits become the ten smallest signed bytes
  return <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(x, v128.load(TO_SMALLEST)), v128.load(LARGEST_DIGIT)));
}

const integers = tableOf(0);

/** A plain JSON integer: no sign, no leading zero, below 2^53. */
export function readInteger(p: u32): u64 {
  const x = v128.load(p);
  const m = others(x);
  if (m === 0) return readSixteen(p, x);
  const n = ctz(m);
  if (n === 0 || (n > 1 && load<u8>(p) === 0x30)) return 0;
  return parse16(i8x16.swizzle(x, v128.load(integers + (n << 8) + (n << 4)))) | (<u64>n << TOOK);
}

/** How many digits the plain JSON integer at `p` has; 0 where there is none, or one of more than fifteen. */
@inline
export function digitsAt(p: u32): u32 {
  const n = ctz(others(v128.load(p)));
  return n > 15 || (n > 1 && load<u8>(p) === 0x30) ? 0 : n;
}

function readSixteen(p: u32, x: v128): u64 {
  if (load<u8>(p) === 0x30 || <u8>(load<u8>(p, 16) - 0x30) < 10) return 0;
  const value = parse16(x);
  return value > MAX ? 0 : value | (<u64>16 << TOOK);
}

/** A plain decimal closed by a quote, scaled by 10^decimals; the bytes taken include the quote. `table` is the scale's. */
export function readDecimal(p: u32, decimals: u32, table: u32): u64 {
  const x = v128.load(p);
  const m = others(x);
  const dot = ctz(m);
  let end = dot;
  if (load<u8>(p + dot) === DOT) {
    end = ctz(m & (m - 1));
    if (end - dot - 1 > decimals) return readLong(p, decimals);
  }
  if (dot + decimals > 16) return readLong(p, decimals);
  if (dot === 0 || load<u8>(p + end) !== QUOTE) return 0;
  const value = parse16(i8x16.swizzle(x, v128.load(table + (dot << 8) + (end << 4))));
  return value > MAX ? 0 : value | (<u64>(end + 1) << TOOK);
}

/** A JSON number of up to fifteen bytes without sign and with no more decimals than the scale has; what follows it is the caller's to judge. */
export function readBareDecimal(p: u32, decimals: u32, table: u32): u64 {
  const x = v128.load(p);
  const m = others(x);
  const dot = ctz(m);
  let end = dot;
  if (load<u8>(p + dot) === DOT) {
    end = ctz(m & (m - 1));
    // unsigned: a dot without digits is out of range as well, as is a number that does not end here
    if (end - dot - 2 >= decimals) return 0;
  }
  if (dot === 0 || dot + decimals > 16 || (dot > 1 && load<u8>(p) === 0x30)) return 0;
  const value = parse16(i8x16.swizzle(x, v128.load(table + (dot << 8) + (end << 4))));
  return value > MAX ? 0 : value | (<u64>end << TOOK);
}

/** A decimal closed by a quote byte by byte: for more than fifteen bytes, and for zeros beyond the scale. */
function readLong(p: u32, decimals: u32): u64 {
  let at = p;
  let value: u64 = 0;
  let c: u32 = <u32>load<u8>(at) - 48;
  while (c < 10 && at - p < 17) {
    value = value * 10 + c;
    c = <u32>load<u8>(++at) - 48;
  }
  if (at === p || at - p > 16 || value > MAX) return 0;
  let left = decimals;
  if (c === <u32>DOT - 48) {
    c = <u32>load<u8>(++at) - 48;
    while (c < 10 && at - p < 200) {
      if (left > 0) {
        value = value * 10 + c;
        if (value > MAX) return 0;
        left--;
      } else if (c !== 0) return 0;
      c = <u32>load<u8>(++at) - 48;
    }
  }
  if (c !== <u32>QUOTE - 48) return 0;
  const took = <u64>(at - p + 1);
  if (left > 22) return 0;
  if (value === 0) return took << TOOK;
  while (left > 0) {
    value *= 10;
    if (value > MAX) return 0;
    left--;
  }
  return value | (took << TOOK);
}
