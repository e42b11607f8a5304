/** liquidation-cascade: positions of one side are closed by force, several in seconds, and price goes the way of their orders. */

import type { FlowWindow } from '../market/flow.js';
import { type Market, Wake } from '../market/market.js';
import { type PrintWindow, printsOf } from '../market/prints.js';
import { sideVolume } from '../market/side-volume.js';
import type { GridStatistic } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Values } from './parameters.js';
import type { Voice } from './voice.js';

/** Fewer liquidations than this are no cascade, however large. */
const SEVERAL = 2;

const parameters = {
  window: { type: 'duration', default: '10s', min: '1s', max: '5m', doc: 'window of liquidations, volume and move' },
  count: {
    type: 'integer',
    default: 5,
    min: 2,
    max: 1000,
    doc: 'so many liquidations of a side are a cascade of any size',
  },
  quantile: {
    type: 'number',
    default: 0.9,
    min: 0,
    max: 1,
    doc: 'fewer of them must reach this quantile of what usually trades on one side in the window',
  },
  volume: { type: 'size', default: '0', doc: 'the liquidated size must reach this size in any case' },
  bps: {
    type: 'number',
    default: 5,
    min: 0,
    max: 1000,
    doc: 'price must move their way by this many bps, and by a tick',
  },
  settle: {
    type: 'duration',
    default: '5s',
    min: '0s',
    max: '1m',
    doc: 'it ends when fewer than two were in the window for so long',
  },
} as const;

export default defineDetector({
  name: 'liquidation-cascade',
  summary: 'Several liquidations of one side within seconds, and price goes their way',
  doc: `A liquidation is an order by force: long positions are closed by orders that sell, short ones by orders that buy. An event begins
when, within the window, "count" orders of a side were pushed, or at least two whose size reaches the "quantile" of what usually trades on one
side in such a window; and price, from the first to the last print of the window, moved the way of these orders by "bps". Liquidations are
looked at when a trade or a tenth of a second comes. What a venue pushes may be a sample, such as one a second: then
evidence.sampled is true and counts, sizes and shares are lower bounds. No venue numbers its liquidations, so that none was lost
cannot be proven, and quality is unverifiable. A liquidation is no flow of its own: its fills are among the trades already.`,
  needs: ['trades', 'liquidations'],
  parameters,
  meaning: {
    side: 'the side of the forced orders: sell where long positions are closed',
    price: 'the last trade',
    score: 'the larger of: liquidations over "count", their size over what is usual',
    ends: { faded: 'fewer than two liquidations of the side were in the window for "settle"' },
    evidence: {
      liquidations: { type: 'count', doc: 'liquidations of the side in the window' },
      liquidated_size: { type: 'size', doc: 'their size' },
      opposite_size: { type: 'size', doc: 'size of the liquidations of the other side in the window' },
      usual: {
        type: 'size',
        nullable: true,
        doc: 'volume of one side that counts as unusual for the window; null while the baseline is cold',
      },
      flow_size: { type: 'size', doc: 'traded by aggressors of the side in the window' },
      flow_share: {
        type: 'ratio',
        nullable: true,
        doc: 'liquidated_size over flow_size; null where nothing was traded',
      },
      move_bps: {
        type: 'bps',
        nullable: true,
        doc: 'from the first to the last print of the window, signed; null where there is none',
      },
      sampled: { type: 'flag', doc: 'the venue pushes some of its liquidations only' },
      window_ms: { type: 'ms', doc: 'the window' },
    },
  },
  // a usual window is as old as itself before it counts
  lookback: ({ window }) => 2 * window,
  create(options, market, voice): DetectorRun {
    return new LiquidationCascade(options, market, voice);
  },
});

interface Side {
  /** +1: forced orders that buy */
  readonly sign: number;
  readonly forced: FlowWindow;
  readonly life: Lifecycle;
}

class LiquidationCascade implements DetectorRun {
  readonly wake = Wake.trade | Wake.beat;
  readonly #options: Values<typeof parameters>;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #flow: FlowWindow;
  readonly #prints: PrintWindow;
  readonly #usual: GridStatistic;
  readonly #least: number;
  readonly #sides: readonly Side[];

  constructor(options: Values<typeof parameters>, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const { window, settle } = options;
    this.#flow = market.flow(window);
    this.#prints = printsOf(market, window);
    this.#usual = sideVolume(market, window);
    this.#least = market.scaledSize(options.volume);
    this.#sides = [1, -1].map((sign) => ({
      sign,
      forced: market.derivatives.liquidationsOf(sign, window),
      life: new Lifecycle({ armFor: 0, disarmFor: settle }),
    }));
  }

  evaluate(t: Micros): void {
    for (const { forced } of this.#sides) forced.expire(t);
    for (const side of this.#sides) if (side.forced.count >= SEVERAL || !side.life.idle) this.#judge(t, side);
  }

  #judge(t: Micros, side: Side): void {
    const { forced, life, sign } = side;
    const several = forced.count >= SEVERAL;
    const usual = this.#market.usual(this.#usual, this.#options.quantile);
    const size = forced.buy + forced.sell;
    const score = Math.max(forced.count / this.#options.count, usual > 0 ? size / usual : 0);
    const on = several && size >= this.#least && score >= 1 && this.#moved(t, sign);
    const step = life.step(t, score, on, !several);
    if (step !== Step.none) this.#voice.tell(step, t, forced.firstT, this.#facts(t, side, score, usual), 'faded');
  }

  /** Whether price went their way far enough. */
  #moved(t: Micros, sign: number): boolean {
    const first = this.#prints.firstPrice(t);
    const move = sign * (this.#prints.lastPrice(t) - first);
    return move >= this.#market.track.book.tick && move / first >= this.#options.bps / 1e4;
  }

  #facts(t: Micros, { sign, forced }: Side, score: number, usual: number) {
    const market = this.#market;
    this.#flow.expire(t);
    const size = forced.buy + forced.sell;
    const flow = sign > 0 ? this.#flow.buy : this.#flow.sell;
    const first = this.#prints.firstPrice(t);
    const move = ((this.#prints.lastPrice(t) - first) / first) * 1e4;
    const opposite = sign > 0 ? this.#sides[1].forced : this.#sides[0].forced;
    return {
      side: sign,
      price: market.lastTradePrice(),
      score,
      evidence: {
        liquidations: forced.count,
        liquidated_size: market.size(size),
        opposite_size: market.size(opposite.buy + opposite.sell),
        usual: Number.isNaN(usual) ? null : market.size(usual),
        flow_size: market.size(flow),
        flow_share: flow > 0 ? rounded(size / flow) : null,
        move_bps: Number.isNaN(move) ? null : rounded(move),
        sampled: market.options.facts.liquidations === 'sampled',
        window_ms: this.#options.window / 1000,
      },
    };
  }

  reset(): void {
    for (const { life } of this.#sides) life.reset();
  }
}
