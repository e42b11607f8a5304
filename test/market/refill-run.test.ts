/** Cycles at one price, told step by step: trades and book in either order, what counts once, and how a run is over. */
import { describe, expect, test } from 'vitest';
import { ASK } from '../../src/market/book.js';
import { type RefillRules, RefillRun } from '../../src/market/refill-run.js';

/** [ms, size]: a trade; [ms, 'shows', size]: what a message left; [ms]: time passes. */
type Step = [number] | [number, number] | [number, 'shows', number];

function runOf(steps: readonly Step[], rules: Partial<RefillRules> = {}): RefillRun {
  const all = { cycles: 3, refill: 250_000, fade: 5_000_000, guard: 100_000, ...rules };
  const run = new RefillRun(all, 0, ASK, 1000, 10);
  for (const [ms, what, shown] of steps) {
    const t = ms * 1000;
    run.advance(t);
    if (what === 'shows') run.show(t, shown as number);
    else if (what !== undefined) run.trade(t, what);
  }
  return run;
}

/** Three cycles, the last at 2020 ms. */
const three: Step[] = [0, 1000, 2000].flatMap((ms): Step[] => [
  [ms, 10],
  [ms + 5, 'shows', 0],
  [ms + 20, 'shows', 10],
]);

describe('cycles', () => {
  const cases: [string, Step[], cycles: number, traded: number, hidden: number][] = [
    [
      'trade, depletion, refill',
      [
        [0, 10],
        [5, 'shows', 0],
        [20, 'shows', 10],
      ],
      1,
      10,
      10,
    ],
    [
      'depletion, refill, trade',
      [
        [0, 'shows', 0],
        [20, 'shows', 10],
        [99, 10],
      ],
      1,
      10,
      10,
    ],
    [
      'depletion, trade, refill',
      [
        [0, 'shows', 0],
        [20, 10],
        [99, 'shows', 10],
      ],
      1,
      10,
      10,
    ],
    [
      'part of it shown, the rest hidden',
      [
        [0, 6],
        [5, 'shows', 4],
        [900, 4],
        [920, 'shows', 10],
      ],
      1,
      10,
      10,
    ],
    ['nothing shown', [[0, 10], [101]], 1, 10, 10],
    ['nothing shown yet', [[0, 10], [100]], 0, 0, 0],
    ['less than enough', [[0, 7], [101]], 0, 0, 0],
    [
      'what is shown is less by a tenth',
      [
        [0, 10],
        [5, 'shows', 0],
        [20, 'shows', 9],
      ],
      1,
      10,
      9,
    ],
    [
      'less than the peak is traded',
      [
        [0, 9],
        [5, 'shows', 1],
        [20, 'shows', 10],
      ],
      1,
      9,
      9,
    ],
    ['what is traded while the book is waited for counts later', [[0, 10], [90, 9], [101]], 1, 10, 10],
    ['and then as a cycle of its own', [[0, 10], [90, 9], [101], [202]], 2, 19, 19],
    [
      'one refill explains one trade',
      [
        [0, 'shows', 0],
        [20, 'shows', 10],
        [30, 10],
        [40, 10],
      ],
      1,
      10,
      10,
    ],
    [
      'two refills before two trades',
      [
        [0, 'shows', 0],
        [20, 'shows', 10],
        [30, 'shows', 0],
        [40, 'shows', 10],
        [50, 10],
        [60, 10],
      ],
      ...([2, 20, 20] as const),
    ],
    [
      'two trades before two refills',
      [
        [0, 10],
        [5, 15],
        [20, 'shows', 0],
        [30, 'shows', 10],
        [40, 'shows', 0],
        [50, 'shows', 10],
      ],
      ...([2, 20, 20] as const),
    ],
    [
      'a trade the book had time to show',
      [
        [0, 5],
        [300, 'shows', 5],
        [310, 5],
        [320, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    ['trades too far apart to be between two updates', [[0, 5], [101, 5], [300]], 0, 0, 0],
    [
      'a refill too late',
      [
        [0, 10],
        [5, 'shows', 0],
        [255, 'shows', 10],
      ],
      1,
      10,
      10,
    ],
    [
      'trades that come too late for it',
      [[0, 'shows', 0], [20, 'shows', 10], [100, 5], [121], [150, 4], [300]],
      0,
      0,
      0,
    ],
    [
      'trades that come late, but for the depletion that is shown by then',
      [[0, 'shows', 0], [20, 'shows', 10], [60, 'shows', 0], [100, 5], [121], [150, 4], [160, 'shows', 10]],
      ...([1, 9, 9] as const),
    ],
    ['a refill without trades is forgotten', [[0, 'shows', 0], [20, 'shows', 10], [121], [150, 10]], 0, 0, 0],
    [
      'never down to a fifth',
      [
        [0, 5],
        [5, 'shows', 5],
        [300, 'shows', 8],
        [600, 4],
        [605, 'shows', 4],
        [900, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    [
      'the last of it traded when the book had time to show that',
      [
        [0, 6],
        [5, 'shows', 4],
        [800, 4],
        [901, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    [
      'what was traded is shown already',
      [
        [0, 5],
        [5, 'shows', 5],
        [300, 'shows', 8],
        [600, 'shows', 4],
        [610, 4],
        [650, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    [
      'all of it hidden but the end of the refill',
      [
        [0, 9],
        [50, 'shows', 8],
        [150, 'shows', 10],
      ],
      1,
      9,
      9,
    ],
    [
      'and that comes too late',
      [
        [0, 9],
        [50, 'shows', 8],
        [301, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    [
      'more is shown for a moment',
      [
        [0, 10],
        [5, 'shows', 0],
        [20, 'shows', 15],
        [200, 'shows', 10],
      ],
      1,
      10,
      10,
    ],
    [
      'and for too long',
      [
        [0, 10],
        [5, 'shows', 0],
        [20, 'shows', 15],
        [256, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
    [
      'twice as much is shown, and half of it traded',
      [
        [0, 'shows', 20],
        [50, 10],
        [55, 'shows', 10],
      ],
      0,
      0,
      0,
    ],
  ];
  test.each(cases)('%s', (_, steps, cycles, traded, hidden) => {
    const run = runOf(steps);
    expect([run.cycles, run.traded, run.hidden]).toEqual([cycles, traded, hidden]);
  });

  test('too late for "refill", though in time for a guard', () => {
    expect(
      runOf(
        [
          [0, 10],
          [5, 'shows', 0],
          [56, 'shows', 10],
        ],
        { refill: 50_000 },
      ).cycles,
    ).toBe(0);
    expect(
      runOf(
        [
          [0, 10],
          [5, 'shows', 0],
          [55, 'shows', 10],
        ],
        { refill: 50_000 },
      ).cycles,
    ).toBe(1);
  });
});

describe('a run that goes on', () => {
  test.each([
    ['a part within "refill", the peak within it', 250, 4],
    ['a part within "refill", the peak behind it', 251, 3],
    ['a part within "refill", the peak seconds later', 4000, 3],
  ] as [string, number, number][])('%s', (_, after, cycles) => {
    const run = runOf([
      ...three,
      [3000, 10],
      [3005, 'shows', 0],
      [3105, 'shows', 3],
      ...[3256, 3505].flatMap((ms): Step[] => (ms < 3005 + after ? [[ms]] : [])),
      [3005 + after, 'shows', 10],
    ]);
    expect([run.cycles, run.refills, run.over]).toEqual([cycles, cycles, null]);
  });

  test('another size stood there for long: what was traded before that brings no peak back', () => {
    const run = runOf([...three, [3000, 9], [3005, 'shows', 20], [3256], [3300, 18], [3305, 'shows', 10]]);
    expect(run.cycles).toBe(4);
    expect(runOf([...three, [3000, 9], [3005, 'shows', 20], [3256], [3305, 'shows', 10]]).cycles).toBe(3);
  });
});

describe('another size', () => {
  test.each([
    ['more stands there for long', [[0, 'shows', 20], [251]], 20, 0],
    ['more stands there for a while', [[0, 'shows', 20], [100, 'shows', 5], [300]], 10, 0],
    ['more stands there, and the peak again', [[0, 'shows', 20], [100, 'shows', 10], [300]], 10, 0],
    ['it is refilled to another', [[0, 'shows', 0], [100, 'shows', 5], [251]], 5, 0],
    ['it is refilled in two steps', [[0, 10], [0, 'shows', 0], [100, 'shows', 5], [250, 'shows', 10], [500]], 10, 1],
  ] as [string, Step[], number, number][])('%s', (_, steps, peak, refills) => {
    const run = runOf(steps);
    expect([run.peak, run.refills, run.over]).toEqual([peak, refills, null]);
  });
});

describe('over', () => {
  test.each([
    ['broken', [...three, [3000, 10], [3005, 'shows', 0], [3256]]],
    ['pulled', [...three, [3005, 'shows', 0], [3256]]],
    [null, [...three, [3005, 'shows', 0], [3255]]],
    ['held', [...three, [7021]]],
    [null, [...three, [7020]]],
    ['held', [...three, [5000, 1], [7000, 1], [7021]]],
    ['faded', [...three, [3000, 'shows', 5], [7021]]],
    ['held', [[0, 1], [4000, 1], [9001]]],
    [null, [[0, 1], [4000, 1], [9000]]],
  ] as [string | null, Step[]][])('%s %#', (over, steps) => {
    expect(runOf(steps).over).toBe(over);
  });

  test('late trades are waited for, however soon it had to be refilled', () => {
    const rules = { refill: 50_000 };
    expect(runOf([[0, 'shows', 0], [100]], rules).over).toBe(null);
    expect(runOf([[0, 'shows', 0], [101]], rules).over).toBe('pulled');
    expect(runOf([[0, 'shows', 0], [100, 10], [101]], rules).over).toBe('broken');
  });
});
