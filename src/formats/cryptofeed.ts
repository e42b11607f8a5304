/** Archives of cryptofeed (format 2): JSON lines of what each connection did, messages as text inside; plain, gzip or zstd. */
import type { Micros } from '../model/entry.js';
import { createLineAssembly } from '../tape/line-assembly.js';
import type { BadLine } from './hftbacktest.js';
import { inflateFile } from './inflate.js';

/** What one line of an archive says; `text` is what was sent or received, to the byte. */
export interface CryptofeedLine {
  file: string;
  /** one-based */
  line: number;
  kind: 'header' | 'http' | 'connect' | 'send' | 'recv';
  conn: string;
  t: Micros;
  /** of a connection, of what was sent on it, or of a request */
  url: string;
  text: string;
}

export interface CryptofeedOptions {
  bad(bad: BadLine): void;
  /** bytes of the file that were read since the last call */
  progress?(bytes: number, file: string): void;
}

const KINDS: ReadonlySet<string> = new Set(['header', 'http', 'connect', 'send', 'recv']);
/** A time in seconds, as it is written: a float64 of so many digits would be rounded. */
const TIME = /"ts":(\d{10})(?:\.(\d{1,9}))?[,}]/;

/**
 * Reads archives one after the other, in the order given, in pieces of some lines.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO
 */
export async function* readCryptofeed(
  files: readonly string[],
  options: CryptofeedOptions,
): AsyncGenerator<CryptofeedLine[], void, undefined> {
  for (const file of files) yield* readFile(file, options);
}

async function* readFile(file: string, options: CryptofeedOptions): AsyncGenerator<CryptofeedLine[], void, undefined> {
  const lines = createLineAssembly(file);
  const out: Parameters<typeof lines.added>[2] = [];
  const take = (): CryptofeedLine[] =>
    out.splice(0).flatMap((item) => {
      if (!('damage' in item))
        return parseLines(file, item.bytes.toString('utf8', item.from, item.to), item.line, options);
      options.bad({ file, line: item.damage.line, why: item.damage.message });
      return [];
    });
  for await (const piece of inflateFile(file)) {
    if ('fault' in piece) {
      options.bad({ file, line: 0, why: `the file is damaged after line ${lines.line - 1}: ${piece.fault}` });
      return;
    }
    lines.room(piece.bytes.length).set(piece.bytes);
    lines.added(piece.bytes.length, -1, out);
    const read = take();
    if (read.length > 0) yield read;
    options.progress?.(piece.consumed, file);
  }
  lines.finish(-1, out);
  const rest = take();
  if (rest.length > 0) yield rest;
}

function parseLines(file: string, text: string, first: number, options: CryptofeedOptions): CryptofeedLine[] {
  const found: CryptofeedLine[] = [];
  for (const [n, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const parsed = parseLine(file, first + n, line);
    if (typeof parsed === 'string') options.bad({ file, line: first + n, why: parsed });
    else found.push(parsed);
  }
  return found;
}

/** The line's parts, or why it is no line of such an archive. */
function parseLine(file: string, line: number, text: string): CryptofeedLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is no JSON object';
  const { t: kind, conn, data, addr, url } = value as Record<string, unknown>;
  if (typeof kind !== 'string' || !KINDS.has(kind)) return `its "t" is none of ${[...KINDS].join(', ')}`;
  const time = TIME.exec(text);
  if (time === null && kind !== 'header') return 'it has no time in seconds as "ts"';
  if (kind === 'recv' && typeof data !== 'string') return 'its "data" is no text';
  const micros = time === null ? 0 : Number(time[1] + (time[2] ?? '').slice(0, 6).padEnd(6, '0'));
  const textOf = (member: unknown): string => (typeof member === 'string' ? member : '');
  return {
    file,
    line,
    kind: kind as CryptofeedLine['kind'],
    conn: textOf(conn),
    t: micros,
    url: textOf(addr) || textOf(url),
    text: textOf(data),
  };
}
