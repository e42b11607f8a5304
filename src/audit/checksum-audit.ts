/** Audits the rebuilt book against the checksums that a venue's messages state. */
import { ASK, BID, type BookSide } from '../market/book.js';
import type { Track } from '../market/track.js';
import { formatScaled } from '../model/decimal.js';
import type { Venue } from '../venues/venue.js';
import type { Place } from './book-audit.js';
import type { Problems } from './problems.js';

/** As many levels as any venue sums, or more. */
const LEVELS = 32;

export class ChecksumAudit {
  readonly counts = { checked: 0, agreed: 0 };
  readonly #checksum: NonNullable<Venue['checksum']>;
  readonly #problems: Problems;
  readonly #prices = new Float64Array(LEVELS);
  readonly #sizes = new Float64Array(LEVELS);

  constructor(checksum: NonNullable<Venue['checksum']>, problems: Problems) {
    this.#checksum = checksum;
    this.#problems = problems;
  }

  /** A book message was applied; its line is `bytes[start, end)`. */
  applied(track: Track, bytes: Buffer, start: number, end: number, place: Place): void {
    const line = JSON.parse(bytes.toString('utf8', start, end)) as { msg?: unknown };
    const stated = this.#checksum.stated(line.msg);
    if (stated === null) return;
    const { price, size } = track.scale;
    const sideOf = (side: BookSide): [string, string][] =>
      Array.from({ length: track.book.top(side, LEVELS, this.#prices, this.#sizes) }, (_, n) => [
        formatScaled(this.#prices[n], price),
        formatScaled(this.#sizes[n], size),
      ]);
    const own = this.#checksum.of(sideOf(BID), sideOf(ASK));
    this.counts.checked++;
    if (own === stated) this.counts.agreed++;
    else this.#problems.add('CHECKSUM', `the book's checksum is ${own}, the venue's ${stated}`, { ...place });
  }
}
