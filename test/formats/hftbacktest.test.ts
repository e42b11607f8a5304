/** The archive reader: units of time, line numbers, gzip in any number of members, and what is left of damaged files. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BadLine, firstArchiveTime, readHftbacktest } from '../../src/formats/hftbacktest.js';
import { compressFrame } from '../../src/tape/frame.js';
import { temporaryFolder } from '../audit/market-lines.js';

interface Read {
  lines: { t: number; text: string; line: number }[];
  bad: BadLine[];
  bytes: number;
}

async function read(...files: string[]): Promise<Read> {
  const result: Read = { lines: [], bad: [], bytes: 0 };
  const options = {
    bad: (line: BadLine) => void result.bad.push(line),
    progress: (bytes: number) => {
      result.bytes += bytes;
    },
  };
  for await (const batch of readHftbacktest(files, options))
    for (let i = 0; i < batch.count; i++)
      result.lines.push({
        t: batch.t[i],
        text: batch.bytes.toString('utf8', batch.from[i], batch.to[i]),
        line: batch.line[i],
      });
  return result;
}

function fileOf(content: string | Uint8Array, name = 'a'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

describe('times', () => {
  test('16 digits are microseconds', async () => {
    const { lines, bad } = await read(fileOf('1680652700423575 {"a":1}\n1680652700423576 {"b": 2}\n'));
    expect(lines).toEqual([
      { t: 1680652700423575, text: '{"a":1}', line: 1 },
      { t: 1680652700423576, text: '{"b": 2}', line: 2 },
    ]);
    expect(bad).toEqual([]);
  });

  test('19 digits are nanoseconds, cut to microseconds', async () => {
    const { lines } = await read(fileOf('1723161256172210999 {"a":1}\n'));
    expect(lines[0].t).toBe(1723161256172210);
  });

  test('each file has its own unit', async () => {
    const { lines } = await read(fileOf('1680652700423575 1\n'), fileOf('1723161256172210766 2\n'));
    expect(lines.map(({ t }) => t)).toEqual([1680652700423575, 1723161256172210]);
  });

  test('the first time of a file is found without reading all of it', async () => {
    expect(await firstArchiveTime(fileOf('junk\n1680652700423575 1\n'))).toBe(1680652700423575);
    expect(await firstArchiveTime(fileOf('junk\n'))).toBeNaN();
  });
});

describe('lines', () => {
  test('bad ones are reported with their number and skipped; blank ones only skipped', async () => {
    const path = fileOf(
      '1680652700423575 1\nrubbish\n\n168065270042357 2\n1680652700423576123 3\n1680652700423577\n1680652700423578{}\n0680652700423579 5\n1680652700423579 4',
    );
    const { lines, bad } = await read(path);
    expect(lines.map(({ text, line }) => [text, line])).toEqual([
      ['1', 1],
      ['4', 9],
    ]);
    expect(bad.map(({ line }) => line)).toEqual([2, 4, 5, 6, 7, 8]);
    expect(bad[2].why).toMatch(/19 digits where the file has 16/);
    expect(bad.every(({ file }) => file === path)).toBe(true);
  });

  test('a carriage return belongs to the line end, blanks inside do not', async () => {
    const { lines } = await read(fileOf('1680652700423575 {"a": [1, 2]} \r\n'));
    expect(lines[0].text).toBe('{"a": [1, 2]} ');
  });
});

describe('gzip', () => {
  const text = Array.from({ length: 5000 }, (_, n) => `${1680652700000000 + n} {"n":${n}}\n`).join('');

  test('members anywhere give the same lines as plain text', async () => {
    const plain = (await read(fileOf(text))).lines;
    expect(plain).toHaveLength(5000);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 4 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const members = at.slice(1).map((to, n) => gzipSync(text.slice(at[n], to)));
        const packed = Buffer.concat(members);
        const result = await read(fileOf(packed));
        expect(result.lines).toEqual(plain);
        expect(result.bad).toEqual([]);
        expect(result.bytes).toBe(packed.length);
      }),
      { numRuns: 15 },
    );
  });

  test('a cut file gives all lines before the cut, and says where it ends', async () => {
    const packed = gzipSync(text);
    const { lines, bad } = await read(fileOf(packed.subarray(0, packed.length >> 1)));
    expect(lines.length).toBeGreaterThan(1000);
    expect(lines.at(-1)).toEqual({
      t: 1680652700000000 + lines.length - 1,
      text: `{"n":${lines.length - 1}}`,
      line: lines.length,
    });
    expect(bad).toHaveLength(1);
    expect(bad[0].line).toBe(0);
    expect(bad[0].why).toMatch(new RegExp(`damaged after line ${lines.length}: unexpected end of file`));
  });

  test('the files after a damaged one are read', async () => {
    const { lines, bad } = await read(fileOf(gzipSync(text).subarray(0, 30)), fileOf('1680652700423575 1\n'));
    expect(lines.at(-1)?.text).toBe('1');
    expect(bad).toHaveLength(1);
  });
});

describe('what is no archive', () => {
  test('a missing file and a folder are errors', async () => {
    await expect(read(join(temporaryFolder(), 'no'))).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    await expect(read(temporaryFolder())).rejects.toMatchObject({ code: 'E_IMPORT' });
  });

  test('zstd of any number of frames is read, and a cut or damaged one up to the fault', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `${1680652700423575 + n} {"n":${n}}\n`);
    const frames = [lines.slice(0, 15_000), lines.slice(15_000)].map((part) =>
      compressFrame(Buffer.from(part.join(''))),
    );
    const whole = Buffer.concat(frames);
    expect((await read(fileOf(whole))).lines.map(({ t, text }) => `${t} ${text}\n`)).toEqual(lines);
    const cut = await read(fileOf(whole.subarray(0, frames[0].length + 200)));
    expect(cut.lines.length).toBeGreaterThanOrEqual(15_000);
    expect(cut.bad.map(({ why }) => why)).toEqual([expect.stringContaining('ends inside a zstd frame')]);
    const damaged = Buffer.from(whole);
    damaged[frames[0].length + 2] ^= 0xff;
    expect((await read(fileOf(damaged))).bad).toHaveLength(1);
  });
});
