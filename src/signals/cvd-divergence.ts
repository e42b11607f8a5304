/** cvd-divergence: price and cumulative delta part, by their slopes or at turning points. Unvalidated as a forecast. */

import { type Kyle, kyleOf } from '../market/kyle.js';
import { type Market, Wake } from '../market/market.js';
import { type PivotPair, type Pivots, pivotsOf } from '../market/pivots.js';
import { type Seconds, secondsOf } from '../market/seconds.js';
import { type Slopes, slopesOf } from '../market/slopes.js';
import { GRID } from '../market/statistic.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { Evidence } from '../model/signal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** A running event goes on while what moves has this share of its threshold, */
const KEEP = 0.7;
/** and what has to be flat exceeds its own by no more than this. */
const SLACK = 0.5;
/** A high is higher than the one before by at least so much of a minute's standard deviation, and so many ticks. */
const LEAST_SIGMA = 0.5;
const LEAST_TICKS = 2;

const parameters = {
  form: { type: 'choice', default: 'both', choices: ['both', 'slope', 'pivot'], doc: 'what is looked for' },
  window: { type: 'duration', default: '30s', min: '2s', max: '10m', doc: 'window of the slopes, in whole seconds' },
  on: { type: 'number', default: 2, min: 0.1, max: 100, doc: 'z of the slope that moves' },
  flat: { type: 'number', default: 0.5, min: 0, max: 100, doc: 'z the other slope has at most' },
  hold: {
    type: 'duration',
    default: '5s',
    min: '0s',
    max: '1m',
    doc: 'it must be so this long, or be over this long',
  },
  retrace: {
    type: 'number',
    default: 0.75,
    min: 0,
    max: 100,
    doc: "standard deviations of a minute's move that make a turn",
  },
  opposed: {
    type: 'number',
    default: 1,
    min: 0,
    max: 100,
    doc: 'usual distances that delta went against price (pivot)',
  },
} as const satisfies Parameters;

export default defineDetector({
  name: 'cvd-divergence',
  summary: 'Price and cumulative delta part (unvalidated)',
  doc: `UNVALIDATED: no study we know of supports it as a forecast; it says what happened. Side is that of the reading it is named for: a rise
that buying does not explain, or buying that lifts nothing, is sell. Two kinds. exhaustion: price moves and delta does not
take part; absorption: delta moves and price stays. Two forms find them.
slope: least-squares slopes of mid and cumulative delta over the window, on whole seconds, as robust z against the slopes of the
baseline (0.6745 times the distance from their median over the median distance from it, so a drift that is always there does not count).
exhaustion: price at least "on", delta at most "flat" the same way, or against it; absorption: delta at least "on", price within "flat"
of its median; for "hold".
The baseline has to be several windows long.
pivot (exhaustion only): of the last two confirmed highs of the mid the newer is higher, by half a standard deviation of a minute's move and two
ticks, while cumulative delta between them fell at least "opposed" times its usual distance from its median, of windows, scaled to that time
by the square root; lows in mirror. A high is confirmed once the mid came back from it by "retrace" standard deviations and
three usual spreads; it is looked for within as many minutes as the baseline has. It says so at the confirmation, not at the high.
One venue's delta is not the market's: price may be made elsewhere. One large print may be all of it.`,
  needs: ['book', 'trades'],
  parameters,
  meaning: {
    side: 'against the rise of price (exhaustion) or of cumulative delta (absorption); of a fall, buy',
    price: 'slope: the mid; pivot: the newer of the two turning points',
    score: 'slope: z of what moves less z of what does not; pivot: usual distances that delta went against price',
    ends: {
      faded: 'slope: they agree again; pivot: the last two turning points do not part, or are forgotten; for "hold"',
      invalidated: 'pivot: the mid went beyond the newer turning point',
    },
    evidence: {
      kind: { type: 'text', choices: ['exhaustion', 'absorption'], doc: 'what moved without the other' },
      form: { type: 'text', choices: ['slope', 'pivot'], doc: 'how it was found' },
      price_z: { type: 'ratio', optional: true, doc: "slope: robust z of the mid's slope, positive when it rises" },
      cvd_z: { type: 'ratio', optional: true, doc: 'slope: robust z of the slope of cumulative delta' },
      older_price: { type: 'price', optional: true, doc: 'pivot: the older turning point' },
      retrace_bps: { type: 'bps', optional: true, doc: 'pivot: how far the mid had to come back from a turning point' },
      usual: {
        type: 'size',
        optional: true,
        doc: 'pivot: usual distance of a change of cumulative delta from its median, over span_ms',
      },
      move_bps: { type: 'bps', doc: 'move of the mid over the window, or between the turning points' },
      cvd_change: { type: 'size', doc: 'change of cumulative delta over the same time' },
      span_ms: { type: 'ms', doc: 'that time: the window, or from one turning point to the other' },
      residual_bps: {
        type: 'bps',
        nullable: true,
        doc: "move_bps less what Kyle's lambda makes of cvd_change; lambda is that of the seconds before the last window",
      },
      lambda_r2: {
        type: 'ratio',
        nullable: true,
        doc: "share of the variance of the mid's moves that lambda explains",
      },
    },
  },
  // the baseline's minutes hold all windows; this is for what holds before the first of them
  lookback: ({ window }) => window,
  create(options, market, voice): DetectorRun {
    return new CvdDivergence(options, market, voice);
  },
});

type DivergenceOptions = Values<typeof parameters>;

/** One way to part, of a rise (`up` +1) or of a fall. */
interface Story {
  readonly up: number;
  readonly kind: 'exhaustion' | 'absorption';
  readonly form: 'slope' | 'pivot';
  readonly life: Lifecycle;
  /** pivot: when the newer turning point of the running event was, and its score */
  turn: number;
  score: number;
}

class CvdDivergence implements DetectorRun {
  readonly wake = Wake.beat;
  readonly #options: DivergenceOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #seconds: Seconds;
  readonly #slopes: Slopes;
  readonly #pivots: Pivots;
  readonly #kyle: Kyle;
  readonly #stories: Story[] = [];
  /** the second at which all was known and nothing ran or began: until the next one nothing can */
  #calmAt: Micros = Number.NaN;

  constructor(options: DivergenceOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    this.#seconds = secondsOf(market);
    this.#slopes = slopesOf(market, options.window);
    this.#pivots = pivotsOf(market, options.retrace);
    this.#kyle = kyleOf(market, this.#slopes.span);
    const { form, hold } = options;
    for (const up of [1, -1]) {
      if (form !== 'pivot')
        this.#stories.push(createStory(up, 'exhaustion', 'slope', hold), createStory(up, 'absorption', 'slope', hold));
      if (form !== 'slope') this.#stories.push(createStory(up, 'exhaustion', 'pivot', hold));
    }
  }

  evaluate(t: number): void {
    const { last } = this.#seconds;
    if (last === this.#calmAt) return;
    let isCalm = this.#isKnown();
    for (let n = 0; n < this.#stories.length; n++) {
      const story = this.#stories[n];
      if (story.form === 'pivot') this.#turn(t, story);
      else this.#lean(t, story);
      isCalm &&= story.life.idle;
    }
    this.#calmAt = isCalm ? last : Number.NaN;
  }

  /** What is not warm yet may be so before the next second. */
  #isKnown(): boolean {
    const { priceZ, flowZ } = this.#slopes;
    return !Number.isNaN(priceZ + flowZ + this.#pivots.retrace);
  }

  /** The slope form: does one lead while the other stays? */
  #lean(t: number, story: Story): void {
    const { up, kind, life } = story;
    const { on, flat } = this.#options;
    const { priceZ, flowZ } = this.#slopes;
    const lead = up * (kind === 'exhaustion' ? priceZ : flowZ);
    // with exhaustion, delta against price is all the more one; with absorption, price must not move at all
    const other = kind === 'exhaustion' ? up * flowZ : Math.abs(priceZ);
    const holds = lead >= on && other <= flat;
    if (!holds && life.idle) return;
    const keeps = lead >= KEEP * on && other <= flat + SLACK;
    const score = lead - other;
    const step = life.step(t, score, holds, !keeps);
    if (step === Step.none) return;
    // what is not known any more leaves the last facts standing
    if (Number.isNaN(score)) this.#voice.end(t, -up, 'faded', undefined, keyOf(story));
    else this.#tell(step, t, story, score, this.#slopeFacts());
  }

  /** The pivot form: do the last two turning points part? As long as they are the last two, they do so as at the onset. */
  #turn(t: number, story: Story): void {
    const { up, life } = story;
    const { opposed } = this.#options;
    const pair = up > 0 ? this.#pivots.highs : this.#pivots.lows;
    const isPassed = pair?.passed === true;
    const turn = pair === null || isPassed ? Number.NaN : this.#seconds.timeOf(pair.newer.n);
    const isSame = life.active && turn === story.turn;
    const score = isSame ? story.score : pair === null || isPassed ? Number.NaN : this.#opposition(pair, up);
    const holds = score >= opposed;
    if (!holds && life.idle) return;
    if (life.active && isPassed) {
      life.end(t);
      this.#voice.end(t, -up, 'invalidated', undefined, keyOf(story));
      return;
    }
    const step = life.step(t, score, holds, !holds);
    if (holds) {
      story.turn = turn;
      story.score = score;
    }
    if (step === Step.none) return;
    if (pair === null || !holds) this.#voice.end(t, -up, 'faded', undefined, keyOf(story));
    else this.#tell(step, t, story, score, this.#pivotFacts(pair));
  }

  /** How far delta went against price between two turning points that part in price, in usual distances; NaN where unknown. */
  #opposition({ older, newer }: PivotPair, up: number): number {
    // values are twice the mid
    const least = Math.max(LEAST_SIGMA * this.#pivots.sigma, 2 * LEAST_TICKS * this.#market.track.book.tick);
    if (!(up * (newer.mid - older.mid) >= least)) return Number.NaN;
    const delta = this.#seconds.level(newer.n) - this.#seconds.level(older.n);
    return -up * this.#slopes.deltaDistance(delta, (newer.n - older.n) * GRID);
  }

  #tell(step: number, t: number, story: Story, score: number, { price, from, evidence }: Parts): void {
    const { up, kind, form } = story;
    const facts = { side: -up, key: keyOf(story), price, score, evidence: { kind, form, ...evidence } };
    this.#voice.tell(step, t, from, facts, 'faded');
  }

  #slopeFacts(): Parts {
    const { next } = this.#seconds;
    const { priceZ, flowZ, span } = this.#slopes;
    const start = next - 1 - span / GRID;
    return {
      price: this.#market.midPrice(),
      from: this.#seconds.timeOf(start),
      evidence: { price_z: rounded(priceZ), cvd_z: rounded(flowZ), ...this.#moved(start, next - 1) },
    };
  }

  #pivotFacts({ older, newer }: PivotPair): Parts {
    const usual = this.#slopes.usualDistance((newer.n - older.n) * GRID);
    return {
      price: this.#price(newer.mid),
      from: this.#seconds.timeOf(older.n),
      evidence: {
        older_price: this.#price(older.mid),
        retrace_bps: rounded((this.#pivots.retrace / newer.mid) * 1e4),
        usual: this.#market.size(Math.round(usual)),
        ...this.#moved(older.n, newer.n),
      },
    };
  }

  /** What price and delta did from one second to another, and what one leaves of the other. */
  #moved(from: number, to: number): Evidence {
    const seconds = this.#seconds;
    const begin = seconds.mid(from);
    const move = seconds.mid(to) - begin;
    const delta = seconds.level(to) - seconds.level(from);
    const { lambda, r2 } = this.#kyle;
    const residual = ((move - 2 * lambda * delta) / begin) * 1e4;
    return {
      move_bps: rounded((move / begin) * 1e4),
      cvd_change: this.#market.size(delta),
      span_ms: ((to - from) * GRID) / 1000,
      residual_bps: Number.isNaN(residual) ? null : rounded(residual),
      lambda_r2: Number.isNaN(r2) ? null : rounded(r2),
    };
  }

  /** A decimal of twice the mid. */
  #price(twice: number): number {
    return twice / (2 * 10 ** this.#market.track.scale.price);
  }

  reset(): void {
    for (const story of this.#stories) story.life.reset();
  }
}

/** What a form knows of an event. */
interface Parts {
  price: number | null;
  /** `t` of the second its measures begin with */
  from: number;
  evidence: Evidence;
}

function createStory(up: number, kind: Story['kind'], form: Story['form'], hold: number): Story {
  // a turning point is confirmed already: nothing to wait for
  const life = new Lifecycle({ armFor: form === 'pivot' ? 0 : hold, disarmFor: hold });
  return { up, kind, form, life, turn: Number.NaN, score: Number.NaN };
}

function keyOf({ kind, form }: Story): string {
  return `${form} ${kind}`;
}
