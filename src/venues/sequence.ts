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
    named: (_first: number, _last: number, previous: number) => previous,
    snapshot(id: number) {
      snapshotId = id;
      chain.joined = false;
      chain.last = -1;
    },
    whole(id: number) {
      chain.joined = true;
      chain.last = id;
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
    named: (first: number) => first,
    snapshot(id: number) {
      chain.last = id;
      chain.joined = false;
    },
    whole(id: number) {
      chain.joined = true;
      chain.last = id;
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

/**
 * Chains by one id a message (Bybit): an update follows when its id is the last one plus one, and a snapshot of the stream begins
 * anew. `first` is the engine's sequence, which never goes back: what does is out of order, whatever its id.
 */
export function chainedByOne(): Continuity {
  const chain = chained((last, final) => (final === last + 1 ? 'apply' : final <= last ? 'stale' : 'gap'));
  const { update, whole, reset, state, restore } = chain;
  let sequence = -1;
  chain.update = (first, final, previous) => {
    if (chain.joined && first >= 0 && first < sequence) return 'stale';
    const verdict = update(first, final, previous);
    if (verdict === 'apply' && first >= 0) sequence = first;
    return verdict;
  };
  chain.whole = (id) => {
    sequence = -1;
    whole(id);
  };
  chain.reset = () => {
    sequence = -1;
    reset();
  };
  chain.state = () => ({ ...state(), sequence });
  chain.restore = (saved) => {
    sequence = numberOf(saved, 'sequence');
    restore(saved);
  };
  return chain;
}

/**
 * Chains by ids that grow but skip (BingX): every larger one follows. How many were skipped is counted and proves nothing, so the
 * venue cannot prove its book; an id that goes back is a gap.
 */
export function chainedBySkips(): Continuity {
  const skips = { updates: 0, ids: 0 };
  const chain = chained((last, final) => {
    if (final <= last) return 'gap';
    if (final > last + 1) {
      skips.updates++;
      skips.ids += final - last - 1;
    }
    return 'apply';
  });
  return Object.assign(chain, { skips });
}

/**
 * Chains by the id of the update before (OKX `prevSeqId`, WEEX `U`): ids may repeat where nothing changed, and go back where the
 * venue began to count anew, as long as the chain holds. A snapshot over REST joins at the first update that reaches over it.
 */
export function chainedByLink(): Continuity {
  const chain = chained((last, final, previous) => {
    if (previous === last) return 'apply';
    return previous >= 0 && previous < last && final <= last ? 'stale' : 'gap';
  });
  const { update, reset, state, restore } = chain;
  chain.named = (_first, _last, previous) => previous;
  /** id of a snapshot over REST that waits to be joined */
  let asked = -1;
  chain.update = (first, final, previous) => {
    if (chain.joined || asked < 0) return update(first, final, previous);
    if (final <= asked) return 'stale';
    if (previous < 0 || previous > asked) return 'refetch';
    chain.whole(final);
    return 'apply';
  };
  chain.snapshot = (id) => {
    reset();
    asked = id;
  };
  chain.reset = () => {
    asked = -1;
    reset();
  };
  chain.state = () => ({ ...state(), asked });
  chain.restore = (saved) => {
    asked = numberOf(saved, 'asked');
    restore(saved);
  };
  return chain;
}

/** A chain that begins with a whole book in the stream; `judge` compares an update's ids with the last one applied. */
function chained(judge: (last: number, final: number, previous: number) => Verdict): Continuity {
  const chain = {
    joined: false,
    last: -1,
    update(_first: number, final: number, previous: number): Verdict {
      if (!chain.joined) return 'wait';
      const verdict = judge(chain.last, final, previous);
      if (verdict === 'apply') chain.last = final;
      return verdict;
    },
    named: (_first: number, final: number) => final,
    snapshot(id: number) {
      chain.whole(id);
    },
    whole(id: number) {
      chain.joined = true;
      chain.last = id;
    },
    reset() {
      chain.joined = false;
      chain.last = -1;
    },
    state: () => ({ last: chain.last, joined: chain.joined }),
    restore(state: Record<string, unknown>) {
      chain.last = numberOf(state, 'last');
      chain.joined = state.joined === true;
    },
  };
  return chain;
}

/** Trades whose ids prove nothing: none are missing, as far as anyone can tell. */
export function unprovenTrades(): TradeChain {
  return {
    ...{ next: () => 0, numbered: false, last: () => -1 },
    ...{ reset: () => {}, state: () => ({}), restore: () => {} },
  };
}

/** Trade ids that grow by exactly one. */
export function contiguousTrades(): TradeChain {
  let last = -1;
  return {
    next(id, first = id) {
      if (last < 0 || first === last + 1) {
        last = id;
        return 0;
      }
      if (id <= last) return -1;
      const missing = Math.max(0, first - last - 1);
      last = id;
      return missing;
    },
    numbered: true,
    last: () => last,
    reset() {
      last = -1;
    },
    state: () => ({ last }),
    restore(state) {
      last = numberOf(state, 'last');
    },
  };
}
