/** How scenarios are written and told: orders eat what is displayed, and every way to tell a play ends with the same book and trades. */
import { describe, expect, test } from 'vitest';
import { mirroredPlay } from '../../src/sim/scenarios/scenario.js';
import { scenarios } from '../../src/sim/scenarios/scenarios.js';
import { levels, Script } from '../../src/sim/scenarios/script.js';
import { PLAIN, type Telling, tell } from '../../src/sim/scenarios/tell.js';
import { venueById } from '../../src/venues/registry.js';
import { tellings } from './played.js';

const script = (): Script => new Script(levels(1, 100, 5, 3), levels(-1, 101, 5, 3));

describe('a script', () => {
  test('an order takes best prices first, and leaves the rest', () => {
    const { steps } = script().take(1, 7).wait(5).take(-1, 5).play();
    expect(steps).toEqual([
      {
        ...{ at: 10_000, kind: 'order', side: 1 },
        fills: [
          [101, 5],
          [102, 2],
        ],
      },
      {
        ...{ at: 10_000, kind: 'book', bids: [] },
        asks: [
          [101, 0],
          [102, 3],
        ],
      },
      { at: 15_000, kind: 'order', side: -1, fills: [[100, 5]] },
      { at: 15_000, kind: 'book', bids: [[100, 0]], asks: [] },
    ]);
  });

  test('usual orders go each way in turn, and what they took comes back', () => {
    const usual = script().usual(1);
    expect([usual.shown(1, 100), usual.shown(-1, 101), usual.now]).toEqual([5, 5, 1010]);
    const orders = usual.play().steps.filter(({ kind }) => kind === 'order');
    expect(orders).toMatchObject([
      { side: 1, fills: [[101, 1]] },
      { side: -1, fills: [[100, 1]] },
    ]);
  });

  test('what cannot be is refused', () => {
    expect(() => script().take(1, 16)).toThrow('an order of 16 is more than what is displayed');
    expect(() => script().wait(1).take(1, 1).play()).toThrow('only every 5 ms');
  });

  test('mirrored twice it is what it was', () => {
    const play = script().take(1, 7).play();
    const mirrored = mirroredPlay(play);
    expect(mirrored.steps).toMatchObject([
      {
        side: -1,
        fills: [
          [100, 5],
          [99, 2],
        ],
      },
      {
        bids: [
          [100, 0],
          [99, 3],
        ],
      },
    ]);
    expect(mirroredPlay(mirrored)).toEqual(play);
  });
});

interface Message {
  e: string;
  T: number;
  [key: string]: unknown;
}

/** The book a script ends with, as texts: its ticks are tenths. */
function written(name: string): unknown[] {
  const { bids, asks, steps } = (scenarios.find((one) => one.name === name) ?? scenarios[0]).play();
  return [bids, asks].map((first, i) => {
    const book = new Map(first);
    for (const step of steps)
      if (step.kind === 'book') for (const [price, size] of i === 0 ? step.bids : step.asks) book.set(price, size);
    const left = [...book].filter(([, size]) => size > 0);
    return left.map(([price, size]) => [(price / 10).toFixed(1), String(size)]).sort();
  });
}

/** The book a tape ends with, and its trades in order of their ids. */
function told(name: string, telling: Telling): unknown[] {
  const scenario = scenarios.find((one) => one.name === name) ?? scenarios[0];
  const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
  const trades: unknown[] = [];
  let t = 0;
  for (const line of tell(scenario, venueById('binance-usdm'), telling).lines) {
    const entry = JSON.parse(line) as {
      t: number;
      http?: { body: Record<string, [string, string][]> };
      msg?: { data?: Message };
    };
    expect(entry.t).toBeGreaterThan(t);
    t = entry.t;
    for (const level of entry.http?.body.bids ?? []) sides.b.set(...level);
    for (const level of entry.http?.body.asks ?? []) sides.a.set(...level);
    const data = entry.msg?.data;
    if (data?.e === 'trade') trades.push([data.t, data.T, data.p, data.q, data.X, data.m]);
    if (data?.e !== 'depthUpdate') continue;
    for (const key of ['b', 'a'] as const)
      for (const [price, size] of data[key] as [string, string][]) {
        if (Number(size) > 0) sides[key].set(price, size);
        else sides[key].delete(price);
      }
  }
  return [[...sides.b].sort(), [...sides.a].sort(), trades];
}

test.each(['S3', 'S5', 'S6', 'S7 refilled', 'S8', 'S9 exhaustion', 'S18'])(
  '%s ends with the same book and trades, whichever comes first and however it is put together',
  (name) => {
    const plain = told(name, PLAIN);
    expect(plain.slice(0, 2)).toEqual(written(name));
    for (const telling of tellings.filter(({ mirrored, scale }) => !mirrored && scale.price === 0))
      for (const sockets of ['one', 'two'] as const) expect(told(name, { ...telling, sockets })).toEqual(plain);
  },
);

test('the same scenario told twice gives the same bytes', () => {
  for (const scenario of scenarios)
    expect(tell(scenario, venueById('okx-swap')).lines).toEqual(tell(scenario, venueById('okx-swap')).lines);
});

test('books of longer intervals are fewer, and trades that come second come after the book that shows them', () => {
  const scenario = scenarios.find(({ name }) => name === 'S6') ?? scenarios[0];
  const counts = ([0, 20, 100] as const).map((conflation) => {
    const { lines } = tell(scenario, venueById('binance-usdm'), { ...PLAIN, conflation });
    return lines.filter((line) => line.includes('depthUpdate')).length;
  });
  expect(counts[1]).toBeLessThanOrEqual(counts[0]);
  expect(counts[2]).toBeLessThan(counts[1]);
  for (const conflation of [0, 20, 100] as const) {
    const { lines } = tell(scenario, venueById('binance-usdm'), { ...PLAIN, conflation, order: 'book-first' });
    let shown = 0;
    for (const line of lines) {
      const matched = Number(/"T":(\d+)/.exec(line)?.[1]);
      if (line.includes('depthUpdate')) shown = matched;
      else if (line.includes('"e":"trade"')) expect(shown).toBeGreaterThanOrEqual(matched);
    }
  }
});
