/** The fuzz of the decoders at length, one seed after the other: TAPEDECK_SOAK_LINES lines, 20 million where it is not set. */
import { describe, expect, it } from 'vitest';
import { seed } from '../seed.js';
import { fuzzDecoders } from './mutate.js';

const lines = Number(process.env.TAPEDECK_SOAK_LINES ?? 20e6);
/** Lines of one test, so that one sees how far it is. */
const PART = 1e6;

describe(`${lines} mutated lines`, () => {
  const parts = Array.from({ length: Math.ceil(lines / PART) }, (_, n) => ({
    seed: seed + 1 + n,
    count: Math.min(PART, lines - n * PART),
  }));
  it.each(parts)('$count lines of seed $seed', ({ seed, count }) => {
    expect(fuzzDecoders(count, seed).fast).toBeGreaterThan(0);
  });
});
