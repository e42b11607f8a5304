/** One side of a book: a ladder with an occupancy bitmap, and the levels it does not reach. */
import { LADDER_SUMMARY, LADDER_TICKS, type SideRoom } from '../model/book-room.js';
import { FarLevels } from './far-levels.js';

const WINDOW = LADDER_TICKS;
const SUMMARY = LADDER_SUMMARY;

export interface Ladder {
  /** size by index */
  readonly sizes: Float64Array;
  /** bit per index that is occupied, and bit per word that may be */
  readonly words: Int32Array;
  readonly summary: Int32Array;
  /** levels outside the ladder or off the tick grid */
  readonly far: FarLevels;
  /** of `far`, those off the tick grid: they may lie inside the ladder's range */
  odd: number;
}

export function createLadder({ sizes, words, summary, far }: SideRoom): Ladder {
  return { sizes, words, summary, far: new FarLevels(far), odd: 0 };
}

export function clearLadder(ladder: Ladder): void {
  const { sizes, words, summary } = ladder;
  // only around levels: a thin book never touches most of its ladder
  for (let s = 0; s < SUMMARY; s++) if (summary[s] !== 0) sizes.fill(0, s << 10, (s + 1) << 10);
  words.fill(0);
  summary.fill(0);
  ladder.far.clear();
  ladder.odd = 0;
}

/** Highest set bit of a non-zero word. */
const top = (word: number): number => 31 - Math.clz32(word);
/** Lowest set bit of a non-zero word. */
const bottom = (word: number): number => 31 - Math.clz32(word & -word);

/** Largest occupied index <= from, or -1. */
export function below({ words, summary }: Ladder, from: number): number {
  if (from < 0) return -1;
  const w = from >> 5;
  const masked = words[w] & (0xffffffff >>> (31 - (from & 31)));
  if (masked !== 0) return (w << 5) + top(masked);
  let s = w >> 5;
  const low = w & 31;
  let bits = low === 0 ? 0 : summary[s] & (0xffffffff >>> (32 - low));
  for (;;) {
    while (bits !== 0) {
      const bit = top(bits);
      const word = words[(s << 5) + bit];
      if (word !== 0) return (((s << 5) + bit) << 5) + top(word);
      bits &= ~(1 << bit);
      summary[s] &= ~(1 << bit);
    }
    if (--s < 0) return -1;
    bits = summary[s];
  }
}

/** Smallest occupied index >= from, or one beyond the ladder. */
export function above({ words, summary }: Ladder, from: number): number {
  if (from >= WINDOW) return WINDOW;
  const w = from >> 5;
  const masked = words[w] & (0xffffffff << (from & 31));
  if (masked !== 0) return (w << 5) + bottom(masked);
  let s = w >> 5;
  const high = w & 31;
  let bits = high === 31 ? 0 : summary[s] & (0xffffffff << (high + 1));
  for (;;) {
    while (bits !== 0) {
      const bit = bottom(bits);
      const word = words[(s << 5) + bit];
      if (word !== 0) return (((s << 5) + bit) << 5) + bottom(word);
      bits &= bits - 1;
      summary[s] &= ~(1 << bit);
    }
    if (++s >= SUMMARY) return WINDOW;
    bits = summary[s];
  }
}

/** Sum of up to `limit` > 0 sizes from index `best` downwards; NaN where there are fewer. */
export function sumDown(ladder: Ladder, best: number, limit: number): number {
  const { sizes, words } = ladder;
  let sum = 0;
  let n = 0;
  for (let index = best; index >= 0; index = below(ladder, ((index >> 5) << 5) - 1)) {
    const first = (index >> 5) << 5;
    let bits = words[index >> 5] & (0xffffffff >>> (31 - (index & 31)));
    while (bits !== 0) {
      const bit = top(bits);
      bits &= ~(1 << bit);
      sum += sizes[first + bit];
      if (++n === limit) return sum;
    }
  }
  return Number.NaN;
}

/** The same upwards. */
export function sumUp(ladder: Ladder, best: number, limit: number): number {
  const { sizes, words } = ladder;
  let sum = 0;
  let n = 0;
  for (let index = best; index < WINDOW; index = above(ladder, ((index >> 5) + 1) << 5)) {
    const first = (index >> 5) << 5;
    let bits = words[index >> 5] & (0xffffffff << (index & 31));
    while (bits !== 0) {
      const bit = bottom(bits);
      bits &= bits - 1;
      sum += sizes[first + bit];
      if (++n === limit) return sum;
    }
  }
  return Number.NaN;
}
