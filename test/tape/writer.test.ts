/** Writing tapes: files every zstd tool reads, rotation, strict times, and failures that leave the tape recoverable. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EndEntry } from '../../src/model/entry.js';
import { parseEntry } from '../../src/tape/line.js';
import { listSegments, openSegment, readSegment, readTape } from '../../src/tape/reader.js';
import { decodeSeekTable, seekTableBytes } from '../../src/tape/seek-table.js';
import {
  createTapeWriter,
  nextTime,
  StrictClock,
  type TapeWriter,
  type TapeWriterOptions,
} from '../../src/tape/writer.js';
import { bookLine, collect, hasTool, headerLine, message, opening, SRC, T0, temporaryFolder, timeIn } from './tapes.js';

afterEach(() => {
  vi.restoreAllMocks();
});

function writerIn(out: string, options: Partial<TapeWriterOptions> = {}): TapeWriter {
  return createTapeWriter({ out, src: SRC, now: T0, opening, frameBytes: 500, ...options });
}

function writeMessages(writer: TapeWriter, count: number, step = 1000): void {
  for (let i = 1; i <= count; i++) {
    const t = writer.stamp(T0 + i * step);
    writer.write(message(t), t, { message: true });
  }
}

const MESSAGE = { message: true };

describe('writeRun', () => {
  test('property: the same tape as line after line, whatever stands in which run', async () => {
    const steps = fc.array(fc.record({ step: fc.integer({ min: 1, max: 400 }), size: fc.nat(700) }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), async (messages, sizes) => {
        const frames = { frameBytes: 2000, frameMicros: 1500 };
        const [one, other] = [writerIn(temporaryFolder(), frames), writerIn(temporaryFolder(), frames)];
        let t = T0;
        const lines = messages.map(({ step, size }) => {
          t += step;
          return { t, line: Buffer.from(message(t, JSON.stringify('x'.repeat(size)))) };
        });
        for (const { line, t } of lines) one.write(line, t, MESSAGE);
        for (let at = 0, run = 0; at < lines.length; run++) {
          const part = lines.slice(at, at + sizes[run % sizes.length]);
          at += part.length;
          let end = 1;
          const ends = part.map(({ line }) => (end += line.length));
          other.writeRun(
            Buffer.concat([Buffer.from('?'), ...part.map(({ line }) => line)]),
            1,
            ends,
            part.map(({ t }) => t),
          );
        }
        expect(other.written).toEqual(one.written);
        expect(other.last).toBe(one.last);
        await Promise.all([one.seal(), other.seal()]);
        expect(fs.readFileSync(other.path)).toEqual(fs.readFileSync(one.path));
      }),
      { numRuns: 40 },
    );
  });

  test('refuses times that do not rise and lines that do not end', () => {
    const writer = writerIn(temporaryFolder());
    const line = Buffer.from(message(T0 + 5));
    writer.writeRun(line, 0, [line.length], [T0 + 5]);
    const twice = Buffer.concat([line, line]);
    const run = (ends: number[], times: number[]) => () => writer.writeRun(twice, 0, ends, times);
    expect(run([line.length, twice.length], [T0 + 6, T0 + 6])).toThrow('is not after');
    expect(run([line.length], [T0 + 5])).toThrow('is not after');
    expect(run([line.length - 1], [T0 + 6])).toThrow('no whole line');
  });
});

async function sealedTape(count = 20): Promise<{ path: string; writer: TapeWriter }> {
  const writer = writerIn(temporaryFolder());
  writeMessages(writer, count);
  await writer.seal();
  return { path: writer.path, writer };
}

describe('a sealed segment', () => {
  test('holds header, lines, index and end, in that order', async () => {
    const { path, writer } = await sealedTape();
    expect(basename(path)).toBe('BTCUSDT-20240808T235415.000000Z.ndjson.zst');
    expect(fs.readdirSync(dirname(path))).toEqual([basename(path)]);
    const { lines, text } = await collect(readSegment(openSegment(path)));
    expect(lines).toHaveLength(1 + 20 + 2);
    const times = lines.map(timeIn);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
    const end = parseEntry(lines[22]) as EndEntry;
    const before = text.slice(0, text.lastIndexOf('{"t"'));
    expect(end.end).toEqual({ entries: 22, sha256: createHash('sha256').update(before).digest('hex') });
    expect(writer.written).toEqual({
      entries: 23,
      messages: 20,
      safeMessages: 20,
      textBytes: text.length,
      compressedBytes: fs.statSync(path).size,
      segments: 1,
      ties: 0,
    });
  });

  test('has an index that tells every frame, and a seek table that agrees', async () => {
    const { path } = await sealedTape();
    const segment = openSegment(path);
    expect(segment).toMatchObject({ sealed: true, src: SRC, first: T0, form: 'zstd' });
    expect(segment.header().tape.recorder).toBe('k3f9');
    const { frames, entries, last } = segment.index();
    expect(frames.length).toBeGreaterThan(3);
    expect(frames[0]).toMatchObject({ offset: 0, t: T0, lines: 1, checkpoint: false });
    expect(frames.reduce((sum, frame) => sum + frame.lines, 0)).toBe(21);
    expect([entries, last]).toEqual([22, T0 + 20_002]);
    const bytes = fs.readFileSync(path);
    const table = decodeSeekTable(bytes.subarray(bytes.length - seekTableBytes(bytes.subarray(-9))));
    expect(table?.map((frame) => frame.textBytes).slice(0, -1)).toEqual(frames.map((frame) => frame.bytes));
    let offset = 0;
    for (const [n, frame] of (table ?? []).entries()) {
      if (n < frames.length) expect(frames[n].offset).toBe(offset);
      offset += frame.compressedBytes;
    }
    // a segment without its seal gives the same index, by reading
    const bare = join(temporaryFolder(), 'bare.ndjson.zst');
    fs.writeFileSync(
      bare,
      bytes.subarray(
        0,
        (table ?? []).slice(0, -1).reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
      ),
    );
    expect(openSegment(bare).sealed).toBe(false);
    expect(openSegment(bare).index().frames).toEqual(frames);
  });

  test('can be read from any frame to any other', async () => {
    const segment = openSegment((await sealedTape()).path);
    const { frames } = segment.index();
    const { lines } = await collect(readSegment(segment));
    let start = 0;
    for (const [n, frame] of frames.entries()) {
      const part = await collect(readSegment(segment, { fromFrame: n, toFrame: n + 1 }));
      expect(part.lines).toEqual(lines.slice(start, start + frame.lines));
      for await (const batch of readSegment(segment, { fromFrame: n, toFrame: n + 1 }))
        expect(batch).toMatchObject({ frame: n, line: start + 1 });
      start += frame.lines;
    }
    expect((await collect(readSegment(segment, { fromFrame: 2 }))).lines).toHaveLength(
      lines.length - frames[0].lines - frames[1].lines,
    );
    expect((await collect(readSegment(segment, { fromFrame: frames.length }))).lines).toEqual([]);
  });

  test.skipIf(!hasTool('zstd'))('passes zstd -t, zstdcat and wc', async () => {
    const { path } = await sealedTape();
    expect(spawnSync('zstd', ['-tq', path]).status).toBe(0);
    const text = spawnSync('zstd', ['-dc', path]).stdout;
    expect(text.toString()).toBe((await collect(readSegment(openSegment(path)))).text);
    expect(text.filter((byte) => byte === 10)).toHaveLength(23);
  });

  test.skipIf(!hasTool('zstd') || !hasTool('jq'))('passes jq -c', async () => {
    const { path } = await sealedTape();
    const text = spawnSync('zstd', ['-dc', path]).stdout;
    const jq = spawnSync('jq', ['-c', '.'], { input: text });
    expect([jq.status, jq.stdout.toString().split('\n').length]).toEqual([0, 24]);
  });
});

describe('frames', () => {
  test('close at 60 s of data time, also on a quiet feed', async () => {
    const writer = writerIn(temporaryFolder(), { frameBytes: 1e6 });
    writeMessages(writer, 7, 10e6);
    writer.tick(T0 + 200e6);
    await writer.seal();
    const times = openSegment(writer.path)
      .index()
      .frames.map((frame) => frame.t);
    expect(times).toEqual([T0, T0 + 10e6, T0 + 70e6]);
  });

  test('close at 60 s also when nobody asks the writer for times', async () => {
    const writer = writerIn(temporaryFolder(), { frameBytes: 1e6 });
    for (const t of [T0 + 1, T0 + 60e6, T0 + 60e6 + 1]) writer.write(message(t), t);
    await writer.seal();
    expect(
      openSegment(writer.path)
        .index()
        .frames.map((frame) => frame.lines),
    ).toEqual([1, 2, 1]);
  });

  test('say which hold a checkpoint', async () => {
    const writer = writerIn(temporaryFolder());
    writeMessages(writer, 10);
    writer.write(bookLine(T0 + 20e3), T0 + 20e3, { checkpoint: true });
    await writer.seal();
    const { frames } = openSegment(writer.path).index();
    expect(frames.map((frame) => frame.checkpoint)).toEqual([...frames.slice(1).map(() => false), true]);
  });
});

describe('rotation', () => {
  const withBook: TapeWriterOptions['opening'] = (next) => {
    const header = next();
    const book = next();
    return [
      { line: headerLine(header), t: header },
      { line: bookLine(book), t: book, checkpoint: true },
    ];
  };

  test('by time, at UTC multiples, with header and checkpoint', async () => {
    const out = temporaryFolder();
    const writer = writerIn(out, { rotateEvery: 10e6, opening: withBook });
    writeMessages(writer, 40, 500e3);
    await writer.seal();
    const segments = await listSegments([out]);
    expect(segments.map((segment) => basename(segment.path).slice(-27, -11))).toEqual(
      ['235415.000000Z', '235420.000000Z', '235430.000000Z'].map((t) => `8T${t}`),
    );
    expect(segments.map((segment) => segment.sealed)).toEqual([true, true, true]);
    const all = await collect(readTape([out]));
    const times = all.lines.map(timeIn);
    for (let i = 1; i < times.length; i++) expect(times[i]).toBeGreaterThan(times[i - 1]);
    for (const segment of segments) {
      const { lines } = await collect(readSegment(segment));
      expect([lines[0].includes('"tape":'), lines[1].includes('"book":')]).toEqual([true, true]);
      expect(segment.index().frames[1].checkpoint).toBe(true);
    }
    expect(all.lines.filter((line) => line.includes('"msg":'))).toHaveLength(40);
    expect(writer.written).toMatchObject({
      segments: 3,
      messages: 40,
      entries: all.lines.length,
      textBytes: all.text.length,
    });
  });

  test('an entry that falls on the boundary is moved behind the new header', async () => {
    const writer = writerIn(temporaryFolder(), { rotateEvery: 5e6, opening: withBook });
    writer.write(message(T0 + 4_999_999), T0 + 4_999_999);
    expect(writer.stamp(T0 + 5e6)).toBe(T0 + 5e6 + 4);
    expect(writer.written.ties).toBe(1);
    await writer.abandon();
  });

  test('by size', async () => {
    const out = temporaryFolder();
    const writer = writerIn(out, { rotateBytes: 900 });
    writeMessages(writer, 60);
    await writer.seal();
    const segments = await listSegments([out]);
    expect(segments.length).toBeGreaterThan(2);
    expect((await collect(readTape([out]))).lines.filter((line) => line.includes('"msg":'))).toHaveLength(60);
    for (const segment of segments) expect(segment.bytes).toBeLessThan(3000);
  });

  test('a size smaller than the header does not rotate for ever', async () => {
    const out = temporaryFolder();
    const writer = writerIn(out, { rotateBytes: 1 });
    for (let i = 1; i < 9; i++) writer.tick(T0 + i);
    expect(writer.written.segments).toBe(1);
    await writer.seal();
  });
});

describe('times', () => {
  test('ties are moved by one and counted', () => {
    const clock = new StrictClock(10);
    expect([5, 10, 11, 20, 20].map((now) => clock.next(now))).toEqual([11, 12, 13, 20, 21]);
    expect(clock.ties).toBe(4);
    expect([nextTime(5, 4), nextTime(5, 5), nextTime(5, 6)]).toEqual([6, 6, 6]);
  });

  test('a time that does not increase is refused', async () => {
    const writer = writerIn(temporaryFolder());
    writer.write(message(T0 + 5), T0 + 5);
    expect(() => writer.write(message(T0 + 5), T0 + 5)).toThrow(expect.objectContaining({ code: 'E_LINE' }));
    expect(() => writer.write('no newline', T0 + 6)).toThrow(expect.objectContaining({ code: 'E_LINE' }));
    expect(writer.stamp(T0 + 3)).toBe(T0 + 6);
    await writer.seal();
  });

  test('everything comes after what stood', async () => {
    const writer = writerIn(temporaryFolder(), { after: T0 + 77 });
    expect(basename(writer.path)).toContain('235415.000078Z');
    await writer.seal();
  });
});
