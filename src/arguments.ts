/** From typed words to a command's checked values: what is wrong is said here, what it means is the command's business. */
import {
  argumentKey,
  type Command,
  globalOptions,
  type OptionDeclaration,
  type Options,
  takesValue,
  type ValueDeclaration,
} from './commands/command.js';
import { TapedeckError } from './model/errors.js';
import { nearest } from './model/nearest.js';

/** Stands for a bare `-`, which yargs drops (yargs-parser#381). Words of a command line cannot hold U+0000. */
const DASH = '\u0000-';

export interface PreparedWords {
  /** for yargs */
  words: string[];
  /** what stood after `--`: positionals whatever they look like */
  literal: string[];
}

/**
 * Makes words safe for yargs: bare `-` survives, `-oDIR` and `--from -90s` are joined to their option, and what follows
 * `--` is set aside. Unknown long options end here: yargs would trip over some (`--constructor`).
 * @throws {TapedeckError} E_USAGE
 */
export function prepareWords(words: readonly string[], options: Options): PreparedWords {
  const end = words.indexOf('--');
  const head = end < 0 ? words : words.slice(0, end);
  const byAlias = new Map(Object.entries(options).map(([name, option]) => [option.alias, { name, option }]));
  const valueOption = (word: string): string | undefined => {
    const name = word.startsWith('--') ? word.slice(2) : byAlias.get(word.slice(1))?.name;
    return name !== undefined && Object.hasOwn(options, name) && takesValue(options[name]) ? name : undefined;
  };
  const prepared: string[] = [];
  for (let at = 0; at < head.length; at++) {
    const word = head[at];
    const long = /^--([^=]+)/.exec(word);
    if (long !== null && !Object.hasOwn(options, long[1])) {
      const near = nearest(long[1], Object.keys(options));
      throw usage(`unknown option --${long[1]}${near === null ? '' : `; did you mean --${near}?`}`);
    }
    const short = /^-([A-Za-z])=?(.+)$/s.exec(word);
    const shortOption = short === null ? undefined : byAlias.get(short[1]);
    const name = word.startsWith('-') ? valueOption(word) : undefined;
    if (short !== null && shortOption !== undefined && takesValue(shortOption.option))
      prepared.push(`--${shortOption.name}=${short[2] === '-' ? DASH : short[2]}`);
    else if (name !== undefined && at + 1 < head.length && /^(-|-[\d.].*)$/.test(head[at + 1])) {
      at++;
      prepared.push(`--${name}=${head[at] === '-' ? DASH : head[at]}`);
    } else prepared.push(word === '-' ? DASH : word);
  }
  return { words: prepared, literal: end < 0 ? [] : words.slice(end + 1) };
}

function usage(message: string): TapedeckError {
  return new TapedeckError('E_USAGE', message);
}

function restore(word: unknown): string {
  return word === DASH ? '-' : String(word);
}

function readValue(shown: string, text: string, declaration: ValueDeclaration): unknown {
  if (text === '') throw usage(`${shown} needs a value: ${shown} ${declaration.value}`);
  if (declaration.choices !== undefined && !declaration.choices.includes(text))
    throw usage(`${shown}: '${text}' is none of ${declaration.choices.join(', ')}`);
  if (declaration.parse === undefined) return text;
  try {
    return declaration.parse(text);
  } catch (error) {
    if (error instanceof TapedeckError)
      throw new TapedeckError(error.code, `${shown}: ${error.message}`, error.place, error);
    throw error;
  }
}

function readOption(name: string, raw: unknown, declaration: OptionDeclaration): unknown {
  const shown = `--${name}`;
  if (!takesValue(declaration)) {
    if (raw === undefined || typeof raw === 'boolean') return raw === true;
    return (raw as unknown[]).some((given) => given === true);
  }
  const given = raw === undefined ? [] : (Array.isArray(raw) ? raw : [raw]).map(restore);
  if (declaration.array) {
    const texts = given.flatMap((text) =>
      declaration.separator === undefined ? [text] : text.split(declaration.separator),
    );
    const filled = texts.length === 0 && declaration.default !== undefined ? [declaration.default] : texts;
    return filled.map((text) => readValue(shown, text, declaration));
  }
  if (given.length > 1) throw usage(`${shown} was given ${given.length} times; it takes one value`);
  const text = given[0] ?? declaration.default;
  if (text !== undefined) return readValue(shown, text, declaration);
  if (declaration.required) throw usage(`${shown} ${declaration.value} is missing: ${declaration.describe}`);
  return undefined;
}

/** Turns what yargs parsed into the handler's arguments. @throws {TapedeckError} E_USAGE */
export function readArguments(
  command: Command,
  parsed: Readonly<Record<string, unknown>>,
  literal: readonly string[],
): Record<string, unknown> {
  const options: Options = { ...globalOptions, ...command.options };
  // letters in a group, such as -xq, are told apart by yargs; long names were checked before
  for (const key of Object.keys(parsed))
    if (key !== '_' && key !== '$0' && !Object.hasOwn(options, key)) throw usage(`unknown option -${key}`);
  const args: Record<string, unknown> = {};
  for (const [name, declaration] of Object.entries(command.options))
    args[argumentKey(name)] = readOption(name, parsed[name], declaration);

  const words = [...((parsed._ as unknown[] | undefined) ?? []).map(restore), ...literal];
  for (const [name, declaration] of Object.entries(command.positionals)) {
    const taken = words.splice(0, declaration.variadic ? words.length : 1);
    if (taken.length === 0 && declaration.required)
      throw usage(`${command.name} needs ${name.toUpperCase()}: ${declaration.describe}`);
    for (const word of taken)
      if (declaration.choices !== undefined && !declaration.choices.includes(word))
        throw usage(`${name.toUpperCase()}: '${word}' is none of ${declaration.choices.join(', ')}`);
    args[argumentKey(name)] = declaration.variadic ? taken : taken[0];
  }
  if (words.length > 0) throw usage(`${command.name} does not take '${words[0]}'`);
  return args;
}
