/** Messages whose trades do not stand as they were matched: every decoder puts them in order, and those of other venues stay as they are. */
import { describe, expect, test } from 'vitest';
import { createDecoder, type DecodeMode } from '../../src/decode/decoder.js';
import { EVENT_STRIDE, EventBuffer, Field, MORE } from '../../src/model/event.js';
import { scaleOf } from '../../src/model/instrument.js';
import { venueById } from '../../src/venues/registry.js';

/** Matched ms behind a round second, and price in ticks. */
type Row = [ms: number, price: number];

const SECOND = 1_790_300_001_000;
const at = (ms: number): number => SECOND + ms;

const VENUES: Record<string, { symbol: string; write: (rows: Row[]) => string }> = {
  'weex-futures': {
    symbol: 'ETHUSDT',
    write: (rows) =>
      `{"e":"trade","E":${at(999)},"s":"ETHUSDT","d":[${rows.map(([ms, price], n) => `{"T":${at(ms)},"t":"id-${n}","p":"${price}","q":"1","v":"1","m":false}`).join(',')}]}`,
  },
  'bingx-swap': {
    symbol: 'ETH-USDT',
    write: (rows) =>
      `{"code":0,"dataType":"ETH-USDT@trade","data":[${rows.map(([ms, price]) => `{"q":"1","p":"${price}","T":${at(ms)},"m":false,"s":"ETH-USDT"}`).join(',')}]}`,
  },
  'bybit-linear': {
    symbol: 'BTCUSDT',
    write: (rows) =>
      `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":${at(999)},"data":[${rows.map(([ms, price]) => `{"T":${at(ms)},"s":"BTCUSDT","S":"Buy","v":"1","p":"${price}","i":"a","BT":false,"RPI":false}`).join(',')}]}`,
  },
};

/** The rows as they are decoded, of messages one behind the other; the last row of each alone has none behind it. */
function decoded(venue: string, mode: DecodeMode, ...messages: Row[][]): Row[][] {
  const { symbol, write } = VENUES[venue];
  const { layouts, kind, channels } = venueById(venue);
  const scale = scaleOf({ symbol, kind, tick: '1', lot: '1', multiplier: '1' });
  const decoder = createDecoder(mode);
  const src = `${venue}:${symbol}`;
  decoder.bind(src, { layouts, symbol, scale, flow: channels.flow });
  const bytes = Buffer.from(
    messages
      .map((rows, n) => `{"t":${1_790_300_002_000_000 + n},"src":"${src}","conn":"a.1","msg":${write(rows)}}\n`)
      .join(''),
  );
  const out = new EventBuffer(64, 64);
  for (let p = 0; p < bytes.length; ) p = decoder.decode(bytes, p, bytes.length, out);
  const told: Row[][] = [[]];
  for (let o = 0; o < out.count * EVENT_STRIDE; o += EVENT_STRIDE) {
    const e = out.events;
    expect(e[o + Field.T]).toBe(1_790_300_002_000_000 + told.length - 1);
    told[told.length - 1].push([e[o + Field.MATCHED] / 1000 - SECOND, e[o + Field.PRICE] / 10 ** scale.price]);
    if ((e[o + Field.FLAGS] & MORE) === 0) told.push([]);
  }
  return told.slice(0, -1);
}

const MODES: DecodeMode[] = ['wasm', 'typescript', 'json'];

describe.each(MODES)('%s', (mode) => {
  test.each<[what: string, venue: string, rows: Row[], ordered: Row[]]>([
    [
      'by time',
      'weex-futures',
      [
        [9, 3],
        [4, 1],
        [6, 2],
      ],
      [
        [4, 1],
        [6, 2],
        [9, 3],
      ],
    ],
    [
      'of one time as they stand',
      'weex-futures',
      [
        [6, 1],
        [4, 2],
        [6, 3],
        [4, 4],
      ],
      [
        [4, 2],
        [4, 4],
        [6, 1],
        [6, 3],
      ],
    ],
    [
      'of a list that falls from its end on',
      'bingx-swap',
      [
        [9, 3],
        [6, 2],
        [6, 1],
        [4, 7],
      ],
      [
        [4, 7],
        [6, 1],
        [6, 2],
        [9, 3],
      ],
    ],
    [
      'of a list that rises as they stand',
      'bingx-swap',
      [
        [4, 1],
        [6, 2],
        [6, 3],
      ],
      [
        [4, 1],
        [6, 2],
        [6, 3],
      ],
    ],
    [
      'of one time alone as they stand',
      'bingx-swap',
      [
        [6, 2],
        [6, 1],
      ],
      [
        [6, 2],
        [6, 1],
      ],
    ],
    [
      'of another venue as they stand',
      'bybit-linear',
      [
        [9, 3],
        [4, 1],
      ],
      [
        [9, 3],
        [4, 1],
      ],
    ],
  ])('rows %s (%s)', (_, venue, rows, ordered) => {
    expect(decoded(venue, mode, rows)).toEqual([ordered]);
  });

  test('no row leaves its message', () => {
    const rows: Row[][] = [
      [
        [9, 1],
        [8, 2],
      ],
      [[7, 3]],
      [
        [5, 4],
        [6, 5],
        [3, 6],
      ],
    ];
    expect(decoded('weex-futures', mode, ...rows)).toEqual([
      [
        [8, 2],
        [9, 1],
      ],
      [[7, 3]],
      [
        [3, 6],
        [5, 4],
        [6, 5],
      ],
    ]);
  });
});
