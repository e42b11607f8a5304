/** Drives: order after order of one side within seconds, with hardly anybody against them, and what they traded at which price. */
import type { Micros } from '../model/entry.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { Ring } from './ring.js';

/** Values of a print; `OPENS` is 1 where an aggressor group begins. */
const T = 0;
const SIGNED = 1;
const PRICE = 2;
const MATCHED = 3;
const OPENS = 4;
const WIDTH = 5;

/** Prices and sizes are scaled. */
export interface Drive {
  /** receive time of its first print, and the exchange time it was matched at; 0 where the venue says none */
  readonly firstT: Micros;
  readonly firstMatched: Micros;
  readonly firstPrice: number;
  /** aggressor groups of the side, its volume and the volume against it */
  readonly groups: number;
  readonly volume: number;
  readonly against: number;
  /** volume of the side by price */
  readonly traded: ReadonlyMap<number, number>;
}

export interface DriveRules {
  /** largest share of its volume that may go the other way */
  readonly opposite: number;
  /** aggressor groups and volume of its side it must have */
  readonly groups: number;
  readonly volume: number;
}

/** The prints over (t − span, t] that all who ask for that span share. */
export function drivesOf(market: Market, span: Micros): Drives {
  return market.share(`drives ${span}`, () => {
    const drives = new Drives(market, span);
    market.follow(drives);
    return drives;
  });
}

export class Drives implements Follower {
  readonly #market: Market;
  readonly #span: Micros;
  readonly #ring = new Ring(WIDTH);

  constructor(market: Market, span: Micros) {
    this.#market = market;
    this.#span = span;
  }

  trade(t: Micros, side: number, price: number, size: number): void {
    const ring = this.#ring;
    this.#expire(t);
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    const { values } = ring;
    const { open } = this.#market.groups;
    values[at + T] = t;
    values[at + SIGNED] = side * size;
    values[at + PRICE] = price;
    values[at + MATCHED] = open.matched;
    values[at + OPENS] = open.prints === 1 ? 1 : 0;
  }

  #expire(t: Micros): void {
    const ring = this.#ring;
    const { values, mask, next } = ring;
    while (ring.first < next && values[(ring.first & mask) * WIDTH + T] <= t - this.#span) ring.first++;
  }

  /** The longest drive of a side up to now whose first print came after `since`; null where it is not one by the rules. Costs a walk over the span. */
  of(t: Micros, side: number, since: Micros, rules: DriveRules): Drive | null {
    const { opposite } = rules;
    this.#expire(t);
    const { values, mask, first, next } = this.#ring;
    let from = next;
    let groups = 0;
    let volume = 0;
    let against = 0;
    // of what is walked over, and of the drive found so far
    let [allGroups, all, other] = [0, 0, 0];
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * WIDTH;
      if (values[at + T] <= since) break;
      const size = side * values[at + SIGNED];
      if (size < 0) {
        other -= size;
        continue;
      }
      all += size;
      if (values[at + OPENS] === 0) continue;
      allGroups++;
      if (other / (all + other) > opposite) continue;
      [from, groups, volume, against] = [n, allGroups, all, other];
    }
    if (from === next || groups < rules.groups || volume < rules.volume) return null;
    const at = (from & mask) * WIDTH;
    const start = { firstT: values[at + T], firstMatched: values[at + MATCHED], firstPrice: values[at + PRICE] };
    return { ...start, groups, volume, against, traded: this.#traded(side, from) };
  }

  #traded(side: number, from: number): Map<number, number> {
    const { values, mask, next } = this.#ring;
    const traded = new Map<number, number>();
    for (let n = from; n < next; n++) {
      const at = (n & mask) * WIDTH;
      const size = side * values[at + SIGNED];
      if (size > 0) traded.set(values[at + PRICE], (traded.get(values[at + PRICE]) ?? 0) + size);
    }
    return traded;
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#ring.clear();
  }
}
