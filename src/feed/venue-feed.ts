/** Everything live of one venue: its connections, its srcs, and the way of a message from one to the other. */
import { Effect } from '../market/track.js';
import type { GapReason } from '../model/entry.js';
import type { ConnectionPlan, Topic, Venue } from '../venues/venue.js';
import { waitText } from './backoff.js';
import { Connection, type ConnectionEvents, type LossCause } from './connection.js';
import { type Endpoint, routeUrl } from './endpoint.js';
import { createMissedTrades } from './missed-trades.js';
import { createPace } from './pace.js';
import { createRestBooks, type RestBooksOptions } from './rest-books.js';
import type { Link, Route, SourceRecorder } from './source.js';

/** Acks and notices are short; what is longer and has no known topic is not looked into. */
const MAX_CONTROL_BYTES = 64 * 1024;
const EXCHANGE_TIME_EVERY_MS = 600_000;
/** A ping of a venue's own is shorter than any message with data. */
const MAX_PING_BYTES = 256;
/** A snapshot in a stream comes at once, or within this after the first update. */
const FIRST_SNAPSHOT_MS = 3_000;
/** Subscriptions to one topic without a snapshot before REST is asked, or else a new connection is tried. */
const MOST_RENEWALS = 2;
/** Subscribing again is limited everywhere. */
const RENEW_MS = 5_000;
const MOST_RENEW_MS = 120_000;

export interface VenueFeedOptions extends RestBooksOptions {
  symbols: readonly string[];
  channels: readonly string[];
  endpoints: readonly Endpoint[];
  /** takes a message that names no single symbol */
  unnamed: (conn: string, data: Buffer, binary: boolean, atMs: number) => void;
  nextId: () => string;
  /** whether missed trades are asked for over REST */
  backfill: boolean;
  /** a message came, before anything is done with it */
  received: (bytes: number) => void;
  /** of a connection plan, for tests */
  adjust?: ((plan: ConnectionPlan) => ConnectionPlan) | undefined;
}

export interface VenueFeed {
  /** the venue's id */
  readonly venue: string;
  readonly connections: readonly Connection[];
  readonly sources: ReadonlyMap<string, SourceRecorder>;
  reconnects: number;
  tick(nowMs: number): void;
  stop(): void;
}

/** What the gap after a lost connection will say; none follows our own end. */
const REASONS: Record<LossCause, GapReason | null> = {
  remote: 'disconnect',
  silence: 'silence',
  rotation: 'disconnect',
  shutdown: 'disconnect',
  stop: null,
};

/** Prepares the connections of one venue; `tick` opens them. */
export function createVenueFeed(options: VenueFeedOptions): VenueFeed {
  const { venue, sources, note, now } = options;
  const routes = new Map<string, Route>();
  const linksOf = new Map<Connection, Map<SourceRecorder, Link>>();
  const connections: Connection[] = [];

  const pace = createPace(venue.rest.snapshotEveryMs);
  const books = createRestBooks(options, pace);
  const backfill = options.backfill ? createMissedTrades(options, pace) : null;

  const events: ConnectionEvents = {
    opened(connection) {
      const atMs = now();
      for (const [source, link] of linksOf.get(connection)!) source.opened(link, connection.id, connection.url, atMs);
    },
    sent(connection, text) {
      for (const source of linksOf.get(connection)!.keys()) source.sent(connection.id, text);
    },
    message(connection, data, binary) {
      // the receive time: before anything is parsed
      const atMs = now();
      options.received(data.length);
      if (binary) [data, binary] = inflated(venue, data);
      if (data.length <= MAX_PING_BYTES && !binary) {
        const answer = venue.answer?.(data.toString('utf8')) ?? null;
        if (answer !== null) connection.answer(answer);
      }
      const topic = binary ? null : venue.topicOf(data, 0, data.length);
      const route = topic === null ? undefined : routes.get(topic);
      if (route === undefined) return unrouted(connection, data, binary, atMs);
      connection.arrived(topic!);
      route.retried = false;
      const { recorder } = route;
      const effect = recorder.message(route, connection.id, data, atMs);
      const isLost = (effect & Effect.lost) !== 0 && recorder.track.state !== 'valid';
      if (isLost)
        note(`${recorder.src}: book lost (${recorder.track.gap?.reason ?? 'unknown'}), asking for a snapshot`, {
          ...{ event: 'book-lost', level: 'warn', venue: venue.id, symbol: recorder.symbol, conn: connection.id },
        });
      if ((effect & Effect.valid) !== 0) {
        books.snapshots.joined(recorder.symbol);
        route.renewAtMs = 0;
        route.renewals = 0;
      } else if (route.book && recorder.track.needsSnapshot) seekSnapshot(connection, topic!, route, atMs, isLost);
    },
    late(connection, topic) {
      const route = routes.get(topic.name)!;
      const { recorder } = route;
      note(
        `${recorder.src}: no data of ${topic.name} within ${waitText(topic.firstDataMs ?? 0)} although it was subscribed`,
        { event: 'late', level: 'warn', venue: venue.id, symbol: recorder.symbol, conn: connection.id },
      );
      if (route.silentFrom === 0) {
        route.silentFrom = route.link.openedT;
        recorder.gap({ stream: topic.channel, from: route.silentFrom, reason: 'silence' }, connection.id);
      }
      // an ack proves nothing: a new connection may be better, but one dead topic must not cost the others data twice
      if (route.retried) return;
      route.retried = true;
      connection.renew('silence');
    },
    closed(connection, code, reason, cause) {
      for (const [source, link] of linksOf.get(connection)!) {
        source.closed(link, connection.id, { code, reason }, REASONS[cause]);
      }
      for (const { name } of connection.plan.topics) routes.get(name)!.renewAtMs = 0;
      if (cause === 'stop') return;
      feed.reconnects++;
      note(
        `${venue.id}: connection ${connection.id} closed (${code}${reason === '' ? '' : `, ${reason}`}); reconnecting`,
        { event: 'reconnect', level: 'warn', venue: venue.id, conn: connection.id, data: { code, reason, cause } },
      );
    },
    failed(connection, why, retryMs) {
      note(`${venue.id}: while connecting to ${connection.url}: ${why}; next attempt in ${waitText(retryMs)}`, {
        ...{ event: 'connect-failed', level: 'warn', venue: venue.id, data: { url: connection.url, retryMs } },
      });
    },
  };

  /** The book waits for a snapshot: from REST, or in its own stream, which brings one after a subscription. */
  function seekSnapshot(connection: Connection, topic: string, route: Route, atMs: number, isLost: boolean): void {
    const { symbol } = route.recorder;
    const { renew } = venue;
    if (renew !== undefined) {
      if (route.renewAtMs === 0 && !isLost) route.renewAtMs = atMs + FIRST_SNAPSHOT_MS;
      if (atMs >= route.renewAtMs) {
        route.renewAtMs = atMs + Math.min(MOST_RENEW_MS, RENEW_MS * 2 ** route.renewals);
        route.renewals++;
        if (route.renewals > MOST_RENEWALS && venue.rest.snapshot === undefined) {
          // there is no other way to a snapshot, and a new connection begins with one
          route.renewals = 0;
          connection.renew('silence');
          return;
        }
        for (const text of renew(topic, route.renewals)) connection.say(text);
      }
      // a stream that brings none after a second subscription never will
      if (route.renewals < MOST_RENEWALS) return;
    }
    if (venue.rest.snapshot === undefined) return;
    books.snapshots.want(symbol);
    books.snapshots.tick(atMs);
  }

  /** Asks again for snapshots that did not come: a stream without one may say nothing more. */
  function seekOverdue(nowMs: number): void {
    for (const connection of connections) {
      if (connection.state !== 'open') continue;
      for (const { name } of connection.plan.topics) {
        const route = routes.get(name)!;
        const isOverdue = route.renewAtMs > 0 && nowMs >= route.renewAtMs;
        if (isOverdue && route.recorder.track.needsSnapshot) seekSnapshot(connection, name, route, nowMs, false);
      }
    }
  }

  /** A message without a known topic: an ack or notice of its connection, or something nobody asked for. */
  function unrouted(connection: Connection, data: Buffer, binary: boolean, atMs: number): void {
    const control = binary || data.length > MAX_CONTROL_BYTES ? null : parseControl(venue, data);
    if (control === null || control.kind === 'other') {
      options.unnamed(connection.id, data, binary, atMs);
      return;
    }
    let copy = false;
    for (const source of linksOf.get(connection)!.keys()) {
      source.other(connection.id, data, binary, atMs, copy);
      copy = true;
    }
    if (control.kind === 'error')
      note(`${venue.id}: the exchange refused a request on ${connection.id}: ${control.text}`, {
        ...{ event: 'refused', level: 'warn', venue: venue.id, conn: connection.id },
      });
    if (control.kind === 'shutdown') {
      note(`${venue.id}: the exchange announced a shutdown on ${connection.id}; reconnecting`, {
        ...{ event: 'shutdown', venue: venue.id, conn: connection.id },
      });
      connection.renew('shutdown');
    }
  }

  function connect(plan: ConnectionPlan): void {
    const connection = new Connection({
      plan,
      url: routeUrl(venue.hosts.ws, plan.path, venue.id, options.endpoints),
      nextId: options.nextId,
      events,
      now,
      random: options.random,
    });
    const links = new Map<SourceRecorder, Link>();
    for (const topic of plan.topics) addTopic(topic, links);
    for (const [source, link] of links) {
      link.whole = link.channels.length === options.channels.length;
      source.links.push(link);
    }
    linksOf.set(connection, links);
    connections.push(connection);
  }

  function addTopic(topic: Topic, links: Map<SourceRecorder, Link>): void {
    const recorder = sources.get(topic.symbol)!;
    let link = links.get(recorder);
    if (link === undefined) {
      link = { channels: [], whole: false, lastT: 0, openedT: 0, owed: null, paid: 0 };
      links.set(recorder, link);
    }
    link.channels.push(topic.channel);
    const { channel } = topic;
    const route = { recorder, link, channel, book: false, chain: venue.tradeChain(), paid: 0 };
    routes.set(topic.name, { ...route, silentFrom: 0, renewAtMs: 0, renewals: 0, retried: false });
  }

  async function exchangeTime(): Promise<void> {
    const startedMs = now();
    try {
      const answer = await options.get(options.restUrl(venue.rest.time));
      for (const source of sources.values()) if (!stopped) source.http(answer, startedMs);
    } catch (error) {
      if (!stopped)
        note(`${venue.id}: ${error instanceof Error ? error.message : String(error)}`, {
          ...{ event: 'rest-failed', level: 'warn', venue: venue.id },
        });
    }
  }

  let stopped = false;
  let timeAtMs = now();
  for (const plan of venue.connections([...options.symbols], [...options.channels]))
    connect(options.adjust?.(plan) ?? plan);

  const feed: VenueFeed = {
    venue: venue.id,
    connections,
    sources,
    reconnects: 0,
    tick(nowMs) {
      for (const connection of connections) connection.tick(nowMs);
      if (stopped) return;
      seekOverdue(nowMs);
      books.tick(nowMs);
      backfill?.tick(nowMs);
      if (nowMs >= timeAtMs) {
        timeAtMs = nowMs + EXCHANGE_TIME_EVERY_MS;
        void exchangeTime();
      }
    },
    stop() {
      stopped = true;
      books.stop();
      backfill?.stop();
      for (const connection of connections) connection.stop();
    },
  };
  return feed;
}

/** The text in a compressed message; the bytes as they are where they are none. */
function inflated(venue: Venue, data: Buffer): [data: Buffer, binary: boolean] {
  if (venue.inflate === undefined) return [data, true];
  try {
    return [Buffer.from(venue.inflate(data)), false];
  } catch {
    return [data, true];
  }
}

function parseControl(venue: Venue, data: Buffer): ReturnType<Venue['control']> | null {
  try {
    return venue.control(JSON.parse(data.toString('utf8')));
  } catch {
    return null;
  }
}
