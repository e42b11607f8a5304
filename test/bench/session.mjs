// The bench input: one recorded session repeated with shifted times and ids, as `<µs> <raw JSON>` lines for `import`.
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FILES = ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'];

/** The recorded session as lines, or null where the recordings are absent (they are not part of the project). */
export function recordedSession(shared) {
  const files = FILES.map((name) => join(shared, 'data', name));
  if (!files.every(existsSync)) return null;
  return files.flatMap((file) => gunzipSync(readFileSync(file)).toString().trimEnd().split('\n'));
}

/** The same from the simulated exchange: `seconds` of one symbol at `rate` messages per second. */
export async function simulatedSession(seconds, rate) {
  const { createExchange, eventsOf } = await import('../../dist/sim/exchange.js');
  const { venueById } = await import('../../dist/venues/registry.js');
  const start = Date.UTC(2026, 0, 5, 10) * 1000;
  const exchange = createExchange({ symbols: ['BTCUSDT'], seed: 1, rate, start });
  const { server } = venueById('binance-usdm');
  const client = server.connect('/public/stream');
  const topics = ['btcusdt@depth@100ms', 'btcusdt@trade', 'btcusdt@bookTicker'];
  server.receive(client, JSON.stringify({ method: 'SUBSCRIBE', params: topics, id: 1 }));
  const snapshot = server.rest('/fapi/v1/depth?symbol=BTCUSDT&limit=1000', exchange).body;
  const lines = [`${start} ${snapshot}`];
  let t = start;
  for (const event of eventsOf(exchange, start + seconds * 1e6)) {
    for (const { topic, text } of server.render(event)) {
      const message = server.wrap(client, topic, text);
      if (message === null) continue;
      t = Math.max(t + 1, event.emitted);
      lines.push(`${t} ${message}`);
    }
  }
  return lines;
}

const number = (line, key) => Number(new RegExp(`"${key}": ?(\\d+)`).exec(line)?.[1] ?? Number.NaN);

/**
 * Writes the session again and again until `bytes` of text are reached (at least once). Repeat k adds k spans to all
 * ids and times, and opens with its snapshot, so that the chain of book updates goes on over the joins without a gap.
 * @returns what was written: { repeats, messages, depth, levels, trades, bytes }
 */
export function writeRepeats(lines, path, bytes) {
  const depth = lines.filter((line) => line.includes('"depthUpdate"'));
  const trades = lines.filter((line) => line.includes('"e":"trade"'));
  const snapshot = lines.find((line) => /^\d+ \{"lastUpdateId"/.test(line));
  const joined = depth.filter((line) => number(line, 'u') >= number(snapshot, 'lastUpdateId'));
  const times = lines.map((line) => Number(line.slice(0, line.indexOf(' '))));
  const spans = {
    // a whole number of seconds, so that millisecond times shift alike
    micros: Math.ceil((times.at(-1) - times[0] + 1) / 1e6) * 1e6,
    book: number(depth.at(-1), 'u') - number(joined[0], 'pu'),
    trade: number(trades.at(-1), 't') - number(trades[0], 't') + 1,
  };
  const perRepeat = {
    messages: lines.length - 1,
    depth: depth.length,
    trades: trades.length,
    // each level ends with a quote and a bracket; a depth message has no other such pair
    levels: depth.reduce((sum, line) => sum + line.split('"]').length - 1, 0),
  };
  const file = openSync(path, 'w');
  let written = 0;
  let repeats = 0;
  try {
    while (written < bytes) {
      const shifted = lines.map((line, n) => shift(line, times[n], repeats, spans));
      written += writeSync(file, `${shifted.join('\n')}\n`);
      repeats++;
    }
  } finally {
    closeSync(file);
  }
  const totals = Object.fromEntries(Object.entries(perRepeat).map(([key, count]) => [key, count * repeats]));
  return { repeats, bytes: written, ...totals };
}

/** All ids and times stand in the first 300 characters of a message. */
const HEAD = 300;

function shift(line, t, repeat, { micros, book, trade }) {
  if (repeat === 0) return line;
  const head = line
    .slice(line.indexOf(' '), HEAD)
    .replace(/"(E|T|U|u|pu|lastUpdateId|t)":( ?)(\d+)/g, (_, key, blank, value) => {
      const span = key === 'E' || key === 'T' ? micros / 1000 : key === 't' ? trade : book;
      return `"${key}":${blank}${Number(value) + repeat * span}`;
    });
  return `${t + repeat * micros}${head}${line.slice(HEAD)}`;
}
