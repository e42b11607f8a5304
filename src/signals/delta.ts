/** delta: aggressors bought more than they sold, or less, by an amount that is unusual. */

import { type Cvd, cvdOf, deltaRange } from '../market/cvd.js';
import type { FlowWindow } from '../market/flow.js';
import { type Kyle, kyleOf } from '../market/kyle.js';
import { type Market, Wake } from '../market/market.js';
import { type Seconds, secondsOf } from '../market/seconds.js';
import type { GridStatistic } from '../market/statistic.js';
import { vpin } from '../market/vpin.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { formatTime, MICROS_PER_MINUTE } from '../model/time.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

const parameters = {
  window: { type: 'duration', default: '15s', min: '1s', max: '10m', doc: 'window of the delta' },
  quantile: {
    type: 'number',
    default: 0.95,
    min: 0,
    max: 1,
    doc: 'the amount must exceed this quantile of the baseline',
  },
  share: { type: 'number', default: 0.25, min: 0, max: 1, doc: "least share of the window's volume" },
  size: { type: 'size', default: '0', doc: 'the amount must exceed this size as well' },
  hold: {
    type: 'duration',
    default: '1s',
    min: '0s',
    max: '1m',
    doc: 'it must be so this long, or be over this long',
  },
  fade: { type: 'number', default: 0.6, min: 0, max: 1, doc: 'it is over below this share of the gate of the onset' },
  buckets: { type: 'integer', default: 50, min: 1, max: 1000, doc: 'buckets of equal volume for VPIN' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'delta',
  summary: 'An unusual amount bought or sold on balance',
  doc: `Delta is the size bought by aggressors less the size they sold, over a window. An event needs an amount above its usual quantile, and
that amount must be at least the share "share" of all that was traded: much trading makes large deltas by itself. tape-imbalance asks
how one-sided a few seconds are, however little was traded on balance, and by orders as well; this asks how much it was, over longer, however
mixed: 400 bought and 200 sold is one here and none there, 12 bought and none sold the other way round.
Cumulative delta is told with its anchor: over rolling windows, since the unit began, which is the UTC hour, or with --unit 24h the UTC
day, and since the session began, where the unit holds all of it so far, as with --unit 24h. Across missing trades no change is known: cvd_epoch says when counting began anew, and so does cvd_anchor. Kyle's lambda is the slope of the mid's move on signed volume, second
by second over the baseline, without the window of the signal; trades and moves of one second are taken together, so it does not say which
came first. VPIN is the mean one-sidedness of "buckets" equal shares of the volume that the baseline's time holds. Both are told,
no rule uses them.

Windows overlap, and a baseline of minutes holds few that share nothing: on trades without any pattern |delta| of 15 s exceeds the quantile 0.95 of five
minutes in 6.6 % of the time, that of an hour in 5.2 %.`,
  needs: ['trades'],
  confirms: true,
  parameters,
  meaning: {
    side: 'what was done more: buy or sell',
    price: 'the last trade',
    score: 'the amount over the gate of the onset: below zero where the other side did more',
    ends: { faded: 'the amount was below "fade" of the gate for "hold", or on the other side' },
    evidence: {
      delta: { type: 'size', doc: 'bought less sold in the window; negative where more was sold' },
      delta_pct: { type: 'ratio', nullable: true, doc: 'delta over all that was traded in the window' },
      min_delta: { type: 'size', doc: 'lowest delta on the way through the window, from zero' },
      max_delta: { type: 'size', doc: 'highest delta on the way through the window' },
      buy_size: { type: 'size', doc: 'bought in the window' },
      sell_size: { type: 'size', doc: 'sold in the window' },
      prints: { type: 'count', doc: 'trades in the window' },
      window_ms: { type: 'ms', doc: 'the window' },
      gate: { type: 'size', doc: 'amount that had to be exceeded at the onset' },
      cvd_1m: {
        type: 'size',
        nullable: true,
        doc: 'change of cumulative delta over the last minute, from a whole second',
      },
      cvd_long: { type: 'size', nullable: true, doc: 'the same over long_ms' },
      long_ms: { type: 'ms', doc: 'how long the baseline reaches back: the span of cvd_long and vpin' },
      cvd_epoch: {
        type: 'text',
        nullable: true,
        doc: 'when counting began, at the start or behind missing trades; null where that was longer ago than long_ms',
      },
      cvd: { type: 'size', doc: 'cumulative delta since cvd_anchor' },
      cvd_anchor: {
        type: 'text',
        doc: 'when the unit began (--unit); or later, when the tape did, or when counting began anew behind missing trades',
      },
      cvd_session: {
        type: 'size',
        nullable: true,
        doc: "cumulative delta since the context's session began; null where cvd_anchor is later than that",
      },
      lambda: {
        type: 'bps',
        nullable: true,
        doc: 'move of the mid per million of the quote currency bought on balance',
      },
      lambda_r2: { type: 'ratio', nullable: true, doc: "share of the variance of the mid's moves that it explains" },
      vpin: { type: 'ratio', nullable: true, doc: '0: each bucket balanced, 1: each bucket one-sided' },
    },
  },
  // what is unusual rests on windows that ended before this one began
  lookback: ({ window }) => 2 * window,
  create(options, market, voice): DetectorRun {
    return new Delta(options, market, voice);
  },
});

type DeltaOptions = Values<typeof parameters>;

class Delta implements DetectorRun {
  readonly wake = Wake.trade | Wake.beat;
  readonly #options: DeltaOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #flow: FlowWindow;
  readonly #long: FlowWindow;
  readonly #seconds: Seconds;
  readonly #cvd: Cvd;
  readonly #kyle: Kyle;
  readonly #usual: GridStatistic;
  readonly #lives: readonly [Lifecycle, Lifecycle];
  readonly #least: number;
  /** share below which nothing starts, by more than a product's rounding */
  readonly #calm: number;
  /** the gate of each side's running event, as it was at the onset: an event must not raise its own bar */
  readonly #gates: [number, number] = [0, 0];

  constructor(options: DeltaOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const { window, hold } = options;
    const flow = market.flow(window);
    this.#flow = flow;
    this.#long = market.flow(market.options.baselineMinutes * MICROS_PER_MINUTE);
    this.#seconds = secondsOf(market);
    this.#cvd = cvdOf(market);
    this.#kyle = kyleOf(market, window);
    this.#usual = market.statisticOver('delta', 'trades', window, (t, sample) => {
      flow.expire(t);
      sample(Math.abs(flow.buy - flow.sell));
    });
    this.#lives = [new Lifecycle({ armFor: hold, disarmFor: hold }), new Lifecycle({ armFor: hold, disarmFor: hold })];
    this.#least = market.scaledSize(options.size);
    this.#calm = options.share * (1 - 1e-9);
  }

  evaluate(t: number): void {
    const flow = this.#flow;
    flow.expire(t);
    const { buy, sell } = flow;
    // most of the time nothing runs and nothing can start
    if (Math.abs(buy - sell) < this.#calm * (buy + sell) && this.#lives[0].idle && this.#lives[1].idle) return;
    this.#step(t, 1, buy - sell);
    this.#step(t, -1, sell - buy);
  }

  #step(t: number, side: number, amount: number): void {
    const at = side > 0 ? 0 : 1;
    const life = this.#lives[at];
    if (life.active) {
      const gate = this.#gates[at];
      const isOver = amount / gate < this.#options.fade;
      const step = life.step(t, amount / gate, !isOver, isOver);
      if (step !== Step.none) this.#tell(step, t, side, amount);
      return;
    }
    if (!(amount > 0) && life.idle) return;
    const gate = Math.max(this.#least, this.#market.usual(this.#usual, this.#options.quantile));
    // NaN while the baseline is cold: the comparison is false; zero where nothing is usual, so nothing can be unusual
    const on = gate > 0 && amount > gate && amount / (this.#flow.buy + this.#flow.sell) >= this.#options.share;
    const step = life.step(t, amount / gate, on, false);
    if (step !== Step.onset) return;
    this.#gates[at] = gate;
    this.#tell(step, t, side, amount);
  }

  #tell(step: number, t: number, side: number, amount: number): void {
    const market = this.#market;
    const price = market.lastTradePrice();
    const score = amount / this.#gates[side > 0 ? 0 : 1];
    this.#voice.tell(step, t, this.#flow.firstT, { side, price, score, evidence: this.#evidence(t, side) }, 'faded');
  }

  #evidence(t: number, side: number): Evidence {
    const market = this.#market;
    const { window, buckets } = this.#options;
    const flow = this.#flow;
    const { buy, sell, count } = flow;
    const { low, high } = deltaRange(flow);
    const long = this.#long;
    long.expire(t);
    const since = market.tradesSince;
    const isLongWhole = t - since >= long.span && long.isWhole(t);
    const size = (scaled: number): number | null => (Number.isNaN(scaled) ? null : market.size(scaled));
    return {
      delta: market.size(buy - sell),
      delta_pct: ratio((buy - sell) / (buy + sell)),
      min_delta: market.size(low),
      max_delta: market.size(high),
      buy_size: market.size(buy),
      sell_size: market.size(sell),
      prints: count,
      window_ms: window / 1000,
      gate: market.size(this.#gates[side > 0 ? 0 : 1]),
      cvd_1m: size(this.#seconds.change(t, MICROS_PER_MINUTE)),
      cvd_long: size(this.#seconds.change(t, long.span)),
      long_ms: long.span / 1000,
      cvd_epoch: t - since < long.span ? formatTime(since) : null,
      cvd: market.size(this.#cvd.sinceAnchor),
      cvd_anchor: formatTime(this.#cvd.anchor),
      cvd_session: size(this.#cvd.sinceSession(t)),
      lambda: ratio(this.#kyle.bpsPerMillion),
      lambda_r2: ratio(this.#kyle.r2),
      vpin: isLongWhole ? ratio(vpin(long, buckets)) : null,
    };
  }

  reset(): void {
    for (const life of this.#lives) life.reset();
  }
}

/** A ratio for output, null where it is not known. */
function ratio(value: number): number | null {
  return Number.isNaN(value) ? null : rounded(value);
}
