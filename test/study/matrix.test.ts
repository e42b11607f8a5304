/** Linear equations and principal components: known answers, and what must hold of any. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { principalOf, solve } from '../../src/study/matrix.js';

const matrix = (...values: number[]): Float64Array => Float64Array.from(values);

test('equations whose first pivot is zero', () => {
  expect(solve(matrix(0, 2, 1, 1), matrix(4, 5))).toEqual(matrix(3, 2));
});

test('none where a row is a multiple of another, or all are zero', () => {
  expect(solve(matrix(1, 2, 2, 4), matrix(1, 2))).toBeNull();
  expect(solve(matrix(0), matrix(0))).toBeNull();
});

const value = fc.integer({ min: -1000, max: 1000 });

test('what solves equations gives their right side', () => {
  const square = fc
    .integer({ min: 1, max: 6 })
    .chain((n) =>
      fc.tuple(
        fc.array(value, { minLength: n * n, maxLength: n * n }),
        fc.array(value, { minLength: n, maxLength: n }),
      ),
    );
  fc.assert(
    fc.property(square, ([cells, right]) => {
      const n = right.length;
      // a heavy diagonal has an inverse
      const a = Float64Array.from(cells, (cell, at) => cell + (at % (n + 1) === 0 ? 10_000 : 0));
      const x = Array.from(solve(a.slice(), Float64Array.from(right)) ?? []);
      for (let i = 0; i < n; i++)
        expect(x.reduce((sum, one, j) => sum + a[i * n + j] * one, 0)).toBeCloseTo(right[i], 6);
    }),
  );
});

test('the component of two that go together explains three quarters', () => {
  const found = principalOf(matrix(2, 1, 1, 2), 2);
  expect(found?.share).toBeCloseTo(0.75, 12);
  expect(Math.abs(found?.vector[0] ?? 0)).toBeCloseTo(Math.SQRT1_2, 12);
  expect(found?.vector[0]).toBeCloseTo(found?.vector[1] ?? 0, 12);
});

test('nothing varies, so there is none', () => {
  expect(principalOf(new Float64Array(9), 3)).toBeNull();
});

test('the component is an eigenvector, and no direction has a larger variance', () => {
  const rows = fc
    .integer({ min: 1, max: 6 })
    .chain((n) => fc.array(fc.array(value, { minLength: n, maxLength: n }), { minLength: 1, maxLength: 8 }));
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })), (samples, directions) => {
      const n = samples[0].length;
      const a = Float64Array.from({ length: n * n }, (_, at) =>
        samples.reduce((sum, row) => sum + row[Math.floor(at / n)] * row[at % n], 0),
      );
      const trace = samples.flat().reduce((sum, one) => sum + one * one, 0);
      const found = principalOf(a, n);
      if (found === null) return trace === 0;
      const times = (v: ArrayLike<number>): number[] =>
        Array.from({ length: n }, (_, i) => Array.from(v).reduce((sum, one, j) => sum + a[i * n + j] * one, 0));
      const { vector, share } = found;
      times(vector).forEach((one, i) => {
        expect(Math.abs(one - share * trace * vector[i])).toBeLessThanOrEqual(1e-9 * trace);
      });
      for (let n_ = 0; n_ < 5; n_++) {
        const v = Array.from({ length: n }, () => directions.next().value as number);
        const along = times(v).reduce((sum, one, i) => sum + one * v[i], 0);
        expect(along).toBeLessThanOrEqual(share * trace * v.reduce((sum, one) => sum + one * one, 0) + 1e-9 * trace);
      }
      return true;
    }),
  );
});
