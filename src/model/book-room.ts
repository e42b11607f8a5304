/** Where the levels of a book live, and who may apply levels to them faster than the book itself. */

/** Ticks a ladder covers: BTC at a 0.1 tick stays inside for hours. */
export const LADDER_TICKS = 32768;
export const LADDER_WORDS = LADDER_TICKS >> 5;
export const LADDER_SUMMARY = LADDER_WORDS >> 5;
/** The best index of a side without levels: worse than any. */
export const NO_BID = -1;
export const NO_ASK = LADDER_TICKS;

/** What `BookRoom.state` holds. */
export const BookState = {
  /** best occupied index of each ladder */
  BID: 0,
  ASK: 1,
  /** not zero: the ladder has to be moved before the next message */
  EDGE: 2,
  /** of each far table: levels held, and slots less one; negative: its slots are not those of the room any more */
  FAR_BID: 3,
  FAR_ASK: 5,
} as const;
export const BOOK_STATE = 8;

/** Slots of a hash table from price to size: NaN is no price; twice as many as there are levels, or more. */
export interface FarRoom {
  readonly prices: Float64Array;
  readonly sizes: Float64Array;
  /** levels held, then slots in use less one */
  readonly state: Int32Array;
}

/** One side of a book. */
export interface SideRoom {
  /** size by index */
  readonly sizes: Float64Array;
  /** bit per index that is occupied */
  readonly words: Int32Array;
  /** bit per word that may be occupied: set with the first level, cleared when a search finds the word empty */
  readonly summary: Int32Array;
  /** levels the ladder does not reach */
  readonly far: FarRoom;
}

export interface BookRoom {
  /** bids first */
  readonly sides: [SideRoom, SideRoom];
  readonly state: Int32Array;
  readonly fast: FastBook | null;
  /** The book is done with: another may have its place. */
  leave(): void;
}

/** Faster loops over levels than the book's own, with the same results. */
export interface FastBook {
  /** whether it can reach these levels */
  reaches(levels: Float64Array): boolean;
  /** The same pairs where it reaches them, until the next call or decode; where they are too many, as they are. */
  bring(levels: Float64Array): Float64Array;
  /**
   * Sets the [price, size] pairs from `levels[from]` on, which it reaches, `bids` of them and then `asks`. In `told` it lists, in order, those with
   * low <= price <= high, and those it leaves to the book: off the tick grid, without a place, or beyond a full table.
   * @param zero scaled price of index 0 @param inverse 1 / tick
   * @returns entries of `told`
   */
  apply(
    levels: Float64Array,
    from: number,
    bids: number,
    asks: number,
    zero: number,
    inverse: number,
    tick: number,
    low: number,
    high: number,
  ): number;
  /** pairs: index into `levels` of the price (negative, minus one, for a level left to the book), and the size before */
  readonly told: Float64Array;
  /** Sum of the best `limit` > 0 sizes on a side's ladder; NaN where it holds fewer. */
  topVolume(side: number, limit: number): number;
}

export type BookRooms = () => BookRoom;

/** Slots a far table begins with. */
const FAR_SLOTS = 64;

function plainSide(state: Int32Array): SideRoom {
  return {
    sizes: new Float64Array(LADDER_TICKS),
    words: new Int32Array(LADDER_WORDS),
    summary: new Int32Array(LADDER_SUMMARY),
    far: { prices: new Float64Array(FAR_SLOTS), sizes: new Float64Array(FAR_SLOTS), state },
  };
}

/** A book in ordinary memory. */
export const plainRoom: BookRooms = () => {
  const state = new Int32Array(BOOK_STATE);
  const { FAR_BID, FAR_ASK } = BookState;
  const sides: [SideRoom, SideRoom] = [
    plainSide(state.subarray(FAR_BID, FAR_BID + 2)),
    plainSide(state.subarray(FAR_ASK, FAR_ASK + 2)),
  ];
  return { sides, state, fast: null, leave() {} };
};
