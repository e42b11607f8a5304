/** Any market by two or three connections that are late, miss runs, end and open again, is the market by one that is sound. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../src/model/entry.js';
import { START } from '../venues/served.js';
import {
  createReader,
  hearMarket,
  type Link,
  linesOf,
  type Read,
  type Reader,
  read,
  type Sound,
  soundLink,
} from './several.js';

const SECONDS = 8;
const SECOND = 1_000_000;
/** By then the book is valid; a connection that opened so long ago brings all streams. */
const BEGUN = 3 * SECOND;
/** Where connections end and open again, whole steps behind the start. */
const ENDS = [3.5, 4.5].map((seconds) => START + seconds * SECOND);
const OPENS = [3.6, 4, 4.7].map((seconds) => START + seconds * SECOND);

interface Heard {
  sound: Sound;
  single: Read;
}

const known = new Map<string, Heard>();

function heardOf(id: string, seed: number): Heard {
  const key = `${id} ${seed}`;
  let heard = known.get(key);
  if (heard === undefined) {
    const sound = hearMarket(id, { seed, seconds: SECONDS, openings: OPENS });
    heard = { sound, single: read(linesOf(sound, [soundLink('a')])) };
    known.set(key, heard);
  }
  return heard;
}

interface Shape {
  seed: number;
  delays: { delay: number; jitter: number }[];
  /** lengths of runs, by whom each is brought for sure, and whether the others miss it */
  runs: { length: number; keeper: number; missed: boolean[] }[];
  /** the first connection ends, and another takes its place */
  renewed: { end: number; open: number } | null;
}

const late = fc.record({ delay: fc.integer({ min: 0, max: 800_000 }), jitter: fc.integer({ min: 0, max: 200_000 }) });
const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.integer({ min: 1, max: 3 }),
  delays: fc.array(late, { minLength: 2, maxLength: 3 }),
  runs: fc.array(
    fc.record({
      length: fc.integer({ min: 1, max: 40 }),
      keeper: fc.nat(3),
      missed: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    }),
    { minLength: 5, maxLength: 60 },
  ),
  renewed: fc.option(fc.record({ end: fc.constantFrom(...ENDS), open: fc.constantFrom(...OPENS) })),
});

/** Links of a shape: every message is brought by one that was there long before it and is there when it comes. */
function linksOf({ delays, runs, renewed }: Shape, { heard }: Sound): Link[] {
  const links: Link[] = delays.map((one, n) => ({ ...soundLink(`c${n}`), ...one }));
  if (renewed !== null) {
    links[0].to = renewed.end;
    links.push({ ...soundLink('again'), ...delays[0], from: renewed.open });
  }
  const missed = links.map(() => new Set<number>());
  let begin = heard.findIndex(({ at }) => at > START + BEGUN);
  for (let r = 0; begin < heard.length; r++) {
    const run = runs[r % runs.length];
    const end = Math.min(heard.length, begin + run.length);
    const keeps = ({ from, to, delay, jitter }: Link): boolean =>
      heard[begin].at > from + BEGUN && heard[end - 1].at + delay + jitter < to;
    const keepers = links.filter(keeps);
    const keeper = keepers[run.keeper % keepers.length];
    // one that has just opened is not known to bring a stream before it did
    for (const [n, link] of links.entries())
      if (link !== keeper && run.missed[n] && heard[begin].at > link.from + BEGUN)
        for (let i = begin; i < end; i++) missed[n].add(i);
    begin = end;
  }
  return links.map((link, n) => ({ ...link, misses: (i) => missed[n].has(i) }));
}

function expectSameBooks(several: Read, single: Read): void {
  // a snapshot over REST joins what came before it, which is more or less of it
  const begin = Math.max(several.applied[0], single.applied[0]);
  const applied = several.applied.filter((id) => id >= begin);
  expect(applied.length).toBeGreaterThan(single.applied.length / 2);
  expect(applied).toEqual(single.applied.filter((id) => id >= begin));
  for (const id of applied) expect(several.books.get(id)).toBe(single.books.get(id));
  expect(several.final).toBe(single.final);
  expect(several).toMatchObject({
    state: 'valid',
    lost: 0,
    counts: { bookGaps: 0, stale: 0, crossed: single.counts.crossed },
  });
}

/** Every property, tried so many times. */
export function describeUnion(numRuns: number): void {
  describe.each(['binance-usdm', 'binance-spot', 'okx-swap', 'bybit-linear', 'mexc-futures', 'weex-futures'])(
    '%s',
    (id) => {
      const numbered = !['bybit-linear', 'mexc-futures', 'weex-futures'].includes(id);

      test('what one connection lacks another brings', () => {
        fc.assert(
          fc.property(shapes, (shape) => {
            const { sound, single } = heardOf(id, shape.seed);
            const several = read(linesOf(sound, linksOf(shape, sound), shape.seed));
            expectSameBooks(several, single);
            expect(several.touches).toEqual([...new Set(several.touches)].sort((a, b) => a - b));
            if (!numbered) return;
            expect(several.trades).toEqual(single.trades);
            expect(several).toMatchObject({ tradeGaps: 0, besideGaps: 0, counts: { tradesMissing: 0 } });
            expect(several.union.unresolvable).toBe(0);
          }),
          { numRuns },
        );
      });

      test('what all of them lack is one gap, and none is invented', () => {
        const holes = fc.record({
          at: fc.double({ min: 0.4, max: 0.8, noNaN: true }),
          length: fc.integer({ min: 1, max: 30 }),
        });
        fc.assert(
          fc.property(shapes, holes, (shape, hole) => {
            const { sound } = heardOf(id, shape.seed);
            const { heard } = sound;
            const from = heard.findIndex(({ at }) => at > START + hole.at * SECONDS * SECOND);
            const to = from + hole.length;
            const links = linksOf({ ...shape, renewed: null }, sound).map((link) => ({
              ...link,
              misses: (n: number, at: number) => (n >= from && n < to) || link.misses(n, at),
            }));
            const several = read(linesOf(sound, links, shape.seed));
            // one connection that lacks the same, and nothing else
            const alone = read(linesOf(sound, [{ ...soundLink('a'), misses: (n) => n >= from && n < to }]));
            expect(alone.lost).toBeLessThan(2);
            expect(several.lost).toBe(alone.lost);
            expect(several.counts.bookGaps).toBe(alone.counts.bookGaps);
            if (!numbered) return;
            expect(several.trades).toEqual(alone.trades);
            expect(several.tradeGaps).toBe(alone.tradeGaps);
            expect(several.counts.tradesMissing).toBe(alone.counts.tradesMissing);
          }),
          { numRuns },
        );
      });

      test('a reader that begins at a checkpoint goes on as one that began before', () => {
        fc.assert(
          fc.property(shapes, fc.double({ min: 0.3, max: 0.9, noNaN: true }), (shape, share) => {
            const { sound } = heardOf(id, shape.seed);
            const lines = linesOf(sound, linksOf(shape, sound), shape.seed);
            const whole = createReader(sound.header);
            let part: Reader | null = null;
            let before: Read | null = null;
            for (const [n, line] of lines.entries()) {
              if (n === 0) continue;
              const checkpoint = part === null && n > share * lines.length ? whole.checkpoint() : null;
              if (checkpoint !== null) {
                part = createReader(sound.header, JSON.parse(JSON.stringify(checkpoint)) as Checkpoint);
                before = structuredClone(whole.result());
              }
              whole.take(line);
              part?.take(line);
            }
            if (part === null || before === null) throw new Error('something waits all the time');
            if (part.guessed()) return;
            const [all, late] = [whole.result(), part.result()];
            expect(late.applied).toEqual(all.applied.slice(before.applied.length));
            expect(late.trades).toEqual(all.trades.slice(before.trades.length));
            expect(late.touches).toEqual(all.touches.slice(before.touches.length));
            expect(late.final).toBe(all.final);
            for (const gaps of ['lost', 'tradeGaps', 'besideGaps'] as const)
              expect([gaps, late[gaps]]).toEqual([gaps, all[gaps] - before[gaps]]);
          }),
          { numRuns },
        );
      });
    },
  );

  describe.each(['bybit-linear', 'mexc-futures', 'bingx-swap'])('%s, whose trades have no ids', (id) => {
    test('one connection counts until it ends, then the other, and that place is a gap', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 3 }), late, fc.constantFrom(...ENDS), (seed, delays, end) => {
          const { sound } = heardOf(id, seed);
          const first: Link = { ...soundLink('a'), to: end };
          const second: Link = { ...soundLink('b'), delay: delays.delay + 1, jitter: delays.jitter };
          const both = linesOf(sound, [first, second], seed);
          const { trades, tradeGaps, lost, union } = read(both);
          const closed = both.findIndex((line) => line.includes('"close"'));
          const firsts = both.filter((line, n) => n <= closed && !line.includes('"conn":"b'));
          const seconds = [both[0], ...both.slice(closed + 1)];
          expect(trades).toEqual([...read(firsts).trades, ...read(seconds).trades]);
          expect(tradeGaps).toBe(1);
          // a book whose ids skip goes with it
          expect(lost).toBe(id === 'bingx-swap' ? 1 : 0);
          expect(union.unresolvable).toBe(id === 'bingx-swap' ? 2 : 1);
        }),
        { numRuns },
      );
    });
  });
}
