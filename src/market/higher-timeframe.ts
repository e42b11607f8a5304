/** The higher timeframe: the last closed bar, and the one that still develops. */
import type { Micros } from '../model/entry.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';

export type Trend = 'up' | 'down' | 'flat';

/** A bar of the mid, read each second, and of delta. Twice the mid and sizes are scaled integers; NaN: not known. */
export interface Bar {
  open: number;
  close: number;
  delta: number;
}

/** Bars of whole multiples of `span` since 1970. One that was not seen whole, or that holds a loss, is not known. */
export class HigherTimeframe implements Follower {
  readonly span: Micros;
  readonly closed: Bar = { open: Number.NaN, close: Number.NaN, delta: Number.NaN };
  readonly developing: Bar = { open: Number.NaN, close: Number.NaN, delta: Number.NaN };
  readonly #market: Market;

  constructor(market: Market, span: Micros) {
    this.#market = market;
    this.span = span;
  }

  trade(_t: Micros, side: number, _price: number, size: number): void {
    this.developing.delta += side * size;
  }

  tick(t: Micros): void {
    const twice = this.#market.bid + this.#market.ask;
    const { closed, developing } = this;
    developing.close = twice;
    if (t % this.span !== 0) return;
    closed.open = developing.open;
    closed.close = twice;
    closed.delta = developing.delta;
    developing.open = twice;
    developing.delta = 0;
  }

  /** The bar that develops as it is at this moment: between two seconds the mid moves on. */
  get upToNow(): Bar {
    return { ...this.developing, close: this.#market.bid + this.#market.ask };
  }

  /** The closed bar went up on buying or down on selling; flat where price and delta disagree; null where it is not known. */
  get trend(): Trend | null {
    const { open, close, delta } = this.closed;
    const moved = Math.sign(close - open);
    if (Number.isNaN(moved + delta)) return null;
    if (moved === 0 || moved !== Math.sign(delta)) return 'flat';
    return moved > 0 ? 'up' : 'down';
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    for (const bar of [this.closed, this.developing]) {
      bar.open = Number.NaN;
      bar.close = Number.NaN;
      bar.delta = Number.NaN;
    }
  }
}

/** How far a bar went, in bps of where it began; NaN where it is not known. */
export function moveBps({ open, close }: Bar): number {
  return ((close - open) / open) * 1e4;
}
