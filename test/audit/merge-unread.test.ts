/** Files of a tape of which nothing can be read: merge names them, as other commands do, and makes what the others allow. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyTapes } from '../../src/audit/verify.js';
import merge from '../../src/commands/merge.js';
import type { Entry } from '../../src/model/entry.js';
import { entryLine } from '../../src/tape/line.js';
import { openSegment } from '../../src/tape/reader.js';
import { type Result, run } from '../commands/run.js';
import { header, market, SRC, tapeLine, temporaryFolder, writeSegment } from './market-lines.js';

/** Two minutes: three messages in each 1.2 s. */
const RECEIVED = market(100, 400_000);
const HALF = 150;
/** of messages: begins, ends */
type Part = [from: number, to: number];

let out: string;

beforeEach(() => {
  out = join(temporaryFolder(), 'c');
});

/** What a recorder writes of parts of the market, a segment each. */
function segmentsOf(recorder: string, parts: readonly Part[]): string[][] {
  const conn = `${recorder}.1`;
  return parts.map(([from, to], n) => {
    const { t } = RECEIVED[from];
    const open: Entry = { t: t - 1, src: SRC, conn, open: { url: 'u' } };
    const lines = RECEIVED.slice(from, to).map((one) => tapeLine(one, conn));
    return [entryLine(header(recorder, t - 2)), ...(n === 0 ? [entryLine(open)] : []), ...lines];
  });
}

async function tapeOf(recorder: string, ...parts: Part[]): Promise<string> {
  const folder = join(temporaryFolder(), recorder);
  mkdirSync(folder);
  for (const [n, lines] of segmentsOf(recorder, parts).entries())
    await writeSegment(join(folder, `${n}.ndjson.zst`), lines);
  return folder;
}

const merged = (...tape: string[]): Promise<Result> => run(merge, { tape, out, format: 'json' });

async function verified() {
  const [report] = await verifyTapes({ paths: [out], stdin: Readable.from([]) });
  return report;
}

/** A segment whose first frame is damaged, the header, before those of its folder; what follows it has no scale. */
async function headless(folder: string): Promise<string> {
  const path = join(folder, 'x.ndjson.zst');
  const { t } = RECEIVED[0];
  const open: Entry = { t: t - 15, src: SRC, conn: 'aaaa.1', open: { url: 'u' } };
  await writeSegment(path, [header('aaaa', t - 20), open].map(entryLine), 2);
  const bytes = readFileSync(path);
  bytes[openSegment(path).index().frames[0].offset + 30] ^= 1;
  writeFileSync(path, bytes);
  return path;
}

/** Leads nowhere. */
function gone(folder: string): string {
  const path = join(folder, 'x.ndjson.zst');
  symlinkSync(join(folder, 'not-there'), path);
  return path;
}

/** Holds nothing. */
function empty(folder: string): string {
  const path = join(folder, 'x.ndjson.zst');
  writeFileSync(path, '');
  return path;
}

describe('in a folder with others', () => {
  test.each([
    ['that leads nowhere', gone, 'E_NOT_FOUND'],
    ['that is empty', empty, 'E_TRUNCATED'],
    ['whose header is damaged', headless, 'E_FRAME_CORRUPT'],
  ])('one %s is told, and all else is merged', async (_, make, code) => {
    const [a, b] = [await tapeOf('aaaa', [0, 200]), await tapeOf('bbbb', [100, RECEIVED.length])];
    const path = await make(a);
    const { status, stdout, stderr } = await merged(a, b);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${code}: .*file ${path}`));
    expect(stderr.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({ src: SRC });
    expect((await verified()).messages).toBe(RECEIVED.length - 1);
  });

  test('what stood in it is no time in which its recorder was there', async () => {
    const gap: Entry = {
      ...{ t: RECEIVED[HALF].t - 9, src: SRC },
      gap: { stream: '*', from: RECEIVED[HALF - 1].t, reason: 'disconnect' },
    };
    const [lines] = segmentsOf('aaaa', [[0, RECEIVED.length]]);
    lines.splice(
      lines.findIndex((line) => line.includes(`"t":${RECEIVED[HALF].t},`)),
      0,
      entryLine(gap),
    );
    const a = temporaryFolder();
    await writeSegment(join(a, '0.ndjson.zst'), lines);
    const b = await tapeOf('bbbb', [0, 100], [200, RECEIVED.length]);
    empty(b);
    expect(JSON.parse((await merged(a, b)).stdout).gaps).toEqual({ filled: 0, left: 1 });
  });

  test('what stood in one of the base is missing where no other was there, and only there', async () => {
    const a = await tapeOf('aaaa', [0, 120], [121, 122], [180, RECEIVED.length]);
    empty(a);
    const b = await tapeOf('bbbb', [0, 60]);
    expect(JSON.parse((await merged(a, b)).stdout).gaps).toEqual({ filled: 0, left: 1 });
    const { problems } = await verified();
    expect(problems[0]).toMatchObject({ code: 'GAP', message: expect.stringMatching(/all streams .*: damage/) });
  });
});

test('a tape of nothing else leaves no market in common, and its file is named', async () => {
  const a = await tapeOf('aaaa', [0, 60]);
  const b = temporaryFolder();
  const path = empty(b);
  await expect(merged(a, b)).rejects.toMatchObject({
    code: 'E_USAGE',
    message: expect.stringMatching(new RegExp(`no market in common .*; E_TRUNCATED: .*${path}`)),
  });
});
