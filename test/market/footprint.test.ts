/** Footprint bars: known tables, where bars begin and end, what is cut, and that parts equal the whole. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type DiagonalRules,
  imbalancedCells,
  isImbalanced,
  stacksOf,
  type ZeroRule,
} from '../../src/market/diagonal.js';
import { Effect } from '../../src/market/effect.js';
import { Footprint, type FootprintRules } from '../../src/market/footprint.js';
import { type FootprintBar, MAX_BINS } from '../../src/market/footprint-bar.js';

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const T = 1_700_000_040 * SECOND; // a whole minute
/** a tick of 0.1 with three decimals of price */
const TICK = 100;
const minutely: FootprintRules = { by: 'time', span: MINUTE, size: 0, ticks: 1, bps: 0 };

/** The table of the definition, prices 100.0 to 100.4. */
const SELLS = [9, 1, 1, 1, 5];
const BUYS = [2, 30, 12, 9, 0];

/** What a bar says of itself, in ticks and units. */
function factsOf(bar: FootprintBar) {
  const bins = Array.from({ length: bar.bins }, (_, i) => i);
  return {
    prices: bins.map((i) => bar.priceAt(i) / TICK),
    buys: bins.map((i) => bar.buyAt(i)),
    sells: bins.map((i) => bar.sellAt(i)),
    ...{ start: bar.start, end: bar.end, index: bar.index, whole: bar.whole, trades: bar.trades },
    ...{ buy: bar.buy, sell: bar.sell, min: bar.minDelta, max: bar.maxDelta },
  };
}

type Facts = ReturnType<typeof factsOf>;

interface Recorded {
  footprint: Footprint;
  closed: Facts[];
}

function record(rules: Partial<FootprintRules> = {}, since = T): Recorded {
  const footprint = new Footprint(TICK, { ...minutely, ...rules }, () => since);
  const closed: Facts[] = [];
  footprint.onClose((bar) => closed.push(factsOf(bar)));
  return { footprint, closed };
}

/** A running bar of these sizes by tick, from 1000 on. */
function tableOf(buys: readonly number[], sells: readonly number[]): FootprintBar {
  const { footprint } = record();
  for (const [i, size] of sells.entries()) if (size > 0) footprint.trade(T, -1, (1000 + i) * TICK, size);
  for (const [i, size] of buys.entries()) if (size > 0) footprint.trade(T, 1, (1000 + i) * TICK, size);
  return footprint.running as FootprintBar;
}

describe('a bar', () => {
  it('holds buys and sells by price, dense from low to high, and their sums', () => {
    const bar = tableOf([2, 0, 0, 9], [0, 0, 0, 5]);
    expect(factsOf(bar)).toMatchObject({
      ...{ prices: [1000, 1001, 1002, 1003], buys: [2, 0, 0, 9], sells: [0, 0, 0, 5] },
      ...{ trades: 3, buy: 11, sell: 5, min: -5, max: 6 },
    });
    expect([bar.volume, bar.delta, bar.provisional]).toEqual([16, 6, true]);
    expect([bar.openPrice, bar.lowPrice, bar.highPrice, bar.closePrice].map((price) => price / TICK)).toEqual([
      1003, 1000, 1003, 1003,
    ]);
  });

  it.each([
    ['most volume', [1, 7, 2], 1],
    ['of equals the one nearest to the middle', [5, 1, 5, 5, 1, 1, 5], 3],
    ['of equally near ones the lowest', [5, 1, 1, 5], 0],
    ['a bar of one price', [3], 0],
  ])('point of control: %s', (_, buys, bin) => {
    expect(tableOf(buys, []).poc).toBe(bin);
  });

  it.each([
    ['the larger neighbour joins first, up to 70 of 100', [5, 10, 40, 30, 10, 5], { from: 2, to: 3 }],
    ['and one more where that is a little less', [5, 10, 40, 29, 11, 5], { from: 2, to: 4 }],
    ['of equal ones both', [30, 40, 30], { from: 0, to: 2 }],
    ['runs without a trade on both sides, and then the larger one', [5, 0, 0, 60, 0, 0, 35], { from: 1, to: 6 }],
    ['across a bin without a trade', [45, 0, 55], { from: 0, to: 2 }],
    ['one bin can be enough', [1, 98, 1], { from: 1, to: 1 }],
  ])('value area: %s', (_, buys, area) => {
    expect(tableOf(buys, []).valueArea()).toEqual(area);
  });

  it('its auction is unfinished where both sides traded in the outermost bin', () => {
    const bar = tableOf([2, 3, 1], [0, 0, 1]);
    expect([bar.unfinished(1), bar.unfinished(-1)]).toEqual([true, false]);
  });

  it('joins bins in pairs rather than have too many, and loses nothing', () => {
    const { footprint } = record();
    const far = 1000 + MAX_BINS;
    for (const [price, size] of [
      [1001, 1],
      [1000, 2],
      [999 + MAX_BINS, 4],
    ])
      footprint.trade(T, 1, price * TICK, size);
    const bar = footprint.running as FootprintBar;
    expect([bar.bins, bar.width]).toEqual([MAX_BINS, TICK]);
    footprint.trade(T, -1, far * TICK, 8);
    expect([bar.bins, bar.width, bar.priceAt(0) / TICK]).toEqual([MAX_BINS / 2 + 1, 2 * TICK, 1000]);
    expect([bar.buyAt(0), bar.buyAt(MAX_BINS / 2 - 1), bar.sellAt(MAX_BINS / 2)]).toEqual([3, 4, 8]);
    footprint.trade(T, -1, 1_000_000 * TICK, 16);
    expect(bar.width).toBe(256 * TICK);
    const all = Array.from({ length: bar.bins }, (_, i) => bar.volumeAt(i));
    expect(all.reduce((sum, one) => sum + one)).toBe(31);
    expect([bar.buyAt(0), bar.sellAt(bar.bins - 1)]).toEqual([3, 16]);
  });
});

describe('diagonal imbalance', () => {
  const rules: DiagonalRules = { theta: 3, zero: 'floor', lot: 1, least: 5 };
  const found = (bar: FootprintBar, side: number, changed: Partial<DiagonalRules> = {}): number[] =>
    Array.from({ length: bar.bins }, (_, i) => i).filter((i) => isImbalanced(bar, i, side, { ...rules, ...changed }));

  it('of the table: three bins in a row to the buys, none to the sells', () => {
    const bar = tableOf(BUYS, SELLS);
    expect([found(bar, 1), found(bar, -1)]).toEqual([[1, 2, 3], []]);
    expect(stacksOf(bar, 1, 3, rules)).toEqual([{ from: 1, to: 3 }]);
    expect([stacksOf(bar, 1, 4, rules), stacksOf(bar, -1, 1, rules)]).toEqual([[], []]);
    expect([imbalancedCells(bar, 1, rules), imbalancedCells(bar, -1, rules)]).toEqual([3, 0]);
  });

  it('of its mirror: the same to the sells', () => {
    const bar = tableOf([...SELLS].reverse(), [...BUYS].reverse());
    expect([found(bar, 1), found(bar, -1)]).toEqual([[], [1, 2, 3]]);
  });

  it('a ratio just missed, and a cell just too small, is none', () => {
    const bar = tableOf(BUYS, SELLS);
    // 30 against 9, 12 and 9 against 1
    expect(found(bar, 1, { theta: 30 / 9 })).toEqual([1, 2, 3]);
    expect(found(bar, 1, { theta: 3.34 })).toEqual([2, 3]);
    expect([found(bar, 1, { least: 9 }), found(bar, 1, { least: 10 })]).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
  });

  it('a bin in the middle without a trade breaks a row', () => {
    const bar = tableOf([0, 30, 0, 30, 30], [1, 1, 1, 1, 1]);
    expect(stacksOf(bar, 1, 2, rules)).toEqual([{ from: 3, to: 4 }]);
  });

  it('at the edge there is nothing to hold a cell against', () => {
    expect(found(tableOf([50], []), 1).concat(found(tableOf([], [50]), -1))).toEqual([]);
    expect([found(tableOf([50, 50], [1, 1]), 1), found(tableOf([1, 1], [50, 50]), -1)]).toEqual([[1], [0]]);
  });

  it.each<[ZeroRule, number, number[]]>([
    ['ignore', 1, []],
    ['floor', 1, [1]],
    ['floor', 10, [1]],
    ['floor', 11, []],
    ['infinite', 11, [1]],
  ])('an empty cell on the diagonal, %s, a lot of %d', (zero, lot, bins) => {
    expect(found(tableOf([1, 30], [0, 5]), 1, { zero, lot })).toEqual(bins);
  });

  test('property: sizes times a factor, the lot and the least too, change no verdict', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 2, maxLength: 12 });
    const theta = fc.constantFrom(1.1, 1.7, 3, 3.3);
    fc.assert(
      fc.property(sizes, sizes, theta, fc.constantFrom(3, 100, 1000, 7919), (buys, sells, ratio, factor) => {
        fc.pre(buys.some((size) => size > 0));
        const times = (all: number[]): number[] => all.map((size) => size * factor);
        const [bar, larger] = [tableOf(buys, sells), tableOf(times(buys), times(sells))];
        for (const side of [1, -1])
          expect(found(larger, side, { theta: ratio, lot: factor, least: 5 * factor })).toEqual(
            found(bar, side, { theta: ratio }),
          );
      }),
    );
  });
});

describe('where bars begin and end', () => {
  it('time: at whole multiples; a print at the end is of the next; a stretch without prints has no bar', () => {
    const { footprint, closed } = record();
    footprint.trade(T + 5, 1, 1000 * TICK, 1);
    footprint.trade(T + MINUTE - 1, -1, 1001 * TICK, 2);
    expect([closed.length, footprint.running?.provisional]).toEqual([0, true]);
    footprint.trade(T + MINUTE, 1, 1002 * TICK, 4);
    expect(closed).toMatchObject([{ start: T, end: T + MINUTE, buys: [1, 0], sells: [0, 2], whole: true, index: 0 }]);
    footprint.advance(T + 2 * MINUTE - 1);
    expect(closed).toHaveLength(1);
    footprint.advance(T + 2 * MINUTE);
    expect([closed.length, footprint.running]).toEqual([2, null]);
    footprint.advance(T + 7 * MINUTE);
    footprint.trade(T + 7 * MINUTE + 3, 1, 1000 * TICK, 1);
    footprint.advance(T + 8 * MINUTE);
    expect(closed.map(({ start }) => (start - T) / MINUTE)).toEqual([0, 1, 7]);
  });

  it('time: a span that divides no minute has its multiples all the same', () => {
    const { footprint, closed } = record({ span: 7 * SECOND });
    for (let n = 0; n < 20; n++) footprint.trade(T + n * SECOND, 1, 1000 * TICK, 1);
    expect(closed.map(({ start }) => start % (7 * SECOND))).toEqual(closed.map(() => 0));
    expect(closed.slice(1).map(({ trades }) => trades)).toEqual(closed.slice(1).map(() => 7));
  });

  it('trades: so many prints; what the last one of a stretch lacks, it never gets', () => {
    const { footprint, closed } = record({ by: 'trades', size: 4 });
    for (let n = 0; n < 10; n++) footprint.trade(T + n, 1, 1000 * TICK, 1);
    expect(closed.map(({ start, end, trades, index }) => [start - T, end - T, trades, index])).toEqual([
      [0, 3, 4, 0],
      [4, 7, 4, 1],
    ]);
    footprint.trade(T + MINUTE, 1, 1000 * TICK, 1);
    expect(closed[2]).toMatchObject({ start: T + 8, end: T + MINUTE, trades: 2, index: 2, whole: true });
    expect(footprint.running).toMatchObject({ start: T + MINUTE, index: 0 });
  });

  it('volume: a print is never divided', () => {
    const { footprint, closed } = record({ by: 'volume', size: 10 });
    for (const size of [4, 6, 25, 9, 1]) footprint.trade(T, 1, 1000 * TICK, size);
    expect(closed.map(({ buy, index }) => [buy, index])).toEqual([
      [10, 0],
      [25, 1],
      [10, 2],
    ]);
    expect(footprint.running).toBeNull();
  });

  it.each([
    ['ticks alone', { ticks: 5, bps: 0 }, 5],
    ['the next power of two ticks', { ticks: 1, bps: 3 }, 4],
    ['wider where a power is a little too narrow', { ticks: 1, bps: 4 }, 8],
    ['ticks doubled', { ticks: 5, bps: 11 }, 20],
  ])('bins: %s', (_, rules, ticks) => {
    const { footprint } = record(rules);
    footprint.trade(T, 1, 10_007 * TICK, 1); // a bps is a tick and a little
    footprint.trade(T, 1, 9_993 * TICK, 1);
    const bar = footprint.running as FootprintBar;
    expect(bar.width / TICK).toBe(ticks);
    expect(bar.priceAt(0) / TICK).toBe(Math.floor(9_993 / ticks) * ticks);
  });
});

describe('what is cut', () => {
  it('a stretch that began before trades were complete has no whole bars; the next one has', () => {
    const { footprint, closed } = record({}, T + 1);
    for (const t of [T + 5, T + MINUTE, T + 2 * MINUTE]) footprint.trade(t, 1, 1000 * TICK, 1);
    expect(closed.map(({ whole }) => whole)).toEqual([false, true]);
  });

  it.each([
    ['time', 0, [false, true]],
    ['trades', 2, [true, false, false, true]],
  ] as const)('missing trades mark the bar under way and the rest of its stretch: %s', (by, size, whole) => {
    let since = T;
    const footprint = new Footprint(TICK, { ...minutely, by, size }, () => since);
    const seen: boolean[] = [];
    footprint.onClose((bar) => seen.push(bar.whole));
    for (let n = 0; n < 3; n++) footprint.trade(T + n, 1, 1000 * TICK, 1);
    since = T + 4;
    footprint.lose(Effect.lost | Effect.besideGap);
    expect(footprint.running?.whole).toBe(true);
    footprint.lose(Effect.tradeGap);
    for (let n = 0; n < 3; n++) footprint.trade(T + 5 + n, 1, 1000 * TICK, 1);
    for (let n = 0; n < 2; n++) footprint.trade(T + MINUTE + n, 1, 1000 * TICK, 1);
    footprint.advance(T + 2 * MINUTE);
    expect(seen).toEqual(whole);
  });
});

describe('properties', () => {
  const prints = fc.array(
    fc.record({
      wait: fc.integer({ min: 0, max: 9 * SECOND }),
      side: fc.constantFrom(1, -1),
      price: fc.integer({ min: 900, max: 1100 }),
      size: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 1, maxLength: 120 },
  );
  const rules = fc.record({
    by: fc.constantFrom('time' as const, 'trades' as const, 'volume' as const),
    span: fc.constantFrom(7 * SECOND, 30 * SECOND, MINUTE),
    size: fc.integer({ min: 1, max: 60 }),
    ticks: fc.constantFrom(1, 3),
    bps: fc.constantFrom(0, 1, 25, 400),
  });
  type Print = { t: number; side: number; price: number; size: number };
  const timed = (waits: { wait: number; side: number; price: number; size: number }[]): Print[] => {
    let t = T;
    return waits.map(({ wait, ...print }) => {
      t += wait;
      return { ...print, t };
    });
  };
  const play = (all: readonly Print[], given: FootprintRules, since: number): Facts[] => {
    const { footprint, closed } = record(given, since);
    for (const { t, side, price, size } of all) footprint.trade(t, side, price * TICK, size);
    footprint.advance(Number.MAX_SAFE_INTEGER);
    return closed;
  };

  test('cells are those of a plain count, and all bars together hold every print once', () => {
    fc.assert(
      fc.property(prints, rules, (waits, given) => {
        const all = timed(waits);
        const bars = play(all, given, T);
        let at = 0;
        for (const bar of bars) {
          const own = all.slice(at, at + bar.trades);
          at += bar.trades;
          const width =
            given.ticks * 2 ** Math.ceil(Math.log2(Math.max(1, (own[0].price * given.bps) / 1e4 / given.ticks)));
          const low = Math.floor(Math.min(...own.map(({ price }) => price)) / width) * width;
          const cells = (side: number): number[] =>
            bar.prices.map((price) =>
              own
                .filter((one) => one.side === side && one.price >= price && one.price < price + width)
                .reduce((sum, { size }) => sum + size, 0),
            );
          expect(bar.prices[0]).toBe(low);
          expect(bar.prices.every((price, i) => price === low + i * width)).toBe(true);
          expect([bar.buys, bar.sells]).toEqual([cells(1), cells(-1)]);
          const deltas = [0];
          for (const { side, size } of own) deltas.push(deltas[deltas.length - 1] + side * size);
          expect([bar.min, bar.max]).toEqual([Math.min(...deltas), Math.max(...deltas)]);
        }
        expect(at).toBe(all.length);
      }),
    );
  });

  test('who begins to read at the start of any stretch has the same bars from there on', () => {
    fc.assert(
      fc.property(prints, rules, fc.integer({ min: 0, max: 20 }), (waits, given, stretch) => {
        const all = timed(waits);
        const start = (Math.ceil(T / given.span) + stretch) * given.span;
        const whole = play(all, given, T);
        const part = play(
          all.filter(({ t }) => t >= start),
          given,
          start,
        );
        expect(part).toEqual(whole.filter(({ start: first }) => first >= start));
      }),
    );
  });
});
