/** A scripted market of levels a tick, which is a basis point, apart, told for either side, for detectors of what levels do. */
import {
  type Level,
  ladder,
  type Scanned,
  SECOND,
  scanLines,
  TapeBuilder,
  type TapeOptions,
} from '../scan/tape-builder.js';

/** Best prices of the story in ticks: 1000.0 and 1000.1. */
export const BID = 10_000;
export const ASK = BID + 1;
/** What each level displays. */
export const SIZE = 10;

export interface LevelStoryOptions {
  mirrored?: boolean;
  tape?: TapeOptions;
  /** asks of this size each instead, `count` of them */
  size?: (i: number) => number;
  count?: number;
  /** seconds until everything is warm */
  quiet?: number;
}

export class LevelStory {
  readonly tape: TapeBuilder;
  readonly #mirrored: boolean;

  constructor({ mirrored = false, tape = {}, size = () => SIZE, count = 40, quiet = 101 }: LevelStoryOptions = {}) {
    this.#mirrored = mirrored;
    this.tape = new TapeBuilder(tape);
    const [bids] = ladder(BID, SIZE, SIZE, count);
    const asks = Array.from({ length: count }, (_, i): Level => [ASK + i, size(i)]);
    this.snapshot(bids, asks).quiet(quiet);
  }

  #flip(levels: readonly Level[]): Level[] {
    return this.#mirrored ? levels.map(([price, size]): Level => [BID + ASK - price, size]) : [...levels];
  }

  snapshot(bids: readonly Level[], asks: readonly Level[]): this {
    if (this.#mirrored) this.tape.snapshot(this.#flip(asks), this.#flip(bids));
    else this.tape.snapshot(bids, asks);
    return this;
  }

  book(bids: readonly Level[], asks: readonly Level[], lost = 0): this {
    if (this.#mirrored) this.tape.depth(this.#flip(asks), this.#flip(bids), { lost });
    else this.tape.depth(bids, asks, { lost });
    return this;
  }

  asks(...levels: Level[]): this {
    return this.book([], levels);
  }

  bids(...levels: Level[]): this {
    return this.book(levels, []);
  }

  /** A print against asks. */
  buy(price: number, size: number, lost = 0): this {
    return this.#print(1, price, size, lost);
  }

  /** A print against bids. */
  sell(price: number, size: number, lost = 0): this {
    return this.#print(-1, price, size, lost);
  }

  #print(side: 1 | -1, price: number, size: number, lost: number): this {
    if (this.#mirrored) this.tape.trade(-side as 1 | -1, BID + ASK - price, size, { lost });
    else this.tape.trade(side, price, size, { lost });
    return this;
  }

  pause(ms: number): this {
    this.tape.wait(ms * 1000);
    return this;
  }

  /** Nothing but a clock for that long. */
  quiet(seconds: number): this {
    const end = this.tape.t + seconds * SECOND;
    while (this.tape.t < end) this.tape.wait(Math.min(SECOND / 10, end - this.tape.t)).clock();
    return this;
  }

  /** Small ones each way for 70 seconds, until it is known what is usual. */
  smallOrders(): this {
    for (let i = 0; i < 70; i++)
      this.pause(500)
        .buy(ASK + 30, 1)
        .pause(500)
        .sell(BID - 30, 1);
    return this;
  }

  scan(detector: string, set: string[] = [], seconds = 2): Promise<Scanned> {
    const { lines } = this.quiet(seconds).tape;
    return scanLines(lines, { detect: [detector], set: set.map((one) => `${detector}.${one}`) });
  }
}
