/** Scenarios of books and flow over longer times: nothing at all, chance, price and delta that part, a book that leans. */
import type { OrderSide } from '../engine.js';
import { createRandom, type Random } from '../prng.js';
import { COMING, STANDING } from './detectors.js';
import { end, onset, type Scenario } from './scenario.js';
import { even } from './scenes-levels.js';
import { levels, Script } from './script.js';

/** A book that does not change, said anew each second. */
function still(script: Script, seconds: number): Script {
  for (let n = 0; n < seconds; n++) script.book({ asks: [[1200, 1]] }).wait(1000);
  return script;
}

export const S1: Scenario = {
  name: 'S1',
  title: 'An even book stands still, and nobody trades.',
  of: [...STANDING, ...COMING],
  play: () => still(still(even(), 75).start(), 30).play(),
  seen: [],
};

export const S1Skewed: Scenario = {
  name: 'S1 skewed',
  title: 'A book that is four times as heavy on the bid stands still, and nobody trades.',
  of: [...STANDING, ...COMING],
  play() {
    const script = new Script([...levels(1, 1000, 40, 15), [800, 1]], [...levels(-1, 1001, 10, 15), [1200, 1]]);
    return still(still(script, 1).start(), 30).play();
  },
  seen: [
    onset('book-imbalance', 'buy', { signed: { mean: 0.6 }, sizes: { bid_size: 400, ask_size: 100 } }),
    end('book-imbalance', 'buy', 'eof'),
  ],
};

/** Levels of this size; orders take up to nine tenths of one. */
const DEEP = 1000;

/** Orders of either side and of any size up to 900, by chance, twice a second; the level is soon what it was. */
function chance(script: Script, random: Random, orders: number): Script {
  for (let n = 0; n < orders; n++) {
    script.wait(5 * (1 + Math.round(90 * random.exponential())));
    const side: OrderSide = random.chance(0.5) ? 1 : -1;
    script.take(side, 1 + random.below((DEEP * 9) / 10)).wait(45);
    script.book(side > 0 ? { asks: [[1001, DEEP]] } : { bids: [[1000, DEEP]] });
  }
  return script;
}

export const S2: Scenario = {
  name: 'S2',
  title: 'Orders of either side and of any size up to 900 come by chance, twice a second, for ten minutes.',
  // of these there is nothing; of the others, what chance makes of their thresholds
  of: ['book-imbalance', 'sweep', 'void', 'footprint', 'liquidation-cascade', 'skew-fade'],
  play() {
    const random = createRandom('S2');
    const script = new Script([...levels(1, 1000, DEEP, 15), [800, 1]], [...levels(-1, 1001, DEEP, 15), [1200, 1]]);
    return chance(chance(script, random, 800).start(), random, 1200).play();
  },
  seen: [],
  // each order is a look; a window that slides has about two chances, on each side
  rates: [
    { signal: 'block', chance: 0.005, looks: 1200 },
    { signal: 'delta', chance: 0.05, looks: (2 * 600) / 15 },
    { signal: 'tape-imbalance', chance: 0.05, looks: (4 * 600) / 5 },
    { signal: 'absorption', chance: 0.05, looks: (4 * 600) / 10 },
    { signal: 'cvd-divergence', chance: 0.05, looks: (4 * 600) / 30 },
  ],
};

/** A market that is told second by second: so much bought on balance, and the mid so many ticks higher. */
class Walk {
  readonly script: Script;
  readonly #random: Random;
  #bid = 100_000;

  constructor(seed: string) {
    this.#random = createRandom(seed);
    this.script = new Script(
      [
        [this.#bid, 50],
        [this.#bid - 9000, 1],
      ],
      [
        [this.#bid + 1, 50],
        [this.#bid + 9001, 1],
      ],
    );
  }

  #normal(): number {
    let sum = -6;
    for (let n = 0; n < 12; n++) sum += this.#random.next();
    return sum;
  }

  second(delta: number, ticks: number): this {
    const { script } = this;
    const bid = this.#bid;
    script.wait(250);
    script.print(1, [[bid + 1, 20 + Math.max(0, delta)]]).wait(250);
    script.print(-1, [[bid, 20 + Math.max(0, -delta)]]).wait(250);
    this.#bid += ticks;
    if (ticks !== 0)
      script.book({
        bids: [
          [bid, 0],
          [this.#bid, 50],
        ],
        asks: [
          [bid + 1, 0],
          [this.#bid + 1, 50],
        ],
      });
    script.wait(250);
    return this;
  }

  /** The mid follows what is bought, but for some noise. */
  usual(seconds: number): this {
    for (let n = 0; n < seconds; n++) {
      const delta = Math.round(10 * this.#normal());
      this.second(delta, delta + Math.round(3 * this.#normal()));
    }
    return this;
  }

  many(seconds: number, delta: number, ticks: number): this {
    for (let n = 0; n < seconds; n++) this.second(delta, ticks);
    return this;
  }
}

const SLOPES = {
  set: ['cvd-divergence.form=slope', 'cvd-divergence.window=10s', 'cvd-divergence.hold=2s'],
  baseline: 300,
};

export const S9Exhaustion: Scenario = {
  name: 'S9 exhaustion',
  title:
    'After minutes in which the mid follows what is bought, it rises for 20 seconds while as much is sold as bought.',
  of: ['cvd-divergence'],
  settings: SLOPES,
  play() {
    const walk = new Walk('S9').usual(200);
    walk.script.start();
    return walk.many(20, 0, 15).usual(20).script.play();
  },
  seen: [
    onset('cvd-divergence', 'sell', { facts: { kind: 'exhaustion', form: 'slope', span_ms: 10_000 } }),
    end('cvd-divergence', 'sell', 'faded'),
  ],
};

export const S9Absorption: Scenario = {
  name: 'S9 absorption',
  title: 'After such minutes much is bought for 20 seconds, and the mid stays.',
  of: ['cvd-divergence'],
  settings: SLOPES,
  play() {
    const walk = new Walk('S9').usual(200);
    walk.script.start();
    return walk.many(20, 15, 0).usual(20).script.play();
  },
  seen: [
    onset('cvd-divergence', 'sell', { facts: { kind: 'absorption', form: 'slope', span_ms: 10_000 } }),
    end('cvd-divergence', 'sell', 'faded'),
  ],
};

/** Bids of the ten best levels become three times as heavy. */
function lean(script: Script): Script {
  return script.book({ bids: levels(1, 1000, 31, 10) });
}

const FADE = { htf: 60, warmup: 20 };

export const S10: Scenario = {
  name: 'S10',
  title: 'In a market that goes nowhere bids become three times as heavy and nobody trades; then buyers come.',
  of: ['skew-fade'],
  settings: FADE,
  play() {
    const script = lean(still(even(), 75).start()).wait(8000);
    for (let n = 0; n < 4; n++) script.take(1, 2).wait(200);
    return script.wait(2000).play();
  },
  seen: [
    onset('skew-fade', 'sell', {
      sided: { heavy: 'bid' },
      facts: { direction: 'fade', literature_direction: 'continuation', ratio: 3.1, tape: 0, move_spreads: 0 },
      plan: { entry: 1001, stop: 1011, stop_level: 1011, target: 1000 },
    }),
    end('skew-fade', 'sell', 'tape'),
  ],
};

export const S10Trending: Scenario = {
  name: 'S10 trending',
  title: 'The same, after a minute in which price went one way.',
  of: ['skew-fade'],
  settings: FADE,
  play() {
    const script = even();
    // a tick up each five seconds
    for (let bid = 985; bid < 1000; bid++) {
      const asks = levels(-1, bid + 1, 10, 30);
      const bids = levels(1, bid, 10, 15);
      if (bid === 985) script.book({ bids: levels(1, 1000, 0, 15), asks: [] });
      script.book({ bids, asks: [[bid, 0], ...asks] }).wait(5000);
    }
    script.book({ bids: levels(1, 1000, 10, 15), asks: [[1000, 0]] }).start();
    return lean(script).wait(8000).play();
  },
  seen: [],
};
