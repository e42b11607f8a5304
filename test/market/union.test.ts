/** Several connections as one stream, by known answers: what passes, what is a copy, what waits and for how long. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack, Effect } from '../../src/market/track.js';
import { Union } from '../../src/market/union.js';
import type { Checkpoint } from '../../src/model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';

const T0 = 1_700_000_000_000_000;
const SECOND = 1_000_000;
const instrument = { symbol: 'XUSDT', kind: 'linear' as const, tick: '1', lot: '1', multiplier: '1' };

let clock = T0;
beforeEach(() => {
  clock = T0;
});

const NAMES: [number, string][] = [
  [Effect.lost, 'lost'],
  [Effect.valid, 'valid'],
  [Effect.tradeGap, 'trade gap'],
  [Effect.besideGap, 'gap beside'],
];

/** Reads lines of one src; says of each what came of it: records by their newest id, and what was lost or found. */
function reader(id: string, symbol = 'XUSDT') {
  const rules = venueById(id);
  const src = `${id}:${symbol}`;
  const decoder = createDecoder('json');
  const connOf = (origin: number): string | null => decoder.origins[origin].conn;
  const track = createTrack({ instrument: { ...instrument, symbol }, rules, flow: rules.channels.flow, connOf });
  const union = new Union({ track, rules, connOf });
  decoder.bind(src, { layouts: rules.layouts, symbol, scale: track.scale, flow: rules.channels.flow });
  const buffer = new EventBuffer();
  let said: string[] = [];
  const say = (effect: number): void => {
    for (const [bit, name] of NAMES) if ((effect & bit) !== 0) said.push(name);
  };
  const one = {
    record(records: EventBuffer, i: number): void {
      const e = records.events;
      const o = i * EVENT_STRIDE;
      expect(e[o + Field.T]).toBe(clock);
      const effect = track.apply(records, i);
      const kind = { [Kind.trade]: 't', [Kind.depth]: 'd', [Kind.snapshot]: 'w', [Kind.touch]: 'q' }[e[o + Field.KIND]];
      // without ids by its price
      said.push(
        `${kind ?? 'b'}${kind !== undefined && e[o + Field.LAST] >= 0 ? e[o + Field.LAST] : e[o + Field.PRICE]}`,
      );
      say(effect);
    },
    nothing: (): void => {},
  };
  return {
    track,
    union,
    /** `rest` of a line behind `t` and `src` */
    take(rest: string, after = 1): string {
      clock += after;
      said = [];
      const bytes = Buffer.from(`{"t":${clock},"src":"${src}",${rest}}\n`);
      buffer.clear();
      decoder.decode(bytes, 0, bytes.length, buffer);
      if (buffer.events[Field.KIND] === Kind.entry) say(union.entry(parseEntry(bytes), one));
      else for (let i = 0; i < buffer.count; ) i = union.take(buffer, i, one);
      return said.join(' ');
    },
  };
}

const close = (conn: string, code = 1006, reason = ''): string =>
  `"conn":"${conn}","close":{"code":${code},"reason":"${reason}"}`;
const open = (conn: string): string => `"conn":"${conn}","open":{"url":"wss://x"}`;
const CLOCK = '"clock":{"wall":0,"loop":0,"exchange":null}';

/** Lines of Binance USD-M; ids of books go on by one. */
const message = (conn: string, stream: string, data: string): string =>
  `"conn":"${conn}","msg":{"stream":"xusdt@${stream}","data":${data}}`;
const trade = (conn: string, id: number, price = 10, at = 1): string =>
  message(
    conn,
    'trade',
    `{"e":"trade","E":1,"T":${at},"s":"XUSDT","t":${id},"p":"${price}","q":"2","X":"MARKET","m":true}`,
  );
const depth = (conn: string, id: number, previous = id - 1, at = 1): string =>
  message(
    conn,
    'depth@100ms',
    `{"e":"depthUpdate","E":1,"T":${at},"s":"XUSDT","U":${id},"u":${id},"pu":${previous},"b":[["9","${id}"]],"a":[]}`,
  );
const touch = (conn: string, id: number): string =>
  message(conn, 'bookTicker', `{"e":"bookTicker","u":${id},"s":"XUSDT","b":"9","B":"1","a":"11","A":"1","T":1,"E":1}`);
const mark = (conn: string, price: number): string =>
  message(
    conn,
    'markPrice@1s',
    `{"e":"markPriceUpdate","E":1,"s":"XUSDT","p":"${price}","P":"1","i":"1","r":"0.1","T":5}`,
  );
const snapshot = (id: number): string =>
  `"http":{"url":"/depth","status":200,"sent":${T0},"body":{"lastUpdateId":${id},"bids":[["9","1"]],"asks":[["11","1"]]}}`;

/** What comes of each line. */
function play(id: string, lines: readonly [string, string][], symbol?: string): ReturnType<typeof reader> {
  const one = reader(id, symbol);
  for (const [n, [line, expected]] of lines.entries()) expect([n, one.take(line)]).toEqual([n, expected]);
  return one;
}

describe('trades with ids', () => {
  test('each comes once, from whoever brings it first', () => {
    const { union } = play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('b', 2), 't2'],
      [trade('b', 3), 't3'],
      [trade('a', 2), ''],
      [trade('a', 3), ''],
      [trade('a', 4), 't4'],
    ]);
    expect(union.counts).toEqual({ copies: 3, unresolvable: 0 });
  });

  test('what one lacks waits for another, and comes with the entry that fills the hole', () => {
    const { track, union } = play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('a', 4), ''],
      [trade('a', 5), ''],
      [trade('b', 2), 't2'],
      [trade('b', 3), 't3 t4 t5'],
      [trade('b', 4), ''],
    ]);
    expect(track.counts.tradesMissing).toBe(0);
    expect(union.plain).toBe(true);
  });

  test('what all lack is missing as soon as all are beyond it', () => {
    const { track } = play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('a', 4), ''],
      [trade('a', 7), ''],
      [trade('b', 5), 't4 trade gap t5'],
      [trade('b', 6), 't6 t7'],
    ]);
    expect(track.counts.tradesMissing).toBe(2);
  });

  test('nothing waits longer than 5 s of data time, whatever entry says the time', () => {
    const one = play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('a', 4), ''],
    ]);
    expect(one.union.plain).toBe(false);
    expect(one.take(CLOCK, 5 * SECOND - 1)).toBe('');
    expect(one.take(CLOCK)).toBe('t4 trade gap');
    expect(one.take(trade('b', 2))).toBe('');
    expect(one.take(trade('a', 5))).toBe('t5');
  });

  test('no more than 1000 wait', () => {
    const one = reader('binance-usdm');
    for (const id of [1, 2]) one.take(trade('b', id));
    one.take(trade('a', 1));
    for (let id = 4; id < 1004; id++) expect(one.take(trade('a', id))).toBe('');
    expect(one.take(trade('a', 1004)).split(' ').slice(0, 4)).toEqual(['t4', 'trade', 'gap', 't5']);
    expect(one.union.plain).toBe(true);
  });

  test('the end of one costs nothing, also where the other is behind', () => {
    const one = play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('a', 2), 't2'],
      [trade('a', 3), 't3'],
      [close('a'), ''],
      [trade('b', 2), ''],
    ]);
    expect(one.union.several).toBe(true);
    expect([one.take(trade('b', 3)), one.take(trade('b', 4)), one.take(trade('b', 5))]).toEqual(['', 't4', 't5']);
    expect(one.union.several).toBe(false);
    expect(one.take(close('b'))).toBe('trade gap');
  });

  test('the end of the only one that could fill a hole lets what waits go on', () => {
    play('binance-usdm', [
      [trade('a', 1), 't1'],
      [trade('b', 1), ''],
      [trade('a', 4), ''],
      [close('b'), 't4 trade gap'],
      [trade('a', 5), 't5'],
    ]);
  });

  test('a connection that brings another stream is not waited for', () => {
    play('binance-usdm', [
      [trade('a', 1), 't1'],
      [depth('b', 1), 'd1'],
      [trade('a', 4), 't4 trade gap'],
    ]);
  });

  test('a connection that joins behind or ahead of the one that is there', () => {
    play('binance-usdm', [
      [trade('a', 7), 't7'],
      [open('b'), ''],
      [trade('b', 5), ''],
      [trade('b', 6), ''],
      [open('c'), ''],
      [trade('c', 9), ''],
      [trade('a', 8), 't8 t9'],
    ]);
  });

  test('only the one that leads can say that the venue counts anew', () => {
    const one = reader('binance-usdm');
    for (let id = 1000; id < 1200; id++) one.take(trade('a', id));
    for (let id = 1000; id < 1200; id++) expect(one.take(trade('b', id))).toBe('');
    for (let n = 1; n < 150; n++) expect(one.take(trade('b', n))).toBe('');
    for (let n = 1; n < 100; n++) expect(one.take(trade('a', n))).toBe(`t${n}`);
    expect(one.take(trade('a', 100))).toBe('t100 trade gap');
    expect(one.take(trade('a', 101))).toBe('t101');
    expect(one.track.counts.tradesMissing).toBe(0);
  });

  describe('that were matched later and have lower ids', () => {
    const at = (conn: string, id: number, ms: number): string => trade(conn, id, 10, ms);

    test('are counted anew, whoever brings them first; the other is waited for', () => {
      const one = play('binance-usdm', [
        [at('a', 1000, 5), 't1000'],
        [at('b', 1000, 5), ''],
        [at('a', 1001, 6), 't1001'],
        [at('b', 3, 8), 't3 trade gap'],
        [at('a', 1002, 7), ''],
        [at('b', 4, 9), 't4'],
        [at('a', 3, 8), ''],
        [at('a', 4, 9), ''],
        [at('a', 5, 9), 't5'],
        [at('b', 8, 10), ''],
        [at('a', 6, 9), 't6'],
        [at('a', 8, 10), 't8 trade gap'],
      ]);
      expect(one.track.counts.tradesMissing).toBe(1);
    });

    test('a connection that came before the venue counted anew and speaks only after that fills holes', () => {
      play('binance-usdm', [
        [at('a', 1000, 5), 't1000'],
        [at('b', 1000, 5), ''],
        [at('c', 1000, 5), ''],
        [at('a', 1001, 6), 't1001'],
        [at('a', 3, 8), 't3 trade gap'],
        [at('a', 5, 9), ''],
        [at('b', 4, 8), 't4 t5'],
        [at('c', 6, 9), 't6'],
      ]);
    });

    test('a connection that is heard for the first time, of the old ids, brings nothing', () => {
      const one = play('binance-usdm', [
        [at('a', 1000, 5), 't1000'],
        [at('b', 1000, 5), ''],
        [at('a', 1001, 6), 't1001'],
        [at('a', 3, 100), 't3 trade gap'],
        [at('c', 1002, 7), ''],
        [at('b', 3, 100), ''],
      ]);
      // and nothing waits for what nobody brings
      expect(one.take(at('a', 4, 101), 6 * SECOND)).toBe('t4');
      expect(one.take(at('b', 4, 101))).toBe('');
      expect(one.take(at('c', 5, 101))).toBe('t5');
      expect(one.track.counts.tradesMissing).toBe(0);
    });

    test('after another connection was alone for a while, what it brought then tells nothing', () => {
      play('binance-usdm', [
        // two are there throughout
        [mark('a', 5), 'b500000000'],
        [mark('d', 5), ''],
        [at('a', 1000, 5), 't1000'],
        [at('b', 1000, 5), ''],
        [at('a', 1001, 6), 't1001'],
        [at('b', 1001, 6), ''],
        [close('b'), ''],
        [at('a', 1002, 50), 't1002'],
        [at('a', 1003, 60), 't1003'],
        [at('c', 1002, 50), ''],
        [at('c', 1003, 60), ''],
        [at('c', 1004, 70), 't1004'],
      ]);
    });

    test('are known as what they are by who begins at a checkpoint', () => {
      const one = play('binance-usdm', [
        [depth('a', 100), 'd100'],
        [depth('b', 100), ''],
        [snapshot(100), 'valid'],
        [at('a', 1000, 5), 't1000'],
        [at('b', 1000, 5), ''],
        [at('a', 1001, 6), 't1001'],
        [at('a', 3, 8), 't3 trade gap'],
      ]);
      const book = JSON.stringify(one.union.checkpoint());
      play('binance-usdm', [
        [`"book":${book}`, 'valid'],
        [at('b', 1001, 6), ''],
        [at('b', 1002, 7), ''],
        [at('b', 4, 9), 't4'],
        [at('a', 2, 10), 't2 trade gap'],
      ]);
    });
  });
});

describe('books', () => {
  const joined = (): ReturnType<typeof reader> =>
    play('binance-usdm', [
      [depth('a', 100), 'd100'],
      [snapshot(100), 'valid'],
      [depth('a', 101), 'd101'],
      [depth('b', 101), ''],
      [depth('b', 102), 'd102'],
    ]);

  test('a connection that lags by any number of updates costs nothing', () => {
    const one = joined();
    for (let id = 103; id < 1200; id++) expect(one.take(depth('a', id))).toBe(`d${id}`);
    for (let id = 103; id < 1200; id++) expect(one.take(depth('b', id))).toBe('');
    expect(one.take(depth('b', 1200))).toBe('d1200');
    expect(one.track).toMatchObject({ state: 'valid', counts: { stale: 0, bookGaps: 0 } });
  });

  test('a hole is filled, or is one gap', () => {
    const one = joined();
    expect(one.take(depth('a', 105))).toBe('');
    expect(one.take(depth('b', 103))).toBe('d103');
    expect(one.take(depth('b', 104))).toBe('d104 d105');
    expect(one.take(depth('b', 107))).toBe('');
    expect(one.take(depth('a', 107))).toBe('d107 lost');
    expect(one.take(depth('a', 108))).toBe('d108');
    expect(one.track.counts.bookGaps).toBe(1);
    expect(one.track.gap).toMatchObject({ reason: 'sequence', expected: 105, got: 106 });
  });

  test('updates that wait for their snapshot are put in order too', () => {
    play('binance-usdm', [
      [depth('a', 100), 'd100'],
      [depth('b', 100), ''],
      [depth('a', 102), ''],
      [depth('b', 101), 'd101 d102'],
      [snapshot(101), 'valid'],
    ]);
  });

  test('the end of one costs the book nothing where the other goes on', () => {
    const one = joined();
    expect(one.take(close('b'))).toBe('');
    expect(one.take(depth('a', 102))).toBe('');
    expect(one.take(depth('a', 103))).toBe('d103');
    // no trade was seen: they may have come by this one
    expect(one.take(close('a'))).toBe('lost trade gap');
  });

  test('gap entries and damage are what they are with one', () => {
    const one = joined();
    expect(one.take(`"gap":{"stream":"depth","from":${T0},"reason":"silence"}`)).toBe('lost');
    expect(one.take(depth('a', 105))).toBe('');
    const end: string[] = [];
    one.union.end(clock, {
      record: ({ events }, i) => end.push(`d${events[i * EVENT_STRIDE + Field.LAST]}`),
      nothing: () => {},
    });
    expect(end).toEqual(['d105']);
    expect([one.union.several, one.union.plain]).toEqual([false, true]);
  });
});

describe('books that begin in the stream', () => {
  const book = (conn: string, type: 'snapshot' | 'delta', id: number): string =>
    `"conn":"${conn}","msg":{"topic":"orderbook.200.XUSDT","type":"${type}","ts":1,"data":{"s":"XUSDT","b":[["9","${id}"]],"a":[["11","1"]],"u":${id},"seq":${id}},"cts":1}`;
  const whole = (conn: string, id: number): string => book(conn, 'snapshot', id);
  const delta = (conn: string, id: number): string => book(conn, 'delta', id);

  test('another connection opens with a book that was known already', () => {
    const { track } = play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [delta('a', 101), 'd101'],
      [whole('b', 101), ''],
      [delta('b', 102), 'd102'],
      [delta('a', 102), ''],
      // it is ahead: the other one comes there
      [whole('c', 104), ''],
      [delta('c', 105), ''],
      [delta('a', 103), 'd103'],
      [delta('b', 103), ''],
      [delta('a', 104), 'd104 d105'],
    ]);
    expect(track.counts.bookGaps).toBe(0);
  });

  test('where nobody else gets there it is the book, lost and found again', () => {
    play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [whole('b', 100), ''],
      [delta('a', 101), 'd101'],
      [whole('a', 200), ''],
      [delta('a', 201), ''],
      [whole('b', 200), 'w200 lost valid d201'],
      [delta('b', 201), ''],
      [delta('b', 202), 'd202'],
    ]);
  });

  test('an update that leads to the same place as a whole book comes before it', () => {
    play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [delta('b', 100), ''],
      [whole('c', 102), ''],
      [delta('b', 102), ''],
      [delta('a', 101), 'd101 d102'],
      [delta('a', 103), 'd103'],
    ]);
  });

  test('a book that is lost is taken from whoever brings it', () => {
    play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [whole('b', 100), ''],
      [delta('a', 103), ''],
      [delta('b', 103), 'd103 lost'],
      [whole('b', 110), 'w110 valid'],
      [delta('a', 104), ''],
      [delta('a', 111), 'd111'],
    ]);
  });

  test('ids that begin anew do so once', () => {
    const { union } = play('bybit-linear', [
      [whole('a', 5000), 'w5000 valid'],
      [whole('b', 5000), ''],
      [delta('a', 5001), 'd5001'],
      [whole('a', 1), 'w1 lost valid'],
      [delta('a', 2), 'd2'],
      [delta('b', 5001), ''],
      [delta('b', 5002), ''],
      [whole('b', 1), ''],
      [delta('b', 2), ''],
      [delta('b', 3), 'd3'],
    ]);
    // nothing of the numbers that are over waits
    expect(union.plain).toBe(true);
  });

  test('the same book again is no news while another goes on', () => {
    play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [whole('b', 100), ''],
      [delta('a', 101), 'd101'],
      [whole('a', 101), ''],
      [delta('b', 101), ''],
    ]);
  });

  test('a whole book that waits is taken as soon as the book is lost', () => {
    play('bybit-linear', [
      [whole('a', 100), 'w100 valid'],
      [whole('b', 100), ''],
      [delta('a', 103), ''],
      [whole('a', 110), ''],
      [delta('b', 103), 'd103 lost w110 valid'],
    ]);
  });
});

describe('ids that go back where the chain holds', () => {
  const book = (conn: string, action: string, id: number, previous: number): string =>
    `"conn":"${conn}","msg":{"arg":{"channel":"books","instId":"X"},"action":"${action}","data":[{"asks":[["11","1","0","1"]],"bids":[["9","${id}","0","1"]],"ts":"1","checksum":0,"prevSeqId":${previous},"seqId":${id}}]}`;
  const whole = (conn: string, id: number): string => book(conn, 'snapshot', id, -1);
  const update = (conn: string, id: number, previous: number): string => book(conn, 'update', id, previous);

  test('do so once', () => {
    const { track, union } = play(
      'okx-swap',
      [
        [whole('a', 100), 'w100 valid'],
        [whole('b', 100), ''],
        [update('a', 105, 100), 'd105'],
        [update('a', 107, 105), 'd107'],
        [update('a', 3, 107), 'd3'],
        [update('a', 4, 3), 'd4'],
        // nothing changed, twice the same message
        [update('a', 4, 4), 'd4'],
        [update('b', 105, 100), ''],
        [update('b', 107, 105), ''],
        [update('b', 3, 107), ''],
        [update('b', 4, 3), ''],
        [update('b', 4, 4), ''],
        [update('b', 6, 4), 'd6'],
      ],
      'X',
    );
    expect(track.counts.bookGaps).toBe(0);
    expect(union.plain).toBe(true);
  });

  test('one that has not come there is waited for', () => {
    play(
      'okx-swap',
      [
        [whole('a', 100), 'w100 valid'],
        [whole('b', 100), ''],
        [update('a', 3, 100), 'd3'],
        [update('a', 6, 5), ''],
        [update('b', 3, 100), ''],
        [update('b', 5, 3), 'd5 d6'],
      ],
      'X',
    );
  });
});

describe('quotes', () => {
  test('only newer ones pass, and the end of one connection costs nothing', () => {
    play('binance-usdm', [
      [touch('a', 5), 'q5'],
      [touch('b', 3), ''],
      [touch('b', 5), ''],
      [touch('b', 9), 'q9'],
      [touch('a', 7), ''],
      [close('b'), ''],
      [touch('a', 9), ''],
      [touch('a', 10), 'q10'],
    ]);
  });
});

describe('streams without ids', () => {
  test('the first that brings it counts until it ends, and that place is a gap', () => {
    const { union } = play('binance-usdm', [
      [mark('b', 10), 'b1000000000'],
      [mark('a', 10), ''],
      [mark('a', 11), ''],
      [mark('b', 11), 'b1100000000'],
      [close('b'), 'trade gap gap beside'],
      [mark('a', 12), 'b1200000000'],
      [close('a', 1000, 'stop'), ''],
    ]);
    expect(union.counts).toEqual({ copies: 2, unresolvable: 1 });
    play('binance-usdm', [
      [mark('a', 10), 'b1000000000'],
      [mark('b', 10), ''],
      [close('a', 1000, 'stop'), ''],
      [mark('b', 11), 'b1100000000'],
    ]);
  });

  test('only the end of the one that counts costs something', () => {
    const { union } = play('binance-usdm', [
      [mark('a', 10), 'b1000000000'],
      [mark('b', 10), ''],
    ]);
    expect([union.covers('a'), union.covers('b'), union.covers('c')]).toEqual([false, true, false]);
  });

  test('equal trades are trades of their own', () => {
    const deal = (conn: string, price: number): string =>
      `"conn":"${conn}","msg":{"symbol":"XUSDT","data":[{"p":${price},"v":2,"T":1,"O":1,"M":1,"t":1,"i":"7"}],"channel":"push.deal","ts":1}`;
    const { union } = play('mexc-futures', [
      [deal('a', 1), 't100'],
      [deal('a', 1), 't100'],
      [deal('b', 1), ''],
      [deal('b', 2), ''],
      [close('a'), 'trade gap'],
      [deal('b', 3), 't300'],
      [close('b'), 'trade gap'],
    ]);
    expect(union.counts).toEqual({ copies: 2, unresolvable: 1 });
  });

  test('a book whose ids skip is lost with its connection, and taken from whoever begins one', () => {
    const book = (conn: string, action: string, id: number): string =>
      `"conn":"${conn}","msg":{"code":0,"dataType":"XUSDT@incrDepth","data":{"action":"${action}","lastUpdateId":${id},"time":1,"bids":[["9","1"]],"asks":[["11","1"]]}}`;
    play('bingx-swap', [
      [book('a', 'all', 10), 'w10 valid'],
      [book('b', 'all', 11), ''],
      [book('b', 'update', 15), ''],
      [book('a', 'update', 14), 'd14'],
      [close('a'), 'lost trade gap'],
      [book('b', 'update', 16), 'd16'],
      [book('c', 'all', 17), 'w17 valid'],
      [book('b', 'update', 18), ''],
      [book('c', 'update', 18), 'd18'],
    ]);
  });
});

describe('checkpoints', () => {
  test('say nothing of it where each stream has one connection', () => {
    const one = reader('binance-usdm');
    for (const line of [depth('a', 100), snapshot(100), trade('b', 1), depth('a', 101)]) one.take(line);
    expect(one.union.checkpoint()).toEqual(one.track.checkpoint());
  });

  test('hold where each connection stands', () => {
    const one = reader('binance-usdm');
    const begin = [depth('a', 100), snapshot(100), trade('b', 1), depth('b', 100), depth('b', 101), touch('a', 5)];
    for (const line of [...begin, touch('b', 7), mark('b', 1), mark('a', 1)]) one.take(line);
    const checkpoint = JSON.parse(JSON.stringify(one.union.checkpoint())) as Checkpoint;
    const other = reader('binance-usdm');
    other.take(`"book":${JSON.stringify(checkpoint)}`);
    expect(other.union.checkpoint()).toEqual(checkpoint);
    for (const [line, said] of [
      [touch('a', 6), ''],
      [depth('a', 101), ''],
      [mark('a', 2), ''],
      [depth('a', 103), ''],
      [depth('b', 102), 'd102 d103'],
      [close('b'), 'trade gap gap beside'],
    ])
      expect(other.take(line)).toBe(said);
    expect(other.union.guessed).toBe(false);
    // connections that were there end as they would have
    const third = reader('binance-usdm');
    third.take(`"book":${JSON.stringify(checkpoint)}`);
    third.take(close('a'));
    expect(third.union.several).toBe(false);
  });

  /** The lines after those before a checkpoint, read by who saw all and by who begins there: the same comes of them. */
  const expectSame = (id: string, before: readonly string[], after: readonly string[]): string[] => {
    const whole = reader(id);
    for (const line of before) whole.take(line);
    const part = reader(id);
    part.take(`"book":${JSON.stringify(whole.union.checkpoint())}`);
    const begun = clock;
    const said = after.map((line) => whole.take(line));
    clock = begun;
    expect(after.map((line) => part.take(line))).toEqual(said);
    expect(part.union.guessed).toBe(false);
    return said;
  };

  test('hold what one that was left alone still brings of what the other had brought', () => {
    const both = [
      depth('a', 100),
      snapshot(100),
      depth('b', 100),
      touch('a', 5),
      touch('a', 7),
      touch('b', 4),
      close('a'),
    ];
    expect(expectSame('binance-usdm', both, [touch('b', 5), touch('b', 7), touch('b', 8)])).toEqual(['', '', 'q8']);
  });

  test('tell those that brought nothing yet from those that did', () => {
    const both = [depth('a', 100), snapshot(100), depth('b', 100), mark('a', 1), mark('b', 1), open('c')];
    const after = [close('a'), mark('c', 2), mark('b', 2), mark('c', 3)];
    expectSame('binance-usdm', both, after);
  });

  test('a connection that opens behind one may share a stream that was not heard of since: that is a guess', () => {
    const one = reader('binance-usdm');
    for (const line of [depth('a', 100), snapshot(100), depth('a', 101), touch('a', 3)]) one.take(line);
    const other = reader('binance-usdm');
    other.take(`"book":${JSON.stringify(one.union.checkpoint())}`);
    other.take(open('c'));
    other.take(depth('c', 101));
    expect(other.union.guessed).toBe(false);
    other.take(touch('c', 2));
    expect(other.union.guessed).toBe(true);
  });
});
