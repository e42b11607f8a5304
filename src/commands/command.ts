/** The contract of a command: what it is called, what it takes, how it is explained and what it does. */
import type { Writable } from 'node:stream';
import type { Micros } from '../model/entry.js';
import { TapedeckError } from '../model/errors.js';
import { parseDuration, parseTimeSpec } from '../model/time.js';
import { escapeControl } from '../output/text.js';

/** What all options share. The texts are the only source of `--help`, the man page and shell completion. */
interface Described {
  /** one line, a phrase without a full stop: `print at N times the recorded speed` */
  describe: string;
  /** sentences added in the man page only */
  details?: string;
}

/** An option without a value: true when given. */
export interface FlagDeclaration extends Described {
  /** one letter: `q` for `-q` */
  alias?: string;
}

/** An option with a value, given once (`array`: any number of times). Repeating a scalar is a usage error. */
export interface ValueDeclaration extends FlagDeclaration {
  /** how the value is called in help: `TIME`, `DIR`, `N|max` */
  value: string;
  /** text to value; throws TapedeckError E_USAGE with a message that starts with what was typed. Absent: the text itself */
  parse?: (text: string) => unknown;
  /** the only texts allowed */
  choices?: readonly string[];
  /** what holds when the option is not given: a text as one would type it, read by `parse` */
  default?: string;
  /** leaving it out is a usage error */
  required?: true;
  /** may be repeated; the value becomes a list (empty when not given) */
  array?: true;
  /** with `array`: each text is split here too, so `--detect a,b --detect c` is three */
  separator?: ',';
  /** completion offers files or folders */
  complete?: 'file' | 'directory';
}

export type OptionDeclaration = FlagDeclaration | ValueDeclaration;

/** Words without dashes, in order. Only the last may be `variadic`. They are always texts; `-` and `0x1` stay what they are. */
export interface PositionalDeclaration extends Described {
  required?: true;
  variadic?: true;
  choices?: readonly string[];
  complete?: 'file' | 'directory';
}

export type Options = Readonly<Record<string, OptionDeclaration>>;
export type Positionals = Readonly<Record<string, PositionalDeclaration>>;

type Camel<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

type Parsed<D> = D extends { parse: (text: string) => infer T }
  ? T
  : D extends { choices: readonly (infer C)[] }
    ? C
    : string;

type OptionValue<D> = D extends { value: string }
  ? D extends { array: true }
    ? Parsed<D>[]
    : D extends { default: string } | { required: true }
      ? Parsed<D>
      : Parsed<D> | undefined
  : boolean;

type PositionalValue<D> = D extends { variadic: true }
  ? Parsed<D>[]
  : D extends { required: true }
    ? Parsed<D>
    : Parsed<D> | undefined;

/** What a handler gets: `max-idle` becomes `maxIdle`; positionals and options side by side. */
export type Arguments<P extends Positionals, O extends Options> = {
  [K in keyof P & string as Camel<K>]: PositionalValue<P[K]>;
} & { [K in keyof O & string as Camel<K>]: OptionValue<O[K]> };

/** The world as a command may see it. Commands touch no `process.*` and never exit. */
export interface CommandIo {
  /** opened when it is first iterated, so that a command that reads files leaves it alone */
  stdin: AsyncIterable<Uint8Array>;
  /** data; write through `output/stdio.ts`, which buffers, waits for slow readers and knows broken pipes */
  stdout: Writable;
  /** talk */
  stderr: Writable;
  stdinIsTty: boolean;
  stdoutIsTty: boolean;
  stderrIsTty: boolean;
  /** width of the terminal on stderr, 80 where unknown */
  columns: number;
  /** aborted by the first SIGINT or SIGTERM: finish in order and return; the second ends the process */
  signal: AbortSignal;
  /**
   * What SIGHUP does from now on, in the place of ending the command as SIGTERM does. A terminal that went away still ends it:
   * nobody is left to talk to.
   */
  onHangup(act: () => void): void;
  /** wall clock, integer microseconds */
  now(): Micros;
  /** colours are wanted on stdout */
  colour: boolean;
  /** no progress bars, status lines or notes on stderr; errors still appear */
  quiet: boolean;
  env: Readonly<Record<string, string | undefined>>;
  /** `0.1.0` */
  version: string;
  /** every command of the program, for those that speak about it (completion) */
  commands(): Promise<readonly Command[]>;
}

export interface CommandModule<P extends Positionals, O extends Options> {
  /** the word typed: `replay` */
  name: string;
  /** one line, a sentence without a full stop: `Print a tape again at any speed` */
  describe: string;
  positionals: P;
  options: O;
  /** pairs: a command line that works, and what it does */
  examples: readonly (readonly [string, string])[];
  /** prose for `--help` (end) and the man page: paragraphs parted by blank lines; lines that start with two spaces stay as they are */
  details?: string;
  /** @returns the exit status: 0 done, 1 ran but found problems. Failures are thrown as TapedeckError (2) */
  handler(args: Arguments<P, O>, io: CommandIo): Promise<number>;
}

/** A command whose argument types are forgotten, as the program holds it. `run` takes values checked against the declarations. */
export interface Command {
  name: string;
  describe: string;
  positionals: Positionals;
  options: Options;
  examples: readonly (readonly [string, string])[];
  details?: string;
  run(args: Readonly<Record<string, unknown>>, io: CommandIo): Promise<number>;
}

/** Checks a module's types against its declarations: `export default defineCommand({ … })` ends every command file. */
export function defineCommand<const P extends Positionals, const O extends Options>(
  module: CommandModule<P, O>,
): Command {
  const { handler, ...rest } = module;
  return { ...rest, run: (args, io) => handler(args as Arguments<P, O>, io) };
}

/** True for an option that takes a value. */
export function takesValue(option: OptionDeclaration): option is ValueDeclaration {
  return 'value' in option;
}

/** `max-idle` to `maxIdle`, the key a handler sees. */
export function argumentKey(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `replay [options] TAPE...`, the line that shows how a command is called. */
export function synopsis(command: Command): string {
  const words = [command.name, '[options]'];
  for (const [name, option] of Object.entries(command.options))
    if (takesValue(option) && option.required) words.push(`--${name} ${option.value}`);
  for (const [name, positional] of Object.entries(command.positionals)) {
    const word = `${name.toUpperCase()}${positional.variadic ? '...' : ''}`;
    words.push(positional.required ? word : `[${word}]`);
  }
  return words.join(' ');
}

/** Options every command has; `cli.ts` acts on them and handlers see their effect in CommandIo. */
export const globalOptions = {
  quiet: { alias: 'q', describe: 'no progress and no notes on stderr, only errors' },
  'no-color': { describe: 'no colours, as with NO_COLOR in the environment' },
  help: { alias: 'h', describe: 'explain the command and exit' },
  version: { alias: 'V', describe: 'print the version and exit' },
} as const satisfies Options;

/** Whoever named `-` and pipes nothing in sees why nothing happens. */
export function noteTerminal(paths: readonly string[], { stdinIsTty, quiet, stderr }: CommandIo): void {
  if (paths.includes('-') && stdinIsTty && !quiet)
    stderr.write('reading a tape from the terminal: pipe one in, or end with Ctrl-D\n');
}

/** Says what is no error: one line on stderr, unless told to be quiet. */
export function noteTo({ quiet, stderr }: CommandIo): (text: string) => void {
  return (text) => void (quiet || stderr.write(`${escapeControl(text)}\n`));
}

/** Resolves when a command is to end. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

// Readers of values: one text in, a checked value out. The caller's message gets the option's name in front.

function refuse(text: string, wanted: string): never {
  throw new TapedeckError('E_USAGE', `'${text}' is not ${wanted}`);
}

/** A whole number from `least` on. @param others words before it in errors: what else may stand there @throws {TapedeckError} E_USAGE */
export function wholeNumber(least = 0, most = Number.MAX_SAFE_INTEGER, others = ''): (text: string) => number {
  const wanted = `${others}a whole number ${most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`}`;
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : refuse(text, wanted);
  };
}

/** A number, with a sign or without. @throws {TapedeckError} E_USAGE */
export function decimalNumber(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : refuse(text, 'a number');
}

/** A number above zero. @throws {TapedeckError} E_USAGE */
export function positiveNumber(text: string): number {
  const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return value > 0 && Number.isFinite(value) ? value : refuse(text, 'a number above zero');
}

/** A number above zero, or `max`, which is Infinity. @throws {TapedeckError} E_USAGE */
export function speedOrMax(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value > 0 ? value : refuse(text, "a speed; give a number above zero, or 'max'");
}

/** `90s`, `1.5m`, `1h30m`, `250ms` or plain seconds, above zero, in microseconds. @throws {TapedeckError} E_USAGE */
export function duration(text: string): Micros {
  const value = parseDuration(text);
  return value > 0 ? value : refuse(text, 'a duration above zero; give 90s, 1.5m, 250ms or plain seconds');
}

/** `64M`, `1.5G`, `512k` (powers of 1024) or plain bytes, above zero. @throws {TapedeckError} E_USAGE */
export function byteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kKMGT]?)(?:i?B)?$/.exec(text);
  const power = { '': 0, k: 1, m: 2, g: 3, t: 4 }[match?.[2].toLowerCase() ?? ''] ?? 0;
  const value = match === null ? 0 : Math.round(Number(match[1]) * 1024 ** power);
  return value > 0 && Number.isSafeInteger(value) ? value : refuse(text, 'a size above zero; give 64M, 1.5G or bytes');
}

/** `9001`, `:9001`, `0.0.0.0:9001`, `[::1]:9001`: where to listen; loopback unless a host is named. @throws {TapedeckError} E_USAGE */
export function listenPlace(text: string): { host: string; port: number } {
  const found = /^(?:(\[[0-9a-fA-F:]+\]|[^:[\]\s]+)?:)?(\d{1,5})$/.exec(text);
  const port = found === null ? Number.NaN : Number(found[2]);
  return port <= 65535
    ? { host: found?.[1]?.replace(/^\[|\]$/g, '') ?? '127.0.0.1', port }
    : refuse(text, 'a place; give a port from 0 to 65535, or host:port');
}

// Options that mean the same in every command that has them.

/** `--from TIME`: a TimeSpec, or undefined. */
export const fromOption = {
  value: 'TIME',
  describe: 'start at this time: ISO, epoch, +90s after the start or -90s before the end',
  parse: parseTimeSpec,
} as const;

/** `--to TIME`: a TimeSpec, or undefined. */
export const toOption = {
  value: 'TIME',
  describe: 'stop before this time; written like --from',
  parse: parseTimeSpec,
} as const;

/** `--format text|json`. */
export const formatOption = {
  value: 'FORMAT',
  describe: 'text for people, json for programs (one object per line)',
  choices: ['text', 'json'],
  default: 'text',
} as const;

/** `--level N`: how hard a tape is compressed. */
export const levelOption = {
  value: 'N',
  describe: 'zstd level, 1 to 19',
  details:
    "Levels 6 to 12 search as suits the frames of a tape: 6 takes the time of zstd's own 6 and gives the size of its 9; 12 takes nearly twice as long for 3 % less, and 1 is about five times as fast for 16 % more.",
  parse: wholeNumber(1, 19),
  default: '6',
} as const;

/** Tapes to read; `-` is stdin. */
export const tapesPositional = {
  describe: 'segments, folders of segments, or - for stdin (plain or zstd)',
  required: true,
  variadic: true,
  complete: 'file',
} as const;
