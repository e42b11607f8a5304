/** Any market by two or three connections that are late, miss runs, end and open again, is the market by one that is sound. */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { START } from '../venues/served.js';
import { hearMarket, type Link, linesOf, type Read, read, type Sound, soundLink } from './several.js';

vi.setConfig({ testTimeout: 120_000 });

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
        { numRuns: 12 },
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
        { numRuns: 12 },
      );
    });
  },
);
