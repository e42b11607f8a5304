/** The recorder of one src: gives times, makes lines, follows continuity, and says what is missing. */
import type { Decoder } from '../decode/decoder.js';
import { Effect, type Track } from '../market/track.js';
import type { TradeChain } from '../model/continuity.js';
import type { Entry, Fills, Gap, GapReason, Micros, Source, TapeHeader } from '../model/entry.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import type { Note } from '../model/note.js';
import { formatTime } from '../model/time.js';
import { binaryLine, entryLine, httpLine, messageLine } from '../tape/line.js';
import type { OpeningLine } from '../tape/writer.js';
import type { Hole } from './backfill.js';
import type { ReceiveClock } from './clock.js';
import { Recent } from './recent.js';
import type { RestAnswer } from './rest.js';
import type { SourceSink } from './sink.js';

/** with the heartbeat's width added, still at least once a second */
const CLOCK_EVERY_MS = 900;
const CHECKPOINT_EVERY_MS = 60_000;
/** enough for quantiles of a busy symbol's last seconds, and of a quiet one's last minutes */
const LAGS = 512;
/** why the tape lost messages */
const DISK = 'the disk was too slow or full';

/** What one connection brings for one src; the gap it owes after it was lost. */
export interface Link {
  channels: string[];
  /** it brings all channels of the src, so a loss concerns every stream */
  whole: boolean;
  /** newest message of this connection on this src, the first opening before any; 0 before that */
  lastT: Micros;
  /** newest opening */
  openedT: Micros;
  /** written before the next message: only then is the interval known */
  owed: { from: Micros; reason: GapReason } | null;
  /** gaps written so far */
  paid: number;
}

/** Where a topic's messages go. */
export interface Route {
  recorder: SourceRecorder;
  link: Link;
  channel: string;
  /** its updates make the book, as far as they have come: of several depths one is followed */
  book: boolean;
  /** ids of the channel's trades; unused for others */
  chain: TradeChain;
  /** `link.paid` at the newest message: a hole in the ids right behind a gap is that gap */
  paid: number;
  /** while the first data is overdue: since when; else 0 */
  silentFrom: Micros;
  /** where the venue's stream itself brings snapshots: monotonic ms before which none is asked for, and how often one was */
  renewAtMs: number;
  renewals: number;
  /** a reconnect was already tried for it, so that one dead topic does not cost the others data again and again */
  retried: boolean;
}

export interface SourceOptions {
  src: Source;
  symbol: string;
  header: Omit<TapeHeader, 'version'>;
  version: number;
  clock: ReceiveClock;
  track: Track;
  decoder: Decoder;
  sink: SourceSink;
  /** newest `t` of an earlier recording that this one goes on from; null for a fresh start */
  after: Micros | null;
  note: Note;
}

export class SourceRecorder {
  readonly src: Source;
  readonly symbol: string;
  readonly track: Track;
  readonly clock: ReceiveClock;
  readonly links: Link[] = [];
  gaps = 0;
  /** newest exchange time minus receive time, µs */
  exchangeLag: Micros | null = null;
  /** receive time minus exchange time of the newest messages, µs */
  readonly lags = new Recent(LAGS);
  /** messages by channel, and the monotonic ms of the newest */
  readonly streams = new Map<string, { messages: number; bytes: number; lastMs: number }>();
  /** hears of trades that did not arrive, whatever the gap entry says was the reason */
  missed: (hole: Hole) => void = () => {};
  readonly #options: SourceOptions;
  readonly #sink: SourceSink;
  readonly #buffer = new EventBuffer(4, 4096);
  #clockAtMs = 0;
  #lagMs = 0;
  #checkpointAtMs = 0;
  /** `t` of the newest gap entry */
  #gapT: Micros = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.src = options.src;
    this.symbol = options.symbol;
    this.track = options.track;
    this.clock = options.clock;
    this.#sink = options.sink;
  }

  get #named(): { venue: string; symbol: string } {
    return { venue: this.#options.header.venue, symbol: this.symbol };
  }

  /** Begins the first segment: header, the restart gap where there is one, checkpoint. */
  begin(nowMs: number): void {
    const { after } = this.#options;
    this.#sink.start(this.clock.stamp(), (next) => this.#opening(next, after));
    this.#opened(nowMs);
  }

  /** Resolves when the first segment stands. @throws {TapedeckError} when the tape cannot be made */
  get ready(): Promise<void> {
    return this.#sink.opened;
  }

  /** What a segment begins with; `after` is where an earlier recording ended. */
  #opening(next: () => Micros, after: Micros | null): OpeningLine[] {
    const { src } = this;
    const { header, version } = this.#options;
    const entries: Entry[] = [{ t: next(), src, tape: { version, ...header } }];
    if (after !== null) {
      this.gaps++;
      entries.push({ t: next(), src, gap: { stream: '*', from: after, reason: 'restart' } });
    }
    for (const entry of entries) this.track.entry(entry);
    entries.push({ t: next(), src, book: this.track.checkpoint() });
    return entries.map((entry) => ({ t: entry.t, line: entryLine(entry), checkpoint: 'book' in entry }));
  }

  /** A segment was begun: time goes on after its entries, anchored anew. */
  #opened(nowMs: number): void {
    this.clock.raise(this.#sink.last);
    this.clock.anchor();
    this.#checkpointAtMs = nowMs + CHECKPOINT_EVERY_MS;
  }

  /**
   * A message of a known topic. `atMs` is the monotonic time it was received.
   * @returns Effect bits of the market state
   */
  message(route: Route, conn: string, data: Buffer, atMs: number): number {
    const { link } = route;
    this.#count(route.channel, data.length, atMs);
    if (link.owed !== null) this.payGap(link, conn, atMs);
    if (route.silentFrom > 0) {
      this.gap({ stream: route.channel, from: route.silentFrom, reason: 'silence' }, conn, atMs);
      route.silentFrom = 0;
    }
    const t = this.clock.stamp(atMs);
    link.lastT = t;
    const line = messageLine(t, this.src, conn, data);
    this.#sink.message(t, line);
    const buffer = this.#buffer;
    buffer.clear();
    this.#options.decoder.decode(line, 0, line.length, buffer);
    const e = buffer.events;
    if (buffer.count === 0 || e[Field.KIND] === Kind.entry) return Effect.none;
    const { track } = this;
    const lastTradeT = track.lastTradeT;
    const emitted = e[Field.EMITTED];
    if (emitted > 0) {
      this.exchangeLag = emitted - t;
      this.lags.add(t - emitted);
    }
    let effect = 0;
    for (let i = 0; i < buffer.count; i++) {
      effect |= track.apply(buffer, i);
      if (e[i * EVENT_STRIDE + Field.KIND] === Kind.trade) this.#followTrades(route, conn, e, i, lastTradeT);
    }
    const kind = e[Field.KIND];
    if (kind === Kind.depth || kind === Kind.snapshot) route.book = track.isBook(e[Field.FLAGS] >> STREAM_SHIFT);
    if ((effect & Effect.lost) !== 0 && track.gap !== null) this.gap(track.gap, conn);
    else if (kind === Kind.invalid && (effect & Effect.tradeGap) !== 0)
      this.gap({ stream: route.channel, from: lastTradeT, reason: 'number' }, conn);
    route.paid = link.paid;
    return effect;
  }

  #count(channel: string, bytes: number, atMs: number): void {
    const stream = this.streams.get(channel);
    if (stream === undefined) {
      this.streams.set(channel, { messages: 1, bytes, lastMs: atMs });
      return;
    }
    stream.messages++;
    stream.bytes += bytes;
    stream.lastMs = atMs;
  }

  /** Trades of every channel are watched, those that are not the flow too. */
  #followTrades({ chain, channel, link, paid }: Route, conn: string, e: Float64Array, i: number, from: Micros): void {
    const got = e[i * EVENT_STRIDE + Field.LAST];
    const first = e[i * EVENT_STRIDE + Field.FIRST];
    const missing = chain.next(got, first);
    if (missing <= 0) return;
    if (paid === link.paid)
      this.gap({ stream: channel, from, reason: 'sequence', expected: first - missing, got }, conn);
    this.missed({ stream: channel, first: first - missing, last: first - 1, gap: this.#gapT });
  }

  /**
   * A message that is no market data of this src: an ack, an unknown topic, text, binary.
   * @param copy another tape has it too, where it is counted
   */
  other(conn: string, data: Buffer, binary: boolean, atMs: number, copy = false): void {
    const t = this.clock.stamp(atMs);
    const line = binary ? binaryLine(t, this.src, conn, data) : messageLine(t, this.src, conn, data);
    if (copy) this.#sink.entry(t, line);
    else this.#sink.message(t, line);
    this.track.t = t;
  }

  opened(link: Link, conn: string, url: string, atMs: number): void {
    const t = this.#write({ t: this.clock.stamp(atMs), src: this.src, conn, open: { url } });
    link.openedT = t;
    if (link.lastT === 0) link.lastT = t;
  }

  sent(conn: string, text: string): void {
    this.#write({ t: this.clock.stamp(), src: this.src, conn, sent: jsonOr(text) });
  }

  /** A connection of this src is gone; `reason` is what its gap will say, null for none. */
  closed(link: Link, conn: string, close: { code: number; reason: string }, reason: GapReason | null): void {
    this.#write({ t: this.clock.stamp(), src: this.src, conn, close });
    if (reason !== null) link.owed ??= { from: link.lastT, reason };
  }

  /**
   * A REST answer, its body verbatim; `sentMs` is the monotonic time of the request, `fills` the missed trades it was made for.
   * Returns Effect bits.
   */
  http(answer: RestAnswer, sentMs: number, fills?: Fills): number {
    const t = this.clock.stamp();
    // the request's time on this src's clock, which may have been anchored anew since
    const sent = Math.min(t, this.clock.at(sentMs));
    const { url, status, body } = answer;
    this.#sink.entry(t, httpLine(t, this.src, { url, status, sent, fills }, body));
    if (fills !== undefined) return this.track.entry({ t, src: this.src, http: { url, status, sent, fills } });
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      return Effect.none;
    }
    return this.track.entry({ t, src: this.src, http: { url, status, sent, body: parsed } });
  }

  /** Writes a gap and lets the market state know. */
  gap(gap: Gap, conn?: string, atMs?: number): void {
    this.gaps++;
    const { stream, from, reason } = gap;
    this.#options.note(`${this.src}: gap in ${stream} since ${formatTime(from)} (${reason})`, {
      ...{ event: 'gap', level: 'warn', logOnly: true, ...this.#named, ...(conn === undefined ? {} : { conn }) },
      data: { stream, from: formatTime(from), reason },
    });
    const t = this.clock.stamp(atMs);
    this.#gapT = t;
    this.#write(conn === undefined ? { t, src: this.src, gap } : { t, src: this.src, conn, gap });
  }

  /** Writes the gaps of a lost connection, now that they end (or the recording does). */
  payGap(link: Link, conn?: string, atMs?: number): void {
    const { owed } = link;
    if (owed === null) return;
    link.owed = null;
    link.paid++;
    for (const stream of link.whole ? ['*'] : link.channels) {
      this.gap({ stream, from: owed.from, reason: owed.reason }, conn, atMs);
    }
  }

  /** Writes the clock and checkpoint entries that are due, and lets the tape flush and rotate. */
  tick(nowMs: number, lagMs: number): void {
    this.#lagMs = Math.max(this.#lagMs, lagMs);
    if (nowMs >= this.#clockAtMs) {
      this.#clockAtMs = nowMs + CLOCK_EVERY_MS;
      this.#writeClock();
      if (this.clock.stepped()) {
        const apart = formatMicros(this.clock.drift());
        this.#options.note(
          `${this.src}: the wall clock moved by ${apart} against the monotonic one; a new segment starts`,
          { event: 'clock-step', level: 'warn', ...this.#named },
        );
        this.clock.anchor();
        this.rotate(nowMs);
      }
    }
    this.#settle();
    if (this.#sink.tick(this.clock.stamp())) this.#opened(nowMs);
    if (this.#sink.wantsCheckpoint()) this.#checkpointAtMs = nowMs;
    // a book that is being rebuilt has nothing to go on from: the checkpoint waits for it
    if (nowMs >= this.#checkpointAtMs && this.track.state === 'valid') {
      this.#checkpointAtMs = nowMs + CHECKPOINT_EVERY_MS;
      this.#write({ t: this.clock.stamp(), src: this.src, book: this.track.checkpoint() });
    }
  }

  /** Begins a new segment. */
  rotate(nowMs: number): void {
    this.#sink.rotate(this.clock.stamp());
    this.#opened(nowMs);
  }

  /** Writes down what the tape lost, where it goes on: the book is read anew after it, as readers of the tape have to. */
  #settle(): void {
    const loss = this.#sink.settle();
    if (loss === null) return;
    const { src } = this;
    if (loss.count > 0) this.#write({ t: this.clock.stamp(), src, drop: { count: loss.count, reason: DISK } });
    this.gap({ stream: '*', from: loss.from, reason: 'damage' });
  }

  /** Pays what is owed and says the time; then the tape may be sealed. */
  end(): Promise<void> {
    this.#settle();
    for (const link of this.links) this.payGap(link);
    this.#writeClock();
    return this.#sink.seal();
  }

  #writeClock(): void {
    const reading = { wall: this.clock.drift(), loop: Math.round(this.#lagMs * 1000), exchange: this.exchangeLag };
    this.#lagMs = 0;
    this.#write({ t: this.clock.stamp(), src: this.src, clock: reading });
  }

  /** Writes one of our own entries and applies it as a reader will. */
  #write(entry: Entry): Micros {
    this.#sink.entry(entry.t, Buffer.from(entryLine(entry)), 'book' in entry);
    this.track.entry(entry);
    return entry.t;
  }
}

/** What a text says when it is JSON, else the text itself. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const formatMicros = (micros: Micros): string => `${(micros / 1e6).toFixed(3)} s`;
