/** The contract every venue fulfils: data, and small functions without I/O. */
import type { Layouts } from '../decode/layout.js';
import type { IdRange } from '../model/id-ranges.js';
import type { Instrument } from '../model/instrument.js';
import type { Snapshot, VenueRules } from '../model/rules.js';

/** What a venue's public data can and cannot prove; printed by `venues` and `info`, read by detectors. */
export interface Capabilities {
  /** a lost book update is detected */
  bookLossDetected: boolean;
  /** a lost trade is detected (contiguous ids) */
  tradeLossDetected: boolean;
  /** best quotes carry ids that join to book updates: the touch can be audited */
  touchById: boolean;
  /** nominal interval of book updates in ms; 0 where every change is pushed */
  conflationMs: number;
  /** how fills of one taker order are recognised, see signals.md §1.3; fills that say which order they are of are `strong` anyway */
  groups: 'exact' | 'strong' | 'heuristic';
  /** public prints that are not order flow are marked by the venue */
  offBookMarked: boolean;
  /** which liquidations are pushed; missing where none are */
  liquidations?: 'all' | 'sampled';
  /**
   * Which missed trades can be read over REST later, without a key: by channel, `any` that an id names or only the `recent` ones;
   * or a sentence that says why none
   */
  backfill: Readonly<Record<string, 'any' | 'recent'>> | string;
}

/** A channel is a kind of stream: `depth`, `trade`, `aggTrade`, `bookTicker`, `markPrice`, …; a topic is one subscription. */
export interface Topic {
  /** the venue's word, e.g. `btcusdt@depth@100ms` */
  name: string;
  symbol: string;
  channel: string;
  /** data is expected within this many ms of the subscription; null where the market decides */
  firstDataMs: number | null;
}

/** One socket to open and what to say on it. */
export interface ConnectionPlan {
  /** path and query on the venue's WebSocket host, e.g. `/public/stream` */
  path: string;
  topics: Topic[];
  /** texts to send, in order, once open; `id` counts from 1 per connection */
  subscribe: string[];
  /** each text asks for the topic in its place alone, so that an error with its id refuses that one */
  single?: boolean;
  /** milliseconds to wait between two texts */
  sendEveryMs: number;
  /** no message at all for this long means the connection is dead; null where a quiet market is normal */
  silenceMs: number | null;
  /** such a silence is first a reason to ask for a sign of life: nothing else promises one where a market is thin */
  asks?: boolean;
  /** a connection this old is to be replaced, well before the venue closes it; null where no limit is known */
  lifetimeMs: number | null;
  /** what the client says to stay connected, and how often; missing where the venue asks for nothing */
  ping?: { text: string; everyMs: number };
}

/** What a message without a topic says. */
export type Control =
  | { kind: 'ack'; id: number | null }
  | { kind: 'error'; id: number | null; text: string }
  | { kind: 'shutdown' }
  | { kind: 'other' };

/** Paths on the venue's REST host, and how to read what comes back (parsed JSON). */
export interface Rest {
  /** several where one list does not hold all of them */
  instruments(symbols: string[]): string[];
  /** where the list goes on behind this body (parsed JSON) of a path, null where it ends; missing where lists are whole */
  nextInstruments?(path: string, body: unknown): string | null;
  /** null where the symbol is not listed there */
  readInstrument(body: unknown, symbol: string): Instrument | null;
  /** missing where books begin with a snapshot in their own stream */
  snapshot?(symbol: string): string;
  /** the failure that a body with status 200 (parsed JSON) tells of, null for none; missing where each has a status of its own */
  fault?(body: unknown): RestFault | null;
  time: string;
  /** exchange time in µs */
  readTime(body: unknown): number | null;
  /** milliseconds to keep between two requests for books of one process, so that many symbols stay inside the weight limit */
  snapshotEveryMs: number;
  /** whole books that cannot be joined to the stream, where it proves nothing of its own book: to hold that one against */
  audit?: RestAudit;
  /** missed trades, by channel: those that `capabilities.backfill` names */
  trades?: Readonly<Record<string, RestTrades>>;
}

/** Why a request over REST failed, as the venue says it. */
export interface RestFault {
  /** `tooMany` and `busy` may be gone the next time, the first only after a pause; `symbol` is one that there is not */
  kind: 'tooMany' | 'busy' | 'symbol' | 'other';
  /** its code and words */
  text: string;
}

/** Trades over REST whose ids are those of a channel's own. */
export interface RestTrades {
  /** address of a page with as many of the trades `first` to `last` as it holds; the same for all ids where only the newest can be had */
  page(symbol: string, first: number, last: number): string;
  /** trades a page holds at most */
  most: number;
  /** milliseconds between two such requests on average, so that they fit into the venue's limit beside those for books */
  everyMs: number;
  /** requests that may come at once after a while without any */
  atOnce: number;
  /** ids of the trades in a body (parsed JSON), in any order; null where it holds none, such as an error */
  read(body: unknown): IdRange[] | null;
}

/**
 * Books over REST come a little before or after the stream, and nothing says by how much. So they are read twice, and only a level
 * that differs in both reads, while the stream says nothing of it, is wrong.
 */
export interface RestAudit {
  /** a symbol's book, or the best part of it */
  book(symbol: string): string;
  /** from the beginning of a symbol's book to the first read, ms */
  firstMs: number;
  /** from a read to the second one of its pair, ms: 5 to 10 s */
  againMs: number;
  /** from one pair to the next, ms */
  everyMs: number;
  /** null where the body (parsed JSON) is no book, such as an error */
  read(body: unknown): RestBook | null;
}

/** A book over REST: decimal texts, in any order; beyond its last level on either side it says nothing. */
export type RestBook = Omit<Snapshot, 'id' | 'matched'>;

export interface Venue extends VenueRules {
  id: string;
  title: string;
  kind: Instrument['kind'];
  /** `connectEveryMs`: the least time between the starts of two connections of one process; missing where they may start at once */
  hosts: { ws: string; rest: string; connectEveryMs?: number };
  capabilities: Capabilities;
  /** `liquidations`: the channel that pushes them, where one does; `witness`: one that shows the trades of `flow` too */
  channels: { default: string[]; flow: string; all: string[]; liquidations?: string; witness?: string };
  /** the flow channel among the channels asked for */
  flowOf(channels: string[]): string;
  /** @throws {TapedeckError} E_USAGE for an unknown channel */
  connections(symbols: string[], channels: string[]): ConnectionPlan[];
  /** topic named by a message's bytes; null for control messages */
  topicOf(bytes: Uint8Array, from: number, to: number): string | null;
  control(message: unknown): Control;
  /** compressed messages: the text inside; missing where there are none. @throws where the bytes are no such message */
  inflate?(bytes: Uint8Array): Uint8Array;
  /** the venue's own pings: what to answer to this text, null where it is none */
  answer?(text: string): string | null;
  /** texts that make a topic's stream begin anew, with a snapshot; missing where a new connection is needed */
  renew?(topic: string, id: number): string[];
  /** texts that ask anew for topics of which nothing came; missing where those of `renew` do */
  again?(topics: readonly string[]): string[];
  rest: Rest;
  layouts: Layouts;
  /** where messages state a checksum of the book behind them: what it is of the best levels, as decimal text, best first */
  checksum?: {
    of(bids: readonly [string, string][], asks: readonly [string, string][]): number;
    /** of a parsed message; null where it states none */
    stated(message: unknown): number | null;
  };
  /** unwrapped REST snapshots and the like in other people's archives: is this bare JSON a snapshot body? */
  isSnapshotBody(body: unknown): boolean;
  /** how its symbols are written, where they differ from `BTCUSDT` and `BTCUSD_PERP`; `sim` lists no others */
  symbolForm?: RegExp;
}

/** A market to be served: what the exchange's side needs to know of it. Sizes and prices are decimal texts. */
export interface ServedMarket {
  /** exchange time now, µs */
  now(): number;
  instruments(): Instrument[];
  /** the book as of the last update pushed, or null for an unknown symbol; `limit` levels per side */
  snapshot(symbol: string, limit: number): Snapshot | null;
  /**
   * A market played from a tape: the book that this topic's own recorded messages have made so far, null while it is not
   * known; undefined for a topic that is not recorded, whose messages the server makes itself. Missing where nothing is recorded.
   */
  recorded?(topic: string): RecordedBook | null | undefined;
}

/** A recorded book between two of its messages; ids as its layout reads them, -1 where it has none. */
export interface RecordedBook extends Omit<Snapshot, 'id'> {
  first: number;
  last: number;
}

/** A print that hit nothing in the book: an insurance fund takes over, deleveraging, a block trade, a retail order's hidden counterpart. */
export type OffBook = 'insurance' | 'deleveraging' | 'block' | 'retail';

/** A market event of a simulated exchange, to be put into the venue's words. Times µs, ids integers, numbers decimal texts. */
export type ServedEvent =
  | {
      kind: 'depth';
      symbol: string;
      emitted: number;
      matched: number;
      first: number;
      last: number;
      /** `last` of the depth event before this one, same symbol */
      previous: number;
      bids: [string, string][];
      asks: [string, string][];
    }
  | {
      kind: 'trade';
      symbol: string;
      emitted: number;
      matched: number;
      id: number;
      price: string;
      size: string;
      aggressor: 'buy' | 'sell';
      /** it is no order flow: why. A venue that does not mark such prints shows it like any other */
      offBook?: OffBook;
      /** id of the first book that shows it, of the numbers in `last` of depth events and `id` of touches */
      update: number;
    }
  | {
      kind: 'touch';
      symbol: string;
      emitted: number;
      matched: number;
      id: number;
      bid: [string, string];
      ask: [string, string];
    };

/** What one client asked for; made by `connect`, changed by `receive`. Plain data. */
export interface ServedClient {
  /** topics subscribed */
  topics: Set<string>;
  /** true where messages come in the `{"stream":…,"data":…}` wrapper */
  combined: boolean;
  /** topics of another route are acked and stay silent, as on the venue */
  route: string;
  /** what the venue calls the connection in its answers; missing where it does not */
  connection?: string;
}

/** A message of a topic, not yet as any client sees it. */
export interface ServedMessage {
  topic: string;
  text: string;
}

/** What a client hears at once: an answer (topic null), or the first message of a topic it just asked for. */
export interface Reply {
  topic: string | null;
  text: string;
}

/** An answer over REST. */
export interface ServedAnswer {
  status: number;
  body: string;
  /** it is about a book that is not known yet, and worth asking again */
  unknown?: boolean;
}

/** The exchange's side without sockets and clocks. It hears every event of its market, in order, whether clients are there or not. */
export interface VenueServer {
  /** a WebSocket asks for this path and query; null means no such endpoint (HTTP 404) */
  connect(path: string): ServedClient | null;
  /** a client's text: what to send back, after `client` was changed */
  receive(client: ServedClient, text: string): Reply[];
  /** the texts (topic, bare message) an event becomes, one per topic it can be subscribed by */
  render(event: ServedEvent): ServedMessage[];
  /** the bare message as this client sees it, or null where it did not ask for the topic (or the route is silent) */
  wrap(client: ServedClient, topic: string, text: string): string | null;
  /** the same of a recorded message, which may stand in a wrapper already; missing where there are no wrappers */
  replay?(client: ServedClient, topic: string, text: string): string | null;
  /** the symbol whose book a topic shows, whole or in part: such a topic can be made from any other one of that book; null for all others */
  bookTopic(topic: string): string | null;
  /** the book of a topic as its clients know it, in a message; null for topics without one. Missing where books never begin in a stream */
  opening?(topic: string): Reply | null;
  /** said to a client as soon as it is there */
  greeting?(client: ServedClient): Reply[];
  /** protocol-level pings; Infinity where the venue sends none */
  pingEveryMs: number;
  /** the venue's pings in its own words, to every client; null for one it does not ping */
  beat?: { everyMs: number; text(client: ServedClient): string | null };
  /** a client that says nothing for so long is cut, without a closing handshake; missing where the venue does not mind */
  quietMs?: number;
  /** what is sent for a text, as a binary message; missing where the text is */
  pack?(text: string): Uint8Array;
  rest(path: string, market: ServedMarket): ServedAnswer;
}
