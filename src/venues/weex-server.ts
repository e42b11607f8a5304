/** WEEX's own side of its v3 public protocol for futures: the endpoint, requests, books linked by id, trades, REST. */
import { decimalsOf } from '../model/decimal.js';
import type { Instrument } from '../model/instrument.js';
import { objectIn } from './fields.js';
import { type BookSides, type BookWindow, createServedBook, type ServedBook } from './served-book.js';
import { millis, productOf, uuidOf, type Writing, withDecimals, written } from './served-text.js';
import type {
  Reply,
  ServedAnswer,
  ServedClient,
  ServedEvent,
  ServedMarket,
  ServedMessage,
  VenueServer,
} from './venue.js';

const DEPTHS = [200, 15];
/** REST has the ids of this one. */
const REST_DEPTH = 200;
/** What changes in so long is one message. */
const SPAN_MS = 500;
const PING_EVERY_MS = 60_000;
/** More than ten unanswered pings end a connection; here whatever a client says counts as an answer. */
const QUIET_MS = 11 * PING_EVERY_MS;
/** The one code that is known of REST. */
const BAD_REQUEST = -1142;

/** What a book message says beside its levels; the next one links to `last`. */
interface Pushed {
  previous: number;
  last: number;
  emitted: number;
}

/** One depth of a symbol: a topic with a chain of its own. */
interface Depth {
  level: number;
  window: BookWindow;
  pushed: Pushed;
}

interface Listed extends Writing {
  symbol: string;
  book: ServedBook;
  depths: Depth[];
}

const topicOf = (symbol: string, level: number): string => `${symbol}@depth${level}`;

/** The exchange's side of one running market. */
export function weexServer(market: ServedMarket): VenueServer {
  const symbols = new Map<string, Listed>();
  for (const instrument of market.instruments()) {
    const one = list(instrument, market);
    if (one !== null) symbols.set(one.symbol, one);
  }
  const topics = new Map(
    [...symbols.values()].flatMap((one) =>
      one.depths.map((depth) => [topicOf(one.symbol, depth.level), { one, depth }] as const),
    ),
  );
  let connections = 0;

  /** The book of a topic between two messages, by whomever they are made; null while there is none. */
  const bookOf = (topic: string): (BookSides & Pushed) | null => {
    const found = topics.get(topic);
    if (found === undefined) return null;
    const { window, pushed } = found.depth;
    const recorded = market.recorded?.(topic);
    if (recorded === undefined) return isEmpty(window) ? null : { ...window.levels(), ...pushed };
    if (recorded === null) return null;
    const { first, last, emitted } = recorded;
    return { ...written(found.one, recorded), previous: first < 0 ? last : first, last, emitted };
  };

  const opening = (topic: string): Reply | null => {
    const found = topics.get(topic);
    const book = bookOf(topic);
    if (found === undefined || book === null) return null;
    return { topic, text: bookText(found.one.symbol, found.depth.level, 'SNAPSHOT', book) };
  };

  /** The topic that is meant, or what is wrong with it. */
  const read = (param: string): { topic: string } | { wrong: string } => {
    const at = param.indexOf('@');
    const [name, stream] = at < 0 ? [param, ''] : [param.slice(0, at), param.slice(at + 1)];
    const symbol = name.toUpperCase();
    // errors name symbols as the protocol before this one did
    if (!symbols.has(symbol)) return { wrong: `invalid symbol : cmt_${name.toLowerCase()}` };
    const topic = `${symbol}@${stream}`;
    if (topics.has(topic) || isBookless(stream)) return { topic };
    const level = /^depth(\d+)$/.exec(stream)?.[1];
    return { wrong: level === undefined ? `invalid event : ${stream}` : `invalid depth level : ${level}` };
  };

  const receive = (client: ServedClient, text: string): Reply[] => {
    const { method, params, id: given } = objectIn(text) ?? {};
    const id = typeof given === 'number' || typeof given === 'string' ? { id: given } : {};
    const answer = (body: object): Reply => ({ topic: null, text: JSON.stringify(body) });
    const refuse = (what: string, named: object = id): Reply[] => [
      answer({ result: false, ...named, msg: `INVALID_ARGUMENT: ${what}` }),
    ];
    if (method === 'PONG') return [];
    const ack = answer({ result: true, ...id });
    if (method === 'PING') return [ack];
    if ((method !== 'SUBSCRIBE' && method !== 'UNSUBSCRIBE') || !isNames(params))
      return refuse(`unrecognized message : ${text}`, {});
    const wanted = new Set<string>();
    for (const param of params) {
      const meant = read(param);
      // Whether the others of a text with one wrong topic take effect is not known; here nothing of it does.
      if ('wrong' in meant) return refuse(meant.wrong);
      wanted.add(meant.topic);
    }
    if (method === 'UNSUBSCRIBE') {
      for (const topic of wanted) client.topics.delete(topic);
      return [ack];
    }
    // what is asked for a second time goes on as it was
    const fresh = [...wanted].filter((topic) => !client.topics.has(topic));
    for (const topic of fresh) client.topics.add(topic);
    const [first, ...others] = fresh.map(opening).filter((reply) => reply !== null);
    // a book may come before the ack of its subscription, so one of them does
    return first === undefined ? [ack] : [first, ack, ...others];
  };

  const renderDepth = (
    one: Listed,
    depth: Depth,
    { emitted, last }: { emitted: number; last: number },
  ): ServedMessage[] => {
    // nobody was told of an empty book, so what is said after it is whole
    const kind = isEmpty(depth.window) ? 'SNAPSHOT' : 'CHANGED';
    const changes = depth.window.move(emitted);
    if (changes === null) return [];
    depth.pushed = { previous: depth.pushed.last, last, emitted };
    const text = bookText(one.symbol, depth.level, kind, { ...changes, ...depth.pushed });
    return [{ topic: topicOf(one.symbol, depth.level), text }];
  };

  const render = (event: ServedEvent): ServedMessage[] => {
    const one = symbols.get(event.symbol);
    if (one === undefined) return [];
    switch (event.kind) {
      case 'depth':
        one.book.apply(written(one, event));
        return one.depths.flatMap((depth) => renderDepth(one, depth, event));
      case 'trade': {
        const { symbol: s, id, emitted, matched, aggressor } = event;
        const [p, q] = [one.price(event.price), one.size(event.size)];
        const row = { T: millis(matched), t: uuidOf(s, id), p, q, v: productOf(p, q), m: aggressor === 'sell' };
        return [{ topic: `${s}@trade`, text: JSON.stringify({ e: 'trade', E: millis(emitted), s, d: [row] }) }];
      }
      case 'touch':
        // only spot has best quotes
        return [];
    }
  };

  const now = (): string => String(millis(market.now()));
  return {
    connect(path) {
      if (path.split('?')[0] !== '/v3/ws/public') return null;
      return { topics: new Set(), combined: false, route: '', connection: uuidOf('connection', ++connections) };
    },
    receive,
    render,
    wrap: (client, topic, text) => (client.topics.has(topic) ? text : null),
    opening,
    bookTopic: (topic) => topics.get(topic)?.one.symbol ?? null,
    greeting: ({ connection: cid }) => [
      { topic: null, text: JSON.stringify({ cid, event: 'connected', time: now() }) },
    ],
    pingEveryMs: Number.POSITIVE_INFINITY,
    beat: {
      everyMs: PING_EVERY_MS,
      // who asked for nothing is not pinged
      text: (client) => (client.topics.size === 0 ? null : JSON.stringify({ event: 'ping', time: now() })),
    },
    quietMs: QUIET_MS,
    rest: (path) =>
      rest(path, market, (symbol) => (symbols.has(symbol) ? bookOf(topicOf(symbol, REST_DEPTH)) : undefined)),
  };
}

function list({ symbol, tick, lot }: Instrument, market: ServedMarket): Listed | null {
  const snapshot = market.snapshot(symbol, Number.POSITIVE_INFINITY);
  if (snapshot === null) return null;
  const { id, emitted } = snapshot;
  const [prices, sizes] = [tick, lot].map((step) => Math.max(0, precisionOf(step)));
  const writing: Writing = {
    price: (text) => withDecimals(text, prices),
    size: (text) => withDecimals(text, sizes),
  };
  const book = createServedBook(written(writing, snapshot), (text) => text);
  const pushed = { previous: id, last: id, emitted };
  const depths = DEPTHS.map((level) => ({ level, window: book.window(level, SPAN_MS), pushed }));
  return { symbol, ...writing, book, depths };
}

function isEmpty(window: BookWindow): boolean {
  const { bids, asks } = window.levels(1);
  return bids.length + asks.length === 0;
}

/** Bids and asks as they are written: best first. */
function bookText(s: string, l: number, d: 'SNAPSHOT' | 'CHANGED', book: BookSides & Pushed): string {
  const { previous: U, last: u, emitted, bids: b, asks: a } = book;
  const e = d === 'SNAPSHOT' ? 'depthSnapshot' : 'depth';
  return JSON.stringify({ e, E: millis(emitted), s, U, u, l, d, b, a });
}

/** Tickers and candles are acked and stay silent: the market makes none. */
function isBookless(stream: string): boolean {
  return stream === 'trade' || stream === 'ticker' || /^kline_\w+_(LAST|MARK)_PRICE$/.test(stream);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
}

// ---- REST

/**
 * Answers a GET. Trades are left out, since neither their order nor their limits are known, and so is what the market has not.
 * `bookOf` gives null for a book that is not there yet, undefined for a symbol that is not listed.
 */
function rest(path: string, market: ServedMarket, bookOf: (symbol: string) => (BookSides & Pushed) | null | undefined) {
  const [name, asked] = path.split('?');
  const query = new URLSearchParams(asked ?? '');
  const answer = (body: object, status = 200): ServedAnswer => ({ status, body: JSON.stringify(body) });
  const refuse = (msg: string, status = 400): ServedAnswer => answer({ code: BAD_REQUEST, msg }, status);
  switch (name) {
    case '/capi/v3/market/time':
      return answer({ serverTime: millis(market.now()) });
    case '/capi/v3/market/exchangeInfo':
      // what stands in the other lists is not known here
      return answer({ assets: [], rateLimits: [], symbols: market.instruments().map(describeInstrument) });
    case '/capi/v3/market/depth': {
      const symbol = query.get('symbol') ?? '';
      const book = bookOf(symbol);
      if (book === undefined) return refuse(`invalid symbol : ${symbol}`);
      const limit = Number(query.get('limit') ?? 15);
      if (!DEPTHS.includes(limit)) return refuse(`invalid limit : ${query.get('limit')}`);
      if (book === null) return { ...refuse(`no book of ${symbol} yet`), unknown: true };
      const { bids, asks, last: lastUpdateId } = book;
      return answer({ bids: bids.slice(0, limit), asks: asks.slice(0, limit), lastUpdateId });
    }
    default:
      return refuse(`no path ${name}`, 404);
  }
}

/** `n` of a step that is `10^-n`: 3 of `0.001`, -1 of `10`. */
function precisionOf(step: string): number {
  return decimalsOf(step) || -Math.floor(Math.log10(Number(step)));
}

/** Numbers are numbers here. Sizes are coins, `contractVal` is only their step. */
function describeInstrument({ symbol, tick, lot, base = symbol, quote = '' }: Instrument): object {
  return {
    symbol,
    displaySymbol: symbol,
    baseAsset: base,
    quoteAsset: quote,
    marginAsset: quote,
    pricePrecision: precisionOf(tick),
    quantityPrecision: precisionOf(lot),
    contractVal: Number(lot),
    contractType: 'PERPETUAL',
    minOrderSize: Number(lot),
    makerFeeRate: 0.0002,
    takerFeeRate: 0.0008,
    minLeverage: 1,
    maxLeverage: 400,
    forwardContractFlag: true,
  };
}
