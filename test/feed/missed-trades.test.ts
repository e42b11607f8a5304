/** Trades that a recorder of a simulated exchange missed: read over REST later, marked, counted, and never taken for live. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { RecordOptions } from '../../src/feed/recorder.js';
import type { Fills } from '../../src/model/entry.js';
import { parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import { createRig, type Recording, type Rig, until } from './harness.js';
import { follow, gapsOf, messageIn, only } from './tape.js';

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

/** Messages a second. The newest thousand trades are those of many seconds, as a busy machine may need. */
const RATE = 400;
/** Trades that are lost for certain. */
const LOST = 40;

interface Scene {
  rig: Rig;
  running: Recording;
  symbol: string;
  /** cuts the recorder's connections, and nobody else's */
  cut(): void;
  /** what was said of missed trades */
  outcomes(): string[];
  /** answers about missed trades of a channel, with what they fill; `text` holds the body, verbatim */
  answers(channel: string): Promise<{ fills: Fills; status: number; text: string }[]>;
  /** what verify says of the tape */
  report(): Promise<SourceReport>;
}

interface SceneOptions extends Partial<RecordOptions> {
  venue: string;
  symbol: string;
  streams: Stream[];
  rate?: number;
}

/** A recorder at work, and somebody who is subscribed all the time, so that the ledger has every trade. */
async function play(options: SceneOptions, act: (scene: Scene) => Promise<void>): Promise<void> {
  const { venue: id, symbol, streams, rate = RATE, ...more } = options;
  const venue = venueById(id);
  const channels = streams.map(({ channel }) => channel);
  const rig = await createRig({ venue: id, symbols: [symbol], rate });
  const watchers: WebSocket[] = [];
  try {
    for (const { path, subscribe } of venue.connections([symbol], channels)) {
      const watcher = new WebSocket(`${rig.exchange.wsUrl}${path}`);
      watchers.push(watcher);
      await once(watcher, 'open');
      for (const text of subscribe) watcher.send(text);
      await once(watcher, 'message');
    }
    const running = rig.start({ requests: [{ venue, symbols: [symbol], channels: ['depth', ...channels] }], ...more });
    await until('the book is valid and trades came', () => rig.status.valid === 1 && rig.status.received > 200);
    await act({
      rig,
      running,
      symbol,
      cut() {
        // clients are numbered as they come
        for (const n of [1, 2, 3, 4]) rig.exchange.controls.disconnect(watchers.length + n);
      },
      outcomes: () => rig.notes.filter((note) => note.includes('missed trade')),
      answers: async (channel) =>
        (await rig.lines(symbol)).flatMap((line) => {
          const [entry] = only([parseEntry(line)], 'http');
          const fills = entry?.http.fills;
          const text = line.slice(line.indexOf('"fills"'));
          return fills?.stream === channel ? [{ fills, status: entry.http.status, text }] : [];
        }),
      async report() {
        const reports = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
        return reports.find(({ src }) => src === `${id}:${symbol}`)!;
      },
    });
  } finally {
    for (const watcher of watchers) watcher.terminate();
    await rig.close();
  }
}

const idsIn = (texts: string[], pattern: RegExp): number[] =>
  texts.flatMap((text) => [...text.matchAll(pattern)].map(([, id]) => Number(id)));

const inOrder = (ids: Iterable<number>): number[] => [...ids].toSorted((a, b) => a - b);

describe.concurrent('what a lost connection cost is read later: live and backfilled ids are those of the ledger, each once', () => {
  test.each(CASES)('%s', (venue, symbol, streams) =>
    play({ venue, symbol, streams }, async ({ rig, running, cut, outcomes, answers, report }) => {
      // the messages of the next moments are lost too, so that something is missed however fast the recorder is back
      for (const { topic } of streams) rig.exchange.controls.dropNext(topic, LOST);
      cut();
      await until('every stream is whole again', () => outcomes().length >= streams.length);
      const { received } = rig.status;
      await until('live messages came after that', () => rig.status.received > received + 100);
      await running.stop();
      await rig.exchange.stop();

      const ledger = (await readFile(join(rig.folder, 'sent.ndjson'), 'utf8')).split('\n');
      const messages = (await rig.lines(symbol)).flatMap((line) => messageIn(line) ?? []);
      const gaps = only(await rig.entries(symbol), 'gap');
      const { backfill } = venueById(venue).capabilities;
      let filledInAll = 0;
      let liveInAll = 0;
      for (const { channel, topic, live, body } of streams) {
        const isOf = (text: string): boolean =>
          venueById(venue).topicOf(Buffer.from(text), 0, Buffer.byteLength(text)) === topic;
        const came = idsIn(messages.filter(isOf), live);
        const asked = await answers(channel);
        const texts = asked.map(({ text }) => text);
        const listed = idsIn(texts, body);
        const filled = listed.filter((id) => asked.some(({ fills }) => fills.first <= id && id <= fills.last));
        const all = new Set(
          idsIn(
            ledger.filter((line) => line.includes(`"topic":"${topic}"`)),
            live,
          ),
        );
        const [first, last] = [Math.min(...came), Math.max(...came)];
        expect(inOrder([...came, ...filled])).toEqual(inOrder(all).filter((id) => id >= first && id <= last));
        expect(filled.length).toBeGreaterThanOrEqual(LOST);
        // where any trade can be had, nothing else is read
        if (typeof backfill !== 'string' && backfill[channel] === 'any') expect(listed).toHaveLength(filled.length);
        for (const { fills } of asked)
          expect([channel, '*']).toContain(gaps.find(({ t }) => t === fills.gap)?.gap.stream);
        filledInAll += filled.length;
        liveInAll += came.length;
      }
      // readers know of the live ones only
      expect((await follow(rig, symbol)).counts.trades).toBe(liveInAll);
      const { missing, backfilled, problems } = await report();
      expect({ missing, backfilled }).toEqual({ missing: filledInAll, backfilled: filledInAll });
      // and a gap stays a gap
      expect(problems.map(({ code }) => code)).toContain('GAP');
      expect(outcomes()).toHaveLength(streams.length);
      for (const note of outcomes()) expect(note).toMatch(/were read over REST$/);
    }),
  );
});

describe.concurrent('a lost message on a connection that stays', () => {
  const aggregates = { venue: 'binance-usdm', symbol: 'BTCUSDT', streams: [aggregate('btcusdt@aggTrade')] };

  test('is read over REST however often the venue fails at first; every answer is on the tape', () =>
    play(aggregates, async ({ rig, running, outcomes, answers }) => {
      rig.exchange.controls.restStatus(500, 2);
      rig.exchange.controls.dropNext('btcusdt@aggTrade', 7);
      await until('it is told', () => outcomes().length > 0);
      await running.stop();
      const asked = await answers('aggTrade');
      const [gap] = only(await rig.entries(), 'gap');
      const first = Number(gap.gap.expected);
      const fills = { stream: 'aggTrade', first, last: first + 6, gap: gap.t };
      const told = asked.map(({ status, fills }) => ({ status, fills }));
      expect(told).toEqual([500, 500, 200].map((status) => ({ status, fills })));
      expect(outcomes()[0]).toContain(`7 missed trades (aggTrade ids ${first} to ${first + 6}) were read over REST`);
    }));

  test('stays missing where nobody wants it read', () =>
    play({ ...aggregates, backfill: false }, async ({ rig, running, outcomes, answers, report }) => {
      rig.exchange.controls.dropNext('btcusdt@aggTrade', 7);
      await until('the gap is seen', () => rig.status.gaps > 0);
      const { received } = rig.status;
      await until('some messages came', () => rig.status.received > received + 400);
      await running.stop();
      expect(await answers('aggTrade')).toEqual([]);
      expect(await report()).toMatchObject({ missing: 7, backfilled: 0 });
      expect(outcomes()).toEqual([]);
    }));

  test('is filled as far as the newest trades reach, and the others are said to be missing', () => {
    const spot = { venue: 'binance-spot', symbol: 'BTCUSDT', streams: [single('btcusdt@trade')], rate: 3000 };
    return play(spot, async ({ rig, running, outcomes, report }) => {
      rig.exchange.controls.dropNext('btcusdt@trade', 1500);
      await until('it is told', () => outcomes().length > 0);
      await running.stop();
      const { missing, backfilled } = await report();
      expect(missing).toBe(1500);
      expect(backfilled).toBeLessThan(1000);
      // none where this machine was stopped for so long that a thousand came since
      expect(outcomes()[0]).toContain(`${backfilled === 0 ? '' : `${backfilled} of `}1500 missed trades`);
      expect(outcomes()[0]).toContain('stay missing: only the newest trades can be had');
      expect(gapsOf(await rig.entries())).toMatchObject([{ stream: 'trade', reason: 'sequence' }]);
    });
  });
});
