/** The trade–book ledger: bounds hold for every order in which trades and book changes arrive. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { Ledger } from '../../src/market/ledger.js';
import { LevelChanges } from '../../src/market/level-changes.js';

const SECOND = 1_000_000;
const GUARD = 20_000;

/** One level of a message. */
function change(ledger: Ledger, side: BookSide, price: number, before: number, after: number): void {
  const changes = new LevelChanges();
  changes.add(side, price, before, after);
  ledger.changes(changes);
}

/** A ledger over a tiny book of sizes by price; one tick is 1. */
function stage({ width = 1, guard = GUARD } = {}) {
  const book: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  const ledger = new Ledger(1, 5 * SECOND, guard, (side, low, high) => {
    let sum = 0;
    for (let price = low; price <= high; price++) sum += book[side].get(price) ?? 0;
    return sum;
  });
  ledger.resize(width);
  ledger.follow(0, 0, 1e6);
  const set = (side: BookSide, price: number, size: number): number => {
    const before = book[side].get(price) ?? 0;
    book[side].set(price, size);
    return before;
  };
  return {
    ledger,
    set,
    /** one message: [side, price, size] */
    update(t: number, ...levels: [BookSide, number, number][]): void {
      for (const [side, price, size] of levels) change(ledger, side, price, set(side, price, size), size);
      ledger.applied(t);
    },
  };
}

describe('one level', () => {
  test('q0 = 12, A = 3, C = 2, V = 9 in one conflated update: refill at least 1, cancel at least 0', () => {
    for (const tradeFirst of [true, false]) {
      const { ledger, set, update } = stage();
      set(ASK, 100, 12);
      if (tradeFirst) ledger.trade(1000, ASK, 100, 9);
      update(2000, [ASK, 100, 4]);
      if (!tradeFirst) ledger.trade(3000, ASK, 100, 9);
      ledger.advance(2000 + GUARD * 2);
      const level = ledger.at(ASK, 100);
      expect(level).toMatchObject({ traded: 9, removed: 8, refill: 1, cancel: 0, refillNet: 1 });
    }
  });

  test('a removal without a trade is cancelled, a trade without a removal refilled, once the guard is over', () => {
    const { ledger, set, update } = stage();
    set(BID, 100, 10);
    set(BID, 101, 10);
    ledger.trade(1, BID, 100, 1);
    update(1, [BID, 100, 9]);
    update(1000, [BID, 100, 3]);
    ledger.trade(1000, BID, 101, 5);
    ledger.advance(1000 + GUARD);
    expect([ledger.at(BID, 100)?.cancel, ledger.at(BID, 101)?.refill]).toEqual([0, 0]);
    ledger.advance(1001 + GUARD);
    expect([ledger.at(BID, 100)?.cancel, ledger.at(BID, 101)?.refill]).toEqual([6, 5]);
  });

  test('of what a level lost before its first trade only what it lost within a guard counts, however long it went on', () => {
    const { ledger, set, update } = stage();
    set(ASK, 100, 100);
    set(BID, 99, 0);
    for (let i = 1; i <= 9; i++) update(i * 10_000, [ASK, 100, 100 - 10 * i], [BID, 99, 20 * i]);
    ledger.trade(95_000, ASK, 100, 5);
    expect(ledger.at(ASK, 100)).toMatchObject({ removed: 20, displayed: 10, peak: 30 });
    // nor do earlier additions hide what a trade took that is told of later
    update(100_000, [BID, 99, 179]);
    update(110_000, [BID, 99, 178]);
    update(120_000, [BID, 99, 173]);
    ledger.trade(121_000, BID, 99, 5);
    expect(ledger.at(BID, 99)).toMatchObject({ removed: 6, displayed: 173, peak: 179 });
    ledger.advance(200_000);
    expect(ledger.at(BID, 99)).toMatchObject({ refillNet: 0, cancel: 1 });
  });

  test('twenty buys of 5 at an ask of 10 that is refilled after each: traded 100, refilled 100', () => {
    const { ledger, set, update } = stage();
    set(ASK, 100, 10);
    for (let i = 0; i < 20; i++) {
      const t = i * 100_000;
      ledger.trade(t, ASK, 100, 5);
      update(t + 1000, [ASK, 100, 5]);
      update(t + 2000, [ASK, 100, 10]);
    }
    ledger.advance(2 * SECOND);
    const level = ledger.at(ASK, 100);
    expect(level).toMatchObject({ traded: 100, removed: 0, refill: 100, cancel: 0, refillNet: 100 });
    expect(level === null ? 0 : ledger.maxDisplayed(level, 2 * SECOND)).toBe(10);
  });

  test('what leaves the window leaves the sums, and at last the level', () => {
    const { ledger, set, update } = stage();
    set(ASK, 100, 10);
    ledger.trade(1000, ASK, 100, 5);
    update(SECOND, [ASK, 100, 5]);
    ledger.advance(1000 + 5 * SECOND);
    expect(ledger.at(ASK, 100)).toMatchObject({ traded: 0, removed: 5 });
    ledger.advance(6 * SECOND);
    expect(ledger.at(ASK, 100)).toBeNull();
    expect(ledger.live[ASK]).toHaveLength(0);
  });
});

test('in cells of several ticks a quote that moves inside its cell is neither cancelled nor refilled', () => {
  const { ledger, set, update } = stage({ width: 8 });
  set(BID, 80, 6);
  set(BID, 81, 4);
  ledger.trade(1, BID, 81, 1);
  update(1, [BID, 81, 3]);
  update(1000, [BID, 80, 0], [BID, 83, 6]);
  ledger.advance(SECOND);
  expect(ledger.at(BID, 87)).toMatchObject({ displayed: 9, removed: 1, refill: 0, cancel: 0 });
  expect(ledger.at(BID, 88)).toBeNull();
});

const events = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'cancel', 'trade'),
    price: fc.integer({ min: 100, max: 103 }),
    size: fc.integer({ min: 1, max: 9 }),
    gap: fc.integer({ min: 1, max: 30_000 }),
    bookFirst: fc.boolean(),
  }),
  { maxLength: 120 },
);

test('on an unconflated tape without hidden orders the bounds are the truth, trade first or book first', () => {
  fc.assert(
    fc.property(events, (list) => {
      const { ledger, set, update } = stage();
      const truth = new Map(
        [100, 101, 102, 103].map((price) => [price, { size: 50, added: 0, cancelled: 0, traded: 0 }]),
      );
      // what happens to a level before its first trade is not counted
      for (const [price, level] of truth) {
        set(ASK, price, 50);
        ledger.trade(1, ASK, price, 1);
        update(1, [ASK, price, 49]);
        Object.assign(level, { size: 49, traded: 1 });
      }
      let t = SECOND;
      let tradeT = 0;
      for (const { kind, price, size, gap, bookFirst } of list) {
        t += gap;
        const level = truth.get(price);
        if (level === undefined) continue;
        const take = Math.min(size, level.size);
        if (kind === 'add') {
          level.size += size;
          level.added += size;
          update(t, [ASK, price, level.size]);
        } else if (take > 0) {
          level.size -= take;
          if (kind === 'cancel') level.cancelled += take;
          else {
            level.traded += take;
            if (!bookFirst) ledger.trade(t, ASK, price, take);
            tradeT = bookFirst ? t + 1 : t;
          }
          update(t, [ASK, price, level.size]);
          if (kind === 'trade' && bookFirst) ledger.trade(tradeT, ASK, price, take);
          t = Math.max(t, tradeT);
        }
      }
      ledger.advance(t + GUARD + 1);
      if (t > 5 * SECOND) return; // the window has moved on
      for (const [price, { added, cancelled, traded }] of truth) {
        const level = ledger.at(ASK, price);
        expect(level).toMatchObject({ refill: added, cancel: cancelled, traded });
      }
      const all = ledger.live[ASK].reduce((sum, level) => sum + level.traded, 0);
      expect(all).toBe([...truth.values()].reduce((sum, { traded }) => sum + traded, 0));
    }),
  );
});

test('conflated updates keep every bound below the truth', () => {
  fc.assert(
    fc.property(events, fc.constantFrom(20_000, 100_000), (list, interval) => {
      const { ledger, set, update } = stage({ guard: interval });
      const truth = { size: 50, added: 0, cancelled: 0, traded: 0 };
      set(ASK, 100, 51);
      ledger.trade(1, ASK, 100, 1);
      update(1, [ASK, 100, 50]);
      truth.traded = 1;
      let t = SECOND;
      let nextPush = t + interval;
      for (const { kind, size, gap } of [...list, { kind: 'none', size: 0, gap: interval }]) {
        t += gap;
        for (; nextPush <= t; nextPush += interval) update(nextPush, [ASK, 100, truth.size]);
        const take = Math.min(size, truth.size);
        if (kind === 'add') {
          truth.size += size;
          truth.added += size;
        } else if (take > 0) {
          truth.size -= take;
          if (kind === 'cancel') truth.cancelled += take;
          else {
            truth.traded += take;
            ledger.trade(t, ASK, 100, take);
          }
        }
      }
      ledger.advance(t + interval + 1);
      const level = ledger.at(ASK, 100);
      if (level === null || t > 5 * SECOND) return;
      expect(level.traded).toBe(truth.traded);
      expect(Math.max(level.refill, level.refillNet)).toBeLessThanOrEqual(truth.added);
      expect(Math.max(level.cancel, level.removed - level.traded)).toBeLessThanOrEqual(truth.cancelled);
    }),
  );
});

test('a level without trades is not kept, but a removal just before its first trade is taken for its own', () => {
  const { ledger, set, update } = stage();
  set(ASK, 100, 12);
  update(1000, [ASK, 100, 8]);
  expect(ledger.live[ASK]).toHaveLength(0);
  ledger.trade(1000 + GUARD, ASK, 100, 4);
  update(2000 + GUARD, [ASK, 100, 9]);
  ledger.advance(SECOND);
  expect(ledger.at(ASK, 100)).toMatchObject({ traded: 4, removed: 3, refill: 1, cancel: 0, displayed: 9, peak: 12 });
  set(ASK, 200, 12);
  update(SECOND, [ASK, 200, 8]);
  ledger.trade(SECOND + GUARD + 1, ASK, 200, 4);
  expect(ledger.at(ASK, 200)).toMatchObject({ traded: 4, removed: 0 });
});

test('far levels make no work, and the table grows instead of mixing cells', () => {
  const { ledger, set } = stage();
  ledger.follow(0, 90, 110);
  change(ledger, ASK, 5000, 0, 3);
  ledger.applied(1);
  expect(ledger.live[ASK]).toHaveLength(0);
  for (let i = 0; i < 60; i++) {
    set(ASK, i * 64, 1);
    ledger.trade(1000 + i, ASK, i * 64, i + 1);
  }
  for (let i = 0; i < 60; i++) expect(ledger.at(ASK, i * 64)?.traded).toBe(i + 1);
  ledger.clear();
  expect(ledger.live[ASK]).toHaveLength(0);
  ledger.advance(10 * SECOND);
});
