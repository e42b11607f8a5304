/** Text for people: nothing untrusted moves the cursor, columns stay aligned, paragraphs stay narrow. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  displayWidth,
  escapeControl,
  formatBytes,
  formatCount,
  pad,
  table,
  truncate,
  wrap,
} from '../../src/output/text.js';

describe('escapeControl', () => {
  test.each([
    ['plain BTCUSDT', 'plain BTCUSDT'],
    ['a\nb\tc\r', 'a\\nb\\tc\\r'],
    ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
    ['\u009b2J', '\\x9b2J'],
    ['abc\u202edcba', 'abc\\u202edcba'],
    ['line\u2028two', 'line\\u2028two'],
    ['half \ud800 pair', 'half \\ud800 pair'],
    ['币安人生USDT é 😀', '币安人生USDT é 😀'],
  ])('%j', (text, expected) => expect(escapeControl(text)).toBe(expected));

  test('leaves no control or format character in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeControl(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }),
    );
  });
});

describe('widths', () => {
  test.each([
    ['', 0],
    ['BTCUSDT', 7],
    ['币安人生', 8],
    ['é', 1],
    ['e\u0301', 1],
    ['😀', 2],
  ])('%j takes %i columns', (text, width) => expect(displayWidth(text)).toBe(width));

  test('truncate never exceeds the width and marks the cut', () => {
    expect(truncate('binance-usdm', 12)).toBe('binance-usdm');
    expect(truncate('binance-usdm', 8)).toBe('binance…');
    expect(truncate('币安人生', 6)).toBe('币安…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        expect(displayWidth(truncate(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('pad fills either side', () => {
    expect(pad('a', 3)).toBe('a  ');
    expect(pad('a', 3, 'right')).toBe('  a');
    expect(pad('币', 3)).toBe('币 ');
    expect(pad('long', 3)).toBe('long');
  });
});

test('table aligns columns, escapes cells and trails no blanks', () => {
  const lines = table(
    [{ title: 'SYMBOL' }, { title: 'COUNT', align: 'right' }, { title: 'NOTE' }],
    [
      ['BTCUSDT', '5', ''],
      ['币安', '12345678', 'a\u001b[2J'],
    ],
  );
  expect(lines).toEqual(['SYMBOL      COUNT  NOTE', 'BTCUSDT         5', '币安     12345678  a\\x1b[2J']);
  expect(table([{}, {}], [['a', 'b']])).toEqual(['a  b']);
});

test('wrap keeps every word and stays within the width', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('', 10)).toEqual([]);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,9}$/)), fc.integer({ min: 9, max: 30 }), (words, width) => {
      const lines = wrap(words.join(' '), width);
      expect(lines.join(' ')).toBe(words.join(' '));
      expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }),
  );
});

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
])('formatCount(%i)', (count, text) => expect(formatCount(count)).toBe(text));

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [1_536_000, '1.54 MB'],
  [15_360_000, '15.4 MB'],
  [999_600, '1.00 MB'],
  [2_000_000_000_000, '2.00 TB'],
])('formatBytes(%i)', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
