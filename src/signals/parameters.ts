/** Parameters of detectors: declared once with type, default and words; read from text or JSON with clear refusals. */
import { decimalsOf } from '../model/decimal.js';
import { TapedeckError } from '../model/errors.js';
import { parseDuration } from '../model/time.js';

interface Worded {
  /** one line for `--list` and the manual */
  doc: string;
}

export interface NumberParameter extends Worded {
  type: 'number';
  default: number;
  min: number;
  max: number;
}

export interface IntegerParameter extends Worded {
  type: 'integer';
  default: number;
  min: number;
  max: number;
}

/** `5s`, `250ms`; µs to the detector. */
export interface DurationParameter extends Worded {
  type: 'duration';
  default: string;
  min: string;
  max: string;
}

/** A size in the venue's size unit, decimal text, exact. */
export interface SizeParameter extends Worded {
  type: 'size';
  default: string;
}

export interface ChoiceParameter extends Worded {
  type: 'choice';
  default: string;
  choices: readonly string[];
}

export type Parameter = NumberParameter | IntegerParameter | DurationParameter | SizeParameter | ChoiceParameter;
export type Parameters = Readonly<Record<string, Parameter>>;

/** What a detector gets: durations in µs, sizes as decimal text. */
export type Values<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends { choices: readonly (infer C)[] }
    ? C
    : P[K] extends { type: 'size' }
      ? string
      : number;
};

export type ParameterValue = number | string;

/** The value in force when nothing is set. */
export function defaultOf(parameter: Parameter): ParameterValue {
  return parameter.type === 'duration' ? parseDuration(parameter.default) : parameter.default;
}

/**
 * Reads a value typed for a parameter (text), or given in a config file (text or number).
 * @throws {TapedeckError} E_CONFIG; `name` is how the parameter is called in the message
 */
export function readParameter(name: string, parameter: Parameter, given: unknown): ParameterValue {
  const text = typeof given === 'number' ? String(given) : given;
  const refuse = (wanted: string): never => {
    throw new TapedeckError('E_CONFIG', `${name}: ${JSON.stringify(given)} is not ${wanted}`);
  };
  if (typeof text !== 'string') return refuse(describeType(parameter));
  switch (parameter.type) {
    case 'number':
    case 'integer': {
      const value = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
      const fits = value >= parameter.min && value <= parameter.max;
      return fits && (parameter.type === 'number' || Number.isInteger(value)) ? value : refuse(describeType(parameter));
    }
    case 'duration': {
      const value = parseDuration(text);
      const fits = value >= parseDuration(parameter.min) && value <= parseDuration(parameter.max);
      return fits ? value : refuse(describeType(parameter));
    }
    case 'size':
      return isSize(text) ? text : refuse(describeType(parameter));
    case 'choice':
      return parameter.choices.includes(text) ? text : refuse(describeType(parameter));
  }
}

/** No venue counts finer than this. */
const MOST_DECIMALS = 12;

/** How large it may be depends on the scale of the symbol, which is not known here. */
function isSize(text: string): boolean {
  const value = Number(text);
  return decimalsOf(text) <= MOST_DECIMALS && value >= 0 && Number.isFinite(value);
}

/** `a number from 0 to 1`, as it stands in messages and lists. */
export function describeType(parameter: Parameter): string {
  switch (parameter.type) {
    case 'number':
      return `a number from ${parameter.min} to ${parameter.max}`;
    case 'integer':
      return `a whole number from ${parameter.min} to ${parameter.max}`;
    case 'duration':
      return `a duration from ${parameter.min} to ${parameter.max}`;
    case 'size':
      return 'a size, zero or more';
    case 'choice':
      return `one of ${parameter.choices.join(', ')}`;
  }
}
