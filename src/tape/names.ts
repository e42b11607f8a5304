/** File names of tapes: symbols made safe, segments named by their start, tails named by their frame's offset. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { type Micros, parseSource, type Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { formatTimeForFile } from '../model/time.js';

const LONGEST_NAME = 100;
const TAIL = /^(.+)\.tail-(\d{1,15})$/;

/**
 * A symbol or venue as a file name. Letters, digits and `. _ - + @ =` stand for themselves, all else is percent-encoded
 * UTF-8 (a leading `.` or `-` too); names over 100 characters end in `~` and a hash. Different symbols give different names.
 */
export function safeName(symbol: string): string {
  if (symbol === '') return '%';
  let name = '';
  for (const byte of Buffer.from(symbol, 'utf8')) {
    const character = String.fromCharCode(byte);
    const plain = name === '' ? /[A-Za-z0-9_+@=]/ : /[A-Za-z0-9._+@=-]/;
    name += plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, LONGEST_NAME - 25)}~${createHash('sha256').update(symbol).digest('hex').slice(0, 24)}`;
}

/**
 * The folder of one src below `out`: `<out>/<venue>/<symbol>`.
 * @throws {TapedeckError} E_SYMBOL when `src` has no colon
 */
export function tapeFolder(out: string, src: Source): string {
  const source = parseSource(src);
  if (source === null) throw new TapedeckError('E_SYMBOL', `'${src}' is not VENUE:SYMBOL`);
  return join(out, safeName(source.venue), safeName(source.symbol));
}

/** The segment of `src` that starts at `t`. */
export function segmentPath(out: string, src: Source, t: Micros): string {
  const folder = tapeFolder(out, src);
  return join(folder, `${basename(folder)}-${formatTimeForFile(t)}.ndjson.zst`);
}

/** Where the lines of the frame that will stand at `offset` of a segment are kept until it is written. */
export function tailPath(segment: string, offset: number): string {
  return `${segment}.tail-${offset}`;
}

/** Takes a tail's path apart; null when it is none. */
export function parseTailPath(path: string): { segment: string; offset: number } | null {
  const match = TAIL.exec(basename(path));
  return match === null ? null : { segment: join(dirname(path), match[1]), offset: Number(match[2]) };
}

/** Whether a file in a folder counts as part of a tape. */
export function isSegmentName(name: string): boolean {
  return name.endsWith('.ndjson.zst') || name.endsWith('.ndjson');
}
