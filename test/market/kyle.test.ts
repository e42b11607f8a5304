/** Kyle's lambda: the worked answer, what is left out of it, and its units. */
import { describe, expect, test } from 'vitest';
import { type Kyle, kyleOf, LineFit } from '../../src/market/kyle.js';
import { MINUTE, SECOND } from '../scan/tape-builder.js';
import { SecondTape } from '../signals/second-tape.js';
import { LiveMarket, type LiveOptions } from './live-market.js';

const VOLUMES = [1, -2, 3, 0, -1];

describe('the line', () => {
  test('through y = 0.5 x has the slope 0.5 exactly and explains all', () => {
    const fit = new LineFit();
    expect(fit.slope).toBeNaN();
    for (const x of VOLUMES) fit.add(x, 0.5 * x);
    expect([fit.slope, fit.r2, fit.count]).toEqual([0.5, 1, 5]);
    fit.clear();
    fit.add(1, 1);
    expect([fit.slope, fit.r2]).toEqual([Number.NaN, Number.NaN]);
  });

  test('has an intercept: what always adds to y changes neither', () => {
    const fit = new LineFit();
    for (const x of VOLUMES) fit.add(x, 0.5 * x + 7);
    expect([fit.slope, fit.r2]).toEqual([0.5, 1]);
  });

  test('explains the share of variance that it explains', () => {
    const fit = new LineFit();
    for (const [x, y] of [
      [-1, -1],
      [-1, 1],
      [1, 1],
      [1, 3],
    ])
      fit.add(x, y);
    expect([fit.slope, fit.r2]).toEqual([1, 0.5]);
  });
});

/** Prices are in ticks of 0.1 and held with three decimals, sizes with five. */
const PER_UNIT = 100 / 1e5;

function told(tape: SecondTape, delay: number, options: LiveOptions = {}): { live: LiveMarket; kyle: Kyle } {
  const live = new LiveMarket(tape.tape.lines, options);
  return { live, kyle: kyleOf(live.market, delay) };
}

test('a mid that moves half a tick per unit bought has a lambda of half a tick', () => {
  const tape = new SecondTape();
  for (let i = 0; i < 60; i++) tape.second(2 * VOLUMES[i % 5], VOLUMES[i % 5]);
  const { live, kyle } = told(tape, 10 * SECOND);
  live.read();
  expect(kyle.lambda).toBe(0.5 * PER_UNIT);
  expect(kyle.r2).toBe(1);
  // 0.05 per unit of about 1000 is half a bps of the mid, and a million are about 1000 units
  const mid = (tape.bid + 0.5) / 10;
  expect(kyle.bpsPerMillion).toBeCloseTo(((0.05 / mid) * 1e4 * 1e6) / mid, 6);
});

test('it is known once there are enough seconds older than the delay', () => {
  const tape = new SecondTape();
  for (let i = 0; i < 40; i++) tape.second(2 * VOLUMES[i % 5], VOLUMES[i % 5]);
  const known: number[] = [];
  const { live, kyle } = told(tape, 12 * SECOND);
  let began = 0;
  live.read((t) => {
    if (began === 0) began = t;
    if (!Number.isNaN(kyle.lambda)) known.push(Math.round((t - began) / SECOND));
  });
  // ten moves need eleven seconds, of which the newest is twelve old; it is seen with the entry behind the second
  expect(known[0]).toBe(24);
});

test('the newest window counts for nothing', () => {
  const calm = new SecondTape();
  const wild = new SecondTape();
  for (const tape of [calm, wild]) for (let i = 0; i < 60; i++) tape.second(2 * VOLUMES[i % 5], VOLUMES[i % 5]);
  for (let i = 0; i < 9; i++) wild.second(50, -30);
  const { live, kyle } = told(wild, 10 * SECOND);
  live.read();
  expect(kyle.lambda).toBe(0.5 * PER_UNIT);
  for (let i = 0; i < 3; i++) wild.second(0, 0);
  const later = told(wild, 10 * SECOND);
  later.live.read();
  expect(later.kyle.lambda).toBeLessThan(0.5 * PER_UNIT);
});

test('seconds older than the minutes of the baseline are forgotten', () => {
  const tape = new SecondTape();
  for (let i = 0; i < 60; i++) tape.second(10, -10).second(-10, 10);
  for (let i = 0; i < 125; i++) tape.second(2 * VOLUMES[i % 5], VOLUMES[i % 5]);
  const { live, kyle } = told(tape, SECOND, { baselineMinutes: 1 });
  live.read();
  expect(kyle.lambda).toBe(0.5 * PER_UNIT);
  const longer = told(tape, SECOND, { baselineMinutes: 4 });
  longer.live.read();
  expect(longer.kyle.lambda).toBeLessThan(0);
});

test.each([
  ['book updates', (tape: SecondTape): unknown => tape.tape.depth([], [], { lost: 1 })],
  ['trades', (tape: SecondTape): unknown => tape.tape.trade(1, tape.bid + 1, 1, { lost: 1 })],
])('missing %s: nothing from before them counts, and no second across them', (_, lose) => {
  const tape = new SecondTape();
  for (let i = 0; i < 60; i++) tape.second(10, -10).second(-10, 10);
  lose(tape);
  tape.join();
  const { live, kyle } = told(tape, SECOND);
  live.read();
  expect(kyle.lambda).toBeNaN();
  for (let i = 0; i < 20; i++) tape.second(2 * VOLUMES[i % 5], VOLUMES[i % 5]);
  const later = told(tape, SECOND);
  later.live.read();
  expect(later.kyle.lambda).toBe(0.5 * PER_UNIT);
});

test('without a mid, and where nothing is traded, nothing is known', () => {
  const flat = new SecondTape();
  for (let i = 0; i < 60; i++) flat.second(0, i % 2 === 0 ? 1 : -1);
  const { live, kyle } = told(flat, SECOND, { warmup: MINUTE / 2 });
  live.read();
  expect([kyle.lambda, kyle.r2, kyle.bpsPerMillion]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
