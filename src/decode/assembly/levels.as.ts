/** Reading the levels of a book message: the hottest loop there is, so price and size of a level are added up together. */
import { GUESSES, LEVEL_ROOM, LEVELS, TOLD } from './memory';
import {
  digitsAt,
  HUNDREDS,
  LARGEST_DIGIT,
  lowTableOf,
  MYRIADS,
  NIBBLE,
  readBareDecimal,
  readDecimal,
  sums,
  TEN,
  TO_SMALLEST,
  VALUE,
} from './numbers';
import { levelCount, priceDecimals, priceTable, setLevels, sizeDecimals, sizeTable } from './state';

const DOT: u8 = 0x2e;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const ZERO: u8 = 0x30;
const BRACKET: u8 = 0x5d;
/** `","` and `"],["`, as they stand between price and size and between two levels; `],[` where nothing is quoted */
const BETWEEN: u32 = 0x222c22;
const NEXT: u64 = 0x225b2c5d22;
const NEXT_MASK: u64 = 0xffffffffff;
const BARE_NEXT: u32 = 0x5b2c5d;
/** Numbers of up to eight digits on scales of up to seven decimals take the short way. */
const SHORT: u32 = 8;

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
 * A level of the usual length is read without branches that depend on its digits; any other takes `readLong`. Inlined, so that each way
 * of writing has its own loop.
 */
@inline
function readEach(p: u32, to: u32, quoted: bool, tailed: bool): u32 {
  const quote: u32 = quoted ? 1 : 0;
  const head = load<u16>(p);
  if (head === 0x5d5b) return p + 2;
  if (head !== 0x5b5b || (quoted && load<u8>(p, 2) !== QUOTE)) return 0;
  p += 2 + quote;
  const pd = priceDecimals;
  const sd = sizeDecimals;
  const pt = lowTableOf(pd);
  const st = sizeTable;
  // digits before the dot that leave room for the decimals
  const pn = pd < SHORT ? SHORT - pd : 0;
  const sn = sd < SHORT ? SHORT - sd : 0;
  const toSmallest = v128.load(TO_SMALLEST);
  const largest = v128.load(LARGEST_DIGIT);
  const nibble = v128.load(NIBBLE);
  const ten = v128.load(TEN);
  const hundreds = v128.load(HUNDREDS);
  const myriads = v128.load(MYRIADS);
  let at = LEVELS + (levelCount << 4);
  const end = LEVELS + (LEVEL_ROOM << 4);
  // Lengths of the last price and size. They are guesses for the next: where they are right, and they nearly always are, the
  // processor begins with the next level before this one is read, since it need not wait for where it ends.
  let priceEnd = load<u32>(GUESSES);
  let sizeEnd = load<u32>(GUESSES, 4);
  let more = true;
  let long = false;
  while (more) {
    // no call in the inner loop: its vectors would have to be kept in memory around it
    if (long) {
      p = readLong(p, at, pd, sd, quoted, tailed);
      if (p === 0) return 0;
      at += 16;
      more = isNext(p, quoted);
      if (more) p += 3 + 2 * quote;
      long = false;
    }
    let go = more;
    while (go) {
      if (at === end || p >= to) return 0;
      const x = v128.load(p);
      const xm = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(x, toSmallest), largest));
      const xd = ctz(xm);
      const xe = load<u8>(p + xd) === DOT ? ctz(xm & (xm - 1)) : xd;
      if (xe !== priceEnd) {
        // the store keeps this a branch
        store<u32>(GUESSES, xe);
        priceEnd = xe;
      }
      const q = p + priceEnd + 1 + 2 * quote;
      const y = v128.load(q);
      const ym = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(y, toSmallest), largest));
      const yd = ctz(ym);
      const ye = quoted && load<u8>(q + yd) === DOT ? ctz(ym & (ym - 1)) : yd;
      // unsigned: a number that begins with its dot, or has none within sixteen bytes, is out of range as well
      long = xd - 1 >= pn || xe - xd > pd + 1 || yd - 1 >= sn || ye - yd > sd + 1;
      let close: u32 = 0;
      let ends: u32 = ym;
      if (tailed) {
        // Sizes of these venues have any length: a guess would be wrong so often that it takes less time to wait for the level's bracket,
        // which without quotes is the second byte that is no digit.
        if (quoted) {
          const z = v128.load(q, 16);
          ends |= <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(z, toSmallest), largest)) << 16;
          close = bracketsIn(y) | (bracketsIn(z) << 16);
        } else close = ym & (ym - 1);
        long = long || close === 0 || (!quoted && load<u8>(q + yd) === DOT);
      } else if (ye !== sizeEnd) {
        store<u32>(GUESSES, ye, 4);
        sizeEnd = ye;
      }
      if (long) go = false;
      else {
        if (!isBetween(p + xe, quoted)) return 0;
        if (!quoted && (isOdd(p, xd, xe) || isOdd(q, yd, ye))) return 0;
        const price = i8x16.swizzle(x, v128.load(pt + (xd << 8) + (xe << 4)));
        const size = i8x16.swizzle(y, v128.load(st + (yd << 8) + (ye << 4)));
        const both = sums(v128.or(price, size), nibble, ten, hundreds, myriads);
        v128.store(at, f64x2.convert_low_i32x4_s(both));
        at += 16;
        if (tailed && !isTail(q, ye, ctz(close) - quote, ends, quoted)) return 0;
        p = q + (tailed ? ctz(close) - quote : sizeEnd);
        more = isNext(p, quoted);
        go = more;
        if (more) p += 3 + 2 * quote;
      }
    }
  }
  // `p` is at the quote that closes the last size, or at the bracket behind it
  if (load<u16>(p + quote) !== 0x5d5d || (quoted && load<u8>(p) !== QUOTE)) return 0;
  setLevels((at - LEVELS) >> 4);
  return p + 2 + quote;
}

@inline
function bracketsIn(x: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(x, i8x16.splat(BRACKET)));
}

@inline
function isBetween(p: u32, quoted: bool): bool {
  return quoted ? (load<u32>(p) & 0xffffff) === BETWEEN : load<u8>(p) === COMMA;
}

@inline
function isNext(p: u32, quoted: bool): bool {
  return quoted ? (load<u64>(p) & NEXT_MASK) === NEXT : (load<u32>(p) & 0xffffff) === BARE_NEXT;
}

/** What is no JSON number: a dot without digits behind it, a zero before other digits. */
@inline
function isOdd(p: u32, dot: u32, end: u32): bool {
  return end - dot === 1 || (dot > 1 && load<u8>(p) === ZERO);
}

@inline
function isInteger(p: u32, digits: u32): bool {
  return digits === 1 || (digits > 0 && load<u8>(p) !== ZERO);
}

/**
 * Whether integers and nothing else stand between the size that ends at `p + i` and `p + to`: any number of them in quotes, or one
 * without. `ends` has a bit per byte from `p` on that is no digit; the bracket behind is one.
 */
@inline
function isTail(p: u32, i: u32, to: u32, ends: u32, quoted: bool): bool {
  if (!quoted) return load<u8>(p + i) === COMMA && isInteger(p + i + 1, to - i - 1);
  while (i < to && isBetween(p + i, true)) i += 3 + ctz(ends >> (i + 3));
  return i === to;
}

/** Puts `asks` pairs, which stand from pair `first` on, behind the `bids` that follow them. */
export function swapLevels(first: u32, asks: u32, bids: u32): void {
  const at = LEVELS + (first << 4);
  // what a book is told later has room for as many pairs
  memory.copy(TOLD, at, asks << 4);
  memory.copy(at, at + (asks << 4), bids << 4);
  memory.copy(at + (bids << 4), TOLD, asks << 4);
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
