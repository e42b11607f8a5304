/**
 * Sweeps: an order, or several in quick succession, that exhausted displayed levels one behind the other. A level is exhausted where
 * the book has shown it gone since, and most of what it displayed before the first print was traded there.
 */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_SECOND } from '../model/time.js';
import { ASK, BID } from './book.js';
import { type BookHistory, bookHistory } from './book-history.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import { groupSizes } from './group-sizes.js';
import type { Group } from './groups.js';
import type { Market } from './market.js';
import type { PastBook } from './past-book.js';
import { Run } from './run.js';
import type { GridStatistic } from './statistic.js';

export interface SweepRules {
  /** displayed levels that one order must exhaust, and that a burst of orders must */
  readonly single: number;
  readonly burst: number;
  /** longest pause between two orders of a burst, and its longest duration */
  readonly gap: Micros;
  readonly span: Micros;
  /** largest share of a burst's volume that may go the other way */
  readonly opposite: number;
  /** share of what was displayed that must have been traded: at a level, and over all levels that went */
  readonly consumed: number;
  /** quantile of the sizes of aggressor groups that the volume must reach */
  readonly quantile: number;
  /** depth is measured within this many bps of the mid */
  readonly bps: number;
}

/** What counts as a sweep unless somebody says otherwise: the defaults of the detector. */
export const USUAL_SWEEP: SweepRules = {
  ...{ single: 3, burst: 5, gap: 50_000, span: 250_000 },
  ...{ opposite: 0.1, consumed: 0.8, quantile: 0.99, bps: 10 },
};

/** What is known of a sweep when it is found. Prices and sizes are scaled; NaN where unknown. */
export interface Sweep {
  readonly kind: 'single' | 'burst';
  /** of the aggressor: +1 buys, asks are swept */
  readonly side: number;
  /** number of the run of orders it belongs to; a burst has that of the orders in it */
  readonly run: number;
  /** the venue's number of the order, of a burst the lowest of them; -1 where it gave none */
  readonly order: number;
  /** receive time of the first and last print */
  readonly firstT: Micros;
  readonly lastT: Micros;
  readonly groups: number;
  readonly prints: number;
  readonly size: number;
  /** size it had to reach */
  readonly gate: number;
  /** average price paid, in ticks beyond the touch before; no integer */
  readonly slippage: number;
  /** best prices before */
  readonly bid: number;
  readonly ask: number;
  /** price of the first and of the last level exhausted, how many there were, and what they displayed before */
  readonly firstPrice: number;
  readonly lastPrice: number;
  readonly levels: number;
  readonly displayed: number;
  /** traded share of what was displayed at all levels that went, up to the last price traded */
  readonly consumed: number;
  /** price of the next level that was displayed behind the last one */
  readonly nextPrice: number;
  /** displayed before within the bps of the rules */
  readonly depth: number;
}

/** An order or a burst that may be a sweep; the book has to confirm it. */
interface Candidate
  extends Pick<Sweep, 'kind' | 'side' | 'run' | 'order' | 'firstT' | 'lastT' | 'groups' | 'prints' | 'size' | 'gate'> {
  readonly firstMatched: Micros;
  readonly lastMatched: Micros;
  readonly traded: ReadonlyMap<number, number>;
}

/** Sweeps kept for whoever looks. */
const KEPT = 16;

/** Beside a burst and the pause after it, all that a sweep rests on is this young, on the slowest venue too. */
const PAST: Micros = 5 * MICROS_PER_SECOND;

/** How far back the data is on which sweeps by such rules rest, baselines aside. */
export function sweepSpan({ gap, span }: Pick<SweepRules, 'gap' | 'span'>): Micros {
  return gap + span + PAST;
}

/** Sweeps by such rules; equal rules are shared. */
export function sweepsOf(market: Market, rules: SweepRules): Sweeps {
  return market.share(`sweeps ${JSON.stringify(Object.entries(rules).sort())}`, () => new Sweeps(market, rules));
}

export class Sweeps implements Follower {
  /** how many were found so far: who remembers it knows which are new */
  found = 0;
  readonly #rules: SweepRules;
  readonly #market: Market;
  readonly #history: BookHistory;
  readonly #sizes: GridStatistic;
  /** the book has this long to show what was traded */
  readonly #patience: Micros;
  readonly #runs: readonly [Run, Run] = [new Run(1), new Run(-1)];
  #runCount = 0;
  /** until then no run is over, and nobody has waited long enough */
  #due = Number.POSITIVE_INFINITY;
  /** of buys and of sells, oldest first: a burst comes after its orders */
  readonly #waiting: readonly [Candidate[], Candidate[]] = [[], []];
  readonly #newest: (Sweep | null)[] = Array.from({ length: KEPT }, () => null);

  constructor(market: Market, rules: SweepRules) {
    this.#market = market;
    this.#rules = rules;
    // an interval of the venue's, and as much again on the way
    this.#patience = 2 * market.guard;
    this.#history = bookHistory(market, rules.gap + rules.span + this.#patience, 2 * rules.bps);
    this.#sizes = groupSizes(market);
    market.follow(this);
  }

  /** Sweep number `n`, counted from 0; null where it is forgotten. */
  at(n: number): Sweep | null {
    return n >= Math.max(0, this.found - KEPT) && n < this.found ? this.#newest[n % KEPT] : null;
  }

  trade(t: Micros, side: number, price: number, size: number): void {
    this.#pass(t);
    const { gap, span, opposite } = this.#rules;
    const { open } = this.#market.groups;
    const run = this.#runs[side > 0 ? 0 : 1];
    if (open.prints === 1 && !run.takes(open, gap, span)) {
      this.#close(t, run);
      run.begin(++this.#runCount, open);
    }
    run.add(open, price, size);
    if (t + gap < this.#due) this.#due = t + gap;
    const other = this.#runs[side > 0 ? 1 : 0];
    if (!other.isOpen) return;
    other.opposite += size;
    if (other.opposite / (other.size + other.opposite) > opposite) this.#close(t, other);
  }

  group(group: Group): void {
    const { t } = this.#market;
    const run = this.#runs[group.side > 0 ? 0 : 1];
    run.complete(group);
    if (group.levels < this.#rules.single) return;
    const { firstT, lastT, matched, order, prints, volume: size } = group;
    const times = { firstT, lastT, firstMatched: matched, lastMatched: matched };
    this.#consider(t, run, { kind: 'single', order, ...times, groups: 1, prints, size });
  }

  book(t: Micros): void {
    this.#pass(t);
    for (let at = 0; at < 2; at++) if (this.#waiting[at].length > 0) this.#settle(t, at);
  }

  tick(t: Micros): void {
    this.#pass(t);
  }

  /** Time has come to `t`: runs that nobody joined are over, and who waited long enough is judged by what is there. */
  #pass(t: Micros): void {
    if (t <= this.#due) return;
    const { gap } = this.#rules;
    // a tick may come before it is told that the newest order is complete
    for (const run of this.#runs) if (run.isOpen && !run.grows && t - run.lastT > gap) this.#close(t, run);
    this.#due = Number.POSITIVE_INFINITY;
    for (const at of [0, 1]) {
      if (this.#isOverdue(this.#waiting[at][0], t)) this.#settle(t, at);
      for (const { lastT } of this.#waiting[at]) this.#due = Math.min(this.#due, lastT + this.#patience);
      if (this.#runs[at].isOpen) this.#due = Math.min(this.#due, this.#runs[at].lastT + gap);
    }
  }

  #isOverdue(one: Candidate | undefined, t: Micros): boolean {
    return one !== undefined && t - one.lastT > this.#patience;
  }

  #close(t: Micros, run: Run): void {
    if (!run.isOpen) return;
    run.isOpen = false;
    const { order, firstT, lastT, firstMatched, lastMatched, groups, prints, size } = run;
    if (groups < 2 || run.levels < this.#rules.burst) return;
    const times = { firstT, lastT, firstMatched, lastMatched };
    this.#consider(t, run, { kind: 'burst', order, ...times, groups, prints, size });
  }

  /** Something went deep enough: if it is large too, it is judged as soon as the book has shown it. */
  #consider(t: Micros, run: Run, what: Omit<Candidate, 'side' | 'run' | 'gate' | 'traded'>): void {
    const gate = this.#market.usual(this.#sizes, this.#rules.quantile);
    if (!(what.size >= gate)) return; // NaN while the baseline is cold
    const at = run.side > 0 ? 0 : 1;
    const traded = run.traded(what.kind === 'single');
    this.#waiting[at].push({ ...what, side: run.side, run: run.id, gate, traded });
    this.#due = Math.min(this.#due, what.lastT + this.#patience);
    this.#settle(t, at);
  }

  #settle(t: Micros, at: number): void {
    const waiting = this.#waiting[at];
    while (waiting.length > 0) {
      const sweep = this.#judge(t, waiting[0]);
      if (sweep === 'wait') return;
      waiting.shift();
      if (sweep !== null) this.#newest[this.found++ % KEPT] = sweep;
    }
  }

  /** What the book says of it: null where it is none. */
  #judge(t: Micros, one: Candidate): Sweep | 'wait' | null {
    const { single, burst, consumed, bps } = this.#rules;
    const { side, traded } = one;
    const past = this.#history.before(side > 0 ? ASK : BID, one.firstMatched, one.firstT);
    if (past === null || !(past.spread > 0)) return null;
    const step = side * this.#market.track.book.tick;
    const swept = measure(past, traded, step, consumed);
    if (swept === null) return null;
    const least = one.kind === 'single' ? single : burst;
    if (swept.taken < least) return null;
    const isShown = swept.levels === swept.taken || this.#history.passed(one.lastMatched);
    if (!isShown && !this.#isOverdue(one, t)) return 'wait';
    const ratio = swept.consumed / swept.cleared;
    if (swept.levels < least || !(ratio >= consumed)) return null;
    const { kind, run, order, firstT, lastT, groups, prints, size, gate } = one;
    const { firstPrice, lastPrice, levels, displayed } = swept;
    return {
      ...{ kind, side, run, order, firstT, lastT, groups, prints, size, gate },
      ...{ slippage: swept.beyond / size, bid: past.bid, ask: past.ask },
      ...{ firstPrice, lastPrice, levels, displayed, consumed: ratio },
      ...{ nextPrice: nextLevel(past, lastPrice, step), depth: past.depthWithin(bps) },
    };
  }

  /** A book or a tape with a hole explains nothing. */
  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    for (const run of this.#runs) run.isOpen = false;
    for (const waiting of this.#waiting) waiting.length = 0;
    this.#newest.fill(null);
  }
}

/** What became of the levels between the touch before and the farthest price traded. */
interface Swept {
  /** as in `Sweep` */
  firstPrice: number;
  lastPrice: number;
  levels: number;
  displayed: number;
  /** levels of which enough was traded, whether they went or not */
  taken: number;
  /** displayed before at all levels that went, and how much of that was traded */
  cleared: number;
  consumed: number;
  /** sum of size times ticks beyond the touch */
  beyond: number;
}

/** @returns null where what stood there before is not known */
function measure(past: PastBook, traded: ReadonlyMap<number, number>, step: number, share: number): Swept | null {
  const { touch } = past;
  const swept: Swept = {
    ...{ firstPrice: Number.NaN, lastPrice: Number.NaN, levels: 0, displayed: 0 },
    ...{ taken: 0, cleared: 0, consumed: 0, beyond: 0 },
  };
  let depth = 0;
  for (const [price, size] of traded) {
    const ticks = (price - touch) / step;
    swept.beyond += size * ticks;
    depth = Math.max(depth, ticks);
  }
  if (!past.follows(touch) || !past.follows(touch + depth * step)) return null;
  for (let ticks = 0; ticks <= depth; ticks++) {
    const price = touch + ticks * step;
    const before = past.before(price);
    if (before === 0) continue;
    const size = traded.get(price) ?? 0;
    const isTaken = size / before >= share;
    if (isTaken) swept.taken++;
    if (past.least(price) > 0) continue;
    swept.cleared += before;
    swept.consumed += Math.min(size, before);
    if (!isTaken) continue;
    if (swept.levels === 0) swept.firstPrice = price;
    swept.lastPrice = price;
    swept.levels++;
    swept.displayed += before;
  }
  return swept;
}

/** Price of the next level behind one; NaN where none is known. */
function nextLevel(past: PastBook, last: number, step: number): number {
  for (let price = last + step; past.knows(price); price += step) if (past.before(price) > 0) return price;
  return Number.NaN;
}
