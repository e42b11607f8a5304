/** A track over whole tapes: the known answers of the recordings, and generated tapes with losses, against the truth. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { Effect, type Track } from '../../src/market/track.js';
import type { Checkpoint, Entry } from '../../src/model/entry.js';
import { EVENT_STRIDE, Field, Kind } from '../../src/model/event.js';
import { scaleOf } from '../../src/model/instrument.js';
import { binanceSpot, binanceUsdm } from '../../src/venues/binance.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import { random } from '../decode/mutate.js';
import {
  coinm,
  missing,
  readShared,
  recorded,
  type Session,
  sourceOf,
  spot,
  unless,
  usdm,
} from '../decode/recordings.js';
import { applyLine, type Decoded, decodeLines, newTrack } from './feed.js';

const scaled = (track: Track, side: BookSide): [number, number][] => track.book.levels(side);

/** Touches of the session by rising id: `[id, bid, bid size, ask, ask size]`. */
function touchesOf({ buffer }: Decoded): number[][] {
  const touches: number[][] = [];
  for (let i = 0; i < buffer.count; i++) {
    const e = buffer.events.subarray(i * EVENT_STRIDE, (i + 1) * EVENT_STRIDE);
    if (e[Field.KIND] === Kind.touch)
      touches.push([e[Field.LAST], e[Field.PRICE], e[Field.SIZE], e[Field.PRICE2], e[Field.SIZE2]]);
  }
  return touches;
}

/** Joins book updates to touches by id: the newest touch whose id is not larger. */
function touchJudge(touches: number[][]) {
  const judge = { checked: 0, agreed: 0, check };
  let at = -1;
  function check(id: number, track: Track): void {
    while (at + 1 < touches.length && touches[at + 1][0] <= id) at++;
    if (at < 0) return;
    const { book } = track;
    const [bid, ask] = [book.bestBid(), book.bestAsk()];
    judge.checked++;
    const [, ...wanted] = touches[at];
    const got = [bid, book.sizeAt(BID, bid), ask, book.sizeAt(ASK, ask)];
    if (got.every((value, i) => value === wanted[i])) judge.agreed++;
  }
  return judge;
}

/** Takes checkpoints now and then and lets restored tracks run beside the one that never stopped. */
function shadows(source: Track, venue: Venue, session: Session, seed: number, every: number, length: number) {
  const below = random(seed);
  const src = sourceOf(session);
  let shadow: { track: Track; left: number; counts: Track['counts'] } | null = null;
  const ended: number[] = [];
  const same = (track: Track): void => {
    expect(track.checkpoint()).toEqual(source.checkpoint());
    expect([track.state, track.t, track.gap, track.needsSnapshot]).toEqual([
      source.state,
      source.t,
      source.gap,
      source.needsSnapshot,
    ]);
  };
  return {
    ended,
    step(decoded: Decoded, i: number, effect: number): void {
      if (shadow !== null) {
        const { track, counts } = shadow;
        if (applyLine(track, decoded, i) !== effect) throw new Error(`line ${i}: another effect after a restore`);
        if (--shadow.left > 0) return;
        same(track);
        for (const name of Object.keys(counts) as (keyof typeof counts)[])
          expect([name, track.counts[name]]).toEqual([name, source.counts[name] - counts[name]]);
        shadow = null;
        ended.push(i);
      } else if (source.state === 'valid' && below(every) === 0) {
        const book = JSON.parse(JSON.stringify(source.checkpoint())) as Checkpoint;
        const track = newTrack(venue, source.instrument);
        expect(track.entry({ t: source.t, src, book })).toBe(Effect.valid);
        shadow = { track, left: 1 + below(length), counts: { ...source.counts } };
        same(track);
      }
    },
  };
}

describe.skipIf(missing)(`recordings${unless}`, () => {
  const sessions = [
    { session: usdm, applied: 16_110, checked: 16_110, bids: 5393, asks: 3847, trades: 12_935, offBook: 1, stale: 0 },
    { session: coinm, applied: 39_133, checked: 39_132, bids: 1195, asks: 1343, trades: 3595, offBook: 0, stale: 0 },
  ];
  it.each(sessions)('$session.name: $applied updates, each agrees with the touch of its id', (known) => {
    const { session } = known;
    const venue = venueById(session.venue);
    const { text, starts } = recorded(session);
    const decoded = decodeLines(text, venue, session.instrument);
    const judge = touchJudge(touchesOf(decoded));
    const deletes = { all: 0, unknown: 0 };
    const track = newTrack(venue, session.instrument, (_, __, before, after) => {
      if (after !== 0) return;
      deletes.all++;
      if (before === 0) deletes.unknown++;
    });
    const beside = shadows(track, venue, session, 3, 3000, 4000);
    const { events } = decoded.buffer;
    let lines = 0;
    for (let i = 0; i < decoded.buffer.count; i++) {
      const o = i * EVENT_STRIDE;
      if (events[o + Field.START] >= starts[1] && lines === 0) {
        lines = i;
        if (session === usdm) compareWithCsv(track);
      }
      const effect = applyLine(track, decoded, i);
      if ((effect & (Effect.book | Effect.valid)) !== 0) judge.check(track.continuity.last, track);
      if ((effect & (Effect.lost | Effect.tradeGap)) !== 0) throw new Error(`a gap at line ${i}`);
      beside.step(decoded, i, effect);
    }
    expect([judge.checked, judge.agreed]).toEqual([known.checked, known.checked]);
    expect(track.counts).toMatchObject({
      applied: known.applied,
      crossed: 0,
      bookGaps: 0,
      tradesMissing: 0,
      unknown: 0,
      invalid: 0,
      trades: known.trades,
      offBook: known.offBook,
      snapshots: 1,
    });
    expect([track.book.depth(BID), track.book.depth(ASK)]).toEqual([known.bids, known.asks]);
    expect(beside.ended.length).toBeGreaterThan(5);
    // those of an update that completes a join are not told: here one, of a level nobody held
    if (session === usdm) expect(deletes).toEqual({ all: 19_705 - 1, unknown: 3599 - 1 });
    else expect(deletes.unknown / deletes.all).toBeCloseTo(61_751 / 165_315, 3);
  });

  function compareWithCsv(track: Track): void {
    const scale = scaleOf(usdm.instrument);
    const [, ...rows] = readShared('binance-usdm_btcusdt_20230404_eod_levels.csv').toString().trim().split('\n');
    expect(rows).toHaveLength(4097);
    const wanted = rows.map((row) => row.split(',')).map(([side, p, q]) => `${side} ${Number(p)} ${Number(q)}`);
    const sides = [BID, ASK].flatMap((side) =>
      scaled(track, side).map(
        ([p, q]) => `${side === BID ? 'bid' : 'ask'} ${p / 10 ** scale.price} ${q / 10 ** scale.size}`,
      ),
    );
    expect(new Set(sides)).toEqual(new Set(wanted));
    expect(sides).toHaveLength(4097);
  }

  it('COIN-M: the updates kept for the snapshot agree one by one too', () => {
    // the same lines with the snapshot in front: what is joined at once above is now applied line by line
    const lines = recorded(coinm).text.subarray(0, 400_000).toString().split('\n').slice(0, 40);
    const rest = lines.findIndex((line) => line.includes('"http":'));
    lines.unshift(...lines.splice(rest, 1));
    const venue = venueById(coinm.venue);
    const decoded = decodeLines(Buffer.from(`${lines.join('\n')}\n`), venue, coinm.instrument);
    const judge = touchJudge(touchesOf(decoded));
    const track = newTrack(venue, coinm.instrument);
    for (let i = 0; i <= rest; i++)
      if ((applyLine(track, decoded, i) & (Effect.book | Effect.valid)) !== 0)
        judge.check(track.continuity.last, track);
    expect([track.counts.applied, judge.checked, judge.agreed]).toEqual([2, 2, 2]);
  });

  it('spot has no snapshot: no book, but every chain is unbroken', () => {
    const venue = venueById(spot.venue);
    const decoded = decodeLines(recorded(spot).text, venue, spot.instrument);
    const track = newTrack(venue, spot.instrument);
    for (let i = 0; i < decoded.buffer.count; i++) applyLine(track, decoded, i);
    expect(track.counts).toMatchObject({ depth: 3929, trades: 3144, touches: 8015, tradesMissing: 0, applied: 0 });
    expect([track.state, track.needsSnapshot]).toEqual(['syncing', true]);
  });
});

type Happening = { what: string; n: number; salt: number };

const happening: fc.Arbitrary<Happening> = fc.record({
  what: fc.oneof(
    { weight: 12, arbitrary: fc.constant('depth') },
    { weight: 4, arbitrary: fc.constant('trade') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'lostDepth',
        'lostTrade',
        'repeat',
        'close',
        'open',
        'gap',
        'broken',
        'otherSpeed',
        'error',
      ),
    },
    { weight: 4, arbitrary: fc.constant('snapshot') },
  ),
  n: fc.nat(4),
  salt: fc.nat(1e6),
});

/** A small exchange of its own: writes a tape of what happens, and remembers its book after every id. */
function write(venue: Venue, script: Happening[]) {
  const futures = venue !== binanceSpot;
  const src = `${venue.id}:XUSDT`;
  const truth: [Map<number, number>, Map<number, number>] = [new Map([[100_000, 1]]), new Map([[100_002, 1]])];
  const books = new Map<number, string>();
  const bodies: string[] = [];
  const lines: string[] = [];
  let [t, id, previous, tradeId] = [1_700_000_000_000_000, 1000, 1000, 50];
  const say = (rest: string): void => void lines.push(`{"t":${t++},"src":"${src}",${rest}}`);
  const send = (stream: string, data: string): void =>
    say(`"conn":"c","msg":{"stream":"xusdt@${stream}","data":${data}}`);
  const sorted = (side: BookSide): [number, number][] =>
    [...truth[side]].sort((a, b) => (side === BID ? b[0] - a[0] : a[0] - b[0]));
  const texts = (levels: [number, number][]): string => JSON.stringify(levels.map(([p, q]) => [`${p}`, `${q}`]));
  const remember = (): void => {
    books.set(id, JSON.stringify([sorted(BID), sorted(ASK)]));
    bodies.push(`{"lastUpdateId":${id},"bids":${texts(sorted(BID))},"asks":${texts(sorted(ASK))}}`);
  };
  const change = (salt: number): [[number, number][], [number, number][]] => {
    const below = random(salt);
    const sides: [[number, number][], [number, number][]] = [[], []];
    for (const side of [BID, ASK] as const)
      for (let k = below(3); k > 0; k--) {
        const price = side === BID ? 100_000 - below(30) * 700 : 100_002 + below(30) * 700;
        if (sides[side].some(([p]) => p === price)) continue;
        const size = below(3) === 0 ? 0 : 1 + below(9);
        sides[side].push([price, size]);
        if (size === 0) truth[side].delete(price);
        else truth[side].set(price, size);
      }
    return sides;
  };
  remember();
  let last = '';
  const depth = (hole: number, salt: number, lost: boolean, stream = 'depth@100ms'): void => {
    const first = futures ? id + 1 + hole : id + 1;
    const [bids, asks] = change(salt);
    id = first + (salt % 5);
    const ids = futures ? `"T":1,"U":${first},"u":${id},"pu":${previous}` : `"U":${first},"u":${id}`;
    last = `{"e":"depthUpdate","E":1,"s":"XUSDT",${ids},"b":${texts(bids)},"a":${texts(asks)}}`;
    if (!lost) send(stream, last);
    previous = id;
    remember();
  };
  const trade = (lost: boolean): void => {
    tradeId++;
    const tail = futures ? '"X":"MARKET","m":true' : '"m":true,"M":true';
    if (!lost) send('trade', `{"e":"trade","E":1,"T":1,"s":"XUSDT","t":${tradeId},"p":"101","q":"1",${tail}}`);
  };
  const snapshot = (age: number): void =>
    say(`"http":{"url":"","status":200,"sent":${t},"body":${bodies[Math.max(0, bodies.length - 1 - age)]}}`);
  for (const { what, n, salt } of script) {
    if (what === 'depth') depth(n, salt, false);
    else if (what === 'lostDepth') depth(n, salt, true);
    else if (what === 'repeat' && last !== '') send('depth@100ms', last);
    else if (what === 'otherSpeed')
      send('depth@500ms', `{"e":"depthUpdate","E":1,"T":1,"s":"XUSDT","U":1,"u":2,"pu":0,"b":[["7","7"]],"a":[]}`);
    else if (what === 'broken') {
      depth(n, salt, true);
      send('depth@100ms', `{"e":"depthUpdate","E":1,"T":1,"s":"XUSDT","U":1,"u":2,"pu":0,"b":[["x","7"]],"a":[]}`);
    } else if (what === 'trade') trade(false);
    else if (what === 'lostTrade') trade(true);
    else if (what === 'snapshot') snapshot(n);
    else if (what === 'close') say('"conn":"c","close":{"code":1006,"reason":""}');
    else if (what === 'open') say('"conn":"c","open":{"url":"wss://x"}');
    else if (what === 'gap') say(`"gap":{"stream":"*","from":${t},"reason":"restart"}`);
    else if (what === 'error') say(`"http":{"url":"","status":400,"sent":${t},"body":{"code":-1121,"msg":"x"}}`);
  }
  // whatever happened, a fresh snapshot and the updates around it must give a book
  depth(0, 1, false);
  snapshot(0);
  depth(0, 2, false);
  return { text: Buffer.from(`${lines.join('\n')}\n`), books, lines };
}

describe.each([binanceUsdm, binanceSpot])('generated tapes of $id', (venue) => {
  const session: Session = {
    name: venue.id,
    venue: venue.id,
    instrument: { symbol: 'XUSDT', kind: venue.kind, tick: '1', lot: '1', multiplier: '1' },
    files: [],
    spareDigits: 0,
  };

  it('a valid book is the true one, a restored track goes on alike, and a snapshot always repairs', () => {
    let valid = 0;
    let renewed = 0;
    let restored = 0;
    fc.assert(
      fc.property(fc.array(happening, { minLength: 30, maxLength: 60, size: 'max' }), fc.nat(), (script, seed) => {
        const { text, books, lines } = write(venue, script);
        const decoded = decodeLines(text, venue, session.instrument);
        const track = newTrack(venue, session.instrument);
        const beside = shadows(track, venue, session, seed, 4, 12);
        lines.forEach((_, i) => {
          const before = track.state;
          const effect = applyLine(track, decoded, i);
          expect((effect & Effect.valid) !== 0).toBe(before !== 'valid' && track.state === 'valid');
          expect((effect & Effect.lost) !== 0).toBe(before === 'valid' && track.state !== 'valid');
          if (track.state === 'valid') {
            const got = [BID, ASK].map((side) => scaled(track, side).map(([p, q]) => [p / 100, q / 100]));
            expect(JSON.stringify(got)).toBe(books.get(track.continuity.last));
            valid++;
          } else expect([track.book.depth(BID), track.book.depth(ASK)]).toEqual([0, 0]);
          beside.step(decoded, i, effect);
        });
        expect(track.state).toBe('valid');
        renewed += track.counts.renewed;
        restored += beside.ended.length;
      }),
      { numRuns: 80, seed: 42 },
    );
    // the script must reach what it is meant to test
    expect([valid > 1500, renewed > 50, restored > 120]).toEqual([true, true, true]);
  });

  it('a checkpoint entry read in the middle of a lost book repairs it at once', () => {
    const script = Array.from(
      { length: 30 },
      (_, i): Happening => ({ what: i === 0 ? 'snapshot' : 'depth', n: 1, salt: i }),
    );
    const { text, books, lines } = write(venue, script);
    const decoded = decodeLines(text, venue, session.instrument);
    const [whole, broken] = [newTrack(venue, session.instrument), newTrack(venue, session.instrument)];
    const lost: Entry = { t: 1, src: sourceOf(session), drop: { count: 1, reason: 'test' } };
    lines.slice(0, 20).forEach((_, i) => void [whole, broken].map((track) => applyLine(track, decoded, i)));
    expect(broken.entry(lost) & Effect.lost).toBe(Effect.lost);
    expect(broken.entry({ t: 2, src: sourceOf(session), book: whole.checkpoint() })).toBe(Effect.valid);
    for (let i = 20; i < lines.length; i++) expect(applyLine(broken, decoded, i)).toBe(applyLine(whole, decoded, i));
    expect(broken.checkpoint()).toEqual(whole.checkpoint());
    expect(books.has(broken.continuity.last)).toBe(true);
  });
});
