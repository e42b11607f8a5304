/** VPIN: the worked answer, buckets that trades cross, and its bounds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Flow, type FlowWindow } from '../../src/market/flow.js';
import { vpin } from '../../src/market/vpin.js';

function windowOf(signed: readonly number[]): FlowWindow {
  const flow = new Flow();
  const window = flow.window(1_000_000);
  signed.forEach((size, i) => {
    flow.push(i, size);
  });
  window.expire(signed.length);
  return window;
}

test('buckets of 70/30, 50/50 and 20/80 give a third', () => {
  expect(vpin(windowOf([70, -30, 50, -50, 20, -80]), 3)).toBe(100 / 300);
  // in whatever pieces
  const pieces = [10, 60, -30, 25, -25, -25, 25, 1, 19, -40, -40];
  expect(vpin(windowOf(pieces), 3)).toBe(100 / 300);
});

test('a trade that crosses boundaries is split', () => {
  // buckets of 10: 6 + 4 bought, 10 bought, 1 bought and 9 sold
  expect(vpin(windowOf([6, 15, -9]), 3)).toBe((10 + 10 + 8) / 30);
  // 10 do not divide into four: buckets of 2.5
  expect(vpin(windowOf([5, -5]), 4)).toBe(1);
  expect(vpin(windowOf([4, -6]), 4)).toBe((2.5 + 0.5 + 2.5 + 2.5) / 10);
});

test('all bought is 1, and nothing traded is unknown', () => {
  expect(vpin(windowOf([3, 1, 4, 1, 5]), 7)).toBe(1);
  expect(vpin(windowOf([]), 7)).toBeNaN();
});

const signed = fc.array(
  fc.integer({ min: -1000, max: 1000 }).filter((size) => size !== 0),
  { minLength: 1, maxLength: 60 },
);

test('it lies between 0 and 1, is that of its mirror, and knows no unit', () => {
  fc.assert(
    fc.property(signed, fc.integer({ min: 1, max: 40 }), (sizes, buckets) => {
      const value = vpin(windowOf(sizes), buckets);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
      expect(vpin(windowOf(sizes.map((size) => -size)), buckets)).toBe(value);
      expect(vpin(windowOf(sizes.map((size) => size * 1000)), buckets)).toBe(value);
    }),
  );
});

test('it equals that of units laid into buckets one by one', () => {
  fc.assert(
    fc.property(signed, fc.integer({ min: 1, max: 12 }), (sizes, buckets) => {
      const units = sizes.flatMap((size) =>
        Array.from({ length: Math.abs(size % 20) * buckets }, () => Math.sign(size)),
      );
      fc.pre(units.length > 0);
      const room = units.length / buckets;
      let sum = 0;
      for (let at = 0; at < units.length; at += room)
        sum += Math.abs(units.slice(at, at + room).reduce((total, unit) => total + unit, 0));
      expect(vpin(windowOf(sizes.map((size) => size % 20).filter((size) => size !== 0)), buckets)).toBe(
        sum / units.length,
      );
    }),
  );
});
