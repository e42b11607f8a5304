/** Lines of a tape: writing each kind of entry, and reading a line's envelope without touching its value. */
import { isUtf8 } from 'node:buffer';
import { ENTRY_KEYS, type Entry, type EntryKey, type Fills, type Micros, type Source } from '../model/entry.js';
import { type ErrorPlace, TapedeckError } from '../model/errors.js';
import { endOfString, endOfValue, skipBlanks, startOfMember } from '../model/json.js';

/** Receive times have 16 digits, and stay below 2^53 so that every JSON reader holds them exactly. */
const FIRST_T = 1_000_000_000_000_000;
const NEWLINE = 0x0a;

/** Everything of a line but its value: the value is `bytes[valueFrom, valueTo)`. */
export interface Envelope {
  t: Micros;
  src: Source;
  conn: string | null;
  /** the entry's kind (one of ENTRY_KEYS where the line has one), or the first key nobody here knows */
  key: string;
  valueFrom: number;
  valueTo: number;
}

/** The longest line a reader accepts, newline included. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * One entry as a line with its newline, keys in the order t, src, conn, kind, others. For entries tapedeck makes itself; messages go
 * through `messageLine`, which copies their bytes.
 * @throws {TapedeckError} E_LINE when `t` has not 16 digits
 */
export function entryLine(entry: Entry): string {
  const { t, src, ...others } = entry;
  const { conn, ...rest } = others as { conn?: string };
  return `${JSON.stringify({ t: checkTime(t), src, ...(conn === undefined ? {} : { conn }), ...rest })}\n`;
}

/**
 * The line of a received text message, with its newline. Bytes that are one JSON value on one line (UTF-8, nested at most 200 deep) stand
 * verbatim as `msg`; other text becomes a `text` entry and invalid UTF-8 a `bin` entry, so nothing received is lost.
 * @throws {TapedeckError} E_LINE when `t` has not 16 digits
 */
export function messageLine(t: Micros, src: Source, conn: string, message: Uint8Array): Buffer {
  const head = `${envelopeHead(t, src)},"conn":${JSON.stringify(conn)}`;
  if (!isUtf8(message)) return Buffer.from(`${head},"bin":"${asBuffer(message).toString('base64')}"}\n`);
  if (isJsonLine(message)) return spliceLine(`${head},"msg":`, message, '}\n');
  return Buffer.from(`${head},"text":${JSON.stringify(asBuffer(message).toString('utf8'))}}\n`);
}

/** The line of a received binary message that is not compressed JSON, with its newline. */
export function binaryLine(t: Micros, src: Source, conn: string, message: Uint8Array): Buffer {
  const value = asBuffer(message).toString('base64');
  return Buffer.from(`${envelopeHead(t, src)},"conn":${JSON.stringify(conn)},"bin":"${value}"}\n`);
}

/**
 * The line of a REST answer, with its newline: the body verbatim as `body` when it is JSON on one line, else as `text` (or base64 `bin`
 * when it is not UTF-8). The body always comes last.
 */
export function httpLine(
  t: Micros,
  src: Source,
  http: { url: string; status: number; sent: Micros; fills?: Fills | undefined },
  body: Uint8Array,
): Buffer {
  const { url, status, sent, fills } = http;
  const meta = JSON.stringify({ url, status, sent, fills }).slice(0, -1);
  const head = `${envelopeHead(t, src)},"http":${meta}`;
  if (!isUtf8(body)) return Buffer.from(`${head},"bin":"${asBuffer(body).toString('base64')}"}}\n`);
  if (isJsonLine(body)) return spliceLine(`${head},"body":`, body, '}}\n');
  return Buffer.from(`${head},"text":${JSON.stringify(asBuffer(body).toString('utf8'))}}}\n`);
}

/** Whether the bytes are exactly one JSON value without a line break, nested at most 200 deep (UTF-8 is not checked). */
export function isJsonLine(bytes: Uint8Array): boolean {
  const start = skipBlanks(bytes, 0, bytes.length);
  const end = endOfValue(bytes, start, bytes.length);
  return end >= 0 && skipBlanks(bytes, end, bytes.length) === bytes.length;
}

/**
 * Reads a line, its newline included or not, as an entry. Unknown keys are kept.
 * @throws {TapedeckError} E_LINE, with `place`, unless it is an object with a 16-digit `t` first and a string `src`
 */
export function parseEntry(line: string | Uint8Array, place: ErrorPlace = {}): Entry {
  const text = typeof line === 'string' ? line : asBuffer(line).toString('utf8');
  const broken = (why: string): TapedeckError => new TapedeckError('E_LINE', `while reading an entry: ${why}`, place);
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    throw broken(`not JSON: ${excerpt(text)}`);
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw broken('not a JSON object');
  const { t, src } = entry as { t?: unknown; src?: unknown };
  if (!/^[ \t]*\{[ \t]*"t"[ \t]*:/.test(text)) throw broken('its first key is not "t"');
  if (!isTime(t)) throw broken('"t" is not a time of 16 digits');
  if (typeof src !== 'string') throw broken('"src" is not a string');
  const fault = shapeFault(entry as Record<string, unknown>);
  if (fault !== null) throw broken(fault);
  return entry as Entry;
}

type Shape = Record<string, 'string' | 'number' | 'object' | 'array' | 'texts'>;

/** What readers rely on without asking: the keys inside each kind of entry, and their types. */
const SHAPES: Partial<Record<EntryKey, Shape>> = {
  tape: {
    version: 'number',
    recorder: 'string',
    venue: 'string',
    symbol: 'string',
    instrument: 'object',
    channels: 'texts',
    flow: 'string',
  },
  open: { url: 'string' },
  http: { url: 'string', status: 'number' },
  gap: { stream: 'string', from: 'number', reason: 'string' },
  book: { state: 'string', coverage: 'object', streams: 'object', bids: 'array', asks: 'array' },
  clock: { wall: 'number', loop: 'number' },
  drop: { count: 'number', reason: 'string' },
  close: { code: 'number', reason: 'string' },
  end: { entries: 'number', sha256: 'string' },
};

const shapes = new Map<string, Shape>(Object.entries(SHAPES));

/** Why a known kind of entry has not the shape of its kind; null when it has, and for kinds of later versions. */
function shapeFault(entry: Record<string, unknown>): string | null {
  for (const kind of Object.keys(entry)) {
    const shape = shapes.get(kind);
    if (shape === undefined) continue;
    const value = entry[kind];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return `"${kind}" is not an object`;
    for (const [key, type] of Object.entries(shape)) {
      const found: unknown = (value as Record<string, unknown>)[key];
      if (!isOfType(found, type)) return `"${kind}" has no ${key} (${type})`;
    }
  }
  return null;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'texts') return Array.isArray(value) && value.every((one) => typeof one === 'string');
  return typeof value === type && value !== null && !Array.isArray(value);
}

/**
 * Reads the envelope of the line `bytes[from, to)` (its newline included or not) and proves that the value is JSON.
 * Lines in the order tapedeck writes take a fast path; blanks and reordered keys give the same answer more slowly.
 * @returns null when the line is not an entry
 */
export function envelopeOf(bytes: Buffer, from: number, to: number): Envelope | null {
  let end = to > from && bytes[to - 1] === NEWLINE ? to - 1 : to;
  const t = timeOf(bytes, from);
  if (!Number.isNaN(t) && end > from && bytes[end - 1] === 0x7d) {
    const fast = canonicalEnvelope(bytes, from, end, t);
    if (fast !== null) return fast;
  }
  if (end > from && bytes[end - 1] === 0x0d) end--;
  return walkEnvelope(bytes, from, end);
}

/** The `t` of the line at `from`, or NaN when it does not begin `{"t":` and 16 digits. */
export function timeOf(bytes: Uint8Array, from: number): number {
  if (
    from + 22 > bytes.length ||
    bytes[from] !== 0x7b ||
    bytes[from + 1] !== 0x22 ||
    bytes[from + 2] !== 0x74 ||
    bytes[from + 3] !== 0x22 ||
    bytes[from + 4] !== 0x3a
  )
    return Number.NaN;
  let high = 0;
  let low = 0;
  for (let p = from + 5; p < from + 13; p++) {
    const a = bytes[p] - 0x30;
    const b = bytes[p + 8] - 0x30;
    if (a >>> 0 > 9 || b >>> 0 > 9) return Number.NaN;
    high = high * 10 + a;
    low = low * 10 + b;
  }
  const next = bytes[from + 21];
  if (next !== 0x2c && next !== 0x7d) return Number.NaN;
  const t = high * 100_000_000 + low;
  return isTime(t) ? t : Number.NaN;
}

/** The `t` of any line, canonical or not; NaN when it is no entry. */
export function anyTimeOf(bytes: Buffer, from: number, to: number): number {
  const t = timeOf(bytes, from);
  return Number.isNaN(t) ? (envelopeOf(bytes, from, to)?.t ?? Number.NaN) : t;
}

/** Index after the newline of the line that starts at `from`. */
export function endOfLine(bytes: Buffer, from: number, to: number): number {
  const newline = bytes.indexOf(NEWLINE, from);
  return newline < 0 || newline >= to ? to : newline + 1;
}

const SRC = Buffer.from(',"src":"');
const CONN = Buffer.from(',"conn":"');

function canonicalEnvelope(bytes: Buffer, from: number, end: number, t: Micros): Envelope | null {
  if (!hasAt(bytes, from + 21, SRC)) return null;
  const srcFrom = from + 29;
  const srcTo = endOfPlainString(bytes, srcFrom, end);
  if (srcTo < 0) return null;
  let conn: string | null = null;
  let p = srcTo + 1;
  if (hasAt(bytes, p, CONN)) {
    const connTo = endOfPlainString(bytes, p + 9, end);
    if (connTo < 0) return null;
    conn = bytes.toString('utf8', p + 9, connTo);
    p = connTo + 1;
  }
  if (bytes[p] !== 0x2c || bytes[p + 1] !== 0x22) return null;
  const keyTo = endOfPlainString(bytes, p + 2, end);
  if (keyTo < 0 || bytes[keyTo + 1] !== 0x3a) return null;
  const key = bytes.toString('latin1', p + 2, keyTo);
  if (!KINDS.has(key)) return null;
  const valueFrom = keyTo + 2;
  const value = endOfValue(bytes, skipBlanks(bytes, valueFrom, end), end);
  if (value < 0 || skipBlanks(bytes, value, end) !== end - 1) return null;
  return { t, src: bytes.toString('utf8', srcFrom, srcTo), conn, key, valueFrom, valueTo: end - 1 };
}

/** Walks the members of the line's object; the general answer that the fast path must equal. */
function walkEnvelope(bytes: Buffer, from: number, to: number): Envelope | null {
  let p = skipBlanks(bytes, from, to);
  if (p >= to || bytes[p] !== 0x7b) return null;
  const members = new Map<string, [number, number]>();
  let first: string | null = null;
  do {
    const keyFrom = skipBlanks(bytes, p + 1, to);
    const keyTo = endOfString(bytes, keyFrom, to);
    const valueFrom = startOfMember(bytes, keyFrom, to);
    if (keyTo < 0 || valueFrom < 0) return null;
    const valueTo = endOfValue(bytes, valueFrom, to);
    if (valueTo < 0) return null;
    const key = stringAt(bytes, keyFrom, keyTo);
    first ??= key;
    members.set(key, [valueFrom, valueTo]);
    p = skipBlanks(bytes, valueTo, to);
  } while (p < to && bytes[p] === 0x2c);
  if (p >= to || bytes[p] !== 0x7d || skipBlanks(bytes, p + 1, to) !== to || first !== 't') return null;
  const time = members.get('t')!;
  const source = members.get('src');
  const digits = bytes.toString('latin1', time[0], time[1]);
  const t = /^\d{16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!isTime(t) || source === undefined || bytes[source[0]] !== 0x22) return null;
  const connection = members.get('conn');
  const conn =
    connection !== undefined && bytes[connection[0]] === 0x22 ? stringAt(bytes, connection[0], connection[1]) : null;
  const key =
    ENTRY_KEYS.find((kind) => members.has(kind)) ?? [...members.keys()].find((name) => !ENVELOPE_KEYS.has(name)) ?? '';
  const [valueFrom, valueTo] = members.get(key) ?? [p, p];
  return { t, src: stringAt(bytes, source[0], source[1]), conn, key, valueFrom, valueTo };
}

const KINDS: ReadonlySet<string> = new Set(ENTRY_KEYS);
const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['t', 'src', 'conn']);

function stringAt(bytes: Buffer, from: number, to: number): string {
  return JSON.parse(bytes.toString('utf8', from, to)) as string;
}

/** Index of the closing quote of a string without escapes, or -1. */
function endOfPlainString(bytes: Uint8Array, from: number, to: number): number {
  for (let p = from; p < to; p++) {
    const c = bytes[p];
    if (c === 0x22) return p;
    if (c < 0x20 || c === 0x5c) return -1;
  }
  return -1;
}

function hasAt(bytes: Uint8Array, at: number, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return false;
  return true;
}

function isTime(t: unknown): t is Micros {
  return Number.isSafeInteger(t) && (t as number) >= FIRST_T;
}

function checkTime(t: Micros): Micros {
  if (!isTime(t)) throw new TapedeckError('E_LINE', `while writing an entry: ${t} is not a time of 16 digits`);
  return t;
}

function envelopeHead(t: Micros, src: Source): string {
  return `{"t":${checkTime(t)},"src":${JSON.stringify(src)}`;
}

function spliceLine(head: string, value: Uint8Array, tail: string): Buffer {
  const headBytes = Buffer.byteLength(head);
  const line = Buffer.allocUnsafe(headBytes + value.length + tail.length);
  line.write(head, 0, 'utf8');
  line.set(value, headBytes);
  line.write(tail, headBytes + value.length, 'latin1');
  return line;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function excerpt(text: string): string {
  const line = text.replace(/\n$/, '');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
