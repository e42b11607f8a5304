/** Scans what a scenario tells, and holds the signals against its known answer. */
import { expect } from 'vitest';
import type { LineFlow } from '../../src/model/batch.js';
import type { Signal } from '../../src/model/signal.js';
import { detectors } from '../../src/signals/registry.js';
import type { Conflation } from '../../src/sim/scenarios/scenario.js';
import { PLAIN, type SeenNumbers, type Telling, type Told } from '../../src/sim/scenarios/tell.js';
import { flowOf, type Scanned, SECOND, scanFlows, type TestSettings } from '../scan/tape-builder.js';

export const there: ReadonlySet<string> = new Set(detectors.map(({ name }) => name));

export const CONFLATIONS: readonly Conflation[] = [0, 20, 100];

/** The ways to tell a scenario on one socket; of the scales only those that have something of their own. */
export const tellings: readonly Telling[] = (['trades-first', 'book-first'] as const).flatMap((order) =>
  CONFLATIONS.flatMap((conflation) =>
    [false, true].flatMap((mirrored) =>
      (conflation === 20 ? [0] : [0, -6, 6]).map((power): Telling => {
        // large prices with small sizes as well as with large ones
        const scale = { price: power, size: mirrored ? -power : power };
        return { ...PLAIN, order, conflation, mirrored, scale };
      }),
    ),
  ),
);

export const nameOf = ({ order, conflation, mirrored, scale, sockets }: Telling): string =>
  [
    order,
    `${conflation} ms`,
    ...(mirrored ? ['mirrored'] : []),
    ...(scale.price === 0 ? [] : [`prices 1e${scale.price}, sizes 1e${scale.size}`]),
    ...(sockets === 'two' ? ['two sockets'] : []),
  ].join(', ');

/** Of the detectors that a scenario asks for those that are there, and `others`. */
export function settingsFor({ of, settings }: Told, others: readonly string[] = []): TestSettings {
  const { set = [], baseline, warmup, htf } = settings;
  return {
    detect: [...of, ...others].filter((name) => there.has(name)),
    set: [...set],
    ...(baseline === undefined ? {} : { baseline: baseline * SECOND }),
    ...(warmup === undefined ? {} : { warmup: warmup * SECOND }),
    ...(htf === undefined ? {} : { htf: htf * SECOND }),
  };
}

export function scanTold(
  told: Told,
  others: readonly string[] = [],
  flow: LineFlow = flowOf(told.lines),
): Promise<Scanned> {
  return scanFlows([flow], settingsFor(told, others));
}

/** Signals from the moment on at which something happens. */
export const fromBeginning = ({ signals }: Scanned, { begin }: Told): Signal[] =>
  signals.filter(({ evidence }) => evidence.last >= begin);

/** One detector's signals in order of time, but for updates. */
export function ofDetector<T extends { signal: string; phase: string }>(all: readonly T[], name: string): T[] {
  return all.filter(({ signal, phase }) => signal === name && phase !== 'update');
}

export const outline = ({ phase, side, reason }: Pick<Signal, 'phase' | 'side' | 'reason'>): string =>
  [phase, side, ...(reason === undefined ? [] : [reason])].join(' ');

/** To nine digits: a script's numbers are whole or nearly so, a scale's powers of ten are not exact. */
function close(value: number): unknown {
  return value === 0 ? 0 : expect.closeTo(value, 8 - Math.floor(Math.log10(Math.abs(value))));
}
const allClose = (values: Readonly<Record<string, number>> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, close(value)]));

function compare(found: Signal, { price, prices, sizes, signed, facts, sided, plan, atMost }: SeenNumbers): void {
  if (price !== undefined) expect(found.price).toEqual(close(price));
  expect(found.evidence).toMatchObject({ ...allClose({ ...prices, ...sizes }), ...signed, ...facts, ...sided });
  for (const [key, most] of Object.entries(atMost)) expect(found.evidence[key]).toBeLessThanOrEqual(most * (1 + 1e-9));
  if (plan !== undefined) expect(found.plan).toMatchObject(allClose(plan));
}

/** Signals of one time stand in the order of their ids, which say nothing: where each has a kind, kinds and sides are compared one by one. */
function byKind<T>(all: readonly T[], kindOf: (one: T) => unknown): T[] {
  return [...all].sort((a, b) => (String(kindOf(a)) < String(kindOf(b)) ? -1 : kindOf(a) === kindOf(b) ? 0 : 1));
}

/** Exactly the signals that are declared were found, with their numbers. */
export function check(told: Told, found: readonly Signal[]): void {
  for (const detector of told.of.filter((one) => there.has(one))) compareAll(detector, told.seen, found);
}

function compareAll(detector: string, all: readonly SeenNumbers[], found: readonly Signal[]): void {
  const declared = ofDetector(all, detector);
  const kinds = declared.every(({ facts }) => facts?.kind !== undefined);
  const expected = kinds ? byKind(declared, ({ facts, side }) => `${facts?.kind} ${side}`) : declared;
  const own = ofDetector(found, detector);
  const seen = kinds ? byKind(own, ({ evidence, side }) => `${evidence.kind} ${side}`) : own;
  expect(seen.map(outline), detector).toEqual(expected.map(outline));
  for (const [n, signal] of seen.entries()) compare(signal, expected[n]);
}
