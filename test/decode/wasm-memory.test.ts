/** The scanner's memory: the two descriptions of it agree, nothing overlaps, and what ends with it can be read to its end. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { scannerBooks } from '../../src/decode/wasm-books.js';
import * as ours from '../../src/decode/wasm-memory.js';
import { scannerRooms } from '../../src/decode/wasm-scanner.js';
import { BookState, LADDER_SUMMARY, LADDER_TICKS } from '../../src/model/book-room.js';
import { EVENT_STRIDE, EventBuffer, Field } from '../../src/model/event.js';
import { bindings, usualLines } from './messages.js';

const source = (name: string): string =>
  readFileSync(new URL(`../../src/decode/assembly/${name}.as.ts`, import.meta.url), 'utf8');

/** The numeric constants of an AssemblyScript module, by name. */
function constantsOf(name: string): Record<string, number> {
  const constants: Record<string, number> = {};
  for (const [, constant, value] of source(name).matchAll(/^(?:export )?const (\w+): [iu](?:32|64) = ([^;]+);/gm))
    constants[constant] = value.split(' + ').reduce((sum, term) => sum + product(term, constants), 0);
  return constants;
}

/** `(A << B) * 4` from left to right, which is all that sizes need; no number for anything else. */
function product(text: string, constants: Record<string, number>): number {
  const [first, ...steps] = text.replace(/[()]/g, '').split(' ');
  const numberOf = (word: string): number => constants[word] ?? Number(word);
  let value = numberOf(first);
  for (let i = 0; i < steps.length; i += 2) {
    const by = numberOf(steps[i + 1]);
    if (steps[i] === '<<') value *= 2 ** by;
    else if (steps[i] === '>>') value = Math.floor(value / 2 ** by);
    else value = steps[i] === '*' ? value * by : Number.NaN;
  }
  return value;
}

it('both sides say the same of the memory', () => {
  const theirs = constantsOf('memory');
  expect({
    slots: theirs.SLOTS,
    slotCount: theirs.SET_SLOTS * 2 ** theirs.SET_BITS,
    setSlots: theirs.SET_SLOTS,
    envelopes: theirs.ENVELOPES,
    events: theirs.EVENTS,
    levels: theirs.LEVELS,
    levelRoom: theirs.LEVEL_ROOM,
    results: theirs.RESULTS,
    run: theirs.RUN,
    told: theirs.TOLD,
  }).toEqual({
    slots: ours.SLOTS_AT,
    slotCount: ours.SLOTS,
    setSlots: ours.SET_SLOTS,
    envelopes: ours.ENVELOPES_AT,
    events: ours.EVENTS_AT,
    levels: ours.LEVELS_AT,
    levelRoom: ours.LEVELS,
    results: ours.RESULTS_AT,
    run: ours.RUN_AT,
    told: ours.TOLD_AT,
  });
});

it('both sides say the same of a ladder and of a record', () => {
  const there = constantsOf('ladder');
  const { sides, state } = scannerBooks();
  const [bids, asks] = sides;
  const at = (array: { byteOffset: number }, from = bids.sizes): number => array.byteOffset - from.byteOffset;
  expect([there.TICKS, there.SUMMARY, there.FAR_SLOTS]).toEqual([LADDER_TICKS, LADDER_SUMMARY, bids.far.prices.length]);
  expect(there.WORDS_AT).toBe(at(bids.words));
  expect(there.SUMMARY_AT).toBe(at(bids.summary));
  expect(there.FAR_AT).toBe(at(bids.far.prices));
  expect(there.FAR_AT + there.FAR_SLOTS * 8).toBe(at(bids.far.sizes));
  expect(there.SIDE_BYTES).toBe(at(asks.sizes));
  expect(there.STATE_BYTES).toBe(bids.sizes.byteOffset - state.byteOffset);
  expect([there.EDGE_AT, there.FAR_STATE_AT]).toEqual([
    BookState.EDGE * 4,
    bids.far.state.byteOffset - state.byteOffset,
  ]);
  expect(asks.far.state.byteOffset - bids.far.state.byteOffset).toBe(8);
  // the loop writes the fields of the line, in bytes
  const written = [...source('scan').matchAll(/store<f64>\(record, .*?, (\d+)\);/g)].map(([, at]) => Number(at) / 8);
  expect(written).toEqual([Field.START, Field.END, Field.T, Field.ORIGIN]);
  expect(source('scan')).toContain(`EVENTS + (n << ${Math.log2(EVENT_STRIDE * 8)})`);
});

it('no part of the memory reaches into the next', () => {
  const { TABLES, CONSTANTS } = constantsOf('memory');
  const { TABLED, TABLE_BYTES } = constantsOf('numbers');
  const parts: [name: string, at: number, bytes: number][] = [
    ['slots', ours.SLOTS_AT, ours.SLOTS * 4],
    ['envelopes', ours.ENVELOPES_AT, ours.EVENTS_AT - ours.ENVELOPES_AT],
    ['events', ours.EVENTS_AT, ours.EVENTS * EVENT_STRIDE * 8],
    ['levels', ours.LEVELS_AT, ours.LEVELS * 16],
    ['tables', TABLES, (TABLED + 1) * TABLE_BYTES],
    ['constants', CONSTANTS, 6 * 16],
    ['results', ours.RESULTS_AT, 16],
    ['scratch', ours.SCRATCH_AT, ours.SCRATCH_BYTES],
    ['told', ours.TOLD_AT, ours.LEVELS * 16],
  ];
  for (const [n, [name, at, bytes]] of parts.entries()) {
    const next = parts[n + 1]?.[1] ?? 0x400000;
    expect([name, at % 16, at + bytes <= next]).toEqual([name, 0, true]);
  }
});

it('text that ends with the last room, cut at every byte, is read or refused', () => {
  const rooms = scannerRooms();
  if (rooms === undefined) throw new Error('there is no compiled scanner');
  const taken = [rooms.take(1)];
  const take = (bytes: number): boolean => {
    const room = rooms.take(bytes);
    const inside = room.buffer === taken[0].buffer;
    if (inside) taken.push(room);
    return inside;
  };
  for (const size of [0x400000, 0x10000]) while (take(size - ours.SLACK));
  const last = taken.reduce((found, room) => (room.byteOffset > found.byteOffset ? room : found));
  expect(last.byteOffset).toBeGreaterThan(0xf000000);
  const decoder = createDecoder();
  const plain = createDecoder('json');
  for (const [src, binding] of bindings) for (const one of [decoder, plain]) one.bind(src, binding);
  const out = new EventBuffer(4, 16);
  const wanted = new EventBuffer(4, 16);
  for (const whole of usualLines()) {
    const bytes = Buffer.from(`${whole}\n`);
    for (let n = bytes.length; n > 0; n--) {
      const from = last.length - n;
      bytes.copy(last, from, 0, n);
      out.clear();
      wanted.clear();
      decoder.decode(last, from, last.length, out);
      plain.decode(last, from, last.length, wanted);
      expect([out.count, out.events[Field.KIND]]).toEqual([1, wanted.events[Field.KIND]]);
    }
  }
});

it('a room that was given back is handed out again, and its text stays until then', () => {
  const rooms = ours.createRooms(ours.createMemory());
  const first = rooms.take(1000);
  const second = rooms.take(1000);
  expect(second.byteOffset).toBeGreaterThanOrEqual(first.byteOffset + first.length + ours.SLACK);
  rooms.give(first);
  rooms.give(first);
  rooms.give(Buffer.alloc(10));
  expect(rooms.take(1000).byteOffset).toBe(first.byteOffset);
  expect(rooms.take(1000).byteOffset).toBeGreaterThan(second.byteOffset);
});
