/** The served exchange over real sockets: what is sent is what the ledger says, and faults happen as ordered. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ServedExchange, type ServeOptions, serveExchange } from '../../src/serve/exchange.js';
import { createExchange } from '../../src/sim/exchange.js';
import { binanceServer } from '../../src/venues/binance-server.js';
import { bingxServer } from '../../src/venues/bingx-server.js';
import { okxServer } from '../../src/venues/okx-server.js';
import type { ServedMarket, VenueServer } from '../../src/venues/venue.js';
import { openClient, type TestClient } from './client.js';

const START = 1_780_000_000_000_000;
const ALL = '"btcusdt@depth@100ms","btcusdt@bookTicker","btcusdt@trade"';

let folder: string;
let ledgerPath: string;
/** monotonic ms as the server sees it; tests move it */
let time: number;
const started: ServedExchange[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapedeck-serve-'));
  ledgerPath = join(folder, 'sent.ndjson');
  time = 1000;
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((exchange) => exchange.stop()));
  await rm(folder, { recursive: true });
});

async function serve(options: Partial<ServeOptions> = {}, rate = 500): Promise<ServedExchange> {
  const market = createExchange({ symbols: ['BTCUSDT', 'ETHUSDT'], seed: 1, rate, start: START });
  const venue = { server: (market: ServedMarket) => binanceServer('usdm', market) };
  const exchange = await serveExchange({ venue, market, ledger: ledgerPath, tickMs: 1, clock: () => time, ...options });
  started.push(exchange);
  return exchange;
}

async function subscribe(exchange: ServedExchange, topics = ALL, path = '/public/stream'): Promise<TestClient> {
  const client = await openClient(exchange.wsUrl + path);
  client.send(`{"method":"SUBSCRIBE","params":[${topics}],"id":1}`);
  await client.until(() => client.heard.length === 1);
  return client;
}

interface Line {
  t: number;
  client: number;
  topic?: string | null;
  msg?: string;
  text?: string;
  lost?: boolean;
  opened?: { path: string };
  closed?: { code: number; reason: string };
}

/** Lines of the ledger; `msg` as its bytes stand in the file. */
async function readLedger(): Promise<Line[]> {
  const text = await readFile(ledgerPath, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const parsed = JSON.parse(line) as Line & { msg?: unknown };
      const bytes = /,"msg":(.*?)(,"lost":true)?\}$/.exec(line)?.[1];
      return bytes === undefined ? parsed : { ...parsed, msg: bytes };
    });
}

/** What the ledger says client `id` was sent and should have got. */
function sentTo(lines: Line[], id: number): string[] {
  return lines.flatMap(({ client, msg, lost }) => (client === id && msg !== undefined && !lost ? [msg] : []));
}

describe('what is sent', () => {
  test('every client gets exactly what the ledger says, byte for byte', async () => {
    const exchange = await serve({ until: START + 1_987_654 });
    const wrapped = await subscribe(exchange);
    const bare = await openClient(`${exchange.wsUrl}/public/ws/ethusdt@trade/ethusdt@bookTicker`);
    const market = await subscribe(exchange, '"btcusdt@aggTrade","btcusdt@trade"', '/market/stream');
    time += 700; // late by more than a batch: it catches up
    await wrapped.until(() => wrapped.heard.length > 50);
    wrapped.send('{"method":"LIST_SUBSCRIPTIONS","id":2}');
    time += 5000;
    await exchange.done;
    await exchange.stop();
    const clients = [wrapped, bare, market];
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(
      clients.map(() => ({ code: 1001, reason: 'the exchange stops' })),
    );
    const lines = await readLedger();
    for (const [index, { heard }] of clients.entries()) expect(sentTo(lines, index + 1)).toEqual(heard);
    expect(exchange.sent).toBe(wrapped.heard.length + bare.heard.length + market.heard.length);
    expect(wrapped.heard[0]).toBe('{"result":null,"id":1}');
    expect(lines.filter(({ topic }) => topic === null).map(({ client }) => client)).toEqual([1, 3, 1]);
    expect(bare.heard[0].startsWith('{"e":"')).toBe(true);
    // trades live on the other route
    expect(market.heard.slice(1).every((text) => text.startsWith('{"stream":"btcusdt@aggTrade"'))).toBe(true);
    expect(lines[0]).toEqual({ t: START, client: 1, opened: { path: '/public/stream' } });
    expect(lines.filter(({ closed }) => closed !== undefined)).toHaveLength(3);
    for (let i = 1; i < lines.length; i++) expect(lines[i].t).toBeGreaterThanOrEqual(lines[i - 1].t);
    expect(lines.every(({ t }) => t >= START && t <= START + 1_987_654)).toBe(true);
  });

  test('the market goes at the speed of the clock, and stands still with it', async () => {
    const exchange = await serve({ until: START + 300_000 });
    const client = await subscribe(exchange);
    time += 299.999;
    await client.until(() => client.heard.length > 20);
    const response = await fetch(`${exchange.httpUrl}/fapi/v1/time`);
    const { serverTime } = (await response.json()) as { serverTime: number };
    expect(serverTime).toBeLessThanOrEqual(START / 1000 + 299);
    time += 1;
    await exchange.done;
  });

  test('all events of the market reach a client that was there from the start', async () => {
    const exchange = await serve({ until: START + 987_654 });
    const client = await subscribe(exchange);
    time += 1000;
    await exchange.done;
    await exchange.stop();
    await client.closed;
    const twin = createExchange({ symbols: ['BTCUSDT', 'ETHUSDT'], seed: 1, rate: 500, start: START });
    const events = twin.advance(START + 987_654).filter(({ symbol }) => symbol === 'BTCUSDT');
    expect(client.heard.length).toBe(events.length + 1);
  });

  test('nothing is sent for topics nobody asked for', async () => {
    const exchange = await serve({ until: START + 200_000 });
    const client = await subscribe(exchange, '"btcusdt@tradee"');
    time += 200;
    await exchange.done;
    await exchange.stop();
    await client.closed;
    expect(client.heard).toEqual(['{"result":null,"id":1}']);
  });
});

describe('a venue whose books begin with a snapshot of their own', () => {
  const symbol = 'BTC-USDT-SWAP';
  const topic = `books:${symbol}`;
  const request = `{"op":"subscribe","args":[{"channel":"books","instId":"${symbol}"}]}`;

  const serveSwap = (options: Partial<ServeOptions> = {}): Promise<ServedExchange> => {
    const form = /SWAP$/;
    const market = createExchange({ symbols: [symbol], seed: 1, rate: 500, start: START, form });
    return serve({ venue: { server: (served) => okxServer('swap', served) }, market, ...options });
  };
  const isData = (text: string): boolean => text.includes('"action"');

  test('it stands right behind the ack, in the ledger as data, and later clients get the later book', async () => {
    const exchange = await serveSwap({ until: START + 600_000 });
    // nobody listens yet, and the market goes on
    time += 300;
    await untilOkxTime(exchange, START / 1000 + 300);
    const client = await openClient(`${exchange.wsUrl}/ws/v5/public`);
    client.send(request);
    client.send('ping');
    await client.until(() => client.heard.length >= 3);
    time += 300;
    await exchange.done;
    await exchange.stop();
    await client.closed;
    const [ack, snapshot] = client.heard;
    expect(ack).toContain('"event":"subscribe"');
    expect(snapshot).toContain('"action":"snapshot"');
    const twin = createExchange({ symbols: [symbol], seed: 1, rate: 500, start: START, form: /SWAP$/ });
    twin.advance(START + 300_000);
    expect(snapshot).toContain(`"seqId":${twin.snapshot(symbol, 1)?.id}}`);
    const lines = await readLedger();
    expect(sentTo(lines, 1)).toEqual(client.heard.filter((text) => text !== 'pong'));
    expect(lines.filter((line) => line.topic === topic).map(({ msg }) => msg)).toEqual(client.heard.filter(isData));
    // what is no JSON is kept as a text
    expect(lines.find(({ text }) => text === 'pong')).toMatchObject({ client: 1, topic: null });
  });

  test('silence loses it as it loses other data; the ack comes', async () => {
    const exchange = await serveSwap({ until: START + 100_000 });
    exchange.controls.silence(true);
    const client = await openClient(`${exchange.wsUrl}/ws/v5/public`);
    client.send(request);
    client.send('ping');
    await client.until(() => client.heard.includes('pong'));
    await exchange.stop();
    await client.closed;
    expect(client.heard.map((text) => text.slice(0, 9))).toEqual(['{"event":', 'pong']);
    const lost = (await readLedger()).filter((line) => line.lost);
    expect(lost).toMatchObject([{ client: 1, topic }]);
    expect(lost[0].msg).toContain('"action":"snapshot"');
  });
});

describe('the port', () => {
  test('no such endpoint: 404', async () => {
    const exchange = await serve();
    await expect(openClient(`${exchange.wsUrl}/private/ws`)).rejects.toThrow('404');
  });

  test('REST answers; other methods do not', async () => {
    const exchange = await serve();
    const response = await fetch(`${exchange.httpUrl}/fapi/v1/depth?symbol=BTCUSDT&limit=5`);
    expect(response.headers.get('content-type')).toContain('application/json');
    const book = (await response.json()) as { bids: []; asks: [] };
    expect([book.bids.length, book.asks.length]).toEqual([5, 5]);
    expect((await fetch(`${exchange.httpUrl}/fapi/v1/time`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${exchange.httpUrl}/nowhere`)).status).toBe(404);
  });

  test('a port in use is an error that says so', async () => {
    const { httpUrl } = await serve();
    const port = Number(new URL(httpUrl).port);
    await expect(serve({ port })).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining('taken'),
    });
  });

  test('a ledger that cannot be opened is an error that names it', async () => {
    const ledger = join(folder, 'missing', 'sent.ndjson');
    await expect(serve({ ledger })).rejects.toMatchObject({ code: 'E_NOT_FOUND', place: { file: ledger } });
  });

  test.skipIf(!existsSync('/dev/full'))(
    'a ledger that cannot be written ends the exchange with its error',
    async () => {
      const exchange = await serve({ ledger: '/dev/full' });
      started.pop();
      await subscribe(exchange);
      await expect(exchange.done).rejects.toMatchObject({ code: 'E_DISK_FULL', place: { file: '/dev/full' } });
      await expect(exchange.stop()).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    },
  );

  test('it pings, and closes clients that never answer', async () => {
    const server = (market: ServedMarket) => ({ ...binanceServer('usdm', market), pingEveryMs: 100 });
    const exchange = await serve({ venue: { server } }, 5);
    const mute = await openClient(`${exchange.wsUrl}/public/ws`, { autoPong: false });
    let pings = 0;
    let wake = (): void => {};
    mute.socket.on('ping', () => {
      pings++;
      wake();
    });
    for (let expected = 1; expected <= 3; expected++) {
      time += 101;
      while (pings < expected)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    time += 101;
    expect(await mute.closed).toEqual({ code: 1008, reason: 'no pong' });
  });
});

describe('a venue with words of its own', () => {
  const words = (more: Partial<VenueServer>) => ({
    server: (market: ServedMarket) => ({ ...binanceServer('usdm', market), ...more }),
  });

  test('a greeting comes first, pings come to those who are to be pinged', async () => {
    const venue = words({
      greeting: () => [{ topic: null, text: '{"event":"connected"}' }],
      beat: { everyMs: 100, text: ({ topics }) => (topics.size > 0 ? '{"event":"ping"}' : null) },
    });
    const exchange = await serve({ venue }, 5);
    const idle = await openClient(`${exchange.wsUrl}/public/ws`);
    const client = await openClient(`${exchange.wsUrl}/public/ws/btcusdt@none`);
    for (let expected = 2; expected <= 3; expected++) {
      time += 101;
      await client.until(() => client.heard.length === expected);
    }
    expect(client.heard).toEqual(['{"event":"connected"}', '{"event":"ping"}', '{"event":"ping"}']);
    idle.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
    await idle.until(() => idle.heard.length === 2);
    expect(idle.heard).toEqual(['{"event":"connected"}', '{"result":[],"id":1}']);
  });

  test('what is said in packed form arrives as binary, and stands in the ledger as text', async () => {
    const exchange = await serve({ venue: words({ pack: (text) => gzipSync(text) }) }, 5);
    const client = await openClient(`${exchange.wsUrl}/public/ws`);
    const packed = new Promise<[Buffer, boolean]>((resolve) => {
      client.socket.once('message', (data: Buffer, isBinary) => resolve([data, isBinary]));
    });
    client.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
    const [data, isBinary] = await packed;
    expect([isBinary, gunzipSync(data).toString()]).toEqual([true, '{"result":[],"id":1}']);
    await exchange.stop();
    expect(sentTo(await readLedger(), 1)).toEqual(['{"result":[],"id":1}']);
  });

  test('a client that says nothing is cut; one that speaks stays', async () => {
    const exchange = await serve({ venue: words({ quietMs: 1000 }) }, 5);
    const mute = await openClient(`${exchange.wsUrl}/public/ws`);
    const speaker = await openClient(`${exchange.wsUrl}/public/ws`);
    time += 900;
    speaker.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
    await speaker.until(() => speaker.heard.length === 1);
    time += 101;
    expect((await mute.closed).code).toBe(1006);
    speaker.send('{"method":"LIST_SUBSCRIPTIONS","id":2}');
    await speaker.until(() => speaker.heard.length === 2);
    await exchange.stop();
    expect((await readLedger()).flatMap(({ closed }) => closed ?? [])).toEqual([
      { code: 1006, reason: 'nothing was said for too long' },
      { code: 1001, reason: 'the exchange stops' },
    ]);
  });

  test('BingX: all is packed, Ping comes every 5 s, and who leaves six of them unanswered is cut', async () => {
    const market = createExchange({ symbols: ['BTC-USDT'], seed: 1, rate: 5, start: START, form: /^BTC-USDT$/ });
    const exchange = await serve({ venue: { server: bingxServer }, market, until: START + 1 });
    const open = async (): Promise<{ client: TestClient; texts: () => string[] }> => {
      const client = await openClient(`${exchange.wsUrl}/swap-market?listenKey=`);
      const packed: Buffer[] = [];
      client.socket.on('message', (data: Buffer, isBinary) => packed.push(isBinary ? data : Buffer.alloc(0)));
      return { client, texts: () => packed.map((data) => gunzipSync(data).toString()) };
    };
    const [mute, speaker] = [await open(), await open()];
    for (let pings = 1; pings <= 6; pings++) {
      time += 5001;
      for (const { client } of [mute, speaker]) await client.until(() => client.heard.length === pings);
      speaker.client.send('Pong');
    }
    // heard before the clock goes on, since it is answered
    speaker.client.send('{"id":"1","reqType":"sub","dataType":"BTC-USDT@incrDepth"}');
    await speaker.client.until(() => speaker.client.heard.length === 8);
    time += 495;
    expect((await mute.client.closed).code).toBe(1006);
    expect(mute.texts()).toEqual(Array.from({ length: 6 }, () => 'Ping'));
    expect(speaker.texts().slice(6)).toEqual([
      '{"id":"1","code":0,"msg":"","dataType":"","data":null}',
      expect.stringContaining('"action":"all"'),
    ]);
    await exchange.stop();
    expect((await speaker.client.closed).code).toBe(1001);
  });
});

describe('faults', () => {
  test('dropped messages are in the ledger, marked, and reach nobody', async () => {
    const exchange = await serve({ until: START + 1_000_000 });
    const one = await subscribe(exchange);
    const two = await subscribe(exchange);
    exchange.controls.dropNext('btcusdt@depth@100ms', 2);
    time += 1000;
    await exchange.done;
    await exchange.stop();
    await Promise.all([one.closed, two.closed]);
    const lines = await readLedger();
    const lost = lines.filter((line) => line.lost);
    expect(lost.map(({ client, topic }) => `${client} ${topic}`)).toEqual([
      '1 btcusdt@depth@100ms',
      '2 btcusdt@depth@100ms',
      '1 btcusdt@depth@100ms',
      '2 btcusdt@depth@100ms',
    ]);
    expect(sentTo(lines, 1)).toEqual(one.heard);
    expect(sentTo(lines, 2)).toEqual(two.heard);
    expect(one.heard).not.toContain(lost[0].msg);
    const depths = one.heard.filter((text) => text.includes('depthUpdate'));
    expect(depths.length).toBeGreaterThan(3);
    expect(lost[0].msg).toContain('depthUpdate');
  });

  test('silence: sockets stay open, requests are answered, data is lost', async () => {
    const exchange = await serve({ until: START + 1_500_000 });
    const client = await subscribe(exchange);
    time += 500;
    await client.until(() => client.heard.length > 10);
    exchange.controls.silence(true);
    time += 500;
    client.send('{"method":"LIST_SUBSCRIPTIONS","id":2}');
    await client.until(() => client.heard.some((text) => text.includes('"id":2')));
    await untilTime(exchange, START / 1000 + 1000);
    exchange.controls.silence(false);
    time += 500;
    await exchange.done;
    await exchange.stop();
    await client.closed;
    const lines = await readLedger();
    expect(sentTo(lines, 1)).toEqual(client.heard);
    const lost = lines.filter((line) => line.lost).map(({ t }) => t);
    expect(lost.length).toBeGreaterThan(50);
    expect(Math.max(...lost)).toBeLessThanOrEqual(START + 1_000_000);
  });

  test('a cut connection gets all that was sent, and no closing handshake; others stay', async () => {
    const exchange = await serve({ until: START + 2_000_000 });
    const one = await subscribe(exchange);
    const two = await subscribe(exchange);
    time += 1000;
    await two.until(() => two.heard.length > 100);
    exchange.controls.disconnect(1);
    expect((await one.closed).code).toBe(1006);
    time += 1000;
    await exchange.done;
    expect(two.socket.readyState).toBe(two.socket.OPEN);
    exchange.controls.disconnect();
    expect((await two.closed).code).toBe(1006);
    await exchange.stop();
    const lines = await readLedger();
    expect(sentTo(lines, 1)).toEqual(one.heard);
    expect(sentTo(lines, 2)).toEqual(two.heard);
    expect(lines.find(({ client, closed }) => client === 1 && closed !== undefined)?.closed?.code).toBe(1006);
  });

  test('of connections side by side the oldest of each path is cut, so that each has its turn', async () => {
    const exchange = await serve({ cutEveryMs: 1000 });
    const [one, two] = [await subscribe(exchange), await subscribe(exchange)];
    const other = await subscribe(exchange, '"btcusdt@aggTrade"', '/market/stream');
    time += 999;
    await two.until(() => two.heard.length > 50);
    expect(exchange.connected).toBe(3);
    time += 1;
    expect((await Promise.all([one.closed, other.closed])).map(({ code }) => code)).toEqual([1006, 1006]);
    expect(exchange.connected).toBe(1);
    exchange.controls.cutOldest();
    expect((await two.closed).code).toBe(1006);
  });

  test('new connections are refused as ordered, and who is there stays and hears what is said to all', async () => {
    const exchange = await serve();
    const client = await subscribe(exchange);
    exchange.controls.refuse(true);
    await expect(openClient(`${exchange.wsUrl}/public/stream`)).rejects.toThrow('503');
    exchange.controls.say('{"e":"serverShutdown"}');
    await client.until(() => client.heard.includes('{"e":"serverShutdown"}'));
    exchange.controls.refuse(false);
    await subscribe(exchange);
    expect(exchange.connected).toBe(2);
  });

  test('a cut connection gets also what the socket still held', async () => {
    const exchange = await serve({ maxBacklog: 1 << 30, until: START + 4_000_000 }, 20_000);
    const slow = await subscribe(exchange, `${ALL},"btcusdt@depth","btcusdt@depth@0ms","btcusdt@depth@500ms"`);
    slow.socket.pause();
    time += 4000;
    await exchange.done; // some 15 MB are on their way, more than the system takes
    exchange.controls.disconnect();
    slow.socket.resume();
    expect((await slow.closed).code).toBe(1006);
    await exchange.stop();
    const lines = await readLedger();
    expect(lines.find(({ closed }) => closed !== undefined)?.closed).toMatchObject({ unsent: expect.any(Number) });
    const sent = sentTo(lines, 1);
    expect(slow.heard.length).toBe(sent.length);
    expect(slow.heard.every((text, i) => text === sent[i])).toBe(true);
  });

  test('REST statuses as ordered, then as usual', async () => {
    const exchange = await serve();
    exchange.controls.restStatus(429, 2);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${exchange.httpUrl}/fapi/v1/time`)).status);
    expect(statuses).toEqual([429, 429, 200]);
  });

  test('a client that does not read is closed with 1008, which the ledger tells', async () => {
    const exchange = await serve({ maxBacklog: 64 << 10 }, 20_000);
    const slow = await subscribe(exchange, `${ALL},"btcusdt@depth","btcusdt@depth@0ms"`);
    const quick = await subscribe(exchange, '"ethusdt@trade"');
    slow.socket.pause();
    const slowIsOut = async (): Promise<boolean> =>
      (await readFile(ledgerPath, 'utf8')).includes('"client":1,"closed"');
    while (!(await slowIsOut())) {
      const heard = quick.heard.length;
      time += 100;
      await quick.until(() => quick.heard.length > heard);
    }
    expect(quick.socket.readyState).toBe(quick.socket.OPEN);
    slow.socket.terminate();
    await exchange.stop();
    const line = (await readLedger()).find(({ client, closed }) => client === 1 && closed !== undefined);
    expect(line?.closed?.code).toBe(1008);
  });
});

test('stopping twice is stopping once', async () => {
  const exchange = await serve();
  await Promise.all([exchange.stop(), exchange.stop()]);
  await exchange.stop();
  await exchange.done;
});

async function untilOkxTime(exchange: ServedExchange, ms: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`${exchange.httpUrl}/api/v5/public/time`);
    const { data } = (await answer.json()) as { data: { ts: string }[] };
    if (Number(data[0].ts) >= ms) return;
  }
}

/** Resolves when the exchange's clock, in ms, is there. */
async function untilTime(exchange: ServedExchange, ms: number): Promise<void> {
  for (;;) {
    const { serverTime } = (await (await fetch(`${exchange.httpUrl}/fapi/v1/time`)).json()) as { serverTime: number };
    if (serverTime >= ms) return;
  }
}
