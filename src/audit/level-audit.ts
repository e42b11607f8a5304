/**
 * Holds the rebuilt book, level by level, against books over REST that nothing joins to the stream. Such a book is a little older or
 * newer than the stream's, so one that differs proves nothing: a level is wrong where two reads in a row, some seconds apart, differ
 * from it while the stream said nothing of it.
 */
import { ASK, BID, type BookSide } from '../market/book.js';
import type { Track } from '../market/track.js';
import { formatScaled, scaleDecimal } from '../model/decimal.js';
import type { HttpEntry, Micros } from '../model/entry.js';
import { formatTime } from '../model/time.js';
import type { RestAudit } from '../venues/venue.js';
import type { Place } from './book-audit.js';
import type { Problems } from './problems.js';

/** Reads nearer to each other than this may both be early, or both late. */
const APART: Micros = 5_000_000;

export interface LevelCounts {
  /** books over REST that were compared */
  reads: number;
  /** levels that could be decided, over all reads, and those of them that agreed */
  checked: number;
  agreed: number;
  /** levels that differed in a read, and neither did so again nor are known to be right */
  unsettled: number;
}

/** A level that differed in the newest read, and that the stream did not change since. */
interface Doubt {
  /** of the first read in a row that differed */
  since: Micros;
  /** what the stream made of it */
  size: number;
  /** the problem is told */
  told: boolean;
}

interface Read {
  t: Micros;
  /** exchange time of the venue's book, 0 where it gives none */
  emitted: Micros;
  place: Place;
}

type Doubts = Map<number, Doubt>;

export class LevelAudit {
  readonly counts: LevelCounts = { reads: 0, checked: 0, agreed: 0, unsettled: 0 };
  readonly #audit: RestAudit;
  readonly #track: Track;
  readonly #problems: Problems;
  /** by side and scaled price */
  #doubts: [Doubts, Doubts] = [new Map(), new Map()];

  constructor(audit: RestAudit, track: Track, problems: Problems) {
    this.#audit = audit;
    this.#track = track;
    this.#problems = problems;
  }

  /** An answer over REST came; what is no book, or comes while the stream has none, is no read. */
  answer({ t, http }: HttpEntry, place: Place): void {
    const book = http.status === 200 ? this.#audit.read(http.body) : null;
    if (book === null || this.#track.state !== 'valid') return;
    const sides = [this.#scaled(book.bids), this.#scaled(book.asks)] as const;
    if (sides[0] === null || sides[1] === null) return;
    this.counts.reads++;
    const at = { t, emitted: book.emitted, place };
    this.#doubts = [this.#compare(BID, sides[0], at), this.#compare(ASK, sides[1], at)];
    const some = this.#doubts[0].size + this.#doubts[1].size > 0;
    this.#track.onLevel = some ? this.#changed : null;
  }

  /** The book is lost or begins anew: what was seen of the one before says nothing about it. */
  forget(): void {
    this.#doubts = [new Map(), new Map()];
    this.#track.onLevel = null;
  }

  readonly #changed = (side: BookSide, price: number, before: number, after: number): void => {
    if (before !== after) this.#doubts[side].delete(price);
  };

  /** Sizes by price; null where a number cannot be held. */
  #scaled(levels: readonly [string, string][]): Map<number, number> | null {
    const { price, size } = this.#track.scale;
    const sizes = new Map<number, number>();
    for (const level of levels) {
      const [p, q] = [scaleDecimal(level[0], price), scaleDecimal(level[1], size)];
      if (!(p >= 0 && q >= 0)) return null;
      if (q > 0) sizes.set(p, q);
    }
    return sizes;
  }

  /** Decides the levels of a side that both know; returns those that are in doubt from here on. */
  #compare(side: BookSide, theirs: ReadonlyMap<number, number>, at: Read): Doubts {
    const { book, low, high } = this.#track;
    const prices = [...theirs.keys()];
    const worst = side === BID ? Math.min(...prices) : Math.max(...prices);
    const ours = new Map<number, number>();
    book.each(side, (price, size) => void ours.set(price, size));
    const doubts: Doubts = new Map();
    for (const price of new Set([...prices, ...ours.keys()])) {
      const [own, other] = [ours.get(price) ?? 0, theirs.get(price) ?? 0];
      if (side === BID ? price < worst : price > worst) continue;
      // where the stream's book was not known when it began, it knows what it was told since
      const isKnown = own > 0 || (side === BID ? price >= low : price <= high);
      if (!isKnown) continue;
      if (own === other) {
        this.counts.checked++;
        this.counts.agreed++;
      } else doubts.set(price, this.#doubt(side, price, own, other, at));
    }
    return doubts;
  }

  /** A level differs: the first time in a row it is put off, then it is wrong. */
  #doubt(side: BookSide, price: number, size: number, other: number, { t, emitted, place }: Read): Doubt {
    const doubt = this.#doubts[side].get(price);
    if (doubt === undefined || doubt.size !== size) {
      this.counts.unsettled++;
      return { since: t, size, told: false };
    }
    if (t - doubt.since < APART) return doubt;
    this.counts.checked++;
    if (doubt.told) return doubt;
    this.counts.unsettled--;
    const scale = this.#track.scale;
    const text = (q: number): string => (q === 0 ? 'nothing' : formatScaled(q, scale.size));
    const level = `${side === BID ? 'bid' : 'ask'} ${formatScaled(price, scale.price)}`;
    const asOf = emitted > 0 ? ` of ${formatTime(emitted)}` : '';
    const apart = `in reads ${((t - doubt.since) / 1e6).toFixed(1)} s apart`;
    const message = `${level} is ${text(size)} in the rebuilt book and ${text(other)} in the venue's${asOf}, ${apart}`;
    this.#problems.add('LEVEL', message, { ...place });
    return { ...doubt, told: true };
  }
}
