/** Audits the rebuilt book against the checksums that a venue's messages state. */
import { ASK, BID } from '../market/book.js';
import type { Track } from '../market/track.js';
import { formatScaled } from '../model/decimal.js';
import type { Venue } from '../venues/venue.js';
import type { Place } from './book-audit.js';
import type { Problems } from './problems.js';

/** More levels than any venue sums. */
const LEVELS = 100;

export class ChecksumAudit {
  readonly counts = { checked: 0, agreed: 0 };
  readonly #checksum: NonNullable<Venue['checksum']>;
  readonly #problems: Problems;

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
    const sideOf = (side: typeof BID | typeof ASK): [string, string][] =>
      track.book.levels(side, LEVELS).map(([p, q]) => [formatScaled(p, price), formatScaled(q, size)]);
    const own = this.#checksum.of(sideOf(BID), sideOf(ASK));
    this.counts.checked++;
    if (own === stated) this.counts.agreed++;
    else this.#problems.add('CHECKSUM', `the book's checksum is ${own}, the venue's ${stated}`, { ...place });
  }
}
