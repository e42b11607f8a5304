// tardis-dev: replayNormalized from its own slice cache, offline, and its OrderBook.
// Usage: node tardis.mjs CACHE FROM TO SYMBOL
import tardis from 'tardis-dev';
import { Work } from './work.mjs';

const [cacheDir, from, to, symbol] = process.argv.slice(2);
tardis.init({ cacheDir });

const work = new Work();
const book = new tardis.OrderBook();

function top(levels) {
  let sum = 0;
  let n = 0;
  for (const { amount } of levels) {
    sum += amount;
    if (++n === 10) break;
  }
  return sum;
}

const messages = tardis.replayNormalized(
  { exchange: 'binance-futures', symbols: [symbol], from, to },
  tardis.normalizeTrades,
  tardis.normalizeBookChanges,
  tardis.normalizeBookTickers,
);
for await (const message of messages) {
  if (message.type === 'book_change') {
    book.update(message);
    if (!message.isSnapshot) work.top(message.bids.length + message.asks.length, top(book.bids()), top(book.asks()));
  } else if (message.type === 'trade') {
    const t = message.localTimestamp.valueOf() * 1000 + message.localTimestamp.μs;
    work.trade(t, message.side === 'sell' ? -message.amount : message.amount);
  } else if (message.type === 'book_ticker') work.touch(message.bidPrice, message.askPrice);
}
work.print();
