/** iceberg on scripted tapes with known answers: refills to one peak, seen or hidden by conflation, how they end, and what is none. */
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { randomFrom } from '../scan/random-tape.js';
import { type Scanned, SECOND, type TapeOptions } from '../scan/tape-builder.js';
import { ASK, BID, LevelStory, type LevelStoryOptions } from './level-story.js';

/** Small orders each way, until it is known what is usual. */
function start(options: LevelStoryOptions = {}): LevelStory {
  return new LevelStory({ ...options, quiet: 1 }).smallOrders().quiet(6);
}

interface ClipOptions {
  bookFirst?: boolean;
  /** ms from depleted to refilled */
  after?: number;
  /** what is displayed when it is refilled; 0: nothing */
  to?: number;
}

/** An order takes the best ask, 10, and it is back a little later. */
function clip(story: LevelStory, { bookFirst = false, after = 20, to = 10 }: ClipOptions = {}): LevelStory {
  if (!bookFirst) story.buy(ASK, 10).pause(5);
  story.asks([ASK, 0]);
  if (bookFirst) story.pause(5).buy(ASK, 10);
  story.pause(after);
  if (to > 0) story.asks([ASK, to]);
  return story.pause(300);
}

function clips(story: LevelStory, count: number, options: ClipOptions = {}): LevelStory {
  for (let i = 0; i < count; i++) clip(story, options);
  return story;
}

const outline = ({ signals }: Scanned): string[] =>
  signals.map(({ phase, side, reason = '', evidence }) =>
    [phase, side, reason, evidence.cycles, evidence.hidden_lb].join(' '),
  );
const scan = (story: LevelStory, ...set: string[]): Promise<Scanned> => story.scan('iceberg', set, 7);

const stories: [string, LevelStoryOptions, ClipOptions][] = [
  ['asks, trades first', {}, {}],
  ['asks, book first', {}, { bookFirst: true }],
  ['bids, trades first', { mirrored: true }, {}],
  ['bids, book first', { mirrored: true }, { bookFirst: true }],
];

describe.each(stories)('%s', (_, options, told) => {
  const side = options.mirrored ? 'buy' : 'sell';

  test('an iceberg of 100 with a peak of 10: nine refills, 90 hidden', async () => {
    const { signals } = await scan(clips(start(options), 9, told).buy(ASK, 10).asks([ASK, 0]));
    const ends = signals.filter(({ phase }) => phase === 'end');
    expect(signals.filter(({ phase }) => phase === 'onset')).toHaveLength(1);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({
      ...{ signal: 'iceberg', side, reason: 'broken', price: options.mirrored ? BID / 10 : ASK / 10, score: 9 },
      evidence: {
        ...{ passive: options.mirrored ? 'bid' : 'ask', confidence: 'weak', peak: 10, cycles: 9, traded: 90 },
        ...{ hidden_lb: 90, size_gate: 1, displayed: 0 },
      },
    });
    expect(Number(ends[0].evidence.refill_ms)).toBeCloseTo(told.bookFirst ? 25 : 20, 1);
  });

  test('the third refill makes it one, as soon as trades and book have shown it', async () => {
    const story = clips(start(options), 2, told);
    if (told.bookFirst) story.asks([ASK, 0]).pause(20).asks([ASK, 10]).pause(10);
    else story.buy(ASK, 10).pause(20).asks([ASK, 0]).pause(10);
    const at = story.tape.t;
    if (told.bookFirst) story.buy(ASK, 10);
    else story.asks([ASK, 10]);
    const result = await scan(story);
    expect(outline(result)).toEqual([`onset ${side}  3 30`, `end ${side} held 3 30`]);
    expect(result.signals[0].time).toBe(formatTime(at));
  });

  test('depletion that conflation hides: the peak still stands an interval after so much was traded', async () => {
    const story = start(options);
    for (let i = 0; i < 3; i++) story.buy(ASK, 6).pause(2).buy(ASK, 5).pause(400);
    const result = await scan(story);
    expect(outline(result)).toEqual([`onset ${side}  3 33`, `end ${side} held 3 33`]);
    expect(result.signals[0].evidence).toMatchObject({ peak: 10, traded: 33, refill_ms: null });
  });
});

test('what the first orders took of the book, which may tell of it before them, is none of what was hidden', async () => {
  // 2 of 12 are gone as 12 are told to be traded: 10 were added
  const first = start().asks([ASK, 12]).pause(300).asks([ASK, 10]).pause(20).buy(ASK, 12);
  const story = clips(first.quiet(0.3), 1);
  expect(outline(await scan(story, 'cycles=2'))).toEqual(['onset sell  2 20', 'end sell held 2 20']);
});

describe('a book that comes later than trades', () => {
  /** Three orders that take more than the ask displays; books that come meanwhile are older, until `caughtUp` tells what it is now. */
  const behind = (caughtUp: (story: LevelStory) => LevelStory): LevelStory => {
    const story = start();
    const matched = Math.floor(story.tape.t / 1000) + 1500;
    for (let i = 0; i < 3; i++) {
      story.tape.trade(1, ASK, 11, { matched: matched + i });
      for (let n = 0; n < 4; n++) story.pause(80).asks([ASK + 20, 5 + n]);
    }
    return caughtUp(story.pause(1000));
  };

  test('does not show that the peak still stands', async () => {
    expect(
      outline(
        await scan(
          behind((story) => story.asks([ASK, 0])),
          'cycles=2',
        ),
      ),
    ).toEqual([]);
  });

  test('shows it once it is as new as they are: a cycle, and one more for all that was traded meanwhile', async () => {
    const story = behind((told) =>
      told
        .asks([ASK + 20, 10])
        .quiet(0.5)
        .asks([ASK, 0]),
    );
    expect(outline(await scan(story, 'cycles=2'))).toEqual(['onset sell  2 33', 'end sell pulled 2 33']);
  });
});

describe('what is no iceberg', () => {
  const parts = (traded: number, shown: number): LevelStory => {
    const story = start();
    for (let i = 0; i < 12; i++)
      story.buy(ASK, traded).pause(5).asks([ASK, shown]).pause(50).asks([ASK, 10]).pause(300);
    return story;
  };
  const cases: [string, () => LevelStory, string[]?][] = [
    ['two refills', () => clips(start(), 2)],
    ['refills that come too late', () => clips(start(), 5, { after: 251 })],
    ['refills that come too late for a guard as long', () => clips(start(), 5, { after: 60 }), ['refill=59ms']],
    ['another size each time', () => [4, 12, 6, 20, 9, 3].reduce((story, to) => clip(story, { to }), start())],
    ['a level that is taken away and shown again', () => flicker(5)],
    ['a level that is topped up after small trades', () => parts(4, 6)],
    ['a level of which a little less than enough is traded', () => parts(7.9, 2.1)],
    ['a level that is never down to a fifth', () => shallow(4)],
    ['many small trades against much', () => slow(40)],
    ['trades that are shown a little later', () => late(3)],
    [
      'less hidden than is usual for an order',
      () =>
        clips(
          start()
            .buy(ASK + 30, 31)
            .quiet(3),
          3,
        ),
      ['quantile=1'],
    ],
    ['less hidden than asked for', () => clips(start(), 3), ['size=30.001']],
    ['pauses that are too long', () => apart(5.1)],
  ];
  test.each(cases)('%s', async (_, story, set = []) => {
    expect(outline(await scan(story(), ...set))).toEqual([]);
  });

  test('two makers who refill by chance', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = randomFrom(seed);
      const story = start();
      let shown = 10;
      for (let i = 0; i < 30; i++) {
        story.buy(ASK, shown).pause(5).asks([ASK, 0]).pause(20);
        const first = 1 + Math.floor(random() * 30);
        shown = first + 1 + Math.floor(random() * 30);
        story.asks([ASK, first]).pause(20).asks([ASK, shown]).pause(300);
      }
      expect(outline(await scan(story))).toEqual([]);
    }
  });

  test('nearly the same is one', async () => {
    const onsets = async (story: LevelStory, ...set: string[]): Promise<string[]> =>
      outline(await scan(story, ...set)).filter((line) => line.startsWith('onset'));
    const one = ['onset sell  3 30'];
    expect(await onsets(clips(start(), 2), 'cycles=2')).toEqual(['onset sell  2 20']);
    expect(await onsets(clips(start(), 3, { after: 249 }))).toEqual(one);
    expect(await onsets(clips(start(), 3, { after: 60 }), 'refill=61ms')).toEqual(one);
    expect(await onsets([9, 11, 10].reduce((story, to) => clip(story, { to }), start()))).toHaveLength(1);
    expect(await onsets(parts(8, 2))).toHaveLength(1);
    expect(await onsets(clips(start(), 3), 'size=30')).toEqual(one);
    expect(await onsets(clips(start(), 3), 'quantile=1')).toEqual(one);
    expect(await onsets(apart(4.6))).toEqual(one);
    // it was larger at first: the size that repeats counts
    expect(await onsets(clips(clip(start().asks([ASK, 25])), 3))).toEqual(one);
  });

  test('what was lost is not known: nothing is counted across it, and what is open ends', async () => {
    const across = async (count: number, tell: (story: LevelStory) => unknown): Promise<string[]> => {
      const story = clips(start(), count);
      tell(story);
      return outline(await scan(clips(story, 2)));
    };
    const again = (story: LevelStory): LevelStory =>
      story.book([], [], 1).snapshot(
        [
          [BID, 10],
          [BID - 40, 10],
        ],
        [
          [ASK, 10],
          [ASK + 40, 10],
        ],
      );
    expect(await across(2, () => {})).toEqual(['onset sell  3 30', 'end sell held 4 40']);
    expect(await across(2, again)).toEqual([]);
    expect(await across(2, (story) => story.sell(BID - 30, 1, 1))).toEqual([]);
    expect(await across(2, (story) => story.bids([ASK + 1, 1]).bids([ASK + 1, 0]))).toEqual([]);
    expect(await across(3, again)).toEqual(['onset sell  3 30', 'end sell gap 3 30']);
    expect(await across(3, (story) => story.bids([ASK + 1, 1]).bids([ASK + 1, 0]))).toEqual([
      'onset sell  3 30',
      'end sell faded 3 30',
    ]);
  });
});

describe('ends', () => {
  test.each([
    ['broken', (story: LevelStory) => story.buy(ASK, 10).asks([ASK, 0])],
    ['broken', (story: LevelStory) => story.asks([ASK, 0]).pause(90).buy(ASK, 10)],
    ['broken', (story: LevelStory) => story.buy(ASK, 5).asks([ASK, 0])],
    ['pulled', (story: LevelStory) => story.buy(ASK, 4.9).asks([ASK, 0])],
    ['pulled', (story: LevelStory) => story.asks([ASK, 0])],
    ['held', (story: LevelStory) => story],
    ['held', (story: LevelStory) => story.buy(ASK, 3)],
    ['faded', (story: LevelStory) => story.asks([ASK, 4])],
    ['faded', (story: LevelStory) => story.asks([ASK, 40])],
  ] as const)('%s', async (reason, tell) => {
    expect(outline(await scan(tell(clips(start(), 3))))).toEqual(['onset sell  3 30', `end sell ${reason} 3 30`]);
  });

  test('a refill that is shown in part comes too late where the peak does', async () => {
    const late = (seconds: number): LevelStory =>
      clips(start(), 3).buy(ASK, 10).pause(5).asks([ASK, 0]).pause(100).asks([ASK, 3]).quiet(seconds).asks([ASK, 10]);
    expect(outline(await scan(late(0.1)))).toEqual(['onset sell  3 30', 'end sell held 4 40']);
    expect(outline(await scan(late(4)))).toEqual(['onset sell  3 30', 'end sell held 3 30']);
  });

  test('what is gone is said when the refill is overdue, what stands when no cycle came for long', async () => {
    const story = clips(start(), 3);
    const held = story.tape.t - 300_001;
    const seconds = async (told: LevelStory, since: number): Promise<number> => {
      const { time } = (await scan(told)).signals[1];
      return (Date.parse(`${time.slice(0, 23)}Z`) * 1000 - since) / SECOND;
    };
    expect(await seconds(story, held)).toBeCloseTo(5, 0);
    const pulled = clips(start(), 3);
    const at = pulled.tape.t;
    expect(await seconds(pulled.asks([ASK, 0]), at)).toBeCloseTo(0.3, 1);
  });
});

test('cycles farther apart than "fade" are none of one row, whatever small orders come between, and only the row counts', async () => {
  const small = (story: LevelStory): LevelStory => {
    for (let i = 0; i < 12; i++) story.buy(ASK, 1).pause(5).asks([ASK, 9]).pause(20).asks([ASK, 10]).pause(500);
    return story;
  };
  const far = start();
  for (let i = 0; i < 4; i++) small(clip(far));
  expect(outline(await scan(far))).toEqual([]);
  expect(outline(await scan(clips(far, 3).quiet(6)))).toEqual(['onset sell  3 30', 'end sell held 3 30']);
});

test('an event that goes on is told of at most once a second', async () => {
  const { signals } = await scan(clips(start(), 20));
  const updates = signals.filter(({ phase }) => phase === 'update');
  expect(updates.length).toBeGreaterThan(2);
  expect(updates.length).toBeLessThan(7);
  expect(signals.filter(({ phase }) => phase === 'onset')).toHaveLength(1);
  expect(new Set(signals.map(({ id }) => id)).size).toBe(1);
});

test('several prices at a time', async () => {
  const story = start();
  for (let i = 0; i < 3; i++)
    for (const price of [ASK, ASK + 1]) story.buy(price, 10).asks([price, 0]).pause(20).asks([price, 10]).pause(100);
  const { signals } = await scan(story);
  expect(signals.map(({ phase, price }) => `${phase} ${price}`).sort()).toEqual(
    [ASK, ASK + 1].flatMap((price) => [`end ${price / 10}`, `onset ${price / 10}`]).sort(),
  );
});

test('before it is known what orders usually are nothing is said', async () => {
  expect(outline(await scan(clips(new LevelStory({ quiet: 20 }), 4)))).toEqual([]);
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
  const facts: unknown[][] = [];
  for (const tape of tapes)
    facts.push(
      (await scan(clips(start({ tape }), 5))).signals.map(({ time, phase, score, evidence }) => [
        ...[time, phase, score, evidence.cycles, evidence.refill_ms, evidence.cycle_ms],
      ]),
    );
  expect(facts[0].length).toBeGreaterThan(1);
  expect(facts[1]).toEqual(facts[0]);
  expect(facts[2]).toEqual(facts[0]);
});

/** Cycles with so many seconds between them. */
function apart(seconds: number): LevelStory {
  const story = start();
  for (let i = 0; i < 3; i++) clip(story).quiet(seconds - 0.3);
  return story;
}

/** The level goes and comes back, and nobody trades with it but once. */
function flicker(count: number): LevelStory {
  const story = start().buy(ASK, 1).asks([ASK, 9]).pause(200).asks([ASK, 10]).pause(200);
  for (let i = 0; i < count; i++) story.asks([ASK, 0]).pause(50).asks([ASK, 10]).pause(200);
  return story;
}

/** Half of a level is traded, some of it comes back, half is traded again, and the level is whole a moment later. */
function shallow(count: number): LevelStory {
  const story = start();
  for (let i = 0; i < count; i++)
    for (const [traded, left, refilled] of [
      [5, 5, 8],
      [4, 4, 10],
    ])
      story.buy(ASK, traded).pause(5).asks([ASK, left]).pause(295).asks([ASK, refilled]).pause(300);
  return story;
}

/** Trades of a quarter of the level, a second apart, that the book hardly shows. */
function slow(count: number): LevelStory {
  const story = start();
  for (let i = 0; i < count; i++) story.buy(ASK, 2.5).pause(1000);
  return story;
}

/** The level is consumed and another of its size shown long after, three times; the book is behind by most of a guard. */
function late(count: number): LevelStory {
  const story = start();
  for (let i = 0; i < count; i++) story.buy(ASK, 10).pause(99).asks([ASK, 0]).pause(400).asks([ASK, 10]).pause(400);
  return story;
}
