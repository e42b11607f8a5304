/** What must hold for every detector on every tape: no look-ahead, parts equal the whole, mirrors, scales, other symbols. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fit } from '../../src/model/fit.js';
import type { Evidence, Signal } from '../../src/model/signal.js';
import { formatTime } from '../../src/model/time.js';
import { readingStart } from '../../src/scan/settings.js';
import { detectors } from '../../src/signals/registry.js';
import { MIRROR, type RandomTapeOptions, randomTape as tapeOf } from './random-tape.js';
import {
  flowOf,
  MINUTE,
  type Scanned,
  SECOND,
  START,
  scanFlows,
  scanLines,
  settingsOf,
  type TapeBuilder,
  type TestSettings,
} from './tape-builder.js';

/** Short windows and low bars, so that a few minutes hold many events of each kind. */
const lively: TestSettings = {
  unit: MINUTE,
  baseline: MINUTE,
  htf: MINUTE,
  warmup: 20 * SECOND,
  set: [
    ...['tape-imbalance.quantile=0.3', 'tape-imbalance.hold=500ms', 'tape-imbalance.groups=5'],
    ...['absorption.quantile=0.6', 'absorption.window=5s', 'absorption.hold=500ms', 'absorption.ratio=0.3'],
    ...['book-imbalance.window=2s', 'book-imbalance.on=0.3', 'book-imbalance.off=0.2'],
    ...['sweep.quantile=0.5', 'sweep.single=3', 'sweep.burst=3', 'sweep.ticks=1', 'sweep.gap=200ms', 'sweep.span=1s'],
    ...['block.quantile=0.9', 'block.share=0.02'],
    ...['skew-fade.regime=any', 'skew-fade.on=0.2', 'skew-fade.off=0.1', 'skew-fade.hold=500ms', 'skew-fade.calm=0.6'],
    ...['skew-fade.span=2s', 'skew-fade.cool=3s'],
    ...[
      'ignition.groups=2',
      'ignition.quantile=0.3',
      'ignition.opposite=0.4',
      'ignition.fell=0.2',
      'ignition.consumed=0.5',
    ],
    ...['ignition.depth=0', 'ignition.levels=2', 'ignition.age=3s'],
    ...['void-run.ticks=2', 'void-run.quantile=0.5', 'void-run.thin=0.5', 'void-run.run=2', 'void-run.near=4'],
    ...['void-run.hold=100ms', 'void-run.cleared=0.2', 'void-run.wall=0s', 'void-run.age=5s', 'void-run.share=0'],
    ...['void.ticks=2', 'void.quantile=0.5', 'void.thin=0.5', 'void.run=2', 'void.swept=0.1', 'void.left=0.5'],
    ...['void.near=1', 'void.settle=50ms'],
    // bars that no minute is a multiple of; bins of one tick, which are their own mirror image
    ...['footprint.span=7s', 'footprint.bps=0', 'footprint.theta=1.5', 'footprint.stack=2', 'footprint.kind=both'],
    ...['footprint.quantile=0.3', 'footprint.zero=infinite', 'footprint.age=20s'],
    ...['liquidation-cascade.window=20s', 'liquidation-cascade.count=2', 'liquidation-cascade.bps=0'],
    ...['ofi.window=2s', 'ofi.on=1', 'ofi.least=0.2', 'ofi.hold=500ms'],
    ...['delta.window=3s', 'delta.quantile=0.6', 'delta.share=0.1', 'delta.hold=500ms', 'delta.buckets=5'],
    ...['cvd-divergence.window=5s', 'cvd-divergence.on=0.7', 'cvd-divergence.hold=500ms'],
    ...['cvd-divergence.retrace=0.3', 'cvd-divergence.opposed=0'],
    // the touch is half a basis point from the mid
    ...['pull.quantile=0.5', 'pull.times=1', 'pull.near=0.3', 'pull.cancelled=0.5', 'pull.layers=2', 'pull.within=1s'],
    ...['pull.ahead=1', 'pull.depth=0.001', 'pull.executed=0.3'],
    ...['pull.repeats=2', 'iceberg.cycles=2', 'iceberg.quantile=0', 'iceberg.fade=30s', 'iceberg.refill=5s'],
  ],
};
/** What an earlier tape might have taught, known from `to` on. */
const fitUntil = (to: number, ...weights: number[]): Fit => ({
  ...{ src: 'binance-usdm:BTCUSDT', from: 0, to, tick: '0.1' },
  microprice: {
    ticks: [1, 2, 3].map((spread) =>
      Array.from({ length: 10 }, (_, n) => weights[0] * spread * (n < 5 ? n - 5 : n - 4)),
    ),
    observations: [1, 2, 3].map(() => Array.from({ length: 10 }, () => 1000)),
  },
  ofi: { window_ms: 3000, windows: 100, explained: 0.8, weights },
});

/** The same with other definitions of some detectors, and with fits, of which one comes into force on the way. */
const otherwise: TestSettings = {
  ...lively,
  fits: [fitUntil(START + MINUTE + 7 * SECOND, 0.6, 0.4), fitUntil(1, 0.5, 0.3, 0.2)],
  set: [
    ...(lively.set ?? []),
    ...['absorption.kind=D', 'absorption.window=3s', 'absorption.zone=0', 'absorption.bps=0', 'absorption.ticks=1'],
    ...['footprint.bars=trades', 'footprint.trades=25', 'footprint.span=30s'],
    ...['ofi.levels=3', 'ofi.window=3s'],
  ],
};
const livelyOf = (seed: number): TestSettings => (seed % 3 === 0 ? otherwise : lively);
/** Detectors with events of one side that run at the same time. */
const KEYED = new Set(['footprint', 'iceberg']);
/** Half of the tapes have best quotes beside their book. */
const randomTape = (options: RandomTapeOptions): TapeBuilder =>
  tapeOf({ touches: (options.seed & 2) !== 0, ...options });
const seeds = fc.integer({ min: 1, max: 1_000_000 });
const runs = { numRuns: 12 };

const times = (lines: readonly string[]): number[] => lines.map((line) => Number(line.slice(5, 21)));
const notEof = (line: string): boolean => !line.includes('"reason":"eof"');
/** Lines of one time stand in the order of their ids, which hang on prices, sides and times. */
const inOrder = (rows: unknown[][]): unknown[][] => rows.sort((a, b) => (String(a) < String(b) ? -1 : 1));
const timeOf = (line: string): string => line.slice(9, 36);

test('the lively settings do make events of every detector, on troubled tapes too', async () => {
  const missing = new Set([
    'D',
    'composite',
    'stacked',
    'unfinished',
    'pull',
    'layered',
    'flicker',
    'ahead',
    'touch',
    'book',
  ]);
  missing.add('microprice').add('integrated_ofi');
  const zones = ['wall', 'poc', 'stack'].flatMap((kind) => [`${kind}_above_bps`, `${kind}_below_bps`]);
  for (const zone of zones) missing.add(zone);
  for (const { name, meaning } of detectors)
    for (const phase of meaning.point ? ['point '] : ['onset ', 'end hour', 'end gap']) missing.add(`${name} ${phase}`);
  for (let seed = 1; seed <= 40 && missing.size > 0; seed++) {
    const tape = randomTape({ seed, minutes: 6, troubled: seed % 2 === 0, extras: true, quotes: true });
    const { signals } = await scanLines(tape.lines, livelyOf(seed));
    for (const { signal, phase, reason = '', evidence, context } of signals) {
      missing.delete(`${signal} ${phase} ${reason}`);
      if (context.microprice !== undefined) missing.delete('microprice');
      for (const zone of Object.keys(context.zones ?? {})) missing.delete(zone);
      if (typeof evidence.integrated_ofi === 'number') missing.delete('integrated_ofi');
      missing.delete(String(evidence.kind));
      missing.delete(String(evidence.source));
    }
  }
  expect([...missing]).toEqual([]);
});

describe('lifecycle', () => {
  test('each onset has exactly one end, with the same id and side, and never two are open with one key', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async (seed, troubled) => {
        const tape = randomTape({ seed, minutes: 4, troubled, extras: seed % 2 === 0 });
        const { signals, lines } = await scanLines(tape.lines, livelyOf(seed));
        const open = new Map<string, Signal>();
        const ids = new Set<string>();
        const points = new Set<string>();
        for (const signal of signals) {
          // of some detectors several may be open on a side, told apart by what their ids are made of
          const { kind = '', form = '' } = signal.evidence;
          const key = KEYED.has(signal.signal) ? signal.id : `${signal.signal} ${signal.side} ${kind} ${form}`;
          if (signal.phase === 'onset' || signal.phase === 'point') {
            expect(open.has(key)).toBe(false);
            expect(ids.has(signal.id)).toBe(false);
            ids.add(signal.id);
            if (signal.phase === 'onset') open.set(key, signal);
            else points.add(signal.id);
            continue;
          }
          // the confirmation of a point comes behind it
          if (signal.phase === 'update' && points.has(signal.id)) continue;
          expect(open.get(key)?.id).toBe(signal.id);
          if (signal.phase === 'end') open.delete(key);
        }
        expect(open.size).toBe(0);
        expect(lines).toEqual([...lines].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
        for (const { evidence } of signals) expect(evidence.first).toBeLessThanOrEqual(evidence.last);
      }),
      runs,
    );
  });
});

test('prefix property: signals on a prefix are those of the whole with their time in it', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), async (seed, troubled, share) => {
      const { lines } = randomTape({ seed, minutes: 4, troubled, extras: seed % 2 === 0, quotes: true });
      const cut = 1 + Math.floor(share * (lines.length - 1));
      const whole = await scanLines(lines, livelyOf(seed));
      const part = await scanLines(lines.slice(0, cut), livelyOf(seed));
      const limit = formatTime(times(lines)[cut - 1]);
      expect(part.lines.filter(notEof)).toEqual(whole.lines.filter((line) => timeOf(line) <= limit && notEof(line)));
    }),
    runs,
  );
});

test('unit property: minutes scanned one by one, each after its look-back, are the whole', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), fc.integer({ min: 0, max: 59 }), async (seed, troubled, offset) => {
      const start = START + offset * SECOND;
      const { lines } = randomTape({ seed, minutes: 5, troubled, extras: seed % 2 === 0, quotes: true, start });
      const given = livelyOf(seed);
      const whole = await scanLines(lines, given);
      const parts: string[] = [];
      const t = times(lines);
      const end = t[t.length - 1];
      for (let unit = START; unit <= end; unit += MINUTE) {
        const range = { from: unit, to: unit + MINUTE };
        // the book is whole from the start; everything else must come from the look-back alone
        const start = readingStart(settingsOf({ ...given, ...range }), unit);
        const blank = lines.map((line, i) => (t[i] >= start ? line : withoutFlow(line)));
        parts.push(...(await scanLines(blank, { ...given, ...range })).lines);
      }
      expect(parts).toEqual(whole.lines);
    }),
    { numRuns: 8 },
  );
});

/** A line as the book knows it: trades, best quotes and what is said beside the market become messages that say nothing. */
function withoutFlow(line: string): string {
  return /"e":"(trade|bookTicker)"/.test(line) ? silenced(line) : withoutExtras(line);
}

const withoutExtras = (line: string): string =>
  /"e":"(markPriceUpdate|forceOrder)"/.test(line) ? silenced(line) : line;
const silenced = (line: string): string => line.replace(/"msg":.*/, '"msg":{"id":1,"result":null}}');

test('what is said beside the market changes the context of signals and nothing else', async () => {
  const known = new Set<string>();
  await fc.assert(
    fc.asyncProperty(seeds, fc.boolean(), async (seed, troubled) => {
      const { lines } = randomTape({ seed, minutes: 4, troubled, extras: true });
      const told = await scanLines(lines, livelyOf(seed));
      const silent = await scanLines(lines.map(withoutExtras), livelyOf(seed));
      const common = new Set(silent.signals.flatMap(({ context }) => Object.keys(context ?? {})));
      // one detector is about nothing else
      const others = told.signals.filter(({ signal }) => signal !== 'liquidation-cascade');
      for (const { context } of others)
        for (const key of Object.keys(context ?? {})) if (!common.has(key)) known.add(key);
      const rest = ({ context = {}, ...signal }: Signal): unknown => ({
        ...signal,
        context: Object.fromEntries(Object.entries(context).filter(([key]) => common.has(key))),
      });
      expect(others.map(rest)).toEqual(silent.signals.map(rest));
      // talk is a message as well
      expect(told.sums).toEqual(silent.sums);
    }),
    runs,
  );
  expect([...known].sort()).toEqual(['funding', 'index', 'liquidated_buy', 'liquidated_sell', 'mark', 'next_funding']);
});

/** What of a context has no side. */
function unsided(context: Signal['context'] = {}): unknown {
  const { direction: _, ...axes } = (context.regime ?? {}) as Evidence;
  const shifts = [context.weighted_mid, context.microprice].map((shift) => Math.abs(Number(shift)));
  return [axes, context.session, shifts];
}

/** Walls and stacks above and below the mid, in spreads; `flip`: below and above. Points of control have ties that no mirror has. */
function zonesOf({ zones, spread_bps }: Signal['context'], flip: boolean): string[] {
  const told = (zones ?? {}) as Evidence;
  const sides = flip ? ['below', 'above'] : ['above', 'below'];
  const names = ['wall', 'stack'].flatMap((kind) => sides.map((side) => `${kind}_${side}_bps`));
  return names.map((name) => (Number(told[name]) / Number(spread_bps)).toFixed(2));
}

test('mirrored tapes give mirrored signals', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const tape = { seed, minutes: 3, extras: true, quotes: true };
      const plain = await scanLines(randomTape(tape).lines, livelyOf(seed));
      const mirrored = await scanLines(randomTape({ ...tape, mirrored: true }).lines, livelyOf(seed));
      const facts = (
        { time, signal, phase, side, score, reason, price, evidence, confirm, context }: Signal,
        flip: boolean,
      ): unknown[] => [
        ...[JSON.stringify(confirm), context?.alignment, JSON.stringify(unsided(context))],
        ...zonesOf(context, flip),
        ...[time, signal, phase, flip === (side === 'buy') ? 'a' : 'b', score, reason],
        ...[
          price !== null && flip ? Number((MIRROR / 10 - price).toFixed(2)) : price,
          evidence.volume,
          evidence.absorbed_size,
          evidence.size,
          evidence.opposed,
          evidence.liquidated_size,
        ],
        ...[evidence.kind, evidence.depth, evidence.void_ratio, evidence.other_side_ratio, evidence.wall_size],
        ...[evidence.quotes, evidence.source, evidence.levels, Math.abs(Number(evidence.ofi_depth))],
        ...[evidence.gate, evidence.vpin, evidence.lambda_r2, evidence.usual, evidence.span_ms, evidence.form],
        ...[evidence.lifetime_ms, evidence.cancel_lb, evidence.moved_ticks, evidence.approached, evidence.opposite],
        ...[evidence.peak, evidence.cycles, evidence.hidden_lb, evidence.refill_ms],
        ...[evidence.cvd, evidence.integrated_ofi].map((signed) => Math.abs(Number(signed))),
      ];
      expect(inOrder(mirrored.signals.map((one) => facts(one, true)))).toEqual(
        inOrder(plain.signals.map((one) => facts(one, false))),
      );
    }),
    runs,
  );
});

test('scaling prices and sizes changes no time, ratio or score', async () => {
  const facts = (signals: Signal[]): unknown[] =>
    inOrder(
      signals.map(({ time, signal, phase, side, score, reason, evidence, confirm, context }) => [
        ...[time, signal, phase, side, score, reason],
        ...[JSON.stringify(confirm), JSON.stringify(context?.regime), context?.trend, context?.alignment],
        JSON.stringify(context?.zones),
        ...[evidence.mean, evidence.imbalance, evidence.groups_imbalance, evidence.displacement_ticks],
        ...[evidence.ofi_depth, evidence.levels_ofi, evidence.move_ticks, evidence.quotes, evidence.integrated_ofi],
        ...[evidence.delta_pct, evidence.vpin, evidence.price_z, evidence.cvd_z, evidence.form],
        ...[evidence.swept_ticks, evidence.slippage_bps, evidence.next_gap_ticks, evidence.depth_share, evidence.z],
        ...[evidence.width_ticks, evidence.void_ratio, evidence.other_side_ratio, evidence.wall_age_ms],
        ...[evidence.buy_cells, evidence.bin_ticks, evidence.reversal_ticks, evidence.move_bps, evidence.liquidations],
        ...[evidence.median_ratio, evidence.lifetime_ms, evidence.distance_bps, evidence.moved_ticks],
        ...[evidence.cycles, evidence.refill_ms, evidence.cycle_ms],
      ]),
    );
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const tiny = {
        ...{ tick: '0.0000001', lot: '0.000001' },
        price: (ticks: number) => `0.00${String(ticks).padStart(5, '0')}`,
        size: (size: number) => `0.${String(size).padStart(6, '0')}`,
      };
      const huge = {
        tick: '100000',
        lot: '1000000',
        price: (ticks: number) => `${ticks}00000`,
        size: (size: number) => `${size}e6`,
      };
      // averages such as the price of a liquidation are too fine to be held beside such prices
      for (const [scale, extras] of [
        [tiny, true],
        [huge, false],
      ] as const) {
        const tape = { seed, minutes: 3, extras, quotes: true };
        const [plain, scaled] = [randomTape(tape), randomTape({ ...tape, ...scale })];
        expect(facts((await scanLines(scaled.lines, livelyOf(seed))).signals)).toEqual(
          facts((await scanLines(plain.lines, livelyOf(seed))).signals),
        );
      }
    }),
    { numRuns: 8 },
  );
});

test('other symbols, batch sizes and a shift in time by whole units change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({ min: 1, max: 50 }), async (seed, every) => {
      const one = randomTape({ seed, minutes: 3 }).lines;
      const other = randomTape({ seed: seed + 1, minutes: 3, symbol: 'ETHUSDT', troubled: true }).lines;
      const alone = await scanLines(one, lively);
      expect((await scanLines(one, lively, every)).lines).toEqual(alone.lines);
      const mixed = [...one, ...other]
        .map((line) => ({ line, t: Number(line.slice(5, 21)) }))
        .sort((a, b) => a.t - b.t);
      const both = await scanLines(
        mixed.map(({ line }) => line),
        lively,
      );
      expect(both.lines.filter((line) => line.includes('"BTCUSDT"'))).toEqual(alone.lines);
      // as two tapes: all lines in byte order
      const merged = await scanFlows([flowOf(one, every), flowOf(other)], lively);
      expect(merged.lines).toEqual([...alone.lines, ...(await scanLines(other, lively)).lines].sort());
      const shift = 7 * 60 * MINUTE; // whole bars, too
      const later = await scanLines(randomTape({ seed, minutes: 3, start: START + shift }).lines, lively);
      // lines of one time stand in the order of their ids, which are others
      const facts = ({ signals }: Scanned, start: number): unknown[] =>
        inOrder(
          signals.map(({ signal, phase, side, score, evidence, context }) => [
            evidence.last - start,
            signal,
            phase,
            side,
            score,
            JSON.stringify(context.zones),
          ]),
        );
      expect(facts(later, START + shift)).toEqual(facts(alone, START));
    }),
    { numRuns: 8 },
  );
});

test('a detector says the same whether others run beside it or not', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.constantFrom(...detectors.map(({ name }) => name)), async (seed, name) => {
      const { lines } = randomTape({ seed, minutes: 4, troubled: seed % 2 === 0, quotes: true });
      const alone = await scanLines(lines, { ...lively, detect: [name] });
      const beside = await scanLines(lines, lively);
      expect(beside.lines.filter((line) => line.includes(`"signal":"${name}"`))).toEqual(alone.lines);
    }),
    runs,
  );
});
