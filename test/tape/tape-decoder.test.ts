/** The decoder: any input in any pieces gives the same lines, and damage costs no line but its own. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Damage, LineBatch } from '../../src/model/batch.js';
import { compressFrame } from '../../src/tape/frame.js';
import { MAX_LINE_BYTES } from '../../src/tape/line.js';
import { createTapeDecoder } from '../../src/tape/tape-decoder.js';
import { collect, hasTool, sampleLines, T0 } from './tapes.js';

function* decode(bytes: Buffer, pieces: readonly number[] = []): Generator<LineBatch | Damage> {
  const decoder = createTapeDecoder({ file: 'f' });
  let p = 0;
  for (let turn = 0; !decoder.done; ) {
    const item = decoder.next();
    if (item !== null) yield item;
    else if (!decoder.done) {
      const size = Math.min(pieces.length > 0 ? pieces[turn++ % pieces.length] : bytes.length, bytes.length - p);
      if (size === 0 && p === bytes.length) decoder.end();
      bytes.copy(decoder.room(Math.max(size, 1)), 0, p, p + size);
      decoder.filled(size);
      p += size;
    }
  }
}

const frameTexts = [0, 1, 2, 3].map((n) => {
  const lines = sampleLines(5, 0, 'v:S', T0 + n * 1e6);
  return n === 0 ? lines.join('') : lines.slice(1).join('');
});
const whole = frameTexts.join('');
const frames = frameTexts.map((text) => compressFrame(Buffer.from(text)));
const tape = Buffer.concat(frames);
const offsets = frames.map((_, n) => frames.slice(0, n).reduce((sum, frame) => sum + frame.length, 0));
const skippable = Buffer.from('502a4d180400000028b52ffd', 'hex');

describe('undamaged input', () => {
  test('property: pieces of any size, frames and plain text', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (pieces, zstd) => {
        const found = await collect(decode(zstd ? tape : Buffer.from(whole), pieces));
        expect(found.text).toBe(whole);
        expect(found.damage).toEqual([]);
      }),
    );
  });

  test('every split in two', async () => {
    for (let at = 1; at < tape.length; at++) expect((await collect(decode(tape, [at, tape.length]))).text).toBe(whole);
  });

  test('input that a decoder has done with is used by one other only', () => {
    const feed = (text: string): ReturnType<typeof createTapeDecoder> => {
      const decoder = createTapeDecoder({ file: 'f' });
      const bytes = compressFrame(Buffer.from(text));
      bytes.copy(decoder.room(bytes.length));
      decoder.filled(bytes.length);
      return decoder;
    };
    const textOf = (decoder: ReturnType<typeof createTapeDecoder>): string => {
      const item = decoder.next();
      return item !== null && 'bytes' in item ? item.bytes.toString('utf8', item.from, item.to) : '';
    };
    feed(frameTexts[0]).close();
    // the input stands in each of them before any is read
    const decoders = frameTexts.map(feed);
    expect(decoders.map(textOf)).toEqual(frameTexts);
    for (const decoder of decoders) decoder.close();
  });

  test('frames and first lines are numbered', () => {
    const numbers: number[][] = [];
    for (const item of decode(tape)) if ('bytes' in item) numbers.push([item.frame, item.line]);
    expect(numbers).toEqual([
      [0, 1],
      [1, 7],
      [2, 12],
      [3, 17],
    ]);
    for (const item of decode(Buffer.from(whole))) expect('bytes' in item && [item.frame, item.line]).toEqual([-1, 1]);
  });

  test('skippable and empty frames, lines across frames, a last line without newline', async () => {
    const text = Buffer.from(whole.slice(0, -1));
    const parts = [0, 10, 11, 400, 401, text.length].map((at, n, all) => text.subarray(n === 0 ? 0 : all[n - 1], at));
    const foreign = parts.flatMap((part) => [skippable, compressFrame(part)]);
    for (const pieces of [[], [1], [64]]) {
      const found = await collect(decode(Buffer.concat([...foreign, skippable]), pieces));
      expect(found.text).toBe(whole);
      expect(found.damage).toEqual([]);
    }
    expect((await collect(decode(text, [100]))).text).toBe(whole);
  });

  test.skipIf(!hasTool('zstd'))('streams of zstd without a content size, and very large frames', async () => {
    const line = `${JSON.stringify({ t: T0, src: 'v:S', note: 'x'.repeat(1000) })}\n`;
    const text = line.repeat(20_000);
    for (const args of [['-c'], ['-c', `--stream-size=${text.length}`], ['-c', '-1', '--no-check']]) {
      const bytes = spawnSync('zstd', args, { input: text, maxBuffer: 1e8 }).stdout;
      const found = await collect(decode(Buffer.concat([bytes, skippable, bytes]), [65_536]));
      expect(found.text === text + text).toBe(true);
      expect(found.batches).toBeGreaterThan(15);
    }
  });

  test('empty input is an empty tape', async () => {
    expect(await collect(decode(Buffer.alloc(0)))).toMatchObject({ text: '', damage: [] });
  });
});

describe('damaged input', () => {
  test('every cut: the lines before it, and damage unless it falls between frames', async () => {
    for (let cut = 1; cut < tape.length; cut++) {
      const found = await collect(decode(tape.subarray(0, cut)));
      expect(whole.startsWith(found.text)).toBe(true);
      const complete = offsets.findLastIndex((offset) => offset <= cut);
      expect(found.text.startsWith(frameTexts.slice(0, complete).join(''))).toBe(true);
      const clean = offsets.includes(cut);
      expect([cut, found.damage.map((damage) => damage.code)]).toEqual([
        cut,
        clean ? [] : cut < 4 ? found.damage.map((d) => d.code) : ['E_TRUNCATED'],
      ]);
    }
  });

  test('a cut frame gives the lines of its whole blocks', async () => {
    const text = sampleLines(3000).join('');
    const frame = compressFrame(Buffer.from(text), 1);
    const found = await collect(decode(frame.subarray(0, frame.length - 20)));
    expect(text.startsWith(found.text)).toBe(true);
    expect(found.text.length).toBeGreaterThan(text.length / 2);
    expect(found.damage).toMatchObject([{ code: 'E_TRUNCATED', bytes: frame.length - 20, frame: 0 }]);
  });

  test('every flipped byte: at most one frame is lost, and it is said', async () => {
    for (let at = 0; at < tape.length; at++) {
      const flipped = Buffer.from(tape);
      flipped[at] ^= 0x55;
      const hit = offsets.findLastIndex((offset) => offset <= at);
      const found = await collect(decode(flipped, [97]));
      const others = frameTexts.filter((_, n) => n !== hit).join('');
      if (found.text === whole) continue;
      // what is left of a last frame that seems cut may be given out
      expect([at, found.text.startsWith(others)]).toEqual([at, true]);
      if (hit < frames.length - 1) expect([at, found.text.length]).toEqual([at, others.length]);
      expect(found.damage).toHaveLength(1);
      expect(found.damage[0]).toMatchObject({ file: 'f', frame: hit });
    }
  });

  test('bytes between frames are skipped and counted', async () => {
    const garbage = Buffer.concat([Buffer.from('garbage'), Buffer.from('28b52ffd', 'hex'), Buffer.alloc(50, 7)]);
    const found = await collect(decode(Buffer.concat([frames[0], frames[1], garbage, frames[2], frames[3]])));
    expect(found.text).toBe(whole);
    expect(found.damage).toMatchObject([{ code: 'E_FRAME_CORRUPT', bytes: garbage.length, line: 12 }]);
  });

  test('two damaged frames are two damages', async () => {
    const flipped = Buffer.from(tape);
    flipped[offsets[1] + 30] ^= 1;
    flipped[offsets[2] + 30] ^= 1;
    const found = await collect(decode(flipped));
    expect(found.text).toBe(frameTexts[0] + frameTexts[3]);
    expect(found.damage.map(({ frame, bytes }) => [frame, bytes])).toEqual([
      [1, frames[1].length],
      [2, frames[2].length],
    ]);
  });

  test('half a line before damage, and the rest after it, are damage too', async () => {
    const cutAt = 250;
    const foreign = [whole.slice(0, cutAt), whole.slice(cutAt, 600), whole.slice(600)].map((text) =>
      compressFrame(Buffer.from(text)),
    );
    foreign[1][40] ^= 1;
    const found = await collect(decode(Buffer.concat(foreign)));
    const first = whole.slice(0, whole.lastIndexOf('\n', cutAt) + 1);
    const last = whole.slice(whole.indexOf('\n', 600) + 1);
    expect(found.text).toBe(first + last);
    expect(found.damage.map((damage) => damage.code)).toEqual(['E_FRAME_CORRUPT', 'E_LINE']);
  });
});

describe('long lines', () => {
  test('a line over the limit is damage, its neighbours are not', async () => {
    const start = `{"t":${T0},"src":"v:S","x":1}\n`;
    const long = Buffer.alloc(MAX_LINE_BYTES + 1, 0x20);
    long[MAX_LINE_BYTES] = 0x0a;
    const bytes = Buffer.concat([Buffer.from(start), long, Buffer.from(start)]);
    const found = await collect(decode(bytes, [1 << 20]));
    expect(found.text).toBe(start + start);
    expect(found.damage).toMatchObject([{ code: 'E_LINE', line: 2, bytes: MAX_LINE_BYTES + 1 }]);
  });

  test('a line at the limit is given out', () => {
    const head = `{"t":${T0},"src":"v:S","x":"`;
    const long = Buffer.alloc(MAX_LINE_BYTES, 0x78);
    long.write(head, 0);
    long.write('"}\n', MAX_LINE_BYTES - 3);
    let lines = 0;
    for (const item of decode(long, [1 << 20])) if ('bytes' in item && item.to - item.from === MAX_LINE_BYTES) lines++;
    expect(lines).toBe(1);
  });
});

describe('not a tape', () => {
  test.each([
    ['text', Buffer.from('hello world\n')],
    ['three bytes', Buffer.from('abc')],
    ['other JSON', Buffer.from('{"event":1}\n')],
    ['an array', Buffer.from('[1]\n')],
    ['zstd of something else', compressFrame(Buffer.from('a,b,c\n'))],
    ['random bytes', Buffer.from('89504e470d0a1a0a0000000d', 'hex')],
    ['bytes that contain a magic', Buffer.from('8950283c28b52ffd0a0000000d', 'hex')],
  ])('%s', async (_, bytes) => {
    await expect(collect(decode(bytes))).rejects.toMatchObject({ code: 'E_NOT_A_TAPE', place: { file: 'f' } });
    await expect(collect(decode(bytes, [1]))).rejects.toMatchObject({ code: 'E_NOT_A_TAPE' });
  });

  test('gzip gets a hint', async () => {
    await expect(collect(decode(Buffer.from('1f8b080000000000', 'hex')))).rejects.toThrow(/gzip/);
  });
});

test('much text of lines too short to be entries is one damage, and what stands before and after it is read', () => {
  const lines = sampleLines(3);
  const short = Buffer.alloc(300_000, '{}\n');
  const bytes = Buffer.concat(
    [lines.slice(0, 2).join(''), short, lines.slice(2).join('')].map((text) => compressFrame(Buffer.from(text))),
  );
  const decoder = createTapeDecoder({ file: 'f' });
  decoder.room(bytes.length).set(bytes);
  decoder.filled(bytes.length);
  decoder.end();
  const found: string[] = [];
  for (let item = decoder.next(); item !== null; item = decoder.next())
    found.push(
      'damage' in item ? `${item.damage.line}: ${item.damage.message}` : `${item.line}: ${item.to - item.from}`,
    );
  expect(found).toEqual([
    `1: ${lines.slice(0, 2).join('').length}`,
    '3: 100000 lines too short to be entries were skipped',
    `100003: ${lines.slice(2).join('').length}`,
  ]);
});
