/** Follows one src through its entries: continuity, snapshot join, book state and gaps, the same live and from a tape. */

import type { BookRooms } from '../model/book-room.js';
import type { Continuity } from '../model/continuity.js';
import { scaleDecimal } from '../model/decimal.js';
import {
  type BookState,
  type Checkpoint,
  type CloseEntry,
  type Entry,
  type Gap,
  isOwnClose,
  type Micros,
} from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind, MORE, OFF_BOOK, STREAM_SHIFT } from '../model/event.js';
import { type Instrument, type Scale, scaleOf } from '../model/instrument.js';
import type { ScaledLevels, Snapshot, VenueRules } from '../model/rules.js';
import { BesideStreams } from './beside-streams.js';
import { ASK, BID, Book, type LevelListener } from './book.js';
import { BookStream } from './book-stream.js';
import { createCounts, Effect, type TrackCounts } from './effect.js';
import { Era, MAX_OLD_RUN } from './era.js';
import { createRenewal, type Renewal, type ScaledSnapshot, SnapshotJoin } from './join.js';
import { boundOf, boundText, coverageOf, scaleLevels, textsOf, wholeTexts } from './scaled-levels.js';
import type { StreamKind } from './stream-kind.js';
import { COUNTS_ANEW, REPEATED } from './trade-ids.js';
import { NOT_OF_FLOW, TradeStreams } from './trade-streams.js';

export { Effect, type TrackCounts } from './effect.js';

export interface TrackOptions {
  instrument: Instrument;
  rules: VenueRules;
  /** the channel that counts as flow, so that a gap of another trade channel costs nothing */
  flow?: string;
  /**
   * The connection that records of an origin came by, so that the end of another connection costs the book nothing.
   * Without it every `close` concerns everything.
   */
  connOf?: (origin: number) => string | null;
  onLevel?: LevelListener;
  /** where the book's levels live */
  rooms?: BookRooms | undefined;
}

/** State of one src; see `createTrack`. */
export class Track {
  readonly instrument: Instrument;
  readonly scale: Scale;
  readonly book: Book;
  readonly continuity: Continuity;
  /** the book is the best levels only, and known as far as they reach */
  readonly slides: boolean;
  readonly counts: TrackCounts = createCounts();
  state: BookState = 'empty';
  /** newest receive time seen, `clock` entries included */
  t: Micros = 0;
  /** newest exchange push time seen, µs; 0 before any */
  emitted = 0;
  /** `t` of the last update that was applied, and of the last trade */
  lastBookT: Micros = 0;
  lastTradeT: Micros = 0;
  /** exchange time of the last update applied to the valid book: matched, else pushed; 0 where it says neither */
  bookAt: Micros = 0;
  /** the gap that cost the book its validity, until the next join */
  gap: Gap | null = null;
  /** true when updates wait for a snapshot and the one at hand (if any) cannot be joined: a recorder must fetch */
  needsSnapshot = false;
  onLevel: LevelListener | null;
  /** `onLevel` hears of prices in [low, high] only, scaled; its owner may move the bounds between messages */
  levelBand = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  /** prices between which the book is known, see `low` */
  #low = Number.NaN;
  #high = Number.NaN;
  /** the book has moved since they were looked up */
  #slid = false;
  readonly #rules: VenueRules;
  readonly #flow: string | undefined;
  readonly #stream: BookStream;
  readonly #trades: TradeStreams;
  readonly #beside: BesideStreams;
  readonly #join = new SnapshotJoin();
  #renewal: Renewal | null = null;
  /** since the book was joined: before that, updates that are older than a snapshot may come as late as they like */
  readonly #era = new Era();
  /** a checkpoint told of the book and of no time, and no update followed since */
  #unsure = false;
  #guessed = false;
  /** updates in a row that were older than the book */
  #staleRun = 0;

  constructor(options: TrackOptions) {
    this.instrument = options.instrument;
    this.scale = scaleOf(options.instrument);
    this.book = new Book(scaleDecimal(options.instrument.tick, this.scale.price), options.rooms);
    this.#rules = options.rules;
    this.continuity = options.rules.continuity();
    this.slides = options.rules.slides === true;
    this.onLevel = options.onLevel ?? null;
    this.#flow = options.flow;
    const connOf = options.connOf ?? (() => null);
    this.#beside = new BesideStreams(connOf);
    this.#stream = new BookStream(connOf);
    this.#trades = new TradeStreams(options.rules.tradeChain, connOf);
  }

  /** Lowest price down to which the book is known, scaled; NaN where that is not known. */
  get low(): number {
    if (this.#slid) this.#slide();
    return this.#low;
  }

  /** Highest price up to which the book is known, scaled; NaN where that is not known. */
  get high(): number {
    if (this.#slid) this.#slide();
    return this.#high;
  }

  #slide(): void {
    this.#slid = false;
    this.#low = this.book.worstPrice(BID);
    this.#high = this.book.worstPrice(ASK);
  }

  /**
   * Applies record `i` of a decoded batch. Returns Effect bits. A message of several records is applied whole with the
   * last of them (the first without MORE): callers look at the book only then.
   */
  apply(buffer: EventBuffer, i: number): number {
    const e = buffer.events;
    const o = i * EVENT_STRIDE;
    const t = e[o + Field.T];
    this.t = t;
    if ((e[o + Field.FLAGS] & MORE) === 0) this.counts.messages++;
    const emitted = e[o + Field.EMITTED];
    if (emitted > this.emitted) this.emitted = emitted;
    switch (e[o + Field.KIND]) {
      case Kind.touch:
        this.counts.touches++;
        this.#beside.quote(e, o);
        return Effect.touch;
      case Kind.trade:
        return this.#trade(e, o, t);
      case Kind.depth:
        return this.#depth(buffer, o, t);
      case Kind.snapshot:
        return this.#wholeBook(buffer, o, t);
      case Kind.derivative:
        this.#beside.other(e, o);
        return Effect.derivative;
      case Kind.liquidation:
        this.#beside.other(e, o);
        return (e[o + Field.FLAGS] & OFF_BOOK) === 0 ? Effect.liquidation : Effect.none;
      case Kind.unknown:
        this.counts.unknown++;
        return Effect.none;
      case Kind.invalid:
        this.counts.invalid++;
        return this.#invalid(e[o + Field.FLAGS] >> STREAM_SHIFT);
      default:
        return Effect.none;
    }
  }

  /** Takes in `count` touches that end with record `last`, as `apply` of each would; `emitted`: the newest push time so far. */
  touches(events: Float64Array, last: number, count: number, emitted: Micros): void {
    const o = last * EVENT_STRIDE;
    this.counts.messages += count;
    this.counts.touches += count;
    this.t = events[o + Field.T];
    this.emitted = emitted;
    this.#beside.quote(events, o);
  }

  /**
   * Where a stream stands, by layout and variant: the connection that brought its newest record, null where that is not known, and the
   * newest id, -1 where there is none. Null before any record of it.
   */
  newest(stream: number): { conn: string | null; last: number } | null {
    if (this.#stream.is(stream)) {
      const last = this.continuity.joined ? this.continuity.last : this.#join.last;
      return { conn: this.#stream.conn, last };
    }
    return this.#beside.newest(stream) ?? this.#trades.newest(stream);
  }

  /** Streams that `newest` tells of. */
  get streams(): number[] {
    return [this.#stream.id, ...this.#beside.ids, ...this.#trades.ids].filter((id) => id >= 0);
  }

  /** What a stream that `newest` tells of is made of. */
  kindOf(stream: number): StreamKind {
    if (this.#stream.is(stream)) return 'book';
    return this.#beside.kindOf(stream) ?? 'trade';
  }

  /** The connection that brought the newest of the book; null where it is not known. */
  get bookConn(): string | null {
    return this.#stream.conn;
  }

  /** A trade was ever seen: it is known by which connection they come. */
  get knowsTrades(): boolean {
    return this.#trades.ids.length > 0;
  }

  /** From here on another connection brings a stream that goes on without a hole: the end of the one so far costs nothing. */
  movesTo(stream: number, conn: string): void {
    if (this.#stream.is(stream)) this.#stream.movesTo(conn);
    else if (this.#beside.kindOf(stream) === 'touch') this.#beside.quotesMoveTo(conn);
    else this.#trades.movesTo(stream, conn);
  }

  /** A message with a number that cannot be held: its own stream has a hole, others do not. */
  #invalid(stream: number): number {
    if (this.#stream.is(stream)) return this.lose({ stream: 'depth', from: this.lastBookT, reason: 'number' });
    return this.#trades.isFlow(stream) ? Effect.tradeGap : Effect.none;
  }

  #trade(e: Float64Array, o: number, t: Micros): number {
    this.lastTradeT = t;
    this.counts.trades++;
    const missing = this.#trades.take(e, o);
    if (missing === NOT_OF_FLOW) this.counts.besideFlow++;
    if (missing === NOT_OF_FLOW || missing === REPEATED) return Effect.none;
    let effect: number = Effect.trade;
    if ((e[o + Field.FLAGS] & OFF_BOOK) !== 0) {
      effect = Effect.offBook;
      this.counts.offBook++;
    }
    if (missing === 0) return effect;
    if (missing !== COUNTS_ANEW) this.counts.tradesMissing += missing;
    return effect | Effect.tradeGap;
  }

  /** Whether the book is made of the stream of this layout and variant. */
  isBook(stream: number): boolean {
    return this.#stream.is(stream);
  }

  /**
   * The stream itself brings a whole book: a join without delay. Where the book was valid, what led to this is not known,
   * so it counts as lost and found again.
   */
  #wholeBook(buffer: EventBuffer, o: number, t: Micros): number {
    const e = buffer.events;
    this.counts.snapshots++;
    if (!this.#stream.follows(e, o)) return Effect.none;
    const lost = this.state === 'valid' ? Effect.lost : Effect.none;
    this.#join.forget();
    this.#renewal = null;
    this.#staleRun = 0;
    this.continuity.whole(e[o + Field.LAST]);
    // a venue may answer with an empty book of id 0 for an instrument that is gone: its rules refuse it
    if (!this.continuity.joined) return this.lose({ stream: 'depth', from: this.lastBookT, reason: 'snapshot' });
    const start = e[o + Field.PRICE] * 2;
    const bids = e[o + Field.SIZE];
    const asks = e[o + Field.PRICE2];
    this.#loadLevels({ bids, levels: buffer.levels.subarray(start, start + (bids + asks) * 2) });
    this.lastBookT = t;
    this.#becomeValid();
    return lost | Effect.valid;
  }

  #depth(buffer: EventBuffer, o: number, t: Micros): number {
    const e = buffer.events;
    this.counts.depth++;
    if (!this.#stream.follows(e, o)) return Effect.none;
    const first = e[o + Field.FIRST];
    const last = e[o + Field.LAST];
    const previous = e[o + Field.PREVIOUS];
    if (this.state === 'valid') {
      const newest = this.continuity.last;
      const verdict = this.continuity.update(first, last, previous);
      const at = e[o + Field.MATCHED] || e[o + Field.EMITTED];
      if (verdict === 'apply') {
        if (this.#renewal !== null) this.#renew(this.#renewal, first, last, previous);
        this.#applyLevels(buffer.levels, e[o + Field.PRICE], e[o + Field.SIZE], e[o + Field.PRICE2]);
        // where ids show no loss, this is all that does
        if (this.continuity.skips !== undefined && this.book.crossed())
          return this.lose({ stream: 'depth', from: this.lastBookT, reason: 'crossed' });
        this.lastBookT = t;
        this.bookAt = at;
        this.#era.followed(at);
        this.#unsure = false;
        this.#staleRun = 0;
        return Effect.book;
      }
      // old updates are repeats, unless the venue counts anew
      const isAnew = last < newest && this.#era.isOver(at);
      this.#guessed ||= this.#unsure;
      if (verdict === 'stale' && !isAnew && ++this.#staleRun < MAX_OLD_RUN) {
        this.counts.stale++;
        return Effect.none;
      }
      this.#staleRun = 0;
      const gap: Gap = {
        stream: 'depth',
        from: this.lastBookT,
        reason: 'sequence',
        expected: this.continuity.last,
        got: this.continuity.named(first, last, previous),
      };
      this.counts.bookGaps++;
      this.lose(gap);
      this.#join.keep(buffer, o);
      return Effect.lost;
    }
    if (this.state === 'empty') this.state = 'syncing';
    this.#join.keep(buffer, o);
    return this.#tryJoin();
  }

  /**
   * Replaces the levels by those of a newer snapshot once the stream has reached it: far levels become known again. The
   * chain of updates is unbroken, so this is no gap and no flow.
   */
  #renew({ from, chain }: Renewal, first: number, last: number, previous: number): void {
    const verdict = chain.update(first, last, previous);
    if (verdict === 'stale') return;
    this.#renewal = null;
    if (verdict !== 'apply') return;
    this.#loadLevels(from.levels);
    this.counts.renewed++;
  }

  #applyLevels(levels: Float64Array, start: number, bids: number, asks: number): void {
    const { book, onLevel } = this;
    const low = onLevel === null ? Number.POSITIVE_INFINITY : this.levelBand.low;
    const { high } = this.levelBand;
    book.message(levels, start * 2, bids, asks, low, high, onLevel ?? undefined);
    this.#slid = this.slides;
    this.counts.applied++;
    if (book.crossed()) this.counts.crossed++;
  }

  /** Tries to join the snapshot at hand with the updates kept. */
  #tryJoin(): number {
    const joined = this.#join.join(this.continuity, this.t);
    this.needsSnapshot = joined === 'fetch';
    if (joined === 'fetch' || joined === 'wait') return Effect.none;
    this.#loadLevels(joined.from.levels);
    const listener = this.onLevel;
    this.onLevel = null; // a snapshot is not flow, nor are the updates that complete it
    for (const { t, bids, levels } of joined.updates) {
      this.#applyLevels(levels, 0, bids, (levels.length >> 1) - bids);
      this.lastBookT = t;
    }
    this.onLevel = listener;
    this.#becomeValid();
    return Effect.valid;
  }

  #becomeValid(): void {
    this.state = 'valid';
    this.#era.forget();
    this.#unsure = false;
    this.gap = null;
    this.needsSnapshot = false;
  }

  #loadLevels(scaled: ScaledLevels): void {
    this.book.replace(scaled.levels, scaled.bids);
    this.#covers(coverageOf(scaled));
  }

  #covers({ low, high }: { low: number; high: number }): void {
    this.#low = low;
    this.#high = high;
    this.#slid = this.slides;
  }

  /**
   * A REST snapshot arrived: the base to join, or where the book is valid, a renewal of it. Returns Effect bits.
   * @param apart its levels, where they were read apart from it
   */
  snapshot(snapshot: Snapshot, apart?: ScaledLevels): number {
    this.counts.snapshots++;
    const levels = apart ?? scaleLevels(snapshot, this.scale);
    if (levels === null) {
      this.counts.invalid++;
      return Effect.none;
    }
    if (this.state === 'valid') {
      this.#renewal = createRenewal({ snapshot, levels }, this.#rules.continuity());
      return Effect.none;
    }
    this.state = 'syncing';
    this.#join.offer({ snapshot, levels }, this.t);
    return this.#tryJoin();
  }

  /** The book can no longer be trusted: everything is forgotten until the next join. Returns Effect.lost when it was valid. */
  lose(gap: Gap): number {
    const was = this.state;
    this.gap ??= gap;
    this.continuity.reset();
    this.#join.forget();
    this.#renewal = null;
    this.book.clear();
    this.#covers({ low: Number.NaN, high: Number.NaN });
    if (was !== 'empty') this.state = 'syncing';
    this.needsSnapshot = true;
    return was === 'valid' ? Effect.lost : Effect.none;
  }

  /**
   * Applies an entry that is not a message: open, close, http, gap, book, clock, … Returns Effect bits.
   * @param levels those of a book in its body, where they were read apart
   */
  entry(entry: Entry, levels?: ScaledLevels): number {
    this.t = entry.t;
    if ('http' in entry) {
      // trades that were missed are part of the past: neither flow of now nor a book
      if (entry.http.fills !== undefined) return Effect.none;
      const body = entry.http.status === 200 ? this.#rules.readSnapshot(entry.http.body) : null;
      return body === null ? Effect.none : this.snapshot(body, levels);
    }
    if ('close' in entry) return this.#close(entry);
    if ('gap' in entry) return this.#gapEntry(entry.gap);
    if ('drop' in entry)
      return this.lose({ stream: '*', from: this.lastBookT, reason: 'damage' }) | Effect.tradeGap | Effect.besideGap;
    if ('book' in entry && this.state !== 'valid' && entry.book.state === 'valid') return this.restore(entry.book);
    return Effect.none;
  }

  /** What the connection carried cannot be trusted from here on; what another carried can. */
  #close({ conn, close }: CloseEntry): number {
    // the recorder's own end: nothing was missed before it, and what comes after begins with a header or an `open`
    if (isOwnClose(close)) return Effect.none;
    // trade ids go on: the next connection's tell how many trades were missed
    const trades = this.#trades.comesBy(conn) ? Effect.tradeGap : Effect.none;
    const effect = trades | (this.#beside.comeBy(conn) ? Effect.besideGap : Effect.none);
    if (!this.#stream.comesBy(conn)) return effect;
    this.#stream.forget();
    return effect | this.lose({ stream: '*', from: this.lastBookT, reason: 'disconnect' });
  }

  #gapEntry(gap: Gap): number {
    const { stream } = gap;
    if (stream === (this.#flow ?? 'trade')) return Effect.tradeGap;
    if (stream !== '*' && !stream.startsWith('depth')) return Effect.besideGap;
    const others = stream === '*' ? Effect.tradeGap | Effect.besideGap : Effect.none;
    // our own check found it at the message before: the entry only confirms it
    if ((gap.reason === 'sequence' || gap.reason === 'crossed') && this.gap !== null) return others;
    return others | this.lose(gap);
  }

  /** Everything needed to go on from here, as the `book` entry holds it. */
  checkpoint(): Checkpoint {
    const { scale } = this;
    const valid = this.state === 'valid';
    return {
      state: this.state,
      coverage: { low: boundText(this.low, scale), high: boundText(this.high, scale) },
      streams: {
        depth: this.continuity.state(),
        ...this.#stream.state(),
        era: this.#era.state(),
        trades: this.#trades.state(),
        lastBookT: this.lastBookT,
        lastTradeT: this.lastTradeT,
        emitted: this.emitted,
        ...(this.#renewal === null ? {} : { renewal: renewalOf(this.#renewal.from, scale) }),
      },
      bids: valid ? textsOf(this.book.levels(BID), scale) : [],
      asks: valid ? textsOf(this.book.levels(ASK), scale) : [],
    };
  }

  /** True where `checkpoint()` holds all there is to know: no run of old updates or trades is being counted. */
  get plain(): boolean {
    return this.#staleRun === 0 && this.#trades.plain;
  }

  /**
   * True where something mattered since that a restored checkpoint does not hold: which connection brings the trades, or by older ones,
   * when the newest record was made.
   */
  get guessed(): boolean {
    return this.#guessed || this.#trades.guessed;
  }

  #renewAgain(snapshot: Snapshot): void {
    const levels = scaleLevels(snapshot, this.scale);
    if (levels !== null) this.#renewal = createRenewal({ snapshot, levels }, this.#rules.continuity());
  }

  /** Takes over a checkpoint; returns Effect.valid when it holds a valid book. */
  restore(checkpoint: Checkpoint): number {
    const { streams } = checkpoint;
    const levels = scaleLevels(checkpoint, this.scale);
    if (levels === null) {
      this.counts.invalid++;
      return Effect.none;
    }
    this.continuity.restore((streams.depth ?? {}) as Record<string, unknown>);
    this.#stream.restore(streams);
    this.#trades.restore((streams.trades ?? {}) as Record<string, unknown>);
    for (const name of ['lastBookT', 'lastTradeT', 'emitted'] as const) {
      const value = streams[name];
      if (typeof value === 'number') this[name] = value;
    }
    this.#join.forget();
    this.#renewal = null;
    if (checkpoint.state !== 'valid') return Effect.none;
    if (streams.renewal !== undefined) this.#renewAgain(streams.renewal as Snapshot);
    this.book.replace(levels.levels, levels.bids);
    const { low, high } = checkpoint.coverage;
    this.#covers({ low: boundOf(low, this.scale), high: boundOf(high, this.scale) });
    this.#becomeValid();
    this.#era.restore(streams.era);
    this.#unsure = streams.era === undefined;
    return Effect.valid;
  }
}

/** A snapshot with the texts of its levels as a checkpoint has them, whether it came with texts or not. */
function renewalOf({ snapshot, levels }: ScaledSnapshot, scale: Scale): Snapshot {
  return { ...snapshot, ...wholeTexts(levels, scale) };
}

/** Starts following a src. */
export function createTrack(options: TrackOptions): Track {
  return new Track(options);
}
