/** `tapedeck scan`: signals from tapes, or from a live pipe. */
import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import type { DecodeMode } from '../decode/decoder.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import type { Signal } from '../model/signal.js';
import { describeDamage } from '../output/damage.js';
import { type Progress, startProgress } from '../output/progress.js';
import { createDataWriter, type DataWriter } from '../output/stdio.js';
import { escapeControl, truncate, wrap } from '../output/text.js';
import type { Sums } from '../scan/checksum.js';
import { readConfig } from '../scan/config.js';
import { signalFilter } from '../scan/filter.js';
import { readFits } from '../scan/fits.js';
import { type Jobs, planJobs } from '../scan/jobs.js';
import type { Printed } from '../scan/pipeline.js';
import { Remarks } from '../scan/remarks.js';
import { type ScanOptions, scan, scanRooms } from '../scan/scan.js';
import { type GivenSettings, mergeSettings, readingStart, scanSettings } from '../scan/settings.js';
import { MARKET_TITLES, marketText, signalText, sumsText, TEXT_TITLES } from '../scan/text.js';
import { unusedMarkets, unusedSettings } from '../scan/unused.js';
import { detectorFacts, detectorText } from '../signals/describe.js';
import { presetNames } from '../signals/presets.js';
import { detectorByName, detectors, parseSetting } from '../signals/registry.js';
import { metered } from '../tape/meter.js';
import { Stop } from '../tape/stop.js';
import { openTape, type Tape } from '../tape/tape.js';
import {
  type CommandIo,
  decimalNumber,
  defineCommand,
  duration,
  formatOption,
  fromOption,
  noteTerminal,
  noteTo,
  toOption,
  wholeNumber,
} from './command.js';

/** More threads than any machine has are a typing error. */
const MOST_JOBS = 1024;
/** Compressed bytes between two looks at the progress bar. */
const PROGRESS_BYTES = 64 * 1024;

export default defineCommand({
  name: 'scan',
  describe: 'Print the signals in a tape or a live stream',
  positionals: {
    tape: {
      describe: 'segments, folders of segments, or - for stdin (plain or zstd)',
      variadic: true,
      complete: 'file',
    },
  },
  options: {
    detect: {
      value: 'NAME,...',
      describe: 'which detectors run: all unless named, none for no one',
      array: true,
      separator: ',',
    },
    set: {
      value: 'DETECTOR.PARAM=VALUE',
      describe: 'change a parameter, as absorption.window=10s',
      array: true,
    },
    preset: {
      value: 'NAME',
      describe: 'parameters to start from',
      details:
        'scalp: short windows, so signals come sooner and more often; quiet: only what stands far out and lasts. What --config and --set say goes over it. tapedeck scan --list says what a preset changes.',
      choices: presetNames,
    },
    config: {
      value: 'FILE',
      describe: 'read settings from a JSON file; those typed win',
      details: 'See "Config" in the description.',
      complete: 'file',
    },
    'min-score': {
      value: 'X',
      describe: 'print signals with this score and more',
      details: 'Scores of different detectors cannot be compared: it goes well with --detect, or use --where.',
      parse: decimalNumber,
    },
    side: { value: 'SIDE', describe: 'print signals of this side', choices: ['buy', 'sell'] },
    where: {
      value: 'EXPR',
      describe: `print signals for which this holds, as 'score > 0.8 && side == "buy"'`,
      details: 'See "Filters" in the description.',
    },
    list: {
      describe: 'list detectors: definition, parameters with defaults, evidence',
      details: 'All of them, or those named with --detect. No tape is read, so none may be named.',
    },
    schema: { describe: 'print the JSON Schema of a line of --format json' },
    format: formatOption,
    from: fromOption,
    to: toOption,
    unit: {
      value: 'DURATION',
      describe: 'events start afresh at every whole multiple of this, whole minutes that divide the day (1h)',
      parse: duration,
    },
    baseline: {
      value: 'DURATION',
      describe: 'what is usual is learned from this many whole minutes (5m); 60m for thin symbols',
      parse: duration,
    },
    warmup: {
      value: 'DURATION',
      describe: 'valid data needed before a quantile is trusted (1m)',
      parse: duration,
    },
    htf: {
      value: 'DURATION',
      describe: 'bar of the higher timeframe, in whole minutes (5m); it lengthens the look-back',
      details:
        "Trend and alignment in a signal's context are of the last closed bar, points of control and stacks among its zones of closed ones, and skew-fade asks whether it ranges.",
      parse: duration,
    },
    equity: {
      value: 'N',
      describe: 'account in quote units: plans of setups carry a size',
      details:
        "The size loses the share --risk of it at the stop, with both trades' fees and slippage, is capped by --leverage and --touch-share, and is rounded down to the lot. tapedeck places no orders.",
      parse: decimalNumber,
    },
    risk: { value: 'PERCENT', describe: 'share of the account that a plan may lose (0.1)', parse: decimalNumber },
    fee: { value: 'BPS', describe: 'fee of each trade of a plan, below zero for a rebate (5)', parse: decimalNumber },
    slippage: { value: 'BPS', describe: 'slippage of each trade of a plan (0.5)', parse: decimalNumber },
    leverage: { value: 'N', describe: 'a plan is worth no more than so many accounts (5)', parse: decimalNumber },
    'touch-share': {
      value: 'PERCENT',
      describe: 'a plan is no larger than so much of what is displayed at its entry (100)',
      details:
        'Where that is not known it caps nothing. plan.cap tells whether the size is that of --leverage or of --touch-share.',
      parse: decimalNumber,
    },
    jobs: {
      value: 'N|auto',
      describe: 'scan with N threads, or one per core (auto, 0); the output is the same',
      details:
        'Work is divided by market, or by time where there is more to gain: each part starts at a checkpoint and warms up over the look-back, so parts of less than about an hour are not worth it; sums alone look back a minute. What cannot be divided safely is read by one thread: segments that are not sealed or overlap, what follows damage, a tape whose header changes, stdin.',
      parse: jobCount,
      default: '1',
    },
    fit: {
      value: 'FILE',
      describe: 'use what tapedeck fit learnt from earlier tapes',
      details:
        "A signal's context then has the microprice, and ofi the integrated one of several levels. Of each market the newest fit that has it and ended before is in force; none is used for the time it was learnt from.",
      complete: 'file',
    },
    checksum: { describe: 'print counts and a digest of everything decoded at the end' },
  },
  examples: [
    ['tapedeck scan tapes/', 'every signal of the tapes in a folder'],
    ['tapedeck scan tapes/ --format json | jq \'select(.signal=="absorption")\'', 'one kind of signal, for programs'],
    ['tapedeck record binance-usdm:BTCUSDT -o tapes/ --stdout | tapedeck scan -', 'live: same code, same signals'],
    ['tapedeck scan tapes/ --detect tape-imbalance --set tape-imbalance.window=10s', 'one detector, another window'],
    [
      "tapedeck scan tapes/ --preset quiet --where 'confirm.reaction == true'",
      'few signals, and of them those the price followed',
    ],
    ['tapedeck scan archive/ --jobs auto --format json > signals.ndjson', 'an archive of months, on all cores'],
  ],
  details: `
Signals come one per line: an onset, at times updates, and exactly one end, all with the same id; what has no duration is one point, at
times with an update of what the price did next. tapedeck-signals(5) explains every field.
Time is the time of the data, so the same lines give the same signals at any speed, live or from a file.

From files, lines are printed in byte order, which is order of time; from stdin, as their messages arrive. With --from, reading starts
earlier by the look-back, so that what is printed is what a scan of the whole tape prints for that time.

Filters. --min-score, --side and --where choose which lines are printed; several must all hold. Each line is judged by itself: the onset
of an event may be printed and its end not, and nothing else about the scan changes. --where takes conditions on the fields of a
line, which tapedeck-signals(5) lists:

  side == "buy" && score >= 0.8
  signal in ["absorption", "book-imbalance"] and not (phase == "update")
  evidence.volume > 10 || reason == "broken"
  context.mark != null && quality == "verified"

Compare by == and !=, by < <= > >= (numbers, or texts, as time is one), or by "in" with a list; join by && || ! or the words and, or, not;
group by parentheses. Values are numbers, texts in single or double quotes, true, false and null. What a line does not have is null, and
nothing is less or more than null. A field alone asks whether it is there and not false. A name that is no field, and a value that its
field never has, are refused; a name inside a group that no signal has is noted.

Config. A JSON object; every key may be left out:

  {
    "preset": "quiet",
    "detect": ["absorption", "tape-imbalance"],
    "set": {"absorption": {"window": "20s"}},
    "symbols": {
      "bybit-linear:*": {"set": {"absorption": {"zone": 2}}},
      "binance-usdm:DOGEUSDT": {"detect": ["tape-imbalance"]}
    },
    "unit": "1h", "baseline": "5m", "warmup": "1m", "htf": "5m",
    "equity": 10000, "risk": 0.1, "fee": 5, "slippage": 0.5, "leverage": 5,
    "touch-share": 100,
    "min-score": 0.5, "side": "buy", "where": "phase != 'update'"
  }

Under "symbols", VENUE:SYMBOL or VENUE:* (every symbol of the venue) has detectors of its own, and settings that go over those above; where
both fit, the one symbol goes over its venue. What is typed goes over all. A market that is not on the tape is noted at the end, and a parameter
typed for a detector that does not run at the start.

As text, a terminal shows as much of each line as fits its width, of several markets with the market before price and score; a pipe or
file gets the whole line, with every fact.

Tapes of one market by two recorders that ran at the same time are read one behind the other, so that what both received counts twice
where no ids tell. A note says so: make one tape of them with tapedeck-merge(1). Another note says where a market's trades came only by a
channel that does not count as flow, because the one that does was silent.

Damage is reported on stderr with its place, open events end there with reason gap, and the exit status is 1.

Interrupted (Ctrl-C, SIGTERM) while it reads files, a scan says on stderr up to which time its signals are printed, and the exit status is 2. What
is open then has no end among them, since the tape goes on, and --checksum prints nothing. A pipe that is interrupted has ended.

Environment. TAPEDECK_SCANNER=typescript or json reads messages without WebAssembly, or with JSON.parse alone: slower, with the same
output to the byte, for whoever wants to check that.
`,
  async handler(args, io) {
    const { tape: paths, detect, set, config, list, schema, format, checksum, from, to, jobs, fit, ...others } = args;
    const { equity, risk, fee, slippage, leverage, touchShare, ...plain } = others;
    const plan = { equity, risk, fee, slippage, leverage, 'touch-share': touchShare };
    const out = createDataWriter(io.stdout, { live: paths.includes('-') });
    const json = format === 'json';
    if ((list || schema) && paths.length > 0)
      throw new TapedeckError(
        'E_USAGE',
        `scan --${list ? 'list' : 'schema'} reads no tape: '${paths[0]}' is one too many`,
      );
    if (list) return printList(out, json, detect);
    if (schema) return printSchema(out);
    const file = config === undefined ? {} : readConfig(readText(config, 'reading the config'), config);
    const fits = fit === undefined ? undefined : readFits(readText(fit, 'reading the fit'), fit);
    if (fits?.length === 0)
      throw new TapedeckError('E_CONFIG', 'while reading the fit: it holds none; did tapedeck fit learn anything?', {
        ...(fit === undefined ? {} : { file: fit }),
      });
    const typed = { ...plain, plan, fits, detect: detect.length > 0 ? detect : undefined, set: set.map(parseSetting) };
    const given: GivenSettings = mergeSettings(file, typed);
    // wrong settings are said before any tape is opened
    const { detectors: table } = scanSettings(given, { checksum });
    const filter = await signalFilter(given);
    const note = noteTo(io);
    for (const text of [...(filter?.notes ?? []), ...unusedSettings(typed.set, table)]) note(text);
    if (paths.length === 0) throw new TapedeckError('E_USAGE', 'scan: TAPE is missing; give a tape, or - for stdin');
    noteTerminal(paths, io);
    const tape = await openTape(paths, io.stdin, note);
    const range = await tape.range(from, to);
    const settings = scanSettings(given, { checksum, ...range });
    let damaged = 0;
    const stop = new Stop();
    // of a pipe it turns out which markets it has
    const met = new Set(tape.groups.flat().flatMap(({ src }) => src ?? []));
    const sums: Sums[] = [];
    const remarks = new Remarks();
    let bar: Progress | null = null;
    const say = (text: string): void => (bar === null ? void io.stderr.write(`${text}\n`) : bar.say(text));
    const options: ScanOptions = {
      settings,
      decoder: decoderOf(io.env.TAPEDECK_SCANNER),
      signal: io.signal,
      // a pipe that is ended is done with; files go on
      ...(tape.piped ? {} : { stopped: stop.at }),
      damage(damage) {
        damaged++;
        say(describeDamage(damage));
      },
      note: (text) => {
        if (!io.quiet && remarks.isNew(text)) say(escapeControl(text));
      },
      sums: (one) => void sums.push(one),
      met: (src) => void met.add(src),
    };
    let read = 0;
    const progress = (bytes: number): void => {
      read += bytes;
      bar?.update(read);
    };
    if (tape.piped && jobs !== 1) note('a pipe cannot be divided: it is scanned by one thread');
    const divided = tape.piped
      ? null
      : planJobs(tape.groups, {
          ...options,
          ...range,
          given,
          checksum,
          jobs: jobs || availableParallelism(),
          read: progress,
        });
    // signals on the same terminal would run through the bar, and show by themselves how far the scan is
    const drawn = divided !== null && !io.stdoutIsTty;
    if (drawn) bar = await startProgress(io, 'scan', divided.bytes);
    const watched = drawn && io.stderrIsTty && !io.quiet;
    const asText = io.stdoutIsTty ? createScreen(io, tape.groups.length > 1) : plainText;
    try {
      for await (const printed of signalsOf(tape, divided, options, watched ? progress : null)) {
        let text = '';
        // by another thread a signal is read from its line, which JSON without a filter need not do
        for (const one of printed)
          if (filter === null || filter.passes(one.signal)) text += json ? `${one.line}\n` : asText(one.signal);
        await out.write(text);
      }
    } finally {
      bar?.stop();
    }
    // sums are of whole tapes
    if (stop.reached !== null) sums.length = 0;
    sums.sort((a, b) => (a.src < b.src ? -1 : 1));
    for (const one of sums)
      await out.write(`${json ? JSON.stringify({ checksum: one }) : escapeControl(sumsText(one))}\n`);
    await out.flush();
    for (const text of remarks.rest) note(text);
    stop.check('scanning');
    for (const text of unusedMarkets(Object.keys(given.symbols ?? {}), [...met])) note(text);
    return damaged > 0 ? 1 : 0;
  },
});

const plainText = (signal: Signal): string => `${escapeControl(signalText(signal))}\n`;

/** Text for a terminal: as much of each line as fits, under titles; `several` markets, or as soon as there is a second one, say which first. */
function createScreen({ columns }: CommandIo, several: boolean): (signal: Signal) => string {
  const sources = new Set<string>();
  let titles = '';
  // a wrapped line cannot be read at a glance; a pipe gets all of it
  const cut = (text: string): string => `${truncate(text, columns)}\n`;
  return (signal) => {
    sources.add(`${signal.venue}:${signal.symbol}`);
    const isMarketFirst = several || sources.size > 1;
    const before = titles;
    titles = isMarketFirst ? MARKET_TITLES : TEXT_TITLES;
    const line = cut(escapeControl(isMarketFirst ? marketText(signal) : signalText(signal)));
    return titles === before ? line : cut(titles) + line;
  };
}

const DECODERS: readonly DecodeMode[] = ['wasm', 'typescript', 'json'];

/** The decoder named in the environment: for comparing them, and for a machine whose WebAssembly fails. */
function decoderOf(name: string | undefined): DecodeMode {
  if (name === undefined || name === '') return 'wasm';
  const known = DECODERS.find((one) => one === name);
  if (known !== undefined) return known;
  throw new TapedeckError('E_USAGE', `TAPEDECK_SCANNER is '${name}'; it may be ${DECODERS.join(', ')}`);
}

/** The signals by as many threads as the work was divided for; by this one alone where it was not. */
function signalsOf(
  tape: Tape,
  divided: Jobs | null,
  options: ScanOptions,
  progress: ((bytes: number) => void) | null,
): AsyncGenerator<Printed[]> {
  if (divided !== null && divided.threads > 1) return divided.scan();
  const { settings } = options;
  const reading = settings.from === undefined ? {} : { from: readingStart(settings, settings.from) };
  const flows = tape.flows(reading, scanRooms(options.decoder));
  if (progress === null) return scan(flows, options);
  return scan(
    flows.map((flow, n) => metered(flow, tape.groups[n], PROGRESS_BYTES, progress)),
    options,
  );
}

/** `4`, or 0 for as many as there are cores. @throws {TapedeckError} E_USAGE */
function jobCount(text: string): number {
  return text === 'auto' ? 0 : wholeNumber(0, MOST_JOBS, 'auto or ')(text);
}

async function printList(out: DataWriter, json: boolean, names: readonly string[]): Promise<number> {
  const listed = names.length === 0 ? detectors : names.map(detectorByName);
  if (json) for (const detector of listed) await out.write(`${JSON.stringify(detectorFacts(detector))}\n`);
  else await out.write(`${listed.map((detector) => detectorText(detector, wrap).join('\n')).join('\n\n')}\n`);
  await out.flush();
  return 0;
}

async function printSchema(out: DataWriter): Promise<number> {
  const { lineSchema } = await import('../scan/schema.js');
  await out.write(`${JSON.stringify(lineSchema(), null, 2)}\n`);
  await out.flush();
  return 0;
}

function readText(path: string, doing: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw fromSystemError(error, doing, { file: path });
  }
}
