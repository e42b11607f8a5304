/** Presets name real detectors and parameters, with values those accept. */
import { describe, expect, test } from 'vitest';
import { parameterWords } from '../../src/signals/describe.js';
import { defaultsOf } from '../../src/signals/detector.js';
import { presetNames, presetSettings, presetsOf } from '../../src/signals/presets.js';
import { chooseDetectors, detectorByName, detectors } from '../../src/signals/registry.js';

describe.each(presetNames)('%s', (name) => {
  test('every entry is a detector, a parameter and a value it accepts, and no default', () => {
    const settings = presetSettings(name);
    const chosen = chooseDetectors(null, settings);
    for (const { detector, parameter } of settings) {
      const one = chosen.find(({ detector: { name: own } }) => own === detector);
      expect(one?.options[parameter]).not.toBe(defaultsOf(detectorByName(detector))[parameter]);
    }
  });

  test('no size stands in it: thresholds are relative', () => {
    for (const { detector, parameter } of presetSettings(name))
      expect(detectorByName(detector).parameters[parameter].type).not.toBe('size');
  });

  test('a detector it does not name keeps its defaults', () => {
    const named = new Set(presetSettings(name).map(({ detector }) => detector));
    for (const { detector, options } of chooseDetectors(null, presetSettings(name)))
      if (!named.has(detector.name)) expect(options).toEqual(defaultsOf(detector));
  });
});

test('default changes nothing', () => {
  expect(presetSettings('default')).toEqual([]);
});

test('scalp looks at shorter windows than default, and quiet at longer ones', () => {
  const windows = (['scalp', 'default', 'quiet'] as const).map((name) =>
    chooseDetectors(null, presetSettings(name)).map(({ options }) => Number(options.window)),
  );
  for (const n of detectors.keys())
    if (!Number.isNaN(windows[1][n])) {
      expect(windows[0][n]).toBeLessThanOrEqual(windows[1][n]);
      expect(windows[1][n]).toBeLessThanOrEqual(windows[2][n]);
    }
});

test('an unknown one is refused with the nearest', () => {
  expect(() => presetSettings('quite')).toThrow(
    "no preset 'quite'; did you mean 'quiet'?; there are scalp, default, quiet",
  );
  expect(() => presetSettings('toString')).toThrow("no preset 'toString'");
});

test('what a preset makes of a parameter stands with the parameter', () => {
  const { scalp = {}, quiet = {} } = presetsOf('absorption');
  expect(parameterWords(detectorByName('absorption'), 'window')).toBe(
    `a duration from 500ms to 1m; scalp ${scalp.window}; quiet ${quiet.window}`,
  );
  expect(parameterWords(detectorByName('absorption'), 'fade')).toBe('a number from 0 to 1');
});
