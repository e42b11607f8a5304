/** Distances to zones, as signals tell of them: known answers, no look-ahead, parts of a day as the whole, and mirrors. */
import { describe, expect, test } from 'vitest';
import { Zones } from '../../src/market/zones.js';
import type { Evidence, Signal } from '../../src/model/signal.js';
import { formatTime } from '../../src/model/time.js';
import { readingStart } from '../../src/scan/settings.js';
import { randomTape } from '../scan/random-tape.js';
import {
  type Level,
  ladder,
  MINUTE,
  SECOND,
  scanLines,
  settingsOf,
  TapeBuilder,
  type TestSettings,
} from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

const HOUR = 60 * MINUTE;
/** A midnight; tapes begin before it, so that the first bar and session are whole. */
const DAY = 1_700_006_400_000_000;

/** A book that leans one way and then the other every few seconds makes a detector speak. */
const chatty: TestSettings = {
  detect: ['book-imbalance'],
  warmup: 20 * SECOND,
  baseline: MINUTE,
  htf: MINUTE,
  set: ['book-imbalance.window=100ms', 'book-imbalance.hold=0s', 'book-imbalance.levels=1'],
};

/** A market at 1000 and 1001 whose touch leans, with a print of its own now and then. */
class Leaning {
  readonly tape = new TapeBuilder({ start: DAY - SECOND });

  constructor() {
    this.tape.snapshot(...ladder(1000, 10, 10, 30));
  }

  /** Goes on to a second of the day, then leans for so many. */
  lean(from: number, seconds: number): this {
    for (let n = 0; n < seconds; n++) {
      this.tape.t = DAY + (from + n) * SECOND + 1000;
      this.tape.depth([[1000, n % 4 < 2 ? 40 : 10]], [[1001, n % 4 < 2 ? 10 : 40]]);
    }
    return this;
  }

  print(second: number, price: number, size: number, side: 1 | -1 = 1): this {
    this.tape.t = DAY + second * SECOND + 2000;
    this.tape.trade(side, price, size);
    return this;
  }
}

const zonesOf = ({ context }: Signal): Evidence => (context.zones ?? {}) as Evidence;
const second = ({ time }: Signal): number => (Date.parse(time) * 1000 - DAY) / SECOND;

/** What is told of zones from one second of the day to another: each thing once. */
async function told(tape: TapeBuilder, from: number, to: number, given: TestSettings = {}): Promise<Evidence[]> {
  const { signals } = await scanLines(tape.lines, { ...chatty, ...given });
  const zones = signals.filter((one) => second(one) >= from && second(one) < to).map(zonesOf);
  return [...new Set(zones.map((one) => JSON.stringify(one)))].map((text) => JSON.parse(text) as Evidence);
}

/** Bps of the mid 1000.5 that so many ticks are, as signals have them. */
const bps = (ticks: number): number => Number(((ticks / 1000.5) * 1e4).toFixed(6));

describe('known answers', () => {
  test('a wall counts once it is a minute old, and no more when it is gone', async () => {
    const market = new Leaning().lean(0, 30);
    market.tape.depth([[997, 90]], [[1003, 80]]);
    market.lean(31, 89).tape.depth([], [[1003, 10]]);
    market.lean(121, 10);
    expect(await told(market.tape, 0, 90)).toEqual([{}]);
    expect(await told(market.tape, 90, 120)).toEqual([{ wall_above_bps: bps(2.5), wall_below_bps: bps(3.5) }]);
    expect(await told(market.tape, 121, 131)).toEqual([{ wall_below_bps: bps(3.5) }]);
  });

  test('the point of control and the stacks of a bar, from its end until they are printed at or passed', async () => {
    const rows: [price: number, buy: number, sell: number][] = [
      [1001, 2, 9],
      [1002, 40, 1],
      [1003, 12, 1],
      [1004, 9, 1],
      [1005, 0, 5],
    ];
    const market = new Leaning().lean(0, 9);
    for (const [price, buy, sell] of rows) {
      if (buy > 0) market.print(10, price, buy);
      market.print(10, price, sell, -1);
    }
    market.lean(11, 60).print(71, 1003, 1).lean(72, 8).print(80, 1002, 1).lean(81, 8).print(90, 1001, 1);
    market.lean(91, 28).lean(120, 20);
    expect(await told(market.tape, 0, 60)).toEqual([{}]);
    expect(await told(market.tape, 61, 80)).toEqual([{ poc_above_bps: bps(1.5), stack_below_bps: 0 }]);
    expect(await told(market.tape, 81, 90)).toEqual([{ stack_below_bps: 0 }]);
    expect(await told(market.tape, 91, 120)).toEqual([{}]);
    // the second bar's, whose bins of most volume are one each: the middle one, and price is below it
    expect(await told(market.tape, 121, 140)).toEqual([{ poc_above_bps: bps(1.5) }]);
  });

  test('the range of the session before, where the unit holds it', async () => {
    const market = new Leaning()
      .lean(0, 30)
      .print(3600, 1010, 1)
      .print(7200, 980, 1)
      .lean(7 * 3600 - 60, 120);
    market.lean(13 * 3600, 60);
    const range = { prior_high_bps: bps(9.5), prior_low_bps: bps(20.5) };
    const day = { unit: 24 * HOUR };
    expect(await told(market.tape, 0, 7 * 3600, day)).toEqual([
      {},
      { poc_below_bps: bps(20.5), poc_above_bps: bps(9.5) },
    ]);
    const [first, ...others] = await told(market.tape, 7 * 3600, 8 * 3600, day);
    expect([first, others]).toEqual([expect.objectContaining(range), []]);
    for (const zones of await told(market.tape, 13 * 3600, 14 * 3600, day))
      expect(zones.prior_high_bps).toBeUndefined();
    for (const zones of await told(market.tape, 7 * 3600, 8 * 3600)) expect(zones.prior_high_bps).toBeUndefined();
    market
      .print(13 * 3600 + 61, 1020, 1)
      .print(14 * 3600, 1015, 1)
      .lean(21 * 3600, 60);
    // the mid is below all of it
    const below = { prior_high_bps: bps(19.5), prior_low_bps: bps(-14.5) };
    const late = await told(market.tape, 21 * 3600, 22 * 3600, day);
    expect(late).toEqual([expect.objectContaining(below)]);
  });

  test('nothing is told while the mid is not known', () => {
    const market = new Leaning();
    const player = new MarketPlayer(market.tape);
    const zones = new Zones(player.market, MINUTE);
    market.print(10, 1003, 1).lean(61, 9);
    player.play();
    expect(zones.context(market.tape.t)).toEqual({ poc_above_bps: bps(2.5) });
    const known = { poc_above_bps: bps(2.5) };
    const [, asks] = ladder(1000, 10, 10, 30);
    const without: Level[] = asks.map(([price]) => [price, 0]);
    const crossed: Level[] = [[1004, 1]];
    for (const [bids, levels] of [
      [[], without],
      [crossed, []],
    ] as [Level[], Level[]][]) {
      market.tape.depth(bids, levels);
      player.play();
      expect(zones.context(market.tape.t)).toBeUndefined();
      market.tape.depth([[1004, 0]], asks);
      player.play();
      expect(zones.context(market.tape.t)).toEqual(known);
    }
  });
});

describe('a day in parts', () => {
  /** Sixteen hours in which little happens but around the ends of sessions and units. */
  function day(): TapeBuilder {
    const market = new Leaning();
    for (let hour = 0; hour < 16; hour += 0.5) {
      const at = Math.floor(hour * 3600);
      market.lean(at, 20).print(at + 20, 1000 + (Math.floor(hour * 7) % 23), 1 + (at % 5));
      market.print(at + 21, 1000 - (Math.floor(hour * 5) % 19), 2).lean(at + 65, 20);
    }
    return market.tape;
  }
  const units = { ...chatty, unit: 8 * HOUR };

  test('units one by one are the whole', async () => {
    const { lines } = day();
    const whole = await scanLines(lines, units);
    const parts: string[] = [];
    for (let unit = DAY; unit < DAY + 16 * HOUR; unit += 8 * HOUR) {
      const range = { from: unit, to: unit + 8 * HOUR };
      const start = readingStart(settingsOf({ ...units, ...range }), unit);
      // trades of before are not read
      const blank = lines.map((line) =>
        Number(line.slice(5, 21)) >= start ? line : line.replace(/"msg":{"stream":"[a-z]*@trade.*/, '"msg":{"id":1}}'),
      );
      parts.push(...(await scanLines(blank, { ...units, ...range })).lines);
    }
    expect(parts).toEqual(whole.lines);
    const prior = whole.signals.filter((one) => zonesOf(one).prior_high_bps !== undefined).map(second);
    expect([Math.min(...prior) / 3600, Math.max(...prior) / 3600].map(Math.floor)).toEqual([7, 7]);
  });

  test('what is told at any time is told by a tape that ends there', async () => {
    const { lines } = day();
    const given = { ...units, unit: 24 * HOUR };
    const whole = await scanLines(lines, given);
    for (let cut = 200; cut < lines.length; cut += 300) {
      const part = await scanLines(lines.slice(0, cut), given);
      const limit = formatTime(Number(lines[cut - 1].slice(5, 21)));
      const isKnown = (line: string): boolean => line.slice(9, 36) <= limit && !line.includes('"reason":"eof"');
      expect(part.lines.filter(isKnown)).toEqual(whole.lines.filter(isKnown));
    }
    expect(whole.lines.filter((line) => line.includes('prior_high_bps')).length).toBeGreaterThan(50);
  });
});

test('mirrored tapes have mirrored points of control', async () => {
  // of equal bins as far from the middle the lower one is it, which has no mirror image: these seeds have none
  let count = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const tape = { seed, minutes: 4, quotes: true };
    const plain = await scanLines(randomTape(tape).lines, chatty);
    const mirrored = await scanLines(randomTape({ ...tape, mirrored: true }).lines, chatty);
    const facts = ({ signals }: { signals: Signal[] }, names: [string, string]): string[] =>
      signals.map((one) => {
        const spread = Number(one.context.spread_bps);
        const spreads = names.map((name) => (Number(zonesOf(one)[name]) / spread).toFixed(2));
        if (!spreads.includes('NaN')) count++;
        return `${one.time} ${one.phase} ${spreads.join(' ')}`;
      });
    expect(facts(mirrored, ['poc_below_bps', 'poc_above_bps'])).toEqual(
      facts(plain, ['poc_above_bps', 'poc_below_bps']),
    );
  }
  expect(count).toBeGreaterThan(20);
});
