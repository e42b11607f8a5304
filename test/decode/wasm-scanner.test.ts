/** The compiled scanner where text is cut to fit its memory, where levels outgrow it, and where many srcs or decoders share it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Binding, createDecoder } from '../../src/decode/decoder.js';
import { boundOf } from '../../src/decode/envelope.js';
import { Stop } from '../../src/decode/scanner.js';
import { LEVELS, SCRATCH_BYTES, SLACK, TEXT_BYTES } from '../../src/decode/wasm-memory.js';
import { createWasmScanner, isCompiled } from '../../src/decode/wasm-scanner.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind } from '../../src/model/event.js';
import { binanceUsdm } from '../../src/venues/binance.js';
import { agree, compareAll, runDecoder, text } from './compare.js';
import { bindings, futures, line, sources, T0, USDM, usualFutures, usualLines, wrap } from './messages.js';
import { random } from './mutate.js';

const usual = usualLines();

it('is there: else the tests of this file would prove nothing', () => {
  expect([...bindings.values()].map(({ layouts }) => isCompiled(layouts))).toEqual([true, true, true, true]);
});

it('text that is copied in, cut at every byte, is read or refused', () => {
  const decoder = createDecoder();
  for (const [src, binding] of bindings) decoder.bind(src, binding);
  const out = new EventBuffer(4, 16);
  for (const whole of usual.slice(0, 12)) {
    const bytes = Buffer.from(`${whole}\n`);
    for (let n = bytes.length; n > 0; n--) {
      out.clear();
      decoder.decode(Buffer.from(bytes.subarray(0, n)), 0, n, out);
      expect([n, out.events[Field.KIND] === Kind.entry]).toEqual([n, n < bytes.length - 1]);
    }
  }
});

/** A line of exactly so many bytes: a mark price with another of which nobody reads more than that it is plain text. */
function lineOf(bytes: number): string {
  const mark = futures('BTCUSDT', '').find((message) => message.includes('"ap"')) ?? '';
  const short = line(USDM, mark);
  return line(USDM, mark.replace('"ap":"64000.9"', `"ap":"${'7'.repeat(bytes - short.length + 7)}"`));
}

describe('texts that nobody reads, of any length', () => {
  const mark = futures('BTCUSDT', '').find((message) => message.includes('"ap"')) ?? '';
  const lineWith = (inside: string): string =>
    line(
      USDM,
      mark.replace('"ap":"64000.9"', () => `"ap":"${inside}"`),
    );

  it('end at their quote', () => {
    const lines = Array.from({ length: 70 }, (_, n) => lineWith('~'.repeat(n)));
    const { own, outside } = agree(text(lines), bindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([70, 70]);
  });

  it.each([
    ['an escape', '\\n'],
    ['a control character', '\u0001'],
    ['a deleted character', '\u007f'],
    ['a letter outside ASCII', 'é'],
    ['a quote too many', '"'],
  ])('%s at any place makes them unusual', (_, special) => {
    const lines = Array.from({ length: 70 }, (_, n) => lineWith(`${' '.repeat(n)}${special}${'x'.repeat(69 - n)}`));
    const { own, outside } = agree(text(lines), bindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([0, 0]);
  });
});

describe('text outside the memory is copied in parts', () => {
  const offsets = Array.from({ length: 9 }, (_, n) => n - 4);

  it.each([
    ['a usual part', TEXT_BYTES],
    ['all there is room for', SCRATCH_BYTES - SLACK],
  ])('lines that end about %s', (_, size) => {
    for (const offset of offsets) {
      const lines = [lineOf(size + offset - 1), usual[0], usual[3], lineOf(size + offset - 1), usual[1]];
      const { own, outside } = agree(text(lines), bindings);
      expect(own.counts.fast).toBe(5);
      // a line that does not fit is read by other means
      const tooLong = size + offset > SCRATCH_BYTES - SLACK ? 2 : 0;
      expect([offset, outside.counts.fast, outside.counts.general]).toEqual([offset, 5 - tooLong, tooLong]);
    }
  });

  it('many lines of any length, whatever line a part ends with', () => {
    const below = random(3);
    const lines = Array.from({ length: 3000 }, () =>
      below(60) === 0 ? lineOf(400 + below(90_000)) : usual[below(usual.length)],
    );
    const { own, outside } = agree(text(lines), bindings);
    expect([own.counts.fast, outside.counts.fast]).toEqual([3000, 3000]);
  });
});

describe('room for levels', () => {
  const depth = (levels: number, first = 1): string => {
    const bids = Array.from({ length: levels }, (_, n) => `["${first + n}.1","${n % 97}.5"]`).join(',');
    return usual[0].replace(/"b":\[\[.*?\]\]/, `"b":[${bids}]`);
  };

  it.each([
    ['just fit', LEVELS - 1, 1],
    ['are one too many', LEVELS, 0],
    ['are far too many', LEVELS * 2, 0],
  ])('levels of one message that %s', (_, levels, fast) => {
    const touch = line(USDM, wrap('btcusdt@bookTicker', TOUCH));
    const { own } = agree(text([depth(levels), touch, touch]), bindings);
    expect([own.counts.fast, own.counts.general]).toEqual([2 + fast, 1 - fast]);
  });

  it.each([100, 2000, 8000, 30_000])('messages of %i levels, more than there is room for at once', (levels) => {
    const count = Math.ceil((LEVELS * 2.5) / levels);
    const { own } = agree(text(Array.from({ length: count }, (_, n) => depth(levels, n))), bindings);
    // those that begin where no room is left go another way
    expect(own.counts.fast).toBeGreaterThan(count * 0.5);
    expect(own.counts.slow).toBe(0);
  });
});

describe('many srcs and connections', () => {
  const symbols = Array.from({ length: 300 }, (_, n) => `S${n.toString(36).toUpperCase()}USDT`);
  const many = new Map<string, Binding>(
    symbols.map((symbol, n) => [
      `binance-usdm:${symbol}`,
      { layouts: binanceUsdm.layouts, symbol, scale: { price: 2 + (n % 5), size: 2 + (n % 4) }, flow: 'trade' },
    ]),
  );
  const linesOf = (n: number, connection: (symbol: number) => string): string[] =>
    symbols.map((symbol, at) => {
      const messages = usualFutures(symbol, '');
      return line(`binance-usdm:${symbol}`, messages[(n * 7 + at) % messages.length], connection(at), T0 + n);
    });

  it('300 symbols line by line, of every kind, all on the usual way', () => {
    const lines = Array.from({ length: 20 }, (_, n) => linesOf(n, () => 'k3f9.1')).flat();
    const { own, outside } = agree(text(lines), many);
    expect([own.counts.fast, outside.counts.fast]).toEqual([lines.length, lines.length]);
  });

  it('300 symbols that connect anew all the time', () => {
    const lines = Array.from({ length: 30 }, (_, n) => linesOf(n, (at) => `k3f9.${n + (at % 3)}`)).flat();
    const { own } = agree(text(lines), many);
    expect(own.counts.fast).toBe(lines.length);
  });

  it('a scanner is told of each envelope once, in whatever order they come', () => {
    const scanner = createWasmScanner();
    const envelopes = symbols.map((symbol, origin) => {
      const bound = boundOf({ layouts: binanceUsdm.layouts, symbol, scale: { price: 3, size: 3 }, flow: 'trade' });
      const prefix = `,"src":"binance-usdm:${symbol}","conn":"k3f9.1","msg":{"stream":"${bound.lower}@`;
      return { prefix: Buffer.from(prefix), origin, bound };
    });
    const out = new EventBuffer(1, 4);
    const below = random(11);
    let taught = 0;
    for (let n = 0; n < 6000; n++) {
      const at = below(symbols.length);
      const messages = futures(symbols[at], '');
      // what differs from message to message must not make another envelope of it
      const message = messages[below(12)].replaceAll('1786000001', String(1786000001 + n));
      const bytes = Buffer.from(`${line(`binance-usdm:${symbols[at]}`, message, 'k3f9.1', T0 + n)}\n`);
      out.clear();
      scanner.scan(bytes, 0, bytes.length, out);
      if (scanner.stop === Stop.envelope) {
        taught++;
        scanner.learn(envelopes[at], bytes, 0, bytes.length);
        scanner.scan(bytes, 0, bytes.length, out);
      }
      expect([out.count, out.events[Field.ORIGIN]]).toEqual([1, at]);
    }
    expect(taught).toBe(symbols.length);
  });

  it('more connections than there is room for, each forgotten and learnt again', () => {
    const connections = Array.from({ length: 7000 }, (_, n) => line(USDM, wrap('btcusdt@bookTicker', TOUCH), `c${n}`));
    const lines = [...connections, ...connections.slice(0, 50), ...connections.slice(-50)];
    const bytes = text(lines);
    const run = runDecoder(bytes, 0, bytes.length, { bindings, mode: 'wasm' });
    expect(run.counts.fast).toBe(7100);
    expect(run.lines.map(({ origin }) => origin)).toEqual([
      ...connections.map((_, n) => `${USDM} c${n}`),
      ...connections.slice(0, 50).map((_, n) => `${USDM} c${n}`),
      ...connections.slice(-50).map((_, n) => `${USDM} c${n + 6950}`),
    ]);
  });
});

const TOUCH =
  '{"e":"bookTicker","u":5,"s":"BTCUSDT","b":"1.5","B":"3.2","a":"2.5","A":"9","T":1786000001231,"E":1786000001234}';

describe('decoders that share the machine', () => {
  it('keep their srcs, scales and connections apart, line by line', () => {
    const scales = [
      { price: 3, size: 5 },
      { price: 5, size: 4 },
      { price: 2, size: 3 },
    ];
    const bytes = text(usual.filter((one) => one.includes(USDM)));
    const decoders = scales.map((scale, n) => {
      const decoder = createDecoder(n === 2 ? 'typescript' : 'wasm');
      const binding = { layouts: binanceUsdm.layouts, symbol: 'BTCUSDT', scale, flow: 'trade' };
      decoder.bind(USDM, binding);
      return { decoder, out: new EventBuffer(1, 4), binding };
    });
    const got = decoders.map(() => [] as number[][]);
    for (let p = 0; p < bytes.length; ) {
      let next = p;
      for (const [n, { decoder, out }] of decoders.entries()) {
        out.clear();
        next = decoder.decode(bytes, p, bytes.length, out);
        got[n].push([...out.events.subarray(0, EVENT_STRIDE), ...out.levels.subarray(0, out.levelCount * 2)]);
      }
      p = next;
    }
    decoders.forEach(({ binding, decoder }, n) => {
      const alone = runDecoder(bytes, 0, bytes.length, {
        bindings: new Map([[USDM, binding]]),
        mode: 'json',
        events: 1,
      });
      expect(decoder.counts.fast).toBe(alone.lines.length);
      expect(got[n].map((fields) => [fields[Field.KIND], ...fields.slice(EVENT_STRIDE)])).toEqual(
        alone.lines.map(({ kind, levels }) => [kind, ...levels]),
      );
      const prices = (fields: ArrayLike<number>): number[] => [fields[Field.SIZE], fields[Field.PRICE2]];
      expect(got[n].map(prices)).toEqual(alone.lines.map(({ fields }) => prices(fields)));
    });
  });

  it('take a new scale at once', () => {
    const decoder = createDecoder();
    const bytes = text([line(USDM, wrap('btcusdt@bookTicker', TOUCH))]);
    const out = new EventBuffer(64, 4);
    for (let n = 0; n < 40; n++) {
      const scale = { price: n % 20, size: (n * 7) % 15 };
      decoder.bind(USDM, { layouts: binanceUsdm.layouts, symbol: 'BTCUSDT', scale, flow: 'trade' });
      out.clear();
      decoder.decode(bytes, 0, bytes.length, out);
      const fits = scale.price > 0 && scale.size > 0 && scale.price < 16;
      expect([n, out.events[Field.KIND]]).toEqual([n, fits ? Kind.touch : Kind.invalid]);
      if (fits)
        expect([out.events[Field.PRICE], out.events[Field.SIZE]]).toEqual([
          Number(`15e${scale.price - 1}`),
          Number(`32e${scale.size - 1}`),
        ]);
    }
  });
});

describe('what is said beside the market', () => {
  const markPrice = (p: string, i: string, r: string, T: string): string =>
    line(
      USDM,
      wrap(
        'btcusdt@markPrice@1s',
        `{"e":"markPriceUpdate","E":1786000001234,"s":"BTCUSDT","p":${p},"P":"64003.2","i":${i},"r":${r},"T":${T}}`,
      ),
    );

  it.each([
    ['as usual', '"64001.12345678"', '"64005.5"', '"0.00010000"', '1786003200000', true],
    ['a negative rate', '"64001.12345678"', '"64005.5"', '"-0.00012345"', '1786003200000', true],
    ['a rate of sixteen decimals', '"64001"', '"64005.5"', '"-0.0001875391284828"', '1786003200000', true],
    ['no rate worth a sign', '"64001"', '"64005.5"', '"-0.00000000"', '1786003200000', true],
    ['a whole rate', '"64001"', '"64005.5"', '"0"', '1786003200000', true],
    ['a time in microseconds', '"64001"', '"64005.5"', '"0.0001"', '1786003200000000', true],
    ['no rate and no time', '"64001.1"', '"64005.5"', '""', '0', false],
    ['no index', '"64001.1"', '""', '"0.0001"', '1786003200000', false],
    ['a rate beyond what is held', '"64001.1"', '"64005.5"', '"0.95"', '1786003200000', false],
    ['a rate too fine', '"64001.1"', '"64005.5"', '"0.00018753912848281"', '1786003200000', false],
    ['a price too fine', '"64001.123456789"', '"64005.5"', '"0.0001"', '1786003200000', false],
    ['two signs', '"64001"', '"64005.5"', '"--0.0001"', '1786003200000', false],
    ['a sign alone', '"64001"', '"64005.5"', '"-"', '1786003200000', false],
    ['a negative price', '"-64001"', '"64005.5"', '"0.0001"', '1786003200000', false],
  ])('%s', (_, p, i, r, T, fast) => {
    // records are used again, and what one says must not stay in the next
    const lines = [markPrice('"1"', '"2"', '"0.5"', '1786003200001'), markPrice(p, i, r, T), ...usual.slice(0, 3)];
    const { own, outside } = agree(text(lines), bindings);
    const taken = fast ? lines.length : lines.length - 1;
    expect([own.counts.fast, outside.counts.fast]).toEqual([taken, taken]);
  });
});

describe('symbols', () => {
  it('of any length and any characters give the same from every decoder', () => {
    const character = fc.constantFrom(...'ABCXYZ0189_-."\\/ \t\u0001\u007f\u0080éßİıſ币안\u2028😀'.match(/./gsu)!);
    fc.assert(
      fc.property(fc.array(character, { minLength: 1, maxLength: 40 }), fc.nat(3), (characters, kind) => {
        const symbol = characters.join('');
        const src = `binance-usdm:${symbol}`;
        const scale = { price: 3, size: 2 };
        const bound = new Map<string, Binding>([
          [src, { layouts: binanceUsdm.layouts, symbol, scale, flow: 'trade' }],
          ...bindings,
        ]);
        const naive = { market: 'futures' as const, symbol, priceDecimals: 3, sizeDecimals: 2, flow: 'trade' };
        const messages = futures(JSON.stringify(symbol).slice(1, -1), '').map((message) => line(src, message));
        const others = [usual[kind], usual[kind + 1]];
        const bytes = text(messages.flatMap((message) => [message, ...others]));
        compareAll(bytes, 0, bytes.length, bound, new Map([[src, naive], ...sources]));
      }),
      { numRuns: 150 },
    );
  });

  it.each([1, 7, 8, 9, 15, 16, 17, 40])('of %i characters take the usual way', (length) => {
    const symbol = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCD'.slice(0, length);
    const src = `binance-usdm:${symbol}`;
    const bound = new Map([
      [src, { layouts: binanceUsdm.layouts, symbol, scale: { price: 3, size: 2 }, flow: 'trade' }],
    ]);
    const messages = usualFutures(symbol, '');
    const changed = [...symbol].flatMap((_, n) => {
      const other = `${symbol.slice(0, n)}~${symbol.slice(n + 1)}`;
      return messages.map((message) => message.replace(`"${symbol}"`, `"${other}"`));
    });
    const { own } = agree(text([...messages, ...changed].map((message) => line(src, message, null))), bound);
    expect(own.counts).toMatchObject({ fast: messages.length, invalid: changed.length });
  });
});
