/** iceberg: what aggressors take away from a level comes back again and again, to the same displayed size. */

import { BID } from '../market/book.js';
import { groupSizes } from '../market/group-sizes.js';
import { type Market, Wake } from '../market/market.js';
import type { RefillRun } from '../market/refill-run.js';
import { Refills } from '../market/refills.js';
import type { GridStatistic } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

const parameters = {
  cycles: { type: 'integer', default: 3, min: 2, max: 100, doc: 'cycles that make an event' },
  refill: {
    type: 'duration',
    default: '250ms',
    min: '1ms',
    max: '5s',
    doc: 'from depleted to refilled, at most',
  },
  fade: { type: 'duration', default: '5s', min: '100ms', max: '1m', doc: 'without a cycle for this long it is over' },
  quantile: {
    type: 'number',
    default: 0.95,
    min: 0,
    max: 1,
    doc: 'hidden_lb must reach this quantile of the sizes of aggressor groups',
  },
  size: { type: 'size', default: '0', doc: 'hidden_lb must reach this size as well' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'iceberg',
  summary: 'A level is refilled to the same size again and again',
  doc: `A cycle is: a level displays a size, its peak; trades take it down to a fifth or less; within "refill" it displays the peak again, give or
take a tenth. At least 80 % of the peak must have been traded. Where updates are conflated the book may not show the level depleted: when so
much is traded within one update interval and the peak still stands an interval later, that is a cycle, too, and one only, however much it
was; a book that came since and is older than the trades, by the venue's times, is waited for. Where part of it was shown to go, the rest
must have been traded within the interval before the update that shows it refilled. A level that is never down to a fifth, or is there again
too late, makes no cycle. An event needs "cycles" of them at one price, none of them more than "fade" after the one before, and hidden_lb
must reach the "quantile" of the sizes of taker orders. hidden_lb is what was traded since the beginning less what is displayed less than
then: at least so much was added or hidden. Where the level is refilled to another size, counting begins anew: makers who refill by chance
repeat no peak.

It ends "broken" (depleted by trades and not refilled), "pulled" (gone, most of it untraded), "held" (no cycle for "fade", and the peak still
stands) or "faded" (no cycle for "fade", and another size stands, or the book was crossed). Books of levels do not tell orders
apart: one maker who quotes a constant size and replaces it at once looks the same. So confidence is always weak; it could be strong only with
ids of orders, which no venue here pushes.`,
  needs: ['book', 'trades'],
  parameters,
  meaning: {
    side: 'the side of the level: buy for a bid',
    price: 'its price',
    score: 'hidden_lb over the peak',
    ends: {
      broken: 'trades depleted it, and it was not refilled within "refill"',
      pulled: 'it went, and most of what went was not traded',
      held: 'no cycle for "fade", and the peak still stands',
      faded: 'no cycle for "fade", and another size stands, or the book was crossed or one-sided',
    },
    evidence: {
      passive: { type: 'text', choices: ['bid', 'ask'], doc: 'the side of the book' },
      confidence: { type: 'text', choices: ['weak'], doc: 'always weak: levels do not tell orders apart' },
      peak: { type: 'size', doc: 'the displayed size that repeats' },
      cycles: { type: 'count', doc: 'cycles so far' },
      traded: { type: 'size', doc: 'traded against it up to the newest cycle' },
      hidden_lb: { type: 'size', doc: 'at least this much of that was added or hidden' },
      size_gate: { type: 'size', doc: 'what hidden_lb had to reach at the onset' },
      displayed: { type: 'size', doc: 'displayed now' },
      refill_ms: {
        type: 'ms',
        nullable: true,
        doc: 'how long it was depleted, on average; null where the book never showed it so',
      },
      cycle_ms: { type: 'ms', doc: 'from the first trade to the newest cycle, over the cycles' },
    },
  },
  // runs begin afresh in each unit
  lookback: ({ fade, refill }) => fade + refill,
  create(options, market, voice): DetectorRun {
    return new Iceberg(options, market, voice);
  },
});

type IcebergOptions = Values<typeof parameters>;

/** An open event. */
interface Open {
  readonly life: Lifecycle;
  /** what had to be reached at the onset */
  readonly gate: number;
}

class Iceberg implements DetectorRun {
  readonly wake = Wake.trade | Wake.book | Wake.beat;
  readonly #quantile: number;
  readonly #least: number;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #refills: Refills;
  readonly #usual: GridStatistic;
  readonly #open = new Map<RefillRun, Open>();

  constructor({ quantile, size, ...rules }: IcebergOptions, market: Market, voice: Voice) {
    this.#quantile = quantile;
    this.#least = market.scaledSize(size);
    this.#market = market;
    this.#voice = voice;
    this.#refills = new Refills(market, rules);
    this.#usual = groupSizes(market);
  }

  evaluate(t: number): void {
    const runs = this.#refills.take(t);
    for (let n = 0; n < runs.length; n++) this.#look(t, runs[n]);
  }

  #look(t: number, run: RefillRun): void {
    const open = this.#open.get(run);
    const score = run.hidden / run.peak;
    if (run.over !== null) {
      if (open === undefined) return;
      this.#open.delete(run);
      this.#voice.end(t, sideOf(run), run.over, this.#facts(run, open.gate, score));
    } else if (open !== undefined) {
      const step = open.life.step(t, score, true, false);
      if (step === Step.update) this.#voice.update(t, this.#facts(run, open.gate, score));
    } else this.#seek(t, run, score);
  }

  #seek(t: number, run: RefillRun, score: number): void {
    // NaN while the baseline is cold: the comparison is false
    const gate = Math.max(this.#least, this.#market.usual(this.#usual, this.#quantile));
    if (!(run.hidden > 0 && run.hidden >= gate)) return;
    const life = new Lifecycle({ armFor: 0, disarmFor: 0 });
    life.step(t, score, true, false);
    this.#open.set(run, { life, gate });
    this.#voice.onset(t, run.firstT, this.#facts(run, gate, score));
  }

  #facts(run: RefillRun, gate: number, score: number) {
    const market = this.#market;
    const { peak, cycles, traded, hidden, shown, refills, depletedFor, firstT, lastCycleT } = run;
    const price = market.price(run.price);
    const evidence: Evidence = {
      passive: run.side === BID ? 'bid' : 'ask',
      confidence: 'weak',
      peak: market.size(peak),
      cycles,
      traded: market.size(traded),
      hidden_lb: market.size(hidden),
      size_gate: market.size(gate),
      displayed: market.size(shown),
      refill_ms: refills === 0 ? null : rounded(depletedFor / refills / 1000),
      cycle_ms: rounded((lastCycleT - firstT) / cycles / 1000),
    };
    return { side: sideOf(run), key: String(price), price, score, evidence };
  }

  reset(): void {
    this.#open.clear();
  }
}

function sideOf({ side }: RefillRun): number {
  return side === BID ? 1 : -1;
}
