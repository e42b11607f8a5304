/** A tape served as its exchange, over real sockets: what is on it comes as it stands, what is not is made of its book. */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type ServedTape, type ServeTapeOptions, serveTape } from '../../src/serve/serve-tape.js';
import { createInjection } from '../../src/tape/inject.js';
import { openTape } from '../../src/tape/tape.js';
import { PlainBook, type Row } from '../venues/served.js';
import {
  apply,
  BOOK,
  booksOf,
  CONN,
  createBench,
  delta,
  headerLine,
  joinBybit,
  type Line,
  MOVING,
  parse,
  snapshot,
  T,
  TRADES,
  textsOf,
  trade,
  updates,
  WHOLE,
} from './bybit-tape.js';
import { openClient } from './client.js';

const bench = createBench();
const { tapeOf, serve } = bench;

describe('what is on the tape', () => {
  test('comes byte for byte and in order to who asked for it, then the end is told', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await joinBybit(served, [BOOK, TRADES]);
    expect(await client.closed).toEqual({ code: 1000, reason: 'the tape has ended' });
    expect(client.data()).toEqual(textsOf(MOVING));
    await served.done;
    expect(bench.notes).toEqual([]);
  });

  test('topics nobody asked for stay away', async () => {
    const client = await joinBybit(await serve(await tapeOf(...MOVING)), [TRADES]);
    await client.closed;
    expect(client.data()).toEqual([trade(1)]);
  });

  test('acks and refusals are the venue’s', async () => {
    const client = await joinBybit(await serve(await tapeOf(...MOVING)), ['orderbook.7.BTCUSDT']);
    await client.until(() => client.heard.length === 1);
    expect(client.heard[0]).toContain('error:handler not found,topic:orderbook.7.BTCUSDT');
  });

  test('other addresses are not there', async () => {
    const served = await serve(await tapeOf(...MOVING));
    await expect(openClient(`${served.venues[0].wsUrl}/v5/public/spot`)).rejects.toThrow('404');
    expect((await fetch(`${served.venues[0].httpUrl}/nothing`)).status).toBe(404);
  });
});

describe('a start of one’s own', () => {
  test('opens with the book of that moment, whose next update is the next on the tape', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await joinBybit(served, [BOOK, TRADES], '?from=+2.2s');
    await client.closed;
    const [opening, ...rest] = client.data();
    expect(rest).toEqual(textsOf(MOVING.slice(2)));
    expect(JSON.parse(opening)).toMatchObject({
      topic: BOOK,
      type: 'snapshot',
      // of the message before it, not of when we received that: times do not go back behind it
      ts: 1_786_000_000_101,
      data: { s: 'BTCUSDT', b: [['64010.10', '3.204']], a: [['64010.20', '1.000']], u: 101, seq: 707 },
    });
  });

  test('each plays in its own time, and a time that is none is refused', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const [early, late] = await Promise.all([
      joinBybit(served, [BOOK], '?from=+0s'),
      joinBybit(served, [BOOK], '?from=2026-08-06T07:06:43.5Z'),
    ]);
    await Promise.all([early.closed, late.closed]);
    expect(early.data()).toEqual(booksOf(MOVING));
    expect(late.data()).toHaveLength(2);
    expect(JSON.parse(late.data()[0])).toMatchObject({ type: 'snapshot', data: { u: 102 } });
    const wrong = await openClient(`${served.venues[0].wsUrl}/v5/public/linear?from=tomorrow`);
    expect(await wrong.closed).toMatchObject({ code: 1008, reason: expect.stringContaining("'tomorrow'") });
  });
});

describe('what is not on the tape', () => {
  test('another depth is made of the book, opens when the book is known, and that is said', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await joinBybit(served, ['orderbook.50.BTCUSDT', 'orderbook.1.BTCUSDT', 'tickers.BTCUSDT']);
    await client.closed;
    const book = new PlainBook(50);
    const states: string[] = [];
    const tops: string[] = [];
    for (const message of client.data().map(parse)) {
      if (message.topic === 'orderbook.1.BTCUSDT') tops.push(`${message.data.b} ${message.data.a}`);
      else {
        apply(book, message);
        states.push(book.sides());
      }
    }
    expect(states).toEqual([
      '64010.1x3.204 64010x0.41 | 64010.2x1',
      '64010.1x3.204 | 64010.2x1',
      '64010.1x3.204 64009.9x2 | 64010.2x1 64010.3x5',
      '64010.1x9 64009.9x2 | 64010.2x1 64010.3x5',
    ]);
    expect(tops).toEqual(['64010.10,3.204 64010.20,1.000', '64010.10,9.000 64010.20,1.000']);
    expect(bench.notes).toEqual([
      'bybit-linear orderbook.50.BTCUSDT: not on the tape, made from its book',
      'bybit-linear orderbook.1.BTCUSDT: not on the tape, made from its book',
      'bybit-linear tickers.BTCUSDT: not on the tape, and stays silent',
    ]);
  });

  test('who comes later opens with the made book as it stands', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await joinBybit(served, ['orderbook.50.BTCUSDT'], '?from=+3.5s');
    await client.closed;
    const [opening, ...rest] = client.data().map(parse);
    expect(opening).toMatchObject({
      type: 'snapshot',
      ts: 1_786_000_000_102,
      data: {
        b: [
          ['64010.10', '3.204'],
          ['64009.90', '2.000'],
        ],
      },
    });
    expect(rest).toMatchObject([{ type: 'delta', data: { b: [['64010.10', '9.000']], u: opening.data.u + 1 } }]);
  });

  test('where the recorder missed messages, what is made goes on from the book that it has then', async () => {
    const served = await serve(
      await tapeOf(
        ...MOVING,
        [5, { gap: { stream: '*', from: T, reason: 'silence' } }],
        [5.5, delta(300, [['64010.10', '1.000']])],
        [6, snapshot(400, [['64020.00', '1.000']], [['64020.10', '2.000']])],
        [7, delta(401, [['64020.00', '3.000']])],
      ),
    );
    const client = await joinBybit(served, ['orderbook.50.BTCUSDT']);
    await client.closed;
    const book = new PlainBook(50);
    const said = client.data().map(parse);
    for (const message of said) apply(book, message);
    expect(said.map(({ data }) => data.u - said[0].data.u)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(book.sides()).toBe('64020x3 | 64020.1x2');
  });
});

describe('connections that the recorder lost', () => {
  const BROKEN: Line[] = [
    ...MOVING,
    [5, { conn: CONN, close: { code: 1006, reason: '' } }],
    [6, { conn: CONN, open: { url: 'wss://x' } }],
    [6.1, { conn: CONN, gap: { stream: '*', from: T, reason: 'disconnect' } }],
    [6.2, snapshot(500, ...WHOLE)],
    [7, delta(501, [['64010.10', '7.000']])],
  ];

  test('are lost again, without a word; who comes back goes on from there', async () => {
    const served = await serve(await tapeOf(...BROKEN));
    const first = await joinBybit(served, [BOOK]);
    const bystander = await joinBybit(served, [], '?from=+0s');
    expect((await first.closed).code).toBe(1006);
    expect(first.data()).toEqual(booksOf(MOVING));
    const second = await joinBybit(served, [BOOK]);
    expect((await second.closed).code).toBe(1000);
    expect(second.data()).toEqual(textsOf(BROKEN.slice(-2)));
    expect(bystander.socket.readyState).toBe(bystander.socket.OPEN);
  });

  test('as the venue said it, where it said something', async () => {
    const path = await tapeOf(
      ...MOVING,
      [5, { conn: CONN, close: { code: 4001, reason: 'maintenance' } }],
      [6, trade(9)],
    );
    const client = await joinBybit(await serve(path), [BOOK]);
    expect(await client.closed).toEqual({ code: 4001, reason: 'maintenance' });
  });

  test.each<[string, Partial<ServeTapeOptions>, object]>([
    ['not where they are to be kept', { reenact: false }, { code: 1006, reason: '' }],
    ['not by the recorder’s own end', {}, { code: 1000, reason: 'stop' }],
  ])('%s', async (_, options, close) => {
    const path = await tapeOf(...MOVING, [5, { conn: CONN, close }], [6, snapshot(500, ...WHOLE)]);
    const client = await joinBybit(await serve(path, options), [BOOK]);
    expect((await client.closed).reason).toBe('the tape has ended');
    expect(client.data()).toHaveLength(5);
  });

  test('and not for who listens to another one only', async () => {
    const path = await tapeOf(...MOVING, [5, { conn: 'r1.2', close: { code: 1006, reason: '' } }], [6, trade(9)]);
    const client = await joinBybit(await serve(path), [BOOK, TRADES]);
    expect((await client.closed).reason).toBe('the tape has ended');
    expect(client.data().at(-1)).toBe(trade(9));
  });
});

describe('REST', () => {
  const book = async (served: ServedTape, query: string): Promise<{ b: Row[]; a: Row[] }> => {
    const answer = await fetch(
      `${served.venues[0].httpUrl}/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=50${query}`,
    );
    return ((await answer.json()) as { result: { b: Row[]; a: Row[] } }).result;
  };

  test('answers with the book of the moment asked for, or the first that is known', async () => {
    const served = await serve(await tapeOf(...MOVING));
    expect(await book(served, '')).toMatchObject({ b: WHOLE[0], a: WHOLE[1] });
    expect(await book(served, '&from=%2B4.5s')).toMatchObject({
      b: [
        ['64010.10', '9.000'],
        ['64009.90', '2.000'],
      ],
    });
  });

  test('refuses a time that is none', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const answer = await fetch(`${served.venues[0].httpUrl}/v5/market/time?from=x`);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("'x' is not a time")]);
  });

  test('lists what is on the tape, and has its time', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const get = async (path: string): Promise<unknown> => (await fetch(`${served.venues[0].httpUrl}${path}`)).json();
    expect(await get('/v5/market/instruments-info?category=linear&symbol=BTCUSDT')).toMatchObject({
      result: { list: [{ symbol: 'BTCUSDT', priceFilter: { tickSize: '0.10' }, lotSizeFilter: { qtyStep: '0.001' } }] },
    });
    expect(await get('/v5/market/time?from=%2B3s')).toMatchObject({ result: { timeSecond: '1786000003' } });
  });
});

test('a snapshot over REST that came before the first update is joined', async () => {
  const body = { lastUpdateId: 10, E: 1, T: 1, bids: WHOLE[0], asks: WHOLE[1] };
  const update =
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1786000000500,"T":1786000000499,"s":"BTCUSDT","U":9,"u":12,"pu":8,"b":[["64010.10","5.000"]],"a":[]}}';
  const path = await bench.tapeIn(
    { name: 'binance.ndjson', venue: 'binance-usdm' },
    [1, { http: { url: 'https://x', status: 200, sent: T, body } }],
    [2, update],
  );
  const served = await serve(path);
  const answer = await fetch(`${served.venues[0].httpUrl}/fapi/v1/depth?symbol=BTCUSDT&limit=5`);
  expect(await answer.json()).toMatchObject({ lastUpdateId: 12, bids: [['64010.10', '5.000'], WHOLE[0][1]] });
});

describe('a client that does not read', () => {
  test('is paused, and others hear all of it meanwhile', async () => {
    const many = updates(30_000, 1000, 20);
    const served = await serve(await tapeOf([1, snapshot(100, ...WHOLE)], ...many));
    const slow = await joinBybit(served, [BOOK], '?from=+0s');
    await slow.until(() => slow.data().length > 0);
    slow.socket.pause();
    const quick = await joinBybit(served, [BOOK]);
    expect((await quick.closed).code).toBe(1000);
    expect(quick.data()).toHaveLength(many.length + 1);
    const sentBefore = served.sent;
    expect(sentBefore).toBeLessThan(2 * many.length);
    slow.socket.resume();
    expect((await slow.closed).code).toBe(1000);
    expect(slow.data()).toEqual(quick.data());
  });
});

test('faults are put into what is heard, not into the state behind it', async () => {
  const many = updates(400, 100);
  const path = await tapeOf([1, snapshot(100, ...WHOLE)], ...many);
  const served = await serve(path, { faults: () => createInjection([{ kind: 'drop', every: 20 }], 1) });
  const client = await joinBybit(served, [BOOK, 'orderbook.50.BTCUSDT']);
  await client.closed;
  const us = (topic: string): number[] =>
    client
      .data()
      .map(parse)
      .flatMap((message) => (message.topic === topic ? [message.data.u] : []));
  const heard = us(BOOK);
  expect(heard.length).toBeGreaterThan(330);
  expect(heard.length).toBeLessThan(401);
  const made = us('orderbook.50.BTCUSDT');
  expect(made.map((u) => u - made[0])).toEqual(Array.from({ length: 401 }, (_, n) => n));
  await served.done;
  expect(bench.notes.at(-1)).toBe(`bybit-linear client 1: injected: ${401 - heard.length} drops`);
});

test('paced by the clock: a second client comes in where the first one is', async () => {
  const many = updates(200, 100);
  const served = await serve(await tapeOf([1, snapshot(100, ...WHOLE)], ...many), { speed: 4 });
  const first = await joinBybit(served, [BOOK]);
  await first.until(() => first.data().length > 50);
  const second = await joinBybit(served, [BOOK]);
  await Promise.all([first.closed, second.closed]);
  expect(first.data()).toEqual([snapshot(100, ...WHOLE), ...textsOf(many)]);
  const [opening, ...rest] = second.data();
  const { u } = parse(opening).data;
  expect(u).toBeGreaterThan(140);
  expect(rest).toEqual(textsOf(many).slice(u - 100));
});

test('a pipe cannot be served', async () => {
  const tape = await openTape(['-'], Readable.from([headerLine()]));
  await expect(serveTape({ tape, range: {}, speed: 1, note: () => {}, damaged: () => {} })).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('stdin'),
  });
});
