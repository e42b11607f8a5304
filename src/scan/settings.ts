/** What a scan is asked to do, and how much of the past it has to know for that. */
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import { MICROS_PER_MINUTE, parseDuration } from '../model/time.js';
import { PLAN_DEFAULTS, type PlanSettings } from '../signals/plan.js';
import { type Chosen, chooseDetectors, type Setting } from '../signals/registry.js';

export interface ScanSettings {
  detectors: readonly Chosen[];
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
  /** sums over all decoded state are wanted */
  checksum: boolean;
}

/** What a person gave, unread; undefined where nothing was given. */
export interface GivenSettings {
  detect?: readonly string[] | undefined;
  set?: readonly Setting[] | undefined;
  unit?: Micros | undefined;
  baseline?: Micros | undefined;
  warmup?: Micros | undefined;
  htf?: Micros | undefined;
  plan?: Partial<PlanSettings> | undefined;
}

const DAY: Micros = 1440 * MICROS_PER_MINUTE;
/** Sorted samples of a longer ring would cost more than the detectors. */
const LONGEST_BASELINE: Micros = DAY;

export const SCAN_DEFAULTS = { unit: '1h', baseline: '5m', warmup: '1m', htf: '5m' } as const;

/**
 * Completes and checks settings.
 * @throws {TapedeckError} E_CONFIG
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
  const baseline = wholeMinutes('baseline');
  if (baseline > LONGEST_BASELINE) throw new TapedeckError('E_CONFIG', 'baseline: at most a day');
  const names = given.detect ?? null;
  if (names?.includes('none') && names.length > 1) throw new TapedeckError('E_CONFIG', "detect: 'none' stands alone");
  return {
    ...others,
    detectors: chooseDetectors(names?.[0] === 'none' ? [] : names, given.set ?? []),
    unit,
    baseline,
    warmup: time('warmup'),
    htf: wholeMinutes('htf'),
    plan: { ...PLAN_DEFAULTS, ...given.plan },
  };
}

/**
 * How long before a unit reading must start, so that the unit's signals are those of the whole: the ring of the baseline, and
 * before it the windows its first samples look back on, in whole minutes, or one bar of the higher timeframe.
 */
export function lookback({ detectors, unit, baseline, warmup, htf }: ScanSettings): Micros {
  const windows = detectors.map(({ detector, options }) => detector.lookback(options));
  // the last closed bar before a unit that does not begin with a bar began more than one bar before it
  const bars = unit % htf === 0 ? htf : 2 * htf;
  const longest = Math.max(bars, ...windows);
  return Math.max(baseline + Math.ceil(longest / MICROS_PER_MINUTE) * MICROS_PER_MINUTE, warmup);
}

/** Where reading has to start so that everything from `from` on is what a scan of the whole tape prints. */
export function readingStart(settings: ScanSettings, from: Micros): Micros {
  return Math.floor(from / settings.unit) * settings.unit - lookback(settings);
}

const CONFIG_KEYS = ['detect', 'set', 'unit', 'baseline', 'warmup', 'htf'] as const;

/**
 * Reads a config file: `{"detect": ["absorption"], "set": {"absorption": {"window": "10s"}}, "baseline": "10m"}`, every key
 * optional. What is given on the command line goes before it.
 * @throws {TapedeckError} E_CONFIG naming the key
 */
export function readConfig(text: string, file: string): GivenSettings {
  const refuse = (message: string): never => {
    throw new TapedeckError('E_CONFIG', `while reading the config: ${message}`, { file });
  };
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    return refuse(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(config)) return refuse('not a JSON object');
  for (const key of Object.keys(config))
    if (!CONFIG_KEYS.some((known) => known === key))
      refuse(`no key '${key}'${didYouMean(key, CONFIG_KEYS)}; there are ${CONFIG_KEYS.join(', ')}`);
  const duration = (key: keyof typeof SCAN_DEFAULTS): Micros | undefined => {
    const value = config[key];
    if (value === undefined) return undefined;
    const read = typeof value === 'string' ? parseDuration(value) : Number.NaN;
    return read > 0 ? read : refuse(`${key}: ${JSON.stringify(value)} is not a duration such as "5m"`);
  };
  const { detect, set } = config;
  if (detect !== undefined && !(Array.isArray(detect) && detect.every((name) => typeof name === 'string')))
    return refuse('detect: not a list of names');
  if (set !== undefined && !isObject(set)) return refuse('set: not an object of detectors');
  const settings: Setting[] = [];
  for (const [detector, parameters] of Object.entries(set ?? {})) {
    if (!isObject(parameters)) return refuse(`set.${detector}: not an object of parameters`);
    for (const [parameter, value] of Object.entries(parameters)) settings.push({ detector, parameter, value });
  }
  return {
    detect: detect as string[] | undefined,
    set: settings,
    unit: duration('unit'),
    baseline: duration('baseline'),
    warmup: duration('warmup'),
    htf: duration('htf'),
  };
}

/** Command line before config file; settings of the file come first, so that those typed win. */
export function mergeSettings(file: GivenSettings, typed: GivenSettings): GivenSettings {
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
  return { ...file, ...given, set: [...(file.set ?? []), ...(typed.set ?? [])] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
