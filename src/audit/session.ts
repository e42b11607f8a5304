/** Audits what one recorder wrote of one src: continuity, gaps, trade ids, checkpoints, best quotes, times. */
import type { Decoder } from '../decode/decoder.js';
import { MAX_STREAMS } from '../decode/layout.js';
import { createTrack, Effect, type Track } from '../market/track.js';
import { COUNTS_ANEW, TradeIds } from '../market/trade-ids.js';
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
} from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE, STREAM_SHIFT } from '../model/event.js';
import { formatTime } from '../model/time.js';
import type { Venue } from '../venues/venue.js';
import { BookAudit, type Place } from './book-audit.js';
import { BookTimes } from './book-times.js';
import { checkpointDifference } from './checkpoint-check.js';
import { ChecksumAudit } from './checksum-audit.js';
import { ClockAudit } from './clock-audit.js';
import { GapLedger } from './gap-ledger.js';
import { LevelAudit, type LevelCounts } from './level-audit.js';
import { MissingTrades } from './missing-trades.js';
import type { Problems } from './problems.js';
import type { Spans } from './spans.js';
import { BOOK_STREAM, StreamAudit, type StreamSums } from './stream-audit.js';

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
  /** from the first entry to the last, and the part of it in which the book is proven */
  recorded: Micros;
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
  /** time in which something is missing or wrong, or may be */
  suspect: Micros;
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
  readonly #problems: Problems;
  readonly #track: Track;
  readonly #union: Union;
  readonly #one: OneStream;
  /** of the message being taken in */
  #bytes: Buffer = NO_BYTES;
  #place: Place = { file: '', frame: -1, line: 0 };
  readonly #ledger = new GapLedger();
  readonly #tradeIds = new Map<number, TradeIds>();
  readonly #book: BookAudit;
  /** channels of best quotes */
  readonly #quoteStreams: readonly string[];
  #first: Micros;
  #last: Micros = 0;
  /** the book is valid since; NaN while it is not */
  #validSince = Number.NaN;
  #valid: Micros = 0;
  #joined = false;
  /** no message of the segment was seen yet: a checkpoint says what led up to it */
  #segmentStart = true;
  /** a connection was closed and no gap entry said so yet; then the connection opened since */
  #closed = false;
  #reopened: string | null = null;
  #lastMessage: Micros = 0;
  /** connections that brought the newest book update and the newest best quote; null before any */
  #bookConn: string | null = null;
  #quoteConn: string | null = null;
  readonly #checkpoints = { checked: 0, agreed: 0 };
  #lastCheckpoint: SessionResult['lastCheckpoint'] = null;
  readonly #streams: StreamAudit;
  readonly #times = new BookTimes();
  readonly #clock = new ClockAudit();
  readonly #drops = { entries: 0, count: 0 };
  readonly #checksums: ChecksumAudit | null;
  readonly #levels: LevelAudit | null;
  readonly #missing: MissingTrades;

  constructor(options: SessionOptions) {
    const { header, venue, decoder, problems } = options;
    const { instrument } = header.tape;
    this.recorder = header.tape.recorder;
    this.#venue = venue;
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
    this.#missing = new MissingTrades(venue.rest.trades);
    this.#first = header.t;
    this.#streams = new StreamAudit(venue);
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
    this.#streams.read(t);
    if (this.#closed && isData) this.#checkReopened(conn, t, place);
    this.#segmentStart = false;
    this.#last = t;
    if (isData) this.#lastMessage = t;
    if (e[o + Field.EMITTED] > 0) this.#clock.lag.add(t - e[o + Field.EMITTED]);
    this.#judge(bytes, buffer, i, conn, isData, place);
    if (isData && (e[o + Field.FLAGS] & MORE) === 0) this.#streams.message(this.#streamOf(e, o), t);
  }

  #judge(bytes: Buffer, buffer: EventBuffer, i: number, conn: string | null, isData: boolean, place: Place): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    switch (e[o + Field.KIND]) {
      case Kind.depth:
      case Kind.snapshot:
        this.#bookConn = conn;
        this.#depth(bytes, buffer, i, place);
        return;
      case Kind.trade:
        this.#trade(buffer, i, place);
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
    if (this.#ledger.pending && isData) this.#ledger.resume(this.#streamOf(e, o));
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
      if (track.gap !== null) this.#broken('depth', track.gap, track.t, place);
      // quotes count with the book: those so far would be taken for newer than all that follow
      if (countsAnew(track.gap)) this.#book.interruptQuotes();
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
    if (broken) this.#broken('depth', { stream: 'depth', from: 0, reason: 'sequence' }, e[o + Field.T], place);
    if (applied && this.#ledger.pending) this.#ledger.resume('depth');
  }

  #trade(buffer: EventBuffer, i: number, place: Place): void {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const layout = layoutOf(e, o);
    let ids = this.#tradeIds.get(layout);
    if (ids === undefined) {
      ids = new TradeIds(this.#venue.tradeChain());
      this.#tradeIds.set(layout, ids);
    }
    const id = e[o + Field.LAST];
    const missing = ids.next(e[o + Field.FIRST], id, e[o + Field.MATCHED]);
    this.#apply(buffer, i, place);
    let why = `messages are missing before id ${id}`;
    if (missing > 0) {
      why = `${missing} ${this.#streamOf(e, o)} ${why}`;
      const first = e[o + Field.FIRST];
      this.#missing.missed(this.#streamOf(e, o), first - missing, first - 1);
    } else if (missing === COUNTS_ANEW) why = `the ids of ${this.#streamOf(e, o)} messages begin anew at ${id}`;
    else return;
    this.#streams.missing(this.#streamOf(e, o), 0, e[o + Field.T]);
    if (this.#ledger.broken(this.#streamOf(e, o))) this.#problems.add('GAP', why, { ...place });
  }

  /** An entry that is no message, already known to be well-formed. */
  entry(entry: Entry, place: Place): void {
    this.#place = place;
    this.#last = entry.t;
    this.#union.pass(entry.t, this.#one);
    this.#streams.read(entry.t);
    if ('clock' in entry) this.#clock.reading(entry.clock);
    if ('book' in entry) {
      this.#checkpoint(entry, place);
      return;
    }
    if ('close' in entry && !isOwnClose(entry.close)) this.#close(entry);
    if ('open' in entry && this.#closed) this.#reopened = entry.conn;
    if ('drop' in entry) {
      this.#drops.entries++;
      this.#drops.count += entry.drop.count;
      const gap: Gap = { stream: '*', from: this.#lastMessage, reason: 'damage' };
      const text = `the recorder dropped ${entry.drop.count} entries: ${entry.drop.reason}`;
      this.#broken('*', gap, entry.t, place, text);
    }
    if ('gap' in entry) this.#gapEntry(entry.gap, entry.t, place);
    this.#applyEntry(entry, place);
    if (!('http' in entry)) return;
    this.#levels?.answer(entry, place);
    this.#missing.answer(entry);
  }

  /** What came by this connection may miss messages from here on. */
  #close({ conn }: CloseEntry): void {
    if (this.#union.covers(conn)) return;
    this.#closed = true;
    this.#reopened = null;
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
    this.#closed = false;
    if (gap.stream === '*') this.#interrupted();
    else if (gap.stream.startsWith('depth') && gap.reason !== 'sequence') this.#book.forgetUpdates();
    else if (this.#quoteStreams.includes(gap.stream)) this.#book.interruptQuotes();
    const isNew = this.#ledger.entry(gap);
    if (isNew) this.#problems.add('GAP', gapText(gap), { ...place });
    // a break of the chain was seen at the message before, which is where it ends
    if (isNew || gap.reason !== 'sequence') this.#streams.missing(gap.stream, gap.from, t);
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
      const gap: Gap = { stream: '*', from: this.#lastMessage, reason: 'damage' };
      this.#broken('*', gap, entry.t, place, `messages before this segment are missing: ${difference}`);
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
    this.#ledger.broken('*');
    this.#streams.lost(this.#last);
    const lastBookT = this.#track.lastBookT;
    const effect = this.#track.lose({ stream: '*', from: lastBookT, reason: 'damage' });
    if ((effect & Effect.lost) !== 0) this.#lost(lastBookT);
    this.#interrupted();
  }

  finish(): SessionResult {
    if (!Number.isNaN(this.#validSince)) this.#valid += this.#last - this.#validSince;
    this.#times.end(this.#last);
    const touch = this.#book.finish(this.#last);
    const { counts, continuity } = this.#track;
    if (counts.depth > 0 && !this.#joined)
      this.#problems.add('NO_SNAPSHOT', 'no snapshot joins the book updates: the book is provisional and unverified');
    if (counts.crossed > 0)
      this.#problems.add('CROSSED', `the best bid was not below the best ask after ${counts.crossed} updates`);
    const recorded = Math.max(0, this.#last - this.#first);
    const verified = Math.max(0, this.#valid - touch.contradicted);
    return {
      gaps: this.#ledger.count,
      depth: counts.depth,
      joined: this.#joined,
      recorded,
      verified,
      streams: this.#streams.finish(recorded, verified, touch.contradicted),
      suspect: this.#streams.suspect.total + touch.contradicted,
      drops: this.#drops,
      crossed: this.#times.crossed,
      stale: this.#times.stale,
      clock: this.#clock,
      touch: { checked: touch.checked, agreed: touch.agreed },
      checksums: this.#checksums?.counts ?? { checked: 0, agreed: 0 },
      levels: this.#levels?.counts ?? { reads: 0, checked: 0, agreed: 0, unsettled: 0 },
      checkpoints: this.#checkpoints,
      lastCheckpoint: this.#lastCheckpoint,
      skips: continuity.skips ?? { updates: 0, ids: 0 },
      missing: this.#missing.missing,
      backfilled: this.#missing.backfilled,
      unknown: counts.unknown,
    };
  }

  #becameValid(t: Micros): void {
    this.#levels?.forget();
    this.#validSince = t;
    this.#joined = true;
    this.#ledger.resume('depth');
  }

  /** The book is no longer valid, from its last good update on (not from when that was seen). */
  #lost(lastBookT: Micros): void {
    this.#levels?.forget();
    this.#times.end(lastBookT);
    this.#book.lost(lastBookT);
    if (!Number.isNaN(this.#validSince)) this.#valid += Math.max(0, lastBookT - this.#validSince);
    this.#validSince = Number.NaN;
  }

  /** Messages of any kind may be missing here. */
  #interrupted(): void {
    this.#book.interruptUpdates();
    this.#book.interruptQuotes();
  }

  /** @param t when it was seen */
  #broken(stream: string, gap: Gap, t: Micros, place: Place, text = gapText(gap)): void {
    this.#streams.missing(stream, gap.from, t);
    if (this.#ledger.broken(stream)) this.#problems.add('GAP', text, { ...place });
  }

  /** A connection came back and brings messages, and no gap entry owned up to what it missed. */
  #checkReopened(conn: string | null, t: Micros, place: Place): void {
    if (conn === null || conn !== this.#reopened) return;
    this.#closed = false;
    this.#broken('*', { stream: '*', from: this.#lastMessage, reason: 'disconnect' }, t, place);
  }
}

/** Which of the venue's layouts explains a record. */
function layoutOf(e: Float64Array, o: number): number {
  return Math.floor(e[o + Field.FLAGS] / (MAX_STREAMS << STREAM_SHIFT));
}

/** Whether a gap of the book is one because its ids begin anew. */
const countsAnew = (gap: Gap | null): boolean => gap?.reason === 'sequence' && (gap.got ?? 0) < (gap.expected ?? 0);

/** A gap in words: `depth messages are missing since 2023-04-05T…: sequence, expected 5, got 7`. */
function gapText(gap: Gap): string {
  const stream = gap.stream === '*' ? 'messages of all streams' : `${gap.stream} messages`;
  // a damaged line may name a time that no date can show
  const since = gap.from > 0 && Number.isSafeInteger(gap.from) ? ` since ${formatTime(gap.from)}` : '';
  const ids =
    gap.expected === undefined && gap.got === undefined
      ? ''
      : `, expected ${gap.expected ?? 'another'}, got ${gap.got ?? 'nothing'}`;
  return `${stream} are missing${since}: ${gap.reason}${ids}`;
}
