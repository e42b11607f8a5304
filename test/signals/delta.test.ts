/** delta on scripted tapes with known answers, and how it differs from tape-imbalance. */
import { describe, expect, test } from 'vitest';
import type { Signal } from '../../src/model/signal.js';
import { formatTime } from '../../src/model/time.js';
import { MINUTE, SECOND, scanLines, summary, TapeBuilder } from '../scan/tape-builder.js';
import { SecondTape } from './second-tape.js';

const detect = ['delta'];

/** Two buys in the middle of a second, two sells in that of the next: 15 s always hold 2 on balance, and 60 s nothing. */
function calm(tape = new TapeBuilder(), size = 1, seconds = 120): TapeBuilder {
  for (let i = 0; i < seconds; i++) {
    const side = i % 2 === 0 ? 1 : -1;
    tape
      .wait(middle(tape) - tape.t)
      .trade(side, 1000, size)
      .trade(side, 1000, size);
  }
  return tape;
}

/** The middle of the next second. */
const middle = ({ t }: TapeBuilder): number => Math.ceil((t + SECOND / 2) / SECOND) * SECOND - SECOND / 2;

function quiet(tape: TapeBuilder, seconds: number): TapeBuilder {
  for (let i = 0; i < seconds * 4; i++) tape.wait(SECOND / 4).clock();
  return tape;
}

const outline = (signals: readonly Signal[]): string[] =>
  signals
    .filter(({ phase }) => phase !== 'update')
    .map(({ phase, side, reason = '' }) => `${phase} ${side} ${reason}`.trim());

describe.each([
  [1, 'buy'],
  [-1, 'sell'],
] as const)('on side %d', (side, word) => {
  test('the amounts of one event, to the last unit', async () => {
    const tape = quiet(calm(), 20);
    tape.trade(-side as 1 | -1, 999, 1).trade(side, 1001, 5);
    quiet(tape, 2).trade(-side as 1 | -1, 1000, 2);
    const [onset, end, ...more] = (await scanLines(quiet(tape, 20).lines, { detect })).signals;
    expect(more).toEqual([]);
    expect(onset).toMatchObject({ phase: 'onset', side: word, score: 2, price: 100.1, quality: 'verified' });
    expect(onset.evidence).toMatchObject({
      ...{ delta: 4 * side, delta_pct: Number(((4 / 6) * side).toFixed(6)), gate: 2, prints: 2, window_ms: 15_000 },
      ...(side > 0 ? { buy_size: 5, sell_size: 1 } : { buy_size: 1, sell_size: 5 }),
      // on the way it was one on the other side
      ...(side > 0 ? { min_delta: -1, max_delta: 4 } : { min_delta: -4, max_delta: 1 }),
    });
    // the third print was too small to end it; it is over once the others have left the window
    expect(end).toMatchObject({ phase: 'end', side: word, reason: 'faded', score: -1, price: 100 });
    expect(end.evidence).toMatchObject({ delta: -2 * side, gate: 2, prints: 1 });
  });

  test('a large amount among much trading is one here, and no imbalance of the tape', async () => {
    const tape = calm();
    for (let i = 0; i < 20; i++) {
      tape.wait(SECOND / 4).trade(side, 1000, 20);
      tape.wait(SECOND / 4).trade(-side as 1 | -1, 1000, 10);
    }
    const { signals } = await scanLines(tape.lines, { detect: ['delta', 'tape-imbalance'] });
    expect(outline(signals)[0]).toBe(`onset ${word}`);
    expect(new Set(signals.map(({ signal }) => signal))).toEqual(new Set(['delta']));
  });

  test('few orders all of one side are an imbalance of the tape, and none here', async () => {
    const tape = quiet(calm(new TapeBuilder(), 10), 20);
    // 15 s usually hold 20 on balance; here it is 19
    for (let i = 0; i < 19; i++) tape.wait(SECOND / 2).trade(side, 1000, 1);
    const set = ['tape-imbalance.quantile=0'];
    const { signals } = await scanLines(tape.lines, { detect: ['delta', 'tape-imbalance'], set });
    expect(new Set(signals.map(({ signal }) => signal))).toEqual(new Set(['tape-imbalance']));
  });
});

describe('thresholds', () => {
  const one = async (size: number, ...set: string[]): Promise<string[]> => {
    const tape = quiet(calm(), 20).trade(1, 1000, size);
    return outline((await scanLines(quiet(tape, 20).lines, { detect, set })).signals);
  };
  const found = ['onset buy', 'end buy faded'];

  test('the amount must exceed what is usual', async () => {
    expect(await one(2)).toEqual([]);
    expect(await one(2.01)).toEqual(found);
  });

  test('and windows that began before the data did are not what is usual: trading that is always the same starts nothing', async () => {
    const tape = new TapeBuilder();
    for (let i = 0; i < 400; i++) tape.wait(SECOND / 2).trade(1, 1000, 1);
    for (const window of ['15s', '30s', '1m'])
      expect((await scanLines(tape.lines, { detect, set: [`delta.window=${window}`] })).signals, window).toEqual([]);
  });

  test('and the size that is asked for', async () => {
    expect(await one(7, 'delta.size=7')).toEqual([]);
    expect(await one(7, 'delta.size=6.999')).toEqual(found);
  });

  test('and be the least share of the volume, at which it may start', async () => {
    const mixed = async (buy: number, sell: number): Promise<string[]> => {
      const tape = quiet(calm(), 20).trade(1, 1000, buy).trade(-1, 1000, sell);
      return outline((await scanLines(quiet(tape, 20).lines, { detect })).signals);
    };
    expect(await mixed(25, 15)).toEqual(found);
    expect(await mixed(24.9, 15)).toEqual([]);
  });

  test('for the hold', async () => {
    const brief = async (seconds: number): Promise<string[]> => {
      const tape = quiet(quiet(calm(), 20).trade(1, 1000, 10), seconds).trade(-1, 1000, 10);
      return outline((await scanLines(quiet(tape, 5).lines, { detect })).signals);
    };
    expect(await brief(0.75)).toEqual([]);
    expect(await brief(1)).toEqual(found);
  });

  test('nothing is unusual before the baseline is warm, nor where nothing is usual', async () => {
    const early = new TapeBuilder();
    for (let i = 0; i < 50; i++) early.wait(SECOND).trade(1, 1000, 1 + i);
    expect((await scanLines(early.lines, { detect })).signals).toEqual([]);
    expect(
      (await scanLines(quiet(quiet(new TapeBuilder(), 100).trade(1, 1000, 5), 5).lines, { detect })).signals,
    ).toEqual([]);
  });
});

describe('evidence of the past', () => {
  const big = (tape: TapeBuilder): TapeBuilder => quiet(tape.wait(1000).trade(1, 1000, 50), 3);

  test('changes of cumulative delta over a minute and over the baseline, and when counting began', async () => {
    const tape = calm();
    const begin = Number(tape.lines[1].slice(5, 21));
    tape.trade(-1, 1000, 7);
    quiet(tape, 90);
    const early = (await scanLines(big(tape).lines, { detect })).signals.filter(({ side }) => side === 'buy');
    expect(early[0].evidence).toMatchObject({
      cvd_1m: 50,
      cvd_long: null,
      cvd_epoch: formatTime(begin),
      long_ms: 300_000,
    });
    const later = (await scanLines(tape.lines, { detect, baseline: 3 * MINUTE })).signals.filter(
      ({ side }) => side === 'buy',
    );
    // calm came out even, 7 were sold, 50 bought
    expect(later[0].evidence).toMatchObject({ cvd_1m: 50, cvd_long: 43, cvd_epoch: null, long_ms: 180_000 });
  });

  test('behind missing trades the count is a new one', async () => {
    const tape = calm().trade(1, 1000, 1, { lost: 1 });
    const gap = tape.t - 1;
    quiet(tape, 2);
    const given = { detect, warmup: 20 * SECOND };
    const near = (await scanLines(big(calm(tape, 1, 52)).lines, given)).signals;
    expect(near[0].evidence).toMatchObject({ cvd_1m: null, cvd_long: null, cvd_epoch: formatTime(gap), vpin: null });
  });

  test('cumulative delta since the unit began, or since the tape or a gap did', async () => {
    const tape = calm();
    const begin = Number(tape.lines[1].slice(5, 21));
    const onset = async (lines: readonly string[], unit: number): Promise<Signal> =>
      (await scanLines(lines, { detect, unit })).signals.filter(({ side }) => side === 'buy')[0];
    tape.trade(-1, 1000, 7);
    big(tape);
    // calm comes out even
    expect((await onset(tape.lines, 60 * MINUTE)).evidence).toMatchObject({ cvd: 43, cvd_anchor: formatTime(begin) });
    const minute = Math.floor(tape.t / MINUTE) * MINUTE;
    let since = 0;
    for (const line of tape.lines) {
      const { t, msg } = JSON.parse(line) as { t: number; msg?: { data: { q: string; m: boolean } } };
      if (t >= minute && msg !== undefined) since += (msg.data.m ? -1 : 1) * Number(msg.data.q);
    }
    const { evidence } = await onset(tape.lines, MINUTE);
    expect(evidence).toMatchObject({ cvd: since, cvd_anchor: formatTime(minute) });
    const gap = calm().trade(1, 1000, 1, { lost: 1 });
    const behind = gap.t - 1;
    big(calm(quiet(gap, 2), 1, 52));
    const [near] = (await scanLines(gap.lines, { detect, warmup: 20 * SECOND })).signals;
    expect(near.evidence).toMatchObject({ cvd: 51, cvd_anchor: formatTime(behind) });
  });

  test('cumulative delta since the session began, where everything since was read', async () => {
    const europe = Date.parse('2026-11-27T07:00:00Z') * 1000;
    // three minutes from three before the session; then 7 are sold, and 50 bought
    const begin = (): TapeBuilder => quiet(calm(new TapeBuilder({ start: europe - 3 * MINUTE }), 1, 170), 12);
    const session = async (tape: TapeBuilder, unit: number): Promise<unknown[]> => {
      const { signals } = await scanLines(tape.lines, { detect, unit });
      return signals.filter(({ side }) => side === 'buy').map(({ evidence }) => evidence.cvd_session);
    };
    const later = begin().trade(-1, 1000, 7);
    expect(later.t).toBeGreaterThan(europe);
    big(quiet(later, 90));
    expect(await session(later, 24 * 60 * MINUTE)).toEqual([43, 43]);
    expect(await session(later, 60 * MINUTE)).toEqual([43, 43]);
    expect(await session(later, MINUTE)).toEqual([null, null]);
    // begun by time alone: the onset is half a second behind the session's begin, and nothing was traded in it
    const early = calm(new TapeBuilder({ start: europe - 3 * MINUTE }), 1, 178);
    early.wait(europe - SECOND / 2 - early.t).trade(1, 1000, 50);
    expect((await session(quiet(early, 3), 24 * 60 * MINUTE))[0]).toBe(0);
    const lost = begin().trade(1, 1000, 1, { lost: 1 });
    big(calm(quiet(lost, 30), 1, 120));
    expect(await session(lost, 24 * 60 * MINUTE)).toEqual([null, null]);
  });

  test('a recorder that was not running knows of no delta then, though ids go on and an hour began meanwhile', async () => {
    const before = calm();
    const next = new TapeBuilder({ start: before.t + 120 * MINUTE, recorder: 'next' });
    const [, { t: begin }] = [next.wait(SECOND).clock(), JSON.parse(next.lines[1]) as { t: number }];
    next.trade(1, 1000, 1, { lost: 240 });
    big(quiet(calm(next), 20));
    const lines = [...before.lines, ...next.lines];
    const onset = async (given: object): Promise<Signal> =>
      (await scanLines(lines, { detect, ...given })).signals.filter(({ evidence }) => evidence.first > begin)[0];
    const whole = await onset({});
    expect(whole.evidence).toMatchObject({ cvd: 51, cvd_anchor: formatTime(begin), cvd_epoch: formatTime(begin) });
    // what is usual is not learnt from the time between
    expect(await onset({ from: begin })).toEqual(whole);
    expect((await scanLines(next.lines, { detect })).signals[0]).toEqual(whole);
  });

  test('missing trades end a running event', async () => {
    const tape = big(calm()).trade(1, 1000, 1, { lost: 1 });
    expect(
      summary(await scanLines(quiet(tape, 5).lines, { detect })).map((line) => line.split(' ').slice(2).join(' ')),
    ).toEqual(['onset buy', 'end buy gap']);
  });

  test('a lost book costs it lambda only', async () => {
    const tape = new SecondTape();
    for (let i = 0; i < 200; i++) tape.second([4, -4, 8, -8][i % 4], [1, -1, 2, -2][i % 4]);
    tape.second(90, 0).second(0, 0).second(0, 0);
    const given = { detect, set: ['delta.share=0'] };
    const [known] = (await tape.scan(given)).signals;
    const mid = (tape.bid + 0.5) / 10;
    // a tick of 0.1 for four units
    expect(Number(known.evidence.lambda)).toBeCloseTo(((0.025 / mid) * 1e4 * 1e6) / mid, 5);
    expect(known.evidence.lambda_r2).toBe(1);
    tape.tape.depth([], [], { lost: 1 });
    tape.second(0, 0);
    const { signals } = await tape.scan(given);
    expect(signals.filter(({ reason }) => reason === 'gap')).toEqual([]);
    for (let i = 0; i < 20; i++) tape.second(0, 0);
    tape.second(90, 0).second(0, 0).second(0, 0);
    const last = (await tape.scan(given)).signals.filter(({ phase }) => phase === 'onset').at(-1);
    expect(last?.evidence).toMatchObject({ lambda: null, lambda_r2: null, cvd_1m: 180 });
  });

  test('vpin of the whole baseline, once it is full', async () => {
    const tape = calm(new TapeBuilder(), 1, 50);
    const given = { detect, baseline: MINUTE, warmup: 20 * SECOND };
    const vpinOf = async (buckets: number): Promise<unknown> => {
      const set = [`delta.buckets=${buckets}`];
      const { signals } = await scanLines(tape.lines, { ...given, set });
      return signals.filter(({ phase }) => phase === 'onset').at(-1)?.evidence.vpin;
    };
    quiet(tape.trade(1, 1000, 20), 2);
    expect(await vpinOf(1)).toBe(null);
    quiet(calm(tape, 1, 60), 15).trade(-1, 1000, 30);
    quiet(tape, 2);
    // the minute holds 44 seconds of calm, 88 traded and even, then 30 sold
    expect(await vpinOf(1)).toBe(Number((30 / 118).toFixed(6)));
    // buckets of 59: one more bought than sold in the first, the other way round in the second, and the 30
    expect(await vpinOf(2)).toBe(Number((32 / 118).toFixed(6)));
    expect(await vpinOf(118)).toBe(1);
  });
});
