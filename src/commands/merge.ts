/** `tapedeck merge`: several recorders' tapes become one. */
import { type MergeReport, mergeTapes } from '../audit/merge.js';
import { TapedeckError } from '../model/errors.js';
import { describeDamage } from '../output/damage.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatCount, table } from '../output/text.js';
import { defineCommand, formatOption, levelOption } from './command.js';

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

function describeTapes({ tapes }: MergeReport): string[] {
  return tapes.map(({ tape, recorders, messages, clock, damaged }, n) => {
    const told = [`recorder ${recorders.join(', ')}`, counted(messages, 'message')];
    told.push(n === 0 ? 'the base' : `its clock ${(clock / 1000).toFixed(1)} ms from the base's`);
    if (damaged > 0) told.push(`damaged in ${counted(damaged, 'place')}`);
    return `  ${escapeControl(tape)}: ${escapeControl(told.join(', '))}`;
  });
}

function asText(report: MergeReport): string[] {
  const { src, path, entries, streams, gaps, moved, tapes } = report;
  const right = 'right' as const;
  const several = tapes.length > 2;
  const columns = [
    { title: 'STREAM' },
    ...(several ? [{ title: 'WITH' }] : []),
    ...['BASE', 'OTHER', 'COMMON', 'BASE ONLY', 'OTHER ONLY', 'COPIES', 'REORDERED'].map((title) => ({
      title,
      align: right,
    })),
  ];
  const rows = streams.map((one) => [
    one.unresolvable ? `${one.stream} *` : one.stream,
    ...(several ? [one.with] : []),
    ...[one.base, one.other, one.common, one.onlyBase, one.onlyOther, one.copies, one.reordered].map(formatCount),
  ]);
  const notes = [`gaps of the base: ${formatCount(gaps.filled)} filled, ${formatCount(gaps.left)} left`];
  if (moved > 0) notes.push(`${counted(moved, 'time')} moved by a microsecond or more, to make room`);
  if (streams.some(({ unresolvable }) => unresolvable))
    notes.push('* its messages differ by connection: those of the base were kept');
  return [
    escapeControl(`${src}: ${path}, ${counted(entries, 'entry', 'entries')}`),
    ...describeTapes(report),
    ...table(columns, rows).map((line) => `  ${line}`),
    ...notes.map((note) => `  ${note}`),
    ...tapes.flatMap(({ damage }) => damage.map((text) => `  ${escapeControl(text)}`)),
  ];
}

export default defineCommand({
  name: 'merge',
  describe: 'Make one tape of several recorders, and say what each of them missed',
  positionals: {
    tape: {
      describe: 'tapes of one recorder each: segments or folders of segments, two at least',
      required: true,
      variadic: true,
      complete: 'file',
    },
  },
  options: {
    out: {
      alias: 'o',
      value: 'DIR',
      describe: 'folder for the tape, new or empty: DIR/VENUE/SYMBOL/SYMBOL-START.ndjson.zst',
      required: true,
      complete: 'directory',
    },
    format: formatOption,
    level: levelOption,
  },
  examples: [
    ['tapedeck merge tokyo/ frankfurt/ -o both/', 'what either of them received, and what each missed'],
    [
      "tapedeck merge a/ b/ -o c/ --format json | jq '.streams[] | [.stream, .onlyBase, .onlyOther]'",
      'losses by stream',
    ],
  ],
  details: `
Each market that two tapes or more have is merged by itself. The tape with the most messages is its base, whatever the order of names: the
base's entries stand in the new tape as they were. What another recorder received and the base did not comes in its place among them, each message
once. Messages are the same where their bytes are, stream by stream and in order, so that nothing depends on ids: of rows that are
alike, as many are kept as the recorder that has more of them has. A message may reach one recorder up to half a minute later than the other, the
difference of their clocks aside, and in another order.

Times. A message of another recorder takes a time of the base's clock, between its neighbours; where there is no room, entries after it move by a
microsecond. "of" says whose it is: its connection, and the time it had there. It stands under the base's connection, since it is what
that one would have brought. The header has the recorder name of the merge, and in "merged" the recorders and how far their clocks are apart.

Gaps. A gap or drop that the base marked, and in which another recorder was there all the time and missed nothing of that stream, becomes a
"filled" entry, which readers pass over; the end of a connection that cost nothing then is marked as intended. All others stay. A recorder
that was killed before it had a connection was not there, and where it is one of the base a gap entry says so. Checkpoints
are made anew of the book that all messages make. REST answers of another recorder come where the base has no book.

Streams whose messages differ by connection, so that hardly any is the same in both, cannot be merged: the base's are kept, the
other's left, no gap of theirs counts as filled, and a * marks them. Acks and other messages of no stream are the base's.

Columns. BASE and OTHER: messages in each; COMMON: in both; BASE ONLY and OTHER ONLY: what the other, and the base, missed; COPIES: more of the
same by other connections of one recorder; REORDERED: in both, in another order. Of several tapes, each is held against the base and those
before it.

JSON. One object per market: src, path (of its last segment), entries, tapes (the base first: tape, recorders, messages, clock (microseconds from
the base's), damaged (places where bytes were lost) and damage (the first of them, in words)), streams (stream, with, base, other, common, onlyBase,
onlyOther, copies, reordered, unresolvable), gaps (filled, left) and moved.

Files. A file that two of the tapes have is refused. A file of a folder of which nothing can be read is named on stderr and left out. In the time it may have stood for, nobody counts
as having been there, and a gap entry (damage) says so where the base's next segment begins.

Exit status: 0 done, 1 where a tape was damaged, a file could not be read, a stream could not be merged or a market stands on one tape only (which is not copied).`,

  async handler({ tape, out, format, level }, io) {
    if (tape.includes('-'))
      throw new TapedeckError('E_USAGE', "merge reads each tape more than once: '-' (stdin) comes only once");
    const { reports, alone, unread } = await mergeTapes({
      ...{ tapes: tape, out, level, tool: `tapedeck ${io.version}`, signal: io.signal },
    });
    const data = createDataWriter(io.stdout);
    const lines = format === 'json' ? reports.map((report) => JSON.stringify(report)) : reports.flatMap(asText);
    for (const line of lines) await data.write(`${line}\n`);
    await data.flush();
    for (const damage of unread) io.stderr.write(`${describeDamage(damage)}\n`);
    for (const one of alone)
      io.stderr.write(`${escapeControl(`${one.src}: only ${one.tape} has it, it was not copied`)}\n`);
    const isFlawed = ({ tapes, streams }: MergeReport): boolean =>
      tapes.some(({ damaged }) => damaged > 0) || streams.some(({ unresolvable }) => unresolvable);
    return alone.length > 0 || unread.length > 0 || reports.some(isFlawed) ? 1 : 0;
  },
});
