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

/** Puts the tables between the marks in README; `groups`: those that were run where not all were, whose lines take the place of their older ones. */
export function writeReadme(path, table, groups = null) {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(START) + START.length;
  const to = text.indexOf(END);
  if (from < START.length || to < from) throw new Error(`README has no ${START} … ${END}`);
  const whole = groups === null ? table : merge(text.slice(from, to).trim(), table, groups);
  writeFileSync(path, `${text.slice(0, from)}\n${whole}\n${text.slice(to)}`);
}

/** Tables and sentences stand apart by an empty line; a table is known by its titles. */
function merge(before, fresh, groups) {
  const blocks = fresh.split('\n\n').map((block) => block.split('\n'));
  return before
    .split('\n\n')
    .map((block) => {
      const lines = block.split('\n');
      if (lines[0].startsWith('- ')) return mergeNotes(lines, blocks.at(-1)).join('\n');
      const rows = blocks.find(([titles]) => titles === lines[0]) ?? [];
      return mergeRows(lines, rows.slice(2), groups).join('\n');
    })
    .join('\n\n');
}

/** A row's second cell is its group. */
function mergeRows(lines, fresh, groups) {
  const isOld = (line) => groups.includes(/^\| (?:\\.|[^|\\])+ \| (\w+) \|/.exec(line)?.[1]);
  const first = lines.findIndex(isOld);
  const at = first < 0 ? lines.length : first;
  return [...lines.slice(0, at), ...fresh, ...lines.slice(at).filter((line) => !isOld(line))];
}

/** Sentences about one thing begin alike, up to a colon or a number. */
function mergeNotes(lines, fresh) {
  const subjectOf = (line) => line.split(/[:\d]/, 1)[0];
  const added = fresh.filter((line) => !lines.some((one) => subjectOf(one) === subjectOf(line)));
  return [...lines.map((line) => fresh.find((one) => subjectOf(one) === subjectOf(line)) ?? line), ...added];
}
