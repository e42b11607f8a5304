/** One connection over real sockets, its time driven by the test. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connection, type ConnectionOptions } from '../../src/feed/connection.js';
import type { ConnectionPlan, Topic } from '../../src/venues/venue.js';
import { until } from './harness.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
/** monotonic ms as the connection sees it */
let now: number;
let log: string[];
let messages: [Buffer, boolean][];
const made: Connection[] = [];

const topic = (name: string, firstDataMs: number | null): Topic => ({ name, symbol: 'X', channel: name, firstDataMs });

const PLAN: ConnectionPlan = {
  path: '/stream',
  topics: [topic('a', 400), topic('b', null)],
  subscribe: ['one', 'two'],
  sendEveryMs: 300,
  silenceMs: 1000,
  lifetimeMs: 60_000,
};

beforeEach(async () => {
  server = await startServer();
  now = 5000;
  log = [];
  messages = [];
});

afterEach(async () => {
  for (const connection of made.splice(0)) connection.stop();
  await server.close();
});

function connect(plan: Partial<ConnectionPlan> = {}, options: Partial<ConnectionOptions> = {}): Connection {
  let sockets = 0;
  const mine = log;
  const connection = new Connection({
    plan: { ...PLAN, ...plan },
    url: `${server.wsUrl}/stream`,
    nextId: () => `r.${++sockets}`,
    now: () => now,
    random: () => 0.5,
    events: {
      opened: ({ id }) => void mine.push(`opened ${id}`),
      sent: (_connection, text) => void mine.push(`sent ${text}`),
      message: (_connection, data, binary) => void messages.push([data, binary]),
      late: (_connection, topics) => void mine.push(`late ${topics.map(({ name }) => name).join()}`),
      closed: ({ id }, code, reason, cause) => void mine.push(`closed ${id} ${code} ${cause} '${reason}'`),
      failed: (_connection, why, retryMs) => void mine.push(`failed ${why} ${retryMs}`),
    },
    ...options,
  });
  made.push(connection);
  connection.tick(now);
  return connection;
}

async function opened(
  plan: Partial<ConnectionPlan> = {},
  options: Partial<ConnectionOptions> = {},
): Promise<Connection> {
  const connection = connect(plan, options);
  await until('the socket is open', () => connection.state === 'open' && server.sockets.length > 0);
  return connection;
}

describe('subscribing', () => {
  test('says who connects', async () => {
    await opened();
    expect(server.agents).toEqual(['tapedeck']);
  });

  test('sends the texts of the plan in order and at their pace', async () => {
    const connection = await opened();
    expect(log).toEqual(['opened r.1', 'sent one']);
    now += 299;
    connection.tick(now);
    expect(log).toHaveLength(2);
    now += 1;
    connection.tick(now);
    expect(log).toEqual(['opened r.1', 'sent one', 'sent two']);
    await until('the server heard both', () => server.heard.length === 2);
    expect(server.heard).toEqual(['one', 'two']);
  });

  test('a topic without data by its deadline is late, once; data or a market that may be quiet is not', async () => {
    const connection = await opened({ sendEveryMs: 0, silenceMs: null });
    connection.tick(now);
    now += 399;
    connection.tick(now);
    expect(log).not.toContain('late a');
    now += 1;
    connection.tick(now);
    connection.tick(now + 5000);
    expect(log.filter((line) => line.startsWith('late'))).toEqual(['late a']);
  });

  test('topics whose deadlines passed are late together; what is asked then keeps the pace of the plan', async () => {
    const topics = [topic('a', 400), topic('b', null), topic('c', 300), topic('d', 900)];
    const connection = await opened({ topics, subscribe: ['one'], silenceMs: null });
    now += 400;
    connection.tick(now);
    expect(log.slice(2)).toEqual(['late a,c']);
    connection.ask(['x', 'y']);
    connection.tick(now);
    now += 299;
    connection.tick(now);
    expect(log.slice(3)).toEqual(['sent x']);
    now += 1;
    connection.tick(now);
    expect(log.slice(4)).toEqual(['sent y']);
  });

  test('a topic that has come is not late', async () => {
    const connection = await opened({ sendEveryMs: 0, silenceMs: null });
    connection.tick(now);
    connection.arrived('a');
    connection.tick(now + 5000);
    expect(log.join()).not.toContain('late');
  });
});

describe('messages', () => {
  test('arrive as their bytes: text, binary, and text that is no UTF-8', async () => {
    await opened();
    const [socket] = server.sockets;
    socket.send('{"a": 1 }');
    socket.send(Buffer.from([0, 255, 1]));
    socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    await until('three messages came', () => messages.length === 3);
    expect(messages.map(([data, binary]) => [data.toString('hex'), binary])).toEqual([
      [Buffer.from('{"a": 1 }').toString('hex'), false],
      ['00ff01', true],
      ['22ff22', false],
    ]);
  });

  test('larger than the limit close the connection', async () => {
    await opened({}, { maxMessageBytes: 100 });
    server.sockets[0].send('x'.repeat(101));
    await until('it is closed', () => log.some((line) => line.startsWith('closed')));
    expect(log.at(-1)).toMatch(/^closed r\.1 1006 remote '.*payload/i);
  });
});

describe('losing the connection', () => {
  test('no message for the time of the plan ends the socket, and a new one follows', async () => {
    const connection = await opened({ sendEveryMs: 0 });
    connection.tick(now);
    now += 900;
    server.sockets[0].send('x');
    await until('a message came', () => messages.length === 1);
    now += 999;
    connection.tick(now);
    expect(connection.state).toBe('open');
    now += 1;
    connection.tick(now);
    await until('the loss is told', () => connection.state === 'waiting');
    expect(log.at(-1)).toBe("closed r.1 1006 silence 'silence'");
    now += 249;
    connection.tick(now);
    expect(connection.state).toBe('waiting');
    now += 1;
    connection.tick(now);
    await until('the second socket is open', () => connection.state === 'open');
    expect(connection.id).toBe('r.2');
  });

  test('a silent socket that is asked first stays while it answers pings, and ends soon after it does not', async () => {
    const connection = await opened({ sendEveryMs: 0, silenceMs: 10_000, asks: true });
    const [socket] = server.sockets;
    now += 1;
    socket.send('ack');
    await until('a message came', () => messages.length === 1);
    let pings = 0;
    socket.on('ping', () => pings++);
    for (let n = 1; n <= 3; n++) {
      now += 10_000;
      connection.tick(now);
      await until('it was asked', () => pings === n);
      // the pong goes out before this, on the same socket
      socket.send('x');
      await until('the pong came', () => messages.length === 1 + n);
    }
    socket.pause();
    now += 10_000;
    connection.tick(now);
    now += 4_999;
    connection.tick(now);
    expect(connection.state).toBe('open');
    now += 1;
    connection.tick(now);
    await until('the loss is told', () => connection.state === 'waiting');
    expect(log.at(-1)).toBe("closed r.1 1006 silence 'silence'");
  });

  test('waits grow while attempts fail, and what the server asks for is kept', async () => {
    server.refuseWith = { status: 429, retryAfter: '3' };
    const connection = connect();
    await until('the first failed', () => log.length === 1);
    server.refuseWith = { status: 503 };
    for (const [wait, retry] of [
      [3000, 500],
      [500, 1000],
      [1000, 2000],
    ]) {
      now += wait;
      connection.tick(now);
      const expected = log.length + 1;
      await until('one more failed', () => log.length === expected);
      expect(log.at(-1)).toBe(`failed HTTP status 503 instead of a WebSocket ${retry}`);
    }
    expect(log[0]).toBe('failed HTTP status 429 instead of a WebSocket 3000');
    server.refuseWith = null;
    now += 2000;
    connection.tick(now);
    await until('it is open', () => connection.state === 'open');
  });
});

describe('stopping', () => {
  test('takes what is under way until the peer answers', async () => {
    const connection = await opened();
    const [socket] = server.sockets;
    socket.pause();
    connection.stop();
    socket.send('late but welcome');
    socket.resume();
    await until('it is stopped', () => connection.state === 'stopped');
    expect(messages.map(([data]) => data.toString())).toEqual(['late but welcome']);
    expect(log.at(-1)).toBe("closed r.1 1000 stop 'stop'");
    connection.tick(now + 1e6);
    expect(connection.state).toBe('stopped');
  });

  test('a peer that does not answer is cut off', async () => {
    const connection = await opened();
    server.sockets[0].pause();
    connection.stop();
    now += 1999;
    connection.tick(now);
    expect(connection.state).toBe('closing');
    now += 1;
    connection.tick(now);
    await until('it is stopped', () => connection.state === 'stopped');
    expect(log.at(-1)).toMatch(/^closed r\.1 1006 stop/);
  });

  test('one that was replaced takes what is under way, says so, and does not come back', async () => {
    const connection = await opened();
    const [socket] = server.sockets;
    socket.pause();
    connection.stop('replaced');
    socket.send('late but welcome');
    socket.resume();
    await until('it is stopped', () => connection.state === 'stopped');
    expect(messages.map(([data]) => data.toString())).toEqual(['late but welcome']);
    expect(log.at(-1)).toBe("closed r.1 1000 replaced 'replaced'");
    connection.tick(now + 1e6);
    expect(server.sockets).toHaveLength(1);
  });

  test('before a socket is open there is nothing to tell', async () => {
    const connection = connect();
    connection.stop();
    // the socket's own end takes some turns
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(connection.state).toBe('stopped');
    expect(log).toEqual([]);
  });
});
