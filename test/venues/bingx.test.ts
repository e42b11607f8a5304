/** BingX: every message on record by every decoder, the book over skipped ids, the wire as it is, subscriptions, instruments. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { createDecoder, type DecodeCounts, type DecodeMode } from '../../src/decode/decoder.js';
import { ASK, BID } from '../../src/market/book.js';
import { createTrack, Effect, type Track } from '../../src/market/track.js';
import { formatScaled } from '../../src/model/decimal.js';
import { TapedeckError } from '../../src/model/errors.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, MORE, STREAM_SHIFT } from '../../src/model/event.js';
import { type Instrument, type Scale, scaleOf } from '../../src/model/instrument.js';
import { bingxSwap } from '../../src/venues/bingx.js';
import { venueById } from '../../src/venues/registry.js';
import { feed } from '../market/feed.js';
import { saidBy } from './records.js';

const T0 = 1_790_201_122_000_000;
const KINDS = Object.fromEntries(Object.entries(Kind).map(([name, kind]) => [kind, name]));
const { none, book: applied, valid, lost, trade: traded } = Effect;

const instrumentOf = (symbol: string, tick: string, lot: string): Instrument => ({
  symbol,
  kind: 'linear',
  tick,
  lot,
  multiplier: '1',
});
const btc = instrumentOf('BTC-USDT', '0.1', '0.0001');
const eth = instrumentOf('ETH-USDT', '0.01', '0.01');
const sol = instrumentOf('SOL-USDT', '0.01', '0.1');

const lineOf = (msg: string, symbol: string, n = 0): string =>
  `{"t":${T0 + n},"src":"bingx-swap:${symbol}","conn":"c.1","msg":${msg}}`;

interface Decoded {
  events: Float64Array;
  levels: Float64Array;
  counts: DecodeCounts;
}

function decodeBy(mode: DecodeMode, bytes: Buffer, instrument: Instrument): Decoded {
  const decoder = createDecoder(mode);
  const { layouts, channels } = bingxSwap;
  const { symbol } = instrument;
  decoder.bind(`bingx-swap:${symbol}`, { layouts, symbol, scale: scaleOf(instrument), flow: channels.flow });
  // both outgrow their room
  const out = new EventBuffer(2, 2);
  const events: number[] = [];
  const levels: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    out.clear();
    at = decoder.decode(bytes, at, bytes.length, out);
    for (let o = 0; o < out.count * EVENT_STRIDE; o += EVENT_STRIDE) {
      const record = out.events.slice(o, o + EVENT_STRIDE);
      if ([Kind.depth, Kind.snapshot, Kind.partial].some((kind) => kind === record[Field.KIND]))
        record[Field.PRICE] += levels.length / 2;
      events.push(...record);
    }
    levels.push(...out.levels.subarray(0, out.levelCount * 2));
  }
  return { events: new Float64Array(events), levels: new Float64Array(levels), counts: decoder.counts };
}

/** What the decoders made of messages of one symbol, the same by all of them: decimals as texts, and nothing that is absent. */
function decode(instrument: Instrument, ...messages: string[]): Record<string, unknown>[] {
  const bytes = Buffer.from(messages.map((msg, n) => `${lineOf(msg, instrument.symbol, n)}\n`).join(''));
  const oracle = decodeBy('json', bytes, instrument);
  for (const mode of ['wasm', 'typescript'] as const) {
    const { events, levels } = decodeBy(mode, bytes, instrument);
    expect([mode, events, levels]).toEqual([mode, oracle.events, oracle.levels]);
  }
  return Array.from({ length: oracle.events.length / EVENT_STRIDE }, (_, n) =>
    recordOf(oracle.events.subarray(n * EVENT_STRIDE, (n + 1) * EVENT_STRIDE), oracle.levels, scaleOf(instrument)),
  );
}

function recordOf(e: Float64Array, levels: Float64Array, scale: Scale): Record<string, unknown> {
  const kind = KINDS[e[Field.KIND]];
  if (['other', 'unknown', 'invalid'].includes(kind))
    return e[Field.EMITTED] > 0 ? { kind, emitted: e[Field.EMITTED] } : { kind };
  const layout = bingxSwap.layouts.messages[e[Field.FLAGS] >> (STREAM_SHIFT + 4)];
  const record: Record<string, unknown> = { kind, channel: layout.name };
  if ((e[Field.FLAGS] & MORE) !== 0) record.more = true;
  if (e[Field.EMITTED] > 0) record.emitted = e[Field.EMITTED];
  if (e[Field.MATCHED] > 0) record.matched = e[Field.MATCHED];
  if (e[Field.FIRST] >= 0) record.first = e[Field.FIRST];
  if (e[Field.LAST] >= 0) record.last = e[Field.LAST];
  if (kind === 'derivative') return { ...record, said: saidBy(e, 0, scale) };
  if (e[Field.PREVIOUS] >= 0) record.previous = e[Field.PREVIOUS];
  const level = (price: number, size: number): string =>
    `${formatScaled(size, scale.size)} at ${formatScaled(price, scale.price)}`;
  if (kind === 'trade')
    return { ...record, trade: `${e[Field.SIDE] > 0 ? 'buys' : 'sells'} ${level(e[Field.PRICE], e[Field.SIZE])}` };
  if (kind === 'touch')
    return {
      ...record,
      bid: level(e[Field.PRICE], e[Field.SIZE]),
      ask: level(e[Field.PRICE2], e[Field.SIZE2]),
    };
  const side = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, n) => level(levels[(from + n) * 2], levels[(from + n) * 2 + 1]));
  const [from, bids, asks] = [e[Field.PRICE], e[Field.SIZE], e[Field.PRICE2]];
  return { ...record, bids: side(from, bids), asks: side(from + bids, asks) };
}

/** How many messages went by the fast way, the general one, and JSON.parse. */
function waysOf(instrument: Instrument, ...messages: string[]): [fast: number, general: number, slow: number] {
  const bytes = Buffer.from(messages.map((msg) => `${lineOf(msg, instrument.symbol)}\n`).join(''));
  const { fast, general, slow } = decodeBy('wasm', bytes, instrument).counts;
  return [fast, general, slow];
}

const SNAPSHOT =
  '{"code":0,"dataType":"ETH-USDT@incrDepth","data":{"action":"all","lastUpdateId":412900117,"time":1790201122310,"bids":[["2651.48","93.15"],["2651.47","0.84"]],"asks":[["2651.49","120.02"],["2651.52","3.10"]]}}';
const UPDATE =
  '{"code":0,"dataType":"ETH-USDT@incrDepth","data":{"action":"update","lastUpdateId":412900118,"time":1790201122514,"bids":[["2651.48","90.00"],["2650.90","0.00"]],"asks":[["2655.10","0.00"],["2651.49","118.77"]]}}';
const PARTIAL =
  '{"code":0,"dataType":"SOL-USDT@depth5@500ms","ts":1790201123000,"data":{"bids":[["142.11","50.2"],["142.10","1.0"]],"asks":[["142.20","7.0"],["142.15","2.5"],["142.12","31.4"]]}}';
const TRADES =
  '{"code":0,"dataType":"BTC-USDT@trade","data":[{"q":"0.0231","p":"86412.4","T":1790201123450,"m":false,"s":"BTC-USDT"},{"q":"0.0480","p":"86412.3","T":1790201123450,"m":true,"s":"BTC-USDT"}]}';
const TOUCH =
  '{"code":0,"dataType":"BTC-USDT@bookTicker","data":{"e":"bookTicker","u":190000700,"E":1790201124000,"T":1790201123990,"s":"BTC-USDT","b":"86412.3","B":"14.2011","a":"86412.4","A":"3.9920"}}';
const MARK =
  '{"code":0,"dataType":"BTC-USDT@markPrice","data":{"e":"markPriceUpdate","E":1790201124636,"s":"BTC-USDT","p":"86413.0"}}';
const LAST =
  '{"code":0,"dataType":"BTC-USDT@lastPrice","data":{"e":"lastPriceUpdate","E":1790201124637,"s":"BTC-USDT","c":"86412.4"}}';
const TICKER =
  '{"code":0,"dataType":"BTC-USDT@ticker","data":{"e":"24hTicker","E":1790201124700,"s":"BTC-USDT","p":"97.1","P":"0.11","c":"86412.4","L":"0.0231","h":"87000.0","l":"86000.0","v":"6088.3602","q":"526000000.53","o":"86315.3","O":1790114724000,"C":1790201123450,"A":"86412.4","a":"3.9920","B":"86412.3","b":"14.2011"}}';
const KLINE =
  '{"code":0,"dataType":"BTC-USDT@kline_1m","s":"BTC-USDT","data":[{"c":"86412.4","o":"86400.0","h":"86413.0","l":"86399.9","v":"21.5","T":1790201100000}]}';

const ACK = '{"id":"7","code":0,"msg":"","dataType":"","data":null}';
const SPOT_ACK = '{"code":0,"id":"8","msg":"SUCCESS","timestamp":1790201120001}';
const REFUSED = '{"id":"9","code":80015,"msg":"dataType not support","dataType":"","data":null}';
const TOO_MANY = '{"id":"201","code":80403,"msg":"your topic num over max 200","dataType":"","data":null}';
const MALFORMED = '{"code":80014,"msg":"invalid params"}';
const JSON_PING = '{"ping":"2177c68e4d0e45679965f482929b59c2","time":"2026-09-23T14:25:20.001+0800"}';

describe('messages', () => {
  it('a whole book and an update of it, of one stream', () => {
    expect(decode(eth, SNAPSHOT, UPDATE)).toEqual([
      {
        kind: 'snapshot',
        channel: 'depth',
        emitted: 1790201122310000,
        last: 412900117,
        bids: ['93.15 at 2651.48', '0.84 at 2651.47'],
        asks: ['120.02 at 2651.49', '3.1 at 2651.52'],
      },
      {
        kind: 'depth',
        channel: 'depth',
        emitted: 1790201122514000,
        last: 412900118,
        bids: ['90 at 2651.48', '0 at 2650.9'],
        asks: ['0 at 2655.1', '118.77 at 2651.49'],
      },
    ]);
  });

  it('the top of a book, asks as they come', () => {
    expect(decode(sol, PARTIAL)).toEqual([
      {
        kind: 'partial',
        channel: 'depth5',
        emitted: 1790201123000000,
        bids: ['50.2 at 142.11', '1 at 142.1'],
        asks: ['7 at 142.2', '2.5 at 142.15', '31.4 at 142.12'],
      },
    ]);
  });

  it('tops of any depth and interval, with a time or without', () => {
    for (const n of [5, 10, 20, 50, 100])
      for (const interval of ['', '@100ms', '@200ms', '@500ms', '@1000ms']) {
        const message = PARTIAL.replace('depth5@500ms', `depth${n}${interval}`).replace('"ts":1790201123000,', '');
        const [record] = decode(sol, message);
        expect(record).toMatchObject({ kind: 'partial', channel: `depth${n}`, bids: { length: 2 } });
        expect(record).not.toHaveProperty('emitted');
      }
    expect(decode(sol, PARTIAL.replace('depth5@', 'depth7@'))).toEqual([{ kind: 'unknown' }]);
  });

  it('trades in a list are one message; a maker that buys is an aggressor that sells', () => {
    expect(decode(btc, TRADES)).toEqual([
      {
        kind: 'trade',
        channel: 'trade',
        more: true,
        matched: 1790201123450000,
        trade: 'buys 0.0231 at 86412.4',
      },
      { kind: 'trade', channel: 'trade', matched: 1790201123450000, trade: 'sells 0.048 at 86412.3' },
    ]);
  });

  it('two equal rows are two trades', () => {
    const row = '{"q":"0.0100","p":"86412.4","T":1790201123450,"m":true,"s":"BTC-USDT"}';
    const records = decode(btc, `{"code":0,"dataType":"BTC-USDT@trade","data":[${row},${row}]}`);
    expect(records.map(({ more, trade }) => [more, trade])).toEqual([
      [true, 'sells 0.01 at 86412.4'],
      [undefined, 'sells 0.01 at 86412.4'],
    ]);
  });

  it('a single trade may be an object, with keys of other markets', () => {
    const one =
      '{"e":"trade","E":1790201123460,"s":"BTC-USDT","t":"77","p":"86412.3","q":"0.0480","T":1790201123450,"m":true}';
    expect(decode(btc, `{"code":0,"dataType":"BTC-USDT@trade","data":${one}}`)).toEqual([
      {
        kind: 'trade',
        channel: 'trade',
        emitted: 1790201123460000,
        matched: 1790201123450000,
        trade: 'sells 0.048 at 86412.3',
      },
    ]);
  });

  it('a list without trades is nothing', () => {
    expect(decode(btc, '{"code":0,"dataType":"BTC-USDT@trade","data":[]}')).toEqual([{ kind: 'other' }]);
  });

  it('a touch has ids of its own', () => {
    expect(decode(btc, TOUCH)).toEqual([
      {
        kind: 'touch',
        channel: 'bookTicker',
        emitted: 1790201124000000,
        matched: 1790201123990000,
        first: 190000700,
        last: 190000700,
        bid: '14.2011 at 86412.3',
        ask: '3.992 at 86412.4',
      },
    ]);
  });

  it('what the scan does not need is known', () => {
    expect(decode(btc, MARK, LAST, TICKER, KLINE)).toEqual([
      { kind: 'derivative', channel: 'markPrice', emitted: 1790201124636000, said: { mark: '86413' } },
      { kind: 'other', emitted: 1790201124637000 },
      { kind: 'other', emitted: 1790201124700000 },
      { kind: 'other' },
    ]);
  });

  it.each([ACK, SPOT_ACK, REFUSED, TOO_MANY, MALFORMED, JSON_PING, '{ "id": "|1|", "code": 0, "msg": "" }'])(
    'talk is no data: %s',
    (message) => {
      expect(decode(btc, message)).toEqual([{ kind: 'other' }]);
    },
  );

  it('a mark price may be finer than the tick; without one, or of another symbol, the message is invalid', () => {
    expect(decode(btc, MARK.replace('86413.0', '86413.01234'))).toMatchObject([{ said: { mark: '86413.01234' } }]);
    const wrong = [MARK.replace(',"p":"86413.0"', ''), MARK.replace('"s":"BTC-USDT"', '"s":"ETH-USDT"')];
    for (const message of wrong) expect(decode(btc, message)).toMatchObject([{ kind: 'invalid' }]);
  });

  it('books may have keys that one client knows of', () => {
    const more = UPDATE.replace('"action"', '"sourceUpdateId":7,"symbol":"ETHUSDT","action"');
    expect(decode(eth, more)).toEqual(decode(eth, UPDATE));
  });

  it.each([
    ['of another symbol', UPDATE.replace('ETH-USDT', 'ETH-USDC'), 'unknown'],
    ['of a symbol that only begins like it', UPDATE.replace('ETH-USDT', 'ETH-USDT2'), 'unknown'],
    ['a topic nobody asked for', UPDATE.replace('incrDepth', 'what'), 'unknown'],
    ['an empty topic with data and no word of a request', UPDATE.replace('ETH-USDT@incrDepth', ''), 'unknown'],
    ['an action nobody knows', UPDATE.replace('"update"', '"patch"'), 'unknown'],
    ['no action', UPDATE.replace('"action":"update",', ''), 'unknown'],
    ['an update without its id', UPDATE.replace('"lastUpdateId":412900118,', ''), 'invalid'],
    ['a size that is no decimal', UPDATE.replace('"90.00"', '"x"'), 'invalid'],
    ['a size beyond the decimals', UPDATE.replace('"90.00"', '"90.00001"'), 'invalid'],
  ])('%s is %s', (_, message, kind) => {
    expect(decode(eth, message).map((record) => record.kind)).toEqual([kind]);
  });

  it('a row of another symbol spoils the whole message', () => {
    expect(decode(btc, TRADES.replace('"s":"BTC-USDT"}]', '"s":"ETH-USDT"}]'))).toEqual([{ kind: 'invalid' }]);
    expect(decode(btc, TRADES.replaceAll(',"s":"BTC-USDT"', '')).map(({ kind }) => kind)).toEqual(['trade', 'trade']);
  });

  it('books and trades have usual forms; no message with data takes JSON.parse, in any order of its keys', () => {
    const turned = TOUCH.replace('"code":0,"dataType":"BTC-USDT@bookTicker",', '').replace(
      /\}\}$/,
      '},"dataType":"BTC-USDT@bookTicker","code":0}',
    );
    expect(decode(btc, turned)).toEqual(decode(btc, TOUCH));
    expect(waysOf(btc, TRADES, TOUCH, MARK, LAST, TICKER, KLINE, turned)).toEqual([1, 6, 0]);
    expect(waysOf(eth, SNAPSHOT, UPDATE)).toEqual([2, 0, 0]);
    expect(waysOf(sol, PARTIAL)).toEqual([0, 1, 0]);
  });
});

type Levels = [price: string, size: string][];
const bookMessage = (action: string, id: number, bids: Levels = [], asks: Levels = []): string =>
  `{"code":0,"dataType":"BTC-USDT@incrDepth","data":${JSON.stringify({
    action,
    lastUpdateId: id,
    time: 1790201122310,
    bids,
    asks,
  })}}`;
const whole = (id: number): string =>
  bookMessage(
    'all',
    id,
    [['100.0', '1.5000']],
    [
      ['100.5', '2.0000'],
      ['101.0', '3.0000'],
    ],
  );
const update = (id: number, bids: Levels = [], asks: Levels = []): string => bookMessage('update', id, bids, asks);

describe('book', () => {
  const newTrack = (): Track => createTrack({ instrument: btc, rules: bingxSwap });
  const play = (track: Track, ...messages: string[]): number[] =>
    feed(
      track,
      bingxSwap,
      messages.map((msg) => lineOf(msg, 'BTC-USDT')),
    );
  const sides = (track: Track): [number, number][][] =>
    [BID, ASK].map((side) => track.book.levels(side).map(([price, size]) => [price / 10 ** 3, size / 10 ** 6]));

  it('begins with the whole book of the stream; updates before it are nothing', () => {
    const track = newTrack();
    expect(play(track, update(9, [['99.0', '1.0000']]), whole(10))).toEqual([none, valid]);
    expect(sides(track)).toEqual([
      [[100, 1.5]],
      [
        [100.5, 2],
        [101, 3],
      ],
    ]);
  });

  it('goes on by one, and over skipped ids too', () => {
    const track = newTrack();
    const lines = [whole(10), update(11, [['99.0', '1.0000']]), update(14, [['98.0', '2.0000']])];
    expect(play(track, ...lines)).toEqual([valid, applied, applied]);
    expect([sides(track)[0], track.state, track.counts.bookGaps]).toEqual([
      [
        [100, 1.5],
        [99, 1],
        [98, 2],
      ],
      'valid',
      0,
    ]);
  });

  it.each([10, 9])('an id that does not grow (%i after 10) is a gap, until the next whole book', (id) => {
    const track = newTrack();
    expect(play(track, whole(10), update(id), update(11), whole(12), update(13))).toEqual([
      valid,
      lost,
      none,
      valid,
      applied,
    ]);
    expect(track.counts.bookGaps).toBe(1);
  });

  it('takes asks worst first, and sizes of zero with any decimals as deletes', () => {
    const track = newTrack();
    const asks: Levels = [
      ['101.0', '0.0000'],
      ['100.7', '4.0000'],
      ['100.5', '1.2500'],
    ];
    expect(play(track, whole(10), update(11, [['100.0', '0.0000']], asks))).toEqual([valid, applied]);
    expect(sides(track)).toEqual([
      [],
      [
        [100.5, 1.25],
        [100.7, 4],
      ],
    ]);
    play(track, update(12, [['99.9', '1.0000']], [['100.5', '0.00']]), update(13, [], [['100.7', '0']]));
    expect(sides(track)).toEqual([[[99.9, 1]], []]);
  });

  it('a second whole book replaces the first', () => {
    const track = newTrack();
    expect(play(track, whole(10), update(11, [['99.0', '1.0000']]), whole(50))).toEqual([valid, applied, lost | valid]);
    expect(sides(track)[0]).toEqual([[100, 1.5]]);
  });

  it('views of the top and quotes leave it alone', () => {
    const track = newTrack();
    const top =
      '{"code":0,"dataType":"BTC-USDT@depth5@500ms","ts":1790201123000,"data":{"bids":[["100.2","1.0"]],"asks":[]}}';
    expect(play(track, whole(10), top, TOUCH, update(11))).toEqual([valid, none, Effect.touch, applied]);
    expect(sides(track)[0]).toEqual([[100, 1.5]]);
  });

  it('no snapshot over REST joins it', () => {
    expect(bingxSwap.rest.snapshot).toBeUndefined();
    expect(bingxSwap.readSnapshot({ code: 0, data: { T: 1, bids: [['1', '1']], asks: [] } })).toBeNull();
    expect(bingxSwap.isSnapshotBody({ code: 0, data: { T: 1, bids: [], asks: [] } })).toBe(false);
    expect(bingxSwap.capabilities).toMatchObject({ bookLossDetected: false, touchById: false });
  });
});

describe('the wire', () => {
  /** What becomes of messages as the socket brings them: what is answered, talk, and effects on the market. */
  function receive(track: Track, ...texts: string[]): unknown[] {
    return texts.map((sent) => {
      const bytes = bingxSwap.inflate?.(gzipSync(sent)) ?? Buffer.alloc(0);
      const text = Buffer.from(bytes).toString('utf8');
      const answer = bingxSwap.answer?.(text) ?? null;
      if (answer !== null) return { answer };
      const topic = bingxSwap.topicOf(bytes, 0, bytes.length);
      if (topic === null) return bingxSwap.control(JSON.parse(text));
      return { topic, effects: feed(track, bingxSwap, [lineOf(text, 'BTC-USDT')]) };
    });
  }

  it('a session: ack, book, skip, worst asks first, delete, ping, refusal, trades', () => {
    const track = createTrack({ instrument: btc, rules: bingxSwap });
    const topic = 'BTC-USDT@incrDepth';
    const asks: Levels = [
      ['101.0', '1.0000'],
      ['100.6', '1.0000'],
    ];
    const said = receive(
      track,
      ACK,
      whole(10),
      update(11),
      update(14),
      update(15, [], asks),
      update(16, [], [['100.6', '0.0000']]),
      'Ping',
      TOO_MANY,
      '{"code":0,"dataType":"BTC-USDT@trade","data":[{"q":"0.0231","p":"86412.4","T":1790201123450,"m":false,"s":"BTC-USDT"}]}',
    );
    expect(said).toEqual([
      { kind: 'ack', id: 7 },
      { topic, effects: [valid] },
      { topic, effects: [applied] },
      { topic, effects: [applied] },
      { topic, effects: [applied] },
      { topic, effects: [applied] },
      { answer: 'Pong' },
      { kind: 'error', id: 201, text: '80403 your topic num over max 200' },
      { topic: 'BTC-USDT@trade', effects: [traded] },
    ]);
    expect(track.book.levels(ASK)).toEqual([
      [100_500, 2_000_000],
      [101_000, 1_000_000],
    ]);
    expect([track.counts.unknown, track.counts.invalid]).toEqual([0, 0]);
  });

  it('an update that leaks after a refusal makes no book', () => {
    const track = createTrack({ instrument: btc, rules: bingxSwap });
    expect(receive(track, REFUSED, update(10, [['99.0', '1.0000']]))).toEqual([
      { kind: 'error', id: 9, text: '80015 dataType not support' },
      { topic: 'BTC-USDT@incrDepth', effects: [none] },
    ]);
    expect(track.state).toBe('syncing');
  });

  it('inflates what was compressed, to the byte', () => {
    const big = bookMessage(
      'all',
      1,
      Array.from({ length: 1024 }, (_, n) => [`${9000 - n}.5`, `${n}.0001`]),
    );
    for (const text of [big, 'Ping', '', '{"币":"😀"}'])
      expect(Buffer.from(bingxSwap.inflate?.(gzipSync(text)) ?? []).toString('utf8')).toBe(text);
  });

  it('a bomb, a cut message and what is not compressed are no messages', () => {
    const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024 + 1));
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => bingxSwap.inflate?.(bomb)).toThrow();
    expect(bingxSwap.inflate?.(gzipSync(Buffer.alloc(8 * 1024 * 1024)))).toHaveLength(8 * 1024 * 1024);
    expect(() => bingxSwap.inflate?.(gzipSync(UPDATE).subarray(0, -20))).toThrow();
    expect(() => bingxSwap.inflate?.(Buffer.from('Ping'))).toThrow();
    expect(() => bingxSwap.inflate?.(Buffer.alloc(0))).toThrow();
  });

  it.each([
    ['Ping', 'Pong'],
    [JSON_PING, '{"pong":"2177c68e4d0e45679965f482929b59c2","time":"2026-09-23T14:25:20.001+0800"}'],
    ['{"time":"x","ping":"ab"}', '{"pong":"ab","time":"x"}'],
    ['{"ping":"ab"}', '{"pong":"ab"}'],
    ['ping', null],
    ['Pong', null],
    ['"ping"', null],
    ['{"ping":', null],
    ['{"ping":7}', null],
    ['{"x":"ping"}', null],
    [MARK, null],
    ['', null],
  ])('to %s the answer is %s', (text, wanted) => {
    expect(bingxSwap.answer?.(text)).toBe(wanted);
  });
});

describe('control', () => {
  it.each([
    [ACK, { kind: 'ack', id: 7 }],
    [SPOT_ACK, { kind: 'ack', id: 8 }],
    ['{"id":"7b1d6c52-9b0e","code":0,"msg":"","dataType":"","data":null}', { kind: 'ack', id: null }],
    ['{"id":7,"code":0,"msg":"","dataType":null}', { kind: 'ack', id: null }],
    [REFUSED, { kind: 'error', id: 9, text: '80015 dataType not support' }],
    [TOO_MANY, { kind: 'error', id: 201, text: '80403 your topic num over max 200' }],
    [MALFORMED, { kind: 'error', id: null, text: '80014 invalid params' }],
    ['{"id":"1","code":1006}', { kind: 'error', id: 1, text: '1006' }],
    [MARK, { kind: 'other' }],
    [JSON_PING, { kind: 'other' }],
    ['{"code":"0","msg":""}', { kind: 'other' }],
    ['null', { kind: 'other' }],
    ['[]', { kind: 'other' }],
    ['"Ping"', { kind: 'other' }],
  ])('%s', (text, wanted) => {
    expect(bingxSwap.control(JSON.parse(text))).toEqual(wanted);
  });

  it.each([
    [UPDATE, 'ETH-USDT@incrDepth'],
    [PARTIAL, 'SOL-USDT@depth5@500ms'],
    [TRADES, 'BTC-USDT@trade'],
    ['{"code":0,"dataType":"币安人生-USDT@trade","data":[]}', '币安人生-USDT@trade'],
    [ACK, null],
    [SPOT_ACK, null],
    [REFUSED, null],
    [JSON_PING, null],
    ['Ping', null],
  ])('topic of %s', (text, topic) => {
    const bytes = Buffer.from(`"dataType":"x"${text}"dataType":"y"`);
    expect(bingxSwap.topicOf(bytes, 14, 14 + Buffer.byteLength(text))).toBe(topic);
  });
});

describe('connections', () => {
  const requests = (texts: readonly string[]): { id: string; reqType: string; dataType: string }[] =>
    texts.map((text) => JSON.parse(text) as { id: string; reqType: string; dataType: string });

  it('is known by its name', () => {
    expect(venueById('bingx-swap')).toBe(bingxSwap);
  });

  it('one topic a text, by the symbol as it is', () => {
    const [plan, ...others] = bingxSwap.connections(['BTC-USDT', '1000PEPE-USDT'], bingxSwap.channels.default);
    expect(others).toEqual([]);
    expect(plan.path).toBe('/swap-market');
    expect(plan.subscribe).toEqual([
      '{"id":"1","reqType":"sub","dataType":"BTC-USDT@incrDepth"}',
      '{"id":"2","reqType":"sub","dataType":"BTC-USDT@trade"}',
      '{"id":"3","reqType":"sub","dataType":"1000PEPE-USDT@incrDepth"}',
      '{"id":"4","reqType":"sub","dataType":"1000PEPE-USDT@trade"}',
    ]);
    expect(plan.topics.map(({ symbol, channel }) => `${symbol} ${channel}`)).toEqual([
      'BTC-USDT depth',
      'BTC-USDT trade',
      '1000PEPE-USDT depth',
      '1000PEPE-USDT trade',
    ]);
    // pings come every 5 s; the venue asks for none of ours
    expect([plan.silenceMs, plan.ping]).toEqual([15_000, undefined]);
  });

  it.each([1, 2, 3, 11])('with %i channels: at most 200 topics a connection, fewer than 10 texts a second', (count) => {
    const symbols = Array.from({ length: 450 }, (_, i) => `S${i}-USDT`);
    const plans = bingxSwap.connections(symbols, bingxSwap.channels.all.slice(0, count));
    expect(plans.length).toBeGreaterThan(1);
    const names = plans.flatMap((plan) => plan.topics.map(({ name }) => name));
    expect(new Set(names).size).toBe(symbols.length * count);
    for (const plan of plans) {
      expect(plan.topics.length).toBeLessThanOrEqual(200);
      expect(plan.topics.length % count).toBe(0);
      const texts = requests(plan.subscribe);
      expect(texts.map(({ id }) => id)).toEqual(texts.map((_, i) => String(i + 1)));
      expect(texts.map(({ dataType }) => dataType)).toEqual(plan.topics.map(({ name }) => name));
    }
    const perSecond = plans.reduce((sum, { sendEveryMs }) => sum + 1000 / sendEveryMs, 0);
    expect(perSecond).toBeLessThan(9);
    expect(perSecond).toBeGreaterThan(5);
  });

  it('every channel has a layout of its name for its stream', () => {
    const { layouts, channels } = bingxSwap;
    expect(channels.all).toEqual(
      ['depth', 'trade', 'bookTicker', 'markPrice', 'lastPrice', 'ticker'].concat(
        [5, 10, 20, 50, 100].map((n) => `depth${n}`),
      ),
    );
    for (const { name, channel } of bingxSwap.connections(['X-USDT'], channels.all)[0].topics) {
      const layout = layouts.messages.find((one) => one.name === channel);
      expect(layout?.streams).toContain(name.slice('X-USDT@'.length));
    }
    expect([channels.flow, bingxSwap.flowOf(channels.all)]).toEqual(['trade', 'trade']);
  });

  it.each(['nope', 'constructor', '__proto__', 'incrDepth', ''])('an unknown channel %j is refused by name', (name) => {
    expect(() => bingxSwap.connections(['X'], ['depth', name])).toThrow(TapedeckError);
    expect(() => bingxSwap.connections(['X'], [name])).toThrow(`no channel '${name}'; it has depth, trade`);
  });

  it('nothing asked for is nothing opened', () => {
    expect(bingxSwap.connections([], ['depth'])).toEqual([]);
    expect(bingxSwap.connections(['X'], [])).toEqual([]);
  });

  it('a book is asked for anew by an end and a new subscription', () => {
    const texts = requests(bingxSwap.renew?.('BTC-USDT@incrDepth', 3) ?? []);
    expect(texts.map(({ reqType, dataType }) => `${reqType} ${dataType}`)).toEqual([
      'unsub BTC-USDT@incrDepth',
      'sub BTC-USDT@incrDepth',
    ]);
    expect(new Set(texts.map(({ id }) => id)).size).toBe(2);
  });
});

describe('instruments', () => {
  const listed = {
    contractId: '100',
    symbol: 'BTC-USDT',
    size: '0',
    quantityPrecision: 4,
    pricePrecision: 1,
    tradeMinQuantity: 0.0001,
    tradeMinUSDT: 2,
    currency: 'USDT',
    asset: 'BTC',
    status: 1,
    apiStateOpen: 'true',
    apiStateClose: 'true',
    displayName: 'BTC-USDT',
  };
  const body = (...data: unknown[]): unknown => ({ code: 0, msg: '', data });
  const read = bingxSwap.rest.readInstrument;

  it('tick and lot are in the precisions, sizes are base units', () => {
    const wanted = { ...btc, base: 'BTC', quote: 'USDT' };
    expect(read(body({ symbol: 'ETH-USDT' }, null, listed), 'BTC-USDT')).toEqual(wanted);
    const coarse = { ...listed, symbol: 'SHIB-USDC', quantityPrecision: 0, pricePrecision: 9, currency: 'USDC' };
    expect(read(body(listed, coarse), 'SHIB-USDC')).toMatchObject({ tick: '0.000000001', lot: '1', quote: 'USDC' });
  });

  it('goes by the symbol, not by the name people see', () => {
    const renamed = { ...listed, symbol: 'NEIROCTO-USDT', displayName: 'NEIRO-USDT' };
    expect(read(body(renamed), 'NEIRO-USDT')).toBeNull();
    expect(read(body(renamed), 'NEIROCTO-USDT')).toMatchObject({ symbol: 'NEIROCTO-USDT' });
  });

  it.each([
    null,
    7,
    {},
    { code: 109425, msg: 'symbol not exist', data: {} },
    { code: 100410, msg: 'rate limited' },
    { code: 0, data: null },
    { code: 0, data: [{ symbol: 'BTC-USDT' }] },
    { code: 0, data: [{ ...listed, pricePrecision: '1' }] },
    { code: 0, data: [{ ...listed, pricePrecision: -1 }] },
    { code: 0, data: [{ ...listed, quantityPrecision: 1.5 }] },
  ])('%j lists it not', (answer) => {
    expect(read(answer, 'BTC-USDT')).toBeNull();
  });

  it('paths, and the time', () => {
    const { rest } = bingxSwap;
    expect(rest.instruments(['BTC-USDT'])).toEqual(['/openApi/swap/v2/quote/contracts']);
    expect(rest.time).toBe('/openApi/swap/v2/server/time');
    expect(rest.readTime({ code: 0, msg: '', data: { serverTime: 1790201120258 } })).toBe(1790201120258000);
    for (const wrong of [null, {}, { data: null }, { data: { serverTime: 'soon' } }])
      expect(rest.readTime(wrong)).toBeNull();
  });
});

describe('books over REST', () => {
  const { audit } = bingxSwap.rest;
  const read = (text: string): unknown => audit?.read(JSON.parse(text));
  const BODY =
    '{"code":0,"msg":"","data":{"T":1790201123512,"bids":[["86412.3","14.2011"],["86412.2","0.0500"]],"asks":[["86412.4","3.9920"]],"bidsCoin":[["86412.3","14.2011"],["86412.2","0.0500"]],"asksCoin":[["86412.4","3.9920"]]}}';
  const BOOK = {
    emitted: 1790201123512000,
    bids: [
      ['86412.3', '14.2011'],
      ['86412.2', '0.0500'],
    ],
    asks: [['86412.4', '3.9920']],
  };

  it('are asked for by symbol, soon after the stream has one, and twice within ten seconds', () => {
    expect(audit?.book('BTC-USDT')).toBe('/openApi/swap/v2/quote/depth?symbol=BTC-USDT&limit=100');
    expect(audit?.againMs).toBeGreaterThan(5_000);
    expect(audit?.againMs).toBeLessThan(10_000);
    expect(audit?.firstMs).toBeLessThan(10_000);
    // at most 500 requests in 10 s
    expect(bingxSwap.rest.snapshotEveryMs).toBeGreaterThan(20);
  });

  it('are read with their time; sizes may be told once', () => {
    expect(read(BODY)).toEqual(BOOK);
    expect(read(BODY.replace(/,"bidsCoin".*$/, '}}'))).toEqual(BOOK);
    expect(read(BODY.replace('"T":1790201123512,', ''))).toEqual({ ...BOOK, emitted: 0 });
    expect(read('{"code":0,"msg":"","data":{"T":1,"bids":[],"asks":[],"bidsCoin":[],"asksCoin":[]}}')).toEqual({
      emitted: 1000,
      bids: [],
      asks: [],
    });
  });

  it.each([
    ['an unknown symbol', '{"code":109425,"msg":"NOPE-USDT not exist","data":{}}'],
    ['too many requests', '{"code":100410,"msg":"rate limited","data":{}}'],
    ['an error with levels', BODY.replace('"code":0', '"code":109415')],
    ['another answer', '{"code":0,"msg":"","data":{"serverTime":1790201120258}}'],
    ['a list', '{"code":0,"msg":"","data":[]}'],
    ['a side that is missing', BODY.replace('"asks"', '"a"')],
    ['a size that is a number', BODY.replace('"3.9920"', '3.992')],
    [
      'contracts of a thousand coins',
      BODY.replace('"bidsCoin":[["86412.3","14.2011"]', '"bidsCoin":[["86412.3","14201.1"]'),
    ],
    ['asks told twice, and not the same', BODY.replace('"asksCoin":[["86412.4","3.9920"]]', '"asksCoin":[]')],
    ['nothing', 'null'],
  ])('%s is none', (_, text) => {
    expect(read(text)).toBeNull();
  });

  it('is no failure', () => {
    expect(bingxSwap.rest.fault?.(JSON.parse(BODY))).toBeNull();
  });
});

const folder = join(import.meta.dirname, '../../../shared/data/vectors/bingx');

describe('recorded exchanges', () => {
  if (!existsSync(folder)) {
    test.skip('the recordings are not here (../shared/data/vectors)', () => {});
    return;
  }

  const WANTED: Record<string, { kinds: string[]; channel?: string }> = {
    BookPrice: { kinds: ['touch'], channel: 'bookTicker' },
    Concurrent: { kinds: ['other', 'other'] },
    Klines: { kinds: ['other'] },
    MarkPrice: { kinds: ['derivative'], channel: 'markPrice' },
    PartialBook: { kinds: ['partial'], channel: 'depth20' },
    Price: { kinds: ['other'], channel: 'lastPrice' },
    Ticker: { kinds: ['other'], channel: 'ticker' },
    Trades: { kinds: new Array<string>(23).fill('trade'), channel: 'trade' },
  };
  /** Texts of an exchange: `>` sent, `<` acked, `=` pushed; one may go on in the next line. */
  const read = (name: string): Record<string, string[]> => {
    const found: Record<string, string[]> = { '>': [], '<': [], '=': [] };
    for (const [, what, text] of readFileSync(join(folder, `${name}.txt`), 'utf8').matchAll(
      /^([<>=])\d*\s+(\{.*\})\s*$/gm,
    ))
      found[what].push(text);
    return found;
  };

  it('are all looked at', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(WANTED).map((name) => `${name}.txt`));
  });

  it.each(Object.entries(WANTED))('%s', (name, { kinds, channel }) => {
    const { '>': sent, '<': acked, '=': pushed } = read(name);
    expect([sent.length, acked.length]).toEqual([pushed.length, pushed.length]);
    expect(decode(eth, ...pushed).map(({ kind }) => kind)).toEqual(kinds);
    for (const [n, text] of pushed.entries()) {
      const bytes = Buffer.from(text);
      const { dataType, reqType, ...rest } = JSON.parse(sent[n]) as Record<string, unknown>;
      expect([reqType, Object.keys(rest)]).toEqual(['sub', ['id']]);
      expect(bingxSwap.topicOf(bytes, 0, bytes.length)).toBe(dataType);
      if (channel === undefined) continue;
      const [topic] = bingxSwap.connections(['ETH-USDT'], [channel])[0].topics;
      expect(topic.name.replace('500ms', '100ms')).toBe(dataType);
    }
    for (const text of acked) {
      expect(decode(eth, text)).toEqual([{ kind: 'other' }]);
      expect(bingxSwap.control(JSON.parse(text))).toEqual({ kind: 'ack', id: null });
    }
  });

  it('equal trades of one message are all there, the oldest first', () => {
    const trades = decode(eth, ...read('Trades')['=']);
    const equal = trades.filter(({ matched }) => matched === 1714650252640000);
    expect(equal).toHaveLength(11);
    expect(new Set(equal.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(trades.map(({ more }) => more === true)).toEqual(trades.map((_, n) => n < trades.length - 1));
    expect([trades[0], trades[22]]).toEqual([
      { kind: 'trade', channel: 'trade', more: true, matched: 1714650252503000, trade: 'buys 6.78 at 2984.42' },
      { kind: 'trade', channel: 'trade', matched: 1714650253104000, trade: 'buys 1.92 at 2983.48' },
    ]);
  });

  it('the top of a book is whole, its best ask last', () => {
    const [top] = decode(eth, ...read('PartialBook')['=']) as { bids: string[]; asks: string[] }[];
    expect([top.bids.length, top.asks.length]).toEqual([20, 20]);
    expect([top.bids[0], top.asks[0], top.asks[19]]).toEqual([
      '14.13 at 2990.64',
      '12.8 at 2991.06',
      '15.26 at 2990.71',
    ]);
  });
});
