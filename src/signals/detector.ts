/** The contract of a detector: what it is called, what it needs, its parameters, and how it runs. */

import type { Market } from '../market/market.js';
import type { Micros } from '../model/entry.js';
import type { EndReason } from '../model/signal.js';
import { defaultOf, type Parameters, type ParameterValue, type Values } from './parameters.js';
import type { Voice } from './voice.js';

/** What a detector cannot do without. */
export type Need = 'book' | 'trades' | 'liquidations';

/** One field of a signal's evidence, in words and for the schema. Prices and sizes are exact decimals, ratios have six; a time is a `t`. */
export interface EvidenceField {
  type: 'price' | 'size' | 'ratio' | 'count' | 'time' | 'ms' | 'bps' | 'ticks' | 'text' | 'flag';
  /** may be null: not known */
  nullable?: boolean;
  /** may be left out, as the parameters have it */
  optional?: boolean;
  /** of a text: all it may be */
  choices?: readonly string[];
  doc: string;
}

/** What the fields of a detector's signals mean, for the manual and the schema. */
export interface Meaning {
  /** has no duration: one line with phase `point`, and no end */
  point?: boolean;
  side: string;
  price: string;
  score: string;
  evidence: Readonly<Record<string, EvidenceField>>;
  /** reasons of its ends beside gap, hour and eof, and what each means */
  ends?: Readonly<Partial<Record<EndReason, string>>>;
}

/** One detector on one src. It keeps nothing older than its look-back, its running events aside. */
export interface DetectorRun {
  /** Wake bits on which `evaluate` is called */
  readonly wake: number;
  /** Looks at the market after the entry at `t` was applied. `why` holds Wake bits. */
  evaluate(t: Micros, why: number): void;
  /** Starts afresh: a unit begins, or data was lost. What was open has ended already, for a reason from outside. */
  reset?(): void;
  /** Data it rests on was lost, and is forgotten in the market: what it keeps of its own goes too. After `reset`. */
  lose?(): void;
}

export interface DetectorModule<P extends Parameters> {
  name: string;
  /** one line */
  summary: string;
  /** paragraphs, with a blank line between, for `--list` and the manual; `"name"` is a name */
  doc: string;
  needs: readonly Need[];
  /** rests on the best quotes beside the book where they are recorded; a lost one leaves no trace but a gap */
  touches?: boolean;
  parameters: P;
  /** its signals are of an aggression, which three tests confirm or not */
  confirms?: boolean;
  meaning: Meaning;
  /** why these values together can never detect anything; null where they can */
  check?(options: Values<P>): string | null;
  /** data older than this (µs) plays no role, baselines aside */
  lookback(options: Values<P>): Micros;
  /** window (µs) that weights of a fit have to be of, where it uses them */
  weighs?(options: Values<P>): Micros;
  create(options: Values<P>, market: Market, voice: Voice): DetectorRun;
}

/** A detector whose parameter types are forgotten, as the registry holds it. */
export interface Detector extends Omit<DetectorModule<Parameters>, 'check' | 'lookback' | 'weighs' | 'create'> {
  check(options: Options): string | null;
  lookback(options: Options): Micros;
  /** null where it uses no weights */
  weighs(options: Options): Micros | null;
  create(options: Options, market: Market, voice: Voice): DetectorRun;
}

/** Every parameter's value; made by `defaultsOf` and checked readers only. */
export type Options = Readonly<Record<string, ParameterValue>>;

/** Checks a module's types against its declarations. */
export function defineDetector<const P extends Parameters>(module: DetectorModule<P>): Detector {
  return {
    ...module,
    check: (options) => module.check?.(options as Values<P>) ?? null,
    lookback: (options) => module.lookback(options as Values<P>),
    weighs: (options) => module.weighs?.(options as Values<P>) ?? null,
    create: (options, market, voice) => module.create(options as Values<P>, market, voice),
  };
}

/** All defaults of a detector. */
export function defaultsOf(detector: Detector): Record<string, ParameterValue> {
  return Object.fromEntries(Object.entries(detector.parameters).map(([name, one]) => [name, defaultOf(one)]));
}
