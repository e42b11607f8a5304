/** pull: a big level appears near the touch and goes again untraded, or levels go ahead of somebody who trades towards them. */

import { BigLevels } from '../market/big-levels.js';
import { ASK, BID } from '../market/book.js';
import { type Market, Wake } from '../market/market.js';
import type { Pull } from '../market/pulls.js';
import { type Retreat, Retreats } from '../market/retreats.js';
import { GRID } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** Where pulls have followed each other for longer than this, who is together with whom is not kept when a unit begins. */
const LONGEST_ROW: Micros = 10_000_000;
/** Pulls remembered for flickers. */
const MOST_REMEMBERED = 256;

const parameters = {
  quantile: {
    type: 'number',
    default: 0.999,
    min: 0,
    max: 1,
    doc: 'quantile of the sizes of displayed levels that its size must reach',
  },
  times: { type: 'number', default: 5, min: 0, max: 1000, doc: 'multiple of their median that it must reach' },
  size: { type: 'size', default: '0', doc: 'size that it must reach as well' },
  near: { type: 'number', default: 0.5, min: 0, max: 100, doc: 'least distance from the mid in bps' },
  far: { type: 'number', default: 10, min: 0.1, max: 100, doc: 'largest distance from the mid in bps' },
  shortest: { type: 'duration', default: '50ms', min: '0s', max: '1m', doc: 'it must have stood this long' },
  longest: { type: 'duration', default: '30s', min: '10ms', max: '1m', doc: 'and no longer than this' },
  cancelled: {
    type: 'number',
    default: 0.8,
    min: 0.5,
    max: 1,
    doc: 'share of its size that went in one message and was not traded',
  },
  executed: { type: 'number', default: 0.1, min: 0, max: 1, doc: 'largest share of its size that was traded' },
  layers: { type: 'integer', default: 3, min: 2, max: 100, doc: 'prices pulled that make a layered pull' },
  within: { type: 'duration', default: '200ms', min: '0s', max: '5s', doc: 'how far apart in time they may be' },
  repeats: { type: 'integer', default: 3, min: 2, max: 100, doc: 'pulls at one price that make a flicker' },
  window: {
    type: 'duration',
    default: '10s',
    min: '100ms',
    max: '1m',
    doc: 'from the first that appears to the last that goes, at most',
  },
  ahead: { type: 'integer', default: 3, min: 1, max: 1000, doc: 'levels from the touch on that go ahead of an order' },
  depth: {
    type: 'number',
    default: 0.1,
    min: 0.001,
    max: 100,
    doc: 'least they displayed, as a share of the usual depth within "far" (ahead)',
  },
} as const satisfies Parameters;

export default defineDetector({
  name: 'pull',
  summary: 'A big level near the touch goes again untraded, or levels go ahead of an order',
  doc: `A level is big where its size reaches the "quantile" of the sizes of all levels displayed within "far" bps of the mid, and "times" their
median. It must have been seen to appear, most of it in one message, and to go, at least the share "cancelled" in one message, after
"shortest" to "longest"; no more than the share "executed" of it may have been traded. cancel_lb is what went less what was traded at its
price near that moment, before or after: a lower bound, as conflated updates hide much. Where another level of about its size appears on its
side as it goes, the order was moved, as makers do when the mid moves, and is none. One that appears is the place of one that goes: in the same
message of that nearest in size and price, else of the first that went within an update interval. The mid may move otherwise, and moved_ticks says
by how much.

Four kinds, named in evidence.kind. layered: at least "layers" prices of one side were pulled within "within"; its single pulls are not
said. flicker: this was at least pull number "repeats" at one price within "window", from when the first of them appeared; it is said once
in that time, and so are no single pulls there. pull: any other of these. Each waits for late trades for one update interval of the venue,
and for "within". What waits as a unit (--unit) begins is said in it, but where pulls have followed each other within "within" for ten
seconds it is not; and what was said of flickers in a unit counts for no other.

ahead: somebody traded at the touch, and two update intervals later it has gone back "ahead" levels or more and at least "near" bps, though no
more than the share "executed" of what those levels displayed before was traded: where they are traded it is a sweep, here makers pulled them
ahead. Together they must have displayed the share "depth" of the usual (median) depth within "far" bps, and the size; how long they had stood, and
how big each was, does not matter, and that makers show the same farther away does not either. It waits for late trades as well. A big level among
them that stood as long as the other kinds ask may be said to be pulled, too.

Why an order was pulled is not to be seen. Large orders go untraded all the time; the event alone says little.`,
  needs: ['book', 'trades'],
  parameters,
  meaning: {
    point: true,
    side: 'the side of the level: buy for a bid',
    price: 'its price; layered and ahead: that nearest to the mid',
    score:
      'its size over the size it had to reach; layered: all of them together over that of one; ahead: all over what all had to reach',
    evidence: {
      kind: { type: 'text', choices: ['pull', 'layered', 'flicker', 'ahead'], doc: 'which kind' },
      passive: { type: 'text', choices: ['bid', 'ask'], doc: 'the side of the book' },
      size: {
        type: 'size',
        doc: 'displayed when it appeared; layered: all of them; ahead: all of them before the order',
      },
      size_gate: { type: 'size', optional: true, doc: 'size that one level had to reach; not of ahead' },
      median_ratio: { type: 'ratio', optional: true, doc: 'the size over the median level; not of ahead' },
      removed: { type: 'size', doc: 'what the message that took it away took; ahead: what went' },
      cancel_lb: { type: 'size', doc: 'at least this much of it was cancelled' },
      executed: { type: 'size', doc: 'traded at its price while it stood; ahead: of what they displayed' },
      lifetime_ms: { type: 'ms', optional: true, doc: 'how long it stood; layered: the longest; not of ahead' },
      distance_bps: {
        type: 'bps',
        doc: 'from the mid when it appeared; layered: of the nearest; ahead: of the touch, before',
      },
      moved_ticks: {
        type: 'ticks',
        doc: 'how far the mid moved while it stood: positive away from it, where its size leant; layered: of the nearest; ahead: from before the order until they were found gone',
      },
      approached: {
        type: 'flag',
        doc: "as it went, the other side's best price had come within two ticks of it; layered: of any; ahead: true",
      },
      opposite: {
        type: 'flag',
        doc: 'while it stood aggressors on the whole traded the other way: sold, where it is a bid; ahead: true',
      },
      levels: { type: 'count', optional: true, doc: 'layered and ahead: prices pulled' },
      farthest: { type: 'price', optional: true, doc: 'layered and ahead: the price farthest from the mid' },
      span_ms: { type: 'ms', optional: true, doc: 'layered: from the first that went to the last' },
      repeats: { type: 'count', optional: true, doc: 'flicker: pulls at that price within "window"' },
      usual_depth: { type: 'size', optional: true, doc: 'ahead: the usual depth within "far"' },
      consumed_ratio: { type: 'ratio', optional: true, doc: 'ahead: traded share of what they displayed' },
      period_ms: { type: 'ms', optional: true, doc: 'flicker: from one appearance to the next, on average' },
    },
  },
  check({ near, far, shortest, longest }) {
    if (near >= far) return `near (${near}) must be less than far (${far})`;
    return shortest < longest ? null : 'shortest must be less than longest';
  },
  // what waits for late trades, and what went before and was moved, take a little more
  lookback: ({ longest, window, within }) => longest + window + within + LONGEST_ROW + 3 * GRID,
  create(options, market, voice): DetectorRun {
    return new PullRun(options, market, voice);
  },
});

type PullOptions = Values<typeof parameters>;

class PullRun implements DetectorRun {
  readonly wake = Wake.trade | Wake.book | Wake.beat;
  readonly #options: PullOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #big: BigLevels;
  readonly #retreats: Retreats;
  /** pulls that may be part of a layered one yet, of bids and asks, in the order in which they went */
  readonly #held: readonly [Pull[], Pull[]] = [[], []];
  /** since when pulls have followed each other within "within", and the newest of them, of bids and asks */
  readonly #rows: [Row, Row] = [createRow(), createRow()];
  /** all pulls of the last "window", of bids and asks */
  readonly #recent: [Pull[], Pull[]] = [[], []];
  /** when a flicker was last said, by price, of bids and asks */
  readonly #flickered: readonly [Map<number, number>, Map<number, number>] = [new Map(), new Map()];

  constructor(options: PullOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const least = market.scaledSize(options.size);
    this.#big = new BigLevels(market, { ...options, least });
    const { ahead, near, far, depth, executed } = options;
    this.#retreats = new Retreats(market, { levels: ahead, near, bps: far, depth, executed, least });
    market.follow({ unit: (start) => this.#begin(start) });
  }

  evaluate(t: number): void {
    for (const retreat of this.#retreats.take(t)) this.#sayAhead(t, retreat);
    for (const pull of this.#big.take(t)) this.#hold(pull);
    if (this.#held[BID].length > 0) this.#decide(t, this.#held[BID]);
    if (this.#held[ASK].length > 0) this.#decide(t, this.#held[ASK]);
  }

  #hold(pull: Pull): void {
    const row = this.#rows[pull.side];
    if (!(pull.gone - row.last <= this.#options.within)) row.since = pull.gone;
    row.last = pull.gone;
    this.#held[pull.side].push(pull);
  }

  /**
   * A unit begins. What waits is said in it: no layered pull goes beyond the row its pulls are of, so nothing hangs on what went before
   * that. A row without an end is the exception; there they are let go, but not forgotten.
   */
  #begin(start: Micros): void {
    for (const side of [BID, ASK] as const)
      if (this.#rows[side].since <= start - LONGEST_ROW)
        for (const pull of this.#held[side].splice(0)) this.#remember(pull);
  }

  /** Says what no later pull can change. */
  #decide(t: number, held: Pull[]): void {
    const { within, layers } = this.#options;
    while (held.length > 0 && t > held[0].gone + within + this.#market.guard) {
      const [first] = held;
      const together = held.filter(({ gone }) => gone <= first.gone + within);
      const isLayered = new Set(together.map(({ price }) => price)).size >= layers;
      const decided = held.splice(0, isLayered ? together.length : 1);
      for (const pull of decided) this.#remember(pull);
      if (isLayered) this.#sayLayered(t, together);
      else this.#sayOne(t, first);
    }
  }

  #remember(pull: Pull): void {
    const limit = pull.gone - this.#options.window;
    const recent = this.#recent[pull.side].filter(({ shown }) => shown > limit).slice(1 - MOST_REMEMBERED);
    recent.push(pull);
    this.#recent[pull.side] = recent;
  }

  #sayOne(t: number, pull: Pull): void {
    const { repeats, window } = this.#options;
    const { side, price, shown, gone } = pull;
    const flickered = this.#flickered[side];
    for (const [one, at] of flickered) if (gone - at >= window) flickered.delete(one);
    if (flickered.has(price)) return;
    const same = this.#recent[side].filter((other) => other.price === price);
    if (same.length < repeats) {
      this.#say(t, pull, shown, this.#evidence('pull', [pull]));
      return;
    }
    flickered.set(price, gone);
    const evidence = this.#evidence('flicker', [pull]);
    evidence.repeats = same.length;
    evidence.period_ms = rounded((shown - same[0].shown) / (same.length - 1) / 1000);
    this.#say(t, pull, same[0].shown, evidence);
  }

  #sayLayered(t: number, pulls: readonly Pull[]): void {
    // by their prices: what they were away from the mid as they appeared tells of different mids
    const outwards = pulls[0].side === BID ? -1 : 1;
    const nearestFirst = [...pulls].sort((a, b) => outwards * (a.price - b.price));
    const evidence = this.#evidence('layered', nearestFirst);
    evidence.levels = new Set(pulls.map(({ price }) => price)).size;
    evidence.farthest = this.#market.price(nearestFirst[nearestFirst.length - 1].price);
    evidence.span_ms = rounded((pulls[pulls.length - 1].gone - pulls[0].gone) / 1000);
    this.#say(t, nearestFirst[0], Math.min(...pulls.map(({ shown }) => shown)), evidence);
  }

  #sayAhead(t: number, retreat: Retreat): void {
    const market = this.#market;
    const { side, firstT, levels, displayed, usual, gate, executed, midBefore, midAfter } = retreat;
    const prices = [...levels.keys()];
    const [nearest] = prices;
    const evidence: Evidence = {
      kind: 'ahead',
      passive: side === BID ? 'bid' : 'ask',
      size: market.size(displayed),
      removed: market.size(displayed),
      cancel_lb: market.size(displayed - executed),
      executed: market.size(executed),
      distance_bps: rounded((Math.abs(nearest - midBefore / 2) / midBefore) * 2e4),
      moved_ticks: rounded(((side === BID ? 1 : -1) * (midAfter - midBefore)) / (2 * market.track.book.tick)),
      approached: true,
      opposite: true,
      levels: prices.length,
      farthest: market.price(prices[prices.length - 1]),
      usual_depth: market.size(usual),
      consumed_ratio: rounded(executed / displayed),
    };
    const price = market.price(nearest);
    const facts = { side: side === BID ? 1 : -1, key: `ahead ${price}`, price, score: displayed / gate, evidence };
    this.#voice.point(t, firstT, facts);
  }

  /** @param pulls the nearest first */
  #evidence(kind: 'pull' | 'layered' | 'flicker', pulls: readonly Pull[]): Evidence {
    const market = this.#market;
    const sum = (of: (pull: Pull) => number): number => pulls.reduce((total, pull) => total + of(pull), 0);
    const [nearest] = pulls;
    const { side, gate, median, midShown, midGone } = nearest;
    const size = sum((pull) => pull.size);
    const away = side === BID ? midGone - midShown : midShown - midGone;
    return {
      kind,
      passive: side === BID ? 'bid' : 'ask',
      size: market.size(size),
      size_gate: market.size(gate),
      median_ratio: rounded(size / median),
      removed: market.size(sum(({ removed }) => removed)),
      cancel_lb: market.size(sum(({ cancelled }) => cancelled)),
      executed: market.size(sum(({ executed }) => executed)),
      lifetime_ms: Math.max(...pulls.map(({ gone, shown }) => gone - shown)) / 1000,
      distance_bps: rounded((distanceOf(nearest) / midShown) * 2e4),
      moved_ticks: rounded(away / (2 * market.track.book.tick)),
      approached: pulls.some(({ approached }) => approached),
      opposite: pulls.some(({ opposed }) => opposed),
    };
  }

  #say(t: number, pull: Pull, first: number, evidence: Evidence): void {
    const market = this.#market;
    const price = market.price(pull.price);
    const side = pull.side === BID ? 1 : -1;
    const score = Number(evidence.size) / Number(evidence.size_gate);
    // several may be said at one time, even of one price
    const key = `${evidence.kind} ${price} ${pull.gone}`;
    this.#voice.point(t, first, { side, key, price, score, evidence });
  }

  /** Whether a flicker was said of late hangs on when the ones before it were. */
  reset(): void {
    for (const flickered of this.#flickered) flickered.clear();
  }

  lose(): void {
    for (const side of [BID, ASK] as const) {
      this.#held[side].length = 0;
      this.#recent[side] = [];
      this.#rows[side] = createRow();
    }
  }
}

/** Pulls of one side, each of which went within "within" of the one before. */
interface Row {
  since: Micros;
  last: Micros;
}

function createRow(): Row {
  return { since: Number.NaN, last: Number.NaN };
}

/** From the mid when it appeared, scaled. */
function distanceOf({ price, midShown }: Pull): number {
  return Math.abs(price - midShown / 2);
}
