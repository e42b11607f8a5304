/** `tapedeck venues`: which markets can be recorded, and what their public data can prove. */
import { createDataWriter } from '../output/stdio.js';
import { table, wrap } from '../output/text.js';
import { venueById, venues } from '../venues/registry.js';
import { servedVenue } from '../venues/servers.js';
import type { Venue } from '../venues/venue.js';
import { defineCommand, formatOption } from './command.js';

/** Of a fact beside its name, on 80 columns. */
const CARD_WIDTH = 64;

const LIQUIDATIONS = { all: 'all of them', sampled: 'a sample, never the total', none: 'not pushed' };

/** Of which channels missed trades can be read later. */
function describeBackfill(venue: Venue): string {
  const { backfill } = venue.capabilities;
  if (typeof backfill === 'string') return `none: ${backfill}`;
  const newest = newestOf(venue);
  const reaches = Object.keys(backfill).map((channel) => {
    return `${channel}: ${channel in newest ? `the newest ${newest[channel]} only` : 'any by id'}`;
  });
  return reaches.join('; ');
}

const yes = (fact: boolean): string => (fact ? 'yes' : 'no');

export default defineCommand({
  name: 'venues',
  describe: 'List the venues and what their public data can prove',
  positionals: {
    venue: { describe: 'show one venue alone, with its channels and hosts' },
  },
  options: { format: formatOption },
  examples: [
    ['tapedeck venues', 'a table for people'],
    ['tapedeck venues bybit-linear', 'one of them in full'],
    [
      "tapedeck venues --format json | jq -r 'select(.capabilities.tradeLossDetected).id'",
      'venues whose lost trades are detected',
    ],
  ],
  details: `
Columns. BOOK and TRADES: a lost book update or trade is detected, so a gap is marked where it happened. TOUCH: best
quotes carry ids that join to book updates, so the rebuilt book can be audited. EVERY: nominal interval of book updates.
GROUPS: how the fills of one taker order are recognised. OFF-BOOK: prints that are not order flow are marked by the venue.

Liquidations. In the JSON, capabilities.liquidations is "all" where every liquidation is pushed, "sampled" where some are, such as one a
second and market, and missing where none is.

Backfill. Whether trades that were missed can be read over REST later, without a key; "tapedeck venues VENUE" tells it in words. In the
JSON, capabilities.backfill names channels: "any" where any trade can be had by its id, "recent" where only the newest can; or it is
a sentence that says why none can.

JSON. One object per venue: id, title, kind (linear, inverse or spot), hosts (ws, rest), channels (default: those recorded unless others are named;
flow: the one whose trades count; all; liquidations: the one that pushes them, witness: one that shows the trades of flow too, where there are such),
capabilities (bookLossDetected, tradeLossDetected, touchById, conflationMs, 0 for every change, groups: exact, strong or heuristic,
which is strong where prints tell the order they are of, as Bybit's now do, offBookMarked, liquidations, backfill), newest (by channel, how many of the newest trades can be read later, where not any), snapshot (what a book
begins with: "rest" or its own "stream"), audits (touch, levels, checksum: what "tapedeck verify" can hold the book against) and simulated (by
"tapedeck sim").
`,
  async handler({ venue: name, format }, io) {
    const venue = name === undefined ? undefined : venueById(name);
    const out = createDataWriter(io.stdout);
    if (format === 'json')
      for (const one of venue === undefined ? venues : [venue]) await out.write(`${JSON.stringify(factsOf(one))}\n`);
    else if (venue !== undefined) await out.write(`${card(venue).join('\n')}\n`);
    else {
      const rows = venues.map(({ id, kind, channels, capabilities: can }) => [
        id,
        kind,
        yes(can.bookLossDetected),
        yes(can.tradeLossDetected),
        yes(can.touchById),
        can.conflationMs === 0 ? 'change' : `${can.conflationMs} ms`,
        can.groups,
        yes(can.offBookMarked),
        channels.flow,
      ]);
      const titles = ['VENUE', 'KIND', 'BOOK', 'TRADES', 'TOUCH', 'EVERY', 'GROUPS', 'OFF-BOOK', 'FLOW'];
      await out.write(
        `${table(
          titles.map((title) => ({ title })),
          rows,
        ).join('\n')}\n`,
      );
    }
    await out.flush();
    return 0;
  },
});

/** How many of the newest trades of a channel can be read later, where it is not any of them. */
function newestOf({ capabilities: { backfill }, rest: { trades } }: Venue): Record<string, number> {
  if (typeof backfill === 'string') return {};
  const recent = Object.keys(backfill).filter((channel) => backfill[channel] !== 'any');
  return Object.fromEntries(recent.map((channel) => [channel, trades?.[channel]?.most ?? 0]));
}

/** The same for programs as `card` for people. */
function factsOf(venue: Venue): Record<string, unknown> {
  const { id, title, kind, hosts, channels, capabilities, rest, checksum } = venue;
  return {
    ...{ id, title, kind, hosts, channels, capabilities },
    newest: newestOf(venue),
    snapshot: rest.snapshot === undefined ? 'stream' : 'rest',
    audits: { touch: capabilities.touchById, levels: rest.audit !== undefined, checksum: checksum !== undefined },
    simulated: servedVenue(id) !== null,
  };
}

/** All there is to say of a venue. */
function card(venue: Venue): string[] {
  const { id, title, kind, hosts, channels, capabilities: can, rest, checksum } = venue;
  const books = rest.snapshot === undefined ? 'begin with a snapshot in their own stream' : 'join a snapshot over REST';
  const rows = [
    ['kind', kind],
    ['hosts', `${hosts.ws}, ${hosts.rest}`],
    ['channels', channels.all.map((name) => (channels.default.includes(name) ? `${name} *` : name)).join(', ')],
    ['', '(* recorded unless others are named)'],
    ['flow', channels.flow],
    ['books', `${books}, ${can.conflationMs === 0 ? 'every change' : `every ${can.conflationMs} ms`}`],
    ['book loss', can.bookLossDetected ? 'detected' : 'cannot be detected'],
    ['trade loss', can.tradeLossDetected ? 'detected by ids' : 'cannot be detected: trades have no ids that count'],
    ['backfill', describeBackfill(venue)],
    ['touch', can.touchById ? 'best quotes audit the book by id' : 'best quotes cannot be joined to the book'],
    ['levels', rest.audit === undefined ? 'not audited over REST' : 'audited by pairs of books over REST'],
    ['checksum', checksum === undefined ? 'none' : 'of the book, in recordings that have it'],
    ['groups', can.groups],
    ['liquidations', LIQUIDATIONS[can.liquidations ?? 'none']],
    ['off-book', can.offBookMarked ? 'marked' : 'not marked'],
    ['simulated', servedVenue(id) === null ? 'no' : 'by tapedeck sim'],
  ];
  const wrapped = rows.flatMap(([name, text]) => wrap(text, CARD_WIDTH).map((line, n) => [n === 0 ? name : '', line]));
  return [`${id}: ${title}`, ...table([{}, {}], wrapped).map((line) => `  ${line}`)];
}
