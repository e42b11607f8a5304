/** tape-imbalance on scripted tapes with known answers. */
import { describe, expect, test } from 'vitest';
import tapeImbalance from '../../src/signals/tape-imbalance.js';
import { SECOND, scanLines, summary, TapeBuilder } from '../scan/tape-builder.js';

const detect = ['tape-imbalance'];

/** Two minutes of small even trading: what is usual. */
function calm(tape = new TapeBuilder()): TapeBuilder {
  for (let i = 0; i < 240; i++) tape.wait(SECOND / 2).trade(i % 2 === 0 ? 1 : -1, 1000, 1);
  return tape;
}

/** Buys of 10 against sells of 1, `seconds` long. */
function burst(tape: TapeBuilder, side: 1 | -1, seconds: number): TapeBuilder {
  for (let i = 0; i < seconds * 2; i++) {
    tape.wait(SECOND / 2).trade(side, 1000, 10);
    tape.wait(1000).trade(-side as 1 | -1, 1000, 1);
  }
  return tape;
}

describe('events', () => {
  test('500 against 50 is 0.818, by time and by groups', async () => {
    for (const side of [1, -1] as const) {
      const tape = burst(calm(), side, 12);
      for (let i = 0; i < 20; i++) tape.wait(SECOND / 2).clock();
      const scanned = await scanLines(tape.lines, { detect });
      const word = side > 0 ? 'buy' : 'sell';
      expect(scanned.signals.map(({ phase, side: is, reason }) => [phase, is, reason])).toEqual([
        ['onset', word, undefined],
        ['end', word, 'faded'],
      ]);
      const [{ score, evidence, price }] = scanned.signals;
      expect(price).toBe(100);
      expect(evidence.groups_imbalance).toBe(side * 0.818182);
      expect(score).toBe(
        Math.abs(Number(evidence.imbalance)) < 0.818182 ? Math.abs(Number(evidence.imbalance)) : 0.818182,
      );
      expect(evidence.volume_gate).toBe(10);
    }
  });

  test('the score is counted in the direction of the side, and the manual says so', async () => {
    for (const side of [1, -1] as const) {
      const tape = burst(burst(calm(), side, 8), -side as 1 | -1, 3);
      const { signals } = await scanLines(tape.lines, { detect });
      const { score, evidence } = signals.filter(({ phase }) => phase === 'end')[0];
      expect(score).toBeLessThan(0);
      expect(score).toBe(-Math.min(...[evidence.imbalance, evidence.groups_imbalance].map((T) => Math.abs(Number(T)))));
    }
    expect(tapeImbalance.meaning.score).toBe(
      'the T that decides, counted in the direction of the side: below zero where it has turned',
    );
  });

  test('also of an end the one nearer to zero decides, and none where they have opposite signs', async () => {
    for (const side of [1, -1] as const) {
      // buys stop: over the time there is still more bought, of the last orders all were sold
      const tape = burst(calm(), side, 8);
      for (let i = 0; i < 30; i++) tape.wait(SECOND / 10).trade(-side as 1 | -1, 1000, 1);
      const [{ score, evidence }] = (await scanLines(tape.lines, { detect })).signals.filter(
        ({ phase }) => phase === 'end',
      );
      expect(Math.sign(Number(evidence.imbalance))).toBe(side);
      expect(Math.abs(Number(evidence.imbalance))).toBeLessThan(0.4);
      expect(evidence.groups_imbalance).toBe(-side);
      expect(score).toBe(0);
    }
  });

  test('one order filled against ten makers is not ten orders', async () => {
    const one = calm();
    for (let i = 0; i < 24; i++) {
      one.wait(SECOND / 2);
      // ten prints of one order to buy, then an order to sell: by prints 10 to 1, by groups even
      for (let k = 0; k < 10; k++) one.trade(1, 1000, 1, { matched: 1_700_000_000_000 + i });
      one.wait(1000).trade(-1, 1000, 10);
    }
    expect((await scanLines(one.lines, { detect })).signals).toEqual([]);
  });

  test('a quiet tape says nothing, however one-sided', async () => {
    const tape = calm();
    for (let i = 0; i < 20; i++) tape.wait(SECOND).trade(1, 1000, 1);
    expect((await scanLines(tape.lines, { detect })).signals).toEqual([]);
  });

  test('nothing before the baseline is warm', async () => {
    expect((await scanLines(burst(new TapeBuilder(), 1, 40).lines, { detect })).signals).toEqual([]);
  });

  test('a balanced tape says nothing', async () => {
    const tape = calm();
    for (let i = 0; i < 60; i++) tape.wait(SECOND / 4).trade(i % 2 === 0 ? 1 : -1, 1000, 50);
    expect((await scanLines(tape.lines, { detect })).signals).toEqual([]);
  });

  test('missing trades end it with reason gap, and the baseline warms up anew', async () => {
    const tape = burst(calm(), 1, 8);
    tape.wait(1000).trade(1, 1000, 10, { lost: 2 });
    burst(tape, 1, 40);
    const scanned = await scanLines(tape.lines, { detect });
    expect(summary(scanned).map((line) => line.split(' ').slice(2).join(' '))).toEqual(['onset buy', 'end buy gap']);
  });

  test('after missing trades only trades behind them count', async () => {
    const tape = burst(calm(), 1, 8);
    const gap = tape.t;
    tape.trade(1, 1000, 10, { lost: 2 });
    for (let i = 0; i < 20; i++) tape.wait(SECOND / 2).trade(i % 2 === 0 ? 1 : -1, 1000, 1);
    burst(tape, 1, 10);
    const scanned = await scanLines(tape.lines, { detect, warmup: 2 * SECOND, set: ['tape-imbalance.quantile=0'] });
    const onsets = scanned.signals.filter(({ phase }) => phase === 'onset');
    expect(onsets).toHaveLength(2);
    expect(onsets[1].evidence.first).toBeGreaterThanOrEqual(gap);
    expect(onsets[1].evidence.last - gap).toBeGreaterThan(5 * SECOND);
  });

  test('many orders do not make up for the time a baseline needs', async () => {
    const tape = new TapeBuilder();
    for (let i = 0; i < 1300; i++) {
      const at = i / 20;
      tape.wait(SECOND / 20).trade(at < 30 && i % 2 === 0 ? -1 : 1, 1000, at < 30 ? 1 : 10);
    }
    const { signals } = await scanLines(tape.lines, { detect });
    expect(Number(signals[0].evidence.last) - Number(tape.lines[1].slice(5, 21))).toBeGreaterThanOrEqual(60 * SECOND);
  });

  test('prints that are not order flow do not count', async () => {
    const tape = calm();
    for (let i = 0; i < 24; i++) tape.wait(SECOND / 2).trade(1, 1000, 10, { kind: 'INSURANCE_FUND' });
    expect((await scanLines(tape.lines, { detect })).signals).toEqual([]);
  });

  test('by time alone, an absolute gate serves in place of a baseline quantile of zero', async () => {
    const set = ['tape-imbalance.basis=time', 'tape-imbalance.quantile=0', 'tape-imbalance.volume=200'];
    expect((await scanLines(burst(calm(), 1, 12).lines, { detect, set })).signals).toEqual([]);
    const lower = [...set.slice(0, 2), 'tape-imbalance.volume=100'];
    expect((await scanLines(burst(calm(), 1, 12).lines, { detect, set: lower })).signals.length).toBeGreaterThan(0);
  });
});
