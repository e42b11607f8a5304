/** WEEX: USDT-margined futures, protocol v3. Facts and their certainty come from the public documentation, client code and recordings. */
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';
import type { Continuity } from '../model/continuity.js';
import type { Instrument } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import {
  checkChannels,
  coinsOf,
  isLevels,
  isObject,
  microsOf,
  objectIn,
  objectsAt,
  partsOf,
  positive,
  stepOf,
  wordOf,
} from './fields.js';
import { chainedByLink, unprovenTrades } from './sequence.js';
import type { ConnectionPlan, Control, Topic, Venue } from './venue.js';

const ID = 'weex-futures';

/** Channel -> what stands behind the symbol and an `@`. Depths are books of their own; there are no others, and no best quotes. */
const CHANNELS: Record<string, string> = { depth: 'depth200', depth15: 'depth15', trade: 'trade', ticker: 'ticker' };
/** An ack proves nothing: a book begins with a snapshot, within half a second even where a hundred were asked for at once. */
const FIRST_BOOK_MS = 5_000;

/** A hundred are allowed; this many are whole symbols, whether one channel is asked for or all four. */
const TOPICS_PER_CONNECTION = 96;
/**
 * 240 subscriptions an hour and connection are allowed, however many topics each has, and renewals need most of them. Whether one
 * wrong topic spoils its whole text is not known, so a text is a part of the plan, not all of it.
 */
const TOPICS_PER_TEXT = 24;
const SEND_EVERY_MS = 100;
/** Our pings are acked like subscriptions; this id tells them apart, so that not every tape gets a copy of every ack. */
const PING_ID = 1_000;
const PING = { text: JSON.stringify({ method: 'PING', id: PING_ID }), everyMs: 15_000 };
const PONG = JSON.stringify({ method: 'PONG', id: PING_ID });
/** On any market the answers to our pings come, so a longer silence is a dead connection. */
const SILENCE_MS = 40_000;

/** Id of the empty book that a delisted symbol gets, once, after its subscription was acked. */
const DEAD = 0;

const emitted: FieldLayout = { key: '/E', form: 'time', means: 'emitted' };
const last: FieldLayout = { key: 'u', form: 'id', means: 'last' };
const bids: FieldLayout = { key: 'b', form: 'levels', means: 'bids' };
const asks: FieldLayout = { key: 'a', form: 'levels', means: 'asks' };
/** Recordings have both marks of a snapshot; clients go by one or the other, so either is enough. */
const whole: Omit<MessageLayout, 'streams'> = {
  name: 'snapshot',
  event: 'snapshot',
  of: 'depth',
  fields: [emitted, last, bids, asks],
};
const books = ['depth200', 'depth15'];

/** `previous` where it is read. */
function usualBook(previous: string, type: string): string[] {
  return [`"U":${previous},"u":<u>,"l":</l>,"d":"${type}","b":<b>,"a":<a>}`];
}

const messages: MessageLayout[] = [
  {
    name: 'depth',
    event: 'depth',
    streams: books,
    type: 'CHANGED',
    // U is the end of the update before, not the one behind it: all 27146 recorded updates say so, the documentation does not
    fields: [emitted, { key: 'U', form: 'id', means: 'previous' }, last, bids, asks],
    usual: usualBook('<U>', 'CHANGED'),
  },
  { ...whole, streams: ['depthSnapshot200', 'depthSnapshot15'], usual: usualBook('<#>', 'SNAPSHOT') },
  { ...whole, streams: books, type: 'SNAPSHOT' },
  {
    name: 'trade',
    event: 'trade',
    streams: ['trade'],
    // not sorted by time. Ids are UUIDs, which prove nothing
    rows: 'd',
    rowOrder: 'none',
    fields: [
      emitted,
      { key: 'T', form: 'time', means: 'matched' },
      { key: 'p', form: 'price', means: 'price' },
      { key: 'q', form: 'size', means: 'size' },
      { key: 'm', form: 'flag', means: 'buyerIsMaker' },
    ],
    usual: ['"d":[<rows>]}'],
    usualRows: ['{"T":<T>,"t":"<*>","p":"<p>","q":"<q>","v":"<*>","m":<m>}'],
  },
  // trades of before the subscription, as client code has it: no flow. None was ever recorded, so nothing is asked of its fields
  { name: 'tradeSnapshot', event: 'other', streams: ['tradeSnapshot'], fields: [] },
  {
    // of funding, open interest and liquidations nothing is pushed
    name: 'ticker',
    event: 'derivative',
    streams: ['ticker'],
    rows: 'd',
    fields: [
      emitted,
      { key: 'm', form: 'fine', means: 'mark', optional: true },
      { key: 'i', form: 'fine', means: 'index', optional: true },
    ],
  },
  { name: 'kline', event: 'other', streams: ['kline'], fields: [emitted] },
];

/** A book's stream is its event and level; others have no level at the root. */
export const weexLayouts: Layouts = {
  id: 'weex',
  topic: { stream: ['e', 'l'], symbol: 's' },
  payload: '',
  type: 'd',
  wrapper: '{"e":"<stream>","E":</E>,"s":"<symbol>",<payload>',
  restPairs: true,
  messages,
  // acks, greeting and pings; told by `event`, the data of protocol v2 would be taken for control talk and never be missed
  control: ['result', 'time'],
};

function connections(symbols: string[], channels: string[]): ConnectionPlan[] {
  checkChannels(ID, CHANNELS, channels);
  const topics: Topic[] = symbols.flatMap((symbol) =>
    channels.map((channel) => ({
      name: `${symbol}@${CHANNELS[channel]}`,
      symbol,
      channel,
      firstDataMs: channel.startsWith('depth') ? FIRST_BOOK_MS : null,
    })),
  );
  return partsOf(topics, TOPICS_PER_CONNECTION).map((part) => ({
    path: '/v3/ws/public',
    topics: part,
    subscribe: partsOf(part, TOPICS_PER_TEXT).map((some, n) => request('SUBSCRIBE', some, n + 1)),
    sendEveryMs: SEND_EVERY_MS,
    silenceMs: SILENCE_MS,
    lifetimeMs: null,
    ping: PING,
  }));
}

function request(method: 'SUBSCRIBE' | 'UNSUBSCRIBE', topics: readonly Pick<Topic, 'name'>[], id: number): string {
  return JSON.stringify({ method, params: topics.map(({ name }) => name), id });
}

/** How every recorded message begins: event, time, symbol, and a book's ids and level. */
const HEAD = /^\{"e":"(\w+)","E":\d+,"s":"([^"\\]+)",(?:"U":\d+,"u":\d+,"l":(\d+),)?/;
const HEAD_BYTES = 256;

function topicOf(bytes: Uint8Array, from: number, to: number): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const head = HEAD.exec(text.toString('utf8', 0, HEAD_BYTES));
  const topic = head === null ? null : topicName(head[1], head[2], head[3]);
  if (topic !== null) return topic;
  // another order of keys, or no data at all
  if (!text.includes('"e"')) return null;
  try {
    const message: unknown = JSON.parse(text.toString('utf8'));
    return isObject(message) ? topicName(message.e, message.s, message.l) : null;
  } catch {
    return null;
  }
}

/** The topic that brings this event; a book's is known by its level only. */
function topicName(event: unknown, symbol: unknown, level: unknown): string | null {
  if (typeof event !== 'string' || typeof symbol !== 'string') return null;
  const stream = event.replace(/Snapshot$/, '');
  if (stream !== 'depth') return `${symbol}@${stream}`;
  return typeof level === 'string' || Number.isSafeInteger(level) ? `${symbol}@depth${String(level)}` : null;
}

function control(message: unknown): Control {
  if (!isObject(message) || typeof message.result !== 'boolean') return { kind: 'other' };
  const id = typeof message.id === 'number' ? message.id : null;
  if (!message.result) return { kind: 'error', id, text: wordOf(message.msg ?? 'no reason given') };
  return id === PING_ID ? { kind: 'other' } : { kind: 'ack', id };
}

function answer(text: string): string | null {
  if (!text.includes('"ping"')) return null;
  return objectIn(text)?.event === 'ping' ? PONG : null;
}

/** Sizes are coins. `contractVal` is their step and no multiplier, though clients publish it as the size of a contract. */
function readInstrument(body: unknown, wanted: string): Instrument | null {
  const found = objectsAt(body, 'symbols').find(({ symbol }) => symbol === wanted);
  const tick = stepOf(found?.pricePrecision);
  const lot = positive(found?.contractVal);
  if (found === undefined || tick === null || lot === null) return null;
  const { baseAsset: base, quoteAsset: quote } = found;
  return {
    symbol: wanted,
    kind: 'linear',
    tick,
    lot,
    multiplier: '1',
    ...coinsOf(base, quote),
  };
}

/** Its id is one of the stream's own, so it can be joined; seen to be so, not promised, and `chainedByLink` refuses one that does not fit. */
function readSnapshot(body: unknown): Snapshot | null {
  if (!isObject(body)) return null;
  const { lastUpdateId: id, bids, asks } = body;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id <= DEAD || !isLevels(bids) || !isLevels(asks))
    return null;
  return { id, emitted: 0, matched: 0, bids, asks };
}

/**
 * No chain begins with a dead stream's book: it has nothing to follow. A layout cannot tell it by its id, so to decoders it is a
 * snapshot like others; that it joined nothing is all this venue can say.
 */
function chainedWhereAlive(): Continuity {
  const chain = chainedByLink();
  const { whole } = chain;
  chain.whole = (id) => (id === DEAD ? chain.reset() : whole(id));
  return chain;
}

export const weexFutures: Venue = {
  id: ID,
  title: 'WEEX USDT-margined futures',
  kind: 'linear',
  hosts: { ws: 'wss://ws-contract.weex.com', rest: 'https://api-contract.weex.com' },
  capabilities: {
    bookLossDetected: true,
    tradeLossDetected: false,
    touchById: false,
    conflationMs: 500,
    groups: 'heuristic',
    offBookMarked: false,
    backfill: 'ids of trades do not count, so none of them tells what is missing',
  },
  channels: { default: ['depth', 'trade'], flow: 'trade', all: Object.keys(CHANNELS) },
  flowOf: () => 'trade',
  connections,
  topicOf,
  control,
  answer,
  renew: (name, id) => [request('UNSUBSCRIBE', [{ name }], id * 2), request('SUBSCRIBE', [{ name }], id * 2 + 1)],
  rest: {
    instruments: () => ['/capi/v3/market/exchangeInfo'],
    readInstrument,
    snapshot: (symbol) => `/capi/v3/market/depth?symbol=${encodeURIComponent(symbol)}&limit=200`,
    time: '/capi/v3/market/time',
    readTime: (body) => (isObject(body) ? microsOf(body.serverTime) : null),
    // weight 1 of 500 in 10 s, with room to spare
    snapshotEveryMs: 100,
  },
  slides: true,
  readSnapshot,
  isSnapshotBody: (body) => readSnapshot(body) !== null,
  layouts: weexLayouts,
  continuity: chainedWhereAlive,
  tradeChain: unprovenTrades,
  // there are no dated contracts
  symbolForm: /^[A-Z0-9]{1,20}USDT$/,
};
