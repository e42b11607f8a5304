/** A million broken lines: every decoder says the same of each, reads no byte outside the text, and comes to its end. */
import { expect, it } from 'vitest';
import { seed } from '../seed.js';
import { fuzzDecoders } from './mutate.js';

it(`mutated lines give the same records from every decoder, seed ${seed}`, { timeout: 300_000 }, () => {
  const lines = 1_000_000;
  const { fast, general, slow, unknown, invalid } = fuzzDecoders(lines, seed);
  // the mutations must reach every way through the decoder, else this proves little
  expect(fast).toBeGreaterThan(lines / 8);
  expect(general).toBeGreaterThan(lines / 30);
  expect(slow).toBeGreaterThan(lines / 8);
  expect(unknown).toBeGreaterThan(lines / 40);
  expect(invalid).toBeGreaterThan(lines / 40);
});

it('a seed gives the same lines again', () => {
  expect(fuzzDecoders(1000, 7)).toEqual(fuzzDecoders(1000, 7));
  expect(fuzzDecoders(1000, 7)).not.toEqual(fuzzDecoders(1000, 8));
});
