/** Runs the decoders over the same lines and tells the first difference between their records. */
import { type Binding, createDecoder, type DecodeCounts, type DecodeMode } from '../../src/decode/decoder.js';
import type { Layouts } from '../../src/decode/layout.js';
import { scannerBuffer, scannerRooms } from '../../src/decode/wasm-scanner.js';
import {
  Derivative,
  EVENT_STRIDE,
  EventBuffer,
  Field,
  Kind,
  MORE,
  NOT_FLOW,
  OFF_BOOK,
  STREAM_SHIFT,
} from '../../src/model/event.js';
import { type NaiveRecord, type NaiveSource, naiveDecode } from './naive.js';

const KIND_NAMES = Object.fromEntries(Object.entries(Kind).map(([name, kind]) => [kind, name]));

/** One decoded line: its 16 fields (ORIGIN and the level index cleared), its origin as text, its levels. */
export interface Line {
  kind: number;
  fields: Float64Array;
  origin: string | null;
  levels: Float64Array;
}

export interface Run {
  readonly lines: Line[];
  readonly counts: DecodeCounts;
}

/** What a decoder said, in few arrays: a million lines in objects of their own take longer to make than to decode. */
class Records implements Run {
  counts: DecodeCounts = { fast: 0, general: 0, slow: 0, unknown: 0, invalid: 0 };
  count = 0;
  readonly origins: (string | null)[] = [];
  /** EVENT_STRIDE a record */
  fields: Float64Array<ArrayBuffer>;
  levels = new Float64Array(1024);
  /** where the levels of each record end */
  readonly levelEnds: number[] = [];
  #lines: Line[] | null = null;

  constructor(expected: number) {
    this.fields = new Float64Array((expected + 16) * EVENT_STRIDE);
  }

  get levelCount(): number {
    return this.levelEnds[this.count - 1] ?? 0;
  }

  get lines(): Line[] {
    this.#lines ??= Array.from({ length: this.count }, (_, i) => this.line(i));
    return this.#lines;
  }

  line(i: number): Line {
    const fields = this.fields.slice(i * EVENT_STRIDE, (i + 1) * EVENT_STRIDE);
    const levels = this.levels.slice(this.levelEnds[i - 1] ?? 0, this.levelEnds[i]);
    return { kind: fields[Field.KIND], fields, origin: this.origins[i], levels };
  }

  /** Adds record `i` of a buffer, without what depends on how it was read. @returns how many levels it has */
  add(out: EventBuffer, i: number, origin: string | null): number {
    const from = i * EVENT_STRIDE;
    const to = this.count * EVENT_STRIDE;
    if (to === this.fields.length) this.fields = withRoom(this.fields, to + 1);
    const { fields } = this;
    const { events } = out;
    for (let n = 0; n < EVENT_STRIDE; n++) fields[to + n] = events[from + n];
    fields[to + Field.ORIGIN] = 0;
    const kind = fields[to + Field.KIND];
    const before = this.levelCount;
    let end = before;
    if (kind === Kind.depth || kind === Kind.snapshot || kind === Kind.partial) {
      const first = events[from + Field.PRICE] * 2;
      const last = first + (events[from + Field.SIZE] + events[from + Field.PRICE2]) * 2;
      for (let n = first; n < last && n < out.levels.length; n++) {
        if (end === this.levels.length) this.levels = withRoom(this.levels, end + 1);
        this.levels[end++] = out.levels[n];
      }
      fields[to + Field.PRICE] = 0;
    }
    // an entry says where it stands, the rest is the caller's to read; a broken message says its kind, time and origin
    if (kind === Kind.entry || kind === Kind.invalid) {
      const start = fields[to + Field.START];
      const lineEnd = fields[to + Field.END];
      const t = fields[to + Field.T];
      fields.fill(0, to, to + EVENT_STRIDE);
      fields[to + Field.KIND] = kind;
      fields[to + Field.START] = start;
      fields[to + Field.END] = lineEnd;
      if (kind === Kind.invalid) fields[to + Field.T] = t;
    }
    this.origins.push(kind === Kind.entry ? null : origin);
    this.levelEnds.push(end);
    this.count++;
    return (end - before) / 2;
  }

  /** Whether another run said the same of every line. */
  equals(other: Records): boolean {
    const { count } = this;
    if (count !== other.count) return false;
    for (let i = 0; i < count; i++)
      if (this.origins[i] !== other.origins[i] || this.levelEnds[i] !== other.levelEnds[i]) return false;
    return (
      sameFirst(this.fields, other.fields, count * EVENT_STRIDE) &&
      sameFirst(this.levels, other.levels, this.levelCount)
    );
  }
}

function withRoom(numbers: Float64Array, least: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(Math.max(least, 2 * numbers.length));
  grown.set(numbers);
  return grown;
}

export interface RunOptions {
  bindings: Map<string, Binding>;
  mode: DecodeMode;
  /** records and level pairs of the buffer, small ones make it grow and fill up */
  events?: number;
  levels?: number;
  /** text and records in the compiled scanner's own memory, as a scan has them */
  own?: boolean;
}

/** Ends of the lines of `bytes[from, to)`, their newlines not included. */
function lineEndsOf(bytes: Buffer, from: number, to: number): number[] {
  const ends: number[] = [];
  for (let at = from; at < to; at = ends[ends.length - 1] + 1) {
    const newline = bytes.indexOf(0x0a, at);
    ends.push(newline < 0 || newline >= to ? to : newline);
  }
  return ends;
}

/**
 * Decodes `bytes[from, to)` from end to end and copies every record out.
 * @param ends where its lines end
 * @throws where decoding stands still, runs past the end or leaves a line out
 */
export function runDecoder(
  bytes: Buffer,
  from: number,
  to: number,
  options: RunOptions,
  ends = lineEndsOf(bytes, from, to),
): Records {
  const rooms = options.own === true ? scannerRooms() : undefined;
  if (rooms === undefined) return runOver(bytes, from, to, options, ends);
  const room = rooms.take(bytes.length);
  room.set(bytes);
  const run = runOver(room, from, to, options, ends);
  rooms.give(room);
  return run;
}

function runOver(bytes: Buffer, from: number, to: number, options: RunOptions, ends: readonly number[]): Records {
  const decoder = createDecoder(options.mode);
  for (const [src, binding] of options.bindings) decoder.bind(src, binding);
  const own = options.own === true;
  const out = own ? scannerBuffer() : new EventBuffer(options.events ?? 64, options.levels ?? 256);
  // what an earlier use of the buffer left must not show through
  out.events.fill(-7);
  const records = new Records(ends.length);
  let at = from;
  let expected = from;
  /** lines that began */
  let line = 0;
  const origins: string[] = [];
  while (at < to) {
    out.clear();
    const next = decoder.decode(bytes, at, to, out);
    let levels = 0;
    if (!(next > at && next <= to) || out.count === 0) throw new Error(`decode stood still at ${at} of ${to}`);
    const { events } = out;
    for (let i = 0; i < out.count; i++) {
      const o = i * EVENT_STRIDE;
      const start = events[o + Field.START];
      const end = events[o + Field.END];
      // a message may be several records of one line, marked as such
      const before = i > 0 ? events[o - EVENT_STRIDE + Field.FLAGS] : 0;
      const goesOn = (before & MORE) !== 0;
      if (goesOn !== (i > 0 && start === events[o - EVENT_STRIDE + Field.START]))
        throw new Error(`record ${i} of the line at ${start} is marked wrongly`);
      if (!goesOn) {
        const lineEnd = ends[line++];
        if (start !== expected || end !== lineEnd)
          throw new Error(`record [${start}, ${end}), line [${expected}, ${lineEnd})`);
      }
      expected = Math.min(end + 1, to);
      for (let n = origins.length; n < decoder.origins.length; n++) {
        const { src, conn } = decoder.origins[n];
        origins.push(`${src} ${conn ?? '-'}`);
      }
      const pairs = records.add(out, i, origins[events[o + Field.ORIGIN]] ?? null);
      if (pairs > 0 && events[o + Field.PRICE] !== levels) throw new Error('room among the levels');
      levels += pairs;
      if (events[o + Field.KIND] === Kind.entry && i < out.count - 1) throw new Error('records after an entry');
    }
    if (next !== expected) throw new Error(`decode returned ${next} after the line that ends at ${expected}`);
    at = next;
  }
  records.counts = decoder.counts;
  return records;
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && sameFirst(a, b, a.length);
}

function sameFirst(a: ArrayLike<number>, b: ArrayLike<number>, count: number): boolean {
  // what a derivative's message does not say is NaN
  for (let i = 0; i < count; i++) if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

/** The first line in which two runs differ; -1 where there is none. */
function firstDifference(a: Run, b: Run): number {
  const lines = Math.max(a.lines.length, b.lines.length);
  for (let i = 0; i < lines; i++) {
    const x = a.lines[i];
    const y = b.lines[i];
    if (x === undefined || y === undefined) return i;
    if (!sameNumbers(x.fields, y.fields) || x.origin !== y.origin || !sameNumbers(x.levels, y.levels)) return i;
  }
  return -1;
}

/** Says how two runs of the same lines differ; null when they do not. */
export function difference(a: Run, b: Run): string | null {
  const i = firstDifference(a, b);
  return i < 0 ? null : `line ${i}: ${JSON.stringify(a.lines[i])} against ${JSON.stringify(b.lines[i])}`;
}

const flat = (levels: [number, number][] | undefined): number[] => (levels ?? []).flat();

/** Says how a record differs from the naive reading of its line; null when it does not. */
export function naiveDifference(
  line: Line,
  naive: NaiveRecord | null,
  layoutsOf: (src: string) => Layouts,
): string | null {
  const told = naive === null ? 'entry' : naive.kind;
  if (KIND_NAMES[line.kind] !== told) return `kind ${KIND_NAMES[line.kind]}, naive ${told}`;
  if (naive === null) return null;
  if (line.origin !== `${naive.src} ${naive.conn ?? '-'}`) return `origin ${line.origin}`;
  const wanted = new Array<number>(EVENT_STRIDE).fill(0);
  wanted[Field.KIND] = line.kind;
  wanted[Field.START] = line.fields[Field.START];
  wanted[Field.END] = line.fields[Field.END];
  wanted[Field.T] = naive.t;
  if (naive.kind !== 'invalid') {
    const book = naive.bids !== undefined;
    wanted[Field.EMITTED] = naive.emitted ?? 0;
    wanted[Field.MATCHED] = naive.matched ?? 0;
    wanted[Field.FIRST] = naive.first ?? -1;
    wanted[Field.LAST] = naive.last ?? -1;
    wanted[Field.PREVIOUS] = naive.previous ?? -1;
    wanted[Field.SIDE] = naive.side ?? 0;
    wanted[Field.PRICE] = book ? 0 : (naive.price ?? 0);
    wanted[Field.SIZE] = book ? (naive.bids ?? []).length : (naive.size ?? 0);
    wanted[Field.PRICE2] = book ? (naive.asks ?? []).length : (naive.price2 ?? 0);
    wanted[Field.SIZE2] = naive.size2 ?? 0;
    if (naive.kind === 'derivative') {
      wanted[Derivative.MARK] = naive.mark ?? Number.NaN;
      wanted[Derivative.INDEX] = naive.index ?? Number.NaN;
      wanted[Derivative.FUNDING] = naive.funding ?? Number.NaN;
      wanted[Derivative.NEXT_FUNDING] = naive.nextFunding ?? Number.NaN;
      wanted[Derivative.OPEN_INTEREST] = Number.NaN;
    }
    const flags = line.fields[Field.FLAGS];
    wanted[Field.FLAGS] = flags;
    if (((flags & OFF_BOOK) !== 0) !== (naive.offBook ?? false)) return 'off-book flag';
    if (((flags & NOT_FLOW) !== 0) !== (naive.notFlow ?? false)) return 'flow flag';
    if (naive.channel !== undefined) {
      const layout = layoutsOf(naive.src).messages[flags >> (STREAM_SHIFT + 4)];
      const stream = layout?.streams[(flags >> STREAM_SHIFT) & 15];
      if (layout?.name !== naive.channel || stream !== naive.stream) return `stream ${layout?.name} ${stream}`;
    } else if (flags !== 0) return `flags ${flags} without a stream`;
  }
  if (!sameNumbers(line.fields, wanted)) return `fields ${line.fields.join(' ')}, naive ${wanted.join(' ')}`;
  if (!sameNumbers(line.levels, [...flat(naive.bids), ...flat(naive.asks)])) return 'levels';
  return null;
}

/** Whom the JSON decoder judges: the compiled scanner over text elsewhere and in its own memory, and its TypeScript twin. */
const FAST: Record<'outside' | 'own' | 'typescript', Pick<RunOptions, 'mode' | 'own'>> = {
  outside: { mode: 'wasm' },
  own: { mode: 'wasm', own: true },
  typescript: { mode: 'typescript' },
};
export type Fast = keyof typeof FAST;

/**
 * Decodes a region with the JSON decoder, with the fast ones, and every so many lines (0: none) with the naive one.
 * @returns what the first of the fast ones counted
 * @throws with the line where two of them differ
 */
export function compareAll(
  bytes: Buffer,
  from: number,
  to: number,
  bindings: Map<string, Binding>,
  sources: Map<string, NaiveSource>,
  naiveEvery = 1,
  fast: readonly Fast[] = ['outside', 'own', 'typescript'],
): DecodeCounts {
  const textOf = (line: Line | undefined): string =>
    JSON.stringify(line && bytes.toString('latin1', line.fields[Field.START], line.fields[Field.END]));
  const ends = lineEndsOf(bytes, from, to);
  const oracle = runDecoder(bytes, from, to, { bindings, mode: 'json' }, ends);
  const runs = fast.map((name) => runDecoder(bytes, from, to, { bindings, ...FAST[name] }, ends));
  for (const [n, run] of runs.entries()) {
    if (run.equals(oracle)) continue;
    const i = firstDifference(run, oracle);
    throw new Error(`${fast[n]} against json: ${difference(run, oracle)}, ${textOf(oracle.lines[i])}`);
  }
  for (let i = 0; naiveEvery > 0 && i < oracle.count; i += naiveEvery) {
    const line = oracle.line(i);
    const text = bytes.subarray(line.fields[Field.START], line.fields[Field.END]);
    const why = naiveDifference(line, naiveDecode(text, sources), (src) => bindings.get(src)!.layouts);
    if (why !== null) throw new Error(`${why}, line ${textOf(line)}`);
  }
  return runs[0].counts;
}

/** Tape lines as bytes. */
export const text = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`);

/**
 * Decodes lines with the compiled scanner, with the text inside its memory and outside, and tells how each counted.
 * @throws where all decoders do not say the same
 */
export function agree(bytes: Buffer, bindings: Map<string, Binding>): { own: Run; outside: Run } {
  const run = (options: Pick<RunOptions, 'mode' | 'own'>): Run =>
    runDecoder(bytes, 0, bytes.length, { bindings, ...options });
  const own = run(FAST.own);
  const outside = run(FAST.outside);
  for (const [name, other] of Object.entries({
    outside,
    typescript: run(FAST.typescript),
    json: run({ mode: 'json' }),
  })) {
    const i = firstDifference(own, other);
    if (i >= 0) throw new Error(`own against ${name}: ${difference(own, other)}`);
  }
  return { own, outside };
}
