/** Three tests of an aggression: was it large for the book, did it last, and did the price go with it. */
import { ASK, BID } from '../market/book.js';
import { type Kyle, kyleOf } from '../market/kyle.js';
import type { Market } from '../market/market.js';
import { PRESSURE_SPAN, Pressure } from '../market/pressure.js';
import { rounded } from '../model/decimal.js';
import type { Micros } from '../model/entry.js';
import type { Confirm } from '../model/signal.js';

/** Aggressive volume over the depth it met, or a fall of that depth of which trades explain the other share. */
const SIZE_RATIO = 0.25;
const DEPTH_FELL = 0.3;
const EXPLAINED = 0.5;
/** Imbalance of the last two seconds, groups in them, and share of the quarter seconds on one side. */
const IMBALANCE = 0.6;
const GROUPS = 3;
const SHARE = 0.5;
/** The price has to go this share of the way that such a volume usually moves it, and a tick. */
const USUAL_MOVE = 0.25;
/** How long it has for that. */
const REACTION: Micros = 1_000_000;

interface Watch {
  due: Micros;
  side: number;
  /** twice the mid at the beginning */
  from: number;
  /** largest move of twice the mid with the aggressor, and the move asked for */
  best: number;
  asked: number;
  confirm: Confirm;
  tell(): void;
}

/** What it has to know of a signal. */
interface Aggression {
  side: number;
  before?: number;
}

/** Judges aggressions of one src. The first two tests are known when a signal is said, the third a second later. */
export class Confirmation {
  readonly #market: Market;
  readonly #pressure: Pressure;
  readonly #kyle: Kyle;
  readonly #watches: Watch[] = [];

  constructor(market: Market) {
    this.#market = market;
    this.#pressure = market.share('pressure', () => {
      const pressure = new Pressure(market);
      market.follow(pressure);
      return pressure;
    });
    // the impact that is usual was measured before what is tested
    this.#kyle = kyleOf(market, PRESSURE_SPAN);
  }

  /** Someone waits for a reaction. */
  get waits(): boolean {
    return this.#watches.length > 0;
  }

  /**
   * An aggression of `side` was seen at `t`; `first` is when it began, `before` twice the mid then, where the price has moved since. `tell` is
   * called when the reaction is known, if nothing comes between.
   */
  begin(t: Micros, { side, before: then }: Aggression, first: Micros, tell: () => void): Confirm {
    const pressure = this.#pressure;
    const passive = side > 0 ? ASK : BID;
    const push = pressure.push(t, side);
    const { before, now: left } = pressure.depths(passive, Math.max(first, t - PRESSURE_SPAN));
    const ratio = push.volume / before;
    const lost = before - left;
    const fell = lost / before;
    const known = !Number.isNaN(fell) && before > 0;
    const all = push.volume + push.against;
    const confirm: Confirm = {
      size: known ? ratio >= SIZE_RATIO || (fell >= DEPTH_FELL && push.volume >= EXPLAINED * lost) : null,
      size_ratio: known ? rounded(ratio) : null,
      depth_fell: known ? rounded(fell) : null,
      duration: push.groups >= GROUPS && push.share >= SHARE && push.volume - push.against >= IMBALANCE * all,
      same_side_share: rounded(push.share),
      reaction: null,
      reaction_ticks: null,
      reaction_asked_ticks: null,
      stall: null,
    };
    const { tick } = this.#market.track.book;
    const usual = this.#kyle.lambda * push.volume;
    // not known, or against all sense negative: a tick decides
    const asked = 2 * (usual * USUAL_MOVE > tick ? usual * USUAL_MOVE : tick);
    const now = this.#market.bid + this.#market.ask;
    const from = then ?? now;
    // without a mid nobody will ever know
    if (!Number.isNaN(from + now)) {
      confirm.reaction_asked_ticks = rounded(asked / (2 * tick));
      this.#watches.push({
        due: t + REACTION,
        side,
        from,
        best: Math.max(0, side * (now - from)),
        asked,
        confirm,
        tell,
      });
    }
    return confirm;
  }

  /** The event ended before its reaction was known. */
  drop(confirm: Confirm): void {
    const at = this.#watches.findIndex((watch) => watch.confirm === confirm);
    if (at >= 0) this.#watches.splice(at, 1);
  }

  /** Its event has a line of its own at `t`: where the reaction is known by then, that line tells it, and `tell` is not called. */
  settle(confirm: Confirm, t: Micros): void {
    const at = this.#watches.findIndex((watch) => watch.confirm === confirm);
    if (at >= 0 && t > this.#watches[at].due) this.#judge(this.#watches.splice(at, 1)[0]);
  }

  /** The market moved on to `t`. */
  look(t: Micros): void {
    const watches = this.#watches;
    const twice = this.#market.bid + this.#market.ask;
    let due = 0;
    for (const watch of watches) {
      // what came at the last moment counts, what came behind it does not
      if (t > watch.due) due++;
      else if (watch.side * (twice - watch.from) > watch.best) watch.best = watch.side * (twice - watch.from);
    }
    if (due === 0) return;
    for (const watch of watches.splice(0, due)) {
      this.#judge(watch);
      watch.tell();
    }
  }

  #judge({ best, asked, confirm }: Watch): void {
    const { tick } = this.#market.track.book;
    confirm.reaction = best >= asked;
    confirm.reaction_ticks = rounded(best / (2 * tick));
    confirm.stall = confirm.size === null ? null : confirm.size && confirm.duration && !confirm.reaction;
  }

  /** Data was lost, or a unit begins: what waits is forgotten. */
  clear(): void {
    this.#watches.length = 0;
  }
}
