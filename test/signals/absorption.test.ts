/** absorption on scripted tapes with known answers: held, broken, pulled, and what is none. */
import { describe, expect, test } from 'vitest';
import {
  type Level,
  ladder,
  type Scanned,
  SECOND,
  START,
  scanLines,
  TapeBuilder,
  type TapeOptions,
} from '../scan/tape-builder.js';
import { BybitTape } from './bybit-lines.js';

const detect = ['absorption'];
const BID = 1000;

/** A scripted market; `mirrored` swaps the sides: the same story for buys and for sells. */
class Story {
  readonly tape: TapeBuilder;
  readonly #mirrored: boolean;
  readonly #bookFirst: boolean;

  constructor({ mirrored = false, bookFirst = false, tape = {} as TapeOptions } = {}) {
    this.#mirrored = mirrored;
    this.#bookFirst = bookFirst;
    this.tape = new TapeBuilder(tape);
    const [bids, asks] = ladder(BID, 10, 10);
    const sides: [Level[], Level[]] = mirrored ? [this.#levels(asks), this.#levels(bids)] : [bids, asks];
    this.tape.snapshot(...sides);
    for (let i = 0; i < 240; i++) {
      this.tape.wait(SECOND / 2);
      this.#trade(i % 2 === 0 ? 1 : -1, i % 2 === 0 ? BID + 1 : BID, 1);
    }
  }

  #levels(levels: readonly Level[]): Level[] {
    return this.#mirrored ? levels.map(([price, size]): Level => [2 * BID + 1 - price, size]) : [...levels];
  }

  #trade(side: 1 | -1, price: number, size: number): void {
    if (this.#mirrored) this.tape.trade(-side as 1 | -1, 2 * BID + 1 - price, size);
    else this.tape.trade(side, price, size);
  }

  asks(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth(this.#levels(levels), []);
    else this.tape.depth([], levels);
    return this;
  }

  bids(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth([], this.#levels(levels));
    else this.tape.depth(levels, []);
    return this;
  }

  /** A buy of `size` at `price` that leaves `rest` displayed there. */
  buy(price: number, size: number, rest: number): this {
    if (this.#bookFirst) this.asks([price, rest]);
    this.tape.wait(1000);
    this.#trade(1, price, size);
    this.tape.wait(1000);
    if (!this.#bookFirst) this.asks([price, rest]);
    return this;
  }

  /** Twenty buys of 5 at an ask of 10 that is refilled after each. */
  absorb(): this {
    for (let i = 0; i < 20; i++) {
      this.tape.wait(200_000);
      this.buy(BID + 1, 5, 5);
      this.tape.wait(2000);
      this.asks([BID + 1, 10]);
    }
    return this;
  }

  quiet(seconds: number): this {
    for (let i = 0; i < seconds * 10; i++) this.tape.wait(SECOND / 10).clock();
    return this;
  }

  scan(set: string[] = []): Promise<Scanned> {
    return scanLines(this.tape.lines, { detect, set });
  }
}

const outline = ({ signals }: Scanned): string[] =>
  signals
    .filter(({ phase }) => phase !== 'update')
    .map(({ phase, side, reason = '' }) => `${phase} ${side} ${reason}`.trim());

describe.each([
  ['buys, trade first', { mirrored: false, bookFirst: false }, 'sell', 'buys', 'ask', 100.1],
  ['buys, book first', { mirrored: false, bookFirst: true }, 'sell', 'buys', 'ask', 100.1],
  ['sells, trade first', { mirrored: true, bookFirst: false }, 'buy', 'sells', 'bid', 100],
  ['sells, book first', { mirrored: true, bookFirst: true }, 'buy', 'sells', 'bid', 100],
] as const)('%s', (_, options, side, absorbed, passive, price) => {
  test('a level refilled after each of twenty orders of 5: one event, 100 absorbed, 100 refilled, held', async () => {
    const scanned = await new Story(options).absorb().quiet(20).scan();
    expect(outline(scanned)).toEqual([`onset ${side}`, `end ${side} held`]);
    const [onset] = scanned.signals;
    const end = scanned.signals.at(-1);
    expect(onset).toMatchObject({ price, quality: 'verified', evidence: { absorbed, passive, kind: 'composite' } });
    expect(onset.evidence.displacement_ticks).toBe(0);
    // 105: the five usual orders of 1 in the window's first seconds count as well
    expect(end?.evidence).toMatchObject({ max_displayed: 10, level_low: price, level_high: price });
    expect(Number(end?.evidence.absorbed_size)).toBeGreaterThanOrEqual(100);
    expect(Number(end?.evidence.absorbed_size)).toBeLessThanOrEqual(110);
    expect(end?.evidence.refill_lb).toBe(end?.evidence.absorbed_size);
  });

  test('what was cancelled longer than a window ago is not told any more, also where nothing was traded there since', async () => {
    const story = new Story(options).absorb().asks([BID + 1, 4]);
    for (let i = 0; i < 60; i++) {
      story.tape.wait(200_000);
      story.buy(BID + 2, 5, 10);
    }
    const { signals } = await story.quiet(20).scan();
    const end = signals.at(-1);
    expect(end).toMatchObject({ phase: 'end', reason: 'held', evidence: { cancel_lb: 0, level_low: price } });
    expect(Date.parse(String(end?.time)) * 1000).toBeGreaterThan(START + 137 * SECOND);
  });

  test('the level is consumed at last, and price goes on: broken', async () => {
    const story = new Story(options).absorb();
    for (let price = BID + 1; price < BID + 6; price++) story.buy(price, 10, 0);
    story.bids([BID + 1, 3]).quiet(5);
    expect(outline(await story.scan())).toEqual([`onset ${side}`, `end ${side} broken`]);
  });

  test('the level is taken away without trades: pulled', async () => {
    const story = new Story(options).absorb().quiet(1);
    for (let price = BID + 1; price < BID + 6; price++) story.asks([price, 0]);
    expect(outline(await story.quiet(5).scan())).toEqual([`onset ${side}`, `end ${side} pulled`]);
  });

  test('the same volume that walks the book is none', async () => {
    const story = new Story(options);
    for (let i = 0; i < 10; i++)
      story
        .quiet(0.4)
        .buy(BID + 1 + i, 10, 0)
        .bids([BID + 1 + i, 10]);
    expect(outline(await story.quiet(20).scan())).toEqual([]);
  });

  test('a deep level that is not refilled is none', async () => {
    const story = new Story(options).asks([BID + 1, 150]).quiet(11);
    for (let i = 0; i < 20; i++) story.quiet(0.2).buy(BID + 1, 5, 150 - 5 * (i + 1));
    expect(outline(await story.quiet(20).scan())).toEqual([]);
  });

  test('a lost update in the middle: gap', async () => {
    const story = new Story(options).absorb();
    story.tape.depth([], [], { lost: 1 });
    const scanned = await story.quiet(5).scan();
    expect(outline(scanned)).toEqual([`onset ${side}`, `end ${side} gap`]);
    expect(scanned.signals.at(-1)?.quality).toBe('suspect');
  });
});

test('other kinds go by their own rule', async () => {
  const walked = (): Story => {
    const story = new Story();
    for (let i = 0; i < 10; i++)
      story
        .quiet(0.4)
        .buy(BID + 1 + i, 10, 0)
        .bids([BID + 1 + i, 10]);
    return story.quiet(20);
  };
  const deep = (): Story => {
    const story = new Story().asks([BID + 1, 150]).quiet(11);
    for (let i = 0; i < 20; i++) story.quiet(0.2).buy(BID + 1, 5, 150 - 5 * (i + 1));
    return story.quiet(20);
  };
  const onsets = async (story: Story, kind: string): Promise<number> =>
    (await story.scan([`absorption.kind=${kind}`])).signals.filter(
      ({ phase, side }) => phase === 'onset' && side === 'sell',
    ).length;
  // A: volume at one level; B: volume without displacement; C: refill
  expect(await onsets(new Story().absorb().quiet(20), 'A')).toBe(1);
  expect(await onsets(new Story().absorb().quiet(20), 'B')).toBe(1);
  expect(await onsets(new Story().absorb().quiet(20), 'C')).toBe(1);
  expect([await onsets(deep(), 'A'), await onsets(deep(), 'B'), await onsets(deep(), 'C')]).toEqual([1, 1, 0]);
  expect(await onsets(walked(), 'B')).toBe(0);
});

test('refill without stillness: C but not composite', async () => {
  const fallen = (): Story => {
    const story = new Story();
    const gone = [1000, 999, 998, 997, 996].map((price): Level => [price, 0]);
    story.bids(...gone).asks(...[996, 997, 998, 999, 1000].map((price): Level => [price, 10]));
    for (let i = 0; i < 20; i++) story.quiet(0.2).buy(996, 5, 5).asks([996, 10]);
    return story.quiet(2);
  };
  expect(outline(await fallen().scan())).toEqual([]);
  expect(outline(await fallen().scan(['absorption.kind=C']))).toEqual(['onset sell', 'end sell eof']);
});

test('a coarser level joins ticks: supply that moves by a tick is one absorber', async () => {
  const story = new Story();
  for (let i = 0; i < 20; i++) {
    const price = BID + 1 + (i % 2);
    story
      .quiet(0.2)
      .asks([BID + 1, i % 2 === 0 ? 10 : 0], [BID + 2, 10])
      .buy(price, 5, 5);
  }
  story.quiet(20);
  // 100 bps of 100 are ten ticks, so cells of 16
  expect(outline(await story.scan(['absorption.zone=100', 'absorption.ratio=0.3', 'absorption.refill=0.3']))).toEqual([
    'onset sell',
    'end sell held',
  ]);
});

test('neither scale nor unit of prices and sizes changes a ratio', async () => {
  const facts = ({ signals }: Scanned): unknown[] =>
    signals.map(({ time, phase, side, score, evidence }) => [time, phase, side, score, evidence.displacement_ticks]);
  const plain = facts(await new Story().absorb().quiet(20).scan());
  const tiny: TapeOptions = {
    tick: '0.0000001',
    lot: '0.000001',
    price: (ticks) => `0.000${String(ticks).padStart(4, '0')}`,
    size: (size) => `0.${String(size).padStart(6, '0')}`,
  };
  const huge: TapeOptions = {
    tick: '100000',
    lot: '1000000',
    price: (ticks) => `${ticks}00000`,
    size: (size) => `${size}000000`,
  };
  for (const tape of [tiny, huge]) expect(facts(await new Story({ tape }).absorb().quiet(20).scan())).toEqual(plain);
  expect(plain).toHaveLength(plain.length);
  expect(plain.length).toBeGreaterThan(1);
});

test('every trade of a message that hits the level is absorbed, not its last one alone', async () => {
  const absorbed = async (orders: number): Promise<number> => {
    const tape = new BybitTape().book('snapshot', ...ladder(BID, 10, 10));
    for (let i = 0; i < 240; i++) tape.wait(SECOND / 2).trades([i % 2 === 0 ? [1, BID + 1, 1] : [-1, BID, 1]]);
    for (let i = 0; i < orders; i++) {
      tape.wait(200_000).trades([
        [1, BID + 1, 2],
        [1, BID + 1, 3],
        [-1, BID, 0.001],
      ]);
      tape.wait(2000).book('delta', [], [[BID + 1, 10]]);
    }
    for (let i = 0; i < 100; i++) tape.wait(200_000).book('delta', [[BID - 9, 10 + (i % 2)]], []);
    const { signals } = await scanLines(tape.lines, { detect });
    expect(signals.at(-1)?.reason).toBe('held');
    return Number(signals.at(-1)?.evidence.absorbed_size);
  };
  expect((await absorbed(24)) - (await absorbed(20))).toBe(20);
});

describe.each([
  ['asks absorb buys', 1, 20_000],
  ['bids absorb sells', -1, 19_999],
] as const)('%s', (_, aggressor, level) => {
  /** The level of 10 is hit by 5 and refilled 35 times, with 500 a tick behind it; a minute turns after the 25th. */
  const story = (amid: [Level[], Level[]][]): TapeBuilder => {
    const tape = new TapeBuilder();
    const [bids, asks] = ladder(19_999, 10, 10);
    const [own, behind] = aggressor > 0 ? [asks, 20_001] : [bids, 19_998];
    own[1] = [behind, 500];
    tape.snapshot(bids, asks);
    for (let i = 0; i < 340; i++) tape.wait(SECOND / 2).trade(i % 2 === 0 ? 1 : -1, i % 2 === 0 ? 20_000 : 19_999, 1);
    const shows = (size: number): TapeBuilder =>
      aggressor > 0 ? tape.depth([], [[level, size]]) : tape.depth([[level, size]], []);
    const hit = (): void => {
      tape.wait(200_000).trade(aggressor, level, 5).wait(1000);
      shows(5).wait(2000);
      shows(10);
    };
    tape.wait(START + 174 * SECOND - tape.t);
    for (let i = 0; i < 25; i++) hit();
    tape.wait(START + 180 * SECOND + 20_000 - tape.t);
    for (const [bidChanges, askChanges] of amid) tape.depth(bidChanges, askChanges).wait(30_000);
    for (let i = 0; i < 10; i++) hit();
    for (let i = 0; i < 200; i++) tape.wait(SECOND / 10).clock();
    return tape;
  };
  /** For 30 ms the mid is above 2000.0, from where on half a basis point is more than a tick. */
  const above: [Level[], Level[]][] =
    aggressor > 0
      ? [
          [[[20_000, 3]], [[20_000, 0]]],
          [[[20_000, 0]], [[20_000, 10]]],
        ]
      : [
          [
            [],
            [
              [20_000, 0],
              [20_001, 0],
            ],
          ],
          [
            [],
            [
              [20_000, 10],
              [20_001, 10],
            ],
          ],
        ];
  const facts = ({ evidence }: Scanned['signals'][number]): unknown[] => [
    ...[evidence.absorbed_size, evidence.refill_lb, evidence.cancel_lb, evidence.max_displayed],
    ...[evidence.level_low, evidence.level_high],
  ];

  test('cells become wider amid an event: its bounds stay those of its own level', async () => {
    const { signals } = await scanLines(story(above).lines, { detect });
    // 25 orders of 5 and five usual ones of 1 before the minute turned, of which the last was not to be seen in the book yet
    const last = [180, 125, 0, 10, level / 10, level / 10];
    expect(facts(signals[signals.length - 1])).toEqual(last);
    for (const { evidence } of signals) {
      expect(evidence).toMatchObject({ max_displayed: 10, level_low: level / 10, level_high: level / 10 });
      expect(Number(evidence.refill_lb)).toBeLessThanOrEqual(Number(evidence.absorbed_size));
    }
  });

  test('where they stay as they are, all of it is known', async () => {
    const { signals } = await scanLines(story([]).lines, { detect });
    expect(facts(signals[signals.length - 1])).toEqual([180, 180, 0, 10, level / 10, level / 10]);
  });
});
