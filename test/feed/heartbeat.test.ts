/** A process that stood still (SIGSTOP, a suspended machine) does not take what waits in its sockets for silence. */
import { afterEach, expect, test } from 'vitest';
import { Connection } from '../../src/feed/connection.js';
import { beat } from '../../src/feed/heartbeat.js';
import { Recent } from '../../src/feed/recent.js';
import { until } from './harness.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;

afterEach(() => server.close());

test('messages that came while it stood still are read before silence is looked for', async () => {
  server = await startServer();
  let skipped = 0;
  const monoMs = (): number => performance.now() + skipped;
  const heard: string[] = [];
  const closed: string[] = [];
  const connection = new Connection({
    plan: { path: '/', topics: [], subscribe: [], sendEveryMs: 0, silenceMs: 10_000, lifetimeMs: null },
    url: server.wsUrl,
    nextId: () => 'k.1',
    events: {
      ...{ opened() {}, sent() {}, late() {}, failed() {} },
      message: (_, data) => void heard.push(data.toString()),
      closed: (_, _code, _reason, cause) => void closed.push(cause),
    },
    now: monoMs,
    random: () => 0,
  });
  const stopping = new AbortController();
  const summary = { received: 0, written: 0, dropped: 0, bytes: 0, gaps: 0, reconnects: 0, linesLost: 0 };
  const beating = beat({
    feeds: [
      {
        ...{ venue: 'x', lanes: [], connections: [connection], sources: new Map(), reconnects: 0, refusal: null },
        tick: (nowMs) => connection.tick(nowMs),
        stop: () => connection.stop(),
      },
    ],
    ...{ sources: [], time: { wallMs: () => Date.now(), monoMs }, stop: stopping.signal, durationMs: null },
    summary: () => ({ ...summary, outages: 0, removed: 0 }),
    ...{ status: undefined, statusEveryMs: 0, loopLags: new Recent(10), wantsRotation: () => false },
    fail(error) {
      throw error;
    },
  });
  await until('it is open', () => connection.state === 'open' && server.sockets.length === 1);
  // behind the sockets' turn, so that the next beat, by now overdue, comes before them
  await new Promise<void>((resolve) =>
    setImmediate(() => {
      server.sockets[0].send('waits');
      skipped = 60_000;
      const end = performance.now() + 100;
      while (performance.now() < end);
      resolve();
    }),
  );
  await until('it was read', () => heard.length === 1);
  expect([heard, closed, connection.state]).toEqual([['waits'], [], 'open']);
  stopping.abort();
  await beating;
  expect(closed).toEqual(['stop']);
});
