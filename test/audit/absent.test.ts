/** A recorder that was killed while no connection was open could not say what it missed: whoever reads its tape sees it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { mergeTapes } from '../../src/audit/merge.js';
import { type SourceReport, verifyTapes } from '../../src/audit/verify.js';
import type { Entry, Micros } from '../../src/model/entry.js';
import { formatTime } from '../../src/model/time.js';
import { entryLine } from '../../src/tape/line.js';
import { header, market, SRC, START, tapeLine, temporaryFolder, writeSegment } from './market-lines.js';

const SECOND = 1_000_000;
const RECEIVED = market(100);

const clock = (t: Micros): Entry => ({ t, src: SRC, clock: { wall: 0, loop: 0, exchange: null } });
const open = (t: Micros, conn: string): Entry => ({ t, src: SRC, conn, open: { url: 'u' } });
const gap = (t: Micros, from: Micros, reason: 'restart' | 'disconnect'): Entry => ({
  ...{ t, src: SRC },
  gap: { stream: '*', from, reason },
});

/** What stands of a recorder that was killed a second after its start, before anything came. */
const absent = (name: string, t: Micros): string[] =>
  [header(name, t), clock(t + 10), clock(t + SECOND)].map(entryLine);

/** A recorder that heard all of the market from message `first` on, and was told to end. */
const present = (name: string, first = 0, end = RECEIVED.length): string[] => {
  const [{ t }] = RECEIVED.slice(first);
  const conn = `${name}.1`;
  return [
    ...[header(name, t - 9), open(t - 8, conn)].map(entryLine),
    ...RECEIVED.slice(first, end).map((one) => tapeLine(one, conn)),
  ];
};

/** Writes tapes, each run a segment. */
async function tapeOf(...runs: string[][]): Promise<string> {
  const folder = join(temporaryFolder(), 'tape');
  mkdirSync(folder);
  for (const [n, lines] of runs.entries()) await writeSegment(join(folder, `${n}.ndjson.zst`), lines, 50);
  return folder;
}

async function verify(path: string): Promise<SourceReport> {
  const [report] = await verifyTapes({ paths: [path], stdin: Readable.from([]) });
  return report;
}

describe('verify', () => {
  test('a recording in which no connection was opened is missing as a whole', async () => {
    const tape = await tapeOf(absent('rec1', START));
    expect(await verify(tape)).toMatchObject({
      ...{ messages: 0, gaps: 1, clean: 0, unverifiable: 0 },
      problems: [
        {
          code: 'GAP',
          message: `nothing ever came, and no connection was opened, since ${formatTime(START)}`,
          ...{ file: join(tape, '0.ndjson.zst'), line: 3 },
        },
      ],
    });
  });

  test('so it is where another run follows, whose gap begins at the last line', async () => {
    const [{ t }] = RECEIVED.slice(30);
    const first = absent('rec1', t - 10 * SECOND);
    const [head, ...rest] = present('rec2', 30);
    const { gaps, clean, problems } = await verify(
      await tapeOf(first, [head, entryLine(gap(t - 8, t - 9 * SECOND, 'restart')), ...rest.slice(1)]),
    );
    expect(problems.map(({ code }) => code).filter((code) => code !== 'NO_SNAPSHOT')).toEqual(['GAP', 'GAP']);
    expect([gaps, clean < 100]).toEqual([2, true]);
  });

  test('one that says so itself is told once, and one that heard something is not suspected', async () => {
    const told = [...absent('rec1', START), entryLine(gap(START + SECOND + 1, START, 'disconnect'))];
    expect(await verify(await tapeOf(told))).toMatchObject({ gaps: 1, clean: 0 });
    const asked = [...absent('rec1', START).slice(0, 2), entryLine(open(START + 20, 'rec1.1'))];
    expect(await verify(await tapeOf(asked))).toMatchObject({ gaps: 0, clean: 100 });
  });

  test.each([
    ['lost', 'gone', 1],
    ['ended by the recorder, which the peer did not answer', 'stop', 0],
  ])('a connection that was %s, and nothing behind it', async (_, reason, gaps) => {
    const lines = present('rec1');
    const t = RECEIVED[RECEIVED.length - 1].t;
    const close: Entry = { t: t + 10, src: SRC, conn: 'rec1.1', close: { code: 1006, reason } };
    const report = await verify(await tapeOf([...lines, entryLine(close), entryLine(clock(t + SECOND))]));
    expect(report).toMatchObject({ gaps, problems: Array(gaps).fill({ code: 'GAP' }) });
    // the market lasts 0.3 s, and a second more was recorded
    expect(report.clean).toBeCloseTo(gaps === 0 ? 100 : 23, -1);
  });
});

describe('merge', () => {
  /** The base hears all but one second in the middle, in which the other one runs. */
  const outage = (): string[] => {
    const at = RECEIVED[150].t;
    const lines = present('aaaa').filter((line) => !line.includes(`"t":${at},`));
    const index = lines.findIndex((line) => line.includes(`"t":${RECEIVED[151].t},`));
    lines.splice(index, 0, entryLine(gap(RECEIVED[151].t - 10, RECEIVED[149].t, 'disconnect')));
    return lines;
  };
  const merged = async (...tapes: string[]) => {
    const out = join(temporaryFolder(), 'c');
    const { reports } = await mergeTapes({ tapes, out, tool: 'test', level: 1 });
    return { gaps: reports[0].gaps, verified: await verify(out) };
  };

  test('a gap is not filled by a recorder that had no connection', async () => {
    const base = await tapeOf(outage());
    const { gaps, verified } = await merged(base, await tapeOf(absent('bbbb', START - 10)));
    expect([gaps, verified.gaps]).toEqual([{ filled: 0, left: 1 }, 1]);
  });

  test('nor by one that had lost it', async () => {
    const lost: Entry = { t: RECEIVED[60].t + 10, src: SRC, conn: 'bbbb.1', close: { code: 1006, reason: 'gone' } };
    const other = [...present('bbbb', 0, 61), entryLine(lost), entryLine(clock(START + 10 * SECOND))];
    expect(await merged(await tapeOf(outage()), await tapeOf(other))).toMatchObject({ gaps: { filled: 0, left: 1 } });
  });

  test.each([
    ['missing where nobody else was there', [], { filled: 0, left: 1 }],
    ['filled where another one was', [clock(START - 3 * SECOND)], { filled: 1, left: 0 }],
  ])('a run of the base that had none is %s', async (_, earlier, gaps) => {
    const base = await tapeOf(absent('aaa0', START - 2 * SECOND), present('aaaa'));
    const others = present('bbbb', 0, 90).slice(1);
    const first = earlier[0]?.t ?? START - 8;
    const other = [header('bbbb', first - 2), open(first - 1, 'bbbb.1'), ...earlier].map(entryLine);
    const made = await merged(base, await tapeOf([...other, ...others.slice(1)]));
    expect(made).toMatchObject({ gaps, verified: { gaps: gaps.left } });
  });
});
