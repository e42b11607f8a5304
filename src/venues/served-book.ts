/** The book an exchange has pushed, and its best levels as each topic's clients know them: what has to be said to move them on. */
import type { Snapshot } from '../model/rules.js';
import type { ServedMarket } from './venue.js';

export type LevelText = [price: string, size: string];

export interface BookSides {
  bids: LevelText[];
  asks: LevelText[];
}

/** Never changed: a level of another size is another object, so that windows are compared by reference. */
interface Level {
  value: number;
  text: LevelText;
}

/** Best first. */
type Side = Level[];
interface Sides {
  bids: Side;
  asks: Side;
}

/** All levels of a symbol, as pushed so far. */
export interface ServedBook {
  /** no level is known on either side */
  readonly empty: boolean;
  /** a depth event's changes; size zero deletes */
  apply(changes: BookSides): void;
  /** the best `depth` levels of each side as a topic of their own, which says at most one thing in each span of `everyMs` */
  window(depth: number, everyMs?: number): BookWindow;
}

/** The best levels of a book as they were last sent. */
export interface BookWindow {
  /** all levels, best first; at most `limit` where given */
  levels(limit?: number): BookSides;
  /**
   * Takes in the book as it is now, at this exchange time in µs: changed and entered levels, and left ones with size `0`; null
   * where nothing changed, or where something was said in this span already.
   */
  move(at: number): BookSides | null;
}

/** Starts with a snapshot of all levels; `put` writes prices and sizes as the venue does. */
export function createServedBook(snapshot: BookSides, put: (text: string) => string): ServedBook {
  const write = ([price, size]: LevelText): Level => ({ value: Number(price), text: [put(price), put(size)] });
  const book: Sides = { bids: snapshot.bids.map(write), asks: snapshot.asks.map(write) };

  return {
    get empty() {
      return book.bids.length + book.asks.length === 0;
    },
    apply({ bids, asks }) {
      for (const change of bids) place(book.bids, write(change), -1);
      for (const change of asks) place(book.asks, write(change), 1);
    },
    window(depth, everyMs = 0) {
      const spanOf = (at: number): number => (everyMs === 0 ? at : Math.floor(at / (everyMs * 1000)));
      let said = Number.NaN;
      const best = (): Sides => ({ bids: book.bids.slice(0, depth), asks: book.asks.slice(0, depth) });
      let sent = best();
      return {
        levels: (limit = depth) => ({ bids: texts(sent.bids, limit), asks: texts(sent.asks, limit) }),
        move(at) {
          if (everyMs > 0 && spanOf(at) === said) return null;
          const now = best();
          const bids = difference(sent.bids, now.bids, -1);
          const asks = difference(sent.asks, now.asks, 1);
          sent = now;
          if (bids.length + asks.length === 0) return null;
          said = spanOf(at);
          return { bids, asks };
        },
      };
    },
  };
}

const texts = (side: Side, limit: number): LevelText[] => side.slice(0, limit).map(({ text }) => text);

/** Puts a level in its place, or takes it away where its size is zero; `order` is 1 where prices rise. */
function place(side: Side, level: Level, order: 1 | -1): void {
  let low = 0;
  let high = side.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order * (side[middle].value - level.value) < 0) low = middle + 1;
    else high = middle;
  }
  const known = side[low]?.value === level.value ? 1 : 0;
  if (Number(level.text[1]) === 0) side.splice(low, known);
  else side.splice(low, known, level);
}

/** What turns one side of a window into another, best first. */
function difference(before: Side, after: Side, order: 1 | -1): LevelText[] {
  const changes: LevelText[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const old = before[i];
    const now = after[j];
    if (old === now) {
      i++;
      j++;
      continue;
    }
    const step = old === undefined ? 1 : now === undefined ? -1 : order * (old.value - now.value);
    if (step < 0) changes.push([old.text[0], '0']);
    else if (step > 0 || old.text[1] !== now.text[1]) changes.push(now.text);
    if (step <= 0) i++;
    if (step >= 0) j++;
  }
  return changes;
}

/** The symbols of a market with all levels of their books. */
export function booksOf(market: ServedMarket): [symbol: string, book: Snapshot][] {
  return market.instruments().flatMap(({ symbol }): [string, Snapshot][] => {
    const book = market.snapshot(symbol, Number.POSITIVE_INFINITY);
    return book === null ? [] : [[symbol, book]];
  });
}

/** `64010.1` for `64010.10`, `64010` for `64010.00`. */
export function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
