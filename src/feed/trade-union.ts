/** Trade ids of one topic by several connections: what none of them brought is missing. */
import { Era } from '../market/era.js';
import type { Micros } from '../model/entry.js';

/** Ids `first` to `last` are missing. */
export interface Hole {
  first: number;
  /** before `first` where ids begin anew: nobody can say what is missing */
  last: number;
  /** the id that came instead: that of the trade that showed it */
  got: number;
  /** `t` of the last trade before it, and of the one that showed it */
  from: Micros;
  shownT: Micros;
  /** a gap that was told already holds it */
  isTold: boolean;
}

export interface TradeUnion {
  /** a trade at `t`, or several merged into one with ids from `first` to `last`; `at`: when it was matched, where that is known */
  take(conn: string, first: number, last: number, t: Micros, at?: Micros): void;
  /** a gap was told: what is missing before the next ids is in it */
  forgive(): void;
  /** the socket is gone: it fills nothing any more */
  forget(conn: string): void;
  /** takes the holes that no open socket can fill by now */
  given(open: readonly { conn: string }[], t: Micros): Hole[];
  /** holes that may be filled yet */
  readonly held: number;
}

/** A connection this late says no more what another one skipped: nobody is so far behind. */
const HOLD: Micros = 5_000_000;

/** Ids that grow by exactly one. */
export function createTradeUnion(): TradeUnion {
  let newest = -1;
  let newestT: Micros = 0;
  let forgiven = false;
  const era = new Era();
  let holes: Hole[] = [];
  /** newest id by each socket */
  const positions = new Map<string, number>();

  const fill = (first: number, last: number): void => {
    if (holes.length === 0) return;
    holes = holes.flatMap((hole) => {
      if (last < hole.first || first > hole.last) return [hole];
      const left: Hole[] = [];
      if (hole.first < first) left.push({ ...hole, last: first - 1, got: first });
      if (hole.last > last) left.push({ ...hole, first: last + 1 });
      return left;
    });
  };

  return {
    take(conn, first, last, t, at = 0) {
      // of a numbering that is over: another connection began anew before this one
      const isLate = era.isBefore(at) && first > newest + 1;
      const isOld = newest >= 0 && (last <= newest || isLate);
      if (!isLate) positions.set(conn, Math.max(last, positions.get(conn) ?? -1));
      if (first <= newest || isLate) fill(first, last);
      const isAnew = isOld && era.beginsAnew(isLate, at);
      if (isOld && !isAnew) return;
      if (isAnew) {
        positions.clear();
        positions.set(conn, last);
      } else era.followed(at);
      if (isAnew || (newest >= 0 && first > newest + 1)) {
        const before = isAnew ? newest : first - 1;
        holes.push({ first: newest + 1, last: before, got: last, from: newestT, shownT: t, isTold: forgiven });
      }
      forgiven = false;
      newest = last;
      newestT = t;
    },
    forgive() {
      forgiven = true;
    },
    forget: (conn) => void positions.delete(conn),
    given(open, t) {
      if (holes.length === 0) return [];
      const isOpen = (hole: Hole): boolean =>
        hole.last >= hole.first &&
        t - hole.shownT < HOLD &&
        open.some(({ conn }) => (positions.get(conn) ?? -1) < hole.last);
      const given = holes.filter((hole) => !isOpen(hole));
      if (given.length > 0) holes = holes.filter(isOpen);
      return given;
    },
    get held() {
      return holes.length;
    },
  };
}

/** Ids that prove nothing. */
export function unprovenUnion(): TradeUnion {
  return { take: () => {}, forgive: () => {}, forget: () => {}, given: () => [], held: 0 };
}
