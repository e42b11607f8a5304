/** void: next to nothing is displayed just beyond the touch, so that a small order would move the price far. */

import { ASK, BID, type BookSide } from '../market/book.js';
import { BUCKETS, type DepthProfile, depthProfile } from '../market/depth-profile.js';
import { BEAT, type Market, Wake } from '../market/market.js';
import { type Swept, SweptDepth } from '../market/swept-depth.js';
import { thinRun } from '../market/thin-run.js';
import { type TopGap, topGap } from '../market/top-gap.js';
import { OLDEST_WALL, type Walls, walls } from '../market/walls.js';
import { rounded } from '../model/decimal.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** A gap is filled once anything stands within this share of it, counted from its near edge. */
const GAP_LEFT = 0.7;
const HALF = 0.5;
/** The book is walked on the first beat of each of these stretches of data time. */
const LOOK_EVERY = 2 * BEAT;

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
    doc: 'buckets next to the touch among which a thin run begins, and which a sweep takes from',
  },
  hold: { type: 'duration', default: '300ms', min: '0s', max: '10s', doc: 'how long a gap or a thin run must last' },
  swept: {
    type: 'number',
    default: 0.5,
    min: 0.01,
    max: 1000,
    doc: 'share of what stood near the touch that one order took (post-sweep)',
  },
  settle: {
    type: 'duration',
    default: '200ms',
    min: '0s',
    max: '10s',
    doc: 'how long after it the rest is looked at (post-sweep)',
  },
  left: { type: 'number', default: 0.3, min: 0, max: 0.5, doc: 'no more than this share is left (post-sweep)' },
  refill: {
    type: 'number',
    default: 0.5,
    min: 0.5,
    max: 1,
    doc: 'share of the usual size (post-sweep: of the size before it) that counts as refilled',
  },
} as const satisfies Parameters;

export default defineDetector({
  name: 'void',
  summary: 'Next to nothing is displayed just beyond the touch',
  doc: `Three kinds, named in evidence.kind. gap: the next level beyond the touch is at least "ticks" away, and farther than the "quantile" of what
is usual. thin: in "run" or more buckets in a row (each about a basis point, a power of two of ticks), the first of them among the "near"
ones next to the touch, no more than the share "thin" of the usual size is displayed; what is usual is the median of each bucket's own
samples. Both must last for "hold". post-sweep: one taker order took at least the share "swept" of what was displayed in the "near" buckets,
and "settle" later no more than "left" of it stands in as many buckets from the order's last price on, whether the touch is in front of them
by then or behind. Side is where price would run: thin asks are a void to buy into. A void keeps the prices it had at its onset; it ends
"refilled", "broken" (the touch passed it) or "faded" (the touch left it behind), and these two tell what stood when it was last looked at.
The wall is the next one behind it, at least five seconds old. other_side_ratio tells whether the other side withdrew as well: then it is
the market that is thin, not a side. Where no trades were recorded there is no post-sweep. Voids are looked at every fifth of a second, and
so are times known; what was displayed before an order is what it was when last looked at an update interval before. A void tells how far
price may move, not that it will.`,
  needs: ['book'],
  parameters,
  meaning: {
    side: 'where price would run: buy where asks are missing',
    price: 'the near edge',
    score:
      'how far beyond the threshold: of a gap, its width over the width asked for; else the share that is missing over the share that must be, of a thin run times its buckets over those asked for',
    ends: {
      refilled:
        '"refill" of the usual size (post-sweep: of the size before it; gap: any level near its edge) stands there again',
      broken: 'the touch reached the far edge: price went through (post-sweep: the touch of the other side did)',
      faded:
        'the touch went so far away that the void is beyond what is looked at, or another width of buckets suits the price',
    },
    evidence: {
      kind: { type: 'text', choices: ['gap', 'thin', 'post-sweep'], doc: 'which kind' },
      passive: { type: 'text', choices: ['bid', 'ask'], doc: 'the side of the book that is thin' },
      near: {
        type: 'price',
        doc: 'where it begins: the touch, or the first price of the thin run; post-sweep: the last price of the order, or behind it where nothing stands there',
      },
      far: { type: 'price', doc: 'the first price behind it' },
      width_ticks: { type: 'ticks', doc: 'from near to far' },
      width_bps: { type: 'bps', doc: 'the same, of the near edge' },
      gap_ticks: { type: 'ticks', optional: true, doc: 'gap: the width that it had to exceed or reach' },
      swept: { type: 'size', optional: true, doc: 'post-sweep: what the order traded' },
      depth: {
        type: 'size',
        nullable: true,
        doc: 'displayed from near to far, ahead of the touch; post-sweep: all of it',
      },
      usual: {
        type: 'size',
        nullable: true,
        doc: 'usually displayed that far from the touch, of buckets in part that part; post-sweep: displayed before it',
      },
      void_ratio: { type: 'ratio', nullable: true, doc: 'depth over usual' },
      other_depth: {
        type: 'size',
        nullable: true,
        doc: 'displayed as far from the touch on the other side; post-sweep: in its near buckets',
      },
      other_side_ratio: { type: 'ratio', nullable: true, doc: 'that over its own usual size' },
      wall_price: { type: 'price', nullable: true, doc: 'the heaviest level of the next wall behind the far edge' },
      wall_size: { type: 'size', nullable: true, doc: 'displayed in that wall, which is a bucket wide' },
      wall_age_ms: { type: 'ms', nullable: true, doc: 'how long it has stood, up to a minute' },
      half_life_ms: {
        type: 'ms',
        nullable: true,
        doc: 'from the beginning until half of the usual size stood there; null before, and of a gap',
      },
      refill_ms: { type: 'ms', nullable: true, doc: 'from the beginning until it was refilled; null before' },
    },
  },
  lookback: () => OLDEST_WALL,
  create(options, market, voice): DetectorRun {
    return new Void(options, market, voice);
  },
});

type VoidOptions = Values<typeof parameters>;

type Kind = 'gap' | 'thin' | 'post-sweep';

/** What is known of one kind of void on one side. Prices and sizes are scaled. */
interface Hole {
  readonly kind: Kind;
  readonly passive: BookSide;
  /** +1: asks are missing */
  readonly side: number;
  readonly life: Lifecycle;
  /** edges, as last seen before the onset */
  near: number;
  far: number;
  /** since when it is there, and the oldest entry it rests on */
  since: number;
  first: number;
  /** width of a bucket at the onset */
  bucket: number;
  /** gap: the width it had to exceed */
  least: number;
  /** post-sweep: what was traded, and what stood near the touch before, here and on the other side */
  swept: number;
  before: number;
  otherBefore: number;
  // as last measured
  depth: number;
  usual: number;
  other: number;
  otherUsual: number;
  /** when half of it was displayed again, and since when it counts as refilled; NaN: not yet */
  halfAt: number;
  refilledAt: number;
}

class Void implements DetectorRun {
  readonly wake = Wake.beat;
  readonly #options: VoidOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #profile: DepthProfile;
  readonly #walls: Walls;
  readonly #gap: TopGap;
  readonly #swept: SweptDepth;
  readonly #holes: readonly Hole[];
  /** nothing is looked at before this time */
  #due = Number.NEGATIVE_INFINITY;

  constructor(options: VoidOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#profile = depthProfile(market);
    this.#walls = walls(market);
    this.#gap = topGap(market);
    this.#swept = new SweptDepth(market, this.#profile, options.near, options.swept);
    const kinds: readonly Kind[] = ['gap', 'thin', 'post-sweep'];
    this.#holes = [ASK, BID].flatMap((passive) => kinds.map((kind) => createHole(kind, passive, options.hold)));
  }

  evaluate(t: number): void {
    if (t < this.#due) return;
    this.#due = (Math.floor(t / LOOK_EVERY) + 1) * LOOK_EVERY;
    this.#swept.look(t);
    for (let n = 0; n < this.#holes.length; n++) {
      const hole = this.#holes[n];
      // groups are taken in any case: one that came while a void was open is part of it
      const swept = hole.kind === 'post-sweep' ? this.#swept.take(t, hole.passive, this.#options.settle) : null;
      if (hole.life.active) this.#follow(t, hole);
      else if (hole.kind === 'gap') this.#seekGap(t, hole);
      else if (hole.kind === 'thin') this.#seekThin(t, hole);
      else for (const one of swept ?? []) if (!hole.life.active) this.#seekSwept(t, hole, one);
    }
  }

  #touch({ passive }: Hole): number {
    return passive === ASK ? this.#market.ask : this.#market.bid;
  }

  #seekGap(t: number, hole: Hole): void {
    const { ticks, quantile } = this.#options;
    const wide = this.#gap.unusual(hole.passive, ticks, quantile);
    if (wide === null) {
      this.#miss(t, hole);
      return;
    }
    hole.least = wide.least;
    const touch = this.#touch(hole);
    this.#see(t, hole, touch, touch + hole.side * wide.gap);
    this.#step(t, hole);
  }

  #seekThin(t: number, hole: Hole): void {
    const { passive } = hole;
    const profile = this.#profile;
    const run = thinRun(profile, passive, this.#options);
    if (run === null) {
      this.#miss(t, hole);
      return;
    }
    this.#see(t, hole, profile.price(passive, run.first), profile.price(passive, run.end));
    this.#step(t, hole);
  }

  #seekSwept(t: number, hole: Hole, swept: Swept): void {
    const { left } = this.#options;
    const { book } = this.#market.track;
    // what is gone is no edge
    const near =
      book.sizeAt(hole.passive, swept.lastPrice) > 0 ? swept.lastPrice : swept.lastPrice + hole.side * book.tick;
    const far = near + hole.side * swept.reach;
    if (!(this.#standing(hole, near, far) <= left * swept.before)) {
      this.#miss(t, hole);
      return;
    }
    this.#see(t, hole, near, far);
    hole.since = swept.lastT;
    hole.first = swept.firstT;
    hole.swept = swept.volume;
    hole.before = swept.before;
    hole.otherBefore = swept.otherBefore;
    this.#step(t, hole);
  }

  /** There is no such void: what was waiting to be one is forgotten. */
  #miss(t: number, { life }: Hole): void {
    if (!life.idle) life.step(t, 0, false, false);
  }

  /** A void is seen between these edges; it is the one that was seen before where they overlap. */
  #see(t: number, hole: Hole, near: number, far: number): void {
    const { life, side } = hole;
    if (!life.idle && !((near - hole.far) * side < 0 && (far - hole.near) * side > 0)) life.step(t, 0, false, false);
    if (life.idle) {
      hole.since = t;
      hole.first = t;
    }
    hole.near = near;
    hole.far = far;
  }

  /** The condition for an onset holds. */
  #step(t: number, hole: Hole): void {
    this.#measure(hole);
    const score = this.#score(hole);
    if (hole.life.step(t, score, true, false) !== Step.onset) return;
    hole.bucket = this.#profile.width;
    hole.halfAt = Number.NaN;
    hole.refilledAt = Number.NaN;
    this.#voice.onset(t, hole.first, this.#facts(hole, score));
  }

  /** Displayed and usual sizes at the void's prices, and as far from the other side's touch. */
  #measure(hole: Hole): void {
    const { passive } = hole;
    const opposite = passive === ASK ? BID : ASK;
    if (hole.kind === 'post-sweep') {
      hole.depth = this.#standing(hole, hole.near, hole.far);
      hole.usual = hole.before;
      hole.other = this.#swept.now(opposite);
      hole.otherUsual = hole.otherBefore;
      return;
    }
    const profile = this.#profile;
    const touch = this.#touch(hole);
    const from = Math.max(0, (hole.near - touch) * hole.side);
    const to = (hole.far - touch) * hole.side;
    hole.depth = profile.between(passive, from, to);
    hole.usual = profile.usualBetween(passive, from, to);
    hole.other = profile.between(opposite, from, to);
    hole.otherUsual = profile.usualBetween(opposite, from, to);
  }

  #score(hole: Hole): number {
    const width = Math.abs(hole.far - hole.near);
    if (hole.kind === 'gap') return width / hole.least;
    const share = 1 - hole.depth / hole.usual;
    const missing = share > 0 ? share : 0; // not known, or there is more than usual
    if (hole.kind === 'post-sweep') return missing / (1 - this.#options.left);
    return ((missing / (1 - this.#options.thin)) * width) / (this.#options.run * this.#profile.width);
  }

  /** An event is open: is it passed, left behind or refilled? */
  #follow(t: number, hole: Hole): void {
    const { bid, ask } = this.#market;
    if (!(bid < ask)) return;
    const { side, life, kind, near, far } = hole;
    const touch = this.#touch(hole);
    // what a sweep took may lie in the spread: price has passed it when the other touch has
    const ahead = (far - (kind !== 'post-sweep' ? touch : side > 0 ? bid : ask)) * side;
    // a gap may be wider than all that is looked at
    const away = ((kind === 'gap' ? near : far) - touch) * side;
    const { width } = this.#profile;
    if (ahead <= 0 || away > BUCKETS * width || width !== hole.bucket) {
      life.end(t);
      hole.refilledAt = Number.NaN;
      this.#voice.end(t, side, ahead <= 0 ? 'broken' : 'faded', this.#facts(hole, this.#score(hole)));
      return;
    }
    this.#measure(hole);
    const { depth, usual } = hole;
    if (hole.kind !== 'gap' && Number.isNaN(hole.halfAt) && depth >= HALF * usual) hole.halfAt = t;
    const filled = hole.kind === 'gap' ? this.#isFilled(hole) : depth >= this.#options.refill * usual;
    if (!filled) hole.refilledAt = Number.NaN;
    else if (Number.isNaN(hole.refilledAt)) hole.refilledAt = t;
    const score = this.#score(hole);
    const step = life.step(t, score, false, filled);
    if (step !== Step.none) this.#voice.tell(step, t, hole.first, this.#facts(hole, score), 'refilled');
  }

  /** What a side displays from one price up to, not including, another; NaN where the book is not known that far. */
  #standing({ passive, side }: Hole, near: number, far: number): number {
    const { book, low, high } = this.#market.track;
    const last = far - side * book.tick;
    if (!(last >= low && last <= high)) return Number.NaN;
    return book.volumeBetween(passive, Math.min(near, last), Math.max(near, last));
  }

  /** Anything stands again in the nearer part of a gap. */
  #isFilled({ side, passive, near, far }: Hole): boolean {
    const { book } = this.#market.track;
    const { tick } = book;
    const inner = near + Math.floor((GAP_LEFT * (far - near) * side) / tick) * tick * side;
    return side > 0
      ? book.volumeBetween(passive, near + tick, inner) > 0
      : book.volumeBetween(passive, inner, near - tick) > 0;
  }

  #facts(hole: Hole, score: number) {
    const market = this.#market;
    const { kind, passive, side, near, far, since, depth, usual, other, otherUsual } = hole;
    const { tick } = market.track.book;
    const width = Math.abs(far - near);
    const evidence: Evidence = {
      kind,
      passive: passive === ASK ? 'ask' : 'bid',
      near: market.price(near),
      far: market.price(far),
      width_ticks: rounded(width / tick),
      width_bps: rounded((width / near) * 1e4),
    };
    if (kind === 'gap') evidence.gap_ticks = rounded(hole.least / tick);
    if (kind === 'post-sweep') evidence.swept = market.size(hole.swept);
    evidence.depth = sizeOf(market, depth);
    evidence.usual = sizeOf(market, usual);
    evidence.void_ratio = ratioOf(depth, usual);
    evidence.other_depth = sizeOf(market, other);
    evidence.other_side_ratio = ratioOf(other, otherUsual);
    const wall = this.#walls.next(passive, far);
    evidence.wall_price = wall === null ? null : market.price(wall.price);
    evidence.wall_size = wall === null ? null : market.size(wall.size);
    evidence.wall_age_ms = wall === null ? null : rounded(wall.age / 1000);
    evidence.half_life_ms = timeOf(hole.halfAt - since);
    // while the event goes on, what came back may still go again
    evidence.refill_ms = hole.life.active ? null : timeOf(hole.refilledAt - since);
    return { side, key: kind, price: market.price(near), score, evidence };
  }

  reset(): void {
    for (const { life } of this.#holes) life.reset();
  }

  lose(): void {
    this.#swept.forget();
  }
}

function createHole(kind: Kind, passive: BookSide, hold: number): Hole {
  const unknown = Number.NaN;
  return {
    kind,
    passive,
    side: passive === ASK ? 1 : -1,
    // what a sweep left was given its time already
    life: new Lifecycle({ armFor: kind === 'post-sweep' ? 0 : hold, disarmFor: hold }),
    ...{ near: unknown, far: unknown, since: unknown, first: unknown, bucket: unknown, least: unknown },
    ...{ swept: unknown, before: unknown, otherBefore: unknown },
    ...{ depth: unknown, usual: unknown, other: unknown, otherUsual: unknown },
    ...{ halfAt: unknown, refilledAt: unknown },
  };
}

/** Sizes of buckets in part are no whole numbers. */
function sizeOf(market: Market, scaled: number): number | null {
  return Number.isNaN(scaled) ? null : market.size(Math.round(scaled));
}

function ratioOf(size: number, usual: number): number | null {
  return usual > 0 && !Number.isNaN(size) ? rounded(size / usual) : null;
}

function timeOf(micros: number): number | null {
  return Number.isNaN(micros) ? null : rounded(micros / 1000);
}
