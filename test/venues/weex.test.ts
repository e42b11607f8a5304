/** WEEX on literal bytes: every message of the protocol decoded, books followed end to end, subscriptions, instruments, recordings. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { createDecoder, type DecodeCounts, type DecodeMode } from '../../src/decode/decoder.js';
import { ASK, BID } from '../../src/market/book.js';
import { createTrack, Effect, type Track } from '../../src/market/track.js';
import { formatScaled } from '../../src/model/decimal.js';
import { TapedeckError } from '../../src/model/errors.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, MORE, STREAM_SHIFT } from '../../src/model/event.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import { weexFutures } from '../../src/venues/weex.js';
import { feed } from '../market/feed.js';
import { type Said, saidBy } from './records.js';

const instrument: Instrument = { symbol: 'ETHUSDT', kind: 'linear', tick: '0.01', lot: '0.001', multiplier: '1' };
const scale = scaleOf(instrument);
const { none, book: applied, valid, lost } = Effect;

/** The messages of the protocol, as they come. */
const CONNECTED = '{"cid":"7b1f0f0e-2f5c-4c57-9a53-6a0f3c9d0001","event":"connected","time":"1790300000001"}';
const SNAPSHOT =
  '{"e":"depthSnapshot","E":1790300000048,"s":"ETHUSDT","U":17000000100,"u":17000000162,"l":200,"d":"SNAPSHOT","b":[["2651.48","45.170"],["2651.47","2.004"]],"a":[["2651.49","38.220"],["2651.52","0.900"]]}';
const ACK = '{"result":true,"id":1}';
const DELTA =
  '{"e":"depth","E":1790300000547,"s":"ETHUSDT","U":17000000162,"u":17000000231,"l":200,"d":"CHANGED","b":[["2651.48","0"],["2651.40","11.000"]],"a":[["2651.48","6.500"],["2651.52","0"]]}';
const TRADES =
  '{"e":"trade","E":1790300001010,"s":"ETHUSDT","d":[{"T":1790300001002,"t":"0f6a1c2e-77aa-4d1b-8c11-5b0e9d2f0001","p":"2651.50","q":"0.020","v":"53.03000","m":false},{"T":1790300000597,"t":"9be0d3c4-10f2-4a6e-9e55-c3a7d81f0002","p":"2651.50","q":"0.037","v":"98.10550","m":false},{"T":1790300000799,"t":"5c1d7a90-3b7e-4d0c-8a44-0d4c9b1e0003","p":"2651.49","q":"1.5","v":"3977.235","m":true}]}';
const TICKER =
  '{"e":"ticker","E":1790300002308,"s":"BTCUSDT","d":[{"p":"812.4","P":"0.009480","w":"86102.55","c":"86510.3","o":"85697.9","h":"86990.0","l":"85210.4","v":"25110.4021","q":"2162069811.20","O":1790213400000,"C":1790299800000,"n":441205,"m":"86512.9","i":"86540.10250"}]}';
const PING = '{"event":"ping","time":"1790300010000"}';
const DEAD = '{"e":"depthSnapshot","E":1790300000048,"s":"ETHUSDT","U":0,"u":0,"l":200,"d":"SNAPSHOT","b":[],"a":[]}';

const tapeLine = (msg: string, symbol = 'ETHUSDT', t = 1_790_300_000_000_000): string =>
  `{"t":${t},"src":"weex-futures:${symbol}","conn":"c.1","msg":${msg}}`;

const KIND_NAMES = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

type Levels = string[];

/** A record in words; what a record has not is left out. */
interface Told {
  kind: string;
  emitted?: number;
  matched?: number;
  last?: number;
  previous?: number;
  side?: number;
  price?: string;
  size?: string;
  bids?: Levels;
  asks?: Levels;
  more?: true;
  said?: Said;
}

function tell(out: EventBuffer, i: number): Told {
  const record = out.events.subarray(i * EVENT_STRIDE, (i + 1) * EVENT_STRIDE);
  const kind = record[Field.KIND];
  const told: Told = { kind: KIND_NAMES.get(kind) ?? '?' };
  if (record[Field.EMITTED] > 0) told.emitted = record[Field.EMITTED];
  if (record[Field.MATCHED] > 0) told.matched = record[Field.MATCHED];
  if (record[Field.LAST] >= 0) told.last = record[Field.LAST];
  if (kind === Kind.derivative) told.said = saidBy(record, 0, scale);
  else if (record[Field.PREVIOUS] >= 0) told.previous = record[Field.PREVIOUS];
  if (record[Field.FLAGS] & MORE) told.more = true;
  if (kind === Kind.trade) {
    told.side = record[Field.SIDE];
    told.price = formatScaled(record[Field.PRICE], scale.price);
    told.size = formatScaled(record[Field.SIZE], scale.size);
  }
  if (kind === Kind.depth || kind === Kind.snapshot) {
    const levels = Array.from({ length: record[Field.SIZE] + record[Field.PRICE2] }, (_, n) => {
      const at = (record[Field.PRICE] + n) * 2;
      return `${formatScaled(out.levels[at], scale.price)} ${formatScaled(out.levels[at + 1], scale.size)}`;
    });
    told.bids = levels.slice(0, record[Field.SIZE]);
    told.asks = levels.slice(record[Field.SIZE]);
  }
  return told;
}

interface Decoded {
  told: Told[];
  /** stream number of each record */
  streams: number[];
  counts: DecodeCounts;
}

function decodeWith(mode: DecodeMode, lines: string[], symbol: string): Decoded & { raw: number[] } {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const decoder = createDecoder(mode);
  decoder.bind(`weex-futures:${symbol}`, { layouts: weexFutures.layouts, symbol, scale, flow: 'trade' });
  const out = new EventBuffer(64, 1024);
  for (let at = 0; at < bytes.length; ) at = decoder.decode(bytes, at, bytes.length, out);
  return {
    told: Array.from({ length: out.count }, (_, i) => tell(out, i)),
    streams: Array.from({ length: out.count }, (_, i) => out.events[i * EVENT_STRIDE + Field.FLAGS] >> STREAM_SHIFT),
    counts: decoder.counts,
    raw: [...out.events.subarray(0, out.count * EVENT_STRIDE), ...out.levels.subarray(0, out.levelCount * 2)],
  };
}

/** What these messages decode to, the same with every decoder. */
function decode(messages: string[], symbol = 'ETHUSDT'): Decoded {
  const lines = messages.map((message, n) => tapeLine(message, symbol, 1_790_300_000_000_000 + n));
  const oracle = decodeWith('json', lines, symbol);
  const wasm = decodeWith('wasm', lines, symbol);
  expect(wasm.raw).toEqual(oracle.raw);
  expect(decodeWith('typescript', lines, symbol).raw).toEqual(oracle.raw);
  return wasm;
}

const told = (message: string, symbol?: string): Told[] => decode([message], symbol).told;

describe('messages', () => {
  const wholeBook: Told = {
    kind: 'snapshot',
    emitted: 1_790_300_000_048_000,
    last: 17_000_000_162,
    bids: ['2651.48 45.17', '2651.47 2.004'],
    asks: ['2651.49 38.22', '2651.52 0.9'],
  };

  it('a snapshot', () => {
    expect(told(SNAPSHOT)).toEqual([wholeBook]);
  });

  it.each([
    ['by its event alone', SNAPSHOT.replace('"d":"SNAPSHOT",', '')],
    ['by its event, whatever else it says', SNAPSHOT.replace('SNAPSHOT', 'CHANGED')],
    ['by its type alone', SNAPSHOT.replace('depthSnapshot', 'depth')],
  ])('a snapshot is told %s', (_, message) => {
    expect(told(message)).toEqual([wholeBook]);
  });

  it('a delta: U is the id before it', () => {
    expect(told(DELTA)).toEqual([
      {
        kind: 'depth',
        emitted: 1_790_300_000_547_000,
        previous: 17_000_000_162,
        last: 17_000_000_231,
        bids: ['2651.48 0', '2651.4 11'],
        asks: ['2651.48 6.5', '2651.52 0'],
      },
    ]);
  });

  it('trades: their order is that of their times, not of the message; each but the last has more behind it', () => {
    const emitted = 1_790_300_001_010_000;
    expect(told(TRADES)).toEqual([
      {
        kind: 'trade',
        emitted,
        matched: 1_790_300_000_597_000,
        side: 1,
        price: '2651.5',
        size: '0.037',
        more: true,
      },
      {
        kind: 'trade',
        emitted,
        matched: 1_790_300_000_799_000,
        side: -1,
        price: '2651.49',
        size: '1.5',
        more: true,
      },
      { kind: 'trade', emitted, matched: 1_790_300_001_002_000, side: 1, price: '2651.5', size: '0.02' },
    ]);
  });

  it('trades of before the subscription are no flow', () => {
    expect(told(TRADES.replace('"trade"', '"tradeSnapshot"'))).toEqual([{ kind: 'other' }]);
    expect(told('{"e":"tradeSnapshot","s":"ETHUSDT","d":[]}')).toEqual([{ kind: 'other' }]);
  });

  it('tickers, whose low price is no level of a book, and candles', () => {
    expect(told(TICKER, 'BTCUSDT')).toEqual([
      { kind: 'derivative', emitted: 1_790_300_002_308_000, said: { mark: '86512.9', index: '86540.1025' } },
    ]);
    expect(told('{"e":"kline","E":1790300002308,"s":"ETHUSDT","p":"LAST_PRICE","d":[{"i":"1m"}]}')).toEqual([
      { kind: 'other', emitted: 1_790_300_002_308_000 },
    ]);
  });

  it('a ticker without mark or index price says nothing of them; one that is no number is invalid', () => {
    expect(told(TICKER.replace(',"i":"86540.10250"', ''), 'BTCUSDT')).toMatchObject([{ said: { mark: '86512.9' } }]);
    expect(told(TICKER.replace(/"d":.*/, '"d":[]}'), 'BTCUSDT')).toEqual([{ kind: 'other' }]);
    expect(told(TICKER.replace('"86512.9"', '"-1"'), 'BTCUSDT')).toMatchObject([{ kind: 'invalid' }]);
  });

  it.each([
    CONNECTED,
    PING,
    ACK,
    '{"result":true,"id":"|1|"}',
    '{"result":false,"id":101,"msg":"INVALID_ARGUMENT: invalid symbol : cmt_nopeusdt"}',
    '{"result":false,"msg":"INVALID_ARGUMENT: unrecognized message : hello"}',
  ])('control talk is no data: %s', (message) => {
    expect(told(message)).toEqual([{ kind: 'other' }]);
  });

  it.each([
    [
      'v2 depth',
      '{"event":"payload","channel":"depth.cmt_btcusdt.15","data":[{"startVersion":"3700000100","endVersion":"3700000131","level":15,"depthType":"CHANGED","symbol":"cmt_btcusdt","asks":[{"price":"86436.1","size":"0.915"}],"bids":[]}]}',
    ],
    [
      'v2 trades',
      '{"event":"payload","channel":"trades.cmt_btcusdt","data":[{"time":"1788300000502","price":"86337.5","size":"0.016","value":"1381.40","buyerMaker":false}]}',
    ],
    [
      'best quotes, which only spot has',
      '{"e":"bookTicker","E":1790300003000,"s":"ETHUSDT","u":1790300002997,"b":"2651.47","B":"0.90100","a":"2651.50","A":"2.10000"}',
    ],
    ['a level there is none of', DELTA.replace('"l":200', '"l":50')],
    ['a book without its level', DELTA.replace('"l":200,', '')],
    ['a kind of update nobody knows', DELTA.replace('CHANGED', 'MERGED')],
    ['another symbol', DELTA.replace('ETHUSDT', 'ETHUSDC')],
  ])('%s is unknown, never guessed', (_, message) => {
    const { told, counts } = decode([message]);
    expect(told).toEqual([{ kind: 'unknown' }]);
    expect(counts.unknown).toBe(1);
  });

  it.each([
    ['an id beyond what a number holds', DELTA.replace('17000000231', '17000000231000000')],
    ['a missing side', SNAPSHOT.replace(/,"a":.*/, '}')],
    ['a size that is no number', TRADES.replace('"q":"0.037"', '"q":"x"')],
    ['a trade without its maker', TRADES.replace(',"m":true', '')],
  ])('%s makes the message invalid as a whole', (_, message) => {
    expect(told(message)).toEqual([{ kind: 'invalid' }]);
  });

  it('snapshots and deltas of a depth are one stream, of two depths two', () => {
    const of15 = (message: string): string => message.replace('"l":200', '"l":15');
    const typed = SNAPSHOT.replace('depthSnapshot', 'depth');
    const { streams } = decode([SNAPSHOT, DELTA, typed, of15(SNAPSHOT), of15(DELTA), of15(typed), TRADES]);
    expect(streams.slice(0, 3)).toEqual([streams[0], streams[0], streams[0]]);
    expect(streams.slice(3, 6)).toEqual([streams[3], streams[3], streams[3]]);
    expect(new Set(streams).size).toBe(3);
  });

  it('the order of keys does not matter, nor blanks, nor a symbol that is not ASCII', () => {
    const { U, u, e, ...others } = JSON.parse(DELTA) as Record<string, unknown>;
    const moved = JSON.stringify({ ...others, e, new: null, u, U }, null, 1).replaceAll('\n', '');
    expect(told(moved)).toEqual(told(DELTA));
    expect(told(DELTA.replace('ETHUSDT', '牛来USDT'), '牛来USDT')).toEqual(told(DELTA));
  });

  it('none of the usual messages needs JSON.parse, and books and trades have usual forms', () => {
    const usual = [SNAPSHOT, DELTA, TRADES].flatMap((text) => [text, text.replace('"l":200', '"l":15')]);
    const { counts } = decode([...usual, DEAD, TICKER.replace('BTC', 'ETH')]);
    expect(counts).toEqual({ fast: 7, general: 1, slow: 0, unknown: 0, invalid: 0 });
    // no usual form has the other mark of a snapshot, nor another order of keys
    const others = [SNAPSHOT.replace('depthSnapshot', 'depth'), DELTA.replace('"l":200', '"l":"200"')];
    expect(decode(others).counts).toMatchObject({ fast: 0, general: 2 });
    expect(decode([DELTA.replace('ETHUSDT', '牛来USDT')], '牛来USDT').counts.fast).toBe(1);
  });
});

/** A book message between two ids; levels as `price size` texts. */
function update(from: number, to: number, bids: Levels, asks: Levels, level = 200): string {
  const rows = (levels: Levels): string => JSON.stringify(levels.map((text) => text.split(' ')));
  return `{"e":"depth","E":1790300000547,"s":"ETHUSDT","U":${from},"u":${to},"l":${level},"d":"CHANGED","b":${rows(bids)},"a":${rows(asks)}}`;
}

describe('the book', () => {
  let clock = 1_790_300_000_000_000;
  const newTrack = (): Track => createTrack({ instrument, rules: weexFutures, flow: 'trade', connOf: () => 'c.1' });
  const play = (track: Track, ...messages: string[]): number[] =>
    feed(
      track,
      weexFutures,
      messages.map((message) => tapeLine(message, 'ETHUSDT', clock++)),
    );
  const levelsOf = (track: Track): [bids: Levels, asks: Levels] => {
    const [bids, asks] = [BID, ASK].map((side) =>
      track.book
        .levels(side)
        .map(([price, size]) => `${formatScaled(price, scale.price)} ${formatScaled(size, scale.size)}`),
    );
    return [bids, asks];
  };
  const rest = (id: number): string =>
    `{"t":${clock++},"src":"weex-futures:ETHUSDT","http":{"url":"/depth","status":200,"sent":${clock},"body":{"bids":[["2651.40","1"]],"asks":[["2651.50","2"]],"lastUpdateId":${id}}}}`;

  it('begins with a snapshot, which may come before the ack, and goes on where U is the last u', () => {
    const track = newTrack();
    expect(play(track, CONNECTED, SNAPSHOT, ACK, DELTA)).toEqual([none, valid, none, applied]);
    expect(levelsOf(track)).toEqual([
      ['2651.47 2.004', '2651.4 11'],
      ['2651.48 6.5', '2651.49 38.22'],
    ]);
    expect(track.state).toBe('valid');
  });

  it('ends where U is the last u plus one, until a new snapshot', () => {
    const track = newTrack();
    play(track, SNAPSHOT, DELTA);
    expect(play(track, update(17_000_000_232, 17_000_000_240, ['2651.30 1'], []))).toEqual([lost]);
    expect([track.state, track.needsSnapshot, track.counts.bookGaps]).toEqual(['syncing', true, 1]);
    expect(track.gap).toMatchObject({ reason: 'sequence', expected: 17_000_000_231, got: 17_000_000_232 });
    // what follows the gap follows nothing
    expect(play(track, update(17_000_000_240, 17_000_000_250, ['2651.31 1'], []))).toEqual([none]);
    const next = SNAPSHOT.replace('17000000162', '17000000300');
    expect(play(track, next, update(17_000_000_300, 17_000_000_310, ['2651.47 0'], []))).toEqual([valid, applied]);
    expect(levelsOf(track)).toEqual([['2651.48 45.17'], ['2651.49 38.22', '2651.52 0.9']]);
  });

  it('updates before the snapshot are dropped', () => {
    const track = newTrack();
    expect(play(track, DELTA, SNAPSHOT, DELTA)).toEqual([none, valid, applied]);
  });

  it('a message that deletes a bid and sets an ask at its price crosses nothing', () => {
    const track = newTrack();
    play(track, SNAPSHOT);
    expect(play(track, DELTA)).toEqual([applied]);
    expect([track.counts.crossed, track.book.crossed()]).toEqual([0, false]);
    // and where the bid stays, the book is crossed indeed
    play(track, update(17_000_000_231, 17_000_000_240, [], ['2651.40 1']));
    expect([track.counts.crossed, track.book.crossed()]).toEqual([1, true]);
  });

  it('of two depths of one symbol the first is followed', () => {
    const track = newTrack();
    const other = SNAPSHOT.replace('"l":200', '"l":15').replace('17000000162', '17000000700').replace('45.170', '9');
    expect(
      play(
        track,
        SNAPSHOT,
        other,
        update(17_000_000_162, 17_000_000_170, ['2651.48 4'], []),
        update(17_000_000_700, 17_000_000_710, ['2651.48 5'], [], 15),
        update(17_000_000_170, 17_000_000_180, ['2651.47 6'], []),
      ),
    ).toEqual([valid, none, applied, none, applied]);
    expect(levelsOf(track)[0]).toEqual(['2651.48 4', '2651.47 6']);
  });

  it('a dead stream: its empty book joins nothing, and nothing goes on from it', () => {
    const track = newTrack();
    expect(told(DEAD)).toMatchObject([{ kind: 'snapshot', last: 0, bids: [], asks: [] }]);
    play(track, DEAD);
    expect([track.continuity.joined, track.continuity.last]).toEqual([false, -1]);
    expect(levelsOf(track)).toEqual([[], []]);
    const [effect] = play(track, update(0, 17_000_000_100, ['2651.40 1'], ['2651.41 1']));
    expect(effect & applied).toBe(0);
    expect([track.state, levelsOf(track)]).toEqual(['syncing', [[], []]]);
    // a stream that lives again begins as always
    expect(play(track, SNAPSHOT, DELTA)).toEqual([valid, applied]);
  });

  it('an empty book with an id is a book', () => {
    const track = newTrack();
    expect(play(track, DEAD.replace('"u":0', '"u":7'), update(7, 9, ['2651.40 1'], []))).toEqual([valid, applied]);
  });

  it('joins a snapshot over REST where the stream has its id', () => {
    const track = newTrack();
    const kept = [update(90, 100, ['2651.39 5'], []), update(100, 110, ['2651.40 3'], [])];
    expect(play(track, ...kept)).toEqual([none, none]);
    expect(feed(track, weexFutures, [rest(100)])).toEqual([valid]);
    expect(levelsOf(track)).toEqual([['2651.4 3'], ['2651.5 2']]);
    expect(play(track, update(110, 120, [], ['2651.50 0']))).toEqual([applied]);
  });

  it('refuses one that is older than the stream', () => {
    const track = newTrack();
    play(track, update(100, 110, ['2651.40 3'], []));
    expect(feed(track, weexFutures, [rest(95)])).toEqual([none]);
    expect([track.state, track.needsSnapshot]).toEqual(['syncing', true]);
  });

  it('its chain survives a checkpoint', () => {
    const chain = weexFutures.continuity();
    chain.whole(5);
    expect(chain.update(-1, 8, 5)).toBe('apply');
    const restored = weexFutures.continuity();
    restored.restore(chain.state());
    expect([restored.update(-1, 9, 8), restored.update(-1, 12, 10)]).toEqual(['apply', 'gap']);
  });
});

describe('connections', () => {
  interface Request {
    method: string;
    params: string[];
    id: number;
  }
  const requestOf = (text: string): Request => JSON.parse(text) as Request;

  it('all channels of a symbol on the one path', () => {
    const plans = weexFutures.connections(['BTCUSDT', 'ETHUSDT'], weexFutures.channels.all);
    expect(plans.map(({ path, topics }) => [path, topics.map(({ name }) => name)])).toEqual([
      [
        '/v3/ws/public',
        ['BTCUSDT', 'ETHUSDT'].flatMap((symbol) =>
          ['depth200', 'depth15', 'trade', 'ticker'].map((stream) => `${symbol}@${stream}`),
        ),
      ],
    ]);
    expect(plans[0].topics.slice(0, 4).map(({ channel, firstDataMs }) => [channel, firstDataMs])).toEqual([
      ['depth', 5_000],
      ['depth15', 5_000],
      ['trade', null],
      ['ticker', null],
    ]);
    expect(plans[0].subscribe[0]).toMatch(/^\{"method":"SUBSCRIBE","params":\["BTCUSDT@depth200",.*\],"id":1\}$/);
    expect(weexFutures.flowOf(['depth', 'trade'])).toBe('trade');
  });

  it.each([[1], [2], [3], [4]])(
    '%i channels: at most a hundred topics, few texts, no symbol on two connections',
    (n) => {
      const symbols = Array.from({ length: 130 }, (_, i) => `S${i}USDT`);
      const plans = weexFutures.connections(symbols, weexFutures.channels.all.slice(0, n));
      const wanted = plans.flatMap(({ topics }) => topics.map(({ name }) => name));
      expect(new Set(wanted).size).toBe(130 * n);
      const seen = plans.flatMap(({ topics }) => [...new Set(topics.map(({ symbol }) => symbol))]);
      expect(seen).toHaveLength(130);
      for (const { topics, subscribe, lifetimeMs, silenceMs, ping } of plans) {
        expect(topics.length).toBeLessThanOrEqual(100);
        const requests = subscribe.map(requestOf);
        expect(requests.map(({ id }) => id)).toEqual(requests.map((_, i) => i + 1));
        expect(requests.every(({ method }) => method === 'SUBSCRIBE')).toBe(true);
        expect(requests.flatMap(({ params }) => params)).toEqual(topics.map(({ name }) => name));
        expect(requests.length).toBeLessThanOrEqual(4);
        // two of our pings may stay unanswered
        expect(ping?.everyMs).toBe(15_000);
        expect(silenceMs).toBeGreaterThan(2 * 15_000);
        expect(lifetimeMs).toBeNull();
      }
    },
  );

  it('every channel has layouts for its stream', () => {
    const streams = weexFutures.layouts.messages.flatMap((layout) => layout.streams);
    for (const { topics } of weexFutures.connections(['X'], weexFutures.channels.all))
      for (const { name } of topics) expect(streams).toContain(name.slice('X@'.length));
    const names = weexFutures.layouts.messages.map(({ name }) => name);
    for (const channel of [...weexFutures.channels.default, weexFutures.channels.flow])
      expect(names).toContain(channel);
  });

  it.each(['nope', 'constructor', '__proto__', ''])('an unknown channel %j is refused by name', (channel) => {
    expect(() => weexFutures.connections(['X'], ['depth', channel])).toThrow(TapedeckError);
    expect(() => weexFutures.connections(['X'], [channel])).toThrow(`no channel '${channel}'; it has depth, depth15`);
  });

  it('nothing asked for is nothing opened', () => {
    expect(weexFutures.connections([], ['depth'])).toEqual([]);
    expect(weexFutures.connections(['X'], [])).toEqual([]);
  });

  it('a topic begins anew when it is left and asked for again', () => {
    const requests = (weexFutures.renew?.('ETHUSDT@depth200', 3) ?? []).map(requestOf);
    expect(requests.map(({ method, params }) => [method, params])).toEqual([
      ['UNSUBSCRIBE', ['ETHUSDT@depth200']],
      ['SUBSCRIBE', ['ETHUSDT@depth200']],
    ]);
    expect(requests[0].id).not.toBe(requests[1].id);
  });

  it('is listed', () => {
    expect(venueById('weex-futures')).toBe(weexFutures);
  });
});

describe('topicOf', () => {
  const topicOf = (text: string): string | null => {
    const bytes = Buffer.from(`{"e"${text}"e"}`);
    return weexFutures.topicOf(bytes, 4, 4 + Buffer.byteLength(text));
  };

  it.each([
    [SNAPSHOT, 'ETHUSDT@depth200'],
    [DELTA, 'ETHUSDT@depth200'],
    [DELTA.replace('"l":200', '"l":15'), 'ETHUSDT@depth15'],
    [SNAPSHOT.replace('"l":200', '"l":15'), 'ETHUSDT@depth15'],
    [TRADES, 'ETHUSDT@trade'],
    [TRADES.replace('"trade"', '"tradeSnapshot"'), 'ETHUSDT@trade'],
    [TICKER, 'BTCUSDT@ticker'],
    [DELTA.replace('ETHUSDT', '牛来USDT'), '牛来USDT@depth200'],
    // keys in another order, blanks, escapes
    ['{"b":[],"a":[],"d":"CHANGED","l":15,"u":2,"U":1,"s":"ETHUSDT","E":1,"e":"depth"}', 'ETHUSDT@depth15'],
    ['{"E":1,"s":"ETHUSDT","d":[{"e":"x","s":"y"}],"e":"trade"}', 'ETHUSDT@trade'],
    ['{ "e" : "depth", "s" : "ETH\\u0055SDT", "l" : "200" }', 'ETHUSDT@depth200'],
    ['{"e":"depth","E":1,"s":"ETHUSDT","U":1,"u":2,"d":"CHANGED"}', null],
    ['{"e":"depth","E":1,"s":"ETHUSDT","l":null}', null],
    ['{"e":"trade","E":1}', null],
    ['{"e":7,"s":"ETHUSDT"}', null],
    [CONNECTED, null],
    [PING, null],
    [ACK, null],
    ['{"result":false,"msg":"unrecognized message : {\\"e\\":\\"trade\\",\\"s\\":\\"X\\"}"}', null],
    ['["e"]', null],
    ['{"x":"e",', null],
    ['', null],
  ])('%s', (text, topic) => {
    expect(topicOf(text)).toBe(topic);
  });

  it('whatever is planned is named so by the messages', () => {
    const names = [SNAPSHOT, DELTA.replace('"l":200', '"l":15'), TRADES, TICKER.replace('BTC', 'ETH')].map(topicOf);
    const [{ topics }] = weexFutures.connections(['ETHUSDT'], weexFutures.channels.all);
    expect(names).toEqual(topics.map(({ name }) => name));
  });
});

describe('control', () => {
  const pingId = (JSON.parse(weexFutures.connections(['X'], ['depth'])[0].ping?.text ?? '') as { id: number }).id;

  it.each([
    [ACK, { kind: 'ack', id: 1 }],
    ['{"id":"|1|","result":true}', { kind: 'ack', id: null }],
    [
      '{"result":false,"id":101,"msg":"INVALID_ARGUMENT: invalid depth level : 50"}',
      { kind: 'error', id: 101, text: 'INVALID_ARGUMENT: invalid depth level : 50' },
    ],
    [
      '{"result":false,"msg":"INVALID_ARGUMENT: unrecognized message : hello"}',
      { kind: 'error', id: null, text: 'INVALID_ARGUMENT: unrecognized message : hello' },
    ],
    ['{"result":false,"id":2}', { kind: 'error', id: 2, text: 'no reason given' }],
    // the answer to a ping of ours is acked as well, and is none of the tapes' business
    [`{"result":true,"id":${pingId}}`, { kind: 'other' }],
    [CONNECTED, { kind: 'other' }],
    [PING, { kind: 'other' }],
    ['null', { kind: 'other' }],
    ['[]', { kind: 'other' }],
    ['"result"', { kind: 'other' }],
  ])('%s', (message, wanted) => {
    expect(weexFutures.control(JSON.parse(message))).toEqual(wanted);
  });

  it('pings are answered, and nothing else is', () => {
    expect(JSON.parse(weexFutures.answer?.(PING) ?? '')).toEqual({ method: 'PONG', id: expect.any(Number) });
    expect(weexFutures.answer?.('{ "time" : "1", "event" : "ping" }')).not.toBeNull();
    for (const text of [CONNECTED, ACK, DELTA, '{"event":"x","y":"ping"}', '"ping"', '{"ping"', ''])
      expect(weexFutures.answer?.(text)).toBeNull();
  });

  it('our pings have an id of their own', () => {
    const [{ ping, subscribe }] = weexFutures.connections(['X'], ['depth']);
    expect(ping?.text).toMatch(/^\{"method":"PING","id":\d+\}$/);
    expect(subscribe.map((text) => (JSON.parse(text) as { id: number }).id)).not.toContain(pingId);
  });
});

describe('instruments', () => {
  const listed = {
    symbol: 'BTCUSDT',
    displaySymbol: 'BTCUSDT',
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    marginAsset: 'USDT',
    pricePrecision: 1,
    quantityPrecision: 4,
    contractVal: 0.0001,
    contractType: 'PERPETUAL',
  };
  const doodles = { ...listed, symbol: 'DOODUSDT', baseAsset: 'DOOD', pricePrecision: 6, contractVal: 10 };
  const body = { assets: [], rateLimits: [], symbols: [null, { symbol: 'ETHUSDT' }, listed, doodles] };
  const { readInstrument } = weexFutures.rest;

  it('the tick is in the precision, the lot is contractVal; sizes are coins all the same', () => {
    expect(readInstrument(body, 'BTCUSDT')).toEqual({
      symbol: 'BTCUSDT',
      kind: 'linear',
      tick: '0.1',
      lot: '0.0001',
      multiplier: '1',
      base: 'BTC',
      quote: 'USDT',
    });
    expect(readInstrument(body, 'DOODUSDT')).toMatchObject({ tick: '0.000001', lot: '10', multiplier: '1' });
    const whole = { symbols: [{ ...listed, pricePrecision: 0, contractVal: '0.0000001' }] };
    expect(readInstrument(whole, 'BTCUSDT')).toMatchObject({ tick: '1', lot: '0.0000001' });
  });

  it('a lot so small that a number writes it with an exponent still scales', () => {
    const tiny = readInstrument({ symbols: [{ ...listed, contractVal: 1e-7 }] }, 'BTCUSDT');
    expect(tiny && scaleOf(tiny)).toEqual({ price: 3, size: 9 });
  });

  it.each([
    null,
    {},
    { symbols: null },
    { code: -1142, msg: 'Invalid symbol.' },
    { symbols: [{ ...listed, symbol: 'btcusdt' }] },
    { symbols: [{ ...listed, pricePrecision: null }] },
    { symbols: [{ ...listed, pricePrecision: -1 }] },
    { symbols: [{ ...listed, contractVal: 0 }] },
    { symbols: [{ ...listed, contractVal: 'x' }] },
  ])('%j lists it not', (answer) => {
    expect(readInstrument(answer, 'BTCUSDT')).toBeNull();
  });

  it('paths, and the time', () => {
    const { rest } = weexFutures;
    expect(rest.instruments(['A', 'B'])).toEqual(['/capi/v3/market/exchangeInfo']);
    expect(rest.snapshot?.('牛来USDT')).toBe('/capi/v3/market/depth?symbol=%E7%89%9B%E6%9D%A5USDT&limit=200');
    expect(rest.time).toBe('/capi/v3/market/time');
    expect(rest.readTime({ serverTime: 1_790_300_000_126 })).toBe(1_790_300_000_126_000);
    for (const none of [{}, null, { serverTime: 'soon' }, { code: -1142 }]) expect(rest.readTime(none)).toBeNull();
    // weight 1 of 500 in 10 s, which other requests share
    expect(10_000 / rest.snapshotEveryMs).toBeLessThanOrEqual(250);
  });
});

describe('snapshots over REST', () => {
  const bids = [['2651.48', '45.170']];
  const asks = [['2651.49', '38.220']];

  it('are read, and known as such', () => {
    const body = { bids, asks, lastUpdateId: 17_000_000_162 };
    expect(weexFutures.readSnapshot(body)).toEqual({ id: 17_000_000_162, emitted: 0, matched: 0, bids, asks });
    expect(weexFutures.isSnapshotBody(body)).toBe(true);
    expect(weexFutures.isSnapshotBody(JSON.parse(SNAPSHOT))).toBe(false);
  });

  it.each([
    { bids, asks },
    { bids, asks, lastUpdateId: '17000000162' },
    { bids, asks, lastUpdateId: 0 },
    { bids, asks, lastUpdateId: -1 },
    { bids, asks, lastUpdateId: 1.5 },
    { bids, lastUpdateId: 1 },
    { bids, asks: [['1']], lastUpdateId: 1 },
    { bids, asks: [['1', 2]], lastUpdateId: 1 },
    { bids: [[1, '2']], asks, lastUpdateId: 1 },
    { code: -1142, msg: 'Invalid symbol.' },
    null,
    [],
  ])('%j is none', (body) => {
    expect(weexFutures.readSnapshot(body)).toBeNull();
  });
});

describe('recordings of client code', () => {
  const folder = join(import.meta.dirname, '../../../shared/data/vectors/weex');
  if (!existsSync(folder)) {
    // the recordings are other people's and no part of the project, so a user's machine lacks them
    test.skip('the recordings are not here (../shared/data)', () => {});
    return;
  }

  /** Texts by who said them: `>` we, `<` the venue in answer, `=` the venue of its own. */
  const exchangeIn = (file: string): Record<'>' | '<' | '=', string[]> => {
    const said: Record<'>' | '<' | '=', string[]> = { '>': [], '<': [], '=': [] };
    for (const [, who, text] of readFileSync(join(folder, file), 'utf8').matchAll(/^([><=])\s*(\{.*\})$/gm))
      said[who as '>' | '<' | '='].push(text);
    return said;
  };

  const trade = (matched: number, size: string): Told => ({
    kind: 'trade',
    emitted: 1_775_121_040_010_000,
    matched,
    side: 1,
    price: '2041.5',
    size,
  });
  const recorded: Record<string, { channel: string | null; told: Told[] }> = {
    'Kline.txt': { channel: null, told: [{ kind: 'other', emitted: 1_775_120_374_540_000 }] },
    'OrderBook.txt': {
      channel: 'depth15',
      told: [
        {
          kind: 'depth',
          emitted: 1_775_120_521_971_000,
          previous: 14_104_794_689,
          last: 14_104_794_703,
          bids: ['2043.2 40.724'],
          asks: ['2043.21 46.901'],
        },
      ],
    },
    'Ticker.txt': {
      channel: 'ticker',
      told: [{ kind: 'derivative', emitted: 1_775_120_226_169_000, said: { mark: '2045.91', index: '2047.2225' } }],
    },
    'Trades.txt': {
      channel: 'trade',
      told: [
        { ...trade(1_775_121_039_597_000, '0.037'), more: true },
        { ...trade(1_775_121_039_799_000, '0.036'), more: true },
        trade(1_775_121_040_002_000, '0.02'),
      ],
    },
  };

  it('are all looked at', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(recorded).sort());
  });

  it.each(Object.entries(recorded))('%s', (file, { channel, told: wanted }) => {
    const { '>': sent, '<': answers, '=': pushes } = exchangeIn(file);
    expect([sent.length, answers.length, pushes.length]).toEqual([1, 1, 1]);
    expect(told(pushes[0])).toEqual(wanted);
    expect(weexFutures.control(JSON.parse(answers[0]))).toEqual({ kind: 'ack', id: null });
    if (channel === null) return;
    // what the client said is what our plan says, its id aside
    const [plan] = weexFutures.connections(['ETHUSDT'], [channel]);
    const id = expect.anything();
    expect({ ...JSON.parse(sent[0]), id }).toEqual({ ...JSON.parse(plan.subscribe[0]), id });
    const bytes = Buffer.from(pushes[0]);
    expect(weexFutures.topicOf(bytes, 0, bytes.length)).toBe(plan.topics[0].name);
  });
});
