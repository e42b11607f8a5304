/** Runs of refills in a market: where they begin, what ends them all, and how many there may be. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { RefillRun } from '../../src/market/refill-run.js';
import { Refills } from '../../src/market/refills.js';
import { ladder, TapeBuilder } from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

const BID = 10_000;
const ASK = BID + 1;
const rules = { cycles: 2, refill: 250_000, fade: 60_000_000 };

let tape: TapeBuilder;
let player: MarketPlayer;
let refills: Refills;
beforeEach(() => {
  tape = new TapeBuilder();
  player = new MarketPlayer(tape);
  refills = new Refills(player.market, rules);
  tape.snapshot(...ladder(BID, 10, 10, 100));
  tape.trade(-1, BID, 1);
});

function clip(price = ASK): void {
  tape.trade(1, price, 10).depth([], [[price, 0]]);
  tape.wait(20_000).depth([], [[price, 10]]);
  tape.wait(200_000);
}

function beginUnit(): void {
  player.play();
  player.market.beginUnit(player.market.t);
}

function told(): readonly RefillRun[] {
  player.play();
  return refills.take(tape.t);
}

test('a price far from the touch is followed from its first trade on', () => {
  clip(ASK + 20);
  clip(ASK + 20);
  expect(told().map(({ cycles, refills }) => [cycles, refills])).toEqual([[2, 2]]);
});

test('the book was first, and full again, when the first trade came', () => {
  tape
    .depth([], [[ASK, 0]])
    .wait(5000)
    .depth([], [[ASK, 10]]);
  tape.wait(5000).trade(1, ASK, 10);
  clip();
  expect(told().map(({ cycles, peak }) => [cycles, player.market.size(peak)])).toEqual([[2, 10]]);
});

test('an old fall belongs to no trade', () => {
  tape
    .depth([], [[ASK, 25]])
    .depth([], [[ASK, 0]])
    .wait(101_000)
    .depth([], [[ASK, 10]]);
  clip();
  clip();
  expect(told().map(({ cycles, peak }) => [cycles, player.market.size(peak)])).toEqual([[2, 10]]);
});

describe('nothing is counted across', () => {
  test.each([
    ['a lost trade', () => tape.trade(-1, BID, 1, { lost: 1 })],
    ['a lost update', () => tape.depth([], [], { lost: 1 }).snapshot(...ladder(BID, 10, 10, 100))],
    ['a crossed book', () => tape.depth([[ASK, 1]], []).depth([[ASK, 0]], [])],
    ['the start of a unit', beginUnit],
  ] as [string, () => unknown][])('%s', (_, cut) => {
    clip();
    cut();
    clip();
    expect(told()).toEqual([]);
  });

  test('and nothing begins while the book is crossed', () => {
    tape.depth([[ASK + 3, 1]], []);
    for (let n = 0; n < 2; n++) tape.trade(1, ASK, 10).wait(150_000).clock();
    expect(told()).toEqual([]);
    player.quiet(1);
    expect(told()).toEqual([]);
  });
});

test('of too many prices the oldest is let go, unless its run has begun', () => {
  clip();
  clip();
  clip(ASK + 1);
  for (let n = 2; n < 80; n++) tape.wait(1000).trade(1, ASK + n, 1);
  clip(ASK + 1);
  clip();
  expect(told().map(({ price, cycles }) => [player.market.price(price), cycles])).toEqual([[ASK / 10, 3]]);
});
