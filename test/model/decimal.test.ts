/** Exact decimals against big-integer arithmetic. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalsOf, formatScaled, MAX_SCALED, scaleDecimal, unscale } from '../../src/model/decimal.js';

/** Value of the text as a fraction of big integers. */
function fraction(text: string): [numerator: bigint, denominator: bigint] {
  const [mantissa, exponent = '0'] = text.toLowerCase().split('e');
  const [whole, digits = ''] = mantissa.split('.');
  const power = Number(exponent) - digits.length;
  const number = BigInt(whole.replace('+', '') + digits);
  return power >= 0 ? [number * 10n ** BigInt(power), 1n] : [number, 10n ** BigInt(-power)];
}

/** `text × 10^decimals` where it is an integer of magnitude below 2^53, else null. */
function exact(text: string, decimals: number): number | null {
  const [numerator, denominator] = fraction(text);
  const scaled = numerator * 10n ** BigInt(decimals);
  if (scaled % denominator !== 0n) return null;
  const value = scaled / denominator;
  return value > BigInt(MAX_SCALED) || value < -BigInt(MAX_SCALED) ? null : Number(value);
}

const digits = fc.stringMatching(/^[0-9]{1,18}$/);
const decimalText = fc
  .tuple(
    fc.constantFrom('', '', '-', '+'),
    fc.oneof(digits, fc.nat(99).map(String), fc.constantFrom('0', '000', '1000000000000000', '9007199254740991')),
    fc.option(fc.oneof(fc.stringMatching(/^[0-9]{0,12}$/), fc.constantFrom('', '0', '000', '50'))),
    fc.option(fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), fc.nat(25))),
  )
  .map(
    ([sign, whole, part, power]) =>
      `${sign}${whole}${part === null ? '' : `.${part}`}${power === null ? '' : power.join('')}`,
  );

describe('scaleDecimal', () => {
  it('is exact or refuses, as big integers say', () => {
    fc.assert(
      fc.property(decimalText, fc.nat(14), (text, decimals) => {
        const wanted = exact(text, decimals);
        const got = scaleDecimal(text, decimals);
        expect(wanted === null ? Number.isNaN(got) : got === wanted).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['0.080100', 6, 80100],
    ['7.548E+4', 0, 75480],
    ['28145.10', 3, 28145100],
    ['1e-3', 3, 1],
    ['0e999', 0, 0],
    ['-0.5', 1, -5],
    ['5.', 0, 5],
    ['9007199254740991', 0, MAX_SCALED],
  ])('%s at %i decimals is %i', (text, decimals, value) => {
    expect(scaleDecimal(text, decimals)).toBe(value);
  });

  it.each(['', '.', '.5', '1e', 'e5', '0x10', '1 ', ' 1', '1_0', 'NaN', 'Infinity', '1.2.3', '--1', '١', '1\n'])(
    '%j is no decimal',
    (text) => {
      expect(scaleDecimal(text, 3)).toBeNaN();
      expect(decimalsOf(text)).toBeNaN();
    },
  );

  it.each(['9007199254740992', '9007199254740993', '1e16', '1e999', '1e-999'])('%s cannot be held', (text) => {
    expect(scaleDecimal(text, 0)).toBeNaN();
  });
});

describe('decimalsOf', () => {
  it('is the smallest number of decimals that holds the text exactly', () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const [numerator, denominator] = fraction(text);
        const needed = decimalsOf(text);
        const holds = (decimals: number): boolean => (numerator * 10n ** BigInt(decimals)) % denominator === 0n;
        expect(holds(needed) && (needed === 0 || !holds(needed - 1))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('formatScaled', () => {
  const scaled = fc.integer({ min: -MAX_SCALED, max: MAX_SCALED });

  it('reads back as the same integer, and is the shortest such text', () => {
    fc.assert(
      fc.property(scaled, fc.nat(16), (value, decimals) => {
        const text = formatScaled(value, decimals);
        expect(scaleDecimal(text, decimals)).toBe(value);
        expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [2814510, 2, '28145.1'],
    [5, 3, '0.005'],
    [-5, 3, '-0.005'],
    [0, 5, '0'],
    [100, 2, '1'],
    [100, 0, '100'],
  ])('%i at %i decimals is %s', (value, decimals, text) => {
    expect(formatScaled(value, decimals)).toBe(text);
  });
});

it('unscale gives the float nearest to the decimal, on any scale', () => {
  fc.assert(
    fc.property(fc.integer({ min: -9e13, max: 9e13 }), fc.nat(12), (value, decimals) => {
      expect(unscale(value, decimals)).toBe(Number(`${value}e-${decimals}`));
      expect(unscale(value * 100, decimals + 2)).toBe(unscale(value, decimals));
    }),
  );
});
