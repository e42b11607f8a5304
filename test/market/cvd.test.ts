/** Cumulative delta: its sum, its epochs, changes over windows, and the way through a window. */
import { describe, expect, test } from 'vitest';
import { cvdOf, deltaRange } from '../../src/market/cvd.js';
import { Flow } from '../../src/market/flow.js';
import { type Seconds, secondsOf } from '../../src/market/seconds.js';
import { MINUTE, SECOND, TapeBuilder } from '../scan/tape-builder.js';
import { LiveMarket } from './live-market.js';

/** Sizes are held with five decimals. */
const UNIT = 1e5;

test('the way through a window has a lowest and a highest delta', () => {
  const flow = new Flow();
  const window = flow.window(10);
  [3, -5, 4, -1].forEach((size, i) => {
    flow.push(i, size);
  });
  window.expire(3);
  expect(deltaRange(window)).toEqual({ low: -2, high: 3 });
  // without the first trade it starts from zero behind it
  window.expire(10);
  expect(deltaRange(window)).toEqual({ low: -5, high: 0 });
  window.expire(100);
  expect(deltaRange(window)).toEqual({ low: 0, high: 0 });
});

describe('the count', () => {
  const tape = new TapeBuilder();
  for (let i = 0; i < 40; i++) tape.wait(SECOND / 2).trade(i % 4 === 0 ? -1 : 1, 1000, 1 + (i % 3));
  const prints = [...tape.lines];

  test('is the sum of what was bought less what was sold', () => {
    const live = new LiveMarket(prints);
    const cvd = cvdOf(live.market);
    let sum = 0;
    for (let i = 0; i < 40; i++) sum += (i % 4 === 0 ? -1 : 1) * (1 + (i % 3));
    live.read();
    expect(cvd.level).toBe(sum * UNIT);
    expect(cvdOf(live.market)).toBe(cvd);
  });

  test('begins anew behind missing trades, and goes on over a lost book', () => {
    const gap = new TapeBuilder();
    gap.trade(1, 1000, 5).snapshot([[999, 1]], [[1000, 1]]);
    gap.depth([], [], { lost: 1 });
    const whole = gap.t;
    gap.trade(1, 1000, 7).trade(-1, 1000, 2, { lost: 1 }).trade(-1, 1000, 3);
    const live = new LiveMarket(gap.lines);
    const cvd = cvdOf(live.market);
    const levels: number[] = [];
    live.read((t) => {
      if (t >= whole) levels.push(cvd.level / UNIT);
    });
    expect(levels).toEqual([12, -2, -5]);
  });
});

describe('its change', () => {
  /** One unit bought in the middle of every second, in all of `seconds` of them. */
  const steady = (seconds: number): TapeBuilder => {
    const tape = new TapeBuilder();
    for (let i = 0; i < seconds; i++)
      tape
        .wait(SECOND / 2)
        .trade(1, 1000, 1)
        .wait(SECOND / 2 - 1);
    return tape;
  };
  const read = (tape: TapeBuilder, look: (seconds: Seconds, t: number) => void, baselineMinutes = 5): void => {
    const live = new LiveMarket(tape.lines, { baselineMinutes });
    const seconds = secondsOf(live.market);
    live.read((t) => look(seconds, t));
  };

  test('counts from the whole second that is at least so long ago, and is unknown before', () => {
    const changes: number[] = [];
    read(steady(8), (seconds, t) => changes.push(seconds.change(t, 3 * SECOND) / UNIT));
    // the header at second 0, then a trade in the middle of each second: the fourth is the first that is three seconds away from one
    const unknown = Array.from({ length: 4 }, () => Number.NaN);
    expect(changes).toEqual([...unknown, 4, 4, 4, 4, 4]);
  });

  test('is unknown across missing trades, and known over a lost book', () => {
    const tape = steady(5).snapshot([[999, 1]], [[1000, 1]]);
    tape.wait(SECOND).depth([], [], { lost: 1 }).wait(SECOND).clock();
    let last = Number.NaN;
    const look = (seconds: Seconds, t: number): void => {
      last = seconds.change(t, 4 * SECOND) / UNIT;
    };
    read(tape, look);
    expect(last).toBe(2);
    tape
      .trade(1, 1000, 1, { lost: 1 })
      .wait(3 * SECOND)
      .clock();
    read(tape, look);
    expect(last).toBeNaN();
    tape.wait(3 * SECOND).clock();
    read(tape, look);
    expect(last).toBe(0);
  });

  test('is exact however much was traded before', () => {
    // 9e15 are as much as a number holds exactly
    const tape = new TapeBuilder({ lot: '1' });
    for (let i = 0; i < 60; i++) tape.wait(SECOND).trade(1, 1000, 5e12);
    tape.wait(SECOND).trade(1, 1000, 1).wait(SECOND).trade(1, 1000, 2).wait(SECOND).clock();
    const live = new LiveMarket(tape.lines);
    const seconds = secondsOf(live.market);
    live.read();
    expect(60 * 5e12 * 100).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    expect(seconds.change(live.market.t, SECOND)).toBe(200);
    expect(seconds.change(live.market.t, 3 * SECOND)).toBe(5e14 + 300);
    expect(Math.abs(cvdOf(live.market).level)).toBeLessThan(2 ** 52);
  });

  test('no more is kept than the minutes of the baseline need', () => {
    let kept = 0;
    const look = (seconds: Seconds): void => {
      kept = Math.max(kept, seconds.next - seconds.first);
    };
    read(steady(300), look, 1);
    expect(kept).toBe((3 * MINUTE) / SECOND);
  });
});
