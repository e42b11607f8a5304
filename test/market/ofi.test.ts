/** Order flow imbalance of a market: whose quotes it is made of, what is not compared, and the figures of a real session. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importArchives } from '../../src/audit/import.js';
import { LineFit } from '../../src/market/kyle.js';
import { bookFlowOf, type Ofi, ofiOf } from '../../src/market/ofi.js';
import type { LineFlow } from '../../src/model/batch.js';
import { scan } from '../../src/scan/scan.js';
import { defineDetector } from '../../src/signals/detector.js';
import { openTape } from '../../src/tape/tape.js';
import { venueById, venues } from '../../src/venues/registry.js';
import { flowOf, type Level, ladder, SECOND, settingsOf, TapeBuilder } from '../scan/tape-builder.js';

/** What a market's OFI is at a whole second; sizes as decimals. */
interface Told {
  t: number;
  source: string;
  /** over depth; NaN where a part of the window is not known */
  value: number;
  flow: number;
  ticks: number;
  levels: boolean;
}

/** Reads flows as a scan does, with a detector that only looks. */
async function read(flows: LineFlow[], span: number, levels = 1): Promise<Told[]> {
  const told: Told[] = [];
  const look = defineDetector({
    ...{ name: 'look', summary: '', doc: '', needs: ['book'], touches: true, parameters: {}, lookback: () => 0 },
    meaning: { side: '', price: '', score: '', evidence: {} },
    create(_, market) {
      const ofi: Ofi = ofiOf(market, span);
      const deep = bookFlowOf(market, span, levels).flow;
      const tick = (t: number): void => {
        const value = ofi.value(t);
        const { source, flow } = ofi;
        const ticks = flow.move / (2 * market.track.book.tick);
        told.push({ t, source, value, flow: market.size(flow.flow()), ticks, levels: deep.isWhole(t) });
      };
      market.follow({ tick });
      return { wake: 0, evaluate: () => {} };
    },
  });
  const chosen = [{ detector: look, options: {} }];
  const settings = { ...settingsOf({}), detectors: { of: () => chosen, lists: [chosen] } };
  for await (const _ of scan(flows, { settings, damage: () => {}, note: () => {} }));
  return told;
}

const touched = { beside: ['bookTicker'] };
const known: [Level, Level][] = [
  [
    [1000, 5],
    [1001, 4],
  ],
  [
    [1000, 7],
    [1001, 4],
  ],
  [
    [1000, 7],
    [1001, 1],
  ],
  [
    [1000, 7],
    [1002, 6],
  ],
  [
    [1001, 3],
    [1002, 6],
  ],
];
const mirror = ([bid, ask]: [Level, Level]): [Level, Level] => [
  [2001 - ask[0], ask[1]],
  [2001 - bid[0], bid[1]],
];

/** Sums over the window at each second, a state a second. */
const flows = async (tape: TapeBuilder, span = 20 * SECOND): Promise<number[]> =>
  (await read([flowOf(tape.clock().lines)], span)).map(({ flow }) => flow);

const quoted = (states: readonly [Level, Level][]): TapeBuilder => {
  const tape = new TapeBuilder(touched);
  for (const [bid, ask] of states) tape.quote(bid, ask).wait(SECOND);
  return tape;
};

/** The same states as a book's, told as changes. */
function booked(states: readonly [Level, Level][]): TapeBuilder {
  const tape = new TapeBuilder();
  tape.snapshot([states[0][0], [900, 1]], [states[0][1], [1100, 1]]).wait(SECOND);
  let before = states[0];
  for (const state of states.slice(1)) {
    const side = (n: 0 | 1): Level[] => [
      ...(before[n][0] === state[n][0] ? [] : [[before[n][0], 0] as Level]),
      state[n],
    ];
    tape.depth(side(0), side(1)).wait(SECOND);
    before = state;
  }
  return tape;
}

describe('known numbers', () => {
  test('of best quotes, and mirrored', async () => {
    expect((await flows(quoted(known))).slice(-5)).toEqual([0, 2, 5, 6, 9]);
    expect((await flows(quoted(known.map(mirror)))).at(-1)).toBe(-9);
  });

  test('of the book, and mirrored', async () => {
    expect((await flows(booked(known))).slice(-5)).toEqual([0, 2, 5, 6, 9]);
    expect((await flows(booked(known.map(mirror)))).at(-1)).toBe(-9);
  });
});

describe('the source', () => {
  const sourceOf = async (lines: readonly string[]): Promise<string> => (await read([flowOf(lines)], SECOND))[0].source;

  test('is the stream of best quotes where the header lists it, else the book', async () => {
    const lines = (tape: TapeBuilder): string[] =>
      tape
        .clock()
        .wait(2 * SECOND)
        .clock().lines;
    expect(await sourceOf(lines(new TapeBuilder(touched)))).toBe('touch');
    expect(await sourceOf(lines(new TapeBuilder()))).toBe('book');
    const [header, ...rest] = lines(new TapeBuilder(touched));
    expect(await sourceOf([header.replace(/"channels":\[[^\]]*\]/, '"channels":[]'), ...rest])).toBe('book');
  });

  test.each(venues.map((venue) => [venue.id, venue] as const))('best quotes of %s are a channel', (_, venue) => {
    for (const { event, name } of venue.layouts.messages)
      if (event === 'touch') expect(venue.channels.all).toContain(name);
  });

  test('is one: the book says nothing where there are best quotes, and the other way round', async () => {
    const tape = new TapeBuilder(touched).snapshot([[1000, 5]], [[1001, 4]]).quote(...known[0]);
    tape
      .depth([[1000, 90]], [[1001, 70]])
      .wait(SECOND)
      .quote(...known[1])
      .wait(SECOND);
    tape
      .depth([[1000, 1]], [])
      .wait(SECOND)
      .quote(...known[2])
      .wait(SECOND);
    expect((await flows(tape)).at(-1)).toBe(5);
    const bare = booked(known.slice(0, 2)).quote([1000, 900], [1001, 2]).wait(SECOND);
    expect((await flows(bare)).at(-1)).toBe(2);
  });

  test('may change with another header, and then begins anew', async () => {
    const first = booked(known).clock();
    const second = new TapeBuilder({ ...touched, start: first.t + SECOND, recorder: 'other' });
    for (const [bid, ask] of known.slice(0, 2)) second.quote(bid, ask).wait(SECOND);
    const told = await read([flowOf([...first.lines, ...second.wait(SECOND).clock().lines])], 20 * SECOND);
    expect(told.at(-1)).toMatchObject({ source: 'touch', flow: 2 });
    expect(told.find(({ source, flow }) => source === 'book' && flow === 9)).toBeDefined();
  });
});

describe('nothing is compared', () => {
  /** Ten seconds of the first state, then what happens, then ten more from the given state. */
  const across = async (happens: (tape: TapeBuilder) => void, touch = true): Promise<Told[]> => {
    const tape = new TapeBuilder(touch ? touched : {}).snapshot([[1000, 5]], [[1001, 4]]).quote([1000, 5], [1001, 4]);
    tape.wait(6 * SECOND).clock();
    happens(tape);
    tape.wait(6 * SECOND).clock();
    return read([flowOf(tape.lines)], 4 * SECOND);
  };
  const values = (told: readonly Told[]): (number | null)[] =>
    told.map(({ value }) => (Number.isNaN(value) ? null : value));

  test('without one, the flow is seen', async () => {
    const told = await across((tape) => tape.quote([1000, 95], [1001, 4]));
    expect(values(told).slice(4)).not.toContain(null);
    expect(told.at(-4)?.flow).toBe(90);
  });

  test.each([
    ['a gap of the best quotes', 'bookTicker'],
    ['a gap of everything', '*'],
  ])('across %s', async (_, stream) => {
    const told = await across((tape) => {
      tape.entry({ gap: { stream, from: tape.t, reason: 'silence' } }).quote([1000, 95], [1001, 4]);
    });
    expect(told.map(({ flow }) => flow)).toEqual(told.map(() => 0));
    expect(values(told).slice(-6)).toEqual([null, null, null, null, 0, 0]);
  });

  test.each([
    ['crossed', [1002, 9], [1001, 9]],
    ['locked', [1001, 9], [1001, 9]],
    ['one-sided', [1000, 9], [0, 0]],
    ['bid without size, and an', [1000, 0], [1001, 9]],
    ['ask without size, and an', [1000, 9], [1001, 0]],
  ] as [string, Level, Level][])('with a %s quote', async (_, bid, ask) => {
    const told = await across((tape) => tape.quote(bid, ask).quote([1000, 95], [1001, 4]));
    expect(told.map(({ flow }) => flow)).toEqual(told.map(() => 0));
    expect(values(told).slice(-6)).toEqual([null, null, null, null, 0, 0]);
  });

  test('with a quote of more than 30 s ago, which is not known any more', async () => {
    const flowAfter = async (seconds: number): Promise<number> => {
      const told = await across((tape) => {
        for (let n = 6; n < Math.floor(seconds); n++) tape.wait(SECOND).clock();
        tape.wait((seconds % 1) * SECOND);
        tape.quote([1000, 95], [1001, 4]);
      });
      return Math.max(...told.map(({ flow }) => flow));
    };
    expect(await flowAfter(29)).toBe(90);
    expect(await flowAfter(29.75)).toBe(90);
    expect(await flowAfter(30.25)).toBe(0);
    expect(await flowAfter(31)).toBe(0);
  });

  test('across a lost book and its snapshot', async () => {
    for (const touch of [false, true]) {
      const told = await across((tape) => {
        tape
          .depth([[1000, 60]], [], { lost: 1 })
          .wait(2 * SECOND)
          .snapshot([[1000, 95]], [[1001, 4]]);
        tape.quote([1000, 95], [1001, 4]);
      }, touch);
      expect(told.map(({ flow }) => flow)).toEqual(told.map(() => 0));
      // two seconds without a book, and a window
      expect(values(told).slice(-9)).toEqual([0, null, null, null, null, null, null, 0, 0]);
    }
  });

  test('of a book that is one-sided for a message', async () => {
    const told = await across((tape) => tape.depth([], [[1001, 0]]).depth([[1000, 95]], [[1001, 4]]), false);
    expect(told.map(({ flow }) => flow)).toEqual(told.map(() => 0));
    expect(values(told).slice(-6)).toEqual([null, null, null, null, 0, 0]);
  });
});

test('levels are whole only where all of them are known', async () => {
  const told = async (
    levels: number,
    happens: (tape: TapeBuilder) => void = () => {},
  ): Promise<boolean | undefined> => {
    const [bids, asks] = ladder(1000, 5, 4, 3);
    const tape = new TapeBuilder().snapshot(bids, asks);
    happens(tape);
    tape.wait(6 * SECOND).clock();
    return (await read([flowOf(tape.lines)], 2 * SECOND, levels)).at(-1)?.levels;
  };
  expect(await told(3)).toBe(true);
  expect(await told(4)).toBe(false);
  // one goes
  expect(await told(3, (tape) => tape.depth([[999, 0]], []))).toBe(false);
  // what comes behind the last one of a snapshot may not be the next one
  expect(await told(4, (tape) => tape.depth([[997, 1]], [[1004, 1]]))).toBe(false);
});

describe('the recorded session of Binance USD-M', () => {
  const data = new URL('../../../shared/data/', import.meta.url).pathname;
  const files = ['binance-usdm_btcusdt_20230404.dat.gz', 'binance-usdm_btcusdt_20230405.dat.gz'];
  const paths = files.map((file) => join(data, file));
  if (!paths.every((path) => existsSync(path))) {
    // the recordings are other people's and no part of the project, so a user's machine lacks them
    test.skip('the recordings are not here (../shared/data)', () => {});
    return;
  }
  const out = mkdtempSync(join(tmpdir(), 'tapedeck-ofi-'));
  beforeAll(async () => {
    const options = { venue: venueById('binance-usdm'), symbol: 'BTCUSDT', files: paths, out, instrument: {} };
    await importArchives({ format: 'hftbacktest', ...options, tool: 'test', bad: () => {}, level: 1 });
  });
  afterAll(() => rmSync(out, { recursive: true }));

  test.each([
    [10, 50, '0.551', '0.010'],
    [1, 513, '0.424', '0.018'],
  ])('%i s: the move is explained in the same bin, and not in the next', async (seconds, count, same, next) => {
    const tape = await openTape([out], process.stdin);
    const told = await read(tape.flows({}), seconds * SECOND);
    // bins of UTC; the first only seeds the state, the last is not over
    const bins = told.filter(({ t, value }) => t % (seconds * SECOND) === 0 && !Number.isNaN(value));
    const fits = [new LineFit(), new LineFit()];
    for (const [n, { flow, ticks }] of bins.entries()) {
      fits[0].add(flow, ticks);
      if (n > 0) fits[1].add(bins[n - 1].flow, ticks);
    }
    expect(bins[0].source).toBe('touch');
    expect(fits.map((fit) => fit.count)).toEqual([count, count - 1]);
    expect(fits.map(({ r2 }) => r2.toFixed(3))).toEqual([same, next]);
  });
});
