/** How far the mid is from prices that may matter: old walls, the range of the session before, and what closed bars left behind. */
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { Evidence } from '../model/signal.js';
import { BarZones } from './bar-zones.js';
import { ASK, BID } from './book.js';
import type { Market } from './market.js';
import { PriorSession } from './prior-session.js';
import { OLDEST_WALL, type Wall, type Walls, walls } from './walls.js';

/** Distances are worked out when somebody asks; what they are worked out from costs next to nothing for every message. */
export class Zones {
  readonly #market: Market;
  readonly #walls: Walls;
  readonly #session: PriorSession;
  readonly #bars: BarZones;
  /** a detector may hold the walls' own one while it speaks */
  readonly #wall: Wall = { price: 0, low: 0, high: 0, size: 0, age: 0 };

  /** @param htf bar of the higher timeframe */
  constructor(market: Market, htf: Micros) {
    this.#market = market;
    this.#walls = walls(market);
    this.#session = new PriorSession(market);
    this.#bars = new BarZones(market, htf);
  }

  /** Distances at `t`, in bps of the mid; undefined where nothing is known. */
  context(t: Micros): Evidence | undefined {
    const { bid, ask } = this.#market;
    if (!(bid < ask)) return undefined;
    const twice = bid + ask;
    const zones: Evidence = {};
    let count = 0;
    const tell = (name: string, distance: number): void => {
      if (Number.isNaN(distance)) return;
      zones[name] = rounded((distance / twice) * 1e4);
      count++;
    };
    const above = this.#walls.next(ASK, ask, OLDEST_WALL, this.#wall);
    if (above !== null) tell('wall_above_bps', 2 * above.price - twice);
    const below = this.#walls.next(BID, bid, OLDEST_WALL, this.#wall);
    if (below !== null) tell('wall_below_bps', twice - 2 * below.price);
    const session = this.#session.at(t);
    if (session !== null) {
      tell('prior_high_bps', 2 * session.high - twice);
      tell('prior_low_bps', twice - 2 * session.low);
    }
    const { pocAbove, pocBelow, stackAbove, stackBelow } = this.#bars.nearest(twice);
    tell('poc_above_bps', pocAbove);
    tell('poc_below_bps', pocBelow);
    tell('stack_above_bps', stackAbove);
    tell('stack_below_bps', stackBelow);
    return count > 0 ? zones : undefined;
  }
}
