/** Recovery: whatever a killed recorder leaves, no line that reached the disk is lost, and what stands stays. */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressFrame } from '../../src/tape/frame.js';
import { tailPath } from '../../src/tape/names.js';
import { openSegment, readSegment, readTape } from '../../src/tape/reader.js';
import { recoverFolder, recoverSegment } from '../../src/tape/recover.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import { collect, message, opening, SRC, sampleLines, T0, temporaryFolder, timeIn } from './tapes.js';

const lines = sampleLines(20);
const [header, first, second, third] = [lines.slice(0, 1), lines.slice(1, 8), lines.slice(8, 15), lines.slice(15)];
const frames = [header, first, second].map((part) => compressFrame(Buffer.from(part.join(''))));
const standing = Buffer.concat(frames);
const thirdText = Buffer.from(third.join(''));
const thirdFrame = compressFrame(thirdText);

/** A segment as a crash leaves it: bytes of the file, and tails by offset. */
function crashed(bytes: Buffer, tails: Record<number, Buffer> = {}): string {
  const path = join(temporaryFolder(), 'BTCUSDT-x.ndjson.zst');
  fs.writeFileSync(path, bytes);
  for (const [offset, tail] of Object.entries(tails)) fs.writeFileSync(`${path}.tail-${offset}`, tail);
  return path;
}

async function messagesOf(path: string): Promise<string[]> {
  const { lines: found } = await collect(readSegment(openSegment(path)));
  return found.filter((line) => !/"(index|end)":/.test(line)).map((line) => `${line}\n`);
}

async function expectWhole(path: string, expected: string[]): Promise<void> {
  const before = fs.readFileSync(path);
  expect(await messagesOf(path)).toEqual(expected);
  const result = await recoverSegment(path);
  expect(result).toMatchObject({ sealed: true, damage: [] });
  const after = fs.readFileSync(path);
  expect(after.subarray(0, standing.length)).toEqual(before.subarray(0, standing.length));
  expect(fs.readdirSync(join(path, '..'))).toEqual([basename(path)]);
  expect(openSegment(path).sealed).toBe(true);
  const found = await collect(readSegment(openSegment(path)));
  expect(found.damage).toEqual([]);
  expect(await messagesOf(path)).toEqual(expected);
  expect(result?.last).toBe(timeIn(found.lines.at(-1) ?? ''));
  expect(openSegment(path).index().last).toBe(result?.last);
  expect(await recoverSegment(path)).toBeNull();
}

describe('killed while', () => {
  test('writing the tail, at any byte', async () => {
    for (let cut = 0; cut <= thirdText.length; cut += 13) {
      const tail = thirdText.subarray(0, cut);
      const path = crashed(standing, { [standing.length]: tail });
      const kept = tail.subarray(0, tail.lastIndexOf(10) + 1).toString();
      const found = await collect(readSegment(openSegment(path)));
      expect(found.damage.map((damage) => damage.bytes)).toEqual(kept.length === cut ? [] : [cut - kept.length]);
      await expectWhole(path, [...header, ...first, ...second, ...third.filter((line) => kept.includes(line))]);
    }
  });

  test('appending a frame, at any byte', async () => {
    for (let cut = 0; cut <= thirdFrame.length; cut += 3) {
      const bytes = Buffer.concat([standing, thirdFrame.subarray(0, cut)]);
      await expectWhole(crashed(bytes, { [standing.length]: thirdText }), lines);
    }
  });

  test('syncing, with the next tail begun', async () => {
    const bytes = Buffer.concat([standing, thirdFrame]);
    const next = message(T0 + 30e6);
    const tails = { [standing.length]: thirdText, [bytes.length]: next };
    await expectWhole(crashed(bytes, tails), [...lines, next.toString()]);
  });

  test('sealing, at any byte', async () => {
    const out = temporaryFolder();
    const writer = createTapeWriter({ out, src: SRC, now: T0, opening });
    for (const line of lines.slice(1)) writer.write(line, timeIn(line));
    await writer.seal();
    const bytes = fs.readFileSync(writer.path);
    const { lines: all } = await collect(readSegment(openSegment(writer.path)));
    const sealText = Buffer.from(
      all
        .slice(-2)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const sealAt = [...openSegment(writer.path).index().frames].at(-1)!.offset;
    const second = compressFrame(Buffer.from(lines.slice(1).join('')));
    const offset = sealAt + second.length;
    for (let cut = offset; cut < bytes.length; cut += 7) {
      const path = crashed(bytes.subarray(0, cut), { [offset]: sealText });
      expect(await recoverSegment(path)).toMatchObject({ sealed: true });
      expect(fs.readFileSync(path)).toEqual(bytes);
    }
    // the index line alone: the seal is written anew
    const path = crashed(bytes.subarray(0, offset), { [offset]: sealText.subarray(0, sealText.indexOf(10) + 5) });
    expect(await recoverSegment(path)).toMatchObject({ sealed: true, lines: 1 });
    expect(await messagesOf(path)).toEqual(lines);
    expect(openSegment(path).index().frames).toHaveLength(3);
  });

  test('writing the header', async () => {
    const headerFrame = frames[0];
    for (let cut = 0; cut <= headerFrame.length; cut += 9) {
      const path = crashed(headerFrame.subarray(0, cut), { 0: Buffer.from(header.join('')) });
      expect(await recoverSegment(path)).toMatchObject({ sealed: true });
      expect(await messagesOf(path)).toEqual(header);
    }
    const empty = crashed(Buffer.alloc(0));
    expect(await recoverSegment(empty)).toMatchObject({ sealed: false, lines: 0, last: Number.NaN });
  });

  test('recovering', async () => {
    // the tail is already a frame, and still there
    const bytes = Buffer.concat([standing, thirdFrame]);
    await expectWhole(crashed(bytes, { [standing.length]: thirdText }), lines);
  });
});

describe('after a power cut', () => {
  test('a torn frame without its tail is left alone', async () => {
    const bytes = Buffer.concat([standing, thirdFrame.subarray(0, 50)]);
    const path = crashed(bytes);
    const result = await recoverSegment(path);
    expect(result).toMatchObject({ sealed: false, lines: 0, last: timeIn(second.at(-1) ?? '') });
    expect(result?.damage).toMatchObject([{ code: 'E_TRUNCATED', bytes: 50 }]);
    expect(fs.readFileSync(path)).toEqual(bytes);
  });

  test('lines a torn frame has and its tail has not are kept', async () => {
    const many = sampleLines(4000).slice(1);
    const frame = compressFrame(Buffer.from(many.join('')), 1);
    const torn = frame.subarray(0, frame.length - 100);
    const path = crashed(Buffer.concat([frames[0], torn]), {
      [frames[0].length]: Buffer.from(many.slice(0, 10).join('')),
    });
    await recoverSegment(path);
    const found = await messagesOf(path);
    expect(found.length).toBeGreaterThan(2000);
    expect(found).toEqual([...header, ...many].slice(0, found.length));
  });

  test('a frame of wrong size is not a torn one: what follows it is never cut off', async () => {
    const bytes = Buffer.concat([...frames, thirdFrame]);
    const start = frames[0].length + frames[1].length;
    const block = start + 7;
    bytes.writeUIntLE((700 << 3) | (bytes.readUIntLE(block, 3) & 7), block, 3);
    const path = crashed(bytes, { [start]: Buffer.from(second.join('')) });
    expect(await recoverSegment(path)).toMatchObject({ sealed: false });
    expect(fs.readFileSync(path)).toEqual(bytes);
  });

  test('damage inside: nothing is changed, all else is readable', async () => {
    const bytes = Buffer.concat([...frames, thirdFrame]);
    bytes[frames[0].length + 40] ^= 1;
    const path = crashed(bytes);
    const result = await recoverSegment(path);
    expect(result).toMatchObject({ sealed: false, last: timeIn(third.at(-1) ?? '') });
    expect(result?.damage).toMatchObject([{ code: 'E_FRAME_CORRUPT', frame: 1 }]);
    expect(fs.readFileSync(path)).toEqual(bytes);
  });
});

describe('recoverFolder', () => {
  test('property: a recorder killed anywhere loses only what was never flushed', async () => {
    const step = fc.constantFrom('write', 'write', 'write', 'flush', 'frame', 'rotate');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const out = fs.mkdtempSync(join(temporaryFolder(), 'p'));
        const writer = createTapeWriter({ out, src: SRC, now: T0, opening, frameBytes: 300, flushMs: 0 });
        let now = T0;
        let written = 0;
        let flushed = 0;
        for (const action of steps) {
          now += 1000;
          if (action === 'write') {
            // stamp flushes what is older
            const t = writer.stamp(now);
            flushed = written;
            writer.write(message(t), t);
            written++;
          } else {
            if (action === 'frame') now += 61e6;
            if (action === 'rotate') writer.rotate(now);
            else writer.tick(now);
            flushed = written;
          }
        }
        // the state on disk now, as a kill would leave it
        const killed = fs.mkdtempSync(join(temporaryFolder(), 'k'));
        fs.cpSync(writer.folder, killed, { recursive: true });
        await writer.abandon();
        fs.rmSync(join(killed, '.lock'));
        const result = await recoverFolder(killed);
        const { lines: found, damage } = await collect(readTape([killed]));
        expect(damage).toEqual([]);
        const messages = found.filter((line) => line.includes('"msg":'));
        expect(messages.length).toBeGreaterThanOrEqual(flushed);
        expect(result.last).toBe(timeIn(found.at(-1) ?? ''));
        expect(result.src).toBe(SRC);
        const times = found.map(timeIn);
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      }),
      { numRuns: 40 },
    );
  });

  test('a folder that is not there', async () => {
    expect(await recoverFolder(join(temporaryFolder(), 'none'))).toEqual({ last: Number.NaN, src: null, segments: [] });
  });

  test('a folder someone records in', async () => {
    const writer = createTapeWriter({ out: temporaryFolder(), src: SRC, now: T0, opening });
    await expect(recoverFolder(writer.folder)).rejects.toMatchObject({ code: 'E_EXISTS' });
    await writer.seal();
  });

  test('what was killed before its header stood is removed, and does not hide when the others end', async () => {
    for (const cut of [0, 1, 20, frames[0].length - 1]) {
      const path = crashed(standing, { [standing.length]: thirdText });
      const { last } = await recoverFolder(dirname(path));
      const begun = join(dirname(path), 'BTCUSDT-29991231T000000.000000Z.ndjson.zst');
      fs.writeFileSync(begun, frames[0].subarray(0, cut));
      if (cut === 0) fs.writeFileSync(tailPath(begun, 0), header.join('').slice(0, 30));
      expect((await recoverFolder(dirname(path))).last).toBe(last);
      expect(fs.readdirSync(dirname(path)).filter((name) => name.includes('29991231'))).toEqual([]);
    }
  });

  test('files that are no tape do not stop it', async () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'a.ndjson.zst'), 'not a tape');
    fs.writeFileSync(join(folder, 'b.ndjson.zst'), standing);
    const result = await recoverFolder(folder);
    expect(result.segments.map((segment) => segment.sealed)).toEqual([false, true]);
    expect(result.last).toBe(timeIn(second.at(-1) ?? '') + 2);
  });
});
