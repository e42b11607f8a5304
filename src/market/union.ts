/**
 * Makes one stream of what several connections of a src bring, so that who follows it hears everything once and in order. The
 * first to bring a message with an id counts, and what one connection lacks waits until another brings it; where ids prove
 * nothing, one connection counts until it ends.
 */
import { type Checkpoint, type CloseEntry, type Entry, isOwnClose, type Micros } from '../model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, MORE, STREAM_SHIFT } from '../model/event.js';
import type { ScaledLevels, VenueRules } from '../model/rules.js';
import { type Connections, isConnections } from './connections.js';
import { Effect } from './effect.js';
import { appendRecord } from './held-record.js';
import { bookOrder, type IdOrder, touchOrder, tradeOrder } from './id-order.js';
import { isSharedState, type Judged, type Met, type SharedState, SharedStream } from './shared-stream.js';
import { isStream, type StreamKind, streamKind } from './stream-kind.js';
import type { Track } from './track.js';

/** Who applies the one stream to its track. */
export interface OneStream {
  /**
   * A record of the one stream; those of one entry have its `t`, and all but the last of them MORE. `line`: that of a record which
   * had waited, where `take` was given bytes; null where it is that of the entry.
   */
  record(buffer: EventBuffer, i: number, line: Buffer | null): void;
  /** a message at `t` brought nothing: another connection had brought it, or it waits */
  nothing(t: Micros): void;
}

export interface UnionOptions {
  track: Track;
  rules: VenueRules;
  /** the connection that records of an origin came by */
  connOf: (origin: number) => string | null;
}

/** What was met while several connections were there. */
export interface UnionCounts {
  /** records that another connection had brought already */
  copies: number;
  /** streams that went on on another connection where nothing tells what is missing or doubled */
  unresolvable: number;
}

/** One src's union; see the top of this file. */
export class Union {
  /** when what waits has waited long enough; Infinity where nothing does */
  due: Micros = Number.POSITIVE_INFINITY;
  /** several connections are there, or one still brings what another had brought: records have to be looked at */
  several = false;
  readonly counts: UnionCounts = { copies: 0, unresolvable: 0 };
  /** a checkpoint left open which connections bring what, and that has mattered since */
  guessed = false;
  readonly #track: Track;
  readonly #rules: VenueRules;
  readonly #connOf: (origin: number) => string | null;
  /** connections that brought a message and have not ended */
  readonly #alive = new Set<string>();
  /** connections that opened, and brought no message yet */
  #opening = new Set<string>();
  /** those whose opening was seen, once reading began at a checkpoint that said nothing of connections; else null */
  #opened: Set<string> | null = null;
  /** by layout and variant; empty while one connection is there */
  readonly #streams = new Map<number, SharedStream>();
  #origin = -1;
  #conn: string | null = null;
  /** what an entry released or brought, and the lines of what had waited */
  readonly #out = new EventBuffer(16, 256);
  #lines: (Buffer | null)[] = [];

  constructor({ track, rules, connOf }: UnionOptions) {
    this.#track = track;
    this.#rules = rules;
    this.#connOf = connOf;
  }

  /** Records of this origin follow. Ask on every change of the origin, and look at `several` then. */
  meet(origin: number): void {
    if (origin === this.#origin) return;
    this.#origin = origin;
    const conn = this.#connOf(origin);
    this.#conn = conn;
    if (conn === null || this.#alive.has(conn)) return;
    this.#alive.add(conn);
    this.#opening.delete(conn);
    this.#refresh();
  }

  #refresh(): void {
    let several = this.#alive.size > 1;
    for (const { alone, bringers } of this.#streams.values()) several ||= alone === null && bringers.length > 0;
    if (!several) this.#streams.clear();
    this.several = several;
  }

  /**
   * How far the records from `i` on, all of the origin just met, are of streams that this connection brings alone: they may be
   * applied as they come.
   * @returns the first that has to be taken by `take`
   */
  alone({ events, count }: EventBuffer, i: number): number {
    const conn = this.#conn;
    if (conn === null) return count;
    let known = -1;
    let n = i;
    for (; n < count; n++) {
      const o = n * EVENT_STRIDE;
      if (events[o + Field.ORIGIN] !== this.#origin || events[o + Field.T] >= this.due) break;
      const id = events[o + Field.FLAGS] >> STREAM_SHIFT;
      if (id === known || !isStream(events[o + Field.KIND])) continue;
      if (this.#streams.get(id)?.alone !== conn) break;
      known = id;
    }
    return n;
  }

  /**
   * Takes in the message that begins with record `i`, whichever connection it came by.
   * @param bytes the records were decoded from; given where lines are to be kept with records that wait
   * @returns the first record behind it
   */
  take(buffer: EventBuffer, i: number, one: OneStream, bytes: Buffer | null = null): number {
    const { events, count } = buffer;
    this.meet(events[i * EVENT_STRIDE + Field.ORIGIN]);
    if (!this.several) {
      one.record(buffer, i, null);
      return i + 1;
    }
    const t = events[i * EVENT_STRIDE + Field.T];
    const out = this.#out;
    if (t >= this.due) this.#releaseDue(t);
    let n = i;
    let more = true;
    for (; more && n < count; n++) {
      const o = n * EVENT_STRIDE;
      more = (events[o + Field.FLAGS] & MORE) !== 0;
      const stream = this.#streamOf(events, o);
      const judged = stream === null ? 'pass' : this.#judge(stream, { buffer, o, bytes });
      const waits = stream !== null && stream.held.length > 0;
      if (judged === 'pass') {
        if (n === i && !more && out.count === 0 && !waits) {
          one.record(buffer, i, null);
          if (stream !== null && this.#alive.size < 2) this.#leave(stream);
          return i + 1;
        }
        appendRecord(out, buffer, o);
        this.#lines.push(null);
      } else if (judged === 'copy') this.counts.copies++;
      if (waits) this.#release(stream, t);
      if (stream !== null && this.#alive.size < 2) this.#leave(stream);
    }
    this.#emit(one, t, true);
    return n;
  }

  /** The stream of the record at offset `o`, with who brought it among its connections; null for what is of no stream. */
  #streamOf(e: Float64Array, o: number): SharedStream | null {
    const conn = this.#conn;
    const kind = e[o + Field.KIND];
    if (conn === null || !isStream(kind)) return null;
    const id = e[o + Field.FLAGS] >> STREAM_SHIFT;
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      if (kind === Kind.invalid) return null;
      stream = new SharedStream(id, streamKind(kind));
      this.#streams.set(id, stream);
      const newest = this.#track.newest(id);
      const before = newest?.conn ?? null;
      if (before === null && this.#opened?.has(conn) === true) this.guessed = true;
      if (before !== null && this.#alive.has(before)) stream.add(before);
    }
    if (stream.bringer(conn) === undefined) {
      stream.add(conn);
      if (stream.bringers.length === 2 && stream.order === null) this.#share(stream, e[o + Field.LAST]);
    }
    return stream;
  }

  /** Another connection brings the stream too. */
  #share(stream: SharedStream, id: number): void {
    const order = id < 0 ? null : this.#orderOf(stream.kind);
    // of what was not heard of since a checkpoint that says so
    if (order !== null) stream.share(order, this.#track.newest(stream.id)?.last ?? stream.bringers[0].last);
  }

  /** How ids place the records of such a stream; null where they prove nothing. */
  #orderOf(kind: StreamKind): IdOrder | null {
    if (kind === 'touch') return touchOrder();
    if (kind === 'trade') return this.#rules.tradeChain().numbered ? tradeOrder() : null;
    if (kind !== 'book') return null;
    const chain = this.#rules.continuity();
    return chain.skips === undefined ? bookOrder(chain) : null;
  }

  #judge(stream: SharedStream, met: Met): Judged {
    const conn = this.#conn;
    const { order, bringers } = stream;
    const by = conn === null ? undefined : stream.bringer(conn);
    if (by === undefined || stream.alone === conn) return 'pass';
    const { o } = met;
    const e = met.buffer.events;
    const kind = e[o + Field.KIND];
    const { state } = this.#track;
    if (order === null) {
      // where there is no book to be doubled, one that begins is taken from whoever brings it
      if (kind === Kind.snapshot && state !== 'valid') stream.prefer(by);
      return bringers[0] === by ? 'pass' : 'copy';
    }
    if (kind === Kind.invalid || e[o + Field.LAST] < 0) return stream.lead === conn ? 'pass' : 'copy';
    if (kind !== Kind.snapshot) return stream.place(order, by, met);
    return stream.placeWhole(order, by, this.#follows(stream), met);
  }

  /** The book is valid, and made of this stream. */
  #follows({ id }: SharedStream): boolean {
    return this.#track.state === 'valid' && this.#track.isBook(id);
  }

  #release(stream: SharedStream, t: Micros): void {
    if (stream.order !== null)
      stream.release(stream.order, t, this.#follows(stream), (held) => {
        held.appendTo(this.#out, t);
        this.#lines.push(held.line);
      });
    this.#setDue();
  }

  #releaseDue(t: Micros): void {
    for (const stream of this.#streams.values()) if (t >= stream.due) this.#release(stream, t);
  }

  #setDue(): void {
    let due = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams.values()) due = Math.min(due, stream.due);
    this.due = due;
  }

  /** Hands out what an entry at `t` released or brought; `whole`: nothing else of it follows. */
  #emit(one: OneStream, t: Micros, whole: boolean): void {
    const out = this.#out;
    const { count } = out;
    this.#track.t = t;
    if (count === 0) {
      if (whole) one.nothing(t);
      return;
    }
    if (whole) out.events[(count - 1) * EVENT_STRIDE + Field.FLAGS] &= ~MORE;
    for (let n = 0; n < count; n++) one.record(out, n, this.#lines[n]);
    out.clear();
    this.#lines = [];
  }

  /** Only time moves to `t`: what has waited long enough is handed out, as part of an entry that is still to come. */
  pass(t: Micros, one: OneStream): void {
    if (t < this.due) return;
    this.#releaseDue(t);
    this.#emit(one, t, false);
  }

  /** Takes in an entry that is not a message, of whose body these levels were read apart. Returns Effect bits. */
  entry(entry: Entry, one: OneStream, levels?: ScaledLevels): number {
    this.pass(entry.t, one);
    if ('close' in entry) return this.#end(entry, one);
    if ('open' in entry) {
      this.#opening.add(entry.conn);
      this.#opened?.add(entry.conn);
    }
    const effect = this.#track.entry(entry, levels);
    if ('book' in entry && (effect & Effect.valid) !== 0) this.restore(entry.book);
    return effect;
  }

  /** Whether the end of this connection costs nothing: all that counts of what it brings, others bring too. */
  covers(conn: string): boolean {
    let covered = false;
    for (const { bringers, order } of this.#streams.values()) {
      const at = bringers.findIndex((one) => one.conn === conn);
      if (at < 0) continue;
      if (bringers.length === 1 || (order === null && at === 0)) return false;
      covered = true;
    }
    return covered;
  }

  #end(entry: CloseEntry, one: OneStream): number {
    // on a market without trades yet the others are taken to bring them as they bring the rest
    const costs = this.#track.knowsTrades || !this.covers(entry.conn);
    const effect = this.#close(entry, one);
    this.#track.t = entry.t;
    return costs ? effect | this.#track.entry(entry) : effect;
  }

  /** A connection ended: what others bring too goes on. */
  #close({ t, conn, close }: CloseEntry, one: OneStream): number {
    this.#opened?.delete(conn);
    this.#opening.delete(conn);
    if (!this.#alive.delete(conn)) return Effect.none;
    if (this.#conn === conn) this.#origin = -1;
    let effect: number = Effect.none;
    for (const stream of this.#streams.values()) {
      const { id, kind, order, bringers } = stream;
      const counted = bringers[0]?.conn === conn;
      if (!stream.remove(conn)) continue;
      if (stream.held.length > 0) this.#release(stream, t);
      if (bringers.length === 0) this.#streams.delete(id);
      else if (order !== null) this.#goOn(stream);
      else if (counted && !isOwnClose(close)) {
        this.counts.unresolvable++;
        // of a book and of trades the track says so itself
        if (kind === 'touch' || kind === 'beside') effect |= Effect.besideGap;
      }
    }
    this.#emit(one, t, false);
    this.#refresh();
    return effect;
  }

  /** Another connection brings the stream, without a hole as far as it has come. */
  #goOn(stream: SharedStream): void {
    if (stream.lead !== null) this.#track.movesTo(stream.id, stream.lead);
    stream.settleAlone();
  }

  #leave(stream: SharedStream): void {
    if (stream.settleAlone()) this.#refresh();
  }

  /** All connections are over: another recorder goes on, or bytes are lost and nobody knows. What waited is handed out at `t`. */
  end(t: Micros, one: OneStream): void {
    for (const stream of this.#streams.values()) {
      stream.bringers.length = 0;
      if (stream.held.length > 0) this.#release(stream, t);
    }
    this.#emit(one, t, false);
    this.#alive.clear();
    this.#opening.clear();
    this.#streams.clear();
    this.#opened = null;
    this.#origin = -1;
    this.#conn = null;
    this.due = Number.POSITIVE_INFINITY;
    this.several = false;
  }

  /** True where `checkpoint()` holds all there is to know: nothing waits. */
  get plain(): boolean {
    for (const stream of this.#streams.values()) if (!stream.plain) return false;
    return true;
  }

  /** The track's checkpoint, with where the connections stand that bring the same, or may be about to. */
  checkpoint(): Checkpoint {
    const checkpoint = this.#track.checkpoint();
    const connections = checkpoint.state === 'valid' ? this.#connections() : null;
    return connections === null ? checkpoint : { ...checkpoint, streams: { ...checkpoint.streams, connections } };
  }

  /** Null where each brings streams of its own: then who goes on from here learns all there is to know. */
  #connections(): Connections | null {
    const open = [...this.#alive, ...this.#opening];
    // one alone may still bring what another had brought
    if (open.length < 2 && !this.several) return null;
    const silent = new Set(open);
    const streams: [number, SharedState][] = [];
    let isShared = false;
    for (const id of new Set([...this.#streams.keys(), ...this.#track.streams])) {
      const stream = this.#streams.get(id) ?? this.#aloneOf(id);
      if (stream === null) continue;
      for (const { conn } of stream.bringers) silent.delete(conn);
      isShared ||= stream.alone === null;
      streams.push([id, stream.state(this.#track.newest(id)?.last ?? stream.bringers[0].last)]);
    }
    if (!isShared && silent.size === 0) return null;
    const [alive, opening] = [this.#alive, this.#opening].map((some) => [...some].sort());
    return { open: alive, opening, streams: Object.fromEntries(streams.sort(([a], [b]) => a - b)) };
  }

  /** A stream that nobody asked for since several connections are there. */
  #aloneOf(id: number): SharedStream | null {
    const conn = this.#track.newest(id)?.conn ?? null;
    if (conn === null || !this.#alive.has(conn)) return null;
    const stream = new SharedStream(id, this.#track.kindOf(id));
    stream.add(conn);
    return stream;
  }

  /** Goes on from a checkpoint that the track took over, unless connections were met already. */
  restore({ streams }: Checkpoint): void {
    if (this.#alive.size > 0) return;
    const { connections } = streams;
    if (isConnections(connections)) {
      for (const conn of connections.open) this.#alive.add(conn);
      this.#opening = new Set(connections.opening ?? []);
      for (const [id, state] of Object.entries(connections.streams)) {
        if (!isSharedState(state)) continue;
        const stream = new SharedStream(Number(id), state.kind);
        stream.restore(state, this.#orderOf(state.kind));
        this.#streams.set(stream.id, stream);
        const [first] = stream.bringers;
        if (stream.kind === 'trade' && first !== undefined) this.#track.movesTo(stream.id, stream.lead ?? first.conn);
      }
    } else {
      this.#opened = new Set();
      const { bookConn } = this.#track;
      if (bookConn !== null) this.#alive.add(bookConn);
      this.#opening.clear();
    }
    this.#refresh();
  }
}
