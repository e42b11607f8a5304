/** Tapes of a venue whose messages hold several trades, or several liquidations, each. */
import { SECOND, START } from '../scan/tape-builder.js';

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
