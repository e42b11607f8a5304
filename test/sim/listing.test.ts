/** Listings: known instruments, any other symbol, and printing with the written decimals. */
import { describe, expect, test } from 'vitest';
import { listingOf, printerOf } from '../../src/sim/listing.js';

describe('listingOf', () => {
  test('known instruments have their terms', () => {
    expect(listingOf('linear', 'BTCUSDT')).toEqual({
      instrument: {
        symbol: 'BTCUSDT',
        kind: 'linear',
        tick: '0.10',
        lot: '0.001',
        multiplier: '1',
        base: 'BTC',
        quote: 'USDT',
      },
      price: 640000,
      unit: 250,
    });
    expect(listingOf('inverse', 'BTCUSD_PERP').instrument).toMatchObject({
      multiplier: '100',
      base: 'BTC',
      quote: 'USD',
    });
    expect(listingOf('inverse', 'ETHUSD_PERP').instrument).toMatchObject({ multiplier: '10', lot: '1' });
  });

  test('any other symbol of the right shape is listed', () => {
    expect(listingOf('linear', '1000PEPEUSDT').instrument.base).toBe('1000PEPE');
    expect(listingOf('linear', 'BTCUSDT_261225').instrument.base).toBe('BTC');
    expect(listingOf('spot', 'ABC').instrument.base).toBeUndefined();
  });

  test.each([
    ['linear', 'btcusdt'],
    ['linear', 'BTC/USDT'],
    ['linear', ''],
    ['inverse', 'BTCUSDT'],
    ['spot', 'BTCUSD_PERP'],
    ['spot', '../x'],
  ] as const)('%s %s is no symbol', (kind, symbol) => {
    expect(() => listingOf(kind, symbol)).toThrow(expect.objectContaining({ code: 'E_SYMBOL' }));
  });
});

test.each([
  ['0.10', 640001, '64000.10'],
  ['0.10', 3, '0.30'],
  ['0.001', 1, '0.001'],
  ['0.001', 0, '0.000'],
  ['0.0100', 15000, '150.0000'],
  ['0.5', 3, '1.5'],
  ['1', 42, '42'],
])('steps of %s print %i as %s', (step, count, text) => {
  expect(printerOf(step)(count)).toBe(text);
});
