/** The fast decoder against the JSON decoder and a naive third one, on real messages, on fuzz and on known traps. */
import { describe, expect, it } from 'vitest';
import { createDecoder, type DecodeMode } from '../../src/decode/decoder.js';
import { EVENT_STRIDE, EventBuffer, Field, Kind, NOT_FLOW, OFF_BOOK } from '../../src/model/event.js';
import { compareAll, difference, type Run, runDecoder } from './compare.js';
import { bindings, COINM, line, ODD, SPOT, seedLines, sources, T0, USDM, wrap } from './messages.js';
import { random } from './mutate.js';
import { bindingOf, coinm, missing, recorded, type Session, sourceOf, spot, unless, usdm } from './recordings.js';

const text = (lines: string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`);

/** Decodes all lines with one decoder and buffer; entries are left out. */
function decodeAll(lines: string[], mode: DecodeMode = 'wasm') {
  const bytes = text(lines);
  return runDecoder(bytes, 0, bytes.length, { bindings, mode });
}

const kindOf = (one: string): number => decodeAll([one]).lines[0].kind;

/** Demands that every decoder says the same of these lines, and tells how the fast one took them. */
function agreeOn(bytes: Buffer) {
  return compareAll(bytes, 0, bytes.length, bindings, sources);
}

describe.skipIf(missing)(`recordings${unless}`, () => {
  const cases: [Session, fast: number, general: number, entries: number][] = [
    [usdm, 73_764, 0, 1],
    [coinm, 78_313, 0, 1],
    [spot, 15_088, 0, 0],
  ];
  it.each(cases)('every decoder reads the session alike: $name', (session, fast, general, entries) => {
    const { text: bytes } = recorded(session);
    const src = sourceOf(session);
    const binding = bindingOf(session);
    const { symbol, scale, flow } = binding;
    // COIN-M messages are of the USD-M shapes, long and many: a third of them is compared
    const compared = session === coinm ? bytes.indexOf(0x0a, bytes.length / 3) + 1 : bytes.length;
    const market = session === spot ? 'spot' : 'futures';
    const bound = new Map([[src, binding]]);
    const counts = compareAll(
      bytes,
      0,
      compared,
      bound,
      new Map([[src, { market, symbol, priceDecimals: scale.price, sizeDecimals: scale.size, flow }]]),
      session === spot ? 7 : 29, // the naive decoder is slow, and every shape comes often
    );
    // none may take the slow way
    const rest = runDecoder(bytes, compared, bytes.length, { bindings: bound, mode: 'wasm' }).counts;
    expect([counts.fast + rest.fast, counts.general + rest.general, counts.slow + rest.slow]).toEqual([
      fast,
      general,
      0,
    ]);
    expect(bytes.toString('latin1').split('"http":')).toHaveLength(entries + 1);
  });
});

it('every seed line takes the fast way, unless it was made not to', () => {
  const messages = seedLines.filter(
    (one) => one.includes('"data"') && !/@(markPrice|forceOrder)/.test(one) && one.startsWith('{"t"'),
  );
  const usual = messages.filter(
    (one) => /^\{"t":\d+,"src":"[^"]*"(,"conn":[^{]*)?,"msg"/.test(one) && !one.includes('OTHER'),
  );
  expect(usual.length).toBeGreaterThan(60);
  expect(decodeAll(usual).counts.fast).toBe(usual.length);
});

describe('bytes that look like a message and are none', () => {
  const good = seedLines[0];
  const traps: [name: string, bytes: Buffer][] = [
    ['a time with a leading zero', Buffer.from(good.replace(String(T0), `0${String(T0).slice(1)}`))],
    ['a time above 2^53', Buffer.from(good.replace(String(T0), '9007199254740993'))],
    ['a time of 15 digits', Buffer.from(good.replace(String(T0), String(T0).slice(1)))],
    ['a time of 17 digits', Buffer.from(good.replace(String(T0), `${T0}0`))],
    ['t not first', Buffer.from(good.replace(`{"t":${T0},`, '{').replace(/}$/, `,"t":${T0}}`))],
    ['a src with a line feed in its string', Buffer.from(good.replace('"src":"', '"src":"\\u000a'))],
    ['a src with a raw tab', Buffer.from(good.replace('"src":"', '"src":"\t'))],
    ['a src with a wrong escape', Buffer.from(good.replace('"src":"', '"src":"\\x'))],
    ['a connection with a wrong escape', Buffer.from(good.replace('"conn":"', '"conn":"\\x'))],
    ['a line that ends inside its src', Buffer.from('{"t":1700000000000000,"src":"a\n","msg":{}}')],
    ['a missing last brace', Buffer.from(good.slice(0, -1))],
    ['one brace too many', Buffer.from(`${good}}`)],
    ['bytes behind the line', Buffer.from(`${good} x`)],
    ['a byte order mark', Buffer.from(`\ufeff${good}`)],
    ['an empty line', Buffer.from('')],
  ];
  it.each(traps)('%s is an entry for the caller to refuse', (_, bytes) => {
    const lines = Buffer.concat([bytes, Buffer.from('\n')]);
    agreeOn(lines);
    const run = runDecoder(lines, 0, lines.length, { bindings, mode: 'wasm' });
    for (const { kind } of run.lines) expect(kind).toBe(Kind.entry);
  });

  it('an invalid byte in the connection does not shift where the message is looked for', () => {
    // U+FFFD takes three bytes: an envelope cached under the replaced text would skip two bytes of the message
    const clean = Buffer.from(`${line(USDM, '{"result":null}', 'x\ufffd')}\n`);
    const [head, tail] = line(USDM, `${wrap('btcusdt@trade', '')}`, 'x@').split('@",');
    const message = seedLines[7].slice(seedLines[7].indexOf('"msg":') + 6);
    const broken = Buffer.concat([
      Buffer.from(head),
      Buffer.from([0xff]),
      Buffer.from(`",${tail.slice(0, 6)}zz${message}\n`),
    ]);
    const both = Buffer.concat([clean, broken]);
    agreeOn(both);
    expect(runDecoder(both, 0, both.length, { bindings, mode: 'wasm' }).lines.map(({ kind }) => kind)).toEqual([
      Kind.other,
      Kind.entry,
    ]);
  });

  it('a symbol that would close its own string does not', () => {
    const symbol = 'A","s":"B';
    const hostile = new Map([['v:x', { ...bindings.get(USDM)!, symbol }]]);
    const message = seedLines[7].slice(seedLines[7].indexOf('"msg":') + 6, -1);
    const bytes = text([
      line('v:x', message.replace('btcusdt', symbol.toLowerCase()).replace('BTCUSDT', symbol)),
      line('v:x', message.replace('btcusdt', 'a\\",\\"s\\":\\"b').replace('BTCUSDT', 'A\\",\\"s\\":\\"B')),
    ]);
    const fast = runDecoder(bytes, 0, bytes.length, { bindings: hostile, mode: 'wasm' });
    expect(difference(fast, runDecoder(bytes, 0, bytes.length, { bindings: hostile, mode: 'json' }))).toBeNull();
    expect(fast.lines.map(({ kind }) => kind)).toEqual([Kind.unknown, Kind.trade]);
  });

  it('a message whose last brace stands behind the region is cut, not read', () => {
    const bytes = Buffer.from(`${good}\n`);
    const run = runDecoder(bytes, 0, bytes.length - 2, { bindings, mode: 'wasm' });
    expect(run.lines.map(({ kind, fields }) => [kind, fields[Field.END]])).toEqual([[Kind.entry, bytes.length - 2]]);
  });

  it('a message key written with escapes is still a message', () => {
    const escaped = good.replace('"msg"', '"\\u006dsg"');
    agreeOn(text([escaped]));
    expect(kindOf(escaped)).toBe(Kind.depth);
  });

  it('nesting of any depth ends', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect(kindOf(line(USDM, deep))).toBe(Kind.unknown);
    expect(kindOf(line(USDM, deep.slice(0, 200_000)))).toBe(Kind.entry);
  });
});

describe('unusual forms of a good message', () => {
  const message = seedLines[0].slice(seedLines[0].indexOf('"msg":') + 6, -1);
  const forms: [name: string, line: string][] = [
    ['blanks', line(USDM, message.replaceAll(',', ', '))],
    ['a carriage return at the end', `${line(USDM, message)}\r`],
    ['an added key', line(USDM, message.replace('"T":', '"zz":{"a":[1]},"T":'))],
    [
      'keys in another order',
      line(USDM, message.replace('"E":1786000001234,', '').replace(/}}$/, ',"E":1786000001234}}')),
    ],
    ['an escaped key', line(USDM, message.replace('"pu"', '"p\\u0075"'))],
    ['an escaped type', line(USDM, message.replace('"depthUpdate"', '"depth\\u0055pdate"'))],
    ['a repeated key, the last of which counts', line(USDM, message.replace('"U":', '"U":5,"U":'))],
    ['an exponent', line(USDM, message.replace('"64010.20"', '"6.40102E+4"'))],
    ['leading and trailing zeros', line(USDM, message.replace('"64010.20"', '"064010.20000000000000000000000000"'))],
    ['a plus sign', line(USDM, message.replace('"64010.20"', '"+64010.20"'))],
    ['three values in a level', line(USDM, message.replace('"64010.20","0.00"', '"64010.20","0.00","9"'))],
    ['a key behind the message', `${line(USDM, message).slice(0, -1)},"late":1}`],
    ['a very long connection name', line(USDM, message, 'c'.repeat(600))],
    ['a connection with escapes', line(USDM, message, 'a"b\\c')],
  ];
  it.each(forms)('%s', (_, unusual) => {
    agreeOn(text([unusual]));
    const [usual, other] = decodeAll([line(USDM, message), unusual]).lines;
    const comparable = ({ kind, fields, levels }: typeof usual) => ({
      kind,
      levels,
      fields: [...fields].filter((__, f) => f !== Field.START && f !== Field.END),
    });
    expect(comparable(other)).toEqual(comparable(usual));
  });

  it('a number that cannot be held exactly makes the message invalid, not wrong', () => {
    for (const price of ['64010.2001', '9007199254740.992', '-1', '', '1e400', '1 ', '0x10']) {
      const bad = line(USDM, message.replace('"64010.20"', `"${price}"`));
      agreeOn(text([bad]));
      expect([price, kindOf(bad)]).toEqual([price, Kind.invalid]);
    }
    expect(kindOf(line(USDM, message.replace('"64010.20"', '"9007199254740.991"')))).toBe(Kind.depth);
  });

  it('another symbol inside is invalid, another topic unknown', () => {
    expect(kindOf(line(USDM, message.replace('"s":"BTCUSDT"', '"s":"ETHUSDT"')))).toBe(Kind.invalid);
    expect(kindOf(line(USDM, message.replace('btcusdt@', 'ethusdt@')))).toBe(Kind.unknown);
    expect(kindOf(line(USDM, message.replace('btcusdt@depth', 'btcusdt@what')))).toBe(Kind.unknown);
    expect(kindOf(line(USDM, message.replace('depthUpdate', 'depthupdate')))).toBe(Kind.unknown);
  });
});

describe('records', () => {
  const out = new EventBuffer();
  const decoder = createDecoder();
  for (const [src, binding] of bindings) decoder.bind(src, binding);
  const record = (one: string): number[] => {
    out.clear();
    const bytes = text([one]);
    decoder.decode(bytes, 0, bytes.length, out);
    return [...out.events.subarray(0, EVENT_STRIDE)];
  };
  const has = (fields: number[], wanted: Partial<Record<keyof typeof Field, number>>): void => {
    const got = Object.fromEntries(
      Object.keys(wanted).map((name) => [name, fields[Field[name as keyof typeof Field]]]),
    );
    expect(got).toEqual(wanted);
  };

  it('a depth update of USD-M', () => {
    const fields = record(seedLines[0]);
    has(fields, { KIND: Kind.depth, T: T0, EMITTED: 1786000001234000, MATCHED: 1786000001231000 });
    has(fields, { FIRST: 11000000000101, LAST: 11000000000188, PREVIOUS: 11000000000077, SIZE: 2, PRICE2: 1 });
    expect([...out.levels.subarray(0, 6)]).toEqual([64010100, 320000, 64010000, 0, 64010200, 0]);
  });

  it('bids stand before asks in whatever order the message has them', () => {
    const swapped = seedLines[0].replace(/"b":(\[\[.*?\]\]),"a":(\[\[.*?\]\])/, '"a":$2,"b":$1');
    expect(swapped).not.toBe(seedLines[0]);
    has(record(swapped), { KIND: Kind.depth, PRICE: 0, SIZE: 2, PRICE2: 1 });
    expect([...out.levels.subarray(0, 6)]).toEqual([64010100, 320000, 64010000, 0, 64010200, 0]);
  });

  it('trades: maker flag, prints that are no flow, and the second trade stream', () => {
    const trades = seedLines.filter((one) => one.includes(`"src":"${USDM}"`) && /@(trade|aggTrade)"/.test(one));
    const [buy, insurance, none, , merged] = trades;
    has(record(buy), { KIND: Kind.trade, SIDE: 1, FIRST: 7200000001, LAST: 7200000001, PRICE: 64010200, SIZE: 300000 });
    expect(record(buy)[Field.FLAGS] & (OFF_BOOK | NOT_FLOW)).toBe(0);
    has(record(insurance), { SIDE: -1 });
    expect(record(insurance)[Field.FLAGS] & (OFF_BOOK | NOT_FLOW)).toBe(OFF_BOOK);
    has(record(none), { KIND: Kind.trade, PRICE: 0, LAST: 7200000001 });
    expect(record(none)[Field.FLAGS] & (OFF_BOOK | NOT_FLOW)).toBe(OFF_BOOK);
    expect(record(merged)[Field.FLAGS] & (OFF_BOOK | NOT_FLOW)).toBe(NOT_FLOW);
    has(record(merged), { SIDE: -1, LAST: 3100000001, PREVIOUS: -1 });
    const coin = seedLines.find((one) => one.includes(`"src":"${COINM}"`) && one.includes('@aggTrade'))!;
    expect(record(coin)[Field.FLAGS] & NOT_FLOW).toBe(0);
  });

  it('spot: no matching-engine time in depth, microseconds where there are 16 digits', () => {
    const [depth, micros, partial] = seedLines.filter((one) => one.includes(`"src":"${SPOT}"`));
    has(record(depth), { KIND: Kind.depth, EMITTED: 1786000001234000, MATCHED: 0, PREVIOUS: -1 });
    has(record(micros), { EMITTED: 1786000001234567, SIZE: 0, PRICE2: 2 });
    has(record(partial), { KIND: Kind.partial, FIRST: 90000000150, LAST: 90000000150, EMITTED: 0 });
  });

  it('a futures partial depth has the words of a diff and is never one', () => {
    const top = seedLines.find((one) => one.includes('@depth5"'))!;
    has(record(top), { KIND: Kind.partial });
  });

  it('acks and errors are talk', () => {
    for (const talk of ['{"result":null,"id":7}', '{"code":2,"msg":"x","id":7}', '{"error":{"code":3},"id":1}'])
      has(record(line(USDM, talk)), { KIND: Kind.other });
    has(record(line(USDM, '{"id":1}')), { KIND: Kind.unknown });
  });

  it('a symbol outside ASCII is found by its lower case', () => {
    const messages = seedLines.filter((one) => one.includes(ODD));
    expect(messages.length).toBeGreaterThan(10);
    for (const { kind } of decodeAll(messages).lines)
      expect([Kind.unknown, Kind.invalid, Kind.entry]).not.toContain(kind);
  });
});

describe('batches', () => {
  const lines = [...seedLines, ...seedLines].filter((one) => one !== '');
  const bytes = text(lines);
  const whole = runDecoder(bytes, 0, bytes.length, { bindings, mode: 'wasm', events: 4096 });
  const same = (run: Run): void => expect(difference(whole, run)).toBeNull();

  it('cut at every line gives the records of the whole', () => {
    const decoder = { events: 64, bindings, mode: 'wasm' as const };
    let at = 0;
    const parts: Run = { lines: [], counts: whole.counts };
    while (at < bytes.length) {
      const end = bytes.indexOf(0x0a, at) + 1;
      parts.lines.push(...runDecoder(bytes, at, end, decoder).lines);
      at = end;
    }
    same(parts);
  });

  it('a last line without its newline is decoded too', () => {
    const run = runDecoder(bytes, 0, bytes.length - 1, { bindings, mode: 'wasm' });
    expect(difference(whole, run)).toBeNull();
  });

  it('room for one record and few levels is enough', () => {
    same(runDecoder(bytes, 0, bytes.length, { bindings, mode: 'wasm', events: 1, levels: 1 }));
    same(runDecoder(bytes, 0, bytes.length, { bindings, mode: 'json', events: 1, levels: 1 }));
    same(runDecoder(bytes, 0, bytes.length, { bindings, mode: 'wasm', events: 3, levels: 2 }));
  });

  it('a message of very many levels makes room and keeps the levels before it', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `["${i + 1}.1","${i}"]`).join(',');
    const big = seedLines[0].replace(/"b":\[\[.*?\]\]/, `"b":[${many}]`);
    const both = text([seedLines[0], big, seedLines[0]]);
    agreeOn(both);
    const run = runDecoder(both, 0, both.length, { bindings, mode: 'wasm', levels: 4 });
    expect(run.lines.map(({ levels }) => levels.length)).toEqual([6, 10_002, 6]);
    expect(run.lines[2].levels).toEqual(run.lines[0].levels);
  });

  it('at another place of another buffer the records are the same', () => {
    const below = random(5);
    for (let i = 0; i < 20; i++) {
      const shift = below(9);
      const moved = Buffer.concat([Buffer.alloc(shift, '}'), bytes, Buffer.alloc(below(9), '0')]);
      const run = runDecoder(moved, shift, shift + bytes.length, { bindings, mode: 'wasm' });
      for (const { fields } of run.lines) {
        fields[Field.START] -= shift;
        fields[Field.END] -= shift;
      }
      same(run);
    }
  });

  it('stops behind a line that is no message, and goes on from there', () => {
    const decoder = createDecoder();
    for (const [src, binding] of bindings) decoder.bind(src, binding);
    const entry = `{"t":${T0},"src":"${USDM}","conn":"k3f9.1","open":{"url":"wss://x"}}`;
    const batch = text([seedLines[0], entry, seedLines[1]]);
    const out = new EventBuffer();
    const behind = decoder.decode(batch, 0, batch.length, out);
    expect(out.count).toBe(2);
    expect(batch.toString('utf8', out.events[EVENT_STRIDE + Field.START], out.events[EVENT_STRIDE + Field.END])).toBe(
      entry,
    );
    expect(decoder.decode(batch, behind, batch.length, out)).toBe(batch.length);
    expect(out.count).toBe(3);
  });

  it('a src that is not bound is asked for, and decoded once it is bound', () => {
    const decoder = createDecoder();
    const batch = text([seedLines[0], seedLines[1]]);
    const out = new EventBuffer();
    const first = decoder.decode(batch, 0, batch.length, out);
    expect(out.events[Field.KIND]).toBe(Kind.entry);
    expect(first).toBe(batch.indexOf(0x0a) + 1);
    expect(decoder.isBound(USDM)).toBe(false);
    decoder.bind(USDM, bindings.get(USDM)!);
    expect(decoder.isBound(USDM)).toBe(true);
    out.clear();
    decoder.decode(batch, 0, batch.length, out);
    expect([out.count, out.events[Field.KIND], out.events[EVENT_STRIDE]]).toEqual([2, Kind.depth, Kind.depth]);
  });

  it('a src bound anew is decoded by its new scale', () => {
    const decoder = createDecoder();
    const out = new EventBuffer();
    const batch = text([seedLines[7]]);
    for (const price of [2, 4]) {
      decoder.bind(USDM, { ...bindings.get(USDM)!, scale: { price, size: 0 } });
      decoder.decode(batch, 0, batch.length, out);
    }
    expect([out.events[Field.PRICE], out.events[EVENT_STRIDE + Field.PRICE]]).toEqual([6401020, 640102000]);
  });

  it('thousands of connections do not stop it', () => {
    const many = Array.from({ length: 5000 }, (_, i) => line(USDM, '{"result":null,"id":1}', `c${i}`));
    many.push(...many.slice(0, 10));
    expect(new Set(decodeAll(many).lines.map(({ origin }) => origin)).size).toBe(5000);
    expect(agreeOn(text(many.slice(0, 50))).slow).toBe(50);
  });

  it('a full buffer takes nothing', () => {
    const decoder = createDecoder();
    const out = new EventBuffer(1, 8);
    out.count = 1;
    expect(decoder.decode(bytes, 0, bytes.length, out)).toBe(0);
  });
});
