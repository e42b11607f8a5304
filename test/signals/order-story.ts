/** A scripted market whose book and orders are told in either order and for either side, for detectors of orders against the book. */
import { type Level, type Scanned, SECOND, scanLines, TapeBuilder, type TapeOptions } from '../scan/tape-builder.js';

/** Best bid of the story in ticks: 100.0; the best ask is a tick above. */
export const BID = 1000;
const ASK = BID + 1;

export interface StoryOptions {
  /** the same story with the sides swapped */
  mirrored?: boolean;
  /** the book shows an order before its prints come */
  bookFirst?: boolean;
  /** asks beside those the story needs */
  asks?: Level[];
  /** size of usual order number `i` */
  usual?: (i: number) => number;
  tape?: TapeOptions;
}

/** A story told for either side and in either order, by name. */
export const TELLINGS: [string, StoryOptions][] = [
  ['buys, trades first', {}],
  ['buys, book first', { bookFirst: true }],
  ['sells, trades first', { mirrored: true }],
  ['sells, book first', { mirrored: true, bookFirst: true }],
];

/** The asks of the known answer: 100.1×4, 100.2×6, 100.3×5, 100.9×20; far levels, so that the book is known widely. */
const ASKS: Level[] = [
  [ASK, 4],
  [ASK + 1, 6],
  [ASK + 2, 5],
  [ASK + 8, 20],
  [ASK + 199, 1],
];
const BIDS: Level[] = [
  [BID, 10],
  [BID - 200, 1],
];

export interface OrderOptions {
  /** what the book shows of it, message by message; else what the fills leave of nothing: every price of a fill goes */
  shows?: Level[][];
  kind?: string;
  /** the venue does not say when it was matched */
  untimed?: boolean;
}

export class OrderStory {
  readonly tape: TapeBuilder;
  readonly #mirrored: boolean;
  readonly #bookFirst: boolean;

  constructor({ mirrored = false, bookFirst = false, asks = ASKS, usual = () => 1, tape = {} }: StoryOptions = {}) {
    this.#mirrored = mirrored;
    this.#bookFirst = bookFirst;
    this.tape = new TapeBuilder(tape);
    this.tape.snapshot(...((mirrored ? [this.#flip(asks), this.#flip(BIDS)] : [BIDS, asks]) as [Level[], Level[]]));
    // orders each way, until everything is warm
    for (let i = 0; i < 140; i++) {
      this.tape.wait(SECOND / 2);
      this.print(i % 2 === 0 ? 1 : -1, i % 2 === 0 ? ASK : BID, usual(i));
    }
    this.tape.wait(SECOND);
  }

  #flip(levels: readonly Level[]): Level[] {
    return levels.map(([price, size]): Level => [BID + ASK - price, size]);
  }

  /** Exchange time now, ms. */
  get now(): number {
    return Math.floor(this.tape.t / 1000);
  }

  print(side: 1 | -1, price: number, size: number, options: { matched?: number; kind?: string } = {}): this {
    if (this.#mirrored) this.tape.trade(-side as 1 | -1, BID + ASK - price, size, options);
    else this.tape.trade(side, price, size, options);
    return this;
  }

  asks(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth(this.#flip(levels), []);
    else this.tape.depth([], levels);
    return this;
  }

  bids(...levels: Level[]): this {
    if (this.#mirrored) this.tape.depth([], this.#flip(levels));
    else this.tape.depth(levels, []);
    return this;
  }

  /** A buy with these fills, told within some milliseconds with what the book shows of it. */
  buy(fills: readonly Level[], { shows, untimed = false, ...options }: OrderOptions = {}): this {
    const matched = untimed ? 0 : this.now;
    this.tape.wait(1000);
    const book = (): void => {
      for (const levels of shows ?? [[...new Set(fills.map(([price]) => price))].map((price): Level => [price, 0])]) {
        this.tape.wait(1000);
        this.asks(...levels);
      }
    };
    if (this.#bookFirst) book();
    for (const [price, size] of fills) this.print(1, price, size, { ...options, matched });
    if (!this.#bookFirst) book();
    return this;
  }

  pause(ms: number): this {
    this.tape.wait(ms * 1000);
    return this;
  }

  /** Nothing but a clock for that long. */
  quiet(seconds = 2): this {
    for (let i = 0; i < seconds * 10; i++) this.tape.wait(SECOND / 10).clock();
    return this;
  }

  /** The points; what is said of them a second later is for `scanAll`. */
  async scan(detector: string, set: string[] = []): Promise<Scanned> {
    const scanned = await this.scanAll(detector, set);
    return { ...scanned, signals: scanned.signals.filter(({ phase }) => phase === 'point') };
  }

  scanAll(detector: string, set: string[] = []): Promise<Scanned> {
    return scanLines(this.quiet().tape.lines, { detect: [detector], set: set.map((one) => `${detector}.${one}`) });
  }
}

/** What is the same however it was told: everything but times and what is made of them. */
export function told({ signals }: Scanned): unknown[] {
  return signals.map(({ time: _, id: __, evidence, ...rest }) => {
    const { first, last, took_ms, ...facts } = evidence;
    return { ...rest, evidence: facts };
  });
}
