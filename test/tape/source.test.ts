/** Ranges of time: what `replay --from --to` gives, with and without an index, against a model in memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listSegments, readSegments, readTape, selectRange } from '../../src/tape/reader.js';
import { createTapeWriter } from '../../src/tape/writer.js';
import {
  bookLine,
  collect,
  flowOf,
  headerLine,
  message,
  opening,
  SRC,
  sampleLines,
  T0,
  temporaryFolder,
  timeIn,
} from './tapes.js';

const withFrom = (line: string, from: number): string => line.replace(/\}\}$/, `,"from":${from}}}`);

/** Header with `from`, the last checkpoint at or before it, every line after that, nothing at or after `to`. */
function model(lines: string[], from: number | undefined, to: number | undefined): string[] {
  if (from !== undefined && to !== undefined && to <= from) return [];
  let kept = lines;
  if (from !== undefined) {
    const header = lines.findLastIndex((line) => line.includes('"tape":') && timeIn(line) <= from);
    const book = lines.findLastIndex((line) => line.includes('T","book":') && timeIn(line) <= from);
    kept = header < 0 ? lines : [withFrom(lines[header], from), ...lines.slice(Math.max(book, header + 1))];
  }
  return kept.filter((line) => to === undefined || timeIn(line) < to);
}

describe('against the model', () => {
  test('property: any range, from files and from a stream in any batches', async () => {
    const out = temporaryFolder();
    const writer = createTapeWriter({ out, src: SRC, now: T0, opening, frameBytes: 400, rotateEvery: 60e6 });
    for (let i = 1; i <= 130; i++) {
      const t = writer.stamp(T0 + i * 1e6);
      if (i % 17 === 5) writer.write(bookLine(t), t, { checkpoint: true });
      else writer.write(message(t, '{"book":"a message that says book"}'), t);
    }
    await writer.seal();
    const segments = await listSegments([out]);
    expect(segments).toHaveLength(3);
    const { lines, text } = await collect(readSegments(segments));
    const time = fc.option(
      fc.oneof(
        fc.integer({ min: -3_000_000, max: 135_000_000 }),
        fc.nat(130).map((i) => i * 1e6),
      ),
      { nil: undefined },
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(time, time, sizes, async (after, before, batches) => {
        const from = after === undefined ? undefined : T0 + after;
        const to = before === undefined ? undefined : T0 + before;
        const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        const expected = model(lines, from, to);
        expect((await collect(readSegments(segments, range))).lines).toEqual(expected);
        const texts: string[] = [];
        for (let p = 0, turn = 0; p < lines.length; turn++) {
          const size = batches[turn % batches.length];
          texts.push(
            lines
              .slice(p, p + size)
              .map((line) => `${line}\n`)
              .join(''),
          );
          p += size;
        }
        expect((await collect(selectRange(flowOf(texts), from, to))).lines).toEqual(expected);
      }),
      { numRuns: 60 },
    );
    expect((await collect(readTape([out]))).text).toBe(text);
  });
});

test('each src of a stream has its own header and checkpoint', async () => {
  const other = 'binance-spot:BTCUSDT';
  const a = sampleLines(20, 6);
  const b = sampleLines(20, 7, other, T0 + 500);
  const lines = [...a, ...b].sort((x, y) => timeIn(x) - timeIn(y));
  const from = T0 + 15_000;
  const { lines: found } = await collect(selectRange(flowOf([lines.join('')]), from, undefined));
  for (const [src, all] of [
    [SRC, a],
    [other, b],
  ] as const)
    expect(found.filter((line) => line.includes(`"${src}"`))).toEqual(
      model(
        all.map((line) => line.trimEnd()),
        from,
        undefined,
      ),
    );
});

test('a slice of a slice keeps the later from, and unknown header keys', async () => {
  const header = headerLine(T0).replace('"version"', '"unknown":[1],"version"');
  const lines = [header, ...sampleLines(10).slice(1)];
  const once = await collect(selectRange(flowOf([lines.join('')]), T0 + 5000, undefined));
  const twice = await collect(selectRange(flowOf([once.text]), T0 + 3000, undefined));
  expect(twice.lines[0]).toBe(withFrom(header.trimEnd(), T0 + 5000));
});

test('a range after the end still gives the state at the end', async () => {
  const lines = sampleLines(10, 6);
  const { lines: found } = await collect(selectRange(flowOf([lines.join('')]), T0 + 1e9, undefined));
  expect(found).toEqual(
    model(
      lines.map((line) => line.trimEnd()),
      T0 + 1e9,
      undefined,
    ),
  );
});

test('damage before the range passes through', async () => {
  const damage = { damage: { code: 'E_FRAME_CORRUPT' as const, file: 'f', frame: 1, line: 3, bytes: 9, message: 'm' } };
  async function* flow() {
    yield* flowOf([sampleLines(3).join('')]);
    yield damage;
    yield* flowOf([message(T0 + 9000).toString()]);
  }
  const found = await collect(selectRange(flow(), T0 + 5000, undefined));
  expect([found.lines.length, found.damage]).toEqual([5, [damage.damage]]);
});
