/** Bybit v5: linear (USDT and USDC), inverse and spot. Facts and their certainty come from the public documentation and recordings. */
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';
import type { Instrument, InstrumentKind } from '../model/instrument.js';
import { checkChannels, coinsOf, isObject, leadingText, objectsAt, partsOf, positive, wordOf } from './fields.js';
import { type FaultCodes, faultOf } from './rest-fault.js';
import { chainedByOne, unprovenTrades } from './sequence.js';
import type { ConnectionPlan, Control, Topic, Venue } from './venue.js';

type Category = 'linear' | 'inverse' | 'spot';

/**
 * Channel -> topic before the symbol. Depths are books of their own, each with its own chain of ids; which is followed is the
 * user's choice. 500 levels were removed in 2025-09, level 1 brings whole books only since 2025-03.
 */
const BOOKS: Record<string, string> = {
  depth: 'orderbook.200',
  depth50: 'orderbook.50',
  depth1000: 'orderbook.1000',
  depth1: 'orderbook.1',
};
const CHANNELS: Record<Category, Record<string, string>> = {
  linear: { ...BOOKS, trade: 'publicTrade', ticker: 'tickers', liquidation: 'allLiquidation' },
  inverse: { ...BOOKS, trade: 'publicTrade', ticker: 'tickers', liquidation: 'allLiquidation' },
  spot: { ...BOOKS, trade: 'publicTrade', ticker: 'tickers' },
};
/** `BTCUSDT`, `BTCUSDT-25DEC26`, `BTCPERP`; `BTCUSD`, `BTCUSDZ26`; `BTCUSDT`. */
const SYMBOL_FORMS: Record<Category, RegExp> = {
  linear: /^[A-Z0-9]{2,20}(-\d{1,2}[A-Z]{3}\d{2})?$/,
  inverse: /^[A-Z0-9]{2,16}USD([HMUZ]\d{2})?$/,
  spot: /^[A-Z0-9]{2,20}$/,
};
/** An ack proves nothing: a book's snapshot comes at once. */
const FIRST_BOOK_MS = 5_000;

/** Long lists of arguments are refused, on spot beyond ten; one symbol a request keeps a refusal readable. */
const ARGS_PER_TEXT = 10;
const TOPICS_PER_CONNECTION = 400;
const SEND_EVERY_MS = 100;
const PING_EVERY_MS = 20_000;
/** Pongs come at least every 20 s, so a longer silence is a dead connection on any market. */
const SILENCE_MS = 45_000;

const emitted: FieldLayout = { key: '/ts', form: 'time', means: 'emitted', loose: true };
const symbol: FieldLayout = { key: 's', form: 'text', means: 'symbol' };
/** `seq` never goes back within a stream and `u` counts its messages; the matching engine's time came in 2023-12. */
const bookFields: FieldLayout[] = [
  emitted,
  { key: '/cts', form: 'time', means: 'matched', optional: true, loose: true },
  symbol,
  { key: 'seq', form: 'id', means: 'first', optional: true },
  { key: 'u', form: 'id', means: 'last' },
  { key: 'b', form: 'levels', means: 'bids' },
  { key: 'a', form: 'levels', means: 'asks' },
];
const books = ['orderbook.200', 'orderbook.50', 'orderbook.1000', 'orderbook.500'];

/** Futures but for level 1 send type before ts, spot the other way round. */
function usualBooks(type: string): string[] {
  const data = '"data":{"s":"<symbol>","b":<b>,"a":<a>,"u":<u>,"seq":<seq>},"cts":</cts>}';
  return [`"type":"${type}","ts":</ts>,${data}`, `"ts":</ts>,"type":"${type}",${data}`];
}

const messages: MessageLayout[] = [
  { name: 'depth', event: 'depth', streams: books, type: 'delta', fields: bookFields, usual: usualBooks('delta') },
  {
    name: 'snapshot',
    event: 'snapshot',
    of: 'depth',
    streams: books,
    type: 'snapshot',
    fields: bookFields,
    usual: usualBooks('snapshot'),
  },
  // pushed again after three seconds without a change, with the same ids
  { name: 'depth1', event: 'partial', streams: ['orderbook.1'], fields: bookFields },
  {
    name: 'trade',
    event: 'trade',
    streams: ['publicTrade'],
    rows: 'data',
    fields: [
      emitted,
      { key: 'T', form: 'time', means: 'matched' },
      symbol,
      { key: 'S', form: 'text', means: 'aggressor' },
      { key: 'v', form: 'size', means: 'size' },
      { key: 'p', form: 'price', means: 'price' },
      // block trades are made off the book, and the retail orders behind RPI trades are not in it
      { key: 'BT', form: 'flag', means: 'offBook', optional: true },
      { key: 'RPI', form: 'flag', means: 'offBook', optional: true },
      // the matching engine's, one for each order it took in
      { key: 'seq', form: 'id', means: 'order', optional: true },
    ],
    aggressors: { buy: 'Buy', sell: 'Sell' },
    usual: ['"type":"snapshot","ts":</ts>,"data":[<rows>]}', '"ts":</ts>,"type":"snapshot","data":[<rows>]}'],
    // futures tell the direction of the tick; retail prints came later than blocks, and sequences later than both
    usualRows: [
      '{"T":<T>,"s":"<symbol>","S":"<S>","v":"<v>","p":"<p>",("L":"<*>",)"i":"<*>","BT":<BT>,"RPI":<RPI>,"seq":<seq>}',
      '{"i":"<*>","T":<T>,"p":"<p>","v":"<v>","S":"<S>","seq":<seq>,"s":"<symbol>","BT":<BT>,"RPI":<RPI>}',
      '{"T":<T>,"s":"<symbol>","S":"<S>","v":"<v>","p":"<p>",("L":"<*>",)"i":"<*>","BT":<BT>,"RPI":<RPI>}',
      '{"i":"<*>","T":<T>,"p":"<p>","v":"<v>","S":"<S>","s":"<symbol>","BT":<BT>,"RPI":<RPI>}',
    ],
  },
  {
    // a snapshot, then deltas of what changed; on spot there is nothing of these in it
    name: 'ticker',
    event: 'derivative',
    streams: ['tickers'],
    fields: [
      emitted,
      { key: 'symbol', form: 'text', means: 'symbol' },
      { key: 'markPrice', form: 'fine', means: 'mark', optional: true, blank: true },
      { key: 'indexPrice', form: 'fine', means: 'index', optional: true, blank: true },
      { key: 'fundingRate', form: 'rate', means: 'funding', optional: true, blank: true },
      // dated futures have none
      {
        key: 'nextFundingTime',
        form: 'time',
        means: 'nextFunding',
        optional: true,
        blank: true,
        positive: true,
        loose: true,
      },
      // of both sides; `singleOpenInterest`, of one, came in 2026-06
      { key: 'openInterest', form: 'size', means: 'openInterest', optional: true, blank: true },
    ],
  },
  {
    name: 'liquidation',
    event: 'liquidation',
    streams: ['allLiquidation'],
    rows: 'data',
    fields: [
      emitted,
      { key: 'T', form: 'time', means: 'matched' },
      symbol,
      { key: 'S', form: 'text', means: 'aggressor' },
      { key: 'v', form: 'size', means: 'size' },
      // where the position was bankrupt, not where it was filled
      { key: 'p', form: 'fine', means: 'price' },
    ],
    // S is the side of the position, and the order that closes a long one sells
    aggressors: { buy: 'Sell', sell: 'Buy' },
  },
  // until 2025-02, one a second at most; whose side its `side` was is not on record
  { name: 'sampledLiquidation', event: 'other', streams: ['liquidation'], rows: 'data', fields: [emitted] },
  {
    name: 'kline',
    event: 'other',
    streams: [1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 'D', 'W', 'M'].map((span) => `kline.${span}`),
    rows: 'data',
    fields: [emitted],
  },
];

/** Key order differs between categories and depths, so nothing goes by position. */
export const bybitLayouts: Layouts = {
  id: 'bybit',
  topic: { stream: ['topic'], symbol: null, separator: '.', symbolFirst: false },
  payload: 'data',
  type: '/type',
  wrapper: '{"topic":"<topic>",<payload>',
  messages,
  control: ['op', 'success', 'ret_msg'],
};

function connections(category: Category, symbols: string[], channels: string[]): ConnectionPlan[] {
  const known = CHANNELS[category];
  checkChannels(`bybit-${category}`, known, channels);
  const topics: Topic[] = symbols.flatMap((one) =>
    channels.map((channel) => ({
      name: `${known[channel]}.${one}`,
      symbol: one,
      channel,
      firstDataMs: channel.startsWith('depth') ? FIRST_BOOK_MS : null,
    })),
  );
  return partsOf(topics, TOPICS_PER_CONNECTION).map((part) => ({
    path: `/v5/public/${category}`,
    topics: part,
    subscribe: symbols.flatMap((one) =>
      partsOf(
        part.filter((topic) => topic.symbol === one).map(({ name }) => name),
        ARGS_PER_TEXT,
      ).map((args) => JSON.stringify({ req_id: one, op: 'subscribe', args })),
    ),
    sendEveryMs: SEND_EVERY_MS,
    silenceMs: SILENCE_MS,
    lifetimeMs: null,
    ping: { text: '{"op":"ping"}', everyMs: PING_EVERY_MS },
  }));
}

function control(message: unknown): Control {
  if (!isObject(message)) return { kind: 'other' };
  const { success, ret_msg: text, op } = message;
  if (success === false) return { kind: 'error', id: null, text: wordOf(text ?? 'no reason given') };
  return success === true && op !== 'ping' ? { kind: 'ack', id: null } : { kind: 'other' };
}

/** All come with status 200. A wrong symbol is a wrong parameter, and the one thing in our requests that may be wrong. */
const FAULTS: FaultCodes = { success: 0, tooMany: [10006, 10018], busy: [10000, 10016], symbol: [10001] };

/** Sizes are base units; of inverse contracts US dollars. Spot calls its lot a precision. */
function readInstrument(category: Category, body: unknown, wanted: string): Instrument | null {
  const result = isObject(body) ? body.result : null;
  if (isObject(result) && result.category !== undefined && result.category !== category) return null;
  const found = objectsAt(result, 'list').find((one) => one.symbol === wanted);
  if (found === undefined) return null;
  const { priceFilter, lotSizeFilter, baseCoin, quoteCoin } = found;
  const tick = isObject(priceFilter) ? positive(priceFilter.tickSize) : null;
  const lot = isObject(lotSizeFilter) ? positive(lotSizeFilter.qtyStep ?? lotSizeFilter.basePrecision) : null;
  if (tick === null || lot === null) return null;
  return {
    symbol: wanted,
    kind: category,
    tick,
    lot,
    multiplier: '1',
    ...coinsOf(baseCoin, quoteCoin),
  };
}

/** A page names the next one in its own words; spot has one page, and no word for another. */
function nextInstruments(path: string, body: unknown): string | null {
  const result = isObject(body) ? body.result : null;
  const cursor = isObject(result) ? result.nextPageCursor : null;
  if (typeof cursor !== 'string' || cursor === '') return null;
  return `${path.replace(/&cursor=.*$/, '')}&cursor=${encodeURIComponent(cursor)}`;
}

/** Nanoseconds exceed what a number holds. */
function readTime(body: unknown): number | null {
  const result = isObject(body) ? body.result : null;
  const nanos = isObject(result) ? result.timeNano : null;
  return typeof nanos === 'string' && /^\d{19}$/.test(nanos) ? Number(nanos.slice(0, 16)) : null;
}

function createVenue(category: Category, title: string): Venue {
  const channels = Object.keys(CHANNELS[category]);
  const kind: InstrumentKind = category;
  return {
    id: `bybit-${category}`,
    title,
    kind,
    hosts: { ws: 'wss://stream.bybit.com', rest: 'https://api.bybit.com' },
    capabilities: {
      bookLossDetected: true,
      tradeLossDetected: false,
      touchById: false,
      conflationMs: 100,
      groups: 'heuristic',
      offBookMarked: true,
      backfill: 'ids of trades do not count, so none of them tells what is missing',
      ...(category === 'spot' ? {} : { liquidations: 'all' }),
    },
    channels: {
      default: ['depth', 'trade'],
      flow: 'trade',
      all: channels,
      ...(category === 'spot' ? {} : { liquidations: 'liquidation' }),
    },
    flowOf: () => 'trade',
    connections: (symbols, asked) => connections(category, symbols, asked),
    topicOf: (bytes, from, to) => leadingText(bytes, from, to, 'topic'),
    control,
    renew: (topic) => ['unsubscribe', 'subscribe'].map((op) => JSON.stringify({ op, args: [topic] })),
    rest: {
      instruments: (symbols) => [
        `/v5/market/instruments-info?category=${category}${symbols.length === 1 ? `&symbol=${encodeURIComponent(symbols[0])}` : '&limit=1000'}`,
      ],
      nextInstruments,
      readInstrument: (body, wanted) => readInstrument(category, body, wanted),
      fault: (body) => (isObject(body) ? faultOf(FAULTS, body.retCode, body.retMsg) : null),
      time: '/v5/market/time',
      readTime,
      snapshotEveryMs: 100,
    },
    slides: true,
    // a book over REST has the ids of the 1000-level stream; every stream begins with a book of its own
    readSnapshot: () => null,
    isSnapshotBody: () => false,
    layouts: bybitLayouts,
    continuity: chainedByOne,
    tradeChain: unprovenTrades,
    symbolForm: SYMBOL_FORMS[category],
  };
}

export const bybitLinear = createVenue('linear', 'Bybit linear perpetuals and futures');
export const bybitInverse = createVenue('inverse', 'Bybit inverse perpetuals and futures');
export const bybitSpot = createVenue('spot', 'Bybit spot');
