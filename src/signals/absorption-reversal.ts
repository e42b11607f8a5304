/** absorption of kind D: a heavy diagonal imbalance at the end of a footprint bar, from which price then turns. */
import { type CellVolumes, cellVolumes } from '../market/cell-volumes.js';
import { type DiagonalRules, isImbalanced, opposedAt } from '../market/diagonal.js';
import { type Footprint, footprintOf } from '../market/footprint.js';
import type { FootprintBar } from '../market/footprint-bar.js';
import { type Market, Wake } from '../market/market.js';
import { GRID } from '../market/statistic.js';
import type { Micros } from '../model/entry.js';
import { formatTime } from '../model/time.js';
import type { DetectorRun } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Voice } from './voice.js';

/** A cell is imbalanced from so many times the one it is held against; an empty one counts as a lot. */
const THETA = 3;
/** Outermost bins of a bar that are its end. */
const END_BINS = 3;

export interface ReversalOptions {
  readonly window: Micros;
  readonly quantile: number;
  readonly volume: string;
  readonly ticks: number;
  readonly bps: number;
  readonly zone: number;
  readonly settle: Micros;
}

/** How far back it looks: a bar, the one behind it, and until a bar's cells are part of the baseline. */
export function reversalLookback({ window }: Pick<ReversalOptions, 'window'>): Micros {
  return 2 * window + 3 * GRID;
}

/** `waits`: an imbalance from which price has not turned yet; `turned`: to be told; `holds`: told. */
type Phase = 'none' | 'waits' | 'turned' | 'holds';

/** What is known of aggression in one direction (+1: buys, absorbed by asks). Prices are scaled. */
interface Push {
  readonly aggressor: number;
  /** price that has turned has no time to go by: of a life only its cool-down counts */
  readonly life: Lifecycle;
  phase: Phase;
  /** the imbalanced bin, and from there to the end of the bar */
  low: number;
  high: number;
  /** the print that is the end of the bar, and how far price has to come back */
  extreme: number;
  turn: number;
  /** it does not wait longer */
  until: Micros;
  /** when it was told */
  since: Micros;
  broken: boolean;
  // of the bar and its cell, for the evidence
  bar: Micros;
  first: Micros;
  volume: number;
  usual: number;
  size: number;
  opposed: number;
  /** the print that turned */
  back: number;
}

export class AbsorptionReversal implements DetectorRun {
  readonly wake = Wake.trade | Wake.beat;
  readonly #options: ReversalOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #footprint: Footprint;
  readonly #cells: CellVolumes;
  readonly #diagonal: DiagonalRules;
  readonly #least: number;
  readonly #pushes: readonly [Push, Push] = [createPush(1), createPush(-1)];

  constructor(options: ReversalOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const rules = { by: 'time', span: options.window, size: 0, ticks: 1, bps: options.zone } as const;
    this.#footprint = footprintOf(market, rules);
    this.#cells = cellVolumes(market, rules);
    this.#least = market.scaledSize(options.volume);
    const lot = market.scaledSize(market.track.instrument.lot);
    // how large a cell has to be is asked apart: it has to be above that, which is more than to reach it
    this.#diagonal = { theta: THETA, zero: 'floor', lot, least: 0 };
    this.#footprint.onClose((bar) => this.#read(bar));
    market.follow({
      trade: (t, _side, price) => {
        for (const push of this.#pushes) if (push.phase !== 'none') this.#pass(t, push, price);
      },
    });
  }

  /** A bar is complete: is one of its ends heavy? */
  #read(bar: FootprintBar): void {
    if (!bar.whole) return;
    const usual = Math.max(this.#least, this.#cells.gate(bar, this.#options.quantile));
    if (!(usual > 0)) return; // NaN where nothing is known of usual cells
    for (const push of this.#pushes) {
      if (push.phase === 'turned' || push.phase === 'holds') continue;
      const bin = this.#heaviest(bar, push.aggressor, usual);
      if (bin >= 0) this.#wait(bar, push, bin, usual);
    }
  }

  /** The largest imbalanced cell above a size at that end of the bar, the outermost of equal ones; -1 where there is none. */
  #heaviest(bar: FootprintBar, side: number, above: number): number {
    const last = side > 0 ? bar.bins - 1 : 0;
    let best = -1;
    let most = above;
    for (let n = 0; n < Math.min(END_BINS, bar.bins); n++) {
      const i = last - side * n;
      const size = side > 0 ? bar.buyAt(i) : bar.sellAt(i);
      if (!(size > most && isImbalanced(bar, i, side, this.#diagonal))) continue;
      best = i;
      most = size;
    }
    return best;
  }

  #wait(bar: FootprintBar, push: Push, bin: number, usual: number): void {
    const { tick } = this.#market.track.book;
    const band = this.#band(bar.closePrice);
    const low = bar.priceAt(bin);
    const top = bar.priceAt(bin + 1);
    if (push.aggressor > 0) {
      push.low = low;
      push.high = bar.highPrice;
      push.extreme = bar.highPrice;
      push.turn = Math.min(low - tick, bar.highPrice - band);
    } else {
      push.low = bar.lowPrice;
      push.high = top - tick;
      push.extreme = bar.lowPrice;
      push.turn = Math.max(top, bar.lowPrice + band);
    }
    push.phase = 'waits';
    push.until = bar.end + this.#options.window;
    push.broken = false;
    push.bar = bar.start;
    push.first = bar.firstT;
    push.volume = push.aggressor > 0 ? bar.buy : bar.sell;
    push.usual = usual;
    push.size = push.aggressor > 0 ? bar.buyAt(bin) : bar.sellAt(bin);
    push.opposed = opposedAt(bar, bin, push.aggressor);
    this.#pass(bar.lastT, push, bar.closePrice);
  }

  /** A print: has price turned, or gone on? */
  #pass(t: Micros, push: Push, price: number): void {
    const { aggressor, extreme } = push;
    const beyond = aggressor * (price - extreme);
    if (push.phase === 'waits') {
      if (beyond > 0 || t >= push.until) push.phase = 'none';
      else if (aggressor * (price - push.turn) <= 0) {
        push.phase = 'turned';
        push.back = price;
      }
    } else if (beyond >= this.#options.ticks * this.#market.track.book.tick) push.broken = true;
  }

  evaluate(t: Micros): void {
    this.#footprint.advance(t);
    for (const push of this.#pushes) {
      const { phase, broken } = push;
      if (phase === 'turned') {
        // what is over before it was told is not worth a line
        const isTold = !broken && this.#cells.isWarm && push.life.step(t, scoreOf(push), true, false) === Step.onset;
        push.phase = isTold ? 'holds' : 'none';
        push.since = t;
        if (isTold) this.#voice.onset(t, push.first, this.#facts(push));
      } else if (phase === 'holds' && (broken || t - push.since >= this.#options.settle)) {
        push.phase = 'none';
        push.life.end(t);
        this.#voice.end(t, -push.aggressor, broken ? 'broken' : 'held', this.#facts(push));
      }
    }
  }

  /** How far price has to come back, scaled: whole ticks. */
  #band(price: number): number {
    const { ticks, bps } = this.#options;
    const { tick } = this.#market.track.book;
    return tick * Math.max(ticks, Math.floor((price / tick) * (bps / 1e4)));
  }

  #facts(push: Push) {
    const market = this.#market;
    const { aggressor, extreme, back } = push;
    return {
      side: -aggressor,
      price: market.price(extreme),
      score: scoreOf(push),
      evidence: {
        kind: 'D',
        absorbed: aggressor > 0 ? 'buys' : 'sells',
        passive: aggressor > 0 ? 'ask' : 'bid',
        volume: market.size(push.volume),
        usual: market.size(push.usual),
        absorbed_size: market.size(push.size),
        level_low: market.price(push.low),
        level_high: market.price(push.high),
        bar: formatTime(push.bar),
        opposed: market.size(push.opposed),
        reversal_ticks: Math.abs(back - extreme) / market.track.book.tick,
        theta: THETA,
        window_ms: this.#options.window / 1000,
      },
    };
  }

  reset(): void {
    for (const push of this.#pushes) {
      push.phase = 'none';
      push.life.reset();
    }
  }
}

function scoreOf({ size, usual }: Push): number {
  return size / usual;
}

function createPush(aggressor: number): Push {
  return {
    life: new Lifecycle({ armFor: 0, disarmFor: 0 }),
    ...{ aggressor, phase: 'none', low: 0, high: 0, extreme: 0, turn: 0, until: 0, since: 0, broken: false },
    ...{ bar: 0, first: 0, volume: 0, usual: 0, size: 0, opposed: 0, back: 0 },
  };
}
