/** One recorder's tape of one src as items to be merged: each line with its stream, what it says, and whether it stands where it should. */
import { createHash } from 'node:crypto';
import { createDecoder } from '../decode/decoder.js';
import { MAX_STREAMS } from '../decode/layout.js';
import type { Entry, HeaderEntry, Micros } from '../model/entry.js';
import { EventBuffer, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import { endOfLine, envelopeOf, parseEntry } from '../tape/line.js';
import { readSegments, type Segment } from '../tape/reader.js';
import type { Venue } from '../venues/venue.js';
import { bindHeader } from './bind.js';
import { BOOK_STREAM } from './stream-audit.js';

/** In the year 2255: entries may have to move behind it. */
const LATEST: Micros = 9_000_000_000_000_000;

/** A line of a tape, copied. */
export interface Item {
  t: Micros;
  line: Buffer;
  /** null for a message; what the line says else */
  entry: Entry | null;
  conn: string | null;
  /** the stream of a message by name, and by layout and variant; null for what is of no stream, such as an ack */
  stream: string | null;
  id: number;
  /** of the message's bytes; empty for what is of no stream */
  digest: string;
  /** receive time minus the exchange's time of sending; NaN where it does not say */
  lag: Micros;
}

/** Bytes of the tape are lost here, or lines that are no entries. */
export interface Lost {
  lost: string;
}

/** Lines in order; what is damaged is told in its place. */
export async function* readItems(
  segments: readonly Segment[],
  venue: Venue,
): AsyncGenerator<Item | Lost, void, undefined> {
  const decoder = createDecoder();
  const events = new EventBuffer();
  for await (const batch of readSegments(segments)) {
    if ('damage' in batch) {
      yield {
        lost: `${batch.damage.code}: ${batch.damage.message} (file ${batch.damage.file}, line ${batch.damage.line})`,
      };
      continue;
    }
    const { bytes, to } = batch;
    for (let p = batch.from, end = p, line = batch.line; p < to; p = end, line++) {
      end = endOfLine(bytes, p, to);
      events.clear();
      decoder.decode(bytes, p, end, events);
      const e = events.events;
      const isMessage = e[Field.KIND] !== Kind.entry;
      if (isMessage) {
        const t = e[Field.T];
        if (t > LATEST) {
          yield {
            lost: `E_LINE: the time ${t} leaves none for what comes after it (file ${batch.file}, line ${line})`,
          };
          continue;
        }
        const { conn } = decoder.origins[e[Field.ORIGIN]];
        yield { t, line: Buffer.from(bytes.subarray(p, end)), entry: null, conn, ...streamOf(bytes, p, end, e, venue) };
        continue;
      }
      const entry = entryIn(bytes, p, end);
      if (entry === null || entry.t > LATEST) {
        yield { lost: `E_LINE: the line is not an entry (file ${batch.file}, line ${line})` };
        continue;
      }
      if ('tape' in entry) bindHeader(decoder, entry);
      const conn = 'conn' in entry ? (entry.conn ?? null) : null;
      const none = { stream: null, id: -1, digest: '', lag: Number.NaN };
      yield { t: entry.t, line: Buffer.from(bytes.subarray(p, end)), entry, conn, ...none };
    }
  }
}

function entryIn(bytes: Buffer, from: number, to: number): Entry | null {
  try {
    return envelopeOf(bytes, from, to) === null ? null : parseEntry(bytes.subarray(from, to));
  } catch {
    return null;
  }
}

function streamOf(
  bytes: Buffer,
  from: number,
  to: number,
  e: Float64Array,
  { layouts }: Venue,
): Pick<Item, 'stream' | 'id' | 'digest' | 'lag'> {
  const kind = e[Field.KIND];
  const flags = e[Field.FLAGS];
  const layout = layouts.messages[Math.floor(flags / (MAX_STREAMS << STREAM_SHIFT))];
  const isData = kind === Kind.other ? layout?.event === 'other' : kind !== Kind.unknown;
  const lag = e[Field.EMITTED] > 0 ? e[Field.T] - e[Field.EMITTED] : Number.NaN;
  if (!isData || layout === undefined) return { stream: null, id: -1, digest: '', lag };
  const value = envelopeOf(bytes, from, to);
  const message = value === null ? bytes.subarray(from, to) : bytes.subarray(value.valueFrom, value.valueTo);
  const name = layout.event === 'depth' || kind === Kind.snapshot ? BOOK_STREAM : layout.name;
  const digest = createHash('sha1').update(message).digest('base64');
  return { stream: name, id: flags >> STREAM_SHIFT, digest, lag };
}

export function isHeader(item: Item): item is Item & { entry: HeaderEntry } {
  return item.entry !== null && 'tape' in item.entry;
}
