/** Order flow imbalance of several levels in one figure, weighted as was learnt beforehand (Cont, Cucuringu and Zhang 2023). */
import type { Micros } from '../model/entry.js';
import { FitsInForce } from './fits.js';
import type { Market } from './market.js';
import { type BookFlow, bookFlowOf } from './ofi.js';

/** Weights of levels, and the flow of as many. */
interface Weighted {
  to: Micros;
  weights: readonly number[];
  feed: BookFlow;
}

/** Of one window. Each level counts in units of its own mean depth; the amounts of the weights add up to 1. */
export class IntegratedOfi {
  readonly #fits: FitsInForce<Weighted>;

  constructor(fits: readonly Weighted[]) {
    this.#fits = new FitsInForce(fits);
  }

  /** NaN before a fit is in force, and where not all of its levels were known through the window */
  value(t: Micros): number {
    const fit = this.#fits.at(t);
    if (fit === null) return Number.NaN;
    const { feed, weights } = fit;
    feed.expire(t);
    return feed.flow.isWhole(t) ? feed.flow.weighted(weights) : Number.NaN;
  }
}

/** null where no fit has weights for this window. Costs a walk over the levels with every book message. */
export function integratedOfiOf(market: Market, window: Micros): IntegratedOfi | null {
  const fits = (market.options.fits ?? []).flatMap(({ to, ofi }): Weighted[] => {
    if (ofi?.window_ms !== window / 1000) return [];
    const { weights } = ofi;
    return [{ to, weights, feed: bookFlowOf(market, window, weights.length) }];
  });
  return fits.length === 0 ? null : new IntegratedOfi(fits);
}
