/** Where a stream that several connections bring stands by its ids, and what the next record is to it. */
import type { Continuity } from '../model/continuity.js';

/** `next` follows; `old` was brought already; `ahead` has a hole before it. */
export type Place = 'next' | 'old' | 'ahead';

/** The order of one stream, whichever connection brings a record. Judging what follows moves on to it. */
export interface IdOrder {
  judge(first: number, last: number, previous: number): Place;
  /** goes on from this id, whatever came before */
  begin(id: number): void;
  /** newest id; -1 before any */
  last(): number;
  /** plain JSON */
  state(): Record<string, unknown>;
  restore(state: Record<string, unknown>): void;
}

/** Book updates, by the venue's own chain. */
export function bookOrder(chain: Continuity): IdOrder {
  return {
    judge(first, last, previous) {
      const verdict = chain.update(first, last, previous);
      if (verdict === 'stale') return 'old';
      // ids the venue uses for a book that is gone begin nothing: whoever follows the book refuses them
      return verdict === 'gap' ? 'ahead' : 'next';
    },
    begin: (id) => chain.whole(id),
    last: () => chain.last,
    state: () => chain.state(),
    restore: (state) => chain.restore(state),
  };
}

/** Trades, whose ids grow by exactly one; a record of several merged trades has the first and the last of them. */
export function tradeOrder(): IdOrder {
  return numbers((last, first) => (first <= last + 1 ? 'next' : 'ahead'));
}

/** Best quotes, whose ids grow and leave others out: a hole cannot be told. */
export function touchOrder(): IdOrder {
  return numbers(() => 'next');
}

/** `judge` places a record that ends behind `last`. */
function numbers(judge: (last: number, first: number) => Place): IdOrder {
  let last = -1;
  return {
    judge(first, final) {
      if (final <= last) return 'old';
      const place = judge(last, first);
      if (place === 'next') last = final;
      return place;
    },
    begin(id) {
      last = id;
    },
    last: () => last,
    state: () => ({ last }),
    restore(state) {
      last = typeof state.last === 'number' ? state.last : -1;
    },
  };
}
