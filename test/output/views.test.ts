/** Trades and footprints as text: nothing is wider than the terminal, and which market a line is of stays readable. */
import { describe, expect, test } from 'vitest';
import { createPaint } from '../../src/output/colour.js';
import { barText, type TradeRow, tradeText, tradeTitles } from '../../src/output/views.js';

const paint = createPaint(false);
const pipe = Number.POSITIVE_INFINITY;

const row: TradeRow = {
  ...{ time: '2023-04-05T00:06:47.009444Z', venue: 'binance-usdm', symbol: 'BTCUSDT', side: 'sell' },
  ...{ price: 28138.9, size: 0.794, notional: 22342.2866, delta: -12.5 },
};

describe('trades', () => {
  test('one market needs no name on 80 columns, several have theirs', () => {
    expect(tradeText(row, paint, { columns: 80, several: false })).toBe(
      '2023-04-05T00:06:47.009Z sell    28138.9      0.794     22342.29        -12.5',
    );
    expect(tradeText(row, paint, { columns: 80, several: true })).toBe(
      '00:06:47.009 sell    28138.9      0.794     22342.29        -12.5 …-usdm:BTCUSDT',
    );
    const wide = '2023-04-05T00:06:47.009Z sell    28138.9      0.794     22342.29        -12.5 binance-usdm:BTCUSDT';
    expect(tradeText(row, paint, { columns: 120, several: true })).toBe(wide);
    expect(tradeText(row, paint, { columns: pipe, several: true })).toBe(wide);
  });

  test('titles stand over their columns', () => {
    for (const room of [
      { columns: 80, several: false },
      { columns: 80, several: true },
    ]) {
      const [titles, line] = [tradeTitles(room), tradeText(row, paint, room)];
      expect(titles.indexOf('SIDE')).toBe(line.indexOf('sell'));
      expect(titles.indexOf('DELTA') + 5).toBe(line.indexOf('-12.5') + 5);
    }
  });

  test('numbers that are wider than their columns do not wrap', () => {
    const large = { ...row, price: 0.000012345678, size: 123_456_789.125, notional: 1e12, delta: -123_456_789.125 };
    expect(tradeText(large, paint, { columns: 80, several: false })).toHaveLength(80);
    expect(tradeText(large, paint, { columns: pipe, several: false })).toMatch(/-123456789\.125 binance-usdm:BTCUSDT$/);
  });
});

test('what stands over a bar is broken between facts where a terminal has no room', () => {
  const bar = {
    ...{ venue: 'binance-usdm', symbol: 'BTCUSDT', start: '2023-04-05T00:06:00.000000Z' },
    ...{ whole: false, provisional: true, delta: -50.311, volume: 1234.567, trades: 12345, poc: 28140 },
    bins: [{ price: 28140, buy: 1, sell: 2 }],
  };
  expect(barText(bar, paint, 80)).toEqual([
    'binance-usdm:BTCUSDT  2023-04-05T00:06:00.000000Z  delta -50.311',
    '  volume 1234.567  trades 12345  trades may be missing  not complete',
    '28140     2 x 1     poc',
  ]);
  expect(barText(bar, paint, pipe)[0]).toBe(
    'binance-usdm:BTCUSDT  2023-04-05T00:06:00.000000Z  delta -50.311  volume 1234.567  trades 12345  trades may be missing  not complete',
  );
});
