/** Voids ahead of the touch: where next to nothing is displayed, remembered for as long as they stand, so that who runs into one is noticed. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import { type DepthProfile, depthProfile } from './depth-profile.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { type ThinRules, thinRun } from './thin-run.js';
import { type TopGap, topGap } from './top-gap.js';

export interface VoidRules extends ThinRules {
  /** a gap behind the touch is at least so many ticks wide, and wider than this quantile of usual ones */
  readonly ticks: number;
  readonly quantile: number;
  /** how long a void must have stood */
  readonly hold: Micros;
}

/** One side's void as last looked at; the object is used again. Prices and sizes are scaled. */
export interface VoidAhead {
  kind: 'gap' | 'thin';
  /** where it begins, and the first price behind it; of a gap it begins at the touch */
  near: number;
  far: number;
  /** since when it was seen; NaN: there is none */
  since: Micros;
  /** displayed from the touch as it was to the far edge, that one left out */
  inside: number;
}

/** Looks at beats, when it is asked to; what lies between two looks is as the last one saw it. */
export class VoidsAhead implements Follower {
  readonly #rules: VoidRules;
  readonly #market: Market;
  readonly #profile: DepthProfile;
  readonly #gap: TopGap;
  readonly #seen: readonly [VoidAhead, VoidAhead] = [none(), none()];

  constructor(market: Market, rules: VoidRules) {
    this.#market = market;
    this.#rules = rules;
    this.#profile = depthProfile(market);
    this.#gap = topGap(market);
    market.follow(this);
  }

  /** The void of a side that has stood long enough; null where there is none. */
  of(t: Micros, side: BookSide): VoidAhead | null {
    const seen = this.#seen[side];
    return t - seen.since >= this.#rules.hold ? seen : null;
  }

  look(t: Micros): void {
    this.#look(t, BID, -1);
    this.#look(t, ASK, 1);
  }

  #look(t: Micros, side: BookSide, sign: number): void {
    const { ticks, quantile } = this.#rules;
    const { bid, ask } = this.#market;
    const touch = side === ASK ? ask : bid;
    const wide = this.#gap.unusual(side, ticks, quantile);
    if (wide !== null) {
      this.#see(t, side, 'gap', touch, touch + sign * wide.gap);
      return;
    }
    const run = thinRun(this.#profile, side, this.#rules);
    if (run === null) this.forget(side);
    else this.#see(t, side, 'thin', this.#profile.price(side, run.first), this.#profile.price(side, run.end));
  }

  /** It is the one seen before where they overlap. */
  #see(t: Micros, side: BookSide, kind: 'gap' | 'thin', near: number, far: number): void {
    const seen = this.#seen[side];
    const sign = side === ASK ? 1 : -1;
    const same = (near - seen.far) * sign < 0 && (far - seen.near) * sign > 0;
    if (!same) seen.since = Number.NaN;
    if (Number.isNaN(seen.since)) seen.since = t;
    seen.kind = kind;
    seen.near = near;
    seen.far = far;
    const touch = side === ASK ? this.#market.ask : this.#market.bid;
    seen.inside = this.#profile.between(side, 0, (far - touch) * sign);
  }

  forget(side: BookSide): void {
    this.#seen[side].since = Number.NaN;
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) === 0) return;
    this.forget(BID);
    this.forget(ASK);
  }
}

function none(): VoidAhead {
  return { kind: 'gap', near: Number.NaN, far: Number.NaN, since: Number.NaN, inside: Number.NaN };
}
