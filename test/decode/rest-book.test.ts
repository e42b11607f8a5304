/** Books of REST read apart from their lines: what JSON and the venue say of the same line, or left to them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../src/decode/decoder.js';
import type { RestBook } from '../../src/decode/rest-book.js';
import { theMachine } from '../../src/decode/wasm-machine.js';
import { scaleLevels } from '../../src/market/scaled-levels.js';
import { parseEntry } from '../../src/tape/line.js';
import { binanceUsdm } from '../../src/venues/binance.js';
import { okxSwap } from '../../src/venues/okx.js';
import type { Venue } from '../../src/venues/venue.js';
import { weexFutures } from '../../src/venues/weex.js';
import { seed } from '../seed.js';
import { mutate, random } from './mutate.js';

const scale = { price: 3, size: 5 };
const srcOf = ({ id }: Venue): string => `${id}:X`;

function decoderOf(venue: Venue, mode?: 'typescript' | 'json'): (line: Buffer) => RestBook | null {
  const decoder = createDecoder(mode);
  decoder.bind(srcOf(venue), { layouts: venue.layouts, symbol: 'X', scale, flow: 'trade' });
  return (line) => decoder.restBook(line, 0, line.length);
}

const lineOf = (venue: Venue, body: string): Buffer =>
  Buffer.from(
    `{"t":1700000000000000,"src":"${srcOf(venue)}","http":{"url":"https://x/depth","status":200,"sent":1700000000000000,"body":${body}}}`,
  );

/** What the line says where it is parsed whole; null where its book is none. */
function judge(venue: Venue, line: Buffer): ReturnType<typeof scaleLevels> {
  const entry = parseEntry(line);
  const snapshot = 'http' in entry ? venue.readSnapshot(entry.http.body) : null;
  return snapshot === null ? null : scaleLevels(snapshot, scale);
}

/** Holds what was read apart against the whole line. */
function agree(venue: Venue, line: Buffer, apart: RestBook): void {
  const entry = parseEntry(apart.text);
  const snapshot = 'http' in entry ? venue.readSnapshot(entry.http.body) : null;
  const whole = judge(venue, line);
  // the same lines are books, whose lists are empty now
  expect(snapshot === null).toBe(whole === null);
  if (snapshot === null || whole === null) return;
  expect([snapshot.bids, snapshot.asks]).toEqual([[], []]);
  expect(apart.levels).toEqual(whole);
}

const BOOKS: [Venue, string][] = [
  [
    binanceUsdm,
    '{"lastUpdateId": 7, "E": 8, "T": 9, "bids": [["64010.10", "3.818"], ["1", "0.00001"]], "asks": [["64010.2","0"]]}',
  ],
  [binanceUsdm, '{"lastUpdateId":7,"bids":[],"asks":[ [ "0.001" ,\t"9007199254.74099" ] ],"symbol":"X"}'],
  [
    okxSwap,
    '{"code":"0","msg":"","data":[{"asks":[["41006.8","0.6","0","1"],["41007","2","0","3"]],"bids":[["41006.3","0.3","0","2"]],"ts":"1629966436396","seqId":3235851742}]}',
  ],
  [weexFutures, '{"asks":[["64010.2","1.5"]],"bids":[["64010.1","2.5"],["64010","1"]],"lastUpdateId":12345}'],
];

describe.each(BOOKS)('a book of $id', (venue, body) => {
  const line = lineOf(venue, body);

  it('is read apart, level by level', () => {
    const apart = decoderOf(venue)(line);
    expect(apart).not.toBeNull();
    agree(venue, line, apart!);
    expect(judge(venue, line)).not.toBeNull();
  });

  it('is the same where the text stands in the memory of the scanner', () => {
    const room = theMachine()!.rooms.take(line.length);
    room.fill(0x20);
    line.copy(room);
    const decoder = createDecoder();
    decoder.bind(srcOf(venue), { layouts: venue.layouts, symbol: 'X', scale, flow: 'trade' });
    expect(decoder.restBook(room, 0, line.length)).toEqual(decoderOf(venue)(line));
    theMachine()!.rooms.give(room);
  });

  it('is left to the other decoders where those were asked for', () => {
    expect(decoderOf(venue, 'typescript')(line)).toBeNull();
    expect(decoderOf(venue, 'json')(line)).toBeNull();
  });

  it(`is never read otherwise than as JSON, whatever is broken in it, seed ${seed}`, () => {
    const below = random(seed);
    const read = decoderOf(venue);
    let taken = 0;
    for (let n = 0; n < 6000; n++) {
      let broken = mutate(line, below);
      if (below(3) === 0) broken = mutate(broken, below);
      const apart = read(broken);
      if (apart === null) continue;
      taken++;
      try {
        agree(venue, broken, apart);
      } catch (error) {
        // neither is an entry
        expect(() => parseEntry(broken), `${broken}`).toThrow();
        expect(() => parseEntry(apart.text), `${broken} ${error}`).toThrow();
      }
    }
    expect(taken).toBeGreaterThan(600);
  });
});

it('any levels in any writing are read to the last digit', () => {
  const read = decoderOf(binanceUsdm);
  const decimal = (decimals: number): fc.Arbitrary<string> =>
    fc
      .tuple(fc.nat(99_999_999), fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: decimals }))
      .map(([whole, part]) => (part === '' ? String(whole) : `${whole}.${part}`));
  const blanks = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 2 });
  const list = fc
    .array(fc.tuple(decimal(3), decimal(5), blanks, blanks, blanks), { maxLength: 20 })
    .map((levels) => `[${levels.map(([p, q, a, b, c]) => `${a}[${b}"${p}"${c},${a}"${q}"${b}]${c}`).join(',')}]`);
  fc.assert(
    fc.property(list, list, fc.boolean(), (bids, asks, asksFirst) => {
      const sides = [`"bids":${bids}`, `"asks":${asks}`];
      const line = lineOf(binanceUsdm, `{"lastUpdateId":1,${(asksFirst ? sides.reverse() : sides).join(',')}}`);
      const apart = read(line);
      expect(apart).not.toBeNull();
      agree(binanceUsdm, line, apart!);
    }),
  );
});

it.each([
  ['a second list of bids', '{"lastUpdateId":1,"bids":[],"asks":[],"bids":[["1","2"]]}'],
  ['a second list behind a blank', '{"lastUpdateId":1,"bids":[],"asks":[],"bids" :[["1","2"]]}'],
  [
    'a second src, whose scale may be another',
    '{"lastUpdateId":1,"bids":[["1","2"]],"asks":[]}},"src":"okx-swap:X","x":{"y":1',
  ],
  ['no asks', '{"lastUpdateId":1,"bids":[["1","2"]]}'],
  ['a key with escapes', '{"lastUpdateId":1,"bids":[["1","2"]],"asks":[],"\\u0062ids":[]}'],
  ['numbers without quotes', '{"lastUpdateId":1,"bids":[[1,2]],"asks":[]}'],
  ['a price of more decimals than the scale', '{"lastUpdateId":1,"bids":[["1.0001","2"]],"asks":[]}'],
  ['an exponent', '{"lastUpdateId":1,"bids":[["1e3","2"]],"asks":[]}'],
  ['a list within a list', '{"lastUpdateId":1,"bids":[["1",["2"]]],"asks":[]}'],
  ['a level of one', '{"lastUpdateId":1,"bids":[["1"]],"asks":[]}'],
])('%s is left to JSON', (_, body) => {
  expect(decoderOf(binanceUsdm)(lineOf(binanceUsdm, body))).toBeNull();
});

it('a list that the line does not end is left to JSON, whatever stands behind the line', () => {
  const line = lineOf(binanceUsdm, '{"lastUpdateId":1,"bids":[["1","2"]],"asks":[["3","4"]]}');
  const decoder = createDecoder();
  decoder.bind(srcOf(binanceUsdm), { layouts: binanceUsdm.layouts, symbol: 'X', scale, flow: 'trade' });
  for (let to = line.indexOf('"asks"'); to < line.length - 3; to++) expect(decoder.restBook(line, 0, to)).toBeNull();
});
