/** Broken lines of venues other than Binance: every decoder says what JSON.parse and the layouts say. */
import { expect, it } from 'vitest';
import { seed } from '../seed.js';
import { fuzzDecoders } from './mutate.js';
import { venueBindings, venueLines } from './venue-messages.js';

it(`mutated lines of Bybit and OKX give the same records from every decoder, seed ${seed}`, {
  timeout: 120_000,
}, () => {
  const lines = 200_000;
  const corpus = { lines: venueLines, bindings: venueBindings, sources: new Map() };
  const { fast, general, slow, unknown, invalid } = fuzzDecoders(lines, seed, corpus);
  expect(fast).toBeGreaterThan(lines / 20);
  expect(general).toBeGreaterThan(lines / 10);
  expect(slow).toBeGreaterThan(lines / 8);
  expect(unknown).toBeGreaterThan(lines / 40);
  expect(invalid).toBeGreaterThan(lines / 40);
});
