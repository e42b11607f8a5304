/** Several connections side by side, and what the end of one of them costs: nothing that another one brings. */
import { afterAll, describe, expect, test } from 'vitest';
import type { RecordOptions } from '../../src/feed/recorder.js';
import { venueById } from '../../src/venues/registry.js';
import type { ConnectionPlan } from '../../src/venues/venue.js';
import { CUT_VENUES, expectNothingLost, missingOf, recordCut } from './cuts.js';
import { createRig, type Rig, until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

const SWAP = 'BTC-USDT-SWAP';

/** The tests mostly wait, so they wait together. */
const rigs: Rig[] = [];

afterAll(async () => {
  for (const rig of rigs) await rig.close();
});

describe.concurrent('cut every 0.7 s', () => {
  test.each(CUT_VENUES)('$venue, one of two connections, for 20 s: nothing is missing and no gap is told', (its) =>
    recordCut({ ...its, redundancy: 2, seconds: 20, everyMs: 700 }, expectNothingLost),
  );

  test.each(CUT_VENUES)(
    '$venue, the only connection, for 10 s: every gap of the ledger is told, and no other',
    async ({ venue, symbol }) => {
      await recordCut({ venue, symbol, redundancy: 1, seconds: 10, everyMs: 700 }, async ({ rig, entries, cuts }) => {
        const gaps = only(entries, 'gap');
        expect(new Set(gaps.map(({ gap }) => gap.reason))).toEqual(new Set(['disconnect']));
        const known = venueById(venue);
        const plans = known.connections([symbol], known.channels.default);
        // one for each loss, of all it brought
        const channelOf = new Map(plans.flatMap(({ topics }) => topics.map(({ name, channel }) => [name, channel])));
        const channels = new Set(channelOf.values()).size;
        const whole = plans.length === 1;
        expect(gaps).toHaveLength(cuts * (whole ? 1 : channels));
        if (whole) expect(new Set(gaps.map(({ gap }) => gap.stream))).toEqual(new Set(['*']));
        for (const { topic, after, before } of await missingOf(rig)) {
          const told = gaps.filter(
            ({ t, gap }) =>
              (gap.stream === '*' || gap.stream === channelOf.get(topic)) && gap.from >= after && t <= before,
          );
          expect(told.length, `${topic} between ${after} and ${before}`).toBeGreaterThan(0);
        }
      });
    },
  );
});

describe.concurrent('two connections, both there', () => {
  /** Records OKX, which has one connection for all, twice. */
  async function recordTwice(during: (rig: Rig) => Promise<void>, options: Partial<RecordOptions> = {}): Promise<Rig> {
    const rig = await createRig({ venue: 'okx-swap', symbols: [SWAP], rate: 400 });
    rigs.push(rig);
    const running = rig.start({ redundancy: 2, ...options });
    await rig.delivering(2);
    await during(rig);
    await rig.delivering(2);
    await running.stop();
    await rig.exchange.stop();
    return rig;
  }
  const heardMore = async (rig: Rig): Promise<void> => {
    const { received } = rig.status;
    await until('a second of messages came', () => rig.status.received > received + 800);
  };

  test('what one of them lacks is no gap', async () => {
    const rig = await recordTwice(async (rig) => {
      for (const topic of [`books:${SWAP}`, `trades:${SWAP}`]) {
        rig.withhold(topic, 3);
        await heardMore(rig);
      }
    });
    expect(gapsOf(await rig.entries())).toEqual([]);
    expect(await missingOf(rig)).toEqual([]);
    const { valid, lost, counts } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([1, 0]);
    expect(counts).toMatchObject({ bookGaps: 0, tradesMissing: 0 });
  });

  test('what both lack is one gap', async () => {
    const rig = await recordTwice(async (rig) => {
      rig.exchange.controls.dropNext(`trades:${SWAP}`, 3);
      await until('the gap is seen', () => rig.status.gaps === 1);
      rig.exchange.controls.dropNext(`books:${SWAP}`, 1);
      await until('the gap is seen', () => rig.status.gaps === 2);
      await until('the book is valid again', () => rig.status.valid === 1);
      await heardMore(rig);
    });
    expect(gapsOf(await rig.entries())).toMatchObject([
      { stream: 'trade', reason: 'sequence' },
      { stream: 'depth', reason: 'sequence' },
    ]);
    const { valid, lost, counts } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([2, 1]);
    expect(counts.bookGaps).toBe(1);
  });

  test('one that is open and says nothing is renewed, at no cost', async () => {
    const adjust = (plan: ConnectionPlan): ConnectionPlan => ({ ...plan, silenceMs: 500 });
    const rig = await recordTwice(
      async (rig) => {
        rig.withhold(null, Number.POSITIVE_INFINITY);
        await until('it is renewed', () => rig.status.reconnects === 1);
      },
      { adjust },
    );
    expect(only(await rig.entries(), 'close')[0].close).toEqual({ code: 1006, reason: 'silence' });
    expect(gapsOf(await rig.entries())).toEqual([]);
    expect(await missingOf(rig)).toEqual([]);
    const { valid, lost } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([1, 0]);
  });

  test('where both are lost at once, there is one gap of everything, from the newest message of either', async () => {
    const rig = await recordTwice(async (rig) => {
      rig.exchange.controls.disconnect();
      await until('both came back', () => rig.status.reconnects === 2 && rig.status.valid === 1);
    });
    const entries = await rig.entries();
    const gaps = only(entries, 'gap');
    expect(gaps.map(({ gap }) => gap)).toMatchObject([{ stream: '*', reason: 'disconnect' }]);
    const lastClose = entries.findLastIndex((entry) => 'close' in entry && entry.close.code === 1006);
    const newest = entries.slice(0, lastClose).findLast((entry) => 'msg' in entry && 'data' in Object(entry.msg));
    expect(gaps[0].gap.from).toBe(newest?.t);
    for (const { after, before } of await missingOf(rig)) {
      expect(gaps[0].gap.from).toBeGreaterThanOrEqual(after);
      expect(gaps[0].t).toBeLessThanOrEqual(before);
    }
    const { valid, lost } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([2, 1]);
  });

  test('each snapshot over REST is asked for once, whoever brings the updates', async () => {
    const rig = await createRig({ rate: 400 });
    rigs.push(rig);
    const running = rig.start({ redundancy: 3 });
    await rig.delivering(6);
    rig.exchange.controls.dropNext('btcusdt@depth@100ms', 1);
    await until('the gap is seen', () => rig.status.gaps === 1);
    await until('the book is valid again', () => rig.status.valid === 1);
    await running.stop();
    const entries = await rig.entries();
    expect(only(entries, 'http').filter(({ http }) => http.url.includes('/depth'))).toHaveLength(2);
    expect(only(entries, 'open')).toHaveLength(6);
    expect(gapsOf(entries)).toMatchObject([{ stream: 'depth', reason: 'sequence' }]);
  });

  test('each connects to an endpoint of its own where several are given', async () => {
    const [rig, spare] = await Promise.all([createRig({ rate: 100 }), createRig({ rate: 100 })]);
    rigs.push(rig, spare);
    const endpoints = [rig, spare].map(({ exchange }) => ({ venue: null, origin: exchange.wsUrl }));
    const running = rig.start({ redundancy: 2, endpoints });
    await until('both have clients', () => rig.exchange.connected === 2 && spare.exchange.connected === 2);
    await running.stop();
    const urls = new Set(only(await rig.entries(), 'open').map(({ open }) => new URL(open.url).origin));
    expect(urls).toEqual(new Set(endpoints.map(({ origin }) => origin)));
  });
});
