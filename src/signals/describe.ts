/** What detectors there are, in words: for `scan --list`, and for the manual. */
import type { Detector, EvidenceField } from './detector.js';
import { describeType } from './parameters.js';
import { presetsOf } from './presets.js';

/** Columns of a terminal that nobody has widened. */
const WIDTH = 80;
const INDENT = '  ';

/** Breaks a paragraph into lines of at most `width` columns. */
export type Wrap = (text: string, width: number) => string[];

/** Lines for people, 80 columns wide: name and summary, the definition, parameters with defaults, and what its signals say. */
export function detectorText(detector: Detector, wrap: Wrap): string[] {
  const { name, summary, doc, needs, parameters, meaning, confirms } = detector;
  const table = (title: string, rows: readonly (readonly [string, string])[]): string[] => {
    const width = Math.max(0, ...rows.map(([head]) => head.length));
    const indent = `${INDENT}${INDENT}${' '.repeat(width)}  `;
    return rows.length === 0
      ? []
      : [
          '',
          `${INDENT}${title}`,
          ...rows.flatMap(([head, text]) =>
            wrap(text, WIDTH - indent.length).map((line, at) =>
              at === 0 ? `${INDENT}${INDENT}${head.padEnd(width)}  ${line}` : `${indent}${line}`,
            ),
          ),
        ];
  };
  const defaults = Object.values(parameters).map((parameter) => String(parameter.default));
  const names = Object.keys(parameters);
  const [nameWidth, defaultWidth] = [names, defaults].map((words) => Math.max(...words.map((word) => word.length)));
  const { side, price, score, evidence, ends = {} } = meaning;
  return [
    ...wrap(`${name}: ${summary}`, WIDTH),
    '',
    ...paragraphs(doc).flatMap((text) => [...wrap(text, WIDTH - INDENT.length).map((line) => `${INDENT}${line}`), '']),
    `${INDENT}needs ${needs.join(' and ')}`,
    ...table(
      `parameters, and their defaults (--set ${name}.NAME=VALUE)`,
      Object.entries(parameters).map(([key, parameter]) => [
        `${key.padEnd(nameWidth)}  ${String(parameter.default).padEnd(defaultWidth)}`,
        `${parameter.doc} (${parameterWords(detector, key)})`,
      ]),
    ),
    ...table('signal', [
      ['phase', phaseWords(detector)],
      ['side', side],
      ['price', price],
      ['score', score],
      ...(confirms === true ? [['confirm', 'size, duration and reaction of the aggression'] as const] : []),
    ]),
    ...table(
      'evidence',
      Object.entries(evidence).map(([key, field]) => [key, `${field.doc}${inBrackets(fieldWords(field))}`]),
    ),
    ...table('reasons of an end, beside gap, hour and eof', Object.entries<string>(ends)),
  ];
}

/** The same as plain data. */
export function detectorFacts(detector: Detector): Record<string, unknown> {
  const { name, summary, doc, needs, parameters, meaning, confirms = false } = detector;
  return {
    ...{ name, summary, doc: oneLine(doc), needs, parameters },
    ...{ presets: presetsOf(name), confirms, meaning },
  };
}

/** Phases of its signals; a point that is confirmed is told twice. */
export function phaseWords({ meaning, confirms }: Detector): string {
  if (meaning.point !== true) return 'onset, updates, end';
  return confirms === true ? 'point, and an update a second later; no end' : 'point: one line, and no end';
}

/** `a duration from 500ms to 1m; scalp 5s`. */
export function parameterWords({ name, parameters }: Detector, key: string): string {
  const changed = Object.entries(presetsOf(name)).filter(([, own]) => Object.hasOwn(own, key));
  return [describeType(parameters[key]), ...changed.map(([preset, own]) => `${preset} ${own[key]}`)].join('; ');
}

const UNITS: Readonly<Partial<Record<EvidenceField['type'], string>>> = {
  flag: 'true or false',
  time: 'microseconds since 1970',
};

/** `size, or null; not always there`: what the type of a field adds to its words; empty where that is nothing. */
export function fieldWords({ type, choices, nullable, optional }: EvidenceField): string {
  const unit = type === 'text' ? listed(choices ?? []) : (UNITS[type] ?? type);
  const value = nullable === true ? `${unit}${unit === '' ? '' : ', '}or null` : unit;
  return [...(value === '' ? [] : [value]), ...(optional === true ? ['not always there'] : [])].join('; ');
}

/** `a, b or c`. */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

const inBrackets = (text: string): string => (text === '' ? '' : ` (${text})`);

/** Paragraphs stand apart by blank lines. */
export function paragraphs(text: string): string[] {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map(oneLine);
}

/** Texts are written over several lines where they are long. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
