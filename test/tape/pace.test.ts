/** Pacing: absolute deadlines on a clock the test owns. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LineFlow } from '../../src/model/batch.js';
import { type PaceOptions, pace, preciseSleep } from '../../src/tape/pace.js';
import { flowOf, message, T0 } from './tapes.js';

/** A clock that moves only by sleeping (each sleep `oversleep` too long) and by what the consumer takes per batch. */
async function released(
  flow: LineFlow,
  options: Partial<PaceOptions>,
  oversleep = 0,
  consumer = 0,
): Promise<[number, number][]> {
  let now = 5_000;
  const out: [number, number][] = [];
  const sleep = async (micros: number): Promise<void> => {
    now += micros + oversleep;
  };
  for await (const item of pace(flow, { speed: 1, clock: () => now, sleep, ...options })) {
    if ('damage' in item) continue;
    const text = item.bytes.toString('utf8', item.from, item.to);
    for (const line of text.split('\n').slice(0, -1)) out.push([Number(line.slice(5, 21)) - T0, now - 5_000]);
    now += consumer;
  }
  return out;
}

const at = (times: number[]): string => times.map((t) => message(T0 + t).toString()).join('');

test('every line at its own deadline, over batches and frames', async () => {
  const flow = flowOf([at([0, 10, 10, 500]), at([1000, 4000])]);
  expect(await released(flow, {})).toEqual([
    [0, 0],
    [10, 10],
    [10, 10],
    [500, 500],
    [1000, 1000],
    [4000, 4000],
  ]);
});

test('speed divides', async () => {
  expect(await released(flowOf([at([0, 100, 1000])]), { speed: 10 })).toEqual([
    [0, 0],
    [100, 10],
    [1000, 100],
  ]);
  expect(await released(flowOf([at([0, 100])]), { speed: 0.5 })).toEqual([
    [0, 0],
    [100, 200],
  ]);
});

test('where the replay stands at a time already, lines before it are due at once and later ones so much later', async () => {
  expect(await released(flowOf([at([0, 100, 400, 1000])]), { standsAt: T0 + 300 })).toEqual([
    [0, 0],
    [100, 0],
    [400, 100],
    [1000, 700],
  ]);
  expect(await released(flowOf([at([500])]), { standsAt: T0, speed: 2 })).toEqual([[500, 250]]);
});

test('max speed waits for nothing and cuts nothing', async () => {
  let batches = 0;
  for await (const item of pace(flowOf([at([0, 1e9]), at([2e9])]), { speed: Number.POSITIVE_INFINITY }))
    batches += 'bytes' in item ? 1 : 0;
  expect(batches).toBe(2);
});

test('property: lateness never adds up', async () => {
  const gaps = fc.array(fc.nat(5000), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(gaps, fc.nat(300), async (steps, oversleep) => {
      let t = 0;
      const times = steps.map((step) => (t += step));
      for (const [due, seen] of await released(flowOf([at([0, ...times])]), {}, oversleep)) {
        expect(seen).toBeGreaterThanOrEqual(due);
        expect(seen - due).toBeLessThanOrEqual(oversleep);
      }
    }),
  );
});

test('a slow consumer gets what is overdue at once, and catches up', async () => {
  const found = await released(flowOf([at([0, 10, 20, 30, 1000])]), {}, 0, 100);
  expect(found).toEqual([
    [0, 0],
    // the clock starts when the first line was taken, at 100
    [10, 110],
    [20, 210],
    [30, 210],
    [1000, 1100],
  ]);
});

test('max idle shortens the wait and nothing else', async () => {
  const flow = flowOf([at([0, 100, 5100, 5200, 9000])]);
  expect(await released(flow, { maxIdleMicros: 1000 })).toEqual([
    [0, 0],
    [100, 100],
    [5100, 1100],
    [5200, 1200],
    [9000, 2200],
  ]);
  const fast = await released(flowOf([at([0, 5000, 50_000])]), { maxIdleMicros: 1000, speed: 10 });
  expect(fast).toEqual([
    [0, 0],
    [5000, 500],
    [50_000, 1500],
  ]);
});

test('a time that goes back is no idle time later', async () => {
  const found = await released(flowOf([at([0, 5000, 4000, 5000, 5100])]), { maxIdleMicros: 500 });
  expect(found.map(([, seen]) => seen)).toEqual([0, 500, 500, 500, 600]);
});

test('lines without a time, and times that go back, are due with what came before', async () => {
  const times: number[] = [];
  let now = 0;
  const sleep = async (micros: number): Promise<void> => {
    now += micros;
  };
  const text = `${at([0, 100])}broken\n${at([50, 200])}`;
  for await (const item of pace(flowOf([text]), { speed: 1, clock: () => now, sleep }))
    if ('bytes' in item)
      for (let n = item.bytes.toString('utf8', item.from, item.to).split('\n').length; n > 1; n--) times.push(now);
  expect(times).toEqual([0, 100, 100, 100, 200]);
});

test('parts know their line numbers', async () => {
  const seen: number[] = [];
  let now = 0;
  const sleep = async (micros: number): Promise<void> => {
    now += micros;
  };
  for await (const item of pace(flowOf([at([0, 5, 5, 9])]), { speed: 1, clock: () => now, sleep }))
    if ('bytes' in item) seen.push(item.line);
  expect(seen).toEqual([1, 2, 4]);
});

test('an aborted wait ends the flow', async () => {
  const stop = new AbortController();
  let lines = 0;
  for await (const item of pace(flowOf([at([0, 3600e6])]), { speed: 1, signal: stop.signal })) {
    lines += 'bytes' in item ? 1 : 0;
    setImmediate(() => stop.abort());
  }
  expect(lines).toBe(1);
});

test('the default sleep never wakes early', async () => {
  for (const micros of [0, 50, 700, 4000]) {
    const start = performance.now();
    await preciseSleep(micros);
    expect((performance.now() - start) * 1000).toBeGreaterThanOrEqual(micros);
  }
});
