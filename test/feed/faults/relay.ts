/** A relay between a recorder and its exchange: it can lose, change and hold back what passes, and writes down what it handed on. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Venue } from '../../../src/venues/venue.js';

/** A message on its way to the recorder. */
export interface Passing {
  /** null for answers and whatever else is of no topic */
  topic: string | null;
  /** as on the wire */
  data: Buffer;
  binary: boolean;
}

/** One connection of the recorder, from the first to the last. */
export interface Line {
  path: string;
  /** what was handed on, in order, as the recorder should keep it: inflated where the venue compresses */
  given: { topic: string | null; text: Buffer }[];
  /** who ended it; null while it is open */
  ended: 'relay' | 'exchange' | 'recorder' | null;
  /** nothing passes in either direction, and nobody is told */
  readonly dead: boolean;
  /** so it is from now on */
  die(): void;
  /** nothing behind this many messages can arrive: the last of them is one that no recorder takes */
  readable: number;
  /** hands a message on, past all filters */
  give(message: Passing): void;
  /** ends it behind what was handed on, without a closing handshake; `half` is the beginning of a message that never ends */
  cut(half?: Buffer): void;
  /** waits until neither side has anything on its way */
  settled(): Promise<void>;
}

/** What goes on instead of a message; it may also be handed on later. */
export type Filter = (message: Passing, line: Line) => Passing[];

export interface Refusal {
  status: number;
  body?: string;
  retryAfter?: string;
}

export interface Relay {
  wsUrl: string;
  httpUrl: string;
  port: number;
  lines: Line[];
  /** in the order of the set */
  filters: Set<Filter>;
  /** says what the recorder says to the exchange, or nothing */
  listen: ((text: string, line: Line) => string[]) | null;
  /** pings of the exchange reach nobody */
  losesPings: boolean;
  /** instead of the exchange's answer to a request; `hang` never answers, null lets it pass */
  refuse: ((path: string) => Refusal | 'hang' | null) | null;
  /** bodies of answers with status 200 by path, newest */
  answers: Map<string, string>;
  close(): Promise<void>;
}

export interface RelayOptions {
  venue: Venue;
  /** where the exchange is; null while there is none */
  target: () => { wsUrl: string; httpUrl: string } | null;
}

const LONG = 65_536;

/** The beginning of an unmasked text message of which `part` of the bytes come. */
function beginningOf(message: Buffer, part: number): Buffer {
  const head =
    message.length < 126
      ? Buffer.from([0x81, message.length])
      : message.length < LONG
        ? Buffer.from([0x81, 126, message.length >> 8, message.length & 0xff])
        : Buffer.from([0x81, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (message.length >> shift) & 0xff)]);
  return Buffer.concat([head, message.subarray(0, Math.floor(message.length * part))]);
}

export async function startRelay({ venue, target }: RelayOptions): Promise<Relay> {
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, skipUTF8Validation: true });
  const upstreams = new Set<WebSocket>();
  const hanging = new Set<ServerResponse>();

  const http = createServer((request, response) => void answer(request, response));
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => {});
    const there = target();
    if (there === null) return void stream.end('HTTP/1.1 503 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const path = request.url ?? '/';
    const upstream = new WebSocket(`${there.wsUrl}${path}`, { perMessageDeflate: false, autoPong: false });
    upstreams.add(upstream);
    upstream.on('error', () => stream.destroy());
    // greetings follow at once: whoever hears them must be there already
    upstream.on('open', () => {
      upstream.pause();
      upgrades.handleUpgrade(request, stream, head, (socket) => {
        join(path, socket, stream, upstream);
        upstream.resume();
      });
    });
  });

  function join(path: string, socket: WebSocket, stream: Duplex, upstream: WebSocket): void {
    let dead = false;
    const line: Line = {
      path,
      given: [],
      ended: null,
      get dead() {
        return dead;
      },
      die() {
        dead = true;
        // no pong either
        socket.pause();
        upstream.terminate();
      },
      readable: Number.POSITIVE_INFINITY,
      give({ topic, data, binary }) {
        if (line.dead || line.ended !== null) return;
        line.given.push({ topic, text: textOf(data, binary) });
        socket.send(data, { binary });
      },
      cut(half) {
        if (line.ended !== null) return;
        line.ended = 'relay';
        if (half !== undefined) stream.write(beginningOf(half, 0.5));
        stream.end();
        upstream.terminate();
      },
      async settled() {
        if (line.ended !== null || line.dead) return;
        await pong(upstream);
        await pong(socket);
      },
    };
    relay.lines.push(line);
    socket.on('error', () => {});
    upstream.on('message', (data: Buffer, binary: boolean) => {
      const topic = topicOf(textOf(data, binary));
      let passing: Passing[] = [{ topic, data, binary }];
      for (const filter of relay.filters) passing = passing.flatMap((message) => filter(message, line));
      for (const message of passing) line.give(message);
    });
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      if (line.dead || upstream.readyState !== WebSocket.OPEN) return;
      for (const said of relay.listen === null ? [text] : relay.listen(text, line)) upstream.send(said);
    });
    upstream.on('ping', (data) => {
      if (!relay.losesPings && !line.dead && line.ended === null) socket.ping(data);
    });
    socket.on('pong', (data) => {
      if (upstream.readyState === WebSocket.OPEN) upstream.pong(data);
    });
    upstream.on('close', (code, reason) => {
      upstreams.delete(upstream);
      if (line.ended !== null || line.dead) return;
      line.ended = 'exchange';
      if (code === 1006 || code === 1005) stream.end();
      else socket.close(code, reason);
    });
    socket.on('close', () => {
      line.ended ??= 'recorder';
      upstream.close();
    });
  }

  function topicOf(text: Buffer): string | null {
    return venue.topicOf(text, 0, text.length);
  }

  function textOf(data: Buffer, binary: boolean): Buffer {
    if (!binary || venue.inflate === undefined) return data;
    try {
      return Buffer.from(venue.inflate(data));
    } catch {
      return data;
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const refusal = relay.refuse?.(path) ?? null;
    if (refusal === 'hang') return void hanging.add(response);
    if (refusal !== null) {
      const headers = refusal.retryAfter === undefined ? {} : { 'retry-after': refusal.retryAfter };
      return void response.writeHead(refusal.status, headers).end(refusal.body ?? '');
    }
    try {
      const answered = await fetch(`${target()?.httpUrl}${path}`);
      const body = await answered.text();
      if (answered.status === 200) relay.answers.set(path, body);
      response.writeHead(answered.status).end(body);
    } catch {
      response.writeHead(503).end();
    }
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const relay: Relay = {
    wsUrl: `ws://127.0.0.1:${port}`,
    httpUrl: `http://127.0.0.1:${port}`,
    port,
    lines: [],
    filters: new Set(),
    listen: null,
    losesPings: false,
    refuse: null,
    answers: new Map(),
    async close() {
      for (const upstream of upstreams) upstream.terminate();
      for (const socket of upgrades.clients) socket.terminate();
      for (const response of hanging) response.destroy();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return relay;
}

/** Resolves behind everything that was on its way from there; at once where the connection ends. */
function pong(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('pong', done);
      socket.off('close', done);
      resolve();
    };
    if (socket.readyState !== WebSocket.OPEN) return done();
    socket.on('pong', done);
    socket.on('close', done);
    socket.ping();
  });
}
