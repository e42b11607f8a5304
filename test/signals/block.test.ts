/** block on scripted tapes with known answers: one order that is large against usual ones and against the book. */
import { describe, expect, test } from 'vitest';
import { type Level, type Scanned, SECOND, scanLines } from '../scan/tape-builder.js';
import { BybitTape } from './bybit-lines.js';
import { BID, OrderStory, type StoryOptions, TELLINGS, told } from './order-story.js';

const ASK = BID + 1;
const scan = (story: OrderStory, ...set: string[]): Promise<Scanned> => story.scan('block', set);
const outline = ({ signals }: Scanned): string[] =>
  signals.map(({ phase, side, evidence }) => [phase, side, evidence.size].join(' '));

/** Asks of `size` on ten ticks, and usual orders of 1, 2 and 4, so that their sizes have quartiles. */
const deep = (size: number): StoryOptions => ({
  asks: [...Array.from({ length: 10 }, (_, i): Level => [ASK + i, size]), [ASK + 199, 1]],
  usual: (i) => 2 ** (i % 3),
});

describe.each(TELLINGS)('%s', (_, options) => {
  test('an order of 40 into a touch of 50, with 500 within ten ticks: one event with known numbers', async () => {
    const story = new OrderStory({ ...options, ...deep(50) }).buy(
      [
        [ASK, 25],
        [ASK, 15],
      ],
      { shows: [[[ASK, 10]]] },
    );
    const { signals } = await scan(story, 'bps=100');
    expect(signals).toHaveLength(1);
    const price = options.mirrored ? 100 : 100.1;
    expect(signals[0]).toMatchObject({
      ...{ signal: 'block', phase: 'point', side: options.mirrored ? 'sell' : 'buy', price, score: 0.08 },
      evidence: {
        ...{
          group_conf: 'strong',
          size: 40,
          usual_size: 4,
          prints: 2,
          levels: 1,
          first_price: price,
          pre_touch: price,
        },
        ...{ touch_share: 0.8, depth: 500, depth_share: 0.08 },
      },
    });
  });
});

test('twice the book halves the shares and leaves z', async () => {
  const of = async (size: number) => {
    const story = new OrderStory(deep(size)).buy([[ASK, 40]], { shows: [[[ASK, size - 40]]] });
    const { signals } = await scan(story, 'bps=100', 'share=0.01');
    const { z, depth_share, touch_share } = signals[0].evidence;
    return [z, Number(depth_share) * size, Number(touch_share) * size];
  };
  const once = await of(50);
  expect(once).toEqual([expect.any(Number), 4, 40]);
  expect(await of(100)).toEqual(once);
});

test('z is the distance of the logarithm from the median in deviations, and unknown where orders are of one size', async () => {
  const [signal] = (await scan(new OrderStory(deep(50)).buy([[ASK, 40]], { shows: [[[ASK, 10]]] }), 'bps=100')).signals;
  // as many of 1, of 2 and of 4: the median is 2, the quartiles are 1 and 4
  expect(signal.evidence.z).toBeCloseTo((Math.log(20) / Math.log(4)) * 1.349, 6);
  const [same] = (await scan(new OrderStory().buy([[ASK, 3]], { shows: [[[ASK, 1]]] }))).signals;
  expect(same.evidence).toMatchObject({ z: null, usual_size: 1, depth: 4, depth_share: 0.75 });
});

test('trades first and book first are the same event', async () => {
  const walk: Level[] = [
    [ASK, 4],
    [ASK + 1, 6],
    [ASK + 2, 5],
  ];
  for (const untimed of [false, true]) {
    const [trades, book] = await Promise.all(
      [false, true].map(async (bookFirst) => told(await scan(new OrderStory({ bookFirst }).buy(walk, { untimed })))),
    );
    expect(trades).toHaveLength(1);
    expect(book).toEqual(trades);
  }
});

describe('prints off the book in the midst of an order', () => {
  const story = (kind: string): OrderStory => {
    const told = new OrderStory(deep(50));
    const matched = told.now;
    for (const [size, as] of [
      [24, 'MARKET'],
      [5, kind],
      [16, 'MARKET'],
    ] as const)
      told.print(1, ASK, size, { matched, kind: as });
    return told.pause(1).asks([ASK, 10]);
  };
  /** The same by a second connection, a little later. */
  const twice = (lines: readonly string[], misses: (line: string) => boolean = () => false): string[] =>
    lines
      .flatMap((line) => {
        const { conn, t, ...entry } = JSON.parse(line);
        if (conn === undefined) return [{ t, line }];
        const copy = { t: t + 300, line: JSON.stringify({ t: t + 300, ...entry, conn: 'test.2' }) };
        return misses(line) ? [copy] : [{ t, line }, copy];
      })
      .sort((a, b) => a.t - b.t)
      .map(({ line }) => line);

  test.each(['NA', 'INSURANCE_FUND'])('%s: it is one order all the same, and they are no part of it', async (kind) => {
    const { signals } = await scan(story(kind), 'bps=100', 'share=0.04');
    expect(signals.map(({ evidence }) => [evidence.size, evidence.prints])).toEqual([[40, 2]]);
  });

  test('by two connections, of which one may miss them', async () => {
    const { lines } = story('NA').quiet().tape;
    const options = { detect: ['block'], set: ['block.bps=100', 'block.share=0.04'] };
    for (const several of [twice(lines), twice(lines, (line) => line.includes('"NA"'))]) {
      const { signals } = await scanLines(several, options);
      const points = signals.filter(({ phase }) => phase === 'point');
      expect(points.map(({ evidence }) => [evidence.size, evidence.prints])).toEqual([[40, 2]]);
    }
  });

  test('a print that is missing parts them still', async () => {
    const told = new OrderStory(deep(50));
    const matched = told.now;
    told.print(1, ASK, 24, { matched });
    told.tape.trade(1, ASK, 1, { matched, lost: 1, kind: 'NA' });
    told.print(1, ASK, 16, { matched });
    expect(outline(await scan(told.pause(1).asks([ASK, 10]), 'bps=100', 'share=0.04'))).toEqual([]);
  });
});

describe('what is no block', () => {
  const cases: [string, () => OrderStory, string[]?][] = [
    ['a small share of the depth', () => new OrderStory().buy([[ASK, 3]]), ['share=0.76']],
    ['an order below the size asked for', () => new OrderStory().buy([[ASK, 3]]), ['volume=3.001']],
    [
      'a depth not known so far',
      () =>
        new OrderStory({
          asks: [
            [ASK, 4],
            [ASK + 9, 1],
          ],
        }).buy([[ASK, 3]]),
      ['bps=100'],
    ],
    ['a depth of nothing: the tick is wider', () => new OrderStory().buy([[ASK, 3]]), ['bps=1']],
    ['an order of a usual size', () => new OrderStory().buy([[ASK, 1]])],
    ['an order as large as the largest', () => new OrderStory({ usual: (i) => (i === 9 ? 3 : 1) }).buy([[ASK, 3]])],
    ['prints of the insurance fund', () => new OrderStory().buy([[ASK, 3]], { kind: 'INSURANCE_FUND' })],
    [
      'ten orders that are large together',
      () =>
        Array.from({ length: 10 }).reduce<OrderStory>(
          (story) => story.buy([[ASK, 1]], { shows: [] }).pause(1),
          new OrderStory(),
        ),
      ['volume=2'],
    ],
  ];
  test.each(cases)('%s', async (_, story, set = []) => {
    expect(outline(await scan(story(), ...set))).toEqual([]);
  });

  test('nearly the same is one', async () => {
    for (const set of ['share=0.75', 'volume=3', 'quantile=1'])
      expect(outline(await scan(new OrderStory().buy([[ASK, 3]]), set))).toEqual(['point buy 3']);
    const known = new OrderStory({
      asks: [
        [ASK, 4],
        [ASK + 10, 1],
      ],
    });
    expect(outline(await scan(known.buy([[ASK, 3]]), 'bps=100'))).toEqual(['point buy 3']);
    const larger = new OrderStory({ usual: (i) => (i === 9 ? 2.9 : 1) }).buy([[ASK, 3]]);
    expect(outline(await scan(larger))).toEqual(['point buy 3']);
  });
});

test('it is said once the order is complete, and not before the baseline is warm', async () => {
  const story = new OrderStory();
  const begun = story.tape.t;
  const { lines } = story.buy([[ASK, 3]]).quiet().tape;
  const { signals } = await scanLines(lines, { detect: ['block'] });
  const { first, last } = signals[0].evidence;
  expect([first - begun, last - first]).toEqual([1000, expect.any(Number)]);
  expect(last - first).toBeGreaterThan(10_000);
  expect((await scanLines(lines, { detect: ['block'], warmup: 72 * SECOND })).signals).toEqual([]);
});

test('prints of one moment and side on Bybit are as many orders as they have sequences', async () => {
  const blocks = async (seqs?: readonly number[]): Promise<string[]> => {
    const tape = new BybitTape();
    const side = (best: number, step: number): Level[] => Array.from({ length: 400 }, (_, i) => [best + step * i, 10]);
    tape.book('snapshot', side(BID, -1), side(ASK, 1));
    for (let i = 0; i < 140; i++) tape.wait(SECOND / 2).trades([i % 2 === 0 ? [1, ASK, 1] : [-1, BID, 1]]);
    const buys = [3, 2, 4].map((size): [1, number, number] => [1, ASK, size]);
    tape.wait(SECOND).trades(buys, false, seqs);
    tape.wait(SECOND).trades([[-1, BID, 1]]);
    const { signals } = await scanLines(tape.lines, { detect: ['block'], set: ['block.bps=100', 'block.share=0'] });
    return signals
      .filter(({ phase }) => phase === 'point')
      .map(({ evidence }) => [evidence.group_conf, evidence.size, evidence.prints].join(' '))
      .sort();
  };
  expect(await blocks()).toEqual(['heuristic 9 3']);
  expect(await blocks([901, 901, 902])).toEqual(['strong 4 1', 'strong 5 2']);
});
