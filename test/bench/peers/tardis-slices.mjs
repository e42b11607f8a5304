// Fills tardis-dev's cache with the tape's messages, in its own form: one gzip file a minute, as its server would send them.
// Usage: zstd -dc SEGMENT | node tardis-slices.mjs CACHE; prints { from, to, symbol } for tardis.mjs.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import tardis from 'tardis-dev';
import handy from 'tardis-dev/dist/handy.js';

const [cache] = process.argv.slice(2);
const MINUTE = 60_000_000;

let symbol = '';
let minute = -1;
let first = -1;
let lines = [];
let snapshots = 0;

const dateOf = (n) => new Date((n * MINUTE) / 1000);

function folderOf() {
  const normalizers = [tardis.normalizeTrades, tardis.normalizeBookChanges, tardis.normalizeBookTickers];
  const mappers = normalizers.map((normalize) => normalize('binance-futures', dateOf(first)));
  const filters = handy.optimizeFilters(handy.getFilters(mappers, [symbol]));
  return join(cache, 'feeds/binance-futures', handy.sha256(filters));
}

function close() {
  const path = join(folderOf(), `${handy.formatDateToPath(dateOf(minute))}.json.gz`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzipSync(lines.join('')));
  lines = [];
}

for await (const line of createInterface({ input: process.stdin })) {
  const entry = JSON.parse(line);
  if (entry.tape !== undefined) symbol = entry.tape.symbol;
  if (entry.msg === undefined && entry.http === undefined) continue;
  if (entry.msg?.data.e === 'markPriceUpdate') continue; // not among the channels asked for
  const n = Math.floor(entry.t / MINUTE);
  if (first < 0) first = minute = n;
  while (minute < n) {
    close();
    minute++;
  }
  const time = `${new Date(entry.t / 1000).toISOString().slice(0, 19)}.${String(entry.t % 1e6).padStart(6, '0')}0Z`;
  if (entry.msg !== undefined) {
    lines.push(`${time} ${line.slice(line.indexOf('"msg":') + 6, -1)}\n`);
    continue;
  }
  // its mapper takes a second snapshot only after a disconnect, which is an empty line
  if (snapshots++ > 0) lines.push('\n');
  const stream = `${symbol.toLowerCase()}@depthSnapshot`;
  lines.push(`${time} ${JSON.stringify({ stream, generated: true, data: entry.http.body })}\n`);
}
close();
const range = { from: dateOf(first).toISOString(), to: dateOf(minute + 1).toISOString(), symbol };
process.stdout.write(`${JSON.stringify(range)}\n`);
