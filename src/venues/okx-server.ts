/** OKX's own side of its v5 public protocol: the endpoint, requests, linked books, best quotes, trades, REST. */
import { objectIn, objectsAt, wordOf } from './fields.js';
import { describeInstrument, millis, tradeRows } from './okx-rest.js';
import {
  type BookSides,
  type BookWindow,
  booksOf,
  createServedBook,
  type LevelText,
  type ServedBook,
  withoutZeros,
} from './served-book.js';
import { type Writing, written, writtenLevel } from './served-text.js';
import { createServedTrades, type ServedTrades } from './served-trades.js';
import type {
  Reply,
  ServedAnswer,
  ServedClient,
  ServedEvent,
  ServedMarket,
  ServedMessage,
  VenueServer,
} from './venue.js';

export type OkxMarket = 'swap' | 'spot';

const BOOK_LEVELS = 400;
const FEW_LEVELS = 5;
const MOST_REST_LEVELS = 400;

/** Channels with data, and those that are acked and stay silent: the market makes none. */
const CHANNELS: Record<OkxMarket, string[]> = {
  swap: ['books', 'books5', 'bbo-tbt', 'trades', 'tickers', 'mark-price', 'funding-rate', 'open-interest'],
  spot: ['books', 'books5', 'bbo-tbt', 'trades', 'tickers'],
};

/** Subscribed by type of instrument; acked and silent where simulated, and each message is of the instrument it names. */
const LIQUIDATIONS = 'liquidation-orders';

/** Channels of the book, whole or in part. */
const BOOK_CHANNELS = ['books', 'books5', 'bbo-tbt'];

/** Of the documented codes. */
const BAD_REQUEST = '60012';
const BAD_ARGUMENTS = '60013';
const NO_SUCH_CHANNEL = '60018';
const UNKNOWN_OP = '60019';
const BAD_PARAMETER = '51000';
const NO_SUCH_INSTRUMENT = '51001';

/** Of the book that was last pushed in a channel. */
interface Pushed {
  id: number;
  matched: number;
}

interface Listed {
  symbol: string;
  book: ServedBook;
  /** the next update links to its id */
  books: Pushed & { window: BookWindow };
  books5: Pushed & { window: BookWindow };
  touch: Pushed & { levels: BookSides };
}

/** `books:BTC-USDT-SWAP`; the venue's own names are two texts. */
const topicOf = (channel: string, symbol: string): string => `${channel}:${symbol}`;

/** How many orders make a level is not known here; a deleted one has none. */
const rows = (levels: [string, string][]): string[][] =>
  levels.map(([price, size]) => [price, size, '0', size === '0' ? '0' : '1']);

const WRITING: Writing = { price: withoutZeros, size: withoutZeros };

const sides = ({ asks, bids }: BookSides) => ({ asks: rows(asks), bids: rows(bids) });

/** The exchange's side of one running market. */
export function okxServer(kind: OkxMarket, market: ServedMarket): VenueServer {
  const symbols = new Map(
    booksOf(market).map(([symbol, { bids, asks, id, matched }]): [string, Listed] => {
      const book = createServedBook({ bids, asks }, withoutZeros);
      const books = { window: book.window(BOOK_LEVELS), id, matched };
      const books5 = { window: book.window(FEW_LEVELS), id, matched };
      return [symbol, { symbol, book, books, books5, touch: { levels: book.window(1).levels(), id, matched } }];
    }),
  );
  const trades = createServedTrades();
  let connections = 0;

  const message = (channel: string, instId: string, data: object, action?: string): { topic: string; text: string } => {
    const head = { arg: { channel, instId }, ...(action === undefined ? {} : { action }) };
    return { topic: topicOf(channel, instId), text: JSON.stringify({ ...head, data: [data] }) };
  };
  const books = (one: { symbol: string; books: Pushed }, action: string, levels: BookSides, prevSeqId: number) => {
    const { id: seqId, matched } = one.books;
    return message(
      'books',
      one.symbol,
      { ...sides(levels), ts: millis(matched), checksum: 0, prevSeqId, seqId },
      action,
    );
  };
  const books5 = ({ symbol, books5: { window, id, matched } }: Listed) =>
    message('books5', symbol, { ...sides(window.levels()), instId: symbol, ts: millis(matched), seqId: id });
  const touch = ({ symbol, touch: { levels, id, matched } }: Listed) =>
    message('bbo-tbt', symbol, { ...sides(levels), ts: millis(matched), seqId: id });

  /** Channel and market of a topic's name; null where there is no such market. */
  const partsOf = (topic: string): { channel: string; one: Listed } | null => {
    const colon = topic.indexOf(':');
    const one = symbols.get(topic.slice(colon + 1));
    return one === undefined ? null : { channel: topic.slice(0, colon), one };
  };

  /** The book of a topic as last pushed; null for topics without one, or while it is empty. Whole ones that are recorded come whole. */
  const opening = (topic: string): Reply | null => {
    const parts = partsOf(topic);
    if (parts === null || !BOOK_CHANNELS.includes(parts.channel)) return null;
    const { channel, one } = parts;
    const recorded = market.recorded?.(topic);
    if (recorded === null) return null;
    if (recorded !== undefined) {
      const { matched, last: id } = recorded;
      return books({ symbol: one.symbol, books: { id, matched } }, 'snapshot', written(WRITING, recorded), -1);
    }
    if (one.book.empty) return null;
    if (channel === 'books') return books(one, 'snapshot', one.books.window.levels(), -1);
    return channel === 'books5' ? books5(one) : touch(one);
  };

  const symbolsOf = (instType: unknown): string[] =>
    [...symbols.keys()].filter((symbol) => instType === (symbol.endsWith('-SWAP') ? 'SWAP' : 'FUTURES'));

  const receive = (client: ServedClient, text: string): Reply[] => {
    if (text === 'ping') return [{ topic: null, text: 'pong' }];
    const request = objectIn(text);
    const id = typeof request?.id === 'string' ? { id: request.id } : {};
    const answer = (rest: object): Reply => {
      return { topic: null, text: JSON.stringify({ ...id, ...rest, connId: client.connection }) };
    };
    const refuse = (code: string, msg: string): Reply => answer({ event: 'error', code, msg });
    if (request === null) return [refuse(BAD_REQUEST, `Invalid request: ${text}`)];
    const { op: event } = request;
    if (event !== 'subscribe' && event !== 'unsubscribe') return [refuse(UNKNOWN_OP, `Invalid op: ${wordOf(event)}`)];
    const args = objectsAt(request, 'args');
    if (args.length === 0) return [refuse(BAD_ARGUMENTS, 'Invalid args')];
    return args.flatMap((arg) => {
      const { channel, instId, instType } = arg;
      const all = kind === 'swap' && channel === LIQUIDATIONS ? symbolsOf(instType) : [];
      if (all.length > 0) {
        for (const symbol of all)
          event === 'subscribe'
            ? client.topics.add(topicOf(LIQUIDATIONS, symbol))
            : client.topics.delete(topicOf(LIQUIDATIONS, symbol));
        return [answer({ event, arg: { channel, instType } })];
      }
      const one = typeof instId === 'string' ? symbols.get(instId) : undefined;
      if (typeof channel !== 'string' || !CHANNELS[kind].includes(channel) || one === undefined)
        return [refuse(NO_SUCH_CHANNEL, `channel:${wordOf(channel)},instId:${wordOf(instId)} doesn't exist`)];
      const topic = topicOf(channel, one.symbol);
      const ack = answer({ event, arg: { channel, instId } });
      if (event === 'unsubscribe') {
        client.topics.delete(topic);
        return [ack];
      }
      client.topics.add(topic);
      const book = opening(topic);
      return book === null ? [ack] : [ack, book];
    });
  };

  const render = (event: ServedEvent): ServedMessage[] => {
    const one = symbols.get(event.symbol);
    if (one === undefined) return [];
    const { matched } = event;
    switch (event.kind) {
      case 'depth': {
        one.book.apply(event);
        const messages: ServedMessage[] = [];
        const changes = one.books.window.move(event.emitted);
        if (changes !== null) {
          const { id: previous } = one.books;
          Object.assign(one.books, { id: event.last, matched });
          messages.push(books(one, 'update', changes, previous));
        }
        if (one.books5.window.move(event.emitted) !== null) {
          Object.assign(one.books5, { id: event.last, matched });
          messages.push(books5(one));
        }
        return messages;
      }
      case 'touch': {
        const side = (level: LevelText): LevelText[] => [writtenLevel(WRITING, level)];
        one.touch = { levels: { bids: side(event.bid), asks: side(event.ask) }, id: event.id, matched };
        return [touch(one)];
      }
      case 'trade': {
        trades.push(event);
        const { symbol: instId, id, aggressor: side, update: seqId } = event;
        const what = { instId, tradeId: String(id), px: withoutZeros(event.price), sz: withoutZeros(event.size), side };
        // the one mark there is
        const source = event.offBook === undefined ? '0' : '1';
        return [message('trades', instId, { ...what, ts: millis(matched), count: '1', source, seqId })];
      }
    }
  };

  return {
    connect(path) {
      if (path.split('?')[0] !== '/ws/v5/public') return null;
      const connection = (0xa4d30000 + ++connections).toString(16);
      return { topics: new Set(), combined: false, route: '', connection };
    },
    receive,
    render,
    opening,
    bookTopic(topic) {
      const parts = partsOf(topic);
      return parts !== null && BOOK_CHANNELS.includes(parts.channel) ? parts.one.symbol : null;
    },
    wrap: (client, topic, text) => (client.topics.has(topic) ? text : null),
    // clients ping, with a word
    pingEveryMs: Number.POSITIVE_INFINITY,
    // a tape has the trades of the past on it, not in mind
    rest: (path) => rest(path, market, symbols, market.recorded === undefined ? trades : null),
  };
}

// ---- REST

/** Answers a GET; what is wrong with a request is told with status 200. */
function rest(
  path: string,
  market: ServedMarket,
  symbols: ReadonlyMap<string, Listed>,
  trades: ServedTrades | null,
): ServedAnswer {
  const [name, asked] = path.split('?');
  const query = new URLSearchParams(asked ?? '');
  const answer = (data: object[]) => ({ status: 200, body: JSON.stringify({ code: '0', msg: '', data }) });
  const refuse = (code: string, msg: string, status = 200) => ({
    status,
    body: JSON.stringify({ code, msg, data: [] }),
  });
  const instId = query.get('instId');
  const one = instId === null ? undefined : symbols.get(instId);
  switch (name) {
    case '/api/v5/public/time':
      return answer([{ ts: millis(market.now()) }]);
    case '/api/v5/public/instruments': {
      const type = query.get('instType');
      if (type === null || !/^(SPOT|SWAP|FUTURES)$/.test(type))
        return refuse(BAD_PARAMETER, 'Parameter instType error');
      if (instId !== null && one === undefined) return refuse(NO_SUCH_INSTRUMENT, "Instrument ID doesn't exist");
      const listed = market.instruments().filter(({ symbol }) => instId === null || symbol === instId);
      return answer(listed.map(describeInstrument).filter(({ instType }) => instType === type));
    }
    case '/api/v5/market/books': {
      if (one === undefined) return refuse(NO_SUCH_INSTRUMENT, "Instrument ID doesn't exist");
      const levels = Number(query.get('sz') ?? 1);
      if (!Number.isInteger(levels) || levels < 1 || levels > MOST_REST_LEVELS)
        return refuse(BAD_PARAMETER, 'Parameter sz error');
      const { window, id, matched } = one.books;
      const said = answer([{ ...sides(window.levels(levels)), ts: millis(matched), seqId: id }]);
      return one.book.empty ? { ...said, unknown: true } : said;
    }
    case '/api/v5/market/history-trades': {
      if (trades === null) return refuse('404', `no path ${name}`, 404);
      if (one === undefined) return refuse(NO_SUCH_INSTRUMENT, "Instrument ID doesn't exist");
      const rows = tradeRows(one.symbol, query, trades);
      return typeof rows === 'string' ? refuse(BAD_PARAMETER, rows) : answer(rows);
    }
    default:
      return refuse('404', `no path ${name}`, 404);
  }
}
