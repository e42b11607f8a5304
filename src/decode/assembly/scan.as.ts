/**
 * The scanner's loop: line after line, the envelope in the one comparison, then the message by the forms generated for
 * its family. Whatever is not usual to the byte stops the loop, and the caller judges that line.
 *
 * A line is read without looking for its end first: no literal, number or plain string of a form holds a newline, so a form
 * cannot run into the next line, and what would end behind `to` is refused. Reads of eight bytes may reach beyond the text;
 * they stay inside the memory, which ends with slack, and what lies there decides nothing.
 */
import { decodeForm, digestOf } from './forms';
import { applyBook, topVolume } from './ladder';
import { EVENTS, LEVEL_ROOM, RESULTS, SET_BITS, SET_SLOTS, SLOTS } from './memory';
import { others, parse16, values } from './numbers';
import { readPairs } from './rest-book';
import { levelCount, rows, setEnvelope, setLevels, setRecordsEnd, setRows } from './state';
import { touchRun } from './touches';

const LINE_START: u32 = 0x2274227b; // {"t"
const T_AT: u32 = 5;
const PREFIX_AT: u32 = T_AT + 16;
const FIRST_T: u64 = 1000000000000000;
const MAX: u64 = 0x1fffffffffffff;
/** Levels that a long message may have: nearer to the end of their room, a message waits for the next call. */
const LEVELS_AHEAD: u32 = 8192;

/** Why `scan` came back. */
const DONE: u32 = 0;
const UNUSUAL: u32 = 1;
const NO_ENVELOPE: u32 = 2;

export { applyBook, digestOf, readPairs, topVolume, touchRun };

let current: u32 = 0;

/** Forgets which envelope the last line had: another decoder's envelopes were loaded. */
export function forget(): void {
  current = 0;
}

@inline
function samePrefix(envelope: u32, p: u32): bool {
  // longer than sixteen bytes, so the last sixteen may overlap those before; it nearly always is the same, so no early exit
  const last = load<u32>(envelope) - 16;
  const wanted = envelope + load<u32>(envelope, 4);
  let differs = v128.xor(v128.load(p + last), v128.load(wanted + last));
  let i: u32 = 0;
  while (i < last) {
    differs = v128.or(differs, v128.xor(v128.load(p + i), v128.load(wanted + i)));
    i += 16;
  }
  return !v128.any_true(differs);
}

/**
 * The first slot of the set in the envelope cache that a line's prefix falls into: by src and connection, which these bytes hold, and little
 * behind them. With the digits of a message in the hash, every message would have a slot of its own.
 */
export function slotOf(line: u32): u32 {
  const p = line + PREFIX_AT + 8;
  let h: u64 = load<u64>(p);
  let i: u32 = 8;
  while (i < 56) {
    h = rotl(h, 23) * 0x9e3779b97f4a7c15 ^ load<u64>(p + i);
    i += 8;
  }
  h = (h ^ (h >> 29)) * 0x9e3779b97f4a7c15;
  return <u32>(h >> (64 - SET_BITS)) * SET_SLOTS;
}

/** @returns the envelope of the line at `p`, made the current one; 0 where none is known */
function findEnvelope(p: u32): u32 {
  let slot = SLOTS + (slotOf(p) << 2);
  const end = slot + (SET_SLOTS << 2);
  while (slot < end) {
    const envelope = load<u32>(slot);
    if (envelope === 0) return 0;
    if (samePrefix(envelope, p + PREFIX_AT)) {
      current = envelope;
      setEnvelope(envelope);
      return envelope;
    }
    slot += 4;
  }
  return 0;
}

/**
 * Scans lines of `[p, to)` and appends a record for each, until a line is unusual or has no known envelope, or `max`
 * records stand in the buffer.
 * @param base address of the caller's offset 0
 * @param records number of records and of level pairs that stand in the buffer already
 * @returns the address behind the last line that was read
 */
export function scan(p: u32, to: u32, base: u32, records: u32, levels: u32, max: u32): u32 {
  let n = records;
  setLevels(levels);
  setRecordsEnd(EVENTS + (max << 7));
  let messages: u32 = 0;
  let why: u32 = DONE;
  while (p < to && n < max) {
    if (levelCount + LEVELS_AHEAD > LEVEL_ROOM && n > records) break;
    why = UNUSUAL;
    if (load<u32>(p) !== LINE_START || load<u8>(p, 4) !== 0x3a) break;
    const digits = values(p + T_AT);
    if (others(digits) !== 0) break;
    const t = parse16(digits);
    if (t < FIRST_T || t > MAX) break;
    let envelope = current;
    if (envelope === 0 || !samePrefix(envelope, p + PREFIX_AT)) {
      envelope = findEnvelope(p);
      if (envelope === 0) {
        why = NO_ENVELOPE;
        break;
      }
    }
    const o = EVENTS + (n << 7);
    const held = levelCount;
    setRows();
    const q = decodeForm(load<u32>(envelope, 12), p + PREFIX_AT + load<u32>(envelope), to, o);
    if (q === 0 || q >= to || load<u8>(q) !== 0x7d || (q + 1 !== to && load<u8>(q, 1) !== 0x0a)) {
      setLevels(held);
      break;
    }
    let record = o;
    n += rows;
    // as a rule one; a message of several trades has more
    while (record < EVENTS + (n << 7)) {
      store<f64>(record, <f64>(<i32>(p - base)), 8);
      store<f64>(record, <f64>(<i32>(q + 1 - base)), 16);
      store<f64>(record, <f64>(<i64>t), 24);
      store<f64>(record, load<f64>(envelope, 16), 120);
      record += 128;
    }
    p = q + 1 === to ? to : q + 2;
    messages++;
    why = DONE;
  }
  store<u32>(RESULTS, n);
  store<u32>(RESULTS, levelCount, 4);
  store<u32>(RESULTS, why, 8);
  store<u32>(RESULTS, messages, 12);
  return p;
}
