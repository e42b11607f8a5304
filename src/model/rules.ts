/** What the market needs to know of a venue, so that it needs no venue: sequence rules and how to read a snapshot. */
import type { Continuity, TradeChain } from './continuity.js';

/** A book snapshot as the venue gave it: decimal texts. */
export interface Snapshot {
  id: number;
  /** exchange times in µs; 0 where the venue gives none */
  emitted: number;
  matched: number;
  bids: [string, string][];
  asks: [string, string][];
}

/** [price, size] pairs, scaled: so many bids, then the asks. */
export interface ScaledLevels {
  bids: number;
  levels: Float64Array;
}

export interface VenueRules {
  /**
   * The stream's book is the best levels only, a number of them on each side: a level that leaves them is deleted, one that comes among
   * them is told. Else the stream tells all levels, and those beyond a snapshot are not known before they change.
   */
  slides?: boolean;
  continuity(): Continuity;
  tradeChain(): TradeChain;
  /** null where the body is no usable snapshot (an error object, lastUpdateId -1) */
  readSnapshot(body: unknown): Snapshot | null;
}
