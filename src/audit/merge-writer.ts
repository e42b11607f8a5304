/** Writes a merged tape: one recorder's entries as they are, another's in their place, and checkpoints of the book that all of them make. */
import { createDecoder } from '../decode/decoder.js';
import { createTrack } from '../market/track.js';
import { type OneStream, Union } from '../market/union.js';
import { type Entry, type HeaderEntry, type Micros, parseSource, type TapeHeader } from '../model/entry.js';
import { EventBuffer, Field, Kind } from '../model/event.js';
import { scaleOf } from '../model/instrument.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { entryLine, envelopeOf, parseEntry, timeOf } from '../tape/line.js';
import { createTapeWriter } from '../tape/writer.js';
import type { Venue } from '../venues/venue.js';

const TIME_AT = '{"t":'.length;
const TIME_DIGITS = 16;
/** Header and first checkpoint stand this much before the first entry. */
const LEAD: Micros = 2;
const DAY: Micros = 24 * 60 * MICROS_PER_MINUTE;

export interface MergeWriterOptions {
  out: string;
  /** of the base; its `recorder` is replaced */
  header: HeaderEntry;
  tape: TapeHeader;
  venue: Venue;
  first: Micros;
  level: number;
}

export interface MergeWriter {
  readonly path: string;
  readonly entries: number;
  /** times of the base that had to move, since what came between took theirs */
  readonly moved: number;
  /** the book is joined at this place */
  readonly isValid: boolean;
  /** a line as it is, but for its time where that is taken */
  write(line: Buffer, t: Micros): void;
  entry(entry: Entry): void;
  /** Whether a message is a whole book that begins the book anew. */
  isWhole(line: Buffer): boolean;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** @throws {TapedeckError} E_EXISTS, E_PERMISSION, E_DISK_FULL, E_IO */
export function createMergeWriter({ out, header, tape, venue, first, level }: MergeWriterOptions): MergeWriter {
  const { src } = header;
  const { instrument, flow } = tape;
  const symbol = parseSource(src)?.symbol ?? tape.symbol;
  const decoder = createDecoder();
  const connOf = (origin: number): string | null => decoder.origins[origin].conn;
  const track = createTrack({ instrument, rules: venue, flow, connOf });
  const union = new Union({ track, rules: venue, connOf });
  const one: OneStream = { record: (buffer, n) => void track.apply(buffer, n), nothing: () => {} };
  decoder.bind(src, { layouts: venue.layouts, symbol, scale: scaleOf(instrument), flow });
  const events = new EventBuffer();
  let moved = 0;
  let checkpointAt = first + MICROS_PER_MINUTE;
  const writer = createTapeWriter({
    ...{ out, src, level, now: first - LEAD },
    // nothing is lost with a killed merge: it can be run again
    flushMs: null,
    rotateEvery: DAY,
    opening: (next) => {
      const entries: Entry[] = [
        { t: next(), src, tape },
        { t: next(), src, book: union.checkpoint() },
      ];
      return entries.map((entry) => ({ line: entryLine(entry), t: entry.t, checkpoint: 'book' in entry }));
    },
  });

  const follow = (line: Buffer): void => {
    events.clear();
    decoder.decode(line, 0, line.length, events);
    if (events.events[Field.KIND] !== Kind.entry) for (let n = 0; n < events.count; ) n = union.take(events, n, one);
    else if (envelopeOf(line, 0, line.length) !== null) union.entry(parseEntry(line), one);
  };

  /** A checkpoint stands in the microsecond before an entry, so that no entry's time moves for it. */
  const checkpoint = (t: Micros): void => {
    // while a message waits there is no one state to go on from
    if (t < checkpointAt || track.state !== 'valid' || !union.plain || t - 1 <= writer.last) return;
    writer.write(entryLine({ t: t - 1, src, book: union.checkpoint() }), t - 1, { checkpoint: true });
    checkpointAt = t + MICROS_PER_MINUTE;
  };

  const write = (line: Buffer, t: Micros): void => {
    writer.tick(t);
    checkpoint(t);
    let at = t;
    let stamped = line;
    if (t <= writer.last) {
      moved++;
      at = writer.last + 1;
    }
    if (timeOf(line, 0) !== at) stamped = withTime(line, at);
    follow(stamped);
    writer.write(stamped, at, { message: true });
  };

  return {
    get path() {
      return writer.path;
    },
    get entries() {
      return writer.written.entries;
    },
    get moved() {
      return moved;
    },
    get isValid() {
      return track.state === 'valid';
    },
    write,
    entry: (entry) => write(Buffer.from(entryLine(entry)), entry.t),
    isWhole(line) {
      events.clear();
      decoder.decode(line, 0, line.length, events);
      return events.count > 0 && events.events[Field.KIND] === Kind.snapshot;
    },
    finish: () => writer.seal(),
    abandon: () => writer.abandon(),
  };
}

/** The line with another time; all else stays to the byte where it is in the order that recorders write. */
function withTime(line: Buffer, t: Micros): Buffer {
  if (!Number.isNaN(timeOf(line, 0))) {
    const stamped = Buffer.from(line);
    stamped.write(String(t), TIME_AT, TIME_DIGITS, 'latin1');
    return stamped;
  }
  return Buffer.from(line.toString('utf8').replace(/\d{16}/, String(t)));
}
