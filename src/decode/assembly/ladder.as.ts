/**
 * Setting levels on the price ladders of a book: the same loop as in `market/book.ts` on the same arrays, at about half the
 * time, since nothing has to be checked that the compiler knows here.
 */
import { RESULTS, TOLD } from './memory';

const TICKS: i32 = 32768;
const WORDS_AT: u32 = TICKS << 3;
const SUMMARY_AT: u32 = WORDS_AT + (TICKS >> 3);
const SUMMARY: i32 = TICKS >> 10;

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

/**
 * @param levels address of the first pair @param first what the book calls it @param count pairs
 * @returns the best occupied index
 */
export function applyLevels(
  side: i32,
  ladder: u32,
  levels: u32,
  first: f64,
  count: u32,
  zero: f64,
  inverse: f64,
  tick: f64,
  best: i32,
  low: f64,
  high: f64,
): i32 {
  let at = levels;
  const end = levels + (count << 4);
  told = 0;
  while (at < end) {
    const price = load<f64>(at);
    const size = load<f64>(at, 8);
    const distance = price - zero;
    // the sum's lowest bits are the nearest integer; what is none, or too large, does not give the distance back
    const index = <i32>reinterpret<i64>(distance * inverse + ROUND);
    if (<u32>index < <u32>TICKS && <f64>index * tick === distance) {
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
    } else tell(-1 - first - <f64>((at - levels) >> 3), 0);
    at += 16;
  }
  store<u32>(RESULTS, told, 12);
  return best;
}
