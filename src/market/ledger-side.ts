/** One side of the ledger: its cells by number, what the message under way did to them, and what cells without trades lost of late. */
import type { Micros } from '../model/entry.js';
import { LedgerLevel } from './ledger-level.js';
import { RecentChanges } from './recent-changes.js';

/** Cells that can be followed at once; more than a window of seconds touches. */
const MAX_SLOTS = 4096;

/** Values of a move: prices [LOW, END) of the cell, its number, and the size it lost. */
const LOW = 0;
const END = 1;
const CELL = 2;
const LOST = 3;
const MOVE = 4;

export class LedgerSide {
  /** scaled width of a cell */
  width: number;
  /** levels in use, in no particular order */
  readonly live: LedgerLevel[] = [];
  /** levels let go before their time because there may not be more */
  evicted = 0;
  /** what cells without trades lost (> 0) or gained: one of their trades may still be on its way */
  readonly recent = new RecentChanges();
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
