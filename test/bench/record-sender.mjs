// Process of record.mjs: an exchange reduced to what it takes to send fast; messages are made beforehand, as WebSocket bytes.
// While they are sent again and again only the digits of their ids are written anew, so that no sequence ever breaks.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { createExchange } from '../../dist/sim/exchange.js';
import { servedVenue } from '../../dist/venues/servers.js';

const [symbolList, perSymbol] = process.argv.slice(2);
const symbols = symbolList.split(',');
const MESSAGES = Number(perSymbol);
const CHANNELS = ['depth', 'trade', 'bookTicker'];
const TICK_MS = 2;
const IDS = /"(U|u|pu|t)":(\d+)/g;

const venue = servedVenue('binance-usdm');
const market = createExchange({
  ...{ symbols, seed: 1, rate: 1000 * symbols.length, start: Date.now() * 1000 },
  ...{ kind: venue.kind, form: venue.symbolForm },
});
const server = venue.server(market);
/** answers over REST as of the beginning, where every connection begins */
const paths = [venue.rest.time, ...venue.rest.instruments(symbols), ...symbols.map((one) => venue.rest.snapshot(one))];
const answers = new Map(paths.map((path) => [path, server.rest(path, market).body]));

/** The beginning of a server's text message of so many bytes. */
const head = (size) => Buffer.from(size < 126 ? [0x81, size] : [0x81, 126, size >> 8, size & 0xff]);

/** What is sent of one symbol: bytes, where each message ends, and its ids: place, digits, value, and what a repetition adds. */
function prepare(texts) {
  const parts = [];
  const ends = [];
  const ids = [];
  const trades = new Set();
  /** ids of the book before the first update, and after the last */
  let first = null;
  let last = 0;
  let at = 0;
  for (const text of texts) {
    const payload = Buffer.from(text);
    const begin = head(payload.length);
    const found = [...text.matchAll(IDS)].map(({ index, 1: key, 2: digits }) => {
      const id = { at: at + begin.length + index + key.length + 3, digits: digits.length, value: Number(digits), key };
      if (key === 't') trades.add(id.value);
      return id;
    });
    const valueAt = (key) => found.find((id) => id.key === key)?.value;
    first ??= valueAt('pu') ?? null;
    if (valueAt('pu') !== undefined) last = valueAt('u');
    ids.push(found);
    parts.push(begin, payload);
    at += begin.length + payload.length;
    ends.push(at);
  }
  const span = { trade: trades.size, depth: last - first };
  return { bytes: Buffer.concat(parts), ends, ids, span };
}

function renumber({ bytes, ids, span }, n, round) {
  for (const { at, digits, value, key } of ids[n]) {
    let left = value + round * (key === 't' ? span.trade : span.depth);
    for (let i = at + digits - 1; i >= at; i--) {
      bytes[i] = 48 + (left % 10);
      left = Math.floor(left / 10);
    }
  }
}

const [plan] = venue.connections(symbols, CHANNELS);
const witness = server.connect(plan.path);
for (const text of plan.subscribe) server.receive(witness, text);
const texts = new Map(symbols.map((symbol) => [symbol, []]));
while (texts.get(symbols[0]).length < MESSAGES) {
  for (const event of market.advance(market.now() + 50_000)) {
    for (const { topic, text } of server.render(event)) {
      const said = server.wrap(witness, topic, text);
      if (said !== null) texts.get(event.symbol).push(said);
    }
  }
}
const prepared = new Map([...texts].map(([symbol, all]) => [symbol, prepare(all)]));

/** @type {{ stream: import('node:stream').Duplex, socket: import('ws').WebSocket, from: ReturnType<typeof prepare>, next: number, round: number }[]} */
const clients = [];
let rate = 0;
let sent = 0;
let since = 0;
let due = 0;
let behind = 0;

function send(client, count) {
  const { from } = client;
  while (count > 0) {
    const to = Math.min(from.ends.length, client.next + count);
    if (client.round > 0) for (let n = client.next; n < to; n++) renumber(from, n, client.round);
    client.stream.write(from.bytes.subarray(client.next === 0 ? 0 : from.ends[client.next - 1], from.ends[to - 1]));
    count -= to - client.next;
    sent += to - client.next;
    client.next = to;
    if (to === from.ends.length) {
      client.next = 0;
      client.round++;
    }
  }
}

/** Never more on its way than half of what there is: the bytes are written anew in place. */
const isFull = ({ stream, from }) => stream.writableLength > from.bytes.length / 4;

function tick() {
  if (rate > 0 && clients.length > 0) {
    due = ((performance.now() - since) / 1000) * rate;
    const each = Math.floor((due - behind) / clients.length);
    if (each > 0) {
      behind += each * clients.length;
      for (const client of clients) if (!isFull(client)) send(client, each);
    }
  }
}
setInterval(tick, TICK_MS);

/** Ms until everybody has taken what was on its way. */
async function lag() {
  const asked = performance.now();
  await Promise.all(
    clients.map(
      ({ stream, socket }) =>
        new Promise((resolve) => {
          socket.once('pong', resolve);
          stream.write(Buffer.from([0x89, 0]));
        }),
    ),
  );
  return performance.now() - asked;
}

const http = createServer((request, response) => {
  const body = answers.get(request.url);
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body);
});
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
http.on('upgrade', (request, stream, begin) => {
  sockets.handleUpgrade(request, stream, begin, (socket) => {
    const served = server.connect(request.url);
    socket.on('message', (data) => {
      const text = String(data);
      for (const reply of server.receive(served, text)) socket.send(reply.text);
      const symbol = symbols.find((one) => text.includes(`"${one.toLowerCase()}@`));
      clients.push({ stream, socket, from: prepared.get(symbol), next: 0, round: 0 });
      if (clients.length === symbols.length) process.send({ ready: true });
    });
    socket.on('close', () => clients.splice(0));
    socket.on('error', () => {});
  });
});
process.on('message', async ({ set, ask }) => {
  if (set !== undefined) {
    rate = set;
    since = performance.now();
    behind = 0;
    process.send({ set });
  }
  if (ask === 'lag') process.send({ lag: await lag(), sent });
  if (ask === 'sent') process.send({ sent });
});
process.on('disconnect', () => process.exit());
http.listen(0, '127.0.0.1', () => process.send({ port: http.address().port }));
