/** What a running recorder tells of itself: figures that a strict reader takes, and when it is not well. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { exposition } from '../../src/feed/metrics.js';
import { Recent } from '../../src/feed/recent.js';
import type { RecordObserver } from '../../src/feed/recorder.js';
import { createLocalThread } from '../tape/local-thread.js';
import '../seed.js';
import { readExposition } from './exposition.js';
import { createRig, type Rig, until } from './harness.js';

let rig: Rig | null = null;

afterEach(async () => {
  await rig?.close();
  rig = null;
});

test('whatever names and numbers there are, a strict reader finds them again', () => {
  const sign = fc.oneof(
    fc.constantFrom('\n', '"', '\\', '}', ','),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const text = fc.string({ unit: sign });
  const labels = fc.dictionary(fc.constantFrom('venue', 'symbol', 'stream'), text);
  const sample = fc.record({ labels, value: fc.double() });
  fc.assert(
    fc.property(fc.uniqueArray(sample, { selector: ({ labels }) => JSON.stringify(labels) }), text, (samples, help) => {
      fc.pre(samples.length > 0);
      const told = exposition([{ name: 'tapedeck_x', type: 'gauge', help, samples }]);
      const read = readExposition(told).get('tapedeck_x')?.samples ?? [];
      expect(read.map(({ labels, value }) => ({ labels, value: value === 0 ? 0 : value }))).toEqual(
        samples.map(({ labels, value }) => ({ labels: { ...labels }, value: value === 0 ? 0 : value })),
      );
    }),
  );
});

test('quantiles are of the newest values, the sum of all', () => {
  const recent = new Recent(4);
  expect(recent.quantiles([0.5])).toEqual([Number.NaN]);
  for (const value of [900, 3, 1, 2, 10]) recent.add(value);
  expect(recent.quantiles([0, 0.5, 1])).toEqual([1, 3, 10]);
  expect([recent.sum, recent.count]).toEqual([916, 5]);
});

interface Observed {
  observer: () => RecordObserver;
  /** moves the recorder's clock on */
  skip(ms: number): void;
}

async function observe(thread = createLocalThread()): Promise<Observed> {
  const exchange = await createRig({ rate: 500 });
  rig = exchange;
  let skipped = 0;
  let observer: RecordObserver | null = null;
  thread.flow();
  exchange.start({
    tapeThread: thread.start,
    time: { wallMs: () => Date.now() + skipped, monoMs: () => performance.now() + skipped },
    observe: (seen) => {
      observer = seen;
    },
  });
  await until('the book is valid', () => exchange.status.valid === 1);
  return {
    observer() {
      if (observer === null) throw new Error('nothing to observe');
      return observer;
    },
    skip: (ms) => {
      skipped += ms;
    },
  };
}

test('the figures are those of the recording', async () => {
  const { observer } = await observe();
  const { status } = rig as Rig;
  await until('messages came', () => status.received > 300);
  const families = readExposition(observer().metrics());
  const total = (name: string): number =>
    families.get(`tapedeck_${name}`)?.samples.reduce((sum, { value }) => sum + value, 0) ?? Number.NaN;
  // two acks belong to no stream
  expect(total('messages_total')).toBe(total('received_messages_total') - 2);
  expect(total('received_bytes_total')).toBeGreaterThan(total('message_bytes_total'));
  expect(total('written_messages_total')).toBe(total('received_messages_total'));
  expect([total('dropped_messages_total'), total('gaps_total'), total('reconnects_total')]).toEqual([0, 0, 0]);
  expect([total('book_valid'), total('connections_open'), total('connections'), total('healthy')]).toEqual([
    1, 2, 2, 1,
  ]);
  const streams = families.get('tapedeck_last_message_age_seconds')?.samples ?? [];
  expect(streams.map(({ labels }) => labels.stream).toSorted()).toEqual(['aggTrade', 'bookTicker', 'depth', 'trade']);
  for (const { value } of streams) expect(value).toBeGreaterThanOrEqual(0);
  const lags = families.get('tapedeck_exchange_lag_seconds')?.samples ?? [];
  expect(lags.map(({ labels }) => labels.quantile)).toEqual(['0.5', '0.9', '0.99', '1', undefined, undefined]);
  expect(lags[0].value).toBeGreaterThan(0);
  expect(lags[0].value).toBeLessThan(30);
  expect(families.get('tapedeck_build_info')?.samples[0].labels.version).toBe('test');
  expect(families.get('tapedeck_event_loop_lag_seconds')?.samples).toHaveLength(6);
});

test('an exchange that falls silent is told, and that it speaks again', async () => {
  const { observer, skip } = await observe();
  const { exchange, status } = rig as Rig;
  expect(observer().health()).toEqual({ ok: true, problems: [] });
  exchange.controls.silence(true);
  // what was on its way is taken
  for (let before = -1; before !== status.received; ) {
    before = status.received;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // the recorder itself waits for 10 s
  skip(6_000);
  const health = observer().health();
  expect(health.ok).toBe(false);
  expect(health.problems).toEqual([
    expect.stringMatching(/^binance-usdm: the connection to ws:.*\/public\/stream says nothing since 6\.\d s$/),
  ]);
  expect(readExposition(observer().metrics()).get('tapedeck_healthy')?.samples[0].value).toBe(0);
  exchange.controls.silence(false);
  await until('it is well again', () => observer().health().ok);
});

test('a lost connection, a stream that stopped and a disk that stands still are told', async () => {
  const thread = createLocalThread();
  const { observer, skip } = await observe(thread);
  const { exchange } = rig as Rig;
  exchange.controls.dropNext('btcusdt@depth@100ms', 1_000_000);
  const { status } = rig as Rig;
  const { received } = status;
  await until('only others came', () => status.received > received + 100);
  skip(31_000);
  await until('the quiet stream is told', () =>
    observer()
      .health()
      .problems.some((problem) => /^binance-usdm:BTCUSDT: depth says nothing since 3\d\.\d s$/.test(problem)),
  );
  await exchange.stop();
  await until('the lost connections are told', () => {
    const { problems } = observer().health();
    return problems.filter((problem) => /the connection to .* is (waiting|connecting)$/.test(problem)).length === 2;
  });
});

test('a disk that takes nothing is told', async () => {
  const thread = createLocalThread();
  const exchange = await createRig({ rate: 500 });
  rig = exchange;
  let skipped = 0;
  let observer: RecordObserver | null = null;
  exchange.start({
    tapeThread: thread.start,
    time: { wallMs: () => Date.now() + skipped, monoMs: () => performance.now() + skipped },
    observe: (seen) => {
      observer = seen;
    },
  });
  await until('the folder is asked for', () => thread.waiting > 0);
  thread.deliver();
  await until('lines wait', () => exchange.status.received > 200);
  const problems = (): string[] => observer?.health().problems ?? [];
  expect(problems().filter((problem) => problem.includes('disk'))).toEqual([]);
  skipped = 5_500;
  expect(problems()).toContainEqual(expect.stringMatching(/^the disk took nothing since [5-9]\.\d s$/));
  thread.flow();
  expect(problems().filter((problem) => problem.includes('disk'))).toEqual([]);
});
