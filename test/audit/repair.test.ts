/** Repair: what a killed recorder left is completed, all that stood stays, and what cannot be completed is told. */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repairTapes } from '../../src/audit/repair.js';
import repair from '../../src/commands/repair.js';
import verify from '../../src/commands/verify.js';
import { tailPath } from '../../src/tape/names.js';
import { openSegment } from '../../src/tape/reader.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import { run } from '../commands/run.js';
import { opening, SRC, T0 } from '../tape/tapes.js';
import { market, tapeLines, temporaryFolder, writeSegment } from './market-lines.js';

/** A segment as a killed recorder leaves it: whole frames, and a tail whose last line is torn by `torn` bytes. */
async function killed(path = join(temporaryFolder(), 'a.ndjson.zst'), torn = 7): Promise<string> {
  await writeSegment(path, tapeLines(market(100)), 50, false);
  const [tail] = fs.readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.tail-`));
  fs.appendFileSync(join(dirname(path), tail), '{"t":1700000009000000'.slice(0, torn));
  return path;
}

const bytesBelow = (folder: string): Record<string, string> =>
  Object.fromEntries(fs.readdirSync(folder).map((name) => [name, fs.readFileSync(join(folder, name), 'hex')]));

describe('repair', () => {
  test('completes a torn segment, keeps what stood, and finds nothing to do the second time', async () => {
    const path = await killed();
    const stood = fs.readFileSync(path);
    expect((await run(verify, { tape: [path] })).stdout).toContain('NOT_SEALED');
    const { status, stdout, stderr } = await run(repair, { tape: [dirname(path)] });
    expect([status, stderr]).toEqual([0, '1 segment repaired, 0 left as found, 0 needed nothing\n']);
    expect(stdout).toBe(
      `${path}: sealed, its last entry at 2023-11-14T22:13:20.300002Z, 2 lines taken from its tail, 1 tail removed, 7 bytes of a line that was cut off given up\n`,
    );
    expect(fs.readFileSync(path).subarray(0, stood.length)).toEqual(stood);
    expect(fs.readdirSync(dirname(path))).toEqual([basename(path)]);
    expect(openSegment(path)).toMatchObject({ sealed: true });
    expect((await run(verify, { tape: [path] })).status).toBe(0);
    const whole = fs.readFileSync(path);
    const again = await run(repair, { tape: [path], format: 'json' });
    expect(again).toEqual({
      status: 0,
      stdout: '',
      stderr: '0 segments repaired, 0 left as found, 1 needed nothing\n',
    });
    expect(fs.readFileSync(path)).toEqual(whole);
  });

  test('a corrupt frame is told with its place, and not a byte changes', async () => {
    const path = await killed();
    const bytes = fs.readFileSync(path);
    bytes[bytes.length - 200] ^= 4;
    fs.writeFileSync(path, bytes);
    const before = bytesBelow(dirname(path));
    const { status, stdout } = await run(repair, { tape: [path], format: 'json' });
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      file: path,
      sealed: false,
      lines: 0,
      tails: 0,
      problems: [{ code: 'E_FRAME_CORRUPT', frame: 6 }],
    });
    expect(bytesBelow(dirname(path))).toEqual(before);
    expect((await run(repair, { tape: [path] })).stdout).toMatch(
      /: left as it is: E_FRAME_CORRUPT: .*\(frame 6, line 252\)\n$/,
    );
  });

  test('files that hold nothing are told, and do not keep others from being sealed', async () => {
    const folder = temporaryFolder();
    await killed(join(folder, 'b.ndjson.zst'), 0);
    fs.writeFileSync(join(folder, 'a.ndjson.zst'), '');
    fs.writeFileSync(join(folder, 'c.ndjson.zst'), 'no tape');
    fs.writeFileSync(join(folder, 'd.ndjson'), tapeLines(market(3)).join(''));
    const { reports, whole } = await repairTapes([folder]);
    expect(
      reports.map(({ file, sealed, problems }) => [basename(file), sealed, problems.map(({ code }) => code)]),
    ).toEqual([
      ['a.ndjson.zst', false, ['SEAL']],
      ['b.ndjson.zst', true, []],
      ['c.ndjson.zst', false, ['E_FRAME_CORRUPT']],
    ]);
    expect(whole).toBe(1);
    expect(fs.readdirSync(folder)).toHaveLength(4);
  });

  test('a seek table that does not fit is made anew; the bytes of a tape sealed as ever come out', async () => {
    const path = join(temporaryFolder(), 'a.ndjson.zst');
    await writeSegment(path, tapeLines(market(20)));
    const sound = fs.readFileSync(path);
    const bytes = Buffer.from(sound);
    bytes[bytes.length - 20] ^= 1; // the text size of its last frame
    fs.writeFileSync(path, bytes);
    expect(openSegment(path).sealed).toBe(false);
    expect((await repairTapes([path])).reports).toMatchObject([{ sealed: true, lines: 0, problems: [] }]);
    expect(fs.readFileSync(path)).toEqual(sound);
  });

  test('leftover tails of a sealed segment go', async () => {
    const path = join(temporaryFolder(), 'a.ndjson.zst');
    await writeSegment(path, tapeLines(market(5)));
    fs.writeFileSync(tailPath(path, 10), 'x');
    const { stdout } = await run(repair, { tape: [path] });
    expect(stdout).toBe(`${path}: 1 tail removed\n`);
  });

  test('a folder somebody records to is refused before anything is touched', async () => {
    const out = temporaryFolder();
    const torn = await killed(join(out, 'a.ndjson.zst'));
    const before = bytesBelow(out);
    const writer = createTapeWriter({ out, src: SRC, now: T0, opening });
    await expect(repairTapes([torn, writer.folder])).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(bytesBelow(writer.folder)).toHaveProperty('.lock');
    await writer.seal();
    fs.rmSync(join(out, 'binance-usdm'), { recursive: true });
    expect(bytesBelow(out)).toEqual(before);
    // the lock of a process that has ended is none
    fs.writeFileSync(join(out, '.lock'), '{"pid":999999999,"host":"gone');
    expect((await repairTapes([out])).reports).toMatchObject([{ sealed: true }]);
    expect(fs.readdirSync(out)).toEqual(['a.ndjson.zst']);
  });

  test('stdin, pipes and what is not there are refused', async () => {
    await expect(run(repair, { tape: ['-'] })).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(repairTapes(['/dev/null'])).rejects.toMatchObject({ code: 'E_USAGE' });
    await expect(repairTapes([join(temporaryFolder(), 'none')])).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
