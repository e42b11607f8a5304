/** Tapes as they come: damaged, of several recordings, with books at several depths, with folders that are no market. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compressFrame } from '../../src/tape/frame.js';
import { entryLine } from '../../src/tape/line.js';
import type { Row } from '../venues/served.js';
import {
  BOOK,
  CONN,
  createBench,
  delta,
  headerLine,
  joinBybit,
  type Line,
  levels,
  MOVING,
  parse,
  snapshot,
  T,
  TRADES,
  textsOf,
  trade,
  updates,
  WHOLE,
} from './bybit-tape.js';
import { openClient } from './client.js';

const bench = createBench();
const { tapeOf, tapeIn, serve } = bench;

const get = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('a folder beside the markets', () => {
  test('for what names no symbol is no market, and nothing is asked of it', async () => {
    await tapeIn({ name: 'tapes/BTCUSDT.ndjson', venue: 'weex-futures' }, [
      1,
      { clock: { wall: 0, loop: 0, exchange: null } },
    ]);
    await tapeIn({ name: 'tapes/_venue.ndjson', venue: 'weex-futures', symbol: '_venue' }, [
      1,
      { conn: CONN, msg: { result: true, id: 1 } },
    ]);
    const [{ httpUrl }] = (await serve(join(bench.folder, 'tapes'))).venues;
    const { symbols } = (await get(`${httpUrl}/capi/v3/market/exchangeInfo`)) as { symbols: { symbol: string }[] };
    expect(symbols.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
  });
});

test('the time is the tape’s from the first word on, also where a venue comes later than others', async () => {
  await tapeIn({ name: 'tapes/a.ndjson' }, ...MOVING);
  const src = 'weex-futures:BTCUSDT';
  const later = headerLine({ venue: 'weex-futures' }).replace(String(T), String(T + 5_000_000));
  await writeFile(
    join(bench.folder, 'tapes/b.ndjson'),
    later + entryLine({ t: T + 6_000_000, src, clock: { wall: 0, loop: 0, exchange: null } }),
  );
  const served = await serve(join(bench.folder, 'tapes'));
  const { wsUrl, httpUrl } = served.venues.find(({ id }) => id === 'weex-futures')!;
  expect(await get(`${httpUrl}/capi/v3/market/time`)).toEqual({ serverTime: T / 1000 });
  const client = await openClient(`${wsUrl}/v3/ws/public`);
  await client.until(() => client.heard.length > 0);
  expect(JSON.parse(client.heard[0])).toMatchObject({ event: 'connected', time: String(T / 1000) });
});

describe('damage', () => {
  test('is told with its place, once, wherever it is; books behind it are not known before the tape knows them', async () => {
    // far more than is looked into when serving begins, and what is lost is not of the book
    const many = updates(5000, 1000, 8);
    const trades = Array.from({ length: 400 }, (_, n): Line => [4.4995 + n / 1e6, trade(n)]);
    const again: Line[] = [
      [10, snapshot(30_000, ...WHOLE)],
      [11, delta(30_001, [['64010.10', '1.000']])],
    ];
    const opening: Line = [1, snapshot(100, ...WHOLE)];
    const path0 = await tapeOf(opening, ...many.slice(0, 2500), ...trades, ...many.slice(2500), ...again);
    const [, ...lines] = (await readFile(path0, 'utf8')).split(/(?<=\n)/);
    const frames = [
      headerLine(),
      lines.slice(0, 2501).join(''),
      lines.slice(2501, 2901).join(''),
      lines.slice(2901).join(''),
    ].map((text) => compressFrame(Buffer.from(text)));
    frames[2][frames[2].length >> 1] ^= 0xff;
    const path = join(bench.folder, 'damaged.ndjson.zst');
    await writeFile(path, Buffer.concat(frames));
    const served = await serve(path);
    expect(bench.damages).toEqual([]);
    const [one, two] = await Promise.all([
      joinBybit(served, [BOOK, 'orderbook.50.BTCUSDT']),
      joinBybit(served, [BOOK, 'orderbook.1.BTCUSDT'], '?from=%2B5s'),
    ]);
    await Promise.all([one.closed, two.closed]);
    expect(bench.damages).toMatchObject([{ code: 'E_FRAME_CORRUPT', file: path, frame: 2 }]);
    expect(one.data().filter((text) => text.includes(BOOK))).toHaveLength(5003);
    // the second one came behind the damage: no book that misses something is shown as whole
    const [first] = two.data();
    expect(parse(first).type).toBe('delta');
    const openings = two.data().filter((text) => parse(text).type === 'snapshot');
    expect(openings[0]).toBe(snapshot(30_000, ...WHOLE));
  });

  test('of a whole file of a folder is told, and the others are served', async () => {
    await tapeIn({ name: 'tapes/a.ndjson' }, ...MOVING);
    await writeFile(join(bench.folder, 'tapes/junk.ndjson.zst'), 'this is no tape');
    const served = await serve(join(bench.folder, 'tapes'));
    expect(bench.damages).toMatchObject([{ file: join(bench.folder, 'tapes/junk.ndjson.zst') }]);
    const client = await joinBybit(served, [TRADES]);
    await client.closed;
    expect(client.data()).toEqual([trade(1)]);
    expect(bench.damages).toHaveLength(1);
  });

  test('a file without a byte is told, and the others are served', async () => {
    await tapeIn({ name: 'tapes/a.ndjson' }, ...MOVING);
    await writeFile(join(bench.folder, 'tapes/b.ndjson.zst'), '');
    const served = await serve(join(bench.folder, 'tapes'));
    expect(bench.damages).toMatchObject([{ file: join(bench.folder, 'tapes/b.ndjson.zst'), code: 'E_TRUNCATED' }]);
    const client = await joinBybit(served, [TRADES]);
    await client.closed;
    expect(client.data()).toEqual([trade(1)]);
  });

  test('nothing but junk cannot be served', async () => {
    await tapeIn({ name: 'tapes/a.ndjson' });
    await writeFile(join(bench.folder, 'tapes/a.ndjson'), 'this is no tape');
    await expect(serve(join(bench.folder, 'tapes'))).rejects.toMatchObject({ code: 'E_NOT_A_TAPE' });
  });
});

describe('ports', () => {
  test('one that is taken leaves nothing running', async () => {
    const path = await tapeOf(...MOVING);
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await expect(serve(path, { port })).rejects.toMatchObject({ code: 'E_CONNECT' });
    expect(timers()).toBe(before);
    other.close();
  });

  test('there are not enough of: that is said', async () => {
    await tapeIn({ name: 'tapes/a.ndjson' }, ...MOVING);
    await tapeIn({ name: 'tapes/b.ndjson', venue: 'bybit-inverse' }, ...MOVING);
    await expect(serve(join(bench.folder, 'tapes'), { port: 65_535 })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('65535'),
    });
  });
});

describe('several recordings in one folder', () => {
  const OTHER = 'orderbook.50.BTCUSDT';

  test('what a later one asked for is on the tape, though the first one did not', async () => {
    // more than is looked into when serving begins
    const filling = Array.from({ length: 3000 }, (_, n): Line => [5 + n / 1e3, trade(n + 2)]);
    await tapeIn({ name: 'tapes/1.ndjson' }, ...MOVING, ...filling);
    const second: Line[] = [
      [10, snapshot(9, ...WHOLE, OTHER)],
      [11, delta(10, [['64010.10', '5.000']], [], OTHER)],
    ];
    const path = await tapeIn(
      { name: 'tapes/2.ndjson', header: { recorder: 'r2', channels: ['depth50', 'trade'] } },
      ...second,
    );
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(String(T), String(T + 9_000_000)));
    const served = await serve(join(bench.folder, 'tapes'));
    const client = await joinBybit(served, [OTHER]);
    await client.closed;
    expect(client.data()).toEqual(textsOf(second));
    expect(bench.notes).toEqual([]);
  });
});

describe('books at two depths', () => {
  const DEEP = 'orderbook.200.BTCUSDT';
  const FLAT = 'orderbook.50.BTCUSDT';
  const LINES: Line[] = [
    [1, snapshot(100, ...levels(60, '1.000'), DEEP)],
    [1.1, snapshot(700, ...levels(50, '1.000'), FLAT)],
    [2, delta(101, [['64010.00', '2.000']], [], DEEP)],
    [2.1, delta(701, [['64010.00', '2.000']], [], FLAT)],
    [3, delta(102, [['64010.00', '3.000']], [], DEEP)],
    [3.1, delta(702, [['64010.00', '3.000']], [], FLAT)],
  ];
  /** What a recorder writes: the book of the stream that came first. */
  const checkpoint = {
    state: 'valid',
    coverage: { low: null, high: null },
    streams: {
      depth: { last: 101, joined: true, sequence: 707 },
      stream: 0,
      conn: CONN,
      trades: {},
      lastBookT: T + 2_000_001,
      lastTradeT: 0,
      emitted: 0,
    },
    ...bookOf(),
  };

  function bookOf(): { bids: Row[]; asks: Row[] } {
    const [bids, asks] = levels(60, '1.000');
    return { bids: [['64010.00', '2.000'], ...bids.slice(1)], asks };
  }

  test('open each with its own, also behind a checkpoint, which has but one', async () => {
    const path = await tapeOf(...LINES.slice(0, 4), [2.5, { book: checkpoint }], ...LINES.slice(4));
    const served = await serve(path);
    const client = await joinBybit(served, [DEEP, FLAT], '?from=%2B2.7s');
    await client.closed;
    const openings = client.data().slice(0, 2).map(parse);
    expect(
      openings.map(({ topic, type, data }) => [topic, type, data.u, data.seq, data.b.length, data.b[0][1]]),
    ).toEqual([
      [DEEP, 'snapshot', 101, 707, 60, '2.000'],
      [FLAT, 'snapshot', 701, 4907, 50, '2.000'],
    ]);
    expect(client.data().slice(2)).toEqual(textsOf(LINES.slice(4)));
  });

  test('where one has a hole, the other is still known', async () => {
    const hole: Line[] = [
      [4, delta(104, [['64010.00', '4.000']], [], DEEP)],
      [
        4.001,
        { conn: CONN, gap: { stream: 'depth', from: T + 3_000_001, reason: 'sequence', expected: 103, got: 104 } },
      ],
      [5, delta(703, [['64010.00', '5.000']], [], FLAT)],
    ];
    const served = await serve(await tapeOf(...LINES, ...hole, [6, trade(3)]));
    const client = await joinBybit(served, [DEEP, FLAT], '?from=%2B5.5s');
    await client.closed;
    expect(client.data().map(parse)).toMatchObject([{ topic: FLAT, data: { u: 703 } }]);
  });

  test('REST has the ids of the thousand levels, where they are recorded', async () => {
    const served = await serve(
      await tapeOf(
        [1, snapshot(77, ...WHOLE, 'orderbook.1000.BTCUSDT')],
        [2, delta(78, [['64010.10', '1.000']], [], 'orderbook.1000.BTCUSDT')],
      ),
    );
    const body = await get(
      `${served.venues[0].httpUrl}/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=1&from=%2B3s`,
    );
    expect(body).toMatchObject({
      result: { s: 'BTCUSDT', b: [['64010.10', '1.000']], a: [['64010.20', '1.000']], u: 78, seq: 546 },
    });
  });
});
