/** Self-made messages in every shape that venues other than Binance send, as tape lines: seeds of the fuzzer. */
import type { Binding } from '../../src/decode/decoder.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import { line } from './messages.js';
import type { Corpus } from './mutate.js';

/** What a decoder must know of a src whose venue is in the registry. */
function bindingFor(venue: string, symbol: string, tick: string, lot: string): [string, Binding] {
  const { layouts, kind, channels } = venueById(venue);
  const instrument: Instrument = { symbol, kind, tick, lot, multiplier: '1' };
  return [`${venue}:${symbol}`, { layouts, symbol, scale: scaleOf(instrument), flow: channels.flow }];
}

const bybitBook = (type: string, depth: number): string[] => [
  `{"topic":"orderbook.${depth}.BTCUSDT","type":"${type}","ts":1786000001237,"data":{"s":"BTCUSDT","b":[["64010.10","3.204"],["64010.00","0"]],"a":[["64010.20","1.000"]],"u":53935309,"seq":420000000123},"cts":1786000001231}`,
  `{"topic":"orderbook.${depth}.BTCUSDT","ts":"1786000001237","type":"${type}","data":{"s":"BTCUSDT","b":[],"a":[],"u":53935310,"seq":420000000123}}`,
];

const bybitMessages: string[] = [
  ...[1, 50, 200].flatMap((depth) => ['snapshot', 'delta'].flatMap((type) => bybitBook(type, depth))),
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[{"T":1786000001236,"s":"BTCUSDT","S":"Sell","v":"0.003","p":"64010.10","L":"ZeroMinusTick","i":"5b1f0c7e-aa","BT":false,"RPI":false,"seq":420000000125},{"T":1786000001236,"s":"BTCUSDT","S":"Buy","v":"1","p":"64010.2","L":"PlusTick","i":"5b1f0c7e-ab","BT":true,"RPI":false,"seq":420000000126}]}',
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[{"T":1786000001236,"s":"BTCUSDT","S":"Buy","v":"0.003","p":"64010.10","i":"2290000000007","RPI":true}]}',
  '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1786000003000,"data":[{"T":1786000002811,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"62990.50"}]}',
  '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1786000003000,"data":[{"T":1786000002811,"s":"BTCUSDT","S":"Sell","v":"1","p":"62990.5"},{"T":1786000002812,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"62990.50"}]}',
  '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"64003.10"},"cs":420000000130,"ts":1786000001300}',
  '{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","markPrice":"65117.44","indexPrice":"65137.76","openInterest":"59891.732","singleOpenInterest":"29945.866","nextFundingTime":"1786320000000","fundingRate":"-0.00004617","bid1Price":"65114.20","preQty":""},"cs":753843900397,"ts":1786310817583}',
  '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","nextFundingTime":"","fundingRate":"","openInterest":"0"},"cs":1,"ts":1786310817583}',
  '{"success":true,"ret_msg":"pong","conn_id":"0a1b","req_id":"p1","op":"ping"}',
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[]}',
];

const okxArg = (channel: string): string => `{"arg":{"channel":"${channel}","instId":"BTC-USDT-SWAP"}`;

const okxMessages: string[] = [
  `${okxArg('books')},"action":"snapshot","data":[{"asks":[["64010.2","132.4","0","11"]],"bids":[["64010.1","88","0","7"]],"ts":"1786000001205","checksum":0,"prevSeqId":-1,"seqId":71000000101}]}`,
  `${okxArg('books')},"action":"update","data":[{"asks":[["64010.2","0","0","0"],["64010.3","1","0","1"]],"bids":[],"ts":"1786000001305","checksum":-855196043,"prevSeqId":71000000101,"seqId":71000000119}]}`,
  `${okxArg('books')},"action":"update","data":[{"asks":[],"bids":[],"ts":"1786000001305"}]}`,
  `${okxArg('bbo-tbt')},"data":[{"asks":[["64012.4","0.35","0","3"]],"bids":[["64012.3","1.1","0","5"]],"ts":"1786000001206","seqId":71000000120}]}`,
  `${okxArg('trades')},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000105","px":"64010.1","sz":"12.5","side":"sell","ts":"1786000001204","count":"3","source":"0","seqId":71000000118},{"instId":"BTC-USDT-SWAP","tradeId":"2300000106","px":"64010.1","sz":"1","side":"buy","ts":"1786000001205","seqId":71000000118}]}`,
  `${okxArg('trades')},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000107","px":"64010.1","sz":"1","side":"buy","ts":"1786000001205","count":"1","source":"1","seqId":71000000119}]}`,
  `${okxArg('trades')},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000108","px":"64010.1","sz":"1","side":"buy","ts":"1786000001205","count":"1"}]}`,
  `${okxArg('mark-price')},"data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"64000.5","ts":"1786000001300"}]}`,
  `${okxArg('funding-rate')},"data":[{"fundingRate":"-0.0000225267512364","fundingTime":"1786003200000","instId":"BTC-USDT-SWAP","instType":"SWAP","nextFundingRate":"","nextFundingTime":"1786032000000","ts":"1786000001300"}]}`,
  `${okxArg('open-interest')},"data":[{"instId":"BTC-USDT-SWAP","instType":"SWAP","oi":"2216113.01","oiCcy":"22161.1301","ts":"1786000001301"}]}`,
  '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"63100.5","ccy":"","posSide":"long","side":"sell","sz":"35","ts":"1786000001100"},{"bkPx":"64100.55","side":"buy","sz":"0.32","ts":"1786000001050"}],"instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","instType":"SWAP"}]}',
  '{"id":"s1","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}',
  '{"event":"notice","code":"64008","msg":"The connection will soon be closed","connId":"a4"}',
];

const bingxMessages: string[] = [
  ...['all', 'update'].map(
    (action) =>
      `{"code":0,"dataType":"ETH-USDT@incrDepth","data":{"action":"${action}","lastUpdateId":412900117,"time":1790201122310,"bids":[["2651.48","93.15"],["2651.47","0.00"]],"asks":[["2655.10","0.00"],["2651.49","120.02"]]}}`,
  ),
  '{"code":0,"dataType":"ETH-USDT@depth5@500ms","ts":1790201123000,"data":{"bids":[["142.11","50.2"]],"asks":[["142.20","7.0"],["142.12","31.4"]]}}',
  '{"code":0,"dataType":"ETH-USDT@trade","data":[{"q":"0.0231","p":"2651.4","T":1790201123450,"m":false,"s":"ETH-USDT"},{"q":"0.0480","p":"2651.3","T":1790201123450,"m":true,"s":"ETH-USDT"}]}',
  '{"code":0,"dataType":"ETH-USDT@trade","data":{"q":"0.0231","p":"2651.4","T":1790201123450,"m":false,"s":"ETH-USDT"}}',
  '{"code":0,"dataType":"ETH-USDT@bookTicker","data":{"e":"bookTicker","u":190000700,"E":1790201124000,"T":1790201123990,"s":"ETH-USDT","b":"2651.3","B":"14.2011","a":"2651.4","A":"3.9920"}}',
  '{"code":0,"dataType":"ETH-USDT@markPrice","data":{"e":"markPriceUpdate","E":1790201124636,"s":"ETH-USDT","p":"2651.4321"}}',
  '{"id":"a","code":0,"msg":"","dataType":"","data":null}',
  '{"id":"a","code":80015,"msg":"dataType not support","dataType":"","data":null}',
];

const weexMessages: string[] = [
  '{"e":"depthSnapshot","E":1790300000048,"s":"ETHUSDT","U":17000000100,"u":17000000162,"l":200,"d":"SNAPSHOT","b":[["2651.48","45.170"],["2651.47","2.004"]],"a":[["2651.49","38.220"]]}',
  '{"e":"depth","E":1790300000547,"s":"ETHUSDT","U":17000000162,"u":17000000231,"l":200,"d":"CHANGED","b":[["2651.48","0"]],"a":[["2651.48","6.500"],["2651.52","0"]]}',
  '{"e":"depth","E":1790300000547,"s":"ETHUSDT","U":17000000162,"u":17000000231,"l":15,"d":"CHANGED","b":[],"a":[]}',
  '{"e":"depth","E":1790300000547,"s":"ETHUSDT","U":17000000162,"u":17000000231,"l":"200","d":"SNAPSHOT","b":[],"a":[["2651.48","6.5"]]}',
  '{"e":"trade","E":1790300001010,"s":"ETHUSDT","d":[{"T":1790300001002,"t":"0f6a1c2e-77aa-4d1b-8c11-5b0e9d2f0001","p":"2651.50","q":"0.020","v":"53.03000","m":false},{"T":1790300000597,"t":"9be0d3c4-10f2","p":"2651.50","q":"0.037","v":"98.10550","m":true}]}',
  '{"e":"ticker","E":1790300002308,"s":"ETHUSDT","d":[{"p":"812.4","m":"86512.9","i":"86540.10250"}]}',
  '{"result":true,"id":1}',
  '{"cid":"a","event":"connected","time":"1790300000001"}',
];

const mexcMessages: string[] = [
  '{"symbol":"DOGE_USDT","data":{"cts":1789400005531,"asks":[[0.080100,2868,1],[0.08009,0,0]],"bids":[[0.08003,8905,4],[0.07969,0,0]],"begin":8760000048,"end":8760000103,"version":8760000103},"channel":"push.depth","ts":1789400005534}',
  '{"symbol":"DOGE_USDT","data":{"cts":null,"asks":[[7.548E-2,42,1]],"bids":[],"version":37730000980,"begin":0},"channel":"push.depth","ts":"1789400005801"}',
  '{"symbol":"DOGE_USDT","data":{"cts":1789400005531,"asks":[[0.08055,48,1]],"bids":[],"version":5230000685},"channel":"push.depth.full","ts":1789400005801}',
  '{"symbol":"DOGE_USDT","data":[{"p":0.0864,"v":49,"T":2,"O":3,"M":1,"t":1789400012047,"i":"16290000116","cts":"1789400012047"},{"p":0.0865,"v":1,"T":1,"O":3,"M":1,"t":1789400012047,"i":"16290000117"}],"channel":"push.deal","ts":1789400012047}',
  '{"symbol":"DOGE_USDT","data":{"p":0.0864,"v":49,"T":2,"O":3,"M":1,"t":1789400012047},"channel":"push.deal","ts":1789400012047}',
  '{"symbol":"DOGE_USDT","data":{"symbol":"DOGE_USDT","lastPrice":0.0864,"fairPrice":0.08643,"indexPrice":0.0864512,"fundingRate":-0.000081,"holdVol":4310237,"timestamp":1789400013005,"riseFallRates":{"r":null}},"channel":"push.ticker","ts":1789400013005}',
  '{"symbol":"DOGE_USDT","data":{"symbol":"DOGE_USDT","price":0.08643},"channel":"push.fair.price","ts":1789400013821}',
  '{"symbol":"DOGE_USDT","data":{"symbol":"DOGE_USDT","price":8.643e-2},"channel":"push.index.price","ts":1789400013821}',
  '{"symbol":"DOGE_USDT","data":{"symbol":"DOGE_USDT","rate":8.1E-5,"nextSettleTime":1789430400000},"channel":"push.funding.rate","ts":1789400014049}',
  '{"channel":"rs.sub.depth","data":"success","ts":1789400000789}',
  '{"channel":"pong","data":1789400000789,"ts":1789400000789}',
];

const venueBindings = new Map<string, Binding>([
  bindingFor('bybit-linear', 'BTCUSDT', '0.10', '0.001'),
  bindingFor('okx-swap', 'BTC-USDT-SWAP', '0.1', '0.01'),
  bindingFor('bingx-swap', 'ETH-USDT', '0.01', '0.0001'),
  bindingFor('weex-futures', 'ETHUSDT', '0.01', '0.001'),
  bindingFor('mexc-futures', 'DOGE_USDT', '0.00001', '1'),
]);

const venueLines: string[] = [
  ...bybitMessages.map((message) => line('bybit-linear:BTCUSDT', message)),
  ...okxMessages.map((message) => line('okx-swap:BTC-USDT-SWAP', message)),
  ...bingxMessages.map((message) => line('bingx-swap:ETH-USDT', message)),
  ...weexMessages.map((message) => line('weex-futures:ETHUSDT', message)),
  ...mexcMessages.map((message) => line('mexc-futures:DOGE_USDT', message)),
];

/** For the fuzzer; the naive decoder knows Binance alone. */
export const venueCorpus: Corpus = { lines: venueLines, bindings: venueBindings, sources: new Map() };
