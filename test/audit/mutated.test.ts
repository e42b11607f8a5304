/** Two thousand mutated tapes through every command that reads tapes: no crash, no hang, no memory by the say-so of a file. */
import { afterEach, expect, test } from 'vitest';
import { seed } from '../seed.js';
import { readMutated } from './mutated.js';

/** More is never asked for at once: the longest line there may be, and room to grow. */
const MOST_AT_ONCE = 256 * 1024 * 1024;

const { alloc, allocUnsafe, allocUnsafeSlow } = Buffer;
afterEach(() => {
  Object.assign(Buffer, { alloc, allocUnsafe, allocUnsafeSlow });
});

test('2,000 mutated tapes', { timeout: 300_000 }, async () => {
  let most = 0;
  // no mocks, which would keep every buffer that was ever made
  const watched =
    <Rest extends unknown[]>(make: (bytes: number, ...rest: Rest) => Buffer<ArrayBuffer>): typeof make =>
    (bytes, ...rest) => {
      if (bytes > most) most = bytes;
      return make.call(Buffer, bytes, ...rest);
    };
  Object.assign(Buffer, {
    alloc: watched(alloc),
    allocUnsafe: watched(allocUnsafe),
    allocUnsafeSlow: watched(allocUnsafeSlow),
  });
  const counts = await readMutated(2_000, seed);
  expect(counts.tapes).toBe(2_000);
  expect(counts.failed).toBeGreaterThan(100);
  expect(counts.found).toBeGreaterThan(2_000);
  expect(most).toBeLessThanOrEqual(MOST_AT_ONCE);
  // and it was watched
  expect(most).toBeGreaterThan(1024 * 1024);
});
