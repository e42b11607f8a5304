/** A tape served as one venue: each client plays it for itself, and is paused where it does not read. */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Micros } from '../model/entry.js';
import type { Injection } from '../tape/inject.js';
import { createKeeper, type Kept } from './keeper.js';
import { createPlaces, type PlacesOptions } from './places.js';
import { cut, dismiss, failure, openPort, textOf } from './port.js';
import { createTapeClient, type Ending, type TapeClient } from './tape-client.js';
import type { Leaving, TapeClock } from './tape-clock.js';
import { createTapeRest } from './tape-rest.js';

export interface TapeExchangeOptions extends PlacesOptions {
  speed: number;
  maxIdleMicros?: Micros | undefined;
  /** clients are cut where the tape says that the recorder was */
  reenact: boolean;
  host: string;
  port: number;
  /** the clock of those who start at this time, as typed; null where nothing was. @throws {TapedeckError} E_USAGE */
  clockOf(from: string | null): Promise<TapeClock>;
  /** milliseconds without a word from a client after which the tape begins */
  settleMs: number;
  note(text: string): void;
  /** looked at now and then, and when a client has gone */
  changed(): void;
}

export interface TapeExchange {
  wsUrl: string;
  httpUrl: string;
  /** messages of topics sent so far */
  readonly sent: number;
  /** clients who asked for something */
  readonly playing: number;
  /** somebody heard the end of the tape */
  readonly ended: boolean;
  stop(): Promise<void>;
}

const HOUSEKEEPING_MS = 100;
/** Topics of which is said what becomes of them, and the letters of each. */
const MOST_REMARKS = 200;
const MOST_NAMED = 80;
const ENDED = 'the tape has ended';

interface Member extends TapeClient, Kept {
  id: number;
  injection: Injection | null;
}

/** Starts serving. @throws {TapedeckError} E_CONNECT when the port cannot be had */
export async function serveTapeVenue(options: TapeExchangeOptions): Promise<TapeExchange> {
  const { venue, range, speed, maxIdleMicros, reenact, clockOf, settleMs, note } = options;
  const clients = new Set<Member>();
  const noted = new Set<string>();
  /** by clients that are gone */
  let sentBefore = 0;
  let nextClient = 1;
  let ended = false;
  let running = true;
  const places = createPlaces(options);
  const rest = createTapeRest({
    places,
    symbols: options.headers.map(({ symbol }) => symbol),
    furthest: (clock) =>
      [...clients]
        .filter((client) => client.live && client.clock === clock)
        .reduce<Member | null>(
          (best, one) => (best === null || one.market.now() > best.market.now() ? one : best),
          null,
        ),
  });

  // ---- clients

  const forget = (client: Member, why: Leaving): void => {
    if (!clients.delete(client)) return;
    client.stop();
    sentBefore += client.sent;
    if (client.injection !== null) note(`${venue.id} client ${client.id}: injected: ${client.injection.summary()}`);
    const { clock } = client;
    clock.leave(
      venue.id,
      why,
      [...clients].some((other) => other.live && other.clock === clock),
    );
    options.changed();
  };

  const say = (client: Member, code: number, reason: string, why: Leaving = 'left'): void => {
    if (!clients.has(client)) return;
    dismiss(client.socket, code, reason);
    forget(client, why);
  };

  /** Without a word, behind what is in flight. */
  const silence = (client: Member, why: Leaving = 'left'): void => {
    if (!clients.has(client)) return;
    cut(client.socket, client.stream);
    forget(client, why);
  };

  const over = (client: Member, ending: Ending): void => {
    switch (ending.how) {
      case 'ended':
        ended = true;
        say(client, 1000, ENDED, 'ended');
        // who has asked for nothing has nothing left to ask for
        for (const other of clients) if (!other.busy && other.clock === client.clock) say(other, 1000, ENDED);
        break;
      case 'lost':
        if (isSayable(ending.code)) say(client, ending.code, ending.reason, 'lost');
        else silence(client, 'lost');
        break;
      case 'failed':
        note(`${venue.id}: ${ending.reason}`);
        say(client, 1011, ending.reason);
        break;
    }
  };

  const remark = (topic: string, text: string): void => {
    // a topic may be whatever a client made up
    const name = topic.length > MOST_NAMED ? `${topic.slice(0, MOST_NAMED)}…` : topic;
    if (noted.has(name) || noted.size > MOST_REMARKS) return;
    noted.add(name);
    note(
      noted.size > MOST_REMARKS ? `${venue.id}: and more topics than are told here` : `${venue.id} ${name}: ${text}`,
    );
  };

  const welcome = (socket: WebSocket, stream: Duplex, path: string, clock: TapeClock): void => {
    // it may be gone before its clock was found
    if (socket.readyState !== socket.OPEN) return;
    const from = clock.position();
    const place = places.at(from);
    const served = place.server.connect(path);
    if (served === null || !running) {
      void place.cursor.close();
      dismiss(socket, 1011, 'no such address');
      return;
    }
    const faulty = places.faultyAt(from);
    const made = createTapeClient({
      ...{ ...place, socket, stream, served, clock, faulty, speed, maxIdleMicros, reenact, settleMs, remark },
      started: () => clock.plays(venue.id),
      over: (ending) => over(client, ending),
    });
    const client: Member = Object.assign(made, { id: nextClient++, injection: faulty?.injection ?? null, pings: 0 });
    clients.add(client);
    clock.enter();
    for (const reply of client.server.greeting?.(served) ?? []) client.say(reply.text);
    socket.on('message', (data: RawData) => client.hear(textOf(data)));
    socket.on('pong', () => {
      client.pings = 0;
    });
    socket.on('close', () => forget(client, 'left'));
    // the address itself may name topics
    client.hear(null);
  };

  /** The clock that a question without a start means: the only one that is played, else that of the whole tape. */
  const clockAsked = async (path: string): Promise<TapeClock> => {
    const from = fromIn(path);
    const played = new Set([...clients].map(({ clock }) => clock));
    const [only] = played;
    return from === null && played.size === 1 ? only : await clockOf(from);
  };

  // faults that cannot be are refused before somebody comes
  await places.faultyAt(range.from ?? 0)?.cursor.close();
  /** of the venue itself, to say whether there is such an address before a place is found */
  const probe = places.at(range.from ?? 0);
  await probe.cursor.close();
  const port = await openPort({
    host: options.host,
    port: options.port,
    connect(path) {
      if (!running || probe.server.connect(path) === null) return { status: 404, body: '' };
      return (socket, stream) => {
        // what it says meanwhile is not lost
        socket.pause();
        const refuse = (code: number, error: unknown): void =>
          dismiss(socket, code, error instanceof Error ? error.message : String(error));
        void clockOf(fromIn(path))
          .then(
            (clock) => welcome(socket, stream, path, clock),
            (error: unknown) => refuse(1008, error),
          )
          .catch((error: unknown) => refuse(1011, error))
          .finally(() => socket.resume());
      };
    },
    async rest(method, path) {
      if (method !== 'GET') return { status: 405, body: '{"msg":"Only GET is served."}' };
      let clock: TapeClock;
      try {
        clock = await clockAsked(path);
      } catch (error) {
        return failure(error, 400);
      }
      return await rest.answer(path, clock);
    },
  });
  const keep = createKeeper<Member>({
    rules: probe.server,
    since: performance.now(),
    pingText: ({ market }) => String(Math.floor(market.now() / 1000)),
    beat(client) {
      const text = client.server.beat?.text(client.served) ?? null;
      if (text !== null && clients.has(client)) client.say(text);
    },
    deaf: (client) => say(client, 1008, 'no pong'),
    mute: (client) => silence(client),
  });
  const timer = setInterval(() => {
    keep(clients, performance.now());
    options.changed();
  }, HOUSEKEEPING_MS);

  return {
    wsUrl: `ws://${port.place}`,
    httpUrl: `http://${port.place}`,
    get sent() {
      return [...clients].reduce((sum, client) => sum + client.sent, sentBefore);
    },
    get playing() {
      return [...clients].filter(({ busy }) => busy).length;
    },
    get ended() {
      return ended;
    },
    async stop() {
      if (!running) return;
      running = false;
      rest.stop();
      clearInterval(timer);
      for (const client of [...clients]) say(client, 1001, 'the replay stops');
      await port.close();
    },
  };
}

/** The start that a client chose, as typed; a plus sign in an address means a blank. */
function fromIn(path: string): string | null {
  const mark = path.indexOf('?');
  const from = mark < 0 ? null : new URLSearchParams(path.slice(mark + 1)).get('from');
  return from === null ? null : from.replace(/^ /, '+');
}

/** Codes that one side may say; the others tell of a connection that was lost. */
const isSayable = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
