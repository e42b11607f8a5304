/** OKX's trades over REST, by id and newest first, three months back. */
import { isObject, objectsAt } from './fields.js';
import type { RestTrades } from './venue.js';

const MOST = 100;

/** The stream merges trades of one order and names how many ids it merged; here each has a row of its own. */
export const okxTrades: RestTrades = {
  page: (symbol, first, last) =>
    `/api/v5/market/history-trades?instId=${encodeURIComponent(symbol)}&type=1&after=${last + 1}&limit=${Math.min(MOST, last - first + 1)}`,
  most: MOST,
  // 20 requests in 2 s are allowed, whatever else is asked for
  everyMs: 110,
  atOnce: 1,
  read(body) {
    // errors come with an empty list
    if (!isObject(body) || body.code !== '0' || !Array.isArray(body.data)) return null;
    const rows = objectsAt(body, 'data');
    const ids = rows.map(({ tradeId }) =>
      typeof tradeId === 'string' && /^\d+$/.test(tradeId) ? Number(tradeId) : -1,
    );
    return rows.length === body.data.length && ids.every((id) => id >= 0 && Number.isSafeInteger(id))
      ? ids.map((id) => [id, id])
      : null;
  },
};
