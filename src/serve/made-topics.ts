/** Topics that a tape does not have, made of the book it has: the venue's server is told how that book moves. */
import type { Micros } from '../model/entry.js';
import type { BookSides, LevelText } from '../venues/served-book.js';
import type { ServedEvent, ServedMessage, VenueServer } from '../venues/venue.js';
import type { BookStream, RecordedMarket, Step } from './recorded-market.js';

export interface MadeTopics {
  /** from now on the server has this symbol's book, as far as it is known; false where it had it already */
  need(symbol: string): boolean;
  /** what the step makes of topics that are not on the tape, for a client of these topics */
  follow(step: Step, topics: ReadonlySet<string>): ServedMessage[];
}

/** A book as the server was told it. */
interface Told {
  /** which one it is; another may turn out to be deeper */
  of: BookStream | null;
  bids: Map<string, string>;
  asks: Map<string, string>;
  last: number;
  touch: string;
}

const NONE: ServedMessage[] = [];

export function createMadeTopics(market: RecordedMarket, server: VenueServer): MadeTopics {
  const told = new Map<string, Told>();

  /** The depth event that brings the server's book to where the stream's is. */
  const tell = (one: Told, stream: BookStream, changes: BookSides, now: Micros): ServedMessage[] => {
    note(one, changes);
    one.of = stream;
    const { symbol, emitted, matched } = stream;
    const times = { symbol, emitted: emitted || now, matched: matched || emitted || now };
    const last = stream.last;
    // ids may begin anew: the chain of what is made goes on from what was said
    const depth: ServedEvent = { kind: 'depth', ...times, first: one.last + 1, last, previous: one.last, ...changes };
    one.last = last;
    const messages = server.render(depth);
    const { bids, asks } = market.sides(stream, 1);
    if (bids.length === 0 || asks.length === 0) return messages;
    const touch = `${bids[0]} ${asks[0]}`;
    if (touch === one.touch) return messages;
    one.touch = touch;
    return [...messages, ...server.render({ kind: 'touch', ...times, id: last, bid: bids[0], ask: asks[0] })];
  };

  const isMade = (topic: string, symbol: string): boolean =>
    server.bookTopic(topic) === symbol && market.recorded(topic) === undefined;

  return {
    need(symbol) {
      if (told.has(symbol)) return false;
      const one: Told = { of: null, bids: new Map(), asks: new Map(), last: 0, touch: '' };
      told.set(symbol, one);
      const stream = market.main(symbol);
      if (stream?.track.state === 'valid') tell(one, stream, market.sides(stream), market.now());
      return true;
    },
    follow({ t, symbol, book }, topics) {
      const one = told.get(symbol);
      if (book === null || one === undefined || book.stream !== market.main(symbol)) return NONE;
      const { stream } = book;
      const wasEmpty = one.bids.size + one.asks.size === 0;
      const anew = wasEmpty || stream.last < one.last;
      const isWhole = book.known || one.of !== stream;
      const changes = isWhole ? difference(one, market.sides(stream), market.nothing(symbol)) : book.changes();
      const messages = tell(one, stream, changes, t).filter(({ topic }) => topics.has(topic) && isMade(topic, symbol));
      if (!anew) return messages;
      // nobody has the book that these messages go on from: it opens the topic, or is asked for over REST
      const opened: ServedMessage[] = [];
      for (const topic of topics) {
        const opening = isMade(topic, symbol) ? (server.opening?.(topic) ?? null) : null;
        if (opening !== null) opened.push({ topic, text: opening.text });
      }
      return opened;
    },
  };
}

function note(one: Told, { bids, asks }: BookSides): void {
  for (const [side, levels] of [
    [one.bids, bids],
    [one.asks, asks],
  ] as const)
    for (const [price, size] of levels) Number(size) === 0 ? side.delete(price) : side.set(price, size);
}

/** What turns the book that was told into another; levels that are gone have the size `nothing`. */
function difference(one: Told, now: BookSides, nothing: string): BookSides {
  const side = (before: ReadonlyMap<string, string>, levels: readonly LevelText[]): LevelText[] => {
    const there = new Set(levels.map(([price]) => price));
    const gone = [...before.keys()].filter((price) => !there.has(price));
    const changed = levels.filter(([price, size]) => before.get(price) !== size);
    return [...changed, ...gone.map((price): LevelText => [price, nothing])];
  };
  return { bids: side(one.bids, now.bids), asks: side(one.asks, now.asks) };
}
