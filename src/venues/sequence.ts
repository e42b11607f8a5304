/** Sequence rules as small pure state machines, by the kinds that venues use. */
import type { Continuity, TradeChain, Verdict } from '../model/continuity.js';

/** Numbers of a saved state, by name; anything else in it is ignored. */
function numberOf(state: Record<string, unknown>, key: string): number {
  const value = state[key];
  return typeof value === 'number' ? value : -1;
}

/**
 * Chains by `previous` (Binance futures: `pu`): an event follows when its previous id is the last one applied.
 * The first event after a snapshot L must satisfy first <= L <= last, or previous == L; events with last < L are stale.
 * Ids are engine-wide, so `first == last + 1` must not be asked for.
 */
export function chainedByPrevious(): Continuity {
  let snapshotId = -1;
  let last = -1;
  let joined = false;
  return {
    update(first, final, previous): Verdict {
      if (joined) {
        if (previous === last) {
          last = final;
          return 'apply';
        }
        return final <= last ? 'stale' : 'gap';
      }
      if (snapshotId < 0) return 'wait';
      if (final < snapshotId) return 'stale';
      if (first <= snapshotId || previous === snapshotId) {
        joined = true;
        last = final;
        return 'apply';
      }
      return 'refetch';
    },
    snapshot(id) {
      snapshotId = id;
      joined = false;
      last = -1;
    },
    reset() {
      snapshotId = -1;
      joined = false;
      last = -1;
    },
    get joined() {
      return joined;
    },
    get last() {
      return last;
    },
    state: () => ({ snapshotId, last, joined }),
    restore(state) {
      snapshotId = numberOf(state, 'snapshotId');
      last = numberOf(state, 'last');
      joined = state.joined === true;
    },
  };
}

/**
 * Chains by ranges (Binance spot): an event follows when first <= last + 1 <= final; final <= last is a repeat.
 * The first event after a snapshot L must satisfy the same with L; a stream that starts after L + 1 needs a newer snapshot.
 */
export function chainedByRange(): Continuity {
  let last = -1;
  let joined = false;
  return {
    update(first, final): Verdict {
      if (last < 0) return 'wait';
      if (final <= last) return 'stale';
      if (first <= last + 1) {
        last = final;
        joined = true;
        return 'apply';
      }
      return joined ? 'gap' : 'refetch';
    },
    snapshot(id) {
      last = id;
      joined = false;
    },
    reset() {
      last = -1;
      joined = false;
    },
    get joined() {
      return joined;
    },
    get last() {
      return last;
    },
    state: () => ({ last, joined }),
    restore(state) {
      last = numberOf(state, 'last');
      joined = state.joined === true;
    },
  };
}

/** Trade ids that grow by exactly one. */
export function contiguousTrades(): TradeChain {
  let last = -1;
  return {
    next(id) {
      if (last < 0 || id === last + 1) {
        last = id;
        return 0;
      }
      if (id <= last) return -1;
      const missing = id - last - 1;
      last = id;
      return missing;
    },
    reset() {
      last = -1;
    },
    state: () => ({ last }),
    restore(state) {
      last = numberOf(state, 'last');
    },
  };
}
