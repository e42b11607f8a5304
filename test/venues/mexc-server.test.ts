/** MEXC's side of its futures protocol: acks without symbols, refusals, message bytes, books joined over REST, REST. */
import { describe, expect, test } from 'vitest';
import type { Instrument } from '../../src/model/instrument.js';
import { mexcFutures } from '../../src/venues/mexc.js';
import { mexcServer } from '../../src/venues/mexc-server.js';
import type { RecordedBook, ServedEvent, ServedMarket } from '../../src/venues/venue.js';
import { recordsOf } from './records.js';
import {
  inOrder,
  joinServer,
  marketSides,
  PlainBook,
  type Row,
  START,
  serveRun,
  stillMarket,
  tradeRecord,
  wholeMs,
} from './served.js';

const PATH = '/edge';
const BTC = 'BTC_USDT';

const linear: Instrument = {
  ...{ symbol: BTC, kind: 'linear', tick: '0.1', lot: '1', multiplier: '0.0001', base: 'BTC', quote: 'USDT' },
};
const inverse: Instrument = { ...linear, symbol: 'BTC_USD', kind: 'inverse', multiplier: '100', quote: 'USD' };

const bids: Row[] = [
  ['64010.1', '88'],
  ['64010.0', '250'],
];
const asks: Row[] = [['64010.2', '13240']];

const still = (): ServedMarket => stillMarket(linear, bids, asks);
/** Exchange time of a market that stands still, as answers say it. */
const TS = 1_786_000_001_234;

function join(market = still()) {
  const server = mexcServer(market);
  return { server, client: joinServer(server, PATH) };
}

const MATCHED = 1_786_000_001_205_001;
const EMITTED = 1_786_000_001_206_999;
const depth = (changes: { bids?: Row[]; asks?: Row[] }, afterMs = 0, last = 600): ServedEvent => ({
  ...{ kind: 'depth', symbol: BTC, emitted: EMITTED + afterMs * 1000, matched: MATCHED + afterMs * 1000 },
  ...{ first: last - 10, last, previous: last - 100, bids: [], asks: [], ...changes },
});
const ask = (method: string, param: object = { symbol: BTC }): string => JSON.stringify({ method, param });

test('there is one endpoint, and what says nothing for a minute is cut', () => {
  const server = mexcServer(still());
  expect(['/', '/ws', '/edge/x', '/public'].map(server.connect)).toEqual([null, null, null, null]);
  expect(server.connect('/edge?x=1')).toEqual({ topics: new Set(), combined: false, route: '' });
  expect(server.quietMs).toBe(60_000);
  expect(mexcFutures.connections([BTC], ['depth'])[0].ping?.everyMs).toBeLessThan(60_000 / 3);
});

describe('requests', () => {
  test('a ping is answered in JSON', () => {
    expect(join().client.ask('{"method":"ping"}')).toEqual([`{"channel":"pong","data":${TS},"ts":${TS}}`]);
  });

  test.each([
    ['depth', 'push.depth:BTC_USDT'],
    ['depth.full', 'push.depth.full:BTC_USDT'],
    ['deal', 'push.deal:BTC_USDT'],
    ['ticker', 'push.ticker:BTC_USDT'],
    ['fair.price', 'push.fair.price:BTC_USDT'],
    ['index.price', 'push.index.price:BTC_USDT'],
    ['funding.rate', 'push.funding.rate:BTC_USDT'],
    ['kline', 'push.kline:BTC_USDT'],
  ])('%s is acked without its symbol, as often as it is asked for, and left again', (channel, topic) => {
    const { client } = join();
    const answer = (verb: string): string => `{"channel":"rs.${verb}.${channel}","data":"success","ts":${TS}}`;
    for (let n = 0; n < 2; n++) expect(client.ask(ask(`sub.${channel}`))).toEqual([answer('sub')]);
    expect([...client.served.topics]).toEqual([topic]);
    expect(client.ask(ask(`unsub.${channel}`))).toEqual([answer('unsub')]);
    expect([...client.served.topics]).toEqual([]);
  });

  test('changes of all contracts are acked without a symbol in the request', () => {
    const { client } = join();
    for (const channel of ['contract', 'tickers'])
      expect(client.ask(ask(`sub.${channel}`, {}))).toEqual([
        `{"channel":"rs.sub.${channel}","data":"success","ts":${TS}}`,
      ]);
  });

  test('what our plans say is acked', () => {
    const { client } = join();
    const texts = mexcFutures.connections([BTC], mexcFutures.channels.all).flatMap(({ subscribe }) => subscribe);
    const kinds = texts.map((text) => mexcFutures.control(JSON.parse(client.ask(text)[0])));
    expect(kinds).toEqual(mexcFutures.channels.all.map(() => ({ kind: 'ack', id: null })));
  });

  test.each([
    [ask('sub.depth', { symbol: 'NOPE_USDT' }), 'Contract [NOPE_USDT] not exists'],
    [ask('unsub.deal', { symbol: 'NOPE_USDT' }), 'Contract [NOPE_USDT] not exists'],
    [ask('sub.depth', { symbol: 'btc_usdt' }), 'Contract [btc_usdt] not exists'],
    [ask('sub.depth', {}), 'Contract [] not exists'],
    ['{"method":"sub.depth"}', 'Contract [] not exists'],
    ['{"method":"sub.depth","param":["BTC_USDT"]}', 'Contract [] not exists'],
    [ask('sub.depth.full', { symbol: BTC, limit: 7 }), 'Limit [7] not exists'],
    [ask('sub.depth.full', { symbol: BTC, limit: '20' }), 'Limit [20] not exists'],
  ])('%s is refused', (text, reason) => {
    const { client } = join();
    const refusal = `{"channel":"rs.error","data":"${reason}","ts":${TS}}`;
    expect(client.ask(text)).toEqual([refusal]);
    expect(client.served.topics.size).toBe(0);
    expect(mexcFutures.control(JSON.parse(refusal))).toEqual({ kind: 'error', id: null, text: reason });
  });

  test.each([
    ...['nonsense', '', '[]', '7', 'null', '{}', '{"method":7}', '{"method":"login"}', '{"method":"sub."}'],
    ...['{"method":"sub.toString","param":{"symbol":"BTC_USDT"}}', '{"method":"resub.depth"}', 'ping'],
    // a slip of the documentation
    '{"method":"usub.depth.full","param":{"symbol":"BTC_USDT"}}',
  ])('%j is not answered', (text) => {
    expect(join().client.ask(text)).toEqual([]);
  });

  test('of a book a client has the form it asked for last', () => {
    const { client } = join();
    const topics = (text: string): string[] => {
      client.ask(text);
      return [...client.served.topics];
    };
    expect(topics(ask('sub.depth', { symbol: BTC, compress: false }))).toEqual(['push.depth:BTC_USDT?compress=false']);
    expect(topics(ask('sub.depth', { symbol: BTC, compress: true }))).toEqual(['push.depth:BTC_USDT']);
    expect(topics(ask('sub.depth', { symbol: BTC, compress: false }))).toEqual(['push.depth:BTC_USDT?compress=false']);
    expect(topics(ask('unsub.depth'))).toEqual([]);
    for (const limit of [5, 10, 50])
      expect(topics(ask('sub.depth.full', { symbol: BTC, limit }))).toEqual([
        `push.depth.full:BTC_USDT?limit=${limit}`,
      ]);
    expect(topics(ask('sub.depth.full', { symbol: BTC, limit: 20 }))).toEqual(['push.depth.full:BTC_USDT']);
    expect(topics(ask('unsub.depth.full', { symbol: BTC }))).toEqual([]);
  });
});

describe('messages', () => {
  const texts = (server: ReturnType<typeof mexcServer>, event: ServedEvent, topic: string): string[] =>
    server.render(event).flatMap((one) => (one.topic === topic ? [one.text] : []));

  test('each change has a version, which count one by one from the book there was; nothing is said at once', () => {
    const { server, client } = join();
    const topic = 'push.depth:BTC_USDT?compress=false';
    expect(client.ask(ask('sub.depth', { symbol: BTC, compress: false }))).toHaveLength(1);
    const change: { bids: Row[] } = {
      bids: [
        ['64010.0', '0'],
        ['64009.9', '32'],
      ],
    };
    expect(texts(server, depth(change), topic)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001205,"asks":[],"bids":[[64010.0,0,0],[64009.9,32,1]],"version":501},"channel":"push.depth","ts":1786000001206}',
    ]);
    expect(texts(server, depth({ asks: [['64010.2', '7']] }, 10, 700), topic)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001215,"asks":[[64010.2,7,1]],"bids":[],"version":502},"channel":"push.depth","ts":1786000001216}',
    ]);
  });

  test('merged changes are a range of the same versions, at most one in 200 ms, unsorted, no price twice', () => {
    const { server } = join();
    const merged = (changes: { bids?: Row[]; asks?: Row[] }, afterMs: number): string[] =>
      texts(server, depth(changes, afterMs), 'push.depth:BTC_USDT');
    expect(merged({ bids: [['64010.1', '80']] }, 0)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001205,"asks":[],"bids":[[64010.1,80,1]],"begin":501,"end":501,"version":501},"channel":"push.depth","ts":1786000001206}',
    ]);
    expect(merged({ bids: [['64010.1', '81']], asks: [['64010.3', '5']] }, 50)).toEqual([]);
    expect(merged({ bids: [['64009.9', '3']], asks: [['64010.3', '0']] }, 100)).toEqual([]);
    expect(merged({ bids: [['64009.8', '4']] }, 193)).toEqual([]);
    // what came and went in between is told too: a snapshot may have it
    expect(merged({ bids: [['64010.1', '80']] }, 194)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001399,"asks":[[64010.3,0,0]],"bids":[[64009.9,3,1],[64010.1,80,1],[64009.8,4,1]],"begin":502,"end":505,"version":505},"channel":"push.depth","ts":1786000001400}',
    ]);
    // nothing is told twice
    expect(merged({ bids: [['64010.1', '1']] }, 600)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001805,"asks":[],"bids":[[64010.1,1,1]],"begin":506,"end":506,"version":506},"channel":"push.depth","ts":1786000001806}',
    ]);
  });

  test('a whole top is said on change, with the newest version and at most every 300 ms', () => {
    const { server } = join();
    const full = (changes: { bids?: Row[]; asks?: Row[] }, afterMs: number): string[] =>
      texts(server, depth(changes, afterMs), 'push.depth.full:BTC_USDT');
    expect(full({ bids: [['64010.0', '0']] }, 0)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001205,"asks":[[64010.2,13240,1]],"bids":[[64010.1,88,1]],"version":501},"channel":"push.depth.full","ts":1786000001206}',
    ]);
    expect(full({ bids: [['64010.0', '5']] }, 193)).toEqual([]);
    expect(full({ bids: [['64009.0', '5']] }, 400)).toEqual([
      '{"symbol":"BTC_USDT","data":{"cts":1786000001605,"asks":[[64010.2,13240,1]],"bids":[[64010.1,88,1],[64010.0,5,1],[64009.0,5,1]],"version":503},"channel":"push.depth.full","ts":1786000001606}',
    ]);
    // no change
    expect(full({ bids: [['64009.0', '5']] }, 800)).toEqual([]);
  });

  test('a top has the levels that were asked for', () => {
    const deep: Row[] = Array.from({ length: 60 }, (_, rank) => [(1000 - rank).toFixed(1), '1']);
    const server = mexcServer(stillMarket(linear, deep, [['1001.0', '1']]));
    const sizes = server.render(depth({ bids: [['1000.5', '2']] })).flatMap(({ topic, text }) => {
      const { data } = JSON.parse(text) as BookMessage;
      return topic.startsWith('push.depth.full') ? [[topic, data.bids.length, data.asks.length]] : [];
    });
    expect(sizes).toEqual([
      ['push.depth.full:BTC_USDT?limit=5', 5, 1],
      ['push.depth.full:BTC_USDT?limit=10', 10, 1],
      ['push.depth.full:BTC_USDT', 20, 1],
      ['push.depth.full:BTC_USDT?limit=50', 50, 1],
    ]);
  });

  test('trades are a list, their aggressor a number', () => {
    const { server } = join();
    const trade = (aggressor: 'buy' | 'sell'): ServedEvent => ({
      ...{ kind: 'trade', symbol: BTC, emitted: EMITTED, matched: MATCHED, id: 16_290_000_116 },
      ...{ price: '64010.0', size: '49', aggressor, update: 599 },
    });
    const text = (side: number): string =>
      `{"symbol":"BTC_USDT","data":[{"p":64010.0,"v":49,"T":${side},"O":3,"M":1,"t":1786000001205,"i":"16290000116","cts":"1786000001205"}],"channel":"push.deal","ts":1786000001206}`;
    expect(server.render(trade('sell'))).toEqual([{ topic: 'push.deal:BTC_USDT', text: text(2) }]);
    expect(server.render(trade('buy'))).toEqual([{ topic: 'push.deal:BTC_USDT', text: text(1) }]);
  });

  test('best quotes and other symbols are nothing here', () => {
    const { server } = join();
    const touch: ServedEvent = {
      ...{ kind: 'touch', symbol: BTC, emitted: EMITTED, matched: MATCHED, id: 610 },
      ...{ bid: ['64010.0', '2'], ask: ['64010.2', '1'] },
    };
    expect(server.render(touch)).toEqual([]);
    expect(server.render({ ...depth({ bids: [['1.0', '1']] }), symbol: 'ETH_USDT' })).toEqual([]);
  });

  test('numbers keep every digit', () => {
    const { server } = join();
    const [{ text }] = server.render(depth({ bids: [['0.0000000001', '12345678901234567890']] }));
    expect(text).toContain('[[0.0000000001,12345678901234567890,1]]');
  });

  test('what a message is about is what our side reads in it; other forms are topics of their own', () => {
    const { server } = join();
    const rendered = server.render(depth({ bids: [['64010.1', '80']] }));
    const named = rendered.map(({ topic, text }) => [topic, mexcFutures.topicOf(Buffer.from(text), 0, text.length)]);
    expect(named.length).toBe(6);
    for (const [topic, name] of named) expect(topic?.split('?')[0]).toBe(name);
  });
});

interface BookMessage {
  symbol: string;
  data: {
    asks: number[][];
    bids: number[][];
    begin?: number;
    end?: number;
    version: number;
    cts: number | null;
    timestamp?: number;
  };
  channel: string;
  ts: number;
}

const asTexts = (rows: number[][]): string[][] => rows.map((row) => row.map(String));

/** A client that keeps a book by the venue's rules: what came before its snapshot is judged again, then each must be the next. */
class Reader {
  readonly book = new PlainBook(Number.POSITIVE_INFINITY);
  version: number;
  updates = 0;
  /** the snapshot lay inside the first update */
  straddled = false;

  constructor(snapshot: BookMessage['data'], before: BookMessage['data'][] = []) {
    const [bids, asks] = [snapshot.bids, snapshot.asks].map(asTexts);
    if (!inOrder(bids, -1) || !inOrder(asks, 1)) throw new Error('levels of a snapshot out of order');
    this.book.replace(bids, asks);
    this.version = snapshot.version;
    for (const data of before) this.take(data);
  }

  take({ version, begin = version, end = version, bids, asks }: BookMessage['data']): void {
    if (end !== version || begin > end) throw new Error(`no range: ${begin} to ${end}, ${version}`);
    if (end <= this.version) return;
    if (this.updates > 0 ? begin !== this.version + 1 : begin > this.version + 1)
      throw new Error(`${begin} to ${end} does not follow ${this.version}`);
    this.straddled ||= begin <= this.version;
    for (const rows of [bids, asks])
      if (new Set(rows.map(([price]) => price)).size < rows.length) throw new Error('a price stands twice');
    // what came and went since the last update is deleted too
    const told = (rows: number[][], side: Map<string, string>): string[][] =>
      asTexts(rows).filter(([price, size]) => size !== '0' || side.has(price));
    this.book.apply(told(bids, this.book.bids), told(asks, this.book.asks));
    this.version = end;
    this.updates++;
  }
}

describe.each([
  ['BTC_USDT', 'ETH_USDT'],
  ['BTC_USD', 'BTC_USDT'],
])('a client of a seeded market, %s', (symbol, other) => {
  const snapshotOf = ({ server, market }: ReturnType<typeof serveRun>): BookMessage['data'] =>
    (
      JSON.parse(server.rest(`/api/v1/contract/depth/${symbol}?limit=100000`, market).body) as {
        data: BookMessage['data'];
      }
    ).data;

  test.each([
    ['merged', {}],
    ['unmerged', { compress: false }],
  ])('%s updates over a snapshot are the market at every step, from the start and joined later', (form, param) => {
    const merged = form === 'merged';
    const run = serveRun('mexc-futures', [symbol, other], 400);
    const client = run.join(PATH);
    const late = run.join(PATH);
    const request = ask('sub.depth', { symbol, ...param });
    client.ask(request);
    const reader = new Reader(snapshotOf(run));
    const first = reader.version;
    const joiners: Reader[] = [];
    const heardLate: BookMessage['data'][] = [];
    const books = new Map<number, string>();
    let span = Number.NaN;
    for (let step = 0; step < 800; step++) {
      run.advance(5_000);
      const snapshot = snapshotOf(run);
      if (!books.has(snapshot.version)) books.set(snapshot.version, marketSides(run.market, symbol, 5000));
      for (const text of client.heard()) {
        const { ts, data } = JSON.parse(text) as BookMessage;
        reader.take(data);
        expect(reader.book.sides()).toBe(books.get(reader.version));
        expect('begin' in data).toBe(merged);
        if (merged) expect(Math.floor(ts / 200)).not.toBe(span);
        span = Math.floor(ts / 200);
      }
      for (const text of late.heard()) {
        const { data } = JSON.parse(text) as BookMessage;
        heardLate.push(data);
        for (const one of joiners) {
          one.take(data);
          expect(one.book.sides()).toBe(books.get(one.version));
        }
      }
      if (step === 200) late.ask(request);
      if (step > 250 && step % 25 === 0) {
        const joiner = new Reader(snapshot, heardLate);
        expect(joiner.book.sides()).toBe(books.get(joiner.version));
        joiners.push(joiner);
      }
    }
    expect(reader.updates).toBeGreaterThan(merged ? 15 : 90);
    expect(reader.book.deleted).toBeGreaterThan(40);
    // one version for each change of the book
    expect(reader.version - first).toBeGreaterThan(80);
    expect(joiners.filter(({ updates }) => updates > 1).length).toBeGreaterThan(15);
    expect(joiners.some(({ straddled }) => straddled)).toBe(merged);
  });

  test.each([5, 10, 20, 50])('a top of %i levels is whole each time, and the market at its version', (limit) => {
    const run = serveRun('mexc-futures', [symbol, other], 400);
    const client = run.join(PATH);
    client.ask(ask('sub.depth.full', { symbol, limit }));
    const books = new Map<number, string>();
    let messages = 0;
    for (let step = 0; step < 600; step++) {
      run.advance(5_000);
      const { version } = snapshotOf(run);
      if (!books.has(version)) books.set(version, marketSides(run.market, symbol, limit));
      for (const text of client.heard()) {
        const { data } = JSON.parse(text) as BookMessage;
        const book = new PlainBook(limit);
        book.replace(asTexts(data.bids), asTexts(data.asks));
        expect(book.sides()).toBe(books.get(data.version));
        expect(inOrder(asTexts(data.bids), -1) && inOrder(asTexts(data.asks), 1)).toBe(true);
        expect([data.bids.length, data.asks.length]).toEqual([limit, limit]);
        messages++;
      }
    }
    expect(messages).toBeGreaterThan(7);
  });

  test('commits mend a hole: newest first, one version each, the changes of the book', () => {
    const run = serveRun('mexc-futures', [symbol], 400);
    const commits = (most: number): BookMessage['data'][] => {
      const { body } = run.server.rest(`/api/v1/contract/depth_commits/${symbol}/${most}`, run.market);
      return (JSON.parse(body) as { data: BookMessage['data'][] }).data;
    };
    expect(commits(1000)).toEqual([]);
    const reader = new Reader(snapshotOf(run));
    run.advance(1_000_000);
    const mended = commits(1000).reverse();
    for (const data of mended) reader.take(data);
    expect(reader.updates).toBe(mended.length);
    expect(reader.version).toBe(snapshotOf(run).version);
    expect(reader.book.sides()).toBe(marketSides(run.market, symbol, 5000));
    expect(commits(3).map(({ version }) => version)).toEqual([0, 1, 2].map((back) => reader.version - back));
    run.advance(60_000_000);
    const kept = commits(100_000);
    expect(kept.length).toBe(1000);
    expect(kept[0].version).toBe(snapshotOf(run).version);
  });

  test('every message decodes to the numbers of the market', () => {
    const run = serveRun('mexc-futures', [symbol, other], 2000);
    const instrument = run.market.instruments()[0];
    const joined = [{}, { compress: false }].map((param) => {
      const client = run.join(PATH);
      for (const method of ['sub.depth', 'sub.deal', 'sub.ticker', 'sub.funding.rate'])
        client.ask(ask(method, { symbol, ...param }));
      return client;
    });
    const full = run.join(PATH);
    full.ask(ask('sub.depth.full', { symbol }));
    const events: Exclude<ServedEvent, { kind: 'touch' }>[] = [];
    const { render } = run.server;
    run.server.render = (event) => {
      if (event.symbol === symbol && event.kind !== 'touch') events.push(event);
      return render(event);
    };
    run.advance(2_000_000);
    const [merged, each] = joined.map((client) => recordsOf(mexcFutures, instrument, client.heard()));
    const sides = (rows: [string, string][]): number[][] => rows.map((row) => row.map(Number));
    const base = each.find(({ kind }) => kind === 'depth')?.last ?? -1;
    let version = base;
    expect(
      each.map(({ kind, emitted, matched, first, last, price, size, side, bids, asks }) =>
        kind === 'depth'
          ? { kind, emitted, matched, first, last, bids, asks }
          : { kind, emitted, matched, price, size, side },
      ),
    ).toEqual(
      events.map((event) => {
        if (event.kind === 'trade') return tradeRecord(event);
        const { kind, emitted, matched, bids, asks } = event;
        const ids = { first: version, last: version++ };
        return {
          ...{ kind, emitted: wholeMs(emitted), matched: wholeMs(matched) },
          ...{ ...ids, bids: sides(bids), asks: sides(asks) },
        };
      }),
    );
    expect(events.length).toBeGreaterThan(400);
    const trades = ({ kind }: { kind: string }): boolean => kind === 'trade';
    expect(merged.filter(trades)).toEqual(each.filter(trades));
    let next = base;
    for (const { first, last } of merged.filter(({ kind }) => kind === 'depth')) {
      expect(first).toBe(next);
      next = last + 1;
    }
    expect(next).toBeGreaterThan(base + 100);
    const views = recordsOf(mexcFutures, instrument, full.heard());
    expect(views.length).toBeGreaterThan(4);
    for (const { kind, bids, asks } of views) expect([kind, bids.length, asks.length]).toEqual(['partial', 20, 20]);
  });
});

describe('a market that is played from a recording', () => {
  const TOPIC = 'push.depth:BTC_USDT';
  const book: RecordedBook = {
    ...{ first: 8_760_000_048, last: 8_760_000_103, emitted: EMITTED, matched: MATCHED },
    bids: [
      ['63999.9', '7'],
      ['63999.8', '2'],
    ],
    asks: [['64000.0', '5']],
  };
  /** The market's own snapshot is of other numbers, as far as it has one. */
  const played = (now: { book: RecordedBook | null }, own = still()): ServedMarket => ({
    ...own,
    recorded: (topic) => (topic === TOPIC ? now.book : undefined),
  });

  test('snapshots are of the recorded book and version; without one there is none', () => {
    const now: { book: RecordedBook | null } = { book: null };
    const market = played(now);
    const server = mexcServer(market);
    const get = (): string => server.rest('/api/v1/contract/depth/BTC_USDT?limit=1', market).body;
    expect(JSON.parse(get())).toMatchObject({ success: false, code: 510 });
    now.book = book;
    expect(get()).toBe(
      '{"success":true,"code":0,"data":{"asks":[[64000.0,5,1]],"bids":[[63999.9,7,1]],"version":8760000103,"timestamp":1786000001206,"cts":null}}',
    );
  });

  test('what was recorded is the only form of a book, and what the server makes has its versions', () => {
    const { server, client } = join(played({ book }));
    client.ask(ask('sub.depth', { symbol: BTC, compress: false }));
    expect([...client.served.topics]).toEqual([TOPIC]);
    expect(server.wrap(client.served, TOPIC, '{"symbol":1}')).toBe('{"symbol":1}');
    const full = server.render(depth({ bids: [['64010.1', '80']] }, 0, 8_760_000_150)).at(-1);
    expect(full?.topic).toBe('push.depth.full:BTC_USDT?limit=50');
    expect(full?.text).toContain('"version":8760000150');
    // a range is no commit, one version is
    const commits = (): unknown =>
      JSON.parse(server.rest('/api/v1/contract/depth_commits/BTC_USDT/10', still()).body).data;
    expect(commits()).toEqual([]);
    server.render({ ...depth({ bids: [['64010.1', '81']] }, 0, 8_760_000_151), first: 8_760_000_151 } as ServedEvent);
    expect(commits()).toMatchObject([{ version: 8_760_000_151 }]);
  });

  test('a market that begins without a book says no top and gives no snapshot until it has one', () => {
    let id = 0;
    const rows: { bids: Row[]; asks: Row[] } = { bids: [], asks: [] };
    const market: ServedMarket = { ...still(), snapshot: () => ({ id, emitted: EMITTED, matched: MATCHED, ...rows }) };
    const { server } = join(market);
    const tops = (event: ServedEvent): string[] =>
      server.render(event).flatMap(({ topic, text }) => (topic === 'push.depth.full:BTC_USDT' ? [text] : []));
    const get = (): unknown => JSON.parse(server.rest('/api/v1/contract/depth/BTC_USDT', market).body);
    expect(get()).toMatchObject({ success: false, code: 510 });
    expect(mexcFutures.readSnapshot(get())).toBeNull();
    expect(tops(depth({ bids: [['64010.1', '0']] }))).toEqual([]);
    expect(tops(depth({ bids: [['64010.1', '5']] }, 1000))).toHaveLength(1);
    expect(tops(depth({ bids: [['64010.1', '0']] }, 2000))).toEqual([]);
    id = 700;
    rows.bids.push(['64010.1', '5']);
    expect(get()).toMatchObject({ success: true, data: { version: 3, bids: [[64010.1, 5, 1]] } });
  });
});

describe('REST', () => {
  const get = (path: string, market = still()): { status: number; body: string } =>
    mexcServer(market).rest(path, market);

  test('time', () => {
    expect(get('/api/v1/contract/ping')).toEqual({
      status: 200,
      body: `{"success":true,"code":0,"data":${TS}}`,
    });
    expect(mexcFutures.rest.readTime(JSON.parse(get(mexcFutures.rest.time).body))).toBe(TS * 1000);
  });

  const ROW =
    '{"symbol":"BTC_USDT","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","contractSize":0.0001,"priceUnit":0.1,"volUnit":1,"minVol":1,"priceScale":1,"volScale":0,"takerFeeRate":0.0002,"makerFeeRate":0,"state":0,"apiAllowed":true,"isHidden":false,"futureType":1,"type":1,"openingTime":1591242684000}';

  test('contracts are a list, and one that is asked for an object; numbers are numbers', () => {
    expect(get('/api/v1/contract/detail').body).toBe(`{"success":true,"code":0,"data":[${ROW}]}`);
    for (const symbol of ['BTC_USDT', 'btc_usdt'])
      expect(get(`/api/v1/contract/detail?symbol=${symbol}`).body).toBe(`{"success":true,"code":0,"data":${ROW}}`);
  });

  test('our side reads every contract as it is, coin-margined ones and small steps too', () => {
    const small = { ...linear, symbol: 'PEPE_USDT', tick: '0.0000000001', multiplier: '10000000', base: 'PEPE' };
    for (const instrument of [linear, inverse, small]) {
      const market = stillMarket(instrument, bids, asks);
      for (const symbols of [[instrument.symbol], [instrument.symbol, 'ETH_USDT']]) {
        const body: unknown = JSON.parse(get(mexcFutures.rest.instruments(symbols)[0], market).body);
        expect(mexcFutures.rest.readInstrument(body, instrument.symbol)).toEqual(instrument);
      }
    }
    const nameless: Instrument = { symbol: 'XRP_USDC', kind: 'linear', tick: '0.001', lot: '1', multiplier: '1' };
    expect(get('/api/v1/contract/detail', stillMarket(nameless, bids, asks)).body).toContain(
      '"baseCoin":"XRP","quoteCoin":"USDC","settleCoin":"USDC"',
    );
  });

  test('a book has its version and no matching time', () => {
    expect(get('/api/v1/contract/depth/btc_usdt?limit=1').body).toBe(
      `{"success":true,"code":0,"data":{"asks":[[64010.2,13240,1]],"bids":[[64010.1,88,1]],"version":500,"timestamp":${START / 1000},"cts":null}}`,
    );
    expect(get('/api/v1/contract/depth/BTC_USDT').body).toContain('"bids":[[64010.1,88,1],[64010.0,250,1]]');
    const path = mexcFutures.rest.snapshot?.(BTC) ?? '';
    expect(mexcFutures.readSnapshot(JSON.parse(get(path).body))).toMatchObject({ id: 500, emitted: START, matched: 0 });
  });

  test.each([
    ['/api/v1/contract/detail?symbol=NOPE_USDT', 1001],
    ['/api/v1/contract/depth/NOPE_USDT', 1001],
    ['/api/v1/contract/depth/%', 1001],
    ['/api/v1/contract/depth', 1001],
    ['/api/v1/contract/depth_commits/NOPE_USDT/10', 1001],
    ['/api/v1/contract/depth/BTC_USDT?limit=0', 600],
    ['/api/v1/contract/depth/BTC_USDT?limit=x', 600],
    ['/api/v1/contract/depth_commits/BTC_USDT', 600],
    ['/api/v1/contract/depth_commits/BTC_USDT/-1', 600],
  ])('%s: status 200, code %i', (path, code) => {
    const { status, body } = get(path);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ success: false, code, message: expect.any(String) });
  });

  test('other paths are not there', () => {
    for (const path of [
      '/',
      '/api/v1/contract/',
      '/api/v1/contract/nothing',
      '/api/v1/contractdetail',
      '/x/api/v1/contract/ping',
    ])
      expect(get(path).status).toBe(404);
  });
});
