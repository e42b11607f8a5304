/** WEEX's side of its protocol: greeting, acks and refusals, message bytes, books linked on a grid of half seconds, recorded books, REST. */
import { describe, expect, test } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { formatScaled } from '../../src/model/decimal.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import type { RecordedBook, ServedEvent, ServedMarket } from '../../src/venues/venue.js';
import { weexFutures } from '../../src/venues/weex.js';
import { weexServer } from '../../src/venues/weex-server.js';
import { createFollower, recordsOf } from './records.js';
import {
  type BookReader,
  emptyMarket,
  expectMarketTwice,
  inOrder,
  joinServer,
  marketSides,
  PlainBook,
  type Row,
  START,
  seededMarket,
  serveRun,
  stillMarket,
  tradeRecord,
} from './served.js';

const PATH = '/v3/ws/public';
const SYMBOL = 'BTCUSDT';

const instrument: Instrument = {
  ...{ symbol: SYMBOL, kind: 'linear', tick: '0.10', lot: '0.0010', multiplier: '1' },
  ...{ base: 'BTC', quote: 'USDT' },
};

const bids: Row[] = [
  ['64010.10', '3.204'],
  ['64010.00', '0.4100'],
];
const asks: Row[] = [['64010.20', '1']];

const still = () => stillMarket(instrument, bids, asks);

function join(market: ServedMarket = still()) {
  const server = weexServer(market);
  return { server, client: joinServer(server, PATH) };
}

/** µs of the test's times, from the start of a span of half a second. */
const SPAN = 500_000;
const depth = (changes: { bids?: Row[]; asks?: Row[] }, last = 600, emitted = START + SPAN): ServedEvent => ({
  ...{ kind: 'depth', symbol: SYMBOL, emitted, matched: emitted - 900, first: last - 10, last, previous: last - 100 },
  ...{ bids: [], asks: [], ...changes },
});
const request = (method: string, ...params: string[]): string => JSON.stringify({ method, params, id: 1 });
const subscribe = (...params: string[]): string => request('SUBSCRIBE', ...params);

const ACK = '{"result":true,"id":1}';
const SNAPSHOT =
  '{"e":"depthSnapshot","E":1786000000000,"s":"BTCUSDT","U":500,"u":500,"l":200,"d":"SNAPSHOT","b":[["64010.1","3.204"],["64010.0","0.410"]],"a":[["64010.2","1.000"]]}';
const at15 = (text: string): string => text.replace('"l":200', '"l":15');

describe('connections', () => {
  test('there is one endpoint', () => {
    const { connect } = weexServer(still());
    expect(['/', '/v2/ws/public', '/v3/ws/private', `${PATH}/x`].map(connect)).toEqual([null, null, null, null]);
    expect(connect(`${PATH}?x=1`)).not.toBeNull();
  });

  test('each is greeted by a name of its own, the same in every run', () => {
    const greet = (): string[] => {
      const server = weexServer(still());
      return [0, 1].flatMap(() => {
        const served = server.connect(PATH);
        return served === null ? [] : (server.greeting?.(served) ?? []).map(({ text }) => text);
      });
    };
    const texts = greet();
    expect(texts[0]).toMatch(
      /^\{"cid":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}","event":"connected","time":"1786000001234"\}$/,
    );
    expect(new Set(texts).size).toBe(2);
    expect(greet()).toEqual(texts);
  });

  test('the venue pings once a minute, only where something is subscribed, and wants no answer', () => {
    const { server, client } = join();
    const ping = (): unknown => server.beat?.text(client.served);
    expect([server.pingEveryMs, server.beat?.everyMs]).toEqual([Number.POSITIVE_INFINITY, 60_000]);
    expect(ping()).toBeNull();
    client.ask(subscribe('BTCUSDT@trade'));
    expect(ping()).toBe('{"event":"ping","time":"1786000001234"}');
    expect(client.ask('{"method":"PONG","id":7}')).toEqual([]);
    client.ask(request('UNSUBSCRIBE', 'BTCUSDT@trade'));
    expect(ping()).toBeNull();
    // ten pings may stay unanswered
    expect(server.quietMs).toBeGreaterThan(10 * 60_000);
  });
});

describe('requests', () => {
  test.each([
    ['{"method":"PING","id":1000}', '{"result":true,"id":1000}'],
    ['{"method":"PING","id":"p"}', '{"result":true,"id":"p"}'],
    ['{"method":"PING"}', '{"result":true}'],
    ['{"method":"SUBSCRIBE","params":["BTCUSDT@trade"],"id":"|7|"}', '{"result":true,"id":"|7|"}'],
    ['{"id":0,"params":["BTCUSDT@ticker"],"method":"SUBSCRIBE"}', '{"result":true,"id":0}'],
    ['{"method":"UNSUBSCRIBE","params":["BTCUSDT@trade"],"id":2}', '{"result":true,"id":2}'],
  ])('%s is answered %s', (text, answer) => {
    expect(join().client.ask(text)).toEqual([answer]);
  });

  test('one ack for all topics; tickers and candles stay silent', () => {
    const { server, client } = join();
    const topics = ['BTCUSDT@ticker', 'BTCUSDT@kline_1m_LAST_PRICE', 'BTCUSDT@kline_5m_MARK_PRICE', 'BTCUSDT@trade'];
    expect(client.ask(subscribe(...topics))).toEqual([ACK]);
    expect([...client.served.topics]).toEqual(topics);
    expect(client.ask(request('UNSUBSCRIBE', ...topics.slice(0, 3)))).toEqual([ACK]);
    expect([...client.served.topics]).toEqual(['BTCUSDT@trade']);
    expect(topics.map((topic) => server.opening?.(topic))).toEqual([null, null, null, null]);
  });

  test('the first book stands before the ack, the others behind it', () => {
    const { client } = join();
    expect(client.ask(subscribe('BTCUSDT@trade', 'BTCUSDT@depth200', 'BTCUSDT@depth15'))).toEqual([
      SNAPSHOT,
      ACK,
      at15(SNAPSHOT),
    ]);
  });

  test('symbols in lower case are the same, and what is asked for twice comes once', () => {
    const { client, server } = join();
    expect(client.ask(subscribe('btcusdt@depth200', 'BtcUsdt@depth200', 'btcusdt@trade'))).toEqual([SNAPSHOT, ACK]);
    expect(client.ask(subscribe('BTCUSDT@depth200'))).toEqual([ACK]);
    expect([...client.served.topics]).toEqual(['BTCUSDT@depth200', 'BTCUSDT@trade']);
    const [{ topic, text }] = server.render(depth({ bids: [['64009.90', '1']] }));
    expect(server.wrap(client.served, topic, text)).toContain('"s":"BTCUSDT"');
    // left and asked for again, it begins anew
    expect(client.ask(request('UNSUBSCRIBE', 'btcusdt@depth200'))).toEqual([ACK]);
    expect(server.wrap(client.served, topic, text)).toBeNull();
    expect(client.ask(subscribe('BTCUSDT@depth200'))).toHaveLength(2);
  });

  test.each([
    ['NOPEUSDT@trade', 'invalid symbol : cmt_nopeusdt'],
    ['nopeUSDT', 'invalid symbol : cmt_nopeusdt'],
    ['BTCUSDT@depth50', 'invalid depth level : 50'],
    ['BTCUSDT@depth0200', 'invalid depth level : 0200'],
    ['BTCUSDT@nope', 'invalid event : nope'],
    ['BTCUSDT@depth', 'invalid event : depth'],
    ['BTCUSDT@bookTicker', 'invalid event : bookTicker'],
    ['BTCUSDT@kline_1m', 'invalid event : kline_1m'],
    ['BTCUSDT@trade@x', 'invalid event : trade@x'],
    ['BTCUSDT', 'invalid event : '],
  ])('%s is refused, and nothing of its text takes effect', (topic, what) => {
    const { client } = join();
    const refused = (id: string): string => `{"result":false,"id":${id},"msg":"INVALID_ARGUMENT: ${what}"}`;
    const text = (method: string, id: string): string =>
      `{"method":"${method}","params":["BTCUSDT@trade","${topic}","BTCUSDT@depth200"],"id":${id}}`;
    expect(client.ask(text('SUBSCRIBE', '101'))).toEqual([refused('101')]);
    expect(client.served.topics.size).toBe(0);
    client.ask(subscribe('BTCUSDT@trade'));
    expect(client.ask(text('UNSUBSCRIBE', '"a"'))).toEqual([refused('"a"')]);
    expect(client.served.topics.size).toBe(1);
  });

  test.each([
    'hello',
    '[]',
    '{"id":3}',
    '{"method":"LIST","id":3}',
    '{"method":"SUBSCRIBE","id":3}',
    '{"method":"SUBSCRIBE","params":[],"id":3}',
    '{"method":"SUBSCRIBE","params":[1],"id":3}',
    '{"event":"subscribe","channel":"depth.cmt_btcusdt.15"}',
  ])('%s is not recognized, and no id repeated', (text) => {
    const [answer, ...more] = join().client.ask(text);
    expect(answer).toBe(
      `{"result":false,"msg":"INVALID_ARGUMENT: unrecognized message : ${text.replaceAll('"', '\\"')}"}`,
    );
    expect(more).toEqual([]);
  });

  test('our recorder is understood, and understands', () => {
    const { client } = join();
    const [{ subscribe: texts, ping }] = weexFutures.connections([SYMBOL], weexFutures.channels.all);
    const heard = [...texts, ping?.text ?? ''].flatMap(client.ask).map((text) => JSON.parse(text) as object);
    expect(heard.map(weexFutures.control)).toEqual([
      { kind: 'other' },
      { kind: 'ack', id: 1 },
      { kind: 'other' },
      { kind: 'other' },
    ]);
    const { beat } = weexServer(still());
    expect(client.ask(weexFutures.answer?.(beat?.text(client.served) ?? '') ?? '?')).toEqual([]);
    const refused = client.ask(subscribe('NOPEUSDT@trade'))[0];
    expect(weexFutures.control(JSON.parse(refused))).toMatchObject({ kind: 'error', id: 1 });
  });
});

describe('messages', () => {
  test('a book names the message before it; what changes nothing is not said', () => {
    const { server } = join();
    const changes: { bids: Row[]; asks: Row[] } = {
      bids: [
        ['64010.00', '0.000'],
        ['64009.90', '0.32'],
      ],
      asks: [['64010.20', '0.500']],
    };
    const text =
      '{"e":"depth","E":1786000000500,"s":"BTCUSDT","U":500,"u":600,"l":200,"d":"CHANGED","b":[["64010.0","0"],["64009.9","0.320"]],"a":[["64010.2","0.500"]]}';
    expect(server.render(depth(changes))).toEqual([
      { topic: 'BTCUSDT@depth200', text },
      { topic: 'BTCUSDT@depth15', text: at15(text) },
    ]);
    expect(server.render(depth({ bids: [['64009.9', '0.320']] }, 700, START + 2 * SPAN))).toEqual([]);
    const [{ text: next }] = server.render(depth({ bids: [['64009.9', '0.330']] }, 750, START + 2 * SPAN + 1));
    expect(next).toContain('"U":600,"u":750,');
  });

  test('each span of half a second has one message, with all that changed since the last', () => {
    const { server, client } = join();
    const said = (bid: Row, last: number, at: number): string[] =>
      server.render(depth({ bids: [bid] }, last, START + at)).map(({ text }) => text.replace(/^.*"U"/, '"U"'));
    const message = (U: number, u: number, level: number, b: string): string =>
      `"U":${U},"u":${u},"l":${level},"d":"CHANGED","b":${b},"a":[]}`;
    expect(said(['64009.9', '1'], 510, SPAN + 90_000)).toHaveLength(2);
    expect(said(['64009.9', '2'], 520, SPAN + 190_000)).toEqual([]);
    expect(said(['64009.8', '1'], 530, SPAN + 499_999)).toEqual([]);
    // a client that comes now hears what the others know
    const book = client.ask(subscribe('BTCUSDT@depth200'))[0];
    expect(book).toContain('"E":1786000000590,"s":"BTCUSDT","U":500,"u":510,');
    expect(book).toContain('["64010.0","0.410"],["64009.9","1.000"]]');
    expect(said(['64009.8', '0'], 540, 2 * SPAN)).toEqual([
      message(510, 540, 200, '[["64009.9","2.000"]]'),
      message(510, 540, 15, '[["64009.9","2.000"]]'),
    ]);
  });

  test('levels that leave the best fifteen are deleted, and come back', () => {
    const deep: Row[] = Array.from({ length: 16 }, (_, rank) => [`${1000 - rank}.0`, '1.000']);
    const { server } = join(stillMarket(instrument, deep, [['1001.0', '1.000']]));
    const said = (bid: Row, last: number, span: number): string[] =>
      server
        .render(depth({ bids: [bid] }, last, START + span * SPAN))
        .map(({ topic, text }) => `${topic} ${/"b":(.*),"a"/.exec(text)?.[1]}`);
    expect(said(['1000.5', '2.000'], 600, 1)).toEqual([
      'BTCUSDT@depth200 [["1000.5","2.000"]]',
      'BTCUSDT@depth15 [["1000.5","2.000"],["986.0","0"]]',
    ]);
    expect(said(['1000.5', '0'], 700, 2)).toEqual([
      'BTCUSDT@depth200 [["1000.5","0"]]',
      'BTCUSDT@depth15 [["1000.5","0"],["986.0","1.000"]]',
    ]);
    // the best fifteen do not change: their chain goes on from where it was
    expect(said(['985.0', '3.000'], 800, 3)).toEqual(['BTCUSDT@depth200 [["985.0","3.000"]]']);
    const [, fifteen] = server.render(depth({ bids: [['1000.0', '9.000']] }, 900, START + 4 * SPAN));
    expect(fifteen.text).toContain('"U":700,"u":900,"l":15,');
  });

  const trade: ServedEvent = {
    ...{ kind: 'trade', symbol: SYMBOL, emitted: START + 1_010_999, matched: START + 1_002_001, id: 77 },
    ...{ price: '64010.10', size: '0.0200', aggressor: 'buy', update: 599 },
  };

  test('a trade has its value to the last digit, and an id that is the same in every run', () => {
    const [{ topic, text }] = join().server.render(trade);
    expect(topic).toBe('BTCUSDT@trade');
    const id = /"t":"([^"]*)"/.exec(text)?.[1] ?? '';
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(text).toBe(
      `{"e":"trade","E":1786000001010,"s":"BTCUSDT","d":[{"T":1786000001002,"t":"${id}","p":"64010.1","q":"0.020","v":"1280.2020","m":false}]}`,
    );
    const other = (changed: Partial<typeof trade>): string =>
      join().server.render({ ...trade, ...changed } as ServedEvent)[0].text;
    expect(other({})).toBe(text);
    expect(other({ id: 78 } as Partial<typeof trade>)).not.toContain(id);
    expect(other({ aggressor: 'sell' } as Partial<typeof trade>)).toBe(text.replace('"m":false', '"m":true'));
  });

  test.each([
    ['9007199254740.1', '0.123', '1107885508333.0323'],
    ['64010.0', '3.000', '192030.0000'],
    ['0.1', '0.001', '0.0001'],
  ])('%s x %s is %s', (price, size, value) => {
    const [{ text }] = join().server.render({ ...trade, price, size } as ServedEvent);
    expect(text).toContain(`"v":"${value}"`);
  });

  test('where sizes are whole, so are their texts', () => {
    const doodles = { ...instrument, tick: '0.000001', lot: '10' };
    const { server, client } = join(stillMarket(doodles, [['0.0123', '120.0']], [['0.012301', '10']]));
    expect(client.ask(subscribe('BTCUSDT@depth15'))[0]).toContain('"b":[["0.012300","120"]],"a":[["0.012301","10"]]');
    const [{ text }] = server.render({ ...trade, price: '0.0123', size: '30' } as ServedEvent);
    expect(text).toContain('"p":"0.012300","q":"30","v":"0.369000"');
  });

  test('best quotes are of no stream, and other symbols are not here', () => {
    const { server } = join();
    const touch = { kind: 'touch', symbol: SYMBOL, emitted: START, matched: START, id: 9 } as const;
    expect(server.render({ ...touch, bid: ['1.0', '1.000'], ask: ['2.0', '1.000'] })).toEqual([]);
    expect(server.render({ ...trade, symbol: 'ETHUSDT' } as ServedEvent)).toEqual([]);
  });
});

describe('a market that is played from a tape', () => {
  const recorded: RecordedBook = {
    ...{ first: -1, last: 17_000_000_231, emitted: START + 547_000, matched: 0 },
    ...{ bids: [['64000.5', '0.02']], asks: [['64000.6', '7']] },
  };
  const played = (books: Record<string, RecordedBook | null>): ServedMarket => ({
    ...still(),
    recorded: (topic) => books[topic],
  });

  test('a recorded book is opened with its own levels and ids, another with ours', () => {
    const { server, client } = join(played({ 'BTCUSDT@depth200': recorded }));
    const text =
      '{"e":"depthSnapshot","E":1786000000547,"s":"BTCUSDT","U":17000000231,"u":17000000231,"l":200,"d":"SNAPSHOT","b":[["64000.5","0.020"]],"a":[["64000.6","7.000"]]}';
    expect(client.ask(subscribe('BTCUSDT@depth200', 'BTCUSDT@depth15'))).toEqual([text, ACK, at15(SNAPSHOT)]);
    expect(server.opening?.('BTCUSDT@depth200')).toEqual({ topic: 'BTCUSDT@depth200', text });
    const [record] = recordsOf(weexFutures, instrument, [text]);
    expect(record).toMatchObject({ kind: 'snapshot', last: recorded.last });
    const { body } = server.rest('/capi/v3/market/depth?symbol=BTCUSDT&limit=200', still());
    expect(body).toBe('{"bids":[["64000.5","0.020"]],"asks":[["64000.6","7.000"]],"lastUpdateId":17000000231}');
  });

  test('while it is not known, there is no opening, and no book over REST', () => {
    const books: Record<string, RecordedBook | null> = { 'BTCUSDT@depth200': null };
    const { server, client } = join(played(books));
    expect(client.ask(subscribe('BTCUSDT@depth200'))).toEqual([ACK]);
    expect(server.opening?.('BTCUSDT@depth200')).toBeNull();
    expect(server.rest('/capi/v3/market/depth?symbol=BTCUSDT', still()).status).toBe(400);
    books['BTCUSDT@depth200'] = { ...recorded, first: 17_000_000_200 };
    expect(server.opening?.('BTCUSDT@depth200')?.text).toContain('"U":17000000200,"u":17000000231,');
  });

  test('a book that is empty at first is not told of, and then begins whole, for all', () => {
    const empty = emptyMarket(instrument);
    const { server, client } = join(empty);
    expect(client.ask(subscribe('BTCUSDT@depth200', 'BTCUSDT@depth15'))).toEqual([ACK]);
    expect(server.opening?.('BTCUSDT@depth15')).toBeNull();
    expect(server.rest('/capi/v3/market/depth?symbol=BTCUSDT', empty).status).toBe(400);
    const texts = server.render(depth({ bids, asks }, 500)).map(({ text }) => text);
    const begun = SNAPSHOT.replace('1786000000000', '1786000000500').replace('"U":500', '"U":0');
    expect(texts).toEqual([begun, at15(begun)]);
    expect(server.opening?.('BTCUSDT@depth200')?.text).toBe(begun);
    const [{ text }] = server.render(depth({ asks: [['64010.20', '0']] }, 600, START + 2 * SPAN));
    expect(text).toContain('"U":500,"u":600,"l":200,"d":"CHANGED"');
  });
});

interface BookMessage {
  e: string;
  E: number;
  U: number;
  u: number;
  l: number;
  d: string;
  b: Row[];
  a: Row[];
}
const parse = (text: string): BookMessage => JSON.parse(text) as BookMessage;

/** A client that follows one topic by the rules of the venue. */
class Follower implements BookReader {
  readonly book: PlainBook;
  last = -1;
  updates = 0;

  constructor(readonly level: number) {
    this.book = new PlainBook(level);
  }

  take(text: string): void {
    const { d, U, u, l, b, a } = parse(text);
    if (l !== this.level) throw new Error(`another level: ${text}`);
    if (d === 'SNAPSHOT') this.book.replace(b, a);
    else {
      this.updates++;
      if (U !== this.last || u <= U) throw new Error(`no successor of ${this.last}: ${text}`);
      this.book.apply(b, a);
    }
    if (!inOrder(b, -1) || !inOrder(a, 1)) throw new Error(`rows out of order: ${text}`);
    this.last = u;
  }

  place(): number {
    return this.last;
  }
}

describe('a client of a seeded exchange', () => {
  const venue = 'weex-futures';

  test.each([200, 15])('depth%i is the market at its messages, from the start and joined later', (level) => {
    const run = serveRun(venue, [SYMBOL, 'ETHUSDT'], 2000);
    const { reader, joined, compared } = expectMarketTwice({
      ...{ run, path: PATH, symbol: SYMBOL, levels: level },
      ...{ request: subscribe(`${SYMBOL}@depth${level}`), opening: 0, createReader: () => new Follower(level) },
      ...{ steps: 6000, stepMicros: 2000, joinAt: 1700 },
      // the market moves on while nothing is said, so it is looked at where it has the id of the message
      isNow: ({ last }) => run.market.snapshot(SYMBOL, 0)?.id === last,
    });
    expect([reader.updates, joined.updates]).toEqual([24, 17]);
    expect(compared).toBeGreaterThan(24);
    expect(reader.book.deleted).toBeGreaterThan(50);
  });

  test('both depths of a symbol have chains of their own, whoever listens', () => {
    const heard = (from: number): string[] => {
      const run = serveRun(venue, [SYMBOL], 2000);
      const client = run.join(PATH);
      const followers = new Map([200, 15].map((level) => [level, new Follower(level)]));
      const kept: string[] = [];
      const take = (texts: string[], step: number): void => {
        for (const text of texts.filter((one) => one !== ACK)) {
          followers.get(parse(text).l)?.take(text);
          if (step >= 40) kept.push(text);
        }
      };
      for (let step = 0; step < 80; step++) {
        if (step === from) take(client.ask(subscribe(`${SYMBOL}@depth200`, `${SYMBOL}@depth15`)), step);
        run.advance(50_000);
        take(client.heard(), step);
      }
      return kept;
    };
    expect(heard(0)).toHaveLength(8);
    expect(heard(39)).toEqual(heard(0));
  });

  test('every message decodes to the numbers of the market', () => {
    const run = serveRun(venue, [SYMBOL], 1000);
    const client = run.join(PATH);
    const listed = weexFutures.rest.readInstrument(
      JSON.parse(run.server.rest('/capi/v3/market/exchangeInfo', run.market).body),
      SYMBOL,
    );
    if (listed === null) throw new Error(`${SYMBOL} is not listed`);
    const scale = scaleOf(listed);
    const follower = createFollower(weexFutures, listed);
    const [first] = client.ask(subscribe(`${SYMBOL}@depth200`, `${SYMBOL}@trade`));
    follower.take(first);
    const texts: string[] = [];
    let compared = 0;
    for (let step = 0; step < 1500; step++) {
      run.advance(2000);
      const heard = client.heard();
      for (const text of heard) follower.take(text);
      texts.push(...heard);
      if (run.market.snapshot(SYMBOL, 0)?.id !== follower.track.continuity.last) continue;
      compared++;
      const inUnits = (side: BookSide): string[][] =>
        follower.track.book
          .levels(side)
          .map(([price, size]) => [formatScaled(price, scale.price), formatScaled(size, scale.size)]);
      const decoded = new PlainBook(200);
      decoded.replace(inUnits(BID), inUnits(ASK));
      expect(decoded.sides()).toBe(marketSides(run.market, SYMBOL, 200));
    }
    expect(compared).toBeGreaterThan(6);
    expect(follower.track).toMatchObject({ state: 'valid', counts: { bookGaps: 0, crossed: 0, unknown: 0 } });

    const twin = seededMarket(weexFutures, [SYMBOL], 1000);
    const happened = twin.advance(run.market.now()).filter((event) => event.kind === 'trade');
    const records = recordsOf(weexFutures, listed, texts);
    const trades = records.filter(({ kind }) => kind === 'trade');
    expect(trades).toHaveLength(happened.length);
    expect(trades).toMatchObject(happened.map(tradeRecord));
    expect(trades.length).toBeGreaterThan(100);
    expect(new Set(records.map(({ kind }) => kind))).toEqual(new Set(['trade', 'depth']));
    const ids = texts.flatMap((text) => /"t":"([^"]*)"/.exec(text)?.[1] ?? []);
    expect(new Set(ids).size).toBe(trades.length);
  });
});

describe('REST', () => {
  const get = (path: string, listed = instrument): { status: number; body: string } => {
    const market = stillMarket(listed, bids, asks);
    return weexServer(market).rest(`/capi/v3/market/${path}`, market);
  };

  test('time', () => {
    const { status, body } = get('time');
    expect([status, body]).toEqual([200, '{"serverTime":1786000001234}']);
    expect(weexFutures.rest.readTime(JSON.parse(body))).toBe(1_786_000_001_234_000);
  });

  test('instruments: numbers as numbers, read back as they are', () => {
    const { body } = get('exchangeInfo');
    expect(body).toMatch(
      /^\{"assets":\[\],"rateLimits":\[\],"symbols":\[\{"symbol":"BTCUSDT","displaySymbol":"BTCUSDT","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":1,"quantityPrecision":3,"contractVal":0.001,"contractType":"PERPETUAL",.*\}\]\}$/,
    );
    const { readInstrument } = weexFutures.rest;
    expect(readInstrument(JSON.parse(body), SYMBOL)).toEqual({ ...instrument, tick: '0.1', lot: '0.001' });
    expect(readInstrument(JSON.parse(body), 'ETHUSDT')).toBeNull();
    const doodles: Instrument = { ...instrument, symbol: 'DOODUSDT', base: 'DOOD', tick: '0.000001', lot: '10' };
    const listed = get('exchangeInfo', doodles).body;
    expect(listed).toContain('"pricePrecision":6,"quantityPrecision":-1,"contractVal":10,');
    expect(readInstrument(JSON.parse(listed), 'DOODUSDT')).toEqual(doodles);
  });

  test('a book of 15 or 200 levels has the id of the last message of depth200', () => {
    expect(get('depth?symbol=BTCUSDT&limit=15').body).toBe(
      '{"bids":[["64010.1","3.204"],["64010.0","0.410"]],"asks":[["64010.2","1.000"]],"lastUpdateId":500}',
    );
    const run = serveRun('weex-futures', [SYMBOL], 2000);
    const client = run.join(PATH);
    const follower = new Follower(200);
    follower.take(client.ask(subscribe(`${SYMBOL}@depth200`))[0]);
    // between two messages of the stream
    run.advance(1_300_000);
    for (const text of client.heard()) follower.take(text);
    const read = (limit: string): PlainBook => {
      const { status, body } = run.server.rest(`/capi/v3/market/depth?symbol=${SYMBOL}${limit}`, run.market);
      expect(status).toBe(200);
      const snapshot = weexFutures.readSnapshot(JSON.parse(body));
      expect(snapshot?.id).toBe(follower.last);
      const book = new PlainBook(200);
      book.replace(snapshot?.bids ?? [], snapshot?.asks ?? []);
      return book;
    };
    expect(read('&limit=200').sides()).toBe(follower.book.sides());
    expect(read('&limit=15').bids.size).toBe(15);
    expect(read('').asks.size).toBe(15);
  });

  test.each([
    'depth?symbol=BTCUSDT&limit=50',
    'depth?symbol=BTCUSDT&limit=x',
    'depth?symbol=BTCUSDT&limit=',
    'depth?symbol=NOPEUSDT&limit=15',
    'depth',
  ])('%s: status 400, code -1142', (path) => {
    const { status, body } = get(path);
    expect({ status, ...(JSON.parse(body) as object) }).toEqual({ status: 400, code: -1142, msg: expect.any(String) });
  });

  test('other paths are not there', () => {
    for (const path of ['trades?symbol=BTCUSDT', 'nothing', '../../v2/market/time']) {
      const { status, body } = get(path);
      expect({ status, ...(JSON.parse(body) as object) }).toMatchObject({ status: 404, code: -1142 });
    }
  });
});

test('contracts are listed by names like 1000PEPEUSDT', () => {
  const form = weexFutures.symbolForm ?? /^$/;
  for (const symbol of ['BTCUSDT', '1000PEPEUSDT', 'BTCSUSDT']) expect(form.test(symbol)).toBe(true);
  for (const symbol of ['BTCUSDT_260925', 'BTC-USDT', 'BTCUSD', 'btcusdt', 'USDT'])
    expect(form.test(symbol)).toBe(false);
});
