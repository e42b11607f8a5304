/** book-imbalance: resting size leans to one side of the book, on average over some seconds. */

import { createMeasure, imbalance, type Measure, UNIT } from '../market/lean.js';
import { type Market, Wake } from '../market/market.js';
import { StepWindow } from '../market/steps.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

const parameters = {
  levels: { type: 'integer', default: 10, min: 1, max: 1000, doc: 'levels of each side that are summed' },
  bps: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1000,
    doc: 'sum within this many bps of the mid instead; 0: go by levels',
  },
  weight: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1000,
    doc: 'a level counts exp(-d / weight), d its distance from the mid in bps, as far as "bps" or eight times this; 0: all alike',
  },
  window: { type: 'duration', default: '5s', min: '100ms', max: '1m', doc: 'the mean is taken over this time' },
  on: { type: 'number', default: 0.5, min: 0.01, max: 1, doc: 'mean imbalance that starts an event' },
  off: { type: 'number', default: 0.35, min: 0, max: 1, doc: 'mean imbalance that lets it end' },
  hold: {
    type: 'duration',
    default: '1s',
    min: '0s',
    max: '1m',
    doc: 'the mean must stay over (or under) the threshold this long',
  },
} as const satisfies Parameters;

export default defineDetector({
  name: 'book-imbalance',
  summary: 'Resting size leans to one side of the book',
  doc: `I = (B - A) / (B + A), where B and A are the sizes of the best levels of each side, or of all levels within some
basis points of the mid; with "weight", those near to the mid count more. An event begins when the mean of I over the window is at or above the threshold (buy: bids
are heavier) or at or below its negative (sell). Levels are counted at every change of the book; bps and weight at the first entry of each tenth of a
second, and a weight is rounded to a thousandth. One-sided and crossed books, and measures that reach beyond the part of the book
that is known, are null and start nothing. A leaning book says that more is offered on one side, not that price will move.`,
  needs: ['book'],
  parameters,
  meaning: {
    side: 'the heavier side',
    price: 'the mid',
    score: 'the mean imbalance, counted in the direction of the side: below zero where it has turned',
    ends: { faded: 'the mean was at or below "off" for "hold"' },
    evidence: {
      levels: { type: 'count', optional: true, doc: 'levels of each side that are summed' },
      bps: { type: 'bps', optional: true, doc: 'or how far from the mid is summed' },
      weight: { type: 'bps', optional: true, doc: 'distance at which a level counts 1/e' },
      mean: { type: 'ratio', doc: 'mean of I over the window, signed' },
      imbalance: { type: 'ratio', nullable: true, doc: 'I at this moment' },
      bid_size: { type: 'size', nullable: true, doc: 'B at this moment' },
      ask_size: { type: 'size', nullable: true, doc: 'A at this moment' },
      window_ms: { type: 'ms', doc: 'the window' },
      threshold: { type: 'ratio', doc: 'the mean that starts an event' },
    },
  },
  lookback: ({ window }) => window,
  create(options, market, voice): DetectorRun {
    return new BookImbalance(options, market, voice);
  },
});

type BookImbalanceOptions = Values<typeof parameters>;

class BookImbalance implements DetectorRun {
  readonly wake = Wake.book | Wake.beat;
  readonly #options: BookImbalanceOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #measure: Measure;
  readonly #mean: StepWindow;
  readonly #lives: readonly [Lifecycle, Lifecycle];
  readonly #on: number;
  readonly #off: number;
  #value = Number.NaN;
  /** the mean cannot reach the threshold before this time */
  #calmUntil = Number.NEGATIVE_INFINITY;

  constructor(options: BookImbalanceOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#measure = createMeasure(market, options);
    this.#mean = new StepWindow(options.window);
    const rules = { armFor: options.hold, disarmFor: options.hold };
    this.#lives = [new Lifecycle(rules), new Lifecycle(rules)];
    this.#on = options.on * UNIT;
    this.#off = Math.min(options.off, options.on) * UNIT;
  }

  evaluate(t: number, why: number): void {
    const measure = this.#measure;
    measure.read(why);
    const value = imbalance(measure.bid, measure.ask);
    const same = value === this.#value || (Number.isNaN(value) && Number.isNaN(this.#value));
    if (!same) {
      this.#value = value;
      this.#mean.set(t, value);
    } else if ((why & Wake.beat) === 0) return;
    if (t >= this.#calmUntil) this.#judge(t);
  }

  #judge(t: number): void {
    const mean = this.#mean.mean(t);
    this.#step(t, 1, mean);
    this.#step(t, -1, -mean);
    if (this.#lives[0].idle && this.#lives[1].idle) this.#calmUntil = t + this.#timeToReach(mean);
  }

  /** At least this long a known mean takes to reach the threshold: no value is beyond one, so each µs moves it by 2 / window at most. */
  #timeToReach(mean: number): number {
    const least = ((this.#on - Math.abs(mean)) * this.#options.window) / (2 * UNIT) - 1;
    return least > 0 ? least : 0;
  }

  #step(t: number, side: number, mean: number): void {
    const life = this.#lives[side > 0 ? 0 : 1];
    const on = mean >= this.#on;
    if (!on && life.idle) return;
    const score = Number.isNaN(mean) ? 0 : mean / UNIT;
    const step = life.step(t, score, on, !(mean > this.#off));
    if (step !== Step.none) this.#voice.tell(step, t, this.#mean.firstT(t), this.#facts(side, score), 'faded');
  }

  #facts(side: number, score: number) {
    const { bps, levels, weight, window, on } = this.#options;
    const market = this.#market;
    const { bid, ask } = this.#measure;
    const known = !Number.isNaN(this.#value);
    const evidence: Evidence = bps > 0 ? { bps } : weight > 0 ? {} : { levels };
    if (weight > 0) evidence.weight = weight;
    evidence.mean = rounded(side * score);
    evidence.imbalance = known ? rounded(this.#value / UNIT) : null;
    evidence.bid_size = known ? market.size(bid) : null;
    evidence.ask_size = known ? market.size(ask) : null;
    evidence.window_ms = window / 1000;
    evidence.threshold = on;
    return { side, price: market.midPrice(), score, evidence };
  }

  reset(): void {
    for (const life of this.#lives) life.reset();
  }

  lose(): void {
    this.#mean.clear();
    this.#value = Number.NaN;
    this.#calmUntil = Number.NEGATIVE_INFINITY;
  }
}
