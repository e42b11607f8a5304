/** What a scan is asked to do, and how much of the past it has to know for that. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import type { Fit } from '../model/fit.js';
import { MICROS_PER_MINUTE, parseDuration } from '../model/time.js';
import { type GivenPlan, type PlanSettings, planSettings } from '../signals/plan.js';
import { type DetectorTable, detectorTable, type GivenDetectors, type SymbolSettings } from './detector-table.js';
import type { GivenFilter } from './filter.js';

export interface ScanSettings {
  detectors: DetectorTable;
  /** lifecycles start afresh at every whole multiple of this */
  unit: Micros;
  /** rolling baselines hold this much, in whole minutes */
  baseline: Micros;
  /** valid data needed before a baseline speaks */
  warmup: Micros;
  /** bar of the higher timeframe; context of that timeframe uses closed bars, so one bar is part of the look-back */
  htf: Micros;
  /** signals with `from <= time < to` are printed */
  from?: Micros;
  to?: Micros;
  /** what plans of setups are made with */
  plan: PlanSettings;
  /** what was learnt of markets from earlier tapes */
  fits: readonly Fit[];
  /** sums over all decoded state are wanted */
  checksum: boolean;
}

/** What a person gave, unread; undefined where nothing was given. Filters are for who prints the signals. */
export interface GivenSettings extends GivenDetectors, GivenFilter {
  unit?: Micros | undefined;
  baseline?: Micros | undefined;
  warmup?: Micros | undefined;
  htf?: Micros | undefined;
  plan?: GivenPlan | undefined;
  fits?: readonly Fit[] | undefined;
}

const DAY: Micros = 1440 * MICROS_PER_MINUTE;

export const SCAN_DEFAULTS = { unit: '1h', baseline: '5m', warmup: '1m', htf: '5m' } as const;

/**
 * Completes and checks settings; all times are µs, and nothing given is what `tapedeck scan` does by itself. Filters among them change no
 * signal: `signalFilter` reads them, for whoever prints the signals.
 * @throws {TapedeckError} E_CONFIG, E_VENUE
 */
export function scanSettings(
  given: GivenSettings,
  others: Pick<ScanSettings, 'from' | 'to' | 'checksum'>,
): ScanSettings {
  const time = (key: keyof typeof SCAN_DEFAULTS): Micros => given[key] ?? parseDuration(SCAN_DEFAULTS[key]);
  const wholeMinutes = (key: 'unit' | 'baseline' | 'htf'): Micros => {
    const value = time(key);
    if (value > 0 && value % MICROS_PER_MINUTE === 0 && value <= DAY) return value;
    throw new TapedeckError('E_CONFIG', `${key}: it must be whole minutes, at most a day`);
  };
  const unit = wholeMinutes('unit');
  if (DAY % unit !== 0) throw new TapedeckError('E_CONFIG', 'unit: it must divide the day, as 1m, 15m or 1h do');
  return {
    ...others,
    detectors: detectorTable(given),
    unit,
    baseline: wholeMinutes('baseline'),
    warmup: time('warmup'),
    htf: wholeMinutes('htf'),
    plan: planSettings(given.plan),
    fits: given.fits ?? [],
  };
}

/**
 * How long before a unit reading must start, so that the unit's signals are those of the whole: the ring of the baseline, and
 * before it the windows its first samples look back on, in whole minutes, or one bar of the higher timeframe. Reading starts at
 * one time for all srcs, so the detector that looks back furthest decides, of whichever src it is.
 */
export function lookback({ detectors, unit, baseline, warmup, htf }: ScanSettings): Micros {
  const windows = detectors.lists.flat().map(({ detector, options }) => detector.lookback(options));
  // the last closed bar before a unit that does not begin with a bar began more than one bar before it
  const bars = unit % htf === 0 ? htf : 2 * htf;
  const longest = Math.max(bars, ...windows);
  return Math.max(baseline + Math.ceil(longest / MICROS_PER_MINUTE) * MICROS_PER_MINUTE, warmup);
}

/** Without detectors nothing looks back but sums, and these no longer than some seconds. */
const SUMS_LOOKBACK = MICROS_PER_MINUTE;

function isIdle({ detectors }: ScanSettings): boolean {
  return detectors.lists.every((chosen) => chosen.length === 0);
}

/** A scan may be divided at whole multiples of this: events start afresh with each unit, and sums know of no units. */
export function divisionOf(settings: ScanSettings): Micros {
  return isIdle(settings) ? MICROS_PER_MINUTE : settings.unit;
}

/** Where reading has to start so that everything from `from` on is what a scan of the whole tape prints. */
export function readingStart(settings: ScanSettings, from: Micros): Micros {
  const division = divisionOf(settings);
  return Math.floor(from / division) * division - (isIdle(settings) ? SUMS_LOOKBACK : lookback(settings));
}

/**
 * Command line before config file, for single symbols too. Settings of the file come first, so that those typed win.
 */
export function mergeSettings(file: GivenSettings, typed: GivenSettings): GivenSettings {
  const known = <T extends object>(settings: T): Partial<T> =>
    Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
  const over = ({ detect, set = [] }: SymbolSettings): SymbolSettings => ({
    detect: typed.detect ?? detect,
    set: [...set, ...(typed.set ?? [])],
  });
  const symbols = Object.entries(file.symbols ?? {}).map(([src, own]) => [src, over(own)] as const);
  const plan = { ...file.plan, ...known(typed.plan ?? {}) };
  return { ...file, ...known(typed), plan, ...over(file), symbols: Object.fromEntries(symbols) };
}
