/** MEXC's own side of its futures protocol: the endpoint, requests, books whose versions the server counts, trades, REST. */
import { decimalsOf } from '../model/decimal.js';
import type { Instrument } from '../model/instrument.js';
import { isObject, type JsonObject, objectIn, wordOf } from './fields.js';
import { type BookSides, type BookWindow, booksOf, createServedBook, type LevelText } from './served-book.js';
import { millis } from './served-text.js';
import type { Reply, ServedClient, ServedEvent, ServedMarket, ServedMessage, VenueServer } from './venue.js';

/** Merged updates come about every 200 ms, whole tops on busy contracts about every 300. */
const MERGED_MICROS = 200_000;
const FULL_EVERY_MS = 300;
const FULL_LIMITS = [5, 10, 20, 50];
const USUAL_LIMIT = 20;
/** What a snapshot has of each side where no limit is named, as seen. */
const REST_DEPTH = 1500;
const MOST_COMMITS = 1000;
/** A client that does not ping is closed, even while data go to it. */
const QUIET_MS = 60_000;

/** Channels with a symbol, and those of all contracts; all but books and deals are acked and stay silent: the market makes none. */
const CHANNELS = ['depth', 'depth.full', 'deal', 'ticker', 'fair.price', 'index.price', 'funding.rate', 'kline'];
const CHANNELS_OF_ALL = ['tickers', 'contract'];

/** Of the documented codes. */
const TOO_FREQUENT = 510;
const BAD_PARAMETER = 600;
const NO_SUCH_CONTRACT = 1001;

/** What stands behind a topic's name where a client asked for another form than the usual one: messages do not tell. */
const UNMERGED = '?compress=false';
const formOf = (limit: number): string => (limit === USUAL_LIMIT ? '' : `?limit=${limit}`);
/** Of one topic a client has one form: what it asked for last. */
const FORMS: Record<string, string[]> = { depth: ['', UNMERGED], 'depth.full': FULL_LIMITS.map(formOf) };

/** `push.depth:BTC_USDT`; the venue's own names are two texts. */
const topicOf = (channel: string, symbol: string, form = ''): string => `push.${channel}:${symbol}${form}`;

const BOOK_TOPIC = /^push\.(depth|depth\.full):([^?]+)/;

interface Listed {
  symbol: string;
  /** messages of the book come from a recording, with versions of their own */
  recorded: boolean;
  /** of the newest change of the book */
  version: number;
  windows: Map<number, BookWindow>;
  apply(changes: BookSides): void;
  /** the levels touched since the last merged update, each as it is now */
  merged: { begin: number; span: number; bids: Map<string, LevelText>; asks: Map<string, LevelText> };
  /** the newest changes as JSON, one version each, newest last */
  commits: string[];
}

/** Numbers stand bare, as the market writes them. How many orders make a level is not known here; a deleted one has none. */
const row = ([price, size]: LevelText): string => (Number(size) === 0 ? `[${price},0,0]` : `[${price},${size},1]`);
const rows = (levels: readonly LevelText[]): string => `[${levels.map(row).join(',')}]`;

/** Two sides, and what of version and times belongs to them. */
const sidesText = ({ asks, bids }: BookSides, rest: string): string =>
  `"asks":${rows(asks)},"bids":${rows(bids)},${rest}`;

/** The venue does not sort merged levels. */
function unsorted(side: ReadonlyMap<string, LevelText>): LevelText[] {
  const levels = [...side.values()];
  return [...levels.filter((_, n) => n % 2 === 1), ...levels.filter((_, n) => n % 2 === 0)];
}

/** The exchange's side of one running market. */
export function mexcServer(market: ServedMarket): VenueServer {
  const symbols = new Map(
    booksOf(market).map(([symbol, snapshot]): [string, Listed] => {
      const { apply, window } = createServedBook(snapshot, (text) => text);
      const windows = new Map(FULL_LIMITS.map((limit) => [limit, window(limit, FULL_EVERY_MS)]));
      const merged = { begin: snapshot.id + 1, span: -1, bids: new Map(), asks: new Map() };
      const recorded = market.recorded?.(topicOf('depth', symbol)) !== undefined;
      return [symbol, { symbol, recorded, version: snapshot.id, windows, apply, merged, commits: [] }];
    }),
  );

  const receive = (client: ServedClient, text: string): Reply[] => {
    const { method, param } = objectIn(text) ?? {};
    const ts = millis(market.now());
    const answer = (channel: string, data: string | number): Reply[] => [
      { topic: null, text: JSON.stringify({ channel, data, ts }) },
    ];
    if (method === 'ping') return answer('pong', ts);
    const [, verb, channel] = /^(sub|unsub)\.(.+)$/.exec(wordOf(method)) ?? [];
    const ofAll = CHANNELS_OF_ALL.includes(channel);
    // what it does not know it does not answer
    if (!ofAll && !CHANNELS.includes(channel)) return [];
    const asked = isObject(param) ? param : {};
    const symbol = ofAll ? '' : wordOf(asked.symbol ?? '');
    const one = symbols.get(symbol);
    if (!ofAll && one === undefined) return answer('rs.error', `Contract [${symbol}] not exists`);
    const form = formAsked(channel, asked, one?.recorded === true);
    // no refusal of a limit was seen; a client should find out
    if (form === null) return answer('rs.error', `Limit [${wordOf(asked.limit)}] not exists`);
    for (const other of FORMS[channel] ?? ['']) client.topics.delete(topicOf(channel, symbol, other));
    if (verb === 'sub') client.topics.add(topicOf(channel, symbol, form));
    return answer(`rs.${verb}.${channel}`, 'success');
  };

  const message = (channel: string, { symbol, emitted }: ServedEvent, data: string, form = '') => ({
    topic: topicOf(channel, symbol, form),
    text: `{"symbol":"${symbol}","data":${data},"channel":"push.${channel}","ts":${millis(emitted)}}`,
  });

  const render = (event: ServedEvent): ServedMessage[] => {
    const one = symbols.get(event.symbol);
    if (one === undefined) return [];
    const { emitted } = event;
    const cts = millis(event.matched);
    switch (event.kind) {
      case 'depth': {
        one.apply(event);
        // versions count changes one by one, which the ids of a simulation do not
        one.version = one.recorded ? event.last : one.version + 1;
        // recorded ones may begin anew
        if (event.last < event.first) one.commits = [];
        const version = `"version":${one.version}`;
        if (!one.recorded || event.first === event.last) {
          one.commits.push(`{${sidesText(event, version)},"cts":${cts}}`);
          if (one.commits.length > MOST_COMMITS) one.commits.shift();
        }
        const messages = [message('depth', event, `{"cts":${cts},${sidesText(event, version)}}`, UNMERGED)];
        const { merged } = one;
        for (const level of event.bids) merged.bids.set(level[0], level);
        for (const level of event.asks) merged.asks.set(level[0], level);
        const span = Math.floor(emitted / MERGED_MICROS);
        if (span !== merged.span) {
          const sides = { bids: unsorted(merged.bids), asks: unsorted(merged.asks) };
          const range = `"begin":${merged.begin},"end":${one.version}`;
          messages.push(message('depth', event, `{"cts":${cts},${sidesText(sides, `${range},${version}`)}}`));
          one.merged = { begin: one.version + 1, span, bids: new Map(), asks: new Map() };
        }
        for (const [limit, window] of one.windows) {
          if (window.move(emitted) === null) continue;
          const sides = window.levels();
          if (sides.bids.length + sides.asks.length === 0) continue;
          messages.push(message('depth.full', event, `{"cts":${cts},${sidesText(sides, version)}}`, formOf(limit)));
        }
        return messages;
      }
      // there is no channel of best quotes
      case 'touch':
        return [];
      case 'trade': {
        const { id, price, size, aggressor } = event;
        // whether positions open, close or change hands is made up
        const marks = `"T":${aggressor === 'buy' ? 1 : 2},"O":${1 + (id % 3)},"M":1`;
        return [message('deal', event, `[{"p":${price},"v":${size},${marks},"t":${cts},"i":"${id}","cts":"${cts}"}]`)];
      }
    }
  };

  return {
    connect: (path) => (path.split('?')[0] === '/edge' ? { topics: new Set(), combined: false, route: '' } : null),
    receive,
    render,
    bookTopic(topic) {
      const [, channel, symbol] = BOOK_TOPIC.exec(topic) ?? [];
      return channel !== undefined && symbols.has(symbol) ? symbol : null;
    },
    wrap: (client, topic, text) => (client.topics.has(topic) ? text : null),
    // clients ping, in JSON
    pingEveryMs: Number.POSITIVE_INFINITY,
    quietMs: QUIET_MS,
    rest: (path) => rest(path, market, symbols),
  };
}

/** Null for a limit there is not. */
function formAsked(channel: string, { compress, limit = USUAL_LIMIT }: JsonObject, recorded: boolean): string | null {
  // a recording has one form: whatever was recorded
  if (channel === 'depth') return compress === false && !recorded ? UNMERGED : '';
  if (channel !== 'depth.full') return '';
  const known = FULL_LIMITS.find((one) => one === limit);
  return known === undefined ? null : formOf(known);
}

// ---- REST

/** Answers a GET; what is wrong with a request is told with status 200. */
function rest(path: string, market: ServedMarket, symbols: ReadonlyMap<string, Listed>) {
  const [name, asked] = path.split('?');
  const query = new URLSearchParams(asked ?? '');
  const answer = (data: string) => ({ status: 200, body: `{"success":true,"code":0,"data":${data}}` });
  const refuse = (code: number, message: string, status = 200) => ({
    status,
    body: JSON.stringify({ success: false, code, message }),
  });
  const [what, asWritten = '', count] = /^\/api\/v1\/contract\/(.+)$/.exec(name)?.[1].split('/') ?? [];
  // symbols are taken in lower case too
  const symbol = asWritten.toUpperCase();
  const one = symbols.get(symbol);
  const noContract = () => refuse(NO_SUCH_CONTRACT, 'Contract does not exist!');
  switch (what) {
    case 'ping':
      return answer(String(millis(market.now())));
    case 'detail': {
      const wanted = query.get('symbol')?.toUpperCase() ?? null;
      const listed = market.instruments();
      if (wanted === null) return answer(`[${listed.map(describeInstrument).join(',')}]`);
      const instrument = listed.find((one) => one.symbol === wanted);
      return instrument === undefined ? noContract() : answer(describeInstrument(instrument));
    }
    case 'depth': {
      if (one === undefined) return noContract();
      const limit = wholeIn(query.get('limit') ?? String(REST_DEPTH));
      if (limit === null) return refuse(BAD_PARAMETER, 'Parameter error!');
      const book = bookOf(market, one, limit);
      // an empty book would say that the contract is delisted
      if (book === null) return { ...refuse(TOO_FREQUENT, 'Requests are too frequent!'), unknown: true };
      const state = `"version":${book.version},"timestamp":${millis(book.emitted)},"cts":null`;
      return answer(`{${sidesText(book, state)}}`);
    }
    case 'depth_commits': {
      if (one === undefined) return noContract();
      const most = wholeIn(count);
      if (most === null) return refuse(BAD_PARAMETER, 'Parameter error!');
      // newest first, whatever the documentation says
      return answer(`[${one.commits.slice(-most).reverse().join(',')}]`);
    }
    default:
      return refuse(404, `no path ${name}`, 404);
  }
}

const wholeIn = (text = ''): number | null => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) : null);

/** The book as its readers could know it, under the version they know it by; null while there is none. */
function bookOf(market: ServedMarket, { symbol, version }: Listed, limit: number) {
  const recorded = market.recorded?.(topicOf('depth', symbol));
  const book = recorded === undefined ? market.snapshot(symbol, limit) : recorded;
  if (book === null || book.bids.length + book.asks.length === 0) return null;
  const sides = { bids: book.bids.slice(0, limit), asks: book.asks.slice(0, limit) };
  return { version: recorded?.last ?? version, emitted: book.emitted, ...sides };
}

/** Sizes are contracts: of `contractSize` base units, or US dollars where the margin is the coin itself. */
function describeInstrument({ symbol, kind, tick, lot, multiplier, ...names }: Instrument): string {
  const [first, second = ''] = symbol.split('_');
  const { base = first, quote = second } = names;
  const coins = { symbol, baseCoin: base, quoteCoin: quote, settleCoin: kind === 'inverse' ? base : quote };
  const steps = `"contractSize":${multiplier},"priceUnit":${tick},"volUnit":${lot},"minVol":${lot}`;
  const state = { state: 0, apiAllowed: true, isHidden: false, futureType: 1, type: 1, openingTime: 1591242684000 };
  const scales = { priceScale: decimalsOf(tick), volScale: decimalsOf(lot) };
  const fees = { takerFeeRate: 0.0002, makerFeeRate: 0 };
  return `${JSON.stringify(coins).slice(0, -1)},${steps},${JSON.stringify({ ...scales, ...fees, ...state }).slice(1)}`;
}
