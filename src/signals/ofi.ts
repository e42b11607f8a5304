/** ofi: the best quotes gained far more size on one side than usual, or lost it on the other. */

import { type IntegratedOfi, integratedOfiOf } from '../market/integrated-ofi.js';
import { type Market, Wake } from '../market/market.js';
import { bookFlowOf, MOST_LEVELS, type Ofi, ofiOf, QUIET } from '../market/ofi.js';
import type { QuoteFlow } from '../market/quote-flow.js';
import { NORMAL, robustZ } from '../market/robust.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

const parameters = {
  window: { type: 'duration', default: '10s', min: '100ms', max: '10m', doc: 'changes are summed over this time' },
  on: { type: 'number', default: 3, min: 0.1, max: 100, doc: 'robust z that starts an event' },
  fade: { type: 'number', default: 0.7, min: 0, max: 1, doc: 'it is over at or below this share of "on"' },
  least: {
    type: 'number',
    default: 1,
    min: 0.001,
    max: 1000,
    doc: 'nearer to the median than this many mean depths nothing is unusual',
  },
  hold: {
    type: 'duration',
    default: '1s',
    min: '0s',
    max: '1m',
    doc: 'it must be so this long, or be over this long',
  },
  levels: {
    type: 'integer',
    default: 1,
    min: 1,
    max: MOST_LEVELS,
    doc: 'more than 1: levels of the book that levels_ofi sums; it costs time with every book message',
  },
} as const satisfies Parameters;

export default defineDetector({
  name: 'ofi',
  summary: 'Best quotes gained unusually much size on one side',
  doc: `Order flow imbalance of Cont, Kukanov and Stoikov: from one best quote to the next, what the bid gained in size less what the ask gained. A
price that gets better brings all its size, one that gets worse takes all of it along, so it counts limit orders, cancellations and trades alike.
It is summed over the window and divided by the mean depth: half of the two best sizes together, each quote counting once
however long it stood. An event needs a robust z of that (0.6745 times its distance from the median of the baseline, a value each second, over the
median distance from it) of "on" for "hold", with the same sign.
Quotes come from the venue's stream of best quotes where the tape has it, else from the book at the end of each message, which shows less: what came
and went between two messages is not in it. evidence.source says which; the two are never mixed. A lost best quote leaves no trace, so
signals made from them are "unverifiable". Nothing is compared across a gap, a snapshot, a crossed or one-sided quote, or 30 s
without one; a window is whole again only when all of it lies behind that.
The price change is part of the measure: an ask that is eaten up adds to it and moves the mid. That it goes with the move of the same seconds
is a description (in a published study of five months of crypto perpetuals it explains about two thirds of the variance), and no forecast: of the
variance of the next ten seconds it explained about nothing there, 0.002 on 3.9 million observations.
levels_ofi sums the first "levels" of the book, each level in units of its own mean depth, with equal weights. With scan --fit, integrated_ofi sums as
many levels as the fit has, with its weights: those of the first principal component (Cont, Cucuringu and Zhang), learnt by tapedeck fit
from windows of the same length that ended before. No rule uses either.`,
  needs: ['book'],
  touches: true,
  parameters,
  meaning: {
    side: 'buy: bids gained, or asks were taken away; sell: the other way round',
    price: 'the mid',
    score: 'robust z, counted in the direction of the side: below zero where it has turned',
    ends: { faded: 'z was at or below "fade" of "on" for "hold", or OFI had the other sign or was not known any more' },
    evidence: {
      ofi: { type: 'size', doc: 'order flow imbalance over the window, signed' },
      ofi_depth: { type: 'ratio', doc: 'the same over depth' },
      z: { type: 'ratio', doc: 'robust z of ofi_depth, by the baseline of the onset' },
      depth: { type: 'size', doc: 'mean depth of the best quotes, one side, rounded as sizes are' },
      quotes: { type: 'count', doc: 'best quotes in the window, each other than the one before' },
      source: { type: 'text', choices: ['touch', 'book'], doc: 'whose best quotes' },
      move_ticks: { type: 'ticks', doc: 'how far their mid moved over the window' },
      window_ms: { type: 'ms', doc: 'the window' },
      levels: { type: 'count', optional: true, doc: 'levels that levels_ofi sums' },
      levels_ofi: {
        type: 'ratio',
        optional: true,
        nullable: true,
        doc: 'sum over the levels of the book, each over its own mean depth; null where not all of them were known',
      },
      integrated_ofi: {
        type: 'ratio',
        optional: true,
        nullable: true,
        doc: "with --fit: the same with the fit's levels and weights, whose amounts add up to 1; null before the fit is in force too",
      },
    },
  },
  // what is usual rests on windows that ended before this one began, and they on a quote before them
  lookback: ({ window }) => 2 * window + QUIET,
  weighs: ({ window }) => window,
  create(options, market, voice): DetectorRun {
    return new OfiRun(options, market, voice);
  },
});

type OfiOptions = Values<typeof parameters>;

/** What one side's running event is measured against: it must not raise its own bar. */
interface Side {
  readonly sign: number;
  readonly life: Lifecycle;
  median: number;
  deviation: number;
}

class OfiRun implements DetectorRun {
  readonly wake = Wake.beat;
  readonly #options: OfiOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #ofi: Ofi;
  readonly #levels: QuoteFlow | null;
  readonly #integrated: IntegratedOfi | null;
  readonly #sides: readonly [Side, Side];
  readonly #floor: number;
  /** distance from the median below which nothing starts, by more than a rounding */
  readonly #calm: number;

  constructor(options: OfiOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const { window, levels, on, least, hold } = options;
    this.#ofi = ofiOf(market, window);
    this.#levels = levels > 1 ? bookFlowOf(market, window, levels).flow : null;
    this.#integrated = integratedOfiOf(market, window);
    const side = (sign: number): Side => {
      const life = new Lifecycle({ armFor: hold, disarmFor: hold });
      return { sign, life, median: Number.NaN, deviation: Number.NaN };
    };
    this.#sides = [side(1), side(-1)];
    // at the least distance z is just "on"
    this.#floor = (NORMAL * least) / on;
    this.#calm = least * (1 - 1e-9);
  }

  evaluate(t: number): void {
    const ofi = this.#ofi;
    const value = ofi.value(t);
    const [buys, sells] = this.#sides;
    const isIdle = buys.life.idle && sells.life.idle;
    const median = ofi.median();
    // most of the time nothing runs and nothing can start
    if (isIdle && !(Math.abs(value - median) >= this.#calm)) return;
    const deviation = Number.isNaN(median) ? Number.NaN : Math.max(this.#floor, ofi.deviation());
    this.#step(t, buys, value, median, deviation);
    this.#step(t, sells, value, median, deviation);
  }

  #step(t: number, side: Side, value: number, median: number, deviation: number): void {
    const { life, sign } = side;
    if (!life.active) {
      side.median = median;
      side.deviation = deviation;
    }
    const z = sign * robustZ(value, side.median, side.deviation);
    const { on, fade } = this.#options;
    // less than a usual rise is no fall
    const isSigned = sign * value > 0;
    // NaN is over
    const step = life.step(t, Number.isNaN(z) ? 0 : z, z >= on && isSigned, !(z > fade * on && isSigned));
    if (step === Step.none) return;
    // what is not known any more leaves the last facts standing
    if (Number.isNaN(z)) this.#voice.end(t, sign, 'faded');
    else this.#voice.tell(step, t, this.#ofi.flow.firstT, this.#facts(t, sign, z), 'faded');
  }

  #facts(t: number, side: number, z: number) {
    const market = this.#market;
    const { flow, source } = this.#ofi;
    const { window, levels } = this.#options;
    const { book, scale } = market.track;
    const evidence: Evidence = {
      ofi: market.size(flow.flow()),
      ofi_depth: rounded(flow.relative()),
      z: rounded(side * z),
      depth: market.size(Math.round(flow.depth())),
      quotes: flow.count,
      source,
      move_ticks: flow.move / (2 * book.tick),
      window_ms: window / 1000,
    };
    if (this.#levels !== null) {
      this.#levels.expire(t);
      evidence.levels = levels;
      evidence.levels_ofi = this.#levels.isWhole(t) ? rounded(this.#levels.relativeOfAll()) : null;
    }
    if (this.#integrated !== null) {
      const integrated = this.#integrated.value(t);
      evidence.integrated_ofi = Number.isNaN(integrated) ? null : rounded(integrated);
    }
    return { side, price: flow.twiceMid / (2 * 10 ** scale.price), score: z, evidence };
  }

  reset(): void {
    for (const { life } of this.#sides) life.reset();
  }
}
