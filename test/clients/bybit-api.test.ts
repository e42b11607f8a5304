/** The npm package bybit-api, with the book in orderbooks: held against tapedeck's own reading. */
import { RestClientV5, WebsocketClient, type WSOrderbookEventV5, type WSTradeEventV5 } from 'bybit-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gathered, gather, silent } from './gather.js';
import { LEVELS, levelsOf, type ReadTrade } from './reader.js';
import { best, bybitIds, expectTrades, inBothWays, type Market, type Sides, TRADES, UPDATES } from './serve.js';
import { createStoredBook } from './store.js';

const rows = [
  { venue: 'bybit-linear', symbol: 'BTCUSDT', category: 'linear' },
  { venue: 'bybit-inverse', symbol: 'BTCUSD', category: 'inverse' },
  { venue: 'bybit-spot', symbol: 'BTCUSDT', category: 'spot' },
] as const;

function sidesOf({ b, a }: { b: string[][]; a: string[][] }): Sides {
  return { bids: levelsOf(b), asks: levelsOf(a) };
}

describe.each(inBothWays(rows))('$venue $from', ({ venue, symbol, category, start }) => {
  let market: Market;
  let client: WebsocketClient;
  let books: Gathered<WSOrderbookEventV5>;
  let trades: Gathered<WSTradeEventV5['data'][0]>;

  beforeAll(async () => {
    market = await start({ venue, symbol, tradeIds: bybitIds });
    client = new WebsocketClient({ wsUrl: `${market.exchange.wsUrl}/v5/public/${category}` }, silent);
    books = gather();
    trades = gather();
    client.on('update', (event: WSOrderbookEventV5 | WSTradeEventV5) => {
      if (Array.isArray(event.data)) for (const trade of event.data) trades.push(trade);
      else books.push(event as WSOrderbookEventV5);
    });
    client.on('exception', (error) => {
      books.fail(error);
      trades.fail(error);
    });
    client.subscribeV5([`orderbook.200.${symbol}`, `publicTrade.${symbol}`], category);
  });
  afterAll(async () => {
    client.closeAll();
    await market.exchange.stop();
  });

  test('the market is listed, and its book by REST is ours', async () => {
    const rest = new RestClientV5({ baseUrl: market.exchange.httpUrl });
    const listed = await rest.getInstrumentsInfo({ category, symbol });
    const [instrument] = listed.result.list;
    expect(instrument).toMatchObject({ symbol, status: 'Trading' });
    expect(Number(instrument.priceFilter.tickSize)).toBe(Number(market.instrument.tick));
    const { result } = await rest.getOrderbook({ category, symbol, limit: LEVELS });
    // by the time of its match, which books of all depths have
    const ours = market.ours.books.findLast(({ matched }) => matched <= Number(result.cts));
    expect(ours === undefined ? null : best(ours)).toEqual(sidesOf(result));
  });

  test('every book is ours', async () => {
    const messages = await books.atLeast(UPDATES);
    const book = createStoredBook(symbol);
    messages.forEach(({ type, data }, i) => {
      expect(type).toBe(i === 0 ? 'snapshot' : 'delta');
      if (type === 'snapshot') book.replace(sidesOf(data));
      else book.change(sidesOf(data));
      const ours = market.ours.books.filter(({ id }) => id === data.u);
      expect(ours.map(best)).toEqual([book.best()]);
    });
    expect(market.wrong).toEqual([]);
  });

  test('every trade is ours, none is missing', async () => {
    const theirs = (await trades.atLeast(TRADES)).map(
      ({ i, p, v, S, T }): ReadTrade => ({
        ...{ id: i, price: Number(p), size: Number(v), side: S === 'Buy' ? 'buy' : 'sell', matched: T },
      }),
    );
    expectTrades(market, theirs);
  });
});
