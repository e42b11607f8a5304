/** A track fed by hand: the venue's conformance table end to end, joins, gaps, repairs and checkpoints. */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { checkpointDifference } from '../../src/audit/checkpoint-check.js';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { createTrack, Effect, type Track } from '../../src/market/track.js';
import type { Checkpoint, Entry } from '../../src/model/entry.js';
import type { Instrument } from '../../src/model/instrument.js';
import { binanceSpot, binanceUsdm } from '../../src/venues/binance.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import type { Level } from '../scan/tape-builder.js';
import { BybitTape } from '../signals/bybit-lines.js';
import { feed, newTrack } from './feed.js';

const T0 = 1_700_000_000_000_000;
const instrument: Instrument = { symbol: 'XUSDT', kind: 'linear', tick: '1', lot: '1', multiplier: '1' };
const { none, book: applied, trade, touch, valid, lost, tradeGap, offBook, besideGap } = Effect;

let clock = T0;
beforeEach(() => {
  clock = T0;
});

type Levels = [price: number | string, size: number | string][];
const text = (levels: Levels): string => JSON.stringify(levels.map(([p, q]) => [String(p), String(q)]));

function entry(src: string, rest: string): string {
  return `{"t":${clock++},"src":"${src}",${rest}}`;
}

/** Lines of one market. */
function market(venue: Venue) {
  const src = `${venue.id}:XUSDT`;
  const message = (stream: string, data: string): string =>
    entry(src, `"conn":"c","msg":{"stream":"xusdt@${stream}","data":${data}}`);
  return {
    venue,
    src,
    message,
    depth(first: number, last: number, previous: number, bids: Levels = [], asks: Levels = [], stream = 'depth@100ms') {
      const ids = venue === binanceSpot ? `"U":${first},"u":${last}` : `"U":${first},"u":${last},"pu":${previous}`;
      const time = venue === binanceSpot ? '"E":1700000000000' : '"E":1700000000000,"T":1700000000000';
      return message(stream, `{"e":"depthUpdate",${time},"s":"XUSDT",${ids},"b":${text(bids)},"a":${text(asks)}}`);
    },
    snapshot(id: number, bids: Levels = [[9, 1]], asks: Levels = [[11, 1]], status = 200) {
      const body = `{"lastUpdateId":${id},"bids":${text(bids)},"asks":${text(asks)}}`;
      return entry(src, `"http":{"url":"/depth","status":${status},"sent":${clock},"body":${body}}`);
    },
    trade(id: number, print = 'MARKET', price = '10') {
      const tail = venue === binanceSpot ? '"m":true,"M":true' : `"X":"${print}","m":true`;
      const head = `"e":"trade","E":1700000000001,"T":1700000000000,"s":"XUSDT"`;
      return message('trade', `{${head},"t":${id},"p":"${price}","q":"2",${tail}}`);
    },
    other: (rest: string): string => entry(src, rest),
    track: (): Track => newTrack(venue, instrument),
  };
}

const futures = market(binanceUsdm);
const spot = market(binanceSpot);
const levelsOf = (track: Track, side: BookSide): [number, number][] =>
  track.book.levels(side).map(([price, size]) => [price / 100, size / 100]);

test('a book that slides is known as far as its levels reach, and so is one from a checkpoint that says otherwise', () => {
  const bybit = venueById('bybit-linear');
  const one: Instrument = { symbol: 'BTCUSDT', kind: 'linear', tick: '0.1', lot: '0.001', multiplier: '1' };
  const bounds = ({ low, high }: Track): number[] => [low / 100, high / 100];
  const tape = new BybitTape();
  tape.book(
    'snapshot',
    [
      [1000, 1],
      [999, 1],
      [998, 1],
    ],
    [
      [1001, 1],
      [1002, 1],
      [1003, 1],
    ],
  );
  const [header, snapshot] = tape.lines;
  const track = newTrack(bybit, one);
  feed(track, bybit, [header, snapshot]);
  expect(bounds(track)).toEqual([998, 1003]);
  const step = (bids: Level[], asks: Level[]): number[] => {
    tape.book('delta', bids, asks);
    feed(track, bybit, tape.lines.slice(-1));
    return bounds(track);
  };
  expect(
    step(
      [
        [1000, 0],
        [997, 1],
      ],
      [
        [1000, 2],
        [1003, 0],
      ],
    ),
  ).toEqual([997, 1002]);
  expect(
    step(
      [[100, 1]],
      [
        [1002, 0],
        [1001, 0],
      ],
    ),
  ).toEqual([100, 1000]);
  expect(step([], [[1000, 0]])).toEqual([100, Number.NaN]);
  const stored = track.checkpoint();
  expect(stored.coverage).toEqual({ low: '10', high: null });
  const again = newTrack(bybit, one);
  // as tapes told it when the bounds of the snapshot were kept
  again.restore({ ...stored, coverage: { low: '99.8', high: '100.3' } });
  expect([bounds(again), again.checkpoint()]).toEqual([[100, Number.NaN], stored]);
  expect(checkpointDifference({ ...stored, coverage: { low: '99.8', high: '100.3' } }, again)).toBe(null);
  again.lose({ stream: '*', from: 0, reason: 'damage' });
  expect(bounds(again)).toEqual([Number.NaN, Number.NaN]);
});

describe('conformance: joins and gaps', () => {
  const d = futures.depth;
  const s = spot.depth;
  type Row = [name: string, side: typeof futures, lines: () => string[], effects: number[], needs: boolean];
  const rows: Row[] = [
    ['spot: right behind the snapshot', spot, () => [s(101, 105, -1), spot.snapshot(100)], [none, valid], false],
    ['spot: the snapshot is too old', spot, () => [s(101, 105, -1), spot.snapshot(99)], [none, none], true],
    [
      'spot: the first is dropped, the second applied',
      spot,
      () => [s(101, 105, -1), s(106, 110, -1), spot.snapshot(105)],
      [none, none, valid],
      false,
    ],
    ['spot: a hole', spot, () => [spot.snapshot(105), s(106, 110, -1), s(112, 115, -1)], [none, valid, lost], true],
    [
      'spot: a repeat is ignored, an overlap applied',
      spot,
      () => [spot.snapshot(105), s(106, 110, -1), s(105, 110, -1), s(108, 115, -1)],
      [none, valid, none, applied],
      false,
    ],
    [
      'futures: an old one dropped, the one around the snapshot applied',
      futures,
      () => [d(400, 480, 390), d(481, 520, 480), futures.snapshot(500)],
      [none, none, valid],
      false,
    ],
    [
      'futures: one that ends at the snapshot, then its successor',
      futures,
      () => [futures.snapshot(500), d(450, 500, 440), d(510, 520, 500)],
      [none, valid, applied],
      false,
    ],
    [
      'futures: one that names the snapshot as previous',
      futures,
      () => [d(530, 560, 500), futures.snapshot(500)],
      [none, valid],
      false,
    ],
    ['futures: the snapshot is too old', futures, () => [d(530, 560, 520), futures.snapshot(500)], [none, none], true],
    [
      'futures: ids with a hole that chain',
      futures,
      () => [futures.snapshot(550), d(530, 560, 500), d(600, 640, 560)],
      [none, valid, applied],
      false,
    ],
    [
      'futures: a lost update',
      futures,
      () => [futures.snapshot(550), d(530, 560, 500), d(600, 640, 590)],
      [none, valid, lost],
      true,
    ],
    [
      'futures: the stream has to reach the snapshot first',
      futures,
      () => [d(400, 480, 390), futures.snapshot(500), d(481, 490, 480), d(491, 510, 490)],
      [none, none, none, valid],
      false,
    ],
  ];
  it.each(rows)('%s', (_, side, lines, effects, needs) => {
    const track = side.track();
    expect(feed(track, side.venue, lines())).toEqual(effects);
    expect([track.state, track.needsSnapshot]).toEqual([effects.includes(lost) || needs ? 'syncing' : 'valid', needs]);
  });
});

describe('applying', () => {
  const joined = (bids: Levels = [[9, 1]], asks: Levels = [[11, 1]]): Track => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(100, bids, asks), futures.depth(90, 100, 80)]);
    expect(track.state).toBe('valid');
    return track;
  };
  const play = (track: Track, ...lines: string[]): number[] => feed(track, binanceUsdm, lines);

  it('a price that moves from ask to bid in one message does not cross the book', () => {
    const track = joined(
      [[9, 1]],
      [
        [10, 1],
        [11, 1],
      ],
    );
    play(track, futures.depth(101, 110, 100, [[10, 1]], [[10, 0]]));
    expect([track.counts.crossed, track.book.crossed()]).toEqual([0, false]);
    expect([levelsOf(track, BID), levelsOf(track, ASK)]).toEqual([
      [
        [10, 1],
        [9, 1],
      ],
      [[11, 1]],
    ]);
    play(track, futures.depth(111, 120, 110, [[11, 5]], []));
    expect(track.counts.crossed).toBe(1);
  });

  it('deleting an unknown price changes nothing', () => {
    const track = joined();
    expect(
      play(
        track,
        futures.depth(
          101,
          110,
          100,
          [
            [5, 0],
            [500000, '0.000'],
          ],
          [[8, '0']],
        ),
      ),
    ).toEqual([applied]);
    expect([levelsOf(track, BID), levelsOf(track, ASK)]).toEqual([[[9, 1]], [[11, 1]]]);
  });

  it('a partial depth is never applied, though it has the words of a diff', () => {
    const track = joined();
    expect(play(track, futures.depth(101, 110, 100, [[8, 8]], [], 'depth5@100ms'))).toEqual([none]);
    expect(play(track, futures.depth(101, 110, 100, [[7, 7]]))).toEqual([applied]);
    expect(levelsOf(track, BID)).toEqual([
      [9, 1],
      [7, 7],
    ]);
  });

  it('another speed of the same book is another chain', () => {
    const track = joined();
    expect(play(track, futures.depth(101, 104, 100, [[8, 8]], [], 'depth@0ms'), futures.depth(101, 110, 100))).toEqual([
      none,
      applied,
    ]);
    expect(levelsOf(track, BID)).toEqual([[9, 1]]);
    // a new connection may bring another speed
    play(track, futures.other('"conn":"c","close":{"code":1006,"reason":""}'));
    play(track, futures.other('"conn":"d","open":{"url":"wss://x"}'));
    const back = play(track, futures.snapshot(200), futures.depth(199, 210, 190, [], [], 'depth@0ms'));
    expect(back).toEqual([none, valid]);
  });

  it('listeners hear every level of an applied update and nothing of a join', () => {
    const heard: number[][] = [];
    const track = newTrack(binanceUsdm, instrument, (...args) => heard.push(args));
    play(track, futures.depth(90, 110, 80, [[8, 3]]), futures.snapshot(100));
    expect([track.state, heard]).toEqual(['valid', []]);
    play(
      track,
      futures.depth(
        111,
        120,
        110,
        [
          [9, 0],
          [8, 4],
        ],
        [[12, 0]],
      ),
    );
    expect(heard).toEqual([
      [BID, 900, 100, 0],
      [BID, 800, 300, 400],
      [ASK, 1200, 0, 0],
    ]);
  });

  it('coverage is what the snapshot showed', () => {
    const track = joined(
      [
        [9, 1],
        [7, 1],
      ],
      [
        [11, 1],
        [14, 1],
      ],
    );
    expect([track.low, track.high]).toEqual([700, 1400]);
    play(track, futures.depth(111, 120, 105));
    expect([track.low, track.high]).toEqual([Number.NaN, Number.NaN]);
  });

  it('a number that cannot be held costs the book its trust', () => {
    const track = joined();
    expect(play(track, futures.depth(101, 110, 100, [['9.001', 1]]))).toEqual([lost]);
    expect([track.counts.invalid, track.gap?.reason, track.needsSnapshot]).toEqual([1, 'number', true]);
    expect(play(track, futures.snapshot(105, [['9.001', 1]]))).toEqual([none]);
    expect(play(track, futures.snapshot(105, [['-9', 1]]), futures.snapshot(105, [[9, '-1']]))).toEqual([none, none]);
    expect([track.state, track.counts.invalid]).toEqual(['syncing', 4]);
    expect(play(track, futures.depth(111, 120, 110), futures.snapshot(115))).toEqual([none, valid]);
  });
});

describe('gaps and repairs', () => {
  it('after a gap the updates since are kept, an old snapshot refused, and a new one joined', () => {
    const track = futures.track();
    const f = (...lines: string[]): number[] => feed(track, binanceUsdm, lines);
    f(futures.snapshot(100), futures.depth(90, 100, 80, [[9, 7]]));
    const before = track.lastBookT;
    expect(f(futures.depth(130, 140, 120, [[8, 1]]))).toEqual([lost]);
    expect(track.gap).toEqual({ stream: 'depth', from: before, reason: 'sequence', expected: 100, got: 120 });
    expect([track.counts.bookGaps, track.book.depth(BID), track.needsSnapshot]).toEqual([1, 0, true]);
    expect(f(futures.depth(141, 150, 140, [[7, 1]]))).toEqual([none]);
    expect(f(futures.snapshot(110, [[5, 5]]))).toEqual([none]);
    expect(track.needsSnapshot).toBe(true);
    // the snapshot falls between the two kept updates
    expect(f(futures.snapshot(145, [[9, 2]]))).toEqual([valid]);
    expect([track.gap, track.needsSnapshot]).toEqual([null, false]);
    expect(levelsOf(track, BID)).toEqual([
      [9, 2],
      [7, 1],
    ]);
  });

  it('a hole among the kept updates themselves is no base for a book', () => {
    const track = futures.track();
    const lines = [futures.depth(90, 100, 80), futures.depth(130, 140, 120, [[8, 1]]), futures.snapshot(95)];
    expect(feed(track, binanceUsdm, lines)).toEqual([none, none, none]);
    expect([track.state, track.needsSnapshot]).toEqual(['syncing', true]);
    // a snapshot behind the hole joins what was kept since
    expect(feed(track, binanceUsdm, [futures.snapshot(135, [[9, 2]])])).toEqual([valid]);
    expect(levelsOf(track, BID)).toEqual([
      [9, 2],
      [8, 1],
    ]);
  });

  it('an unusable answer changes nothing', () => {
    const track = futures.track();
    const error = futures.other(`"http":{"url":"/depth","status":400,"sent":${T0},"body":{"code":-1121,"msg":"x"}}`);
    const lines = [futures.depth(90, 110, 80), futures.snapshot(-1), error, futures.snapshot(100, [], [], 429)];
    expect(feed(track, binanceUsdm, lines)).toEqual([none, none, none, none]);
    expect([track.needsSnapshot, track.counts.snapshots]).toEqual([true, 0]);
    expect(feed(track, binanceUsdm, [futures.snapshot(100)])).toEqual([valid]);
  });

  it('an answer about missed trades is neither a book nor flow, whatever it holds', () => {
    const track = futures.track();
    const fills = '"fills":{"stream":"trade","first":5,"last":9,"gap":1700000000000000}';
    const answer = (body: string): string =>
      futures.other(`"http":{"url":"/trades","status":200,"sent":${T0},${fills},"body":${body}}`);
    const trades = '[{"id":5,"price":"10","qty":"1","time":1700000000000,"isBuyerMaker":true}]';
    const book = '{"lastUpdateId":100,"E":1,"T":1,"bids":[],"asks":[]}';
    const lines = [futures.depth(90, 110, 80), answer(trades), answer(book)];
    expect(feed(track, binanceUsdm, lines)).toEqual([none, none, none]);
    expect([track.state, track.counts.trades, track.counts.snapshots]).toEqual(['syncing', 0, 0]);
    // but time goes on
    expect(track.t).toBe(clock - 1);
  });

  it('a snapshot while the book is valid is not applied', () => {
    const track = futures.track();
    const lines = [futures.snapshot(100), futures.depth(90, 100, 80), futures.snapshot(105, [[1, 1]])];
    expect(feed(track, binanceUsdm, lines)).toEqual([none, valid, none]);
    expect(levelsOf(track, BID)).toEqual([[9, 1]]);
  });

  it.each([
    ['close', '"conn":"c","close":{"code":1006,"reason":""}', lost | tradeGap],
    ['close by the recorder itself', '"conn":"c","close":{"code":1000,"reason":"stop"}', none],
    ['open', '"conn":"d","open":{"url":"wss://x"}', none],
    ['gap of the touch', `"gap":{"stream":"bookTicker","from":${T0},"reason":"silence"}`, besideGap],
    ['gap of mark prices', `"gap":{"stream":"markPrice","from":${T0},"reason":"silence"}`, besideGap],
    ['drop', '"drop":{"count":3,"reason":"stdout"}', lost | tradeGap | besideGap],
    ['gap of everything', `"gap":{"stream":"*","from":${T0},"reason":"restart"}`, lost | tradeGap | besideGap],
    ['gap of the book', `"gap":{"stream":"depth","from":${T0},"reason":"damage"}`, lost],
    ['gap of the trades', `"gap":{"stream":"trade","from":${T0},"reason":"sequence"}`, tradeGap],
    ['clock', '"clock":{"wall":0,"loop":0,"exchange":null}', none],
  ])('entry %s', (_, rest, effect) => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(100), futures.depth(90, 100, 80)]);
    expect(feed(track, binanceUsdm, [futures.other(rest)])).toEqual([effect]);
    expect(track.t).toBe(clock - 1);
    expect(track.state).toBe((effect & lost) === 0 ? 'valid' : 'syncing');
  });

  it('the end of a connection costs what it carried and nothing else', () => {
    const track = createTrack({
      instrument,
      rules: binanceUsdm,
      connOf: () => 'public',
    });
    feed(track, binanceUsdm, [futures.snapshot(100), futures.depth(90, 100, 80), futures.trade(1)]);
    const closed = (conn: string): number[] =>
      feed(track, binanceUsdm, [futures.other(`"conn":"${conn}","close":{"code":1006,"reason":""}`)]);
    expect(closed('market')).toEqual([none]);
    expect(track.state).toBe('valid');
    expect(closed('public')).toEqual([lost | tradeGap]);
    expect(track.state).toBe('syncing');
  });

  it('trades missed between two connections are counted by their ids', () => {
    const track = futures.track();
    const close = futures.other('"conn":"c","close":{"code":1006,"reason":""}');
    feed(track, binanceUsdm, [futures.trade(5), close, futures.trade(9)]);
    expect(track.counts.tradesMissing).toBe(3);
  });

  it('ids that start anew are a gap once they can be no repeats', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(1000), futures.depth(990, 1000, 980)]);
    const anew = Array.from({ length: 100 }, (_, n) => futures.depth(n + 1, n + 1, n));
    const effects = feed(track, binanceUsdm, anew);
    expect(effects.slice(0, 99).every((effect) => effect === none)).toBe(true);
    expect(effects[99]).toBe(lost);
  });

  /** An update with the match time `at`, in ms from that of the others. */
  const timed = (first: number, last: number, previous: number, at: number): string =>
    futures.depth(first, last, previous).replaceAll('1700000000000', String(1_700_000_000_000 + at));

  it('an old id with a time later than that of all updates is no repeat', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(1000), timed(990, 1000, 980, 0), timed(1001, 1005, 1000, 5)]);
    expect(feed(track, binanceUsdm, [timed(1001, 1005, 1000, 5), timed(990, 1000, 980, 0)])).toEqual([none, none]);
    const restored = futures.track();
    restored.entry({ t: T0, src: futures.src, book: track.checkpoint() });
    for (const one of [track, restored]) expect(feed(one, binanceUsdm, [timed(1, 2, 0, 6)])).toEqual([lost]);
    expect(track.gap).toMatchObject({ reason: 'sequence', expected: 1005, got: 0 });
  });

  it('a snapshot that the stream does not reach is given up for another one', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.depth(1, 2, 0), futures.snapshot(900_000)]);
    clock += 29_999_999;
    expect(feed(track, binanceUsdm, [futures.depth(3, 4, 2)])).toEqual([none]);
    expect(track.needsSnapshot).toBe(false);
    clock += 1;
    feed(track, binanceUsdm, [futures.depth(5, 6, 4)]);
    expect(track.needsSnapshot).toBe(true);
    expect(feed(track, binanceUsdm, [futures.depth(7, 8, 6), futures.snapshot(6)])).toEqual([none, valid]);
    expect(track.continuity.last).toBe(8);
  });

  it('updates that a snapshot is ahead of are old, as late as they come', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(1000), timed(990, 1000, 980, 0), timed(1001, 1005, 1000, 5)]);
    const lose = futures.other(`"gap":{"stream":"*","from":${T0},"reason":"disconnect"}`);
    feed(track, binanceUsdm, [lose, futures.snapshot(3000), timed(2990, 3000, 2980, 50)]);
    expect(track.state).toBe('valid');
    expect(feed(track, binanceUsdm, [timed(2900, 2950, 2890, 60)])).toEqual([none]);
  });

  it('a number that cannot be held costs its own stream only', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(100), futures.depth(90, 100, 80), futures.trade(1)]);
    expect(feed(track, binanceUsdm, [futures.trade(2, 'MARKET', '1e-9')])).toEqual([tradeGap]);
    expect(track.state).toBe('valid');
    const depth = futures.depth(101, 110, 100, [[9, 1]]).replace('"9"', '"9.0000000001"');
    expect(feed(track, binanceUsdm, [depth])).toEqual([lost]);
  });

  it('a gap entry that only confirms what was seen does not cost the kept updates', () => {
    const track = futures.track();
    const gap = futures.other(`"gap":{"stream":"depth","from":${T0},"reason":"sequence","expected":100,"got":120}`);
    feed(track, binanceUsdm, [futures.snapshot(100), futures.depth(90, 100, 80), futures.depth(130, 140, 120)]);
    expect(feed(track, binanceUsdm, [gap, futures.snapshot(135)])).toEqual([none, valid]);
  });
});

describe('trades', () => {
  it('prints that are no flow count in the chain and not as trades', () => {
    const track = futures.track();
    const lines = [1, 2, 3].map((id) => futures.trade(id, id === 2 ? 'NA' : 'MARKET', id === 2 ? '0' : '10'));
    expect(feed(track, binanceUsdm, lines)).toEqual([trade, offBook, trade]);
    expect([track.counts.trades, track.counts.offBook, track.counts.tradesMissing]).toEqual([3, 1, 0]);
  });

  it('missing ids are counted and told, repeats are no flow', () => {
    const track = futures.track();
    const ids = [5, 6, 9, 9, 8, 10];
    expect(
      feed(
        track,
        binanceUsdm,
        ids.map((id) => futures.trade(id)),
      ),
    ).toEqual([trade, trade, trade | tradeGap, none, none, trade]);
    expect(track.counts.tradesMissing).toBe(2);
  });

  it('the merged stream beside the raw one is no flow, and has a chain of its own', () => {
    const track = futures.track();
    const merged = (id: number): string =>
      futures.message(
        'aggTrade',
        `{"e":"aggTrade","E":1700000000001,"s":"XUSDT","a":${id},"p":"10","q":"2","f":1,"l":2,"T":1700000000000,"m":true}`,
      );
    expect(feed(track, binanceUsdm, [futures.trade(5), merged(900), futures.trade(6), merged(901)])).toEqual([
      trade,
      none,
      trade,
      none,
    ]);
    expect(track.counts.tradesMissing).toBe(0);
  });

  it('touches, talk and unknown messages are counted', () => {
    const track = spot.track();
    const quote = spot.message('bookTicker', '{"u":7,"s":"XUSDT","b":"9","B":"1","a":"11","A":"1"}');
    const talk = spot.other('"conn":"c","msg":{"result":null,"id":1}');
    expect(feed(track, binanceSpot, [quote, talk, spot.message('what', '{}')])).toEqual([touch, none, none]);
    expect([track.counts.touches, track.counts.unknown, track.counts.messages]).toEqual([1, 1, 3]);
  });
});

describe('checkpoints', () => {
  const copyOf = (checkpoint: Checkpoint): Checkpoint => JSON.parse(JSON.stringify(checkpoint)) as Checkpoint;
  const asEntry = (book: Checkpoint): Entry => ({ t: clock, src: futures.src, book });

  it('hold prices as exact decimal texts, best first', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [
      futures.snapshot(100, [
        ['9.5', '1.25'],
        [8, 2],
      ]),
      futures.depth(90, 100, 80),
    ]);
    const { state, coverage, bids, asks } = track.checkpoint();
    expect({ state, coverage, bids, asks }).toEqual({
      state: 'valid',
      coverage: { low: '8', high: '11' },
      bids: [
        ['9.5', '1.25'],
        ['8', '2'],
      ],
      asks: [['11', '1']],
    });
  });

  it('a book that is not valid has no levels, and is not restored', () => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.depth(90, 100, 80, [[9, 9]])]);
    const checkpoint = copyOf(track.checkpoint());
    expect([checkpoint.state, checkpoint.bids, checkpoint.coverage]).toEqual([
      'syncing',
      [],
      { low: null, high: null },
    ]);
    const other = futures.track();
    expect([other.entry(asEntry(checkpoint)), other.state]).toEqual([none, 'empty']);
  });

  it('repair a lost book and leave a valid one alone', () => {
    const [one, two] = [futures.track(), futures.track()];
    const start = [futures.snapshot(100), futures.depth(90, 100, 80, [[9, 5]])];
    feed(one, binanceUsdm, start);
    const checkpoint = copyOf(one.checkpoint());
    expect(one.entry(asEntry({ ...checkpoint, bids: [['1', '1']] }))).toBe(none);
    expect(levelsOf(one, BID)).toEqual([[9, 5]]);
    expect(two.entry(asEntry(checkpoint))).toBe(valid);
    expect(two.entry({ t: clock, src: futures.src, drop: { count: 1, reason: 'x' } })).toBe(
      lost | tradeGap | besideGap,
    );
    expect(two.entry(asEntry(checkpoint))).toBe(valid);
    expect([two.gap, two.needsSnapshot, levelsOf(two, BID)]).toEqual([null, false, [[9, 5]]]);
    const next = [futures.depth(120, 130, 100, [[8, 1]]), futures.depth(140, 150, 131)];
    expect(feed(two, binanceUsdm, next)).toEqual([applied, lost]);
  });

  it.each([
    ['x', '1'],
    ['1', ''],
    ['-1', '1'],
    ['1', '-1'],
    ['1.001', '1'],
  ])('a level [%s, %s] is refused', (p, q) => {
    const track = futures.track();
    feed(track, binanceUsdm, [futures.snapshot(100), futures.depth(90, 100, 80)]);
    const checkpoint = copyOf(track.checkpoint());
    const other = futures.track();
    expect(other.entry(asEntry({ ...checkpoint, asks: [[p, q]] }))).toBe(none);
    expect([other.state, other.counts.invalid]).toEqual(['empty', 1]);
  });
});
