/** Bybit's side of its protocol: acks and refusals of each category, message bytes, books that stay the best N, REST. */
import { describe, expect, test } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { bybitLinear } from '../../src/venues/bybit.js';
import { type BybitCategory, bybitServer } from '../../src/venues/bybit-server.js';
import type { ServedEvent } from '../../src/venues/venue.js';
import {
  type BookReader,
  expectMarketTwice,
  inOrder,
  joinServer,
  marketSides,
  PlainBook,
  type Row,
  START,
  serveRun,
  stillMarket,
} from './served.js';

const CATEGORIES: BybitCategory[] = ['linear', 'inverse', 'spot'];
const SYMBOLS: Record<BybitCategory, string> = { linear: 'BTCUSDT', inverse: 'BTCUSD', spot: 'BTCUSDT' };

const bids: Row[] = [
  ['64010.10', '3.204'],
  ['64010.00', '0.410'],
];
const asks: Row[] = [['64010.20', '1.000']];

function still(category: BybitCategory) {
  const terms = { tick: '0.10', lot: '0.001', multiplier: '1', base: 'BTC', quote: 'USDT' };
  const instrument: Instrument = { symbol: SYMBOLS[category], kind: category, ...terms };
  return stillMarket(instrument, bids, asks);
}

function join(category: BybitCategory) {
  const server = bybitServer(category, still(category));
  const client = joinServer(server, `/v5/public/${category}`);
  const { connection } = client.served;
  return { server, client, connection };
}

const times = { emitted: 1_786_000_001_237_999, matched: 1_786_000_001_231_001 };
const depth = (changes: { bids?: Row[]; asks?: Row[] }, last = 600): ServedEvent => ({
  ...{ kind: 'depth', symbol: 'BTCUSDT', ...times, first: last - 10, last, previous: last - 100 },
  ...{ bids: [], asks: [], ...changes },
});

describe('endpoints', () => {
  test.each(CATEGORIES)('%s has its own path, the others are not there', (category) => {
    const { connect } = bybitServer(category, still(category));
    const found = ['linear', 'inverse', 'spot', 'option', ''].filter((name) => connect(`/v5/public/${name}`) !== null);
    expect(found).toEqual([category]);
    expect(connect(`/v5/public/${category}?max_active_time=5m`)).not.toBeNull();
    expect([connect('/'), connect(`/v5/private/${category}`), connect(`/v5/public/${category}/x`)]).toEqual([
      null,
      null,
      null,
    ]);
  });

  test('connections have names of their own, the same in every run', () => {
    const names = (): unknown[] => {
      const { connect } = bybitServer('linear', still('linear'));
      return [connect('/v5/public/linear')?.connection, connect('/v5/public/linear')?.connection];
    };
    expect(new Set(names()).size).toBe(2);
    expect(names()).toEqual(names());
    expect(names()[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });
});

describe('requests', () => {
  test.each([
    ['linear', '', ''],
    ['inverse', '', ''],
    ['spot', 'subscribe', 'unsubscribe'],
  ] as const)('%s acks as the venue does', (category, subscribed, unsubscribed) => {
    const { client, connection } = join(category);
    const topics = `["publicTrade.${SYMBOLS[category]}","tickers.${SYMBOLS[category]}"]`;
    expect(client.ask(`{"req_id":"r1","op":"subscribe","args":${topics}}`)).toEqual([
      `{"success":true,"ret_msg":"${subscribed}","conn_id":"${connection}","req_id":"r1","op":"subscribe"}`,
    ]);
    expect([...client.served.topics]).toEqual(JSON.parse(topics));
    expect(client.ask(`{"op":"unsubscribe","args":${topics}}`)).toEqual([
      `{"success":true,"ret_msg":"${unsubscribed}","conn_id":"${connection}","op":"unsubscribe"}`,
    ]);
    expect(client.served.topics.size).toBe(0);
  });

  test.each(CATEGORIES)('%s answers a ping with a pong whose op is ping', (category) => {
    const { client, connection } = join(category);
    expect(client.ask('{"req_id":"p1","op":"ping"}')).toEqual([
      `{"success":true,"ret_msg":"pong","conn_id":"${connection}","req_id":"p1","op":"ping"}`,
    ]);
  });

  test.each([
    ['a depth there is not', 'orderbook.500.BTCUSDT'],
    ['a symbol there is not', 'orderbook.50.BTCUSD'],
    ['a stream there is not', 'trades.BTCUSDT'],
    ['no topic at all', 'BTCUSDT'],
  ])('%s fails the request, and nothing of it takes effect', (_, topic) => {
    const { client, connection } = join('linear');
    expect(client.ask(`{"req_id":"r2","op":"subscribe","args":["publicTrade.BTCUSDT","${topic}"]}`)).toEqual([
      `{"success":false,"ret_msg":"error:handler not found,topic:${topic}","conn_id":"${connection}","req_id":"r2","op":"subscribe"}`,
    ]);
    expect(client.served.topics.size).toBe(0);
  });

  test('spot knows no liquidations and takes ten topics a request', () => {
    const { client } = join('spot');
    const success = (args: string[]): unknown =>
      (JSON.parse(client.ask(JSON.stringify({ op: 'subscribe', args }))[0]) as { success: unknown }).success;
    expect(success(['allLiquidation.BTCUSDT'])).toBe(false);
    expect(success(Array.from({ length: 10 }, () => 'tickers.BTCUSDT'))).toBe(true);
    expect(success(Array.from({ length: 11 }, () => 'tickers.BTCUSDT'))).toBe(false);
    expect(join('linear').client.ask('{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}')[0]).toContain('true');
  });

  test.each(['nonsense', '[]', 'null', '{"op":"shout"}', '{"op":"subscribe"}', '{"op":"subscribe","args":[1]}'])(
    '%s is refused',
    (text) => {
      const [answer, ...more] = join('linear').client.ask(text);
      expect(JSON.parse(answer)).toMatchObject({ success: false, ret_msg: expect.any(String) });
      expect(more).toEqual([]);
    },
  );
});

describe('messages', () => {
  test.each([
    ['linear', '"type":"snapshot","ts":1786000001234', '[["64010.10","3.204"],["64010.00","0.410"]]', '"1.000"'],
    ['inverse', '"type":"snapshot","ts":1786000001234', '[["64010.10","3.204"],["64010.00","0.410"]]', '"1.000"'],
    ['spot', '"ts":1786000001234,"type":"snapshot"', '[["64010.1","3.204"],["64010","0.41"]]', '"1"'],
  ] as const)('%s: the snapshot comes right behind the ack, byte for byte', (category, head, b, size) => {
    const { client } = join(category);
    const symbol = SYMBOLS[category];
    const [ack, snapshot, ...more] = client.ask(`{"op":"subscribe","args":["orderbook.50.${symbol}"]}`);
    expect(ack).toContain('"success":true');
    const ask = category === 'spot' ? '64010.2' : '64010.20';
    expect(snapshot).toBe(
      `{"topic":"orderbook.50.${symbol}",${head},"data":{"s":"${symbol}","b":${b},"a":[["${ask}",${size}]],"u":53050000,"seq":500},"cts":1785999999999}`,
    );
    expect(more).toEqual([]);
  });

  test('deltas of each depth: changed levels, best first, deletes as "0", and the next id', () => {
    const { server } = join('linear');
    const event = depth({
      bids: [
        ['64010.10', '0.000'],
        ['64009.90', '2.000'],
      ],
      asks: [
        ['64010.20', '1.000'],
        ['64010.30', '7.500'],
      ],
    });
    const text = (levels: number, id: number): string =>
      `{"topic":"orderbook.${levels}.BTCUSDT","type":"delta","ts":1786000001237,"data":{"s":"BTCUSDT","b":[["64010.10","0"],["64009.90","2.000"]],"a":[["64010.30","7.500"]],"u":${id},"seq":600},"cts":1786000001231}`;
    expect(server.render(event)).toEqual([
      { topic: 'orderbook.50.BTCUSDT', text: text(50, 53050001) },
      { topic: 'orderbook.200.BTCUSDT', text: text(200, 53200001) },
      { topic: 'orderbook.1000.BTCUSDT', text: text(1000, 54000001) },
    ]);
    // the same again changes nothing, so nothing is said and no id is spent
    expect(server.render(event)).toEqual([]);
    const [next] = server.render(depth({ asks: [['64010.30', '7.000']] }, 700));
    expect(next.text).toContain('"b":[],"a":[["64010.30","7.000"]],"u":53050002,"seq":700}');
  });

  test('one level is a whole message at each touch, ts before type, and again after three quiet seconds', () => {
    const { server } = join('linear');
    const touch: ServedEvent = {
      ...{ kind: 'touch', symbol: 'BTCUSDT', ...times, id: 610 },
      ...{ bid: ['64010.00', '0.500'], ask: ['64010.20', '1.000'] },
    };
    const text = (ts: number): string =>
      `{"topic":"orderbook.1.BTCUSDT","ts":${ts},"type":"snapshot","data":{"s":"BTCUSDT","b":[["64010.00","0.500"]],"a":[["64010.20","1.000"]],"u":53001001,"seq":610},"cts":1786000001231}`;
    expect(server.render(touch)).toEqual([{ topic: 'orderbook.1.BTCUSDT', text: text(1786000001237) }]);
    const later = (ms: number, size: string): unknown =>
      server
        .render({ ...depth({ bids: [['64000.00', size]] }), emitted: times.emitted + ms * 1000 })
        .filter(({ topic }) => topic.startsWith('orderbook.1.'))
        .map((message) => message.text);
    expect(later(2999, '1.000')).toEqual([]);
    expect(later(3000, '2.000')).toEqual([text(1786000004237)]);
    expect(later(5999, '3.000')).toEqual([]);
  });

  test('trades: the taker side, a UUID and a tick direction on futures, a number on spot', () => {
    const trade = (price: string): ServedEvent => ({
      ...{ kind: 'trade', symbol: 'BTCUSDT', ...times, id: 7_200_000_001 },
      ...{ price, size: '0.030', aggressor: 'sell', update: 599 },
    });
    const [{ topic, text }] = join('linear').server.render(trade('64010.10'));
    expect(topic).toBe('publicTrade.BTCUSDT');
    const id = /"i":"([^"]*)"/.exec(text)?.[1] ?? '';
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(text).toBe(
      `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001237,"data":[{"T":1786000001231,"s":"BTCUSDT","S":"Sell","v":"0.030","p":"64010.10","L":"PlusTick","i":"${id}","BT":false,"RPI":false,"seq":599}]}`,
    );
    expect(join('spot').server.render(trade('64010.10'))[0].text).toBe(
      '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001237,"data":[{"T":1786000001231,"s":"BTCUSDT","S":"Sell","v":"0.03","p":"64010.1","i":"7200000001","BT":false,"RPI":false,"seq":599}]}',
    );
    const marks = (['insurance', 'block', 'retail'] as const).map(
      (offBook) =>
        /"BT":\w+,"RPI":\w+/.exec(join('linear').server.render({ ...trade('1'), offBook } as ServedEvent)[0].text)?.[0],
    );
    expect(marks).toEqual(['"BT":true,"RPI":false', '"BT":true,"RPI":false', '"BT":false,"RPI":true']);
    const { server } = join('linear');
    const directions = ['2.00', '2.00', '1.00', '1.00', '3.00'].map(
      (price) => /"L":"(\w+)"/.exec(server.render(trade(price))[0].text)?.[1],
    );
    expect(directions).toEqual(['PlusTick', 'ZeroPlusTick', 'MinusTick', 'ZeroMinusTick', 'PlusTick']);
  });

  test('levels that fall out of the window are deleted, and those that come in are told', () => {
    const deep: Row[] = Array.from({ length: 60 }, (_, rank) => [(100 - rank).toFixed(2), '1.000']);
    const instrument: Instrument = { symbol: 'X', kind: 'linear', tick: '0.01', lot: '0.001', multiplier: '1' };
    const server = bybitServer('linear', stillMarket(instrument, deep, [['101.00', '1.000']]));
    const bidsOf = (price: string, size: string): unknown => {
      const event = depth({ bids: [[price, size]] });
      const of50 = server.render({ ...event, symbol: 'X' }).find(({ topic }) => topic === 'orderbook.50.X');
      return of50 === undefined ? null : (JSON.parse(of50.text) as { data: { b: unknown } }).data.b;
    };
    const better = bidsOf('100.50', '2.000');
    expect(better).toEqual([
      ['100.50', '2.000'],
      ['51.00', '0'],
    ]);
    const gone = bidsOf('100.50', '0.000');
    expect(gone).toEqual([
      ['100.50', '0'],
      ['51.00', '1.000'],
    ]);
    expect(bidsOf('45.00', '9.000')).toBeNull();
  });
});

interface BookMessage {
  topic: string;
  type: string;
  ts: number;
  data: { s: string; b: Row[]; a: Row[]; u: number; seq: number };
  cts: number;
}
interface TradeMessage {
  data: { T: number; i: string; seq: number }[];
}
const parse = (text: string): BookMessage => JSON.parse(text) as BookMessage;

/** A client that follows one topic: ids one by one, sequence never back. */
class Follower implements BookReader {
  readonly book: PlainBook;
  last: BookMessage | null = null;
  deltas = 0;

  constructor(depth: number) {
    this.book = new PlainBook(depth);
  }

  take(text: string): void {
    const message = parse(text);
    const { type, data } = message;
    if (type === 'snapshot') this.book.replace(data.b, data.a);
    else {
      this.deltas++;
      if (this.last === null || data.u !== this.last.data.u + 1) throw new Error(`no successor: ${text}`);
      this.book.apply(data.b, data.a);
    }
    if (this.last !== null && data.seq < this.last.data.seq) throw new Error(`sequence went back: ${text}`);
    if (!inOrder(data.b, -1) || !inOrder(data.a, 1)) throw new Error(`rows out of order: ${text}`);
    this.last = message;
  }

  place(): unknown {
    return [this.last?.data.u, this.last?.data.seq];
  }
}

describe.each(CATEGORIES)('a client of a seeded %s exchange', (category) => {
  const symbol = SYMBOLS[category];
  const path = `/v5/public/${category}`;
  const subscribe = (topic: string): string => JSON.stringify({ op: 'subscribe', args: [topic] });

  test.each([50, 200, 1000])('orderbook.%i is the market at every step, from the start and joined later', (levels) => {
    const run = serveRun(`bybit-${category}`, [symbol, category === 'inverse' ? 'ETHUSD' : 'ETHUSDT'], 2000);
    expect(run.market.snapshot(symbol, levels)?.bids).toHaveLength(Math.min(levels, 600));
    const { reader, joined } = expectMarketTwice({
      ...{ run, path, symbol, levels, request: subscribe(`orderbook.${levels}.${symbol}`), opening: 1 },
      ...{ createReader: () => new Follower(levels), steps: 300, stepMicros: 10_000, joinAt: 100 },
    });
    expect(reader.deltas).toBeGreaterThan(200);
    expect(reader.book.deleted).toBeGreaterThan(100);
    expect(joined.deltas).toBeGreaterThan(100);
  });

  test('ids do not depend on who listens; a topic left and asked for again begins anew', () => {
    const heard = (from: number): string[] => {
      const run = serveRun(`bybit-${category}`, [symbol]);
      const client = run.join(path);
      for (let step = 0; step < 40; step++) {
        if (step === from) client.ask(subscribe(`orderbook.50.${symbol}`));
        if (step === 20) client.heard();
        run.advance(50_000);
      }
      return client.heard();
    };
    expect(heard(0).length).toBeGreaterThan(50);
    expect(heard(19)).toEqual(heard(0));

    const run = serveRun(`bybit-${category}`, [symbol]);
    const client = run.join(path);
    const topic = `orderbook.50.${symbol}`;
    client.ask(subscribe(topic));
    run.advance(500_000);
    client.heard();
    client.ask(JSON.stringify({ op: 'unsubscribe', args: [topic] }));
    run.advance(500_000);
    expect(client.heard()).toEqual([]);
    const follower = new Follower(50);
    follower.take(client.ask(subscribe(topic))[1]);
    expect(follower.book.sides()).toBe(marketSides(run.market, symbol, 50));
    run.advance(500_000);
    for (const text of client.heard()) follower.take(text);
    expect(follower.book.sides()).toBe(marketSides(run.market, symbol, 50));
  });

  test('one level agrees with fifty, and a trade lies in the update its sequence is of', () => {
    const run = serveRun(`bybit-${category}`, [symbol], 2000);
    const client = run.join(path);
    const streams = [`orderbook.1.${symbol}`, `orderbook.50.${symbol}`, `publicTrade.${symbol}`];
    const [, one, fifty, ...more] = client.ask(JSON.stringify({ op: 'subscribe', args: streams }));
    expect(more).toEqual([]);
    const top = new Follower(1);
    const deep = new Follower(50);
    top.take(one);
    deep.take(fifty);
    const tops = [{ seq: parse(one).data.seq, touch: top.book.touch() }];
    const books = [{ seq: parse(fifty).data.seq, touch: deep.book.touch(), cts: parse(fifty).cts }];
    const trades: TradeMessage['data'] = [];
    run.advance(3_000_000);
    let { u } = parse(one).data;
    for (const text of client.heard()) {
      if (text.startsWith('{"topic":"publicTrade')) {
        trades.push(...(JSON.parse(text) as TradeMessage).data);
        continue;
      }
      const { topic, data, cts } = parse(text);
      const isTop = topic.startsWith('orderbook.1.');
      (isTop ? top : deep).take(text);
      if (isTop) {
        expect(data.u).toBe(++u);
        tops.push({ seq: data.seq, touch: top.book.touch() });
      } else books.push({ seq: data.seq, touch: deep.book.touch(), cts });
    }
    // what the newest of them would be compared with may still be under way
    const known = books.filter(({ seq }) => seq < (tops.at(-1)?.seq ?? 0));
    const touchAt = (wanted: number): unknown => tops.findLast(({ seq }) => seq <= wanted)?.touch;
    expect(known.filter(({ seq, touch }) => touchAt(seq) !== touch)).toEqual([]);
    expect(known.length).toBeGreaterThan(300);

    const wrong = trades.filter(({ seq, T }) => {
      const at = books.findIndex((book) => book.seq >= seq);
      return at === 0 || (at > 0 && (T > books[at].cts || T < books[at - 1].cts));
    });
    expect(wrong).toEqual([]);
    expect(trades.length).toBeGreaterThan(500);
    expect(new Set(trades.map(({ i }) => i)).size).toBe(trades.length);
  });
});

describe('REST', () => {
  const linear = still('linear');
  const get = (category: BybitCategory, path: string): { status: number; body: string } => {
    const market = still(category);
    return bybitServer(category, market).rest(path, market);
  };

  test('time, with nanoseconds beyond what a number holds', () => {
    expect(get('linear', '/v5/market/time')).toEqual({
      status: 200,
      body: '{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1786000001","timeNano":"1786000001234567000"},"retExtInfo":{},"time":1786000001234}',
    });
  });

  test('instruments: tick and lot of each category', () => {
    const read = (category: BybitCategory, query: string): Record<string, unknown> =>
      (JSON.parse(get(category, `/v5/market/instruments-info?category=${category}${query}`).body) as { result: never })
        .result;
    expect(read('linear', '&symbol=BTCUSDT')).toMatchObject({
      category: 'linear',
      list: [
        {
          ...{ symbol: 'BTCUSDT', contractType: 'LinearPerpetual', status: 'Trading', settleCoin: 'USDT' },
          priceFilter: { tickSize: '0.10' },
          lotSizeFilter: { qtyStep: '0.001' },
        },
      ],
      nextPageCursor: '',
    });
    expect(read('inverse', '&limit=1000')).toMatchObject({
      list: [{ symbol: 'BTCUSD', contractType: 'InversePerpetual', settleCoin: 'BTC' }],
    });
    const { list, ...rest } = read('spot', '');
    expect(rest).toEqual({ category: 'spot' });
    expect(list).toMatchObject([{ priceFilter: { tickSize: '0.1' }, lotSizeFilter: { basePrecision: '0.001' } }]);
  });

  test('instruments: one page after the other', () => {
    const both = {
      ...linear,
      instruments: () => ['A', 'B', 'C'].map((symbol) => ({ ...linear.instruments()[0], symbol })),
    };
    const server = bybitServer('linear', both);
    const pages: string[][] = [];
    for (let path: string | null = '/v5/market/instruments-info?category=linear&limit=2'; path !== null; ) {
      const body: unknown = JSON.parse(server.rest(path, both).body);
      pages.push(['A', 'B', 'C'].filter((symbol) => bybitLinear.rest.readInstrument(body, symbol) !== null));
      path = bybitLinear.rest.nextInstruments?.(path, body) ?? null;
    }
    expect(pages).toEqual([['A', 'B'], ['C']]);
  });

  test('the book is that of the thousand levels', () => {
    expect(get('linear', '/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1').body).toBe(
      '{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["64010.10","3.204"]],"a":[["64010.20","1.000"]],"ts":1786000001234,"u":54000000,"seq":500,"cts":1785999999999},"retExtInfo":{},"time":1786000001234}',
    );
    const run = serveRun('bybit-linear', ['BTCUSDT']);
    const client = run.join('/v5/public/linear');
    client.ask('{"op":"subscribe","args":["orderbook.1000.BTCUSDT"]}');
    run.advance(1_000_000);
    const last = parse(client.heard().at(-1) ?? '');
    const book = JSON.parse(
      run.server.rest('/v5/market/orderbook?category=linear&symbol=BTCUSDT', run.market).body,
    ) as { result: BookMessage['data'] };
    expect(book.result).toMatchObject({ u: last.data.u, seq: last.data.seq });
    const rest = new PlainBook(25);
    rest.replace(book.result.b, book.result.a);
    expect(rest.sides()).toBe(marketSides(run.market, 'BTCUSDT', 25));
  });

  test.each([
    '/v5/market/orderbook?category=linear&symbol=NOSUCH',
    '/v5/market/orderbook?category=linear',
    '/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1001',
    '/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=x',
    '/v5/market/orderbook?symbol=BTCUSDT',
    '/v5/market/instruments-info?category=spot',
    '/v5/market/instruments-info?category=linear&symbol=NOSUCH',
    '/v5/market/instruments-info?category=linear&limit=1001',
    '/v5/market/instruments-info?category=linear&cursor=first%253DA%2526last%253DNOSUCH',
  ])('%s: status 200, retCode 10001', (path) => {
    const { status, body } = get('linear', path);
    expect({ status, retCode: (JSON.parse(body) as { retCode: unknown }).retCode }).toEqual({
      status: 200,
      retCode: 10001,
    });
  });

  test('other paths are not there', () => {
    expect(bybitServer('linear', linear).rest('/v5/market/nothing', linear).status).toBe(404);
    expect(linear.now()).toBe(START + 1_234_567);
  });
});
