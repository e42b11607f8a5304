/** What statistics and cells of the market state rest on. */
import { expect, test } from 'vitest';
import { GridStatistic } from '../../src/market/statistic.js';

test('a sample joins the baseline only after its delay, so that no event meets itself', () => {
  const taken: number[] = [];
  const statistic = new GridStatistic(5, 'trades', 5_000_000, (t, sample) => {
    taken.push(t);
    sample(t);
  });
  for (let second = 1; second <= 8; second++) statistic.tick(second * 1_000_000);
  expect(taken).toHaveLength(8);
  expect(statistic.baseline.count).toBe(3);
  expect(statistic.baseline.quantile(1)).toBe(3_000_000);
  statistic.clear();
  statistic.tick(9_000_000);
  statistic.tick(13_999_999);
  expect(statistic.baseline.count).toBe(0);
});
