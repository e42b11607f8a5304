/** Import and verify over real recordings: the counts that were computed twice, independently (see the data's README). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { surveyCryptofeed } from '../../src/audit/cryptofeed.js';
import { importArchives } from '../../src/audit/import.js';
import { verifyTapes } from '../../src/audit/verify.js';
import { createDecoder } from '../../src/decode/decoder.js';
import { ASK, BID, type BookSide } from '../../src/market/book.js';
import { createTrack, type Track } from '../../src/market/track.js';
import { scaleDecimal } from '../../src/model/decimal.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { parseEntry } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { segmentItems } from '../../src/tape/segment.js';
import { venueById } from '../../src/venues/registry.js';
import { temporaryFolder } from './market-lines.js';

const data = join(import.meta.dirname, '../../../shared/data');
const absent = !existsSync(data);
const USDM = ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'];
const COINM = ['binance-coinm_ethusd_perp_20240808.gz', 'binance-coinm_ethusd_perp_20240809.gz'];

async function importAndVerify(venue: string, symbol: string, files: readonly string[]) {
  const done = await importArchives({
    format: 'hftbacktest',
    venue: venueById(venue),
    symbol,
    files: files.map((file) => join(data, file)),
    out: temporaryFolder(),
    instrument: {},
    tool: 'test',
    level: 1,
    bad: ({ why }) => {
      throw new Error(why);
    },
  });
  const [report] = await verifyTapes({ paths: [done.path], stdin: Readable.from([]) });
  return { done, report };
}

/** The market state after all of a tape. */
function follow(path: string): Track {
  const segment = openSegment(path);
  const { tape, src } = segment.header();
  const venue = venueById(tape.venue);
  const track = createTrack({ instrument: tape.instrument, rules: venue });
  const decoder = createDecoder();
  decoder.bind(src, { layouts: venue.layouts, symbol: tape.symbol, scale: track.scale, flow: tape.flow });
  const events = new EventBuffer();
  for (const item of segmentItems(segment)) {
    if ('damage' in item) throw new Error(item.damage.message);
    for (let at = item.from; at < item.to; ) {
      events.clear();
      at = decoder.decode(item.bytes, at, item.to, events);
      for (let i = 0; i < events.count; i++) {
        const o = i * EVENT_STRIDE;
        if (events.events[o] !== Kind.entry) track.apply(events, i);
        else track.entry(parseEntry(item.bytes.subarray(events.events[o + Field.START], events.events[o + Field.END])));
      }
    }
  }
  return track;
}

// not on a user's machine: the recordings are other people's and stay outside the project
describe.skipIf(absent)('recordings beside the repository', () => {
  test('USD-M: 73,764 messages, one snapshot, touch 16,110 of 16,110', async () => {
    const { done, report } = await importAndVerify('binance-usdm', 'BTCUSDT', USDM);
    expect(done).toMatchObject({
      messages: 73_764,
      snapshots: 1,
      ties: 1,
      backwards: 0,
      unknown: 0,
      invalid: 0,
      bad: 0,
    });
    expect(done.instrument).toMatchObject({ tick: '0.1', lot: '0.001', inferred: true });
    expect(done.checkpoints).toBe(9);
    expect(report).toMatchObject({
      messages: 73_764,
      gaps: 0,
      verified: 99.96,
      touch: { checked: 16_110, agreed: 16_110 },
      checkpoints: { checked: 8, agreed: 8 },
      problems: [],
    });
  });

  test('USD-M: the book after the 0404 file has the 4,097 levels of the independent computation', async () => {
    const { done } = await importAndVerify('binance-usdm', 'BTCUSDT', USDM.slice(0, 1));
    const { book, scale } = follow(done.path);
    const rows = readFileSync(join(data, 'binance-usdm_btcusdt_20230404_eod_levels.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    expect(rows).toHaveLength(4097);
    const wrong = rows.filter((row) => {
      const [side, price, size] = row.split(',');
      const of: BookSide = side.startsWith('b') ? BID : ASK;
      return book.sizeAt(of, scaleDecimal(price, scale.price)) !== scaleDecimal(size, scale.size);
    });
    expect(wrong).toEqual([]);
    expect([book.depth(BID), book.depth(ASK)]).toEqual([2306, 1791]);
  });

  test('COIN-M: touch 39,133 of 39,133, the two updates kept for the snapshot included', async () => {
    const { done, report } = await importAndVerify('binance-coinm', 'ETHUSD_PERP', COINM);
    expect(done).toMatchObject({ messages: 78_313, snapshots: 1, backwards: 0, unknown: 0, invalid: 0 });
    expect(report).toMatchObject({ gaps: 0, touch: { checked: 39_133, agreed: 39_133 }, problems: [] });
    expect(report.checkpoints).toEqual({ checked: 10, agreed: 10 });
  });

  test('spot without a snapshot: unverified, and touch 3,929 of 3,929', async () => {
    const { report } = await importAndVerify('binance-spot', 'BTCUSDT', ['binance-spot_btcusdt_20230405.dat.gz']);
    expect(report).toMatchObject({ messages: 15_088, gaps: 0, verified: 0, touch: { checked: 3929, agreed: 3929 } });
    expect(report.problems.map(({ code }) => code)).toEqual(['NO_SNAPSHOT']);
  });
});

/** Every book message of a tape, and the levels of both sides behind it. */
function depths(path: string): [number, number][] {
  const segment = openSegment(path);
  const { tape, src } = segment.header();
  const venue = venueById(tape.venue);
  const track = createTrack({ instrument: tape.instrument, rules: venue });
  const decoder = createDecoder();
  decoder.bind(src, { layouts: venue.layouts, symbol: tape.symbol, scale: track.scale, flow: tape.flow });
  const events = new EventBuffer();
  const found: [number, number][] = [];
  for (const item of segmentItems(segment)) {
    if ('damage' in item) throw new Error(item.damage.message);
    for (let at = item.from; at < item.to; ) {
      events.clear();
      at = decoder.decode(item.bytes, at, item.to, events);
      for (let i = 0; i < events.count; i++) {
        const kind = events.events[i * EVENT_STRIDE];
        if (kind === Kind.entry) continue;
        track.apply(events, i);
        if (kind === Kind.depth || kind === Kind.snapshot) found.push([track.book.depth(BID), track.book.depth(ASK)]);
        expect(track.counts.crossed).toBe(0);
      }
    }
  }
  return found;
}

async function importAll(venue: string, file: string) {
  const files = [join(data, file)];
  const one = venueById(venue);
  const done = [];
  for (const { symbol, instrument } of await surveyCryptofeed(files, one)) {
    const bad = ({ why }: { why: string }): void => {
      throw new Error(why);
    };
    const options = { format: 'cryptofeed', venue: one, symbol, files, out: temporaryFolder(), instrument } as const;
    done.push(await importArchives({ ...options, tool: 'test', level: 1, bad }));
  }
  const reports = await verifyTapes({ paths: done.map(({ path }) => path), stdin: Readable.from([]) });
  return { done, reports };
}

describe.skipIf(absent)('recordings of cryptofeed in ../shared/data', () => {
  test('Bybit: 2,148 book messages and 347 trades, no gap, books always 200 by 200 and never crossed', async () => {
    const linear = await importAll('bybit-linear', 'bybit_20260809.jsonl.zst');
    const spot = await importAll('bybit-spot', 'bybit_20260809.jsonl.zst');
    expect(linear.reports.map(({ src }) => src)).toEqual(
      ['BTC', 'DOGE', 'ETH', 'SOL'].map((base) => `bybit-linear:${base}USDT`),
    );
    expect(spot.reports.map(({ src }) => src)).toEqual(['bybit-spot:BTCUSDT', 'bybit-spot:ETHUSDT']);
    const done = [...linear.done, ...spot.done];
    for (const { gaps, problems, unknown, verified } of [...linear.reports, ...spot.reports]) {
      expect({ gaps, problems, unknown }).toEqual({ gaps: 0, problems: [], unknown: 0 });
      expect(verified).toBeGreaterThan(99);
    }
    const books = done.flatMap(({ path }) => depths(path));
    expect(books).toHaveLength(2148);
    expect(books.filter(([bids, asks]) => bids !== 200 || asks !== 200)).toEqual([]);
    expect(done.reduce((sum, { path }) => sum + follow(path).counts.trades, 0)).toBe(347);
    // the archive's own listings
    expect(done.every(({ instrument }) => instrument.inferred === undefined)).toBe(true);
  });

  test('OKX: 290 of 290 checksums, on books without a sequence', async () => {
    const swap = await importAll('okx-swap', 'okx_20220513.jsonl.zst');
    const spot = await importAll('okx-spot', 'okx_20220513.jsonl.zst');
    const reports = [...swap.reports, ...spot.reports];
    expect(reports.map(({ src, checksums, gaps }) => [src, checksums.checked, checksums.agreed, gaps])).toEqual([
      ['okx-swap:BTC-USD-220527', 99, 99, 0],
      ['okx-swap:UNI-USD-SWAP', 93, 93, 0],
      ['okx-spot:BTC-USDT', 98, 98, 0],
    ]);
  });
});
