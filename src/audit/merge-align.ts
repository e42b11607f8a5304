/**
 * Puts what another recorder has and the base has not in its place among the base's entries, stream by stream: by the bytes of the
 * messages and their order, whatever their ids.
 */
import type { Micros } from '../model/entry.js';
import type { Item, Lost } from './merge-reader.js';
import type { Survey } from './merge-survey.js';

/** A message may come this much later to one recorder than to the other, clocks aside. */
const APART: Micros = 30_000_000;
/** What is held back meanwhile at most; beyond it, decisions are made earlier. */
const MOST_HELD_BYTES = 128 * 1024 * 1024;
/** Copies by several connections of one recorder are known for so long. */
const REMEMBERED: Micros = 120_000_000;
const LOOK_EVERY = 512;

export interface StreamCounts {
  /** distinct messages of the base, and of the other */
  base: number;
  other: number;
  common: number;
  onlyBase: number;
  onlyOther: number;
  /** more of the same by connections of one recorder */
  copies: number;
  /** in both, in another order */
  reordered: number;
}

/** An entry to be written; `of` where it is the other recorder's. */
export interface Placed {
  item: Item;
  t: Micros;
  of: Survey | null;
}

interface Theirs {
  item: Item;
  seq: number;
  /** `t` of the base's own; NaN while it has none */
  at: Micros;
}

/** One stream of both. */
class Pair {
  readonly counts: StreamCounts = {
    ...{ base: 0, other: 0, common: 0, onlyBase: 0, onlyOther: 0, copies: 0, reordered: 0 },
  };
  readonly #seen = [new Map<string, Seen>(), new Map<string, Seen>()];
  /** of the base, that the other has not brought yet, by digest */
  readonly ours = new Map<string, { t: Micros; seq: number }[]>();
  readonly theirs = new Map<string, Theirs[]>();
  /** of the other, in order, from the first that is not decided */
  queue: Theirs[] = [];
  /** the base's time of the newest that was decided */
  lower = Number.NEGATIVE_INFINITY;
  #seq = [0, 0];
  #matched = [-1, -1];

  /** Whether a message is another connection's copy of one that its recorder has already. */
  isCopy(side: 0 | 1, { digest, conn, t }: Item): boolean {
    const seen = this.#seen[side];
    let one = seen.get(digest);
    if (one === undefined) {
      one = { count: 0, by: new Map(), t };
      seen.set(digest, one);
    }
    one.t = t;
    const own = (one.by.get(conn) ?? 0) + 1;
    one.by.set(conn, own);
    if (own <= one.count) {
      this.counts.copies++;
      return true;
    }
    one.count = own;
    return false;
  }

  forget(side: 0 | 1, before: Micros): void {
    for (const [digest, { t }] of this.#seen[side]) if (t < before) this.#seen[side].delete(digest);
  }

  next(side: 0 | 1): number {
    return this.#seq[side]++;
  }

  match(ours: number, theirs: number): void {
    this.counts.common++;
    const [a, b] = this.#matched;
    if (ours > a !== theirs > b) this.counts.reordered++;
    this.#matched = [Math.max(a, ours), Math.max(b, theirs)];
  }
}

interface Seen {
  count: number;
  by: Map<string | null, number>;
  t: Micros;
}

export interface AlignOptions {
  other: Survey;
  /** the other's clock minus the base's, µs, before any message of both was met */
  offset: Micros;
  /** streams, by layout and variant, that cannot be aligned: the other's messages of them are left */
  unresolvable: ReadonlySet<number>;
  /** by layout and variant */
  counts: Map<number, StreamCounts>;
}

/**
 * The base's entries as they are, and among them the messages of the other that the base has not. Entries of the other that are no
 * messages come too, at their time: the caller knows which of them matter. Memory holds half a minute of both.
 */
export async function* align(
  base: AsyncIterable<Placed | Lost>,
  other: AsyncIterable<Item | Lost>,
  { other: survey, offset: guess, unresolvable, counts }: AlignOptions,
): AsyncGenerator<Placed | Lost, void, undefined> {
  const pairs = new Map<number, Pair>();
  const offset = new Offset(guess);
  let ours: (Placed | Lost)[] = [];
  let added: Placed[] = [];
  let held = 0;
  let newest = Number.NEGATIVE_INFINITY;
  let theirNewest = Number.NEGATIVE_INFINITY;

  const pairOf = (id: number): Pair => {
    let pair = pairs.get(id);
    if (pair === undefined) {
      pair = new Pair();
      pairs.set(id, pair);
      counts.set(id, pair.counts);
    }
    return pair;
  };

  const takeOurs = (placed: Placed | Lost): void => {
    ours.push(placed);
    if ('lost' in placed) return;
    const { item, t } = placed;
    held += item.line.length;
    newest = Math.max(newest, t);
    if (item.stream === null) return;
    const pair = pairOf(item.id);
    if (pair.isCopy(0, item)) return;
    pair.counts.base++;
    const seq = pair.next(0);
    if (unresolvable.has(item.id)) return;
    const waiting = pair.theirs.get(item.digest);
    const theirs = waiting?.shift();
    if (waiting?.length === 0) pair.theirs.delete(item.digest);
    if (theirs !== undefined) {
      theirs.at = t;
      held -= theirs.item.line.length;
      pair.match(seq, theirs.seq);
      offset.met(theirs.item.t - t);
    } else push(pair.ours, item.digest, { t, seq });
  };

  const takeTheirs = (item: Item): void => {
    theirNewest = Math.max(theirNewest, item.t - offset.value);
    if (item.entry !== null) {
      added.push({ item, t: item.t - offset.value, of: survey });
      return;
    }
    if (item.stream === null) return;
    const pair = pairOf(item.id);
    if (pair.isCopy(1, item)) return;
    pair.counts.other++;
    const seq = pair.next(1);
    if (unresolvable.has(item.id)) return;
    const theirs: Theirs = { item, seq, at: Number.NaN };
    const waiting = pair.ours.get(item.digest);
    const own = waiting?.shift();
    if (waiting?.length === 0) pair.ours.delete(item.digest);
    if (own !== undefined) {
      theirs.at = own.t;
      pair.match(own.seq, seq);
      offset.met(item.t - own.t);
    } else {
      push(pair.theirs, item.digest, theirs);
      held += item.line.length;
    }
    pair.queue.push(theirs);
  };

  /** Decides about the other's messages up to `until` of the base's time: the base has had time enough to bring them. */
  const decide = (pair: Pair, until: Micros): void => {
    const { queue } = pair;
    let n = 0;
    let next = 0;
    for (; n < queue.length; n++) {
      const { item, at } = queue[n];
      if (!Number.isNaN(at)) {
        pair.lower = Math.max(pair.lower, at);
        continue;
      }
      const wanted = item.t - offset.value;
      if (wanted > until) break;
      next = Math.max(next, n + 1);
      while (next < queue.length && Number.isNaN(queue[next].at)) next++;
      const upper = queue[next]?.at ?? Number.POSITIVE_INFINITY;
      const t = Math.max(Math.min(wanted, upper - 1), pair.lower);
      pair.lower = t;
      pair.counts.onlyOther++;
      const waiting = pair.theirs.get(item.digest);
      if (waiting !== undefined) remove(pair.theirs, item.digest, waiting, queue[n]);
      added.push({ item, t, of: survey });
    }
    if (n > 0) pair.queue = queue.slice(n);
  };

  const forget = (pair: Pair, before: Micros): void => {
    for (const [digest, waiting] of pair.ours) {
      while (waiting.length > 0 && waiting[0].t < before) {
        waiting.shift();
        pair.counts.onlyBase++;
      }
      if (waiting.length === 0) pair.ours.delete(digest);
    }
    pair.forget(0, newest - REMEMBERED);
    pair.forget(1, theirNewest + offset.value - REMEMBERED);
  };

  /** Everything that stands before `until` and is decided, in order. */
  function* release(until: Micros): Generator<Placed | Lost, void, undefined> {
    added.sort((a, b) => a.t - b.t || a.item.t - b.item.t);
    let a = 0;
    let b = 0;
    for (; a < ours.length; a++) {
      const one = ours[a];
      if (!('lost' in one) && one.t > until) break;
      while (!('lost' in one) && b < added.length && added[b].t < one.t) yield added[b++];
      if (!('lost' in one)) held -= one.item.line.length;
      yield one;
    }
    while (b < added.length && added[b].t <= until && (a === ours.length || added[b].t < timeOf(ours[a])))
      yield added[b++];
    ours = ours.slice(a);
    for (let n = 0; n < b; n++) held -= added[n].item.entry === null ? added[n].item.line.length : 0;
    added = added.slice(b);
  }

  const mine = new Ahead(base);
  const his = new Ahead(other);
  for (let n = 1; ; n++) {
    const [one, two] = [await mine.peek(), await his.peek()];
    if (one === null && two === null) break;
    const first = one === null ? Number.POSITIVE_INFINITY : 'lost' in one ? newest : one.t;
    const second = two === null ? Number.POSITIVE_INFINITY : 'lost' in two ? theirNewest : two.t - offset.value;
    if (one !== null && first <= second) {
      mine.take();
      takeOurs(one);
    } else if (two !== null) {
      his.take();
      if (!('lost' in two)) takeTheirs(two);
    }
    if (n % LOOK_EVERY !== 0) continue;
    // a tape that has ended brings nothing any more
    const [ourEnd, theirEnd] = [
      one === null ? Number.POSITIVE_INFINITY : newest,
      two === null ? Number.POSITIVE_INFINITY : theirNewest,
    ];
    const apart = held > MOST_HELD_BYTES ? APART / 10 : APART;
    const reach = Math.min(ourEnd, theirEnd);
    if (!Number.isFinite(reach)) continue;
    for (const pair of pairs.values()) {
      decide(pair, Math.min(ourEnd, Math.max(newest, theirNewest)) - apart);
      forget(pair, Math.min(theirEnd, Math.max(newest, theirNewest)) - apart);
    }
    yield* release(reach - 2 * apart);
  }
  for (const pair of pairs.values()) {
    decide(pair, Number.POSITIVE_INFINITY);
    forget(pair, Number.POSITIVE_INFINITY);
  }
  yield* release(Number.POSITIVE_INFINITY);
}

const timeOf = (placed: Placed | Lost): Micros => ('lost' in placed ? Number.NEGATIVE_INFINITY : placed.t);

/** How far the clocks are apart: the median of the newest messages of both. */
class Offset {
  value: Micros;
  readonly #newest: number[] = [];
  #met = 0;

  constructor(guess: Micros) {
    this.value = guess;
  }

  met(difference: Micros): void {
    this.#newest[this.#met++ % 101] = difference;
    if (this.#met !== 11 && this.#met % 101 !== 0) return;
    const sorted = [...this.#newest].sort((a, b) => a - b);
    this.value = sorted[sorted.length >> 1];
  }
}

/** A flow whose next item can be looked at. */
class Ahead<T> {
  readonly #items: AsyncIterator<T>;
  #next: T | null | undefined;

  constructor(flow: AsyncIterable<T>) {
    this.#items = flow[Symbol.asyncIterator]();
  }

  async peek(): Promise<T | null> {
    if (this.#next === undefined) {
      const { value, done } = await this.#items.next();
      this.#next = done === true ? null : value;
    }
    return this.#next;
  }

  take(): void {
    this.#next = undefined;
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function remove<T>(map: Map<string, T[]>, key: string, list: T[], value: T): void {
  list.splice(list.indexOf(value), 1);
  if (list.length === 0) map.delete(key);
}
