/** Aggressor groups: the prints of one order are one group. */
import { describe, expect, test } from 'vitest';
import { GROUP_MAX_AGE, type Group, Groups } from '../../src/market/groups.js';

interface Print {
  t?: number;
  matched?: number;
  id: number;
  side?: number;
  price?: number;
  size?: number;
  /** where it stands for several: the first of their ids */
  first?: number;
  /** what the venue numbers the order with */
  order?: number;
  offBook?: boolean;
}

function grouped(prints: Print[]): Group[] {
  const groups = new Groups();
  const closed: Group[] = [];
  groups.onComplete((group) => closed.push({ ...group }));
  for (const { t = 1000, matched = 5000, id, side = 1, price = 100, size = 1, ...rest } of prints) {
    const { first = id, order, offBook = false } = rest;
    if (offBook) groups.skip(first, id);
    else groups.add(t, matched, id, side, price, size, first, order);
  }
  groups.close();
  return closed;
}

describe('what belongs to one taker order', () => {
  test('ten prints of one matched time, side and row of ids are one group', () => {
    const prints = Array.from({ length: 10 }, (_, i) => ({
      id: 70 + i,
      price: 100 + Math.floor(i / 4),
      size: 2,
      t: 1000 + i,
    }));
    expect(grouped(prints)).toEqual([
      {
        ...{ firstT: 1000, lastT: 1009, matched: 5000, order: -1, side: 1, volume: 20, prints: 10 },
        ...{ levels: 3, firstPrice: 100, lastPrice: 102 },
      },
    ]);
  });

  const cases: [string, Print, number][] = [
    ['the next id', { id: 2 }, 1],
    ['another side', { id: 2, side: -1 }, 2],
    ['another matched time', { id: 2, matched: 5001 }, 2],
    ['a hole in the ids', { id: 3 }, 2],
    ['a better price for the buyer', { id: 2, price: 99 }, 2],
    ['a worse price for the buyer', { id: 2, price: 101 }, 1],
    ['received 10 ms later', { id: 2, t: 11_000 }, 1],
    ['received later than that', { id: 2, t: 11_001 }, 2],
  ];
  test.each(cases)('%s', (_, second, count) => {
    expect(grouped([{ id: 1 }, second])).toHaveLength(count);
  });

  const among: [string, Print[], number[]][] = [
    ['one print off the book', [{ id: 2, offBook: true }], [2]],
    ['two of them', [2, 3].map((id) => ({ id, offBook: true })), [2]],
    ['several told as one', [{ first: 2, id: 4, offBook: true }], [2]],
    ['a hole before it', [{ id: 3, offBook: true }], [1, 1]],
    ['one that has no id', [{ id: -1, offBook: true }], [2]],
  ];
  test.each(among)('%s between two prints of it counts for nothing, and parts nothing', (_, between, volumes) => {
    const after = Math.max(1, ...between.map(({ id }) => id)) + 1;
    expect(grouped([{ id: 1 }, ...between, { id: after }]).map(({ volume }) => volume)).toEqual(volumes);
  });

  test('where the venue numbers orders, those of one moment, side and price are several', () => {
    const orders = [125, 125, 131, 139, 139, 139];
    const groups = grouped(orders.map((order) => ({ id: -1, order })));
    expect(groups.map(({ order, prints }) => [order, prints])).toEqual([
      [125, 2],
      [131, 1],
      [139, 3],
    ]);
  });

  test('where prints have no ids, one off the book parts nothing either', () => {
    expect(grouped([{ id: -1 }, { id: -1, offBook: true }, { id: -1 }])).toHaveLength(1);
  });
});

describe('when a group is complete', () => {
  test('once time has passed its hold it is told of, and not a second time when the next one begins', () => {
    const groups = new Groups();
    expect(groups.due).toBe(Number.POSITIVE_INFINITY);
    const told: number[] = [];
    groups.add(1000, 1, 1, 1, 100, 5);
    expect(groups.due).toBe(Number.POSITIVE_INFINITY); // nobody waits for it
    groups.onComplete(({ volume }) => told.push(volume));
    expect(groups.due).toBe(11_000);
    groups.add(9000, 1, 2, 1, 100, 2);
    expect(groups.due).toBe(19_000);
    groups.complete();
    expect(told).toEqual([7]);
    expect(groups.due).toBe(Number.POSITIVE_INFINITY);
    groups.complete();
    groups.add(30_000, 2, 3, 1, 100, 1);
    expect(told).toEqual([7]);
    groups.add(30_001, 2, 4, -1, 100, 3);
    expect(told).toEqual([7, 1]);
    groups.clear();
    groups.complete();
    expect(told).toEqual([7, 1]);
  });

  test('what is complete by time is still the newest of a window', () => {
    const groups = new Groups();
    const last = groups.last(2);
    groups.onComplete(() => {});
    groups.add(1000, 1, 1, 1, 100, 5);
    groups.add(2000, 2, 2, -1, 100, 3);
    groups.complete();
    expect([last.firstT(50_000), last.buy, last.sell]).toEqual([1000, 5, 3]);
  });
});

describe('windows of the last groups', () => {
  test('ten prints of one order are one group of the window, and the open group counts', () => {
    const groups = new Groups();
    const last = groups.last(3);
    const add = (t: number, id: number, side: number, size: number): void => void groups.add(t, t, id, side, 100, size);
    add(1000, 1, 1, 5);
    for (let i = 0; i < 10; i++) groups.add(2000, 2000, 2 + i, 1, 100, 1);
    expect(last.firstT(2000)).toBeNaN();
    add(3000, 12, -1, 4);
    expect([last.firstT(3000), last.buy, last.sell]).toEqual([1000, 15, 4]);
    add(4000, 13, -1, 7);
    expect([last.firstT(4000), last.buy, last.sell]).toEqual([2000, 10, 11]);
    expect(last.firstT(2000 + GROUP_MAX_AGE)).toBeNaN();
    groups.clear();
    expect(last.firstT(4000)).toBeNaN();
  });

  test('a window of one group is the open group', () => {
    const groups = new Groups();
    const last = groups.last(1);
    groups.add(1000, 1, 1, -1, 100, 3);
    expect([last.firstT(1000), last.buy, last.sell]).toEqual([1000, 0, 3]);
  });
});
