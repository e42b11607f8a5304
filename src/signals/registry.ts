/** The detectors tapedeck knows, and how options for them are read. */
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import absorption from './absorption.js';
import block from './block.js';
import bookImbalance from './book-imbalance.js';
import cvdDivergence from './cvd-divergence.js';
import delta from './delta.js';
import { type Detector, defaultsOf, type Options } from './detector.js';
import footprint from './footprint.js';
import iceberg from './iceberg.js';
import ignition from './ignition.js';
import liquidationCascade from './liquidation-cascade.js';
import ofi from './ofi.js';
import { readParameter } from './parameters.js';
import pull from './pull.js';
import skewFade from './skew-fade.js';
import sweep from './sweep.js';
import tapeImbalance from './tape-imbalance.js';
import voids from './void.js';
import voidRun from './void-run.js';

/** All detectors, in the order they are listed to people. */
export const detectors: readonly Detector[] = [
  bookImbalance,
  tapeImbalance,
  ofi,
  delta,
  cvdDivergence,
  sweep,
  block,
  voids,
  absorption,
  iceberg,
  pull,
  footprint,
  liquidationCascade,
  ignition,
  skewFade,
  voidRun,
];

/** A detector with every parameter's value. */
export interface Chosen {
  detector: Detector;
  options: Options;
}

/**
 * The detector of that name.
 * @throws {TapedeckError} E_CONFIG with the nearest name and all there are
 */
export function detectorByName(name: string): Detector {
  const detector = detectors.find((one) => one.name === name);
  if (detector !== undefined) return detector;
  const names = detectors.map((one) => one.name);
  throw new TapedeckError('E_CONFIG', `no detector '${name}'${didYouMean(name, names)}; there are ${names.join(', ')}`);
}

/**
 * Detectors by name with their defaults, changed by `settings` in order.
 * @param names null: all
 * @throws {TapedeckError} E_CONFIG for an unknown detector or parameter, or a value it cannot have
 */
export function chooseDetectors(names: readonly string[] | null, settings: readonly Setting[]): Chosen[] {
  const values = new Map<Detector, Record<string, number | string>>();
  for (const detector of detectors) values.set(detector, defaultsOf(detector));
  for (const { detector: name, parameter: key, value } of settings) {
    const detector = detectorByName(name);
    const parameter = Object.hasOwn(detector.parameters, key) ? detector.parameters[key] : undefined;
    if (parameter === undefined) {
      const keys = Object.keys(detector.parameters);
      throw new TapedeckError(
        'E_CONFIG',
        `${name} has no parameter '${key}'${didYouMean(key, keys)}; it has ${keys.join(', ')}`,
      );
    }
    (values.get(detector) as Record<string, number | string>)[key] = readParameter(`${name}.${key}`, parameter, value);
  }
  const wanted = names === null ? detectors : [...new Set(names)].map(detectorByName);
  return wanted.map((detector) => {
    const options = values.get(detector) as Options;
    const problem = detector.check(options);
    if (problem !== null) throw new TapedeckError('E_CONFIG', `${detector.name}: ${problem}`);
    return { detector, options };
  });
}

/** One parameter set by a person: `absorption.window=10s`. */
export interface Setting {
  detector: string;
  parameter: string;
  value: unknown;
}

/**
 * Reads `detector.parameter=value`.
 * @throws {TapedeckError} E_CONFIG
 */
export function parseSetting(text: string): Setting {
  const match = /^([^.=]+)\.([^=]+)=(.*)$/s.exec(text);
  if (match === null)
    throw new TapedeckError(
      'E_CONFIG',
      `'${text}' is not a setting; give detector.parameter=value, e.g. absorption.window=10s`,
    );
  return { detector: match[1], parameter: match[2], value: match[3] };
}
