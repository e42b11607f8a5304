/** Settings of a scan: checks, look-back, config files. */
import { describe, expect, test } from 'vitest';
import { lookback, mergeSettings, readConfig, readingStart, scanSettings } from '../../src/scan/settings.js';
import { parseSetting } from '../../src/signals/registry.js';

const MINUTE = 60_000_000;
const settings = (given: Parameters<typeof scanSettings>[0] = {}) => scanSettings(given, { checksum: false });
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return 'no refusal';
};

describe('look-back', () => {
  test('is ten minutes by default and two with one-minute settings', () => {
    expect(lookback(settings())).toBe(10 * MINUTE);
    expect(lookback(settings({ unit: MINUTE, baseline: MINUTE, htf: MINUTE }))).toBe(2 * MINUTE);
  });

  test('grows with the windows of the detectors', () => {
    const set = ['absorption.window=1m'].map(parseSetting);
    expect(lookback(settings({ baseline: MINUTE, htf: MINUTE, set }))).toBe(3 * MINUTE);
    expect(lookback(settings({ baseline: MINUTE, htf: MINUTE, set, detect: ['tape-imbalance'] }))).toBe(2 * MINUTE);
    expect(lookback(settings({ warmup: 30 * MINUTE }))).toBe(30 * MINUTE);
  });

  test('reading starts so long before the unit of the start', () => {
    const from = 90 * MINUTE;
    expect(readingStart(settings(), from)).toBe(50 * MINUTE);
    // the last closed bar of a unit that begins within one
    expect(readingStart(settings({ unit: MINUTE }), from + 1)).toBe(75 * MINUTE);
    expect(readingStart(settings({ unit: MINUTE, htf: MINUTE }), from + 1)).toBe(84 * MINUTE);
  });
});

test.each([
  [{ unit: 7 * MINUTE }, 'E_CONFIG: unit: it must divide the day'],
  [{ unit: 30_000_000 }, 'E_CONFIG: unit: it must be whole minutes'],
  [{ baseline: 90_000_000 }, 'E_CONFIG: baseline: it must be whole minutes'],
  [{ htf: 2000 * MINUTE }, 'E_CONFIG: htf: it must be whole minutes'],
  [{ detect: ['none', 'absorption'] }, "E_CONFIG: detect: 'none' stands alone"],
])('%j is refused', (given, message) => {
  expect(refusal(() => settings(given))).toContain(message);
});

describe('config files', () => {
  test('all keys', () => {
    const text =
      '{"detect":["absorption"],"set":{"absorption":{"window":"4s","ratio":2}},"unit":"1m","baseline":"2m","warmup":"30s","htf":"1m"}';
    const { detectors, ...times } = settings(readConfig(text, 'f'));
    expect(times).toMatchObject({ unit: MINUTE, baseline: 2 * MINUTE, warmup: MINUTE / 2, htf: MINUTE });
    expect(detectors).toHaveLength(1);
    expect(detectors[0].options).toMatchObject({ window: 4_000_000, ratio: 2 });
  });

  test('what is typed wins', () => {
    const file = readConfig(
      '{"detect":["absorption"],"set":{"absorption":{"window":"4s","ratio":2}},"baseline":"2m"}',
      'f',
    );
    const typed = { detect: undefined, baseline: 3 * MINUTE, set: [parseSetting('absorption.window=6s')] };
    const merged = settings(mergeSettings(file, typed));
    expect(merged.baseline).toBe(3 * MINUTE);
    expect(merged.detectors.map(({ detector, options }) => [detector.name, options.window, options.ratio])).toEqual([
      ['absorption', 6_000_000, 2],
    ]);
  });

  test.each([
    ['[', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{"detects":[]}', "no key 'detects'; did you mean 'detect'?"],
    ['{"detect":"absorption"}', 'detect: not a list of names'],
    ['{"set":[]}', 'set: not an object of detectors'],
    ['{"set":{"absorption":3}}', 'set.absorption: not an object of parameters'],
    ['{"unit":60}', 'unit: 60 is not a duration such as "5m"'],
  ])('%s is refused', (text, message) => {
    expect(refusal(() => readConfig(text, 'f'))).toContain(message);
  });

  test('unknown detectors and parameters in it are refused like typed ones', () => {
    expect(refusal(() => settings(readConfig('{"set":{"absorbtion":{"window":"1s"}}}', 'f')))).toContain(
      "did you mean 'absorption'?",
    );
    expect(refusal(() => settings(readConfig('{"set":{"absorption":{"kind":true}}}', 'f')))).toContain(
      'absorption.kind: true is not',
    );
  });
});
