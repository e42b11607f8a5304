/** States of the touch, their mirror images, and the microprice as signals tell it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mirrorState, OUTSIDE, TOUCH_STATES, touchState, UNKNOWN } from '../../src/market/microprice.js';
import type { Fit } from '../../src/model/fit.js';
import { SECOND, START, scanLines, TapeBuilder } from '../scan/tape-builder.js';

describe('the state of a touch', () => {
  test.each([
    // by spread, then by the share of the bid: a tenth is the first class's end
    [1000, 1, 1001, 99, 0],
    [1000, 10, 1001, 90, 1],
    [1000, 9, 1001, 91, 0],
    [1000, 49, 1001, 51, 4],
    [1000, 50, 1001, 50, 5],
    [1000, 51, 1001, 49, 5],
    [1000, 90, 1001, 10, 8],
    [1000, 91, 1001, 9, 9],
    [1000, 25, 1002, 75, 12],
    [1000, 75, 1003, 25, 27],
    [1000, 75, 1004, 25, OUTSIDE],
    // off the grid of ticks
    [1000, 75, 1001.5, 25, OUTSIDE],
    [1000, 75, 1000, 25, UNKNOWN],
    [1001, 75, 1000, 25, UNKNOWN],
    [1000, 0, 1001, 25, UNKNOWN],
    [Number.NaN, 0, 1001, 25, UNKNOWN],
  ])('%d × %d, %d × %d', (bid, bidSize, ask, askSize, state) => {
    expect(touchState(bid, bidSize, ask, askSize, 1)).toBe(state);
    expect(touchState(bid * 100, bidSize * 1e6, ask * 100, askSize * 1e6, 100)).toBe(state);
  });

  test('swapped sides give the mirror image, equal sizes the upper class both times', () => {
    const sizes = fc.integer({ min: 1, max: 1e9 });
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 1, max: 3 }), (b, a, spread) => {
        const one = touchState(1000, b, 1000 + spread, a, 1);
        const other = touchState(1000, a, 1000 + spread, b, 1);
        expect(one).toBeGreaterThanOrEqual(0);
        expect(one).toBeLessThan(TOUCH_STATES);
        expect(mirrorState(mirrorState(one))).toBe(one);
        expect(other).toBe(a === b ? one : mirrorState(one));
      }),
    );
    expect(mirrorState(OUTSIDE)).toBe(OUTSIDE);
  });
});

describe('in the context of signals', () => {
  /** Two ticks from the mid where nearly all is bid at a spread of one, in steps to as much below; nothing is known of wider ones but three. */
  const learnt = (to: number, tick = '0.1'): Fit => ({
    ...{ src: 'binance-usdm:BTCUSDT', from: 0, to, tick, ofi: null },
    microprice: {
      ticks: [
        [-2, -1.5, -1, -0.5, -0.25, 0.25, 0.5, 1, 1.5, 2],
        Array.from({ length: 10 }, () => null),
        [-6, -5, -4, -3, -2, 2, 3, 4, 5, 6],
      ],
      observations: [1, 2, 3].map(() => Array.from({ length: 10 }, () => 500)),
    },
  });

  const contexts = async (bid: number, ask: number, spread: number, fits: Fit[]) => {
    const tape = new TapeBuilder().snapshot(
      [
        [1000, bid],
        [999, ask > bid ? 100 : 400],
      ],
      [
        [1000 + spread, ask],
        [1010, ask > bid ? 400 : 100],
      ],
    );
    for (let n = 0; n < 40; n++) tape.wait(SECOND / 4).clock();
    const given = { detect: ['book-imbalance'], set: ['book-imbalance.levels=2'], fits };
    const { signals, notes } = await scanLines(tape.lines, given);
    return { shifts: signals.map(({ context }) => context.microprice), notes };
  };

  test.each([
    [95, 5, 1, 2],
    [5, 95, 1, -2],
    [75, 25, 1, 1],
    // halfway between two classes, whatever they say
    [50, 50, 1, 0],
    // four ticks of three
    [75, 25, 3, 1.333333],
    [75, 25, 2, undefined],
    [75, 25, 4, undefined],
  ])('%d bid and %d offered, %d ticks apart: %d spreads from the mid', async (bid, ask, spread, shift) => {
    const { shifts, notes } = await contexts(bid, ask, spread, [learnt(1)]);
    expect(shifts.length).toBeGreaterThan(0);
    expect(shifts[0]).toBe(shift);
    expect(notes).toEqual([]);
  });

  test('it is told from the end of what was learnt on, and that it will be', async () => {
    // the onset comes before, and the end of the tape after it
    const end = START + 8 * SECOND;
    const { shifts, notes } = await contexts(95, 5, 1, [learnt(end)]);
    expect(shifts).toEqual([undefined, 2]);
    expect(notes).toEqual([
      'binance-usdm:BTCUSDT: the fit was learnt until 2023-11-14T22:14:08.000000Z: it is used from then on',
    ]);
  });

  test('of another tick it is left out, and of another market there is none', async () => {
    const other = await contexts(95, 5, 1, [learnt(1, '0.01')]);
    expect(other.shifts[0]).toBeUndefined();
    expect(other.notes).toEqual([
      'binance-usdm:BTCUSDT: its tick is 0.1, that of the fit 0.01: the microprice is left out',
    ]);
    // the same number written otherwise is the same tick
    expect((await contexts(95, 5, 1, [learnt(1, '0.10')])).shifts[0]).toBe(2);
    // the newest that has it is used
    const [old, short] = [learnt(1), { ...learnt(2), microprice: null }];
    for (const newer of [short, learnt(2, '0.01')]) expect((await contexts(95, 5, 1, [newer, old])).shifts[0]).toBe(2);
    const none = await contexts(95, 5, 1, [{ ...learnt(1), src: 'binance-usdm:ETHUSDT' }]);
    expect(none.shifts[0]).toBeUndefined();
    expect(none.notes).toEqual(['binance-usdm:BTCUSDT: --fit has nothing of it']);
  });
});
