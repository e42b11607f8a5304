/** Big levels that stand and that went, and which of those that went only moved: another like it appeared on its side as it went. */
import type { Micros } from '../model/entry.js';
import { ASK, type BookSide } from './book.js';

/** An order that is shown elsewhere with a size in these bounds, as one goes, is the same order moved. */
export const LIKE_LEAST = 0.8;
const LIKE_MOST = 1.25;
/** Levels that went and are remembered. */
const MOST_REMEMBERED = 256;

/** A big level that appeared and stands. Prices and sizes are scaled. */
export interface Watched {
  readonly side: BookSide;
  readonly price: number;
  /** displayed when it appeared */
  readonly size: number;
  /** what it had to reach, and the median level, then */
  readonly gate: number;
  readonly median: number;
  /** `t` of the message that showed it */
  readonly shown: Micros;
  readonly mid: number;
  readonly isNear: boolean;
  /** it may be said, were it to go: big enough, and far enough from the mid */
  readonly counts: boolean;
}

/** It went, and why is not known yet. */
export interface Gone {
  readonly level: Watched;
  readonly gone: Micros;
  readonly removed: number;
  readonly mid: number;
  readonly isNear: boolean;
}

/** A level that went, and one that appeared where it may stand now. */
interface Pair {
  readonly gone: Gone;
  readonly place: Watched;
}

/**
 * Each level that appears explains one that went. Of one message with one message's, those nearest in size and price belong together.
 * What is left is for levels that went up to a guard before or after, whoever went first, and no trade explains. To look at two guards
 * before is enough for who went in reach of the same level. Who was in theirs is left aside, or it all would hang on what went long ago.
 */
export class Moves {
  readonly #guard: Micros;
  /** what went of late, in that order, and what of it no trade explains */
  #went: Gone[] = [];
  #untraded: Gone[] = [];

  constructor(guard: Micros) {
    this.#guard = guard;
  }

  /** A level went. All that went more than a guard before was asked about already. */
  add(gone: Gone): void {
    this.#went = later(this.#went, gone.gone - 4 * this.#guard);
    this.#went.push(gone);
  }

  /**
   * Which of some that went in one message, a guard ago or longer, have moved. All that no trade explains are to be asked about, in the
   * order in which they went; `watched` are the levels that stand.
   */
  among(asked: readonly Gone[], watched: ReadonlyMap<number, Watched>): ReadonlySet<Gone> {
    const moved = new Set<Gone>();
    const guard = this.#guard;
    const [{ gone: t }] = asked;
    const before = later(this.#untraded, t - 2 * guard);
    this.#untraded = [...before, ...asked];
    // most appear nowhere else
    if (!asked.some((one) => this.#placesOf(one, guard, watched).length > 0)) return moved;
    const taken = new Set<Watched>();
    const match = (went: readonly Gone[], reach: Micros): void => {
      const pairs = went
        .filter((gone) => !moved.has(gone))
        .flatMap((gone) => this.#placesOf(gone, reach, watched).map((place): Pair => ({ gone, place })));
      for (const { gone, place } of pairs.sort(byNearness)) {
        if (moved.has(gone) || taken.has(place)) continue;
        moved.add(gone);
        taken.add(place);
      }
    };
    for (const message of byMessage(later(this.#went, t - 3 * guard))) match(message, 0);
    for (const message of byMessage(this.#untraded)) match(message, guard);
    return moved;
  }

  /** Where a level may stand that went: levels like it that were shown within `reach` of that, and not gone then. */
  #placesOf({ level, gone }: Gone, reach: Micros, watched: ReadonlyMap<number, Watched>): Watched[] {
    const places: Watched[] = [];
    for (const place of watched.values()) if (isLike(level, place, gone, reach)) places.push(place);
    for (const other of this.#went)
      if (other.gone > gone && isLike(level, other.level, gone, reach)) places.push(other.level);
    return places;
  }

  clear(): void {
    this.#went = [];
    this.#untraded = [];
  }
}

function isLike({ side, price, size }: Watched, place: Watched, gone: Micros, reach: Micros): boolean {
  return (
    place.side === side &&
    place.price !== price &&
    Math.abs(place.shown - gone) <= reach &&
    place.size >= LIKE_LEAST * size &&
    place.size <= LIKE_MOST * size
  );
}

/** Those that went at `t` or later, as many as are remembered. */
function later(went: readonly Gone[], t: Micros): Gone[] {
  return went.filter(({ gone }) => gone >= t).slice(1 - MOST_REMEMBERED);
}

/** What went, divided by the time at which it did. */
function byMessage(went: readonly Gone[]): Gone[][] {
  const messages: Gone[][] = [];
  for (const one of went) {
    const last = messages[messages.length - 1];
    if (last?.[0].gone === one.gone) last.push(one);
    else messages.push([one]);
  }
  return messages;
}

/** The nearest in time first, then in size, then in price, then what is nearer to the touch: the same on either side and on any scale. */
function byNearness(a: Pair, b: Pair): number {
  const [one, other] = [ranksOf(a), ranksOf(b)];
  const at = one.findIndex((rank, i) => rank !== other[i]);
  return at < 0 ? 0 : one[at] - other[at];
}

function ranksOf({ gone: { level, gone }, place }: Pair): number[] {
  const outward = level.side === ASK ? 1 : -1;
  return [
    ...[Math.abs(place.shown - gone), Math.abs(place.size - level.size), Math.abs(place.price - level.price)],
    ...[outward * place.price, outward * level.price, place.shown],
  ];
}
