/**
 * Diagonal imbalance of a footprint: buyers lift the ask while sellers hit the bid a step lower, so what was bought at a price is held
 * against what was sold a bin below it, and what was sold against what was bought a bin above.
 */
import type { FootprintBar } from './footprint-bar.js';

/** What a cell without a trade counts as where it is the one held against: nothing to compare with, one lot, or nothing at all. */
export const ZERO_RULES = ['ignore', 'floor', 'infinite'] as const;
export type ZeroRule = (typeof ZERO_RULES)[number];

export interface DiagonalRules {
  /** a cell is imbalanced from so many times the one it is held against */
  theta: number;
  zero: ZeroRule;
  /** scaled size of one lot */
  lot: number;
  /** smaller cells count for nothing; scaled */
  least: number;
}

/**
 * Whether the buys (side 1) or sells (-1) of bin `i` are imbalanced. At the edge of the bar, where there is no bin to hold them
 * against, they are not. Ratios are single divisions of exact integers, so units do not change a verdict.
 */
export function isImbalanced(bar: FootprintBar, i: number, side: number, rules: DiagonalRules): boolean {
  const beside = i - side;
  if (beside < 0 || beside >= bar.bins) return false;
  const size = side > 0 ? bar.buyAt(i) : bar.sellAt(i);
  if (!(size > 0 && size >= rules.least)) return false;
  const opposed = opposedAt(bar, i, side);
  if (opposed === 0 && rules.zero === 'ignore') return false;
  return size / (rules.zero === 'floor' ? Math.max(opposed, rules.lot) : opposed) >= rules.theta;
}

/** What the buys (side 1) or sells (-1) of bin `i` are held against: the other side of the bin a step back. */
export function opposedAt(bar: FootprintBar, i: number, side: number): number {
  return side > 0 ? bar.sellAt(i - 1) : bar.buyAt(i + 1);
}

/** How many cells of a side are imbalanced. */
export function imbalancedCells(bar: FootprintBar, side: number, rules: DiagonalRules): number {
  let count = 0;
  for (let i = 0; i < bar.bins; i++) if (isImbalanced(bar, i, side, rules)) count++;
  return count;
}

/** Bins `from` to `to`, both inside. */
export interface Stack {
  from: number;
  to: number;
}

/** Runs of at least `least` neighbouring bins that are imbalanced to one side, lowest first. */
export function stacksOf(bar: FootprintBar, side: number, least: number, rules: DiagonalRules): Stack[] {
  const stacks: Stack[] = [];
  let from = 0;
  for (let i = 0; i <= bar.bins; i++) {
    if (i < bar.bins && isImbalanced(bar, i, side, rules)) continue;
    if (i - from >= least) stacks.push({ from, to: i - 1 });
    from = i + 1;
  }
  return stacks;
}
