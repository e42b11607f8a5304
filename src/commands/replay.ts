/** `tapedeck replay`: a tape's lines again, at the speed they came or any other. */
import type { LineFlow } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import type { TimeSpec } from '../model/time.js';
import { describeDamage } from '../output/damage.js';
import { createDataWriter } from '../output/stdio.js';
import { lastTimeOf } from '../tape/checkpoints.js';
import { createInjection, FAULT_KINDS, type FaultRule, type Injection } from '../tape/inject.js';
import { interleave } from '../tape/interleave.js';
import { pace } from '../tape/pace.js';
import { laterOf, NOTHING_READ, Stop } from '../tape/stop.js';
import { openTape } from '../tape/tape.js';
import {
  aborted,
  type CommandIo,
  defineCommand,
  duration,
  fromOption,
  listenPlace,
  noteTerminal,
  noteTo,
  speedOrMax,
  tapesPositional,
  toOption,
  wholeNumber,
} from './command.js';

/** Messages between two faults where no number is given, and where there would be none on any tape. */
const FAULT_EVERY = 1000;
const MOST_FAULT_EVERY = 1_000_000_000;

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
    serve: {
      value: '[HOST:]PORT',
      describe: "serve the tape as its exchange, for the exchange's own clients; 0 takes a free port",
      details: `
WebSocket and REST on one port, in the venue's own words: subscriptions, acks, errors, pings, compression. A tape of several venues takes
as many ports, one behind the other. The first lines on stdout say where, one line for each venue:

  ws://127.0.0.1:43210 http://127.0.0.1:43210 binance-usdm

The tape begins when the first client has subscribed to something and then said nothing for half a second; who comes later hears it from
where it stands, and opens with the book of that moment. A client that puts "?from=TIME" (as in --from) into its address has a time of its
own, with all others that named the same. Topics that are on the tape come byte for byte as they were received. Any other depth, speed
or partial form of a book is made from the recorded one, and other topics stay silent; each is said on stderr. REST answers from the state of
the tape at that moment (of the one that is furthest, where several play). A client that does not read is paused, and nobody else is.
Trades are not served over REST (status 404): those that were missed, and read later, stand on the tape for whoever reads it.

With --inject each client's messages get faults of their own; what REST answers and what is made of books stays as the tape has it.

Where the tape says that the recorder lost its connection, so do the clients that listen to what came by it. At the end of the tape they
are closed with code 1000, and when all are gone the command ends.
`,
      parse: listenPlace,
    },
    'no-reenact': {
      describe: 'with --serve: keep connections open where the tape says that the recorder lost them',
      details: 'What was missed stays missing, and time passes all the same.',
    },
    inject: {
      value: 'KIND[=N],...',
      describe: `put faults in, one in about N messages (${FAULT_EVERY}): ${FAULT_KINDS.join(', ')}`,
      details: `
drop leaves a message out, and nothing marks it: only the venue's ids tell.
dup prints a message again behind itself, one microsecond later where that is free, else the next message.
reorder swaps a message with the next one of the same src, where no other entry stands between them; the times stay where they were.
delay holds a message back for up to 2 s of tape time and prints it under the time it is printed at.
gap leaves out all messages of a src for up to 5 s, and puts a gap entry (stream *, reason silence) at the end, as a recorder would.
disconnect does the same to a src whose connections are lost: close entries (code 1006, reason injected) at the begin, open entries and a gap entry (reason disconnect) at the end.
truncate cuts a message at a random byte; what is left is no JSON, so it stands as a text entry (as bin where a character was cut).

Only lines with a message are touched, and the time still rises from line to line of a src. A message gets one fault at most, and one
that is not possible at a message comes at the next: so N (1 to ${MOST_FAULT_EVERY}) is a mean, drawn from 1 to 2N - 1 each time, and what a gap leaves out does not
count. Delays and outages end early where the tape itself tells of a connection, a gap, or the end of a segment. Each src has its own faults, whatever is replayed
beside it. How many there were is said on stderr; they are no findings, and the exit status stays 0.
`,
      array: true,
      separator: ',',
      parse: faultRule,
    },
    'inject-seed': {
      value: 'N',
      describe: 'which messages --inject chooses; the same tape, kinds and number give the same bytes',
      details: 'The tape is what is replayed of it: another --from chooses others.',
      parse: wholeNumber(),
      default: '1',
    },
  },
  examples: [
    [
      'tapedeck replay tapes/ --serve 9001 --speed 10',
      'an exchange that lives through the tape again, ten times faster',
    ],
    ['tapedeck replay tapes/ --speed 10', 'everything in the folder, ten times faster, symbols merged by time'],
    ['tapedeck replay tapes/ --speed max | jq -c .msg', 'the messages alone, as fast as jq reads'],
    ['tapedeck replay tapes/ --from +5m --to +6m --speed max', 'one minute, five minutes in'],
    [
      'tapedeck replay tapes/ --inject drop=500,disconnect=20000 | ./bot',
      'does the bot notice lost messages, and survive lost connections?',
    ],
  ],
  details: `
Lines come out as they stand on the tape, byte for byte, in order of their time; several tapes are merged by time, and lines of
equal time keep the order the tapes were named in. With --from, the header (marked with the time) and the last book checkpoint at or
before it come first, then every line after that checkpoint: so a reader can rebuild the book, and tapedeck's own commands
print nothing for what lies before.

Each line is due at a moment counted from the first one, so waiting never adds up to a drift. A line that is late is printed at once.

Lines are not looked into, except for --inject: one that is no entry passes as it stands, and verify tells. Damage of frames is reported on stderr with its place, everything readable around it is printed, and the exit status is 1.

Interrupted (Ctrl-C, SIGTERM) before the end of its files, a replay says on stderr how far it came, and the exit status is 2. A pipe that is
interrupted has ended, and so has what --serve serves.
`,
  async handler({ tape: paths, speed, from, to, maxIdle, serve, noReenact, inject, injectSeed }, io) {
    if (serve === undefined && noReenact) throw new TapedeckError('E_USAGE', '--no-reenact is for --serve');
    if (serve !== undefined) {
      const faults = inject.length === 0 ? undefined : () => createInjection(inject, injectSeed);
      return await serveTapes({ paths, speed, from, to, maxIdle, reenact: !noReenact, faults, ...serve }, io);
    }
    const injection = inject.length === 0 ? null : createInjection(inject, injectSeed);
    noteTerminal(paths, io);
    const tape = await openTape(paths, io.stdin, noteTo(io));
    // of what cannot be read the damage is told
    for (const segment of tape.groups.flat()) if (!segment.unreadable && segment.form !== 'stream') segment.header();
    const range = await tape.range(from, to);
    const paced = Number.isFinite(speed);
    const out = createDataWriter(io.stdout, { live: paced });
    const flows = tape.flows(range);
    // before the merge: what is printed later than it came is then in order of time again
    const merged = interleave(injection === null ? flows : flows.map(injection.into));
    let ended = false;
    const read = followedBy(merged, () => {
      ended = true;
    });
    const flow = paced
      ? pace(read, {
          speed,
          signal: io.signal,
          ...(range.from === undefined ? {} : { startAt: range.from }),
          ...(maxIdle === undefined ? {} : { maxIdleMicros: maxIdle }),
        })
      : read;
    // the clock of pace starts when the first line was taken; all others would seem late by what that one took longer
    if (paced) await out.warmUp();
    let damaged = 0;
    let reached = NOTHING_READ;
    for await (const item of flow) {
      if (io.signal.aborted) break;
      if ('damage' in item) {
        damaged++;
        io.stderr.write(`${describeDamage(item.damage)}\n`);
        continue;
      }
      reached = laterOf(reached, lastTimeOf(item.bytes, item.from, item.to));
      const waiting = out.write(item.bytes.subarray(item.from, item.to));
      if (waiting !== undefined) await waiting;
    }
    await out.flush();
    if (injection !== null && !io.quiet) io.stderr.write(`injected: ${injection.summary()}\n`);
    const stop = new Stop();
    if (!ended && io.signal.aborted && !tape.piped) stop.at(reached);
    stop.check('replaying');
    return damaged > 0 ? 1 : 0;
  },
});

/** Passes a flow on, and says when all of it was. */
async function* followedBy(flow: LineFlow, done: () => void): LineFlow {
  yield* flow;
  done();
}

interface ServeArguments {
  paths: readonly string[];
  speed: number;
  from: TimeSpec | undefined;
  to: TimeSpec | undefined;
  maxIdle: Micros | undefined;
  reenact: boolean;
  faults: (() => Injection) | undefined;
  host: string;
  port: number;
}

async function serveTapes({ paths, from, to, maxIdle, ...rest }: ServeArguments, io: CommandIo): Promise<number> {
  // half of what the program is, which a replay to a pipe does not wait for
  const { serveTape } = await import('../serve/serve-tape.js');
  const tape = await openTape(paths, io.stdin, noteTo(io));
  const range = await tape.range(from, to);
  let damaged = 0;
  const served = await serveTape({
    ...{ tape, range, maxIdleMicros: maxIdle, ...rest },
    note: noteTo(io),
    damaged(damage) {
      damaged++;
      io.stderr.write(`${describeDamage(damage)}\n`);
    },
  });
  try {
    const out = createDataWriter(io.stdout, { live: true });
    for (const { id, wsUrl, httpUrl } of served.venues) await out.write(`${wsUrl} ${httpUrl} ${id}\n`);
    await out.flush();
    await Promise.race([served.done, aborted(io.signal)]);
  } finally {
    await served.stop();
  }
  if (!io.quiet) io.stderr.write(`sent ${served.sent} messages\n`);
  return damaged > 0 ? 1 : 0;
}

/** `drop`, or `drop=50`. @throws {TapedeckError} E_USAGE, naming the kinds */
function faultRule(text: string): FaultRule {
  const [name, count] = text.split(/=(.*)/s);
  const kind = FAULT_KINDS.find((known) => known === name);
  const kinds = FAULT_KINDS.join(', ');
  if (kind === undefined)
    throw new TapedeckError('E_USAGE', `'${name}' is none of ${kinds}${didYouMean(name, FAULT_KINDS)}`);
  try {
    return { kind, every: count === undefined ? FAULT_EVERY : wholeNumber(1, MOST_FAULT_EVERY)(count) };
  } catch (error) {
    throw new TapedeckError(
      'E_USAGE',
      `${(error as Error).message} of messages; give KIND=N with KIND one of ${kinds}`,
    );
  }
}
