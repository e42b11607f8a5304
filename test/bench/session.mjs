// The bench input: one recorded session repeated with shifted times and ids, as `<µs> <raw JSON>` lines for `import`.
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FILES = ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'];

/** Archives of the hftbacktest collector (gzip or plain, in order of time) as lines. */
export function readArchives(files) {
  const text = (bytes) => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
  return files.flatMap((file) => text(readFileSync(file)).trimEnd().split('\n'));
}

/** The recorded session as lines, or null where the recordings are absent (they are not part of the project). */
export function recordedSession(shared) {
  const files = FILES.map((name) => join(shared, 'data', name));
  return files.every(existsSync) ? readArchives(files) : null;
}

/** The same from the simulated exchange: `seconds` of one symbol at `rate` messages per second. */
export async function simulatedSession(seconds, rate) {
  const { createExchange, eventsOf } = await import('../../dist/sim/exchange.js');
  const { servedVenue } = await import('../../dist/venues/servers.js');
  const start = Date.UTC(2026, 0, 5, 10) * 1000;
  const exchange = createExchange({ symbols: ['BTCUSDT'], seed: 1, rate, start });
  const server = servedVenue('binance-usdm').server(exchange);
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
export const timeOf = (line) => Number(line.slice(0, line.indexOf(' ')));
export const isDepth = (line) => line.includes('"depthUpdate"');
export const isTrade = (line) => line.includes('"e":"trade"');
export const isSnapshot = (line) => /^\d+ \{"lastUpdateId"/.test(line);

/** Messages, depth messages, trades and book levels of some lines, told by their text alone. */
export function countLines(lines) {
  const depth = lines.filter(isDepth);
  return {
    messages: lines.filter((line) => !isSnapshot(line)).length,
    depth: depth.length,
    trades: lines.filter(isTrade).length,
    // each level ends with a quote and a bracket; a depth message has no other such pair
    levels: depth.reduce((sum, line) => sum + line.split('"]').length - 1, 0),
  };
}

export const times = (counts, factor) =>
  Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, count * factor]));

/** What each repeat adds to times and ids, so that no repeat is a gap. */
function spansOf(lines) {
  const depth = lines.filter(isDepth);
  const trades = lines.filter(isTrade);
  const snapshot = lines.find(isSnapshot);
  const first = depth.find((line) => number(line, 'u') >= number(snapshot, 'lastUpdateId'));
  return {
    // a whole number of seconds, so that millisecond times shift alike
    micros: Math.ceil((timeOf(lines.at(-1)) - timeOf(lines[0]) + 1) / 1e6) * 1e6,
    book: number(depth.at(-1), 'u') - number(first, 'pu'),
    trade: number(trades.at(-1), 't') - number(trades[0], 't') + 1,
  };
}

const HOUR = 3_600_000_000;

/** What a tape's line has around the message: key names, src, connection. */
const ENVELOPE_BYTES = 64;

/** How many repeats make about `bytes` of tape text. */
export function repeatsFor(lines, bytes) {
  const once = lines.reduce((sum, line) => sum + line.length + ENVELOPE_BYTES, 0);
  return Math.max(1, Math.round(bytes / once));
}

/**
 * Writes the session again and again. Repeat k adds k spans to all times and ids (U, u, pu, lastUpdateId, trade and
 * bookTicker ids) and has its snapshot like the first, so that the chain of book updates goes on over the joins.
 * @returns {{ counts: Record<string, number>, bytes: number, wholeHours: number }} what was written, and how many UTC hours
 *   of data are complete
 */
export function writeRepeats(lines, path, repeats) {
  const spans = spansOf(lines);
  const file = openSync(path, 'w');
  let bytes = 0;
  try {
    for (let k = 0; k < repeats; k++) {
      const by = { micros: k * spans.micros, book: k * spans.book, trade: k * spans.trade };
      bytes += writeSync(file, `${lines.map((line) => shift(line, by)).join('\n')}\n`);
    }
  } finally {
    closeSync(file);
  }
  const start = timeOf(lines[0]);
  const end = start + repeats * spans.micros;
  const wholeHours = Math.max(0, Math.floor(end / HOUR) - Math.ceil(start / HOUR));
  return { counts: times(countLines(lines), repeats), bytes, wholeHours };
}

/** All ids and times stand in the first 300 characters of a message. */
const HEAD = 300;

/** The line with `micros` added to its times, `book` to its update ids and `trade` to its trade id. */
export function shift(line, { micros, book, trade }) {
  const blank = line.indexOf(' ');
  const head = line.slice(blank, HEAD).replace(/"(E|T|U|u|pu|lastUpdateId|t)":( ?)(\d+)/g, (_, key, gap, value) => {
    const span = key === 'E' || key === 'T' ? micros / 1000 : key === 't' ? trade : book;
    return `"${key}":${gap}${Number(value) + span}`;
  });
  return `${Number(line.slice(0, blank)) + micros}${head}${line.slice(HEAD)}`;
}
