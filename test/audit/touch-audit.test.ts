/** The join of book tops and quotes by id: any order of arrival within its bounds gives the answer of the whole session. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Mismatch, TouchAudit } from '../../src/audit/touch-audit.js';

interface Sample {
  id: number;
  value: number;
}

function audit(): { touch: TouchAudit; wrong: Mismatch[] } {
  const wrong: Mismatch[] = [];
  return { touch: new TouchAudit((mismatch) => wrong.push(mismatch)), wrong };
}

const top = (touch: TouchAudit, { id, value }: Sample): void =>
  touch.top(id, id * 10, value, 1, value + 1, 1, 0, 2, id);
const quote = (touch: TouchAudit, { id, value }: Sample): void => touch.quote(id, value, 1, value + 1, 1);

describe('known answers', () => {
  test('the newest quote not above the update counts, also when it comes later', () => {
    const { touch, wrong } = audit();
    quote(touch, { id: 1, value: 100 });
    top(touch, { id: 5, value: 101 });
    quote(touch, { id: 4, value: 101 });
    quote(touch, { id: 9, value: 105 });
    touch.finish(1000);
    expect([touch.checked, touch.agreed, wrong]).toEqual([1, 1, []]);
  });

  test('a difference names the update and its place, and the time until the next that agrees', () => {
    const { touch, wrong } = audit();
    quote(touch, { id: 1, value: 100 });
    quote(touch, { id: 7, value: 102 });
    top(touch, { id: 5, value: 101 });
    top(touch, { id: 8, value: 102 });
    touch.finish(1000);
    expect([touch.checked, touch.agreed, touch.contradicted.total]).toEqual([2, 1, 30]);
    expect(wrong).toEqual([
      { id: 5, t: 50, book: [101, 1, 102, 1], quote: [100, 1, 101, 1], file: 0, frame: 2, line: 5 },
    ]);
  });

  test('sizes count', () => {
    const { touch } = audit();
    touch.quote(1, 100, 1, 101, 2);
    touch.quote(9, 0, 0, 0, 0);
    touch.top(5, 50, 100, 1, 101, 1, 0, 0, 0);
    touch.finish(1000);
    expect([touch.checked, touch.agreed]).toEqual([1, 0]);
  });

  test('without a quote before it, or where the right one may be cut off, nothing is claimed', () => {
    const { touch } = audit();
    top(touch, { id: 5, value: 100 });
    quote(touch, { id: 6, value: 100 });
    top(touch, { id: 9, value: 101 });
    touch.finish(1000);
    expect([touch.checked, touch.agreed]).toEqual([0, 0]);
  });

  test('quotes before an interruption say nothing about updates after it', () => {
    const { touch } = audit();
    quote(touch, { id: 1, value: 100 });
    touch.interrupt();
    top(touch, { id: 5, value: 101 });
    quote(touch, { id: 8, value: 102 });
    top(touch, { id: 9, value: 102 });
    touch.finish(1000);
    expect([touch.checked, touch.agreed]).toEqual([1, 1]);
  });

  test('a late quote of the ids before takes no part: the right one may have been cut off', () => {
    const { touch, wrong } = audit();
    quote(touch, { id: 1001, value: 100 });
    quote(touch, { id: 1009, value: 101 });
    top(touch, { id: 1005, value: 100 });
    touch.lost(10_060);
    quote(touch, { id: 3, value: 103 });
    top(touch, { id: 4, value: 103 });
    quote(touch, { id: 1012, value: 102 });
    top(touch, { id: 8, value: 104 });
    touch.finish(20_000);
    expect([touch.checked, touch.agreed, wrong]).toEqual([2, 2, []]);
    // until the book has such ids again
    const { touch: later } = audit();
    quote(later, { id: 10, value: 100 });
    top(later, { id: 12, value: 100 });
    top(later, { id: 2, value: 101 });
    quote(later, { id: 11, value: 102 });
    top(later, { id: 13, value: 103 });
    quote(later, { id: 14, value: 104 });
    top(later, { id: 15, value: 104 });
    quote(later, { id: 16, value: 105 });
    later.finish(20_000);
    expect([later.checked, later.agreed]).toEqual([2, 2]);
  });

  test('a book of changes alone is not wrong where a quote is better: it has not heard of that level', () => {
    const wrong: Mismatch[] = [];
    const touch = new TouchAudit((mismatch) => wrong.push(mismatch), true);
    const books: [id: number, bid: number, ask: number][] = [
      [2, Number.NaN, 101],
      [4, 99, 101],
      [6, 100, 102],
      [8, 100, 101],
      [10, 100.5, 101],
    ];
    for (const [id, bid, ask] of books) touch.top(id, id * 10, bid, 1, ask, 1, 0, 0, 0);
    for (let id = 1; id < 12; id++) touch.quote(id, 100, 1, 101, 1);
    touch.finish(1000);
    expect([touch.checked, touch.agreed, wrong.map(({ id }) => id)]).toEqual([2, 1, [10]]);
  });

  test('ids that begin anew are held against the quotes with the new ids, those that came first among them', () => {
    const { touch, wrong } = audit();
    quote(touch, { id: 1001, value: 100 });
    top(touch, { id: 1005, value: 100 });
    quote(touch, { id: 1009, value: 101 });
    top(touch, { id: 1010, value: 101 });
    // late, and of the old ids
    quote(touch, { id: 1007, value: 102 });
    // of the new ones, before the book tells
    quote(touch, { id: 3, value: 103 });
    touch.lost(10_100);
    quote(touch, { id: 5, value: 104 });
    top(touch, { id: 4, value: 103 });
    top(touch, { id: 8, value: 104 });
    quote(touch, { id: 9, value: 109 });
    touch.finish(20_000);
    expect([touch.checked, touch.agreed, wrong]).toEqual([4, 4, []]);
  });
});

test('long sessions with late and repeated quotes are joined as if all was known', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 200 }), (seed, lag) => {
      let state = seed;
      const random = (): number => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      const quotes: Sample[] = Array.from({ length: 6000 }, (_, n) => ({
        id: n * 3 + 1,
        value: Math.floor(random() * 5),
      }));
      const tops: Sample[] = Array.from({ length: 5000 }, (_, n) => ({
        id: n * 4 + 2,
        value: Math.floor(random() * 5),
      }));
      // arrival: by id, quotes up to `lag` ids early or late, some twice
      const events = [
        ...quotes.flatMap((one) =>
          Array.from({ length: random() < 0.05 ? 2 : 1 }, () => ({
            at: one.id + (random() - 0.5) * lag,
            one,
            isTop: false,
          })),
        ),
        ...tops.map((one) => ({ at: one.id, one, isTop: true })),
      ].sort((a, b) => a.at - b.at);
      const { touch, wrong } = audit();
      for (const { one, isTop } of events) (isTop ? top : quote)(touch, one);
      touch.finish(1e9);
      let checked = 0;
      const wrongIds: number[] = [];
      for (const { id, value } of tops) {
        const newest = Math.min(Math.floor((id - 1) / 3), quotes.length - 1);
        const same = quotes[newest].value === value;
        if (newest === quotes.length - 1 && !same) continue;
        checked++;
        if (!same) wrongIds.push(id);
      }
      expect(touch.checked).toBe(checked);
      expect(wrong.map(({ id }) => id)).toEqual(wrongIds);
    }),
    { numRuns: 20 },
  );
});

test('memory is bounded when quotes never come, and when updates never come', () => {
  const { touch } = audit();
  for (let id = 1; id < 100_000; id++) top(touch, { id, value: 1 });
  for (let id = 100_000; id < 300_000; id++) quote(touch, { id, value: 1 });
  top(touch, { id: 299_998, value: 1 });
  touch.finish(1e9);
  expect([touch.checked, touch.agreed]).toEqual([1, 1]);
});

test('of updates that wait for quotes only so many are kept', () => {
  const { touch } = audit();
  for (let id = 1; id <= 100_000; id++) top(touch, { id, value: 1 });
  for (let id = 1; id <= 100_001; id++) quote(touch, { id, value: 1 });
  touch.finish(1e9);
  expect(touch.checked).toBeGreaterThan(0);
  expect(touch.checked).toBeLessThanOrEqual(16_384);
  expect(touch.agreed).toBe(touch.checked);
});
