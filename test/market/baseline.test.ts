/** Baselines: exact quantiles over a ring of whole minutes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Baseline, MinuteCounter } from '../../src/market/baseline.js';

const MINUTE = 60_000_000;

/** One, some, or so many that they are sorted in another way: of both signs, or sizes. */
const values = fc.oneof(
  fc.tuple(fc.nat(30)),
  fc.array(fc.integer({ min: -30, max: 30 }), { maxLength: 90 }),
  fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 30, maxLength: 90 }),
);

test('quantiles equal those of the sorted list of the minutes in the ring', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.integer({ min: 0, max: 40 }), values, asks: fc.boolean() }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 4 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(0, 8, 1000),
      fc.nat(30),
      (samples, minutes, q, few, near) => {
        const baseline = new Baseline(minutes, few);
        const list: { minute: number; value: number }[] = [];
        let t = 7 * MINUTE;
        for (const { gap, values, asks } of samples) {
          t += gap * 1_000_000;
          for (const value of values) baseline.add(t, value);
          if (asks) baseline.quantile(q);
          for (const value of values) list.push({ minute: Math.floor(t / MINUTE), value });
        }
        const now = Math.floor(t / MINUTE);
        const inside = list.filter(({ minute }) => minute >= now - minutes).map(({ value }) => value);
        inside.sort((a, b) => a - b);
        expect(baseline.count).toBe(inside.length);
        const rank = Math.max(0, Math.ceil(q * inside.length) - 1);
        expect(baseline.quantile(q)).toBe(inside.length === 0 ? Number.NaN : inside[rank]);
        expect(baseline.quantile(q, near)).toBe(baseline.quantile(q));
        expect(baseline.countBelow(15)).toBe(inside.filter((value) => value < 15).length);
        expect(baseline.countTo(15)).toBe(inside.filter((value) => value <= 15).length);
      },
    ),
  );
});

const samplesOfAMinute = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 60 });

test('median and deviation are those of the sorted list, and mirror with the samples', () => {
  fc.assert(
    fc.property(
      samplesOfAMinute,
      fc.constantFrom(0, 8, 1000),
      fc.integer({ min: -40, max: 40 }),
      (values, few, off) => {
        const baseline = new Baseline(1, few);
        const mirrored = new Baseline(1, few);
        for (const value of values) {
          baseline.add(MINUTE, value);
          mirrored.add(MINUTE, -value);
        }
        const sorted = [...values].sort((a, b) => a - b);
        const { length } = sorted;
        const median = (sorted[Math.floor((length - 1) / 2)] + sorted[Math.floor(length / 2)]) / 2;
        const distances = sorted.map((value) => Math.abs(value - median)).sort((a, b) => a - b);
        expect(baseline.median()).toBe(median);
        expect(baseline.deviation(median)).toBe(distances[Math.ceil(length / 2) - 1]);
        const fromAfar = sorted.map((value) => Math.abs(value - off)).sort((a, b) => a - b);
        expect(baseline.deviation(off)).toBe(fromAfar[Math.ceil(length / 2) - 1]);
        expect(mirrored.median() + median).toBe(0);
        expect(mirrored.deviation(-median)).toBe(baseline.deviation(median));
      },
    ),
  );
  expect(new Baseline(1).median()).toBeNaN();
  expect(new Baseline(1).deviation(0)).toBeNaN();
});

test('a quantile of independent samples is exceeded as often as it says', () => {
  const baseline = new Baseline(60);
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  let over = 0;
  for (let i = 0; i < 3000; i++) baseline.add(i * 1_000_000, random());
  for (let i = 0; i < 3000; i++) if (random() > baseline.quantile(0.9)) over++;
  // binomial: 300 with a deviation of 16, and the quantile itself is an estimate
  expect(Math.abs(over - 300)).toBeLessThan(80);
});

test('what is not known is no sample', () => {
  const baseline = new Baseline(2);
  baseline.add(0, Number.NaN);
  expect(baseline.quantile(0.5)).toBeNaN();
  for (const value of [3, Number.NaN, 1, 2]) baseline.add(MINUTE, value);
  expect([baseline.count, baseline.quantile(0.5)]).toEqual([3, 2]);
});

test('a counter counts the last whole minutes and the running one', () => {
  const counter = new MinuteCounter(2);
  counter.add(0);
  counter.add(MINUTE);
  counter.add(3 * MINUTE - 1);
  expect(counter.count(3 * MINUTE - 1)).toBe(3);
  expect(counter.count(3 * MINUTE)).toBe(2);
  expect(counter.count(4 * MINUTE)).toBe(1);
  expect(counter.count(100 * MINUTE)).toBe(0);
});
