/** A recorder whose connections are cut again and again, against everything the market said. */
import { expect } from 'vitest';
import type { Entry, Gap, Micros } from '../../src/model/entry.js';
import { venueById } from '../../src/venues/registry.js';
import { createRig, type Rig, until } from './harness.js';
import { follow, gapsOf, messageIn, only } from './tape.js';

/** Messages a second. */
const RATE = 400;

export const CUT_VENUES = [
  { venue: 'binance-usdm', symbol: 'BTCUSDT' },
  { venue: 'bybit-linear', symbol: 'BTCUSDT' },
  { venue: 'okx-swap', symbol: 'BTC-USDT-SWAP' },
  { venue: 'bingx-swap', symbol: 'BTC-USDT' },
];

export interface CutOptions {
  venue: string;
  symbol: string;
  /** connections side by side */
  redundancy: number;
  seconds: number;
  /** least time between two cuts; a cut waits until all connections deliver everything */
  everyMs: number;
}

export interface CutRun {
  rig: Rig;
  cuts: number;
  entries: Entry[];
  gaps: Gap[];
}

/** Records, cutting the oldest connection of each path every so often; `judge` sees the tape. */
export async function recordCut(options: CutOptions, judge: (run: CutRun) => Promise<void> | void): Promise<void> {
  const { venue, symbol, redundancy, seconds, everyMs } = options;
  const rig = await createRig({ venue, symbols: [symbol], rate: RATE });
  try {
    const plans = venueById(venue).connections([symbol], venueById(venue).channels.default).length;
    const running = rig.start({ redundancy });
    await until('the book is valid', () => rig.status.valid === 1);
    const begun = performance.now();
    let cuts = 0;
    for (let due = begun; performance.now() < begun + seconds * 1000; due += everyMs) {
      await rig.delivering(plans * redundancy);
      await until('the next cut is due', () => performance.now() >= due);
      rig.exchange.controls.cutOldest();
      cuts++;
    }
    await rig.delivering(plans * redundancy);
    const summary = await running.stop();
    await rig.exchange.stop();
    expect(summary).toMatchObject({ dropped: 0, written: summary.received, reconnects: cuts * plans });
    const entries = await rig.entries();
    await judge({ rig, cuts, entries, gaps: gapsOf(entries) });
  } finally {
    await rig.close();
  }
}

/** The tape of several connections: nothing is missing, and the only gaps are those of streams that have no ids to go by. */
export async function expectNothingLost(run: CutRun): Promise<void> {
  const { rig, gaps, entries, cuts } = run;
  await expectAll(run);
  // readers follow one connection there, and nothing tells where the next one stands
  expect(gaps.filter(({ reason }) => reason !== 'handover')).toEqual([]);
  const { venue, symbol } = only(entries, 'tape')[0].tape;
  const { bookLossDetected, tradeLossDetected } = venueById(venue).capabilities;
  const handed = new Set(gaps.map(({ stream }) => stream));
  expect([handed.has('trade'), handed.has('depth')]).toEqual([!tradeLossDetected, !bookLossDetected]);
  expect(only(entries, 'close').filter(({ close }) => close.code === 1006).length).toBeGreaterThanOrEqual(cuts);
  expect(cuts).toBeGreaterThan(5);
  const { valid, lost, counts } = await follow(rig, symbol);
  expect(counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0, tradesMissing: 0, crossed: 0 });
  if (bookLossDetected) expect([valid.length, lost.length]).toEqual([1, 0]);
  if (tradeLossDetected) expect(counts.trades).toBe(await tradesOf(rig));
}

/** All that the market said between the first and the last message of each topic on the tape is there; nothing else is, but `opening` messages. */
export async function expectAll({ rig }: CutRun): Promise<void> {
  const missing = await missingOf(rig);
  expect(missing.map(({ topic, texts }) => [topic, texts.slice(0, 3)])).toEqual([]);
  // and each connection has all that was sent to it
  expect((await rig.recorded([await symbolOf(rig)])).toSorted()).toEqual((await rig.sent()).toSorted());
}

const symbolOf = async (rig: Rig): Promise<string> => {
  const { symbol } = only(await rig.entries(), 'tape')[0].tape;
  return symbol;
};

/** How many trades the market made, on topics of trades, between the first and the last message of each on the tape. */
async function tradesOf(rig: Rig): Promise<number> {
  const recorded = new Set(await rig.recorded([await symbolOf(rig)]));
  let count = 0;
  for (const topic of new Set(rig.truth.map((one) => one.topic))) {
    if (!/trade/i.test(topic)) continue;
    const texts = rig.truth.filter((one) => one.topic === topic).map(({ text }) => text);
    const from = texts.findIndex((text) => recorded.has(text));
    for (const text of texts.slice(from, texts.findLastIndex((one) => recorded.has(one)) + 1)) {
      const { data } = JSON.parse(text) as { data: unknown };
      count += Array.isArray(data) ? data.length : 1;
    }
  }
  return count;
}

export interface Missing {
  topic: string;
  texts: string[];
  /** times of the messages of the topic before and after */
  after: Micros;
  before: Micros;
}

/** What the market said and is not on the tape, by uninterrupted runs. */
export async function missingOf(rig: Rig): Promise<Missing[]> {
  /** first time of each text */
  const times = new Map<string, Micros>();
  for (const line of await rig.lines(await symbolOf(rig))) {
    const text = messageIn(line);
    if (text !== null && !times.has(text)) times.set(text, Number(/"t":(\d+)/.exec(line)?.[1]));
  }
  const found: Missing[] = [];
  for (const topic of new Set(rig.truth.map((one) => one.topic))) {
    const texts = rig.truth.filter((one) => one.topic === topic).map(({ text }) => text);
    const from = texts.findIndex((text) => times.has(text));
    const to = texts.findLastIndex((text) => times.has(text));
    expect(to, `${topic} is on the tape`).toBeGreaterThan(from);
    let run: Missing | null = null;
    for (let n = from; n <= to; n++) {
      const t = times.get(texts[n]);
      if (t === undefined) {
        run ??= { topic, texts: [], after: times.get(texts[n - 1]) ?? 0, before: 0 };
        run.texts.push(texts[n]);
      } else if (run !== null) {
        found.push({ ...run, before: t });
        run = null;
      }
    }
  }
  return found;
}
