/** Reading tapes from files, folders and pipes. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { compressFrame } from '../../src/tape/frame.js';
import { listSegments, openSegment, readSegment, readStream, readTape } from '../../src/tape/reader.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import {
  collect,
  hasTool,
  headerLine,
  message,
  opening,
  SRC,
  sampleLines,
  T0,
  temporaryFolder,
  timeIn,
} from './tapes.js';

function fileOf(content: string | Buffer, name = 'a.ndjson.zst', folder = temporaryFolder()): string {
  fs.mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  fs.writeFileSync(path, content);
  return path;
}

const text = sampleLines(30).join('');
const zstd = Buffer.concat([
  compressFrame(Buffer.from(text.slice(0, 500))),
  compressFrame(Buffer.from(text.slice(500))),
]);

describe('listSegments', () => {
  test('files as given, folders by name and recursively, tails and other files not', async () => {
    const folder = temporaryFolder();
    const other = fileOf(zstd, 'odd-name');
    fileOf(zstd, 'b.ndjson.zst', join(folder, 'v', 'S'));
    fileOf(text, 'a.ndjson', join(folder, 'v', 'S'));
    fileOf(text, 'b.ndjson.zst.tail-99', join(folder, 'v', 'S'));
    fileOf('x', 'notes.txt', folder);
    const segments = await listSegments([other, folder]);
    expect(
      segments.map((segment) => [basename(segment.path), segment.form, segment.src, segment.first, segment.sealed]),
    ).toEqual([
      ['odd-name', 'zstd', SRC, T0, false],
      ['a.ndjson', 'plain', SRC, T0, false],
      ['b.ndjson.zst', 'zstd', SRC, T0, false],
    ]);
  });

  test.each([
    ['a missing path', () => join(temporaryFolder(), 'none'), 'E_NOT_FOUND'],
    ['an empty folder', () => temporaryFolder(), 'E_NOT_FOUND'],
    ['something else', () => fileOf('hello'), 'E_NOT_A_TAPE'],
  ])('%s', async (_, path, code) => {
    const file = path();
    await expect(listSegments([file])).rejects.toMatchObject({ code, place: { file } });
  });

  test('a file of a folder that is no tape is damage, and the rest is read', async () => {
    const folder = temporaryFolder();
    fileOf('hello', 'a.ndjson.zst', folder);
    fileOf(zstd, 'b.ndjson.zst', folder);
    const found = await collect(readTape([folder]));
    expect(found.text).toBe(text);
    expect(found.damage).toMatchObject([{ code: 'E_FRAME_CORRUPT', bytes: 5, file: join(folder, 'a.ndjson.zst') }]);
  });
});

describe('openSegment', () => {
  test('headers: missing, of another version, broken', () => {
    const open = (line: string) => openSegment(fileOf(compressFrame(Buffer.from(line)))).header();
    expect(open(headerLine(T0)).tape.flow).toBe('trade');
    expect(() => open(message(T0).toString())).toThrow(expect.objectContaining({ code: 'E_HEADER' }));
    expect(() => open(headerLine(T0).replace('"version":1', '"version":2'))).toThrow(
      expect.objectContaining({ code: 'E_VERSION' }),
    );
    expect(() => openSegment(fileOf('')).header()).toThrow(expect.objectContaining({ code: 'E_HEADER' }));
  });

  test('a seal whose offsets do not fit the file is no seal', async () => {
    const writer = createTapeWriter({ out: temporaryFolder(), src: SRC, now: T0, opening });
    writer.write(message(T0 + 1), T0 + 1);
    await writer.seal();
    const shifted = Buffer.concat([Buffer.from('502a4d180100000000', 'hex'), fs.readFileSync(writer.path)]);
    const segment = openSegment(fileOf(shifted));
    expect(segment.sealed).toBe(false);
    expect(segment.index().frames.map((frame) => frame.offset)[0]).toBe(9);
    expect((await collect(readSegment(segment, { fromFrame: 1, toFrame: 2 }))).lines.map(timeIn)).toEqual([T0 + 1]);
  });

  test('a broken seal is no seal, and reading says what is wrong', async () => {
    const writer = createTapeWriter({ out: temporaryFolder(), src: SRC, now: T0, opening });
    writer.write(message(T0 + 1), T0 + 1);
    await writer.seal();
    const bytes = fs.readFileSync(writer.path);
    const { lines } = await collect(readSegment(openSegment(writer.path)));
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 0x10;
      const path = fileOf(flipped, 'x.ndjson.zst', join(writer.folder, 'flipped'));
      const segment = openSegment(path);
      const found = await collect(readSegment(segment));
      if (found.lines.length < lines.length) expect([at, found.damage.length]).toEqual([at, 1]);
      expect(segment.index().frames.length).toBeGreaterThan(0);
    }
  });
});

describe('readStream', () => {
  test('zstd and plain, in any chunks, from a Node stream', async () => {
    for (const input of [zstd, Buffer.from(text), Buffer.from(text.slice(0, -1))])
      for (const size of [1, 100, 1e6]) {
        const chunks: Buffer[] = [];
        for (let p = 0; p < input.length; p += size) chunks.push(input.subarray(p, p + size));
        const found = await collect(readStream(Readable.from(chunks, { objectMode: false }), '-'));
        expect([found.text, found.damage]).toEqual([text, []]);
      }
  });

  test('lines are given out as they come', async () => {
    let sent = 0;
    const lines = sampleLines(5);
    async function* live(): AsyncGenerator<Buffer> {
      for (const line of lines) {
        sent++;
        yield Buffer.from(line);
      }
    }
    let received = 0;
    for await (const item of readStream(live(), '-')) {
      received++;
      expect('bytes' in item && item.bytes.toString('utf8', item.from, item.to)).toBe(lines[received - 1]);
      expect(sent).toBe(received);
    }
    expect(received).toBe(6);
  });

  test('a consumer that stops ends the source', async () => {
    const source = Readable.from([Buffer.from(text), Buffer.from('never')], { objectMode: false });
    for await (const item of readStream(source, '-')) {
      expect('bytes' in item).toBe(true);
      break;
    }
    expect(source.destroyed).toBe(true);
  });

  test('a source that fails, a source that is no tape', async () => {
    const failing = Readable.from([Buffer.from(text)]).once('end', () => {});
    failing.destroy(Object.assign(new Error('EIO: broken'), { code: 'EIO' }));
    await expect(collect(readStream(failing, '-'))).rejects.toMatchObject({ code: 'E_IO', place: { file: '-' } });
    await expect(collect(readStream(Readable.from([Buffer.from('#!/bin/sh\n')]), '-'))).rejects.toMatchObject({
      code: 'E_NOT_A_TAPE',
    });
    expect((await collect(readStream(Readable.from([]), '-'))).text).toBe('');
  });
});

describe('readTape', () => {
  test('several srcs are merged by time, several segments of one follow each other', async () => {
    const folder = temporaryFolder();
    const other = 'binance-spot:BTCUSDT';
    const a = sampleLines(20, 0, SRC, T0, 1000);
    const later = sampleLines(20, 0, SRC, T0 + 1e6, 1000);
    const b = sampleLines(20, 0, other, T0 + 500, 1000);
    fileOf(compressFrame(Buffer.from(later.join(''))), '1.ndjson.zst', folder);
    fileOf(compressFrame(Buffer.from(a.join(''))), '2.ndjson.zst', folder);
    fileOf(b.join(''), '3.ndjson', folder);
    const { lines, damage } = await collect(readTape([folder]));
    expect(damage).toEqual([]);
    expect(lines.map((line) => `${line}\n`)).toEqual([...a, ...b, ...later].sort((x, y) => timeIn(x) - timeIn(y)));
  });

  test.skipIf(process.platform === 'win32' || !hasTool('mkfifo'))('a named pipe', async () => {
    const path = join(temporaryFolder(), 'pipe');
    spawnSync('mkfifo', [path]);
    const writing = fs.promises.writeFile(path, zstd);
    expect((await collect(readTape([path]))).text).toBe(text);
    await writing;
  });
});
