/** Topics made of a recorded book: whatever happens to that one, a reader of what is made has the same levels. */
import { describe, expect, test } from 'vitest';
import type { Entry, TapeHeader } from '../../src/model/entry.js';
import { createMadeTopics } from '../../src/serve/made-topics.js';
import { createRecordedMarket } from '../../src/serve/recorded-market.js';
import type { RecordedTopics } from '../../src/serve/recorded-topics.js';
import { entryLine, messageLine, parseEntry } from '../../src/tape/line.js';
import { venueById } from '../../src/venues/registry.js';
import { servedVenue } from '../../src/venues/servers.js';
import type { ServedMessage } from '../../src/venues/venue.js';
import { PlainBook, type Row } from '../venues/served.js';
import { apply, BOOK, CONN, delta, headerLine, type Line, levels, parse, snapshot, T } from './bybit-tape.js';

/** What a client of made topics hears of these lines, and the deepest recorded book at their end, as a reader's text. */
function follow(
  id: string,
  topics: string[],
  lines: readonly Line[],
  recorded: RecordedTopics = new Map(),
  before: (n: number) => void = () => {},
): { heard: ServedMessage[]; end: string } {
  const venue = venueById(id);
  const { tape } = parseEntry(headerLine({ venue: id })) as { tape: TapeHeader };
  const market = createRecordedMarket(venue, recorded, [tape]);
  const server = servedVenue(id)!.server(market);
  const made = createMadeTopics(market, server);
  made.need('BTCUSDT');
  const heard: ServedMessage[] = [];
  const src = `${id}:BTCUSDT`;
  for (const [n, [at, what]] of lines.entries()) {
    before(n);
    const t = T + 1 + Math.round(at * 1e6);
    const line =
      typeof what === 'string'
        ? messageLine(t, src, CONN, Buffer.from(what))
        : Buffer.from(entryLine({ t, src, ...what } as Entry));
    const batch = { bytes: line, from: 0, to: line.length, file: '-', frame: -1, line: 1 };
    for (const step of market.play(batch)) heard.push(...made.follow(step, new Set(topics)));
  }
  const end = new PlainBook(5000);
  const { bids, asks } = market.sides(market.main('BTCUSDT')!);
  end.replace(bids, asks);
  return { heard, end: end.sides() };
}

function bybitBook(heard: readonly ServedMessage[]): string {
  const book = new PlainBook(1000);
  let last = Number.NaN;
  for (const message of heard.map(({ text }) => parse(text))) {
    const { type, data } = message;
    if (type !== 'snapshot') expect(data.u).toBe(last + 1);
    apply(book, message);
    last = data.u;
  }
  return book.sides();
}

describe('a tape with books of two depths', () => {
  const FLAT = 'orderbook.50.BTCUSDT';
  const SWITCH: Line[] = [
    [1, snapshot(100, ...levels(10, '1.000'))],
    [1.1, snapshot(700, ...levels(20, '1.000'), FLAT)],
    [2, delta(701, [['64010.00', '2.000']], [], FLAT)],
    [2.1, delta(101, [['64010.00', '2.000']])],
    // now the other one is deeper, has levels that the first one never had, and not all of those that it had
    [
      3,
      snapshot(
        102,
        [['64020.00', '0.100'], ...levels(60, '3.000')[0].slice(1)],
        levels(60, '3.000')[1].map(([price, size]): Row => [(Number(price) + 10).toFixed(2), size]),
      ),
    ],
    [3.1, delta(702, [['64010.00', '4.000']], [], FLAT)],
    [
      4,
      delta(103, [
        ['64020.00', '4.000'],
        ['64004.20', '0'],
      ]),
    ],
  ];

  test.each([1, 2, 3, 4, 5, 6, 7])('after %i lines is the deeper one', (count) => {
    const { heard, end } = follow('bybit-linear', ['orderbook.1000.BTCUSDT'], SWITCH.slice(0, count));
    expect(bybitBook(heard)).toBe(end);
  });

  test.each([2, 3])('is the deeper one too where somebody else found that out, before line %i', (line) => {
    const topics: RecordedTopics = new Map();
    const found = (n: number): void => {
      const deep = topics.get(BOOK);
      if (n === line && deep !== undefined) deep.levels = 121;
    };
    const { heard, end } = follow('bybit-linear', ['orderbook.1000.BTCUSDT'], SWITCH.slice(0, 4), topics, found);
    expect(bybitBook(heard)).toBe(end);
  });
});

describe('ids that begin anew', () => {
  const NEXT: Line[] = [
    [1, snapshot(5000, ...levels(10, '1.000'))],
    [2, delta(5001, [['64010.00', '2.000']])],
    [3, snapshot(1, ...levels(12, '3.000'))],
    [4, delta(2, [['64010.00', '4.000']])],
  ];

  test('open a topic again, where topics open', () => {
    const { heard, end } = follow('bybit-linear', ['orderbook.50.BTCUSDT'], NEXT);
    expect(heard.map(({ text }) => parse(text).type)).toEqual(['snapshot', 'delta', 'snapshot', 'delta']);
    expect(bybitBook(heard)).toBe(end);
  });

  /** `ms` behind the begin, by the exchange's clock. */
  const update = (ms: number, U: number, u: number, pu: number, b: Row[]): string =>
    `{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":${1_786_000_000_000 + ms},"T":1786000000499,"s":"BTCUSDT","U":${U},"u":${u},"pu":${pu},"b":${JSON.stringify(b)},"a":[]}}`;
  const rest = (lastUpdateId: number, size: string): object => {
    const [bids, asks] = levels(5, size);
    return { http: { url: 'https://x', status: 200, sent: T, body: { lastUpdateId, E: 1, T: 1, bids, asks } } };
  };
  const ANEW: Line[] = [
    [1, rest(9000, '1.000')],
    [2, update(0, 8999, 9002, 8998, [['64010.00', '2.000']])],
    [2.3, update(600, 9003, 9005, 9002, [['64010.00', '3.000']])],
    [2.4, update(700, 9006, 9008, 9005, [['64010.00', '4.000']])],
    [5, { conn: CONN, gap: { stream: '*', from: T, reason: 'restart' } }],
    [6, rest(10, '5.000')],
    [7, update(720, 9, 12, 8, [['64010.00', '6.000']])],
    [8, update(1300, 13, 15, 12, [['64010.00', '7.000']])],
    [9, update(2000, 16, 18, 15, [['64010.00', '8.000']])],
  ];

  test.each(['btcusdt@depth', 'btcusdt@depth@500ms', 'btcusdt@depth@0ms'])(
    'begin a chain of their own in %s',
    (topic) => {
      const { heard } = follow('binance-usdm', [topic], ANEW);
      const chain = heard.map(({ text }) => {
        const { U, u, pu } = JSON.parse(text) as { U: number; u: number; pu: number };
        return { U, u, pu };
      });
      for (const { U, u, pu } of chain) expect([U, u, pu < U && U <= u]).toEqual([U, u, true]);
      // what was said of the first count is one chain, and what is said of the second another
      const anew = chain.findIndex(({ u }) => u < 100);
      expect(anew).toBeGreaterThan(0);
      for (const [n, { pu }] of chain.entries()) if (n !== 0 && n !== anew) expect(pu).toBe(chain[n - 1].u);
      expect(chain.at(-1)).toMatchObject({ u: 18 });
    },
  );
});
