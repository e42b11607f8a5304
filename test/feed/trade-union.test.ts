/** Trade ids by several connections: a hole is told when, and only when, nobody brings what is in it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTradeUnion, type Hole, type TradeUnion } from '../../src/feed/trade-union.js';

const legs = (...names: string[]): { conn: string }[] => names.map((conn) => ({ conn }));
const told = (holes: Hole[]): [number, number, number][] => holes.map(({ first, last, got }) => [first, last, got]);

describe('one connection', () => {
  test('a hole is told at once: its ids, what came instead, and when the last good trade came', () => {
    const union = createTradeUnion();
    union.take('a', 5, 5, 100);
    union.take('a', 9, 10, 200);
    expect(union.given(legs('a'), 200)).toEqual([
      { first: 6, last: 8, got: 10, from: 100, shownT: 200, isTold: false },
    ]);
    union.take('a', 11, 11, 300);
    expect(union.given(legs('a'), 300)).toEqual([]);
  });

  test('where a gap was told already, what is missing next is in it, once', () => {
    const union = createTradeUnion();
    union.take('a', 5, 5, 100);
    union.forgive();
    union.take('a', 9, 9, 200);
    union.take('a', 11, 11, 300);
    const given = union.given(legs('a'), 300);
    expect(told(given)).toEqual([
      [6, 8, 9],
      [10, 10, 11],
    ]);
    expect(given.map(({ isTold }) => isTold)).toEqual([true, false]);
  });
});

test('a venue that counts anew is followed again after a run of what may be repeats', () => {
  const union = createTradeUnion();
  for (let id = 1_000_000; id < 1_000_010; id++) union.take('a', id, id, id);
  for (let id = 1; id <= 99; id++) union.take('a', id, id, 2_000_000 + id);
  // not yet: it might still be an old message said again
  expect(union.held).toBe(0);
  union.take('a', 102, 102, 2_000_200);
  // how many trades are missing there, nobody can say
  expect(told(union.given(legs('a'), 2_000_200))).toEqual([[1_000_010, 1_000_009, 102]]);
  union.take('a', 105, 105, 2_000_300);
  expect(told(union.given(legs('a'), 2_000_300))).toEqual([[103, 104, 105]]);
});

describe('a venue that counts anew, as match times tell', () => {
  test('is followed from its first trade on: where it began is told, and each hole behind that', () => {
    const union = createTradeUnion();
    union.take('a', 5000, 5000, 100, 50);
    union.take('a', 7, 7, 110, 60);
    expect(union.given(legs('a'), 110)).toEqual([
      { first: 5001, last: 5000, got: 7, from: 100, shownT: 110, isTold: false },
    ]);
    union.take('a', 7, 7, 111, 60);
    union.take('a', 10, 10, 112, 61);
    expect(told(union.given(legs('a'), 112))).toEqual([[8, 9, 10]]);
  });

  test('costs no gap of its own behind a lost connection', () => {
    const union = createTradeUnion();
    union.take('a', 5000, 5000, 100, 50);
    union.forget('a');
    union.forgive();
    union.take('b', 7, 7, 110, 60);
    expect(union.given(legs('b'), 110)).toMatchObject([{ isTold: true }]);
  });

  test('is left by no trade of the old numbers, whoever brings it and however many there are', () => {
    const union = createTradeUnion();
    union.take('a', 5000, 5000, 100, 50);
    union.take('b', 4500, 4500, 101, 20);
    union.take('a', 7, 7, 110, 1000);
    expect(told(union.given(legs('a', 'b'), 110))).toEqual([[5001, 5000, 7]]);
    // of what `a` had brought, and of what it had not
    for (let id = 4501; id <= 5150; id++) union.take('b', id, id, 111, 21 + (id - 4500) / 10);
    for (const id of [8, 9]) union.take('a', id, id, 112, 1001);
    for (const id of [7, 8, 9]) union.take('b', id, id, 113, 1000 + (id > 7 ? 1 : 0));
    expect(union.held).toBe(0);
    expect(union.given(legs('a', 'b'), 6_000_000)).toEqual([]);
  });

  test('is not left for a connection that still brings the old numbers, which fill old holes', () => {
    const union = createTradeUnion();
    union.take('a', 5000, 5000, 100, 50);
    union.take('b', 5000, 5000, 100, 50);
    union.take('a', 5002, 5002, 101, 52);
    union.take('a', 7, 7, 110, 60);
    expect(told(union.given(legs('a', 'b'), 110))).toEqual([[5003, 5002, 7]]);
    for (const [n, id] of [5001, 5002].entries()) union.take('b', id, id, 111 + n, 51 + n);
    union.take('a', 8, 8, 113, 60);
    for (const id of [7, 8, 9]) union.take('b', id, id, 110 + id, 60);
    expect(union.held).toBe(0);
    union.take('a', 11, 11, 120, 61);
    // the other one may bring what is missing
    expect(union.given(legs('a', 'b'), 120)).toEqual([]);
    expect(told(union.given(legs('a'), 120))).toEqual([[10, 10, 11]]);
  });
});

describe('two connections', () => {
  const holed = (): TradeUnion => {
    const union = createTradeUnion();
    union.take('a', 1, 1, 0);
    union.take('b', 1, 1, 1);
    union.take('a', 5, 5, 2);
    expect(union.given(legs('a', 'b'), 2)).toEqual([]);
    expect(union.held).toBe(1);
    return union;
  };

  test('a hole waits for the one that is behind, and is filled by it', () => {
    const union = holed();
    for (const id of [2, 3, 4, 5]) union.take('b', id, id, 10 + id);
    expect(union.held).toBe(0);
    expect(union.given(legs('a', 'b'), 100)).toEqual([]);
  });

  test('what the other one lacks too is told as soon as it is past it', () => {
    const union = holed();
    union.take('b', 3, 3, 10);
    union.take('b', 5, 5, 11);
    expect(told(union.given(legs('a', 'b'), 11))).toEqual([
      [2, 2, 3],
      [4, 4, 5],
    ]);
  });

  test('it is told when the other one ends, or says nothing for five seconds', () => {
    expect(told(holed().given(legs('a'), 3))).toEqual([[2, 4, 5]]);
    const union = holed();
    expect(union.given(legs('a', 'b'), 5_000_001)).toEqual([]);
    expect(told(union.given(legs('a', 'b'), 5_000_002))).toEqual([[2, 4, 5]]);
  });
});

test('whatever is lost on whichever connection, exactly what all lost is told', () => {
  const ids = 40;
  fc.assert(
    fc.property(
      // per connection: which ids it lacks; then in which order they are heard
      fc.array(fc.uniqueArray(fc.integer({ min: 2, max: ids - 1 })), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(2), { minLength: ids * 3, maxLength: ids * 3 }),
      (lacking, turns) => {
        const names = lacking.map((_, n) => `c${n}`);
        const queues = lacking.map((lost) =>
          Array.from({ length: ids }, (_, n) => n + 1).filter((id) => !lost.includes(id)),
        );
        const union = createTradeUnion();
        const found: Hole[] = [];
        let t = 0;
        const hear = (n: number): void => {
          const id = queues[n].shift();
          if (id === undefined) return;
          union.take(names[n], id, id, ++t);
          found.push(...union.given(legs(...names), t));
        };
        // all of them are there from the first trade on
        for (const n of names.keys()) hear(n);
        for (const turn of turns) hear(turn % names.length);
        for (const n of names.keys()) while (queues[n].length > 0) hear(n);
        const missing = found.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, k) => first + k),
        );
        const lost = Array.from({ length: ids }, (_, n) => n + 1).filter((id) =>
          lacking.every((one) => one.includes(id)),
        );
        expect(missing.toSorted((a, b) => a - b)).toEqual(lost);
        expect(union.held).toBe(0);
      },
    ),
  );
});
