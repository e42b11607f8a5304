/** Reads of books with an injected clock: pairs, distance, the venue's pauses, and symbols that fail alone. */
import { describe, expect, test } from 'vitest';
import { createBookReads } from '../../src/feed/book-reads.js';
import { createPace } from '../../src/feed/pace.js';
import type { RestAnswer } from '../../src/feed/rest.js';

const TIMES = { firstMs: 3_000, againMs: 6_000, everyMs: 60_000 };

/** Lets the promises of answered requests run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const answerOf = (status: number, retryAfterMs: number | null = null): RestAnswer => {
  return { url: 'x', status, body: Buffer.from('{}'), retryAfterMs };
};

type Answer = RestAnswer | Error | Promise<RestAnswer>;

function createBench(symbols: string[], answers: Record<string, Answer[]> = {}, everyMs = 100) {
  let now = 0;
  const asked: [number, string][] = [];
  const failures: string[] = [];
  const heard: [number, string, number][] = [];
  const books = new Set(symbols);
  const pace = createPace(everyMs);
  const reads = createBookReads({
    symbols,
    times: TIMES,
    get: async (url) => {
      asked.push([now, url]);
      const answer = answers[url]?.shift() ?? answerOf(200);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    url: (symbol) => symbol,
    pace,
    now: () => now,
    random: () => 1,
    hasBook: (symbol) => books.has(symbol),
    answered: (symbol, { status, body }, startedMs) => {
      heard.push([now, symbol, startedMs]);
      return status === 200 && body.length === 2 ? null : `status ${status}`;
    },
    fault: ({ body }) => (body.length > 2 ? { kind: 'tooMany', text: '1 too many' } : null),
    failed: (symbol, why, count, retryMs) => void failures.push(`${symbol} ${count} ${why} ${retryMs}`),
  });
  return {
    reads,
    asked,
    failures,
    heard,
    books,
    pace,
    now: () => now,
    /** when a symbol was asked for */
    timesOf: (symbol: string): number[] => asked.flatMap(([at, url]) => (url === symbol ? [at] : [])),
    /** beats every 50 ms up to `end` */
    async run(end: number) {
      for (; now <= end; now += 50) {
        reads.tick(now);
        await settle();
      }
    },
  };
}

describe('books', () => {
  test('are read in pairs: soon after the book begins, again some seconds later, and so on', async () => {
    const { timesOf, heard, run } = createBench(['A']);
    await run(140_000);
    expect(timesOf('A')).toEqual([3_000, 9_000, 63_000, 69_000, 123_000, 129_000]);
    expect(heard.slice(0, 2)).toEqual([
      [3_000, 'A', 3_000],
      [9_000, 'A', 9_000],
    ]);
  });

  test('that are slow to come are as far apart: the second waits from the first answer on', async () => {
    let arrive: (answer: RestAnswer) => void = () => {};
    const slow = new Promise<RestAnswer>((resolve) => {
      arrive = resolve;
    });
    const { timesOf, heard, run } = createBench(['A'], { A: [slow] });
    await run(7_950);
    expect(timesOf('A')).toEqual([3_000]);
    arrive(answerOf(200));
    await run(64_000);
    expect(timesOf('A')).toEqual([3_000, 14_000, 63_000]);
    expect(heard[0]).toEqual([8_000, 'A', 3_000]);
  });

  test('are not asked for while the stream has none, and anew once it has', async () => {
    const { books, timesOf, run } = createBench(['A', 'B']);
    books.delete('A');
    await run(10_000);
    expect([timesOf('A'), timesOf('B')]).toEqual([[], [3_000, 9_000]]);
    books.add('A');
    await run(14_000);
    expect(timesOf('A')).toEqual([13_050]);
    // lost between the reads: the pair begins anew with the book
    books.delete('A');
    await run(25_000);
    books.add('A');
    await run(35_000);
    expect(timesOf('A')).toEqual([13_050, 28_050, 34_050]);
  });

  test('of many symbols keep their distance, and a pair stays together', async () => {
    const symbols = Array.from({ length: 200 }, (_, n) => `S${n}`);
    const { asked, timesOf, run } = createBench(symbols);
    await run(50_000);
    const starts = asked.map(([at]) => at);
    expect(starts).toHaveLength(400);
    for (let n = 1; n < starts.length; n++) expect(starts[n] - starts[n - 1]).toBeGreaterThanOrEqual(100);
    for (const symbol of symbols) {
      const [first, second] = timesOf(symbol);
      expect(second - first).toBeGreaterThanOrEqual(6_000);
      expect(second - first).toBeLessThanOrEqual(6_200);
    }
  });

  test('share the distance with other requests for books', async () => {
    const { pace, asked, run, now } = createBench(['A', 'B'], {}, 1_000);
    await run(2_500);
    pace.started(now());
    await run(5_000);
    expect(asked).toEqual([
      [3_550, 'A'],
      [4_550, 'B'],
    ]);
  });

  test.each([429, 418])('refused with %i hold back every symbol for as long as the venue says', async (status) => {
    const { asked, failures, run, pace, now } = createBench(['A', 'B'], { A: [answerOf(status, 7_000)] });
    await run(9_900);
    expect(pace.free(now())).toBe(false);
    await run(14_000);
    // A ten seconds after its refusal, as the backoff says
    expect(asked).toEqual([
      [3_000, 'A'],
      [10_000, 'B'],
      [13_000, 'A'],
    ]);
    expect(failures).toEqual([`A 1 status ${status} 10000`]);
  });

  test('refused with status 200 hold back as well', async () => {
    const { asked, run } = createBench(['A', 'B'], { A: [{ ...answerOf(200), body: Buffer.from('wait') }] });
    await run(33_000);
    expect(asked).toEqual([
      [3_000, 'A'],
      [33_000, 'B'],
    ]);
  });

  test('refused with 418 without a time hold back for two minutes', async () => {
    const { asked, run } = createBench(['A', 'B'], { A: [answerOf(418)] });
    await run(123_000);
    expect(asked).toEqual([
      [3_000, 'A'],
      [123_000, 'B'],
    ]);
  });

  test('that fail are tried later each time, at most as often as pairs, with a whole pair at the end; others go on', async () => {
    const wrong = [answerOf(500), new Error('no answer'), answerOf(503), answerOf(503), answerOf(500)];
    const { timesOf, failures, run } = createBench(['A', 'B'], { A: wrong });
    await run(220_000);
    expect(timesOf('A')).toEqual([3_000, 13_000, 33_000, 73_000, 133_000, 193_000, 199_000]);
    expect(failures).toEqual([
      'A 1 status 500 10000',
      'A 2 no answer 20000',
      'A 3 status 503 40000',
      'A 4 status 503 60000',
      'A 5 status 500 60000',
    ]);
    expect(timesOf('B')).toEqual([3_100, 9_100, 63_100, 69_100, 123_100, 129_100, 183_100, 189_100]);
  });

  test('whose second read fails begin with another first one; what succeeded ends a row of failures', async () => {
    const [right, wrong] = [answerOf(200), answerOf(500)];
    const { timesOf, failures, run } = createBench(['A'], { A: [right, wrong, right, right, wrong] });
    await run(90_000);
    expect(timesOf('A')).toEqual([3_000, 9_000, 19_000, 25_000, 79_000, 89_000]);
    expect(failures).toEqual(['A 1 status 500 10000', 'A 1 status 500 10000']);
  });

  test('are told of no more once the recorder stops', async () => {
    let arrive: (answer: RestAnswer) => void = () => {};
    const slow = new Promise<RestAnswer>((resolve) => {
      arrive = resolve;
    });
    const { reads, asked, heard, run } = createBench(['A', 'B'], { A: [slow] });
    await run(3_000);
    reads.stop();
    arrive(answerOf(200));
    await run(20_000);
    expect(asked).toEqual([[3_000, 'A']]);
    expect(heard).toEqual([]);
  });
});
