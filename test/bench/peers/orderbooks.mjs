// The npm package orderbooks, with the depth it has by default (250 levels); trades and touches as plain JSON. Reads NDJSON on stdin.
import { createInterface } from 'node:readline';
import { OrderBookLevel, OrderBooksStore } from 'orderbooks';
import { Work } from './work.mjs';

const store = new OrderBooksStore({ traceLog: false });
const work = new Work();
let symbol = '';
let last = -1;

const level = (price, side, size) => OrderBookLevel(symbol, Number(price), side, Number(size));

function snapshot({ lastUpdateId, bids, asks }) {
  const levels = [
    ...bids.map(([price, size]) => level(price, 'Buy', size)),
    ...asks.map(([price, size]) => level(price, 'Sell', size)),
  ];
  store.handleSnapshot(symbol, levels);
  last = -lastUpdateId;
}

function update({ U, u, pu, b, a }) {
  if (last < 0 ? U > -last || u < -last : pu !== last) throw new Error('a gap');
  last = u;
  const gone = [];
  const set = [];
  for (const [side, levels] of [
    ['Buy', b],
    ['Sell', a],
  ])
    for (const [price, size] of levels) (Number(size) === 0 ? gone : set).push(level(price, side, size));
  store.handleDelta(symbol, gone, set);
}

/** Its book is one array from the highest ask to the lowest bid. */
function tops() {
  const { book } = store.getBook(symbol);
  const middle = book.findIndex(([, , side]) => side === 'Buy');
  let bid = 0;
  let ask = 0;
  for (let n = 0; n < 10; n++) {
    bid += book[middle + n]?.[3] ?? 0;
    ask += book[middle - 1 - n]?.[3] ?? 0;
  }
  return [bid, ask];
}

for await (const line of createInterface({ input: process.stdin })) {
  const entry = JSON.parse(line);
  if (entry.tape !== undefined) symbol = entry.tape.symbol;
  else if (entry.http !== undefined) snapshot(entry.http.body);
  if (entry.msg === undefined) continue;
  const event = entry.msg.data;
  if (event.e === 'depthUpdate') {
    update(event);
    work.top(event.b.length + event.a.length, ...tops());
  } else if (event.e === 'trade') {
    if (event.X === 'MARKET') work.trade(entry.t, event.m ? -Number(event.q) : Number(event.q));
  } else if (event.e === 'bookTicker') work.touch(Number(event.b), Number(event.a));
}
work.print();
