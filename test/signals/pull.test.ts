/** pull on scripted tapes with known answers: single, layered and flickering pulls, and what is none. */
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { type Level, MINUTE, type Scanned, SECOND, START, scanLines, type TapeOptions } from '../scan/tape-builder.js';
import { ASK, BID, LevelStory, type LevelStoryOptions } from './level-story.js';

/** Three ticks beyond the best ask, where nothing stands until the story puts it there. */
const THERE = ASK + 3;
const start = (options: LevelStoryOptions = {}): LevelStory =>
  new LevelStory({ size: (i) => (i === 3 ? 0 : 10), ...options });
/** An order of 50 that stands for 400 ms. */
const pulled = (options: LevelStoryOptions = {}): LevelStory =>
  start(options).asks([THERE, 50]).pause(400).asks([THERE, 0]);

const outline = ({ signals }: Scanned): string[] =>
  signals.map(({ phase, side, evidence }) => [phase, side, evidence.kind, evidence.size].join(' '));
const scan = (story: LevelStory, ...set: string[]): Promise<Scanned> => story.scan('pull', set);
const one = ['point sell pull 50'];

describe.each([false, true])('mirrored %s', (mirrored) => {
  const side = mirrored ? 'buy' : 'sell';
  const price = (ticks: number): number => (mirrored ? (BID + ASK - ticks) / 10 : ticks / 10);

  test('50 added three ticks away, gone after 400 ms without a trade: one pull with known numbers', async () => {
    const { signals } = await scan(pulled({ mirrored }));
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({
      ...{ signal: 'pull', phase: 'point', side, price: price(THERE), score: 1, quality: 'verified' },
      evidence: {
        ...{ kind: 'pull', passive: mirrored ? 'bid' : 'ask', size: 50, size_gate: 50, median_ratio: 5, removed: 50 },
        ...{ cancel_lb: 50, executed: 0, lifetime_ms: 400.001, moved_ticks: 0, approached: false, opposite: false },
        // three and a half ticks of a mid of 1000.05
        distance_bps: 3.499825,
      },
    });
  });

  test('three prices at once: one layered pull, and no single ones', async () => {
    const layers: Level[] = [2, 4, 6].map((n): Level => [ASK + n, 60 + n]);
    const gone = layers.map(([at]): Level => [at, 0]);
    const story = start({ mirrored })
      .asks(...layers)
      .pause(300)
      .asks(gone[0])
      .pause(80)
      .asks(...gone.slice(1));
    const { signals } = await scan(story);
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({
      ...{ side, price: price(ASK + 2), score: 3.84 },
      evidence: { kind: 'layered', size: 192, levels: 3, farthest: price(ASK + 6), span_ms: 80.001, cancel_lb: 192 },
    });
  });

  test('the nearest of layers is that nearest to the mid, though another was nearer to it as it appeared', async () => {
    const [A, B, C] = [ASK + 2, ASK + 3, ASK + 4];
    const story = start({ mirrored })
      .asks([C, 60])
      .pause(100)
      // six levels go, and the mid moves away by three ticks
      .bids(...Array.from({ length: 6 }, (_, i): Level => [BID - i, 0]))
      .asks([A, 60], [B, 60])
      .pause(300)
      .asks([A, 0], [B, 0], [C, 0]);
    const { signals } = await scan(story);
    expect(signals).toHaveLength(1);
    expect(signals[0]).toMatchObject({
      price: price(A),
      evidence: { kind: 'layered', levels: 3, farthest: price(C), moved_ticks: 0 },
    });
  });

  test('one price shown and pulled again and again: the third is a flicker, and no more is said of it', async () => {
    const story = start({ mirrored });
    for (let i = 0; i < 6; i++) story.asks([THERE, 50]).pause(300).asks([THERE, 0]).pause(500);
    const result = await scan(story);
    expect(outline(result)).toEqual([`point ${side} pull 50`, `point ${side} pull 50`, `point ${side} flicker 50`]);
    expect(result.signals[2].evidence).toMatchObject({ repeats: 3, period_ms: 800.002 });
  });
});

describe('said when no trade can explain it any more', () => {
  test('that is a guard and the time of layers after it went', async () => {
    for (const [wait, set] of [
      [300, []],
      [100, ['within=0s']],
    ] as const) {
      const story = pulled();
      story.tape.wait(wait * 1000 - 1);
      story.sell(BID, 1);
      const at = story.tape.t;
      const { signals } = await scan(story.sell(BID, 1), ...set);
      expect(signals.map(({ time }) => time)).toEqual([formatTime(at)]);
    }
  });

  const trades: [string, (story: LevelStory) => LevelStory][] = [
    ['trades first', (story) => story.buy(THERE, 50).pause(20).asks([THERE, 0])],
    ['book first', (story) => story.asks([THERE, 0]).pause(99).buy(THERE, 50)],
    ['in the middle', (story) => story.buy(THERE, 20).asks([THERE, 0]).buy(THERE, 30)],
    ['too little of it cancelled', (story) => story.buy(THERE, 5).asks([THERE, 5.001])],
    ['part by part', (story) => story.buy(THERE, 6).asks([THERE, 44]).pause(500).asks([THERE, 0])],
  ];
  test.each(trades)('the same but traded, %s: none', async (_, tell) => {
    for (const mirrored of [false, true])
      expect(outline(await scan(tell(start({ mirrored }).asks([THERE, 50]).pause(400))))).toEqual([]);
  });

  test('a little of it may be traded, and a trade that comes too late explains nothing', async () => {
    const little = start().asks([THERE, 50]).pause(400).buy(THERE, 5).asks([THERE, 0]);
    const { signals } = await scan(little);
    expect(signals.map(({ evidence }) => [evidence.executed, evidence.cancel_lb])).toEqual([[5, 45]]);
    expect(outline(await scan(pulled().pause(101).buy(THERE, 50)))).toEqual(one);
    // the other side's trades at that price are no trades against it
    expect(outline(await scan(start().asks([THERE, 50]).pause(400).sell(THERE, 50).asks([THERE, 0])))).toEqual(one);
  });

  test('what was traded there before a level of short life was shown counts, as it may have come early', async () => {
    const tell = (ms: number): LevelStory =>
      start().buy(THERE, 50).pause(20).asks([THERE, 50]).pause(ms).asks([THERE, 0]);
    expect(outline(await scan(tell(60)))).toEqual([]);
    expect(outline(await scan(tell(110)))).toEqual(one);
  });
});

describe('what is no pull', () => {
  const cases: [string, () => LevelStory, string[]?][] = [
    ['less than five medians', () => start().asks([THERE, 49.999]).pause(400).asks([THERE, 0])],
    ['less than the quantile', () => pulledBeside(60)],
    [
      'a level of a snapshot',
      () =>
        start({ size: (i) => (i === 5 ? 50 : 10) })
          .pause(400)
          .asks([ASK + 5, 0]),
    ],
    ['a level that stands too short', () => start().asks([THERE, 50]).pause(49).asks([THERE, 0])],
    ['a level that stands too long', () => start().asks([THERE, 50]).quiet(30.1).asks([THERE, 0])],
    [
      'a level that appears bit by bit',
      () => start().asks([THERE, 25]).pause(9).asks([THERE, 50]).pause(400).asks([THERE, 0]),
    ],
    [
      'a level that goes bit by bit',
      () => start().asks([THERE, 50]).pause(400).asks([THERE, 25]).pause(9).asks([THERE, 0]),
    ],
    ['a level that stays in part', () => start().asks([THERE, 50]).pause(400).asks([THERE, 10.001])],
    ['a level too near the mid', () => pulled(), ['near=3.6']],
    ['a level too far from it', () => pulled(), ['far=3.4']],
    [
      'an order that moves as it goes',
      () =>
        start()
          .asks([THERE, 50])
          .pause(400)
          .asks([THERE, 0], [THERE + 2, 60]),
    ],
    [
      'an order that moves a little later',
      () =>
        start()
          .asks([THERE, 50])
          .pause(400)
          .asks([THERE, 0])
          .pause(99)
          .asks([THERE + 2, 50]),
    ],
    [
      'an order that stood elsewhere a little before',
      () =>
        start()
          .asks([THERE, 50])
          .pause(400)
          .asks([THERE + 2, 50])
          .pause(99)
          .asks([THERE, 0]),
    ],
    ['an order at the end of what is shown', () => atTheEnd(), ['far=50']],
    [
      'an order that was, when it appeared',
      () =>
        start()
          .asks([ASK + 40, 50])
          .asks([ASK + 41, 10])
          .pause(400)
          .asks([ASK + 40, 0]),
      ['far=50'],
    ],
    [
      'an order that goes as the book is crossed',
      () =>
        start()
          .asks([THERE, 50])
          .pause(400)
          .book([[ASK + 1, 1]], [[THERE, 0]]),
    ],
  ];
  test.each(cases)('%s', async (_, story, set = []) => {
    expect(outline(await scan(story(), ...set))).toEqual([]);
  });

  test('nearly the same is one', async () => {
    const told = async (story: LevelStory, ...set: string[]): Promise<string[]> => outline(await scan(story, ...set));
    expect(await told(pulledBeside(60), 'quantile=0.9')).toEqual(one);
    expect(await told(start().asks([THERE, 50]).pause(50).asks([THERE, 0]))).toEqual(one);
    expect(await told(start().asks([THERE, 50]).quiet(29.9).asks([THERE, 0]))).toEqual(one);
    expect(await told(start().asks([THERE, 50]).pause(400).asks([THERE, 10]))).toEqual(one);
    expect(await told(pulled(), 'near=3.4', 'far=3.6')).toEqual(one);
    expect(await told(atTheEnd([ASK + 41, 10]), 'far=50')).toEqual(one);
    const elsewhere = (level: Level): LevelStory =>
      start().asks([THERE, 50]).pause(400).asks([THERE, 0]).pause(99).asks(level);
    expect(await told(elsewhere([THERE + 2, 63]))).toEqual(one);
    expect(await told(elsewhere([THERE, 50]))).toEqual(one);
    expect(
      await told(
        start()
          .asks([THERE, 50])
          .pause(400)
          .asks([THERE, 0])
          .pause(101)
          .asks([THERE + 2, 50]),
      ),
    ).toEqual(one);
    expect(
      await told(
        start()
          .asks([THERE, 50])
          .pause(400)
          .asks([THERE, 0])
          .bids([BID - 2, 50]),
      ),
    ).toEqual(one);
  });

  test('what was lost is not known: a lost update, a lost trade, a new snapshot, a crossed book, a side without levels', async () => {
    const between = async (tell: (story: LevelStory) => unknown): Promise<string[]> => {
      const story = start().sell(BID, 1).asks([THERE, 50]).pause(200);
      tell(story);
      return outline(await scan(story.pause(200).asks([THERE, 0])));
    };
    expect(await between(() => {})).toEqual(one);
    const again = (story: LevelStory): LevelStory =>
      story.snapshot(
        [
          [BID, 10],
          [BID - 40, 10],
        ],
        [
          [ASK, 10],
          [THERE, 50],
          [ASK + 40, 10],
        ],
      );
    expect(await between((story) => again(story.book([], [], 1)))).toEqual([]);
    expect(await between((story) => story.sell(BID, 1, 1))).toEqual([]);
    expect(await between((story) => story.bids([ASK + 1, 1]))).toEqual([]);
    expect(
      await between((story) =>
        story
          .bids([ASK + 1, 1])
          .pause(9)
          .bids([ASK + 1, 0]),
      ),
    ).toEqual([]);
    expect(await between((story) => story.bids(...Array.from({ length: 40 }, (_, i): Level => [BID - i, 0])))).toEqual(
      [],
    );
    // after it went, while late trades are waited for
    const soon = async (tell: (story: LevelStory) => LevelStory): Promise<string[]> =>
      outline(await scan(tell(start().sell(BID, 1).asks([THERE, 50]).pause(400).asks([THERE, 0]).pause(50))));
    expect(await soon((story) => story.sell(BID, 1))).toEqual(one);
    expect(await soon((story) => story.sell(BID, 1, 1))).toEqual([]);
    expect(await soon((story) => again(story.book([], [], 1)))).toEqual([]);
  });
});

describe.each([false, true])('one order that appears explains one that goes, mirrored %s', (mirrored) => {
  const PRICES = [3, 5, 7, 9].map((n) => ASK + n);
  const empty = (): LevelStory => start({ mirrored, size: (i) => ([3, 5, 7, 9, 11, 13, 15].includes(i) ? 0 : 10) });
  /** Orders of these sizes stand for 400 ms, three ticks beyond the best ask and every other tick from there. */
  const stand = (...sizes: number[]): LevelStory =>
    empty()
      .asks(...sizes.map((size, i): Level => [PRICES[i], size]))
      .pause(400);
  const gone = (...prices: number[]): Level[] => prices.map((price): Level => [price, 0]);
  /** Kind, ticks beyond the best ask, and size. */
  const told = async (story: LevelStory, ...set: string[]): Promise<string[]> => {
    const lines = (await scan(story, 'far=20', ...set)).signals.map(({ price, evidence: { kind, size } }) => {
      const ticks = Math.round(Number(price) * 10);
      return `${kind} ${(mirrored ? BID + ASK - ticks : ticks) - ASK} ${size}`;
    });
    return lines.sort(); // lines of one time stand in the order of their ids
  };
  const [A, B, C] = PRICES;

  test('three go in one message, and one like them appears: the nearest of them has moved', async () => {
    expect(await told(stand(50, 50, 50).asks(...gone(A, B, C)))).toEqual(['layered 3 150']);
    const one = [...gone(A, B, C), [ASK + 9, 50] as Level];
    expect(await told(stand(50, 50, 50).asks(...one))).toEqual(['pull 3 50', 'pull 5 50']);
    // in whatever order the message has them
    expect(await told(stand(50, 50, 50).asks(...one.reverse()))).toEqual(['pull 3 50', 'pull 5 50']);
  });

  test('four go, and one appears: the other three are layers', async () => {
    const story = stand(50, 50, 50, 50).asks(...gone(...PRICES), [ASK + 11, 50]);
    expect(await told(story)).toEqual(['layered 3 150']);
  });

  test('all of them move: none', async () => {
    const up = stand(50, 50, 50).asks(...gone(A, B, C), [ASK + 9, 50], [ASK + 11, 50], [ASK + 13, 50]);
    expect(await told(up)).toEqual([]);
    // 50 is like 60, and 60 like 75, but not 50 like 75
    const other = stand(50, 60, 75).asks(...gone(A, B, C), [ASK + 9, 75], [ASK + 11, 60], [ASK + 13, 50]);
    expect(await told(other)).toEqual([]);
    // and on again within the same time
    const on = stand(50, 50)
      .asks(...gone(A, B), [C, 50], [ASK + 9, 50])
      .pause(60)
      .asks(...gone(C, ASK + 9), [ASK + 11, 50], [ASK + 13, 50]);
    expect(await told(on)).toEqual([]);
  });

  test('one after the other they go, and one appears: the first has moved', async () => {
    const row = (...appears: number[]): LevelStory => {
      const story = stand(50, 50, 50);
      for (const [i, price] of [A, B, C].entries())
        story.asks([price, 0], ...(appears.includes(i) ? [[ASK + 9 + 2 * i, 50] as Level] : [])).pause(70);
      return story;
    };
    expect(await told(row(), 'layers=4')).toEqual(['pull 3 50', 'pull 5 50', 'pull 7 50']);
    // with it went another: that is the one that has moved
    expect(await told(row(1), 'layers=4')).toEqual(['pull 3 50', 'pull 7 50']);
    expect(await told(row(2), 'layers=4')).toEqual(['pull 3 50', 'pull 5 50']);
    expect(await told(row(1, 2), 'layers=4')).toEqual(['pull 3 50']);
    const between = stand(50, 50, 50)
      .asks(...gone(A))
      .pause(40)
      .asks([ASK + 9, 50])
      .pause(40)
      .asks(...gone(B));
    expect(await told(between.pause(15).asks(...gone(C)))).toEqual(['pull 5 50', 'pull 7 50']);
  });

  test('the one of its own size has moved, not the first', async () => {
    expect(await told(stand(50, 60).asks(...gone(A, B), [ASK + 9, 60]))).toEqual(['pull 3 50']);
    expect(await told(stand(60, 50).asks(...gone(A, B), [ASK + 9, 60]))).toEqual(['pull 5 50']);
  });

  test('what was traded away has not moved', async () => {
    const traded = (): LevelStory => stand(50, 50).buy(A, 50);
    const apart = traded()
      .asks(...gone(A))
      .pause(40)
      .asks(...gone(B))
      .pause(40)
      .asks([ASK + 9, 50]);
    expect(await told(apart)).toEqual([]);
    // what is shown anew as an order is filled is no other one that moved
    const anew = traded()
      .asks(...gone(A), [ASK + 9, 50])
      .pause(40)
      .asks(...gone(B));
    expect(await told(anew)).toEqual(['pull 5 50']);
  });

  test('what appears twice explains two', async () => {
    const story = stand(50, 50)
      .asks([A, 0], [ASK + 9, 50])
      .pause(60)
      .asks([ASK + 9, 0])
      .pause(20)
      .asks([B, 0], [ASK + 9, 50]);
    // it goes itself in between, and appears again: at its own price it has not moved
    expect(await told(story)).toEqual(['pull 9 50']);
  });
});

describe('what strengthens it', () => {
  const flags = ({ signals }: Scanned): unknown[] =>
    signals.map(({ evidence }) => [evidence.approached, evidence.opposite, evidence.moved_ticks]);

  test('price that came near as it went', async () => {
    const up: Level[] = [
      [BID + 1, 10],
      [BID + 2, 10],
    ];
    const gone: Level[] = [
      [ASK, 0],
      [ASK + 1, 0],
    ];
    const story = start().asks([THERE, 50]).pause(400).book(up, gone).pause(200).asks([THERE, 0]);
    expect(flags(await scan(story))).toEqual([[true, false, -2]]);
    const back = start().asks([THERE, 50]).pause(400).book(up, gone).pause(200);
    back.book(
      up.map(([price]): Level => [price, 0]),
      [...gone.map(([price]): Level => [price, 10]), [THERE, 0]],
    );
    expect(flags(await scan(back))).toEqual([[true, false, -2]]);
    // in one message
    const once = start()
      .asks([THERE, 50])
      .pause(400)
      .book(up, [...gone, [THERE, 0]]);
    expect(flags(await scan(once))).toEqual([[true, false, 0]]);
    const away = start()
      .asks([THERE, 50])
      .pause(400)
      .book([[BID, 0]], [[BID, 10]])
      .pause(200)
      .asks([THERE, 0]);
    expect(flags(await scan(away))).toEqual([[false, false, 1]]);
    // it was as near when it appeared
    const near = start()
      .asks([ASK + 1, 60])
      .pause(400)
      .asks([ASK + 1, 0]);
    expect(flags(await scan(near))).toEqual([[false, false, 0]]);
  });

  test.each([false, true])('aggressors who traded the other way meanwhile, mirrored %s', async (mirrored) => {
    const tell = (...prints: [side: 'buy' | 'sell', size: number][]): LevelStory => {
      const story = start({ mirrored }).asks([THERE, 50]).pause(400);
      for (const [side, size] of prints) story[side](side === 'buy' ? ASK : BID, size);
      return story.pause(400).asks([THERE, 0]);
    };
    expect(flags(await scan(tell(['buy', 2], ['sell', 1])))).toEqual([[false, true, 0]]);
    expect(flags(await scan(tell(['buy', 1], ['sell', 1])))).toEqual([[false, false, 0]]);
    expect(flags(await scan(tell()))).toEqual([[false, false, 0]]);
    expect(flags(await scan(tell().pause(20).buy(ASK, 2)))).toEqual([[false, false, 0]]);
    expect(
      flags(await scan(start({ mirrored }).buy(ASK, 2).pause(20).asks([THERE, 50]).pause(400).asks([THERE, 0]))),
    ).toEqual([[false, false, 0]]);
  });
});

describe('several', () => {
  const layered = (count: number, apart: number): LevelStory => {
    const story = start();
    const prices = Array.from({ length: count }, (_, i) => ASK + 2 * i + 2);
    story.asks(...prices.map((price): Level => [price, 60])).pause(300);
    for (const price of prices) story.asks([price, 0]).pause(apart);
    return story;
  };
  test.each([
    [3, 99, ['point sell layered 180']],
    [3, 101, ['point sell pull 60', 'point sell pull 60', 'point sell pull 60']],
    [2, 0, ['point sell pull 60', 'point sell pull 60']],
  ])('%i prices, %i ms apart', async (count, apart, expected) => {
    expect(outline(await scan(layered(count, apart)))).toEqual(expected);
  });

  test('bids and asks are no layers of each other', async () => {
    const story = start()
      .book(
        [[BID - 4, 60]],
        [
          [ASK + 4, 60],
          [THERE, 60],
        ],
      )
      .pause(300);
    story.book(
      [[BID - 4, 0]],
      [
        [ASK + 4, 0],
        [THERE, 0],
      ],
    );
    expect(outline(await scan(story)).sort()).toEqual([
      'point buy pull 60',
      'point sell pull 60',
      'point sell pull 60',
    ]);
  });

  test('pulls at one price too far apart are no flicker; a flicker that goes on is said again', async () => {
    const story = (pause: number): LevelStory => {
      const told = start();
      for (let i = 0; i < 8; i++) told.asks([THERE, 50]).pause(500).asks([THERE, 0]).quiet(pause);
      return told;
    };
    expect(outline(await scan(story(4.6)))).toEqual(Array(8).fill('point sell pull 50'));
    const twice = ['point sell pull 50', 'point sell pull 50', 'point sell flicker 50', 'point sell flicker 50'];
    expect(outline(await scan(story(2), 'window=12s'))).toEqual(twice);
  });

  test("no single pulls are told within a flicker's time at its price, also where pulls have become rare", async () => {
    // three within 7.8 s, and a fourth that went so many seconds after the third: of the window of 10 s it is number two
    const flickered = (after: number): LevelStory => {
      const told = start();
      for (let i = 0; i < 3; i++) told.asks([THERE, 50]).pause(300).asks([THERE, 0]).pause(3000);
      return told
        .quiet(after - 3.3)
        .asks([THERE, 50])
        .pause(300)
        .asks([THERE, 0]);
    };
    const three = ['point sell pull 50', 'point sell pull 50', 'point sell flicker 50'];
    expect(outline(await scan(flickered(7.8)))).toEqual(three);
    expect(outline(await scan(flickered(9.9)))).toEqual(three);
    expect(outline(await scan(flickered(10)))).toEqual([...three, 'point sell pull 50']);
    // at another price they are
    const beside = flickered(7.8)
      .asks([ASK + 5, 60])
      .pause(300)
      .asks([ASK + 5, 0]);
    expect(outline(await scan(beside))).toEqual([...three, 'point sell pull 60']);
  });
});

describe('a unit begins', () => {
  const BORDER = START + 2 * MINUTE;
  /** The story goes on so many milliseconds before it. */
  const until = (ms: number): LevelStory => {
    const story = start();
    return story.quiet((BORDER - ms * 1000 - story.tape.t) / SECOND);
  };
  const told = async (story: LevelStory, ...set: string[]): Promise<string[][]> => {
    const { lines } = story.quiet(3).tape;
    const given = { detect: ['pull'], set: set.map((one) => `pull.${one}`), baseline: MINUTE, warmup: 20 * SECOND };
    const units = [60 * MINUTE, MINUTE].map((unit) => scanLines(lines, { ...given, unit }));
    return (await Promise.all(units)).map((scanned) =>
      scanned.signals.map(({ time, evidence }) => `${time.slice(17, 23)} ${evidence.kind} ${evidence.size}`),
    );
  };
  const same = (...lines: string[]): string[][] => [lines, lines];

  test.each([
    [500, '59.800 pull 50'],
    [290, '00.010 pull 50'],
    [150, '00.150 pull 50'],
    [100, '00.200 pull 50'],
    [50, '00.250 pull 50'],
  ])('a pull that went %i ms before is told at its time, whatever the unit', async (ms, line) => {
    const story = until(ms + 400)
      .asks([THERE, 50])
      .pause(400)
      .asks([THERE, 0]);
    expect(await told(story)).toEqual(same(line));
  });

  test.each([450, 290, 200, 100, 50])('layers that went from %i ms before on are layers', async (ms) => {
    const layers = [2, 4, 6].map((n): Level => [ASK + n, 60]);
    const story = until(ms + 400)
      .asks(...layers)
      .pause(400);
    for (const [price] of layers) story.asks([price, 0]).pause(80);
    const [hour, minute] = await told(story);
    expect(hour.map((line) => line.slice(7))).toEqual(['layered 180']);
    expect(minute).toEqual(hour);
  });

  test('amid pulls that follow each other for more than ten seconds what waits is not said: it would hang on all of them', async () => {
    const row = (seconds: number): LevelStory => {
      const story = until(seconds * 1000 + 400);
      for (let i = 0; story.tape.t < BORDER - SECOND; i++) {
        const price = ASK + 2 + (i % 8);
        story
          .asks([price, 60 + i])
          .pause(400)
          .asks([price, 0])
          .pause(1100);
      }
      return story.quiet(3);
    };
    const set = ['within=2s', 'layers=100', 'repeats=100'];
    const kinds = (lines: string[]): string[] => lines.map((line) => line.slice(7));
    const [hour, minute] = await told(row(9), ...set);
    expect(kinds(hour)).toEqual([60, 61, 62, 63, 64, 65].map((size) => `pull ${size}`));
    expect(minute).toEqual(hour);
    const [longHour, longMinute] = await told(row(11), ...set);
    expect(kinds(longHour)).toEqual([60, 61, 62, 63, 64, 65, 66].map((size) => `pull ${size}`));
    expect(longMinute).toEqual(longHour.slice(0, -1));
  });
});

test('before it is known what is usual nothing is said', async () => {
  const early = new LevelStory({ size: (i) => (i === 3 ? 0 : 10), quiet: 30 });
  expect(outline(await scan(early.asks([THERE, 50]).pause(400).asks([THERE, 0])))).toEqual([]);
});

test('neither scale nor unit of prices and sizes changes a ratio', async () => {
  const tapes: TapeOptions[] = [
    {},
    {
      ...{ tick: '0.0000001', lot: '0.000001' },
      price: (n) => `0.00${String(n).padStart(5, '0')}`,
      size: (n) => `0.${String(n).padStart(6, '0')}`,
    },
    { tick: '100000', lot: '1000000', price: (n) => `${n}00000`, size: (n) => `${n}000000` },
  ];
  const facts: unknown[] = [];
  for (const tape of tapes)
    for (const { time, score, evidence } of (await scan(pulled({ tape }))).signals)
      facts.push([time, score, evidence.median_ratio, evidence.distance_bps, evidence.moved_ticks]);
  expect(facts).toHaveLength(3);
  expect(facts[1]).toEqual(facts[0]);
  expect(facts[2]).toEqual(facts[0]);
});

/** A level beyond all others, as far as a venue shows them. */
function atTheEnd(...beyond: Level[]): LevelStory {
  return start()
    .asks(...beyond)
    .asks([ASK + 40, 50])
    .pause(400)
    .asks([ASK + 40, 0]);
}

/** The same beside a level that is larger and has long stood there. */
function pulledBeside(size: number): LevelStory {
  const story = start({ size: (i) => (i === 3 ? 0 : i === 6 ? size : 10) });
  return story.asks([THERE, 50]).pause(400).asks([THERE, 0]);
}
