/** ofi on scripted tapes: what its z is, when it begins and ends, and what it is made of. */
import { describe, expect, test } from 'vitest';
import type { Fit } from '../../src/model/fit.js';
import type { Signal } from '../../src/model/signal.js';
import { scan } from '../../src/scan/scan.js';
import { readingStart } from '../../src/scan/settings.js';
import { randomFrom } from '../scan/random-tape.js';
import {
  flowOf,
  MINUTE,
  type Scanned,
  SECOND,
  START,
  scanLines,
  settingsOf,
  summary,
  TapeBuilder,
} from '../scan/tape-builder.js';

const detect = ['ofi'];
const given = { detect, warmup: 20 * SECOND, set: ['ofi.window=2s'] };

interface Story {
  tape: TapeBuilder;
  /** flow of each quote, and its depth of both sides */
  told: { t: number; flow: number; depth: number }[];
  /** size of the side that changes: the bid, or of a mirrored market the ask */
  size: number;
  mirrored: boolean;
}

/** A quote at a price that stays: one side has 20, the other `flow` more than before. */
function quote(story: Story, flow: number): void {
  const { tape, told, mirrored } = story;
  story.size += flow;
  const { size } = story;
  told.push({ t: tape.t, flow, depth: size + 20 });
  if (mirrored) tape.quote([1000, 20], [1001, size]);
  else tape.quote([1000, size], [1001, 20]);
}

/** A quiet minute: a side gains and loses a little twice a second, and nothing in sum. */
function calm(mirrored = false, seconds = 60, seed = 7): Story {
  const tape = new TapeBuilder({ beside: ['bookTicker'] });
  tape.snapshot([[1000, 20]], [[1001, 20]]);
  const story: Story = { tape, told: [], size: 200, mirrored };
  quote(story, 0);
  const random = randomFrom(seed);
  for (let n = 0; n < 2 * seconds; n++) {
    tape.wait(SECOND / 2 - 1);
    quote(story, Math.round(20 * (random() - 0.5)) || 3);
  }
  return story;
}

/** Nothing but time and, to tell the time, other messages. */
function quiet({ tape }: Story, seconds: number): void {
  for (let n = 0; n < seconds * 10; n++) tape.wait(SECOND / 10 - 1).clock();
}

const scanned = ({ tape }: Story, set: string[] = [], more = {}): Promise<Scanned> =>
  scanLines(tape.lines, { ...given, ...more, set: [...given.set, ...set] });
const outline = (result: Scanned): string[] => summary(result).map((line) => line.split(' ').slice(2).join(' '));
const onset = (signals: readonly Signal[]): Signal => signals.find(({ phase }) => phase === 'onset') as Signal;

test.each([1, 2, 3, 4, 5])(
  'z is the distance of OFI over mean depth from the median of older windows (%i)',
  async (seed) => {
    const story = calm(false, 30, seed);
    quote(story, 300);
    quiet(story, 4);
    const result = await scanned(story, ['ofi.hold=0s', 'ofi.least=0.001']);
    expect(outline(result)).toEqual(['onset buy', 'end buy faded']);
    const { evidence, score, price, quality } = onset(result.signals);
    const { told } = story;
    const over = (t: number): number => {
      const inside = told.filter((one) => one.t > t - 2 * SECOND && one.t <= t);
      const flow = inside.reduce((sum, one) => sum + one.flow, 0);
      return inside.length === 0 ? 0 : flow / (inside.reduce((sum, one) => sum + one.depth, 0) / (2 * inside.length));
    };
    const now = evidence.last;
    // whole seconds, from the first window that is whole, to one that ended a window before the newest second
    const grid: number[] = [];
    const first = Math.ceil((told[0].t + 2 * SECOND) / SECOND) * SECOND;
    for (let t = first; t <= Math.ceil(now / SECOND - 1) * SECOND - 2 * SECOND; t += SECOND) grid.push(over(t));
    const median = (values: readonly number[]): number => {
      const sorted = [...values].sort((a, b) => a - b);
      return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    };
    const centre = median(grid);
    const distances = grid.map((value) => Math.abs(value - centre)).sort((a, b) => a - b);
    const z = (0.6745 * (over(now) - centre)) / distances[Math.ceil(distances.length / 2) - 1];
    expect(evidence.z).toBeCloseTo(z, 5);
    expect(score).toBe(evidence.z);
    const inside = told.filter(({ t }) => t > now - 2 * SECOND && t <= now);
    expect(evidence).toMatchObject({
      ofi: inside.reduce((sum, { flow }) => sum + flow, 0),
      quotes: inside.length,
      source: 'touch',
      move_ticks: 0,
      first: inside[0].t,
      window_ms: 2000,
    });
    expect(evidence.ofi_depth).toBeCloseTo(over(now), 5);
    expect(evidence).not.toHaveProperty('levels_ofi');
    // what was lost of best quotes cannot be known
    expect([price, quality]).toEqual([100.05, 'unverifiable']);
  },
);

describe('an event', () => {
  test('is a buy where bids gain, and its mirror image a sell', async () => {
    const tell = async (mirrored: boolean): Promise<string[]> => {
      const story = calm(mirrored);
      quote(story, 300);
      quiet(story, 4);
      return outline(await scanned(story));
    };
    expect(await tell(false)).toEqual(['onset buy', 'end buy faded']);
    expect(await tell(true)).toEqual(['onset sell', 'end sell faded']);
  });

  test('is found where nobody else looks at the book', async () => {
    const story = calm();
    quote(story, 300);
    quiet(story, 4);
    const settings = { ...settingsOf({ ...given, set: given.set }), checksum: false };
    const found: string[] = [];
    for await (const printed of scan([flowOf(story.tape.lines)], { settings, damage: () => {}, note: () => {} }))
      found.push(...printed.map(({ signal }) => signal.phase));
    expect(found).toEqual(['onset', 'end']);
  });

  test('must last for the hold', async () => {
    const tell = async (seconds: number): Promise<string[]> => {
      const story = calm();
      quote(story, 300);
      quiet(story, seconds);
      quote(story, -300);
      quiet(story, 4);
      // taken back, it is a sell as soon as the buy has left the window
      return outline(await scanned(story)).filter((line) => line.includes('buy'));
    };
    expect(await tell(0.8)).toEqual([]);
    expect(await tell(1.3)).toEqual(['onset buy', 'end buy faded']);
  });

  test('must be some mean depths away from what is usual', async () => {
    const story = calm();
    quote(story, 300);
    quiet(story, 4);
    expect(outline(await scanned(story, ['ofi.least=0.9']))).toEqual(['onset buy', 'end buy faded']);
    expect(outline(await scanned(story, ['ofi.least=3']))).toEqual([]);
  });

  test('goes on until z is at or below a share of the threshold', async () => {
    const story = calm();
    const big = story.tape.t;
    quote(story, 300);
    quiet(story, 1.5);
    quote(story, -200);
    quiet(story, 4);
    const ends = async (fade: number): Promise<number[]> =>
      (await scanned(story, [`ofi.fade=${fade}`])).signals
        .filter(({ side, reason }) => side === 'buy' && reason === 'faded')
        .map(({ evidence }) => Math.round((evidence.last - big) / 5e5) / 2);
    // 100 are left over for half a second: enough to go on, or not
    expect(await ends(0.1)).toEqual([3]);
    expect(await ends(0.9)).toEqual([2.5]);
  });

  test('is of the sign of OFI: less of a usual rise is no sell', async () => {
    const rise = async (falls: number): Promise<string[]> => {
      const story = calm();
      const { tape } = story;
      const random = randomFrom(3);
      for (let n = 0; n < 400; n++)
        tape.quote([1001 + n, 20], [1002 + n, 20]).wait(Math.round(SECOND * (0.15 + random() / 10)));
      quiet(story, 2);
      for (let n = 0; n < falls; n++) tape.quote([1399 - n, 20], [1400 - n, 20]).wait(SECOND / 10);
      quiet(story, 3);
      return outline(await scanned(story, [], { baseline: MINUTE })).filter((line) => line.includes('sell'));
    };
    expect(await rise(0)).toEqual([]);
    expect(await rise(10)).toEqual(['onset sell', 'end sell faded']);
  });

  test('needs a baseline, also of a tape that is calm to the end', async () => {
    const early = calm(false, 15);
    quote(early, 150);
    quiet(early, 4);
    expect(outline(await scanned(early))).toEqual([]);
    expect(outline(await scanned(calm()))).toEqual([]);
  });

  test('is measured by the baseline of its onset, which it does not raise', async () => {
    const story = calm();
    const { tape } = story;
    // prices rise faster and faster
    for (let n = 0; n < 120; n++) tape.quote([1001 + n, 20], [1002 + n, 20]).wait(Math.round(SECOND / (2 + n / 5)));
    quiet(story, 4);
    const points = (await scanned(story)).signals.map(({ id, phase, evidence }) => {
      return { id, phase, x: Number(evidence.ofi_depth), z: Number(evidence.z) };
    });
    expect(new Set(points.map(({ id }) => id)).size).toBe(1);
    const [first, ...others] = points;
    expect(others.filter(({ phase }) => phase === 'update').length).toBeGreaterThan(3);
    // one straight line for all: the baseline of the end has seen half a minute of it
    const slope = (others[0].z - first.z) / (others[0].x - first.x);
    for (const { x, z } of others) expect((z - first.z) / (x - first.x)).toBeCloseTo(slope, 3);
  });

  test.each([
    ['best quotes', 'bookTicker'],
    ['the book', 'depth'],
  ])('ends with a gap of %s, and what is usual has to be learnt anew', async (_, stream) => {
    const story = calm();
    const { tape } = story;
    quote(story, 300);
    quiet(story, 1.2);
    tape.entry({ gap: { stream, from: tape.t, reason: 'silence' } });
    if (stream === 'depth') tape.snapshot([[1000, 20]], [[1001, 20]]);
    quote(story, -200);
    quiet(story, 6);
    quote(story, 900);
    quiet(story, 3);
    expect(outline(await scanned(story))).toEqual(['onset buy', 'end buy gap']);
  });

  test('is not ended by missing mark prices where quotes come from the book', async () => {
    const story = bookStory();
    story.tape.entry({ gap: { stream: 'markPrice', from: story.tape.t, reason: 'silence' } });
    quiet(story, 4);
    expect(outline(await scanned(story))).toEqual(['onset buy', 'end buy faded']);
  });
});

/** The same market told by its book alone, five levels of it. */
function bookStory(): Story {
  const tape = new TapeBuilder();
  const level = (n: number, size: number): [number, number] => [n, size];
  const side = (first: number, sign: number): [number, number][] =>
    Array.from({ length: 5 }, (_, n) => level(first + sign * n, n === 0 ? 200 : 20));
  tape.snapshot(side(1000, -1), side(1001, 1));
  const story: Story = { tape, told: [], size: 200, mirrored: false };
  const random = randomFrom(7);
  for (let n = 0; n < 120; n++) {
    tape.wait(SECOND / 2 - 1);
    story.size += Math.round(20 * (random() - 0.5)) || 3;
    tape.depth([level(1000, story.size)], []);
  }
  tape.depth([level(1000, story.size + 300), level(999, 60)], [level(1002, 10)]);
  quiet(story, 1.5);
  return story;
}

describe('from a book', () => {
  test('is proven where the book is', async () => {
    const { evidence, quality } = onset((await scanned(bookStory())).signals);
    expect([evidence.source, quality]).toEqual(['book', 'verified']);
  });

  test('levels_ofi sums levels, each by its own depth; it changes no onset', async () => {
    const onsetWith = async (levels: number): Promise<Signal> =>
      onset((await scanned(bookStory(), [`ofi.levels=${levels}`])).signals);
    const [one, two, five, six] = [await onsetWith(1), await onsetWith(2), await onsetWith(5), await onsetWith(6)];
    expect(one.evidence).not.toHaveProperty('levels_ofi');
    for (const other of [two, five, six]) expect([other.time, other.score]).toEqual([one.time, one.score]);
    // level 2 gained 40 bids and lost 10 asks; its depth went from 20 and 20 to 60 and 10, in the newest of the messages inside
    const { quotes, ofi_depth } = one.evidence;
    const second = 50 / ((20 * 2 * (Number(quotes) - 1) + 70) / (2 * Number(quotes)));
    expect(two.evidence.levels_ofi).toBeCloseTo(Number(ofi_depth) + second, 5);
    expect(five.evidence).toMatchObject({ levels: 5, levels_ofi: two.evidence.levels_ofi });
    // the book has five
    expect(six.evidence).toMatchObject({ levels: 6, levels_ofi: null });
  });

  test('integrated_ofi weighs them as an earlier tape taught, from its end on', async () => {
    const onsetWith = async (weights: number[], { to = 1, seconds = 2 } = {}): Promise<Signal> => {
      const ofi = { window_ms: seconds * 1000, windows: 60, explained: 1, weights };
      const fits: Fit[] = [{ src: 'binance-usdm:BTCUSDT', from: 0, to, tick: '0.1', microprice: null, ofi }];
      return onset((await scanned(bookStory(), ['ofi.levels=2'], { fits })).signals);
    };
    const { evidence, time, score } = await onsetWith([0.7, -0.3]);
    const [first, second] = [Number(evidence.ofi_depth), Number(evidence.levels_ofi) - Number(evidence.ofi_depth)];
    expect(evidence.integrated_ofi).toBeCloseTo(0.7 * first - 0.3 * second, 5);
    expect((await onsetWith([1])).evidence.integrated_ofi).toBe(evidence.ofi_depth);
    // the book has five
    expect((await onsetWith([0.5, 0.1, 0.1, 0.1, 0.1, 0.1])).evidence.integrated_ofi).toBeNull();
    expect((await onsetWith([1], { to: START + 10 * MINUTE })).evidence.integrated_ofi).toBeNull();
    expect((await onsetWith([1], { seconds: 3 })).evidence).not.toHaveProperty('integrated_ofi');
    const without = onset((await scanned(bookStory(), ['ofi.levels=2'])).signals);
    expect([without.time, without.score]).toEqual([time, score]);
    expect(without.evidence).not.toHaveProperty('integrated_ofi');
  });
});

test('minutes scanned one by one, each after its look-back, are the whole, also where quotes are rare', async () => {
  const times = { unit: MINUTE, baseline: MINUTE, htf: MINUTE, warmup: 20 * SECOND };
  const set = ['ofi.window=20s', 'ofi.on=0.5', 'ofi.least=0.01', 'ofi.hold=0s'];
  const given = { detect, ...times, set };
  let said = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomFrom(seed);
    const tape = new TapeBuilder({ beside: ['bookTicker'] }).snapshot([[1000, 20]], [[1001, 20]]);
    for (let until = 0; tape.t < START + 7 * MINUTE; tape.wait(SECOND / 10).clock()) {
      if (tape.t < until) continue;
      tape.quote([1000, 1 + Math.floor(50 * random())], [1001, 20]);
      until = tape.t + SECOND * (random() < 0.3 ? 20 + 14 * random() : random());
    }
    const { lines } = tape;
    const whole = await scanLines(lines, given);
    said += whole.lines.length;
    const parts: string[] = [];
    for (let unit = START; unit < tape.t; unit += MINUTE) {
      const range = { from: unit, to: unit + MINUTE };
      const start = readingStart(settingsOf({ ...given, ...range }), unit);
      const known = lines.filter((line) => !line.includes('"e":"bookTicker"') || Number(line.slice(5, 21)) >= start);
      parts.push(...(await scanLines(known, { ...given, ...range })).lines);
    }
    expect(parts).toEqual(whole.lines);
  }
  expect(said).toBeGreaterThan(100);
});
