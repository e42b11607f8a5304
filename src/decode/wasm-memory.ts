/** The scanner's memory: where things stand in it (`assembly/memory.as.ts` says the same), and rooms for text. */
import type { TextRooms } from '../model/batch.js';

export const SLOTS_AT = 0x10000;
/** in sets of so many, the newest first */
export const SET_SLOTS = 4;
export const SLOTS = 1024 * SET_SLOTS;
export const ENVELOPES_AT = SLOTS_AT + SLOTS * 4;
export const EVENTS_AT = 0x110000;
/** More records at a time would leave the nearest caches. */
export const EVENTS = 256;
export const LEVELS_AT = 0x120000;
export const LEVELS = 0x10000;
/** four i32: records, levels, reason and messages of the last scan */
export const RESULTS_AT = 0x240100;
/** of the last run of touches: time and newest push time, two f64, and its word, a u32 */
export const RUN_AT = 0x240120;
/** where text is copied that stands elsewhere; it ends with slack, as the scanner reads eight bytes at a time */
export const SCRATCH_AT = 0x250000;
export const SCRATCH_BYTES = 0x80000;
/** text is copied in parts of this size where lines allow it: a line that is not usual makes the rest be copied again */
export const TEXT_BYTES = 0x10000;
/** what a fast book tells its owner */
export const TOLD_AT = 0x300000;
const ROOMS_AT = 0x400000;
/**
 * Rooms are not touched before they are used, so they cost no memory; beyond them text is copied. The last page is in none: a
 * line that ends with its room is still compared with an envelope of some hundred bytes.
 */
const MEMORY_BYTES = 0x10000000;
const PAGE = 0x10000;
export const SLACK = 64;

/** The whole memory, never grown: growing it would detach every buffer over it. */
export function createMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: MEMORY_BYTES / PAGE, maximum: MEMORY_BYTES / PAGE });
}

export interface Rooms extends TextRooms {
  /** a room that nobody had before, so all zeros; null where there is none left */
  takeNew(bytes: number): Buffer | null;
}

const wholePages = (bytes: number): number => Math.ceil((bytes + SLACK) / PAGE) * PAGE;

/** Rooms inside the memory, so that text is decompressed where it is scanned, and books stand where levels are read. */
export function createRooms(memory: WebAssembly.Memory): Rooms {
  /** rooms given back, by size */
  const free = new Map<number, number[]>();
  const taken = new WeakMap<Buffer, number>();
  let next = ROOMS_AT;
  const roomAt = (at: number, size: number): Buffer => {
    const room = Buffer.from(memory.buffer, at, size - SLACK);
    taken.set(room, at);
    return room;
  };
  const takeNew = (bytes: number): Buffer | null => {
    const size = wholePages(bytes);
    if (next + size > MEMORY_BYTES - PAGE) return null;
    next += size;
    return roomAt(next - size, size);
  };
  return {
    takeNew,
    take(bytes) {
      const size = wholePages(bytes);
      const at = free.get(size)?.pop();
      return at === undefined ? (takeNew(bytes) ?? Buffer.allocUnsafeSlow(bytes)) : roomAt(at, size);
    },
    give(room) {
      const at = taken.get(room);
      if (at === undefined) return;
      taken.delete(room);
      const size = room.length + SLACK;
      const same = free.get(size);
      if (same === undefined) free.set(size, [at]);
      else same.push(at);
    },
  };
}
