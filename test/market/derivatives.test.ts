/** What is known of a contract beside its market, and for how long; how it stands in a signal's context. */
import { describe, expect, it, test } from 'vitest';
import { Derivatives } from '../../src/market/derivatives.js';
import { Derivative, EVENT_STRIDE, Field } from '../../src/model/event.js';
import type { Scale } from '../../src/model/instrument.js';
import type { Context } from '../../src/model/signal.js';
import { ladder, MINUTE, SECOND, START, scanLines, TapeBuilder } from '../scan/tape-builder.js';

const scale: Scale = { price: 3, size: 5 };
const LOOKBACK = 2 * MINUTE;
const T = START;

interface Values {
  mark?: number;
  index?: number;
  funding?: number;
  next?: number;
  interest?: number;
}

function recordOf({ mark, index, funding, next, interest }: Values): Float64Array {
  const e = new Float64Array(EVENT_STRIDE);
  e[Derivative.MARK] = mark ?? Number.NaN;
  e[Derivative.INDEX] = index ?? Number.NaN;
  e[Derivative.FUNDING] = funding ?? Number.NaN;
  e[Derivative.NEXT_FUNDING] = next ?? Number.NaN;
  e[Derivative.OPEN_INTEREST] = interest ?? Number.NaN;
  return e;
}

function liquidationOf(side: 1 | -1, size: number): Float64Array {
  const e = new Float64Array(EVENT_STRIDE);
  e[Field.SIDE] = side;
  e[Field.SIZE] = size;
  return e;
}

describe('a value', () => {
  it('stands until it is said anew; what is not said changes nothing, and zero is a value', () => {
    const state = new Derivatives(scale, LOOKBACK);
    expect(state.mark.at(T)).toBeNaN();
    state.say(T, recordOf({ mark: 10, funding: -5 }), 0);
    state.say(T + 7, recordOf({ index: 20, interest: 3 }), 0);
    state.say(T + 9, recordOf({ interest: 0 }), 0);
    expect([state.mark.at(T + 9), state.funding.at(T + 9), state.index.at(T + 9)]).toEqual([10, -5, 20]);
    expect([state.openInterest.at(T + 9), state.nextFunding.at(T + 9)]).toEqual([0, Number.NaN]);
  });

  it('that was said a look-back ago is not known any more', () => {
    const state = new Derivatives(scale, LOOKBACK);
    state.say(T, recordOf({ mark: 10 }), 0);
    expect([state.mark.at(T + LOOKBACK - 1), state.mark.at(T + LOOKBACK)]).toEqual([10, Number.NaN]);
    state.say(T + LOOKBACK, recordOf({ mark: 10 }), 0);
    expect(state.mark.at(T + LOOKBACK)).toBe(10);
  });

  it('is forgotten where messages may be missing', () => {
    const state = new Derivatives(scale, LOOKBACK);
    state.say(T, recordOf({ mark: 10, index: 1, funding: 1, next: 1, interest: 1 }), 0);
    state.liquidate(T, liquidationOf(1, 100), 0);
    state.clear();
    const values = [state.mark, state.index, state.funding, state.nextFunding, state.openInterest];
    expect(values.map((value) => value.at(T))).toEqual(values.map(() => Number.NaN));
    expect(state.context(T)).toBeUndefined();
    state.say(T + 1, recordOf({ mark: 250_000_000 }), 0);
    expect(state.context(T + 1)).toEqual({ mark: 2.5 });
  });
});

describe('the context', () => {
  it('holds decimals of what is known, and nothing else', () => {
    const state = new Derivatives(scale, LOOKBACK);
    expect(state.context(T)).toBeUndefined();
    const next = 1_700_006_400_000_000;
    state.say(T, recordOf({ mark: 2_814_727_373_413, funding: -275_400_000_000, next, interest: 5_200_012_300 }), 0);
    expect(state.context(T)).toEqual({
      ...{ mark: 28147.27373413, funding: -0.00002754, next_funding: '2023-11-15T00:00:00.000000Z' },
      ...{ open_interest: 52000.123 },
    });
    state.say(T + 1, recordOf({ index: 2_815_975_642_857 }), 0);
    expect(Object.keys(state.context(T + 1) ?? {})).toEqual([
      'mark',
      'index',
      'funding',
      'next_funding',
      'open_interest',
    ]);
    expect(state.context(T + LOOKBACK)).toEqual({ index: 28159.75642857 });
    expect(state.context(T + LOOKBACK + 1)).toBeUndefined();
  });

  it('sums the liquidations of the last minute by the side of the orders', () => {
    const state = new Derivatives(scale, LOOKBACK);
    state.liquidate(T, liquidationOf(1, 100_000), 0);
    state.liquidate(T + SECOND, liquidationOf(-1, 250_000), 0);
    state.liquidate(T + SECOND, liquidationOf(-1, 1), 0);
    expect(state.context(T + SECOND)).toEqual({ liquidated_buy: 1, liquidated_sell: 2.50001 });
    expect(state.context(T + MINUTE)).toEqual({ liquidated_buy: 0, liquidated_sell: 2.50001 });
    expect(state.context(T + MINUTE + SECOND)).toBeUndefined();
  });

  it('the forced orders of one side can be counted', () => {
    const state = new Derivatives(scale, LOOKBACK);
    const [buys, sells] = [1, -1].map((side) => state.liquidationsOf(side, 10 * SECOND));
    expect(state.liquidationsOf(-1, 10 * SECOND)).toBe(sells);
    for (const [after, side, size] of [
      [0, -1, 7],
      [SECOND, 1, 5],
      [2 * SECOND, -1, 3],
    ] as const)
      state.liquidate(T + after, liquidationOf(side, size), 0);
    for (const window of [buys, sells]) window.expire(T + 3 * SECOND);
    expect([buys.count, buys.buy, sells.count, sells.sell, sells.firstT]).toEqual([1, 5, 2, 10, T]);
    sells.expire(T + 10 * SECOND);
    expect([sells.count, sells.sell]).toEqual([1, 3]);
    state.clear();
    expect([buys.count, sells.count]).toEqual([0, 0]);
  });

  it('a detector may ask for a span of its own', () => {
    const state = new Derivatives(scale, LOOKBACK);
    const window = state.liquidations(10 * SECOND);
    expect(state.liquidations(10 * SECOND)).toBe(window);
    state.liquidate(T, liquidationOf(1, 7), 0);
    state.liquidate(T + 5 * SECOND, liquidationOf(1, 5), 0);
    window.expire(T + 10 * SECOND);
    expect([window.buy, window.sell, window.count]).toEqual([5, 0, 1]);
  });
});

/** A market with a heavy bid from the start, so that one detector speaks, and what is said beside it. */
function scripted(): TapeBuilder {
  return new TapeBuilder().snapshot(...ladder(1000, 40, 1));
}

const told = async (tape: TapeBuilder) => {
  for (let n = 0; n < 100; n++) tape.wait(SECOND / 10).depth([[1000 - (n % 3), 40 + n]], []);
  const { signals, lines } = await scanLines(tape.lines, { detect: ['book-imbalance'], warmup: SECOND });
  expect(signals.length).toBeGreaterThan(0);
  for (const [n, { context }] of signals.entries())
    expect(lines[n]).toContain(`},"context":${JSON.stringify(context)},"quality":`);
  return signals.map(({ phase, context }) => [phase, besideOf(context)]);
};

/** Of a signal's context, what the venue says beside the market. */
function besideOf(context: Context = {}): Context {
  const names = ['mark', 'index', 'funding', 'next_funding', 'open_interest', 'liquidated_buy', 'liquidated_sell'];
  return Object.fromEntries(Object.entries(context).filter(([name]) => names.includes(name)));
}

test('signals carry it between evidence and quality; tapes without these channels have none', async () => {
  const [[, context]] = await told(
    scripted()
      .mark('100.12345678', { index: '100.2', funding: '-0.0001', next: 1_700_006_400_000 })
      .liquidation(-1, 1000, 3)
      .liquidation(1, 1000, 2, { state: 'NEW' }),
  );
  expect(context).toEqual({
    ...{ mark: 100.12345678, index: 100.2, funding: -0.0001, next_funding: '2023-11-15T00:00:00.000000Z' },
    ...{ liquidated_buy: 0, liquidated_sell: 3 },
  });
  for (const [, none] of await told(scripted())) expect(none).toEqual({});
});

test.each([
  ['of everything', { gap: { stream: '*', from: START, reason: 'restart' } }],
  ['of their channel', { gap: { stream: 'markPrice', from: START, reason: 'silence' } }],
  ['of our own', { drop: { count: 1, reason: 'x' } }],
  ['of the connection it came by', { conn: 'test.2', close: { code: 1006, reason: '' } }],
])('a loss %s takes it away', async (_, entry) => {
  const tape = scripted().mark('100.5');
  // futures push it on a route of its own
  tape.lines.push(String(tape.lines.pop()).replace('"test.1"', '"test.2"'));
  tape.entry(entry);
  if ('close' in entry) tape.clock();
  else if ('drop' in entry || entry.gap.stream === '*') tape.snapshot(...ladder(1000, 40, 1));
  for (const [, context] of await told(tape)) expect(context).toEqual({});
});

test('a loss of the book alone does not', async () => {
  const tape = scripted()
    .mark('100.5')
    .entry({ gap: { stream: 'depth', from: START, reason: 'damage' } });
  const [[, context]] = await told(tape.snapshot(...ladder(1000, 40, 1)));
  expect(context).toEqual({ mark: 100.5 });
});
