/** Order flow imbalance of single states: known numbers, windows, depth and levels, and a plain computation. */
import { describe, expect, test } from 'vitest';
import { flowBetween, QuoteFlow } from '../../src/market/quote-flow.js';
import { randomFrom } from '../scan/random-tape.js';
import { SECOND } from '../scan/tape-builder.js';

/** bid, its size, ask, its size */
type State = [number, number, number, number];

const known: State[] = [
  [1000, 5, 1001, 4],
  [1000, 7, 1001, 4],
  [1000, 7, 1001, 1],
  [1000, 7, 1002, 6],
  [1001, 3, 1002, 6],
];
const mirrored = ([bid, bidSize, ask, askSize]: State): State => [2001 - ask, askSize, 2001 - bid, bidSize];
const e = (before: State, after: State): number =>
  flowBetween(Float64Array.from(before), 0, Float64Array.from(after), 0);
const all = (states: readonly State[]): number[] => states.slice(1).map((state, n) => e(states[n], state));

/** The definition, term by term. */
function plain([b, qb, a, qa]: State, [b1, qb1, a1, qa1]: State): number {
  const if1 = (holds: boolean): number => (holds ? 1 : 0);
  return qb1 * if1(b1 >= b) - qb * if1(b1 <= b) - qa1 * if1(a1 <= a) + qa * if1(a1 >= a);
}

describe('e', () => {
  test('known numbers, and their mirror image', () => {
    expect(all(known)).toEqual([2, 3, 1, 3]);
    expect(all(known.map(mirrored))).toEqual([-2, -3, -1, -3]);
  });

  test('a worse price takes its size along', () => {
    expect(e([1000, 5, 1001, 4], [999, 8, 1001, 4])).toBe(-5);
    expect(e([1000, 5, 1002, 4], [1000, 5, 1001, 8])).toBe(-8);
  });

  test('is what the definition says', () => {
    const random = randomFrom(5);
    const whole = (most: number): number => Math.floor(random() * most);
    for (let i = 0; i < 500; i++) {
      const state = (): State => {
        const bid = 1000 + whole(3);
        return [bid, 1 + whole(9), bid + 1 + whole(2), 1 + whole(9)];
      };
      const [before, after] = [state(), state()];
      expect(e(before, after)).toBe(plain(before, after));
    }
  });
});

const take = (flow: QuoteFlow, t: number, ...levels: State[]): void =>
  flow.take(t, Float64Array.from(levels.flat()), 0);

describe('a window', () => {
  test('is half-open, sums what is inside and knows when it is whole', () => {
    const flow = new QuoteFlow(3 * SECOND);
    for (const [n, state] of known.entries()) take(flow, n * SECOND, state);
    const at = (t: number): unknown[] => {
      flow.expire(t);
      return [flow.isWhole(t), flow.flow(), flow.count, flow.firstT];
    };
    expect(flow.flow()).toBe(9);
    expect(at(3 * SECOND - 1)).toEqual([false, 9, 5, 0]);
    expect(at(3 * SECOND)).toEqual([true, 9, 4, SECOND]);
    expect(at(4 * SECOND)).toEqual([true, 7, 3, 2 * SECOND]);
    // from 100.05 to 100.15
    expect(flow.move).toBe(2);
    expect(at(6 * SECOND)).toEqual([true, 3, 1, 4 * SECOND]);
    expect(flow.move).toBe(1);
    expect(at(7 * SECOND)).toEqual([true, 0, 0, Number.NaN]);
    expect(flow.move).toBe(0);
  });

  test('depth is the mean over its states, or that of the state in force', () => {
    const flow = new QuoteFlow(3 * SECOND);
    for (const [n, state] of known.entries()) take(flow, n * SECOND, state);
    flow.expire(4 * SECOND);
    expect(flow.depth()).toBe((8 + 13 + 9) / 6);
    expect(flow.relative()).toBe((6 * 7) / 30);
    flow.expire(9 * SECOND);
    expect([flow.depth(), flow.relative()]).toEqual([4.5, 0]);
  });

  test('a state equal to the one before is none', () => {
    const flow = new QuoteFlow(3 * SECOND);
    for (let n = 0; n < 4; n++) take(flow, n, known[0]);
    take(flow, 4, known[1]);
    expect([flow.count, flow.flow()]).toEqual([2, 2]);
  });

  test('behind a restart the first state is compared with nothing', () => {
    const flow = new QuoteFlow(SECOND);
    take(flow, 0, known[0]);
    take(flow, 1, known[1]);
    flow.restart();
    expect([flow.isWhole(9 * SECOND), flow.flow(), flow.count]).toEqual([false, 0, 0]);
    take(flow, 5 * SECOND, [900, 50, 901, 1]);
    expect(flow.flow()).toBe(0);
    take(flow, 5 * SECOND + 1, [900, 51, 901, 1]);
    expect(flow.flow()).toBe(1);
    expect([flow.isWhole(6 * SECOND - 1), flow.isWhole(6 * SECOND)]).toEqual([false, true]);
  });

  test('of more states than are kept is whole again once the last one let go would have left it', () => {
    const flow = new QuoteFlow(SECOND * 10);
    const states = 2 ** 18 + 10;
    for (let n = 0; n < states; n++) take(flow, n, [1000, 1 + (n % 2), 1001, 1]);
    expect(flow.count).toBe(2 ** 18);
    expect([flow.isWhole(SECOND * 10 + 8), flow.isWhole(SECOND * 10 + 9)]).toEqual([false, true]);
  });
});

test('levels are summed one by one, against a plain computation', () => {
  const random = randomFrom(9);
  const whole = (most: number): number => Math.floor(random() * most);
  const levels = 3;
  const flow = new QuoteFlow(20, levels);
  const one = new QuoteFlow(20);
  const told: { t: number; states: State[] }[] = [];
  for (let t = 0; t < 300; t++) {
    const bid = 1000 + whole(3);
    const states = Array.from({ length: levels }, (_, m): State => [bid - m, 1 + whole(9), bid + 1 + m, 1 + whole(9)]);
    told.push({ t, states });
    take(flow, t, ...states);
    take(one, t, states[0]);
    if (t < 20) continue;
    flow.expire(t);
    one.expire(t);
    const inside = told.slice(-20);
    const sums = Array.from({ length: levels }, (_, m) =>
      inside.reduce((sum, { states: after }, n) => sum + plain(told[told.length - 21 + n].states[m], after[m]), 0),
    );
    const depths = Array.from(
      { length: levels },
      (_, m) => inside.reduce((sum, { states: [...all] }) => sum + all[m][1] + all[m][3], 0) / 40,
    );
    expect(sums.map((_, m) => flow.flow(m))).toEqual(sums);
    expect(depths.map((_, m) => flow.depth(m))).toEqual(depths);
    expect(flow.relativeOfAll()).toBeCloseTo(
      sums.reduce((sum, value, m) => sum + value / depths[m], 0),
      9,
    );
    expect(one.flow()).toBe(flow.flow(0));
  }
});
