/**
 * One stream as two recorders have it, and which messages are the same: those whose bytes are, in their order. Where the two differ, the next
 * message that each has once shows where they meet again, and between is what the longest common run of messages says.
 */
import type { Micros } from '../model/entry.js';
import type { Item } from './merge-reader.js';

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

/** A message that waits for its like. */
interface Waiting {
  digest: string;
  /** by the base's clock */
  t: Micros;
  /** its own place in its recorder's stream */
  seq: number;
  /** its like was found out of order */
  taken: boolean;
  /** null for the base's, which stand already */
  item: Item | null;
}

/** Copies by several connections of one recorder are known for so long. */
const REMEMBERED: Micros = 120_000_000;
/** Places to meet again that are looked at. */
const CANDIDATES = 64;
/** Comparisons between two such places at most; beyond, nothing between them counts as the same. */
const MOST_COMPARED = 1_000_000;

/** What one recorder has of it. */
class Side {
  readonly #seen = new Map<string, { count: number; by: Map<string | null, number>; t: Micros }>();
  #list: Waiting[] = [];
  #head = 0;
  /** how often each digest waits, and the newest that does */
  readonly #counts = new Map<string, number>();
  readonly #newest = new Map<string, Waiting>();
  #seq = 0;

  /** Whether another connection of this recorder has brought the message before. */
  isCopy({ digest, conn, t }: Item): boolean {
    let one = this.#seen.get(digest);
    if (one === undefined) {
      one = { count: 0, by: new Map(), t };
      this.#seen.set(digest, one);
    }
    one.t = t;
    const own = (one.by.get(conn) ?? 0) + 1;
    one.by.set(conn, own);
    if (own <= one.count) return true;
    one.count = own;
    return false;
  }

  forget(before: Micros): void {
    for (const [digest, { t }] of this.#seen) if (t < before - REMEMBERED) this.#seen.delete(digest);
  }

  add(digest: string, t: Micros, item: Item | null): void {
    const one = { digest, t, item, seq: this.#seq++, taken: false };
    this.#list.push(one);
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1);
    this.#newest.set(digest, one);
  }

  /** The nth that waits. */
  at(n: number): Waiting | undefined {
    return this.#list[this.#head + n];
  }

  first(): Waiting | undefined {
    while (this.#list[this.#head]?.taken) this.#head++;
    return this.#list[this.#head];
  }

  shift(): void {
    const one = this.#list[this.#head++];
    if (!one.taken) this.#drop(one);
    if (this.#head < 1024 || this.#head * 2 < this.#list.length) return;
    this.#list = this.#list.slice(this.#head);
    this.#head = 0;
  }

  #drop({ digest }: Waiting): void {
    const count = (this.#counts.get(digest) ?? 0) - 1;
    if (count > 0) this.#counts.set(digest, count);
    else {
      this.#counts.delete(digest);
      this.#newest.delete(digest);
    }
  }

  take(one: Waiting): void {
    one.taken = true;
    this.#drop(one);
  }

  /** The one that waits with this digest, where one does and no more. */
  sole(digest: string): Waiting | undefined {
    return this.#counts.get(digest) === 1 ? this.#newest.get(digest) : undefined;
  }

  /** Its place among those that wait. */
  placeOf(one: Waiting): number {
    return one.seq - (this.first()?.seq ?? 0);
  }

  /** How many wait since `until` or before. */
  countUntil(until: Micros): number {
    for (let n = 0; ; n++) {
      const one = this.at(n);
      if (one === undefined || one.t > until) return n;
    }
  }
}

export interface PairEvents {
  /** a message of the other has its like at `t` of the base */
  matched(theirs: Item, t: Micros): void;
  /** a message of the other that the base has not, and its time there */
  missing(theirs: Item, t: Micros): void;
}

export class Pair {
  readonly counts: StreamCounts = {
    ...{ base: 0, other: 0, common: 0, onlyBase: 0, onlyOther: 0, copies: 0, reordered: 0 },
  };
  readonly #ours = new Side();
  readonly #theirs = new Side();
  readonly #events: PairEvents;
  /** the base's time of the newest that was decided */
  #lower = Number.NEGATIVE_INFINITY;

  constructor(events: PairEvents) {
    this.#events = events;
  }

  /** @param side of the base, or of the other @param kept it waits for its like; else it is only counted */
  add(side: 'base' | 'other', item: Item, t: Micros, kept: boolean): void {
    const one = side === 'base' ? this.#ours : this.#theirs;
    if (one.isCopy(item)) {
      this.counts.copies++;
      return;
    }
    this.counts[side]++;
    if (kept) one.add(item.digest, t, side === 'base' ? null : item);
  }

  /** Decides what can be: about what came before `ours` of the base, and before `theirs` of the other, its like would have come by now. */
  settle(ours: Micros, theirs: Micros): void {
    this.#ours.forget(ours);
    this.#theirs.forget(theirs);
    for (;;) {
      const [a, b] = [this.#ours.first(), this.#theirs.first()];
      if (a !== undefined && a.digest === b?.digest) this.#match();
      else if (a === undefined || b === undefined) {
        if (a !== undefined && a.t <= ours) this.#onlyOurs();
        else if (b !== undefined && b.t <= theirs) this.#onlyTheirs(Number.POSITIVE_INFINITY);
        else return;
      } else if (a.t <= ours || b.t <= theirs) this.#meetAgain(ours, theirs);
      else return;
    }
  }

  #match(): void {
    const [a, b] = [this.#ours.first()!, this.#theirs.first()!];
    this.counts.common++;
    this.#lower = Math.max(this.#lower, a.t);
    this.#events.matched(b.item!, a.t);
    this.#ours.shift();
    this.#theirs.shift();
  }

  #onlyOurs(): void {
    const one = this.#ours.first();
    if (one === undefined) return;
    const like = this.#ours.sole(one.digest) === one ? this.#theirs.sole(one.digest) : undefined;
    if (like === undefined) this.counts.onlyBase++;
    else {
      this.#reordered(one, like);
      this.#theirs.take(like);
    }
    this.#ours.shift();
  }

  /** @param before the base's time of what comes after it in both */
  #onlyTheirs(before: Micros): void {
    const one = this.#theirs.first();
    if (one === undefined || one.item === null) return;
    const like = this.#theirs.sole(one.digest) === one ? this.#ours.sole(one.digest) : undefined;
    if (like === undefined) {
      this.counts.onlyOther++;
      this.#lower = Math.max(Math.min(one.t, before - 1), this.#lower);
      this.#events.missing(one.item, this.#lower);
    } else {
      this.#reordered(like, one);
      this.#ours.take(like);
    }
    this.#theirs.shift();
  }

  /** What both have once each is the same message, also where something else comes between. */
  #reordered(ours: Waiting, theirs: Waiting): void {
    this.counts.common++;
    this.counts.reordered++;
    if (theirs.item !== null) this.#events.matched(theirs.item, ours.t);
  }

  /** The two differ here: decides what is only in one, up to where they meet again. */
  #meetAgain(ours: Micros, theirs: Micros): void {
    const [a, b] = this.#meeting() ?? [this.#ours.countUntil(ours), this.#theirs.countUntil(theirs)];
    const first: Waiting[] = [];
    const second: Waiting[] = [];
    for (let n = 0; n < a; n++) push(first, this.#ours.at(n));
    for (let n = 0; n < b; n++) push(second, this.#theirs.at(n));
    const end = this.#ours.at(a)?.t ?? Number.POSITIVE_INFINITY;
    const common = longestCommon(first, second);
    let [i, j] = [0, 0];
    for (const [x, y] of [...common, [first.length, second.length] as const]) {
      const before = first[x]?.t ?? end;
      for (; i < x; i++) if (!first[i].taken) this.#onlyOurs();
      for (; j < y; j++) if (!second[j].taken) this.#onlyTheirs(before);
      if (x === first.length || y === second.length) break;
      if (!first[x].taken && !second[y].taken) this.#match();
      else {
        if (!first[x].taken) this.#onlyOurs();
        if (!second[y].taken) this.#onlyTheirs(before);
      }
      i++;
      j++;
    }
  }

  /** The nearest message that both have and each has once, as places among those that wait. */
  #meeting(): [number, number] | null {
    let best: [number, number] | null = null;
    let found = 0;
    for (let n = 0; found < CANDIDATES; n++) {
      const one = this.#ours.at(n);
      if (one === undefined || (best !== null && n >= best[0] + best[1])) break;
      if (one.taken || this.#ours.sole(one.digest) === undefined) continue;
      const like = this.#theirs.sole(one.digest);
      if (like === undefined) continue;
      found++;
      const place = this.#theirs.placeOf(like);
      if (best === null || n + place < best[0] + best[1]) best = [n, place];
    }
    return best;
  }
}

function push(list: Waiting[], one: Waiting | undefined): void {
  if (one !== undefined) list.push(one);
}

/** Places in both of a longest run of the same messages in the same order. */
function longestCommon(first: readonly Waiting[], second: readonly Waiting[]): [number, number][] {
  const width = second.length + 1;
  if (first.length === 0 || second.length === 0 || first.length * second.length > MOST_COMPARED) return [];
  const lengths = new Uint32Array((first.length + 1) * width);
  const isSame = (i: number, j: number): boolean =>
    first[i].digest === second[j].digest && !first[i].taken && !second[j].taken;
  for (let i = first.length - 1; i >= 0; i--)
    for (let j = second.length - 1; j >= 0; j--)
      lengths[i * width + j] = isSame(i, j)
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
  const common: [number, number][] = [];
  for (let i = 0, j = 0; i < first.length && j < second.length; ) {
    if (isSame(i, j)) common.push([i++, j++]);
    else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return common;
}
