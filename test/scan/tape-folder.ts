/** Writes lines as the sealed segments of a tape: followed like a recorder does, with checkpoints, frames and rotation. */
import { mkdirSync } from 'node:fs';
import { createDecoder } from '../../src/decode/decoder.js';
import { createTrack } from '../../src/market/track.js';
import { Union } from '../../src/market/union.js';
import type { Entry, HeaderEntry } from '../../src/model/entry.js';
import { EventBuffer, Field, Kind } from '../../src/model/event.js';
import { entryLine, parseEntry } from '../../src/tape/line.js';
import { createSegmentFile, type SegmentFile, segmentPath, tapeFolder } from '../../src/tape/writer.js';
import { venueById } from '../../src/venues/registry.js';
import { MINUTE } from './tape-builder.js';

export interface TapeFolderOptions {
  /** a checkpoint this often, while the book is valid */
  checkpointEvery?: number;
  /** a new segment this often; never by default */
  segmentEvery?: number;
  /** lines of a frame */
  frameLines?: number;
  /** changes what a checkpoint says; the entry is the checkpoint's */
  falsify?: (entry: Entry) => Entry;
  /** leaves the last segment as a killed recorder does */
  unsealed?: boolean;
}

const sizeOfLead = 8;

/** Writes one recorder session (it begins with its header) below `out`; returns the paths of its segments. */
export async function writeSession(
  out: string,
  lines: readonly string[],
  {
    checkpointEvery = MINUTE / 2,
    segmentEvery = Number.POSITIVE_INFINITY,
    frameLines = 50,
    falsify = (entry) => entry,
    unsealed = false,
  }: TapeFolderOptions = {},
): Promise<string[]> {
  const header = parseEntry(Buffer.from(`${lines[0]}\n`)) as HeaderEntry;
  const { src, tape } = header;
  const rules = venueById(tape.venue);
  const decoder = createDecoder();
  const { instrument, flow, symbol } = tape;
  const connOf = (origin: number): string | null => decoder.origins[origin].conn;
  const track = createTrack({ instrument, rules, flow, connOf });
  const union = new Union({ track, rules, connOf });
  const one = { record: (records: EventBuffer, i: number): void => void track.apply(records, i), nothing: () => {} };
  decoder.bind(src, { layouts: rules.layouts, scale: track.scale, symbol, flow });
  const buffer = new EventBuffer();
  mkdirSync(tapeFolder(out, src), { recursive: true });
  const paths: string[] = [];
  let file: SegmentFile | null = null;
  let last = 0;
  let inFrame = 0;
  let checkpointAt = header.t + checkpointEvery;
  let segmentAt = Number.NEGATIVE_INFINITY;

  const add = (line: string, t: number, checkpoint = false): void => {
    file?.add(Buffer.from(line), t, checkpoint);
    last = t;
    if (++inFrame < frameLines) return;
    file?.closeFrame();
    inFrame = 0;
  };
  const checkpoint = (t: number): void => {
    add(entryLine(falsify({ t, src, book: union.checkpoint() })), t, true);
    checkpointAt = t + checkpointEvery;
  };
  const open = (t: number): void => {
    const path = segmentPath(out, src, t);
    paths.push(path);
    file = createSegmentFile({ path, src, level: 1, tail: false });
    add(entryLine({ ...header, t }), t);
    file.closeFrame();
    inFrame = 0;
    segmentAt = t + segmentEvery;
  };

  open(header.t);
  for (const line of lines.slice(1)) {
    const bytes = Buffer.from(`${line}\n`);
    const t = Number(line.slice(5, 21));
    if (t >= segmentAt && t - last > sizeOfLead && union.plain) {
      await (file as SegmentFile | null)?.seal({ index: last + 1, end: last + 2 });
      open(t - 2);
      checkpoint(t - 1);
    } else if (t >= checkpointAt && track.state === 'valid' && union.plain && t - 1 > last) checkpoint(t - 1);
    buffer.clear();
    decoder.decode(bytes, 0, bytes.length, buffer);
    if (buffer.events[Field.KIND] !== Kind.entry) union.take(buffer, 0, one);
    else if (line.endsWith('}')) union.entry(parseEntry(bytes), one); // what is broken on purpose is written all the same
    add(bytes.toString(), t);
  }
  const end = file as SegmentFile | null;
  if (unsealed) {
    end?.closeFrame();
    await end?.abandon();
  } else await end?.seal({ index: last + 1, end: last + 2 });
  return paths;
}
