/** OKX v5: swaps (dated futures too) and spot. Facts and their certainty come from the public documentation and recordings. */
import { crc32 } from 'node:zlib';
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';
import type { Instrument } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import {
  checkChannels,
  coinsOf,
  isObject,
  leadingText,
  microsOf,
  objectIn,
  objectsAt,
  partsOf,
  positive,
  wordOf,
} from './fields.js';
import { okxTrades } from './okx-trades.js';
import { type FaultCodes, faultOf } from './rest-fault.js';
import { chainedByLink, contiguousTrades } from './sequence.js';
import type { ConnectionPlan, Control, Topic, Venue } from './venue.js';

type Market = 'swap' | 'spot';

interface Channel {
  /** the venue's word */
  name: string;
  firstDataMs: number | null;
}

/** The one channel that is of all instruments of a type: those that are not recorded go to the tape of the venue. */
const LIQUIDATIONS = 'liquidation-orders';

/** Where a book is quiet for a minute the venue says so with an empty update. */
const CHANNELS: Record<Market, Record<string, Channel>> = {
  swap: {
    depth: { name: 'books', firstDataMs: 5_000 },
    trade: { name: 'trades', firstDataMs: null },
    depth1: { name: 'bbo-tbt', firstDataMs: 10_000 },
    depth5: { name: 'books5', firstDataMs: 10_000 },
    ticker: { name: 'tickers', firstDataMs: null },
    markPrice: { name: 'mark-price', firstDataMs: 15_000 },
    funding: { name: 'funding-rate', firstDataMs: null },
    openInterest: { name: 'open-interest', firstDataMs: 10_000 },
    liquidation: { name: LIQUIDATIONS, firstDataMs: null },
  },
  spot: {
    depth: { name: 'books', firstDataMs: 5_000 },
    trade: { name: 'trades', firstDataMs: null },
    depth1: { name: 'bbo-tbt', firstDataMs: 10_000 },
    depth5: { name: 'books5', firstDataMs: 10_000 },
    ticker: { name: 'tickers', firstDataMs: null },
  },
};

/** `BTC-USDT-SWAP`, `BTC-USD-260925`; `BTC-USDT`. */
const SYMBOL_FORMS: Record<Market, RegExp> = {
  swap: /^[A-Z0-9]{1,12}-(USDT|USDC|USD)-(SWAP|\d{6})$/,
  spot: /^[A-Z0-9]{1,12}-[A-Z0-9]{2,8}$/,
};

/** Fewer than 30 deep books a connection are recommended, whatever else it carries. */
const BOOKS_PER_CONNECTION = 29;
const TOPICS_PER_CONNECTION = 60;
const ARGS_PER_TEXT = 20;
/** 480 requests an hour and connection are allowed. */
const SEND_EVERY_MS = 500;
/** Three connections a second and address are allowed, and both markets may be recorded by one process. */
const CONNECT_EVERY_MS = 700;
/** The venue closes what is silent for 30 s; `ping` is answered with `pong`, neither of them JSON. */
const PING = { text: 'ping', everyMs: 15_000 };
const SILENCE_MS = 40_000;

const when: FieldLayout = { key: 'ts', form: 'time', means: 'matched', loose: true };
const levels: FieldLayout[] = [
  { key: 'bids', form: 'levels', means: 'bids', wide: true },
  { key: 'asks', form: 'levels', means: 'asks', wide: true },
];
/** Recordings of 2022 have no sequence ids. */
const last: FieldLayout = { key: 'seqId', form: 'id', means: 'last', optional: true };
const books = ['books', 'books-l2-tbt', 'books50-l2-tbt'];

/** With ids as they are since, and without as in 2022. */
function usualBooks(action: string, ids: string): string[] {
  return [ids, ''].map(
    (some) => `"action":"${action}","data":[{"asks":<asks>,"bids":<bids>,"ts":"<ts>","checksum":(-)<#>${some}}]}`,
  );
}

const usualTrade = '{"instId":"<symbol>","tradeId":"<tradeId>","px":"<px>","sz":"<sz>","side":"<side>","ts":"<ts>"';

/** What is said of a contract beside its market, each kind in a channel of its own. An empty text is no number. */
function derivative(name: string, stream: string, ...fields: FieldLayout[]): MessageLayout {
  const said: FieldLayout = { ...when, optional: true };
  return {
    name,
    event: 'derivative',
    streams: [stream],
    rows: 'data',
    fields: [said, { key: 'instId', form: 'text', means: 'symbol' }, ...fields],
  };
}

const messages: MessageLayout[] = [
  {
    name: 'depth',
    event: 'depth',
    streams: books,
    type: 'update',
    rows: 'data',
    fields: [when, last, { key: 'prevSeqId', form: 'id', means: 'previous', optional: true }, ...levels],
    usual: usualBooks('update', ',"prevSeqId":<prevSeqId>,"seqId":<seqId>'),
  },
  {
    name: 'snapshot',
    event: 'snapshot',
    of: 'depth',
    streams: books,
    type: 'snapshot',
    rows: 'data',
    fields: [when, last, ...levels],
    usual: usualBooks('snapshot', ',"prevSeqId":-1,"seqId":<seqId>'),
  },
  { name: 'depth1', event: 'partial', streams: ['bbo-tbt'], rows: 'data', fields: [when, last, ...levels] },
  { name: 'depth5', event: 'partial', streams: ['books5'], rows: 'data', fields: [when, last, ...levels] },
  {
    name: 'trade',
    event: 'trade',
    streams: ['trades'],
    rows: 'data',
    fields: [
      when,
      { key: 'instId', form: 'text', means: 'symbol' },
      { key: 'tradeId', form: 'id', means: 'id', loose: true },
      // prints of one order at one price are merged; the id is that of the last
      { key: 'count', form: 'id', means: 'count', optional: true, loose: true },
      { key: 'px', form: 'price', means: 'price' },
      { key: 'sz', form: 'size', means: 'size' },
      { key: 'side', form: 'text', means: 'aggressor' },
      // 1 is filled by orders of a liquidity program, which stand in a book of their own and not in this one; a row is of one kind
      { key: 'source', form: 'text', means: 'print', optional: true, blank: true, loose: true },
    ],
    aggressors: { buy: 'buy', sell: 'sell' },
    flowPrints: ['0'],
    usual: ['"data":[<rows>]}'],
    usualRows: [
      `${usualTrade},"count":"<count>","source":"<source>"(,"seqId":<#>)}`,
      `${usualTrade},"count":"<count>"(,"seqId":<#>)}`,
      `${usualTrade}}`,
    ],
  },
  { name: 'ticker', event: 'other', streams: ['tickers'], rows: 'data', fields: [] },
  derivative('markPrice', 'mark-price', { key: 'markPx', form: 'fine', means: 'mark', optional: true, blank: true }),
  derivative(
    'funding',
    'funding-rate',
    { key: 'fundingRate', form: 'rate', means: 'funding', optional: true, blank: true },
    // the settlement that comes next; `nextFundingTime` is the one after it
    {
      key: 'fundingTime',
      form: 'time',
      means: 'nextFunding',
      optional: true,
      blank: true,
      positive: true,
      loose: true,
    },
  ),
  derivative('openInterest', 'open-interest', {
    ...{ key: 'oi', form: 'size', means: 'openInterest', optional: true, blank: true },
  }),
  {
    // neither all of them nor in order of time. A message is of one instrument; one of several would be taken for none
    name: 'liquidation',
    event: 'liquidation',
    streams: [LIQUIDATIONS],
    rows: 'data.0.details',
    fields: [
      when,
      // of the order: a long position is closed by a sell
      { key: 'side', form: 'text', means: 'aggressor' },
      // where the position was bankrupt, not where it was filled
      { key: 'bkPx', form: 'fine', means: 'price' },
      { key: 'sz', form: 'size', means: 'size' },
    ],
    aggressors: { buy: 'buy', sell: 'sell' },
  },
];

export const okxLayouts: Layouts = {
  id: 'okx',
  // liquidations are subscribed by type of instrument, so only what is said names one
  topic: { stream: ['arg.channel'], symbol: 'arg.instId', symbolElse: 'data.0.instId' },
  payload: 'data',
  type: '/action',
  wrapper: '{"arg":{"channel":"<stream>","instId":"<symbol>"},<payload>',
  restPairs: true,
  messages,
  control: ['event'],
};

function connections(market: Market, symbols: string[], channels: string[]): ConnectionPlan[] {
  const known = CHANNELS[market];
  checkChannels(`okx-${market}`, known, channels);
  const topics: Topic[] = symbols.flatMap((symbol) =>
    channels.map((channel) => ({
      name: topicName(known[channel].name, symbol),
      symbol,
      channel,
      firstDataMs: known[channel].firstDataMs,
    })),
  );
  // one subscription brings the liquidations of all, so a second connection with it would bring them twice
  const common = topics.filter(({ name }) => name.startsWith(`${LIQUIDATIONS}:`));
  const own = topics.filter((topic) => !common.includes(topic));
  // what is said of one symbol comes by one connection
  const each = own.length / Math.max(1, symbols.length);
  const most = Math.floor(TOPICS_PER_CONNECTION / Math.max(1, each));
  const symbolsEach = channels.includes('depth') ? Math.min(BOOKS_PER_CONNECTION, most) : most;
  return [...partsOf(own, symbolsEach * each), ...(common.length > 0 ? [common] : [])].map((part) => ({
    path: '/ws/v5/public',
    topics: part,
    subscribe: (part === common ? [part] : partsOf(part, ARGS_PER_TEXT)).map((some) =>
      subscription(
        'subscribe',
        some.map(({ name }) => name),
      ),
    ),
    sendEveryMs: SEND_EVERY_MS,
    silenceMs: SILENCE_MS,
    lifetimeMs: null,
    ping: PING,
  }));
}

/** What stands for a topic on our side: the venue's own names are two texts. */
const topicName = (channel: string, symbol: string): string => `${channel}:${symbol}`;

function subscription(op: 'subscribe' | 'unsubscribe', topics: readonly string[]): string {
  const args = topics.map((topic) => {
    const colon = topic.indexOf(':');
    const channel = topic.slice(0, colon);
    const instId = topic.slice(colon + 1);
    return JSON.stringify(channel === LIQUIDATIONS ? { channel, instType: typeOf(instId) } : { channel, instId });
  });
  return `{"op":"${op}","args":[${[...new Set(args)].join(',')}]}`;
}

/** Of a derivative. */
const typeOf = (symbol: string): 'SWAP' | 'FUTURES' => (symbol.endsWith('-SWAP') ? 'SWAP' : 'FUTURES');

function topicOf(bytes: Uint8Array, from: number, to: number): string | null {
  // acks name their topic too
  if (leadingText(bytes, from, to, 'event') !== null) return null;
  const channel = leadingText(bytes, from, to, 'channel');
  if (channel === LIQUIDATIONS) return liquidationTopic(bytes, from, to);
  const symbol = leadingText(bytes, from, to, 'instId');
  return channel === null || symbol === null ? null : topicName(channel, symbol);
}

/** The instrument stands behind what is said of it, wherever that is; only where it is the only one is the message its own. */
function liquidationTopic(bytes: Uint8Array, from: number, to: number): string | null {
  const data = objectIn(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8'))?.data;
  const [only] = Array.isArray(data) && data.length === 1 ? data : [];
  return isObject(only) && typeof only.instId === 'string' ? topicName(LIQUIDATIONS, only.instId) : null;
}

function control(message: unknown): Control {
  if (!isObject(message)) return { kind: 'other' };
  const { event, code, msg } = message;
  if (event === 'error') return { kind: 'error', id: null, text: `${wordOf(code ?? '')} ${wordOf(msg ?? '')}`.trim() };
  if (event === 'notice') return code === '64008' ? { kind: 'shutdown' } : { kind: 'other' };
  return event === 'subscribe' || event === 'unsubscribe' ? { kind: 'ack', id: null } : { kind: 'other' };
}

/** Most come with status 200. */
const FAULTS: FaultCodes = {
  ...{ success: 0, tooMany: [50011], busy: [50001, 50004, 50013, 50026] },
  // the symbol is the one thing in our requests that may be wrong
  symbol: [51000, 51001],
};

/** Sizes of derivatives are contracts of `ctVal` times `ctMult`: base units where linear, US dollars where inverse. */
function readInstrument(body: unknown, wanted: string): Instrument | null {
  const found = objectsAt(body, 'data').find((one) => one.instId === wanted);
  if (found === undefined) return null;
  const tick = positive(found.tickSz);
  const lot = positive(found.lotSz);
  if (tick === null || lot === null) return null;
  const kind = found.instType === 'SPOT' ? 'spot' : found.ctType === 'inverse' ? 'inverse' : 'linear';
  const value = positive(found.ctVal) ?? '1';
  const times = positive(found.ctMult) ?? '1';
  const names = {
    base: kind === 'spot' ? found.baseCcy : String(found.uly ?? '').split('-')[0],
    quote: kind === 'spot' ? found.quoteCcy : String(found.uly ?? '').split('-')[1],
  };
  return {
    symbol: wanted,
    kind,
    tick,
    lot,
    multiplier: kind === 'spot' ? '1' : times === '1' ? value : String(Number(value) * Number(times)),
    ...coinsOf(names.base, names.quote),
  };
}

function rowsOf(value: unknown): [string, string][] | null {
  if (!Array.isArray(value)) return null;
  const rows = value.map((row: unknown) => (Array.isArray(row) ? row.slice(0, 2) : []));
  return rows.every(([price, size]) => typeof price === 'string' && typeof size === 'string')
    ? (rows as [string, string][])
    : null;
}

function readSnapshot(body: unknown): Snapshot | null {
  const [book] = objectsAt(body, 'data');
  if (book === undefined) return null;
  const bids = rowsOf(book.bids);
  const asks = rowsOf(book.asks);
  const { seqId } = book;
  if (bids === null || asks === null || typeof seqId !== 'number' || !Number.isSafeInteger(seqId)) return null;
  const matched = microsOf(book.ts) ?? 0;
  return { id: seqId, emitted: matched, matched, bids, asks };
}

const CHECKED_LEVELS = 25;

/** CRC32, signed, of the best 25 levels of both sides, interleaved by rank. Since 2026-06 the venue sends 0, which says nothing. */
function checksumOf(bids: readonly [string, string][], asks: readonly [string, string][]): number {
  const parts: string[] = [];
  for (let n = 0; n < CHECKED_LEVELS; n++)
    for (const side of [bids, asks]) if (n < side.length) parts.push(side[n][0], side[n][1]);
  return crc32(Buffer.from(parts.join(':'))) | 0;
}

function statedChecksum(message: unknown): number | null {
  const [book] = objectsAt(message, 'data');
  const stated = book?.checksum;
  return typeof stated === 'number' && stated !== 0 ? stated : null;
}

function createVenue(market: Market, title: string): Venue {
  const types = market === 'spot' ? ['SPOT'] : ['SWAP', 'FUTURES'];
  return {
    id: `okx-${market}`,
    title,
    kind: market === 'spot' ? 'spot' : 'linear',
    hosts: { ws: 'wss://ws.okx.com:8443', rest: 'https://www.okx.com', connectEveryMs: CONNECT_EVERY_MS },
    capabilities: {
      bookLossDetected: true,
      tradeLossDetected: true,
      touchById: false,
      conflationMs: 100,
      groups: 'heuristic',
      offBookMarked: true,
      ...(market === 'spot' ? {} : { liquidations: 'sampled' }),
      backfill: { trade: 'any' },
    },
    channels: {
      default: ['depth', 'trade'],
      flow: 'trade',
      all: Object.keys(CHANNELS[market]),
      ...(market === 'swap' ? { liquidations: 'liquidation' } : {}),
    },
    flowOf: () => 'trade',
    connections: (symbols, channels) => connections(market, symbols, channels),
    topicOf,
    control,
    renew: (topic) => [subscription('unsubscribe', [topic]), subscription('subscribe', [topic])],
    rest: {
      // a list is of one type
      instruments: (symbols) =>
        types.flatMap((type) => {
          const some = symbols.filter((symbol) => market === 'spot' || typeOf(symbol) === type);
          const one = some.length === 1 ? `&instId=${encodeURIComponent(some[0])}` : '';
          return some.length === 0 ? [] : [`/api/v5/public/instruments?instType=${type}${one}`];
        }),
      readInstrument,
      fault: (body) => (isObject(body) ? faultOf(FAULTS, body.code, body.msg) : null),
      snapshot: (symbol) => `/api/v5/market/books?instId=${encodeURIComponent(symbol)}&sz=400`,
      time: '/api/v5/public/time',
      readTime: (body) => microsOf(objectsAt(body, 'data')[0]?.ts),
      snapshotEveryMs: 60,
      trades: { trade: okxTrades },
    },
    slides: true,
    readSnapshot,
    isSnapshotBody: () => false,
    layouts: okxLayouts,
    continuity: chainedByLink,
    tradeChain: contiguousTrades,
    checksum: { of: checksumOf, stated: statedChecksum },
    symbolForm: SYMBOL_FORMS[market],
  };
}

export const okxSwap = createVenue('swap', 'OKX swaps and futures');
export const okxSpot = createVenue('spot', 'OKX spot');
