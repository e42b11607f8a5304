// What a careful newcomer would write: split lines, JSON.parse each, keep the book in sorted arrays. Reads NDJSON on stdin.
// Prints the very lines of `scan --detect none --checksum --format json`, by code of its own, then float sums for the peers.
// Binance USD-M tapes that begin with a snapshot.
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

  /** Sum of the best `limit` sizes; the best bid is the last price, the best ask the first. */
  top(limit, bestIsLast) {
    const { prices, sizes } = this;
    let sum = 0;
    for (let i = 0; i < limit && i < prices.length; i++)
      sum += sizes.get(prices[bestIsLast ? prices.length - 1 - i : i]);
    return sum;
  }

  clear() {
    this.prices = [];
    this.sizes.clear();
  }
}

const decimalsOf = (text) => text.split('.')[1]?.length ?? 0;
/** The digest's step: a polynomial modulo 2^32. */
const mix = (word, value) => (Math.imul(word, 31) + value) | 0;

/** Everything of one src. */
class Source {
  counts = { messages: 0, trades: 0, depth: 0, levels: 0, touches: 0 };
  words = { trade: 0, level: 0, touch: 0, top: 0, flow: 0 };
  sums = { flow: 0, gaps: 0, topBid: 0, topAsk: 0, rolling: 0, bbo: 0 };
  bids = new Side();
  asks = new Side();
  valid = false;
  last = -1;
  pending = null;
  kept = [];
  window = [];
  oldest = 0;
  rolling = 0;
  lastTrade = -1;

  constructor({ tick, lot }) {
    // two spare decimals, as src/model/instrument.ts has them
    this.priceUnit = 10 ** (decimalsOf(tick) + 2);
    this.sizeUnit = 10 ** (decimalsOf(lot) + 2);
  }

  price(text) {
    return Math.round(Number(text) * this.priceUnit);
  }

  size(text) {
    return Math.round(Number(text) * this.sizeUnit);
  }

  apply(event) {
    for (const [price, size] of event.b) this.bids.set(this.price(price), this.size(size));
    for (const [price, size] of event.a) this.asks.set(this.price(price), this.size(size));
    this.last = event.u;
  }

  load({ bids, asks }) {
    this.bids.clear();
    this.asks.clear();
    for (const [price, size] of bids) this.bids.set(this.price(price), this.size(size));
    for (const [price, size] of asks) this.asks.set(this.price(price), this.size(size));
  }

  reaches({ U, pu }) {
    return U <= this.pending.lastUpdateId || pu === this.pending.lastUpdateId;
  }

  /** Tries to make a book of the snapshot at hand and the updates kept. */
  join() {
    if (this.pending === null) return false;
    let joined = false;
    for (const [n, event] of this.kept.entries()) {
      if (joined ? event.u <= this.last : event.u < this.pending.lastUpdateId) continue;
      if (joined ? event.pu !== this.last : !this.reaches(event)) {
        this.pending = null;
        this.kept = this.kept.slice(n);
        return false;
      }
      if (!joined) this.load(this.pending);
      joined = true;
      this.apply(event);
    }
    this.kept = [];
    this.valid = joined;
    if (joined) this.pending = null;
    return joined;
  }

  lose() {
    this.valid = false;
    this.pending = null;
    this.kept = [];
  }

  snapshot(body) {
    this.pending = body;
    if (!this.valid) this.join();
  }

  sumTop() {
    const bid = this.bids.top(10, true);
    const ask = this.asks.top(10, false);
    this.sums.topBid += bid;
    this.sums.topAsk += ask;
    this.words.top = mix(mix(this.words.top, bid), ask);
  }

  depth(event) {
    this.counts.depth++;
    this.counts.levels += event.b.length + event.a.length;
    let word = this.words.level;
    for (const side of [event.b, event.a])
      for (const [price, size] of side) word = mix(mix(word, this.price(price)), this.size(size));
    this.words.level = word;
    if (!this.valid) {
      this.kept.push(event);
      if (this.join()) this.sumTop();
    } else if (event.pu === this.last) {
      // a snapshot of a valid book renews it once the stream has reached it
      if (this.pending !== null && event.u >= this.pending.lastUpdateId) {
        if (this.reaches(event)) this.load(this.pending);
        this.pending = null;
      }
      this.apply(event);
      this.sumTop();
    } else if (event.u > this.last) {
      this.sums.gaps++;
      this.lose();
      this.kept.push(event);
    }
  }

  trade(t, event) {
    this.counts.trades++;
    const signed = event.m ? -this.size(event.q) : this.size(event.q);
    this.words.trade = mix(mix(this.words.trade, this.price(event.p)), signed);
    if (event.t <= this.lastTrade) return;
    if (this.lastTrade >= 0 && event.t !== this.lastTrade + 1) {
      this.window = [];
      this.oldest = 0;
      this.rolling = 0;
    }
    this.lastTrade = event.t;
    if (event.X !== 'MARKET') return;
    this.sums.flow++;
    this.window.push([t, signed]);
    this.rolling += signed;
    while (this.window[this.oldest][0] <= t - 5_000_000) this.rolling -= this.window[this.oldest++][1];
    if (this.oldest > 100_000) {
      this.window = this.window.slice(this.oldest);
      this.oldest = 0;
    }
    this.sums.rolling += this.rolling;
    this.words.flow = mix(this.words.flow, this.rolling);
  }

  touch(event) {
    this.counts.touches++;
    const bid = this.price(event.b);
    const ask = this.price(event.a);
    const word = mix(mix(this.words.touch, bid), this.size(event.B));
    this.words.touch = mix(mix(word, ask), this.size(event.A));
    this.sums.bbo += bid + ask;
  }

  digest() {
    return Object.values(this.words)
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('-');
  }
}

const sources = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const entry = JSON.parse(line);
  if (entry.tape !== undefined && !sources.has(entry.src)) sources.set(entry.src, new Source(entry.tape.instrument));
  const source = sources.get(entry.src);
  if (entry.http !== undefined) source.snapshot(entry.http.body);
  else if (entry.close !== undefined || entry.gap !== undefined || entry.drop !== undefined) source.lose();
  if (entry.msg === undefined) continue;
  source.counts.messages++;
  const event = entry.msg.data;
  if (event.e === 'depthUpdate') source.depth(event);
  else if (event.e === 'trade') source.trade(entry.t, event);
  else if (event.e === 'bookTicker') source.touch(event);
}

const total = { flow: 0, gaps: 0, topBid: 0, topAsk: 0, rolling: 0, bbo: 0 };
let out = '';
for (const [src, source] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1))) {
  out += `${JSON.stringify({ checksum: { src, ...source.counts, digest: source.digest() } })}\n`;
  const { flow, gaps, topBid, topAsk, rolling, bbo } = source.sums;
  total.flow += flow;
  total.gaps += gaps;
  total.topBid += topBid / source.sizeUnit;
  total.topAsk += topAsk / source.sizeUnit;
  total.rolling += rolling / source.sizeUnit;
  total.bbo += bbo / source.priceUnit;
}
process.stdout.write(`${out}${JSON.stringify({ sums: total })}\n`);
