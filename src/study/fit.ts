/** Learning from a tape what a later scan may use: each market's microprice and the weights of its levels. */
import { Effect } from '../market/effect.js';
import type { Follower } from '../market/follower.js';
import type { LineFlow } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import type { Fit } from '../model/fit.js';
import { type Seen, type WatchOptions, watch } from '../scan/watch.js';
import { MicropriceFit } from './microprice-fit.js';
import { OfiFit } from './ofi-fit.js';

export interface FitOptions extends Omit<WatchOptions, 'open'> {
  /** window of order flow imbalance, whole seconds */
  window: Micros;
  /** levels of each side that it looks at */
  levels: number;
}

/** What one market has taught so far. */
class MarketFit implements Follower {
  readonly #seen: Seen;
  readonly #microprice: MicropriceFit;
  readonly #ofi: OfiFit;
  #first: Micros = Number.NaN;
  #last: Micros = Number.NaN;

  constructor(seen: Seen, { window, levels }: FitOptions) {
    this.#seen = seen;
    this.#microprice = new MicropriceFit(seen.market);
    this.#ofi = new OfiFit(seen.market, window, levels);
  }

  book(t: Micros, joined: boolean): void {
    if (t < this.#seen.from) return;
    if (Number.isNaN(this.#first)) this.#first = t;
    this.#last = t;
    this.#microprice.book(joined);
  }

  tick(t: Micros): void {
    this.#ofi.tick(t, this.#seen.from);
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) !== 0) this.#microprice.lose();
  }

  /** null where there was no book */
  result(): Fit | null {
    if (Number.isNaN(this.#first)) return null;
    const { venue, symbol, market } = this.#seen;
    return {
      src: `${venue}:${symbol}`,
      from: this.#first,
      to: this.#last,
      tick: market.track.instrument.tick,
      microprice: this.#microprice.chain.table(),
      ofi: this.#ofi.weights(),
    };
  }
}

/**
 * Reads a flow to its end. Of a market whose instrument changes on the way, only what follows is learnt.
 * @returns a fit for each market, in order of their names
 * @throws {TapedeckError} as `watch`
 */
export async function fitMarkets(flow: LineFlow, options: FitOptions): Promise<Fit[]> {
  const markets = new Map<Source, MarketFit>();
  const open = (seen: Seen): Follower => {
    const src = `${seen.venue}:${seen.symbol}`;
    if (markets.has(src)) options.note(`${src}: its instrument or its channels changed: only what follows is learnt`);
    const fit = new MarketFit(seen, options);
    markets.set(src, fit);
    return fit;
  };
  for await (const _ of watch(flow, { ...options, open }));
  const fits: Fit[] = [];
  for (const [src, market] of [...markets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const fit = market.result();
    if (fit === null) options.note(`${src}: nothing is learnt: there is no valid book`);
    else fits.push(fit);
    if (fit?.microprice === null)
      options.note(`${src}: no microprice: too few changes of the touch, or they have no limit`);
    if (fit?.ofi === null)
      options.note(`${src}: no weights of levels: too few whole windows, or nothing happened in them`);
  }
  return fits;
}
