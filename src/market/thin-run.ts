/** Thin runs: buckets of the depth profile in a row, near the touch, that hold far less than they usually do. */
import type { BookSide } from './book.js';
import { BUCKETS, type DepthProfile } from './depth-profile.js';

export interface ThinRules {
  /** a bucket is thin at this share of its usual size */
  readonly thin: number;
  /** thin buckets in a row, and among how many next to the touch the first of them must be */
  readonly run: number;
  readonly near: number;
}

/** The first bucket of a run, and the first one behind it. */
export interface ThinRun {
  readonly first: number;
  readonly end: number;
}

/** The nearest thin run of a side; null where there is none, or where it is not known what is usual. */
export function thinRun(profile: DepthProfile, side: BookSide, { thin, run, near }: ThinRules): ThinRun | null {
  for (let first = 0; first < near; ) {
    let end = first;
    while (end < BUCKETS && isThin(profile, side, end, thin)) end++;
    if (end - first >= run) return { first, end };
    first = end + 1;
  }
  return null;
}

function isThin(profile: DepthProfile, side: BookSide, j: number, share: number): boolean {
  const usual = profile.usual(side, j);
  return usual > 0 && profile.size(side, j) <= share * usual;
}
