/** What a person gave that changes nothing in a scan, most often a slip: said in sentences, as it may be meant. */
import type { Source } from '../model/entry.js';
import { didYouMean } from '../model/nearest.js';
import type { Setting } from '../signals/registry.js';
import type { DetectorTable } from './detector-table.js';

/** Parameters of detectors that run on no market. */
export function unusedSettings(set: readonly Setting[], table: DetectorTable): string[] {
  const running = new Set(table.lists.flat().map(({ detector }) => detector.name));
  return set
    .filter(({ detector }) => !running.has(detector))
    .map(({ detector, parameter }) => `--set ${detector}.${parameter}: ${detector} does not run`);
}

/** Markets of a config, `VENUE:*` among them, that are none of those there are. */
export function unusedMarkets(named: readonly Source[], there: readonly Source[]): string[] {
  const fits = (name: Source): boolean =>
    name.endsWith(':*') ? there.some((src) => src.startsWith(name.slice(0, -1))) : there.includes(name);
  return named
    .filter((name) => !fits(name))
    .map((name) => `config: symbols.${name}: no such market is on the tape${didYouMean(name, there)}`);
}
