/** The weighted mid: the known answer, its bounds, and its mirror image. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { weightedMid } from '../../src/market/weighted-mid.js';
import { SECOND, scanLines, TapeBuilder } from '../scan/tape-builder.js';

test('8 bid at 100.0 and 2 offered at 100.1 make 100.08', () => {
  expect(weightedMid(1000, 8, 1001, 2)).toBeCloseTo(1000.8, 12);
});

test('it lies between the quotes, and swapping the sizes mirrors it', () => {
  const sizes = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 100 }),
      sizes,
      sizes,
      (bid, spread, b, a) => {
        const [one, other] = [weightedMid(bid, b, bid + spread, a), weightedMid(bid, a, bid + spread, b)];
        expect(one).toBeGreaterThan(bid);
        expect(one).toBeLessThan(bid + spread);
        expect(one + other).toBeCloseTo(2 * bid + spread, 6);
      },
    ),
  );
});

test('a crossed or locked touch, or a side without size, has none', () => {
  for (const [bid, b, ask, a] of [
    [1001, 1, 1000, 1],
    [1000, 1, 1000, 1],
    [1000, 0, 1001, 1],
    [Number.NaN, 0, 1001, 1],
  ])
    expect(weightedMid(bid, b, ask, a)).toBeNaN();
});

test.each([
  [8, 2, 0.3],
  [2, 8, -0.3],
  [5, 5, 0],
])('signals tell it: %d bid and %d offered', async (bid, ask, shift) => {
  const tape = new TapeBuilder().snapshot(
    [
      [1000, bid],
      [999, 400],
    ],
    [
      [1001, ask],
      [1002, 100],
    ],
  );
  for (let n = 0; n < 40; n++) tape.wait(SECOND / 4).clock();
  const { signals } = await scanLines(tape.lines, { detect: ['book-imbalance'], set: ['book-imbalance.levels=2'] });
  expect(signals[0].context.weighted_mid).toBe(shift);
});
