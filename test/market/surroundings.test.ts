/** Regime, higher timeframe and session, as signals tell of them: known answers on scripted tapes, and nothing from the future. */
import { describe, expect, test } from 'vitest';
import { isWeekend, sessionAt, sessionSpan } from '../../src/market/session.js';
import type { Context, Evidence } from '../../src/model/signal.js';
import { formatTime } from '../../src/model/time.js';
import { ladder, MINUTE, SECOND, START, scanLines, TapeBuilder, type TestSettings } from '../scan/tape-builder.js';

/** A book that leans one way and then the other every few seconds makes a detector speak: its lines carry the context. */
const chatty: TestSettings = {
  detect: ['book-imbalance'],
  warmup: 20 * SECOND,
  baseline: MINUTE * 2,
  htf: MINUTE,
  set: ['book-imbalance.window=100ms', 'book-imbalance.hold=0s', 'book-imbalance.levels=1'],
};

/** Time from the start in seconds, and the context then. */
async function contexts(tape: TapeBuilder): Promise<[number, Context][]> {
  const { signals } = await scanLines(tape.lines, chatty);
  return signals.map(({ time, context = {} }) => [(Date.parse(time) * 1000 - START) / SECOND, context]);
}

const regimeOf = (context: Context): Evidence => (context.regime ?? {}) as Evidence;

interface Second {
  /** bid in ticks */
  bid: number;
  depth?: number;
  trades?: [side: 1 | -1, size: number][];
}

/** One second after the other: the book stands at `bid` and `bid + 1`, and leans to one side in turns. */
function play(seconds: number, at: (second: number) => Second): TapeBuilder {
  const tape = new TapeBuilder();
  const { bid: first, depth: firstDepth = 50 } = at(0);
  // known as far as the market will go
  tape.snapshot(...ladder(first, firstDepth, firstDepth, 400));
  let before = first;
  for (let n = 1; n <= seconds; n++) {
    tape.t = START + n * SECOND + 1000;
    const { bid, depth = 50, trades = [] } = at(n);
    for (const [side, size] of trades) tape.trade(side, bid, size);
    const gone = (sign: number, from: number): [number, number][] =>
      Array.from({ length: 20 }, (_, i) => [from + sign * i, 0]);
    const [bids, asks] = ladder(bid, depth, depth, 20);
    bids[0][1] = n % 4 < 2 ? depth * 4 : depth;
    asks[0][1] = n % 4 < 2 ? depth : depth * 4;
    const merge = (old: [number, number][], now: [number, number][]) => [...new Map([...old, ...now])];
    tape.depth(merge(gone(-1, before), bids), merge(gone(1, before + 1), asks));
    before = bid;
  }
  return tape;
}

describe('regime', () => {
  test('ten times the volume, or the depth, is high, and a tenth is low; what is even is normal', async () => {
    const tape = play(400, (n) => ({
      bid: 1000,
      depth: n < 300 ? 50 : 500,
      trades: [[n % 2 === 0 ? 1 : -1, n < 200 ? 10 : n < 300 ? 100 : 1]],
    }));
    const all = await contexts(tape);
    const within = (from: number, to: number) => all.filter(([s]) => s >= from && s < to).map(([, c]) => regimeOf(c));
    // before there is a baseline nothing is said
    for (const axes of within(0, 20)) expect(axes.activity).toBeUndefined();
    for (const axes of within(60, 200)) expect([axes.activity, axes.liquidity]).toEqual(['normal', 'normal']);
    expect(within(216, 230).map(({ activity }) => activity)).toContain('high');
    expect(within(340, 400).map(({ activity }) => activity)).toContain('low');
    expect(within(302, 310).map(({ liquidity }) => liquidity)).toContain('high');
  });

  test('before there are samples nothing is said, however many orders there were', async () => {
    const busy = Array.from({ length: 12 }, (_, i): [1 | -1, number] => [i % 2 === 0 ? 1 : -1, 5]);
    const all = await contexts(play(120, (n) => ({ bid: 1000 + (n % 2), trades: busy })));
    const axes = (from: number, to: number) => all.filter(([s]) => s >= from && s < to).map(([, c]) => regimeOf(c));
    // twenty samples, each of a quarter of a minute that had passed before it counted; of the mid that needs one more
    expect(axes(20, 34).length).toBeGreaterThan(5);
    for (const { activity, volatility, liquidity } of axes(20, 34))
      expect([activity, volatility, liquidity]).toEqual([undefined, undefined, undefined]);
    for (const { volatility } of axes(34, 50)) expect(volatility).toBeUndefined();
    for (const { activity, volatility, liquidity } of axes(55, 120))
      expect([activity, volatility, liquidity]).toEqual(['normal', 'normal', 'normal']);
  });

  test('a mid that swings five times as far is volatile within the window it is measured over', async () => {
    const all = await contexts(play(260, (n) => ({ bid: 1000 + (n % 2) * (n < 200 ? 1 : 5) })));
    const volatility = (from: number, to: number) =>
      all.filter(([s]) => s >= from && s < to).map(([, context]) => regimeOf(context).volatility);
    for (const label of volatility(60, 200)) expect(label).toBe('normal');
    expect(volatility(216, 240)).toContain('high');
  });

  test('a label stands half a minute at least', async () => {
    // a rush now and then, each larger than the one before
    const all = await contexts(play(400, (n) => ({ bid: 1000, trades: [[1, n % 53 < 9 ? 100 + n : 1 + (n % 5)]] })));
    const changes: number[] = [];
    let label: unknown;
    for (const [second, context] of all) {
      const { activity } = regimeOf(context);
      if (activity === undefined || activity === label) continue;
      label = activity;
      changes.push(second);
    }
    expect(changes.length).toBeGreaterThan(3);
    // lines come at times, so a change may be seen a few seconds late
    for (let i = 1; i < changes.length; i++) expect(changes[i] - changes[i - 1]).toBeGreaterThan(25);
  });

  test('a walk in one direction goes up, there and back again ranges', async () => {
    const all = await contexts(play(200, (n) => ({ bid: n < 100 ? 1000 + n : 1100 - ((n >> 1) % 5) })));
    const direction = (from: number, to: number) =>
      new Set(all.filter(([s]) => s >= from && s < to).map(([, context]) => regimeOf(context).direction));
    expect(direction(68, 100)).toEqual(new Set(['up']));
    expect(direction(180, 200).has('up')).toBe(false);
  });
});

describe('higher timeframe', () => {
  test('the trend is that of the last closed bar; the open one stands beside it as developing', async () => {
    const all = await contexts(
      play(200, (n) => ({ bid: 1000 + (n < 120 ? n : 240 - n), trades: [[n < 120 ? 1 : -1, 2]] })),
    );
    const at = (from: number, to: number) => all.filter(([s]) => s >= from && s < to).map(([, context]) => context);
    for (const context of at(0, 60)) expect(context.trend).toBeUndefined();
    for (const context of at(122, 180)) {
      expect(context).toMatchObject({ trend: 'up', htf: { bar_ms: 60_000, delta: 120 } });
      expect((context.htf as Evidence).developing_delta).toBeLessThan(0);
    }
    for (const context of at(182, 200)) expect(context).toMatchObject({ trend: 'down', htf: { delta: -120 } });
  });

  test('the developing bar goes as far as the mid stands when a signal is said, within a second too', async () => {
    const tape = play(150, () => ({ bid: 1000, trades: [[1, 2]] }));
    // five ticks up, and bids are heavy now
    tape.wait(SECOND / 4).depth(
      [[1005, 200]],
      Array.from({ length: 5 }, (_, i) => [1001 + i, 0]),
    );
    tape.wait(SECOND / 4).clock();
    const { signals } = await scanLines(tape.lines, chatty);
    const [{ price, context }] = signals.filter(({ phase }) => phase === 'onset').slice(-1);
    const htf = context?.htf as Evidence;
    expect(price).toBe(100.55);
    expect(htf.developing_move_bps).toBeCloseTo((5 / 1000.5) * 1e4, 5);
  });

  test('a signal against it carries an elevated risk', async () => {
    const { signals } = await scanLines(play(200, (n) => ({ bid: 1000 + n, trades: [[1, 2]] })).lines, chatty);
    const known = signals.filter(({ context }) => context?.trend !== undefined);
    expect(new Set(known.map(({ side }) => side)).size).toBe(2);
    for (const { side, context } of known)
      expect([context?.alignment, context?.risk]).toEqual(
        side === 'buy' ? ['with', undefined] : ['against', 'elevated'],
      );
  });

  test('a bar with a gap in it is not known', async () => {
    const tape = play(130, (n) => ({ bid: 1000 + n, trades: [[1, 2]] }));
    const gap = { t: START + 90 * SECOND, src: tape.src, gap: { stream: 'trade', from: START, reason: 'silence' } };
    const at = tape.lines.findIndex((line) => Number(line.slice(5, 21)) > gap.t);
    const { signals } = await scanLines(tape.lines.toSpliced(at, 0, JSON.stringify(gap)), chatty);
    const behind = signals.filter(({ time }) => time > formatTime(gap.t));
    expect(behind.length).toBeGreaterThan(5);
    for (const { context } of behind) expect(context?.trend).toBeUndefined();
  });
});

describe('a silence', () => {
  /** Twelve minutes that rise, nothing for so long, with or without a clock, and a minute in which the book leans to one side and the other. */
  function across(minutes: number, clocks: boolean): TapeBuilder {
    const tape = play(12 * 60, (n) => ({ bid: 1000 + Math.floor(n / 3) + (n % 2), trades: [[1, 10]] }));
    const bid = 1000 + 240;
    const lean = (second: number): void => {
      const [more, less] = second % 8 < 4 ? [200, 50] : [50, 200];
      tape.depth([[bid, more]], [[bid + 1, less]]);
    };
    tape.depth([[bid, 50]], [[bid + 1, 50]]);
    const resumed = START + (12 + minutes) * MINUTE;
    if (clocks) while (tape.t < resumed - SECOND) tape.wait(SECOND).clock();
    for (let n = 1; n <= 60; n++) {
      tape.t = resumed + n * SECOND + 1000;
      lean(n);
    }
    return tape;
  }

  const behind = async (tape: TapeBuilder, minutes: number, given: TestSettings): Promise<Context[]> => {
    const { signals } = await scanLines(tape.lines, { ...chatty, ...given });
    const resumed = START + (12 + minutes) * MINUTE;
    // what was open ends with the first word, whenever that comes
    const onsets = signals.filter(({ phase, time }) => phase === 'onset' && Date.parse(time) * 1000 >= resumed);
    return onsets.map(({ context = {} }) => context);
  };

  test.each([
    ['5m', 6.5],
    ['5m', 18.5],
    ['5m', 40],
    ['1m', 18.5],
    ['15m', 18.5],
    ['15m', 50],
  ])('with bars of %s, %d minutes without a word say what they do with a clock', async (htf, minutes) => {
    const given = { baseline: MINUTE * 5, htf: Number.parseInt(htf, 10) * MINUTE };
    const silent = await behind(across(minutes, false), minutes, given);
    expect(silent.length).toBeGreaterThan(5);
    expect(silent).toEqual(await behind(across(minutes, true), minutes, given));
  });

  test('a bar that lies in it is flat, and nothing is said of trades before it', async () => {
    const given = { baseline: MINUTE * 5, htf: MINUTE * 5 };
    for (const context of await behind(across(18.5, false), 18.5, given))
      expect(context).toMatchObject({ trend: 'flat', alignment: 'neutral', htf: { delta: 0, move_bps: 0 } });
  });
});

test('a session is a part of the day, and the weekend Saturday and Sunday, UTC', () => {
  const at = (text: string): number => Date.parse(text) * 1000;
  const hours = ['00:00', '06:59', '07:00', '12:59', '13:00', '20:59', '21:00', '23:59'];
  expect(hours.map((hour) => sessionAt(at(`2026-11-27T${hour}:59Z`)))).toEqual([
    ...['asia', 'asia', 'europe', 'europe', 'us', 'us', 'late', 'late'],
  ]);
  const spans = hours.map((hour) => sessionSpan(at(`2026-11-27T${hour}:59Z`)));
  const [first, second, third, fourth] = ['00:00', '07:00', '13:00', '21:00'].map((hour) =>
    at(`2026-11-27T${hour}:00Z`),
  );
  const asked = [first, second, third, fourth].flatMap((start) => [start, start]);
  expect(spans.map(({ start }) => start)).toEqual(asked);
  expect(spans.map(({ end }) => end)).toEqual([...asked.slice(2), ...[0, 0].map(() => at('2026-11-28T00:00:00Z'))]);
  const days = ['2026-11-27T23:59:59Z', '2026-11-28T00:00:00Z', '2026-11-29T23:59:59Z', '2026-11-30T00:00:00Z'];
  expect(days.map((day) => isWeekend(at(day)))).toEqual([false, true, true, false]);
});
