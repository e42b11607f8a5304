/** Listings: known instruments, any other symbol, and printing with the written decimals. */
import { describe, expect, test } from 'vitest';
import { listingOf, printerOf } from '../../src/sim/listing.js';
import { venueById } from '../../src/venues/registry.js';

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

  const swaps = venueById('okx-swap').symbolForm;
  const contracts = venueById('mexc-futures').symbolForm;

  test.each([
    ['linear', swaps, 'BTC-USDT-SWAP', { kind: 'linear', tick: '0.1', lot: '0.01', multiplier: '0.01' }, 'BTC USDT'],
    ['linear', swaps, 'BTC-USD-SWAP', { kind: 'inverse', multiplier: '100' }, 'BTC USD'],
    ['linear', swaps, 'XRP-USD-260925', { kind: 'inverse', multiplier: '10' }, 'XRP USD'],
    [
      'linear',
      venueById('bingx-swap').symbolForm,
      '1000PEPE-USDT',
      { kind: 'linear', multiplier: '1' },
      '1000PEPE USDT',
    ],
    ['linear', venueById('bingx-swap').symbolForm, 'BTC-USDC', { kind: 'linear', multiplier: '1' }, 'BTC USDC'],
    ['spot', venueById('okx-spot').symbolForm, 'BTC-USDT', { kind: 'spot', tick: '0.1', multiplier: '1' }, 'BTC USDT'],
    ['linear', contracts, 'BTC_USDT', { kind: 'linear', tick: '0.1', lot: '1', multiplier: '0.0001' }, 'BTC USDT'],
    ['linear', contracts, 'ETH_USD', { kind: 'inverse', tick: '0.01', multiplier: '10' }, 'ETH USD'],
    ['linear', contracts, 'BTC_USD', { kind: 'inverse', tick: '0.1', multiplier: '100' }, 'BTC USD'],
    ['linear', contracts, 'XRP_USD', { kind: 'inverse', multiplier: '10' }, 'XRP USD'],
    ['linear', contracts, '1000BONK_USD1', { kind: 'linear', multiplier: '1' }, '1000BONK USD1'],
    ['linear', venueById('bybit-linear').symbolForm, 'BTCUSDT-25DEC26', { multiplier: '1' }, 'BTC USDT'],
    ['linear', venueById('bybit-linear').symbolForm, 'BTCPERP', { multiplier: '1' }, 'BTC USDC'],
    ['inverse', venueById('bybit-inverse').symbolForm, 'BTCUSD', { kind: 'inverse', multiplier: '1' }, 'BTC USD'],
    ['inverse', venueById('bybit-inverse').symbolForm, 'XRPUSDZ26', { kind: 'inverse', multiplier: '1' }, 'XRP USD'],
  ] as const)('%s as %s: %s', (kind, form, symbol, terms, coins) => {
    const { instrument } = listingOf(kind, symbol, form);
    expect(instrument).toMatchObject({ symbol, ...terms });
    expect(`${instrument.base} ${instrument.quote}`).toBe(coins);
  });

  test('a usual order is worth about the same in contracts', () => {
    const worth = (kind: 'linear' | 'inverse', symbol: string, form?: RegExp): number => {
      const { instrument, unit, price } = listingOf(kind, symbol, form);
      const each = Number(instrument.lot) * Number(instrument.multiplier);
      return unit * each * (instrument.kind === 'inverse' ? 1 : price * Number(instrument.tick));
    };
    const plain = worth('linear', 'BTCUSDT');
    expect(worth('linear', 'BTC-USDT-SWAP', swaps) / plain).toBeCloseTo(1);
    expect(worth('linear', 'BTC_USDT', contracts) / plain).toBeCloseTo(1);
    expect(worth('linear', 'BTC_USD', contracts)).toBeCloseTo(worth('inverse', 'BTCUSD_PERP'));
    expect(worth('linear', 'BTC-USD-SWAP', swaps)).toBeCloseTo(worth('inverse', 'BTCUSD_PERP'));
    expect(worth('inverse', 'BTCUSD', venueById('bybit-inverse').symbolForm)).toBeCloseTo(
      worth('inverse', 'BTCUSD_PERP'),
    );
  });

  test('a market lists symbols of its own form only, and names one', () => {
    expect(() => listingOf('linear', 'BTCUSDT', swaps)).toThrow(/which look like BTC-USDT-SWAP$/);
    expect(() => listingOf('inverse', 'BTCUSD_PERP', venueById('bybit-inverse').symbolForm)).toThrow(/like BTCUSD$/);
    expect(() => listingOf('linear', 'BTC-USD', venueById('bingx-swap').symbolForm)).toThrow(/like BTC-USDT$/);
    expect(() => listingOf('linear', 'BTCUSDT', contracts)).toThrow(/like BTC_USDT$/);
    expect(() => listingOf('linear', 'BTC-USDT-SWAP')).toThrow(/like BTCUSDT$/);
    expect(() => listingOf('inverse', 'BTCUSD')).toThrow(/like BTCUSD_PERP$/);
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
