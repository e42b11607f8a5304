/** Every venue that can be simulated, recorded over real sockets: the tape is what was sent, verified and scanned like the live stream. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import { readStream, readTape } from '../../src/tape/reader.js';
import { venueById, venues } from '../../src/venues/registry.js';
import { type Scanned, scanFlows } from '../scan/tape-builder.js';
import { createRig, type Rig, type RigOptions, until } from './harness.js';
import { SIMULATED } from './simulated.js';
import { follow, gapsOf, only } from './tape.js';

// real sockets on a machine with other work
vi.setConfig({ testTimeout: 40_000 });

let rig: Rig | null = null;

afterEach(async () => {
  await rig?.close();
  rig = null;
});

async function prepare(options: RigOptions): Promise<Rig> {
  rig = await createRig({ rate: 3000, ...options });
  return rig;
}

test('no venue with a server is left out', () => {
  expect(Object.keys(SIMULATED)).toEqual(venues.filter(({ server }) => server !== undefined).map(({ id }) => id));
});

describe.each(Object.entries(SIMULATED))('%s', (venue, { symbols, book, opens }) => {
  test('what was sent is on the tape, byte for byte, and the tape is clean', async () => {
    const rig = await prepare({ venue, symbols });
    const running = rig.start();
    await until('both books are valid', () => rig.status.valid === 2);
    const { received } = rig.status;
    await until('1000 more messages came', () => rig.status.received > received + 1000);
    const summary = await running.stop();
    await rig.exchange.stop();
    expect(summary).toMatchObject({ dropped: 0, gaps: 0, reconnects: 0, written: summary.received });
    for (const symbol of symbols) {
      const [recorded, sent] = [await rig.recorded([symbol]), await rig.sent(symbol)];
      expect(recorded.length).toBeGreaterThan(200);
      // one connection keeps the order; Binance futures have two
      if (opens) expect(recorded).toEqual(sent);
      else expect(recorded.toSorted()).toEqual(sent.toSorted());
      const { valid, counts } = await follow(rig, symbol);
      expect(valid).toHaveLength(1);
      expect(counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0, tradesMissing: 0, crossed: 0 });
    }
    const all = await verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
    // greetings and pings are of no symbol
    const reports = all.filter(({ src }) => src !== `${venue}:_venue`);
    const verdicts = reports.map(({ src, gaps, unknown, problems }) => ({ src, gaps, unknown, problems }));
    const clean = symbols
      .toSorted()
      .map((symbol) => ({ src: `${venue}:${symbol}`, gaps: 0, unknown: 0, problems: [] }));
    expect(verdicts).toEqual(clean);
    for (const { messages, verified } of reports) {
      expect(messages).toBeGreaterThan(200);
      // where snapshots are asked for one after the other, the second book waits
      if (opens) expect(verified).toBeGreaterThan(50);
    }
  });

  // ids that skip anyway prove nothing
  if (!venueById(venue).capabilities.bookLossDetected) {
    test('a lost book update cannot be told from a skip: no gap is claimed, and the book goes on', async () => {
      const [symbol] = symbols;
      const rig = await prepare({ venue, symbols: [symbol], rate: 500 });
      const running = rig.start();
      await until('the book is valid', () => rig.status.valid === 1);
      rig.exchange.controls.dropNext(book, 1);
      const { received } = rig.status;
      await until('some seconds of messages came', () => rig.status.received > received + 300);
      expect(await running.stop()).toMatchObject({ gaps: 0, reconnects: 0 });
      await rig.exchange.stop();
      const ledger = await readFile(join(rig.folder, 'sent.ndjson'), 'utf8');
      expect(ledger.match(/"lost":true/g)).toHaveLength(1);
      expect(await rig.recorded([symbol])).toEqual(await rig.sent(symbol));
      expect(gapsOf(await rig.entries())).toEqual([]);
      const { valid, lost, counts } = await follow(rig, symbol);
      expect([valid.length, lost.length]).toEqual([1, 0]);
      expect(counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0 });
    });
    return;
  }

  test('a lost book update is a gap, after which the book begins anew on the same connection', async () => {
    const [symbol] = symbols;
    const rig = await prepare({ venue, symbols: [symbol], rate: 500 });
    const running = rig.start();
    await until('the book is valid', () => rig.status.valid === 1);
    rig.exchange.controls.dropNext(book, 1);
    await until('the gap is seen', () => rig.status.gaps > 0);
    await until('the book is valid again', () => rig.status.valid === 1);
    const { reconnects } = await running.stop();
    expect(reconnects).toBe(0);
    expect(gapsOf(await rig.entries())).toMatchObject([{ stream: 'depth', reason: 'sequence' }]);
    const followed = await follow(rig, symbol);
    expect(followed.valid).toHaveLength(2);
    expect(followed.counts.crossed).toBe(0);
    const asked = only(await rig.entries(), 'http').filter(({ http }) => http.url.includes('/depth'));
    expect(asked).toHaveLength(opens ? 0 : 2);
  });
});

// messages of some seconds; Binance sends more of the same market
test.each([
  ['binance-usdm', 8000],
  ['bybit-linear', 2000],
  ['bingx-swap', 2000],
  ['weex-futures', 1000],
  ['mexc-futures', 2000],
  ['okx-swap', 2000],
] as const)('%s: the tape gives the signals that the stream gave live', async (venue, messages) => {
  const [symbol] = SIMULATED[venue].symbols;
  const rig = await prepare({ venue, symbols: [symbol] });
  const live = new PassThrough();
  const set = ['window=200ms', 'on=0.05', 'off=0.02', 'hold=100ms'].map((one) => `book-imbalance.${one}`);
  const settings = { detect: ['book-imbalance'], set };
  const heard = scanFlows([readStream(live, 'live')], settings);
  const running = rig.start({ live });
  await until('the book is valid', () => rig.status.valid === 1);
  const { received } = rig.status;
  await until('some seconds of messages came', () => rig.status.received > received + messages);
  await running.stop();
  live.end();
  const kept = await scanFlows([readTape([rig.out])], settings);
  const now = await heard;
  // entries that seal a tape let its end come some µs later
  const lines = (scanned: Scanned): string[] => scanned.lines.filter((line) => !line.includes('"reason":"eof"'));
  expect(lines(kept)).toEqual(lines(now));
  expect(kept.lines).toHaveLength(now.lines.length);
  expect(kept.sums).toEqual(now.sums);
  expect(lines(kept).length).toBeGreaterThan(0);
  expect(kept.sums[0].trades).toBeGreaterThan(100);
});
