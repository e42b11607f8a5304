/** Mutated tapes at length: TAPEDECK_SOAK_TAPES of them, 100,000 where it is not set. */
import { describe, expect, it } from 'vitest';
import { seed } from '../seed.js';
import { readMutated } from './mutated.js';

const tapes = Number(process.env.TAPEDECK_SOAK_TAPES ?? 100_000);
/** Tapes of one test, so that one sees how far it is. */
const PART = 5_000;

describe(`${tapes} mutated tapes`, () => {
  const parts = Array.from({ length: Math.ceil(tapes / PART) }, (_, n) => ({
    from: seed + 1_000_000 + n * PART,
    count: Math.min(PART, tapes - n * PART),
  }));
  it.each(parts)('$count tapes from seed $from', async ({ from, count }) => {
    const { tapes: read } = await readMutated(count, from);
    expect(read).toBe(count);
    // flat: what tapes ask for is given back
    expect(process.memoryUsage().rss).toBeLessThan(1.5 * 2 ** 30);
  });
});
