/** One time for many: who shares a tape's clock, when it begins anew, and when all is over. */
import { describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack } from '../../src/market/track.js';
import type { Checkpoint } from '../../src/model/entry.js';
import { EventBuffer } from '../../src/model/event.js';
import { createTapeClock } from '../../src/serve/tape-clock.js';
import { messageLine } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import {
  BOOK,
  booksOf,
  CONN,
  createBench,
  delta,
  joinBybit,
  type Line,
  MOVING,
  openBybit,
  parse,
  snapshot,
  TRADES,
  textsOf,
  trade,
  updates,
  WHOLE,
} from './bybit-tape.js';

const bench = createBench();
const { tapeOf, serve } = bench;

const by = (conn: string, text: string): object => ({ conn, msg: JSON.parse(text) as object });

const LOST: Line[] = [
  ...MOVING,
  [5, { conn: CONN, close: { code: 1006, reason: '' } }],
  [6.2, snapshot(500, ...WHOLE)],
  [7, delta(501, [['64010.10', '7.000']])],
];

describe('who was cut', () => {
  test('comes back to where it was, though somebody else has heard the end', async () => {
    const served = await serve(await tapeOf([0.5, by('r1.2', trade(7))], ...LOST));
    const other = await joinBybit(served, ['tickers.BTCUSDT']);
    expect((await other.closed).reason).toBe('the tape has ended');
    const cut = await joinBybit(served, [BOOK], '?from=%2B0s');
    expect((await cut.closed).code).toBe(1006);
    const back = await joinBybit(served, [BOOK], '?from=%2B0s');
    expect((await back.closed).code).toBe(1000);
    expect(back.data()).toEqual(textsOf(LOST.slice(-2)));
  });

  test('is waited for when the others have heard the end', async () => {
    const path = await tapeOf([0.5, by('r1.2', trade(7))], ...LOST);
    const served = await serve(path);
    let over = false;
    void served.done.then(() => {
      over = true;
    });
    const cut = await joinBybit(served, [BOOK], '?from=%2B0s');
    expect((await cut.closed).code).toBe(1006);
    const hearTheEnd = async (): Promise<void> => {
      const ticker = await joinBybit(served, ['tickers.BTCUSDT']);
      expect((await ticker.closed).reason).toBe('the tape has ended');
    };
    await hearTheEnd();
    // one that goes for good is not waited for; from its start on nobody is cut, however late it goes
    const gone = await joinBybit(served, [BOOK], '?from=%2B5.5s');
    await gone.until(() => gone.heard.length > 0);
    gone.socket.terminate();
    await gone.closed;
    // whatever ends with the last who are there has its occasion
    await hearTheEnd();
    await fetch(`${served.venues[0].httpUrl}/v5/market/time`);
    expect(over).toBe(false);
    expect((await (await joinBybit(served, [BOOK], '?from=%2B0s')).closed).code).toBe(1000);
    await served.done;
  });
});

test('a recorded close that says what we say at the end is none', async () => {
  const again: Line = [5, { conn: CONN, close: { code: 1000, reason: 'the tape has ended' } }];
  const served = await serve(await tapeOf(...MOVING, again, ...LOST.slice(-2)));
  const first = await joinBybit(served, [BOOK]);
  expect(await first.closed).toEqual({ code: 1000, reason: 'the tape has ended' });
  const second = await joinBybit(served, [BOOK]);
  await second.closed;
  expect(second.data()).toEqual(textsOf(LOST.slice(-2)));
  await served.done;
});

test('two venues have one time: who hears the end of one does not turn back the other', async () => {
  await bench.tapeIn({ name: 'tapes/linear.ndjson' }, ...MOVING.slice(0, 2));
  const inverse = [
    ...MOVING,
    ...Array.from({ length: 60 }, (_, n): Line => [5 + n / 10, delta(104 + n, [['64010.10', `${n + 1}.000`]])]),
  ];
  await bench.tapeIn({ name: 'tapes/inverse.ndjson', venue: 'bybit-inverse' }, ...inverse);
  const served = await serve(`${bench.folder}/tapes`, { speed: 10 });
  expect(served.venues.map(({ id }) => id)).toEqual(['bybit-inverse', 'bybit-linear']);
  const [long, short] = await Promise.all([
    joinBybit(served, [BOOK], '', 'bybit-inverse'),
    joinBybit(served, [BOOK], '', 'bybit-linear'),
  ]);
  expect((await short.closed).code).toBe(1000);
  const again = await joinBybit(served, [BOOK], '', 'bybit-linear');
  const late = await joinBybit(served, [BOOK], '', 'bybit-inverse');
  await Promise.all([again.closed, long.closed, late.closed]);
  // there is nothing left of this one, but its book
  expect(again.data().map((text) => parse(text).type)).toEqual(['snapshot']);
  expect(long.data()).toEqual(booksOf(inverse));
  expect(late.data().slice(1)).toEqual(booksOf(inverse).slice(-late.data().length + 1));
  expect(late.data().length).toBeLessThan(long.data().length);
  await served.done;
});

describe('who says nothing', () => {
  test('is told the end with the others, and does not keep the command', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const silent = await openBybit(served);
    const elsewhere = await openBybit(served, '?from=%2B1s');
    const client = await joinBybit(served, [BOOK]);
    await client.closed;
    expect(await silent.closed).toEqual({ code: 1000, reason: 'the tape has ended' });
    await served.done;
    await served.stop();
    expect((await elsewhere.closed).code).toBe(1001);
  });

  test('may still ask, as long as nobody has come to the end', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const silent = await openBybit(served);
    silent.send('{"op":"ping"}');
    await silent.until(() => silent.heard.length === 1);
    silent.send(JSON.stringify({ op: 'subscribe', args: [BOOK] }));
    await silent.closed;
    expect(silent.data()).toEqual(booksOf(MOVING));
  });
});

test('who unsubscribes and comes back hears the book of then; twice asked is answered twice', async () => {
  const many = updates(300, 100);
  const served = await serve(await tapeOf([1, snapshot(100, ...WHOLE)], ...many), { speed: 4 });
  const [client, other] = await Promise.all([joinBybit(served, [BOOK, TRADES]), joinBybit(served, [BOOK])]);
  const say = (op: string): void => client.send(JSON.stringify({ op, args: [BOOK] }));
  await client.until(() => client.data().length > 20);
  say('unsubscribe');
  const answered = client.heard.filter((text) => text.includes('"op"')).length;
  await client.until(() => client.heard.filter((text) => text.includes('"op"')).length > answered);
  const { length } = client.data();
  const heard = other.data().length;
  await other.until(() => other.data().length > heard + 20);
  expect(client.data()).toHaveLength(length);
  say('subscribe');
  say('subscribe');
  await client.closed;
  const after = client.data().slice(length).map(parse);
  const us = after.map(({ data }) => data.u);
  const types = after.map(({ type }) => type);
  expect(types.filter((type) => type === 'snapshot')).toHaveLength(2);
  expect(types[0]).toBe('snapshot');
  // an opening has the id of the update before it, and none is missing or comes twice
  const last = types.lastIndexOf('snapshot');
  expect(us.slice(last)).toEqual(Array.from({ length: us.length - last }, (_, n) => us[last] + n));
  expect(us.at(-1)).toBe(400);
});

describe('many symbols of one connection', () => {
  test('lose it once', async () => {
    const lines = (symbol: string): Line[] => {
      const topic = `orderbook.200.${symbol}`;
      return [
        [1, snapshot(100, ...WHOLE, topic)],
        [5, { conn: CONN, close: { code: 1006, reason: '' } }],
        [6, { conn: 'r1.2', open: { url: 'wss://x' } }],
        [6.1, by('r1.2', snapshot(500, ...WHOLE, topic))],
        [8, { conn: 'r1.2', close: { code: 1006, reason: '' } }],
        [9, by('r1.3', snapshot(900, ...WHOLE, topic))],
      ];
    };
    const symbols = ['AUSDT', 'BUSDT', 'CUSDT'];
    for (const [n, symbol] of symbols.entries())
      await bench.tapeIn(
        { name: `tapes/${symbol}.ndjson`, symbol },
        ...lines(symbol).map(([at, what]): Line => [at + n / 1e5, what]),
      );
    const served = await serve(`${bench.folder}/tapes`);
    const topics = symbols.map((symbol) => `orderbook.200.${symbol}`);
    const codes: number[] = [];
    for (let code = 0; code !== 1000; codes.push(code)) ({ code } = await (await joinBybit(served, topics)).closed);
    expect(codes).toEqual([1006, 1006, 1000]);
  });
});

test('who hears what is made of a book loses its connection with it', async () => {
  const served = await serve(await tapeOf(...LOST));
  const made = await joinBybit(served, ['orderbook.50.BTCUSDT']);
  expect((await made.closed).code).toBe(1006);
  // so does one who came behind a checkpoint and has not heard a message since
  const book = { state: 'valid', coverage: { low: null, high: null }, bids: WHOLE[0], asks: WHOLE[1] };
  const { streams } = checkpoint();
  const path = await bench.tapeIn(
    { name: 'checkpoint.ndjson' },
    [1, snapshot(100, ...WHOLE)],
    [2, { book: { ...book, streams } }],
    ...LOST.slice(-3),
  );
  for (const topic of [BOOK, 'orderbook.50.BTCUSDT']) {
    const client = await joinBybit(await serve(path), [topic], '?from=%2B3s');
    expect([topic, (await client.closed).code]).toEqual([topic, 1006]);
    // and the book goes on from the checkpoint's ids
    if (topic === BOOK) expect(JSON.parse(client.data()[0])).toMatchObject({ data: { u: 100, seq: 700 } });
  }
});

test('who is behind its time does not keep the others from being heard', async () => {
  const many = updates(10_000, 1000);
  const served = await serve(await tapeOf([1, snapshot(100, ...WHOLE)], ...many), { speed: 1e6 });
  const client = await joinBybit(served, [TRADES]);
  let over = false;
  void client.closed.then(() => {
    over = true;
  });
  let answered = 0;
  for (; !over; answered++) await (await fetch(`${served.venues[0].httpUrl}/v5/market/time`)).text();
  expect(answered).toBeGreaterThan(8);
});

describe('the clock', () => {
  test('stands, goes, and goes on from what was played', () => {
    let micros = 1_000;
    const clock = createTapeClock(50_000, 2, () => micros);
    expect(clock.position()).toBe(50_000);
    micros += 100;
    expect(clock.position()).toBe(50_000);
    clock.begin();
    micros += 100;
    expect(clock.position()).toBe(50_200);
    clock.reached(60_000);
    clock.reached(55_000);
    micros += 10;
    expect(clock.position()).toBe(60_020);
  });

  test('awaits who was cut until somebody heard the end, and nobody who went by itself', () => {
    const clock = createTapeClock(50_000, 1, () => 0);
    const come = (): void => {
      clock.enter();
      clock.begin();
      clock.plays('a');
    };
    come();
    expect(clock.awaited).toBe(true);
    clock.leave('a', 'left', false);
    expect([clock.awaited, clock.empty, clock.begun]).toEqual([false, true, true]);
    come();
    clock.reached(60_000);
    clock.leave('a', 'lost', false);
    expect([clock.awaited, clock.empty, clock.position()]).toEqual([true, true, 60_000]);
    // who goes while another plays on changes nothing
    come();
    come();
    clock.leave('a', 'left', true);
    expect(clock.awaited).toBe(true);
    clock.leave('a', 'ended', false);
    expect([clock.awaited, clock.begun, clock.position()]).toEqual([false, false, 50_000]);
  });
});

/** What a recorder writes into a checkpoint of the book stream of these tapes. */
function checkpoint(): Checkpoint {
  const venue = venueById('bybit-linear');
  const instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.10', lot: '0.001', multiplier: '1' } as const;
  const decoder = createDecoder('typescript');
  const track = createTrack({ instrument, rules: venue, connOf: (origin) => decoder.origins[origin].conn });
  const src = 'bybit-linear:BTCUSDT';
  decoder.bind(src, { layouts: venue.layouts, scale: track.scale, symbol: 'BTCUSDT', flow: 'trade' });
  for (const text of [snapshot(99, ...WHOLE), delta(100, [])]) {
    const line = messageLine(1e15, src, CONN, Buffer.from(text));
    const buffer = new EventBuffer();
    decoder.decode(line, 0, line.length, buffer);
    track.apply(buffer, 0);
  }
  return track.checkpoint();
}
