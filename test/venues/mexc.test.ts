/** MEXC futures: example and documented messages through every decoder, the book they make, subscriptions, REST. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder, type DecodeMode } from '../../src/decode/decoder.js';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { Effect, type Track } from '../../src/market/track.js';
import { TapedeckError } from '../../src/model/errors.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, MORE, OFF_BOOK, STREAM_SHIFT } from '../../src/model/event.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { mexcFutures } from '../../src/venues/mexc.js';
import { venueById } from '../../src/venues/registry.js';
import { feed, newTrack } from '../market/feed.js';
import { type Said, saidBy } from './records.js';

const instrumentOf = (symbol: string, tick: string): Instrument => ({
  ...{ symbol, kind: 'linear', tick, lot: '1', multiplier: '1' },
});
const BTC = instrumentOf('BTC_USDT', '0.1');
const T0 = 1_789_400_000_000_000;

/** Messages as lines of a tape, of one connection. */
const tape = (messages: string[], { symbol }: Instrument): string[] =>
  messages.map((msg, n) => `{"t":${T0 + n},"src":"mexc-futures:${symbol}","conn":"c.1","msg":${msg}}`);

interface Run {
  records: Float64Array;
  levels: Float64Array;
  /** messages by the way they took */
  ways: { general: number; slow: number };
}

function run(mode: DecodeMode, messages: string[], instrument: Instrument): Run {
  const decoder = createDecoder(mode);
  const { symbol } = instrument;
  const { layouts } = mexcFutures;
  decoder.bind(`mexc-futures:${symbol}`, { layouts, symbol, scale: scaleOf(instrument), flow: 'trade' });
  const bytes = Buffer.from(tape(messages, instrument).join('\n'));
  const out = new EventBuffer(messages.length * 4, 4);
  // what an earlier batch left must not show through
  out.events.fill(-7);
  for (let at = 0; at < bytes.length; ) at = decoder.decode(bytes, at, bytes.length, out);
  const records = out.events.slice(0, out.count * EVENT_STRIDE);
  for (let o = 0; o < records.length; o += EVENT_STRIDE)
    // an invalid record has no numbers that count
    if (records[o + Field.KIND] === Kind.invalid) records.fill(0, o + Field.EMITTED, o + Field.FLAGS);
  const { general, slow } = decoder.counts;
  return { records, levels: out.levels.slice(0, out.levelCount * 2), ways: { general, slow } };
}

/** What stands in a record, by name; absent values are left out. */
interface Seen {
  kind: string;
  channel?: string;
  emitted?: number;
  matched?: number;
  first?: number;
  last?: number;
  side?: 'buy' | 'sell';
  price?: number;
  size?: number;
  bids?: number[][];
  asks?: number[][];
  more?: true;
  said?: Said;
}

const KINDS = Object.fromEntries(Object.entries(Kind).map(([name, kind]) => [kind, name]));

function seen({ records, levels }: Run, o: number, instrument: Instrument): Seen {
  const at = (field: number): number => records[o + field];
  const kind = KINDS[at(Field.KIND)];
  const flags = at(Field.FLAGS);
  expect(flags & OFF_BOOK).toBe(0);
  const known = kind !== 'unknown' && (kind !== 'other' || flags !== 0 || at(Field.EMITTED) !== 0);
  const record: Seen = {
    kind,
    ...(known ? { channel: mexcFutures.layouts.messages[flags >> (STREAM_SHIFT + 4)].name } : {}),
  };
  if (at(Field.EMITTED) > 0) record.emitted = at(Field.EMITTED);
  if (at(Field.MATCHED) > 0) record.matched = at(Field.MATCHED);
  if (at(Field.FIRST) > 0) record.first = at(Field.FIRST);
  if (at(Field.LAST) > 0) record.last = at(Field.LAST);
  if ((flags & MORE) !== 0) record.more = true;
  if (kind === 'derivative') record.said = saidBy(records, o, scaleOf(instrument));
  if (kind === 'trade') {
    record.side = at(Field.SIDE) > 0 ? 'buy' : 'sell';
    record.price = at(Field.PRICE);
    record.size = at(Field.SIZE);
  }
  if (kind === 'depth' || kind === 'partial') {
    const start = at(Field.PRICE);
    const pairs = (from: number, count: number): number[][] =>
      Array.from({ length: count }, (_, n) => [...levels.subarray((from + n) * 2, (from + n + 1) * 2)]);
    record.bids = pairs(start, at(Field.SIZE));
    record.asks = pairs(start + at(Field.SIZE), at(Field.PRICE2));
  }
  return record;
}

/** The records of some messages, on which all decoders agree; and which way the messages took. */
function decode(messages: string | string[], instrument = BTC): { records: Seen[]; ways: Run['ways'] } {
  const list = [messages].flat();
  const oracle = run('json', list, instrument);
  const [wasm, typescript] = (['wasm', 'typescript'] as const).map((mode) => run(mode, list, instrument));
  for (const { records, levels } of [wasm, typescript]) {
    expect([...records]).toEqual([...oracle.records]);
    expect([...levels]).toEqual([...oracle.levels]);
  }
  const offsets = Array.from({ length: oracle.records.length / EVENT_STRIDE }, (_, n) => n * EVENT_STRIDE);
  return { records: offsets.map((o) => seen(oracle, o, instrument)), ways: wasm.ways };
}

const DOGE_DEPTH =
  '{"symbol":"DOGE_USDT","data":{"cts":1789400005531,"asks":[[0.080100,2868,1],[0.08009,0,0]],"bids":[[0.08003,8905,4],[0.07969,0,0],[0.08004,8819,4]],"begin":8760000048,"end":8760000103,"version":8760000103},"channel":"push.depth","ts":1789400005534}';
const ETH_DEPTH =
  '{"symbol":"ETH_USDT","data":{"cts":1789400005765,"asks":[[2651.60,42,1]],"bids":[],"version":37730000980},"channel":"push.depth","ts":1789400005801}';
const RIF_FULL =
  '{"symbol":"RIF_USDT","data":{"cts":1789400005761,"asks":[[0.08055,48,1],[0.0806,7,1]],"bids":[[0.08051,3,1]],"version":5230000685},"channel":"push.depth.full","ts":1789400005799}';
const DEAL =
  '{"symbol":"BTC_USDT","data":[{"p":86412.4,"v":49,"T":2,"O":3,"M":1,"t":1789400012047,"i":"16290000116","cts":"1789400012047"}],"channel":"push.deal","ts":1789400012047}';
const TICKER =
  '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","lastPrice":86412.4,"bid1":86412.3,"ask1":86412.4,"fairPrice":86420.1,"indexPrice":86455.0,"fundingRate":0.000081,"holdVol":4310237,"volume24":616139789,"amount24":4752077754.1,"high24Price":87100,"lower24Price":85200,"maxBidPrice":99300,"minAskPrice":73400,"riseFallRate":0.0102,"riseFallValue":870.2,"timestamp":1789400013005},"channel":"push.ticker","ts":1789400013005}';
const FAIR =
  '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","price":86420.1},"channel":"push.fair.price","ts":1789400013821}';
const FUNDING =
  '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","rate":0.000081,"nextSettleTime":1789430400000},"channel":"push.funding.rate","ts":1789400014049}';
const ACK = '{"channel":"rs.sub.depth","data":"success","ts":1789400000789}';
const REFUSAL = '{"channel":"rs.error","data":"Contract [NOPE_USDT] not exists","ts":1789400000790}';
const FAREWELL =
  '{"channel":"rs.error","data":"more than 60 seconds no response, close the channel","ts":1789400000791}';
const PONG = '{"channel":"pong","data":1789400000800,"ts":1789400000800}';

describe('messages, by all decoders', () => {
  it('a merged book update has the range of its versions, in a usual form', () => {
    const { records, ways } = decode(DOGE_DEPTH, instrumentOf('DOGE_USDT', '0.00001'));
    expect(ways).toEqual({ general: 0, slow: 0 });
    expect(records).toEqual([
      {
        kind: 'depth',
        channel: 'depth',
        emitted: 1789400005534000,
        matched: 1789400005531000,
        first: 8760000048,
        last: 8760000103,
        bids: [
          [800300, 890500],
          [796900, 0],
          [800400, 881900],
        ],
        asks: [
          [801000, 286800],
          [800900, 0],
        ],
      },
    ]);
  });

  it('an unmerged one has its version alone', () => {
    expect(decode(ETH_DEPTH, instrumentOf('ETH_USDT', '0.01')).records).toEqual([
      {
        kind: 'depth',
        channel: 'depth',
        emitted: 1789400005801000,
        matched: 1789400005765000,
        first: 37730000980,
        last: 37730000980,
        bids: [],
        asks: [[26516000, 4200]],
      },
    ]);
  });

  const update = (members: string, ts = '1789400005801'): string =>
    `{"symbol":"BTC_USDT","data":{"asks":[],"bids":[[86412.4,1,1]],${members}},"channel":"push.depth","ts":${ts}}`;

  it.each([
    ['"begin":7,"end":9,"version":9', 7, 9],
    ['"version":9,"end":9,"begin":7', 7, 9],
    ['"begin":0,"end":0,"version":9', 9, 9],
    ['"begin":null,"end":null,"version":9', 9, 9],
    ['"begin":-0,"end":0.0,"version":9', 9, 9],
    ['"begin":7,"version":9', 7, 9],
    ['"end":11,"version":9', 9, 11],
  ])('%s is the range from %i to %i', (members, first, last) => {
    expect(decode(update(members)).records).toMatchObject([{ kind: 'depth', first, last }]);
  });

  it.each(['"begin":7,"end":9', '"version":null', '"version":-9', '"version":9,"begin":-7', '"version":9,"end":"x"'])(
    '%s is no range',
    (members) => {
      expect(decode(update(members)).records).toMatchObject([{ kind: 'invalid' }]);
    },
  );

  it('the matching time may be null or missing, and the push time a text as documented', () => {
    for (const cts of ['"cts":null,', ''])
      expect(decode(update(`${cts}"version":9`, '"1789400005801"')).records).toEqual([
        expect.objectContaining({ kind: 'depth', emitted: 1789400005801000 }),
      ]);
    expect(decode(update('"cts":null,"version":9')).records[0]).not.toHaveProperty('matched');
  });

  it('the best levels are a view, never an update', () => {
    expect(decode(RIF_FULL, instrumentOf('RIF_USDT', '0.00001')).records).toEqual([
      {
        kind: 'partial',
        channel: 'depth20',
        emitted: 1789400005799000,
        matched: 1789400005761000,
        first: 5230000685,
        last: 5230000685,
        bids: [[805100, 300]],
        asks: [
          [805500, 4800],
          [806000, 700],
        ],
      },
    ]);
  });

  const sale: Seen = {
    ...{ kind: 'trade', channel: 'trade', emitted: 1789400012047000, matched: 1789400012047000 },
    ...{ side: 'sell', price: 86412400, size: 4900 },
  };

  it('trades come in a list, or alone as an object, in usual forms', () => {
    const alone = DEAL.replace('[{', '{').replace('}]', '}');
    expect(alone).not.toBe(DEAL);
    for (const message of [DEAL, alone]) {
      const { records, ways } = decode(message);
      expect(records).toEqual([sale]);
      expect(ways).toEqual({ general: 0, slow: 0 });
    }
    const second = ',{"p":86412.5,"v":3,"T":1,"O":1,"M":1,"t":1789400012046,"i":"16290000115"}]';
    expect(decode(DEAL.replace(']', second)).records).toEqual([
      { ...sale, more: true },
      { ...sale, side: 'buy', matched: 1789400012046000, price: 86412500, size: 300 },
    ]);
  });

  it.each([
    ['1', 'buy'],
    ['2', 'sell'],
    ['"2"', 'sell'],
    ['1.0', 'buy'],
    ['2e0', 'sell'],
  ])('aggressor %s is a %s', (side, wanted) => {
    expect(decode(DEAL.replace('"T":2', `"T":${side}`)).records).toEqual([{ ...sale, side: wanted }]);
  });

  it.each(['3', '0', '-1', '12', '1.5', 'null', '"buy"', 'true', '[1]', '""'])(
    'aggressor %s makes the message invalid',
    (side) => {
      expect(decode(DEAL.replace('"T":2', `"T":${side}`)).records).toMatchObject([{ kind: 'invalid' }]);
    },
  );

  it('a message with one wrong trade is refused whole, as is one without a side', () => {
    const wrong = DEAL.replace(']', ',{"p":86412.5,"v":3,"T":3,"t":1789400012046}]');
    expect(decode([wrong, DEAL.replace('"T":2,', '')]).records.map(({ kind }) => kind)).toEqual(['invalid', 'invalid']);
  });

  it.each([
    ['7.548E+4', 75480000],
    ['7.548e4', 75480000],
    ['75480', 75480000],
    ['75480.0', 75480000],
    ['75480.100', 75480100],
    ['754801E-1', 75480100],
    ['0.080100', null],
    ['8.0E-2', 80],
    ['90071992547.0', 90071992547000],
    ['-1', null],
    ['1e400', null],
  ])('price %s', (text, price) => {
    const kinds = decode([
      DEAL.replace('86412.4', text),
      `{"symbol":"BTC_USDT","data":{"asks":[],"bids":[[${text},1,1]],"version":9},"channel":"push.depth","ts":1}`,
    ]).records;
    if (price === null) expect(kinds.map(({ kind }) => kind)).toEqual(['invalid', 'invalid']);
    else expect(kinds).toMatchObject([{ price }, { bids: [[price, 100]] }]);
  });

  it('every price is exact in every writing', () => {
    const writings = fc.tuple(
      fc.integer({ min: 1, max: 999_999_999_999_999 }),
      fc.nat(9),
      fc.nat(3),
      fc.constantFrom('e', 'E', 'E+'),
    );
    fc.assert(
      fc.property(writings, ([digits, shift, zeros, mark]) => {
        // the number is digits / 10^9
        const plainText = `${Math.floor(digits / 1e9)}.${String(digits % 1e9).padStart(9, '0')}${'0'.repeat(zeros)}`;
        const mantissa = `${digits}`.padStart(shift + 2, '0');
        const at = mantissa.length - shift;
        const whole = mantissa.slice(0, at).replace(/^0+(?=\d)/, '');
        const power = shift - 9;
        const raised = `${whole}${shift === 0 ? '' : `.${mantissa.slice(at)}`}${power < 0 ? `e${power}` : `${mark}${power}`}`;
        const deals = [plainText, raised].map((text) => DEAL.replace('86412.4', text));
        const instrument = instrumentOf('BTC_USDT', '0.0000001');
        expect(decode(deals, instrument).records.map(({ price }) => price)).toEqual([digits, digits]);
        const both = update('"version":9').replace('[86412.4,1,1]', `[${plainText},1,1],[${raised},2,1]`);
        expect(decode(both, instrument).records[0].bids).toEqual([
          [digits, 100],
          [digits, 200],
        ]);
      }),
      { numRuns: 150 },
    );
  });

  it('mark and index price, funding and open interest in contracts come in the ticker, and alone', () => {
    const INDEX = FAIR.replace('fair', 'index');
    const told = (channel: string, emitted: number, said: Said): Seen => ({
      ...{ kind: 'derivative', channel, emitted, said },
    });
    const { records, ways } = decode([TICKER, FAIR, INDEX, FUNDING]);
    expect(records).toEqual([
      told('ticker', 1789400013005000, {
        ...{ mark: '86420.1', index: '86455', funding: '0.000081', openInterest: '4310237' },
      }),
      told('markPrice', 1789400013821000, { mark: '86420.1' }),
      told('indexPrice', 1789400013821000, { index: '86420.1' }),
      told('funding', 1789400014049000, { funding: '0.000081', nextFunding: 1789430400000000 }),
    ]);
    expect(ways).toEqual({ general: 4, slow: 0 });
  });

  it.each([
    ['-0.000081', '-0.000081'],
    ['8.1E-5', '0.000081'],
    ['-8.1e-5', '-0.000081'],
    ['0', '0'],
    ['-0', '0'],
    ['-0.0', '0'],
    ['0.0001875391284828', '0.0001875391284828'],
    ['"0.000081"', '0.000081'],
  ])('rate %s', (text, funding) => {
    expect(decode(FUNDING.replace('0.000081', text)).records).toMatchObject([
      { kind: 'derivative', said: { funding } },
    ]);
  });

  it.each(['null', '"x"', '1', '-1', '0.00018753912848281', 'true', '[]'])('rate %s is none', (text) => {
    expect(decode(FUNDING.replace('0.000081', text)).records).toMatchObject([{ kind: 'invalid' }]);
  });

  it('what a ticker leaves out is not said; the next settlement may be missing', () => {
    expect(decode(TICKER.replace('"fundingRate":0.000081,', '').replace('86455.0', 'null')).records).toMatchObject([
      { said: { mark: '86420.1', openInterest: '4310237' } },
    ]);
    for (const none of ['', ',"nextSettleTime":null', ',"nextSettleTime":0'])
      expect(decode(FUNDING.replace(',"nextSettleTime":1789430400000', none)).records[0].said).toEqual({
        funding: '0.000081',
      });
  });

  it('a candle is known by name', () => {
    const candle = '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","q":1},"channel":"push.kline","ts":1789400014050}';
    expect(decode(candle).records).toEqual([{ kind: 'other', channel: 'kline', emitted: 1789400014050000 }]);
  });

  it('acks, errors and pongs are control talk; what nobody described and other symbols are unknown', () => {
    expect(decode([ACK, REFUSAL, FAREWELL, PONG]).records).toEqual(Array(4).fill({ kind: 'other' }));
    const odd = [DEAL.replace('push.deal', 'push.dealt'), DEAL.replace('BTC', 'ETH'), DEAL.replace('"BTC_USDT"', '7')];
    expect(decode(odd).records).toEqual(Array(3).fill({ kind: 'unknown' }));
  });
});

describe('the book', () => {
  const { none, book: applied, valid, lost } = Effect;
  const src = 'mexc-futures:BTC_USDT';
  let clock = T0;
  const line = (rest: string): string => `{"t":${clock++},"src":"${src}",${rest}}`;
  const depth = (ids: string, bids = '', asks = ''): string =>
    line(
      `"conn":"c","msg":{"symbol":"BTC_USDT","data":{"cts":null,"asks":[${asks}],"bids":[${bids}],${ids}},"channel":"push.depth","ts":1789400005801}`,
    );
  const merged = (begin: number, end: number, bids?: string): string =>
    depth(`"begin":${begin},"end":${end},"version":${end}`, bids);
  const single = (version: number): string => depth(`"version":${version}`);
  const snapshot = (version: number, bids = '[75480.0,5,1],[75470.0,3,1]', asks = '[75490.0,4,1]'): string =>
    line(
      `"http":{"url":"/depth","status":200,"sent":${T0},"body":{"success":true,"code":0,"data":{"asks":[${asks}],"bids":[${bids}],"version":${version},"timestamp":1789400005000,"cts":null}}}`,
    );
  const levelsOf = (track: Track, side: BookSide): number[][] =>
    track.book.levels(side).map(([price, size]) => [price / 1000, size / 100]);

  it('a snapshot inside a merged update is joined; the next follow; a hole is a gap, and a newer snapshot mends it', () => {
    const track = newTrack(mexcFutures, BTC);
    const lines = [merged(101, 105, '[75480.0,6,1]'), merged(106, 110), snapshot(103), merged(111, 115)];
    expect(feed(track, mexcFutures, lines)).toEqual([none, none, valid, applied]);
    expect(levelsOf(track, BID)).toEqual([
      [75480, 6],
      [75470, 3],
    ]);
    expect(feed(track, mexcFutures, [merged(117, 118)])).toEqual([lost]);
    expect(track.gap).toMatchObject({ stream: 'depth', reason: 'sequence', expected: 115, got: 117 });
    expect(track.needsSnapshot).toBe(true);
    expect(feed(track, mexcFutures, [snapshot(116)])).toEqual([valid]);
  });

  it('old updates are dropped, and a snapshot older than the stream is asked for again', () => {
    const track = newTrack(mexcFutures, BTC);
    expect(feed(track, mexcFutures, [merged(106, 110), snapshot(103)])).toEqual([none, none]);
    expect(track.needsSnapshot).toBe(true);
    expect(feed(track, mexcFutures, [snapshot(110)])).toEqual([none]);
    expect(feed(track, mexcFutures, [merged(111, 112), merged(106, 112)])).toEqual([valid, none]);
  });

  it('unmerged updates follow one by one', () => {
    const track = newTrack(mexcFutures, BTC);
    expect(feed(track, mexcFutures, [single(5), snapshot(4), single(6), single(8)])).toEqual([
      ...[none, valid, applied, lost],
    ]);
  });

  it('7.548E+4 deletes 75480.0', () => {
    const track = newTrack(mexcFutures, BTC);
    feed(track, mexcFutures, [snapshot(4), merged(5, 5), merged(6, 6, '[7.548E+4,0,0]')]);
    expect(levelsOf(track, BID)).toEqual([[75470, 3]]);
    expect(levelsOf(track, ASK)).toEqual([[75490, 4]]);
  });

  it('levels of a snapshot in any order tell how far the book is known', () => {
    const track = newTrack(mexcFutures, BTC);
    feed(track, mexcFutures, [
      snapshot(4, '[75470,3,1],[75480,5,1],[75460,1,1]', '[75500,1,1],[75490,4,1]'),
      single(5),
    ]);
    expect([track.low, track.high]).toEqual([75460_000, 75500_000]);
  });

  it('an empty book is no book', () => {
    const track = newTrack(mexcFutures, BTC);
    expect(feed(track, mexcFutures, [snapshot(4, '', ''), single(5)])).toEqual([none, none]);
    expect(track.state).toBe('syncing');
  });

  it('the view of the best levels leaves the book alone, and trade ids prove nothing', () => {
    const track = newTrack(mexcFutures, BTC);
    const view = `"conn":"c","msg":${RIF_FULL.replace('RIF', 'BTC').replace(/\[\[.*\]\]/, '[],"bids":[]')}`;
    const deals = [9, 20, 3].map((id) => line(`"conn":"c","msg":${DEAL.replace('16290000116', String(id))}`));
    const effects = feed(track, mexcFutures, [snapshot(4), single(5), line(view), ...deals]);
    expect(effects).toEqual([none, valid, none, ...Array(3).fill(Effect.trade)]);
    expect(track.counts).toMatchObject({ invalid: 0, unknown: 0, tradesMissing: 0, trades: 3 });
    const chain = mexcFutures.tradeChain();
    expect([9, 20, 3].map((id) => chain.next(id))).toEqual([0, 0, 0]);
  });
});

describe('connections', () => {
  const texts = (symbols: string[], channels: string[]): string[][] =>
    mexcFutures.connections(symbols, channels).map(({ subscribe }) => subscribe);

  it('one symbol a text, the whole books on a socket of their own', () => {
    expect(texts(['BTC_USDT', 'ETH_USDT'], mexcFutures.channels.all)).toEqual([
      ['BTC_USDT', 'ETH_USDT'].flatMap((symbol) =>
        ['depth', 'deal', 'ticker', 'fair.price', 'index.price', 'funding.rate'].map(
          (name) => `{"method":"sub.${name}","param":{"symbol":"${symbol}"}}`,
        ),
      ),
      ['BTC_USDT', 'ETH_USDT'].map((symbol) => `{"method":"sub.depth.full","param":{"symbol":"${symbol}","limit":20}}`),
    ]);
  });

  it('at most 100 topics a connection and 20 texts a second, pinged every 15 s', () => {
    const symbols = Array.from({ length: 130 }, (_, i) => `S${i}_USDT`);
    const plans = mexcFutures.connections(symbols, ['depth', 'trade', 'depth20']);
    expect(plans.map(({ topics }) => topics.length)).toEqual([100, 100, 60, 100, 30]);
    const names = plans.flatMap(({ topics }) => topics.map(({ name }) => name));
    expect(new Set(names).size).toBe(3 * 130);
    for (const plan of plans) {
      expect(plan.path).toBe('/edge');
      expect(plan.subscribe.length).toBe(plan.topics.length);
      expect(1000 / plan.sendEveryMs).toBeLessThanOrEqual(20);
      expect(plan.ping).toEqual({ text: '{"method":"ping"}', everyMs: 15_000 });
      // a pong is late when two are missing, well before the venue closes at 60 s
      expect(plan.silenceMs).toBeGreaterThan(30_000);
      expect(plan.silenceMs).toBeLessThan(60_000);
      expect(plan.lifetimeMs).toBeNull();
    }
    expect(mexcFutures.hosts).toEqual({ ws: 'wss://contract.mexc.com', rest: 'https://api.mexc.com' });
  });

  it('what never came is asked for by the text that asked first', () => {
    const plans = mexcFutures.connections(['BTC_USDT', 'BTC_USD'], mexcFutures.channels.all);
    for (const { topics, subscribe } of plans)
      for (const [n, { name }] of topics.entries()) expect(mexcFutures.again?.([name])).toEqual([subscribe[n]]);
  });

  it('data confirm a subscription, except where the market decides', () => {
    const [{ topics }] = mexcFutures.connections(['X'], ['depth', 'trade', 'markPrice', 'funding']);
    expect(topics.map(({ channel, firstDataMs }) => [channel, firstDataMs])).toEqual([
      ['depth', 10_000],
      ['trade', null],
      ['markPrice', 10_000],
      ['funding', null],
    ]);
  });

  it('every channel has a layout of its name for its topic', () => {
    for (const { topics } of mexcFutures.connections(['X'], mexcFutures.channels.all))
      for (const { name, channel } of topics) {
        const layout = mexcFutures.layouts.messages.find((one) => one.name === channel);
        expect(layout?.streams.map((stream) => `${stream}:X`)).toEqual([name]);
      }
  });

  it.each(['nope', 'constructor', '__proto__', ''])('an unknown channel %j is refused by name', (channel) => {
    expect(() => mexcFutures.connections(['X'], ['depth', channel])).toThrow(TapedeckError);
    expect(() => mexcFutures.connections(['X'], [channel])).toThrow(`no channel '${channel}'; it has depth, trade`);
  });

  it('nothing asked for is nothing opened, and the registry knows the venue', () => {
    expect(mexcFutures.connections([], ['depth'])).toEqual([]);
    expect(mexcFutures.connections(['X'], [])).toEqual([]);
    expect(venueById('mexc-futures')).toBe(mexcFutures);
    expect([mexcFutures.renew, mexcFutures.answer]).toEqual([undefined, undefined]);
  });
});

describe('topicOf', () => {
  const topicOf = (text: string): string | null => {
    const bytes = Buffer.from(`"symbol":"A"${text}"channel":"push.b"}`);
    return mexcFutures.topicOf(bytes, 12, 12 + Buffer.byteLength(text));
  };

  it.each([
    [DOGE_DEPTH, 'push.depth:DOGE_USDT'],
    [RIF_FULL, 'push.depth.full:RIF_USDT'],
    [DEAL, 'push.deal:BTC_USDT'],
    [TICKER, 'push.ticker:BTC_USDT'],
    [FUNDING, 'push.funding.rate:BTC_USDT'],
    ['{"channel":"push.deal","data":[],"symbol":"BTC_USDT","ts":1}', 'push.deal:BTC_USDT'],
    ['{"channel":"push.deal","symbol":"BTC_USDT","data":[{"symbol":"X","channel":"push.x"}]}', 'push.deal:BTC_USDT'],
    [
      '{"data":{"symbol":"X","channel":"push.x"},"ts":1,"symbol":"BTC_USDT","channel":"push.deal"}',
      'push.deal:BTC_USDT',
    ],
    ['{"data":{"a":{"symbol":"X"},"channel":"push.x"},"channel":"push.deal","symbol":"币_USDT"}', 'push.deal:币_USDT'],
    ['{ "channel" : "push.deal", "data":[], "symbol" : "BTC_USDT" }\n', 'push.deal:BTC_USDT'],
    ['{"channel":"push\\u002edeal","data":[],"symbol":"\\u0042TC_USDT"}', 'push.deal:BTC_USDT'],
    ['{"data":"}]{[ \\"symbol\\":\\"X\\"","channel":"push.deal","symbol":"BTC_USDT"}', 'push.deal:BTC_USDT'],
    ['{"channel":"push.tickers","data":[{"symbol":"BSV_USDT"},{"symbol":"BCH_USDT"}],"ts":1}', null],
    ['{"channel":"push.deal","data":{"symbol":"X"},"ts":1}', null],
    ['{"channel":"rs.sub.depth","param":{"symbol":"ETH_USDT"}}', null],
    ['{"channel":"rs.sub.depth","symbol":"ETH_USDT"}', null],
    [ACK, null],
    [REFUSAL, null],
    [PONG, null],
    ['{"channel":"push.deal","symbol":7}', null],
    ['{"channel":7,"symbol":"X"}', null],
    ['"channel"', null],
    ['{"channel":"push.deal",', null],
    ['null', null],
    ['', null],
  ])('%s', (text, topic) => {
    expect(topicOf(text)).toBe(topic);
  });

  it('is the name of a topic of the plans', () => {
    const [{ topics }] = mexcFutures.connections(['BTC_USDT'], ['trade', 'ticker', 'markPrice', 'funding']);
    expect([DEAL, TICKER, FAIR, FUNDING].map(topicOf)).toEqual(topics.map(({ name }) => name));
  });

  it('big messages are not parsed: broken in the middle, they still name their topic', () => {
    const levels = Array.from({ length: 600 }, (_, n) => `[0.0${n},1,1]`).join(',');
    const behind = `{"symbol":"DOGE_USDT","data":{"asks":[${levels},],"version":1},"channel":"push.depth","ts":1}`;
    const before = `{"channel":"push.depth","data":{"asks":[${levels},]},"symbol":"DOGE_USDT","ts":1}`;
    for (const text of [behind, before]) {
      expect(() => JSON.parse(text)).toThrow();
      expect(topicOf(text)).toBe('push.depth:DOGE_USDT');
    }
  });
});

describe('control', () => {
  it.each([
    [ACK, { kind: 'ack', id: null }],
    ['{"channel":"rs.sub.depth.full","param":{"symbol":"ETH_USDT"}}', { kind: 'ack', id: null }],
    [REFUSAL, { kind: 'error', id: null, text: 'Contract [NOPE_USDT] not exists' }],
    [FAREWELL, { kind: 'error', id: null, text: 'more than 60 seconds no response, close the channel' }],
    ['{"channel":"rs.error"}', { kind: 'error', id: null, text: 'no reason given' }],
    [PONG, { kind: 'other' }],
    ['{"channel":"rs.login","data":"success"}', { kind: 'other' }],
    [DEAL, { kind: 'other' }],
    ['{"channel":7}', { kind: 'other' }],
    ['null', { kind: 'other' }],
    ['[]', { kind: 'other' }],
  ])('%s', (text, wanted) => {
    expect(mexcFutures.control(JSON.parse(text))).toEqual(wanted);
  });
});

describe('binary messages', () => {
  it('are gzip or bare deflate around an object, or left alone', () => {
    const text = Buffer.from(DEAL);
    for (const packed of [gzipSync(text), deflateRawSync(text)])
      expect(Buffer.from(mexcFutures.inflate?.(packed) ?? []).toString()).toBe(DEAL);
    for (const bytes of [Buffer.from([8, 1, 2, 3]), Buffer.alloc(0), gzipSync('text'), text])
      expect(() => mexcFutures.inflate?.(bytes)).toThrow();
  });

  it('a bomb throws, in either form, and a message of the allowed size does not', () => {
    const most = Buffer.alloc(8 * 1024 * 1024, 0x20);
    most[0] = 0x7b;
    for (const deflate of [gzipSync, deflateRawSync]) {
      expect(mexcFutures.inflate?.(deflate(most))).toHaveLength(most.length);
      expect(() => mexcFutures.inflate?.(deflate(Buffer.concat([most, most])))).toThrow();
    }
  });
});

describe('instruments', () => {
  const BTC_ROW = {
    ...{ symbol: 'BTC_USDT', baseCoin: 'BTC', quoteCoin: 'USDT', settleCoin: 'USDT' },
    ...{ contractSize: 0.0001, priceUnit: 0.1, priceScale: 1, volUnit: 1, minVol: 1, state: 0, futureType: 1 },
  };
  const COIN_ROW = { ...BTC_ROW, symbol: 'BTC_USD', quoteCoin: 'USD', settleCoin: 'BTC', contractSize: 100 };
  const PEPE_ROW = { ...BTC_ROW, symbol: 'PEPE_USDT', baseCoin: 'PEPE', contractSize: 10_000_000, priceUnit: 1e-10 };
  const read = (data: unknown, symbol: string): Instrument | null =>
    mexcFutures.rest.readInstrument({ success: true, code: 0, data }, symbol);
  const btc = {
    ...{ symbol: 'BTC_USDT', kind: 'linear', tick: '0.1', lot: '1', multiplier: '0.0001', base: 'BTC', quote: 'USDT' },
  };

  it('sizes are contracts of base units; one symbol asked for is an object, several are a list', () => {
    expect(read(BTC_ROW, 'BTC_USDT')).toEqual(btc);
    expect(read([null, COIN_ROW, BTC_ROW], 'BTC_USDT')).toEqual(btc);
  });

  it('coin-margined contracts are of US dollars', () => {
    expect(read(COIN_ROW, 'BTC_USD')).toEqual({
      ...{ symbol: 'BTC_USD', kind: 'inverse', tick: '0.1', lot: '1', multiplier: '100', base: 'BTC', quote: 'USD' },
    });
  });

  it('small numbers are written without exponent', () => {
    expect(read([PEPE_ROW], 'PEPE_USDT')).toMatchObject({ tick: '0.0000000001', multiplier: '10000000' });
    expect(read({ ...BTC_ROW, contractSize: 1e-7 }, 'BTC_USDT')).toMatchObject({ multiplier: '0.0000001' });
  });

  it.each([
    null,
    [],
    [null, 7],
    { ...BTC_ROW, symbol: 'ETH_USDT' },
    { ...BTC_ROW, contractSize: 0 },
    { ...BTC_ROW, priceUnit: null },
    { ...BTC_ROW, volUnit: -1 },
  ])('%j lists it not', (data) => {
    expect(read(data, 'BTC_USDT')).toBeNull();
  });

  it('a failure says so in its body alone', () => {
    const failed = { success: false, code: 1001, message: 'contract not exists', data: BTC_ROW };
    for (const body of [failed, null, 'x', []]) expect(mexcFutures.rest.readInstrument(body, 'BTC_USDT')).toBeNull();
  });

  it('paths and their limit', () => {
    const { rest } = mexcFutures;
    expect(rest.instruments(['BTC_USDT'])).toEqual(['/api/v1/contract/detail?symbol=BTC_USDT']);
    expect(rest.instruments(['A&B'])).toEqual(['/api/v1/contract/detail?symbol=A%26B']);
    expect(rest.instruments(['BTC_USDT', 'ETH_USDT'])).toEqual(['/api/v1/contract/detail']);
    expect(rest.snapshot?.('BTC_USDT')).toBe('/api/v1/contract/depth/BTC_USDT?limit=1000');
    expect(rest.snapshot?.('../A')).toBe('/api/v1/contract/depth/..%2FA?limit=1000');
    expect(rest.time).toBe('/api/v1/contract/ping');
    expect(rest.readTime({ success: true, code: 0, data: 1789400000800 })).toBe(1789400000800000);
    for (const body of [null, {}, { data: 'x' }, { data: null }]) expect(rest.readTime(body)).toBeNull();
    // ten requests in two seconds
    expect(2000 / rest.snapshotEveryMs).toBeLessThan(10);
  });
});

describe('snapshots', () => {
  const data = {
    ...{ asks: [[75490, 4, 1]], bids: [[7.548e4, 5, 1]], version: 103, timestamp: 1789400005000, cts: null },
  };
  const body = (change: object, success = true): unknown => ({ success, code: 0, data: { ...data, ...change } });

  it('numbers become plain decimals, best first', () => {
    const bids = [
      [1e-7, 1e6, 1],
      [0.0801, 2.5, 1],
    ];
    const asks = [
      [1e3, 3, 1],
      [0.09, 2, 1],
    ];
    expect(mexcFutures.readSnapshot(body({ bids, asks }))).toEqual({
      ...{ id: 103, emitted: 1789400005000000, matched: 0 },
      bids: [
        ['0.0801', '2.5'],
        ['0.0000001', '1000000'],
      ],
      asks: [
        ['0.09', '2'],
        ['1000', '3'],
      ],
    });
    expect(mexcFutures.readSnapshot(body({ cts: 1789400004999 }))).toMatchObject({ matched: 1789400004999000 });
    expect(mexcFutures.readSnapshot(body({ asks: [] }))).toMatchObject({ bids: [['75480', '5']], asks: [] });
  });

  it.each([
    body({ asks: [], bids: [] }),
    body({}, false),
    body({ version: undefined }),
    body({ version: '103' }),
    body({ version: 1.5 }),
    body({ asks: undefined }),
    body({ asks: [[75490]] }),
    body({ asks: [[75490, -1, 1]] }),
    body({ asks: [null] }),
    body({ asks: [['x', 1, 1]] }),
    { success: true, code: 0, data: [data] },
    { success: false, code: 510, message: 'too frequent' },
    JSON.parse(RIF_FULL),
    null,
    [],
  ])('%j is none', (answer) => {
    expect(mexcFutures.readSnapshot(answer)).toBeNull();
    expect(mexcFutures.isSnapshotBody(answer)).toBe(false);
  });

  it('a bare body is told from a message', () => {
    expect(mexcFutures.isSnapshotBody(body({}))).toBe(true);
    expect(mexcFutures.isSnapshotBody(JSON.parse(DOGE_DEPTH))).toBe(false);
  });
});

/** Exchanges from the documentation: `>` sent, `<` answered, `=` pushed, over several lines. */
const vectors = join(import.meta.dirname, '../../../shared/data/vectors/mexc');
const missing = !existsSync(vectors);

describe(`documented exchanges${missing ? ' (skipped: ../shared/data/vectors is absent)' : ''}`, () => {
  const KNOWN: Record<string, [channel: string | null, kind: string, layout?: string]> = {
    Book: ['depth', 'depth', 'depth'],
    PartialBook: ['depth20', 'partial', 'depth20'],
    Trades: ['trade', 'trade', 'trade'],
    Ticker: ['ticker', 'derivative', 'ticker'],
    MarkPrice: ['markPrice', 'derivative', 'markPrice'],
    IndexPrice: ['indexPrice', 'derivative', 'indexPrice'],
    FundingRate: ['funding', 'derivative', 'funding'],
    Klines: [null, 'other', 'kline'],
    Symbol: [null, 'other', 'contract'],
    // of all symbols at once: it names none
    Tickers: [null, 'other'],
  };

  function read(name: string): { sent: string; ack: string; push: string } {
    const text = readFileSync(join(vectors, `${name}.txt`), 'utf8');
    const [, sent, ack, push] = /^> (.*)\n< (.*)\n= ?([\s\S]*)$/.exec(text) ?? [];
    return { sent, ack, push };
  }

  it.skipIf(missing)('all files are looked at, but those of an account', () => {
    const names = readdirSync(vectors).map((file) => file.replace('.txt', ''));
    expect(names.filter((name) => !Object.hasOwn(KNOWN, name))).toEqual(['Liquidation']);
  });

  it.skipIf(missing).each(Object.entries(KNOWN))('%s', (name, [channel, kind, layout]) => {
    const { sent, ack, push } = read(name);
    // a tape's message is one line
    const message = push.trim().replace(/\s*\n\s*/g, '');
    const symbol = String((JSON.parse(push) as { symbol?: string }).symbol ?? 'BTC_USDT');
    const [record, ...more] = decode(message, instrumentOf(symbol, '0.1')).records;
    expect([record.kind, record.channel, more]).toEqual([kind, layout, []]);
    expect(mexcFutures.control(JSON.parse(ack))).toEqual({ kind: 'ack', id: null });
    expect(mexcFutures.topicOf(Buffer.from(ack), 0, ack.length)).toBeNull();
    expect(decode(ack).records).toEqual([{ kind: 'other' }]);
    const topic = mexcFutures.topicOf(Buffer.from(push), 0, push.length);
    if (layout === undefined) expect(topic).toBeNull();
    if (channel === null) return;
    const [plan] = mexcFutures.connections([symbol], [channel]);
    expect(topic).toBe(plan.topics[0].name);
    const { method } = JSON.parse(sent) as { method: string };
    expect(JSON.parse(plan.subscribe[0])).toMatchObject({ method, param: { symbol } });
  });

  it.skipIf(missing)('book and trade have the numbers of the documentation', () => {
    const decoded = (name: string): Seen[] =>
      decode(
        read(name)
          .push.trim()
          .replace(/\s*\n\s*/g, ''),
      ).records;
    const book = { first: 96801927, last: 96801927, bids: [], asks: [[6859500, 325100]], emitted: 1587442022003000 };
    expect(decoded('Book')).toEqual([{ kind: 'depth', channel: 'depth', ...book }]);
    expect(decoded('PartialBook')).toEqual([{ kind: 'partial', channel: 'depth20', ...book }]);
    expect(decoded('Trades')).toMatchObject([{ side: 'sell', price: 91847400, size: 4900, matched: 1763645012047000 }]);
  });
});
