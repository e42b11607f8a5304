/** Verify's shares of tapes of several recorders: what is proven and what is not make up what is clean, whatever is missing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { Entry } from '../../src/model/entry.js';
import { entryLine } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { header, market, type Received, SRC, START, tapeLine, temporaryFolder, writeSegment } from './market-lines.js';

const entry = (t: number, rest: Record<string, unknown>): string => entryLine({ t, src: SRC, ...rest } as Entry);

/** Of 999 ms, a message each; later than START by `shift`. */
const second = (shift = 0): Received[] => market(333).map((one) => ({ ...one, t: one.t + shift }));

/** The lines of one recorder, which began two microseconds before its first message; after another one, with the gap that says so. */
function linesOf(received: readonly Received[], recorder: string, after: number | null = null): string[] {
  const { t } = received[0];
  const gap = { stream: '*', from: after, reason: 'restart' };
  const restart = after === null ? [] : [entry(t - 1, { gap })];
  return [entryLine(header(recorder, t - 2)), ...restart, ...received.map((one) => tapeLine(one, `${recorder}.1`))];
}

async function verify(...paths: string[]): Promise<SourceReport> {
  const [report] = await verifyTapes({ paths, stdin: Readable.from([]) });
  return report;
}

async function verifyLines(lines: readonly string[]): Promise<SourceReport> {
  const [report] = await verifyTapes({ paths: ['-'], stdin: Readable.from([Buffer.from(lines.join(''))]) });
  return report;
}

const hundredths = (share: number): number => Math.round(share * 100);

/** What the manual says of shares, of a report whose recorders all brought every stream. */
function expectSound(report: SourceReport): void {
  const { verified, unverifiable, clean, streams } = report;
  for (const one of [{ verified: verified ?? 0, unverifiable, clean }, ...streams]) {
    expect(hundredths(one.verified) + hundredths(one.unverifiable)).toBe(hundredths(one.clean));
    expect(Math.min(one.verified, one.unverifiable)).toBeGreaterThanOrEqual(0);
    expect(one.clean).toBeLessThanOrEqual(100);
  }
  expect(clean).toBeLessThanOrEqual(Math.min(...streams.map((one) => one.clean)));
}

/** Of each of two recorders all but the first microsecond of the later one is clean: 100 says that nothing is missing. */
const RESTARTED = {
  ...{ gaps: 1, clean: 99.99, verified: 99.89, unverifiable: 0.1 },
  streams: [
    { stream: 'bookTicker', messages: 666, gaps: 1, verified: 0, unverifiable: 99.99, clean: 99.99 },
    { stream: 'depth', messages: 666, gaps: 1, verified: 99.89, unverifiable: 0.1, clean: 99.99 },
    { stream: 'trade', messages: 666, gaps: 1, verified: 99.69, unverifiable: 0.3, clean: 99.99 },
  ],
};

describe('time in which no recorder ran', () => {
  test.each([9_000_000, 900_000_000])('is no recorded time, and one gap of every stream (%i µs)', async (shift) => {
    const early = second();
    const report = await verifyLines([
      ...linesOf(early, 'rec1'),
      ...linesOf(second(shift), 'rec2', early.at(-1)?.t ?? 0),
    ]);
    expect(report).toMatchObject(RESTARTED);
    expectSound(report);
  });

  test('is none after a killed recorder either, whose tape has no end', async () => {
    const folder = temporaryFolder();
    const paths = [join(folder, 'a.ndjson.zst'), join(folder, 'b.ndjson.zst')];
    const early = second();
    await writeSegment(paths[0], linesOf(early, 'rec1'), 50, false);
    await writeSegment(paths[1], linesOf(second(9_000_000), 'rec2', early.at(-1)?.t));
    const report = await verify(...paths);
    expect(report).toMatchObject(RESTARTED);
    expect(report.problems.map(({ code }) => code)).toEqual(['NOT_SEALED', 'GAP']);
    expectSound(report);
  });

  test('is none behind damage at the end of a tape, though that is a gap of every stream', async () => {
    const folder = temporaryFolder();
    const paths = [join(folder, 'a.ndjson.zst'), join(folder, 'b.ndjson.zst')];
    await writeSegment(paths[0], linesOf(second(), 'rec1'), 100);
    const bytes = readFileSync(paths[0]);
    // all from the middle of the seventh frame on, behind the header's and five of messages
    writeFileSync(paths[0], bytes.subarray(0, openSegment(paths[0]).index().frames[6].offset + 50));
    await writeSegment(paths[1], linesOf(second(9_000_000), 'rec2'));
    const report = await verify(...paths);
    expect(report.problems.map(({ code }) => code)).toEqual(['E_TRUNCATED', 'NOT_SEALED']);
    expect(report).toMatchObject({ gaps: 1, clean: 100 });
    for (const { gaps, clean } of report.streams) expect([gaps, clean]).toEqual([1, 100]);
    expectSound(report);
  });
});

test('what is missing before any message of a stream came is missing of that stream too', async () => {
  const received = second(100_000);
  const [before, ...lines] = linesOf(received, 'rec1');
  // what the tape holds from its beginning to 50 ms before the first message is not known
  const gap = { stream: '*', from: START, reason: 'damage' };
  const report = await verifyLines([
    entryLine(header('rec1', START)),
    entry(START + 50_000, { gap }),
    ...lines.filter((line) => line !== before),
  ]);
  // of 1099 ms
  for (const { gaps, clean } of report.streams) expect([gaps, clean]).toEqual([1, 95.45]);
  expect(report).toMatchObject({ gaps: 1, clean: 95.45 });
  expectSound(report);
});

test('trades that are proven count, whatever is missing before the first and behind the last of them', async () => {
  // 399 ms of messages, then nothing until the recorder ends 600 ms later
  const lines = linesOf(market(133), 'rec1');
  const last = START + 399_000;
  const end = START + 999_000;
  const gap = { stream: '*', from: last, reason: 'disconnect' };
  const lost = { stream: 'trade', from: START - 1, reason: 'silence' };
  const report = await verifyLines([
    ...lines.slice(0, 2),
    ...[entry(START + 1, { gap: lost }), ...lines.slice(2), entry(end, { gap })],
  ]);
  // from the first trade, 3 ms after the snapshot, to the last: 396 ms of 999
  expect(report.streams.at(-1)).toMatchObject({ stream: 'trade', gaps: 2, verified: 39.63, clean: 39.93 });
  expectSound(report);
});

test('shares add up for whatever is missing of several recordings', async () => {
  const loss = fc.record({
    at: fc.integer({ min: 10, max: 110 }),
    count: fc.integer({ min: 0, max: 9 }),
    told: fc.constantFrom('nothing', 'gap', 'early', 'drop', 'close'),
    stream: fc.constantFrom('*', 'depth', 'trade', 'bookTicker'),
  });
  const recording = fc.record({
    awayMicros: fc.integer({ min: 1_000, max: 500_000 }),
    restarts: fc.boolean(),
    cut: fc.boolean(),
    losses: fc.array(loss, { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(recording, { minLength: 1, maxLength: 4 }), async (recordings) => {
      const folder = temporaryFolder();
      const paths: string[] = [];
      let from = START;
      let after: number | null = null;
      for (const [n, { awayMicros, restarts, cut, losses }] of recordings.entries()) {
        const received = market(40).map((one) => ({ ...one, t: one.t - START + from }));
        const lines = linesOf(received, `rec${n}`, restarts ? after : null);
        const before = lines.length - received.length;
        // from behind, so that places stay
        for (const { at, count, told, stream } of losses.toSorted((a, b) => b.at - a.at)) {
          const t = received[at].t + 1;
          const conn = `rec${n}.1`;
          const said = {
            nothing: [],
            gap: [entry(t, { gap: { stream, from: received[at - 1].t, reason: 'silence' } })],
            early: [entry(t, { gap: { stream, from: from - 300_000, reason: 'disconnect' } })],
            drop: [entry(t, { drop: { count, reason: 'x' } })],
            close: [entry(t, { conn, close: { code: 1006, reason: '' } }), entry(t + 1, { conn, open: { url: 'u' } })],
          }[told];
          lines.splice(before + at, count, ...said);
        }
        after = received.at(-1)?.t ?? 0;
        from = after + awayMicros;
        const path = join(folder, `${n}.ndjson.zst`);
        await writeSegment(path, lines, 20);
        if (cut) writeFileSync(path, readFileSync(path).subarray(0, openSegment(path).index().frames[5].offset + 20));
        paths.push(path);
      }
      expectSound(await verify(...paths));
    }),
    { numRuns: 30 },
  );
});
