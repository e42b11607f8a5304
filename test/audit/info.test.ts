/** What info says of tapes, and that sealed ones are not read for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { inspectTapes } from '../../src/audit/info.js';
import { openSegment } from '../../src/tape/reader.js';
import { tailsOf } from '../../src/tape/segment.js';
import { market, SRC, START, tapeLines, temporaryFolder, writeSegment } from './market-lines.js';

const NOTHING = Readable.from([]);
const lines = tapeLines(market(100));
const text = lines.join('');

test('a sealed segment: everything from header and index, even when frames between are damaged', async () => {
  const path = join(temporaryFolder(), 'a.ndjson.zst');
  await writeSegment(path, lines);
  const bytes = readFileSync(path);
  const { frames } = openSegment(path).index();
  bytes.fill(0, frames[2].offset, frames[4].offset);
  writeFileSync(path, bytes);
  const { sources, faults } = await inspectTapes([path], NOTHING);
  expect(faults).toEqual([]);
  expect(sources).toMatchObject([
    {
      src: SRC,
      header: { venue: 'binance-usdm', channels: ['depth', 'trade', 'bookTicker'] },
      first: START - 2,
      last: START + 300_000 + 2,
      entries: lines.length + 1, // the index is an entry too
      bytes: bytes.length,
      textBytes: text.length,
      sealed: true,
      recorders: ['rec1'],
      tools: ['test'],
      damage: 0,
      segments: [{ file: path, sealed: true, recorder: 'rec1' }],
    },
  ]);
});

test('an unsealed segment is read, with its tail and its damage', async () => {
  const path = join(temporaryFolder(), 'a.ndjson.zst');
  await writeSegment(path, lines, 50, false);
  const whole = await inspectTapes([path], NOTHING);
  const [tail] = tailsOf(path);
  const size = readFileSync(path).length + readFileSync(tail.path).length;
  expect(whole.sources).toMatchObject([
    { entries: lines.length, bytes: size, textBytes: text.length, sealed: false, damage: 0 },
  ]);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
  const damaged = await inspectTapes([path], NOTHING);
  expect(damaged.sources).toMatchObject([{ damage: 1, sealed: false }]);
});

test('a pipe is counted line by line', async () => {
  const { sources } = await inspectTapes(['-'], Readable.from([Buffer.from(text)]));
  expect(sources).toMatchObject([
    {
      src: SRC,
      entries: lines.length,
      textBytes: text.length,
      first: START - 2,
      last: START + 300_000,
      recorders: ['rec1'],
    },
  ]);
});

test('segments of one src are one answer; what cannot be read is named', async () => {
  const folder = temporaryFolder();
  await writeSegment(join(folder, 'a.ndjson.zst'), lines);
  await writeSegment(
    join(folder, 'b.ndjson.zst'),
    lines.map((line) => line.replaceAll('rec1', 'rec2')),
  );
  await writeSegment(join(folder, 'd.ndjson.zst'), lines);
  writeFileSync(join(folder, 'c.ndjson.zst'), 'hello');
  const { sources, faults } = await inspectTapes([folder], NOTHING);
  expect(sources).toMatchObject([{ recorders: ['rec1', 'rec2'], entries: 3 * (lines.length + 1), tools: ['test'] }]);
  expect(sources[0].segments).toHaveLength(3);
  expect(faults).toMatchObject([{ file: join(folder, 'c.ndjson.zst') }]);
});
