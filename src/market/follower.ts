/** What state of the market is told as things happen, so that each kind of state stands in a file of its own. */
import type { Micros } from '../model/entry.js';
import type { Group } from './groups.js';
import type { LevelChanges } from './level-changes.js';

/** Prices, scaled, between which book changes are of interest; its owner may move it between messages. */
export interface Band {
  low: number;
  high: number;
}

/**
 * Is handed the single levels that a message changed, all of its band at least, before `book`. The bands of others are among them: it
 * passes over what is not of its own.
 */
export interface LevelTap {
  readonly band: Band;
  readonly changes: (changes: LevelChanges) => void;
}

/**
 * Followers are told in the order they asked, each after flow windows, groups, mids and sums are current and before detectors
 * look. Sizes and prices are scaled integers.
 */
export interface Follower {
  /** a print of the flow; `side` +1: the aggressor bought */
  trade?(t: Micros, side: number, price: number, size: number): void;
  /** a message was applied to the valid book, or with `joined`, the book became valid: nothing before is to be compared with it */
  book?(t: Micros, joined: boolean): void;
  /** best quotes (touch records `[from, to)`), as the venue pushes them beside the book */
  touches?(events: Float64Array, from: number, to: number): void;
  /** an aggressor group is complete; the object is used again */
  group?(group: Group): void;
  /**
   * a second of data time (GRID), before the first entry behind it; statistics have taken their samples. Of a silence longer than what
   * anything depends on, the first seconds are left out: what is made of seconds is wrong until all it looks back on came behind them
   */
  tick?(t: Micros): void;
  /** data was lost: `effect` holds Effect.lost (the book), Effect.tradeGap (trades) or Effect.besideGap (touches and what is beside) */
  lose?(effect: number): void;
  /** a unit begins, whose time starts at `start`: what depends on more than a bounded past starts afresh */
  unit?(start: Micros): void;
  readonly levels?: LevelTap;
}
