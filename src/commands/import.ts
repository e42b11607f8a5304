/** `tapedeck import`: archives of other tools become tapes. */
import fs from 'node:fs';
import { type Imported, importHftbacktest } from '../audit/import.js';
import { describeBadLine, readInstrumentFile } from '../audit/import-input.js';
import { decimalsOf } from '../model/decimal.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { formatTime } from '../model/time.js';
import { startProgress } from '../output/progress.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatBytes, formatCount } from '../output/text.js';
import { venueById } from '../venues/registry.js';
import { defineCommand, levelOption } from './command.js';

/** Bad lines told one by one; the rest are only counted. */
const LISTED_BAD = 20;

function positiveDecimal(text: string): string {
  if (Number.isNaN(decimalsOf(text)) || !(Number(text) > 0))
    throw new TapedeckError('E_USAGE', `'${text}' is not a decimal above zero`);
  return text;
}

function sizeOf(file: string): number {
  try {
    return fs.statSync(file).size;
  } catch (error) {
    throw fromSystemError(error, 'opening an archive', { file });
  }
}

const counted = (value: number, one: string, many: string): string =>
  `${formatCount(value)} ${value === 1 ? one : many}`;

function summary(done: Imported, givenMultiplier: boolean): string[] {
  const { messages, snapshots, texts, bad, ties, backwards, unknown, invalid, checkpoints } = done;
  const count = (value: number, one: string, many: string): string[] => (value > 0 ? [counted(value, one, many)] : []);
  const { tick, lot, multiplier, kind, inferred } = done.instrument;
  const lines = [
    `imported ${counted(messages, 'message', 'messages')} and ${counted(snapshots, 'snapshot', 'snapshots')}, ${formatTime(done.first)} to ${formatTime(done.last)}`,
    `wrote ${formatCount(done.entries)} entries, ${counted(checkpoints, 'checkpoint', 'checkpoints')} among them: ${formatBytes(done.compressedBytes)} (${formatBytes(done.textBytes)} of text)`,
  ];
  const notes = [
    ...count(bad, 'bad line skipped', 'bad lines skipped'),
    ...count(ties, 'time moved because it was taken', 'times moved because they were taken'),
    ...count(backwards, 'time moved because it went backwards', 'times moved because they went backwards'),
    ...count(texts, 'message kept as text', 'messages kept as text'),
    ...count(unknown, 'message no layout explains', 'messages no layout explains'),
    ...count(invalid, 'message with a number that cannot be held', 'messages with numbers that cannot be held'),
  ];
  if (notes.length > 0) lines.push(notes.join(', '));
  if (inferred === true)
    lines.push(
      `inferred: tick ${tick}, lot ${lot}`,
      ...(kind === 'inverse' && !givenMultiplier
        ? [`assumed: multiplier ${multiplier}; the worth of a contract stands in no message, give --multiplier`]
        : []),
    );
  return lines;
}

export default defineCommand({
  name: 'import',
  describe: "Turn other tools' archives into tapes, byte for byte",
  positionals: {
    format: { describe: 'whose archives they are', required: true, choices: ['hftbacktest'] },
    file: { describe: 'archives, gzip or plain, in order of time', required: true, variadic: true, complete: 'file' },
  },
  options: {
    venue: {
      value: 'VENUE',
      describe: 'where they were recorded; see tapedeck venues',
      required: true,
      parse: venueById,
    },
    symbol: { value: 'SYMBOL', describe: 'the instrument, as the venue writes it', required: true },
    out: {
      alias: 'o',
      value: 'DIR',
      describe: 'folder for the tapes: DIR/VENUE/SYMBOL/SYMBOL-START.ndjson.zst',
      required: true,
      complete: 'directory',
    },
    instrument: {
      value: 'FILE',
      describe: "the instrument as JSON: tick, lot, multiplier; or the venue's own listing",
      complete: 'file',
    },
    tick: { value: 'DECIMAL', describe: 'smallest step of prices', parse: positiveDecimal },
    lot: { value: 'DECIMAL', describe: 'smallest step of sizes', parse: positiveDecimal },
    multiplier: {
      value: 'DECIMAL',
      describe: 'what one unit of size is worth: base units, or quote units per contract',
      parse: positiveDecimal,
    },
    level: levelOption,
  },
  examples: [
    [
      'tapedeck import hftbacktest btcusdt_2024080*.gz --venue binance-usdm --symbol BTCUSDT -o tapes/',
      'several files, one segment',
    ],
    [
      'tapedeck import hftbacktest ethusd.gz --venue binance-coinm --symbol ETHUSD_PERP --multiplier 10 -o tapes/',
      'contracts of 10 USD',
    ],
  ],
  details: `
hftbacktest. Lines of a receive time (16 digits: microseconds, 19: nanoseconds, which are cut) and a message, byte for byte as
received; book snapshots without wrapper become http entries. Lines that are neither are reported with file and line number,
skipped and counted, and the exit status is then 1. A damaged gzip file is used up to the damage.

What is written. One sealed segment with header, the messages verbatim, checkpoints of the book about every minute of data, index
and seek table. The same files give the same tape. What stands is never overwritten; an import that fails or is interrupted
removes what it had begun.

Times. Entries of a tape have increasing times: a time that was taken already is stored one microsecond after the last, and so is
one that went backwards; both are counted.

Instrument. What is not given by --instrument, --tick, --lot and --multiplier is inferred from the first 1,000 messages: the
largest step that all prices, and all sizes, are multiples of. The header then says that it was inferred.`,

  async handler({ format, file: files, venue, symbol, out, level, ...given }, io) {
    void format;
    if (files.includes('-'))
      throw new TapedeckError('E_USAGE', "import reads files: '-' (stdin) has no name to report lines by");
    const listed = given.instrument === undefined ? {} : readInstrumentFile(given.instrument, venue, symbol);
    const instrument = { ...listed };
    for (const key of ['tick', 'lot', 'multiplier'] as const) {
      const value = given[key];
      if (value !== undefined) instrument[key] = value;
    }
    const bar = await startProgress(
      io,
      'import',
      files.reduce((sum, file) => sum + sizeOf(file), 0),
    );
    let read = 0;
    const bad: string[] = [];
    let imported: Imported;
    try {
      imported = await importHftbacktest({
        venue,
        symbol,
        files,
        out,
        instrument,
        level,
        tool: `tapedeck ${io.version}`,
        signal: io.signal,
        bad: (line) => {
          if (bad.length < LISTED_BAD) bad.push(describeBadLine(line));
        },
        progress: (bytes, file) => {
          read += bytes;
          bar.update(read, file);
        },
      });
    } finally {
      bar.stop();
      for (const line of bad) io.stderr.write(`${escapeControl(line)}\n`);
    }
    const hidden = imported.bad - bad.length;
    if (hidden > 0) io.stderr.write(`${formatCount(hidden)} more bad lines\n`);
    if (!io.quiet)
      for (const line of summary(imported, instrument.multiplier !== undefined))
        io.stderr.write(`${escapeControl(line)}\n`);
    const data = createDataWriter(io.stdout);
    await data.write(`${imported.path}\n`);
    await data.flush();
    return imported.bad > 0 ? 1 : 0;
  },
});
