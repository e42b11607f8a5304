/** The plan of a setup: entry, stops and target in scaled prices, made into risk, reward and a size that costs are part of. */
import { scaleDecimal, unscale } from '../model/decimal.js';
import { TapedeckError } from '../model/errors.js';
import { type Instrument, scaleOf, unitValue } from '../model/instrument.js';
import type { Plan } from '../model/signal.js';

/** What a person risks, and what trading costs. */
export interface PlanSettings {
  /** account in quote units; undefined: no size is printed */
  equity?: number;
  /** share of it that may be lost at the stop, costs included, in percent */
  risk: number;
  /** a trade's fee and slippage, each way, in bps */
  fee: number;
  slippage: number;
  /** notional is at most so many times the account */
  leverage: number;
  /** size is at most this share of what is displayed at the entry, in percent */
  'touch-share': number;
}

export const PLAN_DEFAULTS: PlanSettings = { risk: 0.1, fee: 5, slippage: 0.5, leverage: 5, 'touch-share': 100 };

/** What a person gave of them. */
export type GivenPlan = { readonly [K in keyof PlanSettings]?: number | undefined };

/** Least (`above`: not even that) and most of each; a fee may be a rebate. */
const RANGES: Readonly<Record<keyof PlanSettings, { least: number; above?: true; most: number }>> = {
  equity: { least: 0, above: true, most: 1e15 },
  risk: { least: 0, above: true, most: 100 },
  fee: { least: -100, most: 1000 },
  slippage: { least: 0, most: 1000 },
  leverage: { least: 0, above: true, most: 1000 },
  'touch-share': { least: 0, above: true, most: 1e6 },
};

/** The names of what plans are made with. */
export const PLAN_KEYS = Object.keys(RANGES) as readonly (keyof PlanSettings)[];

/**
 * Completes and checks what plans are made with.
 * @throws {TapedeckError} E_CONFIG
 */
export function planSettings(given: GivenPlan = {}): PlanSettings {
  const plan: PlanSettings = { ...PLAN_DEFAULTS };
  for (const key of PLAN_KEYS) {
    const value = given[key];
    if (value === undefined) continue;
    const { least, above, most } = RANGES[key];
    if (!(above === true ? value > least : value >= least))
      throw new TapedeckError('E_CONFIG', `${key}: ${value} is not ${above === true ? 'above' : 'at least'} ${least}`);
    if (value > most) throw new TapedeckError('E_CONFIG', `${key}: ${value} is more than ${most}`);
    plan[key] = value;
  }
  return plan;
}

/** Scaled prices; NaN where there is none. */
export interface Intent {
  side: number;
  /** what one could get at this moment: the opposite touch, or for an order that waits the own one */
  entry: number;
  /** the stop that counts, and the two that the article names */
  stop: number;
  stopLevel: number;
  stopOrigin: number;
  target: number;
  /** scaled spread, for the warning */
  spread: number;
  /** scaled size displayed at the entry, on the side that it is a price of; not above zero where that is not known */
  touch: number;
}

const BPS = 1e4;
/** A stop nearer than this many spreads is noise. */
const LEAST_SPREADS = 1.5;
// adding zero makes of -0 what people write
const round = (value: number): number => Math.round(value * 1e4) / 1e4 + 0;

/**
 * The plan of an intent. Size: what may be lost, divided by what one unit loses at the stop with both trades' costs, rounded down to
 * the lot and capped by leverage, and by what is displayed at the entry: a larger order would not be filled at that price, nor soon where it
 * waits in line. Costs are taken at the entry price.
 */
export function makePlan(intent: Intent, instrument: Instrument, settings: PlanSettings): Plan {
  const { price: decimals, size: sizeDecimals } = scaleOf(instrument);
  const price = (scaled: number): number | null => (Number.isNaN(scaled) ? null : unscale(scaled, decimals));
  const { side, entry, stop, stopLevel, stopOrigin, target, spread, touch } = intent;
  const costBps = 2 * (settings.fee + settings.slippage);
  const riskBps = (Math.abs(entry - stop) / entry) * BPS;
  const rewardBps = Number.isNaN(target) ? null : ((side * (target - entry)) / entry) * BPS;
  const { equity } = settings;
  const { size, cap } = equity === undefined ? UNSIZED : sizeOf(settings, equity, intent, instrument, costBps);
  return {
    entry: unscale(entry, decimals),
    stop: unscale(stop, decimals),
    stop_level: price(stopLevel),
    stop_origin: price(stopOrigin),
    target: price(target),
    risk_bps: round(riskBps),
    reward_bps: rewardBps === null ? null : round(rewardBps),
    rr: rewardBps === null || riskBps === 0 ? null : round(rewardBps / riskBps),
    // a rebate may pay for the whole risk
    rr_net: rewardBps === null || riskBps + costBps <= 0 ? null : round((rewardBps - costBps) / (riskBps + costBps)),
    breakeven_bps: round(costBps),
    size,
    cap,
    touch_size: touch > 0 ? unscale(touch, sizeDecimals) : null,
    warning: warningOf(intent, size, riskBps, costBps, spread),
  };
}

type Sized = Pick<Plan, 'size' | 'cap'>;

const UNSIZED: Sized = { size: null, cap: null };

function sizeOf(
  { risk, leverage, 'touch-share': share }: PlanSettings,
  equity: number,
  { entry, stop, touch }: Intent,
  instrument: Instrument,
  costBps: number,
): Sized {
  const scale = scaleOf(instrument);
  const perUnit = Math.abs(entry - stop) / entry + costBps / BPS;
  const value = unitValue(instrument, unscale(entry, scale.price));
  const lot = scaleDecimal(instrument.lot, scale.size);
  // a quotient a rounding away from a whole lot is that lot
  const whole = (scaled: number): number => Math.floor(scaled / lot + 1e-9);
  const worth = (notional: number): number => whole((notional / value) * 10 ** scale.size);
  // where nothing is lost at the stop, the caps alone decide
  const byRisk = perUnit > 0 ? worth((equity * (risk / 100)) / perUnit) : Number.POSITIVE_INFINITY;
  const byLeverage = worth(equity * leverage);
  const byTouch = touch > 0 ? whole((touch * share) / 100) : Number.POSITIVE_INFINITY;
  const lots = Math.min(byRisk, byLeverage, byTouch);
  const cap = lots === byRisk ? null : lots === byLeverage ? 'leverage' : 'touch';
  return { size: unscale(lots * lot, scale.size), cap };
}

/** The worst of what is wrong with a plan. */
function warningOf(
  { side, entry, stop, target }: Intent,
  size: number | null,
  riskBps: number,
  costBps: number,
  spread: number,
): string | null {
  if (side * (target - entry) <= 0) return 'the target is no better than the entry';
  if (side * (entry - stop) <= 0) return 'the stop is no worse than the entry';
  if (size === 0) return 'less than one lot';
  if (Math.abs(entry - stop) < LEAST_SPREADS * spread) return 'stop is nearer than 1.5 spreads';
  return riskBps < costBps ? 'stop is nearer than the costs' : null;
}
