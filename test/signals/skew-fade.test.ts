/** skew-fade on scripted tapes: what starts it, what ends it, and the plan it carries, in both directions. */
import { describe, expect, test } from 'vitest';
import { type Level, MINUTE, type Scanned, SECOND, scanLines, TapeBuilder } from '../scan/tape-builder.js';
import { BybitTape } from './bybit-lines.js';

const given = { detect: ['skew-fade'], warmup: SECOND, htf: MINUTE };
const MIRROR = 2001;

/** The script of heavy bids, or its mirror image. Best bid 100.0, best ask 100.1. */
class Script {
  readonly tape = new TapeBuilder();
  readonly #lean: 1 | -1;

  constructor(lean: 1 | -1) {
    this.#lean = lean;
  }

  #flip(levels: readonly Level[]): Level[] {
    return this.#lean > 0 ? [...levels] : levels.map(([price, size]): Level => [MIRROR - price, size]);
  }

  depth(bids: readonly Level[], asks: readonly Level[]): this {
    if (this.#lean > 0) this.tape.depth(this.#flip(bids), this.#flip(asks));
    else this.tape.depth(this.#flip(asks), this.#flip(bids));
    return this;
  }

  /** Even for as long as the higher timeframe needs, then three to one from `at` on. */
  begin(size = 31): this {
    const bids = side(1000, -1, 10);
    const asks = side(1001, 1, 10);
    if (this.#lean > 0) this.tape.snapshot(this.#flip(bids), this.#flip(asks));
    else this.tape.snapshot(this.#flip(asks), this.#flip(bids));
    this.clocks(75);
    return this.depth(side(1000, -1, size, 10), []);
  }

  /** Seconds in which nothing happens, told every quarter. */
  clocks(seconds: number): this {
    for (let n = 0; n < seconds * 4; n++) this.tape.wait(SECOND / 4).clock();
    return this;
  }

  trade(side: 1 | -1, price: number, size: number): this {
    this.tape.trade((side * this.#lean) as 1 | -1, this.#lean > 0 ? price : MIRROR - price, size);
    return this;
  }
}

function side(first: number, step: number, size: number, count = 30): Level[] {
  return Array.from({ length: count }, (_, i): Level => [first + i * step, size]);
}

const story = ({ signals }: Scanned): string[] => signals.map(({ phase, reason }) => reason ?? phase);

describe.each([1, -1] as const)('heavy side %i', (lean) => {
  const decimal = (ticks: number): number => (lean > 0 ? ticks : MIRROR - ticks) / 10;
  const scan = (script: Script, set: string[] = []): Promise<Scanned> =>
    scanLines(script.tape.lines, { ...given, set });

  test('three to one and silence start it once, two seconds after the mean has reached it', async () => {
    const scanned = await scan(new Script(lean).begin().clocks(20));
    expect(story(scanned)).toEqual(['onset', 'eof']);
    const [{ side: planned, plan, evidence, score }] = scanned.signals;
    expect(planned).toBe(lean > 0 ? 'sell' : 'buy');
    // ask levels 100.1 to 101.0: the stop is a tick beyond
    expect(plan).toMatchObject({
      ...{ entry: decimal(1001), stop: decimal(1011), stop_level: decimal(1011), target: decimal(1000) },
      ...{ stop_origin: null, rr: 0.1, breakeven_bps: 11, cap: null, touch_size: 10 },
    });
    expect(plan?.rr_net).toBeLessThan(0);
    expect(evidence).toMatchObject({ direction: 'fade', literature_direction: 'continuation', ratio: 3.1, tape: 0 });
    expect(evidence).toMatchObject({ heavy: lean > 0 ? 'bid' : 'ask', move_spreads: 0, fade_bps: 0 });
    expect(score).toBeGreaterThanOrEqual(0.5);
  });

  test('less than three to one starts nothing', async () => {
    expect(story(await scan(new Script(lean).begin(29).clocks(20)))).toEqual([]);
  });

  test('trading with the lean, or against it, starts nothing', async () => {
    for (const way of [1, -1] as const) {
      const script = new Script(lean).begin();
      for (let n = 0; n < 80; n++) script.trade(way, way > 0 ? 1001 : 1000, 1).clocks(0.25);
      expect(story(await scan(script))).toEqual([]);
    }
  });

  test('a higher timeframe that is not known to range starts nothing, unless nobody demands it', async () => {
    const script = new Script(lean);
    const [heavy, light] = [side(1000, -1, 31), side(1001, 1, 10)];
    if (lean > 0) script.tape.snapshot(heavy, light);
    else script.tape.snapshot(side(1000, -1, 10), side(1001, 1, 31));
    script.clocks(30);
    expect(story(await scan(script))).toEqual([]);
    expect(story(await scan(script, ['skew-fade.regime=any']))).toEqual(['onset', 'eof']);
  });

  test('aggressors who go with the lean end it', async () => {
    const scanned = await scan(new Script(lean).begin().clocks(10).trade(1, 1001, 4).clocks(1));
    expect(story(scanned)).toEqual(['onset', 'tape']);
    expect(scanned.signals[1].evidence.tape).toBe(lean);
  });

  test('the other touch is the target, and the outermost level the stop', async () => {
    const down: Level[] = [[1000, 0]];
    const fell = await scan(
      new Script(lean)
        .begin()
        .clocks(10)
        .depth(down, [[1000, 5]])
        .clocks(2),
    );
    expect(story(fell)).toEqual(['onset', 'target']);
    expect(fell.signals[1].evidence.fade_bps).toBeGreaterThan(0);
    expect(fell.signals[1].evidence.continuation_bps).toBe(-Number(fell.signals[1].evidence.fade_bps));
    const gone = Array.from({ length: 10 }, (_, i): Level => [1001 + i, 0]);
    const rose = await scan(
      new Script(lean)
        .begin()
        .clocks(10)
        .depth([[1010, 31]], gone)
        .clocks(2),
    );
    expect(story(rose)).toEqual(['onset', 'stop']);
    expect(rose.signals[1].evidence.fade_bps).toBeLessThan(0);
    // a print at the stop is enough
    expect(story(await scan(new Script(lean).begin().clocks(10).trade(-1, 1011, 1)))).toEqual(['onset', 'stop']);
  });

  test('a lean that is gone for two seconds ends it, and so does its age', async () => {
    const even = side(1000, -1, 10, 10);
    expect(story(await scan(new Script(lean).begin().clocks(10).depth(even, []).clocks(8)))).toEqual([
      'onset',
      'faded',
    ]);
    expect(story(await scan(new Script(lean).begin().clocks(50)))).toEqual(['onset', 'age', 'onset', 'eof']);
  });
});

test('a trade at the stop ends it, though others follow it in its message', async () => {
  const tape = new BybitTape().book('snapshot', side(1000, -1, 10), side(1001, 1, 10));
  const quiet = (seconds: number): void => {
    for (let n = 0; n < seconds * 4; n++) tape.wait(SECOND / 4).book('delta', [[971, 10 + (n % 2)]], []);
  };
  quiet(75);
  tape.book('delta', side(1000, -1, 31, 10), []);
  quiet(10);
  tape.wait(1000).trades([
    [1, 1011, 1],
    [-1, 1000, 1],
  ]);
  quiet(1);
  expect(story(await scanLines(tape.lines, given))).toEqual(['onset', 'stop']);
});

test.each([1, -1] as const)(
  'a sweep with the lean ends it, however balanced the tape is (heavy side %i)',
  async (lean) => {
    const script = new Script(lean).begin();
    for (let n = 0; n < 80; n++) script.trade(n % 2 === 0 ? 1 : -1, n % 2 === 0 ? 1001 : 1000, 10).clocks(0.25);
    for (const price of [1001, 1002, 1003]) script.trade(1, price, 10);
    script.tape.wait(20_000);
    script.depth(
      [],
      [1001, 1002, 1003].map((price): Level => [price, 0]),
    );
    expect(story(await scanLines(script.clocks(2).tape.lines, given))).toEqual(['onset', 'sweep']);
  },
);

test.each([1, -1] as const)('what the detector sweep would not call one ends none (heavy side %i)', async (lean) => {
  const script = new Script(lean).begin();
  const thin = [1001, 1002, 1003];
  script.depth(
    [],
    thin.map((price): Level => [price, 0.06]),
  );
  for (let n = 0; n < 80; n++) script.trade(n % 2 === 0 ? 1 : -1, n % 2 === 0 ? 1001 : 1000, 0.01).clocks(0.25);
  // three levels go at once, but they held less than a fiftieth of the usual depth
  for (const price of thin) script.trade(1, price, 0.06);
  script.tape.wait(20_000);
  script.depth(
    [],
    thin.map((price): Level => [price, 0]),
  );
  const { lines } = script.clocks(2).tape;
  const sweeps = async (...set: string[]): Promise<number> =>
    (await scanLines(lines, { ...given, detect: ['sweep'], set })).signals.length;
  expect([await sweeps(), await sweeps('sweep.depth=0')]).toEqual([0, 2]);
  const scanned = await scanLines(lines, { ...given, set: ['skew-fade.tape=1'] });
  expect(story(scanned)).toEqual(['onset', 'eof']);
});

describe.each([1, -1] as const)('after a drive that broke through the book (heavy side %i)', (lean) => {
  /** Three buys (or sales, `way` -1 seen from the lean) through as many levels, the other touch steps after them, and bids are heavy. */
  const driven = (way: 1 | -1, orders = 3): Script => {
    const script = new Script(lean).begin(10);
    for (let n = 0; n < 80; n++) script.trade(n % 2 === 0 ? 1 : -1, n % 2 === 0 ? 1001 : 1000, 1).clocks(0.5);
    script.clocks(2);
    const price = (ticks: number): number => (way > 0 ? 1001 + ticks : 1000 - ticks);
    for (let n = 0; n < orders; n++) {
      script.trade(way, price(n), 10);
      script.tape.wait(20_000);
      const gone: Level[] = [[price(n), 0]];
      if (way > 0) script.depth([], gone);
      else script.depth(gone, []);
      script.tape.wait(200_000);
    }
    // the other touch steps beyond, and bids are three to one
    if (way > 0) script.depth(side(1001 + orders, -1, 31, 20), [[1001 + orders, 0]]);
    else script.depth([[1000 - orders, 0], ...side(999 - orders, -1, 31, 20)], side(1000 - orders, 1, 10, 20));
    return script;
  };
  const first = async (script: Script, ...set: string[]): Promise<number> => {
    const any = ['skew-fade.regime=any', ...set];
    const { tape } = script;
    const broken = tape.t;
    const { signals } = await scanLines(script.clocks(20).tape.lines, { ...given, set: any });
    const onset = signals.find(({ phase, evidence: { last } }) => phase === 'onset' && last >= broken);
    return onset === undefined ? Number.NaN : (onset.evidence.last - broken) / SECOND;
  };

  test.each([1, -1] as const)('none begins until it has cooled down (drive %i)', async (way) => {
    // a break is there for as long as its drive is
    expect(await first(driven(way))).toBeGreaterThan(10);
    expect(await first(driven(way))).toBeLessThan(14.5);
    const sooner = await first(driven(way), 'skew-fade.cool=0s');
    expect(sooner).toBeLessThan(9);
    expect(await first(driven(way), 'skew-fade.cool=1s')).toBe(sooner);
    // two orders are no drive
    expect(await first(driven(way, 2))).toBeLessThan(9);
  });

  test('behind a loss none begins before it is known that no drive had', async () => {
    const lost = (way: 'book' | 'trades'): Script => {
      const script = new Script(lean).begin().clocks(5);
      // as much one way as the other
      for (const lost of [0, way === 'trades' ? 1 : 0]) {
        script.tape.trade(1, 1001, 1, { lost });
        script.tape.trade(-1, 1000, 1);
      }
      if (way === 'book') {
        script.tape.depth([], [], { lost: 1 });
        const [heavy, light] = [side(1000, -1, 31), side(1001, 1, 10)];
        if (lean > 0) script.tape.snapshot(heavy, light);
        else script.tape.snapshot(side(1000, -1, 10), side(1001, 1, 31));
      }
      return script;
    };
    for (const way of ['trades', 'book'] as const) {
      // ten seconds without a drive, and all of that for two
      const waited = await first(lost(way));
      expect(waited).toBeGreaterThan(12);
      expect(waited).toBeLessThan(12.6);
      expect(await first(lost(way), 'skew-fade.cool=0s')).toBeCloseTo(7, 1);
    }
  });

  test('it is the same whichever detectors are there', async () => {
    const { lines } = driven(1).clocks(20).tape;
    const set = ['skew-fade.regime=any', 'ignition.window=1s', 'ignition.groups=9'];
    const alone = await scanLines(lines, { ...given, set });
    const { detect: _, ...all } = { ...given, set };
    const fades = (await scanLines(lines, all)).lines.filter((line) => line.includes('"signal":"skew-fade"'));
    expect(fades.length).toBeGreaterThan(0);
    expect(fades).toEqual(alone.lines);
  });
});
