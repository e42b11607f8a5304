/** Self-made messages in every shape that venues other than Binance send, as tape lines: seeds of the fuzzer. */
import type { Binding } from '../../src/decode/decoder.js';
import { type Instrument, scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';
import { line } from './messages.js';

/** What a decoder must know of a src whose venue is in the registry. */
export function bindingFor(venue: string, symbol: string, tick: string, lot: string): [string, Binding] {
  const { layouts, kind, channels } = venueById(venue);
  const instrument: Instrument = { symbol, kind, tick, lot, multiplier: '1' };
  return [`${venue}:${symbol}`, { layouts, symbol, scale: scaleOf(instrument), flow: channels.flow }];
}

const bybitBook = (type: string, depth: number): string[] => [
  `{"topic":"orderbook.${depth}.BTCUSDT","type":"${type}","ts":1786000001237,"data":{"s":"BTCUSDT","b":[["64010.10","3.204"],["64010.00","0"]],"a":[["64010.20","1.000"]],"u":53935309,"seq":420000000123},"cts":1786000001231}`,
  `{"topic":"orderbook.${depth}.BTCUSDT","ts":"1786000001237","type":"${type}","data":{"s":"BTCUSDT","b":[],"a":[],"u":53935310,"seq":420000000123}}`,
];

export const bybitMessages: string[] = [
  ...[1, 50, 200].flatMap((depth) => ['snapshot', 'delta'].flatMap((type) => bybitBook(type, depth))),
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[{"T":1786000001236,"s":"BTCUSDT","S":"Sell","v":"0.003","p":"64010.10","L":"ZeroMinusTick","i":"5b1f0c7e-aa","BT":false,"RPI":false,"seq":420000000125},{"T":1786000001236,"s":"BTCUSDT","S":"Buy","v":"1","p":"64010.2","L":"PlusTick","i":"5b1f0c7e-ab","BT":true,"RPI":false,"seq":420000000126}]}',
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[{"T":1786000001236,"s":"BTCUSDT","S":"Buy","v":"0.003","p":"64010.10","i":"2290000000007","RPI":true}]}',
  '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1786000003000,"data":[{"T":1786000002811,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"62990.50"}]}',
  '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"64003.10"},"cs":420000000130,"ts":1786000001300}',
  '{"success":true,"ret_msg":"pong","conn_id":"0a1b","req_id":"p1","op":"ping"}',
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001240,"data":[]}',
];

const okxArg = (channel: string): string => `{"arg":{"channel":"${channel}","instId":"BTC-USDT-SWAP"}`;

export const okxMessages: string[] = [
  `${okxArg('books')},"action":"snapshot","data":[{"asks":[["64010.2","132.4","0","11"]],"bids":[["64010.1","88","0","7"]],"ts":"1786000001205","checksum":0,"prevSeqId":-1,"seqId":71000000101}]}`,
  `${okxArg('books')},"action":"update","data":[{"asks":[["64010.2","0","0","0"],["64010.3","1","0","1"]],"bids":[],"ts":"1786000001305","checksum":-855196043,"prevSeqId":71000000101,"seqId":71000000119}]}`,
  `${okxArg('books')},"action":"update","data":[{"asks":[],"bids":[],"ts":"1786000001305"}]}`,
  `${okxArg('bbo-tbt')},"data":[{"asks":[["64012.4","0.35","0","3"]],"bids":[["64012.3","1.1","0","5"]],"ts":"1786000001206","seqId":71000000120}]}`,
  `${okxArg('trades')},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2300000105","px":"64010.1","sz":"12.5","side":"sell","ts":"1786000001204","count":"3","source":"0","seqId":71000000118},{"instId":"BTC-USDT-SWAP","tradeId":"2300000106","px":"64010.1","sz":"1","side":"buy","ts":"1786000001205","seqId":71000000118}]}`,
  `${okxArg('mark-price')},"data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"64000.5","ts":"1786000001300"}]}`,
  '{"id":"s1","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}',
  '{"event":"notice","code":"64008","msg":"The connection will soon be closed","connId":"a4"}',
];

export const venueBindings = new Map<string, Binding>([
  bindingFor('bybit-linear', 'BTCUSDT', '0.10', '0.001'),
  bindingFor('okx-swap', 'BTC-USDT-SWAP', '0.1', '0.01'),
]);

export const venueLines: string[] = [
  ...bybitMessages.map((message) => line('bybit-linear:BTCUSDT', message)),
  ...okxMessages.map((message) => line('okx-swap:BTC-USDT-SWAP', message)),
];
