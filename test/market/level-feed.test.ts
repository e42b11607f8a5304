/** Level changes handed to several who each follow some prices. */
import { expect, test } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { AFTER, BEFORE, LEVEL_CHANGE, PRICE } from '../../src/market/level-changes.js';
import { LevelFeed, type LevelSource } from '../../src/market/level-feed.js';

/** A feed and its source, who tells of nothing outside its band. */
function stage() {
  const source: LevelSource = { levelBand: { low: Number.NEGATIVE_INFINITY, high: 0 }, onLevel: null };
  const feed = new LevelFeed(source);
  const heard: string[] = [];
  return {
    source,
    feed,
    heard,
    tap(name: string, low: number, high: number) {
      const band = { low, high };
      feed.tap({
        band,
        changes({ values, bids, count }) {
          for (let n = 0, at = 0; n < count; n++, at += LEVEL_CHANGE) {
            const side = n < bids ? BID : ASK;
            heard.push([name, side, values[at + PRICE], values[at + BEFORE], values[at + AFTER]].join(' '));
          }
        },
      });
      return band;
    },
    message(...levels: [side: BookSide, price: number][]): void {
      const { low, high } = source.levelBand;
      for (const [side, price] of levels)
        if (price >= low && price <= high) source.onLevel?.(side, price, price + 1, price + 2);
      feed.tell();
    },
  };
}

test('all hear of the changes of a message, each once, and the source of the hull of their bands, which may move between messages', () => {
  const { source, feed, heard, tap, message } = stage();
  tap('a', 10, 20);
  expect(source.levelBand).toEqual({ low: 10, high: 20 });
  message([BID, 10], [ASK, 21]);
  expect(heard.splice(0)).toEqual(['a 0 10 11 12']);
  const second = tap('b', 18, 30);
  expect(source.levelBand).toEqual({ low: 10, high: 30 });
  message([BID, 9], [BID, 11], [ASK, 25], [ASK, 31]);
  expect(heard.splice(0)).toEqual(['a 0 11 12 13', 'a 1 25 26 27', 'b 0 11 12 13', 'b 1 25 26 27']);
  message([ASK, 31]);
  expect(heard).toEqual([]);
  second.low = 5;
  second.high = 8;
  feed.settle();
  expect(source.levelBand).toEqual({ low: 5, high: 20 });
  message([ASK, 6]);
  expect(heard).toEqual(['a 1 6 7 8', 'b 1 6 7 8']);
});

test('a message may have any number of levels', () => {
  const { heard, tap, message } = stage();
  tap('a', 0, 1e6);
  message(...Array.from({ length: 3000 }, (_, n): [BookSide, number] => [n < 1000 ? BID : ASK, n]));
  expect(heard).toEqual(Array.from({ length: 3000 }, (_, n) => `a ${n < 1000 ? 0 : 1} ${n} ${n + 1} ${n + 2}`));
});
