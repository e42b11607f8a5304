/** void on scripted tapes with known answers: thin runs, gaps, what a sweep leaves; refilled, broken, faded, and what is none. */
import { describe, expect, test } from 'vitest';
import { type Level, ladder, type Scanned, SECOND, scanLines, TapeBuilder } from '../scan/tape-builder.js';

const BID = 1000;
const ASK = 1001;
const SIZE = 10;

/** A scripted market around asks; `mirrored` swaps the sides: the same story for bids. A basis point is less than a tick here. */
class Story {
  readonly tape = new TapeBuilder();
  readonly #mirrored: boolean;

  /** Forty levels of 10 on each side, a minute and a quarter of quiet: what is usual is known. */
  constructor(mirrored: boolean, { levels = 40, wall = [] as Level[] } = {}) {
    this.#mirrored = mirrored;
    const [bids, asks] = ladder(BID, SIZE, SIZE, levels);
    if (mirrored) this.tape.snapshot(this.#flip(asks), this.#flip(bids));
    else this.tape.snapshot(bids, asks);
    this.asks(...wall).quiet(75);
  }

  #flip(levels: readonly Level[]): Level[] {
    return this.#mirrored ? levels.map(([price, size]): Level => [BID + ASK - price, size]) : [...levels];
  }

  asks(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth(this.#flip(levels), []);
    else this.tape.depth([], levels);
    return this;
  }

  bids(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth([], this.#flip(levels));
    else this.tape.depth(levels, []);
    return this;
  }

  buy(price: number, size: number): this {
    if (this.#mirrored) this.tape.trade(-1, BID + ASK - price, size);
    else this.tape.trade(1, price, size);
    return this;
  }

  quiet(seconds: number): this {
    const end = this.tape.t + seconds * SECOND;
    while (this.tape.t < end) this.tape.wait(Math.min(SECOND / 10, end - this.tape.t)).clock();
    return this;
  }

  scan(set: string[] = []): Promise<Scanned> {
    return scanLines(this.tape.lines, { detect: ['void'], set });
  }
}

/** Asks from the `first` to the `last` bucket beyond the touch, counted from 1, at a size. */
const buckets = (first: number, last: number, size: number): Level[] =>
  Array.from({ length: last - first + 1 }, (_, i): Level => [ASK + first - 1 + i, size]);

const outline = ({ signals }: Scanned): string[] =>
  signals
    .filter(({ phase }) => phase !== 'update')
    .map(({ phase, side, reason = '', evidence }) => `${phase} ${evidence.kind} ${side} ${reason}`.trim());

describe.each([
  ['asks', false, 'buy', 'ask'],
  ['bids', true, 'sell', 'bid'],
] as const)('%s', (_, mirrored, side, passive) => {
  const price = (ticks: number): number => (mirrored ? BID + ASK - ticks : ticks) / 10;
  const story = (options = {}): Story => new Story(mirrored, options);

  test('a uniform book, and one that gets heavier or lighter as a whole by less than the threshold: none', async () => {
    const heavier = story()
      .asks(...buckets(1, 40, 20))
      .quiet(5)
      .asks(...buckets(1, 40, 3));
    expect(outline(await heavier.quiet(5).scan())).toEqual([]);
  });

  test('buckets 3 to 8 are cut to a tenth and refilled two seconds later: one void with its exact ratio', async () => {
    const scanned = await story()
      .asks(...buckets(3, 8, 1))
      .quiet(2)
      .asks(...buckets(3, 8, SIZE))
      .quiet(5)
      .scan();
    expect(outline(scanned)).toEqual([`onset thin ${side}`, `end thin ${side} refilled`]);
    const [onset, end] = scanned.signals;
    expect(onset).toMatchObject({ price: price(1003), score: 2.25, quality: 'verified' });
    expect(onset.evidence).toMatchObject({
      ...{ kind: 'thin', passive, near: price(1003), far: price(1009), width_ticks: 6 },
      ...{ depth: 6, usual: 60, void_ratio: 0.1, other_depth: 60, other_side_ratio: 1 },
      ...{ wall_price: null, wall_size: null, wall_age_ms: null, half_life_ms: null, refill_ms: null },
    });
    expect(onset.evidence.width_bps).toBeCloseTo(60, 0);
    expect(end.evidence).toMatchObject({ depth: 60, void_ratio: 1 });
    // every line of the tape takes a microsecond more
    expect(end.evidence.half_life_ms).toBeCloseTo(2000, 0);
    expect(end.evidence.refill_ms).toBeCloseTo(2000, 0);
  });

  test('half of it is back after one second, three quarters after two: the half-life is one', async () => {
    const scanned = await story()
      .asks(...buckets(3, 8, 0))
      .quiet(1)
      .asks(...buckets(3, 5, SIZE))
      .quiet(1)
      .asks(...buckets(6, 7, SIZE))
      .quiet(2)
      .scan(['void.refill=0.75']);
    const end = scanned.signals.at(-1);
    expect(scanned.signals[0].evidence.void_ratio).toBe(0);
    expect(end).toMatchObject({ phase: 'end', reason: 'refilled', evidence: { void_ratio: 0.833333 } });
    expect(end?.evidence.half_life_ms).toBeCloseTo(1000, 0);
    expect(end?.evidence.refill_ms).toBeCloseTo(2000, 0);
  });

  test.each([
    ['two buckets', buckets(3, 4, 0)],
    ['a run that begins behind the third bucket', buckets(4, 9, 0)],
    ['a little more than a fifth', buckets(3, 8, 2.001)],
    ['two runs of two', [...buckets(1, 2, 1), ...buckets(4, 5, 1)]],
  ])('thresholds just missed: %s', async (_, levels) => {
    expect(
      outline(
        await story()
          .asks(...levels)
          .quiet(5)
          .scan(),
      ),
    ).toEqual([]);
  });

  test('and just met', async () => {
    const met = story()
      .asks(...buckets(3, 5, 2))
      .quiet(1);
    expect(outline(await met.scan())).toEqual([`onset thin ${side}`, `end thin ${side} eof`]);
  });

  test('less than 300 ms is none', async () => {
    const flicker = story()
      .asks(...buckets(3, 8, 0))
      .quiet(0.25)
      .asks(...buckets(3, 8, SIZE))
      .quiet(2);
    expect(outline(await flicker.scan())).toEqual([]);
  });

  test('both sides withdraw: two voids, each says so', async () => {
    const { signals } = await story()
      .asks(...buckets(3, 8, 1))
      .bids(...buckets(3, 8, 2).map(([at, size]): Level => [BID + ASK - at, size]))
      .quiet(2)
      .scan();
    const onsets = signals.filter(({ phase }) => phase === 'onset');
    expect(
      onsets.map((one) => [one.side === side, one.evidence.void_ratio, one.evidence.other_side_ratio]).sort(),
    ).toEqual([
      [false, 0.2, 0.1],
      [true, 0.1, 0.2],
    ]);
  });

  test('levels beyond what is known of the book are neither there nor missing', async () => {
    const known = story({ levels: 4 })
      .asks(...buckets(3, 4, 0))
      .quiet(5);
    expect(outline(await known.scan())).toEqual([]);
    const beyond = story({ levels: 4 })
      .asks(...buckets(2, 4, 0), [1010, SIZE])
      .quiet(5);
    expect(outline(await beyond.scan(['void.run=20']))).toEqual([]);
  });

  test('asks at 100.3, then 100.9: a gap with a wall behind it, until something stands in it again', async () => {
    const gap = story({ wall: [[1009, 40]] })
      .asks(...buckets(1, 2, 0), ...buckets(4, 8, 0))
      .quiet(1)
      .asks([1006, 0.001])
      .quiet(1);
    const { signals } = await gap.scan(['void.run=20']);
    expect(signals.map(({ phase, reason = '' }) => `${phase} ${reason}`)).toEqual(['onset ', 'end refilled']);
    const [onset, end] = signals;
    expect(onset).toMatchObject({ side, price: price(1003), score: 1.2 });
    expect(onset.evidence).toMatchObject({
      ...{ kind: 'gap', passive, near: price(1003), far: price(1009), width_ticks: 6, gap_ticks: 5, depth: 10 },
      ...{ usual: 60, void_ratio: 0.166667, wall_price: price(1009), wall_size: 40, wall_age_ms: 60_000 },
    });
    expect(end.evidence.half_life_ms).toBeNull();
    expect(end.evidence.refill_ms).toBeCloseTo(1000, 0);
  });

  test('four ticks are no gap; gaps that are usual are none', async () => {
    const small = story().asks(...buckets(2, 4, 0));
    expect(outline(await small.quiet(3).scan(['void.run=20']))).toEqual([]);
    const usual = story()
      .asks(...buckets(2, 7, 0))
      .quiet(10)
      .asks(...buckets(2, 2, SIZE))
      .quiet(3)
      .asks(...buckets(2, 2, 0))
      .quiet(3);
    expect(outline(await usual.scan(['void.run=20']))).toEqual([`onset gap ${side}`, `end gap ${side} refilled`]);
  });

  test.each([
    [4, null],
    [8, 40],
  ])('a wall that has stood for %d s', async (seconds, size) => {
    const { signals } = await story()
      .asks([1009, 40])
      .quiet(seconds)
      .asks(...buckets(3, 8, 0))
      .quiet(1)
      .scan();
    expect(signals[0].evidence.wall_size).toBe(size);
  });

  test('price goes through: broken', async () => {
    const through = story()
      .asks(...buckets(3, 8, 1))
      .quiet(1)
      .asks(...buckets(3, 8, SIZE))
      .quiet(0.2)
      .asks(...buckets(1, 8, 0))
      .bids(...buckets(1, 8, SIZE))
      .quiet(1);
    const scanned = await through.scan();
    expect(outline(scanned)).toEqual([`onset thin ${side}`, `end thin ${side} broken`]);
    // what was back for a moment did not last
    expect(scanned.signals.at(-1)?.evidence.refill_ms).toBeNull();
  });

  test('price goes away: faded', async () => {
    const away = story()
      .asks(...buckets(3, 8, 1))
      .quiet(1);
    for (let at = BID; at > BID - 30; at--) away.bids([at, 0]).asks([at, SIZE]);
    const scanned = await away.quiet(1).scan();
    expect(outline(scanned)).toEqual([`onset thin ${side}`, `end thin ${side} faded`]);
    expect(scanned.signals.at(-1)?.evidence.refill_ms).toBeNull();
  });

  test('a lost update in the middle: gap; then nothing until what is usual is known again', async () => {
    const lost = story()
      .asks(...buckets(3, 8, 0))
      .quiet(1);
    lost.tape.depth([], [], { lost: 1 });
    const scanned = await lost.quiet(1).scan();
    expect(outline(scanned)).toEqual([`onset thin ${side}`, `end thin ${side} gap`]);
    expect(scanned.signals.at(-1)?.quality).toBe('suspect');
  });

  describe('what a sweep leaves', () => {
    const only = ['void.run=20', 'void.ticks=100'];

    /** A buy of `size` that leaves `rest` at each of the buckets 3 to 10; the book tells of it before or after the trades. */
    const swept = (size: number, rest: number, bookFirst: boolean): Story => {
      const after = [...buckets(1, 2, 0), ...buckets(3, 10, rest)];
      // the book is looked at every fifth of a second: here, once between it and the trades
      const sweep = story().quiet(0.15);
      if (bookFirst) sweep.asks(...after).quiet(0.09);
      sweep.tape.wait(1000);
      for (let left = size, at = ASK; left > 0; left -= SIZE, at++) sweep.buy(at, Math.min(left, SIZE));
      sweep.tape.wait(1000);
      if (!bookFirst) sweep.asks(...after);
      return sweep;
    };

    test.each([true, false])('book first: %s', async (bookFirst) => {
      const sweep = swept(15, 3, bookFirst)
        .quiet(3)
        .asks(...buckets(3, 10, SIZE))
        .quiet(2);
      const scanned = await sweep.scan(only);
      expect(outline(scanned)).toEqual([`onset post-sweep ${side}`, `end post-sweep ${side} refilled`]);
      const [onset, end] = scanned.signals;
      expect(onset.evidence).toMatchObject({
        ...{ passive, near: price(1003), far: price(1006), swept: 15, depth: 9, usual: 30, void_ratio: 0.3 },
        ...{ other_depth: 30, other_side_ratio: 1, half_life_ms: null },
      });
      expect(onset.evidence.first).toBeLessThan(onset.evidence.last - 200_000);
      expect(onset.evidence.last - onset.evidence.first).toBeLessThan(500_000);
      expect(end.evidence).toMatchObject({ depth: 30, void_ratio: 1 });
      expect(Number(end.evidence.half_life_ms)).toBeGreaterThan(3000);
      expect(Number(end.evidence.half_life_ms)).toBeLessThan(3300);
    });

    test.each([
      ['an order of less than half of it', 14.999, 3],
      ['more than 30 % is left', 15, 3.001],
    ])('just missed: %s', async (_, size, rest) => {
      expect(outline(await swept(size, rest, false).quiet(3).scan(only))).toEqual([]);
    });

    test('what is back within 200 ms is none', async () => {
      const back = swept(15, 3, false)
        .quiet(0.15)
        .asks(...buckets(3, 10, SIZE))
        .quiet(3);
      expect(outline(await back.scan(only))).toEqual([]);
    });

    test('an order that comes while another waits is looked at, too', async () => {
      const order = (at: Story): Story => at.buy(ASK, 10).buy(ASK + 1, 5);
      // nothing is missing behind the first one, and the book shows the second one after the first was looked at
      const two = order(order(story().quiet(0.01)).quiet(0.09).quiet(0.2)).quiet(0.12);
      two.asks(...buckets(1, 2, 0), ...buckets(3, 10, 3)).quiet(3);
      const scanned = await two.scan(only);
      expect(outline(scanned)).toEqual([`onset post-sweep ${side}`, `end post-sweep ${side} eof`]);
      expect(scanned.signals[0].evidence).toMatchObject({ near: price(1003), swept: 15, depth: 9, usual: 30 });
      const first = order(story().quiet(0.01)).quiet(0.09).quiet(0.32);
      first.asks(...buckets(1, 2, 0), ...buckets(3, 10, 3)).quiet(3);
      expect(outline(await first.scan(only))).toEqual([]);
    });

    test('depth that goes without a trade is none', async () => {
      const pulled = story().asks(...buckets(1, 2, 0), ...buckets(3, 10, 1));
      expect(outline(await pulled.quiet(3).scan(only))).toEqual([]);
    });
  });
});

test('a crossed or one-sided book starts nothing', async () => {
  const crossed = new Story(false).bids([ASK + 20, SIZE]).asks(...buckets(3, 8, 0));
  expect(outline(await crossed.quiet(3).scan())).toEqual([]);
  const oneSided = new Story(false).bids(...Array.from({ length: 40 }, (_, i): Level => [BID - i, 0]));
  expect(
    outline(
      await oneSided
        .asks(...buckets(3, 8, 0))
        .quiet(3)
        .scan(),
    ),
  ).toEqual([]);
});

test('nothing is said before a minute of data', async () => {
  const tape = new TapeBuilder();
  tape.snapshot(...ladder(BID, SIZE, SIZE, 40));
  for (let i = 0; i < 500; i++) tape.wait(SECOND / 10).clock();
  tape.depth([], buckets(2, 9, 0));
  for (let i = 0; i < 90; i++) tape.wait(SECOND / 10).clock();
  expect(outline(await scanLines(tape.lines, { detect: ['void'] }))).toEqual([]);
});
