/**
 * Footprint bars of one src. A bar takes in the prints of a stretch of time, or so many of them, or so much volume, and is final
 * when it is complete.
 *
 * Stretches begin at whole multiples of `span`, UTC, and so do bars by trades and by volume: what the last one of a stretch lacks, it
 * never gets. So every bar is made of at most one `span` of the past, and a tape read in parts has the same bars as the whole.
 * A stretch without prints has no bar.
 */
import type { Micros } from '../model/entry.js';
import { Effect } from './effect.js';
import type { Follower } from './follower.js';
import { FootprintBar } from './footprint-bar.js';
import type { Market } from './market.js';

export interface FootprintRules {
  by: 'time' | 'trades' | 'volume';
  /** time bars: their length; any other: the most time that one takes */
  span: Micros;
  /** prints that complete a bar by trades, scaled volume that completes one by volume; a print is never divided, so a bar may have more */
  size: number;
  /** a bin is so many ticks wide, or twice, four, eight … times as many: until it is so many bps of the bar's first price */
  ticks: number;
  bps: number;
}

/** Hears of every bar that is complete; the object is used again for the bar after the next. */
export type BarListener = (bar: FootprintBar) => void;

export class Footprint implements Follower {
  readonly rules: FootprintRules;
  readonly #tick: number;
  readonly #since: () => Micros;
  readonly #listeners: BarListener[] = [];
  /** the bar under way, where `#runs`, and the one before it, which listeners may still hold */
  #bar = new FootprintBar();
  #other = new FootprintBar();
  #runs = false;
  /** the stretch under way */
  #start: Micros = Number.NEGATIVE_INFINITY;
  #end: Micros = Number.NEGATIVE_INFINITY;
  /** bars of the stretch that are complete */
  #count = 0;

  /**
   * @param tick scaled price of one tick
   * @param since since when trades are complete: a stretch that began before has no whole bars
   */
  constructor(tick: number, rules: FootprintRules, since: () => Micros) {
    this.#tick = tick;
    this.rules = rules;
    this.#since = since;
  }

  /** The bar under way, `provisional`; null before its first print. */
  get running(): FootprintBar | null {
    return this.#runs ? this.#bar : null;
  }

  onClose(listener: BarListener): void {
    this.#listeners.push(listener);
  }

  /** Time has come to `t`: the bar of a stretch that is over is complete. To be called with every time that counts, in order. */
  advance(t: Micros): void {
    if (t < this.#end) return;
    if (this.#runs) this.#close(this.#end);
    const { span } = this.rules;
    this.#start = Math.floor(t / span) * span;
    this.#end = this.#start + span;
    this.#count = 0;
  }

  /** A print of the flow; `side` +1: the aggressor bought. */
  trade(t: Micros, side: number, price: number, size: number): void {
    if (t >= this.#end) this.advance(t);
    const bar = this.#bar;
    const { by, size: enough } = this.rules;
    if (!this.#runs) {
      this.#runs = true;
      const start = by === 'time' ? this.#start : t;
      bar.begin(start, this.#count, this.#start >= this.#since(), this.#widthAt(price));
    }
    bar.add(t, side, price, size);
    if (by === 'time') return;
    if ((by === 'trades' ? bar.trades : bar.volume) >= enough) this.#close(t);
  }

  /**
   * Trades are missing: the bar under way is not whole, nor is any other of this stretch. A loss that shows only in the ids of a trade
   * behind the stretch marks the stretch of that trade; the one before it is told already.
   */
  lose(effect: number): void {
    if ((effect & Effect.tradeGap) !== 0) this.#bar.whole = false;
  }

  #widthAt(price: number): number {
    const { ticks, bps } = this.rules;
    const wanted = (price / this.#tick) * (bps / 1e4);
    return this.#tick * ticks * 2 ** Math.ceil(Math.log2(Math.max(1, wanted / ticks)));
  }

  #close(end: Micros): void {
    const bar = this.#bar;
    bar.end = end;
    this.#runs = false;
    this.#count++;
    this.#bar = this.#other;
    this.#other = bar;
    for (const listener of this.#listeners) listener(bar);
  }
}

/** What tells footprints of one market apart. */
export function footprintName({ by, span, size, ticks, bps }: FootprintRules): string {
  return `footprint ${by} ${span} ${by === 'time' ? 0 : size} ${ticks} ${bps}`;
}

/** The market's footprint by these rules; all who ask for the same share it. */
export function footprintOf(market: Market, rules: FootprintRules): Footprint {
  return market.share(footprintName(rules), () => {
    const footprint = new Footprint(market.track.book.tick, rules, () => market.tradesSince);
    market.follow(footprint);
    return footprint;
  });
}
