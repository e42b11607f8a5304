/** Times: their text and back, and what people may type. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TapedeckError } from '../../src/model/errors.js';
import { formatTime, formatTimeForFile, parseDuration, parseTimeSpec, resolveTime } from '../../src/model/time.js';

const micros = fc.integer({ min: 1e15, max: 9_007_199_254_740_991 });
const T = 1_723_161_255_030_314;

describe('formatTime', () => {
  it('is ISO with six decimals', () => {
    expect(formatTime(T)).toBe('2024-08-08T23:54:15.030314Z');
    expect(formatTimeForFile(T)).toBe('20240808T235415.030314Z');
    expect(formatTime(0)).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('is read back to the microsecond, and sorts as time does', () => {
    fc.assert(
      fc.property(micros, micros, (a, b) => {
        expect(parseTimeSpec(formatTime(a))).toEqual({ kind: 'absolute', t: a });
        expect(formatTime(a) < formatTime(b)).toBe(a < b);
      }),
    );
  });
});

describe('parseTimeSpec', () => {
  it.each([
    ['2024-08-08T23:54:15Z', 1_723_161_255_000_000],
    ['2024-08-08 23:54:15.030314', T],
    ['2024-08-08T23:54:15.030314999Z', T],
    ['2024-08-09T01:54:15.030314+02:00', T],
    ['2024-08-09T01:54:15.030314+0200', T],
    ['2024-08-08', 1_723_075_200_000_000],
    ['2024-08-08T23:54', 1_723_161_240_000_000],
    ['1723161255', 1_723_161_255_000_000],
    ['1723161255.030314', T],
    ['1723161255030', 1_723_161_255_030_000],
    ['1723161255030.314', T],
    ['1723161255030314', T],
    ['1723161255030314159', T],
    [' 1723161255 ', 1_723_161_255_000_000],
  ])('%s', (text, t) => {
    expect(parseTimeSpec(text)).toEqual({ kind: 'absolute', t });
  });

  it('offsets count from the start or the end', () => {
    expect(parseTimeSpec('+90s')).toEqual({ kind: 'start', offset: 90e6 });
    expect(parseTimeSpec('-1.5m')).toEqual({ kind: 'end', offset: -90e6 });
    expect(resolveTime(parseTimeSpec('+90s'), T, T + 500e6)).toBe(T + 90e6);
    expect(resolveTime(parseTimeSpec('-90s'), T, T + 500e6)).toBe(T + 410e6);
    expect(resolveTime(parseTimeSpec('1723161255'), 1, 2)).toBe(1_723_161_255_000_000);
  });

  it.each([
    '',
    'now',
    '+',
    '-',
    '+x',
    '12',
    '2024',
    '2024-13-01',
    '2024-08-08T25:00',
    '90s',
    '+-90s',
    '1e9',
    '-2024-08-08',
  ])('%j is refused with its text', (text) => {
    let caught: unknown;
    try {
      parseTimeSpec(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TapedeckError);
    expect(caught).toMatchObject({ code: 'E_USAGE' });
    expect(String(caught)).toContain(`'${text}'`);
  });
});

describe('parseDuration', () => {
  it.each([
    ['90s', 90e6],
    ['1.5m', 90e6],
    ['250ms', 250e3],
    ['7us', 7],
    ['1h30m', 5400e6],
    ['2d', 172_800e6],
    ['0.1s', 100_000],
    ['90', 90e6],
    ['0.5', 500_000],
    ['0', 0],
  ])('%s is %i µs', (text, duration) => {
    expect(parseDuration(text)).toBe(duration);
  });

  it.each(['', 's', '1x', '-1s', '1 s', '1s ', '1.s', '.5s', '1e3', '1m30', 'NaN'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNaN();
  });

  it('any whole number of a unit is exact', () => {
    const units: [string, number][] = [
      ['us', 1],
      ['ms', 1e3],
      ['s', 1e6],
      ['m', 60e6],
      ['h', 3600e6],
    ];
    fc.assert(
      fc.property(fc.nat(99_999), fc.constantFrom(...units), (n, [unit, length]) => {
        expect(parseDuration(`${n}${unit}`)).toBe(n * length);
      }),
    );
  });
});
