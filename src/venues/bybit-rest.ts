/** Bybit's REST as the exchange answers it: time, instruments by pages, books of the thousand levels. */
import type { Instrument } from '../model/instrument.js';
import { type BookSides, withoutZeros } from './served-book.js';
import { millis } from './served-text.js';
import type { ServedAnswer, ServedMarket } from './venue.js';

export type BybitCategory = 'linear' | 'inverse' | 'spot';

export const REST_DEPTH = 1000;
/** Instruments of a page, unasked and at most; spot has them all in one. */
const PAGE = 500;
const MOST_PAGE = 1000;
/** "params error" of the documented codes. */
const BAD_PARAMETER = 10001;

/** What a book message says beside its levels; `update` counts the topic's messages. */
export interface BookState {
  update: number;
  /** cross sequence: here the id of the book, of which trades name the first that shows them */
  sequence: number;
  matched: number;
}

export interface KnownBook extends BookSides {
  /** when it is said, which is not before the message behind which it stands */
  emitted: number;
  state: BookState;
}

/**
 * Answers a GET; what is wrong with a request is told with status 200. `bookOf` gives null for a book that is not there yet, undefined
 * for a symbol that is not listed.
 */
export function bybitRest(
  category: BybitCategory,
  path: string,
  market: ServedMarket,
  bookOf: (symbol: string) => KnownBook | null | undefined,
): ServedAnswer {
  const [name, asked] = path.split('?');
  const query = new URLSearchParams(asked ?? '');
  const now = market.now();
  const answer = (retCode: number, retMsg: string, result: object): { status: number; body: string } => ({
    status: 200,
    body: JSON.stringify({ retCode, retMsg, result, retExtInfo: {}, time: millis(now) }),
  });
  const wrong = (what: string) => answer(BAD_PARAMETER, `params error: ${what}`, {});
  if (name === '/v5/market/time')
    return answer(0, 'OK', { timeSecond: String(Math.floor(now / 1e6)), timeNano: `${now}000` });
  const known = ['/v5/market/instruments-info', '/v5/market/orderbook'].includes(name);
  if (!known) return { ...answer(404, `no path ${name}`, {}), status: 404 };

  if (query.get('category') !== category) return wrong('category invalid');
  const symbol = query.get('symbol');
  const book = symbol === null ? undefined : bookOf(symbol);
  if (name === '/v5/market/instruments-info') {
    if (symbol !== null && book === undefined) return wrong('symbol invalid');
    const listed = market.instruments().filter((instrument) => symbol === null || instrument.symbol === symbol);
    const page = category === 'spot' ? { rows: listed, next: null } : pageOf(listed, query);
    if (typeof page === 'string') return wrong(page);
    const list = page.rows.map((instrument) => describeInstrument(category, instrument));
    return answer(0, 'OK', { category, list, ...(page.next === null ? {} : { nextPageCursor: page.next }) });
  }
  const limit = Number(query.get('limit') ?? (category === 'spot' ? 1 : 25));
  if (book === undefined) return wrong('symbol invalid');
  if (!Number.isInteger(limit) || limit < 1 || limit > REST_DEPTH) return wrong('limit invalid');
  if (book === null)
    return { ...answer(0, 'OK', { s: symbol, b: [], a: [], ts: millis(now), u: 0, seq: 0 }), unknown: true };
  const { update: u, sequence: seq, matched } = book.state;
  const [b, a] = [book.bids, book.asks].map((side) => side.slice(0, limit));
  return answer(0, 'OK', { s: symbol, b, a, ts: millis(now), u, seq, cts: millis(matched) });
}

/** A part of the list, and what asks for the next one, empty for the last; what is wrong with the request where something is. */
function pageOf(listed: readonly Instrument[], query: URLSearchParams): { rows: Instrument[]; next: string } | string {
  const limit = Number(query.get('limit') ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_PAGE) return 'limit invalid';
  const cursor = query.get('cursor') ?? '';
  const last = /%26last%3D([A-Z0-9-]+)$/.exec(cursor)?.[1];
  const from = listed.findIndex(({ symbol }) => symbol === last) + 1;
  if (cursor !== '' && from === 0) return 'cursor invalid';
  const rows = listed.slice(from, from + limit);
  const isLast = from + limit >= listed.length;
  const next = isLast ? '' : encodeURIComponent(`first=${rows[0].symbol}&last=${rows[rows.length - 1].symbol}`);
  return { rows, next };
}

function describeInstrument(category: BybitCategory, { symbol, tick, lot, base, quote }: Instrument) {
  const coins = { baseCoin: base ?? symbol, quoteCoin: quote ?? '' };
  if (category === 'spot') {
    const lots = { basePrecision: withoutZeros(lot), quotePrecision: '0.00000001', minOrderQty: withoutZeros(lot) };
    const prices = { tickSize: withoutZeros(tick) };
    return { symbol, ...coins, status: 'Trading', lotSizeFilter: { ...lots, minOrderAmt: '5' }, priceFilter: prices };
  }
  const kind = `${category === 'linear' ? 'Linear' : 'Inverse'}${/-|[HMUZ]\d{2}$/.test(symbol) ? 'Futures' : 'Perpetual'}`;
  return {
    symbol,
    contractType: kind,
    status: 'Trading',
    ...coins,
    settleCoin: category === 'linear' ? coins.quoteCoin : coins.baseCoin,
    launchTime: '1584230400000',
    deliveryTime: '0',
    priceScale: String((tick.split('.')[1] ?? '').length),
    priceFilter: { minPrice: tick, maxPrice: '1999999.80', tickSize: tick },
    lotSizeFilter: { qtyStep: lot, minOrderQty: lot, maxOrderQty: '1190', minNotionalValue: '5' },
    fundingInterval: 480,
    isPreListing: false,
  };
}
