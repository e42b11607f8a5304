/** Levels read from bytes: price and size of each, whatever stands behind them, or a refusal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBareLevels, readLevels, readWideLevels } from '../../src/decode/levels.js';
import { cursor } from '../../src/decode/numbers.js';
import { EventBuffer } from '../../src/model/event.js';

const small = fc.nat(1e6);
const text = small.map(String);

describe.each([
  {
    name: 'readLevels',
    read: readLevels,
    level: fc.tuple(text, text),
    refused: [
      ...['', '[', '[[', '[[]]', '[["1"]]', '[["1","2","3"]]', '[["1","2"],]', '[["1","2"]', '[["1","2"] ]', '[[1,2]]'],
      ...['[["1.11","2"]]', '[["1","-2"]]', '[["1",2]]', '[[1,"2"]]', '{}'],
    ],
  },
  {
    name: 'readWideLevels',
    read: readWideLevels,
    level: fc.array(text, { minLength: 2, maxLength: 5 }),
    refused: [
      ...['', '[', '[[', '[[]]', '[["1"]]', '[["1","2","3"],]', '[["1","2","3"]', '[["1","2","3"] ]', '[[1,2,3]]'],
      ...[
        '[["1","2",3]]',
        '[["1","2","3",]]',
        '[["1","2","-3"]]',
        '[["1","2","3.0"]]',
        '[["1","2","x"]]',
        '[["1","2","3]]',
      ],
      ...['[["1","2","3""4"]]', '[["1.11","2","3"]]', '[["1","-2","3"]]', '[["1","2","3"}]', '{}'],
    ],
  },
  {
    name: 'readBareLevels',
    read: readBareLevels,
    level: fc.tuple(small, small, fc.nat(1e9)),
    refused: [
      ...['', '[', '[[', '[[]]', '[[1]]', '[[1,2]]', '[[1,2,]]', '[[1,2,3,4]]', '[[1,2,3],]', '[[1,2,3]', '[[1,2,3] ]'],
      ...['[["1","2","3"]]', '[[1,2,"3"]]', '[[1.11,2,3]]', '[[1,-2,3]]', '[[1,2,-3]]', '[[1,2,03]]', '[[1,2,3.0]]'],
      ...['[[01,2,3]]', '[[1,02,3]]', '[[1.,2,3]]', '[[1e1,2,3]]', '[[1,2e1,3]]', '[[1,2,3e1]]', '[[1 ,2,3]]', '{}'],
    ],
  },
])('$name', ({ read, level, refused }) => {
  const of = (json: string, out: EventBuffer): number => read(Buffer.from(json), 0, 1, 0, out);

  it('reads any number of levels behind those that are there, and only price and size of each', () => {
    fc.assert(
      fc.property(fc.array<(string | number)[]>(level, { maxLength: 60 }), fc.nat(5), (levels, before) => {
        const out = new EventBuffer(1, 8);
        out.levels.fill(-5);
        out.levelCount = before;
        const json = JSON.stringify(levels);
        expect(of(`${json},`, out)).toBe(levels.length);
        expect(cursor.at).toBe(json.length);
        expect(out.levelCount).toBe(before + levels.length);
        expect([...out.levels.subarray(before * 2, out.levelCount * 2)]).toEqual(
          levels.flatMap(([price, size]) => [Number(price) * 10, Number(size)]),
        );
        expect([...out.levels.subarray(0, before * 2)].every((x) => x === -5)).toBe(true);
      }),
    );
  });

  it.each(refused)('refuses %j', (json) => {
    expect(of(json, new EventBuffer(1, 1))).toBe(-1);
  });
});
