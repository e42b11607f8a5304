/** A scan of several connections: what it takes in is what one sound connection brings, however lines are cut. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { inTurns, soundLink, splitLines } from '../market/several.js';
import { randomTape } from './random-tape.js';
import { MINUTE, SECOND, START, scanLines, type TestSettings } from './tape-builder.js';

const settings: TestSettings = {
  ...{ unit: MINUTE, baseline: MINUTE, htf: MINUTE, warmup: 20 * SECOND },
  set: [
    ...['tape-imbalance.quantile=0.3', 'tape-imbalance.hold=500ms', 'tape-imbalance.groups=5'],
    ...['book-imbalance.window=2s', 'book-imbalance.on=0.3', 'book-imbalance.off=0.2'],
  ],
};
const seeds = fc.integer({ min: 1, max: 1_000_000 });

/** Words of the checksum that do not depend on when a message came: trades, levels, touches. */
const timeless = (digest: string): string[] => digest.split('-').slice(0, 3);

test('every message counts once, whichever connection brings it and whatever another misses', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const { lines } = randomTape({ seed, minutes: 3, touches: true });
      const links = [soundLink('a'), { ...soundLink('b'), delay: 200_000, jitter: 50_000 }].map((link, n) => ({
        ...link,
        from: Number.NEGATIVE_INFINITY,
        // touches that only the late one brings come out of order and are not news any more
        misses: (i: number) => n === 0 && i > 100 && Math.floor(i / 20) % 3 === 0 && !/bookTicker/.test(lines[i]),
      }));
      const single = (await scanLines(lines, settings)).sums[0];
      const several = (await scanLines(splitLines(lines, links, seed), settings)).sums[0];
      expect(several).toMatchObject({ trades: single.trades, depth: single.depth, levels: single.levels });
      expect(timeless(several.digest).slice(0, 2)).toEqual(timeless(single.digest).slice(0, 2));
    }),
    { numRuns: 4 },
  );
});

test('two connections that end in turns lose nothing, and no signal ends for a gap', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const { lines } = randomTape({ seed, minutes: 4 });
      const split = splitLines(lines, inTurns(START, 240, seed), seed);
      const single = await scanLines(lines, settings);
      const several = await scanLines(split, settings);
      expect(timeless(several.sums[0].digest)).toEqual(timeless(single.sums[0].digest));
      expect(several.signals.filter(({ reason }) => reason === 'gap')).toEqual([]);
      expect(several.signals.length).toBeGreaterThan(10);
    }),
    { numRuns: 4 },
  );
});

test('batches of any length and prefixes give the same', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({ min: 1, max: 50 }), async (seed, every) => {
      const { lines } = randomTape({ seed, minutes: 3, troubled: true, touches: true, extras: true });
      const split = splitLines(lines, inTurns(START, 180, seed), seed);
      const whole = await scanLines(split, settings);
      const cut = await scanLines(split, settings, every);
      expect([cut.lines, cut.sums]).toEqual([whole.lines, whole.sums]);
      expect(whole.lines.length).toBeGreaterThan(5);
      const notEof = (line: string): boolean => !line.includes('"reason":"eof"');
      for (const seconds of [67.3, 131]) {
        const cut = split.findIndex((line) => Number(line.slice(5, 21)) > START + seconds * SECOND);
        const limit = formatTime(Number(split[cut - 1].slice(5, 21)));
        const part = await scanLines(split.slice(0, cut), settings);
        expect(part.lines.filter(notEof)).toEqual(
          whole.lines.filter((line) => line.slice(9, 36) <= limit && notEof(line)),
        );
      }
    }),
    { numRuns: 5 },
  );
});
