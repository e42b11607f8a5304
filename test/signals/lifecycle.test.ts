/** The life of an event: each onset has one end, flicker is no event, and the cool-down holds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lifecycle, Step } from '../../src/signals/lifecycle.js';

const SECOND = 1_000_000;
const ON = 0.5;
const OFF = 0.35;

/** Feeds scores `every` µs apart; returns [t, step] of everything that was said. */
function run(scores: number[], { armFor = SECOND, disarmFor = SECOND, every = 100_000 } = {}): [number, number][] {
  const life = new Lifecycle({ armFor, disarmFor });
  return scores.flatMap((score, i): [number, number][] => {
    const step = life.step(i * every, score, score >= ON, score <= OFF);
    return step === Step.none ? [] : [[i * every, step]];
  });
}

const times = (n: number, score: number): number[] => Array.from({ length: n }, () => score);
const count = (said: [number, number][], step: number): number => said.filter(([, one]) => one === step).length;

describe('onset and end', () => {
  test('a constant score gives one onset, after it held for a second', () => {
    expect(run(times(100, 0.8))).toEqual([[SECOND, Step.onset]]);
  });

  test('it ends when the score was low for a second, once', () => {
    expect(run([...times(20, 0.8), ...times(30, 0.1)])).toEqual([
      [SECOND, Step.onset],
      [3 * SECOND, Step.end],
    ]);
  });

  test('a score that leaves the threshold for one moment starts anew', () => {
    expect(run([...times(9, 0.8), 0.4, ...times(10, 0.8)])).toEqual([]);
  });

  test('a score that moves between the thresholds is at most one event', () => {
    const flicker = Array.from({ length: 200 }, (_, i) => (i % 20 < 12 ? ON : OFF + 0.01));
    expect(run(flicker).filter(([, step]) => step !== Step.update)).toEqual([[SECOND, Step.onset]]);
  });
});

describe('updates', () => {
  test('come when the score rose by a tenth, never twice within a second', () => {
    const rising = [...times(11, 0.5), 0.54, 0.56, 0.6, ...times(7, 0.7), 0.72, 0.8];
    expect(run(rising)).toEqual([[SECOND, Step.onset], [20 * 100_000, Step.update], ...([] as [number, number][])]);
  });

  test('a rise below a tenth says nothing', () => {
    expect(count(run([...times(20, 0.5), ...times(50, 0.54)]), Step.update)).toBe(0);
  });
});

describe('cool-down', () => {
  const again = (score: number): number =>
    count(run([...times(20, 0.6), ...times(15, 0.1), ...times(15, score)]), Step.onset);

  test('an equal score has to wait, one half as high again has not', () => {
    expect(again(0.6)).toBe(1);
    expect(again(0.91)).toBe(2);
  });

  test('the score an event ends with counts, too', () => {
    const onsets = (last: number): number => {
      const life = new Lifecycle({ armFor: 0, disarmFor: 0 });
      life.step(0, 0.6, true, false);
      life.end(SECOND / 10, last);
      return life.step(SECOND / 5, 1, true, false);
    };
    expect([onsets(0.6), onsets(0.7)]).toEqual([Step.onset, Step.none]);
    // something else than the score may be what faded
    const life = new Lifecycle({ armFor: 0, disarmFor: 0 });
    life.step(0, 0.6, true, false);
    expect(life.step(SECOND / 10, 0.7, false, true)).toBe(Step.end);
    expect(life.step(SECOND / 5, 1, true, false)).toBe(Step.none);
  });

  test('afterwards it may start again', () => {
    expect(count(run([...times(20, 0.6), ...times(15, 0.1), ...times(40, 0.6)]), Step.onset)).toBe(2);
  });
});

test('whatever the scores: onset, updates, end, in turns, and never a second onset before the end', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 300 }), (scores) => {
      let open = false;
      let lastUpdate = Number.NEGATIVE_INFINITY;
      for (const [t, step] of run(scores, { armFor: 200_000, disarmFor: 200_000 })) {
        expect(open).toBe(step !== Step.onset);
        if (step === Step.update) expect(t - lastUpdate).toBeGreaterThanOrEqual(SECOND);
        if (step !== Step.end) lastUpdate = t;
        open = step !== Step.end;
      }
    }),
  );
});
