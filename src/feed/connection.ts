/** One planned connection: opens its socket, subscribes, watches for silence, and opens the next when one is lost. */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ConnectionPlan, Topic } from '../venues/venue.js';
import { type Backoff, backoffMs } from './backoff.js';
import { retryAfter } from './rest.js';
import { createVigil, type Vigil } from './vigil.js';

/** `waiting` for its next attempt; `stopped` for good. */
export type ConnectionState = 'waiting' | 'connecting' | 'open' | 'closing' | 'stopped';

/**
 * Why a connection ended, seen from here; `remote` is everything that was not our decision. `replaced`: another one goes on with
 * all it brought; `unfit`: it was to be that other one and did not bring it.
 */
export type LossCause = 'remote' | 'silence' | 'replaced' | 'unfit' | 'stop';

/** What happens on a connection, in order: opened, (sent | message | late)*, closed; then again from the start. */
export interface ConnectionEvents {
  opened(connection: Connection): void;
  sent(connection: Connection, text: string): void;
  /** `data` belongs to the receiver */
  message(connection: Connection, data: Buffer, binary: boolean): void;
  /** topics missed the deadline for their first data, all that are due at once */
  late(connection: Connection, topics: readonly Topic[]): void;
  /** a socket that was open is gone */
  closed(connection: Connection, code: number, reason: string, cause: LossCause): void;
  /** an attempt failed before the socket was open; the next comes in `retryMs` */
  failed(connection: Connection, why: string, retryMs: number): void;
}

export interface ConnectionOptions {
  plan: ConnectionPlan;
  url: string;
  /** names the next socket: `<recorder>.<n>` */
  nextId: () => string;
  events: ConnectionEvents;
  /** monotonic ms */
  now: () => number;
  /** uniform in [0, 1) */
  random: () => number;
  /** takes its turn to connect at monotonic `nowMs`; false where it is not its turn yet, missing where it always is */
  turn?: (nowMs: number) => boolean;
  handshakeTimeoutMs?: number;
  maxMessageBytes?: number;
  backoff?: Backoff;
}

/** Nothing a venue sends is near this; a message beyond it closes the connection (code 1009). */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;
const HANDSHAKE_MS = 10_000;
/** Firewalls of some venues refuse who does not name himself. */
const USER_AGENT = 'tapedeck';
const BACKOFF: Backoff = { firstMs: 500, mostMs: 30_000 };
/** A peer that sends nothing for this long after our close is cut off, and one that does not stop sending after the other. */
const CLOSE_MS = 2_000;
const CLOSE_MOST_MS = 10_000;
/** A connection that lasted this long starts the backoff anew: some venues allow one in a second. */
const STABLE_MS = 1_000;

/** Driven by `tick`: it owns no timers. */
export class Connection {
  readonly plan: ConnectionPlan;
  readonly url: string;
  state: ConnectionState = 'waiting';
  /** of the newest socket; empty before the first */
  id = '';
  /** monotonic ms of the newest message (or of opening) */
  lastMessageMs = 0;
  /** monotonic ms of the newest opening */
  openedMs = 0;
  /** monotonic ms at which all texts of the plan had been sent on the newest socket; NaN before that */
  askedMs = Number.NaN;
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #cause: LossCause = 'remote';
  #isFinal = false;
  #failure = '';
  #attempts = 0;
  #retryAtMs = 0;
  #closeMs = 0;
  /** next text of the plan to send, and when */
  #next = 0;
  #sendAtMs = 0;
  #pingAtMs = 0;
  /** texts to send after those of the plan, at the same pace */
  #more: string[] = [];
  /** topics without data yet on this socket -> when that becomes late: data may come before all is subscribed */
  readonly #awaited = new Map<string, { topic: Topic; atMs: number }>();
  readonly #vigil: Vigil;
  #retryAfterMs: number | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.plan = options.plan;
    this.url = options.url;
    this.#vigil = createVigil(options.plan);
  }

  /** Does what is due at monotonic `nowMs`: connect, send, give up on a silent socket. */
  tick(nowMs: number): void {
    if (this.state === 'waiting') {
      if (nowMs >= this.#retryAtMs && this.#options.turn?.(nowMs) !== false) this.#connect();
    } else if (this.state === 'open') this.#watch(nowMs);
    else if (this.state === 'closing') {
      // what was under way when we closed still arrives, before the peer's answer
      const quiet = nowMs >= Math.max(this.#closeMs, this.lastMessageMs) + CLOSE_MS;
      if (quiet || nowMs >= this.#closeMs + CLOSE_MOST_MS) this.#socket?.terminate();
    }
  }

  /** The topic's data was seen on this socket. */
  arrived(topic: string): void {
    this.#vigil.data();
    if (this.#awaited.size > 0) this.#awaited.delete(topic);
  }

  /** Sends a text beyond those of the plan. */
  say(text: string): void {
    if (this.state !== 'open') return;
    this.#socket?.send(text);
    this.#options.events.sent(this, text);
  }

  /** Sends texts beyond those of the plan, at its pace. */
  ask(texts: readonly string[]): void {
    if (this.state === 'open') this.#more.push(...texts);
  }

  /** Answers a ping of the venue's own; like ours, it is no event. */
  answer(text: string): void {
    if (this.state === 'open') this.#socket?.send(text);
  }

  /** Gives the socket up, so that a new one is opened; a peer that says nothing is not waited for. */
  renew(): void {
    if (this.state !== 'open') return;
    this.#cause = 'silence';
    this.#close();
    this.#socket?.terminate();
  }

  /** Closes for good; `closed` still follows when a socket was open. */
  stop(cause: 'stop' | 'replaced' | 'unfit' = 'stop'): void {
    this.#isFinal = true;
    if (this.state === 'open' || this.state === 'closing') {
      // what began to end for another reason ends for that one
      if (this.state === 'open' || cause === 'stop') this.#cause = cause;
      if (this.state === 'open') this.#close();
    } else {
      this.state = 'stopped';
      this.#socket?.terminate();
    }
  }

  #close(): void {
    this.state = 'closing';
    this.#closeMs = this.#options.now();
    this.#socket?.close(1000);
  }

  #connect(): void {
    const { handshakeTimeoutMs = HANDSHAKE_MS, maxMessageBytes = MAX_MESSAGE_BYTES } = this.#options;
    this.state = 'connecting';
    this.#failure = '';
    this.#retryAfterMs = null;
    const socket = new WebSocket(this.url, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeTimeoutMs,
      maxPayload: maxMessageBytes,
      headers: { 'User-Agent': USER_AGENT },
      // invalid UTF-8 is received too: it is kept as a `bin` entry
      skipUTF8Validation: true,
    });
    this.#socket = socket;
    socket.on('open', () => this.#opened());
    socket.on('message', (data: Buffer, binary: boolean) => {
      this.lastMessageMs = this.#options.now();
      this.#vigil.message(this.lastMessageMs);
      this.#options.events.message(this, data, binary);
    });
    const sign = (): void => this.#vigil.sign(this.#options.now());
    socket.on('ping', sign);
    socket.on('pong', sign);
    socket.on('error', (error) => {
      if (this.#failure === '') this.#failure = error.message;
    });
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      this.#failure = `HTTP status ${response.statusCode ?? 0} instead of a WebSocket`;
      this.#retryAfterMs = retryAfter(response.headers['retry-after'] ?? null);
      response.resume();
      socket.terminate();
    });
    socket.on('close', (code, reason) => this.#closed(code, reason.toString('utf8')));
  }

  #opened(): void {
    const { events, now } = this.#options;
    this.state = 'open';
    this.#cause = 'remote';
    this.id = this.#options.nextId();
    this.openedMs = now();
    this.lastMessageMs = this.openedMs;
    this.askedMs = Number.NaN;
    this.#vigil.opened(this.openedMs);
    this.#next = 0;
    this.#more = [];
    this.#sendAtMs = this.openedMs;
    this.#pingAtMs = this.openedMs + (this.plan.ping?.everyMs ?? 0);
    this.#awaited.clear();
    for (const topic of this.plan.topics)
      if (topic.firstDataMs !== null) this.#awaited.set(topic.name, { topic, atMs: Number.POSITIVE_INFINITY });
    events.opened(this);
    this.#watch(this.openedMs);
  }

  #watch(nowMs: number): void {
    const { plan } = this;
    const { events } = this.#options;
    if (this.#next < plan.subscribe.length) {
      if (nowMs < this.#sendAtMs) return;
      const text = plan.subscribe[this.#next++];
      this.#socket?.send(text);
      events.sent(this, text);
      this.#sendAtMs = nowMs + plan.sendEveryMs;
      if (this.#next < plan.subscribe.length) return;
      this.askedMs = nowMs;
      for (const one of this.#awaited.values()) one.atMs = nowMs + (one.topic.firstDataMs ?? 0);
    }
    if (this.#more.length > 0 && nowMs >= this.#sendAtMs) {
      this.#sendAtMs = nowMs + plan.sendEveryMs;
      this.say(this.#more.shift()!);
    }
    if (nowMs - this.openedMs >= STABLE_MS) this.#attempts = 0;
    if (plan.ping !== undefined && nowMs >= this.#pingAtMs) {
      this.#pingAtMs = nowMs + plan.ping.everyMs;
      this.#socket?.send(plan.ping.text);
    }
    const judgement = this.#vigil.judge(nowMs);
    if (judgement === 'ask') this.#socket?.ping();
    if (judgement === 'gone') this.renew();
    if (this.state !== 'open') return;
    const due = [...this.#awaited.values()].flatMap(({ topic, atMs }) => (nowMs < atMs ? [] : [topic]));
    for (const { name } of due) this.#awaited.delete(name);
    if (due.length > 0) events.late(this, due);
  }

  #closed(code: number, reason: string): void {
    const { events, now, random, backoff = BACKOFF } = this.#options;
    const was = this.state;
    const cause = this.#cause;
    this.#socket = null;
    this.#awaited.clear();
    if (was === 'stopped') return;
    const wasOpen = was === 'open' || was === 'closing';
    const why = reason !== '' ? reason : cause === 'remote' ? this.#failure : cause;
    if (this.#isFinal) this.state = 'stopped';
    else {
      const retryMs = Math.max(backoffMs(this.#attempts, backoff, random), this.#retryAfterMs ?? 0);
      this.#attempts++;
      this.state = 'waiting';
      this.#retryAtMs = now() + retryMs;
      if (!wasOpen) events.failed(this, this.#failure || `closed with code ${code}`, retryMs);
    }
    if (wasOpen) events.closed(this, code, why, cause);
  }
}
