// The bench's tables, for the terminal and for README.
import { readFileSync, writeFileSync } from 'node:fs';
import { boundText, claimText } from './group.mjs';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** Promises with what was measured, then speeds, then sentences. */
export function markdown({ outcomes, rows, notes, rounds }) {
  const ratios = [
    '| ratio | cores | measured | promised |',
    '|---|---|--:|---|',
    ...outcomes.map((one) => `| ${claimText(one)} | ${one.cores} | ${one.value.toFixed(2)} | ${boundText(one)} |`),
  ];
  const speeds = [
    '| command | cores | text, MB | MB/s | thousand messages/s | peak MB |',
    '|---|---|--:|--:|--:|--:|',
    ...rows.map(
      ({ name, cores, textMB, megabytes, kilomessages, peakMB }) =>
        `| ${name} | ${cores} | ${textMB.toFixed(0)} | ${megabytes.toFixed(0)} | ${kilomessages?.toFixed(0) ?? ''} | ${peakMB.toFixed(0)} |`,
    ),
  ];
  const sentences = [
    `Whole commands, medians of ${rounds} interleaved rounds; ratios are medians of each round's.`,
    ...notes,
  ];
  return [...ratios, '', ...speeds, '', ...sentences.map((one) => `- ${one}`)].join('\n');
}

/** Puts the tables between the marks in README. */
export function writeReadme(path, table) {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(START);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README has no ${START} … ${END}`);
  writeFileSync(path, `${text.slice(0, from + START.length)}\n${table}\n${text.slice(to)}`);
}
