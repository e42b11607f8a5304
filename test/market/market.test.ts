/** What statistics and cells of the market state rest on. */
import { expect, test } from 'vitest';
import { ASK } from '../../src/market/book.js';
import { groupSizes } from '../../src/market/group-sizes.js';
import { PRICE } from '../../src/market/level-changes.js';
import { GridStatistic } from '../../src/market/statistic.js';
import { type Level, SECOND, TapeBuilder } from '../scan/tape-builder.js';
import { newMarket, play } from './feed.js';

test('a sample joins the baseline only after its delay, so that no event meets itself', () => {
  const taken: number[] = [];
  const statistic = new GridStatistic(5, 'trades', 5_000_000, (t, sample) => {
    taken.push(t);
    sample(t);
  });
  for (let second = 1; second <= 8; second++) statistic.tick(second * 1_000_000);
  expect(taken).toHaveLength(8);
  expect(statistic.baseline.count).toBe(3);
  expect(statistic.baseline.quantile(1)).toBe(3_000_000);
  statistic.clear();
  statistic.tick(9_000_000);
  statistic.tick(13_999_999);
  expect(statistic.baseline.count).toBe(0);
});

test('a band that a trade widened is followed from the next update on, whoever else follows the book', () => {
  const market = newMarket();
  const heard: number[] = [];
  const deep = { low: 100_000, high: 100_200 };
  market.follow({ levels: { band: { low: 100_000, high: 100_100 }, changes: () => {} } });
  market.follow({
    levels: { band: deep, changes: ({ values }) => void heard.push(values[PRICE]) },
    trade: (_t, _side, price) => {
      deep.high = price;
    },
  });
  const tape = new TapeBuilder().snapshot([[1000, 1]], [[1001, 1]]);
  tape
    .depth([], [[1050, 2]])
    .trade(1, 1050, 2)
    .depth([], [[1050, 0]]);
  play(market, tape.lines, () => {});
  expect(heard).toEqual([105_000]);
});

test('what an order took of several cells explains what they lost, also where the book told of it first', () => {
  const market = newMarket();
  // eight ticks a cell: just above four bps
  const ledger = market.ledger(10 * SECOND, 4);
  const prices = Array.from({ length: 20 }, (_, i) => 10_001 + i);
  const asks = (size: number): Level[] => prices.map((price) => [price, size]);
  const tape = new TapeBuilder().snapshot([[10_000, 1]], [...asks(1), [10_100, 1]]).wait(SECOND);
  tape.depth([], asks(0)).wait(1000);
  for (const price of prices) tape.trade(1, price, 1, { matched: 5 });
  tape.wait(SECOND).clock();
  play(market, tape.lines, () => {});
  ledger.advance(market.t);
  const refilled = ledger.live[ASK].map((level) => level.refillNet);
  expect(refilled).toEqual([0, 0, 0]);
});

test('sizes of aggressor groups join what is usual a second after they are complete, each once', () => {
  const market = newMarket();
  const sizes = groupSizes(market);
  expect(groupSizes(market)).toBe(sizes);
  const tape = new TapeBuilder();
  // one order of two prints, and two more; then time goes on, and trades are lost
  for (const size of [1, 2]) tape.trade(1, 1001, size, { matched: 5 });
  tape
    .trade(-1, 1000, 7)
    .wait(SECOND / 2)
    .trade(-1, 1000, 5);
  for (let i = 0; i < 3; i++) tape.wait(SECOND).clock();
  tape.trade(1, 1001, 9, { lost: 1 });
  const seen: [count: number, largest: number][] = [];
  play(market, tape.lines, () => seen.push([sizes.baseline.count, sizes.baseline.quantile(1) / 100_000]));
  const none: [number, number] = [0, Number.NaN];
  // the third is complete only with the first word after it
  expect(seen).toEqual([...Array.from({ length: 6 }, () => none), [2, 7], [3, 7], none]);
});
