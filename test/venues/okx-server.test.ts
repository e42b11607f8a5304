/** OKX's side of its protocol: acks and refusals per argument, message bytes, books linked update by update, REST. */
import { describe, expect, test } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { type OkxMarket, okxServer } from '../../src/venues/okx-server.js';
import type { ServedEvent } from '../../src/venues/venue.js';
import {
  type BookReader,
  expectMarketTwice,
  inOrder,
  joinServer,
  marketSides,
  PlainBook,
  type Row,
  serveRun,
  stillMarket,
} from './served.js';

const PATH = '/ws/v5/public';
const SWAP = 'BTC-USDT-SWAP';

const swap: Instrument = {
  ...{ symbol: SWAP, kind: 'linear', tick: '0.1', lot: '0.01', multiplier: '0.01' },
  ...{ base: 'BTC', quote: 'USDT' },
};
const spot: Instrument = { ...swap, symbol: 'BTC-USDT', kind: 'spot', lot: '0.00001', multiplier: '1' };
const inverse: Instrument = { ...swap, symbol: 'BTC-USD-SWAP', kind: 'inverse', multiplier: '100', quote: 'USD' };

const bids: Row[] = [
  ['64010.1', '88.00'],
  ['64010.0', '2.50'],
];
const asks: Row[] = [['64010.2', '132.40']];

const still = (instrument = swap) => stillMarket(instrument, bids, asks);

function join(kind: OkxMarket = 'swap', instrument = swap) {
  const server = okxServer(kind, still(instrument));
  const client = joinServer(server, PATH);
  return { server, client, connection: client.served.connection };
}

const times = { emitted: 1_786_000_001_206_999, matched: 1_786_000_001_205_001 };
const depth = (changes: { bids?: Row[]; asks?: Row[] }, last = 600, symbol = SWAP): ServedEvent => ({
  ...{ kind: 'depth', symbol, ...times, first: last - 10, last, previous: last - 100 },
  ...{ bids: [], asks: [], ...changes },
});
const subscribe = (...args: { channel: string; instId: string }[]): string => JSON.stringify({ op: 'subscribe', args });

test('there is one endpoint, and connections have names of their own, the same in every run', () => {
  const { connect } = okxServer('swap', still());
  expect(['/', '/ws/v5/business', '/ws/v5/private', '/ws/v5/public/x'].map(connect)).toEqual([null, null, null, null]);
  const names = [connect(PATH)?.connection, connect(`${PATH}?brokerId=9999`)?.connection];
  expect(names[0]).toMatch(/^[0-9a-f]{8}$/);
  expect(names[1]).not.toBe(names[0]);
  expect(okxServer('swap', still()).connect(PATH)?.connection).toBe(names[0]);
});

describe('requests', () => {
  test('each argument has an ack of its own, which repeats the id', () => {
    const { client, connection } = join();
    const ack = (event: string, channel: string, id: string): string =>
      `{${id}"event":"${event}","arg":{"channel":"${channel}","instId":"${SWAP}"},"connId":"${connection}"}`;
    const args = `[{"channel":"tickers","instId":"${SWAP}"},{"channel":"trades","instId":"${SWAP}"}]`;
    expect(client.ask(`{"id":"s1","op":"subscribe","args":${args}}`)).toEqual([
      ack('subscribe', 'tickers', '"id":"s1",'),
      ack('subscribe', 'trades', '"id":"s1",'),
    ]);
    expect([...client.served.topics]).toEqual([`tickers:${SWAP}`, `trades:${SWAP}`]);
    expect(client.ask(`{"op":"unsubscribe","args":[{"channel":"trades","instId":"${SWAP}"}]}`)).toEqual([
      ack('unsubscribe', 'trades', ''),
    ]);
    expect([...client.served.topics]).toEqual([`tickers:${SWAP}`]);
  });

  test('liquidations are those of all instruments of a type, in one subscription', () => {
    const { client, connection } = join();
    const text = (op: string, type: string): string =>
      `{"op":"${op}","args":[{"channel":"liquidation-orders","instType":"${type}"}]}`;
    const ack = (op: string): string =>
      `{"event":"${op}","arg":{"channel":"liquidation-orders","instType":"SWAP"},"connId":"${connection}"}`;
    expect(client.ask(text('subscribe', 'SWAP'))).toEqual([ack('subscribe')]);
    expect([...client.served.topics]).toEqual([`liquidation-orders:${SWAP}`]);
    expect(client.ask(text('unsubscribe', 'SWAP'))).toEqual([ack('unsubscribe')]);
    expect([...client.served.topics]).toEqual([]);
    expect(client.ask(text('subscribe', 'OPTION'))[0]).toContain('"code":"60018"');
    expect(join('spot').client.ask(text('subscribe', 'SWAP'))[0]).toContain('"code":"60018"');
  });

  test('ping and pong are words', () => {
    expect(join().client.ask('ping')).toEqual(['pong']);
  });

  test('a channel or instrument there is not is refused alone', () => {
    const { client, connection } = join();
    const args = `[{"channel":"ticker","instId":"${SWAP}"},{"channel":"trades","instId":"${SWAP}"},{"channel":"trades","instId":"NO-SUCH"}]`;
    const error = (arg: string): string =>
      `{"id":"s2","event":"error","code":"60018","msg":"${arg} doesn't exist","connId":"${connection}"}`;
    expect(client.ask(`{"id":"s2","op":"subscribe","args":${args}}`)).toEqual([
      error(`channel:ticker,instId:${SWAP}`),
      `{"id":"s2","event":"subscribe","arg":{"channel":"trades","instId":"${SWAP}"},"connId":"${connection}"}`,
      error('channel:trades,instId:NO-SUCH'),
    ]);
    expect([...client.served.topics]).toEqual([`trades:${SWAP}`]);
  });

  test('spot has no mark price, and what needs another address is not here', () => {
    const codes = (kind: OkxMarket, instrument: Instrument, channel: string): unknown =>
      (
        JSON.parse(join(kind, instrument).client.ask(subscribe({ channel, instId: instrument.symbol }))[0]) as {
          code?: unknown;
        }
      ).code;
    expect(codes('spot', spot, 'mark-price')).toBe('60018');
    expect(codes('swap', swap, 'mark-price')).toBeUndefined();
    expect(codes('swap', swap, 'trades-all')).toBe('60018');
    expect(codes('swap', swap, 'books-l2-tbt')).toBe('60018');
  });

  test.each([
    ['nonsense', '60012'],
    ['pong', '60012'],
    ['[]', '60012'],
    ['{"op":"shout","args":[]}', '60019'],
    ['{"op":"subscribe"}', '60013'],
    ['{"op":"subscribe","args":["books"]}', '60013'],
  ])('%s is refused with %s', (text, code) => {
    const [answer, ...more] = join().client.ask(text);
    expect(JSON.parse(answer)).toMatchObject({ event: 'error', code, msg: expect.any(String) });
    expect(more).toEqual([]);
  });
});

describe('messages', () => {
  test('books: the snapshot right behind its ack, then updates that name the one before', () => {
    const { server, client } = join();
    const arg = `"arg":{"channel":"books","instId":"${SWAP}"}`;
    expect(client.ask(subscribe({ channel: 'books', instId: SWAP })).slice(1)).toEqual([
      `{${arg},"action":"snapshot","data":[{"asks":[["64010.2","132.4","0","1"]],"bids":[["64010.1","88","0","1"],["64010","2.5","0","1"]],"ts":"1785999999999","checksum":0,"prevSeqId":-1,"seqId":500}]}`,
    ]);
    const [update] = server.render(
      depth({
        bids: [
          ['64010.0', '0.00'],
          ['64009.9', '0.32'],
        ],
      }),
    );
    expect(update).toEqual({
      topic: `books:${SWAP}`,
      text: `{${arg},"action":"update","data":[{"asks":[],"bids":[["64010","0","0","0"],["64009.9","0.32","0","1"]],"ts":"1786000001205","checksum":0,"prevSeqId":500,"seqId":600}]}`,
    });
    // what changes nothing is not sent, and no link leads to it
    expect(server.render(depth({ bids: [['64009.9', '0.32']] }, 650))).toEqual([]);
    expect(server.render(depth({ bids: [['64009.9', '0.33']] }, 760))[0].text).toContain(
      '"prevSeqId":600,"seqId":760}',
    );
  });

  test('the best quote and five levels are whole each time; five are silent while they stay', () => {
    const { server, client } = join();
    const first = client.ask(subscribe({ channel: 'bbo-tbt', instId: SWAP }, { channel: 'books5', instId: SWAP }));
    expect(first.filter((text) => text.includes('"data"'))).toEqual([
      `{"arg":{"channel":"bbo-tbt","instId":"${SWAP}"},"data":[{"asks":[["64010.2","132.4","0","1"]],"bids":[["64010.1","88","0","1"]],"ts":"1785999999999","seqId":500}]}`,
      `{"arg":{"channel":"books5","instId":"${SWAP}"},"data":[{"asks":[["64010.2","132.4","0","1"]],"bids":[["64010.1","88","0","1"],["64010","2.5","0","1"]],"instId":"${SWAP}","ts":"1785999999999","seqId":500}]}`,
    ]);
    const touch: ServedEvent = {
      ...{ kind: 'touch', symbol: SWAP, ...times, id: 610 },
      ...{ bid: ['64010.0', '2.50'], ask: ['64010.2', '132.40'] },
    };
    expect(server.render(touch)).toEqual([
      {
        topic: `bbo-tbt:${SWAP}`,
        text: `{"arg":{"channel":"bbo-tbt","instId":"${SWAP}"},"data":[{"asks":[["64010.2","132.4","0","1"]],"bids":[["64010","2.5","0","1"]],"ts":"1786000001205","seqId":610}]}`,
      },
    ]);
    const topics = (bid: Row, last: number): string[] =>
      server.render(depth({ bids: [bid] }, last)).map(({ topic }) => topic);
    expect(['64009.9', '64009.8', '64009.7'].map((price, i) => topics([price, '1.00'], 620 + i).length)).toEqual([
      2, 2, 2,
    ]);
    expect(topics(['64009.6', '1.00'], 630)).toEqual([`books:${SWAP}`]);
    expect(topics(['64010.1', '0.00'], 640)).toEqual([`books:${SWAP}`, `books5:${SWAP}`]);
  });

  test('trades', () => {
    const { server } = join();
    const trade: ServedEvent = {
      ...{ kind: 'trade', symbol: SWAP, ...times, id: 2_300_000_105 },
      ...{ price: '64010.0', size: '12.50', aggressor: 'sell', update: 599 },
    };
    expect(server.render(trade)).toEqual([
      {
        topic: `trades:${SWAP}`,
        text: `{"arg":{"channel":"trades","instId":"${SWAP}"},"data":[{"instId":"${SWAP}","tradeId":"2300000105","px":"64010","sz":"12.5","side":"sell","ts":"1786000001205","count":"1","source":"0","seqId":599}]}`,
      },
    ]);
    expect(server.render({ ...trade, offBook: 'retail' })[0].text).toContain('"source":"1"');
  });

  test('levels beyond the 400th leave with an explicit delete, and come back', () => {
    const deep: Row[] = Array.from({ length: 410 }, (_, rank) => [(1000 - rank).toFixed(1), '1.00']);
    const server = okxServer('swap', stillMarket(swap, deep, [['1001.0', '1.00']]));
    const rows = (bid: Row): unknown => {
      const [books] = server.render(depth({ bids: [bid] }));
      return books === undefined ? null : (JSON.parse(books.text) as BookMessage).data[0].bids;
    };
    const better = rows(['1000.5', '2.00']);
    expect(better).toEqual([
      ['1000.5', '2', '0', '1'],
      ['601', '0', '0', '0'],
    ]);
    const gone = rows(['1000.5', '0.00']);
    expect(gone).toEqual([
      ['1000.5', '0', '0', '0'],
      ['601', '1', '0', '1'],
    ]);
    expect(rows(['600.0', '9.00'])).toBeNull();
  });
});

interface BookMessage {
  arg: { channel: string; instId: string };
  action?: 'snapshot' | 'update';
  data: { asks: string[][]; bids: string[][]; ts: string; checksum?: 0; prevSeqId?: number; seqId: number }[];
}
interface TradeMessage {
  data: { tradeId: string; count: string; ts: string; seqId: number }[];
}

/** A client that follows one channel of one instrument by the rules of the venue. */
class Follower implements BookReader {
  readonly book: PlainBook;
  last = -1;
  updates = 0;

  constructor(depth: number) {
    this.book = new PlainBook(depth);
  }

  take(text: string): void {
    const { action, data } = JSON.parse(text) as BookMessage;
    const [{ bids, asks, prevSeqId, seqId }] = data;
    if (action === 'update') {
      this.updates++;
      if (prevSeqId !== this.last || seqId <= this.last) throw new Error(`no successor of ${this.last}: ${text}`);
      this.book.apply(bids, asks);
    } else {
      if (action === 'snapshot' && prevSeqId !== -1) throw new Error(`a snapshot that follows: ${text}`);
      this.book.replace(bids, asks);
    }
    if (!inOrder(bids, -1) || !inOrder(asks, 1)) throw new Error(`rows out of order: ${text}`);
    this.last = seqId;
  }

  place(): number {
    return this.last;
  }
}

describe.each([
  ['okx-swap', SWAP, 'ETH-USDT-SWAP'],
  ['okx-swap', 'BTC-USD-SWAP', SWAP],
  ['okx-spot', 'BTC-USDT', 'ETH-USDT'],
])('a client of a seeded %s, %s', (venue, symbol, other) => {
  test.each([
    ['books', 400],
    ['books5', 5],
  ])('%s is the market at every step, from the start and joined later', (channel, levels) => {
    const { reader, messages } = expectMarketTwice({
      ...{ run: serveRun(venue, [symbol, other], 2000), path: PATH, symbol, levels },
      ...{ request: subscribe({ channel, instId: symbol }), opening: 1, createReader: () => new Follower(levels) },
      ...{ steps: 300, stepMicros: 10_000, joinAt: 100 },
    });
    expect(reader.book.bids.size).toBe(levels);
    expect(messages).toBeGreaterThan(100);
    if (channel === 'books') expect(Math.min(reader.updates, reader.book.deleted)).toBeGreaterThan(200);
  });

  test('a channel left and asked for again begins anew', () => {
    const run = serveRun(venue, [symbol]);
    const client = run.join(PATH);
    const request = subscribe({ channel: 'books', instId: symbol });
    client.ask(request);
    run.advance(500_000);
    expect(client.heard().length).toBeGreaterThan(10);
    client.ask(request.replace('subscribe', 'unsubscribe'));
    run.advance(500_000);
    expect(client.heard()).toEqual([]);
    const follower = new Follower(400);
    follower.take(client.ask(request)[1]);
    run.advance(500_000);
    for (const text of client.heard()) follower.take(text);
    expect(follower.book.sides()).toBe(marketSides(run.market, symbol, 400));
  });

  test('ids are shared: quote and book agree, trades are contiguous and lie in the update their id is of', () => {
    const run = serveRun(venue, [symbol], 2000);
    const client = run.join(PATH);
    const channels = ['bbo-tbt', 'books', 'trades'].map((channel) => ({ channel, instId: symbol }));
    const [, best, , all, , ...more] = client.ask(subscribe(...channels));
    expect(more).toEqual([]);
    const top = new Follower(1);
    const deep = new Follower(400);
    top.take(best);
    deep.take(all);
    const tops = [{ id: top.last, touch: top.book.touch() }];
    const books = [{ id: deep.last, touch: deep.book.touch(), ts: 0 }];
    const trades: TradeMessage['data'] = [];
    run.advance(3_000_000);
    for (const text of client.heard()) {
      const { arg, data } = JSON.parse(text) as BookMessage;
      if (arg.channel === 'trades') trades.push(...(JSON.parse(text) as TradeMessage).data);
      else if (arg.channel === 'books') {
        deep.take(text);
        books.push({ id: deep.last, touch: deep.book.touch(), ts: Number(data[0].ts) });
      } else {
        top.take(text);
        tops.push({ id: top.last, touch: top.book.touch() });
      }
    }
    // what the newest of them would be compared with may still be under way
    const known = books.filter(({ id }) => id < top.last);
    const touchAt = (wanted: number): unknown => tops.findLast(({ id }) => id <= wanted)?.touch;
    expect(known.filter(({ id, touch }) => touchAt(id) !== touch)).toEqual([]);
    expect(known.length).toBeGreaterThan(300);

    const ids = trades.map(({ tradeId, count }) => [Number(tradeId) - Number(count), Number(tradeId)]);
    expect(ids.filter(([before], i) => i > 0 && before !== ids[i - 1][1])).toEqual([]);
    expect(trades.length).toBeGreaterThan(500);
    const wrong = trades.filter(({ seqId, ts }) => {
      const at = books.findIndex(({ id }) => id >= seqId);
      return at === 0 || (at > 0 && (Number(ts) > books[at].ts || Number(ts) < books[at - 1].ts));
    });
    expect(wrong).toEqual([]);
  });
});

describe('REST', () => {
  const get = (path: string, kind: OkxMarket = 'swap', instrument = swap): { status: number; body: string } => {
    const market = still(instrument);
    return okxServer(kind, market).rest(path, market);
  };

  test('time', () => {
    expect(get('/api/v5/public/time')).toEqual({
      status: 200,
      body: '{"code":"0","msg":"","data":[{"ts":"1786000001234"}]}',
    });
  });

  test('instruments: contracts of a value in coins, or in US dollars, and pairs', () => {
    const read = (kind: OkxMarket, instrument: Instrument, type: string): unknown =>
      (JSON.parse(get(`/api/v5/public/instruments?instType=${type}`, kind, instrument).body) as { data: unknown[] })
        .data;
    expect(read('swap', swap, 'SWAP')).toMatchObject([
      {
        ...{ instType: 'SWAP', instId: SWAP, instFamily: 'BTC-USDT', uly: 'BTC-USDT', baseCcy: '', quoteCcy: '' },
        ...{ settleCcy: 'USDT', ctVal: '0.01', ctMult: '1', ctValCcy: 'BTC', ctType: 'linear' },
        ...{ tickSz: '0.1', lotSz: '0.01', minSz: '0.01', state: 'live' },
      },
    ]);
    expect(read('swap', inverse, 'SWAP')).toMatchObject([
      { uly: 'BTC-USD', settleCcy: 'BTC', ctVal: '100', ctValCcy: 'USD', ctType: 'inverse' },
    ]);
    expect(read('spot', spot, 'SPOT')).toMatchObject([
      { instType: 'SPOT', instId: 'BTC-USDT', baseCcy: 'BTC', quoteCcy: 'USDT', ctVal: '', lotSz: '0.00001' },
    ]);
    expect(read('swap', swap, 'FUTURES')).toEqual([]);
    expect(read('swap', { ...swap, symbol: 'BTC-USDT-260925' }, 'FUTURES')).toMatchObject([{ instType: 'FUTURES' }]);
  });

  test('a book has the id of the last update pushed', () => {
    expect(get(`/api/v5/market/books?instId=${SWAP}`).body).toBe(
      '{"code":"0","msg":"","data":[{"asks":[["64010.2","132.4","0","1"]],"bids":[["64010.1","88","0","1"]],"ts":"1785999999999","seqId":500}]}',
    );
    const run = serveRun('okx-swap', [SWAP]);
    const client = run.join(PATH);
    const follower = new Follower(400);
    follower.take(client.ask(subscribe({ channel: 'books', instId: SWAP }))[1]);
    run.advance(1_000_000);
    for (const text of client.heard()) follower.take(text);
    const path = `/api/v5/market/books?instId=${SWAP}&sz=400`;
    const { data } = JSON.parse(run.server.rest(path, run.market).body) as BookMessage;
    const rest = new PlainBook(400);
    rest.replace(data[0].bids, data[0].asks);
    expect(rest.sides()).toBe(follower.book.sides());
    expect(data[0].seqId).toBe(follower.last);
  });

  test('trades downwards from an id, newest first, as they were pushed; those of a tape are not in mind', () => {
    const market = still();
    const server = okxServer('swap', market);
    for (let id = 101; id <= 350; id++)
      server.render({
        ...{ kind: 'trade', symbol: SWAP, ...times, id, price: '64010.10', size: '2.50' },
        ...{ aggressor: id % 2 === 0 ? 'sell' : 'buy', update: 500 },
      });
    const read = (query: string): Record<string, string>[] =>
      (
        JSON.parse(server.rest(`/api/v5/market/history-trades?instId=${SWAP}${query}`, market).body) as {
          data: Record<string, string>[];
        }
      ).data;
    expect(read('&type=1&after=204&limit=2')).toEqual(
      ['203', '202'].map((tradeId, n) => ({
        ...{ instId: SWAP, side: n === 0 ? 'buy' : 'sell', sz: '2.5', source: '0', px: '64010.1' },
        ...{ tradeId, ts: '1786000001205' },
      })),
    );
    const ids = (query: string): string[] => read(query).map(({ tradeId }) => tradeId);
    expect(ids('')).toEqual(Array.from({ length: 100 }, (_, n) => String(350 - n)));
    expect(ids('&limit=500')).toHaveLength(100);
    expect(ids('&after=103')).toEqual(['102', '101']);
    expect(ids('&after=101')).toEqual([]);
    const taped = { ...market, recorded: () => null };
    expect(okxServer('swap', taped).rest(`/api/v5/market/history-trades?instId=${SWAP}`, taped).status).toBe(404);
  });

  test.each([
    ['/api/v5/market/history-trades', '51001'],
    [`/api/v5/market/history-trades?instId=${SWAP}&limit=0`, '51000'],
    [`/api/v5/market/history-trades?instId=${SWAP}&after=x`, '51000'],
    [`/api/v5/market/history-trades?instId=${SWAP}&type=2&after=1`, '51000'],
    ['/api/v5/market/books?instId=NO-SUCH', '51001'],
    ['/api/v5/market/books', '51001'],
    [`/api/v5/market/books?instId=${SWAP}&sz=401`, '51000'],
    [`/api/v5/market/books?instId=${SWAP}&sz=x`, '51000'],
    ['/api/v5/public/instruments', '51000'],
    ['/api/v5/public/instruments?instType=SWAP&instId=NO-SUCH', '51001'],
  ])('%s: status 200, code %s', (path, code) => {
    const { status, body } = get(path);
    expect({ status, ...(JSON.parse(body) as object) }).toMatchObject({ status: 200, code, data: [] });
  });

  test('other paths are not there', () => {
    expect(get('/api/v5/public/nothing').status).toBe(404);
  });
});
