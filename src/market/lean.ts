/** How a book leans: sizes of both sides near the touch, by levels or by distance, all alike or the nearer the more. */
import { ASK, BID, type BookSide } from './book.js';
import { type Market, Wake } from './market.js';
import { GRID } from './statistic.js';

/** Imbalances are integers of a millionth, so that their mean over time is exact. */
export const UNIT = 1e6;

/** (B − A) / (B + A) in millionths, rounded alike on both sides of zero; NaN where a side is empty or unknown. */
export function imbalance(bid: number, ask: number): number {
  if (!(bid > 0 && ask > 0)) return Number.NaN;
  const size = Math.round((Math.abs(bid - ask) / (bid + ask)) * UNIT);
  return bid < ask ? -size : size;
}

/** Scaled sizes of both sides by some rule; NaN where they cannot be known. `read` makes them current, with the Wake bits at hand. */
export interface Measure {
  bid: number;
  ask: number;
  read(why: number): void;
}

/**
 * What is summed: the best `levels`, or with `bps` > 0 all within so many bps of the mid; with `weight` > 0 by distance, as far as
 * `bps`, or else as far as a level counts.
 */
export interface MeasureOptions {
  levels: number;
  bps: number;
  weight: number;
}

export function createMeasure(market: Market, options: MeasureOptions): Measure {
  const { levels, bps, weight } = options;
  if (weight > 0) return createWeightedMeasure(market, options);
  return bps > 0 ? createBandMeasure(market, bps) : createLevelMeasure(market, levels);
}

function createLevelMeasure(market: Market, levels: number): Measure {
  const top = market.top(levels);
  const { track } = market;
  const prices = new Float64Array(levels);
  const sizes = new Float64Array(levels);
  let covered = false;
  let checkAt = 0;
  const reaches = (side: BookSide): boolean => {
    if (track.book.top(side, levels, prices, sizes) < levels) return false;
    const last = prices[levels - 1];
    // NaN bounds: the venue did not say how far the book is known, so what it lists is what there is
    return side === BID ? !(last < track.low) : !(last > track.high);
  };
  const measure: Measure = {
    bid: Number.NaN,
    ask: Number.NaN,
    read() {
      // the reach changes slowly and costs more than the sums: it is looked at once a second, and while it is short
      if (market.t >= checkAt || !covered) {
        checkAt = (Math.floor(market.t / GRID) + 1) * GRID;
        covered = track.state === 'valid' && reaches(BID) && reaches(ASK);
      }
      // a book may be crossed for the time between two looks
      const isKnown = covered && market.bid < market.ask;
      measure.bid = isKnown ? top.bid : Number.NaN;
      measure.ask = isKnown ? top.ask : Number.NaN;
    },
  };
  return measure;
}

function createBandMeasure(market: Market, bps: number): Measure {
  market.top(1); // asks for the touch
  const measure: Measure = {
    bid: Number.NaN,
    ask: Number.NaN,
    read(why) {
      // a walk over the band is dear: once a beat is enough for a mean over seconds
      if ((why & Wake.beat) === 0) return;
      measure.bid = market.depthWithin(BID, bps);
      measure.ask = market.depthWithin(ASK, bps);
    },
  };
  return measure;
}

/** Weights are integers of a thousandth, so that sums do not depend on their order. */
const WEIGHT_UNIT = 1000;
/** Beyond so many times `weight` a level counts less than half a thousandth. */
const FAR = 8;

function createWeightedMeasure(market: Market, { bps, weight }: MeasureOptions): Measure {
  market.top(1); // asks for the touch
  const { track } = market;
  const within = (bps > 0 ? bps : FAR * weight) / 1e4;
  let prices = new Float64Array(256);
  let sizes = new Float64Array(256);
  const sum = (side: BookSide, mid: number): number => {
    const limit = side === BID ? mid * (1 - within) : mid * (1 + within);
    if (side === BID ? limit < track.low : limit > track.high) return Number.NaN;
    for (;;) {
      const n = track.book.top(side, prices.length, prices, sizes);
      let total = 0;
      for (let i = 0; i < n; i++) {
        if (side === BID ? prices[i] < limit : prices[i] > limit) return total;
        const distance = (Math.abs(prices[i] - mid) / mid) * 1e4;
        total += sizes[i] * Math.round(WEIGHT_UNIT * Math.exp(-distance / weight));
      }
      if (n < prices.length) return total;
      prices = new Float64Array(prices.length * 2);
      sizes = new Float64Array(prices.length);
    }
  };
  const measure: Measure = {
    bid: Number.NaN,
    ask: Number.NaN,
    read(why) {
      if ((why & Wake.beat) === 0) return;
      const known = track.state === 'valid' && market.bid < market.ask;
      const mid = (market.bid + market.ask) / 2;
      measure.bid = known ? Math.round(sum(BID, mid) / WEIGHT_UNIT) : Number.NaN;
      measure.ask = known ? Math.round(sum(ASK, mid) / WEIGHT_UNIT) : Number.NaN;
    },
  };
  return measure;
}
