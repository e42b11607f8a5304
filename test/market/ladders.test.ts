/** Levels applied where the scanner wrote them, against the book's own loop and plain maps; far levels against a map. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scannerBooks } from '../../src/decode/wasm-books.js';
import { theMachine } from '../../src/decode/wasm-machine.js';
import { LEVELS } from '../../src/decode/wasm-memory.js';
import { ASK, BID, Book, type BookSide, type LevelListener } from '../../src/market/book.js';
import { FarLevels } from '../../src/market/far-levels.js';
import type { FarRoom } from '../../src/model/book-room.js';
import { compare, PlainBook } from './plain-book.js';

const machine = theMachine();
if (machine === null) throw new Error('there is no compiled scanner');
const { levels: own } = machine;
/** The machine's rooms are handed out for good while a book lives: one serves all runs, cleared each time. */
const books = new Map([1, 100, 12345].map((tick) => [tick, new Book(tick, scannerBooks)]));

interface Level {
  /** ticks from the touch; 'best': the best level there is by then */
  ticks: number | 'best';
  off: number;
  size: number;
}

interface Message {
  bids: Level[];
  asks: Level[];
  /** where the pairs stand in the scanner's array */
  at: number;
  /** ticks from the touch; null: nobody listens */
  band: [number, number] | null;
  move: number;
  clear: boolean;
}

const level: fc.Arbitrary<Level> = fc.record({
  ticks: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -9, max: 9 }) },
    { weight: 2, arbitrary: fc.integer({ min: -70, max: 70 }) },
    { weight: 3, arbitrary: fc.constant('best' as const) },
    { weight: 1, arbitrary: fc.integer({ min: -9000, max: 9000 }) },
    { weight: 1, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }) },
  ),
  off: fc.oneof(
    { weight: 9, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 12_344 }) },
  ),
  size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1000 })),
});
const rarely = (parts: number): fc.Arbitrary<boolean> => fc.nat(parts - 1).map((n) => n === 0);
const message: fc.Arbitrary<Message> = fc.record({
  bids: fc.array(level, { maxLength: 8 }),
  asks: fc.array(level, { maxLength: 8 }),
  at: fc.constantFrom(0, 1, 7, LEVELS - 16),
  band: fc.option(fc.tuple(fc.integer({ min: -60, max: 20 }), fc.integer({ min: -20, max: 60 }))),
  move: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: -50, max: 50 }) },
    { weight: 1, arbitrary: fc.integer({ min: -60_000, max: 60_000 }) },
  ),
  clear: rarely(20),
});

type Heard = [side: BookSide, price: number, before: number, after: number];

function play(messages: readonly Message[], tick: number, fast: Book): void {
  const loop = new Book(tick);
  const plain = new PlainBook();
  fast.clear();
  let centre = 2_000_000;
  for (const { bids, asks, at, band, move, clear } of messages) {
    centre += move;
    if (clear) {
      for (const book of [fast, loop]) book.clear();
      for (const map of plain.sides) map.clear();
    }
    const [low, high] = band === null ? [] : band.map((ticks) => (centre + ticks) * tick);
    const heard: Record<'fast' | 'loop' | 'plain', Heard[]> = { fast: [], loop: [], plain: [] };
    const set = (side: BookSide, { ticks, off, size }: Level): [number, number] => {
      const best = ticks === 'best' ? plain.best(side) : Number.NaN;
      const price = Number.isNaN(best) ? (centre + (ticks === 'best' ? 0 : ticks)) * tick + (off % tick) : best;
      const before = plain.set(side, price, size);
      if (low !== undefined && high !== undefined && price >= low && price <= high)
        heard.plain.push([side, price, before, size]);
      return [price, size];
    };
    const pairs = [...bids.map((one) => set(BID, one)), ...asks.map((one) => set(ASK, one))];
    const elsewhere = Float64Array.from(pairs.flat());
    own.set(elsewhere, at * 2);
    const into = (list: Heard[]): LevelListener | undefined =>
      band === null ? undefined : (...told) => void list.push(told);
    fast.message(own, at * 2, bids.length, asks.length, low, high, into(heard.fast));
    loop.message(elsewhere, 0, bids.length, asks.length, low, high, into(heard.loop));
    expect(heard.fast).toEqual(heard.plain);
    expect(heard.loop).toEqual(heard.plain);
    for (const book of [fast, loop])
      expect([book.bestBid(), book.bestAsk()]).toEqual([plain.best(BID), plain.best(ASK)]);
  }
  for (const book of [fast, loop]) compare(book, plain);
}

it.each([...books])(
  'both loops and two maps agree on any messages, and on what a listener hears; tick %i',
  (tick, fast) => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => play(messages, tick, fast)),
      { numRuns: 300 },
    );
  },
);

it.each([...books])('a book replaced is the one of these levels alone, wherever they stand; tick %i', (tick, fast) => {
  const side = fc.array(level, { maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(side, side, fc.integer({ min: -50_000, max: 50_000 })), { maxLength: 6 }),
      (wholes) => {
        const loop = new Book(tick);
        for (const [bids, asks, move] of wholes) {
          const plain = new PlainBook();
          const set = (side: BookSide, { ticks, off, size }: Level): [number, number] => {
            const price = (2_000_000 + move + (ticks === 'best' ? 0 : ticks)) * tick + (off % tick);
            plain.set(side, price, size);
            return [price, size];
          };
          const pairs = [...bids.map((one) => set(BID, one)), ...asks.map((one) => set(ASK, one))];
          const levels = Float64Array.from(pairs.flat());
          for (const book of [fast, loop]) {
            book.replace(levels, bids.length);
            compare(book, plain);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

it('a book of more levels than the scanner has room for is replaced, too', () => {
  const book = new Book(10, scannerBooks);
  const plain = new PlainBook();
  const pairs = Array.from({ length: 40_000 }, (_, n): [number, number] => [(1_000_000 + n) * 10, n + 1]);
  for (const [price, size] of pairs) plain.set(ASK, price, size);
  book.replace(Float64Array.from(pairs.flat()), 0);
  expect([book.bestBid(), book.bestAsk(), book.depth(ASK)]).toEqual([Number.NaN, 10_000_000, 40_000]);
  expect(book.levels(ASK)).toEqual(plain.levels(ASK));
});

it('a message of as many levels as there is room for is told whole', () => {
  const book = new Book(10, scannerBooks);
  for (let n = 0; n < LEVELS; n++) own.set([(1_000_000 + n * 3) * 10, n + 1], n * 2);
  const heard: number[] = [];
  book.message(own, 0, 0, LEVELS, 0, Number.POSITIVE_INFINITY, (_, price) => void heard.push(price));
  expect(heard.length).toBe(LEVELS);
  expect(heard.every((price, n) => price === own[n * 2])).toBe(true);
  expect([book.bestAsk(), book.depth(ASK)]).toEqual([10_000_000, LEVELS]);
});

it('far levels of a book grow out of their room in the scanner, and shrink again', () => {
  const book = new Book(10, scannerBooks);
  const plain = new PlainBook();
  const send = (levels: [price: number, size: number][]): void => {
    own.set(levels.flat());
    book.message(own, 0, 0, levels.length);
    for (const [price, size] of levels) plain.set(ASK, price, size);
  };
  const far = (n: number): number => 20_000_000 + n * 70;
  send([[10_000_000, 1]]);
  for (let from = 0; from < 9000; from += 300)
    send(Array.from({ length: 300 }, (_, n): [number, number] => [far(from + n), n + 1]));
  compare(book, plain);
  send(Array.from({ length: 9000 }, (_, n): [number, number] => [far(n), n % 100 === 0 ? 5 : 0]));
  compare(book, plain);
});

/** Where the slots are: as few as a table begins with, or more than it needs. */
const roomOf = (slots: number): FarRoom => ({
  prices: new Float64Array(slots),
  sizes: new Float64Array(slots),
  state: new Int32Array(2),
});

it.each([64, 256, 4096])('far levels are a map from price to size, in a room of %i slots', (slots) => {
  const room = (): FarRoom => roomOf(slots);
  // prices that fall into few slots, and the largest
  const price = fc.oneof(
    fc.nat(200),
    fc.nat(40).map((n) => n * 2 ** 32),
    fc.nat(3000).map((n) => n * 512),
    fc.maxSafeNat(),
  );
  const size = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(price, size, rarely(200)), { maxLength: 600 }), (steps) => {
      const far = new FarLevels(room());
      const map = new Map<number, number>();
      for (const [price, size, clear] of steps) {
        if (clear) {
          far.clear();
          map.clear();
        }
        expect(far.set(price, size)).toBe(map.get(price) ?? 0);
        if (size > 0) map.set(price, size);
        else map.delete(price);
        expect(far.size).toBe(map.size);
      }
      for (const [price] of steps) expect(far.get(price)).toBe(map.get(price) ?? 0);
      const visited: [number, number][] = [];
      far.each((price, size) => void visited.push([price, size]));
      expect(visited.length).toBe(map.size);
      expect(new Map(visited)).toEqual(map);
    }),
    { numRuns: 60 },
  );
});
