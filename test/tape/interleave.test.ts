/** Merging by time: equal to a stable sort in memory, in runs, with damage in its place. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LineFlow } from '../../src/model/batch.js';
import { interleave } from '../../src/tape/interleave.js';
import { collect, flowOf, message, T0, timeIn } from './tapes.js';

const lineAt = (t: number, input: number): string => message(T0 + t, String(input), `v:${input}`).toString();

test('property: equals a stable sort, for any times and batches', async () => {
  const input = fc.array(fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.array(input, { maxLength: 5 }), async (inputs) => {
      const flows: string[][] = inputs.map((batches, n) => {
        const times = batches.flat().sort((a, b) => a - b);
        return batches.map((batch) =>
          times
            .splice(0, batch.length)
            .map((t) => lineAt(t, n))
            .join(''),
        );
      });
      const expected = flows
        .flatMap((texts) => texts.join('').split('\n').slice(0, -1))
        .sort((a, b) => timeIn(a) - timeIn(b));
      const found = await collect(interleave(flows.map((texts, n) => flowOf(texts, String(n)))));
      expect(found.lines).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('lines that nothing else precedes go as one batch, with their place', async () => {
  const a = [1, 2, 3, 10, 11].map((t) => lineAt(t, 0)).join('');
  const b = [4, 5, 6, 12].map((t) => lineAt(t, 1)).join('');
  const places: [string, number, number][] = [];
  for await (const item of interleave([flowOf([a], 'a'), flowOf([b], 'b')]))
    if ('bytes' in item)
      places.push([item.file, item.line, item.bytes.toString('utf8', item.from, item.to).split('\n').length - 1]);
  expect(places).toEqual([
    ['a', 1, 3],
    ['b', 1, 3],
    ['a', 4, 2],
    ['b', 4, 1],
  ]);
});

test('damage and lines without a time keep their place in their own flow', async () => {
  const damage = { damage: { code: 'E_LINE' as const, file: 'a', frame: 0, line: 2, bytes: 5, message: 'm' } };
  async function* broken(): LineFlow {
    yield* flowOf([lineAt(1, 0)]);
    yield damage;
    yield* flowOf(['not an entry\n', `${lineAt(7, 0)}bad\n${lineAt(9, 0)}`]);
  }
  const b = [2, 8].map((t) => lineAt(t, 1)).join('');
  const found = await collect(interleave([broken(), flowOf([b])]));
  expect(found.damage).toEqual([damage.damage]);
  expect(found.lines.map((line) => (line[0] === '{' ? timeIn(line) - T0 : line))).toEqual([
    1,
    'not an entry',
    2,
    7,
    'bad',
    8,
    9,
  ]);
});

test('no flows, one flow, and a consumer that stops', async () => {
  expect((await collect(interleave([]))).lines).toEqual([]);
  expect((await collect(interleave([flowOf([lineAt(1, 0)])]))).lines).toHaveLength(1);
  let closed = 0;
  async function* watched(n: number): LineFlow {
    try {
      yield* flowOf([lineAt(n, n), lineAt(n + 2, n)]);
    } finally {
      closed++;
    }
  }
  for await (const _ of interleave([watched(0), watched(1)])) break;
  expect(closed).toBe(2);
});
