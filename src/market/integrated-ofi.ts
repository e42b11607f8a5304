/** Order flow imbalance of several levels in one figure, weighted as was learnt beforehand (Cont, Cucuringu and Zhang 2023). */
import type { Micros } from '../model/entry.js';
import type { Fit } from '../model/fit.js';
import { FitsInForce } from './fits.js';
import type { Market } from './market.js';
import { bookFlowOf } from './ofi.js';

/** Of one window. Each level counts in units of its own mean depth; the amounts of the weights add up to 1. */
export class IntegratedOfi {
  readonly #fits: FitsInForce;
  /** by how many levels a fit has */
  readonly #flows: ReadonlyMap<number, ReturnType<typeof bookFlowOf>>;

  constructor(market: Market, window: Micros, fits: readonly Fit[]) {
    this.#fits = new FitsInForce(fits);
    const depths = new Set(fits.map(({ ofi }) => ofi?.weights.length ?? 0));
    this.#flows = new Map([...depths].map((levels) => [levels, bookFlowOf(market, window, levels)]));
  }

  /** NaN before a fit is in force, and where not all of its levels were known through the window */
  value(t: Micros): number {
    const weights = this.#fits.at(t)?.ofi?.weights ?? [];
    const feed = this.#flows.get(weights.length);
    if (feed === undefined) return Number.NaN;
    feed.expire(t);
    return feed.flow.isWhole(t) ? feed.flow.weighted(weights) : Number.NaN;
  }
}

/** null where no fit has weights for this window. Costs a walk over the levels with every book message. */
export function integratedOfiOf(market: Market, window: Micros): IntegratedOfi | null {
  const fits = (market.options.fits ?? []).filter(({ ofi }) => ofi?.window_ms === window / 1000);
  return fits.length === 0 ? null : new IntegratedOfi(market, window, fits);
}
