/** Binance's own side of its REST market data: time, exchangeInfo, the depth snapshot and the trades of a served market. */
import type { Instrument } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import { millis, productOf } from './served-text.js';
import type { ServedTrade, ServedTrades } from './served-trades.js';
import type { ServedAnswer, ServedMarket } from './venue.js';

export type BinanceMarket = 'usdm' | 'coinm' | 'spot';

const PREFIXES: Record<BinanceMarket, string> = { usdm: '/fapi/v1/', coinm: '/dapi/v1/', spot: '/api/v3/' };
const FUTURES_LIMITS = [5, 10, 20, 50, 100, 500, 1000];
const SPOT_LIMIT = 5000;
const MOST_TRADES = 1000;

function failure(status: number, code: number, msg: string): ServedAnswer {
  return { status, body: JSON.stringify({ code, msg }) };
}

/** Spot prints eight decimals always. */
export function padSpot(text: string): string {
  const dot = text.indexOf('.');
  if (dot < 0) return `${text}.00000000`;
  return text.length - dot > 8 ? text : text.padEnd(dot + 9, '0');
}

const invalidSymbol = (): ServedAnswer => failure(400, -1121, 'Invalid symbol.');

/** The single trade `id` is served as an aggregate trade of its own; the ids differ, as on the venue. */
const AGGREGATE_ID_OFFSET = -4_000_000_000;

/** Ids too small for the offset (someone's own market) are kept as they are. */
export function aggregateId(id: number): number {
  return id + AGGREGATE_ID_OFFSET > 0 ? id + AGGREGATE_ID_OFFSET : id;
}

/** Answers a GET of this path and query; unknown paths are 404, and so are those to trades where none are remembered. */
export function binanceRest(
  market: BinanceMarket,
  path: string,
  served: ServedMarket,
  trades: ServedTrades | null,
): ServedAnswer {
  const mark = path.indexOf('?');
  const name = mark < 0 ? path : path.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
  const prefix = PREFIXES[market];
  switch (name.startsWith(prefix) ? name.slice(prefix.length) : '') {
    case 'ping':
      return { status: 200, body: '{}' };
    case 'time':
      return { status: 200, body: `{"serverTime":${millis(served.now())}}` };
    case 'exchangeInfo':
      return exchangeInfo(market, query, served);
    case 'depth':
      return depth(market, query, served);
    case 'trades':
      return trades === null ? unknownPath(name) : newestTrades(market, query, served, trades);
    case 'aggTrades':
      return trades === null ? unknownPath(name) : aggregateTrades(market, query, served, trades);
    default:
      return unknownPath(name);
  }
}

const unknownPath = (name: string): ServedAnswer => failure(404, -5000, `Path ${name}, Method GET is invalid`);

/** Symbol and limit of a request for trades; an answer where they cannot be used. */
function askedTrades(query: URLSearchParams, served: ServedMarket): { symbol: string; limit: number } | ServedAnswer {
  const symbol = query.get('symbol') ?? '';
  if (symbol === '')
    return failure(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  if (!served.instruments().some((one) => one.symbol === symbol)) return invalidSymbol();
  const asked = query.get('limit') ?? '500';
  if (!/^\d{1,20}$/.test(asked))
    return failure(400, -1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.");
  if (Number(asked) === 0) return failure(400, -1130, "Data sent for parameter 'limit' is not valid.");
  return { symbol, limit: Math.min(Number(asked), MOST_TRADES) };
}

function newestTrades(
  market: BinanceMarket,
  query: URLSearchParams,
  served: ServedMarket,
  trades: ServedTrades,
): ServedAnswer {
  const asked = askedTrades(query, served);
  if ('status' in asked) return asked;
  const put = market === 'spot' ? padSpot : (text: string): string => text;
  const rows = trades
    .before(asked.symbol, Number.POSITIVE_INFINITY, asked.limit)
    .filter(isOfMarket)
    .map((trade) => {
      const { id, price, size, matched, aggressor } = trade;
      const worth = market === 'coinm' ? { baseQty: size } : { quoteQty: productOf(price, size) };
      const what = { id, price: put(price), qty: put(size), ...worth, time: millis(matched) };
      return { ...what, isBuyerMaker: aggressor === 'sell', ...(market === 'spot' ? { isBestMatch: true } : {}) };
    });
  return { status: 200, body: JSON.stringify(rows) };
}

function aggregateTrades(
  market: BinanceMarket,
  query: URLSearchParams,
  served: ServedMarket,
  trades: ServedTrades,
): ServedAnswer {
  const asked = askedTrades(query, served);
  if ('status' in asked) return asked;
  const { symbol, limit } = asked;
  const from = query.get('fromId');
  if (from !== null && !/^\d{1,20}$/.test(from))
    return failure(400, -1100, "Illegal characters found in parameter 'fromId'; legal range is '^[0-9]{1,20}$'.");
  const put = market === 'spot' ? padSpot : (text: string): string => text;
  const found =
    from === null
      ? trades.before(symbol, Number.POSITIVE_INFINITY, limit)
      : trades.from(symbol, Number(from), limit, aggregateId);
  const rows = found.filter(isOfMarket).map(({ id, price, size, matched, aggressor }) => {
    const what = { a: aggregateId(id), p: put(price), q: put(size), f: id, l: id, T: millis(matched) };
    return { ...what, m: aggressor === 'sell', ...(market === 'spot' ? { M: true } : {}) };
  });
  return { status: 200, body: JSON.stringify(rows) };
}

/** Of the market's own orders: what a fund or deleveraging did is in the stream of single trades alone. */
const isOfMarket = ({ offBook }: ServedTrade): boolean => offBook === undefined;

function depth(market: BinanceMarket, query: URLSearchParams, served: ServedMarket): ServedAnswer {
  const symbol = query.get('symbol') ?? '';
  if (symbol === '')
    return failure(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  const asked = query.get('limit') ?? (market === 'spot' ? '100' : '500');
  if (!/^\d{1,20}$/.test(asked))
    return failure(400, -1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.");
  const limit = market === 'spot' ? Math.min(Number(asked), SPOT_LIMIT) : Number(asked);
  if (market !== 'spot' && !FUTURES_LIMITS.includes(limit))
    return failure(400, -4021, `${asked} is not valid depth limit.`);
  if (limit === 0) return failure(400, -1130, "Data sent for parameter 'limit' is not valid.");
  const snapshot = served.snapshot(symbol, limit);
  if (snapshot === null) return invalidSymbol();
  const said = { status: 200, body: snapshotText(market, symbol, snapshot) };
  return snapshot.bids.length + snapshot.asks.length === 0 ? { ...said, unknown: true } : said;
}

function snapshotText(market: BinanceMarket, symbol: string, snapshot: Snapshot): string {
  const pad = ([price, size]: [string, string]): [string, string] =>
    market === 'spot' ? [padSpot(price), padSpot(size)] : [price, size];
  const bids = snapshot.bids.map(pad);
  const asks = snapshot.asks.map(pad);
  const times = { E: millis(snapshot.emitted), T: millis(snapshot.matched) };
  const lastUpdateId = snapshot.id;
  if (market === 'spot') return JSON.stringify({ lastUpdateId, bids, asks });
  if (market === 'usdm') return JSON.stringify({ lastUpdateId, ...times, bids, asks });
  return JSON.stringify({ lastUpdateId, ...times, symbol, pair: symbol.split('_')[0], bids, asks });
}

function exchangeInfo(market: BinanceMarket, query: URLSearchParams, served: ServedMarket): ServedAnswer {
  let listed = served.instruments();
  if (market === 'spot') {
    const wanted = askedSymbols(query);
    if (wanted === undefined) return failure(400, -1100, "Illegal characters found in parameter 'symbols'.");
    if (wanted !== null) {
      listed = listed.filter(({ symbol }) => wanted.includes(symbol));
      if (listed.length < new Set(wanted).size || wanted.length === 0) return invalidSymbol();
    }
  }
  const body = {
    timezone: 'UTC',
    serverTime: millis(served.now()),
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: market === 'spot' ? 6000 : 2400 },
    ],
    exchangeFilters: [],
    symbols: listed.map((instrument) => describeSymbol(market, instrument)),
  };
  return { status: 200, body: JSON.stringify(body) };
}

/** Spot's `symbol=A` or `symbols=["A","B"]`; null where all are asked for, undefined where it cannot be read. */
function askedSymbols(query: URLSearchParams): string[] | null | undefined {
  const one = query.get('symbol');
  if (one !== null) return [one];
  const many = query.get('symbols');
  if (many === null) return null;
  try {
    const list: unknown = JSON.parse(many);
    return Array.isArray(list) && list.every((symbol): symbol is string => typeof symbol === 'string')
      ? list
      : undefined;
  } catch {
    return undefined;
  }
}

function describeSymbol(market: BinanceMarket, instrument: Instrument): Record<string, unknown> {
  const { symbol, tick, lot, base, quote } = instrument;
  const status = 'TRADING';
  const put = market === 'spot' ? padSpot : (text: string): string => text;
  const baseAsset = base ?? symbol;
  const quoteAsset = quote ?? '';
  const priceFilter = {
    filterType: 'PRICE_FILTER',
    minPrice: put(tick),
    maxPrice: put('1000000'),
    tickSize: put(tick),
  };
  const lotSize = { filterType: 'LOT_SIZE', minQty: put(lot), maxQty: put('1000000'), stepSize: put(lot) };
  if (market === 'spot') {
    const notional = { filterType: 'NOTIONAL', minNotional: '5.00000000' };
    // The precisions are of the assets, not tick and lot; taking them for those is a known mistake.
    const precisions = { baseAssetPrecision: 8, quotePrecision: 8, quoteAssetPrecision: 8 };
    return { symbol, status, baseAsset, quoteAsset, ...precisions, filters: [priceFilter, lotSize, notional] };
  }
  const [pair, delivery] = symbol.split('_');
  const perpetual = delivery === undefined || delivery === 'PERP';
  const head = {
    symbol,
    pair,
    contractType: perpetual ? 'PERPETUAL' : 'CURRENT_QUARTER',
    deliveryDate: 4133404800000,
    onboardDate: 1567965300000,
  };
  const assets = { baseAsset, quoteAsset, marginAsset: market === 'coinm' ? baseAsset : quoteAsset };
  const precisions = { pricePrecision: 8, quantityPrecision: 8 };
  if (market === 'usdm') {
    const notional = { filterType: 'MIN_NOTIONAL', notional: '5' };
    return { ...head, status, ...assets, ...precisions, filters: [priceFilter, lotSize, notional] };
  }
  const contractSize = Number(instrument.multiplier);
  return { ...head, contractStatus: status, contractSize, ...assets, ...precisions, filters: [priceFilter, lotSize] };
}
