/** Books over REST beside those of the stream, recorded from a venue that does what a test says: pairs on each symbol's own tape. */
import { Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import { parseEntry } from '../../src/tape/line.js';
import { binanceUsdm } from '../../src/venues/binance.js';
import { bingxSwap } from '../../src/venues/bingx.js';
import { createStreamRig, type Dialect, type StreamRig, type StreamRigOptions } from './fake-venue.js';
import { createRig, type Rig, until } from './harness.js';
import { only } from './tape.js';

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
    expect.stringContaining(
      'bingx-swap:ETH-USDT: no book to audit by: the venue says 109415 the contract is paused; next in 6.0 s',
    ),
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

test('a book whose snapshot the price has half used up is made known farther by another, at no cost', async () => {
  const path = '/fapi/v1/depth?symbol=BTCUSDT&limit=1000';
  const side = (sign: number, best: number): string =>
    JSON.stringify(Array.from({ length: 20 }, (_, i) => [(best + sign * i).toFixed(1), '1']));
  const snapshot = (id: number, bid: number): string =>
    `{"lastUpdateId":${id},"E":1786000001400,"T":1786000001400,"bids":${side(-1, bid)},"asks":${side(1, bid + 1)}}`;
  let last = 100;
  const update = (bids: string): string => {
    const [previous, first] = [last, last + 1];
    last += 2;
    return `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1786000001400,"T":1786000001400,"s":"BTCUSDT","U":${first},"u":${last},"pu":${previous},"b":${bids},"a":[]}}`;
  };
  const listing =
    '{"symbols":[{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.1","minPrice":"0.1","maxPrice":"1000000"},{"filterType":"LOT_SIZE","stepSize":"0.001","minQty":"0.001","maxQty":"1000"}]}]}';
  const { live, urls } = listen();
  const streams = await createStreamRig({
    venue: binanceUsdm,
    speak: (text, _script, say) => say(`{"result":null,"id":${(JSON.parse(text) as { id: number }).id}}`),
    symbols: ['BTCUSDT'],
    channels: ['depth'],
    script: {
      rest: {
        '/fapi/v1/exchangeInfo': [listing],
        [path]: [snapshot(101, 1000), snapshot(105, 990), snapshot(109, 990)],
      },
    },
    record: { live, adjust: (plan) => ({ ...plan, silenceMs: null }) },
  });
  running = streams;
  const asked = (): number => urls.filter((url) => url.endsWith(path)).length;
  const says = async (bids: string): Promise<void> => {
    streams.push(update(bids));
    await streams.settled();
    await streams.advance(0);
  };
  await streams.heard(1);
  await says('[]');
  await until('the book is asked for', () => asked() === 1);
  await says('[["981.0","2"]]');
  expect(streams.status.valid).toBe(1);
  await streams.advance(5_000);
  // ten of the nineteen ticks from the touch to the end of what is known
  await says(JSON.stringify(Array.from({ length: 10 }, (_, i) => [(1000 - i).toFixed(1), '0'])));
  expect(asked()).toBe(1);
  // not within ten seconds
  await streams.advance(5_000);
  await until('it is asked for again', () => asked() === 2);
  // what came is older than the book, which the next update tells: a newer one is asked for
  await says('[["975.0","3"]]');
  await streams.advance(1_000);
  await until('it is asked for once more', () => asked() === 3);
  await says('[["974.0","3"]]');
  for (let i = 0; i < 4; i++) {
    await streams.advance(5_000);
    await says('[["973.0","3"]]');
  }
  const summary = await streams.stop();
  expect([asked(), summary.gaps, streams.notes]).toEqual([3, 0, []]);
  const book = only(await streams.entries('BTCUSDT'), 'book').at(-1)?.book;
  expect(book).toMatchObject({ state: 'valid', coverage: { low: '971', high: '1010' } });
  const [{ problems, gaps }] = await streams.verify();
  expect([problems, gaps]).toEqual([[], 0]);
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
    const { gaps, ...summary } = await recorder.stop();
    expect(summary).toMatchObject({ dropped: 0, reconnects: 0 });
    const reports = await verifyTapes({ paths: [sim.out], stdin: Readable.from([]) });
    const report = reports.find(({ src }) => src === `bingx-swap:${BTC}`);
    expect(report).toMatchObject({ gaps, levels: { reads: 2 } });
    return report as SourceReport;
  }

  test('every level of a pair is checked and agrees', async () => {
    const { levels, problems, gaps } = await record(async () => {});
    expect(gaps).toBe(0);
    expect(problems).toEqual([]);
    // of a level that changed at that very moment nothing is said
    expect(levels.checked + levels.unsettled).toBeGreaterThanOrEqual(400);
    expect(levels.checked).toBeGreaterThan(300);
    expect(levels.agreed).toBe(levels.checked);
  });

  test('a lost update is no gap unless the book crosses, and then its levels are found wrong or read anew', async () => {
    const { levels, problems } = await record(async ({ exchange, status }) => {
      exchange.controls.dropNext(`${BTC}@incrDepth`, 5);
      const { received } = status;
      await until('more than a second of messages came', () => status.received > received + 300);
    });
    // the market may have moved over a level that stayed: that book was given up
    const [crossed, wrong] = ['CROSSED', 'LEVEL'].map((kind) => problems.filter(({ code }) => code === kind));
    const others = problems.filter(({ code }) => code !== 'CROSSED' && code !== 'LEVEL');
    expect(others.map(({ code, message }) => `${code} ${/crossed$/.exec(message)?.[0]}`)).toEqual(
      others.map(() => 'GAP crossed'),
    );
    expect(others.length > 0).toBe(crossed.length > 0);
    if (crossed.length === 0) expect(wrong.length).toBeGreaterThan(0);
    expect(wrong).toHaveLength(levels.checked - levels.agreed);
    expect(levels.agreed).toBeGreaterThan(0);
  });
});
