/** What was learnt of a market from an earlier tape, for a scan to use: the table of its microprice, and weights of its levels. */
import type { Micros, Source } from './entry.js';

/** By spread (one tick first) and class of imbalance (most offered first), as many as `market/microprice` has. */
export interface MicropriceTable {
  /** how far the microprice lies from the mid, in ticks; null where that was seen too rarely */
  ticks: (number | null)[][];
  /** changes of the touch seen from there, each counted with its mirror image */
  observations: number[][];
}

/** The first principal component of the order flow imbalance of the best levels. */
export interface OfiWeights {
  window_ms: number;
  /** how many windows it was learnt from */
  windows: number;
  /** share of the variance of all levels that it explains */
  explained: number;
  /** by level, best first; the sum of their amounts is 1 */
  weights: number[];
}

/** One line of what `tapedeck fit` prints. */
export interface Fit {
  src: Source;
  /** times between which all lies that it was learnt from, both included */
  from: Micros;
  to: Micros;
  /** decimal text, of the instrument */
  tick: string;
  /** null where the tape was too short for it */
  microprice: MicropriceTable | null;
  ofi: OfiWeights | null;
}
