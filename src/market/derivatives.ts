/** What a venue says of a contract beside its market: mark and index price, funding, open interest, and recent liquidations. */
import { unscale } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import { Derivative, Field, RATE_DECIMALS } from '../model/event.js';
import { fineDecimals, type Scale } from '../model/instrument.js';
import type { Evidence } from '../model/signal.js';
import { formatTime, MICROS_PER_MINUTE } from '../model/time.js';
import { Flow, type FlowWindow } from './flow.js';

/** Liquidations that a signal's context tells of. */
const CONTEXT_SPAN: Micros = MICROS_PER_MINUTE;

/**
 * A value that stands until it is said anew. One that was said longer ago than the look-back is not known: who starts reading there
 * has not heard it, and both must say the same.
 */
export class Standing {
  readonly #lookback: Micros;
  #value = Number.NaN;
  #t: Micros = Number.NEGATIVE_INFINITY;

  constructor(lookback: Micros) {
    this.#lookback = lookback;
  }

  /** The value in force at `t`; NaN where it is not known. */
  at(t: Micros): number {
    return this.#t > t - this.#lookback ? this.#value : Number.NaN;
  }

  /** NaN says nothing: what was said before stands. */
  say(t: Micros, value: number): void {
    if (Number.isNaN(value)) return;
    this.#value = value;
    this.#t = t;
  }

  clear(): void {
    this.#value = Number.NaN;
  }
}

/** State of one src. Values are scaled as in records (`Derivative`). */
export class Derivatives {
  readonly mark: Standing;
  readonly index: Standing;
  readonly funding: Standing;
  readonly nextFunding: Standing;
  readonly openInterest: Standing;
  readonly #scale: Scale;
  readonly #liquidated = new Flow();
  /** those of forced orders that buy, and that sell */
  readonly #liquidatedBy: readonly [Flow, Flow] = [new Flow(), new Flow()];
  readonly #recent: FlowWindow;
  /** anything was said since the start or the last loss */
  #heard = false;

  /** @param lookback data older than this plays no role */
  constructor(scale: Scale, lookback: Micros) {
    this.#scale = scale;
    this.mark = new Standing(lookback);
    this.index = new Standing(lookback);
    this.funding = new Standing(lookback);
    this.nextFunding = new Standing(lookback);
    this.openInterest = new Standing(lookback);
    this.#recent = this.liquidations(CONTEXT_SPAN);
  }

  /** Sizes liquidated over (t − span, t], by the side of the forced orders; at most the look-back. */
  liquidations(span: Micros): FlowWindow {
    return this.#liquidated.window(span);
  }

  /** The same of the forced orders of one side (+1: they buy), so that they can be counted. */
  liquidationsOf(side: number, span: Micros): FlowWindow {
    return this.#liquidatedBy[side > 0 ? 0 : 1].window(span);
  }

  /** Takes in the derivative record at offset `o`. */
  say(t: Micros, e: Float64Array, o: number): void {
    this.#heard = true;
    this.mark.say(t, e[o + Derivative.MARK]);
    this.index.say(t, e[o + Derivative.INDEX]);
    this.funding.say(t, e[o + Derivative.FUNDING]);
    this.nextFunding.say(t, e[o + Derivative.NEXT_FUNDING]);
    this.openInterest.say(t, e[o + Derivative.OPEN_INTEREST]);
  }

  /** Takes in the liquidation at offset `o`. */
  liquidate(t: Micros, e: Float64Array, o: number): void {
    this.#heard = true;
    const signed = e[o + Field.SIDE] * e[o + Field.SIZE];
    this.#liquidated.push(t, signed);
    this.#liquidatedBy[signed > 0 ? 0 : 1].push(t, signed);
  }

  /** Messages may be missing: a value may have changed unheard. */
  clear(): void {
    this.#heard = false;
    for (const one of [this.mark, this.index, this.funding, this.nextFunding, this.openInterest]) one.clear();
    for (const flow of [this.#liquidated, ...this.#liquidatedBy]) flow.clear();
  }

  /** What is known at `t`, for a signal line: decimals, and nothing that is absent. Undefined where nothing is known. */
  context(t: Micros): Evidence | undefined {
    if (!this.#heard) return undefined;
    const context: Evidence = {};
    const add = (name: string, one: Standing, decimals: number): void => {
      const value = one.at(t);
      if (!Number.isNaN(value)) context[name] = unscale(value, decimals);
    };
    const fine = fineDecimals(this.#scale);
    add('mark', this.mark, fine);
    add('index', this.index, fine);
    add('funding', this.funding, RATE_DECIMALS);
    const next = this.nextFunding.at(t);
    if (!Number.isNaN(next)) context.next_funding = formatTime(next);
    add('open_interest', this.openInterest, this.#scale.size);
    const recent = this.#recent;
    recent.expire(t);
    if (recent.count > 0) {
      context.liquidated_buy = unscale(recent.buy, this.#scale.size);
      context.liquidated_sell = unscale(recent.sell, this.#scale.size);
    }
    return Object.keys(context).length > 0 ? context : undefined;
  }
}
