/** Which signals are printed: each line is judged by itself, after the scan, so that filters change no other line. */
import type { Side, Signal } from '../model/signal.js';

/** What a person gave; undefined where nothing was given. */
export interface GivenFilter {
  minScore?: number | undefined;
  side?: Side | undefined;
  /** see where.ts */
  where?: string | undefined;
}

export interface SignalFilter {
  passes(signal: Signal): boolean;
  /** what is odd in it, in sentences for people */
  notes: readonly string[];
}

/**
 * Reads a filter; null where every line is to be printed.
 * @throws {TapedeckError} E_CONFIG for an expression that cannot be read
 */
export async function signalFilter({ minScore, side, where }: GivenFilter): Promise<SignalFilter | null> {
  if (minScore === undefined && side === undefined && where === undefined) return null;
  // the parser is loaded by those who need it
  const expression = where === undefined ? null : (await import('./where.js')).parseWhere(where);
  return {
    notes: expression?.notes ?? [],
    passes: (signal) =>
      (minScore === undefined || signal.score >= minScore) &&
      (side === undefined || signal.side === side) &&
      (expression === null || expression.passes(signal)),
  };
}
