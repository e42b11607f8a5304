/** What trade ids and match times tell of the next trade, by known answers. */
import { describe, expect, test } from 'vitest';
import { COUNTS_ANEW, REPEATED, TradeIds } from '../../src/market/trade-ids.js';
import { contiguousTrades, unprovenTrades } from '../../src/venues/sequence.js';

/** Trades of one id each: id, match time, what is expected. */
function play(ids: TradeIds, trades: readonly [id: number, at: number, expected: number][]): void {
  for (const [n, [id, at, expected]] of trades.entries()) expect([n, ids.next(id, id, at)]).toEqual([n, expected]);
}

describe('old ids', () => {
  test('with a time that was seen are repeats', () => {
    play(new TradeIds(contiguousTrades()), [
      [10, 100, 0],
      [11, 100, 0],
      [10, 100, REPEATED],
      [14, 105, 2],
      [12, 103, REPEATED],
      [14, 105, REPEATED],
      [15, 105, 0],
    ]);
  });

  test('with a later time are counted anew, from the first on: what is missing behind it is seen', () => {
    play(new TradeIds(contiguousTrades()), [
      [5000, 100, 0],
      [7, 101, COUNTS_ANEW],
      [8, 101, 0],
      [11, 102, 2],
      [11, 102, REPEATED],
    ]);
  });

  test('without a time are repeats for a while', () => {
    const ids = new TradeIds(contiguousTrades());
    play(ids, [[5000, 0, 0]]);
    for (let n = 1; n < 100; n++) play(ids, [[n, 0, REPEATED]]);
    expect(ids.plain).toBe(false);
    play(ids, [
      [100, 0, COUNTS_ANEW],
      [101, 0, 0],
    ]);
    expect(ids.plain).toBe(true);
  });
});

describe('a numbering that is over', () => {
  const anew = (): TradeIds => {
    const ids = new TradeIds(contiguousTrades());
    play(ids, [
      [5000, 100, 0],
      [7, 105, COUNTS_ANEW],
    ]);
    return ids;
  };

  test('does not come back with a late trade', () => {
    play(anew(), [
      [5001, 100, REPEATED],
      [4999, 99, REPEATED],
      [8, 106, 0],
    ]);
  });

  test('is not what a trade is of that goes on, whatever its time', () => {
    play(anew(), [
      [8, 90, 0],
      [9, 90, 0],
      [12, 106, 2],
    ]);
  });

  test('is what a trade is of that came between the two', () => {
    play(anew(), [
      [5003, 103, REPEATED],
      [8, 106, 0],
    ]);
  });

  test('does not come back with a long run of late trades, nor is waited for for ever', () => {
    const ids = anew();
    for (let n = 0; n < 999; n++) play(ids, [[5003 + n, 103, REPEATED]]);
    expect(ids.plain).toBe(false);
    play(ids, [
      [8, 106, 0],
      [9, 10_000_105, 0],
      [5003, 103, REPEATED],
      [10, 10_000_106, 0],
      // nothing of it comes so late
      [12, 104, 1],
    ]);
    const mistaken = anew();
    for (let n = 0; n < 999; n++) play(mistaken, [[5003 + n, 103, REPEATED]]);
    play(mistaken, [
      [6002, 103, COUNTS_ANEW],
      [6003, 104, 0],
    ]);
  });

  test('is known to who goes on from a checkpoint', () => {
    const ids = new TradeIds(contiguousTrades());
    ids.restore(JSON.parse(JSON.stringify(anew().state())) as Record<string, unknown>);
    play(ids, [
      [5001, 100, REPEATED],
      [8, 106, 0],
      [1, 107, COUNTS_ANEW],
    ]);
  });
});

test('ids that prove nothing tell nothing', () => {
  play(new TradeIds(unprovenTrades()), [
    [9, 100, 0],
    [3, 101, 0],
    [3, 99, 0],
  ]);
});

test('a checkpoint without times, or with nonsense for them, goes on by ids', () => {
  for (const era of [undefined, null, 'x', [null, {}, 'y'], [1]]) {
    const ids = new TradeIds(contiguousTrades());
    ids.restore({ last: 10, era });
    play(ids, [
      [9, 100, REPEATED],
      [11, 100, 0],
      [3, 101, COUNTS_ANEW],
    ]);
  }
});
