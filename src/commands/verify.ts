/** `tapedeck verify`: re-reads tapes and says what they prove. */
import { describeProblem } from '../audit/problems.js';
import type { Quantiles } from '../audit/quantiles.js';
import type { SourceReport, TimesReport } from '../audit/source-report.js';
import { verifyTapes } from '../audit/verify.js';
import { formatTime } from '../model/time.js';
import { type Progress, startProgress } from '../output/progress.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatCount, table } from '../output/text.js';
import { defineCommand, formatOption, noteTo, tapesPositional } from './command.js';

const counted = (count: number, what: string): string => `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;

const percent = (share: number | null): string => (share === null ? '-' : `${share.toFixed(2)} %`);

const agreement = ({ agreed, checked }: { agreed: number; checked: number }): string =>
  `${formatCount(agreed)} of ${formatCount(checked)} agree`;

/** `850 us`, `-12.3 ms`, `1.25 s`. */
function describeMicros(micros: number): string {
  const size = Math.abs(micros);
  if (size < 1000) return `${micros} us`;
  return size < 1_000_000 ? `${(micros / 1000).toFixed(1)} ms` : `${(micros / 1_000_000).toFixed(2)} s`;
}

const describeQuantiles = ({ p50, p99, max }: Quantiles): string =>
  `p50 ${describeMicros(p50)}, p99 ${describeMicros(p99)}, max ${describeMicros(max)}`;

const describeTimes = (what: string, { count, longest }: TimesReport): string =>
  count === 0 ? `never ${what}` : `${what} ${counted(count, 'time')}, ${describeMicros(longest)} at most`;

/** What is worth a word and is no finding. */
function remarks({ unknown, levels, skips, missing, backfilled }: SourceReport): string[] {
  const found: string[] = [];
  if (missing > 0)
    found.push(
      `${counted(missing, 'trade')} did not arrive, of which ${formatCount(backfilled)} were read over REST later`,
    );
  if (unknown > 0) found.push(`${formatCount(unknown)} messages no layout explains`);
  if (levels.unsettled > 0)
    found.push(`${counted(levels.unsettled, 'level')} differed in one book over REST and not in two`);
  if (skips.updates > 0)
    found.push(
      `${counted(skips.ids, 'id')} skipped before ${counted(skips.updates, 'book update')}; with this venue that proves nothing`,
    );
  return found;
}

const right = 'right' as const;
const counts = [
  { title: 'MESSAGES', align: right },
  { title: 'GAPS', align: right },
];

function summary(reports: readonly SourceReport[]): string[] {
  const rows = reports.map(({ src, messages, gaps, verified, clean, problems }) => [
    src ?? '(unreadable)',
    formatCount(messages),
    formatCount(gaps),
    percent(verified),
    percent(clean),
    problems.length === 0 ? 'none' : formatCount(problems.length),
  ]);
  const titles = [{ title: 'SRC' }, ...counts, { title: 'VERIFIED', align: right }, { title: 'CLEAN', align: right }];
  return table([...titles, { title: 'PROBLEMS', align: right }], rows);
}

/** What was held against something, a line each; what could not be is left out. */
function checks({ touch, checksums, levels, checkpoints, book, clock, drops }: SourceReport): [string, string][] {
  const lines: [string, string][] = [];
  if (touch.checked > 0) lines.push(['best quotes', agreement(touch)]);
  if (checksums.checked > 0) lines.push(['checksums', agreement(checksums)]);
  if (levels.checked > 0) lines.push(['levels', `${agreement(levels)}, in ${counted(levels.reads, 'book')} over REST`]);
  if (checkpoints.checked > 0) lines.push(['checkpoints', agreement(checkpoints)]);
  if (book.end !== null)
    lines.push([
      'book at end',
      `${book.end.agreed ? 'is' : 'is not'} the one the recorder wrote at ${formatTime(book.end.t)}`,
    ]);
  lines.push(['book', `${describeTimes('crossed', book.crossed)}; ${describeTimes('stale', book.stale)}`]);
  if (clock.readings > 0) {
    const steps =
      clock.steps === 0
        ? 'never set'
        : `set ${counted(clock.steps, 'time')}, by ${describeMicros(clock.largest)} at most`;
    lines.push(['wall clock', `drifted by ${describeMicros(clock.drift)}, ${steps}`]);
  }
  if (clock.lag !== null) lines.push(['exchange lag', describeQuantiles(clock.lag)]);
  if (clock.loop !== null) lines.push(['event loop', describeQuantiles(clock.loop)]);
  if (drops.entries > 0)
    lines.push(['dropped', `${counted(drops.count, 'line')}, in ${counted(drops.entries, 'place')}`]);
  return lines;
}

function details(report: SourceReport): string[] {
  const { src, streams } = report;
  if (src === null || streams.length === 0) return [];
  const rows = streams.map(({ stream, messages, gaps, verified, unverifiable, clean }) => [
    stream,
    formatCount(messages),
    formatCount(gaps),
    percent(verified),
    percent(unverifiable),
    percent(clean),
  ]);
  const titles = ['VERIFIED', 'UNVERIFIABLE', 'CLEAN'].map((title) => ({ title, align: right }));
  const lines = [...table([{ title: 'STREAM' }, ...counts, ...titles], rows), ...table([{}, {}], checks(report))];
  return ['', escapeControl(src), ...lines.map((line) => `  ${line}`)];
}

function asText(reports: readonly SourceReport[]): string[] {
  const lines = [...summary(reports), ...reports.flatMap(details)];
  const findings = reports.flatMap((report) => {
    const { problems, src } = report;
    const of = src === null || reports.length === 1 ? '' : `${src}: `;
    return [
      ...remarks(report).map((remark) => escapeControl(`${src ?? ''}: ${remark}`)),
      ...problems.map((problem) => escapeControl(`${of}${describeProblem(problem)}`)),
    ];
  });
  return findings.length === 0 ? lines : [...lines, '', ...findings];
}

export default defineCommand({
  name: 'verify',
  describe: 'Re-read tapes and say what they prove: damage, gaps, checkpoints, best quotes',
  positionals: { tape: tapesPositional },
  options: { format: formatOption },
  examples: [
    ['tapedeck verify tapes/', 'a row per market, then its streams and checks, then every finding with its place'],
    ["tapedeck verify tapes/ --format json | jq -r 'select(.gaps > 0).src'", 'markets with gaps'],
    ["tapedeck verify tapes/ --format json | jq '.clock.lag.p99'", 'how long messages took, in microseconds'],
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

Shares. VERIFIED, UNVERIFIABLE and CLEAN are percent of the recorded time, rounded down, of each market and of each of its streams. Recorded
is from the first entry of a recorder to its last: a time in which none ran is a gap, and no part of the shares. CLEAN: nothing is known or
suspected to be missing: no gap, no drop of the recorder, no damage, no book that best quotes contradict; for a market, in none of its
streams. It is made up of the other two. VERIFIED: the venue's own ids prove it. A book is proven while it is joined to a snapshot and
its updates are unbroken (0 where no snapshot is there; best quotes are then held against a provisional book made of the updates alone),
trades from the first to the last where their ids have no holes. UNVERIFIABLE: nothing speaks against it, and no id proves it, as with best quotes
and prices on every venue; a market is verified where it is clean and its book is proven, - where its venue proves none.

GAPS: intervals in which messages are missing or may be, each counted once, whoever noticed; of a stream, those that concern it. A
recorder that was killed while it had no connection could not say so: what it recorded counts as missing from the last message on, or as a
whole where no connection was ever opened.

Lines of a market. Best quotes, checksums, levels and checkpoints: how many agreed of those that could be checked; of levels, over all books
read. Book at end: whether the recorder's own book that was written last is the rebuilt one. Book: how often, and how long at most, the best bid was
not below the best ask, and a joined book had no update for more than ten seconds (which quiet markets do; it is no finding). Wall clock: its
way against the monotonic clock that gives the times, and how often it was set, which is a move of more than 0.1 s between two readings.
Exchange lag: time of receipt minus the exchange's time of sending, below zero where the recorder's clock was behind. Event loop: how late the
recorder was, the worst of each reading. Quantiles are true to one percent, maxima exact.

Findings. Each names its code and its place. A gap is a finding even when the recorder marked it; so is a segment that was not
sealed. Codes: E_FRAME_CORRUPT, E_TRUNCATED, E_LINE, E_HEADER, E_VERSION and E_VENUE for what cannot be read, E_PERMISSION, E_NOT_FOUND and E_IO for files
of a folder that cannot be opened; GAP, ORDER,
NOT_SEALED, SEAL, CHECKPOINT, CHECKSUM, TOUCH, LEVEL, CROSSED, NUMBER, NO_SNAPSHOT and NO_FLOW (trades came, but none by the
channel that counts as flow) for what does not fit together. What is readable before and
after damage is used and counted.

JSON. One object per market: src, messages, gaps, verified (percent; null without a book that could be proven), unverifiable, clean, touch,
checksums (book checksums of venues that send them), levels (reads: books over REST that were compared; checked and agreed; unsettled: levels
that differed in one read and not in two), checkpoints, book (end: t and agreed of the last checkpoint that could be compared, or null; crossed and
stale: count and longest), clock (readings; drift; steps and the largest of them; lag and loop: count, p50, p99 and max, or null), drops (entries
that say that the recorder lost lines, and count of those lines), skips (of venues whose book updates have ids that skip without a loss: updates
before which any were skipped, and ids skipped in all), missing (trades that ids say did not arrive), backfilled (of these, trades
read over REST later), unknown (messages no layout explains), streams (each with stream, messages, gaps,
verified, unverifiable, clean) and problems, each with code, message, file, frame (from 0) and line (from 1). Times are microseconds.

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
        note: noteTo(io),
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
