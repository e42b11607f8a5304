/** The recorder of one src: gives times, makes lines and follows continuity; what is missing is told by its losses. */
import type { Decoder } from '../decode/decoder.js';
import { Effect, type Track } from '../market/track.js';
import type { OneStream, Union } from '../market/union.js';
import type { Entry, Fills, GapReason, Micros, Source, TapeHeader } from '../model/entry.js';
import { EventBuffer, Field, Kind, STREAM_SHIFT } from '../model/event.js';
import type { Note } from '../model/note.js';
import { binaryLine, entryLine, httpLine, messageLine } from '../tape/line.js';
import type { OpeningLine } from '../tape/writer.js';
import type { ReceiveClock } from './clock.js';
import { carry, type Identity, type Link, unreached } from './coverage.js';
import { createFlowWatch } from './flow-watch.js';
import { Losses, type Watched } from './losses.js';
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

/** Where a topic's messages go. */
export interface Route extends Watched {
  recorder: SourceRecorder;
  /** all that was asked for on a connection with it was acked, and nothing was refused since */
  isAcked: boolean;
  /** while data is overdue: since when; else 0 */
  silentFrom: Micros;
  /** where the venue's stream itself brings snapshots: monotonic ms before which none is asked for, and how often one was */
  renewAtMs: number;
  renewals: number;
}

/** The end of an open socket. */
export interface Ending {
  code: number;
  reason: string;
  /** monotonic ms at which it was last known to work; null where it did until its end */
  workedMs: number | null;
}

export interface SourceOptions {
  src: Source;
  symbol: string;
  header: Omit<TapeHeader, 'version'>;
  version: number;
  clock: ReceiveClock;
  track: Track;
  /** what is applied to the track: one stream, whichever connections bring it */
  union: Union;
  decoder: Decoder;
  sink: SourceSink;
  /** which ids show every loss: those of the book, and those of trades */
  proof: { book: boolean; trades: boolean };
  /** the channel that shows whether the flow is missing; null where none does */
  witness: string | null;
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
  readonly routes: Route[] = [];
  readonly losses: Losses;
  /** newest exchange time minus receive time, µs */
  exchangeLag: Micros | null = null;
  /** receive time minus exchange time of the newest messages, µs */
  readonly lags = new Recent(LAGS);
  /** messages by channel, and the monotonic ms of the newest */
  readonly streams = new Map<string, { messages: number; bytes: number; lastMs: number }>();
  readonly #options: SourceOptions;
  readonly #sink: SourceSink;
  readonly #buffer = new EventBuffer(4, 4096);
  readonly #union: Union;
  readonly #one: OneStream;
  readonly #flowWatch = createFlowWatch();
  /** what the records applied since it was last looked at did */
  #effect: number = Effect.none;
  #clockAtMs = 0;
  #lagMs = 0;
  #checkpointAtMs = 0;
  /** `t` of the first header */
  #beganT: Micros = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.src = options.src;
    this.symbol = options.symbol;
    this.track = options.track;
    this.clock = options.clock;
    this.#sink = options.sink;
    this.#union = options.union;
    this.losses = new Losses({
      ...{ src: this.src, clock: this.clock, track: this.track, routes: this.routes },
      write: (entry) => void this.#write(entry),
      ...{ note: options.note, named: this.#named },
    });
    this.#one = {
      record: (buffer, i) => {
        this.#effect |= this.track.apply(buffer, i);
      },
      nothing: () => {},
    };
  }

  get #named(): { venue: string; symbol: string } {
    return { venue: this.#options.header.venue, symbol: this.symbol };
  }

  /** Begins the first segment: header, the restart gap where there is one, checkpoint. */
  begin(nowMs: number): void {
    // the segments after the first begin without a gap
    let { after } = this.#options;
    this.#sink.start(this.clock.stamp(), (next) => {
      const restartedAfter = after;
      after = null;
      return this.#opening(next, restartedAfter);
    });
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
    if (this.#beganT === 0) this.#beganT = entries[0].t;
    if (after !== null) {
      this.losses.began();
      entries.push({ t: next(), src, gap: { stream: '*', from: after, reason: 'restart' } });
    }
    for (const entry of entries) this.#apply(entry);
    entries.push({ t: next(), src, book: this.#union.checkpoint() });
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
    if (link.isOut || route.owed !== null) this.losses.settle(link, route, conn, atMs);
    if (route.silentFrom > 0) {
      this.losses.tell({ stream: route.channel, from: route.silentFrom, reason: 'silence' }, conn, atMs);
      route.silentFrom = 0;
    }
    const t = this.clock.stamp(atMs);
    carry(link, route, conn, t);
    const line = messageLine(t, this.src, conn, data);
    this.#sink.message(t, line);
    const buffer = this.#buffer;
    buffer.clear();
    this.#options.decoder.decode(line, 0, line.length, buffer);
    const e = buffer.events;
    const kind = e[Field.KIND];
    if (buffer.count === 0 || kind === Kind.entry) return Effect.none;
    const { track } = this;
    const lastTradeT = track.lastTradeT;
    const emitted = e[Field.EMITTED];
    if (emitted > 0) {
      this.exchangeLag = emitted - t;
      this.lags.add(t - emitted);
    }
    const effect = this.#takeIn(buffer);
    if (kind === Kind.depth || kind === Kind.snapshot) route.book = track.isBook(e[Field.FLAGS] >> STREAM_SHIFT);
    if (kind !== Kind.unknown && kind !== Kind.invalid) route.identity = this.#identityOf(route, kind, e[Field.LAST]);
    if (kind === Kind.trade) this.losses.trades(route, conn, buffer, t);
    this.#watchFlow(route.channel, t);
    if ((effect & Effect.lost) !== 0 && track.gap !== null) this.losses.tell(track.gap, conn);
    else if (kind === Kind.invalid && (effect & Effect.tradeGap) !== 0)
      this.losses.tell({ stream: route.channel, from: lastTradeT, reason: 'number' }, conn);
    return effect;
  }

  /** Tells once that the flow is silent while its witness, heard at `t`, speaks. */
  #watchFlow(channel: string, t: Micros): void {
    const { witness, header, note } = this.#options;
    if (witness === null || (channel !== witness && channel !== header.flow)) return;
    const flow = this.routes.find((one) => one.channel === header.flow);
    // a loss that is known already is told where it ends
    const isExpected = flow !== undefined && flow.link.legs.length > 0 && flow.owed === null && flow.silentFrom === 0;
    if (channel !== witness || !isExpected) {
      this.#flowWatch.reset();
      return;
    }
    if (!this.#flowWatch.witnessed(t)) return;
    const [{ conn, openedT }] = flow.link.legs;
    flow.silentFrom = Math.max(openedT, ...[...flow.carried.values()].map(({ lastT }) => lastT));
    note(`${this.src}: no message of ${header.flow} although ${witness} shows trades: the flow is missing`, {
      ...{ event: 'flow-silent', level: 'warn', ...this.#named, conn },
    });
    this.losses.tell({ stream: header.flow, from: flow.silentFrom, reason: 'silence' }, conn);
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

  /** Applies a decoded message. Returns Effect bits. */
  #takeIn(buffer: EventBuffer): number {
    const union = this.#union;
    this.#effect = Effect.none;
    union.meet(buffer.events[Field.ORIGIN]);
    for (let i = 0; i < buffer.count; ) {
      if (union.several) i = union.take(buffer, i, this.#one);
      else this.#effect |= this.track.apply(buffer, i++);
    }
    return this.#effect;
  }

  /** Applies an entry that is no message, as a reader will. Returns Effect bits. */
  #apply(entry: Entry): number {
    this.#effect = Effect.none;
    return this.#union.entry(entry, this.#one) | this.#effect;
  }

  #identityOf({ book }: Route, kind: number, last: number): Identity {
    const { proof } = this.#options;
    if (kind === Kind.trade) return proof.trades ? 'chain' : 'none';
    if (book) return proof.book ? 'chain' : 'none';
    return last >= 0 ? 'order' : 'none';
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
    link.legs.push({ conn, openedT: t, subscribedT: 0 });
    link.isRefused = false;
    if (link.lastT === 0) link.lastT = t;
  }

  /** An attempt to open a connection of the link failed. */
  unreached(link: Link): void {
    unreached(link, this.#beganT);
  }

  /** All that was asked for on a connection was acked. */
  subscribed(link: Link, conn: string): void {
    const leg = link.legs.find((one) => one.conn === conn);
    if (leg !== undefined) leg.subscribedT = this.track.t;
    this.#setAcked(link, true);
    // of what may be silent no message may ever come to say that it is there
    const isFresh = link.topics.every(({ isQuiet, channel }) => isQuiet && !this.streams.has(channel));
    if (isFresh && link.isOut) this.losses.settle(link, null, conn);
  }

  /** Something that was asked for on a connection of the link is refused; not always is it told what. */
  refused(link: Link): void {
    link.isRefused = true;
    this.#setAcked(link, false);
  }

  #setAcked(link: Link, isAcked: boolean): void {
    for (const route of this.routes) if (route.link === link) route.isAcked = isAcked && !link.isRefused;
  }

  sent(conn: string, text: string): void {
    this.#write({ t: this.clock.stamp(), src: this.src, conn, sent: jsonOr(text) });
  }

  /** A connection of this src is gone; `reason` is what a gap of it will say, null for none. */
  closed(link: Link, conn: string, { code, reason, workedMs }: Ending, cause: GapReason | null): void {
    const entry: Entry = { t: this.clock.stamp(), src: this.src, conn, close: { code, reason } };
    this.#sink.entry(entry.t, Buffer.from(entryLine(entry)));
    const { bookConn } = this.track;
    const effect = this.#apply(entry);
    const untilT = workedMs === null ? entry.t : this.clock.at(workedMs);
    this.losses.ended(link, conn, untilT, { cause, bookConn, effect });
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
    return this.#apply({ t, src: this.src, http: { url, status, sent, body: parsed } });
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
    this.#tellLoss();
    if (this.#sink.tick(this.clock.stamp())) this.#opened(nowMs);
    if (this.#sink.wantsCheckpoint()) this.#checkpointAtMs = nowMs;
    this.losses.tick();
    if (nowMs >= this.#checkpointAtMs && this.#hasCheckpoint) {
      this.#checkpointAtMs = nowMs + CHECKPOINT_EVERY_MS;
      this.#writeCheckpoint();
    }
  }

  /** A book that is being rebuilt has nothing to go on from, and what one connection still has to bring is in no checkpoint. */
  get #hasCheckpoint(): boolean {
    return this.track.state === 'valid' && this.#union.plain;
  }

  #writeCheckpoint(): void {
    this.#write({ t: this.clock.stamp(), src: this.src, book: this.#union.checkpoint() });
  }

  /** Begins a new segment. */
  rotate(nowMs: number): void {
    this.#sink.rotate(this.clock.stamp());
    this.#opened(nowMs);
  }

  /** Writes down what the tape lost, where it goes on: the book is read anew after it, as readers of the tape have to. */
  #tellLoss(): void {
    const loss = this.#sink.settle();
    if (loss === null) return;
    const { src } = this;
    if (loss.count > 0) this.#write({ t: this.clock.stamp(), src, drop: { count: loss.count, reason: DISK } });
    this.losses.tell({ stream: '*', from: loss.from, reason: 'damage' });
  }

  /** Pays what is owed, says the book, which verify holds against the rebuilt one, and the time; then the tape may be sealed. */
  end(): Promise<void> {
    this.#tellLoss();
    for (const route of this.routes)
      if (!this.#hasBegun(route)) this.#oweAll(route);
      else if (route.silentFrom > 0) route.owed ??= { from: route.silentFrom, reason: 'silence' };
    for (const link of this.links) this.losses.settle(link, null);
    if (this.#hasCheckpoint) this.#writeCheckpoint();
    this.#writeClock();
    return this.#sink.seal();
  }

  /** Whether data came, or none was due yet. */
  #hasBegun({ channel, isAcked, silentFrom }: Route): boolean {
    return this.streams.has(channel) || (isAcked && silentFrom === 0);
  }

  /** All of a topic is missing. */
  #oweAll(route: Route): void {
    const { owed, link } = route;
    route.owed = { from: this.#beganT, reason: owed?.reason ?? (link.lastT === 0 ? 'disconnect' : 'silence') };
  }

  #writeClock(): void {
    const reading = { wall: this.clock.drift(), loop: Math.round(this.#lagMs * 1000), exchange: this.exchangeLag };
    this.#lagMs = 0;
    this.#write({ t: this.clock.stamp(), src: this.src, clock: reading });
  }

  /** Writes one of our own entries and applies it as a reader will. */
  #write(entry: Entry): Micros {
    this.#sink.entry(entry.t, Buffer.from(entryLine(entry)), 'book' in entry);
    const effect = this.#apply(entry);
    const { gap } = this.track;
    // time alone may show that nobody brings what was waited for
    if ((effect & Effect.lost) !== 0 && gap !== null && !('gap' in entry || 'drop' in entry)) this.losses.tell(gap);
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
