/** Signs of market orders: long runs in a balanced market, one side only in a one-sided one. */
import { expect, test } from 'vitest';
import { createFlow } from '../../src/sim/flow.js';
import { createMoods, type Mood } from '../../src/sim/mood.js';
import { createRandom } from '../../src/sim/prng.js';

const calm: Mood = { name: 'calm', side: 1, until: 1e9, activity: 1, taking: 1, bias: 0.5 };

test('a balanced market has balanced signs with a long memory', () => {
  const flow = createFlow(createRandom('memory'));
  const n = 100_000;
  const signs = Array.from({ length: n }, () => flow.next(calm));
  const lagged = (lag: number): number => {
    let sum = 0;
    for (let i = lag; i < n; i++) sum += signs[i] * signs[i - lag];
    return sum / (n - lag);
  };
  expect(Math.abs(signs.reduce((a: number, b) => a + b, 0) / n)).toBeLessThan(0.05);
  expect(lagged(1)).toBeGreaterThan(0.15);
  expect(lagged(1)).toBeGreaterThan(lagged(10));
  expect(lagged(10)).toBeGreaterThan(lagged(50));
  expect(lagged(50)).toBeGreaterThan(0.03);
});

test('a one-sided mood starts at once: parents of the other side give up', () => {
  const flow = createFlow(createRandom('turn'));
  for (let i = 0; i < 100; i++) flow.next({ ...calm, bias: 1 });
  const absorption: Mood = { ...calm, name: 'absorption', side: -1, bias: 1 };
  flow.turn(absorption);
  expect(Array.from({ length: 200 }, () => flow.next(absorption)).every((side) => side === -1)).toBe(true);
});

test('moods follow one another without a hole, calm between all others, each kind in its turn', () => {
  const next = createMoods(createRandom('moods'));
  const names: string[] = [];
  let until = 0;
  for (let i = 0; i < 60; i++) {
    const mood = next(until);
    expect(mood.until).toBeGreaterThan(until);
    until = mood.until;
    names.push(mood.name);
  }
  const others = names.filter((name) => name !== 'calm');
  expect(others).toHaveLength(30);
  expect(new Set(others)).toEqual(new Set(['quiet', 'burst', 'pressure', 'skew', 'absorption', 'sweep']));
  expect(names.some((name, i) => i > 0 && name !== 'calm' && names[i - 1] !== 'calm')).toBe(false);
});
