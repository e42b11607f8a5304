/** The order book against a plain map of prices, under every kind of move. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ASK, BID, Book, type BookSide } from '../../src/market/book.js';
import { compare, PlainBook } from './plain-book.js';

type Step =
  | { do: 'set'; side: BookSide; ticks: number; off: number; size: number }
  | { do: 'jump'; ticks: number }
  | { do: 'deleteBest'; side: BookSide; count: number }
  | { do: 'settle' }
  | { do: 'clear' };

const side = fc.constantFrom(BID, ASK);
const set = fc.record({
  do: fc.constant('set' as const),
  side,
  // near the touch, at the edges of any window of some thousand ticks, and far away
  ticks: fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -9000, max: 9000 }),
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
  ),
  off: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 99 }) }),
  size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: set },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('jump' as const), ticks: fc.integer({ min: -60_000, max: 60_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('deleteBest' as const), side, count: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 6, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
);

function play(steps: Step[], tick: number, deep: boolean): void {
  const book = new Book(tick);
  const plain = new PlainBook();
  let centre = 2_000_000;
  for (const one of steps) {
    if (one.do === 'clear') {
      book.clear();
      for (const map of plain.sides) map.clear();
    } else if (one.do === 'jump') centre += one.ticks;
    else if (one.do === 'settle') {
      book.settle();
      if (deep) compare(book, plain);
    } else if (one.do === 'deleteBest') {
      for (const [price] of plain.levels(one.side, one.count))
        expect(book.set(one.side, price, 0)).toBe(plain.set(one.side, price, 0));
    } else {
      const price = Math.max(1, (centre + one.ticks) * tick + (one.off % tick));
      expect(book.set(one.side, price, one.size)).toBe(plain.set(one.side, price, one.size));
    }
    // also in the middle of a message
    expect(book.bestBid()).toBe(plain.best(BID));
    expect(book.bestAsk()).toBe(plain.best(ASK));
  }
  book.settle();
  compare(book, plain);
}

describe('the book answers as a plain map does', () => {
  it('after any sets, deletes, jumps and clears', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(1, 10, 100), (steps, tick) =>
        play(steps, tick, true),
      ),
      { numRuns: 250 },
    );
  });

  it('when read in the middle of a message, before it settles', () => {
    const unsettled = step.filter((one) => one.do !== 'settle');
    fc.assert(
      fc.property(fc.array(unsettled, { maxLength: 60 }), (steps) => {
        const book = new Book(100);
        const plain = new PlainBook();
        for (const one of steps)
          if (one.do === 'set') {
            const price = (2_000_000 + one.ticks) * 100 + one.off;
            book.set(one.side, price, one.size);
            plain.set(one.side, price, one.size);
          }
        compare(book, plain);
      }),
      { numRuns: 100 },
    );
  });

  it('through a walk over many windows with a two-sided book', () => {
    const book = new Book(10);
    const plain = new PlainBook();
    let mid = 500_000;
    for (let n = 0; n < 300; n++) {
      // a trend of 200 ticks a message crosses the window several times over
      mid += 200;
      for (let i = 1; i <= 3; i++) {
        for (const [at, offset] of [
          [BID, -i],
          [ASK, i],
        ] as const) {
          const price = (mid + offset * 7) * 10;
          expect(book.set(at, price, n + i)).toBe(plain.set(at, price, n + i));
        }
      }
      for (const [price] of plain.levels(ASK).filter(([p]) => p <= mid * 10)) {
        book.set(ASK, price, 0);
        plain.set(ASK, price, 0);
      }
      book.settle();
      expect([book.bestBid(), book.bestAsk(), book.depth(BID), book.topVolume(BID, 5)]).toEqual([
        plain.best(BID),
        plain.best(ASK),
        plain.sides[BID].size,
        plain.levels(BID, 5).reduce((sum, [, size]) => sum + size, 0),
      ]);
    }
    compare(book, plain);
  });
});

describe('the book at its edges', () => {
  it('is empty at first and after a clear', () => {
    const book = new Book(10);
    const empty = (): void => compare(book, new PlainBook());
    empty();
    book.set(BID, 1000, 1);
    book.set(BID, 1005, 1);
    book.set(ASK, 900_000_000, 1);
    book.settle();
    book.clear();
    empty();
  });

  it('an unknown level is deleted without a trace', () => {
    const book = new Book(10);
    expect(book.set(BID, 1000, 0)).toBe(0);
    book.set(BID, 1000, 5);
    for (const price of [1010, 1005, 9_000_000]) expect(book.set(BID, price, 0)).toBe(0);
    expect(book.levels(BID)).toEqual([[1000, 5]]);
  });

  it('may be crossed inside a message, not after it', () => {
    const book = new Book(10);
    book.set(BID, 990, 1);
    book.set(ASK, 1000, 1);
    book.settle();
    book.set(BID, 1000, 2);
    expect(book.crossed()).toBe(true);
    book.set(ASK, 1000, 0);
    book.settle();
    expect([book.crossed(), book.bestBid(), book.bestAsk()]).toEqual([false, 1000, Number.NaN]);
  });

  it('finds the best level beyond the ladder of a book crossed by far more than it covers', () => {
    const book = new Book(10);
    const plain = new PlainBook();
    for (const [side, ticks] of [
      [BID, 1000],
      [ASK, 2000],
      [BID, 100_000],
      [BID, 51_000],
      [ASK, 51_010],
    ] as const) {
      book.set(side, ticks * 10, ticks);
      plain.set(side, ticks * 10, ticks);
    }
    book.settle();
    compare(book, plain);
    book.settle();
    compare(book, plain);
  });

  it('levels of a coarser or finer grid keep their exact prices', () => {
    const book = new Book(100);
    for (const price of [10_000, 10_010, 10_001, 9_950]) book.set(BID, price, price);
    book.settle();
    expect(book.levels(BID).map(([price]) => price)).toEqual([10_010, 10_001, 10_000, 9_950]);
    expect(book.bestBid()).toBe(10_010);
    book.set(BID, 10_010, 0);
    expect(book.bestBid()).toBe(10_001);
  });

  it('prices of the largest exact integers are kept apart', () => {
    const book = new Book(100);
    const dear = 9_007_199_254_740_900;
    book.set(ASK, dear, 1);
    book.set(ASK, dear + 100 - 10, 2);
    book.set(BID, 100, 3);
    book.settle();
    expect(book.levels(ASK)).toEqual([
      [dear, 1],
      [dear + 90, 2],
    ]);
    expect([book.bestBid(), book.bestAsk()]).toEqual([100, dear]);
  });
});
