/** Binance's side of the protocol: endpoints, requests and refusals, message bytes, REST answers. */
import { describe, expect, test } from 'vitest';
import { type BinanceMarket, padSpot } from '../../src/venues/binance-rest.js';
import { binanceServer } from '../../src/venues/binance-server.js';
import type { ServedClient, ServedEvent, ServedMarket, VenueServer } from '../../src/venues/venue.js';
import { inOrder, marketSides, PlainBook, type Row, serveRun, stillMarket } from './served.js';

const SYMBOLS: Record<BinanceMarket, string> = { usdm: 'BTCUSDT', coinm: 'BTCUSD_PERP', spot: 'BTCUSDT' };

/** A server of a market that stands still: one bid, two asks. */
function serverOf(market: BinanceMarket): VenueServer {
  const kind = market === 'usdm' ? 'linear' : market === 'coinm' ? 'inverse' : 'spot';
  const instrument = { symbol: SYMBOLS[market], kind, tick: '0.10', lot: '0.001', multiplier: '1' } as const;
  const asks: Row[] = [
    ['64010.20', '0.100'],
    ['64010.40', '7.000'],
  ];
  return binanceServer(market, stillMarket(instrument, [['64010.00', '1.000']], asks));
}

const usdm = serverOf('usdm');
const coinm = serverOf('coinm');
const spot = serverOf('spot');

function client(server: VenueServer, path: string): ServedClient {
  const made = server.connect(path);
  if (made === null) throw new Error(`no endpoint ${path}`);
  return made;
}

/** The texts of the answers; Binance sends no data with them. */
function ask(server: VenueServer, client: ServedClient, text: string): string[] {
  const replies = server.receive(client, text);
  expect(replies.filter(({ topic }) => topic !== null)).toEqual([]);
  return replies.map((reply) => reply.text);
}

describe('endpoints', () => {
  test.each<[BinanceMarket, string, string[] | null, boolean, string]>([
    ['usdm', '/public/ws', [], false, 'public'],
    ['usdm', '/public/ws/btcusdt@depth/btcusdt@trade', ['btcusdt@depth', 'btcusdt@trade'], false, 'public'],
    ['usdm', '/public/stream', [], true, 'public'],
    ['usdm', '/market/stream?streams=btcusdt@aggTrade', ['btcusdt@aggTrade'], true, 'market'],
    ['usdm', '/stream?streams=a@depth/a@aggTrade', ['a@depth', 'a@aggTrade'], true, 'public'],
    ['usdm', '/ws', [], false, 'public'],
    ['usdm', '/private/ws', null, false, ''],
    ['usdm', '/private/stream', null, false, ''],
    ['usdm', '/', null, false, ''],
    ['usdm', '/public/other', null, false, ''],
    ['usdm', '/public/stream/x', null, false, ''],
    ['coinm', '/stream?streams=btcusd_perp@depth', ['btcusd_perp@depth'], true, ''],
    ['coinm', '/public/stream', null, false, ''],
    ['spot', '/ws/btcusdt@trade?timeUnit=MICROSECOND', ['btcusdt@trade'], false, ''],
    ['spot', '/stream', [], true, ''],
  ])('%s %s', (market, path, topics, combined, route) => {
    const expected = topics === null ? null : { topics: new Set(topics), combined, route };
    expect(serverOf(market).connect(path)).toEqual(expected);
  });
});

describe('requests', () => {
  test('subscribe, list, unsubscribe', () => {
    const one = client(usdm, '/public/stream');
    expect(ask(usdm, one, '{"method":"SUBSCRIBE","params":["btcusdt@depth","btcusdt@trade"],"id":1}')).toEqual([
      '{"result":null,"id":1}',
    ]);
    expect(ask(usdm, one, '{"method":"LIST_SUBSCRIPTIONS","id":2}')).toEqual([
      '{"result":["btcusdt@depth","btcusdt@trade"],"id":2}',
    ]);
    expect(ask(usdm, one, '{"method":"UNSUBSCRIBE","params":["btcusdt@depth","never@asked"],"id":3}')).toEqual([
      '{"result":null,"id":3}',
    ]);
    expect([...one.topics]).toEqual(['btcusdt@trade']);
  });

  test('the combined property switches the wrapper', () => {
    const one = client(spot, '/ws/btcusdt@trade');
    expect(spot.wrap(one, 'btcusdt@trade', '{}')).toBe('{}');
    expect(ask(spot, one, '{"method":"GET_PROPERTY","params":["combined"],"id":"a-1"}')).toEqual([
      '{"result":false,"id":"a-1"}',
    ]);
    expect(ask(spot, one, '{"method":"SET_PROPERTY","params":["combined",true],"id":null}')).toEqual([
      '{"result":null,"id":null}',
    ]);
    expect(spot.wrap(one, 'btcusdt@trade', '{}')).toBe('{"stream":"btcusdt@trade","data":{}}');
  });

  test.each<[BinanceMarket, string, number, unknown]>([
    ['usdm', 'nonsense', 3, undefined],
    ['usdm', '[]', 2, undefined],
    ['usdm', 'null', 2, undefined],
    ['usdm', '{"method":"SUBSCRIBE","params":[]}', 2, undefined],
    ['usdm', '{"method":"SUBSCRIBE","params":[],"id":-1}', 2, undefined],
    ['usdm', '{"method":"SUBSCRIBE","params":[],"id":"x"}', 2, undefined],
    ['usdm', '{"params":[],"id":4}', 2, 4],
    ['usdm', '{"method":"SUBSCRIBE","id":5}', 2, 5],
    ['usdm', '{"method":"SUBSCRIBE","params":[1],"id":6}', 2, 6],
    ['usdm', '{"method":"SHOUT","id":7}', 2, 7],
    ['usdm', '{"method":"SET_PROPERTY","params":["volume",true],"id":8}', 0, 8],
    ['usdm', '{"method":"SET_PROPERTY","params":["combined","yes"],"id":9}', 1, 9],
    ['usdm', '{"method":"GET_PROPERTY","id":10}', 2, 10],
    ['spot', '{"method":"SUBSCRIBE","params":[],"id":1.5}', 2, undefined],
  ])('%s refuses %s with code %i', (market, text, code, id) => {
    const server = serverOf(market);
    const one = client(server, '/ws');
    const [answer, ...more] = ask(server, one, text);
    expect(more).toEqual([]);
    const { code: got, msg, id: echoed } = JSON.parse(answer) as Record<string, unknown>;
    expect({ got, echoed }).toEqual({ got: code, echoed: id });
    expect(typeof msg).toBe('string');
    expect(one).toEqual(client(server, '/ws'));
  });

  test('spot ids may be left out', () => {
    expect(ask(spot, client(spot, '/ws'), '{"method":"SUBSCRIBE","params":[]}')).toEqual(['{"result":null,"id":null}']);
  });
});

describe('routes of USD-M', () => {
  const subscribed = (path: string): ServedClient => {
    const one = client(usdm, path);
    const params = [
      'btcusdt@depth@100ms',
      'btcusdt@bookTicker',
      'btcusdt@trade',
      'btcusdt@aggTrade',
      'btcusdt@depthh',
      'BTCUSDT@trade',
    ];
    expect(ask(usdm, one, JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }))).toEqual(['{"result":null,"id":1}']);
    return one;
  };
  const heard = (one: ServedClient): string[] =>
    sample
      .flatMap((event) => usdm.render(event))
      .flatMap(({ topic, text }) => (usdm.wrap(one, topic, text) === null ? [] : [topic]));

  test('each route carries its own streams; the others are acked and silent, like misspelt ones', () => {
    expect(heard(subscribed('/public/stream'))).toEqual(['btcusdt@depth@100ms', 'btcusdt@bookTicker', 'btcusdt@trade']);
    expect(heard(subscribed('/market/stream'))).toEqual(['btcusdt@aggTrade']);
  });

  test('unrouted addresses still connect, and carry the public streams only', () => {
    expect(heard(subscribed('/stream'))).toEqual(['btcusdt@depth@100ms', 'btcusdt@bookTicker', 'btcusdt@trade']);
  });
});

const base = { emitted: 1_786_000_001_234_999, matched: 1_786_000_001_231_001 };

function sampleOf(symbol: string): ServedEvent[] {
  return [
    {
      kind: 'depth',
      symbol,
      ...base,
      first: 101,
      last: 188,
      previous: 77,
      bids: [
        ['64010.10', '3.204'],
        ['64010.00', '0.000'],
      ],
      asks: [
        ['64010.20', '0.500'],
        ['64010.30', '1.000'],
      ],
    },
    { kind: 'touch', symbol, ...base, id: 188, bid: ['64010.10', '3.204'], ask: ['64010.20', '0.500'] },
    {
      kind: 'trade',
      symbol,
      ...base,
      id: 7_200_000_001,
      price: '64010.20',
      size: '0.003',
      aggressor: 'sell',
      update: 188,
    },
  ];
}

const sample = sampleOf('BTCUSDT');

describe('messages', () => {
  test('USD-M, byte for byte', () => {
    const texts = sample.flatMap((event) => serverOf('usdm').render(event));
    const best =
      '{"e":"depthUpdate","E":1786000001234,"T":1786000001231,"s":"BTCUSDT","ps":"BTCUSDT","U":101,"u":188,"pu":500,"b":[["64010.10","3.204"]],"a":[["64010.20","0.500"],["64010.30","1.000"],["64010.40","7.000"]],"st":1}';
    const depth =
      '{"e":"depthUpdate","E":1786000001234,"T":1786000001231,"s":"BTCUSDT","ps":"BTCUSDT","U":101,"u":188,"pu":77,"b":[["64010.00","0.000"],["64010.10","3.204"]],"a":[["64010.20","0.500"],["64010.30","1.000"]],"st":1}';
    expect(texts).toEqual([
      ...['depth', 'depth@500ms', 'depth@100ms', 'depth@0ms'].map((stream) => ({
        topic: `btcusdt@${stream}`,
        text: depth,
      })),
      ...[5, 10, 20].flatMap((n) =>
        ['', '@500ms', '@100ms'].map((speed) => ({ topic: `btcusdt@depth${n}${speed}`, text: best })),
      ),
      {
        topic: 'btcusdt@bookTicker',
        text: '{"e":"bookTicker","u":188,"s":"BTCUSDT","ps":"BTCUSDT","b":"64010.10","B":"3.204","a":"64010.20","A":"0.500","T":1786000001231,"E":1786000001234,"st":1}',
      },
      {
        topic: 'btcusdt@trade',
        text: '{"e":"trade","E":1786000001234,"T":1786000001231,"s":"BTCUSDT","t":7200000001,"p":"64010.20","q":"0.003","X":"MARKET","m":true}',
      },
      {
        topic: 'btcusdt@aggTrade',
        text: '{"e":"aggTrade","E":1786000001234,"s":"BTCUSDT","a":3200000001,"p":"64010.20","q":"0.003","nq":"0.003","f":7200000001,"l":7200000001,"T":1786000001231,"m":true,"st":1}',
      },
    ]);
  });

  test('prints that are no order flow are marked on futures, and not aggregated', () => {
    const marks = (['insurance', 'deleveraging', 'block', 'retail'] as const).map((offBook) =>
      serverOf('usdm')
        .render({ ...sample[2], offBook } as ServedEvent)
        .map(({ topic, text }) => `${topic} ${/"X":"(.*?)"/.exec(text)?.[1]}`),
    );
    expect(marks.flat()).toEqual(['INSURANCE_FUND', 'ADL', 'NA', 'NA'].map((word) => `btcusdt@trade ${word}`));
  });

  test('COIN-M names the pair and has no nq', () => {
    const [depth] = coinm.render(sampleOf('BTCUSD_PERP')[0]);
    expect(depth.topic).toBe('btcusd_perp@depth');
    expect(depth.text).toContain('"s":"BTCUSD_PERP","ps":"BTCUSD","U":101');
    expect(depth.text.endsWith('"st":2}')).toBe(true);
    const [, aggregate] = coinm.render(sampleOf('BTCUSD_PERP')[2]);
    expect(aggregate.text).not.toContain('"nq"');
  });

  test('spot, byte for byte: eight decimals, bids falling, no type on bookTicker', () => {
    expect(sample.flatMap((event) => serverOf('spot').render(event)).map(({ text }) => text)).toEqual([
      ...['', ''].map(
        () =>
          '{"e":"depthUpdate","E":1786000001234,"s":"BTCUSDT","U":101,"u":188,"b":[["64010.10000000","3.20400000"],["64010.00000000","0.00000000"]],"a":[["64010.20000000","0.50000000"],["64010.30000000","1.00000000"]]}',
      ),
      ...Array.from(
        { length: 6 },
        () =>
          '{"lastUpdateId":188,"bids":[["64010.10000000","3.20400000"]],"asks":[["64010.20000000","0.50000000"],["64010.30000000","1.00000000"],["64010.40000000","7.00000000"]]}',
      ),
      '{"u":188,"s":"BTCUSDT","b":"64010.10000000","B":"3.20400000","a":"64010.20000000","A":"0.50000000"}',
      '{"e":"trade","E":1786000001234,"s":"BTCUSDT","t":7200000001,"p":"64010.20000000","q":"0.00300000","T":1786000001231,"m":true,"M":true}',
      '{"e":"aggTrade","E":1786000001234,"s":"BTCUSDT","a":3200000001,"p":"64010.20000000","q":"0.00300000","f":7200000001,"l":7200000001,"T":1786000001231,"m":true,"M":true}',
    ]);
  });

  test('every message is JSON, and rendering leaves the event alone', () => {
    const before = JSON.stringify(sample);
    for (const server of [usdm, coinm, spot])
      for (const { text } of sample.flatMap((event) => server.render(event)))
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(JSON.stringify(sample)).toBe(before);
  });

  test('padding', () => {
    expect(['1', '1.5', '0.12345678', '0.123456789'].map(padSpot)).toEqual([
      '1.00000000',
      '1.50000000',
      '0.12345678',
      '0.123456789',
    ]);
  });
});

interface Depth {
  U: number;
  u: number;
  pu: number;
  b: Row[];
  a: Row[];
}

describe('books at other speeds, and their best levels', () => {
  test('what is pushed every half second holds all changes of it, in one chain', () => {
    const run = serveRun('binance-usdm', ['BTCUSDT'], 400);
    const fast = run.join('/public/ws/btcusdt@depth@100ms');
    const slow = run.join('/public/ws/btcusdt@depth@500ms');
    const start = run.market.snapshot('BTCUSDT', 10_000);
    const book = new PlainBook(10_000);
    book.replace(start?.bids ?? [], start?.asks ?? []);
    let last = start?.id ?? Number.NaN;
    let messages = 0;
    for (let step = 0; step < 100; step++) {
      run.advance(53_000);
      for (const text of slow.heard()) {
        const { U, u, pu, b, a } = JSON.parse(text) as Depth;
        expect([pu, U > pu, u >= U, inOrder(b, 1), inOrder(a, 1)]).toEqual([last, true, true, true, true]);
        for (const [side, rows] of [
          [book.bids, b],
          [book.asks, a],
        ] as const)
          for (const [price, size] of rows) Number(size) === 0 ? side.delete(price) : side.set(price, size);
        last = u;
        messages++;
        if (u === run.market.snapshot('BTCUSDT', 1)?.id)
          expect(book.sides()).toBe(marketSides(run.market, 'BTCUSDT', 10_000));
      }
    }
    expect(messages).toBe(11);
    expect(fast.heard().length).toBeGreaterThan(4 * messages);
  });

  test.each([
    ['binance-usdm', '/public/ws/btcusdt@depth5@100ms', 5],
    ['binance-usdm', '/public/ws/btcusdt@depth20@100ms', 20],
    ['binance-spot', '/ws/btcusdt@depth10@100ms', 10],
  ])('%s %s is the best of the market at every step', (venue, path, most) => {
    const run = serveRun(venue, ['BTCUSDT'], 400);
    const client = run.join(path);
    let messages = 0;
    for (let step = 0; step < 100; step++) {
      run.advance(20_000);
      const text = client.heard().at(-1);
      if (text === undefined) continue;
      const { b, a, bids, asks } = JSON.parse(text) as Depth & { bids?: Row[]; asks?: Row[] };
      const book = new PlainBook(most);
      book.replace(bids ?? b, asks ?? a);
      expect(book.sides()).toBe(marketSides(run.market, 'BTCUSDT', most));
      messages++;
    }
    expect(messages).toBeGreaterThan(10);
  });

  test('which topics show whose book', () => {
    const shown = (server: VenueServer, ...streams: string[]): (string | null)[] =>
      streams.map((stream) => server.bookTopic(stream));
    expect(shown(usdm, 'btcusdt@depth', 'btcusdt@depth@0ms', 'btcusdt@depth20@500ms', 'btcusdt@bookTicker')).toEqual([
      'BTCUSDT',
      'BTCUSDT',
      'BTCUSDT',
      'BTCUSDT',
    ]);
    expect(
      shown(usdm, 'btcusdt@depth@200ms', 'btcusdt@depth7', 'ethusdt@depth', 'btcusdt@trade', 'depth', 'BTCUSDT@depth'),
    ).toEqual([null, null, null, null, null, null]);
    expect(shown(spot, 'btcusdt@depth5', 'btcusdt@depth@500ms')).toEqual(['BTCUSDT', null]);
    expect(shown(coinm, 'btcusd_perp@depth10')).toEqual(['BTCUSD_PERP']);
  });
});

describe('recorded messages', () => {
  const wrapped = '{"stream":"btcusdt@trade","data":{"e":"trade","t":1}}';
  const odd = '{"stream":"btcusdt@trade", "data":{"e":"trade","t":1} }';
  const bare = '{"e":"trade","t":1}';

  test('a client of the combined form gets them as they stand, or wrapped; another gets what is inside', () => {
    const combined = client(usdm, '/public/stream?streams=btcusdt@trade');
    const plain = client(usdm, '/public/ws/btcusdt@trade');
    const replay = (one: ServedClient, text: string) => usdm.replay?.(one, 'btcusdt@trade', text);
    expect([wrapped, odd, bare].map((text) => replay(combined, text))).toEqual([wrapped, odd, wrapped]);
    expect([wrapped, bare].map((text) => replay(plain, text))).toEqual([bare, bare]);
    expect(JSON.parse(replay(plain, odd) ?? '')).toEqual(JSON.parse(bare));
  });

  test('not to who did not ask for them, or by another route', () => {
    expect(usdm.replay?.(client(usdm, '/public/ws'), 'btcusdt@trade', wrapped)).toBeNull();
    expect(usdm.replay?.(client(usdm, '/market/ws/btcusdt@trade'), 'btcusdt@trade', wrapped)).toBeNull();
  });
});

describe('REST', () => {
  const market = (kind: 'linear' | 'inverse' | 'spot', symbol: string): ServedMarket => ({
    now: () => 1_786_000_001_999_999,
    instruments: () => [{ symbol, kind, tick: '0.10', lot: '0.001', multiplier: '100', base: 'BTC', quote: 'USD' }],
    snapshot: (asked, limit) =>
      asked === symbol
        ? {
            id: 500,
            emitted: base.emitted,
            matched: base.matched,
            bids: Array.from({ length: limit }, () => ['1.5', '2']),
            asks: [['1.6', '3']],
          }
        : null,
  });
  const linear = market('linear', 'BTCUSDT');

  test('time and ping', () => {
    expect(usdm.rest('/fapi/v1/time', linear)).toEqual({ status: 200, body: '{"serverTime":1786000001999}' });
    expect(spot.rest('/api/v3/ping', market('spot', 'BTCUSDT'))).toEqual({ status: 200, body: '{}' });
  });

  test('depth of each market', () => {
    expect(usdm.rest('/fapi/v1/depth?symbol=BTCUSDT&limit=5', linear).body).toBe(
      '{"lastUpdateId":500,"E":1786000001234,"T":1786000001231,"bids":[["1.5","2"],["1.5","2"],["1.5","2"],["1.5","2"],["1.5","2"]],"asks":[["1.6","3"]]}',
    );
    expect(coinm.rest('/dapi/v1/depth?symbol=BTCUSD_PERP&limit=5', market('inverse', 'BTCUSD_PERP')).body).toContain(
      '"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids"',
    );
    expect(spot.rest('/api/v3/depth?symbol=BTCUSDT&limit=1', market('spot', 'BTCUSDT')).body).toBe(
      '{"lastUpdateId":500,"bids":[["1.50000000","2.00000000"]],"asks":[["1.60000000","3.00000000"]]}',
    );
    const levels = (server: VenueServer, path: string): number =>
      (JSON.parse(server.rest(path, linear).body) as { bids: [] }).bids.length;
    expect(levels(usdm, '/fapi/v1/depth?symbol=BTCUSDT')).toBe(500);
    expect(levels(spot, '/api/v3/depth?symbol=BTCUSDT')).toBe(100);
    expect(levels(spot, '/api/v3/depth?symbol=BTCUSDT&limit=9999')).toBe(5000);
  });

  describe('trades', () => {
    /** 1200 trades from this id on were pushed. */
    const played = (venue: BinanceMarket, first = 7_200_000_001): VenueServer => {
      const server = serverOf(venue);
      for (let n = 0; n < 1200; n++)
        server.render({
          ...{ kind: 'trade', symbol: SYMBOLS[venue], ...base, id: first + n, price: '64010.20', size: '0.003' },
          ...{ aggressor: n % 2 === 0 ? 'sell' : 'buy', update: 1, ...(n === 1198 ? { offBook: 'insurance' } : {}) },
        });
      return server;
    };
    const of = (venue: BinanceMarket) =>
      market(venue === 'usdm' ? 'linear' : venue === 'coinm' ? 'inverse' : 'spot', SYMBOLS[venue]);
    const read = (server: VenueServer, venue: BinanceMarket, path: string): Record<string, unknown>[] =>
      JSON.parse(server.rest(path, of(venue)).body) as Record<string, unknown>[];

    test('the newest ones, oldest first, without those of a fund', () => {
      const server = played('usdm');
      expect(server.rest('/fapi/v1/trades?symbol=BTCUSDT&limit=3', linear).body).toBe(
        '[{"id":7200001198,"price":"64010.20","qty":"0.003","quoteQty":"192.03060","time":1786000001231,"isBuyerMaker":false},{"id":7200001200,"price":"64010.20","qty":"0.003","quoteQty":"192.03060","time":1786000001231,"isBuyerMaker":false}]',
      );
      expect(read(server, 'usdm', '/fapi/v1/trades?symbol=BTCUSDT')).toHaveLength(499);
      expect(read(server, 'usdm', '/fapi/v1/trades?symbol=BTCUSDT&limit=5000')).toHaveLength(999);
      expect(played('coinm').rest('/dapi/v1/trades?symbol=BTCUSD_PERP&limit=1', of('coinm')).body).toContain(
        '"baseQty":',
      );
      expect(played('spot').rest('/api/v3/trades?symbol=BTCUSDT&limit=1', of('spot')).body).toContain(
        '"price":"64010.20000000","qty":"0.00300000","quoteQty":"192.03060"',
      );
    });

    test('aggregate ones from an id on, which are those of the stream', () => {
      const server = played('spot');
      const rows = read(server, 'spot', '/api/v3/aggTrades?symbol=BTCUSDT&fromId=3200000011&limit=2');
      const row = { p: '64010.20000000', q: '0.00300000', T: 1786000001231, m: true, M: true };
      expect(rows).toEqual([
        { ...row, a: 3200000011, f: 7200000011, l: 7200000011 },
        { ...row, a: 3200000012, f: 7200000012, l: 7200000012, m: false },
      ]);
      expect(read(server, 'spot', '/api/v3/aggTrades?symbol=BTCUSDT&fromId=3200001200')).toHaveLength(1);
      expect(read(server, 'spot', '/api/v3/aggTrades?symbol=BTCUSDT&fromId=3200001201')).toEqual([]);
      expect(read(server, 'spot', '/api/v3/aggTrades?symbol=BTCUSDT')).toHaveLength(499);
      const few = read(played('usdm', 1), 'usdm', '/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=11&limit=1');
      expect(few).toMatchObject([{ a: 11, f: 11 }]);
    });

    test('of a tape are not in mind', () => {
      const taped = { ...linear, snapshot: () => null, recorded: () => null };
      const server = binanceServer('usdm', taped);
      expect(server.rest('/fapi/v1/trades?symbol=BTCUSDT', taped).status).toBe(404);
      expect(server.rest('/fapi/v1/aggTrades?symbol=BTCUSDT', taped).status).toBe(404);
    });
  });

  test.each<[BinanceMarket, string, number, number]>([
    ['usdm', '/fapi/v1/trades', 400, -1102],
    ['usdm', '/fapi/v1/trades?symbol=NOSUCH', 400, -1121],
    ['usdm', '/fapi/v1/trades?symbol=BTCUSDT&limit=x', 400, -1100],
    ['usdm', '/fapi/v1/trades?symbol=BTCUSDT&limit=0', 400, -1130],
    ['usdm', '/fapi/v1/aggTrades?symbol=NOSUCH&fromId=1', 400, -1121],
    ['usdm', '/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=x', 400, -1100],
    ['usdm', '/fapi/v1/depth?symbol=NOSUCH', 400, -1121],
    ['usdm', '/fapi/v1/depth?symbol=BTCUSDT&limit=7', 400, -4021],
    ['usdm', '/fapi/v1/depth?symbol=BTCUSDT&limit=x', 400, -1100],
    ['usdm', '/fapi/v1/depth', 400, -1102],
    ['usdm', '/api/v3/depth?symbol=BTCUSDT', 404, -5000],
    ['usdm', '/fapi/v1/nothing', 404, -5000],
    ['spot', '/api/v3/depth?symbol=BTCUSDT&limit=0', 400, -1130],
    ['spot', '/api/v3/exchangeInfo?symbol=NOSUCH', 400, -1121],
    ['spot', '/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22,%22NOSUCH%22%5D', 400, -1121],
    ['spot', '/api/v3/exchangeInfo?symbols=BTCUSDT', 400, -1100],
  ])('%s %s is answered %i, code %i', (venue, path, status, code) => {
    const answer = serverOf(venue).rest(path, linear);
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.body) as { code: number }).code).toBe(code);
  });

  test('exchangeInfo: tick and lot are in the filters, the precisions are not', () => {
    interface Info {
      symbols: { symbol: string; filters: Record<string, string>[]; [key: string]: unknown }[];
    }
    const read = (server: VenueServer, path: string, served: ServedMarket): Info['symbols'][0] =>
      (JSON.parse(server.rest(path, served).body) as Info).symbols[0];
    const future = read(usdm, '/fapi/v1/exchangeInfo', linear);
    expect(future).toMatchObject({
      symbol: 'BTCUSDT',
      contractType: 'PERPETUAL',
      status: 'TRADING',
      baseAsset: 'BTC',
      quoteAsset: 'USD',
    });
    expect(future.filters[0]).toMatchObject({ filterType: 'PRICE_FILTER', tickSize: '0.10' });
    expect(future.filters[1]).toMatchObject({ filterType: 'LOT_SIZE', stepSize: '0.001' });
    const contract = read(coinm, '/dapi/v1/exchangeInfo', market('inverse', 'BTCUSD_PERP'));
    expect(contract).toMatchObject({
      pair: 'BTCUSD',
      contractSize: 100,
      contractStatus: 'TRADING',
      marginAsset: 'BTC',
    });
    const pair = read(spot, '/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D', market('spot', 'BTCUSDT'));
    expect(pair.filters[0]).toMatchObject({ tickSize: '0.10000000' });
  });
});
