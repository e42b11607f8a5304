// The same messages over many symbols: as many tapes as symbols, all starting at the same time.
//
// How it is spread: a tape of R repeats and 200 symbols give 200 / R shares of the session; share c is a stretch of
// consecutive messages, and R symbols hold it, so that all symbols together hold each message R times, like the tape of
// one symbol. Each share opens with a snapshot of the book as it was there, so that no chain has a gap. The snapshots
// are cut to 1000 / shares levels a side: snapshots together hold as many levels as those of one symbol. The names have
// seven letters like BTCUSDT. Messages, trades and levels are the same to the last; the text is a few percent shorter, as
// checkpoints of thinner books are, so costs are compared by message.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './measure.mjs';
import { countLines, isDepth, isSnapshot, shift, timeOf, times } from './session.mjs';
import { openTape } from './tapes.mjs';

export const SYMBOLS = 200;
/** levels a side in a REST snapshot */
const SNAPSHOT_LEVELS = 1000;

/** A00USDT, A01USDT, … B99USDT */
export const nameOf = (n) => `${String.fromCharCode(65 + Math.floor(n / 100))}${String(n % 100).padStart(2, '0')}USDT`;

/** Follows the book through the lines as text; levels of a snapshot are replaced, sizes of zero deleted. */
class TextBook {
  bids = new Map();
  asks = new Map();
  last = 0;

  take(line) {
    const body = JSON.parse(line.slice(line.indexOf(' ') + 1));
    if (isSnapshot(line)) {
      this.bids = new Map(body.bids);
      this.asks = new Map(body.asks);
      this.last = body.lastUpdateId;
      return;
    }
    for (const [side, levels] of [
      [this.bids, body.data.b],
      [this.asks, body.data.a],
    ])
      for (const [price, size] of levels) {
        if (Number(size) === 0) side.delete(price);
        else side.set(price, size);
      }
    this.last = body.data.u;
  }

  snapshot(limit) {
    const best = (side, sign) => [...side].sort(([a], [b]) => sign * (Number(a) - Number(b))).slice(0, limit);
    return JSON.stringify({ lastUpdateId: this.last, bids: best(this.bids, -1), asks: best(this.asks, 1) });
  }
}

/** The session in `count` stretches of consecutive messages, each with a snapshot before its first depth message. */
function cut(lines, count) {
  const book = new TextBook();
  const snapshotAt = (line) => `${timeOf(line)} ${book.snapshot(Math.ceil(SNAPSHOT_LEVELS / count))}`;
  const messages = lines.length - 1;
  const shares = [];
  let share = [];
  let done = 0;
  for (const line of lines) {
    const opens = isSnapshot(line);
    if (opens || isDepth(line)) book.take(line);
    share.push(opens ? snapshotAt(line) : line);
    if (!opens && ++done >= Math.round(((shares.length + 1) * messages) / count)) {
      shares.push(share);
      share = [snapshotAt(line)];
    }
  }
  return shares;
}

/**
 * Writes the tapes of all symbols; `repeats` divides how many they are.
 * @param {string} symbol the one in the lines
 * @param {{ tick: string, lot: string }} instrument as the tape of one symbol has it
 */
export async function makeSpread({ lines, folder, name: spread, symbols = SYMBOLS, symbol, instrument, repeats }) {
  const { importArchives } = await import('../../dist/audit/import.js');
  const { venueById } = await import('../../dist/venues/registry.js');
  const venue = venueById('binance-usdm');
  const path = join(folder, spread);
  mkdirSync(path);
  const count = symbols / repeats;
  const start = timeOf(lines[0]);
  const shares = cut(lines, count);
  for (let n = 0; n < symbols; n++) {
    const name = nameOf(n);
    const share = shares[n % count];
    const micros = Math.ceil((start - timeOf(share[0])) / 1000) * 1000;
    const text = share.map((line) => rename(shift(line, { micros, book: 0, trade: 0 }), symbol, name));
    const archive = join(folder, `${name}.dat`);
    writeFileSync(archive, `${text.join('\n')}\n`);
    const bad = (line) => {
      throw new Error(`a bad line: ${JSON.stringify(line)}`);
    };
    await importArchives({
      ...{
        format: 'hftbacktest',
        venue,
        symbol: name,
        files: [archive],
        out: path,
        instrument,
        tool: 'bench',
        level: 9,
        bad,
      },
    });
    rmSync(archive);
  }
  return { ...(await openTape(path)), counts: times(countLines(lines), repeats) };
}

/** The symbol stands in the topic and in "s", within the first 200 characters. */
export function rename(line, symbol, name) {
  const head = line.slice(0, 200).replace(symbol, name).replace(symbol.toLowerCase(), name.toLowerCase());
  return head + line.slice(200);
}

/** tick and lot in the header of a tape. */
export async function instrumentOf(tape) {
  const header = (await run(`zstd -dc ${tape.files} 2> /dev/null | head -1 || true`)).stdout;
  const { tick, lot } = JSON.parse(header).tape.instrument;
  return { tick, lot };
}
