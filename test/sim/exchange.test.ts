/** The simulated exchange: determinism, id chains, the touch oracle, books that can be rebuilt, and a usual market. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createExchange, type ExchangeOptions, eventsOf } from '../../src/sim/exchange.js';
import type { ServedEvent } from '../../src/venues/venue.js';

const START = 1_780_000_000_000_000;
const SECOND = 1_000_000;

function run(options: Partial<ExchangeOptions>, seconds: number, step = 20_000): ServedEvent[] {
  const exchange = createExchange({ symbols: ['BTCUSDT'], seed: 1, rate: 1000, start: START, ...options });
  return [...eventsOf(exchange, START + seconds * SECOND, step)];
}

function digest(events: ServedEvent[]): string {
  return createHash('sha256').update(JSON.stringify(events)).digest('hex').slice(0, 16);
}

type Of<K extends ServedEvent['kind']> = Extract<ServedEvent, { kind: K }>;

function only<K extends ServedEvent['kind']>(events: ServedEvent[], kind: K): Of<K>[] {
  return events.filter((event): event is Of<K> => event.kind === kind);
}

describe('determinism', () => {
  test('a seed gives the same bytes, on any machine and engine', () => {
    expect(digest(run({}, 5))).toBe(PINNED_DIGEST);
  });

  test('other seeds give other markets', () => {
    expect(digest(run({ seed: 2 }, 1))).not.toBe(digest(run({ seed: 1 }, 1)));
  });

  test('the steps time is cut into do not matter', () => {
    expect(run({ symbols: ['BTCUSDT', 'ETHUSDT'] }, 3, 1_000)).toEqual(
      run({ symbols: ['BTCUSDT', 'ETHUSDT'] }, 3, 777_777),
    );
  });

  test('a symbol has the same stream with and without others', () => {
    const alone = run({ rate: 500 }, 4);
    const among = run({ symbols: ['ETHUSDT', 'BTCUSDT', 'XRPUSDT'], rate: 1500 }, 4);
    expect(among.filter((event) => event.symbol === 'BTCUSDT')).toEqual(alone);
  });

  test('the start moves times only', () => {
    const later = run({ start: START + 3600 * SECOND }, 2 + 3600, 3600 * SECOND).slice(0, 500);
    const moved = run({}, 2).slice(0, 500);
    const strip = ({ emitted, matched, ...rest }: ServedEvent): unknown => ({ rest, lag: emitted - matched });
    expect(later.map(strip)).toEqual(moved.map(strip));
  });
});

describe.each([
  ['linear', 'BTCUSDT', 2000],
  ['linear', 'SOLUSDT', 20],
  ['inverse', 'BTCUSD_PERP', 500],
  ['spot', 'ETHUSDT', 4000],
] as const)('%s %s at %i/s', (kind, symbol, rate) => {
  const seconds = rate < 100 ? 120 : 20;
  const exchange = createExchange({ symbols: [symbol], seed: 7, rate, start: START, kind });
  const first = exchange.snapshot(symbol, 5000);
  const events: ServedEvent[] = [];
  const middle: { at: number; snapshot: ReturnType<typeof exchange.snapshot> }[] = [];
  while (exchange.now() < START + seconds * SECOND) {
    events.push(...exchange.advance(exchange.now() + 100_000));
    if (middle.length < 5) middle.push({ at: events.length, snapshot: exchange.snapshot(symbol, 5000) });
  }
  const depths = only(events, 'depth');
  const touches = only(events, 'touch');
  const trades = only(events, 'trade');

  test('the first book is deep and tidy', () => {
    expect(first?.bids.length).toBeGreaterThanOrEqual(300);
    expect(first?.asks.length).toBeGreaterThanOrEqual(300);
    expect(Number(first?.bids[0][0])).toBeLessThan(Number(first?.asks[0][0]));
    expect(exchange.snapshot(symbol, 5)?.bids).toHaveLength(5);
    expect(exchange.snapshot('NOSUCH', 5)).toBeNull();
  });

  test('ids chain: depth by previous, trades without a hole, touches rising', () => {
    expect(depths[0].previous).toBe(first?.id);
    expect(broken(depths, (one, before) => one.previous === before.last)).toEqual([]);
    expect(broken(depths, (one) => one.first > one.previous && one.last >= one.first)).toEqual([]);
    expect(broken(trades, (one, before) => one.id === before.id + 1)).toEqual([]);
    expect(broken(touches, (one, before) => one.id > before.id)).toEqual([]);
    const adjoining = depths.filter((depth) => depth.first === depth.previous + 1).length;
    if (kind === 'spot') expect(adjoining).toBe(depths.length);
    else expect(adjoining).toBeLessThan((depths.length * 2) / 3);
    expect(depths[depths.length - 1].last).toBeLessThan(2 ** 53);
  });

  test('a trade names the first book that shows it: it lies in the update that has its match', () => {
    let at = 0;
    const wrong = trades.filter(({ update, matched }) => {
      while (at < depths.length && depths[at].last < update) at++;
      if (at === depths.length) return false; // its update is still under way
      const since = at === 0 ? START : depths[at - 1].matched;
      return update < depths[at].first || matched > depths[at].matched || matched < since;
    });
    expect(wrong).toEqual([]);
    expect(at).toBeGreaterThan(depths.length - 50);
    expect(broken(trades, (one, before) => one.update >= before.update)).toEqual([]);
  });

  test('times: emitted in order, never before the match', () => {
    expect(broken(events, (one, before) => one.emitted >= before.emitted)).toEqual([]);
    expect(broken(events, (one) => one.emitted >= one.matched)).toEqual([]);
    expect(events.every((event) => Number.isInteger(event.emitted) && Number.isInteger(event.matched))).toBe(true);
  });

  test('the touch oracle: after each depth event the best levels are those of the newest touch not after it', () => {
    const book = new Book(first);
    let newest = 0;
    let checked = 0;
    const wrong: unknown[] = [];
    for (const depth of depths) {
      book.apply(depth);
      while (newest + 1 < touches.length && touches[newest + 1].id <= depth.last) newest++;
      if (newest + 1 === touches.length) break; // the touch it needs may still be under way
      checked++;
      const bid = book.best('bids');
      const ask = book.best('asks');
      const touch = touches[newest];
      if (`${bid},${ask}` !== `${touch.bid},${touch.ask}`) wrong.push({ depth, touch, bid, ask });
    }
    expect(wrong).toEqual([]);
    expect(checked).toBeGreaterThan(depths.length - 50);
  });

  test('snapshot and depth events rebuild the book, from the start and from later snapshots', () => {
    const end = exchange.snapshot(symbol, 5000);
    for (const { at, snapshot } of [{ at: 0, snapshot: first }, ...middle]) {
      const book = new Book(snapshot);
      for (const depth of only(events.slice(at), 'depth')) book.apply(depth);
      expect(book.side('bids')).toEqual(end?.bids);
      expect(book.side('asks')).toEqual(end?.asks);
    }
    expect(end?.id).toBe(depths[depths.length - 1].last);
  });

  test('the mix and the rate are as asked', () => {
    const share = (part: ServedEvent[]): number => part.length / events.length;
    expect(Math.abs(events.length / seconds / rate - 1)).toBeLessThan(0.15);
    if (rate < 100) return; // on slow markets depth events keep their 100 ms, and take a larger share
    expect(share(touches)).toBeGreaterThan(0.55);
    expect(share(touches)).toBeLessThan(0.75);
    expect(share(trades)).toBeGreaterThan(0.14);
    expect(share(trades)).toBeLessThan(0.27);
    expect(share(depths)).toBeGreaterThan(0.09);
    expect(share(depths)).toBeLessThan(0.16);
  });

  test('the spread is mostly one tick and sometimes wider', () => {
    const tick = Number(exchange.instruments()[0].tick);
    const ticks = touches.map(({ bid, ask }) => Math.round((Number(ask[0]) - Number(bid[0])) / tick));
    expect(Math.min(...ticks)).toBe(1);
    expect(ticks.filter((spread) => spread === 1).length / ticks.length).toBeGreaterThan(0.8);
    expect(Math.max(...ticks)).toBeGreaterThan(1);
  });

  test('trades happen at prices and sizes of the grid', () => {
    const decimals = (text: string): number => (text.split('.')[1] ?? '').length;
    const { tick, lot } = exchange.instruments()[0];
    const odd = trades.filter(
      ({ price, size }) => decimals(price) !== decimals(tick) || decimals(size) !== decimals(lot) || Number(size) <= 0,
    );
    expect(odd).toEqual([]);
  });
});

test.each([1, 2, 3, 4])('seed %i: ten seconds hold a skewed book and an absorption', (seed) => {
  const exchange = createExchange({ symbols: ['BTCUSDT'], seed, rate: 1000, start: START });
  const { engine } = exchange.markets[0];
  let skewed = 0;
  let held = 0;
  const flow: { t: number; signed: number; all: number; price: number }[] = [];
  for (let at = START; at < START + 10 * SECOND; at += 100_000) {
    for (const { aggressor, size, price } of only(exchange.advance(at), 'trade'))
      flow.push({
        t: at,
        signed: Number(size) * (aggressor === 'buy' ? 1 : -1),
        all: Number(size),
        price: Number(price),
      });
    const lots = (side: 'bids' | 'asks'): number =>
      Array.from({ length: 10 }, (_, rank) => engine[side].at(rank)?.size ?? 0).reduce((a, b) => a + b);
    const imbalance = (lots('bids') - lots('asks')) / (lots('bids') + lots('asks'));
    if (Math.abs(imbalance) >= 0.5) skewed++;
    const recent = flow.filter(({ t }) => t > at - 3 * SECOND);
    const sum = (key: 'signed' | 'all'): number => recent.reduce((total, trade) => total + trade[key], 0);
    const prices = recent.map(({ price }) => price);
    if (
      recent.length > 100 &&
      Math.abs(sum('signed')) / sum('all') > 0.9 &&
      Math.max(...prices) - Math.min(...prices) < 0.25
    )
      held++;
  }
  expect(skewed).toBeGreaterThanOrEqual(10); // a second or more
  expect(held).toBeGreaterThanOrEqual(10);
});

test.each([
  [{ symbols: [] }, 'E_USAGE'],
  [{ symbols: ['BTCUSDT', 'BTCUSDT'] }, 'E_USAGE'],
  [{ symbols: ['btc'] }, 'E_SYMBOL'],
  [{ rate: 0 }, 'E_USAGE'],
  [{ rate: Number.NaN }, 'E_USAGE'],
])('%j is refused with %s', (options, code) => {
  expect(() => run(options, 1)).toThrow(expect.objectContaining({ code }));
});

/** Items that fail the check against the one before (for the first: itself), with their index. */
function broken<T>(items: T[], holds: (one: T, before: T) => boolean): [number, T][] {
  return items.flatMap((one, i): [number, T][] => (i > 0 && !holds(one, items[i - 1]) ? [[i, one]] : []));
}

/** A reader's book: texts as keys, as they came. */
class Book {
  readonly #sides: { bids: Map<string, string>; asks: Map<string, string> };
  /** best price of each side, null where it must be looked for */
  readonly #best: { bids: string | null; asks: string | null } = { bids: null, asks: null };

  constructor(snapshot: { bids: [string, string][]; asks: [string, string][] } | null) {
    this.#sides = { bids: new Map(snapshot?.bids), asks: new Map(snapshot?.asks) };
  }

  apply(depth: Of<'depth'>): void {
    for (const side of ['bids', 'asks'] as const)
      for (const [price, size] of depth[side]) {
        const best = this.#best[side];
        if (Number(size) === 0) {
          this.#sides[side].delete(price);
          if (price === best) this.#best[side] = null;
        } else {
          this.#sides[side].set(price, size);
          if (best !== null && better(side, price, best)) this.#best[side] = price;
        }
      }
  }

  side(side: 'bids' | 'asks'): [string, string][] {
    return [...this.#sides[side]].sort((a, b) => (better(side, a[0], b[0]) ? -1 : 1));
  }

  best(side: 'bids' | 'asks'): [string, string | undefined] {
    this.#best[side] ??= [...this.#sides[side].keys()].reduce((a, b) => (better(side, b, a) ? b : a));
    return [this.#best[side], this.#sides[side].get(this.#best[side])];
  }
}

function better(side: 'bids' | 'asks', a: string, b: string): boolean {
  return side === 'bids' ? Number(a) > Number(b) : Number(a) < Number(b);
}

/** Changes when the market changes; then `fixtures/` made from it change too. */
const PINNED_DIGEST = '9e60b423a3b9caef';
