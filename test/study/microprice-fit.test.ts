/** Learning a microprice: chains with known answers, Stoikov's own series, mirror images, and what is not learnt from. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mirrorState, OUTSIDE, TOUCH_STATES } from '../../src/market/microprice.js';
import type { Fit } from '../../src/model/fit.js';
import { fitMarkets } from '../../src/study/fit.js';
import { TouchChain } from '../../src/study/microprice-fit.js';
import { randomFrom } from '../scan/random-tape.js';
import { flowOf, SECOND, TapeBuilder } from '../scan/tape-builder.js';

/** A quarter and three quarters of the size are bid, at a spread of a tick. */
const LOW = 2;
const HIGH = 7;

test('half of the changes forget the state and half move the mid a tick: half a tick is to be expected', () => {
  const chain = new TouchChain();
  for (let n = 0; n < 100; n++) {
    chain.add(HIGH, LOW, 0);
    chain.add(HIGH, HIGH, 2);
  }
  // g = ½ · 1 + ½ · g(high) + ½ · g(low), and g(low) = −g(high)
  const { ticks, observations } = chain.table() ?? { ticks: [], observations: [] };
  expect(ticks[0]).toEqual([null, null, -0.5, null, null, null, null, 0.5, null, null]);
  expect(ticks[1]).toEqual(Array.from({ length: 10 }, () => null));
  // each counts with its mirror image
  expect(observations[0]).toEqual([0, 0, 200, 0, 0, 0, 0, 200, 0, 0]);
});

test('a way out of the table, or into a state seen too rarely, ends with the move that it made', () => {
  const chain = new TouchChain();
  for (let n = 0; n < 99; n++) chain.add(HIGH, OUTSIDE, 1);
  chain.add(HIGH, 9, 1);
  expect(chain.table()?.ticks[0][HIGH]).toBe(0.5);
  expect(chain.table()?.ticks[0][9]).toBeNull();
});

test('a state that bounces from side to side has the mean of what it swings between', () => {
  const chain = new TouchChain();
  for (let n = 0; n < 100; n++) chain.add(HIGH, LOW, 2);
  expect(chain.table()?.ticks[0][HIGH]).toBe(0.5);
});

test('too little was seen, or the state is never forgotten: there is none', () => {
  const rare = new TouchChain();
  for (let n = 0; n < 99; n++) rare.add(HIGH, OUTSIDE, 2);
  expect(rare.table()).toBeNull();
  const frozen = new TouchChain();
  for (let n = 0; n < 200; n++) frozen.add(HIGH, HIGH, 1);
  expect(frozen.table()).toBeNull();
});

test('a corner that is never left has no figure, and leaves the others theirs: a way into it ends there', () => {
  const chain = new TouchChain();
  for (let n = 0; n < 100; n++) {
    chain.add(8, 9, 1);
    chain.add(9, 8, 0);
    chain.add(HIGH, LOW, 0);
    chain.add(HIGH, 9, 2);
  }
  // g = ½ · 1 + ½ · g(low) = ½ − ½ g
  expect(chain.table()?.ticks[0]).toEqual([null, null, -0.333333, null, null, null, null, 0.333333, null, null]);
});

type Change = readonly [from: number, to: number, halfTicks: number];

/** g* = Σ Bᵏ g₁ as it stands in the paper, with the inverse (I − Q)⁻¹ as a series of its own; all states are left often enough. */
function limitOf(changes: readonly Change[]): number[] {
  const both = changes.flatMap(([from, to, half]): Change[] => [
    [from, to, half],
    [mirrorState(from), mirrorState(to), -half],
  ]);
  const left = new Map<number, number>();
  for (const [from] of both) left.set(from, (left.get(from) ?? 0) + 1);
  const zero = (): number[] => new Array(TOUCH_STATES).fill(0);
  const lead = (moving: boolean, values: readonly number[]): number[] => {
    const next = zero();
    for (const [from, to, half] of both)
      if (left.has(to) && (half !== 0) === moving) next[from] += values[to] / (left.get(from) ?? 1);
    return next;
  };
  /** first + step(first) + step(step(first)) + … */
  const sumOf = (first: number[], step: (values: readonly number[]) => number[]): number[] => {
    const sum = zero();
    for (let next = first; next.some((value) => Math.abs(value) > 1e-9); next = step(next))
      for (let i = 0; i < sum.length; i++) sum[i] += next[i];
    return sum;
  };
  const settled = (values: number[]): number[] => sumOf(values, (now) => lead(false, now));
  const moves = zero();
  for (const [from, , half] of both) moves[from] += half / 2 / (left.get(from) ?? 1);
  return sumOf(settled(moves), (now) => settled(lead(true, now)));
}

test("it is the limit of Stoikov's series, and its own mirror image", () => {
  const state = fc.constantFrom(1, LOW, HIGH, 8, 12, 17);
  const change = fc.tuple(state, fc.oneof(state, fc.constant(OUTSIDE)), fc.constantFrom(0, 0, 1, -1, 2));
  fc.assert(
    fc.property(fc.array(change, { minLength: 3, maxLength: 12 }), (some) => {
      // each state is also left for good, so the series ends
      const ways: Change[] = [...some, ...[1, LOW, 12].map((from): Change => [from, OUTSIDE, 1])];
      const chain = new TouchChain();
      for (const [from, to, half] of ways) for (let n = 0; n < 100; n++) chain.add(from, to, half);
      const ticks = chain.table()?.ticks.flat() ?? [];
      const limit = limitOf(ways);
      for (const [at, value] of ticks.entries()) {
        const mirrored = ticks[mirrorState(at)];
        expect(value ?? 0).toBeCloseTo(limit[at], 5);
        expect(value === null ? mirrored : value + (mirrored ?? Number.NaN)).toBe(value === null ? null : 0);
      }
    }),
  );
});

describe('from a tape', () => {
  interface Market {
    tape: TapeBuilder;
    bid: number;
    sizes: [number, number];
  }
  const mirrorOf = 20_001;

  /** The touch after a change; the levels that it leaves go. `flip` writes the mirrored market. */
  function touch(market: Market, bid: number, sizes: [number, number], flip: boolean): void {
    const old = market.bid;
    const bids: [number, number][] = old === bid ? [] : [[old, 0]];
    const asks: [number, number][] = old === bid ? [] : [[old + 1, 0]];
    bids.push([bid, sizes[0]]);
    asks.push([bid + 1, sizes[1]]);
    const mirrored = (levels: [number, number][]): [number, number][] => levels.map(([p, q]) => [mirrorOf - p, q]);
    market.tape.wait(SECOND / 10);
    if (flip) market.tape.depth(mirrored(asks), mirrored(bids));
    else market.tape.depth(bids, asks);
    Object.assign(market, { bid, sizes });
  }

  function begin(flip = false): Market {
    const tape = new TapeBuilder();
    const far: [number, number][] = [[5000, 1]];
    const high: [number, number][] = [[15_001, 1]];
    if (flip) tape.snapshot([[10_000, 1], ...far], [[10_001, 3], ...high]);
    else tape.snapshot([[10_000, 3], ...far], [[10_001, 1], ...high]);
    return { tape, bid: 10_000, sizes: [3, 1] };
  }

  const learn = async (lines: readonly string[], more = {}): Promise<{ fits: Fit[]; notes: string[] }> => {
    const notes: string[] = [];
    const told = { damage: () => {}, note: (text: string) => void notes.push(text) };
    return { fits: await fitMarkets([flowOf(lines)], { window: 10 * SECOND, levels: 2, ...told, ...more }), notes };
  };
  const row = ({ fits }: { fits: Fit[] }): (number | null)[] => fits[0].microprice?.ticks[0] ?? [];

  /** A chain whose share of moving changes is known to whoever wrote it. */
  function walk(market: Market, flip: boolean, changes: number): { moves: number; all: number } {
    const random = randomFrom(3);
    let moves = 0;
    for (let n = 0; n < changes; n++) {
      const isHigh = market.sizes[0] > market.sizes[1];
      const moving = random() < 0.5;
      moves += Number(moving);
      if (moving) touch(market, market.bid + (isHigh ? 1 : -1), market.sizes, flip);
      else touch(market, market.bid, [market.sizes[1], market.sizes[0]], flip);
    }
    return { moves, all: changes };
  }

  test('the shares that it was made with come out, within their error and to the last change', async () => {
    const market = begin();
    const { moves, all } = walk(market, false, 1200);
    const found = row(await learn(market.tape.lines));
    const p = moves / all;
    expect(found[HIGH]).toBeCloseTo(p / (2 * (1 - p)), 6);
    expect(Math.abs((found[HIGH] ?? 0) - 0.5)).toBeLessThan(0.1);
    expect(found[LOW]).toBe(0 - (found[HIGH] ?? 0));
  });

  test('a mirrored market teaches the same', async () => {
    const [plain, mirrored] = [begin(), begin(true)];
    walk(plain, false, 300);
    walk(mirrored, true, 300);
    expect(row(await learn(mirrored.tape.lines))).toEqual(row(await learn(plain.tape.lines)));
  });

  test('messages that leave the touch alone, and what lies across a gap, count for nothing', async () => {
    const market = begin();
    walk(market, false, 300);
    const before = await learn(market.tape.lines);
    for (let n = 0; n < 50; n++) market.tape.depth([[9000 + n, 1]], []);
    const { observations } = (await learn(market.tape.lines)).fits[0].microprice ?? {};
    expect(observations).toEqual(before.fits[0].microprice?.observations);
    // the book is lost, and comes back elsewhere
    market.tape.depth([], [], { lost: 1 }).snapshot([[11_000, 1]], [[11_001, 3]]);
    expect((await learn(market.tape.lines)).fits[0].microprice?.observations).toEqual(observations);
    market.tape.depth([[11_000, 3]], [[11_001, 1]]);
    const more = (await learn(market.tape.lines)).fits[0].microprice?.observations ?? [];
    expect(more[0][LOW]).toBe((observations?.[0][LOW] ?? 0) + 1);
  });

  test('it says from when to when it learnt, and leaves out what is not in range', async () => {
    const market = begin();
    walk(market, false, 200);
    const middle = market.tape.t;
    walk(market, false, 400);
    const times = market.tape.lines.slice(2).map((line) => Number(line.slice(5, 21)));
    const { fits } = await learn(market.tape.lines, { from: middle });
    const first = times.find((t) => t >= middle) ?? 0;
    expect(fits[0]).toMatchObject({
      src: 'binance-usdm:BTCUSDT',
      tick: '0.1',
      from: first,
      to: times[times.length - 1],
    });
    const sum = (table: Fit['microprice']): number => (table?.observations.flat() ?? []).reduce((a, b) => a + b, 0);
    // the first message in range is compared with nothing
    expect(sum(fits[0].microprice)).toBe(2 * 399);
    const { fits: early } = await learn(market.tape.lines, { to: middle });
    expect(early[0].to).toBeLessThan(middle);
    expect(sum(early[0].microprice)).toBe(2 * 200);
  });

  test('an instrument that changes gives a fit of each stretch', async () => {
    const market = begin();
    walk(market, false, 200);
    const other = new TapeBuilder({
      tick: '0.2',
      recorder: 'next',
      start: market.tape.t,
      price: (ticks) => (ticks / 5).toFixed(1),
    });
    const after: Market = { tape: other.snapshot([[10_000, 3]], [[10_001, 1]]), bid: 10_000, sizes: [3, 1] };
    walk(after, false, 300);
    const { fits, notes } = await learn([...market.tape.lines, ...other.lines]);
    expect(fits.map(({ tick, from, to }) => [tick, from < to])).toEqual([
      ['0.1', true],
      ['0.2', true],
    ]);
    expect(fits[0].to).toBeLessThan(fits[1].from);
    expect(fits[0].microprice).toEqual((await learn(market.tape.lines)).fits[0].microprice);
    expect(notes.filter((note) => !note.includes('weights'))).toEqual([]);
  });

  test('a market told by two connections teaches what one of them does', async () => {
    const market = begin();
    walk(market, false, 200);
    const [header, ...lines] = market.tape.lines;
    const both = lines.flatMap((line) => {
      const { t, conn, ...rest } = JSON.parse(line) as { t: number; conn?: string };
      if (conn === undefined) return [line];
      const { src, ...said } = rest as { src?: string };
      return [line, JSON.stringify({ t: t + 1, src, conn: 'test.2', ...said })];
    });
    expect((await learn([header, ...both])).fits[0].microprice).toEqual(
      (await learn([header, ...lines])).fits[0].microprice,
    );
  });

  test('stopped, it learns no other tape', async () => {
    const [one, other] = [begin(), begin()];
    walk(one, false, 200);
    walk(other, false, 200);
    const notes: string[] = [];
    const told = { damage: () => {}, note: (text: string) => void notes.push(text) };
    const stopped = new AbortController();
    stopped.abort();
    const flows = [flowOf(one.tape.lines), flowOf(other.tape.lines)];
    const fits = await fitMarkets(flows, { window: SECOND, levels: 2, signal: stopped.signal, ...told });
    expect(fits.map(({ src }) => src)).toEqual(['binance-usdm:BTCUSDT']);
  });

  test('where nothing can be learnt, it says why', async () => {
    const market = begin();
    walk(market, false, 20);
    const { fits, notes } = await learn(market.tape.lines);
    expect(fits).toMatchObject([{ microprice: null, ofi: null }]);
    expect(notes).toEqual([
      'binance-usdm:BTCUSDT: no microprice: too few changes of the touch, or it never went from side to side',
      'binance-usdm:BTCUSDT: no weights of levels: too few whole windows, or nothing happened in them',
    ]);
    const empty = await learn(new TapeBuilder().trade(1, 1000, 1).lines);
    expect(empty).toEqual({ fits: [], notes: ['binance-usdm:BTCUSDT: nothing is learnt: there is no valid book'] });
  });
});
