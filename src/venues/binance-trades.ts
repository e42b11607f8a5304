/** Binance's trades over REST: aggregate trades by id, single ones as far back as the newest thousand go. */
import type { IdRange } from '../model/id-ranges.js';
import { isObject } from './fields.js';
import type { RestTrades } from './venue.js';

const MOST = 1000;

/**
 * What snapshots leave of the weight of a minute: 400 of 2400 on futures, 1000 of 6000 on spot. Aggregate trades weigh 20 and 4, the
 * newest ones 5 and 25.
 */
const TIMES = {
  futures: { aggTrades: { everyMs: 4000, atOnce: 4 }, trades: { everyMs: 1000, atOnce: 16 } },
  spot: { aggTrades: { everyMs: 320, atOnce: 40 }, trades: { everyMs: 2000, atOnce: 8 } },
};

/**
 * Both need no key, which `historicalTrades` was documented to need. On futures the newest trades leave out those of the insurance
 * fund and of deleveraging, which stay missing.
 * @param api prefix of paths
 */
export function binanceTrades(api: string, market: 'futures' | 'spot'): Readonly<Record<string, RestTrades>> {
  const times = TIMES[market];
  return {
    trade: {
      page: (symbol) => `${api}/trades?symbol=${encodeURIComponent(symbol)}&limit=${MOST}`,
      most: MOST,
      ...times.trades,
      read: (body) => idsIn(body, 'id'),
    },
    aggTrade: {
      page: (symbol, first, last) =>
        `${api}/aggTrades?symbol=${encodeURIComponent(symbol)}&fromId=${first}&limit=${Math.min(MOST, last - first + 1)}`,
      most: MOST,
      ...times.aggTrades,
      read: (body) => idsIn(body, 'a'),
    },
  };
}

function idsIn(body: unknown, key: string): IdRange[] | null {
  if (!Array.isArray(body)) return null;
  const ids = body.map((row: unknown) => (isObject(row) ? row[key] : undefined));
  return ids.every((id): id is number => Number.isSafeInteger(id)) ? ids.map((id) => [id, id]) : null;
}
