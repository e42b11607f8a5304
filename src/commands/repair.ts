/** `tapedeck repair`: seals what a killed recorder left. */
import { describeProblem } from '../audit/problems.js';
import { type RepairReport, repairTapes } from '../audit/repair.js';
import { TapedeckError } from '../model/errors.js';
import { formatTime } from '../model/time.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatCount } from '../output/text.js';
import { defineCommand, formatOption, noteTo, tapesPositional } from './command.js';

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

function asText({ file, sealed, lines, tornBytes, tails, last, problems }: RepairReport): string[] {
  if (!sealed) return problems.map((problem) => `${file}: left as it is: ${describeProblem(problem)}`);
  const found: string[] = [];
  if (last !== null) found.push(`sealed, its last entry at ${formatTime(last)}`);
  if (lines > 0) found.push(`${counted(lines, 'line')} taken from its tail`);
  if (tails > 0) found.push(`${counted(tails, 'tail')} removed`);
  if (tornBytes > 0) found.push(`${counted(tornBytes, 'byte')} of a line that was cut off given up`);
  return [`${file}: ${found.join(', ')}`];
}

export default defineCommand({
  name: 'repair',
  describe: 'Seal segments that a killed recorder left, and rewrite nothing else',
  positionals: { tape: { ...tapesPositional, describe: 'segments and folders of segments' } },
  options: { format: formatOption },
  examples: [
    ['tapedeck repair tapes/', 'a line for each segment that was not sealed, and what was done to it'],
    ['tapedeck repair tapes/ && tapedeck verify tapes/', 'then look whether they are sound'],
  ],
  details: `
A recorder does this itself when it starts again on the same folder; repair is for tapes nobody records to any more.

What is done. Lines that only stand in the plain-text tail beside a segment become frames at its end, then index, end entry and
seek table are written, the end entry marked "recovered":true; the tail goes. Bytes are cut off only behind the last whole frame: those
of a frame whose lines the tail holds, and those of a seek table that was being written or does not fit its frames. All that stood before
stays, byte for byte. The end of a line that was being written when the recorder died is no entry; how many bytes it had is said.

What is not. A frame that is corrupt, or torn without a tail that holds its lines, is told with its place and left as it is, unsealed:
what is readable before and after it can be read all the same. Sealed segments are not read (tapedeck verify reads them); leftover tails
beside them are removed. Plain NDJSON has no seal. A folder that a living recorder holds is refused, before anything is touched.

JSON. One object per segment that was not whole: file, sealed, lines (taken from its tail), tornBytes, tails (removed), last
(microseconds since 1970; null where it holds no entry or was sealed already) and problems, each with code, message, frame (from 0)
and line (from 1).

Exit status: 0 done, 1 where a segment had to be left as it is.`,

  async handler({ tape, format }, io) {
    if (tape.includes('-')) throw new TapedeckError('E_USAGE', "repair works on files: '-' (stdin) cannot be sealed");
    const { reports, whole } = await repairTapes(tape, { signal: io.signal, note: noteTo(io) });
    const out = createDataWriter(io.stdout);
    const lines =
      format === 'json' ? reports.map((one) => JSON.stringify(one)) : reports.flatMap(asText).map(escapeControl);
    for (const line of lines) await out.write(`${line}\n`);
    await out.flush();
    const left = reports.filter(({ sealed }) => !sealed).length;
    if (!io.quiet)
      io.stderr.write(
        `${counted(reports.length - left, 'segment')} repaired, ${formatCount(left)} left as found, ${formatCount(whole)} needed nothing\n`,
      );
    return left > 0 ? 1 : 0;
  },
});
