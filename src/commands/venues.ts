/** `tapedeck venues`: which markets can be recorded, and what their public data can prove. */
import { createDataWriter } from '../output/stdio.js';
import { table } from '../output/text.js';
import { venues } from '../venues/registry.js';
import { defineCommand, formatOption } from './command.js';

const yes = (fact: boolean): string => (fact ? 'yes' : 'no');

export default defineCommand({
  name: 'venues',
  describe: 'List the venues and what their public data can prove',
  positionals: {},
  options: { format: formatOption },
  examples: [
    ['tapedeck venues', 'a table for people'],
    [
      "tapedeck venues --format json | jq -r 'select(.capabilities.tradeLossDetected).id'",
      'venues whose lost trades are detected',
    ],
  ],
  details: `
Columns. BOOK LOSS and TRADE LOSS: a lost book update or trade is detected, so a gap is marked where it happened. TOUCH: best
quotes carry ids that join to book updates, so the rebuilt book can be audited. BOOK EVERY: nominal interval of book updates.
GROUPS: how the fills of one taker order are recognised. OFF-BOOK: prints that are not order flow are marked by the venue.
`,
  async handler({ format }, io) {
    const out = createDataWriter(io.stdout);
    if (format === 'json')
      for (const { id, title, kind, channels, capabilities } of venues)
        await out.write(`${JSON.stringify({ id, title, kind, channels, capabilities })}\n`);
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
      const titles = ['VENUE', 'KIND', 'BOOK LOSS', 'TRADE LOSS', 'TOUCH', 'BOOK EVERY', 'GROUPS', 'OFF-BOOK', 'FLOW'];
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
