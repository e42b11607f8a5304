/** Swings of the mid: highs and lows from which it has come back far enough, known from the moment it had. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import type { Market } from './market.js';
import { NORMAL } from './robust.js';
import { type Seconds, secondsOf } from './seconds.js';
import { GRID, type GridStatistic } from './statistic.js';

/** σ is estimated from the mid's moves over so many seconds, */
const MOVE = 10;
/** so many of which make the minute it is given for. */
const MOVES = 6;
/** A swing is at least so many usual spreads wide. */
const SPREADS = 3;

/** A turning point: `n` its item of the market's seconds, `confirmed` the item at which the mid had come back. */
export interface Pivot {
  readonly n: number;
  /** twice the mid */
  readonly mid: number;
  readonly confirmed: number;
}

/** The last two turning points of one kind. */
export interface PivotPair {
  readonly older: Pivot;
  readonly newer: Pivot;
  /** the mid has gone beyond the newer one since */
  readonly passed: boolean;
}

/**
 * Turning points by directional change: a high is the highest mid between a rise and a fall of at least the retrace, a low the lowest between
 * a fall and a rise. Retrace is `factor` standard deviations of a minute's move, and at least three usual spreads, as both are now.
 *
 * They are found anew each second among the mids of as many minutes as the baseline has, so they are a function of these. Where the mids
 * begin no direction is known: the first turn has no side before it and is no turning point. With that, those found are exactly the points of the stretch
 * with a move of the retrace on either side, however long the mid is followed; one is forgotten when the move before it has left the stretch.
 */
export class Pivots {
  readonly #market: Market;
  readonly #seconds: Seconds;
  readonly #factor: number;
  readonly #moves: GridStatistic;
  readonly #spreads: GridStatistic;
  #at: Micros = Number.NaN;
  #highs: PivotPair | null = null;
  #lows: PivotPair | null = null;
  #retrace = Number.NaN;
  #sigma = Number.NaN;

  constructor(market: Market, factor: number) {
    this.#market = market;
    const seconds = secondsOf(market);
    this.#seconds = seconds;
    this.#factor = factor;
    this.#moves = market.statistic(`mid moves ${MOVE}`, 'book', MOVE * GRID, (_, sample) => {
      const end = seconds.next - 1;
      const move = end - MOVE >= seconds.first ? Math.abs(seconds.mid(end) - seconds.mid(end - MOVE)) : Number.NaN;
      if (!Number.isNaN(move)) sample(move);
    });
    this.#spreads = market.statistic('spread', 'book', 0, (_, sample) => {
      if (market.bid < market.ask) sample(market.ask - market.bid);
    });
  }

  /** The last two highs; null where there are not so many. */
  get highs(): PivotPair | null {
    this.#refresh();
    return this.#highs;
  }

  /** The last two lows; null where there are not so many. */
  get lows(): PivotPair | null {
    this.#refresh();
    return this.#lows;
  }

  /** How far the mid has to come back, in twice the mid; NaN where unknown or not warm. */
  get retrace(): number {
    this.#refresh();
    return this.#retrace;
  }

  /** Standard deviation of a minute's move, in twice the mid; NaN where unknown or not warm. */
  get sigma(): number {
    this.#refresh();
    return this.#sigma;
  }

  #refresh(): void {
    const seconds = this.#seconds;
    // what is not warm yet may be so before the next second
    if (seconds.last === this.#at && !Number.isNaN(this.#retrace)) return;
    this.#at = seconds.last;
    const market = this.#market;
    this.#sigma = (market.usual(this.#moves, 0.5) / NORMAL) * Math.sqrt(MOVES);
    this.#retrace = Math.max(this.#factor * this.#sigma, 2 * SPREADS * market.usual(this.#spreads, 0.5));
    this.#highs = null;
    this.#lows = null;
    if (Number.isNaN(this.#retrace)) return;
    const length = (market.options.baselineMinutes * MICROS_PER_MINUTE) / GRID;
    const first = Math.max(seconds.first, seconds.next - length);
    const { highs, lows, high, low } = turningPoints((n) => seconds.mid(n), first, seconds.next, this.#retrace);
    this.#highs = pairOf(highs, (newer) => high > newer.mid);
    this.#lows = pairOf(lows, (newer) => low < newer.mid);
  }
}

/** The market's turning points for a retrace of `factor` standard deviations. */
export function pivotsOf(market: Market, factor: number): Pivots {
  return market.share(`pivots ${factor}`, () => new Pivots(market, factor));
}

function pairOf(pivots: readonly Pivot[], passes: (newer: Pivot) => boolean): PivotPair | null {
  const [older, newer] = pivots.slice(-2);
  return newer === undefined ? null : { older, newer, passed: passes(newer) };
}

/** Turning points of values, oldest first, and the highest and lowest value of the move that goes on (infinite where there is none of that kind). */
export interface Turns {
  highs: Pivot[];
  lows: Pivot[];
  high: number;
  low: number;
}

/** The turning points among `mid(n)`, first ≤ n < next; a NaN is passed over. */
export function turningPoints(mid: (n: number) => number, first: number, next: number, retrace: number): Turns {
  const highs: Pivot[] = [];
  const lows: Pivot[] = [];
  /** +1: it rises, -1: it falls, 0: not known yet */
  let direction = 0;
  let high = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  let highN = first;
  let lowN = first;
  for (let n = first; n < next; n++) {
    const now = mid(n);
    if (direction >= 0 && now > high) {
      high = now;
      highN = n;
    }
    if (direction <= 0 && now < low) {
      low = now;
      lowN = n;
    }
    if (direction >= 0 && high - now >= retrace) {
      if (direction > 0) highs.push({ n: highN, mid: high, confirmed: n });
      direction = -1;
      high = Number.NEGATIVE_INFINITY;
      low = now;
      lowN = n;
    } else if (direction <= 0 && now - low >= retrace) {
      if (direction < 0) lows.push({ n: lowN, mid: low, confirmed: n });
      direction = 1;
      low = Number.POSITIVE_INFINITY;
      high = now;
      highN = n;
    }
  }
  return { highs, lows, high, low };
}
