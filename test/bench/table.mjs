// The bench's tables, for the terminal and for README.
import { readFileSync, writeFileSync } from 'node:fs';
import { boundText, claimText } from './group.mjs';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** A vertical bar would end the cell. */
const cell = (text) => String(text).replaceAll('|', '\\|');
const row = (...cells) => `| ${cells.map(cell).join(' | ')} |`;

/** Promises with what was measured, then speeds, then sentences. */
export function markdown({ outcomes, rows, notes, rounds }) {
  const ratios = outcomes.map((one) =>
    // work shared out takes no less CPU time
    row(
      claimText(one),
      one.group,
      one.value.toFixed(2),
      one.cores === 'one core' ? one.cpu.toFixed(2) : '',
      boundText(one),
    ),
  );
  const speeds = rows.map(({ group, name, cores, textMB, megabytes, kilomessages, peakMB }) =>
    row(
      ...[name, group, cores, textMB.toFixed(0), megabytes.toFixed(0)],
      ...[kilomessages === null ? '' : kilomessages.toFixed(0), peakMB.toFixed(0)],
    ),
  );
  const table = (titles, lines) =>
    lines.length === 0 ? [] : [row(...titles), row(...titles.map(() => '---')), ...lines, ''];
  const whole = `Whole commands, medians of ${rounds} interleaved rounds; a ratio is the median of each round's, of speeds in MB/s of text.`;
  return [
    ...table(['ratio', 'group', 'measured', 'by CPU time', 'promised'], ratios),
    ...table(['command', 'group', 'cores', 'text, MB', 'MB/s', 'thousand messages/s', 'peak MB'], speeds),
    ...[whole, ...notes].map((one) => `- ${one}`),
  ].join('\n');
}

/** Puts the tables between the marks in README. */
export function writeReadme(path, table) {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(START);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README has no ${START} … ${END}`);
  writeFileSync(path, `${text.slice(0, from + START.length)}\n${table}\n${text.slice(to)}`);
}
