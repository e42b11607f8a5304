/** The venues that can be simulated, and a recording of any of them against what its exchange says it sent. */
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { readStream, readTape } from '../../src/tape/reader.js';
import { type Scanned, scanFlows } from '../scan/tape-builder.js';
import { createRig, type Rig, until } from './harness.js';
import { follow } from './tape.js';

export interface Simulated {
  symbols: [string, string];
  /** topic of the first one's book */
  book: string;
  /** its books begin with a snapshot in their own stream */
  opens: boolean;
}

/** Messages a second, of both symbols together. */
const RATE = 1000;

export const SIMULATED: Record<string, Simulated> = {
  'binance-usdm': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'btcusdt@depth@100ms', opens: false },
  'binance-coinm': { symbols: ['BTCUSD_PERP', 'ETHUSD_PERP'], book: 'btcusd_perp@depth@100ms', opens: false },
  'binance-spot': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'btcusdt@depth@100ms', opens: false },
  'bybit-linear': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'orderbook.200.BTCUSDT', opens: true },
  'bybit-inverse': { symbols: ['BTCUSD', 'ETHUSD'], book: 'orderbook.200.BTCUSD', opens: true },
  'bybit-spot': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'orderbook.200.BTCUSDT', opens: true },
  'bingx-swap': { symbols: ['BTC-USDT', 'ETH-USDT'], book: 'BTC-USDT@incrDepth', opens: true },
  'weex-futures': { symbols: ['BTCUSDT', 'ETHUSDT'], book: 'BTCUSDT@depth200', opens: true },
  'mexc-futures': { symbols: ['BTC_USDT', 'BTC_USD'], book: 'push.depth:BTC_USDT', opens: false },
  'okx-swap': { symbols: ['BTC-USDT-SWAP', 'BTC-USD-SWAP'], book: 'books:BTC-USDT-SWAP', opens: true },
  'okx-spot': { symbols: ['BTC-USDT', 'ETH-USDT'], book: 'books:BTC-USDT', opens: true },
};

/** Records two symbols of a simulated venue for at least so long: the tape is the ledger, it is clean, and it gives the signals that the stream gave. */
export async function recordFor(seconds: number, venue: string, { symbols, opens }: Simulated): Promise<void> {
  const rig = await createRig({ venue, symbols, rate: RATE });
  try {
    const live = new PassThrough();
    const set = ['window=200ms', 'on=0.05', 'off=0.02', 'hold=100ms'].map((one) => `book-imbalance.${one}`);
    const settings = { detect: ['book-imbalance'], set };
    const heard = scanFlows([readStream(live, 'live')], settings);
    const begun = performance.now();
    const running = rig.start({ live });
    await until('both books are valid', () => rig.status.valid === 2);
    // most of the tape is to be verified, also where a busy machine takes long to come so far
    const waited = performance.now() - begun;
    await sleep(Math.max(seconds * 1000, 2 * waited));
    const summary = await running.stop();
    await rig.exchange.stop();
    live.end();
    expect(summary).toMatchObject({ dropped: 0, gaps: 0, reconnects: 0, written: summary.received });
    for (const symbol of symbols) await compare(rig, symbol, opens, (seconds * RATE) / 20);

    const all = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
    // greetings and pings are of no symbol
    const reports = all.filter(({ src }) => src !== `${venue}:_venue`);
    expect(reports.map(({ src, gaps, unknown }) => ({ src, gaps, unknown }))).toEqual(
      symbols.toSorted().map((symbol) => ({ src: `${venue}:${symbol}`, gaps: 0, unknown: 0 })),
    );
    // where snapshots are asked for one after the other, the second book waits
    if (opens) for (const { verified, unverifiable } of reports) expect(verified ?? unverifiable).toBeGreaterThan(50);

    const kept = await scanFlows([readTape([rig.out])], settings);
    const now = await heard;
    expect(signals(kept)).toEqual(signals(now));
    expect(kept.lines).toHaveLength(now.lines.length);
    // srcs that began within a millisecond are met in any order
    const bySource = ({ sums }: Scanned): Scanned['sums'] => sums.toSorted((a, b) => (a.src < b.src ? -1 : 1));
    expect(bySource(kept)).toEqual(bySource(now));
    expect(signals(kept).length).toBeGreaterThan(0);
    expect(kept.sums[0].trades).toBeGreaterThan(seconds * 10);
  } finally {
    await rig.close();
  }
}

async function compare(rig: Rig, symbol: string, inOrder: boolean, least: number): Promise<void> {
  const [recorded, sent] = [await rig.recorded([symbol]), await rig.sent(symbol)];
  expect(recorded.length).toBeGreaterThan(least);
  // one connection keeps the order; Binance futures have two
  if (inOrder) expect(recorded).toEqual(sent);
  else expect(recorded.toSorted()).toEqual(sent.toSorted());
  const { valid, counts } = await follow(rig, symbol);
  expect(valid).toHaveLength(1);
  expect(counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0, tradesMissing: 0, crossed: 0 });
}

/** Entries that seal a tape let its end come some µs later; a pipe has the order of arrival, a tape that of time. */
const signals = ({ lines }: Scanned): string[] => lines.filter((line) => !line.includes('"reason":"eof"')).toSorted();
