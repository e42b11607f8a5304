/** Broken lines of venues other than Binance: every decoder says what JSON.parse and the layouts say. */
import { expect, it } from 'vitest';
import { seed } from '../seed.js';
import { fuzzDecoders } from './mutate.js';
import { venueCorpus } from './venue-messages.js';

it(`mutated lines of every venue give the same records from every decoder, seed ${seed}`, () => {
  const lines = 100_000;
  const { fast, general, slow, unknown, invalid } = fuzzDecoders(lines, seed, venueCorpus);
  expect(fast).toBeGreaterThan(lines / 40);
  expect(general).toBeGreaterThan(lines / 10);
  expect(slow).toBeGreaterThan(lines / 8);
  expect(unknown).toBeGreaterThan(lines / 40);
  expect(invalid).toBeGreaterThan(lines / 40);
});
