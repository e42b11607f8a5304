/** The three tests of an aggression on scripted tapes: noise passes none, a drive through the book all, a wall stalls it. */
import { describe, expect, test } from 'vitest';
import type { Confirm, Signal } from '../../src/model/signal.js';
import { type Level, type Scanned, SECOND, scanLines, TapeBuilder } from '../scan/tape-builder.js';
import { ASK, BID, LevelStory } from './level-story.js';

const given = {
  detect: ['tape-imbalance'],
  warmup: SECOND,
  set: ['tape-imbalance.quantile=0', 'tape-imbalance.groups=3', 'tape-imbalance.window=2s'],
};
const MIRROR = 2001;

/** A script in both directions: prices mirrored, sides swapped. */
class Script {
  readonly tape = new TapeBuilder();
  readonly #side: 1 | -1;

  constructor(side: 1 | -1) {
    this.#side = side;
  }

  #levels(levels: readonly Level[]): Level[] {
    return this.#side > 0 ? [...levels] : levels.map(([price, size]): Level => [MIRROR - price, size]);
  }

  book(bids: readonly Level[], asks: readonly Level[], whole = false): this {
    const [b, a] = this.#side > 0 ? [bids, asks] : [asks, bids];
    if (whole) this.tape.snapshot(this.#levels(b), this.#levels(a));
    else this.tape.depth(this.#levels(b), this.#levels(a));
    return this;
  }

  trade(price: number, size: number): this {
    this.tape.trade(this.#side, this.#side > 0 ? price : MIRROR - price, size);
    return this;
  }

  wait(micros: number): this {
    this.tape.wait(micros);
    return this;
  }
}

/** Around 100.0, within and beyond ten bps. */
const side = (first: number, step: number, size: number, count = 8): Level[] =>
  Array.from({ length: count }, (_, i): Level => [first + i * step, size]);

const confirms = ({ signals }: Scanned, phase: Signal['phase']): Confirm[] =>
  signals.flatMap((signal) => (signal.phase === phase && signal.confirm !== undefined ? [signal.confirm] : []));

describe.each([1, -1] as const)('aggressor %i', (aggressor) => {
  test('a little into a deep book that does not move passes none', async () => {
    const script = new Script(aggressor).book(side(1000, -1, 5000), side(1001, 1, 5000), true);
    // two seconds of silence, so that only what comes now counts
    script.wait(4 * SECOND).book([[999, 5001]], []);
    for (let i = 0; i < 3; i++) script.wait(100_000).trade(1001, 1);
    for (let i = 0; i < 40; i++) script.wait(100_000).book([[990, 10 + i]], []);
    const scanned = await scanLines(script.tape.lines, { ...given, set: [...given.set, 'tape-imbalance.hold=0s'] });
    expect(confirms(scanned, 'onset')[0]).toMatchObject({ size: false, duration: false, reaction: null, stall: null });
    const [confirm] = confirms(scanned, 'update');
    expect(confirm).toMatchObject({ size: false, duration: false, reaction: false, reaction_ticks: 0, stall: false });
  });

  test('a drive of two seconds through the book passes all', async () => {
    const script = new Script(aggressor).book(side(1000, -1, 20), side(1001, 1, 20, 30), true).wait(5 * SECOND);
    for (let i = 0; i < 30; i++) {
      script.wait(80_000).trade(1001 + (i >> 1), 10);
      script.wait(40_000).book(i % 2 === 1 ? [[1001 + (i >> 1), 20]] : [], [[1001 + (i >> 1), i % 2 === 1 ? 0 : 10]]);
    }
    for (let i = 0; i < 15; i++) script.wait(100_000).book([[990, 10 + i]], []);
    const scanned = await scanLines(script.tape.lines, { ...given, set: [...given.set, 'tape-imbalance.hold=2s'] });
    expect(confirms(scanned, 'onset')[0]).toMatchObject({ size: true, duration: true, reaction: null });
    const [confirm] = confirms(scanned, 'update');
    expect(confirm).toMatchObject({ size: true, duration: true, reaction: true, stall: false });
    expect(confirm.same_side_share).toBe(1);
    expect(confirm.reaction_ticks).toBeGreaterThanOrEqual(1);
  });

  test('a drive that the book takes without moving stalls', async () => {
    const script = new Script(aggressor).book(side(1000, -1, 20), side(1001, 1, 20), true).wait(5 * SECOND);
    for (let i = 0; i < 40; i++)
      script
        .wait(100_000)
        .trade(1001, 6)
        .book([], [[1008, 20 + (i % 2)]]);
    const scanned = await scanLines(script.tape.lines, { ...given, set: [...given.set, 'tape-imbalance.hold=2s'] });
    const [confirm] = confirms(scanned, 'update');
    expect(confirm).toMatchObject({ size: true, duration: true, reaction: false, stall: true });
  });
});

test('the price has to go a quarter of the way that such a volume usually moves it', async () => {
  // for a minute and a half each unit bought moves the mid by a tick, and back again when it is sold
  const script = new Script(1).book(side(1000, -1, 100, 60), side(1001, 1, 100, 60), true);
  for (let i = 0; i < 90; i++) {
    const up = i % 2 === 0;
    script.tape.wait(SECOND / 2).trade(up ? 1 : -1, 1001, 1);
    script.book(up ? [[1001, 100]] : [[1001, 0]], up ? [[1001, 0]] : [[1001, 100]]).wait(SECOND / 2);
  }
  // 18 or so in two seconds: four to five ticks are asked for
  for (let i = 0; i < 28; i++) script.wait(100_000).trade(1001, 1);
  for (let up = 1; up <= 3; up++) script.wait(100_000).book([[1000 + up, 100]], [[1000 + up, 0]]);
  for (let i = 0; i < 15; i++) script.wait(100_000).book([[990, 10 + i]], []);
  const scanned = await scanLines(script.tape.lines, {
    ...{ detect: ['tape-imbalance'], warmup: 60 * SECOND },
    set: ['tape-imbalance.quantile=0', 'tape-imbalance.window=2s', 'tape-imbalance.hold=2s'],
  });
  const [confirm] = confirms(scanned, 'update');
  expect(confirm.reaction_asked_ticks).toBeGreaterThan(3);
  expect(confirm.reaction_asked_ticks).toBeLessThan(6);
  expect(confirm).toMatchObject({ reaction: false, reaction_ticks: 3 });
});

test('what ends before a second has passed is not judged, nor is what a gap cuts', async () => {
  const script = new Script(1).book(side(1000, -1, 20), side(1001, 1, 20), true).wait(5 * SECOND);
  for (let i = 0; i < 12; i++) script.wait(100_000).trade(1001, 6);
  script.tape.wait(1000).trade(1, 1001, 1, { lost: 1 });
  for (let i = 0; i < 15; i++) script.wait(100_000).book([[990, 10 + i]], []);
  const scanned = await scanLines(script.tape.lines, { ...given, set: [...given.set, 'tape-imbalance.hold=900ms'] });
  expect(scanned.signals.map(({ phase, reason }) => reason ?? phase)).toEqual(['onset', 'gap']);
  expect(scanned.signals[1].confirm?.reaction).toBeNull();
});

test.each([0, 1, 3])(
  'the depth that fell is that of the prices before, though the bids follow by %d ticks',
  async (follows) => {
    const story = new LevelStory({ quiet: 1 }).smallOrders().quiet(6);
    // of ten levels of 10 within 10 bps three go, 24 of them traded
    for (let i = 0; i < 3; i++) story.buy(ASK + i, 8);
    const bids = Array.from({ length: follows }, (_, i): Level => [BID + 1 + i, 10]);
    story.pause(50).book(
      bids,
      [0, 1, 2].map((i): Level => [ASK + i, 0]),
    );
    const [{ confirm }] = (await story.scan('sweep', [])).signals;
    expect(confirm).toMatchObject({ size: true, depth_fell: 0.3 });
  },
);

test.each([
  ['at the last moment of the reaction', SECOND - 1, [null, false]],
  ['when the reaction is known', SECOND, [false]],
])('an update of the rule %s: one line a moment, and none takes a verdict back', async (_, pause, reactions) => {
  const script = new Script(1).book(side(1000, -1, 20), side(1001, 1, 20), true).wait(5 * SECOND);
  script.tape.trade(-1, 1000, 2);
  for (let i = 0; i < 2; i++) script.wait(100_000).trade(1001, 4);
  // the onset was the line before; the next trade makes more of it, and its second is over or is not
  script.wait(pause).trade(1001, 20);
  for (let i = 0; i < 5; i++) script.wait(100_000).book([[990, 10 + i]], []);
  const { signals } = await scanLines(script.tape.lines, { ...given, set: [...given.set, 'tape-imbalance.hold=0s'] });
  const [onset, ...updates] = signals.filter(({ phase }) => phase === 'onset' || phase === 'update');
  expect([onset.phase, onset.score, onset.confirm?.reaction]).toEqual(['onset', 0.6, null]);
  expect(updates.map(({ score }) => score)).toEqual(reactions.map(() => 0.866667));
  expect(updates.map(({ confirm }) => confirm?.reaction)).toEqual(reactions);
  expect(new Set(signals.map(({ time }) => time)).size).toBe(signals.length);
});
