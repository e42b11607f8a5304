/** One client on a connection that takes what it is told to take: what was said before an end comes before it. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createPlaces } from '../../src/serve/places.js';
import { createTapeClient, type Ending } from '../../src/serve/tape-client.js';
import { createTapeClock } from '../../src/serve/tape-clock.js';
import { findTopics } from '../../src/serve/topics-of-tape.js';
import { openTape } from '../../src/tape/tape.js';
import { servedVenue } from '../../src/venues/servers.js';
import { until } from '../feed/harness.js';
import { BOOK, booksOf, CONN, createBench, type Line, MOVING, snapshot, T, WHOLE } from './bybit-tape.js';

const bench = createBench();

/** A connection whose other side takes one write at a time, when it is told to. */
function slowConnection(): { stream: Duplex; socket: Promise<WebSocket>; take(): boolean; text(): string } {
  const taken: Buffer[] = [];
  let waiting: (() => void) | null = null;
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      taken.push(chunk);
      waiting = done;
    },
  });
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  Object.assign(request.headers, {
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  });
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  return {
    stream,
    socket: new Promise((resolve) => server.handleUpgrade(request, stream, Buffer.alloc(0), resolve)),
    take() {
      const done = waiting;
      waiting = null;
      done?.();
      return done !== null;
    },
    text: () => Buffer.concat(taken).toString('latin1'),
  };
}

test.each<[string, Line[], Ending]>([
  ['the end', [], { how: 'ended' }],
  [
    'a close',
    [
      [5, { conn: CONN, close: { code: 4001, reason: 'enough' } }],
      [6, snapshot(500, ...WHOLE)],
    ],
    { how: 'lost', code: 4001, reason: 'enough' },
  ],
])('%s is told when all before it was taken', async (_, last, ending) => {
  const path = await bench.tapeOf(...MOVING, ...last);
  const { groups } = await openTape([path], Readable.from([]));
  const venue = servedVenue('bybit-linear')!;
  const known = await findTopics(venue, groups, {}, () => {});
  const places = createPlaces({ venue, groups, ...known, range: {}, damaged: () => {} });
  const place = places.at(T);
  const { stream, socket, take, text } = slowConnection();
  const endings: Ending[] = [];
  const served = place.server.connect('/v5/public/linear')!;
  const client = createTapeClient({
    ...{ ...place, stream, socket: await socket, served, faulty: null },
    clock: createTapeClock(T, Number.POSITIVE_INFINITY, () => 0),
    ...{ speed: Number.POSITIVE_INFINITY, reenact: true, settleMs: 0 },
    remark: () => {},
    started: () => {},
    over: (said) => void endings.push(said),
  });
  client.hear(JSON.stringify({ op: 'subscribe', args: [BOOK] }));
  await until('the tape was played', () => client.sent === 4);
  // all that is left waits for the first write, which was the handshake
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(endings).toEqual([]);
  await until('it was told', () => !take() && endings.length > 0);
  expect(endings).toEqual([ending]);
  for (const said of booksOf(MOVING)) expect(text()).toContain(said);
  client.stop();
  stream.destroy();
});
