/** absorption of kind D on scripted tapes: a heavy end of a bar, and price that comes back from it. */
import { describe, expect, test } from 'vitest';
import { MINUTE, type Scanned, SECOND, START, scanLines, type TestSettings } from '../scan/tape-builder.js';
import { LOW, outline, type StoryOptions, TradeStory } from './trade-story.js';

/** Bars of 10 s, bins of a tick, cells of 20, and price comes back by two ticks. */
const set = ['kind=D', 'window=10s', 'zone=0', 'quantile=0', 'volume=20', 'ticks=2', 'bps=0'].map(
  (one) => `absorption.${one}`,
);

class Story extends TradeStory {
  scan(more: string[] = [], given: TestSettings = {}): Promise<Scanned> {
    return scanLines(this.tape.lines, { detect: ['absorption'], set: [...set, ...more], ...given });
  }
}

/** In the bar from 120 on 40 are bought at 100.3, against `sold` a tick below. */
const pushed = (options: StoryOptions = {}, sold = 1): Story =>
  new Story(options)
    .at(121)
    .print(-1, LOW + 2, sold)
    .print(1, LOW + 3, 40);

describe.each([
  ['buys', false, 'sell', 'buys', 'ask', 100.3],
  ['sells, mirrored', true, 'buy', 'sells', 'bid', 100.1],
] as const)('%s', (_, mirrored, side, absorbed, passive, price) => {
  test('price comes back in the next bar: told then, and held', async () => {
    const story = pushed({ mirrored })
      .until(130)
      .at(131)
      .print(-1, LOW + 2, 1)
      .at(131.5);
    expect(outline(await story.scan())).toEqual([]);
    const scanned = await story
      .at(132)
      .print(-1, LOW + 1, 1)
      .until(140)
      .scan();
    expect(outline(scanned)).toEqual([`132.0 onset ${side}`, `135.0 end ${side} held`]);
    const [onset, end] = scanned.signals;
    expect([onset.price, onset.score, onset.quality, end.id]).toEqual([price, 2, 'verified', onset.id]);
    expect(onset.evidence).toEqual({
      ...{
        kind: 'D',
        absorbed,
        passive,
        volume: 40,
        usual: 20,
        absorbed_size: 40,
        level_low: price,
        level_high: price,
      },
      ...{ bar: '2023-11-14T22:16:00.000000Z', opposed: 1, reversal_ticks: 2, theta: 3, window_ms: 10_000 },
      ...{ recorder: 'test', first: START + 121 * SECOND, last: START + 132 * SECOND },
    });
  });

  test('the bar closes against it: told at its end', async () => {
    const story = pushed({ mirrored }).at(129).print(-1, LOW, 1).until(130);
    const [onset] = (await story.scan()).signals;
    expect(outline(await story.scan())[0]).toBe(`130.0 onset ${side}`);
    expect(onset.evidence.reversal_ticks).toBe(3);
  });

  test('price passes the end of the bar after it was told: broken', async () => {
    const story = pushed({ mirrored })
      .at(132)
      .print(-1, LOW + 1, 1);
    story
      .at(133)
      .print(1, LOW + 4, 1)
      .at(134)
      .print(1, LOW + 5, 1);
    expect(outline(await story.until(140).scan())).toEqual([`132.0 onset ${side}`, `134.0 end ${side} broken`]);
  });

  test('price goes on first: none', async () => {
    const story = pushed({ mirrored })
      .at(131)
      .print(1, LOW + 4, 1)
      .at(132)
      .print(-1, LOW, 1);
    expect(outline(await story.until(140).scan())).toEqual([]);
  });

  test('it does not wait longer than the next bar', async () => {
    const turned = async (second: number): Promise<number> =>
      (
        await pushed({ mirrored })
          .until(130)
          .at(second)
          .print(-1, LOW + 1, 1)
          .until(145)
          .scan()
      ).signals.length;
    expect([await turned(139.9), await turned(140)]).toEqual([2, 0]);
  });
});

test('for a second after its end none of the side is told, unless it is half as large again', async () => {
  const onsets = async (second: number, size: number): Promise<string[]> => {
    const story = pushed()
      .at(122.2)
      .print(-1, LOW + 1, 1)
      .until(second)
      .at(second + 0.5)
      .print(-1, LOW + 2, 1)
      .print(1, LOW + 3, size)
      .at(second + 0.9)
      .print(-1, LOW, 1);
    const scanned = await story.until(second + 2).scan(['absorption.window=1s', 'absorption.settle=0s']);
    return outline(scanned).filter((line) => line.includes('onset'));
  };
  expect(await onsets(122.25, 59)).toEqual(['122.2 onset sell']);
  expect(await onsets(122.25, 60)).toEqual(['122.2 onset sell', '123.2 onset sell']);
  expect(await onsets(123, 40)).toEqual(['122.2 onset sell', '124.0 onset sell']);
});

test('what is just missed: the size, the ratio, the end of the bar, the way back', async () => {
  const onsets = async (story: Story, more: string[] = []): Promise<number> =>
    (
      await story
        .until(130)
        .at(131)
        .print(-1, LOW + 1, 1)
        .until(132)
        .scan(more)
    ).signals.filter(({ phase }) => phase === 'onset').length;
  expect([await onsets(pushed()), await onsets(pushed(), ['absorption.volume=41'])]).toEqual([1, 0]);
  expect([await onsets(pushed({}, 13)), await onsets(pushed({}, 14))]).toEqual([1, 0]);
  expect([await onsets(pushed().print(1, LOW + 5, 1)), await onsets(pushed().print(1, LOW + 6, 1))]).toEqual([1, 0]);
  expect([await onsets(pushed(), ['absorption.ticks=3']), await onsets(pushed(), ['absorption.bps=20'])]).toEqual([
    0, 1,
  ]);
  expect(await onsets(pushed(), ['absorption.bps=30'])).toBe(0);
});

test('a bin of several ticks has to be left whole', async () => {
  const bins = ['absorption.zone=20', 'absorption.ticks=1'];
  const told = async (story: Story): Promise<number> => (await story.until(132).scan(bins)).signals.length;
  // 100.2 and 100.3 are one bin, and 100.0 and 100.1
  const bought = (): Story =>
    new Story()
      .at(121)
      .print(-1, LOW, 1)
      .print(1, LOW + 3, 40)
      .until(130);
  expect([await told(bought().print(-1, LOW + 2, 1)), await told(bought().print(-1, LOW + 1, 1))]).toEqual([0, 2]);
  const sold = (): Story =>
    new Story()
      .at(121)
      .print(-1, LOW, 20)
      .print(1, LOW + 3, 1)
      .print(-1, LOW, 20)
      .until(130);
  expect([await told(sold().print(1, LOW + 1, 1)), await told(sold().print(1, LOW + 2, 1))]).toEqual([0, 2]);
});

test('nothing is told before the baseline is warm', async () => {
  const story = pushed()
    .at(131)
    .print(-1, LOW + 1, 1)
    .until(132);
  const told = async (warmup: number): Promise<number> => (await story.scan([], { warmup })).signals.length;
  expect([await told(131 * SECOND), await told(132 * SECOND)]).toEqual([2, 0]);
});

test('a cell has to be above what is usual, and above the size asked for: as large is not enough', async () => {
  const story = pushed()
    .at(131)
    .print(-1, LOW + 1, 1)
    .until(132);
  const told = async (volume: number): Promise<unknown[]> =>
    (await story.scan([`absorption.volume=${volume}`])).signals.map(({ phase, score }) => [phase, score]);
  expect(await told(40)).toEqual([]);
  expect(await told(39.999)).toEqual([
    ['onset', 1.000025],
    ['end', 1.000025],
  ]);
  // in bars of half a minute usual cells are 30, 30 and 1
  const told30 = async (size: number): Promise<string[]> =>
    outline(
      await new Story()
        .at(120)
        .print(-1, LOW + 2, 1)
        .at(121)
        .print(1, LOW + 3, size)
        .at(152)
        .print(-1, LOW + 1, 1)
        .until(153)
        .scan(['absorption.window=30s', 'absorption.quantile=0.95', 'absorption.volume=0']),
    );
  expect([await told30(30), await told30(31)]).toEqual([[], ['152.0 onset sell', '153.0 end sell eof']]);
});

test('usual cells are those of bars before', async () => {
  // cells of ten seconds: 10 and 10, and now and then 1
  const story = pushed()
    .at(131)
    .print(-1, LOW + 1, 1)
    .until(132);
  const [{ evidence, score }] = (await story.scan(['absorption.volume=0', 'absorption.quantile=0.95'])).signals;
  expect([evidence.usual, score]).toEqual([10, 4]);
});

test('the hour and a gap end it', async () => {
  const told = (): Story =>
    pushed()
      .at(132)
      .print(-1, LOW + 1, 1);
  const late = new Story()
    .at(171)
    .print(-1, LOW + 2, 1)
    .print(1, LOW + 3, 40)
    .at(178)
    .print(-1, LOW, 1);
  // it closes at the boundary, in the next unit
  expect(outline(await late.until(185).scan([], { unit: MINUTE }))).toEqual([
    ...['180.0 onset sell', '183.0 end sell held'],
  ]);
  const long = ['absorption.settle=1m'];
  expect(outline(await told().until(185).scan(long, { unit: MINUTE }))).toEqual([
    ...['132.0 onset sell', '180.0 end sell hour'],
  ]);
  expect(outline(await told().at(133).print(1, LOW, 1, { lost: 1 }).scan(long))).toEqual([
    ...['132.0 onset sell', '133.0 end sell gap'],
  ]);
  // what waits rests on the trades that are missing
  expect(
    outline(
      await pushed()
        .at(131)
        .print(1, LOW + 2, 1, { lost: 1 })
        .at(132)
        .print(-1, LOW, 1)
        .scan(),
    ),
  ).toEqual([]);
});
