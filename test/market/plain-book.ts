/** A book as two maps, and the questions that a real one has to answer as it does. */
import { expect } from 'vitest';
import { ASK, BID, type Book, type BookSide } from '../../src/market/book.js';

/** What a book is: two maps. Sorted anew for every question. */
export class PlainBook {
  readonly sides = [new Map<number, number>(), new Map<number, number>()];

  set(side: BookSide, price: number, size: number): number {
    const before = this.sides[side].get(price) ?? 0;
    if (size > 0) this.sides[side].set(price, size);
    else this.sides[side].delete(price);
    return before;
  }

  levels(side: BookSide, limit = Number.POSITIVE_INFINITY): [number, number][] {
    const sorted = [...this.sides[side]].sort((x, y) => (side === BID ? y[0] - x[0] : x[0] - y[0]));
    return limit < sorted.length ? sorted.slice(0, limit) : sorted;
  }

  best(side: BookSide): number {
    return this.levels(side, 1)[0]?.[0] ?? Number.NaN;
  }
}

const prices = new Float64Array(64);
const sizes = new Float64Array(64);

/** Stretches of price: everything, from the best to some other level and a little further, between ticks, and none. */
function ranges(levels: [number, number][]): [number, number][] {
  const all: [number, number][] = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];
  if (levels.length === 0) return all;
  const [best] = levels[0];
  for (const at of [0, 1, levels.length >> 1, levels.length - 1]) {
    const [price] = levels[Math.min(at, levels.length - 1)];
    all.push([Math.min(best, price) - 0.5, Math.max(best, price) + 0.5], [price, price], [price + 1, price]);
  }
  return all;
}

/** Asks everything of both books and demands the same answers. */
export function compare(book: Book, plain: PlainBook): void {
  for (const side of [BID, ASK] as const) {
    const wanted = plain.levels(side);
    expect(side === BID ? book.bestBid() : book.bestAsk()).toBe(plain.best(side));
    expect(book.worstPrice(side)).toBe(wanted.at(-1)?.[0] ?? Number.NaN);
    expect(book.depth(side)).toBe(wanted.length);
    for (const limit of [0, 1, 3, 10, 64]) {
      const n = book.top(side, limit, prices, sizes);
      const got = Array.from({ length: n }, (_, i) => [prices[i], sizes[i]]);
      expect(got).toEqual(wanted.slice(0, limit));
      expect(book.levels(side, limit)).toEqual(got);
      expect(book.topVolume(side, limit)).toBe(got.reduce((sum, [, size]) => sum + size, 0));
    }
    expect(book.levels(side)).toEqual(wanted);
    for (const [low, high] of ranges(wanted)) {
      const inside = wanted.filter(([price]) => price >= low && price <= high);
      expect(book.volumeBetween(side, low, high)).toBe(inside.reduce((sum, [, size]) => sum + size, 0));
    }
    const visited: [number, number][] = [];
    book.each(side, (price, size) => visited.push([price, size]));
    expect(new Map(visited)).toEqual(plain.sides[side]);
    expect(visited.length).toBe(wanted.length);
    for (const [price, size] of wanted.slice(0, 20)) {
      expect(book.sizeAt(side, price)).toBe(size);
      expect(book.sizeAt(side, price + 1)).toBe(plain.sides[side].get(price + 1) ?? 0);
    }
  }
  expect(book.crossed()).toBe(plain.best(BID) >= plain.best(ASK));
}
