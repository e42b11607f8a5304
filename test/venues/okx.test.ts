/** OKX on literal bytes: every example and conformance case of the fact sheet, subscriptions, instruments, checksums. */
import { describe, expect, it, test } from 'vitest';
import { Effect } from '../../src/market/track.js';
import { TapedeckError } from '../../src/model/errors.js';
import type { Instrument } from '../../src/model/instrument.js';
import { okxSpot, okxSwap } from '../../src/venues/okx.js';
import { contiguousTrades } from '../../src/venues/sequence.js';
import { createFollower, recordsOf } from './records.js';

const SWAP: Instrument = { symbol: 'BTC-USDT-SWAP', kind: 'linear', tick: '0.1', lot: '0.01', multiplier: '0.01' };
const ARG = '"arg":{"channel":"books","instId":"BTC-USDT-SWAP"}';

type Row = [string, string];

interface BookParts {
  action?: 'snapshot' | 'update';
  previous?: number | null;
  id: number;
  bids?: Row[];
  asks?: Row[];
}

function book({ action = 'update', previous = null, id, bids = [], asks = [] }: BookParts): string {
  const rows = (side: Row[]): string => JSON.stringify(side.map(([price, size]) => [price, size, '0', '3']));
  const link = previous === null ? '' : `"prevSeqId":${previous},`;
  return `{${ARG},"action":"${action}","data":[{"asks":${rows(asks)},"bids":${rows(bids)},"ts":"1786000001205","checksum":0,${link}"seqId":${id}}]}`;
}

const START = book({
  action: 'snapshot',
  previous: -1,
  id: 100,
  bids: [['64010.1', '88']],
  asks: [['64010.2', '132.4']],
});

describe('messages', () => {
  test('a snapshot and an update, rows of four', () => {
    const [snapshot, update] = recordsOf(okxSwap, SWAP, [
      START,
      book({ previous: 100, id: 140, bids: [['64010', '0']], asks: [['64010.2', '0.32']] }),
    ]);
    expect(snapshot).toMatchObject({
      kind: 'snapshot',
      matched: 1786000001205000,
      last: 100,
      bids: [[64010.1, 88]],
      asks: [[64010.2, 132.4]],
    });
    expect(update).toMatchObject({
      kind: 'depth',
      last: 140,
      previous: 100,
      bids: [[64010, 0]],
      asks: [[64010.2, 0.32]],
    });
  });

  test('trades are merged prints: the ids they end with, and how many there are', () => {
    const trades =
      '{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000105","px":"64010.1","sz":"12.5","side":"sell","ts":"1786000001204","count":"3","source":"0","seqId":71000000118},{"instId":"BTC-USDT-SWAP","tradeId":"2300000106","px":"64010.2","sz":"1","side":"buy","ts":"1786000001204","count":"1","source":"1","seqId":71000000118}]}';
    expect(recordsOf(okxSwap, SWAP, [trades])).toMatchObject([
      { kind: 'trade', first: 2300000103, last: 2300000105, side: -1, price: 64010.1, size: 12.5, more: true },
      { kind: 'trade', first: 2300000106, last: 2300000106, side: 1, more: false },
    ]);
  });

  test('trades with orders of the liquidity program are not of this book', () => {
    const trade = (source: string): string =>
      `{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000105","px":"64010.1","sz":"12.5","side":"sell","ts":"1786000001204","count":"3"${source},"seqId":71000000118}]}`;
    const sources = [',"source":"0"', ',"source":"1"', ',"source":0', ',"source":1', ',"source":null', ''];
    expect(recordsOf(okxSwap, SWAP, sources.map(trade)).map(({ offBook }) => offBook)).toEqual([
      ...[false, true, false, true],
      // recordings of 2022 tell of none
      ...[false, false],
    ]);
    expect(okxSwap.capabilities.offBookMarked).toBe(true);
  });

  test('105 with a count of 3 follows 102; with a count of 2 one is missing', () => {
    const missing = (first: number): number => {
      const chain = contiguousTrades();
      chain.next(102);
      return chain.next(105, first);
    };
    expect([missing(103), missing(104)]).toEqual([0, 1]);
  });

  test('best quotes, tickers and the like are known and are no flow; acks are talk; another instrument is not ours', () => {
    const kinds = recordsOf(okxSwap, SWAP, [
      '{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT-SWAP"},"data":[{"asks":[["64012.4","0.35","0","3"]],"bids":[["64012.3","1.1","0","5"]],"ts":"1786000001206","seqId":71000000120}]}',
      '{"arg":{"channel":"mark-price","instId":"BTC-USDT-SWAP"},"data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"64000.5","ts":"1786000001300"}]}',
      '{"id":"s1","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}',
      '{"id":"s1","event":"error","code":"60012","msg":"Invalid request: {}","connId":"a4d3ae55"}',
      START.replace('BTC-USDT-SWAP', 'BTC-USDT'),
    ]).map(({ kind }) => kind);
    expect(kinds).toEqual(['partial', 'derivative', 'other', 'other', 'unknown']);
  });

  const pushed = (channel: string, data: string): string =>
    `{"arg":{"channel":"${channel}","instId":"BTC-USDT-SWAP"},"data":[${data}]}`;
  const FUNDING = pushed(
    'funding-rate',
    '{"formulaType":"noRate","fundingRate":"0.0001875391284828","fundingTime":"1786003200000","impactValue":"","instId":"BTC-USDT-SWAP","instType":"SWAP","interestRate":"","maxFundingRate":"0.00375","method":"current_period","minFundingRate":"-0.00375","nextFundingRate":"","nextFundingTime":"1786032000000","premium":"0.0001233824646391","settFundingRate":"0.0001","settState":"settled","ts":"1786000001300"}',
  );

  test('mark price, funding and open interest come in channels of their own', () => {
    const records = recordsOf(okxSwap, SWAP, [
      pushed('mark-price', '{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"64000.5","ts":"1786000001300"}'),
      FUNDING,
      pushed(
        'open-interest',
        '{"instId":"BTC-USDT-SWAP","instType":"SWAP","oi":"2216113.01","oiCcy":"22161.1301","oiUsd":"1418312326.4","ts":"1786000001301"}',
      ),
    ]);
    expect(records.map(({ kind, emitted, matched, said }) => [kind, emitted, matched, said])).toEqual([
      ['derivative', 0, 1786000001300000, { mark: '64000.5' }],
      // the settlement that comes next, not the one after it
      ['derivative', 0, 1786000001300000, { funding: '0.0001875391284828', nextFunding: 1786003200000000 }],
      ['derivative', 0, 1786000001301000, { openInterest: '2216113.01' }],
    ]);
  });

  test('rates are signed, an empty text is none, and recordings of 2022 have no time', () => {
    const [negative, empty] = recordsOf(okxSwap, SWAP, [
      FUNDING.replace('"0.0001875391284828"', '"-0.0000225267512364"').replace(',"ts":"1786000001300"', ''),
      FUNDING.replace('"0.0001875391284828"', '""').replace('"1786003200000"', '""'),
    ]);
    expect([negative.said?.funding, negative.matched]).toEqual(['-0.0000225267512364', 0]);
    expect(empty.said).toEqual({});
    const wrong = [
      FUNDING.replace('0.0001875391284828', '1'),
      FUNDING.replace('"BTC-USDT-SWAP","instType"', '"X","instType"'),
    ];
    expect(recordsOf(okxSwap, SWAP, wrong).map(({ kind }) => kind)).toEqual(['invalid', 'invalid']);
  });

  const LIQUIDATIONS =
    '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"63100.5","ccy":"","posSide":"long","side":"sell","sz":"35","ts":"1786000001100"},{"bkLoss":"0","bkPx":"64100.55","ccy":"","posSide":"net","side":"buy","sz":"0.32","ts":"1786000001050"}],"instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}]}';

  test('liquidations are of a type of instruments: those of another are not ours, and the side is that of the order', () => {
    const records = recordsOf(okxSwap, SWAP, [LIQUIDATIONS]);
    expect(records).toMatchObject([
      { kind: 'liquidation', side: -1, price: 63100.5, size: 35, matched: 1786000001100000, more: true },
      { kind: 'liquidation', side: 1, price: 64100.55, size: 0.32, matched: 1786000001050000, more: false },
    ]);
    const kinds = recordsOf(okxSwap, SWAP, [
      LIQUIDATIONS.replaceAll('BTC-USDT', 'MINA-USDT'),
      // whatever else the list holds must not be lost in silence
      LIQUIDATIONS.replace(/\}\]\}$/, '},{"details":[],"instId":"BTC-USDT-SWAP"}]}'),
      LIQUIDATIONS.replace('"sell"', '"close"'),
      LIQUIDATIONS.replace(/"details":\[.*?\]/, '"details":[]'),
      LIQUIDATIONS.replace(/"data":.*/, '"data":[]}'),
      '{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},"connId":"a4d3ae55"}',
    ]).map(({ kind }) => kind);
    expect(kinds).toEqual(['unknown', 'unknown', 'invalid', 'other', 'unknown', 'other']);
  });

  test('a message of liquidations names the topic of its instrument, wherever that stands', () => {
    const topicOf = (text: string): string | null => okxSwap.topicOf(Buffer.from(text), 0, Buffer.byteLength(text));
    const [plan] = okxSwap.connections(['BTC-USDT-SWAP'], ['liquidation']);
    expect(topicOf(LIQUIDATIONS)).toBe(plan.topics[0].name);
    expect(topicOf(LIQUIDATIONS.replaceAll('BTC-USDT', 'MINA-USDT'))).toBe('liquidation-orders:MINA-USDT-SWAP');
    expect(topicOf(LIQUIDATIONS.replace(/\}\]\}$/, '},{"instId":"X"}]}'))).toBeNull();
    expect(topicOf('{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"}}')).toBeNull();
    expect(topicOf(LIQUIDATIONS.slice(0, 300))).toBeNull();
  });
});

describe('the book', () => {
  const follow = (...messages: string[]): { effects: number[]; state: string; last: number } => {
    const { track, take } = createFollower(okxSwap, SWAP);
    const effects = messages.map(take);
    return { effects, state: track.state, last: track.continuity.last };
  };

  test('each update names the one before', () => {
    expect(follow(START, book({ previous: 100, id: 140 }))).toEqual({
      effects: [Effect.valid, Effect.book],
      state: 'valid',
      last: 140,
    });
  });

  test('a keep-alive changes nothing, and a maintenance reset goes on from the smaller id', () => {
    const quiet = book({ previous: 140, id: 140 });
    const reset = book({ previous: 140, id: 7 });
    expect(follow(START, book({ previous: 100, id: 140 }), quiet, reset, book({ previous: 7, id: 9 }))).toMatchObject({
      state: 'valid',
      last: 9,
    });
  });

  test.each([
    ['another link', book({ previous: 150, id: 160 })],
    ['no link', book({ id: 160 })],
    ['the link of a snapshot', book({ previous: -1, id: 160 })],
  ])('%s is a gap until the next snapshot', (_, message) => {
    const lost = follow(START, book({ previous: 100, id: 140 }), message);
    expect(lost.effects[2]).toBe(Effect.lost);
    expect(lost.state).toBe('syncing');
    expect(follow(START, message, START.replace('100}', '500}'))).toMatchObject({ state: 'valid', last: 500 });
  });

  test('a snapshot replaces a valid book', () => {
    const { track, take } = createFollower(okxSwap, SWAP);
    take(START);
    expect(take(book({ action: 'snapshot', previous: -1, id: 9, bids: [['1', '1']] }))).toBe(
      Effect.lost | Effect.valid,
    );
    expect(track.book.bestBid()).toBe(1000);
    expect(track.book.bestAsk()).toBeNaN();
  });

  test('an unknown level that is deleted costs nothing', () => {
    expect(follow(START, book({ previous: 100, id: 101, bids: [['100', '0']] })).effects).toEqual([
      Effect.valid,
      Effect.book,
    ]);
  });

  test('without a snapshot in the stream, the REST book is joined at the first update that reaches over it', () => {
    const { track, take } = createFollower(okxSwap, SWAP);
    const rest = (seqId: number): number => {
      const snapshot = okxSwap.readSnapshot({
        code: '0',
        data: [{ asks: [['64010.2', '1', '0', '1']], bids: [['64010.1', '2', '0', '1']], ts: '1786000001300', seqId }],
      });
      if (snapshot === null) throw new Error('no snapshot was read');
      return track.snapshot(snapshot);
    };
    expect(take(book({ previous: 50, id: 60 }))).toBe(Effect.none);
    expect(track.needsSnapshot).toBe(true);
    expect(rest(40)).toBe(Effect.none);
    expect(track.needsSnapshot).toBe(true);
    expect(rest(60)).toBe(Effect.none);
    expect(take(book({ previous: 60, id: 75, bids: [['64010.1', '5']] }))).toBe(Effect.valid);
    expect(track.book.sizeAt(0, track.book.bestBid())).toBe(50_000);
    expect(take(book({ previous: 75, id: 80 }))).toBe(Effect.book);
  });
});

describe('checksums', () => {
  const of = okxSwap.checksum?.of ?? ((): number => 0);

  test('the vectors of the fact sheet', () => {
    expect(
      of(
        [
          ['64010.1', '88'],
          ['64010', '2.5'],
        ],
        [['64010.2', '132.4']],
      ),
    ).toBe(739669509);
    const bids: Row[] = [
      ['3366.1', '7'],
      ['3366', '6'],
    ];
    const asks: Row[] = [
      ['3366.8', '9'],
      ['3368', '8'],
    ];
    expect(of(bids, asks)).toBe(-1881014294);
    const levels = Array.from({ length: 30 }, (_, n): Row => [String(100 - n), '1']);
    expect(of(levels, [])).toBe(of(levels.slice(0, 25), []));
  });

  test('0 and a missing checksum state nothing', () => {
    const stated = okxSwap.checksum?.stated;
    expect([stated?.(JSON.parse(START)), stated?.({ data: [{}] }), stated?.({ data: [{ checksum: -7 }] })]).toEqual([
      null,
      null,
      -7,
    ]);
  });
});

describe('connections', () => {
  it('names channel and instrument apart, in few texts, and says ping in plain letters', () => {
    const [plan] = okxSwap.connections(['BTC-USDT-SWAP', 'BTC-USD-260925'], ['depth', 'trade']);
    expect(plan.path).toBe('/ws/v5/public');
    expect(plan.subscribe.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        op: 'subscribe',
        args: [
          { channel: 'books', instId: 'BTC-USDT-SWAP' },
          { channel: 'trades', instId: 'BTC-USDT-SWAP' },
          { channel: 'books', instId: 'BTC-USD-260925' },
          { channel: 'trades', instId: 'BTC-USD-260925' },
        ],
      },
    ]);
    expect(plan.ping).toEqual({ text: 'ping', everyMs: 15_000 });
    expect(() => okxSpot.connections(['BTC-USDT'], ['funding'])).toThrow(TapedeckError);
  });

  it.each([
    [['depth'], 29, 3],
    [['depth', 'trade'], 29, 3],
    [['depth', 'trade', 'ticker'], 20, 4],
    [['trade'], 60, 2],
  ])(
    'of %j a connection carries those of %i symbols at most, and fewer than 30 deep books',
    (channels, most, count) => {
      const symbols = Array.from({ length: 70 }, (_, n) => `S${n}-USDT-SWAP`);
      const plans = okxSwap.connections(symbols, channels);
      expect(plans.map(({ topics }) => topics.length)).toEqual([
        ...Array.from({ length: count - 1 }, () => most * channels.length),
        (70 - most * (count - 1)) * channels.length,
      ]);
      const topics = plans.flatMap((plan) => plan.topics.map(({ name }) => name));
      expect(new Set(topics).size).toBe(70 * channels.length);
    },
  );

  it('liquidations are asked for once for all instruments of a type, on a connection of their own', () => {
    const symbols = [...Array.from({ length: 70 }, (_, n) => `S${n}-USDT-SWAP`), 'BTC-USD-260925'];
    const plans = okxSwap.connections(symbols, ['trade', 'liquidation']);
    const last = plans.at(-1);
    expect(last?.topics.map(({ symbol, channel }) => [symbol, channel])).toEqual(
      symbols.map((symbol) => [symbol, 'liquidation']),
    );
    expect(last?.topics.every(({ firstDataMs }) => firstDataMs === null)).toBe(true);
    expect(last?.subscribe.map((text) => JSON.parse(text) as unknown)).toEqual([
      {
        op: 'subscribe',
        args: [
          { channel: 'liquidation-orders', instType: 'SWAP' },
          { channel: 'liquidation-orders', instType: 'FUTURES' },
        ],
      },
    ]);
    const others = plans.slice(0, -1).flatMap(({ topics }) => topics);
    expect(others.map(({ channel }) => channel)).toEqual(symbols.map(() => 'trade'));
    expect(okxSwap.connections(['BTC-USDT-SWAP'], ['trade'])).toHaveLength(1);
    expect(() => okxSpot.connections(['BTC-USDT'], ['liquidation'])).toThrow(TapedeckError);
  });

  it('topics, acks, errors and the notice before a close', () => {
    const topicOf = (text: string): string | null => okxSwap.topicOf(Buffer.from(text), 0, Buffer.byteLength(text));
    const [plan] = okxSwap.connections(['BTC-USDT-SWAP'], ['depth']);
    expect(topicOf(START)).toBe(plan.topics[0].name);
    expect(topicOf('{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"}}')).toBeNull();
    expect(topicOf('pong')).toBeNull();
    expect(okxSwap.control({ event: 'subscribe' })).toEqual({ kind: 'ack', id: null });
    expect(okxSwap.control({ event: 'error', code: '60018', msg: 'x' })).toMatchObject({
      kind: 'error',
      text: '60018 x',
    });
    expect(okxSwap.control({ event: 'notice', code: '64008' })).toEqual({ kind: 'shutdown' });
    expect(okxSwap.control({ event: 'channel-conn-count' })).toEqual({ kind: 'other' });
    expect(okxSwap.renew?.(plan.topics[0].name, 1).map((text) => JSON.parse(text) as unknown)).toEqual(
      ['unsubscribe', 'subscribe'].map((op) => ({ op, args: [{ channel: 'books', instId: 'BTC-USDT-SWAP' }] })),
    );
  });
});

describe('REST', () => {
  const row = (more: object): unknown => ({
    code: '0',
    data: [
      {
        instType: 'SWAP',
        instId: 'BTC-USDT-SWAP',
        uly: 'BTC-USDT',
        ctVal: '0.01',
        ctMult: '1',
        ctType: 'linear',
        tickSz: '0.1',
        lotSz: '0.01',
        ...more,
      },
    ],
  });

  it('contracts are worth their value times their factor; inverse ones in quote units', () => {
    expect(okxSwap.rest.readInstrument(row({}), 'BTC-USDT-SWAP')).toEqual({ ...SWAP, base: 'BTC', quote: 'USDT' });
    const inverse = row({ instId: 'BTC-USD-SWAP', uly: 'BTC-USD', ctVal: '100', ctType: 'inverse' });
    expect(okxSwap.rest.readInstrument(inverse, 'BTC-USD-SWAP')).toMatchObject({ kind: 'inverse', multiplier: '100' });
    expect(okxSwap.rest.readInstrument(row({}), 'ETH-USDT-SWAP')).toBeNull();
    const spot = {
      instType: 'SPOT',
      instId: 'BTC-USDT',
      baseCcy: 'BTC',
      quoteCcy: 'USDT',
      uly: '',
      ctVal: '',
      ctMult: '',
    };
    expect(okxSpot.rest.readInstrument(row(spot), 'BTC-USDT')).toMatchObject({
      kind: 'spot',
      multiplier: '1',
      base: 'BTC',
      quote: 'USDT',
    });
  });

  it('paths and times', () => {
    expect(okxSwap.rest.instruments(['BTC-USDT-SWAP'])).toEqual([
      '/api/v5/public/instruments?instType=SWAP&instId=BTC-USDT-SWAP',
    ]);
    expect(okxSwap.rest.instruments(['BTC-USD-260925'])).toEqual([
      '/api/v5/public/instruments?instType=FUTURES&instId=BTC-USD-260925',
    ]);
    expect(okxSwap.rest.instruments(['BTC-USDT-SWAP', 'BTC-USD-260925', 'ETH-USDT-SWAP'])).toEqual([
      '/api/v5/public/instruments?instType=SWAP',
      '/api/v5/public/instruments?instType=FUTURES&instId=BTC-USD-260925',
    ]);
    expect(okxSpot.rest.instruments(['A', 'B'])).toEqual(['/api/v5/public/instruments?instType=SPOT']);
    expect(okxSwap.rest.snapshot?.('A&B')).toBe('/api/v5/market/books?instId=A%26B&sz=400');
    expect(okxSwap.rest.readTime({ code: '0', data: [{ ts: '1786000001234' }] })).toBe(1786000001234000);
    expect(okxSwap.readSnapshot({ code: '51001', msg: 'x', data: [] })).toBeNull();
  });
});
