/** The generator: pinned words, ranges and rough shapes of its distributions. */
import { describe, expect, test } from 'vitest';
import { createRandom, hashText } from '../../src/sim/prng.js';

describe('createRandom', () => {
  test('a seed gives the same words for ever: fixtures and tests rest on them', () => {
    const random = createRandom('1:BTCUSDT');
    const words = [1, 2, 3, 4].map(() => random.next() * 4294967296);
    expect(words).toEqual(PINNED);
  });

  test('seeds are unrelated', () => {
    const seen = new Set<number>();
    for (let seed = 0; seed < 1000; seed++) seen.add(createRandom(`${seed}:X`).next());
    expect(seen.size).toBe(1000);
    expect(hashText('a')).not.toBe(hashText('a', 1));
  });

  test('distributions keep their ranges and means', () => {
    const random = createRandom('shape');
    const n = 50_000;
    let uniform = 0;
    let exponential = 0;
    let heavy = 0;
    let outside = 0;
    for (let i = 0; i < n; i++) {
      uniform += random.next();
      exponential += random.exponential();
      const tail = random.heavy(50);
      heavy += tail;
      const below = random.below(7);
      const between = random.between(2, 3);
      if (!(tail >= 1 && tail <= 50 && between >= 2 && between < 3)) outside++;
      if (!Number.isInteger(below) || below < 0 || below >= 7) outside++;
    }
    expect(outside).toBe(0);
    expect(uniform / n).toBeCloseTo(0.5, 1);
    expect(Math.abs(exponential / n - 1)).toBeLessThan(0.02);
    expect(Math.abs(heavy / n - 1.98)).toBeLessThan(0.1);
  });
});

const PINNED = [2038653189, 824647438, 2840987112, 48257100];
