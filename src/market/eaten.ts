/** What orders ate of the book as it was before them: which levels they exhausted, and how far the best ones fell. */
import type { PastBook } from './past-book.js';

export interface EatenRules {
  /** the best levels then, whose sum has to fall */
  readonly levels: number;
  /** a level is exhausted when this share of what it displayed was traded, and it was seen gone */
  readonly consumed: number;
}

/** Prices and sizes are scaled. */
export interface Eaten {
  /** exhausted levels, what they displayed, and the farthest of them */
  readonly exhausted: number;
  readonly displayed: number;
  readonly last: number;
  /** the heaviest of them behind the first, where it held at least twice the median of those; NaN where none stands out */
  readonly barrier: number;
  /** share of the best levels' sum that is gone, and share of that which was traded */
  readonly fell: number;
  readonly consumed: number;
}

/** So many times their median makes a level a barrier. */
const BARRIER = 2;

/**
 * @param traded volume by price of the orders
 * @param step a tick away from the touch, signed
 * @param now what a price displays now
 * @returns null where what stood there is not known, or nothing was exhausted
 */
export function eaten(
  past: PastBook,
  traded: ReadonlyMap<number, number>,
  step: number,
  rules: EatenRules,
  now: (price: number) => number,
): Eaten | null {
  let farthest = 0;
  for (const price of traded.keys()) farthest = Math.max(farthest, (price - past.touch) / step);
  const exhausted: { price: number; size: number }[] = [];
  let displayed = 0;
  let [levels, before, left, taken] = [0, 0, 0, 0];
  for (let ticks = 0; ticks <= farthest || levels < rules.levels; ticks++) {
    const price = past.touch + ticks * step;
    if (!past.knows(price)) return null;
    const size = past.before(price);
    if (size === 0) continue;
    const volume = traded.get(price) ?? 0;
    if (++levels <= rules.levels) {
      const rest = Math.min(size, now(price));
      before += size;
      left += rest;
      taken += Math.min(volume, size - rest);
    }
    if (volume / size < rules.consumed || past.least(price) > 0) continue;
    exhausted.push({ price, size });
    displayed += size;
  }
  const last = exhausted.at(-1);
  if (last === undefined) return null;
  const fell = (before - left) / before;
  const barrier = barrierOf(exhausted);
  return { exhausted: exhausted.length, displayed, last: last.price, barrier, fell, consumed: taken / (before - left) };
}

/** Orders queue up at a touch: the first level is left out. Of equal ones the farthest. */
function barrierOf(levels: readonly { price: number; size: number }[]): number {
  const sorted = levels.slice(1).sort((a, b) => a.size - b.size);
  if (sorted.length < 2) return Number.NaN;
  const heaviest = sorted[sorted.length - 1];
  return heaviest.size >= BARRIER * sorted[(sorted.length - 1) >> 1].size ? heaviest.price : Number.NaN;
}
