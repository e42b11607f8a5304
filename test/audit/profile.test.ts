/** Which way messages took is told for each src, whatever their order and whatever stands between them. */

import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { inspectTapes } from '../../src/audit/info.js';
import { createProfiler } from '../../src/audit/profile.js';
import { market, SRC, tapeLines, temporaryFolder, writeSegment } from './market-lines.js';

const OTHER = 'binance-usdm:XYZUSDT';
const lines = tapeLines(market(20));

/** The lines with the nth message (1 for the first) changed in each of these ways. */
function changed(changes: Record<number, (line: string) => string>): string[] {
  let n = 0;
  return lines.map((line) => (line.includes('"msg":') ? (changes[++n]?.(line) ?? line) : line));
}

const ODD = changed({
  1: (line) => line.replace('"e":"depthUpdate",', '').replace('"s":', '"e":"depthUpdate","s":'),
  2: (line) => line.replace('"data":{', '"data":{"zz":[{"b":1}],'),
  3: (line) => line.replace('"100.0"', '"1e2"'),
  4: (line) => line.replace('@depth@100ms', '@what'),
  5: (line) => line.replace('"ABCUSDT","b"', '"ABCUSDX","b"'),
  6: (line) => line.replace('"p":', '"\\u0070":'),
});

function profileOf(text: string, src = SRC) {
  const profiler = createProfiler();
  const bytes = Buffer.from(`}${text}{`);
  profiler.take({ bytes, from: 1, to: bytes.length - 1 });
  return profiler.of(src);
}

test('usual messages are fast, other keys general, odd numbers, escapes, unknown and invalid ones slow', () => {
  expect(profileOf(lines.join(''))).toEqual({ fast: 60, general: 0, slow: 0, unknown: 0, invalid: 0 });
  expect(profileOf(ODD.join(''))).toEqual({ fast: 54, general: 2, slow: 4, unknown: 1, invalid: 1 });
});

test('each src has its own counts, line by line', () => {
  const others = lines.map((line) => line.replaceAll('ABCUSDT', 'XYZUSDT').replaceAll('abcusdt', 'xyzusdt'));
  const mixed = ODD.flatMap((line, n) => [line, others[n]]).join('');
  expect(profileOf(mixed)).toMatchObject({ fast: 54, general: 2, slow: 4 });
  expect(profileOf(mixed, OTHER)).toEqual({ fast: 60, general: 0, slow: 0, unknown: 0, invalid: 0 });
});

test('messages that no header explains are not counted, nor are lines that are none', () => {
  const none = { fast: 0, general: 0, slow: 0, unknown: 0, invalid: 0 };
  expect(profileOf(lines.slice(1).join(''))).toEqual(none);
  expect(profileOf(lines.join('').replace('"venue":"binance-usdm"', '"venue":"elsewhere"'))).toEqual(none);
  for (const instrument of ['', '"instrument":null,'])
    expect(profileOf(lines.join('').replace(/"instrument":\{.*?\},/, instrument))).toEqual(none);
  expect(profileOf(['garbage\n', '\n', ...lines, '{"t":1', '\n'].join(''))).toMatchObject({ fast: 60 });
});

test('sealed and unsealed segments and a pipe give the same counts; without a profiler nothing more is read', async () => {
  const [sealed, open] = ['a', 'b'].map((name) => join(temporaryFolder(), `${name}.ndjson.zst`));
  await writeSegment(sealed, ODD);
  await writeSegment(open, ODD, 50, false);
  for (const path of [sealed, open, '-']) {
    const profiler = createProfiler();
    await inspectTapes([path], Readable.from([Buffer.from(ODD.join(''))]), { profiler });
    expect([path, profiler.of(SRC)]).toEqual([path, { fast: 54, general: 2, slow: 4, unknown: 1, invalid: 1 }]);
  }
});
