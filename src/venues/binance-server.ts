/** Binance's own side of its market-data protocol, as pure functions: endpoints, subscriptions, answers, messages. */
import { type BookTopics, createBookTopics, isBookStream } from './binance-books.js';
import { aggregateId, type BinanceMarket, binanceRest, padSpot } from './binance-rest.js';
import { booksOf } from './served-book.js';
import { millis } from './served-text.js';
import { createServedTrades } from './served-trades.js';
import type { OffBook, ServedClient, ServedEvent, ServedMarket, ServedMessage, VenueServer } from './venue.js';

/** Markets of USD-M since 2026-04: a topic of the other route is acked and silent. Unrouted URLs carry the public one. */
const ROUTES = ['public', 'market'];
const PUBLIC_STREAM = /@(depth|rpiDepth|trade$|bookTicker$)/;

/** What one connection may listen to. */
const MOST_TOPICS = 1024;

/** Spot pings every 20 s, futures every 3 min. */
const PING_EVERY_MS = { spot: 20_000, futures: 180_000 };

/** Texts of the documented error codes. */
const UNKNOWN_PROPERTY = 0;
const INVALID_VALUE = 1;
const INVALID_REQUEST = 2;
const INVALID_JSON = 3;

/** Words of futures for prints that are no order flow; only the first two are explained anywhere. */
const OFF_BOOK: Readonly<Record<OffBook, string>> = {
  insurance: 'INSURANCE_FUND',
  deleveraging: 'ADL',
  block: 'NA',
  retail: 'NA',
};

/** Undefined where spot's optional id was left out. */
type Id = number | string | null | undefined;

/** The exchange's side of one Binance market, as long as it runs. */
export function binanceServer(market: BinanceMarket, served: ServedMarket): VenueServer {
  const isSimulated = served.recorded === undefined;
  const books = new Map(
    booksOf(served).map(([symbol, book]) => [symbol, createBookTopics(market, symbol, book, isSimulated)]),
  );
  const trades = createServedTrades();
  const symbols = new Map([...books.keys()].map((symbol) => [symbol.toLowerCase(), symbol]));
  return {
    connect: (path) => connect(market, path),
    receive: (client, text) => [{ topic: null, text: answer(market, client, text) }],
    render(event) {
      if (event.kind === 'trade') trades.push(event);
      return render(market, books, event);
    },
    bookTopic(topic) {
      const at = topic.indexOf('@');
      return at > 0 && isBookStream(market, topic.slice(at + 1)) ? (symbols.get(topic.slice(0, at)) ?? null) : null;
    },
    replay(client, topic, text) {
      if (!client.topics.has(topic) || !carries(client.route, topic)) return null;
      const isWrapped = text.startsWith(WRAPPED);
      if (client.combined) return isWrapped ? text : wrapped(topic, text);
      const at = isWrapped ? text.indexOf('"data":') : -1;
      return at < 0 ? text : text.slice(at + DATA, -1);
    },
    wrap(client, topic, text) {
      if (!client.topics.has(topic) || !carries(client.route, topic)) return null;
      return client.combined ? wrapped(topic, text) : text;
    },
    pingEveryMs: market === 'spot' ? PING_EVERY_MS.spot : PING_EVERY_MS.futures,
    // a tape has the trades of the past on it, not in mind
    rest: (path, of) => binanceRest(market, path, of, isSimulated ? trades : null),
  };
}

const WRAPPED = '{"stream":"';
const DATA = '"data":'.length;

const wrapped = (topic: string, text: string): string => `{"stream":"${topic}","data":${text}}`;

/** The endpoints: `/ws`, `/ws/<topic>/<topic>`, `/stream`, `/stream?streams=<topic>/<topic>`; on USD-M behind a route. */
function connect(market: BinanceMarket, path: string): ServedClient | null {
  const mark = path.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : path.slice(mark + 1));
  const parts = (mark < 0 ? path : path.slice(0, mark)).split('/').slice(1);
  let route = '';
  if (market === 'usdm') route = ROUTES.includes(parts[0]) ? (parts.shift() ?? '') : 'public';
  const form = parts.shift();
  const named = (names: string[]): Set<string> => new Set(names.filter((name) => name !== ''));
  if (form === 'ws') return { topics: named(parts.map(decode)), combined: false, route };
  if (form !== 'stream' || parts.some((part) => part !== '')) return null;
  return { topics: named((query.get('streams') ?? '').split('/')), combined: true, route };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function carries(route: string, topic: string): boolean {
  return route === '' || (route === 'public') === PUBLIC_STREAM.test(topic);
}

// ---- requests

function answer(market: BinanceMarket, client: ServedClient, text: string): string {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return refusal(INVALID_JSON, 'Invalid JSON: the text is not one JSON value', undefined);
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    return refusal(INVALID_REQUEST, 'Invalid request: must be an object', undefined);
  const { method, params, id } = request as Record<string, unknown>;
  if (!isId(market, id)) {
    const wanted =
      market === 'spot' ? 'an integer, a string of up to 36 letters and digits, or null' : 'an unsigned integer';
    const fault = id === undefined ? 'missing field `id`' : `request ID must be ${wanted}`;
    return refusal(INVALID_REQUEST, `Invalid request: ${fault}`, undefined);
  }
  if (typeof method !== 'string') return refusal(INVALID_REQUEST, 'Invalid request: missing field `method`', id);
  switch (method) {
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      if (params === undefined) return refusal(INVALID_REQUEST, 'Invalid request: missing field `params`', id);
      if (!Array.isArray(params) || !params.every((topic): topic is string => typeof topic === 'string'))
        return refusal(INVALID_REQUEST, 'Invalid request: params must be an array of strings', id);
      if (method === 'UNSUBSCRIBE') for (const topic of params) client.topics.delete(topic);
      // no refusal was seen; a client should find out
      else if (new Set([...client.topics, ...params]).size > MOST_TOPICS)
        return refusal(INVALID_REQUEST, `Invalid request: more than ${MOST_TOPICS} streams on one connection`, id);
      // A misspelt topic is acked like any other and never sends.
      else for (const topic of params) client.topics.add(topic);
      return result(null, id);
    }
    case 'LIST_SUBSCRIPTIONS':
      return result([...client.topics], id);
    case 'SET_PROPERTY':
    case 'GET_PROPERTY':
      return property(client, method, params, id);
    default:
      return refusal(INVALID_REQUEST, `Invalid request: unknown variant \`${method}\``, id);
  }
}

function property(client: ServedClient, method: string, params: unknown, id: Id): string {
  if (!Array.isArray(params) || params.length !== (method === 'SET_PROPERTY' ? 2 : 1))
    return refusal(INVALID_REQUEST, 'Invalid request: params must name a property', id);
  if (params[0] !== 'combined') return refusal(UNKNOWN_PROPERTY, 'Unknown property', id);
  if (method === 'GET_PROPERTY') return result(client.combined, id);
  if (typeof params[1] !== 'boolean') return refusal(INVALID_VALUE, 'Invalid value type: expected Boolean', id);
  client.combined = params[1];
  return result(null, id);
}

/** Futures take unsigned integers; spot also short strings and null, and lets the id be left out. */
function isId(market: BinanceMarket, id: unknown): id is Id {
  if (typeof id === 'number') return Number.isSafeInteger(id) && (market === 'spot' || id >= 0);
  if (market !== 'spot') return false;
  return id === null || id === undefined || (typeof id === 'string' && /^[A-Za-z0-9_-]{0,36}$/.test(id));
}

function result(value: unknown, id: Id): string {
  return JSON.stringify({ result: value, id: id ?? null });
}

function refusal(code: number, msg: string, id: Id): string {
  return JSON.stringify(id === undefined ? { code, msg } : { code, msg, id });
}

// ---- messages

function render(market: BinanceMarket, books: ReadonlyMap<string, BookTopics>, event: ServedEvent): ServedMessage[] {
  if (event.kind === 'depth') return books.get(event.symbol)?.render(event) ?? [];
  return market === 'spot' ? renderSpot(event) : renderFutures(market, event);
}

type Print = Exclude<ServedEvent, { kind: 'depth' }>;

function renderFutures(market: 'usdm' | 'coinm', event: Print): ServedMessage[] {
  const { symbol } = event;
  const lower = symbol.toLowerCase();
  const usdm = market === 'usdm';
  const pair = symbol.split('_')[0];
  const type = usdm ? 1 : 2;
  const E = millis(event.emitted);
  const T = millis(event.matched);
  if (event.kind === 'touch') {
    const { bid, ask, id } = event;
    const text = `{"e":"bookTicker","u":${id},"s":"${symbol}","ps":"${pair}","b":"${bid[0]}","B":"${bid[1]}","a":"${ask[0]}","A":"${ask[1]}","T":${T},"E":${E},"st":${type}}`;
    return [{ topic: `${lower}@bookTicker`, text }];
  }
  const { id, price, size } = event;
  const maker = event.aggressor === 'sell';
  const net = usdm ? `"nq":"${size}",` : '';
  const print = event.offBook === undefined ? 'MARKET' : OFF_BOOK[event.offBook];
  const trade = {
    topic: `${lower}@trade`,
    text: `{"e":"trade","E":${E},"T":${T},"s":"${symbol}","t":${id},"p":"${price}","q":"${size}","X":"${print}","m":${maker}}`,
  };
  // market trades alone are aggregated
  if (event.offBook !== undefined) return [trade];
  return [
    trade,
    {
      topic: `${lower}@aggTrade`,
      text: `{"e":"aggTrade","E":${E},"s":"${symbol}","a":${aggregateId(id)},"p":"${price}","q":"${size}",${net}"f":${id},"l":${id},"T":${T},"m":${maker},"st":${type}}`,
    },
  ];
}

function renderSpot(event: Print): ServedMessage[] {
  const { symbol } = event;
  const lower = symbol.toLowerCase();
  const E = millis(event.emitted);
  const T = millis(event.matched);
  if (event.kind === 'touch') {
    const [bid, bidSize] = event.bid.map(padSpot);
    const [ask, askSize] = event.ask.map(padSpot);
    const text = `{"u":${event.id},"s":"${symbol}","b":"${bid}","B":"${bidSize}","a":"${ask}","A":"${askSize}"}`;
    return [{ topic: `${lower}@bookTicker`, text }];
  }
  const { id } = event;
  const price = padSpot(event.price);
  const size = padSpot(event.size);
  const maker = event.aggressor === 'sell';
  return [
    {
      topic: `${lower}@trade`,
      text: `{"e":"trade","E":${E},"s":"${symbol}","t":${id},"p":"${price}","q":"${size}","T":${T},"m":${maker},"M":true}`,
    },
    {
      topic: `${lower}@aggTrade`,
      text: `{"e":"aggTrade","E":${E},"s":"${symbol}","a":${aggregateId(id)},"p":"${price}","q":"${size}","f":${id},"l":${id},"T":${T},"m":${maker},"M":true}`,
    },
  ];
}
