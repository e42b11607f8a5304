/** Waiting times between attempts: exponential with full jitter. */

export interface Backoff {
  /** upper bound of the first wait */
  firstMs: number;
  /** upper bound of any wait */
  mostMs: number;
}

/**
 * How long to wait before attempt `n` (0 for the first retry): uniform in [0, bound), the bound doubling up to `mostMs`.
 * Full jitter keeps many connections lost at once from coming back at once.
 * @param random uniform in [0, 1)
 */
export function backoffMs(n: number, { firstMs, mostMs }: Backoff, random: () => number): number {
  return random() * Math.min(mostMs, firstMs * 2 ** Math.min(n, 30));
}

/** `2.5 s`, for people. */
export const waitText = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
