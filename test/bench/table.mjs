// The bench's table, for the terminal and for README.
import { readFileSync, writeFileSync } from 'node:fs';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

/** Rows of { name, megabytes, zstd, plain, peakMB } as Markdown, with the input and the pacing below. */
export function markdownTable({ rows, bytes, rounds, counts, pacing }) {
  const lines = [
    '| command | MB/s of text | of `zstd -dc` | of `JSON.parse` | peak MB |',
    '|---|--:|--:|--:|--:|',
    ...rows.map(
      ({ name, megabytes, zstd, plain, peakMB }) =>
        `| ${name} | ${megabytes.toFixed(0)} | ${zstd.toFixed(2)} | ${plain.toFixed(1)} | ${peakMB.toFixed(0)} |`,
    ),
    '',
    `${(bytes / 1e6).toFixed(0)} MB of text${
      counts === undefined ? '' : `, ${counts.messages} messages, ${counts.levels} levels, ${counts.trades} trades`
    }; one core, whole commands, median of ${rounds} interleaved rounds.`,
  ];
  if (pacing !== null) {
    lines.push(
      `Paced: ${pacing.tapeSeconds.toFixed(3)} s of tape at speed 1 took ${pacing.tookSeconds.toFixed(4)} s from first to last line;`,
      `a line came at the median ${pacing.p50.toFixed(3)} ms and at p99 ${pacing.p99.toFixed(3)} ms after it was due.`,
    );
  }
  return lines.join('\n');
}

/** Puts the table between the marks in README. */
export function writeReadme(path, table) {
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(START);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README has no ${START} … ${END}`);
  writeFileSync(path, `${text.slice(0, from + START.length)}\n${table}\n${text.slice(to)}`);
}
