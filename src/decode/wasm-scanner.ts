/** The scanner compiled at build time: one WebAssembly instance a thread, shared by all its decoders. */
import type { TextRooms } from '../model/batch.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../model/event.js';
import { fineDecimals } from '../model/instrument.js';
import type { Envelope } from './envelope.js';
import type { Layouts } from './layout.js';
import { type Scanner, Stop } from './scanner.js';
import { theMachine } from './wasm-machine.js';
import {
  ENVELOPES_AT,
  EVENTS,
  EVENTS_AT,
  SCRATCH_AT,
  SCRATCH_BYTES,
  SET_SLOTS,
  SLACK,
  SLOTS,
  SLOTS_AT,
  TEXT_BYTES,
} from './wasm-memory.js';

/** Whether the compiled scanner is there and has the forms of these layouts. */
export function isCompiled(layouts: Layouts): boolean {
  const there = theMachine();
  return there !== null && there.familyOf(layouts) >= 0;
}

/**
 * A buffer in the scanner's own memory, which spares copying records: it is filled anew by the next decode of any decoder, so
 * only one that uses its records at once may have it. An ordinary buffer where there is no compiled scanner.
 */
export function scannerBuffer(): EventBuffer {
  const there = theMachine();
  return there === null ? new EventBuffer(EVENTS) : new EventBuffer(there.events, there.levels);
}

/** Rooms in the scanner's own memory, which spare copying text; undefined where there is no compiled scanner. */
export function scannerRooms(): TextRooms | undefined {
  return theMachine()?.rooms;
}

const NEWLINE = 0x0a;
/** Envelopes take what lies between the slots and the records. */
const ENVELOPES_BYTES = EVENTS_AT - ENVELOPES_AT;
/** Fields of an envelope before its bytes; `state.as.ts` and `scan.as.ts` read them. */
const ENVELOPE_HEAD = 44;

/** Creates a scanner over the shared machine. Call only where `isCompiled` holds for all layouts it will meet. */
export function createWasmScanner(): Scanner {
  const there = theMachine();
  if (there === null) throw new Error('there is no compiled scanner');
  const { exports, bytes: memory, events, levels, results } = there;
  const encoder = new TextEncoder();
  // what stands in the memory while this scanner owns it
  const slots = new Uint32Array(SLOTS);
  const slotBytes = new Uint8Array(slots.buffer);
  let envelopes = Buffer.alloc(4096);
  let used = 0;
  const self = {};
  let stop: number = Stop.done;
  let messages = 0;

  const load = (): void => {
    if (there.owner === self) return;
    there.owner = self;
    memory.set(slotBytes, SLOTS_AT);
    memory.set(envelopes.subarray(0, used), ENVELOPES_AT);
    exports.forget();
  };

  const forget = (): void => {
    slots.fill(0);
    used = 0;
    if (there.owner === self) there.owner = null;
  };

  /** Scans text that stands in the memory at `at`, into records and levels of the memory from `first` on. */
  const run = (at: number, size: number, base: number, records: number, pairs: number, max: number): number => {
    const end = exports.scan(at, at + size, base, records, pairs, max);
    stop = results[2];
    messages += results[3];
    return end;
  };

  /** How much of the text at `p` to copy in: whole lines, where it is not all; 0 where a line is too long. */
  const partOf = (bytes: Buffer, p: number, size: number): number => {
    for (const most of [TEXT_BYTES, SCRATCH_BYTES - SLACK]) {
      if (size <= most) return size;
      const part = bytes.lastIndexOf(NEWLINE, p + most - 1) + 1 - p;
      if (part > 0) return part;
    }
    return 0;
  };

  /** Adds what the memory's first records hold to a buffer elsewhere. */
  const copyOut = (out: EventBuffer): void => {
    const n = results[0];
    const pairs = results[1];
    while ((out.levelCount + pairs) * 2 > out.levels.length) out.growLevels();
    const o = out.count * EVENT_STRIDE;
    out.events.set(events.subarray(0, n * EVENT_STRIDE), o);
    out.levels.set(levels.subarray(0, pairs * 2), out.levelCount * 2);
    for (let at = o; at < o + n * EVENT_STRIDE; at += EVENT_STRIDE) {
      const kind = out.events[at + Field.KIND];
      if (kind === Kind.depth || kind === Kind.snapshot || kind === Kind.partial)
        out.events[at + Field.PRICE] += out.levelCount;
    }
    out.count += n;
    out.levelCount += pairs;
  };

  return {
    scan(bytes, from, to, out) {
      load();
      stop = Stop.done;
      messages = 0;
      const room = out.events.length / EVENT_STRIDE;
      const own = out.events === events && out.levels === levels;
      // a message outgrew the levels of the memory: what stands in the buffer must be used first
      if (out.events === events && !own && out.count > 0) return from;
      const inside = bytes.buffer === memory.buffer;
      let p = from;
      do {
        let at = bytes.byteOffset + p;
        let size = to - p;
        if (!inside) {
          size = partOf(bytes, p, size);
          if (size <= 0) {
            stop = Stop.unusual;
            return p;
          }
          bytes.copy(memory, SCRATCH_AT, p, p + size);
          at = SCRATCH_AT;
        }
        const base = at - p;
        let end: number;
        if (own) {
          end = run(at, size, base, out.count, out.levelCount, room);
          out.count = results[0];
          out.levelCount = results[1];
        } else {
          end = run(at, size, base, 0, 0, Math.min(room - out.count, EVENTS));
          copyOut(out);
        }
        const read = end - at;
        p += read;
        if (stop !== Stop.done || read === 0) return p;
      } while (p < to && out.count < room);
      return p;
    },
    get stop() {
      return stop;
    },
    get messages() {
      return messages;
    },
    learn({ prefix, origin, bound }: Envelope, bytes, p, to) {
      const symbol = encoder.encode(bound.escapedSymbol);
      const size = Math.ceil((ENVELOPE_HEAD + prefix.length + symbol.length + 8) / 8) * 8;
      if (used + size > ENVELOPES_BYTES) forget();
      if (used + size > envelopes.length) {
        const grown = Buffer.alloc(Math.min(ENVELOPES_BYTES, (used + size) * 2));
        envelopes.copy(grown, 0, 0, used);
        envelopes = grown;
      }
      const view = new DataView(envelopes.buffer, envelopes.byteOffset + used, size);
      view.setUint32(0, prefix.length, true);
      view.setUint32(4, ENVELOPE_HEAD, true);
      view.setUint32(8, ENVELOPE_HEAD + prefix.length, true);
      view.setUint32(12, there.familyOf(bound.layouts), true);
      view.setFloat64(16, origin, true);
      view.setUint32(
        24,
        bound.notFlow.reduce((bits, beside, index) => bits | (Number(beside) << index), 0) >>> 0,
        true,
      );
      view.setUint32(28, bound.scale.price, true);
      view.setUint32(32, bound.scale.size, true);
      view.setUint32(36, symbol.length, true);
      view.setUint32(40, fineDecimals(bound.scale), true);
      envelopes.set(prefix, used + ENVELOPE_HEAD);
      envelopes.set(symbol, used + ENVELOPE_HEAD + prefix.length);
      // the slot is a hash over the line's first bytes, which only the scanner computes
      const length = Math.min(to - p, 256);
      bytes.copy(memory, SCRATCH_AT, p, p + length);
      const slot = exports.slotOf(SCRATCH_AT);
      slots.copyWithin(slot + 1, slot, slot + SET_SLOTS - 1);
      slots[slot] = ENVELOPES_AT + used;
      if (there.owner === self) {
        memory.set(envelopes.subarray(used, used + size), ENVELOPES_AT + used);
        memory.set(slotBytes.subarray(slot * 4, (slot + SET_SLOTS) * 4), SLOTS_AT + slot * 4);
      }
      used += size;
    },
    forget,
  };
}
