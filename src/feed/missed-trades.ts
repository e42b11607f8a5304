/** The missed trades of one venue: from the gaps of its srcs, over REST, to marked entries on their tapes. */
import { type Backfill, createBackfill, type Hole, type Outcome } from './backfill.js';
import type { Pace } from './pace.js';
import type { RestBooksOptions } from './rest-books.js';
import { faultIn } from './rest-fault.js';

/** Listens to the srcs of a venue, whose other requests keep `pace`; null where it has no trades over REST that its ids could be looked up by. */
export function createMissedTrades(options: RestBooksOptions, pace: Pace): Backfill | null {
  const { venue, sources, get, restUrl, now, random, note } = options;
  const { trades } = venue.rest;
  if (trades === undefined) return null;
  const { backfill: reach } = venue.capabilities;
  const backfill = createBackfill({
    ways: trades,
    recent: (channel) => typeof reach !== 'string' && reach[channel] === 'recent',
    get,
    url: restUrl,
    pace: pace.beside(),
    now,
    random,
    fault: (answer) => faultIn(venue, answer),
    answered: (symbol, answer, startedMs, fills) => void sources.get(symbol)!.http(answer, startedMs, fills),
    ended: (symbol, hole, outcome) =>
      note(`${venue.id}:${symbol}: ${describe(hole, outcome)}`, { event: 'backfill', venue: venue.id, symbol }),
  });
  for (const [symbol, source] of sources) source.losses.missed = (hole) => backfill.missed(symbol, hole);
  return backfill;
}

/** `12 missed trades (trade ids 101 to 112) were read over REST` */
function describe({ stream, first, last }: Hole, { missed, filled, why }: Outcome): string {
  const ids = first === last ? `${stream} id ${first}` : `${stream} ids ${first} to ${last}`;
  const what = missed === 1 ? `the missed trade (${ids})` : `${missed} missed trades (${ids})`;
  if (why === null) return `${what} ${missed === 1 ? 'was' : 'were'} read over REST`;
  if (filled === 0) return `${what} ${missed === 1 ? 'stays' : 'stay'} missing: ${why}`;
  return `${filled} of ${what} were read over REST, the others stay missing: ${why}`;
}
