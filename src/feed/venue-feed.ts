/** Everything live of one venue: its connections, its srcs, and the way of a message from one to the other. */
import { Effect } from '../market/track.js';
import type { GapReason } from '../model/entry.js';
import type { ConnectionPlan, Topic, Venue } from '../venues/venue.js';
import { waitText } from './backoff.js';
import { Connection, type ConnectionEvents, type LossCause } from './connection.js';
import { isCovered, type Link } from './coverage.js';
import { type Endpoint, routeUrl } from './endpoint.js';
import { createLane, type Lane } from './lanes.js';
import { createMissedTrades } from './missed-trades.js';
import { createPace } from './pace.js';
import { createRestBooks, type RestBooksOptions } from './rest-books.js';
import { createSnapshotSeeker } from './snapshot-seeker.js';
import type { Route, SourceRecorder } from './source.js';
import { createTradeUnion, unprovenUnion } from './trade-union.js';

/** Acks and notices are short; what is longer and has no known topic is not looked into. */
const MAX_CONTROL_BYTES = 64 * 1024;
const EXCHANGE_TIME_EVERY_MS = 600_000;
/** A ping of a venue's own is shorter than any message with data. */
const MAX_PING_BYTES = 256;
/** A socket that ended without a closing handshake. */
const ABNORMAL = 1006;
/** Connections side by side open so far apart, and each is replaced at another age: what ends them does not end all at once. */
const STAGGER_MS = 250;
/** by which part of the lifetime each is replaced before the one before it */
const EARLIER = 1 / 16;

export interface VenueFeedOptions extends RestBooksOptions {
  symbols: readonly string[];
  channels: readonly string[];
  endpoints: readonly Endpoint[];
  /** connections side by side for each plan */
  redundancy: number;
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
  readonly lanes: readonly Pick<Lane, 'connections'>[];
  /** all that are not stopped, replacements included */
  readonly connections: readonly Connection[];
  readonly sources: ReadonlyMap<string, SourceRecorder>;
  /** connections lost; those that were replaced are none */
  reconnects: number;
  /** what came of the newest attempt to connect that failed; null before any */
  refusal: string | null;
  tick(nowMs: number): void;
  stop(): void;
}

/** What a gap after the end of a connection will say; none follows our own end. */
const REASONS: Record<LossCause, GapReason | null> = {
  remote: 'disconnect',
  silence: 'silence',
  // where the one that goes on was lost at the same time
  replaced: 'disconnect',
  unfit: 'disconnect',
  stop: null,
};

/** A connection's place: the lane it is of, and what its plan brings for each src. */
interface Place {
  lane: Lane;
  links: ReadonlyMap<SourceRecorder, Link>;
  /** answers to what the newest socket asked for; NaN where they cannot be told apart any more */
  acks: number;
  /** topics asked for once more, so far */
  asked: number;
  /** topics that the newest socket was refused: what comes of them all the same is nobody's data */
  refused: Set<string>;
}

/** Prepares the connections of one venue; `tick` opens them. */
export function createVenueFeed(options: VenueFeedOptions): VenueFeed {
  const { venue, sources, note, now } = options;
  const routes = new Map<string, Route>();
  const places = new WeakMap<Connection, Place>();
  const lanes: Lane[] = [];

  // an address may open so many connections in a second, whatever they are for
  const starts = createPace(venue.hosts.connectEveryMs ?? 0);
  const turn = (nowMs: number): boolean => {
    if (!starts.free(nowMs)) return false;
    starts.started(nowMs);
    return true;
  };
  const pace = createPace(venue.rest.snapshotEveryMs);
  const books = createRestBooks(options, pace);
  const backfill = options.backfill ? createMissedTrades(options, pace) : null;
  const seeker = createSnapshotSeeker(venue, books.snapshots);
  const placeOf = (connection: Connection): Place => places.get(connection)!;

  const events: ConnectionEvents = {
    opened(connection) {
      const atMs = now();
      const place = placeOf(connection);
      place.acks = 0;
      place.asked = 0;
      place.refused.clear();
      for (const [source, link] of place.links) source.opened(link, connection.id, connection.url, atMs);
    },
    sent(connection, text) {
      for (const source of placeOf(connection).links.keys()) source.sent(connection.id, text);
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
      const place = placeOf(connection);
      if (place.refused.has(topic!)) return options.unnamed(connection.id, data, binary, atMs);
      connection.arrived(topic!);
      place.lane.arrived(connection, topic!, atMs);
      const { recorder } = route;
      const effect = recorder.message(route, connection.id, data, atMs);
      const isLost = (effect & Effect.lost) !== 0 && recorder.track.state !== 'valid';
      if (isLost)
        note(`${recorder.src}: book lost (${recorder.track.gap?.reason ?? 'unknown'}), asking for a snapshot`, {
          ...{ event: 'book-lost', level: 'warn', venue: venue.id, symbol: recorder.symbol, conn: connection.id },
        });
      if ((effect & Effect.valid) !== 0) seeker.joined(route);
      else if (route.book && recorder.track.needsSnapshot) seeker.seek(connection, topic!, route, atMs, isLost);
    },
    late(connection, topics) {
      for (const topic of topics) missed(connection, topic);
      const { lane, refused } = placeOf(connection);
      // a replacement is judged as such
      if (lane.connections[0] !== connection) return;
      const fresh = topics.filter(({ name }) => !lane.retried.has(name) && !refused.has(name));
      if (fresh.length > 0) askAgain(connection, fresh);
    },
    closed(connection, code, reason, cause) {
      const { lane, links } = placeOf(connection);
      // a closing handshake comes behind all there was to say
      const workedMs = code === ABNORMAL ? connection.lastMessageMs : null;
      const ending = { code, reason, workedMs };
      for (const [source, link] of links) source.closed(link, connection.id, ending, REASONS[cause]);
      for (const { name } of connection.plan.topics) {
        const route = routes.get(name)!;
        // the next socket brings a snapshot of its own accord
        if (route.link.legs.length === 0) route.renewAtMs = 0;
      }
      if (cause === 'stop') return;
      const ended = `${venue.id}: connection ${connection.id} closed (${code}${reason === '' ? '' : `, ${reason}`})`;
      if (cause === 'replaced' || cause === 'unfit')
        return note(ended, { event: cause, venue: venue.id, conn: connection.id });
      feed.reconnects++;
      lane.lost(connection);
      note(`${ended}; ${connection.state === 'stopped' ? 'its replacement goes on' : 'reconnecting'}`, {
        ...{ event: 'reconnect', level: 'warn', venue: venue.id, conn: connection.id, data: { code, reason, cause } },
      });
    },
    failed(connection, why, retryMs) {
      for (const [source, link] of placeOf(connection).links) source.unreached(link);
      feed.refusal = `connecting to ${connection.url}: ${why}`;
      note(`${venue.id}: while ${feed.refusal}; next attempt in ${waitText(retryMs)}`, {
        ...{ event: 'connect-failed', level: 'warn', venue: venue.id, data: { url: connection.url, retryMs } },
      });
    },
  };

  /** A topic missed the deadline for its first data. */
  function missed(connection: Connection, topic: Topic): void {
    const route = routes.get(topic.name)!;
    const { recorder, link } = route;
    note(
      `${recorder.src}: no data of ${topic.name} within ${waitText(topic.firstDataMs ?? 0)} although it was subscribed`,
      { event: 'late', level: 'warn', venue: venue.id, symbol: recorder.symbol, conn: connection.id },
    );
    if (route.silentFrom > 0 || isCovered(link, route, recorder.track.t)) return;
    route.silentFrom = link.legs.find(({ conn }) => conn === connection.id)?.openedT ?? link.lastT;
    recorder.losses.tell({ stream: topic.channel, from: route.silentFrom, reason: 'silence' }, connection.id);
  }

  /**
   * Asks once more for topics that are late: an ack proves nothing. Where others came, on the same connection, since a dead topic
   * must not cost the others data; else on a new one, which asks for all that is missing at once.
   */
  function askAgain(connection: Connection, topics: readonly Topic[]): void {
    const { plan, id } = connection;
    const place = placeOf(connection);
    const { retried } = place.lane;
    for (const { name } of topics) retried.add(name);
    const came = ({ name }: Topic): boolean => routes.get(name)!.carried.has(id);
    if (plan.topics.some(came)) {
      const names = topics.map(({ name }) => name);
      connection.ask(venue.again?.(names) ?? names.flatMap((name) => venue.renew?.(name, ++place.asked) ?? []));
      // answers to these look like those that may be missing still
      place.acks = Number.NaN;
      return;
    }
    for (const { name, firstDataMs } of plan.topics) if (firstDataMs !== null) retried.add(name);
    connection.renew();
  }

  /** A message without a known topic: an ack or notice of its connection, or something nobody asked for. */
  function unrouted(connection: Connection, data: Buffer, binary: boolean, atMs: number): void {
    const control = binary || data.length > MAX_CONTROL_BYTES ? null : parseControl(venue, data);
    if (control === null || control.kind === 'other') {
      options.unnamed(connection.id, data, binary, atMs);
      return;
    }
    const place = placeOf(connection);
    let copy = false;
    for (const source of place.links.keys()) {
      source.other(connection.id, data, binary, atMs, copy);
      copy = true;
    }
    if (control.kind === 'ack' && ++place.acks === connection.plan.subscribe.length)
      for (const [source, link] of place.links) source.subscribed(link, connection.id);
    if (control.kind === 'error') {
      const { single, topics } = connection.plan;
      const topic = single === true && control.id !== null ? topics[control.id - 1] : undefined;
      if (topic !== undefined) place.refused.add(topic.name);
      for (const [source, link] of place.links) source.refused(link);
      note(`${venue.id}: the exchange refused a request on ${connection.id}: ${control.text}`, {
        ...{ event: 'refused', level: 'warn', venue: venue.id, conn: connection.id },
      });
    }
    if (control.kind === 'shutdown') {
      note(`${venue.id}: the exchange announced a shutdown on ${connection.id}`, {
        ...{ event: 'shutdown', venue: venue.id, conn: connection.id },
      });
      place.lane.leaving(connection);
    }
  }

  /** The lanes of a plan. */
  function open(plan: ConnectionPlan): void {
    const links = new Map<SourceRecorder, Link>();
    for (const topic of plan.topics) addTopic(topic, links);
    for (const [source, link] of links) {
      link.whole = link.channels.length === options.channels.length;
      source.links.push(link);
    }
    for (let k = 0; k < options.redundancy; k++) {
      const url = routeUrl(venue.hosts.ws, plan.path, venue.id, options.endpoints, k);
      const lane: Lane = createLane({
        startMs: startedMs + k * STAGGER_MS,
        replaceAfterMs: plan.lifetimeMs === null ? null : plan.lifetimeMs * (1 - k * EARLIER),
        random: options.random,
        create() {
          const { nextId, random } = options;
          const connection = new Connection({ plan, url, nextId, events, now, random, turn });
          places.set(connection, {
            get lane() {
              return lane;
            },
            links,
            acks: 0,
            asked: 0,
            refused: new Set(),
          });
          return connection;
        },
        replacing({ id }, cause) {
          const why = cause === 'lifetime' ? 'is old' : 'is about to end';
          note(`${venue.id}: connection ${id} ${why}; a replacement is opened beside it`, {
            ...{ event: 'replacing', venue: venue.id, conn: id, data: { cause } },
          });
        },
        unfit({ id }, retryMs) {
          note(
            `${venue.id}: connection ${id} does not bring what it is to replace; next attempt in ${waitText(retryMs)}`,
            { event: 'replacement-failed', level: 'warn', venue: venue.id, conn: id, data: { retryMs } },
          );
        },
      });
      lanes.push(lane);
    }
  }

  function addTopic({ name, symbol, channel, firstDataMs }: Topic, links: Map<SourceRecorder, Link>): void {
    const recorder = sources.get(symbol)!;
    let link = links.get(recorder);
    if (link === undefined) {
      link = { channels: [], whole: false, topics: [], legs: [], lastT: 0, isRefused: false, isOut: false };
      links.set(recorder, link);
    }
    const route: Route = {
      ...{ recorder, link, channel, isAcked: false, book: false, silentFrom: 0, renewAtMs: 0, renewals: 0 },
      ...{ isQuiet: firstDataMs === null, identity: 'none', carried: new Map(), owed: null, toldT: 0 },
      trades: venue.tradeChain().numbered ? createTradeUnion() : unprovenUnion(),
    };
    link.channels.push(channel);
    link.topics.push(route);
    recorder.routes.push(route);
    routes.set(name, route);
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
  const startedMs = now();
  let timeAtMs = startedMs;
  for (const plan of venue.connections([...options.symbols], [...options.channels]))
    open(options.adjust?.(plan) ?? plan);

  const feed: VenueFeed = {
    venue: venue.id,
    lanes,
    get connections() {
      return lanes.flatMap(({ connections }) => connections);
    },
    sources,
    reconnects: 0,
    refusal: null,
    tick(nowMs) {
      for (const lane of lanes) lane.tick(nowMs);
      if (stopped) return;
      for (const { connections } of lanes) seeker.overdue(connections, routes, nowMs);
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
      for (const lane of lanes) lane.stop();
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
