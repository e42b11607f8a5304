/** The JSON decoder on parsed values: what is unknown, what is invalid, and what it leaves behind. */
import { describe, expect, it } from 'vitest';
import { boundOf } from '../../src/decode/envelope.js';
import { decodeJson } from '../../src/decode/json-decoder.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { futuresLayouts } from '../../src/venues/binance-layouts.js';

const source = boundOf({ layouts: futuresLayouts, symbol: 'BTCUSDT', scale: { price: 3, size: 5 }, flow: 'trade' });
const depth = {
  e: 'depthUpdate',
  E: 1786000001234,
  T: 1786000001231,
  s: 'BTCUSDT',
  U: 101,
  u: 105,
  pu: 99,
  b: [['1.5', '2']],
  a: [['2.5', '0']],
};

function decode(data: unknown, stream: unknown = 'btcusdt@depth@100ms', out = new EventBuffer(2, 1)): EventBuffer {
  decodeJson({ stream, data }, source, out);
  return out;
}

const kindOf = (data: unknown, stream?: unknown): number => decode(data, stream).events[Field.KIND];

describe('decodeJson', () => {
  it('fills a record and its levels', () => {
    const { events, levels } = decode(depth);
    expect([...events.subarray(Field.EMITTED, Field.SIZE2)]).toEqual([
      1786000001234000, 1786000001231000, 101, 105, 99, 0, 0, 1, 1,
    ]);
    expect([...levels.subarray(0, 4)]).toEqual([1500, 200000, 2500, 0]);
  });

  it('writes the next record and leaves the ones before', () => {
    const out = decode(depth);
    const before = [...out.events.subarray(0, EVENT_STRIDE)];
    out.count = 1;
    decode(depth, 'btcusdt@depth@100ms', out);
    expect([...out.events.subarray(0, EVENT_STRIDE)]).toEqual(before);
    expect(out.events[EVENT_STRIDE + Field.PRICE]).toBe(2);
    expect(out.levelCount).toBe(4);
  });

  it('an invalid book message takes its levels back', () => {
    const out = decode(depth);
    out.count = 1;
    decode(
      {
        ...depth,
        a: [
          ['1', '2'],
          ['x', '1'],
        ],
      },
      'btcusdt@depth@100ms',
      out,
    );
    expect([out.events[EVENT_STRIDE + Field.KIND], out.levelCount]).toEqual([Kind.invalid, 2]);
  });

  it.each([null, 7, 'text', [], true])('%j is unknown', (message) => {
    const out = new EventBuffer(1, 1);
    decodeJson(message, source, out);
    expect(out.events[Field.KIND]).toBe(Kind.unknown);
  });

  it.each([
    ['data', null],
    ['data', []],
    ['stream', 7],
    ['stream', 'btcusdt'],
    ['stream', 'btcusdt@'],
    ['stream', ''],
  ])('%s %j is unknown', (key, value) => {
    expect(key === 'data' ? kindOf(value) : kindOf(depth, value)).toBe(Kind.unknown);
  });

  it.each([
    { U: '101' },
    { U: 1.5 },
    { U: -1 },
    { u: 2 ** 53 },
    { pu: null },
    { E: undefined },
    { s: 'btcusdt' },
    { b: null },
    { b: {} },
    { b: [['1']] },
    { b: [[1, 2]] },
    { b: ['12'] },
    { b: [null] },
    { a: [['1', '-1']] },
    { a: [['0.0001', '1']] },
  ])('%j makes a depth update invalid', (change) => {
    expect(kindOf({ ...depth, ...change })).toBe(Kind.invalid);
  });

  it('keys of the prototype are no data', () => {
    expect(kindOf(JSON.parse(`{"__proto__":${JSON.stringify(depth)}}`))).toBe(Kind.unknown);
    expect(kindOf(depth, 'btcusdt@constructor')).toBe(Kind.unknown);
    const out = new EventBuffer(1, 1);
    decodeJson(JSON.parse('{"__proto__":{"result":null}}'), source, out);
    expect(out.events[Field.KIND]).toBe(Kind.unknown);
  });
});
