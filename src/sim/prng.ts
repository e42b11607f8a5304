/** Seeded random numbers: one small generator, and distributions made of exact arithmetic only. */

/**
 * A deterministic stream of random numbers. Only integer operations, `+ - * /` and `sqrt` are used, which IEEE 754
 * rounds the same everywhere; `Math.log` and `Math.exp` may differ between engines, and a seed must not.
 */
export interface Random {
  /** uniform in [0, 1), 32 bits */
  next(): number;
  /** uniform integer in [0, n) */
  below(n: number): number;
  /** uniform in [low, high) */
  between(low: number, high: number): number;
  /** true with this probability */
  chance(probability: number): boolean;
  /** exponential with mean 1 */
  exponential(): number;
  /** heavy tail from 1 up (`P(X > x) = x^-2`), cut at `limit` */
  heavy(limit: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Mixes a text into one 32-bit word; different salts give unrelated words. */
export function hashText(text: string, salt = 0): number {
  let hash = (0x811c9dc5 ^ Math.imul(salt + 1, 0x9e3779b1)) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hashInteger(hash);
}

/** Mixes an integer into an unrelated 32-bit word. */
export function hashInteger(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A generator (sfc32: 128 bits of state, period above 2^64) for this seed text. */
export function createRandom(seed: string): Random {
  let a = hashText(seed, 0) | 0;
  let b = hashText(seed, 1) | 0;
  let c = hashText(seed, 2) | 0;
  let counter = 1;

  const word = (): number => {
    const out = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return out >>> 0;
  };
  for (let i = 0; i < 16; i++) word();

  const next = (): number => word() / 4294967296;

  // Von Neumann's comparison method: exact, and no logarithm.
  const exponential = (): number => {
    for (let whole = 0; ; whole++) {
      const first = next();
      let previous = first;
      let odd = true;
      for (;;) {
        const u = next();
        if (u >= previous) break;
        previous = u;
        odd = !odd;
      }
      if (odd) return whole + first;
    }
  };

  return {
    next,
    below: (n) => Math.floor(next() * n),
    between: (low, high) => low + (high - low) * next(),
    chance: (probability) => next() < probability,
    exponential,
    heavy: (limit) => Math.min(limit, 1 / Math.sqrt(1 - next())),
    pick: (items) => items[Math.floor(next() * items.length)],
  };
}
