/** Books over REST beside those of the stream, recorded from a venue that does what a test says: pairs on each symbol's own tape. */
import { Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import { parseEntry } from '../../src/tape/line.js';
import { bingxSwap } from '../../src/venues/bingx.js';
import { createStreamRig, type Dialect, type StreamRig, type StreamRigOptions } from './fake-venue.js';
import { createRig, type Rig, until } from './harness.js';
import { only } from './tape.js';

// real sockets on a machine with other work
vi.setConfig({ testTimeout: 40_000 });

const BTC = 'BTC-USDT';
const ETH = 'ETH-USDT';
const listed = (symbol: string, id: number, price: number, quantity: number): string =>
  `{"contractId":"${id}","symbol":"${symbol}","size":"0","quantityPrecision":${quantity},"pricePrecision":${price},"tradeMinQuantity":0.0001,"tradeMinUSDT":2,"currency":"USDT","asset":"${symbol.slice(0, 3)}","status":1,"apiStateOpen":"true","apiStateClose":"true","displayName":"${symbol}"}`;
const pathOf = (symbol: string): string => `/openApi/swap/v2/quote/depth?symbol=${symbol}&limit=100`;

const BTC_LEVELS = '"bids":[["86412.3","14.2011"],["86412.2","0.0500"]],"asks":[["86412.4","3.9920"]]';
const ETH_LEVELS = '"bids":[["2651.48","93.15"]],"asks":[["2651.49","120.02"]]';
const allOf = (symbol: string, levels: string): string =>
  `{"code":0,"dataType":"${symbol}@incrDepth","data":{"action":"all","lastUpdateId":412900117,"time":1786000001400,${levels}}}`;
// blanks stay
const bodyOf = (time: number, levels: string): string =>
  `{"code":0, "msg":"","data":{"T":${time},${levels},${levels.replace('bids', 'bidsCoin').replace('asks', 'asksCoin')}}}`;
const PAUSED = '{"code":109415,"msg":"the contract is paused","data":{}}';

/** Acks that name no topic; every word is packed. */
const speak: Dialect = (text, script, say) => {
  if (text === 'Pong') return;
  const { id, reqType, dataType } = JSON.parse(text) as { id: string; reqType: string; dataType: string };
  say(gzipSync(`{"id":"${id}","code":0,"msg":"","dataType":"","data":null}`));
  const next = reqType === 'sub' ? script.onSubscribe[dataType]?.shift() : undefined;
  if (next !== undefined) say(gzipSync(next));
};

interface BooksRig extends StreamRig {
  /** waits until a tape got so many answers about its book */
  answered(symbol: string, count: number): Promise<void>;
  /** answers about its book on a tape: milliseconds after the recorder's start, status and verbatim body */
  answers(symbol: string): Promise<[at: number, status: number, body: string][]>;
}

let rig: BooksRig;
let running: { close(): Promise<void> };

afterEach(() => running.close());

/** A reader of the recorder's stdout: addresses of the answers so far. */
function listen(): { live: Writable; urls: string[] } {
  const urls: string[] = [];
  let rest = '';
  const live = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) urls.push(...(/"http":\{"url":"([^"]*)"/.exec(line)?.slice(1) ?? []));
      done();
    },
  });
  return { live, urls };
}

/** A recorder of two symbols whose books are there; 360 ms have gone by. */
async function start(rest: StreamRigOptions['script']['rest']): Promise<void> {
  const { live, urls } = listen();
  const streams = await createStreamRig({
    venue: bingxSwap,
    speak,
    symbols: [BTC, ETH],
    script: {
      onSubscribe: {
        [`${BTC}@incrDepth`]: [allOf(BTC, BTC_LEVELS)],
        [`${ETH}@incrDepth`]: [allOf(ETH, ETH_LEVELS)],
      },
      rest: {
        '/openApi/swap/v2/quote/contracts': [
          `{"code":0,"msg":"","data":[${listed(BTC, 100, 1, 4)},${listed(ETH, 101, 2, 2)}]}`,
        ],
        ...rest,
      },
    },
    // nothing is said for minutes
    record: { live, adjust: (plan) => ({ ...plan, silenceMs: null }) },
  });
  const isAbout = (symbol: string, url: string): boolean => url.endsWith(pathOf(symbol));
  rig = {
    ...streams,
    answered: (symbol, count) =>
      until(`${count} answers about ${symbol}`, () => urls.filter((url) => isAbout(symbol, url)).length >= count),
    async answers(symbol) {
      return (await streams.lines(symbol)).flatMap((line): [number, number, string][] => {
        const [entry] = only([parseEntry(line)], 'http');
        if (entry === undefined || !isAbout(symbol, entry.http.url)) return [];
        const body = /,"body":(.*)\}\}$/.exec(line)?.[1] ?? '';
        return [[Math.floor((entry.t - 1_786_000_001_500_000) / 1000), entry.http.status, body]];
      });
    },
  };
  running = rig;
  await rig.heard(1);
  for (const count of [2, 3, 4]) {
    await rig.advance(120);
    await rig.heard(count);
  }
  await rig.settled();
  await rig.advance(0);
  expect(streams.status.valid).toBe(2);
}

test('pairs of books stand on the tape of their symbol, byte for byte; an error of one symbol costs the other nothing', async () => {
  const [first, second, third] = [1, 2, 3].map((n) => bodyOf(1786000001400 + n, BTC_LEVELS));
  const [early, late] = [1, 2].map((n) => bodyOf(1786000001400 + n, ETH_LEVELS));
  await start({ [pathOf(BTC)]: [first, second, third], [pathOf(ETH)]: [PAUSED, early, late] });
  // the books began up to 360 ms ago, and so did the five seconds
  await rig.advance(4_999 - 360);
  await rig.advance(361);
  await rig.answered(BTC, 1);
  await rig.advance(100);
  await rig.answered(ETH, 1);
  await rig.advance(5_899);
  await rig.advance(1);
  await rig.answered(BTC, 2);
  await rig.advance(100);
  await rig.answered(ETH, 2);
  await rig.advance(6_000);
  await rig.answered(ETH, 3);
  await rig.advance(287_899);
  await rig.advance(1);
  await rig.answered(BTC, 3);
  expect(rig.status).toMatchObject({ valid: 2, gaps: 0, reconnects: 0 });
  await rig.stop();
  expect(await rig.answers(BTC)).toEqual([
    [5_360, 200, first],
    [11_360, 200, second],
    [305_360, 200, third],
  ]);
  expect(await rig.answers(ETH)).toEqual([
    [5_460, 200, PAUSED],
    [11_460, 200, early],
    [17_460, 200, late],
  ]);
  expect(rig.notes).toEqual([
    expect.stringContaining('bingx-swap:ETH-USDT: no book to audit by: the answer is no book; next in 6.0 s'),
  ]);
});

test('a refusal of so many requests holds back all symbols, and stands on its tape too', async () => {
  await start({
    [pathOf(BTC)]: [bodyOf(1786000001401, BTC_LEVELS)],
    [pathOf(ETH)]: [bodyOf(1786000001401, ETH_LEVELS)],
  });
  const { respond } = rig.server;
  let asked = 0;
  rig.server.respond = (request, response) => {
    if (++asked > 1) respond(request, response);
    else response.writeHead(429, { 'retry-after': '20' }).end('{"code":100410,"msg":"rate limited"}');
  };
  await rig.advance(5_000);
  await rig.answered(BTC, 1);
  await rig.advance(19_999);
  expect(asked).toBe(1);
  await rig.advance(1);
  await rig.answered(ETH, 1);
  await rig.advance(100);
  await rig.answered(BTC, 2);
  await rig.stop();
  expect((await rig.answers(BTC)).map(([at, status]) => [at, status])).toEqual([
    [5_360, 429],
    [25_460, 200],
  ]);
  expect((await rig.answers(ETH)).map(([at, status]) => [at, status])).toEqual([[25_360, 200]]);
});

test('a book that is lost is not asked for until it is there again', async () => {
  await start({
    [pathOf(BTC)]: [bodyOf(1786000001401, BTC_LEVELS)],
    [pathOf(ETH)]: [bodyOf(1786000001401, ETH_LEVELS)],
  });
  // an id that goes back
  rig.push(gzipSync(allOf(BTC, BTC_LEVELS).replace('"all"', '"update"').replace('412900117', '412900100')));
  await rig.settled();
  await rig.advance(5_000);
  await rig.answered(ETH, 1);
  await rig.advance(1_000);
  rig.push(gzipSync(allOf(BTC, BTC_LEVELS)));
  await rig.settled();
  await rig.advance(0);
  await rig.advance(5_000);
  // the second read of the other one first
  await rig.answered(ETH, 2);
  await rig.advance(100);
  await rig.answered(BTC, 1);
  await rig.stop();
  expect((await rig.answers(BTC)).map(([at]) => at)).toEqual([11_460]);
});

describe('from a simulated exchange', () => {
  /** Records until one pair of books was read after `meddle`, by a clock that is set forward; what verify says of it. */
  async function record(meddle: (exchange: Rig) => Promise<void>): Promise<SourceReport> {
    const sim = await createRig({ venue: 'bingx-swap', symbols: [BTC], rate: 500 });
    running = sim;
    const { live, urls } = listen();
    let skipped = 0;
    const time = { wallMs: () => Date.now() + skipped, monoMs: () => performance.now() + skipped };
    const recorder = sim.start({ live, time });
    await until('the book is valid', () => sim.status.valid === 1);
    await meddle(sim);
    const books = (): number => urls.filter((url) => url.endsWith(pathOf(BTC))).length;
    for (const [ms, count] of [
      [5_000, 1],
      [6_000, 2],
    ]) {
      skipped += ms;
      await until(`book ${count} was read`, () => books() === count);
    }
    expect(await recorder.stop()).toMatchObject({ dropped: 0, gaps: 0, reconnects: 0 });
    const reports = await verifyTapes({ paths: [sim.out], stdin: Readable.from([]) });
    const report = reports.find(({ src }) => src === `bingx-swap:${BTC}`);
    expect(report).toMatchObject({ gaps: 0, levels: { reads: 2 } });
    return report as SourceReport;
  }

  test('every level of a pair is checked and agrees', async () => {
    const { levels, problems } = await record(async () => {});
    expect(problems).toEqual([]);
    // of a level that changed at that very moment nothing is said
    expect(levels.checked + levels.unsettled).toBeGreaterThanOrEqual(400);
    expect(levels.checked).toBeGreaterThan(300);
    expect(levels.agreed).toBe(levels.checked);
  });

  test('a lost update is no gap, and its levels are found wrong', async () => {
    const { levels, problems } = await record(async ({ exchange, status }) => {
      exchange.controls.dropNext(`${BTC}@incrDepth`, 5);
      const { received } = status;
      await until('more than a second of messages came', () => status.received > received + 300);
    });
    // the market may have moved over a level that stayed
    const wrong = problems.filter(({ code }) => code !== 'CROSSED');
    expect(wrong.map(({ code }) => code)).toEqual(wrong.map(() => 'LEVEL'));
    expect(wrong.length).toBeGreaterThan(0);
    expect(wrong).toHaveLength(levels.checked - levels.agreed);
    expect(levels.agreed).toBeGreaterThan(0);
  });
});
