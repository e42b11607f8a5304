/** A WebSocket and HTTP server that does what a test says; nothing of an exchange. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface TestServer {
  wsUrl: string;
  httpUrl: string;
  /** sockets in the order they came */
  sockets: WebSocket[];
  /** path and query each socket asked for, in the same order */
  paths: string[];
  /** the User-Agent of each, in the same order */
  agents: (string | undefined)[];
  /** texts received, all sockets */
  heard: string[];
  /** answers a text; default nothing */
  hear: (text: string, socket: WebSocket) => void;
  /** answers HTTP requests; default 404 */
  respond: (request: IncomingMessage, response: ServerResponse) => void;
  /** answers an upgrade with this status instead of a socket */
  refuseWith: { status: number; retryAfter?: string } | null;
  close(): Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const http = createServer((request, response) => server.respond(request, response));
  const upgrades = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, stream, head) => {
    const refusal = server.refuseWith;
    if (refusal !== null) {
      // a client that is refused may cut the connection first
      stream.on('error', () => {});
      const header = refusal.retryAfter === undefined ? '' : `Retry-After: ${refusal.retryAfter}\r\n`;
      stream.end(`HTTP/1.1 ${refusal.status} No\r\n${header}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, stream, head, (socket) => {
      server.sockets.push(socket);
      server.paths.push(request.url ?? '');
      server.agents.push(request.headers['user-agent']);
      socket.on('message', (data: Buffer) => {
        server.heard.push(data.toString());
        server.hear(data.toString(), socket);
      });
      socket.on('error', () => {});
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const place = `127.0.0.1:${(http.address() as AddressInfo).port}`;
  const server: TestServer = {
    wsUrl: `ws://${place}`,
    httpUrl: `http://${place}`,
    sockets: [],
    paths: [],
    agents: [],
    heard: [],
    hear: () => {},
    respond: (_request, response) => void response.writeHead(404).end(),
    refuseWith: null,
    async close() {
      for (const socket of upgrades.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}
