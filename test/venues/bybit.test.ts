/** Bybit on literal bytes: every example and conformance case of the fact sheet, subscriptions, instruments. */
import { describe, expect, it, test } from 'vitest';
import { BID } from '../../src/market/book.js';
import { Effect } from '../../src/market/track.js';
import { TapedeckError } from '../../src/model/errors.js';
import type { Instrument } from '../../src/model/instrument.js';
import { bybitInverse, bybitLinear, bybitSpot } from '../../src/venues/bybit.js';
import { createFollower, recordsOf } from './records.js';

const BTC: Instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.10', lot: '0.001', multiplier: '1' };

interface BookParts {
  type?: 'snapshot' | 'delta';
  u: number;
  seq?: number;
  b?: [string, string][];
  a?: [string, string][];
  topic?: string;
}

function book({
  type = 'delta',
  u,
  seq = u + 420_000_000_000,
  b = [],
  a = [],
  topic = 'orderbook.200',
}: BookParts): string {
  return `{"topic":"${topic}.BTCUSDT","type":"${type}","ts":1786000001237,"data":{"s":"BTCUSDT","b":${JSON.stringify(b)},"a":${JSON.stringify(a)},"u":${u},"seq":${seq}},"cts":1786000001231}`;
}

const START = book({ type: 'snapshot', u: 10, b: [['64010.10', '3.204']], a: [['64010.20', '1.000']] });

describe('messages', () => {
  test('a snapshot and a delta, whatever the order of their keys', () => {
    const rows = '"b":[["64010.10","3.204"],["64010.00","0.410"]],"a":[["64010.20","1.000"]]';
    const usual = `{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1786000001237,"data":{"s":"BTCUSDT",${rows},"u":53935309,"seq":420000000123},"cts":1786000001231}`;
    // spot sends ts before type, and the documentation has it in quotes
    const other = `{"cts":1786000001231,"topic":"orderbook.50.BTCUSDT","ts":"1786000001237","type":"snapshot","data":{"seq":420000000123,"u":53935309,"a":[["64010.20","1.000"]],"b":[["64010.10","3.204"],["64010.00","0.410"]],"s":"BTCUSDT"}}`;
    const [one, two] = recordsOf(bybitLinear, BTC, [usual, other]);
    expect(one).toEqual(two);
    expect(one).toMatchObject({
      kind: 'snapshot',
      emitted: 1786000001237000,
      matched: 1786000001231000,
      first: 420000000123,
      last: 53935309,
      bids: [
        [64010.1, 3.204],
        [64010, 0.41],
      ],
      asks: [[64010.2, 1]],
    });
    const [delta] = recordsOf(bybitLinear, BTC, [usual.replace('snapshot', 'delta').replace('0.410', '0')]);
    expect(delta).toMatchObject({
      kind: 'depth',
      bids: [
        [64010.1, 3.204],
        [64010, 0],
      ],
    });
  });

  test('several trades of one message: the aggressor side, block and RPI trades off the book', () => {
    const row = (more: string): string =>
      `{"T":1786000001236,"s":"BTCUSDT","S":"Sell","v":"0.003","p":"64010.10","L":"ZeroMinusTick","i":"5b1f0c7e-1","BT":false,"RPI":false,"seq":420000000125${more}}`;
    const trades = `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[${[
      row(''),
      row('').replace('Sell', 'Buy').replace('"0.003"', '"2"'),
      row('').replace('"BT":false', '"BT":true'),
      row('').replace('"RPI":false', '"RPI":true'),
    ].join(',')}]}`;
    const records = recordsOf(bybitLinear, BTC, [trades]);
    expect(records.map(({ kind, side, size, offBook, more }) => [kind, side, size, offBook, more])).toEqual([
      ['trade', -1, 0.003, false, true],
      ['trade', 1, 2, false, true],
      ['trade', -1, 0.003, true, true],
      ['trade', -1, 0.003, true, false],
    ]);
    expect(records[0]).toMatchObject({
      emitted: 1786000001240000,
      matched: 1786000001236000,
      price: 64010.1,
      last: -1,
    });
    const strange = trades.replace('"S":"Sell"', '"S":"None"');
    expect(recordsOf(bybitLinear, BTC, [strange]).map(({ kind }) => kind)).toEqual(['invalid']);
  });

  test('more trades than the buffer has room for come whole', () => {
    const row = '{"T":1786000001236,"s":"BTCUSDT","S":"Buy","v":"0.003","p":"64010.10"}';
    const rows = Array.from({ length: 6000 }, () => row).join(',');
    const message = `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[${rows}]}`;
    const records = recordsOf(bybitLinear, BTC, [message, book({ u: 11 })]);
    expect(records).toHaveLength(6001);
    expect(records.filter(({ more }) => more)).toHaveLength(5999);
    expect(records[6000].kind).toBe('depth');
  });

  test('tickers, liquidations, candles and talk are known and are no flow; another symbol is not ours', () => {
    const kinds = recordsOf(bybitLinear, BTC, [
      '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"64003.10"},"cs":420000000130,"ts":1786000001300}',
      '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1786000003000,"data":[{"T":1786000002811,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"62990.50"}]}',
      '{"topic":"kline.1.BTCUSDT","data":[{"start":1786000000000}],"ts":1786000001300,"type":"snapshot"}',
      '{"success":true,"ret_msg":"pong","conn_id":"0a1b","req_id":"","op":"ping"}',
      '{"success":false,"ret_msg":"error:handler not found,topic:orderbook.500.BTCUSDT","conn_id":"0a1b","op":"subscribe"}',
      book({ u: 5 }).replace('BTCUSDT"', 'ETHUSDT"'),
      '{"topic":"orderbook.200.BTCUSDTX","type":"delta","ts":1,"data":{}}',
    ]).map(({ kind }) => kind);
    expect(kinds).toEqual(['derivative', 'liquidation', 'other', 'other', 'other', 'unknown', 'unknown']);
  });

  const TICKER =
    '{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","tickDirection":"ZeroPlusTick","price24hPcnt":"0.001624","lastPrice":"65114.30","markPrice":"65117.44","indexPrice":"65137.76","openInterest":"59891.732","openInterestValue":"3899996265.01","fundingIntervalHour":"8","fundingCap":"0.005","singleOpenInterest":"29945.866","nextFundingTime":"1786320000000","fundingRate":"-0.00004617","bid1Price":"65114.20","bid1Size":"5.954","ask1Price":"65114.30","ask1Size":"10.470","preOpenPrice":""},"cs":753843900397,"ts":1786310817583}';

  test('a ticker says mark, index, funding and open interest; a delta only what changed', () => {
    const delta =
      '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"64003.10","openInterest":"52000.123","openInterestValue":"3328"},"cs":420000000130,"ts":1786000001300}';
    const [whole, part, nothing] = recordsOf(bybitLinear, BTC, [
      TICKER,
      delta,
      '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"65114.20"},"cs":1,"ts":1786000001300}',
    ]);
    expect(whole).toMatchObject({ kind: 'derivative', emitted: 1786310817583000, matched: 0 });
    expect(whole.said).toEqual({
      mark: '65117.44',
      index: '65137.76',
      funding: '-0.00004617',
      nextFunding: 1786320000000000,
      openInterest: '59891.732',
    });
    expect(part.said).toEqual({ mark: '64003.1', openInterest: '52000.123' });
    expect(nothing).toMatchObject({ kind: 'derivative', said: {} });
  });

  test('zero is said, an empty text is not: dated futures have no funding', () => {
    const dated = TICKER.replace('"1786320000000"', '""').replace('"-0.00004617"', '""');
    const zero = TICKER.replace('"-0.00004617"', '"-0.0000"').replace('"59891.732"', '"0"');
    const [one, two] = recordsOf(bybitLinear, BTC, [dated, zero]);
    expect(one.said).toEqual({ mark: '65117.44', index: '65137.76', openInterest: '59891.732' });
    expect(two.said).toMatchObject({ funding: '0', openInterest: '0' });
  });

  test('inverse open interest is US dollars, and a spot ticker says nothing of these', () => {
    const inverse: Instrument = { symbol: 'BTCUSD', kind: 'inverse', tick: '0.10', lot: '1', multiplier: '1' };
    const [dollars] = recordsOf(bybitInverse, inverse, [
      TICKER.replaceAll('BTCUSDT', 'BTCUSD').replace('59891.732', '529001234'),
    ]);
    expect(dollars.said?.openInterest).toBe('529001234');
    const spot: Instrument = { ...BTC, kind: 'spot', tick: '0.1', lot: '0.000001' };
    const [ticker] = recordsOf(bybitSpot, spot, [
      '{"topic":"tickers.BTCUSDT","ts":1786310817583,"type":"snapshot","cs":2588407389,"data":{"symbol":"BTCUSDT","lastPrice":"65109.77","volume24h":"6780.866843","usdIndexPrice":"65120.5"}}',
    ]);
    expect(ticker.said).toEqual({});
  });

  test.each([
    ['a rate finer than 16 decimals', TICKER.replace('-0.00004617', '0.00004617000000001')],
    ['a rate that is no number', TICKER.replace('-0.00004617', 'high')],
    ['a mark price that is negative', TICKER.replace('65117.44', '-65117.44')],
    ['a mark price finer than can be held', TICKER.replace('65117.44', '65117.440000001')],
    ['a ticker of another symbol', TICKER.replace('"symbol":"BTCUSDT"', '"symbol":"ETHUSDT"')],
  ])('%s makes the message invalid, not wrong', (_, message) => {
    expect(recordsOf(bybitLinear, BTC, [message]).map(({ kind }) => kind)).toEqual(['invalid']);
  });

  test('liquidations: a long position is closed by an order that sells, several come in one message', () => {
    const liquidations =
      '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1786000003000,"data":[{"T":1786000002811,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"62990.50"},{"T":1786000002911,"s":"BTCUSDT","S":"Sell","v":"1.5","p":"63990.5"}]}';
    const [long, short] = recordsOf(bybitLinear, BTC, [liquidations]);
    expect(long).toMatchObject({
      ...{ kind: 'liquidation', side: -1, price: 62990.5, size: 0.25, more: true, offBook: false },
      ...{ emitted: 1786000003000000, matched: 1786000002811000, first: -1, last: -1 },
    });
    expect(short).toMatchObject({ kind: 'liquidation', side: 1, price: 63990.5, size: 1.5, more: false });
    const strange = liquidations.replace('"S":"Buy"', '"S":"None"');
    expect(recordsOf(bybitLinear, BTC, [strange]).map(({ kind }) => kind)).toEqual(['invalid']);
  });

  test('of the older stream of liquidations nobody knows whose side is meant: it is known, and not decoded', () => {
    const old =
      '{"topic":"liquidation.BTCUSDT","type":"snapshot","ts":1703485237953,"data":{"updatedTime":1703485237953,"symbol":"BTCUSDT","side":"Sell","size":"0.003","price":"43511.70"}}';
    expect(recordsOf(bybitLinear, BTC, [old])).toMatchObject([{ kind: 'other', emitted: 1703485237953000 }]);
  });
});

describe('the book', () => {
  const follow = (...messages: string[]): { effects: number[]; state: string; last: number; bid: number } => {
    const { track, take } = createFollower(bybitLinear, BTC);
    const effects = messages.map(take);
    return { effects, state: track.state, last: track.continuity.last, bid: track.book.bestBid() / 1000 };
  };

  test('a delta before any snapshot is ignored', () => {
    expect(follow(book({ u: 5 }))).toMatchObject({ effects: [Effect.none], state: 'syncing' });
    expect(follow(book({ u: 5 }), START)).toMatchObject({
      effects: [Effect.none, Effect.valid],
      state: 'valid',
      last: 10,
    });
  });

  test('u counts by one; a hole is a gap until the next snapshot', () => {
    const higher = { b: [['64010.15', '1']] as [string, string][] };
    expect(follow(START, book({ u: 11 }), book({ u: 12, ...higher }))).toMatchObject({
      state: 'valid',
      last: 12,
      bid: 64010.15,
    });
    const lost = follow(START, book({ u: 12 }), book({ u: 13 }));
    expect(lost).toMatchObject({ effects: [Effect.valid, Effect.lost, Effect.none], state: 'syncing' });
    expect(follow(START, book({ u: 12 }), book({ type: 'snapshot', u: 40, ...higher }), book({ u: 41 }))).toMatchObject(
      {
        state: 'valid',
        last: 41,
        bid: 64010.15,
      },
    );
  });

  test.each([1, 500])('a snapshot with u %i replaces a valid book, and is no flow', (u) => {
    const { track, take } = createFollower(bybitLinear, BTC);
    let heard = 0;
    take(START);
    track.onLevel = () => void heard++;
    const effect = take(book({ type: 'snapshot', u, b: [['64000.00', '1']], a: [['64000.10', '2']] }));
    expect(effect).toBe(Effect.lost | Effect.valid);
    expect(track.book.levels(BID)).toEqual([[64_000_000, 100_000]]);
    expect(heard).toBe(0);
    expect(take(book({ u: u + 1, b: [['64000.00', '0']] }))).toBe(Effect.book);
    expect(heard).toBe(1);
  });

  test('a repeated update, or one whose sequence went back, is dropped', () => {
    expect(follow(START, book({ u: 11 }), book({ u: 11 }), book({ u: 12 }))).toMatchObject({
      effects: [Effect.valid, Effect.book, Effect.none, Effect.book],
      last: 12,
    });
  });

  test('a delta whose engine sequence went back is dropped, whatever its u', () => {
    expect(follow(START, book({ u: 11 }), book({ u: 12, seq: 5 })).effects).toEqual([
      Effect.valid,
      Effect.book,
      Effect.none,
    ]);
  });

  test('the delete of a level that is not there costs nothing', () => {
    expect(follow(START, book({ u: 11, b: [['100', '0']] }))).toMatchObject({
      effects: [Effect.valid, Effect.book],
      bid: 64010.1,
    });
  });

  test('level 1 comes again with the same u, and is never applied', () => {
    const one = book({ type: 'snapshot', u: 7, topic: 'orderbook.1', b: [['1', '1']] });
    expect(follow(START, one, one, book({ u: 11 }))).toMatchObject({ state: 'valid', last: 11, bid: 64010.1 });
  });

  test('another depth is another book: the first to come is followed', () => {
    const other = book({ u: 900, topic: 'orderbook.50' });
    expect(
      follow(START, other, book({ type: 'snapshot', u: 5, topic: 'orderbook.50' }), book({ u: 11 })),
    ).toMatchObject({
      effects: [Effect.valid, Effect.none, Effect.none, Effect.book],
      last: 11,
    });
  });
});

describe('connections', () => {
  it('asks for each symbol in texts of its own, pings, and knows what is alive', () => {
    const [plan, ...more] = bybitLinear.connections(['BTCUSDT', 'ETHUSDT'], ['depth', 'trade']);
    expect(more).toEqual([]);
    expect(plan.path).toBe('/v5/public/linear');
    expect(plan.subscribe.map((text) => JSON.parse(text) as unknown)).toEqual([
      { req_id: 'BTCUSDT', op: 'subscribe', args: ['orderbook.200.BTCUSDT', 'publicTrade.BTCUSDT'] },
      { req_id: 'ETHUSDT', op: 'subscribe', args: ['orderbook.200.ETHUSDT', 'publicTrade.ETHUSDT'] },
    ]);
    expect(plan.ping).toEqual({ text: '{"op":"ping"}', everyMs: 20_000 });
    expect(plan.topics.map(({ firstDataMs }) => firstDataMs !== null)).toEqual([true, false, true, false]);
  });

  it('keeps the arguments of a connection inside 21,000 characters, and ten to a text', () => {
    const symbols = Array.from({ length: 500 }, (_, n) => `LONGNAME${n}USDT`);
    const plans = bybitSpot.connections(symbols, bybitSpot.channels.all);
    const topics = plans.flatMap((plan) => plan.topics.map(({ name }) => name));
    expect(new Set(topics).size).toBe(symbols.length * bybitSpot.channels.all.length);
    for (const plan of plans) {
      const args = plan.subscribe.flatMap((text) => (JSON.parse(text) as { args: string[] }).args);
      expect(args).toEqual(plan.topics.map(({ name }) => name));
      expect(args.join('').length).toBeLessThanOrEqual(21_000);
      for (const text of plan.subscribe)
        expect((JSON.parse(text) as { args: string[] }).args.length).toBeLessThanOrEqual(10);
    }
  });

  it('an unknown channel names those there are; spot has no liquidations', () => {
    expect(() => bybitSpot.connections(['X'], ['liquidation'])).toThrow(TapedeckError);
    expect(() => bybitSpot.connections(['X'], ['liquidation'])).toThrow(/depth, depth50/);
  });

  it('topics and control talk', () => {
    const topicOf = (text: string): string | null => bybitLinear.topicOf(Buffer.from(text), 0, Buffer.byteLength(text));
    expect(topicOf(START)).toBe('orderbook.200.BTCUSDT');
    expect(topicOf('{"success":true,"op":"ping"}')).toBeNull();
    expect(bybitLinear.control({ success: true, ret_msg: 'subscribe', op: 'subscribe' })).toEqual({
      kind: 'ack',
      id: null,
    });
    expect(bybitLinear.control({ success: true, ret_msg: 'pong', op: 'ping' })).toEqual({ kind: 'other' });
    expect(bybitLinear.control({ success: false, ret_msg: 'Invalid symbol', op: 'subscribe' })).toMatchObject({
      kind: 'error',
      text: 'Invalid symbol',
    });
    expect(bybitLinear.renew?.('orderbook.200.BTCUSDT', 1).map((text) => JSON.parse(text) as unknown)).toEqual([
      { op: 'unsubscribe', args: ['orderbook.200.BTCUSDT'] },
      { op: 'subscribe', args: ['orderbook.200.BTCUSDT'] },
    ]);
  });
});

describe('REST', () => {
  const listing = (category: string, filter: object): unknown => ({
    retCode: 0,
    result: {
      category,
      list: [
        {
          symbol: 'BTCUSDT',
          baseCoin: 'BTC',
          quoteCoin: 'USDT',
          priceFilter: { tickSize: '0.10' },
          lotSizeFilter: filter,
        },
      ],
    },
  });

  it('reads instruments of its own category only', () => {
    const linear = listing('linear', { qtyStep: '0.001' });
    expect(bybitLinear.rest.readInstrument(linear, 'BTCUSDT')).toEqual({ ...BTC, base: 'BTC', quote: 'USDT' });
    expect(bybitInverse.rest.readInstrument(linear, 'BTCUSDT')).toBeNull();
    expect(bybitLinear.rest.readInstrument(linear, 'ETHUSDT')).toBeNull();
    expect(bybitSpot.rest.readInstrument(listing('spot', { basePrecision: '0.000001' }), 'BTCUSDT')).toMatchObject({
      kind: 'spot',
      lot: '0.000001',
    });
    expect(bybitLinear.rest.readInstrument({ retCode: 10001, result: {} }, 'BTCUSDT')).toBeNull();
    expect(bybitLinear.rest.readInstrument(listing('linear', { qtyStep: 'x' }), 'BTCUSDT')).toBeNull();
  });

  it('asks for one symbol by name, and reads nanoseconds that no number holds', () => {
    expect(bybitLinear.rest.instruments(['A&B'])).toEqual(['/v5/market/instruments-info?category=linear&symbol=A%26B']);
    expect(bybitLinear.rest.instruments(['A', 'B'])).toEqual([
      '/v5/market/instruments-info?category=linear&limit=1000',
    ]);
    const time = { retCode: 0, result: { timeSecond: '1786000001', timeNano: '1786000001500123456' } };
    expect(bybitLinear.rest.readTime(time)).toBe(1786000001500123);
    expect(bybitLinear.rest.readTime({ result: { timeNano: 5 } })).toBeNull();
    expect(bybitLinear.rest.snapshot).toBeUndefined();
  });
});
