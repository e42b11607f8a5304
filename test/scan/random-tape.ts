/** Seeded random markets for property tests: bursts of one-sided trading, a book that follows, gaps and silences. */
import { type Level, MINUTE, SECOND, TapeBuilder, type TapeOptions } from './tape-builder.js';

export interface RandomTapeOptions extends TapeOptions {
  seed: number;
  minutes: number;
  /** lost messages and silences happen */
  troubled?: boolean;
  /** swaps the sides: price p becomes `MIRROR − p` */
  mirrored?: boolean;
  /** mark prices come, some with an index price and a funding rate, and liquidations; now and then they are lost */
  extras?: boolean;
  /** quotes move without a trade, too */
  quotes?: boolean;
  /** best quotes are pushed beside the book, some of them for states that no update shows; now and then they are lost */
  touches?: boolean;
}

export const MIRROR = 20_001;
const DEPTH = 14;

/** A generator of numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomTape({
  seed,
  minutes,
  troubled = false,
  mirrored = false,
  extras = false,
  quotes = false,
  touches = false,
  ...options
}: RandomTapeOptions): TapeBuilder {
  const random = randomFrom(seed);
  const whole = (most: number): number => Math.floor(random() * most);
  const beside = [...(extras ? ['markPrice', 'forceOrder'] : []), ...(touches ? ['bookTicker'] : [])];
  const tape = new TapeBuilder({ ...options, beside });
  const flip = (levels: readonly Level[]): Level[] =>
    mirrored ? levels.map(([price, size]): Level => [MIRROR - price, size]) : [...levels];
  const depth = (bids: readonly Level[], asks: readonly Level[], lost = 0): void => {
    if (mirrored) tape.depth(flip(asks), flip(bids), { lost });
    else tape.depth(bids, asks, { lost });
  };
  let bid = 10_000;
  const sizes = new Map<number, number>();
  const book = (): [Level[], Level[]] => {
    const side = (sign: number, first: number): Level[] =>
      Array.from({ length: DEPTH }, (_, i): Level => {
        const price = first + sign * i;
        if (!sizes.has(price)) sizes.set(price, 1 + whole(20));
        return [price, sizes.get(price) ?? 1];
      });
    return [side(-1, bid), side(1, bid + 1)];
  };
  const join = (): void => {
    const [bids, asks] = book();
    // a level far off on each side, so that it is known that there is nothing between
    bids.push([bid - 3000, 1]);
    asks.push([bid + 3001, 1]);
    if (mirrored) tape.snapshot(flip(asks), flip(bids));
    else tape.snapshot(bids, asks);
  };
  /** The best price of a side goes, and the other side moves there. */
  const move = (side: number): void => {
    const price = side > 0 ? bid + 1 : bid;
    const before = bid;
    bid += side;
    sizes.delete(price);
    const [bids, asks] = book();
    const gone: Level[] = [[price, 0]];
    if (side > 0) depth(bids, [...gone, ...asks]);
    else depth([...gone, ...bids.filter(([p]) => p !== before)], asks);
  };
  /** An order that walks some levels, at times ahead of makers who pull; its prints or the update it made come first. */
  const walk = (side: 1 | -1): void => {
    const matched = Math.floor(tape.t / 1000);
    const prices = Array.from({ length: 2 + whole(5) }, (_, i) => (side > 0 ? bid + 1 + i : bid - i));
    const bookFirst = random() < 0.3;
    const update = (): void => {
      tape.wait(1000 + whole(20_000));
      for (const price of prices) sizes.delete(price);
      bid += side * prices.length;
      const [bids, asks] = book();
      const gone = prices.map((price): Level => [price, 0]);
      if (side > 0) depth(bids, [...gone, ...asks]);
      else depth([...gone, ...bids], asks);
    };
    const fills = prices.map((price): Level => [price, random() < 0.1 ? 1 : (sizes.get(price) ?? 1)]);
    if (bookFirst) update();
    for (const [price, size] of fills)
      if (mirrored) tape.trade(-side as 1 | -1, MIRROR - price, size, { matched });
      else tape.trade(side, price, size, { matched });
    if (!bookFirst) update();
  };
  /** Some values every second, others in minutes: those are too old to be known at times. */
  const sayBeside = (draw: number): void => {
    const price = (bid / 10 + random()).toFixed(8);
    if (draw > 0.2) tape.mark(price);
    else if (draw > 0.005) tape.mark(price, { funding: ((random() - 0.5) / 1000).toFixed(16) });
    else tape.mark(price, { index: (bid / 10 + random()).toFixed(5), next: Math.floor(tape.t / 1000) + 60_000 });
    if (draw > 0.8) {
      const [side, price] = draw > 0.9 === mirrored ? [-1 as const, bid] : [1 as const, bid];
      tape.liquidation(side, mirrored ? MIRROR - price : price, 1 + whole(9), draw > 0.97 ? { state: 'NEW' } : {});
    }
    if (draw > 0.995)
      tape.entry({ gap: { stream: draw > 0.9975 ? 'markPrice' : '*', from: tape.t - SECOND, reason: 'silence' } });
  };
  const quote = (extra = 0): void => {
    const best: [Level, Level] = [
      [bid, (sizes.get(bid) ?? 1) + extra],
      [bid + 1, sizes.get(bid + 1) ?? 1],
    ];
    const [ask, other] = flip(best);
    if (mirrored) tape.quote(other, ask);
    else tape.quote(...best);
  };
  join();
  if (touches) quote();
  if (extras) sayBeside(0);
  const end = tape.t + minutes * MINUTE;
  let mood = 0;
  let moodUntil = 0;
  while (tape.t < end) {
    if (tape.t > moodUntil) {
      mood = whole(3) - 1;
      moodUntil = tape.t + SECOND * (3 + whole(20));
    }
    tape.wait(1000 + whole(mood === 0 ? 400_000 : 150_000));
    if (extras && random() < 0.15) sayBeside(random());
    const draw = random();
    if (draw < 0.03) {
      const side = random() < 0.5 ? 1 : -1;
      walk(side);
      if (draw < 0.015) walk(side);
    } else if (draw < 0.45) {
      const side = (mood === 0 ? random() < 0.5 : random() < 0.5 + 0.45 * mood) ? 1 : -1;
      const price = side > 0 ? bid + 1 : bid;
      const shown = sizes.get(price) ?? 1;
      const size = 1 + whole(Math.min(shown, mood === 0 ? 3 : 8));
      if (mirrored) tape.trade(-side as 1 | -1, MIRROR - price, size);
      else tape.trade(side as 1 | -1, price, size);
      // most of it is refilled, at times the level goes
      const rest = random() < 0.8 ? shown : shown - size;
      tape.wait(500 + whole(2000));
      if (rest > 0) {
        sizes.set(price, rest);
        depth(side < 0 ? [[price, rest]] : [], side > 0 ? [[price, rest]] : []);
      } else move(side);
    } else if (draw < 0.85) {
      const away = whole(DEPTH);
      const price = random() < 0.5 ? bid - away : bid + 1 + away;
      const shown = 1 + whole(random() < 0.1 ? 200 : 20);
      // now and then a level behind the touch is taken away, until the touch moves
      const size = draw > 0.8 && away > 0 ? 0 : shown;
      if (size > 0) sizes.set(price, size);
      depth(price <= bid ? [[price, size]] : [], price > bid ? [[price, size]] : []);
    } else if (quotes && draw < 0.9) move(random() < 0.5 ? 1 : -1);
    else if (draw < 0.98 || !troubled) tape.clock();
    else if (draw < 0.985) tape.wait(SECOND * 30).clock();
    else if (draw < 0.99) {
      depth([], [], 2);
      tape.wait(SECOND);
      join();
    } else if (draw < 0.995) {
      if (mirrored) tape.trade(-1, MIRROR - bid - 1, 1, { lost: 1 });
      else tape.trade(1, bid + 1, 1, { lost: 1 });
    } else tape.clock();
    if (!touches) continue;
    if (random() < 0.2) quote(1 + whole(5));
    quote();
    if (troubled && random() < 0.001)
      tape.entry({ gap: { stream: 'bookTicker', from: tape.t - SECOND, reason: 'silence' } });
  }
  return tape;
}
