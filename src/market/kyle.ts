/** Kyle's lambda: how far the mid moves with each unit of signed volume, by least squares over the seconds of the baseline. */
import type { Micros } from '../model/entry.js';
import { unitValue } from '../model/instrument.js';
import type { Market } from './market.js';
import { type Seconds, secondsOf } from './seconds.js';

/** A line through points (x, y), with an intercept. Sums are exact where the points are integers and sums stay below 2^53. */
export class LineFit {
  count = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #yy = 0;

  add(x: number, y: number): void {
    this.count++;
    this.#x += x;
    this.#y += y;
    this.#xx += x * x;
    this.#xy += x * y;
    this.#yy += y * y;
  }

  clear(): void {
    this.count = 0;
    this.#x = 0;
    this.#y = 0;
    this.#xx = 0;
    this.#xy = 0;
    this.#yy = 0;
  }

  /** y per x; NaN where x never varies. */
  get slope(): number {
    const spread = this.count * this.#xx - this.#x * this.#x;
    return spread > 0 ? this.#together() / spread : Number.NaN;
  }

  /** Share of the variance of y that the line explains, 0 to 1; NaN where x or y never varies. */
  get r2(): number {
    const x = this.count * this.#xx - this.#x * this.#x;
    const y = this.count * this.#yy - this.#y * this.#y;
    return x > 0 && y > 0 ? Math.min(1, (this.#together() / x) * (this.#together() / y)) : Number.NaN;
  }

  #together(): number {
    return this.count * this.#xy - this.#x * this.#y;
  }
}

/**
 * The fit over those seconds of the baseline's minutes that ended at least `delay` ago, so that a window of that length is not measured
 * against itself. A second counts as it is, without trades too. What moves the mid may also draw the trades: this describes, it does not
 * say which came first. It is made anew, from the oldest second on, when it is asked for in another second.
 */
export class Kyle {
  readonly #market: Market;
  readonly #seconds: Seconds;
  readonly #delay: Micros;
  readonly #fit = new LineFit();
  /** the newest second when the fit was made */
  #at: Micros = Number.NaN;

  constructor(market: Market, delay: Micros) {
    this.#market = market;
    this.#seconds = secondsOf(market);
    this.#delay = delay;
  }

  /** Scaled price of the mid's move per scaled size bought; NaN where unknown or not warm. */
  get lambda(): number {
    return this.#warm() ? this.#fit.slope / 2 : Number.NaN;
  }

  /** Share of the mid's variance that signed volume explains; NaN where unknown or not warm. */
  get r2(): number {
    return this.#warm() ? this.#fit.r2 : Number.NaN;
  }

  /** lambda in bps of the mid per million of the quote currency; NaN where unknown. */
  get bpsPerMillion(): number {
    const { bid, ask, track } = this.#market;
    if (!(bid < ask)) return Number.NaN;
    const { scale, instrument } = track;
    const mid = (bid + ask) / 2;
    const bpsPerUnit = ((this.lambda * 1e4) / mid) * 10 ** scale.size;
    return (bpsPerUnit / unitValue(instrument, mid / 10 ** scale.price)) * 1e6;
  }

  #warm(): boolean {
    this.#refresh();
    return this.#seconds.isWarm(this.#fit.count);
  }

  #refresh(): void {
    const seconds = this.#seconds;
    if (seconds.last === this.#at) return;
    this.#at = seconds.last;
    const fit = this.#fit;
    fit.clear();
    const end = Math.floor(seconds.indexOf(seconds.last - this.#delay));
    for (let n = seconds.baselineStart() + 1; n <= end; n++) {
      const move = seconds.mid(n) - seconds.mid(n - 1);
      if (!Number.isNaN(move)) fit.add(seconds.level(n) - seconds.level(n - 1), move);
    }
  }
}

/** The market's lambda that excludes the newest `delay`. */
export function kyleOf(market: Market, delay: Micros): Kyle {
  return market.share(`kyle ${delay}`, () => new Kyle(market, delay));
}
