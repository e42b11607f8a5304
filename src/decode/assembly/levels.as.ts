/** Reading the levels of a book message: the hottest loop there is, so price and size of a level are added up together. */
import { GUESSES, LEVEL_ROOM, LEVELS, TOLD } from './memory';
import {
  HUNDREDS,
  LARGEST_DIGIT,
  lowTableOf,
  MYRIADS,
  NIBBLE,
  others,
  readDecimal,
  sums,
  TEN,
  TO_SMALLEST,
  VALUE,
} from './numbers';
import { levelCount, priceDecimals, priceTable, setLevels, sizeDecimals, sizeTable } from './state';

const DOT: u8 = 0x2e;
/** `","` and `"],["`, as they stand between price and size and between two levels */
const BETWEEN: u32 = 0x222c22;
const NEXT: u64 = 0x225b2c5d22;
const NEXT_MASK: u64 = 0xffffffffff;
/** Numbers of up to eight digits on scales of up to seven decimals take the short way. */
const SHORT: u32 = 8;

/** `[["price","size"],…]` at `p`, appended to the levels. @returns the address behind it, or 0 */
export function readLevels(p: u32, to: u32): u32 {
  return readPairs(p, to, false);
}

/** The same where plain integers in quotes may follow price and size, which nobody reads. */
export function readWideLevels(p: u32, to: u32): u32 {
  return readPairs(p, to, true);
}

/**
 * A level of the usual length is read without branches that depend on its digits; any other takes `readDecimal` twice. Inlined, so that
 * each width has its own loop.
 */
@inline
function readPairs(p: u32, to: u32, wide: bool): u32 {
  const head = load<u16>(p);
  if (head === 0x5d5b) return p + 2;
  if (head !== 0x5b5b || load<u8>(p, 2) !== 0x22) return 0;
  p += 3;
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
  let tail = load<u32>(GUESSES, 8);
  let more = true;
  let long = false;
  while (more) {
    // no call in the inner loop: its vectors would have to be kept in memory around it
    if (long) {
      p = readLong(p, at, pd, sd);
      if (p === 0) return 0;
      at += 16;
      if (wide) p = behindTail(p);
      if (p === 0) return 0;
      more = (load<u64>(p) & NEXT_MASK) === NEXT;
      if (more) p += 5;
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
      const q = p + priceEnd + 3;
      const y = v128.load(q);
      const ym = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(y, toSmallest), largest));
      const yd = ctz(ym);
      const ye = load<u8>(q + yd) === DOT ? ctz(ym & (ym - 1)) : yd;
      if (ye !== sizeEnd) {
        store<u32>(GUESSES, ye, 4);
        sizeEnd = ye;
      }
      // unsigned: a number that begins with its dot, or has none within sixteen bytes, is out of range as well
      long = xd - 1 >= pn || xe - xd > pd + 1 || yd - 1 >= sn || ye - yd > sd + 1;
      if (long) go = false;
      else {
        if ((load<u32>(q - 3) & 0xffffff) !== BETWEEN) return 0;
        const price = i8x16.swizzle(x, v128.load(pt + (xd << 8) + (xe << 4)));
        const size = i8x16.swizzle(y, v128.load(st + (yd << 8) + (ye << 4)));
        const both = sums(v128.or(price, size), nibble, ten, hundreds, myriads);
        v128.store(at, f64x2.convert_low_i32x4_s(both));
        at += 16;
        p = q + sizeEnd;
        if (wide) {
          const behind = behindTail(p);
          if (behind === 0) return 0;
          if (behind - p !== tail) {
            tail = behind - p;
            store<u32>(GUESSES, tail, 8);
          }
          p += tail;
        }
        more = (load<u64>(p) & NEXT_MASK) === NEXT;
        go = more;
        if (more) p += 5;
      }
    }
  }
  // `p` is at the quote that closes the last size
  if ((load<u32>(p) & 0xffffff) !== 0x5d5d22) return 0;
  setLevels((at - LEVELS) >> 4);
  return p + 3;
}

/** From the quote that closes a size, over plain integers in quotes. @returns the address of the last one's closing quote, or 0 */
@inline
function behindTail(p: u32): u32 {
  while ((load<u32>(p) & 0xffffff) === BETWEEN) {
    const digits = others(v128.load(p, 3));
    const n = ctz(digits);
    // none, one with a zero before it, or one of sixteen digits and more
    if (n === 0 || digits === 0 || (n > 1 && load<u8>(p, 3) === 0x30) || load<u8>(p + n, 3) !== 0x22) return 0;
    p += 3 + n;
  }
  return p;
}

/** Puts `asks` pairs, which stand from pair `first` on, behind the `bids` that follow them. */
export function swapLevels(first: u32, asks: u32, bids: u32): void {
  const at = LEVELS + (first << 4);
  // what a book is told later has room for as many pairs
  memory.copy(TOLD, at, asks << 4);
  memory.copy(at, at + (asks << 4), bids << 4);
  memory.copy(at + (bids << 4), TOLD, asks << 4);
}

/** One level of any length, stored at `at`. @returns the address of the quote that closes the size, or 0 */
function readLong(p: u32, at: u32, pd: u32, sd: u32): u32 {
  const price = readDecimal(p, pd, priceTable);
  if (price === 0) return 0;
  p += <u32>(price >> 56);
  if (load<u16>(p) !== 0x222c) return 0;
  const size = readDecimal(p + 2, sd, sizeTable);
  if (size === 0) return 0;
  store<f64>(at, <f64>(<i64>(price & VALUE)));
  store<f64>(at, <f64>(<i64>(size & VALUE)), 8);
  return p + 1 + <u32>(size >> 56);
}
