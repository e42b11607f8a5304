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

  test('of several lists are found in the list of each', async () => {
    const row = (type: string, symbol: string): string =>
      `{"instType":"${type}","instId":"${symbol}","tickSz":"0.1","lotSz":"1","ctVal":"0.01","ctType":"linear","uly":"BTC-USDT"}`;
    const listed: Record<string, string> = {
      SWAP: `${row('SWAP', 'BTC-USDT-SWAP')},${row('SWAP', 'ETH-USDT-SWAP')}`,
      FUTURES: row('FUTURES', 'BTC-USDT-260925'),
    };
    server.respond = (request, response) => {
      const query = new URL(`http://x${request.url}`).searchParams;
      const rows = listed[query.get('instType') ?? ''] ?? '';
      const missing = query.has('instId') && !rows.includes(`"${query.get('instId')}"`);
      response.end(missing ? '{"code":"51001","msg":"not there","data":[]}' : `{"code":"0","msg":"","data":[${rows}]}`);
    };
    const symbols = ['BTC-USDT-260925', 'ETH-USDT-SWAP', 'BTC-USDT-SWAP'];
    expect((await lookUp('okx-swap', symbols)).map(({ symbol }) => symbol)).toEqual(symbols);
    await expect(lookUp('okx-swap', ['BTC-USDT-SWAP', 'BTC-USDT-991231'])).rejects.toMatchObject({
      code: 'E_SYMBOL',
      message: "okx-swap has no symbol 'BTC-USDT-991231' (51001 not there)",
    });
  });

  test('of a list of several pages are found on any of them, as far as they are asked for', async () => {
    const pages: Record<string, [symbol: string, next: string]> = {
      '': ['BTCUSDT', 'first%3DBTCUSDT'],
      'first%3DBTCUSDT': ['ETHUSDT', 'first%3DETHUSDT'],
      'first%3DETHUSDT': ['SOLUSDT', ''],
    };
    const asked: string[] = [];
    server.respond = (request, response) => {
      const cursor = new URL(`http://x${request.url}`).searchParams.get('cursor') ?? '';
      asked.push(cursor);
      const [symbol, nextPageCursor] = pages[cursor];
      const list = [{ symbol, priceFilter: { tickSize: '0.1' }, lotSizeFilter: { qtyStep: '0.001' } }];
      response.end(JSON.stringify({ retCode: 0, result: { category: 'linear', list, nextPageCursor } }));
    };
    const symbols = ['SOLUSDT', 'BTCUSDT'];
    expect((await lookUp('bybit-linear', symbols)).map(({ symbol }) => symbol)).toEqual(symbols);
    expect(asked).toEqual(Object.keys(pages));
    asked.length = 0;
    expect(await lookUp('bybit-linear', ['ETHUSDT', 'BTCUSDT'])).toHaveLength(2);
    expect(asked).toHaveLength(2);
    await expect(lookUp('bybit-linear', ['BTCUSDT', 'SOLUSD'])).rejects.toThrow(
      /no symbol 'SOLUSD'; did you mean SOLUSDT/,
    );
    // a list that comes round again
    pages['first%3DETHUSDT'][1] = 'first%3DBTCUSDT';
    await expect(lookUp('bybit-linear', ['BTCUSDT', 'NOSUCH'])).rejects.toThrow(/no symbol 'NOSUCH'/);
  });

  const BUSY: [string, string, string, string][] = [
    ['okx-swap', 'BTC-USDT-SWAP', '{"code":"50013","msg":"Systems are busy.","data":[]}', '50013 Systems are busy.'],
    ['okx-spot', 'BTC-USDT', '{"code":"50011","msg":"Too Many Requests","data":[]}', '50011 Too Many Requests'],
    ['bybit-linear', 'BTCUSDT', '{"retCode":10006,"retMsg":"Too many visits!","result":{}}', '10006 Too many visits!'],
    ['bybit-spot', 'BTCUSDT', '{"retCode":10016,"retMsg":"Server error.","result":{}}', '10016 Server error.'],
    ['bingx-swap', 'BTC-USDT', '{"code":100410,"msg":"rate limited","data":{}}', '100410 rate limited'],
    ['mexc-futures', 'BTC_USDT', '{"success":false,"code":510,"message":"too frequent"}', '510 too frequent'],
  ];

  test.each(BUSY)(
    'of %s are asked for again where it is busy with status 200: %s',
    async (venue, symbol, body, said) => {
      server.respond = (_request, response) => void response.end(body);
      waits.length = 0;
      await expect(lookUp(venue, [symbol])).rejects.toMatchObject({
        code: 'E_CONNECT',
        message: expect.stringMatching(new RegExp(`^while getting http.*: the venue says ${said}$`)),
      });
      expect(waits).toEqual([1000, 2000, 4000]);
    },
  );

  test('are there after a busy answer with status 200', async () => {
    const row =
      '{"instType":"SPOT","instId":"BTC-USDT","tickSz":"0.1","lotSz":"0.01","baseCcy":"BTC","quoteCcy":"USDT"}';
    const bodies = ['{"code":"50013","msg":"Systems are busy.","data":[]}'];
    server.respond = (_request, response) =>
      void response.end(bodies.shift() ?? `{"code":"0","msg":"","data":[${row}]}`);
    expect(await lookUp('okx-spot', ['BTC-USDT'])).toMatchObject([{ symbol: 'BTC-USDT', tick: '0.1' }]);
  });

  test.each([
    ['okx-swap', 'BTC-USDT-SWAP', '{"code":"50102","msg":"Timestamp request expired","data":[]}', '50102 Timestamp'],
    ['bybit-linear', 'BTCUSDT', '{"retCode":10009,"retMsg":"IP has been banned","result":{}}', '10009 IP has'],
    ['bingx-swap', 'BTC-USDT', '{"code":100403,"msg":"forbidden","data":{}}', '100403 forbidden'],
    ['mexc-futures', 'BTC_USDT', '{"success":false,"code":511,"message":"inaccessible"}', '511 inaccessible'],
  ])('of %s are not called unknown for another failure with status 200: %s', async (venue, symbol, body, said) => {
    server.respond = (_request, response) => void response.end(body);
    waits.length = 0;
    await expect(lookUp(venue, [symbol])).rejects.toMatchObject({
      code: 'E_CONNECT',
      message: expect.stringContaining(`the venue says ${said}`),
    });
    expect(waits).toEqual([]);
  });

  test.each([
    ['okx-swap', 'X-USDT-SWAP', `{"code":"51001","msg":"Instrument ID doesn't exist.","data":[]}`],
    ['bybit-linear', 'XUSDT', '{"retCode":10001,"retMsg":"params error: symbol invalid","result":{}}'],
    ['mexc-futures', 'X_USDT', '{"success":false,"code":1001,"message":"Contract does not exist!"}'],
  ])('of %s that it says there are not are unknown: %s', async (venue, symbol, body) => {
    server.respond = (_request, response) => void response.end(body);
    await expect(lookUp(venue, [symbol])).rejects.toMatchObject({
      code: 'E_SYMBOL',
      message: expect.stringMatching(/has no symbol '.*' \(\d+ .*\)$/),
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
