/** Walls: three times the median cell, among the heaviest of the last minutes, and old enough. */
import { describe, expect, test } from 'vitest';
import { ASK, BID } from '../../src/market/book.js';
import { type Walls, walls } from '../../src/market/walls.js';
import { type Level, ladder, SECOND, TapeBuilder } from '../scan/tape-builder.js';
import { MarketPlayer } from './market-player.js';

class Market {
  readonly tape = new TapeBuilder();
  readonly player: MarketPlayer;
  readonly walls: Walls;
  readonly #price: number;
  readonly #size: number;

  constructor(bid: number, levels: number) {
    this.tape.snapshot(...ladder(bid, 10, 10, levels));
    this.player = new MarketPlayer(this.tape);
    this.walls = walls(this.player.market);
    const { track } = this.player.market;
    this.#price = track.book.tick;
    this.#size = 10 ** track.scale.size;
    // what is done now is first looked at a second later
    this.quiet(31);
  }

  quiet(seconds: number): this {
    this.player.quiet(seconds);
    return this;
  }

  asks(...levels: Level[]): this {
    this.tape.depth([], levels);
    this.player.play();
    return this;
  }

  bids(...levels: Level[]): this {
    this.tape.depth(levels, []);
    this.player.play();
    return this;
  }

  /** Price, size and whole seconds of the next wall at `from` (ticks) or beyond. */
  next(side: 0 | 1, from: number, age?: number): number[] | null {
    const wall = this.walls.next(side, from * this.#price, age);
    return wall === null ? null : [wall.price / this.#price, wall.size / this.#size, Math.floor(wall.age / SECOND)];
  }
}

describe('a level a tick', () => {
  const market = (): Market => new Market(1000, 30);

  test('the nearest at a price or beyond, on each side', () => {
    const one = market().asks([1005, 40], [1010, 50]).bids([995, 60]).quiet(20);
    expect(one.next(ASK, 1001)).toEqual([1005, 40, 19]);
    expect(one.next(ASK, 1005)).toEqual([1005, 40, 19]);
    expect(one.next(ASK, 1006)).toEqual([1010, 50, 19]);
    expect(one.next(ASK, 1011)).toBeNull();
    expect(one.next(BID, 1000)).toEqual([995, 60, 19]);
    expect(one.next(BID, 994)).toBeNull();
  });

  test('three times the median cell, not less', () => {
    expect(market().asks([1005, 30]).quiet(20).next(ASK, 1001)).toEqual([1005, 30, 19]);
    expect(market().asks([1005, 29.999]).quiet(20).next(ASK, 1001)).toBeNull();
  });

  test('where many are heavy, only the heaviest twentieth of all that stood there are walls', () => {
    const many = market();
    for (let i = 0; i < 8; i++) many.asks([1002 + 3 * i, 41 + i]);
    many.quiet(290);
    expect(many.next(ASK, 1001)).toEqual([1020, 47, 60]);
    expect(many.asks([1004, 47]).quiet(6).next(ASK, 1001)).toEqual([1004, 47, 5]);
  });

  test('young ones only for those who ask; nothing is older than a minute', () => {
    const one = market().asks([1005, 40]).quiet(4);
    expect(one.next(ASK, 1001)).toBeNull();
    expect(one.next(ASK, 1001, 2 * SECOND)).toEqual([1005, 40, 3]);
    expect(one.quiet(4).next(ASK, 1001)).toEqual([1005, 40, 7]);
    expect(one.quiet(120).next(ASK, 1001)).toEqual([1005, 40, 60]);
  });

  test('it is as old as what holds half of a wall; one that went and came back is new', () => {
    const one = market().asks([1005, 16]).quiet(20);
    expect(one.next(ASK, 1001)).toBeNull();
    expect(one.asks([1005, 40]).next(ASK, 1001)).toEqual([1005, 40, 19]);
    one.asks([1005, 14]).quiet(4).asks([1005, 40]).quiet(8);
    expect(one.next(ASK, 1001)).toEqual([1005, 40, 7]);
  });

  test('it keeps its age while the touch moves', () => {
    const one = market().asks([1010, 40]).quiet(10);
    for (let at = 1001; at < 1006; at++) one.asks([at, 0]).bids([at, 10]).quiet(2);
    expect(one.next(ASK, 1006)).toEqual([1010, 40, 19]);
  });

  test('one that goes leaves its neighbour its age', () => {
    const two = market().asks([1005, 40], [1006, 40]).quiet(10).asks([1005, 10]).quiet(10);
    expect(two.next(ASK, 1001)).toEqual([1006, 40, 19]);
  });

  test('a lost book has none, and its walls begin anew', () => {
    const one = market().asks([1005, 40]).quiet(20);
    one.tape.depth([], [], { lost: 1 });
    one.player.play();
    expect(one.next(ASK, 1001, 0)).toBeNull();
    const [bids, asks] = ladder(1000, 10, 10, 30);
    one.tape.snapshot(bids, [...asks.filter(([at]) => at !== 1005), [1005, 40]]);
    expect(one.quiet(24).next(ASK, 1001)).toEqual([1005, 40, 23]);
  });

  test('nothing is known while it is not known what is usual', () => {
    const tape = new TapeBuilder();
    tape.snapshot(...ladder(1000, 10, 10, 30));
    const player = new MarketPlayer(tape);
    const cold = walls(player.market);
    tape.depth([], [[1005, 40]]);
    player.quiet(18);
    expect(cold.next(ASK, 0)).toBeNull();
    player.quiet(4);
    expect(cold.next(ASK, 0)).not.toBeNull();
  });
});

test('where ticks are fine a wall is a cell of the width of a bucket, named by its heaviest level', () => {
  // a basis point is about 28 ticks: cells of 32, from multiples of 32; 320 in each
  const fine = new Market(280_000, 700);
  const cell = Math.ceil(280_100 / 32) * 32;
  fine.asks(...Array.from({ length: 32 }, (_, i): Level => [cell + i, i === 20 || i === 25 ? 100 : 30])).quiet(10);
  expect(fine.next(ASK, 280_001)).toEqual([cell + 20, 30 * 30 + 200, 9]);
  expect(fine.next(ASK, cell + 21)).toBeNull(); // its price is that of the first of the two heaviest
  fine.bids([279_900, 900]).quiet(10);
  expect(fine.next(BID, 280_000)?.[0]).toBe(279_900);
});
