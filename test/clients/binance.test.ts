/** The npm package binance, with the book in orderbooks: joined as Binance documents it, held against tapedeck's own reading. */
import {
  CoinMClient,
  type FuturesOrderBook,
  MainClient,
  type OrderBookResponse,
  USDMClient,
  WebsocketClient,
  type WsFormattedMessage,
  type WsKey,
} from 'binance';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gathered, gather, silent } from './gather.js';
import { type Level, levelsOf, type ReadTrade } from './reader.js';
import { best, expectTrades, inBothWays, type Market, TRADES, UPDATES } from './serve.js';
import { createStoredBook } from './store.js';

const SNAPSHOT_LEVELS = 1000;

type Depth = Extract<WsFormattedMessage, { eventType: 'depthUpdate' }>;
type Trade = Extract<WsFormattedMessage, { eventType: 'trade' }>;

interface Row {
  venue: string;
  symbol: string;
  key: WsKey;
  snapshot(baseUrl: string): Promise<FuturesOrderBook | OrderBookResponse>;
}

const rows: Row[] = [
  {
    // its `usdm` would send trades to the route where they are silent, see README.md
    ...{ venue: 'binance-usdm', symbol: 'BTCUSDT', key: 'usdmPublic' },
    snapshot: (baseUrl) => new USDMClient({ baseUrl }).getOrderBook({ symbol: 'BTCUSDT', limit: SNAPSHOT_LEVELS }),
  },
  {
    ...{ venue: 'binance-coinm', symbol: 'BTCUSD_PERP', key: 'coinm' },
    snapshot: (baseUrl) => new CoinMClient({ baseUrl }).getOrderBook({ symbol: 'BTCUSD_PERP', limit: SNAPSHOT_LEVELS }),
  },
  {
    ...{ venue: 'binance-spot', symbol: 'BTCUSDT', key: 'main' },
    snapshot: (baseUrl) => new MainClient({ baseUrl }).getOrderBook({ symbol: 'BTCUSDT', limit: SNAPSHOT_LEVELS }),
  },
];

describe.each(inBothWays(rows))('$venue $from', ({ venue, symbol, key, snapshot: snapshotOf, start }) => {
  let market: Market;
  let client: WebsocketClient;
  let depths: Gathered<Depth>;
  let trades: Gathered<Trade>;

  beforeAll(async () => {
    market = await start({ venue, symbol });
    client = new WebsocketClient({ wsUrl: market.exchange.wsUrl, beautify: true }, silent);
    depths = gather();
    trades = gather();
    client.on('formattedMessage', (message) => {
      if (Array.isArray(message)) return;
      if (message.eventType === 'depthUpdate') depths.push(message);
      if (message.eventType === 'trade') trades.push(message);
    });
    client.on('exception', (error) => {
      depths.fail(error);
      trades.fail(error);
    });
    const name = symbol.toLowerCase();
    await client.subscribe([`${name}@depth@100ms`, `${name}@trade`], key);
  });
  afterAll(async () => {
    client.closeAll();
    await market.exchange.stop();
  });

  test('every book is ours', async () => {
    await depths.atLeast(1);
    const snapshot = await snapshotOf(market.exchange.httpUrl);
    const book = createStoredBook(symbol);
    book.replace({ bids: levelsOf(snapshot.bids), asks: levelsOf(snapshot.asks) });
    let compared = 0;
    for (let n = 1; compared < UPDATES; n++) {
      const { lastUpdateId, bidDepthDelta, askDepthDelta } = (await depths.atLeast(n))[n - 1];
      if (lastUpdateId <= snapshot.lastUpdateId) continue;
      const changed = (delta: { price: number; quantity: number }[]): Level[] =>
        delta.map(({ price, quantity }) => [price, quantity]);
      book.change({ bids: changed(bidDepthDelta), asks: changed(askDepthDelta) });
      const ours = market.ours.books.filter(({ id }) => id === lastUpdateId);
      expect(ours.map(best)).toEqual([book.best()]);
      compared++;
    }
    expect(market.wrong).toEqual([]);
  });

  test('every trade is ours, none is missing', async () => {
    const theirs = (await trades.atLeast(TRADES)).map(
      ({ tradeId, price, quantity, maker, time }): ReadTrade => ({
        ...{ id: String(tradeId), price, size: quantity, side: maker ? 'sell' : 'buy', matched: time },
      }),
    );
    expectTrades(market, theirs);
  });
});
