/** Appending to segments: the tail of the open frame, and failures that leave the tape recoverable. */
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openSegment, readSegment } from '../../src/tape/reader.js';
import { createTapeWriter, type TapeWriter, type TapeWriterOptions } from '../../src/tape/writer.js';
import { collect, message, opening, SRC, T0, temporaryFolder, timeIn } from './tapes.js';

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

describe('the tail', () => {
  // the header's own goes when its fsync is done, some time soon
  const tails = (writer: TapeWriter): string[] =>
    fs.readdirSync(writer.folder).filter((name) => name.includes('.tail-') && !name.endsWith('-0'));

  test('holds the open frame at most --flush late', async () => {
    const writer = writerIn(temporaryFolder(), { frameBytes: 1e6, flushMs: 100 });
    writer.write(message(T0 + 1), T0 + 1);
    writer.tick(T0 + 99_999);
    expect(tails(writer)).toEqual([]);
    writer.tick(T0 + 100_000);
    const [tail] = tails(writer);
    expect(tail).toBe(`${basename(writer.path)}.tail-${fs.statSync(writer.path).size}`);
    writer.write(message(T0 + 100_001), T0 + 100_001);
    writer.tick(T0 + 200_000);
    expect(fs.readFileSync(join(writer.folder, tail))).toEqual(Buffer.concat([message(T0 + 1), message(T0 + 100_001)]));
    // and a reader sees it as the last frame, without touching it
    const found = await collect(readSegment(openSegment(writer.path)));
    expect(found.lines.map(timeIn)).toEqual([T0, T0 + 1, T0 + 100_001]);
    expect(openSegment(writer.path).index().frames).toHaveLength(2);
    await writer.seal();
    expect(fs.readdirSync(writer.folder)).toEqual([basename(writer.path)]);
  });

  test('imports keep none', async () => {
    const writer = writerIn(temporaryFolder(), { flushMs: null });
    const spy = vi.spyOn(fs, 'openSync');
    writeMessages(writer, 30, 1e6);
    expect(spy).not.toHaveBeenCalled();
    await writer.seal();
  });
});

describe('failures', () => {
  test('an existing segment is never overwritten', async () => {
    const out = temporaryFolder();
    await writerIn(out).seal();
    const [name] = fs.readdirSync(join(out, 'binance-usdm', 'BTCUSDT'));
    const before = fs.readFileSync(join(out, 'binance-usdm', 'BTCUSDT', name));
    expect(() => writerIn(out)).toThrow(expect.objectContaining({ code: 'E_EXISTS' }));
    expect(fs.readFileSync(join(out, 'binance-usdm', 'BTCUSDT', name))).toEqual(before);
    await writerIn(out, { now: T0 + 1 }).seal();
  });

  // root may write anywhere
  test.skipIf(process.getuid?.() === 0)('a folder that may not be written', () => {
    const out = temporaryFolder();
    fs.chmodSync(out, 0o500);
    expect(() => writerIn(out)).toThrow(expect.objectContaining({ code: 'E_PERMISSION' }));
  });

  test('a path through a file', () => {
    const file = join(temporaryFolder(), 'file');
    fs.writeFileSync(file, '');
    expect(() => writerIn(file)).toThrow(expect.objectContaining({ code: 'E_IO' }));
  });

  test('a full disk: the frame is cut off again, flushed lines are in the tail, nothing more is written', async () => {
    const writer = writerIn(temporaryFolder(), { frameBytes: 1e6, flushMs: 1e6 });
    writeMessages(writer, 10);
    const size = fs.statSync(writer.path).size;
    const real = fs.writeSync;
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    let calls = 0;
    vi.spyOn(fs, 'writeSync').mockImplementation(((fd: number, bytes: Buffer, offset: number) => {
      calls++;
      // the first goes to the tail, which must hold all lines before their frame is begun
      if (calls === 1) return real(fd, bytes, offset);
      if (calls > 2) throw full;
      return real(fd, bytes, offset, 5);
    }) as typeof fs.writeSync);
    const fail = (): void => writer.tick(T0 + 100e6);
    expect(fail).toThrow(expect.objectContaining({ code: 'E_DISK_FULL' }));
    vi.restoreAllMocks();
    expect(() => writer.write(message(T0 + 100e6), T0 + 100e6)).toThrow(
      expect.objectContaining({ code: 'E_DISK_FULL' }),
    );
    expect(fs.statSync(writer.path).size).toBe(size);
    await writer.abandon();
    const found = await collect(readSegment(openSegment(writer.path)));
    expect([found.lines.length, found.damage]).toEqual([11, []]);
  });

  test('a failing fsync is not kept quiet', async () => {
    const writer = writerIn(temporaryFolder());
    vi.spyOn(fs, 'fsync').mockImplementation(((_: number, done: (error: Error) => void) =>
      done(new Error('EIO'))) as typeof fs.fsync);
    writeMessages(writer, 3);
    await expect(writer.seal()).rejects.toMatchObject({ code: 'E_IO' });
  });
});
