/** Numbers read from bytes: the same value as the decimal text has, or a refusal, never a wrong value. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursor, readBareDecimal, readDecimal, readInteger } from '../../src/decode/numbers.js';
import { scaleDecimal } from '../../src/model/decimal.js';

const bytes = (text: string): Buffer => Buffer.from(text);

const readWhole = (at: Uint8Array, p: number): number =>
  readInteger(at, new DataView(at.buffer, at.byteOffset, at.byteLength), p);

describe('readInteger', () => {
  it('reads what JSON reads, and refuses what is no plain integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 60n }), fc.constantFrom(',', '}', ' ', ''), (n, end) => {
        const read = readWhole(bytes(`x${n}${end}`), 1);
        if (n > BigInt(Number.MAX_SAFE_INTEGER)) return read === -1;
        return read === Number(n) && cursor.at === 1 + String(n).length;
      }),
    );
  });

  it.each(['', '-1', '01', '00', '+1', '"1"', '9007199254740992', '10000000000000000', 'x'])('refuses %j', (text) => {
    expect(readWhole(bytes(text), 0)).toBe(-1);
  });

  it.each(['0', '9007199254740991'])('reads %s', (text) => {
    expect(readWhole(bytes(text), 0)).toBe(Number(text));
  });
});

describe('readDecimal', () => {
  const decimal = fc
    .tuple(fc.stringMatching(/^[0-9]{0,19}$/), fc.option(fc.stringMatching(/^[0-9]{0,20}$/)), fc.nat(26))
    .map(([whole, fraction, decimals]) => ({ text: fraction === null ? whole : `${whole}.${fraction}`, decimals }));

  it('equals the exact scaling of the text, or refuses', () => {
    fc.assert(
      fc.property(decimal, ({ text, decimals }) => {
        const read = readDecimal(bytes(`${text}"`), 0, decimals);
        if (read === -1) return true;
        return read === scaleDecimal(text, decimals) && cursor.at === text.length + 1;
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts every plain number that fits, trailing zeros beyond the scale included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.nat(12),
        fc.nat(9),
        (value, decimals, zeros) => {
          const digits = String(value).padStart(decimals + 1, '0');
          const cut = digits.length - decimals;
          const text = `${digits.slice(0, cut)}.${digits.slice(cut)}${'0'.repeat(zeros)}`;
          return readDecimal(bytes(`${text}"`), 0, decimals) === value;
        },
      ),
    );
  });

  it.each(['"', '.5"', '-1"', '+1"', '1e3"', '1', '1.5', '1 "', '1.001"', '90071992547409.92"', '12345678901234567"'])(
    'refuses %j at two decimals',
    (text) => {
      expect(readDecimal(bytes(text), 0, 2)).toBe(-1);
    },
  );

  it.each([
    ['1."', 100],
    ['007.10"', 710],
    ['0.000"', 0],
    ['90071992547409.91"', 9007199254740991],
  ])('reads %j at two decimals', (text, value) => {
    expect(readDecimal(bytes(text), 0, 2)).toBe(value);
  });

  it('refuses a scale of more decimals than are tabled instead of giving no number', () => {
    expect(readDecimal(bytes('1"'), 0, 40)).toBe(-1);
    expect(readDecimal(bytes('0"'), 0, 40)).toBe(-1);
  });
});

describe('readBareDecimal', () => {
  const number = fc
    .tuple(fc.stringMatching(/^[0-9]{0,12}$/), fc.option(fc.stringMatching(/^[0-9]{0,12}$/)), fc.nat(20))
    .map(([whole, fraction, decimals]) => ({ text: fraction === null ? whole : `${whole}.${fraction}`, decimals }));
  const follows = fc.constantFrom(',', '}', ']', ' ', '');

  it('equals the exact scaling of the number that JSON reads, or refuses', () => {
    fc.assert(
      fc.property(number, follows, ({ text, decimals }, end) => {
        const read = readBareDecimal(bytes(`${text}${end}`), 0, decimals);
        if (read === -1) return true;
        return read === scaleDecimal(String(JSON.parse(text)), decimals) && cursor.at === text.length;
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts every number of up to fifteen bytes whose decimals the scale has', () => {
    const digits = fc.integer({ min: 0, max: 10 ** 14 - 1 });
    fc.assert(
      fc.property(digits, fc.nat(12), fc.nat(3), follows, (value, decimals, spare, end) => {
        fc.pre(
          String(value).padStart(decimals + 1, '0').length <= 14 && value * 10 ** spare <= Number.MAX_SAFE_INTEGER,
        );
        const padded = String(value).padStart(decimals + 1, '0');
        const cut = padded.length - decimals;
        const text = decimals === 0 ? padded : `${padded.slice(0, cut)}.${padded.slice(cut)}`;
        return readBareDecimal(bytes(`${text}${end}`), 0, decimals + spare) === value * 10 ** spare;
      }),
    );
  });

  it.each([
    ...['', ',', '.5', '5.', '5.,', '00', '007.1', '-1', '+1', '"1"', '1.001', '1.000', 'x'],
    ...['1234567890123456', '1234567890123.12', '0.00000000000000', '90071992547409.92'],
  ])('refuses %j at two decimals', (text) => {
    expect(readBareDecimal(bytes(text), 0, 2)).toBe(-1);
  });

  it.each([
    ['0', 0],
    ['0.10', 10],
    ['75480', 7548000],
    ['123456789012.34', 12345678901234],
  ])('reads %j at two decimals', (text, value) => {
    expect(readBareDecimal(bytes(text), 0, 2)).toBe(value);
  });

  it('leaves what follows to others', () => {
    expect([readBareDecimal(bytes('7.5E+4'), 0, 2), cursor.at]).toEqual([750, 3]);
    expect([readBareDecimal(bytes('7.5.1'), 0, 2), cursor.at]).toEqual([750, 3]);
  });
});
