/** What detectors there are, in words: for `scan --list`. */
import type { Detector } from './detector.js';
import { describeType, type Parameter } from './parameters.js';

/** Lines for people: name and summary, the definition, then every parameter with default, type and words. */
export function detectorText(detector: Detector): string[] {
  const lines = [`${detector.name}: ${detector.summary}`, ''];
  lines.push(...detector.doc.split('\n').map((line) => `  ${line}`), '');
  lines.push(`  needs ${detector.needs.join(' and ')}`);
  const names = Object.keys(detector.parameters);
  const width = Math.max(...names.map((name) => name.length));
  for (const [name, parameter] of Object.entries(detector.parameters))
    lines.push(
      `  ${name.padEnd(width)}  ${String(parameter.default).padEnd(9)}  ${parameter.doc}`,
      `  ${' '.repeat(width)}  ${' '.repeat(9)}  (${describeType(parameter)})`,
    );
  return lines;
}

/** The same as plain data. */
export function detectorFacts({ name, summary, doc, needs, parameters }: Detector): Record<string, unknown> {
  const described = Object.entries(parameters).map(([key, parameter]: [string, Parameter]) => [
    key,
    { ...parameter, doc: parameter.doc },
  ]);
  return { name, summary, doc: doc.replaceAll('\n', ' '), needs, parameters: Object.fromEntries(described) };
}
