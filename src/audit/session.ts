/** Audits what one recorder wrote of one src: its book, checkpoints, best quotes and times; what is missing, its `LossAudit` tells. */
import type { Decoder } from '../decode/decoder.js';
import { MAX_STREAMS } from '../decode/layout.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import { type OneStream, Union } from '../market/union.js';
import type { Skips } from '../model/continuity.js';
import {
  type BookEntry,
  type CloseEntry,
  type Entry,
  type Gap,
  type HeaderEntry,
  isOwnClose,
  type Micros,
  SHARED_SYMBOL,
} from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE, STREAM_SHIFT } from '../model/event.js';
import { WITNESSED, witnessOf } from '../model/witness.js';
import type { Venue } from '../venues/venue.js';
import { BookAudit, type Place } from './book-audit.js';
import { BookTimes } from './book-times.js';
import { checkpointDifference } from './checkpoint-check.js';
import { ChecksumAudit } from './checksum-audit.js';
import { ClockAudit } from './clock-audit.js';
import { LevelAudit, type LevelCounts } from './level-audit.js';
import { LossAudit } from './loss-audit.js';
import type { Problems } from './problems.js';
import { Spans } from './spans.js';
import { BOOK_STREAM, type StreamSums } from './stream-audit.js';

export interface SessionOptions {
  header: HeaderEntry;
  venue: Venue;
  decoder: Decoder;
  problems: Problems;
}

export interface SessionResult {
  gaps: number;
  depth: number;
  /** the book was joined to a snapshot at least once */
  joined: boolean;
  /** from the first entry to the last; the part of it in which no stream is suspect; and of that, in which the book is proven */
  recorded: Micros;
  clean: Micros;
  verified: Micros;
  touch: { checked: number; agreed: number };
  /** of the book, as the venue states them */
  checksums: { checked: number; agreed: number };
  /** of the book, as books over REST have them */
  levels: LevelCounts;
  checkpoints: { checked: number; agreed: number };
  /** the last checkpoint that could be held against the book; null where none could */
  lastCheckpoint: { t: Micros; agreed: boolean } | null;
  streams: ReadonlyMap<string, StreamSums>;
  drops: { entries: number; count: number };
  crossed: Spans;
  stale: Spans;
  clock: ClockAudit;
  /** updates of the book whose ids left others out, and how many ids, where that proves nothing */
  skips: Skips;
  /** trades that ids say are missing, of all trade streams, and those of them that were read over REST later */
  missing: number;
  backfilled: number;
  unknown: number;
}

const NO_BYTES = Buffer.alloc(0);

export class SessionAudit {
  readonly recorder: string;
  readonly #venue: Venue;
  readonly #flow: string;
  readonly #witness: string | null;
  readonly #problems: Problems;
  readonly #track: Track;
  readonly #union: Union;
  readonly #one: OneStream;
  /** of the message being taken in */
  #bytes: Buffer = NO_BYTES;
  #place: Place = { file: '', frame: -1, line: 0 };
  /** of the newest entry that is no message: what takes place names moves on with what is read */
  #entryPlace: Place = this.#place;
  readonly #losses: LossAudit;
  readonly #book: BookAudit;
  /** channels of best quotes */
  readonly #quoteStreams: readonly string[];
  #first: Micros;
  #last: Micros;
  /** the book is valid since; NaN while it is not */
  #validSince = Number.NaN;
  readonly #valid = new Spans();
  #joined = false;
  /** something came of a connection, or the tape is one that need not say so: a slice, or what names no single symbol */
  #isThere: boolean;
  /** no message of the segment was seen yet: a checkpoint says what led up to it */
  #segmentStart = true;
  /** connections that brought the newest book update and the newest best quote; null before any */
  #bookConn: string | null = null;
  #quoteConn: string | null = null;
  readonly #checkpoints = { checked: 0, agreed: 0 };
  #lastCheckpoint: SessionResult['lastCheckpoint'] = null;
  readonly #times = new BookTimes();
  readonly #clock = new ClockAudit();
  readonly #checksums: ChecksumAudit | null;
  readonly #levels: LevelAudit | null;

  constructor(options: SessionOptions) {
    const { header, venue, decoder, problems } = options;
    const { instrument } = header.tape;
    this.recorder = header.tape.recorder;
    this.#venue = venue;
    this.#flow = header.tape.flow;
    this.#witness = witnessOf(venue, header.tape.flow, header.tape.channels);
    this.#problems = problems;
    const connOf = (origin: number): string | null => decoder.origins[origin].conn;
    this.#track = createTrack({ instrument, rules: venue, flow: header.tape.flow, connOf });
    this.#union = new Union({ track: this.#track, rules: venue, connOf });
    this.#one = {
      record: (buffer, i, line) => {
        const conn = connOf(buffer.events[i * EVENT_STRIDE + Field.ORIGIN]);
        this.#record(line ?? this.#bytes, buffer, i, conn, this.#place);
      },
      nothing: (t) => {
        this.#last = t;
      },
    };
    this.#checksums = venue.checksum === undefined ? null : new ChecksumAudit(venue.checksum, problems);
    const { audit } = venue.rest;
    this.#levels = audit === undefined ? null : new LevelAudit(audit, this.#track, problems);
    this.#first = header.t;
    this.#last = header.t;
    this.#isThere = header.tape.from !== undefined || header.tape.symbol === SHARED_SYMBOL;
    this.#losses = new LossAudit(venue, problems, header.t);
    this.#book = new BookAudit({ instrument, rules: venue, decoder, problems });
    this.#quoteStreams = venue.layouts.messages.filter(({ event }) => event === 'touch').map(({ name }) => name);
  }

  /** Names the scale, for binding the decoder. */
  get scale(): Track['scale'] {
    return this.#track.scale;
  }

  /** A header of the same recorder: a new segment. */
  nextSegment(): void {
    this.#segmentStart = true;
    this.#clock.nextSegment();
  }

  /**
   * The decoded message that begins with record `i`; `bytes` holds its line.
   * @returns the first record behind it
   */
  take(bytes: Buffer, buffer: EventBuffer, i: number, place: Place): number {
    this.#bytes = bytes;
    this.#place = place;
    this.#isThere = true;
    const o = i * EVENT_STRIDE;
    // those that another connection had brought, or that come too late to be news, are evidence too
    if (buffer.events[o + Field.KIND] === Kind.touch) this.#book.quote(buffer.events, o);
    return this.#union.take(buffer, i, this.#one, bytes);
  }

  /** A record of the one stream that all connections make. */
  #record(bytes: Buffer, buffer: EventBuffer, i: number, conn: string | null, place: Place): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const t = e[o + Field.T];
    const isData = this.#isData(e, o);
    this.#losses.streams.read(t);
    if (isData) this.#losses.begins(conn, t, place);
    this.#segmentStart = false;
    this.#last = t;
    if (e[o + Field.EMITTED] > 0) this.#clock.lag.add(t - e[o + Field.EMITTED]);
    this.#judge(bytes, buffer, i, conn, isData, place);
    if (isData && (e[o + Field.FLAGS] & MORE) === 0) this.#losses.streams.message(this.#streamOf(e, o), t);
  }

  #judge(bytes: Buffer, buffer: EventBuffer, i: number, conn: string | null, isData: boolean, place: Place): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    let isGood = true;
    switch (e[o + Field.KIND]) {
      case Kind.depth:
      case Kind.snapshot:
        this.#bookConn = conn;
        this.#depth(bytes, buffer, i, place);
        return;
      case Kind.trade:
        isGood = this.#losses.trade(this.#streamOf(e, o), e, o, place);
        this.#apply(buffer, i, place);
        break;
      case Kind.touch:
        this.#quoteConn = conn;
        this.#apply(buffer, i, place);
        break;
      case Kind.invalid:
        this.#problems.add('NUMBER', 'a value of the message is missing or cannot be held exactly', { ...place });
        // of another stream it leaves the book as it is
        if (this.#venue.layouts.messages[layoutOf(e, o)]?.event === 'depth') this.#book.forgetUpdates();
        this.#apply(buffer, i, place);
        break;
      default:
        this.#apply(buffer, i, place);
    }
    if (isData && isGood && this.#losses.pending) this.#losses.resume(this.#streamOf(e, o));
  }

  /** Whether the message is of a stream: acks and what nobody knows come before the gap that data after a loss shows. */
  #isData(e: Float64Array, o: number): boolean {
    const kind = e[o + Field.KIND];
    if (kind !== Kind.other) return kind !== Kind.unknown;
    return this.#venue.layouts.messages[layoutOf(e, o)]?.event === 'other';
  }

  #streamOf(e: Float64Array, o: number): string {
    if (e[o + Field.KIND] === Kind.snapshot) return BOOK_STREAM;
    return this.#venue.layouts.messages[layoutOf(e, o)]?.name ?? '';
  }

  /** Lets the market state see a record, and takes note when the book becomes valid or is lost. */
  #apply(buffer: EventBuffer, i: number, place: Place): number {
    const track = this.#track;
    const lastBookT = track.lastBookT;
    const effect = track.apply(buffer, i);
    // a whole book in the stream does both: what led to it is not known
    if ((effect & Effect.lost) !== 0) {
      this.#lost(lastBookT);
      if (track.gap !== null) this.#losses.broken({ ...track.gap, stream: BOOK_STREAM }, track.t, place);
    }
    if ((effect & Effect.valid) !== 0) {
      this.#book.joined(null, place);
      this.#becameValid(track.t);
    }
    return effect;
  }

  #depth(bytes: Buffer, buffer: EventBuffer, i: number, place: Place): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const effect = this.#apply(buffer, i, place);
    if ((effect & (Effect.book | Effect.valid)) !== 0) {
      this.#book.applied(this.#track, e[o + Field.LAST], this.#track.t, place);
      this.#times.applied(this.#track, this.#track.t);
      this.#checksums?.applied(this.#track, bytes, e[o + Field.START], e[o + Field.END], place);
      return;
    }
    // stale, or another speed of the same book; a whole book of another stream
    if (this.#track.state === 'valid' || e[o + Field.KIND] === Kind.snapshot) return;
    if ((effect & Effect.lost) !== 0) this.#book.forgetUpdates();
    const { applied, broken } = this.#book.waiting(bytes, buffer, i, place);
    if (broken) this.#losses.broken({ stream: BOOK_STREAM, from: 0, reason: 'sequence' }, e[o + Field.T], place);
    if (applied) this.#losses.resume(BOOK_STREAM);
  }

  /** An entry that is no message, already known to be well-formed. */
  entry(entry: Entry, place: Place): void {
    this.#place = place;
    this.#entryPlace = { ...place };
    this.#last = entry.t;
    this.#union.pass(entry.t, this.#one);
    this.#losses.streams.read(entry.t);
    this.#isThere ||= 'conn' in entry;
    if ('clock' in entry) this.#clock.reading(entry.clock);
    if ('book' in entry) {
      this.#checkpoint(entry, place);
      return;
    }
    if ('close' in entry && !isOwnClose(entry.close)) this.#close(entry);
    if ('open' in entry) this.#losses.opened(entry.conn);
    if ('drop' in entry) this.#losses.drop(entry.drop, entry.t, place);
    // a message that nobody can read may have been a quote, and their ids do not tell
    if ('bin' in entry || ('text' in entry && this.#venue.capabilities.touchById)) this.#book.interruptQuotes();
    if ('gap' in entry) this.#gapEntry(entry.gap, entry.t, place);
    this.#applyEntry(entry, place);
    if (!('http' in entry)) return;
    this.#levels?.answer(entry, place);
    this.#losses.missing.answer(entry);
  }

  /** What came by this connection may miss messages from here on. */
  #close({ conn, close }: CloseEntry): void {
    if (this.#union.covers(conn)) return;
    this.#losses.closed(close.reason);
    if (this.#bookConn === null || this.#bookConn === conn) this.#book.interruptUpdates();
    if (this.#quoteConn === null || this.#quoteConn === conn) this.#book.interruptQuotes();
  }

  #applyEntry(entry: Entry, place: Place): void {
    const track = this.#track;
    const lastBookT = track.lastBookT;
    const effect = this.#union.entry(entry, this.#one);
    if ((effect & Effect.valid) !== 0) {
      this.#book.joined('http' in entry ? entry : null, place);
      this.#becameValid(entry.t);
    }
    if ((effect & Effect.lost) !== 0) this.#lost(lastBookT);
  }

  #gapEntry(gap: Gap, t: Micros, place: Place): void {
    if (gap.stream === '*') this.#interrupted();
    else if (gap.stream.startsWith('depth') && gap.reason !== 'sequence') this.#book.forgetUpdates();
    else if (this.#quoteStreams.includes(gap.stream)) this.#book.interruptQuotes();
    this.#losses.entry(gap, t, place);
  }

  #checkpoint(entry: BookEntry, place: Place): void {
    const track = this.#track;
    if (track.state !== 'valid') {
      this.#applyEntry(entry, place);
      return;
    }
    const difference = checkpointDifference(entry.book, track);
    if (difference !== null && this.#segmentStart) {
      // the messages do not lead up to where this segment begins: a segment before it is not there
      const gap = this.#losses.sinceLast('damage');
      this.#losses.broken(gap, entry.t, place, `messages before this segment are missing: ${difference}`);
      this.#lost(track.lastBookT);
      track.lose(gap);
      this.#interrupted();
      this.#applyEntry(entry, place);
      return;
    }
    this.#checkpoints.checked++;
    this.#lastCheckpoint = { t: entry.t, agreed: difference === null };
    if (difference === null) this.#checkpoints.agreed++;
    else
      this.#problems.add('CHECKPOINT', `the checkpoint is not the book of the messages: ${difference}`, { ...place });
  }

  /** Bytes of the tape are lost here; the caller lists the damage itself. */
  damage(): void {
    this.#union.end(this.#last, this.#one);
    this.#losses.damage(this.#last);
    const lastBookT = this.#track.lastBookT;
    const effect = this.#track.lose({ stream: '*', from: lastBookT, reason: 'damage' });
    if ((effect & Effect.lost) !== 0) this.#lost(lastBookT);
    this.#interrupted();
  }

  finish(): SessionResult {
    if (!Number.isNaN(this.#validSince)) this.#valid.add(this.#validSince, this.#last);
    this.#times.end(this.#last);
    this.#losses.ends(this.#last, this.#entryPlace, this.#isThere);
    const touch = this.#book.finish(this.#last);
    const { counts, continuity } = this.#track;
    if (counts.depth > 0 && !this.#joined)
      this.#problems.add('NO_SNAPSHOT', 'no snapshot joins the book updates: the book is provisional and unverified');
    if (counts.crossed > 0)
      this.#problems.add('CROSSED', `the best bid was not below the best ask after ${counts.crossed} updates`);
    const { streams, gaps } = this.#losses;
    const recorded = Spans.of(this.#first, this.#last);
    const sums = streams.finish(recorded, this.#valid, touch.contradicted);
    this.#checkFlow(sums);
    const suspect = Spans.union(streams.suspect, touch.contradicted);
    return {
      gaps,
      depth: counts.depth,
      joined: this.#joined,
      recorded: recorded.total,
      clean: recorded.without(suspect),
      verified: this.#valid.without(suspect),
      streams: sums,
      drops: this.#losses.drops,
      crossed: this.#times.crossed,
      stale: this.#times.stale,
      clock: this.#clock,
      touch: { checked: touch.checked, agreed: touch.agreed },
      checksums: this.#checksums?.counts ?? { checked: 0, agreed: 0 },
      levels: this.#levels?.counts ?? { reads: 0, checked: 0, agreed: 0, unsettled: 0 },
      checkpoints: this.#checkpoints,
      lastCheckpoint: this.#lastCheckpoint,
      skips: continuity.skips ?? { updates: 0, ids: 0 },
      missing: this.#losses.missing.missing,
      backfilled: this.#losses.missing.backfilled,
      unknown: counts.unknown,
    };
  }

  /** Trades are there in other words only. */
  #checkFlow(sums: ReadonlyMap<string, StreamSums>): void {
    const shown = this.#witness === null ? 0 : (sums.get(this.#witness)?.messages ?? 0);
    if (shown < WITNESSED || (sums.get(this.#flow)?.messages ?? 0) > 0) return;
    this.#problems.add(
      'NO_FLOW',
      `no message of ${this.#flow}, which counts as flow, although ${this.#witness} shows trades in ${shown} messages`,
    );
  }

  #becameValid(t: Micros): void {
    this.#levels?.forget();
    this.#validSince = t;
    this.#joined = true;
    this.#losses.resume(BOOK_STREAM);
  }

  /** The book is no longer valid, from its last good update on (not from when that was seen). */
  #lost(lastBookT: Micros): void {
    this.#levels?.forget();
    this.#times.end(lastBookT);
    this.#book.lost(lastBookT);
    if (!Number.isNaN(this.#validSince)) this.#valid.add(this.#validSince, lastBookT);
    this.#validSince = Number.NaN;
  }

  /** Messages of any kind may be missing here. */
  #interrupted(): void {
    this.#book.interruptUpdates();
    this.#book.interruptQuotes();
  }
}

/** Which of the venue's layouts explains a record. */
function layoutOf(e: Float64Array, o: number): number {
  return Math.floor(e[o + Field.FLAGS] / (MAX_STREAMS << STREAM_SHIFT));
}
