/** Sums of parts joined are the sums of the whole. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinSums, type SumsPart, sumsOf } from '../../src/scan/checksum.js';

/** The words of some terms, straight from the definition, in exact arithmetic. */
function partOf(terms: readonly number[]): SumsPart {
  const word = Number(
    BigInt.asIntN(
      32,
      terms.reduce((h, x) => h * 31n + BigInt(x), 0n),
    ),
  );
  const counts = { messages: terms.length, trades: 1, depth: 2, levels: 3, touches: 4 };
  return { src: 'a:B', ...counts, words: [word], terms: [terms.length] };
}

test('a polynomial goes on where another ended', () => {
  const terms = fc.array(fc.maxSafeInteger(), { maxLength: 40 });
  fc.assert(
    fc.property(terms, terms, (a, b) => {
      const joined = joinSums(partOf(a), partOf(b));
      expect(joined).toEqual({ ...partOf([...a, ...b]), trades: 2, depth: 4, levels: 6, touches: 8 });
      expect(sumsOf(joined).digest).toMatch(/^[0-9a-f]{8}$/);
    }),
  );
});

test('more terms than 32 bits can count', () => {
  const [long, short] = [2 ** 33 + 5, 7];
  const one = { ...partOf([1]), terms: [long] };
  const zeros = (count: number): SumsPart => ({ ...partOf([]), words: [0], terms: [count] });
  const twice = joinSums(joinSums(one, zeros(long)), zeros(short));
  expect(joinSums(one, zeros(long + short)).words).toEqual(twice.words);
});
