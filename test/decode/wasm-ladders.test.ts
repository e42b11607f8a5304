/** Ladders in the scanner's memory: a book keeps its own for as long as it lives, and each is given back afterwards. */
import { setImmediate as breathe } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { scannerLadders } from '../../src/decode/wasm-ladders.js';
import { BID, Book } from '../../src/market/book.js';

/** Lets the collector run, and what it calls afterwards. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  for (let n = 0; n < 4; n++) {
    gc();
    await breathe();
  }
}

it('the ladders of a living book are never handed to another', async () => {
  const book = new Book(10, scannerLadders);
  book.set(BID, 1000, 5);
  await collect();
  const others = [new Book(10, scannerLadders), new Book(10, scannerLadders)];
  for (const other of others) other.set(BID, 2000, 7);
  expect(book.levels(BID)).toEqual([[1000, 5]]);
});

it('the ladders of a book that is gone are used again, empty', async () => {
  const placeOf = (): number => {
    const [bids] = scannerLadders();
    bids.sizes.fill(9);
    return bids.sizes.byteOffset;
  };
  const places = new Set([placeOf(), placeOf(), placeOf()]);
  expect(places.size).toBe(3);
  await collect();
  const [bids] = scannerLadders();
  expect(bids.sizes.byteOffset).toBeLessThanOrEqual(Math.max(...places));
  expect([...new Set(bids.sizes)]).toEqual([0]);
});
