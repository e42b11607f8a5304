/** skew-fade: a setup against a leaning book that nobody trades on, as the article has it, with what the literature expects beside it. */

import { ASK, BID, type BookSide } from '../market/book.js';
import { breakSpan, type LastBreak, lastBreakOf, USUAL_BREAK } from '../market/breaks.js';
import type { FlowWindow } from '../market/flow.js';
import { createMeasure, imbalance, type Measure, UNIT } from '../market/lean.js';
import { type Market, Wake } from '../market/market.js';
import { StepWindow } from '../market/steps.js';
import { type Surroundings, surroundingsOf } from '../market/surroundings.js';
import { sweepSpan, USUAL_SWEEP } from '../market/sweeps.js';
import { ToldSweeps, USUAL_RANGE } from '../market/told-sweeps.js';
import { rounded } from '../model/decimal.js';
import type { EndReason, Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Intent } from './plan.js';
import type { Voice } from './voice.js';

const parameters = {
  levels: { type: 'integer', default: 10, min: 1, max: 1000, doc: 'levels of each side that are summed' },
  window: { type: 'duration', default: '2s', min: '100ms', max: '1m', doc: 'the mean of I is taken over this time' },
  on: { type: 'number', default: 0.5, min: 0.01, max: 1, doc: 'mean of I that starts one: three to one' },
  off: { type: 'number', default: 0.35, min: 0, max: 1, doc: 'mean of I that lets it end' },
  hold: {
    type: 'duration',
    default: '2s',
    min: '0s',
    max: '1m',
    doc: 'all must hold (or the lean be gone) this long',
  },
  span: { type: 'duration', default: '5s', min: '100ms', max: '1m', doc: 'window of T and of the mid' },
  calm: { type: 'number', default: 0.2, min: 0, max: 1, doc: 'T at most, either way, for a start' },
  tape: { type: 'number', default: 0.4, min: 0, max: 1, doc: 'T with the lean that ends it' },
  regime: {
    type: 'choice',
    default: 'ranging',
    choices: ['ranging', 'any'],
    doc: 'what the higher timeframe must do; any: no demand',
  },
  cool: {
    type: 'duration',
    default: '10s',
    min: '0s',
    max: '1m',
    doc: 'none begins so soon after a drive that had broken through the book, whichever way, or after data began or was lost; 0s: no demand',
  },
  age: { type: 'duration', default: '30s', min: '1s', max: '10m', doc: 'it lasts no longer than this' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'skew-fade',
  summary: 'Setup: fade a leaning book that the tape does not follow',
  doc: `Technique 2 of the article. The mean of I = (B - A) / (B + A) over the best levels is at least "on" for "hold" while
aggressors trade neither way (|T| at most "calm" over the tape window), the mid moved no more than a spread over the same time, the
higher timeframe ranges, and for "cool" no drive had broken through the book (as the detector ignition has it by default; its events last as long
at most). Heavy bids then plan a sale at the ask (heavy asks: a purchase at the bid): stop a tick beyond
the outermost of those levels, target the other touch. It ends "target", "stop", "tape" (aggressors now go with the lean: T reaches
"tape"), "sweep" (one of them swept the lighter side, as the detector sweep has it by default), "faded" (the book leans no more for
"hold") or "age".
The literature says the opposite: with heavy bids the next move of the mid is up a little more often than down (Gould and Bonart 2016), so
every line says direction fade and literature_direction continuation, and an end tells how far the mid went by either reading. The target is about
one spread, far below what two market orders cost.`,
  needs: ['book', 'trades'],
  parameters,
  meaning: {
    side: 'of the planned trade: sell against heavy bids',
    price: 'the mid',
    score: 'the mean of I, counted in the direction of the lean: below zero where it has turned',
    ends: {
      target: 'the touch of the entry has come to the target; a trade there is not enough',
      stop: 'a trade or the touch of the entry reached the stop',
      tape: 'aggressors go with the lean: T reached "tape"',
      sweep: 'a sweep went with the lean',
      faded: 'the book leaned no more for "hold"',
      age: 'it lasted as long as it may',
    },
    evidence: {
      direction: { type: 'text', choices: ['fade'], doc: 'the article trades against the lean' },
      literature_direction: { type: 'text', choices: ['continuation'], doc: 'what the literature expects' },
      levels: { type: 'count', doc: 'levels of each side that are summed' },
      mean: { type: 'ratio', doc: 'mean of I, signed' },
      ratio: { type: 'ratio', nullable: true, doc: 'heavier over lighter side, at this moment' },
      tape: { type: 'ratio', doc: 'T over its window, signed; 0 where nothing traded' },
      move_spreads: { type: 'ratio', nullable: true, doc: 'move of the mid over that window, in spreads' },
      heavy: { type: 'text', choices: ['bid', 'ask'], doc: 'the heavier side' },
      fade_bps: { type: 'bps', nullable: true, doc: 'move of the mid since the onset, in the direction of the plan' },
      continuation_bps: { type: 'bps', nullable: true, doc: 'the same, in the direction of the literature' },
    },
  },
  lookback: ({ window, span, cool }) =>
    Math.max(window, span, sweepSpan(USUAL_SWEEP), cool > 0 ? cool + breakSpan(USUAL_BREAK) : 0),
  create(options, market, voice): DetectorRun {
    return new SkewFade(options, market, voice);
  },
});

type SkewFadeOptions = Values<typeof parameters>;

/** One direction: `lean` +1 where bids are heavy, which plans a sale. */
interface Fade {
  readonly lean: number;
  readonly life: Lifecycle;
  onsetT: number;
  /** exchange time of the book at the onset */
  bookAt: number;
  /** twice the mid at the onset */
  from: number;
  intent: Intent | null;
  /** a print reached the stop */
  stopped: boolean;
  /** a sweep went with the lean */
  swept: boolean;
}

class SkewFade implements DetectorRun {
  // a sweep may be told when an order is complete
  readonly wake = Wake.book | Wake.trade | Wake.beat | Wake.group;
  readonly #options: SkewFadeOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #measure: Measure;
  readonly #mean: StepWindow;
  readonly #mid: StepWindow;
  readonly #flow: FlowWindow;
  readonly #around: Surroundings;
  readonly #sweeps: ToldSweeps;
  /** null where it plays no role */
  readonly #broken: LastBreak | null;
  readonly #fades: readonly [Fade, Fade];
  readonly #off: number;

  constructor(options: SkewFadeOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#measure = createMeasure(market, { levels: options.levels, bps: 0, weight: 0 });
    this.#mean = new StepWindow(options.window);
    this.#mid = market.mid(options.span);
    this.#flow = market.flow(options.span);
    this.#around = surroundingsOf(market);
    this.#sweeps = new ToldSweeps(market, USUAL_SWEEP, USUAL_RANGE);
    this.#broken = options.cool > 0 ? lastBreakOf(market) : null;
    this.#fades = [createFade(1, options.hold), createFade(-1, options.hold)];
    this.#off = Math.min(options.off, options.on);
    market.follow({
      trade: (_t, _side, price) => {
        for (const fade of this.#fades)
          if (fade.intent !== null && fade.lean * (price - fade.intent.stop) >= 0)
            fade.stopped ||= market.isAfter(fade.bookAt, fade.onsetT);
      },
    });
  }

  evaluate(t: number, why: number): void {
    const measure = this.#measure;
    if ((why & (Wake.book | Wake.beat)) !== 0) {
      measure.read(why);
      this.#mean.set(t, imbalance(measure.bid, measure.ask));
    }
    const [bids, asks] = this.#fades;
    this.#sweeps.take(({ sweep }) => {
      (sweep.side > 0 ? bids : asks).swept = true;
    });
    if (bids.life.active) this.#follow(t, bids);
    if (asks.life.active) this.#follow(t, asks);
    // what starts one is looked at on beats: nothing of it is over in a tenth of a second
    if ((why & Wake.beat) === 0) return;
    const mean = this.#mean.mean(t) / UNIT;
    if (!bids.life.active) this.#seek(t, bids, mean);
    if (!asks.life.active) this.#seek(t, asks, -mean);
  }

  #seek(t: number, fade: Fade, score: number): void {
    if (!(score >= this.#options.on)) {
      if (!fade.life.idle) fade.life.step(t, 0, false, false);
      return;
    }
    if (fade.life.step(t, score, this.#isCalm(t), false) !== Step.onset) return;
    const intent = this.#intent(fade.lean);
    if (intent === null) {
      fade.life.reset();
      return;
    }
    fade.onsetT = t;
    fade.bookAt = this.#market.track.bookAt;
    fade.from = this.#market.bid + this.#market.ask;
    fade.intent = intent;
    fade.stopped = false;
    fade.swept = false;
    const { lean } = fade;
    this.#voice.onset(t, this.#mean.firstT(t), this.#facts(t, fade, score), (now) => {
      const mean = (lean * this.#mean.mean(now)) / UNIT;
      return this.#facts(now, fade, Number.isNaN(mean) ? 0 : mean);
    });
  }

  /** Nobody trades on the lean, the price stands, no drive has broken through of late, and the higher timeframe goes nowhere. */
  #isCalm(t: number): boolean {
    const { calm, regime, cool, span } = this.#options;
    const { bookSince, tradesSince } = this.#market;
    // behind a loss nobody knows what was traded before it, and which drives there were
    if (t - tradesSince < span) return false;
    if (this.#broken !== null && t - Math.max(this.#broken.t, bookSince, tradesSince) < cool) return false;
    if (regime !== 'any' && this.#around.regime.direction !== regime) return false;
    return Math.abs(this.#tape(t)) <= calm && Math.abs(this.#moved(t)) <= 1;
  }

  /** T over its window; 0 where nothing traded. */
  #tape(t: number): number {
    const flow = this.#flow;
    flow.expire(t);
    const all = flow.buy + flow.sell;
    return all > 0 ? (flow.buy - flow.sell) / all : 0;
  }

  /** Move of the mid over the window, in spreads; NaN where it is not known. */
  #moved(t: number): number {
    const { bid, ask } = this.#market;
    return (this.#mid.value - this.#mid.start(t)) / (2 * (ask - bid));
  }

  /** The plan against a lean: sell at the ask where bids are heavy. Null where the book does not hold so many levels. */
  #intent(lean: number): Intent | null {
    const { track, bid, ask } = this.#market;
    const { book } = track;
    const { levels } = this.#options;
    const light: BookSide = lean > 0 ? ASK : BID;
    const outermost = book.levels(light, levels).at(levels - 1);
    if (outermost === undefined || !(bid < ask)) return null;
    const stop = outermost[0] + lean * book.tick;
    const entry = lean > 0 ? ask : bid;
    const target = lean > 0 ? bid : ask;
    const touch = book.sizeAt(light, entry);
    return { side: -lean, entry, stop, stopLevel: stop, stopOrigin: Number.NaN, target, spread: ask - bid, touch };
  }

  #follow(t: number, fade: Fade): void {
    const { intent, lean, life, onsetT } = fade;
    if (intent === null) return;
    const market = this.#market;
    const { age, tape } = this.#options;
    const mean = (lean * this.#mean.mean(t)) / UNIT;
    const score = Number.isNaN(mean) ? 0 : mean;
    // what was sold at the ask is bought back at the ask, and the other way round
    const out = lean > 0 ? market.ask : market.bid;
    if (fade.stopped || lean * (out - intent.stop) >= 0) this.#end(t, fade, score, 'stop');
    else if (lean * (out - intent.target) <= 0) this.#end(t, fade, score, 'target');
    else if (lean * this.#tape(t) >= tape) this.#end(t, fade, score, 'tape');
    else if (fade.swept) this.#end(t, fade, score, 'sweep');
    else if (t - onsetT >= age) this.#end(t, fade, score, 'age');
    else {
      const step = life.step(t, score, mean > this.#off, !(mean > this.#off));
      if (step !== Step.none) this.#voice.tell(step, t, Number.NaN, this.#facts(t, fade, score), 'faded');
    }
  }

  #end(t: number, fade: Fade, score: number, reason: EndReason): void {
    fade.life.end(t, score);
    this.#voice.end(t, -fade.lean, reason, this.#facts(t, fade, score));
  }

  #facts(t: number, fade: Fade, score: number) {
    const market = this.#market;
    const { bid, ask } = this.#measure;
    const { lean, from, intent } = fade;
    const heavy = lean > 0 ? bid : ask;
    const light = lean > 0 ? ask : bid;
    const moved = this.#moved(t);
    const travelled = ((market.bid + market.ask - from) / from) * 1e4;
    const evidence: Evidence = {
      direction: 'fade',
      literature_direction: 'continuation',
      levels: this.#options.levels,
      mean: rounded(lean * score),
      ratio: light > 0 && heavy > 0 ? rounded(heavy / light) : null,
      tape: rounded(this.#tape(t)),
      move_spreads: Number.isNaN(moved) ? null : rounded(moved),
      heavy: lean > 0 ? 'bid' : 'ask',
      fade_bps: Number.isNaN(travelled) ? null : rounded(-lean * travelled),
      continuation_bps: Number.isNaN(travelled) ? null : rounded(lean * travelled),
    };
    const facts = { side: -lean, price: market.midPrice(), score, evidence };
    return intent === null ? facts : { ...facts, intent };
  }

  reset(): void {
    for (const { life } of this.#fades) life.reset();
  }

  lose(): void {
    this.#mean.clear();
    this.#sweeps.forget();
  }
}

function createFade(lean: number, hold: number): Fade {
  const life = new Lifecycle({ armFor: hold, disarmFor: hold });
  return { lean, life, onsetT: 0, bookAt: 0, from: Number.NaN, intent: null, stopped: false, swept: false };
}
