/** Bybit's own side of its v5 public protocol: endpoints, requests, books with a chain of ids per topic, trades, REST. */
import type { Snapshot } from '../model/rules.js';
import { type BookState, type BybitCategory, bybitRest, type KnownBook, REST_DEPTH } from './bybit-rest.js';
import { objectIn } from './fields.js';
import {
  type BookSides,
  type BookWindow,
  booksOf,
  createServedBook,
  type ServedBook,
  withoutZeros,
} from './served-book.js';
import { millis, uuidOf, type Writing, written } from './served-text.js';
import type { Reply, ServedClient, ServedEvent, ServedMarket, ServedMessage, VenueServer } from './venue.js';

export type { BybitCategory };

/** Books of these depths begin with a snapshot and go on with deltas; one level is a book of whole messages. */
const DEPTHS = [50, 200, 1000];
/** One level without a change is pushed again after this long, under the same id. */
const REPEAT_MICROS = 3_000_000;
/** Where the ids of topics start: apart, so that a reader that mixes depths is found out, and not 1, which says "restarted". */
const FIRST_UPDATE_ID = 53_000_000;
const SPOT_ARGS = 10;

interface Listed {
  symbol: string;
  book: ServedBook;
  /** of the newest event of the book */
  emitted: number;
  windows: Map<number, { window: BookWindow; state: BookState }>;
  top: { levels: BookSides; state: BookState; emitted: number };
  /** of the newest trade */
  price: number;
  direction: 'PlusTick' | 'MinusTick';
}

/** The exchange's side of one category of a running market. */
export function bybitServer(category: BybitCategory, market: ServedMarket): VenueServer {
  const spot = category === 'spot';
  // futures keep the decimals of tick and lot
  const put = spot ? withoutZeros : (text: string): string => text;
  const writing: Writing = { price: put, size: put };
  const symbols = new Map(booksOf(market).map(([symbol, book]) => [symbol, list(symbol, book, put)]));
  let connections = 0;

  const bookText = (
    symbol: string,
    depth: number,
    type: string,
    micros: number,
    state: BookState,
    levels: BookSides,
  ) => {
    const ts = `"ts":${millis(micros)}`;
    const kind = `"type":"${type}"`;
    const head = spot || depth === 1 ? `${ts},${kind}` : `${kind},${ts}`;
    const sides = `"b":${JSON.stringify(levels.bids)},"a":${JSON.stringify(levels.asks)}`;
    const topic = `orderbook.${depth}.${symbol}`;
    const data = `{"s":"${symbol}",${sides},"u":${state.update},"seq":${state.sequence}}`;
    return { topic, text: `{"topic":"${topic}",${head},"data":${data},"cts":${millis(state.matched)}}` };
  };

  /** The book of a topic between two of its messages, by whomever they are made; null while there is none, and for topics without one. */
  const bookOf = (topic: string): KnownBook | null => {
    const [stream, depth, symbol] = topic.split('.');
    const one = stream === 'orderbook' ? symbols.get(symbol) : undefined;
    if (one === undefined) return null;
    const recorded = market.recorded?.(topic);
    if (recorded === null) return null;
    if (recorded !== undefined) {
      const { emitted, matched, first, last: update } = recorded;
      // a checkpoint of a book that has not moved yet has no sequence
      return {
        state: { update, sequence: Math.max(first, 0), matched },
        emitted,
        ...written(writing, recorded),
      };
    }
    if (one.book.empty) return null;
    // a recording's own clock is that of its messages
    const emitted = market.recorded === undefined ? market.now() : one.emitted;
    const deep = one.windows.get(Number(depth));
    return deep === undefined
      ? { emitted, state: one.top.state, ...one.top.levels }
      : { emitted, state: deep.state, ...deep.window.levels() };
  };

  /** As last pushed; the next delta has the next id. */
  const opening = (topic: string): Reply | null => {
    const book = bookOf(topic);
    if (book === null) return null;
    const [, depth, symbol] = topic.split('.');
    return bookText(symbol, Number(depth), 'snapshot', book.emitted, book.state, book);
  };

  const isTopic = (topic: string): boolean => {
    const end = topic.lastIndexOf('.');
    return streamsOf(category).includes(topic.slice(0, end)) && symbols.has(topic.slice(end + 1));
  };

  const receive = (client: ServedClient, text: string): Reply[] => {
    const { op, args, req_id } = objectIn(text) ?? {};
    const answer = (success: boolean, ret_msg: string): Reply => {
      const echo = req_id === undefined ? {} : { req_id };
      return {
        topic: null,
        text: JSON.stringify({ success, ret_msg, conn_id: client.connection, ...echo, op: op ?? '' }),
      };
    };
    if (op === 'ping') return [answer(true, 'pong')];
    if (op !== 'subscribe' && op !== 'unsubscribe') return [answer(false, 'error:unknown op')];
    if (!Array.isArray(args) || !args.every((topic): topic is string => typeof topic === 'string') || args.length === 0)
      return [answer(false, 'error:args must be a list of topics')];
    if (spot && args.length > SPOT_ARGS) return [answer(false, `args size >${SPOT_ARGS}`)];
    // One bad topic fails the request. Whether the others take effect is not documented; here they do not.
    const unknown = args.find((topic) => !isTopic(topic));
    if (unknown !== undefined) return [answer(false, `error:handler not found,topic:${unknown}`)];
    for (const topic of args) op === 'subscribe' ? client.topics.add(topic) : client.topics.delete(topic);
    const ack = answer(true, spot ? op : '');
    if (op === 'unsubscribe') return [ack];
    return [ack, ...args.map(opening).filter((reply) => reply !== null)];
  };

  /** A quiet touch is pushed again, as it was. */
  const repeated = (one: Listed, now: number): ServedMessage[] => {
    if (now - one.top.emitted < REPEAT_MICROS) return [];
    one.top.emitted = now;
    return [bookText(one.symbol, 1, 'snapshot', now, one.top.state, one.top.levels)];
  };

  const render = (event: ServedEvent): ServedMessage[] => {
    const one = symbols.get(event.symbol);
    if (one === undefined) return [];
    const { emitted, matched } = event;
    switch (event.kind) {
      case 'depth': {
        one.book.apply(event);
        one.emitted = emitted;
        const messages = repeated(one, emitted);
        for (const [depth, topic] of one.windows) {
          const changes = topic.window.move(emitted);
          if (changes === null) continue;
          topic.state = { update: topic.state.update + 1, sequence: event.last, matched };
          messages.push(bookText(one.symbol, depth, 'delta', emitted, topic.state, changes));
        }
        return messages;
      }
      case 'touch': {
        const state = { update: one.top.state.update + 1, sequence: event.id, matched };
        const side = ([price, size]: [string, string]): [string, string][] => [[put(price), put(size)]];
        one.top = { levels: { bids: side(event.bid), asks: side(event.ask) }, state, emitted };
        return [bookText(one.symbol, 1, 'snapshot', emitted, state, one.top.levels)];
      }
      case 'trade': {
        const { symbol, id, update } = event;
        const S = event.aggressor === 'buy' ? 'Buy' : 'Sell';
        const what = { T: millis(matched), s: symbol, S, v: put(event.size), p: put(event.price) };
        const named = spot ? { i: String(id) } : { L: tickDirection(one, Number(event.price)), i: uuidOf(symbol, id) };
        const marks = {
          BT: event.offBook !== undefined && event.offBook !== 'retail',
          RPI: event.offBook === 'retail',
        };
        const data = [{ ...what, ...named, ...marks, seq: update }];
        const topic = `publicTrade.${symbol}`;
        return [{ topic, text: JSON.stringify({ topic, type: 'snapshot', ts: millis(emitted), data }) }];
      }
    }
  };

  return {
    connect(path) {
      if (path.split('?')[0] !== `/v5/public/${category}`) return null;
      return { topics: new Set(), combined: false, route: '', connection: uuidOf('connection', ++connections) };
    },
    receive,
    render,
    opening,
    bookTopic(topic) {
      const [stream, depth, symbol] = topic.split('.');
      const isBook = stream === 'orderbook' && [1, ...DEPTHS].includes(Number(depth));
      return isBook && symbols.has(symbol) ? symbol : null;
    },
    wrap: (client, topic, text) => (client.topics.has(topic) ? text : null),
    // clients ping, in JSON
    pingEveryMs: Number.POSITIVE_INFINITY,
    rest: (path) =>
      bybitRest(category, path, market, (symbol) => {
        // its ids are those of the 1000-level topic
        return symbols.has(symbol) ? bookOf(`orderbook.${REST_DEPTH}.${symbol}`) : undefined;
      }),
  };
}

function list(symbol: string, snapshot: Snapshot, put: (text: string) => string): Listed {
  const book = createServedBook(snapshot, put);
  const { id: sequence, matched, emitted } = snapshot;
  const state = (depth: number): BookState => ({ update: FIRST_UPDATE_ID + depth * 1000, sequence, matched });
  const windows = new Map(DEPTHS.map((depth) => [depth, { window: book.window(depth), state: state(depth) }]));
  const top = { levels: book.window(1).levels(), state: state(1), emitted };
  return { symbol, book, emitted, windows, top, price: 0, direction: 'PlusTick' };
}

/** Tickers and liquidations are acked and stay silent: the market makes none. */
function streamsOf(category: BybitCategory): string[] {
  const books = [1, ...DEPTHS].map((depth) => `orderbook.${depth}`);
  return [...books, 'publicTrade', 'tickers', ...(category === 'spot' ? [] : ['allLiquidation'])];
}

/** Against the trade before; at the same price the last move counts on. */
function tickDirection(one: Listed, price: number): string {
  const moved = price !== one.price;
  if (moved) one.direction = price > one.price ? 'PlusTick' : 'MinusTick';
  one.price = price;
  return moved ? one.direction : `Zero${one.direction}`;
}
