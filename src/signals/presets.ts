/** Sets of parameters by name: a place to start from. What a preset does not name keeps its default. */
import { TapedeckError } from '../model/errors.js';
import { didYouMean } from '../model/nearest.js';
import type { Setting } from './registry.js';

export interface Preset {
  /** a phrase for people */
  doc: string;
  /** detector, parameter, value as one would type it */
  set: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

/** Thresholds in them are relative, like the defaults: no preset has to know what a symbol trades. */
export const presets = {
  scalp: {
    doc: 'short windows and holds: sooner, and more of it',
    set: {
      'book-imbalance': { levels: 5, window: '2s', hold: '500ms' },
      'tape-imbalance': { window: '3s', hold: '1s' },
      absorption: { window: '5s', quantile: 0.9, hold: '500ms', settle: '2s' },
      ofi: { window: '5s', hold: '500ms' },
      delta: { window: '5s', hold: '500ms' },
      'cvd-divergence': { window: '15s', hold: '2s' },
      void: { thin: 0.25, hold: '150ms', settle: '100ms' },
      iceberg: { quantile: 0.9 },
      pull: { quantile: 0.998 },
      footprint: { span: '10s', age: '5m' },
      'liquidation-cascade': { window: '5s', count: 3, settle: '3s' },
      ignition: { window: '1s', quantile: 0.9, age: '5s' },
      'skew-fade': { window: '1s', hold: '1s', age: '15s' },
      'void-run': { thin: 0.25, hold: '150ms', age: '15s' },
    },
  },
  default: { doc: 'every default as it is', set: {} },
  quiet: {
    doc: 'only what stands far out and lasts: for looking up now and then, or for many symbols at once',
    set: {
      'book-imbalance': { window: '10s', on: 0.7, off: 0.5, hold: '3s' },
      'tape-imbalance': { window: '10s', groups: 20, on: 0.75, off: 0.5, hold: '4s', quantile: 0.9 },
      absorption: { window: '20s', quantile: 0.99, hold: '2s', settle: '5s' },
      ofi: { window: '30s', on: 5, hold: '3s' },
      delta: { window: '30s', quantile: 0.99, hold: '3s' },
      'cvd-divergence': { window: '1m', on: 3, hold: '10s', opposed: 2 },
      void: { quantile: 0.999, thin: 0.1, run: 5, hold: '1s', swept: 0.8 },
      iceberg: { cycles: 5, quantile: 0.99 },
      pull: { quantile: 0.9999, times: 10 },
      footprint: { span: '2m', stack: 4, quantile: 0.9 },
      'liquidation-cascade': { window: '20s', count: 8, quantile: 0.98, bps: 10 },
      ignition: { quantile: 0.99, groups: 5, depth: 0.05 },
      'skew-fade': { on: 0.7, off: 0.5, hold: '4s' },
      'void-run': { quantile: 0.999, thin: 0.1, run: 5, hold: '1s', wall: '20s' },
    },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as readonly PresetName[];

/**
 * The settings of a preset, to be applied before others.
 * @throws {TapedeckError} E_CONFIG with the nearest name and all there are
 */
export function presetSettings(name: string): Setting[] {
  const known = presetNames.find((one) => one === name);
  if (known === undefined)
    throw new TapedeckError(
      'E_CONFIG',
      `no preset '${name}'${didYouMean(name, presetNames)}; there are ${presetNames.join(', ')}`,
    );
  const { set }: Preset = presets[known];
  return Object.entries(set).flatMap(([detector, parameters]) =>
    Object.entries(parameters).map(([parameter, value]) => ({ detector, parameter, value })),
  );
}

/** What the presets make of a detector's parameters, by preset; those that leave it alone are not there. */
export function presetsOf(detector: string): Partial<Record<PresetName, Preset['set'][string]>> {
  const own: Partial<Record<PresetName, Preset['set'][string]>> = {};
  for (const name of presetNames) {
    const { set }: Preset = presets[name];
    if (Object.hasOwn(set, detector)) own[name] = set[detector];
  }
  return own;
}
