/** Sets of ids as ranges, held against plain sets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdRanges } from '../../src/model/id-ranges.js';
import '../seed.js';

test('ranges that touch are one, and what is taken out splits them', () => {
  const ids = new IdRanges();
  ids.add(10, 19);
  ids.add(30, 39);
  ids.add(20, 20);
  ids.add(5, 4);
  expect(ids.ranges).toEqual([
    [10, 20],
    [30, 39],
  ]);
  ids.add(15, 35);
  expect([ids.ranges, ids.size]).toEqual([[[10, 39]], 30]);
  expect(ids.remove(12, 13)).toBe(2);
  expect(ids.remove(0, 10)).toBe(1);
  expect(ids.remove(39, 99)).toBe(1);
  expect(ids.remove(12, 13)).toBe(0);
  expect(ids.ranges).toEqual([
    [11, 11],
    [14, 38],
  ]);
});

test('any additions and removals do what they do to a set', () => {
  const step = fc.record({ adds: fc.boolean(), first: fc.nat(40), length: fc.integer({ min: 0, max: 12 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ids = new IdRanges();
      const model = new Set<number>();
      for (const { adds, first, length } of steps) {
        const span = Array.from({ length }, (_, n) => first + n);
        if (adds) ids.add(first, first + length - 1);
        else expect(ids.remove(first, first + length - 1)).toBe(span.filter((id) => model.has(id)).length);
        for (const id of span)
          if (adds) model.add(id);
          else model.delete(id);
        expect(ids.size).toBe(model.size);
        const listed = ids.ranges.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, n) => a + n));
        expect(listed).toEqual([...model].sort((a, b) => a - b));
        ids.ranges.forEach(([a], n) => void (n > 0 && expect(a).toBeGreaterThan(ids.ranges[n - 1][1] + 1)));
      }
    }),
  );
});
