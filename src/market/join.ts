/** Joining a snapshot and the updates received around it. */
import type { Continuity } from '../model/continuity.js';
import type { Micros } from '../model/entry.js';
import { type EventBuffer, Field } from '../model/event.js';
import type { ScaledLevels, Snapshot } from '../model/rules.js';

/** A book update kept until the snapshot it may follow arrives. */
export interface KeptUpdate {
  t: Micros;
  first: number;
  last: number;
  previous: number;
  /** how many of the levels are bids; they stand first */
  bids: number;
  /** [price, size] pairs, scaled */
  levels: Float64Array;
}

/** A snapshot whose levels a book can hold. */
export interface ScaledSnapshot {
  /** its own lists of levels may be empty */
  snapshot: Snapshot;
  levels: ScaledLevels;
}

/** `fetch`: a newer snapshot is needed; `wait`: the stream has to reach the snapshot first; else what makes the book. */
export type Joined = 'fetch' | 'wait' | { from: ScaledSnapshot; updates: KeptUpdate[] };

/** Enough for minutes of the busiest stream; beyond it the oldest are let go, and a refetch is due anyway. */
const MAX_KEPT = 20_000;
/** A snapshot that the stream has not reached by then is of other ids, as of before the venue began to count anew. */
const LONGEST_WAIT: Micros = 30_000_000;

export class SnapshotJoin {
  #kept: KeptUpdate[] = [];
  #from: ScaledSnapshot | null = null;
  #offeredT: Micros = 0;

  forget(): void {
    this.#kept = [];
    this.#from = null;
  }

  /** Copies the book update at offset `o` of the buffer. */
  keep(buffer: EventBuffer, o: number): void {
    const e = buffer.events;
    const start = e[o + Field.PRICE] * 2;
    const bids = e[o + Field.SIZE];
    if (this.#kept.length >= MAX_KEPT) this.#kept.splice(0, MAX_KEPT >> 1);
    this.#kept.push({
      t: e[o + Field.T],
      first: e[o + Field.FIRST],
      last: e[o + Field.LAST],
      previous: e[o + Field.PREVIOUS],
      bids,
      levels: buffer.levels.slice(start, start + (bids + e[o + Field.PRICE2]) * 2),
    });
  }

  /** Id of the newest update kept; -1 where there is none. */
  get last(): number {
    return this.#kept.at(-1)?.last ?? -1;
  }

  /** The snapshot to try from `t` on. */
  offer(from: ScaledSnapshot, t: Micros): void {
    this.#from = from;
    this.#offeredT = t;
  }

  /** Tries to join at `t`; on success `continuity` stands behind the last update and everything kept is forgotten. */
  join(continuity: Continuity, t: Micros): Joined {
    const from = this.#from;
    if (from === null) return 'fetch';
    continuity.reset();
    continuity.snapshot(from.snapshot.id);
    const updates: KeptUpdate[] = [];
    for (const [n, kept] of this.#kept.entries()) {
      const verdict = continuity.update(kept.first, kept.last, kept.previous);
      if (verdict === 'apply') updates.push(kept);
      else if (verdict === 'gap' || verdict === 'refetch') {
        // the snapshot is older than what was kept, or the kept updates themselves have a hole
        this.#from = null;
        if (verdict === 'gap') this.#kept = this.#kept.slice(n);
        continuity.reset();
        return 'fetch';
      }
    }
    if (!continuity.joined && t - this.#offeredT > LONGEST_WAIT) {
      this.#from = null;
      continuity.reset();
      return 'fetch';
    }
    this.#kept = [];
    if (!continuity.joined) return 'wait';
    this.#from = null;
    return { from, updates };
  }
}

/** A snapshot that came while the book was valid: the stream has to reach it before it can renew the book. */
export interface Renewal {
  from: ScaledSnapshot;
  chain: Continuity;
}

export function createRenewal(from: ScaledSnapshot, chain: Continuity): Renewal {
  chain.snapshot(from.snapshot.id);
  return { from, chain };
}
