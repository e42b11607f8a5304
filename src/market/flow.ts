/** Trades of the last seconds and exact sums over them: one ring of trades, any number of windows on it. */
import type { Micros } from '../model/entry.js';
import { Ring } from './ring.js';

/** Values of a trade in the ring. */
const T = 0;
const SIGNED = 1;
const WIDTH = 2;

/** Sums over the half-open window (t − span, t]; sizes are scaled integers, so sums are exact. */
export class FlowWindow {
  readonly span: Micros;
  readonly #ring: Ring;
  #tail: number;
  #buy = 0;
  #sell = 0;
  /** `t` of the newest trade that was let go before its time */
  #cut: Micros = Number.NEGATIVE_INFINITY;

  constructor(ring: Ring, span: Micros) {
    this.#ring = ring;
    this.span = span;
    this.#tail = ring.next;
  }

  /** To be called for every item pushed, before the next one. */
  add(signed: number): void {
    if (signed > 0) this.#buy += signed;
    else this.#sell -= signed;
  }

  /** Lets go of what is not in (t − span, t] any more. Times must not run backwards. */
  expire(t: Micros): void {
    const { values, mask, next } = this.#ring;
    const limit = t - this.span;
    while (this.#tail < next && values[(this.#tail & mask) * WIDTH + T] <= limit) this.dropOldest();
  }

  /** Lets go of the oldest trade before its time: the ring may not grow. */
  cutOldest(): void {
    const { values, mask } = this.#ring;
    this.#cut = values[(this.#tail & mask) * WIDTH + T];
    this.dropOldest();
  }

  /** Whether (t − span, t] is whole: nothing was let go before its time. */
  isWhole(t: Micros): boolean {
    return this.#cut <= t - this.span;
  }

  /** Hands the signed size of every trade inside to `each`, oldest first, after `expire`. */
  walk(each: (signed: number) => void): void {
    const { values, mask, next } = this.#ring;
    for (let n = this.#tail; n < next; n++) each(values[(n & mask) * WIDTH + SIGNED]);
  }

  /** Lets go of the oldest trade whatever its age. */
  dropOldest(): void {
    const { values, mask } = this.#ring;
    const signed = values[(this.#tail++ & mask) * WIDTH + SIGNED];
    if (signed > 0) this.#buy -= signed;
    else this.#sell += signed;
  }

  clear(): void {
    this.#tail = this.#ring.next;
    this.#buy = 0;
    this.#sell = 0;
  }

  /** sequence number of the oldest trade inside */
  get tail(): number {
    return this.#tail;
  }

  /** scaled size bought by aggressors, after `expire` */
  get buy(): number {
    return this.#buy;
  }

  /** scaled size sold by aggressors, after `expire` */
  get sell(): number {
    return this.#sell;
  }

  /** trades inside, after `expire` */
  get count(): number {
    return this.#ring.next - this.#tail;
  }

  /** `t` of the oldest trade inside; NaN when there is none */
  get firstT(): Micros {
    const { values, mask } = this.#ring;
    return this.count > 0 ? values[(this.#tail & mask) * WIDTH + T] : Number.NaN;
  }
}

/** All trades that any window still needs. */
export class Flow {
  readonly #ring = new Ring(WIDTH);
  readonly #windows: FlowWindow[] = [];
  /** trades let go before their time because the ring could not grow */
  overflow = 0;

  /** The window of that span; equal spans share one. */
  window(span: Micros): FlowWindow {
    const known = this.#windows.find((window) => window.span === span);
    if (known !== undefined) return known;
    const window = new FlowWindow(this.#ring, span);
    this.#windows.push(window);
    return window;
  }

  /** Adds a trade; `signed` is its scaled size, negative for a selling aggressor. */
  push(t: Micros, signed: number): void {
    const windows = this.#windows;
    if (windows.length === 0) return;
    const ring = this.#ring;
    if (ring.full) this.#makeRoom(t);
    const at = ring.push();
    ring.values[at + T] = t;
    ring.values[at + SIGNED] = signed;
    for (let i = 0; i < windows.length; i++) windows[i].add(signed);
  }

  #makeRoom(t: Micros): void {
    const ring = this.#ring;
    const oldest = (): number => {
      let first = ring.next;
      for (const window of this.#windows) first = Math.min(first, window.tail);
      return first;
    };
    for (const window of this.#windows) window.expire(t);
    ring.first = oldest();
    if (ring.next - ring.first <= ring.mask >> 1 || ring.grow()) return;
    if (!ring.full) return;
    this.overflow++;
    for (const window of this.#windows) if (window.tail === ring.first) window.cutOldest();
    ring.first++;
  }

  clear(): void {
    this.#ring.clear();
    for (const window of this.#windows) window.clear();
  }
}
