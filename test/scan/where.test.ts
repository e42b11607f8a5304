/** `--where`: what holds of a signal, and refusals that say where in the expression and what was meant. */
import { describe, expect, test } from 'vitest';
import type { Signal } from '../../src/model/signal.js';
import { signalFilter } from '../../src/scan/filter.js';
import { parseWhere } from '../../src/scan/where.js';

const signal: Signal = {
  time: '2023-11-14T22:14:20.000001Z',
  venue: 'binance-usdm',
  symbol: 'BTCUSDT',
  signal: 'absorption',
  phase: 'end',
  side: 'sell',
  id: '00112233aabbccdd',
  reason: 'held',
  price: null,
  score: 0.75,
  evidence: { kind: 'B', volume: 12.5, displacement_ticks: null, recorder: 'r', first: 1, last: 2 },
  context: { regime: { liquidity: 'low' }, mark: 0 },
  quality: 'verified',
};

describe('what holds', () => {
  test.each([
    'score > 0.7',
    'score >= .75 and score <= 7.5e-1',
    'score > -1',
    'score != 1',
    'score == 0.75',
    `signal == 'absorption' && side == "sell"`,
    "side == 'buy' || phase == 'end'",
    "score > 9 and side == 'sell' or phase == 'end'",
    "phase == 'end' or score > 9 and side == 'buy'",
    "!(side == 'buy')",
    "not (side == 'buy' or score > 9) and not (score > 8)",
    "signal in ['absorption', 'book-imbalance']",
    'score in [0.5, 0.75]',
    "!(phase in ['onset', 'update'])",
    'evidence.volume > 12',
    "evidence.kind in ['A', 'B']",
    'evidence.displacement_ticks == null',
    "context.regime.liquidity == 'low'",
    'context.mark == 0',
    'context.mark', // zero is there
    'context.index == null',
    'confirm == null',
    'plan.rr == null',
    'reason',
    'evidence and context and context.regime',
    '!confirm.reaction',
    'price == null and price != 5',
    'true && !false',
    "time >= '2023-11-14T22:14' and time < '2023-11-14T22:15'",
    "'sell' == side",
    '0.5 < score',
    '((((score > 0.5))))',
    "\tscore>0.5\n&&side=='sell' ",
  ])('%s', (text) => {
    expect(parseWhere(text).passes(signal)).toBe(true);
    expect(parseWhere(`!(${text})`).passes(signal)).toBe(false);
  });

  test.each([
    "score > 9 && side == 'sell'",
    "side == 'sell' and score > 9",
    "side == 'buy' || score > 9",
    'price > 0',
    'price <= 0',
    'evidence.displacement_ticks < 1',
    'side in []',
    'confirm',
    'plan.rr',
    'price',
  ])('not: %s', (text) => {
    expect(parseWhere(text).passes(signal)).toBe(false);
  });

  test('names of the language are no names of fields, and fields are those the line has itself', () => {
    const { passes, notes } = parseWhere('evidence.constructor != null || evidence.in != null || context.__proto__');
    expect(passes(signal)).toBe(false);
    expect(notes).toHaveLength(3);
  });

  test('a long chain is read', () => {
    expect(parseWhere(Array.from({ length: 300 }, (_, n) => `score==${n}`).join('||')).passes(signal)).toBe(false);
  });
});

describe('fields that no signal has are noted', () => {
  test.each([
    ['evidence.volumes > 3', "where: no signal has evidence.volumes; did you mean 'volume'?"],
    ['context.regime.liqidity', "where: no signal has context.regime.liqidity; did you mean 'liquidity'?"],
    ['confirm.duration && plan.rr_nett > 1', "where: no signal has plan.rr_nett; did you mean 'rr_net'?"],
    ['evidence.volume > 3 && context.mark > 3 && evidence.first > 3', undefined],
  ])('%s', (text, note) => {
    expect(parseWhere(text).notes).toEqual(note === undefined ? [] : [note]);
  });
});

describe('refusals', () => {
  test.each([
    ['scor > 1', "no field 'scor'; did you mean 'score'?; there are time, venue, ", '(at character 1: scor > 1)'],
    ['side == buy', "no field 'buy'; text stands in quotes", '(at character 9: buy)'],
    ['score = 1', "unexpected '='; equality is ==", '(at character 7: = 1)'],
    ['score === 1', 'equality is ==', '(at character 9: = 1)'],
    ['score > 1 & side', "unexpected '&'; write &&", '(at character 11: & side)'],
    ['score + 1 > 2', "unexpected '+'; there is no arithmetic", '(at character 7: + 1 > 2)'],
    ['signal == book-imbalance', 'there is no arithmetic, and text stands in quotes', '(at character 15: -imbalance)'],
    ['score > 1 && .side', 'fields have no dot in front', '(at character 14: .side)'],
    ['.score > 1', 'fields have no dot in front', '(at character 1: .score > 1)'],
    ['score >', 'a value is missing after >', '(at its end)'],
    ['score > 1 and', 'a value is missing after and', '(at its end)'],
    ['score > && side', 'a value is missing after >', '(at character 9: && side)'],
    ['!', 'a value is missing after !', '(at its end)'],
    ['(score > 1', 'unclosed (', '(at its end)'],
    ['score > 1)', "unexpected ')'", '(at character 10: ))'],
    ["side == 'buy", 'a quote is not closed', '(at its end)'],
    ['score > 5s', 'a number goes on as text', '(at character 10: s)'],
    ['', 'a condition is missing', '(at its end)'],
    ['()', 'a condition is missing', '(at character 1: ())'],
    ["score > 1 side == 'buy'", '&& or || is missing between two conditions', "(at character 11: side == 'buy')"],
    ['1 < score < 2', 'a comparison has two sides', '(at character 1: 1 < score < 2)'],
    ["!side == 'buy'", '! denies what stands next to it', '(at character 1: '],
    ["not side == 'buy'", 'not denies what stands next to it', '(at character 1: '],
    ["signal in ('sweep')", "behind 'in' stands a list", "(at character 11: ('sweep'))"],
    ['side in [side]', 'a list holds numbers and texts', '(at character 10: side])'],
    ['side in [,]', 'a list holds numbers and texts', '(at character 9: [,])'],
    ["symbol.startsWith('B')", 'there are no functions', '(at character 1: '],
    ['score > 1 ? 2 : 3', 'a field or a value is missing', '(at character 1: '],
    ["evidence['volume'] > 1", 'names are joined by dots', '(at character 1: '],
    ['price.bid > 1', 'price has no fields', '(at character 1: price.bid > 1)'],
    ['5', '5 alone is no condition', '(at character 1: 5)'],
    ["score > 1 && 'x'", '"x" alone is no condition', "(at character 14: 'x')"],
    ['score > -side', '- stands before a number only', '(at character 9: -side)'],
    ["score > '5'", 'score is a number, and this is a text', "(at character 9: '5')"],
    ['5 == side', 'side is a text, and this is a number', '(at character 1: 5 == side)'],
    ['confirm.reaction == 1', 'confirm.reaction is true or false, and this is a number', '(at character 21: 1)'],
    ['evidence == 3', 'evidence is a group of fields, and this is a number', '(at character 13: 3)'],
    [
      "signal == 'absorbtion'",
      "signal is never 'absorbtion'; did you mean 'absorption'?; it may be ",
      '(at character 11: ',
    ],
    ["phase in ['onset', 'ende']", "phase is never 'ende'; did you mean 'end'?", "(at character 20: 'ende'])"],
    ["side == 'buy' && evidence.kind == 'Z'", "evidence.kind is never 'Z'", "(at character 35: 'Z')"],
    ['('.repeat(1990), 'nested too deep', '(at character 1: (((((((((((((((((((((((…)'],
    ['(score > 1 && '.repeat(300), 'longer than 4000 characters', ''],
  ])('%s', (text, message, place) => {
    let refusal = '';
    try {
      parseWhere(text);
    } catch (error) {
      refusal = `${(error as { code?: string }).code}: ${(error as Error).message}`;
    }
    expect(refusal).toContain(`E_CONFIG: where: ${message}`);
    expect(refusal.endsWith(place)).toBe(place.endsWith(')') || place === '');
    expect(refusal).toContain(place);
  });
});

describe('filters', () => {
  test('nothing given: no filter', async () => {
    expect(await signalFilter({})).toBe(null);
    expect(await signalFilter({ minScore: undefined, side: undefined, where: undefined })).toBe(null);
  });

  test.each([
    [{ minScore: 0.75 }, true],
    [{ minScore: 0.750001 }, false],
    [{ side: 'sell' }, true],
    [{ side: 'buy' }, false],
    [{ side: 'sell', minScore: 0.5, where: "reason == 'held'" }, true],
    [{ side: 'sell', minScore: 0.5, where: "reason == 'broken'" }, false],
    [{ side: 'buy', minScore: 0.5, where: "reason == 'held'" }, false],
    [{ side: 'sell', minScore: 1, where: "reason == 'held'" }, false],
  ] as const)('%j: %s', async (given, passes) => {
    expect((await signalFilter(given))?.passes(signal)).toBe(passes);
  });
});
