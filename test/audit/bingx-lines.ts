/** A tape of BingX as lines: its header, the messages of its book, and books over REST. */
import type { Entry, Micros } from '../../src/model/entry.js';
import type { Instrument } from '../../src/model/instrument.js';
import { entryLine, messageLine } from '../../src/tape/line.js';

export const START: Micros = 1_790_201_122_000_000;
export const SRC = 'bingx-swap:BTC-USDT';
const CONN = 'rec1.1';
const INSTRUMENT: Instrument = { symbol: 'BTC-USDT', kind: 'linear', tick: '0.1', lot: '0.0001', multiplier: '1' };

export type Levels = [price: string, size: string][];

/** Times are milliseconds since START. */
const at = (ms: number): Micros => START + ms * 1000;

/** The header and the connection. */
export function opening(): string[] {
  const tape = { version: 1, recorder: 'rec1', venue: 'bingx-swap', symbol: 'BTC-USDT', instrument: INSTRUMENT };
  const header: Entry = { t: START - 2, src: SRC, tape: { ...tape, channels: ['depth'], flow: 'trade', tool: 'test' } };
  return [entryLine(header), entryLine({ t: START - 1, src: SRC, conn: CONN, open: { url: 'u' } })];
}

function book(ms: number, action: 'all' | 'update', id: number, bids: Levels, asks: Levels): string {
  const data = { action, lastUpdateId: id, time: at(ms) / 1000, bids, asks };
  const text = JSON.stringify({ code: 0, dataType: 'BTC-USDT@incrDepth', data });
  return messageLine(at(ms), SRC, CONN, Buffer.from(text)).toString();
}

export const whole = (ms: number, id: number, bids: Levels, asks: Levels): string => book(ms, 'all', id, bids, asks);
export const update = (ms: number, id: number, bids: Levels, asks: Levels = []): string =>
  book(ms, 'update', id, bids, asks);

/** An answer over REST, received at `ms`. */
export function answer(ms: number, body: object, status = 200): string {
  const url = 'https://x/openApi/swap/v2/quote/depth?symbol=BTC-USDT&limit=100';
  return entryLine({ t: at(ms), src: SRC, http: { url, status, sent: at(ms) - 200, body } });
}

/** The book as REST tells it. */
export function bookBody(ms: number, bids: Levels, asks: Levels): object {
  return { code: 0, msg: '', data: { T: at(ms) / 1000, bids, asks, bidsCoin: bids, asksCoin: asks } };
}

export const gap = (ms: number, reason: 'silence' | 'disconnect'): string =>
  entryLine({ t: at(ms), src: SRC, gap: { stream: 'depth', from: at(ms - 1), reason } });
