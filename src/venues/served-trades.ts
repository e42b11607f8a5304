/** The trades an exchange has pushed, as far back as it remembers them, for answers over REST. */
import type { ServedEvent } from './venue.js';

export type ServedTrade = Extract<ServedEvent, { kind: 'trade' }>;

/** Of each market: some minutes of a busy one. */
const MOST_REMEMBERED = 20_000;

export interface ServedTrades {
  /** takes in a trade; ids of a market rise by one */
  push(trade: ServedTrade): void;
  /** those of a market with id `first` (as `idOf` has it) or a later one, at most `limit` of them: the first ones, in order */
  from(symbol: string, first: number, limit: number, idOf?: (id: number) => number): ServedTrade[];
  /** those with ids below `before`, at most `limit` of them: the last ones, in order */
  before(symbol: string, before: number, limit: number): ServedTrade[];
}

export function createServedTrades(): ServedTrades {
  const bySymbol = new Map<string, ServedTrade[]>();
  /** index of the first trade with this id or a later one */
  const indexOf = (trades: readonly ServedTrade[], id: number, idOf = (own: number): number => own): number => {
    let low = 0;
    let high = trades.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (idOf(trades[middle].id) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    push(trade) {
      const trades = bySymbol.get(trade.symbol);
      if (trades === undefined) bySymbol.set(trade.symbol, [trade]);
      else if (trades.push(trade) >= 2 * MOST_REMEMBERED) trades.splice(0, MOST_REMEMBERED);
    },
    from(symbol, first, limit, idOf) {
      const trades = bySymbol.get(symbol) ?? [];
      const at = indexOf(trades, first, idOf);
      return trades.slice(at, at + limit);
    },
    before(symbol, before, limit) {
      const trades = bySymbol.get(symbol) ?? [];
      const at = indexOf(trades, before);
      return trades.slice(Math.max(0, at - limit), at);
    },
  };
}
