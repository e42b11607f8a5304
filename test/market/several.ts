/** A simulated market as several connections bring it: late, with runs missing, ending and opening again; and what a reader makes of it. */
import { createDecoder } from '../../src/decode/decoder.js';
import { ASK, BID } from '../../src/market/book.js';
import { createTrack, Effect, type TrackCounts } from '../../src/market/track.js';
import { Union, type UnionCounts } from '../../src/market/union.js';
import type { Checkpoint, HeaderEntry } from '../../src/model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { entryLine, messageLine, parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import { randomFrom } from '../scan/random-tape.js';
import { START, serveRun } from '../venues/served.js';

const STEP = 20_000;
/** from the opening of a socket to what its subscription is answered with */
const ANSWER = 3;

export interface Heard {
  at: number;
  text: string;
  /** which of the venue's sockets */
  plan: number;
}

export interface Sound {
  venue: Venue;
  header: HeaderEntry;
  plans: number;
  heard: Heard[];
  /** the book messages with which a connection begins that is opened at that time */
  openings: Map<number, Heard[]>;
  /** a REST snapshot, where the venue's books begin with one */
  snapshot: { at: number; body: unknown } | null;
}

/** What a connection hears that is never lost. @param openings times, whole steps behind the start, at which others open */
export function hearMarket(
  id: string,
  { seed, seconds, openings = [], rate = 150 }: { seed: number; seconds: number; openings?: number[]; rate?: number },
): Sound {
  const venue = venueById(id);
  const symbol = SYMBOLS[id];
  const run = serveRun(id, [symbol], rate, seed);
  const { channels } = venue;
  const plans = venue.connections([symbol], channels.default);
  const heard: Heard[] = [];
  const join = (): { begin: Heard[]; clients: { heard(): string[] }[] } => {
    const begin: Heard[] = [];
    const clients = plans.map(({ path, subscribe }, plan) => {
      const client = run.join(path);
      for (const text of subscribe)
        for (const reply of client.ask(text)) {
          const bytes = Buffer.from(reply);
          if (venue.topicOf(bytes, 0, bytes.length) !== null)
            begin.push({ at: run.market.now() + ANSWER, text: reply, plan });
        }
      return client;
    });
    return { begin, clients };
  };
  const { begin, clients } = join();
  const byTime = new Map([[START, begin]]);
  let snapshot: Sound['snapshot'] = null;
  for (let at = START; at < START + seconds * 1e6; at += STEP) {
    if (openings.includes(at)) byTime.set(at, join().begin);
    run.advance(STEP);
    for (const [plan, client] of clients.entries())
      for (const text of client.heard()) heard.push({ at: run.market.now(), text, plan });
    if (at === START + 500_000 && venue.rest.snapshot !== undefined) {
      const { body } = run.server.rest(venue.rest.snapshot(symbol), run.market);
      snapshot = { at: run.market.now() + 1, body: JSON.parse(body) as unknown };
    }
  }
  const [instrument] = run.market.instruments();
  const header: HeaderEntry = {
    t: START - 10,
    src: `${id}:${symbol}`,
    tape: {
      ...{ version: 1, recorder: 'r', venue: id, symbol, instrument, channels: [...channels.default] },
      ...{ flow: channels.flow, tool: 'test' },
    },
  };
  return { venue, header, plans: plans.length, heard, openings: byTime, snapshot };
}

export const SYMBOLS: Record<string, string> = {
  'binance-usdm': 'BTCUSDT',
  'binance-spot': 'BTCUSDT',
  'bybit-linear': 'BTCUSDT',
  'okx-swap': 'BTC-USDT-SWAP',
  'mexc-futures': 'BTC_USDT',
  'bingx-swap': 'BTC-USDT',
  'weex-futures': 'BTCUSDT',
};

/** One connection (all sockets of a venue's plan together). Times are the exchange's. */
export interface Link {
  name: string;
  from: number;
  to: number;
  /** how late it is: always, and at most in addition */
  delay: number;
  jitter: number;
  /** whether it misses the message that is n-th of all, and was sent at that time */
  misses(n: number, at: number): boolean;
}

export const soundLink = (name: string): Link => ({
  ...{ name, from: START, to: Number.POSITIVE_INFINITY, delay: 0, jitter: 0 },
  misses: () => false,
});

/** The tape of a recorder with these connections. */
export function linesOf(sound: Sound, links: readonly Link[], seed = 1): string[] {
  const { header, plans, heard, openings, snapshot } = sound;
  const { src } = header;
  const random = randomFrom(seed);
  const all: { at: number; line(t: number): string }[] = [];
  for (const { name, from, to, delay, jitter, misses } of links) {
    const conns = Array.from({ length: plans }, (_, plan) => `${name}.${plan}`);
    for (const conn of conns) {
      all.push({ at: from, line: (t) => entryLine({ t, src, conn, open: { url: 'wss://x' } }) });
      const close = { code: 1006, reason: 'lost' };
      if (Number.isFinite(to)) all.push({ at: to, line: (t) => entryLine({ t, src, conn, close }) });
    }
    const newest = conns.map(() => 0);
    const hear = ({ at, text, plan }: Heard): void => {
      const late = Math.max(newest[plan], at + delay + Math.floor(jitter * random()));
      newest[plan] = late;
      if (late < to)
        all.push({ at: late, line: (t) => messageLine(t, src, conns[plan], Buffer.from(text)).toString() });
    };
    for (const one of openings.get(from) ?? []) hear(one);
    for (const [n, one] of heard.entries()) if (one.at > from && one.at < to && !misses(n, one.at)) hear(one);
  }
  if (snapshot !== null) {
    const { at, body } = snapshot;
    all.push({ at, line: (t) => entryLine({ t, src, http: { url: 'https://x', status: 200, sent: t - 1, body } }) });
  }
  // a while behind the end, so that nothing waits any more
  const at = (heard.at(-1)?.at ?? 0) + 10_000_000;
  all.push({ at, line: (t) => entryLine({ t, src, clock: { wall: 0, loop: 0, exchange: null } }) });
  // equal times stay in the order they were added
  const sorted = all.map((one, n) => ({ ...one, n })).sort((a, b) => a.at - b.at || a.n - b.n);
  let last = header.t;
  return [
    entryLine(header),
    ...sorted.map(({ at, line }) => {
      last = Math.max(last + 1, at);
      return line(last);
    }),
  ].map((line) => line.trimEnd());
}

/** What a reader saw. */
export interface Read {
  /** trade ids (where there are none, prices, sizes and sides) of the flow, in order */
  trades: string[];
  /** the whole book behind every update applied, by its id; and the ids in order */
  books: Map<number, string>;
  applied: number[];
  touches: number[];
  lost: number;
  tradeGaps: number;
  besideGaps: number;
  state: string;
  /** the books' digest at the end */
  final: string;
  counts: TrackCounts;
  union: UnionCounts;
}

export interface Reader {
  take(line: string): void;
  result(): Read;
  /** what another reader has to know to go on from here; null where the book is not known or something waits */
  checkpoint(): Checkpoint | null;
  /** another reader's knowledge was not enough */
  guessed(): boolean;
}

/** Reads the lines of a tape with this header, from a checkpoint on where one is given. */
export function createReader({ src, tape }: HeaderEntry, checkpoint: Checkpoint | null = null): Reader {
  const { instrument, flow, symbol, venue } = tape;
  const rules = venueById(venue);
  const decoder = createDecoder('typescript');
  const connOf = (origin: number): string | null => decoder.origins[origin].conn;
  const track = createTrack({ instrument, rules, flow, connOf });
  const union = new Union({ track, rules, connOf });
  decoder.bind(src, { layouts: rules.layouts, scale: track.scale, symbol, flow });
  const result = {
    ...{ trades: [] as string[], books: new Map<number, string>(), applied: [] as number[], touches: [] as number[] },
    ...{ lost: 0, tradeGaps: 0, besideGaps: 0 },
  };
  const book = (): string => JSON.stringify([track.book.levels(BID), track.book.levels(ASK)]);
  const see = (effect: number): void => {
    if ((effect & Effect.lost) !== 0) result.lost++;
    if ((effect & Effect.tradeGap) !== 0) result.tradeGaps++;
    if ((effect & Effect.besideGap) !== 0) result.besideGaps++;
  };
  const one = {
    record(buffer: EventBuffer, i: number): void {
      const { events } = buffer;
      const o = i * EVENT_STRIDE;
      const effect = track.apply(buffer, i);
      see(effect);
      const last = events[o + Field.LAST];
      if ((effect & Effect.trade) !== 0)
        result.trades.push(
          last >= 0 ? String(last) : [Field.PRICE, Field.SIZE, Field.SIDE].map((field) => events[o + field]).join(),
        );
      if ((effect & (Effect.book | Effect.valid)) !== 0 && events[o + Field.KIND] === Kind.depth) {
        result.applied.push(track.continuity.last);
        result.books.set(track.continuity.last, book());
      }
      if (events[o + Field.KIND] === Kind.touch) result.touches.push(last);
    },
    nothing: () => {},
  };
  const buffer = new EventBuffer();
  if (checkpoint !== null) union.entry({ t: 0, src, book: checkpoint }, one);
  return {
    take(line) {
      const bytes = Buffer.from(`${line}\n`);
      buffer.clear();
      decoder.decode(bytes, 0, bytes.length, buffer);
      if (buffer.count === 0 || buffer.events[Field.KIND] === Kind.entry) see(union.entry(parseEntry(bytes), one));
      else for (let i = 0; i < buffer.count; ) i = union.take(buffer, i, one);
    },
    result: () => ({ ...result, state: track.state, final: book(), counts: track.counts, union: union.counts }),
    checkpoint: () => (track.state === 'valid' && track.plain && union.plain ? union.checkpoint() : null),
    guessed: () => track.guessed || union.guessed,
  };
}

export function read(lines: readonly string[]): Read {
  const reader = createReader(parseEntry(lines[0]) as HeaderEntry);
  for (const line of lines.slice(1)) reader.take(line);
  return reader.result();
}

/** The lines of a tape of one connection as these connections bring them; REST answers and what else is no message stay. */
export function splitLines(lines: readonly string[], links: readonly Link[], seed = 1): string[] {
  const random = randomFrom(seed);
  const all: { at: number; rest: string }[] = [];
  const [head, ...others] = lines;
  const src = /^\{"t":\d{16},("src":"[^"]*",)/.exec(head)?.[1] ?? '';
  const heard: { at: number; text: string }[] = [];
  for (const line of others) {
    const at = Number(line.slice(5, 21));
    const message = /"conn":"[^"]*",("msg":.*)\}$/.exec(line)?.[1];
    if (message === undefined) all.push({ at, rest: line.slice(22, -1) });
    else heard.push({ at, text: message });
  }
  for (const { name, from, to, delay, jitter, misses } of links) {
    const entry = (at: number, rest: string): number => all.push({ at, rest: `${src}"conn":"${name}",${rest}` });
    if (from > Number(head.slice(5, 21))) entry(from, '"open":{"url":"wss://x"}');
    if (Number.isFinite(to)) entry(to, '"close":{"code":1006,"reason":"lost"}');
    let newest = 0;
    for (const [n, { at, text }] of heard.entries()) {
      if (at <= from || at >= to || misses(n, at)) continue;
      newest = Math.max(newest, at + delay + Math.floor(jitter * random()));
      if (newest < to) entry(newest, text);
    }
  }
  let last = Number(head.slice(5, 21));
  const sorted = all.map((one, n) => ({ ...one, n })).sort((a, b) => a.at - b.at || a.n - b.n);
  return [
    head,
    ...sorted.map(({ at, rest }) => {
      last = Math.max(last + 1, at);
      return `{"t":${last},${rest}}`;
    }),
  ];
}

/** Two connections that in turns miss runs of messages and end, so that every message comes by one of them: seconds of a minute. */
export function inTurns(start: number, seconds: number, seed: number): Link[] {
  const random = randomFrom(seed);
  const links: Link[] = [];
  for (const side of [0, 1]) {
    const misses = (n: number, at: number): boolean => {
      const second = ((at - start) / 1_000_000 + 30 * side) % 60;
      return n % 50 < 25 && at > start + 10_000_000 && second > 30 && second < 45;
    };
    let from = Number.NEGATIVE_INFINITY;
    for (let n = 0; ; n++) {
      const to = start + (20 + 60 * n + 30 * side + Math.floor(5 * random())) * 1_000_000;
      const ends = to < start + seconds * 1_000_000 - 20_000_000;
      const [delay, jitter] = [Math.floor(300_000 * random()), Math.floor(100_000 * random())];
      const name = `c${side}.${n}`;
      links.push({ ...{ name, from, to: ends ? to : Number.POSITIVE_INFINITY, delay, jitter }, misses });
      if (!ends) break;
      from = to + Math.floor(2_000_000 * random());
    }
  }
  return links;
}
