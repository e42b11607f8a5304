/** Levels as the compiled scanner reads them: every length of every number, and whatever else may stand there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEVELS } from '../../src/decode/wasm-memory.js';
import { agree, text } from './compare.js';
import { bindings, line, USDM, usualLines } from './messages.js';
import { random } from './mutate.js';
import { venueCorpus } from './venue-messages.js';

const { bindings: venueBindings } = venueCorpus;
const DOGE = 'mexc-futures:DOGE_USDT';
const SWAP = 'okx-swap:BTC-USDT-SWAP';

/** A book message with these bids, levels as pairs of texts. */
const pairs = (bids: string[]): string => usualLines()[0].replace(/"b":\[\[.*?\]\]/, () => `"b":[${bids.join(',')}]`);

/** One with levels of three numbers. */
const bare = (asks: string[], bids: string[] = []): string =>
  line(
    DOGE,
    `{"symbol":"DOGE_USDT","data":{"cts":1789400005531,"asks":[${asks.join(',')}],"bids":[${bids.join(',')}],"begin":8760000048,"end":8760000103,"version":8760000103},"channel":"push.depth","ts":1789400005534}`,
  );

/** One with levels that have integers in quotes behind price and size. */
const wide = (asks: string[], bids: string[] = []): string =>
  line(
    SWAP,
    `{"arg":{"channel":"books","instId":"BTC-USDT-SWAP"},"action":"update","data":[{"asks":[${asks.join(',')}],"bids":[${bids.join(',')}],"ts":"1786000001305","checksum":0,"prevSeqId":1,"seqId":2}]}`,
  );

describe('levels of two texts', () => {
  const { price, size } = bindings.get(USDM)!.scale;

  /** Numbers of up to fifteen digits on a scale, with decimals that it has, and with zeros beyond. */
  const numbers = (decimals: number): string[] =>
    Array.from({ length: 15 - decimals }, (_, n) => '123456789012'.slice(0, n + 1)).flatMap((whole) => [
      whole,
      ...Array.from({ length: decimals }, (_, n) => `${whole}.${'98765'.slice(0, n + 1)}`),
      ...Array.from({ length: 10 }, (_, n) => `${whole}.${'98765'.slice(0, decimals)}${'0'.repeat(n)}`),
    ]);

  it('of every length take the usual way', () => {
    const sizes = [...numbers(size), '0', '0.00000', '00.5', '1.', '007.000000000000000'];
    const levels = [...numbers(price), '0', '0.001', '00.1', '1.'].flatMap((one, n) =>
      sizes.filter((_, m) => (n + m) % 3 === 0).map((other) => `["${one}","${other}"]`),
    );
    expect(levels.length).toBeGreaterThan(5000);
    const lines = Array.from({ length: levels.length / 4 }, (_, n) => pairs(levels.slice(n * 4, n * 4 + 4)));
    const { own, outside } = agree(text(lines), bindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([lines.length, lines.length]);
  });

  it.each([
    ['64010.1', '3.2', 64010100, 320000],
    ['99999.999', '999.99999', 99999999, 99999999],
    ['100000.10', '1000.00000', 100000100, 100000000],
    ['64010.10000000', '0.04209000', 64010100, 4209],
    ['123456789012.345', '1234567890.12345', 123456789012345, 123456789012345],
    ['900719925474.099', '90071992547.40991', 900719925474099, 9007199254740991],
  ])('%s and %s are read to the last digit', (one, other, wantedPrice, wantedSize) => {
    const { own } = agree(text([pairs([`["${one}","${other}"]`, `["1","${other}"]`, `["${one}","1"]`])]), bindings);
    expect([...own.lines[0].levels.subarray(0, 6)]).toEqual([
      ...[wantedPrice, wantedSize, 1000, wantedSize],
      ...[wantedPrice, 100000],
    ]);
    expect(own.counts.fast).toBe(1);
  });

  it('of any writing and on any scale give the same from every decoder', () => {
    const plain = fc.stringMatching(/^[0-9]{1,9}(\.[0-9]{1,3}0{0,9})?$/);
    const odd = fc.constantFrom(
      ...['', '.', '1.', '.5', '0.00000000000000', '0000000000000000', '1.00000000000001', '123456789012345.'],
      ...[
        '123456789012345.6',
        '1234567890123456',
        '9007199254740991',
        '9007199254740993',
        '12345678901234567',
        '1]',
        ':',
      ],
      ...['0.000000000000000000000000000000', '00000000000000000000000000000000', '1.0000000000000000000000000000000'],
    );
    const number = fc.oneof({ arbitrary: plain, weight: 12 }, { arbitrary: odd, weight: 1 });
    const level = fc.tuple(number, number).map(([one, other]) => `["${one}","${other}"]`);
    const messages = fc.array(fc.array(level, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 12 });
    const scale = fc.record({ price: fc.nat(17), size: fc.nat(17) });
    let fast = 0;
    fc.assert(
      fc.property(messages, scale, (some, scale) => {
        const bound = new Map([[USDM, { ...bindings.get(USDM)!, scale }]]);
        fast += agree(text(some.map(pairs)), bound).own.counts.fast;
      }),
      { numRuns: 200 },
    );
    expect(fast).toBeGreaterThan(200);
  });
});

describe('levels with integers in quotes behind price and size', () => {
  it('of every usual length take the usual way', () => {
    const numbers = [
      '0',
      '7',
      '63',
      '640',
      '6401',
      '64010',
      '640100',
      '64010.2',
      '6.4',
      '0.5',
      '88.25',
      '00.1',
      '1234567.8',
    ];
    const tails = [
      '',
      '"0"',
      '"0","1"',
      '"0","12"',
      '"0","123"',
      '"0","1234567"',
      '"0","123456789012345"',
      '"12345678","123456789012345"',
      '"0","1","2","3"',
      '"1","1"',
    ];
    const levels = numbers.flatMap((price) =>
      numbers.flatMap((size) => tails.map((tail) => `["${price}","${size}"${tail === '' ? '' : `,${tail}`}]`)),
    );
    const lines = Array.from({ length: levels.length - 2 }, (_, n) => wide(levels.slice(n, n + 3), [levels[n]]));
    const { own, outside } = agree(text(lines), venueBindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([lines.length, lines.length]);
  });

  it.each([
    ...[
      '"0",""',
      '"0","00"',
      '"0","01"',
      '"0","x"',
      '"00","1"',
      '"0","1"," "',
      '"0"',
      '""',
      '"","1"',
      '"0","-1"',
      '"0","1.0"',
    ],
    ...[15, 16, 17, 31, 32, 33, 48, 60].flatMap((n) => [`"0","${'7'.repeat(n)}"`, `"0","${'7'.repeat(n)}","8"`]),
    ...['"0",1', '0,1', '"0","1",[]', '"0","]"', '"0","1],["', '"0","1","],["', '"0","7777777777777777\\n7777"'],
  ])('one that ends in %s loses none beside it', (tail) => {
    const [first, last] = ['["64010.1","3.2","0","1"]', '["64010.3","3.4","0","2"]'];
    for (const level of [`["1","2",${tail}]`, `["64010.2","33.25",${tail}]`]) {
      const { own } = agree(
        text([wide([first, level, last], [level, first]), wide([level], [level, level])]),
        venueBindings,
      );
      expect(own.lines.map(({ levels }) => levels.length)).toEqual([10, 6]);
    }
  });

  it('of any writing give the same from every decoder', () => {
    const plain = fc.stringMatching(/^[0-9]{1,7}(\.[0-9]{1,2})?$/);
    const odd = fc.constantFrom(
      ...[
        '',
        '.',
        '1.',
        '.5',
        '1e3',
        '-1',
        ' 1',
        '1]',
        ']',
        '],[',
        '1,2',
        '","',
        '\\"',
        '[1',
        'x',
        '1.2.3',
        '0.0801000',
      ],
      ...['1234567890123456', '99999999999999999999', '0'.repeat(40)],
    );
    const mostly = (usual: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.oneof({ arbitrary: usual, weight: 40 }, { arbitrary: odd, weight: 1 });
    const quoted = (one: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.oneof(
        { arbitrary: mostly(one).map((inside) => `"${inside}"`), weight: 60 },
        { arbitrary: fc.constantFrom('1', '"1', '1"', '', 'null', '[]', '"1" '), weight: 1 },
      );
    const level = fc
      .tuple(quoted(plain), quoted(plain), fc.array(quoted(fc.nat(1e6).map(String)), { maxLength: 3 }))
      .map(([price, size, rest]) => `[${[price, size, ...rest].join(',')}]`);
    const levels = fc.array(level, { maxLength: 4 });
    let fast = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(levels, levels), { minLength: 1, maxLength: 20 }), (messages) => {
        const { own } = agree(text(messages.map(([asks, bids]) => wide(asks, bids))), venueBindings);
        fast += own.counts.fast;
      }),
      { numRuns: 300 },
    );
    expect(fast).toBeGreaterThan(300);
  });
});

describe('levels without quotes', () => {
  it('of every usual length take the usual way', () => {
    const numbers = (most: number, decimals: number): string[] =>
      Array.from({ length: most }, (_, n) => '9'.repeat(n + 1)).flatMap((whole) =>
        Array.from({ length: decimals + 1 }, (_, n) => (n === 0 ? whole : `${whole}.${'1234567'.slice(0, n)}`)),
      );
    const sizes = [...numbers(9, 2), '0', '0.5', '0.00'];
    const levels = [...numbers(7, 7), '0', '0.1', '0.080100'].flatMap((price, n) =>
      sizes.map((size, m) => `[${price},${size},${'7'.repeat(((n + m) % 5) + 1)}]`),
    );
    expect(levels.length).toBeGreaterThan(1000);
    const lines = Array.from({ length: levels.length - 2 }, (_, n) => bare(levels.slice(n, n + 3), [levels[n]]));
    const { own, outside } = agree(text(lines), venueBindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([lines.length, lines.length]);
  });

  it('of any writing give the same from every decoder', () => {
    const price = fc.stringMatching(/^(0|[1-9][0-9]{0,6})(\.[0-9]{1,8})?$/);
    const size = fc.stringMatching(/^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?$/);
    const odd = fc.constantFrom(
      ...['', '01', '00', '1.', '.5', '1e3', '7.548E+4', '1E-5', '-1', '-0', '+1', '"1.5"', 'null', '[1]', ' 1', '1 '],
      ...['0.0801000', '123456789012345', '1234567890123456', '99999999999999999999', '0.00000000000001', '1.2.3'],
    );
    const mostly = (usual: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.oneof({ arbitrary: usual, weight: 40 }, { arbitrary: odd, weight: 1 });
    const orders = mostly(fc.nat(1e6).map(String));
    const tail = fc.oneof(
      { arbitrary: orders.map((one) => `,${one}`), weight: 40 },
      { arbitrary: fc.constantFrom('', ',', ',1,2', ',"1"', ',1.5'), weight: 1 },
    );
    const level = fc.tuple(mostly(price), mostly(size), tail).map(([p, size, rest]) => `[${p},${size}${rest}]`);
    const levels = fc.array(level, { maxLength: 4 });
    let fast = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(levels, levels), { minLength: 1, maxLength: 20 }), (messages) => {
        const { own } = agree(text(messages.map(([asks, bids]) => bare(asks, bids))), venueBindings);
        fast += own.counts.fast;
      }),
      { numRuns: 300 },
    );
    expect(fast).toBeGreaterThan(300);
  });

  it.each([
    ['just fit', LEVELS - 1, 1],
    ['are one too many', LEVELS, 0],
  ])('levels of one message that %s', (_, count, fast) => {
    const deal = line(
      DOGE,
      '{"symbol":"DOGE_USDT","data":[{"p":0.0864,"v":49,"T":2,"O":3,"M":1,"t":1789400012047}],"channel":"push.deal","ts":1789400012047}',
    );
    const asks = Array.from({ length: count }, (_, n) => `[${n % 9}.5,${n % 97},1]`);
    const { own } = agree(text([bare(asks, ['[0.1,1,1]']), deal]), venueBindings);
    expect([own.counts.fast, own.counts.general]).toEqual([1 + fast, 1 - fast]);
  });

  it('messages that differ behind their levels only keep apart, in any order', () => {
    const merged = bare(['[0.2,1,1]', '[0.3,1,1]'], ['[0.1,1,1]']);
    const single = merged.replace('"begin":8760000048,"end":8760000103,', '');
    const whole = single.replace('push.depth', 'push.depth.full');
    const old = single.replace('"cts":1789400005531,', '');
    const below = random(5);
    const lines = Array.from({ length: 400 }, () => [merged, single, whole, old][below(4)]);
    expect(agree(text(lines), venueBindings).own.counts.fast).toBe(400);
  });
});

describe.each([
  { name: 'levels of two texts', bound: bindings, src: USDM, message: pairs, level: '["64010.1","3.25"]' },
  {
    name: 'levels with integers behind',
    bound: venueBindings,
    src: SWAP,
    message: wide,
    level: '["64010.1","3.25","0","12"]',
  },
  { name: 'levels without quotes', bound: venueBindings, src: DOGE, message: bare, level: '[64010.1,325,12]' },
])('$name that are nearly as usual', ({ bound, src, message, level }) => {
  const beside = level.replace('64010.1', '64010.2');
  const check = (levels: string[], scale = bound.get(src)!.scale): void => {
    const lines = levels.flatMap((one) => [message([beside, one, beside]), message([one]), message([beside, one])]);
    agree(text(lines), new Map([[src, { ...bound.get(src)!, scale }]]));
  };

  it('any byte at any place', () => {
    const others = ['', ...'",\\.:[]{}019-ex \u0001\u007f'];
    const places = Array.from({ length: level.length }, (_, n) => [level.slice(0, n), level.slice(n)]);
    check(
      places.flatMap(([before, after]) =>
        others.flatMap((other) => [`${before}${other}${after.slice(1)}`, `${before}${other}${after}`]),
      ),
    );
  });

  it('numbers longer than is read at once', () => {
    const numbers = [14, 15, 16, 17, 18, 31, 32, 33].flatMap((n) => [
      ...['1'.repeat(n), '0'.repeat(n), `0${'1'.repeat(n - 1)}`, `${'1'.repeat(n - 1)}.`, `0${'1'.repeat(n - 2)}.`],
      ...[`1.${'0'.repeat(n - 2)}`, `0.${'0'.repeat(n - 3)}1`, `1.${'0'.repeat(7)}${'1'.repeat(n - 9)}`],
    ]);
    const [price, size, ...rest] = level.slice(1, -1).split(',');
    const quoted = (number: string): string => (level.includes('"') ? `"${number}"` : number);
    const levels = numbers
      .map(quoted)
      .flatMap((long) => [
        ...[`[${[long, quoted('1'), ...rest].join(',')}]`, `[${[quoted('1'), long, ...rest].join(',')}]`],
        ...[`[${[price, size, ...rest.slice(1), long].join(',')}]`, `[${[long, long, ...rest].join(',')}]`],
      ]);
    for (const decimals of [2, 0, 8, 16]) check(levels, { price: decimals, size: decimals });
  });

  it('what is no digit behind sixteen of them', () => {
    const quote = level.includes('"') ? '"' : '';
    const unread = quote === '' ? '' : '"0",';
    const lengths = Array.from({ length: 28 }, (_, n) => n);
    const spoilt = ['\\q', 'xx', '"",', ',,', '1.', '\u0001'].flatMap((bad) =>
      lengths.map((n) => `${'7'.repeat(16)}${bad}${'7'.repeat(n)}`),
    );
    check(spoilt.map((one) => `[${quote}1${quote},${quote}2${quote},${unread}${quote}${one}${quote}]`));
  });
});
