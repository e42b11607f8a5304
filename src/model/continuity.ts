/** The contract between a venue's sequence rules and the book: what to do with the next update. */

/** `wait`: no snapshot yet or not joinable yet, keep the update; `stale`: older than the book, ignore. */
export type Verdict = 'apply' | 'stale' | 'wait' | 'gap' | 'refetch';

/**
 * Sequence state of one book stream of one src. Pure: no clocks, no I/O; state() and restore() are plain JSON.
 * Ids are those of the event record (FIRST, LAST, PREVIOUS; -1 where absent).
 */
export interface Continuity {
  /** judges a book update against what was applied; applying advances the state */
  update(first: number, last: number, previous: number): Verdict;
  /** the id of an update that a gap before it names: of the same kind as `last` */
  named(first: number, last: number, previous: number): number;
  /** a snapshot with this id becomes the base; the updates kept since are judged anew through `update` */
  snapshot(id: number): void;
  /** a whole book in the stream itself has this id: updates go on from it at once */
  whole(id: number): void;
  /** forget everything: a new connection, or a gap */
  reset(): void;
  /** true once a snapshot is joined and updates chain */
  readonly joined: boolean;
  /** the id the next update must chain to; -1 when none */
  readonly last: number;
  /** where ids may leave others out: how many updates were applied that did, and how many ids they left out; missing elsewhere */
  readonly skips?: Readonly<Skips>;
  state(): Record<string, number | boolean>;
  restore(state: Record<string, unknown>): void;
}

/** Since the start, whatever was lost or begun anew meanwhile. */
export interface Skips {
  updates: number;
  ids: number;
}

/** How trade ids prove continuity: contiguous integers, or no proof. */
export interface TradeChain {
  /** a trade, or several merged into one with ids from `first` to `id`; returns how many are missing before it, or -1 for a repeat */
  next(id: number, first?: number): number;
  /** ids are there and grow by one: they tell what is missing, and what was seen before */
  readonly numbered: boolean;
  /** the newest id; -1 before any, and where ids prove nothing */
  last(): number;
  reset(): void;
  state(): Record<string, number>;
  restore(state: Record<string, unknown>): void;
}
