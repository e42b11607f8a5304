/** Binance: subscriptions and routes, control messages, instruments and snapshots. */
import { describe, expect, it } from 'vitest';
import { TapedeckError } from '../../src/model/errors.js';
import type { Instrument } from '../../src/model/instrument.js';
import { binanceCoinm, binanceSpot, binanceUsdm } from '../../src/venues/binance.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import { recordsOf } from './records.js';

const venues = [binanceUsdm, binanceCoinm, binanceSpot];

const topics = (venue: Venue, symbols: string[], channels: string[]): [string, string[]][] =>
  venue.connections(symbols, channels).map((plan) => [plan.path, plan.topics.map(({ name }) => name)]);

describe('connections', () => {
  it('USD-M: book, trades and touch on /public, the rest on /market', () => {
    expect(topics(binanceUsdm, ['BTCUSDT', 'ETHUSDT'], binanceUsdm.channels.all)).toEqual([
      [
        '/public/stream',
        ['depth@100ms', 'trade', 'bookTicker'].flatMap((stream) => [`btcusdt@${stream}`, `ethusdt@${stream}`]),
      ],
      [
        '/market/stream',
        ['aggTrade', 'markPrice@1s', 'forceOrder'].flatMap((stream) => [`btcusdt@${stream}`, `ethusdt@${stream}`]),
      ],
    ]);
  });

  it.each([binanceCoinm, binanceSpot])('$id has no routes', (venue) => {
    const plans = venue.connections(['ETHUSD_PERP'], venue.channels.all);
    expect(plans.map(({ path }) => path)).toEqual(['/stream']);
    expect(plans[0].topics[0].name).toBe('ethusd_perp@depth@100ms');
  });

  it('subscribes to every topic once, in texts with small rising ids, at most 200 topics a connection', () => {
    const symbols = Array.from({ length: 130 }, (_, i) => `S${i}USDT`);
    for (const venue of venues) {
      const plans = venue.connections(symbols, venue.channels.default);
      const wanted = plans.flatMap((plan) => plan.topics.map(({ name }) => name));
      expect(new Set(wanted).size).toBe(symbols.length * venue.channels.default.length);
      for (const plan of plans) {
        expect(plan.topics.length).toBeLessThanOrEqual(200);
        const texts = plan.subscribe.map(
          (text) => JSON.parse(text) as { method: string; params: string[]; id: number },
        );
        expect(texts.map(({ id }) => id)).toEqual(texts.map((_, i) => i + 1));
        expect(texts.every(({ method }) => method === 'SUBSCRIBE')).toBe(true);
        expect(texts.flatMap(({ params }) => params)).toEqual(plan.topics.map(({ name }) => name));
        // ten messages a second on futures, five on spot
        expect(plan.sendEveryMs).toBeGreaterThanOrEqual(200);
        expect(plan.lifetimeMs).toBeLessThan(24 * 3600_000);
      }
    }
  });

  it('every channel the decoder must know has a layout for its stream', () => {
    for (const venue of venues) {
      const streams = venue.layouts.messages.flatMap((layout) => layout.streams);
      for (const plan of venue.connections(['X'], venue.channels.all))
        for (const { name } of plan.topics) expect(streams).toContain(name.slice('x@'.length));
      const names = venue.layouts.messages.map(({ name }) => name);
      expect(names).toContain(venue.channels.flow);
      for (const channel of venue.channels.all) expect(names).toContain(channel);
    }
  });

  it('topics that never came are asked for again in texts as short as those of a plan', () => {
    const names = Array.from({ length: 60 }, (_, n) => `x${n}usdt@depth@100ms`);
    const texts = (binanceUsdm.again?.(names) ?? []).map(
      (text) => JSON.parse(text) as { method: string; params: string[]; id: number },
    );
    expect(texts.map(({ method, params }) => [method, params.length])).toEqual([
      ['UNSUBSCRIBE', 50],
      ['SUBSCRIBE', 50],
      ['UNSUBSCRIBE', 10],
      ['SUBSCRIBE', 10],
    ]);
    expect(texts.filter(({ method }) => method === 'SUBSCRIBE').flatMap(({ params }) => params)).toEqual(names);
    expect(new Set(texts.map(({ id }) => id)).size).toBe(4);
  });

  it('a connection of trades alone may be silent, one with a book is asked when it is', () => {
    expect(binanceUsdm.connections(['X'], ['trade'])[0].silenceMs).toBeNull();
    expect(binanceUsdm.connections(['X'], ['trade', 'depth'])[0]).toMatchObject({ silenceMs: 10_000, asks: true });
    const deadlines = binanceUsdm
      .connections(['X'], ['depth', 'markPrice', 'forceOrder'])
      .flatMap((plan) => plan.topics);
    expect(deadlines.map(({ channel, firstDataMs }) => [channel, firstDataMs])).toEqual([
      ['depth', 10_000],
      ['markPrice', 5_000],
      ['forceOrder', null],
    ]);
  });

  it.each(['nope', 'constructor', '__proto__', 'toString', ''])(
    'an unknown channel %j is refused by name',
    (channel) => {
      expect(() => binanceUsdm.connections(['X'], ['depth', channel])).toThrow(TapedeckError);
      expect(() => binanceUsdm.connections(['X'], [channel])).toThrow(`no channel '${channel}'; it has depth, trade`);
    },
  );

  it('nothing asked for is nothing opened', () => {
    expect(binanceUsdm.connections([], ['depth'])).toEqual([]);
    expect(binanceUsdm.connections(['X'], [])).toEqual([]);
  });

  it('the flow is the raw trade, or the merged one where only that is asked for', () => {
    expect(binanceUsdm.flowOf(['depth', 'aggTrade', 'trade'])).toBe('trade');
    expect(binanceUsdm.flowOf(['depth', 'aggTrade'])).toBe('aggTrade');
  });
});

describe('merged trades', () => {
  const USDT: Instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.10', lot: '0.001', multiplier: '1' };
  const usdm = { ...binanceUsdm, channels: { ...binanceUsdm.channels, flow: 'aggTrade' } };
  const merged = (net: string): string =>
    `{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1786000001234,"s":"BTCUSDT","a":3100000001,"p":"64010.20","q":"0.510",${net}"f":7200000001,"l":7200000004,"T":1786000001231,"m":true,"st":1}}`;

  it('are as large as what hit the book: fills of retail orders are no flow', () => {
    const nets = ['"nq":"0.500",', '"nq":"0.510",', '"nq":"0.000",', '', '"nq":null,'];
    expect(recordsOf(usdm, USDT, nets.map(merged)).map(({ size, offBook }) => [size, offBook])).toEqual([
      [0.5, false],
      [0.51, false],
      // all of it was filled by such orders: the print keeps its size
      [0.51, true],
      [0.51, false],
      [0.51, false],
    ]);
  });

  it('do not go by the order of keys', () => {
    const late = merged('').replace('"st":1', '"st":1,"nq":"0.500"');
    const early = merged('').replace('"q":"0.510",', '"nq":"0.000","q":"0.510",');
    expect(recordsOf(usdm, USDT, [late, early]).map(({ size, offBook }) => [size, offBook])).toEqual([
      [0.5, false],
      [0.51, true],
    ]);
  });
});

describe('what is said beside the market', () => {
  const BTC: Instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.10', lot: '0.001', multiplier: '1' };
  const ETH: Instrument = { symbol: 'ETHUSD_PERP', kind: 'inverse', tick: '0.01', lot: '1', multiplier: '10' };
  const MARK =
    '{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1786000001234,"s":"BTCUSDT","p":"64001.12345678","ap":"64000.9","i":"64005.5","P":"64003.2","r":"0.00010000","T":1786003200000}}';
  const FORCED =
    '{"stream":"btcusdt@forceOrder","data":{"e":"forceOrder","E":1786000001300,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.010","p":"63500.00","ap":"63812.40","X":"FILLED","l":"0.004","z":"0.010","T":1786000001290}}}';

  it('mark and index price, the running funding rate and when it is settled', () => {
    // as recorded in 2023: no smoothed mark price, and the index behind the settlement price
    const old =
      '{"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1680652701000,"s":"BTCUSDT","p":"28147.27373413","P":"28142.15563565","i":"28159.75642857","r":"-0.00002754","T":1680652800000}}';
    const [now, then] = recordsOf(binanceUsdm, BTC, [MARK, old]);
    expect(now).toMatchObject({ kind: 'derivative', emitted: 1786000001234000, matched: 0 });
    expect(now.said).toEqual({
      ...{ mark: '64001.12345678', index: '64005.5', funding: '0.0001', nextFunding: 1786003200000000 },
    });
    expect(then.said).toEqual({
      ...{ mark: '28147.27373413', index: '28159.75642857', funding: '-0.00002754', nextFunding: 1680652800000000 },
    });
  });

  it('delivery contracts have no funding; in 2020 COIN-M had no index either', () => {
    const delivery = [
      MARK.replace('"0.00010000"', '""').replace('1786003200000', '0'),
      MARK.replace('"0.00010000"', '"0.00000000"').replace('1786003200000', '0'),
    ];
    expect(recordsOf(binanceUsdm, BTC, delivery).map(({ said }) => said)).toEqual([
      { mark: '64001.12345678', index: '64005.5' },
      { mark: '64001.12345678', index: '64005.5', funding: '0' },
    ]);
    const bare =
      '{"stream":"ethusd_perp@markPrice","data":{"e":"markPriceUpdate","E":1596095725000,"s":"ETHUSD_PERP","p":"334.62659091"}}';
    expect(recordsOf(binanceCoinm, ETH, [bare])[0].said).toEqual({ mark: '334.62659091' });
  });

  it('a liquidation is what was filled, at what it was filled for, by the side of the forced order', () => {
    const buy = FORCED.replace('"SELL"', '"BUY"')
      .replace('"63812.40"', '"63812.43127"')
      .replace('1290}', '1290,"ps":"BTCUSDT","st":1}');
    expect(recordsOf(binanceUsdm, BTC, [FORCED, buy])).toMatchObject([
      {
        ...{ kind: 'liquidation', side: -1, price: 63812.4, size: 0.01, offBook: false, more: false },
        ...{ emitted: 1786000001300000, matched: 1786000001290000, first: -1, last: -1 },
      },
      { kind: 'liquidation', side: 1, price: 63812.43127, size: 0.01, offBook: false },
    ]);
    const contracts = FORCED.replaceAll('BTCUSDT', 'ETHUSD_PERP')
      .replace('btcusdt', 'ethusd_perp')
      .replaceAll('0.010', '35');
    expect(recordsOf(binanceCoinm, ETH, [contracts])).toMatchObject([{ kind: 'liquidation', size: 35 }]);
  });

  it('an order that is not filled counts for nothing', () => {
    const states = ['NEW', 'PARTIALLY_FILLED', 'EXPIRED'].map((state) => FORCED.replace('FILLED', state));
    expect(recordsOf(binanceUsdm, BTC, states).map(({ kind, offBook }) => [kind, offBook])).toEqual(
      states.map(() => ['liquidation', true]),
    );
  });

  it.each([
    ['of another symbol', FORCED.replace('"s":"BTCUSDT"', '"s":"ETHUSDT"')],
    ['of no side', FORCED.replace('SELL', 'BOTH')],
    ['without an average price', FORCED.replace('"ap":"63812.40",', '')],
    ['a mark price of another symbol', MARK.replace('"s":"BTCUSDT"', '"s":"ETHUSDT"')],
    ['without a mark price', MARK.replace('"p":"64001.12345678",', '')],
    ['with a rate of more than 0.9', MARK.replace('0.00010000', '0.91')],
  ])('one %s is invalid', (_, message) => {
    expect(recordsOf(binanceUsdm, BTC, [message]).map(({ kind }) => kind)).toEqual(['invalid']);
  });
});

describe('topicOf', () => {
  const topicOf = (text: string): string | null => {
    const bytes = Buffer.from(`xx${text}yy"stream"`);
    return binanceUsdm.topicOf(bytes, 2, 2 + Buffer.byteLength(text));
  };

  it.each([
    ['{"stream":"btcusdt@depth@100ms","data":{}}', 'btcusdt@depth@100ms'],
    ['{"data":{},"stream":"btcusdt@trade"}', 'btcusdt@trade'],
    ['{ "stream" : "币安usdt@trade", "data":{}}', '币安usdt@trade'],
    ['{"stream":"\\u0062tc@trade","data":{}}', 'btc@trade'],
    ['{"stream":"!serverShutdown","data":{}}', '!serverShutdown'],
    ['{"result":null,"id":1}', null],
    ['{"code":2,"msg":"no stream here","id":1}', null],
    ['{"id":1,"x":"stream"}', null],
    ['{"stream":7}', null],
    ['"stream"', null],
    ['{"x":"stream",', null],
    ['', null],
  ])('%s', (text, topic) => {
    expect(topicOf(text)).toBe(topic);
  });
});

describe('control', () => {
  it.each([
    [
      { result: null, id: 7 },
      { kind: 'ack', id: 7 },
    ],
    [
      { result: ['btcusdt@trade'], id: 8 },
      { kind: 'ack', id: 8 },
    ],
    [
      { code: 2, msg: 'Invalid request', id: 7 },
      { kind: 'error', id: 7, text: '2 Invalid request' },
    ],
    [
      { code: 3, msg: 'Invalid JSON' },
      { kind: 'error', id: null, text: '3 Invalid JSON' },
    ],
    [
      { code: 0, msg: 'Unknown property' },
      { kind: 'error', id: null, text: '0 Unknown property' },
    ],
    [
      { error: { code: 2, msg: 'no' }, id: 1 },
      { kind: 'error', id: 1, text: '2 no' },
    ],
    [{ e: 'serverShutdown', E: 1 }, { kind: 'shutdown' }],
    [{ stream: '!serverShutdown', data: { e: 'serverShutdown', E: 1 } }, { kind: 'shutdown' }],
    [{ id: 1 }, { kind: 'other' }],
    [null, { kind: 'other' }],
    ['text', { kind: 'other' }],
    [[], { kind: 'other' }],
  ])('%j', (message, wanted) => {
    expect(binanceUsdm.control(message)).toEqual(wanted);
  });
});

describe('instruments', () => {
  const filters = [
    { filterType: 'PRICE_FILTER', minPrice: '1', tickSize: '0.10' },
    { filterType: 'LOT_SIZE', stepSize: '0.001' },
    { filterType: 'MIN_NOTIONAL', notional: '5' },
  ];
  const listed = {
    symbol: 'BTCUSDT',
    pricePrecision: 2,
    quantityPrecision: 8,
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    filters,
  };
  const body = { symbols: [{ symbol: 'ETHUSDT', filters: [] }, null, listed] };

  it('tick and lot are in the filters; the precisions are neither', () => {
    expect(binanceUsdm.rest.readInstrument(body, 'BTCUSDT')).toEqual({
      symbol: 'BTCUSDT',
      kind: 'linear',
      tick: '0.10',
      lot: '0.001',
      multiplier: '1',
      base: 'BTC',
      quote: 'USDT',
    });
  });

  it('COIN-M sizes are contracts of so many quote units', () => {
    const coin = { symbols: [{ ...listed, symbol: 'ETHUSD_PERP', contractSize: 10 }] };
    expect(binanceCoinm.rest.readInstrument(coin, 'ETHUSD_PERP')).toMatchObject({ kind: 'inverse', multiplier: '10' });
    expect(binanceSpot.rest.readInstrument(body, 'BTCUSDT')).toMatchObject({ kind: 'spot', multiplier: '1' });
  });

  it.each([
    null,
    7,
    {},
    { symbols: null },
    { symbols: {} },
    { code: -1121, msg: 'Invalid symbol.' },
    { symbols: [{ symbol: 'BTCUSDT' }] },
    { symbols: [{ ...listed, filters: [filters[0]] }] },
    { symbols: [{ ...listed, filters: [filters[0], { filterType: 'LOT_SIZE', stepSize: 1 }] }] },
    { symbols: [{ ...listed, filters: [filters[0], { filterType: 'LOT_SIZE', stepSize: 'x' }] }] },
  ])('%j lists it not', (answer) => {
    expect(binanceUsdm.rest.readInstrument(answer, 'BTCUSDT')).toBeNull();
  });

  it('paths ask for what the market weighs', () => {
    expect(binanceUsdm.rest.snapshot?.('BTCUSDT')).toBe('/fapi/v1/depth?symbol=BTCUSDT&limit=1000');
    expect(binanceCoinm.rest.snapshot?.('ETHUSD_PERP')).toBe('/dapi/v1/depth?symbol=ETHUSD_PERP&limit=1000');
    expect(binanceSpot.rest.snapshot?.('A&B币')).toBe('/api/v3/depth?symbol=A%26B%E5%B8%81&limit=5000');
    expect(binanceSpot.rest.instruments(['A', 'B']).map(decodeURIComponent)).toEqual([
      '/api/v3/exchangeInfo?symbols=["A","B"]',
    ]);
    expect(binanceUsdm.rest.readTime({ serverTime: 1786000001234 })).toBe(1786000001234000);
    expect(binanceUsdm.rest.readTime({})).toBeNull();
    // 250 of 6000 a minute on spot, 20 of 2400 on futures
    expect(60_000 / binanceSpot.rest.snapshotEveryMs).toBeLessThan(6000 / 250);
    expect(60_000 / binanceUsdm.rest.snapshotEveryMs).toBeLessThan(2400 / 20);
  });
});

describe('snapshots', () => {
  const bids: [string, string][] = [['1.5', '2']];
  const asks: [string, string][] = [['1.6', '3']];

  it('are read with their times where they have any', () => {
    expect(binanceUsdm.readSnapshot({ lastUpdateId: 5, E: 1786000001234, T: 1786000001230, bids, asks })).toEqual({
      id: 5,
      emitted: 1786000001234000,
      matched: 1786000001230000,
      bids,
      asks,
    });
    expect(binanceSpot.readSnapshot({ lastUpdateId: 5, bids: [], asks: [] })).toEqual({
      id: 5,
      emitted: 0,
      matched: 0,
      bids: [],
      asks: [],
    });
  });

  it.each([
    { lastUpdateId: -1, bids, asks },
    { lastUpdateId: '5', bids, asks },
    { lastUpdateId: 5, bids },
    { lastUpdateId: 5, bids, asks: [['1']] },
    { lastUpdateId: 5, bids, asks: [[1, 2]] },
    { code: -1121, msg: 'Invalid symbol.' },
    { bids, asks },
    null,
    'x',
    [],
  ])('%j is none', (body) => {
    expect(binanceUsdm.readSnapshot(body)).toBeNull();
  });

  it('a bare body is told from a message', () => {
    expect(binanceUsdm.isSnapshotBody({ lastUpdateId: 5, bids, asks })).toBe(true);
    expect(binanceUsdm.isSnapshotBody({ e: 'depthUpdate', lastUpdateId: 5, bids, asks })).toBe(false);
    expect(binanceUsdm.isSnapshotBody({ stream: 'x', data: {} })).toBe(false);
    expect(binanceUsdm.isSnapshotBody(null)).toBe(false);
  });
});

it('the registry knows its venues by name and names them to who asks for another', () => {
  for (const venue of venues) expect(venueById(venue.id)).toBe(venue);
  expect(new Set(venues.map(({ id }) => id)).size).toBe(venues.length);
  expect(() => venueById('binance')).toThrow(/'binance'; did you mean 'binance-usdm'\? There are binance-usdm, /);
  expect(() => venueById('nowhere')).toThrow(/'nowhere'; there are binance-usdm, binance-coinm, binance-spot/);
});
