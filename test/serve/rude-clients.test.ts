/** Clients that say what they should not, too much of it, or do not listen: none of them ends the server or fills its memory. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { serveExchange } from '../../src/serve/exchange.js';
import { createInjection } from '../../src/tape/inject.js';
import { servedVenue } from '../../src/venues/servers.js';
import { until } from '../feed/harness.js';
import { SIMULATED } from '../feed/simulated.js';
import { seededMarket } from '../venues/served.js';
import {
  BOOK,
  CONN,
  createBench,
  joinBybit,
  MOVING,
  openBybit,
  snapshot,
  textsOf,
  updates,
  WHOLE,
} from './bybit-tape.js';
import { openClient, type TestClient } from './client.js';

const bench = createBench();
const { tapeOf, serve } = bench;

/** An object that no text can be made of. */
const UNTEXTUAL = '{"toString":1}';
const DEEP = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
const TOO_LONG = 'x'.repeat(100_000);

describe('a start that is none', () => {
  test.each<[string, string]>([
    ['in other letters', encodeURIComponent('é'.repeat(200))],
    ['of many signs', encodeURIComponent('€'.repeat(41))],
  ])('is refused, also where it is written %s', async (_, from) => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await openBybit(served, `?from=${from}`);
    expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/^'[é€]+/) });
    expect((await (await joinBybit(served, [BOOK])).closed).code).toBe(1000);
  });

  test('does not make the server deaf to what else is wrong with its client', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await openBybit(served, '?from=x');
    client.send(TOO_LONG);
    await client.closed;
    expect((await (await joinBybit(served, [BOOK])).closed).code).toBe(1000);
  });
});

describe('words that are none', () => {
  const WORDS = ['', 'null', '7', '[]', '{}', '"', UNTEXTUAL, DEEP];
  const PARTS = ['op', 'args', 'req_id', 'method', 'param', 'params', 'id', 'reqType', 'dataType'];
  const FORMS = [
    ...WORDS,
    ...PARTS.flatMap((part) => [UNTEXTUAL, DEEP, 'null', '[[]]', '-0'].map((value) => `{"${part}":${value}}`)),
    `{"op":"subscribe","args":[{"channel":${UNTEXTUAL},"instId":${UNTEXTUAL}}]}`,
    `{"op":"ping","req_id":${DEEP}}`,
    `{"method":"sub.depth","param":{"symbol":${UNTEXTUAL}}}`,
    `{"method":"sub.depth.full","param":{"symbol":"BTC_USDT","limit":${UNTEXTUAL}}}`,
    `{"method":"SUBSCRIBE","params":[${UNTEXTUAL}],"id":1}`,
    `{"reqType":"sub","dataType":${UNTEXTUAL},"id":${UNTEXTUAL}}`,
    '{"op":"subscribe","args":["orderbook.50.../../x","orderbook.__proto__.BTCUSDT"]}',
    '{"op":"subscribe","args":[{"channel":"__proto__","instId":"../../x"}]}',
    '{"method":"sub.__proto__","param":{"symbol":"constructor"}}',
  ];
  const VENUES = [
    'binance-usdm',
    'binance-spot',
    'bybit-linear',
    'okx-swap',
    'bingx-swap',
    'weex-futures',
    'mexc-futures',
  ];

  test.each(VENUES)('%s answers them or keeps silent, and serves on', async (id) => {
    const [symbol] = SIMULATED[id].symbols;
    const venue = servedVenue(id)!;
    const market = seededMarket(venue, [symbol], 10);
    const exchange = await serveExchange({ venue, market });
    try {
      const [plan] = venue.connections([symbol], ['depth']);
      const client = await openClient(`${exchange.wsUrl}${plan.path}`);
      for (const form of FORMS) client.send(form);
      // the pong comes behind all of them
      const received = once(client.socket, 'pong');
      client.socket.ping();
      await received;
      const { length } = client.heard;
      for (const text of plan.subscribe) client.send(text);
      const isBook = (text: string): boolean => {
        const bytes = Buffer.from(text);
        return venue.topicOf(bytes, 0, bytes.length) === plan.topics[0].name;
      };
      await client.until(() => client.heard.slice(length).some(isBook));
      expect(client.socket.readyState).toBe(client.socket.OPEN);
      client.socket.close();
      await client.closed;
    } finally {
      await exchange.stop();
    }
  });
});

describe('a client that asks and asks', () => {
  /** Settles when the client cannot send any more. */
  const stuck = async (client: TestClient): Promise<number> => {
    let same = 0;
    let left = -1;
    await until('nothing more is taken', () => {
      const now = client.socket.bufferedAmount;
      same = now === left ? same + 1 : 0;
      left = now;
      return now === 0 || same > 40;
    });
    return left;
  };

  test('and does not listen is not heard any more, until it does', async () => {
    const served = await serve(await tapeOf(...MOVING));
    const client = await openBybit(served);
    client.socket.pause();
    const asked = 600;
    const padding = 'x'.repeat(60_000);
    for (let n = 0; n < asked; n++) client.send(JSON.stringify({ op: 'ping', req_id: `${n} ${padding}` }));
    // answers are as long: what does not leave the client waits nowhere else
    expect(await stuck(client)).toBeGreaterThan((asked * padding.length) / 2);
    client.socket.resume();
    await client.until(() => client.heard.length === asked);
    expect(client.heard.map((text) => Number.parseInt((JSON.parse(text) as { req_id: string }).req_id, 10))).toEqual(
      Array.from({ length: asked }, (_, n) => n),
    );
  });
});

test('topics that nobody knows are told of, cut short and not without end', async () => {
  const path = await bench.tapeIn({ name: 'b.ndjson', venue: 'binance-usdm', header: { channels: ['depth'] } });
  const served = await serve(path);
  const client = await openClient(`${served.venues[0].wsUrl}/ws`);
  const send = (params: string[], id: number): void => client.send(JSON.stringify({ method: 'SUBSCRIBE', params, id }));
  send([`\u001b[2J${'y'.repeat(1000)}`], 0);
  for (let id = 1; id <= 30; id++)
    send(
      Array.from({ length: 100 }, (_, n) => `x${id}-${n}@depth`),
      id,
    );
  await client.until(() => client.heard.length === 31);
  expect(Math.max(...bench.notes.map((note) => note.length))).toBeLessThan(200);
  expect(bench.notes.length).toBeLessThan(300);
  expect(bench.notes.at(-1)).toMatch(/and more/);
  // as the venue has it, 1024 are enough
  expect(client.heard.filter((text) => text.includes('"result":null')).length).toBe(11);
  expect(client.heard.at(-1)).toMatch(/"code":2,"msg":"[^"]*1024/);
});

test('what was said while this process was kept waiting is heard before the tape begins', async () => {
  const path = await bench.tapeIn({ name: 'b.ndjson', venue: 'binance-usdm', header: { channels: ['depth'] } });
  const settleMs = 200;
  const served = await serve(path, { settleMs });
  const client = await openClient(`${served.venues[0].wsUrl}/ws`);
  const ask = (id: number): void => client.send(JSON.stringify({ method: 'SUBSCRIBE', params: [`x${id}@depth`], id }));
  ask(1);
  await client.until(() => client.heard.length === 1);
  ask(2);
  const end = performance.now() + 2 * settleMs;
  while (performance.now() < end);
  await client.closed;
  expect(client.heard).toEqual(['{"result":null,"id":1}', '{"result":null,"id":2}']);
});

describe('a client that leaves', () => {
  test.each<[string, (client: TestClient) => void]>([
    ['in order', (client) => client.socket.close()],
    ['without a word', (client) => client.socket.terminate()],
  ])('%s while its place is looked up costs the others nothing', async (_, leave) => {
    const many = updates(2000, 1000);
    const served = await serve(await tapeOf([1, snapshot(100, ...WHOLE)], ...many));
    for (let n = 0; n < 5; n++) {
      const gone = await joinBybit(served, [BOOK], '?from=-1s');
      leave(gone);
    }
    const stays = await joinBybit(served, [BOOK], '?from=-1000ms');
    expect((await stays.closed).code).toBe(1000);
    expect(stays.data().slice(1)).toEqual(textsOf(many).slice(-1000));
    await served.done;
  });
});

test('a client that was cut and does not end its own side is let go', async () => {
  const served = await serve(await tapeOf(...MOVING, [5, { conn: CONN, close: { code: 1006, reason: '' } }]));
  const port = Number(new URL(served.venues[0].httpUrl).port);
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const head = ['GET /v5/public/linear HTTP/1.1', 'Host: x', 'Upgrade: websocket', 'Connection: Upgrade'];
  const key = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
  socket.write(`${[...head, ...key].join('\r\n')}\r\n\r\n`);
  // a masked text, its mask all zeros
  const text = Buffer.from(JSON.stringify({ op: 'subscribe', args: [BOOK] }));
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  socket.resume();
  await once(socket, 'end');
  const cut = performance.now();
  const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
  const poke = setInterval(() => socket.write(pong), 50);
  await new Promise((resolve) => socket.on('error', resolve).on('close', resolve));
  clearInterval(poke);
  socket.destroy();
  const kept = performance.now() - cut;
  expect(kept).toBeGreaterThan(1_000);
  // ten times the grace: much less than others would keep it, and a slow machine has time
  expect(kept).toBeLessThan(20_000);
});

test('faults that cannot be are refused before anybody comes', async () => {
  const path = await tapeOf(...MOVING);
  const faults = () =>
    createInjection(
      [
        { kind: 'drop', every: 5 },
        { kind: 'drop', every: 6 },
      ],
      1,
    );
  await expect(serve(path, { faults })).rejects.toMatchObject({ code: 'E_USAGE' });
});
