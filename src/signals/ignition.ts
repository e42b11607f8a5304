/** ignition: a setup on a drive that breaks through the book, as the article's "sweep entry" has it. */
import { ASK, BID, type BookSide } from '../market/book.js';
import { type Break, Breaks, sweepPoint } from '../market/breaks.js';
import { type DepthProfile, depthProfile } from '../market/depth-profile.js';
import type { Drive } from '../market/drive.js';
import type { Eaten } from '../market/eaten.js';
import { type Market, Wake } from '../market/market.js';
import { thinRun } from '../market/thin-run.js';
import { OLDEST_WALL, type Wall, type Walls, walls } from '../market/walls.js';
import { rounded } from '../model/decimal.js';
import type { EndReason, Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Intent } from './plan.js';
import type { Voice } from './voice.js';

/** The next wall leaves room when it is so many times the risk away. */
const ROOM = 2;
/** What counts as a void ahead: see the detector. */
const THIN = { thin: 0.2, run: 3, near: 3 };

const parameters = {
  window: { type: 'duration', default: '2s', min: '100ms', max: '10s', doc: 'a drive is no longer than this' },
  groups: { type: 'integer', default: 3, min: 1, max: 1000, doc: 'taker orders of one side it consists of, at least' },
  opposite: {
    type: 'number',
    default: 0.1,
    min: 0,
    max: 0.5,
    doc: 'largest share of its volume that goes the other way',
  },
  quantile: {
    type: 'number',
    default: 0.95,
    min: 0,
    max: 1,
    doc: 'its volume must reach this quantile of what usually trades on one side in such a window',
  },
  volume: { type: 'size', default: '0', doc: 'its volume must reach this size' },
  levels: { type: 'integer', default: 3, min: 1, max: 100, doc: 'best levels before it, whose sum must have fallen' },
  fell: { type: 'number', default: 0.5, min: 0.01, max: 1, doc: 'share of them that must be gone' },
  consumed: {
    type: 'number',
    default: 0.8,
    min: 0.01,
    max: 1,
    doc: 'share of what is gone of them, and of each exhausted level, that must have been traded',
  },
  depth: {
    type: 'number',
    default: 0.02,
    min: 0,
    max: 100,
    doc: 'least displayed size exhausted, as a share of the usual depth within 10 bps',
  },
  trigger: {
    type: 'choice',
    default: 'bid',
    choices: ['bid', 'trade'],
    doc: 'what must stand beyond the sweep point: the touch that follows the drive (of buys the best bid), or a trade of it',
  },
  stop: {
    type: 'choice',
    default: 'level',
    choices: ['level', 'origin'],
    doc: "the plan's stop: behind the sweep point, or behind where the drive began",
  },
  ticks: { type: 'integer', default: 1, min: 1, max: 10_000, doc: 'how many ticks behind them' },
  age: { type: 'duration', default: '10s', min: '1s', max: '10m', doc: 'it lasts no longer than this' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'ignition',
  summary: 'Setup: go with a drive that has broken through the book',
  doc: `Technique 1 of the article. A drive is "groups" or more taker orders of one side within the window, with no more than the share "opposite"
of its volume against them, and of unusual volume: where the usual one is zero, as on a thin symbol, nothing begins unless "volume" is set.
Where several drives reach up to now it is the longest, without what was traded up to the onset and the end of an event; the book is
remembered to 20 bps from the touch, and to 50 ticks at least, so one that went farther may be missed, or seen to begin later. Of the best
"levels" levels before it the share "fell" is gone, and most of that was traded. The sweep point is the farthest level it exhausted, or the
heaviest of them behind the first where that held twice their median. An event begins when the touch that follows (of buys the best bid)
stands beyond the sweep point. The plan goes with the drive: entry at the opposite touch as it is then, stop behind the sweep point
(stop_level) or behind the first price of the drive (stop_origin), target the next wall at least five seconds old; evidence.room tells
whether there is a void ahead, or a wall no nearer than twice the risk. It ends "target", "invalidated" (a trade or the mid is farther back
than "ticks" behind the sweep point) or "age". By then much of the move is over: evidence.moved_bps tells how much. What regulators call
momentum ignition is the manipulation by one participant; who traded here, and what for, no public data tells.`,
  needs: ['book', 'trades'],
  confirms: true,
  parameters,
  meaning: {
    side: 'of the drive and of the plan',
    price: 'the sweep point',
    score: "the drive's volume over what it had to reach",
    ends: {
      target: 'a trade, or the touch that follows, reached the target',
      invalidated: 'price fell back behind the sweep point',
      age: 'it lasted as long as it may',
    },
    evidence: {
      barrier: { type: 'flag', doc: 'the sweep point is a level that stood out, not just the farthest one exhausted' },
      exhausted: { type: 'count', doc: 'levels exhausted' },
      exhausted_size: { type: 'size', doc: 'what they displayed before' },
      fell: { type: 'ratio', doc: 'share of the best "levels" levels that is gone' },
      consumed_ratio: { type: 'ratio', doc: 'share of that which was traded' },
      groups: { type: 'count', doc: 'taker orders of the drive' },
      size: { type: 'size', doc: 'its volume' },
      size_gate: { type: 'size', doc: 'volume it had to reach' },
      opposite_size: { type: 'size', doc: 'volume against it' },
      origin: { type: 'price', doc: 'its first price' },
      moved_bps: { type: 'bps', doc: 'how far the mid had gone with it when the event began' },
      best_bps: { type: 'bps', doc: 'how far beyond the mid of the onset it was at best' },
      room: { type: 'flag', doc: 'there is a void ahead, or a wall no nearer than twice the risk' },
      void_ahead: {
        type: 'flag',
        doc: 'three or more buckets in a row near the touch hold a fifth of what is usual at most',
      },
      wall_size: {
        type: 'size',
        nullable: true,
        doc: 'displayed in the wall that is the target; null where there is none',
      },
      window_ms: { type: 'ms', doc: 'longest drive' },
    },
  },
  lookback: ({ window }) => Math.max(2 * window, OLDEST_WALL),
  create(options, market, voice): DetectorRun {
    return new Ignition(options, market, voice);
  },
});

/** One direction. Prices are scaled. */
interface Fire {
  /** +1: a drive of buys, through asks */
  readonly side: number;
  readonly passive: BookSide;
  readonly life: Lifecycle;
  /** prints up to this time are used up */
  since: number;
  onsetT: number;
  /** exchange time of the book at the onset */
  bookAt: number;
  intent: Intent | null;
  /** the sweep point less its ticks: what is behind it has failed */
  floor: number;
  /** twice the mid at the onset, and at best since */
  from: number;
  best: number;
  evidence: Evidence;
  score: number;
  /** a print was behind the floor, or reached the target */
  failed: boolean;
  arrived: boolean;
}

class Ignition implements DetectorRun {
  readonly wake = Wake.trade | Wake.group | Wake.book | Wake.beat;
  readonly #options: Values<typeof parameters>;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #breaks: Breaks;
  readonly #walls: Walls;
  readonly #profile: DepthProfile;
  readonly #fires: readonly [Fire, Fire];

  constructor(options: Values<typeof parameters>, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#breaks = new Breaks(market, { ...options, least: market.scaledSize(options.volume) });
    this.#walls = walls(market);
    this.#profile = depthProfile(market);
    this.#fires = [createFire(1), createFire(-1)];
    market.follow({ trade: (_t, _side, price) => this.#print(price) });
  }

  /** Of a message with several prints each counts; those that were made before the event began do not. */
  #print(price: number): void {
    for (const fire of this.#fires) {
      const { life, side, floor, intent, bookAt, onsetT } = fire;
      if (!life.active || intent === null || !this.#market.isAfter(bookAt, onsetT)) continue;
      if (side * (price - floor) < 0) fire.failed = true;
      else if (isBetter(intent) && side * (price - intent.target) >= 0) fire.arrived = true;
    }
  }

  evaluate(t: number, why: number): void {
    // a trade may end an event, but a drive is made of whole orders
    const seeks = why !== Wake.trade;
    if (seeks) this.#breaks.measure(t);
    for (const fire of this.#fires) {
      if (fire.life.active) this.#follow(t, fire);
      else if (seeks) this.#seek(t, fire);
    }
  }

  #seek(t: number, fire: Fire): void {
    const { side, passive, since } = fire;
    const found = this.#breaks.find(t, side, since);
    if (found === null) return;
    const wall = this.#walls.next(passive, side > 0 ? this.#market.ask : this.#market.bid);
    const intent = this.#intent(side, found.drive, found.what, wall);
    if (intent !== null) this.#start(t, fire, found, intent, wall);
  }

  /** Null where there is no opposite touch to enter at. */
  #intent(side: number, drive: Drive, what: Eaten, wall: Wall | null): Intent | null {
    const { bid, ask, track } = this.#market;
    const { stop, ticks } = this.#options;
    if (!(bid < ask)) return null;
    const back = side * ticks * track.book.tick;
    const entry = side > 0 ? ask : bid;
    const stopLevel = sweepPoint(what) - back;
    const stopOrigin = drive.firstPrice - back;
    const target = wall === null ? Number.NaN : wall.price;
    return {
      side,
      entry,
      stop: stop === 'level' ? stopLevel : stopOrigin,
      stopLevel,
      stopOrigin,
      target,
      spread: ask - bid,
      touch: track.book.sizeAt(side > 0 ? ASK : BID, entry),
    };
  }

  #start(t: number, fire: Fire, { drive, past, what, gate }: Break, intent: Intent, wall: Wall | null): void {
    const { life, passive } = fire;
    const market = this.#market;
    const twice = market.bid + market.ask;
    const score = drive.volume / gate;
    fire.since = t;
    if (life.step(t, score, true, false) !== Step.onset) return;
    const voidAhead = thinRun(this.#profile, passive, THIN) !== null;
    const risk = Math.abs(intent.entry - intent.stop);
    fire.onsetT = t;
    fire.bookAt = market.track.bookAt;
    fire.intent = intent;
    fire.floor = intent.stopLevel;
    fire.from = twice;
    fire.best = 0;
    fire.failed = false;
    fire.arrived = false;
    fire.score = score;
    fire.evidence = {
      barrier: !Number.isNaN(what.barrier),
      exhausted: what.exhausted,
      exhausted_size: market.size(what.displayed),
      fell: rounded(what.fell),
      consumed_ratio: rounded(what.consumed),
      groups: drive.groups,
      size: market.size(drive.volume),
      size_gate: market.size(gate),
      opposite_size: market.size(drive.against),
      origin: market.price(drive.firstPrice),
      moved_bps: rounded(((fire.side * (twice - past.bid - past.ask)) / (past.bid + past.ask)) * 1e4),
      best_bps: 0,
      room: voidAhead || Math.abs(intent.target - intent.entry) >= ROOM * risk,
      void_ahead: voidAhead,
      wall_size: wall === null ? null : market.size(wall.size),
      window_ms: this.#options.window / 1000,
    };
    this.#voice.onset(t, drive.firstT, this.#facts(fire, intent), () => this.#facts(fire, intent));
  }

  /** An event goes on: has it failed, arrived, or had its time? */
  #follow(t: number, fire: Fire): void {
    const { side, intent, floor, onsetT } = fire;
    const { bid, ask } = this.#market;
    if (intent === null) return;
    const twice = bid + ask;
    fire.best = Math.max(fire.best, side * (twice - fire.from) || 0);
    const out = side > 0 ? bid : ask;
    if (fire.failed || side * (twice - 2 * floor) < 0) this.#end(t, fire, intent, 'invalidated');
    else if (fire.arrived || (isBetter(intent) && side * (out - intent.target) >= 0))
      this.#end(t, fire, intent, 'target');
    else if (t - onsetT >= this.#options.age) this.#end(t, fire, intent, 'age');
  }

  #end(t: number, fire: Fire, intent: Intent, reason: EndReason): void {
    fire.life.end(t);
    fire.since = t;
    this.#voice.end(t, fire.side, reason, this.#facts(fire, intent));
  }

  #facts({ side, floor, best, from, evidence, score }: Fire, intent: Intent) {
    const { ticks } = this.#options;
    const point = floor + side * ticks * this.#market.track.book.tick;
    const facts = { side, price: this.#market.price(point), score, intent };
    return { ...facts, evidence: { ...evidence, best_bps: rounded((best / from) * 1e4) } };
  }

  reset(): void {
    for (const fire of this.#fires) {
      fire.life.reset();
      fire.since = Number.NEGATIVE_INFINITY;
    }
  }
}

/** Whether there was anything to gain: who enters at the wall has arrived before he began. */
function isBetter({ side, entry, target }: Intent): boolean {
  return side * (target - entry) > 0;
}

function createFire(side: number): Fire {
  return {
    ...{ side, passive: side > 0 ? ASK : BID, life: new Lifecycle({ armFor: 0, disarmFor: 0 }) },
    ...{
      since: Number.NEGATIVE_INFINITY,
      onsetT: 0,
      bookAt: 0,
      intent: null,
      floor: Number.NaN,
      from: Number.NaN,
      best: 0,
    },
    ...{ evidence: {}, score: 0, failed: false, arrived: false },
  };
}
