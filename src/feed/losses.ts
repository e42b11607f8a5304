/** What one src did not receive: gaps of connections that ended, of ids that are missing, and when each is told. */
import { Effect, type Track } from '../market/track.js';
import type { Entry, Gap, GapReason, Micros, Source } from '../model/entry.js';
import { EVENT_STRIDE, type EventBuffer, Field, Kind } from '../model/event.js';
import type { Note, NoteFacts } from '../model/note.js';
import { formatTime } from '../model/time.js';
import type { Hole } from './backfill.js';
import type { ReceiveClock } from './clock.js';
import { end, type Link, settle, type TopicCover } from './coverage.js';

/** A topic whose losses are followed, and the plan that brings it. */
export interface Watched extends TopicCover {
  link: Link;
}

export interface LossesOptions {
  src: Source;
  clock: ReceiveClock;
  track: Track;
  /** all topics of the src */
  routes: readonly Watched[];
  /** writes an entry and applies it as a reader will */
  write: (entry: Entry) => void;
  note: Note;
  /** facts of all notes */
  named: Pick<NoteFacts, 'venue' | 'symbol'>;
}

export class Losses {
  /** gap entries written */
  count = 0;
  /** hears of trades that did not arrive, whatever the gap entry says was the reason */
  missed: (hole: Hole) => void = () => {};
  readonly #options: LossesOptions;
  /** `t` of the newest gap entry */
  #gapT: Micros = 0;

  constructor(options: LossesOptions) {
    this.#options = options;
  }

  /** The entries that a recording begins with hold a gap. */
  began(): void {
    this.count++;
  }

  /** Writes a gap; `atMs` is the monotonic time of the message that showed it. */
  tell(gap: Gap, conn?: string, atMs?: number): void {
    const { src, clock, write, note, named } = this.#options;
    this.count++;
    const { stream, from, reason } = gap;
    note(`${src}: gap in ${stream} since ${formatTime(from)} (${reason})`, {
      ...named,
      ...{ event: 'gap', level: 'warn', logOnly: true, ...(conn === undefined ? {} : { conn }) },
      data: { stream, from: formatTime(from), reason },
    });
    const t = clock.stamp(atMs);
    this.#gapT = t;
    write(conn === undefined ? { t, src, gap } : { t, src, conn, gap });
  }

  /** Follows the ids of a message's trades: those of every channel are watched, those that are not the flow too. */
  trades(route: Watched, conn: string, { events, count }: EventBuffer, t: Micros): void {
    for (let o = 0; o < count * EVENT_STRIDE; o += EVENT_STRIDE) {
      if (events[o + Field.KIND] !== Kind.trade) continue;
      const last = events[o + Field.LAST];
      const first = events[o + Field.FIRST];
      route.trades.take(conn, first < 0 ? last : first, last, t, events[o + Field.MATCHED]);
    }
    this.#tellHoles(route, conn);
  }

  /** Tells of trades that nobody will bring any more, as time alone may show. */
  tick(): void {
    for (const route of this.#options.routes) this.#tellHoles(route);
  }

  /** Writes gaps of the trades that are given up, but for those in a gap that is told already. */
  #tellHoles({ trades, channel, link, toldT }: Watched, conn?: string): void {
    if (trades.held === 0) return;
    for (const { from, first, last, got, isTold } of trades.given(link.legs, this.#options.track.t)) {
      if (!isTold) this.tell({ stream: channel, from, reason: 'sequence', expected: first, got }, conn);
      if (last >= first) this.missed({ stream: channel, first, last, gap: isTold ? toldT : this.#gapT });
    }
  }

  /** Writes the gaps of lost connections, now that they end: a message of the topic comes, or the recording ends (null). */
  settle(link: Link, topic: TopicCover | null, conn?: string, atMs?: number): void {
    for (const gap of settle(link, topic)) {
      this.tell(gap, conn, atMs);
      for (const one of link.topics) if (gap.stream === '*' || gap.stream === one.channel) one.toldT = this.#gapT;
    }
  }

  /**
   * A connection ended, and its `close` is applied.
   * @param untilT it was known to work until then
   * @param cause what a gap of it will say; null for none
   * @param bookConn the connection that brought the book before
   * @param effect of the `close`
   */
  ended(
    link: Link,
    conn: string,
    untilT: Micros,
    { cause, bookConn, effect }: { cause: GapReason | null; bookConn: string | null; effect: number },
  ): void {
    const { routes, track } = this.#options;
    const follows = (topic: TopicCover): boolean =>
      topic.book ? bookConn === conn : topic.carried.keys().next().value === conn;
    const told = end(link, conn, untilT, cause, follows);
    for (const gap of told) this.tell(gap, conn);
    // what only it might still have filled; where nobody brings the book any more, that is told when it is over, and our own end is no
    // loss, though a peer may not answer it
    const { gap } = track;
    const isTold =
      (cause === null && gap?.reason === 'disconnect') ||
      routes.some(
        ({ book, owed, channel }) => book && (owed !== null || told.some(({ stream }) => stream === channel)),
      );
    if ((effect & Effect.lost) !== 0 && gap !== null && !isTold) this.tell(gap, conn);
    for (const route of routes) {
      route.trades.forget(conn);
      this.#tellHoles(route, conn);
    }
  }
}
