/** Reading a recorded tape as its readers will. */
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack, Effect, type Track, type TrackCounts } from '../../src/market/track.js';
import { type OneStream, Union } from '../../src/market/union.js';
import type { Checkpoint, Entry, EntryKey, Gap, Micros } from '../../src/model/entry.js';
import { EventBuffer, Field, Kind } from '../../src/model/event.js';
import { scaleOf } from '../../src/model/instrument.js';
import { parseEntry } from '../../src/tape/line.js';
import { readTape } from '../../src/tape/reader.js';
import { venueById } from '../../src/venues/registry.js';
import type { Rig } from './harness.js';

/** Lines of a tape, or of all tapes in a folder. @throws at damage */
export async function linesIn(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of readTape([path])) {
    if ('damage' in batch) throw new Error(batch.damage.message);
    found.push(...batch.bytes.toString('utf8', batch.from, batch.to).trimEnd().split('\n'));
  }
  return found;
}

/** The verbatim value of `msg` on a line; null where it has none. */
export function messageIn(line: string): string | null {
  return /^\{"t":\d{16},"src":"[^"]*","conn":"[^"]*","msg":(.*)\}$/.exec(line)?.[1] ?? null;
}

export type EntryOf<K extends EntryKey> = Extract<Entry, Record<K, unknown>>;

/** Entries of one kind on a tape. */
export function only<K extends EntryKey>(entries: Entry[], key: K): EntryOf<K>[] {
  return entries.filter((entry): entry is EntryOf<K> => key in entry);
}

export const gapsOf = (entries: Entry[]): Gap[] => only(entries, 'gap').map(({ gap }) => gap);

export interface Followed {
  /** times at which the book became valid, or was lost */
  valid: Micros[];
  lost: Micros[];
  counts: TrackCounts;
  /** the book at the end */
  book: Checkpoint;
}

/** Follows a tape as a reader does. */
export async function follow(rig: Pick<Rig, 'lines'>, symbol: string): Promise<Followed> {
  const valid: Micros[] = [];
  const lost: Micros[] = [];
  const decoder = createDecoder();
  const buffer = new EventBuffer();
  let track: Track | null = null;
  let union: Union | null = null;
  let effect: number = Effect.none;
  const one: OneStream = {
    record(records, i) {
      effect |= track?.apply(records, i) ?? Effect.none;
    },
    nothing: () => {},
  };
  for (const line of await rig.lines(symbol)) {
    const bytes = Buffer.from(`${line}\n`);
    const entry = parseEntry(line);
    effect = Effect.none;
    if ('tape' in entry) {
      const { instrument, venue: id, flow } = entry.tape;
      const venue = venueById(id);
      const connOf = (origin: number): string | null => decoder.origins[origin].conn;
      track ??= createTrack({ instrument, rules: venue, flow, connOf });
      union ??= new Union({ track, rules: venue, connOf });
      decoder.bind(entry.src, { layouts: venue.layouts, symbol, scale: scaleOf(instrument), flow });
    }
    if (track === null || union === null) throw new Error('a tape without a header');
    buffer.clear();
    decoder.decode(bytes, 0, bytes.length, buffer);
    if (buffer.events[Field.KIND] === Kind.entry) effect |= union.entry(entry, one);
    else for (let i = 0; i < buffer.count; ) i = union.take(buffer, i, one);
    if ((effect & Effect.valid) !== 0) valid.push(entry.t);
    if ((effect & Effect.lost) !== 0) lost.push(entry.t);
  }
  if (track === null) throw new Error('an empty tape');
  return { valid, lost, counts: track.counts, book: track.checkpoint() };
}
