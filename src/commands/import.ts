/** `tapedeck import`: archives of other tools become tapes. */
import fs from 'node:fs';
import { surveyCryptofeed } from '../audit/cryptofeed.js';
import { type ArchiveFormat, archiveFormats, type Imported, importArchives } from '../audit/import.js';
import { describeBadLine, readInstrumentFile } from '../audit/import-input.js';
import { decimalsOf } from '../model/decimal.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { type Instrument, inferredOf } from '../model/instrument.js';
import { formatTime } from '../model/time.js';
import { startProgress } from '../output/progress.js';
import { createDataWriter } from '../output/stdio.js';
import { escapeControl, formatBytes, formatCount } from '../output/text.js';
import { venueById } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';
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

function summary(done: Imported): string[] {
  const { messages, snapshots, texts, bad, ties, backwards, unknown, invalid, checkpoints } = done;
  const count = (value: number, one: string, many: string): string[] => (value > 0 ? [counted(value, one, many)] : []);
  const { instrument } = done;
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
  const inferred = inferredOf(instrument);
  const steps = inferred.filter((name) => name !== 'multiplier');
  if (steps.length > 0) lines.push(`inferred: ${steps.map((name) => `${name} ${instrument[name]}`).join(', ')}`);
  if (inferred.includes('multiplier'))
    lines.push(
      `assumed: multiplier ${instrument.multiplier}; the worth of a contract stands in no message, give --multiplier`,
    );
  return lines;
}

export default defineCommand({
  name: 'import',
  describe: "Turn other tools' archives into tapes, byte for byte",
  positionals: {
    format: { describe: 'whose archives they are', required: true, choices: archiveFormats },
    file: {
      describe: 'archives, plain, gzip or zstd, in order of time',
      required: true,
      variadic: true,
      complete: 'file',
    },
  },
  options: {
    venue: {
      value: 'VENUE',
      describe: 'where they were recorded; see tapedeck venues',
      required: true,
      parse: venueById,
    },
    symbol: {
      value: 'SYMBOL',
      describe: 'the instrument, as the venue writes it; all that a cryptofeed archive has unless given',
    },
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
cryptofeed. What its recorder wrote (format 2): JSON lines of what each connection did. Messages of the venue's own address become
entries, byte for byte as received, one tape per symbol; instruments are those that the archive's own REST answers list. Other
exchanges' connections in the same file are left out.

hftbacktest. Lines of a receive time (16 digits: microseconds, 19: nanoseconds, which are cut) and a message, byte for byte as
received; book snapshots without wrapper become http entries. Lines that are neither are reported with file and line number,
skipped and counted, and the exit status is then 1. A damaged gzip file is used up to the damage.

What is written. One sealed segment with header, the messages verbatim, checkpoints of the book about every minute of data, index
and seek table. The same files give the same tape. What stands is never overwritten; an import that fails or is interrupted
removes what it had begun.

Times. Entries of a tape have increasing times: a time that was taken already is stored one microsecond after the last, and so is
one that went backwards; both are counted.

Instrument. What is not given by --instrument, --tick, --lot and --multiplier is inferred from the first 1,000 messages: the
largest step that all prices, and all sizes, are multiples of. The header then says what was inferred. A tick or lot that is given
is refused where a price, or a size, among these messages is no multiple of it.`,

  async handler({ format, file: files, venue, symbol, out, level, ...given }, io) {
    if (files.includes('-'))
      throw new TapedeckError('E_USAGE', "import reads files: '-' (stdin) has no name to report lines by");
    const imports = await plan(format, files, venue, symbol);
    const total = files.reduce((sum, file) => sum + sizeOf(file), 0);
    const bar = await startProgress(io, 'import', total * imports.length);
    let read = 0;
    const bad: string[] = [];
    let hidden = 0;
    const done: Imported[] = [];
    try {
      for (const one of imports) {
        const instrument =
          given.instrument === undefined ? {} : readInstrumentFile(given.instrument, venue, one.symbol);
        for (const key of ['tick', 'lot', 'multiplier'] as const) {
          const value = given[key];
          if (value !== undefined) instrument[key] = value;
        }
        const imported = await importArchives({
          format,
          venue,
          symbol: one.symbol,
          files,
          out,
          instrument,
          listed: one.instrument,
          level,
          tool: `tapedeck ${io.version}`,
          signal: io.signal,
          bad: (line) => {
            // every pass over a cryptofeed archive meets the same bad lines
            if (done.length > 0) return;
            if (bad.length < LISTED_BAD) bad.push(describeBadLine(line));
            else hidden++;
          },
          progress: (bytes, file) => {
            read += bytes;
            bar.update(read, file);
          },
        });
        done.push(imported);
      }
    } finally {
      bar.stop();
      for (const line of bad) io.stderr.write(`${escapeControl(line)}\n`);
    }
    if (hidden > 0) io.stderr.write(`${formatCount(hidden)} more bad lines\n`);
    const data = createDataWriter(io.stdout);
    for (const [n, imported] of done.entries()) {
      const lines = summary(imported);
      if (!io.quiet)
        for (const line of lines)
          io.stderr.write(`${escapeControl(done.length > 1 ? `${imports[n].symbol}: ${line}` : line)}\n`);
      await data.write(`${imported.path}\n`);
    }
    await data.flush();
    return done.some((imported) => imported.bad > 0) ? 1 : 0;
  },
});

/** Which symbols to import, with what the archives themselves say of them. */
async function plan(
  format: ArchiveFormat,
  files: readonly string[],
  venue: Venue,
  symbol: string | undefined,
): Promise<{ symbol: string; instrument: Partial<Instrument> }[]> {
  if (format === 'hftbacktest') {
    if (symbol === undefined)
      throw new TapedeckError('E_USAGE', 'an hftbacktest archive is of one instrument: name it with --symbol');
    return [{ symbol, instrument: {} }];
  }
  const found = await surveyCryptofeed(files, venue);
  const wanted = symbol === undefined ? found : found.filter((one) => one.symbol === symbol);
  if (wanted.length > 0) return wanted;
  const there = found.map((one) => one.symbol).join(', ');
  throw new TapedeckError(
    symbol === undefined ? 'E_IMPORT' : 'E_SYMBOL',
    `while importing: no message of ${symbol ?? venue.id} was found${there === '' ? '' : `; there are ${there}`}`,
    { file: files[0] },
  );
}
