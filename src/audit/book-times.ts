/** When the rebuilt book was crossed, and when it stood still. */
import type { Track } from '../market/track.js';
import type { Micros } from '../model/entry.js';
import { Spans } from './spans.js';

/** A joined book without an update for longer than this is stale. Quiet markets have such times: it is no finding. */
export const STALE: Micros = 10_000_000;

export class BookTimes {
  readonly crossed = new Spans();
  readonly stale = new Spans();
  #crossedSince = Number.NaN;
  #updated = Number.NaN;

  /** An update was applied to the joined book. */
  applied({ book }: Track, t: Micros): void {
    if (t - this.#updated > STALE) this.stale.add(this.#updated, t);
    this.#updated = t;
    const isCrossed = book.bestBid() >= book.bestAsk();
    if (isCrossed === !Number.isNaN(this.#crossedSince)) return;
    if (isCrossed) this.#crossedSince = t;
    else this.#uncross(t);
  }

  /** The book is lost, or the recording ends: `t` is the last moment at which it was known. */
  end(t: Micros): void {
    if (t - this.#updated > STALE) this.stale.add(this.#updated, t);
    this.#updated = Number.NaN;
    if (!Number.isNaN(this.#crossedSince)) this.#uncross(t);
  }

  #uncross(t: Micros): void {
    // one that lasts no microsecond between two entries is one all the same
    this.crossed.add(this.#crossedSince, Math.max(t, this.#crossedSince + 1));
    this.#crossedSince = Number.NaN;
  }
}
