/** Learning weights of levels: what goes together, what does not, and what of a tape is a sample. */
import { describe, expect, test } from 'vitest';
import type { Fit, OfiWeights } from '../../src/model/fit.js';
import { fitMarkets } from '../../src/study/fit.js';
import { LevelSamples } from '../../src/study/ofi-fit.js';
import { randomFrom } from '../scan/random-tape.js';
import { flowOf, MINUTE, SECOND, TapeBuilder } from '../scan/tape-builder.js';

describe('the component of samples', () => {
  const of = (...rows: number[][]) => {
    const samples = new LevelSamples(rows[0].length);
    for (const row of rows) samples.add((level) => row[level]);
    return samples.component();
  };

  test('levels that move as one have the shares of their moves, whatever their means', () => {
    expect(of([1, 2, 1], [2, 4, 2], [4, 8, 4])).toEqual({ weights: [0.25, 0.5, 0.25], explained: 1 });
    expect(of([101, 2, -9], [102, 4, -8], [104, 8, -6])).toEqual({ weights: [0.25, 0.5, 0.25], explained: 1 });
  });

  test('one that moves against the others has a weight below zero; most of the weight is above', () => {
    expect(of([-2, -2, 1], [2, 2, -1])).toEqual({ weights: [0.4, 0.4, -0.2], explained: 1 });
  });

  test('of two that have nothing to do with each other the larger counts', () => {
    expect(of([3, 1], [3, -1], [-3, 1], [-3, -1])).toEqual({ weights: [1, 0], explained: 0.9 });
  });

  test('nothing varies, so there is none', () => {
    expect(of([5, 5], [5, 5])).toBeNull();
    // which rounding must not make something of
    expect(of(...Array.from({ length: 100 }, () => [1 / 3, 1 / 7]))).toBeNull();
    expect(of([0, 0], [0, 0])).toBeNull();
  });
});

describe('from a tape', () => {
  /** Two levels a side; every second the bids gain or lose: the second level half of what the first does, or nothing. */
  function tapeOf(seconds: number, share: number): TapeBuilder {
    const random = randomFrom(11);
    const tape = new TapeBuilder();
    const asks: [number, number][] = [
      [1001, 100],
      [1002, 100],
    ];
    tape.snapshot(
      [
        [1000, 100],
        [999, 100],
      ],
      asks,
    );
    for (let n = 0; n < seconds; n++) {
      tape
        .wait(SECOND / 2)
        .clock()
        .wait(SECOND / 2 - 2);
      const change = Math.round(40 * (random() - 0.5));
      tape.depth(
        [
          [1000, 100 + change],
          [999, 100 + share * change],
        ],
        [],
      );
    }
    return tape;
  }

  const weightsOf = async (lines: readonly string[], window = SECOND): Promise<OfiWeights | null> => {
    const told = { damage: () => {}, note: () => {} };
    return (await fitMarkets([flowOf(lines)], { window, levels: 2, ...told }))[0].ofi;
  };

  test('a level that follows has the weight of what it adds', async () => {
    const found = await weightsOf(tapeOf(120, 0.5).lines);
    // each is in units of its own mean depth, which is nearly the same
    expect(found?.weights[0]).toBeCloseTo(2 / 3, 2);
    expect(found?.weights[1]).toBeCloseTo(1 / 3, 2);
    expect(found?.explained).toBeGreaterThan(0.999);
    expect(found).toMatchObject({ window_ms: 1000 });
  });

  test('a level that stands still has none', async () => {
    expect(await weightsOf(tapeOf(120, 0).lines)).toMatchObject({ weights: [1, 0], explained: 1 });
  });

  test('what it learnt from ends at `to`: what stands behind does not matter, but that time goes on', async () => {
    const tape = tapeOf(90, 0.5);
    const quiet = tape.t;
    // nothing changes in the book, and windows go on to be known
    for (let n = 0; n < 300; n++) tape.wait(SECOND / 4).clock();
    const learn = async (lines: readonly string[]): Promise<Fit> => {
      const told = { damage: () => {}, note: () => {}, window: SECOND, levels: 2 };
      return (await fitMarkets([flowOf(lines)], told))[0];
    };
    expect((await learn(tape.lines)).to).toBeGreaterThan(quiet + 60 * SECOND);
    for (const cut of [150, 250, 300, 400, tape.lines.length]) {
      const lines = tape.lines.slice(0, cut);
      const fit = await learn(lines);
      const until = lines.filter((line) => Number(line.slice(5, 21)) <= fit.to);
      const next = JSON.stringify({ t: fit.to + 1, src: tape.src, clock: { wall: 0, loop: 0, exchange: null } });
      expect(await learn([...until, next])).toEqual(fit);
    }
  });

  test('a window is a sample where all of it is known, and sixty are needed', async () => {
    const tape = tapeOf(60, 0);
    expect(await weightsOf(tape.lines)).toBeNull();
    const more = tapeOf(130, 0);
    const whole = await weightsOf(more.lines, 2 * SECOND);
    expect(whole?.windows).toBe(64);
    // the three windows that the gap and the join touch are none
    const broken = tapeOf(130, 0);
    broken.depth([], [], { lost: 1 });
    broken.wait(3 * SECOND).snapshot(
      [
        [1000, 100],
        [999, 100],
      ],
      [
        [1001, 100],
        [1002, 100],
      ],
    );
    broken.wait(10 * SECOND).clock();
    const found = await weightsOf(broken.lines, 2 * SECOND);
    const again = Math.floor(broken.t / (2 * SECOND)) - Math.floor((broken.t - 10 * SECOND) / (2 * SECOND)) - 1;
    expect(found?.windows).toBe(64 + again);
    expect(MINUTE % (2 * SECOND)).toBe(0);
  });
});
