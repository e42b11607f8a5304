/** Where the market stands when something is said of it: regime, higher timeframe, session, zones near it, and what the venue says beside it. */
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { MicropriceTable } from '../model/fit.js';
import type { Context, Evidence } from '../model/signal.js';
import { FitsInForce } from './fits.js';
import { HigherTimeframe, moveBps } from './higher-timeframe.js';
import type { Market } from './market.js';
import { micropriceShift } from './microprice.js';
import { Regime } from './regime.js';
import { isWeekend, sessionAt } from './session.js';
import { weightedMidShift } from './weighted-mid.js';
import { Zones } from './zones.js';

/** The surroundings of a market, made by the first who asks. */
export function surroundingsOf(market: Market): Surroundings {
  return market.share('surroundings', () => new Surroundings(market, market.options.htf));
}

/** The context of signals. Nothing in it was used by a rule that does not say so, and nothing comes from after `t`. */
export class Surroundings {
  readonly regime: Regime;
  readonly higher: HigherTimeframe;
  readonly #zones: Zones;
  readonly #market: Market;
  readonly #tables: FitsInForce<{ to: Micros; microprice: MicropriceTable }>;

  constructor(market: Market, htf: Micros) {
    this.#market = market;
    this.#tables = new FitsInForce(
      (market.options.fits ?? []).flatMap(({ to, microprice }) => (microprice === null ? [] : [{ to, microprice }])),
    );
    this.regime = new Regime(market, htf);
    this.higher = new HigherTimeframe(market, htf);
    market.follow(this.regime);
    market.follow(this.higher);
    this.#zones = new Zones(market, htf);
  }

  /** What is known at `t`, for a signal of that side (+1 buy, -1 sell); what is not known is left out. */
  context(t: Micros, side: number): Context {
    const { regime, higher } = this;
    const market = this.#market;
    const context: Context = {};
    const axes: Evidence = {};
    if (regime.activity.label !== null) axes.activity = regime.activity.label;
    if (regime.volatility.label !== null) axes.volatility = regime.volatility.label;
    if (regime.liquidity.label !== null) axes.liquidity = regime.liquidity.label;
    if (regime.direction !== null) axes.direction = regime.direction;
    if (Object.keys(axes).length > 0) context.regime = axes;
    if (market.bid < market.ask)
      context.spread_bps = rounded(((market.ask - market.bid) / (market.ask + market.bid)) * 2e4);
    const shift = weightedMidShift(market);
    if (!Number.isNaN(shift)) context.weighted_mid = rounded(shift);
    const fit = this.#tables.at(t);
    const micro = fit === null ? Number.NaN : micropriceShift(market, fit.microprice);
    if (!Number.isNaN(micro)) context.microprice = rounded(micro);
    const { trend } = higher;
    if (trend !== null) {
      context.trend = trend;
      const alignment = trend === 'flat' ? 'neutral' : (trend === 'up') === side > 0 ? 'with' : 'against';
      context.alignment = alignment;
      if (alignment === 'against') context.risk = 'elevated';
      context.htf = { bar_ms: higher.span / 1000, ...figures(market, '', higher.closed) };
    }
    if (!Number.isNaN(higher.developing.open) && context.htf !== undefined)
      Object.assign(context.htf as Evidence, figures(market, 'developing_', higher.upToNow));
    context.session = sessionAt(t);
    if (isWeekend(t)) context.weekend = true;
    const zones = this.#zones.context(t);
    if (zones !== undefined) context.zones = zones;
    return Object.assign(context, market.derivatives.context(t));
  }
}

function figures(market: Market, prefix: string, bar: Parameters<typeof moveBps>[0] & { delta: number }): Evidence {
  const move = moveBps(bar);
  if (Number.isNaN(move + bar.delta)) return {};
  return { [`${prefix}move_bps`]: rounded(move), [`${prefix}delta`]: market.size(bar.delta) };
}
