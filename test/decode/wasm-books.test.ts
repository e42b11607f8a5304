/** Books in the scanner's memory: a book keeps its room for as long as it lives, and each is given back afterwards. */
import { setImmediate as breathe } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { scannerBooks } from '../../src/decode/wasm-books.js';
import { BID, Book } from '../../src/market/book.js';
import type { BookRoom } from '../../src/model/book-room.js';

/** Lets the collector run, and what it calls afterwards. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  for (let n = 0; n < 4; n++) {
    gc();
    await breathe();
  }
}

it('the room of a living book is never handed to another', async () => {
  const book = new Book(10, scannerBooks);
  book.set(BID, 1000, 5);
  await collect();
  const others = [new Book(10, scannerBooks), new Book(10, scannerBooks)];
  for (const other of others) other.set(BID, 2000, 7);
  expect(book.levels(BID)).toEqual([[1000, 5]]);
});

it('the room of a book that is gone is used again, empty', async () => {
  const placeOf = (): number => {
    const [bids] = scannerBooks().sides;
    bids.sizes.fill(9);
    return bids.sizes.byteOffset;
  };
  const places = new Set([placeOf(), placeOf(), placeOf()]);
  expect(places.size).toBe(3);
  await collect();
  const [bids] = scannerBooks().sides;
  // books stand at different places inside their rooms, which are whole pages
  expect(bids.sizes.byteOffset).toBeLessThan(Math.max(...places) + 0x10000);
  expect([...new Set(bids.sizes)]).toEqual([0]);
});

it('a room that is left is the next one, empty, and is given away once', async () => {
  const placeOf = (room: BookRoom): number => room.sides[0].sizes.byteOffset;
  const first = scannerBooks();
  first.sides[0].sizes.fill(9);
  first.leave();
  const second = scannerBooks();
  expect(Math.abs(placeOf(second) - placeOf(first))).toBeLessThan(0x10000);
  expect([...new Set(second.sides[0].sizes)]).toEqual([0]);
  // left twice, and collected besides, it is one room all the same
  second.leave();
  second.leave();
  await collect();
  const places = Array.from({ length: 8 }, scannerBooks)
    .map(placeOf)
    .sort((a, b) => a - b);
  for (let n = 1; n < places.length; n++) expect(places[n] - places[n - 1]).toBeGreaterThan(0x10000);
});
