/** The market of one symbol in time: when agents act, so that messages come at the asked rate and in a usual mix. */
import type { Micros } from '../model/entry.js';
import { type AgentTraits, createAgents, type Desk, fillBook } from './agents.js';
import { MatchingEngine, type OrderSide } from './engine.js';
import { createFlow } from './flow.js';
import type { Listing } from './listing.js';
import { createMoods } from './mood.js';
import { createRandom, hashText } from './prng.js';
import { createPublisher, type IdSpace, type Publication } from './publisher.js';

/** Share of depth events among messages at high rates, and the interval that is kept at low ones. */
const DEPTH_SHARE = 0.13;
const DEPTH_INTERVAL_SECONDS = 0.1;
/** Share of trades among trades and touches. */
const TRADE_SHARE = 0.23;
/** Share of market orders among orders that show, before clustering; the controller does the rest. */
const TAKE_SHARE = 0.07;
/** Orders behind the touch for each order that shows; more on slow markets, whose book must follow the mood too. */
const DEEP_PER_ORDER = 1.6;
const MOST_DEEP_PER_ORDER = 12;
/** Messages an order that shows makes on average. */
const MESSAGES_PER_ORDER = 1.25;
/** Clustering of market orders: each adds this to the next ones' share, decaying by order. */
const EXCITE = 0.28;
const EXCITE_DECAY = 0.97;

export interface SymbolMarket {
  readonly listing: Listing;
  readonly engine: MatchingEngine;
  /** what waits to be emitted, of any kind in order of creation; take from it freely */
  readonly queue: Publication[];
  readonly firstId: number;
  readonly lastId: number;
  /** runs the market up to and with this time; more than was emitted by then may be in the queue */
  advance(until: Micros): void;
}

export interface SymbolMarketOptions {
  listing: Listing;
  seed: number;
  /** messages per second of data time */
  rate: number;
  start: Micros;
  ids: IdSpace;
}

/** One symbol's market; its randomness comes from seed and symbol alone. */
export function createSymbolMarket({ listing, seed, rate, start, ids }: SymbolMarketOptions): SymbolMarket {
  const name = `${seed}:${listing.instrument.symbol}`;
  const random = createRandom(name);
  const salt = hashText(name);
  const engine = new MatchingEngine();
  const firstId = (ids === 'own' ? 90e9 : 11e12) + salt;
  const publisher = createPublisher(engine, random, ids, firstId, (ids === 'own' ? 5.2e9 : 7.2e9) + (salt & 0xffff));

  let clock = start;
  const desk: Desk = {
    engine,
    limit(side, price, size) {
      engine.limit(side, price, size);
      publisher.report(clock, side);
    },
    market(side, size) {
      engine.market(side, size);
      publisher.report(clock, side);
    },
    cancel(order) {
      const side: OrderSide = engine.orders.get(order)?.side ?? 1;
      engine.cancel(order);
      publisher.report(clock, side);
    },
  };

  const traits: AgentTraits = { unit: listing.unit, salt, mid: listing.price };
  fillBook(engine, random, traits);
  const agents = createAgents(desk, random, createFlow(random), traits);
  publisher.quote(start);

  const nextMood = createMoods(random);
  let mood = nextMood(0);
  agents.turn(mood);

  const depthRate = Math.max(DEPTH_SHARE * rate, Math.min(1 / DEPTH_INTERVAL_SECONDS, rate / 2));
  const showRate = rate - depthRate;
  const deepPerOrder = clamp((DEEP_PER_ORDER * 200) / rate, DEEP_PER_ORDER, MOST_DEEP_PER_ORDER);
  // Times are seconds since the start: small numbers keep their fractions.
  let flushes = 1;
  let swing = 1;
  let swingUntil = 0;
  let excite = 0;
  let orderAt = random.exponential() / showRate;

  /** How fast orders come now: mood, a swing that lasts about a second, and a pull to the asked rate. */
  const pace = (at: number): number => {
    if (at >= swingUntil) {
      swing = random.pick([0.5, 0.75, 0.9, 1, 1.2, 1.5]);
      swingUntil = at + 0.3 + random.exponential();
    }
    const behind = (rate * at - publisher.total) / (showRate * 3);
    return (showRate / MESSAGES_PER_ORDER) * mood.activity * swing * clamp(1 + behind, 0.4, 2.5);
  };

  const act = (at: number): void => {
    if (at >= mood.until) {
      mood = nextMood(mood.until);
      agents.turn(mood);
    }
    const behind = (TRADE_SHARE * showRate * at - publisher.trades) / (TRADE_SHARE * showRate * 5);
    const share = TAKE_SHARE * mood.taking * (1 + excite) * clamp(1 + behind, 0.3, 3);
    excite *= EXCITE_DECAY;
    if (random.chance(Math.min(0.7, share))) {
      agents.take();
      excite += EXCITE;
    } else agents.quoteTouch();
    for (let deep = deepPerOrder; deep > 0; deep--) if (deep >= 1 || random.chance(deep)) agents.quoteDeep();
  };

  return {
    listing,
    engine,
    queue: publisher.queue,
    firstId,
    get lastId() {
      return publisher.lastId;
    },
    advance(until) {
      const end = (until - start) / 1e6;
      for (;;) {
        const flushAt = flushes / depthRate;
        if (Math.min(flushAt, orderAt) > end) break;
        if (flushAt <= orderAt) {
          clock = start + Math.floor(flushAt * 1e6);
          publisher.flush(clock);
          flushes++;
        } else {
          clock = start + Math.floor(orderAt * 1e6);
          act(orderAt);
          orderAt += random.exponential() / pace(orderAt);
        }
      }
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
