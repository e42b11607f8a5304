/** Counts the trades that ids say are missing, and those of them that later answers over REST hold. */
import type { HttpEntry } from '../model/entry.js';
import { IdRanges } from '../model/id-ranges.js';
import type { RestTrades } from '../venues/venue.js';

/** Of all trade streams of a recording. */
export class MissingTrades {
  /** trades that did not arrive, whatever was done about them later */
  missing = 0;
  /** of these, trades that were read over REST, each counted once */
  backfilled = 0;
  readonly #ways: Readonly<Record<string, RestTrades>>;
  /** by stream, without those that were filled */
  readonly #missing = new Map<string, IdRanges>();

  constructor(ways: Readonly<Record<string, RestTrades>> = {}) {
    this.#ways = ways;
  }

  /** The trades from `first` to `last` of a stream did not arrive. */
  missed(stream: string, first: number, last: number): void {
    let ranges = this.#missing.get(stream);
    if (ranges === undefined) {
      ranges = new IdRanges();
      this.#missing.set(stream, ranges);
    }
    ranges.add(first, last);
    this.missing += last - first + 1;
  }

  /** An answer over REST: where it was asked for missed trades, it fills those that it lists. */
  answer({ http }: HttpEntry): void {
    const { fills, status, body } = http;
    if (fills === undefined || status !== 200) return;
    const ranges = this.#missing.get(fills.stream);
    const listed = this.#ways[fills.stream]?.read(body) ?? [];
    for (const [first, last] of listed)
      this.backfilled += ranges?.remove(Math.max(first, fills.first), Math.min(last, fills.last)) ?? 0;
  }
}
