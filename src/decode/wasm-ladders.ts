/** Price ladders in the scanner's memory, so that the levels it wrote are applied where they stand. */
import {
  type FastLadder,
  LADDER_SUMMARY,
  LADDER_TICKS,
  LADDER_WORDS,
  type LadderRoom,
  plainLadders,
} from '../model/ladder.js';
import { type Machine, theMachine } from './wasm-machine.js';
import { LEVELS, LEVELS_AT, TOLD_AT } from './wasm-memory.js';

const WORDS_AT = LADDER_TICKS * 8;
const SUMMARY_AT = WORDS_AT + LADDER_WORDS * 4;
const SIDE_BYTES = SUMMARY_AT + LADDER_SUMMARY * 4;

/** Gives back the rooms of ladders that nobody holds any more: a book does not say so itself. */
let lost: FinalizationRegistry<Buffer> | null = null;

/** The ladders of one book; in ordinary memory where there is no compiled scanner, or no room in its memory. */
export function scannerLadders(): [LadderRoom, LadderRoom] {
  const machine = theMachine();
  if (machine === null) return plainLadders();
  const { rooms, bytes } = machine;
  const room = rooms.take(2 * SIDE_BYTES);
  if (room.buffer !== bytes.buffer) return plainLadders();
  room.fill(0);
  const sides: [LadderRoom, LadderRoom] = [sideOf(machine, room, 0), sideOf(machine, room, 1)];
  lost ??= new FinalizationRegistry((unused) => theMachine()?.rooms.give(unused));
  // a book keeps the arrays, not the object they came in
  lost.register(sides[0].sizes, room);
  return sides;
}

function sideOf(machine: Machine, room: Buffer, side: number): LadderRoom {
  const { buffer } = machine.bytes;
  const at = room.byteOffset + side * SIDE_BYTES;
  return {
    sizes: new Float64Array(buffer, at, LADDER_TICKS),
    words: new Int32Array(buffer, at + WORDS_AT, LADDER_WORDS),
    summary: new Int32Array(buffer, at + SUMMARY_AT, LADDER_SUMMARY),
    fast: new WasmLadder(machine, side, at),
  };
}

/** A class, so that the ladders of all books have one shape: calls on objects with a getter each were measured as lookups. */
class WasmLadder implements FastLadder {
  readonly told: Float64Array;
  readonly results: Int32Array;
  readonly #exports: Machine['exports'];
  readonly #levels: Float64Array;
  readonly #side: number;
  readonly #at: number;

  constructor({ exports, levels, bytes, results }: Machine, side: number, at: number) {
    this.told = new Float64Array(bytes.buffer, TOLD_AT, LEVELS * 2);
    this.results = results;
    this.#exports = exports;
    this.#levels = levels;
    this.#side = side;
    this.#at = at;
  }

  reaches(levels: Float64Array): boolean {
    return levels === this.#levels;
  }

  apply(
    from: number,
    to: number,
    zero: number,
    inverse: number,
    tick: number,
    best: number,
    low: number,
    high: number,
  ): number {
    const first = LEVELS_AT + from * 8;
    const pairs = (to - from) >> 1;
    return this.#exports.applyLevels(this.#side, this.#at, first, from, pairs, zero, inverse, tick, best, low, high);
  }

  count(): number {
    return this.results[3];
  }
}
