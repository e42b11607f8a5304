/** Lines: verbatim messages, envelopes without parsing the value, and what is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENTRY_KEYS } from '../../src/model/entry.js';
import {
  anyTimeOf,
  binaryLine,
  entryLine,
  envelopeOf,
  httpLine,
  isJsonLine,
  messageLine,
  parseEntry,
  timeOf,
} from '../../src/tape/line.js';
import { T0 } from './tapes.js';

const line = (text: string | Uint8Array): string => messageLine(T0, 'v:S', 'c.1', Buffer.from(text)).toString();
const envelope = (text: string) => envelopeOf(Buffer.from(text), 0, Buffer.byteLength(text));

describe('messageLine', () => {
  test.each([
    ['{"a": 1.50,"b":[1e5]}', '"msg":{"a": 1.50,"b":[1e5]}'],
    [' {"a":1}\t', '"msg": {"a":1}\t'],
    ['12345678901234567890.10', '"msg":12345678901234567890.10'],
    ['"\u2028é😀"', '"msg":"\u2028é😀"'],
    ['{"a":1,"a":2}', '"msg":{"a":1,"a":2}'],
    ['Ping', '"text":"Ping"'],
    ['', '"text":""'],
    ['{"a":\n1}', '"text":"{\\"a\\":\\n1}"'],
    ['{"a":1}\n', '"text":"{\\"a\\":1}\\n"'],
    ['{"a":1}\r\n', '"text":"{\\"a\\":1}\\r\\n"'],
    ['{"a":1} {"b":2}', '"text":"{\\"a\\":1} {\\"b\\":2}"'],
    ['{"a":1,}', '"text":"{\\"a\\":1,}"'],
    ['\ufeff{}', '"text":"\ufeff{}"'],
    ['NaN', '"text":"NaN"'],
  ])('%j', (text, value) => {
    expect(line(text)).toBe(`{"t":${T0},"src":"v:S","conn":"c.1",${value}}\n`);
  });

  test('nesting of 200 is a message, of 201 text', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(line(nested(200))).toContain('"msg":[');
    expect(line(nested(201))).toContain('"text":"[');
    expect(line(`{"a":${nested(199)}}`)).toContain('"msg":{');
  });

  test('invalid UTF-8 is kept as base64, also inside JSON', () => {
    expect(line(Buffer.from([0x22, 0xff, 0x22]))).toContain(
      `"bin":"${Buffer.from([0x22, 0xff, 0x22]).toString('base64')}"`,
    );
    expect(binaryLine(T0, 'v:S', 'c', Buffer.from([1, 2])).toString()).toBe(
      `{"t":${T0},"src":"v:S","conn":"c","bin":"AQI="}\n`,
    );
  });

  test('property: every message is one line that gives its bytes back', () => {
    const text = fc.oneof(
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('utf16le')),
      fc.json().map((json) => `${json}x`),
    );
    fc.assert(
      fc.property(text, (message) => {
        const bytes = Buffer.from(message);
        const written = messageLine(T0, 'v:S "x"', 'c', bytes);
        expect(written.indexOf(10)).toBe(written.length - 1);
        const entry = parseEntry(written);
        const found = envelopeOf(written, 0, written.length)!;
        if (found.key === 'msg') expect(written.subarray(found.valueFrom, found.valueTo)).toEqual(bytes);
        else expect('text' in entry && Buffer.from(entry.text)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test('a time without 16 digits is refused', () => {
    for (const t of [1723161255, 1723161255000.5, Number.NaN, -T0, T0 * 10])
      expect(() => messageLine(t, 'v:S', 'c', Buffer.from('{}'))).toThrow(/not a time of 16 digits/);
  });
});

describe('isJsonLine', () => {
  const agrees = (text: string): void => {
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    expect([text, isJsonLine(Buffer.from(text))]).toEqual([text, valid && !/[\n\r]/.test(text)]);
  };

  test('agrees with JSON.parse on odd values', () => {
    for (const text of [
      '0',
      '-0',
      '-',
      '01',
      '1.',
      '.5',
      '1e',
      '1e+',
      '1E-07',
      '-1.5e+3',
      '+1',
      '0x1',
      'tru',
      'true',
      'nul',
      'null1',
    ])
      agrees(text);
    for (const text of [
      '"',
      '"a',
      '"\\',
      '"\\x"',
      '"\\u12"',
      '"\\u12g4"',
      '"\\uD800"',
      '"\\"',
      '"\t"',
      '"\\t"',
      '""""',
    ])
      agrees(text);
    for (const text of [
      '{}',
      '{ }',
      '[ ]',
      '[,]',
      '[1,]',
      '[1 2]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{a:1}',
      '{"a":1]',
      '[1}',
      '[[]',
      ' [ 1 , { "a" : [ ] } ] ',
      '{1:2}',
    ])
      agrees(text);
  });

  test('property: agrees with JSON.parse on damaged JSON', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '"', '\\', ',', ':', '[', '}', '0', 'e', '-', ' ', '\n', 'u'))
      .map(
        ([json, at, change]) =>
          json.slice(0, at % (json.length + 1)) + change + json.slice((at % (json.length + 1)) + 1),
      );
    fc.assert(fc.property(fc.oneof(fc.json(), damaged), agrees), { numRuns: 2000 });
  });
});

describe('httpLine', () => {
  const http = { url: 'https://h/x?a=1', status: 200, sent: T0 - 5 };

  test('the body stands verbatim and last', () => {
    const written = httpLine(T0, 'v:S', http, Buffer.from('{"lastUpdateId":1, "bids":[]}')).toString();
    expect(written).toBe(
      `{"t":${T0},"src":"v:S","http":{"url":"https://h/x?a=1","status":200,"sent":${T0 - 5},"body":{"lastUpdateId":1, "bids":[]}}}\n`,
    );
    expect(envelope(written)?.key).toBe('http');
  });

  test('other bodies are text or base64', () => {
    const fills = { stream: 'trade', first: 4, last: 9, gap: T0 - 9 };
    expect(httpLine(T0, 'v:S', { ...http, fills }, Buffer.from('[1]')).toString()).toBe(
      `{"t":${T0},"src":"v:S","http":{"url":"https://h/x?a=1","status":200,"sent":${T0 - 5},"fills":{"stream":"trade","first":4,"last":9,"gap":${T0 - 9}},"body":[1]}}\n`,
    );
    expect(httpLine(T0, 'v:S', http, Buffer.from('<html>\n')).toString()).toContain(',"text":"<html>\\n"}}');
    expect(httpLine(T0, 'v:S', http, Buffer.from([0xff])).toString()).toContain(',"bin":"/w=="}}');
  });
});

describe('entryLine', () => {
  test('keys stand in the order t, src, conn, kind', () => {
    const close = { close: { code: 1006, reason: '' }, conn: 'c', src: 'v:S', t: T0 };
    expect(entryLine(close)).toBe(`{"t":${T0},"src":"v:S","conn":"c","close":{"code":1006,"reason":""}}\n`);
  });
});

describe('envelopeOf', () => {
  const canonical = `{"t":${T0},"src":"v:S","conn":"c.1","msg":{"a":[1,"}"]}}\n`;

  test('canonical line', () => {
    const found = envelope(canonical);
    expect(found).toMatchObject({ t: T0, src: 'v:S', conn: 'c.1', key: 'msg' });
    expect(canonical.slice(found?.valueFrom, found?.valueTo)).toBe('{"a":[1,"}"]}');
  });

  test.each([
    ['no conn', `{"t":${T0},"src":"v:S","clock":{}}\n`, 'clock', '{}', null],
    ['no newline', `{"t":${T0},"src":"v:S","clock":{}}`, 'clock', '{}', null],
    ['blanks', `{ "t": ${T0}, "src": "v:S", "conn": "c", "msg": [1] }\n`, 'msg', '[1]', 'c'],
    ['carriage return', `{"t":${T0},"src":"v:S","conn":"c","msg":[1]}\r\n`, 'msg', '[1]', 'c'],
    ['reordered', `{"t":${T0},"msg":[1],"conn":"c","src":"v:S"}\n`, 'msg', '[1]', 'c'],
    ['a later unknown key', `{"t":${T0},"src":"v:S","conn":"c","msg":[1],"note":{}}\n`, 'msg', '[1]', 'c'],
    ['an earlier unknown key', `{"t":${T0},"src":"v:S","note":{},"conn":"c","msg":[1]}\n`, 'msg', '[1]', 'c'],
    ['only an unknown key', `{"t":${T0},"src":"v:S","note":7}\n`, 'note', '7', null],
    ['an escaped src', `{"t":${T0},"src":"v:\\u0053","conn":"c","msg":1}\n`, 'msg', '1', 'c'],
    ['an escaped key', `{"t":${T0},"src":"v:S","conn":"c","m\\u0073g":1}\n`, 'msg', '1', 'c'],
  ])('%s', (_, text, key, value, conn) => {
    const found = envelope(text);
    expect(found).toMatchObject({ t: T0, src: 'v:S', conn, key });
    expect(text.slice(found?.valueFrom, found?.valueTo)).toBe(value);
  });

  test.each([
    '',
    '\n',
    '{}\n',
    '[]\n',
    `{"src":"v:S","t":${T0},"msg":1}\n`,
    `{"t":"${T0}","src":"v:S","msg":1}\n`,
    `{"t":172316125503031,"src":"v:S","msg":1}\n`,
    `{"t":17231612550303140,"src":"v:S","msg":1}\n`,
    `{"t":9931612550303140,"src":"v:S","msg":1}\n`,
    `{"t":${T0}.5,"src":"v:S","msg":1}\n`,
    `{"t":${T0},"src":7,"msg":1}\n`,
    `{"t":${T0},"msg":1}\n`,
    `{"t":${T0},"src":"v:S","msg":1\n`,
    `{"t":${T0},"src":"v:S","conn":"c","msg":{"a":}}\n`,
    `{"t":${T0},"src":"v:S","conn":"c","msg":{}}}\n`,
    `{"t":${T0},"src":"v:S","msg":1}{}\n`,
  ])('%j is no entry', (text) => {
    expect(envelope(text)).toBeNull();
    expect(() => parseEntry(text, { file: 'f', line: 3 })).toThrow(
      expect.objectContaining({ code: 'E_LINE', place: { file: 'f', line: 3 } }),
    );
  });

  test('property: equals JSON.parse for any order of keys and blanks', () => {
    const blank = fc.constantFrom('', ' ', '\t ');
    const members = fc
      .tuple(
        fc.shuffledSubarray(['src', 'conn', 'value'], { minLength: 3 }),
        fc.constantFrom(...ENTRY_KEYS),
        fc.json(),
        fc.string(),
        blank,
      )
      .map(([order, key, json, conn, space]) => {
        const parts = {
          src: `"src":${space}"v:é"`,
          conn: `"conn":${space}${JSON.stringify(conn)}`,
          value: `"${key}":${space}${json}`,
        };
        const rest = order.map((name) => parts[name as keyof typeof parts]).join(`${space},`);
        return { key, json, conn, text: `{${space}"t":${space}${T0}${space},${rest}${space}}\n` };
      });
    fc.assert(
      fc.property(members, ({ key, json, conn, text }) => {
        const bytes = Buffer.from(`xx${text}yy`);
        const found = envelopeOf(bytes, 2, bytes.length - 2)!;
        expect(found).toMatchObject({ t: T0, src: 'v:é', conn, key });
        expect(JSON.parse(bytes.toString('utf8', found.valueFrom, found.valueTo))).toEqual(JSON.parse(json));
        expect(anyTimeOf(bytes, 2, bytes.length - 2)).toBe(T0);
      }),
    );
  });
});

describe('timeOf', () => {
  test('reads 16 digits and nothing else', () => {
    expect(timeOf(Buffer.from(`..{"t":${T0},`), 2)).toBe(T0);
    for (const text of [
      '{"t":172316125503031,"',
      '{"t":17231612550303141,',
      '{"t": 1723161255030314',
      '{"T":1723161255030314,',
      '{"t":172316125503031x,',
      '',
    ])
      expect(timeOf(Buffer.from(text), 0)).toBeNaN();
  });
});
