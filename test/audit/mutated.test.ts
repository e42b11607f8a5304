/** Two thousand mutated tapes through every command that reads tapes: no crash, no hang, no memory by the say-so of a file. */
import { expect, test, vi } from 'vitest';
import { seed } from '../seed.js';
import { readMutated } from './mutated.js';

/** More is never asked for at once: the longest line there may be, and room to grow. */
const MOST_AT_ONCE = 256 * 1024 * 1024;

test('2,000 mutated tapes', { timeout: 300_000 }, async () => {
  let most = 0;
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const original = Buffer[name].bind(Buffer) as (bytes: number, ...rest: unknown[]) => Buffer<ArrayBuffer>;
    vi.spyOn(Buffer, name).mockImplementation((bytes: number, ...rest: unknown[]) => {
      most = Math.max(most, bytes);
      return original(bytes, ...rest);
    });
  }
  const counts = await readMutated(2_000, seed);
  vi.restoreAllMocks();
  expect(counts.tapes).toBe(2_000);
  expect(counts.failed).toBeGreaterThan(100);
  expect(counts.found).toBeGreaterThan(2_000);
  expect(most).toBeLessThanOrEqual(MOST_AT_ONCE);
});
