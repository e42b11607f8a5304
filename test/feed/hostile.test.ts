/** Exchanges that say what no exchange should: every venue's recorder goes on, keeps it, and writes nowhere but into its folder. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { serveExchange } from '../../src/serve/exchange.js';
import { parseEntry } from '../../src/tape/line.js';
import { servedVenue } from '../../src/venues/servers.js';
import type { ServedMarket, VenueServer } from '../../src/venues/venue.js';
import { seededMarket } from '../venues/served.js';
import { startRecording, until } from './harness.js';
import { SIMULATED } from './simulated.js';
import { linesIn } from './tape.js';

const BOMB = 'a bomb';
const GARBAGE = 'bytes that are no message';

/** Acks of wrong types, what is no JSON, what is no object, what is too deep, names that are paths and control characters. */
const NASTY = [
  'null',
  '42',
  '[]',
  '""',
  '{}',
  'not JSON at all \u001b[31m',
  '{"success":"perhaps","op":7,"ret_msg":{}}',
  '{"result":{"result":[]},"id":"one"}',
  '{"result":false,"id":{},"msg":["no"]}',
  '{"event":"error","code":{},"msg":null}',
  '{"code":"0","id":0,"dataType":{}}',
  '{"code":80015.5,"id":[],"msg":7}',
  '{"channel":{},"symbol":[],"data":"x"}',
  '{"channel":"rs.error","data":{"deep":[]}}',
  '{"topic":null,"data":null,"type":9}',
  '{"topic":"orderbook.200.../../../../tmp/x","type":"snapshot","ts":1,"data":{"s":"../../x","b":[],"a":[],"u":1,"seq":1}}',
  '{"stream":"../../x@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"../../x","U":1,"u":1,"pu":0,"b":[],"a":[]}}',
  '{"arg":{"channel":"books","instId":"../../x"},"action":"snapshot","data":[{}]}',
  '{"e":"depthSnapshot","E":1,"s":"../../x","U":1,"u":1,"l":200,"d":"SNAPSHOT","b":[],"a":[]}',
  '{"code":0,"dataType":"../../x@incrDepth","data":{"action":"all"}}',
  '{"symbol":"../../x","data":{"version":1},"channel":"push.depth","ts":1}',
  `${'['.repeat(500)}${']'.repeat(500)}`,
  `{"huge":"${'x'.repeat(3 << 20)}"}`,
  BOMB,
  GARBAGE,
];

/** The venue's server, which says all of that behind its first answer, and messages of the data's own form about another symbol. */
function hostile(server: VenueServer, symbol: string): VenueServer {
  const told = new Set<object>();
  let wrapped = 0;
  return {
    ...server,
    receive(client, text) {
      const replies = server.receive(client, text);
      if (replies.length === 0 || told.has(client)) return replies;
      told.add(client);
      return [...replies, ...NASTY.map((said) => ({ topic: null, text: said }))];
    },
    wrap(client, topic, text) {
      const message = server.wrap(client, topic, text);
      if (message === null || message.includes('../') || wrapped >= 100) return message;
      return ++wrapped % 3 === 0 ? message.replaceAll(symbol, '../../x') : message;
    },
    ...(server.pack === undefined ? {} : { pack: (text: string) => packed(server, text) }),
  };
}

function packed(server: VenueServer, text: string): Uint8Array {
  if (text === BOMB) return gzipSync(Buffer.alloc(64 << 20));
  if (text === GARBAGE) return Buffer.from([0x1f, 0x8b, 0, 1, 2, 3, 0xff]);
  return server.pack?.(text) ?? Buffer.from(text);
}

// they mostly wait, so they wait together
test.concurrent.for(Object.entries(SIMULATED))('%s', async ([id, { symbols }], { onTestFinished }) => {
  const [symbol] = symbols;
  const venue = servedVenue(id)!;
  const folder = await mkdtemp(join(tmpdir(), 'tapedeck-hostile-'));
  const out = join(folder, 'a', 'b', 'tapes');
  const market = seededMarket(venue, [symbol], 500, { start: Date.now() * 1000 });
  const server = (served: ServedMarket): VenueServer => hostile(venue.server(served), symbol);
  const exchange = await serveExchange({ venue: { server }, market });
  let received = 0;
  let validMost = 0;
  const notes: string[] = [];
  const recording = startRecording({
    ...{ venue, symbols: [symbol], origin: exchange, out },
    note: (text) => void notes.push(text),
    status(now) {
      received = now.received;
      validMost = Math.max(validMost, now.valid);
    },
  });
  onTestFinished(async () => {
    await recording.stop().catch(() => {});
    await exchange.stop();
    await rm(folder, { recursive: true });
  });
  await until(`${id}: the book was valid and messages came`, () => validMost === 1 && received > 300);
  const summary = await recording.stop();
  expect(summary.dropped).toBe(0);
  expect(summary.written).toBe(summary.received);

  // nothing but tapes of the symbol and of the venue
  expect(await readdir(folder)).toEqual(['a']);
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['tapes']);
  expect(await readdir(out)).toEqual([id]);
  expect((await readdir(join(out, id))).sort().filter((name) => name !== '_venue')).toEqual([symbol]);
  // and every line is an entry that tools can read
  const lines = await linesIn(out);
  for (const line of lines) parseEntry(line);
  expect(lines.filter((line) => line.includes('{"huge":')).length).toBeGreaterThan(0);
  // what is said to people has no control characters
  expect(notes.filter((note) => [...note].some((sign) => sign < ' '))).toEqual([]);
});
