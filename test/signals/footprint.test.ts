/** footprint on scripted tapes with known answers: the table of the definition, what is just missed, and the life of a zone. */
import { describe, expect, test } from 'vitest';
import {
  MINUTE,
  type Scanned,
  SECOND,
  START,
  scanLines,
  type TapeOptions,
  type TestSettings,
} from '../scan/tape-builder.js';
import { bybitLines, type Row, type Rows } from './bybit-lines.js';
import { LOW, outline, type StoryOptions, TradeStory } from './trade-story.js';

/** The table: prices 100.0 to 100.4. */
const SELLS = [9, 1, 1, 1, 5];
const BUYS = [2, 30, 12, 9, 0];
/** Bins of a tick, and cells of 5. */
const plain = ['footprint.bps=0', 'footprint.quantile=0', 'footprint.volume=5'];

class Story extends TradeStory {
  scan(set: string[] = [], given: TestSettings = {}): Promise<Scanned> {
    return scanLines(this.tape.lines, { detect: ['footprint'], set: [...plain, ...set], ...given });
  }
}

/** The table in the half minute from 120 on, and that bar is complete. */
const tabled = (options: StoryOptions = {}): Story => new Story(options).at(121).table(BUYS, SELLS).until(150);

describe.each([
  ['buys', false, 'buy', 100.1],
  ['sells, mirrored', true, 'sell', 100.3],
] as const)('%s', (_, mirrored, side, edge) => {
  test('the table: one stack of three, told when the bar is complete', async () => {
    const story = new Story({ mirrored }).at(121).table(BUYS, SELLS).until(149.9);
    expect(outline(await story.scan())).toEqual([]);
    const scanned = await story.until(150).scan();
    expect(outline(scanned)).toEqual([`150.0 onset ${side}`, `150.0 end ${side} eof`]);
    const [{ price, score, quality, evidence }] = scanned.signals;
    const sign = mirrored ? -1 : 1;
    const [poc, low, high] = mirrored ? [100.3, 100.2, 100.4] : [100.1, 100, 100.2];
    expect([price, score, quality]).toEqual([edge, 1.935484, 'verified']);
    expect(evidence).toEqual({
      ...{ kind: 'stacked', bar: '2023-11-14T22:16:00.000000Z', bar_ms: 30_000, bars: 'time' },
      ...{ zone_low: 100.1, zone_high: 100.3, bin_ticks: 1, bins: 3, size: 51, opposed: 11 },
      ...{ buy_cells: mirrored ? 0 : 3, sell_cells: mirrored ? 3 : 0, cell_gate: 5 },
      ...{ delta: sign * 36, min_delta: mirrored ? -36 : -17, max_delta: mirrored ? 17 : 36, volume: 70, trades: 9 },
      ...{ poc, value_low: low, value_high: high, theta: 3, zero: 'floor', edge: 'none', retests: 0 },
      ...{ recorder: 'test', first: START + 121 * SECOND, last: START + 150 * SECOND },
    });
  });

  test('price leaves it, comes back, and at last goes through: retested, broken', async () => {
    const story = tabled({ mirrored });
    // 100.4 is not far enough to come back from; 100.0 is beyond
    for (const [second, price] of [
      [151, 1004],
      [152, 1003],
      [153, 1004],
      [153.5, 1005],
      [154, 1004],
      [155, 1003],
      [155.5, 1004],
      [156, 1001],
      [157, 1006],
      [158, 1002],
      [159, 1000],
    ])
      story.at(second).print(1, price, 1);
    const scanned = await story.until(170).scan();
    expect(outline(scanned)).toEqual([
      `150.0 onset ${side}`,
      `155.0 update ${side}`,
      `158.0 update ${side}`,
      `159.0 end ${side} broken`,
    ]);
    expect(scanned.signals.map(({ evidence }) => evidence.retests)).toEqual([0, 1, 2, 2]);
    expect(new Set(scanned.signals.map(({ id }) => id)).size).toBe(1);
  });

  test('a bar that closed beyond its stack, or whose next print is beyond, has none', async () => {
    const closed = new Story({ mirrored }).at(121).table(BUYS, SELLS).print(-1, LOW, 1).until(151);
    expect(outline(await closed.scan())).toEqual([]);
    const next = new Story({ mirrored }).at(121).table(BUYS, SELLS).at(150).print(-1, LOW, 1).until(151);
    expect(outline(await next.scan())).toEqual([]);
  });

  test('an unfinished auction at the end of the bar where both sides traded, until price goes on', async () => {
    const story = tabled({ mirrored })
      .at(152)
      .print(-1, LOW, 1)
      .at(153)
      .print(-1, LOW - 1, 1)
      .until(155);
    const scanned = await story.scan(['footprint.kind=unfinished']);
    const other = mirrored ? 'buy' : 'sell';
    expect(outline(scanned)).toEqual([`150.0 onset ${other}`, `152.0 update ${other}`, `153.0 end ${other} broken`]);
    const end = mirrored ? 100.4 : 100;
    expect(scanned.signals[0]).toMatchObject({ price: end, score: 0.222222 });
    expect(scanned.signals[0].evidence).toMatchObject({
      ...{ kind: 'unfinished', zone_low: end, zone_high: end, bins: 1, size: 11, opposed: 2 },
    });
    const both = await tabled({ mirrored }).scan(['footprint.kind=both']);
    expect(outline(both)).toEqual([
      ...['150.0 onset buy', '150.0 onset sell'],
      ...['150.0 end buy eof', '150.0 end sell eof'],
    ]);
  });
});

describe('what is just missed', () => {
  const onsets = async (story: Story, set: string[] = []): Promise<unknown[]> =>
    (await story.scan(set)).signals
      .filter(({ phase }) => phase === 'onset')
      .map(({ evidence }) => [evidence.zone_low, evidence.zone_high]);

  test('a ratio, a row, a size', async () => {
    expect(await onsets(tabled(), ['footprint.theta=3.33'])).toEqual([[100.1, 100.3]]);
    expect(await onsets(tabled(), ['footprint.theta=3.34'])).toEqual([]);
    expect(await onsets(tabled(), ['footprint.theta=3.34', 'footprint.stack=2'])).toEqual([[100.2, 100.3]]);
    expect(await onsets(tabled(), ['footprint.stack=4'])).toEqual([]);
    expect(await onsets(tabled(), ['footprint.volume=9'])).toEqual([[100.1, 100.3]]);
    expect(await onsets(tabled(), ['footprint.volume=10'])).toEqual([]);
  });

  test('a bin without a trade in the middle', async () => {
    const story = (buys: number[]): Story => new Story().at(121).table(buys, [1, 1, 1, 1, 1, 1, 1]).until(150);
    expect(await onsets(story([0, 9, 9, 0, 9, 9, 0]))).toEqual([]);
    expect(await onsets(story([0, 9, 9, 9, 0, 9, 0]))).toEqual([[100.1, 100.3]]);
  });

  test('empty cells on the diagonal, by rule', async () => {
    const story = (lot: string): Story => new Story({ tape: { lot } }).at(121).table(BUYS, [9, 0, 0, 1, 5]).until(150);
    const rules = ['ignore', 'floor', 'infinite'].map((zero) => [`footprint.zero=${zero}`]);
    expect(await Promise.all(rules.map((set) => onsets(story('0.001'), set)))).toEqual([
      [],
      [[100.1, 100.3]],
      [[100.1, 100.3]],
    ]);
    // 12 and 9 are not three times a lot of 10
    expect(await Promise.all(rules.map((set) => onsets(story('10'), set)))).toEqual([[], [], [[100.1, 100.3]]]);
  });

  test('usual cells: those of bars before, never its own', async () => {
    const gates = async (q: number, times: number): Promise<unknown[]> => {
      const [buys, sells] = [BUYS, SELLS].map((sizes) => sizes.map((size) => size * times));
      const story = new Story().at(121).table(buys, sells).until(150);
      const { signals } = await story.scan([`footprint.quantile=${q}`, 'footprint.volume=0']);
      return signals.filter(({ phase }) => phase === 'onset').map(({ evidence }) => evidence.cell_gate);
    };
    // four bars of cells 1, 30 and 30
    expect(await gates(1 / 3, 1)).toEqual([1]);
    expect(await gates(0.34, 1)).toEqual([]);
    expect(await gates(1, 4)).toEqual([30]);
    expect(await gates(1, 3)).toEqual([]);
  });

  test('usual cells: a bar of very many counts as one of 64', async () => {
    const wild = new Story().at(121);
    for (let n = 0; n < 640; n++) wild.print(1, LOW + 10 + n, 1);
    // its ten cells of 100 and those of the two minutes before outweigh it
    wild.at(151);
    for (let n = 0; n < 10; n++) wild.print(1, LOW + 10 + n, 100);
    const [buys, sells] = [BUYS, SELLS].map((sizes) => sizes.map((size) => size * 40));
    const { signals } = await wild.at(181).table(buys, sells).until(210).scan(['footprint.quantile=0.9']);
    // 12, 64 and 10 cells: the 78th of 86 in order of size
    expect(signals.map(({ evidence }) => evidence.cell_gate)).toEqual([100, 100]);
  });

  test('usual cells: what was complete before a loss is forgotten with the rest', async () => {
    const story = new Story()
      .at(150.2)
      .print(1, LOW + 1, 500)
      .print(1, LOW + 1, 500);
    // complete, and not part of the baseline yet
    story
      .at(150.5)
      .print(1, LOW + 1, 1, { lost: 1 })
      .at(181)
      .print(1, LOW + 1, 30)
      .print(-1, LOW, 30);
    const [buys, sells] = [BUYS, SELLS].map((sizes) => sizes.map((size) => size * 4));
    story.at(211).table(buys, sells).until(240);
    const given = { warmup: SECOND };
    const gates = async (quantile: number): Promise<unknown[]> =>
      (
        await story.scan(['footprint.bars=volume', 'footprint.size=280', `footprint.quantile=${quantile}`], given)
      ).signals
        .filter(({ phase }) => phase === 'onset')
        .map(({ evidence }) => evidence.cell_gate);
    expect(await gates(1)).toEqual([30]);
  });

  test('usual cells: those of the whole minutes of the baseline, also for a bar that ends with a minute', async () => {
    const onsets = async (baseline: number): Promise<number> => {
      const [buys, sells] = [BUYS, SELLS].map((sizes) => sizes.map((size) => size * 4));
      // a large cell in the minute before the last one
      const story = new Story()
        .at(121)
        .print(1, LOW + 1, 500)
        .at(181)
        .print(1, LOW + 1, 30);
      story.at(211).table(buys, sells).until(240);
      const { signals } = await story.scan(['footprint.quantile=1'], { baseline, warmup: SECOND });
      return signals.filter(({ phase }) => phase === 'onset').length;
    };
    expect([await onsets(MINUTE), await onsets(2 * MINUTE)]).toEqual([1, 0]);
  });

  test('a cold baseline', async () => {
    const tape = new Story();
    const early = tape.tape.lines.filter((line) => Number(line.slice(5, 21)) >= START + 70 * SECOND);
    const story = tabled();
    const lines = [story.tape.lines[0], ...early, ...story.tape.lines.slice(tape.tape.lines.length)];
    const scan = (warmup: number): Promise<Scanned> => scanLines(lines, { detect: ['footprint'], set: plain, warmup });
    expect([outline(await scan(60 * SECOND)).length, outline(await scan(90 * SECOND)).length]).toEqual([2, 0]);
  });
});

describe('bars', () => {
  test('by trades and by volume: told with the print that completes them', async () => {
    for (const set of [
      ['footprint.bars=trades', 'footprint.trades=9'],
      ['footprint.bars=volume', 'footprint.size=70'],
    ]) {
      const scanned = await new Story().at(121).table(BUYS, SELLS).until(122).scan(set);
      expect(outline(scanned)).toEqual(['121.0 onset buy', '122.0 end buy eof']);
      const [{ evidence }] = scanned.signals;
      expect(evidence).toMatchObject({ bar: '2023-11-14T22:16:01.000000Z', bar_ms: 0.008, trades: 9, size: 51 });
      expect(evidence.bars).toBe(set[0].slice(15));
    }
  });

  test('several of one message, on a venue that sends many trades in one: each is told, when the message is whole', async () => {
    const rows = [
      ...SELLS.map((size, i): Row => [-1, LOW + i, size]),
      ...BUYS.map((size, i): Row => [1, LOW + i, size]),
    ];
    const table = rows.filter(([, , size]) => size > 0);
    const calm = Array.from({ length: 99 }, (_, n): Rows => ({ at: 1 + n, kind: 'trades', rows: [[1, LOW, 1]] }));
    // the last two prints are no bar
    const lines = bybitLines([...calm, { at: 120, kind: 'trades', rows: [...table, ...table, ...table.slice(0, 2)] }]);
    const set = [...plain, 'footprint.bars=trades', 'footprint.trades=9', 'footprint.volume=5'];
    const scanned = await scanLines(lines, { detect: ['footprint'], set });
    expect(outline(scanned)).toEqual([]); // a sale at 100.0 follows, below both
    const higher = table.map(([side, price, size]): Row => [side, price + 4, size]);
    const rising = bybitLines([...calm, { at: 120, kind: 'trades', rows: [...table, ...higher] }]);
    const both = await scanLines(rising, { detect: ['footprint'], set });
    expect(outline(both).slice(0, 2)).toEqual(['120.0 onset buy', '120.0 onset buy']);
    expect(
      both.signals
        .slice(0, 2)
        .map(({ evidence }) => evidence.zone_low)
        .sort(),
    ).toEqual([100.1, 100.5]);
    expect(new Set(both.signals.map(({ id }) => id)).size).toBe(2);
  });

  test('bins of basis points: two ticks of the table are one bin', async () => {
    const [buys, sells] = [BUYS, SELLS].map((sizes) => sizes.map((size) => size * 4));
    const story = new Story().at(121).table(buys, sells, { step: 2 }).until(150);
    const [{ evidence }] = (await story.scan(['footprint.bps=20'])).signals;
    expect(evidence).toMatchObject({ bin_ticks: 2, zone_low: 100.2, zone_high: 100.7, bins: 3, size: 204 });
    expect((await story.scan(['footprint.bps=200'])).signals).toEqual([]);
  });

  test('one that lacks trades tells nothing; the next whole one does', async () => {
    const story = new Story()
      .at(121)
      .table(BUYS, SELLS)
      .print(1, LOW + 1, 1, { lost: 1 })
      .until(150);
    story.at(151).table(BUYS, SELLS).until(180).at(181);
    expect(outline(await story.scan([], { warmup: 0 }))).toEqual([]); // the baseline is empty after the loss
    story.table(BUYS, SELLS).until(210);
    expect(outline(await story.scan([], { warmup: SECOND }))).toEqual(['210.0 onset buy', '210.0 end buy eof']);
  });
});

describe('how zones end', () => {
  test('age, the hour, a gap', async () => {
    expect(outline(await tabled().until(175).scan(['footprint.age=20s']))).toEqual([
      ...['150.0 onset buy', '170.0 end buy age'],
    ]);
    expect(outline(await tabled().until(190).scan([], { unit: MINUTE }))).toEqual([
      ...['150.0 onset buy', '180.0 end buy hour'],
    ]);
    const lost = await tabled()
      .at(160)
      .print(1, LOW + 2, 1, { lost: 3 })
      .until(170)
      .scan();
    expect(outline(lost)).toEqual(['150.0 onset buy', '160.0 end buy gap']);
    expect(lost.signals[1].quality).toBe('suspect');
  });

  test('so many zones at most: the oldest make room', async () => {
    const story = new Story();
    // each table stands above the zone of the one before
    for (let n = 0; n < 70; n++) story.at(120 + n * 2).table(BUYS, SELLS, { low: LOW + 5 * n });
    const scanned = await story.until(270).scan(['footprint.span=2s', 'footprint.age=1h']);
    const ends = scanned.signals.filter(({ reason }) => reason === 'age');
    const onsets = scanned.signals.filter(({ phase }) => phase === 'onset');
    expect([onsets.length, ends.length]).toEqual([70, 6]);
    expect(ends.map(({ id }) => id)).toEqual(onsets.slice(0, ends.length).map(({ id }) => id));
  });
});

test('neither scale nor unit of prices and sizes changes a time, a count or a score', async () => {
  const facts = ({ signals }: Scanned): unknown[] =>
    signals.map(({ time, phase, side, score, evidence: { bins, bin_ticks, trades, buy_cells, sell_cells } }) => [
      ...[time, phase, side, score, bins, bin_ticks, trades, buy_cells, sell_cells],
    ]);
  const scan = (tape: TapeOptions): Promise<Scanned> =>
    scanLines(tabled({ tape }).tape.lines, {
      detect: ['footprint'],
      set: ['footprint.bps=0', 'footprint.quantile=0.3'],
    });
  const known = facts(await scan({}));
  expect(known).toHaveLength(2);
  // a lot is a thousandth of a unit on all scales
  const tiny: TapeOptions = {
    ...{ tick: '0.0000001', lot: '0.000001' },
    price: (ticks) => `0.000${String(ticks).padStart(4, '0')}`,
    size: (size) => (size / 1000).toFixed(6),
  };
  const huge: TapeOptions = {
    ...{ tick: '100000', lot: '1000' },
    price: (ticks) => `${ticks}00000`,
    size: (size) => `${size}e6`,
  };
  for (const tape of [tiny, huge]) expect(facts(await scan(tape))).toEqual(known);
});
