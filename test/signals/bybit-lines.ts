/** Tapes of a venue whose messages hold several trades, or several liquidations, each. */
import { type Level, SECOND, START } from '../scan/tape-builder.js';

/** side (+1: an order that buys), price in ticks of 0.1, size */
export type Row = [side: 1 | -1, price: number, size: number];

/** What one message holds, so many seconds after the start. */
export interface Rows {
  at: number;
  kind: 'trades' | 'liquidations';
  rows: Row[];
}

/** A header and a line for each message. */
export function bybitLines(messages: readonly Rows[]): string[] {
  const src = 'bybit-linear:BTCUSDT';
  const symbol = 'BTCUSDT';
  const instrument = { symbol, kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' };
  const channels = ['depth', 'trade', 'liquidation'];
  const tape = { version: 1, recorder: 'test', venue: 'bybit-linear', symbol, instrument, channels, flow: 'trade' };
  const lines = messages.map(({ at, kind, rows }) => {
    const t = START + at * SECOND;
    const ms = Math.floor(t / 1000);
    const data = rows.map(([side, price, size]) => {
      // of a liquidation the venue names the side of the position
      const word = side > 0 === (kind === 'trades') ? 'Buy' : 'Sell';
      return { T: ms, s: symbol, S: word, v: String(size), p: (price / 10).toFixed(1) };
    });
    const topic = kind === 'trades' ? `publicTrade.${symbol}` : `allLiquidation.${symbol}`;
    return JSON.stringify({ t, src, conn: 'test.1', msg: { topic, type: 'snapshot', ts: ms, data } });
  });
  return [JSON.stringify({ t: START, src, tape: { ...tape, tool: 'test' } }), ...lines];
}

/** The same told step by step, with a book. */
export class BybitTape {
  readonly lines: string[] = bybitLines([]);
  t = START + 1;
  #update = 0;

  wait(micros: number): this {
    this.t += micros;
    return this;
  }

  #message(topic: string, type: string, rest: (ms: number) => object): this {
    const t = this.t++;
    const ms = Math.floor(t / 1000);
    const msg = { topic: `${topic}.BTCUSDT`, type, ts: ms, ...rest(ms) };
    this.lines.push(JSON.stringify({ t, src: 'bybit-linear:BTCUSDT', conn: 'test.1', msg }));
    return this;
  }

  book(type: 'snapshot' | 'delta', bids: readonly Level[], asks: readonly Level[]): this {
    const texts = (levels: readonly Level[]): string[][] =>
      levels.map(([price, size]) => [(price / 10).toFixed(1), String(size)]);
    const u = ++this.#update;
    const data = { s: 'BTCUSDT', b: texts(bids), a: texts(asks), u, seq: u };
    return this.#message('orderbook.200', type, (ms) => ({ data, cts: ms }));
  }

  /** The best levels of a side each, as a delta from those before: what leaves them is deleted, what comes among them is told. */
  window(before: readonly Level[][], after: readonly Level[][]): this {
    const [bids, asks] = after.map((levels, side) => {
      const [was, is] = [new Map(before[side]), new Map(levels)];
      const gone = before[side].filter(([price]) => !is.has(price)).map(([price]): Level => [price, 0]);
      return [...gone, ...levels.filter(([price, size]) => was.get(price) !== size)];
    });
    return this.book('delta', bids, asks);
  }

  /** One message of several trades; `rpi`: they met retail orders that no book displays; `seqs`: the engine's number of each one's order. */
  trades(rows: readonly Row[], rpi = false, seqs?: readonly number[]): this {
    return this.#message('publicTrade', 'snapshot', (ms) => ({
      data: rows.map(([side, price, size], i) => ({
        ...{ T: ms, s: 'BTCUSDT', S: side > 0 ? 'Buy' : 'Sell', v: String(size), p: (price / 10).toFixed(1) },
        ...{ i: `${this.t}-${i}`, BT: false, RPI: rpi, seq: seqs?.[i] },
      })),
    }));
  }
}
