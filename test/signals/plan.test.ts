/** Plans with known answers: risk, reward, and sizes that costs are part of. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import type { Plan } from '../../src/model/signal.js';
import { type Intent, makePlan, PLAN_DEFAULTS, type PlanSettings } from '../../src/signals/plan.js';

const linear: Instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' };
/** Prices as people write them; three decimals are held. */
function intentOf(side: number, entry: number, stop: number, target = Number.NaN, touch = Number.NaN): Intent {
  const scaled = (price: number): number => Math.round(price * 1000);
  const prices = { entry: scaled(entry), stop: scaled(stop), stopLevel: scaled(stop), stopOrigin: Number.NaN };
  return { side, ...prices, target: Number.isNaN(target) ? target : scaled(target), spread: 100, touch };
}

describe('size', () => {
  const settings = { ...PLAN_DEFAULTS, equity: 10_000 };

  test('10 000 at 0.1 %, a stop 10 bps away and costs of 11 bps are 0.079, not the 0.166 that forgets the costs', () => {
    const plan = makePlan(intentOf(1, 60_000, 59_940, 60_180), linear, settings);
    expect(plan).toMatchObject({ size: 0.079, risk_bps: 10, reward_bps: 30, breakeven_bps: 11 });
    expect(plan).toMatchObject({ rr: 3, rr_net: 0.9048, warning: 'stop is nearer than the costs' });
    const free = makePlan(intentOf(1, 60_000, 59_940), linear, { ...settings, fee: 0, slippage: 0 });
    expect(free.size).toBe(0.166);
  });

  test('a sale is the mirror of a purchase', () => {
    const plan = makePlan(intentOf(-1, 60_000, 60_060, 59_820), linear, settings);
    expect(plan).toMatchObject({ size: 0.079, risk_bps: 10, reward_bps: 30, rr: 3 });
  });

  test('leverage caps it, without an account there is none, and inverse contracts are counted by their face value', () => {
    const near = intentOf(1, 60_000, 59_999);
    expect(makePlan(near, linear, { ...settings, fee: 0, slippage: 0, leverage: 2 })).toMatchObject({
      size: 0.333,
      cap: 'leverage',
    });
    expect(makePlan(near, linear, PLAN_DEFAULTS).size).toBeNull();
    const inverse: Instrument = { ...linear, kind: 'inverse', lot: '1', multiplier: '100' };
    // 10 / 0.0021 = 4761.9 quote units
    expect(makePlan(intentOf(1, 60_000, 59_940), inverse, settings).size).toBe(47);
  });

  test('a rebate that pays for the risk leaves leverage alone to decide, and no ratio', () => {
    const plan = makePlan(intentOf(1, 60_000, 59_940, 60_180), linear, { ...settings, fee: -20, leverage: 2 });
    expect(plan).toMatchObject({ size: 0.333, cap: 'leverage', rr: 3, rr_net: null });
    expect(makePlan(intentOf(1, 60_000, 60_000), linear, settings)).toMatchObject({
      rr: null,
      warning: 'the stop is no worse than the entry',
    });
  });

  test('it is no larger than what the touch displays, or the share of that one asks for; the plan says what caps it', () => {
    const of = (touch: number, more: Partial<PlanSettings> = {}): Partial<Plan> => {
      const scaled = Math.round(touch * 10 ** scaleOf(linear).size);
      const { size, cap, touch_size } = makePlan(intentOf(1, 60_000, 59_940, 60_180, scaled), linear, {
        ...settings,
        ...more,
      });
      return { size, cap, touch_size };
    };
    expect(of(0.05)).toEqual({ size: 0.05, cap: 'touch', touch_size: 0.05 });
    expect(of(0.0509)).toEqual({ size: 0.05, cap: 'touch', touch_size: 0.0509 });
    expect(of(0.1)).toEqual({ size: 0.079, cap: null, touch_size: 0.1 });
    expect(of(0.1, { 'touch-share': 50 })).toEqual({ size: 0.05, cap: 'touch', touch_size: 0.1 });
    expect(of(0.05, { 'touch-share': 300 })).toEqual({ size: 0.079, cap: null, touch_size: 0.05 });
    // the smaller of two
    expect(of(0.05, { leverage: 0.1 })).toEqual({ size: 0.016, cap: 'leverage', touch_size: 0.05 });
    expect(of(0.01, { leverage: 0.1 })).toEqual({ size: 0.01, cap: 'touch', touch_size: 0.01 });
    expect(of(0.0009)).toEqual({ size: 0, cap: 'touch', touch_size: 0.0009 });
    // not known: no cap by it; and without an account nothing is capped
    expect(of(Number.NaN)).toEqual({ size: 0.079, cap: null, touch_size: null });
    expect(of(0)).toEqual({ size: 0.079, cap: null, touch_size: null });
    expect(makePlan(intentOf(1, 60_000, 59_940, 60_180, 1), linear, PLAN_DEFAULTS)).toMatchObject({
      size: null,
      cap: null,
    });
  });

  test('what is less than a lot is said', () => {
    expect(makePlan(intentOf(1, 60_000, 59_000), linear, { ...settings, equity: 1 })).toMatchObject({
      size: 0,
      warning: 'less than one lot',
    });
  });

  test('the loss at the stop, costs included, is what may be lost, within one lot', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 100_000 }),
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom(1, -1),
        (entry, distance, equity, side) => {
          const intent = intentOf(side, entry, entry - side * distance);
          const { size } = makePlan(intent, linear, { ...settings, equity, leverage: 1e9 });
          const each = distance + entry * 0.0011;
          const loss = (size ?? Number.NaN) * each;
          expect(loss).toBeLessThanOrEqual(equity * 0.001 * (1 + 1e-9));
          expect(loss).toBeGreaterThan(equity * 0.001 - 0.001 * each * (1 + 1e-9));
        },
      ),
    );
  });
});

test('what is not known is null, and a stop within 1.5 spreads is warned of', () => {
  const plan = makePlan(intentOf(1, 100, 99.9), { ...linear, lot: '1' }, { ...PLAN_DEFAULTS, fee: 0, slippage: 0 });
  expect(plan).toMatchObject({ entry: 100, stop: 99.9, stop_level: 99.9, stop_origin: null, target: null });
  expect(plan).toMatchObject({ reward_bps: null, rr: null, rr_net: null, size: null });
  expect(plan.warning).toBe('stop is nearer than 1.5 spreads');
  expect(makePlan(intentOf(1, 100, 98), linear, PLAN_DEFAULTS).warning).toBeNull();
});
