/** What `scan` prints: the signal line, its fields and its text order. */

export type Phase = 'onset' | 'update' | 'end' | 'point';
export type Side = 'buy' | 'sell';
export type Quality = 'verified' | 'unverifiable' | 'suspect';

/** Why a signal ended. */
export type EndReason = 'faded' | 'held' | 'broken' | 'pulled' | 'invalidated' | 'gap' | 'hour' | 'eof' | 'age';

/** A JSON value a signal may carry as evidence: numbers are exact decimals or plain ratios. */
export type Evidence = Record<string, number | string | boolean | null>;

/**
 * One line of `scan --format json`. Keys stand in this order; absent ones are left out.
 * `time` is ISO with six decimals of the `t` of the entry that made it true.
 */
export interface Signal {
  time: string;
  venue: string;
  symbol: string;
  signal: string;
  phase: Phase;
  side: Side;
  id: string;
  reason?: EndReason;
  /** mid or level price the signal speaks of */
  price: number | null;
  score: number;
  evidence: Evidence & { recorder: string; first: number; last: number };
  confirm?: Record<string, number | boolean | null>;
  /** what the venue said of the contract beside its market; what is not known is left out */
  context?: Evidence;
  plan?: Record<string, number | string | null>;
  quality: Quality;
}
