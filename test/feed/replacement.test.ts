/** Connections that are replaced before they end: the next one is there first, and nothing is lost between the two. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/feed/connection.js';
import { createReplacement } from '../../src/feed/replacement.js';
import { venueById } from '../../src/venues/registry.js';
import type { ConnectionPlan } from '../../src/venues/venue.js';
import { expectAll } from './cuts.js';
import { createRig, type Rig, until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

/** The tests mostly wait, so they wait together. */
const rigs: Rig[] = [];

afterAll(async () => {
  for (const rig of rigs) await rig.close();
});

const VENUES: [venue: string, symbol: string, notice: string | null][] = [
  ['binance-usdm', 'BTCUSDT', '{"e":"serverShutdown","E":1786000000000}'],
  ['bybit-linear', 'BTCUSDT', null],
  ['okx-swap', 'BTC-USDT-SWAP', '{"event":"notice","code":"64008","msg":"Please reconnect.","connId":"a4d3ae55"}'],
  ['bingx-swap', 'BTC-USDT', null],
];

async function prepare(venue: string, symbol: string): Promise<Rig & { plans: number }> {
  const rig = await createRig({ venue, symbols: [symbol], rate: 400 });
  rigs.push(rig);
  const known = venueById(venue);
  return { ...rig, plans: known.connections([symbol], known.channels.default).length };
}

const livingFor = (lifetimeMs: number) => (plan: ConnectionPlan) => ({ ...plan, lifetimeMs });

/** No message is missing, and no gap is told but where there are no ids to go by. */
async function expectWhole(rig: Rig, venue: string, symbol: string, unknown = 0): Promise<void> {
  const entries = await rig.entries();
  await expectAll({ rig, cuts: 0, entries, gaps: [] });
  expect(gapsOf(entries).filter(({ reason }) => reason !== 'handover')).toEqual([]);
  const { bookLossDetected, tradeLossDetected } = venueById(venue).capabilities;
  if (tradeLossDetected) expect(gapsOf(entries)).toEqual([]);
  const { valid, lost, counts } = await follow(rig, symbol);
  if (bookLossDetected) expect([valid.length, lost.length]).toEqual([1, 0]);
  expect(counts).toMatchObject({ unknown, invalid: 0, bookGaps: 0, tradesMissing: 0, crossed: 0 });
}

const replacedIn = (notes: readonly string[]): number => notes.filter((note) => note.includes(', replaced)')).length;

describe.concurrent('before the end of its lifetime', () => {
  test.each(VENUES)('%s: a connection is replaced without a loss', async (venue, symbol) => {
    const rig = await prepare(venue, symbol);
    const running = rig.start({ adjust: livingFor(1_500) });
    await until('each connection is replaced', () => replacedIn(rig.notes) === rig.plans);
    await rig.delivering(rig.plans);
    const summary = await running.stop();
    await rig.exchange.stop();
    expect(summary).toMatchObject({ dropped: 0, written: summary.received, reconnects: 0 });
    await expectWhole(rig, venue, symbol);
    const entries = await rig.entries();
    expect(only(entries, 'open')).toHaveLength(2 * rig.plans);
    // the old one ends a second after the new one had its first data, or later
    for (const { conn, t, close } of only(entries, 'close')) {
      if (close.reason !== 'replaced') continue;
      const fresh = only(entries, 'open').filter((one) => one.t < t && one.conn !== conn);
      expect(t - (fresh.at(-1)?.t ?? t)).toBeGreaterThan(1_000_000);
    }
  });

  test('the old one is kept where the exchange refuses the new one, for as long as that takes', async () => {
    const rig = await prepare('binance-usdm', 'BTCUSDT');
    const running = rig.start({ adjust: livingFor(1_000), random: () => 0.3 });
    await until('the book is valid', () => rig.status.valid === 1);
    rig.exchange.controls.refuse(true);
    await until('it was refused thrice', () => rig.notes.filter((note) => note.includes('503')).length >= 6);
    expect(rig.exchange.connected).toBe(rig.plans);
    expect(replacedIn(rig.notes)).toBe(0);
    rig.exchange.controls.refuse(false);
    await until('each connection is replaced', () => replacedIn(rig.notes) === rig.plans);
    await running.stop();
    await rig.exchange.stop();
    await expectWhole(rig, 'binance-usdm', 'BTCUSDT');
  });

  test('where the old one ends before a new one is had, it is opened anew, and the gap is told', async () => {
    const rig = await prepare('okx-swap', 'BTC-USDT-SWAP');
    const running = rig.start({ adjust: livingFor(1_000), random: () => 0.3 });
    await until('the book is valid', () => rig.status.valid === 1);
    rig.exchange.controls.refuse(true);
    await until('it was refused', () => rig.notes.some((note) => note.includes('503')));
    rig.exchange.controls.disconnect();
    await until('it is lost', () => rig.status.reconnects === 1);
    rig.exchange.controls.refuse(false);
    await until('it is back', () => rig.status.gaps === 1 && rig.status.valid === 1);
    await running.stop();
    expect(gapsOf(await rig.entries())).toMatchObject([{ stream: '*', reason: 'disconnect' }]);
    expect(only(await rig.entries(), 'open')).toHaveLength(2);
  });

  test('a replacement that is open goes on where the old one ends early', async () => {
    const rig = await prepare('okx-swap', 'BTC-USDT-SWAP');
    const running = rig.start({ adjust: livingFor(1_000) });
    await until('both are there', () => rig.exchange.connected === 2);
    await rig.delivering(2);
    rig.exchange.controls.cutOldest();
    await until('it is lost', () => rig.notes.some((note) => note.includes('its replacement goes on')));
    await rig.delivering(1);
    expect(await running.stop()).toMatchObject({ reconnects: 1, gaps: 0 });
    await rig.exchange.stop();
    await expectWhole(rig, 'okx-swap', 'BTC-USDT-SWAP');
    expect(only(await rig.entries(), 'open')).toHaveLength(2);
  });
});

describe.concurrent('at the notice of a shutdown', () => {
  test.each(VENUES.filter(([, , notice]) => notice !== null))(
    '%s: each connection is replaced without a loss',
    async (venue, symbol, notice) => {
      const rig = await prepare(venue, symbol);
      const running = rig.start();
      await until('the book is valid', () => rig.status.valid === 1);
      await rig.delivering(rig.plans);
      rig.exchange.controls.say(notice ?? '');
      await until('each connection is replaced', () => replacedIn(rig.notes) === rig.plans);
      await rig.delivering(rig.plans);
      expect(await running.stop()).toMatchObject({ reconnects: 0, dropped: 0 });
      await rig.exchange.stop();
      // no layout of Binance knows the notice
      await expectWhole(rig, venue, symbol, venue === 'binance-usdm' ? rig.plans : 0);
    },
  );
});

describe('when a replacement is ready', () => {
  /** A new connection that was asked for everything at 1000. */
  const fresh = (): Pick<Connection, 'state' | 'askedMs'> => ({ state: 'open', askedMs: 1_000 });

  test('after it was open beside the old one for a second', () => {
    const replacement = createReplacement(fresh());
    expect(replacement.fitness(2_499)).toBe('wait');
    expect(replacement.fitness(2_500)).toBe('ready');
  });

  test('not before it was asked for everything, nor while it is not open', () => {
    expect(createReplacement({ state: 'open', askedMs: Number.NaN }).fitness(1e9)).toBe('wait');
    expect(createReplacement({ state: 'waiting', askedMs: 1_000 }).fitness(1e9)).toBe('wait');
  });

  test('once it brings each topic that the old one brings meanwhile', () => {
    const replacement = createReplacement(fresh());
    replacement.wants('depth', 1_600);
    replacement.wants('trade', 1_700);
    replacement.shows('depth', 1_600);
    // too soon: a snapshot at the subscription proves nothing of what follows
    replacement.shows('trade', 1_400);
    expect(replacement.fitness(10_000)).toBe('wait');
    replacement.shows('trade', 1_800);
    expect(replacement.fitness(10_000)).toBe('ready');
  });

  test('a topic that the old one brought before the new one could is not waited for', () => {
    const replacement = createReplacement(fresh());
    replacement.wants('funding', 1_499);
    expect(replacement.fitness(2_500)).toBe('ready');
  });

  test('it is unfit where a topic of the old one does not come in time', () => {
    const replacement = createReplacement(fresh());
    replacement.wants('depth', 1_600);
    expect(replacement.fitness(16_499)).toBe('wait');
    expect(replacement.fitness(16_500)).toBe('unfit');
  });

  test('a new socket starts anew', () => {
    const replacement = createReplacement(fresh());
    replacement.wants('depth', 1_600);
    replacement.shows('depth', 1_600);
    replacement.lost();
    replacement.wants('depth', 1_700);
    expect(replacement.fitness(3_000)).toBe('wait');
  });
});
