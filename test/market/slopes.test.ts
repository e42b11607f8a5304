/** Slopes as robust z: against a plain computation, and as often beyond a threshold as chance says. */
import { describe, expect, test } from 'vitest';
import { type Slopes, slopesOf } from '../../src/market/slopes.js';
import { randomFrom } from '../scan/random-tape.js';
import { MINUTE, SECOND } from '../scan/tape-builder.js';
import { SecondTape } from '../signals/second-tape.js';
import { LiveMarket, type LiveOptions } from './live-market.js';

/** Roughly normal, by the sum of twelve. */
const normalFrom =
  (random: () => number): (() => number) =>
  () =>
    Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);

interface Step {
  delta: number;
  ticks: number;
}

/** `share` of the mid's moves comes from delta. */
function steps(seed: number, count: number, share: number): Step[] {
  const normal = normalFrom(randomFrom(seed));
  return Array.from({ length: count }, () => {
    const delta = Math.round(10 * normal());
    return { delta, ticks: Math.round(share * delta + 10 * Math.sqrt(1 - share * share) * normal()) };
  });
}

function tapeOf(told: readonly Step[], drift = 0): SecondTape {
  const tape = new SecondTape({ bid: 1_000_000 });
  for (const { delta, ticks } of told) tape.second(delta + drift, ticks);
  return tape;
}

interface Told {
  t: number;
  price: number;
  flow: number;
}

/** Both z after every second. */
function read(tape: SecondTape, span: number, options: LiveOptions): Told[] {
  const live = new LiveMarket(tape.tape.lines, options);
  const slopes: Slopes = slopesOf(live.market, span);
  const found: Told[] = [];
  let second = 0;
  live.read((t) => {
    // the newest whole second has been looked at by the first entry behind it
    if (Math.ceil(t / SECOND) === second) return;
    second = Math.ceil(t / SECOND);
    found.push({ t, price: slopes.priceZ, flow: slopes.flowZ });
  });
  return found;
}

test('a z is the distance of the newest slope from the median of the older ones', () => {
  const told = steps(3, 100, 0.5);
  const found = read(tapeOf(told), 5 * SECOND, { baselineMinutes: 5, warmup: 20 * SECOND }).at(-1);
  const least = (values: readonly number[]): number => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [xy, xx] = values.reduce(([a, b], value, i) => [a + (i - 2.5) * (value - mean), b + (i - 2.5) ** 2], [
      0, 0,
    ] as [number, number]);
    return xy / xx;
  };
  const median = (values: readonly number[]): number => {
    const sorted = [...values].sort((a, b) => a - b);
    return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  };
  const z = (of: (step: Step) => number): number => {
    let level = 0;
    // the last second is not over for who reads to its end
    const levels = told.slice(0, -1).map((step) => {
      level += of(step);
      return level;
    });
    const slopes = levels.slice(5).map((_, i) => least(levels.slice(i, i + 6)));
    const older = slopes.slice(0, -5);
    const centre = median(older);
    const distances = older.map((slope) => Math.abs(slope - centre)).sort((a, b) => a - b);
    return (0.6745 * ((slopes.at(-1) as number) - centre)) / distances[Math.ceil(distances.length / 2) - 1];
  };
  expect(found?.price).toBeCloseTo(
    z(({ ticks }) => ticks),
    9,
  );
  expect(found?.flow).toBeCloseTo(
    z(({ delta }) => delta),
    9,
  );
});

const zs = ({ price, flow }: Told): number[] => [price, flow];

test('a steady drift of cumulative delta changes no z', () => {
  const told = steps(5, 200, 0.3);
  const options = { baselineMinutes: 5, warmup: 30 * SECOND };
  const plain = read(tapeOf(told), 10 * SECOND, options);
  expect(plain.filter(({ flow }) => !Number.isNaN(flow)).length).toBeGreaterThan(100);
  for (const drift of [7, -40]) expect(read(tapeOf(told, drift), 10 * SECOND, options).map(zs)).toEqual(plain.map(zs));
});

describe('by chance', () => {
  const share = (seed: number, correlation: number): number => {
    const options = { baselineMinutes: 15, warmup: 5 * MINUTE };
    const known = read(tapeOf(steps(seed, 2700, correlation)), 10 * SECOND, options).filter(
      ({ price }) => !Number.isNaN(price),
    );
    expect(known.length).toBeGreaterThan(2300);
    const apart = known.filter(({ price, flow }) => Math.abs(price) >= 1.5 && Math.sign(price) * flow <= 0.5);
    return apart.length / known.length;
  };

  test('price and delta that know nothing of each other part as often as two normal numbers do', () => {
    // 2 · P(z ≥ 1.5) · P(z ≤ 0.5) = 0.092
    const apart = share(1, 0);
    expect(apart).toBeGreaterThan(0.07);
    expect(apart).toBeLessThan(0.115);
  });

  test('a price that delta explains but for noise hardly ever does', () => {
    // at a correlation of 0.95 normal numbers do so once in five thousand seconds
    expect(share(1, 0.95)).toBeLessThan(0.005);
  });
});

test('a market that hardly moves has a tick as its usual move, and one that is not traded no usual delta', () => {
  const tape = new SecondTape();
  for (let i = 0; i < 60; i++) tape.second(0, 0, 1);
  for (let i = 0; i < 6; i++) tape.second(0, 1, 1);
  const found = read(tape, 5 * SECOND, { warmup: 20 * SECOND }).at(-1);
  // five ticks over the window
  expect(found?.price).toBeCloseTo(5 * 0.6745, 9);
  expect(found?.flow).toBeNaN();
});

test.each([
  ['book updates', (tape: SecondTape): unknown => tape.tape.depth([], [], { lost: 1 })],
  ['trades', (tape: SecondTape): unknown => tape.tape.trade(1, tape.bid + 1, 1, { lost: 1 })],
])('missing %s: nothing is known until there is enough behind them', (_, lose) => {
  const tape = tapeOf(steps(1, 60, 0.5));
  const begin = tape.tape.t - 60 * SECOND;
  lose(tape);
  const lost = tape.tape.t;
  tape.join();
  for (const { delta, ticks } of steps(2, 40, 0.5)) tape.second(delta, ticks);
  const known = read(tape, 5 * SECOND, { warmup: 20 * SECOND })
    .filter(({ price }) => !Number.isNaN(price))
    .map(({ t }) => t);
  // two windows, and twenty samples of which each is a second younger
  const least = (2 * 5 + 19) * SECOND;
  expect(known[0]).toBeGreaterThanOrEqual(begin + least);
  const first = known.find((t) => t > lost) as number;
  expect(known.filter((t) => t <= lost).length).toBeGreaterThan(20);
  expect(first).toBeGreaterThanOrEqual(lost + least);
  expect(first).toBeLessThan(lost + least + 3 * SECOND);
});
