/** Makes one tape of several recorders' tapes of the same markets: all that any of them received, once, and what each of them missed. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Damage } from '../model/batch.js';
import { type Entry, type FilledEntry, type Gap, isOwnClose, type Micros, type Source } from '../model/entry.js';
import { fromSystemError, TapedeckError } from '../model/errors.js';
import { isUsable } from '../model/instrument.js';
import { entryLine } from '../tape/line.js';
import { venueById } from '../venues/registry.js';
import type { Venue } from '../venues/venue.js';
import { align, type Placed } from './merge-align.js';
import { type MergePart, openMergeInput } from './merge-input.js';
import type { StreamCounts } from './merge-pair.js';
import { isHeader, type Lost, readItems } from './merge-reader.js';
import { clockOf, holeOf, isThere, isWhole, type Run, type Survey, surveyTape } from './merge-survey.js';
import { createMergeWriter, type MergeWriter } from './merge-writer.js';

/** Less of a stream than this in both, of what both should have, says that its messages are not the same for every connection. */
const LEAST_COMMON = 0.1;

export interface MergeOptions {
  /** a tape of one recorder each, two at least */
  tapes: readonly string[];
  /** folder for the tape; it must not exist, or be empty */
  out: string;
  tool: string;
  level: number;
  signal?: AbortSignal;
}

/** How a connection ends whose end costs nothing. */
const OWN_CLOSE = { code: 1000, reason: 'stop' };

/** What one recorder had of a market. */
export interface MergedTape {
  tape: string;
  recorders: string[];
  messages: number;
  /** its clock minus that of the base, µs; 0 for the base */
  clock: Micros;
  /** places where bytes were lost */
  damaged: number;
  damage: string[];
}

/** One stream of the base and of another. */
export interface MergedStream extends StreamCounts {
  stream: string;
  /** the tape that was held against the base */
  with: string;
  /** its messages are not the same for every connection: those of the base were kept, the other's left */
  unresolvable: boolean;
}

/** The shape of `merge --format json`. */
export interface MergeReport {
  src: Source;
  path: string;
  entries: number;
  /** the base first */
  tapes: MergedTape[];
  streams: MergedStream[];
  /** gaps and drops that the base marked, and those of them that others fill */
  gaps: { filled: number; left: number };
  /** entries of the base whose time moved by a microsecond or more, to make room */
  moved: number;
}

export interface Merged {
  reports: MergeReport[];
  /** srcs that only one of the tapes has; they are not merged */
  alone: { src: Source; tape: string }[];
  /** files of which nothing could be read, and what is wrong with them */
  unread: Damage['damage'][];
}

/**
 * Merges src by src. Whichever order the tapes are named in, the result is the same: the base of a market is the tape with the most messages.
 * @throws {TapedeckError} E_EXISTS (out holds something), E_USAGE (less than two tapes, no src in common), E_HEADER, E_NOT_FOUND, …
 */
export async function mergeTapes(options: MergeOptions): Promise<Merged> {
  const { tapes, out } = options;
  if (tapes.length < 2) throw new TapedeckError('E_USAGE', 'merge takes the tapes of two recorders or more');
  checkOut(out);
  const { markets, unread } = await openMergeInput(tapes);
  const common = [...markets].filter(([, parts]) => parts.length > 1).sort(([a], [b]) => (a < b ? -1 : 1));
  if (common.length === 0) {
    const has = [...markets].map(([src, parts]) => `${parts[0].tape} has ${src}`).join(', ') || 'none can be read';
    const wrong = unread.map(({ code, message, file }) => `; ${code}: ${message} (file ${file})`).join('');
    throw new TapedeckError('E_USAGE', `while merging: the tapes have no market in common (${has})${wrong}`);
  }
  const reports: MergeReport[] = [];
  for (const [, parts] of common) reports.push(await mergeSource(parts, options));
  const alone = [...markets].flatMap(([src, parts]) => (parts.length > 1 ? [] : [{ src, tape: parts[0].tape }]));
  return { reports, alone, unread };
}

function checkOut(out: string): void {
  try {
    if (fs.readdirSync(out).length === 0) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw fromSystemError(error, 'opening the folder of a tape', { file: out });
  }
  throw new TapedeckError('E_EXISTS', 'while merging: it exists and holds something, which is never overwritten', {
    file: out,
  });
}

interface Side {
  tape: string;
  survey: Survey;
}

async function mergeSource(parts: readonly MergePart[], options: MergeOptions): Promise<MergeReport> {
  const sides: Side[] = [];
  let venue: Venue | null = null;
  for (const part of parts) {
    const { tape, segments } = part;
    const { tape: header } = segments[0].header();
    const named = venueOf(header.venue, segments[0].path);
    venue ??= named;
    if (named !== venue)
      throw new TapedeckError(
        'E_HEADER',
        `while merging: its header names ${named.id}, that of ${parts[0].tape} ${venue.id}`,
        {
          file: segments[0].path,
        },
      );
    if (!isUsable(header.instrument))
      throw new TapedeckError('E_HEADER', 'while merging: the header names no usable instrument', {
        file: segments[0].path,
      });
    const survey = await surveyTape(part, venue);
    if (survey === null)
      throw new TapedeckError('E_HEADER', 'while merging: it has no header', { file: segments[0].path });
    sides.push({ tape, survey });
  }
  // the same base whatever the order of names
  const nameOf = ({ survey }: Side): string => survey.recorders.join();
  sides.sort((a, b) => b.survey.messages - a.survey.messages || (nameOf(a) < nameOf(b) ? -1 : 1));
  return await new SourceMerge(sides, venue!, options).run();
}

/** @throws {TapedeckError} E_VENUE with the file whose header names what nobody knows */
function venueOf(id: string, file: string): Venue {
  try {
    return venueById(id);
  } catch (error) {
    if (error instanceof TapedeckError) throw new TapedeckError(error.code, error.message, { file });
    throw error;
  }
}

/** One market. */
class SourceMerge {
  readonly #base: Survey;
  readonly #others: readonly {
    side: Side;
    clock: Micros;
    counts: Map<number, StreamCounts>;
    unresolvable: Set<number>;
  }[];
  readonly #sides: readonly Side[];
  readonly #venue: Venue;
  readonly #options: MergeOptions;
  readonly #gaps = { filled: 0, left: 0 };
  /** names of streams by layout and variant */
  readonly #names = new Map<number, string>();
  /** connections of the base that have not ended */
  readonly #open = new Set<string>();

  constructor(sides: readonly Side[], venue: Venue, options: MergeOptions) {
    this.#sides = sides;
    this.#base = sides[0].survey;
    this.#venue = venue;
    this.#options = options;
    this.#others = sides.slice(1).map((side) => {
      const clock = clockOf(this.#base, side.survey);
      return { side, clock, counts: new Map(), unresolvable: unresolvableOf(this.#base, side.survey, clock) };
    });
  }

  async run(): Promise<MergeReport> {
    const { out, tool, level, signal } = this.#options;
    const { header } = this.#base;
    const firsts = this.#others.map(({ side, clock }) => side.survey.runs[0].first - clock);
    const writer = createMergeWriter({
      ...{ out, level, header, venue: this.#venue },
      first: Math.min(this.#base.runs[0].first, ...firsts),
      tape: {
        ...header.tape,
        recorder: this.#recorder(),
        channels: [...new Set(this.#sides.flatMap(({ survey }) => survey.header.tape.channels))],
        tool,
        merged: {
          base: this.#base.recorders,
          others: this.#others.map(({ side, clock }) => ({ recorders: side.survey.recorders, clock })),
        },
      },
    });
    try {
      let n = 0;
      for await (const placed of this.#flow()) {
        if (++n % 4096 === 0) {
          if (signal?.aborted === true)
            throw new TapedeckError('E_IO', 'while merging: interrupted; what was begun is removed');
          await breathe();
        }
        if (!('lost' in placed)) this.#write(writer, placed);
      }
      const last = this.#base.runs[this.#base.runs.length - 1];
      this.#tellAbsent(writer, last, last.last + 1);
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      fs.rmSync(out, { recursive: true, force: true });
      throw error;
    }
    return this.#report(writer);
  }

  /** The same tapes give the same name. */
  #recorder(): string {
    const hash = createHash('sha256').update(
      JSON.stringify(this.#sides.map(({ survey }) => [survey.src, survey.recorders, survey.messages])),
    );
    return `m${BigInt(`0x${hash.digest('hex').slice(0, 16)}`)
      .toString(36)
      .slice(0, 6)}`;
  }

  /** The base, with what the first of the others has beside it, with what the second has beside both, and so on. */
  #flow(): AsyncIterable<Placed | Lost> {
    let flow: AsyncIterable<Placed | Lost> = ownOf(this.#base, this.#venue);
    for (const { side, clock, counts, unresolvable } of this.#others)
      flow = align(flow, readItems(side.survey.segments, this.#venue), {
        other: side.survey,
        offset: clock,
        counts,
        unresolvable,
      });
    return flow;
  }

  #write(writer: MergeWriter, { item, t, of }: Placed): void {
    if (item.stream !== null) this.#names.set(item.id, item.stream);
    if (of !== null) this.#writeTheirs(writer, { item, t, of });
    else if (item.entry === null) {
      if (item.conn !== null) this.#open.add(item.conn);
      writer.write(item.line, t);
    } else this.#writeOwn(writer, item.entry, item.line);
  }

  /** What the other has and the base has not. */
  #writeTheirs(writer: MergeWriter, { item, t, of }: { item: Placed['item']; t: Micros; of: Survey }): void {
    const { entry, line } = item;
    const there = isThere(this.#base, t);
    if (entry === null) {
      // a whole book that only begins a connection of the other's says nothing new
      if (writer.isWhole(line) && writer.isValid) return;
      writer.write(this.#adopted(item, t), t);
      return;
    }
    const { src } = this.#base;
    if ('http' in entry) {
      // the base has its own, where it is there
      if (!there && !writer.isValid) writer.entry({ ...entry, src, t });
    } else if ('gap' in entry && !there && !this.#isFilled(entry.gap.stream, entry.gap.from - (item.t - t), t, of)) {
      writer.entry({ ...entry, src, t });
      this.#gaps.left++;
    }
  }

  /** A message as the base's connection would have brought it, and whose it is. */
  #adopted({ line, id, conn, t: own }: Placed['item'], t: Micros): Buffer {
    const name = this.#connOf(id, t) ?? conn;
    const text = line.toString('latin1');
    const key = conn === null ? -1 : text.indexOf(',"conn":');
    const value = text.indexOf(',"msg":');
    if (key < 0 || value < key) return line;
    const of = Buffer.from(JSON.stringify({ conn, t: own })).toString('latin1');
    const held = Buffer.from(JSON.stringify(name)).toString('latin1');
    return Buffer.from(
      `${text.slice(0, key)},"conn":${held}${text.slice(value, text.lastIndexOf('}'))},"of":${of}}\n`,
      'latin1',
    );
  }

  /** The base's connection that brings a stream at a time: the first of those there are, else the one that ended, or that comes. */
  #connOf(id: number, t: Micros): string | null {
    const brought = this.#base.brought.get(id) ?? [];
    const endOf = (conn: string): Micros => this.#base.closed.get(conn) ?? Number.POSITIVE_INFINITY;
    const there = brought.find(({ conn, first }) => first <= t && t <= endOf(conn));
    return (there ?? brought.find(({ first }) => first > t) ?? brought.at(-1))?.conn ?? null;
  }

  #writeOwn(writer: MergeWriter, entry: Entry, line: Buffer): void {
    const { t, src } = entry;
    // the book may be another one now, and a seal is of its own segment
    if ('book' in entry || 'index' in entry || 'end' in entry) return;
    if (isHeader({ entry } as Placed['item'])) {
      // another run of the recorder: what its connections were is over, which costs nothing where nothing was missed
      const run = this.#base.runs.findIndex(({ first }) => first === t);
      if (run > 0) {
        for (const conn of this.#open) writer.entry({ t, src, conn, close: OWN_CLOSE });
        this.#tellAbsent(writer, this.#base.runs[run - 1], t);
      }
      if (run >= 0) this.#open.clear();
      const from = this.#base.lost.get(t);
      if (from !== undefined) this.#tell(writer, { stream: '*', from, reason: 'damage' }, t);
      return;
    }
    if ('close' in entry) {
      this.#open.delete(entry.conn);
      if (isOwnClose(entry.close) || !this.#isMended(entry.conn, t)) writer.write(line, t);
      else writer.entry({ t, src, conn: entry.conn, close: OWN_CLOSE, filled: entry.close });
      return;
    }
    if ('gap' in entry) {
      const { stream, from } = holeOf(entry.gap, t);
      const conn = entry.conn === undefined ? {} : { conn: entry.conn };
      this.#settle(
        writer,
        line,
        t,
        this.#isFilled(stream, from, t) ? { t, src, ...conn, filled: { gap: entry.gap } } : null,
      );
    } else if ('drop' in entry) {
      const isFilled = this.#isFilled('*', this.#holeBefore(t), t);
      this.#settle(writer, line, t, isFilled ? { t, src, filled: { drop: entry.drop } } : null);
    } else writer.write(line, t);
  }

  /** A run of the base that was killed before anything came could not say that it missed everything. */
  #tellAbsent(writer: MergeWriter, { first: from, isThere, isTold }: Run, t: Micros): void {
    if (!isThere && !isTold) this.#tell(writer, { stream: '*', from, reason: 'disconnect' }, t);
  }

  /** What the base missed and did not say. */
  #tell(writer: MergeWriter, gap: Gap, t: Micros): void {
    const { src } = this.#base;
    const line = Buffer.from(entryLine({ t, src, gap }));
    this.#settle(writer, line, t, this.#isFilled('*', gap.from, t) ? { t, src, filled: { gap } } : null);
  }

  /** What the base says it missed: as it is, or as what was filled. */
  #settle(writer: MergeWriter, line: Buffer, t: Micros, filled: FilledEntry | null): void {
    if (filled === null) {
      this.#gaps.left++;
      writer.write(line, t);
    } else {
      this.#gaps.filled++;
      writer.entry(filled);
    }
  }

  #holeBefore(t: Micros): Micros {
    return this.#base.holes.find(({ to }) => to === t)?.from ?? t - 1;
  }

  /** Whether all that was missed for the end of this connection is there all the same. */
  #isMended(conn: string, t: Micros): boolean {
    const after = this.#base.holes.filter(({ from, to }) => from <= t && t <= to);
    const streams = [...this.#base.brought]
      .filter(([, list]) => list.some((one) => one.conn === conn))
      .map(([id]) => id);
    if (after.length === 0 || streams.some((id) => this.#others.every(({ unresolvable }) => unresolvable.has(id))))
      return false;
    return after.every(({ stream, from, to }) => this.#isFilled(stream, from, to));
  }

  /** Whether a recorder other than `but` missed nothing of a stream in this time of the base's clock. */
  #isFilled(stream: string, from: Micros, to: Micros, but: Survey | null = null): boolean {
    return this.#others.some(({ side: { survey }, clock, unresolvable }) => {
      if (survey === but || !isWhole(survey, stream, from + clock, to + clock)) return false;
      for (const id of unresolvable) if (stream === '*' || this.#names.get(id) === stream) return false;
      return true;
    });
  }

  #report(writer: MergeWriter): MergeReport {
    const told = ({ tape, survey }: Side, clock: Micros): MergedTape => {
      const { recorders, messages, damaged, damage } = survey;
      return { tape, recorders, messages, clock, damaged, damage };
    };
    const [base] = this.#sides;
    const streams = this.#others.flatMap(({ side, counts, unresolvable }) =>
      [...counts]
        .map(([id, one]) => ({
          stream: this.#names.get(id) ?? String(id),
          with: side.tape,
          ...one,
          unresolvable: unresolvable.has(id),
        }))
        .sort((a, b) => (a.stream < b.stream ? -1 : 1)),
    );
    return {
      src: this.#base.src,
      path: writer.path,
      entries: writer.entries,
      tapes: [told(base, 0), ...this.#others.map(({ side, clock }) => told(side, clock))],
      streams,
      gaps: { ...this.#gaps },
      moved: writer.moved,
    };
  }
}

/** Streams of which both have messages, and hardly one in common. */
function unresolvableOf(base: Survey, other: Survey, clock: Micros): Set<number> {
  const ids = new Set<number>();
  const overlap = base.runs.some((a) => other.runs.some((b) => a.first <= b.last - clock && b.first - clock <= a.last));
  for (const [id, sample] of base.samples) {
    const theirs = other.samples.get(id);
    if (theirs === undefined || !overlap) continue;
    const { common, of } = sample.common(theirs);
    if (common < of * LEAST_COMMON) ids.add(id);
  }
  return ids;
}

async function* ownOf({ segments }: Survey, venue: Venue): AsyncGenerator<Placed | Lost, void, undefined> {
  for await (const item of readItems(segments, venue)) yield 'lost' in item ? item : { item, t: item.t, of: null };
}
