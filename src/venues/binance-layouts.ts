/** Binance market-data messages as data: keys, number forms, meanings, and the byte forms seen on the wire. */
import type { FieldLayout, Layouts, MessageLayout } from '../decode/layout.js';

const symbol: FieldLayout = { key: 's', form: 'text', means: 'symbol' };
const emitted: FieldLayout = { key: 'E', form: 'time', means: 'emitted' };
const matched: FieldLayout = { key: 'T', form: 'time', means: 'matched' };
const price: FieldLayout = { key: 'p', form: 'price', means: 'price' };
const size: FieldLayout = { key: 'q', form: 'size', means: 'size' };
const maker: FieldLayout = { key: 'm', form: 'flag', means: 'buyerIsMaker' };
const ids: FieldLayout[] = [
  { key: 'U', form: 'id', means: 'first' },
  { key: 'u', form: 'id', means: 'last' },
];
const levels: FieldLayout[] = [
  { key: 'b', form: 'levels', means: 'bids' },
  { key: 'a', form: 'levels', means: 'asks' },
];
const touch: FieldLayout[] = [
  { key: 'u', form: 'id', means: 'id' },
  { key: 'b', form: 'price', means: 'bid' },
  { key: 'B', form: 'size', means: 'bidSize' },
  { key: 'a', form: 'price', means: 'ask' },
  { key: 'A', form: 'size', means: 'askSize' },
];

const futuresDepthFields = [
  emitted,
  matched,
  symbol,
  ...ids,
  { key: 'pu', form: 'id', means: 'previous' },
  ...levels,
] as FieldLayout[];

/** 2023-04 recordings have neither `ps` nor `st`; COIN-M always had `ps`; both appeared on USD-M in mid-2026. */
const PAIR = '("ps":"<*>",)';
const STATUS = '(,"st":<#>)';

const futuresDepth: MessageLayout = {
  name: 'depth',
  event: 'depth',
  streams: ['depth@100ms', 'depth', 'depth@0ms', 'depth@500ms'],
  type: 'depthUpdate',
  fields: futuresDepthFields,
  usual: [
    `{"e":"depthUpdate","E":<E>,"T":<T>,"s":"<symbol>",${PAIR}"U":<U>,"u":<u>,"pu":<pu>,"b":<b>,"a":<a>${STATUS}}`,
  ],
};

/** The same words as a diff; only the stream name tells that it is a whole top-N. */
const futuresPartial: MessageLayout = {
  name: 'partialDepth',
  event: 'partial',
  streams: [5, 10, 20].flatMap((n) => ['', '@100ms', '@500ms'].map((speed) => `depth${n}${speed}`)),
  type: 'depthUpdate',
  fields: futuresDepthFields,
  usual: futuresDepth.usual ?? [],
};

const futuresTrade: MessageLayout = {
  name: 'trade',
  event: 'trade',
  streams: ['trade'],
  type: 'trade',
  fields: [
    emitted,
    matched,
    symbol,
    { key: 't', form: 'id', means: 'id' },
    price,
    size,
    { key: 'X', form: 'text', means: 'print' },
    maker,
  ],
  flowPrints: ['MARKET'],
  usual: [`{"e":"trade","E":<E>,"T":<T>,"s":"<symbol>","t":<t>,"p":"<p>","q":"<q>","X":"<X>","m":<m>${STATUS}}`],
};

const futuresAggTrade: MessageLayout = {
  name: 'aggTrade',
  event: 'trade',
  streams: ['aggTrade'],
  type: 'aggTrade',
  fields: [
    emitted,
    matched,
    symbol,
    { key: 'a', form: 'id', means: 'id' },
    price,
    size,
    // without the fills of retail orders, which are in no book; on USD-M alone
    { key: 'nq', form: 'size', means: 'flowSize', optional: true },
    maker,
  ],
  usual: ['"nq":"<nq>",', ''].map(
    (net) =>
      `{"e":"aggTrade","E":<E>,"s":"<symbol>","a":<a>,"p":"<p>","q":"<q>",${net}"f":<#>,"l":<#>,"T":<T>,"m":<m>${STATUS}}`,
  ),
};

const futuresTouch: MessageLayout = {
  name: 'bookTicker',
  event: 'touch',
  streams: ['bookTicker'],
  type: 'bookTicker',
  fields: [...touch, emitted, matched, symbol],
  // the order of `e` and `u` differs between USD-M and COIN-M recordings
  usual: ['"e":"bookTicker","u":<u>', '"u":<u>,"e":"bookTicker"'].map(
    (head) => `{${head},"s":"<symbol>",${PAIR}"b":"<b>","B":"<B>","a":"<a>","A":"<A>","T":<T>,"E":<E>${STATUS}}`,
  ),
};

/**
 * `ap`, a smoothed mark price since 2026, and `P`, the estimated settlement price, are read by nobody. Delivery contracts have no
 * funding: `r` is empty (or a zero, in 2021) and `T` is 0; COIN-M of 2020 left both out there, and `i` everywhere.
 */
const markPrice: MessageLayout = {
  name: 'markPrice',
  event: 'derivative',
  streams: ['markPrice', 'markPrice@1s'],
  type: 'markPriceUpdate',
  fields: [
    emitted,
    symbol,
    { key: 'p', form: 'fine', means: 'mark' },
    { key: 'i', form: 'fine', means: 'index', optional: true, blank: true },
    { key: 'r', form: 'rate', means: 'funding', optional: true, blank: true },
    { key: 'T', form: 'time', means: 'nextFunding', optional: true, positive: true },
  ],
  usual: [
    '{"e":"markPriceUpdate","E":<E>,"s":"<symbol>","p":"<p>",("ap":"<*>",)"P":"<*>","i":"<i>","r":"<r>","T":<T>}',
  ],
};

/**
 * The largest of a symbol's liquidations in a second on USD-M, the latest on COIN-M: a sample, never the total. `S` is the forced
 * order's side; `p` is its limit, `ap` what its fills were worth on average, `z` how much was filled.
 */
const liquidation: MessageLayout = {
  name: 'forceOrder',
  event: 'liquidation',
  streams: ['forceOrder'],
  type: 'forceOrder',
  rows: 'data.o',
  fields: [
    { key: '/data.E', form: 'time', means: 'emitted' },
    matched,
    symbol,
    { key: 'S', form: 'text', means: 'aggressor' },
    { key: 'ap', form: 'fine', means: 'price' },
    { key: 'z', form: 'size', means: 'size' },
    { key: 'X', form: 'text', means: 'print' },
  ],
  aggressors: { buy: 'BUY', sell: 'SELL' },
  flowPrints: ['FILLED'],
};

const spotDepth: MessageLayout = {
  name: 'depth',
  event: 'depth',
  streams: ['depth@100ms', 'depth'],
  type: 'depthUpdate',
  fields: [emitted, symbol, ...ids, ...levels],
  usual: ['{"e":"depthUpdate","E":<E>,"s":"<symbol>","U":<U>,"u":<u>,"b":<b>,"a":<a>}'],
};

/** Without type, symbol and times; `bids` and `asks` instead of `b` and `a`. */
const spotPartial: MessageLayout = {
  name: 'partialDepth',
  event: 'partial',
  streams: [5, 10, 20].flatMap((n) => ['', '@100ms'].map((speed) => `depth${n}${speed}`)),
  type: null,
  fields: [
    { key: 'lastUpdateId', form: 'id', means: 'id' },
    { key: 'bids', form: 'levels', means: 'bids' },
    { key: 'asks', form: 'levels', means: 'asks' },
  ],
  usual: ['{"lastUpdateId":<lastUpdateId>,"bids":<bids>,"asks":<asks>}'],
};

const spotTrade: MessageLayout = {
  name: 'trade',
  event: 'trade',
  streams: ['trade'],
  type: 'trade',
  fields: [emitted, matched, symbol, { key: 't', form: 'id', means: 'id' }, price, size, maker],
  // order ids `b` and `a` were dropped after 2023; `M` means nothing
  usual: ['{"e":"trade","E":<E>,"s":"<symbol>","t":<t>,"p":"<p>","q":"<q>",("b":<#>,"a":<#>,)"T":<T>,"m":<m>,"M":<!>}'],
};

const spotAggTrade: MessageLayout = {
  name: 'aggTrade',
  event: 'trade',
  streams: ['aggTrade'],
  type: 'aggTrade',
  fields: [emitted, matched, symbol, { key: 'a', form: 'id', means: 'id' }, price, size, maker],
  usual: [
    '{"e":"aggTrade","E":<E>,"s":"<symbol>","a":<a>,"p":"<p>","q":"<q>","f":<#>,"l":<#>,"T":<T>,"m":<m>,"M":<!>}',
  ],
};

const spotTouch: MessageLayout = {
  name: 'bookTicker',
  event: 'touch',
  streams: ['bookTicker'],
  type: null,
  fields: [...touch, symbol],
  usual: ['{"u":<u>,"s":"<symbol>","b":"<b>","B":"<B>","a":"<a>","A":"<A>"}'],
};

const wrapped = {
  wrapper: '{"stream":"<topic>","data":<payload>}',
  restPairs: true,
  topic: { stream: ['stream'], symbol: null, separator: '@', symbolFirst: true, lowerCase: true },
  payload: 'data',
  type: 'e',
  control: ['result', 'error', 'code'],
};

/** USD-M and COIN-M speak alike. */
export const futuresLayouts: Layouts = {
  id: 'binance_futures',
  ...wrapped,
  messages: [futuresDepth, futuresTrade, futuresTouch, futuresAggTrade, markPrice, futuresPartial, liquidation],
};

export const spotLayouts: Layouts = {
  id: 'binance_spot',
  ...wrapped,
  messages: [spotDepth, spotTrade, spotTouch, spotAggTrade, spotPartial],
};
