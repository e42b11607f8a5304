/** Cumulative delta: what aggressors bought less what they sold, counted from an epoch that changes where trades are missing. */
import type { Micros } from '../model/entry.js';
import type { FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { Effect } from './track.js';

/**
 * A running count of scaled sizes. Where it stands depends on where reading began, so only differences within an epoch mean anything, and
 * detectors look at no others: rolling windows are the one anchor there is here. A count from the start of a day or a session would
 * need all of that day; whoever shows one has to read it.
 */
export class Cvd implements Follower {
  #level = 0;

  constructor(market: Market) {
    market.follow(this);
  }

  /** scaled size, negative where more was sold */
  get level(): number {
    return this.#level;
  }

  trade(_t: Micros, side: number, _price: number, size: number): void {
    this.#level += side * size;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#level = 0;
  }

  /** Lowers the level, for who keeps levels and lowers those as well, so that sums stay small enough to be exact. */
  lower(by: number): void {
    this.#level -= by;
  }
}

/** The market's cumulative delta. */
export function cvdOf(market: Market): Cvd {
  return market.share('cvd', () => new Cvd(market));
}

/** Lowest and highest delta on the way through a window, trade by trade from zero; scaled sizes. Call `expire` before. */
export function deltaRange(flow: FlowWindow): { low: number; high: number } {
  let delta = 0;
  let low = 0;
  let high = 0;
  flow.walk((signed) => {
    delta += signed;
    if (delta < low) low = delta;
    if (delta > high) high = delta;
  });
  return { low, high };
}
