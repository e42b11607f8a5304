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

export interface VenueRules {
  continuity(): Continuity;
  tradeChain(): TradeChain;
  /** null where the body is no usable snapshot (an error object, lastUpdateId -1) */
  readSnapshot(body: unknown): Snapshot | null;
}
