/** BingX USDT-M perpetuals (USDC-M too). Facts and their certainty come from the public documentation and recordings. */
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';
import type { Instrument } from '../model/instrument.js';
import {
  checkChannels,
  coinsOf,
  INFLATED,
  isLevels,
  isObject,
  leadingText,
  microsOf,
  objectIn,
  objectsAt,
  partsOf,
  stepOf,
} from './fields.js';
import { type FaultCodes, faultOf } from './rest-fault.js';
import { chainedBySkips, unprovenTrades } from './sequence.js';
import type { ConnectionPlan, Control, RestAudit, Topic, Venue } from './venue.js';

interface Channel {
  /** the venue's word */
  stream: string;
  firstDataMs: number | null;
}

/** A whole book comes half a second after its subscription at the latest. */
const FIRST_BOOK_MS = 5_000;
/** Of what is pushed once a second, changed or not. */
const FIRST_PUSH_MS = 15_000;

/** Depths of the views of a book's top. */
const DEPTHS = [5, 10, 20, 50, 100];
/** The interval in a topic is a word only: each symbol has its own, whatever is asked for. */
const INTERVALS = ['', '@100ms', '@200ms', '@500ms', '@1000ms'];

const CHANNELS: Record<string, Channel> = {
  depth: { stream: 'incrDepth', firstDataMs: FIRST_BOOK_MS },
  trade: { stream: 'trade', firstDataMs: null },
  // sparse, and now and then minutes old
  bookTicker: { stream: 'bookTicker', firstDataMs: null },
  markPrice: { stream: 'markPrice', firstDataMs: FIRST_PUSH_MS },
  lastPrice: { stream: 'lastPrice', firstDataMs: null },
  ticker: { stream: 'ticker', firstDataMs: FIRST_PUSH_MS },
  ...Object.fromEntries(DEPTHS.map((n) => [`depth${n}`, { stream: `depth${n}@500ms`, firstDataMs: FIRST_PUSH_MS }])),
};

/** The 201st topic of a connection is refused. */
const TOPICS_PER_CONNECTION = 200;
/** Ten texts a second are too many. Whether they are counted by connection or by address is not known: all plans share them. */
const SEND_EVERY_MS = 120;
/** `Ping` comes every five seconds on any market. */
const SILENCE_MS = 15_000;

/** The topic says the symbol already; a row that names another would be of another book. */
const symbol: FieldLayout = { key: 's', form: 'text', means: 'symbol', optional: true };
const pushed: FieldLayout = { key: 'E', form: 'time', means: 'emitted', optional: true };
const levels: FieldLayout[] = [
  { key: 'bids', form: 'levels', means: 'bids' },
  { key: 'asks', form: 'levels', means: 'asks' },
];
/** Whether books ever carry `symbol` and `sourceUpdateId`, as one client has it, and in which form is not known: nobody reads them. */
const bookFields: FieldLayout[] = [
  { key: 'time', form: 'time', means: 'emitted' },
  { key: 'lastUpdateId', form: 'id', means: 'last' },
  ...levels,
];
const KLINES = ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'];

function usualBook(action: string): string[] {
  return [`{"action":"${action}","lastUpdateId":<lastUpdateId>,"time":<time>,"bids":<bids>,"asks":<asks>}}`];
}

const messages: MessageLayout[] = [
  // asks come worst first
  {
    name: 'depth',
    event: 'depth',
    streams: ['incrDepth'],
    type: 'update',
    fields: bookFields,
    usual: usualBook('update'),
  },
  {
    name: 'snapshot',
    event: 'snapshot',
    of: 'depth',
    streams: ['incrDepth'],
    type: 'all',
    fields: bookFields,
    usual: usualBook('all'),
  },
  {
    name: 'trade',
    event: 'trade',
    streams: ['trade'],
    // A list, or one object as on the venue's other markets. Rows have no ids and equal ones are trades of their own. The one
    // long list on record goes from new to old, which nobody promises: one that does not keeps its order.
    rows: 'data',
    rowOrder: 'newestFirst',
    fields: [
      pushed,
      { key: 'T', form: 'time', means: 'matched' },
      symbol,
      { key: 'p', form: 'price', means: 'price' },
      { key: 'q', form: 'size', means: 'size' },
      { key: 'm', form: 'flag', means: 'buyerIsMaker' },
    ],
    usual: ['[<rows>]}'],
    usualRows: ['{"q":"<q>","p":"<p>","T":<T>,"m":<m>,"s":"<symbol>"}'],
  },
  {
    name: 'bookTicker',
    event: 'touch',
    streams: ['bookTicker'],
    fields: [
      pushed,
      { key: 'T', form: 'time', means: 'matched' },
      symbol,
      { key: 'u', form: 'id', means: 'id' },
      { key: 'b', form: 'price', means: 'bid' },
      { key: 'B', form: 'size', means: 'bidSize' },
      { key: 'a', form: 'price', means: 'ask' },
      { key: 'A', form: 'size', means: 'askSize' },
    ],
  },
  {
    // index price, funding and open interest are not pushed
    name: 'markPrice',
    event: 'derivative',
    streams: ['markPrice'],
    fields: [pushed, symbol, { key: 'p', form: 'fine', means: 'mark' }],
  },
  ...['lastPrice', 'ticker'].map(
    (name): MessageLayout => ({ name, event: 'other', streams: [name], fields: [pushed] }),
  ),
  ...DEPTHS.map(
    (n): MessageLayout => ({
      name: `depth${n}`,
      event: 'partial',
      streams: INTERVALS.map((interval) => `depth${n}${interval}`),
      fields: [{ key: '/ts', form: 'time', means: 'emitted', optional: true }, ...levels],
    }),
  ),
  { name: 'kline', event: 'other', streams: KLINES.map((span) => `kline_${span}`), rows: 'data', fields: [] },
];

export const bingxLayouts: Layouts = {
  id: 'bingx',
  topic: { stream: ['dataType'], symbol: null, separator: '@', symbolFirst: true },
  payload: 'data',
  type: 'action',
  wrapper: '{"code":0,"dataType":"<topic>","data":<payload>',
  messages,
  control: ['msg', 'ping'],
};

function connections(symbols: string[], channels: string[]): ConnectionPlan[] {
  checkChannels('bingx-swap', CHANNELS, channels);
  if (channels.length === 0) return [];
  // what is said of one symbol comes by one connection
  const parts = partsOf(symbols, Math.floor(TOPICS_PER_CONNECTION / channels.length));
  return parts.map((part) => {
    const topics = part.flatMap((one) => channels.map((channel) => topicFor(one, channel)));
    return {
      path: '/swap-market',
      topics,
      subscribe: topics.map(({ name }, n) => request(String(n + 1), 'sub', name)),
      single: true,
      sendEveryMs: SEND_EVERY_MS * parts.length,
      silenceMs: SILENCE_MS,
      lifetimeMs: null,
    };
  });
}

function topicFor(symbol: string, channel: string): Topic {
  const { stream, firstDataMs } = CHANNELS[channel];
  return { name: `${symbol}@${stream}`, symbol, channel, firstDataMs };
}

/** One topic a text: a list of them is neither refused nor answered. */
function request(id: string, reqType: 'sub' | 'unsub', dataType: string): string {
  return JSON.stringify({ id, reqType, dataType });
}

/**
 * Acks and errors name no topic, and their `dataType` is empty or missing. A subscription that is refused may be followed by one
 * message of its topic all the same, which looks like any other: the id of the refusal tells which topic that is.
 */
function control(message: unknown): Control {
  if (!isObject(message)) return { kind: 'other' };
  const { id: given, code, msg, dataType } = message;
  const id = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : null;
  if (typeof code !== 'number') return { kind: 'other' };
  if (code !== 0) return { kind: 'error', id, text: `${code} ${typeof msg === 'string' ? msg : ''}`.trim() };
  return (dataType ?? '') === '' ? { kind: 'ack', id } : { kind: 'other' };
}

/** A bare word here, JSON on the venue's other markets; either may come anywhere. Unanswered, the connection ends after 30 s. */
function answer(text: string): string | null {
  if (text === 'Ping') return 'Pong';
  const said = text.includes('"ping"') ? objectIn(text) : null;
  return typeof said?.ping === 'string' ? JSON.stringify({ pong: said.ping, time: said.time }) : null;
}

/** Sizes are base units. `size` is a leftover, and `displayName` may be another than the symbol. */
function readInstrument(body: unknown, wanted: string): Instrument | null {
  const found = objectsAt(body, 'data').find((one) => one.symbol === wanted);
  if (found === undefined) return null;
  const tick = stepOf(found.pricePrecision);
  const lot = stepOf(found.quantityPrecision);
  if (tick === null || lot === null) return null;
  const { asset, currency } = found;
  return {
    symbol: wanted,
    kind: 'linear',
    tick,
    lot,
    multiplier: '1',
    ...coinsOf(asset, currency),
  };
}

/** With status 200; who goes on after too many requests is answered with status 429, and banned for minutes. */
const FAULTS: FaultCodes = { success: 0, tooMany: [100410], busy: [80012, 100500], symbol: [109425] };

/** Of either side. */
const AUDIT_LEVELS = 100;

const audit: RestAudit = {
  book: (symbol) => `/openApi/swap/v2/quote/depth?symbol=${symbol}&limit=${AUDIT_LEVELS}`,
  firstMs: 5_000,
  againMs: 6_000,
  everyMs: 300_000,
  /** Errors have status 200, another code and no levels. */
  read(body) {
    if (!isObject(body) || body.code !== 0 || !isObject(body.data)) return null;
    const { T, bids, asks, bidsCoin = bids, asksCoin = asks } = body.data;
    if (!isLevels(bids) || !isLevels(asks)) return null;
    // The same twice wherever anybody looked. Where it once was not, which of them the socket's sizes are is not known.
    if (!isDeepStrictEqual([bids, asks], [bidsCoin, asksCoin])) return null;
    return { emitted: microsOf(T) ?? 0, bids, asks };
  },
};

export const bingxSwap: Venue = {
  id: 'bingx-swap',
  title: 'BingX USDT-M perpetuals',
  kind: 'linear',
  hosts: { ws: 'wss://open-api-swap.bingx.com', rest: 'https://open-api.bingx.com' },
  capabilities: {
    // documented as +1 each, ids skip all the time, and the books kept over the skips were right
    bookLossDetected: false,
    tradeLossDetected: false,
    touchById: false,
    conflationMs: 200,
    groups: 'heuristic',
    offBookMarked: false,
    backfill: 'trades in the stream have no ids, so nothing tells what is missing',
  },
  channels: { default: ['depth', 'trade'], flow: 'trade', all: Object.keys(CHANNELS) },
  flowOf: () => 'trade',
  connections,
  topicOf: (bytes, from, to) => leadingText(bytes, from, to, 'dataType'),
  control,
  inflate: (bytes) => gunzipSync(bytes, INFLATED),
  answer,
  // a second subscription alone is acked and may bring no book; whether one after the end of the first does is not known either
  renew: (topic, id) => (['unsub', 'sub'] as const).map((what) => request(`${what} ${topic} ${id}`, what, topic)),
  rest: {
    instruments: () => ['/openApi/swap/v2/quote/contracts'],
    readInstrument,
    fault: (body) => (isObject(body) ? faultOf(FAULTS, body.code, body.msg) : null),
    time: '/openApi/swap/v2/server/time',
    readTime: (body) => microsOf(isObject(body) && isObject(body.data) ? body.data.serverTime : null),
    // 500 requests in 10 s are allowed for one path and address
    snapshotEveryMs: 100,
    audit,
  },
  slides: true,
  // a book over REST has no id to join it by
  readSnapshot: () => null,
  isSnapshotBody: () => false,
  layouts: bingxLayouts,
  continuity: chainedBySkips,
  tradeChain: unprovenTrades,
  symbolForm: /^[A-Z0-9]{1,24}-USD[TC]$/,
};
