/** Which connection brings best quotes, and what is said beside the market: what its end costs. */
import { expect, test } from 'vitest';
import { BesideStreams } from '../../src/market/beside-streams.js';
import { EVENT_STRIDE, Field, STREAM_SHIFT } from '../../src/model/event.js';

const CONNECTIONS = ['a', 'b', 'c', null];
const [QUOTES, MARK] = [3, 5];

function recordOf(stream: number, origin: number, last = -1): Float64Array {
  const e = new Float64Array(EVENT_STRIDE);
  e[Field.FLAGS] = stream << STREAM_SHIFT;
  e[Field.ORIGIN] = origin;
  e[Field.LAST] = last;
  return e;
}

const start = (): BesideStreams => new BesideStreams((origin) => CONNECTIONS[origin]);

test('of a market that has none nothing is told, and no end costs anything', () => {
  const streams = start();
  expect([streams.ids, streams.newest(QUOTES), streams.kindOf(QUOTES), streams.comeBy('a')]).toEqual([
    [],
    null,
    null,
    false,
  ]);
});

test('each stream comes by the connection of its newest record', () => {
  const streams = start();
  streams.quote(recordOf(QUOTES, 0, 17), 0);
  streams.other(recordOf(MARK, 1), 0);
  expect([streams.ids, streams.kindOf(QUOTES), streams.kindOf(MARK)]).toEqual([[QUOTES, MARK], 'touch', 'beside']);
  expect([streams.newest(QUOTES), streams.newest(MARK)]).toEqual([
    { conn: 'a', last: 17 },
    { conn: 'b', last: -1 },
  ]);
  expect(['a', 'b', 'c'].map((conn) => streams.comeBy(conn))).toEqual([true, true, false]);
  streams.quote(recordOf(QUOTES, 2, 18), 0);
  expect(['a', 'b', 'c'].map((conn) => streams.comeBy(conn))).toEqual([false, true, true]);
});

test('quotes that another connection goes on with come by that, until a third brings them', () => {
  const streams = start();
  streams.quote(recordOf(QUOTES, 0, 17), 0);
  streams.quotesMoveTo('b');
  expect([streams.newest(QUOTES), streams.comeBy('a'), streams.comeBy('b')]).toEqual([
    { conn: 'b', last: 17 },
    false,
    true,
  ]);
  streams.quote(recordOf(QUOTES, 2, 18), 0);
  expect([streams.newest(QUOTES), streams.comeBy('b')]).toEqual([{ conn: 'c', last: 18 }, false]);
});

test('where it is not known which connection brings a stream, any end may cost it', () => {
  const streams = start();
  streams.other(recordOf(MARK, 3), 0);
  expect(streams.comeBy('a')).toBe(true);
});
