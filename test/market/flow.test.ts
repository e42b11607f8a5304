/** Windows over trades: sums equal those of a plain list, whatever comes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Flow } from '../../src/market/flow.js';
import { MAX_ITEMS } from '../../src/market/ring.js';
import { StepWindow } from '../../src/market/steps.js';

const steps = fc.array(fc.record({ gap: fc.integer({ min: 0, max: 40 }), size: fc.integer({ min: -50, max: 50 }) }), {
  maxLength: 400,
});

test('buy, sell, count and first time equal those of the list cut to (t - span, t]', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 300 }), (trades, span) => {
      const flow = new Flow();
      const window = flow.window(span);
      const wider = flow.window(span * 3);
      const list: { t: number; size: number }[] = [];
      let t = 1000;
      for (const { gap, size } of trades) {
        t += gap;
        if (size !== 0) {
          flow.push(t, size);
          list.push({ t, size });
        }
        for (const one of [window, wider]) {
          one.expire(t);
          const inside = list.filter((trade) => trade.t > t - one.span);
          const sum = (sign: number): number =>
            inside.filter(({ size: s }) => s * sign > 0).reduce((total, { size: s }) => total + Math.abs(s), 0);
          expect([one.buy, one.sell, one.count]).toEqual([sum(1), sum(-1), inside.length]);
          expect(one.firstT).toBe(inside[0]?.t ?? Number.NaN);
        }
      }
    }),
  );
});

test('the window is open at its start and closed at its end', () => {
  const flow = new Flow();
  const window = flow.window(5_000_000);
  flow.push(1_000_000, 3);
  window.expire(5_999_999);
  expect(window.buy).toBe(3);
  window.expire(6_000_000);
  expect(window.buy).toBe(0);
});

test('a walk meets every trade inside, oldest first', () => {
  const flow = new Flow();
  const window = flow.window(10);
  flow.window(1000);
  for (let t = 0; t < 600; t++) flow.push(t, t % 2 === 0 ? t + 1 : -t - 1);
  window.expire(599);
  const met: number[] = [];
  window.walk((signed) => met.push(signed));
  expect(met).toEqual([591, -592, 593, -594, 595, -596, 597, -598, 599, -600]);
});

test('a window that had to let go of a trade before its time is not whole until that time has come', () => {
  const flow = new Flow();
  const narrow = flow.window(10);
  const wide = flow.window(10_000_000);
  const count = MAX_ITEMS + 5;
  for (let t = 1; t <= count; t++) flow.push(t, 1);
  expect(flow.overflow).toBe(5);
  expect([narrow.isWhole(count), wide.isWhole(count)]).toEqual([true, false]);
  // the fifth trade was the last to go
  expect([wide.isWhole(10_000_004), wide.isWhole(10_000_005)]).toEqual([false, true]);
});

test('mean and start of a stepping value equal those of the plain integral', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 200 }), (changes, span) => {
      const window = new StepWindow(span);
      const at = new Map<number, number>();
      let t = 1000;
      const begin = t;
      let value = Number.NaN;
      const put = (until: number): void => {
        for (; t < until; t++) at.set(t, value);
      };
      for (const { gap, size } of changes) {
        put(t + gap);
        value = size === 13 ? Number.NaN : size;
        window.set(t, value);
        const known = Array.from({ length: span }, (_, i) => at.get(t - span + i));
        const whole = t - span >= begin && known.every((one) => one !== undefined && !Number.isNaN(one));
        const expected =
          whole && !Number.isNaN(value) ? known.reduce<number>((sum, one) => sum + (one ?? 0), 0) / span : Number.NaN;
        expect(window.mean(t)).toBe(expected);
      }
    }),
  );
});
