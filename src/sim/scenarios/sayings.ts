/** What an exchange says of a play, and when: books put together by intervals, trades beside them, whichever comes first. */
import type { Micros } from '../../model/entry.js';
import type { OffBook } from '../../venues/venue.js';
import type { OrderSide } from '../engine.js';
import type { Conflation, Level, Play, Trouble } from './scenario.js';

/** From a match until it is told: by either path, so that what the book's intervals add is all there is between them. */
const LATENCY: Micros = 1000;
/** What is told second of an order comes so much later, where the book is first. */
const BEHIND: Micros = 1000;

/** Times in µs since the beginning; `at`: when it is heard. */
export type Said = { at: Micros } & (
  | { kind: 'book'; matched: Micros; bids: readonly Level[]; asks: readonly Level[]; changes: number }
  | {
      kind: 'order';
      matched: Micros;
      side: OrderSide;
      fills: readonly Level[];
      offBook?: OffBook;
      /** changes of the book up to the one that shows it */
      change: number;
    }
  | { kind: 'trouble'; what: Trouble }
);

export interface Manner {
  order: 'trades-first' | 'book-first';
  conflation: Conflation;
}

/** Everything that is said, in the order in which it is heard. */
export function sayings(play: Play, { order, conflation }: Manner): Said[] {
  const books = booksOf(play, conflation);
  const bookFirst = order === 'book-first';
  const trades: Said[] = [];
  let change = 0;
  let changedAt: Micros = Number.NaN;
  let last: Micros = 0;
  const changes = new Set(play.steps.filter(({ kind }) => kind === 'book').map(({ at }) => at));
  for (const step of play.steps) {
    if (step.kind === 'book') {
      if (step.at !== changedAt) change++;
      changedAt = step.at;
    } else if (step.kind === 'order') {
      const { at, kind, side, fills, offBook } = step;
      // an order that the book does not show waits for nothing, but trades do not overtake each other
      const heard = Math.max(last, bookFirst && changes.has(at) ? shownAt(books, at) + BEHIND : at + LATENCY);
      last = heard;
      const marked = offBook === undefined ? {} : { offBook };
      // the change an order makes is written down behind it, at the same time
      trades.push({ at: heard, kind, matched: at, side, fills, ...marked, change: change + 1 });
    }
  }
  const troubles = play.steps
    .filter((step) => step.kind === 'trouble')
    .map(({ at, what }): Said => ({ at: at + LATENCY, kind: 'trouble', what }));
  const first = bookFirst ? books : trades;
  const second = bookFirst ? trades : books;
  // stable: of what is heard at one time, troubles are before what they befall
  return [...troubles, ...first, ...second].sort((a, b) => a.at - b.at);
}

/** Book messages: all changes of one time, or of one interval. */
function booksOf(play: Play, conflation: Conflation): Extract<Said, { kind: 'book' }>[] {
  const every = conflation * 1000;
  const endOf = (at: Micros): Micros => (every === 0 ? at : Math.ceil(at / every) * every);
  const books: Extract<Said, { kind: 'book' }>[] = [];
  let bids = new Map<number, number>();
  let asks = new Map<number, number>();
  let changes = 0;
  let matched: Micros = Number.NaN;
  const flush = (): void => {
    if (changes === 0) return;
    const at = endOf(matched) + LATENCY;
    books.push({ at, kind: 'book', matched, bids: sorted(bids, -1), asks: sorted(asks, 1), changes });
    bids = new Map();
    asks = new Map();
    changes = 0;
  };
  for (const step of play.steps) {
    if (step.kind !== 'book') continue;
    if (endOf(step.at) !== endOf(matched)) flush();
    if (step.at !== matched || changes === 0) changes++;
    matched = step.at;
    for (const [price, size] of step.bids) bids.set(price, size);
    for (const [price, size] of step.asks) asks.set(price, size);
  }
  flush();
  return books;
}

const sorted = (side: ReadonlyMap<number, number>, order: 1 | -1): Level[] =>
  [...side].sort((a, b) => order * (a[0] - b[0]));

/** When the book is heard that shows what changed at `at`. */
function shownAt(books: readonly Extract<Said, { kind: 'book' }>[], at: Micros): Micros {
  let low = 0;
  let high = books.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (books[middle].matched < at) low = middle + 1;
    else high = middle;
  }
  return books[low].at;
}
