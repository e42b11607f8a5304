// Process of record.mjs: the recorder with a connection for each symbol, or a bare `ws` client for each that only counts.
import { WebSocket } from 'ws';
import { record } from '../../dist/feed/recorder.js';
import { venueById } from '../../dist/venues/registry.js';

const [kind, place, symbolList, out] = process.argv.slice(2);
const symbols = symbolList.split(',');
const channels = ['depth', 'trade', 'bookTicker'];
const venue = venueById('binance-usdm');

async function recorded() {
  const ending = new AbortController();
  let now = { dropped: 0, gaps: 0 };
  process.on('message', ({ end }) => {
    if (end) ending.abort();
    else process.send({ status: { dropped: now.dropped, gaps: now.gaps } });
  });
  const { received, written, dropped, gaps } = await record({
    // a request each gives a connection each
    requests: symbols.map((symbol) => ({ venue: { ...venue }, symbols: [symbol], channels })),
    tape: { out, flushMs: 1000 },
    live: null,
    endpoints: [{ venue: null, origin: `ws://${place}` }],
    restEndpoints: [{ venue: null, origin: `http://${place}` }],
    durationMs: null,
    tool: 'bench',
    signal: ending.signal,
    status(newest) {
      now = newest;
    },
    note: (text) => process.stderr.write(`  ${text}\n`),
  });
  return { received, dropped: dropped + received - written, gaps };
}

async function counted() {
  let received = 0;
  const sockets = symbols.map((symbol) => {
    const [plan] = venue.connections([symbol], channels);
    const socket = new WebSocket(`ws://${place}${plan.path}`, { perMessageDeflate: false, skipUTF8Validation: true });
    socket.on('open', () => socket.send(plan.subscribe[0]));
    socket.on('message', () => received++);
    return socket;
  });
  await new Promise((resolve) =>
    process.on('message', ({ end }) => (end ? resolve() : process.send({ status: { dropped: 0, gaps: 0 } }))),
  );
  for (const socket of sockets) socket.terminate();
  return { received, dropped: 0, gaps: 0 };
}

process.send(await (kind === 'record' ? recorded() : counted()));
process.disconnect();
