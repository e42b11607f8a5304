/** Trades over REST: what a venue says of them, the addresses of pages, bodies as documented, errors, and how much is asked for. */
import { describe, expect, test } from 'vitest';
import { binanceCoinm, binanceSpot, binanceUsdm } from '../../src/venues/binance.js';
import { okxSpot, okxSwap } from '../../src/venues/okx.js';
import { venues } from '../../src/venues/registry.js';
import type { RestTrades, Venue } from '../../src/venues/venue.js';

const of = (venue: Venue, channel: string): RestTrades => {
  const trades = venue.rest.trades?.[channel];
  if (trades === undefined) throw new Error(`${venue.id} has none of ${channel}`);
  return trades;
};

test.each(venues)('$id: what can be read is what it says can be, and where nothing can it says why', (venue) => {
  const { capabilities, rest, channels } = venue;
  if (typeof capabilities.backfill === 'string') {
    expect(rest.trades).toBeUndefined();
    expect(capabilities.backfill.length).toBeGreaterThan(20);
    // where ids tell what is missing it can be read
    expect(capabilities.tradeLossDetected).toBe(false);
    return;
  }
  expect(Object.keys(rest.trades ?? {}).sort()).toEqual(Object.keys(capabilities.backfill).sort());
  expect(capabilities.backfill).toHaveProperty(channels.flow);
  for (const [channel, reach] of Object.entries(capabilities.backfill)) {
    expect(channels.all).toContain(channel);
    const { page } = of(venue, channel);
    // an address without ids has the newest
    expect(page('X', 1000, 1999) === page('X', 500, 600)).toBe(reach === 'recent');
  }
});

describe('addresses', () => {
  test('Binance: aggregate trades upwards from an id, single ones the newest', () => {
    expect(of(binanceUsdm, 'aggTrade').page('BTCUSDT', 3_100_000_001, 3_100_000_007)).toBe(
      '/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=3100000001&limit=7',
    );
    expect(of(binanceCoinm, 'aggTrade').page('BTCUSD_PERP', 1, 5000)).toBe(
      '/dapi/v1/aggTrades?symbol=BTCUSD_PERP&fromId=1&limit=1000',
    );
    expect(of(binanceSpot, 'trade').page('A&B', 1, 2)).toBe('/api/v3/trades?symbol=A%26B&limit=1000');
  });

  test('OKX: downwards from an id', () => {
    expect(of(okxSwap, 'trade').page('BTC-USDT-SWAP', 101, 107)).toBe(
      '/api/v5/market/history-trades?instId=BTC-USDT-SWAP&type=1&after=108&limit=7',
    );
    expect(of(okxSpot, 'trade').page('A&B', 1, 5000)).toBe(
      '/api/v5/market/history-trades?instId=A%26B&type=1&after=5001&limit=100',
    );
  });
});

describe('bodies', () => {
  test('of Binance list ids', () => {
    const newest = [
      ...[
        { id: 28457, price: '64010.20', qty: '0.003', quoteQty: '192.03060', time: 1786000001231, isBuyerMaker: true },
      ],
      ...[
        { id: 28459, price: '64010.10', qty: '0.001', quoteQty: '64.01010', time: 1786000001240, isBuyerMaker: false },
      ],
    ];
    expect(of(binanceUsdm, 'trade').read(newest)).toEqual([
      [28457, 28457],
      [28459, 28459],
    ]);
    const aggregate = [{ a: 26129, p: '0.01633102', q: '4.70443515', f: 27781, l: 27785, T: 1498793709153, m: true }];
    expect(of(binanceSpot, 'aggTrade').read(aggregate)).toEqual([[26129, 26129]]);
    expect(of(binanceSpot, 'aggTrade').read([])).toEqual([]);
  });

  test('of OKX list ids as texts', () => {
    const row = {
      instId: 'BTC-USDT-SWAP',
      side: 'sell',
      sz: '0.00001',
      source: '0',
      px: '29963.2',
      ts: '1654161646974',
    };
    const rows = ['242720721', '242720720'].map((tradeId) => ({ ...row, tradeId }));
    expect(of(okxSwap, 'trade').read({ code: '0', msg: '', data: rows })).toEqual([
      [242720721, 242720721],
      [242720720, 242720720],
    ]);
    expect(of(okxSwap, 'trade').read({ code: '0', msg: '', data: [] })).toEqual([]);
  });

  test.each<[Venue, string, unknown]>([
    [binanceUsdm, 'trade', null],
    [binanceUsdm, 'trade', { code: -1121, msg: 'Invalid symbol.' }],
    [binanceUsdm, 'trade', { code: -1003, msg: 'Too many requests.' }],
    [binanceUsdm, 'trade', [{ id: '28457' }]],
    [binanceUsdm, 'trade', [{ a: 1 }]],
    [binanceUsdm, 'trade', [null]],
    [binanceUsdm, 'aggTrade', [{ a: 1 }, { a: 1.5 }]],
    [binanceUsdm, 'aggTrade', [{ a: 2 ** 53 }]],
    [okxSwap, 'trade', undefined],
    [okxSwap, 'trade', []],
    [okxSwap, 'trade', { code: '51001', msg: "Instrument ID doesn't exist", data: [] }],
    [okxSwap, 'trade', { code: '50011', msg: 'Too Many Requests', data: [] }],
    [okxSwap, 'trade', { code: '0', msg: '' }],
    [okxSwap, 'trade', { code: '0', data: [{ tradeId: 5 }] }],
    [okxSwap, 'trade', { code: '0', data: [{ tradeId: 'x' }] }],
    [okxSwap, 'trade', { code: '0', data: ['5'] }],
    [okxSwap, 'trade', { code: '0', data: [{ tradeId: '99999999999999999999' }] }],
  ])('%# of $0.id that are no list of trades', (venue, channel, body) => {
    expect(of(venue, channel).read(body)).toBeNull();
  });
});

test.each<[Venue, Record<string, number>, { minute: number; book: number }]>([
  [binanceUsdm, { trade: 5, aggTrade: 20 }, { minute: 2400, book: 20 }],
  [binanceCoinm, { trade: 5, aggTrade: 20 }, { minute: 2400, book: 20 }],
  [binanceSpot, { trade: 25, aggTrade: 4 }, { minute: 6000, book: 250 }],
])(
  '$0.id: books and trades asked for without a pause stay inside the weight of any minute',
  (venue, weights, { minute, book }) => {
    for (const [channel, weight] of Object.entries(weights)) {
      const { everyMs, atOnce } = of(venue, channel);
      const trades = weight * (atOnce + 60_000 / everyMs);
      expect(trades + (book * 60_000) / venue.rest.snapshotEveryMs).toBeLessThanOrEqual(minute);
    }
  },
);

test('OKX: 20 requests in 2 s', () => {
  const { everyMs, atOnce } = of(okxSwap, 'trade');
  expect(atOnce + 2000 / everyMs).toBeLessThanOrEqual(20);
});
