/** void-run on scripted tapes: the article's gap with a wall behind it, entered, crossed, left by its wall, and what is none. */
import { describe, expect, test } from 'vitest';
import { type Level, type Scanned, SECOND, scanLines } from '../scan/tape-builder.js';
import { BID, OrderStory, type StoryOptions, TELLINGS } from './order-story.js';

/** A touch at 100.1 whose near levels are full, so that a gap is unusual; the far ones are known. */
const ASK = BID + 1;
const full = (): Level[] => Array.from({ length: 60 }, (_, i): Level => [ASK + i, 2]);
const wall: Level = [ASK + 8, 20];

/** The asks between 100.3 and the wall of 20 at 100.9 go; 100.3 is the touch. */
function gap(options: StoryOptions): OrderStory {
  const story = new OrderStory({ ...options, asks: [...full(), [ASK + 199, 1]] });
  story.asks(wall).quiet(10);
  const gone = [0, 1, 3, 4, 5, 6, 7].map((i): Level => [ASK + i, 0]);
  return story
    .asks(...gone, [ASK + 2, 10])
    .bids([ASK, 5], [ASK - 1, 5])
    .quiet(1);
}

/** The story has no bids but its touch: that gap is none to measure by. */
const usual = ['quantile=0.4'];
const outline = ({ signals }: Scanned): string[] =>
  signals.filter(({ phase }) => phase !== 'update').map(({ phase, reason }) => reason ?? phase);
const scan = (story: OrderStory, ...set: string[]): Promise<Scanned> => story.scanAll('void-run', [...usual, ...set]);

describe.each(TELLINGS)('%s', (_, options) => {
  const price = (ticks: number): number => (options.mirrored ? BID + ASK - ticks : ticks) / 10;

  test('most of the touch is bought: one onset, target 100.8, stop 100.2', async () => {
    const scanned = await scan(gap(options).buy([[ASK + 2, 9]], { shows: [[[ASK + 2, 1]]] }));
    expect(outline(scanned)).toEqual(['onset', 'eof']);
    const [{ side, price: near, plan, evidence }] = scanned.signals;
    expect([side, near]).toEqual([options.mirrored ? 'sell' : 'buy', price(ASK + 2)]);
    expect(plan).toMatchObject({
      entry: price(ASK + 2),
      stop: price(ASK + 1),
      target: price(ASK + 7),
      rr: 5,
      touch_size: 1,
    });
    expect(evidence).toMatchObject({ kind: 'gap', far: price(ASK + 8), width_ticks: 6, wall_price: price(ASK + 8) });
    expect(evidence).toMatchObject({ wall_size: 20, wall_left: 1, travelled: 0 });
    expect(Number(evidence.wall_age_ms)).toBeGreaterThanOrEqual(5000);
  });

  test('all of it is bought: the entry is behind the target, and the plan says so', async () => {
    const { signals } = await scan(gap(options).buy([[ASK + 2, 10]]));
    expect(signals[0].plan).toMatchObject({ entry: price(ASK + 8), target: price(ASK + 7) });
    expect(signals[0].plan?.warning).toBe('the target is no better than the entry');
  });

  test('it ends where price reaches the wall, where it falls back, where the wall goes, or with its age', async () => {
    const run = (): OrderStory =>
      gap(options)
        .buy([[ASK + 2, 10]])
        .bids([ASK + 3, 5])
        .quiet(1);
    const reached = await scan(run().bids([ASK + 7, 5]));
    expect(outline(reached)).toEqual(['onset', 'reached_wall']);
    expect(reached.signals.at(-1)?.evidence).toMatchObject({ travelled: 1 });
    expect(outline(await scan(run().print(-1, ASK + 1, 1)))).toEqual(['onset', 'stop']);
    const pulled = await scan(run().asks([ASK + 8, 3], [ASK + 9, 0], [ASK + 10, 0], [ASK + 11, 0]));
    expect(outline(pulled)).toEqual(['onset', 'wall_pulled']);
    expect(pulled.signals.at(-1)?.evidence.travelled).toBe(0.2);
    expect(outline(await scan(run().quiet(31)))).toEqual(['onset', 'age']);
  });
});

describe('none', () => {
  test('a better offer in front of the void is taken, and nothing of the void', async () => {
    const story = gap({})
      .asks([ASK + 1, 9])
      .bids([ASK, 0])
      .quiet(0.1)
      .buy([[ASK + 1, 9]]);
    expect(outline(await scan(story))).toEqual([]);
  });

  test('a void that is a small part of the way to the wall', async () => {
    const far = new OrderStory({ asks: [...full(), [ASK + 199, 1]] });
    far.asks([ASK + 20, 40]).quiet(10);
    const gone = [0, 1, 3, 4, 5, 6, 7].map((i): Level => [ASK + i, 0]);
    far
      .asks(...gone, [ASK + 2, 10])
      .bids([ASK, 5])
      .quiet(1);
    const bought = far.buy([[ASK + 2, 9]], { shows: [[[ASK + 2, 1]]] });
    expect(outline(await scan(bought))).toEqual([]);
    expect(outline(await scan(bought, 'share=0.2'))[0]).toBe('onset');
  });

  test('too small an order at the touch', async () => {
    expect(outline(await scan(gap({}).buy([[ASK + 2, 7]], { shows: [[[ASK + 2, 3]]] })))).toEqual([]);
  });

  test('no wall behind it, or one that is too young', async () => {
    const young = new OrderStory({ asks: [...full(), [ASK + 199, 1]] });
    const gone = [0, 1, 3, 4, 5, 6, 7].map((i): Level => [ASK + i, 0]);
    young
      .quiet(10)
      .asks(...gone, [ASK + 2, 10])
      .quiet(1);
    expect(outline(await scan(young.buy([[ASK + 2, 10]])))).toEqual([]);
  });

  test('a void that has not stood long enough, and one that was filled again', async () => {
    expect(outline(await scan(gap({}).buy([[ASK + 2, 10]]), 'hold=3s'))).toEqual([]);
    const filled = gap({})
      .asks(...[3, 4, 5, 6, 7].map((i): Level => [ASK + i, 2]))
      .quiet(1);
    expect(outline(await scan(filled.buy([[ASK + 2, 10]])))).toEqual([]);
  });

  test('before the baselines are warm, or behind a lost update', async () => {
    const { lines } = gap({})
      .buy([[ASK + 2, 10]])
      .quiet().tape;
    expect(
      outline(await scanLines(lines, { detect: ['void-run'], warmup: 100 * SECOND, set: ['void-run.quantile=0.4'] })),
    ).toEqual([]);
    const cut = gap({});
    cut.tape.depth([], [], { lost: 1 });
    expect(outline(await scan(cut.buy([[ASK + 2, 10]])))).toEqual([]);
  });
});
