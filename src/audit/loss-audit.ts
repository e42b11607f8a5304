/** What is missing from the streams of one recording, as its ids, its own entries and its connections tell; each gap is told once. */
import { COUNTS_ANEW, TradeIds } from '../market/trade-ids.js';
import type { DropEntry, Gap, Micros } from '../model/entry.js';
import { Field } from '../model/event.js';
import { formatTime } from '../model/time.js';
import type { Venue } from '../venues/venue.js';
import type { Place } from './book-audit.js';
import { GapLedger } from './gap-ledger.js';
import { MissingTrades } from './missing-trades.js';
import type { Problems } from './problems.js';
import { StreamAudit } from './stream-audit.js';

export class LossAudit {
  readonly streams: StreamAudit;
  readonly missing: MissingTrades;
  readonly drops = { entries: 0, count: 0 };
  readonly #venue: Venue;
  readonly #problems: Problems;
  readonly #ledger = new GapLedger();
  /** by the name of their stream */
  readonly #tradeIds = new Map<string, TradeIds>();
  /** a connection was closed and no gap entry said so yet; by the recorder itself; then the connection opened since */
  #closed = false;
  #closedByUs = false;
  #reopened: string | null = null;
  /** `t` of the newest message of a stream; of the beginning before any */
  #lastMessage: Micros;

  constructor(venue: Venue, problems: Problems, began: Micros) {
    this.#lastMessage = began;
    this.#venue = venue;
    this.#problems = problems;
    this.streams = new StreamAudit(venue);
    this.missing = new MissingTrades(venue.rest.trades);
  }

  /** Gaps, each counted once. */
  get gaps(): number {
    return this.#ledger.count;
  }

  /** A message of a stream begins, by this connection; before it is judged. */
  begins(conn: string | null, t: Micros, place: Place): void {
    if (this.#closed) this.#checkReopened(conn, t, place);
    this.#lastMessage = t;
  }

  /** A connection came back and brings messages, and no gap entry owned up to what it missed. */
  #checkReopened(conn: string | null, t: Micros, place: Place): void {
    if (conn === null || conn !== this.#reopened) return;
    this.#closed = false;
    this.broken(this.sinceLast('disconnect'), t, place);
  }

  /** A good message of a stream: a gap of it is over. */
  resume(stream: string): void {
    this.#ledger.resume(stream);
  }

  /** A gap is open: `resume` has to be told of good messages. */
  get pending(): boolean {
    return this.#ledger.pending;
  }

  /** Judges the trade record at offset `o`. Returns false where a gap begins with it: the next one ends that. */
  trade(stream: string, e: Float64Array, o: number, place: Place): boolean {
    let ids = this.#tradeIds.get(stream);
    if (ids === undefined) {
      ids = new TradeIds(this.#venue.tradeChain());
      this.#tradeIds.set(stream, ids);
    }
    const first = e[o + Field.FIRST];
    const last = e[o + Field.LAST];
    const missing = ids.next(first, last, e[o + Field.MATCHED]);
    if (missing > 0) this.missing.missed(stream, first - missing, first - 1);
    else if (missing !== COUNTS_ANEW) return true;
    const text =
      missing > 0
        ? `${missing} ${stream} messages are missing before id ${last}`
        : `the ids of ${stream} messages begin anew at ${last}`;
    return !this.broken({ stream, from: 0, reason: 'sequence' }, e[o + Field.T], place, text);
  }

  /** Something is missing, seen at `t`; where it is not known since when, `from` is 0. Returns whether that is a gap of its own. */
  broken(gap: Gap, t: Micros, place: Place, text = gapText(gap)): boolean {
    this.streams.missing(gap.stream, gap.from, t);
    const isNew = this.#ledger.broken(gap.stream);
    if (isNew) this.#problems.add('GAP', text, { ...place });
    return isNew;
  }

  /** A gap of all streams since their newest message. */
  sinceLast(reason: Gap['reason']): Gap {
    return { stream: '*', from: this.#lastMessage, reason };
  }

  /** The recorder's own entry of a gap. */
  entry(gap: Gap, t: Micros, place: Place): void {
    this.#closed = false;
    const isNew = this.#ledger.entry(gap);
    if (isNew) this.#problems.add('GAP', gapText(gap), { ...place });
    // a break of the chain was seen at the message before, which is where it ends
    if (isNew || gap.reason !== 'sequence') this.streams.missing(gap.stream, gap.from, t);
  }

  /** The recorder could not write what it received. */
  drop({ count, reason }: DropEntry['drop'], t: Micros, place: Place): void {
    this.drops.entries++;
    this.drops.count += count;
    this.broken(this.sinceLast('damage'), t, place, `the recorder dropped ${count} entries: ${reason}`);
  }

  /** A connection ended that alone brought something; for `reason`, as its entry says. */
  closed(reason: string): void {
    this.#closed = true;
    // where the peer does not answer our own end, no code says that it was ours
    this.#closedByUs = reason === 'stop';
    this.#reopened = null;
  }

  opened(conn: string): void {
    if (this.#closed) this.#reopened = conn;
  }

  /**
   * Nothing follows. A recorder that ends in order says what it still misses; one that was killed cannot.
   * @param wasThere anything at all came of a connection
   */
  ends(t: Micros, place: Place, wasThere: boolean): void {
    if (this.#closed && !this.#closedByUs) this.broken(this.sinceLast('disconnect'), t, place);
    if (wasThere || this.gaps > 0) return;
    const gap = this.sinceLast('disconnect');
    this.broken(gap, t, place, `nothing ever came, and no connection was opened, since ${formatTime(gap.from)}`);
  }

  /** Bytes of the tape are lost behind `t`; who reads it says so. */
  damage(t: Micros): void {
    this.#ledger.broken('*');
    this.streams.lost(t);
  }
}

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
