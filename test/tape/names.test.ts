/** File names: safe for any symbol, different for different symbols. */
import { basename, sep } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTailPath, safeName, segmentPath, tailPath } from '../../src/tape/names.js';
import { T0 } from './tapes.js';

test.each([
  ['BTCUSDT', 'BTCUSDT'],
  ['ETHUSD_PERP', 'ETHUSD_PERP'],
  ['BTC-USDT-SWAP', 'BTC-USDT-SWAP'],
  ['BTC/USDT', 'BTC%2FUSDT'],
  ['..', '%2E.'],
  ['.', '%2E'],
  ['-x', '%2Dx'],
  ['', '%'],
  ['a\0b\n', 'a%00b%0A'],
  ['币安人生USDT', '%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT'],
  ['0x1', '0x1'],
])('%j', (symbol, name) => {
  expect(safeName(symbol)).toBe(name);
});

test('property: one path part of bounded length, never hidden, and injective', () => {
  const symbol = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('utf16le')),
    fc.stringMatching(/^[.%~/\\A-C-]{0,120}$/),
  );
  fc.assert(
    fc.property(symbol, symbol, (a, b) => {
      const name = safeName(a);
      expect(name).toMatch(/^[A-Za-z0-9_+@=%][A-Za-z0-9._+@=%~-]*$/);
      expect(basename(`x${sep}${name}`)).toBe(name);
      expect(name.length).toBeLessThanOrEqual(100);
      if (Buffer.from(a).equals(Buffer.from(b))) expect(safeName(b)).toBe(name);
      else expect(safeName(b)).not.toBe(name);
    }),
    { numRuns: 300 },
  );
});

test('segments and tails', () => {
  const path = segmentPath('out', 'binance-usdm:A/B', T0);
  expect(path).toBe(['out', 'binance-usdm', 'A%2FB', 'A%2FB-20240808T235415.000000Z.ndjson.zst'].join(sep));
  expect(parseTailPath(tailPath(path, 1234))).toEqual({ segment: path, offset: 1234 });
  expect(parseTailPath(path)).toBeNull();
  expect(() => segmentPath('out', 'nocolon', T0)).toThrow(/not VENUE:SYMBOL/);
});
