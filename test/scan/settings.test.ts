/** Settings of a scan: checks, look-back, config files. */
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/scan/config.js';
import { lookback, mergeSettings, readingStart, scanSettings } from '../../src/scan/settings.js';
import { defaultsOf } from '../../src/signals/detector.js';
import { detectors, parseSetting } from '../../src/signals/registry.js';

const MINUTE = 60_000_000;
const BTC = 'binance-usdm:BTCUSDT';
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

  test('without a detector anywhere nothing is read for one; with one on a single market there is', () => {
    const unit = 480_000 * 60 * MINUTE;
    const none = settings({ detect: ['none'] });
    expect(readingStart(none, unit + 7 * MINUTE + 1)).toBe(unit + 6 * MINUTE);
    const one = settings({ detect: ['none'], symbols: { [BTC]: { detect: ['sweep'] } } });
    expect(readingStart(one, unit + 7 * MINUTE)).toBe(unit - 10 * MINUTE);
  });
});

test.each([
  [{ unit: 7 * MINUTE }, 'E_CONFIG: unit: it must divide the day'],
  [{ unit: 30_000_000 }, 'E_CONFIG: unit: it must be whole minutes'],
  [{ baseline: 90_000_000 }, 'E_CONFIG: baseline: it must be whole minutes'],
  [{ htf: 2000 * MINUTE }, 'E_CONFIG: htf: it must be whole minutes'],
  [{ detect: ['none', 'absorption'] }, "E_CONFIG: detect: 'none' stands alone"],
  [{ plan: { risk: 0 } }, 'E_CONFIG: risk: 0 is not above 0'],
  [{ plan: { risk: 101 } }, 'E_CONFIG: risk: 101 is more than 100'],
  [{ plan: { leverage: -1 } }, 'E_CONFIG: leverage: -1 is not above 0'],
  [{ plan: { 'touch-share': 0 } }, 'E_CONFIG: touch-share: 0 is not above 0'],
  [{ plan: { slippage: -1 } }, 'E_CONFIG: slippage: -1 is not at least 0'],
  [{ plan: { equity: Number.NaN } }, 'E_CONFIG: equity: NaN is not above 0'],
  [{ preset: 'scalpp' }, "E_CONFIG: no preset 'scalpp'; did you mean 'scalp'?"],
])('%j is refused', (given, message) => {
  expect(refusal(() => settings(given))).toContain(message);
});

/** What runs on a src: `name parameter=value` of those parameters that are not at their defaults. */
const running = (given: Parameters<typeof scanSettings>[0], src: string): string[] =>
  settings(given)
    .detectors.of(src)
    .map(({ detector, options }) =>
      Object.entries(defaultsOf(detector)).reduce(
        (text, [key, usual]) => (options[key] === usual ? text : `${text} ${key}=${options[key]}`),
        detector.name,
      ),
    );

describe('layers', () => {
  const symbols = {
    'bybit-linear:*': { set: [parseSetting('absorption.ratio=3'), parseSetting('absorption.zone=3')] },
    'bybit-linear:DOGEUSDT': { set: [parseSetting('absorption.zone=4')] },
    [BTC]: { detect: ['none'] },
    'okx-swap:*': { detect: ['book-imbalance'] },
    'okx-swap:X-USDT-SWAP': { set: [parseSetting('book-imbalance.levels=3')] },
  };
  const given = {
    preset: 'scalp',
    detect: ['absorption'],
    set: ['absorption.window=7s', 'absorption.zone=2'].map(parseSetting),
    symbols,
  };
  const scalp = 'quantile=0.9';
  const rest = 'hold=500000 settle=2000000';

  test('a preset, then all symbols, then those of a venue, then one', () => {
    expect(running(given, 'binance-spot:BTCUSDT')).toEqual([`absorption window=7000000 ${scalp} zone=2 ${rest}`]);
    const [spot, venue, one] = ['binance-spot:A', 'bybit-linear:ETHUSDT', 'bybit-linear:DOGEUSDT'].map(
      (src) => settings(given).detectors.of(src)[0].options,
    );
    expect([spot, venue, one].map(({ window, ratio, zone }) => [window, ratio, zone])).toEqual([
      [7_000_000, 0.5, 2],
      [7_000_000, 3, 3],
      [7_000_000, 3, 4],
    ]);
    expect(running(given, BTC)).toEqual([]);
    expect(running({ symbols }, 'okx-swap:BTC-USDT-SWAP')).toEqual(['book-imbalance']);
    expect(running({ symbols }, 'okx-swap:X-USDT-SWAP')).toEqual(['book-imbalance levels=3']);
    expect(running({}, BTC)).toEqual(detectors.map(({ name }) => name));
  });

  test('what is typed goes over all of them', () => {
    const typed = { detect: undefined, set: [parseSetting('absorption.zone=9')], preset: 'default' };
    const merged = mergeSettings({ ...given, unit: MINUTE }, typed);
    for (const [src, ratio] of [
      ['bybit-linear:DOGEUSDT', 3],
      ['binance-spot:A', 0.5],
    ] as const)
      expect(settings(merged).detectors.of(src)[0].options).toMatchObject({ zone: 9, ratio, quantile: 0.95 });
    expect(merged.unit).toBe(MINUTE);
    expect(running(merged, BTC)).toEqual([]);
    const named = mergeSettings(given, { detect: ['tape-imbalance'] });
    for (const src of [BTC, 'okx-swap:BTC-USDT-SWAP', 'binance-spot:A'])
      expect(settings(named).detectors.of(src)[0].detector.name).toBe('tape-imbalance');
  });

  test('the look-back is that of the detector that looks furthest, whichever src it runs on', () => {
    const times = { baseline: MINUTE, htf: MINUTE, detect: ['tape-imbalance'] };
    const far = { detect: ['absorption'], set: [parseSetting('absorption.window=1m')] };
    expect(lookback(settings(times))).toBe(2 * MINUTE);
    expect(lookback(settings({ ...times, symbols: { 'bybit-linear:*': far } }))).toBe(3 * MINUTE);
    // a layer that has the window, and one that has the detector
    const split = { 'bybit-linear:*': { set: far.set }, 'bybit-linear:X': { detect: far.detect } };
    expect(lookback(settings({ ...times, symbols: split }))).toBe(3 * MINUTE);
  });

  test.each([
    [{ BTCUSDT: {} }, 'E_CONFIG: symbols.BTCUSDT: not VENUE:SYMBOL, nor VENUE:* for all symbols of a venue'],
    [{ 'bybit-linear:': {} }, 'E_CONFIG: symbols.bybit-linear:: not VENUE:SYMBOL'],
    [{ '*:BTCUSDT': {} }, "E_VENUE: symbols.*:BTCUSDT: no venue '*'"],
    [{ 'bybit-liner:*': {} }, "E_VENUE: symbols.bybit-liner:*: no venue 'bybit-liner'; did you mean 'bybit-linear'?"],
    [{ [BTC]: { detect: ['absorbtion'] } }, `E_CONFIG: symbols.${BTC}: no detector 'absorbtion'; did you mean`],
    [{ [BTC]: { detect: ['none', 'absorption'] } }, `E_CONFIG: symbols.${BTC}: detect: 'none' stands alone`],
    [
      { [BTC]: { set: [parseSetting('absorption.windw=1s')] } },
      `E_CONFIG: symbols.${BTC}: absorption has no parameter 'windw'; did you mean 'window'?`,
    ],
  ])('%j is refused', (wrong, message) => {
    expect(refusal(() => settings({ symbols: wrong }))).toContain(message);
  });
});

describe('config files', () => {
  test('all keys', () => {
    const text =
      '{"detect":["absorption"],"set":{"absorption":{"window":"4s","ratio":2}},"unit":"1m","baseline":"2m","warmup":"30s","htf":"1m"}';
    const { detectors, ...times } = settings(readConfig(text, 'f'));
    expect(times).toMatchObject({ unit: MINUTE, baseline: 2 * MINUTE, warmup: MINUTE / 2, htf: MINUTE });
    const chosen = detectors.of(BTC);
    expect(chosen).toHaveLength(1);
    expect(chosen[0].options).toMatchObject({ window: 4_000_000, ratio: 2 });
  });

  test('presets, symbols and filters', () => {
    const text = `{"preset":"quiet","symbols":{"${BTC}":{"detect":["absorption"],"set":{"absorption":{"zone":2}}},
      "bybit-linear:*":{}},"min-score":0.5,"side":"buy","where":"score > 1"}`;
    const read = readConfig(text, 'f');
    expect(read).toMatchObject({ preset: 'quiet', minScore: 0.5, side: 'buy', where: 'score > 1' });
    expect(running(read, BTC)).toEqual(['absorption window=20000000 quantile=0.99 zone=2 hold=2000000 settle=5000000']);
    expect(running(read, 'bybit-linear:A')).toHaveLength(detectors.length);
  });

  test('what is typed wins', () => {
    const file = readConfig(
      '{"detect":["absorption"],"set":{"absorption":{"window":"4s","ratio":2}},"baseline":"2m"}',
      'f',
    );
    const costs = readConfig('{"equity":1000,"fee":-1,"risk":1}', 'f');
    const { plan } = settings(mergeSettings(costs, { plan: { fee: 2, risk: undefined } }));
    expect(plan).toEqual({ equity: 1000, fee: 2, risk: 1, slippage: 0.5, leverage: 5, 'touch-share': 100 });
    const typed = { detect: undefined, baseline: 3 * MINUTE, set: [parseSetting('absorption.window=6s')] };
    const merged = settings(mergeSettings(file, typed));
    expect(merged.baseline).toBe(3 * MINUTE);
    expect(
      merged.detectors.of(BTC).map(({ detector, options }) => [detector.name, options.window, options.ratio]),
    ).toEqual([['absorption', 6_000_000, 2]]);
  });

  test.each([
    ['[', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{"detects":[]}', "no key 'detects'; did you mean 'detect'?"],
    ['{"detect":"absorption"}', 'detect: not a list of names'],
    ['{"set":[]}', 'set: not an object of detectors'],
    ['{"set":{"absorption":3}}', 'set.absorption: not an object of parameters'],
    ['{"unit":60}', 'unit: 60 is not a duration such as "5m"'],
    ['{"preset":1}', 'preset: not a text'],
    ['{"where":["a"]}', 'where: not a text'],
    ['{"min-score":"1"}', 'min-score: not a number'],
    ['{"minScore":1}', "no key 'minScore'; did you mean 'min-score'?"],
    ['{"equity":"1000"}', 'equity: not a number'],
    ['{"equity":-1}', 'equity: -1 is not above 0'],
    ['{"side":"long"}', 'side: "long" is not "buy" or "sell"'],
    ['{"symbols":[]}', 'symbols: not an object of symbols'],
    [`{"symbols":{"${BTC}":[]}}`, `symbols.${BTC}: not an object of settings`],
    [`{"symbols":{"${BTC}":{"sets":{}}}}`, `symbols.${BTC}: no key 'sets'; did you mean 'set'?; there are detect, set`],
    [`{"symbols":{"${BTC}":{"set":{"absorption":3}}}}`, `symbols.${BTC}: set.absorption: not an object of parameters`],
    [`{"symbols":{"${BTC}":{"detect":"absorption"}}}`, `symbols.${BTC}: detect: not a list of names`],
  ])('%s is refused', (text, message) => {
    expect(refusal(() => readConfig(text, 'f'))).toContain(`E_CONFIG: while reading the config: ${message}`);
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
