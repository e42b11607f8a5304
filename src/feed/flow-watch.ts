/** Finds out that the flow channel of a src is silent although trades happen, as its witness shows. */
import type { Micros } from '../model/entry.js';
import { WITNESSED } from '../model/witness.js';

export interface FlowWatch {
  /** the flow spoke, or cannot be expected to */
  reset(): void;
  /** the witness spoke at `t`; true where the flow is missing */
  witnessed(t: Micros): boolean;
}

/** Both are pushed at once: so long the one never is behind the other. */
const BEHIND: Micros = 10_000_000;

export function createFlowWatch(): FlowWatch {
  let count = 0;
  let since: Micros = 0;
  return {
    reset() {
      count = 0;
    },
    witnessed(t) {
      if (count++ === 0) since = t;
      return count >= WITNESSED && t - since >= BEHIND;
    },
  };
}
