/** Detectors by name, their parameters, and refusals that help. */
import { describe, expect, test } from 'vitest';
import { wrap } from '../../src/output/text.js';
import { detectorFacts, detectorText } from '../../src/signals/describe.js';
import { defaultsOf } from '../../src/signals/detector.js';
import { chooseDetectors, detectorByName, detectors, parseSetting } from '../../src/signals/registry.js';

/** In the order they are listed. */
const all = detectors.map(({ name }) => name);

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return 'no refusal';
};

describe('choosing', () => {
  test('all detectors with their defaults, unless some are named', () => {
    expect(chooseDetectors(null, []).map(({ detector }) => detector.name)).toEqual(all);
    expect(chooseDetectors(['absorption', 'absorption'], []).map(({ detector }) => detector.name)).toEqual([
      'absorption',
    ]);
    expect(chooseDetectors([], [])).toEqual([]);
  });

  test('a later setting wins; durations come in µs', () => {
    const set = ['absorption.window=4s', 'absorption.window=2500ms', 'absorption.kind=B'].map(parseSetting);
    expect(chooseDetectors(['absorption'], set)[0].options).toMatchObject({ window: 2_500_000, kind: 'B' });
  });

  test.each(['0', '0.001', '9007.2', '20000', '2.5e9', '123456789012'])('a size may be small or large: %s', (size) => {
    const [{ options }] = chooseDetectors(['block'], [parseSetting(`block.volume=${size}`)]);
    expect(options).toMatchObject({ volume: size });
  });

  test.each([
    [['absorbtion'], [], `E_CONFIG: no detector 'absorbtion'; did you mean 'absorption'?; there are ${all.join(', ')}`],
    [null, ['absorption.windw=1s'], "E_CONFIG: absorption has no parameter 'windw'; did you mean 'window'?"],
    [null, ['absorption.toString=1s'], "E_CONFIG: absorption has no parameter 'toString'"],
    [null, ['book-imbalance.on=2'], 'E_CONFIG: book-imbalance.on: "2" is not a number from 0.01 to 1'],
    [null, ['book-imbalance.on='], 'E_CONFIG: book-imbalance.on: "" is not a number'],
    [null, ['book-imbalance.levels=1.5'], 'E_CONFIG: book-imbalance.levels: "1.5" is not a whole number'],
    [null, ['absorption.window=2h'], 'E_CONFIG: absorption.window: "2h" is not a duration from 500ms to 1m'],
    [null, ['absorption.kind=E'], 'E_CONFIG: absorption.kind: "E" is not one of composite, A, B, C, D'],
    [null, ['pull.near=20'], 'E_CONFIG: pull: near (20) must be less than far (10)'],
    [null, ['pull.shortest=20s', 'pull.longest=5s'], 'E_CONFIG: pull: shortest must be less than longest'],
    [null, ['tape-imbalance.volume=-1'], 'E_CONFIG: tape-imbalance.volume: "-1" is not a size'],
    [null, ['block.volume=1e999'], 'E_CONFIG: block.volume: "1e999" is not a size'],
    [null, ['block.volume=1e-13'], 'E_CONFIG: block.volume: "1e-13" is not a size'],
    [null, ['block.volume=0x10'], 'E_CONFIG: block.volume: "0x10" is not a size'],
  ])('%j %j is refused', (names, set, message) => {
    expect(refusal(() => chooseDetectors(names, set.map(parseSetting)))).toContain(message);
  });

  test('a setting needs a detector, a parameter and a value', () => {
    for (const text of ['window=1s', 'absorption', 'absorption.window', '.a=1'])
      expect(refusal(() => parseSetting(text))).toContain('E_CONFIG');
  });
});

test('every detector is described whole, and its defaults are values it accepts', () => {
  for (const detector of detectors) {
    const defaults = Object.entries(detector.parameters).map(([parameter, { default: value }]) => ({
      detector: detector.name,
      parameter,
      value,
    }));
    expect(chooseDetectors([detector.name], defaults)[0].options).toEqual(defaultsOf(detector));
    const { name, summary, doc, needs, meaning } = detector;
    const lines = detectorText(detector, wrap);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const text = lines.join(' ').replaceAll(/\s+/g, ' ');
    const { side, price, score, evidence, ends = {} } = meaning;
    for (const words of [`${name}: ${summary}`, doc, needs.join(' and '), side, price, score])
      expect(text).toContain(words.replaceAll(/\s+/g, ' '));
    for (const [key, described] of Object.entries<{ doc: string }>({ ...detector.parameters, ...evidence })) {
      expect(text).toContain(` ${key} `);
      expect(text).toContain(described.doc);
    }
    for (const [reason, words] of Object.entries<string>(ends)) expect(text).toContain(`${reason} ${words}`);
    expect(JSON.parse(JSON.stringify(detectorFacts(detector)))).toMatchObject({ name, meaning: { side, evidence } });
  }
});

test('what a field may be stands with its words', () => {
  const listed = ['book-imbalance', 'absorption'].flatMap((name) => detectorText(detectorByName(name), wrap));
  const text = listed.join(' ').replaceAll(/\s+/g, ' ');
  for (const words of [
    'imbalance I at this moment (ratio, or null)',
    'passive by whom (bid or ask)',
    'level_low lowest price of the level (price; not always there)',
  ])
    expect(text).toContain(words);
});
