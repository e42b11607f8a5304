/**
 * Puts what another recorder has and the base has not in its place among the base's entries, stream by stream: by the bytes of the
 * messages and their order, whatever their ids.
 */
import type { Micros } from '../model/entry.js';
import { Pair, type PairEvents, type StreamCounts } from './merge-pair.js';
import type { Item, Lost } from './merge-reader.js';
import type { Survey } from './merge-survey.js';

/** A message may come this much later to one recorder than to the other, clocks aside. */
const APART: Micros = 30_000_000;
/** What is held back meanwhile at most; beyond it, decisions are made earlier. */
const MOST_HELD_BYTES = 128 * 1024 * 1024;
const LOOK_EVERY = 512;

/** An entry to be written; `of` where it is the other recorder's. */
export interface Placed {
  item: Item;
  t: Micros;
  of: Survey | null;
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
  let own: (Placed | Lost)[] = [];
  let added: Placed[] = [];
  let held = 0;
  let newest = Number.NEGATIVE_INFINITY;
  let theirNewest = Number.NEGATIVE_INFINITY;

  const events: PairEvents = {
    matched(theirs, t) {
      held -= theirs.line.length;
      offset.met(theirs.t - t);
    },
    missing(item, t) {
      added.push({ item, t, of: survey });
    },
  };

  const pairOf = (id: number): Pair => {
    let pair = pairs.get(id);
    if (pair === undefined) {
      pair = new Pair(events);
      pairs.set(id, pair);
      counts.set(id, pair.counts);
    }
    return pair;
  };

  const takeOurs = (placed: Placed | Lost): void => {
    own.push(placed);
    if ('lost' in placed) return;
    const { item, t } = placed;
    held += item.line.length;
    newest = Math.max(newest, t);
    if (item.stream !== null) pairOf(item.id).add('base', item, t, !unresolvable.has(item.id));
  };

  const takeTheirs = (item: Item): void => {
    const t = item.t - offset.value;
    theirNewest = Math.max(theirNewest, t);
    if (item.entry !== null) added.push({ item, t, of: survey });
    else if (item.stream !== null) {
      const isKept = !unresolvable.has(item.id);
      pairOf(item.id).add('other', item, t, isKept);
      if (isKept) held += item.line.length;
    }
  };

  /** Everything that stands before `until` and is decided, in order. */
  function* release(until: Micros): Generator<Placed | Lost, void, undefined> {
    added.sort((a, b) => a.t - b.t || a.item.t - b.item.t);
    let a = 0;
    let b = 0;
    for (; a < own.length; a++) {
      const one = own[a];
      if (!('lost' in one) && one.t > until) break;
      while (!('lost' in one) && b < added.length && added[b].t < one.t) yield added[b++];
      if (!('lost' in one)) held -= one.item.line.length;
      yield one;
    }
    while (b < added.length && added[b].t <= until && (a === own.length || added[b].t < timeOf(own[a])))
      yield added[b++];
    own = own.slice(a);
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
    const apart = held > MOST_HELD_BYTES ? APART / 10 : APART;
    // a tape that has ended brings nothing any more
    const [ours, theirs] = [
      two === null ? Number.POSITIVE_INFINITY : theirNewest - apart,
      one === null ? Number.POSITIVE_INFINITY : newest - apart,
    ];
    for (const pair of pairs.values()) pair.settle(ours, theirs);
    yield* release(Math.min(ours, theirs) - apart);
  }
  for (const pair of pairs.values()) pair.settle(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
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
