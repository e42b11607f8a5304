/** Books in the scanner's memory, so that the levels it wrote are applied where they stand. */
import {
  BOOK_STATE,
  type BookRoom,
  BookState,
  type FastBook,
  LADDER_SUMMARY,
  LADDER_TICKS,
  LADDER_WORDS,
  plainRoom,
  type SideRoom,
} from '../model/book-room.js';
import { type Machine, theMachine } from './wasm-machine.js';
import { LEVELS, TOLD_AT } from './wasm-memory.js';

// Where things stand in a book's room; `assembly/ladder.as.ts` says the same.
const STATE_BYTES = 64;
const WORDS_AT = LADDER_TICKS * 8;
const SUMMARY_AT = WORDS_AT + LADDER_WORDS * 4;
const FAR_AT = SUMMARY_AT + LADDER_SUMMARY * 4;
const FAR_SLOTS = 8192;
const SIDE_BYTES = FAR_AT + FAR_SLOTS * 16;

/**
 * Rooms begin at whole pages, and what stands at one place of all of them falls into one set of the processor's caches: 200 books
 * would push each other out. So each begins a little further inside its room than the one before.
 */
const SHIFT_BYTES = 4096 + 64;
const SHIFTS = 13;
let made = 0;

/** Tells of rooms whose books are gone without having left; they too are for the next ones. */
let lost: FinalizationRegistry<Buffer> | null = null;
const left: Buffer[] = [];

/** A room for one book; in ordinary memory where there is no compiled scanner, or no room in its memory. */
export function scannerBooks(): BookRoom {
  const machine = theMachine();
  if (machine === null) return plainRoom();
  const { rooms, bytes } = machine;
  const used = left.pop();
  const whole = used ?? rooms.takeNew(SHIFTS * SHIFT_BYTES + STATE_BYTES + 2 * SIDE_BYTES);
  if (whole === null) return plainRoom();
  const room = whole.subarray((made++ % SHIFTS) * SHIFT_BYTES);
  // a new room is all zeros, most of which is never touched; what far tables hold is overwritten
  if (used !== undefined) for (const side of [STATE_BYTES, STATE_BYTES + SIDE_BYTES]) room.fill(0, side, side + FAR_AT);
  const at = room.byteOffset;
  const state = new Int32Array(bytes.buffer, at, BOOK_STATE);
  const { FAR_BID, FAR_ASK } = BookState;
  const sides: [SideRoom, SideRoom] = [
    sideOf(room, STATE_BYTES, state.subarray(FAR_BID, FAR_BID + 2)),
    sideOf(room, STATE_BYTES + SIDE_BYTES, state.subarray(FAR_ASK, FAR_ASK + 2)),
  ];
  lost ??= new FinalizationRegistry((unused) => void left.push(unused));
  // a book keeps the arrays, not the object they came in
  lost.register(state, whole, state);
  const leave = (): void => {
    if (lost?.unregister(state)) left.push(whole);
  };
  return { sides, state, fast: new WasmBook(machine, at), leave };
}

function sideOf(room: Buffer, offset: number, state: Int32Array): SideRoom {
  const { buffer } = room;
  const at = room.byteOffset + offset;
  return {
    sizes: new Float64Array(buffer, at, LADDER_TICKS),
    words: new Int32Array(buffer, at + WORDS_AT, LADDER_WORDS),
    summary: new Int32Array(buffer, at + SUMMARY_AT, LADDER_SUMMARY),
    far: {
      prices: new Float64Array(buffer, at + FAR_AT, FAR_SLOTS),
      sizes: new Float64Array(buffer, at + FAR_AT + FAR_SLOTS * 8, FAR_SLOTS),
      state,
    },
  };
}

/** A class, so that all books have one shape: calls on objects of their own were measured as lookups. */
class WasmBook implements FastBook {
  readonly told: Float64Array;
  readonly #exports: Machine['exports'];
  readonly #levels: Float64Array;
  readonly #scratch: Float64Array;
  readonly #at: number;

  constructor({ exports, levels, scratch, bytes }: Machine, at: number) {
    this.told = new Float64Array(bytes.buffer, TOLD_AT, LEVELS * 2);
    this.#exports = exports;
    this.#levels = levels;
    this.#scratch = scratch;
    this.#at = at;
  }

  reaches(levels: Float64Array): boolean {
    return levels === this.#levels || levels === this.#scratch;
  }

  bring(levels: Float64Array): Float64Array {
    const scratch = this.#scratch;
    if (levels.length > scratch.length) return levels;
    scratch.set(levels);
    return scratch;
  }

  apply(
    levels: Float64Array,
    from: number,
    bids: number,
    asks: number,
    zero: number,
    inverse: number,
    tick: number,
    low: number,
    high: number,
  ): number {
    const at = levels.byteOffset + from * 8;
    return this.#exports.applyBook(this.#at, at, from, bids, asks, zero, inverse, tick, low, high);
  }

  topVolume(side: number, limit: number): number {
    return this.#exports.topVolume(this.#at, side, limit);
  }
}
