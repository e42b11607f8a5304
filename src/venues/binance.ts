/** Binance: USD-M futures, COIN-M futures and spot. Facts and their certainty come from the public documentation and recordings. */
import { decimalsOf } from '../model/decimal.js';
import type { Instrument, InstrumentKind } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import { futuresLayouts, spotLayouts } from './binance-layouts.js';
import { binanceTrades } from './binance-trades.js';
import { checkChannels, coinsOf, isLevels, isObject, partsOf, wordOf } from './fields.js';
import { chainedByPrevious, chainedByRange, contiguousTrades } from './sequence.js';
import type { ConnectionPlan, Control, Topic, Venue } from './venue.js';

type Market = 'usdm' | 'coinm' | 'spot';

/** Channel name -> stream name and the USD-M route it lives on since 2026-04 (the wrong route acks and stays silent). */
interface Channel {
  stream: string;
  route: 'public' | 'market';
  firstDataMs: number | null;
}

/** An ack proves nothing, so each stream has a deadline for its first data where the market itself cannot be quiet. */
const FUTURES_CHANNELS: Record<string, Channel> = {
  depth: { stream: 'depth@100ms', route: 'public', firstDataMs: 10_000 },
  trade: { stream: 'trade', route: 'public', firstDataMs: null },
  bookTicker: { stream: 'bookTicker', route: 'public', firstDataMs: 10_000 },
  aggTrade: { stream: 'aggTrade', route: 'market', firstDataMs: null },
  markPrice: { stream: 'markPrice@1s', route: 'market', firstDataMs: 5_000 },
  forceOrder: { stream: 'forceOrder', route: 'market', firstDataMs: null },
};

const SPOT_CHANNELS: Record<string, Channel> = {
  depth: { stream: 'depth@100ms', route: 'public', firstDataMs: 10_000 },
  trade: { stream: 'trade', route: 'public', firstDataMs: null },
  bookTicker: { stream: 'bookTicker', route: 'public', firstDataMs: 10_000 },
  aggTrade: { stream: 'aggTrade', route: 'public', firstDataMs: null },
};

interface MarketFacts {
  id: string;
  title: string;
  kind: InstrumentKind;
  ws: string;
  rest: string;
  /** prefix of REST paths */
  api: string;
  snapshotLimit: number;
  /** one snapshot of that limit weighs this much of the minute's budget */
  snapshotEveryMs: number;
  channels: Record<string, Channel>;
  topicsPerConnection: number;
}

const MARKETS: Record<Market, MarketFacts> = {
  usdm: {
    id: 'binance-usdm',
    title: 'Binance USD-M futures',
    kind: 'linear',
    ws: 'wss://fstream.binance.com',
    rest: 'https://fapi.binance.com',
    api: '/fapi/v1',
    snapshotLimit: 1000,
    snapshotEveryMs: 600, // weight 20 of 2400 a minute, with room to spare
    channels: FUTURES_CHANNELS,
    topicsPerConnection: 200,
  },
  coinm: {
    id: 'binance-coinm',
    title: 'Binance COIN-M futures',
    kind: 'inverse',
    ws: 'wss://dstream.binance.com',
    rest: 'https://dapi.binance.com',
    api: '/dapi/v1',
    snapshotLimit: 1000,
    snapshotEveryMs: 600,
    channels: FUTURES_CHANNELS,
    topicsPerConnection: 200,
  },
  spot: {
    id: 'binance-spot',
    title: 'Binance spot',
    kind: 'spot',
    ws: 'wss://stream.binance.com:9443',
    rest: 'https://api.binance.com',
    api: '/api/v3',
    snapshotLimit: 5000,
    snapshotEveryMs: 3000, // weight 250 of 6000 a minute
    channels: SPOT_CHANNELS,
    topicsPerConnection: 200,
  },
};

/** Five messages a second are allowed on spot, ten on futures, pongs included. */
const SEND_EVERY_MS = 300;
/** A text of many topics is legal; shorter ones keep a refusal readable. */
const TOPICS_PER_TEXT = 50;

function connections(market: Market, symbols: string[], channels: string[]): ConnectionPlan[] {
  const facts = MARKETS[market];
  checkChannels(facts.id, facts.channels, channels);
  const byRoute = new Map<string, Topic[]>();
  for (const name of channels) {
    const channel = facts.channels[name];
    // only USD-M has routes; mixing categories on one connection is not allowed there
    const path = market === 'usdm' ? `/${channel.route}/stream` : '/stream';
    const topics = byRoute.get(path) ?? [];
    for (const symbol of symbols)
      topics.push({
        name: `${symbol.toLowerCase()}@${channel.stream}`,
        symbol,
        channel: name,
        firstDataMs: channel.firstDataMs,
      });
    byRoute.set(path, topics);
  }
  const plans: ConnectionPlan[] = [];
  for (const [path, all] of byRoute) {
    for (let at = 0; at < all.length; at += facts.topicsPerConnection) {
      const topics = all.slice(at, at + facts.topicsPerConnection);
      const names = partsOf(
        topics.map(({ name }) => name),
        TOPICS_PER_TEXT,
      );
      // a connection of trades alone may be quiet for long on a thin symbol
      const lively = topics.some(({ firstDataMs }) => firstDataMs !== null);
      plans.push({
        path,
        topics,
        subscribe: names.map((some, n) => request('SUBSCRIBE', some, n + 1)),
        sendEveryMs: SEND_EVERY_MS,
        silenceMs: lively ? 10_000 : null,
        asks: lively,
        lifetimeMs: 23 * 3600_000,
      });
    }
  }
  return plans;
}

function request(method: 'SUBSCRIBE' | 'UNSUBSCRIBE', params: readonly string[], id: number): string {
  return JSON.stringify({ method, params, id });
}

/** Ids behind those of a plan. */
const AGAIN_ID = 1_000;

/** A second subscription alone is acked and may change nothing. */
function again(topics: readonly string[]): string[] {
  return partsOf([...topics], TOPICS_PER_TEXT).flatMap((some, n) => [
    request('UNSUBSCRIBE', some, AGAIN_ID + 2 * n),
    request('SUBSCRIBE', some, AGAIN_ID + 2 * n + 1),
  ]);
}

const STREAM_KEY = Buffer.from('{"stream":"');

function topicOf(bytes: Uint8Array, from: number, to: number): string | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  if (view.subarray(0, STREAM_KEY.length).equals(STREAM_KEY)) {
    const quote = view.indexOf(0x22, STREAM_KEY.length);
    if (quote > 0) {
      const topic = view.toString('utf8', STREAM_KEY.length, quote);
      if (!topic.includes('\\')) return topic;
    }
  }
  if (view.indexOf('"stream"') < 0) return null;
  try {
    const message: unknown = JSON.parse(view.toString('utf8'));
    return isObject(message) && typeof message.stream === 'string' ? message.stream : null;
  } catch {
    return null;
  }
}

function control(message: unknown): Control {
  if (!isObject(message)) return { kind: 'other' };
  const id = typeof message.id === 'number' ? message.id : null;
  const error = isObject(message.error) ? message.error : message;
  if (error.code !== undefined)
    return { kind: 'error', id, text: `${wordOf(error.code)} ${wordOf(error.msg ?? '')}`.trim() };
  if ('result' in message) return { kind: 'ack', id };
  const payload = isObject(message.data) ? message.data : message;
  return payload.e === 'serverShutdown' ? { kind: 'shutdown' } : { kind: 'other' };
}

function filterValue(filters: unknown, type: string, key: string): string | null {
  if (!Array.isArray(filters)) return null;
  const filter: unknown = filters.find((one) => isObject(one) && one.filterType === type);
  const value = isObject(filter) ? filter[key] : undefined;
  return typeof value === 'string' && !Number.isNaN(decimalsOf(value)) ? value : null;
}

/** Tick and lot are in the filters; pricePrecision and quantityPrecision are neither. */
function readInstrument(market: Market, body: unknown, symbol: string): Instrument | null {
  const list = isObject(body) && Array.isArray(body.symbols) ? (body.symbols as unknown[]) : [];
  const found = list.find((one) => isObject(one) && one.symbol === symbol);
  if (!isObject(found)) return null;
  const tick = filterValue(found.filters, 'PRICE_FILTER', 'tickSize');
  const lot = filterValue(found.filters, 'LOT_SIZE', 'stepSize');
  if (tick === null || lot === null) return null;
  return {
    symbol,
    kind: MARKETS[market].kind,
    tick,
    lot,
    multiplier: market === 'coinm' ? String(found.contractSize ?? '1') : '1',
    ...coinsOf(found.baseAsset, found.quoteAsset),
  };
}

function readSnapshot(body: unknown): Snapshot | null {
  if (!isObject(body)) return null;
  const { lastUpdateId, E, T, bids, asks } = body;
  // a new or empty instrument may answer with -1
  if (typeof lastUpdateId !== 'number' || lastUpdateId < 0 || !isLevels(bids) || !isLevels(asks)) return null;
  const micros = (value: unknown): number => (typeof value === 'number' ? value * 1000 : 0);
  return { id: lastUpdateId, emitted: micros(E), matched: micros(T), bids, asks };
}

function createVenue(market: Market): Venue {
  const facts = MARKETS[market];
  const futures = market !== 'spot';
  return {
    id: facts.id,
    title: facts.title,
    kind: facts.kind,
    hosts: { ws: facts.ws, rest: facts.rest },
    capabilities: {
      bookLossDetected: true,
      tradeLossDetected: true,
      touchById: true,
      conflationMs: 100,
      groups: 'strong',
      offBookMarked: futures,
      ...(futures ? { liquidations: 'sampled' } : {}),
      backfill: { trade: 'recent', aggTrade: 'any' },
    },
    // raw trades are undocumented on futures and could vanish any day, so the documented aggTrade is recorded beside them
    channels: {
      default: futures ? ['depth', 'trade', 'aggTrade', 'bookTicker'] : ['depth', 'trade', 'bookTicker'],
      flow: 'trade',
      witness: 'aggTrade',
      all: Object.keys(facts.channels),
      ...(futures ? { liquidations: 'forceOrder' } : {}),
    },
    flowOf: (channels) => (channels.includes('trade') ? 'trade' : 'aggTrade'),
    connections: (symbols, channels) => connections(market, symbols, channels),
    topicOf,
    control,
    again,
    rest: {
      instruments: (symbols) =>
        market === 'spot'
          ? [`${facts.api}/exchangeInfo?symbols=${encodeURIComponent(JSON.stringify(symbols))}`]
          : [`${facts.api}/exchangeInfo`],
      readInstrument: (body, symbol) => readInstrument(market, body, symbol),
      snapshot: (symbol) => `${facts.api}/depth?symbol=${encodeURIComponent(symbol)}&limit=${facts.snapshotLimit}`,
      time: `${facts.api}/time`,
      readTime: (body) => (isObject(body) && typeof body.serverTime === 'number' ? body.serverTime * 1000 : null),
      snapshotEveryMs: facts.snapshotEveryMs,
      trades: binanceTrades(facts.api, futures ? 'futures' : 'spot'),
    },
    readSnapshot,
    isSnapshotBody: (body) => isObject(body) && 'lastUpdateId' in body && 'bids' in body && !('e' in body),
    layouts: futures ? futuresLayouts : spotLayouts,
    continuity: futures ? chainedByPrevious : chainedByRange,
    tradeChain: contiguousTrades,
  };
}

export const binanceUsdm = createVenue('usdm');
export const binanceCoinm = createVenue('coinm');
export const binanceSpot = createVenue('spot');
