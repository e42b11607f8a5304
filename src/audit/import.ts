/** Turns archives of other tools into a tape: the same messages byte for byte, with header, checkpoints, index and seal. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { type ArchiveBatch, type BadLine, firstArchiveTime, readHftbacktest } from '../formats/hftbacktest.js';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Inferable, Instrument } from '../model/instrument.js';
import { formatTime } from '../model/time.js';
import type { Venue } from '../venues/venue.js';
import { cryptofeedMessages } from './cryptofeed.js';
import { createImportWriter, type ImportedEntries, type ImportWriter } from './import-writer.js';
import { type Inferred, inferFrom, offStep } from './infer.js';

/** Messages that are held back and looked at before the header is written. */
const HELD_MESSAGES = 1000;
/** A file may start this much before the one before it ends: recorders change files while messages are under way. */
const OVERLAP: Micros = 1_000_000;

/** Whose archives can be imported. */
export const archiveFormats = ['hftbacktest', 'cryptofeed'] as const;
export type ArchiveFormat = (typeof archiveFormats)[number];

export interface ImportOptions {
  format: ArchiveFormat;
  venue: Venue;
  symbol: string;
  files: readonly string[];
  /** folder that holds the tapes */
  out: string;
  /** what is given of the instrument, which messages must not contradict */
  instrument: Partial<Instrument>;
  /** what the archive itself says of the rest; what is left is inferred from the first 1,000 messages */
  listed?: Partial<Instrument>;
  /** for the header, e.g. `tapedeck 0.1.0` */
  tool: string;
  level?: number;
  bad(bad: BadLine): void;
  /** bytes of the files that were read since the last call */
  progress?(bytes: number, file: string): void;
  signal?: AbortSignal;
}

/** Exact counts of an import. */
export interface Imported extends ImportedEntries {
  /** lines and files that could not be used, or not to their end */
  bad: number;
}

/**
 * Imports the messages of one symbol from archives, in the order given, as one segment. Bad lines are reported and skipped. What was begun is
 * removed again when the import fails or is aborted.
 * @throws {TapedeckError} E_EXISTS, E_IMPORT (no message, wrong order of files, aborted), E_USAGE (a given step that is none), E_SYMBOL, E_NOT_FOUND, …
 */
export async function importArchives(options: ImportOptions): Promise<Imported> {
  // archives of cryptofeed hold connections one behind the other, so only each connection's times are in order
  if (options.format === 'hftbacktest') await checkOrder(options.files);
  const { progress, signal } = options;
  let badLines = 0;
  const bad = (line: BadLine): void => {
    badLines++;
    options.bad(line);
  };
  let held: ArchiveBatch[] = [];
  let count = 0;
  let writer: ImportWriter | null = null;
  try {
    for await (const batch of messagesOf(options, { bad, ...(progress === undefined ? {} : { progress }) })) {
      if (signal?.aborted === true)
        throw new TapedeckError('E_IMPORT', 'while importing: interrupted; what was begun is removed');
      if (writer !== null) writer.take(batch);
      else {
        held.push(copyOf(batch));
        count += batch.count;
        if (count < HELD_MESSAGES) continue;
        writer = begin(held, { ...options, bad });
        held = [];
      }
    }
    writer ??= begin(held, { ...options, bad });
    return { ...(await writer.finish()), bad: badLines };
  } catch (error) {
    if (writer !== null) {
      await writer.abandon();
      fs.rmSync(writer.path, { force: true });
    }
    throw error;
  }
}

function messagesOf(
  { format, files, venue, symbol }: ImportOptions,
  options: Parameters<typeof readHftbacktest>[1],
): AsyncGenerator<ArchiveBatch, void, undefined> {
  return format === 'hftbacktest' ? readHftbacktest(files, options) : cryptofeedMessages(files, venue, symbol, options);
}

/** Looks at the messages held back, opens the tape and writes them. */
function begin(held: readonly ArchiveBatch[], options: ImportOptions): ImportWriter {
  const { venue, symbol, files } = options;
  const first = held.find(({ count }) => count > 0);
  if (first === undefined)
    throw new TapedeckError('E_IMPORT', 'while importing: not one line of the form `<time> <message>` was found', {
      file: files[0],
    });
  const parsed = parse(held);
  const inferred = inferFrom(
    parsed.map(({ message }) => message),
    venue,
    symbol,
  );
  const { known, strangers, stranger } = inferred;
  if (stranger !== null && strangers > known)
    throw new TapedeckError('E_SYMBOL', `while importing: the messages are of '${stranger}', not of ${symbol}`, {
      file: first.file,
    });
  if (known === 0)
    throw new TapedeckError('E_IMPORT', `while importing: no message is one that ${venue.id} sends`, {
      file: first.file,
    });
  checkSteps(options.instrument, inferred, parsed);
  const writer = createImportWriter({
    ...options,
    recorder: recorderOf(venue.id, symbol, first),
    instrument: completeInstrument(options, inferred),
    channels: inferred.channels,
    first: first.t[0],
  });
  try {
    for (const batch of held) writer.take(batch);
  } catch (error) {
    fs.rmSync(writer.path, { force: true });
    throw error;
  }
  return writer;
}

/**
 * Prices and sizes must be multiples of the steps that somebody gave.
 * @throws {TapedeckError} E_USAGE with the first that is none
 */
function checkSteps(given: Partial<Instrument>, { prices, sizes }: Inferred, parsed: readonly Parsed[]): void {
  for (const [name, what, seen] of [['tick', 'price', prices] as const, ['lot', 'size', sizes] as const]) {
    const step = given[name];
    const off = step === undefined ? null : offStep(seen, step);
    if (off === null) continue;
    const { file, line } = parsed[off.at];
    throw new TapedeckError(
      'E_USAGE',
      `while importing: the ${name} cannot be ${step}: the ${what} ${off.text} is no multiple of it`,
      { file, line },
    );
  }
}

/** What was given or listed, completed by what was inferred and marked so. */
function completeInstrument(options: ImportOptions, seen: Pick<Inferred, 'tick' | 'lot'>): Instrument {
  const { venue, symbol } = options;
  const known = { ...options.listed, ...options.instrument };
  const tick = known.tick ?? seen.tick;
  const lot = known.lot ?? seen.lot;
  if (tick === null || lot === null)
    throw new TapedeckError(
      'E_IMPORT',
      `while importing: the first ${HELD_MESSAGES} messages show no ${tick === null ? 'price' : 'size'}; give --tick and --lot`,
    );
  const kind = known.kind ?? venue.kind;
  const inferred: Inferable[] = [];
  if (known.tick === undefined) inferred.push('tick');
  if (known.lot === undefined) inferred.push('lot');
  // what a contract is worth stands in no message
  if (known.multiplier === undefined && kind === 'inverse') inferred.push('multiplier');
  const isUsual = inferred.join() === 'tick,lot';
  return {
    ...known,
    ...{ symbol, kind, tick, lot, multiplier: known.multiplier ?? '1' },
    ...(inferred.length === 0 ? {} : { inferred: isUsual ? true : inferred }),
  };
}

/** The same input gives the same name, so that an import can be repeated and compared byte for byte. */
function recorderOf(venue: string, symbol: string, first: ArchiveBatch): string {
  const hash = createHash('sha256').update(`${venue}:${symbol}\n${first.t[0]} `);
  hash.update(first.bytes.subarray(first.from[0], first.to[0]));
  return BigInt(`0x${hash.digest('hex').slice(0, 16)}`)
    .toString(36)
    .slice(0, 6);
}

/** A message held back, and where it stands. */
interface Parsed {
  message: unknown;
  file: string;
  line: number;
}

function parse(held: readonly ArchiveBatch[]): Parsed[] {
  const messages: Parsed[] = [];
  for (const { file, bytes, count, from, to, line } of held)
    for (let i = 0; i < count && messages.length < HELD_MESSAGES; i++) {
      try {
        messages.push({ message: JSON.parse(bytes.toString('utf8', from[i], to[i])), file, line: line[i] });
      } catch {
        // reported when it is its turn to be written
      }
    }
  return messages;
}

function copyOf(batch: ArchiveBatch): ArchiveBatch {
  const { file, bytes, count, t, from, to, line } = batch;
  const held = Buffer.from(bytes.subarray(0, count === 0 ? 0 : to[count - 1]));
  return {
    file,
    bytes: held,
    count,
    t: t.slice(0, count),
    from: from.slice(0, count),
    to: to.slice(0, count),
    line: line.slice(0, count),
  };
}

/** Files in the wrong order would squeeze hours of messages into microseconds. */
async function checkOrder(files: readonly string[]): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  for (const file of files) {
    const t = await firstArchiveTime(file);
    if (Number.isNaN(t)) continue;
    if (t < before - OVERLAP)
      throw new TapedeckError(
        'E_IMPORT',
        `while importing: it starts at ${formatTime(t)}, before the file named before it (${formatTime(before)}); name the files in order of time`,
        { file },
      );
    before = t;
  }
}
