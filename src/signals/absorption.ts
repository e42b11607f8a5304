/** absorption: heavy one-sided aggression, little displacement, and passive supply seen to hold. */

import { ASK, BID, type BookSide } from '../market/book.js';
import type { FlowWindow } from '../market/flow.js';
import type { Ledger } from '../market/ledger.js';
import type { LedgerLevel } from '../market/ledger-level.js';
import { type Market, Wake } from '../market/market.js';
import { sideVolume } from '../market/side-volume.js';
import type { GridStatistic } from '../market/statistic.js';
import type { StepWindow } from '../market/steps.js';
import { rounded } from '../model/decimal.js';
import type { EndReason, Evidence } from '../model/signal.js';
import { AbsorptionReversal, reversalLookback } from './absorption-reversal.js';
import { type DetectorRun, defineDetector } from './detector.js';
import { Lifecycle, Step } from './lifecycle.js';
import type { Parameters, Values } from './parameters.js';
import type { Voice } from './voice.js';

/** Until the onset the rule may be missed by this factor: it is made of several thresholds that flicker apart. */
const SLACK = 0.7;

const parameters = {
  kind: { type: 'choice', default: 'composite', choices: ['composite', 'A', 'B', 'C', 'D'], doc: 'which definition' },
  window: {
    type: 'duration',
    default: '10s',
    min: '500ms',
    max: '1m',
    doc: 'window of volume and displacement, length of a bar (D)',
  },
  quantile: {
    type: 'number',
    default: 0.95,
    min: 0,
    max: 1,
    doc: 'usual quantile of one-sided volume (A and C: of volume at one level, D: in one cell)',
  },
  volume: { type: 'size', default: '0', doc: 'volume must exceed this size as well' },
  ticks: {
    type: 'integer',
    default: 2,
    min: 1,
    max: 10_000,
    doc: 'band in ticks: largest displacement (D: how far price comes back), and how far beyond a level price has passed it',
  },
  bps: {
    type: 'number',
    default: 1,
    min: 0,
    max: 100,
    doc: 'band of displacement in bps of the mid; the wider band counts',
  },
  zone: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 100,
    doc: 'a level (D: a bin) is at least this many bps wide, and at least a tick',
  },
  ratio: { type: 'number', default: 0.5, min: 0, max: 1000, doc: 'traded over largest displayed size (C)' },
  refill: { type: 'number', default: 0.5, min: 0, max: 1, doc: 'share of the traded volume that was refilled (C)' },
  hold: {
    type: 'duration',
    default: '1s',
    min: '0s',
    max: '1m',
    doc: 'the rule must hold this long before the onset',
  },
  fade: {
    type: 'number',
    default: 0.7,
    min: 0,
    max: 1,
    doc: 'aggression has faded below this share of the usual quantile',
  },
  settle: { type: 'duration', default: '3s', min: '0s', max: '1m', doc: 'faded and not passed this long: held' },
} as const satisfies Parameters;

export default defineDetector({
  name: 'absorption',
  summary: 'Heavy one-sided aggression that does not move the price',
  doc: `Five meanings are in use, and each signal names its own in evidence.kind. A: much volume at one price, on one side. B: aggressive volume
above its usual quantile while the mid moved no more than the band; its level is the best price. C: at the level that most was traded
against in the window at least "ratio" times its largest displayed size was traded, at least the share "refill" of it was refilled, and the
level is still the best or within a tick of it. composite (default): B and C. D: among the three outermost bins of a footprint bar of length
"window" (bins of "zone") one is above the "quantile" of usual cells and three times the other side of the bin a step back (an empty one
counts as a lot), and price then comes back from the end of the bar, beyond that bin and by the band: at the bar's close, or until the next
bar's. D is told when price has come back; it looks at trades alone, and "ratio", "refill", "hold" and "fade" play no role. Its level is
from the bin to the end of the bar. While one of its side runs, a bar that is complete tells none. Side is that of the passive party: when
buys are absorbed by asks, side is sell, absorbed is buys and passive is ask. It ends "held" (aggression faded, D aside, and the level was
not passed for "settle"), "broken" (price passed the level by "ticks") or "pulled" (it was passed after the level was mostly cancelled, not
traded). It is passed where price is beyond it by "ticks" at least, and but for D longer than an update interval.

A level is at least a tick and at least "zone" bps wide, in a power of two ticks; looked at as a minute begins. Where another width is
wanted then, a running event keeps its level, but refill_lb, cancel_lb and max_displayed stay as they were, and it ends "broken" also where
the level was cancelled. The band is "ticks" or "bps", whichever is wider, in whole ticks. Until the onset the rule must hold for "hold", in
which it may be missed by 30 %. Refill and cancel figures are lower bounds: conflated updates hide pairs of both.`,
  needs: ['book', 'trades'],
  parameters,
  meaning: {
    side: 'the passive party: when asks absorb buys, sell',
    price: 'the edge of the level that has to be passed',
    score:
      'volume (D: of the cell) over what is usual, times how little the mid moved (B, composite: 1 less its way over a band and a tick), times the share refilled (C, composite)',
    ends: {
      held: 'the aggression faded (D: price had turned) and the level was not passed for "settle"',
      broken: 'the level was consumed and price went on',
      pulled: 'the level was passed after most of it was cancelled, not traded',
    },
    evidence: {
      kind: { type: 'text', choices: ['composite', 'A', 'B', 'C', 'D'], doc: 'which definition' },
      absorbed: { type: 'text', choices: ['buys', 'sells'], doc: 'what was absorbed' },
      passive: { type: 'text', choices: ['bid', 'ask'], doc: 'by whom' },
      volume: { type: 'size', doc: 'aggressive volume of the window or bar, of that side' },
      usual: { type: 'size', doc: 'volume that counts as heavy, as it was at the onset' },
      absorbed_size: {
        type: 'size',
        doc: 'traded against the level since the window of the onset began; D: traded in the cell',
      },
      displacement_ticks: {
        type: 'ticks',
        nullable: true,
        optional: true,
        doc: 'how far the mid moved over the window (not D)',
      },
      level_low: { type: 'price', optional: true, doc: 'lowest price of the level' },
      level_high: { type: 'price', optional: true, doc: 'highest price of the level' },
      refill_lb: {
        type: 'size',
        optional: true,
        doc: 'at least this much of absorbed_size was added or was hidden: what the level does not display less since then; what is cancelled later takes from it',
      },
      cancel_lb: { type: 'size', optional: true, doc: 'at least this much was cancelled in the last window' },
      max_displayed: {
        type: 'size',
        optional: true,
        doc: 'largest displayed size since trades began to hit the level, in the last one to two windows; of a running event, since then',
      },
      bar: { type: 'text', optional: true, doc: 'start of the bar (D)' },
      opposed: { type: 'size', optional: true, doc: 'the cell that it is held against (D)' },
      reversal_ticks: {
        type: 'ticks',
        optional: true,
        doc: 'how far price had come back from the end of the bar when it was told (D)',
      },
      theta: { type: 'ratio', optional: true, doc: 'the ratio that makes a cell imbalanced (D)' },
      window_ms: { type: 'ms', doc: 'the window, or the length of the bar' },
    },
  },
  lookback: (options) => (options.kind === 'D' ? reversalLookback(options) : 2 * options.window),
  create(options, market, voice): DetectorRun {
    const { kind } = options;
    return kind === 'D'
      ? new AbsorptionReversal(options, market, voice)
      : new Absorption({ ...options, kind }, market, voice);
  },
});

type AbsorptionOptions = Values<typeof parameters> & { readonly kind: 'composite' | 'A' | 'B' | 'C' };

/** What is known of aggression in one direction (+1: buys, absorbed by asks). */
interface Siege {
  readonly aggressor: number;
  readonly passive: BookSide;
  readonly life: Lifecycle;
  /** lowest and highest scaled price of the level that holds */
  low: number;
  high: number;
  /** width of the ledger's cells as the level was one of them; NaN once they are others */
  width: number;
  /** volume that counts as heavy, as it was at the onset */
  usual: number;
  /** traded against the level since the window of the onset began */
  absorbed: number;
  /** displayed at the level when that window began */
  displayed: number;
  /** since when the price is beyond the level; NaN: it is not */
  passedSince: number;
  // as last measured, for the evidence
  ratio: number;
  refilled: number;
  cancelled: number;
  largest: number;
  displacement: number;
}

class Absorption implements DetectorRun {
  readonly wake = Wake.trade | Wake.book | Wake.beat;
  readonly #options: AbsorptionOptions;
  readonly #market: Market;
  readonly #voice: Voice;
  readonly #flow: FlowWindow;
  readonly #mid: StepWindow;
  readonly #ledger: Ledger;
  readonly #usual: GridStatistic;
  readonly #least: number;
  /** the rule speaks of a level */
  readonly #byLevel: boolean;
  /** heavy means heavy at one level, not on one side */
  readonly #heavyLevel: boolean;
  readonly #sieges: readonly [Siege, Siege];

  constructor(options: AbsorptionOptions, market: Market, voice: Voice) {
    this.#options = options;
    this.#market = market;
    this.#voice = voice;
    const { kind, window } = options;
    this.#byLevel = kind !== 'B';
    this.#heavyLevel = kind === 'A' || kind === 'C';
    const ledger = market.ledger(window, options.zone);
    this.#flow = market.flow(window);
    this.#mid = market.mid(window);
    this.#ledger = ledger;
    this.#usual = this.#heavyLevel
      ? market.statisticOver('level volume', 'book', window, (t, sample) => {
          if (market.track.state !== 'valid') return;
          sample(ledger.hottest(t, BID)?.traded ?? 0);
          sample(ledger.hottest(t, ASK)?.traded ?? 0);
        })
      : sideVolume(market, window);
    this.#least = market.scaledSize(options.volume);
    this.#sieges = [createSiege(1, options), createSiege(-1, options)];
    market.follow({ trade: (_, side, price, size) => this.#absorb(this.#sieges[side > 0 ? 0 : 1], price, size) });
  }

  /** A print while an event runs: what hits its level was absorbed. */
  #absorb(siege: Siege, price: number, size: number): void {
    if (!siege.life.active) return;
    if (!this.#byLevel || (price >= siege.low && price <= siege.high)) siege.absorbed += size;
  }

  evaluate(t: number, why: number): void {
    const [buys, sells] = this.#sieges;
    const idle = buys.life.idle && sells.life.idle;
    // the book alone starts nothing
    if (idle && why === Wake.book) return;
    const flow = this.#flow;
    flow.expire(t);
    const usual = Math.max(this.#least, this.#market.usual(this.#usual, this.#options.quantile));
    // most of the time nothing is heavy; what follows is kept out of here, as small code is soon compiled and stays so
    if (idle && !(flow.buy > usual || flow.sell > usual)) return;
    this.#look(t, why, buys, flow.buy, usual);
    this.#look(t, why, sells, flow.sell, usual);
  }

  #look(t: number, why: number, siege: Siege, volume: number, usual: number): void {
    if (siege.life.active) this.#follow(t, why, siege, volume);
    else if (why !== Wake.book) this.#seek(t, siege, volume, usual);
  }

  /** No event: does the rule hold? Once it does, it may be missed a little until the onset, but not at another level. */
  #seek(t: number, siege: Siege, volume: number, usual: number): void {
    const { life } = siege;
    const arming = !life.idle;
    // NaN while cold; zero where nothing is usual, so nothing can be heavy
    if (!(usual > 0 && volume > (arming ? SLACK : 1) * usual)) {
      if (arming) life.step(t, 0, false, false);
      return;
    }
    siege.usual = usual;
    const level = !this.#byLevel ? null : arming ? this.#levelAt(t, siege) : this.#ledger.hottest(t, siege.passive);
    if (this.#byLevel && level === null) {
      if (arming) life.step(t, 0, false, false);
      return;
    }
    this.#measure(t, siege, level);
    const score = this.#score(siege, volume);
    const holds = volume > usual && this.#holds(siege, 1);
    const step = life.step(t, score, holds, false, this.#holds(siege, SLACK));
    if (step !== Step.onset) return;
    siege.passedSince = Number.NaN;
    this.#voice.onset(t, this.#flow.firstT, this.#facts(siege, volume, score));
  }

  #levelAt(t: number, siege: Siege): LedgerLevel | null {
    this.#ledger.advance(t);
    return this.#ledger.at(siege.passive, siege.low);
  }

  /** Measures displacement and, where the rule speaks of one, the level. */
  #measure(t: number, siege: Siege, level: LedgerLevel | null): void {
    const { aggressor, passive } = siege;
    siege.displacement = Math.abs(this.#mid.value - this.#mid.start(t));
    if (level === null) {
      const best = passive === ASK ? this.#market.ask : this.#market.bid;
      siege.low = best;
      siege.high = best;
      siege.absorbed = aggressor > 0 ? this.#flow.buy : this.#flow.sell;
      return;
    }
    const { tick, width } = this.#ledger;
    siege.low = level.cell * width;
    siege.high = siege.low + width - tick;
    siege.width = width;
    siege.absorbed = level.traded;
    siege.displayed = level.displayed + level.removed;
    siege.largest = this.#ledger.maxDisplayed(level, t);
    siege.refilled = level.refillNet;
    siege.cancelled = level.cancel;
    siege.ratio = level.traded > 0 ? Math.min(1, siege.refilled / level.traded) : 0;
  }

  /** Whether the rule holds as measured; with `slack` below 1 it may be missed by that factor. */
  #holds(siege: Siege, slack: number): boolean {
    const { kind, ratio, refill } = this.#options;
    const still = siege.displacement * slack <= 2 * this.#band();
    if (kind === 'B') return still;
    if (this.#heavyLevel && siege.absorbed <= slack * siege.usual) return false;
    if (kind === 'A') return true;
    if (siege.absorbed < slack * ratio * siege.largest || siege.ratio < slack * refill) return false;
    const { tick } = this.#ledger;
    const best = siege.passive === ASK ? this.#market.ask : this.#market.bid;
    return best >= siege.low - tick && best <= siege.high + tick && (kind === 'C' || still);
  }

  /** Effort over result, and how much of it was refilled: more of each is more. */
  #score(siege: Siege, volume: number): number {
    const { kind } = this.#options;
    const effort = (this.#heavyLevel ? siege.absorbed : volume) / siege.usual;
    if (kind === 'A') return effort;
    if (kind === 'C') return effort * siege.ratio;
    const room = 2 * (this.#band() + this.#ledger.tick);
    const calm = Math.max(0, 1 - siege.displacement / room);
    const score = kind === 'B' ? effort * calm : effort * calm * siege.ratio;
    return Number.isNaN(score) ? 0 : score;
  }

  /** An event runs: does it grow, hold, break? */
  #follow(t: number, why: number, siege: Siege, volume: number): void {
    const { passive, life } = siege;
    const market = this.#market;
    const { fade } = this.#options;
    const pass = this.#options.ticks * this.#ledger.tick;
    const beyond = passive === ASK ? market.ask >= siege.high + pass : market.bid <= siege.low - pass;
    if (!beyond) siege.passedSince = Number.NaN;
    else if (Number.isNaN(siege.passedSince)) siege.passedSince = t;
    // trades and book come on different paths: a passage is judged when both have had their time
    if (beyond && t - siege.passedSince > this.#ledger.guard) {
      this.#refresh(t, siege);
      life.end(t, this.#score(siege, volume));
      this.#end(t, siege, volume, this.#wasPulled(t, siege) ? 'pulled' : 'broken');
      return;
    }
    if (why === Wake.book) return;
    const faded = volume < fade * siege.usual && !beyond;
    this.#refresh(t, siege);
    const score = this.#score(siege, volume);
    const step = life.step(t, score, !faded, faded);
    if (step === Step.update) this.#voice.update(t, this.#facts(siege, volume, score));
    else if (step === Step.end) this.#end(t, siege, volume, 'held');
  }

  /** Measures the running event's own level anew, over its whole life. */
  #refresh(t: number, siege: Siege): void {
    siege.displacement = Math.abs(this.#mid.value - this.#mid.start(t));
    if (!this.#knowsLevel(siege)) return;
    this.#ledger.advance(t);
    const level = this.#ledger.at(siege.passive, siege.low);
    const displayed = this.#ledger.shown(siege.passive, siege.low);
    // what was just traded may not show in the book yet
    const waiting = level === null ? 0 : level.openTraded - level.metTraded;
    siege.refilled = Math.max(0, siege.absorbed - waiting - (siege.displayed - displayed));
    siege.ratio = Math.min(1, siege.refilled / siege.absorbed);
    // where nothing was traded for a window, nobody follows what is cancelled
    siege.cancelled = level?.cancel ?? 0;
    if (level !== null) siege.largest = Math.max(siege.largest, this.#ledger.maxDisplayed(level, t));
  }

  /**
   * Whether the ledger still knows the level of a running event. Its cells have another width once the mid has passed a power of two: of
   * the level they say nothing, also where they are as before later on, as what was on its way meanwhile is forgotten.
   */
  #knowsLevel(siege: Siege): boolean {
    if (siege.width !== this.#ledger.width) siege.width = Number.NaN;
    return this.#byLevel && siege.width === this.#ledger.width;
  }

  /** Whether what last stood at the level was mostly cancelled. */
  #wasPulled(t: number, siege: Siege): boolean {
    if (!this.#knowsLevel(siege)) return false;
    this.#ledger.advance(t);
    const level = this.#ledger.at(siege.passive, siege.low);
    return level !== null && level.runMet < level.runRemoved / 2;
  }

  #end(t: number, siege: Siege, volume: number, reason: EndReason): void {
    this.#voice.end(t, -siege.aggressor, reason, this.#facts(siege, volume, this.#score(siege, volume)));
  }

  /** The band in scaled price: whole ticks, so that it is the same on any scale. */
  #band(): number {
    const { ticks, bps } = this.#options;
    const { tick } = this.#ledger;
    const twice = this.#market.bid + this.#market.ask;
    const wide = bps > 0 && twice > 0 ? Math.floor((twice / (2 * tick)) * (bps / 1e4)) : 0;
    return tick * Math.max(ticks, wide);
  }

  #facts(siege: Siege, volume: number, score: number) {
    const market = this.#market;
    const { kind, window } = this.#options;
    const { aggressor, passive } = siege;
    const ticks = siege.displacement / (2 * this.#ledger.tick);
    const evidence: Evidence = {
      kind,
      absorbed: aggressor > 0 ? 'buys' : 'sells',
      passive: passive === ASK ? 'ask' : 'bid',
      volume: market.size(volume),
      usual: market.size(siege.usual),
      absorbed_size: market.size(siege.absorbed),
      displacement_ticks: Number.isNaN(ticks) ? null : rounded(ticks),
    };
    if (this.#byLevel) {
      evidence.level_low = market.price(siege.low);
      evidence.level_high = market.price(siege.high);
      evidence.refill_lb = market.size(siege.refilled);
      evidence.cancel_lb = market.size(siege.cancelled);
      evidence.max_displayed = market.size(siege.largest);
    }
    evidence.window_ms = window / 1000;
    // the edge that has to be passed
    return { side: -aggressor, price: market.price(passive === ASK ? siege.high : siege.low), score, evidence };
  }

  reset(): void {
    for (const siege of this.#sieges) siege.life.reset();
  }
}

function createSiege(aggressor: number, { hold, settle }: AbsorptionOptions): Siege {
  return {
    aggressor,
    passive: aggressor > 0 ? ASK : BID,
    life: new Lifecycle({ armFor: hold, disarmFor: settle }),
    low: Number.NaN,
    high: Number.NaN,
    width: Number.NaN,
    usual: Number.NaN,
    absorbed: 0,
    displayed: 0,
    passedSince: Number.NaN,
    ratio: 0,
    refilled: 0,
    cancelled: 0,
    largest: 0,
    displacement: Number.NaN,
  };
}
