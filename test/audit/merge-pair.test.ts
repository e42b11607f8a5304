/** Which messages of two recorders are the same: held against all ways to make one sequence of two. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pair } from '../../src/audit/merge-pair.js';
import type { Item } from '../../src/audit/merge-reader.js';

const item = (digest: string, t: number, conn = 'x.1'): Item => ({
  ...{ t, line: Buffer.alloc(0), entry: null, conn, stream: 'trade', id: 1, digest, lag: Number.NaN },
});

/** The sequence that both make: the base's messages, and the missing ones at their time. */
function merged(ours: readonly [string, number][], theirs: readonly [string, number][]): { all: string[]; pair: Pair } {
  const added: [string, number][] = [];
  const pair = new Pair({ matched: () => {}, missing: ({ digest }, t) => void added.push([digest, t]) });
  for (const [digest, t] of ours) pair.add('base', item(digest, t), t, true);
  for (const [digest, t] of theirs) pair.add('other', item(digest, t), t, true);
  pair.settle(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  const all: string[] = [];
  let next = 0;
  for (const [digest, t] of ours) {
    while (next < added.length && added[next][1] < t) all.push(added[next++][0]);
    all.push(digest);
  }
  all.push(...added.slice(next).map(([digest]) => digest));
  return { all, pair };
}

const timed = (digests: readonly string[], step = 10): [string, number][] =>
  digests.map((digest, n) => [digest, 1000 + n * step]);

/** Length of a longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (const [n, y] of b.entries()) next.push(x === y ? row[n] + 1 : Math.max(row[n + 1], next[n]));
    row = next;
  }
  return row[b.length];
}

const isWithin = (part: readonly string[], whole: readonly string[]): boolean => common(part, whole) === part.length;

test('of rows that may all be alike: the shortest sequence that holds both', () => {
  const rows = fc.array(fc.constantFrom('a', 'b'), { maxLength: 14 });
  fc.assert(
    fc.property(rows, rows, (a, b) => {
      // what both have once is one message in another order: told apart elsewhere
      const once = (list: string[], one: string): boolean => list.filter((other) => other === one).length === 1;
      fc.pre(!['a', 'b'].some((one) => once(a, one) || once(b, one)));
      const { all, pair } = merged(timed(a), timed(b));
      expect(isWithin(a, all)).toBe(true);
      expect(isWithin(b, all)).toBe(true);
      expect(all).toHaveLength(a.length + b.length - common(a, b));
      expect(pair.counts).toMatchObject({ base: a.length, other: b.length, common: common(a, b) });
    }),
  );
});

test('of messages that are all different: each once, in the venue’s order, whatever either lost', () => {
  const loss = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(loss, loss, (a, b) => {
      const venue = Array.from({ length: 40 }, (_, n) => String(n));
      const [ours, theirs] = [a, b].map((lost) => timed(venue).filter((_, n) => !lost[n]));
      const { all, pair } = merged(ours, theirs);
      expect(all).toEqual(venue.filter((_, n) => !a[n] || !b[n]));
      expect(pair.counts.reordered).toBe(0);
    }),
  );
});

test('messages in another order are the same ones', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...'abcdefgh'], { minLength: 8 }), (shuffled) => {
      const { all, pair } = merged(timed([...'abcdefgh']), timed(shuffled));
      expect(all).toEqual([...'abcdefgh']);
      expect(pair.counts).toMatchObject({ common: 8, onlyBase: 0, onlyOther: 0 });
      expect(pair.counts.reordered > 0).toBe(shuffled.join('') !== 'abcdefgh');
    }),
  );
});

test('what another connection of a recorder brought again is a copy, rows that are alike are none', () => {
  const pair = new Pair({ matched: () => {}, missing: () => {} });
  for (const [digest, conn] of [
    ['x', 'k.1'],
    ['x', 'k.2'],
    ['x', 'k.2'],
    ['x', 'k.1'],
    ['y', 'k.2'],
  ])
    pair.add('base', item(digest, 1, conn), 1, true);
  expect(pair.counts).toMatchObject({ base: 3, copies: 2 });
});

test('nothing is decided before its like could have come', () => {
  const missing: string[] = [];
  const pair = new Pair({ matched: () => {}, missing: ({ digest }) => void missing.push(digest) });
  pair.add('other', item('a', 1000), 1000, true);
  pair.settle(500, 999);
  expect(missing).toEqual([]);
  pair.add('base', item('b', 1100), 1100, true);
  pair.settle(1000, 1000);
  expect(missing).toEqual(['a']);
  pair.add('other', item('b', 9000), 9000, true);
  pair.settle(1050, 1050);
  expect(pair.counts).toMatchObject({ common: 1, onlyOther: 1, onlyBase: 0 });
});
