/** Metered flows pass everything on and tell what share of their files was read. */
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { LineFlow } from '../../src/model/batch.js';
import { metered } from '../../src/tape/meter.js';
import { openSegment } from '../../src/tape/segment.js';
import { readSegments } from '../../src/tape/source.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import { collect, message, opening, SRC, T0, temporaryFolder } from './tapes.js';

test('the bytes told are those of the files, the frame read last aside', async () => {
  const out = temporaryFolder();
  const writer = createTapeWriter({ out, src: SRC, now: T0, opening, flushMs: null, frameBytes: 2000 });
  const paths = [writer.path];
  for (let n = 1; n <= 400; n++) {
    if (n === 200) {
      writer.rotate(T0 + n * 1000);
      paths.push(writer.path);
    } else writer.write(message(T0 + n * 1000), T0 + n * 1000);
  }
  await writer.seal();
  const segments = paths.map(openSegment);
  const read: number[] = [];
  const flow: LineFlow = metered(readSegments(segments), segments, 1, (bytes) => void read.push(bytes));
  expect((await collect(flow)).lines).toEqual((await collect(readSegments(segments))).lines);
  const sum = read.reduce((total, bytes) => total + bytes, 0);
  expect(sum).toBe(statSync(paths[0]).size + segments[1].index().end);
  const later = { from: T0 + 300_000 };
  const part: number[] = [];
  await collect(metered(readSegments(segments, later), segments, 1, (bytes) => void part.push(bytes)));
  expect(part.reduce((total, bytes) => total + bytes, 0)).toBeLessThan(sum);
});
