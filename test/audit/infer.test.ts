/** Steps and channels inferred from messages. */
import { describe, expect, test } from 'vitest';
import { inferFrom, offStep, smallestStep } from '../../src/audit/infer.js';
import { venueById } from '../../src/venues/registry.js';
import { market } from './market-lines.js';

const venue = venueById('binance-usdm');

describe('smallestStep', () => {
  test('a few values show only their decimals', () => {
    expect(smallestStep(['28145.10', '28140.50'])).toBe('0.1');
    expect(smallestStep(['5', '15'])).toBe('1');
    expect(smallestStep(['1000', '7.548E+4'])).toBe('1');
  });

  test('many show the step they are multiples of', () => {
    const values = Array.from({ length: 60 }, (_, n) => (100 + n * 0.5).toFixed(2));
    expect(smallestStep(values)).toBe('0.5');
    expect(smallestStep([...values, '100.10'])).toBe('0.1');
    expect(smallestStep(Array.from({ length: 60 }, (_, n) => String(50 * n)))).toBe('50');
  });

  test('zeros and texts that are no numbers are left out', () => {
    expect(smallestStep(['0.000', '1.5', 'x', ''])).toBe('0.1');
    expect(smallestStep(['0.000'])).toBeNull();
  });
});

describe('offStep', () => {
  const seen = (...texts: string[]): Map<string, number> => new Map(texts.map((text, n) => [text, n]));

  test('the first value that is no multiple, and where it was met', () => {
    expect(offStep(seen('28145', '28145.10', '28145.2'), '1')).toEqual({ text: '28145.10', at: 1 });
    expect(offStep(seen('28145.2', '28145.1'), '0.3')).toEqual({ text: '28145.2', at: 0 });
    expect(offStep(seen('28145.10', '7.548E+4', '0.000'), '0.1')).toBeNull();
    expect(offStep(seen('0.3', '0.6', '0.7'), '0.1')).toBeNull();
  });

  test('what is no number, or cannot be held by that step, shows nothing', () => {
    expect(offStep(seen('x', '-1', '1e-20', '123456789012345'), '0.00000001')).toBeNull();
  });
});

describe('inferFrom', () => {
  const messages = market(300).map(({ text }): unknown => JSON.parse(text));

  test('tick, lot and channels, in the order of the venue', () => {
    const inferred = inferFrom(messages, venue, 'ABCUSDT');
    expect(inferred).toMatchObject({
      tick: '0.1',
      lot: '0.001',
      channels: ['depth', 'trade', 'bookTicker'],
      strangers: 0,
    });
    expect(inferred.known).toBe(900);
  });

  test('another symbol, or the wrong case of it, is a stranger', () => {
    expect(inferFrom(messages, venue, 'XYZUSDT')).toMatchObject({ known: 0, stranger: 'abcusdt@depth@100ms' });
    expect(inferFrom(messages, venue, 'abcusdt')).toMatchObject({ known: 0, stranger: 'ABCUSDT' });
  });
});
