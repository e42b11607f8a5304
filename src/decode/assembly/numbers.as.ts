/**
 * Reading numbers from bytes, sixteen at a time, exactly as the JSON decoder would, or not at all.
 *
 * A read returns its value (below 2^53) with the number of bytes it took in the upper byte, and 0 where the bytes are anything
 * but a plain number: one result instead of a value and a place spares two memory accesses per number.
 *
 * One addition tells which of sixteen bytes are no digits; where dot and end are then picks a row of shuffle indices, which
 * drops the dot and moves every digit to the place of its power of ten; four more steps add up all digits at once. Finding
 * the dot in 64-bit words and multiplying them out was measured at two to three times the instructions.
 */
import { CONSTANTS, TABLES } from './memory';

export const VALUE: u64 = (1 << 56) - 1;
const TOOK: u32 = 56;
const MAX: u64 = 0x1fffffffffffff;
/** shuffle index that gives a zero byte */
const NOTHING: u8 = 0x10;
/** Scales that have a table; finer ones share one that is for no number: theirs are read byte by byte. */
const TABLED: u32 = 16;
const TABLE_BYTES: u32 = 17 * 256;
/** decimals beyond the scale that a row has places for */
const BEYOND: u32 = 8;
const QUOTE: u8 = 0x22;
const DOT: u8 = 0x2e;

/** which tables were made, a bit per scale */
let made: u32 = 0;

// Vectors that every number needs. They are kept in memory because the compiler makes a constant anew at every use.
export const ZEROS = CONSTANTS;
/** what added to a value above nine gives a byte with its upper bit set */
export const ABOVE_NINE = CONSTANTS + 16;
export const TENS = CONSTANTS + 32;
export const HUNDREDS = CONSTANTS + 48;
export const MYRIADS = CONSTANTS + 64;
export const BRACKETS = CONSTANTS + 80;

v128.store(ZEROS, i8x16.splat(0x30));
v128.store(ABOVE_NINE, i8x16.splat(0x76));
v128.store(TENS, i16x8.splat(0xa01));
v128.store(HUNDREDS, i32x4.splat(0x10064));
v128.store(MYRIADS, i32x4.splat(0x12710));
v128.store(BRACKETS, i8x16.splat(0x5d));

/**
 * The table of a scale: at `dot << 8 | end << 4` the shuffle indices of a number with its dot and end there (where there is no dot, both
 * are its end), which put its digits at the end of sixteen bytes. Decimals beyond the scale, which have to be zeros, go to their beginning.
 * A row that is for no number gives nothing but the byte at `dot`, which is no digit. So the first eight bytes are zeros only where the
 * others are the number, and its decimals are as the scale has them. A dot is at 15 at most, an end at 16.
 */
export function tableOf(decimals: u32): u32 {
  const scale = min(decimals, TABLED);
  const table = TABLES + scale * TABLE_BYTES;
  if ((made >> scale) & 1) return table;
  made |= 1 << scale;
  let dot: u32 = 0;
  while (dot <= 16) {
    let end: u32 = 0;
    while (end < 16) {
      const row = table + (dot << 8) + (end << 4);
      if (dot > 0 && dot + scale <= 16 && end >= dot && end <= dot + 1 + scale + BEYOND) fillRow(row, dot, end, scale);
      else v128.store(row, i8x16.splat(<u8>min(dot, 15)));
      end++;
    }
    dot++;
  }
  return table;
}

function fillRow(row: u32, dot: u32, end: u32, decimals: u32): void {
  v128.store(row, i8x16.splat(NOTHING));
  const unit = 16 - decimals;
  let k: u32 = 0;
  while (k < dot) {
    store<u8>(row + unit - dot + k, <u8>k);
    k++;
  }
  k = dot + 1;
  while (k < end) {
    const place = k - dot - 1;
    store<u8>(place < decimals ? row + unit + place : row + place - decimals, <u8>k);
    k++;
  }
}

/** Sixteen digits, by their values, as two numbers of eight, in the first two lanes. */
@inline
export function sums(digits: v128, tens: v128, hundreds: v128, myriads: v128): v128 {
  // the upper byte of each product is ten times the first digit and the second
  const pairs = i16x8.shr_u(i16x8.mul(digits, tens), 8);
  const fours = i32x4.dot_i16x8_s(pairs, hundreds);
  return i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), myriads);
}

/** Sixteen digits, by their values, as one number. */
@inline
export function parse16(digits: v128): u64 {
  const both = sums(digits, v128.load(TENS), v128.load(HUNDREDS), v128.load(MYRIADS));
  const x = <u64>i64x2.extract_lane(both, 0);
  return (x & 0xffffffff) * 100000000 + (x >> 32);
}

/** Sixteen bytes, the digits among them as their values and all others above nine. */
@inline
export function values(p: u32): v128 {
  return i8x16.sub(v128.load(p), v128.load(ZEROS));
}

/** Bit per byte that is no digit, of `values`. */
@inline
export function others(x: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.add_sat_u(x, v128.load(ABOVE_NINE)));
}

const integers = tableOf(0);

/** A plain JSON integer: no sign, no leading zero, below 2^53. */
export function readInteger(p: u32): u64 {
  const x = values(p);
  const m = others(x);
  if (m === 0) return readSixteen(p, x);
  const n = ctz(m);
  if (n === 0 || (n > 1 && load<u8>(p) === 0x30)) return 0;
  return parse16(i8x16.swizzle(x, v128.load(integers + (n << 8) + (n << 4)))) | (<u64>n << TOOK);
}

/** How many digits the plain JSON integer at `p` has; 0 where there is none, or one of more than fifteen. */
@inline
export function digitsAt(p: u32): u32 {
  const n = ctz(others(values(p)));
  return n > 15 || (n > 1 && load<u8>(p) === 0x30) ? 0 : n;
}

function readSixteen(p: u32, x: v128): u64 {
  if (load<u8>(p) === 0x30 || <u8>(load<u8>(p, 16) - 0x30) < 10) return 0;
  const value = parse16(x);
  return value > MAX ? 0 : value | (<u64>16 << TOOK);
}

/** A plain decimal closed by a quote, scaled by 10^decimals; the bytes taken include the quote. `table` is the scale's. */
export function readDecimal(p: u32, decimals: u32, table: u32): u64 {
  const x = values(p);
  const m = others(x);
  const dot = ctz(m);
  let end = dot;
  if (load<u8>(p + dot) === DOT) {
    end = ctz(m & (m - 1));
    if (!isScaled(x, dot, end, decimals)) return readLong(p, decimals);
  }
  if (dot + decimals > 16) return readLong(p, decimals);
  if (dot === 0 || load<u8>(p + end) !== QUOTE) return 0;
  const value = parse16(i8x16.swizzle(x, v128.load(table + (dot << 8) + (end << 4))));
  return value > MAX ? 0 : value | (<u64>(end + 1) << TOOK);
}

/** Whether a number of `values` has no decimals beyond the scale, or zeros alone and no more than a row has places for. */
@inline
export function isScaled(x: v128, dot: u32, end: u32, decimals: u32): bool {
  const kept = dot + 1 + decimals;
  if (end <= kept) return true;
  if (end > 15 || end - kept > BEYOND) return false;
  const zeros = <u32>i8x16.bitmask(i8x16.eq(x, i8x16.splat(0)));
  return (~zeros & ((1 << end) - (1 << kept))) === 0;
}

/** A JSON number of up to fifteen bytes without sign and with no more decimals than the scale has; what follows it is the caller's to judge. */
export function readBareDecimal(p: u32, decimals: u32, table: u32): u64 {
  const x = values(p);
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
