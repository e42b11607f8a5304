/** The schema of a line: it takes what is printed, and nothing that only looks like it. */
import { describe, expect, test } from 'vitest';
import { lineSchema } from '../../src/scan/schema.js';
import { detectors } from '../../src/signals/registry.js';
import { randomTape } from './random-tape.js';
import { MINUTE, SECOND, scanLines } from './tape-builder.js';
import { checkLine } from './valid-line.js';

const { lines, sums } = await scanLines(randomTape({ seed: 7, minutes: 3, extras: true }).lines, {
  ...{ unit: MINUTE, baseline: MINUTE, htf: MINUTE, warmup: 20 * SECOND },
  set: ['book-imbalance.on=0.3', 'book-imbalance.off=0.2', 'tape-imbalance.quantile=0.3'],
});
type Line = Record<string, unknown> & { evidence: Record<string, unknown>; context: Record<string, unknown> };
const parsed = lines.map((line) => JSON.parse(line) as Line);
const of = (name: string, phase: string): Line => {
  const line = parsed.find(({ signal, phase: own, context }) => signal === name && own === phase && context);
  if (line === undefined) throw new Error(`no ${phase} of ${name}`);
  return line;
};
const refusal = (line: object): string => {
  try {
    checkLine(JSON.stringify(line));
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
  return 'valid';
};

test('lines and sums are valid', () => {
  expect(lines.length).toBeGreaterThan(5);
  for (const line of parsed) expect(refusal(line)).toBe('valid');
  expect(refusal({ checksum: sums[0] })).toBe('valid');
});

describe('what is not', () => {
  const onset = of('book-imbalance', 'onset');
  const end = of('book-imbalance', 'end');
  const { quality: _, ...unproven } = onset;
  const { reason: __, ...endless } = end;
  const { mean: ___, ...meanless } = onset.evidence;

  test.each([
    ['a field is missing', unproven, "must have required property 'quality'"],
    ['a field too many', { ...onset, extra: 1 }, 'must NOT have additional properties'],
    ['an end without a reason', endless, "must have required property 'reason'"],
    ['an onset with a reason', { ...onset, reason: 'faded' }, 'boolean schema is false'],
    ["a reason of another detector's", { ...end, reason: 'broken' }, 'must be equal to one of the allowed values'],
    ['a reason that is none', { ...end, reason: 'bored' }, 'must be equal to one of the allowed values'],
    ['a point of a detector that has none', { ...onset, phase: 'point' }, 'must be equal to one of the allowed values'],
    ['evidence is missing', { ...onset, evidence: meanless }, "must have required property 'mean'"],
    ['evidence that is not described', { ...onset, evidence: { ...onset.evidence, x: 1 } }, 'additional properties'],
    ["another detector's evidence", { ...onset, signal: 'tape-imbalance' }, "required property 'buy_size'"],
    ['no detector', { ...onset, signal: 'hunch' }, 'must be equal to one of the allowed values'],
    ['a text for a number', { ...onset, score: '0.5' }, 'line/score must be number'],
    ['null where it is always known', { ...onset, score: null }, 'line/score must be number'],
    ['a fraction for a count', { ...onset, evidence: { ...onset.evidence, levels: 1.5 } }, 'must be integer'],
    ['another form of time', { ...onset, time: '2023-11-14T22:14:20Z' }, 'line/time must match pattern'],
    ['another form of id', { ...onset, id: 'X' }, 'line/id must match pattern'],
    [
      'a context of another type',
      { ...onset, context: { ...onset.context, mark: '1' } },
      'context/mark must be number',
    ],
    [
      'a label that is none',
      { ...onset, context: { regime: { activity: 'wild' } } },
      'context/regime/activity must be',
    ],
    ['a plan that is none', { ...onset, plan: {} }, "line/plan must have required property 'entry'"],
  ])('%s', (_name, line, message) => {
    expect(refusal(line)).toContain(message);
  });

  test('a price may be unknown, and a context may say more', () => {
    expect(refusal({ ...onset, price: null })).toBe('valid');
    expect(refusal({ ...onset, context: { ...onset.context, news: 'none', more: { x: 1 } } })).toBe('valid');
  });
});

test('every field has words', () => {
  const wordless: string[] = [];
  const look = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return;
    for (const [name, field] of Object.entries(schema.properties as Record<string, object>)) {
      if (typeof field === 'object' && 'type' in field && !('description' in field)) wordless.push(`${path}.${name}`);
      look(field, `${path}.${name}`);
    }
  };
  const { $defs } = lineSchema() as { $defs: Record<string, object> };
  for (const [name, schema] of Object.entries($defs)) if (name !== 'checksum') look(schema, name);
  expect(wordless).toEqual([]);
  expect(Object.keys($defs)).toEqual(['signal', 'checksum', ...detectors.map(({ name }) => name)]);
});
