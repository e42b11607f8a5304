/** cvd-divergence on scripted tapes: drifts that nobody trades, trading that moves nothing, turning points, and what is none. */
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../scan/random-tape.js';
import { MINUTE, type Scanned, SECOND, summary } from '../scan/tape-builder.js';
import { SecondTape } from './second-tape.js';

const detect = ['cvd-divergence'];
const slope = { detect, set: ['cvd-divergence.form=slope'] };
const pivot = { detect, set: ['cvd-divergence.form=pivot', 'cvd-divergence.retrace=0'] };

/** Low bars, for a market whose noise is twice what delta does. */
const loose = { seed: 22, noise: 20, seconds: 400 };
const low = ['on=1', 'window=10s', 'retrace=0', 'opposed=0.5', 'hold=1s'].map((one) => `cvd-divergence.${one}`);

const outline = ({ signals }: Scanned): string[] =>
  signals
    .filter(({ phase }) => phase !== 'update')
    .map(({ phase, side, reason = '', evidence }) =>
      `${phase} ${side} ${evidence.form} ${evidence.kind} ${reason}`.trim(),
    );

/** A market whose mid moves by a tick per unit bought, and by noise. */
class Noisy {
  readonly tape: SecondTape;
  readonly #random: () => number;
  readonly #noise: number;

  constructor(seed: number, { mirrored = false, noise = 3 } = {}) {
    this.tape = new SecondTape({ bid: 100_000, mirrored });
    this.#random = randomFrom(seed);
    this.#noise = noise;
  }

  #normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.#random();
    return sum;
  }

  usual(seconds: number, drift = 0): this {
    for (let i = 0; i < seconds; i++) {
      const delta = Math.round(10 * this.#normal());
      this.tape.second(delta + drift, delta + Math.round(this.#noise * this.#normal()), 50);
    }
    return this;
  }

  /** As much bought as sold, and the mid `ticks` higher each second. */
  drift(seconds: number, ticks: number): this {
    for (let i = 0; i < seconds; i++) this.tape.second(0, ticks, 50);
    return this;
  }

  /** `delta` bought each second, and the mid stays. */
  absorb(seconds: number, delta: number): this {
    for (let i = 0; i < seconds; i++) this.tape.second(delta, i % 2 === 0 ? 1 : -1, 50);
    return this;
  }
}

describe.each([
  [false, 'sell'],
  [true, 'buy'],
] as const)('mirrored: %s', (mirrored, side) => {
  test('a price that drifts for a minute while nothing is bought on balance: exactly one onset, in that minute', async () => {
    // a minute usually makes √60 · 10 ticks: ten of these
    for (const seed of [2, 3, 4]) {
      const noisy = new Noisy(seed, { mirrored }).usual(690);
      const begin = noisy.tape.tape.t;
      noisy.drift(60, 13);
      const end = noisy.tape.tape.t;
      const scanned = await noisy.usual(90).tape.scan({ ...slope, baseline: 10 * MINUTE });
      expect(outline(scanned)).toEqual([`onset ${side} slope exhaustion`, `end ${side} slope exhaustion faded`]);
      const [{ evidence, score }] = scanned.signals;
      expect(evidence.last).toBeGreaterThan(begin + 5 * SECOND);
      expect(evidence.last).toBeLessThan(end);
      expect(Number(evidence.last) - Number(evidence.first)).toBeLessThan(31.5 * SECOND);
      expect(evidence.span_ms).toBe(30_000);
      expect(Math.abs(Number(evidence.price_z))).toBeGreaterThanOrEqual(2);
      expect(Math.sign(Number(evidence.price_z))).toBe(mirrored ? -1 : 1);
      expect(score).toBeCloseTo(Math.abs(Number(evidence.price_z)) - Number(evidence.cvd_z) * (mirrored ? -1 : 1), 5);
      expect(evidence.lambda_r2).toBeGreaterThan(0.8);
    }
  });

  test('buying that moves nothing is absorption', async () => {
    const noisy = new Noisy(2, { mirrored }).usual(690).absorb(40, 15).usual(60);
    const scanned = await noisy.tape.scan({ ...slope, baseline: 10 * MINUTE });
    expect(outline(scanned)).toEqual([`onset ${side} slope absorption`, `end ${side} slope absorption faded`]);
    const sign = mirrored ? -1 : 1;
    const [{ evidence }] = scanned.signals;
    expect(sign * Number(evidence.cvd_z)).toBeGreaterThanOrEqual(2);
    expect(Math.abs(Number(evidence.price_z))).toBeLessThanOrEqual(0.5);
    // price lags behind what that much buying usually does
    expect(sign * Number(evidence.residual_bps)).toBeLessThan(-5);
  });
});

test('a price that follows delta but for noise parts from it hardly ever', async () => {
  const counts: number[] = [];
  for (const seed of [11, 12, 13]) {
    const scanned = await new Noisy(seed).usual(900).tape.scan({ ...slope, baseline: 10 * MINUTE });
    counts.push(scanned.signals.filter(({ phase }) => phase === 'onset').length);
  }
  expect(counts).toEqual([0, 0, 0]);
});

test('a steady drift of cumulative delta neither makes nor hides an event', async () => {
  const told = async (drift: number): Promise<unknown[][]> => {
    const { tape } = new Noisy(loose.seed, loose).usual(loose.seconds, drift);
    const { signals } = await tape.scan({ detect, set: low });
    return signals.map(({ time, phase, side, score, evidence }) => [
      evidence.form,
      time,
      phase,
      side,
      evidence.kind,
      score,
    ]);
  };
  const plain = await told(0);
  expect(new Set(plain.map(([form]) => form))).toEqual(new Set(['slope', 'pivot']));
  for (const drift of [30, -30]) expect(await told(drift)).toEqual(plain);
});

describe('thresholds of the slope form', () => {
  const found = async (...set: string[]): Promise<string[]> => {
    const noisy = new Noisy(2).usual(690).drift(30, 13).usual(60);
    return outline(await noisy.tape.scan({ detect, baseline: 10 * MINUTE, set: [...slope.set, ...set] }));
  };

  test('a slope that has to be steeper, or to last longer, is none', async () => {
    expect(await found()).toEqual(['onset sell slope exhaustion', 'end sell slope exhaustion faded']);
    expect(await found('cvd-divergence.on=20')).toEqual([]);
    expect(await found('cvd-divergence.hold=1m')).toEqual([]);
  });

  test('a baseline that holds no older windows tells nothing', async () => {
    expect(await found('cvd-divergence.window=6m')).toEqual([]);
  });
});

describe.each([
  [false, 'sell'],
  [true, 'buy'],
] as const)('turning points, mirrored: %s', (mirrored, side) => {
  /** Two minutes and a half of small moves up and down, that make a usual delta and a usual spread. */
  const begin = (): SecondTape => {
    const tape = new SecondTape({ mirrored });
    for (let i = 0; i < 150; i++) tape.second([5, -3, 4, -6, 2, -5, 3][i % 7], [1, -1][i % 2]);
    return tape;
  };
  const leg = (tape: SecondTape, ticks: number, delta: number): SecondTape => {
    for (let i = 0; i < Math.abs(ticks); i++) tape.second(delta, Math.sign(ticks));
    return tape;
  };
  /** Price of a tick count above the first bid, the mirror of it below the first ask. */
  const at = (ticks: number): number => Number((1000.05 + (mirrored ? -ticks : ticks) / 10).toFixed(2));

  test('a higher high on less cumulative delta, said when the mid has come back', async () => {
    const tape = leg(leg(leg(begin(), 8, 5), -6, -5), 9, -4);
    const top = tape.tape.t;
    leg(tape, -3, 0);
    const [onset, end] = (await tape.second(0, 0).scan(pivot)).signals;
    expect(onset).toMatchObject({ phase: 'onset', side, price: at(11) });
    expect(end).toMatchObject({ phase: 'end', side, reason: 'eof' });
    // from one high to the other six seconds sold 5 each, nine 4
    expect(onset.evidence).toMatchObject({
      ...{ kind: 'exhaustion', form: 'pivot', older_price: at(8), span_ms: 15_000 },
      ...{ cvd_change: mirrored ? 66 : -66, retrace_bps: Number(((0.3 / at(11)) * 1e4).toFixed(6)) },
      move_bps: Number((((mirrored ? -0.3 : 0.3) / at(8)) * 1e4).toFixed(6)),
    });
    expect(onset.score).toBeGreaterThan(1);
    // three ticks below, three seconds later, with the first entry behind that second
    expect(Number(onset.evidence.last) - top).toBeGreaterThan(2 * SECOND);
    expect(Number(onset.evidence.last) - top).toBeLessThan(4 * SECOND);
  });

  const scanned = async (tape: SecondTape): Promise<string[]> => outline(await tape.second(0, 0).scan(pivot));
  const parted = (): SecondTape => leg(leg(leg(leg(begin(), 8, 5), -6, -5), 9, -4), -4, 0);

  test('beyond the newer high it is invalidated', async () => {
    expect(await scanned(leg(parted(), 4, 0))).toEqual([
      `onset ${side} pivot exhaustion`,
      `end ${side} pivot exhaustion eof`,
    ]);
    expect(await scanned(leg(parted(), 5, 0))).toEqual([
      `onset ${side} pivot exhaustion`,
      `end ${side} pivot exhaustion invalidated`,
    ]);
  });

  test('it fades with a high that does not part, and is forgotten in time', async () => {
    const lower = leg(leg(leg(parted(), -3, 0), 6, 0), -9, 0);
    expect(await scanned(lower)).toEqual([`onset ${side} pivot exhaustion`, `end ${side} pivot exhaustion faded`]);
    const calm = parted();
    for (let i = 0; i < 80; i++) calm.second(0, 0, 1);
    const given = { ...pivot, baseline: MINUTE };
    expect(outline(await calm.scan(given))).toEqual([
      `onset ${side} pivot exhaustion`,
      `end ${side} pivot exhaustion faded`,
    ]);
  });

  test.each([
    ['more cumulative delta', (): SecondTape => leg(leg(leg(leg(begin(), 8, 5), -6, -5), 9, 5), -4, 0)],
    ['a high hardly higher', (): SecondTape => leg(leg(leg(leg(begin(), 8, 5), -6, -5), 7, -4), -4, 0)],
    ['no mid that came back', (): SecondTape => leg(leg(leg(leg(begin(), 8, 5), -6, -5), 9, -4), -2, 0)],
    ['a price that only fell', (): SecondTape => leg(begin(), -20, -5)],
  ])('none: %s', async (_, told) => {
    expect(await scanned(told())).toEqual([]);
  });

  test.each([
    ['book updates', (tape: SecondTape): unknown => tape.tape.depth([], [], { lost: 1 })],
    ['trades', (tape: SecondTape): unknown => tape.tape.trade(1, tape.bid + 1, 1, { lost: 1 })],
  ])('missing %s end it', async (_, lose) => {
    const tape = parted();
    lose(tape);
    expect(await scanned(tape.join())).toEqual([`onset ${side} pivot exhaustion`, `end ${side} pivot exhaustion gap`]);
  });
});

test('each form alone, and both', async () => {
  const forms = async (form: string): Promise<string[]> => {
    const { tape } = new Noisy(loose.seed, loose).usual(loose.seconds);
    const scanned = await tape.scan({ detect, set: [...low, `cvd-divergence.form=${form}`] });
    return summary(scanned).map((line, i) => `${line} ${scanned.signals[i].evidence.form} ${scanned.signals[i].score}`);
  };
  const [slopes, pivots, both] = [await forms('slope'), await forms('pivot'), await forms('both')];
  expect(slopes.length).toBeGreaterThan(0);
  expect(pivots.length).toBeGreaterThan(0);
  expect([...both].sort()).toEqual([...slopes, ...pivots].sort());
});
