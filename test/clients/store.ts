/** The npm package orderbooks, which `binance` and `bybit-api` leave the book to. */
import { OrderBookLevel, type OrderBookLevelState, OrderBooksStore } from 'orderbooks';
import type { Level } from './reader.js';
import { best, type Sides } from './serve.js';

export interface StoredBook {
  replace(levels: Sides): void;
  change(levels: Sides): void;
  /** best first, as far as it is compared */
  best(): Sides;
}

/** Deep enough never to be trimmed: what was trimmed does not come back when levels before it go. */
const DEPTH = 1_000_000;

export function createStoredBook(symbol: string): StoredBook {
  const store = new OrderBooksStore({ maxDepth: DEPTH });
  const levels = ({ bids, asks }: Sides): OrderBookLevelState[] => [
    ...bids.map(([price, size]) => OrderBookLevel(symbol, price, 'Buy', size)),
    ...asks.map(([price, size]) => OrderBookLevel(symbol, price, 'Sell', size)),
  ];
  return {
    replace: (sides) => void store.handleSnapshot(symbol, levels(sides)),
    change(sides) {
      const changed = levels(sides);
      store.handleDelta(
        symbol,
        changed.filter(([, , , size]) => size === 0),
        changed.filter(([, , , size]) => size > 0),
        [],
      );
    },
    best() {
      // one array from the highest ask to the lowest bid
      const { book } = store.getBook(symbol);
      const side = (name: 'Buy' | 'Sell'): Level[] =>
        book.filter(([, , one]) => one === name).map(([, price, , size]) => [price, size]);
      return best({ bids: side('Buy'), asks: side('Sell').reverse() });
    },
  };
}
