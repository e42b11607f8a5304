/** One loopback port with REST and WebSockets, whoever answers behind it. */
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { TapedeckError } from '../model/errors.js';

export interface Answer {
  status: number;
  body: string;
  /** default JSON */
  type?: string;
}

export interface PortOptions {
  host: string;
  /** 0 takes a free one */
  port: number;
  /** a WebSocket asks for this path and query: who takes it, or the status that refuses it */
  connect(path: string): ((socket: WebSocket, stream: Duplex) => void) | Answer;
  rest(method: string, path: string): Answer | Promise<Answer>;
}

export interface Port {
  /** `127.0.0.1:43210` */
  readonly place: string;
  /** no more connections; resolves when all there were are gone, those that do not go by themselves after a grace */
  close(): Promise<void>;
}

/** How long a closing handshake may take, and how long a client that is dismissed may take nothing of what is on its way. */
const CLOSE_GRACE_MS = 2000;
const MAX_REQUEST_BYTES = 64 << 10;
/** What a closing message has room for. */
const MAX_REASON_BYTES = 123;

/** Starts listening. @throws {TapedeckError} E_CONNECT when the port cannot be had */
export async function openPort({ host, port, connect, rest }: PortOptions): Promise<Port> {
  const http = createServer(async (request, response) => {
    let answer: Answer;
    try {
      answer = await rest(request.method ?? 'GET', request.url ?? '/');
    } catch (error) {
      answer = failure(error);
    }
    response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json;charset=UTF-8' });
    response.end(answer.body);
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_REQUEST_BYTES });
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => {});
    let taken: ReturnType<PortOptions['connect']>;
    try {
      taken = connect(request.url ?? '/');
    } catch (error) {
      taken = failure(error);
    }
    if (typeof taken === 'function') {
      const take = taken;
      sockets.handleUpgrade(request, stream, head, (socket) => {
        socket.on('error', () => {}); // a close event follows
        take(socket, stream);
      });
      return;
    }
    const { status, body } = taken;
    const length = Buffer.byteLength(body);
    stream.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
  });
  await listen(http, host, port);
  // a connection that could not be accepted (too many files are open) is lost, and nothing else
  http.on('error', () => {});
  const address = http.address();
  const number = typeof address === 'object' ? (address?.port ?? port) : port;
  return {
    place: `${host.includes(':') ? `[${host}]` : host}:${number}`,
    async close() {
      sockets.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeIdleConnections();
      setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
        http.closeAllConnections();
      }, CLOSE_GRACE_MS).unref();
      await Promise.all([closed, ...[...sockets.clients].map(gone)]);
    },
  };
}

function listen(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const detail = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
      reject(new TapedeckError('E_CONNECT', `while listening on ${host}:${port}: ${detail}`, {}, error));
    });
    http.listen(port, host, () => resolve());
  });
}

/** What is answered to who asked for what cannot be. */
export function failure(error: unknown, status = 500): Answer {
  return { status, body: JSON.stringify({ msg: error instanceof Error ? error.message : String(error) }) };
}

/** Ends a connection with a closing handshake, behind what is on its way. */
export function dismiss(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, cutReason(reason));
  letGo(socket);
}

/** Ends a connection without a word, behind what is on its way. */
export function cut(socket: WebSocket, stream: Duplex): void {
  stream.end();
  letGo(socket);
}

/** Whoever keeps a connection that is over, and takes nothing more, does not keep it for long. */
function letGo(socket: WebSocket): void {
  const unsent = socket.bufferedAmount;
  setTimeout(() => {
    if (socket.bufferedAmount < unsent) letGo(socket);
    else socket.terminate();
  }, CLOSE_GRACE_MS).unref();
}

function cutReason(text: string): string {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, MAX_REASON_BYTES);
  // not within a letter
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Resolves when the socket is closed. */
function gone(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) resolve();
    else socket.once('close', () => resolve());
  });
}

/** What a client said, as text. */
export function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data as Uint8Array).toString('utf8');
}
