/** `tapedeck replay`: a tape's lines again, at the speed they came or any other. */
import { describeDamage } from '../output/damage.js';
import { createDataWriter } from '../output/stdio.js';
import { interleave } from '../tape/interleave.js';
import { pace } from '../tape/pace.js';
import { openTape } from '../tape/tape.js';
import { defineCommand, duration, fromOption, speedOrMax, tapesPositional, toOption } from './command.js';

export default defineCommand({
  name: 'replay',
  describe: 'Print a tape again at any speed',
  positionals: { tape: tapesPositional },
  options: {
    speed: {
      value: 'N|max',
      describe: 'print at N times the recorded speed, or as fast as the reader takes it',
      parse: speedOrMax,
      default: '1',
    },
    from: fromOption,
    to: toOption,
    'max-idle': {
      value: 'DURATION',
      describe: 'wait at most this long between two lines, as 2s or 500ms',
      details:
        'Times in the lines stay what they are: only the waiting is cut short. The duration is real time, not tape time.',
      parse: duration,
    },
  },
  examples: [
    ['tapedeck replay tapes/ --speed 10', 'everything in the folder, ten times faster, symbols merged by time'],
    ['tapedeck replay tapes/ --speed max | jq -c .msg', 'the messages alone, as fast as jq reads'],
    ['tapedeck replay tapes/ --from +5m --to +6m --speed max', 'one minute, five minutes in'],
  ],
  details: `
Lines come out as they stand on the tape, byte for byte, in order of their time; several tapes are merged by time, and lines of
equal time keep the order the tapes were named in. With --from, the header (marked with the time) and the last book checkpoint at or
before it come first, then every line after that checkpoint: so a reader can rebuild the book, and tapedeck's own commands
print nothing for what lies before.

Each line is due at a moment counted from the first one, so waiting never adds up to a drift. A line that is late is printed at once.

Lines are not looked into: one that is no entry passes as it stands, and verify tells. Damage of frames is reported on stderr with its place, everything readable around it is printed, and the exit status is 1.
`,
  async handler({ tape: paths, speed, from, to, maxIdle }, io) {
    if (paths.includes('-') && io.stdinIsTty && !io.quiet)
      io.stderr.write('reading a tape from the terminal: pipe one in, or end with Ctrl-D\n');
    const tape = await openTape(paths, io.stdin);
    for (const segment of tape.groups.flat()) if (segment.fault === null && segment.form !== 'stream') segment.header();
    const range = await tape.range(from, to);
    const paced = Number.isFinite(speed);
    const out = createDataWriter(io.stdout, { live: paced });
    const merged = interleave(tape.flows(range));
    const flow = paced
      ? pace(merged, {
          speed,
          signal: io.signal,
          ...(range.from === undefined ? {} : { startAt: range.from }),
          ...(maxIdle === undefined ? {} : { maxIdleMicros: maxIdle }),
        })
      : merged;
    // the clock of pace starts when the first line was taken; all others would seem late by what that one took longer
    if (paced) await out.warmUp();
    let damaged = 0;
    for await (const item of flow) {
      if (io.signal.aborted) break;
      if ('damage' in item) {
        damaged++;
        io.stderr.write(`${describeDamage(item.damage)}\n`);
        continue;
      }
      const waiting = out.write(item.bytes.subarray(item.from, item.to));
      if (waiting !== undefined) await waiting;
    }
    await out.flush();
    return damaged > 0 ? 1 : 0;
  },
});
