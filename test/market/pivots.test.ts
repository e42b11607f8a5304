/** Swings: the definition, told by a plain search, whatever stretch they are looked for in; and the market's own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Pivots, pivotsOf, turningPoints } from '../../src/market/pivots.js';
import { SECOND } from '../scan/tape-builder.js';
import { SecondTape } from '../signals/second-tape.js';
import { LiveMarket } from './live-market.js';

interface Found {
  n: number;
  mid: number;
  confirmed: number;
}

/** Highs by the words of the definition: the first of the highest between a rise and a fall of `retrace`. */
function highsOf(mids: readonly number[], retrace: number): Found[] {
  const found: Found[] = [];
  mids.forEach((mid, n) => {
    let before = n - 1;
    while (before >= 0 && mids[before] < mid && mids[before] > mid - retrace) before--;
    let after = n + 1;
    while (after < mids.length && mids[after] <= mid && mids[after] > mid - retrace) after++;
    const rose = before >= 0 && mids[before] <= mid - retrace;
    const fell = after < mids.length && mids[after] <= mid - retrace;
    if (rose && fell) found.push({ n, mid, confirmed: after });
  });
  return found;
}

const mirror = (mids: readonly number[]): number[] => mids.map((mid) => -mid);
const walks = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 80 })
  .map((steps) => steps.map((_, i) => 100 + steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0)));
const retraces = fc.integer({ min: 1, max: 9 });

test('highs and lows are the points with a move of the retrace on either side', () => {
  fc.assert(
    fc.property(walks, retraces, (mids, retrace) => {
      const { highs, lows } = turningPoints((n) => mids[n], 0, mids.length, retrace);
      expect(highs).toEqual(highsOf(mids, retrace));
      expect(lows.map(({ n, mid, confirmed }) => ({ n, mid: -mid, confirmed }))).toEqual(
        highsOf(mirror(mids), retrace),
      );
    }),
  );
});

test('a stretch has those of the whole whose moves lie in it, and no others', () => {
  fc.assert(
    fc.property(walks, retraces, fc.nat(80), (mids, retrace, cut) => {
      const first = Math.min(cut, mids.length - 1);
      const { highs } = turningPoints((n) => mids[n], first, mids.length, retrace);
      const whole = turningPoints((n) => mids[n], 0, mids.length, retrace).highs;
      for (const high of highs) expect(whole).toContainEqual(high);
      // one that is missing has its rise, or itself, before the stretch
      for (const high of whole) {
        const rises = mids.slice(first, high.n).some((mid) => mid <= high.mid - retrace);
        if (high.n >= first && rises) expect(highs).toContainEqual(high);
      }
    }),
  );
});

test('a worked way: 0 5 2 9 4 6 1 with a retrace of 3', () => {
  const mids = [0, 5, 2, 9, 4, 6, 1];
  expect(turningPoints((n) => mids[n], 0, mids.length, 3)).toEqual({
    highs: [
      { n: 1, mid: 5, confirmed: 2 },
      { n: 3, mid: 9, confirmed: 4 },
    ],
    lows: [{ n: 2, mid: 2, confirmed: 3 }],
    high: Number.NEGATIVE_INFINITY,
    low: 1,
  });
  // the retrace is reached at equality, and missed by one
  expect(turningPoints((n) => mids[n], 0, mids.length, 5).highs).toEqual([{ n: 3, mid: 9, confirmed: 4 }]);
  expect(turningPoints((n) => mids[n], 0, mids.length, 6).highs).toEqual([{ n: 3, mid: 9, confirmed: 6 }]);
  expect(turningPoints((n) => mids[n], 0, mids.length, 9).highs).toEqual([]);
});

describe("a market's", () => {
  /** Up and down by `ticks`, a tick a second, first up. */
  const zigzag = (...legs: number[]): SecondTape => {
    const tape = new SecondTape();
    for (const leg of legs) for (let i = 0; i < Math.abs(leg); i++) tape.second(0, Math.sign(leg), 1);
    return tape.second(0, 0);
  };
  const told = (tape: SecondTape, factor: number, baselineMinutes = 5): Pivots => {
    const live = new LiveMarket(tape.tape.lines, { baselineMinutes, warmup: 20 * SECOND });
    const pivots = pivotsOf(live.market, factor);
    live.read();
    return pivots;
  };
  /** Twice the mid in scaled prices, from ticks above 10 000. */
  const twice = (ticks: number): number => 2 * (10_000 + ticks + 0.5) * 100;

  test('retrace is at least three usual spreads, else by the usual move', () => {
    const tape = zigzag(30, -20, 30, -20);
    expect(told(tape, 0).retrace).toBe(2 * 3 * 100);
    // ten seconds usually make ten ticks; a minute √6 times that, and 0.6745 deviations are usual
    expect(told(tape, 1).sigma).toBeCloseTo((2 * 1000 * Math.sqrt(6)) / 0.6745, 6);
    expect(told(tape, 2).retrace).toBeCloseTo((2 * 2 * 1000 * Math.sqrt(6)) / 0.6745, 6);
  });

  test('last two highs and lows, and whether the mid went beyond', () => {
    // to 30, 10, 40, 20, 25
    const tape = zigzag(30, -20, 30, -20, 5);
    const { highs, lows } = told(tape, 0);
    expect([highs?.older.mid, highs?.newer.mid, highs?.passed]).toEqual([twice(30), twice(40), false]);
    expect([lows?.older.mid, lows?.newer.mid, lows?.passed]).toEqual([twice(10), twice(20), false]);
    expect(told(zigzag(30, -20, 30, -20, 20), 0).highs?.passed).toBe(false);
    expect(told(zigzag(30, -20, 30, -20, 21), 0).highs?.passed).toBe(true);
    expect(told(zigzag(30, -20, 30, -20, 5, -6), 0).lows?.passed).toBe(true);
  });

  test('older than the minutes of the baseline are forgotten', () => {
    const legs = [10, -10, 10, -10, 10, -10, 10];
    expect(told(zigzag(...legs), 0, 1).highs).not.toBeNull();
    const quiet = zigzag(...legs);
    for (let i = 0; i < 60; i++) quiet.second(0, 0, 1);
    expect(told(quiet, 0, 1).highs).toBeNull();
    expect(told(quiet, 0, 2).highs).not.toBeNull();
  });

  test('nothing is known before the book, behind a lost one, or before the baseline is warm', () => {
    const lost = zigzag(30, -20, 30, -20);
    lost.tape.depth([], [], { lost: 1 });
    expect(told(lost, 0).highs).toBeNull();
    expect(told(lost.join().second(0, 0), 0).retrace).toBeNaN();
    expect(told(zigzag(5, -5, 5, -3), 0).highs).toBeNull();
  });
});
