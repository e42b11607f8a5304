/** The matching engine against a plain list of orders: same fills, same book, nothing lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ladder, MatchingEngine, type OrderSide } from '../../src/sim/engine.js';

/** Orders in a list, searched from the start each time: slow, and too simple to be wrong. */
class PlainBook {
  orders: { id: number; side: OrderSide; price: number; size: number }[] = [];

  take(side: OrderSide, size: number, worst: number): { fills: [number, number, number][]; left: number } {
    const fills: [number, number, number][] = [];
    let left = size;
    while (left > 0) {
      let best: (typeof this.orders)[number] | undefined;
      for (const order of this.orders)
        if (order.side !== side && side * (order.price - worst) <= 0)
          if (best === undefined || side * (order.price - best.price) < 0) best = order;
      if (best === undefined) break;
      const filled = Math.min(left, best.size);
      best.size -= filled;
      left -= filled;
      fills.push([best.id, best.price, filled]);
      if (best.size === 0) this.orders.splice(this.orders.indexOf(best), 1);
    }
    return { fills, left };
  }

  levels(side: OrderSide): [number, number][] {
    const sizes = new Map<number, number>();
    for (const order of this.orders)
      if (order.side === side) sizes.set(order.price, (sizes.get(order.price) ?? 0) + order.size);
    return [...sizes].sort((a, b) => side * (b[0] - a[0]));
  }
}

function levelsOf(ladder: Ladder): [number, number][] {
  return ladder.prices.map((_, rank): [number, number] => {
    const level = ladder.at(rank);
    return [level?.price ?? Number.NaN, level?.size ?? Number.NaN];
  });
}

type Command =
  | { kind: 'limit'; side: OrderSide; price: number; size: number }
  | { kind: 'market'; side: OrderSide; size: number }
  | { kind: 'cancel'; which: number };

const side = fc.constantFrom<OrderSide>(1, -1);
const size = fc.integer({ min: 1, max: 20 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('limit' as const), side, price: fc.integer({ min: 1, max: 12 }), size }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('market' as const), side, size }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(30) }) },
);

describe('MatchingEngine', () => {
  test('any commands: fills and book equal the plain list, the book is never crossed, lots are conserved', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const engine = new MatchingEngine();
        const plain = new PlainBook();
        const ids: number[] = [];
        const told = { bids: new Map<number, number>(), asks: new Map<number, number>() };
        let entered = 0;
        let gone = 0;
        for (const one of commands) {
          if (one.kind === 'limit') {
            const { fills, left } = plain.take(one.side, one.size, one.price);
            const id = engine.limit(one.side, one.price, one.size);
            expect(id > 0).toBe(left > 0);
            if (left > 0) plain.orders.push({ id, side: one.side, price: one.price, size: left });
            if (id > 0) ids.push(id);
            expect(engine.fills.map((fill) => [fill.maker, fill.price, fill.size])).toEqual(fills);
            entered += one.size;
            gone += 2 * (one.size - left);
          } else if (one.kind === 'market') {
            const { fills, left } = plain.take(one.side, one.size, one.side * 1e9);
            expect(engine.market(one.side, one.size)).toBe(one.size - left);
            expect(engine.fills.map((fill) => [fill.maker, fill.price, fill.size])).toEqual(fills);
            gone += one.size - left;
          } else {
            const id = ids[one.which] ?? 999_999;
            const index = plain.orders.findIndex((order) => order.id === id);
            const removed = index < 0 ? 0 : plain.orders.splice(index, 1)[0].size;
            expect(engine.cancel(id)).toBe(removed);
            expect(engine.fills).toEqual([]);
            gone += removed;
          }
          for (const change of engine.changes) {
            const known = change.side === 1 ? told.bids : told.asks;
            if (change.size === 0) known.delete(change.price);
            else known.set(change.price, change.size);
          }
          const bids = levelsOf(engine.bids);
          const asks = levelsOf(engine.asks);
          expect(bids).toEqual(plain.levels(1));
          expect(asks).toEqual(plain.levels(-1));
          // the changes told are the whole truth about the levels
          expect([...told.bids].sort((a, b) => b[0] - a[0])).toEqual(bids);
          expect([...told.asks].sort((a, b) => a[0] - b[0])).toEqual(asks);
          if (bids.length > 0 && asks.length > 0) expect(bids[0][0]).toBeLessThan(asks[0][0]);
          const resting = [...bids, ...asks].reduce((sum, level) => sum + level[1], 0);
          expect(resting).toBe(entered - gone);
          expect([...engine.orders.values()].reduce((sum, order) => sum + order.size, 0)).toBe(resting);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a sweep: oldest first at each price, best price first, remainder rests', () => {
    const engine = new MatchingEngine();
    const first = engine.limit(-1, 100, 3);
    const second = engine.limit(-1, 100, 4);
    const worse = engine.limit(-1, 101, 5);
    engine.limit(-1, 103, 9);
    const rest = engine.limit(1, 102, 20);
    expect(engine.fills).toEqual([
      { maker: first, price: 100, size: 3 },
      { maker: second, price: 100, size: 4 },
      { maker: worse, price: 101, size: 5 },
    ]);
    expect(engine.changes).toEqual([
      { side: -1, price: 100, size: 0 },
      { side: -1, price: 101, size: 0 },
      { side: 1, price: 102, size: 8 },
    ]);
    expect(engine.orders.get(rest)?.size).toBe(8);
    expect(engine.asks.best?.price).toBe(103);
  });

  test('prices and sizes are positive integers', () => {
    const engine = new MatchingEngine();
    expect(() => engine.limit(1, 1.5, 1)).toThrow(RangeError);
    expect(() => engine.limit(1, 1, 0)).toThrow(RangeError);
    expect(() => engine.market(1, -1)).toThrow(RangeError);
  });
});
