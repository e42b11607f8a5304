/** Archives of cryptofeed that hold several venues' connections: each venue gets its own messages, symbols and instruments. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Surveyed, surveyCryptofeed } from '../../src/audit/cryptofeed.js';
import { type Imported, importArchives } from '../../src/audit/import.js';
import { verifyTapes } from '../../src/audit/verify.js';
import type { BadLine } from '../../src/formats/hftbacktest.js';
import { openSegment } from '../../src/tape/reader.js';
import { segmentItems } from '../../src/tape/segment.js';
import { venueById } from '../../src/venues/registry.js';
import { temporaryFolder } from './market-lines.js';

const line = (t: string, conn: string, ts: string, rest: Record<string, string> = {}): string =>
  `${JSON.stringify({ t, conn, ts: 0, ...rest }).replace('"ts":0', `"ts":${ts}`)}\n`;

function fileOf(lines: readonly string[]): string {
  const path = join(temporaryFolder(), 'archive.jsonl');
  writeFileSync(path, lines.join(''));
  return path;
}

interface Run {
  done: Imported;
  bad: BadLine[];
  /** the tape's entries, and the raw bytes of its messages */
  entries: Record<string, unknown>[];
  messages: string[];
}

async function importAs(venue: string, surveyed: Surveyed, ...files: string[]): Promise<Run> {
  const bad: BadLine[] = [];
  const done = await importArchives({
    format: 'cryptofeed',
    venue: venueById(venue),
    symbol: surveyed.symbol,
    instrument: surveyed.instrument,
    out: join(temporaryFolder(), 'tapes'),
    tool: 'test',
    files,
    bad: (one) => void bad.push(one),
  });
  let text = '';
  for (const item of segmentItems(openSegment(done.path)))
    if (!('damage' in item)) text += item.bytes.toString('utf8', item.from, item.to);
  const lines = text.trimEnd().split('\n');
  return {
    done,
    bad,
    entries: lines.map((one) => JSON.parse(one)),
    messages: lines.flatMap((one) => /^\{"t":\d{16},"src":"[^"]+","conn":"[^"]+","msg":(.*)\}$/.exec(one)?.[1] ?? []),
  };
}

async function expectWhole({ done }: Run): Promise<void> {
  const [report] = await verifyTapes({ paths: [done.path], stdin: process.stdin });
  expect(report).toMatchObject({ messages: done.messages, gaps: 0, unknown: 0, problems: [] });
}

const listing = (category: string, rows: string): string =>
  `{"retCode":0,"retMsg":"OK","result":{"category":"${category}","list":[${rows}],"nextPageCursor":""},"retExtInfo":{},"time":1786310817601}`;
const LINEAR_LISTING = listing(
  'linear',
  '{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","priceFilter":{"tickSize":"0.10"},"lotSizeFilter":{"qtyStep":"0.001"}},{"symbol":"ETHUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"ETH","quoteCoin":"USDT","priceFilter":{"tickSize":"0.01"},"lotSizeFilter":{"qtyStep":"0.01"}}',
);
const SPOT_LISTING = listing(
  'spot',
  '{"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading","lotSizeFilter":{"basePrecision":"0.000001","quotePrecision":"0.0000001"},"priceFilter":{"tickSize":"0.1"}}',
);
const book = (symbol: string, type: string, u: number, bid: [string, string], ask: [string, string]): string =>
  `{"topic":"orderbook.200.${symbol}","ts":1786310819500,"type":"${type}","data":{"s":"${symbol}","b":[["${bid.join('","')}"]],"a":[["${ask.join('","')}"]],"u":${u},"seq":${u * 3}},"cts":1786310819490}`;
const trade = (symbol: string, price: string, size: string): string =>
  `{"topic":"publicTrade.${symbol}","type":"snapshot","ts":1786310819600,"data":[{"T":1786310819590,"s":"${symbol}","S":"Buy","v":"${size}","p":"${price}","i":"1","BT":false,"RPI":false,"seq":5}]}`;

const LINEAR_URL = 'wss://stream.bybit.com/v5/public/linear';
const SPOT_URL = 'wss://stream.bybit.com/v5/public/spot';
const LINEAR_BTC = [
  book('BTCUSDT', 'snapshot', 100, ['65114.20', '6.054'], ['65114.30', '10.486']),
  book('BTCUSDT', 'delta', 101, ['65114.20', '6.100'], ['65114.30', '10.000']),
  trade('BTCUSDT', '65114.30', '0.250'),
  book('BTCUSDT', 'delta', 102, ['65114.10', '1.000'], ['65114.40', '2.000']),
];
const LINEAR_ETH = [book('ETHUSDT', 'snapshot', 900, ['3010.11', '1.00'], ['3010.12', '2.00'])];
const SPOT_BTC = [
  book('BTCUSDT', 'snapshot', 7, ['65098.5', '0.000006'], ['65098.6', '1.5']),
  book('BTCUSDT', 'delta', 8, ['65098.5', '0.1'], ['65098.6', '1.4']),
  trade('BTCUSDT', '65098.6', '0.000123'),
];
/** Another exchange's message, of a form that Bybit has too. */
const FOREIGN = book('BTCUSDT', 'delta', 555, ['1', '1'], ['2', '1']);

const recvs = (conn: string, start: number, texts: readonly string[]): string[] =>
  texts.map((data, n) => line('recv', conn, `1786310819.${start + n}`, { data }));

/** Connections stand one behind the other, as that recorder writes them. */
const bybitLines = (): string[] => [
  '{"t":"header","format":2,"exchange":"BYBIT","config":{},"recorded":1786310817.5}\n',
  line('http', 'BYBIT.http.1', '1786310817.601629', { url: 'https://api.bybit.com/x', data: LINEAR_LISTING }),
  line('http', 'BYBIT.http.1', '1786310818.214838', { url: 'https://api.bybit.com/y', data: SPOT_LISTING }),
  line('connect', 'BYBIT.ws.2', '1786310818.2235148', { addr: LINEAR_URL }),
  line('send', 'BYBIT.ws.2', '1786310819.1', {
    addr: LINEAR_URL,
    data: '{"op":"subscribe","args":["orderbook.200.BTCUSDT"]}',
  }),
  line('recv', 'BYBIT.ws.2', '1786310819.11', { data: '{"success":true,"ret_msg":"","conn_id":"x","op":"subscribe"}' }),
  ...recvs('BYBIT.ws.2', 300, LINEAR_BTC.slice(0, 2)),
  ...recvs('BYBIT.ws.2', 310, LINEAR_ETH),
  ...recvs('BYBIT.ws.2', 320, LINEAR_BTC.slice(2)),
  line('connect', 'BYBIT.ws.3', '1786310818.228147', { addr: SPOT_URL }),
  ...recvs('BYBIT.ws.3', 200, SPOT_BTC),
  line('connect', 'OTHER.ws.1', '1786310818.5', { addr: 'wss://elsewhere.example/v5/public/linear' }),
  ...recvs('OTHER.ws.1', 250, [FOREIGN]),
];

describe('Bybit linear and spot, one symbol of the same name', () => {
  test('are surveyed apart: symbols in order of their first message, with the instruments of their own market', async () => {
    const file = fileOf(bybitLines());
    expect(await surveyCryptofeed([file], venueById('bybit-linear'))).toEqual([
      {
        symbol: 'BTCUSDT',
        messages: 4,
        instrument: {
          symbol: 'BTCUSDT',
          kind: 'linear',
          tick: '0.10',
          lot: '0.001',
          multiplier: '1',
          base: 'BTC',
          quote: 'USDT',
        },
      },
      {
        symbol: 'ETHUSDT',
        messages: 1,
        instrument: {
          symbol: 'ETHUSDT',
          kind: 'linear',
          tick: '0.01',
          lot: '0.01',
          multiplier: '1',
          base: 'ETH',
          quote: 'USDT',
        },
      },
    ]);
    expect(await surveyCryptofeed([file], venueById('bybit-spot'))).toEqual([
      {
        symbol: 'BTCUSDT',
        messages: 3,
        instrument: {
          symbol: 'BTCUSDT',
          kind: 'spot',
          tick: '0.1',
          lot: '0.000001',
          multiplier: '1',
          base: 'BTC',
          quote: 'USDT',
        },
      },
    ]);
    expect(await surveyCryptofeed([file], venueById('bybit-inverse'))).toEqual([]);
  });

  test.each([
    ['bybit-linear', 'BTCUSDT', LINEAR_BTC, '0.001', 1786310819300000],
    ['bybit-linear', 'ETHUSDT', LINEAR_ETH, '0.01', 1786310819310000],
    ['bybit-spot', 'BTCUSDT', SPOT_BTC, '0.000001', 1786310819200000],
  ])('%s:%s gets its own messages byte for byte', async (venue, symbol, texts, lot, first) => {
    const file = fileOf(bybitLines());
    const surveyed = (await surveyCryptofeed([file], venueById(venue))).find((one) => one.symbol === symbol)!;
    const run = await importAs(venue, surveyed, file);
    expect(run.bad).toEqual([]);
    expect(run.messages).toEqual(texts);
    expect(run.done).toMatchObject({
      messages: texts.length,
      bad: 0,
      ties: 0,
      backwards: 0,
      unknown: 0,
      invalid: 0,
      first,
    });
    expect(run.entries[0]).toMatchObject({
      src: `${venue}:${symbol}`,
      tape: { imported: 'cryptofeed', venue, symbol, instrument: { lot }, flow: 'trade' },
    });
    expect(run.entries[0].tape).not.toHaveProperty('instrument.inferred');
    await expectWhole(run);
  });

  test('bad lines are told once, and cost nothing around them', async () => {
    const lines = bybitLines();
    lines.splice(7, 0, 'rubbish\n', '{"t":"recv","conn":"BYBIT.ws.2","data":"{}"}\n');
    const file = fileOf(lines);
    const [surveyed] = await surveyCryptofeed([file], venueById('bybit-linear'));
    const run = await importAs('bybit-linear', surveyed, file);
    expect(run.bad.map((one) => [one.file, one.line])).toEqual([
      [file, 8],
      [file, 9],
    ]);
    expect(run.done.bad).toBe(2);
    expect(run.messages).toEqual(LINEAR_BTC);
  });

  test('a connection goes on in the next file, and its name may be given to another address there', async () => {
    const lines = bybitLines();
    const files = [fileOf(lines.slice(0, 7)), fileOf(lines.slice(7))];
    const [surveyed] = await surveyCryptofeed(files, venueById('bybit-linear'));
    expect((await importAs('bybit-linear', surveyed, ...files)).messages).toEqual(LINEAR_BTC);
    const renamed = fileOf(bybitLines().map((one) => one.replaceAll('BYBIT.ws.3', 'BYBIT.ws.2')));
    expect((await importAs('bybit-linear', surveyed, renamed)).messages).toEqual(LINEAR_BTC);
  });
});

describe('OKX swaps and spot, by one address', () => {
  const URL = 'wss://ws.okx.com:8443/ws/v5/public';
  const okxListing = (row: string): string => `{"code":"0","data":[${row}],"msg":""}`;
  const okxBook = (symbol: string, price: string): string =>
    `{"arg":{"channel":"books","instId":"${symbol}"},"action":"snapshot","data":[{"asks":[["${price}","4","0","1"]],"bids":[["1","2.5","0","1"]],"ts":"1652459225600","checksum":0,"prevSeqId":-1,"seqId":5}]}`;
  const swap = okxBook('BTC-USDT-SWAP', '64010.2');
  const spot = okxBook('BTC-USDT', '64000.2');
  const file = (): string =>
    fileOf([
      line('http', 'OKX.http', '1652458996.25', {
        data: okxListing(
          '{"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT","ctVal":"","ctMult":"","ctType":"","tickSz":"0.1","lotSz":"0.00000001","uly":""}',
        ),
      }),
      line('http', 'OKX.http', '1652458996.5', {
        data: okxListing(
          '{"instType":"SWAP","instId":"BTC-USDT-SWAP","baseCcy":"","quoteCcy":"","ctVal":"0.01","ctMult":"1","ctType":"linear","tickSz":"0.1","lotSz":"0.01","uly":"BTC-USDT"}',
        ),
      }),
      line('connect', 'OKX.ws.1', '1652459224.5', { addr: URL }),
      line('recv', 'OKX.ws.1', '1652459225.5', {
        data: '{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"}}',
      }),
      line('recv', 'OKX.ws.1', '1652459225.6', { data: spot }),
      line('recv', 'OKX.ws.1', '1652459225.7', { data: swap }),
      line('recv', 'OKX.ws.1', '1652459225.8', { data: 'pong' }),
    ]);

  test.each([
    ['okx-swap', 'BTC-USDT-SWAP', swap, { kind: 'linear', tick: '0.1', lot: '0.01', multiplier: '0.01' }],
    ['okx-spot', 'BTC-USDT', spot, { kind: 'spot', tick: '0.1', lot: '0.00000001', multiplier: '1' }],
  ])('%s gets %s alone', async (venue, symbol, text, instrument) => {
    const path = file();
    const surveyed = await surveyCryptofeed([path], venueById(venue));
    expect(surveyed).toMatchObject([{ symbol, messages: 1, instrument }]);
    const run = await importAs(venue, surveyed[0], path);
    expect(run.messages).toEqual([text]);
    expect(run.entries[0]).toMatchObject({ tape: { instrument } });
    await expectWhole(run);
  });
});
