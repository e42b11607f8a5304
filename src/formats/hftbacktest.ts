/** Archives of the hftbacktest collector: lines of `<µs or ns> <raw JSON>`, gzip, zstd or plain, REST snapshots among them. */
import type { LineBatch } from '../model/batch.js';
import type { Micros } from '../model/entry.js';
import { createLineAssembly } from '../tape/line-assembly.js';
import { inflateFile } from './inflate.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const TAB = 0x09;
const MICRO_DIGITS = 16;
const NANO_DIGITS = 19;

/** Lines of one file; everything is valid until the next batch is asked for. Index `i` of the arrays is one line. */
export interface ArchiveBatch {
  file: string;
  bytes: Buffer;
  count: number;
  /** receive time, nanoseconds cut to microseconds */
  t: Float64Array;
  /** the message is `bytes[from, to)`: what stands behind the time, untouched */
  from: Uint32Array;
  to: Uint32Array;
  /** one-based line numbers */
  line: Float64Array;
}

/** A line that is not used, or (line 0) a file that could not be read to its end. */
export interface BadLine {
  file: string;
  line: number;
  why: string;
}

export interface ArchiveOptions {
  bad(bad: BadLine): void;
  /** bytes of the file that were read since the last call */
  progress?(bytes: number, file: string): void;
}

/**
 * Reads archives one after the other, in the order given. The unit of time is told per file by the digits of its first
 * time (16 microseconds, 19 nanoseconds); lines without such a time are reported as bad and skipped, blank lines only skipped.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_IO
 */
export async function* readHftbacktest(
  files: readonly string[],
  options: ArchiveOptions,
): AsyncGenerator<ArchiveBatch, void, undefined> {
  for (const file of files) yield* readFile(file, options);
}

/**
 * The time of the first line that has one, among the first piece of the file; NaN when there is none.
 * @throws {TapedeckError} as readHftbacktest
 */
export async function firstArchiveTime(file: string): Promise<Micros> {
  for await (const batch of readFile(file, { bad: () => {} })) if (batch.count > 0) return batch.t[0];
  return Number.NaN;
}

async function* readFile(file: string, options: ArchiveOptions): AsyncGenerator<ArchiveBatch, void, undefined> {
  const lines = createLineAssembly(file);
  const parser = createParser(file, options);
  const out: Parameters<typeof lines.added>[2] = [];
  const parse = (item: (typeof out)[number]): ArchiveBatch | null => {
    if (!('damage' in item)) return parser.parse(item);
    options.bad({ file, line: item.damage.line, why: item.damage.message });
    return null;
  };
  for await (const piece of inflateFile(file)) {
    if ('fault' in piece) {
      options.bad({ file, line: 0, why: `the file is damaged after line ${lines.line - 1}: ${piece.fault}` });
      // the unfinished line before the fault is no line
      return;
    }
    lines.room(piece.bytes.length).set(piece.bytes);
    lines.added(piece.bytes.length, -1, out);
    for (const item of out.splice(0)) {
      const batch = parse(item);
      if (batch !== null) yield batch;
    }
    options.progress?.(piece.consumed, file);
  }
  lines.finish(-1, out);
  for (const item of out) {
    const batch = parse(item);
    if (batch !== null) yield batch;
  }
}

/** Splits batches of lines into times and messages. */
function createParser(file: string, options: ArchiveOptions): { parse(batch: LineBatch): ArchiveBatch } {
  let digits = 0;
  let size = 4096;
  let t = new Float64Array(size);
  let from = new Uint32Array(size);
  let to = new Uint32Array(size);
  let line = new Float64Array(size);

  const grow = (): void => {
    size *= 2;
    const wider = <T extends Float64Array | Uint32Array>(grown: T, old: T): T => {
      grown.set(old);
      return grown;
    };
    t = wider(new Float64Array(size), t);
    line = wider(new Float64Array(size), line);
    from = wider(new Uint32Array(size), from);
    to = wider(new Uint32Array(size), to);
  };

  /** Why the line is no line of such an archive, or null and its parts in the arrays. */
  const parseLine = (bytes: Buffer, start: number, end: number, index: number): string | null => {
    let p = start;
    let high = 0;
    let low = 0;
    for (; p < end; p++) {
      const digit = bytes[p] - 0x30;
      if (digit >>> 0 > 9) break;
      if (p - start < 8) high = high * 10 + digit;
      else if (p - start < MICRO_DIGITS) low = low * 10 + digit;
    }
    const count = p - start;
    if (count !== MICRO_DIGITS && count !== NANO_DIGITS)
      return 'it does not begin with a time of 16 (microseconds) or 19 digits (nanoseconds)';
    if (digits === 0) digits = count;
    if (count !== digits) return `its time has ${count} digits where the file has ${digits}`;
    if (bytes[start] === 0x30) return 'its time begins with 0';
    if (p < end && bytes[p] !== BLANK && bytes[p] !== TAB) return 'no blank follows its time';
    while (p < end && (bytes[p] === BLANK || bytes[p] === TAB)) p++;
    if (p === end) return 'no message follows its time';
    t[index] = high * 100_000_000 + low;
    from[index] = p;
    to[index] = end;
    return null;
  };

  return {
    parse(batch) {
      const { bytes } = batch;
      let count = 0;
      let number = batch.line;
      for (let p = batch.from; p < batch.to; number++) {
        let end = bytes.indexOf(NEWLINE, p);
        if (end < 0 || end > batch.to) end = batch.to;
        const next = end + 1;
        if (end > p && bytes[end - 1] === RETURN) end--;
        if (!isBlank(bytes, p, end)) {
          if (count === size) grow();
          const why = parseLine(bytes, p, end, count);
          if (why === null) line[count++] = number;
          else options.bad({ file, line: number, why });
        }
        p = next;
      }
      return { file, bytes, count, t, from, to, line };
    },
  };
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let p = from; p < to; p++) if (bytes[p] !== BLANK && bytes[p] !== TAB) return false;
  return true;
}
