/** Learning from a tape what a later scan may use: each market's microprice and the weights of its levels. */
import { Effect } from '../market/effect.js';
import type { Follower } from '../market/follower.js';
import type { LineFlow } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import type { Fit } from '../model/fit.js';
import { isInRange, type Seen, type WatchOptions, watch } from '../scan/watch.js';
import { MicropriceFit } from './microprice-fit.js';
import { OfiFit } from './ofi-fit.js';

export interface FitOptions extends Omit<WatchOptions, 'open'> {
  /** window of order flow imbalance, whole seconds */
  window: Micros;
  /** levels of each side that it looks at */
  levels: number;
}

/**
 * Reads flows to their ends, one after the other: what is lost of one tape is not lost of another.
 * @returns a fit for each market, or several where its instrument or its channels changed, in order of names and times
 * @throws {TapedeckError} as `watch`
 */
export async function fitMarkets(flows: readonly LineFlow[], options: FitOptions): Promise<Fit[]> {
  const markets: MarketFit[] = [];
  const open = (seen: Seen): Follower => {
    const fit = new MarketFit(seen, options);
    markets.push(fit);
    return fit;
  };
  for (const [n, flow] of flows.entries()) {
    for await (const _ of watch(flow, { ...options, open }));
    if (options.signal?.aborted !== true) continue;
    // tapes that were not begun are left, though this one may have come to its end
    if (n < flows.length - 1) options.stopped?.(Math.max(...markets.map(({ reached }) => reached)));
    break;
  }
  const fits = markets.flatMap((market) => market.result() ?? []);
  for (const src of new Set(markets.map((market) => market.src))) {
    if (fits.some((fit) => fit.src === src)) continue;
    const met = markets.some((market) => market.src === src && market.met);
    options.note(`${src}: nothing is learnt: ${met ? 'there is no valid book' : 'nothing of it lies in this range'}`);
  }
  for (const { src, microprice, ofi } of fits) {
    if (microprice === null)
      options.note(`${src}: no microprice: too few changes of the touch, or it never went from side to side`);
    if (ofi === null) options.note(`${src}: no weights of levels: too few whole windows, or nothing happened in them`);
  }
  return fits.sort((a, b) => (a.src === b.src ? a.from - b.from : a.src < b.src ? -1 : 1));
}

/** What one market has taught so far. */
class MarketFit implements Follower {
  readonly src: Source;
  readonly #seen: Seen;
  readonly #microprice: MicropriceFit;
  readonly #ofi: OfiFit;
  #first: Micros = Number.NaN;
  #last: Micros = Number.NaN;

  constructor(seen: Seen, { window, levels }: FitOptions) {
    this.src = `${seen.venue}:${seen.symbol}`;
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
    // a book that nobody changes is known all the same, as long as other entries tell the time
    if (this.#ofi.tick(t, this.#seen.from)) this.#last = Math.max(this.#last, t);
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) !== 0) this.#microprice.lose();
  }

  get reached(): Micros {
    return this.#seen.market.t;
  }

  /** something of it lies in the range */
  get met(): boolean {
    return isInRange(this.#seen);
  }

  /** null where there was no book */
  result(): Fit | null {
    if (Number.isNaN(this.#first)) return null;
    const { market } = this.#seen;
    return {
      src: this.src,
      from: this.#first,
      to: this.#last,
      tick: market.track.instrument.tick,
      microprice: this.#microprice.chain.table(),
      ofi: this.#ofi.weights(),
    };
  }
}
