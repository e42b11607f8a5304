/** ccxt against every simulated exchange: markets by REST, books and trades by WebSocket, held against tapedeck's own reading. */
import ccxt, { type Exchange, type OrderBook } from 'ccxt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servedVenues } from '../../src/venues/servers.js';
import { type Elsewhere, startElsewhere } from './elsewhere.js';
import { levelsOf, type ReadBook, type ReadTrade } from './reader.js';
import {
  best,
  bybitIds,
  expectTrades,
  type Market,
  type MarketOptions,
  startMarket,
  startTape,
  TRADES,
  UPDATES,
  weexIds,
} from './serve.js';

const ON_TAPE = ['binance-usdm', 'bybit-linear', 'okx-swap', 'bingx-swap', 'weex-futures', 'mexc-futures'];

interface Urls {
  ws: string;
  http: string;
  /** the exchange's other hosts, where nothing is listed */
  elsewhere: string;
}

interface Row extends MarketOptions {
  /** the symbol as ccxt writes it */
  unified: string;
  client(urls: Urls): Exchange;
  /** what names a book of the client */
  by: 'id' | 'emitted';
  /** default 100 */
  updates?: number;
  /** books that may be those of a snapshot between two messages */
  between?: number;
  /** false where the client gives trades no id, or one of its own making */
  namesTrades?: boolean;
  /** what it takes for the size of a contract, where that is wrong, see README.md */
  contractSize?: number;
  /** how often the client may fail to join a book and be asked again, see README.md */
  rejoins?: number;
}

function binance(type: string, urls: object, ws: object): Exchange {
  const client = new ccxt.pro.binance({ enableRateLimit: false, options: { fetchMarkets: { types: [type] } } });
  Object.assign(client.urls.api, urls);
  Object.assign(client.urls.api.ws, ws);
  return client;
}

function bybit(type: string, { ws, http }: Urls): Exchange {
  const client = new ccxt.pro.bybit({ enableRateLimit: false, options: { fetchMarkets: { types: [type] } } });
  client.urls.api.public = http;
  client.urls.api.ws.public[type] = `${ws}/v5/public/${type}`;
  return client;
}

function okx(type: string, { ws, http }: Urls): Exchange {
  const client = new ccxt.pro.okx({ enableRateLimit: false, options: { fetchMarkets: { types: [type] } } });
  client.urls.api.rest = http;
  client.urls.api.ws = `${ws}/ws/v5`;
  return client;
}

const rows: Row[] = [
  {
    ...{ venue: 'binance-usdm', symbol: 'BTCUSDT', unified: 'BTC/USDT:USDT', by: 'id' },
    client: ({ ws, http }) => binance('linear', { fapiPublic: `${http}/fapi/v1` }, { future: `${ws}/ws` }),
  },
  {
    // updates that come while it asks for the snapshot are its undoing, so they are few
    ...{
      venue: 'binance-coinm',
      symbol: 'BTCUSD_PERP',
      unified: 'BTC/USD:BTC',
      by: 'id',
      rate: 300,
      rejoins: 20,
      updates: 50,
    },
    client: ({ ws, http }) => binance('inverse', { dapiPublic: `${http}/dapi/v1` }, { delivery: `${ws}/ws` }),
  },
  {
    ...{ venue: 'binance-spot', symbol: 'BTCUSDT', unified: 'BTC/USDT', by: 'id' },
    client: ({ ws, http }) => binance('spot', { public: `${http}/api/v3` }, { spot: `${ws}/ws` }),
  },
  {
    ...{ venue: 'bybit-linear', symbol: 'BTCUSDT', unified: 'BTC/USDT:USDT', by: 'emitted', tradeIds: bybitIds },
    client: (urls) => bybit('linear', urls),
  },
  {
    ...{ venue: 'bybit-inverse', symbol: 'BTCUSD', unified: 'BTC/USD:BTC', by: 'emitted', tradeIds: bybitIds },
    client: (urls) => bybit('inverse', urls),
  },
  {
    ...{ venue: 'bybit-spot', symbol: 'BTCUSDT', unified: 'BTC/USDT', by: 'emitted', tradeIds: bybitIds },
    client: (urls) => bybit('spot', urls),
  },
  {
    ...{ venue: 'okx-swap', symbol: 'BTC-USDT-SWAP', unified: 'BTC/USDT:USDT', by: 'id' },
    client: (urls) => okx('swap', urls),
  },
  {
    ...{ venue: 'okx-spot', symbol: 'BTC-USDT', unified: 'BTC/USDT', by: 'id' },
    client: (urls) => okx('spot', urls),
  },
  {
    // of a symbol that is not pushed more often, `depth100` and `depth100@500ms` are one
    ...{ venue: 'bingx-swap', symbol: 'SOL-USDT', unified: 'SOL/USDT:USDT', by: 'emitted' },
    ...{ channels: ['depth100', 'trade'], speed: 10, rate: 200, updates: 25, namesTrades: false },
    client({ ws, http }) {
      // of its hosts, the sandbox has the one of swaps only; trades without ids are no repeats because they look alike
      const options = { sandboxMode: true, watchTrades: { ignoreDuplicates: false } };
      const client = new ccxt.pro.bingx({ enableRateLimit: false, options });
      client.urls.api.swap = `${http}/openApi`;
      client.urls.api.ws.linear = `${ws}/swap-market`;
      return client;
    },
  },
  {
    ...{ venue: 'weex-futures', symbol: 'BTCUSDT', unified: 'BTC/USDT:USDT', by: 'id' },
    ...{ speed: 10, rate: 200, updates: 25, tradeIds: weexIds, contractSize: 0.001 },
    client({ ws, http, elsewhere }) {
      const client = new ccxt.pro.weex({ enableRateLimit: false });
      Object.assign(client.urls.api, { public: elsewhere, contract: http });
      client.urls.api.ws.contract = `${ws}/v3/ws`;
      return client;
    },
  },
  {
    ...{ venue: 'mexc-futures', symbol: 'BTC_USDT', unified: 'BTC/USDT:USDT', by: 'id', between: 1 },
    ...{ speed: 10, rate: 200, updates: 25, namesTrades: false },
    client({ ws, http, elsewhere }) {
      const client = new ccxt.pro.mexc({ enableRateLimit: false });
      client.urls.api.spot.public = elsewhere;
      client.urls.api.contract.public = `${http}/api/v1/contract`;
      client.urls.api.ws.swap = `${ws}/edge`;
      return client;
    },
  },
];

/**
 * The book of this id, or those of this millisecond. The opening snapshot of a stream is of now, and of the last book pushed.
 */
function booksAt({ ours: { books } }: Market, by: 'id' | 'emitted', name: number): ReadBook[] {
  const named = books.filter((one) => one[by] === name);
  return named.length > 0 || by === 'id' ? named : books.filter((one) => one[by] < name).slice(-1);
}

test('no venue with a server is left out', () => {
  const able = servedVenues.map(({ id }) => id);
  expect(rows.map(({ venue }) => venue).toSorted()).toEqual(able.toSorted());
});

/** Each simulated, and one of each exchange from a tape; recorded is the default, so what else a client asks for is made of it. */
const cases = [
  ...rows.map((row) => ({ ...row, from: 'simulated', start: startMarket })),
  ...rows
    .filter(({ venue }) => ON_TAPE.includes(venue))
    .map(({ channels: _, ...row }) => ({ ...row, from: 'from a tape', start: startTape, rate: row.rate ?? 1000 })),
];

describe.each(cases)('$venue $from', ({ symbol, unified, start, client: clientOf, by, ...options }) => {
  let market: Market;
  let elsewhere: Elsewhere;
  let client: Exchange;

  beforeAll(async () => {
    market = await start({ symbol, ...options });
    elsewhere = await startElsewhere();
    client = clientOf({ ws: market.exchange.wsUrl, http: market.exchange.httpUrl, elsewhere: elsewhere.url });
    // ccxt takes a plain `ws:` for a proxy's
    await client.loadHttpProxyAgent();
  });
  afterAll(async () => {
    await client.close();
    await market.exchange.stop();
    elsewhere.stop();
  });

  test('the market is listed with its steps', async () => {
    await client.loadMarkets();
    const { tick, lot, multiplier, kind } = market.instrument;
    expect(client.market(unified)).toMatchObject({
      id: symbol,
      spot: kind === 'spot',
      precision: { price: Number(tick), amount: Number(lot) },
      ...(kind === 'spot' ? {} : { contractSize: options.contractSize ?? Number(multiplier) }),
    });
  });

  test('every book is ours', async () => {
    let failures = 0;
    const watch = async (): Promise<OrderBook> => {
      for (;;) {
        try {
          return await client.watchOrderBook(unified);
        } catch (error) {
          if (!(error instanceof ccxt.ChecksumError) || ++failures > (options.rejoins ?? 0)) throw error;
        }
      }
    };
    let between = 0;
    for (let n = 0; n < (options.updates ?? UPDATES); n++) {
      const book = await watch();
      const ours = booksAt(market, by, Number(by === 'id' ? book.nonce : book.timestamp)).map(best);
      if (ours.length === 0 && ++between <= (options.between ?? 0)) continue;
      const theirs = best({ bids: levelsOf(book.bids), asks: levelsOf(book.asks) });
      // mostly there is one
      if (ours.length > 1) expect(ours).toContainEqual(theirs);
      else expect(ours).toEqual([theirs]);
    }
    expect(market.wrong).toEqual([]);
  });

  test('every trade is ours, none is missing', async () => {
    const theirs: ReadTrade[] = [];
    while (theirs.length < TRADES)
      for (const { id, price, amount, side, timestamp } of await client.watchTrades(unified))
        theirs.push({
          ...{ id: String(id), price: Number(price), size: Number(amount), matched: Number(timestamp) },
          side: side === 'buy' ? side : 'sell',
        });
    expectTrades(market, theirs, options.namesTrades);
  });
});
