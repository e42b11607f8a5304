/** Import and verify over real recordings: the counts that were computed twice, independently (see the data's README). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
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
