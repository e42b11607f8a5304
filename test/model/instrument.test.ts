/** The scale of an instrument: two spare decimals below tick and lot. */
import { expect, it } from 'vitest';
import { scaleDecimal } from '../../src/model/decimal.js';
import { fineDecimals, type Instrument, scaleOf } from '../../src/model/instrument.js';

const instrument = (tick: string, lot: string): Instrument => ({
  symbol: 'X',
  kind: 'linear',
  tick,
  lot,
  multiplier: '1',
});

it.each([
  ['0.10', '0.001', 3, 5],
  ['0.01000000', '0.00001000', 4, 7],
  ['5', '1', 2, 2],
  ['1e-8', '10', 10, 2],
  ['0.5', '100', 3, 2],
])('tick %s and lot %s', (tick, lot, price, size) => {
  expect(scaleOf(instrument(tick, lot))).toEqual({ price, size });
});

it('holds a tick made a hundred times finer, and the dearest prices', () => {
  const { price } = scaleOf(instrument('0.10', '0.001'));
  expect(scaleDecimal('64010.101', price)).toBe(64010101);
  expect(scaleDecimal('9007199254740.991', price)).toBe(Number.MAX_SAFE_INTEGER);
});

it.each([
  ['0.10', 8],
  ['5', 8],
  ['100', 8],
  ['0.01', 9],
  ['0.00001', 12],
])('averages on a market of tick %s have %i decimals', (tick, decimals) => {
  expect(fineDecimals(scaleOf(instrument(tick, '1')))).toBe(decimals);
});
