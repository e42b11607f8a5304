/** Where price stood when a window of prints began. */
import { expect, test } from 'vitest';
import { Effect } from '../../src/market/effect.js';
import { PrintWindow } from '../../src/market/prints.js';
import { MAX_ITEMS } from '../../src/market/ring.js';

const endsOf = (prints: PrintWindow, t: number): number[] => [prints.firstPrice(t), prints.lastPrice(t)];

test('the first and last price of (t − span, t], however they come', () => {
  const prints = new PrintWindow(10);
  expect(endsOf(prints, 100)).toEqual([Number.NaN, Number.NaN]);
  for (const [t, price] of [
    [100, 5],
    [101, 7],
    [101, 6],
    [108, 9],
  ])
    prints.trade(t, 1, price);
  expect(endsOf(prints, 109)).toEqual([5, 9]);
  expect(endsOf(prints, 110)).toEqual([7, 9]);
  expect(endsOf(prints, 111)).toEqual([9, 9]);
  expect(endsOf(prints, 118)).toEqual([Number.NaN, Number.NaN]);
});

test('missing trades empty it, other losses do not', () => {
  const prints = new PrintWindow(10);
  prints.trade(1, 1, 5);
  prints.lose(Effect.lost | Effect.besideGap);
  expect(endsOf(prints, 2)).toEqual([5, 5]);
  prints.lose(Effect.tradeGap);
  expect(endsOf(prints, 2)).toEqual([Number.NaN, Number.NaN]);
});

test('it holds so many prints and no more: what is old makes room first', () => {
  const prints = new PrintWindow(1000);
  for (let t = 0; t < 5000; t++) prints.trade(t, 1, t);
  expect(endsOf(prints, 4999)).toEqual([4000, 4999]);
  for (let n = 0; n < MAX_ITEMS + 5; n++) prints.trade(9000, 1, n);
  expect(endsOf(prints, 9000)).toEqual([5, MAX_ITEMS + 4]);
});
