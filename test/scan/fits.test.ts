/** Fits for a scan: lines that are read, lines that are refused with their place, and what a market is given of them. */
import { describe, expect, test } from 'vitest';
import type { HeaderEntry } from '../../src/model/entry.js';
import type { Fit } from '../../src/model/fit.js';
import { chooseFits, readFits } from '../../src/scan/fits.js';
import { defaultsOf } from '../../src/signals/detector.js';
import { type Chosen, detectorByName } from '../../src/signals/registry.js';
import { SECOND, START, TapeBuilder } from './tape-builder.js';

const rows = <T>(value: T): T[][] => [1, 2, 3].map(() => Array.from({ length: 10 }, () => value));
const learnt = (to: number, more: Partial<Fit> = {}): Fit => ({
  ...{ src: 'binance-usdm:BTCUSDT', from: 0, to, tick: '0.1' },
  microprice: { ticks: rows(null), observations: rows(0) },
  ofi: { window_ms: 10_000, windows: 60, explained: 0.9, weights: [0.5, 0.5] },
  ...more,
});
const textOf = (...fits: unknown[]): string => fits.map((fit) => `${JSON.stringify(fit)}\n`).join('');

describe('reading', () => {
  test('every line is a fit; blank ones and keys of later versions are passed over', () => {
    const fits = [learnt(1), learnt(2, { microprice: null }), learnt(3, { ofi: null, src: 'okx-swap:A' })];
    expect(readFits(`\n${textOf(...fits)}`, 'x')).toEqual(fits);
    expect(readFits(textOf({ ...fits[0], later: 1 }), 'x')).toEqual([fits[0]]);
    expect(readFits('', 'x')).toEqual([]);
  });

  test.each([
    ['not JSON; tapedeck fit prints one object a line', '{'],
    ['no object with src, from, to, tick, microprice, ofi', '[]'],
    ['no object with src, from, to, tick, microprice, ofi', '{"src":"a:b"}'],
    ['src or tick is no text', textOf(learnt(1, { src: 1 as never }))],
    ['from and to are no times in microseconds, one after the other', textOf(learnt(1, { from: 2 }))],
    ['from and to are no times in microseconds, one after the other', textOf(learnt('1' as never))],
    ['microprice is neither a table nor null', textOf(learnt(1, { microprice: {} as never }))],
    [
      'microprice is neither a table nor null',
      textOf(learnt(1, { microprice: { ticks: rows('a') as never, observations: rows(0) } })),
    ],
    [
      'microprice is neither a table nor null',
      textOf(learnt(1, { microprice: { ticks: rows(0).slice(1), observations: rows(0) } })),
    ],
    ['ofi is neither a list of weights nor null', textOf(learnt(1, { ofi: [1] as never }))],
    [
      'ofi is neither a list of weights nor null',
      textOf(learnt(1, { ofi: { window_ms: 1, windows: 1, explained: 1, weights: [] } })),
    ],
    [
      'ofi is neither a list of weights nor null',
      textOf(learnt(1, { ofi: { window_ms: 1, windows: 1, explained: 1, weights: new Array(21).fill(0) } })),
    ],
    // JSON has numbers that are infinite when read
    ['ofi is neither a list of weights nor null', textOf(learnt(1)).replace('[0.5,0.5]', '[1e999,0.5]')],
    ['microprice is neither a table nor null', textOf(learnt(1)).replace('"ticks":[[null', '"ticks":[[-1e999')],
  ])('refused: %s', (why, text) => {
    const read = (): unknown => readFits(textOf(learnt(1)) + text, 'a.fit');
    expect(read).toThrow(`while reading the fit: ${why}`);
    expect(read).toThrow(expect.objectContaining({ code: 'E_CONFIG', place: { file: 'a.fit', line: 2 } }));
  });
});

describe('choosing', () => {
  const header = JSON.parse(new TapeBuilder().lines[0]) as HeaderEntry;
  const chosen = (...names: string[]): Chosen[] =>
    names.map(detectorByName).map((detector) => ({ detector, options: defaultsOf(detector) }));
  const choose = (fits: Fit[], { from = Number.NEGATIVE_INFINITY, detectors = chosen('ofi', 'delta') } = {}) =>
    chooseFits(fits, header, from, detectors);

  test('those of the market, in order of their ends', () => {
    const { fits, notes } = choose([learnt(5), learnt(9, { src: 'binance-usdm:ETHUSDT' }), learnt(3)]);
    expect(fits.map(({ to }) => to)).toEqual([3, 5]);
    expect(notes).toEqual([]);
    expect(choose([])).toEqual({ fits: [], notes: [] });
  });

  test('what ends within the scan is said, where nothing earlier is there', () => {
    const note = 'binance-usdm:BTCUSDT: the fit was learnt until 2023-11-14T22:14:10.000000Z: it is used from then on';
    const late = learnt(START + 10 * SECOND);
    expect(choose([late]).notes).toEqual([note]);
    expect(choose([late, learnt(1)]).notes).toEqual([]);
    expect(choose([late], { from: START + 10 * SECOND }).notes).toEqual([note]);
    expect(choose([late], { from: START + 11 * SECOND }).notes).toEqual([]);
  });

  test('weights of other windows are said to be left out, where somebody asks for them', () => {
    const of = (seconds: number): Fit =>
      learnt(1, { ofi: { window_ms: seconds * 1000, windows: 60, explained: 0.9, weights: [1] } });
    expect(choose([of(5), of(7)]).notes).toEqual([
      'binance-usdm:BTCUSDT: weights of the fit are of 5 s, 7 s, ofi.window is 10 s: they are left out',
    ]);
    expect(choose([of(5), of(10)]).notes).toEqual([]);
    expect(choose([of(5)], { detectors: chosen('delta') }).notes).toEqual([]);
    expect(choose([learnt(1, { ofi: null })]).notes).toEqual([]);
  });

  test('a microprice in another tick is left out, and that is said where there is no other', () => {
    const strange = learnt(5, { tick: '0.01' });
    expect(choose([strange, learnt(3)])).toEqual({ fits: [learnt(3), { ...strange, microprice: null }], notes: [] });
    expect(choose([strange]).notes).toEqual([
      'binance-usdm:BTCUSDT: its tick is 0.1, that of the fit 0.01: the microprice is left out',
    ]);
  });
});
