/** `tapedeck scan`: signals from tapes, or from a live pipe. */
import fs from 'node:fs';
import type { DecodeMode } from '../decode/decoder.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { describeDamage } from '../output/damage.js';
import { createDataWriter, type DataWriter } from '../output/stdio.js';
import { escapeControl, truncate } from '../output/text.js';
import type { Sums } from '../scan/checksum.js';
import { scan, scanRooms } from '../scan/scan.js';
import { type GivenSettings, mergeSettings, readConfig, readingStart, scanSettings } from '../scan/settings.js';
import { signalText, sumsText, TEXT_TITLES } from '../scan/text.js';
import { detectorFacts, detectorText } from '../signals/describe.js';
import { detectors, parseSetting } from '../signals/registry.js';
import { openTape } from '../tape/tape.js';
import { type CommandIo, defineCommand, duration, formatOption, fromOption, toOption } from './command.js';

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
    config: {
      value: 'FILE',
      describe: 'read settings from a JSON file; those typed win',
      details:
        'Keys, all optional: "detect" (a list of names), "set" (detectors and their parameters: {"absorption":{"window":"20s"}}), "unit", "baseline", "warmup", "htf" (durations as text).',
      complete: 'file',
    },
    list: { describe: 'list every detector with its parameters, defaults and definition' },
    format: formatOption,
    from: fromOption,
    to: toOption,
    unit: {
      value: 'DURATION',
      describe: 'events start afresh at every whole multiple of this, a divisor of the day (1h)',
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
      describe: 'bar of the higher timeframe (5m); it lengthens the look-back',
      details:
        'No detector reads higher-timeframe context yet; the bar counts for how far before --from reading starts.',
      parse: duration,
    },
    checksum: { describe: 'print counts and a digest of everything decoded at the end' },
  },
  examples: [
    ['tapedeck scan tapes/', 'every signal of the tapes in a folder'],
    ['tapedeck scan tapes/ --format json | jq \'select(.signal=="absorption")\'', 'one kind of signal, for programs'],
    ['tapedeck record binance-usdm:BTCUSDT -o tapes/ --stdout | tapedeck scan -', 'live: same code, same signals'],
    ['tapedeck scan tapes/ --detect tape-imbalance --set tape-imbalance.window=10s', 'one detector, another window'],
  ],
  details: `
Signals come one per line: an onset, at times updates, and exactly one end, all with the same id. tapedeck-signals(5) explains every field.
Time is the time of the data, so the same lines give the same signals at any speed, live or from a file.

From files, lines are printed in byte order, which is order of time; from stdin, as their messages arrive. With --from, reading starts
earlier by the look-back, so that what is printed is what a scan of the whole tape prints for that time.

As text, a terminal shows as much of each line as fits its width; a pipe or file gets the whole line, with every fact.

Damage is reported on stderr with its place, open events end there with reason gap, and the exit status is 1.
`,
  async handler({ tape: paths, detect, set, config, list, format, checksum, from, to, ...times }, io) {
    const out = createDataWriter(io.stdout, { live: paths.includes('-') });
    const json = format === 'json';
    if (list) return printList(out, json);
    const file = config === undefined ? {} : readConfigFile(config);
    const typed = { ...times, detect: detect.length > 0 ? detect : undefined, set: set.map(parseSetting) };
    const given: GivenSettings = mergeSettings(file, typed);
    scanSettings(given, { checksum }); // wrong settings are said before any tape is opened
    if (paths.length === 0) throw new TapedeckError('E_USAGE', 'scan: TAPE is missing; give a tape, or - for stdin');
    if (paths.includes('-') && io.stdinIsTty)
      talk(io, 'reading a tape from the terminal: pipe one in, or end with Ctrl-D');
    const tape = await openTape(paths, io.stdin);
    const range = await tape.range(from, to);
    const settings = scanSettings(given, { checksum, ...range });
    let damaged = 0;
    const sums: Sums[] = [];
    const decoder = decoderOf(io.env.TAPEDECK_SCANNER);
    const reading = range.from === undefined ? {} : { from: readingStart(settings, range.from) };
    const flows = tape.flows(reading, scanRooms(decoder));
    const signals = scan(flows, {
      settings,
      decoder,
      signal: io.signal,
      damage(damage) {
        damaged++;
        io.stderr.write(`${describeDamage(damage)}\n`);
      },
      note: (text) => talk(io, text),
      sums: (one) => void sums.push(one),
    });
    // a wrapped line cannot be read at a glance; a pipe gets all of it
    const cut = (text: string): string => (io.stdoutIsTty ? truncate(text, io.columns) : text);
    let titled = json || !io.stdoutIsTty;
    for await (const printed of signals) {
      let text = titled ? '' : `${cut(TEXT_TITLES)}\n`;
      titled = true;
      for (const { line, signal } of printed) text += `${json ? line : cut(escapeControl(signalText(signal)))}\n`;
      await out.write(text);
    }
    sums.sort((a, b) => (a.src < b.src ? -1 : 1));
    for (const one of sums)
      await out.write(`${json ? JSON.stringify({ checksum: one }) : escapeControl(sumsText(one))}\n`);
    await out.flush();
    return damaged > 0 ? 1 : 0;
  },
});

const DECODERS: readonly DecodeMode[] = ['wasm', 'typescript', 'json'];

/** The decoder named in the environment: for comparing them, and for a machine whose WebAssembly fails. */
function decoderOf(name: string | undefined): DecodeMode {
  if (name === undefined || name === '') return 'wasm';
  const known = DECODERS.find((one) => one === name);
  if (known !== undefined) return known;
  throw new TapedeckError('E_USAGE', `TAPEDECK_SCANNER is '${name}'; it may be ${DECODERS.join(', ')}`);
}

async function printList(out: DataWriter, json: boolean): Promise<number> {
  if (json) for (const detector of detectors) await out.write(`${JSON.stringify(detectorFacts(detector))}\n`);
  else await out.write(`${detectors.map((detector) => detectorText(detector).join('\n')).join('\n\n')}\n`);
  await out.flush();
  return 0;
}

function readConfigFile(path: string): GivenSettings {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw fromSystemError(error, 'reading the config', { file: path });
  }
  return readConfig(text, path);
}

function talk(io: CommandIo, text: string): void {
  if (!io.quiet) io.stderr.write(`${escapeControl(text)}\n`);
}
