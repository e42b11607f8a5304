/** A scripted market of trades alone, told second by second; its mirror image tells the same of the other side. */
import { type Scanned, SECOND, START, summary, TapeBuilder, type TapeOptions } from '../scan/tape-builder.js';

/** Lowest price of the stories, in ticks: 100.0. */
export const LOW = 1000;
/** Price p becomes `MIRROR - p`, so that 100.0 to 100.4 are mirrored into themselves. */
const MIRROR = 2 * LOW + 4;

export interface StoryOptions {
  mirrored?: boolean;
  tape?: TapeOptions;
}

export class TradeStory {
  readonly tape: TapeBuilder;
  readonly #mirrored: boolean;

  /** Two minutes of what is usual: every half minute 30 bought at 100.1, 30 sold at 100.0, and 1 bought at 100.2. */
  constructor({ mirrored = false, tape = {} }: StoryOptions = {}) {
    this.#mirrored = mirrored;
    this.tape = new TapeBuilder(tape);
    for (let second = 0; second < 120; second++) {
      this.at(second)
        .print(1, LOW + 1, 1)
        .print(-1, LOW, 1);
      if (second % 30 === 0) this.print(1, LOW + 2, 1);
    }
  }

  /** The next line stands so many seconds after the start. */
  at(seconds: number): this {
    this.tape.wait(START + seconds * SECOND - this.tape.t);
    return this;
  }

  print(side: 1 | -1, price: number, size: number, { lost = 0 } = {}): this {
    if (this.#mirrored) this.tape.trade(-side as 1 | -1, MIRROR - price, size, { lost });
    else this.tape.trade(side, price, size, { lost });
    return this;
  }

  /** A forced order. */
  forced(side: 1 | -1, price: number, size: number): this {
    if (this.#mirrored) this.tape.liquidation(-side as 1 | -1, MIRROR - price, size);
    else this.tape.liquidation(side, price, size);
    return this;
  }

  /** Sells from `low` up, then buys from `low` up, `step` ticks apart. */
  table(buys: readonly number[], sells: readonly number[], { step = 1, low = LOW } = {}): this {
    for (const [i, size] of sells.entries()) if (size > 0) this.print(-1, low + i * step, size);
    for (const [i, size] of buys.entries()) if (size > 0) this.print(1, low + i * step, size);
    return this;
  }

  /** Nothing but time passes until then. */
  until(seconds: number): this {
    while (this.tape.t + SECOND / 10 < START + seconds * SECOND) this.tape.wait(SECOND / 10).clock();
    this.at(seconds).tape.clock();
    return this;
  }
}

/** `150.0 onset buy`, `159.0 end buy broken`: seconds after the start, of a scan for one detector. */
export const outline = (scanned: Scanned): string[] =>
  summary(scanned).map((line) => line.replace(/^(\S+) \S+ /, '$1 '));
