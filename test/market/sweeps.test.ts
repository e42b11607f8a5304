/** Sweeps as others read them: the newest of a side, while it is young enough and nothing was lost. */
import { expect, test } from 'vitest';
import { type SweepRules, sweepsOf } from '../../src/market/sweeps.js';
import { SECOND, TapeBuilder } from '../scan/tape-builder.js';
import { newMarket, play } from './feed.js';

const RULES: SweepRules = {
  ...{ single: 2, burst: 3, gap: 50_000, span: 250_000, opposite: 0.1, consumed: 0.8, quantile: 0.9, bps: 10 },
};
const TICK = 100;
const ONE = 100_000;

/** Buys of 4 through two asks, and sells of 6 through two bids, each with the update it made. */
class Orders extends TapeBuilder {
  buy(): this {
    this.trade(1, 1001, 2).trade(1, 1002, 2).wait(20_000);
    return this.depth(
      [],
      [
        [1001, 0],
        [1002, 0],
      ],
    )
      .wait(SECOND)
      .depth(
        [],
        [
          [1001, 2],
          [1002, 2],
        ],
      );
  }

  sell(): this {
    this.trade(-1, 1000, 3).trade(-1, 999, 3).wait(20_000);
    return this.depth(
      [
        [1000, 0],
        [999, 0],
      ],
      [],
    )
      .wait(SECOND)
      .depth(
        [
          [1000, 3],
          [999, 3],
        ],
        [],
      );
  }
}

function started(): Orders {
  const tape = new Orders();
  tape.snapshot(
    [
      [1000, 3],
      [999, 3],
      [800, 1],
    ],
    [
      [1001, 2],
      [1002, 2],
      [1005, 9],
      [1200, 1],
    ],
  );
  for (let i = 0; i < 20; i++) tape.wait(SECOND / 4).trade(1, 1001, 1);
  return tape.wait(SECOND).depth([], [[1006, 1]]);
}

test('what is told of a sweep', () => {
  const market = newMarket();
  const sweeps = sweepsOf(market, RULES);
  expect(sweepsOf(market, { ...RULES })).toBe(sweeps);
  const tape = started().buy();
  play(market, tape.lines, () => {});
  expect(sweeps.found).toBe(1);
  expect(sweeps.at(0)).toMatchObject({
    ...{ kind: 'single', side: 1, groups: 1, prints: 2, size: 4 * ONE, gate: ONE, slippage: 0.5 },
    ...{ bid: 1000 * TICK, ask: 1001 * TICK, firstPrice: 1001 * TICK, lastPrice: 1002 * TICK, levels: 2 },
    ...{ displayed: 4 * ONE, consumed: 1, nextPrice: 1005 * TICK, depth: 2 * ONE },
  });
  expect([sweeps.at(-1), sweeps.at(1)]).toEqual([null, null]);
});

test('they are numbered as they are found, and forgotten where something is lost', () => {
  const market = newMarket();
  const sweeps = sweepsOf(market, RULES);
  const said: string[] = [];
  const tape = started().buy().sell().buy().sell();
  tape.depth([], [], { lost: 1 });
  play(market, tape.lines, () => {
    const newest = sweeps.at(sweeps.found - 1);
    const line = newest === null ? 'none' : `${sweeps.found}: ${newest.side} ${newest.size / ONE}`;
    if (said.at(-1) !== line) said.push(line);
  });
  expect(said).toEqual(['none', '1: 1 4', '2: -1 6', '3: 1 4', '4: -1 6', 'none']);
  expect(sweeps.found).toBe(4);
});

test('a burst has its last order, too, where a whole second passes before the next word', () => {
  const market = newMarket();
  const sweeps = sweepsOf(market, { ...RULES, single: 3 });
  const tape = started();
  // the pause that ends it is over before the second is, and nothing is said before that
  tape.wait(2 * SECOND - (tape.t % SECOND) - 140_000).trade(1, 1001, 2);
  tape.wait(30_000).trade(1, 1002, 2).trade(1, 1005, 9);
  tape.wait(150_000).depth(
    [],
    [
      [1001, 0],
      [1002, 0],
      [1005, 0],
    ],
  );
  play(market, tape.lines, () => {});
  expect(sweeps.found).toBe(1);
  expect(sweeps.at(0)).toMatchObject({ kind: 'burst', groups: 2, prints: 3, size: 13 * ONE, levels: 3 });
});
