/** MEXC futures: USDT-, USDC- and coin-margined. Facts and their certainty come from the public documentation and recordings. */
import { gunzipSync, inflateRawSync } from 'node:zlib';
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';
import { decimalsOf, formatScaled, scaleDecimal } from '../model/decimal.js';
import type { Instrument } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import { checkChannels, coinsOf, INFLATED, isObject, microsOf, objectIn, partsOf, positive, wordOf } from './fields.js';
import { type FaultCodes, faultOf } from './rest-fault.js';
import { chainedByRange, unprovenTrades } from './sequence.js';
import type { ConnectionPlan, Control, Topic, Venue } from './venue.js';

interface Channel {
  /** the venue's word behind `sub.` and `push.` */
  name: string;
  firstDataMs: number | null;
  limit?: number;
}

/** Acks name no symbol, so only data confirm a subscription; quiet contracts push their books every 4 to 6 s. */
const FIRST_DATA_MS = 10_000;

const CHANNELS: Record<string, Channel> = {
  depth: { name: 'depth', firstDataMs: FIRST_DATA_MS },
  // whether prints are lost in merging is not known, nor whether `"compress":false` is honoured here; nothing is asked for
  trade: { name: 'deal', firstDataMs: null },
  depth20: { name: 'depth.full', firstDataMs: FIRST_DATA_MS, limit: 20 },
  ticker: { name: 'ticker', firstDataMs: FIRST_DATA_MS },
  markPrice: { name: 'fair.price', firstDataMs: FIRST_DATA_MS },
  indexPrice: { name: 'index.price', firstDataMs: FIRST_DATA_MS },
  funding: { name: 'funding.rate', firstDataMs: null },
};

/** `BTC_USDT`, `BTC_USDC`, `BTC_USD1`, `AAPLSTOCK_USDT`, `1000BONK_USDT`; `BTC_USD`, whose margin is the coin. */
const SYMBOL_FORM = /^[A-Z0-9]{1,20}_USD[TC1]?$/;

/** No limit is published; 150 on one connection were seen to work. */
const TOPICS_PER_CONNECTION = 100;
const SEND_EVERY_MS = 50;
/** What sends no ping is closed after 60 s, even while data come. */
const PING = { text: '{"method":"ping"}', everyMs: 15_000 };
/** Pongs come every 15 s, so a longer silence is a dead connection on any market. */
const SILENCE_MS = 40_000;

const emitted: FieldLayout = { key: '/ts', form: 'time', means: 'emitted', loose: true };
/** The matching engine's time came in 2026-06. */
const matched: FieldLayout = { key: 'cts', form: 'time', means: 'matched', optional: true, loose: true };
const version: FieldLayout = { key: 'version', form: 'id', means: 'id' };
/** Price, contracts and orders. */
const levels: FieldLayout[] = [
  { key: 'bids', form: 'levels', means: 'bids', loose: true, bare: true },
  { key: 'asks', form: 'levels', means: 'asks', loose: true, bare: true },
];

/** With the matching engine's time, and without as until 2026-06. */
function usualBooks(versions: string): string[] {
  return ['"cts":<cts>,', ''].map((cts) => `{${cts}"asks":<asks>,"bids":<bids>,${versions}}`);
}

/** Ids came in 2025-08, the matching engine's time in 2026-06. */
const usualDeal = '{"p":<p>,"v":<v>,"T":<T>,"O":<#>,"M":<#>,"t":<t>(,"i":"<#>")(,"cts":"<#>")}';

/** What is said of a contract beside its market; of liquidations nothing is pushed. */
function derivative(name: string, stream: string, fields: FieldLayout[]): MessageLayout {
  return { name, event: 'derivative', streams: [stream], fields: [emitted, ...fields] };
}

const messages: MessageLayout[] = [
  {
    name: 'depth',
    event: 'depth',
    streams: ['push.depth'],
    fields: [
      emitted,
      matched,
      // a message of one change has no other id; merged ones name the range, and the range stands behind so that it counts
      version,
      { key: 'begin', form: 'id', means: 'first', optional: true, positive: true },
      { key: 'end', form: 'id', means: 'last', optional: true, positive: true },
      ...levels,
    ],
    usual: ['"begin":<begin>,"end":<end>,"version":<#>', '"version":<version>'].flatMap(usualBooks),
  },
  {
    name: 'depth20',
    event: 'partial',
    streams: ['push.depth.full'],
    fields: [emitted, matched, version, ...levels],
    usual: usualBooks('"version":<version>'),
  },
  {
    name: 'trade',
    event: 'trade',
    streams: ['push.deal'],
    // one object until the middle of 2025, a list since
    rows: 'data',
    // ids may count over all symbols and do not rise within a message, so they prove nothing; `M`, documented as the mark of
    // a self-trade, is 1 on most
    fields: [
      emitted,
      { key: 't', form: 'time', means: 'matched', loose: true },
      { key: 'T', form: 'text', means: 'aggressor', loose: true, bare: true },
      { key: 'v', form: 'size', means: 'size', loose: true, bare: true },
      { key: 'p', form: 'price', means: 'price', loose: true, bare: true },
    ],
    aggressors: { buy: '1', sell: '2' },
    usual: ['[<rows>]', usualDeal],
    usualRows: [usualDeal],
  },
  derivative('ticker', 'push.ticker', [
    { key: 'fairPrice', form: 'fine', means: 'mark', optional: true, loose: true },
    { key: 'indexPrice', form: 'fine', means: 'index', optional: true, loose: true },
    { key: 'fundingRate', form: 'rate', means: 'funding', optional: true, loose: true },
    { key: 'holdVol', form: 'size', means: 'openInterest', optional: true, loose: true },
  ]),
  derivative('markPrice', 'push.fair.price', [{ key: 'price', form: 'fine', means: 'mark', loose: true }]),
  derivative('indexPrice', 'push.index.price', [{ key: 'price', form: 'fine', means: 'index', loose: true }]),
  derivative('funding', 'push.funding.rate', [
    { key: 'rate', form: 'rate', means: 'funding', loose: true },
    // old recordings have none
    { key: 'nextSettleTime', form: 'time', means: 'nextFunding', optional: true, positive: true, loose: true },
  ]),
  ...(
    [
      ['kline', 'push.kline'],
      ['contract', 'push.contract'],
    ] as const
  ).map(([name, stream]): MessageLayout => ({ name, event: 'other', streams: [stream], fields: [emitted] })),
];

export const mexcLayouts: Layouts = {
  id: 'mexc',
  topic: { stream: ['channel'], symbol: 'symbol' },
  payload: 'data',
  type: '/channel',
  wrapper: '{"symbol":"<symbol>","data":<payload>,"channel":"<stream>","ts":</ts>}',
  messages,
  // acks, errors and pongs have a channel too, but no symbol
  control: ['channel'],
};

function connections(symbols: string[], channels: string[]): ConnectionPlan[] {
  checkChannels('mexc-futures', CHANNELS, channels);
  const topics: Topic[] = symbols.flatMap((symbol) =>
    channels.map((channel) => ({
      name: topicName(`push.${CHANNELS[channel].name}`, symbol),
      symbol,
      channel,
      firstDataMs: CHANNELS[channel].firstDataMs,
    })),
  );
  // one client saw whole books pushed as `push.depth` on a socket that had both: they are kept apart
  const apart = [topics.filter((one) => one.channel !== 'depth20'), topics.filter((one) => one.channel === 'depth20')];
  return apart
    .flatMap((some) => partsOf(some, TOPICS_PER_CONNECTION))
    .map((part) => ({
      path: '/edge',
      topics: part,
      // of several symbols in one text only the first is subscribed
      subscribe: part.map(({ symbol, channel }) => subscription(CHANNELS[channel], symbol)),
      sendEveryMs: SEND_EVERY_MS,
      silenceMs: SILENCE_MS,
      lifetimeMs: null,
      ping: PING,
    }));
}

function subscription({ name, limit }: Channel, symbol: string): string {
  return JSON.stringify({ method: `sub.${name}`, param: { symbol, limit } });
}

/** How full depth is ended is documented with a word that looks like a slip, and there is nothing to end. */
function again(topics: readonly string[]): string[] {
  return Object.values(CHANNELS).flatMap((channel) => {
    const prefix = topicName(`push.${channel.name}`, '');
    return topics.flatMap((one) => (one.startsWith(prefix) ? [subscription(channel, one.slice(prefix.length))] : []));
  });
}

/** What stands for a topic on our side: the venue's own names are two texts. */
const topicName = (channel: string, symbol: string): string => `${channel}:${symbol}`;

/** More than what stands before or behind a message's data. */
const EDGE_BYTES = 256;
/** Inside a string, quotes have a backslash before them: what looks like these is a key and its value. */
const CHANNEL = /"channel":"(push\.[^"\\]+)"/;
const SYMBOL = /"symbol":"([^"\\]+)"/;

/** Channel and symbol stand before the data or behind them. What has them written in another way, or not at all, is parsed. */
function topicOf(bytes: Uint8Array, from: number, to: number): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const head = text.toString('utf8', 0, EDGE_BYTES);
  const tail = text.toString('utf8', Math.max(0, text.length - EDGE_BYTES));
  // up to the first bracket inside and from behind the last one, where there are no keys but the root's
  const open = head.slice(1).search(/[{[]/);
  const before = open < 0 ? head : head.slice(0, open + 1);
  const end = tail.lastIndexOf('}');
  const behind = tail.slice(Math.max(tail.lastIndexOf('}', end - 1), tail.lastIndexOf(']', end - 1)) + 1, end);
  const channel = (CHANNEL.exec(before) ?? CHANNEL.exec(behind))?.[1];
  const symbol = (SYMBOL.exec(before) ?? SYMBOL.exec(behind))?.[1];
  return channel === undefined || symbol === undefined ? parsedTopic(text) : topicName(channel, symbol);
}

function parsedTopic(text: Buffer): string | null {
  const { channel, symbol } = objectIn(text.toString('utf8')) ?? {};
  const isData = typeof channel === 'string' && channel.startsWith('push.') && typeof symbol === 'string';
  return isData ? topicName(channel, symbol) : null;
}

function control(message: unknown): Control {
  if (!isObject(message)) return { kind: 'other' };
  const { channel, data } = message;
  if (channel === 'rs.error') return { kind: 'error', id: null, text: wordOf(data ?? 'no reason given') };
  return typeof channel === 'string' && channel.startsWith('rs.sub.') ? { kind: 'ack', id: null } : { kind: 'other' };
}

/** The documentation knows of gzip, which was never seen; bytes that hold no JSON object are no such message. */
function inflate(bytes: Uint8Array): Uint8Array {
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, INFLATED) : inflateRawSync(bytes, INFLATED);
  if (text[0] !== 0x7b) throw new Error('no JSON object inside');
  return text;
}

/** A decimal of zero or more without exponent, which small numbers have as text; null where there is none. */
function plain(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return null;
  const decimals = decimalsOf(text);
  const scaled = scaleDecimal(text, decimals);
  return scaled >= 0 ? formatScaled(scaled, decimals) : null;
}

/** All come with status 200. */
const FAULTS: FaultCodes = { success: 0, tooMany: [510], busy: [500, 501], symbol: [1001] };

/** Sizes are contracts: of `contractSize` base units, or US dollars where the margin is the coin itself. */
function readInstrument(body: unknown, wanted: string): Instrument | null {
  const listed = isObject(body) && body.success !== false ? [body.data].flat() : [];
  const found = listed.find((one) => isObject(one) && one.symbol === wanted);
  if (!isObject(found)) return null;
  const { baseCoin, quoteCoin, settleCoin } = found;
  const tick = plain(positive(found.priceUnit));
  const lot = plain(positive(found.volUnit));
  const multiplier = plain(positive(found.contractSize));
  if (tick === null || lot === null || multiplier === null) return null;
  return {
    symbol: wanted,
    kind: typeof baseCoin === 'string' && settleCoin === baseCoin ? 'inverse' : 'linear',
    tick,
    lot,
    multiplier,
    ...coinsOf(baseCoin, quoteCoin),
  };
}

/** Levels best first, an order that the venue does not promise; null where one of them is none. */
function rowsOf(value: unknown, sign: 1 | -1): [string, string][] | null {
  if (!Array.isArray(value)) return null;
  const rows: [string, string][] = [];
  for (const row of value) {
    const [price, size] = Array.isArray(row) ? [plain(row[0]), plain(row[1])] : [null, null];
    if (price === null || size === null) return null;
    rows.push([price, size]);
  }
  return rows.sort(([a], [b]) => sign * (Number(a) - Number(b)));
}

/** What is delisted has an empty book with an old time for ever, which is no state of a market. */
function readSnapshot(body: unknown): Snapshot | null {
  if (!isObject(body) || body.success !== true || !isObject(body.data)) return null;
  const { version: id, timestamp, cts } = body.data;
  const bids = rowsOf(body.data.bids, -1);
  const asks = rowsOf(body.data.asks, 1);
  if (bids === null || asks === null || bids.length + asks.length === 0) return null;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) return null;
  return { id, emitted: microsOf(timestamp) ?? 0, matched: microsOf(cts) ?? 0, bids, asks };
}

export const mexcFutures: Venue = {
  id: 'mexc-futures',
  title: 'MEXC futures',
  kind: 'linear',
  hosts: { ws: 'wss://contract.mexc.com', rest: 'https://api.mexc.com' },
  capabilities: {
    bookLossDetected: true,
    tradeLossDetected: false,
    touchById: false,
    conflationMs: 200,
    groups: 'heuristic',
    offBookMarked: false,
    backfill: 'ids of trades may skip, so none of them tells what is missing',
  },
  channels: { default: ['depth', 'trade'], flow: 'trade', all: Object.keys(CHANNELS) },
  flowOf: () => 'trade',
  connections,
  topicOf,
  control,
  again,
  inflate,
  rest: {
    instruments: (symbols) => [
      `/api/v1/contract/detail${symbols.length === 1 ? `?symbol=${encodeURIComponent(symbols[0])}` : ''}`,
    ],
    readInstrument,
    fault: (body) => (isObject(body) ? faultOf(FAULTS, body.code, body.message) : null),
    snapshot: (symbol) => `/api/v1/contract/depth/${encodeURIComponent(symbol)}?limit=1000`,
    time: '/api/v1/contract/ping',
    readTime: (body) => (isObject(body) ? microsOf(body.data) : null),
    snapshotEveryMs: 250,
  },
  readSnapshot,
  isSnapshotBody: (body) => readSnapshot(body) !== null,
  layouts: mexcLayouts,
  continuity: chainedByRange,
  tradeChain: unprovenTrades,
  symbolForm: SYMBOL_FORM,
};
