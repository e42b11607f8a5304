/** What verify says of time: which part of it is proven, which is only not contradicted, and how the clocks went. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Distribution } from '../../src/audit/quantiles.js';
import { Spans } from '../../src/audit/spans.js';
import { type SourceReport, type StreamReport, verifyTapes } from '../../src/audit/verify.js';
import type { Entry } from '../../src/model/entry.js';
import { entryLine } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { opening, update, whole } from './bingx-lines.js';
import {
  header,
  market,
  type Received,
  SRC,
  START,
  tapeLine,
  tapeLines,
  temporaryFolder,
  writeSegment,
} from './market-lines.js';

async function verify(lines: readonly string[]): Promise<SourceReport> {
  const [report] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(lines.join(''))]) });
  return report;
}

const entry = (t: number, rest: Record<string, unknown>): string => entryLine({ t, src: SRC, ...rest } as Entry);
const streamOf = ({ streams }: SourceReport, name: string): StreamReport | undefined =>
  streams.find(({ stream }) => stream === name);

/** Of one second, 1001 messages one millisecond apart: the tape ends 1.0 s after its header, within two microseconds. */
const second = (): Received[] => market(333);

describe('shares of time', () => {
  test('a lost trade takes the time between its neighbours, from its stream and from the whole', async () => {
    const received = second();
    const at = received.findIndex(({ kind, id }) => kind === 'trade' && id === 950);
    const report = await verify(tapeLines(received.filter((_, n) => n !== at)));
    // two steps of three milliseconds
    expect(streamOf(report, 'trade')).toMatchObject({ gaps: 1, clean: 99.39, messages: 332 });
    expect(streamOf(report, 'depth')).toMatchObject({ gaps: 0, verified: 99.89, clean: 100 });
    expect(streamOf(report, 'bookTicker')).toMatchObject({ gaps: 0, verified: 0, clean: 100 });
    expect(report).toMatchObject({ clean: 99.39, verified: 99.29, unverifiable: 0.1 });
  });

  test('a loss of all streams that the recorder marks lasts from the last message to the mark', async () => {
    const received = second();
    const [from, to] = [received[299].t, received[399].t];
    // the same loss told of two streams, then of each message that is missing
    const gaps = ['trade', 'bookTicker'].map((stream, n) =>
      entry(to + n - 1000 + 1, { gap: { stream, from, reason: 'silence' } }),
    );
    const rest = received.filter(({ kind }, n) => kind === 'depth' || n < 300 || n >= 400);
    const lines = tapeLines(rest);
    const place = 2 + rest.findIndex(({ t }) => t > to - 1000 + 2);
    const report = await verify([...lines.slice(0, place), ...gaps, ...lines.slice(place)]);
    // ids tell that trades are missing from the 297th message to the 402nd
    expect(streamOf(report, 'trade')?.clean).toBe(89.48);
    expect(streamOf(report, 'bookTicker')?.clean).toBe(90.08);
    expect(streamOf(report, 'depth')?.clean).toBe(100);
    expect(report.clean).toBe(89.48);
  });

  test('dropped lines are summed, and their time is suspect in every stream', async () => {
    const received = second();
    const drop = (n: number, count: number): string =>
      entry(received[n].t + 500, { drop: { count, reason: 'the queue was full' } });
    const lines = received.flatMap((one, n) => [
      tapeLine(one),
      ...(n === 500 ? [drop(n, 7)] : n === 600 ? [drop(n, 4)] : []),
    ]);
    const report = await verify([entryLine(header()), ...lines]);
    expect(report.drops).toEqual({ entries: 2, count: 11 });
    for (const { clean, gaps } of report.streams) expect([clean, gaps]).toEqual([99.89, 2]);
    expect(report.clean).toBe(99.89);
  });

  test('lost bytes make the time between what stands before and after them suspect', async () => {
    const path = join(temporaryFolder(), 'a.ndjson.zst');
    await writeSegment(path, tapeLines(second()), 100);
    const bytes = readFileSync(path);
    bytes[openSegment(path).index().frames[4].offset + 50] ^= 1;
    writeFileSync(path, bytes);
    const [report] = await verifyTapes({ paths: [path], stdin: Readable.from([]) });
    // ids of trades tell more: from the last one before to the first one after
    expect(report.streams.map(({ gaps, clean }) => [gaps, clean])).toEqual([
      [1, 89.88],
      [1, 89.88],
      [1, 89.78],
    ]);
    expect(report).toMatchObject({ clean: 89.78 });
  });

  test('what is missing before a book is lost contradicts nothing after it', async () => {
    // nothing tells that quotes are missing too
    const lines = tapeLines(second());
    const report = await verify(lines.toSpliced(400, 100));
    expect(report.problems.map(({ code }) => code)).toEqual(['GAP', 'GAP', 'TOUCH']);
    expect(streamOf(report, 'depth')?.verified).toBe(39.63);
    // the trade before the hole came a millisecond before the update
    expect(report.verified).toBe(39.53);
  });

  test('where no id proves the book nothing is verified, and all of it unverifiable', async () => {
    const bids: [string, string][] = [['100.0', '1']];
    const lines = [...opening(), whole(0, 10, bids, [['100.5', '2']]), update(1000, 11, bids), update(2000, 12, bids)];
    const report = await verify(lines);
    expect(report).toMatchObject({ verified: null, clean: 100, unverifiable: 100 });
    expect(report.streams).toEqual([
      { stream: 'depth', messages: 3, gaps: 0, verified: 0, unverifiable: 100, clean: 100 },
    ]);
  });
});

describe('the book', () => {
  test('crossed and stale times are counted, with the longest', async () => {
    const received = market(40);
    const depths = received.flatMap(({ kind }, n) => (kind === 'depth' ? [n] : []));
    const cross = (n: number, size: string): void => {
      const one = received[depths[n]];
      received[depths[n]] = { ...one, text: one.text.replace('"b":[', `"b":[["100.2","${size}"],`) };
    };
    // crossed from the 10th update to the 12th, and from the 20th to the 21st
    for (const [n, size] of [
      [10, '1.000'],
      [12, '0.000'],
      [20, '1.000'],
      [21, '0.000'],
    ] as const)
      cross(n, size);
    for (let n = depths[30]; n < received.length; n++) received[n] = { ...received[n], t: received[n].t + 12_000_000 };
    const { book } = await verify(tapeLines(received.filter(({ kind }) => kind !== 'touch')));
    expect(book.crossed).toEqual({ count: 2, longest: 6000 });
    expect(book.stale).toEqual({ count: 1, longest: 12_003_000 });
  });

  test('the book at the end is the last checkpoint that could be compared', async () => {
    const lines = tapeLines(market(5));
    const levels = { bids: [['1.0', '1.000']], asks: [] };
    const wrong = { state: 'valid', coverage: { low: null, high: null }, streams: {}, ...levels };
    const { book } = await verify([...lines, entry(START + 1e6, { book: wrong })]);
    expect(book.end).toEqual({ t: START + 1e6, agreed: false });
  });
});

describe('clocks', () => {
  test('drift is told from steps, and a new segment is neither', async () => {
    const clock = (ms: number, wall: number, loop: number): string =>
      entry(START + ms * 1000, { clock: { wall, loop, exchange: null } });
    const report = await verify([
      ...[entryLine(header()), clock(1, 0, 100), clock(1001, 400, 3000), clock(2001, 900, 50)],
      ...[clock(3001, 2_000_900, 60), clock(4001, 2_001_000, 70)],
      entryLine(header('rec1', START + 4_002_000)),
      ...[clock(5001, 0, 80), clock(6001, -300, 90)],
    ]);
    expect(report.clock).toEqual({
      readings: 7,
      drift: 400 + 500 + 100 - 300,
      steps: 1,
      largest: 2_000_000,
      lag: null,
      loop: { count: 7, p50: expect.closeTo(80, 0), p99: 3000, max: 3000 },
    });
  });
});

test('spans are what marking every moment gives', () => {
  const span = fc.tuple(fc.nat(60), fc.nat(20));
  fc.assert(
    fc.property(fc.array(span, { maxLength: 12 }), (spans) => {
      const all = new Spans();
      const marked = new Array<boolean>(82).fill(false);
      for (const [from, length] of spans) {
        all.add(from, from + length);
        marked.fill(true, from, from + length);
      }
      expect(all.total).toBe(marked.filter(Boolean).length);
      const joined = new Spans();
      joined.join(all);
      expect([joined.total, joined.longest]).toEqual([all.total, all.longest]);
      expect(all.longest).toBeGreaterThanOrEqual(Math.max(0, ...spans.map(([, length]) => length)));
    }),
  );
});

test('quantiles are those of the sorted numbers, to one percent', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 1, maxLength: 60 }), (values) => {
      const [one, two] = [new Distribution(), new Distribution()];
      for (const [n, value] of values.entries()) (n % 2 === 0 ? one : two).add(value);
      one.join(two);
      const sorted = [...values].sort((a, b) => a - b);
      const at = (part: number): number => sorted[Math.ceil(values.length * part) - 1];
      const { count, p50, p99, max } = one.quantiles()!;
      expect([count, max]).toEqual([values.length, sorted.at(-1)]);
      for (const [found, wanted] of [
        [p50, at(0.5)],
        [p99, at(0.99)],
      ] as const)
        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 0.01 + 0.5);
    }),
  );
  expect(new Distribution().quantiles()).toBeNull();
});
