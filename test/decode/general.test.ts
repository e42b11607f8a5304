/** The general decoder: which messages it takes, with what result, and that it leaves to JSON.parse whatever it is not sure of. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import { boundOf } from '../../src/decode/envelope.js';
import { decodeGeneral } from '../../src/decode/general.js';
import type { FieldLayout, Layouts } from '../../src/decode/layout.js';
import { EventBuffer, Field, Kind } from '../../src/model/event.js';
import { compareAll, type Line, runDecoder } from './compare.js';
import { bindings, futures, line, SPOT, sources, USDM, usualLines } from './messages.js';

const messages = futures('BTCUSDT', '').filter((message) => !message.includes('forceOrder'));
const depth = messages[0];
const trade = messages.find((message) => message.includes('@trade')) ?? '';

/** The record of a message, without its place in the text, and which way it took; all decoders must agree on it. */
function decoded(message: string): { way: string; record: Omit<Line, 'origin'> } {
  const bytes = Buffer.from(`${line(USDM, message)}\n`);
  const { fast, general } = compareAll(bytes, 0, bytes.length, bindings, sources);
  const [{ kind, fields, levels }] = runDecoder(bytes, 0, bytes.length, { bindings, mode: 'wasm' }).lines;
  fields[Field.END] = 0;
  return { way: fast > 0 ? 'fast' : general > 0 ? 'general' : 'slow', record: { kind, fields, levels } };
}

/** Members of the payload, rearranged. */
function rearranged(message: string, change: (members: string[]) => string[]): string {
  const { stream, data }: { stream: string; data: object } = JSON.parse(message);
  const members = Object.entries(data).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{"stream":${JSON.stringify(stream)},"data":{${change(members).join(',')}}}`;
}

describe('takes, with the record of the usual form', () => {
  it.each([
    ['keys in another order', (members: string[]) => members.reverse()],
    ['an added number', (members: string[]) => ['"zz":-1.5e3', ...members]],
    ['an added object with known keys', (members: string[]) => [...members, '"o":{"e":"x","b":[["1","2"]],"p":1}']],
    ['an added list', (members: string[]) => members.toSpliced(2, 0, '"zz":[[],{},[null,true,"\\u0022}"]]')],
    ['an added key with any characters but escapes', (members: string[]) => ['"币 😀":1', ...members]],
    ['blanks and tabs', (members: string[]) => members.map((member) => ` ${member.replace(':', ' \t: ')}\t`)],
  ])('%s', (_, change) => {
    for (const message of messages) {
      const { way, record } = decoded(rearranged(message, change));
      expect([message, way]).toEqual([message, 'general']);
      expect(record).toEqual(decoded(message).record);
    }
  });

  it('the payload before the topic, and keys beside both', () => {
    const { stream, data } = /^\{(?<stream>"stream":".*?"),(?<data>"data":.*)\}$/.exec(depth)?.groups ?? {};
    const { way, record } = decoded(`{"id":7,${data},"more":{"stream":"x"},${stream}}`);
    expect([way, record]).toEqual(['general', decoded(depth).record]);
  });

  it('any order of any message, by each market', () => {
    const order = fc.array(fc.nat(99), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...usualLines().filter((one) => !one.includes(SPOT))), order, (one, numbers) => {
        const { msg, ...head } = JSON.parse(one);
        const shuffled = rearranged(JSON.stringify(msg), (members) =>
          members
            .map((member, n) => ({ member, at: numbers[n] }))
            .sort((a, b) => a.at - b.at)
            .map(({ member }) => member),
        );
        const bytes = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"msg":${shuffled}}\n`);
        const { fast, general, slow } = compareAll(bytes, 0, bytes.length, bindings, sources);
        expect([fast + general, slow]).toEqual([1, 0]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what a layout allows', () => {
  const levels: FieldLayout[] = [
    { key: 'b', form: 'levels', means: 'bids', loose: true },
    { key: 'a', form: 'levels', means: 'asks' },
  ];
  const made: Layouts = {
    id: 'made_up',
    topic: { stream: ['ch'], symbol: 's' },
    payload: 'd',
    type: 'e',
    control: [],
    messages: [
      {
        name: 'depth',
        event: 'depth',
        streams: ['book'],
        fields: [
          { key: 'v', form: 'id', means: 'id', positive: true },
          { key: 'f', form: 'id', means: 'first', optional: true, positive: true, loose: true },
          ...levels,
        ],
      },
      {
        name: 'trade',
        event: 'trade',
        streams: ['deal'],
        fields: [
          { key: 'p', form: 'price', means: 'price', loose: true },
          { key: 'q', form: 'size', means: 'size' },
          { key: 'T', form: 'text', means: 'aggressor', loose: true },
          { key: 'X', form: 'text', means: 'print', optional: true },
        ],
        aggressors: { buy: '0', sell: '100' },
      },
    ],
  };

  /** The record of a payload, on which the decoders agree: kind, first and last id, side, price, levels; and the way it took. */
  function read(stream: string, payload: string): { way: string; record: unknown } {
    const bytes = Buffer.from(`{"t":1700000000000000,"src":"v:AB","msg":{"ch":"${stream}","s":"AB","d":{${payload}}}}`);
    const [general, json] = (['wasm', 'json'] as const).map((mode) => {
      const decoder = createDecoder(mode);
      decoder.bind('v:AB', { layouts: made, symbol: 'AB', scale: { price: 3, size: 1 }, flow: 'trade' });
      const out = new EventBuffer(2, 1);
      decoder.decode(bytes, 0, bytes.length, out);
      const e = out.events;
      const named = { kind: e[Field.KIND], first: e[Field.FIRST], last: e[Field.LAST], side: e[Field.SIDE] };
      const record = { ...named, price: e[Field.PRICE], levels: [...out.levels.subarray(0, out.levelCount * 2)] };
      if (named.kind === Kind.invalid) return { way: decoder.counts.general, record: { kind: Kind.invalid } };
      return { way: decoder.counts.general, record };
    });
    expect(general.record).toEqual(json.record);
    return { way: general.way > 0 ? 'general' : 'slow', record: general.record };
  }

  const { depth: update, trade: deal, invalid } = Kind;

  it.each([
    ['"v":7,"f":5', 'general', 5],
    ['"v":7,"f":"5"', 'general', 5],
    ['"v":7,"f":0', 'general', 7],
    ['"v":7,"f":"0"', 'general', 7],
    ['"v":7,"f":null', 'general', 7],
    ['"v":7,"f":0.0', 'slow', 7],
    ['"v":7,"f":-0', 'slow', 7],
    ['"v":0,"f":5', 'slow', null],
    ['"v":0.0,"f":5', 'slow', null],
    ['"v":7,"f":-5', 'slow', null],
    ['"v":7,"f":"00"', 'slow', null],
  ])('0 is no value where it counts as missing: %s', (ids, way, first) => {
    const wanted = first === null ? { kind: invalid } : { kind: update, first, last: 7 };
    expect(read('book', `${ids},"b":[],"a":[]`)).toMatchObject({ way, record: wanted });
  });

  it.each([
    ['[[1.5,2,9],["1.25","3"],[10,0.1]]', 'general', [1500, 20, 1250, 30, 10000, 1]],
    ['[[0.080000,1]]', 'slow', [80, 10]],
    ['[[7.5e2,1]]', 'slow', [750000, 10]],
    ['[[1,2E+1]]', 'slow', [1000, 200]],
    ['[[123456789012345,1]]', 'slow', null],
    ['[[1234567890123.0,1]]', 'general', [1234567890123000, 10]],
    ['[[12345678901234.0,1]]', 'slow', null],
    // a float64 has no such thousandth: why only short numbers are sure
    ['[[9000000000000.001,1]]', 'slow', [9000000000000002, 10]],
    ['[[1.000000000000000000001,1]]', 'slow', [1000, 10]],
    ['[[0,0]]', 'general', [0, 0]],
    ['[[-0,1]]', 'slow', [0, 10]],
    ['[[-1,1]]', 'slow', null],
    ['[[1.5,0.01]]', 'slow', null],
    ['[[1.5]]', 'slow', null],
    ['[[]]', 'slow', null],
    ['[[null,1]]', 'slow', null],
    ['[[1,true]]', 'slow', null],
    ['[[[1],1]]', 'slow', null],
    ['[[1 ,1]]', 'slow', [1000, 10]],
  ])('levels of numbers: %s', (bids, way, levels) => {
    const wanted = levels === null ? { kind: invalid } : { kind: update, levels };
    expect(read('book', `"v":7,"b":${bids},"a":[]`)).toMatchObject({ way, record: wanted });
    // only where the layout says so
    if (!bids.includes('"') && levels !== null)
      expect(read('book', `"v":7,"b":[],"a":${bids}`).record).toEqual({ kind: invalid });
  });

  it.each([
    ['0', 'general', 1],
    ['100', 'general', -1],
    ['"100"', 'general', -1],
    ['1e2', 'slow', -1],
    ['100.0', 'slow', -1],
    ['-0', 'slow', 1],
    ['7', 'slow', null],
    ['"1e2"', 'slow', null],
    ['true', 'slow', null],
    ['null', 'slow', null],
  ])('a word written as a number: %s', (side, way, wanted) => {
    const record = wanted === null ? { kind: invalid } : { kind: deal, side: wanted, price: 1500 };
    for (const [price, sure] of [
      ['"1.5"', true],
      ['1.5', true],
      ['1.50', true],
      ['15e-1', false],
    ] as const)
      expect(read('deal', `"p":${price},"q":"1","T":${side}`)).toMatchObject({ way: sure ? way : 'slow', record });
    for (const rest of ['"q":1', '"q":"1","X":7'])
      expect(read('deal', `"p":1.5,"T":${side},${rest}`).record).toEqual({ kind: invalid });
  });
});

describe('gives up, and JSON.parse has the last word', () => {
  it.each([
    ['a key twice, of which the last counts', depth.replace('"U":', '"U":5,"U":'), true],
    ['an escaped key that comes before its own', depth.replace('"e":', '"\\u0055":5,"e":'), true],
    ['an escaped key that comes after its own', depth.replace('"u":', '"\\u0055":5,"u":'), false],
    ['an escaped key of no meaning', depth.replace('"e":', '"z\\u007a":5,"e":'), true],
    ['an escaped type', depth.replace('"depthUpdate"', '"depth\\u0055pdate"'), true],
    [
      'a topic twice',
      depth.replace('"data"', '"stream":"x","data"').replace(/\}$/, ',"stream":"btcusdt@depth"}'),
      true,
    ],
    ['an escape in the print', trade.replace('"MARKET"', '"M\\u0041RKET"'), true],
    ['an exponent', trade.replace('"64010.20"', '"6.40102e4"'), true],
    [
      'more keys than any message has',
      rearranged(depth, (all) => [...all, ...Array.from({ length: 64 }, (_, n) => `"k${n}":1`)]),
      true,
    ],
  ])('%s', (_, message, same) => {
    const { way, record } = decoded(message);
    expect(way).toBe('slow');
    const usual = decoded(message.includes('@trade') ? trade : depth).record;
    if (same) expect(record).toEqual(usual);
    else expect(record).not.toEqual(usual);
  });

  it('whatever is no JSON: what it accepts, JSON.parse accepts, and ends where the decoder says', () => {
    const binding = bindings.get(USDM);
    if (binding === undefined) throw new Error('no binding');
    const bound = boundOf(binding);
    const out = new EventBuffer(2, 64);
    const odd = rearranged(depth, (members) => ['"zz":[{"a":[1.5e-3,true,null,"x"]}, false ]', ...members.reverse()]);
    const piece = fc.constantFrom(
      ...'{}[]",:.-+eE0129 \t\r\\utfn\u0000\u007f'.split(''),
      '',
      '""',
      '00',
      '1.',
      'nul',
      '[1,]',
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat(odd.length), fc.nat(2), piece, (at, gone, put) => {
        const text = odd.slice(0, at) + put + odd.slice(at + gone);
        const bytes = Buffer.from(`}${text}"]}}`);
        out.clear();
        const behind = decodeGeneral(bytes, 1, bytes.length - 4, bound, out);
        if (behind < 0) {
          expect(out.levelCount).toBe(0);
          return;
        }
        accepted++;
        JSON.parse(bytes.toString('utf8', 1, behind));
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
