/** Walls: prices at which far more is displayed than around them, and for how long it has been. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID, type BookSide } from './book.js';
import { BUCKETS, type DepthProfile, depthProfile } from './depth-profile.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';

/** A wall holds this many times what the median cell of its side holds, */
const FACTOR = 3;
/** and no less than this share of all that stood in its side's buckets over the baseline. */
const QUANTILE = 0.95;
/** Age counts while this share of what a wall needs stands there: it does not begin anew with every order that leaves. */
const SLACK = 0.5;
/** Cells are looked at this often. */
const LOOK_EVERY: Micros = 2 * MICROS_PER_SECOND;
/** Younger walls are none unless asked for: to show an order for a moment is cheap. */
const WALL_AGE: Micros = 5 * MICROS_PER_SECOND;
/** Older walls are of this age: what was longer ago plays no role. */
export const OLDEST_WALL: Micros = 60 * MICROS_PER_SECOND;

/** A wall as it is now; the object is used again. */
export interface Wall {
  /** scaled price of its heaviest level */
  price: number;
  /** its cell: lowest and highest scaled price */
  low: number;
  high: number;
  /** scaled, of the whole cell */
  size: number;
  /** looked at every two seconds; OLDEST_WALL at most */
  age: Micros;
}

/** The walls that all who ask share; ask while being created. */
export function walls(market: Market): Walls {
  return market.share('walls', () => new Walls(market));
}

/** Cells of one side that may be walls, from the touch outwards, and since when each may be one. */
class HeavyCells {
  count = 0;
  readonly cells = new Float64Array(BUCKETS);
  readonly since = new Float64Array(BUCKETS);
}

/**
 * As a basis point is many ticks where ticks are fine, a wall is not one level but a cell of the profile's width, at multiples of it,
 * so that it stays where it is while the touch moves. Cells are looked at every two seconds; what one holds is read when it is asked for.
 */
export class Walls implements Follower {
  readonly #market: Market;
  readonly #profile: DepthProfile;
  readonly #heavy: [HeavyCells, HeavyCells] = [new HeavyCells(), new HeavyCells()];
  readonly #medians: [number, number] = [Number.NaN, Number.NaN];
  #spare = new HeavyCells();
  readonly #sizes = new Float64Array(BUCKETS);
  readonly #sorted = new Float64Array(BUCKETS);
  #width = Number.NaN;
  readonly #wall: Wall = { price: 0, low: 0, high: 0, size: 0, age: 0 };

  constructor(market: Market) {
    this.#market = market;
    this.#profile = depthProfile(market);
    market.follow(this);
  }

  tick(t: Micros): void {
    const { bid, ask } = this.#market;
    if (t % LOOK_EVERY !== 0) return;
    const known = bid < ask;
    if (!known || this.#width !== this.#profile.width) this.#forget();
    this.#width = this.#profile.width;
    if (!known) return;
    this.#look(t, BID, bid, -1);
    this.#look(t, ASK, ask, 1);
  }

  lose(effect: number): void {
    if ((effect & Effect.lost) !== 0) this.#forget();
  }

  #forget(): void {
    for (const heavy of this.#heavy) heavy.count = 0;
  }

  #look(t: Micros, side: BookSide, touch: number, step: number): void {
    const first = Math.floor(touch / this.#width);
    const known = this.#sum(side, first, step);
    this.#medians[side] = this.#median(known);
    const least = SLACK * FACTOR * this.#medians[side];
    const before = this.#heavy[side];
    const now = this.#spare;
    this.#heavy[side] = now;
    this.#spare = before;
    now.count = 0;
    // both lists run outwards
    let at = 0;
    for (let n = 0; n < known; n++) {
      if (!(this.#sizes[n] >= least)) continue;
      const cell = first + n * step;
      while (at < before.count && (before.cells[at] - cell) * step < 0) at++;
      now.cells[now.count] = cell;
      now.since[now.count++] = at < before.count && before.cells[at] === cell ? before.since[at] : t;
    }
  }

  /** Sums cells from the touch outwards; returns how many are known. */
  #sum(side: BookSide, first: number, step: number): number {
    const { low, high, book } = this.#market.track;
    for (let n = 0; n < BUCKETS; n++) {
      const start = (first + n * step) * this.#width;
      if (side === BID ? start < low : start + this.#width - book.tick > high) return n;
      this.#sizes[n] = this.#held(side, first + n * step);
    }
    return BUCKETS;
  }

  /** What a cell holds now. */
  #held(side: BookSide, cell: number): number {
    const { book } = this.#market.track;
    const low = cell * this.#width;
    return book.volumeBetween(side, low, low + this.#width - book.tick);
  }

  /** The median of the first `count` cells that hold anything; NaN where none does. */
  #median(count: number): number {
    const sorted = this.#sorted;
    let held = 0;
    for (let n = 0; n < count; n++) {
      const size = this.#sizes[n];
      if (size === 0) continue;
      let at = held++;
      for (; at > 0 && sorted[at - 1] > size; at--) sorted[at] = sorted[at - 1];
      sorted[at] = size;
    }
    return held === 0 ? Number.NaN : sorted[(held - 1) >> 1];
  }

  /**
   * The wall of a side nearest to the touch whose heaviest level is at scaled price `from` or beyond, and that has stood for `age`;
   * null where there is none among the cells of the profile's reach, or while it is not known what is usual.
   * @param wall what is filled in and returned
   */
  next(side: BookSide, from: number, age: Micros = WALL_AGE, wall: Wall = this.#wall): Wall | null {
    const { t } = this.#market;
    const { count, cells, since } = this.#heavy[side];
    for (let n = 0; n < count; n++) {
      wall.age = Math.min(t - since[n], OLDEST_WALL);
      if (wall.age < age) continue;
      wall.size = this.#held(side, cells[n]);
      if (!(wall.size >= FACTOR * this.#medians[side] && this.#profile.rank(side, wall.size) >= QUANTILE)) continue;
      wall.low = cells[n] * this.#width;
      wall.high = wall.low + this.#width - this.#market.track.book.tick;
      wall.price = this.#heaviest(side, cells[n]);
      if (side === BID ? wall.price <= from : wall.price >= from) return wall;
    }
    return null;
  }

  /** Price of the heaviest level of a cell; among equals the one nearest to the touch. */
  #heaviest(side: BookSide, cell: number): number {
    const { book } = this.#market.track;
    const low = cell * this.#width;
    const count = this.#width / book.tick;
    let heaviest = Number.NaN;
    let most = 0;
    for (let n = 0; n < count; n++) {
      const price = low + (side === BID ? count - 1 - n : n) * book.tick;
      const size = book.sizeAt(side, price);
      if (size <= most) continue;
      most = size;
      heaviest = price;
    }
    return heaviest;
  }
}
