/** Turns what the matching engine did into the public stream of one symbol: trades, touches, conflated depth. */
import type { MatchingEngine, OrderSide } from './engine.js';
import type { Random } from './prng.js';

/** Prices in ticks, sizes in lots, times in µs. Depth levels are `price, size` pairs, best first. */
export type Publication =
  | {
      kind: 'trade';
      emitted: number;
      matched: number;
      id: number;
      price: number;
      size: number;
      aggressor: OrderSide;
      /** id of the first book that shows it */
      update: number;
    }
  | { kind: 'touch'; emitted: number; matched: number; id: number; bid: [number, number]; ask: [number, number] }
  | {
      kind: 'depth';
      emitted: number;
      matched: number;
      first: number;
      last: number;
      previous: number;
      bids: [number, number][];
      asks: [number, number][];
    };

/** How ids grow: `own` counts this symbol's changes only, `shared` leaves holes for the symbols next door. */
export type IdSpace = 'own' | 'shared';

export interface Publisher {
  /** waiting to be emitted; each kind in order of `emitted` */
  readonly queue: Publication[];
  /** id of the newest change of the book */
  readonly lastId: number;
  /** publications made since the start: trades, and all */
  readonly trades: number;
  readonly total: number;
  /** tells what the engine's last command did; `aggressor` is the side of the command */
  report(now: number, aggressor: OrderSide): void;
  /** the touch as it stands, whether it changed or not */
  quote(now: number): void;
  /** ends a depth interval: one event with every level changed in it, or none */
  flush(now: number): void;
}

/** Delay between match and emission, µs: about 1 ms, 1 % beyond 10 ms. Streams are delayed apart, as pipelines are. */
function latency(random: Random): number {
  return Math.round(300 + 800 * random.exponential() + (random.chance(0.01) ? 8000 * random.exponential() : 0));
}

export function createPublisher(
  engine: MatchingEngine,
  random: Random,
  ids: IdSpace,
  firstUpdate: number,
  firstTrade: number,
): Publisher {
  const queue: Publication[] = [];
  const pending = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  const emittedLast = { trade: 0, touch: 0, depth: 0 };
  let lastId = firstUpdate;
  let pendingFirst = 0;
  let pendingMatched = 0;
  let previous = firstUpdate;
  let tradeId = firstTrade;
  let trades = 0;
  let total = 0;
  let shown = { bid: 0, bidSize: 0, ask: 0, askSize: 0 };

  const emit = (kind: 'trade' | 'touch' | 'depth', now: number): number => {
    const at = Math.max(emittedLast[kind], now + latency(random));
    emittedLast[kind] = at;
    return at;
  };

  const nextId = (): number => {
    lastId += ids === 'own' || random.chance(0.3) ? 1 : 1 + random.below(12);
    return lastId;
  };

  const quote = (now: number): void => {
    const bid = engine.bids.best;
    const ask = engine.asks.best;
    if (bid === undefined || ask === undefined) return;
    shown = { bid: bid.price, bidSize: bid.size, ask: ask.price, askSize: ask.size };
    total++;
    queue.push({
      kind: 'touch',
      emitted: emit('touch', now),
      matched: now,
      id: lastId,
      bid: [bid.price, bid.size],
      ask: [ask.price, ask.size],
    });
  };

  /** The command's fills as trades; the book that shows them gets its id after them. */
  const printFills = (now: number, aggressor: OrderSide): { update: number }[] => {
    const emitted = emit('trade', now);
    return engine.fills.map(({ price, size }) => {
      trades++;
      total++;
      const id = ++tradeId;
      const trade: Publication = { kind: 'trade', emitted, matched: now, id, price, size, aggressor, update: lastId };
      queue.push(trade);
      return trade;
    });
  };

  return {
    queue,
    get lastId() {
      return lastId;
    },
    get trades() {
      return trades;
    },
    get total() {
      return total;
    },

    quote,

    report(now, aggressor) {
      const fills = engine.fills.length > 0 ? printFills(now, aggressor) : [];
      if (engine.changes.length === 0) return;
      for (const change of engine.changes) {
        const id = nextId();
        if (pendingFirst === 0) pendingFirst = id;
        (change.side === 1 ? pending.bids : pending.asks).set(change.price, change.size);
      }
      for (const trade of fills) trade.update = lastId;
      pendingMatched = now;
      const bid = engine.bids.best;
      const ask = engine.asks.best;
      if (
        bid?.price !== shown.bid ||
        bid.size !== shown.bidSize ||
        ask?.price !== shown.ask ||
        ask.size !== shown.askSize
      )
        quote(now);
    },

    flush(now) {
      if (pendingFirst === 0) return;
      total++;
      queue.push({
        kind: 'depth',
        emitted: emit('depth', now),
        matched: pendingMatched,
        first: pendingFirst,
        last: lastId,
        previous,
        bids: [...pending.bids].sort((a, b) => b[0] - a[0]),
        asks: [...pending.asks].sort((a, b) => a[0] - b[0]),
      });
      pending.bids.clear();
      pending.asks.clear();
      previous = lastId;
      pendingFirst = 0;
    },
  };
}
