/** A simulated exchange and a recorder of it in one process, with what was sent and what was written. */
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordOptions, type RecordStatus, type RecordSummary, record } from '../../src/feed/recorder.js';
import type { Entry } from '../../src/model/entry.js';
import { type ServedExchange, serveExchange } from '../../src/serve/exchange.js';
import { parseEntry } from '../../src/tape/line.js';
import { servedVenue } from '../../src/venues/servers.js';
import type { ServedClient, ServedMarket, Venue, VenueServer } from '../../src/venues/venue.js';
import { seededMarket } from '../venues/served.js';
import { linesIn, messageIn } from './tape.js';

/** Longer than any of these tests should take; a wait that fails names what it waited for. */
const PATIENCE_MS = 100_000;

/** Polls a condition; the only way these tests wait. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Recording {
  readonly done: Promise<RecordSummary>;
  /** ends it in order */
  stop(): Promise<RecordSummary>;
}

export interface RecordingOptions extends Partial<RecordOptions> {
  venue: Venue;
  symbols: string[];
  channels?: string[];
  origin: { wsUrl: string; httpUrl: string };
  /** the folder of the tapes */
  out: string;
}

/** A recorder of an exchange on loopback; what is not said is as a user has it, but for jitter. */
export function startRecording(options: RecordingOptions): Recording {
  const { venue, symbols, channels = venue.channels.default, origin, out, ...more } = options;
  const stopping = new AbortController();
  const done = record({
    requests: [{ venue, symbols, channels }],
    tape: { out },
    live: null,
    endpoints: [{ venue: null, origin: origin.wsUrl }],
    restEndpoints: [{ venue: null, origin: origin.httpUrl }],
    durationMs: null,
    tool: 'tapedeck test',
    signal: stopping.signal,
    note: () => {},
    status: () => {},
    statusEveryMs: 0,
    // no jitter: the first retry comes at once
    random: () => 0,
    ...more,
  });
  done.catch(() => {});
  return {
    done,
    stop() {
      stopping.abort();
      return done;
    },
  };
}

export interface Rig {
  exchange: ServedExchange;
  folder: string;
  /** where the tapes are */
  out: string;
  notes: string[];
  /** newest status of the running recorder */
  status: Pick<RecordStatus, 'received' | 'dropped' | 'valid' | 'gaps' | 'reconnects' | 'linesLost'>;
  /** starts a recorder */
  start(options?: Partial<RecordOptions>): Recording;
  /** texts the ledger says were sent and not lost, without answers; of one symbol where given */
  sent(symbol?: string): Promise<string[]>;
  /** every message of the market in order, as a client that was always there would have it */
  truth: { topic: string; text: string }[];
  /** the oldest client that is there does not get the next `count` messages of the topic (null: of any); the ledger has them not */
  withhold(topic: string | null, count: number): void;
  /** waits until each client was sent all its topics, twice, and the recorder took all that was sent */
  delivering(clients: number): Promise<void>;
  /** clients of the exchange, from its ledger */
  clients(): Promise<{ id: number; path: string }[]>;
  lines(symbol: string): Promise<string[]>;
  segmentCount(symbol: string): number;
  /** entries on the tape of a src */
  entries(symbol?: string): Promise<Entry[]>;
  /** verbatim values of `msg` on the tapes, answers left out */
  recorded(symbols: string[]): Promise<string[]>;
  close(): Promise<void>;
}

export interface RigOptions {
  venue?: string;
  symbols?: string[];
  rate?: number;
  /** keeps no `truth`: for runs that say more than a process can remember */
  forgets?: boolean;
}

export async function createRig({
  venue: id = 'binance-usdm',
  symbols = ['BTCUSDT'],
  rate = 500,
  forgets = false,
}: RigOptions = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-feed-'));
  const venue = servedVenue(id);
  if (venue === null) throw new Error(`${id} cannot be simulated`);
  const { server } = venue;
  const market = seededMarket(venue, symbols, rate, { start: Date.now() * 1000 });
  const ledger = join(folder, 'sent.ndjson');
  const truth: Rig['truth'] = [];
  const withheld: { from: ServedClient | null; topic: string | null; left: number } = {
    from: null,
    topic: null,
    left: 0,
  };
  /** topics each client was sent since it came */
  const heard = new Map<ServedClient, Set<string>>();
  const watched = (served: ServedMarket): VenueServer => {
    const own = server(served);
    const always = venue.connections(symbols, venue.channels.default).flatMap(({ path, subscribe }) => {
      const client = own.connect(path);
      for (const text of subscribe) if (client !== null) own.receive(client, text);
      return client ?? [];
    });
    return {
      ...own,
      connect(path) {
        const client = own.connect(path);
        if (client !== null) heard.set(client, new Set());
        return client;
      },
      render(event) {
        const messages = own.render(event);
        for (const { topic, text } of messages)
          for (const client of always) {
            const wrapped = own.wrap(client, topic, text);
            if (wrapped === null) continue;
            if (!forgets) truth.push({ topic, text: wrapped });
          }
        return messages;
      },
      wrap(client, topic, text) {
        const wrapped = own.wrap(client, topic, text);
        if (wrapped !== null && client === withheld.from && (withheld.topic ?? topic) === topic && withheld.left-- > 0)
          return null;
        if (wrapped !== null) heard.get(client)?.add(topic);
        return wrapped;
      },
    };
  };
  const exchange = await serveExchange({ venue: { server: watched }, market, ledger });
  const out = join(folder, 'tapes');
  const notes: string[] = [];
  const running: Recording[] = [];
  const status = { received: 0, dropped: 0, valid: 0, gaps: 0, reconnects: 0, linesLost: 0 };

  const known = venue.connections(symbols, venue.channels.all).flatMap((plan) => plan.topics);
  /** whose data a message is; null for answers */
  const symbolOf = (text: string): string | null => {
    const bytes = Buffer.from(text);
    const name = venue.topicOf(bytes, 0, bytes.length);
    return known.find((topic) => topic.name === name)?.symbol ?? null;
  };

  const lines = (symbol: string): Promise<string[]> => linesIn(join(out, id, symbol));

  return {
    exchange,
    folder,
    out,
    notes,
    lines,
    segmentCount: (symbol) => readdirSync(join(out, id, symbol)).filter((name) => name.endsWith('.zst')).length,
    status,
    start(options = {}) {
      const recording = startRecording({
        ...{ venue, symbols, origin: exchange, out },
        note: (text, facts) => void (facts?.logOnly || notes.push(text)),
        status: (now) => void Object.assign(status, now),
        ...options,
      });
      running.push(recording);
      return recording;
    },
    async sent(symbol) {
      const text = await readFile(ledger, 'utf8');
      return text.split('\n').flatMap((line) => {
        if (line === '' || !line.includes('"topic":"')) return [];
        const message = /,"msg":(.*?)(,"lost":true)?\}$/.exec(line);
        if (message === null || message[2] !== undefined) return [];
        return symbol === undefined || symbolOf(message[1]) === symbol ? [message[1]] : [];
      });
    },
    truth,
    withhold(topic, count) {
      const from = [...heard.keys()].at(-exchange.connected) ?? null;
      Object.assign(withheld, { from, topic, left: count });
    },
    async delivering(clients) {
      const plans = venue.connections(symbols, venue.channels.default);
      const goal = plans.flatMap((plan) => plan.topics).length * (clients / plans.length);
      const forget = (): void => {
        for (const one of heard.values()) one.clear();
      };
      const each = (): Promise<void> =>
        until(`${clients} clients are sent all topics`, () => {
          const sum = [...heard.values()].reduce((all, { size }) => all + size, 0);
          // those that ended since are sent nothing more
          if (exchange.connected !== clients || sum > goal) forget();
          return exchange.connected === clients && sum === goal;
        });
      forget();
      await each();
      // and once more, so that the newest message of each came when all were there
      forget();
      await each();
      const { sent } = exchange;
      await until('the recorder took what was sent', () => status.received >= sent);
    },
    async clients() {
      let text = '';
      // the ledger is written some ms later
      while (!text.includes('"path":"/market')) {
        text = await readFile(ledger, 'utf8');
        await new Promise((resolve) => setImmediate(resolve));
      }
      return [...text.matchAll(/"client":(\d+),"opened":\{"path":"([^"]*)"/g)].map(([, n, path]) => ({
        id: Number(n),
        path,
      }));
    },
    async entries(symbol = symbols[0]) {
      return (await lines(symbol)).map((line) => parseEntry(line));
    },
    async recorded(wanted) {
      const found: string[] = [];
      for (const symbol of wanted) {
        for (const line of await lines(symbol)) {
          const message = messageIn(line);
          if (message !== null && symbolOf(message) !== null) found.push(message);
        }
      }
      return found;
    },
    async close() {
      await Promise.allSettled(running.map((recording) => recording.stop()));
      await exchange.stop();
      await rm(folder, { recursive: true });
    },
  };
}
