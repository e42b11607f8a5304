/** Several connections side by side, and what the end of one of them costs: nothing that another one brings. */
import { describe, expect, test, vi } from 'vitest';
import { venueById } from '../../src/venues/registry.js';
import { CUT_VENUES, expectNothingLost, missingOf, recordCut } from './cuts.js';
import { only } from './tape.js';

// real sockets on a machine with other work
vi.setConfig({ testTimeout: 120_000 });

describe.concurrent('one of two connections is cut every 0.7 s for 20 s', () => {
  test.each(CUT_VENUES)('$venue: nothing is missing and no gap is told', (its) =>
    recordCut({ ...its, redundancy: 2, seconds: 20, everyMs: 700 }, expectNothingLost),
  );
});

describe.concurrent('the only connection is cut every 0.7 s for 10 s', () => {
  test.each(CUT_VENUES)('$venue: every gap of the ledger is told, and no other', async ({ venue, symbol }) => {
    await recordCut({ venue, symbol, redundancy: 1, seconds: 10, everyMs: 700 }, async ({ rig, entries, cuts }) => {
      const gaps = only(entries, 'gap');
      expect(new Set(gaps.map(({ gap }) => gap.reason))).toEqual(new Set(['disconnect']));
      const known = venueById(venue);
      const plans = known.connections([symbol], known.channels.default);
      // one for each loss, of all it brought
      const channelOf = new Map(plans.flatMap(({ topics }) => topics.map(({ name, channel }) => [name, channel])));
      const channels = new Set(channelOf.values()).size;
      const whole = plans.length === 1;
      expect(gaps).toHaveLength(cuts * (whole ? 1 : channels));
      if (whole) expect(new Set(gaps.map(({ gap }) => gap.stream))).toEqual(new Set(['*']));
      for (const { topic, after, before } of await missingOf(rig)) {
        const told = gaps.filter(
          ({ t, gap }) =>
            (gap.stream === '*' || gap.stream === channelOf.get(topic)) && gap.from >= after && t <= before,
        );
        expect(told.length, `${topic} between ${after} and ${before}`).toBeGreaterThan(0);
      }
    });
  });
});
