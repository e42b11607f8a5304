/** BingX's side of its protocol: acks and refusals, packed words, message bytes, books whose ids skip, REST. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { eventsOf } from '../../src/sim/exchange.js';
import { bingxSwap } from '../../src/venues/bingx.js';
import { bingxServer } from '../../src/venues/bingx-server.js';
import type { RecordedBook, ServedEvent, ServedMarket } from '../../src/venues/venue.js';
import { recordsOf } from './records.js';
import {
  emptyMarket,
  inOrder,
  joinServer,
  PlainBook,
  type Row,
  START,
  seededMarket,
  serveRun,
  stillMarket,
  tradeRecord,
  wholeMs,
} from './served.js';

const PATH = '/swap-market';
const REST = '/openApi/swap/v2/quote';
const BTC = 'BTC-USDT';
const PEPE = '1000PEPE-USDT';
const BOOK = `${BTC}@incrDepth`;

const btc: Instrument = {
  ...{ symbol: BTC, kind: 'linear', tick: '0.1', lot: '0.0001', multiplier: '1' },
  ...{ base: 'BTC', quote: 'USDT' },
};
const pepe: Instrument = { ...btc, symbol: PEPE, tick: '0.0100', lot: '1', base: '1000PEPE' };

const bids: Row[] = [
  ['64010.1', '0.8800'],
  ['64010.0', '2.5000'],
];
const asks: Row[] = [
  ['64010.2', '1.3240'],
  ['64010.5', '0.0100'],
];

const still = (instrument = btc) => stillMarket(instrument, bids, asks);

function join(market: ServedMarket = still()) {
  const server = bingxServer(market);
  return { server, client: joinServer(server, PATH) };
}

const ask = (reqType: string, dataType: unknown, id: unknown = 'a1'): string =>
  JSON.stringify({ id, reqType, dataType });
const said = (code: number, msg = '', id = 'a1'): string =>
  `{"id":"${id}","code":${code},"msg":"${msg}","dataType":"","data":null}`;

const MS = 1000;
/** The start of a span of any length. */
const T0 = 1_786_000_004_000_000;
const depth = (emitted: number, changes: { bids?: Row[]; asks?: Row[] }, last = 601, symbol = BTC): ServedEvent => ({
  ...{ kind: 'depth', symbol, emitted, matched: emitted - 2 * MS, first: last - 10, last, previous: last - 100 },
  ...{ bids: [], asks: [], ...changes },
});

test('there is one endpoint, with a key or without', () => {
  const { connect } = bingxServer(still());
  expect(['/', '/market', '/swap-market/', '/swap-market/x', '/x/swap-market'].map(connect)).toEqual(
    Array.from({ length: 5 }, () => null),
  );
  expect(connect(PATH)).toEqual({ topics: new Set(), combined: false, route: '' });
  expect(connect(`${PATH}?listenKey=0a1b`)).not.toBeNull();
});

describe('requests', () => {
  test('an ack has the id and names no topic', () => {
    const { client } = join();
    expect(client.ask(ask('sub', `${BTC}@trade`, '7b1d6c52-9b0e'))).toEqual([
      '{"id":"7b1d6c52-9b0e","code":0,"msg":"","dataType":"","data":null}',
    ]);
    expect(client.ask(ask('sub', `${BTC}@markPrice`))).toEqual([said(0)]);
    expect([...client.served.topics]).toEqual([`${BTC}@trade`, `${BTC}@markPrice`]);
    expect(client.ask(ask('unsub', `${BTC}@trade`))).toEqual([said(0)]);
    expect([...client.served.topics]).toEqual([`${BTC}@markPrice`]);
    // no id is an empty one
    expect(client.ask(`{"reqType":"sub","dataType":"${BTC}@ticker"}`)).toEqual([said(0, '', '')]);
  });

  test.each(['markPrice', 'lastPrice', 'ticker', 'bookTicker', 'trade', 'kline_1m', 'kline_12h', 'kline_1M'])(
    '%s is acked and has no first message',
    (stream) => {
      expect(join().client.ask(ask('sub', `${BTC}@${stream}`))).toEqual([said(0)]);
    },
  );

  test.each([
    'NOPE-USDT@incrDepth',
    'btc-usdt@incrDepth',
    'BTC-USD@incrDepth',
    'BTCUSDT@incrDepth',
    `${BTC}@nope`,
    `${BTC}@incrdepth`,
    `${BTC}@depth`,
    `${BTC}@depth30`,
    `${BTC}@depth30@200ms`,
    `${BTC}@depth20@300ms`,
    `${BTC}@depth20@`,
    `${BTC}@kline_2m`,
    `${BTC}@`,
    BTC,
    '@incrDepth',
    '',
    'all@ticker',
  ])('%s is no topic, to join or to leave, and not a word of it leaks', (topic) => {
    const { server, client } = join();
    expect(client.ask(ask('sub', topic))).toEqual([said(80015, 'dataType not support')]);
    expect(client.ask(ask('unsub', topic))).toEqual([said(80015, 'dataType not support')]);
    expect(client.served.topics.size).toBe(0);
    expect(server.opening?.(topic)).toBeNull();
    expect(server.wrap(client.served, topic, '{}')).toBeNull();
  });

  test.each([
    ['{}', ''],
    ['{"id":"x"}', 'x'],
    [ask('subscribe', BOOK, 'x'), 'x'],
    [ask('sub', 7, 'x'), 'x'],
    [`{"id":"x","reqType":"sub"}`, 'x'],
    [ask('sub', BOOK, 7), ''],
    ['{"pong":"2177c68e","time":"2026-09-23T14:25:20.001+0800"}', ''],
  ])('%s is malformed', (text, id) => {
    const { client } = join();
    expect(client.ask(text)).toEqual([said(80014, 'invalid params', id)]);
    expect(client.served.topics.size).toBe(0);
  });

  test.each(['Pong', 'pong', 'hello', '', '[]', '"sub"', '{"id":', ask('sub', [BOOK]), ask('unsub', [])])(
    'to %s nothing is said',
    (text) => {
      const { client } = join();
      expect(client.ask(text)).toEqual([]);
      expect(client.served.topics.size).toBe(0);
    },
  );

  test('a second subscription of a topic is acked and changes nothing; a new one begins anew', () => {
    const { client } = join();
    const [ack, book] = client.ask(ask('sub', BOOK));
    expect(ack).toBe(said(0));
    expect(client.ask(ask('sub', BOOK))).toEqual([ack]);
    expect(client.served.topics.size).toBe(1);
    expect(client.ask(ask('unsub', BOOK))).toEqual([ack]);
    expect(client.ask(ask('sub', BOOK))).toEqual([ack, book]);
  });

  test('200 topics are a connection; the next is refused, until one is left', () => {
    const listed = Array.from({ length: 201 }, (_, n) => ({ ...btc, symbol: `S${n}-USDT` }));
    const market: ServedMarket = {
      now: () => START,
      instruments: () => listed,
      snapshot: (symbol) =>
        listed.some((one) => one.symbol === symbol) ? { id: 1, emitted: START, matched: START, bids, asks } : null,
    };
    const { client } = join(market);
    const topics = listed.map(({ symbol }) => `${symbol}@incrDepth`);
    for (const topic of topics.slice(0, 200)) expect(client.ask(ask('sub', topic))).toHaveLength(2);
    expect(client.ask(ask('sub', topics[200]))).toEqual([said(80403, 'your topic num over max 200')]);
    expect(client.served.topics.has(topics[200])).toBe(false);
    // what is there already is no new topic, and what is none is not counted
    expect(client.ask(ask('sub', topics[0]))).toEqual([said(0)]);
    expect(client.ask(ask('sub', 'X-USDT@trade'))).toEqual([said(80015, 'dataType not support')]);
    client.ask(ask('unsub', topics[0]));
    expect(client.ask(ask('sub', topics[200]))[0]).toBe(said(0));
  });
});

test('every message is one gzip member; Ping comes every 5 s to everybody, and who is silent for six of them is gone', () => {
  const { server, client } = join();
  expect(server.beat?.everyMs).toBe(5000);
  expect(server.beat?.text(client.served)).toBe('Ping');
  expect([server.quietMs, server.pingEveryMs, server.greeting]).toEqual([30_500, Number.POSITIVE_INFINITY, undefined]);
  for (const text of ['Ping', said(0), '{"dataType":"币安人生-USDT@trade"}']) {
    const bytes = server.pack?.(text) ?? new Uint8Array();
    expect([...bytes.subarray(0, 3)]).toEqual([0x1f, 0x8b, 8]);
    expect(gunzipSync(bytes).toString('utf8')).toBe(text);
  }
});

describe('messages', () => {
  const book = (action: string, id: number, time: number, levels: string): string =>
    `{"code":0,"dataType":"${BOOK}","data":{"action":"${action}","lastUpdateId":${id},"time":${time},${levels}}}`;

  test('incrDepth: the whole book behind its ack, then updates with the worst asks first and zeros with decimals', () => {
    const { server, client } = join();
    expect(client.ask(ask('sub', BOOK)).slice(1)).toEqual([
      book(
        'all',
        412_900_000,
        1_786_000_000_000,
        '"bids":[["64010.1","0.8800"],["64010.0","2.5000"]],"asks":[["64010.2","1.3240"],["64010.5","0.0100"]]',
      ),
    ]);
    const changes = {
      bids: [['64010.0', '0.0000'] as Row, ['64009.9', '0.3200'] as Row],
      asks: [['64010.2', '1.0000'] as Row, ['64010.3', '4.0000'] as Row, ['64010.5', '0'] as Row],
    };
    expect(server.render(depth(T0 + 1999, changes))[0]).toEqual({
      topic: BOOK,
      text: book(
        'update',
        412_900_001,
        1_786_000_004_001,
        '"bids":[["64010.0","0.0000"],["64009.9","0.3200"]],"asks":[["64010.5","0.0000"],["64010.3","4.0000"],["64010.2","1.0000"]]',
      ),
    });
    expect(joinServer(server, PATH).ask(ask('sub', BOOK))[1]).toBe(
      book(
        'all',
        412_900_001,
        1_786_000_004_001,
        '"bids":[["64010.1","0.8800"],["64009.9","0.3200"]],"asks":[["64010.2","1.0000"],["64010.3","4.0000"]]',
      ),
    );
  });

  /** Of what is said of books. */
  interface Told {
    topic: string;
    id: number;
    bids: Row[];
  }
  const told = (server: ReturnType<typeof bingxServer>, event: ServedEvent): Told | undefined => {
    const [found] = server.render(event).filter(({ topic }) => topic.endsWith('@incrDepth'));
    if (found === undefined) return undefined;
    const { data } = JSON.parse(found.text) as BookMessage;
    return { topic: found.topic, id: data.lastUpdateId - 412_900_000, bids: data.bids };
  };

  test('one update a span: what changes after it comes with the next, and what changes back is nothing', () => {
    const { server } = join();
    const at = (ms: number, size: string): Told | undefined =>
      told(server, depth(T0 + ms * MS, { bids: [['64010.1', size]] }));
    expect(at(0, '1.0000')).toEqual({ topic: BOOK, id: 1, bids: [['64010.1', '1.0000']] });
    expect([at(100, '2.0000'), at(199, '3.0000')]).toEqual([undefined, undefined]);
    // the last book said, not the one there is
    expect(server.opening?.(BOOK)?.text).toContain(
      '"lastUpdateId":412900001,"time":1786000004000,"bids":[["64010.1","1.0000"]',
    );
    expect(at(200, '4.0000')).toEqual({ topic: BOOK, id: 2, bids: [['64010.1', '4.0000']] });
    expect(at(399, '5.0000')).toBeUndefined();
    expect(at(400, '4.0000')).toBeUndefined();
    expect(at(401, '6.0000')).toEqual({ topic: BOOK, id: 3, bids: [['64010.1', '6.0000']] });
  });

  test('other symbols have longer spans', () => {
    const { server } = join(still(pepe));
    const times = [0, 200, 799, 800, 1599, 1600].filter((ms, n) =>
      told(server, depth(T0 + ms * MS, { bids: [['64010', `${n + 1}`]] }, 601, PEPE)),
    );
    expect(times).toEqual([0, 800, 1600]);
  });

  test('ids skip by 2 to 9 after updates that say so, and never from a snapshot to the next update', () => {
    const { server } = join();
    const ids: number[] = [];
    const steps: number[] = [];
    for (let n = 0; n < 161; n++) {
      const first = JSON.parse(server.opening?.(BOOK)?.text ?? '') as BookMessage;
      const update = told(server, depth(T0 + n * 200 * MS, { bids: [['64010.1', `${n + 1}`]] }, 601 + n));
      if (update === undefined) throw new Error('no update');
      expect(first.data.lastUpdateId - 412_900_000).toBe(update.id - 1);
      steps.push(update.id - (ids.at(-1) ?? 0));
      ids.push(update.id);
    }
    const skips = steps.filter((step) => step !== 1);
    // 620, 640, …: of 31 times twenty, 32 times twenty
    expect(skips).toEqual([9, 2, 3, 4, 5, 6, 7, 8]);
    expect(steps.indexOf(9)).toBe(620 - 601 + 1);
  });

  test('levels beyond the 1024th leave with a delete, and come back', () => {
    const deep: Row[] = Array.from({ length: 1030 }, (_, rank) => [(2000 - rank / 10).toFixed(1), '1.0000']);
    const { server } = join(stillMarket(btc, deep, [['2001.0', '1.0000']]));
    const change = (span: number, bid: Row) => told(server, depth(T0 + span * 200 * MS, { bids: [bid] }))?.bids;
    expect((JSON.parse(server.opening?.(BOOK)?.text ?? '') as BookMessage).data.bids).toHaveLength(1024);
    expect(change(0, ['2000.5', '2.0000'])).toEqual([
      ['2000.5', '2.0000'],
      ['1897.7', '0.0000'],
    ]);
    expect(change(1, ['2000.5', '0'])).toEqual([
      ['2000.5', '0.0000'],
      ['1897.7', '1.0000'],
    ]);
    expect(change(2, ['1897.5', '9.0000'])).toBeUndefined();
  });

  test('tops: whole, the best ask last, at once and in every span, changed or not', () => {
    const { server, client } = join();
    const top = (stream: string, ms: number, levels: string): string =>
      `{"code":0,"dataType":"${BTC}@${stream}","ts":${ms},"data":{${levels}}}`;
    const levels =
      '"bids":[["64010.1","0.8800"],["64010.0","2.5000"]],"asks":[["64010.5","0.0100"],["64010.2","1.3240"]]';
    expect(client.ask(ask('sub', `${BTC}@depth5@500ms`))).toEqual([
      said(0),
      top('depth5@500ms', 1_786_000_000_000, levels),
    ]);
    const far: { bids: Row[] } = { bids: [['1.0', '1.0000']] };
    const streams = (ms: number): string[] =>
      server.render(depth(T0 + ms * MS, far)).flatMap(({ topic }) => (topic === BOOK ? [] : [topic]));
    const named = [5, 10, 20, 50, 100].flatMap((n) =>
      [100, 200, 500, 1000].map((interval) => `${BTC}@depth${n}@${interval}ms`),
    );
    const plain = [5, 10, 20, 50, 100].map((n) => `${BTC}@depth${n}`);
    // the interval of a name changes nothing
    expect(streams(0).toSorted()).toEqual([...named, ...plain].toSorted());
    expect(streams(199)).toEqual([]);
    expect(streams(200)).toEqual(named);
    expect(streams(450)).toEqual(named);
    expect(streams(500)).toEqual(plain);
    const [five, , , , ten] = server
      .render(depth(T0 + 700 * MS, { bids: Array.from({ length: 8 }, (_, n): Row => [`${n + 2}.0`, '7.0000']) }))
      .filter(({ topic }) => topic !== BOOK)
      .map(({ text }) => text);
    const more = levels.replace(']],"asks"', '],["9.0","7.0000"],["8.0","7.0000"],["7.0","7.0000"]],"asks"');
    expect(five).toBe(top('depth5@100ms', 1_786_000_004_700, more));
    expect((JSON.parse(ten) as BookMessage).data.bids).toHaveLength(10);
  });

  test('tops of other symbols come every 500 ms', () => {
    const { server } = join(still(pepe));
    const times = [0, 200, 499, 500, 999, 1000].filter((ms) =>
      server.render(depth(T0 + ms * MS, {}, 601, PEPE)).some(({ topic }) => topic === `${PEPE}@depth20@200ms`),
    );
    expect(times).toEqual([0, 500, 1000]);
  });

  test('trades have no id, and are a last price too', () => {
    const { server } = join();
    const trade = (aggressor: 'buy' | 'sell', price: string): string[] =>
      server
        .render({
          ...{ kind: 'trade', symbol: BTC, emitted: T0 + 3450, matched: T0 + 1999, id: 2_300_000_105 },
          ...{ price, size: '0.0480', aggressor, update: 599 },
        })
        .map(({ topic, text }) => `${topic} ${text}`);
    expect(trade('sell', '64010.0')).toEqual([
      `${BTC}@trade {"code":0,"dataType":"${BTC}@trade","data":[{"q":"0.0480","p":"64010.0","T":1786000004001,"m":true,"s":"${BTC}"}]}`,
      `${BTC}@lastPrice {"code":0,"dataType":"${BTC}@lastPrice","data":{"e":"lastPriceUpdate","E":1786000004003,"s":"${BTC}","c":"64010.0"}}`,
    ]);
    expect(trade('buy', '64010.1')[0]).toContain('"m":false');
  });

  test('touches have ids of their own, and come once in a span', () => {
    const { server } = join();
    const touch = (emitted: number, id: number): { topic: string; text: string }[] =>
      server.render({
        ...{ kind: 'touch', symbol: BTC, emitted, matched: emitted - 10 * MS, id },
        ...{ bid: ['64010.0', '14.2011'], ask: ['64010.2', '3.9920'] },
      });
    const quotes = (emitted: number, id: number) =>
      touch(emitted, id).filter(({ topic }) => topic === `${BTC}@bookTicker`);
    expect(quotes(T0, 700)).toEqual([
      {
        topic: `${BTC}@bookTicker`,
        text: `{"code":0,"dataType":"${BTC}@bookTicker","data":{"e":"bookTicker","u":700,"E":1786000004000,"T":1786000003990,"s":"${BTC}","b":"64010.0","B":"14.2011","a":"64010.2","A":"3.9920"}}`,
      },
    ]);
    expect(quotes(T0 + 199 * MS, 701)).toEqual([]);
    expect(quotes(T0 + 200 * MS, 702)).toHaveLength(1);
  });

  test('mark prices and tickers come once a second, tickers from the first trade on', () => {
    const { server } = join();
    const told = (emitted: number, bid: Row, ask: Row): string[] =>
      server
        .render({ ...{ kind: 'touch', symbol: BTC, emitted, matched: emitted - 10 * MS, id: 700 }, bid, ask })
        .filter(({ topic }) => topic !== `${BTC}@bookTicker`)
        .map(({ topic, text }) => {
          expect(text.startsWith(`{"code":0,"dataType":"${topic}","data":{`)).toBe(true);
          return text;
        });
    const trade = (emitted: number, price: string, size: string): void =>
      void server.render({
        ...{ kind: 'trade', symbol: BTC, emitted, matched: emitted - 2 * MS, id: 1, price, size },
        ...{ aggressor: 'buy', update: 1 },
      });
    // an even number of ticks apart: the middle is a tick
    expect(told(T0, ['64010.0', '14.2011'], ['64010.2', '3.9920'])).toEqual([
      `{"code":0,"dataType":"${BTC}@markPrice","data":{"e":"markPriceUpdate","E":1786000004000,"s":"${BTC}","p":"64010.1"}}`,
    ]);
    trade(T0 + 100 * MS, '64000.0', '0.0200');
    expect(told(T0 + 999 * MS, ['64010.0', '1.0000'], ['64010.2', '1.0000'])).toEqual([]);
    trade(T0 + 1_000 * MS, '64100.0', '1.0000');
    trade(T0 + 1_001 * MS, '63900.0', '0.5000');
    trade(T0 + 1_002 * MS, '64064.0', '0.0048');
    // 0.02 at 64000, 1 at 64100, 0.5 at 63900, 0.0048 at 64064
    expect(told(T0 + 1_003 * MS, ['64063.9', '2.0000'], ['64064.0', '0.1'])).toEqual([
      `{"code":0,"dataType":"${BTC}@markPrice","data":{"e":"markPriceUpdate","E":1786000005003,"s":"${BTC}","p":"64064.0"}}`,
      `{"code":0,"dataType":"${BTC}@ticker","data":{"e":"24hTicker","E":1786000005003,"s":"${BTC}","p":"64.0","P":"0.10","c":"64064.0","L":"0.0048","h":"64100.0","l":"63900.0","v":"1.5248","q":"97637.50","o":"64000.0","O":1786000004098,"C":1786000005000,"A":"64064.0","a":"0.1000","B":"64063.9","b":"2.0000"}}`,
    ]);
    // whether anything happened or not
    expect(told(T0 + 2_000 * MS, ['64063.9', '2.0000'], ['64064.0', '0.2000'])).toHaveLength(2);
    expect(told(T0 + 2_999 * MS, ['64063.9', '2.0000'], ['64064.0', '0.3000'])).toEqual([]);
  });

  test.each([
    [
      '0.0100',
      '12.5000',
      '12.0000',
      '"p":"-0.50","P":"-4.00","c":"12.00","L":"3","h":"12.50","l":"12.00","v":"6","q":"73.50"',
    ],
    ['1', '20', '18', '"p":"-2","P":"-10.00","c":"18","L":"3","h":"20","l":"18","v":"6","q":"114.00"'],
  ])('a price that fell is told with its sign; sizes may be whole, and prices (tick %s)', (tick, high, low, told) => {
    const { server } = join(still({ ...pepe, tick }));
    const at = { symbol: PEPE, emitted: T0, matched: T0, id: 1 };
    for (const price of [high, low])
      server.render({ ...at, kind: 'trade', price, size: '3', aggressor: 'sell', update: 1 });
    const [, , ticker] = server.render({ ...at, kind: 'touch', bid: [low, '7'], ask: [high, '8'] });
    expect(ticker.text).toContain(told);
  });

  test('prices and sizes have the decimals of the contract, however the market writes them', () => {
    const { server } = join(stillMarket(pepe, [['12.3400', '100']], [['12.3500', '7']]));
    expect(server.opening?.(`${PEPE}@incrDepth`)?.text).toContain('"bids":[["12.34","100"]],"asks":[["12.35","7"]]');
    const [update] = server.render(depth(T0, { bids: [['12.3400', '0']], asks: [['12.3000', '5']] }, 601, PEPE));
    expect(update.text).toContain('"bids":[["12.34","0"]],"asks":[["12.30","5"]]');
    expect(server.render(depth(T0, {}, 601, 'NO-USDT'))).toEqual([]);
  });
});

describe('a market that begins without a book, and one that was recorded', () => {
  test('nothing is said of an empty book, and the first of it is whole', () => {
    const { server, client } = join(emptyMarket(btc));
    expect(client.ask(ask('sub', BOOK))).toEqual([said(0)]);
    expect(client.ask(ask('sub', `${BTC}@depth20`))).toEqual([said(0)]);
    expect(server.render(depth(T0, {}))).toEqual([]);
    const changes = { bids: [['64010.0', '1.0000'] as Row], asks: asks.slice() };
    const [first, ...tops] = server.render(depth(T0 + 200 * MS, changes));
    expect(first.text).toBe(
      `{"code":0,"dataType":"${BOOK}","data":{"action":"all","lastUpdateId":412900001,"time":1786000004200,"bids":[["64010.0","1.0000"]],"asks":[["64010.2","1.3240"],["64010.5","0.0100"]]}}`,
    );
    expect(tops).toHaveLength(25);
    expect(server.opening?.(BOOK)?.text).toBe(first.text);
    expect(server.render(depth(T0 + 400 * MS, { asks: [['64010.5', '0']] }))[0].text).toContain('"action":"update"');
  });

  test('a recorded topic begins with the book its own messages made, or with none', () => {
    const made: RecordedBook = {
      ...{ first: -1, last: 77, emitted: T0 + 1500, matched: T0, bids: [['64000.0', '5.0000']], asks: [] },
    };
    const books: Record<string, RecordedBook | null> = {
      [BOOK]: made,
      [`${BTC}@depth5`]: { ...made, last: -1, bids: Array.from({ length: 7 }, (_, n): Row => [`${9 - n}`, '1']) },
      [`${BTC}@depth10`]: null,
    };
    const { server, client } = join({ ...still(), recorded: (topic) => books[topic] });
    expect(client.ask(ask('sub', BOOK))[1]).toBe(
      `{"code":0,"dataType":"${BOOK}","data":{"action":"all","lastUpdateId":77,"time":1786000004001,"bids":[["64000.0","5.0000"]],"asks":[]}}`,
    );
    expect(client.ask(ask('sub', `${BTC}@depth5`))[1]).toContain('"bids":[["9.0","1.0000"],["8.0",');
    expect((JSON.parse(server.opening?.(`${BTC}@depth5`)?.text ?? '') as BookMessage).data.bids).toHaveLength(5);
    expect(client.ask(ask('sub', `${BTC}@depth10`))).toEqual([said(0)]);
    // one that is not recorded has the server's own
    expect(client.ask(ask('sub', `${BTC}@depth20`))[1]).toContain('"bids":[["64010.1"');
    expect(server.rest(`${REST}/depth?symbol=${BTC}`, still()).body).toContain(
      '"bids":[["64000.0","5.0000"]],"asks":[]',
    );
  });
});

interface BookMessage {
  ts?: number;
  data: { action?: 'all' | 'update'; lastUpdateId: number; time: number; bids: Row[]; asks: Row[] };
}

/** A client that follows a book by the rules of the venue. */
class Follower {
  readonly book: PlainBook;
  last = -1;
  time = 0;
  updates = 0;
  steps: number[] = [];

  constructor(depth: number) {
    this.book = new PlainBook(depth);
  }

  take(text: string): void {
    const { ts, data } = JSON.parse(text) as BookMessage;
    const { action, lastUpdateId, time, bids, asks } = data;
    if (action === 'update') {
      if (lastUpdateId <= this.last) throw new Error(`no successor of ${this.last}: ${text}`);
      if (bids.length + asks.length === 0) throw new Error(`an update of nothing: ${text}`);
      this.steps.push(lastUpdateId - this.last);
      this.book.apply(bids, asks);
    } else this.book.replace(bids, asks);
    if (!inOrder(bids, -1) || !inOrder(asks, action === 'all' ? 1 : -1)) throw new Error(`rows out of order: ${text}`);
    if ((time ?? ts) < this.time) throw new Error(`back in time: ${text}`);
    this.updates++;
    this.last = lastUpdateId;
    this.time = time ?? ts;
  }
}

/** All levels of the market, moved by its events. */
class Shadow {
  readonly sides: { bids: Map<string, string>; asks: Map<string, string> };

  constructor(market: ServedMarket, symbol: string) {
    const book = market.snapshot(symbol, Number.POSITIVE_INFINITY);
    this.sides = { bids: new Map(book?.bids), asks: new Map(book?.asks) };
  }

  apply(event: ServedEvent): void {
    if (event.kind !== 'depth') return;
    for (const side of ['bids', 'asks'] as const)
      for (const [price, size] of event[side])
        if (Number(size) === 0) this.sides[side].delete(price);
        else this.sides[side].set(price, size);
  }

  best(depth: number): string {
    const rows = (side: 'bids' | 'asks', order: 1 | -1): Row[] =>
      [...this.sides[side]].sort((a, b) => order * (Number(a[0]) - Number(b[0]))).slice(0, depth);
    const book = new PlainBook(depth);
    book.replace(rows('bids', -1), rows('asks', 1));
    return book.sides();
  }
}

describe.each([
  [BTC, 'ETH-USDT', 200],
  [PEPE, BTC, 800],
])('a client of a seeded market of %s', (symbol, other, everyMs) => {
  const seeded = (symbols: string[], rate: number) => {
    const market = seededMarket(bingxSwap, symbols, rate);
    return { market, server: bingxServer(market) };
  };

  test.each([
    // many changes in a span, and few
    [2000, 12],
    [60, 40],
  ])(
    'incrDepth is the market whenever it says something, from the start and joined later (rate %i)',
    (rate, seconds) => {
      const { market, server } = seeded([symbol, other], rate);
      const topic = `${symbol}@incrDepth`;
      const shadow = new Shadow(market, symbol);
      const follower = new Follower(1024);
      let joined: Follower | null = null;
      const request = ask('sub', topic);
      const late = joinServer(server, PATH);
      follower.take(joinServer(server, PATH).ask(request)[1]);
      expect(follower.book.sides()).toBe(shadow.best(1024));
      for (const event of eventsOf(market, START + seconds * 1_000_000)) {
        if (event.symbol === symbol) shadow.apply(event);
        for (const { text } of server.render(event).filter((one) => one.topic === topic)) {
          follower.take(text);
          joined?.take(text);
          expect(follower.book.sides()).toBe(shadow.best(1024));
          if (joined !== null) expect(joined.book.sides()).toBe(follower.book.sides());
          if (follower.updates % 7 === 0) {
            joined = new Follower(1024);
            late.ask(ask('unsub', topic));
            joined.take(late.ask(request)[1]);
            expect(joined.book.sides()).toBe(follower.book.sides());
          } else if (joined?.updates === 2) expect(joined.steps).toEqual([1]);
        }
      }
      const { updates, steps, book } = follower;
      expect(updates).toBeLessThanOrEqual((seconds * 1000) / everyMs + 2);
      expect(updates).toBeGreaterThan(rate > 100 ? (seconds * 1000) / everyMs - 2 : 20);
      expect(book.deleted).toBeGreaterThan(20);
      expect(steps.filter((step) => step < 1 || step > 9)).toEqual([]);
      expect(steps.filter((step) => step === 1).length).toBeGreaterThan(steps.length * 0.8);
      expect(steps.length < 60 || steps.some((step) => step > 1)).toBe(true);
    },
  );

  test.each([5, 10, 20, 50, 100])('depth%i is the best of the market at every message', (levels) => {
    const { market, server } = seeded([symbol, other], 1000);
    const shadow = new Shadow(market, symbol);
    const client = joinServer(server, PATH);
    const topics = [`${symbol}@depth${levels}`, `${symbol}@depth${levels}@200ms`];
    const followers = new Map(topics.map((topic) => [topic, new Follower(levels)]));
    for (const [topic, follower] of followers) {
      follower.take(client.ask(ask('sub', topic))[1]);
      expect(follower.book.sides()).toBe(shadow.best(levels));
    }
    for (const event of eventsOf(market, START + 4_000_000)) {
      if (event.symbol === symbol) shadow.apply(event);
      for (const { topic, text } of server.render(event)) {
        const follower = followers.get(topic);
        if (follower === undefined) continue;
        follower.take(text);
        expect(follower.book.sides()).toBe(shadow.best(levels));
        expect(follower.book.bids.size).toBe(levels);
      }
    }
    const pushes = topics.map((topic) => followers.get(topic)?.updates);
    expect(pushes).toEqual([8 + 1, (symbol === BTC ? 20 : 8) + 1]);
  });

  test('every message is decoded to what the market said, whatever the topic', () => {
    const { market, server } = seeded([symbol, other], 1000);
    const [{ instrument }] = market.markets.map(({ listing }) => listing);
    const { all } = bingxSwap.channels;
    const [plan] = bingxSwap.connections([symbol], all);
    const client = joinServer(server, PATH);
    const replies = plan.subscribe.flatMap((text) => client.ask(text));
    expect(replies.filter((text) => bingxSwap.control(JSON.parse(text)).kind === 'ack')).toHaveLength(all.length);
    const messages = new Map(
      plan.topics.map(({ name }) => [name, replies.filter((text) => text.includes(`"${name}"`))]),
    );
    const events = [...eventsOf(market, START + 3_000_000)].filter((event) => event.symbol === symbol);
    for (const event of events)
      for (const { topic, text } of server.render(event))
        if (server.wrap(client.served, topic, text) === text) messages.get(topic)?.push(text);
    const records = (channel: string) => {
      const name = plan.topics.find((topic) => topic.channel === channel)?.name ?? '';
      const bytes = (messages.get(name) ?? []).map((text) => Buffer.from(text));
      for (const text of bytes) expect(bingxSwap.topicOf(text, 0, text.length)).toBe(name);
      return recordsOf(bingxSwap, instrument, messages.get(name) ?? []);
    };
    const trades = events.filter((event) => event.kind === 'trade');
    expect(trades.length).toBeGreaterThan(100);
    // without the time at which it was told
    const done = ({ kind, matched, price, size, side }: ReturnType<typeof tradeRecord>): object => {
      return { kind, matched, price, size, side };
    };
    expect(records('trade').map(done)).toEqual(trades.map(tradeRecord).map(done));
    const touches = new Map(events.flatMap((event) => (event.kind === 'touch' ? [[event.id, event] as const] : [])));
    const quotes = records('bookTicker');
    expect(quotes.length).toBe(15);
    for (const { kind, last, emitted, price, size } of quotes) {
      const touch = touches.get(last);
      expect([kind, price, size]).toEqual(['touch', Number(touch?.bid[0]), Number(touch?.bid[1])]);
      expect(emitted).toBeGreaterThanOrEqual(wholeMs(touch?.emitted ?? 0));
    }
    expect(records('lastPrice').map(({ kind }) => kind)).toEqual(trades.map(() => 'other'));
    const [whole, ...updates] = records('depth');
    expect([whole.kind, ...new Set(updates.map(({ kind }) => kind))]).toEqual(['snapshot', 'depth']);
    const follower = new Follower(1024);
    for (const text of messages.get(`${symbol}@incrDepth`) ?? []) follower.take(text);
    expect(updates.at(-1)?.last).toBe(follower.last);
    for (const n of [5, 10, 20, 50, 100]) {
      const tops = records(`depth${n}`);
      expect(new Set(tops.map(({ kind, bids, asks }) => `${kind} ${bids.length} ${asks.length}`))).toEqual(
        new Set([`partial ${n} ${n}`]),
      );
    }
    // the first touch comes before the first trade
    const second = (micros: number): number => Math.floor((micros - START) / 1_000_000);
    const tickers = records('ticker').map(({ kind, emitted }) => [kind, second(emitted)]);
    expect(tickers).toEqual([1, 2].map((n) => ['other', n]));
    const marks = records('markPrice').map(({ kind, emitted, said }) => [kind, second(emitted), Number(said?.mark)]);
    const { tick } = instrument;
    const middles = [0, 1, 2].map((n) => {
      const touch = events.find(({ kind, emitted }) => kind === 'touch' && second(emitted) === n);
      const ticks = (touch?.kind === 'touch' ? [touch.bid, touch.ask] : []).map((level) =>
        Math.round(Number(level[0]) / Number(tick)),
      );
      return Number((Math.round((ticks[0] + ticks[1]) / 2) * Number(tick)).toFixed(tick.length - 2));
    });
    expect(marks).toEqual(middles.map((middle, n) => ['derivative', n, middle]));
  });
});

describe('REST', () => {
  const get = (path: string, market: ServedMarket = still()): { status: number; body: string } =>
    bingxServer(market).rest(path, market);

  test('time', () => {
    expect(get('/openApi/swap/v2/server/time')).toEqual({
      status: 200,
      body: '{"code":0,"msg":"","data":{"serverTime":1786000001234}}',
    });
  });

  test('contracts: numbers and texts as on the wire', () => {
    const body =
      '{"code":0,"msg":"","data":[{"contractId":"100","symbol":"BTC-USDT","size":"0","quantityPrecision":4,"pricePrecision":1,"tradeMinQuantity":0.0001,"tradeMinUSDT":2,"currency":"USDT","asset":"BTC","status":1,"apiStateOpen":"true","apiStateClose":"true","displayName":"BTC-USDT","launchTime":1586275200000,"offTime":0}]}';
    expect(get(`${REST}/contracts`)).toEqual({ status: 200, body });
    expect(get(`${REST}/contracts?symbol=${BTC}`).body).toBe(body);
    // 0.01, whatever zeros stand behind it
    const other: unknown = JSON.parse(get(`${REST}/contracts`, still(pepe)).body);
    expect(other).toMatchObject({
      data: [{ symbol: PEPE, asset: '1000PEPE', pricePrecision: 2, quantityPrecision: 0 }],
    });
    expect(bingxSwap.rest.readInstrument(other, PEPE)).toEqual({ ...pepe, tick: '0.01' });
    expect(bingxSwap.rest.readInstrument(JSON.parse(body), BTC)).toEqual(btc);
  });

  test('contracts may be asked for alone', () => {
    const { server, market } = serveRun('bingx-swap', [BTC, 'ETH-USDT', PEPE]);
    const ids = (query: string): string[] =>
      (
        JSON.parse(server.rest(`${REST}/contracts${query}`, market).body) as {
          data: { contractId: string; symbol: string }[];
        }
      ).data.map(({ contractId, symbol }) => `${contractId} ${symbol}`);
    expect(ids('')).toEqual(['100 BTC-USDT', '101 ETH-USDT', `102 ${PEPE}`]);
    expect(ids(`?symbol=${PEPE}`)).toEqual([`102 ${PEPE}`]);
  });

  test('a book has no id, the best of both sides first, and its sizes twice', () => {
    const levels = `[["64010.1","0.8800"],["64010.0","2.5000"]]`;
    const other = `[["64010.2","1.3240"],["64010.5","0.0100"]]`;
    expect(get(`${REST}/depth?symbol=${BTC}&limit=5`)).toEqual({
      status: 200,
      body: `{"code":0,"msg":"","data":{"T":1786000000000,"bids":${levels},"asks":${other},"bidsCoin":${levels},"asksCoin":${other}}}`,
    });
  });

  test('it is the book of the socket, cut at the levels asked for', () => {
    const run = serveRun('bingx-swap', [BTC]);
    const client = run.join(PATH);
    const follower = new Follower(1024);
    follower.take(client.ask(ask('sub', BOOK))[1]);
    run.advance(3_000_000);
    for (const text of client.heard()) follower.take(text);
    for (const limit of [5, 10, 20, 50, 100, 500, 1000]) {
      const { body } = run.server.rest(`${REST}/depth?symbol=${BTC}&limit=${limit}`, run.market);
      const { data } = JSON.parse(body) as { data: { T: number; bids: Row[]; asks: Row[] } };
      const most = [follower.book.bids.size, follower.book.asks.size].map((size) => Math.min(limit, size));
      expect([data.bids.length, data.asks.length]).toEqual(most);
      for (const [price, size] of data.bids) expect(follower.book.bids.get(price)).toBe(size);
      for (const [price, size] of data.asks) expect(follower.book.asks.get(price)).toBe(size);
      expect(inOrder(data.bids, -1) && inOrder(data.asks, 1)).toBe(true);
      expect(data.T).toBe(follower.time);
    }
    for (const unasked of ['', '&limit='])
      expect(run.server.rest(`${REST}/depth?symbol=${BTC}${unasked}`, run.market).body).toBe(
        run.server.rest(`${REST}/depth?symbol=${BTC}&limit=20`, run.market).body,
      );
  });

  const LIMITS = "Invalid parameters, err:limit: failed on the 'len=0|oneof=5 10 20 50 100 500 1000' tag";

  test.each([
    [
      `${REST}/depth?symbol=NOPE-USDT`,
      109425,
      'NOPE-USDT not exist, please verify it in api: /openApi/swap/v2/quote/contracts',
    ],
    [
      `${REST}/contracts?symbol=NOPE-USDC`,
      109425,
      'NOPE-USDC not exist, please verify it in api: /openApi/swap/v2/quote/contracts',
    ],
    [
      `${REST}/depth?symbol=BTCUSDT`,
      109400,
      'Invalid parameters, err:symbol: This field must end with -USDT or -USDC.',
    ],
    [`${REST}/depth`, 109400, 'Invalid parameters, err:symbol: This field must end with -USDT or -USDC.'],
    [`${REST}/depth?symbol=${BTC}&limit=30`, 109400, LIMITS],
    [`${REST}/depth?symbol=${BTC}&limit=0`, 109400, LIMITS],
    [`${REST}/depth?symbol=${BTC}&limit=1001`, 109400, LIMITS],
    [`${REST}/depth?symbol=${BTC}&limit=x`, 109400, LIMITS],
    // what the market has not
    [`${REST}/premiumIndex?symbol=${BTC}`, 100400, 'this api is not exist'],
    [`${REST}/openInterest?symbol=${BTC}`, 100400, 'this api is not exist'],
    ['/', 100400, 'this api is not exist'],
    ['/openApi/swap/v1/quote/depth', 100400, 'this api is not exist'],
  ])('%s: status 200, code %i', (path, code, msg) => {
    const { status, body } = get(path);
    expect({ status, ...(JSON.parse(body) as object) }).toEqual({ status: 200, code, msg, data: {} });
  });

  test('a book that is not there yet has no levels', () => {
    const market: ServedMarket = { ...still(), recorded: () => null };
    expect(get(`${REST}/depth?symbol=${BTC}`, market)).toEqual({
      status: 200,
      body: '{"code":0,"msg":"","data":{"T":1786000001234,"bids":[],"asks":[],"bidsCoin":[],"asksCoin":[]}}',
      unknown: true,
    });
  });
});
