// What a careful newcomer would write: split lines, JSON.parse each, keep the book in sorted arrays. Reads NDJSON on stdin.
// Does the core work of `scan --detect none --checksum` and prints the counts that prove it.
import { createInterface } from 'node:readline';

/** One side of a book: prices sorted ascending, sizes beside them. */
class Side {
  prices = [];
  sizes = new Map();

  set(price, size) {
    if (size === 0) {
      if (this.sizes.delete(price)) this.prices.splice(this.find(price), 1);
      return;
    }
    if (!this.sizes.has(price)) this.prices.splice(this.find(price), 0, price);
    this.sizes.set(price, size);
  }

  find(price) {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.prices[middle] < price) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear() {
    this.prices = [];
    this.sizes.clear();
  }
}

const bids = new Side();
const asks = new Side();
const counts = { messages: 0, depth: 0, levels: 0, trades: 0, touches: 0, gaps: 0 };
let top10 = 0;
let rolling = 0;
let rollingSum = 0;
let window = [];
let windowStart = 0;
let last = -1;
let waiting = [];
let valid = false;
/** a snapshot came and no update has reached it yet */
let joining = false;

function top(side, best) {
  let sum = 0;
  for (let i = 0; i < 10 && i < side.prices.length; i++) {
    sum += side.sizes.get(side.prices[best === 'high' ? side.prices.length - 1 - i : i]);
  }
  return sum;
}

function apply(event) {
  for (const [price, size] of event.b) bids.set(Number(price), Number(size));
  for (const [price, size] of event.a) asks.set(Number(price), Number(size));
  counts.levels += event.b.length + event.a.length;
  last = event.u;
  joining = false;
  top10 += top(bids, 'high') - top(asks, 'low');
}

function depth(event) {
  counts.depth++;
  if (!valid) waiting.push(event);
  else if (joining && event.u < last) counts.levels += event.b.length + event.a.length;
  else if (joining || event.pu === last) apply(event);
  else {
    counts.gaps++;
    valid = false;
    waiting = [event];
  }
}

function snapshot(body) {
  bids.clear();
  asks.clear();
  for (const [price, size] of body.bids) bids.set(Number(price), Number(size));
  for (const [price, size] of body.asks) asks.set(Number(price), Number(size));
  last = body.lastUpdateId;
  valid = true;
  joining = true;
  const kept = waiting;
  waiting = [];
  counts.depth -= kept.length;
  for (const event of kept) depth(event);
}

function trade(t, event) {
  counts.trades++;
  if (event.X !== 'MARKET') return;
  const signed = event.m ? -Number(event.q) : Number(event.q);
  window.push([t, signed]);
  rolling += signed;
  while (window[windowStart][0] <= t - 5_000_000) rolling -= window[windowStart++][1];
  if (windowStart > 100_000) {
    window = window.slice(windowStart);
    windowStart = 0;
  }
  rollingSum += rolling;
}

for await (const line of createInterface({ input: process.stdin })) {
  const entry = JSON.parse(line);
  if (entry.http !== undefined) snapshot(entry.http.body);
  else if (entry.close !== undefined) {
    valid = false;
    waiting = [];
  }
  if (entry.msg === undefined) continue;
  counts.messages++;
  const event = entry.msg.data;
  if (event.e === 'depthUpdate') depth(event);
  else if (event.e === 'trade') trade(entry.t, event);
  else if (event.e === 'bookTicker') counts.touches++;
}
process.stdout.write(`${JSON.stringify({ ...counts, top10: Math.round(top10), rolling: Math.round(rollingSum) })}\n`);
