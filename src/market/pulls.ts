/** Big levels that went: which of them were pulled, which traded, and which only moved. */
import type { Micros } from '../model/entry.js';
import { BID } from './book.js';
import { type Gone, Moves, type Watched } from './moves.js';
import { RecentTrades } from './recent-trades.js';

/** Levels that went and wait for late trades, and pulls that wait to be taken. */
const MOST_WAITING = 256;

export interface BigLevelOptions {
  /** distance from the mid, in bps, at which levels count */
  readonly near: number;
  readonly far: number;
  /** quantile of displayed sizes, and multiple of their median, that a big level reaches */
  readonly quantile: number;
  readonly times: number;
  /** scaled size it reaches as well */
  readonly least: number;
  /** lifetimes */
  readonly shortest: Micros;
  readonly longest: Micros;
  /** share of the size that goes in one message and no trade explains */
  readonly cancelled: number;
  /** largest share of it that was traded */
  readonly executed: number;
}

/** A big level that went. Prices and sizes are scaled. */
export interface Pull extends Pick<Watched, 'side' | 'price' | 'size' | 'gate' | 'median' | 'shown'> {
  /** `t` of the message that took it away */
  readonly gone: Micros;
  readonly removed: number;
  /** traded against its price while it stood, or as late as a guard after */
  readonly executed: number;
  /** removed and not explained by trades near that moment */
  readonly cancelled: number;
  /** twice the mid after the message that showed it, and before the one that took it away */
  readonly midShown: number;
  readonly midGone: number;
  /** price came near it as it went, and was not near when it appeared */
  readonly approached: boolean;
  /** aggressors on the whole traded the other way while it stood: sold, for a bid */
  readonly opposed: boolean;
}

const NONE: readonly Pull[] = [];

/** What went is judged a guard later: trades and the book changes they made come on different paths. */
export class Pulls {
  readonly #options: BigLevelOptions;
  readonly #guard: Micros;
  readonly #trades: RecentTrades;
  readonly #moves: Moves;
  #waiting: Gone[] = [];
  #judged: Pull[] = [];

  constructor(options: BigLevelOptions, guard: Micros) {
    this.#options = options;
    this.#guard = guard;
    this.#trades = new RecentTrades(options.longest + 2 * guard);
    this.#moves = new Moves(guard);
  }

  /** Call `settle` before. */
  trade(t: Micros, side: number, price: number, size: number): void {
    this.#trades.add(t, side, price, size);
  }

  wait(gone: Gone): void {
    if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
    this.#waiting.push(gone);
    this.#moves.add(gone);
  }

  /** Judges what went longer than a guard ago: no trade can explain it any more. `watched` are the levels that stand. */
  settle(t: Micros, watched: ReadonlyMap<number, Watched>): void {
    const waiting = this.#waiting;
    if (waiting.length === 0 || !(t > waiting[0].gone + this.#guard)) return;
    let n = 0;
    while (n < waiting.length && t > waiting[n].gone + this.#guard) {
      const from = n;
      while (n < waiting.length && waiting[n].gone === waiting[from].gone) n++;
      this.#judge(waiting.slice(from, n), watched);
    }
    this.#waiting = waiting.slice(n);
  }

  /** What went in one message. */
  #judge(went: readonly Gone[], watched: ReadonlyMap<number, Watched>): void {
    const pulls = new Map<Gone, Pull>();
    for (const gone of went) {
      const pull = this.#pullOf(gone);
      if (pull !== null) pulls.set(gone, pull);
    }
    if (pulls.size === 0) return;
    const moved = this.#moves.among([...pulls.keys()], watched);
    for (const [gone, pull] of pulls) {
      if (moved.has(gone)) continue;
      if (this.#judged.length >= MOST_WAITING) this.#judged.shift();
      this.#judged.push(pull);
    }
  }

  /** It went untraded, and stood neither too short nor too long: a pull, unless it has only moved. Else null. */
  #pullOf({ level, gone, removed, mid, isNear }: Gone): Pull | null {
    const { side, price, size, gate, median, shown } = level;
    const { shortest, longest, cancelled: least, executed: most } = this.#options;
    const trades = this.#trades;
    const lifetime = gone - shown;
    if (lifetime < shortest || lifetime > longest) return null;
    // none that came later than a guard after is among them
    const executed = trades.against(side, price, shown);
    const cancelled = Math.max(0, removed - trades.against(side, price, gone - this.#guard));
    if (executed > most * size || cancelled < least * size) return null;
    const delta = trades.delta(shown, gone);
    return {
      ...{ side, price, size, gate, median, shown, gone, removed, executed, cancelled },
      ...{ midShown: level.mid, midGone: mid, approached: isNear && !level.isNear },
      opposed: side === BID ? delta < 0 : delta > 0,
    };
  }

  /** Pulls judged since this was last asked, in the order in which they went. */
  take(): readonly Pull[] {
    if (this.#judged.length === 0) return NONE;
    const judged = this.#judged;
    this.#judged = [];
    return judged;
  }

  clear(): void {
    this.#waiting = [];
    this.#judged = [];
    this.#trades.clear();
    this.#moves.clear();
  }
}
