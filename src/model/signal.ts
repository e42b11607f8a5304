/** What `scan` prints: the signal line, its fields and its text order. */

export type Phase = 'onset' | 'update' | 'end' | 'point';
export type Side = 'buy' | 'sell';
export type Quality = 'verified' | 'unverifiable' | 'suspect';

/** Why a signal ended. */
export const END_REASONS = [
  'faded',
  'held',
  'broken',
  'pulled',
  'refilled',
  'invalidated',
  'stop',
  'target',
  'tape',
  'sweep',
  'reached_wall',
  'wall_pulled',
  'age',
  'gap',
  'hour',
  'eof',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** A JSON value a signal may carry as evidence: numbers are exact decimals or plain ratios. */
export type Evidence = Record<string, number | string | boolean | null>;

/** The article's three tests of aggression, as values and verdicts; a verdict is null while it is not known. */
export interface Confirm {
  /** aggressive volume over the opposite depth before it, and the share by which that depth fell */
  size: boolean | null;
  size_ratio: number | null;
  depth_fell: number | null;
  duration: boolean;
  same_side_share: number;
  /** the mid went with the aggressor, how far, and how far it had to */
  reaction: boolean | null;
  reaction_ticks: number | null;
  reaction_asked_ticks: number | null;
  /** size and duration pass, and the price stays: somebody takes the other side */
  stall: boolean | null;
}

/** What a plan's size may be bounded by beside its risk. */
export const SIZE_CAPS = ['leverage', 'touch'] as const;

/** What a setup plans; information, no order is placed. Prices and sizes are exact decimals, null where unknown. */
export interface Plan {
  entry: number;
  stop: number;
  /** the other stop of the article, where it names two */
  stop_level: number | null;
  stop_origin: number | null;
  target: number | null;
  risk_bps: number;
  reward_bps: number | null;
  /** reward over risk, before costs and with them */
  rr: number | null;
  rr_net: number | null;
  breakeven_bps: number;
  /** null without `--equity` */
  size: number | null;
  /** what makes it smaller than the risk would have it; null: nothing */
  cap: (typeof SIZE_CAPS)[number] | null;
  /** displayed at the entry */
  touch_size: number | null;
  /** why the plan is worse than it looks */
  warning: string | null;
}

/** Where the market stands when a signal is said: what is not known is left out. */
export type Context = Record<string, number | string | boolean | null | Evidence>;

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
  confirm?: Confirm;
  context: Context;
  plan?: Plan;
  quality: Quality;
}
