/** BingX's REST as the exchange answers it: time, contracts, books without ids. */
import { decimalsOf } from '../model/decimal.js';
import type { Instrument } from '../model/instrument.js';
import type { BookSides } from './served-book.js';
import { millis } from './served-text.js';
import type { ServedAnswer, ServedMarket } from './venue.js';

const LEVELS = [5, 10, 20, 50, 100, 500, 1000];
const LEVELS_UNASKED = 20;

const NO_SUCH_PATH = 100400;
const BAD_PARAMETER = 109400;
const NO_SUCH_SYMBOL = 109425;

/** A book between two messages of its topic, as they write it. */
export interface KnownBook extends BookSides {
  id: number;
  emitted: number;
}

/**
 * Answers a GET; what is wrong with a request is told with status 200. What the market has not, such as mark prices, is a path there
 * is not. `bookOf` gives null for a book that is not there yet, undefined for a symbol that is not listed.
 */
export function bingxRest(
  path: string,
  market: ServedMarket,
  bookOf: (symbol: string) => KnownBook | null | undefined,
): ServedAnswer {
  const [name, asked] = path.split('?');
  const query = new URLSearchParams(asked ?? '');
  const answer = (data: object, code = 0, msg = ''): ServedAnswer => ({
    status: 200,
    body: JSON.stringify({ code, msg, data }),
  });
  const symbol = query.get('symbol') ?? '';
  const book = bookOf(symbol);
  const unknown = (): ServedAnswer => {
    const badly = 'Invalid parameters, err:symbol: This field must end with -USDT or -USDC.';
    if (!/-USD[TC]$/.test(symbol)) return answer({}, BAD_PARAMETER, badly);
    const where = 'please verify it in api: /openApi/swap/v2/quote/contracts';
    return answer({}, NO_SUCH_SYMBOL, `${symbol} not exist, ${where}`);
  };
  switch (name) {
    case '/openApi/swap/v2/server/time':
      return answer({ serverTime: millis(market.now()) });
    case '/openApi/swap/v2/quote/contracts':
      if (symbol !== '' && book === undefined) return unknown();
      return answer(
        market
          .instruments()
          .map(describeInstrument)
          .filter((row) => symbol === '' || row.symbol === symbol),
      );
    case '/openApi/swap/v2/quote/depth': {
      if (book === undefined) return unknown();
      const limit = Number(query.get('limit') || LEVELS_UNASKED);
      if (!LEVELS.includes(limit)) {
        const wanted = `Invalid parameters, err:limit: failed on the 'len=0|oneof=${LEVELS.join(' ')}' tag`;
        return answer({}, BAD_PARAMETER, wanted);
      }
      const bids = book?.bids.slice(0, limit) ?? [];
      const asks = book?.asks.slice(0, limit) ?? [];
      const said = answer({ T: millis(book?.emitted ?? market.now()), bids, asks, bidsCoin: bids, asksCoin: asks });
      return book === null ? { ...said, unknown: true } : said;
    }
    default:
      return answer({}, NO_SUCH_PATH, 'this api is not exist');
  }
}

/** Sizes are base units. `size` is a leftover, and what the API may do is told in texts. */
function describeInstrument({ symbol, tick, lot, base, quote }: Instrument, n: number) {
  const [asset, currency] = symbol.split('-');
  return {
    contractId: String(100 + n),
    symbol,
    size: '0',
    quantityPrecision: decimalsOf(lot),
    pricePrecision: decimalsOf(tick),
    tradeMinQuantity: Number(lot),
    tradeMinUSDT: 2,
    currency: quote ?? currency,
    asset: base ?? asset,
    status: 1,
    apiStateOpen: 'true',
    apiStateClose: 'true',
    displayName: symbol,
    launchTime: 1_586_275_200_000,
    offTime: 0,
  };
}
