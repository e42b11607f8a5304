/** liquidation-cascade on scripted tapes: several forced orders of a side and price that goes their way; what is none, and where it cannot be. */
import { describe, expect, test } from 'vitest';
import {
  MINUTE,
  type Scanned,
  SECOND,
  START,
  scanLines,
  TapeBuilder,
  type TestSettings,
} from '../scan/tape-builder.js';
import { bybitLines, type Row, type Rows } from './bybit-lines.js';
import { LOW, outline, type StoryOptions, TradeStory } from './trade-story.js';

const detect = ['liquidation-cascade'];
const beside = ['forceOrder'];

class Story extends TradeStory {
  constructor({ mirrored = false, tape = {} }: StoryOptions = {}) {
    super({ mirrored, tape: { beside, ...tape } });
  }

  /** From 120 on so many forced sales of `size`, one a second, each with the trade that fills it, a tick further down. */
  cascade(count: number, size: number, side: 1 | -1 = -1): this {
    for (let n = 0; n < count; n++)
      this.at(120 + n)
        .forced(side, LOW - n, size)
        .print(side, LOW - n, size);
    return this;
  }

  scan(set: string[] = [], given: TestSettings = {}): Promise<Scanned> {
    return scanLines(this.tape.lines, { detect, set, ...given });
  }
}

const onsets = async (story: Story, set: string[] = []): Promise<number> =>
  (await story.scan(set)).signals.filter(({ phase }) => phase === 'onset').length;

describe.each([
  ['long positions', false, 'sell', -1],
  ['short positions, mirrored', true, 'buy', 1],
] as const)('%s', (_, mirrored, side, sign) => {
  test('five small orders, one a second, while price goes their way', async () => {
    const scanned = await new Story({ mirrored }).cascade(5, 1).until(160).scan();
    // the fifth comes at 124; from 133 on fewer than two are in the window
    expect(outline(scanned)).toEqual([`124.0 onset ${side}`, `138.0 end ${side} faded`]);
    const [onset] = scanned.signals;
    // it is told with the order, before the trade that fills it
    const price = mirrored ? 100.7 : 99.7;
    expect([onset.price, onset.score, onset.quality]).toEqual([price, 1, 'unverifiable']);
    const first = mirrored ? 100.4 : 100;
    expect(onset.evidence).toEqual({
      ...{ liquidations: 5, liquidated_size: 5, opposite_size: 0, usual: 11 },
      // the usual sale a second from 114 to 119, and four
      ...{ flow_size: 10, flow_share: 0.5, move_bps: Math.round(((price - first) / first) * 1e10) / 1e6 },
      ...{ sampled: true, window_ms: 10_000 },
      ...{ recorder: 'test', first: START + 120 * SECOND, last: onset.evidence.last },
    });
    expect(Math.sign(Number(onset.evidence.move_bps))).toBe(sign);
  });

  test('two large ones are enough, one is not', async () => {
    // eleven a window are usual on a side
    const scanned = await new Story({ mirrored }).cascade(2, 6).until(122).scan(['liquidation-cascade.bps=1']);
    expect(outline(scanned)).toEqual([`121.0 onset ${side}`, `122.0 end ${side} eof`]);
    expect([scanned.signals[0].score, scanned.signals[0].evidence.liquidations]).toEqual([1.090909, 2]);
    expect(await onsets(new Story({ mirrored }).cascade(2, 4).until(122), ['liquidation-cascade.bps=1'])).toBe(0);
    expect(await onsets(new Story({ mirrored }).cascade(1, 60).until(122), ['liquidation-cascade.bps=1'])).toBe(0);
  });
});

describe('what is none', () => {
  test('one order too few, or too far apart', async () => {
    expect(await onsets(new Story().cascade(4, 1).until(125))).toBe(0);
    const slow = new Story();
    for (let n = 0; n < 6; n++)
      slow
        .at(120 + n * 3)
        .forced(-1, LOW - n, 1)
        .print(-1, LOW - n, 1);
    expect(await onsets(slow.until(140))).toBe(0);
  });

  test('both sides by turns', async () => {
    const story = new Story();
    for (let n = 0; n < 8; n++) story.at(120 + n).forced(n % 2 === 0 ? 1 : -1, LOW, 1);
    expect(await onsets(story.print(-1, LOW - 9, 1).until(130))).toBe(0);
  });

  test('price that stays, or goes the other way', async () => {
    const story = (price: number): Story => {
      const told = new Story();
      for (let n = 0; n < 6; n++) told.at(120 + n).forced(-1, LOW, 1);
      return told.print(-1, price, 1).until(127);
    };
    // the window's first print is of 100.1
    expect([await onsets(story(LOW + 1)), await onsets(story(LOW + 9)), await onsets(story(LOW - 9))]).toEqual([
      0, 0, 1,
    ]);
    const set = ['liquidation-cascade.bps=0'];
    expect([await onsets(story(LOW + 1), set), await onsets(story(LOW), set)]).toEqual([0, 1]);
    expect(await onsets(story(LOW - 4), ['liquidation-cascade.bps=49'])).toBe(1);
    expect(await onsets(story(LOW - 4), ['liquidation-cascade.bps=50'])).toBe(0);
  });

  test('a size below the one asked for, and orders that are not filled', async () => {
    expect(await onsets(new Story().cascade(5, 1), ['liquidation-cascade.volume=5'])).toBe(1);
    expect(await onsets(new Story().cascade(5, 1), ['liquidation-cascade.volume=6'])).toBe(0);
    const story = new Story();
    for (let n = 0; n < 6; n++) {
      story.at(120 + n).print(-1, LOW - n, 1);
      story.tape.liquidation(-1, LOW - n, 1, { state: 'NEW' });
    }
    expect(await onsets(story.until(127))).toBe(0);
  });
});

test('many are a cascade before anything is known to be usual', async () => {
  const [{ evidence }] = (await new Story().cascade(5, 1).scan([], { warmup: 10 * MINUTE })).signals;
  expect([evidence.usual, evidence.liquidations]).toEqual([null, 5]);
});

test('a loss of liquidations or of trades ends it; one of the book does not', async () => {
  const lost = (stream: string): Story => {
    const story = new Story().cascade(5, 1).at(125);
    const { lines } = story.tape;
    for (const [n, line] of lines.entries())
      if (line.includes('"e":"forceOrder"')) lines[n] = line.replace('"test.1"', '"test.2"');
    // the end of the connection they come by, the gap of which is told only when the next one speaks
    if (stream === 'close') story.tape.entry({ conn: 'test.2', close: { code: 1006, reason: '' } });
    else story.tape.entry({ gap: { stream, from: START, reason: 'silence' } });
    return story.until(127);
  };
  const end = async (stream: string): Promise<string> => outline(await lost(stream).scan())[1];
  expect(await end('forceOrder')).toBe('125.0 end sell gap');
  expect(await end('close')).toBe('125.0 end sell gap');
  expect(await end('trade')).toBe('125.0 end sell gap');
  expect(await end('depth')).toBe('127.0 end sell eof');
});

test('several in one message, of a venue that pushes all: looked at when the message is whole, and no sample', async () => {
  const calm = Array.from({ length: 100 }, (_, n): Rows => ({ at: 1 + n, kind: 'trades', rows: [[1, LOW, 1]] }));
  const lines = bybitLines([
    ...calm,
    { at: 101, kind: 'liquidations', rows: [1, 2, 3, 4].map((size): Row => [-1, LOW, size]) },
    {
      at: 101.5,
      kind: 'trades',
      rows: [
        [-1, LOW, 5],
        [-1, LOW - 5, 4],
        [-1, LOW - 9, 3],
      ],
    },
  ]);
  const { signals } = await scanLines(lines, { detect, set: ['liquidation-cascade.count=4'] });
  expect(signals.map(({ phase, side, price }) => [phase, side, price])).toEqual([
    ['onset', 'sell', 99.1],
    ['end', 'sell', 99.1],
  ]);
  expect(signals[0].evidence).toMatchObject({ liquidations: 4, liquidated_size: 10, flow_size: 12, sampled: false });
});

describe('where it cannot be', () => {
  const notesOf = async (lines: string[]): Promise<string[]> => (await scanLines(lines, { detect })).notes;
  const headed = (change: (header: { src: string; tape: Record<string, unknown> }) => void): string[] => {
    const { lines } = new TapeBuilder({ beside }).clock();
    const header = JSON.parse(lines[0]) as { src: string; tape: Record<string, unknown> };
    change(header);
    return [JSON.stringify(header), ...lines.slice(1).map((line) => line.replace('binance-usdm:BTCUSDT', header.src))];
  };

  test('a tape without the channel, and a venue without liquidations, are said once', async () => {
    expect(await notesOf(new TapeBuilder().clock().lines)).toEqual([
      'binance-usdm:BTCUSDT: liquidation-cascade is unsupported: the tape holds no forceOrder channel',
    ]);
    const spot = headed((header) => {
      header.src = 'binance-spot:BTCUSDT';
      Object.assign(header.tape, { venue: 'binance-spot', channels: ['depth', 'trade'] });
    });
    expect(await notesOf(spot)).toEqual([
      'binance-spot:BTCUSDT: liquidation-cascade is unsupported: binance-spot pushes no liquidations',
    ]);
    expect(await notesOf(new TapeBuilder({ beside }).clock().lines)).toEqual([]);
  });

  test('and not again in the next segment, though its instrument is another', async () => {
    const later = new TapeBuilder({ start: START + MINUTE, tick: '0.01' }).clock();
    const { notes, damage } = await scanLines([...new TapeBuilder().clock().lines, ...later.lines], { detect });
    expect([notes.length, damage]).toEqual([1, []]);
  });
});
