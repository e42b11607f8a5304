/** A record that waits for a hole before it to be filled: a copy that outlives its batch. */
import type { Micros } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE } from '../model/event.js';

export class HeldRecord {
  readonly t: Micros;
  /** it came by this connection first */
  readonly conn: string;
  readonly first: number;
  readonly last: number;
  readonly previous: number;
  /** a whole book */
  readonly isWhole: boolean;
  /** its line, where that was asked for */
  readonly line: Buffer | null;
  readonly #fields: Float64Array;
  readonly #levels: Float64Array | null;
  readonly #conns: string[];

  /** Copies the record at offset `o`, and its line from the bytes it was decoded from. */
  constructor(conn: string, buffer: EventBuffer, o: number, bytes: Buffer | null) {
    const fields = buffer.events.slice(o, o + EVENT_STRIDE);
    this.line = bytes === null ? null : Buffer.from(bytes.subarray(fields[Field.START], fields[Field.END]));
    this.conn = conn;
    this.#conns = [conn];
    this.#fields = fields;
    this.t = fields[Field.T];
    this.first = fields[Field.FIRST];
    this.last = fields[Field.LAST];
    this.previous = fields[Field.PREVIOUS];
    this.isWhole = fields[Field.KIND] === Kind.snapshot;
    const from = fields[Field.PRICE] * 2;
    this.#levels = hasLevels(fields[Field.KIND])
      ? buffer.levels.slice(from, from + (fields[Field.SIZE] + fields[Field.PRICE2]) * 2)
      : null;
  }

  /** Another connection brought it too. */
  join(conn: string): void {
    if (!this.#conns.includes(conn)) this.#conns.push(conn);
  }

  /** Of this connection it is void. Returns whether nobody else brought it. */
  leave(conn: string): boolean {
    const at = this.#conns.indexOf(conn);
    if (at >= 0) this.#conns.splice(at, 1);
    return this.#conns.length === 0;
  }

  /** Appends it to `out` as a record of the entry at `t`, whose bytes are those of its own line. */
  appendTo(out: EventBuffer, t: Micros): void {
    const o = append(out, this.#fields, 0, this.#levels, 0);
    out.events[o + Field.T] = t;
    out.events[o + Field.START] = 0;
    out.events[o + Field.END] = this.line?.length ?? 0;
  }
}

/** Appends the record at offset `o` of `buffer` to `out`, as one of several that belong together. */
export function appendRecord(out: EventBuffer, { events, levels }: EventBuffer, o: number): void {
  append(out, events, o, hasLevels(events[o + Field.KIND]) ? levels : null, events[o + Field.PRICE]);
}

const hasLevels = (kind: number): boolean => kind === Kind.depth || kind === Kind.snapshot || kind === Kind.partial;

function append(out: EventBuffer, from: Float64Array, o: number, levels: Float64Array | null, first: number): number {
  const at = out.count * EVENT_STRIDE;
  if (at + EVENT_STRIDE > out.events.length) out.growEvents();
  for (let n = 0; n < EVENT_STRIDE; n++) out.events[at + n] = from[o + n];
  out.events[at + Field.FLAGS] |= MORE;
  out.count++;
  if (levels !== null) {
    out.events[at + Field.PRICE] = out.levelCount;
    const count = from[o + Field.SIZE] + from[o + Field.PRICE2];
    for (let n = first; n < first + count; n++) out.addLevel(levels[n * 2], levels[n * 2 + 1]);
  }
  return at;
}
