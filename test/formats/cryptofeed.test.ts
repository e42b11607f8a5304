/** The reader of cryptofeed archives: kinds of lines, times as they are written, bad lines told, and packed files read alike. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type CryptofeedLine, readCryptofeed } from '../../src/formats/cryptofeed.js';
import type { BadLine } from '../../src/formats/hftbacktest.js';
import { compressFrame } from '../../src/tape/frame.js';
import { temporaryFolder } from '../audit/market-lines.js';

interface Read {
  lines: CryptofeedLine[];
  bad: BadLine[];
  bytes: number;
}

async function read(...files: string[]): Promise<Read> {
  const result: Read = { lines: [], bad: [], bytes: 0 };
  const options = {
    bad: (line: BadLine) => void result.bad.push(line),
    progress: (bytes: number) => {
      result.bytes += bytes;
    },
  };
  for await (const lines of readCryptofeed(files, options)) result.lines.push(...lines);
  return result;
}

function fileOf(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), 'a');
  writeFileSync(path, content);
  return path;
}

const recv = (ts: string, data = '{}'): string =>
  `{"t":"recv","conn":"BYBIT.ws.2","ts":${ts},"data":${JSON.stringify(data)}}\n`;

describe('lines', () => {
  test('of every kind give their parts, and texts are those inside the quotes', async () => {
    const text = [
      '{"t":"header","format":2,"exchange":"BYBIT","config":{"trades":["BTC-USDT"]},"recorded":1786310817.5}',
      '{"t":"http","conn":"BYBIT.http.1","ts":1786310817.601629,"url":"https://api.bybit.com/v5/market/instruments-info?category=linear","data":"{\\"retCode\\":0}"}',
      '{"t":"connect","conn":"BYBIT.ws.2","ts":1786310818.2235148,"addr":"wss://stream.bybit.com/v5/public/linear"}',
      '{"t":"send","conn":"BYBIT.ws.2","ts":1786310819.228447,"addr":"wss://stream.bybit.com/v5/public/linear","data":"{\\"op\\":\\"subscribe\\",\\"args\\":[\\"orderbook.200.BTCUSDT\\"]}"}',
      '{"t":"recv","conn":"BYBIT.ws.2","ts":1786310819.526357,"data":"{\\"topic\\": \\"x\\",\\"ts\\":1786310819000,\\"v\\":\\"\\u00fc\\\\n\\"}"}',
    ].join('\n');
    const file = fileOf(`${text}\n`);
    const { lines, bad } = await read(file);
    expect(bad).toEqual([]);
    const linear = 'wss://stream.bybit.com/v5/public/linear';
    expect(lines).toEqual([
      { file, line: 1, kind: 'header', conn: '', t: 0, url: '', text: '' },
      {
        file,
        line: 2,
        kind: 'http',
        conn: 'BYBIT.http.1',
        t: 1786310817601629,
        url: 'https://api.bybit.com/v5/market/instruments-info?category=linear',
        text: '{"retCode":0}',
      },
      { file, line: 3, kind: 'connect', conn: 'BYBIT.ws.2', t: 1786310818223514, url: linear, text: '' },
      {
        file,
        line: 4,
        kind: 'send',
        conn: 'BYBIT.ws.2',
        t: 1786310819228447,
        url: linear,
        text: '{"op":"subscribe","args":["orderbook.200.BTCUSDT"]}',
      },
      {
        file,
        line: 5,
        kind: 'recv',
        conn: 'BYBIT.ws.2',
        t: 1786310819526357,
        url: '',
        text: '{"topic": "x","ts":1786310819000,"v":"ü\\n"}',
      },
    ]);
  });

  test('files are read one after the other, each with its own numbers', async () => {
    const [a, b] = [fileOf(recv('1786310819.5') + recv('1786310819.6')), fileOf(recv('1786310818.5'))];
    const { lines } = await read(a, b);
    expect(lines.map(({ file, line, t }) => [file, line, t])).toEqual([
      [a, 1, 1786310819500000],
      [a, 2, 1786310819600000],
      [b, 1, 1786310818500000],
    ]);
  });

  test('the last needs no newline', async () => {
    const { lines, bad } = await read(fileOf(recv('1786310819.5').trimEnd()));
    expect([lines.length, bad]).toEqual([1, []]);
  });
});

describe('times', () => {
  // a float64 of a time in seconds is good to a quarter of a microsecond, its text says more than it knows
  test.each([
    ['1786310818.2235148', 1786310818223514],
    ['1786310819.228447', 1786310819228447],
    ['1786310819.5264041', 1786310819526404],
    ['1786310819.999999999', 1786310819999999],
    ['1786310819.000001', 1786310819000001],
    ['1786310819.5', 1786310819500000],
    ['1786310819.0', 1786310819000000],
    ['1786310819', 1786310819000000],
  ])('%s is %d', async (ts, t) => {
    const { lines, bad } = await read(fileOf(recv(ts)));
    expect(bad).toEqual([]);
    expect(lines.map((line) => line.t)).toEqual([t]);
  });

  test('that of the line counts, not one in its text', async () => {
    const line = '{"t":"recv","conn":"c","data":"{\\"ts\\":1700000000,\\"a\\":1}","ts":1786310819.25}\n';
    expect((await read(fileOf(line))).lines[0].t).toBe(1786310819250000);
  });
});

describe('bad lines', () => {
  test('are told with file and number and skipped; blank ones are only skipped', async () => {
    const file = fileOf(
      [
        recv('1786310819.1').trimEnd(),
        'rubbish',
        '',
        '[1,2]',
        '7',
        '{"t":"what","conn":"c","ts":1786310819.2,"data":"{}"}',
        '{"conn":"c","ts":1786310819.2,"data":"{}"}',
        '{"t":"recv","conn":"c","data":"{}"}',
        '{"t":"recv","conn":"c","ts":"1786310819.2","data":"{}"}',
        '{"t":"recv","conn":"c","ts":178631081.2,"data":"{}"}',
        '{"t":"recv","conn":"c","ts":1786310819.2,"data":{"a":1}}',
        '{"t":"recv","conn":"c","ts":1786310819.2}',
        '{"t":"recv","conn":"c","ts":1786310819.2,"da',
        recv('1786310819.3').trimEnd(),
      ].join('\n'),
    );
    const { lines, bad } = await read(file);
    expect(lines.map(({ line }) => line)).toEqual([1, 14]);
    expect(bad.every((one) => one.file === file)).toBe(true);
    const kinds = 'its "t" is none of header, http, connect, send, recv';
    const time = 'it has no time in seconds as "ts"';
    expect(bad.map(({ line, why }) => [line, why])).toEqual([
      [2, 'it is not JSON'],
      [4, kinds],
      [5, 'it is no JSON object'],
      [6, kinds],
      [7, kinds],
      [8, time],
      [9, time],
      [10, time],
      [11, 'its "data" is no text'],
      [12, 'its "data" is no text'],
      [13, 'it is not JSON'],
    ]);
  });
});

describe('packed files', () => {
  const rows = Array.from({ length: 6000 }, (_, n) => recv(`17863108${10 + (n % 80)}.${n}`, `{"n":${n}}`));
  const text = rows.join('');
  const halves = [rows.slice(0, 4000).join(''), rows.slice(4000).join('')];

  test('gzip, zstd and plain give the same lines, in one part or several', async () => {
    const plain = await read(fileOf(text));
    expect(plain.lines.map((line) => line.text)).toEqual(rows.map((_, n) => `{"n":${n}}`));
    const zstd = (part: string): Buffer => compressFrame(Buffer.from(part));
    for (const packed of [
      gzipSync(text),
      Buffer.concat(halves.map((part) => gzipSync(part))),
      zstd(text),
      Buffer.concat(halves.map(zstd)),
    ]) {
      const { lines, bad, bytes } = await read(fileOf(packed));
      expect(lines.map(({ t, line, text }) => ({ t, line, text }))).toEqual(
        plain.lines.map(({ t, line, text }) => ({ t, line, text })),
      );
      expect(bad).toEqual([]);
      expect(bytes).toBe(packed.length);
    }
    expect(plain.bytes).toBe(text.length);
  });

  test('a cut one gives all lines before the cut, and says where it ends', async () => {
    const packed = gzipSync(text);
    for (const cut of [packed.subarray(0, packed.length >> 1), zstdCut()]) {
      const { lines, bad } = await read(fileOf(cut));
      expect(lines.length).toBeGreaterThan(1000);
      expect(lines.at(-1)).toMatchObject({ line: lines.length, text: `{"n":${lines.length - 1}}` });
      expect(bad).toHaveLength(1);
      expect(bad[0].why).toContain(`damaged after line ${lines.length}: `);
    }
  });

  /** The first frame whole, the second not. */
  function zstdCut(): Buffer {
    const [first, second] = halves.map((part) => compressFrame(Buffer.from(part)));
    return Buffer.concat([first, second.subarray(0, second.length >> 1)]);
  }

  test('a missing file is an error', async () => {
    await expect(read(join(temporaryFolder(), 'no'))).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
