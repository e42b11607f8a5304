/** Runs of touches: the compiled loop and the one in TypeScript take the same touches and gather the same. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TouchRun, touchWord } from '../../src/decode/touch-run.js';
import { scannerBuffer } from '../../src/decode/wasm-scanner.js';
import { EVENT_STRIDE, Field, Kind } from '../../src/model/event.js';

const scaled = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.maxSafeNat());

interface Drawn {
  kind: number;
  origin: number;
  /** µs after the record before */
  step: number;
  emitted: number;
  numbers: [number, number, number, number];
}

const record: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom<number>(Kind.touch, Kind.touch, Kind.touch, Kind.touch, Kind.trade),
  origin: fc.constantFrom(0, 0, 0, 0, 1),
  step: fc.constantFrom(0, 1, 1, 1, 5),
  emitted: fc.nat(50),
  numbers: fc.tuple(scaled, scaled, scaled, scaled),
});

function write(events: Float64Array, records: readonly Drawn[]): void {
  let t = 100;
  records.forEach(({ kind, origin, step, emitted, numbers }, n) => {
    const o = n * EVENT_STRIDE;
    t += step;
    events[o + Field.KIND] = kind;
    events[o + Field.ORIGIN] = origin;
    events[o + Field.T] = t;
    events[o + Field.EMITTED] = emitted;
    [events[o + Field.PRICE], events[o + Field.SIZE], events[o + Field.PRICE2], events[o + Field.SIZE2]] = numbers;
  });
}

it('the compiled loop takes what the other one takes', () => {
  const { events } = scannerBuffer();
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 40 }),
      fc.nat(5),
      fc.integer({ min: 98, max: 103 }),
      fc.integer({ min: 100, max: 160 }),
      fc.nat(60),
      fc.integer(),
      (records, skip, after, before, emitted, word) => {
        const first = Math.min(skip, records.length - 1);
        write(events, records);
        const elsewhere = events.slice(0, records.length * EVENT_STRIDE);
        const [compiled, plain] = [new TouchRun(), new TouchRun()];
        const n = compiled.take(events, first, records.length, after, before, emitted, word);
        expect(plain.take(elsewhere, first, records.length, after, before, emitted, word)).toBe(n);
        expect([compiled.t, compiled.emitted, compiled.word]).toEqual([plain.t, plain.emitted, plain.word]);
      },
    ),
  );
});

it('a run ends with its kind, its origin, rising time and the bound', () => {
  const touch: Drawn = { kind: Kind.touch, origin: 0, step: 1, emitted: 7, numbers: [3, 1, 4, 1] };
  const events = new Float64Array(4 * EVENT_STRIDE);
  const take = (records: Drawn[], before = Number.POSITIVE_INFINITY): number => {
    write(events, records);
    return new TouchRun().take(events, 0, records.length, 100, before, 0, 0);
  };
  expect(take([touch, touch, touch])).toBe(3);
  expect(take([touch, { ...touch, kind: Kind.trade }, touch])).toBe(1);
  expect(take([touch, { ...touch, origin: 1 }, touch])).toBe(1);
  expect(take([touch, { ...touch, step: 0 }, touch])).toBe(1);
  expect(take([touch, touch, touch], 103)).toBe(2);
  const run = new TouchRun();
  write(events, [touch, touch]);
  run.take(events, 0, 2, 100, 1000, 9, 5);
  expect([run.t, run.emitted, run.word]).toEqual([102, 9, touchWord(events, EVENT_STRIDE, touchWord(events, 0, 5))]);
});
