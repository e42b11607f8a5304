/** The agents of one market: makers at the touch and behind it, takers, and an absorber with hidden size. */
import type { Ladder, MatchingEngine, OrderSide } from './engine.js';
import type { SignedFlow } from './flow.js';
import type { Mood } from './mood.js';
import { hashInteger, type Random } from './prng.js';

/** Ranks behind the touch where every tick is quoted; beyond it every fourth price or so. */
const DENSE = 60;
/** Ticks behind the touch up to which makers quote. */
const REACH = 2400;
/** Levels per side above which the farthest are cancelled. */
const MOST_LEVELS = 1500;
const FEWEST_LEVELS = 40;
const FIRST_LEVELS = 600;

/** What agents act through; every command is one update of the venue. */
export interface Desk {
  readonly engine: MatchingEngine;
  limit(side: OrderSide, price: number, size: number): void;
  market(side: OrderSide, size: number): void;
  cancel(order: number): void;
}

export interface Agents {
  turn(mood: Mood): void;
  /** one order that changes the touch */
  quoteTouch(): void;
  /** one order behind the touch */
  quoteDeep(): void;
  /** one market order */
  take(): void;
}

/** Lots a level should hold: a hump behind the touch, walls at round prices, and a lasting unevenness. */
function levelTarget(unit: number, salt: number, price: number, rank: number): number {
  const hump = rank < 15 ? 3 + rank * 0.25 : Math.max(2, 7 - rank * 0.02);
  const uneven = 0.5 + (hashInteger(price ^ salt) & 1023) / 1023;
  const wall = price % 100 === 0 ? 4 : price % 50 === 0 ? 2 : 1;
  return Math.max(1, unit * hump * uneven * wall);
}

export interface AgentTraits {
  /** a usual order, in lots */
  unit: number;
  /** makes the lasting unevenness of the book the market's own */
  salt: number;
  /** first mid price, in ticks */
  mid: number;
}

/** Fills an empty book around the mid price: the market before its first message. */
export function fillBook(engine: MatchingEngine, random: Random, { unit, salt, mid }: AgentTraits): void {
  for (const side of [1, -1] as const) {
    let levels = 0;
    for (let rank = 0; levels < FIRST_LEVELS; rank++) {
      const price = side === 1 ? mid - rank : mid + 1 + rank;
      if (price <= 0) break;
      if (rank >= DENSE && (hashInteger(price) & 3) !== 0) continue;
      levels++;
      const parts = 1 + random.below(4);
      const size = levelTarget(unit, salt, price, rank) * random.between(0.5, 1.5);
      for (let i = 0; i < parts; i++) engine.limit(side, price, Math.max(1, Math.round(size / parts)));
    }
  }
}

export function createAgents(desk: Desk, random: Random, flow: SignedFlow, traits: AgentTraits): Agents {
  const { engine } = desk;
  const { unit, salt, mid: anchor } = traits;
  let mood: Mood = { name: 'calm', side: 1, until: 0, activity: 1, taking: 1, bias: 0.5 };
  /** the price an absorber defends, 0 when there is none */
  let defended = 0;
  let sweeps = 0;

  const other = (side: OrderSide): OrderSide => (side === 1 ? -1 : 1);
  const orderSize = (): number => Math.max(1, Math.round(unit * 0.5 * random.heavy(12) * random.between(0.4, 1.2)));

  const target = (side: OrderSide, price: number, rank: number): number => {
    const skewed = mood.name === 'skew' && rank < 24;
    return levelTarget(unit, salt, price, rank) * (skewed ? (side === mood.side ? 2.4 : 0.35) : 1);
  };

  const addTowards = (side: OrderSide, price: number, missing: number): void => {
    const size = Math.min(Math.max(orderSize(), Math.round(missing * random.between(0.3, 0.9))), Math.ceil(unit * 40));
    desk.limit(side, price, size);
  };

  /** The absorber's book side, where `defended` stands. */
  const defends = (side: OrderSide): boolean => defended !== 0 && side === other(mood.side);

  const refill = (): boolean => {
    const side = other(mood.side);
    const best = engine.ladder(side).best;
    if (best === undefined || side * (best.price - defended) > 0) return false;
    const shown = best.price === defended ? best.size : 0;
    const want = unit * 4;
    if (shown > want * 0.75) return false;
    if (shown === 0 && crosses(side, defended)) {
      defended = 0; // the price broke through
      return false;
    }
    desk.limit(side, defended, Math.max(1, Math.round((want - shown) * random.between(0.8, 1))));
    return true;
  };

  const crosses = (side: OrderSide, price: number): boolean => {
    const facing = engine.ladder(other(side)).best;
    return facing !== undefined && side * (price - facing.price) >= 0;
  };

  const improve = (side: OrderSide): boolean => {
    const best = engine.ladder(side).best;
    if (best === undefined || defends(side)) return false;
    const price = best.price + side;
    if (crosses(side, price)) return false;
    desk.limit(side, price, orderSize());
    return true;
  };

  const quoteAt = (side: OrderSide): void => {
    const best = engine.ladder(side).best;
    if (best === undefined) return;
    const want = target(side, best.price, 0);
    const held = defends(side) && best.price === defended;
    const add = best.size < want * 0.3 ? 0.85 : want / (want + best.size);
    if (!held && random.chance(1 - add)) {
      // Leaving a level for good moves the price: let the last order stay more often than not.
      const leaver = random.chance(0.7) ? best.newest : best.oldest;
      if (leaver !== null && (best.orders > 1 || random.chance(0.4))) {
        desk.cancel(leaver.id);
        return;
      }
    }
    desk.limit(side, best.price, held ? Math.max(1, Math.round(unit * 0.2)) : orderSize());
  };

  const trim = (ladder: Ladder): boolean => {
    if (ladder.prices.length <= MOST_LEVELS) return false;
    const order = ladder.levels.get(ladder.prices[0])?.newest;
    if (order === null || order === undefined) return false;
    desk.cancel(order.id);
    return true;
  };

  const distance = (): number => {
    const u = random.next();
    if (u < 0.55) return 1 + random.below(12);
    if (u < 0.85) return 1 + random.below(DENSE);
    return 1 + random.below(REACH);
  };

  const lotsWithin = (ladder: Ladder, levels: number): number => {
    let lots = 0;
    for (let rank = 0; rank < levels; rank++) lots += ladder.at(rank)?.size ?? 0;
    return lots;
  };

  const takeSize = (makers: Ladder): number => {
    const touch = makers.best?.size ?? 1;
    if (mood.name === 'absorption' && makers.side === other(mood.side))
      return Math.max(1, Math.floor(touch * random.between(0.15, 0.6)));
    const u = random.next();
    if (u < 0.62) return Math.min(touch, Math.max(1, Math.round(unit * 0.08 * random.heavy(40))));
    if (u < 0.92) return Math.max(1, Math.round(touch * random.between(0.1, 0.8)));
    if (u < 0.985) return Math.max(1, Math.round(touch * random.between(0.95, 1.3)));
    return lotsWithin(makers, 2 + random.below(3));
  };

  const lotsAhead = (side: OrderSide, levels: number): number => lotsWithin(engine.ladder(other(side)), levels);

  /** Weak pull to the first price, so that a long run keeps away from zero. */
  const pulled = (side: OrderSide): OrderSide => {
    const best = engine.bids.best;
    if (best === undefined || mood.bias > 0.7) return side;
    const away = (best.price - anchor) / anchor;
    return random.chance(Math.min(0.5, Math.abs(away) * 20)) ? (away > 0 ? -1 : 1) : side;
  };

  return {
    turn(next) {
      if (mood.name === 'absorption' && random.chance(0.5)) desk.market(mood.side, lotsAhead(mood.side, 3));
      mood = next;
      sweeps = next.name === 'sweep' ? 1 + random.below(2) : 0;
      defended = next.name === 'absorption' ? (engine.ladder(other(next.side)).best?.price ?? 0) : 0;
      flow.turn(next);
    },

    quoteTouch() {
      const bid = engine.bids.best;
      const ask = engine.asks.best;
      if (bid === undefined || ask === undefined) return;
      if (defended !== 0 && refill()) return;
      const side: OrderSide = random.chance(0.5) ? 1 : -1;
      if (ask.price - bid.price > 1 && random.chance(0.75) && (improve(side) || improve(other(side)))) return;
      quoteAt(side);
    },

    quoteDeep() {
      const side: OrderSide = random.chance(0.5) ? 1 : -1;
      const ladder = engine.ladder(side);
      const best = ladder.best;
      if (best === undefined || trim(ladder)) return;
      const rank = distance();
      let price = best.price - side * rank;
      if (rank >= DENSE) while ((hashInteger(price) & 3) !== 0) price -= side;
      if (price <= 0) return;
      const want = target(side, price, rank);
      const level = ladder.levels.get(price);
      const size = level?.size ?? 0;
      const crowded = ladder.prices.length > FEWEST_LEVELS && random.chance(size / (size + want));
      if (level !== undefined && level.newest !== null && crowded) desk.cancel(level.newest.id);
      else if (size < want * 2) addTowards(side, price, want - size);
    },

    take() {
      if (sweeps > 0) {
        sweeps--;
        desk.market(mood.side, lotsAhead(mood.side, 5 + random.below(8)));
        return;
      }
      if (defended !== 0) {
        const best = engine.ladder(other(mood.side)).best;
        if (best === undefined || best.price !== defended || best.size < unit) {
          if (refill()) return;
        }
      }
      const side = pulled(flow.next(mood));
      const makers = engine.ladder(other(side));
      if (makers.prices.length > FEWEST_LEVELS) desk.market(side, takeSize(makers));
    },
  };
}
