/** What is unusual happens as often as it says: independent samples pass quantiles and robust z at their nominal rates, on any scale. */
import { describe, expect, test } from 'vitest';
import { Baseline } from '../../src/market/baseline.js';
import { NORMAL } from '../../src/market/robust.js';
import { randomFrom } from '../scan/random-tape.js';
import { MINUTE, SECOND, START, scanLines, TapeBuilder } from '../scan/tape-builder.js';
import { seed } from '../seed.js';
import { LiveMarket } from './live-market.js';

/** Of a normal distribution, so much is met on either side once in a thousand times. */
const SIGMAS = 3.3;
const QUANTILES = [0.9, 0.95, 0.99];

/** Two normal numbers a time, by Box and Muller. */
function normalFrom(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

type Draw = (random: () => number) => number;
const DISTRIBUTIONS: Record<string, Draw> = {
  uniform: (random) => random(),
  // no variance, and hardly a mean
  pareto: (random) => (1 - random()) ** (-1 / 1.1),
  lognormal: (random) => Math.exp(2 * normalFrom(random)()),
};
const drawn = (draw: Draw, count: number, from = seed): number[] => {
  const random = randomFrom(from);
  return Array.from({ length: count }, () => draw(random));
};

/**
 * The chance that a new sample exceeds the quantile of `n` others: its rank among all n + 1 is even, whatever the distribution. Exact in
 * thousandths, so that no product rounds up.
 */
const chance = (q: number, n: number): number => 1 - Math.ceil((Math.round(q * 1000) * n) / 1000) / (n + 1);

interface Exceedances {
  over: boolean[];
  expected: number;
  /** of as many independent throws; what exceeds raises the bar for those behind it, so counts spread less */
  sigma: number;
}

/** Feeds one value a second through a market's statistic, and asks before each whether it is unusual. */
function exceedances(values: readonly number[], q: number, { minutes = 1, delay = 0 } = {}): Exceedances {
  const { market } = new LiveMarket(new TapeBuilder().lines, { baselineMinutes: minutes, warmup: 0 });
  const statistic = market.statistic('values', 'trades', delay, (t, sample) => sample(values[(t - START) / SECOND]));
  market.begin(START);
  const over: boolean[] = [];
  let expected = 0;
  let variance = 0;
  for (let i = 0; i < values.length - 1; i++) {
    market.advance(START + i * SECOND + 1);
    const { count } = statistic.baseline;
    if (count === 0) continue;
    const p = chance(q, count);
    expected += p;
    variance += p * (1 - p);
    over.push(values[i + 1] > market.usual(statistic, q));
  }
  return { over, expected, sigma: Math.sqrt(variance) };
}

const count = (over: readonly boolean[]): number => over.filter(Boolean).length;

describe('quantiles of what is usual', () => {
  const cases = Object.keys(DISTRIBUTIONS).flatMap((name) => QUANTILES.map((q) => ({ name, q })));
  test.each(cases)('$q of $name samples is exceeded as often as it says', ({ name, q }) => {
    for (const [i, options] of [{ minutes: 1 }, { minutes: 1, delay: 5 * SECOND }, { minutes: 5 }].entries()) {
      const { over, expected, sigma } = exceedances(drawn(DISTRIBUTIONS[name], 20_000, seed + i), q, options);
      expect(Math.abs(count(over) - expected) / sigma).toBeLessThan(SIGMAS);
    }
  });

  test('neither scale nor shape changes which samples are unusual', () => {
    const uniform = drawn(DISTRIBUTIONS.uniform, 5000);
    for (const q of QUANTILES) {
      const { over } = exceedances(uniform, q);
      for (const scale of [1e-9, 3, 7e12])
        expect(
          exceedances(
            uniform.map((value) => scale * value),
            q,
          ).over,
        ).toEqual(over);
      expect(exceedances(drawn(DISTRIBUTIONS.pareto, 5000), q).over).toEqual(over);
      expect(count(over)).toBeGreaterThan(20);
    }
  });
});

/** |z| of each sample against the hour before its minute. */
function robustScores(values: readonly number[], minutes = 60): number[] {
  const baseline = new Baseline(minutes);
  const scores: number[] = [];
  let [median, deviation] = [Number.NaN, Number.NaN];
  values.forEach((value, i) => {
    const t = START + i * SECOND;
    baseline.expire(t);
    if (t % MINUTE === 0) {
      median = baseline.median();
      deviation = baseline.deviation(median);
    }
    if (i >= minutes * 60) scores.push(Math.abs(NORMAL * ((value - median) / deviation)));
    baseline.add(t, value);
  });
  return scores;
}

describe('robust z', () => {
  const normal = normalFrom(randomFrom(seed));
  const values = Array.from({ length: 150_000 }, normal);
  const scores = robustScores(values);

  test.each([
    [1, 0.317311],
    [2, 0.0455],
    [3, 0.0027],
  ])('normal samples lie beyond %d as often as a normal distribution does', (z, nominal) => {
    const over = scores.filter((score) => score > z).length / scores.length;
    // the deviation of some 3600 samples is 2 % off itself for an hour: f(z) moves by 2zφ(z) times that
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const ofSpread = (2 * z * density * 1.166) ** 2;
    const sigma = Math.sqrt((nominal * (1 - nominal) + ofSpread) / scores.length);
    expect(Math.abs(over - nominal) / sigma).toBeLessThan(SIGMAS);
  });

  test('is the same on any scale', () => {
    const part = values.slice(0, 5000);
    const scaled = robustScores(
      part.map((value) => 2 ** 40 * value),
      5,
    );
    expect(scaled).toEqual(robustScores(part, 5));
  });
});

const DAY_START = Math.ceil(START / (1440 * MINUTE)) * 1440 * MINUTE;

/** A trade each second, of a fair side and a size between one and two million: each fills a window of a second by itself. */
function secondTrades(seconds: number, size: (size: number) => string = String): TapeBuilder {
  const random = randomFrom(seed);
  const tape = new TapeBuilder({ start: DAY_START - SECOND, size });
  for (let i = 0; i < seconds; i++) {
    tape.wait(DAY_START + i * SECOND + SECOND / 2 - tape.t);
    tape.trade(random() < 0.5 ? 1 : -1, 1000, Math.floor(1e6 * (1 + random())));
  }
  return tape;
}

describe('events on a tape of independent trades', () => {
  const SECONDS = 20_000;
  const settings = (q: number) => ({
    // one unit, so that no event is cut
    ...{ baseline: MINUTE, warmup: MINUTE, unit: 1440 * MINUTE, detect: ['delta', 'tape-imbalance'] },
    set: [
      ...['delta.window=1s', 'delta.hold=0s', 'delta.fade=1', `delta.quantile=${q}`],
      ...['tape-imbalance.window=1s', 'tape-imbalance.basis=time', 'tape-imbalance.hold=0s'],
      `tape-imbalance.quantile=${q}`,
    ],
  });
  /** Chances of the trades that are looked at: the baseline has a minute and the running one, and windows join it a window late. */
  const chances = (q: number): number[] =>
    Array.from({ length: SECONDS }, (_, i) => i - Math.max(2, 60 * (Math.floor(i / 60) - 1)) + 1)
      .filter((n) => n >= 60)
      .map((n) => chance(q, n));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

  test.each(QUANTILES)('onsets at quantile %d come as often as it says', async (q) => {
    const { signals } = await scanLines(secondTrades(SECONDS).lines, settings(q), 5000);
    const onsets = (name: string): number =>
      signals.filter(({ signal, phase }) => signal === name && phase === 'onset').length;
    const expected = {
      // an event of a side is a run of its amounts above the gate: one where the second before had none
      delta: sum(chances(q).map((p) => p - p ** 2 / 2)),
      // an event lasts until the side turns, two seconds on average, and the trade that ends it begins none of its side
      'tape-imbalance': sum(chances(q).map((p) => p / (1 + p))),
    };
    for (const [name, most] of Object.entries(expected)) {
      expect(Math.abs(onsets(name) - most) / Math.sqrt(most), name).toBeLessThan(SIGMAS);
    }
  });

  test('sizes on another scale make the same events', async () => {
    const told = async (size?: (size: number) => string): Promise<unknown[]> => {
      const { signals } = await scanLines(secondTrades(3000, size).lines, settings(0.9), 5000);
      return signals.map(({ time, signal, phase, side, score }) => [time, signal, phase, side, score]);
    };
    const plain = await told();
    expect(plain.length).toBeGreaterThan(200);
    expect(await told((size) => (size / 1000).toFixed(3))).toEqual(plain);
    expect(await told((size) => `${size}000`)).toEqual(plain);
  });
});

test.each([5, 60])('windows that overlap exceed their quantile over %d minutes as often as it says', (minutes) => {
  const [seconds, window] = [30_000, 5];
  const random = randomFrom(seed);
  const tape = new TapeBuilder();
  // about two trades a second at any time, of sizes without a variance
  for (let i = 1; i <= seconds; i++) {
    const times = Array.from({ length: 4 }, random).filter((time) => time < 0.5);
    for (const time of times.sort((a, b) => a - b)) {
      tape.wait(Math.max(0, START + Math.floor((i - 1 + 2 * time) * SECOND) - tape.t));
      tape.trade(random() < 0.5 ? 1 : -1, 1000, Math.ceil(10 * DISTRIBUTIONS.pareto(random)));
    }
    tape.wait(Math.max(0, START + i * SECOND - tape.t)).clock();
  }
  const live = new LiveMarket(tape.lines, { baselineMinutes: minutes, warmup: MINUTE });
  const flow = live.market.flow(window * SECOND);
  const usual = live.market.statistic('volume', 'trades', flow.span, (t, sample) => {
    flow.expire(t);
    sample(flow.buy + flow.sell);
  });
  const counts = QUANTILES.map((q) => ({ q, over: 0, expected: 0 }));
  let looked = 0;
  let next = START + SECOND;
  live.read((t) => {
    if (t < next) return;
    next += SECOND;
    flow.expire(t);
    if (!live.market.isWarm(usual)) return;
    looked++;
    for (const count of counts) {
      // so many windows of the baseline share no trade: the quantile is no surer than that of so few
      count.expected += chance(count.q, Math.floor(usual.baseline.count / window));
      if (flow.buy + flow.sell > live.market.usual(usual, count.q)) count.over++;
    }
  });
  expect(looked).toBeGreaterThan(seconds - 100);
  for (const { q, over, expected } of counts) {
    // a window shares trades with four before it and four behind it: counts spread no more than those of a fifth of the throws
    const sigma = Math.sqrt(window * expected * (1 - expected / looked));
    expect(Math.abs(over - expected) / sigma, `${q}: ${over}`).toBeLessThan(SIGMAS);
  }
});
