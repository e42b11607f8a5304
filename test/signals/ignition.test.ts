/** ignition on scripted tapes: the article's drive through three levels, what is none, and what ends it. */
import { describe, expect, test } from 'vitest';
import { formatTime } from '../../src/model/time.js';
import { type Level, type Scanned, SECOND, scanLines } from '../scan/tape-builder.js';
import { BID, OrderStory, type StoryOptions, TELLINGS } from './order-story.js';

const ASK = BID + 1;
/** Buys of 4, 6 and 5 at 100.1, 100.2 and 100.3, a fifth of a second apart; then bids up to 100.4. */
function drive(options: StoryOptions, between?: (story: OrderStory) => void): OrderStory {
  // the usual orders before it are no part of it
  const story = new OrderStory(options).quiet(2);
  story.buy([[ASK, 4]]).pause(200);
  between?.(story);
  story
    .buy([[ASK + 1, 6]])
    .pause(200)
    .buy([[ASK + 2, 5]]);
  return story.pause(50).bids([ASK + 3, 5]);
}

const outline = ({ signals }: Scanned): string[] =>
  signals.filter(({ phase }) => phase !== 'update').map(({ phase, reason }) => reason ?? phase);
const scan = (story: OrderStory, ...set: string[]): Promise<Scanned> => story.scanAll('ignition', set);

describe.each(TELLINGS)('%s', (_, options) => {
  const price = (ticks: number): number => (options.mirrored ? BID + ASK - ticks : ticks) / 10;

  test('three orders through 100.3 and a bid of 100.4: one onset with the known plan', async () => {
    const scanned = await scan(drive(options));
    expect(outline(scanned)).toEqual(['onset', 'eof']);
    const [{ side, price: point, plan, evidence, confirm }] = scanned.signals;
    expect([side, point]).toEqual([options.mirrored ? 'sell' : 'buy', price(ASK + 2)]);
    expect(plan).toMatchObject({
      ...{ entry: price(ASK + 8), stop: price(ASK + 1), stop_level: price(ASK + 1), stop_origin: price(BID) },
      ...{ target: price(ASK + 8), reward_bps: 0, touch_size: 20, warning: 'the target is no better than the entry' },
    });
    expect(evidence).toMatchObject({
      ...{ barrier: false, exhausted: 3, exhausted_size: 15, fell: 1, consumed_ratio: 1, groups: 3, size: 15 },
      ...{ opposite_size: 0, origin: price(ASK), wall_size: 20 },
    });
    expect(confirm).toMatchObject({ size: true, duration: false });
  });

  test('a sale of 40 % in between: none', async () => {
    expect(outline(await scan(drive(options, (story) => void story.print(-1, BID, 6).pause(20))))).toEqual([]);
    // a small one is none to speak of
    expect(outline(await scan(drive(options, (story) => void story.print(-1, BID, 0.5).pause(20))))[0]).toBe('onset');
  });

  test('price falls back behind the sweep point: invalidated', async () => {
    const fallen = drive(options)
      .quiet(1)
      .bids([ASK + 3, 0], [ASK, 5])
      .asks([ASK + 1, 3]);
    expect(outline(await scan(fallen))).toEqual(['onset', 'invalidated']);
    const traded = drive(options).quiet(1).print(-1, BID, 1);
    expect(outline(await scan(traded))).toEqual(['onset', 'invalidated']);
    // at the stop itself it holds
    const held = drive(options)
      .quiet(1)
      .print(-1, ASK + 1, 1);
    expect(outline(await scan(held))).toEqual(['onset', 'eof']);
  });

  test('a trade at the wall: target; ten seconds: age', async () => {
    // something is offered in front of the wall, so that there is a way to go
    const offered = (): OrderStory => {
      const story = new OrderStory(options)
        .quiet(2)
        .buy([[ASK, 4]])
        .pause(200);
      story
        .buy([[ASK + 1, 6]])
        .pause(200)
        .buy([[ASK + 2, 5]]);
      return story
        .pause(50)
        .asks([ASK + 4, 1])
        .bids([ASK + 3, 5])
        .quiet(1);
    };
    const scanned = await scan(offered().print(1, ASK + 8, 1));
    expect(outline(scanned)).toEqual(['onset', 'target']);
    expect(scanned.signals[0].plan).toMatchObject({
      entry: price(ASK + 4),
      target: price(ASK + 8),
      warning: null,
    });
    // who enters at the wall has nothing to reach
    expect(
      outline(
        await scan(
          drive(options)
            .quiet(1)
            .print(1, ASK + 8, 1),
        ),
      ),
    ).toEqual(['onset', 'eof']);
    expect(outline(await scan(drive(options).quiet(11)))).toEqual(['onset', 'age']);
  });

  test('a trade ends it when it comes, while its order still goes on', async () => {
    const story = drive(options).quiet(1);
    const { now: matched, tape } = story;
    const { t } = tape;
    story.print(-1, BID, 1, { matched }).pause(5);
    const scanned = await scan(story.print(-1, BID, 1, { matched }));
    expect(outline(scanned)).toEqual(['onset', 'invalidated']);
    expect(scanned.signals.at(-1)?.time).toBe(formatTime(t));
  });

  test('a print from before the break that comes after it is none against it', async () => {
    const late = drive(options);
    const before = late.now - 20;
    late.pause(5).print(-1, BID, 0.5, { matched: before });
    expect(outline(await scan(late))).toEqual(['onset', 'eof']);
    expect(outline(await scan(drive(options).pause(5).print(-1, BID, 0.5)))).toEqual(['onset', 'invalidated']);
  });

  test('what quotes did before the drive plays no role', async () => {
    const down = new OrderStory({
      ...options,
      asks: [
        [ASK, 4],
        [ASK + 1, 6],
        [ASK + 2, 5],
        [ASK + 8, 20],
        [ASK + 199, 1],
      ],
    }).quiet(2);
    // the whole book was higher until half a second ago
    down
      .asks([ASK, 0], [ASK + 1, 0], [ASK + 2, 0])
      .bids([ASK + 2, 5])
      .quiet(1);
    down
      .bids([ASK + 2, 0])
      .asks([ASK, 4], [ASK + 1, 6], [ASK + 2, 5])
      .pause(500);
    for (const [at, size] of [
      [ASK, 4],
      [ASK + 1, 6],
      [ASK + 2, 5],
    ] as const)
      down.buy([[at, size]]).pause(50);
    const at = down.bids([ASK + 3, 5]).tape.t;
    const { signals } = await scan(down);
    expect(signals[0]?.phase).toBe('onset');
    expect(signals[0].evidence.last).toBeLessThanOrEqual(at);
  });
});

describe('none', () => {
  test('two orders', async () => {
    const story = new OrderStory()
      .quiet(2)
      .buy([[ASK, 4]])
      .buy([
        [ASK + 1, 6],
        [ASK + 2, 5],
      ]);
    expect(outline(await scan(story.pause(50).bids([ASK + 3, 5])))).toEqual([]);
    const again = new OrderStory()
      .quiet(2)
      .buy([[ASK, 4]])
      .buy([
        [ASK + 1, 6],
        [ASK + 2, 5],
      ]);
    expect(outline(await scan(again.pause(50).bids([ASK + 3, 5]), 'groups=2'))[0]).toBe('onset');
  });

  test('levels that were pulled, not traded', async () => {
    const shows: Level[][] = [[ASK, ASK + 1, ASK + 2].map((price): Level => [price, 0])];
    const story = new OrderStory();
    for (let i = 0; i < 3; i++) story.buy([[ASK, 1]], i === 0 ? { shows } : { shows: [] }).pause(200);
    expect(outline(await scan(story.bids([ASK + 3, 5]), 'quantile=0.1'))).toEqual([]);
  });

  test('a bid that has not passed the sweep point, unless a trade has', async () => {
    const story = (): OrderStory => {
      const one = new OrderStory();
      for (const fill of [
        [ASK, 4],
        [ASK + 1, 6],
      ] as const)
        one.buy([[...fill]]).pause(200);
      return one.buy([[ASK + 2, 1]], { shows: [[[ASK + 2, 4]]] }).pause(50);
    };
    expect(outline(await scan(story().bids([ASK + 1, 5]), 'fell=0.4'))).toEqual([]);
    const by = await scan(story().bids([ASK + 1, 5]), 'fell=0.4', 'trigger=trade');
    expect(outline(by)[0]).toBe('onset');
    expect(by.signals[0].price).toBe((ASK + 1) / 10);
  });

  test('before the baseline is warm, or across a lost update', async () => {
    const { lines } = drive({}).quiet().tape;
    expect(outline(await scanLines(lines, { detect: ['ignition'], warmup: 80 * SECOND }))).toEqual([]);
    const cut = drive({}, (story) => void story.tape.depth([], [], { lost: 1 }));
    expect(outline(await scan(cut))).toEqual([]);
  });
});

test('a level that is still there is not exhausted, however much was traded at it', async () => {
  const story = new OrderStory()
    .quiet(2)
    .buy([[ASK, 4]])
    .pause(200);
  story
    .buy([[ASK + 1, 6]])
    .pause(200)
    .buy([[ASK + 2, 5]], { shows: [[[ASK + 2, 2]]] });
  const { signals } = await scan(story.pause(50), 'trigger=trade', 'consumed=0.7');
  expect(signals[0]).toMatchObject({ price: (ASK + 1) / 10, evidence: { exhausted: 2, exhausted_size: 10 } });
});

test('a level that stands out among those exhausted is the sweep point', async () => {
  const asks: Level[] = [
    [ASK, 4],
    [ASK + 1, 20],
    [ASK + 2, 5],
    [ASK + 8, 20],
    [ASK + 199, 1],
  ];
  const story = new OrderStory({ asks });
  for (const [price, size] of asks.slice(0, 3)) story.buy([[price, size]]).pause(200);
  const { signals } = await scan(story.bids([ASK + 3, 5]));
  expect(signals[0]).toMatchObject({ price: (ASK + 1) / 10, evidence: { barrier: true, exhausted: 3 } });
});
