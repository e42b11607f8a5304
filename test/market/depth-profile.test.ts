/** The depth profile: sizes by distance equal sums over the book's levels, widths fit the price, what is usual is the median. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { BUCKETS, depthProfile } from '../../src/market/depth-profile.js';
import { type Level, ladder, MINUTE, SECOND, START, TapeBuilder, type TapeOptions } from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

/** A market with a book of one size, and its profile; a minute of quiet has passed. */
function quietMarket(bid: number, levels: number, options: TapeOptions & { quiet?: number } = {}) {
  const tape = new TapeBuilder(options);
  tape.snapshot(...ladder(bid, 10, 10, levels));
  const player = new MarketPlayer(tape);
  const profile = depthProfile(player.market);
  player.quiet(options.quiet ?? 60);
  const { tick } = player.market.track.book;
  return { tape, player, market: player.market, profile, tick, ticks: () => profile.width / tick };
}

test('who asks again gets the same profile; before the first second is over nothing is known', () => {
  const { market, player, profile } = quietMarket(1000, 3, { quiet: 0.5 });
  expect(depthProfile(market)).toBe(profile);
  expect([market.track.state, profile.width, profile.size(BID, 0)]).toEqual(['valid', Number.NaN, Number.NaN]);
  player.quiet(1);
  expect(profile.size(BID, 0)).toBeGreaterThan(0);
});

test('sizes of buckets, and between any distances, are sums over the levels there; unknown beyond what is known', () => {
  const bid = 30_000; // a basis point is three ticks: buckets of four
  const away = fc.integer({ min: 0, max: 150 });
  const change = fc.tuple(fc.constantFrom(BID, ASK), away, fc.integer({ min: 0, max: 30 }));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.array(change, { maxLength: 60 }),
      fc.tuple(away, away),
      (levels, changes, [from, more]) => {
        const { tape, player, market, profile, tick, ticks } = quietMarket(bid, levels, { quiet: 2 });
        for (const [side, distance, size] of changes)
          if (side === BID) tape.depth([[bid - distance, size]], []);
          else tape.depth([], [[bid + 1 + distance, size]]);
        player.play();
        expect(ticks()).toBe(4);
        const { bid: best, ask, track } = market;
        const expected = (side: BookSide, near: number, far: number): number => {
          const distance = (price: number): number => (side === BID ? best - price : price - ask) / tick;
          const edge = side === BID ? track.low : track.high;
          if (!(best < ask) || distance(edge) < far - 1) return Number.NaN;
          return track.book
            .levels(side)
            .filter(([price]) => distance(price) >= near && distance(price) < far)
            .reduce((sum, [, size]) => sum + size, 0);
        };
        for (const side of [BID, ASK] as const) {
          for (const j of [7, 0, 3, BUCKETS - 1, 12])
            expect(profile.size(side, j)).toBe(expected(side, j * 4, j * 4 + 4));
          expect(profile.between(side, from * tick, (from + more + 1) * tick)).toBe(
            expected(side, from, from + more + 1),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('width', () => {
  test.each([
    [1000, 1],
    [14_000, 1],
    [14_200, 2],
    [281_400, 32],
    [1_100_000, 128],
  ])('at a price of %d ticks a bucket is %d ticks wide', (bid, width) => {
    expect(quietMarket(bid, 2, { quiet: 2 }).ticks()).toBe(width);
  });

  test('it is looked at once a minute, grows at once, shrinks in the second minute, and forgets what was usual', () => {
    const { tape, player, profile, ticks } = quietMarket(14_000, 400, { quiet: 0 });
    const move = (from: number, to: number): void => {
      tape.depth([[from, 0]], from < to ? [] : [[to + 1, 1]]);
      tape.depth([[to, 1]], []);
      player.play();
    };
    player.quiet(30);
    expect(ticks()).toBe(1);
    for (let at = 14_001; at <= 14_300; at++) tape.depth([[at, 1]], [[at, 0]]);
    player.quiet(20);
    expect([ticks(), profile.usual(BID, 0) > 0]).toEqual([1, true]);
    player.quiet(12);
    expect([ticks(), profile.usual(BID, 0)]).toEqual([2, Number.NaN]);
    for (let at = 14_300; at > 14_000; at--) move(at, at - 1);
    player.quiet(60);
    expect(ticks()).toBe(2);
    player.quiet(60);
    expect(ticks()).toBe(1);
  });
});

describe('what is usual', () => {
  test('the median of samples five seconds apart, of the whole minutes of the ring', () => {
    const { tape, player, profile } = quietMarket(1000, 30, { quiet: 0 });
    const sizes: number[] = [];
    const { track } = player.market;
    for (let second = 0; second < 9 * 60; second++) {
      const size = 1 + ((second * 7919) % 101);
      tape.depth([[998, size]], []);
      player.quiet(1);
      const now = (tape.t - START) / SECOND;
      // the sample at a whole second is of the book before the message at that second
      if (now % 5 < 1) sizes.push(size * 10 ** track.scale.size);
    }
    const minute = Math.floor((tape.t - START) / MINUTE);
    const inRing = sizes.filter((_, i) => Math.floor(((i + 1) * 5) / 60) >= minute - 5).sort((a, b) => a - b);
    expect(inRing.length).toBeGreaterThan(60);
    expect(profile.usual(BID, 2)).toBe(inRing[Math.ceil(inRing.length / 2) - 1]);
    expect(profile.usual(BID, 1)).toBe(10 * 10 ** track.scale.size);
  });

  test('of stretches it is the sum, of parts of buckets their part; nothing beyond the buckets', () => {
    const { player, profile, tick } = quietMarket(30_000, 120);
    const level = 10 * 10 ** player.market.track.scale.size;
    expect(profile.usualBetween(ASK, 0, 12 * tick)).toBe(12 * level);
    expect(profile.usualBetween(ASK, 3 * tick, 10 * tick)).toBe(7 * level);
    expect(profile.usualBetween(BID, 99 * tick, 100 * tick)).toBe(level);
    expect(profile.usualBetween(BID, 99 * tick, 101 * tick)).toBeNaN();
  });

  test('a size has the rank of the samples it is not below', () => {
    const { tape, player, profile } = quietMarket(1000, 25);
    tape.depth([[1000, 20]], []);
    player.quiet(60);
    const unit = 10 ** player.market.track.scale.size;
    expect(profile.rank(BID, 10 * unit - 1)).toBe(0);
    expect(profile.rank(BID, 10 * unit)).toBeCloseTo(49 / 50, 3);
    expect(profile.rank(BID, 20 * unit)).toBe(1);
    expect(profile.rank(ASK, 10 * unit)).toBe(1);
  });

  test('unknown until the warm-up is over, and again after the book was lost', () => {
    const { tape, player, profile } = quietMarket(1000, 25, { quiet: 19 });
    expect([profile.usual(BID, 0), profile.rank(BID, 1)]).toEqual([Number.NaN, Number.NaN]);
    player.quiet(2);
    expect(profile.usual(BID, 0)).toBeGreaterThan(0);
    tape.depth([], [], { lost: 1 });
    player.quiet(2);
    expect([profile.size(BID, 0), profile.usual(BID, 0), profile.width]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const levels: [Level[], Level[]] = ladder(1000, 5, 5, 25);
    tape.snapshot(...levels);
    player.quiet(19);
    expect([profile.size(BID, 0) > 0, profile.usual(BID, 0)]).toEqual([true, Number.NaN]);
    player.quiet(2);
    expect(profile.usual(BID, 0)).toBe(profile.size(BID, 0));
  });
});
