/** `tapedeck verify`: re-reads tapes and says what they prove. */

import { describeProblem } from '../audit/problems.js';
import { type SourceReport, verifyTapes } from '../audit/verify.js';
import { type Progress, startProgress } from '../output/progress.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatCount, table } from '../output/text.js';
import { defineCommand, formatOption, tapesPositional } from './command.js';

const share = ({ agreed, checked }: { agreed: number; checked: number }): string =>
  checked === 0 ? '-' : `${formatCount(agreed)} of ${formatCount(checked)}`;

/** `1 id`, `12 ids` */
const some = (count: number, what: string): string => `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;

/** What is worth a word and is no finding. */
function remarks({ unknown, levels, skips, missing, backfilled }: SourceReport): string[] {
  const found: string[] = [];
  if (missing > 0)
    found.push(
      `${some(missing, 'trade')} did not arrive, of which ${formatCount(backfilled)} were read over REST later`,
    );
  if (unknown > 0) found.push(`${formatCount(unknown)} messages no layout explains`);
  if (levels.unsettled > 0)
    found.push(`${some(levels.unsettled, 'level')} differed in one book over REST and not in two`);
  if (skips.updates > 0)
    found.push(
      `${some(skips.ids, 'id')} skipped before ${some(skips.updates, 'book update')}; with this venue that proves nothing`,
    );
  return found;
}

function asText(reports: readonly SourceReport[]): string[] {
  const rows = reports.map(({ src, messages, gaps, verified, touch, levels, checkpoints, problems }) => [
    src ?? '(unreadable)',
    formatCount(messages),
    formatCount(gaps),
    verified === null ? '-' : `${verified.toFixed(2)} %`,
    share(touch),
    share(levels),
    share(checkpoints),
    problems.length === 0 ? 'none' : formatCount(problems.length),
  ]);
  const right = 'right' as const;
  const columns = [
    { title: 'SRC' },
    { title: 'MESSAGES', align: right },
    { title: 'GAPS', align: right },
    { title: 'VERIFIED', align: right },
    { title: 'TOUCH', align: right },
    { title: 'LEVELS', align: right },
    { title: 'CHECKPOINTS', align: right },
    { title: 'PROBLEMS', align: right },
  ];
  const lines = table(columns, rows);
  for (const report of reports) {
    const { problems, src } = report;
    lines.push(...remarks(report).map((remark) => `${escapeControl(src ?? '')}: ${remark}`));
    const of = src === null || reports.length === 1 ? '' : `${src}: `;
    lines.push(...problems.map((problem) => escapeControl(`${of}${describeProblem(problem)}`)));
  }
  return lines;
}

export default defineCommand({
  name: 'verify',
  describe: 'Re-read tapes and say what they prove: damage, gaps, checkpoints, best quotes',
  positionals: { tape: tapesPositional },
  options: { format: formatOption },
  examples: [
    ['tapedeck verify tapes/', 'one row per market, then every finding with its place'],
    ["tapedeck verify tapes/ --format json | jq -r 'select(.gaps > 0).src'", 'markets with gaps'],
  ],
  details: `
What is checked. Every frame against its checksum; every line; times, which must increase; the end entry, index and seek table
of sealed segments; the venue's own sequence of book updates; trade ids without holes; every checkpoint against the book that the
messages make; and the best bid and ask of the rebuilt book, price and size, after every update against the venue's best quotes,
joined by id.

Where a venue's ids prove nothing (BingX), the tape holds books that were read over REST in pairs, and each is compared with the
rebuilt book at that moment, level by level, as deep as both are known. Such a book comes a little before or after the stream, so a
level is found wrong only where two reads in a row, at least five seconds apart, differ from it while the stream did not change it.

Trades whose ids did not arrive are counted, of every trade stream, and those of them that the recorder read over REST later
(see tapedeck-record(1)). Such a gap stays a gap: nothing that was read later was there when signals needed it.

Columns. MESSAGES: messages read. GAPS: intervals in which messages are missing or may be, each counted once, whoever noticed.
VERIFIED: percent of the recorded time in which the book was joined to a snapshot, its updates were unbroken and no best quote
contradicted it, rounded down; 0 where no snapshot is there (TOUCH then speaks of a provisional book made of the updates alone).
TOUCH, LEVELS and CHECKPOINTS: how many agreed of those that could be checked; of levels, over all books read.

Findings. Each names its code and its place. A gap is a finding even when the recorder marked it; so is a segment that was not
sealed. Codes: E_FRAME_CORRUPT, E_TRUNCATED, E_LINE, E_HEADER, E_VERSION and E_VENUE for what cannot be read; GAP, ORDER,
NOT_SEALED, SEAL, CHECKPOINT, CHECKSUM, TOUCH, LEVEL, CROSSED, NUMBER and NO_SNAPSHOT for what does not fit together. What is readable before and
after damage is used and counted.

JSON. One object per market: src, messages, gaps, verified, touch, checksums (book checksums of venues that send them), levels
(reads: books over REST that were compared; checked and agreed; unsettled: levels that differed in one read and not in two),
checkpoints, skips (of venues whose book updates have ids that skip without a loss: updates before which any were skipped, and ids
skipped in all), missing (trades that ids say did not arrive), backfilled (of these, trades read over REST later), unknown (messages no layout explains) and problems, each with code, message, file, frame (from 0) and line (from 1).

Exit status: 0 without findings, 1 with.`,

  async handler({ tape, format }, io) {
    let bar: Progress | null = null;
    let done = 0;
    let reports: SourceReport[];
    try {
      reports = await verifyTapes({
        paths: tape,
        stdin: io.stdin,
        signal: io.signal,
        total: async (bytes) => {
          bar = await startProgress(io, 'verify', bytes);
        },
        progress: (bytes, file) => {
          done += bytes;
          bar?.update(done, file);
        },
      });
    } finally {
      stop(bar);
    }
    const out = createDataWriter(io.stdout);
    const lines = format === 'json' ? reports.map((report) => JSON.stringify(report)) : asText(reports);
    for (const line of lines) await out.write(`${line}\n`);
    await out.flush();
    return reports.some(({ problems }) => problems.length > 0) ? 1 : 0;
  },
});

/** A function of its own, since the compiler takes a variable set in a callback for never set. */
function stop(bar: Progress | null): void {
  bar?.stop();
}
