/** What is noted of markets, said once: of the first in full, of others that it holds for as well at the end. */

/** `binance-usdm:BTCUSDT: a sentence`, as all that is noted of a market begins. */
const OF_MARKET = /^(\S+:\S+): (.+)$/s;
/** Markets that the end names; of more it says how many. */
const MOST_NAMES = 5;

/** Of 200 markets most have the same to say, and 200 times the same line hides what only one has. */
export class Remarks {
  /** by sentence, the markets it holds for; it was said of the first */
  readonly #markets = new Map<string, Set<string>>();

  /** Whether a note is to be said now. */
  isNew(note: string): boolean {
    const [, src, sentence] = OF_MARKET.exec(note) ?? [];
    if (sentence === undefined) return true;
    const markets = this.#markets.get(sentence);
    if (markets === undefined) this.#markets.set(sentence, new Set([src]));
    else markets.add(src);
    return markets === undefined;
  }

  /** What the end says of the markets left out. */
  get rest(): string[] {
    return [...this.#markets].flatMap(([sentence, [, ...others]]) =>
      others.length === 0 ? [] : [`${marketsOf(others)}: ${sentence}, too`],
    );
  }
}

function marketsOf(srcs: readonly string[]): string {
  return srcs.length > MOST_NAMES ? `${srcs.length} more markets` : srcs.join(', ');
}
