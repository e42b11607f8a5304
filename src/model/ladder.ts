/** Where the price ladders of a book live, and who may apply levels to them faster than the book itself. */

/** Ticks a ladder covers: BTC at a 0.1 tick stays inside for hours. */
export const LADDER_TICKS = 32768;
export const LADDER_WORDS = LADDER_TICKS >> 5;
export const LADDER_SUMMARY = LADDER_WORDS >> 5;

/** One side of a ladder. */
export interface LadderRoom {
  /** size by index */
  readonly sizes: Float64Array;
  /** bit per index that is occupied */
  readonly words: Int32Array;
  /** bit per word that may be occupied: set with the first level, cleared when a search finds the word empty */
  readonly summary: Int32Array;
  readonly fast: FastLadder | null;
}

/** A faster loop over levels than the book's own, with the same results. */
export interface FastLadder {
  /** whether it can reach these levels */
  reaches(levels: Float64Array): boolean;
  /**
   * Sets the [price, size] pairs `[from, to)` of the levels it reaches that lie on the ladder. In `told` it lists, in order, those that do
   * not, and those with low <= price <= high.
   * @param zero scaled price of index 0 @param inverse 1 / tick @param best best occupied index
   * @returns the best occupied index now
   */
  apply(
    from: number,
    to: number,
    zero: number,
    inverse: number,
    tick: number,
    best: number,
    low: number,
    high: number,
  ): number;
  /** entries of `told` after `apply` */
  count(): number;
  /** pairs: index into `levels` of the price (negative, minus one, for a level off the ladder), and the size before */
  readonly told: Float64Array;
}

/** Both sides, bids first. */
export type LadderRooms = () => [LadderRoom, LadderRoom];

function plainRoom(): LadderRoom {
  return {
    sizes: new Float64Array(LADDER_TICKS),
    words: new Int32Array(LADDER_WORDS),
    summary: new Int32Array(LADDER_SUMMARY),
    fast: null,
  };
}

/** Ladders in ordinary memory. */
export const plainLadders: LadderRooms = () => [plainRoom(), plainRoom()];
