/**
 * The ladders of a book: the same loops as in `market/book.ts` and `market/ladder.ts` on the same arrays, at about half the
 * time, since nothing has to be checked that the compiler knows here.
 */
import { setFar } from './far';
import { TOLD } from './memory';

const TICKS: i32 = 32768;
const WORDS_AT: u32 = TICKS << 3;
const SUMMARY_AT: u32 = WORDS_AT + (TICKS >> 3);
const SUMMARY: i32 = TICKS >> 10;
const FAR_AT: u32 = SUMMARY_AT + (TICKS >> 8);
/** slots of a side's table of far levels */
const FAR_SLOTS: u32 = 8192;
/** the state of a book stands before its sides */
const STATE_BYTES: u32 = 64;
const SIDE_BYTES: u32 = FAR_AT + (FAR_SLOTS << 4);
/** nearer to the ladder's edge than this, the book moves the ladder */
const MARGIN: i32 = TICKS >> 3;

// In the state: best indices of both sides, whether the ladder has to be moved, and of each far table the levels held.
const EDGE_AT: u32 = 8;
const FAR_STATE_AT: u32 = 12;

/** 1.5 × 2^52: a number added to it is rounded to an integer */
const ROUND: f64 = 6755399441055744;

/** entries in the list of what the book has to look at */
let told: u32 = 0;

@inline
function tell(at: f64, before: f64): void {
  const entry = TOLD + (told << 4);
  store<f64>(entry, at);
  store<f64>(entry, before, 8);
  told++;
}

/** Largest occupied index below `index`, or -1. */
function below(ladder: u32, index: i32): i32 {
  let w = index >> 5;
  let bits = load<u32>(ladder + WORDS_AT + (w << 2)) & ((1 << (index & 31)) - 1);
  if (bits !== 0) return (w << 5) + 31 - clz(bits);
  let s = w >> 5;
  let maybe = load<u32>(ladder + SUMMARY_AT + (s << 2)) & ((1 << (w & 31)) - 1);
  while (s >= 0) {
    while (maybe !== 0) {
      const bit = 31 - clz(maybe);
      w = (s << 5) + bit;
      bits = load<u32>(ladder + WORDS_AT + (w << 2));
      if (bits !== 0) return (w << 5) + 31 - clz(bits);
      maybe ^= 1 << bit;
      const at = ladder + SUMMARY_AT + (s << 2);
      store<u32>(at, load<u32>(at) & ~(1 << bit));
    }
    s--;
    maybe = s >= 0 ? load<u32>(ladder + SUMMARY_AT + (s << 2)) : 0;
  }
  return -1;
}

/** Smallest occupied index above `index`, or TICKS. */
function above(ladder: u32, index: i32): i32 {
  let w = index >> 5;
  let bits = load<u32>(ladder + WORDS_AT + (w << 2)) & ~(((2 << (index & 31)) as u32) - 1);
  if (bits !== 0) return (w << 5) + ctz(bits);
  let s = w >> 5;
  let maybe = load<u32>(ladder + SUMMARY_AT + (s << 2)) & ~(((2 << (w & 31)) as u32) - 1);
  while (s < SUMMARY) {
    while (maybe !== 0) {
      const bit = ctz(maybe);
      w = (s << 5) + bit;
      bits = load<u32>(ladder + WORDS_AT + (w << 2));
      if (bits !== 0) return (w << 5) + ctz(bits);
      maybe &= maybe - 1;
      const at = ladder + SUMMARY_AT + (s << 2);
      store<u32>(at, load<u32>(at) & ~(1 << bit));
    }
    s++;
    maybe = s < SUMMARY ? load<u32>(ladder + SUMMARY_AT + (s << 2)) : 0;
  }
  return TICKS;
}

/** Sets the pairs `[levels, end)` of a side; `first` is what the book calls the first of them. Inlined, so that each side has its own loop. */
@inline
function applySide(
  side: i32,
  book: u32,
  levels: u32,
  end: u32,
  first: f64,
  zero: f64,
  inverse: f64,
  tick: f64,
  low: f64,
  high: f64,
): void {
  const ladder = book + STATE_BYTES + (side === 0 ? 0 : SIDE_BYTES);
  const far = book + FAR_STATE_AT + (side << 3);
  const before = load<i32>(book + (side << 2));
  let best = before;
  let at = levels;
  while (at < end) {
    const price = load<f64>(at);
    const size = load<f64>(at, 8);
    const distance = price - zero;
    // the sum's lowest bits are the nearest integer; what is none, or too large, does not give the distance back
    const index = <i32>reinterpret<i64>(distance * inverse + ROUND);
    if (<f64>index * tick !== distance) tell(-1 - first - <f64>((at - levels) >> 3), 0);
    else if (<u32>index < <u32>TICKS) {
      const place = ladder + (index << 3);
      const word = ladder + WORDS_AT + ((index >> 5) << 2);
      const bit: u32 = 1 << (index & 31);
      const bits = load<u32>(word);
      if (price >= low && price <= high) tell(first + <f64>((at - levels) >> 3), load<f64>(place));
      store<f64>(place, size);
      if (size > 0) {
        // set already as a rule: without the stores the next level need not wait for them
        if ((bits & bit) === 0) {
          store<u32>(word, bits | bit);
          const summary = ladder + SUMMARY_AT + ((index >> 10) << 2);
          store<u32>(summary, load<u32>(summary) | (1 << ((index >> 5) & 31)));
        }
        if (side === 0 ? index > best : index < best) best = index;
      } else {
        store<u32>(word, bits & ~bit);
        if (index === best) best = side === 0 ? below(ladder, index) : above(ladder, index);
      }
    } else {
      const known = setFar(ladder + FAR_AT, ladder + FAR_AT + (FAR_SLOTS << 3), far, price, size);
      if (known < 0) tell(-1 - first - <f64>((at - levels) >> 3), 0);
      else {
        if (size > 0 && (best === (side === 0 ? -1 : TICKS) || (side === 0 ? index >= TICKS : index < 0)))
          store<i32>(book, 1, EDGE_AT);
        if (price >= low && price <= high) tell(first + <f64>((at - levels) >> 3), known);
      }
    }
    at += 16;
  }
  if (best === before) return;
  store<i32>(book + (side << 2), best);
  if ((best < MARGIN || best >= TICKS - MARGIN) && (best !== (side === 0 ? -1 : TICKS) || load<i32>(far) > 0))
    store<i32>(book, 1, EDGE_AT);
}

/** What `FastBook.apply` of `model/book-room.ts` promises, for the book at `book`. */
export function applyBook(
  book: u32,
  levels: u32,
  first: f64,
  bids: u32,
  asks: u32,
  zero: f64,
  inverse: f64,
  tick: f64,
  low: f64,
  high: f64,
): u32 {
  told = 0;
  const middle = levels + (bids << 4);
  applySide(0, book, levels, middle, first, zero, inverse, tick, low, high);
  applySide(1, book, middle, middle + (asks << 4), first + <f64>(bids << 1), zero, inverse, tick, low, high);
  return told;
}

/** Sum of the best `limit` sizes on a side's ladder; NaN where there are fewer. */
export function topVolume(book: u32, side: i32, limit: i32): f64 {
  const ladder = book + STATE_BYTES + (side === 0 ? 0 : SIDE_BYTES);
  let index = load<i32>(book + (side << 2));
  let sum: f64 = 0;
  let n = limit;
  if (side === 0) {
    while (index >= 0) {
      const first = (index >> 5) << 5;
      let bits = load<u32>(ladder + WORDS_AT + (first >> 3)) & (<u32>0xffffffff >> (31 - (index & 31)));
      while (bits !== 0) {
        const bit = 31 - clz(bits);
        bits ^= 1 << bit;
        sum += load<f64>(ladder + ((first + bit) << 3));
        if (--n === 0) return sum;
      }
      index = below(ladder, first);
    }
    return NaN;
  }
  while (index < TICKS) {
    const first = (index >> 5) << 5;
    let bits = load<u32>(ladder + WORDS_AT + (first >> 3)) & (<u32>0xffffffff << (index & 31));
    while (bits !== 0) {
      const bit = ctz(bits);
      bits &= bits - 1;
      sum += load<f64>(ladder + ((first + bit) << 3));
      if (--n === 0) return sum;
    }
    index = above(ladder, first + 31);
  }
  return NaN;
}
