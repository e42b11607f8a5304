/** What kind of market it is: how active, volatile and liquid against the last minutes, and whether it goes anywhere. */
import type { Micros } from '../model/entry.js';
import { MICROS_PER_MINUTE } from '../model/time.js';
import type { Baseline } from './baseline.js';
import { ASK, BID } from './book.js';
import { Effect } from './effect.js';
import type { FlowWindow } from './flow.js';
import type { Follower } from './follower.js';
import type { Market } from './market.js';
import { GRID, type GridStatistic } from './statistic.js';

export type Level = 'low' | 'normal' | 'high';
export type Direction = 'up' | 'down' | 'ranging' | 'mixed';

/** Below and above these quantiles a measure is low and high; it has to come back by the margin to be normal again. */
const LOW = 0.2;
const HIGH = 0.8;
const MARGIN = 0.05;
/** A label stands at least this long. */
const DWELL: Micros = 30_000_000;
/** Depth is measured within this many bps of the mid. */
const DEPTH_BPS = 10;
/** The higher timeframe is divided into so many steps for the efficiency ratio. */
const STEPS = 10;
const TRENDING = 0.4;
const RANGING = 0.2;

/** One measure against what is usual of it. */
class Axis {
  label: Level | null = null;
  #since: Micros = Number.NEGATIVE_INFINITY;

  judge(t: Micros, value: number, usual: Baseline): void {
    if (t - this.#since < DWELL) return;
    const { count } = usual;
    const low = Math.ceil(count * (this.label === 'low' ? LOW + MARGIN : LOW));
    const high = Math.ceil(count * (this.label === 'high' ? HIGH - MARGIN : HIGH));
    // below and above the quantiles, not at them: what is always the same is normal
    const label = usual.countTo(value) < low ? 'low' : usual.countBelow(value) >= high ? 'high' : 'normal';
    if (label === this.label) return;
    this.label = label;
    this.#since = t;
  }

  restart(): void {
    this.label = null;
    this.#since = Number.NEGATIVE_INFINITY;
  }
}

/**
 * Four axes, judged each second of data time from what came before it. Labels have a memory (margin and dwell), so they start
 * afresh with each unit; all else is a function of a bounded past.
 */
export class Regime implements Follower {
  readonly activity = new Axis();
  readonly volatility = new Axis();
  readonly liquidity = new Axis();
  direction: Direction | null = null;
  readonly #market: Market;
  readonly #flow: FlowWindow;
  readonly #volume: GridStatistic;
  readonly #variance: GridStatistic;
  readonly #depth: GridStatistic;
  /** squared changes of twice the mid, from second to second; NaN where unknown */
  readonly #squares: Float64Array;
  /** twice the mid a second ago, and at the last steps of the higher timeframe */
  #mid = Number.NaN;
  readonly #closes = new Float64Array(STEPS + 1).fill(Number.NaN);
  readonly #step: Micros;
  #closeCount = 0;

  /** @param htf bar of the higher timeframe: nothing older plays a role, baselines aside */
  constructor(market: Market, htf: Micros) {
    this.#market = market;
    // a sample's window and its delay lie within the bar, so that the look-back covers both
    const span = Math.max(GRID, Math.min(MICROS_PER_MINUTE, Math.floor(htf / 4 / GRID) * GRID));
    const flow = market.flow(span);
    this.#flow = flow;
    this.#squares = new Float64Array(span / GRID).fill(Number.NaN);
    this.#step = Math.max(GRID, Math.floor(htf / STEPS / GRID) * GRID);
    const statistic = (name: string, read: () => number): GridStatistic =>
      market.statistic(`regime ${name}`, 'book', span, (_, sample) => {
        const value = read();
        if (!Number.isNaN(value)) sample(value);
      });
    this.#volume = market.statisticOver('regime volume', 'trades', span, (t, sample) => sample(this.#volumeAt(t)));
    this.#variance = statistic('variance', () => this.#varianceNow());
    this.#depth = statistic('depth', () => this.#depthNow());
  }

  tick(t: Micros): void {
    const twice = this.#market.bid + this.#market.ask;
    this.#squares[(t / GRID) % this.#squares.length] = (twice - this.#mid) ** 2;
    this.#mid = twice;
    if (t % this.#step === 0) this.#close(twice);
    this.#judge(t, this.activity, this.#volumeAt(t), this.#volume);
    this.#judge(t, this.volatility, this.#varianceNow(), this.#variance);
    this.#judge(t, this.liquidity, this.#depthNow(), this.#depth);
  }

  #judge(t: Micros, axis: Axis, value: number, statistic: GridStatistic): void {
    if (Number.isNaN(value) || !this.#market.isSampled(statistic)) axis.restart();
    else axis.judge(t, value, statistic.baseline);
  }

  #volumeAt(t: Micros): number {
    this.#flow.expire(t);
    return this.#flow.buy + this.#flow.sell;
  }

  #varianceNow(): number {
    let sum = 0;
    for (const square of this.#squares) sum += square;
    return sum;
  }

  #depthNow(): number {
    return this.#market.depthWithin(BID, DEPTH_BPS) + this.#market.depthWithin(ASK, DEPTH_BPS);
  }

  #close(twice: number): void {
    const closes = this.#closes;
    closes[this.#closeCount++ % closes.length] = twice;
    this.direction = null;
    let travelled = 0;
    let before = closes[this.#closeCount % closes.length];
    const first = before;
    for (let n = 1; n < closes.length; n++) {
      const close = closes[(this.#closeCount + n) % closes.length];
      travelled += Math.abs(close - before);
      before = close;
    }
    if (Number.isNaN(travelled)) return;
    const efficiency = travelled === 0 ? 0 : Math.abs(before - first) / travelled;
    if (efficiency >= TRENDING) this.direction = before > first ? 'up' : 'down';
    else this.direction = efficiency <= RANGING ? 'ranging' : 'mixed';
  }

  /** A unit begins: labels start afresh. */
  unit(): void {
    this.activity.restart();
    this.volatility.restart();
    this.liquidity.restart();
  }

  lose(effect: number): void {
    if ((effect & (Effect.lost | Effect.tradeGap)) === 0) return;
    this.unit();
    this.#mid = Number.NaN;
    this.#squares.fill(Number.NaN);
    this.#closes.fill(Number.NaN);
    this.direction = null;
  }
}
