// ccxt pro: its Binance USD-M handlers for books, trades and best prices, with a client that is only told. Reads NDJSON on stdin.
import { createInterface } from 'node:readline';
import { Work } from './work.mjs';

// the package's own entry loads a hundred exchanges; a user of one would bundle it
const { default: binanceusdm } = await import('./node_modules/ccxt/js/src/pro/binanceusdm.js');

const SYMBOL = 'BTC/USDT:USDT';
const exchange = new binanceusdm();
const work = new Work();
let failure = null;
const client = {
  url: 'wss://fstream.binance.com/ws',
  subscriptions: {},
  resolve() {},
  reject(error) {
    failure = error;
  },
};

/** The market as its own loadMarkets would make it of the tape's instrument. */
function list({ symbol: id, instrument }) {
  const kinds = { spot: false, margin: false, swap: true, future: false, option: false, contract: true, linear: true };
  const names = { id, symbol: SYMBOL, base: 'BTC', quote: 'USDT', settle: 'USDT', baseId: 'BTC', quoteId: 'USDT' };
  const precision = { price: Number(instrument.tick), amount: Number(instrument.lot) };
  exchange.setMarkets([
    {
      ...names,
      ...kinds,
      settleId: 'USDT',
      type: 'swap',
      inverse: false,
      active: true,
      contractSize: 1,
      precision,
      limits: {},
    },
  ]);
}

function snapshot(body) {
  const parsed = exchange.parseOrderBook(body, SYMBOL, body.T, 'bids', 'asks');
  parsed.nonce = body.lastUpdateId;
  exchange.orderbooks[SYMBOL] ??= exchange.orderBook({});
  exchange.orderbooks[SYMBOL].reset(parsed);
}

function top(side) {
  let sum = 0;
  for (let n = 0; n < 10 && n < side.length; n++) sum += side[n][1];
  return sum;
}

for await (const line of createInterface({ input: process.stdin })) {
  const entry = JSON.parse(line);
  if (entry.tape !== undefined) list(entry.tape);
  else if (entry.http !== undefined) snapshot(entry.http.body);
  if (entry.msg === undefined) continue;
  const event = entry.msg.data;
  if (event.e === 'depthUpdate') {
    exchange.handleOrderBook(client, event);
    if (failure !== null) throw failure;
    const book = exchange.orderbooks[SYMBOL];
    work.top(event.b.length + event.a.length, top(book.bids), top(book.asks));
  } else if (event.e === 'trade') {
    exchange.handleTrade(client, event);
    const trade = exchange.trades[SYMBOL].at(-1);
    // it has no notion of prints that are not order flow
    if (event.X === 'MARKET') work.trade(entry.t, trade.side === 'sell' ? -trade.amount : trade.amount);
  } else if (event.e === 'bookTicker') {
    exchange.handleBidsAsks(client, event);
    const { bid, ask } = exchange.bidsasks[SYMBOL];
    work.touch(bid, ask);
  }
}
work.print();
