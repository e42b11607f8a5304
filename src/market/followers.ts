/** All who follow one market, each called for what it asked to hear, in the order in which they asked. */
import type { Micros } from '../model/entry.js';
import type { Follower } from './follower.js';

/** Lists of bound functions, not of followers: most follow one or two things, and nobody is asked whether he does for every message. */
export class Followers {
  readonly #trade: NonNullable<Follower['trade']>[] = [];
  readonly #book: NonNullable<Follower['book']>[] = [];
  readonly #touches: NonNullable<Follower['touches']>[] = [];
  readonly #tick: NonNullable<Follower['tick']>[] = [];
  readonly #lose: NonNullable<Follower['lose']>[] = [];
  readonly #unit: NonNullable<Follower['unit']>[] = [];

  /** Groups and levels come from elsewhere, and are not heard of here. */
  add(follower: Follower): void {
    const { trade, book, touches, tick, lose, unit } = follower;
    if (trade !== undefined) this.#trade.push(trade.bind(follower));
    if (book !== undefined) this.#book.push(book.bind(follower));
    if (touches !== undefined) this.#touches.push(touches.bind(follower));
    if (tick !== undefined) this.#tick.push(tick.bind(follower));
    if (lose !== undefined) this.#lose.push(lose.bind(follower));
    if (unit !== undefined) this.#unit.push(unit.bind(follower));
  }

  /** Somebody follows best quotes. */
  get hearTouches(): boolean {
    return this.#touches.length > 0;
  }

  trade(t: Micros, side: number, price: number, size: number): void {
    for (let i = 0; i < this.#trade.length; i++) this.#trade[i](t, side, price, size);
  }

  book(t: Micros, joined: boolean): void {
    for (let i = 0; i < this.#book.length; i++) this.#book[i](t, joined);
  }

  touches(events: Float64Array, from: number, to: number): void {
    for (let i = 0; i < this.#touches.length; i++) this.#touches[i](events, from, to);
  }

  tick(t: Micros): void {
    for (let i = 0; i < this.#tick.length; i++) this.#tick[i](t);
  }

  lose(effect: number): void {
    for (let i = 0; i < this.#lose.length; i++) this.#lose[i](effect);
  }

  unit(start: Micros): void {
    for (let i = 0; i < this.#unit.length; i++) this.#unit[i](start);
  }
}
