/** Venues whose books begin in their own stream, recorded over real sockets: what they say stands on the tape, what they lose is asked for again. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { bybitLinear } from '../../src/venues/bybit.js';
import { okxSwap } from '../../src/venues/okx.js';
import type { Venue } from '../../src/venues/venue.js';
import { bybit, createStreamRig, type Dialect, okx, type StreamRig, type StreamRigOptions } from './fake-venue.js';
import { until } from './harness.js';
import { follow, gapsOf, only } from './tape.js';

/** The tests mostly wait, so they wait together. */
const rigs: StreamRig[] = [];

afterAll(async () => {
  for (const rig of rigs) await rig.close();
});

const BYBIT_TIME = {
  '/v5/market/time': [
    '{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1786000001","timeNano":"1786000001500123456"},"retExtInfo":{},"time":1786000001500}',
  ],
};
const bybitListed = (symbol: string, tick: string, lot: string): string =>
  `{"symbol":"${symbol}","contractType":"LinearPerpetual","status":"Trading","baseCoin":"${symbol.slice(0, 3)}","quoteCoin":"USDT","settleCoin":"USDT","priceScale":"2","priceFilter":{"minPrice":"0.10","maxPrice":"1999999.80","tickSize":"${tick}"},"lotSizeFilter":{"qtyStep":"${lot}","minOrderQty":"${lot}"},"fundingInterval":480}`;
const bybitListing = (...rows: string[]): string =>
  `{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[${rows.join(',')}],"nextPageCursor":""},"retExtInfo":{},"time":1786000001500}`;
const BTC_LISTED = bybitListed('BTCUSDT', '0.10', '0.001');
const ETH_LISTED = bybitListed('ETHUSDT', '0.01', '0.01');
const BYBIT_ONE = {
  ...BYBIT_TIME,
  '/v5/market/instruments-info?category=linear&symbol=BTCUSDT': [bybitListing(BTC_LISTED)],
};
const BYBIT_TWO = {
  ...BYBIT_TIME,
  '/v5/market/instruments-info?category=linear&limit=1000': [bybitListing(ETH_LISTED, BTC_LISTED)],
};

const BTC_TOPIC = 'orderbook.200.BTCUSDT';
const ETH_TOPIC = 'orderbook.200.ETHUSDT';
const BTC_SNAPSHOT =
  '{"topic":"orderbook.200.BTCUSDT","type":"snapshot","ts":1786000001237,"data":{"s":"BTCUSDT","b":[["64010.10","3.204"],["64010.00","0.410"]],"a":[["64010.20","1.000"],["64010.50","0.020"]],"u":53935309,"seq":420000000123},"cts":1786000001231}';
const BTC_DELTAS = [
  '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000001337,"data":{"s":"BTCUSDT","b":[["64010.00","0"],["64009.90","1.100"]],"a":[],"u":53935310,"seq":420000000129},"cts":1786000001333}',
  '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000001437,"data":{"s":"BTCUSDT","b":[["64010.10","3.000"]],"a":[["64010.40","0.700"]],"u":53935311,"seq":420000000131},"cts":1786000001433}',
  '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000001537,"data":{"s":"BTCUSDT","b":[],"a":[["64010.20","0"]],"u":53935312,"seq":420000000140},"cts":1786000001533}',
  '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000001637,"data":{"s":"BTCUSDT","b":[["64010.10","9.000"]],"a":[],"u":53935313,"seq":420000000141},"cts":1786000001633}',
];
const BTC_SNAPSHOT_LATER =
  '{"topic":"orderbook.200.BTCUSDT","type":"snapshot","ts":1786000001737,"data":{"s":"BTCUSDT","b":[["64011.00","2.000"]],"a":[["64011.10","1.500"]],"u":53935320,"seq":420000000200},"cts":1786000001731}';
const BTC_DELTA_LATER =
  '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000001837,"data":{"s":"BTCUSDT","b":[["64010.90","4.000"]],"a":[],"u":53935321,"seq":420000000207},"cts":1786000001831}';
const BTC_TRADES =
  '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786000001440,"data":[{"T":1786000001436,"s":"BTCUSDT","S":"Sell","v":"0.003","p":"64010.10","L":"ZeroMinusTick","i":"5b1f0c7e-0000-5000-8000-000000000001","BT":false,"RPI":false,"seq":420000000130},{"T":1786000001436,"s":"BTCUSDT","S":"Buy","v":"0.250","p":"64010.20","L":"PlusTick","i":"5b1f0c7e-0000-5000-8000-000000000002","BT":false,"RPI":false,"seq":420000000130},{"T":1786000001437,"s":"BTCUSDT","S":"Buy","v":"5.000","p":"64010.00","L":"MinusTick","i":"5b1f0c7e-0000-5000-8000-000000000003","BT":true,"RPI":false,"seq":420000000131}]}';
const ETH_SNAPSHOT =
  '{"topic":"orderbook.200.ETHUSDT","type":"snapshot","ts":1786000001238,"data":{"s":"ETHUSDT","b":[["3010.11","10.00"]],"a":[["3010.12","4.20"]],"u":7001,"seq":88000001},"cts":1786000001232}';
const ETH_DELTAS = [
  '{"topic":"orderbook.200.ETHUSDT","type":"delta","ts":1786000001338,"data":{"s":"ETHUSDT","b":[["3010.10","1.00"]],"a":[],"u":7002,"seq":88000005},"cts":1786000001334}',
  '{"topic":"orderbook.200.ETHUSDT","type":"delta","ts":1786000001738,"data":{"s":"ETHUSDT","b":[],"a":[["3010.12","4.00"]],"u":7003,"seq":88000009},"cts":1786000001734}',
];
const RENEW_BTC = [
  '{"op":"unsubscribe","args":["orderbook.200.BTCUSDT"]}',
  '{"op":"subscribe","args":["orderbook.200.BTCUSDT"]}',
];

async function start(
  options: Omit<StreamRigOptions, 'speak' | 'venue'> & Partial<StreamRigOptions>,
): Promise<StreamRig> {
  const rig = await createStreamRig({ venue: bybitLinear, speak: bybit, ...options });
  rigs.push(rig);
  return rig;
}

/** A recorder of one symbol, subscribed. */
async function startBybit(
  script: Partial<StreamRigOptions['script']> = {},
  more: Partial<StreamRigOptions> = {},
): Promise<StreamRig> {
  const rig = await start({
    symbols: ['BTCUSDT'],
    script: { rest: BYBIT_ONE, onSubscribe: { [BTC_TOPIC]: [BTC_SNAPSHOT, BTC_SNAPSHOT_LATER] }, ...script },
    ...more,
  });
  await rig.heard(1);
  await rig.settled();
  return rig;
}

/** A recorder of two symbols on one connection, each subscribed by a text of its own. */
async function startBybitTwo(script: Partial<StreamRigOptions['script']> = {}): Promise<StreamRig> {
  const rig = await start({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    script: {
      rest: BYBIT_TWO,
      onSubscribe: { [BTC_TOPIC]: [BTC_SNAPSHOT, BTC_SNAPSHOT_LATER], [ETH_TOPIC]: [ETH_SNAPSHOT, ETH_SNAPSHOT] },
      ...script,
    },
  });
  await rig.heard(1);
  await rig.advance(100);
  await rig.heard(2);
  await rig.settled();
  return rig;
}

/** Texts of `sent` entries, as they were said. */
const saidOn = async (rig: StreamRig, symbol: string): Promise<string[]> =>
  only(await rig.entries(symbol), 'sent').map(({ sent }) => JSON.stringify(sent));

/** What verify finds on all tapes; a gap that the tape itself tells is found too. */
async function found(rig: StreamRig): Promise<string[]> {
  const reports = await rig.verify();
  expect(reports.map(({ unknown }) => unknown)).toEqual(reports.map(() => 0));
  return reports.flatMap(({ src, problems }) => problems.map(({ code }) => `${src} ${code}`));
}

describe.concurrent('Bybit', () => {
  test('what was sent is on the tape byte for byte and in order, and makes the book', async () => {
    const rig = await startBybit();
    // keys in the order of spot, a quoted time and blanks: all of it is kept as it came
    const odd =
      '{"topic":"orderbook.200.BTCUSDT","ts":"1786000001537","type":"delta","data":{"s":"BTCUSDT","b":[], "a":[["64010.20","0"],["64999.90","0"]],"u":53935312,"seq":420000000140},"cts":1786000001533}';
    rig.push(BTC_DELTAS[0], BTC_TRADES, BTC_DELTAS[1], odd);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, gaps: 0 });
    expect(await rig.stop()).toMatchObject({ received: 6, written: 6, dropped: 0, gaps: 0, reconnects: 0 });

    expect(rig.server.paths).toEqual(['/v5/public/linear']);
    expect(rig.server.heard).toEqual([
      '{"req_id":"BTCUSDT","op":"subscribe","args":["orderbook.200.BTCUSDT","publicTrade.BTCUSDT"]}',
    ]);
    const ack = '{"success":true,"ret_msg":"","conn_id":"0a1b2c3d","req_id":"BTCUSDT","op":"subscribe"}';
    expect(await rig.messages('BTCUSDT')).toEqual([ack, BTC_SNAPSHOT, BTC_DELTAS[0], BTC_TRADES, BTC_DELTAS[1], odd]);
    expect(await saidOn(rig, 'BTCUSDT')).toEqual(rig.server.heard);
    const { book, counts, valid, lost } = await follow(rig, 'BTCUSDT');
    expect([valid.length, lost.length]).toEqual([1, 0]);
    expect(book).toMatchObject({
      state: 'valid',
      bids: [
        ['64010.1', '3'],
        ['64009.9', '1.1'],
      ],
      asks: [
        ['64010.4', '0.7'],
        ['64010.5', '0.02'],
      ],
    });
    expect(counts).toMatchObject({ trades: 3, offBook: 1, unknown: 0, invalid: 0, crossed: 0, bookGaps: 0 });
    expect(gapsOf(await rig.entries('BTCUSDT'))).toEqual([]);
    const [report, ...others] = await rig.verify();
    expect(others).toEqual([]);
    expect(report).toMatchObject({ messages: 6, gaps: 0, unknown: 0, problems: [] });
  });

  test('a delta that is missing is a gap, and the topic is subscribed anew; the other symbol loses nothing', async () => {
    const rig = await startBybitTwo();
    rig.push(BTC_DELTAS[0], ETH_DELTAS[0], BTC_DELTAS[2], BTC_DELTAS[3]);
    await rig.settled();
    expect(rig.server.heard.slice(2)).toEqual(RENEW_BTC);
    rig.push(BTC_DELTA_LATER, ETH_DELTAS[1]);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 2, gaps: 1, reconnects: 0 });
    await rig.stop();

    const entries = await rig.entries('BTCUSDT');
    const at = entries.findIndex((entry) => 'gap' in entry);
    expect(entries[at - 1]).toMatchObject({ msg: JSON.parse(BTC_DELTAS[2]) });
    expect(gapsOf(entries)).toEqual([
      { stream: 'depth', reason: 'sequence', from: expect.any(Number), expected: 53935310, got: 53935312 },
    ]);
    expect(entries.find(({ t }) => t === gapsOf(entries)[0].from)).toMatchObject({ msg: JSON.parse(BTC_DELTAS[0]) });
    expect((await saidOn(rig, 'BTCUSDT')).slice(2)).toEqual(RENEW_BTC);
    expect(rig.notes.filter((note) => note.includes('book lost'))).toEqual([
      'bybit-linear:BTCUSDT: book lost (sequence), asking for a snapshot',
    ]);
    const btc = await follow(rig, 'BTCUSDT');
    expect([btc.valid.length, btc.lost.length]).toEqual([2, 1]);
    expect(btc.book).toMatchObject({
      state: 'valid',
      bids: [
        ['64011', '2'],
        ['64010.9', '4'],
      ],
      asks: [['64011.1', '1.5']],
    });

    const eth = await rig.messages('ETHUSDT');
    expect(eth.filter((text) => text.includes('topic'))).toEqual([ETH_SNAPSHOT, ...ETH_DELTAS]);
    expect(gapsOf(await rig.entries('ETHUSDT'))).toEqual([]);
    const followed = await follow(rig, 'ETHUSDT');
    expect([followed.valid.length, followed.lost.length]).toEqual([1, 0]);
    expect(followed.book).toMatchObject({
      bids: [
        ['3010.11', '10'],
        ['3010.1', '1'],
      ],
      asks: [['3010.12', '4']],
    });
    // acks are of the connection, so that each tape has them
    expect(eth.filter((text) => text.includes('"success":true'))).toHaveLength(4);
    expect(await found(rig)).toEqual(['bybit-linear:BTCUSDT GAP']);
  });
});

test('the end of the recording is no loss, also where the venue does not answer it', async () => {
  const rig = await startBybit();
  rig.server.sockets[0].pause();
  const ended = rig.stop();
  await rig.advance(2_000);
  expect(await ended).toMatchObject({ gaps: 0, reconnects: 0 });
  const entries = await rig.entries('BTCUSDT');
  expect(only(entries, 'close').map(({ close }) => close)).toEqual([{ code: 1006, reason: 'stop' }]);
  expect(gapsOf(entries)).toEqual([]);
});

describe.concurrent('Bybit by two connections', () => {
  const renumbered = (u: number, price: string): string =>
    `{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786000002837,"data":{"s":"BTCUSDT","b":[["${price}","4.000"]],"a":[],"u":${u},"seq":420000000${200 + u}},"cts":1786000002831}`;
  const ANEW =
    '{"topic":"orderbook.200.BTCUSDT","type":"snapshot","ts":1786000002737,"data":{"s":"BTCUSDT","b":[["65000.00","2.000"]],"a":[["65011.10","1.500"]],"u":1,"seq":420000000201},"cts":1786000002731}';
  const begun = async (): Promise<StreamRig> => {
    const rig = await start({
      symbols: ['BTCUSDT'],
      script: { rest: BYBIT_ONE, onSubscribe: { [BTC_TOPIC]: [BTC_SNAPSHOT, BTC_SNAPSHOT, ANEW, ANEW, ANEW] } },
      record: { redundancy: 2 },
    });
    await rig.heard(1);
    await rig.advance(300);
    await rig.heard(2);
    await rig.settled();
    return rig;
  };
  const toAll = (rig: StreamRig, ...texts: string[]): Promise<void> => {
    for (const text of texts) for (const socket of rig.server.sockets) rig.pushTo(socket, text);
    return rig.settled();
  };

  test('a book that the venue begins anew on both is begun anew once', async () => {
    const rig = await begun();
    await toAll(rig, BTC_DELTAS[0], BTC_DELTAS[1], ANEW, renumbered(2, '65000.50'), renumbered(3, '65000.60'));
    expect(rig.status).toMatchObject({ valid: 1, reconnects: 0 });
    await rig.stop();
    const { book, counts } = await follow(rig, 'BTCUSDT');
    expect(book.bids.map(([price]) => price)).toEqual(['65000.6', '65000.5', '65000']);
    expect(counts.bookGaps).toBe(0);
  });

  test('a book that begins anew as one connection after the other is opened anew is not the old one for ever', async () => {
    const rig = await begun();
    await toAll(rig, BTC_DELTAS[0], BTC_DELTAS[1]);
    const [first, second] = rig.server.sockets.splice(0);
    for (const [n, socket] of [first, second].entries()) {
      socket.close();
      await until('it is lost', () => rig.status.reconnects === n + 1);
      await rig.advance(1);
      await rig.heard(3 + n);
      await rig.settled();
    }
    // as ids are, all of this was brought already
    for (let u = 2; u < 30; u++) await toAll(rig, renumbered(u, '65000.50'));
    await rig.advance(5_000);
    // what is old for so long is not old
    for (let u = 30; rig.server.heard.length === 4; u++) await toAll(rig, renumbered(u, '65000.50'));
    expect(rig.server.heard.slice(4)).toEqual(RENEW_BTC);
    await rig.settled();
    await toAll(rig, renumbered(2, '65000.60'));
    expect(rig.status.valid).toBe(1);
    await rig.stop();
    const { book } = await follow(rig, 'BTCUSDT');
    expect(book.bids.map(([price]) => price)).toEqual(['65000.6', '65000']);
    expect(gapsOf(await rig.entries('BTCUSDT'))).toMatchObject([{ stream: 'depth', reason: 'sequence' }]);
  });
});

const SWAP = 'BTC-USDT-SWAP';
const OKX_REST = {
  '/api/v5/public/time': ['{"code":"0","msg":"","data":[{"ts":"1786000001500"}]}'],
  '/api/v5/public/instruments?instType=SWAP&instId=BTC-USDT-SWAP': [
    '{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","uly":"BTC-USDT","baseCcy":"","quoteCcy":"","settleCcy":"USDT","ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","ctType":"linear","tickSz":"0.1","lotSz":"0.01","minSz":"0.01","state":"live","expTime":""}]}',
  ],
};
const BOOKS = 'books:BTC-USDT-SWAP';
const okxUpdate = (previous: number, id: number, bids: string, asks = ''): string =>
  `{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"action":"update","data":[{"asks":[${asks}],"bids":[${bids}],"ts":"1786000001305","checksum":0,"prevSeqId":${previous},"seqId":${id}}]}`;
const OKX_SNAPSHOT =
  '{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"action":"snapshot","data":[{"asks":[["64010.2","132.4","0","11"]],"bids":[["64010.1","88","0","7"],["64010","2.5","0","1"]],"ts":"1786000001205","checksum":0,"prevSeqId":-1,"seqId":71000000101}]}';
const OKX_SNAPSHOT_LATER =
  '{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"action":"snapshot","data":[{"asks":[["64020.2","1","0","1"]],"bids":[["64020.1","2","0","1"]],"ts":"1786000001905","checksum":0,"prevSeqId":-1,"seqId":40}]}';
const okxTrades = (...rows: [id: number, count: number][]): string =>
  `{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[${rows
    .map(
      ([id, count]) =>
        `{"instId":"BTC-USDT-SWAP","tradeId":"${id}","px":"64010.1","sz":"12.5","side":"sell","ts":"1786000001204","count":"${count}","source":"0","seqId":71000000118}`,
    )
    .join(',')}]}`;
const OKX_ACKS = ['books', 'trades'].map(
  (channel) => `{"event":"subscribe","arg":{"channel":"${channel}","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}`,
);
const OKX_SUBSCRIBE =
  '{"op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT-SWAP"},{"channel":"trades","instId":"BTC-USDT-SWAP"}]}';
const RENEW_BOOKS = ['unsubscribe', 'subscribe'].map(
  (op) => `{"op":"${op}","args":[{"channel":"books","instId":"BTC-USDT-SWAP"}]}`,
);

async function startOkx(script: Partial<StreamRigOptions['script']> = {}): Promise<StreamRig> {
  const rig = await start({
    venue: okxSwap,
    speak: okx,
    symbols: [SWAP],
    script: { rest: OKX_REST, onSubscribe: { [BOOKS]: [OKX_SNAPSHOT, OKX_SNAPSHOT_LATER] }, ...script },
  });
  await rig.heard(1);
  await rig.settled();
  return rig;
}

describe.concurrent('OKX', () => {
  test('a keep-alive and a reset of the ids cost nothing', async () => {
    const rig = await startOkx();
    const texts = [
      okxUpdate(71000000101, 71000000119, '["64010","0","0","0"],["64009.9","5","0","2"]'),
      okxTrades([2300000105, 3]),
      okxUpdate(71000000119, 71000000119, ''),
      okxUpdate(71000000119, 7, '["64010.1","80.32","0","6"]'),
      okxUpdate(7, 12, '', '["64010.2","0","0","0"],["64010.3","1","0","1"]'),
    ];
    rig.push(...texts);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, gaps: 0 });
    await rig.stop();
    expect(rig.server.paths).toEqual(['/ws/v5/public']);
    expect(rig.server.heard).toEqual([OKX_SUBSCRIBE]);
    expect(await rig.messages(SWAP)).toEqual([OKX_ACKS[0], OKX_SNAPSHOT, OKX_ACKS[1], ...texts]);
    const { book, counts, valid, lost } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([1, 0]);
    expect(book).toMatchObject({
      state: 'valid',
      bids: [
        ['64010.1', '80.32'],
        ['64009.9', '5'],
      ],
      asks: [['64010.3', '1']],
    });
    expect(counts).toMatchObject({ applied: 4, unknown: 0, invalid: 0, bookGaps: 0 });
    expect(await found(rig)).toEqual([]);
  });

  test('an update that does not follow is a gap, and the topic is subscribed anew', async () => {
    const rig = await startOkx();
    const texts = [
      okxUpdate(71000000101, 71000000119, '["64009.9","5","0","2"]'),
      okxUpdate(71000000150, 71000000160, '["64009.8","5","0","2"]'),
      // on its way while the recorder asks: once is enough
      okxUpdate(71000000160, 71000000170, '["64009.7","5","0","2"]'),
    ];
    rig.push(...texts);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual(RENEW_BOOKS);
    const later = okxUpdate(40, 41, '["64020.1","3","0","1"]');
    rig.push(later);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, gaps: 1, reconnects: 0 });
    await rig.stop();
    const entries = await rig.entries(SWAP);
    expect(gapsOf(entries)).toEqual([
      {
        stream: 'depth',
        reason: 'sequence',
        from: expect.any(Number),
        expected: 71000000119,
        got: 71000000150,
      },
    ]);
    expect((await saidOn(rig, SWAP)).slice(1)).toEqual(RENEW_BOOKS);
    const { book, valid, lost } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([2, 1]);
    expect(book).toMatchObject({ state: 'valid', bids: [['64020.1', '3']], asks: [['64020.2', '1']] });
    expect(await found(rig)).toEqual(['okx-swap:BTC-USDT-SWAP GAP']);
  });

  test('acks of both kinds stand on the tape they concern', async () => {
    const rig = await startOkx();
    rig.push(okxUpdate(71000000150, 71000000160, ''));
    await rig.settled();
    await rig.stop();
    expect((await rig.messages(SWAP)).slice(-3)).toEqual([
      '{"event":"unsubscribe","arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"connId":"a4d3ae55"}',
      OKX_ACKS[0],
      OKX_SNAPSHOT_LATER,
    ]);
  });

  test('ping is sent at its time, and pong is kept as text and harms nothing', async () => {
    const rig = await startOkx();
    await rig.advance(14_999);
    await rig.settled();
    expect(rig.server.heard).not.toContain('ping');
    await rig.advance(1);
    await rig.heard(2);
    await rig.settled();
    expect(rig.server.heard).toEqual([OKX_SUBSCRIBE, 'ping']);
    await rig.advance(14_999);
    await rig.settled();
    expect(rig.server.heard).toHaveLength(2);
    await rig.advance(1);
    await rig.heard(3);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, books: 1, gaps: 0, reconnects: 0 });
    const summary = await rig.stop();
    expect(summary).toMatchObject({ received: 5, written: 5, dropped: 0 });
    expect(only(await rig.entries('_venue'), 'text').map(({ text }) => text)).toEqual(['pong', 'pong']);
    expect(await rig.messages(SWAP)).toHaveLength(3);
    expect(await saidOn(rig, SWAP)).toEqual([OKX_SUBSCRIBE]);
    expect(await found(rig)).toEqual([]);
  });

  test('pongs keep a quiet connection; without them it is given up', async () => {
    const rig = await startOkx();
    rig.push(okxUpdate(71000000101, 71000000119, ''));
    await rig.settled();
    for (const heard of [2, 3, 4]) {
      await rig.advance(15_000);
      await rig.heard(heard);
      await rig.settled();
    }
    expect(rig.server.sockets).toHaveLength(1);
    rig.server.hear = () => {};
    await rig.advance(39_999);
    await rig.settled();
    expect(rig.server.sockets).toHaveLength(1);
    await rig.advance(1);
    await until('it connects again', () => rig.server.sockets.length === 2);
    await rig.stop();
    expect(only(await rig.entries(SWAP), 'close')[0].close.reason).toBe('silence');
  });

  test('a stream without a snapshot is joined to the book over REST', async () => {
    const body = (id: number): string =>
      `{"code":"0","msg":"","data":[{"asks":[["64010.2","7","0","2"]],"bids":[["64010.1","9","0","3"]],"ts":"1786000001300","seqId":${id}}]}`;
    const rig = await startOkx({
      onSubscribe: {},
      rest: { ...OKX_REST, '/api/v5/market/books?instId=BTC-USDT-SWAP&sz=400': [body(99), body(135)] },
    });
    const asked = async (): Promise<number> =>
      only(await rig.entries(SWAP), 'http').filter(({ http }) => http.url.includes('/books')).length;
    rig.push(okxUpdate(100, 110, '["64010","1","0","1"]'));
    await rig.settled();
    await rig.advance(2_999);
    rig.push(okxUpdate(110, 120, '["64010","2","0","1"]'));
    await rig.settled();
    expect(rig.server.heard).toEqual([OKX_SUBSCRIBE]);
    await rig.advance(1);
    rig.push(okxUpdate(120, 130, '["64010","3","0","1"]'));
    await rig.heard(3);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual(RENEW_BOOKS);
    rig.push(okxUpdate(130, 140, '["64010","4","0","1"]'));
    await rig.settled();
    expect(rig.server.heard).toHaveLength(3);
    await rig.advance(5_000);
    rig.push(okxUpdate(140, 150, '["64010.1","8","0","1"]'));
    await rig.settled();
    // the first body is older than what was kept
    await rig.advance(1_000);
    rig.push(okxUpdate(150, 160, '', '["64010.2","6","0","2"]'));
    await until('the book is valid', () => rig.status.valid === 1);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, gaps: 0, reconnects: 0 });
    await rig.stop();
    expect(await asked()).toBe(2);
    const { book } = await follow(rig, SWAP);
    expect(book).toMatchObject({
      state: 'valid',
      bids: [
        ['64010.1', '8'],
        ['64010', '4'],
      ],
      asks: [['64010.2', '6']],
    });
    expect(await found(rig)).toEqual([]);
  });

  test('several trades in one message are followed one by one, and a missing id is a gap', async () => {
    const rig = await startOkx();
    const many: [number, number][] = Array.from({ length: 200 }, (_, n) => [2300000111 + n, 1]);
    rig.push(
      okxTrades([2300000105, 3], [2300000106, 1]),
      okxTrades([2300000108, 2], [2300000110, 1]),
      okxTrades(...many),
      okxTrades([2300000313, 2]),
    );
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 1, gaps: 2 });
    await rig.stop();
    const entries = await rig.entries(SWAP);
    expect(gapsOf(entries)).toMatchObject([
      { stream: 'trade', reason: 'sequence', expected: 2300000109, got: 2300000110 },
      { stream: 'trade', reason: 'sequence', expected: 2300000311, got: 2300000313 },
    ]);
    const { counts } = await follow(rig, SWAP);
    expect(counts).toMatchObject({ trades: 205, tradesMissing: 2, bookGaps: 0 });
  });

  test('at the notice of a shutdown another connection is opened, and both are kept until it has shown the same', async () => {
    // both connections begin with the same book
    const rig = await startOkx({ onSubscribe: { [BOOKS]: [OKX_SNAPSHOT, OKX_SNAPSHOT] } });
    const notice =
      '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"a4d3ae55"}';
    rig.push(notice);
    // so long after the first
    await rig.advance(700);
    await rig.heard(2);
    await rig.settled();
    const [old, fresh] = rig.server.sockets;
    await rig.advance(600);
    const { received } = rig.status;
    const update = okxUpdate(71000000101, 71000000119, '["64010.1","3","0","1"]');
    old.send(update);
    await until('the old one brought it', () => rig.status.received === received + 1);
    // the new one does not have it yet
    await rig.advance(5_000);
    expect(rig.server.sockets.map(({ readyState }) => readyState)).toEqual([1, 1]);
    fresh.send(update);
    await until('both brought it', () => rig.status.received === received + 2);
    await rig.advance(1);
    await until('the old one is closed', () => old.readyState === 3);
    await rig.advance(1);
    const next = okxUpdate(71000000119, 71000000125, '["64010.1","4","0","1"]');
    fresh.send(next);
    await until('the new one goes on', () => rig.status.received === received + 3);
    expect(rig.server.heard).toEqual([OKX_SUBSCRIBE, OKX_SUBSCRIBE]);
    expect(rig.status).toMatchObject({ valid: 1, reconnects: 0, gaps: 0 });
    expect(rig.notes).toEqual([
      expect.stringMatching(/^okx-swap: the exchange announced a shutdown on \w{4}\.1$/),
      expect.stringMatching(/^okx-swap: connection \w{4}\.1 is about to end; a replacement is opened beside it$/),
      expect.stringMatching(/^okx-swap: connection \w{4}\.1 closed \(1000, replaced\)$/),
    ]);
    await rig.stop();
    expect(await rig.messages(SWAP)).toContain(notice);
    const entries = await rig.entries(SWAP);
    expect(only(entries, 'close')[0].close).toEqual({ code: 1000, reason: 'replaced' });
    expect(gapsOf(entries)).toEqual([]);
    const { book, valid, lost } = await follow(rig, SWAP);
    expect([valid.length, lost.length]).toEqual([1, 0]);
    expect(book.bids[0]).toEqual(['64010.1', '4']);
  });

  test('another notice does not', async () => {
    const rig = await startOkx();
    rig.push('{"event":"notice","code":"64009","msg":"Something else.","connId":"a4d3ae55"}');
    await rig.settled();
    await rig.advance(1);
    expect(rig.status).toMatchObject({ valid: 1, reconnects: 0 });
    expect(rig.server.sockets).toHaveLength(1);
  });
});

describe.concurrent('subscriptions that fail', () => {
  test('Bybit: a refusal is told to people, and the other topics go on', async () => {
    const refusal =
      '{"success":false,"ret_msg":"error:handler not found,topic:orderbook.200.ETHUSDT","conn_id":"0a1b2c3d","req_id":"ETHUSDT","op":"subscribe"}';
    const rig = await startBybitTwo({ refused: { [ETH_TOPIC]: refusal } });
    rig.push(BTC_DELTAS[0]);
    await rig.settled();
    expect(rig.notes.filter((note) => note.includes('refused'))).toEqual([
      expect.stringMatching(
        /^bybit-linear: the exchange refused a request on \w{4}\.1: error:handler not found,topic:orderbook.200.ETHUSDT$/,
      ),
    ]);
    expect(rig.status).toMatchObject({ valid: 1, gaps: 0, reconnects: 0 });
    await rig.stop();
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
      expect(await rig.messages(symbol)).toContain(refusal);
      expect((await follow(rig, symbol)).counts).toMatchObject({ unknown: 0, invalid: 0, trades: 0 });
    }
    // which topics a refusal spared, only their data tells
    const [{ t }] = await rig.entries('BTCUSDT');
    expect(gapsOf(await rig.entries('BTCUSDT'))).toEqual([{ stream: 'trade', from: t, reason: 'silence' }]);
    expect(gapsOf(await rig.entries('ETHUSDT'))).toMatchObject([{ stream: '*', reason: 'silence' }]);
    expect(await found(rig)).toEqual(['bybit-linear:BTCUSDT GAP', 'bybit-linear:ETHUSDT GAP']);
  });

  test('OKX: a refusal is told to people, and the other topics go on', async () => {
    const refusal =
      '{"event":"error","code":"60018","msg":"channel:trades,instId:BTC-USDT-SWAP doesn\'t exist","connId":"a4d3ae55"}';
    const rig = await startOkx({ refused: { 'trades:BTC-USDT-SWAP': refusal } });
    rig.push(okxUpdate(71000000101, 71000000119, ''));
    await rig.settled();
    expect(rig.notes.filter((note) => note.includes('refused'))).toEqual([
      expect.stringMatching(/: 60018 channel:trades,instId:BTC-USDT-SWAP doesn't exist$/),
    ]);
    expect(rig.status).toMatchObject({ valid: 1, gaps: 0, reconnects: 0 });
    await rig.stop();
    expect(await rig.messages(SWAP)).toContain(refusal);
    expect((await follow(rig, SWAP)).counts).toMatchObject({ unknown: 0, invalid: 0 });
    const entries = await rig.entries(SWAP);
    expect(gapsOf(entries)).toEqual([{ stream: 'trade', from: entries[0].t, reason: 'silence' }]);
    expect(await found(rig)).toEqual(['okx-swap:BTC-USDT-SWAP GAP']);
  });

  test('a topic that is neither acked nor heard is late, asked for once more where others are heard, and then left', async () => {
    const rig = await startBybitTwo({ ignored: new Set([ETH_TOPIC]) });
    rig.push(BTC_DELTAS[0]);
    await rig.settled();
    const late = (): string[] => rig.notes.filter((note) => note.includes('no data of'));
    await rig.advance(4_999);
    expect(late()).toEqual([]);
    await rig.advance(1);
    expect(late()).toEqual([
      'bybit-linear:ETHUSDT: no data of orderbook.200.ETHUSDT within 5.0 s although it was subscribed',
    ]);
    await rig.heard(3);
    await rig.advance(100);
    await rig.heard(4);
    await rig.settled();
    expect(rig.server.heard.slice(2)).toEqual(RENEW_BTC.map((text) => text.replace(BTC_TOPIC, ETH_TOPIC)));
    rig.push(BTC_DELTAS[1]);
    await rig.settled();
    await rig.advance(5_000);
    await rig.advance(20_000);
    expect(rig.server.heard.filter((text) => text !== '{"op":"ping"}')).toHaveLength(4);
    expect(rig.status).toMatchObject({ valid: 1, reconnects: 0 });
    await rig.stop();
    expect(gapsOf(await rig.entries('ETHUSDT'))[0]).toMatchObject({ stream: 'depth', reason: 'silence' });
    const entries = await rig.entries('BTCUSDT');
    // of its trades, which never came, nobody knows: not all was acked
    expect(gapsOf(entries)).toEqual([{ stream: 'trade', from: entries[0].t, reason: 'silence' }]);
  });

  test('a topic that comes when it is asked for once more was missing until then', async () => {
    const rig = await startBybitTwo({ ignored: new Set([ETH_TOPIC]) });
    await rig.advance(5_000);
    await rig.heard(3);
    rig.script.ignored.clear();
    await rig.advance(100);
    await rig.heard(4);
    await rig.settled();
    expect(rig.status).toMatchObject({ valid: 2, reconnects: 0 });
    await rig.stop();
    const gaps = gapsOf(await rig.entries('ETHUSDT')).filter(({ stream }) => stream === 'depth');
    expect(gaps.map(({ reason }) => reason)).toEqual(['silence', 'silence']);
    expect(gapsOf(await rig.entries('BTCUSDT')).filter(({ stream }) => stream !== 'trade')).toEqual([]);
  });

  test('where nothing is heard at all, one new connection asks for all of it', async () => {
    const rig = await startBybitTwo({ ignored: new Set([BTC_TOPIC, ETH_TOPIC]) });
    await rig.advance(5_000);
    await rig.heard(3);
    await rig.advance(100);
    await rig.heard(4);
    for (let n = 0; n < 4; n++) await rig.advance(10_000);
    expect(rig.status.reconnects).toBe(1);
    const heard = rig.server.heard.filter((text) => text !== '{"op":"ping"}');
    expect(heard.slice(2)).toEqual(heard.slice(0, 2));
  });

  test('a topic whose data came before the last subscription was sent is not late', async () => {
    const rig = await startBybitTwo();
    await rig.advance(6_000);
    await rig.settled();
    expect(rig.notes).toEqual([]);
    expect(rig.status).toMatchObject({ valid: 2, gaps: 0, reconnects: 0 });
  });

  test('a renewal that is not answered is asked for again', async () => {
    const rig = await startBybit();
    rig.script.ignored.add(BTC_TOPIC);
    rig.push(BTC_DELTAS[1]);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual(RENEW_BTC);
    await rig.advance(4_999);
    await rig.settled();
    expect(rig.server.heard).toHaveLength(3);
    rig.script.ignored.clear();
    await rig.advance(1);
    await rig.heard(5);
    await rig.settled();
    expect(rig.server.heard.slice(3)).toEqual(RENEW_BTC);
    expect(rig.status).toMatchObject({ valid: 1, gaps: 1, reconnects: 0 });
  });

  test('a stream that brings no snapshot after two subscriptions is tried on a new connection', async () => {
    const rig = await startBybit();
    rig.script.ignored.add(BTC_TOPIC);
    rig.push(BTC_DELTAS[1]);
    await rig.settled();
    await rig.advance(5_000);
    await rig.heard(5);
    await rig.settled();
    expect(rig.server.sockets).toHaveLength(1);
    rig.script.ignored.clear();
    await rig.advance(10_000);
    await rig.heard(6);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual([...RENEW_BTC, ...RENEW_BTC, rig.server.heard[0]]);
    expect(rig.server.sockets).toHaveLength(2);
  });

  test('a book of another depth is renewed by its own topic', async () => {
    const topic = 'orderbook.50.BTCUSDT';
    const other = (text: string): string => text.replace('orderbook.200.', 'orderbook.50.');
    const rig = await startBybit(
      { onSubscribe: { [topic]: [other(BTC_SNAPSHOT), other(BTC_SNAPSHOT_LATER)] } },
      { channels: ['depth50', 'trade'] },
    );
    rig.push(other(BTC_DELTAS[1]));
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual(RENEW_BTC.map(other));
    expect(rig.status).toMatchObject({ valid: 1, gaps: 1 });
  });

  test('a renewal under way when the connection is lost is not owed by the next one', async () => {
    const rig = await startBybit();
    rig.script.ignored.add(BTC_TOPIC);
    rig.push(BTC_DELTAS[1]);
    await rig.settled();
    await rig.advance(100);
    rig.server.sockets[0].terminate();
    await rig.heard(4);
    await rig.advance(4_950);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual([...RENEW_BTC, rig.server.heard[0]]);
    expect(rig.server.sockets).toHaveLength(2);
  });
});

describe.concurrent('a venue that compresses', () => {
  const MOST = 1024 * 1024;
  const gzipVenue: Venue = {
    ...bybitLinear,
    inflate: (bytes) => gunzipSync(bytes, { maxOutputLength: MOST }),
    answer: (text) => (text === 'Ping' ? 'Pong' : null),
  };
  const zipped: Dialect = (text, script, say) => {
    if (text !== 'Pong') bybit(text, script, (data) => say(gzipSync(data)));
  };

  test('messages are kept as their text; what is none, or too much, is kept as bytes; a ping is answered', async () => {
    const rig = await startBybit({}, { venue: gzipVenue, speak: zipped });
    const spaced = BTC_DELTAS[1].replace('"b":[', '"b": [');
    const whole = gzipSync(BTC_DELTAS[2]);
    const odd = [
      gzipSync(Buffer.alloc(MOST + 1, '{"topic":"orderbook.200.BTCUSDT"')),
      Buffer.from('no gzip at all'),
      whole.subarray(0, whole.length - 9),
    ];
    rig.push(gzipSync(BTC_DELTAS[0]), ...odd, gzipSync('Ping'), gzipSync(spaced), BTC_DELTAS[2]);
    await rig.settled();
    expect(rig.server.heard.slice(1)).toEqual(['Pong']);
    expect(rig.status).toMatchObject({ valid: 1, books: 1, gaps: 0 });
    const summary = await rig.stop();
    expect(summary).toMatchObject({ received: 9, written: 9, dropped: 0 });
    const [, ...data] = await rig.messages('BTCUSDT');
    expect(data).toEqual([BTC_SNAPSHOT, BTC_DELTAS[0], spaced, BTC_DELTAS[2]]);
    const rest = await rig.entries('_venue');
    expect(only(rest, 'bin').map(({ bin }) => bin)).toEqual(odd.map((bytes) => bytes.toString('base64')));
    expect(only(rest, 'text').map(({ text }) => text)).toEqual(['Ping']);
    expect(await saidOn(rig, 'BTCUSDT')).toHaveLength(1);
    expect((await follow(rig, 'BTCUSDT')).book).toMatchObject({
      state: 'valid',
      asks: [
        ['64010.4', '0.7'],
        ['64010.5', '0.02'],
      ],
    });
    expect(await found(rig)).toEqual([]);
  });

  test('without a way to inflate, binary messages are kept as bytes', async () => {
    const rig = await startBybit();
    rig.push(gzipSync(BTC_DELTAS[0]));
    await rig.settled();
    await rig.stop();
    expect(only(await rig.entries('_venue'), 'bin')).toHaveLength(1);
    expect(await rig.messages('BTCUSDT')).toHaveLength(2);
  });
});
