/** One price against which aggressors trade: how often what they took away came back, and to the same displayed size. */
import type { Micros } from '../model/entry.js';
import type { EndReason } from '../model/signal.js';
import type { BookSide } from './book.js';

/** A level is depleted at this share of the peak, */
const LOW = 0.2;
/** shows the peak again within this share of it, */
const LIKE = 0.1;
/** and was refilled where so much of it was traded meanwhile. */
const ENOUGH = 0.8;

const NEVER = Number.NEGATIVE_INFINITY;

/** What is displayed, beside the peak. */
const State = { peak: 0, part: 1, low: 2, high: 3 } as const;

/** The newest message of the book: when it came, and the exchange time of what it shows; 0 where none is said. */
export interface NewestBook {
  readonly t: Micros;
  readonly at: Micros;
}

const NO_BOOK: NewestBook = { t: NEVER, at: 0 };

export interface RefillRules {
  /** cycles in a row that make a run of them */
  readonly cycles: number;
  /** from depletion until the peak is shown again, at most */
  readonly refill: Micros;
  /** without a cycle for this long a run is over */
  readonly fade: Micros;
  /** trades and the book changes they made may be this far apart */
  readonly guard: Micros;
}

/**
 * A cycle is: the peak is displayed, at least ENOUGH of it is traded, the level is depleted, and the peak is displayed again within
 * `refill`. Conflation may hide that it was depleted: then what was traded within a guard before a message must be nearly all that was
 * displayed; where there is no message, the peak must still stand a guard after the trades, in a book that is not known to be older
 * than they are. All sizes are scaled integers.
 */
export class RefillRun {
  readonly side: BookSide;
  readonly price: number;
  /** the displayed size that repeats */
  peak: number;
  /** displayed now */
  shown: number;
  /** when the first trade of the first cycle came; before there is a cycle, the first of all */
  firstT: Micros;
  cycles = 0;
  /** how often the book showed it depleted and full again, and for how long it was, altogether */
  refills = 0;
  depletedFor: Micros = 0;
  /** `t` of the newest cycle */
  lastCycleT: Micros = Number.NaN;
  /** as of the newest cycle: traded since the first began, and how much of that must have been added or hidden */
  traded = 0;
  hidden = 0;
  /** why it is over; null while it goes on */
  over: EndReason | null = null;
  /** it must be looked at after this time, whatever happens */
  due: Micros = Number.POSITIVE_INFINITY;
  readonly #rules: RefillRules;
  /** displayed when the first cycle began, and traded since */
  #begun: number;
  #total = 0;
  /** displayed before what is traded and part of no cycle yet */
  #stood: number;
  /** changes of the last guard: when, and what was displayed before each */
  readonly #changes: (readonly [t: Micros, before: number])[] = [];
  /** how long the book showed it depleted in the cycle under way; NaN: it did not */
  #depleted = Number.NaN;
  #lastTradeT: Micros;
  /** traded and part of no cycle yet, and since when */
  #open = 0;
  #openT: Micros = Number.NaN;
  #state: number = State.peak;
  /** since when it is depleted, or more than the peak is displayed; NaN: neither */
  #oddAt: Micros = Number.NaN;
  /** when the book last showed it depleted since the peak was displayed, and when it must have been though no message showed it */
  #lowAt: Micros = NEVER;
  #hiddenLowAt: Micros = NEVER;
  /** traded and not yet taken from what is displayed, and since when; below 0: shown, and its trades are still to come */
  #unshown = 0;
  #unshownT: Micros = NEVER;
  /** the peak came back so often before the trades did; they are waited for since the last time */
  #unexplained = 0;
  #returnedAt: Micros = Number.NaN;
  /** enough was traded and the book shows nothing of it: when the peak counts as shown again, and what was traded since that was known */
  #confirmAt: Micros = Number.NaN;
  #sinceEnough = 0;
  /** receive and exchange time of the trade that made it enough */
  #enoughT: Micros = NEVER;
  #enoughAt: Micros = 0;
  /** exchange time of the newest trade; 0: not known */
  #matched: Micros = 0;

  /** @param stood displayed a guard before: the book may have shown already what the first trade did */
  constructor(rules: RefillRules, t: Micros, side: BookSide, price: number, peak: number, stood = peak) {
    this.#rules = rules;
    this.side = side;
    this.price = price;
    this.peak = peak;
    this.shown = peak;
    this.firstT = t;
    this.#begun = peak;
    this.#stood = stood;
    if (stood !== peak) this.#changes.push([t, stood]);
    this.#lastTradeT = t;
  }

  /** There are cycles enough. */
  get isRunning(): boolean {
    return this.cycles >= this.#rules.cycles;
  }

  /** @param matched its exchange time; 0 where none is said */
  trade(t: Micros, size: number, matched: Micros = 0): void {
    this.#matched = matched;
    if (this.#state === State.peak && this.#unexplained === 0 && Number.isNaN(this.#confirmAt))
      if (t - this.#openT > this.#rules.guard) this.#open = 0; // the book had time to show what it did
    if (this.#open === 0) {
      this.#openT = t;
      this.#forgetChanges(t);
      this.#stood = Math.max(this.shown, this.#changes[0]?.[1] ?? 0);
    }
    if (this.#unshown === 0 || this.#isShown(t)) {
      this.#unshown = 0;
      this.#unshownT = t;
    }
    this.#unshown += size;
    this.#open += size;
    this.#total += size;
    this.#lastTradeT = t;
    if (!Number.isNaN(this.#confirmAt)) this.#sinceEnough += size;
    else if (this.#isEnough()) {
      if (this.#unexplained > 0) this.#explain(t);
      else if (this.#state === State.peak) this.#awaitBook(t);
    }
    this.#schedule();
  }

  #isEnough(): boolean {
    return this.#open >= ENOUGH * this.peak;
  }

  #awaitBook(t: Micros): void {
    this.#confirmAt = t + this.#rules.guard;
    this.#sinceEnough = 0;
    this.#enoughT = t;
    this.#enoughAt = this.#matched;
  }

  /** A book that came after the trades is older than they are: it cannot show yet what they did. */
  #isBehind({ t, at }: NewestBook): boolean {
    return t > this.#enoughT && at > 0 && at < this.#enoughAt;
  }

  /** The book had time to show what was traded, or the trades to come that it shows. */
  #isShown(t: Micros): boolean {
    return t - this.#unshownT > this.#rules.guard;
  }

  /** A message left so much displayed. */
  show(t: Micros, shown: number): void {
    const before = this.shown;
    this.#forgetChanges(t);
    this.#changes.push([t, before]);
    const unshown = this.#isShown(t) ? 0 : this.#unshown;
    if (this.#state !== State.low && before - unshown <= LOW * this.peak) this.#hiddenLowAt = t;
    this.#unshown = Math.min(0, unshown - Math.max(0, before - shown));
    if (unshown >= 0) this.#unshownT = t;
    this.shown = shown;
    const state = this.#stateOf(shown);
    if (state !== this.#state) {
      if (state === State.peak) this.#return(t);
      else this.#leave(t, state);
    }
    this.#schedule();
  }

  #forgetChanges(t: Micros): void {
    const changes = this.#changes;
    while (changes.length > 0 && t - changes[0][0] > this.#rules.guard) changes.shift();
  }

  #stateOf(shown: number): number {
    if (shown <= LOW * this.peak) return State.low;
    if (shown > (1 + LIKE) * this.peak) return State.high;
    return shown < (1 - LIKE) * this.peak ? State.part : State.peak;
  }

  #leave(t: Micros, state: number): void {
    if (this.#state === State.peak) {
      // what waited for the book to show it is shown now
      this.#confirmAt = Number.NaN;
      if (this.#unexplained === 0 && t - this.#openT > this.#rules.guard) this.#open = 0;
    }
    if (state === State.low) this.#lowAt = t;
    if (state !== State.part) this.#oddAt = t;
    else if (this.#state === State.high) this.#oddAt = Number.NaN;
    this.#state = state;
  }

  #return(t: Micros): void {
    const { refill } = this.#rules;
    const depleted = t - this.#lowAt;
    const isRefill = Math.min(depleted, t - this.#hiddenLowAt) <= refill;
    this.#state = State.peak;
    this.#oddAt = Number.NaN;
    this.#forgetLow();
    if (!isRefill) {
      this.#open = 0; // too late, or it was never depleted
      return;
    }
    this.#depleted = depleted <= refill ? depleted : Number.NaN;
    this.#unexplained++;
    this.#returnedAt = t;
    if (this.#isEnough()) this.#explain(t);
  }

  #forgetLow(): void {
    this.#lowAt = NEVER;
    this.#hiddenLowAt = NEVER;
  }

  /** Enough trades for a time that the peak came back. */
  #explain(t: Micros): void {
    this.#unexplained--;
    this.#count(t, Math.max(0, this.#open - this.peak));
  }

  #count(t: Micros, rest: number): void {
    const { fade } = this.#rules;
    // cycles farther apart are none of one row
    if (!this.isRunning && !(t - this.lastCycleT <= fade)) this.#begin();
    if (!Number.isNaN(this.#depleted)) {
      this.refills++;
      this.depletedFor += this.#depleted;
      this.#depleted = Number.NaN;
    }
    this.#open = rest;
    this.#openT = t;
    this.#stood = Math.max(this.peak, this.shown);
    this.cycles++;
    this.lastCycleT = t;
    this.traded = this.#total - rest;
    this.hidden = Math.max(0, this.traded - Math.max(0, this.#begun - this.shown));
  }

  /** The cycle under way is the first of its row. */
  #begin(): void {
    this.firstT = this.#openT;
    this.cycles = 0;
    this.refills = 0;
    this.depletedFor = 0;
    this.#begun = this.#stood;
    this.#total = this.#open;
  }

  /** Time has come to `t`, and nothing happened here since it was last told; `book` is the newest there is. */
  advance(t: Micros, book: NewestBook = NO_BOOK): void {
    if (!(t > this.due)) return;
    const { guard } = this.#rules;
    if (t > this.#confirmAt && this.#isBehind(book)) this.#confirmAt = t + guard;
    else if (t > this.#confirmAt) {
      this.#confirmAt = Number.NaN;
      this.#hiddenLowAt = NEVER;
      this.#count(t, this.#sinceEnough);
      if (this.#isEnough()) this.#awaitBook(t);
    }
    if (t > this.#returnedAt + guard) {
      // the peak came back and too little was traded: somebody added to it
      this.#returnedAt = Number.NaN;
      if (this.#unexplained > 0 && this.#state === State.peak) this.#open = 0;
      this.#unexplained = 0;
    }
    if (t > this.#missAt()) this.#miss(t);
    if (t > this.#idleAt()) this.over = this.#state === State.peak ? 'held' : 'faded';
    this.#schedule();
  }

  /** It was depleted, or more was displayed, and the peak did not come back. */
  #miss(t: Micros): void {
    this.#oddAt = Number.NaN;
    this.#forgetLow();
    if (this.#state === State.low) this.over = this.#open >= (this.peak - this.shown) / 2 ? 'broken' : 'pulled';
    else if (!this.isRunning) this.#restart(t);
    else this.#open = 0; // what was traded up to now brings no peak back
  }

  /** Another size stands there: it may be the one that repeats. */
  #restart(t: Micros): void {
    this.peak = this.shown;
    this.firstT = t;
    this.cycles = 0;
    this.refills = 0;
    this.depletedFor = 0;
    this.#begun = this.shown;
    this.#total = 0;
    this.#open = 0;
    this.#depleted = Number.NaN;
    this.lastCycleT = Number.NaN;
    this.#state = State.peak;
    this.#unexplained = 0;
    this.#returnedAt = Number.NaN;
  }

  #idleAt(): Micros {
    return (this.isRunning ? this.lastCycleT : this.#lastTradeT) + this.#rules.fade;
  }

  /** Late trades are waited for, as they tell broken from pulled. */
  #missAt(): Micros {
    const { guard, refill } = this.#rules;
    return this.#oddAt + Math.max(refill, guard);
  }

  #schedule(): void {
    const { guard } = this.#rules;
    let due = this.#idleAt();
    if (this.#confirmAt < due) due = this.#confirmAt;
    if (this.#returnedAt + guard < due) due = this.#returnedAt + guard;
    if (this.#missAt() < due) due = this.#missAt();
    this.due = due;
  }
}
