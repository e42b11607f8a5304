/** One side of the ledger: its cells by number, what the message under way did to them, and what cells without trades lost of late. */
import type { Micros } from '../model/entry.js';
import { LedgerLevel } from './ledger-level.js';
import { Ring } from './ring.js';

/** Cells that can be followed at once; more than a window of seconds touches. */
const MAX_SLOTS = 4096;

/** Values of a move: prices [LOW, END) of the cell, its number, and the size it lost. */
const LOW = 0;
const END = 1;
const CELL = 2;
const LOST = 3;
const MOVE = 4;

/** Values of what a cell lost (> 0) or gained (< 0) by a message, and when. */
const T = 0;
const LOSER = 1;
const SIZE = 2;
const REMOVAL = 3;

/** What cells without trades lost within the last guard: one of their trades may still be on its way. */
class RecentRemovals {
  readonly #ring = new Ring(REMOVAL);

  add(t: Micros, cell: number, removed: number, guard: Micros): void {
    const ring = this.#ring;
    while (ring.first < ring.next && t - ring.values[(ring.first & ring.mask) * REMOVAL + T] > guard) ring.first++;
    if (ring.full && !ring.grow()) ring.first++;
    const at = ring.push();
    const { values } = ring;
    values[at + T] = t;
    values[at + LOSER] = cell;
    values[at + SIZE] = removed;
  }

  /** Net size lost within the guard before `t`. */
  sum(t: Micros, cell: number, guard: Micros): number {
    const { values, mask, first, next } = this.#ring;
    let removed = 0;
    for (let n = next - 1; n >= first; n--) {
      const at = (n & mask) * REMOVAL;
      if (t - values[at + T] > guard) break;
      if (values[at + LOSER] === cell) removed += values[at + SIZE];
    }
    return Math.max(0, removed);
  }

  clear(): void {
    this.#ring.clear();
  }
}

export class LedgerSide {
  /** scaled width of a cell */
  width: number;
  /** levels in use, in no particular order */
  readonly live: LedgerLevel[] = [];
  /** levels let go before their time because there may not be more */
  evicted = 0;
  readonly recent = new RecentRemovals();
  /** moves of the message under way; the one at 0 is of no cell */
  #moves = new Float64Array(MOVE * 64).fill(Number.NaN);
  #moveCount = 1;
  /** offset of the newest move */
  #newest = 0;
  #table = createTable(64);
  /** traded cells that the message changed, each once */
  readonly touched: LedgerLevel[] = [];
  touchedCount = 0;

  constructor(width: number) {
    this.width = width;
  }

  /** The displayed size at a price went down by `lost`. Levels come sorted, so most fall into the cell of the one before. */
  change(price: number, lost: number): void {
    const moves = this.#moves;
    const at = this.#newest;
    if (price >= moves[at + LOW] && price < moves[at + END]) moves[at + LOST] += lost;
    else this.#begin(price, lost);
  }

  #begin(price: number, lost: number): void {
    const at = this.#moveCount++ * MOVE;
    if (at === this.#moves.length) {
      const grown = new Float64Array(at * 2);
      grown.set(this.#moves);
      this.#moves = grown;
    }
    const moves = this.#moves;
    const { width } = this;
    const cell = Math.floor(price / width);
    moves[at + LOW] = cell * width;
    moves[at + END] = (cell + 1) * width;
    moves[at + CELL] = cell;
    moves[at + LOST] = lost;
    this.#newest = at;
  }

  get moved(): boolean {
    return this.#moveCount > 1;
  }

  /** The message under way is whole: its moves go to `touched` where something was traded, else to `recent`. */
  gather(t: Micros, guard: Micros): void {
    const moves = this.#moves;
    const table = this.#table;
    const mask = table.length - 1;
    const end = this.#moveCount * MOVE;
    for (let at = MOVE; at < end; at += MOVE) {
      const cell = moves[at + CELL];
      const level = table[cell & mask];
      if (level.cell !== cell || level.traded === 0) {
        this.recent.add(t, cell, moves[at + LOST], guard);
        continue;
      }
      level.removing += moves[at + LOST];
      if (level.touched) continue;
      level.touched = true;
      this.touched[this.touchedCount++] = level;
    }
    this.#moveCount = 1;
    this.#newest = 0;
  }

  /** The level of a cell, or null when nothing was traded against it within the window. */
  find(cell: number): LedgerLevel | null {
    const level = this.#table[cell & (this.#table.length - 1)];
    return level.items > 0 && level.cell === cell ? level : null;
  }

  /** The place for a cell's level: the level itself, or one that is free to become it. */
  place(cell: number): LedgerLevel {
    let level = this.#table[cell & (this.#table.length - 1)];
    while (level.items > 0 && level.cell !== cell) {
      if (this.#table.length >= MAX_SLOTS) {
        this.evicted++;
        this.release(level);
        break;
      }
      this.#grow();
      level = this.#table[cell & (this.#table.length - 1)];
    }
    return level;
  }

  #grow(): void {
    const table = createTable(this.#table.length * 2);
    for (const level of this.live) table[level.cell & (table.length - 1)] = level;
    this.#table = table;
  }

  release(level: LedgerLevel): void {
    const last = this.live.pop();
    const at = last === undefined || last === level ? -1 : this.live.indexOf(level);
    if (at >= 0 && last !== undefined) this.live[at] = last;
    level.clear();
  }

  clear(): void {
    for (const level of [...this.live]) this.release(level);
    this.touchedCount = 0;
    this.#moveCount = 1;
    this.#newest = 0;
    this.recent.clear();
  }
}

function createTable(size: number): LedgerLevel[] {
  return Array.from({ length: size }, () => new LedgerLevel());
}
