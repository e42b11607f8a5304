/** The fuzz of the decoders at length, one seed after the other: TAPEDECK_SOAK_LINES lines, 20 million where it is not set. */
import { describe, expect, it } from 'vitest';
import { seed } from '../seed.js';
import { fuzzDecoders } from './mutate.js';
import { venueCorpus } from './venue-messages.js';

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
  it.each(parts.slice(0, Math.ceil(parts.length / 4)))(
    '$count lines of other venues, seed $seed',
    ({ seed, count }) => {
      expect(fuzzDecoders(count, seed, venueCorpus).fast).toBeGreaterThan(0);
    },
  );
});
