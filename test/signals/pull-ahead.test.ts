/** pull, kind ahead, on scripted tapes with known answers: levels that go as somebody trades towards them, and what is none. */
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { type Level, type Scanned, SECOND, scanLines } from '../scan/tape-builder.js';
import { BID, OrderStory, type StoryOptions, TELLINGS, told } from './order-story.js';

const ASK = BID + 1;
/** 4 + 6 + 5, all of which go. */
const GONE: Level[] = [
  [ASK, 0],
  [ASK + 1, 0],
  [ASK + 2, 0],
];
const BACK: Level[] = [
  [ASK, 4],
  [ASK + 1, 6],
  [ASK + 2, 5],
];
/** Two levels that hold much, eight ticks apart. */
const APART: StoryOptions = {
  asks: [
    [ASK, 4],
    [ASK + 8, 20],
    [ASK + 16, 9],
    [ASK + 199, 1],
  ],
};
const outline = ({ signals }: Scanned): string[] =>
  signals.map(({ phase, side, evidence }) =>
    [phase, side, evidence.kind, evidence.levels, evidence.size, evidence.executed].join(' '),
  );
const scan = (story: OrderStory, ...set: string[]): Promise<Scanned> => story.scan('pull', set);
/** One unit is bought, and makers take away what stood there. */
const pulled = (size = 1, options: StoryOptions = {}): OrderStory =>
  new OrderStory(options).buy([[ASK, size]], { shows: [GONE] });
const one = ['point sell ahead 3 15 1'];

describe.each(TELLINGS)('%s', (_, options) => {
  const side = options.mirrored ? 'buy' : 'sell';

  test('levels cancelled and only 1 traded: one pull with known numbers, and no sweep', async () => {
    const { signals } = await scan(pulled(1, options));
    expect(signals).toHaveLength(1);
    const price = (ticks: number): number => (options.mirrored ? (BID + ASK - ticks) / 10 : ticks / 10);
    expect(signals[0]).toMatchObject({
      // 15 over a tenth of 4, which usually stand within 10 bps
      ...{ signal: 'pull', phase: 'point', side, price: price(ASK), score: 37.5, quality: 'verified' },
      evidence: {
        ...{ kind: 'ahead', passive: options.mirrored ? 'bid' : 'ask', levels: 3, farthest: price(ASK + 2) },
        ...{ size: 15, usual_depth: 4, removed: 15, cancel_lb: 14, executed: 1, consumed_ratio: 0.066667 },
        // half a tick of a mid of 100.05; the best ask goes eight ticks back, the mid four
        ...{ distance_bps: 4.997501, moved_ticks: -4, approached: true, opposite: true },
      },
    });
    expect((await pulled(1, options).scan('sweep', ['single=1', 'ticks=1'])).signals).toEqual([]);
  });

  test('untimed, or shown in two messages, or after three orders: the same', async () => {
    const whole = told(await scan(pulled(1, options)));
    const untimed = new OrderStory(options).buy([[ASK, 1]], { shows: [GONE], untimed: true });
    expect(told(await scan(untimed))).toEqual(whole);
    const parts = new OrderStory(options).buy([[ASK, 1]], { shows: [GONE.slice(0, 1), GONE.slice(1)] });
    expect(told(await scan(parts))).toEqual(whole);
    const three = new OrderStory(options);
    for (let i = 0; i < 2; i++) three.buy([[ASK, 0.5]], { shows: [] }).pause(20);
    expect(outline(await scan(three.buy([[ASK, 0.1]], { shows: [GONE] })))).toEqual([`point ${side} ahead 3 15 1.1`]);
  });

  test('traded, they are swept', async () => {
    const story = (): OrderStory => new OrderStory(options).buy(BACK);
    expect((await scan(story())).signals).toEqual([]);
    expect((await story().scan('sweep')).signals).toHaveLength(1);
  });
});

describe('what is none', () => {
  const cases: [string, () => OrderStory, string[]?][] = [
    ['two levels', () => new OrderStory().buy([[ASK, 1]], { shows: [GONE.slice(0, 2)] })],
    ['two levels far apart', () => new OrderStory(APART).buy([[ASK, 1]], { shows: [[GONE[0], [ASK + 8, 0]]] })],
    ['more of them traded', () => pulled(1.6)],
    ['too small for what is usual', pulled, ['depth=3.8']],
    ['too small', pulled, ['size=15.001']],
    ['too near', pulled, ['near=81', 'far=90']],
    ['nobody traded', () => new OrderStory().asks(...GONE)],
    ['somebody traded the other way', () => new OrderStory().print(-1, BID, 1).asks(...GONE)],
    ['prints of the insurance fund', () => new OrderStory().buy([[ASK, 1]], { shows: [GONE], kind: 'INSURANCE_FUND' })],
    [
      'they come back',
      () =>
        pulled()
          .pause(150)
          .asks(...BACK),
    ],
    [
      'they go much later',
      () =>
        new OrderStory()
          .print(1, ASK, 1)
          .pause(202)
          .print(-1, BID, 1)
          .asks(...GONE),
    ],
    [
      'trades that come later explain them',
      () =>
        pulled()
          .pause(210)
          .print(1, ASK + 1, 6),
    ],
    ['an update is missing', () => lost((story) => story.tape.depth([], [], { lost: 1 }))],
    [
      'a trade is missing while late ones are waited for',
      () => lost((story) => story.pause(210).print(-1, BID, 1).tape.trade(-1, BID, 1, { lost: 1 })),
    ],
    ['a trade is missing', () => lost((story) => story.tape.trade(-1, BID, 1, { lost: 1 }))],
  ];
  test.each(cases)('%s', async (_, story, set = []) => {
    expect(outline(await scan(story(), ...set))).toEqual([]);
  });

  const lost = (lose: (story: OrderStory) => void): OrderStory => {
    const story = pulled();
    lose(story);
    return story;
  };

  test('nearly the same is one', async () => {
    expect(outline(await scan(new OrderStory().buy([[ASK, 1]], { shows: [GONE.slice(0, 2)] }), 'ahead=2'))).toEqual([
      'point sell ahead 2 10 1',
    ]);
    const apart = new OrderStory(APART).buy([[ASK, 1]], { shows: [[GONE[0], [ASK + 8, 0]]] });
    expect(outline(await scan(apart, 'ahead=2'))).toEqual(['point sell ahead 2 24 1']);
    expect(outline(await scan(pulled(1.5)))).toEqual(['point sell ahead 3 15 1.5']);
    for (const set of [['depth=3.75'], ['size=15'], ['near=79', 'far=90', 'depth=0.01']])
      expect(outline(await scan(pulled(), ...set))).toEqual(one);
    // the levels are looked at with the first entry two intervals after the order
    const later = pulled().pause(210).print(-1, BID, 1);
    expect(outline(await scan(later.asks(...BACK)))).toEqual(one);
    const late = new OrderStory().print(1, ASK, 1).pause(190);
    expect(outline(await scan(late.asks(...GONE)))).toEqual(one);
    const tooLate = pulled().pause(210).print(-1, BID, 1).pause(101);
    expect(outline(await scan(tooLate.print(1, ASK + 1, 6)))).toEqual(one);
  });
});

test('it is said when no trade can explain it any more: two intervals and one after the order', async () => {
  const story = pulled();
  // each entry is a microsecond after the one before
  story.tape.wait(SECOND / 5).depth([[BID, 11]], []);
  story.tape.wait(SECOND / 10 - 1).depth([[BID, 12]], []);
  const at = story.tape.t;
  story.tape.depth([[BID, 13]], []);
  const { signals } = await scan(story);
  expect(signals.map(({ time }) => time)).toEqual([formatTime(at)]);
});

test('makers who step back twice pull twice', async () => {
  const asks: Level[] = [...BACK, [ASK + 8, 20], [ASK + 9, 5], [ASK + 10, 5], [ASK + 15, 9], [ASK + 199, 1]];
  const story = pulled(1, { asks }).pause(50);
  story.buy([[ASK + 8, 1]], {
    shows: [
      [
        [ASK + 8, 0],
        [ASK + 9, 0],
        [ASK + 10, 0],
      ],
    ],
  });
  expect(outline(await scan(story, 'near=4', 'ahead=2'))).toEqual(['point sell ahead 6 45 2']);
  const apart = pulled(1, { asks }).pause(250);
  apart.buy([[ASK + 8, 1]], {
    shows: [
      [
        [ASK + 8, 0],
        [ASK + 9, 0],
        [ASK + 10, 0],
      ],
    ],
  });
  expect(outline(await scan(apart))).toEqual([...one, 'point sell ahead 3 30 1']);
});

test('before the baseline is warm nothing is said', async () => {
  const { lines } = pulled().quiet().tape;
  const late = { detect: ['pull'], warmup: 72 * SECOND };
  expect(outline(await scanLines(lines, late))).toEqual([]);
  expect(outline(await scanLines(lines, { ...late, warmup: 70 * SECOND }))).toEqual(one);
});
