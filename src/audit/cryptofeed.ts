/** What a cryptofeed archive holds for one venue: its symbols, their instruments, and the messages of each. */
import { explain, symbolIn } from '../decode/explain.js';
import { type CryptofeedLine, type CryptofeedOptions, readCryptofeed } from '../formats/cryptofeed.js';
import type { ArchiveBatch } from '../formats/hftbacktest.js';
import type { Instrument } from '../model/instrument.js';
import type { Venue } from '../venues/venue.js';

/** Bodies of instrument lists are large and few; more than these are of another kind of archive. */
const MAX_BODIES = 64;

/** A symbol of the venue, as the archive's own REST answers list it. */
export interface Surveyed {
  symbol: string;
  instrument: Partial<Instrument>;
  messages: number;
}

/** Looks through whole archives; the symbols come in order of their first message. Bad lines are left to the import itself. */
export async function surveyCryptofeed(files: readonly string[], venue: Venue): Promise<Surveyed[]> {
  const bodies: unknown[] = [];
  const counts = new Map<string, number>();
  const here = createAddressFilter(venue);
  for await (const lines of readCryptofeed(files, { bad: () => {} }))
    for (const line of lines) {
      if (line.kind === 'http' && bodies.length < MAX_BODIES) bodies.push(parse(line.text));
      if (!here(line) || line.kind !== 'recv') continue;
      const symbol = symbolIn(parse(line.text), venue.layouts);
      if (symbol !== null) counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
    }
  const surveyed: Surveyed[] = [];
  for (const [symbol, messages] of counts) {
    const instrument = instrumentOf(bodies, venue, symbol);
    // one address may serve several markets, and only their instruments tell them apart
    if ((instrument?.kind ?? venue.kind) === 'spot' ? venue.kind === 'spot' : venue.kind !== 'spot')
      surveyed.push({ symbol, instrument: instrument ?? {}, messages });
  }
  return surveyed;
}

function instrumentOf(bodies: readonly unknown[], venue: Venue, symbol: string): Instrument | null {
  for (const body of bodies) {
    const instrument = venue.rest.readInstrument(body, symbol);
    if (instrument !== null) return instrument;
  }
  return null;
}

/** The messages of one symbol, received on the venue's own address. */
export async function* cryptofeedMessages(
  files: readonly string[],
  venue: Venue,
  symbol: string,
  options: CryptofeedOptions,
): AsyncGenerator<ArchiveBatch, void, undefined> {
  const here = createAddressFilter(venue);
  for await (const lines of readCryptofeed(files, options)) {
    const own = lines.filter((line) => {
      if (!here(line) || line.kind !== 'recv') return false;
      const message = parse(line.text);
      const what = explain(message, venue.layouts, symbol);
      return what.kind === 'data' || (what.kind === 'unknown' && symbolIn(message, venue.layouts) === symbol);
    });
    if (own.length > 0) yield batchOf(own);
  }
}

/** Follows which connection goes where: what came by a connection to another address is another venue's. */
function createAddressFilter(venue: Venue): (line: CryptofeedLine) => boolean {
  const paths = new Set(venue.connections(['A'], venue.channels.default).map(({ path }) => `${venue.hosts.ws}${path}`));
  const urls = new Map<string, string>();
  return ({ kind, conn, url }) => {
    if (kind === 'connect') urls.set(conn, url);
    const known = urls.get(conn);
    return known === undefined || paths.has(known.replace(/[?].*$/, ''));
  };
}

function batchOf(lines: readonly CryptofeedLine[]): ArchiveBatch {
  const texts = lines.map(({ text }) => Buffer.from(text));
  const count = lines.length;
  const from = new Uint32Array(count);
  const to = new Uint32Array(count);
  let at = 0;
  for (const [i, text] of texts.entries()) {
    from[i] = at;
    at += text.length;
    to[i] = at;
  }
  return {
    file: lines[0].file,
    bytes: Buffer.concat(texts),
    count,
    t: Float64Array.from(lines, ({ t }) => t),
    from,
    to,
    line: Float64Array.from(lines, ({ line }) => line),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
