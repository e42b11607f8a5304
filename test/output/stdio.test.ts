/** The data writer against streams that are slow, gone or full. */
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokenPipe, createDataWriter } from '../../src/output/stdio.js';

/** Collects what it is given, one write at a time, only when told to. */
function slowStream() {
  const taken: Buffer[] = [];
  let release: (() => void) | null = null;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      release = () => {
        release = null;
        taken.push(Buffer.from(chunk));
        done();
      };
    },
  });
  const takeOne = async (): Promise<boolean> => {
    await new Promise(setImmediate);
    if (release === null) return false;
    release();
    return true;
  };
  const takeAll = async (): Promise<string> => {
    while (await takeOne());
    return Buffer.concat(taken).toString('utf8');
  };
  return { stream, takeOne, takeAll, taken };
}

function failing(code: string) {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
  });
}

describe('createDataWriter', () => {
  test('joins small writes and keeps the order of text and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'grapheme', maxLength: 40 }),
            fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(Buffer.from(bytes).toString('hex'))),
            fc.constantFrom(
              'a'.repeat(30_000),
              'é'.repeat(70_000),
              Buffer.alloc(65_536, 'b'),
              Buffer.alloc(200_000, 'c'),
            ),
          ),
          { maxLength: 12 },
        ),
        async (chunks) => {
          const stream = new PassThrough({ highWaterMark: 1024 });
          const seen: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => seen.push(chunk));
          const writer = createDataWriter(stream);
          for (const chunk of chunks) await writer.write(chunk);
          await writer.flush();
          const expected = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
          expect(Buffer.concat(seen).equals(expected)).toBe(true);
          expect(writer.pending).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('text that is longer in bytes than in characters is never cut at the join', async () => {
    const slow = slowStream();
    const writer = createDataWriter(slow.stream);
    writer.write('a'.repeat(65_000));
    writer.write('é'.repeat(500));
    const [text] = await Promise.all([slow.takeAll(), writer.flush()]);
    expect(text).toBe('a'.repeat(65_000) + 'é'.repeat(500));
  });

  test('small bytes may be reused at once, large ones when the promise settles', async () => {
    const slow = slowStream();
    const writer = createDataWriter(slow.stream);
    const small = Buffer.from('small');
    expect(writer.write(small)).toBeUndefined();
    small.fill('x');
    const large = Buffer.alloc(100_000, 'L');
    const wait = writer.write(large);
    expect(wait).toBeInstanceOf(Promise);
    let settled = false;
    wait?.then(() => {
      settled = true;
    });
    await slow.takeOne();
    expect(settled).toBe(false);
    await slow.takeOne();
    await wait;
    large.fill('x');
    expect(await slow.takeAll()).toBe(`small${'L'.repeat(100_000)}`);
  });

  test('live hands every line over at once, batch does not', () => {
    const live = new PassThrough();
    createDataWriter(live, { live: true }).write('one\n');
    expect(live.read()?.toString()).toBe('one\n');
    const batch = new PassThrough();
    createDataWriter(batch).write('one\n');
    expect(batch.read()).toBeNull();
  });

  test('asks to wait when the reader lags by a megabyte, and says by how much it lags', async () => {
    const slow = slowStream();
    const writer = createDataWriter(slow.stream);
    let waited: Promise<void> | undefined;
    let writes = 0;
    while (waited === undefined && writes < 100) {
      waited = writer.write('z'.repeat(20_000));
      writes++;
    }
    expect(waited).toBeInstanceOf(Promise);
    expect(writer.pending).toBe(writes * 20_000);
    expect(writer.pending).toBeGreaterThan(1_000_000);
    expect(writer.pending).toBeLessThan(1_200_000);
    const all = slow.takeAll();
    await waited;
    await Promise.all([writer.flush(), all]);
    expect(Buffer.concat(slow.taken).length).toBe(writes * 20_000);
  });

  test.each(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])('%s is a broken pipe', async (code) => {
    const writer = createDataWriter(failing(code));
    writer.write('x');
    await expect(writer.flush()).rejects.toBeInstanceOf(BrokenPipe);
    expect(writer.closed).toBe(true);
    expect(() => writer.write('y')).toThrow(BrokenPipe);
    await expect(writer.flush()).rejects.toBeInstanceOf(BrokenPipe);
  });

  test('a waiting writer is woken when the reader goes away', async () => {
    const slow = slowStream();
    const writer = createDataWriter(slow.stream);
    const wait = writer.write(Buffer.alloc(100_000));
    slow.stream.destroy();
    await expect(wait).rejects.toBeInstanceOf(BrokenPipe);
  });

  test('a full disk is an error with a code', async () => {
    const writer = createDataWriter(failing('ENOSPC'));
    writer.write('x');
    await expect(writer.flush()).rejects.toMatchObject({
      code: 'E_DISK_FULL',
      message: expect.stringContaining('stdout'),
    });
  });

  test('warming up goes the way of a write and writes nothing', async () => {
    const sizes: number[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        sizes.push(chunk.length);
        done();
      },
    });
    const writer = createDataWriter(stream, { live: true });
    await writer.warmUp();
    expect({ sizes, pending: writer.pending }).toEqual({ sizes: [0], pending: 0 });
    await writer.write('x');
    expect(sizes).toEqual([0, 1]);
  });

  test('warming up leaves failing to the first write', async () => {
    const gone = createDataWriter(failing('EPIPE'));
    await gone.warmUp();
    await expect((async () => gone.write('x'))()).rejects.toThrow(BrokenPipe);
    const closed = new PassThrough();
    closed.destroy();
    await createDataWriter(closed).warmUp();
  });
});
