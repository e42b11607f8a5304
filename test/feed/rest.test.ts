/** REST requests over real sockets: limits, failures, and symbols that do not exist. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lookUpInstruments } from '../../src/feed/instruments.js';
import { createRest } from '../../src/feed/rest.js';
import { venueById } from '../../src/venues/registry.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
const never = new AbortController().signal;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.close());

describe('one request', () => {
  test('gives status, bytes and Retry-After, whatever the status', async () => {
    server.respond = (_request, response) =>
      void response.writeHead(429, { 'retry-after': '7' }).end('{ "code": -1003 }');
    const answer = await createRest({ signal: never })(`${server.httpUrl}/x`);
    expect(answer).toMatchObject({ status: 429, retryAfterMs: 7000, url: `${server.httpUrl}/x` });
    expect(answer.body.toString()).toBe('{ "code": -1003 }');
  });

  test.each([
    ['no answer', 'no answer within 0.05 s', () => {}],
    [
      'too large',
      'larger than 1000 bytes',
      (_: unknown, response: ServerResponse): void => void response.end('x'.repeat(1001)),
    ],
    ['cut off', 'while getting', (_: unknown, response: ServerResponse): void => void response.destroy()],
  ] as const)('%s is E_CONNECT', async (_name, message, respond) => {
    server.respond = respond;
    const get = createRest({ signal: never, timeoutMs: message.startsWith('no') ? 50 : 5000, maxBytes: 1000 });
    await expect(get(`${server.httpUrl}/x`)).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining(message),
    });
  });

  test('nobody there is E_CONNECT with the reason of the system', async () => {
    const { httpUrl } = server;
    await server.close();
    await expect(createRest({ signal: never })(httpUrl)).rejects.toThrow(/ECONNREFUSED/);
    server = await startServer();
  });
});

describe('symbols', () => {
  const listed = (symbol: string) => ({
    symbol,
    baseAsset: symbol.slice(0, 3),
    quoteAsset: 'USDT',
    filters: [
      { filterType: 'PRICE_FILTER', tickSize: '0.10' },
      { filterType: 'LOT_SIZE', stepSize: '0.001' },
    ],
  });
  const waits: number[] = [];
  const lookUp = (venue: string, symbols: string[]) =>
    lookUpInstruments(venueById(venue), symbols, {
      get: createRest({ signal: never }),
      url: (path) => `${server.httpUrl}${path}`,
      wait: async (ms) => void waits.push(ms),
      random: () => 1,
    });

  test('that are listed come with tick and lot', async () => {
    server.respond = (_request, response) =>
      void response.end(JSON.stringify({ symbols: [listed('ETHUSDT'), listed('BTCUSDT')] }));
    expect(await lookUp('binance-usdm', ['BTCUSDT', 'ETHUSDT'])).toMatchObject([
      { symbol: 'BTCUSDT', tick: '0.10', lot: '0.001', base: 'BTC' },
      { symbol: 'ETHUSDT' },
    ]);
  });

  test('that are not are named, with what comes close', async () => {
    server.respond = (_request, response) =>
      void response.end(JSON.stringify({ symbols: ['ETHUSDT', 'BTCUSDT', 'BTCUSDC'].map(listed) }));
    await expect(lookUp('binance-usdm', ['BTCUSDT', 'btc-usdt'])).rejects.toMatchObject({
      code: 'E_SYMBOL',
      message: "binance-usdm has no symbol 'btc-usdt'; did you mean BTCUSDT?",
    });
    await expect(lookUp('binance-usdm', ['NOTHING'])).rejects.toThrow(/has no symbol 'NOTHING'$/);
  });

  test('refused as a list are asked for one by one', async () => {
    server.respond = (request, response) => {
      const symbols = new URL(`http://x${request.url}`).searchParams.get('symbols') ?? '';
      if (symbols.includes('NOPE')) response.writeHead(400).end('{"code":-1121,"msg":"Invalid symbol."}');
      else response.end(JSON.stringify({ symbols: [listed('BTCUSDT')] }));
    };
    await expect(lookUp('binance-spot', ['BTCUSDT', 'NOPE'])).rejects.toMatchObject({
      code: 'E_SYMBOL',
      message: expect.stringMatching(/'NOPE' .*Invalid symbol/),
    });
  });

  test('are asked for again after 500 and 429, but not for ever', async () => {
    const statuses = [500, 429];
    server.respond = (_request, response) => {
      const status = statuses.shift() ?? 200;
      response.writeHead(status, status === 429 ? { 'retry-after': '9' } : {});
      response.end(JSON.stringify({ symbols: [listed('BTCUSDT')] }));
    };
    waits.length = 0;
    expect(await lookUp('binance-usdm', ['BTCUSDT'])).toHaveLength(1);
    expect(waits).toEqual([1000, 9000]);
    server.respond = (_request, response) => void response.writeHead(503).end('busy');
    await expect(lookUp('binance-usdm', ['BTCUSDT'])).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining('HTTP status 503: busy'),
    });
  });
});
