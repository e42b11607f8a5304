/** Self-made messages in every shape Binance sends, as tape lines, for tests and as seeds of the fuzzer. */
import type { Binding } from '../../src/decode/decoder.js';
import { binanceCoinm, binanceSpot, binanceUsdm } from '../../src/venues/binance.js';
import type { NaiveSource } from './naive.js';

export const T0 = 1_700_000_000_000_000;
export const USDM = 'binance-usdm:BTCUSDT';
export const COINM = 'binance-coinm:ETHUSD_PERP';
export const SPOT = 'binance-spot:BTCUSDT';
/** Symbols that are not ASCII exist on the venue; this one changes its length in UTF-8 when lower-cased. */
export const ODD = 'binance-usdm:币安İUSDT';

export const bindings = new Map<string, Binding>([
  [USDM, { layouts: binanceUsdm.layouts, symbol: 'BTCUSDT', scale: { price: 3, size: 5 }, flow: 'trade' }],
  [COINM, { layouts: binanceCoinm.layouts, symbol: 'ETHUSD_PERP', scale: { price: 4, size: 2 }, flow: 'aggTrade' }],
  [SPOT, { layouts: binanceSpot.layouts, symbol: 'BTCUSDT', scale: { price: 4, size: 7 }, flow: 'trade' }],
  [ODD, { layouts: binanceUsdm.layouts, symbol: '币安İUSDT', scale: { price: 6, size: 2 }, flow: 'aggTrade' }],
]);

export const sources = new Map<string, NaiveSource>(
  [...bindings].map(([src, { symbol, scale, flow }]) => [
    src,
    {
      market: src === SPOT ? 'spot' : 'futures',
      symbol,
      priceDecimals: scale.price,
      sizeDecimals: scale.size,
      flow,
    },
  ]),
);

/** A tape line of a message; `conn` null leaves the connection out. */
export function line(src: string, message: string, conn: string | null = 'k3f9.1', t = T0): string {
  const connection = conn === null ? '' : `,"conn":${JSON.stringify(conn)}`;
  return `{"t":${t},"src":${JSON.stringify(src)}${connection},"msg":${message}}`;
}

export function wrap(topic: string, data: string): string {
  return `{"stream":"${topic}","data":${data}}`;
}

/** Every message of USD-M or COIN-M; the symbol as it stands inside JSON, and what follows it in some of them. */
export function futures(symbol: string, pair: string): string[] {
  const low = symbol.toLowerCase();
  const names = `"s":"${symbol}"${pair}`;
  const depth = `{"e":"depthUpdate","E":1786000001234,"T":1786000001231,${names},"U":11000000000101,"u":11000000000188,"pu":11000000000077,"b":[["64010.10","3.20"],["64010.00","0.00"]],"a":[["64010.20","0.00"]]}`;
  const empty = depth.replace(/"b":.*/, '"b":[],"a":[],"st":1}');
  const trade = `{"e":"trade","E":1786000001234,"T":1786000001231,"s":"${symbol}","t":7200000001,"p":"64010.20","q":"3","X":"MARKET","m":false}`;
  return [
    ...['depth', 'depth@0ms', 'depth@100ms', 'depth@500ms', 'depth5', 'depth20@100ms'].map((name) =>
      wrap(`${low}@${name}`, depth),
    ),
    wrap(`${low}@depth`, empty),
    wrap(`${low}@trade`, trade),
    wrap(`${low}@trade`, trade.replace('MARKET', 'INSURANCE_FUND').replace('false', 'true')),
    wrap(`${low}@trade`, trade.replace('"X":"MARKET"', '"X":"NA"').replace('"64010.20"', '"0"')),
    wrap(`${low}@trade`, trade.replace('false}', 'false,"st":2}')),
    wrap(
      `${low}@aggTrade`,
      `{"e":"aggTrade","E":1786000001234,"s":"${symbol}","a":3100000001,"p":"64010.20","q":"0.51","nq":"0.50","f":7200000001,"l":7200000004,"T":1786000001231,"m":true,"st":1}`,
    ),
    ...['', '"nq":"0.00",'].map((net) =>
      wrap(
        `${low}@aggTrade`,
        `{"e":"aggTrade","E":1786000001234,"s":"${symbol}","a":3100000002,"p":"64010.20","q":"0.51",${net}"f":7200000005,"l":7200000006,"T":1786000001231,"m":false,"st":1}`,
      ),
    ),
    wrap(
      `${low}@bookTicker`,
      `{"e":"bookTicker","u":11000000000188,${names},"b":"64010.10","B":"3.2","a":"64010.20","A":"9","T":1786000001231,"E":1786000001234}`,
    ),
    wrap(
      `${low}@bookTicker`,
      `{"u":11000000000188,"e":"bookTicker",${names},"b":"64010.10","B":"3.2","a":"64010.20","A":"9","T":1786000001231,"E":1786000001234,"st":1}`,
    ),
    wrap(
      `${low}@markPrice@1s`,
      `{"e":"markPriceUpdate","E":1786000001234,"s":"${symbol}","p":"64001.12345678","ap":"64000.9","P":"64003.2","i":"64005.5","r":"0.00010000","T":1786003200000}`,
    ),
    wrap(
      `${low}@forceOrder`,
      `{"e":"forceOrder","E":1786000001234,"o":{"s":"${symbol}","S":"SELL","o":"LIMIT","f":"IOC","q":"0.010","p":"63500.00","ap":"63812.40","X":"FILLED","l":"0.010","z":"0.010","T":1786000001231}}`,
    ),
  ];
}

/** Those of them that have a usual form. */
export function usualFutures(symbol: string, pair: string): string[] {
  return futures(symbol, pair).filter((message) => !isExtra(message));
}

/** Liquidations have no usual form. */
const isExtra = (message: string): boolean => message.includes('@forceOrder');

const spotDepth = '[["64010.11000000","0.00000000"],["64010.10000000","1.25000000"]]';
const spotMessages = [
  wrap(
    'btcusdt@depth@100ms',
    `{"e":"depthUpdate","E":1786000001234,"s":"BTCUSDT","U":90000000101,"u":90000000117,"b":${spotDepth},"a":[]}`,
  ),
  wrap(
    'btcusdt@depth',
    `{"e":"depthUpdate","E":1786000001234567,"s":"BTCUSDT","U":90000000101,"u":90000000117,"b":[],"a":${spotDepth}}`,
  ),
  wrap('btcusdt@depth20@100ms', `{"lastUpdateId":90000000150,"bids":${spotDepth},"asks":${spotDepth}}`),
  wrap(
    'btcusdt@trade',
    '{"e":"trade","E":1786000001234,"s":"BTCUSDT","t":5200000001,"p":"64010.12000000","q":"0.00100000","T":1786000001233,"m":false,"M":true}',
  ),
  wrap(
    'btcusdt@trade',
    '{"e":"trade","E":1786000001234,"s":"BTCUSDT","t":5200000001,"p":"64010.12","q":"1","b":1,"a":2,"T":1786000001233,"m":true,"M":false}',
  ),
  wrap(
    'btcusdt@aggTrade',
    '{"e":"aggTrade","E":1786000001234,"s":"BTCUSDT","a":52,"p":"64010.12","q":"1.5","f":1,"l":2,"T":1786000001233,"m":true,"M":true}',
  ),
  wrap(
    'btcusdt@bookTicker',
    '{"u":90000000117,"s":"BTCUSDT","b":"64010.11000000","B":"1.2","a":"64010.12000000","A":"0.9"}',
  ),
];

const talk = ['{"result":null,"id":7}', '{"code":2,"msg":"Invalid request","id":7}', '{"id":1}', '[]', '"Ping"', '7'];

/** One line per shape: messages of all srcs, entries, and envelopes of unusual form. */
export const seedLines: string[] = [
  ...futures('BTCUSDT', '').map((message) => line(USDM, message)),
  ...futures('BTCUSDT', ',"ps":"BTCUSDT"').map((message) => line(USDM, message, 'k3f9.2')),
  ...futures('ETHUSD_PERP', ',"ps":"ETHUSD"').map((message) => line(COINM, message)),
  ...futures('币安İUSDT', '').map((message) => line(ODD, message, null)),
  ...spotMessages.map((message) => line(SPOT, message, 'a "quoted" \\ name')),
  ...talk.map((message) => line(USDM, message)),
  line('binance-usdm:OTHER', futures('OTHER', '')[0]),
  `{"t":${T0},"src":"${USDM}","conn":"k3f9.1","text":"Ping \\"msg\\":{}"}`,
  `{"t":${T0},"src":"${USDM}","http":{"url":"/","status":200,"sent":${T0},"body":{"lastUpdateId":5,"bids":[],"asks":[]}}}`,
  `{"t":${T0},"src":"${USDM}","gap":{"stream":"depth","from":${T0},"reason":"sequence"}}`,
  `{ "t": ${T0}, "src": "${SPOT}", "msg": ${spotMessages[3]} }`,
  `{"t":${T0},"msg":${spotMessages[6]},"src":"${SPOT}"}`,
  '',
];

/** Those of the seed lines that every scanner takes. */
export function usualLines(): string[] {
  return seedLines.filter(
    (one) =>
      /^\{"t":\d+,"src":"[^"]*"(?:,"conn":[^{]*)?,"msg":\{"stream/.test(one) && !one.includes('OTHER') && !isExtra(one),
  );
}
