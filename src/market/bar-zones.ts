/** What closed bars of the higher timeframe left behind: points of control that nobody came back to, and stacks that price has not passed. */
import type { Micros } from '../model/entry.js';
import { sortedCells } from './cell-volumes.js';
import { type DiagonalRules, stacksOf } from './diagonal.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import { Footprint } from './footprint.js';
import type { FootprintBar } from './footprint-bar.js';
import type { Market } from './market.js';

/** A bin is at least so many bps wide: a single price means little where ticks are fine. */
const BIN_BPS = 0.5;
/** Imbalances as footprint takes them by default, so many in a row, */
const THETA = 3;
const STACK = 3;
/** among the larger of the bar's own cells: what is usual from bar to bar, a baseline shorter than two bars does not tell. */
const QUANTILE = 0.7;
/** Of each kind so many are kept: beyond it the oldest is let go. */
const MOST = 64;

/** Scaled prices from the lowest to the highest, and when the bar began that left it. */
interface Zone {
  low: number;
  high: number;
  start: Micros;
}

interface StackZone extends Zone {
  /** +1: the buys outweighed, and price passes it below; -1: the sells, and above */
  side: number;
}

/** Twice the distances, scaled, from the mid to the nearest of each kind; zero inside, NaN where there is none. */
export interface BarDistances {
  pocAbove: number;
  pocBelow: number;
  stackAbove: number;
  stackBelow: number;
}

/**
 * A bar leaves nothing before it is closed, and nothing where trades may be missing in it; behind missing trades nothing is left. As
 * with all that lasts, a unit begins with the bars of the look-back before it, so that every reader of it knows the same ones.
 */
export class BarZones implements Follower {
  readonly #market: Market;
  readonly #footprint: Footprint;
  /** an empty cell is no comparison that a lot could stand for: the cell held against it is large for its bar, whatever a lot is */
  readonly #diagonal: DiagonalRules = { theta: THETA, zero: 'infinite', lot: 0, least: Number.NaN };
  /** oldest first */
  #pocs: Zone[] = [];
  #stacks: StackZone[] = [];
  /** the last print of the newest closed bar */
  #close = Number.NaN;
  /** every reader of this unit has read from here on */
  #horizon: Micros = Number.NEGATIVE_INFINITY;
  readonly #distances: BarDistances = { ...NONE };

  constructor(market: Market, span: Micros) {
    this.#market = market;
    // of its own: whoever shared it would close bars at other moments than the tick
    const rules = { by: 'time', span, size: 0, ticks: 1, bps: BIN_BPS } as const;
    this.#footprint = new Footprint(market.track.book.tick, rules, () => market.tradesSince);
    this.#footprint.onClose((bar) => this.#read(bar));
    market.follow(this.#footprint);
    market.follow(this);
  }

  tick(t: Micros): void {
    this.#footprint.advance(t);
  }

  unit(start: Micros): void {
    const horizon = start - this.#market.options.lookback;
    this.#horizon = horizon;
    this.#pocs = this.#pocs.filter((zone) => zone.start >= horizon);
    this.#stacks = this.#stacks.filter((zone) => zone.start >= horizon);
  }

  lose(effect: number): void {
    if ((effect & Effect.tradeGap) === 0) return;
    this.#pocs = [];
    this.#stacks = [];
  }

  #read(bar: FootprintBar): void {
    this.#pocs = this.#pocs.filter((zone) => !isTraded(zone, bar, this.#close));
    this.#stacks = this.#stacks.filter((zone) => !isPassed(zone, bar));
    this.#close = bar.closePrice;
    // behind a silence, a bar of long ago is closed only now
    if (!bar.whole || bar.start < this.#horizon) return;
    const { poc } = bar;
    this.#pocs.push(this.#zone(bar, poc, poc));
    const cells = sortedCells(bar);
    this.#diagonal.least = cells[Math.ceil(QUANTILE * cells.length) - 1];
    for (const side of [1, -1])
      for (const { from, to } of stacksOf(bar, side, STACK, this.#diagonal)) {
        const stack = { ...this.#zone(bar, from, to), side };
        // price may be behind it already
        if (side > 0 ? this.#close >= stack.low : this.#close <= stack.high) this.#stacks.push(stack);
      }
    if (this.#pocs.length > MOST) this.#pocs = this.#pocs.slice(-MOST);
    if (this.#stacks.length > MOST) this.#stacks = this.#stacks.slice(-MOST);
  }

  #zone(bar: FootprintBar, from: number, to: number): Zone {
    const high = bar.priceAt(to + 1) - this.#market.track.book.tick;
    return { low: bar.priceAt(from), high, start: bar.start };
  }

  /** From twice the mid, scaled, to what stands now; the object is used again. */
  nearest(twice: number): BarDistances {
    const nearest = Object.assign(this.#distances, NONE);
    const { running } = this.#footprint;
    for (const zone of this.#pocs) {
      if (running !== null && isTraded(zone, running, this.#close)) continue;
      const [low, high] = [2 * zone.low - twice, 2 * zone.high - twice];
      if (high >= 0) nearest.pocAbove = lesser(nearest.pocAbove, low);
      if (low <= 0) nearest.pocBelow = lesser(nearest.pocBelow, -high);
    }
    for (const zone of this.#stacks) {
      if (running !== null && isPassed(zone, running)) continue;
      if (zone.side > 0) nearest.stackBelow = lesser(nearest.stackBelow, twice - 2 * zone.high);
      else nearest.stackAbove = lesser(nearest.stackAbove, 2 * zone.low - twice);
    }
    return nearest;
  }
}

const NONE: Readonly<BarDistances> = {
  ...{ pocAbove: Number.NaN, pocBelow: Number.NaN },
  ...{ stackAbove: Number.NaN, stackBelow: Number.NaN },
};

/** The lesser of a distance, NaN where there is none so far, and one that is below zero inside a zone. */
function lesser(distance: number, other: number): number {
  const outside = Math.max(0, other);
  return distance <= outside ? distance : outside;
}

/** Whether a later bar printed in a zone, or on its other side; `close` is the last print before that bar. */
function isTraded({ low, high }: Zone, { lowPrice, highPrice }: FootprintBar, close: number): boolean {
  if (highPrice >= low && lowPrice <= high) return true;
  return (close > high && highPrice < low) || (close < low && lowPrice > high);
}

/** Whether a later bar printed behind a stack. */
function isPassed({ low, high, side }: StackZone, { lowPrice, highPrice }: FootprintBar): boolean {
  return side > 0 ? lowPrice < low : highPrice > high;
}
