/** One stream of a src that several connections bring: which record comes next, which were brought already, and which wait for a hole to be filled. */
import type { Micros } from '../model/entry.js';
import { type EventBuffer, Field, Kind } from '../model/event.js';
import { Era, MAX_OLD_RUN } from './era.js';
import { HeldRecord } from './held-record.js';
import type { IdOrder, Place } from './id-order.js';
import type { StreamKind } from './stream-kind.js';

/** Records that wait for a hole before them to be filled: as many of a stream, and as long, at most. */
const MOST_HELD = 1000;
const LONGEST_HELD: Micros = 5_000_000;
/** So many copies in so long a time, and nothing that goes on: the venue counts anew, where no match time says so before. */
const MOST_COPIES = 20;
const LONGEST_COPIES: Micros = 5_000_000;

/** A connection that brings the stream. */
interface Bringer {
  readonly conn: string;
  /** newest id it brought, whatever it repeated since; -1 where that is not known */
  last: number;
  /** ids began anew on another connection, and it has not come to that place yet */
  behind: boolean;
}

/** What becomes of a record: it is part of the one stream, or it is not, or not yet. */
export type Judged = 'pass' | 'copy' | 'held';

/** The record at offset `o`; `bytes` it was decoded from where lines are to be kept with records. */
export interface Met {
  buffer: EventBuffer;
  o: number;
  bytes: Buffer | null;
}

/** A stream as a checkpoint holds it. */
export interface SharedState {
  kind: StreamKind;
  /** null where ids prove nothing */
  order: Record<string, unknown> | null;
  lead: string | null;
  /** connection, newest id, behind; in the order in which they began to bring it */
  bringers: [string, number, boolean][];
  /** records in a row that were brought already, and `t` of the first */
  copies: [count: number, from: Micros];
  /** state of its `Era`, by match times: push times may differ by connection */
  era?: number[];
}

export class SharedStream {
  readonly id: number;
  readonly kind: StreamKind;
  /** null while one connection brings it alone, and where ids prove nothing: then the first counts */
  order: IdOrder | null = null;
  /** the connection whose record was the last to follow */
  lead: string | null = null;
  readonly bringers: Bringer[] = [];
  /** in order of ids */
  readonly held: HeldRecord[] = [];
  /** old records in a row from the connection that leads */
  #oldRun = 0;
  /** records brought already since the last that went on, and `t` of the first of them */
  #copies = 0;
  #copiesFrom: Micros = 0;
  readonly #era = new Era();

  /** @param id layout and variant */
  constructor(id: number, kind: StreamKind) {
    this.id = id;
    this.kind = kind;
  }

  /** The connection that brings it, where no other does and it has all there is. */
  get alone(): string | null {
    return this.order === null && this.bringers.length === 1 ? this.bringers[0].conn : null;
  }

  /** Nothing waits, and no run of old records is being counted. */
  get plain(): boolean {
    return this.held.length === 0 && this.#oldRun === 0;
  }

  bringer(conn: string): Bringer | undefined {
    for (const one of this.bringers) if (one.conn === conn) return one;
    return undefined;
  }

  add(conn: string): Bringer {
    const one: Bringer = { conn, last: -1, behind: false };
    this.bringers.push(one);
    return one;
  }

  /** This connection counts from here on, where one does. */
  prefer(by: Bringer): void {
    this.bringers.splice(this.bringers.indexOf(by), 1);
    this.bringers.unshift(by);
  }

  /** From here on records are placed by their ids; the connection that was alone stands at `last`. */
  share(order: IdOrder, last: number): void {
    this.order = order;
    this.#oldRun = 0;
    // nobody looked at what one connection brought alone
    this.#era.forget();
    const [first] = this.bringers;
    this.lead = first.conn;
    first.last = last;
    if (last >= 0) order.begin(last);
  }

  /** The connection that is left has brought all there is: it is alone from here on. */
  settleAlone(): boolean {
    const { order, bringers, lead } = this;
    if (order === null || bringers.length !== 1 || lead !== bringers[0].conn || !this.plain) return false;
    if (bringers[0].last !== order.last()) return false;
    this.order = null;
    return true;
  }

  /** A connection ended: what it alone brought ahead of a hole stays. Returns whether it brought the stream. */
  remove(conn: string): boolean {
    const at = this.bringers.findIndex((one) => one.conn === conn);
    if (at < 0) return false;
    this.bringers.splice(at, 1);
    if (this.lead !== conn) return true;
    // who is furthest goes on; what the others still bring of the same is copies
    let next: Bringer | null = null;
    for (const one of this.bringers) if (next === null || one.last > next.last) next = one;
    this.lead = next?.conn ?? null;
    this.#oldRun = 0;
    return true;
  }

  /** Places the record at offset `o`; a trade, a touch or a book update. */
  place(order: IdOrder, by: Bringer, { buffer, o, bytes }: Met): Judged {
    const e = buffer.events;
    const last = e[o + Field.LAST];
    const own = by.last;
    const at = e[o + Field.MATCHED];
    if (by.behind && this.#era.isSince(at)) by.behind = false;
    if (by.behind) {
      by.last = last;
      // the place where ids begin anew, or a place before it: both were brought already
      by.behind = last >= own;
      return 'copy';
    }
    const before = order.last();
    if (before < 0) order.begin(last);
    const place = before < 0 ? 'next' : order.judge(e[o + Field.FIRST], last, e[o + Field.PREVIOUS]);
    const leads = this.lead === by.conn;
    if (place === 'old' && last < before && this.#era.isOver(at)) {
      order.begin(last);
      this.#beginAnew(by, last, at);
      return 'pass';
    }
    // of the numbering before, by a connection that was not heard of then
    if (place === 'ahead' && this.#era.isBefore(at)) return 'copy';
    if (place !== 'old') {
      by.last = last;
      this.#era.followed(at);
    }
    if (place === 'ahead') {
      this.#hold(by, { buffer, o, bytes });
      return 'held';
    }
    if (place === 'old') {
      // what is old by the ids of its own connection is repeated by the venue, or the venue counts anew
      if (last > own) by.last = last;
      if (last > own || !leads) return this.#copy(order, by, e[o + Field.T]);
      if (++this.#oldRun >= MAX_OLD_RUN) {
        this.#oldRun = 0;
        order.begin(last);
        by.last = last;
      }
      return 'pass';
    }
    // an update that changes nothing and says so: of another connection it is the same one
    if (last === before && !leads) return 'copy';
    if (last < before) this.#beginAnew(by, last, at);
    else this.#leadBy(by.conn);
    return 'pass';
  }

  /** Ids begin anew with a record of this connection; the others have yet to come there. */
  #beginAnew(by: Bringer, last: number, at: Micros): void {
    by.last = last;
    for (const one of this.bringers) one.behind = one !== by;
    this.#era.begin(at);
    this.#leadBy(by.conn);
  }

  /** A record that was brought already, by its id; unless ids began anew while another connection brought the old ones. */
  #copy(order: IdOrder, by: Bringer, t: Micros): Judged {
    if (this.#copies++ === 0) this.#copiesFrom = t;
    if (this.#copies < MOST_COPIES || t - this.#copiesFrom < LONGEST_COPIES) return 'copy';
    order.begin(by.last);
    this.#leadBy(by.conn);
    return 'pass';
  }

  /** A record of this connection goes on. */
  #leadBy(conn: string): void {
    this.lead = conn;
    this.#oldRun = 0;
    this.#copies = 0;
  }

  /** Places a whole book of the stream; `valid`: the book is followed, and this stream makes it. */
  placeWhole(order: IdOrder, by: Bringer, valid: boolean, { buffer, o, bytes }: Met): Judged {
    const last = buffer.events[o + Field.LAST];
    const own = by.last;
    by.last = last;
    by.behind = false;
    // what this connection brought of a numbering that is over
    for (let n = this.held.length - 1; n >= 0; n--)
      if (this.held[n].last > last && this.held[n].leave(by.conn)) this.held.splice(n, 1);
    if (valid && this.bringers.length > 1) {
      // others bring what lies between: only where they do not is the book found again by this one
      if (last > order.last()) {
        this.#hold(by, { buffer, o, bytes });
        return 'held';
      }
      if (this.lead !== by.conn || last >= own) return 'copy';
    }
    order.begin(last);
    this.#leadBy(by.conn);
    return 'pass';
  }

  #hold(by: Bringer, { buffer, o, bytes }: Met): void {
    const { held } = this;
    const e = buffer.events;
    const last = e[o + Field.LAST];
    const isWhole = e[o + Field.KIND] === Kind.snapshot;
    let at = held.length;
    while (at > 0 && held[at - 1].last > last) at--;
    // the update that leads to the same place goes on without a break
    while (!isWhole && at > 0 && held[at - 1].last === last && held[at - 1].isWhole) at--;
    for (let n = at - 1; n >= 0 && held[n].last === last; n--) {
      if (held[n].isWhole !== isWhole) continue;
      held[n].join(by.conn);
      return;
    }
    held.splice(at, 0, new HeldRecord(by.conn, buffer, o, bytes));
  }

  /** When what waits has waited long enough; Infinity where nothing does. */
  get due(): Micros {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { t } of this.held) if (t < oldest) oldest = t;
    return oldest + LONGEST_HELD;
  }

  /**
   * Hands out what waits no longer, in order: its hole was filled, or nobody is going to. `valid`: the book is followed; else
   * a whole book is what it waits for.
   */
  release(order: IdOrder, t: Micros, valid: boolean, take: (held: HeldRecord) => void): void {
    const { held } = this;
    let isFollowed = valid;
    for (let next = held[0]; next !== undefined; next = held[0]) {
      const place = placeOf(next, order);
      if (place === 'ahead') {
        if (!(next.isWhole && !isFollowed) && !this.#isLost(order, t)) return;
        isFollowed = next.isWhole;
        order.begin(next.last);
      }
      held.shift();
      if (place === 'old') continue;
      this.#leadBy(next.conn);
      take(next);
    }
  }

  /** The hole before the first that waits stays one: every connection is beyond it, or there was time enough. */
  #isLost(order: IdOrder, t: Micros): boolean {
    if (this.held.length > MOST_HELD || t >= this.due) return true;
    const at = order.last();
    for (const { last, behind } of this.bringers) if (behind || last <= at) return false;
    return true;
  }

  /** @param last newest id of the connection that brings it alone, which is not followed here */
  state(last: number): SharedState {
    const { alone } = this;
    return {
      kind: this.kind,
      order: this.order?.state() ?? null,
      lead: this.lead,
      bringers: this.bringers.map((one) => [one.conn, one.conn === alone ? last : one.last, one.behind]),
      copies: [this.#copies, this.#copies === 0 ? 0 : this.#copiesFrom],
      era: this.#era.state(),
    };
  }

  /** @param fresh an order of such a stream */
  restore({ order, lead, bringers, copies, era }: SharedState, fresh: IdOrder | null): void {
    for (const [conn, last, behind] of bringers) Object.assign(this.add(conn), { last, behind });
    this.lead = lead;
    [this.#copies, this.#copiesFrom] = copies;
    this.#era.restore(era);
    if (order === null || fresh === null) return;
    fresh.restore(order);
    this.order = fresh;
  }
}

function placeOf({ isWhole, first, last, previous }: HeldRecord, order: IdOrder): Place {
  if (!isWhole) return order.judge(first, last, previous);
  return last <= order.last() ? 'old' : 'ahead';
}

const KINDS: readonly unknown[] = ['book', 'trade', 'touch', 'beside'];

/** Whether a part of a checkpoint says how a stream stands. */
export function isSharedState(state: unknown): state is SharedState {
  if (typeof state !== 'object' || state === null) return false;
  const { kind, order, lead, bringers, copies } = state as Record<string, unknown>;
  return (
    KINDS.includes(kind) &&
    typeof order === 'object' &&
    (lead === null || typeof lead === 'string') &&
    Array.isArray(copies) &&
    copies.every((one) => typeof one === 'number') &&
    Array.isArray(bringers) &&
    bringers.every((one) => Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'number')
  );
}
