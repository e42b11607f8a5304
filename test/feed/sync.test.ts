/** Snapshot requests with an injected clock: spacing, backoff, what the venue asks for. */
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/feed/backoff.js';
import { createPace } from '../../src/feed/pace.js';
import { type RestAnswer, retryAfter } from '../../src/feed/rest.js';
import { createSync } from '../../src/feed/sync.js';

/** Lets the promises of answered requests run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function createBench(answers: (RestAnswer | Error | Promise<RestAnswer>)[], random = 1) {
  let now = 0;
  const asked: [number, string][] = [];
  const failures: string[] = [];
  const sync = createSync({
    get: async (url) => {
      asked.push([now, url]);
      const answer = answers.shift() ?? answerOf(200);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    url: (symbol) => symbol,
    pace: createPace(600),
    now: () => now,
    random: () => random,
    fault: ({ body }) => (body.length > 2 ? { kind: 'tooMany', text: '1 too many' } : null),
    answered: (_symbol, answer) =>
      answer.status === 200 && answer.body.length === 2 ? null : `status ${answer.status}`,
    failed: (symbol, why, attempts) => void failures.push(`${symbol} ${attempts} ${why}`),
  });
  return {
    sync,
    asked,
    failures,
    /** beats every 50 ms up to `end` */
    async run(end: number) {
      for (; now <= end; now += 50) {
        sync.tick(now);
        await settle();
      }
    },
  };
}

function answerOf(status: number, retryAfterMs: number | null = null, body = '{}'): RestAnswer {
  return { url: 'x', status, body: Buffer.from(body), retryAfterMs };
}

describe('snapshots', () => {
  test('of many symbols keep their distance; asking twice is asking once', async () => {
    const { sync, asked, run } = createBench([]);
    for (const symbol of ['A', 'B', 'A', 'C']) sync.want(symbol);
    await run(2000);
    expect(asked).toEqual([
      [0, 'A'],
      [600, 'B'],
      [1200, 'C'],
    ]);
  });

  test('under way are not asked for a second time', async () => {
    const { sync, asked, run } = createBench([new Promise(() => {})]);
    sync.want('A');
    await run(1000);
    sync.want('A');
    await run(5000);
    expect(asked).toEqual([[0, 'A']]);
  });

  test('that cannot be joined are asked for again, later each time, and at once after a join', async () => {
    const { sync, asked, run } = createBench([]);
    const wanting = async (end: number): Promise<void> => {
      for (let at = 0; at <= end; at += 50) {
        sync.want('A');
        await run(at);
      }
    };
    await wanting(4200);
    expect(asked.map(([at]) => at)).toEqual([0, 600, 1200, 2200, 4200]);
    await run(5000);
    sync.joined('A');
    sync.want('A');
    await run(5050);
    expect(asked.at(-1)).toEqual([5050, 'A']);
  });

  test('refused with 429 hold back every symbol for as long as the venue says', async () => {
    const { sync, asked, failures, run } = createBench([answerOf(429, 7000)]);
    sync.want('A');
    sync.want('B');
    await run(10_000);
    expect(asked).toEqual([
      [0, 'A'],
      [7000, 'B'],
      [7600, 'A'],
    ]);
    expect(failures).toEqual(['A 1 status 429']);
  });

  test('refused with status 200 hold back as well', async () => {
    const { sync, asked, failures, run } = createBench([answerOf(200, null, '{"code":510}')]);
    for (const symbol of ['A', 'B']) sync.want(symbol);
    await run(31_000);
    expect(asked.map(([at]) => at)).toEqual([0, 30_000, 30_600]);
    expect(failures).toEqual(['A 1 status 200']);
  });

  test('refused with 418 without a time hold back for two minutes', async () => {
    const { sync, asked, run } = createBench([answerOf(418)]);
    sync.want('A');
    await run(121_000);
    expect(asked.map(([at]) => at)).toEqual([0, 120_000]);
  });

  test('that fail are retried with growing waits', async () => {
    const { sync, asked, failures, run } = createBench([answerOf(500), new Error('no answer'), answerOf(503)]);
    sync.want('A');
    await run(20_000);
    expect(asked.map(([at]) => at)).toEqual([0, 1000, 3000, 7000]);
    expect(failures).toEqual(['A 1 status 500', 'A 2 no answer', 'A 3 status 503']);
  });

  test('stop with the recorder', async () => {
    const { sync, asked, run } = createBench([]);
    sync.want('A');
    sync.stop();
    sync.want('B');
    await run(1000);
    expect(asked).toEqual([]);
  });
});

test('backoff doubles up to its bound and is jittered over the whole of it', () => {
  const bounds = { firstMs: 500, mostMs: 30_000 };
  expect([0, 1, 2, 6, 60].map((n) => backoffMs(n, bounds, () => 1))).toEqual([500, 1000, 2000, 30_000, 30_000]);
  expect(backoffMs(3, bounds, () => 0)).toBe(0);
  expect(backoffMs(3, bounds, () => 0.25)).toBe(1000);
});

test('Retry-After is seconds or a date', () => {
  expect(retryAfter('12')).toBe(12_000);
  expect(retryAfter('Thu, 01 Jan 1970 00:00:30 GMT', 10_000)).toBe(20_000);
  expect(retryAfter('Thu, 01 Jan 1970 00:00:30 GMT', 90_000)).toBe(0);
  expect(retryAfter('soon')).toBeNull();
  expect(retryAfter(null)).toBeNull();
});
