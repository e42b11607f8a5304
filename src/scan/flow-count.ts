/** Markets whose trades came in other words only: counted while a scan goes on, told at its end, however it was divided. */
import type { Source } from '../model/entry.js';
import { WITNESSED } from '../model/witness.js';

/** What was met of a src. */
export interface FlowCount {
  src: Source;
  /** the channel that counts as flow, and its trades */
  flow: string;
  trades: number;
  /** the channel that shows the same trades, and how many came by others than the flow */
  witness: string;
  beside: number;
}

/** Notes of those that have no flow, in order of their srcs. Parts of one src count together, also where they overlap. */
export function flowNotes(counts: readonly FlowCount[]): string[] {
  const bySrc = new Map<Source, FlowCount>();
  for (const one of counts) {
    const before = bySrc.get(one.src) ?? { trades: 0, beside: 0 };
    bySrc.set(one.src, { ...one, trades: before.trades + one.trades, beside: before.beside + one.beside });
  }
  return [...bySrc.values()]
    .filter(({ trades, beside }) => trades === 0 && beside >= WITNESSED)
    .sort((a, b) => (a.src < b.src ? -1 : 1))
    .map(
      ({ src, flow, witness }) => `${src}: no trades of ${flow}, which counts as flow, although ${witness} shows some`,
    );
}
