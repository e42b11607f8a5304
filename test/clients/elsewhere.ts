/** The hosts of an exchange that tapedeck does not serve, such as those of its spot market: they list nothing. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const NOTHING: Record<string, string> = {
  // WEEX and MEXC, spot
  '/api/v3/exchangeInfo': '{"symbols":[]}',
  '/api/v3/coins': '[]',
};

export interface Elsewhere {
  url: string;
  stop(): void;
}

export async function startElsewhere(): Promise<Elsewhere> {
  const server: Server = createServer((request, response) => {
    const body = NOTHING[(request.url ?? '').split('?')[0]];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(body ?? '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
