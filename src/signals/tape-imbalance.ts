/** tape-imbalance: aggressors trade mostly one way, over some seconds and over the last orders. */

import type { FlowWindow } from '../market/flow.js';
import type { GroupWindow } from '../market/groups.js';
import { type Market, Wake } from '../market/market.js';
import type { GridStatistic } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** A running event goes on while the volume is at least this share of the volume that was asked for. */
const ACTIVE_SHARE = 0.5;

const parameters = {
  window: { type: 'duration', default: '5s', min: '100ms', max: '1m', doc: 'time window' },
  groups: { type: 'integer', default: 10, min: 1, max: 1000, doc: 'last aggressor groups (at most one minute old)' },
  basis: { type: 'choice', default: 'both', choices: ['both', 'time', 'groups'], doc: 'what T is taken over' },
  on: { type: 'number', default: 0.6, min: 0.01, max: 1, doc: 'T that starts an event' },
  off: { type: 'number', default: 0.4, min: 0, max: 1, doc: 'T that lets it end' },
  hold: {
    type: 'duration',
    default: '2s',
    min: '0s',
    max: '1m',
    doc: 'T must stay over (or under) the threshold this long',
  },
  quantile: {
    type: 'number',
    default: 0.7,
    min: 0,
    max: 1,
    doc: "the window's volume must reach this quantile of the baseline",
  },
  volume: { type: 'size', default: '0', doc: "the window's volume must reach this size" },
} as const satisfies Parameters;

export default defineDetector({
  name: 'tape-imbalance',
  summary: 'Aggressors trade mostly one way',
  doc: `T = (V+ - V-) / (V+ + V-), where V+ and V- are the sizes bought and sold by aggressors. It is taken over a time
window and over the last aggressor groups, what the prints show of one taker order: equal match time, side and contiguous ids, and an equal
number of the order where the venue tells one, with price never getting better for the taker, and no more than 10 ms between two as received; prints off the book among them count for nothing, and
part nothing. The one nearer to zero decides; where they have opposite signs, and where there are not enough groups, T is zero. Nothing starts unless the window's volume reaches its usual quantile: on a quiet tape any print is an imbalance of 1.`,
  needs: ['trades'],
  confirms: true,
  parameters,
  meaning: {
    side: 'the side of the heavier aggressors',
    price: 'the last trade',
    score: 'the T that decides, counted in the direction of the side: below zero where it has turned',
    ends: { faded: 'T was at or below "off", or the volume below half the gate of the onset, for "hold"' },
    evidence: {
      imbalance: { type: 'ratio', nullable: true, doc: 'T over the time window' },
      buy_size: { type: 'size', doc: 'V+ of the window' },
      sell_size: { type: 'size', doc: 'V- of the window' },
      prints: { type: 'count', doc: 'trades in the window' },
      window_ms: { type: 'ms', doc: 'the window' },
      groups: { type: 'count', doc: 'aggressor groups looked at' },
      groups_imbalance: {
        type: 'ratio',
        nullable: true,
        doc: 'T over them; null where there are not so many within a minute',
      },
      volume_gate: { type: 'size', doc: 'volume the window had to reach at the onset' },
      threshold: { type: 'ratio', doc: 'the T that starts an event' },
    },
  },
  // a usual window is as old as itself before it counts
  lookback: ({ window }) => 2 * window,
  create(options, market, voice): DetectorRun {
    return new TapeImbalance(options, market, voice);
  },
});

type TapeImbalanceOptions = Values<typeof parameters>;

class TapeImbalance implements DetectorRun {
  readonly wake = Wake.trade | Wake.beat;
  readonly #options: TapeImbalanceOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #flow: FlowWindow;
  readonly #last: GroupWindow;
  readonly #usual: GridStatistic;
  readonly #lives: readonly [Lifecycle, Lifecycle];
  readonly #least: number;
  readonly #off: number;
  /** T over the time window below which nothing starts, by more than a division's rounding; 0 where it does not count */
  readonly #calm: number;
  /** the gate of each side's running event, as it was at the onset: an event must not raise its own bar */
  readonly #gates: [number, number] = [0, 0];

  constructor(options: TapeImbalanceOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const flow = market.flow(options.window);
    this.#flow = flow;
    this.#last = market.groups.last(options.groups);
    this.#usual = market.statisticOver('volume', 'trades', options.window, (t, sample) => {
      flow.expire(t);
      sample(flow.buy + flow.sell);
    });
    const rules = { armFor: options.hold, disarmFor: options.hold };
    this.#lives = [new Lifecycle(rules), new Lifecycle(rules)];
    this.#least = market.scaledSize(options.volume);
    this.#off = Math.min(options.off, options.on);
    this.#calm = options.basis === 'groups' ? 0 : options.on * (1 - 1e-9);
  }

  evaluate(t: number): void {
    this.#flow.expire(t);
    if (!this.#isCalm()) this.#judge(t);
  }

  #judge(t: number): void {
    const signed = this.#signed(t);
    this.#step(t, 1, signed);
    this.#step(t, -1, -signed);
  }

  /** Nothing runs, and nothing can start: true of most trades, and cheaper to see than T. */
  #isCalm(): boolean {
    const { buy, sell } = this.#flow;
    return Math.abs(buy - sell) < this.#calm * (buy + sell) && this.#lives[0].idle && this.#lives[1].idle;
  }

  /** T by the basis asked for: where both count, the one nearer to zero, and zero where they disagree in sign. */
  #signed(t: number): number {
    const { basis } = this.#options;
    const { buy, sell } = this.#flow;
    if (basis === 'groups') return this.#byGroups(t);
    const byTime = buy + sell > 0 ? (buy - sell) / (buy + sell) : 0;
    if (basis === 'time' || byTime === 0) return byTime;
    const byGroups = this.#byGroups(t);
    if (byTime > 0) return Math.max(0, Math.min(byTime, byGroups));
    return Math.min(0, Math.max(byTime, byGroups));
  }

  /** T over the last groups; 0 where there are not enough of them. */
  #byGroups(t: number): number {
    if (Number.isNaN(this.#last.firstT(t))) return 0;
    const { buy, sell } = this.#last;
    return (buy - sell) / (buy + sell);
  }

  #step(t: number, side: number, score: number): void {
    const at = side > 0 ? 0 : 1;
    const life = this.#lives[at];
    let on = score >= this.#options.on;
    if (!on && life.idle) return;
    const volume = this.#flow.buy + this.#flow.sell;
    let off = score <= this.#off;
    if (life.active) off ||= volume < ACTIVE_SHARE * this.#gates[at];
    else if (on) {
      // NaN while the baseline is cold: the comparison is false
      this.#gates[at] = Math.max(this.#least, this.#market.usual(this.#usual, this.#options.quantile));
      on = volume > 0 && volume >= this.#gates[at];
    }
    const step = life.step(t, score, on, off);
    if (step !== Step.none) this.#voice.tell(step, t, this.#firstT(t), this.#facts(t, side, score), 'faded');
  }

  #firstT(t: number): number {
    const { basis } = this.#options;
    const { firstT } = this.#flow;
    if (basis === 'time') return firstT;
    const groupsFirst = this.#last.firstT(t);
    return basis === 'groups' || groupsFirst < firstT ? groupsFirst : firstT;
  }

  #facts(t: number, side: number, score: number) {
    const { window, groups, on } = this.#options;
    const market = this.#market;
    const { buy, sell, count } = this.#flow;
    const enough = !Number.isNaN(this.#last.firstT(t));
    return {
      side,
      price: market.lastTradePrice(),
      score,
      evidence: {
        imbalance: buy + sell > 0 ? rounded((buy - sell) / (buy + sell)) : null,
        buy_size: market.size(buy),
        sell_size: market.size(sell),
        prints: count,
        window_ms: window / 1000,
        groups,
        groups_imbalance: enough ? rounded(this.#byGroups(t)) : null,
        volume_gate: market.size(this.#gates[side > 0 ? 0 : 1]),
        threshold: on,
      },
    };
  }

  reset(): void {
    for (const life of this.#lives) life.reset();
  }
}
