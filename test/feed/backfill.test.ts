/** Missed trades over REST with an injected clock and a plain ledger: what is asked for, when, how often, and what comes of it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBackfill, type Hole, type Outcome } from '../../src/feed/backfill.js';
import { createPace } from '../../src/feed/pace.js';
import type { RestAnswer } from '../../src/feed/rest.js';
import type { Fills } from '../../src/model/entry.js';
import type { RestTrades } from '../../src/venues/venue.js';
import '../seed.js';

/** Lets the promises of answered requests run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const read = (body: unknown): [number, number][] | null =>
  Array.isArray(body) ? body.map((id): [number, number] => [id, id]) : null;

const MOST = 10;
/** A venue that lists upwards from the first id (one page at a time, or some at once), one that lists downwards from the last, and one that has the newest only. */
const WAYS: Record<string, RestTrades> = {
  up: { page: (symbol, first, last) => `${symbol} up ${first} ${last}`, most: MOST, everyMs: 100, atOnce: 1, read },
  down: { page: (symbol, first, last) => `${symbol} down ${first} ${last}`, most: MOST, everyMs: 100, atOnce: 1, read },
  burst: { page: (symbol, first, last) => `${symbol} up ${first} ${last}`, most: MOST, everyMs: 1000, atOnce: 3, read },
  newest: { page: (symbol) => `${symbol} newest`, most: MOST, everyMs: 100, atOnce: 1, read },
};

type Fault = RestAnswer | Error | Promise<RestAnswer>;

function createBench({ newest = 1000, left = new Set<number>(), random = 1 } = {}) {
  let now = 0;
  /** instead of answers, in order */
  const faults: (Fault | null)[] = [];
  const asked: [number, string][] = [];
  const filled: Fills[] = [];
  const listed: number[] = [];
  const outcomes: [string, Outcome][] = [];
  const books = createPace(600);
  const ledger = { newest };
  const answer = (url: string): RestAnswer => {
    const [, way, first, last] = url.split(' ');
    const all = Array.from({ length: ledger.newest }, (_, n) => n + 1).filter((id) => !left.has(id));
    const between = all.filter((id) => id >= Number(first) && id <= Number(last));
    const upward = between.slice(0, MOST);
    const downward = between.slice(-MOST);
    const page = way === 'up' ? upward : way === 'down' ? downward.reverse() : all.slice(-MOST);
    listed.push(...page);
    return answerOf(200, JSON.stringify(page));
  };
  const backfill = createBackfill({
    ways: WAYS,
    recent: (channel) => channel === 'newest',
    get: async (url) => {
      asked.push([now, url]);
      const fault = faults.shift() ?? null;
      if (fault instanceof Error) throw fault;
      return fault ?? answer(url);
    },
    url: (path) => path,
    pace: books.beside(),
    now: () => now,
    random: () => random,
    fault: ({ status, body }) => {
      const text = body.toString();
      return status !== 200 || text.startsWith('[') ? null : { kind: text === 'slow down' ? 'tooMany' : 'other', text };
    },
    answered: (_symbol, _answer, _startedMs, fills) => void filled.push(fills),
    ended: (symbol, hole, outcome) => void outcomes.push([`${symbol} ${hole.stream} ${hole.first}`, outcome]),
  });
  return {
    backfill,
    books,
    ledger,
    faults,
    asked,
    filled,
    listed,
    outcomes,
    /** beats every 50 ms up to `end` */
    async run(end: number) {
      for (; now <= end; now += 50) {
        backfill.tick(now);
        await settle();
      }
    },
  };
}

function answerOf(status: number, body = '', retryAfterMs: number | null = null): RestAnswer {
  return { url: 'x', status, body: Buffer.from(body), retryAfterMs };
}

const hole = (stream: string, first: number, last = first): Hole => ({ stream, first, last, gap: 7 });
const done = (missed: number): Outcome => ({ missed, filled: missed, why: null });

describe('a hole', () => {
  test('of one page takes one request, half a second later, and names what it fills', async () => {
    const { backfill, asked, filled, outcomes, run } = createBench();
    backfill.missed('A', hole('up', 41, 44));
    await run(5000);
    expect(asked).toEqual([[500, 'A up 41 44']]);
    expect(filled).toEqual([{ stream: 'up', first: 41, last: 44, gap: 7 }]);
    expect(outcomes).toEqual([['A up 41', done(4)]]);
  });

  test.each([
    ['up', ['A up 41 65', 'A up 51 65', 'A up 61 65']],
    ['down', ['A down 41 65', 'A down 41 55', 'A down 41 45']],
  ])('of several pages is read %s, at the pace of such requests', async (way, pages) => {
    const { backfill, asked, filled, outcomes, run } = createBench();
    backfill.missed('A', hole(way, 41, 65));
    await run(5000);
    expect(asked).toEqual(pages.map((page, n) => [500 + n * 100, page]));
    expect(filled.map(({ first, last }) => `A ${way} ${first} ${last}`)).toEqual(pages);
    expect(outcomes).toEqual([[`A ${way} 41`, done(25)]]);
  });

  test('of a channel that has no trades over REST is left as it is', async () => {
    const { backfill, asked, outcomes, run } = createBench();
    backfill.missed('A', hole('other', 1, 5));
    await run(5000);
    expect([asked, outcomes]).toEqual([[], []]);
  });

  test('longer than ten thousand trades is not asked for, and that is said', async () => {
    const { backfill, asked, outcomes, run } = createBench();
    backfill.missed('A', hole('up', 1, 10_001));
    await run(5000);
    expect(asked).toEqual([]);
    expect(outcomes).toEqual([['A up 1', { missed: 10_001, filled: 0, why: 'more than 10000 are not asked for' }]]);
  });

  test('behind a thousand others is not asked for', () => {
    const { backfill, outcomes } = createBench();
    for (let first = 1; first <= 1001; first++) backfill.missed('A', hole('up', first * 2));
    expect(outcomes).toEqual([
      ['A up 2002', { missed: 1, filled: 0, why: '1000 gaps before it are still being filled' }],
    ]);
  });

  test('with ids that the venue leaves out is not asked for them again', async () => {
    const { backfill, asked, outcomes, run } = createBench({ left: new Set([43, 44]) });
    backfill.missed('A', hole('up', 41, 46));
    await run(60_000);
    expect(asked).toHaveLength(1);
    expect(outcomes).toEqual([['A up 41', { missed: 6, filled: 4, why: 'the venue leaves them out' }]]);
  });
});

test('where the first of a hole is left out, the rest has its turn all the same', async () => {
  const { backfill, asked, outcomes, run } = createBench({ left: new Set([21, 33]) });
  backfill.missed('A', hole('down', 21, 40));
  await run(120_000);
  // from 22 on in the first two pages, then 21 again and again
  expect(outcomes).toEqual([['A down 21', { missed: 20, filled: 18, why: 'the venue lists none of them' }]]);
  const split = createBench({ left: new Set([21, 30]) });
  split.backfill.missed('A', hole('up', 21, 30));
  await split.run(120_000);
  expect(asked.map(([, url]) => url)).toContain('A down 21 21');
  expect(split.asked.map(([, url]) => url).slice(0, 4)).toEqual([
    'A up 21 30',
    'A up 21 21',
    'A up 30 30',
    'A up 21 21',
  ]);
});

describe('where only the newest can be had', () => {
  test('what they reach is filled, and the rest is given up at once', async () => {
    const { backfill, asked, outcomes, run } = createBench({ newest: 50 });
    backfill.missed('A', hole('newest', 31, 45));
    await run(60_000);
    expect(asked).toHaveLength(1);
    expect(outcomes).toEqual([['A newest 31', { missed: 15, filled: 5, why: 'only the newest trades can be had' }]]);
  });

  test('answers that lag behind the stream are asked for again', async () => {
    const { backfill, ledger, asked, outcomes, run } = createBench({ newest: 40 });
    backfill.missed('A', hole('newest', 38, 45));
    await run(600);
    expect(outcomes).toEqual([]);
    ledger.newest = 46;
    await run(60_000);
    expect(asked).toHaveLength(2);
    expect(outcomes).toEqual([['A newest 38', done(8)]]);
  });
});

describe('a failure', () => {
  test.each<[string, Fault]>([
    ['HTTP status 500', answerOf(500)],
    ['HTTP status 503', answerOf(503, 'down')],
    ['no answer', new Error('no answer')],
    ['the venue says {"code":-1}', answerOf(200, '{"code":-1}')],
    ['the answer is no list of trades', answerOf(200, '["no ids"')],
    ['the venue lists none of them', answerOf(200, '[]')],
    ['the venue does not list the others', answerOf(200, '[7]')],
  ])('(%s) is repeated five times, later each time, and then given up', async (why, fault) => {
    const { backfill, faults, asked, outcomes, run } = createBench();
    faults.push(...Array.from({ length: 6 }, () => fault));
    backfill.missed('A', hole('up', 41, 44));
    await run(120_000);
    expect(asked.map(([at]) => at)).toEqual([500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(outcomes).toEqual([['A up 41', { missed: 4, filled: 0, why }]]);
  });

  test.each([400, 404, 451])('that blames the request (%i) is not repeated', async (status) => {
    const { backfill, faults, asked, outcomes, run } = createBench();
    faults.push(answerOf(status));
    backfill.missed('A', hole('up', 41, 44));
    await run(60_000);
    expect(asked).toHaveLength(1);
    expect(outcomes).toEqual([['A up 41', { missed: 4, filled: 0, why: `HTTP status ${status}` }]]);
  });

  test.each([
    [429, 7000, 7500],
    [429, 0, 1500],
    [418, null, 120_500],
    [403, null, 30_500],
  ])(
    '%i holds back everything the venue is asked for as long as it says, and is repeated',
    async (status, wait, at) => {
      const { backfill, books, faults, asked, outcomes, run } = createBench();
      faults.push(answerOf(status, '', wait));
      backfill.missed('A', hole('up', 41, 44));
      await run(600);
      expect(books.free(600)).toBe(wait === 0);
      await run(130_000);
      expect(asked.map(([when]) => when)).toEqual([500, at]);
      expect(outcomes).toEqual([['A up 41', done(4)]]);
    },
  );

  test('told with status 200 holds back everything as well', async () => {
    const { backfill, books, faults, asked, outcomes, run } = createBench();
    faults.push(answerOf(200, 'slow down'));
    backfill.missed('A', hole('up', 41, 44));
    await run(600);
    expect(books.free(600)).toBe(false);
    await run(60_000);
    expect(asked.map(([at]) => at)).toEqual([500, 30_500]);
    expect(outcomes).toEqual([['A up 41', done(4)]]);
  });

  test('of requests for books holds back those for trades too', async () => {
    const { backfill, books, asked, run } = createBench();
    backfill.missed('A', hole('up', 41, 44));
    books.answered(answerOf(429, '', 9000), 0, null);
    await run(20_000);
    expect(asked.map(([at]) => at)).toEqual([9000]);
  });

  test('of one symbol does not keep the others waiting', async () => {
    const { backfill, faults, outcomes, run } = createBench();
    faults.push(new Promise(() => {}));
    backfill.missed('A', hole('up', 41, 44));
    backfill.missed('B', hole('up', 11, 12));
    backfill.missed('C', hole('down', 11, 12));
    await run(1000);
    expect(outcomes).toEqual([
      ['B up 11', done(2)],
      ['C down 11', done(2)],
    ]);
  });
});

test('many holes keep the distance of such requests, but for as many as may come at once, and books keep theirs', async () => {
  const { backfill, books, asked, run } = createBench();
  for (const symbol of ['A', 'B', 'C', 'D', 'E']) backfill.missed(symbol, hole('burst', 41, 44));
  backfill.missed('F', hole('up', 41, 44));
  await run(500);
  expect(books.free(500)).toBe(true);
  await run(60_000);
  expect(asked.map(([at, url]) => [at, url[0]])).toEqual([
    [500, 'A'],
    [500, 'B'],
    [500, 'C'],
    [1500, 'D'],
    [2500, 'E'],
    [5500, 'F'],
  ]);
});

test('the end of a recording ends what is left, and says so', async () => {
  const { backfill, asked, outcomes, run } = createBench();
  backfill.missed('A', hole('up', 41, 44));
  backfill.stop();
  backfill.missed('A', hole('up', 51, 54));
  await run(5000);
  expect(asked).toEqual([]);
  expect(outcomes).toEqual([['A up 41', { missed: 4, filled: 0, why: 'the recording ended' }]]);
});

test('any holes amid any failures: bounded requests, no trade listed twice, and what is not filled is said', async () => {
  const fault = fc.constantFrom<Fault | null>(null, answerOf(500), answerOf(200, '[]'), new Error('no answer'));
  const spans = fc.array(
    fc.tuple(fc.constantFrom('up', 'down', 'newest'), fc.nat(5), fc.integer({ min: 1, max: 45 })),
    {
      maxLength: 6,
    },
  );
  const leftOut = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(spans, fc.array(fault, { maxLength: 40 }), leftOut, async (parts, failures, left) => {
      const bench = createBench({ newest: 300, left: new Set(left) });
      bench.faults.push(...failures);
      let at = 1;
      let most = 0;
      for (const [way, skip, length] of parts) {
        at += skip;
        bench.backfill.missed('A', hole(way, at, at + length - 1));
        at += length;
        most += Math.ceil(length / MOST) + 5;
      }
      await bench.run(3 * 60_000);
      expect(bench.asked.length).toBeLessThanOrEqual(most);
      expect(bench.outcomes).toHaveLength(parts.length);
      for (const [, { missed, filled, why }] of bench.outcomes) {
        expect(filled).toBeLessThanOrEqual(missed);
        expect(why === null).toBe(filled === missed);
      }
      // pages by id end where the one before them began: none of them lists a trade again
      if (parts.some(([way]) => way === 'newest')) return;
      const counted = bench.outcomes.reduce((sum, [, { filled }]) => sum + filled, 0);
      expect(new Set(bench.listed).size).toBe(bench.listed.length);
      expect(counted).toBe(bench.listed.length);
    }),
    { numRuns: 60 },
  );
});
