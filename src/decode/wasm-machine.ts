/** The WebAssembly instance of a thread: compiled at build time, started when first asked for, shared by all its users. */
import { existsSync, readFileSync } from 'node:fs';
import { EVENT_STRIDE } from '../model/event.js';
import { digestOf } from './assembly-source.js';
import type { Layouts } from './layout.js';
import {
  createMemory,
  createRooms,
  EVENTS,
  EVENTS_AT,
  LEVELS,
  LEVELS_AT,
  RESULTS_AT,
  type Rooms,
  RUN_AT,
  SCRATCH_AT,
  SCRATCH_BYTES,
} from './wasm-memory.js';

export interface Exports {
  applyBook(
    book: number,
    levels: number,
    first: number,
    bids: number,
    asks: number,
    zero: number,
    inverse: number,
    tick: number,
    low: number,
    high: number,
  ): number;
  readPairs(p: number, to: number, first: number, priceDecimals: number, sizeDecimals: number): number;
  topVolume(book: number, side: number, limit: number): number;
  touchRun(first: number, count: number, after: number, before: number, emitted: number, word: number): number;
  scan(p: number, to: number, base: number, records: number, levels: number, max: number): number;
  slotOf(line: number): number;
  forget(): void;
  digestOf(family: number): number;
}

export interface Machine {
  exports: Exports;
  /** all of the memory */
  bytes: Buffer;
  rooms: Rooms;
  /** records and levels where the scanner writes them */
  events: Float64Array;
  levels: Float64Array;
  /** levels where anybody may put them, until the next scan of text that stands elsewhere */
  scratch: Float64Array;
  /** records, levels, reason and messages of the last scan */
  results: Int32Array;
  /** time and newest push time of the last run of touches, and its word */
  run: Float64Array;
  runWord: Int32Array;
  /** number of the family compiled from these layouts; -1 where there is none */
  familyOf(layouts: Layouts): number;
  /** whose envelopes stand in the memory */
  owner: object | null;
}

/** undefined: not tried yet; null: not to be had */
let machine: Machine | null | undefined;

/** Beside this module in the built program, and in its `dist` when sources are run. */
function scannerFile(): URL | null {
  for (const place of ['./scanner.wasm', '../../dist/decode/scanner.wasm']) {
    const url = new URL(place, import.meta.url);
    if (existsSync(url)) return url;
  }
  return null;
}

function start(): Machine | null {
  const file = scannerFile();
  if (file === null || typeof WebAssembly === 'undefined') return null;
  let memory: WebAssembly.Memory;
  let instance: WebAssembly.Instance;
  try {
    memory = createMemory();
    instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } });
  } catch {
    return null; // address space may be limited: the fallback needs none
  }
  const exports = instance.exports as Record<string, unknown> as Exports & Record<string, unknown>;
  const families = new Map<Layouts, number>();
  return {
    exports,
    bytes: Buffer.from(memory.buffer),
    rooms: createRooms(memory),
    events: new Float64Array(memory.buffer, EVENTS_AT, EVENTS * EVENT_STRIDE),
    levels: new Float64Array(memory.buffer, LEVELS_AT, LEVELS * 2),
    scratch: new Float64Array(memory.buffer, SCRATCH_AT, SCRATCH_BYTES / 8),
    results: new Int32Array(memory.buffer, RESULTS_AT, 4),
    run: new Float64Array(memory.buffer, RUN_AT, 2),
    runWord: new Int32Array(memory.buffer, RUN_AT + 16, 1),
    familyOf(layouts) {
      let family = families.get(layouts);
      if (family === undefined) {
        const wanted = digestOf(layouts);
        family = 0;
        for (let digest = exports.digestOf(0); digest !== wanted; digest = exports.digestOf(++family))
          if (digest === 0) {
            family = -1;
            break;
          }
        families.set(layouts, family);
      }
      return family;
    },
    owner: null,
  };
}

/** The machine of this thread; null where there is none. */
export function theMachine(): Machine | null {
  if (machine === undefined) machine = start();
  return machine;
}
