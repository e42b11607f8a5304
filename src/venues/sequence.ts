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
  const chain = {
    // fields, not getters: objects with getters have a shape each, and a call on them is a lookup
    joined: false,
    last: -1,
    update(first: number, final: number, previous: number): Verdict {
      if (chain.joined) {
        if (previous === chain.last) {
          chain.last = final;
          return 'apply';
        }
        return final <= chain.last ? 'stale' : 'gap';
      }
      if (snapshotId < 0) return 'wait';
      if (final < snapshotId) return 'stale';
      if (first <= snapshotId || previous === snapshotId) {
        chain.joined = true;
        chain.last = final;
        return 'apply';
      }
      return 'refetch';
    },
    snapshot(id: number) {
      snapshotId = id;
      chain.joined = false;
      chain.last = -1;
    },
    reset() {
      snapshotId = -1;
      chain.joined = false;
      chain.last = -1;
    },
    state: () => ({ snapshotId, last: chain.last, joined: chain.joined }),
    restore(state: Record<string, unknown>) {
      snapshotId = numberOf(state, 'snapshotId');
      chain.last = numberOf(state, 'last');
      chain.joined = state.joined === true;
    },
  };
  return chain;
}

/**
 * Chains by ranges (Binance spot): an event follows when first <= last + 1 <= final; final <= last is a repeat.
 * The first event after a snapshot L must satisfy the same with L; a stream that starts after L + 1 needs a newer snapshot.
 */
export function chainedByRange(): Continuity {
  const chain = {
    joined: false,
    last: -1,
    update(first: number, final: number): Verdict {
      if (chain.last < 0) return 'wait';
      if (final <= chain.last) return 'stale';
      if (first <= chain.last + 1) {
        chain.last = final;
        chain.joined = true;
        return 'apply';
      }
      return chain.joined ? 'gap' : 'refetch';
    },
    snapshot(id: number) {
      chain.last = id;
      chain.joined = false;
    },
    reset() {
      chain.last = -1;
      chain.joined = false;
    },
    state: () => ({ last: chain.last, joined: chain.joined }),
    restore(state: Record<string, unknown>) {
      chain.last = numberOf(state, 'last');
      chain.joined = state.joined === true;
    },
  };
  return chain;
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
