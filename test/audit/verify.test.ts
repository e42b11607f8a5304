/** What verify finds, and where: each fault alone, in tapes that are otherwise whole. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSegmentCheck } from '../../src/audit/segment-check.js';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { Entry } from '../../src/model/entry.js';
import { formatTime } from '../../src/model/time.js';
import { entryLine } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { decodeSeekTable, encodeSeekTable, seekTableBytes } from '../../src/tape/seek-table.js';
import { segmentItems, tailsOf } from '../../src/tape/segment.js';
import { type Levels, opening, update, whole } from './bingx-lines.js';
import { header, market, SRC, START, tapeLine, tapeLines, temporaryFolder, writeSegment } from './market-lines.js';

const NOTHING = Readable.from([]);

async function verify(...paths: string[]): Promise<SourceReport> {
  const reports = await verifyTapes({ paths, stdin: NOTHING });
  expect(reports).toHaveLength(1);
  return reports[0];
}

async function verifyLines(lines: readonly string[]): Promise<SourceReport> {
  const path = join(temporaryFolder(), 'a.ndjson.zst');
  await writeSegment(path, lines);
  return verify(path);
}

const codes = (report: SourceReport): string[] => report.problems.map(({ code }) => code);
const entry = (t: number, rest: Record<string, unknown>): string => entryLine({ t, src: SRC, ...rest } as Entry);

describe('a whole tape', () => {
  test('is clean: everything checked, everything agreed', async () => {
    const report = await verifyLines(tapeLines(market(200)));
    expect(report).toEqual({
      src: SRC,
      messages: 600,
      gaps: 0,
      verified: 99.83, // of 600 ms all but the first: the snapshot is joined by the update after it
      unverifiable: 0.17,
      clean: 100,
      touch: { checked: 200, agreed: 200 },
      checksums: { checked: 0, agreed: 0 },
      levels: { reads: 0, checked: 0, agreed: 0, unsettled: 0 },
      checkpoints: { checked: 0, agreed: 0 },
      book: { end: null, crossed: { count: 0, longest: 0 }, stale: { count: 0, longest: 0 } },
      // the messages say milliseconds, three to a step
      clock: {
        ...{ readings: 0, drift: 0, steps: 0, largest: 0, loop: null },
        lag: { count: 600, p50: expect.closeTo(1000, -1), p99: 2000, max: 2000 },
      },
      drops: { entries: 0, count: 0 },
      skips: { updates: 0, ids: 0 },
      missing: 0,
      backfilled: 0,
      unknown: 0,
      streams: [
        { stream: 'bookTicker', messages: 200, gaps: 0, verified: 0, unverifiable: 100, clean: 100 },
        { stream: 'depth', messages: 200, gaps: 0, verified: 99.83, unverifiable: 0.17, clean: 100 },
        { stream: 'trade', messages: 200, gaps: 0, verified: 99.49, unverifiable: 0.51, clean: 100 },
      ],
      problems: [],
    });
  });

  test('says the same as plain text, from stdin and as a segment', async () => {
    const lines = tapeLines(market(50));
    const path = join(temporaryFolder(), 'a.ndjson');
    writeFileSync(path, lines.join(''));
    const fromFile = await verify(path);
    const [fromPipe] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(lines.join(''))]) });
    expect(fromFile).toEqual(await verifyLines(lines));
    expect(fromPipe).toEqual(fromFile);
  });

  test('updates that a snapshot joins later are audited one by one', async () => {
    const received = market(40);
    // the snapshot of the time after 20 updates comes after 25 of them; 20 are contained in it, the last of them joins
    const [first, ...others] = received;
    const last = received.filter(({ kind }) => kind === 'depth')[19];
    const size = /"100\.0","([0-9.]+)"/.exec(last.text)?.[1] ?? '';
    const body = JSON.parse(first.text);
    body.lastUpdateId = last.id;
    body.bids[0][1] = size;
    const at = others[74].t + 1;
    const moved = [...others.slice(0, 75), { ...first, t: at, text: JSON.stringify(body) }, ...others.slice(75)];
    const report = await verifyLines(tapeLines(moved));
    expect(report.touch).toEqual({ checked: 21, agreed: 21 });
    expect(report.problems).toEqual([]);
    // a broken message of another stream is named, and costs the book nothing
    const mark =
      '{"stream":"abcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1700000000000,"s":"ABCUSDT","p":"none"}}';
    const between = moved.map((one) => tapeLine(one));
    between.splice(70, 0, tapeLine({ t: moved[69].t + 1, kind: 'touch', text: mark, id: 0 }));
    const named = await verifyLines([...tapeLines([]), ...between]);
    expect([codes(named), named.touch]).toEqual([['NUMBER'], report.touch]);
  });

  test('without a snapshot the book is provisional, its touch audited, its breaks found', async () => {
    const received = market(60).slice(1);
    // a side nobody mentions is unknown: both are told once
    const both = received.map((one, n) =>
      n === 0
        ? {
            ...one,
            text: one.text.replace('"a":[]', '"a":[["100.1","1.000"]]').replace('"b":[', '"b":[["99.9","2.000"],'),
          }
        : one,
    );
    const report = await verifyLines(tapeLines(both));
    expect(report).toMatchObject({ verified: 0, gaps: 0, touch: { checked: 60, agreed: 60 } });
    expect(codes(report)).toEqual(['NO_SNAPSHOT']);
    const broken = await verifyLines(tapeLines(both.filter((_, n) => n !== 90)));
    expect(broken.gaps).toBe(1);
    expect(codes(broken).slice(0, 1)).toEqual(['GAP']);
  });
});

test('trades that did not arrive are counted, and those of them that were read later, each once; the gap stays', async () => {
  const received = market(60).filter(({ kind, id }) => kind !== 'trade' || id < 910 || id > 914);
  const lines = tapeLines(received);
  let at = START + 50_000_000;
  const answer = (ids: number[], status = 200, first = 910, last = 914, stream = 'trade'): string => {
    const fills = { stream, first, last, gap: START };
    const body = ids.map((id) => ({ id, price: '100.0', qty: '0.001', time: 1, isBuyerMaker: true }));
    return entry(at++, { http: { url: 'u', status, sent: START, fills, body } });
  };
  const report = await verifyLines([
    ...lines,
    answer([908, 909, 910, 911]),
    // none of these: an error, a repeat, trades that it was not asked for, another stream's
    answer([912], 500),
    answer([911]),
    answer([912], 200, 913, 914),
    answer([913], 200, 910, 914, 'aggTrade'),
    answer([914, 915]),
  ]);
  expect(report).toMatchObject({ missing: 5, backfilled: 3, gaps: 1 });
  expect(codes(report)).toEqual(['GAP']);
});

test('ids that skip without a loss are counted', async () => {
  const bids = (size: string): Levels => [['100.0', size]];
  const lines = [
    ...opening(),
    whole(0, 10, bids('1'), [['100.5', '2']]),
    ...[11, 14, 15, 17].map((id, n) => update(100 + n, id, bids(`1.${n + 1}`))),
    // a book anew: nothing is skipped before it
    whole(200, 90, bids('3'), [['100.5', '2']]),
    update(201, 99, bids('4')),
  ];
  const [report] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(lines.join(''))]) });
  expect(report).toMatchObject({ src: 'bingx-swap:BTC-USDT', messages: 7, skips: { updates: 3, ids: 2 + 1 + 8 } });
  expect(report.gaps).toBe(0);
});

describe('what is missing', () => {
  test('any lost update is one gap, with its place, and ends the proof there', async () => {
    const received = market(100);
    const depths = received.flatMap(({ kind }, n) => (kind === 'depth' ? [n] : []));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 98 }), async (lost) => {
        const lines = tapeLines(received.filter((_, n) => n !== depths[lost]));
        const report = await verifyLines(lines);
        expect(report.gaps).toBe(1);
        expect(codes(report)).toEqual(['GAP']);
        // two lines stand before what was received; the next update is two lines on, at the place of the third
        expect(report.problems[0]).toMatchObject({ line: 2 + depths[lost] + 3 });
        expect(report.problems[0].message).toMatch(/^depth messages are missing since .*sequence, expected/);
        expect(report.touch.checked).toBe(lost);
        expect(report.touch.agreed).toBe(lost);
      }),
      { numRuns: 10 },
    );
  });

  test('a lost trade is one gap', async () => {
    const received = market(30);
    const lost = received.findIndex(({ kind, id }) => kind === 'trade' && id === 915);
    const report = await verifyLines(tapeLines(received.filter((_, n) => n !== lost)));
    expect(report).toMatchObject({ gaps: 1, touch: { checked: 30, agreed: 30 } });
    expect(report.problems).toMatchObject([{ code: 'GAP', message: '1 trade messages are missing before id 916' }]);
  });

  test('what the recorder says about a break is the same gap; one it alone saw is another', async () => {
    const received = market(30);
    const at = received.findIndex(({ kind, id }) => kind === 'depth' && id === 5030);
    const before = received[at - 3].t;
    const lines = tapeLines(received);
    const gap = { stream: 'depth', from: before, reason: 'sequence', expected: 5027, got: 5030 };
    const marked = lines.toSpliced(2 + at, 1);
    marked.splice(2 + at + 3, 0, entry(received[at + 3].t + 1, { conn: 'rec1.1', gap }));
    expect(await verifyLines(marked)).toMatchObject({ gaps: 1 });
    const silence = entry(received[10].t + 1, {
      gap: { stream: 'bookTicker', from: received[9].t, reason: 'silence' },
    });
    const told = await verifyLines(lines.toSpliced(2 + 11, 0, silence));
    expect(told.gaps).toBe(1);
    expect(told.problems[0].message).toMatch(/^bookTicker messages are missing since .*: silence$/);
  });

  test('a gap entry may say a time of no date, or no time', async () => {
    const received = market(30);
    const lines = tapeLines(received);
    for (const from of [0, -1, 1e17, Number.MAX_SAFE_INTEGER, 1e300]) {
      const gap = entry(received[10].t + 1, { gap: { stream: 'depth', from, reason: 'silence' } });
      const { problems } = await verifyLines(lines.toSpliced(2 + 11, 0, gap));
      expect(problems.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/^depth messages are missing( since [-+0-9T:.]+Z)?: silence$/),
      );
    }
  });

  test('missing trades that the recorder tells of behind the next one are one gap', async () => {
    const received = market(60);
    const trades = received.flatMap(({ kind }, n) => (kind === 'trade' ? [n] : []));
    const lines = tapeLines(received);
    const [before, lost, next] = trades.slice(20);
    const told = { stream: 'trade', from: received[before].t, reason: 'sequence', expected: 1, got: 2 };
    const marked = lines.toSpliced(2 + next + 1, 0, entry(received[next].t + 1, { conn: 'rec1.1', gap: told }));
    expect(await verifyLines(marked.toSpliced(2 + lost, 1))).toMatchObject({ gaps: 1 });
    // and the next loss is another
    expect(await verifyLines(marked.toSpliced(2 + trades[30] + 1, 1).toSpliced(2 + lost, 1))).toMatchObject({
      gaps: 2,
    });
  });

  test('a quote that nobody can read contradicts no book', async () => {
    const received = market(60);
    const lines = tapeLines(received);
    const at = received.findIndex(({ kind }, n) => kind === 'touch' && n > 30);
    const { t, text } = received[at];
    const bin = Buffer.from(`${text}\xff`, 'latin1').toString('base64');
    for (const unreadable of [{ bin }, { text: text.slice(0, 40) }]) {
      const spoilt = await verifyLines(lines.with(2 + at, entry(t, { conn: 'rec1.1', ...unreadable })));
      expect(spoilt.problems).toEqual([]);
      expect(spoilt.touch).toEqual({ checked: 59, agreed: 59 });
    }
    // one that is not there at all does
    expect(codes(await verifyLines(lines.toSpliced(2 + at, 1)))).toEqual(['TOUCH']);
  });

  test('a reconnect is one gap, whether the recorder marked it or not', async () => {
    const received = market(60);
    const [early, late] = [received.slice(0, 91), received.slice(97)];
    const t = late[0].t;
    const t0 = t;
    const snapshot = { ...received[0], t: t - 50, text: received[0].text.replace('5000', String(late[0].id - 3)) };
    const reconnect = [
      entry(t - 100, { conn: 'rec1.1', close: { code: 1006, reason: '' } }),
      entry(t - 90, { conn: 'rec1.2', open: { url: 'u' } }),
    ];
    const gap = entry(t - 80, { conn: 'rec1.2', gap: { stream: '*', from: early.at(-1)?.t, reason: 'disconnect' } });
    const rest = [tapeLine(snapshot), ...late.map((one) => tapeLine(one, 'rec1.2'))];
    // the ack of the new connection comes before the data that ends the gap
    const ack = entry(t - 85, { conn: 'rec1.2', msg: { result: null, id: 1 } });
    const since = `since ${formatTime(early.at(-1)?.t ?? 0)}: disconnect`;
    for (const middle of [reconnect, [...reconnect, gap], [...reconnect, ack], [...reconnect, ack, gap]]) {
      const report = await verifyLines([...tapeLines(early), ...middle, ...rest]);
      expect(report.gaps).toBe(1);
      expect(codes(report)).toEqual(['GAP']);
      expect(report.problems[0].message).toContain(since);
      expect(report.verified).toBeGreaterThan(90);
    }
    // also where no id tells that anything was missed
    const whole = received.slice(91);
    const base = {
      ...received[0],
      t: whole[0].t - 50,
      text: received[0].text.replace('5000', String(whole[0].id - 3)),
    };
    const times = (line: string): string => line.replace(/"t":(\d+)/, (_, t) => `"t":${Number(t) - t0 + whole[0].t}`);
    const after = [...reconnect.map(times), tapeLine(base), ...whole.map((one) => tapeLine(one, 'rec1.2'))];
    expect(await verifyLines([...tapeLines(received.slice(0, 91)), ...after])).toMatchObject({ gaps: 1 });
  });

  test('best quotes that fell silent contradict nothing', async () => {
    const received = market(60);
    const silent = received.filter(({ kind, id }) => kind !== 'touch' || id < 5060 || id > 5090);
    const back = silent.findIndex(({ kind, id }) => kind === 'touch' && id > 5090);
    const from = received.findLast(({ kind, id }) => kind === 'touch' && id < 5060)?.t;
    const gap = entry(silent[back - 1].t + 1, { gap: { stream: 'bookTicker', from, reason: 'silence' } });
    const lines = tapeLines(silent);
    expect(codes(await verifyLines(lines))).toContain('TOUCH');
    const told = await verifyLines(lines.toSpliced(2 + back, 0, gap));
    expect(codes(told)).toEqual(['GAP']);
    expect(told.gaps).toBe(1);
  });

  test('a drop entry is a gap', async () => {
    const lines = tapeLines(market(10));
    lines.splice(12, 0, entry(START + 9001, { drop: { count: 3, reason: 'queue full' } }));
    const report = await verifyLines(lines);
    expect(report.gaps).toBe(1);
    expect(report.problems[0].message).toBe('the recorder dropped 3 entries: queue full');
  });
});

describe('what does not fit together', () => {
  test('a best quote that is not that of the book', async () => {
    const lines = tapeLines(market(50)).map((line) =>
      line.includes('"u":5060,"s"') ? line.replace('"A":"1.000"', '"A":"1.001"') : line,
    );
    const report = await verifyLines(lines);
    expect(report.touch).toEqual({ checked: 50, agreed: 49 });
    expect(codes(report)).toEqual(['TOUCH']);
    expect(report.problems[0].message).toMatch(
      /after update 5060 .* \/ 1 at 100\.1, the venue's .* \/ 1\.001 at 100\.1/,
    );
  });

  test('a checkpoint that is not the book of the messages', async () => {
    const received = market(20);
    const bids = Array.from({ length: 10 }, (_, n) => [(100 - n * 0.1).toFixed(1), n === 0 ? '1.003' : String(1 + n)]);
    const asks = Array.from({ length: 10 }, (_, n) => [(100.1 + n * 0.1).toFixed(1), String(1 + n)]);
    const at = received.findIndex(({ kind, id }) => kind === 'depth' && id === 5012);
    const book = (top: string): string =>
      entry(received[at].t + 1, {
        book: {
          state: 'valid',
          coverage: { low: '99.1', high: '101' },
          streams: { depth: { snapshotId: 5000, last: 5012, joined: true } },
          bids: [['100', top], ...bids.slice(1)],
          asks,
        },
      });
    const [sequence, coverage] = [
      book('1.003').replace('5012', '5009'),
      book('1.003').replace('"low":"99.1"', '"low":"99"'),
    ];
    for (const [line, message] of [
      [sequence, /its sequence state is .*5009.*, rebuilt .*5012/],
      [coverage, /its coverage low is 99, rebuilt 99\.1/],
    ] as const) {
      const { problems } = await verifyLines(tapeLines(received).toSpliced(2 + at + 1, 0, line));
      expect(problems).toMatchObject([{ code: 'CHECKPOINT', message: expect.stringMatching(message) }]);
    }
    const withBook = (top: string): string[] => tapeLines(received).toSpliced(2 + at + 1, 0, book(top));
    expect(await verifyLines(withBook('1.0030'))).toMatchObject({
      checkpoints: { checked: 1, agreed: 1 },
      problems: [],
    });
    const wrong = await verifyLines(withBook('1.004'));
    expect(wrong.checkpoints).toEqual({ checked: 1, agreed: 0 });
    expect(wrong.problems[0]).toMatchObject({ code: 'CHECKPOINT', line: 2 + at + 2 });
    expect(wrong.problems[0].message).toMatch(/level 1 of its 10 bids is 1\.004 at 100, rebuilt 1\.003 at 100 of 10/);
  });

  test('times that do not increase, lines that are no entries, values that are not what they should be', async () => {
    const lines = tapeLines(market(10));
    const book = { state: 'valid', coverage: { low: null, high: null }, streams: {}, bids: [null], asks: [[1, 2]] };
    const levels = entry(START + 3002, { book });
    lines.splice(
      6,
      0,
      '{"a":1}\n',
      'rubbish\n',
      entry(START + 3001, { gap: 5 }),
      levels,
      entry(START + 1, { clock: { wall: 0, loop: 0, exchange: null } }),
    );
    const report = await verifyLines(lines);
    expect(report.problems.map(({ code, line }) => [code, line])).toEqual([
      ['E_LINE', 7],
      ['E_LINE', 8],
      ['E_LINE', 9],
      ['E_LINE', 10],
      ['ORDER', 11],
    ]);
    expect(report.touch).toEqual({ checked: 10, agreed: 10 });
  });

  test('a version nobody knows, an unknown venue, entries without header', async () => {
    const lines = tapeLines(market(5));
    const versions = await verifyLines([lines[0].replace('"version":1', '"version":9'), ...lines.slice(1)]);
    expect(codes(versions)).toContain('E_VERSION');
    expect(
      codes(await verifyLines([lines[0].replace('"venue":"binance-usdm"', '"venue":"x"'), ...lines.slice(1)])),
    ).toEqual(['E_VENUE']);
    expect(codes(await verifyLines(lines.slice(1)))).toContain('E_HEADER');
  });

  test('an end entry with another count, and an index that points elsewhere', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.ndjson.zst');
    await writeSegment(path, tapeLines(market(50)));
    const real = openSegment(path).index();
    for (const [change, message] of [
      [{ entries: real.entries + 1 }, `its end says ${real.entries + 1} entries, the segment has ${real.entries}`],
      [{ sha256: 'x' }, /the checksum in its end/],
      [{ frames: real.frames.map((frame, n) => (n === 2 ? { ...frame, t: 1 } : frame)) }, /its index says t 1/],
      [{ frames: real.frames.slice(1) }, /its index has/],
    ] as const) {
      const segment = openSegment(path);
      const check = createSegmentCheck({ ...segment, index: () => ({ ...real, ...change }) });
      for (const item of segmentItems(segment)) if (!('damage' in item)) check.take(item);
      expect(check.finish().map((fault) => fault.message)).toContainEqual(expect.stringMatching(message));
    }
  });
});

test('a seek table that puts frames elsewhere', async () => {
  const path = join(temporaryFolder(), 'a.ndjson.zst');
  await writeSegment(path, tapeLines(market(50)));
  const bytes = readFileSync(path);
  const size = seekTableBytes(bytes.subarray(-9));
  const table = decodeSeekTable(bytes.subarray(-size)) ?? [];
  const swapped = [table[0], table[2], table[1], ...table.slice(3)];
  writeFileSync(path, Buffer.concat([bytes.subarray(0, -size), encodeSeekTable(swapped)]));
  const { problems, messages } = await verify(path);
  expect(messages).toBe(150);
  expect(problems.map(({ code, frame }) => [code, frame])).toEqual([
    ['SEAL', 1],
    ['SEAL', 2],
  ]);
});

describe('damage', () => {
  const textOf = (path: string): Buffer =>
    Buffer.concat(
      [...segmentItems(openSegment(path))].flatMap((item) =>
        'damage' in item ? [] : [Buffer.from(item.bytes.subarray(item.from, item.to))],
      ),
    );

  test('a flipped bit anywhere is found, and the frames around it are used', async () => {
    const folder = temporaryFolder();
    const whole = join(folder, 'whole.ndjson.zst');
    await writeSegment(whole, tapeLines(market(100)));
    const bytes = readFileSync(whole);
    const { frames } = openSegment(whole).index();
    const { messages } = await verify(whole);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: frames[1].offset, max: (frames.at(-1)?.offset ?? 0) - 1 }),
        fc.nat(7),
        async (at, bit) => {
          const path = join(folder, 'flipped.ndjson.zst');
          const flipped = Buffer.from(bytes);
          flipped[at] ^= 1 << bit;
          writeFileSync(path, flipped);
          const report = await verify(path);
          // some bits of a Huffman table say nothing: where the text is the same to the byte, nothing was damaged
          if (report.problems.length === 0) {
            expect(textOf(path)).toEqual(textOf(whole));
            return;
          }
          const hit = frames.findLastIndex(({ offset }) => offset <= at);
          // without the bit that says so, a frame has no checksum: its four bytes stand before the next one, which is no frame then
          const hadChecksum = at !== frames[hit].offset + 4 || bit !== 2;
          const frame = hadChecksum ? hit : hit + 1;
          expect(report.problems[0]).toMatchObject({ code: 'E_FRAME_CORRUPT', file: path, frame });
          // a text with holes cannot have its checksum: the damage says it all
          expect(codes(report)).not.toContain('SEAL');
          expect(report.gaps).toBe(1);
          expect(report.messages).toBeGreaterThanOrEqual(messages - 2 * 50);
          if (hadChecksum) expect(report.messages).toBeLessThan(messages);
        },
      ),
      // the one example known to be harmless, and others
      { numRuns: 25, examples: [[frames[4].offset + 18, 2]] },
    );
  });

  test('a cut file says so and is used up to the cut', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.ndjson.zst');
    await writeSegment(path, tapeLines(market(100)));
    const { frames } = openSegment(path).index();
    writeFileSync(path, readFileSync(path).subarray(0, frames[3].offset + 40));
    const report = await verify(path);
    expect(codes(report)).toContain('E_TRUNCATED');
    expect(codes(report)).toContain('NOT_SEALED');
    expect(report.messages).toBeGreaterThan(90);
  });

  test('a segment that was not sealed is read with its tail', async () => {
    const path = join(temporaryFolder(), 'a.ndjson.zst');
    const lines = tapeLines(market(100));
    await writeSegment(path, lines, 50, false);
    expect(tailsOf(path)).toHaveLength(1);
    const report = await verify(path);
    expect(report).toMatchObject({ messages: 300, gaps: 0, touch: { checked: 100, agreed: 100 } });
    expect(report.problems).toMatchObject([{ code: 'NOT_SEALED', file: path }]);
  });

  test('a segment without its seek table has lost no entry', async () => {
    const path = join(temporaryFolder(), 'a.ndjson.zst');
    await writeSegment(path, tapeLines(market(100)));
    writeFileSync(path, readFileSync(path).subarray(0, -60));
    const report = await verify(path);
    expect(report.messages).toBe(300);
    expect(codes(report)).toContain('SEAL');
  });

  test('what is missing or no tape at all is an error', async () => {
    const folder = temporaryFolder();
    await expect(verify(join(folder, 'no'))).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    writeFileSync(join(folder, 'a'), 'hello');
    await expect(verify(join(folder, 'a'))).rejects.toMatchObject({ code: 'E_NOT_A_TAPE' });
  });
});

describe('several segments', () => {
  /** Two segments of one recorder; the second begins with a checkpoint as the first leaves it. */
  async function twoSegments(cut: number): Promise<string[]> {
    const folder = temporaryFolder();
    const received = market(60);
    const lines = tapeLines(received);
    const paths = [join(folder, 'a.ndjson.zst'), join(folder, 'b.ndjson.zst')];
    await writeSegment(paths[0], lines.slice(0, 2 + cut));
    const t = received[cut].t - 10;
    const id = received.slice(0, cut).findLast(({ kind }) => kind === 'depth')?.id ?? 0;
    const size = /"100\.0","([0-9.]+)"/.exec(
      received.slice(0, cut).findLast(({ kind }) => kind === 'depth')?.text ?? '',
    )?.[1];
    const rest = (from: number, step: number): string[][] =>
      Array.from({ length: 9 }, (_, n) => [(from + n * step).toFixed(1), String(2 + n)]);
    const book = {
      state: 'valid',
      coverage: { low: '99.1', high: '101' },
      streams: { depth: { snapshotId: 5000, last: id, joined: true } },
      bids: [['100', size], ...rest(99.9, -0.1)],
      asks: [['100.1', '1'], ...rest(100.2, 0.1)],
    };
    const opening = [entryLine({ ...header('rec1', t), t }), entry(t + 1, { book })];
    await writeSegment(paths[1], [...opening, ...received.slice(cut).map((one) => tapeLine(one))]);
    return paths;
  }

  test('are one recording', async () => {
    const report = await verify(...(await twoSegments(91)));
    expect(report).toMatchObject({ messages: 180, gaps: 0, touch: { checked: 60, agreed: 60 }, problems: [] });
    expect(report.checkpoints).toEqual({ checked: 1, agreed: 1 });
  });

  test('the second alone goes on from its checkpoint', async () => {
    const [, second] = await twoSegments(91);
    const report = await verify(second);
    expect(report).toMatchObject({ messages: 90, gaps: 0, touch: { checked: 30, agreed: 30 }, problems: [] });
  });

  test('lines lost between them are one gap', async () => {
    const folder = temporaryFolder();
    const [first, second] = await twoSegments(91);
    const shorter = join(folder, 'a.ndjson.zst');
    await writeSegment(shorter, tapeLines(market(60)).slice(0, 80));
    expect(first).not.toBe(shorter);
    const report = await verify(shorter, second);
    expect(report.gaps).toBe(1);
    expect(report.problems).toMatchObject([{ code: 'GAP', file: second }]);
    expect(report.problems[0].message).toMatch(/messages before this segment are missing/);
  });

  test('two recorders of one src are judged each on its own', async () => {
    const folder = temporaryFolder();
    const received = market(30);
    const paths = ['rec1', 'rec2'].map((name) => join(folder, `${name}.ndjson.zst`));
    for (const [n, path] of paths.entries()) {
      const lines = tapeLines(received).map((line) => line.replaceAll('rec1', `rec${n + 1}`));
      await writeSegment(path, lines);
    }
    const report = await verify(...paths);
    expect(report).toMatchObject({ messages: 180, gaps: 0, touch: { checked: 60, agreed: 60 }, problems: [] });
  });
});
