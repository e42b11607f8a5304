/** sweep: one taker order, or a burst of them, exhausts several displayed levels at once. */

import { type Market, Wake } from '../market/market.js';
import { sweepSpan } from '../market/sweeps.js';
import { type Told, ToldSweeps } from '../market/told-sweeps.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** Average prices are said to this part of a tick. */
const TICK_PART = 1e4;

const parameters = {
  single: { type: 'integer', default: 3, min: 1, max: 1000, doc: 'levels one order must exhaust' },
  burst: { type: 'integer', default: 5, min: 1, max: 1000, doc: 'levels a burst must exhaust' },
  gap: { type: 'duration', default: '50ms', min: '10ms', max: '1s', doc: 'longest pause within a burst' },
  span: { type: 'duration', default: '250ms', min: '10ms', max: '5s', doc: 'longest burst' },
  opposite: { type: 'number', default: 0.1, min: 0, max: 1, doc: 'largest share of volume against a burst' },
  consumed: {
    type: 'number',
    default: 0.8,
    min: 0.01,
    max: 1,
    doc: 'share of what was displayed that must have been traded: at each level, and at all levels that went',
  },
  quantile: {
    type: 'number',
    default: 0.99,
    min: 0,
    max: 1,
    doc: 'the volume must reach this quantile of the sizes of aggressor groups',
  },
  volume: { type: 'size', default: '0', doc: 'the volume must reach this size' },
  ticks: { type: 'integer', default: 3, min: 1, max: 100_000, doc: 'least width of the swept range in ticks' },
  spreads: { type: 'number', default: 1.5, min: 0, max: 1000, doc: 'least width of the swept range in spreads' },
  depth: {
    type: 'number',
    default: 0.02,
    min: 0,
    max: 100,
    doc: 'least displayed size swept, as a share of the usual depth within "bps"',
  },
  bps: { type: 'number', default: 10, min: 0.1, max: 100, doc: 'depth is measured within this many bps of the mid' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'sweep',
  summary: 'Aggressors exhaust several displayed levels at once',
  doc: `A level is exhausted where it was displayed before the first print, is seen gone afterwards, and at least the share "consumed"
of what it displayed was traded there. "single": one aggressor group (the prints of one taker order) exhausts "single" levels. "burst":
groups of one side, no more than "gap" apart and "span" long together, as they were matched and as they were received, exhaust "burst" levels, while no more than the share
"opposite" of the volume goes the other way; it is said only where none of its groups was said to be a sweep. The volume must
reach its usual quantile among groups, the swept range a width in ticks and in spreads, and the displayed size in it a share of the
usual (median) depth: where ticks are fine, a few levels are nothing. If much of what went between the touch and the last trade was not
traded, makers pulled it, and there is no sweep. The book before is the last one the venue timed before the first print, so it does
not matter which comes first, trades or book (where nothing is timed, it is the book one update interval before). A sweep is
said once the book has shown the levels gone; where it never does so within two of its intervals, there is none. Levels that are refilled
before the next update are not seen to go.`,
  needs: ['book', 'trades'],
  confirms: true,
  parameters,
  meaning: {
    point: true,
    side: 'the aggressor: a buy sweeps asks',
    price: 'the last level exhausted',
    score: 'displayed size swept over the usual depth within "bps"',
    evidence: {
      kind: { type: 'text', choices: ['single', 'burst'], doc: 'one order, or several' },
      group_conf: {
        type: 'text',
        choices: ['exact', 'strong', 'heuristic'],
        doc: 'how surely the prints of one order are known to be one order, on this venue',
      },
      swept_levels: { type: 'count', doc: 'displayed levels exhausted' },
      swept_ticks: { type: 'ticks', doc: 'from the first of them to the last, both counted' },
      swept_from: { type: 'price', doc: 'the first of them' },
      size: { type: 'size', doc: 'volume of the order or the burst' },
      size_gate: { type: 'size', doc: 'volume it had to reach' },
      prints: { type: 'count', doc: 'trades' },
      groups: { type: 'count', doc: 'aggressor groups' },
      vwap: { type: 'price', doc: 'average price, to a ten-thousandth of a tick' },
      slippage_bps: { type: 'bps', doc: 'average price beyond the touch before, over the mid before' },
      pre_touch: { type: 'price', doc: 'best price of the swept side before' },
      pre_depth: { type: 'size', doc: 'displayed before at the levels exhausted' },
      consumed_ratio: { type: 'ratio', doc: 'traded share of what was displayed before at all levels that went' },
      next_gap_ticks: {
        type: 'ticks',
        nullable: true,
        doc: 'from the last level exhausted to the next one displayed before; null where none is known',
      },
      depth: { type: 'size', nullable: true, doc: 'displayed before within "bps"; null where not known that far' },
      depth_share: { type: 'ratio', nullable: true, doc: 'volume over it' },
      usual_depth: { type: 'size', doc: 'the usual depth' },
      took_ms: { type: 'ms', doc: 'from the first print to the last, as received' },
    },
  },
  lookback: sweepSpan,
  create(options, market, voice): DetectorRun {
    return new SweepRun(options, market, voice);
  },
});

type SweepOptions = Values<typeof parameters>;

class SweepRun implements DetectorRun {
  readonly wake = Wake.trade | Wake.book | Wake.beat | Wake.group;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #sweeps: ToldSweeps;
  readonly #least: number;

  constructor(options: SweepOptions, market: Market, voice: Voice) {
    this.#market = market;
    this.#voice = voice;
    const { single, burst, gap, span, opposite, consumed, quantile, bps } = options;
    this.#least = market.scaledSize(options.volume);
    const rules = { single, burst, gap, span, opposite, consumed, quantile, bps };
    this.#sweeps = new ToldSweeps(market, rules, options, this.#least);
  }

  evaluate(t: number): void {
    this.#sweeps.take((told) => this.#voice.point(t, told.sweep.firstT, this.#facts(told)));
  }

  #facts({ sweep, width, usual }: Told) {
    const market = this.#market;
    const { book, scale } = market.track;
    const { tick } = book;
    const { kind, side, size, lastPrice, slippage, bid, ask, depth, firstT, lastT } = sweep;
    const touch = side > 0 ? ask : bid;
    // in parts of what prices are counted in: divided twice it would leave the decimal grid
    const average = touch * TICK_PART + side * tick * Math.round(slippage * TICK_PART);
    const gap = Math.abs(sweep.nextPrice - lastPrice) / tick;
    const isKnown = !Number.isNaN(depth);
    const evidence: Evidence = {
      kind,
      group_conf: market.groupConf(sweep.order),
      swept_levels: sweep.levels,
      swept_ticks: width,
      swept_from: market.price(sweep.firstPrice),
      size: market.size(size),
      size_gate: market.size(Math.max(sweep.gate, this.#least)),
      prints: sweep.prints,
      groups: sweep.groups,
      vwap: average / (TICK_PART * 10 ** scale.price),
      slippage_bps: rounded(((slippage * tick) / (bid + ask)) * 2e4),
      pre_touch: market.price(touch),
      pre_depth: market.size(sweep.displayed),
      consumed_ratio: rounded(sweep.consumed),
      next_gap_ticks: Number.isNaN(gap) ? null : gap,
      depth: isKnown ? market.size(depth) : null,
      depth_share: depth > 0 ? rounded(size / depth) : null,
      usual_depth: market.size(usual),
      took_ms: (lastT - firstT) / 1000,
    };
    // several may be found at one time, in one message of many trades too
    const key = `${kind} ${firstT} ${market.price(lastPrice)}`;
    const score = sweep.displayed / usual;
    return { side, key, price: market.price(lastPrice), score, evidence, before: bid + ask };
  }

  lose(): void {
    this.#sweeps.forget();
  }
}
