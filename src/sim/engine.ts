/** A price-time matching engine for one instrument, in integer ticks and lots. */

/** +1 buys (bids), -1 sells (asks). */
export type OrderSide = 1 | -1;

export interface Order {
  id: number;
  side: OrderSide;
  price: number;
  /** lots left */
  size: number;
  older: Order | null;
  newer: Order | null;
}

/** All orders at one price, oldest first. */
export interface Level {
  price: number;
  /** lots, the sum of its orders */
  size: number;
  orders: number;
  oldest: Order | null;
  newest: Order | null;
}

/** One maker order hit by the last command, in the order of execution. */
export interface Fill {
  maker: number;
  price: number;
  size: number;
}

/** A price whose size the last command changed; `size` is what rests there now. */
export interface LevelChange {
  side: OrderSide;
  price: number;
  size: number;
}

/** One side of the book: levels by price, and their prices from worst to best. */
export class Ladder {
  readonly levels = new Map<number, Level>();
  /** worst first: changes cluster at the touch, so they move few elements */
  readonly prices: number[] = [];

  constructor(readonly side: OrderSide) {}

  /** The level `rank` places behind the best (0), or undefined. */
  at(rank: number): Level | undefined {
    const price = this.prices[this.prices.length - 1 - rank];
    return price === undefined ? undefined : this.levels.get(price);
  }

  get best(): Level | undefined {
    return this.at(0);
  }

  /** The level at a price, made when missing. */
  open(price: number): Level {
    const known = this.levels.get(price);
    if (known !== undefined) return known;
    const level: Level = { price, size: 0, orders: 0, oldest: null, newest: null };
    this.levels.set(price, level);
    this.prices.splice(this.#place(price), 0, price);
    return level;
  }

  remove(price: number): void {
    this.levels.delete(price);
    this.prices.splice(this.#place(price), 1);
  }

  /** Index of the price, or where it belongs. */
  #place(price: number): number {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.side * (this.prices[middle] - price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Limit orders, market orders and cancels under price-time priority. After each command `fills` and `changes` tell
 * what it did; both are cleared by the next one. Lots are conserved: what enters is filled, cancelled or resting.
 */
export class MatchingEngine {
  readonly bids = new Ladder(1);
  readonly asks = new Ladder(-1);
  readonly orders = new Map<number, Order>();
  readonly fills: Fill[] = [];
  readonly changes: LevelChange[] = [];
  #nextOrder = 1;

  ladder(side: OrderSide): Ladder {
    return side === 1 ? this.bids : this.asks;
  }

  /**
   * Matches what crosses and rests the remainder.
   * @returns the id of the resting order, 0 when nothing rests
   * @throws {RangeError} when price or size is not a positive integer
   */
  limit(side: OrderSide, price: number, size: number): number {
    demandPositive('price', price);
    demandPositive('size', size);
    this.#begin();
    const left = this.#match(side, size, price);
    if (left === 0) return 0;
    const level = this.ladder(side).open(price);
    const order: Order = { id: this.#nextOrder++, side, price, size: left, older: level.newest, newer: null };
    if (level.newest === null) level.oldest = order;
    else level.newest.newer = order;
    level.newest = order;
    level.size += left;
    level.orders++;
    this.orders.set(order.id, order);
    this.changes.push({ side, price, size: level.size });
    return order.id;
  }

  /**
   * Takes from the other side until filled or the side is empty; the rest expires.
   * @returns lots filled
   */
  market(side: OrderSide, size: number): number {
    demandPositive('size', size);
    this.#begin();
    return size - this.#match(side, size, side * Number.MAX_SAFE_INTEGER);
  }

  /** @returns lots removed, 0 when the order is not resting (filled, cancelled, never known) */
  cancel(id: number): number {
    this.#begin();
    const order = this.orders.get(id);
    if (order === undefined) return 0;
    const ladder = this.ladder(order.side);
    const level = ladder.open(order.price);
    this.#unlink(level, order);
    level.size -= order.size;
    if (level.orders === 0) ladder.remove(level.price);
    this.changes.push({ side: order.side, price: order.price, size: level.size });
    return order.size;
  }

  #begin(): void {
    this.fills.length = 0;
    this.changes.length = 0;
  }

  #match(side: OrderSide, size: number, worst: number): number {
    const makers = this.ladder(side === 1 ? -1 : 1);
    let left = size;
    while (left > 0) {
      const level = makers.best;
      if (level === undefined || side * (level.price - worst) > 0) break;
      while (left > 0 && level.oldest !== null) {
        const maker = level.oldest;
        const filled = Math.min(left, maker.size);
        maker.size -= filled;
        level.size -= filled;
        left -= filled;
        this.fills.push({ maker: maker.id, price: level.price, size: filled });
        if (maker.size === 0) this.#unlink(level, maker);
      }
      if (level.orders === 0) makers.remove(level.price);
      this.changes.push({ side: makers.side, price: level.price, size: level.size });
    }
    return left;
  }

  #unlink(level: Level, order: Order): void {
    if (order.older === null) level.oldest = order.newer;
    else order.older.newer = order.newer;
    if (order.newer === null) level.newest = order.older;
    else order.newer.older = order.older;
    level.orders--;
    this.orders.delete(order.id);
  }
}

function demandPositive(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new RangeError(`${what} must be a positive integer, not ${value}`);
}
