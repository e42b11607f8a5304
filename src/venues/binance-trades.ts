/** Binance's trades over REST: aggregate trades by id, single ones as far back as the newest thousand go. */
import type { IdRange } from '../model/id-ranges.js';
import { isObject } from './fields.js';
import type { RestTrades } from './venue.js';

const MOST = 1000;

/** What a request weighs, in milliseconds of the minute's budget: 2400 on futures, 6000 on spot, with room to spare. */
const EVERY_MS = { futures: { aggTrades: 600, trades: 150 }, spot: { aggTrades: 50, trades: 300 } };

/**
 * Both need no key, which `historicalTrades` was documented to need. On futures the newest trades leave out those of the insurance
 * fund and of deleveraging, which stay missing.
 * @param api prefix of paths
 */
export function binanceTrades(api: string, market: 'futures' | 'spot'): Readonly<Record<string, RestTrades>> {
  const everyMs = EVERY_MS[market];
  return {
    trade: {
      page: (symbol) => `${api}/trades?symbol=${encodeURIComponent(symbol)}&limit=${MOST}`,
      most: MOST,
      everyMs: everyMs.trades,
      read: (body) => idsIn(body, 'id'),
    },
    aggTrade: {
      page: (symbol, first, last) =>
        `${api}/aggTrades?symbol=${encodeURIComponent(symbol)}&fromId=${first}&limit=${Math.min(MOST, last - first + 1)}`,
      most: MOST,
      everyMs: everyMs.aggTrades,
      read: (body) => idsIn(body, 'a'),
    },
  };
}

function idsIn(body: unknown, key: string): IdRange[] | null {
  if (!Array.isArray(body)) return null;
  const ids = body.map((row: unknown) => (isObject(row) ? row[key] : undefined));
  return ids.every((id): id is number => Number.isSafeInteger(id)) ? ids.map((id) => [id, id]) : null;
}
