/** When a book is no longer known far enough: as far as its snapshot reached, and no sooner than half of that is used up. */
import { expect, test } from 'vitest';
import { createReaches } from '../../src/feed/reach.js';
import { venueById } from '../../src/venues/registry.js';
import { feed, newTrack } from '../market/feed.js';
import { type Level, ladder, TapeBuilder } from '../scan/tape-builder.js';

const instrument = { symbol: 'BTCUSDT', kind: 'linear' as const, tick: '0.1', lot: '0.001', multiplier: '1' };
const binance = venueById('binance-usdm');

/** A book of 20 levels either side of 1000 and 1001, and how it goes on. */
function start(): {
  runsOut: (nowMs: number) => boolean;
  go: (bids: Level[], asks: Level[]) => void;
  again: (bid: number) => void;
} {
  const tape = new TapeBuilder().snapshot(...ladder(1000, 1, 1));
  const track = newTrack(binance, instrument);
  let fed = 0;
  const take = (): void => {
    feed(track, binance, tape.lines.slice(fed));
    fed = tape.lines.length;
  };
  take();
  const reaches = createReaches();
  return {
    runsOut: (nowMs) => reaches.runsOut('BTCUSDT', track, nowMs),
    go(bids, asks) {
      tape.depth(bids, asks);
      take();
    },
    again(bid) {
      tape.snapshot(...ladder(bid, 1, 1));
      // a newer snapshot becomes the book with the update behind it
      tape.depth([], []);
      take();
    },
  };
}

test.each(['bid', 'ask'] as const)('the touch has come half the way to the last %s of the snapshot', (side) => {
  const { runsOut, go, again } = start();
  expect(runsOut(0)).toBe(false);
  // the last bid is 981, the last ask 1020: 19 ticks from the touch
  const goes = (ticks: number): void => {
    const levels = (sign: number, best: number): Level[] =>
      Array.from({ length: ticks }, (_, i) => [best + sign * i, 0]);
    if (side === 'bid') go(levels(-1, 1000), []);
    else go([], levels(1, 1001));
  };
  goes(9);
  expect(runsOut(20_000)).toBe(false);
  goes(10);
  expect([runsOut(20_001), runsOut(20_002)]).toEqual([true, true]);
  again(side === 'bid' ? 990 : 1010);
  expect(runsOut(40_000)).toBe(false);
});

test('no book is asked for again within ten seconds', () => {
  const { runsOut, go } = start();
  expect(runsOut(5_000)).toBe(false);
  go(ladder(1000, 0, 0, 15)[0], []);
  expect(runsOut(14_999)).toBe(false);
  expect(runsOut(15_000)).toBe(true);
});
