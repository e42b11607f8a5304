/** Reading levels whose numbers stand without quotes; `levels.as.ts` says how a level is read. */
import { GUESSES, LEVEL_ROOM, LEVELS } from './memory';
import {
  digitsAt,
  HUNDREDS,
  LARGEST_DIGIT,
  lowTableOf,
  MYRIADS,
  NIBBLE,
  readBareDecimal,
  sums,
  TEN,
  TO_SMALLEST,
  VALUE,
} from './numbers';
import { levelCount, priceDecimals, priceTable, setLevels, sizeDecimals, sizeTable } from './state';

const DOT: u8 = 0x2e;
const COMMA: u8 = 0x2c;
const ZERO: u8 = 0x30;
/** `],[`, as it stands between two levels */
const NEXT: u32 = 0x5b2c5d;
const SHORT: u32 = 8;

/** `[[price,size,integer],…]` at `p`, price and size appended to the levels. @returns the address behind it, or 0 */
export function readBareLevels(p: u32, to: u32): u32 {
  const head = load<u16>(p);
  if (head === 0x5d5b) return p + 2;
  if (head !== 0x5b5b) return 0;
  p += 2;
  const pd = priceDecimals;
  const sd = sizeDecimals;
  const pt = lowTableOf(pd);
  const st = sizeTable;
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
  // Prices of a symbol nearly always have one length, which is guessed. Sizes are counts of any length: a guess would be wrong
  // so often that waiting for their end, with that of the integer behind them, was measured at two thirds of the time. One with a
  // dot takes the long way.
  let priceEnd = load<u32>(GUESSES);
  let more = true;
  let long = false;
  while (more) {
    if (long) {
      p = readLong(p, at, pd, sd);
      if (p === 0) return 0;
      at += 16;
      more = (load<u32>(p) & 0xffffff) === NEXT;
      if (more) p += 3;
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
      const q = p + priceEnd + 1;
      const y = v128.load(q);
      const ym = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(y, toSmallest), largest));
      const ye = ctz(ym);
      const behind = ctz(ym & (ym - 1));
      // unsigned: a number that begins with its dot, or has none within sixteen bytes, is out of range as well
      long = xd - 1 >= pn || xe - xd > pd + 1 || ye - 1 >= sn || load<u8>(q + ye) === DOT;
      if (long) go = false;
      else {
        if (load<u8>(q - 1) !== COMMA || load<u8>(q + ye) !== COMMA || behind > 15) return 0;
        if (isOdd(p, xd, xe) || isNoInteger(q, ye) || isNoInteger(q + ye + 1, behind - ye - 1)) return 0;
        const price = i8x16.swizzle(x, v128.load(pt + (xd << 8) + (xe << 4)));
        const size = i8x16.swizzle(y, v128.load(st + (ye << 8) + (ye << 4)));
        const both = sums(v128.or(price, size), nibble, ten, hundreds, myriads);
        v128.store(at, f64x2.convert_low_i32x4_s(both));
        at += 16;
        p = q + behind;
        more = (load<u32>(p) & 0xffffff) === NEXT;
        go = more;
        if (more) p += 3;
      }
    }
  }
  // `p` is at the bracket that closes the last level
  if (load<u16>(p) !== 0x5d5d) return 0;
  setLevels((at - LEVELS) >> 4);
  return p + 2;
}

/** What is no JSON number: a dot without digits behind it, a zero before other digits. */
@inline
function isOdd(p: u32, dot: u32, end: u32): bool {
  return end - dot === 1 || (dot > 1 && load<u8>(p) === ZERO);
}

@inline
function isNoInteger(p: u32, digits: u32): bool {
  return digits === 0 || (digits > 1 && load<u8>(p) === ZERO);
}

/** One level of any length, stored at `at`. @returns the address of the bracket that closes it, or 0 */
function readLong(p: u32, at: u32, pd: u32, sd: u32): u32 {
  const price = readBareDecimal(p, pd, priceTable);
  if (price === 0) return 0;
  p += <u32>(price >> 56);
  if (load<u8>(p) !== COMMA) return 0;
  const size = readBareDecimal(p + 1, sd, sizeTable);
  if (size === 0) return 0;
  p += 1 + <u32>(size >> 56);
  if (load<u8>(p) !== COMMA) return 0;
  const digits = digitsAt(p + 1);
  if (digits === 0) return 0;
  store<f64>(at, <f64>(<i64>(price & VALUE)));
  store<f64>(at, <f64>(<i64>(size & VALUE)), 8);
  return p + 1 + digits;
}
