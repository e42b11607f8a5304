/** Frames: what is written is what zstd expects, and headers are read without decompressing. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressFrame, decompressFrame, frameExtent, frameHeader, StreamDecompressor } from '../../src/tape/frame.js';
import { hasTool } from './tapes.js';

const text = Buffer.from('{"t":1723161255030314,"src":"binance-usdm:BTCUSDT"}\n'.repeat(500));

describe('compressFrame', () => {
  test('property: round trip with size and checksum', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.constantFrom(1, 6, 12), (content, level) => {
        const frame = compressFrame(content, level);
        expect(frameHeader(frame, 0)).toMatchObject({ kind: 'zstd', contentBytes: content.length, checksum: true });
        expect(frameExtent(frame, 0)).toBe(frame.length);
        const into = Buffer.alloc(content.length + 10);
        expect(decompressFrame(frame, into)).toBe(content.length);
        expect(into.subarray(0, content.length)).toEqual(Buffer.from(content));
      }),
    );
  });

  test('a level gives the same frame whatever levels came before', () => {
    const lines = Buffer.from(
      Array.from({ length: 2000 }, (_, n) => `{"n":${n},"p":"${(n * n * 7919) % 100_003}"}\n`).join(''),
    );
    const levels = [1, 3, 6, 9, 12, 15];
    const once = levels.map((level) => compressFrame(lines, level));
    expect(levels.toReversed().map((level) => compressFrame(lines, level))).toEqual(once.toReversed());
    expect(once[3].length).toBeLessThan(once[1].length);
  });

  test('any flipped bit is noticed', () => {
    const frame = compressFrame(text.subarray(0, 2000));
    const into = Buffer.alloc(4000);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = Buffer.from(frame);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      let same = false;
      try {
        same = decompressFrame(flipped, into) === 2000 && into.subarray(0, 2000).equals(text.subarray(0, 2000));
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_FRAME_CORRUPT' });
        continue;
      }
      // a bit nobody reads (unused header bit) may leave the same text, never another
      expect(same).toBe(true);
    }
  });

  test.skipIf(!hasTool('zstd'))('zstd reads it, and its checksum flag is set', () => {
    const frame = compressFrame(text);
    expect(spawnSync('zstd', ['-dc'], { input: frame }).stdout).toEqual(text);
  });
});

describe('frameHeader and frameExtent', () => {
  test('every prefix asks for more, never fails', () => {
    const frame = compressFrame(text);
    for (let to = 0; to < frame.length; to++) expect(frameExtent(frame, 0, to)).toBe(0);
  });

  test('skippable frames', () => {
    const skippable = Buffer.from('5e2a4d18030000000102030a', 'hex');
    expect(frameHeader(skippable, 0)).toEqual({ kind: 'skippable', magic: 0x184d2a5e, frameBytes: 11 });
    expect(frameExtent(skippable, 0)).toBe(11);
    expect(frameExtent(skippable, 0, 10)).toBe(0);
  });

  test('not a frame', () => {
    expect(frameHeader(Buffer.from('{"t":1'), 0).kind).toBe('bad');
    expect(frameExtent(Buffer.from('{"t":1'), 0)).toBe(-1);
  });

  test.skipIf(!hasTool('zstd'))('sizes of every header form that zstd writes', () => {
    for (const size of [0, 1, 255, 256, 300, 65_791, 65_792, 300_000])
      for (const flags of [[], ['--no-check'], ['--no-content-size']]) {
        const content = Buffer.alloc(size, 'abc{"x":1}\n');
        const args = ['-c', `--stream-size=${size}`, ...flags];
        const frame = spawnSync('zstd', args, { input: content }).stdout;
        const header = frameHeader(frame, 0);
        expect(header.kind).toBe('zstd');
        if (header.kind === 'zstd') expect([null, size]).toContain(header.contentBytes);
        expect(frameExtent(frame, 0)).toBe(frame.length);
      }
    const unknown = frameHeader(spawnSync('zstd', ['-c'], { input: text }).stdout, 0);
    expect(unknown).toMatchObject({ kind: 'zstd', contentBytes: null, checksum: true });
  });
});

describe('StreamDecompressor', () => {
  test('pieces of any size, frame after frame', () => {
    const both = Buffer.concat([compressFrame(text), compressFrame(text)]);
    const stream = new StreamDecompressor();
    const into = Buffer.alloc(1000);
    const parts: Buffer[] = [];
    let frames = 0;
    for (let p = 0; p < both.length; ) {
      const { consumed, produced, frameDone } = stream.step(both.subarray(p, p + 7), into);
      parts.push(Buffer.from(into.subarray(0, produced)));
      p += consumed;
      if (frameDone) frames++;
    }
    expect(Buffer.concat(parts)).toEqual(Buffer.concat([text, text]));
    expect(frames).toBe(2);
  });
});
