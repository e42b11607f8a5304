/** BingX's own side of its swap protocol: one topic a request, packed messages, books whose ids skip, trades without ids, REST. */
import { gzipSync } from 'node:zlib';
import { decimalsOf } from '../model/decimal.js';
import type { Instrument } from '../model/instrument.js';
import type { Snapshot } from '../model/rules.js';
import { createDay, type Day } from './bingx-day.js';
import { bingxRest, type KnownBook } from './bingx-rest.js';
import { objectIn } from './fields.js';
import { type BookSides, type BookWindow, createServedBook, type ServedBook } from './served-book.js';
import { millis, type Writing, withDecimals, written, writtenLevel } from './served-text.js';
import type { Reply, ServedClient, ServedEvent, ServedMarket, ServedMessage, VenueServer } from './venue.js';

const BOOK_LEVELS = 1024;
const TOP_LEVELS = [5, 10, 20, 50, 100];
const MOST_TOP_LEVELS = 100;

/** Two symbols are pushed more often, whatever interval stands in a topic; tops of topics without one never are. */
const OFTEN = ['BTC-USDT', 'ETH-USDT'];
const BOOK_EVERY_MS = { often: 200, seldom: 800 };
const TOP_EVERY_MS = { often: 200, seldom: 500, plain: 500 };
const TOUCH_EVERY_MS = 200;
const TOP_STREAM = /^depth(5|10|20|50|100)(@(100|200|500|1000)ms)?$/;
const TOP_INTERVALS = ['@100ms', '@200ms', '@500ms', '@1000ms'];

/** Streams without a book. Candles are acked and stay silent: the market makes none. */
const OTHER_STREAM = /^(trade|bookTicker|lastPrice|markPrice|ticker|kline_([135]m|15m|30m|[12468]h|12h|[13]d|1w|1M))$/;

const TOPICS_PER_CONNECTION = 200;
const PING_EVERY_MS = 5_000;
/** Six pings unanswered. */
const QUIET_MS = 30_500;

/** Where the ids of books start: far from those of touches, which have nothing to do with them. */
const FIRST_UPDATE_ID = 412_900_000;
/** One in so many ids of updates is followed by a skip. */
const SKIP_EVERY = 20;

const INVALID_PARAMS = 80014;
const NO_SUCH_TOPIC = 80015;
const TOO_MANY_TOPICS = 80403;

/** Views of a book's top that are pushed together, whole, changed or not. */
interface Tops {
  intervals: string[];
  everyMs: number;
  /** the last span in which they were */
  said: number;
}

interface Listed extends Writing {
  symbol: string;
  book: ServedBook;
  /** `next` is the id of the update to come */
  deep: { window: BookWindow; next: number; emitted: number };
  top: { window: BookWindow; emitted: number; views: Tops[] };
  /** the last span in which a touch was pushed */
  touched: number;
  day: Day;
}

const spanOf = (micros: number, everyMs: number): number => Math.floor(micros / (everyMs * 1000));
const best = ({ bids, asks }: BookSides, levels: number): BookSides => {
  return { bids: bids.slice(0, levels), asks: asks.slice(0, levels) };
};
const isEmpty = ({ bids, asks }: BookSides): boolean => bids.length + asks.length === 0;

/** The exchange's side of one running market. */
export function bingxServer(market: ServedMarket): VenueServer {
  const symbols = new Map(
    market.instruments().flatMap((instrument): [string, Listed][] => {
      const snapshot = market.snapshot(instrument.symbol, Number.POSITIVE_INFINITY);
      return snapshot === null ? [] : [[instrument.symbol, list(instrument, snapshot)]];
    }),
  );

  /** The symbol and the stream of a topic; null where there is no such topic. */
  const read = (topic: string): { one: Listed; stream: string } | null => {
    const at = topic.indexOf('@');
    const one = symbols.get(topic.slice(0, at));
    const stream = topic.slice(at + 1);
    return one !== undefined && (levelsOf(stream) > 0 || OTHER_STREAM.test(stream)) ? { one, stream } : null;
  };

  /** The book of a topic as its clients know it, by whomever its messages are made; null while there is none. */
  const bookOf = (topic: string): KnownBook | null => {
    const { one, stream } = read(topic) ?? {};
    const levels = levelsOf(stream ?? '');
    if (one === undefined || levels === 0) return null;
    const recorded = market.recorded?.(topic);
    if (recorded === null) return null;
    if (recorded !== undefined) {
      const { last: id, emitted } = recorded;
      return { ...written(one, best(recorded, levels)), id, emitted };
    }
    const { window, emitted } = levels === BOOK_LEVELS ? one.deep : one.top;
    const book = window.levels(levels);
    // the first update after a snapshot has the next id, always: what is skipped before it is skipped here
    return isEmpty(book) ? null : { ...written(one, book), id: one.deep.next - 1, emitted };
  };

  const opening = (topic: string): Reply | null => {
    const book = bookOf(topic);
    if (book === null) return null;
    return { topic, text: topic.endsWith('@incrDepth') ? bookText(topic, 'all', book) : topText(topic, topBody(book)) };
  };

  const receive = (client: ServedClient, text: string): Reply[] => {
    const request = objectIn(text);
    // `Pong`, other words, and a list of topics: nothing is said to them
    if (request === null || Array.isArray(request.dataType)) return [];
    const { id: given = '', reqType, dataType } = request;
    const id = typeof given === 'string' ? given : '';
    const answer = (code: number, msg: string): Reply => {
      return { topic: null, text: JSON.stringify({ id, code, msg, dataType: '', data: null }) };
    };
    // whether an id may be a number is not known
    if ((reqType !== 'sub' && reqType !== 'unsub') || typeof dataType !== 'string' || id !== given)
      return [answer(INVALID_PARAMS, 'invalid params')];
    if (read(dataType) === null) return [answer(NO_SUCH_TOPIC, 'dataType not support')];
    const ack = answer(0, '');
    if (reqType === 'unsub') {
      client.topics.delete(dataType);
      return [ack];
    }
    // Whether a second subscription brings the book again is not known; here it does not, so that nobody relies on it.
    if (client.topics.has(dataType)) return [ack];
    if (client.topics.size >= TOPICS_PER_CONNECTION)
      return [answer(TOO_MANY_TOPICS, `your topic num over max ${TOPICS_PER_CONNECTION}`)];
    client.topics.add(dataType);
    const first = opening(dataType);
    return first === null ? [ack] : [ack, first];
  };

  const render = (event: ServedEvent): ServedMessage[] => {
    const one = symbols.get(event.symbol);
    if (one === undefined) return [];
    const { symbol: s, emitted, matched } = event;
    const message = (stream: string, data: object) => {
      const topic = `${s}@${stream}`;
      return { topic, text: JSON.stringify({ code: 0, dataType: topic, data }) };
    };
    switch (event.kind) {
      case 'depth':
        one.book.apply(event);
        return [...renderBook(one, emitted, event.last), ...renderTops(one, emitted)];
      case 'trade': {
        const [p, q] = [one.price(event.price), one.size(event.size)];
        one.day.trade(p, q, matched);
        return [
          message('trade', [{ q, p, T: millis(matched), m: event.aggressor === 'sell', s }]),
          message('lastPrice', { e: 'lastPriceUpdate', E: millis(emitted), s, c: p }),
        ];
      }
      case 'touch': {
        const E = millis(emitted);
        const said = one.day
          .touch(event.bid, event.ask, emitted)
          .map(({ stream, event: e, data }) => message(stream, { e, E, s, ...data }));
        const span = spanOf(emitted, TOUCH_EVERY_MS);
        if (span === one.touched) return said;
        one.touched = span;
        const [[b, B], [a, A]] = [event.bid, event.ask].map((level) => writtenLevel(one, level));
        const touch = { e: 'bookTicker', u: event.id, E, T: millis(matched), s, b, B, a, A };
        return [message('bookTicker', touch), ...said];
      }
    }
  };

  return {
    connect(path) {
      if (path.split('?')[0] !== '/swap-market') return null;
      return { topics: new Set(), combined: false, route: '' };
    },
    receive,
    render,
    wrap: (client, topic, text) => (client.topics.has(topic) ? text : null),
    opening,
    bookTopic(topic) {
      const { one, stream = '' } = read(topic) ?? {};
      return one !== undefined && (levelsOf(stream) > 0 || stream === 'bookTicker') ? one.symbol : null;
    },
    // those of WebSocket were never seen
    pingEveryMs: Number.POSITIVE_INFINITY,
    beat: { everyMs: PING_EVERY_MS, text: () => 'Ping' },
    quietMs: QUIET_MS,
    pack: (text) => gzipSync(text, { level: 1 }),
    rest: (path) =>
      bingxRest(path, market, (symbol) => (symbols.has(symbol) ? bookOf(`${symbol}@incrDepth`) : undefined)),
  };
}

function list({ symbol, tick, lot }: Instrument, snapshot: Snapshot): Listed {
  const [prices, sizes] = [tick, lot].map(decimalsOf);
  const { emitted } = snapshot;
  const book = createServedBook(snapshot, (text) => text);
  const pace = OFTEN.includes(symbol) ? 'often' : 'seldom';
  return {
    symbol,
    price: (text) => withDecimals(text, prices),
    size: (text) => withDecimals(text, sizes),
    book,
    deep: { window: book.window(BOOK_LEVELS, BOOK_EVERY_MS[pace]), next: FIRST_UPDATE_ID + 1, emitted },
    top: {
      window: book.window(MOST_TOP_LEVELS),
      emitted,
      views: [
        { intervals: TOP_INTERVALS, everyMs: TOP_EVERY_MS[pace], said: Number.NaN },
        { intervals: [''], everyMs: TOP_EVERY_MS.plain, said: Number.NaN },
      ],
    },
    touched: Number.NaN,
    day: createDay(prices, sizes),
  };
}

function renderBook(one: Listed, emitted: number, update: number): ServedMessage[] {
  const { deep } = one;
  // nobody was told of an empty book, so what is said after it is whole
  const fresh = isEmpty(deep.window.levels(1));
  const changes = deep.window.move(emitted);
  if (changes === null) return [];
  const id = deep.next;
  deep.next += stepAfter(update);
  deep.emitted = emitted;
  const { bids, asks } = written(one, changes);
  const topic = `${one.symbol}@incrDepth`;
  return [{ topic, text: bookText(topic, fresh ? 'all' : 'update', { bids, asks, id, emitted }) }];
}

/** Ids go on by one, and now and then by 2 to 9: those between never come, and nothing of the book is missing. */
function stepAfter(update: number): number {
  return update % SKIP_EVERY === 0 ? 2 + ((update / SKIP_EVERY) % 8) : 1;
}

function renderTops(one: Listed, emitted: number): ServedMessage[] {
  const { top } = one;
  const due = top.views.filter(({ everyMs, said }) => spanOf(emitted, everyMs) !== said);
  if (due.length === 0) return [];
  top.window.move(emitted);
  top.emitted = emitted;
  const book = written(one, top.window.levels());
  if (isEmpty(book)) return [];
  for (const view of due) view.said = spanOf(emitted, view.everyMs);
  const intervals = due.flatMap((view) => view.intervals);
  return TOP_LEVELS.flatMap((levels) => {
    const body = topBody({ ...best(book, levels), emitted });
    return intervals.map((interval) => {
      const topic = `${one.symbol}@depth${levels}${interval}`;
      return { topic, text: topText(topic, body) };
    });
  });
}

/** Levels a side of the book a stream is of; 0 where it is of none. */
function levelsOf(stream: string): number {
  return stream === 'incrDepth' ? BOOK_LEVELS : Number(TOP_STREAM.exec(stream)?.[1] ?? 0);
}

/** Asks of a whole book come best first, those of an update worst first. */
function bookText(dataType: string, action: 'all' | 'update', { id, emitted, bids, asks }: KnownBook): string {
  const levels = { bids, asks: action === 'all' ? asks : asks.toReversed() };
  return JSON.stringify({ code: 0, dataType, data: { action, lastUpdateId: id, time: millis(emitted), ...levels } });
}

function topText(topic: string, body: string): string {
  return `{"code":0,"dataType":"${topic}",${body}}`;
}

/** The best ask comes last. */
function topBody({ bids, asks, emitted }: BookSides & { emitted: number }): string {
  return `"ts":${millis(emitted)},"data":${JSON.stringify({ bids, asks: asks.toReversed() })}`;
}
