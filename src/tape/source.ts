/** The tape of one src over all its segments, cut to a range of time the way `replay --from --to` does. */
import type { Damage, LineBatch, LineFlow, TextRooms } from '../model/batch.js';
import type { Micros, Source } from '../model/entry.js';
import { findCheckpoint, lastTimeOf } from './checkpoints.js';
import { readSegment } from './flow.js';
import { anyTimeOf, endOfLine, entryLine, envelopeOf, parseEntry } from './line.js';
import { type Segment, segmentItems } from './segment.js';

/** What is held back before `from` at most; beyond it lines are passed on, which consumers may not print anyway. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** Half open: entries with `from <= t < to` are what the reader of a tape wants to hear of; none when `to <= from`. */
export interface TimeRange {
  from?: Micros;
  to?: Micros;
}

/** Segments by src, each group in order of time; files whose src is unknown (pipes, faulty ones) stand alone. */
export function groupBySource(segments: readonly Segment[]): Segment[][] {
  const groups = new Map<Source | Segment, Segment[]>();
  for (const segment of segments) {
    const key = segment.src ?? segment;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [segment]);
    else group.push(segment);
  }
  for (const group of groups.values()) group.sort((a, b) => a.first - b.first);
  return [...groups.values()];
}

/**
 * The entries of the segments of one src, in order of time. With `from`, reading starts at the frame of the last
 * checkpoint at or before it where the segment has an index.
 * @param rooms where text is put together
 */
export async function* readSegments(segments: readonly Segment[], range: TimeRange = {}, rooms?: TextRooms): LineFlow {
  const sorted = [...segments].sort((a, b) => a.first - b.first);
  const { from, to } = range;
  if (isEmpty(from, to)) return;
  const start =
    from === undefined
      ? 0
      : Math.max(
          sorted.findLastIndex((segment) => segment.first <= from),
          0,
        );
  const wanted = sorted.slice(start).filter((segment) => !(to !== undefined && segment.first >= to));
  const flow = from === undefined ? concatenate(wanted, rooms) : concatenateFrom(wanted, from, rooms);
  yield* from === undefined && to === undefined ? flow : selectRange(flow, from, to);
}

/**
 * Cuts a flow to a range. With `from`: each src's header with `"from"` in it, its last checkpoint at or before `from`
 * (all lines where it has none), then every line after that. With `to`: nothing at or after it.
 */
export async function* selectRange(flow: LineFlow, from: Micros | undefined, to: Micros | undefined): LineFlow {
  if (isEmpty(from, to)) return;
  let held = from === undefined ? null : createHeldLines(from);
  for await (const item of flow) {
    if ('damage' in item) {
      if (held === null) yield item;
      else held.keep(item);
      continue;
    }
    let batch = item;
    if (held !== null && from !== undefined) {
      const rest = held.take(batch);
      if (rest === batch.to && !held.full) continue;
      yield* held.release();
      held = null;
      if (rest === batch.to) continue;
      batch = cutBatch(batch, rest, batch.to);
    }
    if (to !== undefined && lastTimeOf(batch.bytes, batch.from, batch.to) >= to) {
      const end = firstAtOrAfter(batch.bytes, batch.from, batch.to, to);
      if (end > batch.from) yield cutBatch(batch, batch.from, end);
      return;
    }
    yield batch;
  }
  if (held !== null) yield* held.release();
}

function isEmpty(from: Micros | undefined, to: Micros | undefined): boolean {
  return from !== undefined && to !== undefined && to <= from;
}

/** A part of a batch that starts and ends on lines. */
export function cutBatch(batch: LineBatch, from: number, to: number): LineBatch {
  let line = batch.line;
  for (let p = batch.from; p < from; p = endOfLine(batch.bytes, p, batch.to)) line++;
  return { ...batch, from, to, line };
}

async function* concatenate(segments: readonly Segment[], rooms: TextRooms | undefined): LineFlow {
  for (const segment of segments) yield* readSegment(segment, { rooms });
}

async function* concatenateFrom(segments: readonly Segment[], from: Micros, rooms: TextRooms | undefined): LineFlow {
  const [first, ...others] = segments;
  if (first === undefined) return;
  const fromFrame = startFrame(first, from);
  if (fromFrame > 0) {
    const bytes = Buffer.from(entryLine(first.header()));
    yield { bytes, from: 0, to: bytes.length, file: first.path, frame: 0, line: 1 };
  }
  yield* readSegment(first, fromFrame > 0 ? { fromFrame, rooms } : { rooms });
  yield* concatenate(others, rooms);
}

/** Where reading from a time starts: at a checkpoint, or at the first entry of a segment. */
export interface StartingPoint {
  /** which of the segments */
  segment: number;
  checkpoint: { t: Micros; valid: boolean } | null;
}

/** Where `readSegments` with this `from` starts; the segments must be in order of time. */
export function startingPoint(segments: readonly Segment[], from: Micros): StartingPoint {
  const n = Math.max(
    segments.findLastIndex((segment) => segment.first <= from),
    0,
  );
  const frame = startFrame(segments[n], from);
  if (frame === 0) return { segment: n, checkpoint: null };
  let checkpoint: StartingPoint['checkpoint'] = null;
  for (const item of segmentItems(segments[n], { fromFrame: frame, toFrame: frame + 1 })) {
    if ('damage' in item) continue;
    for (let p = item.from; p < item.to; ) {
      const found = findCheckpoint(item.bytes, p, item.to);
      if (found === null || found.t > from) break;
      const entry = parseEntry(item.bytes.subarray(found.from, found.to));
      checkpoint = { t: found.t, valid: 'book' in entry && entry.book.state === 'valid' };
      p = found.to;
    }
  }
  return { segment: n, checkpoint };
}

/** The frame that holds the last checkpoint at or before `from`; 0 when the segment has none or no index. */
function startFrame(segment: Segment, from: Micros): number {
  if (!segment.sealed) return 0;
  const { frames } = segment.index();
  for (let n = frames.length - 1; n > 0; n--) {
    if (!frames[n].checkpoint || frames[n].t > from) continue;
    for (const item of segmentItems(segment, { fromFrame: n, toFrame: n + 1 })) {
      const checkpoint = 'damage' in item ? null : findCheckpoint(item.bytes, item.from, item.to);
      if (checkpoint !== null && checkpoint.t <= from) return n;
    }
  }
  return 0;
}

interface HeldLines {
  /** takes the lines at or before `from`; returns where the lines after it start */
  take(batch: LineBatch): number;
  keep(damage: Damage): void;
  readonly full: boolean;
  release(): Generator<LineBatch | Damage>;
}

/** Lines before `from` that may be wanted: of each src its header, and all since its last checkpoint. */
function createHeldLines(from: Micros): HeldLines {
  const headers = new Map<Source, Buffer>();
  let held: { src: Source | null; item: LineBatch | Damage }[] = [];
  let heldBytes = 0;

  const takeLine = (batch: LineBatch, at: number, end: number, line: number): void => {
    const bytes = Buffer.from(batch.bytes.subarray(at, end));
    const envelope = envelopeOf(bytes, 0, bytes.length);
    const src = envelope?.src ?? null;
    if (envelope?.key === 'tape') {
      headers.set(envelope.src, headerFrom(bytes, from));
      // a new segment of the src starts with all there is to know
      held = held.filter((other) => other.src !== envelope.src);
      return;
    }
    if (envelope?.key === 'book') held = held.filter((other) => other.src !== src || other.src === null);
    held.push({ src, item: { ...batch, bytes, from: 0, to: bytes.length, line } });
    heldBytes += bytes.length;
    if (heldBytes > MAX_PENDING_BYTES)
      heldBytes = held.reduce((sum, { item }) => sum + ('bytes' in item ? item.to : 0), 0);
  };

  return {
    take(batch) {
      let { line } = batch;
      let p = batch.from;
      while (p < batch.to) {
        const end = endOfLine(batch.bytes, p, batch.to);
        if (anyTimeOf(batch.bytes, p, end) > from) return p;
        takeLine(batch, p, end, line++);
        p = end;
      }
      return p;
    },
    keep(damage) {
      held.push({ src: null, item: damage });
    },
    get full() {
      return heldBytes > MAX_PENDING_BYTES;
    },
    *release() {
      for (const bytes of headers.values()) yield { bytes, from: 0, to: bytes.length, file: '-', frame: -1, line: 1 };
      for (const { item } of held) yield item;
    },
  };
}

/** A header line with `"from"` set; a slice of a slice keeps the later one. */
function headerFrom(line: Buffer, from: Micros): Buffer {
  const entry = parseEntry(line);
  if (!('tape' in entry) || typeof entry.tape !== 'object' || entry.tape === null) return line;
  const later = Math.max(from, entry.tape.from ?? from);
  return Buffer.from(entryLine({ ...entry, tape: { ...entry.tape, from: later } }));
}

/** Where the first of the lines in `bytes[from, to)` starts whose time is not before `t`; `to` where there is none. */
export function firstAtOrAfter(bytes: Buffer, from: number, to: number, t: Micros): number {
  let p = from;
  while (p < to) {
    const end = endOfLine(bytes, p, to);
    if (anyTimeOf(bytes, p, end) >= t) return p;
    p = end;
  }
  return p;
}
