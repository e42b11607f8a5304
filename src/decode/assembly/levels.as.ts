/** Reading the levels of a book message: the hottest loop there is, so price and size of a level are added up together. */
import { LEVEL_ROOM, LEVELS, TOLD } from './memory';
import {
  ABOVE_NINE,
  BRACKETS,
  digitsAt,
  HUNDREDS,
  isScaled,
  MYRIADS,
  readBareDecimal,
  readDecimal,
  sums,
  TENS,
  VALUE,
  ZEROS,
} from './numbers';
import { levelCount, priceDecimals, priceTable, setLevels, sizeDecimals, sizeTable } from './state';

/** bits of bytes that are taken for no digits: so every number ends within its sixteen bytes, and a longer one is not closed there */
const LAST_ENDS: u32 = 0x18000;
const DOT: u8 = 0x2e;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const ZERO: u8 = 0x30;
/** `","` and `"],["`, as they stand between price and size and between two levels; `],[` where nothing is quoted */
const BETWEEN: u32 = 0x222c22;
const NEXT: u64 = 0x225b2c5d22 << 24;
const BARE_NEXT: u32 = 0x5b2c5d;
/** `","0","`, four bytes and the last four: what usually stands between a size and the one integer that ends its level */
const TAIL: u32 = 0x30222c22;
const TAIL_REST: u32 = 0x222c2230;

/** `[["price","size"],…]` at `p`, appended to the levels. @returns the address behind it, or 0 */
export function readLevels(p: u32, to: u32): u32 {
  return readEach(p, to, true, false);
}

/** The same where plain integers in quotes may follow price and size, which nobody reads. */
export function readWideLevels(p: u32, to: u32): u32 {
  return readEach(p, to, true, true);
}

/** The same with numbers that are not in quotes, of which one more, a plain integer, stands behind the size. */
export function readBareLevels(p: u32, to: u32): u32 {
  return readEach(p, to, false, true);
}

/**
 * A level as usual is read without branches that depend on its digits or on their number; whatever differs is for `readLong` to judge.
 * Inlined, so that each way of writing has its own loop.
 */
@inline
function readEach(p: u32, to: u32, quoted: bool, tailed: bool): u32 {
  const quote: u32 = quoted ? 1 : 0;
  const head = load<u16>(p);
  if (head === 0x5d5b) return p + 2;
  if (head !== 0x5b5b || (quoted && load<u8>(p, 2) !== QUOTE)) return 0;
  p += 2 + quote;
  const pt = priceTable;
  const st = sizeTable;
  const zeros = v128.load(ZEROS);
  const aboveNine = v128.load(ABOVE_NINE);
  const brackets = v128.load(BRACKETS);
  const tens = v128.load(TENS);
  const hundreds = v128.load(HUNDREDS);
  const myriads = v128.load(MYRIADS);
  // from its first digit to its bracket no usual level is shorter
  const least: u32 = tailed ? (quoted ? 14 : 5) : 6;
  let at = LEVELS + (levelCount << 4);
  const end = LEVELS + (LEVEL_ROOM << 4);
  while (true) {
    // no call in the inner loop: its vectors would have to be kept in memory around it
    while (true) {
      if (p >= to) return 0;
      // Where the level ends is found before anything else of it is read, whatever lengths its numbers have: so the processor begins with
      // the next one meanwhile. A guess of the lengths is wrong too often: most venues leave out zeros at the end of a decimal.
      let n = <u32>i8x16.bitmask(i8x16.eq(v128.load(p + least), brackets));
      let close = p + least;
      if (n === 0) {
        close += 16;
        n = <u32>i8x16.bitmask(i8x16.eq(v128.load(close), brackets));
      }
      close += ctz(n);
      const x = i8x16.sub(v128.load(p), zeros);
      const xm = <u32>i8x16.bitmask(i8x16.add_sat_u(x, aboveNine)) | LAST_ENDS;
      const xd = ctz(xm);
      const xe = load<u8>(p + xd) === DOT ? ctz(xm & (xm - 1)) : xd;
      const q = p + xe + 1 + 2 * quote;
      const y = i8x16.sub(v128.load(q), zeros);
      const ym = <u32>i8x16.bitmask(i8x16.add_sat_u(y, aboveNine)) | LAST_ENDS;
      const yd = ctz(ym);
      const ye = load<u8>(q + yd) === DOT ? ctz(ym & (ym - 1)) : yd;
      const price = i8x16.swizzle(x, v128.load(pt + (xd << 8) + (xe << 4)));
      const size = i8x16.swizzle(y, v128.load(st + (yd << 8) + (ye << 4)));
      if (!quoted && (isOdd(p, xd, xe) || isOdd(q, yd, ye))) break;
      if (!isBetween(p + xe, quoted)) break;
      // where the last number ends
      let e = q + ye;
      if (tailed) {
        if (quoted) {
          if (load<u32>(e) !== TAIL) break;
          if (load<u32>(e, 3) !== TAIL_REST) break;
          e += 7;
        } else {
          if (load<u8>(e) !== COMMA) break;
          e += 1;
        }
        const digits = ctz(<u32>i8x16.bitmask(i8x16.add_sat_u(i8x16.sub(v128.load(e), zeros), aboveNine)));
        if (digits > 15) break; // it ends elsewhere
        if (!quoted && !isInteger(e, digits)) break;
        e += digits;
      }
      // further on than a level reaches that is as usual, or nearer, where another tail ends
      if (e + quote !== close) break;
      if (at === end) return 0;
      if (i64x2.extract_lane(v128.or(price, size), 0) === 0) {
        const digits = v128.shuffle<u64>(price, size, 1, 3);
        v128.store(at, f64x2.convert_low_i32x4_s(sums(digits, tens, hundreds, myriads)));
      } else {
        // more than eight digits, or decimals that the scale has not
        if (!fits(x, xd, xe, priceDecimals) || !fits(y, yd, ye, sizeDecimals)) break;
        const a = sums(price, tens, hundreds, myriads);
        const b = sums(size, tens, hundreds, myriads);
        const upper = f64x2.convert_low_i32x4_s(v128.shuffle<u32>(a, b, 0, 4, 0, 4));
        const lower = f64x2.convert_low_i32x4_s(v128.shuffle<u32>(a, b, 1, 5, 1, 5));
        v128.store(at, f64x2.add(f64x2.mul(upper, f64x2.splat(100000000)), lower));
      }
      if (!isNext(e, quoted)) return endOf(e, at + 16, quoted);
      at += 16;
      p = close + 3 + quote;
    }
    if (at === end) return 0;
    p = readLong(p, at, priceDecimals, sizeDecimals, quoted, tailed);
    if (p === 0) return 0;
    at += 16;
    if (!isNext(p, quoted)) return endOf(p, at, quoted);
    p += 3 + 2 * quote;
  }
}

/** Ends the levels, whose last is stored before `at` and closed by the quote at `p`, or the bracket. @returns the address behind them, or 0 */
@inline
function endOf(p: u32, at: u32, quoted: bool): u32 {
  const quote: u32 = quoted ? 1 : 0;
  if (load<u16>(p + quote) !== 0x5d5d || (quoted && load<u8>(p) !== QUOTE)) return 0;
  setLevels((at - LEVELS) >> 4);
  return p + 2 + quote;
}

@inline
function isBetween(p: u32, quoted: bool): bool {
  return quoted ? (load<u32>(p) & 0xffffff) === BETWEEN : load<u8>(p) === COMMA;
}

@inline
function isNext(p: u32, quoted: bool): bool {
  return quoted ? load<u64>(p) << 24 === NEXT : (load<u32>(p) & 0xffffff) === BARE_NEXT;
}

/** Whether a number has at least one digit and at most fifteen on its scale, so that its table has a row for it. */
@inline
function fits(x: v128, dot: u32, end: u32, decimals: u32): bool {
  return dot > 0 && dot + decimals < 16 && end < 16 && isScaled(x, dot, end, decimals);
}

/** What is no JSON number: a dot without digits behind it, a zero before other digits. */
@inline
function isOdd(p: u32, dot: u32, end: u32): bool {
  return end - dot === 1 || (dot > 1 && load<u8>(p) === ZERO);
}

/** Whether so many digits are a JSON integer. */
@inline
function isInteger(p: u32, digits: u32): bool {
  return digits === 1 || (digits > 0 && load<u8>(p) !== ZERO);
}

/** Puts `asks` pairs, which stand from pair `first` on, behind the `bids` that follow them. */
export function swapLevels(first: u32, asks: u32, bids: u32): void {
  const at = LEVELS + (first << 4);
  // what a book is told later has room for as many pairs
  move(TOLD, at, asks << 4);
  move(at, at + (asks << 4), bids << 4);
  move(at + (bids << 4), TOLD, asks << 4);
}

/** Copies pairs, in rising order: most are few, and `memory.copy` is a call of the engine that takes as long as a dozen of them. */
@inline
function move(to: u32, from: u32, bytes: u32): void {
  let i: u32 = 0;
  while (i < bytes) {
    v128.store(to + i, v128.load(from + i));
    i += 16;
  }
}

/** One level of any length, stored at `at`. @returns the address of the quote that closes its last number, or of the bracket; or 0 */
@inline
function readLong(p: u32, at: u32, pd: u32, sd: u32, quoted: bool, tailed: bool): u32 {
  const price = quoted ? readDecimal(p, pd, priceTable) : readBareDecimal(p, pd, priceTable);
  if (price === 0) return 0;
  // the bytes that a number in quotes took include the quote behind it
  p += <u32>(price >> 56);
  if (quoted ? load<u16>(p) !== 0x222c : load<u8>(p) !== COMMA) return 0;
  p += quoted ? 2 : 1;
  const size = quoted ? readDecimal(p, sd, sizeTable) : readBareDecimal(p, sd, sizeTable);
  if (size === 0) return 0;
  p += <u32>(size >> 56) - (quoted ? 1 : 0);
  store<f64>(at, <f64>(<i64>(price & VALUE)));
  store<f64>(at, <f64>(<i64>(size & VALUE)), 8);
  if (!tailed) return p;
  if (!quoted) {
    const digits = load<u8>(p) === COMMA ? digitsAt(p + 1) : 0;
    return digits === 0 ? 0 : p + 1 + digits;
  }
  while (isBetween(p, true)) p += 3 + digitsAt(p + 3);
  return p;
}
