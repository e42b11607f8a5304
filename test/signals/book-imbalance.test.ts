/** book-imbalance on scripted books with known answers. */
import { describe, expect, test } from 'vitest';
import { imbalance } from '../../src/market/lean.js';
import { type Level, ladder, SECOND, scanLines, summary, TapeBuilder } from '../scan/tape-builder.js';
import { BybitTape } from './bybit-lines.js';

const detect = ['book-imbalance'];

test.each([
  [1_000_000, 200_000, 0.666667],
  [3, 1, 0.5],
  [10, 1, 0.818182],
  [1, 1, 0],
])('%d against %d is %d, mirrored and scaled alike', (bid, ask, expected) => {
  expect(imbalance(bid, ask) / 1e6).toBe(expected);
  expect(imbalance(ask, bid) / 1e6).toBe(-expected + 0);
  expect(imbalance(bid * 2 ** 20, ask * 2 ** 20) / 1e6).toBe(expected);
});

test('an empty side is null', () => {
  expect(imbalance(5, 0)).toBeNaN();
  expect(imbalance(0, 5)).toBeNaN();
});

/** A book of 10 against 1 for some seconds, then of 1 against 1. */
function leaning(bidSize: number, askSize: number, seconds: number): TapeBuilder {
  const tape = new TapeBuilder().snapshot(...ladder(1000, bidSize, askSize));
  for (let i = 0; i < seconds * 10; i++) tape.wait(100_000).clock();
  tape.depth(...ladder(1000, 4, 4));
  for (let i = 0; i < 100; i++) tape.wait(100_000).clock();
  return tape;
}

describe('events', () => {
  test('a constant lean is one onset with its numbers, and ends once the book is even', async () => {
    const scanned = await scanLines(leaning(10, 1, 20).lines, { detect });
    // the window of 5 s must be full, then 1 s of arming; the mean falls below 0.35 some 3 s after the change
    expect(summary(scanned)).toEqual(['6.0 book-imbalance onset buy', '23.9 book-imbalance end buy faded']);
    const [onset, end] = scanned.signals;
    expect(onset).toMatchObject({ price: 100.05, score: 0.818182, quality: 'verified', venue: 'binance-usdm' });
    expect(onset.evidence).toMatchObject({ levels: 10, mean: 0.818182, bid_size: 100, ask_size: 10, recorder: 'test' });
    expect(end.id).toBe(onset.id);
    expect(end.evidence).toMatchObject({ bid_size: 40, ask_size: 40, imbalance: 0 });
  });

  test('3 against 1 is at the threshold, 2 against 1 is not', async () => {
    expect((await scanLines(leaning(3, 1, 20).lines, { detect })).signals[0]?.score).toBe(0.5);
    expect((await scanLines(leaning(2, 1, 20).lines, { detect })).signals).toEqual([]);
  });

  test('a side with fewer levels than asked for is unknown, not zero', async () => {
    const lines = new TapeBuilder().snapshot(ladder(1000, 10, 1)[0], ladder(1000, 10, 1, 9)[1]);
    for (let i = 0; i < 200; i++) lines.wait(100_000).clock();
    expect((await scanLines(lines.lines, { detect })).signals).toEqual([]);
    expect((await scanLines(lines.lines, { detect, set: ['book-imbalance.levels=9'] })).signals).toHaveLength(2);
  });

  test('levels beyond the snapshot are not counted as known', async () => {
    const [bids, asks] = ladder(1000, 10, 1, 12);
    const tape = new TapeBuilder().snapshot(bids, asks);
    // the best five bids go: the tenth is now beyond what the snapshot told
    tape.depth(
      [...bids.slice(0, 5).map(([price]): [number, number] => [price, 0]), [900, 50], [899, 50], [898, 50]],
      [],
    );
    for (let i = 0; i < 200; i++) tape.wait(100_000).clock();
    expect((await scanLines(tape.lines, { detect })).signals).toEqual([]);
  });

  test('by distance: a level counts exp(-d / weight)', async () => {
    // the mid is 100.05; bids at 100.0 and 99.5 are 4.9975 and 54.9725 bps away, asks as far on the other side
    const tape = new TapeBuilder().snapshot(
      [
        [1000, 10],
        [995, 90],
        [900, 1],
      ],
      [
        [1001, 2],
        [1006, 90],
        [1100, 1],
      ],
    );
    for (let i = 0; i < 80; i++) tape.wait(SECOND / 4).clock();
    const set = ['book-imbalance.weight=10', 'book-imbalance.bps=60'];
    const [{ evidence }] = (await scanLines(tape.lines, { detect, set })).signals;
    const weigh = (bps: number): number => Math.round(1000 * Math.exp(-bps / 10)) / 1000;
    const sum = (best: number): number => best * weigh(4.9975) + 90 * weigh(54.9725);
    expect(evidence).toMatchObject({ weight: 10, bps: 60 });
    expect(evidence.bid_size).toBeCloseTo(sum(10), 4);
    expect(evidence.ask_size).toBeCloseTo(sum(2), 4);
    // further than the book is known it is null
    const far = ['book-imbalance.weight=10', 'book-imbalance.bps=1000'];
    expect((await scanLines(tape.lines, { detect, set: far })).signals).toEqual([]);
    // all alike the far levels hide the lean
    expect((await scanLines(tape.lines, { detect, set: set.slice(1) })).signals).toEqual([]);
  });

  test('within bps of the mid', async () => {
    const set = ['book-imbalance.bps=20'];
    const scanned = await scanLines(leaning(10, 1, 20).lines, { detect, set });
    expect(scanned.signals[0].evidence).toMatchObject({ bps: 20, bid_size: 20, ask_size: 2, mean: 0.818182 });
    // 500 bps are 50 levels: more than is known
    expect((await scanLines(leaning(10, 1, 20).lines, { detect, set: ['book-imbalance.bps=500'] })).signals).toEqual(
      [],
    );
  });

  test('the static, even book says nothing', async () => {
    expect((await scanLines(leaning(4, 4, 60).lines, { detect })).signals).toEqual([]);
  });

  test('a lost update ends it, and a window of valid data must pass before the next', async () => {
    const tape = new TapeBuilder().snapshot(...ladder(1000, 10, 1));
    for (let i = 0; i < 100; i++) tape.wait(100_000).clock();
    tape.depth([], [], { lost: 3 });
    for (let i = 0; i < 100; i++) tape.wait(100_000).clock();
    tape.snapshot(...ladder(1000, 10, 1));
    for (let i = 0; i < 100; i++) tape.wait(100_000).clock();
    const scanned = await scanLines(tape.lines, { detect });
    expect(summary(scanned)).toEqual([
      '6.0 book-imbalance onset buy',
      '10.0 book-imbalance end buy gap',
      '26.0 book-imbalance onset buy',
      '30.0 book-imbalance end buy eof',
    ]);
    expect(scanned.signals[1].quality).toBe('suspect');
    expect(new Set(scanned.signals.map(({ id }) => id)).size).toBe(2);
  });

  test('a crossed book is no book to measure', async () => {
    const tape = new TapeBuilder().snapshot(...ladder(1000, 10, 1)).depth([[1005, 1]], []);
    for (let i = 0; i < 200; i++) tape.wait(SECOND / 10).clock();
    expect((await scanLines(tape.lines, { detect })).signals).toEqual([]);
  });

  test('nor is one that crosses between two looks at how far it reaches', async () => {
    const tape = new TapeBuilder().snapshot(...ladder(1000, 10, 10, 20));
    const quiet = (seconds: number): void => {
      for (let i = 0; i < seconds * 10; i++) tape.wait(SECOND / 10).clock();
    };
    quiet(10);
    // 50 ms into a second a large bid stands above the best ask, and goes before the second is over
    tape
      .wait(SECOND - (tape.t % SECOND) + 50_000)
      .clock()
      .depth([[1003, 400]], []);
    for (let i = 0; i < 8; i++) tape.wait(SECOND / 10).clock();
    tape.depth([[1003, 0]], []);
    quiet(5);
    for (const bps of [0, 100]) {
      const set = ['window=500ms', 'hold=100ms', `bps=${bps}`].map((one) => `book-imbalance.${one}`);
      expect((await scanLines(tape.lines, { detect, set })).signals).toEqual([]);
    }
  });
});

describe('a book of the best 200 levels, which slides with the price', () => {
  /** Four are bid for each one asked on 200 ticks either side, while the price falls by `ticks`; then it stands. */
  const falling = (ticks: number): BybitTape => {
    const sides = (bid: number): [Level[], Level[]] => [
      Array.from({ length: 200 }, (_, i): Level => [bid - i, 40]),
      Array.from({ length: 200 }, (_, i): Level => [bid + 1 + i, 10]),
    ];
    const tape = new BybitTape().book('snapshot', ...sides(600_000));
    for (let n = 0; n < ticks; n++) tape.wait(SECOND / 10).window(sides(600_000 - n), sides(600_000 - n - 1));
    for (let i = 0; i < 300; i++) tape.wait(SECOND / 10).book('delta', [], [[600_001 - ticks, 10 + (i % 2)]]);
    return tape;
  };
  const ends = async (ticks: number, set: string[]): Promise<string[]> =>
    (await scanLines(falling(ticks).lines, { detect, set })).signals.map(
      ({ phase, reason }) => `${phase} ${reason ?? ''}`,
    );

  test('is known as far as the levels that are told reach, however far it slid', async () => {
    // at 60,000 two bps are 120 ticks
    for (const set of [[], ['book-imbalance.bps=2']])
      for (const ticks of [0, 195, 300]) expect(await ends(ticks, set)).toEqual(['onset ', 'end eof']);
  });

  test('and no farther: levels that it left behind are not zero', async () => {
    // 3.2 bps are 192 ticks; one more, and half a tick, are beyond the last level
    expect(await ends(300, ['book-imbalance.bps=3.2'])).toEqual(['onset ', 'end eof']);
    for (const ticks of [0, 300]) expect(await ends(ticks, ['book-imbalance.bps=3.4'])).toEqual([]);
  });
});
