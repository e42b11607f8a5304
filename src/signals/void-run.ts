/** void-run: a setup on price that enters a void, on its way to the wall behind it, as the article has it. */
import { ASK, BID, type BookSide } from '../market/book.js';
import { type DepthProfile, depthProfile } from '../market/depth-profile.js';
import type { Group } from '../market/groups.js';
import { BEAT, type Market, Wake } from '../market/market.js';
import { type VoidAhead, VoidsAhead } from '../market/void-ahead.js';
import { OLDEST_WALL, type Walls, walls } from '../market/walls.js';
import { rounded } from '../model/decimal.js';
import type { EndReason, Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Intent } from './plan.js';
import type { Voice } from './voice.js';

/** The book is walked on the first beat of each of these stretches of data time. */
const LOOK_EVERY = 2 * BEAT;
/** A wall of which less than this share is left was pulled. */
const WALL_LEFT = 0.5;

const parameters = {
  ticks: { type: 'integer', default: 5, min: 1, max: 100_000, doc: 'a gap is at least this many ticks wide' },
  quantile: { type: 'number', default: 0.99, min: 0, max: 1, doc: 'usual quantile that a gap must exceed' },
  thin: { type: 'number', default: 0.2, min: 0, max: 0.5, doc: 'a bucket is thin at this share of its usual size' },
  run: { type: 'integer', default: 3, min: 1, max: 20, doc: 'thin buckets in a row' },
  near: {
    type: 'integer',
    default: 3,
    min: 1,
    max: 20,
    doc: 'buckets next to the touch among which a thin run begins',
  },
  hold: { type: 'duration', default: '300ms', min: '0s', max: '10s', doc: 'how long the void must have stood' },
  cleared: {
    type: 'number',
    default: 0.8,
    min: 0.01,
    max: 1000,
    doc: 'one taker order enters a gap when it is at least this share of what stood at the touch before it',
  },
  share: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    doc: 'the void is at least this share of the way from its near edge to the wall',
  },
  wall: { type: 'duration', default: '5s', min: '0s', max: '1m', doc: 'the wall behind it is at least this old' },
  age: { type: 'duration', default: '30s', min: '1s', max: '10m', doc: 'it lasts no longer than this' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'void-run',
  summary: 'Setup: run through a void to the wall behind it',
  doc: `Technique 3 of the article. A void stands ahead of the touch for "hold", of the kinds gap and thin that the detector "void" knows, and
a wall stands behind it, so near that the void is the share "share" of the way there. An event begins when price enters it: a trade of that direction, or the touch that follows (of buys the best bid), is beyond its near edge, or of a gap one taker
order is as large as the share "cleared" of what stood at the touch. The plan goes into the void: entry at the opposite touch as it is then,
target a tick before the heaviest level of the wall, stop a tick before the near edge. It ends "reached_wall" (a trade or the touch reached the target), "stop",
"wall_pulled" (less than half of the wall's size is left, and price did not get there) or "age". Of a gap there is nothing to buy
between its edges: when the touch is gone already, the entry stands behind the target, and the plan's warning says so. That walls
draw price is a claim, not a fact; evidence.travelled and evidence.elapsed_ms tell what became of it.`,
  needs: ['book', 'trades'],
  confirms: true,
  parameters,
  meaning: {
    side: 'the way price runs: buy into missing asks',
    price: 'the near edge',
    score: 'how far it is from the near edge to the target, in buckets of about a basis point, a power of two of ticks',
    ends: {
      reached_wall: 'a trade that way, or the touch that follows, reached the target',
      stop: 'a trade, or the touch that the plan enters at (of buys the best ask), reached the stop',
      wall_pulled: 'less than half of the wall is left, as looked at each tenth of a second',
      age: 'it lasted as long as it may',
    },
    evidence: {
      kind: { type: 'text', choices: ['gap', 'thin'], doc: 'which kind of void' },
      passive: { type: 'text', choices: ['bid', 'ask'], doc: 'the side of the book that is thin' },
      near: { type: 'price', doc: 'where the void begins' },
      far: { type: 'price', doc: 'the first price behind it' },
      width_ticks: { type: 'ticks', doc: 'from near to far' },
      stood_ms: { type: 'ms', doc: 'how long it had stood' },
      inside: {
        type: 'size',
        nullable: true,
        doc: 'what stood from the touch to the far edge when it was last looked at',
      },
      wall_price: { type: 'price', doc: 'the heaviest level of the wall' },
      wall_size: { type: 'size', doc: 'displayed in the wall at the onset' },
      wall_age_ms: { type: 'ms', doc: 'how long it had stood, up to a minute' },
      wall_left: { type: 'ratio', doc: 'share of that size that is displayed now' },
      travelled: {
        type: 'ratio',
        doc: 'the share of the way from near edge to target that trades or the touch have gone at best',
      },
      elapsed_ms: { type: 'ms', doc: 'since the onset' },
    },
  },
  lookback: () => OLDEST_WALL,
  create(options, market, voice): DetectorRun {
    return new VoidRun(options, market, voice);
  },
});

/** One direction. Prices and sizes are scaled. */
interface Race {
  /** +1: into missing asks */
  readonly side: number;
  readonly passive: BookSide;
  readonly life: Lifecycle;
  /** the largest taker order of the side that was completed since detectors last looked, its first print and its last price */
  largest: number;
  largestT: number;
  largestPrice: number;
  /** the farthest print of the side since then, and of all prints the one that came back farthest */
  farthest: number;
  nearest: number;
  /** the void that was entered */
  void: VoidAhead;
  intent: Intent | null;
  wallPrice: number;
  wallLow: number;
  wallHigh: number;
  wallSize: number;
  wallAge: number;
  onsetT: number;
  /** exchange time of the book at the onset */
  bookAt: number;
  /** width of a bucket at the onset */
  bucket: number;
  /** the best price towards the target so far */
  best: number;
}

class VoidRun implements DetectorRun {
  readonly wake = Wake.trade | Wake.group | Wake.book | Wake.beat;
  readonly #options: Values<typeof parameters>;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #voids: VoidsAhead;
  readonly #profile: DepthProfile;
  readonly #walls: Walls;
  readonly #races: readonly [Race, Race];
  #due = Number.NEGATIVE_INFINITY;

  constructor(options: Values<typeof parameters>, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#voids = new VoidsAhead(market, options);
    this.#profile = depthProfile(market);
    this.#walls = walls(market);
    this.#races = [createRace(1), createRace(-1)];
    market.follow({
      trade: (_t, side, price) => this.#print(side, price),
      group: (group) => this.#group(this.#races[group.side > 0 ? 0 : 1], group),
    });
  }

  #print(side: number, price: number): void {
    for (const race of this.#races) {
      // what was made before the event began says nothing of it
      if (race.life.active && !this.#market.isAfter(race.bookAt, race.onsetT)) continue;
      if (side === race.side && !(side * (price - race.farthest) <= 0)) race.farthest = price;
      if (!(race.side * (price - race.nearest) >= 0)) race.nearest = price;
    }
  }

  #group(race: Race, { volume, firstT, lastPrice }: Group): void {
    if (volume <= race.largest) return;
    race.largest = volume;
    race.largestT = firstT;
    race.largestPrice = lastPrice;
  }

  evaluate(t: number, why: number): void {
    for (const race of this.#races) {
      if (race.life.active) this.#follow(t, why, race);
      else this.#seek(t, race);
      race.largest = 0;
      race.farthest = Number.NaN;
      race.nearest = Number.NaN;
    }
    if (t < this.#due) return;
    this.#due = (Math.floor(t / LOOK_EVERY) + 1) * LOOK_EVERY;
    // behind what used the last look: whoever moves the touch into a void is noticed before the void is looked for in front of it
    this.#voids.look(t);
  }

  #seek(t: number, race: Race): void {
    const ahead = this.#voids.of(t, race.passive);
    if (ahead === null || !this.#isEntered(race, ahead)) return;
    const { side, passive } = race;
    const { bid, ask, track } = this.#market;
    const { tick } = track.book;
    const wall = bid < ask ? this.#walls.next(passive, ahead.far, this.#options.wall) : null;
    // one void, one event
    const entered = { ...ahead };
    this.#voids.forget(passive);
    if (wall === null) return;
    const target = wall.price - side * tick;
    if (side * (entered.far - entered.near) < this.#options.share * side * (wall.price - entered.near)) return;
    const stop = entered.near - side * tick;
    const entry = side > 0 ? ask : bid;
    // the touch may be back in front of the void, or the wall at its near edge
    if (!(side * (target - entered.near) > 0 && side * (entry - stop) > 0)) return;
    race.void = entered;
    const touch = track.book.sizeAt(passive, entry);
    race.intent = { side, entry, stop, stopLevel: stop, stopOrigin: Number.NaN, target, spread: ask - bid, touch };
    race.wallPrice = wall.price;
    race.wallLow = wall.low;
    race.wallHigh = wall.high;
    race.wallSize = wall.size;
    race.wallAge = wall.age;
    race.onsetT = t;
    race.bookAt = track.bookAt;
    race.bucket = this.#profile.width;
    race.best = entered.near;
    this.#advance(race);
    if (race.life.step(t, this.#score(race), true, false) !== Step.onset) return;
    const first = Math.min(entered.since, race.largest > 0 ? race.largestT : t);
    const { intent } = race;
    this.#voice.onset(t, first, this.#facts(t, race, intent), (now) => this.#facts(now, race, intent));
  }

  #isEntered({ side, farthest, largest, largestPrice }: Race, { kind, near, far, inside }: VoidAhead): boolean {
    const { bid, ask } = this.#market;
    const within = (price: number): boolean => side * (price - near) > 0 && side * (price - far) <= 0;
    if (within(farthest) || within(side > 0 ? bid : ask)) return true;
    if (kind !== 'gap' || !(largest > 0)) return false;
    // a better price than the near edge may have been offered meanwhile: who took that took nothing of the void
    return side * (largestPrice - near) >= 0 && largest >= this.#options.cleared * inside;
  }

  /** How far price has come: by prints, and by the touch that follows. */
  #advance(race: Race): void {
    const { side, farthest } = race;
    const follows = side > 0 ? this.#market.bid : this.#market.ask;
    for (const price of [farthest, follows]) if (side * (price - race.best) > 0) race.best = price;
  }

  #follow(t: number, why: number, race: Race): void {
    const { side, intent, onsetT, nearest } = race;
    if (intent === null) return;
    this.#advance(race);
    const { bid, ask } = this.#market;
    const out = side > 0 ? ask : bid;
    // where both come in one message, the worse counts
    if (side * (nearest - intent.stop) <= 0 || side * (out - intent.stop) <= 0) this.#end(t, race, intent, 'stop');
    else if (side * (race.best - intent.target) >= 0) this.#end(t, race, intent, 'reached_wall');
    else if ((why & Wake.beat) !== 0 && this.#left(race) < WALL_LEFT) this.#end(t, race, intent, 'wall_pulled');
    else if (t - onsetT >= this.#options.age) this.#end(t, race, intent, 'age');
  }

  /** Share of the wall that still stands; NaN while the book is not known. */
  #left({ passive, wallLow, wallHigh, wallSize }: Race): number {
    return this.#market.track.book.volumeBetween(passive, wallLow, wallHigh) / wallSize;
  }

  #end(t: number, race: Race, intent: Intent, reason: EndReason): void {
    race.life.end(t);
    this.#voice.end(t, race.side, reason, this.#facts(t, race, intent));
  }

  #score({ void: { near }, intent, bucket }: Race): number {
    return intent === null ? 0 : Math.abs(intent.target - near) / bucket;
  }

  #facts(t: number, race: Race, intent: Intent) {
    const market = this.#market;
    const { side, passive, onsetT, best } = race;
    const { kind, near, far, since, inside } = race.void;
    const evidence: Evidence = {
      kind,
      passive: passive === ASK ? 'ask' : 'bid',
      near: market.price(near),
      far: market.price(far),
      width_ticks: rounded(Math.abs(far - near) / market.track.book.tick),
      stood_ms: rounded((onsetT - since) / 1000),
      inside: Number.isNaN(inside) ? null : market.size(Math.round(inside)),
      wall_price: market.price(race.wallPrice),
      wall_size: market.size(race.wallSize),
      wall_age_ms: rounded(race.wallAge / 1000),
      wall_left: rounded(this.#left(race)),
      travelled: rounded(Math.min(1, (best - near) / (intent.target - near))),
      elapsed_ms: (t - onsetT) / 1000,
    };
    return { side, price: market.price(near), score: this.#score(race), evidence, intent };
  }

  reset(): void {
    for (const { life, passive } of this.#races) {
      life.reset();
      // how long a void has stood is counted from the unit's beginning
      this.#voids.forget(passive);
    }
  }
}

function createRace(side: number): Race {
  const unknown = Number.NaN;
  return {
    ...{ side, passive: side > 0 ? ASK : BID, life: new Lifecycle({ armFor: 0, disarmFor: 0 }) },
    ...{ largest: 0, largestT: 0, largestPrice: unknown, farthest: unknown, nearest: unknown },
    void: { kind: 'gap', near: unknown, far: unknown, since: unknown, inside: unknown },
    ...{ intent: null, wallPrice: unknown, wallLow: unknown, wallHigh: unknown, wallSize: unknown, wallAge: unknown },
    ...{ onsetT: 0, bookAt: 0, bucket: unknown, best: unknown },
  };
}
