/** Channels of which nothing ever came, or only late: the tape says so from its beginning on, and a recording of nothing is a failure. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { RecordOptions } from '../../src/feed/recorder.js';
import type { Entry } from '../../src/model/entry.js';
import { parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import type { ConnectionPlan } from '../../src/venues/venue.js';
import { createRig, type Rig, type RigOptions, until } from './harness.js';
import { startServer, type TestServer } from './server.js';
import { follow, gapsOf, linesIn, only } from './tape.js';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function prepare(options?: RigOptions): Promise<Rig> {
  const rig = await createRig(options);
  ends.push(() => rig.close());
  return rig;
}

/** A venue's host that takes no WebSocket. */
async function refusing(): Promise<TestServer> {
  const server = await startServer();
  ends.push(() => server.close());
  server.refuseWith = { status: 503 };
  return server;
}

const verify = (rig: Rig): Promise<SourceReport[]> => verifyTapes({ paths: [rig.out], stdin: Readable.from([]) });

/** Percent of the recorded time that comes behind the gap: what a recorder writes at its end. */
function behindGap(entries: Entry[]): number {
  const [first, gap] = [entries[0].t, only(entries, 'gap').at(-1)?.t ?? 0];
  const last = entries.filter((entry) => !('index' in entry || 'end' in entry)).at(-1)?.t ?? 0;
  return Math.floor(((last - gap) / (last - first)) * 10_000) / 100;
}

/** Binance's second connection goes where the exchange takes nobody. */
const astray = (plan: ConnectionPlan): ConnectionPlan =>
  plan.path.startsWith('/market') ? { ...plan, path: '/nowhere' } : plan;

test('a venue that is never reached is missing from the recorder’s start, while another one is recorded', async () => {
  const [rig, other] = [await prepare(), await prepare({ venue: 'bybit-linear' })];
  const dead = await refusing();
  const [binance, bybit] = [venueById('binance-usdm'), venueById('bybit-linear')];
  const running = rig.start({
    requests: [binance, bybit].map((venue) => ({ venue, symbols: ['BTCUSDT'], channels: venue.channels.default })),
    endpoints: [
      { venue: binance.id, origin: rig.exchange.wsUrl },
      { venue: bybit.id, origin: dead.wsUrl },
    ],
    restEndpoints: [
      { venue: binance.id, origin: rig.exchange.httpUrl },
      { venue: bybit.id, origin: other.exchange.httpUrl },
    ],
  });
  await until('a book is valid', () => rig.status.valid === 1);
  await until('bybit was tried', () => rig.notes.some((note) => note.startsWith('bybit-linear: while connecting to')));
  await until('all of binance came', () => rig.status.received > 500);
  expect(await running.stop()).toMatchObject({ gaps: 1, dropped: 0 });
  const entries = (await linesIn(`${rig.out}/bybit-linear/BTCUSDT`)).map((line) => parseEntry(line));
  expect(gapsOf(entries)).toEqual([{ stream: '*', from: entries[0].t, reason: 'disconnect' }]);
  const reports = await verify(rig);
  expect(reports.map(({ src, gaps, clean }) => [src, gaps, clean])).toEqual([
    ['binance-usdm:BTCUSDT', 0, 100],
    ['bybit-linear:BTCUSDT', 1, behindGap(entries)],
  ]);
  expect(reports[1].problems).toMatchObject([{ code: 'GAP', message: expect.stringMatching(/of all streams .*disc/) }]);
});

test('a channel whose connection never opened is missing from the start, the others are not', async () => {
  const rig = await prepare();
  const running = rig.start({ adjust: astray });
  await until('the book is valid', () => rig.status.valid === 1);
  await until('trades came', () => rig.status.received > 200);
  await running.stop();
  const entries = await rig.entries();
  expect(gapsOf(entries)).toEqual([{ stream: 'aggTrade', from: entries[0].t, reason: 'disconnect' }]);
  const [{ streams, clean, gaps }] = await verify(rig);
  expect([clean, gaps]).toEqual([behindGap(entries), 1]);
  expect(streams.map(({ stream, messages, ...told }) => [stream, messages > 0, told.gaps, told.clean])).toEqual([
    ['aggTrade', false, 1, clean],
    ['bookTicker', true, 0, 100],
    ['depth', true, 0, 100],
    ['trade', true, 0, 100],
  ]);
});

describe('a connection that opens only after attempts that failed', () => {
  /** Records all of a venue that refuses the first attempt of each connection. */
  async function late(rig: Rig, options: Partial<RecordOptions> = {}, plans = 2): Promise<Entry[]> {
    rig.exchange.controls.refuse(true);
    const running = rig.start(options);
    await until('all were refused', () => rig.notes.filter((note) => note.includes('503')).length >= plans);
    rig.exchange.controls.refuse(false);
    await until('the book is valid', () => rig.status.valid === 1);
    await rig.delivering(plans);
    await running.stop();
    return rig.entries();
  }

  test('leaves a gap from the start to its first data, which no reader takes for quiet', async () => {
    const rig = await prepare();
    const entries = await late(rig);
    const [{ t: from }] = entries;
    expect(gapsOf(entries)).toHaveLength(4);
    for (const { stream, ...told } of gapsOf(entries)) expect(told, stream).toEqual({ from, reason: 'disconnect' });
    // behind the opening of the socket, and before anything that came by it
    const at = (key: string, conn: string): number =>
      entries.findIndex((one) => key in one && 'conn' in one && one.conn === conn);
    for (const { conn } of only(entries, 'open')) {
      expect(at('gap', conn)).toBeGreaterThan(at('open', conn));
      const first = entries.findIndex((one) => 'msg' in one && one.conn === conn && !('result' in Object(one.msg)));
      expect(at('gap', conn)).toBeLessThan(first);
    }
    const [{ gaps, clean, problems, streams }] = await verify(rig);
    const { valid, lost } = await follow(rig, 'BTCUSDT');
    expect([valid.length, lost.length]).toEqual([1, 0]);
    // the two connections end it at times of their own
    expect([gaps, problems.every(({ code }) => code === 'GAP')]).toEqual([problems.length, true]);
    expect(clean).toBeLessThan(100);
    expect(streams.map(({ stream, gaps, clean }) => [stream, gaps, clean < 100])).toEqual(
      ['aggTrade', 'bookTicker', 'depth', 'trade'].map((stream) => [stream, 1, true]),
    );
  });

  test('leaves one gap of all streams where it brings them all', async () => {
    const rig = await prepare({ venue: 'bybit-linear' });
    const entries = await late(rig, {}, 1);
    expect(gapsOf(entries)).toEqual([{ stream: '*', from: entries[0].t, reason: 'disconnect' }]);
    const [{ gaps, clean }] = await verify(rig);
    expect([gaps, clean < 100]).toEqual([1, true]);
  });

  test('ends it with the acks where all it brings may be silent', async () => {
    const rig = await prepare();
    rig.exchange.controls.refuse(true);
    const running = rig.start({
      requests: [{ venue: venueById('binance-usdm'), symbols: ['BTCUSDT'], channels: ['depth', 'forceOrder'] }],
    });
    await until('both were refused', () => rig.notes.filter((note) => note.includes('503')).length >= 2);
    rig.exchange.controls.refuse(false);
    await until('the book is valid', () => rig.status.valid === 1);
    await until('both are there', () => rig.exchange.connected === 2);
    const { received } = rig.status;
    await until('messages came after that', () => rig.status.received > received + 50);
    await running.stop();
    const entries = await rig.entries();
    const told = only(entries, 'gap').filter(({ gap }) => gap.stream === 'forceOrder');
    expect(told.map(({ gap }) => gap)).toEqual([{ stream: 'forceOrder', from: entries[0].t, reason: 'disconnect' }]);
    expect(told[0].t).toBeLessThan(only(entries, 'msg').at(-1)?.t ?? 0);
  });

  test('leaves none where it opened and something else came first', async () => {
    const rig = await prepare();
    const running = rig.start();
    await until('the book is valid', () => rig.status.valid === 1);
    await rig.delivering(2);
    expect(await running.stop()).toMatchObject({ gaps: 0 });
  });
});

test.each([
  ['is not missing as long as it is not overdue', 60_000, []],
  ['is missing from the start once it is overdue', 100, ['silence']],
])('a channel that was acked and of which nothing came %s', async (_, firstDataMs, reasons) => {
  const rig = await prepare();
  const running = rig.start({
    requests: [{ venue: venueById('binance-usdm'), symbols: ['BTCUSDT'], channels: ['depth', 'markPrice'] }],
    adjust: (plan) => ({
      ...plan,
      topics: plan.topics.map((topic) => (topic.channel === 'markPrice' ? { ...topic, firstDataMs } : topic)),
    }),
  });
  await until('the book is valid', () => rig.status.valid === 1);
  const missed = (): number => rig.notes.filter((note) => note.includes('no data of')).length;
  // on its first connection and on the one after it
  await until('it is overdue', () => missed() === 2 * reasons.length);
  await until('all is acked', () => rig.exchange.connected === 2);
  const { received } = rig.status;
  await until('messages came after that', () => rig.status.received > received + 50);
  await running.stop();
  const entries = await rig.entries();
  const ofWhole = only(entries, 'gap').filter(({ gap }) => gap.from === entries[0].t);
  expect(ofWhole.map(({ gap }) => [gap.stream, gap.reason])).toEqual(reasons.map((reason) => ['markPrice', reason]));
  // and to the end, but for the clock that follows
  for (const { t } of ofWhole) expect(t).toBeGreaterThan(only(entries, 'msg').at(-1)?.t ?? 0);
});

test('a recording of nothing fails, and its tape says that all of it is missing', async () => {
  const rig = await prepare();
  const dead = await refusing();
  const running = rig.start({ endpoints: [{ venue: null, origin: dead.wsUrl }] });
  await until('it was tried', () => rig.notes.length >= 2);
  await expect(running.stop()).rejects.toMatchObject({
    code: 'E_CONNECT',
    message: expect.stringMatching(
      /^while recording: nothing was received; connecting to ws:\/\/127\.0\.0\.1:\d+\/.*: HTTP status 503 instead of a WebSocket$/,
    ),
  });
  const [{ messages, gaps, clean, problems }] = await verify(rig);
  expect({ messages, gaps, clean }).toEqual({ messages: 0, gaps: 1, clean: behindGap(await rig.entries()) });
  expect(problems).toMatchObject([{ code: 'GAP' }]);
});

test('one that is ended before anything came fails too, and says since when the sockets were silent', async () => {
  const rig = await prepare();
  const silent = await startServer();
  ends.push(() => silent.close());
  const running = rig.start({ endpoints: [{ venue: null, origin: silent.wsUrl }] });
  await until('both connections were asked', () => silent.heard.length === 2);
  await expect(running.stop()).rejects.toMatchObject({
    code: 'E_CONNECT',
    message: 'while recording: nothing was received',
  });
  const entries = await rig.entries();
  const [{ t }] = entries;
  expect(gapsOf(entries).map(({ from, reason }) => [from, reason])).toEqual(Array(4).fill([t, 'silence']));
});
