/** Receive times whatever the clocks of the machine do. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReceiveClock, MAX_DRIFT, type TimeSource } from '../../src/feed/clock.js';

const WALL = 1_780_000_000_000;

interface TestTime extends TimeSource {
  wall: number;
  mono: number;
}

function testTime(): TestTime {
  return {
    wall: WALL,
    mono: 500,
    wallMs() {
      return this.wall;
    },
    monoMs() {
      return this.mono;
    },
  };
}

test('times are wall time at the anchor and go on with the monotonic clock', () => {
  const time = testTime();
  const clock = createReceiveClock(time);
  expect(clock.stamp()).toBe(WALL * 1000);
  time.mono += 1.25;
  time.wall += 5000;
  expect(clock.stamp()).toBe(WALL * 1000 + 1250);
  expect(clock.stamp(501)).toBe(WALL * 1000 + 1251); // an earlier moment: still later than the last
  expect(clock.at(501)).toBe(WALL * 1000 + 1000);
  expect(clock.drift()).toBe(4_998_750);
});

test('a step of the wall clock is seen once, and anchoring anew never goes back', () => {
  const time = testTime();
  const clock = createReceiveClock(time);
  const first = clock.stamp();
  time.wall -= 3_600_000;
  expect(clock.stepped()).toBe(true);
  expect(clock.drift()).toBe(-3_600_000_000);
  clock.anchor();
  expect(clock.stepped()).toBe(false);
  time.mono += 10;
  time.wall += 10;
  const later = clock.stamp();
  expect(later - first).toBeGreaterThanOrEqual(10_000); // it runs on, it does not creep
  expect(later - first).toBeLessThanOrEqual(10_002);
  expect(clock.stepped()).toBe(false);
  time.wall += 7_200_000;
  expect(clock.stepped()).toBe(true);
  clock.anchor();
  expect(clock.stamp()).toBe(time.wall * 1000);
});

test('times go on after those that stand', () => {
  const time = testTime();
  const clock = createReceiveClock(time, WALL * 1000 + 77);
  expect(clock.stamp()).toBe(WALL * 1000 + 78);
  clock.raise(WALL * 1000 + 1000);
  expect(clock.stamp()).toBe(WALL * 1000 + 1001);
});

test('times strictly increase under any steps of both clocks', () => {
  const step = fc.record({
    mono: fc.double({ min: 0, max: 2000, noNaN: true }),
    wall: fc.integer({ min: -7_200_000, max: 7_200_000 }),
    anchor: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const time = testTime();
      const clock = createReceiveClock(time);
      let last = clock.stamp();
      for (const { mono, wall, anchor } of steps) {
        time.mono += mono;
        time.wall += wall;
        if (anchor || clock.stepped()) clock.anchor();
        const t = clock.stamp();
        expect(Number.isSafeInteger(t)).toBe(true);
        expect(t).toBeGreaterThan(last);
        last = t;
        if (anchor)
          expect(Math.abs(clock.drift())).toBeLessThanOrEqual(Math.max(0, last - time.wall * 1000) + MAX_DRIFT);
      }
    }),
  );
});
