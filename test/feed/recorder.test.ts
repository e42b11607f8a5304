/** The recorder against a served exchange over real sockets: nothing that arrived is missing, and what is missing is said. */
import { afterEach, expect, test } from 'vitest';
import { listSegments } from '../../src/tape/reader.js';
import { venueById } from '../../src/venues/registry.js';
import type { ConnectionPlan } from '../../src/venues/venue.js';
import { createRig, type Rig, type RigOptions, until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

let rig: Rig;

afterEach(() => rig.close());

async function prepare(options?: RigOptions): Promise<Rig> {
  rig = await createRig(options);
  return rig;
}

test('every message that was sent is on the tape, byte for byte, in order', async () => {
  await prepare({ symbols: ['BTCUSDT', 'ETHUSDT'], rate: 2000 });
  const running = rig.start();
  await until('both books are valid', () => rig.status.valid === 2);
  await until('2000 messages came', () => rig.status.received > 2000);
  const summary = await running.stop();
  await rig.exchange.stop();
  expect(summary).toMatchObject({ dropped: 0, gaps: 0, reconnects: 0, written: summary.received });
  for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
    const recorded = await rig.recorded([symbol]);
    expect(recorded.length).toBeGreaterThan(500);
    // two connections, each with an order of its own
    expect(recorded.toSorted()).toEqual((await rig.sent(symbol)).toSorted());
  }
});

test('a tape tells how it was made: header, checkpoint, connections, snapshot, clock, end', async () => {
  await prepare();
  const running = rig.start();
  await until('the book is valid', () => rig.status.valid === 1);
  const { received } = rig.status;
  await until('two seconds of messages came', () => rig.status.received > received + 1500);
  await running.stop();
  const entries = await rig.entries();
  const [header, checkpoint] = entries;
  expect(header).toMatchObject({
    src: 'binance-usdm:BTCUSDT',
    tape: { version: 1, venue: 'binance-usdm', symbol: 'BTCUSDT', flow: 'trade', tool: 'tapedeck test' },
  });
  expect('tape' in header && header.tape.instrument.tick).toBe('0.10');
  expect(checkpoint).toMatchObject({ book: { state: 'empty', bids: [], asks: [] } });
  expect(only(entries, 'index')).toHaveLength(1);
  expect(entries.at(-1)).toHaveProperty('end');
  const times = entries.map(({ t }) => t);
  expect(times.every((t, i) => i === 0 || t > times[i - 1])).toBe(true);

  const connections = new Set(only(entries, 'open').map(({ conn }) => conn));
  expect(connections.size).toBe(2);
  expect(only(entries, 'sent').map(({ conn }) => conn)).toEqual([...connections]);
  expect(only(entries, 'close').every(({ close }) => close.code === 1000)).toBe(true);
  const acks = entries.filter((entry) => 'msg' in entry && JSON.stringify(entry.msg) === '{"result":null,"id":1}');
  expect(acks).toHaveLength(2);

  const urls = only(entries, 'http').map(({ http }) => http);
  expect(urls.map(({ status }) => status)).toEqual([200, 200]);
  const snapshot = urls.find(({ url }) => url.includes('/depth?symbol=BTCUSDT'));
  expect(snapshot?.body).toHaveProperty('lastUpdateId');
  expect(snapshot?.sent).toBeGreaterThan(header.t);

  // at the start, at the end, and between
  expect(only(entries, 'clock').length).toBeGreaterThanOrEqual(3);
  const exchange = only(entries, 'clock').at(-1)?.clock.exchange ?? 0;
  expect(exchange).toBeLessThan(0);
  expect(exchange).toBeGreaterThan(-10_000_000);
  const followed = await follow(rig, 'BTCUSDT');
  expect(followed.valid).toHaveLength(1);
  expect(followed.counts).toMatchObject({ unknown: 0, invalid: 0, bookGaps: 0, tradesMissing: 0, crossed: 0 });
});

test('a lost book update is a gap entry, and only that book is fetched anew', async () => {
  await prepare({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  const running = rig.start();
  await until('both books are valid', () => rig.status.valid === 2);
  rig.exchange.controls.dropNext('btcusdt@depth@100ms', 1);
  await until('the gap is seen', () => rig.status.gaps > 0);
  await until('both books are valid again', () => rig.status.valid === 2);
  await running.stop();
  const entries = await rig.entries('BTCUSDT');
  const gaps = gapsOf(entries);
  expect(gaps).toMatchObject([{ stream: 'depth', reason: 'sequence' }]);
  expect(gaps[0].got).toBeGreaterThan(Number(gaps[0].expected));
  const at = entries.findIndex((entry) => 'gap' in entry);
  // it stands right behind the update that showed it, and names the last one that was good
  expect(JSON.stringify(entries[at - 1])).toContain('depthUpdate');
  const good = entries.find(({ t }) => t === gaps[0].from);
  expect(JSON.stringify(good)).toContain(`"u":${gaps[0].expected},`);
  const btc = await follow(rig, 'BTCUSDT');
  expect(btc.valid).toHaveLength(2);
  expect(btc.lost[0]).toBe(entries[at - 1].t);
  expect(btc.counts.crossed).toBe(0);
  expect(only(entries, 'open')).toHaveLength(2); // the connections stayed
  expect(gapsOf(await rig.entries('ETHUSDT'))).toEqual([]);
  expect((await follow(rig, 'ETHUSDT')).valid).toHaveLength(1);
});

test('a lost trade is a gap entry with the ids that are missing', async () => {
  await prepare();
  const running = rig.start();
  await until('trades came', () => rig.status.valid === 1 && rig.status.received > 300);
  rig.exchange.controls.dropNext('btcusdt@trade', 3);
  await until('the gap is seen', () => rig.status.gaps > 0);
  await running.stop();
  const gaps = gapsOf(await rig.entries());
  expect(gaps).toMatchObject([{ stream: 'trade', reason: 'sequence' }]);
  expect(Number(gaps[0].got) - Number(gaps[0].expected)).toBe(3);
  expect((await follow(rig, 'BTCUSDT')).valid).toHaveLength(1);
});

test('trades that are not the flow are watched too', async () => {
  await prepare();
  const running = rig.start();
  await until('trades came', () => rig.status.valid === 1 && rig.status.received > 300);
  rig.exchange.controls.dropNext('btcusdt@aggTrade', 2);
  await until('the gap is seen', () => rig.status.gaps > 0);
  await running.stop();
  const gaps = gapsOf(await rig.entries());
  expect(gaps).toMatchObject([{ stream: 'aggTrade', reason: 'sequence' }]);
  expect(Number(gaps[0].got) - Number(gaps[0].expected)).toBe(2);
});

test('one connection lost costs the other nothing', async () => {
  await prepare();
  const running = rig.start();
  await until('the book is valid', () => rig.status.valid === 1);
  // clients are numbered as they come: the market route is one of the two
  const market = (await rig.clients()).find(({ path }) => path.startsWith('/market'));
  rig.exchange.controls.disconnect(market?.id);
  await until('it came back', () => rig.status.reconnects === 1 && rig.status.gaps === 1);
  await running.stop();
  expect(gapsOf(await rig.entries())).toMatchObject([{ stream: 'aggTrade', reason: 'disconnect' }]);
  const followed = await follow(rig, 'BTCUSDT');
  expect(followed.valid).toHaveLength(1);
  expect(only(await rig.entries(), 'http').filter(({ http }) => http.url.includes('/depth'))).toHaveLength(1);
});

test('a lost connection is a gap from the last message to the first of the next connection', async () => {
  await prepare({ rate: 1000 });
  const running = rig.start();
  await until('the book is valid', () => rig.status.valid === 1);
  rig.exchange.controls.disconnect();
  await until('both connections came back', () => rig.status.reconnects === 2);
  const { received } = rig.status;
  await until('the book is valid again', () => rig.status.valid === 1 && rig.status.received > received + 500);
  const summary = await running.stop();
  await rig.exchange.stop();
  expect(summary.reconnects).toBe(2);
  const entries = await rig.entries();
  expect(only(entries, 'close').filter(({ close }) => close.code === 1006)).toHaveLength(2);
  for (const entry of only(entries, 'gap')) {
    expect(entry.gap.reason).toBe('disconnect');
    const [from, after] = [entry.gap.from, entries[entries.indexOf(entry) + 1]];
    const stream = entry.gap.stream.replace('depth', 'depth@');
    // nothing of the stream inside the interval
    const inside = entries.filter(
      (e) => e.t > from && e.t < entry.t && 'msg' in e && JSON.stringify(e.msg).includes(`@${stream}`),
    );
    expect(inside).toEqual([]);
    expect('gap' in after || 'msg' in after).toBe(true);
  }
  expect(
    gapsOf(entries)
      .map(({ stream }) => stream)
      .toSorted(),
  ).toEqual(['aggTrade', 'bookTicker', 'depth', 'trade']);
  const sent = await rig.sent();
  expect((await rig.recorded(['BTCUSDT'])).toSorted()).toEqual(sent.toSorted());
});

test('silence on an open socket is found by its data and ends in a new connection', async () => {
  await prepare();
  // the exchange here answers every ping, so the time of its data alone decides
  const adjust = (plan: ConnectionPlan): ConnectionPlan =>
    plan.silenceMs === null ? plan : { ...plan, silenceMs: 400, asks: false };
  const running = rig.start({ adjust });
  await until('the book is valid', () => rig.status.valid === 1);
  rig.exchange.controls.silence(true);
  await until('the recorder reconnects', () => rig.status.reconnects > 0);
  rig.exchange.controls.silence(false);
  await until('the book is valid again', () => rig.status.valid === 1 && rig.status.gaps > 0);
  await running.stop();
  const entries = await rig.entries();
  // the other connection stayed, and shows by its ids what it missed
  const gaps = only(entries, 'gap').filter(({ gap }) => gap.stream !== 'aggTrade');
  expect(new Set(gaps.map(({ gap }) => gap.reason))).toEqual(new Set(['silence']));
  for (const { t, gap } of gaps) expect(t - gap.from).toBeGreaterThan(400_000);
  expect(only(entries, 'close').map(({ close }) => close.reason)).toContain('silence');
});

test('a stream that was acked and never came is told, tried once more, and then left', async () => {
  await prepare();
  const running = rig.start({
    requests: [{ venue: venueById('binance-usdm'), symbols: ['BTCUSDT'], channels: ['depth', 'trade', 'markPrice'] }],
    adjust: (plan) => ({
      ...plan,
      topics: plan.topics.map((topic) => (topic.channel === 'markPrice' ? { ...topic, firstDataMs: 200 } : topic)),
    }),
  });
  await until(
    'it was missed on both connections',
    () => rig.notes.filter((note) => note.includes('no data of')).length === 2,
  );
  await until('the book is valid', () => rig.status.valid === 1);
  const summary = await running.stop();
  expect(summary.reconnects).toBe(1);
  expect(rig.notes).toContain(
    'binance-usdm:BTCUSDT: no data of btcusdt@markPrice@1s within 0.2 s although it was subscribed',
  );
  const silent = gapsOf(await rig.entries()).filter(({ stream }) => stream === 'markPrice');
  expect(silent[0]).toMatchObject({ reason: 'silence' });
});

test('snapshots that are refused are kept as evidence, and asked for again', async () => {
  await prepare();
  const running = rig.start();
  await until('the book is valid', () => rig.status.valid === 1);
  rig.exchange.controls.restStatus(500, 2);
  rig.exchange.controls.dropNext('btcusdt@depth@100ms', 1);
  await until('the gap is seen', () => rig.status.gaps > 0);
  await until('the book is valid again', () => rig.status.valid === 1);
  await running.stop();
  const snapshots = only(await rig.entries(), 'http').flatMap(({ http }) =>
    http.url.includes('/depth') ? [http.status] : [],
  );
  expect(snapshots).toEqual([200, 500, 500, 200]);
  expect(rig.notes.filter((note) => note.includes('HTTP status 500'))).toHaveLength(2);
});

test('an unknown symbol is named before anything is written', async () => {
  await prepare();
  const running = rig.start({
    requests: [{ venue: venueById('binance-usdm'), symbols: ['BTCUSDT', 'BTCUSD'], channels: ['depth'] }],
  });
  await expect(running.done).rejects.toMatchObject({
    code: 'E_SYMBOL',
    message: "binance-usdm has no symbol 'BTCUSD'; did you mean BTCUSDT?",
  });
  await expect(listSegments([rig.out])).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
});
