/** A market served as its exchange: one loopback port with WebSocket streams and REST, in real time. */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Micros } from '../model/entry.js';
import type { Reply, ServedClient, ServedEvent, ServedMarket, VenueServer } from '../venues/venue.js';
import { type Controls, createFaults } from './faults.js';
import { createKeeper, type Kept } from './keeper.js';
import { type Ledger, openLedger } from './ledger.js';
import { type Answer, cut, dismiss, openPort, type Port, textOf } from './port.js';

/** A market whose clock is moved by whoever serves it. */
export interface MarketSource extends ServedMarket {
  /** moves to this time; what was emitted meanwhile, in order of `emitted` */
  advance(until: Micros): ServedEvent[];
}

export interface ServeOptions {
  venue: { server(market: ServedMarket): VenueServer };
  /** data time starts where the market stands and runs at the speed of the monotonic clock */
  market: MarketSource;
  /** default 127.0.0.1 */
  host?: string;
  /** 0, the default, takes a free one */
  port?: number;
  /** path of the ledger file; none by default */
  ledger?: string;
  /** data time at which nothing more is made and `done` resolves; clients stay until `stop` */
  until?: Micros;
  /** milliseconds between two cuts of the oldest connection of each path; none by default */
  cutEveryMs?: number;
  /** milliseconds between batches, default 5 */
  tickMs?: number;
  /** bytes a client may be behind before it is closed with 1008, default 16 MiB */
  maxBacklog?: number;
  /** monotonic milliseconds; for tests */
  clock?: () => number;
}

export interface ServedExchange {
  /** `ws://127.0.0.1:43210` */
  wsUrl: string;
  /** `http://127.0.0.1:43210` */
  httpUrl: string;
  controls: Controls;
  /** messages sent so far, answers included */
  readonly sent: number;
  /** clients connected */
  readonly connected: number;
  /** resolves at `until` or after `stop`; rejects when the ledger cannot be written or the market fails */
  readonly done: Promise<void>;
  /** closes clients with 1001, the port and the ledger. @throws {TapedeckError} when the ledger could not be written */
  stop(): Promise<void>;
}

const TICK_MS = 5;
/** Data time made in one go: a late server catches up in pieces and hears its clients in between. */
const MOST_MICROS_PER_BATCH = 50_000;
const MAX_BACKLOG = 16 << 20;

interface Client extends Kept {
  id: number;
  path: string;
  stream: Duplex;
  served: ServedClient;
  /** by the clock */
  saidAt: number;
}

/**
 * Starts serving.
 * @throws {TapedeckError} E_CONNECT when the port cannot be had, or what opening the ledger throws
 */
export async function serveExchange(options: ServeOptions): Promise<ServedExchange> {
  const { venue, market, host = '127.0.0.1', port = 0, tickMs = TICK_MS, maxBacklog = MAX_BACKLOG } = options;
  const clock = options.clock ?? (() => performance.now());
  const until = options.until ?? Number.POSITIVE_INFINITY;
  const server = venue.server(market);
  const faults = createFaults();
  const clients = new Map<number, Client>();
  let nextClient = 1;
  let sent = 0;
  let running = true;
  let fail: (error: unknown) => void = () => {};
  let finish: () => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  done.catch(() => {}); // whoever cares awaits it

  const ledger: Ledger | null = options.ledger === undefined ? null : await openLedger(options.ledger, (e) => fail(e));

  // ---- clients

  const forget = (client: Client, code: number, reason: string): boolean => {
    if (!clients.delete(client.id)) return false;
    const unsent = client.socket.bufferedAmount;
    ledger?.change(market.now(), client.id, { closed: { code, reason, ...(unsent > 0 ? { unsent } : {}) } });
    return true;
  };

  const close = (client: Client, code: number, reason: string): void => {
    if (forget(client, code, reason)) dismiss(client.socket, code, reason);
  };

  /** FIN after what is in flight: the client gets all that the ledger says, but no closing handshake. */
  const lose = (client: Client, reason: string): void => {
    if (forget(client, 1006, reason)) cut(client.socket, client.stream);
  };

  const cutOldest = (): void => {
    const paths = new Set<string>();
    for (const client of [...clients.values()]) {
      if (!paths.has(client.path)) lose(client, 'cut as ordered');
      paths.add(client.path);
    }
  };

  const send = (client: Client, topic: string | null, text: string, t: Micros): void => {
    ledger?.message(t, client.id, topic, text);
    client.socket.send(server.pack === undefined ? text : server.pack(text));
    sent++;
  };

  const reply = (client: Client, replies: readonly Reply[]): void => {
    for (const { topic, text } of replies) {
      const lost = topic !== null && faults.loses(topic);
      if (lost) ledger?.message(market.now(), client.id, topic, text, true);
      else send(client, topic, text, market.now());
    }
  };

  const welcome = (socket: WebSocket, stream: Duplex, path: string, served: ServedClient): void => {
    const client: Client = { id: nextClient++, path, socket, stream, served, pings: 0, saidAt: clock() };
    clients.set(client.id, client);
    ledger?.change(market.now(), client.id, { opened: { path } });
    reply(client, server.greeting?.(served) ?? []);
    socket.on('message', (data: RawData) => {
      if (!clients.has(client.id)) return;
      client.saidAt = clock();
      try {
        reply(client, server.receive(served, textOf(data)));
      } catch (error) {
        close(client, 1011, error instanceof Error ? error.message : String(error));
      }
    });
    socket.on('pong', () => {
      client.pings = 0;
    });
    socket.on('close', (code) => forget(client, code, ''));
  };

  // ---- market data

  /** One event to everybody who asked for it, in the venue's words. */
  const deliver = (event: ServedEvent): void => {
    for (const { topic, text } of server.render(event)) {
      let lost: boolean | null = null;
      for (const client of clients.values()) {
        const message = server.wrap(client.served, topic, text);
        if (message === null || client.socket.readyState !== client.socket.OPEN) continue;
        lost ??= faults.loses(topic);
        if (lost) ledger?.message(event.emitted, client.id, topic, message, true);
        else send(client, topic, message, event.emitted);
      }
    }
  };

  const batch = (until: Micros): void => {
    const events = market.advance(until);
    for (const client of clients.values()) client.stream.cork();
    const corked = [...clients.values()];
    for (const event of events) deliver(event);
    for (const client of corked) client.stream.uncork();
    for (const client of corked)
      if (client.socket.bufferedAmount > maxBacklog) close(client, 1008, 'too slow: the backlog is full');
  };

  const startClock = clock();
  const { cutEveryMs = Number.POSITIVE_INFINITY } = options;
  let cutAt = startClock + cutEveryMs;
  const startData = market.now();
  const keep = createKeeper<Client>({
    rules: server,
    since: startClock,
    pingText: () => String(Math.floor(market.now() / 1000)),
    beat(client) {
      const text = server.beat?.text(client.served) ?? null;
      if (text !== null && clients.has(client.id)) send(client, null, text, market.now());
    },
    deaf: (client) => close(client, 1008, 'no pong'),
    mute: (client) => lose(client, 'nothing was said for too long'),
  });
  let timer: NodeJS.Timeout | undefined;

  const tick = (): void => {
    if (!running) return;
    try {
      const now = clock();
      const target = Math.min(until, startData + Math.floor((now - startClock) * 1000));
      if (target > market.now()) batch(Math.min(target, market.now() + MOST_MICROS_PER_BATCH));
      keep(clients.values(), now);
      if (now >= cutAt) {
        cutAt = now + cutEveryMs;
        cutOldest();
      }
      if (market.now() >= until) finish();
      timer = setTimeout(tick, market.now() < target ? 0 : tickMs);
    } catch (error) {
      fail(error);
    }
  };

  // ---- the port

  const rest = (method: string, path: string): Answer => {
    const forced = faults.takeRestStatus();
    if (forced !== null) return { status: forced, body: `{"code":-1003,"msg":"Status ${forced} as ordered."}` };
    if (method !== 'GET') return { status: 405, body: '{"code":-1000,"msg":"Only GET is served."}' };
    return server.rest(path, market);
  };

  let listening: Port;
  try {
    listening = await openPort({
      host,
      port,
      rest,
      connect(path) {
        if (faults.refuses) return { status: 503, body: '' };
        const served = running ? server.connect(path) : null;
        if (served === null) return { status: 404, body: '' };
        return (socket, stream) => welcome(socket, stream, path, served);
      },
    });
  } catch (error) {
    await ledger?.close();
    throw error;
  }
  tick();

  return {
    wsUrl: `ws://${listening.place}`,
    httpUrl: `http://${listening.place}`,
    done,
    get sent() {
      return sent;
    },
    get connected() {
      return clients.size;
    },
    controls: {
      dropNext: faults.dropNext,
      silence: faults.silence,
      refuse: faults.refuse,
      cutOldest,
      say(text) {
        for (const client of clients.values()) send(client, null, text, market.now());
      },
      restStatus: faults.restStatus,
      disconnect(id) {
        for (const client of [...clients.values()]) {
          if (id === undefined || client.id === id) lose(client, 'cut as ordered');
        }
      },
    },
    async stop() {
      if (running) {
        running = false;
        clearTimeout(timer);
        for (const client of [...clients.values()]) close(client, 1001, 'the exchange stops');
        await listening.close();
        finish();
      }
      await ledger?.close();
    },
  };
}
