/** Trades that a recorder of a simulated exchange missed: read over REST later, marked, counted, and never taken for live. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { RecordOptions } from '../../src/feed/recorder.js';
import type { Fills } from '../../src/model/entry.js';
import { parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import { createRig, type Recording, type Rig, until } from './harness.js';
import { follow, gapsOf, messageIn, only } from './tape.js';

// real sockets on a machine with other work
vi.setConfig({ testTimeout: 40_000 });

/** Where a channel's ids stand, in messages and in bodies over REST; nothing here is shared with src. */
interface Stream {
  channel: string;
  topic: string;
  live: RegExp;
  body: RegExp;
}

const single = (topic: string): Stream => ({ channel: 'trade', topic, live: /"t":(\d+)/g, body: /"id":(\d+)/g });
const aggregate = (topic: string): Stream => ({ channel: 'aggTrade', topic, live: /"a":(\d+)/g, body: /"a":(\d+)/g });
const okx = (symbol: string): Stream => {
  return { channel: 'trade', topic: `trades:${symbol}`, live: /"tradeId":"(\d+)"/g, body: /"tradeId":"(\d+)"/g };
};

const CASES: [venue: string, symbol: string, streams: Stream[]][] = [
  ['binance-usdm', 'BTCUSDT', [single('btcusdt@trade'), aggregate('btcusdt@aggTrade')]],
  ['binance-coinm', 'BTCUSD_PERP', [single('btcusd_perp@trade'), aggregate('btcusd_perp@aggTrade')]],
  ['binance-spot', 'BTCUSDT', [single('btcusdt@trade'), aggregate('btcusdt@aggTrade')]],
  ['okx-swap', 'BTC-USDT-SWAP', [okx('BTC-USDT-SWAP')]],
  ['okx-spot', 'BTC-USDT', [okx('BTC-USDT')]],
];

let rig: Rig;
let watchers: WebSocket[] = [];

afterEach(async () => {
  for (const watcher of watchers) watcher.terminate();
  watchers = [];
  await rig.close();
});

/** Messages a second. The newest thousand trades are those of many seconds, as a busy machine may need. */
const RATE = 400;
/** Trades that are lost for certain. */
const LOST = 40;

/** A recorder, and somebody who is subscribed all the time, so that the ledger has every trade. */
async function start(
  venue: string,
  symbol: string,
  streams: Stream[],
  { rate = RATE, ...options }: Partial<RecordOptions> & { rate?: number } = {},
): Promise<Recording> {
  rig = await createRig({ venue, symbols: [symbol], rate });
  const channels = streams.map(({ channel }) => channel);
  for (const { path, subscribe } of venueById(venue).connections([symbol], channels)) {
    const watcher = new WebSocket(`${rig.exchange.wsUrl}${path}`);
    watchers.push(watcher);
    await new Promise((resolve) => watcher.once('open', resolve));
    for (const text of subscribe) watcher.send(text);
    await new Promise((resolve) => watcher.once('message', resolve));
  }
  const running = rig.start({
    requests: [{ venue: venueById(venue), symbols: [symbol], channels: ['depth', ...channels] }],
    ...options,
  });
  await until('the book is valid and trades came', () => rig.status.valid === 1 && rig.status.received > 300);
  return running;
}

/** Cuts all connections but those of who is there all the time. */
function cutRecorder(): void {
  for (let client = watchers.length + 1; client <= watchers.length + 4; client++)
    rig.exchange.controls.disconnect(client);
}

const ids = (texts: string[], pattern: RegExp): number[] =>
  texts.flatMap((text) => [...text.matchAll(pattern)].map(([, id]) => Number(id)));

/** Bodies of answers about missed trades, verbatim, with what they fill. */
async function answers(symbol: string, channel: string): Promise<{ fills: Fills; status: number; text: string }[]> {
  return (await rig.lines(symbol)).flatMap((line) => {
    const [entry] = only([parseEntry(line)], 'http');
    const fills = entry?.http.fills;
    return fills?.stream === channel
      ? [{ fills, status: entry.http.status, text: line.slice(line.indexOf('"fills"')) }]
      : [];
  });
}

async function report(venue: string, symbol: string): Promise<SourceReport> {
  const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
  return reports.find(({ src }) => src === `${venue}:${symbol}`)!;
}

const outcomes = (): string[] => rig.notes.filter((note) => /missed trade/.test(note));

describe.each(CASES)('%s', (venue, symbol, streams) => {
  test('what a lost connection cost is read later: live and backfilled ids are those of the ledger, each once', async () => {
    const running = await start(venue, symbol, streams);
    // the messages of the next moments are lost too, so that something is missed however fast the recorder is back
    for (const { topic } of streams) rig.exchange.controls.dropNext(topic, LOST);
    cutRecorder();
    await until('every stream is whole again', () => outcomes().length >= streams.length);
    const { received } = rig.status;
    await until('live messages came after that', () => rig.status.received > received + 200);
    await running.stop();
    await rig.exchange.stop();

    const ledger = (await readFile(join(rig.folder, 'sent.ndjson'), 'utf8')).split('\n');
    const messages = (await rig.lines(symbol)).flatMap((line) => messageIn(line) ?? []);
    const gaps = only(await rig.entries(symbol), 'gap');
    let filledInAll = 0;
    for (const { channel, topic, live, body } of streams) {
      const isOf = (text: string): boolean =>
        venueById(venue).topicOf(Buffer.from(text), 0, Buffer.byteLength(text)) === topic;
      const received = ids(messages.filter(isOf), live);
      const asked = await answers(symbol, channel);
      const listed = ids(
        asked.map(({ text }) => text),
        body,
      );
      const filled = listed.filter((id) => asked.some(({ fills }) => fills.first <= id && id <= fills.last));
      const all = ids(
        ledger.filter((line) => line.includes(`"topic":"${topic}"`)),
        live,
      );
      const [first, last] = [Math.min(...received), Math.max(...received)];
      const wanted = [...new Set(all)].filter((id) => id >= first && id <= last);
      expect(filled.length).toBeGreaterThanOrEqual(LOST);
      expect([...received, ...filled].toSorted((a, b) => a - b)).toEqual(wanted.toSorted((a, b) => a - b));
      // where any trade can be had, nothing else is read
      if (venueById(venue).capabilities.backfill[channel as never] === 'any')
        expect(listed).toHaveLength(filled.length);
      for (const { fills } of asked) {
        const told = gaps.find(({ t }) => t === fills.gap);
        expect([channel, '*']).toContain(told?.gap.stream);
      }
      filledInAll += filled.length;
      if (channel === 'trade')
        expect((await follow(rig, symbol)).counts.trades).toBe(
          ids(messages, streams.length > 1 ? /"[ta]":(\d+)/g : live).length,
        );
    }
    const { missing, backfilled, problems } = await report(venue, symbol);
    expect({ missing, backfilled }).toEqual({ missing: filledInAll, backfilled: filledInAll });
    // a gap stays a gap
    expect(problems.map(({ code }) => code)).toContain('GAP');
    expect(outcomes()).toHaveLength(streams.length);
    for (const note of outcomes()) expect(note).toMatch(/were read over REST$/);
  });
});

describe('a lost message on a connection that stays', () => {
  const [venue, symbol] = ['binance-usdm', 'BTCUSDT'];

  test('is read over REST however often the venue fails at first; every answer is on the tape', async () => {
    const running = await start(venue, symbol, [aggregate('btcusdt@aggTrade')]);
    rig.exchange.controls.restStatus(500, 2);
    rig.exchange.controls.dropNext('btcusdt@aggTrade', 7);
    await until('it is told', () => outcomes().length > 0);
    await running.stop();
    const asked = await answers(symbol, 'aggTrade');
    const [gap] = only(await rig.entries(), 'gap');
    const first = Number(gap.gap.expected);
    const fills = { stream: 'aggTrade', first, last: first + 6, gap: gap.t };
    expect(asked.map(({ status, fills }) => ({ status, fills }))).toEqual(
      [500, 500, 200].map((status) => ({ status, fills })),
    );
    expect(outcomes()[0]).toContain(`7 missed trades (aggTrade ids ${first} to ${first + 6}) were read over REST`);
  });

  test('stays missing where nobody wants it read', async () => {
    const running = await start(venue, symbol, [aggregate('btcusdt@aggTrade')], { backfill: false });
    rig.exchange.controls.dropNext('btcusdt@aggTrade', 7);
    await until('the gap is seen', () => rig.status.gaps > 0);
    const { received } = rig.status;
    await until('some messages came', () => rig.status.received > received + 500);
    await running.stop();
    expect(await answers(symbol, 'aggTrade')).toEqual([]);
    expect(await report(venue, symbol)).toMatchObject({ missing: 7, backfilled: 0 });
    expect(outcomes()).toEqual([]);
  });

  test('is filled as far as the newest trades reach, and the others are said to be missing', async () => {
    const running = await start('binance-spot', symbol, [single('btcusdt@trade')], { rate: 3000 });
    rig.exchange.controls.dropNext('btcusdt@trade', 1500);
    await until('it is told', () => outcomes().length > 0);
    await running.stop();
    const { missing, backfilled } = await report('binance-spot', symbol);
    expect(missing).toBe(1500);
    expect(backfilled).toBeLessThan(1000);
    // none where this machine was stopped for so long that a thousand came since
    expect(outcomes()[0]).toContain(`${backfilled === 0 ? '' : `${backfilled} of `}1500 missed trades`);
    expect(outcomes()[0]).toContain('stay missing: only the newest trades can be had');
    expect(gapsOf(await rig.entries())).toMatchObject([{ stream: 'trade', reason: 'sequence' }]);
  });
});
