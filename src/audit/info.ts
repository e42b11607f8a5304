/** What tapes hold, told from headers, indexes and seals alone where they are there. */
import type { HeaderEntry, Micros, Source, TapeHeader } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { lastTimeOf } from '../tape/checkpoints.js';
import { anyTimeOf, endOfLine, envelopeOf, parseEntry } from '../tape/line.js';
import { groupBySource, listSegments, noticing, readSegment, readStream, type Segment } from '../tape/reader.js';
import { tailBytes } from '../tape/segment.js';
import { laterOf, NOTHING_READ, Stop } from '../tape/stop.js';
import { SILENT_STDIN } from '../tape/tape.js';
import type { BesideReader } from './beside.js';
import type { Profiler } from './profile.js';

export interface SegmentInfo {
  file: string;
  /** compressed size, and that of the tail of one that is not sealed; 0 for a pipe */
  bytes: number;
  /** of the entries, without the frame that seals */
  textBytes: number;
  entries: number;
  first: Micros;
  last: Micros;
  sealed: boolean;
  recorder: string;
}

/** What `info` says of one src; the shape of `--format json`. */
export interface SourceInfo {
  src: Source;
  /** of the newest segment with a header; null where none has one */
  header: TapeHeader | null;
  segments: SegmentInfo[];
  first: Micros;
  last: Micros;
  entries: number;
  bytes: number;
  textBytes: number;
  sealed: boolean;
  /** in order of time */
  recorders: string[];
  tools: string[];
  /** damaged places, known for segments that had to be read because they are not sealed */
  damage: number;
}

/** A file of which nothing could be read, or not its header. */
export interface InfoFault {
  file: string;
  message: string;
}

export interface TapesInfo {
  sources: SourceInfo[];
  faults: InfoFault[];
}

/** Who is given lines, for which sealed segments are read too. */
export interface InfoReaders {
  /** ends the reading of files */
  signal?: AbortSignal;
  /** what is odd and no damage */
  note?(text: string): void;
  /** every line */
  profiler?: Profiler | undefined;
  /** those of tapes that it wants */
  beside?: BesideReader | undefined;
}

/**
 * Looks at tapes: sealed segments cost milliseconds, others are read through.
 * @throws {TapedeckError} E_NOT_FOUND, E_PERMISSION, E_NOT_A_TAPE (of a file named itself), E_IO (also when aborted)
 */
export async function inspectTapes(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
  readers: InfoReaders = {},
): Promise<TapesInfo> {
  const sources = new Map<Source, SourceInfo>();
  const faults: InfoFault[] = [];
  const segments = await listSegments(
    paths.filter((path) => path !== '-'),
    readers.note,
  );
  for (const group of groupBySource(segments))
    for (const segment of group) {
      if (segment.form === 'stream' && segment.fault === null)
        await inspectFlow(readSegment(segment), segment.path, sources, readers);
      else if (inspectSegment(segment, sources, faults)) await readThrough(segment, readers);
    }
  if (paths.includes('-')) {
    const flow = noticing(readStream(stdin, '-'), () => readers.note?.(SILENT_STDIN));
    await inspectFlow(flow, '-', sources, readers);
  }
  return { sources: [...sources.values()].sort((a, b) => (a.src < b.src ? -1 : 1)), faults };
}

/** Gives a segment's lines to those who want them. */
async function readThrough(segment: Segment, { profiler, beside, signal }: InfoReaders): Promise<void> {
  const header = beside === undefined ? null : headerOf(segment);
  const wanted = header !== null && beside?.wants(header.tape) === true;
  if (profiler === undefined && !wanted) return;
  if (wanted) beside?.meet(header);
  const stop = new Stop();
  let reached = NOTHING_READ;
  for await (const item of readSegment(segment)) {
    if (signal?.aborted === true) {
      stop.at(reached);
      break;
    }
    if ('damage' in item) continue;
    reached = laterOf(reached, lastTimeOf(item.bytes, item.from, item.to));
    profiler?.take(item);
    if (wanted) beside?.take(item);
  }
  stop.check('reading tapes');
}

/** The header; null where there is none, which is said elsewhere. */
function headerOf(segment: Segment): HeaderEntry | null {
  try {
    return segment.header();
  } catch (error) {
    if (error instanceof TapedeckError) return null;
    throw error;
  }
}

/** @returns whether it can be read */
function inspectSegment(segment: Segment, sources: Map<Source, SourceInfo>, faults: InfoFault[]): boolean {
  const { path, src, fault, bytes } = segment;
  if (fault !== null || src === null) {
    faults.push({
      file: path,
      message: fault?.message ?? (bytes === 0 ? 'the file is empty' : 'no entry can be read'),
    });
    return false;
  }
  let header: TapeHeader | null = null;
  try {
    header = segment.header().tape;
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error;
    faults.push({ file: path, message: error.message });
  }
  const { frames, last, entries, damage } = segment.index();
  const textBytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
  const { first, sealed } = segment;
  add(sources, src, header, {
    file: path,
    bytes: bytes + (sealed ? 0 : tailBytes(path)),
    textBytes,
    entries,
    first,
    last,
    sealed,
    recorder: header?.recorder ?? '',
  }).damage += damage.length;
  return true;
}

/** Counts the lines of a pipe; each header begins a segment of its src. */
async function inspectFlow(
  flow: ReturnType<typeof readStream>,
  file: string,
  sources: Map<Source, SourceInfo>,
  { profiler, beside }: InfoReaders,
): Promise<void> {
  const running = new Map<Source, { header: TapeHeader | null; segment: SegmentInfo }>();
  let damage = 0;
  for await (const item of flow) {
    if ('damage' in item) {
      damage++;
      continue;
    }
    const { bytes, to } = item;
    profiler?.take(item);
    let untaken = item.from;
    for (let p = item.from, end = p; p < to; p = end) {
      end = endOfLine(bytes, p, to);
      const t = anyTimeOf(bytes, p, end);
      const envelope = Number.isNaN(t) ? null : envelopeOf(bytes, p, end);
      if (envelope === null) continue;
      const { src, key } = envelope;
      const known = running.get(src);
      if (known === undefined || key === 'tape') {
        if (known !== undefined) add(sources, src, known.header, known.segment);
        const entry = key === 'tape' ? parseEntry(bytes.subarray(p, end)) : null;
        const met = entry !== null && 'tape' in entry ? entry : null;
        // what stands before it has the scale of the header before
        beside?.take({ bytes, from: untaken, to: p });
        untaken = p;
        if (met !== null) beside?.meet(met);
        const header = met?.tape ?? null;
        const recorder = header?.recorder ?? '';
        const counts = { bytes: 0, textBytes: end - p, entries: 1, first: t, last: t, sealed: false };
        running.set(src, { header, segment: { file, ...counts, recorder } });
        continue;
      }
      const { segment } = known;
      segment.entries++;
      segment.textBytes += end - p;
      segment.last = t;
      if (key === 'end') segment.sealed = true;
    }
    beside?.take({ bytes, from: untaken, to });
  }
  for (const [src, { header, segment }] of running) add(sources, src, header, segment).damage += damage;
}

function add(
  sources: Map<Source, SourceInfo>,
  src: Source,
  header: TapeHeader | null,
  segment: SegmentInfo,
): SourceInfo {
  let info = sources.get(src);
  if (info === undefined) {
    const nothing = { first: Number.POSITIVE_INFINITY, last: 0, entries: 0, bytes: 0, textBytes: 0, damage: 0 };
    info = { src, header: null, segments: [], ...nothing, sealed: true, recorders: [], tools: [] };
    sources.set(src, info);
  }
  info.segments.push(segment);
  info.first = Math.min(info.first, segment.first);
  info.last = Math.max(info.last, segment.last);
  info.entries += segment.entries;
  info.bytes += segment.bytes;
  info.textBytes += segment.textBytes;
  info.sealed &&= segment.sealed;
  if (header !== null) {
    info.header = header;
    if (!info.recorders.includes(header.recorder)) info.recorders.push(header.recorder);
    if (!info.tools.includes(header.tool)) info.tools.push(header.tool);
  }
  return info;
}
