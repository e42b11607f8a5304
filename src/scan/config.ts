/** Config files of a scan: JSON to what a person gave, with refusals that name the key. */
import { isObject } from '../decode/explain.js';
import type { Micros, Source } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import type { Side } from '../model/signal.js';
import { parseDuration } from '../model/time.js';
import { type GivenPlan, PLAN_KEYS, planSettings } from '../signals/plan.js';
import type { Setting } from '../signals/registry.js';
import type { SymbolSettings } from './detector-table.js';
import type { GivenSettings } from './settings.js';

const SYMBOL_KEYS = ['detect', 'set'] as const;
const TIME_KEYS = ['unit', 'baseline', 'warmup', 'htf'] as const;
const FILTER_KEYS = ['min-score', 'side', 'where'] as const;
const KEYS = ['preset', ...SYMBOL_KEYS, 'symbols', ...TIME_KEYS, ...PLAN_KEYS, ...FILTER_KEYS] as const;

/**
 * Reads a config file, every key optional:
 * `{"preset": "scalp", "detect": ["absorption"], "set": {"absorption": {"window": "10s"}}, "baseline": "10m",
 *   "symbols": {"bybit-linear:*": {"set": {…}}}, "where": "score > 1"}`.
 * @throws {TapedeckError} E_CONFIG naming the key
 */
export function readConfig(text: string, file: string): GivenSettings {
  try {
    return readKeys(text);
  } catch (error) {
    if (!(error instanceof TapedeckError)) throw error;
    throw new TapedeckError(error.code, `while reading the config: ${error.message}`, { file });
  }
}

function readKeys(text: string): GivenSettings {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return refuse(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(parsed)) return refuse('not a JSON object');
  const config = parsed;
  knownKeys(config, KEYS);
  const duration = (key: (typeof TIME_KEYS)[number]): Micros | undefined => {
    const value = config[key];
    if (value === undefined) return undefined;
    const read = typeof value === 'string' ? parseDuration(value) : Number.NaN;
    return read > 0 ? read : refuse(`${key}: ${JSON.stringify(value)} is not a duration such as "5m"`);
  };
  const word = (key: 'preset' | 'where'): string | undefined => {
    const value = config[key];
    return value === undefined || typeof value === 'string' ? value : refuse(`${key}: not a text`);
  };
  return {
    preset: word('preset'),
    ...symbolSettings(config),
    symbols: bySymbol(config.symbols),
    unit: duration('unit'),
    baseline: duration('baseline'),
    warmup: duration('warmup'),
    htf: duration('htf'),
    plan: plan(config),
    minScore: minScore(config['min-score']),
    side: side(config.side),
    where: word('where'),
  };
}

function symbolSettings({ detect, set }: Record<string, unknown>): SymbolSettings {
  if (set !== undefined && !isObject(set)) return refuse('set: not an object of detectors');
  const settings: Setting[] = [];
  for (const [detector, parameters] of Object.entries(set ?? {})) {
    if (!isObject(parameters)) return refuse(`set.${detector}: not an object of parameters`);
    for (const [parameter, value] of Object.entries(parameters)) settings.push({ detector, parameter, value });
  }
  if (detect === undefined) return { set: settings };
  return isTexts(detect) ? { detect, set: settings } : refuse('detect: not a list of names');
}

function bySymbol(symbols: unknown): Record<Source, SymbolSettings> | undefined {
  if (symbols === undefined) return undefined;
  if (!isObject(symbols)) return refuse('symbols: not an object of symbols');
  const settings = Object.entries(symbols).map(([src, own]): [Source, SymbolSettings] => {
    try {
      if (!isObject(own)) return refuse('not an object of settings');
      knownKeys(own, SYMBOL_KEYS);
      return [src, symbolSettings(own)];
    } catch (error) {
      return refuse(`symbols.${src}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  return Object.fromEntries(settings);
}

function plan(config: Record<string, unknown>): GivenPlan {
  const given: Partial<Record<(typeof PLAN_KEYS)[number], number>> = {};
  for (const key of PLAN_KEYS) {
    const value = config[key];
    if (typeof value === 'number') given[key] = value;
    else if (value !== undefined) refuse(`${key}: not a number`);
  }
  planSettings(given);
  return given;
}

function minScore(value: unknown): number | undefined {
  return value === undefined || typeof value === 'number' ? value : refuse('min-score: not a number');
}

function side(value: unknown): Side | undefined {
  if (value === undefined || value === 'buy' || value === 'sell') return value;
  return refuse(`side: ${JSON.stringify(value)} is not "buy" or "sell"`);
}

function knownKeys(object: Record<string, unknown>, keys: readonly string[]): void {
  for (const key of Object.keys(object))
    if (!keys.includes(key)) refuse(`no key '${key}'${didYouMean(key, keys)}; there are ${keys.join(', ')}`);
}

function refuse(message: string): never {
  throw new TapedeckError('E_CONFIG', message);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
