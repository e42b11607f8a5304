/** sweep on scripted tapes with known answers: orders and bursts that clear levels, whichever of trades and book comes first. */
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { type Level, type Scanned, SECOND, scanLines, type TapeOptions } from '../scan/tape-builder.js';
import { BybitTape, type Row } from './bybit-lines.js';
import { BID, OrderStory, type StoryOptions, TELLINGS, told } from './order-story.js';

const ASK = BID + 1;
/** 4 + 6 + 5: three levels go. */
const WALK: Level[] = [
  [ASK, 4],
  [ASK + 1, 6],
  [ASK + 2, 5],
];
/** Ten levels of 2, a tick apart. */
const STAIRS: Level[] = Array.from({ length: 10 }, (_, i): Level => [ASK + i, 2]);
const stairs: StoryOptions = { asks: [...STAIRS, [ASK + 199, 1]] };

const outline = ({ signals }: Scanned): string[] =>
  signals.map(({ phase, side, evidence }) =>
    [phase, side, evidence.kind, evidence.swept_levels, evidence.size].join(' '),
  );
const scan = (story: OrderStory, ...set: string[]): Promise<Scanned> => story.scan('sweep', set);

describe.each(TELLINGS)('%s', (_, options) => {
  const side = options.mirrored ? 'sell' : 'buy';

  test('one order through three levels: one event with known numbers', async () => {
    const { signals } = await scan(new OrderStory(options).buy(WALK));
    expect(signals).toHaveLength(1);
    const price = (ticks: number): number => (options.mirrored ? (BID + ASK - ticks) / 10 : ticks / 10);
    expect(signals[0]).toMatchObject({
      ...{ signal: 'sweep', phase: 'point', side, price: price(ASK + 2), score: 3.75, quality: 'verified' },
      evidence: {
        ...{ kind: 'single', group_conf: 'strong', swept_levels: 3, swept_ticks: 3, swept_from: price(ASK) },
        ...{ size: 15, size_gate: 1, prints: 3, groups: 1, vwap: options.mirrored ? 99.89333 : 100.20667 },
        // a tick and two thirds of a tenth beyond the touch, of a mid of 100.05
        ...{ slippage_bps: 10.661336, pre_touch: price(ASK), pre_depth: 15, consumed_ratio: 1, next_gap_ticks: 6 },
        ...{ depth: 4, depth_share: 3.75, usual_depth: 4 },
      },
    });
  });

  test('told in ten prints, or by a book that takes two messages: the same event', async () => {
    const whole = told(await scan(new OrderStory(options).buy(WALK)));
    const parts: Level[] = [1, 1, 2, 3, 2, 1, 1, 2, 1, 1].map(
      (size, i): Level => [ASK + [0, 3, 6].findLastIndex((n) => i >= n), size],
    );
    const split = told(await scan(new OrderStory(options).buy(parts)));
    expect(split).toEqual([{ ...(whole[0] as object), evidence: { ...evidenceOf(whole), prints: 10 } }]);
    const shows: Level[][] = [
      [
        [ASK, 0],
        [ASK + 1, 0],
      ],
      [[ASK + 2, 0]],
    ];
    expect(told(await scan(new OrderStory(options).buy(WALK, { shows })))).toEqual(whole);
  });

  test('levels that are cancelled while one unit is traded: none', async () => {
    const shows: Level[][] = [WALK.map(([price]): Level => [price, 0])];
    expect(outline(await scan(new OrderStory(options).buy([[ASK, 1]], { shows }), 'single=1', 'ticks=1'))).toEqual([]);
  });

  test('four orders in a fifth of a second through six levels: one burst', async () => {
    const story = new OrderStory({ ...options, ...stairs });
    for (const from of [0, 2, 4]) story.buy(STAIRS.slice(from, from + 2)).pause(40);
    const { signals } = await scan(story);
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({
      side,
      evidence: {
        ...{ kind: 'burst', swept_levels: 6, swept_ticks: 6, size: 12, prints: 6, groups: 3, pre_depth: 12 },
        ...{ consumed_ratio: 1, next_gap_ticks: 1 },
      },
    });
  });
});

const evidenceOf = (rows: unknown[]): object => (rows[0] as { evidence: object }).evidence;
const single = ['point buy single 3 15'];

describe('trades first and book first', () => {
  const three = (options: StoryOptions, untimed = false): OrderStory => {
    const story = new OrderStory({ ...options, ...stairs });
    for (const from of [0, 2, 4]) story.buy(STAIRS.slice(from, from + 2), { untimed }).pause(40);
    return story;
  };
  const walk = (options: StoryOptions, untimed = false): OrderStory => new OrderStory(options).buy(WALK, { untimed });

  test.each([
    ['an order', walk, false],
    ['an order whose time is not said', walk, true],
    ['a burst', three, false],
    ['a burst whose times are not said', three, true],
  ] as const)('%s is the same event', async (_, tell, untimed) => {
    const trades = told(await scan(tell({}, untimed)));
    expect(trades).toHaveLength(1);
    expect(told(await scan(tell({ bookFirst: true }, untimed)))).toEqual(trades);
  });

  test('the book may show it in the middle of its prints', async () => {
    const story = new OrderStory();
    const matched = story.now;
    story
      .print(1, ASK, 4, { matched })
      .pause(1)
      .asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0]);
    story.print(1, ASK + 1, 6, { matched }).print(1, ASK + 2, 5, { matched });
    expect(told(await scan(story))).toEqual(told(await scan(walk({}))));
  });

  test('what the venue times before the order went before it: those levels were not swept', async () => {
    const story = new OrderStory().asks([ASK, 0], [ASK + 1, 0]).pause(1);
    expect(outline(await scan(story.buy(WALK)))).toEqual([]);
  });

  test('the book is waited for two of its intervals', async () => {
    const late = (ms: number): OrderStory =>
      new OrderStory()
        .buy(WALK, { shows: [] })
        .pause(ms)
        .asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0]);
    expect(outline(await scan(late(195)))).toEqual(single);
    // a clock alone ends nothing: the trade does
    expect(outline(await scan(late(100).pause(101).print(-1, BID, 1)))).toEqual(single);
    expect(
      outline(
        await scan(
          new OrderStory()
            .buy(WALK, { shows: [] })
            .pause(201)
            .print(-1, BID, 1)
            .asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0]),
        ),
      ),
    ).toEqual([]);
  });

  test('it is said as soon as the book has shown it', async () => {
    const story = new OrderStory().buy(WALK, { shows: [] }).pause(60);
    const at = story.tape.t;
    story.asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0]);
    const { signals } = await scan(story);
    expect(signals[0].time).toBe(formatTime(at));
    expect(signals[0].evidence.took_ms).toBe(0.002);
  });
});

describe('what is no sweep', () => {
  const cases: [string, () => OrderStory, string[]?][] = [
    ['two levels', () => new OrderStory().buy(WALK.slice(0, 2)), ['ticks=1']],
    ['a last level of which too little was traded', () => new OrderStory().buy([...WALK.slice(0, 2), [ASK + 2, 3.9]])],
    [
      'levels refilled before the next update',
      () =>
        new OrderStory().buy(WALK, {
          shows: [
            [
              [ASK, 3],
              [ASK + 1, 0],
              [ASK + 2, 0],
            ],
          ],
        }),
    ],
    ['too narrow a range', () => new OrderStory().buy(WALK), ['ticks=4']],
    ['too narrow a range for the spread', () => new OrderStory().buy(WALK), ['spreads=3.1']],
    ['too little volume', () => new OrderStory().buy(WALK), ['volume=15.001']],
    ['too little of the usual depth', () => new OrderStory().buy(WALK), ['depth=3.76']],
    ['no depth known', () => new OrderStory({ asks: [...WALK, [ASK + 8, 20]] }).buy(WALK), ['bps=100']],
    [
      'too little volume for what is usual',
      () => new OrderStory().print(1, ASK, 16).quiet(1).print(1, ASK, 16).quiet(3).buy(WALK),
    ],
    ['prints of the insurance fund', () => new OrderStory().buy(WALK, { kind: 'INSURANCE_FUND' })],
    [
      'makers who pull much of it ahead',
      () =>
        new OrderStory(stairs).buy([STAIRS[0], STAIRS[2], STAIRS[4]], {
          shows: [STAIRS.slice(0, 5).map(([price]): Level => [price, 0])],
        }),
    ],
    ['orders too far apart', () => walkApart(50)],
    ['orders that take too long', () => walkApart(40), ['span=84ms']],
    ['orders with more than a tenth against them', () => against(9)],
  ];
  test.each(cases)('%s', async (_, story, set = []) => {
    expect(outline(await scan(story(), ...set))).toEqual([]);
  });

  test('nearly the same is one', async () => {
    const pulled = new OrderStory(stairs).buy([STAIRS[0], STAIRS[2], STAIRS[4]], {
      shows: [STAIRS.slice(0, 5).map(([price]): Level => [price, 0])],
    });
    expect(outline(await scan(pulled, 'consumed=0.6'))).toEqual(['point buy single 3 6']);
    const rest = new OrderStory().buy([...WALK.slice(0, 2), [ASK + 2, 4]]);
    const { signals } = await scan(rest);
    expect(signals.map(({ evidence }) => [evidence.swept_levels, evidence.consumed_ratio])).toEqual([[3, 0.933333]]);
    for (const set of ['spreads=3', 'volume=15', 'depth=3.75', 'quantile=1'])
      expect(outline(await scan(new OrderStory().buy(WALK), set))).toEqual(single);
    expect(outline(await scan(new OrderStory().print(1, ASK, 16).quiet(4).buy(WALK)))).toEqual(single);
    expect(outline(await scan(walkApart(47)))).toEqual(['point buy burst 6 12']);
    expect(outline(await scan(walkApart(40), 'span=86ms'))).toEqual(['point buy burst 6 12']);
    expect(outline(await scan(against(8)))).toEqual(['point buy burst 6 120']);
  });

  test('a lost update or trade before the book has shown it', async () => {
    const told = (lose: (story: OrderStory) => void): Promise<Scanned> => {
      const story = new OrderStory().buy(WALK, { shows: [] });
      lose(story);
      return scan(story.asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0]));
    };
    expect(outline(await told(() => {}))).toEqual(single);
    expect(outline(await told(({ tape }) => tape.depth([], [], { lost: 1 })))).toEqual([]);
    expect(outline(await told(({ tape }) => tape.trade(-1, BID, 1, { lost: 1 })))).toEqual([]);
  });
});

/** Three orders of two levels, so long between the book's word on one and the next. */
function walkApart(ms: number): OrderStory {
  const story = new OrderStory(stairs);
  for (const from of [0, 2, 4]) story.buy(STAIRS.slice(from, from + 2)).pause(ms);
  return story;
}

/** Three orders of two levels of 20, and a sale of `size` before the last. */
function against(size: number): OrderStory {
  const levels = STAIRS.map(([price]): Level => [price, 20]);
  const story = new OrderStory({ asks: [...levels, [ASK + 199, 1]] });
  story.buy(levels.slice(0, 2)).pause(20).buy(levels.slice(2, 4)).pause(20);
  return story.print(-1, BID, size).buy(levels.slice(4, 6));
}

test('an order that is a sweep by itself is said, and the burst it is part of is not', async () => {
  const story = (): OrderStory =>
    new OrderStory(stairs).buy(STAIRS.slice(0, 3)).pause(20).buy(STAIRS.slice(3, 5)).pause(20).buy(STAIRS.slice(5, 7));
  expect(outline(await scan(story()))).toEqual(['point buy single 3 6']);
  expect(outline(await scan(story(), 'single=4'))).toEqual(['point buy burst 7 14']);
  // the order is too small for the depth, the burst is not
  expect(outline(await scan(story(), 'depth=3.5'))).toEqual(['point buy burst 7 14']);
});

test('before the baseline is warm nothing is said', async () => {
  const { lines } = new OrderStory().buy(WALK).quiet().tape;
  const late = { detect: ['sweep'], warmup: 72 * SECOND };
  expect(outline(await scanLines(lines, late))).toEqual([]);
  expect(outline(await scanLines(lines, { ...late, warmup: 70 * SECOND }))[0]).toEqual(single[0]);
});

test('a second later the same event is told with what the price did', async () => {
  const story = new OrderStory().buy(WALK).pause(50);
  story.tape
    .clock()
    .wait(SECOND / 10)
    .depth([[BID + 2, 3]], []);
  const { signals } = await story.scanAll('sweep');
  expect(signals.map(({ phase, id, confirm }) => [phase, id, confirm?.reaction, confirm?.reaction_ticks])).toEqual([
    ['point', signals[0].id, null, null],
    // four by the sweep itself, one since
    ['update', signals[0].id, true, 5],
  ]);
});

test.each([false, true])(
  'the average price is a decimal, to a ten-thousandth of a tick (mirrored: %s)',
  async (mirrored) => {
    for (let first = 1; first <= 9; first++) {
      const walk = WALK.map(([price], i): Level => [price, [first, 37, 41][i]]);
      const asks: Level[] = [...walk, [ASK + 8, 200], [ASK + 199, 1]];
      const { signals } = await scan(new OrderStory({ asks, mirrored }).buy(walk));
      const [units, size] = [first * ASK + 37 * (ASK + 1) + 41 * (ASK + 2), first + 78];
      const ticks = mirrored ? BID + ASK - units / size : units / size;
      expect(signals[0].evidence.vwap).toBe(Number((ticks / 10).toFixed(5)));
    }
  },
);

test('neither scale nor unit of prices and sizes changes a ratio', async () => {
  const tapes: TapeOptions[] = [
    {},
    {
      tick: '0.0000001',
      lot: '0.000001',
      price: (n) => `0.000${String(n).padStart(4, '0')}`,
      size: (n) => `0.${String(n).padStart(6, '0')}`,
    },
    { tick: '100000', lot: '1000000', price: (n) => `${n}00000`, size: (n) => `${n}000000` },
  ];
  const facts: unknown[] = [];
  for (const tape of tapes)
    for (const { time, score, evidence } of (await scan(new OrderStory({ tape }).buy(WALK))).signals)
      facts.push([
        time,
        score,
        ...['swept_levels', 'swept_ticks', 'slippage_bps', 'consumed_ratio', 'next_gap_ticks', 'depth_share'].map(
          (key) => evidence[key],
        ),
      ]);
  expect(facts).toHaveLength(3);
  expect(facts[1]).toEqual(facts[0]);
  expect(facts[2]).toEqual(facts[0]);
});

test('retail prints of Bybit eat no displayed level', async () => {
  const bybit = (rpi: boolean): string[] => {
    const tape = new BybitTape();
    const bids: Level[] = [
      [BID, 10],
      [BID - 200, 1],
    ];
    tape.book('snapshot', bids, [...WALK, [ASK + 8, 20], [ASK + 199, 1]]);
    for (let i = 0; i < 140; i++) tape.wait(SECOND / 2).trades([i % 2 === 0 ? [1, ASK, 1] : [-1, BID, 1]]);
    tape.wait(SECOND).trades(
      WALK.map(([price, size]): Row => [1, price, size]),
      rpi,
    );
    return tape.wait(20_000).book(
      'delta',
      [],
      WALK.map(([price]): Level => [price, 0]),
    ).lines;
  };
  const detect = { detect: ['sweep'] };
  expect(outline(await scanLines(bybit(false), detect))).toEqual(single);
  expect(outline(await scanLines(bybit(true), detect))).toEqual([]);
});
