/** Level changes handed to several who each follow some prices. */
import { expect, test } from 'vitest';
import { ASK, BID } from '../../src/market/book.js';
import { LevelFeed, type LevelSource } from '../../src/market/level-feed.js';

test('each hears of its own band, the source of the hull of all, and bands may move between messages', () => {
  const source: LevelSource = { levelBand: { low: Number.NEGATIVE_INFINITY, high: 0 }, onLevel: null };
  const feed = new LevelFeed(source);
  const heard: string[] = [];
  const tap = (name: string, low: number, high: number) => {
    const band = { low, high };
    feed.tap({
      band,
      change: (side, price, before, after) => heard.push([name, side, price, before, after].join(' ')),
    });
    return band;
  };
  const tell = (side: 0 | 1, price: number): void => {
    const { low, high } = source.levelBand;
    if (price >= low && price <= high) source.onLevel?.(side, price, 1, 2);
  };
  const first = tap('a', 10, 20);
  expect(source.levelBand).toBe(first); // one alone is asked directly
  tell(BID, 10);
  const second = tap('b', 18, 30);
  expect(source.levelBand).toEqual({ low: 10, high: 30 });
  for (const price of [9, 10, 19, 25, 31]) tell(ASK, price);
  second.low = 5;
  second.high = 8;
  feed.settle();
  expect(source.levelBand).toEqual({ low: 5, high: 20 });
  for (const price of [6, 9, 20]) tell(BID, price);
  expect(heard).toEqual([
    'a 0 10 1 2',
    'a 1 10 1 2',
    'a 1 19 1 2',
    'b 1 19 1 2',
    'b 1 25 1 2',
    'b 0 6 1 2',
    'a 0 20 1 2',
  ]);
});
