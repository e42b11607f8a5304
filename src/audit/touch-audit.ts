/**
 * Holds the rebuilt book against the venue's own best quotes, joined by id: after an update with final id u, the book's
 * touch must be the newest quote of the whole session with an id not above u. Quotes may come much later than the
 * update, so both are kept in bounded memory until the answer cannot change any more.
 */
import type { Micros } from '../model/entry.js';
import { Spans } from './spans.js';

/** Columns of one book top: id (NaN where the book was lost), t, bid, bid size, ask, ask size, and its place (file, frame, line). */
const TOP = 9;
/** Columns of one quote: id, bid, bid size, ask, ask size, and which one it was to arrive. */
const QUOTE = 6;
const ARRIVAL = 5;
const MAX_TOPS = 16_384;
const MAX_QUOTES = 65_536;
/** A quote is final for an update once this many newer ones came: others may still arrive out of order. */
const LATE_QUOTES = 512;
/** Settling moves memory, so it is done for many at a time. */
const SETTLE_EVERY = 1024;

export interface Mismatch {
  id: number;
  t: Micros;
  /** [bid, bid size, ask, ask size], scaled: of the rebuilt book, and of the quote */
  book: [number, number, number, number];
  quote: [number, number, number, number];
  file: number;
  frame: number;
  line: number;
}

export class TouchAudit {
  checked = 0;
  agreed = 0;
  /** time during which the book is known to differ from the quotes */
  readonly contradicted = new Spans();
  readonly #mismatch: (mismatch: Mismatch) => void;
  readonly #partial: boolean;
  #tops = new Float64Array(1024 * TOP);
  #topCount = 0;
  #quotes = new Float64Array(4096 * QUOTE);
  #quoteCount = 0;
  #arrived = 0;
  /** id of the newest top; NaN before any */
  #newestTop = Number.NaN;
  /** ids from here on are of quotes of before the venue counted anew, which may still come late; until tops come there */
  #oldFrom = Number.POSITIVE_INFINITY;
  /** since when the book is known to differ from the quotes; NaN while it is not */
  #wrongSince = Number.NaN;

  /** @param partial the book lacks levels that have not changed since it began: where a quote is better, that is why */
  constructor(mismatch: (mismatch: Mismatch) => void, partial = false) {
    this.#mismatch = mismatch;
    this.#partial = partial;
  }

  /** The book's touch after an applied update; an empty side is NaN. */
  top(
    id: number,
    t: Micros,
    bid: number,
    bidSize: number,
    ask: number,
    askSize: number,
    file: number,
    frame: number,
    line: number,
  ): void {
    if (id < this.#newestTop) this.#beginAnew();
    if (!Number.isNaN(id)) this.#newestTop = id;
    if (id >= this.#oldFrom) this.#oldFrom = Number.POSITIVE_INFINITY;
    if (this.#topCount === MAX_TOPS) this.#settle(MAX_TOPS >> 1, 0);
    const o = this.#topCount * TOP;
    if (o === this.#tops.length) this.#tops = doubled(this.#tops);
    const tops = this.#tops;
    tops[o] = id;
    tops[o + 1] = t;
    tops[o + 2] = bid;
    tops[o + 3] = bidSize;
    tops[o + 4] = ask;
    tops[o + 5] = askSize;
    tops[o + 6] = file;
    tops[o + 7] = frame;
    tops[o + 8] = line;
    this.#topCount++;
    if (this.#topCount % SETTLE_EVERY === 0) this.#settle(this.#topCount, LATE_QUOTES);
  }

  /** The book is lost at `t`: from here on it contradicts nothing. */
  lost(t: Micros): void {
    this.top(Number.NaN, t, Number.NaN, 0, Number.NaN, 0, 0, 0, 0);
  }

  /** A best quote of the venue; ids usually rise, late and repeated ones are put in their place. */
  quote(id: number, bid: number, bidSize: number, ask: number, askSize: number): void {
    if (id >= this.#oldFrom) return;
    if (this.#quoteCount === MAX_QUOTES) this.#makeRoom();
    if (this.#quoteCount * QUOTE === this.#quotes.length) this.#quotes = doubled(this.#quotes);
    const quotes = this.#quotes;
    let at = this.#quoteCount;
    while (at > 0 && quotes[(at - 1) * QUOTE] >= id) at--;
    if (at < this.#quoteCount) {
      if (quotes[at * QUOTE] === id) return;
      quotes.copyWithin((at + 1) * QUOTE, at * QUOTE, this.#quoteCount * QUOTE);
    }
    const o = at * QUOTE;
    quotes[o] = id;
    quotes[o + 1] = bid;
    quotes[o + 2] = bidSize;
    quotes[o + 3] = ask;
    quotes[o + 4] = askSize;
    quotes[o + ARRIVAL] = this.#arrived++;
    this.#quoteCount++;
  }

  /** Quotes may be missing from here on: what is pending is decided, and quotes so far say nothing about later updates. */
  interrupt(): void {
    this.#settle(this.#topCount, 0);
    this.#quoteCount = 0;
  }

  /** The venue counts anew: quotes that came behind the newest and are older than all before it are of the new ids, and are kept. */
  #beginAnew(): void {
    const quotes = this.#quotes;
    const newest = quotes[(this.#quoteCount - 1) * QUOTE + ARRIVAL];
    let count = 0;
    while (count < this.#quoteCount && quotes[count * QUOTE + ARRIVAL] > newest) count++;
    const kept = quotes.slice(0, count * QUOTE);
    this.#dropQuotes(count);
    this.#oldFrom = this.#quoteCount > 0 ? this.#quotes[0] : Number.POSITIVE_INFINITY;
    this.interrupt();
    this.#quotes.set(kept);
    this.#quoteCount = count;
  }

  /** Decides everything; `t` is the end of the session. */
  finish(t: Micros): void {
    this.interrupt();
    this.#endWrong(t);
  }

  #endWrong(t: Micros): void {
    if (!Number.isNaN(this.#wrongSince)) this.contradicted.add(this.#wrongSince, t);
    this.#wrongSince = Number.NaN;
  }

  #makeRoom(): void {
    this.#settle(this.#topCount, LATE_QUOTES);
    if (this.#quoteCount === MAX_QUOTES) this.#dropQuotes(MAX_QUOTES >> 1);
  }

  /** Decides up to `count` of the oldest tops, as far as `late` newer quotes are there; 0 decides all. */
  #settle(count: number, late: number): void {
    const tops = this.#tops;
    const quotes = this.#quotes;
    let newest = -1;
    let n = 0;
    for (; n < count; n++) {
      const o = n * TOP;
      while (newest + 1 < this.#quoteCount && quotes[(newest + 1) * QUOTE] <= tops[o]) newest++;
      if (late > 0 && newest + late >= this.#quoteCount) break;
      if (Number.isNaN(tops[o])) this.#endWrong(tops[o + 1]);
      else if (newest >= 0) this.#decide(o, newest);
    }
    if (n > 0) {
      tops.copyWithin(0, n * TOP, this.#topCount * TOP);
      this.#topCount -= n;
    }
    if (newest > 0) this.#dropQuotes(newest);
  }

  #decide(o: number, newest: number): void {
    const tops = this.#tops;
    const quotes = this.#quotes;
    const q = newest * QUOTE;
    const same =
      tops[o + 2] === quotes[q + 1] &&
      tops[o + 3] === quotes[q + 2] &&
      tops[o + 4] === quotes[q + 3] &&
      tops[o + 5] === quotes[q + 4];
    // without a newer quote the right one may only have been cut off
    if (!same && newest + 1 === this.#quoteCount) return;
    const t = tops[o + 1];
    this.#endWrong(t);
    if (this.#partial && !(tops[o + 2] >= quotes[q + 1] && tops[o + 4] <= quotes[q + 3])) return;
    this.checked++;
    if (same) {
      this.agreed++;
      return;
    }
    this.#wrongSince = t;
    this.#mismatch({
      id: tops[o],
      t,
      book: [tops[o + 2], tops[o + 3], tops[o + 4], tops[o + 5]],
      quote: [quotes[q + 1], quotes[q + 2], quotes[q + 3], quotes[q + 4]],
      file: tops[o + 6],
      frame: tops[o + 7],
      line: tops[o + 8],
    });
  }

  #dropQuotes(count: number): void {
    this.#quotes.copyWithin(0, count * QUOTE, this.#quoteCount * QUOTE);
    this.#quoteCount -= count;
  }
}

function doubled(old: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(old.length * 2);
  grown.set(old);
  return grown;
}
