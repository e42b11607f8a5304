/** What closed bars leave behind: naked points of control and stacks, until price comes to them, or passes. */
import { describe, expect, test } from 'vitest';
import { BarZones } from '../../src/market/bar-zones.js';
import { ladder, MINUTE, START, TapeBuilder } from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

type Print = [price: number, size: number, side?: 1 | -1 | undefined];

/** Bars of a minute; prices are ticks. */
class Bars {
  readonly tape = new TapeBuilder();
  readonly player: MarketPlayer;
  readonly #zones: BarZones;
  readonly #tick: number;

  constructor() {
    this.tape.snapshot(...ladder(1000, 10, 10));
    this.player = new MarketPlayer(this.tape);
    this.#tick = this.player.market.track.book.tick;
    this.#zones = new BarZones(this.player.market, MINUTE);
  }

  prints(...prints: Print[]): this {
    for (const [price, size, side = 1] of prints) this.tape.wait(1000).trade(side, price, size);
    this.player.play();
    return this;
  }

  /** The running bar is over. */
  close(): this {
    this.tape.t = START + (Math.floor((this.tape.t - START) / MINUTE) + 1) * MINUTE + 1;
    this.tape.clock();
    this.player.play();
    return this;
  }

  bar(...prints: Print[]): this {
    return this.prints(...prints).close();
  }

  /** Ticks from a mid to the points of control above and below; null where there is none. */
  pocs(mid: number): (number | null)[] {
    const { pocAbove, pocBelow } = this.#nearest(mid);
    return [pocAbove, pocBelow].map((twice) => this.#ticks(twice));
  }

  /** The same to the stacks. */
  stacks(mid: number): (number | null)[] {
    const { stackAbove, stackBelow } = this.#nearest(mid);
    return [stackAbove, stackBelow].map((twice) => this.#ticks(twice));
  }

  #nearest(mid: number) {
    return this.#zones.nearest(2 * mid * this.#tick);
  }

  #ticks(twice: number): number | null {
    return Number.isNaN(twice) ? null : twice / 2 / this.#tick;
  }
}

describe('a naked point of control', () => {
  const bars = (): Bars => new Bars().prints([1000, 1], [1005, 9], [1010, 2]);

  test('is there when its bar is closed, not before', () => {
    expect(bars().pocs(1010.5)).toEqual([null, null]);
    expect(bars().close().pocs(1010.5)).toEqual([null, 5.5]);
    expect(bars().close().pocs(1002)).toEqual([3, null]);
    expect(bars().close().pocs(1005)).toEqual([0, 0]);
  });

  test('stands until something is printed at it, in whichever bar', () => {
    expect(bars().close().prints([1006, 1]).pocs(1010.5)).toEqual([null, 5.5]);
    expect(bars().close().prints([1006, 1], [1005, 1]).pocs(1010.5)).toEqual([null, null]);
    const later = bars().close().bar([1007, 1]);
    expect(later.pocs(1010.5)).toEqual([null, 3.5]);
    expect(later.pocs(1004)).toEqual([1, null]);
    // the newer one is gone too
    expect(later.prints([1005, 1], [1006, 1]).pocs(1010.5)).toEqual([null, 3.5]);
    expect(later.bar([1007, 1], [1003, 9], [1002, 1]).pocs(1010.5)).toEqual([null, 7.5]);
  });

  test('is gone where price jumped to its other side, within a bar or between two', () => {
    expect(bars().close().prints([1009, 1], [1004, 1]).pocs(1010.5)).toEqual([null, null]);
    expect(bars().close().prints([1004, 1]).pocs(1010.5)).toEqual([null, null]);
    // 1008 is where that bar closed, and nobody came back to it
    expect(bars().close().bar([1008, 1]).prints([1004, 1]).pocs(1010.5)).toEqual([null, 2.5]);
  });

  test('that the bar closed at is left by the next print, to either side', () => {
    const one = (): Bars => new Bars().bar([1000, 5]);
    expect(one().prints([1004, 1]).pocs(1004.5)).toEqual([null, 4.5]);
    expect(one().prints([996, 1]).pocs(996.5)).toEqual([3.5, null]);
    expect(one().prints([1000, 1]).pocs(1000.5)).toEqual([null, null]);
    expect(one().prints([1004, 1], [999, 1]).pocs(1000.5)).toEqual([null, null]);
  });

  test('of bars without a print there is none, and the others stand', () => {
    expect(bars().close().close().close().pocs(1010.5)).toEqual([null, 5.5]);
  });

  test('is not known across missing trades, nor of the bar that they are missing in', () => {
    const torn = bars().close();
    torn.tape.trade(1, 1008, 3, { lost: 1 });
    torn.player.play();
    expect(torn.pocs(1010.5)).toEqual([null, null]);
    expect(torn.close().pocs(1010.5)).toEqual([null, null]);
    expect(torn.bar([1009, 1]).pocs(1010.5)).toEqual([null, 1.5]);
  });

  test('of a bar that began before the look-back of a unit plays no role in it', () => {
    const { market } = bars().player;
    const within = (unit: number): (number | null)[] => {
      const one = bars().close();
      one.player.market.beginUnit(unit);
      return one.pocs(1010.5);
    };
    expect(within(START + market.options.lookback)).toEqual([null, 5.5]);
    expect(within(START + market.options.lookback + 1)).toEqual([null, null]);
  });

  test('is one of the newest 64', () => {
    const many = new Bars();
    for (let n = 0; n < 70; n++) many.bar([1000 + 2 * n, 9], [1001 + 2 * n, 1]);
    expect(many.pocs(1000)).toEqual([12, null]);
  });
});

describe('a stack', () => {
  /** The hand table of a bar whose buys are imbalanced at 1001, 1002 and 1003, and that ends at `close`; `side` -1 mirrors it. */
  const table = (close: number, side: 1 | -1 = 1): Print[] => {
    const rows: [at: number, buy: number, sell: number][] = [
      [0, 2, 9],
      [1, 30, 1],
      [2, 12, 1],
      [3, 9, 1],
      [4, 0, 5],
    ];
    const at = (place: number): number => 1000 + (side > 0 ? place : 4 - place);
    const prints = rows.flatMap(([place, buy, sell]): Print[] => [
      [at(place), buy, side],
      [at(place), sell, -side as 1 | -1],
    ]);
    const last = prints.filter(([price, size]) => size > 0 && price === close);
    return [...prints.filter(([price, size]) => size > 0 && price !== close), ...last];
  };

  test('of buys stands below, of sells above; zero inside', () => {
    expect(new Bars().prints(...table(1004)).stacks(1004.5)).toEqual([null, null]);
    const buys = new Bars().bar(...table(1004));
    expect([1004.5, 1002, 1000].map((mid) => buys.stacks(mid))).toEqual([
      [null, 1.5],
      [null, 0],
      [null, 0],
    ]);
    const sells = new Bars().bar(...table(1000, -1));
    expect([999.5, 1002, 1004].map((mid) => sells.stacks(mid))).toEqual([
      [1.5, null],
      [0, null],
      [0, null],
    ]);
  });

  test('stands while price comes back into it, and not once it has passed', () => {
    const buys = new Bars().bar(...table(1004));
    expect(buys.prints([1001, 1]).stacks(1004.5)).toEqual([null, 1.5]);
    expect(buys.close().stacks(1004.5)).toEqual([null, 1.5]);
    expect(buys.prints([1000, 1]).stacks(1004.5)).toEqual([null, null]);
    expect(buys.bar([1004, 1]).stacks(1004.5)).toEqual([null, null]);
    const sells = new Bars().bar(...table(1000, -1));
    expect(sells.prints([1003, 1]).stacks(999.5)).toEqual([1.5, null]);
    expect(sells.prints([1004, 1]).stacks(999.5)).toEqual([null, null]);
  });

  test('that price has passed when its bar is closed is none', () => {
    expect(new Bars().bar(...table(1000)).stacks(1004.5)).toEqual([null, null]);
    expect(new Bars().bar(...table(1004, -1)).stacks(999.5)).toEqual([null, null]);
  });

  test('is three in a row, each as large as the quantile 0.7 of its bar', () => {
    const without = (at: number): Print[] => table(1004).filter(([price]) => price !== at);
    expect(new Bars().bar(...without(1002)).stacks(1004.5)).toEqual([null, null]);
    const smaller = table(1004).map(([price, size, side]): Print => [price, size === 9 ? 8.999 : size, side]);
    expect(new Bars().bar(...smaller).stacks(1004.5)).toEqual([null, 1.5]);
    const alone = table(1004).map(
      ([price, size, side]): Print => [price, price === 1003 && size === 9 ? 8 : size, side],
    );
    expect(new Bars().bar(...alone).stacks(1004.5)).toEqual([null, null]);
  });

  test('is one of the newest 64', () => {
    const many = new Bars();
    const raised = (by: number): Print[] => table(1004).map(([price, size, side]): Print => [price + by, size, side]);
    for (let n = 0; n < 70; n++) many.bar(...raised(5 * n));
    expect(many.prints([1034, 1]).stacks(1034.5)).toEqual([null, 1.5]);
    expect(many.prints([1029, 1]).stacks(1029.5)).toEqual([null, null]);
  });

  test('is not known across missing trades, nor before the look-back of a unit', () => {
    const torn = new Bars().bar(...table(1004));
    torn.tape.trade(1, 1004, 3, { lost: 1 });
    torn.player.play();
    expect(torn.stacks(1004.5)).toEqual([null, null]);
    const old = new Bars().bar(...table(1004));
    old.player.market.beginUnit(START + old.player.market.options.lookback + 1);
    expect(old.stacks(1004.5)).toEqual([null, null]);
  });
});
