/** What a record or an entry did to a src: the bits a track returns, and what it counts. */

/** Bits may be combined. */
export const Effect = {
  none: 0,
  /** book levels changed by an applied update while valid */
  book: 1,
  /** a trade that is order flow */
  trade: 2,
  /** a touch message */
  touch: 4,
  /** the book became valid (snapshot joined, or checkpoint restored) */
  valid: 8,
  /** the book lost validity */
  lost: 16,
  /** trades are missing before this one */
  tradeGap: 32,
  /** a public print that is not order flow */
  offBook: 64,
  /** something was said of the contract beside its market */
  derivative: 128,
  /** a liquidation was pushed */
  liquidation: 256,
  /** messages of neither book nor flow may be missing */
  besideGap: 512,
} as const;

export interface TrackCounts {
  messages: number;
  depth: number;
  applied: number;
  stale: number;
  trades: number;
  /** those of them that come by a channel that is not the flow */
  besideFlow: number;
  offBook: number;
  touches: number;
  snapshots: number;
  /** snapshots that came while the book was valid and renewed it */
  renewed: number;
  unknown: number;
  invalid: number;
  /** book stream breaks seen by sequence */
  bookGaps: number;
  /** trade ids missing */
  tradesMissing: number;
  crossed: number;
}

export function createCounts(): TrackCounts {
  return {
    messages: 0,
    depth: 0,
    applied: 0,
    stale: 0,
    trades: 0,
    besideFlow: 0,
    offBook: 0,
    touches: 0,
    snapshots: 0,
    renewed: 0,
    unknown: 0,
    invalid: 0,
    bookGaps: 0,
    tradesMissing: 0,
    crossed: 0,
  };
}
