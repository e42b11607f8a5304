/** The book as it stood before an order: held against copies of the whole book after every message. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { type BookHistory, bookHistory } from '../../src/market/book-history.js';
import { Effect } from '../../src/market/effect.js';
import type { Market } from '../../src/market/market.js';
import type { Track } from '../../src/market/track.js';
import { randomFrom } from '../scan/random-tape.js';
import { type Level, SECOND, TapeBuilder } from '../scan/tape-builder.js';
import { BybitTape } from '../signals/bybit-lines.js';
import { newMarket, play } from './feed.js';

/** Scaled price of a tick of 0.1, and scaled size of one. */
const TICK = 100;
const ONE = 100_000;

/** The book after a message. */
interface Copy {
  t: number;
  /** exchange time; not known of a book that was joined */
  at: number;
  sides: [Map<number, number>, Map<number, number>];
}

/** Plays lines; `look` sees the history after each, and copies of the book since it was joined. */
function playBooks(
  lines: string[],
  look: (history: BookHistory, copies: readonly Copy[], market: Market) => void,
): void {
  const market = newMarket();
  const history = bookHistory(market, SECOND, 20);
  let copies: Copy[] = [];
  play(market, lines, (effect, matched) => {
    if ((effect & (Effect.lost | Effect.valid)) !== 0) copies = [];
    if ((effect & (Effect.book | Effect.valid)) !== 0)
      copies.push({
        t: market.t,
        at: (effect & Effect.valid) === 0 ? matched : Number.NaN,
        sides: copyOf(market.track),
      });
    look(history, copies, market);
  });
}

const copyOf = ({ book }: Track): Copy['sides'] => [new Map(book.levels(BID)), new Map(book.levels(ASK))];

/** Some seconds of a book: levels come, change and go, the touch moves, and at times it is lost. */
function bookTape(seed: number): string[] {
  const random = randomFrom(seed);
  const whole = (most: number): number => Math.floor(random() * most);
  const tape = new TapeBuilder();
  let mid = 1000;
  const side = (sign: number): Level[] => Array.from({ length: 8 }, (_, i): Level => [mid + sign * (i + 1), 5]);
  const join = (): void => void tape.snapshot([...side(-1), [mid - 300, 1]], [...side(1), [mid + 300, 1]]);
  join();
  for (let i = 0; i < 150; i++) {
    tape.wait(whole(random() < 0.05 ? 1_500_000 : 60_000));
    if (random() < 0.02) {
      tape.depth([], [], { lost: 1 });
      join();
    }
    mid += whole(3) - 1;
    // what the touch left behind goes, and some of what is near changes
    const levels = (sign: number): Level[] =>
      Array.from({ length: 7 }, (_, n): Level => [mid + sign * (n - 2), n < 3 ? 0 : whole(4)]);
    if (random() < 0.2) tape.trade(1, mid + whole(90), 1);
    tape.depth(levels(-1), levels(1));
  }
  return tape.lines;
}

test('a side of the book before an order, what went since, and the depth then are those of the copies', () => {
  let compared = 0;
  let gone = 0;
  let depths = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const random = randomFrom(seed + 1);
      let firstT = Number.NEGATIVE_INFINITY;
      let matched = 0;
      playBooks(bookTape(seed), (history, copies, market) => {
        if (random() < 0.6) return;
        // at times it is asked for the same order again
        if (random() < 0.5 || market.t - firstT >= SECOND) {
          firstT = market.t - Math.floor(random() * SECOND);
          // times of messages are whole ms, and so are those of orders: at times the same, or none
          matched = random() < 0.3 ? 0 : Math.floor(firstT / 1000) * 1000 - Math.floor(random() * 30) * 1000;
        }
        const isBefore = ({ t, at }: Copy): boolean =>
          matched === 0 ? t <= firstT - market.guard : at < matched || t <= firstT - SECOND;
        const n = copies.findLastIndex(isBefore);
        for (const side of [BID, ASK] as BookSide[]) {
          const past = history.before(side, matched, firstT);
          expect(past === null).toBe(n < 0);
          if (past === null) continue;
          const copy = copies[n].sides[side];
          const prices = new Set(copies.slice(n).flatMap(({ sides }) => [...sides[side].keys()]));
          const followed = [...prices].filter((price) => past.follows(price));
          const leastOf = (price: number): number =>
            Math.min(...copies.slice(n).map(({ sides }) => sides[side].get(price) ?? 0));
          expect(followed.map((price) => [price, past.before(price), past.least(price)])).toEqual(
            followed.map((price) => [price, copy.get(price) ?? 0, leastOf(price)]),
          );
          compared += followed.length;
          gone += followed.filter((price) => past.before(price) > 0 && past.least(price) === 0).length;
          const [bids, asks] = copies[n].sides;
          const bid = Math.max(...bids.keys());
          const ask = Math.min(...asks.keys());
          expect([past.bid, past.ask]).toEqual([bid, ask]);
          // where a side was empty since, nothing was followed
          if (!(bid < ask) || Number.isNaN(past.depthWithin(20))) continue;
          depths++;
          const limit = (side === ASK ? 1.002 : 0.998) * ((bid + ask) / 2);
          const within = [...copy].filter(([price]) => (side === ASK ? price <= limit : price >= limit));
          expect(past.depthWithin(20)).toBe(within.reduce((sum, [, size]) => sum + size, 0));
        }
      });
    }),
    { numRuns: 8 },
  );
  expect(compared).toBeGreaterThan(1500);
  expect(gone).toBeGreaterThan(50);
  expect(depths).toBeGreaterThan(300);
});

test('of a book that slides, what is said to be known of a moment is what the whole book was then', () => {
  let compared = 0;
  let unknown = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const random = randomFrom(seed);
      const whole = (most: number): number => Math.floor(random() * most);
      const tape = new BybitTape();
      let mid = 1000;
      const sizes = [new Map<number, number>(), new Map<number, number>()];
      const sizeAt = (side: BookSide, price: number): number => {
        const known = sizes[side].get(price) ?? 1 + whole(3);
        sizes[side].set(price, known);
        return known;
      };
      const best = (): Level[][] =>
        [-1, 1].map((sign, side) =>
          Array.from({ length: 6 }, (_, i): Level => {
            const price = mid + sign * (i + 1);
            return [price, sizeAt(side as BookSide, price)];
          }),
        );
      let shown = best();
      tape.book('snapshot', shown[BID], shown[ASK]);
      /** all that was displayed after each message, seen by the venue's best levels or not */
      const truth = [sizes.map((side) => new Map(side))];
      for (let i = 0; i < 80; i++) {
        tape.wait(whole(60_000));
        mid += whole(5) - 2;
        const side = whole(2) as BookSide;
        sizes[side].set(mid + (side === BID ? -1 : 1) * (1 + whole(9)), 1 + whole(3));
        const now = best();
        tape.window(shown, now);
        shown = now;
        truth.push(sizes.map((one) => new Map(one)));
      }
      const market = newMarket('bybit-linear');
      const history = bookHistory(market, SECOND, 20);
      const times: number[] = [];
      const look = (effect: number): void => {
        if ((effect & (Effect.book | Effect.valid)) !== 0) times.push(market.t);
        if (times.length === 0) return;
        const firstT = market.t - whole(SECOND);
        const n = times.findLastIndex((t) => t <= firstT - market.guard);
        for (const side of [BID, ASK] as BookSide[]) {
          const past = history.before(side, 0, firstT);
          if (past === null) continue;
          for (let price = mid - 12; price <= mid + 12; price++) {
            // only where the other side was not at the time, nor was ever crossed
            if (side === BID ? price * TICK > past.bid : price * TICK < past.ask) continue;
            if (!past.knows(price * TICK)) unknown++;
            else {
              compared++;
              expect([n, price, past.before(price * TICK)]).toEqual([n, price, (truth[n][side].get(price) ?? 0) * ONE]);
            }
          }
        }
      };
      play(market, tape.lines, look, 'bybit-linear');
    }),
    { numRuns: 40 },
  );
  expect([compared > 1000, unknown > 1000]).toEqual([true, true]);
});

test('the history does not go back behind a loss, nor further than its span', () => {
  const tape = new TapeBuilder();
  tape.snapshot(
    [
      [1000, 1],
      [900, 1],
    ],
    [
      [1001, 1],
      [1100, 1],
    ],
  );
  tape.wait(3 * SECOND).depth([], [[1001, 2]]);
  const matched = Math.floor(tape.t / 1000) * 1000 + 1000;
  tape.wait(SECOND).depth([], [[1001, 3]]);
  tape.wait(SECOND).depth([], [[1001, 4]], { lost: 1 });
  tape.snapshot(
    [
      [1000, 1],
      [900, 1],
    ],
    [
      [1001, 5],
      [1100, 1],
    ],
  );
  const seen: (number | null)[] = [];
  playBooks(tape.lines, (history, _, market) =>
    seen.push(history.before(ASK, matched, market.t)?.before(1001 * TICK) ?? null),
  );
  // nothing before the join is known; then the book as it was joined, once it is old enough; and nothing right after the loss
  expect(seen.map((size) => (size === null ? null : size / ONE))).toEqual([null, null, null, 2, 2, null, null, null]);
});

test('deep trades are followed, so that the update they made is known there', () => {
  const tape = new TapeBuilder();
  tape.snapshot(
    [
      [1000, 1],
      [500, 1],
    ],
    [
      [1001, 1],
      [1080, 7],
      [1500, 1],
    ],
  );
  tape.depth([[1000, 2]], []);
  const matched = Math.floor(tape.t / 1000) * 1000 + 1000;
  tape
    .wait(2000)
    .trade(1, 1080, 7)
    .depth([], [[1080, 0]])
    .depth([], [[1081, 3]]);
  let known = [Number.NaN, Number.NaN];
  playBooks(tape.lines, (history, _, market) => {
    const past = history.before(ASK, matched, market.t);
    if (past !== null)
      known = [past.follows(1080 * TICK) ? past.before(1080 * TICK) / ONE : -1, past.follows(1090 * TICK) ? 1 : -1];
  });
  expect(known).toEqual([7, -1]);
});
