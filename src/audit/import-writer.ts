/** Writes the messages of an archive as entries of a tape, following the book for its checkpoints. */
import { isUtf8 } from 'node:buffer';
import { basename } from 'node:path';
import { createDecoder } from '../decode/decoder.js';
import { leadOf } from '../decode/forms.js';
import type { ArchiveBatch, BadLine } from '../formats/hftbacktest.js';
import { createTrack } from '../market/track.js';
import { type Entry, type Micros, TAPE_VERSION } from '../model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../model/event.js';
import type { Instrument } from '../model/instrument.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import { entryLine, httpLine, isJsonLine, messageLine } from '../tape/line.js';
import { createTapeWriter } from '../tape/writer.js';
import type { Venue } from '../venues/venue.js';

/** Where the time stands in a line's head. */
const HEAD_DIGITS = '{"t":'.length;
/** Text that is decoded at a time. */
const PIECE_BYTES = 256 * 1024;
/** Header, open entry and first checkpoint stand this much before the first message, one microsecond each. */
const LEAD: Micros = 3;

export interface ImportWriterOptions {
  venue: Venue;
  symbol: string;
  out: string;
  recorder: string;
  instrument: Instrument;
  channels: string[];
  tool: string;
  /** whose archives they are */
  format: string;
  files: readonly string[];
  /** time of the first message */
  first: Micros;
  level?: number;
  bad(bad: BadLine): void;
}

/** Exact counts of what was written. */
export interface ImportedEntries {
  path: string;
  recorder: string;
  instrument: Instrument;
  messages: number;
  /** REST bodies that became `http` entries */
  snapshots: number;
  /** messages nested too deep for a reader, or not UTF-8, kept as text or base64 */
  texts: number;
  /** lines whose time was moved so that times increase: it was taken already, or earlier than that of the line before */
  ties: number;
  backwards: number;
  /** messages the venue's layouts do not explain, and ones with numbers that cannot be held */
  unknown: number;
  invalid: number;
  checkpoints: number;
  entries: number;
  textBytes: number;
  compressedBytes: number;
  /** `t` of the first and of the last message */
  first: Micros;
  last: Micros;
}

export interface ImportWriter {
  readonly path: string;
  take(batch: ArchiveBatch): void;
  /** seals the tape */
  finish(): Promise<ImportedEntries>;
  /** closes the file, unsealed */
  abandon(): Promise<void>;
}

/**
 * Opens the tape and writes its header, the open entry and the first checkpoint.
 * @throws {TapedeckError} E_EXISTS, E_PERMISSION, E_DISK_FULL, E_IO
 */
export function createImportWriter(options: ImportWriterOptions): ImportWriter {
  const { venue, symbol, recorder, instrument, channels } = options;
  const src = `${venue.id}:${symbol}`;
  const conn = `${recorder}.1`;
  const flow = venue.flowOf(channels);
  const decoder = createDecoder();
  const connOf = (origin: number): string | null => decoder.origins[origin].conn;
  const track = createTrack({ instrument, rules: venue, flow, connOf });
  decoder.bind(src, { layouts: venue.layouts, symbol, scale: track.scale, flow });
  const events = new EventBuffer();

  const before: Entry[] = [];
  const tape = createTapeWriter({
    out: options.out,
    src,
    now: options.first - LEAD,
    // nothing is lost with a killed import: it can be run again
    flushMs: null,
    ...(options.level === undefined ? {} : { level: options.level }),
    opening: (next) => {
      const url = `file:${basename(options.files[0])}`;
      const header = { version: TAPE_VERSION, recorder, venue: venue.id, symbol, instrument, channels, flow };
      before.push({ t: next(), src, tape: { ...header, tool: options.tool, imported: options.format } });
      before.push({ t: next(), src, conn, open: { url } });
      track.entry(before[1]);
      before.push({ t: next(), src, book: track.checkpoint() });
      return before.map((entry) => ({ line: entryLine(entry), t: entry.t, checkpoint: 'book' in entry }));
    },
  });

  const imported = { messages: 0, snapshots: 0, texts: 0, ties: 0, backwards: 0, checkpoints: 1 };
  /** newest time as the archive has it, and as it is stored */
  let original = 0;
  let stored = options.first - 1;
  let checkpointAt = options.first + MICROS_PER_MINUTE;

  // Lines are put together here and decoded many at a time; `lines[i]` is the archive's line number.
  const head = Buffer.from(`{"t":${'0'.repeat(16)},"src":${JSON.stringify(src)},"conn":${JSON.stringify(conn)},"msg":`);
  let headTime = 0;
  const usual = Buffer.from(leadOf(venue.layouts).before);
  let text = Buffer.allocUnsafeSlow(PIECE_BYTES * 2);
  let used = 0;
  let lines: number[] = [];
  /** decoded lines of `text` that are still to be written, in one go: the first starts at `runFrom` */
  let runFrom = 0;
  let ends: number[] = [];
  let times: Micros[] = [];

  /** The time as it will be stored: strictly increasing. */
  const stamp = (t: Micros): Micros => {
    if (t < original) imported.backwards++;
    else if (t <= stored) imported.ties++;
    original = t;
    stored = t > stored ? t : stored + 1;
    return stored;
  };

  const writeRun = (): void => {
    if (ends.length === 0) return;
    tape.writeRun(text, runFrom, ends, times);
    imported.messages += ends.length;
    ends = [];
    times = [];
  };

  /** A checkpoint stands in the microsecond before a message, so that no message's time moves for it. */
  const checkpoint = (t: Micros): void => {
    if (t < checkpointAt || track.state !== 'valid') return;
    writeRun();
    if (t - 1 <= tape.last) return;
    const line = entryLine({ t: t - 1, src, book: track.checkpoint() });
    tape.write(line, t - 1, { checkpoint: true });
    imported.checkpoints++;
    checkpointAt = t + MICROS_PER_MINUTE;
  };

  /** Writes the digits of a time into the head; those of the last time that stay the same are left. */
  const stampHead = (t: Micros): void => {
    const high = Math.floor(t / 1e8);
    const low = t - high * 1e8;
    if (high !== Math.floor(headTime / 1e8)) writeDigits(head, HEAD_DIGITS, high);
    writeDigits(head, HEAD_DIGITS + 8, low);
    headTime = t;
  };

  const append = (batch: ArchiveBatch, i: number): void => {
    const { bytes, from, to } = batch;
    const size = head.length + to[i] - from[i] + 2;
    if (used + size > text.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(used + size, text.length * 2));
      text.copy(grown, 0, 0, used);
      text = grown;
    }
    stampHead(stamp(batch.t[i]));
    text.set(head, used);
    used += head.length;
    used += bytes.copy(text, used, from[i], to[i]);
    text[used++] = 0x7d;
    text[used++] = 0x0a;
    lines.push(batch.line[i]);
  };

  /** A message the fast decoder did not prove: JSON or not, and fit to stand as `msg` or not. */
  const writeUnusual = (file: string, line: number, t: Micros, message: Buffer): boolean => {
    try {
      JSON.parse(message.toString('utf8'));
    } catch {
      options.bad({ file, line, why: 'what follows the time is not JSON' });
      return false;
    }
    if (isUtf8(message) && isJsonLine(message)) return true;
    writeRun();
    checkpoint(t);
    tape.write(messageLine(t, src, conn, message), t);
    imported.texts++;
    return false;
  };

  /** Decodes, writes and follows the lines put together so far. */
  const flush = (file: string): void => {
    let index = -1;
    for (let at = 0; at < used; ) {
      events.clear();
      const { slow } = decoder.counts;
      at = decoder.decode(text, at, used, events);
      const proven = decoder.counts.slow === slow;
      for (let n = 0, before = -1; n < events.count; n++) {
        const o = n * EVENT_STRIDE;
        const e = events.events;
        const start = e[o + Field.START];
        if (start === before) {
          // one more record of the same message
          track.apply(events, n);
          continue;
        }
        before = start;
        index++;
        const end = e[o + Field.END];
        const entry = e[o + Field.KIND] === Kind.entry;
        const t = entry ? Number(text.toString('latin1', start + 5, start + 21)) : e[o + Field.T];
        if ((entry || !proven) && !writeUnusual(file, lines[index], t, text.subarray(start + head.length, end - 1))) {
          writeRun();
          continue;
        }
        checkpoint(t);
        if (ends.length === 0) runFrom = start;
        ends.push(end + 1);
        times.push(t);
        track.apply(events, n);
      }
    }
    writeRun();
    used = 0;
    lines = [];
  };

  /** A line without the venue's wrapper: a REST body, or a message of another kind; false for the latter. */
  const writeSnapshot = (batch: ArchiveBatch, i: number): boolean => {
    const { file, bytes } = batch;
    const message = bytes.subarray(batch.from[i], batch.to[i]);
    let body: unknown;
    try {
      body = JSON.parse(message.toString('utf8'));
    } catch {
      return false;
    }
    if (!venue.isSnapshotBody(body)) return false;
    flush(file);
    const t = stamp(batch.t[i]);
    checkpoint(t);
    const http = { url: `file:${basename(file)}`, status: 200, sent: t };
    tape.write(httpLine(t, src, http, message), t);
    track.entry({ t, src, http: { ...http, body } });
    imported.snapshots++;
    return true;
  };

  return {
    get path() {
      return tape.path;
    },
    take(batch) {
      const { file, bytes, count, from } = batch;
      for (let i = 0; i < count; i++) {
        if (!startsWith(bytes, from[i], usual) && writeSnapshot(batch, i)) continue;
        append(batch, i);
        if (used >= PIECE_BYTES) flush(file);
      }
      flush(file);
    },
    async finish() {
      const last = tape.last;
      await tape.seal();
      const { unknown, invalid } = decoder.counts;
      const { entries, textBytes, compressedBytes } = tape.written;
      const { path } = tape;
      const { first } = options;
      return {
        path,
        recorder,
        instrument,
        ...imported,
        unknown,
        invalid,
        entries,
        textBytes,
        compressedBytes,
        first,
        last,
      };
    },
    abandon: () => tape.abandon(),
  };
}

/** Eight digits. */
function writeDigits(into: Buffer, at: number, value: number): void {
  let rest = value | 0;
  for (let p = at + 7; p >= at; p--) {
    const tenth = (rest / 10) | 0;
    into[p] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}
