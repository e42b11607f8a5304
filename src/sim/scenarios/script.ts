/** Writes a scenario down as it would be told: a book, orders that take from it, time that passes. */
import type { Micros } from '../../model/entry.js';
import type { OffBook } from '../../venues/venue.js';
import type { OrderSide } from '../engine.js';
import type { Level, Play, Step, Trouble } from './scenario.js';

/** Data that makes things usual: warm-up, and a little more. */
const USUAL_SECONDS = 70;
const MILLI: Micros = 1000;

/** A usual order comes twice a second; what it took is back this much later. */
const USUAL_EVERY = 500;
const BACK_AFTER = 45;
/** Times are multiples of it, so that an order is never at the edge of a conflation interval. */
const GRAIN = 5;

interface BookChange {
  bids?: readonly Level[];
  asks?: readonly Level[];
}

/** Prices are ticks, sizes lots, times milliseconds. */
export class Script {
  readonly #bids: Map<number, number>;
  readonly #asks: Map<number, number>;
  readonly #first: { bids: readonly Level[]; asks: readonly Level[] };
  readonly #steps: Step[] = [];
  readonly #mirror: number;
  #at: Micros = 10 * MILLI;
  #begin: Micros = 0;
  #usual = 0;

  constructor(bids: readonly Level[], asks: readonly Level[]) {
    this.#first = { bids, asks };
    this.#bids = new Map(bids);
    this.#asks = new Map(asks);
    this.#mirror = this.best(1) + this.best(-1);
  }

  #side(side: OrderSide): Map<number, number> {
    return side > 0 ? this.#bids : this.#asks;
  }

  /** Best price of the bids (1) or asks (-1). */
  best(side: OrderSide): number {
    const prices = [...this.#side(side).keys()];
    return side > 0 ? Math.max(...prices) : Math.min(...prices);
  }

  /** Size displayed at a price. */
  shown(side: OrderSide, price: number): number {
    return this.#side(side).get(price) ?? 0;
  }

  /** Time since the script began. */
  get now(): number {
    return this.#at / MILLI;
  }

  wait(ms: number): this {
    this.#at += ms * MILLI;
    return this;
  }

  /** These levels are displayed from now on, those of size 0 no longer; nothing is traded. */
  book({ bids = [], asks = [] }: BookChange): this {
    for (const [side, levels] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const)
      for (const [price, size] of levels) {
        if (size > 0) side.set(price, size);
        else side.delete(price);
      }
    this.#steps.push({ at: this.#at, kind: 'book', bids, asks });
    return this;
  }

  /** Prints of one taker order, at these prices; the book is as it was. */
  print(side: OrderSide, fills: readonly Level[], offBook?: OffBook): this {
    this.#steps.push({ at: this.#at, kind: 'order', side, fills, ...(offBook === undefined ? {} : { offBook }) });
    return this;
  }

  /** A taker order that takes so much from what is displayed, best prices first. */
  take(side: OrderSide, size: number): this {
    const passive = this.#side(side > 0 ? -1 : 1);
    const prices = [...passive.keys()].sort((a, b) => side * (a - b));
    const fills: Level[] = [];
    const left: Level[] = [];
    for (let need = size; need > 0; ) {
      const price = prices[fills.length];
      const shown = passive.get(price);
      if (shown === undefined) throw new RangeError(`an order of ${size} is more than what is displayed`);
      const filled = Math.min(need, shown);
      fills.push([price, filled]);
      left.push([price, shown - filled]);
      need -= filled;
    }
    this.print(side, fills);
    return this.book(side > 0 ? { asks: left } : { bids: left });
  }

  trouble(what: Trouble): this {
    this.#steps.push({ at: this.#at, kind: 'trouble', what });
    return this;
  }

  /** Orders of so many lots, each way in turn, twice a second; the level is soon what it was. `size` is of order number `i`. */
  usual(seconds = USUAL_SECONDS, size: (i: number) => number = () => 1): this {
    for (let n = 0; n < seconds * 2; n++) {
      const side: OrderSide = this.#usual % 2 === 0 ? 1 : -1;
      const price = this.best(side > 0 ? -1 : 1);
      const shown = this.shown(side > 0 ? -1 : 1, price);
      this.take(side, size(this.#usual++)).wait(BACK_AFTER);
      this.book(side > 0 ? { asks: [[price, shown]] } : { bids: [[price, shown]] }).wait(USUAL_EVERY - BACK_AFTER);
    }
    return this;
  }

  /** What was until now was usual. */
  start(): this {
    this.#begin = this.#at;
    return this;
  }

  play(): Play {
    const off = this.#steps.find(({ at }) => at % (GRAIN * MILLI) !== 0);
    if (off !== undefined) throw new RangeError(`a step at ${off.at} µs: only every ${GRAIN} ms there may be one`);
    const { bids, asks } = this.#first;
    return { bids, asks, steps: this.#steps, begin: this.#begin, end: this.#at, mirror: this.#mirror };
  }
}

/** `count` levels of one size, a tick apart, from the best price on. */
export function levels(side: OrderSide, best: number, size: number, count: number): Level[] {
  return Array.from({ length: count }, (_, i): Level => [best - side * i, size]);
}
