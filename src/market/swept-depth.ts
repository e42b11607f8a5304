/** Depth near the touch before a large aggressor group took from it, so that what came back can be told. */
import type { Micros } from '../model/entry.js';
import { ASK, BID, type BookSide } from './book.js';
import type { DepthProfile } from './depth-profile.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Group } from './groups.js';
import type { Market } from './market.js';
import { Ring } from './ring.js';

/** Values of a look: its time, and what stood near the touch of each side. */
const T = 0;
const SIZES = 1;
const WIDTH = 3;
/** Looks that are kept: more than a second of beats. */
const LOOKS = 16;
/** Groups of a side that wait for what comes after them; more at a time are let go. */
const MOST_WAITING = 64;

/** A group that took much of what was displayed near the touch. Sizes are scaled. */
export interface Swept {
  firstT: Micros;
  lastT: Micros;
  /** what it traded */
  volume: number;
  /** its last price, and how far from a touch counts as near, scaled prices */
  lastPrice: number;
  reach: number;
  /** near the touch before it, on its passive side and on the other one */
  before: number;
  otherBefore: number;
}

const NONE: readonly Swept[] = [];

/** Looks at both sides on beats, and remembers of each side the groups that took at least the share `taken` of what stood there. */
export class SweptDepth implements Follower {
  readonly #profile: DepthProfile;
  readonly #buckets: number;
  readonly #taken: number;
  readonly #guard: Micros;
  readonly #looks = new Ring(WIDTH, LOOKS);
  readonly #swept: [Swept[], Swept[]] = [[], []];
  /** width of a bucket: looks of another one cannot be compared */
  #width = Number.NaN;

  /** @param buckets that count as near the touch */
  constructor(market: Market, profile: DepthProfile, buckets: number, taken: number) {
    this.#profile = profile;
    this.#buckets = buckets;
    this.#taken = taken;
    this.#guard = market.guard;
    market.follow(this);
  }

  /** A beat has passed. */
  look(t: Micros): void {
    const looks = this.#looks;
    if (this.#width !== this.#profile.width) this.forget();
    this.#width = this.#profile.width;
    if (looks.full) looks.first++;
    const at = looks.push();
    looks.values[at + T] = t;
    looks.values[at + SIZES + BID] = this.now(BID);
    looks.values[at + SIZES + ASK] = this.now(ASK);
  }

  /** What stands near the touch of a side now; NaN where unknown. */
  now(side: BookSide): number {
    return this.#profile.sum(side, 0, this.#buckets);
  }

  group({ firstT, lastT, side, volume, lastPrice }: Group): void {
    const passive = side > 0 ? ASK : BID;
    if (this.#swept[passive].length >= MOST_WAITING) return;
    const at = this.#lookBefore(firstT - this.#guard);
    const { values } = this.#looks;
    const before = at < 0 ? Number.NaN : values[at + SIZES + passive];
    if (!(before > 0 && volume >= this.#taken * before)) return;
    const otherBefore = values[at + SIZES + (passive === ASK ? BID : ASK)];
    const reach = this.#buckets * this.#width;
    this.#swept[passive].push({ firstT, lastT, volume, lastPrice, reach, before, otherBefore });
  }

  /** Offset of the newest look at or before `t`; -1 where none is kept. */
  #lookBefore(t: Micros): number {
    const { values, mask, first, next } = this.#looks;
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] <= t) return at;
    }
    return -1;
  }

  /** The groups that took from a side, once `settle` has passed since each, in their order; they are forgotten. */
  take(t: Micros, side: BookSide, settle: Micros): readonly Swept[] {
    const swept = this.#swept[side];
    if (swept.length === 0 || t - swept[0].lastT < settle) return NONE;
    const waiting = swept.findIndex(({ lastT }) => t - lastT < settle);
    return swept.splice(0, waiting < 0 ? swept.length : waiting);
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) this.forget();
  }

  forget(): void {
    this.#looks.clear();
    for (const swept of this.#swept) swept.length = 0;
  }
}
